"""What a guard is asked about: who wants which command, when, under which edition of the rulebook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from casework.domain.commands import Command
from casework.domain.facts import Facts
from casework.domain.values import Actor
from casework.errors import Reason


class Overridden(Protocol):
    """A rule in force that a higher one set aside."""

    @property
    def clause(self) -> str: ...


class Deadline(Protocol):
    """A deadline that the rulebook computed, with the rule it rests on."""

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
    @property
    def rank(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def overrides(self) -> Sequence[Overridden]: ...


class Said(Protocol):
    """A line of a calculation in both languages."""

    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


class Figure(Protocol):
    """An amount in yuan that the rulebook computed, with the rule it rests on and how it came about."""

    @property
    def amount(self) -> Decimal: ...
    @property
    def rule(self) -> str: ...
    @property
    def clause(self) -> str: ...
    @property
    def certainty(self) -> str: ...
    @property
    def rank(self) -> str: ...
    @property
    def steps(self) -> Sequence[Said]: ...


class Edition(Protocol):
    """The edition of the rulebook that a case pinned; the domain is handed it and does not know where it comes from."""

    @property
    def id(self) -> str: ...
    @property
    def digest(self) -> str: ...
    def has(self, rule_id: str) -> bool:
        """Whether the edition has that rule."""
        ...
    def due(self, rule_id: str, start: datetime) -> Deadline:
        """When what starts at ``start`` is due under that rule."""
        ...
    def after_pause(self, unit: str, end: datetime, paused_at: datetime, resumed_at: datetime) -> tuple[datetime, bool]:
        """When what was to end at ``end`` ends after a pause, the time left counted in that unit; and whether provisionally."""
        ...
    def amount(self, rule_id: str, price: Decimal, on: datetime) -> Figure:
        """What that rule makes of a price in yuan, by the record governing the local day ``on``. KeyError: there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it is put to the guards.

    ``command`` is None where it is only asked what could be done (``options``): a guard then takes a required field for one
    that would be allowed, and an optional field for absent. ``adopts`` is the edition that the case would go over to: the one
    that the command names, where there is that one, and the newest where nothing is said yet.
    """

    name: str
    by: Actor
    at: datetime
    edition: Edition
    command: Command | None = None
    about: tuple[str, str] | None = None
    adopts: Edition | None = None

    def said(self, field: str) -> Any:
        """What the command says in ``field``; None where it says nothing or is not known yet.

        ``about`` is the one field that is known of a command otherwise unknown: which thing it would name.
        """
        if self.about is not None and field == self.about[0]:
            return self.about[1]
        return getattr(self.command, field, None)

    @property
    def is_blank(self) -> bool:
        """Whether it is only asked what could be done."""
        return self.command is None


Guard = Callable[[Facts, Request], Iterable[Reason]]
