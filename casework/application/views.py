"""What a case looks like: plain data with stable keys, made from its facts.

Identifiers stay as they are, times are aware datetimes, amounts text in yuan with two decimals: the floors above put them
in a language and a time zone. Nothing here imports the event-sourcing library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, cast

import msgspec

from casework.domain import fold
from casework.domain.answers import ANSWERS
from casework.domain.beside import HEARING
from casework.domain.duties import DUTIES
from casework.domain.events import CaseOpened, Event
from casework.domain.facts import Duty, Facts
from casework.domain.lifecycle import CLOSED, STAGE_OF
from casework.domain.standing.events import StandingEvent, is_standing
from casework.domain.topics import AnyEvent, any_topic_of
from casework.domain.values import Remedy, personal_fields
from casework.domain.versions import TABLES
from casework.errors import CaseworkError, InputError
from casework.store import codec
from casework.store.row import Row

View = dict[str, Any]
#: What ends a suspension (争议规则 83), by its ground, and how that is recorded.
SUSPENSION_ENDS = {
    "both_ask": ("协商有了结果，或者三十日内双方没有行动（resume）",
                 "the talks have a result, or thirty days go by in which the parties do nothing (resume)"),
    "court": ("撤诉或者法院不受理、终结（withdraw_referral、refuse_referral、end_referral）；判决生效"
              "（settle_referral，或者证据 court_judgment 经审查为真，过了上诉期）；平台也可以随时恢复（resume）",
              "the suit is withdrawn, refused or ended (withdraw_referral, refuse_referral, end_referral); a judgment is in "
              "force (settle_referral, or a court_judgment in the file found authentic, and the time to appeal is over); or the "
              "platform resumes (resume)"),
    "police": ("公安有了结论（resume），或者受案满六个月没有结论",
               "the police come to a result (resume), or six months go by without one"),
}


class UnreadableCase(CaseworkError):
    """A case of which an event cannot be read; the message names it and sends to the audit."""


def events_of(rows: Iterable[Row]) -> Iterator[AnyEvent]:
    """The events of rows of one case, or of one merchant; :class:`UnreadableCase` at the first that cannot be read."""
    for row in rows:
        try:
            event = codec.decode(row.topic, row.payload)
        except (codec.Unreadable, TypeError) as error:
            raise unreadable(row, error) from None
        yield event


def facts_of(rows: Iterable[Row], *, as_of: datetime | None = None, version: int | None = None) -> Facts | None:
    """The facts that the rows of one case yield: all of them, those recorded up to ``as_of``, or those up to ``version``."""
    events = [
        event for event in events_of(rows)
        if (as_of is None or event.recorded_at <= as_of) and (version is None or event.originator_version <= version)
    ]
    if not events:
        return None
    if isinstance(events[0], StandingEvent):
        stream = events[0].originator_id
        raise InputError(f"that is a merchant; see him with: casework merchant {stream}, or: casework history {stream}",
                         f"这是商家；请用 casework merchant {stream} 或 casework history {stream} 查看", stream)
    try:
        if not isinstance(events[0], CaseOpened):
            raise ValueError("the first event did not open the case")
        return fold.fold(cast(list[Event], events))
    except (KeyError, ValueError, AttributeError, AssertionError, TypeError) as error:
        raise UnreadableCase(f"case '{events[0].originator_id}' is inconsistent; run: casework audit ({error})",
                             f"案件“{events[0].originator_id}”的记录前后矛盾；请运行 casework audit（{error}）") from None


def by_case(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The rows of a scan, case by case; what is recorded of merchants' standings is passed over."""
    for case, group in groupby(rows, key=lambda row: row.case):
        if not is_standing(case):
            yield str(case), list(group)


def summary(facts: Facts, now: datetime) -> View:
    """A case in one line."""
    return {
        "case": facts.case,
        "state": facts.state,
        "stage": STAGE_OF[facts.state],
        "ground": facts.given.ground,
        "merchant": facts.given.order.merchant,
        "version": facts.version,
        "updated_at": facts.at,
        "overdue": any(d["status"] == "overdue" for d in duties(facts, now)),
    }


def full(facts: Facts, now: datetime) -> View:
    """Everything that people ask of a case."""
    order = facts.given.order
    return summary(facts, now) | {
        "order": {
            "id": order.id, "item": order.item, "category": order.category, "merchant": order.merchant,
            "paid": money(order.paid), "platform": order.platform, "services": list(order.services),
            "ordered_at": order.ordered_at, "received_at": order.received_at,
            "liquidated_damages": money(order.liquidated_damages),
        },
        "parties": {"consumer": facts.given.consumer, "merchant": order.merchant, "advisers": sorted(facts.advisers)},
        "assigned": str(facts.assigned) if facts.assigned else None,
        "claim": facts.claim,
        "excuses": [{"excuse": x, "answer": {"zh": ANSWERS[x].zh, "en": ANSWERS[x].en}, "clause": ANSWERS[x].clause,
                     "evidence": list(ANSWERS[x].evidence)} for x in facts.excuses if x in ANSWERS],
        "evidence": [
            {"id": e.id, "kind": e.kind, "by": str(e.by), "at": e.at, "description": e.description,
             "sha256": e.sha256, "authenticity": e.authenticity} for e in facts.evidence.values()
        ],
        "proofs": {party: {p.kind: p.result for p in facts.proofs.values() if p.party == party}
                   for party in dict.fromkeys(p.party for p in facts.proofs.values())},
        "offers": [{"id": o.id, "remedy": remedy(o.remedy), "at": o.at, "state": o.state}
                   for o in facts.offers.values()],
        "rulings": [
            {"version": r.version, "at": r.at, "by": str(r.by), "outcome": r.outcome, "findings": r.findings,
             "clause": r.clause, "remedy": remedy(r.remedy), "review": r.review,
             "penalties": [_penalty(p) for p in r.penalties]} for r in facts.rulings
        ],
        "remedy": remedy(facts.remedy),
        "performed": money(sum((a for a in facts.performed if a is not None), Decimal(0))) if facts.performed else None,
        "goods": facts.goods,
        "advance": facts.advance,
        "penalties": [_penalty(p) for p in facts.rulings[-1].penalties] if facts.rulings else [],
        "duties": duties(facts, now),
        "suspension": suspension(facts),
        "missed": missed(facts),
        "referrals": [{"id": r.id, "body": r.body, "at": r.at, "state": r.state} for r in facts.referrals.values()],
        "tip_offs": [{"id": t.id, "to": t.to, "about": t.about, "state": t.state} for t in facts.tip_offs.values()],
        "calls": [{"at": c.at, "channel": c.channel, "note": c.note, "staff": c.staff, "promised": c.promised,
                   "promised_by": c.promised_by, "transferred": c.transferred} for c in facts.calls],
        "publicity": list(facts.publicity),
        "feedback": list(facts.feedback),
        "opened_at": facts.opened_at,
        "closed_at": facts.closed_at,
    }


def duties(facts: Facts, now: datetime) -> list[View]:
    """What is owed, by whom, until when: running, standing still, or late and still to be done. A closed case has none."""
    tables = TABLES.get(facts.lifecycle)
    if facts.duties or (tables and tables.duties):
        to = {row.name: row.to for row in DUTIES}
        owed = [d for d in facts.duties.values() if d.is_owed]
        return [_recorded(d, to.get(d.kind, ""), now) for d in sorted(owed, key=lambda d: (d.due.at, d.id))]
    return _derived_duties(facts, now)


def suspension(facts: Facts) -> View | None:
    """Why the review stands still, until when at the latest, and what ends it before; None where it does not."""
    ends = [d for d in facts.duties.values() if d.kind in ("acceptance_proof", "suspension")]
    if facts.state != "suspended" or not ends:
        return None
    last = ends[-1]
    ground = last.about or ("police" if last.due.rule == "dispute.suspend.police" else "both_ask")
    zh, en = SUSPENSION_ENDS[ground]
    return {"ground": ground, "until": last.due.at if last.is_owed else None, "ends": {"zh": zh, "en": en},
            "clause": "淘宝平台争议处理规则 82、83"}


def missed(facts: Facts) -> list[View]:
    """What was not done in time: by whom, until when it was due, when that was recorded, whether it was done later."""
    return [
        {"id": d.id, "duty": d.kind, "who": d.owes, "due": d.due.at, "missed_at": d.missed_at,
         "done_at": d.settled_at if d.state == "late" else None, "clause": d.due.clause, "certainty": d.due.certainty}
        for d in facts.duties.values() if d.missed_at is not None
    ]


def _recorded(duty: Duty, to: str, now: datetime) -> View:
    late = duty.state == "missed" or duty.is_late(now)
    return {
        "duty": duty.kind, "who": duty.owes, "due": duty.due.at, "status": "overdue" if late else duty.state,
        "clause": duty.due.clause, "certainty": duty.due.certainty, "id": duty.id, "to": to, "rule": duty.due.rule,
        "provisional": duty.due.provisional, "about": duty.about, "since": duty.since, "overrides": list(duty.due.overrides),
    }


def _derived_duties(facts: Facts, now: datetime) -> list[View]:
    """The deadlines of a case that pinned the first lifecycle, which records none: as its facts give them."""
    if facts.state in CLOSED:
        return []
    found = []
    if facts.state == "more_evidence_needed" and facts.evidence_term:
        found.append(_duty("evidence", "consumer", facts.evidence_term.answer_by, now))
    if facts.state == "awaiting_proof" and facts.proof_term:
        found.append(_duty("proof", facts.proof_term.party, facts.proof_term.answer_by, now))
    if facts.state in HEARING:
        found += [_duty("answer", role, h.answer_by, now) for role, h in facts.hearings.items()
                  if h.answer_by is not None and h.answered_at is None]
    if facts.state == "filed" and facts.reply_by and not facts.replied:
        due = facts.reply_by
        found.append(_duty("platform_reply", "agent", due.at, now, due.clause, due.certainty))
    if facts.state in HEARING:
        found += [_duty("call_promise", "agent", c.promised_by, now) for c in facts.platform_calls if c.promised_by]
    return sorted(found, key=lambda d: (d["due"], d["duty"]))


def history(rows: Iterable[Row]) -> Iterator[View]:
    """Every event of a case, or of a merchant's standing, in order."""
    for event in events_of(rows):
        data = msgspec.to_builtins(event.data, builtin_types=(datetime,))
        beside = {k: v for k, v in msgspec.to_builtins(event, builtin_types=(datetime,)).items() if k not in _ENVELOPE}
        yield {
            "case": event.originator_id,
            "version": event.originator_version,
            "event": any_topic_of(type(event)),
            "at": event.at,
            "recorded_at": event.recorded_at,
            "by": str(event.by),
            "trigger": event.trigger,
            "from": event.from_state,
            "to": event.to_state,
            "command_id": event.command_id,
            "data": data | beside,
            "personal": [p.removeprefix("data.") for p in personal_fields(type(event))],
        }


def money(amount: Decimal | None) -> str | None:
    """Yuan with two decimals, or None."""
    return None if amount is None else f"{amount:.2f}"


def remedy(value: Remedy | None) -> View | None:
    """A remedy as kind and amount."""
    if value is None:
        return None
    extra = [{"kind": x.kind, "amount": money(x.amount)} for x in value.extra]
    return {"kind": value.kind, "amount": money(value.amount), "extra": extra}


def unreadable(row: Row, error: Exception) -> UnreadableCase:
    """The error that names case and version."""
    return UnreadableCase(f"case '{row.case}' version {row.version} cannot be read; run: casework audit ({error})",
                          f"案件“{row.case}”第 {row.version} 条记录无法读取；请运行 casework audit（{error}）")


_ENVELOPE = ("case", "stream", "version", "at", "recorded_at", "by", "command_id", "trigger", "from", "to", "data")


def _penalty(value: Any) -> View:
    return {"kind": value.kind, "clause": value.clause, "points": value.points}


def _duty(duty: str, who: str, due: datetime, now: datetime, clause: str = "", certainty: str = "") -> View:
    return {"duty": duty, "who": who, "due": due, "status": "overdue" if now > due else "running",
            "clause": clause, "certainty": certainty}
