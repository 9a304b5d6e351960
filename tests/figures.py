"""An edition that knows figures: the deadlines of the current one, and amounts reckoned as the rules say them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from casework.domain.check import Line
from casework.rulebook.edition import CURRENT, Due

D = Decimal
#: Rule -> share of the price, least, most; yuan.
SHARES: dict[str, tuple[Decimal, Decimal | None, Decimal | None]] = {
    "fraud.multiple": (D(3), D(500), None), "food.multiple": (D(10), D(1000), None),
    "promised.fake_one_pay_three": (D(3), None, None), "promised.fake_one_pay_four": (D(4), None, None),
    "promised.mismatch": (D(1), None, None), "late_ship.48h": (D("0.01"), D(3), D(30)),
    "late_ship.over_48h": (D("0.05"), D(5), D(30)), "no_stock.48h": (D("0.1"), D(5), D(100)),
    "damage_cover": (D("0.6"), None, D(3000)), "return_freight_cover": (D(1), None, D(26)),
}


@dataclass(frozen=True)
class Amount:
    """What a rule makes of a price."""

    amount: Decimal
    rule: str
    clause: str
    certainty: str
    rank: str
    steps: tuple[Line, ...]


class Figures:
    """An edition with amounts. ``without`` are rules that it lacks."""

    id, digest = "figures", "0" * 64

    def __init__(self, *without: str) -> None:
        self.without = without

    def due(self, rule_id: str, start: datetime) -> Due:
        return CURRENT.due(rule_id, start)

    def has(self, rule_id: str) -> bool:
        return rule_id not in self.without and (rule_id in SHARES or CURRENT.has(rule_id))

    def amount(self, rule_id: str, price: Decimal, on: datetime) -> Amount:
        share, least, most = SHARES[rule_id]
        amount = (price * share).quantize(D("0.01"), ROUND_HALF_UP)
        amount = min(max(amount, least or amount), most or max(amount, least or amount))
        return Amount(amount, rule_id, f"clause of {rule_id}", "A", "law", (Line(f"{price} × {share}", f"{price} × {share}"),))
