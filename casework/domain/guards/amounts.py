"""How much: what a remedy may come to, whoever offers, rules or settles it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from casework.domain.facts import Facts
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.values import Extra, Remedy
from casework.errors import Reason

#: The remedies that are money and may not exceed what was paid.
REFUNDS = ("refund", "return_refund", "price_difference")
#: The remedies that need an amount.
MONEY = (*REFUNDS, "compensation", "promised_multiple", "statutory_damages")
#: What a promised service pays at most, as a multiple of what was paid, and for which grounds (假一赔三/四, 不符包赔).
PROMISES = {
    "fake_one_pay_three": (3, ("counterfeit", "substandard")),
    "fake_one_pay_four": (4, ("counterfeit", "substandard")),
    "mismatch_compensation": (1, ("material_mismatch", "false_advertising", "quality_defect", "counterfeit")),
}


def parts(request: Request) -> tuple[Remedy | Extra, ...]:
    """What a command says of the remedy, part by part."""
    remedy = request.said("remedy")
    return remedy.parts if remedy is not None else ()


def amount_is_within_paid(facts: Facts, request: Request) -> Iterator[Reason]:
    """A refund gives back at most what was paid."""
    amount = request.said("amount")
    if amount is not None and not amount:
        yield reason("amount_missing", missing=("amount",))
    if amount is not None and amount > facts.given.order.paid:
        yield reason("amount_exceeds_paid", amount=amount, paid=facts.given.order.paid)


def remedy_has_amount(facts: Facts, request: Request) -> Iterator[Reason]:
    """A remedy that is money says how much."""
    if any(part.kind in MONEY and not part.amount for part in parts(request)):
        yield reason("amount_missing", missing=("remedy.amount",))


def refund_is_within_paid(facts: Facts, request: Request) -> Iterator[Reason]:
    """Refunds give back at most what was paid; what goes beyond is compensation."""
    refunds = sum((part.amount for part in parts(request) if part.kind in REFUNDS and part.amount), Decimal(0))
    if refunds > facts.given.order.paid:
        yield reason("amount_exceeds_paid", amount=refunds, paid=facts.given.order.paid)


def multiple_was_promised(facts: Facts, request: Request) -> Iterator[Reason]:
    """The platform awards a multiple only where the merchant promised it for this order (条例 12)."""
    order = facts.given.order
    asked = sum((p.amount or Decimal(0) for p in parts(request) if p.kind == "promised_multiple"), Decimal(0))
    if not any(part.kind == "promised_multiple" for part in parts(request)):
        return
    multiples = [PROMISES[s][0] for s in order.services if s in PROMISES and facts.given.ground in PROMISES[s][1]]
    if not multiples:
        yield reason("promise_missing")
    elif asked > max(multiples) * order.paid:
        yield reason("amount_exceeds_promise", amount=asked, most=max(multiples) * order.paid)
