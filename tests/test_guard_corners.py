"""The corners of the guards: the very moment, the very fen, the one thing among several."""

from __future__ import annotations

from datetime import timedelta

import pytest
from domain_helpers import START, Story, case_in, days, given_case, ruling, sample

from casework.domain.commands import COMMANDS
from casework.domain.guards import GUARDS, limitation
from casework.domain.reasons import REASONS
from casework.domain.vocabulary import VOCABULARY
from casework.errors import Refused


def test_what_is_unknown_is_nobodys_own_evidence() -> None:
    case = given_case().evidence("goods_photo")
    assert case.ask("dispute_evidence", evidence="E-9", statement="x").codes == ["unknown_item"]


def test_a_call_promises_nothing_for_a_day_that_is_past() -> None:
    case = case_in("filed")
    assert case.ask("log_call", note="客服", promised_by=days(-1)).codes == ["deadline_not_in_future"]
    assert case.ask("log_call", note="客服", promised_by=days(1)).codes == []


def test_a_referral_that_was_settled_is_still_pending() -> None:
    case = case_in("filed").when("refer", body="court", statement="起诉")
    case.when("accept_referral", "external:court", referral="R-1")
    case.when("settle_referral", "external:court", referral="R-1", remedy={"kind": "refund", "amount": "9.00"})
    assert case.ask("go_external").codes == []
    case.when("go_external")
    assert case.ask("end_external").codes == ["referral_open"]


def test_two_things_never_make_one_option_together() -> None:
    # E-1 is the consumer's own; E-2, the merchant's, is disputed already.
    case = given_case().evidence("goods_photo").evidence("statement", by="merchant")
    assert case.ask_blank("dispute_evidence", "consumer").codes == []
    case.when("dispute_evidence", evidence="E-2", statement="不实")
    assert case.ask_blank("dispute_evidence", "consumer").codes != []

    # The court's referral has ended; the one that lies with 12315 is not the court's to refuse.
    case = case_in("filed").when("refer", body="court", statement="起诉")
    case.when("refuse_referral", "external:court", referral="R-1", explanation="不予")
    case.when("refer", body="market_regulator", statement="投诉")
    assert case.ask_blank("refuse_referral", "external:court").codes != []
    assert case.ask_blank("refuse_referral", "external:market_regulator").codes == []


def test_a_ruling_is_no_option_where_neither_side_could_win() -> None:
    case = case_in("filed").when("log_call", note="客服", transferred=True).when("escalate", statement="不服")
    case.when("assign", "supervisor", to="agent:A-2").heard()
    assert case.ask_blank("rule", "agent:A-2").codes == ["evidence_missing"]
    assert case.ask("rule", "agent:A-2", **ruling("for_merchant")).codes == ["merchant_proof_missing"]


def test_proof_that_was_asked_for_can_be_found_missing_before_anything_is_handed_in() -> None:
    case = case_in("awaiting_proof")
    assert case.ask_blank("examine_proof", "agent").codes == []
    assert case.ask("examine_proof", "agent", kind="test_certificate", result="missing").codes == []
    assert case.ask("examine_proof", "agent", kind="test_certificate", result="accepted").codes == ["unknown_item"]
    assert case.ask("examine_proof", "agent", kind="shipping_proof", result="missing").codes == ["unknown_item"]


def test_nothing_is_paid_in_advance_where_nothing_is_due_any_more() -> None:
    case = case_in("remedy_due", services=["advance_compensation"]).when("apply_advance", statement="未履行")
    assert case.ask_blank("pay_advance", "agent").codes == []
    assert case.ask("pay_advance", "agent", amount="899.00").codes == []
    case.when("perform_remedy", "merchant", amount="899.00")
    assert case.ask_blank("pay_advance", "agent").codes == ["advance_exceeds_due"]


@pytest.mark.parametrize("to", ["agent:C-1", "agent:c-1", "supervisor:M-1", "agent:V-1"])
def test_no_party_and_no_adviser_is_assigned_or_rules(to: str) -> None:
    case = case_in("filed").when("authorise_adviser", adviser="V-1")
    assert case.ask("assign", "supervisor:S-1", to=to).codes == ["party_may_not_judge"]
    assert case.ask("assign", "system", to=to).codes == ["party_may_not_judge"]
    assert case.ask("assign", "system", to="agent:A-2").codes == []
    assert "party_may_not_judge" in case_in("under_review").ask("rule", "supervisor:C-1", **ruling()).codes


def test_a_refund_of_nothing_is_no_amount() -> None:
    case = given_case(services=["instant_refund"])
    assert case.ask("instant_refund", "system", amount="0").codes == ["amount_missing"]
    assert case.ask("instant_refund", "system", amount="899.00").codes == []


def test_to_the_very_moment_limitation_runs_and_a_demand_in_that_moment_starts_it_anew() -> None:
    case = given_case()
    due = limitation(case.facts, case.ask_blank("reopen", "consumer").request).at
    last = due - case.clock
    assert case.ask("lapse", "system", after=last).codes == ["term_running"]
    assert case.ask("lapse", "system", after=last + timedelta(microseconds=1)).codes == []
    case.when("contact_merchant", after=last, message="请处理")
    assert case.ask("lapse", "system", after=days(300)).codes == ["term_running"]


def test_after_a_review_nothing_is_waited_for_before_the_case_is_closed() -> None:
    first = case_in("ruled", outcome="for_merchant")
    assert first.ask("dismiss", "agent:A-1").codes == ["term_running"]
    first.when("escalate", statement="不服").when("assign", "supervisor", to="agent:A-2").heard()
    first.when("rule", "agent:A-2", **ruling("for_merchant"))
    assert first.ask("dismiss", "agent:A-2").codes == []


def test_an_advance_needs_a_promise_or_a_ruling_and_either_is_enough() -> None:
    def settled(*services: str) -> Story:
        return case_in("offer_made", services=services).when("accept_offer")

    assert settled().ask("apply_advance", statement="未履行").codes == ["advance_not_promised"]
    assert settled("advance_compensation").ask("apply_advance", statement="未履行").codes == []
    assert case_in("remedy_due").ask("apply_advance", statement="未履行").codes == []


@pytest.mark.parametrize(("remedy", "amount", "codes"), [
    ({"kind": "exchange"}, "5000.00", []),
    ({"kind": "refund", "amount": "1.00"}, "1.00", []),
    ({"kind": "refund", "amount": "0.50"}, "0.51", ["advance_exceeds_due"]),
])
def test_an_advance_is_at_most_what_is_due_where_that_is_money(remedy: dict[str, str], amount: str, codes: list[str]) -> None:
    case = case_in("remedy_due", remedy=remedy).when("apply_advance", statement="未履行")
    assert case.ask_blank("pay_advance", "agent").codes == []
    assert case.ask("pay_advance", "agent", amount=amount).codes == codes


def test_a_complaint_can_be_opened_in_the_moment_of_receipt_and_not_before() -> None:
    given_case(order={"received_at": START})
    with pytest.raises(Refused) as caught:
        given_case(order={"received_at": START + timedelta(seconds=1)})
    assert caught.value.codes == ["order_inconsistent"]


def test_whose_proof_it_is_counts_and_what_was_missing_can_be_said_again_and_not_accepted() -> None:
    case = case_in("awaiting_proof")
    hers = case.ask("examine_proof", "agent", kind="test_certificate", result="missing", party="consumer")
    assert hers.codes == ["unknown_item"]
    case.when("submit_proof", "merchant", kinds=("test_certificate",))
    assert case.ask_blank("examine_proof", "agent").codes == []
    assert case.ask("examine_proof", "agent", kind="test_certificate", result="accepted").codes == []
    consumers = case.ask("examine_proof", "agent", kind="test_certificate", result="accepted", party="consumer")
    assert consumers.codes == ["unknown_item"]

    closed = case_in("awaiting_proof").when("close_proof", "system", after=days(4))
    assert closed.ask("examine_proof", "agent", kind="test_certificate", result="accepted").codes == ["unknown_item"]
    assert closed.ask("examine_proof", "agent", kind="test_certificate", result="missing").codes == []
    assert case_in("under_review").ask_blank("examine_proof", "agent").codes == ["unknown_item"]


@pytest.mark.parametrize(("name", "by", "data"), [
    ("answer_tip_off", "agent", {"tip_off": "T-9", "result": "case_opened"}),
    ("accept_referral", "external:police", {"referral": "R-9"}),
])
def test_what_is_unknown_is_nobody_elses(name: str, by: str, data: dict[str, str]) -> None:
    case = case_in("filed").when("tip_off", to="police", about="counterfeit", statement="举报")
    case.when("refer", body="court", statement="起诉")
    assert case.ask(name, by, **data).codes == ["unknown_item"]


def test_of_several_things_the_option_speaks_of_the_one_with_the_least_against_it() -> None:
    case = case_in("filed").when("refer", body="court", statement="起诉").when("refer", body="police", statement="报案")
    case.when("refuse_referral", "external:police", referral="R-2", explanation="不予")
    assert case.ask_blank("end_referral", "external:court").codes == ["wrong_point"]
    assert case.ask_blank("end_referral", "external:arbitration").codes == ["not_this_body", "wrong_point"]
    assert case.ask_blank("accept_referral", "external:court").codes == []
    assert given_case().ask_blank("dispute_evidence", "consumer").codes == ["unknown_item"]


@pytest.mark.parametrize("state", VOCABULARY["state"])
def test_every_guard_has_an_answer_in_every_state_whatever_is_asked_of_it(state: str) -> None:
    case = case_in(state)
    for name in COMMANDS:
        for asked in (case.ask_blank(name, "agent"), case.ask(name, "agent", **sample(name))):
            for guard in GUARDS:
                assert set(asked.of(guard)) <= set(REASONS)


def test_a_multiple_without_an_amount_is_never_more_than_was_promised() -> None:
    case = case_in("under_review", ground="counterfeit", services=["fake_one_pay_three"], order={"paid": "0.20"}).heard()
    assert case.ask("rule", "agent", **ruling(remedy={"kind": "promised_multiple"})).codes == ["amount_missing"]
    assert case.ask("rule", "agent", **ruling(remedy={"kind": "promised_multiple", "amount": "0.60"})).codes == []
    assert case.ask("rule", "agent", **ruling(remedy={"kind": "promised_multiple", "amount": "0.61"})).codes == [
        "amount_exceeds_promise"]
