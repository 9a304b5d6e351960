"""A recorder that keeps everything in memory: for scenarios, and for audits of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Self

from eventsourcing.persistence import PersistenceError, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from casework.errors import StoreError
from casework.store.dues import running
from casework.store.ledger.journal import Journal
from casework.store.ledger.ledger import Ledger
from casework.store.ledger.note import Signer
from casework.store.row import DueRow, Part, Parts, Row, Snapshot, Totals
from casework.store.stored import StoredCaseEvent, from_row, to_row


class MemoryRecorder(POPOApplicationRecorder):
    """Keeps StoredCaseEvents, and is the reader of what it keeps; without a ledger, for nothing of it stays."""

    name, place, path, kept, attempts = ":memory:", "", None, False, 5
    journal: Journal | None = None

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.RLock()

    def _insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        for stored in stored_events:
            if not isinstance(stored, StoredCaseEvent):
                raise TypeError(f"a store of cases keeps StoredCaseEvents, not {type(stored).__name__}")
        return super()._insert_events(stored_events, **kwargs)

    def append_many(self, commits: Sequence[Sequence[Row]]) -> None:
        """Keep these rows as they are, all or none."""
        self.insert_events([from_row(row) for rows in commits for row in rows])

    def writing(self) -> AbstractContextManager[object]:
        """One thread at a time."""
        return self._turn

    def acknowledge(self) -> None:
        """Nothing here survives, and nothing is signed."""

    settle = acknowledge

    def renew(self, meta: dict[str, str], journal: Journal | None) -> None:
        """:class:`~casework.errors.StoreError`: there is no ledger."""
        raise _no_ledger()

    def rotate(self, seed: bytes) -> Signer:
        """:class:`~casework.errors.StoreError`: there is no ledger."""
        raise _no_ledger()

    def rebuild_index(self, rows: Iterable[DueRow]) -> None:
        """There is no index: what is due is always asked of the events."""

    def reader(self) -> AbstractContextManager[MemoryRecorder]:
        """Itself."""
        return nullcontext(self)

    def said(self, error: BaseException) -> StoreError | None:
        """The library's errors."""
        if not isinstance(error, PersistenceError):
            return None
        return StoreError(f":memory:: the store cannot be used ({error}); open it again",
                          f":memory:：案件库无法使用（{error}）；请重新打开")

    def rows(self, case: str | None = None) -> Iterator[Row]:
        """All rows, or those of one case, by case and version, as they are at the time of the call."""
        rows = self._rows()
        return iter(sorted((r for r in rows if case in (None, r.case)), key=lambda r: (r.case, r.version)))

    def snapshot(self, cases: Iterable[str] | None = None) -> Snapshot:
        """The rows, or those of the cases named."""
        wanted = None if cases is None else set(cases)
        rows = [row for row in self.rows() if wanted is None or row.case in wanted]
        return Snapshot(iter(rows), len(rows), 0)

    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows())

    def parts(self, size: int) -> Parts:
        """All of it in one range: no other process can read it."""
        return Parts([Part(None, None, b"")], 0)

    def totals(self) -> Totals:
        """All rows, and no leaf over them."""
        return Totals(self.count(), 0, 0)

    def commits(self, start: int, end: int) -> list[list[Row]]:
        """None: there are no leaves."""
        return [[] for _ in range(start, end)]

    def part(self, part: Part) -> Iterator[Row]:
        """All rows."""
        return self.rows()

    def case_ids(self) -> list[str]:
        """The ids of all cases, sorted."""
        return sorted({row.case for row in self._rows()})

    def has(self, case: str) -> bool:
        """Whether anything is recorded of that case."""
        return any(row.case == case for row in self._rows())

    def dues(self, before: int | None = None, provisional_before: int = 0) -> list[DueRow]:
        """The running duties due before that time (None: all), and the provisional ones before another."""
        return [d for d in running(self.rows())
                if before is None or d.due < before or (d.provisional and d.due < provisional_before)]

    def index(self) -> Iterator[DueRow]:
        """The running duties, of which this store keeps no index."""
        yield from self.dues()

    def format(self) -> int:
        """That of a store without a ledger."""
        return 1

    def ledger(self) -> Ledger:
        """:class:`~casework.errors.StoreError`: there is none."""
        raise _no_ledger()

    def close(self) -> None:
        """There is nothing to let go of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _rows(self) -> list[Row]:
        with self._database_lock:
            return [to_row(stored) for stored in self._stored_events if isinstance(stored, StoredCaseEvent)]


def _no_ledger() -> StoreError:
    return StoreError("a store in memory has no ledger", "内存案件库没有账本")
