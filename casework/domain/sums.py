"""The sums of a settlement that need no rulebook: price difference, freight, bundles, the recovery of an advance.

Amounts are yuan with two decimals, rounded half up where a step does not say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

from casework.domain.values import FEN

#: Whose fault sends goods back; ``none`` is a return without a reason, ``unclear`` where neither side's is shown.
Fault = Literal["merchant", "consumer", "none", "unclear"]


class Freight(NamedTuple):
    """Who bears each leg: ``out`` the first delivery, ``back`` the return."""

    out: str
    back: str
    clause: str


class Recovery(NamedTuple):
    """What the platform gets back of an advance, and what is left to the parties' own business (争议规则 86). Yuan."""

    recovered: Decimal
    shortfall: Decimal


def fault_of(ground: str) -> Fault:
    """Whose fault a return on that ground is, if it is borne out."""
    return "none" if ground == "no_reason_return" else "merchant"


def freight(fault: Fault, *, free_shipping: bool) -> Freight:
    """Who bears the freight (争议规则 7, 49–54; 消法 24, 25). ``free_shipping``: the price included the first leg (包邮)."""
    if fault == "merchant":
        return Freight("merchant", "merchant", "淘宝平台争议处理规则 49–54；消费者权益保护法 24")
    if fault == "unclear":
        return Freight("merchant", "consumer", "淘宝平台争议处理规则 7")
    if fault == "none" and free_shipping:
        return Freight("merchant", "consumer", "淘宝平台争议处理规则 49–54；消费者权益保护法 25")
    return Freight("consumer", "consumer", "淘宝平台争议处理规则 49–54；消费者权益保护法 25")


def price_difference(paid: Decimal, lower: Decimal) -> Decimal:
    """What is given back where ``lower`` was due, in yuan. ValueError unless 0 <= lower <= paid."""
    if not Decimal(0) <= lower <= paid:
        raise ValueError(f"a lower price of {lower} does not lie between 0 and the {paid} that was paid")
    return fen(paid - lower)


def bundle_shares(paid: Decimal, prices: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """What was paid for each part of a bundle, in proportion to the parts' prices; together exactly ``paid``.

    Each share is cut to whole fen, and the fen left over go to the dearest part, the first of equals: so no set of parts is
    ever worth more than what was paid. ValueError for no parts, a negative amount, or prices that are all zero.
    """
    total = sum(prices, Decimal(0))
    if not prices or total <= 0 or min(prices) < 0 or paid < 0 or paid != fen(paid):
        raise ValueError("a bundle has parts with prices, none negative, not all zero, and was paid for in whole fen")
    shares = [(paid * price / total).quantize(FEN, ROUND_DOWN) for price in prices]
    shares[max(range(len(prices)), key=lambda i: (prices[i], -i))] += paid - sum(shares, Decimal(0))
    return tuple(shares)


def bundle_refund(paid: Decimal, prices: Sequence[Decimal], returned: Iterable[int]) -> Decimal:
    """What goes back for the parts of a bundle at these places, by :func:`bundle_shares`. IndexError for no such part."""
    shares = bundle_shares(paid, prices)
    places = set(returned)
    if any(not 0 <= i < len(shares) for i in places):
        raise IndexError(f"the bundle has parts 0 to {len(shares) - 1}")
    return sum((shares[i] for i in places), Decimal(0))


def repriced_refund(paid: Decimal, kept: Iterable[Decimal]) -> Decimal:
    """What goes back where the bundle's discount hung on all of it: what was paid less the kept parts' own prices, never
    below zero (暂行办法 14–17)."""
    return max(fen(paid - sum(kept, Decimal(0))), Decimal(0))


def recover(advance: Decimal, deposit: Decimal) -> Recovery:
    """What of an advance the merchant's deposit covers, in yuan. ValueError for a negative amount."""
    if advance < 0 or deposit < 0:
        raise ValueError("neither an advance nor a deposit is negative")
    recovered = min(advance, deposit)
    return Recovery(recovered, advance - recovered)


def fen(amount: Decimal) -> Decimal:
    """Yuan in whole fen, half up."""
    return amount.quantize(FEN, ROUND_HALF_UP)
