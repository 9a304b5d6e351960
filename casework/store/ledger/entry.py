"""What a leaf of the ledger is made over: the entry of a commit, from the rows as they are stored (``docs/ledger.md``)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from casework.store.ledger.tree import leaf_hash
from casework.store.row import Row

FORM = "casework/entry/1"
_HEAD = 5  # of a field: type and length, before its bytes


def entry(previous: bytes | None, rows: Sequence[Row]) -> bytes:
    """The entry of the rows that one commit adds to one stream, by version; ``previous`` is the hash of the stream's leaf before.

    Made from what the columns hold, of whatever type, so that an altered row gives another entry and never an error.
    """
    events = hashlib.sha256()
    for row in rows:
        events.update(b"".join(map(field, row)))
    first, last = rows[0], rows[-1]
    payload = field(last.payload)[_HEAD:]
    return b"".join(map(field, (
        FORM, last.case, first.version, last.version, previous, events.digest(),
        last.topic, last.trigger, last.to_state, last.at, last.recorded_at, hashlib.sha256(payload).digest())))


def leaf(previous: bytes | None, rows: Sequence[Row]) -> bytes:
    """The hash of the leaf over these rows."""
    return leaf_hash(entry(previous, rows))


def field(value: object) -> bytes:
    """A value of SQLite as a field: type, length, bytes. The length before the bytes lets no two rows look the same."""
    match value:
        case None:
            kind, held = b"n", b""
        case int():
            kind, held = b"i", b"%d" % value
        case float():
            kind, held = b"f", repr(value).encode()
        case str():
            kind, held = b"t", value.encode("utf-8", "surrogateescape")
        case bytes():
            kind, held = b"b", value
        case _:
            raise TypeError(f"no value of SQLite: {type(value).__name__}")
    return kind + struct.pack(">I", len(held)) + held
