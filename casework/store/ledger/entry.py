"""What a leaf of the ledger is made over: the entry of a commit, from the rows as they are stored (``docs/ledger.md``)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from functools import lru_cache

from casework.store.ledger.tree import leaf_hash
from casework.store.row import Row

FORM = "casework/entry/1"
_LENGTH = struct.Struct(">I").pack
_LONGEST_WORD = 64
_HEAD = 5  # of a field: type and length, before its bytes


def entry(previous: bytes | None, rows: Sequence[Row]) -> bytes:
    """The entry of the rows that one commit adds to one stream, by version; ``previous`` is the hash of the stream's leaf before.

    Made from what the columns hold, of whatever type, so that an altered row gives another entry and never an error.
    """
    events = hashlib.sha256()
    case = field(rows[0].case)
    for row in rows:
        stream, version, topic, payload, trigger, source, target, at, recorded_at = row
        events.update(b"".join((
            case if stream is rows[0].case else field(stream), field(version), _word(topic), field(payload), _word(trigger),
            _word(source), _word(target), field(at), field(recorded_at))))
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
    if isinstance(value, bytes):
        kind, held = b"b", value
    elif isinstance(value, int):
        kind, held = b"i", b"%d" % value
    elif isinstance(value, str):
        kind, held = b"t", value.encode("utf-8", "surrogateescape")
    elif value is None:
        kind, held = b"n", b""
    elif isinstance(value, float):
        kind, held = b"f", repr(value).encode()
    else:
        raise TypeError(f"no value of SQLite: {type(value).__name__}")
    return kind + _LENGTH(len(held)) + held


def _word(value: object) -> bytes:
    """The field of what is mostly one of a few words: a topic, a trigger, a state."""
    return _known_word(value) if value is None or (isinstance(value, str) and len(value) < _LONGEST_WORD) else field(value)


@lru_cache(1024)
def _known_word(value: str | None) -> bytes:
    return field(value)
