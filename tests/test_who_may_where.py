"""Who may do what in which state: double entry, apart from the tables of the lifecycle."""

from __future__ import annotations

import pytest
from domain_helpers import ACTORS, case_in

from casework.domain.commands import COMMANDS
from casework.domain.vocabulary import VOCABULARY

ALL = " ".join(VOCABULARY["state"])
ENDS = ("resolved", "dismissed", "withdrawn", "abandoned", "lapsed")
OPEN = " ".join(state for state in VOCABULARY["state"] if state not in ENDS)
HEARING = "filed more_evidence_needed under_review awaiting_proof suspended escalated"
#: A command, the roles that may give it, the states in which there is such a step: double entry, apart from the tables.
MAY: tuple[tuple[str, str, str], ...] = (
    ("contact_merchant", "consumer", "discovered awaiting_merchant merchant_refused"),
    ("ask_for_evidence", "merchant", "awaiting_merchant"),
    ("answer_merchant", "consumer", "merchant_needs_evidence"),
    ("make_offer", "merchant",
     "awaiting_merchant merchant_needs_evidence offer_made merchant_refused filed more_evidence_needed "
     "not_accepted under_review awaiting_proof suspended ruled escalated with_external_body"),
    ("decline_offer", "consumer",
     "offer_made filed more_evidence_needed not_accepted under_review awaiting_proof suspended ruled "
     "escalated with_external_body"),
    ("accept_offer", "consumer",
     "awaiting_merchant merchant_needs_evidence offer_made merchant_refused filed more_evidence_needed "
     "not_accepted under_review awaiting_proof suspended ruled escalated with_external_body"),
    ("refuse_claim", "merchant", "awaiting_merchant merchant_needs_evidence offer_made"),
    ("instant_refund", "system agent", "discovered awaiting_merchant"),
    ("file", "consumer",
     "discovered awaiting_merchant merchant_needs_evidence offer_made merchant_refused not_accepted "
     "with_external_body"),
    ("reject_complaint", "agent supervisor system", "filed more_evidence_needed"),
    ("request_evidence", "agent supervisor", "filed"),
    ("supply_evidence", "consumer", "more_evidence_needed"),
    ("accept_complaint", "agent supervisor", "filed"),
    ("ask_proof", "agent supervisor", "under_review"),
    ("submit_proof", "merchant consumer", "awaiting_proof"),
    ("close_proof", "agent supervisor system", "awaiting_proof"),
    ("suspend", "agent supervisor", "under_review"),
    ("resume", "agent supervisor system", "suspended"),
    ("rule", "agent supervisor", "under_review escalated"),
    ("execute_ruling", "agent supervisor system", "ruled"),
    ("dismiss", "agent supervisor system", "ruled"),
    ("escalate", "consumer merchant", "ruled"),
    ("escalate", "consumer", "filed not_accepted under_review"),
    ("remit", "supervisor", "escalated"),
    ("refuse_escalation", "supervisor", "escalated"),
    ("go_external", "consumer", "merchant_refused filed not_accepted under_review ruled escalated"),
    ("external_award", "external", "with_external_body"),
    ("end_external", "consumer external system", "with_external_body"),
    ("perform_remedy", "merchant agent supervisor system", "remedy_due"),
    ("confirm_remedy", "consumer agent supervisor system", "remedy_due"),
    ("report_default", "consumer", "remedy_due"),
    ("withdraw", "consumer",
     "awaiting_merchant merchant_needs_evidence offer_made merchant_refused filed more_evidence_needed "
     "not_accepted under_review awaiting_proof suspended ruled escalated with_external_body"),
    ("give_up", "consumer", OPEN),
    ("lapse", "system agent",
     "discovered awaiting_merchant merchant_needs_evidence offer_made merchant_refused "
     "more_evidence_needed not_accepted remedy_due"),
    ("deem_agreed", "system", "awaiting_merchant"),
    ("reopen", "consumer", "withdrawn abandoned lapsed"),
    ("reopen_filed", "consumer", "dismissed withdrawn abandoned lapsed"),
    ("add_evidence", "consumer merchant adviser agent supervisor", OPEN),
    ("dispute_evidence", "consumer merchant", OPEN),
    ("examine_evidence", "agent supervisor", HEARING),
    ("examine_proof", "agent supervisor", HEARING),
    ("notify", "agent supervisor system", HEARING),
    ("answer", "consumer merchant", HEARING),
    ("assign", "supervisor system", HEARING),
    ("log_call", "consumer adviser agent supervisor", OPEN),
    ("refer", "consumer", OPEN),
    ("accept_referral", "external", OPEN),
    ("refuse_referral", "external", ALL),
    ("settle_referral", "external", OPEN),
    ("end_referral", "external", ALL),
    ("withdraw_referral", "consumer", ALL),
    ("tip_off", "consumer agent supervisor", ALL),
    ("answer_tip_off", "agent supervisor external", ALL),
    ("publicise", "consumer", ALL),
    ("give_feedback", "consumer", ALL),
    ("ship_return", "consumer", "remedy_due"),
    ("receive_return", "merchant agent supervisor system", "remedy_due"),
    ("contest_return", "merchant", "remedy_due"),
    ("settle_return", "agent supervisor", "remedy_due"),
    ("reply", "consumer merchant",
     "awaiting_merchant merchant_needs_evidence offer_made merchant_refused filed more_evidence_needed "
     "not_accepted under_review awaiting_proof suspended"),
    ("apply_advance", "consumer system", "remedy_due"),
    ("pay_advance", "agent supervisor system", "remedy_due"),
    ("close_advance", "agent supervisor system", ALL),
    ("recover_advance", "agent supervisor system", ALL),
    ("authorise_adviser", "consumer", OPEN),
    ("correct_ruling", "agent supervisor", "ruled remedy_due"),
    ("show_acceptance", "consumer merchant", "suspended"),
    ("pause_duty", "agent supervisor external", OPEN),
    ("resume_duty", "agent supervisor external", OPEN),
    ("extend_duty", "agent supervisor external", OPEN),
    ("miss_duty", "system", OPEN),
    ("recompute_duty", "system", OPEN),
    ("adopt_edition", "supervisor system", OPEN),
)


@pytest.mark.parametrize("state", VOCABULARY["state"])
def test_each_command_is_for_these_roles_in_these_states_and_for_no_others(state: str) -> None:
    case = case_in(state)
    for name in COMMANDS:
        here = [roles.split() for command_, roles, states in MAY if command_ == name and state in states.split()]
        for role, who in ACTORS.items():
            codes = case.ask_blank(name, who).codes
            assert ("not_in_this_state" in codes) == (not here), f"{name} by {role}"
            if here:
                assert ("role_not_allowed" in codes) == (role not in here[0]), f"{name} by {role}"


def test_no_offer_is_declined_or_accepted_where_there_is_none_in_any_state() -> None:
    for state in f"{HEARING} not_accepted ruled with_external_body".split():
        for name in ("decline_offer", "accept_offer"):
            assert case_in(state).ask(name).codes == ["no_open_offer"]
