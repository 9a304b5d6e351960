"""From events to facts: assign, never check. A rule tightened next year must not make last year's cases unreadable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from casework.domain import events as e
from casework.domain.facts import Call, Duty, Evidence, Facts, Hearing, Offer, Proof, Referral, Ruling, Term, TipOff
from casework.domain.lifecycle import CLOSED, PLATFORM_ROLES
from casework.domain.values import Actor, Remedy

#: What starts the limitation period anew (民法典 195: a demand, an application, a suit).
DEMANDS = (e.MerchantContacted, e.ComplaintFiled, e.FiledCaseReopened, e.CaseEscalated, e.DefaultReported, e.MatterReferred)

_DEMANDS = frozenset(DEMANDS)


def opened(event: e.CaseOpened) -> Facts:
    """The facts after a case's first event."""
    facts = Facts(case=event.originator_id, given=event.data, opened_at=event.at, lifecycle=event.lifecycle,
                  edition=event.edition)
    facts.at, facts.recorded_at = event.at, event.recorded_at
    facts.demands.append(event.at)
    facts.commands[event.command_id] = 1
    _keep_duties(facts, event)
    return facts


def apply(facts: Facts, event: e.Event) -> None:
    """Bring the facts forward by one event."""
    facts.version = event.originator_version
    facts.at, facts.recorded_at = event.at, event.recorded_at
    facts.commands[event.command_id] = event.originator_version
    if event.to_state is not None:
        _enter(facts, event)
    if type(event) in _DEMANDS:
        facts.demands.append(event.at)
    _keep_duties(facts, event)
    change = _CHANGES.get(type(event))
    if change is not None:
        change(facts, event)


def fold(events: Iterable[e.Event]) -> Facts:
    """The facts after all these events, the first of which opened the case. No events: :class:`ValueError`."""
    facts: Facts | None = None
    for event in events:
        if facts is None:
            assert isinstance(event, e.CaseOpened), event
            facts = opened(event)
        else:
            apply(facts, event)
    if facts is None:
        raise ValueError("a case has at least the event that opened it")
    return facts


def _enter(facts: Facts, event: e.Event) -> None:
    assert event.to_state is not None
    facts.state = event.to_state
    facts.closed_at = event.at if event.to_state in CLOSED else None
    if event.to_state in CLOSED:
        _lapse_offer(facts)
    if event.by.role in ("agent", "supervisor"):
        facts.replied = True


def settle(duty: Duty, change: e.DutyChange, at: datetime) -> None:
    """Bring a duty forward by one change that an event at ``at`` makes of it."""
    duty.due = change.due or duty.due
    match change.change:
        case "missed":
            duty.state, duty.missed_at, duty.settled_at = "missed", at, at
        case "met":
            duty.state, duty.settled_at = "late" if duty.state == "missed" else "met", at
        case "cancelled" if duty.state == "missed":
            duty.is_over = True
        case "cancelled":
            duty.state, duty.settled_at = "cancelled", at
        case "paused":
            duty.state, duty.paused_at = "paused", at
        case "resumed":
            duty.state, duty.paused_at, duty.was_paused = "running", None, True


def _keep_duties(facts: Facts, event: e.Event) -> None:
    for change in event.duties:
        if change.change == "opened":
            assert change.due is not None, change
            facts.duties[change.id] = Duty(change.id, change.duty, change.owes, change.due, event.at, change.about)
        else:
            duty = facts.duties[change.id]
            settle(duty, change, event.at)
            if change.due is not None:
                _set_term(facts, duty)


def _set_term(facts: Facts, duty: Duty) -> None:
    """The day that was set for evidence, proof or an answer moves with its duty."""
    if duty.kind == "evidence" and facts.evidence_term:
        facts.evidence_term.answer_by = duty.due.at
    elif duty.kind == "proof" and facts.proof_term:
        facts.proof_term.answer_by = duty.due.at
        _heard(facts, duty.owes).answer_by = duty.due.at
    elif duty.kind == "answer":
        _heard(facts, duty.owes).answer_by = duty.due.at


_Change = Callable[[Facts, Any], None]
_CHANGES: dict[type[e.Event], _Change] = {}


def _on(*kinds: type[e.Event]) -> Callable[[_Change], _Change]:
    def register(change: _Change) -> _Change:
        _CHANGES.update(dict.fromkeys(kinds, change))
        return change
    return register


@_on(e.MerchantContacted)
def _contacted(facts: Facts, event: e.MerchantContacted) -> None:
    facts.contacted_at = facts.contacted_at or event.at
    facts.asked = event.data.remedy or facts.asked


@_on(e.ClaimDeemedAgreed)
def _deemed_agreed(facts: Facts, event: e.ClaimDeemedAgreed) -> None:
    if facts.asked:
        _remedy_due(facts, facts.asked)


@_on(e.EvidenceAskedByMerchant)
def _asked_by_merchant(facts: Facts, event: e.EvidenceAskedByMerchant) -> None:
    facts.evidence_asked_version = event.originator_version


@_on(e.ClaimRefused)
def _claim_refused(facts: Facts, event: e.ClaimRefused) -> None:
    facts.excuses.append(event.data.excuse)
    _lapse_offer(facts)


@_on(e.OfferMade)
def _offer_made(facts: Facts, event: e.OfferMade) -> None:
    if facts.open_offer:
        facts.open_offer.state = "superseded"
    facts.offers[event.id] = Offer(event.id, event.data.remedy, event.at)


@_on(e.OfferDeclined)
def _offer_declined(facts: Facts, event: e.OfferDeclined) -> None:
    facts.offers[event.offer].state = "declined"


@_on(e.OfferAccepted)
def _offer_accepted(facts: Facts, event: e.OfferAccepted) -> None:
    offer = facts.offers[event.offer]
    offer.state = "accepted"
    _remedy_due(facts, offer.remedy)


@_on(e.InstantlyRefunded)
def _instantly_refunded(facts: Facts, event: e.InstantlyRefunded) -> None:
    facts.remedy = Remedy(kind="refund", amount=event.data.amount)
    facts.performed = [event.data.amount]


@_on(e.ComplaintFiled, e.DefaultReported, e.FiledCaseReopened)
def _filed(facts: Facts, event: e.ComplaintFiled | e.DefaultReported | e.FiledCaseReopened) -> None:
    if isinstance(event, e.ComplaintFiled | e.FiledCaseReopened):
        facts.claim = event.data.claim or facts.claim
        facts.no_contact = event.data.without_contact or facts.no_contact
    facts.new_evidence = None
    if isinstance(event, e.FiledCaseReopened) and event.from_state == "dismissed" and event.data.new_evidence:
        facts.new_evidence = Term("consumer", (event.data.new_evidence,), event.at, event.at, event.originator_version)
    facts.filed_at = event.at
    facts.reply_by = event.reply_by
    facts.replied = False
    facts.assigned = None
    facts.in_review = False
    facts.rulings_before_round = len(facts.rulings)
    _new_round(facts, event)


@_on(e.CaseEscalated)
def _escalated(facts: Facts, event: e.CaseEscalated) -> None:
    facts.in_review = True
    facts.assigned = None
    _new_round(facts, event)


@_on(e.EscalationRemitted)
def _remitted(facts: Facts, event: e.EscalationRemitted) -> None:
    facts.assigned = None
    facts.in_review = _is_review(facts)


@_on(e.CaseReopened)
def _reopened(facts: Facts, event: e.CaseReopened) -> None:
    facts.filed_at = facts.reply_by = facts.assigned = facts.round_opened_by = None
    facts.proof_term = facts.evidence_term = None
    facts.hearings = {}
    facts.in_review = False


@_on(e.ComplaintRejected)
def _rejected(facts: Facts, event: e.ComplaintRejected) -> None:
    facts.rejections.append(event.data.ground)
    facts.evidence_term = None


@_on(e.EvidenceRequested)
def _evidence_requested(facts: Facts, event: e.EvidenceRequested) -> None:
    facts.evidence_asked_version = event.originator_version
    facts.evidence_term = Term("consumer", event.data.kinds, event.at, event.data.answer_by, event.originator_version)


@_on(e.EvidenceSupplied)
def _evidence_supplied(facts: Facts, event: e.EvidenceSupplied) -> None:
    facts.evidence_term = None
    facts.reply_by = event.reply_by
    facts.replied = False


@_on(e.ComplaintAccepted)
def _accepted(facts: Facts, event: e.ComplaintAccepted) -> None:
    facts.assigned = event.by


@_on(e.CaseAssigned)
def _assigned(facts: Facts, event: e.CaseAssigned) -> None:
    role, _, identity = event.data.to.partition(":")
    facts.assigned = Actor(role=role, id=identity)


@_on(e.ProofAsked)
def _proof_asked(facts: Facts, event: e.ProofAsked) -> None:
    data = event.data
    facts.proof_term = Term(data.party, data.kinds, event.at, data.answer_by, event.originator_version)
    _heard(facts, data.party).answer_by = data.answer_by


@_on(e.ProofSubmitted)
def _proof_submitted(facts: Facts, event: e.ProofSubmitted) -> None:
    party = event.by.role
    facts.proofs.update({(party, kind): Proof(party, kind, "submitted") for kind in event.data.kinds})
    for kind in facts.proof_term.kinds if facts.proof_term else ():
        facts.proofs.setdefault((party, kind), Proof(party, kind, "missing"))
    facts.proof_term = None
    _heard(facts, event.by.role).answered_at = event.at


@_on(e.ProofClosed)
def _proof_closed(facts: Facts, event: e.ProofClosed) -> None:
    if facts.proof_term:
        party = facts.proof_term.party
        for kind in facts.proof_term.kinds:
            facts.proofs.setdefault((party, kind), Proof(party, kind, "missing"))
    facts.proof_term = None


@_on(e.ProofExamined)
def _proof_examined(facts: Facts, event: e.ProofExamined) -> None:
    data = event.data
    facts.proofs[data.party, data.kind] = Proof(data.party, data.kind, data.result)


@_on(e.PartyNotified)
def _notified(facts: Facts, event: e.PartyNotified) -> None:
    _heard(facts, event.data.party).answer_by = event.data.answer_by
    if event.by.role in ("agent", "supervisor"):
        facts.replied = True


@_on(e.PartyAnswered)
def _answered(facts: Facts, event: e.PartyAnswered) -> None:
    _heard(facts, event.by.role).answered_at = event.at


@_on(e.CaseRuled)
def _ruled(facts: Facts, event: e.CaseRuled) -> None:
    data = event.data
    facts.rulings.append(Ruling(event.originator_version, event.at, event.by, data.outcome, data.findings, data.clause,
                                data.remedy, data.penalties, review=_is_review(facts)))
    _lapse_offer(facts)
    facts.in_review = False


@_on(e.RulingCorrected)
def _ruling_corrected(facts: Facts, event: e.RulingCorrected) -> None:
    ruling, said = facts.rulings[-1], event.data
    ruling.findings = said.findings or ruling.findings
    ruling.clause = said.clause or ruling.clause
    if said.remedy:
        ruling.remedy = said.remedy
        if facts.state == "remedy_due":
            facts.remedy = said.remedy


@_on(e.RulingExecuted)
def _ruling_executed(facts: Facts, event: e.RulingExecuted) -> None:
    remedy = facts.rulings[-1].remedy if facts.rulings else None
    if remedy:
        _remedy_due(facts, remedy)


@_on(e.ExternallyAwarded)
def _awarded(facts: Facts, event: e.ExternallyAwarded) -> None:
    _remedy_due(facts, event.data.remedy)


@_on(e.RemedyPerformed)
def _performed(facts: Facts, event: e.RemedyPerformed) -> None:
    facts.performed.append(event.data.amount)
    if event.by.role in PLATFORM_ROLES:
        facts.paid_by_platform += event.data.amount or 0


@_on(e.EvidenceAdded)
def _evidence_added(facts: Facts, event: e.EvidenceAdded) -> None:
    data = event.data
    facts.evidence[event.id] = Evidence(event.id, data.kind, event.by, event.at, event.originator_version,
                                        data.description, data.sha256)


@_on(e.EvidenceDisputed)
def _evidence_disputed(facts: Facts, event: e.EvidenceDisputed) -> None:
    facts.evidence[event.data.evidence].authenticity = "disputed"


@_on(e.EvidenceExamined)
def _evidence_examined(facts: Facts, event: e.EvidenceExamined) -> None:
    facts.evidence[event.data.evidence].authenticity = event.data.result


@_on(e.CallLogged)
def _call_logged(facts: Facts, event: e.CallLogged) -> None:
    d = event.data
    facts.calls.append(Call(event.at, d.channel, d.note, d.staff, d.promised, d.promised_by, d.transferred))


@_on(e.MatterReferred)
def _referred(facts: Facts, event: e.MatterReferred) -> None:
    facts.referrals[event.id] = Referral(event.id, event.data.body, event.at, province=event.data.province)


_REFERRAL_STATES: dict[type[e.Event], str] = {
    e.ReferralAccepted: "accepted",
    e.ReferralRefused: "refused",
    e.ReferralSettled: "settled",
    e.ReferralEnded: "ended",
    e.ReferralWithdrawn: "withdrawn",
}


@_on(*_REFERRAL_STATES)
def _referral_moved(facts: Facts, event: Any) -> None:
    referral = facts.referrals[event.data.referral]
    referral.state = _REFERRAL_STATES[type(event)]
    if isinstance(event, e.ReferralAccepted):
        referral.was_accepted = True
    else:
        referral.over_at = event.at
    if isinstance(event, e.ReferralSettled):
        referral.remedy = event.data.remedy


@_on(e.TippedOff)
def _tipped_off(facts: Facts, event: e.TippedOff) -> None:
    facts.tip_offs[event.id] = TipOff(event.id, event.data.to, event.data.about, event.by)


@_on(e.TipOffAnswered)
def _tip_off_answered(facts: Facts, event: e.TipOffAnswered) -> None:
    facts.tip_offs[event.data.tip_off].state = event.data.result


@_on(e.CasePublicised)
def _publicised(facts: Facts, event: e.CasePublicised) -> None:
    facts.publicity.append(event.data.channel)


@_on(e.FeedbackGiven)
def _feedback_given(facts: Facts, event: e.FeedbackGiven) -> None:
    facts.feedback.append(event.data.score)


_RETURN_STATES: dict[type[e.Event], str] = {
    e.ReturnShipped: "sent",
    e.ReturnReceived: "received",
    e.ReturnContested: "contested",
}


@_on(*_RETURN_STATES)
def _return_moved(facts: Facts, event: e.Event) -> None:
    facts.goods = _RETURN_STATES[type(event)]


@_on(e.ReturnSettled)
def _return_settled(facts: Facts, event: e.ReturnSettled) -> None:
    facts.goods = "received" if event.data.received else "due"


_ADVANCE_STATES: dict[type[e.Event], str] = {
    e.AdvanceApplied: "applied",
    e.AdvancePaid: "paid",
    e.AdvanceClosed: "closed",
    e.AdvanceRecovered: "recovered",
}


@_on(*_ADVANCE_STATES)
def _advance_moved(facts: Facts, event: e.Event) -> None:
    facts.advance = _ADVANCE_STATES[type(event)]
    if isinstance(event, e.AdvancePaid):
        facts.performed.append(event.data.amount)
        facts.paid_by_platform += event.data.amount


@_on(e.EditionAdopted)
def _edition_adopted(facts: Facts, event: e.EditionAdopted) -> None:
    facts.edition = event.data.edition


@_on(e.AdviserAuthorised)
def _adviser_authorised(facts: Facts, event: e.AdviserAuthorised) -> None:
    facts.advisers.add(event.data.adviser)


def _is_review(facts: Facts) -> bool:
    """What decides an escalation is a review only of a ruling; before one it is the first ruling."""
    return facts.in_review and len(facts.rulings) > facts.rulings_before_round


def _lapse_offer(facts: Facts) -> None:
    if facts.open_offer:
        facts.open_offer.state = "lapsed"


def _remedy_due(facts: Facts, remedy: Remedy) -> None:
    facts.remedy = remedy
    facts.performed = []
    returns = any(p.kind in ("return_refund", "exchange") for p in remedy.parts)
    if not returns:
        facts.goods = "not_due"
    elif facts.goods == "not_due":
        facts.goods = "due"


def _new_round(facts: Facts, event: e.Event) -> None:
    facts.round_opened_by = event.by.role
    facts.proof_term = None
    facts.evidence_term = None
    facts.hearings = {"consumer": Hearing(), "merchant": Hearing()}
    _heard(facts, event.by.role).answered_at = event.at


def _heard(facts: Facts, role: str) -> Hearing:
    return facts.hearings.setdefault(role, Hearing())
