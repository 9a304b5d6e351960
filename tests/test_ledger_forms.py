"""What the ledger writes, held against what the pages say: the entries, notes, receipts and proofs of a store are byte for byte
those of a ledger that was made from ``docs/ledger.md`` and the C2SP pages alone (:mod:`ledger_helpers`), and the verifier takes
each of them.
"""

from __future__ import annotations

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import ledger_helpers as pages
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import StoreError, UnknownCase
from casework.store.ledger.entry import entry, field
from casework.store.ledger.ledger import CREATE, Head, Leaf, Ledger, by_stream, entry_of, proof_lines, receipt
from casework.store.ledger.note import Checkpoint, Cosigner, Signer, is_origin, key_note, signed
from casework.store.row import Row
from casework.verifier import Entry, Key, Note, NotVerified, verify_checkpoint, verify_consistency, verify_receipt, verify_store

LOG = Signer(pages.ORIGIN, pages.digest(b"seed 1"))
NUMBERS = st.integers(-2**63, 2**63 - 1)
VALUES = st.none() | NUMBERS | st.floats() | st.text() | st.binary()
ROWS = st.builds(Row, st.text(), NUMBERS, st.text(), st.binary(), *[st.none() | st.text()] * 3, NUMBERS, NUMBERS)


class Kept:
    """A ledger in memory over the rows of the pages' ledger, and that ledger."""

    def __init__(self, commits: int = 40, seed: int = 1) -> None:
        self.told = pages.sample(seed, commits)
        self.connection = sqlite3.connect(":memory:")
        self.ledger = Ledger(self.ask)
        self.rows = [Row(*row) for commit in self.told.commits for row in commit]

    def ask(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
        return self.connection.execute(statement, values).fetchall()

    def begun(self) -> Kept:
        """Without a leaf yet."""
        for statement in CREATE:
            self.ask(statement)
        return self

    def grown(self) -> Kept:
        """With every commit added, one after another."""
        for commit in self.told.commits:
            self.ledger.append_many(by_stream(Row(*row) for row in commit))
        return self

    def of(self, stream: str) -> list[Row]:
        return [row for row in self.rows if row.case == stream]


@pytest.fixture
def kept() -> Kept:
    return Kept().begun().grown()


# --- entries -----------------------------------------------------------------------------------------------------------------


@given(VALUES)
def test_a_field_is_as_the_page_says(value: object) -> None:
    assert field(value) == pages.field(value)


def test_bytes_that_sqlite_took_for_text_are_a_field_again_and_what_it_cannot_hold_is_none() -> None:
    assert field(b"\xff\xfe".decode("utf-8", "surrogateescape")) == b"t\x00\x00\x00\x02\xff\xfe"
    with pytest.raises(TypeError):
        field([])


@given(st.lists(ROWS, min_size=1, max_size=3), st.none() | st.binary(min_size=32, max_size=32))
def test_an_entry_is_as_the_page_says(rows: list[Row], previous: bytes | None) -> None:
    assert entry(previous, rows) == pages.entry_of(rows, previous)


def test_an_entry_over_a_payload_that_is_no_bytes_is_another_one_and_no_error() -> None:
    row = Row(*pages.row("K-1", 1))
    odd = [row._replace(payload=payload) for payload in (row.payload, row.payload.decode(), None, 7)]  # type: ignore[arg-type]
    assert len({entry(None, [one]) for one in odd}) == 4


# --- keys and notes ----------------------------------------------------------------------------------------------------------


def test_keys_and_signatures_are_those_of_the_pages() -> None:
    told = pages.Signer()
    assert LOG.vkey == told.vkey
    text = Checkpoint(pages.ORIGIN, 7, b"\x05" * 32).text()
    assert signed(text, LOG).encode() == pages.checkpoint(7, b"\x05" * 32)
    assert key_note(LOG, 0).encode() == pages.key_note(told, 0, told)
    later = Signer(pages.ORIGIN, pages.digest(b"seed 2"))
    assert key_note(later, 9, LOG).encode() == pages.key_note(pages.Signer(seed=2), 9, told, pages.Signer(seed=2))


def test_a_cosignature_is_that_of_the_page_and_says_when() -> None:
    witness, told = Cosigner("witness.example", pages.digest(b"seed 5")), pages.Signer("witness.example", 5, 4)
    text = Checkpoint(pages.ORIGIN, 7, b"\x05" * 32).text()
    line = witness.cosignature(text, 1_795_656_700)
    assert (witness.vkey, line) == (told.vkey, told.line(text))
    note = Note.read((signed(text, LOG) + line).encode())
    assert note.cosigned_by(Key.read(witness.vkey, 4)) == 1_795_656_700


@pytest.mark.parametrize("kind", [Signer, Cosigner])
def test_a_key_is_read_back_from_its_file_and_nothing_else_is(kind: type[Signer]) -> None:
    made = kind(pages.ORIGIN, b"\x07" * 32)
    text = made.private()
    assert text.startswith("PRIVATE+KEY+complaints.example/ledger+")
    again = kind.read(text)
    assert (again.origin, again.vkey, again.private()) == (made.origin, made.vkey, text)
    head, _, secret = text.rstrip("\n").rpartition("+")
    raw = b64decode(secret)
    other = kind("other.example", b"\x07" * 32).private()
    for wrong in ("", "+", "++", text.removeprefix("PRIVATE+KEY+"), text.replace("ledger", "Ledger"),
                  text.replace("ledger", "ledgers"), f"{head}+{b64encode(raw[:-1]).decode()}", f"{head}+{secret[:-4]}",
                  f"{head}+{b64encode(raw + b'x').decode()}", f"{head}+{b64encode(bytes([9]) + raw[1:]).decode()}",
                  f"{head}+*{secret}", other.replace("other.example", ".."), kind("Other.example", b"\x07" * 32).private()):
        with pytest.raises(ValueError):
            kind.read(wrong)


def test_a_key_of_the_one_kind_is_none_of_the_other() -> None:
    for one, other in ((Signer, Cosigner), (Cosigner, Signer)):
        with pytest.raises(ValueError):
            other.read(one(pages.ORIGIN, b"\x07" * 32).private())


@pytest.mark.parametrize("name", ["a..b", "shop.example/a..b"])
def test_an_origin_does_not_climb(name: str) -> None:
    assert not is_origin(name)


# --- the ledger of a store ---------------------------------------------------------------------------------------------------


def test_a_ledger_has_the_leaves_and_the_root_of_the_page_at_every_size(kept: Kept) -> None:
    leaves = kept.told.leaves
    sizes = range(len(leaves) + 1)
    assert kept.ledger.is_there()
    assert [leaf.hash for leaf in kept.ledger.leaves(0, len(leaves))] == leaves
    assert [kept.ledger.root(size) for size in sizes] == [pages.root_of(leaves[:size]) for size in sizes]
    assert kept.ledger.head() == (len(leaves), pages.root_of(leaves))
    assert [leaf.number for leaf in kept.ledger.leaves(3, 6)] == [3, 4, 5]


def test_one_commit_of_two_streams_is_a_leaf_each_and_its_head_covers_both() -> None:
    kept = Kept(0).begun()
    one, two, other = (Row(*pages.row(*at)) for at in (("K-1", 1), ("K-1", 2), ("K-2", 1)))
    head = kept.ledger.append_many(by_stream([one, other, two]))
    assert [leaf[:4] for leaf in kept.ledger.leaves(0, 9)] == [(0, "K-1", 1, 2), (1, "K-2", 1, 1)]
    hashes = [pages.leaf_of(pages.entry_of(rows, None)) for rows in ([one, two], [other])]
    assert head == Head(2, pages.root_of(hashes)) == kept.ledger.head()


def test_a_ledger_begun_anew_over_the_same_commits_is_the_same_ledger(kept: Kept) -> None:
    before = [kept.ask(f"SELECT * FROM ledger_{name} ORDER BY 1, 2") for name in ("leaves", "nodes")]
    again = Kept()
    head = again.ledger.found({"origin": "a.example"}, ([Row(*row) for row in commit] for commit in again.told.commits))
    assert head == kept.ledger.head()
    assert [again.ask(f"SELECT * FROM ledger_{name} ORDER BY 1, 2") for name in ("leaves", "nodes")] == before
    assert again.ledger.meta() == {"origin": "a.example"}
    assert again.ledger.found({}, []).size == 0, "what was there is dropped"
    assert again.ledger.meta() == {}


def test_leaves_are_found_by_stream_by_version_and_up_to_a_size(kept: Kept) -> None:
    every = kept.ledger.leaves(0, 40)
    for stream in {leaf.stream for leaf in every}:
        own = [leaf for leaf in every if leaf.stream == stream]
        assert kept.ledger.of_stream(stream, 40) == own
        assert kept.ledger.of_stream(stream, 20) == [leaf for leaf in own if leaf.number < 20]
        assert kept.ledger.last(stream) == own[-1]
        assert [kept.ledger.last(stream, leaf.number) for leaf in own] == [None, *own[:-1]]
        for version in range(1, own[-1].last + 1):
            assert kept.ledger.covering(stream, version) == next(x for x in own if x.first <= version <= x.last)
        assert kept.ledger.covering(stream, own[-1].last + 1) is None
    assert kept.ledger.last("nobody") is None


@pytest.mark.parametrize("page", [1, 2, 3, 7, 39, 40, 41])
@pytest.mark.parametrize("size", [40, 23])
def test_read_by_stream_no_leaf_is_left_out_and_none_comes_twice_however_few_are_read_at_a_time(
        kept: Kept, page: int, size: int) -> None:
    assert list(kept.ledger.by_stream(size, page)) == sorted(kept.ledger.leaves(0, size),
                                                             key=lambda leaf: (leaf.stream.encode(), leaf.number))


@pytest.mark.parametrize("page", [1, 2, 7, 100])
def test_of_streams_between_two_the_leaves_are_read_whatever_the_ends_are(kept: Kept, page: int) -> None:
    size = kept.ledger.size()
    every = sorted(kept.ledger.leaves(0, size), key=lambda leaf: (leaf.stream.encode(), leaf.number))
    ends = [None, "", *sorted({leaf.stream for leaf in every}), "K-15", "z", "榨", "榨汁机-3x", "\udcff"]
    for low in ends:
        for high in ends:
            wanted = [leaf for leaf in every
                      if (low is None or leaf.stream.encode() >= low.encode("utf-8", "surrogateescape"))
                      and (high is None or leaf.stream.encode() < high.encode("utf-8", "surrogateescape"))]
            assert list(kept.ledger.by_stream(size, page, low, high)) == wanted, (low, high)
    assert list(kept.ledger.by_stream(size - 3, page, "K-1", "K-2")) == [
        leaf for leaf in every if leaf.stream == "K-1" and leaf.number < size - 3]


def test_nodes_are_given_by_level_and_a_missing_or_altered_one_is_an_error(kept: Kept) -> None:
    assert kept.ledger.nodes(1, 2, 5) == [(1, n, pages.root_of(kept.told.leaves[2 * n:2 * n + 2])) for n in (2, 3, 4)]
    kept.ask("DELETE FROM ledger_nodes WHERE level = 2 AND number = 1")
    kept.ask("UPDATE ledger_nodes SET hash = 'text' WHERE level = 3 AND number = 0")
    for level, number in ((2, 1), (3, 0), (0, 40)):
        with pytest.raises(StoreError):
            kept.ledger.node(level, number)


@pytest.mark.parametrize("table", ["leaves", "nodes", "meta"])
@pytest.mark.parametrize("how", ["DROP TABLE ledger_{}", "ALTER TABLE ledger_{} ADD COLUMN more"])
def test_a_ledger_of_another_shape_is_not_there(kept: Kept, table: str, how: str) -> None:
    kept.ask(how.format(table))
    assert not kept.ledger.is_there()


# --- receipts and proofs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_event", [True, False])
def test_the_receipt_of_every_commit_is_that_of_the_page_and_is_verified(kept: Kept, with_event: bool) -> None:
    for size in (40, 33, 32, 1):
        note = kept.told.checkpoint(size)
        for number in range(size):
            stream, version = kept.told.commits[number][-1][:2]
            leaf, made = receipt(kept.ledger, kept.of(stream), note.decode(), size, version, with_event=with_event)
            assert leaf == Leaf(number, stream, kept.told.commits[number][0][1], version, kept.told.leaves[number])
            assert made == kept.told.receipt(number, payload=with_event, size=size)
            said = verify_receipt(made, LOG.vkey)
            assert (said.index, said.entry.stream, said.entry.last_version) == (number, stream, version)


def test_without_a_version_the_receipt_is_of_the_last_commit_that_the_checkpoint_covers(kept: Kept) -> None:
    for size in (40, 20):
        for stream in ("K-1", "K-2", "merchant:M-1"):
            leaf, made = receipt(kept.ledger, kept.of(stream), kept.told.checkpoint(size).decode(), size)
            assert leaf == kept.ledger.of_stream(stream, size)[-1]
            said = verify_receipt(made, LOG.vkey)
            assert (said.index, said.payload) == (leaf.number, None), "what people wrote is in it only where that is asked for"
    with pytest.raises(UnknownCase):
        receipt(kept.ledger, [Row(*pages.row("nobody", 1))], "", 40)
    last = kept.ledger.last("K-1")
    assert last is not None
    for size in (last.number, 0):
        with pytest.raises(UnknownCase):
            receipt(kept.ledger, kept.of("K-1"), "", size, last.last)


def test_an_entry_of_a_later_commit_names_the_leaf_before(kept: Kept) -> None:
    for leaf in kept.ledger.leaves(0, 40):
        assert entry_of(kept.ledger, kept.of(leaf.stream), leaf) == kept.told.entries[leaf.number]


def test_every_growth_is_proved(kept: Kept) -> None:
    for new in range(1, 41):
        for old in range(1, new + 1):
            lines = list(proof_lines(kept.ledger, old, new))
            verify_consistency(old, new, kept.ledger.root(old), kept.ledger.root(new), [b64decode(line) for line in lines])
            expected = [] if old == new else pages.consistency(kept.told.leaves[:new], old)
            assert lines == [pages.b64(step) for step in expected]


# --- what the verifier does not take for another spelling --------------------------------------------------------------------


#: The kinds that each field of an entry may be of, as the page has them.
KINDS = ("t", "t", "i", "i", "bn", "b", "t", "tn", "tn", "i", "i", "b")


@pytest.mark.parametrize("place", range(12))
def test_no_field_of_an_entry_is_taken_in_another_kind(place: int) -> None:
    """Lengths stay: only the byte of the kind is another. The hashes could be read as text too, so that nothing else refuses."""
    values = ["casework/entry/1", "K-1", 2, 3, bytes(32), bytes(32), "topic", "trigger", "state", 1, 2, bytes(32)]
    told = pages.Ledger()
    told.commit("K-1", trigger_name=None, from_state=None, to_state=None)
    told.commit("K-1")
    for data in (*told.entries, b"".join(map(pages.field, values))):
        at = 0
        for _ in range(place):
            at += 5 + int.from_bytes(data[at + 1:at + 5], "big")
        assert Entry.read(data)
        for kind in set(range(256)) - set(KINDS[place].encode()):
            with pytest.raises(NotVerified):
                Entry.read(data[:at] + bytes([kind]) + data[at + 1:])


def test_a_stream_whose_name_is_no_text_is_named_and_no_error(tmp_path: Path) -> None:
    told = pages.sample(1, 6)
    path = told.store(tmp_path / "t.db")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE stored_events SET originator_id = CAST(x'4bff' AS TEXT) WHERE originator_id = 'K-1'")
    with pytest.raises(NotVerified) as refused:
        verify_store(str(path), verify_checkpoint(told.checkpoint(), LOG.vkey))
    assert refused.value.en.startswith("K\ufffd: after version 0")


def test_a_checkpoint_of_the_store_is_taken_by_the_verifier(kept: Kept) -> None:
    head = kept.ledger.head()
    text = signed(Checkpoint(pages.ORIGIN, *head).text(), LOG)
    found = verify_checkpoint(text.encode(), LOG.vkey)
    assert (found.origin, found.size, found.root) == (pages.ORIGIN, *head)
