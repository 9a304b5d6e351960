"""The tables made into `transitions` machines, and the plain map compiled from the machine.

One machine a lifecycle version, shared by all cases and holding no model: it is asked with a throw-away probe. Live steps go
through the machine; replay and audit walk the compiled map, which is some two hundred times faster, and a test holds that
both agree. A condition of these machines does not stop at the first refusal: it collects the reasons of every guard, so that
a refusal tells everything at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from transitions import Machine, MachineError, Transition
from transitions.core import Condition

from casework.domain import grounds
from casework.domain.beside import Act, TrackRow
from casework.domain.burden import SITUATIONS
from casework.domain.categories import ALIASES, RULES
from casework.domain.facts import INITIAL, Facts
from casework.domain.guards import EXCLUSIVE, GUARDS, MONEY, NEW_GROUNDS, PROMISES, REFUNDS, SHUTS_OUT, who_may
from casework.domain.lifecycle import STAGE_OF, Trigger
from casework.domain.reasons import reason
from casework.domain.remedies import ENTITLEMENTS
from casework.domain.request import Request
from casework.domain.versions import TABLES, Tables
from casework.domain.vocabulary import PLATFORM_CHANNELS, ROLES, STATES, VOCABULARY
from casework.errors import CaseworkError, Reason


@dataclass(slots=True)
class Probe:
    """What the machine is asked with: a state to leave, what is known and wanted, and the reasons against it."""

    state: str
    facts: Facts | None = None
    request: Request | None = None
    reasons: list[Reason] = field(default_factory=list)


class WhoMay(NamedTuple):
    """The condition that role and party are right."""

    roles: tuple[str, ...]

    def __call__(self, facts: Facts, request: Request) -> Iterable[Reason]:
        return who_may(facts, request, self.roles)


def nothing_refused(facts: Facts, request: Request) -> Iterable[Reason]:
    """Stands last among the conditions of every edge: the step is taken only if no guard before gave a reason."""
    return ()


class CollectingCondition(Condition):
    """Asks its guard, keeps the reasons in the probe, and lets the next condition be asked as well."""

    def check(self, event_data: Any) -> bool:
        probe: Probe = event_data.model
        guard: Any = self.func
        if guard is nothing_refused:
            return not probe.reasons
        probe.reasons.extend(guard(probe.facts, probe.request))
        return True


class CollectingTransition(Transition):
    """A transition whose conditions are all asked."""

    condition_cls = CollectingCondition


class CollectingMachine(Machine):
    """A machine of such transitions."""

    transition_cls = CollectingTransition


class Step(NamedTuple):
    """What the compiled map says of a state and a trigger."""

    to: str
    roles: tuple[str, ...]
    guards: tuple[str, ...]


class Lifecycle:
    """One version of the lifecycle: the tables' rows, the machine made from them, the map compiled from the machine.

    Raises :class:`ValueError` when a table names an unknown guard, role or state, a name twice, or has two edges for one
    state and trigger.
    """

    def __init__(self, version: int, tables: Tables) -> None:
        triggers, acts, tracks, duties = tables
        _check(triggers, acts)
        self.version = version
        self.triggers = {t.name: t for t in triggers}
        self.acts = {a.name: a for a in acts}
        self.duties = {d.name: d for d in duties}
        #: From the second version on, a ruling records what it rests on.
        self.explains = version > 1
        self.tracks = {name: _track(name, rows) for name, rows in tracks.items()}
        self.machine = _build(STAGE_OF, INITIAL, [row for t in triggers for row in _rows(t)])
        self.map = _compile(self.machine)
        self._edges = _edges(self.machine)
        self._moves: dict[tuple[str, str, str], str | None] = {}
        law = [INITIAL, STAGE_OF, self.map, {a.name: _law(a) for a in acts}, tracks, LAW,
               *([duties, PROOF] if self.explains else [])]
        self.digest = hashlib.sha256(json.dumps(law, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def ask(self, facts: Facts, request: Request) -> tuple[str | None, list[Reason]]:
        """Where the step leads and no reasons, or no state and every reason against it."""
        trigger = self.triggers[request.name]
        probe = Probe(facts.state, facts, request)
        try:
            taken = self.machine.events[trigger.name].trigger(probe)
        except MachineError:
            state = STATES[facts.state]
            return None, [reason("not_in_this_state", {"state": state}), *who_may(facts, request, trigger.roles)]
        return (probe.state, []) if taken else (None, probe.reasons)

    def answer(self, facts: Facts, request: Request) -> tuple[str | None, list[Reason]]:
        """What :meth:`ask` answers, without setting the machine going: its conditions are read out of it once.

        A test holds both to each other. For whoever asks of a great many steps: the going takes longer than the asking.
        """
        edge = self._edges.get((facts.state, request.name))
        if edge is None:
            return self.ask(facts, request)
        to, conditions = edge
        found: list[Reason] = []
        for condition in conditions:
            found.extend(condition(facts, request))
        return (None, found) if found else (to, found)

    def moves(self, track: str, state: str, trigger: str) -> str | None:
        """Where a track's trigger leads from a state of it; None where it does not leave it."""
        key = (track, state, trigger)
        if key not in self._moves:
            self._moves[key] = self._moved(track, state, trigger)
        return self._moves[key]

    def _moved(self, track: str, state: str, trigger: str) -> str | None:
        probe = Probe(state)
        try:
            self.tracks[track].events[trigger].trigger(probe)
        except MachineError:
            return None
        return probe.state

    def steps_from(self, state: str) -> dict[str, Step]:
        """The compiled map's row of a state: trigger -> step."""
        return self.map.get(state, {})


@cache
def lifecycle(version: int) -> Lifecycle | None:
    """The lifecycle of that version; None if this release does not know it."""
    tables = TABLES.get(version)
    return Lifecycle(version, tables) if tables else None


def pinned(version: int) -> Lifecycle:
    """The lifecycle that a case pinned; :class:`~casework.errors.CaseworkError` where this release does not have it."""
    found = lifecycle(version)
    if found is None:
        raise CaseworkError(f"the case pins lifecycle {version}, which this release lacks; upgrade casework, or audit the store",
                            f"案件使用流程版本 {version}，本版本没有；请升级 casework，或审计案件库")
    return found


def _track(name: str, rows: tuple[TrackRow, ...]) -> Machine:
    states = list(VOCABULARY[name])
    return _build(states, states[0], [
        {"trigger": trigger, "source": source, "dest": to} for trigger, sources, to in rows for source in sources
    ])


#: What guards read beside the facts: a changed row of these is a changed law, and so a changed digest.
LAW = {
    "grounds": grounds.GROUNDS, "refunds": REFUNDS, "money": MONEY, "exclusive": EXCLUSIVE, "shuts_out": SHUTS_OUT,
    "new_grounds": NEW_GROUNDS, "promises": PROMISES, "platform_channels": PLATFORM_CHANNELS,
}


#: What the guards and the recorded basis of later versions read as well: the matrix of proof, the rules of categories, what may
#: be claimed. Their sentences are no law, so that a misprint can be mended.
PROOF = {
    "situations": {name: [row.grounds, [(s.party, s.evidence, s.proofs, s.own_groups) for s in row.steps], row.clause,
                          row.certainty] for name, row in SITUATIONS.items()},
    "categories": [(r.id, r.kind, r.categories, r.grounds, r.clause, r.certainty, r.hours, r.rule) for r in RULES],
    "words": ALIASES,
    "entitlements": [(x.id, x.kind, x.on, x.clause, x.certainty, x.venues, x.sum, x.rule, x.by, x.services, x.categories)
                     for x in ENTITLEMENTS],
}


def _law(act: Act) -> list[Any]:
    """What an act's row decides; its labels are no law."""
    return [act.roles, act.states, act.guards, act.track]


def _check(triggers: tuple[Trigger, ...], acts: tuple[Act, ...]) -> None:
    rows: tuple[Trigger | Act, ...] = (*triggers, *acts)
    names = [row.name for row in rows]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two rows are called {twice[0]}")
    roles = [(row.name, r) for row in rows for r in row.roles]
    roles += [(t.name, r) for t in triggers for edge in t.edges for r in edge.roles or ()]
    guards = [(t.name, g) for t in triggers for edge in t.edges for g in edge.guards]
    guards += [(a.name, g) for a in acts for g in a.guards]
    for kind, known, used in (("role", ROLES, roles), ("guard", GUARDS, guards)):
        for name, term in used:
            if term not in known:
                raise ValueError(f"{name}: unknown {kind} {term}")


def _rows(trigger: Trigger) -> Iterable[dict[str, Any]]:
    for edge in trigger.edges:
        for source in edge.sources:
            yield {
                "trigger": trigger.name,
                "source": source,
                "dest": edge.to or source,
                "conditions": [WhoMay(edge.roles or trigger.roles), *(GUARDS[g] for g in edge.guards), nothing_refused],
            }


def _build(states: Iterable[str], initial: str, rows: list[dict[str, Any]]) -> Machine:
    known = list(states)
    seen = set()
    for row in rows:
        key = (row["source"], row["trigger"])
        if key in seen:
            raise ValueError(f"two edges leave {key[0]} by {key[1]}")
        if row["source"] not in known or row["dest"] not in known:
            raise ValueError(f"{row['trigger']}: unknown state {row['source']} or {row['dest']}")
        seen.add(key)
    return CollectingMachine(model=None, states=known, initial=initial, transitions=rows, auto_transitions=False,
                             send_event=True, queued=False)


def _compile(machine: Machine) -> dict[str, dict[str, Step]]:
    compiled: dict[str, dict[str, Step]] = {}
    for name, event in machine.events.items():
        for source, [transition] in event.transitions.items():
            functions: list[Any] = [condition.func for condition in transition.conditions]
            compiled.setdefault(source, {})[name] = Step(
                str(transition.dest), functions[0].roles, tuple(f.__name__ for f in functions[1:-1]))
    return compiled


def _edges(machine: Machine) -> dict[tuple[str, str], tuple[str, tuple[Any, ...]]]:
    """By state and trigger, where the machine's edge leads and what it asks, but for what stands last on each."""
    edges: dict[tuple[str, str], tuple[str, tuple[Any, ...]]] = {}
    for name, event in machine.events.items():
        for source, [transition] in event.transitions.items():
            functions: list[Any] = [condition.func for condition in transition.conditions]
            edges[source, name] = str(transition.dest), tuple(functions[:-1])
    return edges
