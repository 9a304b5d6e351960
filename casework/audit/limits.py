"""Which record of the rulebook governs on a day, and when its limit ends: told a second time, from the records and the calendar.

The records are the law and the calendar is the State Council's; how one is chosen and how its end is put together is not taken
from :mod:`casework.rulebook.edition` nor from :mod:`casework.rulebook.counting`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache

from casework.domain.events import Due
from casework.errors import CalendarUnknown
from casework.rulebook import calendar
from casework.rulebook.edition import Edition
from casework.rulebook.records import RANKS, Record

_DAY = timedelta(days=1)
_LATER: dict[str, Callable[[datetime, int], datetime]] = {
    "hour": calendar.plus_hours, "day": calendar.plus_days, "working_day": calendar.plus_working_days,
    "month": calendar.plus_months, "year": calendar.plus_years,
}
_OFF: dict[str, Callable[[date], bool]] = {
    "none": lambda day: False, "holiday": calendar.probably_holiday, "rest_day": lambda day: not calendar.probably_working(day),
}


def governing(edition: Edition, rule: str, moment: datetime) -> tuple[Record, tuple[Record, ...]]:
    """The record of a rule that governs at a moment, and those in force that it sets aside, the highest rank first.

    Before the rule came into force, its earliest record. ``KeyError`` where there is no such rule, or where it has ended.
    """
    day = calendar.local_day(moment)
    records = edition.of(rule)
    now: list[Record] = []
    for rank in RANKS:
        now += [r for r in records if r.rank == rank and not (r.from_ and day < r.from_) and not (r.to and r.to < day)]
    if now:
        return now[0], tuple(now[1:])
    if not records[0].from_ or day >= records[0].from_:
        raise KeyError(rule)
    return records[0], ()


def ends(record: Record, start: datetime, *, whole_days: bool) -> tuple[datetime, bool]:
    """When a limit that begins at ``start`` ends by a record, and whether that is an estimate for want of a calendar."""
    begin = calendar.local(start)
    if whole_days and record.starts == "next_midnight":
        begin = datetime.combine(calendar.plus_days(begin, 1).date(), time.min, calendar.SHANGHAI)
    estimated = False
    try:
        end = _LATER[record.unit](begin, int(record.value))
    except CalendarUnknown:
        if record.unit != "working_day":
            raise
        end, estimated = calendar.estimate_working_days(begin, int(record.value)), True
    if not whole_days or record.unit == "hour":
        return end, estimated
    day, moved = end.date(), record.roll != "none"
    estimated = estimated or (moved and not calendar.covers(day))
    while _OFF[record.roll](day):
        day += _DAY
        estimated = estimated or not calendar.covers(day)
    return datetime.combine(day, time.max, calendar.SHANGHAI), estimated


def limit(edition: Edition, rule: str, start: datetime) -> Due:
    """The deadline of what begins at ``start`` under a rule, as an event would hold it. Raises as :func:`governing` does."""
    if edition.whole_days and rule not in edition.in_hours:
        # The same for whatever begins on that local day.
        return _limit_by_day(calendar.published(), edition, rule, calendar.local_day(start))
    return _limit(edition, rule, start)


@lru_cache(maxsize=1 << 16)
def _limit_by_day(published: object, edition: Edition, rule: str, day: date) -> Due:
    return _limit(edition, rule, datetime.combine(day, time.min, calendar.SHANGHAI))


def _limit(edition: Edition, rule: str, start: datetime) -> Due:
    record, aside = governing(edition, rule, start)
    at, provisional = ends(record, start, whole_days=edition.whole_days)
    return Due(at=at, rule=rule, clause=record.clause, certainty=record.certainty, provisional=provisional, rank=record.rank,
               unit=record.unit, overrides=tuple(other.clause for other in aside))


def sum_of(record: Record, price: Decimal) -> Decimal:
    """What a record about money makes of a price, in yuan: within its bounds, half a fen up."""
    with localcontext() as exactly:
        exactly.prec = 60
        share = {"times": Decimal(1), "percent": Decimal(1) / 100}.get(record.unit)
        found = Decimal(record.value) if share is None else price * Decimal(record.value) * share
        found = found.quantize(Decimal("0.01"), ROUND_HALF_UP)
    low, high = (record.min, record.max) if share is not None else (None, None)
    found = found if low is None else max(found, low)
    return found if high is None else min(found, high)
