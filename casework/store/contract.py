"""What a store is to whoever uses one, whatever keeps it: a recorder that writes, a reader that reads.

:class:`~casework.store.store.Store` and everything above it know these two and no database; ``sqlite/`` and ``postgres/`` keep
this contract, and the tests of it run on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from casework.store.row import DueRow, Part, Parts, Row, Snapshot, Totals

if TYPE_CHECKING:
    from casework.errors import StoreError
    from casework.store.ledger.journal import Journal
    from casework.store.ledger.ledger import Ledger
    from casework.store.ledger.note import Signer


class Reader(Protocol):
    """Reads a store and writes nothing to it. Every method may raise :class:`~casework.errors.StoreError`."""

    @property
    def name(self) -> str:
        """What people are told of which store it is; it holds no secret."""
        ...

    @property
    def place(self) -> str:
        """Where the store is, whichever way that was written: what is kept beside stores is kept by this."""
        ...

    def rows(self, case: str | None = None) -> Iterator[Row]:
        """The rows of all streams, or of one, by stream and version; the set is fixed when this is called."""
        ...

    def snapshot(self, cases: Iterable[str] | None = None) -> Snapshot:
        """The rows of all streams, or of those named, and how many leaves the ledger has, as of one moment."""
        ...

    def count(self) -> int:
        """How many rows there are."""
        ...

    def parts(self, size: int) -> Parts:
        """The store as of one moment in ranges of about ``size`` rows; no stream is in two of them.

        They can be read, by whatever process, until this reader is closed.
        """
        ...

    def part(self, part: Part) -> Iterator[Row]:
        """The rows of that range, as of when the store was cut."""
        ...

    def totals(self) -> Totals:
        """How much the store, one with a ledger, holds at this moment."""
        ...

    def commits(self, start: int, end: int) -> list[list[Row]]:
        """The rows that the leaves from number ``start`` to ``end`` are over, leaf by leaf; of one whose rows are gone, none."""
        ...

    def case_ids(self) -> list[str]:
        """The ids of all streams, sorted."""
        ...

    def has(self, case: str) -> bool:
        """Whether anything is recorded of that stream."""
        ...

    def dues(self, before: int | None = None, provisional_before: int = 0) -> list[DueRow]:
        """The running duties due before that time (microseconds; None: all), by due time.

        And the provisional ones before another time, at which they may be due for a new reckoning.
        """
        ...

    def index(self) -> Iterator[DueRow]:
        """The index of running duties as it is kept, all of it, a part at a time; made from the events where there is none."""
        ...

    def format(self) -> int:
        """The format of the store: 1 without a ledger, 2 with one."""
        ...

    def ledger(self) -> Ledger:
        """The ledger of the store."""
        ...

    def close(self) -> None:
        """Let go of the store; closing twice is no error."""
        ...

    def __enter__(self) -> Self:
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        ...


class Recorder(Protocol):
    """Writes to a store, for the event-sourcing library's application and for :class:`~casework.store.store.Store`."""

    @property
    def name(self) -> str:
        """What people are told of which store it is; it holds no secret."""
        ...

    @property
    def place(self) -> str:
        """Where the store is, as its reader says."""
        ...

    @property
    def path(self) -> str | None:
        """The file that keeps it; None where none does."""
        ...

    @property
    def kept(self) -> bool:
        """Whether it outlives the process, and so has a ledger and a reader."""
        ...

    @property
    def attempts(self) -> int:
        """How often a command is decided anew because somebody else was faster, before that is said to whoever gave it."""
        ...

    @property
    def journal(self) -> Journal | None:
        """The journal outside the store, where there is one."""
        ...

    def writing(self) -> AbstractContextManager[object]:
        """What is held around load, decide and save. :class:`~casework.errors.StoreBusy` where it cannot be had."""
        ...

    def insert_events(self, stored_events: Sequence[Any], **kwargs: Any) -> Sequence[int] | None:
        """Record these events in one transaction; the library's ``IntegrityError`` where one of their versions is taken."""
        ...

    def select_events(self, originator_id: Any, *, gt: int | None = None, lte: int | None = None, desc: bool = False,
                      limit: int | None = None) -> Sequence[Any]:
        """The library's stored events of a stream."""
        ...

    def append_many(self, commits: Sequence[Sequence[Row]]) -> None:
        """Record these rows as they are, in one transaction, with a leaf over each of ``commits``, each of one stream and by
        version; raises as :meth:`insert_events`.
        """
        ...

    def acknowledge(self) -> None:
        """Make what was just recorded survive, and sign it outside. :class:`~casework.errors.NotAcknowledged`."""
        ...

    def settle(self) -> None:
        """Make all that is recorded survive, and sign it outside, whoever recorded it. :class:`~casework.errors.JournalError`."""
        ...

    def renew(self, meta: dict[str, str], journal: Journal | None) -> None:
        """Begin the ledger anew over all that is recorded."""
        ...

    def rotate(self, seed: bytes) -> Signer:
        """From here on another key signs; it signs the last checkpoint too. The new signer."""
        ...

    def rebuild_index(self, rows: Iterable[DueRow]) -> None:
        """Put these running duties in the place of all that the index holds."""
        ...

    def reader(self) -> AbstractContextManager[Reader]:
        """A reader of the same store."""
        ...

    def said(self, error: BaseException) -> StoreError | None:
        """What to tell people of an error of the database or of the library; None for one that is neither's."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
