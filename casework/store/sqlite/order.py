"""All rows in the order of their streams without a list of them: by the index, where that gives what the table has.

A list of ten million places, and what SQLite sorts them in, would be most of what an audit keeps in memory. The index has the
order already; but it may be damaged or altered, and must not hide a row from the audit. So it is gone through once, and held
against the table by a sum over what both give. Where they differ, or the index cannot be read, there is no order to be had here.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_INDEX = "stored_events INDEXED BY sqlite_autoindex_stored_events_1"
_KEY = "rowid, originator_id, originator_version"
_BY_INDEX = f"SELECT {_KEY} FROM {_INDEX} ORDER BY originator_id, originator_version"
# The table itself, not the index over it.
_OF_TABLE = f"SELECT {_KEY} FROM stored_events NOT INDEXED"
_NEXT = (f"SELECT {_KEY} FROM {_INDEX} WHERE (originator_id, originator_version) > (CAST(? AS TEXT), ?) AND rowid <= ? "
         "ORDER BY originator_id, originator_version LIMIT ?")
#: Before every stream that has a name, and every version.
BEFORE = ("", -2**63)


@dataclass(frozen=True, slots=True)
class Order:
    """How many rows there were when it was looked, and the last place of one: what is recorded later comes behind that."""

    count: int
    last: int


def order(connection: sqlite3.Connection) -> Order | None:
    """The order of all rows as of one moment, to be asked for within a transaction; None where the index does not give it."""
    try:
        found = _by_index(connection)
        return found[0] if found and found[1] == _of_table(connection) else None
    except (sqlite3.Error, UnicodeDecodeError):
        return None  # such as that the index is damaged, or is none


def following(connection: sqlite3.Connection, of: Order, after: tuple[str, int], size: int) -> list[tuple[int, str, int]]:
    """The next places in that order, each with the stream and version that is its key; up to ``size``, none at the end."""
    stream, version = after
    return connection.execute(_NEXT, (stream.encode("utf-8"), version, of.last, size)).fetchall()


def _by_index(connection: sqlite3.Connection) -> tuple[Order, int] | None:
    """What the index gives, and a sum over it that does not depend on the order: of Python's hash of each key, which nobody
    outside this process can foresee. None where the keys do not come in order, or one is of another type.
    """
    count = total = last = 0
    before = BEFORE
    for row in connection.execute(_BY_INDEX):
        place, stream, version = row
        if type(stream) is not str or type(version) is not int or not (stream.isascii() or _is_utf8(stream)):
            return None
        key = (stream, version)
        if key <= before:
            return None
        before = key
        count += 1
        total += hash(row)
        if place > last:
            last = place
    return Order(count, last), total


def _of_table(connection: sqlite3.Connection) -> int:
    """The same sum over the table."""
    return sum(map(hash, connection.execute(_OF_TABLE)))


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
