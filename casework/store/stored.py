"""The library's stored event with the hot columns of the table of events beside the payload."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from casework.store.row import Row


@dataclass(frozen=True)
class StoredCaseEvent(StoredEvent):
    """A stored event and what can be asked of it without opening its payload.

    ``at`` (when it happened) and ``recorded_at`` (when it was recorded) are microseconds since the epoch, UTC;
    ``trigger``, ``from_state`` and ``to_state`` are ``None`` for an event that is no step of the lifecycle.
    """

    trigger: str | None
    from_state: str | None
    to_state: str | None
    at: int
    recorded_at: int


def case_id(originator_id: UUID | str) -> str:
    """The text under which the table keeps an id of the library's."""
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


def to_row(stored: StoredCaseEvent) -> Row:
    """The row that keeps this event."""
    return Row(
        case_id(stored.originator_id),
        stored.originator_version,
        stored.topic,
        stored.state,
        stored.trigger,
        stored.from_state,
        stored.to_state,
        stored.at,
        stored.recorded_at,
    )


def from_row(row: Row) -> StoredCaseEvent:
    """The event that this row keeps; the inverse of ``to_row`` for ids that are text."""
    return StoredCaseEvent(*row)
