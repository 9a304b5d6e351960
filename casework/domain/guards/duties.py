"""Whose duty it is, whether it runs, and whether its time is over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from casework.domain.clocks import computed_again
from casework.domain.duties import DUTIES
from casework.domain.facts import Duty, Facts
from casework.domain.guards.terms import day
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.vocabulary import VOCABULARY
from casework.errors import Reason

#: No deadline is put off for ever: beyond it nobody could count on anything. A bound of ours, no rule's.
LONGEST_EXTENSION = timedelta(days=3660)
#: The deadlines of the parties, which the platform's people may pause and extend; those of the platform itself nobody moves.
OF_PARTIES = ("merchant_answer", "evidence", "proof", "answer", "return_shipping", "return_confirmation", "performance")


def system_waits_for_the_term(facts: Facts, request: Request) -> Iterator[Reason]:
    """Where it is time alone that moves a case, the system moves it only when the time is over."""
    if request.by.role != "system":
        return
    kinds = [row.name for row in DUTIES if request.name in row.follows]
    owed = [d for d in facts.duties.values() if d.kind in kinds and d.is_owed]
    # One that was missed before gives no right to cut short one that runs now.
    running = [d for d in owed if d.state != "missed"]
    if not any(d.is_late(request.at) for d in running) if running else not owed:
        due = min((d.due.at for d in running), default=None)
        yield reason("term_running", due="—" if due is None else day(due))


def claim_was_put(facts: Facts, request: Request) -> Iterator[Reason]:
    """Silence agrees only to what was asked for."""
    if facts.asked is None:
        yield reason("no_claim_put", missing=("contact_merchant.remedy",))


def duty_is_known(facts: Facts, request: Request) -> Iterator[Reason]:
    """The duty named is one of the case."""
    named = request.said("duty")
    if (named not in facts.duties) if named is not None else not facts.duties:
        yield reason("unknown_item", {"item": (named or "期限", named or "duty")})


def duty_is_running(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only a clock that runs is stopped or moved."""
    yield from _in_state(facts, request, "running")


def duty_is_paused(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only a clock that stands still is started."""
    yield from _in_state(facts, request, "paused")


def duty_is_overdue(facts: Facts, request: Request) -> Iterator[Reason]:
    """A duty is missed when its time is over, not before."""
    late = [d for d in _named(facts, request) if d.is_late(request.at)]
    if not late:
        named = next(iter(_named(facts, request)), None)
        if named is not None and named.state != "running":
            yield _wrong(named)
        else:
            yield reason("term_running", due="—" if named is None else day(named.due.at))


def duty_is_provisional(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only a deadline that waited for its calendar is computed again, and only when the calendar has come."""
    waiting = [d for d in _named(facts, request) if d.due.provisional and not d.was_paused]
    if not waiting:
        yield reason("duty_is_final")
    elif all(computed_again(facts.demands, d, request.edition).provisional for d in waiting):
        yield reason("calendar_not_published", due=day(waiting[0].due.at))


def duty_is_the_actors_to_move(facts: Facts, request: Request) -> Iterator[Reason]:
    """The platform moves the deadlines that it sets for the parties; an outside body its own (条例 46, 121号令 27)."""
    mine = [d for d in _named(facts, request)
            if (d.owes == str(request.by) if request.by.role == "external" else d.kind in OF_PARTIES)]
    if not mine:
        yield reason("not_your_duty", who=request.by)


def new_time_is_later(facts: Facts, request: Request) -> Iterator[Reason]:
    """To extend is to give more time."""
    until = request.said("until")
    for duty in _named(facts, request):
        if until is not None and not max(duty.due.at, request.at) < until <= request.at + LONGEST_EXTENSION:
            yield reason("not_an_extension", until=day(until), due=day(duty.due.at))


def carrier_was_asked(facts: Facts, request: Request) -> Iterator[Reason]:
    """The postal authority hears who complained to the carrier first, and was not answered in time or not to satisfaction.

    邮政业用户申诉处理办法: after the seven days of 快递暂行条例 28, or once the carrier has answered.
    """
    if request.said("body") != "postal_authority":
        return
    asked = [d for d in facts.duties.values() if d.kind == "courier_answer"]
    if not any(d.state in ("met", "late", "missed") or d.is_late(request.at) for d in asked):
        yield reason("carrier_first", due=day(asked[-1].due.at) if asked else "—", missing=("log_call",))


def suspension_needs_proof(facts: Facts, request: Request) -> Iterator[Reason]:
    """Acceptance is shown where the review was suspended for court or police and has not been shown yet."""
    if not any(d.kind == "acceptance_proof" and d.is_owed and d.owes == request.by.role for d in facts.duties.values()):
        yield reason("no_proof_owed", who=request.by)


def edition_is_later(facts: Facts, request: Request) -> Iterator[Reason]:
    """A case goes over to a later edition that there is, never back."""
    named = request.said("edition")
    if request.adopts is None and named is not None:
        yield reason("unknown_edition_named", edition=named[:40])
    elif request.adopts is None or _number(request.adopts.id) <= _number(facts.edition):
        yield reason("not_a_later_edition", edition=(named or facts.edition)[:40], pinned=facts.edition)


def _number(edition: str) -> list[int]:
    """The numbers of an edition's id, for the tenth of a month is later than the second."""
    return [int(n) for n in re.findall(r"[0-9]+", edition)]


def _named(facts: Facts, request: Request) -> list[Duty]:
    named = request.said("duty")
    if named is not None:
        return [facts.duties[named]] if named in facts.duties else []
    return list(facts.duties.values()) if request.is_blank else []


def _in_state(facts: Facts, request: Request, state: str) -> Iterator[Reason]:
    pool = _named(facts, request)
    if pool and not any(d.state == state and not d.is_late(request.at) for d in pool):
        yield _wrong(pool[0])


def _wrong(duty: Duty) -> Reason:
    return reason("wrong_point", {"item": (duty.id, duty.id), "state": VOCABULARY["duty_state"][duty.state]})
