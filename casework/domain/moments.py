"""Which times are taken: those that a complaint can have, so that no reckoning from one leaves the calendar."""

from __future__ import annotations

from datetime import UTC, datetime

from casework.errors import InputError

#: No order was made at a distance before, and no limit runs for so long.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2201, 1, 1, tzinfo=UTC)


def is_reasonable(at: datetime) -> bool:
    """Whether the aware time is from 1900 to 2200, UTC."""
    return EARLIEST <= at < LATEST


def within_reason(at: datetime, where: str) -> datetime:
    """The aware time, if it is from 1900 to 2200; else :class:`~casework.errors.InputError` said of ``where``."""
    if not is_reasonable(at):
        raise InputError("is outside the years 1900 to 2200; write a time such as 2026-03-01T10:00:00+08:00",
                         "不在 1900 至 2200 年之内；请写如 2026-03-01T10:00:00+08:00 的时间", where)
    return at
