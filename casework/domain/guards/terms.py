"""By when: the limitation period and the days that are set for a party."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from casework.domain.beside import TRACK_LABELS
from casework.domain.check import SHANGHAI
from casework.domain.facts import Facts
from casework.domain.limitation import limitation_due
from casework.domain.reasons import reason
from casework.domain.request import Deadline, Request
from casework.domain.vocabulary import RETURN_STATES
from casework.errors import Reason


def day(moment: datetime) -> str:
    """A moment as refusals show it: where the days of the law are counted."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="minutes")


def stands_still(facts: Facts, kind: str, owes: str | None = None) -> bool:
    """Whether the clock of such a duty is stopped: then its day is no day to be late by."""
    return any(d.state == "paused" and d.kind == kind and owes in (None, d.owes) for d in facts.duties.values())


def limitation(facts: Facts, request: Request) -> Deadline:
    """When the limitation period of the case ends."""
    return limitation_due(facts.demands, request.edition)


def limitation_runs(facts: Facts, request: Request) -> Iterator[Reason]:
    """The limitation period runs: three years from knowing, and anew from a demand (民法典 188, 195)."""
    due = limitation(facts, request)
    if request.at > due.at:
        yield reason("out_of_time", due=day(due.at), rule=due.clause)


def limitation_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """A case lapses only when the limitation period is over."""
    due = limitation(facts, request)
    if request.at <= due.at:
        yield reason("term_running", due=day(due.at))


def evidence_term_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """The day set for more evidence is past."""
    if facts.evidence_term is not None and (request.at <= facts.evidence_term.answer_by or stands_still(facts, "evidence")):
        yield reason("term_running", due=day(facts.evidence_term.answer_by))


def proof_term_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """The day set for proof is past."""
    if facts.proof_term is not None and (request.at <= facts.proof_term.answer_by or stands_still(facts, "proof")):
        yield reason("term_running", due=day(facts.proof_term.answer_by))


def deadline_is_ahead(facts: Facts, request: Request) -> Iterator[Reason]:
    """A day given to a party lies in the future: a term that is over on the day it is set would hear nobody."""
    answer_by = request.said("answer_by") or request.said("promised_by")
    if answer_by is not None and answer_by <= request.at:
        yield reason("deadline_not_in_future", answer_by=day(answer_by))


def objection_term_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """Whoever lost has time to take it up before the case is closed on a first ruling (rule ruling.objection, unverified)."""
    last = facts.rulings[-1] if facts.rulings else None
    if last is not None and not last.review:
        due = request.edition.due("ruling.objection", last.at)
        if request.at <= due.at:
            yield reason("term_running", due=day(due.at))


def return_term_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """Whoever has to send the goods back first has had the time for it (rule return.shipping, unverified)."""
    sending = [d for d in facts.duties.values() if d.kind == "return_shipping" and d.is_owed]
    if not sending:
        yield reason("wrong_point", {"item": TRACK_LABELS["return"], "state": RETURN_STATES[facts.goods]})
    elif sending[-1].state != "missed" and not sending[-1].is_late(request.at):
        yield reason("term_running", due=day(sending[-1].due.at))
