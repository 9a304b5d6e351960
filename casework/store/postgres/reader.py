"""Reading a store in PostgreSQL, without the event-sourcing library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from casework.store.ledger import tree
from casework.store.ledger.ledger import Ask, Ledger
from casework.store.postgres.schema import check
from casework.store.postgres.server import Connection, Server, store_error
from casework.store.row import DueRow, Part, Parts, Row, Snapshot, Totals
from casework.store.url import Location

COLUMNS = ("originator_id", "originator_version", "topic", "state", "trigger_name", "from_state", "to_state", "at", "recorded_at")
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM stored_events"
_ALL = f"{_SELECT} ORDER BY originator_id, originator_version"
_OF_SOME = (f"{_SELECT} WHERE originator_id = ANY(%s) "
            'ORDER BY array_position(%s::text[] COLLATE "C", originator_id), originator_version')
_OF_RANGE = (f"{_SELECT} WHERE (%s::text IS NULL OR originator_id >= %s) AND (%s::text IS NULL OR originator_id < %s) "
             "ORDER BY originator_id, originator_version")
#: The first stream of each range, by one pass over the index; a range begins where the rows before it are a multiple.
_CUT = """
SELECT min(originator_id) FROM (
    SELECT originator_id, sum(count(*)) OVER (ORDER BY originator_id) - count(*) AS before FROM stored_events
    GROUP BY originator_id) AS streams
GROUP BY floor(before / %s) ORDER BY 1
"""
_COMMITS = (f"SELECT l.number, {', '.join('e.' + c for c in COLUMNS)} FROM ledger_leaves AS l JOIN stored_events AS e "
            "ON e.originator_id = l.originator_id AND e.originator_version BETWEEN l.first_version AND l.last_version "
            "WHERE l.number >= %s AND l.number < %s ORDER BY l.number, e.originator_version")
_TOTALS = ("SELECT (SELECT count(*) FROM stored_events), (SELECT coalesce(max(number) + 1, 0) FROM ledger_leaves), "
           "(SELECT coalesce(sum(last_version - first_version + 1), 0) FROM ledger_leaves)")
_OF_ONE = f"{_SELECT} WHERE originator_id = %s ORDER BY originator_version"
_DUTIES_AT_ONCE = 20_000
_DUTIES = "SELECT case_id, duty, kind, owes, due, provisional FROM duties"
# Two searches, each by its index: with OR, every duty would be read.
_DUE = (f"{_DUTIES} WHERE due < %s UNION {_DUTIES} WHERE provisional = 1 AND due < %s ORDER BY due, case_id, duty")
_SIZE = "SELECT coalesce(max(number) + 1, 0) FROM ledger_leaves"


class PostgresLedger(Ledger):
    """The ledger's tables, where PostgreSQL keeps them."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(lambda query, *values: ask(query.replace("?", "%s"), *values))

    def is_there(self) -> bool:
        """Always: a store that lacks one of its tables cannot be opened."""
        return True

    def signed(self) -> str | None:
        """The signed note that was recorded with the last commit."""
        found = self._ask("SELECT note FROM ledger_head")
        return None if not found or found[0][0] is None else str(found[0][0])

    def root(self, size: int) -> bytes:
        """The root of the tree of the first ``size`` leaves, as the stored nodes have it, asked for at once."""
        places = tree.peaks(size)
        levels, numbers = [level for level, _ in places], [number for _, number in places]
        found = {(level, number): held for level, number, held in self._ask(_NODES, levels, numbers, levels, numbers)}
        for level, number in places:
            if len(found.get((level, number), b"")) != 32:
                self.node(level, number)  # which says what is missing
        return tree.Frontier(size, [found[place] for place in places]).root()


_NODES = """
SELECT level, number, hash FROM ledger_nodes JOIN unnest(?::bigint[], ?::bigint[]) AS wanted (level, number) USING (level, number)
UNION ALL
SELECT 0, number, leaf FROM ledger_leaves JOIN unnest(?::bigint[], ?::bigint[]) AS wanted (level, number) USING (number)
WHERE level = 0
"""


class PostgresReader:
    """Reads the store at ``place``; its sessions cannot write.

    What is one answer is of one moment. A scan of all rows is of the moment at which it was asked for, whatever is written
    meanwhile, and holds a page of rows in memory. :class:`~casework.errors.StoreError` and its kin.
    """

    def __init__(self, place: Location, server: Server | None = None, *, page: int = 2_000) -> None:
        self.location = place
        self._server = server or Server(place)
        self._page = page
        self._scans: list[Connection] = []
        self._connection: Connection | None = None
        try:
            self._main()
        except psycopg.Error as error:
            raise store_error(error, self.name) from error

    @property
    def name(self) -> str:
        """The URL without a password."""
        return self.location.name

    @property
    def place(self) -> str:
        """The same, without a user."""
        return self.location.place

    def rows(self, case: str | None = None) -> Iterator[Row]:
        """The rows of all streams, or of one, by stream and version; the set is fixed when this is called."""
        if case is None:
            return self._drawn(self._scan(_ALL))
        return iter([Row._make(row) for row in self._all(_OF_ONE, case)] if _is_key(case) else [])

    def snapshot(self, cases: Iterable[str] | None = None) -> Snapshot:
        """The rows of all streams, or of those named, and how many leaves the ledger has, as of one moment."""
        wanted = None if cases is None else [case for case in cases if _is_key(case)]
        where, values = ("", None) if wanted is None else (" WHERE originator_id = ANY(%s)", (wanted,))
        connection = self._scan(_ALL) if wanted is None else self._scan(_OF_SOME, (wanted, wanted))
        try:
            [(events, leaves)] = connection.execute(
                f"SELECT (SELECT count(*) FROM stored_events{where}), ({_SIZE})", values).fetchall()
        except psycopg.Error as error:
            raise store_error(error, self.name) from error
        return Snapshot(self._drawn(connection), events, leaves)

    def count(self) -> int:
        """How many rows there are."""
        return int(self._all("SELECT count(*) FROM stored_events")[0][0])

    def parts(self, size: int) -> Parts:
        """The store as of one moment in ranges of about ``size`` rows; no stream is in two of them.

        The moment is a snapshot that the server keeps as long as this reader is open: others read by its name.
        """
        try:
            connection = self._begun()
            [(leaves, snapshot)] = connection.execute(f"SELECT ({_SIZE}), pg_export_snapshot()").fetchall()
            lows = [low for (low,) in connection.execute(_CUT, (size,)).fetchall()][1:]
        except psycopg.Error as error:
            raise store_error(error, self.name) from error
        held = str(snapshot).encode()
        return Parts([Part(low, high, held) for low, high in zip((None, *lows), (*lows, None), strict=True)], leaves)

    def part(self, part: Part) -> Iterator[Row]:
        """The rows of that range, as of when the store was cut."""
        return self._drawn(self._scan(_OF_RANGE, (part.low, part.low, part.high, part.high), part.held.decode()))

    def totals(self) -> Totals:
        """How much the store holds at this moment."""
        return Totals(*map(int, self._all(_TOTALS)[0]))

    def commits(self, start: int, end: int) -> list[list[Row]]:
        """The rows that the leaves from number ``start`` to ``end`` are over, leaf by leaf; of one whose rows are gone, none."""
        found: list[list[Row]] = [[] for _ in range(start, end)]
        for number, *row in self._all(_COMMITS, start, end):
            found[number - start].append(Row._make(row))
        return found

    def case_ids(self) -> list[str]:
        """The ids of all streams, sorted."""
        return [case for (case,) in self._all("SELECT DISTINCT originator_id FROM stored_events ORDER BY originator_id")]

    def has(self, case: str) -> bool:
        """Whether anything is recorded of that stream."""
        return _is_key(case) and bool(self._all("SELECT FROM stored_events WHERE originator_id = %s LIMIT 1", case))

    def dues(self, before: int | None = None, provisional_before: int = 0) -> list[DueRow]:
        """The running duties due before that time (microseconds; None: all), and the provisional ones before another."""
        found = (self._all(f"{_DUTIES} ORDER BY due, case_id, duty") if before is None
                 else self._all(_DUE, before, provisional_before))
        return [DueRow(*row) for row in found]

    def index(self) -> Iterator[DueRow]:
        """The index of running duties as it is kept, all of it, a part at a time.

        Between two parts nothing is held: what is written meanwhile may be met twice, or not.
        """
        start = 0
        while page := self._all(f"{_DUTIES} ORDER BY case_id, duty LIMIT %s OFFSET %s", _DUTIES_AT_ONCE, start):
            yield from (DueRow(*row) for row in page)
            start += len(page)

    def format(self) -> int:
        """2: every store here has a ledger."""
        return 2

    def ledger(self) -> Ledger:
        """The ledger of the store."""
        return PostgresLedger(self._all)

    def close(self) -> None:
        """Close all sessions; closing twice is no error."""
        here, self._connection = self._connection, None
        for each in (*self._scans, *([here] if here else ())):
            with suppress(psycopg.Error):
                each.close()
        self._scans.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _main(self) -> Connection:
        if self._connection is None or self._connection.closed:
            made = self._server.connect(reading=True)
            try:
                check(made, self.location)
            except BaseException:
                made.close()
                raise
            self._connection = made
        return self._connection

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of an answer; asked again where the connection was lost, for nothing but a later moment comes of that."""
        try:
            return self._server.again(lambda: self._main().execute(query, values or None, binary=True).fetchall())
        except psycopg.Error as error:
            raise store_error(error, self.name) from error

    def _begun(self, snapshot: str | None = None) -> Connection:
        """A session of its own, in a transaction that sees what is there now, or in that snapshot."""
        made = self._server.connect(reading=True)
        self._scans.append(made)
        made.execute("BEGIN")
        if snapshot is not None:
            made.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        return made

    def _scan(self, query: str, values: tuple[object, ...] | None = None, snapshot: str | None = None) -> Connection:
        """Such a session with a cursor over rows."""
        try:
            made = self._begun(snapshot)
            made.execute(f"DECLARE scan NO SCROLL CURSOR FOR {query}", values)
        except psycopg.Error as error:
            raise store_error(error, self.name) from error
        return made

    def _drawn(self, connection: Connection) -> Iterator[Row]:
        try:
            while page := connection.execute(f"FETCH {self._page} FROM scan", binary=True).fetchall():
                yield from map(Row._make, page)
        except psycopg.Error as error:
            raise store_error(error, self.name) from error
        finally:
            with suppress(psycopg.Error, ValueError):
                connection.close()
                self._scans.remove(connection)


def _is_key(case: str) -> bool:
    """Whether PostgreSQL could hold that text as an id."""
    try:
        case.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in case
