"""Recording in PostgreSQL: decided without a lock, put in the ledger in the shortest turn there is.

What each case needs is settled before anybody waits for anybody: its events are inserted, and whoever was faster with a version
makes that fail. Only the ledger's place is one for all: the row of ``ledger_head`` is locked last, the leaf is put at the end of
the tree, the new root is signed, and the transaction commits without waiting for the disk. So the next writer's turn begins while
this one's commit is still on its way there; many commits reach the disk, and the standby, together. A command is done only when
its own has: the log of PostgreSQL is written in order, so whatever it was built on has as well.

Each machine signs in a journal of its own. What others recorded in between, its journal has not; therefore the store keeps the
signed note of its last commit in ``ledger_head``, and nothing is built on a head that no key of the journal signed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain, groupby
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from eventsourcing.persistence import AggregateRecorder, IntegrityError, PersistenceError, StoredEvent
from psycopg import errors, pq

from casework.errors import JournalError, StoreBusy, StoreError
from casework.store import dues
from casework.store.ledger.entry import leaf
from casework.store.ledger.journal import Journal, fitting, refuse_denied
from casework.store.ledger.ledger import OUTSIDE, Head, Leaf, by_stream
from casework.store.ledger.note import Checkpoint, Signer
from casework.store.ledger.tree import Frontier, Node
from casework.store.postgres.reader import COLUMNS, PostgresLedger, PostgresReader
from casework.store.postgres.schema import check
from casework.store.postgres.server import Connection, Server, store_error
from casework.store.row import DueRow, Row
from casework.store.stored import StoredCaseEvent, case_id, to_row
from casework.store.url import Location

#: Why a transaction is over before anybody else's could be: the version that it was to record is taken.
_VERSION = "stored_events_version"
#: Up to how many bytes go to the server without waiting for its answers. More, and both could wait to be read from.
_SMALL = 16 * 1024

_EVENT = f"INSERT INTO stored_events ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"
_COPY_EVENTS = f"COPY stored_events ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_EVENT_TYPES = ("text", "int8", "text", "bytea", "text", "text", "text", "int8", "int8")
#: From how many events on a commit is copied instead of inserted.
_MANY = 50
_PUT_DUTY = ("INSERT INTO duties (case_id, duty, kind, owes, due, provisional) VALUES (%s, %s, %s, %s, %s, %s) "
             "ON CONFLICT (case_id, duty) DO UPDATE SET kind = excluded.kind, owes = excluded.owes, due = excluded.due, "
             "provisional = excluded.provisional")
_DROP_DUTY = "DELETE FROM duties WHERE case_id = %s AND duty = %s"
_LAST = """
SELECT DISTINCT ON (originator_id) originator_id, last_version, leaf FROM ledger_leaves WHERE originator_id = ANY(%s)
ORDER BY originator_id, number DESC
"""
_OF_HEAD = """size, peaks, note, (SELECT value FROM ledger_meta WHERE name = 'origin'),
       (SELECT value FROM ledger_meta WHERE name = 'journal')"""
_HEAD = f"SELECT {_OF_HEAD} FROM ledger_head"
#: The turn: whoever has the row is the only one that adds to the ledger, until his commit, which then does not wait for the disk.
_TURN = f"SELECT {_OF_HEAD}, set_config('synchronous_commit', 'off', true) FROM ledger_head FOR UPDATE OF ledger_head"
_GROW = """
WITH leaves AS (
    INSERT INTO ledger_leaves (number, originator_id, first_version, last_version, leaf)
    SELECT * FROM unnest(%b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::bytea[])
), nodes AS (
    INSERT INTO ledger_nodes (level, number, hash) SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[])
)
UPDATE ledger_head SET size = %s, peaks = %s, note = %s
"""
#: A commit that waits until the log is on the disk, and on the synchronous standby, up to itself: and so all before it.
_SURVIVE = "SELECT pg_logical_emit_message(true, 'casework', '')"


class _Turn(NamedTuple):
    """The ledger as whoever has the turn finds it."""

    frontier: Frontier
    note: str | None
    meta: dict[str, str]

    @property
    def head(self) -> Head:
        return Head(self.frontier.size, self.frontier.root())


class PostgresRecorder(AggregateRecorder):
    """Records StoredCaseEvents in the store at ``place``.

    Errors are psycopg's and the library's (IntegrityError for a version taken already); ``said`` says them to people.
    ``lock_timeout`` is how long to wait for another writer, in seconds. Threads may share one; each has a session of its own.
    """

    path = None
    kept = True
    #: Nothing is held while a command is decided, so others may be faster as often as they write to the same case; one of them
    #: always gets on.
    attempts = 200

    def __init__(self, place: Location, journal: Journal | None = None, *, lock_timeout: float = 30.0) -> None:
        self.location = place
        self.journal = journal
        self._server = Server(place, wait=lock_timeout)
        self._mine = _Mine()
        #: By session, the last checkpoint of the journal that the store was seen to contain.
        self._contained: WeakKeyDictionary[Connection, Checkpoint] = WeakKeyDictionary()
        #: The last note that was signed here, or verified.
        self._known: str | None = None
        try:
            with self._server.session() as connection:
                check(connection, place, whole=True)
        except BaseException as error:
            self._server.forget()
            if isinstance(error, psycopg.Error):
                raise store_error(error, self.name) from error
            raise

    @property
    def name(self) -> str:
        """The URL without a password."""
        return self.location.name

    @property
    def place(self) -> str:
        """The same, without a user."""
        return self.location.place

    def writing(self) -> AbstractContextManager[object]:
        """Nothing is held: whoever was faster with a version is found out when it is recorded."""
        return nullcontext()

    def reader(self) -> PostgresReader:
        """A reader of the same store."""
        return PostgresReader(self.location)

    def said(self, error: BaseException) -> StoreError | None:
        """What to tell people of an error of PostgreSQL's or of the library's."""
        return store_error(error, self.name) if isinstance(error, (PersistenceError, psycopg.Error)) else None

    def close(self) -> None:
        """Close all connections."""
        self._server.forget()

    def select_events(self, originator_id: UUID | str, *, gt: int | None = None, lte: int | None = None, desc: bool = False,
                      limit: int | None = None) -> Sequence[StoredEvent]:
        """The events of a stream, for the library's repository."""
        text = "SELECT originator_id, originator_version, topic, state FROM stored_events WHERE originator_id = %s"
        values: list[Any] = [case_id(originator_id)]
        if "\0" in values[0]:
            return []  # no text of PostgreSQL's
        for limit_of, sign in ((gt, ">"), (lte, "<=")):
            if limit_of is not None:
                text, values = f"{text} AND originator_version {sign} %s", [*values, limit_of]
        text += f" ORDER BY originator_version{' DESC' if desc else ''}"
        if limit is not None:
            text, values = f"{text} LIMIT %s", [*values, limit]
        found = self._server.run(lambda c: c.execute(text, values, binary=True).fetchall())
        return [StoredEvent(*row) for row in found]

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Record these in one transaction; when this returns they survive. There are no notification ids, for nothing here counts
        over all cases.

        Where the connection was lost nobody knows whether they were recorded; so it is done again, and what is found there with
        the very same bytes was this. IntegrityError where one of the versions is taken by something else.
        """
        rows: list[Row] = []
        for stored in stored_events:
            if not isinstance(stored, StoredCaseEvent):
                raise TypeError(f"a store of cases keeps StoredCaseEvents, not {type(stored).__name__}")
            rows.append(to_row(stored))
        self.append_many(by_stream(rows))
        return None

    def append_many(self, commits: Sequence[Sequence[Row]]) -> None:
        """Record these rows as they are, in one transaction, with a leaf over each of ``commits``; as :meth:`insert_events`."""
        # In one order by all: so no two transactions wait for each other.
        rows = sorted(chain.from_iterable(commits), key=lambda row: (row.case, row.version))
        tried = False

        def attempt(connection: Connection) -> Head:
            nonlocal tried
            again, tried = tried, True
            try:
                head = self._record(connection, rows, commits)
            except errors.UniqueViolation as error:
                if error.diag.constraint_name != _VERSION:
                    raise
                if not (again and self._are_there(connection, rows)):
                    raise IntegrityError(error) from error
                seen = self._seen(connection)
                self._proved(seen)
                self._survive(connection)
                head = seen.head
            return head

        if rows:
            self._mine.head = self._server.run(attempt)

    def acknowledge(self) -> None:
        """Put the checkpoint of what this thread just recorded in the journal. :class:`~casework.errors.NotAcknowledged`."""
        head, self._mine.head = self._mine.head, None
        if head is not None and self.journal is not None:
            self.journal.acknowledge(head, lambda last: self._covers(last, head))

    def settle(self) -> None:
        """Wait until all that is recorded survives, and sign it in this machine's journal, whoever recorded it."""
        def attempt(connection: Connection) -> Head:
            seen = self._seen(connection)
            self._proved(seen)
            self._contain(connection)
            # In this order: what was recorded since is not signed, for it may not survive yet.
            self._survive(connection)
            return seen.head

        head = self._server.run(attempt)
        if self.journal is not None:
            self.journal.acknowledge(head, lambda last: self._covers(last, head))

    def rotate(self, seed: bytes) -> Signer:
        """From here on another key signs, the head of the store first; nobody adds to the ledger meanwhile."""
        journal = self.journal
        if journal is None:
            raise StoreError("this store keeps no journal outside, and so no key", "此案件库没有库外日志，因而没有密钥")

        def attempt(connection: Connection) -> Signer:
            with connection.transaction():
                turn = self._turn(connection)
                self._proved(turn)
                self._contain(connection)
                # The head may be another's who waits for the disk still; in this transaction nothing can be waited for.
                with self._server.session() as other:
                    self._survive(other)
                journal.acknowledge(turn.head, lambda last: False)
                signer = journal.rotate(seed, turn.head.size)
                connection.execute("UPDATE ledger_head SET note = %s", (journal.sign(turn.head),))
            self._survive(connection)
            return signer

        # Once: whoever lost the connection here has a new key all the same, and a head that the old one signed.
        with self._server.session() as connection:
            return attempt(connection)

    def renew(self, meta: dict[str, str], journal: Journal | None) -> None:
        """Begin the ledger anew over all that is recorded, a leaf a stream. Only the store's owner may."""
        with self._alone() as (connection, streams), connection.cursor() as cursor:
            frontier, nodes = Frontier(), list[Node]()
            with cursor.copy("COPY ledger_leaves (number, originator_id, first_version, last_version, leaf) FROM STDIN") as copy:
                for rows in streams:
                    made = leaf(None, rows)
                    copy.write_row((frontier.size, rows[0].case, rows[0].version, rows[-1].version, made))
                    nodes += frontier.add(made)[1:]
            with cursor.copy("COPY ledger_nodes (level, number, hash) FROM STDIN") as copy:
                for node in nodes:
                    copy.write_row(node)
            cursor.executemany("INSERT INTO ledger_meta (name, value) VALUES (%s, %s)", list(meta.items()))
            head = Head(frontier.size, frontier.root())
            if journal is not None:
                journal.declare_renewed(meta["renewed"])
            cursor.execute("UPDATE ledger_head SET size = %s, peaks = %s, note = %s",
                           (head.size, b"".join(frontier.peaks), journal.sign(head) if journal else None))
        self.journal, self._mine.head = journal, head
        self._contained.clear()

    def rebuild_index(self, rows: Iterable[DueRow]) -> None:
        """Put these running duties in the place of all that the index holds, in one transaction, while nobody writes to it."""
        with self._server.session() as connection, connection.transaction():
            connection.execute("LOCK TABLE duties IN SHARE ROW EXCLUSIVE MODE")
            connection.execute("DELETE FROM duties")
            with connection.cursor() as cursor:
                cursor.executemany(_PUT_DUTY, list(rows))

    @contextmanager
    def _alone(self) -> Iterator[tuple[Connection, Iterator[list[Row]]]]:
        """A transaction beside which nobody records, with an empty ledger; and all rows, by stream."""
        with self._server.session() as connection, PostgresReader(self.location) as reader, connection.transaction():
            # However much is recorded: to read and to hash all of it is one statement.
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            # Whoever has inserted events but has no leaf of them yet is waited for here.
            connection.execute("LOCK TABLE stored_events IN SHARE MODE")
            connection.execute("SELECT FROM ledger_head FOR UPDATE")
            rows = reader.rows()
            connection.execute("TRUNCATE ledger_leaves, ledger_nodes, ledger_meta")
            yield connection, (list(here) for _, here in groupby(rows, key=lambda row: row.case))

    def _record(self, connection: Connection, rows: list[Row], commits: Sequence[Sequence[Row]]) -> Head:
        """One transaction: the events, their duties, and then, in turn, their leaves."""
        try:
            last = self._insert(connection, rows)
            made = []
            for here in commits:
                stream, (version, before) = here[0].case, last.get(here[0].case, (0, None))
                self._refuse_gap(connection, here[0], version)
                made.append(leaf(before, here))
                last[stream] = here[-1].version, made[-1]
            self._contain(connection)
            turn = self._turn(connection)
            self._proved(turn)
            return self._grow(connection, turn.frontier, commits, made)
        except BaseException:
            # Where an interrupt came in the middle of an answer, the session is closed instead (Server.session).
            if connection.info.transaction_status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR):
                connection.rollback()
            raise

    def _insert(self, connection: Connection, rows: list[Row]) -> dict[str, tuple[int, bytes | None]]:
        """Begin a transaction with the events and their duties; the last version and leaf of each stream before it."""
        over, run = dues.moved(rows)
        small = len(rows) < _MANY and sum(len(row.payload) for row in rows) < _SMALL
        with connection.pipeline() if small else nullcontext():
            connection.execute("BEGIN")
            put = [connection.execute(_EVENT, row) for row in rows] if len(rows) < _MANY else [_copied(connection, rows)]
            for key in over:
                connection.execute(_DROP_DUTY, key)
            for due in run:
                connection.execute(_PUT_DUTY, due)
            last = connection.execute(_LAST, ([*dict.fromkeys(row.case for row in rows)],), binary=True)
        if sum(cursor.rowcount for cursor in put) != len(rows):
            raise PersistenceError("the store did not take the events")
        return {case: (version, held) for case, version, held in last.fetchall()}

    def _refuse_gap(self, connection: Connection, first: Row, last: int) -> None:
        """What this was decided upon must be there still: a server that was killed may have lost what was not acknowledged."""
        if last == first.version - 1:
            return
        [(there,)] = connection.execute("SELECT count(*) FROM stored_events WHERE originator_id = %s AND originator_version = %s",
                                        (first.case, first.version - 1)).fetchall()
        if there or last >= first.version:
            raise StoreError(f"{self.name}: the ledger has no leaf of '{first.case}' up to version {first.version - 1}; audit "
                             "the store, and restore a backup",
                             f"{self.name}：账本没有“{first.case}”截至版本 {first.version - 1} 的叶子；请审计案件库并恢复备份")
        raise IntegrityError(f"version {first.version - 1} of '{first.case}' is not there")

    def _seen(self, connection: Connection) -> _Turn:
        return _turn_of(connection.execute(_HEAD, binary=True).fetchall(), self.name)

    def _turn(self, connection: Connection) -> _Turn:
        """The ledger, which from here to the end of the transaction is this one's alone to add to."""
        return _turn_of(connection.execute(_TURN, binary=True).fetchall(), self.name)

    def _contain(self, connection: Connection) -> None:
        """See that the store holds what this machine's journal has signed: before the turn, and once for what was signed last.

        A server that was set back has closed this session.
        """
        journal = self.journal
        if journal is None:
            return
        last = journal.last()
        if last is None or self._contained.get(connection) == last:
            return
        ledger = _ledger(connection)
        try:
            same = ledger.root(last.size) == last.root
        except StoreError:
            same = False  # what is missing is said by the size
        if not same:
            journal.contained(ledger.size(), ledger.root)
        self._contained[connection] = last

    def _proved(self, turn: _Turn) -> None:
        """See that a command recorded the head, and that the journal is this ledger's. :class:`~casework.errors.JournalError`."""
        if turn.meta.get("journal") != OUTSIDE:
            if self.journal is not None:
                refuse_denied(self.journal, self.name)
            return
        journal = fitting(self.journal, turn.meta)
        head = Checkpoint(journal.origin, *turn.head)
        if turn.note is not None and turn.note == self._known and turn.note.startswith(head.text()):
            return
        if turn.note is None or journal.verified(turn.note) != head:
            raise JournalError(
                f"the last commit of {self.name} is not the one that its signed note is of: it was written past the commands. "
                "Run casework audit, and restore a backup",
                f"{self.name} 的最后一次提交与其签名不符：它绕过命令写入。请运行 casework audit 并恢复备份")
        self._known = turn.note

    def _grow(self, connection: Connection, frontier: Frontier, commits: Sequence[Sequence[Row]], made: list[bytes]) -> Head:
        leaves, nodes = list[Leaf](), list[Node]()
        for here, hashed in zip(commits, made, strict=True):
            leaves.append(Leaf(frontier.size, here[0].case, here[0].version, here[-1].version, hashed))
            nodes += frontier.add(hashed)[1:]
        head = Head(frontier.size, frontier.root())
        self._known = note = self.journal.sign(head) if self.journal else None
        columns = [list(column) for column in zip(*leaves, strict=True)]
        kept = [list(column) for column in zip(*nodes, strict=True)] or [[], [], []]
        with self._heeding(connection), connection.pipeline():
            connection.execute(_GROW, (*columns, *kept, head.size, b"".join(frontier.peaks), note))
            connection.execute("COMMIT")  # and the turn is the next writer's
            connection.execute(_SURVIVE)
        if self.journal is not None:
            self._contained[connection] = Checkpoint(self.journal.origin, *head)
        return head

    def _survive(self, connection: Connection) -> None:
        """Wait until all that was committed before is where it is to be kept."""
        with self._heeding(connection):
            connection.execute(_SURVIVE)

    @contextmanager
    def _heeding(self, connection: Connection) -> Iterator[None]:
        """Where somebody ends the wait for a standby, PostgreSQL only warns, and commits: that is no acknowledgement.

        :class:`~casework.errors.StoreBusy`.
        """
        told: list[str] = []

        def hear(notice: errors.Diagnostic) -> None:
            if notice.severity_nonlocalized == "WARNING":
                told.append(notice.message_primary or "")

        connection.add_notice_handler(hear)
        try:
            yield
        finally:
            connection.remove_notice_handler(hear)
        if told:
            raise StoreBusy(
                f"{self.name}: recorded, but it is not known whether the standby has it ({told[0]}); give the same command again "
                "under the same --command-id",
                f"{self.name}：已记录，但不能确定备库已收到（{told[0]}）；请以同一 --command-id 重发该命令")

    def _are_there(self, connection: Connection, rows: list[Row]) -> bool:
        """Whether exactly these are recorded."""
        found = [connection.execute(f"SELECT {', '.join(COLUMNS)} FROM stored_events WHERE originator_id = %s AND "
                                              "originator_version = %s", (row.case, row.version), binary=True).fetchall()
                 for row in rows]
        return all(here == [tuple(row)] for here, row in zip(found, rows, strict=True))

    def _covers(self, last: Checkpoint, head: Head) -> bool:
        """Whether the checkpoint of more, which another process here signed meanwhile, is of a tree that contains this one."""
        def look(connection: Connection) -> bool:
            ledger = _ledger(connection)
            return ledger.root(last.size) == last.root and ledger.root(head.size) == head.root

        try:
            return self._server.run(look)
        except StoreError:
            return False  # the store lacks what was signed, or is damaged


def _copied(connection: Connection, rows: list[Row]) -> psycopg.Cursor[tuple[Any, ...]]:
    cursor = connection.cursor()
    with cursor.copy(_COPY_EVENTS) as copy:
        copy.set_types(_EVENT_TYPES)
        for row in rows:
            copy.write_row(row)
    return cursor


class _Mine(threading.local):
    """What a thread has recorded and not acknowledged yet."""

    head: Head | None = None


def _ledger(connection: Connection) -> PostgresLedger:
    return PostgresLedger(lambda text, *values: connection.execute(text, values or None, binary=True).fetchall())


def _turn_of(found: list[tuple[Any, ...]], name: str) -> _Turn:
    try:
        [(size, peaks, note, origin, journal, *_)] = found
        frontier = Frontier(size, [peaks[at:at + 32] for at in range(0, len(peaks), 32)])
    except ValueError:
        raise StoreError(f"{name}: the head of the ledger is missing or altered; audit the store, and restore a backup",
                         f"{name}：账本的首行缺失或被改动；请审计案件库并恢复备份") from None
    return _Turn(frontier, note, {"origin": origin or "", "journal": journal or ""})
