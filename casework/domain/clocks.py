"""What an event does to the duties of a case: one pure function of the facts before it, the event and the edition.

Deciding records the answer in the event; the audit derives it again by a procedure of its own. In one event the order is: what
the time had run out on is missed, what the event fulfils is met, what has no place in the new state is cancelled, clocks stop
and start, and new duties begin. A duty whose rule the edition lacks is not opened. Where something follows from a miss, only
what settles the duty records it, so that no other event takes from the clock what has to follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from casework.domain import events as e
from casework.domain.commands import Command, name_of
from casework.domain.duties import DutyRow
from casework.domain.facts import INITIAL, Duty, Facts, Referral
from casework.domain.fold import DEMANDS, settle
from casework.domain.lifecycle import AGENTS
from casework.domain.limitation import limitation_due
from casework.domain.request import Deadline, Edition
from casework.domain.values import Remedy
from casework.domain.vocabulary import PLATFORM_CHANNELS

#: The rule by which a body decides whether it takes a matter, and by which it is done with it.
ACCEPTANCE = {"market_regulator": "mr12315.accept", "consumer_association": "consumer_assoc.accept.{province}"}
RESULT = {"market_regulator": "mr12315.mediate", "consumer_association": "consumer_assoc.mediate.{province}",
          "postal_authority": "postal.answer"}
#: The goods go back to the merchant with these remedies.
GOODS_COME_BACK = ("return_refund", "exchange")
#: The judgment names its own day.
_OWN_DAY = ("court", "arbitration")
_SET_BY_PLATFORM = "淘宝平台争议处理规则 8"
_RESUMES = "《淘宝平台争议处理规则》第83条"


class _Start(NamedTuple):
    kind: str
    owes: str
    due: e.Due
    about: str | None = None


def changes(rows: Mapping[str, DutyRow], facts: Facts | None, event: e.Event, edition: Edition,
            adopted: Edition | None = None) -> tuple[e.DutyChange, ...]:
    """What the event does to the duties, in order. ``facts`` are those before it (None: it opens the case).

    ``adopted`` is the edition that the case goes over to by this very event. Raises what ``edition.due`` raises.
    """
    if not rows:
        return ()
    kind: type[Command] = type(event.data)
    name, at = name_of(kind), event.at
    before = facts.state if facts else INITIAL
    state = event.to_state or before
    held = {d.id: replace(d) for d in facts.duties.values()} if facts else {}
    demands = list(facts.demands) if facts else []
    found: list[e.DutyChange] = []

    def change(duty: Duty, what: str, due: e.Due | None = None) -> None:
        found.append(e.DutyChange(id=duty.id, change=what, duty=duty.kind, owes=duty.owes, due=due, about=duty.about))
        settle(duty, found[-1], at)

    met = {d.id for d in held.values() if d.is_owed and facts and _meets(rows[d.kind], d, facts, event, name)}
    ended = {d.id for d in held.values() if state not in rows[d.kind].states or _ends(rows[d.kind], d, event, name)}
    for duty in held.values():
        if duty.is_late(at) and (duty.id in met | ended or _records(rows[duty.kind], duty, event, name)):
            change(duty, "missed")
    for duty in held.values():
        if duty.id in met:
            change(duty, "met")
    for duty in held.values():
        if duty.is_owed and duty.id in ended:
            change(duty, "cancelled")
    for duty in held.values():
        for what, due in _moved(rows[duty.kind], duty, event, before, state, demands, edition, adopted):
            change(duty, what, due)
    for start in _starts(facts, event, state, edition):
        if start.kind not in rows or state not in rows[start.kind].states:
            continue
        owed = [d for d in held.values() if d.is_owed and (d.kind, d.owes, d.about) == (start.kind, start.owes, start.about)]
        if start.kind == "merchant_answer":
            if not _asks_anew(facts, event) and any(d.state in ("running", "paused") for d in owed):
                continue  # a reminder gives a merchant no more time
            for old in owed:
                # What was asked before is asked no more; his silence grants what he was asked last, in its own time.
                if old.is_late(at):
                    change(old, "missed")
                if old.state != "running":
                    change(old, "cancelled")
        stands_still = start.kind == "answer" and state in rows[start.kind].stops
        for old in owed if stands_still else ():
            if old.state in ("running", "paused"):
                change(old, "cancelled")  # one notice at a time: the new one stands for it
        # Each promise is one of its own: another one takes nothing back.
        running = None if start.kind == "call_promise" else next((d for d in owed if d.state == "running"), None)
        if running is None:
            duty = Duty(f"D-{len(held) + 1}", start.kind, start.owes, start.due, at, start.about)
            held[duty.id] = duty
            change(duty, "opened", start.due)
            if stands_still:
                change(duty, "paused")
        elif running.due.at != start.due.at:
            # A notice, a demand or another claim sets the time anew.
            change(running, "extended", start.due)
    return tuple(found)


def _records(row: DutyRow, duty: Duty, event: e.Event, name: str) -> bool:
    """Whether the event puts on record that the duty was missed, though it does not settle it."""
    return not row.follows or name in row.follows or (isinstance(event, e.DutyMissed) and event.data.duty == duty.id)


def _asks_anew(facts: Facts | None, event: e.Event) -> bool:
    """Whether something else is asked of the merchant than before: for what his silence grants he has the whole time."""
    asked = event.data.remedy if isinstance(event, e.MerchantContacted) else None
    return asked is not None and (facts is None or asked != facts.asked)


def _meets(row: DutyRow, duty: Duty, facts: Facts, event: e.Event, name: str) -> bool:
    if name not in row.meets:
        return False
    match event:
        case e.PartyAnswered() | e.ProofSubmitted():
            return event.by.role == duty.owes
        case e.PartyNotified():
            return event.by.role in AGENTS
        case e.CallLogged(data=said) if row.name == "courier_answer":
            return said.channel == "carrier_service" and said.answered
        case e.CallLogged(data=said):
            # To ask again is no answer; and who promised two things and did one still owes the other.
            return said.channel in PLATFORM_CHANNELS and said.answered and duty.id == _first_owed(facts, row.name)
        case e.RemedyPerformed() | e.AdvancePaid():
            return _is_complete(facts, event.data.amount)
        case e.ReferralAccepted() | e.ReferralRefused() | e.ReferralSettled() | e.ReferralEnded():
            return bool(event.data.referral == duty.about)
        case e.TipOffAnswered():
            return bool(event.data.tip_off == duty.about)
    return True


def _first_owed(facts: Facts, kind: str) -> str | None:
    """The id of the duty of that kind that is due first."""
    owed = [d for d in facts.duties.values() if d.kind == kind and d.is_owed]
    return min(owed, key=lambda d: d.due.at).id if owed else None


def _ends(row: DutyRow, duty: Duty, event: e.Event, name: str) -> bool:
    if name not in row.ended_by:
        return False
    return not isinstance(event, e.ReferralWithdrawn) or event.data.referral == duty.about


def _is_complete(facts: Facts, amount: Decimal | None) -> bool:
    total = facts.remedy.total if facts.remedy else None
    done = sum((a for a in (*facts.performed, amount) if a is not None), Decimal(0))
    return total is None or done >= total


def _moved(row: DutyRow, duty: Duty, event: e.Event, before: str, state: str, demands: list[datetime], edition: Edition,
           adopted: Edition | None) -> Iterator[tuple[str, e.Due | None]]:
    """What becomes of the clock of a duty that is neither met nor over."""
    named = getattr(event.data, "duty", None) == duty.id
    if duty.state == "paused":
        if (named and isinstance(event, e.DutyResumed)) or (before in row.stops and state not in row.stops):
            assert duty.paused_at is not None
            yield "resumed", _after_pause(duty, event.at, edition)
        return
    if duty.state != "running":
        return
    if (named and isinstance(event, e.DutyPaused)) or (state in row.stops and before not in row.stops):
        yield "paused", None
    elif named and isinstance(event, e.DutyExtended):
        yield "extended", msgspec.structs.replace(duty.due, at=event.data.until, provisional=False, unit=None)
    elif named and isinstance(event, e.DutyRecomputed):
        yield "recomputed", _told(computed_again(demands, duty, edition))
    elif isinstance(event, e.EditionAdopted) and adopted is not None and duty.due.unit and adopted.has(duty.due.rule):
        # What is pending goes by the new rule (争议规则 92); a time that somebody set, or that stood still, stays, and the law
        # of limitation is that of the act. An estimate is always made anew, so that what is derived does not hang on when its
        # calendar came.
        due = _told(computed_again(demands, duty, adopted))
        stays = duty.was_paused or duty.kind == "limitation" or duty.is_late(event.at)
        if not stays and (duty.due.provisional or due.at != duty.due.at):
            yield "recomputed", due


def _after_pause(duty: Duty, at: datetime, edition: Edition) -> e.Due:
    """The time that was left when the clock stopped, from now on: in the unit that the rule counts."""
    assert duty.paused_at is not None
    end, provisional = edition.after_pause(duty.due.unit or "hour", duty.due.at, duty.paused_at, at)
    return msgspec.structs.replace(duty.due, at=end, provisional=provisional)


def computed_again(demands: Iterable[datetime], duty: Duty, edition: Edition) -> Deadline:
    """The deadline of a duty by its rule, from when it began, as the edition and the calendar give it now."""
    return limitation_due(demands, edition) if duty.kind == "limitation" else edition.due(duty.due.rule, duty.since)


def rule_due(edition: Edition, rule: str, start: datetime) -> e.Due:
    """A deadline by a rule of the edition, as an event holds it."""
    return _told(edition.due(rule, start))


def _told(due: Deadline) -> e.Due:
    return e.Due(at=due.at, rule=due.rule, clause=due.clause, certainty=due.certainty, provisional=due.provisional,
                 rank=due.rank, unit=due.unit, overrides=tuple(rule.clause for rule in due.overrides))


def _set(at: datetime, name: str) -> e.Due:
    return e.Due(at=at, rule=name, clause=_SET_BY_PLATFORM, certainty="A")


def _over(event: e.Event) -> e.Due:
    """The end of a suspension that is over with the event itself."""
    kind: type[Command] = type(event.data)
    return e.Due(at=event.at, rule=name_of(kind), clause=_RESUMES, certainty="A")


def _starts(facts: Facts | None, event: e.Event, state: str, edition: Edition) -> Iterator[_Start]:
    """The duties that the event begins."""
    def by_rule(kind: str, owes: str, rule: str, about: str | None = None) -> Iterator[_Start]:
        if edition.has(rule):
            yield _Start(kind, owes, rule_due(edition, rule, event.at), about)

    if facts is None or isinstance(event, DEMANDS) or event.to_state is not None:
        yield from _limitation(facts, event, edition)
    if facts is None:
        return
    match event:
        case e.MerchantContacted() | e.MerchantAnswered() | e.OfferDeclined():
            yield from by_rule("merchant_answer", "merchant", "merchant.response")
        case e.ComplaintFiled() | e.DefaultReported() | e.FiledCaseReopened() | e.EvidenceSupplied():
            yield from by_rule("platform_reply", "agent", "platform.reply")
        case e.EvidenceRequested(data=said):
            yield _Start("evidence", "consumer", _set(said.answer_by, "request_evidence"))
        case e.ProofAsked(data=said):
            yield _Start("proof", said.party, _set(said.answer_by, "ask_proof"))
        case e.PartyNotified(data=said):
            yield _Start("answer", said.party, _set(said.answer_by, "notify"))
        case e.CallLogged(data=said) if said.channel == "carrier_service" and not said.answered:
            yield from by_rule("courier_answer", "courier", "courier.complaint")
        case e.CallLogged(data=said) if said.promised_by is not None and said.channel in PLATFORM_CHANNELS:
            yield _Start("call_promise", "agent", _set(said.promised_by, "log_call"))
        case e.ReviewSuspended(data=said) if said.ground == "both_ask":
            yield from by_rule("suspension", "agent", "dispute.suspend.self_settle")
        case e.ReviewSuspended(data=said):
            yield from by_rule("acceptance_proof", said.party, "dispute.suspend.court_proof", said.ground)
        case e.AcceptanceShown() if _acceptance_of(facts) == "police":
            yield from by_rule("suspension", "agent", "dispute.suspend.police")
        case e.AcceptanceShown() if _acceptance_of(facts) == "court" and _suit_was_given_up(facts):
            yield _Start("suspension", "agent", _over(event), "court")
        case e.AcceptanceShown() if _acceptance_of(facts) == "court" and _was_judged(facts):
            # From the showing on, though the judgment is older: a duty is counted from when it begins, also when it is counted
            # again, it is not over before it began, and nobody recorded when the parties were served.
            yield from by_rule("suspension", "agent", "court.appeal", "court")
        case e.ReferralSettled() | e.EvidenceExamined() if _waits_for_court(facts) and _tells_judgment(facts, event):
            # A judgment is in force once nobody may appeal any more; the review goes on then at the latest (争议规则 83).
            yield from by_rule("suspension", "agent", "court.appeal", "court")
        case e.ReferralEnded() | e.ReferralWithdrawn() | e.ReferralRefused() if (
                _waits_for_court(facts) and _is_of_court(facts, event.data.referral)):
            yield _Start("suspension", "agent", _over(event), "court")
        case e.CaseRuled(data=said) if said.remedy is None and not (facts.in_review and
                                                                   len(facts.rulings) > facts.rulings_before_round):
            yield from by_rule("objection", "consumer", "ruling.objection")
        case e.MatterReferred(data=said) if said.body in ACCEPTANCE:
            yield from by_rule("referral_acceptance", f"external:{said.body}",
                               ACCEPTANCE[said.body].format(province=said.province), event.id)
        case e.ReferralAccepted(data=said) if said.referral in facts.referrals:
            referral = facts.referrals[said.referral]
            if referral.body in RESULT:
                yield from by_rule("referral_result", f"external:{referral.body}",
                                   RESULT[referral.body].format(province=referral.province), referral.id)
        case e.TippedOff(data=said) if said.to == "market_regulator":
            yield from by_rule("tip_off_check", "external:market_regulator", "tipoff.check", event.id)
    yield from _performance(facts, event, edition)


def _waited_for(facts: Facts) -> Duty | None:
    """What the present or last suspension waits for: the duty begun last of those that limit one."""
    return next((d for d in reversed(facts.duties.values()) if d.kind in ("acceptance_proof", "suspension")), None)


def _acceptance_of(facts: Facts) -> str | None:
    """Of whom it is still to be shown that the matter was taken: a court or the police."""
    last = _waited_for(facts)
    return last.about if last is not None and last.kind == "acceptance_proof" and last.is_owed else None


def _waits_for_court(facts: Facts) -> bool:
    """Whether the review is suspended for a court that took the matter, and nothing is known of an end yet."""
    last = _waited_for(facts)
    return facts.state == "suspended" and last is not None and (
        (last.kind, last.about) == ("acceptance_proof", "court") and last.state in ("met", "late"))


def _suit(facts: Facts) -> Referral | None:
    return next((r for r in reversed(facts.referrals.values()) if r.body == "court"), None)


def _suit_was_given_up(facts: Facts) -> bool:
    """Whether the suit ended without a judgment while the review was suspended for it; before that it was another suit."""
    suit, last = _suit(facts), _waited_for(facts)
    return suit is not None and suit.state in ("refused", "ended", "withdrawn") and (
        suit.over_at is not None and last is not None and suit.over_at >= last.since)


def _was_judged(facts: Facts) -> bool:
    suit = _suit(facts)
    return (suit is not None and suit.state == "settled") or any(
        x.kind == "court_judgment" and x.authenticity == "authentic" for x in facts.evidence.values())


def _is_of_court(facts: Facts, referral: str) -> bool:
    return referral in facts.referrals and facts.referrals[referral].body == "court"


def _tells_judgment(facts: Facts, event: e.Event) -> bool:
    """Whether the event says that the court decided: the court itself, or who finds a judgment in the file authentic."""
    match event:
        case e.ReferralSettled(data=said):
            return _is_of_court(facts, said.referral)
        case e.EvidenceExamined(data=said):
            found = facts.evidence.get(said.evidence)
            return said.result == "authentic" and found is not None and found.kind == "court_judgment"
    return False


def _limitation(facts: Facts | None, event: e.Event, edition: Edition) -> Iterator[_Start]:
    if not edition.has("suit.limitation"):
        return
    demands = [event.at] if facts is None else [*facts.demands, *([event.at] if isinstance(event, DEMANDS) else [])]
    due = limitation_due(demands, edition)
    if due.at >= event.at:
        yield _Start("limitation", "consumer", _told(due))


def _performance(facts: Facts, event: e.Event, edition: Edition) -> Iterator[_Start]:
    """The goods first, where they have to come back; then the remedy (消法 25, 处罚办法 8)."""
    remedy, goods, back = facts.remedy, facts.goods, False
    if event.to_state == "remedy_due" and event.from_state != "remedy_due":
        remedy = _granted(facts, event)
        returns = remedy is not None and any(p.kind in GOODS_COME_BACK for p in remedy.parts)
        goods = "not_due" if not returns else "due" if goods == "not_due" else goods
    elif isinstance(event, e.ReturnShipped):
        goods = "sent"
    elif isinstance(event, e.ReturnReceived) or (isinstance(event, e.ReturnSettled) and event.data.received):
        goods, back = "received", True
    elif isinstance(event, e.ReturnSettled):
        goods = "due"
    else:
        return
    rule, kind, owes = {
        "not_due": ("unreasonable_refusal", "performance", "merchant"),
        "received": ("refund.after_goods_back", "performance", "merchant"),
        "due": ("return.shipping", "return_shipping", "consumer"),
        "sent": ("return.confirm", "return_confirmation", "merchant"),
    }.get(goods, ("", "", ""))
    own_day = isinstance(event, e.ExternallyAwarded) and event.by.id in _OWN_DAY and goods == "not_due"
    if back and facts.performed and _is_complete(facts, None):
        return
    if rule and not own_day and edition.has(rule):
        yield _Start(kind, owes, rule_due(edition, rule, event.at))


def _granted(facts: Facts, event: e.Event) -> Remedy | None:
    match event:
        case e.OfferAccepted(offer=name):
            return facts.offers[name].remedy if name in facts.offers else None
        case e.ClaimDeemedAgreed():
            return facts.asked
        case e.RulingExecuted():
            return facts.rulings[-1].remedy if facts.rulings else None
        case e.ExternallyAwarded(data=said):
            found: Remedy = said.remedy
            return found
    return None
