"""From the start of a limit to its end: what is counted, what is not, and where a last day of rest moves it.

Days, working days, months and years end with their last local day (24:00, 民法典 203), hours to the hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, cast

from casework.errors import CalendarUnknown
from casework.rulebook import calendar
from casework.rulebook.calendar import (
    SHANGHAI,
    estimate_working_days,
    local,
    plus_days,
    plus_hours,
    plus_months,
    plus_working_days,
    plus_years,
)
from casework.rulebook.records import Record, Roll, TimeUnit

_PLUS: dict[str, Callable[[datetime, int], datetime]] = {
    "hour": plus_hours, "day": plus_days, "working_day": plus_working_days, "month": plus_months, "year": plus_years,
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Local days, first and last included, that were not counted, and why."""

    first: date
    last: date
    why: Literal["holiday", "weekend", "rolled"]


@dataclass(frozen=True, slots=True)
class End:
    """Where a limit ends. ``at`` is the last moment, ``day`` the last day (None of hours).

    ``counted`` are the days counted of days and working days, the first and the last of months and years, the first
    and the last moment of hours; ``not_counted`` the days passed over. ``provisional``: no published calendar covers it.
    """

    at: datetime
    day: date | None
    counted: tuple[date, ...]
    not_counted: tuple[Span, ...]
    provisional: bool


def same_clock(record: Record, start: datetime) -> End:
    """As the first edition ended a limit: at the clock time at which it began, whatever the unit, never moved."""
    at, provisional = _plus(record.unit, start, int(record.value))
    return End(at, at.date() if record.unit != "hour" else None, (), (), provisional)


def end_of_day(record: Record, start: datetime, roll: Roll | None = None) -> End:
    """The end of the limit that begins to run at ``start``; ``roll`` reads it otherwise than the record does.

    Raises ``ValueError`` for a naive datetime, ``CalendarUnknown`` after the year 9999.
    """
    begin = local(start)
    if record.starts == "next_midnight":
        begin = _midnight(plus_days(begin, 1).date())
    if record.unit == "hour":
        at, _ = _plus(record.unit, begin, int(record.value))
        return End(at, None, (begin, at), (), False)
    at, provisional = _plus(record.unit, begin, int(record.value))
    day = at.date()
    counted, spans = _counted(record, begin.date(), day)
    last, rolled_known = _rolled(day, record.roll if roll is None else roll)
    if last != day:
        spans += (Span(day, last - _DAY, "rolled"),)
    return End(_last_moment(last), last, counted, spans, provisional or not rolled_known)


def _plus(unit: str, start: datetime, n: int) -> tuple[datetime, bool]:
    try:
        return _PLUS[unit](start, n), False
    except CalendarUnknown:
        if unit != "working_day":
            raise
        return estimate_working_days(start, n), True


def _counted(record: Record, begin: date, end: date) -> tuple[tuple[date, ...], tuple[Span, ...]]:
    if record.unit not in ("day", "working_day"):
        return (begin + _DAY, end), ()
    days = [begin + _DAY * n for n in range(1, (end - begin).days + 1)]
    if record.unit == "day":
        return tuple(days), ()
    off = {day for day in days if not calendar.probably_working(day)}
    return tuple(day for day in days if day not in off), tuple(_spans(sorted(off)))


def _spans(days: list[date]) -> Iterator[Span]:
    """Neighbouring days that were passed over for the same reason."""
    held: Span | None = None
    for day in days:
        why: Literal["holiday", "weekend"] = "holiday" if calendar.probably_holiday(day) else "weekend"
        if held and held.why == why and held.last == day - _DAY:
            held = Span(held.first, day, why)
            continue
        if held:
            yield held
        held = Span(day, day, why)
    if held:
        yield held


def _rolled(day: date, roll: Roll) -> tuple[date, bool]:
    """The first day from ``day`` on that the rule lets be a last one, and whether the published calendar says so."""
    if roll == "none":
        return day, True
    known = calendar.covers(day)
    is_off = calendar.probably_holiday if roll == "holiday" else lambda d: not calendar.probably_working(d)
    while is_off(day):
        if day == date.max:
            raise calendar.uncovered(day.year + 1)
        day += _DAY
        known = known and calendar.covers(day)
    return day, known


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SHANGHAI)


def _last_moment(day: date) -> datetime:
    return datetime.combine(day, time.max, SHANGHAI)


def unit_of(record: Record) -> TimeUnit:
    """The unit of a limit of time. ``ValueError`` for a sum of money."""
    if not record.counts_time:
        raise ValueError(f"{record.id} is a sum of money ({record.unit}) and has no end")
    return cast(TimeUnit, record.unit)
