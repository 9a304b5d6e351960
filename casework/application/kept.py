"""What lists are made of, kept beside the store: one row a case, brought up to date at each question and so never behind.

A kept view stands at a place in the ledger: how many leaves, and their root. Asked anything, it first looks at what came since;
if the store does not have that root there (another copy, a ledger begun anew), it is made from the beginning. It is a short cut
to an answer and never evidence: nothing that is signed covers it, and the audit does not read it.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from casework import __version__
from casework.application.views import UnreadableCase, View, by_case, duties, facts_of
from casework.domain.facts import Facts
from casework.domain.lifecycle import STAGE_OF
from casework.domain.standing.events import is_standing
from casework.domain.versions import TABLES
from casework.errors import StoreError
from casework.store.contract import Reader
from casework.store.dues import microseconds, moment
from casework.store.ledger.ledger import Head
from casework.store.ledger.tree import EMPTY
from casework.store.row import Row

#: The form of the file, which is that of the release as well: another may read what this one cannot. One of another form is
#: made anew.
FORM = zlib.crc32(f"1 {__version__}".encode()) >> 1
#: From how many streams on, and from which part of all, everything is read in its order instead of stream by stream.
MANY, PART = 1000, 5
_PAGE = 5000
_COLUMNS = "case_id, state, ground, merchant, version, updated_at, overdue_after, missed, en, zh"
_CREATE = (
    "CREATE TABLE cases (case_id TEXT PRIMARY KEY, state TEXT, ground TEXT, merchant TEXT, version INTEGER, updated_at INTEGER, "
    "overdue_after INTEGER, missed TEXT NOT NULL, en TEXT, zh TEXT) WITHOUT ROWID",
    "CREATE INDEX by_merchant ON cases (merchant)",
    "CREATE INDEX by_state ON cases (state)",
    "CREATE INDEX by_overdue ON cases (overdue_after)",
    "CREATE TABLE place (size INTEGER NOT NULL, root BLOB NOT NULL)",
    f"PRAGMA user_version = {FORM}",
)
_PUT = f"INSERT OR REPLACE INTO cases VALUES ({', '.join('?' * 10)})"
_NEVER = -(2**62)  # a case that is overdue whenever one looks


class Status(NamedTuple):
    """Where a kept view stands: at how many leaves, of how many that the store has; and how many cases it knows."""

    at: int
    of: int
    cases: int


class Kept:
    """The kept views of the store that ``reader`` reads, in the file ``place``; in memory where there is none, or none can be.

    Every method but ``status`` first catches up. StoreError where the file cannot be read.
    """

    def __init__(self, reader: Reader, place: Path | None) -> None:
        self._reader = reader
        # Without a ledger there is no telling what came since.
        self.place = place if reader.format() > 1 and reader.ledger().is_there() else None
        try:
            self._db = _opened(self.place)
        except (sqlite3.Error, OSError):
            self.place = None
            self._db = _opened(None)

    def summaries(self, now: datetime, *, state: str | None = None, stage: str | None = None, ground: str | None = None,
                  merchant: str | None = None, overdue: bool = False) -> Iterator[View]:
        """The cases, by id, each in one line as it is at ``now``."""
        self.catch_up()
        states = [name for name, of in STAGE_OF.items() if stage in (None, of) and state in (None, name)]
        asked: list[tuple[str, list[Any]]] = [(f"state IN ({', '.join('?' * len(states))})", states)]
        asked += [(f"{name} = ?", [value]) for name, value in (("ground", ground), ("merchant", merchant)) if value is not None]
        if overdue:
            asked.append(("overdue_after < ?", [microseconds(now)]))
        sql = ("SELECT case_id, state, ground, merchant, version, updated_at, coalesce(overdue_after < ?, 0) FROM cases "
               f"WHERE en IS NULL AND {' AND '.join(term for term, _ in asked)} ORDER BY case_id")
        given = [value for _, values in asked for value in values]
        for case, here, why, who, version, updated, late in self._ask(sql, microseconds(now), *given):
            yield {"case": case, "state": here, "stage": STAGE_OF[here], "ground": why, "merchant": who, "version": version,
                   "updated_at": moment(updated), "overdue": bool(late)}

    def unreadable(self) -> list[UnreadableCase]:
        """What is said of the cases that cannot be read."""
        self.catch_up()
        return [UnreadableCase(str(en), str(zh)) for en, zh in self._ask(
            "SELECT en, zh FROM cases WHERE en IS NOT NULL ORDER BY case_id")]

    def rows_of(self, merchant: str, stream: str) -> Iterator[Row]:
        """The rows of all cases of that merchant, and of those that cannot be read, and of his stream."""
        self.catch_up()
        found = self._ask("SELECT case_id FROM cases WHERE merchant = ? OR en IS NOT NULL", merchant)
        for case in sorted([*(str(case) for (case,) in found), stream]):
            yield from self._reader.rows(case)

    def missed(self, by: str | None = None) -> int:
        """How many duties were missed and are owed still: all, or by that role."""
        self.catch_up()
        return sum(count for owes, count in Counter(
            owes for (held,) in self._ask("SELECT missed FROM cases WHERE missed <> ''") for owes in str(held).split()).items()
            if by in (None, owes, owes.partition(":")[0]))

    def counts(self, now: datetime) -> View:
        """How many cases there are, by stage, state and ground, and how many of each are overdue at ``now``."""
        self.catch_up()
        at = microseconds(now)
        found: dict[str, dict[str, dict[str, int]]] = {"stage": {}, "state": {}, "ground": {}}
        total = late = 0
        for state, ground, cases, overdue in self._ask(
                "SELECT state, ground, count(*), count(*) FILTER (WHERE overdue_after < ?) FROM cases WHERE en IS NULL "
                f"AND state IN ({', '.join('?' * len(STAGE_OF))}) GROUP BY state, ground ORDER BY state, ground", at, *STAGE_OF):
            total, late = total + cases, late + overdue
            for kind, name in (("stage", STAGE_OF[state]), ("state", state), ("ground", ground)):
                here = found[kind].setdefault(name, {"cases": 0, "overdue": 0})
                here["cases"] += cases
                here["overdue"] += overdue
        [(broken,)] = self._ask("SELECT count(*) FROM cases WHERE en IS NOT NULL")
        return {"cases": total, "overdue": late, "unreadable": broken} | found

    # --- keeping up ---

    def catch_up(self) -> None:
        """Take in what was recorded since, if anything was. Of two who do so at once one waits for the other."""
        now = self._ledger()
        if now is None:
            if self._head() is None:
                with self._writing():
                    self._make(Head(0, EMPTY))
        elif self._head() != now:
            with self._writing():
                before, now = self._head(), self._reader.ledger().head()
                if before is None or not self._has(before):
                    self._make(now)
                elif before != now:
                    self._follow(before, now)
        # Whether bytes can be read is no matter of the ledger: somebody may have put them right since.
        odd = [str(case) for (case,) in self._ask("SELECT case_id FROM cases WHERE en IS NOT NULL ORDER BY case_id")]
        found = [line for case in odd for line in _lines(self._reader.rows(case))]
        if any(line[-2] is None for line in found):
            with self._writing():
                self._db.executemany(_PUT, found)

    def rebuild(self) -> int:
        """Make everything anew from the events; how many cases there are."""
        now = self._ledger()
        self._db.close()
        if self.place is not None:
            self.place.unlink(missing_ok=True)
        self._db = _opened(self.place)
        with self._writing():
            self._make(now or Head(0, EMPTY))
        return self.status().cases

    def status(self) -> Status:
        """Where it stands."""
        now, head = self._ledger(), self._head()
        [(cases,)] = self._ask("SELECT count(*) FROM cases")
        return Status(head.size if head else 0, now.size if now else 0, cases)

    def differing(self) -> list[str]:
        """The cases of which the view says something else than the events do; it is caught up first."""
        self.catch_up()
        with closing(_opened(None)) as fresh:
            fresh.executemany(_PUT, _lines(self._reader.rows()))
            theirs = {row[0]: row for row in fresh.execute("SELECT * FROM cases")}
        mine = {row[0]: row for row in self._ask("SELECT * FROM cases")}
        return sorted(str(case) for case in mine.keys() | theirs.keys() if mine.get(case) != theirs.get(case))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _ledger(self) -> Head | None:
        """The ledger of the store; None where it cannot tell what came since, and nothing is kept."""
        if self.place is not None:
            try:
                return self._reader.ledger().head()
            except StoreError:  # its tree is damaged, as the audit tells
                self._db.close()
                self.place, self._db = None, _opened(None)
        return None

    def _ask(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with self._said():
            cursor = self._db.execute(sql, values)
            while page := cursor.fetchmany(_PAGE):
                yield from page

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._said():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.place}: the kept views cannot be used ({error}); make them anew: casework views rebuild",
                             f"{self.place}：保存的视图无法使用（{error}）；请重建：casework views rebuild") from error

    def _head(self) -> Head | None:
        return next((Head(*found) for found in self._ask("SELECT size, root FROM place")), None)

    def _has(self, before: Head) -> bool:
        """Whether the store has, where the view stands, what it had then. Somebody may have put anything there."""
        book = self._reader.ledger()
        return type(before.size) is int and 0 <= before.size <= book.size() and book.root(before.size) == before.root

    def _make(self, head: Head) -> None:
        self._db.execute("DELETE FROM cases")
        self._db.executemany(_PUT, _lines(self._reader.rows()))
        self._stand(head)

    def _follow(self, before: Head, now: Head) -> None:
        book = self._reader.ledger()
        moved: set[str] = set()
        for start in range(before.size, now.size, _PAGE):
            moved.update(leaf.stream for leaf in book.leaves(start, min(start + _PAGE, now.size)) if not is_standing(leaf.stream))
            if len(moved) > max(MANY, now.size // PART):
                self._make(now)
                return
        for case in sorted(moved):
            self._db.executemany(_PUT, _lines(self._reader.rows(case)))
        self._stand(now)

    def _stand(self, head: Head) -> None:
        self._db.execute("DELETE FROM place")
        self._db.execute("INSERT INTO place VALUES (?, ?)", head)


def _opened(place: Path | None) -> sqlite3.Connection:
    """The file of the views, of this form and empty where it is new or is none; in memory without a place."""
    if place is None:
        return _form(sqlite3.connect(":memory:", isolation_level=None))
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not place.exists():
        os.close(os.open(place, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
    try:
        return _form(sqlite3.connect(place, isolation_level=None, timeout=30))
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        place.unlink()  # no database, or a spoilt one: nothing is lost with it
        return _opened(place)


def _form(db: sqlite3.Connection) -> sqlite3.Connection:
    try:
        db.text_factory = lambda held: held.decode("utf-8", "replace")
        db.execute("PRAGMA trusted_schema = 0")
        db.execute("PRAGMA cell_size_check = 1")
        if db.execute("PRAGMA user_version").fetchone()[0] != FORM or not _is_whole(db):
            db.execute("BEGIN IMMEDIATE")
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                db.execute(f'DROP TABLE "{name}"')
            for statement in _CREATE:
                db.execute(statement)
            db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _is_whole(db: sqlite3.Connection) -> bool:
    """Whether both tables are there with their columns."""
    try:
        db.execute(f"SELECT {_COLUMNS} FROM cases LIMIT 0")
        db.execute("SELECT size, root FROM place LIMIT 0")
    except sqlite3.OperationalError:
        return False
    return True


def _lines(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    for case, here in by_case(rows):
        try:
            facts = facts_of(here)
        except UnreadableCase as error:
            yield case, None, None, None, None, None, None, "", error.en, error.zh
        else:
            if facts is not None:
                yield (facts.case, facts.state, facts.given.ground, facts.given.order.merchant, facts.version,
                       microseconds(facts.at), _overdue_after(facts),
                       " ".join(d.owes for d in facts.duties.values() if d.state == "missed" and d.is_owed), None, None)


def _overdue_after(facts: Facts) -> int | None:
    """The time after which something is overdue, in microseconds; None where nothing ever is."""
    tables = TABLES.get(facts.lifecycle)
    if not (facts.duties or (tables and tables.duties)):
        return _derived_overdue(facts)
    if any(d.state == "missed" and d.is_owed for d in facts.duties.values()):
        return _NEVER
    ends = [d.due.at for d in facts.duties.values() if d.state == "running" and (d.was_paused or not d.due.provisional)]
    return microseconds(min(ends)) if ends else None


def _derived_overdue(facts: Facts) -> int | None:
    """The same of a case that pinned a lifecycle in which no duty is recorded, whose deadlines are derived."""
    ends = [d["due"] for d in duties(facts, facts.at)]
    return microseconds(min(ends)) if ends else None
