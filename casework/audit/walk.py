"""What the audit knows of a case between two of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from casework.audit.findings import Fault, Line
from casework.audit.projector import project
from casework.domain.events import DutyChange, Event
from casework.domain.facts import INITIAL, Facts
from casework.domain.lifecycle import STAGE_OF
from casework.domain.machine import Lifecycle, lifecycle
from casework.domain.versions import TABLES
from casework.rulebook.edition import Edition
from casework.store.row import Row


def known_lifecycles() -> tuple[Lifecycle, ...]:
    """Every lifecycle of this release."""
    return tuple(process for version in TABLES if (process := lifecycle(version)) is not None)


@dataclass(slots=True)
class Walk:
    """``state`` is what the events so far yield, None where that cannot be told.

    ``processes`` are the lifecycles by which a step may be lawful: the one that is pinned, none if that one is unknown,
    any that is known while the opening could not be read. ``broken`` says from where on the facts are incomplete. ``duties`` are
    what the event that is judged should have done to duties, where it says something else; ``meant`` is the last event as it was
    gone on from.
    """

    version: int = 0
    facts: Facts | None = None
    state: str | None = None
    at: datetime | None = None
    recorded_at: datetime | None = None
    processes: tuple[Lifecycle, ...] = field(default_factory=known_lifecycles)
    edition: Edition | None = None
    broken: Line | None = None
    commands: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    duties: tuple[DutyChange, ...] | None = None
    meant: Event | None = None
    _told: set[tuple[str, str]] = field(default_factory=set)

    def break_off(self, why: Line) -> None:
        """From here on the facts are incomplete; the first cause is the one that is told."""
        self.broken = self.broken or why

    def take(self, event: Event, state: str | None) -> None:
        """Go on after an event, in the state that it yields (None: that cannot be told)."""
        self.meant = event if self.duties is None else replace(event, duties=self.duties)
        self.facts, self.duties = project(self.facts, self.meant), None
        self._enter(state)
        self.at, self.recorded_at = event.at, event.recorded_at
        self.commands.setdefault(event.command_id, self.version)

    def pass_over(self, row: Row) -> None:
        """Go on after an event that could not be read: by the columns, as far as they name a state."""
        why = Line(f"版本 {self.version} 无法读取", f"version {self.version} could not be read")
        self.break_off(why)
        if isinstance(row.to_state, str) and row.to_state in STAGE_OF:
            self._enter(row.to_state)
        elif self.version == 1:
            self._enter(INITIAL)
        elif (row.trigger, row.from_state, row.to_state) != (None, None, None):
            self._enter(None)

    def unchecked(self, what: Line, why: Line) -> Iterator[Fault]:
        """The same thing that cannot be checked, for the same reason, is told once a case, where it first matters."""
        if (said := (what.en, why.en)) not in self._told:
            self._told.add(said)
            yield Fault("not_checked", what, why)

    def _enter(self, state: str | None) -> None:
        self.state = state
        if self.facts is not None and state is not None:
            self.facts.state = state
