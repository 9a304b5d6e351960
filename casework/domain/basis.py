"""What a ruling rests on: the row of the burden of proof, the rules behind each sum, and what could have been had elsewhere.

Recorded in the ruling's event, so that :mod:`casework.application.why` can tell it later without deciding anything again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from casework.domain import events as e
from casework.domain.burden import stands
from casework.domain.check import SHANGHAI
from casework.domain.commands import Rule
from casework.domain.facts import Facts
from casework.domain.remedies import Claim, claims, may_rule
from casework.domain.request import Edition
from casework.domain.values import Extra, Remedy


def basis_of(facts: Facts, ruling: Rule, edition: Edition, at: datetime) -> tuple[e.Basis, ...]:
    """What the ruling rests on, on the facts before it, by the rules that govern ``at``."""
    open_claims = claims(facts, edition, at)
    parts = ruling.remedy.parts if ruling.remedy else ()
    granted = [(part, _claim_of(part, [claim for claim in open_claims if may_rule(claim)])) for part in parts]
    used = {claim.id for _, claim in granted if claim}
    return (
        _burden(facts, edition, at),
        *(_granted(facts, part, claim) for part, claim in granted),
        *_elsewhere(claim for claim in open_claims if claim.id not in used and claim.rule),
    )


def _burden(facts: Facts, edition: Edition, at: datetime) -> e.Basis:
    stand = stands(facts, at, edition)
    row = stand.burden.row
    shown = sorted({f"{s.party}.{s.kind}={s.standing}" for s in stand.shown})
    missing = ["missing=" + "|".join(group) for group in stand.missing]
    received = facts.given.order.received_at
    dates = [f"received_at={received.astimezone(SHANGHAI).isoformat()}"] if received else []
    return e.Basis(
        about="burden", row=stand.burden.situation, clause=row.clause, certainty=row.certainty,
        inputs=(f"ground={facts.given.ground}", f"category={facts.given.order.category}", *dates, *shown, *missing),
        result=f"loses={stand.loses}" if stand.loses else "weighed")


def _claim_of(part: Remedy | Extra, open_claims: Iterable[Claim]) -> Claim | None:
    """The claim that grants that part: of its kind, with a sum that covers it, the smallest such first."""
    # A refund that lets the buyer keep the goods is less than one for which they go back.
    kinds = (part.kind, "return_refund") if part.kind == "refund" else (part.kind,)
    of_kind = [c for c in open_claims if c.kind in kinds]
    enough = [c for c in of_kind if c.amount is not None and part.amount is not None and part.amount <= c.amount]
    return min(enough, key=lambda c: c.amount or 0) if enough else of_kind[0] if of_kind else None


def _granted(facts: Facts, part: Remedy | Extra, claim: Claim | None) -> e.Basis:
    inputs = [f"paid={facts.given.order.paid}"]
    if facts.given.order.services:
        inputs.append("services=" + "|".join(facts.given.order.services))
    if claim is not None and claim.amount is not None:
        inputs.append(f"most={claim.amount}")
    result = part.kind if part.amount is None else f"{part.kind}={part.amount}"
    if claim is None:
        return e.Basis(about="granted", row=part.kind, clause="淘宝平台争议处理规则 7", certainty="A", inputs=tuple(inputs),
                       result=result)
    return e.Basis(about="granted", row=claim.id, clause=claim.clause, certainty=claim.certainty, rule=claim.rule or None,
                   rank=claim.rank, inputs=tuple(inputs), result=result)


def _elsewhere(left: Iterator[Claim]) -> Iterator[e.Basis]:
    for claim in left:
        result = claim.kind if claim.amount is None else f"{claim.kind}={claim.amount}"
        yield e.Basis(about="elsewhere", row=claim.id, clause=claim.clause, certainty=claim.certainty, rule=claim.rule or None,
                      rank=claim.rank, inputs=("venues=" + "|".join(claim.venues),), result=result)
