"""What is known of a merchant's standing, and how events make it: assign, never check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from casework.domain.events import Due
from casework.domain.standing import events as e
from casework.domain.standing.commands import StandingCommand
from casework.domain.standing.rules import CURRENT_RULES, RULES, year_of
from casework.domain.values import Actor

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Penalty:
    """A penalty and what became of it. ``ended_at`` is when a readmission ended a removal."""

    id: str
    case: str
    ruling: int
    kind: str
    track: str
    points: int
    clause: str | None
    at: datetime
    by: Actor
    judges: tuple[str, ...]
    forged: bool
    publish_by: Due
    appeal_by: Due | None
    state: str = "imposed"
    appealed_at: datetime | None = None
    decided_at: datetime | None = None
    annulled_at: datetime | None = None
    published_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether it stands: an appeal does not suspend it, an annulment ends it as if it had never been."""
        return self.state != "annulled"


@dataclass(slots=True)
class Measure:
    """A measure that a node brought. ``until`` None is for good."""

    track: str
    year: int
    node: int
    kind: str
    at: datetime
    until: datetime | None
    clause: str
    certainty: str
    lifted_at: datetime | None = None
    ended_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether it is in force at that time."""
        return self.lifted_at is None and self.ended_at is None and (self.until is None or now < self.until)


@dataclass(slots=True)
class Debt:
    """What the platform paid first in a case and has, or has not, got back; in yuan."""

    case: str
    at: datetime
    owed: Decimal
    repaid: Decimal = Decimal(0)

    @property
    def open(self) -> Decimal:
        """What is still owed."""
        return max(self.owed - self.repaid, Decimal(0))


@dataclass(slots=True)
class StandingFacts:
    """Everything known of one merchant's standing as of one version; version 0 is a merchant of whom nothing was recorded."""

    merchant: str
    version: int = 0
    recorded_at: datetime = NEVER
    commands: dict[str, int] = field(default_factory=dict)
    penalties: dict[str, Penalty] = field(default_factory=dict)
    measures: list[Measure] = field(default_factory=list)
    debts: dict[str, Debt] = field(default_factory=dict)
    readmitted: list[datetime] = field(default_factory=list)

    def own_points(self, track: str, year: int) -> int:
        """The points of the penalties of that year that stand, on that track."""
        return sum(p.points for p in self.penalties.values() if p.counts and p.track == track and year_of(p.at) == year)

    def carried(self, track: str, year: int) -> int:
        """The points of the year before that were not cleared at its end."""
        carries = RULES[CURRENT_RULES].tracks[track].carries
        before = self.own_points(track, year - 1)
        return before if carries is not None and carries[0] <= before < carries[1] else 0

    def points(self, track: str, year: int) -> int:
        """The points that count in that year: its own, and what was not cleared."""
        return self.carried(track, year) + self.own_points(track, year)

    def in_force(self, kind: str, now: datetime) -> bool:
        """Whether a penalty or a measure of that kind is in force."""
        return (any(p.kind == kind and p.counts and p.ended_at is None for p in self.penalties.values())
                or any(m.kind == kind and m.stands(now) for m in self.measures))

    def status(self, now: datetime) -> str:
        """How the merchant stands: the gravest thing in force."""
        for status, kind in (("blacklisted", "blacklist"), ("closed", "permanent_closure"), ("removed", "removal")):
            if self.in_force(kind, now):
                return status
        return "restricted" if any(m.stands(now) for m in self.measures) else "good"


def apply(facts: StandingFacts, event: e.StandingEvent) -> None:
    """Bring the facts forward by one event."""
    facts.version = event.originator_version
    facts.recorded_at = event.recorded_at
    if isinstance(event.data, StandingCommand):
        facts.commands[event.command_id] = event.originator_version
    _CHANGES[type(event)](facts, event)


def fold(merchant: str, events: Iterable[e.StandingEvent]) -> StandingFacts:
    """The facts after all these events."""
    facts = StandingFacts(merchant)
    for event in events:
        apply(facts, event)
    return facts


_Change = Callable[[StandingFacts, Any], None]
_CHANGES: dict[type[e.StandingEvent], _Change] = {}


def _on(kind: type[e.StandingEvent]) -> Callable[[_Change], _Change]:
    def register(change: _Change) -> _Change:
        _CHANGES[kind] = change
        return change
    return register


@_on(e.PenaltyImposed)
def _imposed(facts: StandingFacts, event: e.PenaltyImposed) -> None:
    d = event.data
    facts.penalties[event.id] = Penalty(
        event.id, d.case, d.ruling, d.kind, d.track, d.points or 0, d.clause, event.at, event.by, d.judges, d.forged,
        event.publish_by, event.appeal_by)


@_on(e.PenaltyAnnulled)
def _annulled(facts: StandingFacts, event: e.PenaltyAnnulled) -> None:
    penalty = facts.penalties[event.data.penalty]
    penalty.state, penalty.annulled_at = "annulled", event.at


@_on(e.MeasureTaken)
def _taken(facts: StandingFacts, event: e.MeasureTaken) -> None:
    d = event.data
    facts.measures.append(Measure(d.track, d.year, d.node, d.measure, event.at, d.until, d.clause, d.certainty))


@_on(e.MeasureLifted)
def _lifted(facts: StandingFacts, event: e.MeasureLifted) -> None:
    for measure in measures_at(facts, event.data.track, event.data.year, event.data.node):
        measure.lifted_at = event.at


@_on(e.AdvanceOwed)
def _owed(facts: StandingFacts, event: e.AdvanceOwed) -> None:
    _debt(facts, event).owed += event.data.amount


@_on(e.AdvanceRecovered)
def _recovered(facts: StandingFacts, event: e.AdvanceRecovered) -> None:
    _debt(facts, event).repaid += event.data.amount


@_on(e.AdvanceRepaid)
def _repaid(facts: StandingFacts, event: e.AdvanceRepaid) -> None:
    facts.debts[event.data.case].repaid += event.data.amount


@_on(e.AppealLodged)
def _appealed(facts: StandingFacts, event: e.AppealLodged) -> None:
    penalty = facts.penalties[event.data.penalty]
    penalty.state, penalty.appealed_at = "appealed", event.at


@_on(e.AppealDecided)
def _decided(facts: StandingFacts, event: e.AppealDecided) -> None:
    penalty = facts.penalties[event.data.penalty]
    penalty.decided_at = event.at
    if event.data.result == "upheld":
        penalty.state, penalty.annulled_at = "annulled", event.at
    else:
        penalty.state = "confirmed"


@_on(e.PenaltyPublished)
def _published(facts: StandingFacts, event: e.PenaltyPublished) -> None:
    facts.penalties[event.data.penalty].published_at = event.at


@_on(e.MerchantReadmitted)
def _readmitted(facts: StandingFacts, event: e.MerchantReadmitted) -> None:
    facts.readmitted.append(event.at)
    things: list[Penalty | Measure] = [*facts.penalties.values(), *facts.measures]
    for thing in things:
        if thing.kind == "removal" and thing.ended_at is None:
            thing.ended_at = event.at


def _debt(facts: StandingFacts, event: e.AdvanceOwed | e.AdvanceRecovered) -> Debt:
    """The debt of that case; a case may have come into the store without the stream in which its advance was owed."""
    return facts.debts.setdefault(event.data.case, Debt(event.data.case, event.at, Decimal(0)))


def measures_at(facts: StandingFacts, track: str, year: int, node: int) -> Iterator[Measure]:
    """The measures of that node that were not lifted."""
    return (m for m in facts.measures if (m.track, m.year, m.node) == (track, year, node) and m.lifted_at is None)
