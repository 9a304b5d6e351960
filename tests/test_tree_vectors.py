"""The tree of the ledger, by every implementation there is: the published vectors, and all small trees against the definition."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import second_verifier
from hypothesis import given
from hypothesis import strategies as st
from ledger_helpers import EMPTY, consistency, inclusion, leaf_of, root_of

from casework import verifier
from casework.store.ledger import tree as store_tree

#: The test vectors of github.com/transparency-dev/merkle (Apache-2.0), as they are, in one file.
VECTORS = Path(__file__).parent / "data" / "merkle_vectors.json.gz"


class Tree(NamedTuple):
    """What verifies a proof, and raises ValueError where it does not hold."""

    inclusion: Callable[[bytes, int, int, Sequence[bytes], bytes], Any]
    consistency: Callable[[int, int, bytes, bytes, Sequence[bytes]], Any]


TREES = {"verifier": Tree(verifier.verify_inclusion, verifier.verify_consistency),
         "second": Tree(second_verifier.check_inclusion, second_verifier.check_consistency)}

LEAVES = [leaf_of(b"%d" % n) for n in range(131)]
# Of the published vectors, a few whose figures are kept here, so that something always runs.
ROOT_8 = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="
ROOT_5 = "Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ="
KEPT: list[dict[str, Any]] = [
    {"leafIdx": 5, "treeSize": 8, "root": ROOT_8, "leafHash": "QnGia+DYqE8L1UyMMC58s6O10fpngKQLzOKHNHfatlg=", "proof": [
        "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=", "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
        "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="], "wantErr": False},
    {"leafIdx": 1, "treeSize": 5, "root": ROOT_5, "leafHash": "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=", "proof": [
        "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=", "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
        "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="], "wantErr": False},
    {"leafIdx": 3, "treeSize": 3, "root": "rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc=",
     "leafHash": "ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=", "proof": ["+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="],
     "wantErr": True},
    {"size1": 6, "size2": 8, "root1": "duZ9rbzfHhDht03cYIq9L5jfsW+851J3tSMqEn8gh+8=", "root2": ROOT_8, "proof": [
        "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=", "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
        "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="], "wantErr": False},
    {"size1": 2, "size2": 5, "root1": "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=", "root2": ROOT_5, "proof": [
        "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=", "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="], "wantErr": False},
    {"size1": 0, "size2": 5, "root1": "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=", "root2": ROOT_5, "proof": [
        "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=", "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="], "wantErr": True},
]


@pytest.fixture(params=TREES.values(), ids=TREES)
def tree(request: pytest.FixtureRequest) -> Tree:
    return request.param  # type: ignore[no-any-return]


def holds(tree: Tree, vector: dict[str, Any]) -> bool:
    proof = [b64decode(line) for line in vector["proof"] or ()]
    try:
        if "leafIdx" in vector:
            tree.inclusion(b64decode(vector["leafHash"]), vector["leafIdx"], vector["treeSize"], proof, b64decode(vector["root"]))
        else:
            tree.consistency(vector["size1"], vector["size2"], b64decode(vector["root1"]), b64decode(vector["root2"]), proof)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("vector", KEPT)
def test_what_is_kept_here_of_the_published_vectors_holds(tree: Tree, vector: dict[str, Any]) -> None:
    assert holds(tree, vector) is not vector["wantErr"]


def published(kind: str) -> dict[str, dict[str, Any]]:
    """The published vectors of a kind, by name."""
    found: dict[str, dict[str, Any]] = json.loads(gzip.decompress(VECTORS.read_bytes()))["vectors"][kind]
    return found


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_all_published_vectors_hold(tree: Tree, kind: str) -> None:
    vectors = published(kind)
    assert len(vectors) == 98
    assert [name for name, vector in vectors.items() if holds(tree, vector) is vector["wantErr"]] == []


def test_every_leaf_of_every_small_tree_is_proved_at_its_place_and_at_no_other(tree: Tree) -> None:
    for size in range(1, len(LEAVES)):
        leaves = LEAVES[:size]
        root = root_of(leaves)
        for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)) if size > 20 else range(size):
            proof = inclusion(leaves, index)
            tree.inclusion(leaves[index], index, size, proof, root)
            wrong = [(leaves[index], other, size, proof, root) for other in {index - 1, index + 1, index ^ 2, size, -1} - {index}]
            wrong += [(leaves[index], index, size, [*proof, EMPTY], root), (leaves[index], index, size, [EMPTY, *proof], root),
                      (leaves[index], index, size, proof, EMPTY), (EMPTY, index, size, proof, root)]
            wrong += [(leaves[index], index, size, proof[:-1], root)] if proof else []
            for arguments in wrong:
                with pytest.raises(ValueError):
                    tree.inclusion(*arguments)


def test_every_small_tree_is_proved_to_continue_every_smaller_one_and_nothing_else(tree: Tree) -> None:
    roots = [root_of(LEAVES[:size]) for size in range(len(LEAVES))]
    for new in range(1, len(LEAVES)):
        sizes = range(1, new + 1) if new < 20 else {1, 2, 3, new // 2, new - 2, new - 1, new, 64, 65} & set(range(1, new + 1))
        for old in sizes:
            proof = consistency(LEAVES[:new], old)
            tree.consistency(old, new, roots[old], roots[new], proof)
            wrong = [(old, new, EMPTY, roots[new], proof), (old, new, roots[old], EMPTY, proof),
                     (old, new, roots[old], roots[new], [*proof, EMPTY]), (old, new, roots[old], roots[new], [EMPTY, *proof]),
                     (old + 1, new, roots[old], roots[new], proof), (0, new, roots[0], roots[new], proof),
                     (new + 1, new, roots[new], roots[new], proof), (-1, new, roots[old], roots[new], proof)]
            wrong += [(old, new, roots[old], roots[new], part) for part in (proof[:-1], proof[1:]) if proof]
            wrong += [(old, new, roots[new], roots[old], proof)] if old < new else []
            for arguments in wrong:
                with pytest.raises(ValueError):
                    tree.consistency(*arguments)


@given(st.integers(1, 300), st.data())
def test_any_proof_holds_and_none_holds_with_a_bit_flipped(size: int, data: st.DataObject) -> None:
    chance = Random(size)
    leaves = [chance.randbytes(32) for _ in range(size)]
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, path, growth = root_of(leaves), inclusion(leaves, index), consistency(leaves, old)
    for tree in TREES.values():
        tree.inclusion(leaves[index], index, size, path, root)
        tree.consistency(old, size, root_of(leaves[:old]), root, growth)
    for proof, check in ((path, lambda tree, p: tree.inclusion(leaves[index], index, size, p, root)),
                         (growth, lambda tree, p: tree.consistency(old, size, root_of(leaves[:old]), root, p))):
        if proof:
            at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
            flipped = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
            for tree in TREES.values():
                with pytest.raises(ValueError):
                    check(tree, [*proof[:at], flipped, *proof[at + 1:]])


@pytest.fixture(scope="module")
def grown() -> tuple[store_tree.Nodes, list[bytes]]:
    """The nodes that a store keeps while it grows leaf by leaf, and the root that it had at each size."""
    kept: dict[tuple[int, int], bytes] = {}

    def nodes(level: int, number: int) -> bytes:
        return kept[level, number]

    roots = [store_tree.root(nodes, 0)]
    for size, leaf in enumerate(LEAVES):
        kept.update({(node.level, node.number): node.hash for node in store_tree.grown(size, leaf, nodes)})
        roots.append(store_tree.root(nodes, size + 1))
    return nodes, roots


def test_whatever_proof_a_store_builds_is_that_of_the_definition_and_holds(
        tree: Tree, grown: tuple[store_tree.Nodes, list[bytes]]) -> None:
    nodes, roots = grown
    assert roots == [root_of(LEAVES[:size]) for size in range(len(LEAVES) + 1)]
    for size in range(1, len(LEAVES) + 1):
        for index in range(size):
            tree.inclusion(LEAVES[index], index, size, store_tree.inclusion(nodes, index, size), roots[size])
        for old in range(1, size + 1):
            tree.consistency(old, size, roots[old], roots[size], store_tree.consistency(nodes, old, size))
    leaves = LEAVES[:77]
    assert [store_tree.inclusion(nodes, index, 77) for index in range(77)] == [inclusion(leaves, index) for index in range(77)]
    assert [store_tree.consistency(nodes, old, 77) for old in range(1, 78)] == [consistency(leaves, old) for old in range(1, 78)]


@pytest.mark.parametrize("size", range(40))
def test_the_root_is_the_one_of_the_definition(size: int) -> None:
    assert verifier.tree_root(iter(LEAVES[:size])) == root_of(LEAVES[:size])


def test_no_two_trees_have_one_root() -> None:
    roots = sorted(verifier.tree_root(LEAVES[:size]) for size in range(len(LEAVES)))
    assert all(a != b for a, b in pairwise(roots))


def test_a_node_is_no_leaf() -> None:
    """The second preimage that a tree without its two prefixes allows: the inside of the tree given as an entry."""
    left, right = LEAVES[:2]
    with pytest.raises(ValueError):
        verifier.verify_inclusion(verifier.leaf_hash(left + right), 0, 1, [], root_of([left, right]))
