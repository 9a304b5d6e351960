"""What a leaf of the ledger is made over: the entry of a commit, from the rows as they are stored (``docs/ledger.md``)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from casework.store.ledger.tree import leaf_hash
from casework.store.row import Row

FORM = "casework/entry/1"
_LENGTH = struct.Struct(">I").pack
#: The fields of words that were met before. A store that somebody altered may hold any, so that only so much is kept.
_WORDS: dict[object, bytes] = {}
_LONGEST_WORD, _MOST_WORDS = 80, 1000
_HEAD = 5  # of a field: type and length, before its bytes


def entry(previous: bytes | None, rows: Sequence[Row]) -> bytes:
    """The entry of the rows that one commit adds to one stream, by version; ``previous`` is the hash of the stream's leaf before.

    Made from what the columns hold, of whatever type, so that an altered row gives another entry and never an error.
    """
    first, last = rows[0], rows[-1]
    case = field(first.case)
    held: list[bytes] = []
    for stream, version, topic, payload, trigger, source, target, at, recorded_at in rows:
        when = field(at)
        held += (case if stream is first.case else field(stream), field(version), _WORDS.get(topic) or _word(topic))
        # The payload is not copied: it is most of all there is.
        held += (b"b", _LENGTH(len(payload)), payload) if type(payload) is bytes else (field(payload),)
        held += (_WORDS.get(trigger) or _word(trigger), _WORDS.get(source) or _word(source), _WORDS.get(target) or _word(target),
                 when, when if recorded_at is at else field(recorded_at))
    events = hashlib.sha256(b"".join(held))
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
    """The field of what is mostly one of a few words: a topic, a trigger, a state, or none."""
    made = field(value)
    if (value is None or type(value) is str) and len(made) < _LONGEST_WORD and len(_WORDS) < _MOST_WORDS:
        _WORDS[value] = made
    return made
