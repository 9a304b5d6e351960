"""What follows from time alone: what has fallen due, found by what is due and not by reading every case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from casework.application import service
from casework.application.agenda import moment
from casework.domain.decide import actor_for, judge, process_of
from casework.domain.duties import DutyRow
from casework.domain.facts import Duty, Facts
from casework.domain.request import Request
from casework.errors import CaseworkError, Refused
from casework.rulebook.edition import pinned
from casework.store.dues import microseconds
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
    """Apply what has fallen due by ``now``, the longest due first; each thing as it was done. ``clock`` tells when that is.

    For each duty that is over: what its kind lets follow, if that is allowed, and else a record that it was missed. A
    provisional duty is computed again if its calendar has come. Done twice, or by two machines at once, it is done once: every
    command carries the duty's id, and whatever was met in the meantime is let be. One case that cannot be read stops no other.
    """
    for row in store.dues(now):
        try:
            yield from _settle(store, row, now, clock)
        except Refused:
            continue  # somebody was faster
        except CaseworkError as error:
            yield Ticked(row.case, row.duty, row.kind, row.owes, moment(row.due), "", "", error)


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
        yield from _do(store, row, _follow(facts, duty, at), facts, duty, at, clock)


#: What the system says where a command has to say something; the others name the duty, or need no words.
_STATEMENTS = {"apply_advance": {"statement": "商家逾期未履行，由系统代为申请"}}


def _do(store: Store, row: DueRow, name: str, facts: Facts, duty: Duty, at: datetime, clock: service.Clock) -> Iterator[Ticked]:
    said = {"duty": duty.id} if name in ("miss_duty", "recompute_duty") else _STATEMENTS.get(name, {})
    done = service.carry_on(store, row.case, name, said, by="system", at=at, clock=clock,
                            command_id=f"tick:{name}:{duty.id}:{microseconds(duty.due.at)}")
    if done.repeated:
        return
    yield Ticked(row.case, duty.id, duty.kind, duty.owes, duty.due.at, name, done.state)
    for change in done.event.duties:
        # What else was over is on record by the same event.
        if change.change == "missed" and change.id != duty.id:
            other = facts.duties[change.id]
            yield Ticked(row.case, other.id, other.kind, other.owes, other.due.at, name, done.state)


def _follow(facts: Facts, duty: Duty, at: datetime) -> str:
    """What follows: the first that the tables allow the system, or else only that it is on record."""
    edition = pinned(facts.edition)
    row: DutyRow = process_of(facts).duties[duty.kind]
    by = actor_for("system", facts)
    allowed = (name for name in row.follows if not judge(facts, Request(name, by, at, edition))[1])
    return next(allowed, "miss_duty")


def _is_final(facts: Facts, duty: Duty) -> bool:
    """Whether the calendar of a provisional duty has come."""
    return not pinned(facts.edition).due(duty.due.rule, duty.since).provisional
