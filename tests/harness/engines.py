"""The same tests on both engines: while diverted, a path that names a store names a schema of a real PostgreSQL.

A module whose tests are of what every store must do carries the mark ``stores``, and each of its tests runs twice; one that
looks at the file itself carries ``file`` and runs once. What exists as a file already is a file on both.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from casework.store import url
from casework.store.url import Location

#: In the environment of the processes that a test starts: the database to which they too are diverted.
BASE = "CASEWORK_TEST_DIVERTED"
_plain = url.parse
#: The places for which the server was asked, by path.
_asked: list[str] = []


class Diverted(Location):
    """A place that is called by its path, as the test called it, and lies in the server."""

    @property
    def place(self) -> str:
        return os.path.realpath(self.shown)


@functools.wraps(_plain)
def _parse(name: str, home: str = "") -> Location:
    found, base = _plain(name, home), os.environ.get(BASE)
    if not base or found.kind != "sqlite" or os.path.lexists(found.path) or not os.path.isdir(
            os.path.dirname(os.path.abspath(found.path))) or len(os.path.basename(found.path)) > 200:
        return found
    _asked.append(found.path)
    return Diverted("postgresql", _plain(base).path, found.force, schema_of(found.path), found.path)


def schema_of(path: str) -> str:
    """The schema that stands for the file of that path."""
    return "f" + hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:24]


def install() -> None:
    """Be asked for every store from now on; to be called before what opens stores is imported."""
    url.parse = _parse
    from casework.cli import journals

    writing = journals.writing

    @functools.wraps(writing)
    def made(settings: Any, journal: str | None, *, upgrade: bool = False, **how: Any) -> Any:
        # A store in a server is made on purpose; one that stands for a file, by the first command that comes along.
        here = os.environ.get(BASE) and isinstance(_parse(settings.store), Diverted)
        return writing(settings, journal, upgrade=upgrade or bool(here), **how)

    journals.writing = made


@contextmanager
def diverted(base: str) -> Iterator[None]:
    """In this time, every store that is named by a path, and is no file yet, is in that database."""
    os.environ[BASE] = base
    try:
        yield
    finally:
        del os.environ[BASE]


def asked() -> int:
    """How often somebody wanted a store that is in the server."""
    return len(_asked)


def is_there(store: str | Path) -> bool:
    """Whether somebody made the store that the path names."""
    place = _parse(str(store))
    if place.kind == "sqlite":
        return os.path.exists(place.path)
    with connect(store) as tables:
        return bool(tables.execute("SELECT 1 FROM pg_namespace WHERE nspname = ?", (place.schema,)).fetchall())


def connect(store: str | Path) -> Any:
    """The tables of a store, past casework, to look or to do harm: asked in SQL as SQLite has it, whichever engine keeps them."""
    place = _parse(str(store))
    return _Tables(place) if place.kind == "postgresql" else _File(place.path, isolation_level=None)


def takes_anything(store: str | Path) -> bool:
    """Whether a column of the store takes values of any type, as SQLite's do."""
    return _parse(str(store)).kind == "sqlite"


def copied(store: str | Path, to: str | Path) -> None:
    """Let the store named ``to`` hold what ``store`` holds, byte for byte; a file is copied as a file."""
    one = _parse(str(store))
    if one.kind == "sqlite":
        shutil.copy(store, to)
        return
    with connect(store) as tables:
        other = schema_of(str(to))
        tables.execute(f"DROP SCHEMA IF EXISTS {other} CASCADE")
        tables.execute(f"CREATE SCHEMA {other}")
        for (name,) in tables.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = ?::regnamespace",
                                      (one.schema,)).fetchall():
            tables.execute(f"CREATE TABLE {other}.{name} (LIKE {one.schema}.{name} INCLUDING ALL)")
            tables.execute(f"INSERT INTO {other}.{name} SELECT * FROM {one.schema}.{name}")


def content(store: str | Path) -> list[tuple[Any, ...]]:
    """All that a store holds but for its ledger's own name."""
    with connect(store) as tables:
        return [row for table in ("stored_events", "ledger_leaves", "ledger_nodes", "duties")
                for row in tables.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()]


def image(store: str | Path) -> object:
    """All of it, to be held against what it is later: the file's bytes, or every row in a server."""
    return Path(store).read_bytes() if Path(store).exists() else content(store)


def leaves(store: str | Path) -> int:
    """How many commits it has so far; 0 where it is not made yet."""
    if not is_there(store):
        return 0
    with connect(store) as tables, suppress(Exception):
        [(count,)] = tables.execute("SELECT count(*) FROM ledger_leaves").fetchall()
        return int(count)
    return 0


def program() -> list[str]:
    """The command line as a process of its own, which is diverted as this one is."""
    return [sys.executable, __file__] if BASE in os.environ else [sys.executable, "-m", "casework"]


def put_head(tables: Any, size: int, peaks: bytes) -> None:
    """Say what the end of the ledger is where a server keeps that beside its leaves, so that it fits them."""
    if isinstance(tables, _Tables):
        tables.execute("UPDATE ledger_head SET size = ?, peaks = ?", (size, peaks))


class _File(sqlite3.Connection):
    """Closed, and what was done is done, at the end of its ``with``."""

    def __exit__(self, *raised: object) -> None:  # type: ignore[override]
        self.close()


#: What SQLite says otherwise than PostgreSQL, as far as tests say it.
_WORDS = (
    (r"\?", "%s"), (r"zeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')"), (r"[xX]'([0-9a-fA-F]*)'", r"'\\x\1'::bytea"),
    (r"\browid\b", "recorded_at, originator_id, originator_version"), (r"PRAGMA .*", "SELECT 1"),
)


class _Tables:
    def __init__(self, place: Location) -> None:
        import psycopg

        self._connection = psycopg.connect(place.path, autocommit=True)
        self._connection.execute(f'SET search_path TO "{place.schema}"')

    def execute(self, statement: str, values: Any = ()) -> Any:
        for word, ours in _WORDS:
            statement = re.sub(word, ours, statement)
        cursor = self._connection.execute(statement, values or None)
        return cursor if cursor.description else _Nothing()

    def executescript(self, script: str) -> None:
        for statement in filter(str.strip, script.split(";")):
            self.execute(statement)

    def commit(self) -> None:
        """Done already."""

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class _Nothing:
    def fetchall(self) -> list[Any]:
        return []


if __name__ == "__main__":
    install()
    from casework.cli.main import run

    sys.exit(run(sys.argv[1:]))
