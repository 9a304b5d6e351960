"""What follows from time alone: what has fallen due, found by what is due and not by reading every case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from casework.application import service
from casework.domain.clocks import computed_again
from casework.domain.decide import actor_for, judge, process_of
from casework.domain.duties import DutyRow
from casework.domain.events import Event
from casework.domain.facts import Duty, Facts
from casework.domain.request import Edition, Request
from casework.errors import CaseworkError, Refused
from casework.rulebook.calendar import covered_until
from casework.rulebook.edition import pinned
from casework.store.dues import microseconds, moment
from casework.store.row import DueRow
from casework.store.store import Store


@dataclass(frozen=True, slots=True)
class Ticked:
    """One thing that time did: to which duty of which case, by which command, and the state that it led to.

    ``error`` is what stood in the way, where the case could not be read or written; its duty stays due.
    """

    case: str
    duty: str
    kind: str
    owes: str
    due: datetime
    did: str
    state: str
    error: CaseworkError | None = None


def tick(store: Store, now: datetime, clock: service.Clock) -> Iterator[Ticked]:
    """Apply what has fallen due by ``now``, the longest due first; each thing as it was done. ``clock`` says when that is
    recorded.

    For each duty that is over: what its kind lets follow, if that is allowed, and else a record that it was missed. A
    provisional duty is computed again if its calendar has come. Done twice, or by two machines at once, it is done once: every
    command carries the duty's id, and whatever was met in the meantime is let be. One case that cannot be read stops no other.
    """
    for row in store.dues(now, covered_until()):
        if not isinstance(row.case, str):  # nor has any case such an id: the audit says so
            continue
        try:
            yield from _settle(store, row, now, clock)
        except CaseworkError as error:
            if not (isinstance(error, Refused) and _was_met(store, row, now)):
                yield Ticked(row.case, row.duty, row.kind, row.owes, moment(row.due), "", "", error)


def _was_met(store: Store, row: DueRow, now: datetime) -> bool:
    """Whether what follows is refused because somebody was faster, and the duty runs no more."""
    try:
        facts = store.get(row.case).facts
    except CaseworkError:
        return False
    duty = facts.duties.get(row.duty)
    return duty is None or not duty.is_late(max(now, facts.at))


def _settle(store: Store, row: DueRow, now: datetime, clock: service.Clock) -> Iterator[Ticked]:
    facts = store.get(row.case).facts
    duty = facts.duties.get(row.duty)
    if duty is None or duty.state != "running":
        return
    if duty.due.provisional and not duty.was_paused:
        if not _is_final(facts, duty):
            return
        yield from _do(store, row, "recompute_duty", facts, duty, max(now, facts.at), clock)
        facts = store.get(row.case).facts
        duty = facts.duties[row.duty]
    at = max(now, facts.at)
    if duty.is_late(at):
        yield from _do(store, row, follow(facts, duty, at, pinned(facts.edition)), facts, duty, at, clock)


def _do(store: Store, row: DueRow, name: str, facts: Facts, duty: Duty, at: datetime, clock: service.Clock) -> Iterator[Ticked]:
    done = service.carry_on(store, row.case, name, said_by_time(name, duty), by="system", at=at, clock=clock,
                            command_id=f"tick:{name}:{duty.id}:{microseconds(duty.due.at)}")
    if done.repeated:
        return
    yield Ticked(row.case, duty.id, duty.kind, duty.owes, duty.due.at, name, done.state)
    assert isinstance(done.event, Event), done.event
    for change in done.event.duties:
        # What else was over is on record by the same event.
        if change.change == "missed" and change.id != duty.id:
            other = facts.duties[change.id]
            yield Ticked(row.case, other.id, other.kind, other.owes, other.due.at, name, done.state)


def said_by_time(name: str, duty: Duty) -> dict[str, str]:
    """What the system says with a command that time gives."""
    if name in ("miss_duty", "recompute_duty"):
        return {"duty": duty.id}
    return {"statement": f"逾期未履行 / not performed in time ({duty.id})"} if name == "apply_advance" else {}


def follow(facts: Facts, duty: Duty, at: datetime, edition: Edition) -> str:
    """What follows on a duty that is over: the first command that the tables allow the system, or else only a record."""
    row: DutyRow = process_of(facts).duties[duty.kind]
    by = actor_for("system", facts)
    allowed = (name for name in row.follows if not judge(facts, Request(name, by, at, edition))[1])
    return next(allowed, "miss_duty")


def _is_final(facts: Facts, duty: Duty) -> bool:
    """Whether the calendar of a provisional duty has come."""
    return not computed_again(facts.demands, duty, pinned(facts.edition)).provisional
