"""A recorder that keeps everything in memory: for scenarios, and for audits of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from eventsourcing.persistence import StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from casework.store.dues import running
from casework.store.row import DueRow, Row
from casework.store.stored import StoredCaseEvent, from_row, to_row


class MemoryRecorder(POPOApplicationRecorder):
    """Keeps StoredCaseEvents, and reads them as ``reader.Reader`` reads a file."""

    def _insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        for stored in stored_events:
            if not isinstance(stored, StoredCaseEvent):
                raise TypeError(f"a store of cases keeps StoredCaseEvents, not {type(stored).__name__}")
        return super()._insert_events(stored_events, **kwargs)

    def append_many(self, commits: Sequence[Sequence[Row]]) -> None:
        """Keep these rows as they are, all or none."""
        self.insert_events([from_row(row) for rows in commits for row in rows])

    def rows(self, case: str | None = None) -> Iterator[Row]:
        """All rows, or those of one case, by case and version, as they are at the time of the call."""
        rows = self._rows()
        return iter(sorted((r for r in rows if case in (None, r.case)), key=lambda r: (r.case, r.version)))

    def case_ids(self) -> list[str]:
        """The ids of all cases, sorted."""
        return sorted({row.case for row in self._rows()})

    def has(self, case: str) -> bool:
        """Whether anything is recorded of that case."""
        return any(row.case == case for row in self._rows())

    def dues(self, before: int | None, provisional_before: int) -> list[DueRow]:
        """The running duties due before that time (None: all), and the provisional ones before another."""
        return [d for d in running(self.rows())
                if before is None or d.due < before or (d.provisional and d.due < provisional_before)]

    def _rows(self) -> list[Row]:
        with self._database_lock:
            return [to_row(stored) for stored in self._stored_events if isinstance(stored, StoredCaseEvent)]
