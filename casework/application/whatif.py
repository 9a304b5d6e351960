"""What if: a recorded case carried on in memory with other steps, other rules or other dates. Nothing is recorded.

The case is taken from its events and lived again, command by command, at the times at which they were given. What the branch
refuses is told and left out; what falls due in the branch between two steps happens as ``casework tick`` would make it happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from casework.application import views
from casework.application.clockwork import follow, said_by_time
from casework.domain.case import Case
from casework.domain.clocks import changes
from casework.domain.commands import COMMANDS as BY_NAME
from casework.domain.commands import AdoptEdition, Command, name_of
from casework.domain.decide import Context, process_of
from casework.domain.duties import DUTIES
from casework.domain.events import CaseOpened, Event
from casework.domain.facts import Duty, Facts
from casework.domain.fold import fold, opened
from casework.domain.request import Deadline, Edition, Figure
from casework.domain.values import Actor, clean
from casework.errors import Refused
from casework.rulebook import edition as published

#: A step is late only after its time.
MOMENT = timedelta(microseconds=1)
#: What nobody but time gives a case.
TIMES_OWN = frozenset({"miss_duty", "recompute_duty", *(name for row in DUTIES for name in row.follows)})
SYSTEM = Actor(role="system", id="system")


class OnDay:
    """An edition as if every act had been on one day: the records of that day govern, whenever things happened."""

    def __init__(self, edition: published.Edition, day: date) -> None:
        self._edition, self._day = edition, day
        self.id, self.digest = edition.id, edition.digest

    def has(self, rule_id: str) -> bool:
        """Whether the edition has that rule."""
        return self._edition.has(rule_id)

    def due(self, rule_id: str, start: datetime) -> Deadline:
        """When what starts at ``start`` is due by the record of the day."""
        return self._edition.due(rule_id, start, self._day)

    def amount(self, rule_id: str, price: Decimal, on: datetime) -> Figure:
        """What the record of the day makes of a price."""
        return self._edition.amount(rule_id, price, self._day)

    def after_pause(self, unit: str, end: datetime, paused_at: datetime, resumed_at: datetime) -> tuple[datetime, bool]:
        """As the edition's: what was left is counted alike on any day."""
        return self._edition.after_pause(unit, end, paused_at, resumed_at)


@dataclass(frozen=True, slots=True)
class Given:
    """A step of a branch: what, by whom, when. ``version`` is that of the recorded event it comes from, None for another step."""

    command: Command
    by: Actor | Callable[[Facts], Actor]
    at: datetime | Callable[[datetime], datetime]
    version: int | None = None


@dataclass(slots=True)
class Lived:
    """One step as it went in the branch: the state after it, or the codes of its refusal.

    ``source`` is ``recorded``, ``new``, or ``time`` for what nobody did.
    """

    trigger: str
    by: str
    at: datetime
    source: str
    version: int | None
    state: str
    refused: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Branch:
    """What became of a case in a branch."""

    facts: Facts
    steps: list[Lived]
    events: list[Event]


def recorded_steps(events: Sequence[Event], upto: int | None = None, without: Iterable[int] = ()) -> list[Given]:
    """The commands behind recorded events, but for the opening: up to a version, without some versions."""
    left_out = set(without)
    return [Given(e.data, e.by, e.at, e.originator_version) for e in events[1:]
            if (upto is None or e.originator_version <= upto) and e.originator_version not in left_out]


def inserted(steps: Sequence[Given], more: Iterable[Given]) -> list[Given]:
    """The steps with more among them: one with a time before the first step that is later, the others after what they follow."""
    found, place = list(steps), len(steps)
    for step in more:
        if isinstance(step.at, datetime):
            at = step.at
            place = next((n for n, other in enumerate(found) if isinstance(other.at, datetime) and other.at > at), len(found))
        found.insert(place, step)
        place += 1
    return found


def live(opening: CaseOpened, steps: Iterable[Given], edition: Callable[[str], Edition], *,
         duties: Mapping[str, Duty] | None = None, other_rules: bool = False, time_acts: bool = True,
         until: datetime | None = None) -> Branch:
    """The case opened as it was and carried on by these steps, by the edition that ``edition`` gives for the id that it pins.

    Up to where the branch departs from what is recorded (``other_rules``: from the start), only what is recorded happens;
    from there on time acts by itself, unless ``time_acts`` is false. ``duties`` are those of the recorded case: a step that
    names one by its number means the same one in the branch, whatever number it has there. ``until`` lets it go on after the
    last step. It is carried by the lifecycle that it pins, also where that is not the current one;
    :class:`~casework.errors.CaseworkError` if this release lacks that.
    """
    told = _told(opening, edition(opening.edition))
    run = _Run(told, edition, duties or {}, other_rules, time_acts)
    for step in steps:
        run.take(step)
    if until is not None:
        run.departed = True
        run.pass_time(until)
    decided: list[Any] = list(run.case.pending_events)
    return Branch(run.case.facts, run.steps, [told, *decided])


def _told(opening: CaseOpened, edition: Edition) -> CaseOpened:
    """The opening by those rules; recorded as it happened, for so are the steps of a branch."""
    told = replace(opening, recorded_at=opening.at, edition=edition.id, edition_digest=edition.digest, duties=())
    return clean(replace(told, duties=changes(process_of(opened(told)).duties, None, told, edition)))


class _Run:
    def __init__(self, opening: CaseOpened, edition: Callable[[str], Edition], recorded: Mapping[str, Duty], departed: bool,
                 time_acts: bool) -> None:
        case = Case.from_events(None, [opening])
        assert case is not None
        self.case, self.edition, self.recorded, self.departed, self.time_acts = case, edition, recorded, departed, time_acts
        self.steps: list[Lived] = []
        self.version = 1

    def take(self, step: Given) -> None:
        """One step at its time, after what time does before it."""
        facts = self.case.facts
        self.departed = self.departed or step.version != self.version + 1
        self.version = step.version or self.version
        at = step.at if isinstance(step.at, datetime) else step.at(facts.at)
        if self.departed and self.time_acts:
            if step.version is not None and name_of(type(step.command)) in TIMES_OWN and step.by == SYSTEM:
                return  # time acts by itself here
            self.pass_time(at)
        by = step.by if isinstance(step.by, Actor) else step.by(facts)
        command = step.command if step.version is None else self._meant(step.command)
        done = self.give(command, by, max(at, facts.at), "new" if step.version is None else "recorded", step.version)
        self.departed = self.departed or not done

    def _meant(self, command: Command) -> Command:
        """The recorded command, naming the duty that it meant by the number which that has here."""
        named = self.recorded.get(getattr(command, "duty", ""))
        if named is None:
            return command
        alike = [d.id for d in self.recorded.values() if _same_duty(d, named)]
        here = [d.id for d in self.case.facts.duties.values() if _same_duty(d, named)]
        place = alike.index(named.id)
        return replace(command, duty=here[place]) if place < len(here) else command

    def give(self, command: Command, by: Actor, at: datetime, source: str, version: int | None) -> bool:
        """Give the case a command; whether it was allowed."""
        facts = self.case.facts
        adopts = None
        if isinstance(command, AdoptEdition) and (version is not None or published.edition(command.edition)):
            adopts = self.edition(command.edition)  # if a new step names one that there is not, the guard says so
        context = Context(by, at, at, f"what-if:{facts.version + 1}", self.edition(facts.edition), adopts)
        lived = Lived(name_of(type(command)), str(by), at, source, version, facts.state)
        self.steps.append(lived)
        try:
            self.case.do(command, context)
        except Refused as error:
            lived.refused = error.codes
            return False
        lived.state = self.case.facts.state
        return True

    def pass_time(self, until: datetime) -> None:
        """What falls due before ``until``, one after the other, each a moment after its time, and each once."""
        done: set[str] = set()
        while over := [d for d in self.case.facts.duties.values() if d.id not in done and d.is_late(until)]:
            facts = self.case.facts
            duty = min(over, key=lambda d: (d.due.at, d.id))
            done.add(duty.id)
            at = max(duty.due.at + MOMENT, facts.at)
            name = follow(facts, duty, at, self.edition(facts.edition))
            command = BY_NAME[name](**said_by_time(name, duty))
            if not self.give(command, SYSTEM, at, "time", None):
                return


def _same_duty(one: Duty, other: Duty) -> bool:
    return (one.kind, one.owes, one.about) == (other.kind, other.owes, other.about)


def outcome(facts: Facts, now: datetime) -> dict[str, Any]:
    """What matters of how a case stands: state, remedy, penalties, money, what was missed, what is owed."""
    whole = views.full(facts, now)
    kept = ("state", "stage", "remedy", "performed", "goods", "advance", "penalties", "missed", "duties")
    found = {k: whole[k] for k in kept} | {"rulings": len(facts.rulings), "at": facts.at}
    for key in ("missed", "duties"):
        # The numbers of duties shift where one more or less is opened; they decide nothing.
        found[key] = [{k: v for k, v in duty.items() if k != "id"} for duty in found[key]]
    return found


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The keys of two outcomes in which they differ."""
    return [key for key in one if key != "at" and one[key] != other[key]]


@dataclass(frozen=True, slots=True)
class Impact:
    """A case that would have gone otherwise: what differs, as it is recorded and as it would be, and what would be refused."""

    case: str
    differs: list[str]
    recorded: dict[str, Any]
    otherwise: dict[str, Any]
    refused: list[str]


#: What makes a case decided otherwise; the deadlines that run are not yet a decision.
DECIDES = ("state", "remedy", "penalties", "performed", "rulings", "missed")


def impact(events: Sequence[Event], edition: Edition) -> Impact | None:
    """How a recorded case would have gone by another edition of the rulebook; None where nothing is decided otherwise.

    Everything that is recorded is done again at its time, and nothing else: what nobody did, time does not make up for.
    """
    opening = events[0]
    assert isinstance(opening, CaseOpened), opening
    recorded = fold(events)
    other = live(opening, recorded_steps(events), lambda _: edition, duties=recorded.duties, time_acts=False)
    now = max(recorded.at, other.facts.at)
    one, two = outcome(recorded, now), outcome(other.facts, now)
    differs = [key for key in differences(one, two) if key in DECIDES and _decided(key, one) != _decided(key, two)]
    refused = sorted({code for step in other.steps for code in step.refused})
    return Impact(opening.originator_id, differs, one, two, refused) if differs else None


def _decided(key: str, outcome: dict[str, Any]) -> Any:
    """What is decided by a part of an outcome: of what was missed, by whom; another hour of the day decides nothing."""
    return sorted((d["duty"], d["who"]) for d in outcome[key]) if key == "missed" else outcome[key]
