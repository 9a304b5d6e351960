"""Decide: what follows for the standing from an event of a case, and what may be asked of the standing itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from casework.domain.decide import Context
from casework.domain.events import Due
from casework.domain.reasons import reason
from casework.domain.standing import commands as c
from casework.domain.standing import events as e
from casework.domain.standing.effects import Advanced, Effect, Recovered, Ruled
from casework.domain.standing.facts import StandingFacts, apply, measures_at
from casework.domain.standing.guards import STANDING_GUARDS, iso, who_may
from casework.domain.standing.rules import CURRENT_RULES, RULES, track_of, year_of
from casework.domain.values import Actor, clean
from casework.errors import Permitted, Reason, Refused


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By when a penalty is to be published, and may be appealed (None: the edition has no rule, so there is no limit)."""

    publish_by: Due
    appeal_by: Due | None


def penalty_id(case: str, ruling: int, number: int) -> str:
    """What a penalty is called: by its case, the version of the ruling, and its place in it, from 1."""
    return f"{case}/{ruling}.{number}"


def consequences(facts: StandingFacts, effect: Effect, occasion: Context, deadlines: Deadlines) -> list[e.StandingEvent]:
    """The events that follow from an event of a case; ``occasion`` is that event's. The facts stay as they are."""
    writer = _Writer(facts, occasion)
    if isinstance(effect, Ruled):
        for penalty in [p for p in facts.penalties.values()
                        if p.counts and (p.case, p.ruling) == (effect.case, effect.replaces)]:
            writer.write(e.PenaltyAnnulled,
                         data=e.Annulled(penalty=penalty.id, case=effect.case, ruling=effect.version))
            writer.settle_measures(penalty.track, year_of(penalty.at))
        track = track_of(RULES[CURRENT_RULES], effect.ground)
        for number, given in enumerate(effect.penalties, 1):
            said = e.Imposed(case=effect.case, ruling=effect.version, kind=given.kind, track=track, rules=CURRENT_RULES,
                             points=given.points, clause=given.clause, judges=effect.judges, forged=effect.forged)
            writer.write(e.PenaltyImposed, data=said, id=penalty_id(effect.case, effect.version, number),
                         publish_by=deadlines.publish_by, appeal_by=deadlines.appeal_by)
            writer.settle_measures(track, year_of(occasion.at))
    elif isinstance(effect, Advanced):
        writer.write(e.AdvanceOwed, data=e.Owed(case=effect.case, version=effect.version, amount=effect.amount))
    else:
        assert isinstance(effect, Recovered)
        debt = facts.debts.get(effect.case)
        rest = debt.open if debt else Decimal(0)
        writer.write(e.AdvanceRecovered, data=e.Owed(case=effect.case, version=effect.version, amount=rest))
    return writer.events


def decide(facts: StandingFacts, command: c.StandingCommand, context: Context) -> list[e.StandingEvent]:
    """The events that a command makes, the one that records it first; :class:`~casework.errors.Refused` with every reason.

    :class:`~casework.errors.InputError` if a value in it cannot be used.
    """
    command = clean(command)
    clean(context.by)
    name = c.standing_name_of(type(command))
    if found := [*judge(facts, name, context.by, context.at, command), *_times(context)]:
        raise Refused(name, facts.status(context.at), found, permitted(facts, context.by, context.at))
    writer = _Writer(facts, context)
    writer.write(e.STANDING_EVENT_OF[type(command)], data=command)
    if isinstance(command, c.DecideAppeal) and command.result == "upheld":
        penalty = facts.penalties[command.penalty]
        writer.settle_measures(penalty.track, year_of(penalty.at))
    return writer.events


def ask(facts: StandingFacts, name: str, context: Context) -> None:
    """Whether the command could be given at all, whatever it would say; else :class:`~casework.errors.Refused`."""
    if found := judge(facts, name, context.by, context.at):
        raise Refused(name, facts.status(context.at), found, permitted(facts, context.by, context.at))


def judge(facts: StandingFacts, name: str, by: Actor, at: datetime, command: Any = None) -> list[Reason]:
    """Every reason against a command. Without ``command`` it is asked whether there is anything it could be about."""
    found = who_may(facts, name, by)
    guard = STANDING_GUARDS[name]
    if name == "readmit":
        return [*found, *guard(facts, by, at, None, None)]
    kind = "debt" if name == "repay_advance" else "penalty"
    things: dict[str, Any] = facts.debts if kind == "debt" else facts.penalties
    if command is not None:
        named = command.case if kind == "debt" else command.penalty
        if named not in things:
            return [*found, reason("not_on_record", {"item": (f"{c.THINGS[kind].zh} {named}", f"{c.THINGS[kind].en} {named}")})]
        return [*found, *guard(facts, by, at, things[named], command)]
    tried = [list(guard(facts, by, at, thing, None)) for thing in things.values()]
    return [*found, *(min(tried, key=len) if tried else [reason("not_on_record", {"item": c.THINGS[kind]})])]


def permitted(facts: StandingFacts, by: Actor, at: datetime) -> Permitted:
    """What may be done instead: by the one who asks, and by others."""
    yours = [name for name in c.STANDING_ACTS if not judge(facts, name, by, at)]
    others = [name for name, act in c.STANDING_ACTS.items() if name not in yours and any(
        not judge(facts, name, actor_for(role, facts), at) for role in act.roles)]
    return Permitted(tuple(yours), tuple(others))


def actor_for(role: str, facts: StandingFacts) -> Actor:
    """Who a bare role is: the merchant himself, or the first of that role."""
    return Actor(role=role, id={"merchant": facts.merchant, "agent": "A-1", "supervisor": "S-1"}.get(role, role))


class _Writer:
    """Makes events one after another, each on the facts that those before it yield."""

    def __init__(self, facts: StandingFacts, occasion: Context) -> None:
        self._facts = deepcopy(facts)
        self._occasion = occasion
        self.events: list[e.StandingEvent] = []

    def write(self, kind: Callable[..., e.StandingEvent], **said: Any) -> None:
        now = self._occasion
        event = clean(kind(
            originator_id=e.stream_of(self._facts.merchant), originator_version=self._facts.version + 1, at=now.at,
            # Cases of one merchant may be told by clocks, or in stories, that do not agree; the stream's own order is kept.
            recorded_at=max(now.recorded_at, self._facts.recorded_at), by=now.by, command_id=now.command_id, **said))
        apply(self._facts, event)
        self.events.append(event)

    def settle_measures(self, track: str, year: int) -> None:
        """Take what the points newly reach, lift what they no longer reach; the next year too, where points carry over."""
        rules = RULES[CURRENT_RULES].tracks[track]
        for each in (year, year + 1) if rules.carries else (year,):
            carried, points = self._facts.carried(track, each), self._facts.points(track, each)
            for node in rules.nodes:
                there = next(measures_at(self._facts, track, each, node.points), None)
                if there is not None and points < node.points:
                    self.write(e.MeasureLifted, data=e.Receded(track=track, year=each, node=node.points, points=points))
                elif there is None and carried < node.points <= points:
                    until = self._occasion.at + timedelta(days=node.days) if node.days else None
                    self.write(e.MeasureTaken, data=e.Reached(
                        track=track, year=each, node=node.points, points=points, measure=node.measure, rules=CURRENT_RULES,
                        clause=rules.clause, certainty=rules.certainty, until=until))


def _times(context: Context) -> Iterator[Reason]:
    if context.at > context.recorded_at:
        yield reason("in_the_future", at=iso(context.at), recorded=iso(context.recorded_at))
