"""A walk that was decided once, told of other people at other times of the same day.

What the rules decide hangs on names only as far as these tell the parties apart, and on times only by comparing them. Told later
by some seconds, every time of a walk either moves along or (the end of a day, say) stays, so the difference of any two grows
evenly; if a comparison comes out the same at both ends of the stretch, it does everywhere between. So a walk is decided at both
ends, and told within them if the two differ in nothing but times, each of which stood still or moved by the whole stretch. That
the bytes are those that deciding anew would have made is held by a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any

from casework.domain.check import SHANGHAI
from casework.domain.standing.effects import Effect
from casework.errors import CaseworkError
from casework.simulation.walk import Names, Walk
from casework.store.row import Row
from casework.store.store import stored
from casework.store.stored import to_row

#: Who a walk is decided of: no text in it can be any of these but where the name stands.
NOBODY = Names("CASE-0000-0000", "ORDER-0000-0000", "CONSUMER-0000", "MERCHANT-0000")
#: The longest stretch over which a walk is told.
STRETCH = timedelta(hours=6)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z"
_NAMED = {name.encode(): place for place, name in enumerate((NOBODY.case, NOBODY.order, NOBODY.consumer, NOBODY.merchant))}
_SLOT = re.compile(b"|".join([*map(re.escape, _NAMED), _TIME]))
_SECOND = 1_000_000

Fill = Callable[[Sequence[bytes]], Any]


@dataclass(frozen=True, slots=True)
class _Line:
    """An event: its payload with slots, which values fill them, and the columns beside it."""

    version: int
    topic: str
    payload: bytes
    fill: Fill
    trigger: str | None
    from_state: str | None
    to_state: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Tale:
    """A walk to be told: of whom and how many seconds later (``stretch`` at the most) is said each time."""

    stretch: int
    state: str
    _lines: tuple[_Line, ...]
    _times: tuple[int, ...]
    _effects: dict[int, Effect]

    @classmethod
    def of(cls, walk: Walk, *, once: bool = False) -> Tale:
        """The tale of a walk of :data:`NOBODY`. Where it is ``once``, or is not the same walk at other times, its times stay."""
        stretch = timedelta(0) if once else _until_midnight(walk)
        rows = [to_row(stored(event)) for event in walk.told.events]
        if stretch:
            try:
                later = [to_row(stored(event)) for event in walk.again(NOBODY, stretch).events]
                return cls._made(walk, rows, later, stretch)
            except (CaseworkError, _Differ):
                pass
        return cls._made(walk, rows, rows, timedelta(0))

    @classmethod
    def _made(cls, walk: Walk, rows: list[Row], later: list[Row], stretch: timedelta) -> Tale:
        if len(rows) != len(later):
            raise _Differ
        times: dict[bytes, int] = {}
        lines = [_line(one, other, stretch, times) for one, other in zip(rows, later, strict=True)]
        return cls(int(stretch.total_seconds()), walk.facts.state, tuple(lines), tuple(_seconds(text) for text in times),
                   walk.told.effects)

    def told(self, names: Names, later: int = 0) -> list[Row]:
        """The rows of the case under these names, so many seconds later."""
        values = [names.case.encode(), names.order.encode(), names.consumer.encode(), names.merchant.encode(),
                  *(_text(at + later) for at in self._times)]
        case, shift = names.case, later * _SECOND
        rows = []
        for line in self._lines:
            at = line.at + shift
            rows.append(Row(case, line.version, line.topic, line.payload % line.fill(values), line.trigger, line.from_state,
                            line.to_state, at, at))
        return rows

    def effects(self, names: Names) -> list[tuple[int, Effect]]:
        """What the case says to its merchant's standing, by the version that says it."""
        return [(version, replace(effect, case=names.case)) for version, effect in self._effects.items()]


class _Differ(Exception):
    """The walk decided at the two ends of the stretch is not one walk."""


def _until_midnight(walk: Walk) -> timedelta:
    """How much later the walk can be without any of it falling on another day, where days are counted."""
    spans = []
    for event in walk.told.events:
        local = event.at.astimezone(SHANGHAI)
        spans.append(local.replace(hour=23, minute=59, second=0, microsecond=0) - local)
    return max(timedelta(0), min(STRETCH, *spans))


def _line(one: Row, other: Row, stretch: timedelta, times: dict[bytes, int]) -> _Line:
    if _SLOT.split(one.payload) != _SLOT.split(other.payload) or one[:3] != other[:3] or one[4:7] != other[4:7]:
        raise _Differ
    places: list[int] = []
    parts: list[bytes] = []
    end = 0
    seconds = int(stretch.total_seconds())
    for here, there in zip(_SLOT.finditer(one.payload), _SLOT.finditer(other.payload), strict=True):
        text = here[0]
        if text in _NAMED:
            place = _NAMED[text]
        elif text == there[0]:
            continue  # it stands still, and is part of what is said of everybody
        elif _seconds(there[0]) - _seconds(text) == seconds:
            place = times.setdefault(text, len(_NAMED) + len(times))
        else:
            raise _Differ
        parts += [one.payload[end:here.start()].replace(b"%", b"%%"), b"%b"]
        places.append(place)
        end = here.end()
    parts.append(one.payload[end:].replace(b"%", b"%%"))
    return _Line(one.version, one.topic, b"".join(parts), itemgetter(*places), one.trigger, one.from_state, one.to_state,
                 one.at)


def _seconds(text: bytes) -> int:
    """The whole seconds since the epoch that a stored time says."""
    if len(text) != len("2026-03-01T10:00:00Z"):
        raise _Differ
    return int((datetime.fromisoformat(text.decode().replace("Z", "+00:00")) - _EPOCH).total_seconds())


def _text(seconds: int) -> bytes:
    days, rest = divmod(seconds, 86_400)
    return _day(days) + _clock(rest)


@cache
def _day(days: int) -> bytes:
    return (_EPOCH + timedelta(days=days)).strftime("%Y-%m-%dT").encode()


@cache
def _clock(seconds: int) -> bytes:
    return b"%02d:%02d:%02dZ" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
