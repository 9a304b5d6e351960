"""Which events of a case move the merchant's standing, and what they say to it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from casework.domain import events as e
from casework.domain.facts import Facts
from casework.domain.standing.rules import STANDING_SINCE
from casework.domain.values import Penalty


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling with penalties, or one that replaces them: a review replaces those of the ruling at version ``replaces``."""

    case: str
    version: int
    ground: str
    penalties: tuple[Penalty, ...]
    replaces: int | None
    judges: tuple[str, ...]
    forged: bool


@dataclass(frozen=True, slots=True)
class Advanced:
    """The platform paid first, in yuan."""

    case: str
    version: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Recovered:
    """The platform got back what it had paid first."""

    case: str
    version: int


Effect = Ruled | Advanced | Recovered


def effect_of(facts: Facts, event: e.Event) -> Effect | None:
    """What an event says to the standing of the case's merchant; ``facts`` are those after it. None: nothing."""
    if facts.lifecycle < STANDING_SINCE:
        return None
    if isinstance(event, e.AdvancePaid):
        return Advanced(facts.case, event.originator_version, event.data.amount)
    if isinstance(event, e.AdvanceRecovered):
        return Recovered(facts.case, event.originator_version)
    if not isinstance(event, e.CaseRuled):
        return None
    *earlier, ruling = facts.rulings
    replaced = earlier[-1] if ruling.review and earlier else None
    if not ruling.penalties and not (replaced and replaced.penalties):
        return None
    return Ruled(facts.case, event.originator_version, facts.given.ground, ruling.penalties,
                 replaced.version if replaced else None, tuple(dict.fromkeys(r.by.id for r in facts.rulings)),
                 merchant_forged(facts))


def merchant_forged(facts: Facts) -> bool:
    """Whether proof or evidence of the merchant's was found forged in the case."""
    return (any(p.party == "merchant" and p.result == "forged" for p in facts.proofs.values())
            or any(x.by.role == "merchant" and x.authenticity == "forged" for x in facts.evidence.values()))
