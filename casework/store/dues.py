"""The index of running duties, kept with the events: what is due is found by what is due, not by reading every case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from casework.store import codec
from casework.store.row import DueRow, Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

CREATE = (
    """
CREATE TABLE IF NOT EXISTS duties (
    case_id TEXT NOT NULL,
    duty TEXT NOT NULL,
    kind TEXT NOT NULL,
    owes TEXT NOT NULL,
    due INTEGER NOT NULL,
    provisional INTEGER NOT NULL,
    PRIMARY KEY (case_id, duty)
) WITHOUT ROWID
""",
    "CREATE INDEX IF NOT EXISTS duties_by_due ON duties (due)",
    "CREATE INDEX IF NOT EXISTS duties_provisional ON duties (due) WHERE provisional = 1",
)
PUT = "INSERT OR REPLACE INTO duties (case_id, duty, kind, owes, due, provisional) VALUES (?, ?, ?, ?, ?, ?)"
CLEAR = "DELETE FROM duties"
DROP = "DELETE FROM duties WHERE case_id = ? AND duty = ?"


def moves(case: str, payload: bytes) -> Iterator[tuple[str, str, DueRow | None]]:
    """What an event does to the index: case, duty, and its new row, None where its clock runs no more."""
    for change in codec.duty_changes(payload):
        due = change.due
        yield case, change.id, None if due is None else DueRow(
            case, change.id, change.duty, change.owes, microseconds(due.at), int(due.provisional))


def running(rows: Iterable[Row]) -> list[DueRow]:
    """The index as the events give it, by due time."""
    found: dict[tuple[str, str], DueRow] = {}
    for row in rows:
        for case, duty, due in moves(row.case, row.payload):
            if due is None:
                found.pop((case, duty), None)
            else:
                found[case, duty] = due
    return sorted(found.values(), key=lambda d: (d.due, d.case, d.duty))


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch, exact."""
    return (moment - _EPOCH) // _MICROSECOND
