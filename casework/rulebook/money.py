"""What a rule about money gives: a multiple or a share of a sum, or a sum of its own, within its bounds, to the fen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from casework.rulebook.records import Base, Record

FEN = Decimal("0.01")
BASES: dict[Base, tuple[str, str]] = {
    "price": ("价款", "the price"), "paid": ("实际支付的金额", "what was paid"), "loss": ("损失", "the loss"),
    "freight": ("运费", "the freight"), "wage": ("当地上年度职工年平均工资", "the local average wage of the year before"),
}
"""What a rule multiplies, in words."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a calculation, in words."""

    zh: str
    en: str


def reckon(record: Record, sums: Mapping[Base, Decimal]) -> tuple[Decimal, tuple[Step, ...]]:
    """The amount in yuan (whole fen, half a fen up) and how it came about.

    ``sums`` are in yuan; ``price`` stands for a sum that is not given. Raises ``ValueError`` for a limit of time, for a
    negative sum, and where not even the price is given; ``TypeError`` for a float.
    """
    if record.counts_time:
        raise ValueError(f"{record.id} is a limit of time ({record.unit}) and no sum of money")
    if record.of is None:
        amount = Decimal(record.value).quantize(FEN)
        return amount, (Step(f"规则规定为 {amount} 元", f"the rule says {amount} yuan"),)
    base, steps = _base(record.of, sums)
    with localcontext() as exactly:
        exactly.prec = 60
        factor = Decimal(record.value) / 100 if record.unit == "percent" else Decimal(record.value)
        amount = (base * factor).quantize(FEN, ROUND_HALF_UP)
    sign = f"{base} × {record.value}" + ("%" if record.unit == "percent" else "")
    zh, en = BASES[record.of]
    steps += (Step(f"{zh} {sign} = {amount}", f"{en}: {sign} = {amount}"),)
    if record.min is not None and amount < record.min:
        amount = record.min
        steps += (Step(f"不足 {amount} 元的，为 {amount} 元", f"less than the least of {amount}: {amount}"),)
    if record.max is not None and amount > record.max:
        amount = record.max
        steps += (Step(f"超过上限，为 {amount} 元", f"more than the most of {amount}: {amount}"),)
    return amount, steps


def _base(of: Base, sums: Mapping[Base, Decimal]) -> tuple[Decimal, tuple[Step, ...]]:
    for name, value in sums.items():
        if isinstance(value, float):
            raise TypeError(f"{name} is a float; give a Decimal")
        if not Decimal(value).is_finite() or value < 0:
            raise ValueError(f"{name}: {value} is no sum of money")
    if of in sums:
        return Decimal(sums[of]), ()
    if "price" not in sums:
        raise ValueError(f"neither the {of} nor the price is given")
    zh, en = BASES[of]
    return Decimal(sums["price"]), (Step(f"未给出{zh}，以所给价款代替", f"{en} is not given; the price given stands for it"),)
