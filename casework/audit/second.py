"""A second derivation of legality, held against the first.

The first (:mod:`casework.audit.law`) projects facts of its own, walks the map compiled from the lifecycle, and asks each guard by
name. The second is the living case: its fold, its machine, and the way in which a command is decided. They share the tables and
the guards, which are the law, and can differ in everything else: what the events are taken to mean, which edge and which guards
a step has, who may. Where they differ on whether a step was allowed, on where it led, or on a fact after it, one of them is
wrong, and that is a finding. What both find is told by the first alone.

This is the only module of the audit that knows the living case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from casework.audit.findings import Fault, Line, shown
from casework.audit.rules import NoEdition
from casework.audit.walk import Walk
from casework.domain import events as e
from casework.domain import fold
from casework.domain.commands import Command, name_of
from casework.domain.decide import Context, against_opening, judge, open_event
from casework.domain.facts import Facts
from casework.domain.machine import Lifecycle
from casework.domain.request import Request
from casework.errors import InputError, Refused
from casework.rulebook.edition import Edition, edition

#: What the first says of a step that was not allowed.
_REFUSING = {"unlawful_edge", "state_not_yielded", "role_may_not", "guard_refuses", "opened_twice", "not_opened"}
#: What the first says without meaning that anything else should have been recorded.
_HARMLESS = {"decided_late", "not_checked", "at_after_recorded", "time_backwards", "command_repeated", "payload_not_canonical",
             "column_mismatch"}
#: A refusal that is no matter of law here: another calendar was installed, or the times, which are a finding of their own.
_ASIDE = {"calendar_not_published", "in_the_future"}
_FIELDS = Facts.__struct_fields__


@dataclass(slots=True)
class Verdict:
    """What the living case says of a step: whether it is allowed as it is recorded, and if not, why."""

    allowed: bool
    why: str = ""


@dataclass(slots=True)
class Second:
    """The facts as the living case folds them; None before the opening, and from where on the events are incomplete."""

    facts: Facts | None = None

    def verdict(self, walk: Walk, event: e.Event) -> Verdict | None:
        """What the living case says of the event, before either has gone on; None where it cannot be asked."""
        if walk.broken or not walk.processes:
            return None
        try:
            if isinstance(event, e.CaseOpened):
                return _opening(event) if self.facts is None and walk.facts is None else None
            return None if self.facts is None else self._step(walk, event, self.facts)
        except Exception:  # values that no command lets in: the first has said that it could not check them
            return None

    def _step(self, walk: Walk, event: e.Event, facts: Facts) -> Verdict:
        command: type[Command] = type(event.data)
        name = name_of(command)
        adopts = edition(event.data.edition) if isinstance(event, e.EditionAdopted) else None
        request = Request(name, event.by, event.at, walk.edition or NoEdition(), event.data, adopts=adopts)
        try:
            to, found = judge(facts, request)
        except InputError as error:
            return Verdict(False, error.en)
        refused = [r.code for r in found if r.code not in _ASIDE]
        if refused or (found and to is None):
            return Verdict(not refused, ", ".join(refused))
        due = (None, None, None) if to is None else (name, facts.state, to)
        told = (event.trigger, event.from_state, event.to_state)
        return Verdict(told == due, "" if told == due else f"{due[1]} → {due[2]}")

    def compared(self, walk: Walk, event: e.Event, verdict: Verdict | None, codes: Collection[str]) -> Iterator[Fault]:
        """Go on after the event, behind the first, and tell where the two differ. ``codes`` are what the first found."""
        if walk.facts is None or walk.broken:
            self.facts = None
            return
        if self.facts is None and not isinstance(event, e.CaseOpened):
            return
        allowed = not _REFUSING.intersection(codes)
        if verdict is not None and verdict.allowed != allowed:
            name = e.topic_of(type(event)).removeprefix(e.TOPIC_PREFIX)
            yield Fault("derivations_differ", Line(f"{name} 是否允许", f"whether {name} was allowed"),
                        _verdicts(allowed, verdict))
        lawful = _HARMLESS.issuperset(codes)
        # An event that the first faults is gone on from as it should have been, so that one fault is one finding.
        meant = walk.meant or event
        try:
            if self.facts is None:
                assert isinstance(meant, e.CaseOpened)
                self.facts = fold.opened(meant)
            else:
                fold.apply(self.facts, meant)
            names = _differing(self.facts, walk.facts, meant)
        except Exception as error:  # what no command lets in
            names = [type(error).__name__]
        if names:
            if lawful:
                yield _fault(names)
            self.facts = deepcopy(walk.facts)

    def opens(self, event: e.CaseOpened, rules: Edition) -> bool:
        """Whether the living case would open so; it then stands behind that. For the fast path, as the two that follow."""
        self.facts = fold.opened(event)
        return not against_opening(event.data, Context(event.by, event.at, event.recorded_at, event.command_id, rules))

    def allows(self, process: Lifecycle, request: Request, to: str | None) -> bool:
        """Whether the living case lets that be done, and it leads there."""
        assert self.facts is not None
        given = judge(self.facts, request) if to is None else process.answer(self.facts, request)
        return given == (to, [])

    def goes_on(self, event: e.Event, facts: Facts) -> bool:
        """Go on after the event; whether every fact is then that of the first derivation."""
        assert self.facts is not None
        fold.apply(self.facts, event)
        return self.facts == facts

    def end(self, walk: Walk) -> Iterator[Fault]:
        """Every fact once more, when all events were read: on the way only what an event names is looked at."""
        if self.facts is not None and walk.facts is not None and self.facts != walk.facts:
            yield _fault([name for name in _FIELDS if getattr(self.facts, name) != getattr(walk.facts, name)])


def _opening(event: e.CaseOpened) -> Verdict | None:
    rules = edition(event.edition)
    if rules is None:
        return None
    try:
        open_event(event.originator_id, event.data, Context(event.by, event.at, event.recorded_at, event.command_id, rules))
    except Refused as error:
        refused = [code for code in error.codes if code not in _ASIDE]
        return Verdict(not refused, ", ".join(refused))
    carries = (event.trigger, event.from_state, event.to_state) != (None, None, None)
    return Verdict(not carries, "trigger, from, to" if carries else "")


def _differing(one: Facts, other: Facts, event: e.Event) -> list[str]:
    """The facts in which the two differ: every single one, and of those held by name or in a row the ones that the event names.

    A look at all that a case holds, for each of its events, would take the square of their number.
    """
    named = {value for thing in (event, event.data) for field in ("id", "offer", "evidence", "referral", "tip_off")
             if isinstance(value := getattr(thing, field, None), str)} | {change.id for change in event.duties}
    named.add(event.command_id)
    found = []
    for name in _FIELDS:
        mine, theirs = getattr(one, name), getattr(other, name)
        if isinstance(mine, dict) and name not in ("proofs", "hearings"):
            same = len(mine) == len(theirs) and all(mine.get(key) == theirs.get(key) for key in named)
        elif isinstance(mine, list):
            same = len(mine) == len(theirs) and mine[-1:] == theirs[-1:]
        else:
            same = mine is theirs or mine == theirs
        if not same:
            found.append(name)
    return found


def _fault(names: list[str]) -> Fault:
    which: Any = ", ".join(names)
    return Fault("derivations_differ", Line(f"事件之后的事实：{shown(which)}", f"the facts after the event: {shown(which)}"),
                 Line("两次推导得出不同的事实", "the two derivations yield different facts"))


def _verdicts(allowed: bool, verdict: Verdict) -> Line:
    why = f"（{verdict.why}）" if verdict.why else ""
    why_en = f" ({verdict.why})" if verdict.why else ""
    zh, en = ("允许", "不允许"), ("allowed", "not allowed")
    return Line(f"审计推导：{zh[not allowed]}；案件流程推导：{zh[not verdict.allowed]}{why}",
                f"the audit's: {en[not allowed]}; the living case's: {en[not verdict.allowed]}{why_en}")
