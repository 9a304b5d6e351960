"""What a ruling rests on, derived by a procedure of the audit's own.

:mod:`casework.domain.basis` asks the advisers' modules what the proof stands at and what may be claimed. Here the published
rows are read (the matrix of proof, the entitlements, what categories know), each figure is looked up in the records of the
edition and reckoned anew, and the parts are put together once more. The rows are the law and shared; the reading is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from casework.audit.limits import ends, governing, sum_of
from casework.domain.burden import SITUATIONS, Situation, Step
from casework.domain.categories import ALIASES, RULES
from casework.domain.check import SHANGHAI
from casework.domain.commands import Rule
from casework.domain.events import Basis
from casework.domain.facts import Facts
from casework.domain.grounds import GROUNDS
from casework.domain.remedies import ADVANCE, ENTITLEMENTS, Entitlement
from casework.domain.sums import fault_of, freight
from casework.domain.values import Extra, Remedy
from casework.rulebook import calendar
from casework.rulebook.edition import Edition

_SIDES = ("consumer", "merchant")
#: Freight goes by fault where goods go back.
_FREIGHT = ("visible_defect", "hidden_defect", "genuineness", "description", "service_work", "seven_day_return")
#: The platform's general duty to decide by the file, where no row carries a part.
_DISCRETION = ("淘宝平台争议处理规则 7", "A")
#: What the merchant promised to pay he owes.
_AGREED = ("淘宝平台争议处理规则 15；消费者权益保护法实施条例 12", "A")
_SIX_MONTHS = "durable.reverse_burden"


class _Item(NamedTuple):
    """What a side has put in."""

    side: str
    kind: str
    standing: str
    is_proof: bool


class _Claim(NamedTuple):
    """Something that may be claimed, as its row and the governing record have it."""

    id: str
    kind: str
    most: Decimal | None
    venues: tuple[str, ...]
    rule: str
    clause: str
    certainty: str
    rank: str | None = None


def basis_again(facts: Facts, ruling: Rule, edition: Edition, at: datetime) -> tuple[Basis, ...]:
    """The basis of a ruling on the facts before it, by the records that govern ``at``. It may raise on odd values."""
    there_are = list(_claimable(facts, edition, at))
    rulable = [c for c in there_are if "platform" in c.venues and c.id != ADVANCE]
    found, used = [_proof(facts, edition, at)], set()
    for part in ruling.remedy.parts if ruling.remedy else ():
        claim = _carrier(part, rulable)
        if claim is not None:
            used.add(claim.id)
        found.append(_grant(facts, part, claim))
    for claim in there_are:
        if claim.rule and claim.id not in used:
            found.append(Basis(about="elsewhere", row=claim.id, clause=claim.clause, certainty=claim.certainty, rule=claim.rule,
                               rank=claim.rank, inputs=("venues=" + "|".join(claim.venues),),
                               result=_sum(claim.kind, claim.most)))
    return tuple(found)


# --- the burden of proof ---------------------------------------------------------------------------------------------


def _situation(facts: Facts, edition: Edition, at: datetime) -> str:
    order, ground = facts.given.order, facts.given.ground
    [name] = [name for name, row in SITUATIONS.items() if ground in row.grounds]
    category = ALIASES.get(order.category.casefold(), "general")
    durable = any(r.kind == "durable" and category in r.categories and (not r.grounds or ground in r.grounds) for r in RULES)
    if durable and order.received_at is not None and facts.opened_at <= _half_a_year(order.received_at, edition):
        return "durable_six_months"
    confirmed = order.confirmed_at
    if name == "description" and confirmed is not None and confirmed <= at and confirmed <= facts.opened_at:
        return "after_confirmation"
    return name


def _half_a_year(received: datetime, edition: Edition) -> datetime:
    """消法 23(3), by the record where the edition has one."""
    if edition.has(_SIX_MONTHS):
        record, _ = governing(edition, _SIX_MONTHS, received)
        return ends(record, received, whole_days=edition.whole_days)[0]
    last = calendar.plus_months(received, 6).date()
    return datetime.combine(last, datetime.max.time(), SHANGHAI)


def _proof(facts: Facts, edition: Edition, at: datetime) -> Basis:
    name = _situation(facts, edition, at)
    row: Situation = SITUATIONS[name]
    sides = {"consumer": "consumer", "adviser": "consumer", "merchant": "merchant"}
    items = [_Item(sides[x.by.role], x.kind, x.authenticity, False) for x in facts.evidence.values() if x.by.role in sides]
    items += [_Item(p.party, p.kind, p.result, True) for p in facts.proofs.values()]
    forgers = [side for side in _SIDES if any(i.side == side and i.standing == "forged" for i in items)]
    lacking, turn = next(((gaps, step) for step in row.steps if (gaps := _gaps(facts, step, items))), ((), None))
    if len(forgers) == 1:
        loser: str | None = forgers[0]
    else:
        loser = turn.party if turn is not None and not forgers else None
    order = facts.given.order
    inputs = [f"ground={facts.given.ground}", f"category={order.category}"]
    if order.received_at:
        inputs.append("received_at=" + order.received_at.astimezone(SHANGHAI).isoformat())
    inputs += sorted({f"{i.side}.{i.kind}={i.standing}" for i in items})
    inputs += ["missing=" + "|".join(gap) for gap in lacking]
    return Basis(about="burden", row=name, clause=row.clause, certainty=row.certainty, inputs=tuple(inputs),
                 result="weighed" if loser is None else f"loses={loser}")


def _gaps(facts: Facts, step: Step, items: Iterable[_Item]) -> tuple[tuple[str, ...], ...]:
    """What the party whose turn it is has not shown: nothing, and the turn passes."""
    mine = [i for i in items if i.side == step.party]
    if step.own_groups:
        held = {i.kind for i in mine if not i.is_proof and i.standing != "forged"}
        return tuple(group for group in GROUNDS[facts.given.ground].required if held.isdisjoint(group))
    good = {"authentic"} if step.party == "merchant" else {"authentic", "unexamined", "disputed"}
    papers = [i.standing for i in mine if i.is_proof and i.kind in step.proofs]
    shown = "accepted" in papers or any(not i.is_proof and i.kind in step.evidence and i.standing in good for i in mine)
    if step.party == "merchant" and ("forged" in papers or "missing" in papers):
        shown = False
    return () if shown else (tuple(dict.fromkeys((*step.proofs, *step.evidence))),)


# --- what may be claimed ---------------------------------------------------------------------------------------------


def _claimable(facts: Facts, edition: Edition, at: datetime) -> Iterator[_Claim]:
    order, ground = facts.given.order, facts.given.ground
    [base] = [name for name, row in SITUATIONS.items() if ground in row.grounds]
    category = ALIASES.get(order.category.casefold(), "general")
    for row in ENTITLEMENTS:
        concerns = ground in row.on or base in row.on
        promised = not row.services or any(service in order.services for service in row.services)
        if concerns and promised and (not row.categories or category in row.categories):
            yield _of_row(row, order.paid, edition, order.ordered_at if row.by == "order" else at)
    if order.liquidated_damages:
        yield _Claim("liquidated_damages", "compensation", order.liquidated_damages, ("platform", "mediation", "court"), "",
                     *_AGREED)
    if base in _FREIGHT:
        clause = freight(fault_of(ground), free_shipping=True).clause
        yield _Claim("freight", "compensation", None, ("platform", "mediation", "court"), "", clause, "A")


def _of_row(row: Entitlement, paid: Decimal, edition: Edition, on: datetime) -> _Claim:
    claim = _Claim(row.id, row.kind, paid if row.sum == "paid" else None, row.venues, row.rule, row.clause, row.certainty)
    if not row.rule or not edition.has(row.rule):
        return claim
    try:
        record, _ = governing(edition, row.rule, on)
    except KeyError:  # it ended without a successor
        return claim
    most = paid if row.sum == "paid" else sum_of(record, paid)
    return claim._replace(most=most, clause=record.clause, certainty=record.certainty, rank=record.rank)


def _carrier(part: Remedy | Extra, rulable: Iterable[_Claim]) -> _Claim | None:
    """The claim that carries a part: the smallest that covers it, or else the first of its kind."""
    # Who keeps the goods gets less than who sends them back for the same money.
    kinds = {part.kind} | ({"return_refund"} if part.kind == "refund" else set())
    same = [c for c in rulable if c.kind in kinds]
    covering = sorted((c for c in same if c.most is not None and part.amount is not None and c.most >= part.amount),
                      key=lambda c: c.most or 0)
    return next(iter((*covering, *same)), None)


def _grant(facts: Facts, part: Remedy | Extra, claim: _Claim | None) -> Basis:
    order = facts.given.order
    inputs = [f"paid={order.paid}"]
    inputs += ["services=" + "|".join(order.services)] if order.services else []
    inputs += [f"most={claim.most}"] if claim is not None and claim.most is not None else []
    row, clause, certainty, rule, rank = (part.kind, *_DISCRETION, None, None) if claim is None else (
        claim.id, claim.clause, claim.certainty, claim.rule or None, claim.rank)
    return Basis(about="granted", row=row, clause=clause, certainty=certainty, rule=rule, rank=rank, inputs=tuple(inputs),
                 result=_sum(part.kind, part.amount))


def _sum(kind: str, amount: Decimal | None) -> str:
    return kind if amount is None else f"{kind}={amount}"
