"""The store in one SQLite file: connections that lose nothing, the recorder, making a store.

A rollback journal that is truncated, and EXTRA synchronisation: no acknowledged event was lost in any power-loss state
tried, which neither WAL nor any weaker setting could say (``shared/TRUST.md``, Durability).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain, groupby
from types import TracebackType
from typing import Any, Literal

from eventsourcing.persistence import DatabaseError, OperationalError, PersistenceError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)

from casework.errors import NotAStore, StoreError, StoreMissing
from casework.store import dues
from casework.store.ledger import ledger
from casework.store.ledger.journal import Journal, fitting, refuse_denied
from casework.store.ledger.ledger import Head, Known, Ledger, by_stream
from casework.store.ledger.note import Signer
from casework.store.lock import WriterLock
from casework.store.row import DueRow, Row
from casework.store.sqlite.reader import (
    APPLICATION_ID,
    COLUMNS,
    SQLITE_ERRORS,
    USER_VERSION,
    Reader,
    check,
    require_sound_sidecars,
    set_pragma,
    store_error,
    verify,
)
from casework.store.stored import StoredCaseEvent, to_row
from casework.store.url import file_uri

__all__ = ["CaseDatastore", "CasePool", "CaseRecorder", "check", "create", "settings", "store_error"]

_BUSY_SECONDS = 30
#: Connections of the parent that a forked child keeps, because letting go of them would close them.
_INHERITED: list[object] = []

EVENTS = """
CREATE TABLE IF NOT EXISTS stored_events (
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    trigger_name TEXT,
    from_state TEXT,
    to_state TEXT,
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
)
"""
_INSERT = f"INSERT INTO stored_events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_SELECT = "SELECT originator_id, originator_version, topic, state FROM stored_events WHERE originator_id=? "


def settings(connection: sqlite3.Connection) -> None:
    """Make a connection safe, and read each setting back; a database in memory needs no journal.

    Raises StoreError when a setting does not take, sqlite3.Error as SQLite does.
    """
    set_pragma(connection, "busy_timeout", _BUSY_SECONDS * 1000)
    set_pragma(connection, "trusted_schema", 0)
    set_pragma(connection, "cell_size_check", 1)
    set_pragma(connection, "secure_delete", 1)
    in_memory = connection.execute("SELECT file = '' FROM pragma_database_list WHERE name = 'main'").fetchone()[0]
    if not in_memory:
        set_pragma(connection, "journal_mode", "truncate")
        set_pragma(connection, "synchronous", 3)


def create(path: str | os.PathLike[str], *, force: bool = False, origin: str = "", journal: str = ledger.NONE) -> None:
    """Make a store at ``path``, where nothing or an empty file is; a store that is there already is left as it is.

    ``origin`` names its ledger, and ``journal`` is what it says of the journal: ``outside`` or ``none``.

    Several processes may do this at once. Raises what ``check`` raises but for StoreMissing, and StoreError when
    the folder is not there or not writable.
    """
    name = os.fspath(path)
    try:
        return check(name, force=force)
    except (StoreMissing, NotAStore):
        if not _is_blank(name):
            # Something else, or a store that another process has made between the two looks.
            return check(name, force=force)
    _make(name, {"origin": origin, "journal": journal})


def _is_blank(path: str) -> bool:
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise StoreError(
            f"the folder of {path} is not there; make it first, or name another place with --store",
            f"{path} 所在目录不存在；请先建立目录，或用 --store 指定其他位置",
        )
    return not os.path.exists(path) or (os.path.isfile(path) and os.path.getsize(path) == 0)


def _make(path: str, meta: dict[str, str]) -> None:
    connection = _connect(path, "rwc")
    try:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been faster, with a store or with a database of its own.
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            connection.execute(EVENTS)
            for statement in dues.CREATE:
                connection.execute(statement)
            Ledger(lambda sql, *values: connection.execute(sql, values).fetchall()).found(meta, ())
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={USER_VERSION}")
        connection.execute("COMMIT")
        verify(connection, path)
    except SQLITE_ERRORS as error:
        raise store_error(error, path) from error
    finally:
        connection.close()


def sync_journal(path: str) -> None:
    """Make the last commit durable. Raises StoreError.

    A commit is the truncation of the journal. Whoever truncated it may have been killed, or told of a failing disk, before
    that was on the disk; what he recorded is there to be read, but a power cut would bring the journal back and undo it.
    """
    try:
        handle = os.open(os.path.realpath(path) + "-journal", os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except FileNotFoundError:
        return  # a copy, or rolled back by a reader, who deletes it
    except OSError as error:
        raise StoreError(
            f"{path}-journal: the disk failed to write ({error.strerror}); check the disk and its quota, then try again",
            f"{path}-journal：磁盘写入失败（{error.strerror}）；请检查磁盘与配额后重试",
        ) from error


def require_own_schema(connection: sqlite3.Connection, path: str) -> None:
    """Raise NotAStore where the tables that are written to are not exactly those that ``create`` makes.

    A conflict clause would let an event take another's place, and a check or an index by an expression would run whatever
    somebody put into it at each write. Reading such a store is left to the audit.
    """
    sql = "SELECT name, sql FROM sqlite_master WHERE tbl_name IN ('stored_events', 'duties') AND sql IS NOT NULL"
    for name, made in connection.execute(sql):
        if _OWN.get(name) != _normal(made):
            raise NotAStore(
                f"{path} is marked as a casework store, but '{name}' in it is missing or altered; restore a backup",
                f"{path} 标记为 casework 案件库，但其中的“{name}”缺失或被改动；请恢复备份",
            )


def _normal(sql: str) -> str:
    return " ".join(sql.replace("IF NOT EXISTS ", "").split())


#: The tables and indexes that casework makes, by name.
_OWN = {sql.split()[2]: sql for sql in map(_normal, (EVENTS, *dues.CREATE))}


def _connect(path: str, mode: Literal["rw", "rwc"]) -> sqlite3.Connection:
    """A connection with all settings. Raises StoreError."""
    require_sound_sidecars(path)
    try:
        connection = sqlite3.connect(
            file_uri(path, mode),
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            cached_statements=128,
            timeout=_BUSY_SECONDS,
        )
    except SQLITE_ERRORS as error:
        raise store_error(error, path) from error
    try:
        settings(connection)
    except SQLITE_ERRORS as error:
        connection.close()
        raise store_error(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


class CaseTransaction(SQLiteTransaction):
    """A transaction that takes the write lock at once, and after which no half-done work is left."""

    connection: CaseConnection

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        try:
            self.connection.rollback()  # an interrupt may have left a transaction open; without one this does nothing
            cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        except SQLITE_ERRORS as error:
            raise OperationalError(error) from error
        return cursor

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        try:
            super().__exit__(exc_type, exc_val, exc_tb)
        except BaseException as error:
            # A commit that failed leaves its transaction open: the next commit on this connection would record what
            # was reported as not recorded.
            self.connection.abandon_open_transaction()
            if isinstance(error, UnicodeDecodeError):
                raise DatabaseError(error) from error
            raise


class CaseConnection(SQLiteConnection):
    """A connection of the pool whose transactions are CaseTransactions."""

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """A transaction: to write (``commit``) or to read."""
        with CaseTransaction(self, commit=commit) as cursor, cursor:
            yield cursor

    def abandon_open_transaction(self) -> None:
        """Close, and so roll back, if a transaction is open still; the pool makes another connection."""
        if self._sqlite_conn.in_transaction:
            self.close()


class CasePool(SQLiteConnectionPool):
    """Connections to one file with all settings, never in WAL mode. Raises StoreError when one cannot be made."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._owner = os.getpid()
        super().__init__(db_name=file_uri(path, "rw"), lock_timeout=_BUSY_SECONDS, pool_timeout=_BUSY_SECONDS)

    @staticmethod
    def detect_memory_mode(db_name: str) -> bool:
        """Never: a file may be called anything."""
        return False

    def get_connection(self, timeout: float | None = None, *, is_writer: bool | None = None) -> SQLiteConnection:
        """As the library's, but the writer's turn is given back when a connection cannot be made.

        StoreError in a forked child: SQLite's connections must not be used on both sides of a fork.
        """
        if self._owner != os.getpid():
            raise StoreError(
                f"{self.path}: the store was opened before a fork; open it again in the child process",
                f"{self.path}：案件库在 fork 之前打开；请在子进程中重新打开",
            )
        try:
            return super().get_connection(timeout, is_writer=is_writer)
        except StoreError:
            # Only _create_connection raises this, so the turn was ours; the library would keep it for ever.
            if is_writer:
                self._num_writers -= 1
                self._writer_lock.release()
            elif is_writer is False:
                with self._no_readers:
                    self._num_readers -= 1
            raise

    def close(self) -> None:
        """Close all connections; in a forked child, leave them alone: they are the parent's, and may be in mid-commit."""
        if self._owner == os.getpid():
            super().close()
        else:
            _INHERITED.append((self._pool, self._in_use))

    def _create_connection(self) -> SQLiteConnection:
        connection = _connect(self.path, "rw")
        try:
            require_own_schema(connection, self.path)
        except SQLITE_ERRORS as error:
            connection.close()
            raise store_error(error, self.path) from error
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return CaseConnection(connection, max_age=self.max_age)


class CaseDatastore(SQLiteDatastore):
    """The library's datastore over a CasePool; case ids are text."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # The library's own constructor would make its own pool, which sets WAL.
        self.path = os.fspath(path)
        self.pool = CasePool(self.path)
        self.single_row_tracking = True
        self.originator_id_type = "text"


def _asking(c: SQLiteCursor) -> ledger.Ask:
    def ask(sql: str, *values: object) -> Sequence[Sequence[Any]]:
        c.execute(sql, values)
        return list(c.fetchall())

    return ask


def proved(book: Ledger, version: int, journal: Journal | None, path: str) -> Ledger | None:
    """The ledger of the store at ``path``, of that format, once it holds all that its journal signed; None for a format without.

    Nothing is signed that was not asked here. :class:`~casework.errors.JournalError`, StoreError where its tables are gone.
    """
    if version >= USER_VERSION and not book.is_there():
        raise StoreError(f"{path}: the tables of the ledger are gone; audit the store, and restore a backup",
                         f"{path}：账本的表不见了；请审计案件库并恢复备份")
    meta = book.meta() if version >= USER_VERSION else {}
    if meta.get("journal") == ledger.OUTSIDE:
        fitting(journal, meta).check(book.size(), book.root, lambda: sync_journal(path))
    elif journal is not None:
        refuse_denied(journal, path)
    return book if version >= USER_VERSION else None


class CaseRecorder(SQLiteApplicationRecorder):
    """Records StoredCaseEvents, hot columns and all, in the table that ``create`` made.

    Errors are the library's (IntegrityError for a version taken already); ``said`` says them to people. ``lock_timeout`` is how
    long to wait for another writer, in seconds.
    """

    kept = True
    #: The lock is held while a command is decided: only somebody who writes without it can be faster.
    attempts = 5

    def __init__(self, datastore: CaseDatastore, journal: Journal | None = None, *, lock_timeout: float = _BUSY_SECONDS) -> None:
        super().__init__(datastore)
        self._path = datastore.path
        self._lock_timeout = lock_timeout
        self.journal = journal
        #: The ledger after the last commit of this recorder.
        self.head: Head | None = None
        #: What that commit left, and by which connection; it stands while SQLite says that nobody else has written.
        self._left: tuple[sqlite3.Connection, int, Known] | None = None
        self.select_events_statement = _SELECT

    def construct_create_table_statements(self) -> list[str]:
        """The table of events; ``create`` also marks the file, so use that."""
        return [EVENTS]

    @property
    def name(self) -> str:
        """The path."""
        return self._path

    @property
    def place(self) -> str:
        """The path, absolute and without links."""
        return os.path.realpath(self._path)

    @property
    def path(self) -> str:
        """The path."""
        return self._path

    def writing(self) -> AbstractContextManager[object]:
        """The writer's lock, around load, decide and save. :class:`~casework.errors.StoreBusy` if it is held too long."""
        # Where the last writer was killed between a commit and its fsync, what is written on top of that commit could, after a
        # power cut, be mixed with the journal that undoes it.
        return WriterLock(self._path, self._lock_timeout, self.settle)

    def reader(self) -> Reader:
        """A reader of the same file."""
        return Reader(self._path)

    def said(self, error: BaseException) -> StoreError | None:
        """What to tell people of an error of SQLite's or of the library's."""
        return store_error(error, self._path) if isinstance(error, (PersistenceError, *SQLITE_ERRORS)) else None

    def settle(self) -> None:
        """Put the last commit on the disk, and its checkpoint in the journal, whoever recorded it."""
        sync_journal(self._path)
        if self.journal is not None:
            with Reader(self._path) as reader:
                book = proved(reader.ledger(), reader.format(), self.journal, self._path)
                if book is not None:
                    self.journal.acknowledge(book.head())

    def acknowledge(self) -> None:
        """Put the checkpoint of what was just recorded in the journal. :class:`~casework.errors.NotAcknowledged`."""
        if self.journal is not None and self.head is not None:
            # Once: at the next turn others may have gone on from here.
            head, self.head = self.head, None
            self.journal.acknowledge(head)

    def rotate(self, seed: bytes) -> Signer:
        """From here on another key signs; whoever calls holds the lock."""
        if self.journal is None:
            raise StoreError("this store keeps no journal outside, and so no key", "此案件库没有库外日志，因而没有密钥")
        with Reader(self._path) as reader:
            return self.journal.rotate(seed, reader.ledger().size())

    def rebuild_index(self, rows: Iterable[DueRow]) -> None:
        """Put these running duties in the place of all that the index holds, in one transaction."""
        with self.datastore.transaction(commit=True) as c:
            self._fill(c, rows)

    def renew(self, meta: dict[str, str], journal: Journal | None) -> None:
        """Begin the ledger anew over all that is recorded, a leaf a stream, and make this a store with a ledger if it was
        none.
        """
        with self.datastore.transaction(commit=True) as c, Reader(self._path) as reader:
            streams = (list(rows) for _, rows in groupby(reader.rows(), key=lambda row: row.case))
            self._left = None
            self.head = Ledger(_asking(c), c.executemany).found(meta, streams)
            c.execute(f"PRAGMA user_version={USER_VERSION}")
            if journal is not None:
                journal.declare_renewed(meta["renewed"])
                journal.intend(self.head)
        self.journal = journal

    def close(self) -> None:
        """Close all connections."""
        self.datastore.close()

    def append_many(self, commits: Sequence[Sequence[Row]]) -> None:
        """Record these rows as they are, in one transaction, with a leaf over each of ``commits``."""
        with self._committing(), self.datastore.transaction(commit=True) as c:
            self._append(c, commits)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Record these events, in one transaction; their numbers in the table."""
        with self._committing():
            return super().insert_events(stored_events, **kwargs)

    @contextmanager
    def _committing(self) -> Iterator[None]:
        """Only what was committed is known."""
        try:
            yield
        except BaseException:
            self._left = None
            raise

    def _insert_events(self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        rows = []
        for stored in stored_events:
            if not isinstance(stored, StoredCaseEvent):
                raise TypeError(f"a store of cases keeps StoredCaseEvents, not {type(stored).__name__}")
            rows.append(to_row(stored))
        self._append(c, by_stream(rows))
        # A table without AUTOINCREMENT gives the next number after its last, and nobody else writes meanwhile.
        c.execute("SELECT max(rowid) FROM stored_events")
        last: int = c.fetchone()[0]
        return list(range(last - len(rows) + 1, last + 1))

    def _append(self, c: SQLiteCursor, commits: Sequence[Sequence[Row]]) -> None:
        """Put the rows in their table, their duties in the index, their leaves in the ledger; say what is about to be signed."""
        rows = [*chain.from_iterable(commits)]
        connection = c.sqlite_cursor.connection
        version = _asking(c)("PRAGMA data_version")[0][0]
        book = self._as_left(c, connection, version)
        if book is None:
            book = self._ledger(c)
            c.execute(dues.IS_THERE)
            if c.fetchone() is None:
                self._make_index(c)
        c.executemany(_INSERT, rows)
        if c.sqlite_cursor.rowcount != len(rows):
            raise OperationalError("the store did not take the event" if len(rows) == 1 else "the store did not take the events")
        over, run = dues.moved(rows)
        c.executemany(dues.DROP, over)
        c.executemany(dues.PUT, run)
        if book is not None:
            self.head = book.append_many(commits)
            if self.journal is not None:
                self.journal.intend(self.head)
            self._left = (connection, version, book.known) if book.known else None

    def _as_left(self, c: SQLiteCursor, connection: sqlite3.Connection, version: int) -> Ledger | None:
        """The ledger, if nothing was written, here or in the journal, since this recorder's last commit, before which it was
        proved; else None.
        """
        if self._left is None or (connection, version) != self._left[:2]:
            return None
        known = self._left[2]
        if self.journal is not None and self.journal.last() != (self.journal.origin, *known.head):
            return None
        return Ledger(_asking(c), c.executemany, known)

    def _ledger(self, c: SQLiteCursor) -> Ledger | None:
        """The ledger that the commit goes into; None where the store is of a format without one.

        :class:`~casework.errors.JournalError`.
        """
        ask = _asking(c)
        return proved(Ledger(ask, c.executemany), ask("PRAGMA user_version")[0][0], self.journal, self._path)

    def _make_index(self, c: SQLiteCursor) -> None:
        """The index that a store lacks, whole: one made before there were duties, or one that somebody took it from."""
        with Reader(self._path) as reader:
            rows = reader.dues()  # what is written in this transaction is not in it yet
        self._fill(c, rows)

    def _fill(self, c: SQLiteCursor, rows: Iterable[DueRow]) -> None:
        for statement in (*dues.CREATE, dues.CLEAR):
            c.execute(statement)
        c.executemany(dues.PUT, rows)
