"""The standing as an event-sourced aggregate, thin as the case is: decide in public, apply in private."""

from __future__ import annotations

from collections.abc import Iterable

from eventsourcing.domain import BaseAggregate

from casework.domain.decide import Context
from casework.domain.standing import events as e
from casework.domain.standing.commands import StandingCommand
from casework.domain.standing.decide import Deadlines, consequences, decide
from casework.domain.standing.effects import Effect
from casework.domain.standing.facts import StandingFacts, apply
from casework.domain.topics import follows


class Standing(BaseAggregate[str]):
    """One merchant's standing. A merchant of whom nothing was recorded has one at version 0."""

    facts: StandingFacts

    @classmethod
    def of(cls, merchant: str) -> Standing:
        """The standing of a merchant before anything was recorded of him."""
        standing = cls.__new__(cls)
        facts = StandingFacts(merchant)
        standing.__base_init__(e.stream_of(merchant), 0, facts.recorded_at)
        standing.facts = facts
        return standing

    def follow(self, effect: Effect, occasion: Context, deadlines: Deadlines) -> list[e.StandingEvent]:
        """Record what follows from an event of a case; nothing of it can be refused."""
        return self._keep(consequences(self.facts, effect, occasion, deadlines))

    def do(self, command: StandingCommand, context: Context) -> list[e.StandingEvent]:
        """Record a command, with what follows from it. :class:`~casework.errors.Refused` with every reason."""
        return self._keep(decide(self.facts, command, context))

    @classmethod
    def from_events(cls, standing: Standing | None, events: Iterable[e.StandingEvent]) -> Standing | None:
        """The projector that the repository is given: the standing after these events."""
        for event in events:
            if standing is None:
                standing = cls.of(e.merchant_of(event.originator_id))
            standing._apply(event)
        return standing

    def _apply(self, event: e.StandingEvent) -> None:
        follows(self.version, event)
        apply(self.facts, event)
        self.version = event.originator_version
        self.modified_on = event.at

    def _keep(self, events: list[e.StandingEvent]) -> list[e.StandingEvent]:
        for event in events:
            self._apply(event)
            self.pending_events.append(event)  # type: ignore[arg-type]  # structs of ours, as a case's are
        return events
