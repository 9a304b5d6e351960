"""How a merchant's recorded cases went, counted: nothing in it is anybody's opinion.

Five shares are counted over the merchant's cases. Each is taken at the lower bound of Wilson's interval, so that few cases
promise little, and the score is the mean of those that anything was counted for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from typing import Any

from casework.domain import events as e
from casework.domain.facts import Facts
from casework.domain.lifecycle import CLOSED
from casework.domain.vocabulary import Term

#: Below this many cases no score is given: it would say more of chance than of the merchant.
FEWEST_CASES = 5
#: The grounds of which after-sales service is the matter.
AFTER_SALES = ("after_sales_denied", "poor_after_sales", "installation_failure", "repair_failure", "refund_obstructed",
               "merchant_stalling", "no_reason_return")
FORMULA = ("score = 100 * mean(lower(good, of)) over the shares with of > 0; "
           "lower(good, of) = (p + z*z/(2*of) - z*sqrt(p*(1-p)/of + z*z/(4*of*of))) / (1 + z*z/of), p = good/of, z = 1.96")
SHARES = {
    "rulings": Term("最后裁决支持商家的案件 / 已裁决的案件", "cases whose last ruling was for the merchant, of those ruled on"),
    "contacts": Term("消费者投诉到平台前已答复 / 消费者联系商家的案件",
                     "cases in which he answered the consumer before she went to the platform, of those in which she asked him"),
    "answers": Term("按期答复或举证 / 平台要求答复或举证的次数（已届期）",
                    "answers and proof given in time, of those that the platform asked for and that fell due"),
    "remedies": Term("无违约、无垫付而履行完毕 / 应履行的处理结果",
                     "remedies done with neither a default nor an advance by the platform, of those that fell due"),
    "after_sales": Term("售后类案件中最后裁决支持商家的 / 已裁决的售后类案件",
                        "after-sales cases whose last ruling was for the merchant, of those ruled on"),
}
_Z = 1.96


@dataclass(slots=True)
class Count:
    """So many good ones of so many."""

    good: int = 0
    of: int = 0

    def add(self, good: bool) -> None:
        """One more."""
        self.of += 1
        self.good += good

    @property
    def lower(self) -> float | None:
        """The lower bound of Wilson's 95 % interval; None where nothing was counted."""
        if not self.of:
            return None
        p, n = self.good / self.of, self.of
        return (p + _Z * _Z / (2 * n) - _Z * sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))) / (1 + _Z * _Z / n)


@dataclass(slots=True)
class Scorecard:
    """The counts, case by case."""

    cases: int = 0
    shares: dict[str, Count] = field(default_factory=lambda: {name: Count() for name in SHARES})
    late: int = 0
    never: int = 0
    defaults: int = 0
    advances: int = 0

    def add(self, facts: Facts, events: Sequence[e.Event], now: datetime) -> None:
        """Count one case."""
        self.cases += 1
        if facts.rulings:
            lost = facts.rulings[-1].outcome != "for_merchant"
            self.shares["rulings"].add(not lost)
            if facts.given.ground in AFTER_SALES:
                self.shares["after_sales"].add(not lost)
        self._contact(events)
        self._answers(events, now)
        self._remedies(facts, events)

    def view(self) -> dict[str, Any]:
        """The counts and the score, with stable keys."""
        lower = {name: count.lower for name, count in self.shares.items()}
        known = [value for value in lower.values() if value is not None]
        enough = self.cases >= FEWEST_CASES and bool(known)
        return {
            "cases": self.cases,
            "enough": enough,
            "fewest": FEWEST_CASES,
            "score": round(100 * sum(known) / len(known), 1) if enough else None,
            "shares": {name: {"good": count.good, "of": count.of,
                              "lower": None if (bound := lower[name]) is None else round(bound, 4)}
                       for name, count in self.shares.items()},
            "late_answers": self.late,
            "never_answered": self.never,
            "defaults": self.defaults,
            "advances": self.advances,
            "formula": FORMULA,
        }

    def _contact(self, events: Iterable[e.Event]) -> None:
        asked = answered = False
        for event in events:
            if isinstance(event, e.MerchantContacted):
                asked = True
            elif event.by.role == "merchant" or isinstance(event, e.InstantlyRefunded):
                answered = answered or asked
            elif isinstance(event, e.ComplaintFiled):
                if asked:
                    self.shares["contacts"].add(answered)
                return
        if answered:
            self.shares["contacts"].add(True)

    def _answers(self, events: Iterable[e.Event], now: datetime) -> None:
        open_terms: list[datetime] = []
        for event in events:
            if isinstance(event, e.PartyNotified | e.ProofAsked) and event.data.party == "merchant":
                if event.data.answer_by is not None:
                    open_terms.append(event.data.answer_by)
            elif isinstance(event, e.PartyAnswered | e.ProofSubmitted) and event.by.role == "merchant":
                for due in open_terms:
                    self.shares["answers"].add(event.at <= due)
                    self.late += event.at > due
                open_terms = []
        for due in open_terms:
            if due < now:
                self.shares["answers"].add(False)
                self.never += 1

    def _remedies(self, facts: Facts, events: Iterable[e.Event]) -> None:
        owed = spoilt = False
        for event in events:
            if event.to_state == "remedy_due" and event.from_state != "remedy_due":
                owed, spoilt = True, False
            elif isinstance(event, e.DefaultReported):
                self.defaults += 1
                self.shares["remedies"].add(False)
                owed = False
            elif isinstance(event, e.AdvancePaid):
                self.advances += 1
                spoilt = True
        if owed and facts.state in CLOSED:
            self.shares["remedies"].add(facts.state == "resolved" and not spoilt)
