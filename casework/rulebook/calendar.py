"""Time arithmetic of deadlines, always in Asia/Shanghai.

Hours are elapsed hours; days, working days, months and years are local calendar days at the same local clock time.
The day of the start is never counted (民法典 201; 市场监督管理投诉举报处理办法, 121号令, Art 45). Nothing here moves a last
day of rest: 121号令 Art 45 (法定节假日) and 民法典 203 (法定休假日) differ on which days move, so each record says which.

Every function takes an aware datetime and gives one in Asia/Shanghai; a naive one, or a negative number, is a
``ValueError``; a result after the year 9999 is ``CalendarUnknown``.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from casework.errors import CalendarUnknown, InputError

SHANGHAI = ZoneInfo("Asia/Shanghai")

_SPAN = re.compile(r"([0-9]{1,4})(h|d|wd)")
_FRIDAY = 4
#: From this year on Shanghai has kept one offset all year.
_SETTLED, _OFFSET = datetime(1992, 1, 1, tzinfo=UTC), timedelta(hours=8)
#: The installed calendar covers this year at least.
_FIRST_YEAR = 2026


def local(moment: datetime) -> datetime:
    """``moment`` in Asia/Shanghai. Raises ``ValueError`` if it is naive, ``CalendarUnknown`` after the year 9999."""
    if moment.utcoffset() is None:
        raise ValueError(f"a time without its offset cannot start a deadline: {moment.isoformat()}")
    try:
        return moment.astimezone(SHANGHAI)
    except OverflowError:
        raise uncovered(MAXYEAR + 1) from None


def local_day(moment: datetime) -> date:
    """The local day of ``moment``. Raises as :func:`local`."""
    if moment.tzinfo is UTC and moment >= _SETTLED:
        try:
            return (moment + _OFFSET).date()
        except OverflowError:
            raise uncovered(MAXYEAR + 1) from None
    return local(moment).date()


def plus_hours(start: datetime, n: int) -> datetime:
    """``n`` elapsed hours after ``start``, whatever the clocks on the wall did meanwhile."""
    _check(n)
    try:
        # In UTC, because adding to a zoned datetime moves the wall clock: wrong by an hour in Shanghai's summer
        # times of 1986 to 1991.
        return local(local(start).astimezone(UTC) + timedelta(hours=n))
    except OverflowError:
        raise uncovered(MAXYEAR + 1) from None


def plus_days(start: datetime, n: int) -> datetime:
    """The same local clock time ``n`` natural days after ``start`` (自然日; not ``n`` times 24 hours)."""
    _check(n)
    begin = local(start)
    return _same_clock(begin, _later(begin.date(), n))


def plus_working_days(start: datetime, n: int) -> datetime:
    """The same local clock time on the ``n``-th working day (工作日, with 调休) after the day of ``start``.

    The day of ``start`` is not counted (121号令 Art 45); ``n`` = 0 is ``start`` itself. Raises ``CalendarUnknown`` when
    a day has to be counted whose year the State Council's published calendar, as installed, does not cover.
    """
    return _count(start, n, is_working_day)


def estimate_working_days(start: datetime, n: int) -> datetime:
    """As ``plus_working_days``, but a year without a published calendar is taken to work Monday to Friday."""
    return _count(start, n, probably_working)


def plus_months(start: datetime, n: int) -> datetime:
    """The same local clock time on the corresponding day ``n`` months later; where that month has no such day, on its
    last day (民法典 202)."""
    _check(n)
    begin = local(start)
    year, month0 = divmod(begin.year * 12 + begin.month - 1 + n, 12)
    if year > MAXYEAR:
        raise uncovered(year)
    return _same_clock(begin, date(year, month0 + 1, min(begin.day, monthrange(year, month0 + 1)[1])))


def plus_years(start: datetime, n: int) -> datetime:
    """The same local clock time on the corresponding day ``n`` years later; from 29 February on 28 February where the
    year has no 29th (民法典 202)."""
    return plus_months(start, 12 * n)


def after_pause(unit: str, end: datetime, paused_at: datetime, resumed_at: datetime) -> datetime:
    """When a limit that was to end at ``end`` ends, if its clock stood still from ``paused_at`` to ``resumed_at``.

    What was left is counted in the unit of the rule: elapsed hours, working days, or else natural days. Raises
    ``CalendarUnknown`` where working days are not published.
    """
    return _left(unit, end, paused_at, resumed_at, is_working_day)


def estimate_after_pause(unit: str, end: datetime, paused_at: datetime, resumed_at: datetime) -> datetime:
    """As ``after_pause``, but a year without a published calendar is taken to work Monday to Friday."""
    return _left(unit, end, paused_at, resumed_at, probably_working)


def _left(unit: str, end: datetime, paused_at: datetime, resumed_at: datetime, works: Callable[[date], bool]) -> datetime:
    if unit == "hour":
        try:
            return local(local(end).astimezone(UTC) + (resumed_at - paused_at))
        except OverflowError:
            raise uncovered(MAXYEAR + 1) from None
    last, paused, resumed = local(end), local(paused_at).date(), local(resumed_at)
    days = [paused + timedelta(days=i + 1) for i in range((last.date() - paused).days)]
    if unit != "working_day":
        return _same_clock(last, _later(resumed.date(), len(days)))
    begin = datetime.combine(resumed.date(), last.timetz())
    return _count(begin, sum(map(works, days)), works)


def is_working_day(day: date) -> bool:
    """Whether ``day`` is a working day by the State Council's yearly notice: make-up days are, holidays are not.

    Raises ``CalendarUnknown`` for a year that the installed ``chinesecalendar`` does not cover.
    """
    works, _ = _published(day)
    if works is None:
        raise uncovered(day.year)
    return works


def covers(day: date) -> bool:
    """Whether the installed calendar holds the State Council's notice for the year of ``day``."""
    return _published(day)[0] is not None


def probably_working(day: date) -> bool:
    """As ``is_working_day``; a year without a published calendar is taken to work Monday to Friday."""
    works, _ = _published(day)
    return day.weekday() <= _FRIDAY if works is None else works


def probably_holiday(day: date) -> bool:
    """Whether ``day`` is one of the days off of a statutory holiday (法定节假日, as the yearly notice arranges it).

    A plain weekend is none. A year without a published calendar is taken to have none.
    """
    works, named = _published(day)
    return named and not works


# The package takes a tenth of a millisecond for each day, and a case's limits ask for the same days again and again.
@lru_cache(maxsize=4096)
def _published(day: date) -> tuple[bool | None, bool]:
    """Whether a day is a working day (None: not published), and whether the yearly notice names it with a holiday."""
    from chinese_calendar import get_holiday_detail

    try:
        off, name = get_holiday_detail(day)
    except NotImplementedError:
        return None, False
    return not off, name is not None


def published() -> object:
    """What stands for the calendar as it is now: whatever is reckoned by it may be kept together with this."""
    return _published


@cache
def covered_until() -> datetime:
    """The first moment, in Asia/Shanghai, that no published working-day calendar covers."""
    year = _FIRST_YEAR
    while _covers(year):
        year += 1
    return datetime(year, 1, 1, tzinfo=SHANGHAI)


def _covers(year: int) -> bool:
    try:
        is_working_day(date(year, 1, 1))
    except CalendarUnknown:
        return False
    return True


def after(start: datetime, text: str) -> datetime:
    """The time that a scenario's ``after`` means: ``3h`` elapsed hours, ``2d`` natural days, ``5wd`` working days.

    Raises ``InputError`` for any other text, ``CalendarUnknown`` where the working days are not published.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InputError(
            f"{text!r} is no span of time; write a whole number of at most 4 digits and a unit: 3h (hours), 2d (days) "
            "or 5wd (working days)",
            f"{text!r} 不是可用的时间间隔；请写最多四位的整数加单位：3h（小时）、2d（自然日）或 5wd（工作日）",
        )
    return _STEPS[match[2]](start, int(match[1]))


_STEPS: dict[str, Callable[[datetime, int], datetime]] = {"h": plus_hours, "d": plus_days, "wd": plus_working_days}


def _count(start: datetime, n: int, works: Callable[[date], bool]) -> datetime:
    _check(n)
    begin = local(start)
    day = begin.date()
    while n:
        day = _later(day, 1)
        n -= works(day)
    return _same_clock(begin, day)


def _same_clock(begin: datetime, day: date) -> datetime:
    return datetime.combine(day, begin.timetz())


def _later(day: date, n: int) -> date:
    try:
        return day + timedelta(days=n)
    except OverflowError:
        raise uncovered(MAXYEAR + 1) from None


def _check(n: int) -> None:
    if n < 0:
        raise ValueError(f"a deadline is not counted backwards: {n}")


def uncovered(year: int) -> CalendarUnknown:
    """The error for a year that no calendar covers, or that no date reaches."""
    if year > MAXYEAR:
        return CalendarUnknown(
            f"The calendar ends with the year {MAXYEAR}: no deadline can be computed in {year} or later; give an "
            "earlier date.",
            f"日历只到 {MAXYEAR} 年：无法计算 {year} 年及以后的期限；请改用更早的日期。",
        )
    return CalendarUnknown(
        f"The installed working-day calendar does not cover {year}; upgrade the package chinesecalendar once the "
        "State Council's notice for that year is published.",
        f"已安装的工作日历不含 {year} 年；请在国务院公布该年放假安排后升级 chinesecalendar 软件包。",
    )
