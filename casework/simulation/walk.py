"""One made-up case on its way: every step is put to the living case and decided by the real rules.

A walk knows who acts, how long people take and when they sleep; what happens next is told by
:mod:`casework.simulation.stories`. Nothing here reads a clock or draws lots but from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

import msgspec

from casework.domain.case import Case
from casework.domain.check import SHANGHAI
from casework.domain.commands import COMMANDS, Command, OpenCase
from casework.domain.decide import Context, actor_for
from casework.domain.events import Event
from casework.domain.facts import Duty, Facts
from casework.domain.standing.effects import Effect, effect_of
from casework.domain.values import Actor
from casework.rulebook.edition import current

T = TypeVar("T")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: People act from the first to the last of these hours, by the clock of Asia/Shanghai; a system at any time.
WAKING = (8, 23)
#: How long before its end a deadline is kept at the latest.
SPARE = timedelta(minutes=10)


class Ended(Exception):
    """The window is over, or somebody lost interest: the story stops here, and the case stays as it is."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a case and its parties are called. No rule reads them but to tell one party from another."""

    case: str
    order: str
    consumer: str
    merchant: str

    def opening(self, given: OpenCase) -> OpenCase:
        """What opens the case, under these names."""
        order = msgspec.structs.replace(given.order, id=self.order, merchant=self.merchant)
        return msgspec.structs.replace(given, order=order, consumer=self.consumer)


@dataclass(frozen=True, slots=True)
class Call:
    """A step as it was asked for: by which role, or by whom, and when."""

    command: Command
    by: str | Actor
    at: datetime


@dataclass(slots=True)
class Told:
    """A case that was walked: its events, and what each of those says to the merchant's standing that says something."""

    events: list[Event] = field(default_factory=list)
    effects: dict[int, Effect] = field(default_factory=dict)


class Walk:
    """A case under way. ``steps`` is after how many its story stops, whatever was still to come; None: with its end."""

    def __init__(self, draw: Random, names: Names, given: OpenCase, opened: datetime, steps: int | None = None) -> None:
        self.draw = draw
        self.given = given
        self.opened = opened
        self.now = opened
        self.calls: list[Call] = []
        self._left = steps
        self._names = names
        self._case, self.told = _opened(names, given, opened)

    @property
    def facts(self) -> Facts:
        """What is known of the case now."""
        return self._case.facts

    # --- chance and time ---

    def chance(self, share: float) -> bool:
        """Whether it happens, of which that share does."""
        return self.draw.random() < share

    def one(self, things: Iterable[T]) -> T:
        """One of them."""
        return self.draw.choice(list(things))

    def wait(self, low: float, high: float, *, until: datetime | None = None, asleep: bool = False) -> None:
        """Let between so many hours go by, mostly nearer the few than the many; people wait for the morning.

        ``until`` is a time by which it is over, whatever the clock says; ``asleep`` that nobody has to be awake.
        """
        share = self.draw.random() ** 2
        then = self.now + timedelta(seconds=int(3600 * (low + (high - low) * share)))
        if not asleep:
            then = awake(then, self.draw)
        if until is not None and then > until - SPARE:
            left = int((until - self.now).total_seconds())
            then = self.now + timedelta(seconds=int(left * self.draw.uniform(0.3, 0.9)))
        self.now = then

    def pass_by(self, moment: datetime, *, hours: float = 6) -> None:
        """Let the time go on to some hours after that moment at the most, when a system finds it over."""
        self.now = max(self.now, moment.replace(microsecond=0)) + timedelta(seconds=1 + int(3600 * hours * self.draw.random()))

    def due(self, kind: str) -> datetime | None:
        """Until when a duty of that kind runs; None where none does."""
        return next((d.due.at for d in reversed(self.facts.duties.values()) if d.kind == kind and d.state == "running"), None)

    def owed(self, kind: str) -> Duty | None:
        """The last duty of that kind that is owed still."""
        return next((d for d in reversed(self.facts.duties.values()) if d.kind == kind and d.is_owed), None)

    # --- steps ---

    def do(self, name: str, by: str | Actor, **said: Any) -> None:
        """Give the case that command now. :class:`Ended` where the story stops before it.

        :class:`~casework.errors.Refused` where the rules do not allow it.
        """
        if self._left is not None:
            if not self._left:
                raise Ended
            self._left -= 1
        call = Call(COMMANDS[name](**said), by, self.now)
        _do(self._case, self.told, call)
        self.calls.append(call)

    def again(self, names: Names, later: timedelta) -> Told:
        """The same walk by others and later, every step decided anew. Raises what deciding raises."""
        case, told = _opened(names, self.given, self.opened + later)
        for call in self.calls:
            _do(case, told, Call(_later(call.command, later), call.by, call.at + later))
        return told


def _opened(names: Names, given: OpenCase, at: datetime) -> tuple[Case, Told]:
    command = names.opening(given)
    by = Actor(role="consumer", id=command.consumer)
    case = Case.open(names.case, command, Context(by, at, at, f"{names.case}.1", current()))
    return case, Told([case.pending_events.pop()])  # type: ignore[list-item]  # a struct of ours, not the library's dataclass


def _do(case: Case, told: Told, call: Call) -> None:
    by = call.by if isinstance(call.by, Actor) else actor_for(call.by, case.facts)
    number = case.version + 1
    event = case.do(call.command, Context(by, call.at, call.at, f"{case.id}.{number}", current()))
    case.pending_events.clear()
    told.events.append(event)
    if (effect := effect_of(case.facts, event)) is not None:
        told.effects[number] = effect


def _later(command: Command, by: timedelta) -> Command:
    """The same command with every time that it names so much later."""
    moved = {name: value + by for name in command.__struct_fields__ if isinstance(value := getattr(command, name), datetime)}
    return msgspec.structs.replace(command, **moved) if moved else command


def awake(moment: datetime, draw: Random) -> datetime:
    """The moment, or some time in the next morning where people sleep then."""
    local = moment.astimezone(SHANGHAI)
    first, last = WAKING
    if first <= local.hour < last:
        return moment
    morning = local.replace(hour=first, minute=0, second=0) + (DAY if local.hour >= last else timedelta(0))
    return (morning + timedelta(seconds=int(draw.random() ** 2 * 4 * 3600))).astimezone(moment.tzinfo)
