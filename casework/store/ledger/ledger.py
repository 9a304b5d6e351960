"""The ledger inside the store: a leaf a commit and stream, the nodes of the tree, who it is; all written in the events' own
transaction.

The tables are asked through a function, so that the recorder, within its transaction, and the reader share this. Forms:
``docs/ledger.md``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from casework.errors import StoreError, UnknownCase
from casework.store.ledger import tree
from casework.store.ledger.entry import entry, leaf
from casework.store.row import Row

CREATE = (
    """
CREATE TABLE ledger_leaves (
    number INTEGER PRIMARY KEY,
    originator_id TEXT NOT NULL,
    first_version INTEGER NOT NULL,
    last_version INTEGER NOT NULL,
    leaf BLOB NOT NULL
)
""",
    "CREATE INDEX ledger_by_stream ON ledger_leaves (originator_id, number)",
    "CREATE TABLE ledger_nodes (level INTEGER, number INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, number)) WITHOUT ROWID",
    "CREATE TABLE ledger_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
DROP = tuple(f"DROP TABLE IF EXISTS ledger_{name}" for name in ("leaves", "nodes", "meta"))
PUT_META = "INSERT OR REPLACE INTO ledger_meta VALUES (?, ?)"
#: The two things a store may say of its journal.
OUTSIDE, NONE = "outside", "none"

#: Asks the store: a statement and its values; the rows.
Ask = Callable[..., Sequence[Sequence[Any]]]
#: Has the store do a statement once for each of these rows of values.
Put = Callable[[str, Sequence[Sequence[Any]]], object]

_COLUMNS = "number, originator_id, first_version, last_version, leaf"
_SHAPE = {
    "ledger_leaves": ("number", "originator_id", "first_version", "last_version", "leaf"),
    "ledger_nodes": ("level", "number", "hash"),
    "ledger_meta": ("name", "value"),
}
_SIZE = "SELECT coalesce(max(number) + 1, 0) FROM ledger_leaves"
_LEAF = "SELECT leaf FROM ledger_leaves WHERE number = ?"
_NODE = "SELECT hash FROM ledger_nodes WHERE level = ? AND number = ?"
_LAST = "SELECT " + _COLUMNS + " FROM ledger_leaves WHERE originator_id = {} AND number < ? ORDER BY number DESC LIMIT 1"
_COVERING = ("SELECT " + _COLUMNS + " FROM ledger_leaves WHERE originator_id = {} AND first_version <= ? "
             "AND last_version >= ? ORDER BY number LIMIT 1")
_NODES = "SELECT level, number, hash FROM ledger_nodes WHERE level = ? AND number >= ? AND number < ? ORDER BY number"
_OF_STREAM = "SELECT " + _COLUMNS + " FROM ledger_leaves WHERE originator_id = {} AND number < ? ORDER BY number"
_BY_STREAM = f"SELECT {_COLUMNS} FROM ledger_leaves WHERE %snumber < ? ORDER BY originator_id, number LIMIT ?"
#: From one stream on; on from a leaf of one; before one, among them, where there is no first, those that somebody made NULL.
_FROM, _ON = "originator_id >= {} AND ", "(originator_id, number) > ({}, ?) AND "
_BEFORE, _FIRST = "originator_id < {} AND ", "(originator_id < {} OR originator_id IS NULL) AND "
_PUT_LEAF = "INSERT INTO ledger_leaves VALUES (?, ?, ?, ?, ?)"
_PUT_NODE = "INSERT INTO ledger_nodes VALUES (?, ?, ?)"
#: How many leaves are added at a time to a ledger that is begun over what there is.
_PAGE = 1000


class Leaf(NamedTuple):
    """A leaf as the store keeps it: its number in the tree, from 0, and what it covers."""

    number: int
    stream: str
    first: int
    last: int
    hash: bytes


class Head(NamedTuple):
    """How many leaves the tree has, and its root."""

    size: int
    root: bytes


class Known(NamedTuple):
    """A ledger as it stands: its head, and the perfect subtrees that make up its tree, by level and number."""

    head: Head
    peaks: dict[tuple[int, int], bytes]


def by_stream(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each stream, in the order in which the streams come up."""
    streams: dict[str, list[Row]] = {}
    for row in rows:
        streams.setdefault(row.case, []).append(row)
    return list(streams.values())


class Ledger:
    """The ledger of a store, asked through ``ask`` and added to through ``put``.

    What is asked of an altered one may raise StoreError.
    """

    def __init__(self, ask: Ask, put: Put | None = None, known: Known | None = None) -> None:
        """``known`` is what whoever asks knows of it already, and that nobody else has written since."""
        self._ask = ask
        self._put = put or (lambda sql, rows: [ask(sql, *row) for row in rows])
        self._known = known

    def is_there(self) -> bool:
        """Whether all of its tables are, with their columns."""
        return all(tuple(row[1] for row in self._ask(f"PRAGMA table_info({name})")) == columns for name,
                   columns in _SHAPE.items())

    def signed(self) -> str | None:
        """The note by which the store itself says who recorded its last commit; None where it keeps none.

        A store that many machines write to keeps one, since the journal of each has only what that one signed.
        """
        return None

    def meta(self) -> dict[str, str]:
        """What the store says of itself: ``origin``, ``journal``, and, where it was begun anew, ``renewed``."""
        return {str(name): str(value) for name, value in self._ask("SELECT name, value FROM ledger_meta")}

    def size(self) -> int:
        """How many leaves there are."""
        return self._known.head.size if self._known else int(self._ask(_SIZE)[0][0])

    def head(self) -> Head:
        """The tree as it stands."""
        size = self.size()
        return Head(size, self.root(size))

    def root(self, size: int) -> bytes:
        """The root of the tree of the first ``size`` leaves, as the stored nodes have it."""
        return tree.root(self.node, size)

    def node(self, level: int, number: int) -> bytes:
        """The hash of a perfect subtree."""
        if self._known and (held := self._known.peaks.get((level, number))):
            return held
        found = self._ask(_NODE, level, number) if level else self._ask(_LEAF, number)
        if not found or not isinstance(found[0][0], bytes):
            raise StoreError(f"the ledger lacks node {number} of level {level}; audit the store, and restore a backup",
                             f"账本缺少第 {level} 层第 {number} 个节点；请审计案件库并恢复备份")
        return bytes(found[0][0])

    def last(self, stream: str, before: int = 2**62) -> Leaf | None:
        """The stream's last leaf among the first ``before`` leaves."""
        return _leaf(self._ask(*_of(_LAST, stream), before))

    def covering(self, stream: str, version: int) -> Leaf | None:
        """The leaf of the commit that recorded that version."""
        return _leaf(self._ask(*_of(_COVERING, stream), version, version))

    def leaves(self, start: int, end: int) -> list[Leaf]:
        """The leaves from number ``start`` to ``end``."""
        return [Leaf(*row) for row in self._ask(
            f"SELECT {_COLUMNS} FROM ledger_leaves WHERE number >= ? AND number < ? ORDER BY number", start, end)]

    def nodes(self, level: int, start: int, end: int) -> list[tuple[Any, ...]]:
        """The kept nodes of a level from number ``start`` to ``end``, as level, number and hash.

        A damaged table may give a row in the place of another, so that what the row says is not what was asked for.
        """
        return [tuple(row) for row in self._ask(_NODES, level, start, end)]

    def of_stream(self, stream: object, size: int) -> list[Leaf]:
        """The stream's leaves among the first ``size``."""
        return [Leaf(*row) for row in self._ask(*_of(_OF_STREAM, stream), size)]

    def by_stream(self, size: int, page: int, low: object = None, high: object = None) -> Iterator[Leaf]:
        """The first ``size`` leaves by stream, so many read at a time; of those from ``low`` to before ``high``."""
        start, *since = ("",) if low is None else _of(_FROM, low)
        first, *end = ("",) if high is None else _of(_FIRST if low is None else _BEFORE, high)
        before = "" if high is None else _of(_BEFORE, high)[0]
        rows = self._ask(_BY_STREAM % (start + first), *since, *end, size, page)
        while rows:
            yield from (Leaf(*row) for row in rows)
            on, last = _of(_ON, rows[-1][1])
            rows = self._ask(_BY_STREAM % (on + before), last, rows[-1][0], *end, size, page)

    def append_many(self, commits: Sequence[Sequence[Row]]) -> Head:
        """Add a leaf over each of these, each of rows of one stream, within their transaction; the tree as it then stands."""
        streams = dict.fromkeys(rows[0].case for rows in commits)
        return self._grow(commits, {stream: last.hash for stream in streams if (last := self.last(stream))})

    def _grow(self, commits: Iterable[Sequence[Row]], last: dict[str, bytes]) -> Head:
        """Add a leaf over each of these; the tree as it then stands. ``last`` is kept up: each stream's last leaf."""
        size = self.size()
        leaves: list[Leaf] = []
        made: dict[tuple[int, int], bytes] = {}

        def node(level: int, number: int) -> bytes:
            return made.get((level, number)) or self.node(level, number)

        for rows in commits:
            stream = rows[0].case
            new = Leaf(size, stream, rows[0].version, rows[-1].version, leaf(last.get(stream), rows))
            leaves.append(new)
            last[stream] = new.hash
            for level, number, digest in tree.grown(size, new.hash, node):
                made[level, number] = digest
            size += 1
        self._put(_PUT_LEAF, leaves)
        self._put(_PUT_NODE, [(level, number, digest) for (level, number), digest in made.items() if level])
        head = Head(size, tree.root(node, size))
        self._known = Known(head, {peak: node(*peak) for peak in tree.peaks(size)})
        return head

    @property
    def known(self) -> Known | None:
        """What is known of it after it was added to."""
        return self._known

    def found(self, meta: dict[str, str], commits: Iterable[list[Row]]) -> Head:
        """Begin the ledger anew, within a transaction, over these commits of single streams; what was there of one is dropped."""
        self._known = None
        for statement in (*DROP, *CREATE):
            self._ask(statement)
        for item in meta.items():
            self._ask(PUT_META, *item)
        last: dict[str, bytes] = {}
        left = iter(commits)
        while page := list(islice(left, _PAGE)):
            self._grow(page, last)
        return self.head()


def entry_of(ledger: Ledger, rows: Iterable[Row], of: Leaf) -> bytes:
    """The entry that the leaf is over, from the rows of its stream."""
    before = ledger.last(of.stream, of.number)
    return entry(before and before.hash, [row for row in rows if of.first <= row.version <= of.last])


def receipt(ledger: Ledger, rows: Sequence[Row], checkpoint: str, size: int, version: int | None = None, *,
            with_event: bool = False) -> tuple[Leaf, bytes]:
    """The receipt of a case's commit under a signed checkpoint of ``size`` leaves: that of its last, or of the one that recorded
    ``version``.

    ``rows`` are all rows of the case. :class:`~casework.errors.UnknownCase` where the checkpoint covers no such commit.
    """
    case = rows[0].case
    found = ledger.last(case, size) if version is None else ledger.covering(case, version)
    if found is None or found.number >= size:
        raise UnknownCase(f"the journal's last checkpoint covers no version {version or ''} of '{case}'; "
                          f"see casework history {case}",
                          f"日志的最后检查点不含“{case}”的版本 {version or ''}；见 casework history {case}")
    held = entry_of(ledger, rows, found)
    extra = b"\x01" + len(held).to_bytes(4, "big") + held
    if with_event:
        extra += next(row.payload for row in rows if row.version == found.last)
    lines = ["c2sp.org/tlog-proof@v1", f"extra {_base64(extra)}", f"index {found.number}",
             *map(_base64, tree.inclusion(ledger.node, found.number, size)), "", checkpoint]
    return found, "\n".join(lines).encode()


def proof_lines(ledger: Ledger, old: int, new: int) -> Iterator[str]:
    """The consistency proof between two sizes, a hash a line."""
    return map(_base64, tree.consistency(ledger.node, old, new))


def _of(sql: str, stream: object) -> tuple[str, object]:
    """The statement about a stream, and what is bound in it: a text that somebody made no UTF-8 goes as its bytes."""
    if isinstance(stream, str) and not stream.isascii():
        try:
            stream.encode()
        except UnicodeEncodeError:
            return sql.format("CAST(? AS TEXT)"), stream.encode("utf-8", "surrogateescape")
    return sql.format("?"), stream


def _leaf(rows: Sequence[Sequence[Any]]) -> Leaf | None:
    return Leaf(*rows[0]) if rows else None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
