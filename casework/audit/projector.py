"""From decoded events to facts, a second time: what the audit itself takes the events to mean.

The type of the facts is the domain's; how they are made is not, so that an error in :mod:`casework.domain.fold` shows
as a difference instead of being repeated. Nothing here raises on events that do not fit together: what refers to
something that is not there is passed over, for the audit goes on after every finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from casework.domain import events as e
from casework.domain.facts import Call, Duty, Evidence, Facts, Hearing, Offer, Proof, Referral, Ruling, Term, TipOff
from casework.domain.lifecycle import CLOSED, STAGE_OF
from casework.domain.values import Actor, Remedy

_GOODS_COME_BACK = ("return_refund", "exchange")


def project(facts: Facts | None, event: e.Event) -> Facts | None:
    """The facts after one more event, changed in place. There are none before the case is opened."""
    if facts is None:
        return _open(event) if isinstance(event, e.CaseOpened) else None
    facts.version, facts.at, facts.recorded_at = event.originator_version, event.at, event.recorded_at
    facts.commands[event.command_id] = event.originator_version
    if event.to_state in STAGE_OF:
        facts.state = event.to_state
        facts.closed_at = event.at if event.to_state in CLOSED else None
        if facts.closed_at is not None:
            _withdraw_offers(facts)
        # A deadline for the platform's reply is met by whatever step its people take.
        facts.replied = facts.replied or event.by.role in ("agent", "supervisor")
    for change in event.duties if not isinstance(event, e.CaseOpened) else ():
        _duty(facts, change, event)
    concern = _CONCERNS.get(type(event))
    if concern is not None:
        concern(facts, event)
    return facts


def project_all(events: Iterable[e.Event]) -> Facts | None:
    """The facts after all these events; None if none of them opens a case."""
    facts = None
    for event in events:
        facts = project(facts, event)
    return facts


def _open(event: e.CaseOpened) -> Facts:
    facts = Facts(
        case=event.originator_id, given=event.data, opened_at=event.at, lifecycle=event.lifecycle,
        edition=event.edition, version=event.originator_version, at=event.at, recorded_at=event.recorded_at,
        commands={event.command_id: event.originator_version}, demands=[event.at],
    )
    for change in event.duties:
        _duty(facts, change, event)
    return facts


def _duty(facts: Facts, change: e.DutyChange, event: e.Event) -> None:
    """One change of a duty; a change of one that was never opened is passed over."""
    if change.change == "opened" and change.due is not None:
        facts.duties[change.id] = Duty(id=change.id, kind=change.duty, owes=change.owes, due=change.due, since=event.at,
                                       about=change.about)
        return
    duty = facts.duties.get(change.id)
    if duty is None:
        return
    if change.change in ("met", "missed", "cancelled"):
        was_missed = duty.state == "missed"
        if change.change == "cancelled" and was_missed:
            duty.is_over = True
        else:
            duty.state = "late" if was_missed else change.change
            duty.settled_at = event.at
            duty.missed_at = event.at if change.change == "missed" else duty.missed_at
    elif change.change == "paused":
        duty.state, duty.paused_at = "paused", event.at
    elif change.change == "resumed":
        duty.state, duty.paused_at, duty.was_paused = "running", None, True
    if change.due is not None:
        duty.due = change.due
        _move_term(facts, duty)


def _move_term(facts: Facts, duty: Duty) -> None:
    """A day that was set for a party is moved with the duty that stands for it."""
    term = {"evidence": facts.evidence_term, "proof": facts.proof_term}.get(duty.kind)
    if term is not None:
        term.answer_by = duty.due.at
    if duty.kind == "answer" or (duty.kind == "proof" and term is not None):
        _hearing(facts, duty.owes).answer_by = duty.due.at


def _with_merchant(facts: Facts, event: e.Event) -> None:
    match event:
        case e.MerchantContacted():
            facts.demands.append(event.at)
            if facts.contacted_at is None:
                facts.contacted_at = event.at
            if event.data.remedy is not None:
                facts.asked = event.data.remedy
        case e.ClaimDeemedAgreed():
            _owe(facts, facts.asked)
        case e.EvidenceAskedByMerchant():
            facts.evidence_asked_version = event.originator_version
        case e.ClaimRefused(data=said):
            facts.excuses.append(said.excuse)
            _withdraw_offers(facts)
        case e.InstantlyRefunded(data=said):
            # The refund is granted and paid by the same act.
            facts.remedy, facts.performed = Remedy(kind="refund", amount=said.amount), [said.amount]


def _offers(facts: Facts, event: e.Event) -> None:
    match event:
        case e.OfferMade(id=name, data=said):
            if (open_now := facts.open_offer) is not None:
                open_now.state = "superseded"
            facts.offers[name] = Offer(name, said.remedy, event.at)
        case e.OfferDeclined(offer=name) if name in facts.offers:
            facts.offers[name].state = "declined"
        case e.OfferAccepted(offer=name) if name in facts.offers:
            facts.offers[name].state = "accepted"
            _owe(facts, facts.offers[name].remedy)


def _before_platform(facts: Facts, event: e.Event) -> None:
    """What brings the matter before the platform, or before its next level, and so opens a round of hearing."""
    match event:
        case e.ComplaintFiled(data=said) | e.FiledCaseReopened(data=said):
            facts.claim = said.claim or facts.claim
            facts.no_contact = said.without_contact or facts.no_contact
            _await_reply(facts, event, event.reply_by)
        case e.DefaultReported():
            _await_reply(facts, event, event.reply_by)
    match event:
        case e.FiledCaseReopened(data=said, from_state="dismissed") if said.new_evidence is not None:
            # Named, not given yet: the complaint is taken only once it is in the file.
            facts.new_evidence = Term("consumer", (said.new_evidence,), event.at, event.at, event.originator_version)
        case e.ComplaintFiled() | e.FiledCaseReopened() | e.DefaultReported():
            facts.new_evidence = None
    facts.demands.append(event.at)
    facts.in_review = isinstance(event, e.CaseEscalated)
    if not facts.in_review:
        facts.rulings_before_round = len(facts.rulings)
    facts.assigned = facts.proof_term = facts.evidence_term = None
    facts.round_opened_by = event.by.role
    facts.hearings = {"consumer": Hearing(), "merchant": Hearing()}
    _hearing(facts, event.by.role).answered_at = event.at


def _intake(facts: Facts, event: e.Event) -> None:
    match event:
        case e.EvidenceRequested(data=said):
            facts.evidence_asked_version = event.originator_version
            facts.evidence_term = Term("consumer", said.kinds, event.at, said.answer_by, event.originator_version)
        case e.EvidenceSupplied():
            facts.evidence_term = None
            facts.reply_by, facts.replied = event.reply_by, False
        case e.ComplaintRejected(data=said):
            facts.evidence_term = None
            facts.rejections.append(said.ground)
        case e.ComplaintAccepted():
            facts.assigned = event.by
        case e.CaseAssigned(data=said):
            role, _, name = said.to.partition(":")
            facts.assigned = Actor(role=role, id=name)
        case e.EscalationRemitted():
            facts.assigned = None
            # Sent back before anything was decided, the first ruling is still to come and nobody reviews it yet.
            facts.in_review = facts.in_review and bool(facts.rulings[facts.rulings_before_round:])


def _hearing_of_parties(facts: Facts, event: e.Event) -> None:
    match event:
        case e.PartyNotified(data=said):
            _hearing(facts, said.party).answer_by = said.answer_by
            # A notice that goes out by itself is no reply of the platform's people.
            facts.replied = facts.replied or event.by.role in ("agent", "supervisor")
        case e.PartyAnswered():
            _hearing(facts, event.by.role).answered_at = event.at
        case e.ProofAsked(data=said):
            facts.proof_term = Term(said.party, said.kinds, event.at, said.answer_by, event.originator_version)
            # Who is asked for proof by a day is thereby given until that day to be heard.
            _hearing(facts, said.party).answer_by = said.answer_by
        case e.ProofSubmitted(data=said):
            due = facts.proof_term.kinds if facts.proof_term is not None else ()
            facts.proof_term = None
            facts.proofs = {(event.by.role, kind): Proof(event.by.role, kind, "missing") for kind in due} | facts.proofs
            facts.proofs |= {(event.by.role, kind): Proof(event.by.role, kind, "submitted") for kind in said.kinds}
            _hearing(facts, event.by.role).answered_at = event.at
        case e.ProofClosed():
            if (asked := facts.proof_term) is not None:
                nothing = {(asked.party, kind): Proof(asked.party, kind, "missing") for kind in asked.kinds}
                facts.proofs = nothing | facts.proofs
            facts.proof_term = None
        case e.ProofExamined(data=said):
            facts.proofs |= {(said.party, said.kind): Proof(said.party, said.kind, said.result)}


def _evidence(facts: Facts, event: e.Event) -> None:
    match event:
        case e.EvidenceAdded(id=name, data=said):
            facts.evidence[name] = Evidence(
                name, said.kind, event.by, event.at, event.originator_version, said.description, said.sha256)
        case e.EvidenceDisputed(data=said) if said.evidence in facts.evidence:
            facts.evidence[said.evidence].authenticity = "disputed"
        case e.EvidenceExamined(data=said) if said.evidence in facts.evidence:
            facts.evidence[said.evidence].authenticity = said.result


def _rulings(facts: Facts, event: e.Event) -> None:
    match event:
        case e.CaseRuled(data=said):
            facts.rulings.append(Ruling(
                version=event.originator_version, at=event.at, by=event.by, outcome=said.outcome,
                findings=said.findings, clause=said.clause, remedy=said.remedy, penalties=said.penalties,
                review=facts.in_review and bool(facts.rulings[facts.rulings_before_round:]),
            ))
            facts.in_review = False
            _withdraw_offers(facts)
        case e.RulingCorrected(data=said) if facts.rulings:
            last = facts.rulings[-1]
            last.findings, last.clause = said.findings or last.findings, said.clause or last.clause
            last.remedy = said.remedy or last.remedy
            if said.remedy and facts.state == "remedy_due":
                facts.remedy = said.remedy
        case e.RulingExecuted() if facts.rulings and facts.rulings[-1].remedy is not None:
            _owe(facts, facts.rulings[-1].remedy)
        case e.CaseReopened():
            facts.filed_at = facts.reply_by = facts.assigned = facts.round_opened_by = None
            facts.hearings, facts.in_review = {}, False
            facts.evidence_term = facts.proof_term = None


def _outside(facts: Facts, event: e.Event) -> None:
    match event:
        case e.MatterReferred(id=name, data=said):
            facts.demands.append(event.at)
            facts.referrals[name] = Referral(name, said.body, event.at, province=said.province)
        case e.ReferralAccepted(data=said):
            _refer(facts, said.referral, "accepted")
            if said.referral in facts.referrals:
                facts.referrals[said.referral].was_accepted = True
        case e.ReferralRefused(data=said):
            _refer(facts, said.referral, "refused", event.at)
        case e.ReferralSettled(data=said):
            _refer(facts, said.referral, "settled", event.at)
            if said.referral in facts.referrals:
                facts.referrals[said.referral].remedy = said.remedy
        case e.ReferralEnded(data=said):
            _refer(facts, said.referral, "ended", event.at)
        case e.ReferralWithdrawn(data=said):
            _refer(facts, said.referral, "withdrawn", event.at)
        case e.ExternallyAwarded(data=said):
            _owe(facts, said.remedy)


def _performance(facts: Facts, event: e.Event) -> None:
    match event:
        case e.RemedyPerformed(data=said):
            facts.performed.append(said.amount)
            if event.by.role in ("agent", "supervisor", "system"):
                facts.paid_by_platform += said.amount or 0
        case e.ReturnShipped():
            facts.goods = "sent"
        case e.ReturnReceived():
            facts.goods = "received"
        case e.ReturnContested():
            facts.goods = "contested"
        case e.ReturnSettled(data=said):
            facts.goods = "received" if said.received else "due"
        case e.AdvanceApplied():
            facts.advance = "applied"
        case e.AdvancePaid(data=said):
            facts.advance = "paid"
            facts.performed.append(said.amount)
            facts.paid_by_platform += said.amount
        case e.AdvanceClosed():
            facts.advance = "closed"
        case e.AdvanceRecovered():
            facts.advance = "recovered"


def _apart(facts: Facts, event: e.Event) -> None:
    """What is on record beside the complaint itself."""
    match event:
        case e.CallLogged(data=said):
            facts.calls.append(Call(at=event.at, channel=said.channel, note=said.note, staff=said.staff,
                                    promised=said.promised, promised_by=said.promised_by, transferred=said.transferred))
        case e.TippedOff(id=name, data=said):
            facts.tip_offs[name] = TipOff(name, said.to, said.about, event.by)
        case e.TipOffAnswered(data=said) if said.tip_off in facts.tip_offs:
            facts.tip_offs[said.tip_off].state = said.result
        case e.CasePublicised(data=said):
            facts.publicity.append(said.channel)
        case e.FeedbackGiven(data=said):
            facts.feedback.append(said.score)
        case e.AdviserAuthorised(data=said):
            facts.advisers.add(said.adviser)
        case e.EditionAdopted(data=said):
            facts.edition = said.edition


def _await_reply(facts: Facts, event: e.Event, reply_by: e.Due) -> None:
    facts.filed_at, facts.reply_by, facts.replied = event.at, reply_by, False


def _hearing(facts: Facts, role: str) -> Hearing:
    return facts.hearings.setdefault(role, Hearing())


def _withdraw_offers(facts: Facts) -> None:
    """What a merchant refuses, or a ruling or an end overtakes, he no longer offers."""
    for offer in facts.offers.values():
        if offer.state == "open":
            offer.state = "lapsed"


def _refer(facts: Facts, name: str, state: str, over: datetime | None = None) -> None:
    if name in facts.referrals:
        facts.referrals[name].state = state
        facts.referrals[name].over_at = over


def _owe(facts: Facts, remedy: Remedy | None) -> None:
    if remedy is not None:
        facts.remedy, facts.performed = remedy, []
        if not any(part.kind in _GOODS_COME_BACK for part in remedy.parts):
            facts.goods = "not_due"
        elif facts.goods == "not_due":
            # Goods that are on their way back, or are back, are not sent twice.
            facts.goods = "due"


#: What each kind of event concerns; one that is not here changes nothing but the state.
_CONCERNS: dict[type[e.Event], Callable[[Facts, e.Event], None]] = {
    kind: concern
    for concern, kinds in (
        (_with_merchant, (e.MerchantContacted, e.ClaimDeemedAgreed, e.EvidenceAskedByMerchant, e.ClaimRefused,
                          e.InstantlyRefunded)),
        (_offers, (e.OfferMade, e.OfferDeclined, e.OfferAccepted)),
        (_before_platform, (e.ComplaintFiled, e.FiledCaseReopened, e.DefaultReported, e.CaseEscalated)),
        (_intake, (e.EvidenceRequested, e.EvidenceSupplied, e.ComplaintRejected, e.ComplaintAccepted, e.CaseAssigned,
                   e.EscalationRemitted)),
        (_hearing_of_parties, (e.PartyNotified, e.PartyAnswered, e.ProofAsked, e.ProofSubmitted, e.ProofClosed,
                               e.ProofExamined)),
        (_evidence, (e.EvidenceAdded, e.EvidenceDisputed, e.EvidenceExamined)),
        (_rulings, (e.CaseRuled, e.RulingCorrected, e.RulingExecuted, e.CaseReopened)),
        (_outside, (e.MatterReferred, e.ReferralAccepted, e.ReferralRefused, e.ReferralSettled, e.ReferralEnded,
                    e.ReferralWithdrawn, e.ExternallyAwarded)),
        (_performance, (e.RemedyPerformed, e.ReturnShipped, e.ReturnReceived, e.ReturnContested, e.ReturnSettled,
                        e.AdvanceApplied, e.AdvancePaid, e.AdvanceClosed, e.AdvanceRecovered)),
        (_apart, (e.CallLogged, e.TippedOff, e.TipOffAnswered, e.CasePublicised, e.FeedbackGiven, e.AdviserAuthorised,
                 e.EditionAdopted)),
    )
    for kind in kinds
}
