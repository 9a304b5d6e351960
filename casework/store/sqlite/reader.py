"""Reading a store of cases without the event library: fast to start, and hard to upset.

A store may have been altered by hand, cut off or damaged: whatever its rows hold, each is read once. What cannot be
read at all is a StoreError with its remedy, never an error of sqlite3.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from casework.errors import NotAStore, StoreBusy, StoreError, StoreMissing
from casework.store.row import DueRow, Part, Parts, Row, Snapshot, Totals
from casework.store.url import file_uri, refuse_network

if TYPE_CHECKING:
    from casework.store.ledger.ledger import Ledger
    from casework.store.sqlite.order import Range

APPLICATION_ID = 0x43415345  # "CASE"
#: The format of stores that are made now: with a ledger. Those of format 1, made before there was one, are read and written as
#: they are.
USER_VERSION = 2
COLUMNS = (
    "originator_id",
    "originator_version",
    "topic",
    "state",
    "trigger_name",
    "from_state",
    "to_state",
    "at",
    "recorded_at",
)
# Python fails to decode SQLite's own message when that cites damaged text.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
_WAIT = 30.0
_LAST = 2**63 - 1
_MAGIC = bytes.fromhex("d9d505f920a163d7")  # begins every journal of SQLite's, and ends one that names a super-journal
_PAGE_BYTES = 16 * 1024 * 1024
#: No value that casework writes is larger than an event; nothing larger is brought into memory, and no id longer than this.
_VALUE_BYTES = 1024 * 1024
_ID_BYTES = 4 * 1024

#: How what is held of a part begins: by its ends, or with a list of its rows.
_ORDERED, _LISTED = b"ends ", b"rows "
# The table itself is read, not the index over it: a damaged index must not hide a row from the audit.
_ORDER = "SELECT rowid FROM stored_events NOT INDEXED ORDER BY originator_id, originator_version, rowid"
_ORDER_WITH_ID = ("SELECT rowid, originator_id FROM stored_events NOT INDEXED "
                  "ORDER BY originator_id, originator_version, rowid")
_ORDER_OF_CASE = (
    "SELECT rowid FROM stored_events WHERE originator_id = CAST(? AS TEXT) ORDER BY originator_version, rowid"
)
_FETCH = (
    f"SELECT e.rowid, {', '.join('e.' + c for c in COLUMNS)} "
    "FROM json_each(?) AS wanted LEFT JOIN stored_events AS e ON e.rowid = wanted.value ORDER BY wanted.id"
)

_HAS_DUTIES = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'duties'"
_ALL_DUTIES = "SELECT case_id, duty, kind, owes, due, provisional FROM duties ORDER BY due, case_id, duty"
# In the order of the key, of whatever type a key may be.
_SOME_DUTIES = "SELECT case_id, duty, kind, owes, due, provisional FROM duties ORDER BY case_id, duty LIMIT ? OFFSET ?"
_DUTIES_AT_ONCE = 20_000
# Two searches, each by its index: with OR, every duty would be read.
_DUTIES = (
    "SELECT case_id, duty, kind, owes, due, provisional FROM duties WHERE due < ? "
    "UNION SELECT case_id, duty, kind, owes, due, provisional FROM duties WHERE provisional = 1 AND due < ? "
    "ORDER BY due, case_id, duty"
)

_HAS_LEAVES = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'ledger_leaves'"
_LEAVES = "SELECT coalesce(max(number) + 1, 0) FROM ledger_leaves"

# Leaf by leaf, in the order of the tree; CROSS JOIN keeps SQLite from looking at the events first.
_COMMITS = (
    f"SELECT l.number, {', '.join('e.' + c for c in COLUMNS)} FROM ledger_leaves AS l CROSS JOIN stored_events AS e "
    "WHERE l.number >= ? AND l.number < ? AND e.originator_id = l.originator_id "
    "AND e.originator_version BETWEEN l.first_version AND l.last_version ORDER BY l.number, e.originator_version"
)
_TOTALS = ("SELECT (SELECT count(*) FROM stored_events), (SELECT coalesce(max(number) + 1, 0) FROM ledger_leaves), "
           "(SELECT coalesce(sum(last_version - first_version + 1), 0) FROM ledger_leaves)")

T = TypeVar("T")


class Reader:
    """Reads the store at ``path`` and writes nothing to it (an interrupted write of another's is rolled back first).

    ``page`` is the number of rows that one short transaction reads; ``wait`` the seconds to wait for a lock.
    Raises what ``check`` raises; every method raises StoreBusy and StoreError.
    """

    def __init__(self, path: str | os.PathLike[str], *, page: int = 2_000, wait: float = _WAIT) -> None:
        self.path = os.fspath(path)
        self._page = page
        self._wait = wait
        self._connection = _open(self.path, wait)

    @property
    def name(self) -> str:
        """The path."""
        return self.path

    @property
    def place(self) -> str:
        """The path, absolute and without links."""
        return os.path.realpath(self.path)

    def rows(self, case: str | None = None) -> Iterator[Row]:
        """The rows of all cases, or of one, by case, version and place in the file.

        The set is fixed when this is called: what is recorded later is not in it. Between the pages no lock
        is held, so writers go on. A row that disappears meanwhile is a StoreError.
        """
        if case is None:
            return self.snapshot().rows
        key = _key(case)
        return self._pages(array("q") if key is None else self._rowids(_ORDER_OF_CASE, key))

    def snapshot(self, cases: Iterable[str] | None = None) -> Snapshot:
        """The rows of all streams, or of those named, and how many leaves the ledger has, as of one moment."""
        from casework.store.sqlite.order import ranges

        def read() -> tuple[Range | array[int], int]:
            self._connection.execute("BEGIN")
            try:
                rowids: Range | array[int]
                if cases is None:
                    found = ranges(self._connection)
                    rowids = found[0] if found else array("q", (rowid for (rowid,) in self._connection.execute(_ORDER)))
                else:
                    rowids = array("q", (rowid for case in cases if (key := _key(case)) is not None
                                         for (rowid,) in self._connection.execute(_ORDER_OF_CASE, (key,))))
                leaves = self._connection.execute(_HAS_LEAVES).fetchone()[0]
                size = self._connection.execute(_LEAVES).fetchone()[0] if leaves else 0
            finally:
                self._connection.execute("COMMIT")
            return rowids, size

        with self._short():
            rowids, size = _guarded(self.path, self._wait, read)
        if isinstance(rowids, array):
            return Snapshot(self._pages(rowids), len(rowids), size)
        return Snapshot(self._ordered(rowids), rowids.rows, size)

    def count(self) -> int:
        """How many rows there are."""
        return int(self._all("SELECT count(*) FROM stored_events NOT INDEXED")[0][0])

    def parts(self, size: int) -> Parts:
        """The store as of one moment in ranges of ``size`` rows or somewhat more; no stream is in two of them."""
        from casework.store.sqlite.order import ranges, written

        def read() -> Parts:
            self._connection.execute("BEGIN")
            try:
                found = ranges(self._connection, size)
                parts = ([Part(of.low or None, of.high, _ORDERED + written(of)) for of in found] if found else
                         list(_cut(self._connection.execute(_ORDER_WITH_ID), size)))
                leaves = self._connection.execute(_HAS_LEAVES).fetchone()[0]
                leaves = self._connection.execute(_LEAVES).fetchone()[0] if leaves else 0
            finally:
                self._connection.execute("COMMIT")
            return Parts(parts, leaves)

        with self._short():
            return _guarded(self.path, self._wait, read)

    def part(self, part: Part) -> Iterator[Row]:
        """The rows of that range, as of when the store was cut."""
        from casework.store.sqlite.order import as_written

        if part.held.startswith(_ORDERED):
            return self._ordered(as_written(part.held[len(_ORDERED):]))
        rowids = array("q")
        rowids.frombytes(part.held[len(_LISTED):])
        return self._pages(rowids)

    def case_ids(self) -> list[str]:
        """The ids of all cases, sorted; ids that are not text (of altered rows) come up in ``rows`` only."""
        sql = "SELECT DISTINCT originator_id FROM stored_events ORDER BY originator_id"
        with self._short():
            return [case for (case,) in self._all(sql) if isinstance(case, str)]

    def has(self, case: str) -> bool:
        """Whether anything is recorded of that case."""
        key = _key(case)
        sql = "SELECT 1 FROM stored_events WHERE originator_id = CAST(? AS TEXT) LIMIT 1"
        return key is not None and bool(self._all(sql, key))

    def dues(self, before: int | None = None, provisional_before: int = 0) -> list[DueRow]:
        """The running duties due before that time (microseconds; None: all), by due time.

        And the provisional ones before another time, at which they may be due for a new reckoning. Where the store has no index
        of them, they are read from the events.
        """
        limit = _LAST if before is None else before
        if not self._all(_HAS_DUTIES)[0][0]:
            from casework.store.dues import running

            return [d for d in running(self.rows()) if d.due < limit or (d.provisional and d.due < provisional_before)]
        found = self._all(_ALL_DUTIES) if before is None else self._all(_DUTIES, limit, provisional_before)
        return [DueRow(*row) for row in found]

    def index(self) -> Iterator[DueRow]:
        """The index of running duties as it is kept, all of it, a part at a time; made from the events where there is none.

        Between two parts no lock is held: what is written meanwhile may be met twice, or not.
        """
        if not self._all(_HAS_DUTIES)[0][0]:
            yield from self.dues()
            return
        start = 0
        while page := self._all(_SOME_DUTIES, _DUTIES_AT_ONCE, start):
            yield from (DueRow(*row) for row in page)
            start += len(page)

    def totals(self) -> Totals:
        """How much the store, one with a ledger, holds at this moment."""
        return Totals(*self._all(_TOTALS)[0])

    def commits(self, start: int, end: int) -> list[list[Row]]:
        """The rows that the leaves from number ``start`` to ``end`` are over, leaf by leaf; of one whose rows are gone, none."""
        found: list[list[Row]] = [[] for _ in range(start, end)]
        for number, *row in self._all(_COMMITS, start, end):
            found[number - start].append(Row._make(row))
        return found

    def format(self) -> int:
        """The format of the store: 1 without a ledger, 2 with one."""
        return int(self._all("PRAGMA user_version")[0][0])

    def ledger(self) -> Ledger:
        """The ledger of the store."""
        from casework.store.ledger.ledger import Ledger

        return Ledger(self._all)

    def close(self) -> None:
        """Close the file; closing twice is no error."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return _guarded(self.path, self._wait, lambda: self._connection.execute(sql, values).fetchall())

    def _rowids(self, sql: str, *values: object) -> array[int]:
        def read() -> array[int]:
            return array("q", (rowid for (rowid,) in self._connection.execute(sql, values)))

        with self._short():
            return _guarded(self.path, self._wait, read)

    @contextmanager
    def _short(self) -> Iterator[None]:
        """Within this, ids are sorted in memory: none longer than 4 KiB is."""
        before = self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _ID_BYTES)
        try:
            yield
        finally:
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)

    def _pages(self, rowids: array[int]) -> Iterator[Row]:
        start = 0
        while start < len(rowids):
            page = _guarded(self.path, self._wait, partial(self._fetch, rowids[start : start + self._page]))
            yield from page
            start += len(page)

    def _ordered(self, of: Range) -> Iterator[Row]:
        from casework.store.sqlite.order import FIRST, following

        after, left = (of.low, FIRST), of.rows
        while left > 0:
            page = _guarded(self.path, self._wait, partial(following, self._connection, of, after, min(self._page, left)))
            if not page:
                raise _vanished(self.path)
            left -= len(page)
            after = page[-1][1:]
            yield from self._pages(array("q", (place for place, _, _ in page)))

    def _fetch(self, rowids: array[int]) -> list[Row]:
        """The rows of these rowids in this order; fewer, but at least one, when they are very large."""
        try:
            return self._records(f"[{','.join(map(str, rowids))}]")
        except sqlite3.DataError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_TOOBIG":
                raise
        return self._piecemeal(rowids)

    def _piecemeal(self, rowids: array[int]) -> list[Row]:
        """The same, one by one: a value that is larger than any that casework writes comes out as None, which is no event."""
        page: list[Row] = []
        size = 0
        for rowid in rowids:
            row = self._values(COLUMNS, rowid) or self._row_of(rowid)
            page.append(Row._make(row))
            size += sum(len(value) for value in row if isinstance(value, (bytes, str)))
            if size >= _PAGE_BYTES:
                break
        return page

    def _row_of(self, rowid: int) -> tuple[Any, ...]:
        # What stands behind a large value is reached only past all of it: the others are asked for together.
        rest = self._values([c for c in COLUMNS if c != "state"], rowid)
        if rest is not None:
            return (*rest[:3], None, *rest[3:])
        return tuple(found[0] if (found := self._values([column], rowid)) else None for column in COLUMNS)

    def _values(self, columns: Sequence[str], rowid: int) -> tuple[Any, ...] | None:
        """These values of the row; None where one of them is too large. StoreError where the row is gone."""
        try:
            sql = f"SELECT {', '.join(columns)} FROM stored_events WHERE rowid = ?"
            found: tuple[Any, ...] | None = self._connection.execute(sql, (rowid,)).fetchone()
        except sqlite3.DataError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_TOOBIG":
                raise
            return None
        if found is None:
            raise _vanished(self.path)
        return found

    def _records(self, wanted: str) -> list[Row]:
        page: list[Row] = []
        size = 0
        cursor = self._connection.execute(_FETCH, (wanted,))
        try:
            for record in cursor:
                if record[0] is None:
                    raise _vanished(self.path)
                row = Row._make(record[1:])
                page.append(row)
                size += len(row.payload) if isinstance(row.payload, (bytes, str)) else 0
                if size >= _PAGE_BYTES:
                    break
        finally:
            # A cursor left half read would go on blocking writers.
            cursor.close()
        return page


def _cut(rows: Iterable[tuple[int, object]], size: int) -> Iterator[Part]:
    """Ranges of at least ``size`` rows, each ending where a stream does."""
    here, low, last = array("q"), None, None
    for rowid, stream in rows:
        if len(here) >= size and (type(stream), stream) != (type(last), last):
            yield Part(low, stream, _LISTED + here.tobytes())
            here, low = array("q"), stream
        here.append(rowid)
        last = stream
    yield Part(low, None, _LISTED + here.tobytes())


def check(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Say nothing when ``path`` is a casework store that this version can read.

    Raises StoreMissing (nothing there), NotAStore (something else), StoreBusy (locked for too long), StoreError
    (no permission, damaged, in WAL mode, or on a network file system and not ``force``).
    """
    name = os.fspath(path)
    if not force:
        refuse_network(name)
    _open(name, _WAIT).close()


def set_pragma(connection: sqlite3.Connection, name: str, value: int | str) -> None:
    """Set a pragma and read it back. Raises StoreError when it did not take, sqlite3.Error as SQLite does."""
    connection.execute(f"PRAGMA {name}={value}")
    found = connection.execute(f"PRAGMA {name}").fetchone()
    if found is None or str(found[0]).lower() != str(value):
        raise StoreError(
            f"SQLite {sqlite3.sqlite_version} did not accept {name}={value}, without which cases are not safe; "
            "use a newer SQLite",
            f"SQLite {sqlite3.sqlite_version} 未接受 {name}={value}，案件因此不安全；请使用更新的 SQLite",
        )


def verify(connection: sqlite3.Connection, path: str) -> None:
    """Raise NotAStore or StoreError unless the open database is a casework store of a version known here."""
    application = _number(connection, "PRAGMA application_id")
    version = _number(connection, "PRAGMA user_version")
    if application != APPLICATION_ID:
        raise NotAStore(
            f"{path} is an SQLite database, but no casework store; name another file with --store",
            f"{path} 是 SQLite 数据库，但不是 casework 案件库；请用 --store 指定其他文件",
        )
    if version > USER_VERSION:
        raise NotAStore(
            f"{path} was made by a newer casework (format {version}, this one reads {USER_VERSION}); update casework",
            f"{path} 由更新版本的 casework 建立（格式 {version}，本版本读 {USER_VERSION}）；请升级 casework",
        )
    if version < 1 or not _has_table(connection):
        raise NotAStore(
            f"{path} is marked as a casework store, but its table of events is missing or altered; restore a backup",
            f"{path} 标记为 casework 案件库，但事件表缺失或被改动；请恢复备份",
        )
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        raise StoreError(
            f"{path} was put in WAL mode, which can lose cases; run: sqlite3 '{path}' 'PRAGMA journal_mode=TRUNCATE', "
            "then audit it",
            f"{path} 被改为 WAL 模式，可能丢失案件；请运行 sqlite3 '{path}' 'PRAGMA journal_mode=TRUNCATE'，然后审计",
        )


def store_error(error: BaseException, path: str) -> StoreError:
    """What to tell people of an error of sqlite3, or of one of the event library's that stands for it."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, SQLITE_ERRORS):
        cause = cause.__cause__
    name = getattr(cause, "sqlite_errorname", "")
    if isinstance(cause, UnicodeDecodeError):
        name = "SQLITE_CORRUPT"
    elif isinstance(error, TimeoutError):
        name = "SQLITE_BUSY"  # the library's pool, which waited for another thread
    for prefixes, kind, en, zh in _MEANINGS:
        if name.startswith(prefixes):
            return kind(f"{path}: {en}", f"{path}：{zh}")
    return StoreError(
        f"{path}: the store cannot be used ({error}); check it with PRAGMA integrity_check",
        f"{path}：案件库无法使用（{error}）；请用 PRAGMA integrity_check 检查",
    )


_MEANINGS: tuple[tuple[tuple[str, ...], type[StoreError], str, str], ...] = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        StoreBusy,
        "another process kept the store locked for too long; try again, or end the process that hangs",
        "另一进程锁住案件库过久；请重试，或结束挂起的进程",
    ),
    (
        ("SQLITE_NOTADB",),
        NotAStore,
        "not an SQLite database, so no casework store; name another file with --store",
        "不是 SQLite 数据库，因而不是 casework 案件库；请用 --store 指定其他文件",
    ),
    (
        ("SQLITE_CORRUPT",),
        StoreError,
        "the file is damaged; see what PRAGMA integrity_check says, and restore a backup",
        "文件已损坏；请查看 PRAGMA integrity_check 的结果，并恢复备份",
    ),
    (
        ("SQLITE_TOOBIG",),
        StoreError,
        "it holds something larger than casework ever writes, so it was altered; restore a backup",
        "其中有内容大于 casework 所写的任何内容，已被改动；请恢复备份",
    ),
    (
        ("SQLITE_READONLY_ROLLBACK",),
        StoreError,
        "an interrupted write has to be rolled back and may not be from here; run a casework command as its owner",
        "有中断的写入需要回滚，但此处无权写入；请由文件所有者运行一次 casework 命令",
    ),
    (
        ("SQLITE_READONLY",),
        StoreError,
        "permission denied: the store may not be written; make the file and its folder writable",
        "没有权限：案件库不可写；请使文件及其目录可写",
    ),
    (
        ("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH"),
        StoreError,
        "permission denied, or no such folder: the store cannot be opened; check the permissions of file and folder",
        "没有权限或目录不存在：案件库打不开；请检查文件与目录的权限",
    ),
    (
        ("SQLITE_FULL",),
        StoreError,
        "no space left, nothing was recorded; free some space and try again",
        "磁盘空间不足，未作任何记录；请腾出空间后重试",
    ),
    (
        ("SQLITE_IOERR",),
        StoreError,
        "the disk failed to read or write; check the disk and its quota, then audit the store",
        "磁盘读写失败；请检查磁盘与配额，然后审计案件库",
    ),
)


def _open(path: str, wait: float) -> sqlite3.Connection:
    _require_file(path)
    require_sound_sidecars(path)
    return _guarded(path, wait, lambda: _connect(path, wait))


def _connect(path: str, wait: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file_uri(path, "ro"), uri=True, isolation_level=None, timeout=wait, cached_statements=128
    )
    try:
        connection.text_factory = _text
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
        for name, value in (
            ("busy_timeout", int(wait * 1000)),
            ("trusted_schema", 0),
            ("cell_size_check", 1),
            ("query_only", 1),
            ("temp_store", 2),  # no ids of cases in temporary files
        ):
            set_pragma(connection, name, value)
        verify(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _guarded(path: str, wait: float, work: Callable[[], T]) -> T:
    """The result of ``work``; sqlite3's errors come out as StoreErrors.

    A writer that was killed leaves a journal that must be rolled back before anybody reads; a read-only
    connection may not, so this is done here, and ``work`` is tried once more.
    """
    try:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_READONLY_ROLLBACK":
                raise
            _roll_back(path, wait)
            return work()
    except SQLITE_ERRORS as error:
        raise store_error(error, path) from error


def _roll_back(path: str, wait: float) -> None:
    require_sound_sidecars(path)
    connection = sqlite3.connect(file_uri(path, "rw"), uri=True, isolation_level=None, timeout=wait)
    try:
        set_pragma(connection, "synchronous", 3)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        connection.close()


def require_sound_sidecars(path: str) -> None:
    """Raise StoreError where a file beside the store, which SQLite reads first, is none that SQLite wrote for casework.

    A pipe would be waited for and a device read for ever. A journal that names a super-journal, as SQLite writes for several
    databases at once, makes SQLite delete the file of that name after the rollback; casework never writes to several.
    """
    real = os.path.realpath(path)
    for ending in ("-journal", "-wal", "-shm"):
        name = real + ending
        try:
            mode = os.lstat(name).st_mode
            foreign = not stat.S_ISREG(mode) or (ending == "-journal" and _names_a_file(name))
        except OSError:
            continue  # SQLite says what it cannot read
        if foreign:
            raise StoreError(
                f"{name} is no journal that casework left there; move it away, then audit the store",
                f"{name} 不是 casework 留下的日志文件；请移走后再审计案件库",
            )


def _names_a_file(journal: str) -> bool:
    handle = os.open(journal, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    try:
        size = os.fstat(handle).st_size
        return size >= len(_MAGIC) and os.pread(handle, len(_MAGIC), size - len(_MAGIC)) == _MAGIC
    finally:
        os.close(handle)


def _require_file(path: str) -> None:
    """Look at ``path`` without opening it: closing it again would drop SQLite's locks on it in this process."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise StoreMissing(
            f"there is no store at {path}; make one with casework init, or name another with --store",
            f"{path} 处没有案件库；请用 casework init 建立，或用 --store 指定其他文件",
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"{path} cannot be looked at ({why}); check the path and the permissions of its folder",
            f"无法查看 {path}（{why}）；请检查路径及其目录的权限",
        ) from error
    if stat.S_ISDIR(status.st_mode):
        raise NotAStore(
            f"{path} is a directory, no casework store; name a file in it",
            f"{path} 是目录，不是案件库；请指定其中的文件",
        )
    if not stat.S_ISREG(status.st_mode):
        raise NotAStore(
            f"{path} is no regular file, so no casework store; name another with --store",
            f"{path} 不是普通文件，因而不是案件库；请用 --store 指定其他文件",
        )
    if status.st_size == 0:
        raise NotAStore(
            f"{path} is an empty file, no casework store; make one there with casework init",
            f"{path} 是空文件，不是案件库；请用 casework init 在此建立",
        )


def _has_table(connection: sqlite3.Connection) -> bool:
    # A trigger or a view could swallow a write that is acknowledged, or show what is not there.
    sql = "SELECT type FROM sqlite_master WHERE name = 'stored_events' OR type IN ('trigger', 'view')"
    # Neither is a column that SQLite computes, which may be of any size, nor a table that a module of SQLite's makes up.
    plain = "SELECT name FROM pragma_table_xinfo('stored_events') WHERE hidden = 0"
    names = [name for (name,) in connection.execute(plain)]
    virtual = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND rootpage = 0"
    # No further column is let pass: one called rowid would hide the real rowid, by which rows are read.
    return (connection.execute(sql).fetchall() == [("table",)] and sorted(map(str, names)) == sorted(COLUMNS)
            and connection.execute(virtual).fetchone() == (0,))


def _number(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _key(case: str) -> bytes | None:
    """The bytes of a case's id as stored, ``None`` for a text that no store can hold."""
    try:
        key = case.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None
    return key if len(key) < _ID_BYTES else None


def _vanished(path: str) -> StoreError:
    return StoreError(
        f"{path}: a recorded event disappeared while it was being read, which casework never does; "
        "see who else writes there, and restore a backup",
        f"{path}：读取期间有已记录的事件消失，casework 从不删除；请查明还有谁在写入，并恢复备份",
    )
