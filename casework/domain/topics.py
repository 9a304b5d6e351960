"""All events that a store may hold: those of cases and those of merchants' standings."""

from __future__ import annotations

from casework.domain.events import TOPICS as CASE_TOPICS
from casework.domain.events import Event, topic_of
from casework.domain.standing.events import STANDING_TOPICS, StandingEvent, standing_topic_of

AnyEvent = Event | StandingEvent
#: The allow-list: an event of any other topic is unknown, and nothing is ever imported because a topic names it.
TOPICS: dict[str, type[Event] | type[StandingEvent]] = {**CASE_TOPICS, **STANDING_TOPICS}


def any_topic_of(event: type[AnyEvent]) -> str:
    """The stable name under which an event of either family is stored."""
    return standing_topic_of(event) if issubclass(event, StandingEvent) else topic_of(event)


def follows(version: int, event: AnyEvent) -> None:
    """Say nothing when the event is the one after that version of its stream; ValueError when one is missing between them."""
    if event.originator_version != version + 1:
        raise ValueError(f"version {version + 1} is missing")
