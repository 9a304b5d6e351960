"""An edition: a fixed set of records under one digest, which of them governs, until when, and how much.

``CURRENT``, what a new case pins, and ``EDITIONS``, every edition ever published by its id, are read from the files when
they are first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import Any

from casework.errors import CalendarUnknown, CaseworkError
from casework.rulebook import files
from casework.rulebook.calendar import SHANGHAI, after_pause, estimate_after_pause, local_day, published
from casework.rulebook.counting import Span, end_of_day, same_clock, unit_of
from casework.rulebook.money import Step, reckon
from casework.rulebook.records import RANKS, AppliesBy, Base, Body, Certainty, Rank, Record, Roll, TimeUnit, Unit

CURRENT: Edition
EDITIONS: Mapping[str, Edition]


@dataclass(frozen=True, slots=True)
class Dates:
    """The days that choose a record: of the act between the parties, of the filing, of the decision.

    Where one is not known the nearest known one stands for it: the filing's for the decision's, and so on. Raises
    ``ValueError`` if none is given.
    """

    act: date | datetime | None = None
    filing: date | datetime | None = None
    decision: date | datetime | None = None

    def __post_init__(self) -> None:
        if self.act is self.filing is self.decision is None:
            raise ValueError("no date is given")

    def by(self, applies_by: AppliesBy) -> date:
        """The local day that chooses the records which go by it."""
        turn = {"act": (self.act, self.filing, self.decision), "filing": (self.filing, self.act, self.decision),
                "decision": (self.decision, self.filing, self.act)}
        return _day(next(day for day in turn[applies_by] if day is not None))


When = date | datetime | Dates


@dataclass(frozen=True, slots=True)
class Due:
    """The end of a limit: ``at`` (Asia/Shanghai), and the figure and clause that gave it.

    ``day`` is the last local day (None of hours). ``provisional`` is true when days were counted that no published
    calendar covers: ``at`` is then a best estimate, to be computed again when the calendar arrives. ``counted``: every day
    counted of days and working days, the first and last of months and years, the first and last moment of hours;
    ``not_counted`` what was passed over. ``overrides`` are the records in force that a higher rank set aside.
    ``in_force`` is false where the rule came into force only after the day asked about. ``extended`` is the end with the
    record's extension, if it has one.
    """

    at: datetime
    rule: str
    value: int
    unit: Unit
    clause: str
    certainty: Certainty
    provisional: bool
    rank: Rank = "law"
    day: date | None = None
    counted: tuple[date, ...] = ()
    not_counted: tuple[Span, ...] = ()
    overrides: tuple[Record, ...] = ()
    in_force: bool = True
    extended: Due | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money in yuan (whole fen), the record that gave it, and the steps of the calculation in words.

    ``awarded_by`` says who may award it; ``overrides`` and ``in_force`` are as for :class:`Due`.
    """

    amount: Decimal
    rule: str
    value: int | Decimal
    unit: Unit
    of: Base | None
    min: Decimal | None
    max: Decimal | None
    rank: Rank
    clause: str
    certainty: Certainty
    awarded_by: tuple[Body, ...]
    steps: tuple[Step, ...]
    overrides: tuple[Record, ...] = ()
    in_force: bool = True


@dataclass(frozen=True)
class Edition:
    """The records that a case pins under one ``id`` and one ``digest``.

    ``whole_days``: a limit of days or longer ends with its last local day, moved on where its record says so; otherwise
    it ends at the clock time at which it began, as the first edition had it. Raises ``ValueError`` if two records of one
    id and rank are in force on the same day.
    """

    id: str
    records: tuple[Record, ...]
    whole_days: bool = True

    def __post_init__(self) -> None:
        for one, next_ in pairwise(sorted(self.records, key=files.order)):
            if (one.id, one.rank) == (next_.id, next_.rank) and one.in_force(_begin(next_)):
                raise ValueError(
                    f"{one.id}: two records of rank {one.rank} overlap, from {one.from_} to {one.to} and "
                    f"from {next_.from_} to {next_.to}"
                )

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over what the records decide, see :func:`~casework.rulebook.files.digest_of`."""
        return files.digest_of(self.records, self.whole_days)

    def has(self, rule_id: str) -> bool:
        """Whether there is a rule of that id, in force or not."""
        return rule_id in self._by_id

    def rules(self) -> list[str]:
        """The ids of all rules, sorted."""
        return sorted(self._by_id)

    def of(self, rule_id: str) -> list[Record]:
        """All records of a rule, the earliest first. ``KeyError`` for an unknown id."""
        return list(self._by_id[rule_id])

    def in_force(self, rule_id: str, on: When, rank: Rank | None = None) -> list[Record]:
        """The records of a rule that are in force, the highest rank first, each on the day that its ``applies_by`` names.

        Raises ``KeyError`` for an unknown id, ``ValueError`` for a naive datetime.
        """
        found = [r for r in self._by_id[rule_id] if rank in (None, r.rank) and r.in_force(_on(r, on))]
        return sorted(found, key=_height)

    def governing(self, rule_id: str, on: When, rank: Rank | None = None) -> Record:
        """The record of the highest rank in force (of ``rank`` alone, if given).

        ``on`` is the day that the record's ``applies_by`` names, local in Asia/Shanghai, or all of them as
        :class:`Dates`. Before the first record came into force, the earliest one. Raises ``KeyError`` for an unknown id,
        for a rule that has ended without a successor and one that has no record of that rank, ``ValueError`` for a naive
        datetime.
        """
        if found := self.in_force(rule_id, on, rank):
            return found[0]
        records = [r for r in self._by_id[rule_id] if rank in (None, r.rank)]
        if records and _on(records[0], on) < _begin(records[0]):
            return records[0]
        raise KeyError(f"{rule_id}: no record in force on {_on(records[-1], on)}" if records else
                       f"{rule_id}: no record of rank {rank}")

    def overridden(self, rule_id: str, on: When, rank: Rank | None = None) -> tuple[Record, ...]:
        """The records in force that the governing one overrides, the highest rank first; of ``rank`` alone there are none."""
        return tuple(self.in_force(rule_id, on, rank)[1:])

    def due(self, rule_id: str, start: datetime, on: When | None = None, rank: Rank | None = None,
            roll: Roll | None = None) -> Due:
        """When the limit ``rule_id`` that starts to run at ``start`` ends, by the record governing ``on``.

        ``on`` (default ``start``) is the date that the record's ``applies_by`` names; ``roll`` reads the last day
        otherwise than the record does. Raises ``KeyError`` as ``governing`` does, ``ValueError`` for a naive datetime and
        a rule about money, ``CalendarUnknown`` after the year 9999.
        """
        if (on, rank, roll) == (None, None, None) and self.whole_days and rule_id not in self.in_hours:
            return _due_by_day(published(), self, rule_id, local_day(start))
        return self._ends(rule_id, start, on, rank, roll)

    def _ends(self, rule_id: str, start: datetime, on: When | None, rank: Rank | None, roll: Roll | None) -> Due:
        when = start if on is None else on
        record = self.governing(rule_id, when, rank)
        found = self._due(record, start, roll, self.overridden(rule_id, when, rank), record.in_force(_on(record, when)))
        if not record.extension:
            return found
        longer = replace(record, value=int(record.value) + record.extension)
        return replace(found, extended=self._due(longer, start, roll, (), found.in_force))

    def _due(self, record: Record, start: datetime, roll: Roll | None, overrides: tuple[Record, ...], in_force: bool) -> Due:
        unit: TimeUnit = unit_of(record)
        end = end_of_day(record, start, roll) if self.whole_days else same_clock(record, start)
        return Due(end.at, record.id, int(record.value), unit, record.clause, record.certainty, end.provisional, record.rank,
                   end.day, end.counted, end.not_counted, overrides, in_force)

    def after_pause(self, unit: str, end: datetime, paused_at: datetime, resumed_at: datetime) -> tuple[datetime, bool]:
        """When a limit ends whose clock stood still, the time left counted in ``unit``; and whether that is provisional."""
        try:
            return after_pause(unit, end, paused_at, resumed_at), False
        except CalendarUnknown:
            return estimate_after_pause(unit, end, paused_at, resumed_at), True

    def amount(self, rule_id: str, price: Decimal | None, on: When, rank: Rank | None = None, *,
               sums: Mapping[Base, Decimal] | None = None) -> Amount:
        """How much the rule ``rule_id`` gives, by the record governing ``on``.

        ``price`` is in yuan; ``sums`` holds whatever else is known (``paid``, ``loss``, ``freight``, ``wage``), and the
        price stands for what is not; without ``sums`` it is what was paid as well. Raises ``KeyError`` as ``governing``
        does, ``ValueError`` for a limit of time and a negative sum, ``TypeError`` for a float.
        """
        record = self.governing(rule_id, on, rank)
        given: dict[Base, Decimal] = {} if price is None else {"price": price, **({"paid": price} if sums is None else {})}
        amount, steps = reckon(record, given | dict(sums or {}))
        return Amount(amount, record.id, record.value, record.unit, record.of, record.min, record.max, record.rank,
                      record.clause, record.certainty, record.awarded_by, steps,
                      self.overridden(rule_id, on, rank), record.in_force(_on(record, on)))

    def diff(self, one: date, two: date) -> Iterator[tuple[Record | None, Record | None]]:
        """What is in force on one of two days and differs on the other: pairs of one id and rank, None where nothing is."""
        for rule_id in self.rules():
            before = {r.rank: r for r in self.in_force(rule_id, one)}
            after = {r.rank: r for r in self.in_force(rule_id, two)}
            for rank in RANKS:
                if before.get(rank) != after.get(rank):
                    yield before.get(rank), after.get(rank)

    def with_records(self, records: Iterable[Record]) -> Edition:
        """These records besides the edition's own. ``ValueError`` where they overlap."""
        return Edition(f"{self.id}+", (*self.records, *records), self.whole_days)

    def __hash__(self) -> int:
        """By its id, for what is kept of each edition; equal editions have equal ones."""
        return hash(self.id)

    @cached_property
    def in_hours(self) -> frozenset[str]:
        """The ids of the rules that count hours, if only at times; the ends of all others go by whole days."""
        return frozenset(record.id for record in self.records if record.unit == "hour")

    @cached_property
    def _by_id(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for record in sorted(self.records, key=lambda r: (_begin(r), _height(r))):
            found.setdefault(record.id, []).append(record)
        return found


@lru_cache(maxsize=1 << 16)
def _due_by_day(calendar: object, edition: Edition, rule_id: str, day: date) -> Due:
    """When a limit that is counted in whole days ends: the same for whatever begins on that local day."""
    return edition._ends(rule_id, datetime.combine(day, time.min, SHANGHAI), None, None, None)


def _on(record: Record, when: When) -> date:
    return when.by(record.applies_by) if isinstance(when, Dates) else _day(when)


def _day(when: date | datetime) -> date:
    return local_day(when) if isinstance(when, datetime) else when


def _begin(record: Record) -> date:
    return record.from_ or date.min


def _height(record: Record) -> int:
    return RANKS.index(record.rank)


@cache
def editions() -> Mapping[str, Edition]:
    """Every edition ever published, by id, the oldest first: a case keeps the one it pinned.

    :class:`~casework.rulebook.files.Faults` where a published file was altered or is not usable.
    """
    lock, entries = files.published()
    return {listed.id: Edition(listed.id, tuple(e.record for e in files.of_edition(entries, listed.id, lock)), listed.whole_days)
            for listed in lock.editions}


def current() -> Edition:
    """The edition that a new case pins: the last one."""
    return next(reversed(editions().values()))  # type: ignore[call-overload, no-any-return]


def __getattr__(name: str) -> Any:
    """``EDITIONS`` and ``CURRENT`` when they are asked for, so that what needs no rule reads no file."""
    if name == "EDITIONS":
        return editions()
    if name == "CURRENT":
        return current()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def edition(id: str) -> Edition | None:
    """The edition of that id, ``None`` if there is none."""
    return editions().get(id)


def pinned(edition_id: str) -> Edition:
    """The edition that a case pinned; :class:`~casework.errors.CaseworkError` where this release does not have it."""
    found = edition(edition_id)
    if found is None:
        raise CaseworkError(
            f"the case pins rulebook edition '{edition_id}', which this release lacks; upgrade casework",
            f"案件使用规则版本“{edition_id}”，本版本没有；请升级 casework",
        )
    return found
