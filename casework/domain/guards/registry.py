"""The registry of guards: the only place where a name becomes a function."""

from __future__ import annotations

from casework.domain.guards.amounts import amount_is_within_paid, multiple_was_promised, refund_is_within_paid, remedy_has_amount
from casework.domain.guards.duties import (
    carrier_was_asked,
    claim_was_put,
    duty_is_known,
    duty_is_overdue,
    duty_is_paused,
    duty_is_provisional,
    duty_is_running,
    duty_is_the_actors_to_move,
    edition_is_later,
    new_time_is_later,
    suspension_needs_proof,
    system_waits_for_the_term,
)
from casework.domain.guards.evidence import (
    evidence_is_enough,
    evidence_is_of_the_other_side,
    promised_evidence_is_in_file,
    proof_is_in_file,
    proof_was_asked,
)
from casework.domain.guards.external import (
    award_is_what_was_settled,
    body_had_the_matter,
    body_has_the_matter,
    body_was_not_asked_yet,
    no_other_body_has_it,
    no_referral_is_pending,
    referral_is_of_actor,
    referral_is_pending,
    tip_off_went_to_actor,
)
from casework.domain.guards.figures import compensation_is_within_the_rules, promise_gives_as_much
from casework.domain.guards.merchant import (
    channel_reaches_platform,
    evidence_is_new,
    merchant_was_contacted,
    offer_is_open,
    order_qualifies,
)
from casework.domain.guards.performance import (
    advance_is_within_due,
    advance_was_promised,
    goods_are_back,
    remedy_is_performed,
    remedy_is_still_owed,
)
from casework.domain.guards.proving import burden_is_met
from casework.domain.guards.ruling import (
    correction_keeps_the_outcome,
    evidence_carries_the_ruling,
    evidence_is_newer_than_ruling,
    higher_level_exists,
    nothing_is_performed_yet,
    nothing_was_ruled,
    parties_were_heard,
    platform_is_overdue_or_passed_it_up,
    ruling_grants_nothing,
    ruling_grants_remedy,
    ruling_is_consistent,
    ruling_is_the_actors,
)
from casework.domain.guards.terms import (
    deadline_is_ahead,
    evidence_term_is_past,
    limitation_is_past,
    limitation_runs,
    objection_term_is_past,
    proof_term_is_past,
    return_term_is_past,
)
from casework.domain.guards.who import (
    actor_did_not_rule_before,
    actor_is_assigned,
    assignee_did_not_rule_before,
    judge_is_no_party,
    nobody_else_is_assigned,
)
from casework.domain.request import Guard

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
        burden_is_met, compensation_is_within_the_rules, promise_gives_as_much,
        correction_keeps_the_outcome, nothing_is_performed_yet, ruling_is_the_actors, carrier_was_asked,
        claim_was_put, duty_is_known, duty_is_overdue, duty_is_paused, duty_is_provisional, duty_is_running,
        duty_is_the_actors_to_move, edition_is_later, new_time_is_later, return_term_is_past, suspension_needs_proof,
        system_waits_for_the_term,
    )
}
