"""An edition: a fixed set of records under one digest, which of them governs on a day, and until when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import NoReturn

from casework.errors import CalendarUnknown, CaseworkError
from casework.rulebook.calendar import (
    after_pause,
    estimate_after_pause,
    estimate_working_days,
    local,
    plus_days,
    plus_hours,
    plus_months,
    plus_working_days,
    plus_years,
)
from casework.rulebook.records import RANKS, RECORDS_2026_11, Certainty, Record, Unit


@dataclass(frozen=True, slots=True)
class Due:
    """The end of a limit: ``at`` (Asia/Shanghai), and the figure and clause that gave it.

    ``provisional`` is true when ``at`` counts days that no published working-day calendar covers: it is then a best
    estimate, to be computed again when the calendar arrives.
    """

    at: datetime
    rule: str
    value: int
    unit: Unit
    clause: str
    certainty: Certainty
    provisional: bool
    rank: str = "rule"
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edition:
    """The records that a case pins under one ``id`` and one ``digest``.

    Raises ``ValueError`` if two records of one id and rank are in force on the same day.
    """

    id: str
    records: tuple[Record, ...]

    def __post_init__(self) -> None:
        for one, next_ in pairwise(sorted(self.records, key=_order)):
            if (one.id, one.rank) == (next_.id, next_.rank) and one.in_force(_begin(next_)):
                raise ValueError(
                    f"{one.id}: two records of rank {one.rank} overlap, from {one.from_} to {one.to} and "
                    f"from {next_.from_} to {next_.to}"
                )

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over the canonical JSON of all records: sorted by id, rank and from, keys sorted, UTF-8."""
        rows = [_plain(record) for record in sorted(self.records, key=_order)]
        text = json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def governing(self, rule_id: str, on: date | datetime) -> Record:
        """The record of the highest rank in force on that local day (Asia/Shanghai).

        Before the first record came into force, the earliest one. Raises ``KeyError`` for an unknown id and for a rule
        that has ended without a successor, ``ValueError`` for a naive datetime.
        """
        day = local(on).date() if isinstance(on, datetime) else on
        records = self._by_id[rule_id]
        in_force = [record for record in records if record.in_force(day)]
        if in_force:
            return min(in_force, key=_height)
        if day < _begin(records[0]):
            return records[0]
        raise KeyError(f"{rule_id}: no record in force on {day}")

    def due(self, rule_id: str, start: datetime, on: date | datetime | None = None) -> Due:
        """When the limit ``rule_id`` that starts to run at ``start`` ends, by the record governing ``on``.

        ``on`` (default ``start``) is the date that the record's ``applies_by`` names. Raises ``KeyError`` as
        ``governing`` does, ``ValueError`` for a naive datetime, ``CalendarUnknown`` after the year 9999.
        """
        record = self.governing(rule_id, start if on is None else on)
        at, provisional = _end(record, start)
        return Due(at, record.id, record.value, record.unit, record.clause, record.certainty, provisional)

    def has(self, rule_id: str) -> bool:
        """Whether the edition has a rule of that id."""
        return rule_id in self._by_id

    def after_pause(self, unit: str, end: datetime, paused_at: datetime, resumed_at: datetime) -> tuple[datetime, bool]:
        """When a limit ends whose clock stood still, the time left counted in ``unit``; and whether that is provisional."""
        try:
            return after_pause(unit, end, paused_at, resumed_at), False
        except CalendarUnknown:
            return estimate_after_pause(unit, end, paused_at, resumed_at), True

    def amount(self, rule_id: str, price: Decimal, on: date | datetime) -> NoReturn:
        """No record of an edition is an amount of money yet: ``KeyError``."""
        raise KeyError(f"{rule_id}: no amount in edition {self.id}, asked for {price} on {on}")

    @cached_property
    def _by_id(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for record in sorted(self.records, key=lambda r: (_begin(r), _height(r))):
            found.setdefault(record.id, []).append(record)
        return found


_PLUS: dict[Unit, Callable[[datetime, int], datetime]] = {
    "hour": plus_hours,
    "day": plus_days,
    "working_day": plus_working_days,
    "month": plus_months,
    "year": plus_years,
}


def _end(record: Record, start: datetime) -> tuple[datetime, bool]:
    try:
        return _PLUS[record.unit](start, record.value), False
    except CalendarUnknown:
        if record.unit != "working_day":
            raise
        return estimate_working_days(start, record.value), True


def _begin(record: Record) -> date:
    return record.from_ or date.min


def _height(record: Record) -> int:
    return RANKS.index(record.rank)


def _order(record: Record) -> tuple[str, int, date]:
    return record.id, _height(record), _begin(record)


def _plain(record: Record) -> dict[str, object]:
    """What a record decides; its sentences are no rule, so that a misprint can be mended."""
    row: dict[str, object] = {name.rstrip("_"): value for name, value in asdict(record).items() if name not in ("zh", "en")}
    return row | {name: day.isoformat() for name, day in row.items() if isinstance(day, date)}


_TMP = tuple(Record(i, v, u, None, None, "platform", "decision", "tmp", "C", "x", "x") for i, v, u in (
    ("merchant.response", 48, "hour"), ("return.shipping", 7, "day"), ("return.confirm", 10, "day"), ("courier.complaint", 7, "day"), ("consumer_assoc.accept.zj",5,"working_day"),("consumer_assoc.mediate.zj",10,"working_day")))
EDITIONS: dict[str, Edition] = {"2026-11": Edition("2026-11", RECORDS_2026_11), "2026-11.2": Edition("2026-11.2", RECORDS_2026_11 + _TMP)}
"""Every edition ever published, by id: a case keeps the one it pinned."""

CURRENT: Edition = EDITIONS["2026-11.2"]
"""The edition that a new case pins."""


def edition(id: str) -> Edition | None:
    """The edition of that id, ``None`` if there is none."""
    return EDITIONS.get(id)


def pinned(edition_id: str) -> Edition:
    """The edition that a case pinned; :class:`~casework.errors.CaseworkError` where this release does not have it."""
    found = edition(edition_id)
    if found is None:
        raise CaseworkError(
            f"the case pins rulebook edition '{edition_id}', which this release lacks; upgrade casework",
            f"案件使用规则版本“{edition_id}”，本版本没有；请升级 casework",
        )
    return found
