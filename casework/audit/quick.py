"""The fast path: one pass over a case that tells whether there is certainly nothing to say of it.

What the slow path asks one after the other (:mod:`casework.audit.check`) is asked here at once, by the same projector, the same
derivation of duties, the same guards and both derivations of legality, and without putting into words what was found: at the
first thing that is not plainly in order the answer is no, nothing was kept, and the slow path begins anew and says what it is.
A test holds that both say the same of lawful and of altered histories.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from casework.audit.books import Books, Entry, owed
from casework.audit.columns import microseconds
from casework.audit.deadlines import DECIDES
from casework.audit.derived import derived_differs
from casework.audit.duties import duties_of
from casework.audit.law import OPENERS
from casework.audit.projector import project
from casework.audit.rules import off_track
from casework.audit.second import Second
from casework.audit.walk import Walk
from casework.domain import events as e
from casework.domain.beside import Act
from casework.domain.commands import Command, name_of
from casework.domain.facts import Facts
from casework.domain.guards import GUARDS, order_is_consistent, who_may
from casework.domain.machine import Lifecycle, WhoMay, lifecycle
from casework.domain.request import Request
from casework.rulebook.edition import edition
from casework.store.codec import read_plain
from casework.store.row import DueRow, Row

#: Events beside which something is derived: an identifier, the offer meant, the platform's reply, what a ruling rests on.
_DERIVES = frozenset((e.EvidenceAdded, e.OfferMade, e.MatterReferred, e.TippedOff, e.OfferAccepted, e.OfferDeclined,
                      e.CaseRuled, e.ComplaintFiled, e.DefaultReported, e.FiledCaseReopened, e.EvidenceSupplied))
_OWES = frozenset((e.CaseRuled, e.AdvancePaid, e.AdvanceRecovered))
#: What may follow an opening and is gone through here; that a case goes over to another edition is seldom.
_FOLLOWS = frozenset(e.TOPICS.values()) - {e.CaseOpened, e.EditionAdopted}


class _Way(NamedTuple):
    """How a lifecycle lets a command be given: as an act, or as a step to somewhere; by whom; which guards are asked.

    ``by_machine`` says of a step that the machine's own edge leads there and asks these very guards. Both derivations hold the
    same facts, which are compared whole after every event: so the machine has nothing to answer but what was answered.
    """

    act: Act | None
    to: str | None
    roles: tuple[str, ...]
    guards: tuple[str, ...]
    by_machine: bool = False


def nothing_against(rows: Sequence[Row], books: Books | None) -> bool:
    """Whether the slow path would find nothing in these rows, all of one case by version; then ``books`` have what it would keep.

    Raises nothing.
    """
    try:
        walk, entries = Walk(processes=()), list[Entry]()
        if not _in_order(walk, rows, entries):
            return False
    except Exception:  # whatever odd value it was, the slow path says
        return False
    if books is not None and walk.facts is not None:
        for entry in entries:
            books.owe(walk.facts.given.order.merchant, entry)
        for duty in walk.facts.duties.values():
            if duty.state == "running":
                books.duties.add(DueRow(
                    walk.facts.case, duty.id, duty.kind, duty.owes, microseconds(duty.due.at), int(duty.due.provisional)))
    return True


def _in_order(walk: Walk, rows: Sequence[Row], entries: list[Entry]) -> bool:
    """Walk through the rows; false at the first that is not in order. ``entries``: what they owe to the merchant's standing."""
    opening = _read(rows[0], 1)
    if not isinstance(opening, e.CaseOpened) or not _opened(walk, opening):
        return False
    facts, second, process, rules = project(None, opening), Second(), walk.processes[0], walk.edition
    if facts is None or rules is None or not second.opens(opening, rules) or second.facts != facts:
        return False
    walk.facts, walk.version = facts, 1
    for version, row in enumerate(rows[1:], 2):
        event = _read(row, version)
        kind = type(event)
        if kind not in _FOLLOWS:
            return False
        if event.at < facts.at or event.recorded_at < facts.recorded_at or event.command_id in facts.commands:
            return False
        if event.duties and not _in_time(facts, event):
            return False
        command: type[Command] = type(event.data)
        name = name_of(command)
        way = _way(process, facts.state, name)
        if way is None or not _told(way, event, name, facts.state):
            return False
        request = Request(name, event.by, event.at, rules, event.data)
        if not _allowed(walk, facts, request, way) or not (way.by_machine or second.allows(request)):
            return False
        walk.version = version
        if kind in _DERIVES and any(derived_differs(walk, event)):
            return False
        if event.duties != (duties_of(process.duties, facts, event, rules) if process.duties else ()):
            return False
        project(facts, event)
        if not second.goes_on(event, facts):
            return False
        if kind in _OWES and (entry := owed(walk, event)) is not None:
            entries.append(entry)
    return True


def _read(row: Row, version: int) -> Any:
    """The event of a row, where bytes and columns are plainly those of one event of that version; else None."""
    event = read_plain(row.topic, row.payload)
    if event is None or type(row.version) is not int or not version == row.version == event.originator_version:
        return None
    if row[4:7] != (event.trigger, event.from_state, event.to_state) or row.case != event.originator_id:
        return None
    at, recorded_at = event.at, event.recorded_at
    if type(row.at) is not int or type(row.recorded_at) is not int or at > recorded_at:
        return None
    here = microseconds(at)
    there = here if recorded_at == at else microseconds(recorded_at)
    return event if (here, there) == (row.at, row.recorded_at) else None


def _opened(walk: Walk, event: e.CaseOpened) -> bool:
    """Whether a case may be opened so; the walk then has what it pins."""
    process, rules = lifecycle(event.lifecycle), edition(event.edition)
    if process is None or rules is None or (process.digest, rules.digest) != (event.lifecycle_digest, event.edition_digest):
        return False
    if (event.trigger, event.from_state, event.to_state) != (None, None, None):
        return False
    if event.by.role not in OPENERS or (event.by.role == "consumer" and event.by.id != event.data.consumer):
        return False
    if any(order_is_consistent(event.data, event.at)):
        return False
    walk.processes, walk.edition = (process,), rules
    return event.duties == (duties_of(process.duties, None, event, rules) if process.duties else ())


def _in_time(facts: Facts, event: e.Event) -> bool:
    """Whether nobody who decides met a duty late, and none was met in time and recorded when its time was over."""
    for change in event.duties:
        if change.change == "met":
            duty = facts.duties[change.id]
            if event.at <= duty.due.at < event.recorded_at:
                return False
            if duty.kind in DECIDES and duty.due.certainty != "C" and (duty.state == "missed" or any(
                    other.id == change.id and other.change == "missed" for other in event.duties)):
                return False
    return True


@cache
def _way(process: Lifecycle, state: str, name: str) -> _Way | None:
    """How that lifecycle lets that command be given in that state; None where it does not."""
    act = process.acts.get(name)
    if act is not None:
        return _Way(act, None, act.roles, act.guards) if state in act.states else None
    step = process.steps_from(state).get(name)
    if step is None or process.asks(state, name) != (step.to, (WhoMay(step.roles), *(GUARDS[g] for g in step.guards))):
        return None
    return _Way(None, step.to, step.roles, step.guards, by_machine=True)


def _told(way: _Way, event: e.Event, name: str, state: str) -> bool:
    """Whether the event tells its step as the lifecycle has it, or none beside it."""
    due = (None, None, None) if way.to is None else (name, state, way.to)
    return (event.trigger, event.from_state, event.to_state) == due


def _allowed(walk: Walk, facts: Facts, request: Request, way: _Way) -> bool:
    """By the audit's own facts and the map that was compiled from the lifecycle."""
    if who_may(facts, request, way.roles):
        return False
    for name in way.guards:
        for _ in GUARDS[name](facts, request):
            return False
    return way.act is None or way.act.track is None or not any(off_track(walk, facts, request, way.act))

