"""All rows in the order of their streams without a list of them: by the index, where that gives what the table has.

A list of ten million places, and what SQLite sorts them in, would be most of what an audit keeps in memory. The index has the
order already; but it may be damaged or altered, and must not hide a row from the audit. So it is gone through once, and held
against the table by a sum over what both give. Where they differ, or the index cannot be read, there is no order to be had here.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import NamedTuple

_INDEX = "stored_events INDEXED BY sqlite_autoindex_stored_events_1"
_KEY = "rowid, originator_id, originator_version"
_BY_INDEX = f"SELECT {_KEY} FROM {_INDEX} ORDER BY originator_id, originator_version"
# The table itself, not the index over it. As one text, for Python's hash of a text is keyed, and that of a number is not.
_OF_TABLE = "SELECT rowid || ' ' || originator_version || ' ' || originator_id FROM stored_events NOT INDEXED"
_NEXT = (f"SELECT {_KEY} FROM {_INDEX} WHERE (originator_id, originator_version) > (CAST(? AS TEXT), ?) "
         "AND (? IS NULL OR originator_id < CAST(? AS TEXT)) AND rowid <= ? ORDER BY originator_id, originator_version LIMIT ?")
# By any other collation, type or encoding, what follows a key is not what Python takes to follow it.
_KEPT = ("SELECT i.name, i.coll, i.\"desc\", t.type FROM pragma_index_xinfo('sqlite_autoindex_stored_events_1') AS i "
         "JOIN pragma_table_xinfo('stored_events') AS t USING (cid) WHERE i.key ORDER BY i.seqno")
_AS_MADE = [("originator_id", "BINARY", 0, "TEXT"), ("originator_version", "BINARY", 0, "INTEGER")]
#: Before every version, and before every place.
FIRST = -2**63
_LAST = 2**63 - 1


class Range(NamedTuple):
    """The streams from ``low`` to before ``high`` (None: to the end), of so many rows, as of when the last place of one was
    ``last``: what is recorded later comes behind that.
    """

    low: str
    high: str | None
    rows: int
    last: int


def ranges(connection: sqlite3.Connection, size: int | None = None) -> list[Range] | None:
    """All rows in order, cut into ranges of ``size`` rows or somewhat more, no stream in two of them (None: one range).

    To be asked for within a transaction, which makes it one moment. None where the index does not give the order. Raises
    sqlite3.OperationalError where nothing can be read now: another process writes, or was killed while it did.
    """
    try:
        found = _by_index(connection, size) if _is_as_made(connection) else None
        return found[0] if found and found[1] == _of_table(connection) else None
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_READONLY")):
            raise
        return None  # such as that the index is damaged, or is none


def written(of: Range) -> bytes:
    """The range as bytes, for whoever reads it in another process."""
    return json.dumps(of).encode("ascii")


def as_written(held: bytes) -> Range:
    """The range that was written so."""
    return Range(*json.loads(held))


def following(connection: sqlite3.Connection, of: Range, after: tuple[str, int], size: int) -> list[tuple[int, str, int]]:
    """The next places in a range, each with the stream and version that is its key; up to ``size``, none at the end.

    ``after`` is the last key that was given; the low end and :data:`FIRST` to begin with.
    """
    stream, version = after
    high = None if of.high is None else of.high.encode("utf-8")
    return connection.execute(_NEXT, (stream.encode("utf-8"), version, high, high, of.last, size)).fetchall()


def _is_as_made(connection: sqlite3.Connection) -> bool:
    """Whether the index is over the key as casework makes it: by bytes of UTF-8, then by number."""
    return (connection.execute(_KEPT).fetchall() == _AS_MADE
            and connection.execute("PRAGMA encoding").fetchone() == ("UTF-8",))


def _by_index(connection: sqlite3.Connection, size: int | None) -> tuple[list[Range], int] | None:
    """What the index gives, and a sum over it that does not depend on the order: of Python's hash of each key as one text, which
    is keyed anew in every process, so that nobody can make another index that adds up. None where the keys do not come in order,
    one is of another type, or a row has the last place that there is, behind which nothing is recorded later.
    """
    total = count = 0
    last = FIRST
    cuts, before = [("", 0)], ("", FIRST)
    with closing(connection.execute(_BY_INDEX)) as cursor:
        for place, stream, version in cursor:
            if type(stream) is not str or type(version) is not int or not (stream.isascii() or _is_utf8(stream)):
                return None
            key = (stream, version)
            if key <= before or version == FIRST or place == _LAST:
                return None
            if size is not None and count - cuts[-1][1] >= size and stream != before[0]:
                cuts.append((stream, count))
            before = key
            count += 1
            total += hash((f"{place} {version} {stream}",))
            if place > last:
                last = place
    ends = [*cuts[1:], (None, count)]
    return [Range(low, high, end - begin, last) for (low, begin), (high, end) in zip(cuts, ends, strict=True)], total


def _of_table(connection: sqlite3.Connection) -> int:
    """The same sum over the table."""
    with closing(connection.execute(_OF_TABLE)) as cursor:
        return sum(map(hash, cursor))


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
