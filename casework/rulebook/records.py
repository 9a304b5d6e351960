"""What a record of the rulebook is: one figure of one rule, of one rank, while it was in force.

The records themselves are the files in ``records/``. A figure is never edited: give the old record its last day and add
the next one, in a new edition.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Literal, get_args

TimeUnit = Literal["hour", "day", "working_day", "month", "year"]
MoneyUnit = Literal["times", "percent", "yuan"]
Unit = Literal["hour", "day", "working_day", "month", "year", "times", "percent", "yuan"]
Rank = Literal["law", "regulation", "rule", "local", "platform", "seed"]
AppliesBy = Literal["act", "filing", "decision"]
Certainty = Literal["A", "A-", "B", "C", "I"]
Roll = Literal["none", "holiday", "rest_day"]
Starts = Literal["now", "next_midnight"]
Base = Literal["price", "paid", "loss", "freight", "wage"]
Body = Literal["platform", "mediation", "court"]

RANKS: tuple[Rank, ...] = get_args(Rank)
"""The ranks, the highest first."""

TIME_UNITS: tuple[TimeUnit, ...] = get_args(TimeUnit)
MONEY_UNITS: tuple[MoneyUnit, ...] = get_args(MoneyUnit)


@dataclass(frozen=True, slots=True)
class Record:
    """One figure of one rule while it was in force.

    ``value`` counts ``unit`` (``day`` is a natural day). ``from_`` and ``to`` are local dates in Asia/Shanghai, both
    inclusive, ``None`` where open. ``applies_by`` says whose date chooses the record: of the ``act`` between the
    parties (receipt, request), of the ``filing`` with the body that decides, or of that body's own ``decision``.
    ``clause`` is the source. ``certainty``: A the article was read, A- an excerpt of it, B a secondary source, C not
    verified, I inferred.

    Of a limit of time: ``roll`` says which last day moves to the next one that is none (a statutory ``holiday``, 法定节假日,
    or any ``rest_day``, 法定休假日), ``starts`` when it begins to run, ``extension`` by how many more it may be extended.
    Of money: ``of`` what it is a multiple or a share of, ``min`` and ``max`` its bounds in yuan, ``awarded_by`` who may
    award it. ``gap_before`` says why nothing was in force just before. Raises ``ValueError`` for anything outside these.
    """

    id: str
    value: int | Decimal
    unit: Unit
    from_: date | None
    to: date | None
    rank: Rank
    applies_by: AppliesBy
    clause: str
    certainty: Certainty
    zh: str
    en: str
    roll: Roll = "none"
    starts: Starts = "now"
    extension: int = 0
    of: Base | None = None
    min: Decimal | None = None
    max: Decimal | None = None
    awarded_by: tuple[Body, ...] = ()
    gap_before: str = ""

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise ValueError(f"{self.id}: {name} {value!r} is none of {', '.join(allowed)}")
        if self.value <= 0 or (self.counts_time and self.value != int(self.value)):
            raise ValueError(f"{self.id}: a figure of {self.value} is none")
        if self.from_ and self.to and self.to < self.from_:
            raise ValueError(f"{self.id}: ends on {self.to}, before it begins on {self.from_}")
        if (self.of is None) == (self.unit in ("times", "percent")):
            raise ValueError(f"{self.id}: a multiple or a share is of something, and nothing else is")

    @property
    def counts_time(self) -> bool:
        """Whether it is a limit of time; otherwise it is a sum of money."""
        return self.unit in TIME_UNITS

    @property
    def unverified(self) -> bool:
        """Whether nobody could verify it (certainty C)."""
        return self.certainty == "C"

    def in_force(self, day: date) -> bool:
        """Whether the record is in force on the local ``day`` (Asia/Shanghai)."""
        return (self.from_ or date.min) <= day <= (self.to or date.max)

    def text(self, lang: str) -> str:
        """What it says in ``lang`` (``"zh"`` or ``"en"``)."""
        return self.zh if lang == "zh" else self.en

    def plain(self) -> dict[str, Any]:
        """What the record decides, as JSON has it: what is as usual is left out; its sentences are no rule, so that a
        misprint can be mended."""
        held = ((name, getattr(self, name)) for name in _DECIDING)
        return {name.rstrip("_"): _plain(value) for name, value in held if name not in _LATER or value != _LATER[name]}


CHOICES: dict[str, tuple[str, ...]] = {
    "unit": get_args(Unit), "rank": RANKS, "applies_by": get_args(AppliesBy), "certainty": get_args(Certainty),
    "roll": get_args(Roll), "starts": get_args(Starts), "of": get_args(Base),
}
"""What a field of few possible values may hold."""

BODIES: tuple[Body, ...] = get_args(Body)

_DECIDING = tuple(field.name for field in fields(Record) if field.name not in ("zh", "en", "gap_before"))
# Fields that the first edition did not have: left out of a digest where they hold the default, so that its digest stands.
_LATER = {field.name: field.default for field in fields(Record)
          if field.name in ("roll", "starts", "extension", "of", "min", "max", "awarded_by")}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else list(value) if isinstance(value, tuple) else value
