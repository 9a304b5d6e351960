"""The Merkle tree of RFC 9162, section 2.1, over nodes that are kept: growing it, its root, its proofs.

A tree of *n* leaves is made of perfect subtrees, each of which is a node ``(level, number)``: the one over the leaves from
``number << level`` on, ``1 << level`` of them; level 0 are the leaves. Whoever calls keeps these nodes, and hands in how to
get one. Nothing here is checked: what a proof shows, the verifier tells (:mod:`casework.verifier`), which shares no code with
this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

#: How to get the hash of a perfect subtree: by level and number.
Nodes = Callable[[int, int], bytes]
#: The root of a tree without leaves.
EMPTY = hashlib.sha256().digest()


class Node(NamedTuple):
    """A perfect subtree and its hash."""

    level: int
    number: int
    hash: bytes


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf with that entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over these two."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(size: int, leaf: bytes, nodes: Nodes) -> Iterator[Node]:
    """The perfect subtrees that a leaf completes when it is added to a tree of ``size`` leaves; the leaf itself is the first."""
    level, number, here = 0, size, leaf
    yield Node(level, number, here)
    while number & 1:
        here = node_hash(nodes(level, number - 1), here)
        level, number = level + 1, number >> 1
        yield Node(level, number, here)


class Frontier:
    """The right edge of a tree of ``size`` leaves: its largest perfect subtrees, from left to right. It is all that is needed to
    grow the tree and to tell its root, and has one hash for each bit that is set in ``size``.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks)}")
        self.size = size
        self.peaks = list(peaks)

    def add(self, leaf: bytes) -> list[Node]:
        """The perfect subtrees that this leaf completes; the leaf itself is the first."""
        level, number, here = 0, self.size, leaf
        made = [Node(level, number, here)]
        while number & 1:
            here = node_hash(self.peaks.pop(), here)
            level, number = level + 1, number >> 1
            made.append(Node(level, number, here))
        self.peaks.append(here)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root of the tree."""
        if not self.peaks:
            return EMPTY
        found = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            found = node_hash(peak, found)
        return found


def root(nodes: Nodes, size: int) -> bytes:
    """The root of the tree of the first ``size`` leaves."""
    return _over(nodes, 0, size) if size else EMPTY


def peaks(size: int) -> list[tuple[int, int]]:
    """The perfect subtrees that make up the tree of ``size`` leaves, by level and number, the largest first."""
    return [(level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1]


def inclusion(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The inclusion proof (2.1.3.1) of leaf ``index`` in the tree of ``size`` leaves, from the leaf's sibling upwards."""
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _half(end - start)
        if index < middle:
            path.append(_over(nodes, middle, end))
            end = middle
        else:
            path.append(_over(nodes, start, middle))
            start = middle
    return path[::-1]


def consistency(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """The consistency proof (2.1.4.1) between the trees of ``old`` and ``new`` leaves; empty where they are the same, or ``old``
    is 0.
    """
    if old in (0, new):
        return []
    start, end, whole, path = 0, new, True, []
    while old < end:
        middle = start + _half(end - start)
        if old <= middle:
            path.append(_over(nodes, middle, end))
            end = middle
        else:
            path.append(_over(nodes, start, middle))
            start, whole = middle, False
    return ([] if whole else [_over(nodes, start, end)]) + path[::-1]


def _over(nodes: Nodes, start: int, end: int) -> bytes:
    """The hash over the leaves from ``start`` to ``end``; ``start`` is where a subtree of that size may begin."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _half(count)
    return node_hash(_over(nodes, start, middle), _over(nodes, middle, end))


def _half(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)
