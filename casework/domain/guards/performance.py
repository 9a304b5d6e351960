"""What was granted is given."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from casework.domain.facts import Facts
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.vocabulary import RETURN_STATES
from casework.errors import Reason


def remedy_is_performed(facts: Facts, request: Request) -> Iterator[Reason]:
    """What was granted was given, in full."""
    due = facts.remedy.total if facts.remedy else None
    done = sum((a for a in facts.performed if a is not None), Decimal(0))
    if not facts.performed or (due is not None and done < due):
        yield reason("not_performed", done=done, due="—" if due is None else due, missing=("perform_remedy",))


def remedy_is_still_owed(facts: Facts, request: Request) -> Iterator[Reason]:
    """What the platform itself has paid in full is not reported as a default."""
    total = facts.remedy.total if facts.remedy else None
    if total is not None and facts.paid_by_platform >= total:
        yield reason("already_performed")


def goods_are_back(facts: Facts, request: Request) -> Iterator[Reason]:
    """Where the remedy includes a return, the goods are back with the merchant."""
    if facts.goods not in ("not_due", "received"):
        yield reason("goods_not_returned", {"state": RETURN_STATES[facts.goods]}, missing=("receive_return",))


def advance_was_promised(facts: Facts, request: Request) -> Iterator[Reason]:
    """The platform pays first where it promised to for the order, or where it ruled in the case.

    消法 44 binds the platform to what it promised beyond the law; 电商法 58 speaks of deposits and 先行赔偿.
    """
    if "advance_compensation" not in facts.given.order.services and not facts.rulings:
        yield reason("advance_not_promised")


def advance_is_within_due(facts: Facts, request: Request) -> Iterator[Reason]:
    """What is paid first is at most what is due."""
    amount, total = request.said("amount"), facts.remedy.total if facts.remedy else None
    due = None if total is None else total - sum((a for a in facts.performed if a is not None), Decimal(0))
    if due is not None and (due <= 0 or (amount is not None and amount > due)):
        yield reason("advance_exceeds_due", amount="—" if amount is None else amount, due=due)
