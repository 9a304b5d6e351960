"""The index of running duties, kept with the events: what is due is found by what is due, not by reading every case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from casework.domain.events import DutyChange
from casework.store import codec
from casework.store.codec import Move
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
IS_THERE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'duties'"


#: The running duties, by case and duty.
Index = dict[tuple[str, str], DueRow]


def moves(case: str, changes: Iterable[DutyChange | Move]) -> Iterator[tuple[str, str, DueRow | None]]:
    """What an event does to the index: case, duty, and its new row, None where its clock runs no more."""
    for change in changes:
        due = change.due
        yield case, change.id, None if due is None else DueRow(
            case, change.id, change.duty, change.owes, microseconds(due.at), int(due.provisional))


def moved(rows: Iterable[Row]) -> tuple[list[tuple[str, str]], list[DueRow]]:
    """What these rows, of one commit, do to the index: what is taken out of it, and then what is put in.

    Of a stream that begins among them nothing was in it.
    """
    last: dict[str, dict[str, Move]] = {}
    new: set[str] = set()
    for row in rows:
        if row.version == 1:
            new.add(row.case)
        if changes := codec.duty_changes(row.payload):
            if (mine := last.get(row.case)) is None:
                last[row.case] = mine = {}
            for change in changes:
                mine[change.id] = change
    over = [(case, duty) for case, mine in last.items() if case not in new for duty, change in mine.items() if change.due is None]
    return over, [due for case, mine in last.items() for _, _, due in moves(case, mine.values()) if due is not None]


def follow(index: Index, case: str, changes: Iterable[DutyChange | Move]) -> None:
    """Do to the index what an event of the case does."""
    for name, duty, due in moves(case, changes):
        if due is None:
            index.pop((name, duty), None)
        else:
            index[name, duty] = due


def running(rows: Iterable[Row]) -> list[DueRow]:
    """The index as the events give it, by due time."""
    found: Index = {}
    for row in rows:
        # An altered row may hold anything, and the index takes text only.
        if isinstance(row.payload, bytes) and _is_text(row.case):
            follow(found, row.case, codec.duty_changes(row.payload))
    return sorted(found.values(), key=lambda d: (d.due, d.case, d.duty))


def _is_text(case: object) -> bool:
    if not isinstance(case, str):
        return False
    try:
        case.encode()
    except UnicodeEncodeError:
        return False
    return True


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch, exact."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The time, UTC, that is so many microseconds after the epoch; the nearest that a calendar has, the first for no number.

    An index that somebody altered may hold anything, and a duty in it must come up all the same: its case decides.
    """
    if not isinstance(microseconds, int) or microseconds < _FIRST:
        return _EPOCH + _FIRST * _MICROSECOND
    return _EPOCH + min(microseconds, _LAST) * _MICROSECOND


# A day within what a calendar has, so that every zone has a name for it.
_FIRST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // _MICROSECOND
