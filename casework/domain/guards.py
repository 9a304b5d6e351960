"""The guards: pure questions ``(facts, request) -> reasons``. No reason means yes.

A guard never changes anything and looks at nothing but its two arguments, so that the audit can put the same question
about any past step. The registry at the end is the only place where a name becomes a function.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from casework.domain import grounds
from casework.domain.commands import OpenCase
from casework.domain.facts import Facts
from casework.domain.reasons import reason
from casework.domain.request import Deadline, Guard, Request
from casework.domain.values import Extra, Remedy
from casework.domain.vocabulary import (
    BODIES,
    CHANNELS,
    EVIDENCE_KINDS,
    PLATFORM_CHANNELS,
    PROOF_KINDS,
    RETURN_STATES,
    ROLES,
    Term,
)
from casework.errors import Reason

#: The remedies that are money and may not exceed what was paid.
REFUNDS = ("refund", "return_refund", "price_difference")
#: The remedies that need an amount.
MONEY = (*REFUNDS, "compensation", "promised_multiple", "statutory_damages")
#: Bodies that must not take what another has or had (121号令 art. 16(2); the associations likewise).
EXCLUSIVE = ("market_regulator", "consumer_association")
#: Bodies whose having the matter shuts the exclusive ones out. A court is shut out by none of them.
SHUTS_OUT = ("market_regulator", "consumer_association", "court", "arbitration", "postal_authority")
#: What lets a dismissed case be taken up again (争议规则 4 and 5).
NEW_GROUNDS = ("authority_decision", "court_judgment", "test_report", "appraisal_report")
#: What a promised service pays at most, as a multiple of what was paid, and for which grounds (假一赔三/四, 不符包赔).
PROMISES = {
    "fake_one_pay_three": (3, ("counterfeit", "substandard")),
    "fake_one_pay_four": (4, ("counterfeit", "substandard")),
    "mismatch_compensation": (1, ("material_mismatch", "false_advertising", "quality_defect", "counterfeit")),
}


# --- who -------------------------------------------------------------------------------------------------------------


def who_may(facts: Facts, request: Request, roles: Iterable[str]) -> list[Reason]:
    """Role and party: asked of every command, whether there is an edge or not."""
    allowed = tuple(roles)
    found = []
    if request.by.role not in allowed:
        zh = "、".join(ROLES[r].zh for r in allowed)
        en = ", ".join(ROLES[r].en for r in allowed)
        who = ROLES.get(request.by.role, Term(request.by.role, request.by.role))
        found.append(reason("role_not_allowed", {"role": who, "roles": (zh, en)}))
    party = {"consumer": facts.given.consumer, "merchant": facts.given.order.merchant}.get(request.by.role)
    if party is not None and request.by.id != party:
        found.append(reason("not_a_party", who=request.by))
    if request.by.role == "adviser" and request.by.id not in facts.advisers:
        found.append(reason("not_authorised", who=request.by))
    return found


def actor_is_assigned(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only whoever is assigned acts on the review."""
    if request.by.role in ("agent", "supervisor") and request.by != facts.assigned:
        yield reason("not_assigned", who=request.by)


def actor_did_not_rule_before(facts: Facts, request: Request) -> Iterator[Reason]:
    """Nobody reviews his own ruling."""
    if any(same_identity(r.by.id, request.by.id) for r in facts.rulings):
        yield reason("ruled_before", who=request.by)


def judge_is_no_party(facts: Facts, request: Request) -> Iterator[Reason]:
    """Nobody judges in his own case, under whatever role."""
    judge = str(request.said("to") or request.by).partition(":")[2]
    judges = request.said("to") is not None or request.by.role in ("agent", "supervisor")
    parties = (facts.given.consumer, facts.given.order.merchant, *facts.advisers)
    if judges and any(same_identity(judge, party) for party in parties):
        yield reason("party_may_not_judge", who=judge)


def nobody_else_is_assigned(facts: Facts, request: Request) -> Iterator[Reason]:
    """A case that is in somebody's hands is not taken over in passing; a supervisor assigns it anew."""
    if facts.assigned is not None and facts.assigned != request.by:
        yield reason("not_assigned", who=request.by)


def assignee_did_not_rule_before(facts: Facts, request: Request) -> Iterator[Reason]:
    """The one who ruled is not assigned to the review of the ruling."""
    identity = str(request.said("to") or "").partition(":")[2]
    if facts.in_review and any(same_identity(r.by.id, identity) for r in facts.rulings):
        yield reason("ruled_before", who=request.said("to"))


# --- with the merchant -----------------------------------------------------------------------------------------------


def evidence_is_new(facts: Facts, request: Request) -> Iterator[Reason]:
    """Evidence was added since it was asked for."""
    if not any(e.version > facts.evidence_asked_version for e in facts.consumer_evidence):
        yield reason("nothing_new", missing=("add_evidence",))


def offer_is_open(facts: Facts, request: Request) -> Iterator[Reason]:
    """There is an offer that can be accepted or declined."""
    if facts.open_offer is None:
        yield reason("no_open_offer", missing=("make_offer",))


def order_qualifies(facts: Facts, request: Request) -> Iterator[Reason]:
    """The order was marked as qualifying for 极速退款 when it was placed."""
    if "instant_refund" not in facts.given.order.services:
        yield reason("not_eligible_for_instant_refund")


def amount_is_within_paid(facts: Facts, request: Request) -> Iterator[Reason]:
    """A refund gives back at most what was paid."""
    amount = request.said("amount")
    if amount is not None and not amount:
        yield reason("amount_missing", missing=("amount",))
    if amount is not None and amount > facts.given.order.paid:
        yield reason("amount_exceeds_paid", amount=amount, paid=facts.given.order.paid)


def remedy_has_amount(facts: Facts, request: Request) -> Iterator[Reason]:
    """A remedy that is money says how much."""
    if any(part.kind in MONEY and not part.amount for part in _parts(request)):
        yield reason("amount_missing", missing=("remedy.amount",))


def refund_is_within_paid(facts: Facts, request: Request) -> Iterator[Reason]:
    """Refunds give back at most what was paid; what goes beyond is compensation."""
    refunds = sum((part.amount for part in _parts(request) if part.kind in REFUNDS and part.amount), Decimal(0))
    if refunds > facts.given.order.paid:
        yield reason("amount_exceeds_paid", amount=refunds, paid=facts.given.order.paid)


def multiple_was_promised(facts: Facts, request: Request) -> Iterator[Reason]:
    """The platform awards a multiple only where the merchant promised it for this order (条例 12)."""
    order = facts.given.order
    asked = sum((p.amount or Decimal(0) for p in _parts(request) if p.kind == "promised_multiple"), Decimal(0))
    if not any(part.kind == "promised_multiple" for part in _parts(request)):
        return
    multiples = [PROMISES[s][0] for s in order.services if s in PROMISES and facts.given.ground in PROMISES[s][1]]
    if not multiples:
        yield reason("promise_missing")
    elif asked > max(multiples) * order.paid:
        yield reason("amount_exceeds_promise", amount=asked, most=max(multiples) * order.paid)


# --- with the platform -----------------------------------------------------------------------------------------------


def channel_reaches_platform(facts: Facts, request: Request) -> Iterator[Reason]:
    """A forum, the media or the merchant's own chat take no complaint for the platform (误区: 选择错误的投诉渠道)."""
    channel = request.said("channel")
    if channel is not None and channel not in PLATFORM_CHANNELS:
        yield reason("wrong_channel", {"channel": CHANNELS[channel]})


def promised_evidence_is_in_file(facts: Facts, request: Request) -> Iterator[Reason]:
    """Whoever came back for new evidence has put it in the file by now."""
    named = facts.new_evidence
    if named and not any(e.version > named.version and e.kind in named.kinds for e in facts.consumer_evidence):
        kinds = (", ".join(EVIDENCE_KINDS[k].zh for k in named.kinds), ", ".join(EVIDENCE_KINDS[k].en for k in named.kinds))
        yield reason("evidence_missing", {"kinds": kinds}, missing=named.kinds)


def merchant_was_contacted(facts: Facts, request: Request) -> Iterator[Reason]:
    """The merchant first, or a stated reason why not (消法 39(1))."""
    if facts.contacted_at is None and facts.no_contact is None and request.said("without_contact") is None:
        yield reason("merchant_not_contacted", missing=("contact_merchant", "without_contact"))


def limitation_runs(facts: Facts, request: Request) -> Iterator[Reason]:
    """The limitation period runs: three years from knowing, and anew from a demand (民法典 188, 195)."""
    due = limitation(facts, request)
    if request.at > due.at:
        yield reason("out_of_time", due=_day(due.at), rule=due.clause)


def limitation_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """A case lapses only when the limitation period is over."""
    due = limitation(facts, request)
    if request.at <= due.at:
        yield reason("term_running", due=_day(due.at))


def limitation(facts: Facts, request: Request) -> Deadline:
    """When the limitation period ends. A demand starts it anew while it runs, and no longer once it is over (民法典 192, 195)."""
    first, *later = facts.demands
    due = request.edition.due("suit.limitation", first)
    for demand in later:
        if demand <= due.at:
            due = request.edition.due("suit.limitation", demand)
    return due


def evidence_term_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """The day set for more evidence is past."""
    if facts.evidence_term is not None and request.at <= facts.evidence_term.answer_by:
        yield reason("term_running", due=_day(facts.evidence_term.answer_by))


def proof_term_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """The day set for proof is past."""
    if facts.proof_term is not None and request.at <= facts.proof_term.answer_by:
        yield reason("term_running", due=_day(facts.proof_term.answer_by))


def deadline_is_ahead(facts: Facts, request: Request) -> Iterator[Reason]:
    """A day given to a party lies in the future: a term that is over on the day it is set would hear nobody."""
    answer_by = request.said("answer_by") or request.said("promised_by")
    if answer_by is not None and answer_by <= request.at:
        yield reason("deadline_not_in_future", answer_by=_day(answer_by))


def evidence_is_enough(facts: Facts, request: Request) -> Iterator[Reason]:
    """The file holds what the ground needs; what was found forged does not count."""
    groups = grounds.missing(facts.given.ground, (e.kind for e in facts.consumer_evidence))
    if groups:
        zh = "；".join(" 或 ".join(EVIDENCE_KINDS[k].zh for k in group) for group in groups)
        en = "; ".join(" or ".join(EVIDENCE_KINDS[k].en for k in group) for group in groups)
        yield reason("evidence_missing", {"kinds": (zh, en)}, missing=tuple("|".join(group) for group in groups))


def proof_was_asked(facts: Facts, request: Request) -> Iterator[Reason]:
    """Proof comes from the party that was asked, and is of the kinds asked for."""
    term = facts.proof_term
    kinds = request.said("kinds") or ()
    wrong = tuple(k for k in kinds if term is None or k not in term.kinds)
    if term is None or request.by.role != term.party or wrong:
        shown = wrong or kinds
        zh = "、".join(PROOF_KINDS[k].zh for k in shown if k in PROOF_KINDS)
        en = ", ".join(PROOF_KINDS[k].en for k in shown if k in PROOF_KINDS)
        who = ROLES.get(request.by.role, Term(request.by.role, request.by.role))
        yield reason("not_asked", {"role": who, "kinds": (zh, en)})


def proof_is_in_file(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only what was handed in can be accepted or found forged, and only what was asked for can be missing."""
    kind, result, party = request.said("kind"), request.said("result"), request.said("party")
    held = {p.kind for p in facts.proofs.values()
            if p.party == party and (p.result != "missing" or result == "missing")}
    term = facts.proof_term
    asked = set(term.kinds) if term and term.party == party and result == "missing" else set()
    if not (facts.proofs or term) if request.is_blank else kind not in held | asked:
        item = PROOF_KINDS.get(kind or "", Term("证明材料", "proof"))
        yield reason("unknown_item", {"item": item}, missing=("submit_proof",))


# --- ruling and escalation -------------------------------------------------------------------------------------------


def parties_were_heard(facts: Facts, request: Request) -> Iterator[Reason]:
    """Each side answered in this round, or was notified with an ``answer_by`` that is past."""
    unheard = [role for role in ("consumer", "merchant") if not _was_heard(facts, role, request.at)]
    if unheard:
        zh = "、".join(ROLES[r].zh for r in unheard)
        en = ", ".join(ROLES[r].en for r in unheard)
        yield reason("not_heard", {"parties": (zh, en)}, missing=tuple(f"answer:{r}" for r in unheard))


def ruling_is_consistent(facts: Facts, request: Request) -> Iterator[Reason]:
    """Outcome, remedy and penalties agree, and the platform stays within its intake (争议规则 6(6))."""
    outcome, remedy = request.said("outcome"), request.said("remedy")
    if outcome is None:
        return
    if outcome == "for_merchant":
        if remedy is not None:
            yield reason("remedy_not_due")
        if request.said("penalties"):
            yield reason("penalty_without_finding")
    elif remedy is None:
        yield reason("remedy_missing", missing=("remedy",))
    if any(part.kind == "statutory_damages" for part in _parts(request)):
        yield reason("outside_platform_intake")


def evidence_carries_the_ruling(facts: Facts, request: Request) -> Iterator[Reason]:
    """Who has to prove and did not, loses (争议规则 65, 66)."""
    outcome = request.said("outcome")
    merchant_proves = grounds.GROUNDS[facts.given.ground].merchant_proves
    merchant_loses = merchant_proves and not _merchant_may_win(facts)
    if outcome is None and merchant_loses:
        # Nothing is said yet: there has to be one side at least for whom it could be said.
        yield from evidence_is_enough(facts, request)
    if outcome == "for_merchant" and merchant_loses:
        yield reason("merchant_proof_missing", missing=("examine_proof",))
    if outcome in ("for_consumer", "partly_for_consumer"):
        yield from evidence_is_enough(facts, request)


def ruling_grants_remedy(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only a ruling that grants a remedy can be executed."""
    if not facts.rulings or facts.rulings[-1].remedy is None:
        yield reason("nothing_granted")


def ruling_grants_nothing(facts: Facts, request: Request) -> Iterator[Reason]:
    """A case with a remedy granted is not dismissed."""
    if facts.rulings and facts.rulings[-1].remedy is not None:
        yield reason("remedy_granted")


def objection_term_is_past(facts: Facts, request: Request) -> Iterator[Reason]:
    """Whoever lost has time to take it up before the case is closed on a first ruling (rule ruling.objection, unverified)."""
    last = facts.rulings[-1] if facts.rulings else None
    if last is not None and not last.review:
        due = request.edition.due("ruling.objection", last.at)
        if request.at <= due.at:
            yield reason("term_running", due=_day(due.at))


def higher_level_exists(facts: Facts, request: Request) -> Iterator[Reason]:
    """There is one review and no second (争议规则 93 names the court next)."""
    if facts.rulings and facts.rulings[-1].review:
        yield reason("no_higher_level")


def platform_is_overdue_or_passed_it_up(facts: Facts, request: Request) -> Iterator[Reason]:
    """Before a ruling one escalates when the platform is late, broke a promise, or passed the call up."""
    late = facts.reply_by is not None and not facts.replied and request.at > facts.reply_by.at
    broken = any(c.promised_by is not None and request.at > c.promised_by for c in facts.platform_calls)
    if not (late or broken or facts.transferred):
        yield reason("not_overdue", missing=("log_call",))


def nothing_was_ruled(facts: Facts, request: Request) -> Iterator[Reason]:
    """What was ruled on is reviewed by a ruling, not by refusing to look."""
    if facts.rulings:
        yield reason("already_ruled")


# --- outside bodies --------------------------------------------------------------------------------------------------


def referral_is_pending(facts: Facts, request: Request) -> Iterator[Reason]:
    """The matter was taken to an outside body that has not ended with it."""
    if not any(r.state in ("lodged", "accepted", "settled") for r in facts.referrals.values()):
        yield reason("no_referral", missing=("refer",))


def no_referral_is_pending(facts: Facts, request: Request) -> Iterator[Reason]:
    """No outside body has the matter any more."""
    bodies = [r.body for r in facts.referrals.values() if r.state in ("lodged", "accepted", "settled")]
    if bodies:
        zh = "、".join(BODIES[b].zh for b in bodies)
        en = ", ".join(BODIES[b].en for b in bodies)
        yield reason("referral_open", {"bodies": (zh, en)})


def body_has_the_matter(facts: Facts, request: Request) -> Iterator[Reason]:
    """An award comes from a body that took the matter."""
    if not any(r.body == request.by.id and r.state in ("accepted", "settled") for r in facts.referrals.values()):
        yield reason("not_this_body", who=request.by)


def award_is_what_was_settled(facts: Facts, request: Request) -> Iterator[Reason]:
    """What a body settled is what falls due."""
    settled = [r.remedy for r in facts.referrals.values() if r.body == request.by.id and r.state == "settled"]
    remedy = request.said("remedy")
    if remedy is not None and settled and remedy not in settled:
        yield reason("award_differs")


def tip_off_went_to_actor(facts: Facts, request: Request) -> Iterator[Reason]:
    """A tip-off is answered by whom it went to: the platform's people, or the body."""
    named = facts.tip_offs.get(request.said("tip_off") or "")
    pool = [named] if named else list(facts.tip_offs.values()) if request.is_blank else []
    addressee = request.by.id if request.by.role == "external" else "platform"
    if pool and not any(t.to == addressee for t in pool):
        yield reason("not_this_body", who=request.by)


def body_had_the_matter(facts: Facts, request: Request) -> Iterator[Reason]:
    """A body speaks only of a matter that was referred to it."""
    if request.by.role == "external" and not any(r.body == request.by.id for r in facts.referrals.values()):
        yield reason("not_this_body", who=request.by)


def body_was_not_asked_yet(facts: Facts, request: Request) -> Iterator[Reason]:
    """One referral a body at a time."""
    body = request.said("body")
    if any(r.body == body and r.state in ("lodged", "accepted") for r in facts.referrals.values()):
        yield reason("referral_open", {"bodies": BODIES[body]})


def referral_is_of_actor(facts: Facts, request: Request) -> Iterator[Reason]:
    """A body answers only for what was referred to it."""
    named = facts.referrals.get(request.said("referral") or "")
    pool = [named] if named else list(facts.referrals.values()) if request.is_blank else []
    if pool and not any(r.body == request.by.id for r in pool):
        yield reason("not_this_body", who=request.by)


def no_other_body_has_it(facts: Facts, request: Request) -> Iterator[Reason]:
    """12315, and likewise a 消协, must refuse what a court or another body has or had (121号令 16(2))."""
    if request.by.id not in EXCLUSIVE:
        return
    others = [r.body for r in facts.referrals.values() if r.body in SHUTS_OUT and r.was_accepted]
    if others:
        body = BODIES[request.by.id]
        yield reason("body_excluded", {"body": body, "other": BODIES[others[0]]})


# --- performance and reopening ---------------------------------------------------------------------------------------


def remedy_is_performed(facts: Facts, request: Request) -> Iterator[Reason]:
    """What was granted was given, in full."""
    due = facts.remedy.total if facts.remedy else None
    done = sum((a for a in facts.performed if a is not None), Decimal(0))
    if not facts.performed or (due is not None and done < due):
        yield reason("not_performed", done=done, due="—" if due is None else due, missing=("perform_remedy",))


def remedy_is_still_owed(facts: Facts, request: Request) -> Iterator[Reason]:
    """What the platform itself has paid in full is not reported as a default."""
    total = facts.remedy.total if facts.remedy else None
    if total is not None and facts.paid_by_platform >= total:
        yield reason("already_performed")


def goods_are_back(facts: Facts, request: Request) -> Iterator[Reason]:
    """Where the remedy includes a return, the goods are back with the merchant."""
    if facts.goods not in ("not_due", "received"):
        yield reason("goods_not_returned", {"state": RETURN_STATES[facts.goods]}, missing=("receive_return",))


def advance_was_promised(facts: Facts, request: Request) -> Iterator[Reason]:
    """The platform pays first where it promised to for the order, or where it ruled in the case.

    消法 44 binds the platform to what it promised beyond the law; 电商法 58 speaks of deposits and 先行赔偿.
    """
    if "advance_compensation" not in facts.given.order.services and not facts.rulings:
        yield reason("advance_not_promised")


def advance_is_within_due(facts: Facts, request: Request) -> Iterator[Reason]:
    """What is paid first is at most what is due."""
    amount, total = request.said("amount"), facts.remedy.total if facts.remedy else None
    due = None if total is None else total - sum((a for a in facts.performed if a is not None), Decimal(0))
    if due is not None and (due <= 0 or (amount is not None and amount > due)):
        yield reason("advance_exceeds_due", amount="—" if amount is None else amount, due=due)


def evidence_is_newer_than_ruling(facts: Facts, request: Request) -> Iterator[Reason]:
    """A dismissed case is taken up again only for a judgment, an authority's finding, or a test or appraisal report.

    争议规则 4 and 5 lift the time limit for these; nothing can be put in the file of a closed case, so the command
    names what there is and the file gets it afterwards.
    """
    if facts.rulings and request.said("new_evidence") not in NEW_GROUNDS:
        yield reason("nothing_new", missing=("new_evidence",))


def evidence_is_of_the_other_side(facts: Facts, request: Request) -> Iterator[Reason]:
    """One disputes what the other side put in."""
    item = facts.evidence.get(request.said("evidence") or "")
    pool = [item] if item is not None else list(facts.evidence.values()) if request.is_blank else []
    if pool and all(e.by.role == request.by.role for e in pool):
        yield reason("own_evidence")


def same_identity(one: str, other: str) -> bool:
    """Whether two identities are the same person's however they are written (case, full width)."""
    return unicodedata.normalize("NFKC", one).casefold() == unicodedata.normalize("NFKC", other).casefold()


def order_is_consistent(given: OpenCase, at: datetime) -> Iterator[Reason]:
    """An order was placed, then received, then complained of; somebody else sold it; something was paid."""
    order = given.order
    received = order.received_at or order.ordered_at
    if not order.ordered_at <= received <= at or not order.paid or same_identity(order.merchant, given.consumer):
        yield reason("order_inconsistent")


def _parts(request: Request) -> tuple[Remedy | Extra, ...]:
    remedy = request.said("remedy")
    return remedy.parts if remedy is not None else ()


def _was_heard(facts: Facts, role: str, at: datetime) -> bool:
    hearing = facts.hearings.get(role)
    if hearing is None:
        return False
    return hearing.answered_at is not None or (hearing.answer_by is not None and hearing.answer_by < at)


def _merchant_may_win(facts: Facts) -> bool:
    forged = any(e.authenticity == "forged" and e.by.role in ("consumer", "adviser") for e in facts.evidence.values())
    results = [p.result for p in facts.proofs.values() if p.party == "merchant"]
    return forged or ("accepted" in results and not {"forged", "missing"}.intersection(results))


def _day(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


#: By name, as the table uses them. A name that is not here fails when the table is read.
GUARDS: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (
        actor_is_assigned, actor_did_not_rule_before, assignee_did_not_rule_before, evidence_is_new, offer_is_open,
        order_qualifies, amount_is_within_paid, remedy_has_amount, refund_is_within_paid, multiple_was_promised,
        merchant_was_contacted, limitation_runs,
        limitation_is_past, evidence_term_is_past, proof_term_is_past, deadline_is_ahead, evidence_is_enough,
        proof_was_asked, parties_were_heard, ruling_is_consistent, evidence_carries_the_ruling, ruling_grants_remedy,
        ruling_grants_nothing, higher_level_exists, platform_is_overdue_or_passed_it_up, nothing_was_ruled,
        referral_is_pending, no_referral_is_pending, body_has_the_matter, referral_is_of_actor, no_other_body_has_it,
        remedy_is_performed, goods_are_back, evidence_is_newer_than_ruling, evidence_is_of_the_other_side,
        award_is_what_was_settled, tip_off_went_to_actor, proof_is_in_file, channel_reaches_platform,
        promised_evidence_is_in_file, judge_is_no_party, nobody_else_is_assigned, objection_term_is_past, remedy_is_still_owed,
        body_had_the_matter, body_was_not_asked_yet, advance_was_promised, advance_is_within_due,
    )
}
