"""How much a ruling may award, by the figures of the rulebook and not by those of a table of ours."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from casework.domain.facts import Facts
from casework.domain.guards.amounts import parts
from casework.domain.reasons import reason
from casework.domain.remedies import Claim, claims, may_rule
from casework.domain.request import Request
from casework.errors import Reason


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
    """Where the platform's rules fix a compensation it awards no more; other loss is for a court (争议规则 6(6), 15)."""
    asked = _sum(request, "compensation")
    fixed = [c for c in _platform_claims(facts, request, "compensation") if c.rule]
    if asked is None or not fixed or any(not c.rule for c in _platform_claims(facts, request, "compensation")):
        return
    most = max((c.amount for c in fixed if c.amount is not None), default=None)
    if most is not None and asked > most:
        yield reason("amount_exceeds_rule", amount=asked, most=most, rule=fixed[0].clause)


def _sum(request: Request, kind: str) -> Decimal | None:
    amounts = [part.amount or Decimal(0) for part in parts(request) if part.kind == kind]
    return sum(amounts, Decimal(0)) if amounts else None


def _platform_claims(facts: Facts, request: Request, kind: str) -> list[Claim]:
    return [c for c in claims(facts, request.edition, request.at) if c.kind == kind and may_rule(c)]
