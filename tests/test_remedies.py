"""Money: what may be claimed, from whom, how much; golden figures and the properties of the sums."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from domain_helpers import START, case_in, given_case
from figures import SHARES, Figures
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.domain.burden import SITUATIONS
from casework.domain.grounds import GROUNDS
from casework.domain.guards import PROMISES
from casework.domain.remedies import ENTITLEMENTS, Claim, claims, may_award
from casework.domain.sums import (
    bundle_refund,
    bundle_shares,
    fault_of,
    fen,
    freight,
    price_difference,
    recover,
    repriced_refund,
)
from casework.domain.vocabulary import VOCABULARY
from casework.rulebook.edition import CURRENT

D = Decimal
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FEN = st.integers(0, 10**9).map(lambda n: D(n) / 100)


def found(ground: str, paid: str = "899.00", services: tuple[str, ...] = (), **order: Any) -> dict[str, Claim]:
    facts = given_case(ground=ground, services=services, order={"paid": paid, **order}).facts
    return {c.id: c for c in claims(facts, Figures(), START)}


# --- golden figures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("paid", "extra"), [
    ("100.00", "500.00"), ("166.66", "500.00"), ("166.67", "500.01"), ("1280.00", "3840.00"), ("0.01", "500.00"),
])
def test_fraud_pays_three_times_and_at_least_five_hundred(paid: str, extra: str) -> None:
    claim = found("counterfeit", paid)["fraud"]
    assert claim.amount == D(extra)
    assert (claim.kind, claim.venues, claim.rule) == ("statutory_damages", ("mediation", "court"), "fraud.multiple")
    assert claim.steps and claim.clause == "clause of fraud.multiple"


@pytest.mark.parametrize(("paid", "extra"), [("99.99", "1000.00"), ("100.00", "1000.00"), ("100.01", "1000.10")])
def test_food_pays_ten_times_and_at_least_a_thousand_and_nothing_else_does(paid: str, extra: str) -> None:
    assert found("quality_defect", paid, category="food")["food"].amount == D(extra)
    assert "food" not in found("quality_defect", paid, category="clothing")


@pytest.mark.parametrize(("paid", "short", "long"), [
    ("100.00", "3.00", "5.00"), ("300.00", "3.00", "15.00"), ("301.50", "3.02", "15.08"), ("600.00", "6.00", "30.00"),
    ("3000.00", "30.00", "30.00"), ("9999.00", "30.00", "30.00"),
])
def test_late_shipment_pays_one_or_five_per_cent_between_its_bounds(paid: str, short: str, long: str) -> None:
    claim = found("late_shipment", paid)
    assert (claim["late_shipment_short"].amount, claim["late_shipment_long"].amount) == (D(short), D(long))
    assert claim["late_shipment_short"].venues == ("platform",)


@pytest.mark.parametrize(("paid", "amount"), [("10.00", "5.00"), ("50.00", "5.00"), ("500.00", "50.00"), ("5000.00", "100.00")])
def test_no_stock_pays_ten_per_cent_between_five_and_a_hundred(paid: str, amount: str) -> None:
    assert found("not_shipped", paid)["no_stock"].amount == D(amount)


@pytest.mark.parametrize(("service", "id_", "times"), [
    ("fake_one_pay_three", "fake_one_pay_three", 3), ("fake_one_pay_four", "fake_one_pay_four", 4),
    ("mismatch_compensation", "mismatch", 1),
])
def test_a_promise_is_claimed_only_where_it_was_made_and_the_platform_may_award_it(service: str, id_: str, times: int) -> None:
    claim = found("counterfeit", "200.00", (service,))[id_]
    assert claim.amount == 200 * times and may_award(claim, "platform")
    assert id_ not in found("counterfeit", "200.00")
    assert PROMISES[service][0] == times
    row = next(r for r in ENTITLEMENTS if r.id == id_)
    assert set(row.on) == set(PROMISES[service][1]), "the guard of rulings lets award what is claimed here"


def test_damage_cover_pays_six_tenths_and_at_most_three_thousand() -> None:
    assert found("damaged", "100.00", ("damage_cover",))["damage_cover"].amount == D("60.00")
    assert found("damaged", "8000.00", ("damage_cover",))["damage_cover"].amount == D(3000)
    assert "damage_cover" not in found("damaged")


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ENTITLEMENTS, ids=lambda r: r.id)
def test_every_row_is_whole(row: Any) -> None:
    assert set(row.on) <= set(GROUNDS) | set(SITUATIONS)
    assert row.kind in VOCABULARY["remedy"] and set(row.venues) <= set(VOCABULARY["venue"]) and row.venues
    assert set(row.services) <= set(VOCABULARY["service"]) and set(row.categories) <= set(VOCABULARY["category"])
    assert (row.sum == "rule") == bool(row.rule) and (not row.rule or row.rule in SHARES)
    for said in (row.said, *row.conditions):
        assert CHINESE.search(said.zh)
        assert said.en


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_platform_awards_no_statutory_damages_and_no_refund_exceeds_what_was_paid(ground: str) -> None:
    for claim in found(ground, "123.45", tuple(PROMISES)).values():
        if claim.kind == "statutory_damages":
            assert not may_award(claim, "platform")
        if claim.kind in ("refund", "return_refund"):
            assert claim.amount == D("123.45")


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_ground_lets_claim_something_of_the_platform(ground: str) -> None:
    assert any(may_award(c, "platform") for c in found(ground).values())


def test_where_the_pinned_edition_lacks_a_figure_there_is_no_amount_and_a_line_says_so() -> None:
    facts = given_case(ground="counterfeit").facts
    by_id = {c.id: c for c in claims(facts, Figures("fraud.multiple"), START)}
    assert by_id["fraud"].amount is None
    assert "no such figure" in by_id["fraud"].steps[0].en
    assert {c.id for c in claims(facts, CURRENT, START)} == set(by_id)


def test_an_advance_is_what_is_still_owed_and_only_where_it_was_promised_or_ruled() -> None:
    assert "advance" not in found("malfunction")
    assert found("malfunction", services=("advance_compensation",))["advance"].amount is None
    story = case_in("remedy_due")
    [claim] = [c for c in claims(story.facts, Figures(), story.clock) if c.id == "advance"]
    assert claim.amount == D("899.00")
    story.when("perform_remedy", "merchant", amount="800.00")
    [claim] = [c for c in claims(story.facts, Figures(), story.clock) if c.id == "advance"]
    assert claim.amount == D("99.00")


# --- freight ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "free", "out", "back"), [
    ("merchant", True, "merchant", "merchant"), ("merchant", False, "merchant", "merchant"),
    ("consumer", True, "consumer", "consumer"), ("consumer", False, "consumer", "consumer"),
    ("none", True, "merchant", "consumer"), ("none", False, "consumer", "consumer"),
    ("unclear", True, "merchant", "consumer"), ("unclear", False, "merchant", "consumer"),
])
def test_freight_goes_by_fault_and_free_shipping_leaves_only_the_way_back(fault: Any, free: bool, out: str, back: str) -> None:
    assert freight(fault, free_shipping=free)[:2] == (out, back)


@pytest.mark.parametrize("ground", GROUNDS)
def test_only_a_return_without_a_reason_is_at_nobodys_fault(ground: str) -> None:
    assert fault_of(ground) == ("none" if ground == "no_reason_return" else "merchant")


# --- sums ------------------------------------------------------------------------------------------------------------


def test_a_price_difference_is_what_was_paid_too_much() -> None:
    assert price_difference(D("129.00"), D("99.90")) == D("29.10")
    for lower in (D("129.01"), D(-1)):
        with pytest.raises(ValueError, match="does not lie"):
            price_difference(D("129.00"), lower)


def test_a_bundle_is_shared_by_price_and_the_odd_fen_go_to_the_dearest_part() -> None:
    assert bundle_shares(D("100.00"), (D(1), D(1), D(1))) == (D("33.34"), D("33.33"), D("33.33"))
    assert bundle_shares(D("100.00"), (D(10), D(20), D(60))) == (D("11.11"), D("22.22"), D("66.67"))
    assert bundle_refund(D("100.00"), (D(10), D(20), D(60)), [0, 1, 1]) == D("33.33")
    assert bundle_refund(D("100.00"), (D(10), D(20), D(60)), []) == 0


@pytest.mark.parametrize(("paid", "prices"), [(D(1), ()), (D(1), (D(0),)), (D(1), (D(2), D(-1))), (D(-1), (D(1),)), (D("0.001"),
(D(1),))])
def test_a_bundle_without_parts_prices_or_fen_is_refused(paid: Decimal, prices: tuple[Decimal, ...]) -> None:
    with pytest.raises(ValueError):
        bundle_shares(paid, prices)
    with pytest.raises(IndexError):
        bundle_refund(D(1), (D(1),), [1])


@given(FEN, st.lists(FEN, min_size=1, max_size=8).filter(any), st.data())
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_the_shares_are_whole_fen_together_what_was_paid_and_no_part_is_worth_more(paid: Decimal, prices: list[Decimal],
data: Any) -> None:
    shares = bundle_shares(paid, prices)
    assert sum(shares) == paid
    assert all(s >= 0 and s == fen(s) for s in shares)
    for share, price in zip(shares, prices, strict=True):
        assert abs(share - paid * price / sum(prices)) <= D("0.01") * len(prices)
    some = data.draw(st.sets(st.integers(0, len(prices) - 1)))
    rest = set(range(len(prices))) - some
    assert 0 <= bundle_refund(paid, prices, some) <= paid
    assert bundle_refund(paid, prices, some) + bundle_refund(paid, prices, rest) == paid


@given(FEN, st.lists(FEN, max_size=5))
@settings(max_examples=100, deadline=None, database=None, derandomize=True)
def test_where_the_discount_hung_on_the_whole_the_kept_parts_cost_their_own_price(paid: Decimal, kept: list[Decimal]) -> None:
    refund = repriced_refund(paid, kept)
    assert 0 <= refund <= paid
    assert refund == max(paid - sum(kept), D(0))


@given(FEN, FEN)
@settings(max_examples=100, deadline=None, database=None, derandomize=True)
def test_the_deposit_covers_an_advance_as_far_as_it_goes(advance: Decimal, deposit: Decimal) -> None:
    back = recover(advance, deposit)
    assert back.recovered + back.shortfall == advance
    assert back.recovered == min(advance, deposit) and back.shortfall >= 0
    with pytest.raises(ValueError):
        recover(-advance - 1, deposit)


@pytest.mark.parametrize(("amount", "rounded"), [("0.005", "0.01"), ("0.004", "0.00"), ("3.015", "3.02"), ("2.675", "2.68")])
def test_amounts_are_rounded_half_up(amount: str, rounded: str) -> None:
    assert fen(D(amount)) == D(rounded)
