"""The guards that version 2 replaced: cases that pinned version 1 are still decided by them, to the same corners."""

from __future__ import annotations

import pytest
from domain_helpers import Story, case_in, ruling


def judged(ground: str = "counterfeit", **given: object) -> Story:
    return case_in("under_review", ground=ground, lifecycle=1, **given).heard()


def multiple(amount: str | None) -> dict[str, object]:
    return ruling(remedy={"kind": "promised_multiple"} | ({"amount": amount} if amount else {}))


@pytest.mark.parametrize(("ground", "services", "amount", "codes"), [
    ("counterfeit", ["fake_one_pay_three"], "2697.00", []),
    ("counterfeit", ["fake_one_pay_three"], "2697.01", ["amount_exceeds_promise"]),
    ("counterfeit", ["fake_one_pay_three", "fake_one_pay_four"], "3596.00", []),
    ("counterfeit", ["fake_one_pay_four"], "3596.01", ["amount_exceeds_promise"]),
    ("false_advertising", ["mismatch_compensation"], "899.00", []),
    ("false_advertising", ["fake_one_pay_three"], "1.00", ["promise_missing"]),
    ("counterfeit", ["instant_refund"], "1.00", ["promise_missing"]),
])
def test_a_multiple_is_what_the_table_of_promises_gives_for_the_ground(
        ground: str, services: list[str], amount: str, codes: list[str]) -> None:
    assert judged(ground, services=services).ask("rule", "agent", **multiple(amount)).codes == codes


def test_a_multiple_too_large_is_said_with_what_the_promise_pays_and_parts_are_added_up() -> None:
    case = judged(services=["fake_one_pay_three"])
    found = case.ask("rule", "agent", **multiple("2697.01"))["amount_exceeds_promise"]
    assert found.en == "2697.01 is more than the promise pays, 2697.00"

    extra = {"kind": "promised_multiple", "amount": "2600.00"}
    twice = {"kind": "promised_multiple", "amount": "97.01", "extra": [extra]}
    assert case.ask("rule", "agent", **ruling(remedy=twice)).codes == ["amount_exceeds_promise"]
    refund = {"kind": "refund", "amount": "899.00", "extra": [{"kind": "promised_multiple", "amount": "2697.00"}]}
    assert case.ask("rule", "agent", **ruling(remedy=refund)).codes == []


def test_a_multiple_without_an_amount_is_never_more_than_was_promised() -> None:
    case = judged(services=["fake_one_pay_three"], order={"paid": "0.20"})
    assert case.ask("rule", "agent", **multiple(None)).codes == ["amount_missing"]
    assert case.ask("rule", "agent", **multiple("0.61")).codes == ["amount_exceeds_promise"]


@pytest.mark.parametrize("outcome", ["for_consumer", "partly_for_consumer"])
def test_a_ruling_for_the_consumer_needs_what_the_ground_needs(outcome: str) -> None:
    case = passed_up()
    assert case.ask("rule", "agent:A-2", **ruling(outcome)).codes == ["evidence_missing"]
    case.evidence("fault_video", "fault_description")
    assert case.ask("rule", "agent:A-2", **ruling(outcome)).codes == []


def test_before_anything_is_said_one_side_at_least_could_win() -> None:
    case = passed_up()
    assert case.ask_blank("rule", "agent:A-2").codes == ["evidence_missing"]
    assert case.ask("rule", "agent:A-2", **ruling("for_merchant")).codes == ["merchant_proof_missing"]
    assert passed_up("damaged").ask_blank("rule", "agent:A-2").codes == []
    assert passed_up("damaged").ask("rule", "agent:A-2", **ruling("for_merchant")).codes == []


@pytest.mark.parametrize("by", ["consumer", "adviser:V-1"])
def test_who_forged_loses_without_any_proof_of_the_merchant(by: str) -> None:
    case = judged("malfunction").when("authorise_adviser", adviser="V-1").evidence("goods_photo", by=by)
    number = list(case.facts.evidence)[-1]
    assert case.ask("rule", "agent", **ruling("for_merchant")).codes == ["merchant_proof_missing"]
    case.when("examine_evidence", "agent", evidence=number, result="authentic")
    assert case.ask("rule", "agent", **ruling("for_merchant")).codes == ["merchant_proof_missing"]
    case.evidence("detail_photo", by=by)
    case.when("examine_evidence", "agent", evidence=list(case.facts.evidence)[-1], result="forged")
    assert case.ask("rule", "agent", **ruling("for_merchant")).codes == []


def test_a_forgery_of_the_merchant_proves_nothing_for_him() -> None:
    case = judged("malfunction").evidence("goods_photo", by="merchant")
    case.when("examine_evidence", "agent", evidence=list(case.facts.evidence)[-1], result="forged")
    assert case.ask("rule", "agent", **ruling("for_merchant")).codes == ["merchant_proof_missing"]


@pytest.mark.parametrize(("second", "codes"), [
    ("accepted", []), ("forged", ["merchant_proof_missing"]), ("missing", ["merchant_proof_missing"])])
def test_one_proof_accepted_is_undone_by_another_that_is_forged_or_missing(second: str, codes: list[str]) -> None:
    case = case_in("awaiting_proof", lifecycle=1).when(
        "submit_proof", "merchant", kinds=("test_certificate", "purchase_voucher")).heard()
    case.when("examine_proof", "agent", kind="test_certificate", result="accepted")
    case.when("examine_proof", "agent", kind="purchase_voucher", result=second)
    assert case.ask("rule", "agent", **ruling("for_merchant")).codes == codes


def passed_up(ground: str = "malfunction") -> Story:
    """Before a ruling, at the next level, with nothing in the file."""
    case = case_in("filed", ground=ground, lifecycle=1).when("log_call", note="客服", transferred=True)
    return case.when("escalate", statement="不服").when("assign", "supervisor", to="agent:A-2").heard()
