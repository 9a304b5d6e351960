"""Money by the rulebook: the figures of the law and the platform, and what holds of every rule about money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from cli_helpers import casework
from hypothesis import given
from hypothesis import strategies as st

from casework.rulebook.edition import CURRENT, EDITIONS
from casework.rulebook.money import FEN, reckon
from casework.rulebook.records import Record

ON = date(2026, 3, 1)
MONEY = [r for r in CURRENT.records if not r.counts_time]
MULTIPLES = [r for r in MONEY if r.of]

#: rule, price, amount: the floors and ceilings, the fen beside them, and half a fen.
FIGURES = [
    ("fraud.multiple", "100", "500.00"),
    ("fraud.multiple", "166.66", "500.00"),
    ("fraud.multiple", "166.67", "500.01"),
    ("fraud.multiple", "1280", "3840.00"),
    ("fraud.multiple", "0", "500.00"),
    ("food.multiple", "9.90", "1000.00"),
    ("food.multiple", "100", "1000.00"),
    ("food.multiple", "100.01", "1000.10"),
    ("food.loss_multiple", "333.33", "1000.00"),
    ("food.loss_multiple", "333.34", "1000.02"),
    ("injury.punitive_max", "50000", "100000.00"),
    ("late_ship.48h", "59.00", "3.00"),
    ("late_ship.48h", "300.49", "3.00"),
    ("late_ship.48h", "300.50", "3.01"),
    ("late_ship.48h", "899.00", "8.99"),
    ("late_ship.48h", "3000.00", "30.00"),
    ("late_ship.48h", "9999.00", "30.00"),
    ("late_ship.over_48h", "99.00", "5.00"),
    ("late_ship.over_48h", "100.10", "5.01"),
    ("late_ship.over_48h", "899.00", "30.00"),
    ("no_stock.48h", "49.99", "5.00"),
    ("no_stock.48h", "899.00", "89.90"),
    ("no_stock.48h", "1000.01", "100.00"),
    ("no_stock.over_48h", "899.00", "269.70"),
    ("no_stock.over_48h", "5000", "500.00"),
    ("promised.fake_one_pay_three", "899.00", "2697.00"),
    ("promised.fake_one_pay_four", "899.00", "3596.00"),
    ("promised.mismatch", "1280", "1280.00"),
    ("promised.material_three", "1280", "3840.00"),
    ("damage_cover", "899.00", "539.40"),
    ("damage_cover", "5000", "3000.00"),
    ("damage_cover", "6000", "3000.00"),
    ("return_freight_cover", "12.50", "12.50"),
    ("return_freight_cover", "40", "26.00"),
    ("intercept.paid_most", "1", "1000.00"),
    ("court.small_claims.cap", "100000", "50000.00"),
    ("court.small_claims.cap_agreed", "100000", "200000.00"),
]


@pytest.mark.parametrize(("rule", "price", "amount"), FIGURES)
def test_the_figures_of_the_law_and_the_platform(rule: str, price: str, amount: str) -> None:
    assert str(CURRENT.amount(rule, Decimal(price), ON).amount) == amount
    assert casework("rules", "amount", rule, "--price", price, "--on", "2026-03-01", "--json").document()["amount"] == amount


def test_every_rule_about_money_has_its_figure_above() -> None:
    assert {r.id for r in MONEY} == {rule for rule, _, _ in FIGURES}


def test_the_steps_say_how_the_amount_came_about_in_both_languages() -> None:
    found = CURRENT.amount("fraud.multiple", Decimal("166.66"), ON)
    assert [s.en for s in found.steps] == ["the price: 166.66 × 3 = 499.98", "less than the least of 500.00: 500.00"]
    assert [s.zh for s in found.steps] == ["价款 166.66 × 3 = 499.98", "不足 500.00 元的，为 500.00 元"]
    assert found.awarded_by == ("mediation", "court")


def test_what_is_known_is_used_and_the_price_stands_for_what_is_not() -> None:
    paid = CURRENT.amount("no_stock.48h", Decimal(899), ON, sums={"paid": Decimal(500)})
    assert paid.amount == Decimal("50.00") and len(paid.steps) == 1
    stand_in = CURRENT.amount("no_stock.48h", None, ON, sums={"price": Decimal(899)})
    assert stand_in.amount == Decimal("89.90") and "stands for it" in stand_in.steps[0].en
    alone = CURRENT.amount("no_stock.48h", Decimal(899), ON)
    assert alone.amount == Decimal("89.90") and len(alone.steps) == 1, "a price by itself is what was paid"
    freight = CURRENT.amount("return_freight_cover", Decimal(899), ON)
    assert "the freight is not given" in freight.steps[0].en
    with pytest.raises(ValueError, match="paid"):
        CURRENT.amount("no_stock.48h", None, ON)


@pytest.mark.parametrize(("price", "error"), [
    (Decimal("-0.01"), ValueError), (Decimal("NaN"), ValueError), (Decimal("Infinity"), ValueError), (1.5, TypeError),
])
def test_what_is_no_sum_of_money_is_refused(price: Decimal, error: type[Exception]) -> None:
    with pytest.raises(error):
        CURRENT.amount("fraud.multiple", price, ON)


def test_the_first_edition_knows_no_money() -> None:
    assert not any(EDITIONS["2026-11"].has(r.id) for r in MONEY)


def test_a_fraction_of_a_percent_is_exact() -> None:
    half = Record("x", Decimal("0.5"), "percent", None, None, "platform", "act", "§1", "A", "一", "one", of="price")
    assert reckon(half, {"price": Decimal("1.00")})[0] == Decimal("0.01"), "half a fen goes up"
    assert reckon(half, {"price": Decimal("0.99")})[0] == Decimal("0.00")
    assert reckon(half, {"price": Decimal("999999999999.99")})[0] == Decimal("5000000000.00")


# --- properties

yuan = st.decimals(min_value=0, max_value=10**11, places=2, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("record", MONEY, ids=lambda r: r.id)
@given(price=yuan)
def test_an_amount_is_whole_fen_and_within_its_bounds(record: Record, price: Decimal) -> None:
    amount = CURRENT.amount(record.id, price, ON, record.rank).amount
    assert amount == amount.quantize(FEN) and amount.as_tuple().exponent == -2
    assert (record.min or Decimal(0)) <= amount
    assert record.max is None or amount <= record.max


@pytest.mark.parametrize("record", MULTIPLES, ids=lambda r: r.id)
@given(one=yuan, two=yuan)
def test_a_higher_price_never_gives_less(record: Record, one: Decimal, two: Decimal) -> None:
    low, high = sorted((one, two))
    assert CURRENT.amount(record.id, low, ON).amount <= CURRENT.amount(record.id, high, ON).amount


@pytest.mark.parametrize("record", MULTIPLES, ids=lambda r: r.id)
@given(price=yuan)
def test_within_the_bounds_it_is_the_exact_share_to_half_a_fen(record: Record, price: Decimal) -> None:
    amount = CURRENT.amount(record.id, price, ON).amount
    exact = price * Decimal(record.value) / (100 if record.unit == "percent" else 1)
    if (record.min or 0) < amount < (record.max or Decimal("Infinity")):
        assert -FEN / 2 < amount - exact <= FEN / 2 or amount == exact


@pytest.mark.parametrize(("rule", "by"), [("fraud.multiple", "platform"), ("food.multiple", "platform")])
def test_what_the_platform_does_not_award_is_said(rule: str, by: str) -> None:
    assert by not in casework("rules", "amount", rule, "--price", "100", "--json").document()["awarded_by"]
    assert "not by the platform" in casework("rules", "amount", rule, "--price", "100").ok().out
    assert "平台不判给" in casework("rules", "amount", rule, "--price", "100", lang="zh").ok().out
