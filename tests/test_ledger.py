"""The ledger and its journal, given a store of one or two cases: what is acknowledged, what is refused, and what goes on."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import GIVEN, casework, given_case, pairs
from harness.commands import opened
from harness.engines import connect, copied, image, is_there
from hypothesis import given
from hypothesis import strategies as st

from casework.application.service import carry_on
from casework.audit.check import audit
from casework.audit.integrity import Integrity
from casework.audit.signed import Signed
from casework.errors import InputError, JournalError, NotAcknowledged, StoreError, UnknownCase
from casework.store.ledger import journal as module
from casework.store.ledger import tree
from casework.store.ledger.entry import entry, field
from casework.store.ledger.journal import Journal
from casework.store.ledger.ledger import Head, Ledger, receipt
from casework.store.ledger.note import Checkpoint, Signer, is_origin, signed
from casework.store.opening import open_reader, open_store
from casework.store.row import Row
from casework.store.store import Store
from casework.verifier import Trust, verify_checkpoints, verify_consistency, verify_inclusion

pytestmark = pytest.mark.stores

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.found(tmp_path / "journal", Signer("local/test", b"\x01" * 32))


@pytest.fixture
def store(tmp_path: Path, journal: Journal) -> Path:
    """A store with one case of three events."""
    path = tmp_path / "store" / "t.db"
    path.parent.mkdir()
    with open_store(str(path), create=True, journal=journal) as made:
        opened(made, "K-1", clock=lambda: NOW)
        call(made, "one")
        call(made, "two")
    return path


def call(made: Store, name: str, case: str = "K-1") -> None:
    """One more event."""
    carry_on(made, case, "log_call", {"note": name}, by="consumer", clock=lambda: NOW, command_id=name)


def again(path: Path, journal: Journal | None) -> Store:
    return open_store(str(path), journal=journal)


def codes(path: Path, journal: Journal | None) -> list[str]:
    """What the audit says, notes too."""
    with open_reader(str(path)) as reader:
        seen = reader.snapshot()
        integrity = Integrity.of(reader, seen.leaves, Signed(journal.folder) if journal else None, whole=True)
        return [f.code for f in audit(seen.rows, indexed=reader, integrity=integrity)]


def run(path: Path, statement: str) -> None:
    with connect(path) as tables:
        tables.executescript(statement)


# --- the tree ----------------------------------------------------------------------------------------------------------------


class Grown:
    """A tree of so many leaves, kept node by node as a store keeps it."""

    def __init__(self, size: int) -> None:
        self.leaves = [tree.leaf_hash(str(n).encode()) for n in range(size)]
        self.kept: dict[tuple[int, int], bytes] = {}
        for number, leaf in enumerate(self.leaves):
            for node in tree.grown(number, leaf, self.node):
                self.kept[node.level, node.number] = node.hash

    def node(self, level: int, number: int) -> bytes:
        return self.kept[level, number]


def naive(leaves: list[bytes]) -> bytes:
    """The root as RFC 9162, 2.1.1 defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + naive(leaves[:half]) + naive(leaves[half:])).digest()


@pytest.mark.file
def test_the_root_of_every_size_is_that_of_the_definition_and_every_leaf_and_every_growth_is_proved() -> None:
    grown = Grown(70)
    for size in range(71):
        root = tree.root(grown.node, size)
        assert root == naive(grown.leaves[:size])
        for index in range(size):
            verify_inclusion(grown.leaves[index], index, size, tree.inclusion(grown.node, index, size), root)
        for old in range(1, size + 1):
            proof = tree.consistency(grown.node, old, size)
            verify_consistency(old, size, naive(grown.leaves[:old]), root, proof)


@pytest.mark.file
def test_a_frontier_grows_node_by_node_as_the_whole_tree_does_and_goes_on_from_its_peaks() -> None:
    grown, frontier = Grown(70), tree.Frontier()
    for number, leaf in enumerate(grown.leaves):
        assert frontier.root() == naive(grown.leaves[:number])
        assert frontier.peaks == [grown.kept[place] for place in tree.peaks(number)]
        again = tree.Frontier(number, frontier.peaks)
        made = [(node.level, node.number, node.hash) for node in frontier.add(leaf)]
        assert made == [(level, at, grown.kept[level, at]) for level, at in [
            (level, number >> level) for level in range(8) if not (number + 1) % 2**level]]
        assert [tuple(node) for node in again.add(leaf)] == made
        assert (frontier.size, again.root()) == (number + 1, frontier.root())
    for size, peaks in ((0, [b""]), (1, []), (6, [b""]), (7, [b""] * 2), (8, [b""] * 2)):
        with pytest.raises(ValueError, match=f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks)}"):
            tree.Frontier(size, peaks)


VALUES = st.none() | st.integers(-2**63, 2**63 - 1) | st.floats() | st.text() | st.binary()


@pytest.mark.file
@given(st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=4))
def test_two_rows_that_differ_never_look_the_same_to_the_ledger(one: list[object], other: list[object]) -> None:
    same = [repr(v) for v in one] == [repr(v) for v in other] and [type(v) for v in one] == [type(v) for v in other]
    assert (b"".join(map(field, one)) == b"".join(map(field, other))) == same


# --- what is acknowledged ----------------------------------------------------------------------------------------------------


def test_every_command_is_signed_outside_before_it_is_done(store: Path, journal: Journal) -> None:
    last = journal.last()
    assert last is not None and last.size == 3
    with open_reader(str(store)) as reader:
        assert reader.ledger().head() == (3, last.root)
    assert codes(store, journal) == []


@pytest.mark.file
def test_a_command_whose_checkpoint_cannot_be_written_is_recorded_but_not_done_and_is_done_when_given_again(
        store: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = module.write_all, list[int]()

    def full(handle: int, data: bytes) -> None:
        written.append(len(data))
        if len(written) > 1:  # what is intended still has its place
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(handle, data)

    monkeypatch.setattr(module, "write_all", full)
    with again(store, journal) as made, pytest.raises(NotAcknowledged, match=r"recorded, but .* same command"):
        call(made, "three")
    assert codes(store, journal) == ["journal_behind"]
    monkeypatch.undo()
    with again(store, Journal(journal.folder)) as made:
        call(made, "three")
        call(made, "three")
    last = Journal(journal.folder).last()
    assert last is not None and last.size == 4
    assert codes(store, journal) == []


@pytest.mark.file
def test_a_commit_that_was_not_signed_is_told_until_the_next_one_is(store: Path, journal: Journal) -> None:
    notes = journal.path.read_text(encoding="utf-8")
    with again(store, journal) as made:
        call(made, "three")
    journal.path.write_text(notes, encoding="utf-8")
    assert codes(store, journal) == ["journal_behind"]
    with again(store, Journal(journal.folder)) as made:
        made.settle()
    assert codes(store, journal) == []


@pytest.mark.parametrize("cut", [1, 30, 150])
def test_a_checkpoint_that_was_cut_off_is_passed_over_and_written_again(store: Path, journal: Journal, cut: int) -> None:
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[:-cut])
    assert codes(store, journal) in (["journal_behind"], [])
    with again(store, Journal(journal.folder)) as made:
        made.settle()
    assert journal.path.read_bytes() == whole
    assert codes(store, journal) == []


def test_a_journal_that_cannot_be_read_lets_nothing_be_recorded(store: Path, journal: Journal) -> None:
    journal.path.rename(journal.folder / "away")
    journal.path.mkdir()
    with again(store, journal) as made, pytest.raises(JournalError, match="cannot be used"):
        call(made, "three")
    with open_reader(str(store)) as reader:
        assert reader.ledger().size() == 3


@pytest.mark.parametrize("tail", [b"\n", b"\0" * 300, b"\nlocal/test\n4\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 local/test AAAA\n",
                                  b"\n\n\xff\n\n\n"])
def test_whatever_a_power_cut_left_of_what_was_not_synchronised_is_passed_over(store: Path, journal: Journal,
                                                                               tail: bytes) -> None:
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + tail)
    assert codes(store, journal) == []
    with again(store, Journal(journal.folder)) as made:
        call(made, "three")
    assert journal.path.read_bytes().startswith(whole + b"\nlocal/test\n4\n")
    assert codes(store, journal) == []


def test_two_notes_at_the_end_that_nobody_signed_are_no_power_cut(store: Path, journal: Journal) -> None:
    forged = signed(Checkpoint("local/test", 3, b"\0" * 32).text(), Signer("local/test", b"\x63" * 32))
    journal.path.write_text(f"{journal.path.read_text(encoding='utf-8')}\n{forged}\n{forged}", encoding="utf-8")
    assert "checkpoint_differs" in codes(store, journal)
    with again(store, Journal(journal.folder)) as made, pytest.raises(JournalError, match="its key signed"):
        call(made, "three")


# --- what is refused ---------------------------------------------------------------------------------------------------------


def test_nothing_is_recorded_without_the_journal_that_the_store_was_made_with(store: Path, tmp_path: Path) -> None:
    other = Journal.found(tmp_path / "other", Signer("local/other", b"\x02" * 32))
    for held in (None, other):
        with again(store, held) as made, pytest.raises(JournalError):
            call(made, "three")
    with open_reader(str(store)) as reader:
        assert reader.ledger().size() == 3


def test_an_old_copy_put_back_takes_nothing_more_until_somebody_says_why(store: Path, journal: Journal, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    copied(store, old)
    with again(store, journal) as made:
        call(made, "three")
    copied(old, store)
    assert "tail_lost" in codes(store, journal)
    with again(store, journal) as made, pytest.raises(JournalError, match="lacks 1 commits"):
        call(made, "four")
    fresh = Journal.found(tmp_path / "fresh", Signer("local/fresh", b"\x03" * 32))
    with again(store, journal) as made:
        made.renew_ledger("local/fresh", fresh, '{"reason": "disk lost"}')
        call(made, "four")
    assert codes(store, fresh) == ["ledger_renewed"]


def test_a_history_that_was_rewritten_takes_nothing_more(store: Path, journal: Journal) -> None:
    run(store, "UPDATE ledger_leaves SET leaf = zeroblob(32) WHERE number = 2")
    with again(store, journal) as made, pytest.raises(JournalError, match="rewritten"):
        call(made, "three")


@pytest.mark.file
def test_a_store_whose_ledger_is_gone_takes_nothing_more(store: Path, journal: Journal) -> None:
    run(store, "DROP TABLE ledger_nodes")
    with again(store, journal) as made, pytest.raises(StoreError, match="ledger"):
        call(made, "three")
    assert "ledger_missing" in codes(store, journal)


def test_a_row_written_past_the_commands_is_told_by_name(store: Path, journal: Journal) -> None:
    run(store, "UPDATE stored_events SET recorded_at = recorded_at + 1 WHERE originator_version = 2")
    with open_reader(str(store)) as reader:
        seen = reader.snapshot()
        integrity = Integrity.of(reader, seen.leaves, Signed(journal.folder), whole=True)
        found = [(f.code, f.case, f.version) for f in audit(seen.rows, indexed=reader, integrity=integrity)]
    assert found == [("column_mismatch", "K-1", 2), ("leaf_differs", "K-1", 2)]


@pytest.mark.file
def test_what_somebody_put_behind_the_last_signature_is_signed_by_no_command(store: Path, journal: Journal) -> None:
    """Lawful, with its leaf and its nodes: but no command said that it was about to record it."""
    with sqlite3.connect(store) as connection:
        ledger = Ledger(lambda statement, *values: connection.execute(statement, values).fetchall())
        row = list(open_reader(str(store)).rows("K-1"))[-1]
        said = json.loads(row.payload) | {"version": 4, "command_id": "forged"}
        payload = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        forged = row._replace(version=4, payload=payload)
        connection.execute(f"INSERT INTO stored_events VALUES ({', '.join('?' * 9)})", forged)
        ledger.append_many([[forged]])
    connection.close()
    assert codes(store, journal) == ["tail_unsigned"]
    for attempt in (lambda made: call(made, "four"), lambda made: made.settle()):
        with again(store, Journal(journal.folder)) as made, pytest.raises(JournalError, match="no command was about to"):
            attempt(made)
    assert journal.last() is not None and journal.last().size == 3  # type: ignore[union-attr]


def test_that_a_ledger_was_begun_anew_is_told_also_where_the_store_no_longer_says_so(store: Path, tmp_path: Path) -> None:
    fresh = Journal.found(tmp_path / "fresh", Signer("local/fresh", b"\x03" * 32))
    with open_store(str(store)) as made:
        made.renew_ledger("local/fresh", fresh, '{"reason": "key lost"}')
    assert codes(store, fresh) == ["ledger_renewed"]
    run(store, "DELETE FROM ledger_meta WHERE name = 'renewed'")
    assert codes(store, fresh) == ["ledger_renewed", "renewal_denied"]


# --- keys --------------------------------------------------------------------------------------------------------------------


def test_after_a_rotation_whoever_trusts_the_first_key_trusts_what_the_second_signs(store: Path, journal: Journal) -> None:
    first = journal.signer.vkey
    journal.rotate(b"\x09" * 32, 3)
    with again(store, journal) as made:
        call(made, "three")
    assert journal.signer.vkey != first
    assert codes(store, journal) == []
    assert Signed(journal.path, first, journal.folder).last().size == 4
    with pytest.raises(InputError):
        Signed(journal.path, first).last()


@pytest.mark.parametrize("step", ["new key written", "keys written"])
def test_a_rotation_that_is_interrupted_has_happened_or_not(store: Path, journal: Journal, step: str,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def stop(*_: object) -> None:
        calls.append("stopped")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_over" if step == "new key written" else "sync_folder", stop)
    with pytest.raises(KeyboardInterrupt):
        journal.rotate(b"\x09" * 32, 3)
    monkeypatch.undo()
    assert calls
    with again(store, Journal(journal.folder)) as made:
        call(made, "three")
    assert codes(store, journal) == []
    assert not (journal.folder / "key.new").exists()


@pytest.mark.file
def test_receipts_which_say_what_people_wrote_are_their_owners_alone(journal: Journal) -> None:
    assert (journal.folder / "receipts").stat().st_mode & 0o777 == 0o700


@pytest.mark.file
def test_the_signing_key_is_its_owners_alone(journal: Journal) -> None:
    assert (journal.folder / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.file
def test_a_key_file_that_is_none_is_an_error_that_says_what_to_do(journal: Journal) -> None:
    (journal.folder / "key").write_text("nonsense", encoding="utf-8")
    with pytest.raises(JournalError, match="no signing key"):
        Journal(journal.folder)


@pytest.mark.file
@pytest.mark.parametrize(("name", "good"), [
    ("shop.example/cases", True), ("local/0a", True), ("a", True), ("", False), ("../x", False), ("a/../b", False), ("A", False),
    ("a b", False), ("a+b", False), ("/a", False), ("a/", False), ("a" * 64, False), ("a/b/c/d/e", False), ("投诉", False)])
def test_an_origin_is_a_name_that_is_also_a_folder(name: str, good: bool) -> None:
    assert is_origin(name) == good


# --- stores without ----------------------------------------------------------------------------------------------------------


@pytest.mark.file
def test_a_store_of_before_there_were_ledgers_goes_on_without_and_says_so(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    shutil.copy(ROOT / "tests" / "golden" / "issue-4.db", old)
    with again(old, None) as made:
        case = next(row.case for row in made.rows() if not row.case.startswith("merchant:"))
        carry_on(made, case, "give_feedback", {"score": 2}, by="consumer", clock=lambda: datetime(2026, 12, 1, tzinfo=UTC),
                 command_id="x")
    assert codes(old, None) == ["no_ledger"]


@pytest.mark.file
def test_a_ledger_begun_over_an_older_store_proves_all_of_it_from_then_on(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    shutil.copy(ROOT / "tests" / "golden" / "issue-4.db", old)
    fresh = Journal.found(tmp_path / "fresh", Signer("local/fresh", b"\x03" * 32))
    with again(old, None) as made:
        made.renew_ledger("local/fresh", fresh, '{"reason": "upgraded"}')
    assert codes(old, fresh) == ["ledger_renewed"]
    run(old, "UPDATE stored_events SET recorded_at = recorded_at + 1 WHERE rowid = 7")
    assert "leaf_differs" in codes(old, fresh)


def test_a_store_without_a_journal_says_so_and_still_holds_rows_against_leaves(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with open_store(str(path), create=True) as made:
        opened(made, "K-1", clock=lambda: NOW)
        call(made, "one")
    assert codes(path, None) == ["no_journal"]
    run(path, "DELETE FROM stored_events WHERE originator_version = 2")
    assert codes(path, None) == ["rows_missing", "no_journal"]


# --- receipts ----------------------------------------------------------------------------------------------------------------


def test_a_receipt_of_what_is_not_recorded_or_not_signed_yet_is_refused(store: Path, journal: Journal) -> None:
    end = journal.end()
    assert end is not None
    last, note = end
    with open_reader(str(store)) as reader:
        rows = list(reader.rows("K-1"))
        for size, version in ((last.size, 4), (1, 2)):
            with pytest.raises(UnknownCase):
                receipt(reader.ledger(), rows, note, size, version)


# --- the command line --------------------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, and a state folder of one's own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("CASEWORK_STORE", "CASEWORK_LANG", "CASEWORK_JOURNAL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_opening_and_ruling_say_where_the_receipt_lies_and_a_stranger_verifies_it(here: Path) -> None:
    given_case(steps=7)
    ran = casework("do", "K-1", "rule", "--by", "agent", "--at", "2026-03-30T10:00:00+08:00", *pairs({
        "outcome": "for_consumer", "findings": "存在质量问题", "clause": "淘宝平台争议处理规则 65",
        "remedy": {"kind": "return_refund", "amount": "899.00"}})).ok()
    place = Path(ran.err.split("receipt: ")[1].strip())
    key = casework("checkpoint", "--key").ok().out.strip()
    done = subprocess.run([sys.executable, str(ROOT / "casework" / "verifier.py"), str(place), "--key", key, "--lang", "en"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "K-1" in done.stdout and "rule" in done.stdout and "存在质量问题" in done.stdout
    other = Signer("local/other", b"\x05" * 32).vkey
    assert subprocess.run([sys.executable, str(ROOT / "casework" / "verifier.py"), str(place), "--key", other],
                          capture_output=True, timeout=60).returncode == 1


@pytest.mark.file
def test_the_journal_may_lie_where_one_likes_but_not_beside_the_store(here: Path) -> None:
    casework("init", "--journal", ".").fails("own folder")
    assert not is_there("casework.db")
    made = casework("init", "--journal", "../kept", "--origin", "shop.example/cases", "--json").document()
    assert (made["origin"], made["journal"]) == ("shop.example/cases", "../kept")
    given_case_in = ("open", "K-1", "--by", "consumer", "--journal", "../kept", *pairs(GIVEN))
    casework(*given_case_in).ok()
    casework("do", "K-1", "log_call", "--by", "consumer", "-d", "note=x").fails("journal", "--renew-ledger")
    assert casework("audit", "--journal", "../kept", "--json").document()["notes"] == []
    assert [f["code"] for f in casework("audit", "--json").document(1)["findings"]] == ["journal_missing"]


def test_a_store_may_be_made_without_a_journal_and_says_so(here: Path) -> None:
    assert casework("init", "--journal", "none", "--json").document()["journal"] is None
    given_case()
    told = casework("audit", "--json").document()
    assert [n["code"] for n in told["notes"]] == ["no_journal"] and told["findings"] == []
    casework("checkpoint").fails("no journal", "--renew-ledger")
    casework("receipt", "K-1").fails("no journal")


def test_a_ledger_is_begun_anew_only_with_a_reason_and_the_audit_goes_on_telling_it(here: Path) -> None:
    given_case()
    shutil.rmtree(here / "state" / "casework" / "local")
    casework("do", "K-1", "log_call", "--by", "consumer", "-d", "note=x").fails("no journal with a key", "--renew-ledger")
    casework("init", "--renew-ledger").fails("--reason")
    casework("init", "--reason", "x").fails("--renew-ledger")
    casework("init", "--renew-ledger", "--reason", "state folder lost").ok()
    casework("do", "K-1", "log_call", "--by", "consumer", "-d", "note=x").ok()
    told = casework("audit", "--json").document()
    assert [n["code"] for n in told["notes"]] == ["ledger_renewed"]
    assert "state folder lost" in told["notes"][0]["what"]
    casework("init", "--renew-ledger", "--reason", "lost again").ok()
    [note] = casework("audit", "--json").document()["notes"]
    assert "lost again" in note["what"] and "state folder lost" in note["what"]


@pytest.mark.file
def test_a_kept_checkpoint_shows_that_nothing_before_it_was_changed(here: Path) -> None:
    given_case(steps=2)
    Path("kept").write_text(casework("checkpoint").ok().out, encoding="utf-8")
    given_case("K-2")
    told = casework("audit", "--since", "kept", "--json").document()
    assert told["findings"] == [] and told["summary"]["cases"] == 2
    with closing(sqlite3.connect("casework.db")) as connection, connection:
        connection.execute("UPDATE stored_events SET recorded_at = recorded_at + 1 WHERE originator_id = 'K-1'")
    assert {f["code"] for f in casework("audit", "--since", "kept", "--json").document(1)["findings"]} == {"leaf_differs"}
    Path("nonsense").write_text("nonsense", encoding="utf-8")
    casework("audit", "--since", "nonsense").fails("nonsense", "checkpoint")
    casework("audit", "--since", "gone").fails("gone")


@pytest.mark.file
def test_many_who_make_a_store_at_once_share_one_journal(here: Path) -> None:
    command = [sys.executable, "-m", "casework", "open", "--by", "consumer", *pairs(GIVEN)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(here / "state"), "LANG": "C.UTF-8"}
    running = [subprocess.Popen([*command[:4], f"K-{n}", *command[4:]], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for n in range(4)]
    assert [p.wait(timeout=60) for p in running] == [0] * 4, [p.stderr.read() for p in running if p.stderr]
    for process in running:
        process.communicate()
    assert len(list((here / "state" / "casework" / "local").iterdir())) == 1
    told = casework("audit", "--json").document()
    assert (told["summary"]["cases"], told["findings"], told["notes"]) == (4, [], [])


# --- what must not be signed, lost or doubled ---------------------------------------------------------------------------------


def test_the_audit_of_a_store_in_use_takes_what_is_recorded_meanwhile_for_no_loss(store: Path, journal: Journal) -> None:
    with open_reader(str(store)) as reader:
        seen = reader.snapshot()
        with again(store, journal) as made:
            call(made, "meanwhile")
        integrity = Integrity.of(reader, seen.leaves, Signed(journal.folder), whole=True)
        assert [f.code for f in audit(seen.rows, indexed=reader, integrity=integrity)] == []


@pytest.fixture
def signed_once(tmp_path: Path, journal: Journal) -> Path:
    path = tmp_path / "once.db"
    with open_store(str(path), create=True, journal=journal) as made:
        opened(made, "K-1", clock=lambda: NOW)
    return path


@pytest.mark.file
def test_what_is_not_what_the_journal_signed_is_never_signed_on(signed_once: Path, journal: Journal, tmp_path: Path) -> None:
    signed = journal.path.read_bytes()
    longer = tmp_path / "longer.db"
    elsewhere = Journal.found(tmp_path / "else", Signer("local/test", b"\x01" * 32))
    with open_store(str(longer), create=True, journal=elsewhere) as made:
        for name in ("K-7", "K-8", "K-9"):
            opened(made, name, clock=lambda: NOW)
    shutil.copy(longer, signed_once)
    with again(signed_once, journal) as made:
        with pytest.raises(JournalError, match="rewritten"):
            made.settle()
        with pytest.raises(JournalError, match="rewritten"):
            call(made, "on", "K-7")
    assert journal.path.read_bytes() == signed


@pytest.mark.parametrize("denial", ["UPDATE ledger_meta SET value = 'none' WHERE name = 'journal'",
                                    pytest.param("PRAGMA user_version = 1", marks=pytest.mark.file)])
def test_a_store_that_denies_its_journal_takes_nothing_by_it(store: Path, journal: Journal, denial: str) -> None:
    signed = journal.path.read_bytes()
    run(store, denial)
    with again(store, journal) as made:
        with pytest.raises(JournalError, match="says that it keeps no journal"):
            call(made, "three")
        with pytest.raises(JournalError, match="says that it keeps no journal"):
            made.settle()
    assert journal.path.read_bytes() == signed


@pytest.mark.file
def test_of_two_copies_in_use_at_once_only_the_first_to_sign_is_acknowledged(store: Path, journal: Journal,
                                                                             tmp_path: Path) -> None:
    copied = tmp_path / "copy.db"
    shutil.copy(store, copied)
    other = Journal(journal.folder)
    with again(store, journal) as mine, again(copied, other) as theirs, open_reader(str(copied)) as reader:
        call(theirs, "theirs")
        taken = reader.ledger().head()
        with pytest.raises(JournalError, match=r"rewritten|lacks"):
            call(mine, "mine")
        with pytest.raises(NotAcknowledged, match="a copy of this store is in use"):
            journal.acknowledge(taken._replace(root=b"\x00" * 32))
        with pytest.raises(NotAcknowledged, match="a copy of this store is in use"):
            journal.acknowledge(taken._replace(size=taken.size - 1))
    assert journal.last() == ("local/test", *taken)


def test_the_new_key_signs_what_there_is_when_it_is_made(store: Path, journal: Journal) -> None:
    new = journal.rotate(b"\x09" * 32, 3)
    assert Signed(journal.path, new.vkey, journal.folder).last().size == 3
    assert codes(store, journal) == []
    with again(store, Journal(journal.folder)) as made:
        call(made, "three")
    assert codes(store, journal) == []


def keys_of(journal: Journal, first: str) -> Trust:
    return Trust.of(first, (journal.folder / "keys").read_bytes())


@pytest.mark.file
def test_whoever_opened_the_journal_before_a_rotation_signs_with_the_new_key_after_it(journal: Journal) -> None:
    first, other = journal.signer.vkey, Journal(journal.folder)
    journal.acknowledge(Head(1, b"\x01" * 32))
    journal.rotate(b"\x09" * 32, 1)
    other.acknowledge(Head(2, b"\x02" * 32))
    other.rotate(b"\x0a" * 32, 2)
    with open(journal.path, "rb") as file:
        assert verify_checkpoints(file, keys_of(journal, first)).last.size == 2


@pytest.mark.file
def test_who_opens_the_journal_in_the_middle_of_a_rotation_does_not_undo_it(journal: Journal,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    first, over, opened_meanwhile = journal.signer.vkey, module.write_over, []

    def slowly(path: Path, text: str) -> None:
        looking = threading.Thread(target=lambda: opened_meanwhile.append(Journal(journal.folder)))
        opened_meanwhile.append(looking)
        looking.start()
        looking.join(0.2)  # it waits for its turn, or it is done
        over(path, text)

    monkeypatch.setattr(module, "write_over", slowly)
    new = journal.rotate(b"\x09" * 32, 0)
    opened_meanwhile[0].join()
    assert Journal(journal.folder).signer.vkey == opened_meanwhile[1].signer.vkey == new.vkey
    assert keys_of(journal, first).keys[-1].public == keys_of(journal, new.vkey).keys[-1].public


@pytest.mark.file
def test_a_payload_that_became_text_gives_the_same_hash_as_the_verifiers_field() -> None:
    row = Row("K-1", 1, "t", "a text", None, None, None, 1, 1)  # type: ignore[arg-type]
    assert entry(None, [row]).endswith(sha256(b"a text").digest())


@pytest.mark.parametrize("name", ["key", "keys", "checkpoints"])
def test_a_journal_is_not_begun_over_files_of_somebody_else(here: Path, name: str) -> None:
    theirs = here / "theirs"
    theirs.mkdir()
    (theirs / name).write_text("mine\n", encoding="utf-8")
    casework("init", "--journal", str(theirs)).fails("no journal's", "--journal")
    assert (theirs / name).read_text(encoding="utf-8") == "mine\n" and not is_there("casework.db")


def test_a_store_that_cannot_be_made_takes_only_its_own_journal_back(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = here / "theirs"
    theirs.mkdir()
    (theirs / "thesis").write_text("mine\n", encoding="utf-8")
    (here / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "file"))
    casework("init", "--journal", str(theirs)).fails("cannot be written")
    assert [p.name for p in theirs.iterdir()] == ["thesis"]


def test_a_journal_begun_and_cut_off_is_begun_again(here: Path) -> None:
    cut = here / "cut"
    cut.mkdir()
    (cut / "key").write_text("PRIVATE+K", encoding="utf-8")
    casework("init", "--journal", str(cut)).ok()


def test_the_journal_of_an_empty_store_is_nobody_elses(here: Path) -> None:
    casework("init", "--journal", str(here / "j")).ok()
    casework("init", "--store", "other.db", "--journal", str(here / "j")).fails("the journal of another store")
    casework("open", "K-1", "--by", "consumer", *pairs(GIVEN), "--journal", str(here / "j")).ok()


def test_another_stores_journal_in_the_environment_signs_nothing_of_a_store_without_one(
        here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    casework("init", "--journal", str(here / "j")).ok()
    casework("init", "--store", "plain.db", "--journal", "none").ok()
    signed = (here / "j" / "checkpoints").read_bytes()
    monkeypatch.setenv("CASEWORK_JOURNAL", str(here / "j"))
    casework("open", "K-1", "--by", "consumer", *pairs(GIVEN), "--store", "plain.db").fails("keeps no journal outside")
    assert (here / "j" / "checkpoints").read_bytes() == signed
    casework("open", "K-1", "--by", "consumer", *pairs(GIVEN), "--store", "plain.db", "--journal", "none").ok()


def test_a_receipt_that_cannot_be_written_does_not_make_a_recorded_case_a_failed_one(here: Path) -> None:
    casework("init", "--journal", str(here / "j")).ok()
    (here / "j" / "receipts").rmdir()
    (here / "j" / "receipts").touch()
    told = casework("open", "--by", "consumer", *pairs(GIVEN), "--journal", str(here / "j"))
    assert told.status == 0 and "is recorded, but its receipt was not written" in told.err
    casework("receipt", told.out.strip(), "--journal", str(here / "j")).ok()


def test_the_receipt_that_a_command_writes_holds_even_where_others_sign_while_it_is_made(
        here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = module.read_end

    def and_then_others_sign(*given: Any) -> object:
        found = look(*given)
        if found.checkpoint is not None and found.checkpoint.size == 1:
            monkeypatch.setattr(module, "read_end", look)
            casework("open", "K-2", "--by", "consumer", *pairs(GIVEN), "--journal", str(here / "j")).ok()
        return found

    casework("init", "--journal", str(here / "j")).ok()
    key = casework("checkpoint", "--key", "--journal", str(here / "j")).ok().out.strip()
    monkeypatch.setattr(module, "read_end", and_then_others_sign)
    casework("open", "K-1", "--by", "consumer", *pairs(GIVEN), "--journal", str(here / "j")).ok()
    for case in ("K-1", "K-2"):
        casework("verify", str(here / "j" / "receipts" / f"{case}-v1.tlog-proof"), "--key", key).ok()


def test_a_kept_checkpoint_and_its_key_are_enough_where_the_journal_is_gone(here: Path) -> None:
    given_case(steps=2)
    key = casework("checkpoint", "--key").ok().out.strip()
    Path("kept").write_text(casework("checkpoint").ok().out, encoding="utf-8")
    shutil.rmtree(here / "state")
    told = casework("audit", "--since", "kept", "--key", key, "--json").document(1)
    assert {f["code"] for f in told["findings"]} == {"journal_missing"}
    casework("audit", "--since", "kept").fails("--key")


@pytest.mark.file
@pytest.mark.parametrize("command", [("receipt", "K-1", "--out"), ("checkpoint", "--stamp-request")])
def test_what_is_written_takes_the_place_of_nothing_not_even_of_the_store(here: Path, command: tuple[str, ...]) -> None:
    given_case()
    before = image("casework.db")
    casework(*command, "casework.db").fails("is there already", command[-1])
    assert image("casework.db") == before
    casework(*command, "fresh").ok()
    assert Path("fresh").read_bytes()


@pytest.mark.file
def test_what_is_signed_is_the_same_bytes_in_any_encoding(here: Path) -> None:
    given_case()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(here / "state"), "LANG": "C.UTF-8",
           "PYTHONIOENCODING": "gbk"}
    for command in (["receipt", "K-1"], ["checkpoint"], ["checkpoint", "--old", "0"]):
        made = subprocess.run([sys.executable, "-m", "casework", *command], env=env, capture_output=True, check=True).stdout
        assert made.decode("utf-8") == casework(*command).ok().out


@pytest.mark.file
def test_a_copy_of_a_store_does_not_sign_in_the_journal_of_the_first_and_a_store_may_move(here: Path) -> None:
    given_case()
    casework("do", "K-1", "log_call", "--by", "consumer", "-d", "note=x").ok()
    shutil.copy("casework.db", "copy.db")
    again = ("do", "K-1", "log_call", "--by", "consumer", "-d", "note=y")
    casework(*again, "--store", "copy.db").fails("is a copy of", "--renew-ledger")
    casework(*again).ok()
    Path("casework.db").rename("moved.db")
    casework(*again, "--store", "moved.db").ok()
    assert casework("audit", "--store", "moved.db", "--json").document()["findings"] == []
