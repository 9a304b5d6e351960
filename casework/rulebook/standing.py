"""By when a penalty has to be published and may be appealed, under the edition that its case pinned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from casework.errors import CalendarUnknown
from casework.rulebook.calendar import estimate_working_days, plus_working_days

PUBLISH = "platform.penalty_publish"
#: No window for a merchant's appeal was found ("以系统显示为准"); the time for objections to a ruling stands in for it.
APPEAL = "ruling.objection"


class Term(Protocol):
    """A deadline with the rule it rests on."""

    @property
    def at(self) -> datetime: ...
    @property
    def rule(self) -> str: ...
    @property
    def clause(self) -> str: ...
    @property
    def certainty(self) -> str: ...
    @property
    def provisional(self) -> bool: ...


class Rules(Protocol):
    """An edition, or what stands for one."""

    def due(self, rule_id: str, start: datetime) -> Term:
        """When what starts at ``start`` is due under that rule; ``KeyError`` where there is no such rule."""
        ...


@dataclass(frozen=True, slots=True)
class _Published:
    at: datetime
    provisional: bool
    rule: str = PUBLISH
    clause: str = "《网络交易监督管理办法》第30条"
    certainty: str = "A"


def publication(edition: Rules, at: datetime) -> Term:
    """Within one working day of the penalty; the law is older than the editions that do not have it, so it holds there too."""
    try:
        return edition.due(PUBLISH, at)
    except KeyError:
        try:
            return _Published(plus_working_days(at, 1), False)
        except CalendarUnknown:
            return _Published(estimate_working_days(at, 1), True)


def appeal(edition: Rules, at: datetime) -> Term | None:
    """Until when a penalty may be appealed; None where the edition has no such limit."""
    try:
        return edition.due(APPEAL, at)
    except KeyError:
        return None
