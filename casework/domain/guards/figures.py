"""How much a ruling may award, by the figures of the rulebook and not by those of a table of ours."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from casework.domain.facts import Facts
from casework.domain.guards.amounts import parts
from casework.domain.reasons import reason
from casework.domain.remedies import FREIGHT, Claim, claims, may_rule
from casework.domain.request import Request
from casework.errors import Reason

#: What freight may come to of goods that were cheaper. A bound of ours, no rule's: to send a parcel may cost more than it holds.
FREIGHT_BOUND = Decimal("100.00")


def promise_gives_as_much(facts: Facts, request: Request) -> Iterator[Reason]:
    """The platform awards a multiple only where the merchant promised it for this order, and no more than that (条例 12)."""
    asked = _sum(request, "promised_multiple")
    if asked is None:
        return
    most = [c.amount for c in _platform_claims(facts, request, "promised_multiple") if c.amount is not None]
    if not most:
        yield reason("promise_missing")
    elif asked > max(most):
        yield reason("amount_exceeds_promise", amount=asked, most=max(most))


def compensation_is_within_the_rules(facts: Facts, request: Request) -> Iterator[Reason]:
    """The platform compensates what its rules or the merchant's promise provide, and no more (争议规则 6(6)).

    Of a promised sum and that of the rule the higher counts (15). Freight comes on top; since no rule says how much it is, it
    is held to what was paid for the goods, or to :data:`FREIGHT_BOUND` where they were cheaper than that.
    """
    asked = _sum(request, "compensation")
    if asked is None:
        return
    open_claims = [c for c in _platform_claims(facts, request, "compensation") if _fits(facts, request, c)]
    if not open_claims:
        yield reason("compensation_not_provided")
        return
    if any(c.amount is None and c.id != FREIGHT for c in open_claims):
        return  # the edition of the case lacks the figure
    highest = max((c for c in open_claims if c.amount is not None), key=lambda c: c.amount or 0, default=None)
    most, clauses = (highest.amount or Decimal(0), [(highest.clause, highest.clause)]) if highest else (Decimal(0), [])
    for freight in (c for c in open_claims if c.id == FREIGHT):
        bound = max(facts.given.order.paid, FREIGHT_BOUND)
        most, clauses = most + bound, [*clauses, (f"{freight.clause}，运费没有规定数额，至多按 {bound} 计",
                                                  f"{freight.clause}; no rule says how much freight is, it is held to {bound}")]
    if asked > most:
        rule = ("；".join(zh for zh, _ in clauses), "; ".join(en for _, en in clauses))
        yield reason("amount_exceeds_rule", {"rule": rule}, amount=asked, most=most)


def _fits(facts: Facts, request: Request, claim: Claim) -> bool:
    """Whether the claim may stand in this ruling: what was shipped, though late, was in stock (发货管理规范), and the cover of
    damage is for goods that are kept."""
    if claim.id == "no_stock" and facts.given.ground == "late_shipment":
        return any(p.kind == "shipping_proof" and p.result in ("missing", "forged") for p in facts.proofs.values())
    if claim.id == "damage_cover":
        return not any(part.kind == "return_refund" for part in parts(request))
    return True


def _sum(request: Request, kind: str) -> Decimal | None:
    amounts = [part.amount or Decimal(0) for part in parts(request) if part.kind == kind]
    return sum(amounts, Decimal(0)) if amounts else None


def _platform_claims(facts: Facts, request: Request, kind: str) -> list[Claim]:
    return [c for c in claims(facts, request.edition, request.at) if c.kind == kind and may_rule(c)]
