"""The case as an event-sourced aggregate: decide in public, apply in private."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from eventsourcing.domain import BaseAggregate

from casework.domain import fold
from casework.domain.commands import Command, OpenCase
from casework.domain.decide import Context, decide, open_event
from casework.domain.events import CaseOpened, Event
from casework.domain.facts import Facts
from casework.domain.topics import follows


class Case(BaseAggregate[str]):
    """One complaint. ``facts`` is what its events say so far; ``pending_events`` what was decided and not saved yet."""

    facts: Facts

    @classmethod
    def open(cls, case_id: str, command: OpenCase, context: Context) -> Case:
        """A new case. Raises :class:`~casework.errors.Refused` or :class:`~casework.errors.InputError`."""
        event = open_event(case_id, command, context)
        case = cls._from(event)
        case._keep(event)
        return case

    def do(self, command: Command, context: Context) -> Event:
        """Carry the case on by one command and return the event that records it.

        Raises :class:`~casework.errors.Refused` with every reason, and then nothing has changed;
        :class:`~casework.errors.InputError` for a value that cannot be used.
        """
        event = decide(self.facts, command, context)
        self._apply(event)
        self._keep(event)
        return event

    @classmethod
    def from_events(cls, case: Case | None, events: Iterable[Event]) -> Case | None:
        """The projector that the repository is given: the case after these events."""
        for event in events:
            if case is None:
                case = cls._from(cast(CaseOpened, event))
            else:
                case._apply(event)
        return case

    @classmethod
    def _from(cls, event: CaseOpened) -> Case:
        case = cls.__new__(cls)
        case.__base_init__(event.originator_id, event.originator_version, event.at)
        case.facts = fold.opened(event)
        return case

    def _apply(self, event: Event) -> None:
        follows(self.version, event)
        fold.apply(self.facts, event)
        self.version = event.originator_version
        self.modified_on = event.at

    def _keep(self, event: Event) -> None:
        self.pending_events.append(event)  # type: ignore[arg-type]  # a struct of ours, not the library's dataclass
