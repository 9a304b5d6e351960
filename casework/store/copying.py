"""From one store into another: the same rows under the same leaves in the same order, and so under the same roots.

What proves the history goes along with it: a leaf is over the stored bytes, so that a copy has the same leaves or is none. Only
who signs is another: the copy has a ledger of its own name and a journal of its own (``docs/bulk.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from casework.errors import Conflict, StoreError
from casework.store.contract import Reader
from casework.store.ledger import tree
from casework.store.ledger.entry import leaf
from casework.store.ledger.ledger import Head, Leaf, Ledger
from casework.store.row import Row
from casework.store.store import Store

#: How many leaves are copied in one commit.
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: how many leaves and events were added, how many leaves were there before, and the ledger of both."""

    leaves: int
    events: int
    there: int
    head: Head


def copy(source: Reader, store: Store, seen: Callable[[int], object] = lambda leaves: None) -> Copied:
    """Copy all that ``source`` holds now and ``store`` lacks, and hold the two against each other, leaf by leaf and byte by byte.

    A copy that was broken off goes on; one that is older takes what came since. ``seen`` is told how many more leaves were
    copied and compared. :class:`~casework.errors.Conflict` where the store holds anything else, or the source is not what its own
    ledger says; StoreError where it has no ledger.
    """
    book, size = _sound(source)
    with _reading(store) as target:
        there = _begin(book, size, target)
    seen(there)
    events = 0
    last: dict[str, bytes] = {}
    for start in range(there, size, PAGE):
        page = list(_page(source, book, start, min(start + PAGE, size), last))
        with store.writing():
            store.append_many([rows for _, rows in page])
        events += sum(len(rows) for _, rows in page)
        seen(len(page))
    with _reading(store) as target:
        return Copied(size - there, events, there, _compared(source, book, target, size, seen))


def refuse_unsound(source: Reader) -> None:
    """See that there is something to hold a copy against, before one is begun. Raises as :func:`copy`."""
    _sound(source)


def _sound(source: Reader) -> tuple[Ledger, int]:
    """The ledger of the source and its size now."""
    book = source.ledger()
    if source.format() < 2 or not book.is_there():
        raise StoreError(f"{source.name} has no ledger, by which a copy is proved; begin one: casework init --renew-ledger",
                         f"{source.name} 没有账本，无法证明副本；请先执行 casework init --renew-ledger")
    totals = source.totals()
    if totals.events != totals.covered:
        raise _altered(source, "", f"{totals.events} events, and {totals.covered} in its ledger",
                       f"有 {totals.events} 个事件，账本中有 {totals.covered} 个")
    return book, totals.leaves


def _begin(book: Ledger, size: int, target: Reader) -> int:
    """How many leaves are there already; all of them have to be the source's."""
    held = target.totals()
    if held.leaves > size or held.events != held.covered or target.ledger().root(held.leaves) != book.root(held.leaves):
        raise Conflict(f"{target.name} holds something else than the first {held.leaves} commits of the other; name a new store",
                       f"{target.name} 的内容不是所复制内容的前 {held.leaves} 次提交；请指定新的案件库")
    return held.leaves


def _page(source: Reader, book: Ledger, start: int, end: int, last: dict[str, bytes]) -> Iterator[tuple[Leaf, list[Row]]]:
    """The leaves from ``start`` to ``end`` and their rows, each leaf made anew; ``last`` holds each stream's last leaf as far as
    it was met.
    """
    for here, rows in zip(book.leaves(start, end), source.commits(start, end), strict=True):
        if here.stream not in last and here.first > 1 and (before := book.last(here.stream, here.number)) is not None:
            last[here.stream] = before.hash
        if not rows or leaf(last.get(here.stream), rows) != here.hash:
            raise _altered(source, here.stream, f"versions {here.first} to {here.last} are not what was recorded",
                           f"版本 {here.first} 至 {here.last} 不是所记录的内容")
        # A stream that is at its end is not met again; of many, only so much is kept.
        if len(last) > PAGE * 10:
            last.clear()
        last[here.stream] = here.hash
        yield here, rows


def _compared(source: Reader, book: Ledger, target: Reader, size: int, seen: Callable[[int], object]) -> Head:
    """The ledger of both, once every leaf of the target was made anew from its own rows and is the source's."""
    other, last, peaks = target.ledger(), dict[str, bytes](), dict[int, bytes]()
    for start in range(0, size, PAGE):
        end = min(start + PAGE, size)
        for (here, _), theirs in zip(_page(target, other, start, end, last), book.leaves(start, end), strict=True):
            if here != theirs:
                number = here.number
                raise Conflict(f"{target.name} has another leaf {number} than {source.name}; name a new store, and copy again",
                               f"{target.name} 的第 {number} 个叶子与 {source.name} 不同；请指定新的案件库重新复制")
            for node in list(tree.grown(here.number, here.hash, lambda level, _: peaks[level])):
                peaks[node.level] = node.hash
        seen(end - start)
    root = tree.root(lambda level, _: peaks[level], size)
    if not root == book.root(size) == other.root(size):
        raise Conflict(f"{target.name} and {source.name} have the same leaves and other roots; run casework audit on both",
                       f"{target.name} 与 {source.name} 叶子相同而树根不同；请对二者运行 casework audit")
    return Head(size, root)


def _reading(store: Store) -> AbstractContextManager[Reader]:
    if not store.kept:
        raise StoreError("a store in memory keeps no copy; name a file", "内存案件库无法保存副本；请指定文件")
    return store.reader()


def _altered(source: Reader, stream: str, en: str, zh: str) -> Conflict:
    what = f"{source.name} ({stream})" if stream else source.name
    return Conflict(f"{what} is not what its ledger says: {en}; run casework audit on it, and copy a backup",
                    f"{what} 与其账本不符：{zh}；请运行 casework audit，并从备份复制")
