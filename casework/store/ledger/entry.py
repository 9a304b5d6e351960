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
#: The field of a time of sixteen digits, in microseconds: of the years 2001 to 2286.
_TIME, _EARLY, _LATE = b"i\x00\x00\x00\x10%d", 10**15, 10**16
_HEAD = 5  # of a field: type and length, before its bytes


def entry(previous: bytes | None, rows: Sequence[Row]) -> bytes:
    """The entry of the rows that one commit adds to one stream, by version; ``previous`` is the hash of the stream's leaf before.

    Made from what the columns hold, of whatever type, so that an altered row gives another entry and never an error.
    """
    first, last = rows[0], rows[-1]
    case = field(first.case)
    known = _WORDS.get
    held: list[bytes] = []
    for stream, version, topic, payload, trigger, source, target, at, recorded_at in rows:
        when = _TIME % at if type(at) is int and _EARLY <= at < _LATE else field(at)
        held.append(b"".join((
            case if stream is first.case else field(stream),
            _VERSIONS[version] if type(version) is int and 0 <= version < len(_VERSIONS) else field(version),
            known(topic) or _word(topic), field(payload),
            known(trigger) or _word(trigger), known(source) or _word(source), known(target) or _word(target),
            when, when if recorded_at is at else field(recorded_at))))
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
        return b"b" + _LENGTH(len(value)) + value
    if isinstance(value, int):
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


#: The fields of the versions that most events have.
_VERSIONS = [field(number) for number in range(200)]
