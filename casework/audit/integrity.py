"""Whether what is stored is what was recorded: the leaf of every commit over its stored bytes, the tree, the signed checkpoints.

The first thing that an audit asks, before any byte is deserialised. A leaf that does not fit names its commit; a tree that does
not lead to a signed root says that a history was rewritten whole; a checkpoint of more than there is says that the end is lost.
Forms: ``docs/ledger.md``; signatures and keys are verified by :mod:`casework.verifier`, which knows nothing of how they were
made.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

from casework.audit.findings import Fault, Finding, Line, findings_of, of_store, one_line, shown
from casework.audit.signed import Signed, mark
from casework.errors import StoreError
from casework.store.contract import Reader
from casework.store.ledger import tree
from casework.store.ledger.entry import leaf
from casework.store.ledger.ledger import OUTSIDE, Head, Leaf, Ledger
from casework.store.ledger.note import Checkpoint
from casework.store.row import Row

#: How many leaves are read at a time.
PAGE = 4096
#: How much is shown of what a store says of a ledger that was begun anew.
RENEWED = 500


class Cover:
    """The leaves of one stream, held against its rows as these go by, in order of version."""

    def __init__(self, leaves: Iterable[Leaf], before: Leaf | None = None) -> None:
        """``before`` is the stream's leaf before these, where they do not begin with its first."""
        self._leaves = iter(leaves)
        self._here: list[Row] = []
        self._before = before
        self._leaf = next(self._leaves, None)

    def take(self, row: Row) -> Iterator[Fault]:
        """What is wrong with this row, or with leaves that end before it."""
        number: object = row.version
        if not isinstance(number, int):
            yield _unledgered(row)
            return
        while self._leaf is not None and number > self._leaf.last:
            yield from self._lacking(self._leaf)
        if self._leaf is None or number < self._leaf.first:
            yield _unledgered(row)
            return
        self._here.append(row)
        if number == self._leaf.last:
            yield from self._closed(self._leaf)

    def end(self) -> Iterator[tuple[int, Fault]]:
        """What leaves there are for which rows are missing, each with the version that it begins with."""
        while self._leaf is not None:
            first = self._leaf.first
            for fault in self._lacking(self._leaf):
                yield first, fault

    def _closed(self, of: Leaf) -> Iterator[Fault]:
        """All rows of a leaf are there, or too few, or two of one version: the leaf over them tells."""
        yield from self._placed(of)
        made = leaf(self._before and self._before.hash, self._here)
        if made != of.hash:
            lacking = of.last - of.first + 1 - len(self._here)
            if lacking > 0:
                yield Fault("rows_missing", _over(of), Line(f"缺少其中 {lacking} 个事件；其余得出 {mark(made)}",
                                                            f"{lacking} of its events are missing; the rest give {mark(made)}"))
            else:
                yield Fault("leaf_differs", _over(of), Line(f"存储的字节得出另一个叶子 {mark(made)}",
                                                            f"the stored bytes give another leaf, {mark(made)}"))
        self._next(of)

    def _lacking(self, of: Leaf) -> Iterator[Fault]:
        yield from self._placed(of)
        yield Fault("rows_missing", _over(of), Line("所记录的事件缺失", "the events that it was made over are missing"))
        self._next(of)

    def _placed(self, of: Leaf) -> Iterator[Fault]:
        due = self._before.last + 1 if self._before else 1
        if of.first != due or of.last < of.first:
            yield Fault("leaf_misplaced", _over(of), Line(f"应从版本 {due} 开始", f"it should begin with version {due}"))

    def _next(self, of: Leaf) -> None:
        self._before, self._here = of, []
        self._leaf = next(self._leaves, None)


def is_covered(rows: Sequence[Row], leaves: Iterable[Leaf]) -> bool:
    """Whether :class:`Cover` would find nothing: leaf follows leaf, each over the rows that it says, and no row is left over."""
    end, before = 0, None
    for here in leaves:
        begin, end = end, here.last
        if here.first != begin + 1 or not begin < end <= len(rows) or leaf(before, rows[begin:end]) != here.hash:
            return False
        before = here.hash
    return end == len(rows) and all(type(row.version) is int for row in rows) and [row.version for row in rows] == [
        *range(1, end + 1)]


@dataclass(slots=True)
class Drawn:
    """What came of reading leaves by stream, and so by an index: how many, a sum over them that the table is held against, how
    many were unusable, and the findings of streams of which no row is left.
    """

    leaves: int = 0
    marks: int = 0
    odd: int = 0
    gone: list[Finding] = field(default_factory=list)

    def with_(self, other: Drawn) -> Drawn:
        """Those of both."""
        return Drawn(self.leaves + other.leaves, self.marks + other.marks, self.odd + other.odd, [*self.gone, *other.gone])


@dataclass(slots=True)
class Integrity:
    """The ledger of a store of ``size`` leaves, and what was signed of it outside; one an audit."""

    ledger: Ledger
    size: int
    outside: Signed | None = None
    #: A checkpoint that somebody kept, and that the store contains: what was recorded before it need not be judged again.
    since: Checkpoint | None = None
    #: One that it does not contain.
    not_contained: Checkpoint | None = None
    format: int = 2
    #: What came of the leaves by stream; None where not all of them are read so.
    drawn: Drawn | None = None
    _merged: Iterator[tuple[object, list[Leaf]]] | None = None
    _ahead: tuple[object, list[Leaf]] | None = None
    _kept: bool | None = None

    @property
    def is_kept(self) -> bool:
        """Whether there are leaves to hold the rows against; looked up once."""
        if self._kept is None:
            self._kept = self.format >= 2 and self.ledger.is_there()
        return self._kept

    @classmethod
    def of(cls, reader: Reader, size: int, outside: Signed | None = None, kept: Checkpoint | None = None, *,
           whole: bool) -> Integrity:
        """That of a store as it was with ``size`` leaves: for an audit of the ``whole``, or of some streams.

        For a whole one, leaves are read along with the rows, by stream, and only those of one stream are held.
        """
        made = cls(reader.ledger(), size, outside, format=reader.format())
        if kept is not None:
            made._keep(kept)
        if whole and made.is_kept:
            made._draw(None, None)
        return made

    @classmethod
    def of_part(cls, reader: Reader, size: int, kept: Checkpoint | None, low: object, high: object) -> Integrity:
        """For the streams from ``low`` to before ``high``; what it has :attr:`drawn` goes to :meth:`finished` of the whole's."""
        made = cls(reader.ledger(), size, since=kept, format=reader.format())
        if made.is_kept:
            made._draw(low, high)
        return made

    def _draw(self, low: object, high: object) -> None:
        self.drawn = Drawn()
        self._merged = self._streams(low, high)
        self._ahead = next(self._merged, None)

    def _keep(self, kept: Checkpoint) -> None:
        try:
            contained = self.is_kept and kept.size <= self.size and self.ledger.root(kept.size) == kept.root
        except StoreError:
            contained = False  # nodes are gone, which the tree tells
        self.since, self.not_contained = (kept, None) if contained else (None, kept)

    def held(self, stream: object, rows: Iterable[Row], found: list[Finding]) -> Iterator[Row]:
        """The rows of that stream, as they are; what the ledger says against them is added to ``found`` as they go by."""
        leaves = self._leaves(stream)
        if leaves is None or (isinstance(rows, list) and is_covered(rows, leaves)):
            yield from rows
            return
        cover = Cover(leaves)
        for row in rows:
            number: object = row.version
            found += findings_of(row.case, number if type(number) is int else 0, cover.take(row), row)
            yield row
        for version, fault in cover.end():
            found += findings_of(stream, version, [fault])

    def proved(self, stream: str) -> tuple[int, int]:
        """Up to which version the kept checkpoint covers the stream, 0 where there is none, and which its last leaf does."""
        if self.since is None or not isinstance(stream, str):
            return 0, 0
        before, last = (self.ledger.last(stream, size) for size in (self.since.size, self.size))
        return tuple(leaf.last if leaf and type(leaf.last) is int else 0 for leaf in (before, last))  # type: ignore[return-value]

    def _leaves(self, stream: object) -> list[Leaf] | None:
        """The leaves over that stream; None where the store keeps none."""
        if not self.is_kept:
            return None
        if self._merged is None:
            return list(self._sound(self.ledger.of_stream(stream, self.size)))
        while self._ahead is not None and _order(self._ahead[0]) < _order(stream):
            self._gone(*self._ahead)
            self._ahead = next(self._merged, None)
        if self._ahead is not None and self._ahead[0] == stream and type(self._ahead[0]) is type(stream):
            leaves, self._ahead = self._ahead[1], next(self._merged, None)
            return leaves
        return []

    def _sound(self, leaves: Iterable[Leaf]) -> Iterator[Leaf]:
        """Those whose fields are of the types that a ledger writes; the others are told of in the end."""
        drawn = self.drawn or Drawn()
        for here in leaves:
            drawn.leaves += 1
            drawn.marks += _mark(here)
            if type(here.first) is int and type(here.last) is int and isinstance(here.hash, bytes):
                yield here
            else:
                drawn.odd += 1

    def _gone(self, stream: object, leaves: list[Leaf]) -> None:
        assert self.drawn is not None
        for version, fault in Cover(leaves).end():
            self.drawn.gone += findings_of(stream, version, [fault])

    def finished(self, parts: Iterable[Drawn] = ()) -> Drawn | None:
        """All that was drawn by stream, behind the last row: here, or in the parts that the store was cut into."""
        if self._merged is not None:
            for stream, leaves in (*([self._ahead] if self._ahead else ()), *self._merged):
                self._gone(stream, leaves)
            self._merged = self._ahead = None
        for part in parts:
            self.drawn = part if self.drawn is None else self.drawn.with_(part)
        return self.drawn

    def rest(self) -> Iterator[Finding]:
        """After the rows: the streams that are gone whole, the tree, and what was signed."""
        drawn = self.finished()
        if drawn is not None:
            yield from drawn.gone
            if drawn.odd or drawn.leaves != self.size:
                yield of_store("leaf_misplaced",
                               Line(f"账本的 {drawn.leaves} 个叶子", f"the {drawn.leaves} leaves of the ledger"),
                               Line(f"应有 {self.size} 个，其中 {drawn.odd} 个无法使用",
                                    f"{self.size} were due, and {drawn.odd} are unusable"))
        for fault in self._of_store():
            yield of_store(*fault)

    def _of_store(self) -> Iterator[Fault]:
        outside = self.outside
        if self.format < 2 and outside is None:
            yield Fault("no_ledger", Line("本库没有账本", "the store has no ledger"),
                        Line("它建于有账本之前", "it was made before there were ledgers"))
            return
        meta = self.ledger.meta() if self.is_kept else {}
        if not self.is_kept:
            yield Fault("ledger_missing", Line("账本的表不见了", "the tables of the ledger are not there"),
                        Line("建在此处的案件库有账本", "the store that was made here has a ledger"))
        if (kept := self.not_contained) is not None:
            yield Fault("tail_lost" if kept.size > self.size else "checkpoint_differs",
                        Line(f"给出的检查点有 {kept.size} 个叶子", f"the checkpoint that was given, of {kept.size} leaves"),
                        Line(f"有 {self.size} 个叶子的账本不含它", f"is not contained in the ledger of {self.size}"))
        if outside is not None:
            yield from outside.faults(meta.get("origin"))
            if self.is_kept and meta.get("journal") != OUTSIDE:
                said, place = shown(meta.get("journal")), shown(str(outside.place))
                yield Fault("journal_denied", Line(f"库中所述：{said}", f"it says: {said}"),
                            Line(f"为它建立的日志在 {place}", f"the journal that was begun for it is at {place}"))
        elif meta.get("journal") == OUTSIDE:
            yield Fault("journal_missing", Line(f"账本 {shown(meta.get('origin'))}", f"ledger {shown(meta.get('origin'))}"),
                        Line("没有找到它的库外日志", "its journal outside was not found"))
        else:
            yield Fault("no_journal", Line("本库没有库外日志", "the store keeps no journal outside"),
                        Line("整体改写或丢失末尾无从发现", "a history rewritten whole, or a lost end, could not be found"))
        yield from self._renewed(meta.get("renewed"))
        if self.is_kept:
            yield from self._tree(outside if outside is not None and outside.is_usable else None)

    def _renewed(self, said: str | None) -> Iterator[Fault]:
        """That the ledger was begun anew, as its journal has signed, or else as the store says."""
        signed = self.outside.renewed() if self.outside is not None else None
        if (told := signed or said) is not None:
            why = one_line(told[:RENEWED])
            yield Fault("ledger_renewed", Line(f"账本另起过：{why}", f"the ledger was begun anew: {why}"),
                        Line("此前的记录自那时起才有证明", "what was recorded before is proved from then on only"))
        if signed is not None and signed != said:
            yield Fault("renewal_denied", Line(f"库中所述：{shown(said)}", f"the store says: {shown(said)}"),
                        Line("与日志所签的另起缘由不同", "which is not what its journal has signed of it"))

    def _tree(self, outside: Signed | None) -> Iterator[Fault]:
        """The tree over the stored leaves, the nodes kept beside it, and its root at each size that was signed."""
        nodes: dict[int, Iterator[tuple[Any, ...]]] = {}
        peaks: dict[int, bytes] = {}
        wrong = size = drawn = 0
        odd = hashlib.sha256()
        differs: list[Head] = []
        checkpoints = outside.checkpoints() if outside else iter(())
        due = next(checkpoints, None)
        for here in self._numbered():
            if here.number != size or not isinstance(here.hash, bytes):
                break
            drawn += _mark(here)
            # All of them first: each is over the last of its level, which it then replaces.
            for node in list(tree.grown(size, here.hash, lambda level, _: peaks[level])):
                peaks[node.level] = node.hash
                if node.level:
                    kept = next(nodes.setdefault(node.level, self._nodes(node.level)), None)
                    if kept != node:
                        wrong += 1
                        odd.update(repr((node.level, kept)).encode())
            size += 1
            while due is not None and due.size <= size:
                here_root = _root(peaks, size) if due.size == size else tree.EMPTY
                if due.root != here_root:
                    differs.append(Head(due.size, here_root))
                due = next(checkpoints, None)
        deque(checkpoints, maxlen=0)
        for left in chain.from_iterable(nodes.values()):
            wrong += 1
            odd.update(repr(left).encode())
        if size != self.size:
            yield Fault("leaf_misplaced", Line(f"账本应有 {self.size} 个叶子", f"the ledger should have {self.size} leaves"),
                        Line(f"只有前 {size} 个连续可读", f"only the first {size} follow one another and can be read"))
        elif self.drawn is not None and drawn != self.drawn.marks:
            yield Fault("leaf_misplaced", Line("账本的索引", "the index over the ledger"),
                        Line("与叶子的表不一致", "is not that of the table of leaves"))
        elif wrong:
            yield Fault("tree_differs", Line(f"{wrong} 个存储的节点", f"{wrong} stored nodes"),
                        Line(f"不是由叶子得出的（{mark(odd.digest())}）", f"are not what the leaves give ({mark(odd.digest())})"))
        if outside is not None:
            root = _root(peaks, size) if size else tree.EMPTY
            yield from outside.against(size, root, differs, self._recorded_meanwhile, self.ledger.signed())

    def _recorded_meanwhile(self, signed: Checkpoint) -> bool:
        """Whether the store by now has what was signed: others go on recording while it is audited."""
        try:
            return signed.size <= self.ledger.size() and self.ledger.root(signed.size) == signed.root
        except StoreError:
            return False

    def _numbered(self) -> Iterator[Leaf]:
        for start in range(0, self.size, PAGE):
            yield from self.ledger.leaves(start, min(start + PAGE, self.size))

    def _nodes(self, level: int) -> Iterator[tuple[Any, ...]]:
        end = self.size >> level
        for start in range(0, end, PAGE):
            yield from self.ledger.nodes(level, start, min(start + PAGE, end))

    def _streams(self, low: object, high: object) -> Iterator[tuple[object, list[Leaf]]]:
        leaves: list[Leaf] = []
        for here in self._sound(self.ledger.by_stream(self.size, PAGE, low, high)):
            if leaves and (type(leaves[0].stream), leaves[0].stream) != (type(here.stream), here.stream):
                yield leaves[0].stream, leaves
                leaves = []
            leaves.append(here)
        if leaves:
            yield leaves[0].stream, leaves


def _mark(here: Leaf) -> int:
    """A number that stands for all that a leaf says, and is the same in every process."""
    return zlib.crc32(repr(here).encode("utf-8", "surrogatepass"))


def _over(of: Leaf) -> Line:
    return Line(f"版本 {of.first}–{of.last} 的叶子 {of.number}", f"leaf {of.number} over versions {of.first} to {of.last}")


def _root(peaks: dict[int, bytes], size: int) -> bytes:
    """The root over perfect subtrees, of each level the last."""
    levels = [level for level in range(size.bit_length()) if size >> level & 1]
    found = peaks[levels[0]]
    for _, level in pairwise(levels):
        found = tree.node_hash(peaks[level], found)
    return found


def _unledgered(row: Row) -> Fault:
    return Fault("row_unledgered", Line(f"版本 {shown(row.version)}", f"version {shown(row.version)}"),
                 Line("没有叶子涵盖它：不是由命令写入的", "no leaf covers it: it was not written by a command"))


def _order(stream: object) -> tuple[int, object]:
    """The order in which SQLite gives values of any type."""
    if stream is None:
        return 0, 0
    if isinstance(stream, int | float):
        return 1, stream
    return (2, stream.encode("utf-8", "surrogateescape")) if isinstance(stream, str) else (3, stream)
