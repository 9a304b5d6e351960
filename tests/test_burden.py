"""Who proves what first: the whole matrix, each step of it, and what turns the burden round."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from domain_helpers import START, Story, case_in, days, given_case
from figures import Figures
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.domain.burden import SITUATION_OF, SITUATIONS, TESTS, Stand, burden_of, stands
from casework.domain.categories import ALIASES, RULES, category_of, rules_of, window_end
from casework.domain.grounds import GROUNDS
from casework.domain.guards import GUARDS
from casework.domain.vocabulary import VOCABULARY
from casework.rulebook.edition import CURRENT

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CERTAINTY = {"A", "A-", "B", "C", "I"}
OVERLAYS = {"durable_six_months", "after_confirmation"}


def received(ago: float, category: str = "large_appliance", **order: Any) -> dict[str, Any]:
    return {"order": {"category": category, "ordered_at": START - days(ago + 3), "received_at": START - days(ago), **order}}


def stand(story: Story) -> Stand:
    return stands(story.facts, story.clock, Figures())


# --- the matrix as a whole -------------------------------------------------------------------------------------------


def test_every_ground_is_in_exactly_one_situation() -> None:
    named = [ground for row in SITUATIONS.values() for ground in row.grounds]
    assert sorted(named) == sorted(GROUNDS) == sorted(SITUATION_OF)
    assert len(named) == len(set(named))
    assert {name for name, row in SITUATIONS.items() if not row.grounds} == OVERLAYS


def test_every_situation_is_in_the_vocabulary_and_every_one_there_has_its_row() -> None:
    assert list(SITUATIONS) == list(VOCABULARY["situation"])


@pytest.mark.parametrize("ground", GROUNDS)
def test_who_proves_first_is_who_the_table_of_grounds_says(ground: str) -> None:
    row = SITUATIONS[SITUATION_OF[ground]]
    assert row.steps[0].party == ("merchant" if GROUNDS[ground].merchant_proves else "consumer")


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_row_is_whole(name: str) -> None:
    row = SITUATIONS[name]
    assert row.clause and row.certainty in CERTAINTY
    assert {s.party for s in row.steps} == {"consumer", "merchant"}
    for said in (row.said, *(s.said for s in row.steps)):
        assert CHINESE.search(said.zh) and not CHINESE.search(said.en)
    for step in row.steps:
        assert set(step.evidence) <= set(VOCABULARY["evidence"]) and set(step.proofs) <= set(VOCABULARY["proof"])
        assert step.own_groups != bool(step.evidence or step.proofs)
        assert not step.own_groups or step.party == "consumer"


@pytest.mark.parametrize("ground", GROUNDS)
def test_with_an_empty_file_whoever_proves_first_loses(ground: str) -> None:
    found = stand(given_case(ground=ground))
    assert (found.step, found.party, found.loses) == (0, found.burden.first, found.burden.first)
    assert found.missing and not found.shown


# --- step by step ----------------------------------------------------------------------------------------------------


def test_a_visible_defect_goes_from_the_buyer_to_the_seller_to_the_buyers_test() -> None:
    story = given_case(ground="damaged")
    assert stand(story).party == "consumer"
    story.evidence("goods_photo")
    assert (stand(story).party, stand(story).step) == ("merchant", 1)
    assert stand(story).loses == "merchant", "who does not explain, against him it stands (争议规则 65)"


def test_a_hidden_defect_begins_with_the_seller_and_his_accepted_papers_turn_it_to_the_buyers_test() -> None:
    story = case_in("awaiting_proof", ground="malfunction")
    assert stand(story).loses == "merchant"
    story.when("submit_proof", "merchant", kinds=("test_certificate", "purchase_voucher"))
    assert (stand(story).loses, set(stand(story).pending)) == ("merchant", {"test_certificate", "purchase_voucher"})
    story.when("examine_proof", "agent", kind="test_certificate", result="accepted")
    assert (stand(story).party, stand(story).loses, stand(story).missing) == ("consumer", "consumer", (("test_certificate",
    *TESTS),))
    story.evidence("test_report")
    assert (stand(story).party, stand(story).loses, stand(story).step) == (None, None, None)


@pytest.mark.parametrize("result", ["forged", "missing"])
def test_a_paper_that_is_forged_or_missing_spoils_the_sellers_others(result: str) -> None:
    story = case_in("awaiting_proof", ground="counterfeit")
    story.when("submit_proof", "merchant", kinds=("test_certificate", "purchase_voucher"))
    story.when("examine_proof", "agent", kind="test_certificate", result="accepted")
    story.when("examine_proof", "agent", kind="purchase_voucher", result=result)
    assert (stand(story).party, stand(story).loses) == ("merchant", "merchant")
    assert stand(story).forged == (("merchant",) if result == "forged" else ())


def test_what_the_buyer_forged_counts_for_nothing_and_he_loses() -> None:
    story = case_in("under_review", ground="damaged")
    [item] = [e for e in story.facts.evidence.values() if e.kind == "goods_photo"]
    story.when("examine_evidence", "agent", evidence=item.id, result="forged")
    assert (stand(story).forged, stand(story).loses, stand(story).party) == (("consumer",), "consumer", "consumer")


@pytest.mark.parametrize("result", ["accepted", "missing", "forged", None])
@pytest.mark.parametrize("ground", ["malfunction", "counterfeit", "quality_defect", "substandard"])
def test_where_the_seller_proves_first_it_agrees_with_the_guard_of_rulings(ground: str, result: str | None) -> None:
    story = case_in("awaiting_proof", ground=ground)
    story.when("submit_proof", "merchant", kinds=("test_certificate", "purchase_voucher"))
    for kind in ("test_certificate", "purchase_voucher") if result else ():
        story.when("examine_proof", "agent", kind=kind, result=result)
    asked = story.ask("rule", "agent", outcome="for_merchant", findings="x", clause="y")
    refused = "merchant_proof_missing" in [r.code for r in GUARDS["evidence_carries_the_ruling"](asked.facts, asked.request)]
    assert refused == (stand(story).loses == "merchant")


# --- what turns it round ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ago", "category", "ground", "turned"), [
    (1, "large_appliance", "poor_workmanship", True), (170, "computer", "damaged", True), (190, "computer", "damaged", False),
    (1, "washing_machine", "repair_failure", True), (1, "small_appliance", "poor_workmanship", False),
    (1, "large_appliance", "late_shipment", False), (1, "whatever", "damaged", False),
])
def test_for_durable_goods_of_the_list_the_merchant_proves_for_six_months(
    ago: float, category: str, ground: str, turned: bool
) -> None:
    facts = given_case(ground=ground, **received(ago, category)).facts
    found = burden_of(facts, START)
    assert (found.situation == "durable_six_months") == turned
    if turned:
        assert found.first == "merchant"


def test_the_six_months_are_counted_in_local_days_and_by_the_month() -> None:
    def at(receipt: str) -> str:
        story = given_case(ground="damaged", order={"category": "computer", "ordered_at": datetime.fromisoformat(receipt),
                                                    "received_at": datetime.fromisoformat(receipt)})
        return burden_of(story.facts, START).situation

    # The case is opened on 2026-03-02 in Shanghai.
    assert at("2025-09-02T08:00:00+08:00") == "durable_six_months"
    assert at("2025-09-01T23:59:00+08:00") == "visible_defect"


def test_without_a_receipt_nothing_is_turned() -> None:
    assert burden_of(given_case(ground="damaged", order={"category": "computer"}).facts, START).situation == "visible_defect"


@pytest.mark.parametrize("ground", GROUNDS)
def test_after_confirmation_the_buyer_proves_a_description_and_nothing_else_changes(ground: str) -> None:
    facts = given_case(ground=ground, **received(5, "clothing", confirmed_at=START - days(1))).facts
    description = SITUATION_OF[ground] == "description"
    assert burden_of(facts, START).situation == ("after_confirmation" if description else SITUATION_OF[ground])
    if description:
        parties = [s.party for s in burden_of(facts, START).row.steps]
        assert parties == ["consumer", "consumer", "merchant"]


@given(st.integers(0, 400), st.sampled_from(sorted(ALIASES)), st.sampled_from(sorted(GROUNDS)))
@settings(max_examples=60, deadline=None, database=None, derandomize=True)
def test_every_case_has_one_burden_and_somebody_who_may_lose(ago: int, category: str, ground: str) -> None:
    story = given_case(ground=ground, **received(ago, category))
    found = stand(story)
    assert found.burden.situation in SITUATIONS
    assert found.loses == found.party is not None


# --- categories ------------------------------------------------------------------------------------------------------


def test_categories_and_their_other_words_lead_to_the_vocabulary_and_the_unknown_is_general() -> None:
    assert set(ALIASES.values()) == set(VOCABULARY["category"])
    assert category_of("SHOES") == "clothing"
    assert category_of("no_such_thing") == "general"


@pytest.mark.parametrize("row", RULES, ids=lambda r: r.id)
def test_every_rule_of_a_category_is_whole(row: Any) -> None:
    assert set(row.categories) <= set(VOCABULARY["category"]) and set(row.grounds) <= set(GROUNDS)
    assert row.certainty in CERTAINTY and row.clause
    assert CHINESE.search(row.said.zh)
    assert (row.kind == "window") == (row.hours is not None)
    assert len({r.id for r in RULES}) == len(RULES)


def test_general_goods_have_no_rules_and_every_other_category_has_one() -> None:
    with_rules = {c for row in RULES for c in row.categories}
    assert with_rules == set(VOCABULARY["category"]) - {"general"}
    assert rules_of("general", "damaged") == ()


@pytest.mark.parametrize("category", ["fresh_food", "flowers"])
def test_fresh_goods_have_48_hours_from_receipt_for_evidence(category: str) -> None:
    facts = given_case(ground="damaged", **received(1, category)).facts
    [row] = [r for r in rules_of(category, "damaged") if r.kind == "window"]
    assert window_end(facts, row) == START - days(1) + timedelta(hours=48)
    assert window_end(given_case(ground="damaged").facts, row) is None


def test_the_real_edition_is_asked_for_the_six_months_only_where_it_has_them() -> None:
    facts = given_case(ground="damaged", **received(170, "computer")).facts
    with_figure = burden_of(facts, START, CURRENT).situation
    assert with_figure == burden_of(facts, START).situation == "durable_six_months"
