"""A backup is a copy that was proved: by the journal's last checkpoint, elsewhere, and by carrying its cases on."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from cli_helpers import GIVEN, LIFE, alter, carry, casework, given_case, pairs, rows

from casework import verifier
from casework.cli.base import Settings
from casework.store.lock import WriterLock
from casework.store.opening import open_reader
from casework.store.sqlite import backup as work

OPENED = ("--by", "consumer", "--at", "2026-03-28T09:00:00+08:00", *pairs(GIVEN))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, with its own journals."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def key() -> str:
    return casework("checkpoint", "--key").ok().out.strip()


def test_a_backup_holds_every_row_is_for_its_owner_alone_and_says_up_to_where_it_is_complete() -> None:
    given_case(steps=3)
    said = casework("backup", "copy.db").ok().out
    assert "complete up to checkpoint 4 " in said and "events: 4, findings: 0" in said
    assert rows("copy.db") == rows()
    assert Path("copy.db").stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir("copy.db.journal")) == ["checkpoints", "keys"]
    assert not [name for name in os.listdir() if name.startswith(".")]
    found = casework("backup", "second.db", "--with-key", "--json").document()
    assert (found["proved"], found["by"], found["size"], found["later"]) == (True, "journal", 4, 0)
    assert Path("second.db.journal/key").stat().st_mode & 0o777 == 0o600


def test_it_is_proved_in_another_place_by_what_lies_beside_it(here: Path) -> None:
    given_case(steps=2)
    trusted = key()
    casework("backup", "copy.db").ok()
    (here / "elsewhere").mkdir()
    shutil.move("copy.db", "elsewhere/copy.db")
    shutil.move("copy.db.journal", "elsewhere/journal")
    shutil.rmtree("state")
    os.chdir("elsewhere")
    proof = ("--key", trusted, "--keys", "journal/keys", "--checkpoint", "journal/checkpoints")
    assert "All 3 events" in casework("verify", "copy.db", *proof).ok().out
    alter("DELETE FROM stored_events WHERE originator_version = 3", "copy.db")
    assert casework("verify", "copy.db", *proof).status == 1


def test_nothing_is_overwritten() -> None:
    given_case()
    for taken in ("copy.db", "copy.db.journal", "copy.db.unproved"):
        Path(taken).write_text("mine")
        casework("backup", "copy.db").fails(taken, "never overwrites")
        assert Path(taken).read_text() == "mine"
        Path(taken).unlink()
    Path("copy.db").symlink_to("nowhere")
    casework("backup", "copy.db").fails("never overwrites")
    casework("backup", "no/such/copy.db").fails("make it first")
    casework("backup", "new.db", "--store", "none.db").fails("no store")


def test_a_backup_that_fails_leaves_nothing_beside_and_may_be_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given_case()

    def full(*_: object) -> None:
        raise work.StoreError("the disk is full", "磁盘已满")

    with monkeypatch.context() as broken:
        broken.setattr(work, "prove", full)
        casework("backup", "copy.db").fails("the disk is full")
    assert not [name for name in os.listdir() if "copy.db" in name]
    casework("backup", "copy.db").ok()


@pytest.mark.parametrize("proved", [True, False])
def test_a_backup_that_has_its_name_keeps_its_journal_though_nobody_can_be_told(proved: bool,
                                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    given_case()

    def refused(*_: object) -> None:
        raise verifier.NotVerified("altered", "被改动")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(work, "prove", refused)
    monkeypatch.setattr(Settings, "answer", full)
    casework("backup", "copy.db", *(["--no-audit"] if proved else [])).fails("No space left")
    assert Path("copy.db.journal/checkpoints").is_file()
    assert Path("copy.db" if proved else "copy.db.unproved").is_file()


def test_a_journal_beside_that_is_there_by_now_is_somebody_elses(here: Path) -> None:
    given_case()
    [journal] = (here / "state" / "casework").glob("local/*")
    (here / "copy.db.journal").mkdir()
    (here / "copy.db.journal" / "keys").write_text("theirs")
    with pytest.raises(work.StoreError):
        work.copy_journal(journal, here / "copy.db.journal", with_key=False)
    assert (here / "copy.db.journal" / "keys").read_text() == "theirs"


def test_a_name_that_is_taken_meanwhile_is_left_alone(here: Path) -> None:
    fresh, place = here / "fresh", here / "copy.db"
    fresh.touch()
    place.write_text("mine")
    with pytest.raises(work.StoreError):
        work.publish(fresh, place)
    assert place.read_text() == "mine" and not fresh.exists()


@pytest.mark.parametrize(("sql", "word"), [
    ("DELETE FROM stored_events WHERE originator_version = 3", "version 3 is missing"),
    ("UPDATE stored_events SET at = at + 1 WHERE originator_version = 1", "not what commit 0 recorded"),
    ("DELETE FROM ledger_leaves WHERE number = 2; DELETE FROM stored_events WHERE originator_version = 3", "lost commits"),
    ("DELETE FROM ledger_nodes", "lacks node"),
    ("UPDATE ledger_meta SET value = 'none' WHERE name = 'journal'; DELETE FROM stored_events", "missing"),
    ("DROP TABLE ledger_leaves", "no ledger"),
])
def test_a_copy_that_cannot_be_proved_is_kept_under_a_name_that_says_so(sql: str, word: str) -> None:
    given_case(steps=2)
    with closing(sqlite3.connect("casework.db")) as db:
        db.executescript(sql)
    ran = casework("backup", "copy.db")
    assert ran.status == 1 and "NOT proved, no backup" in ran.out and word in ran.out
    assert not Path("copy.db").exists() and Path("copy.db.unproved").is_file()
    assert casework("backup", "second.db", "--json", lang="zh").document(status=1)["proved"] is False


def test_an_index_that_does_not_fit_its_table_is_no_sound_copy() -> None:
    given_case(steps=2)
    with closing(sqlite3.connect("casework.db")) as db, db:
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX duties_by_due ON duties (kind)' WHERE name = 'duties_by_due'")
    ran = casework("backup", "copy.db")
    assert ran.status == 1 and "the database is damaged" in ran.out
    assert not Path("copy.db").exists()


def test_a_journal_that_is_not_there_does_not_prove_and_the_store_is_copied_all_the_same() -> None:
    given_case(steps=2)
    shutil.rmtree("state")
    ran = casework("backup", "copy.db")
    assert ran.status == 1 and "name it with --journal" in ran.out
    assert rows("copy.db.unproved") == rows()


def test_findings_of_the_law_are_the_stores_own_and_leave_the_backup_its_name() -> None:
    given_case(steps=1)
    alter("UPDATE stored_events SET to_state = 'ruled' WHERE originator_version = 2")
    casework("init", "--renew-ledger", "--reason", "a row was altered", "--journal", "none").ok()
    ran = casework("backup", "copy.db")
    assert ran.status == 1 and "column_mismatch" in ran.out and "the store has them too" in ran.out
    assert Path("copy.db").is_file()


def test_a_store_without_a_journal_says_what_is_not_proved() -> None:
    casework("init", "--journal", "none").ok()
    casework("open", "K-1", *OPENED).ok()
    said = casework("backup", "copy.db").ok().out
    assert "there is no checkpoint outside" in said
    assert not Path("copy.db.journal").exists()


def test_an_empty_store_has_nothing_signed_and_is_proved_empty() -> None:
    casework("init").ok()
    assert "complete up to checkpoint 0" in casework("backup", "copy.db").ok().out


def test_without_its_audit_it_says_that_it_is_no_backup() -> None:
    given_case()
    assert "no backup" in casework("backup", "copy.db", "--no-audit").ok().out
    assert casework("backup", "second.db", "--no-audit", "--json").document()["proved"] is None


def test_it_waits_for_a_writer_and_copies_what_he_recorded() -> None:
    given_case()
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        with WriterLock("casework.db", 5):
            begun.set()
            assert not done.wait(0.2), "the copy was made while somebody wrote"

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(5)
    casework("backup", "copy.db").ok()
    done.set()
    writer.join()
    assert rows("copy.db") == rows()


# --- the drill ---------------------------------------------------------------------------------------------------------------


def test_the_newest_backup_is_put_in_another_place_audited_against_the_outside_and_carried_on() -> None:
    given_case(steps=2)
    trusted = key()
    Path("outside").write_text(casework("checkpoint").ok().out)
    casework("backup", "copy.db").ok()
    Path("casework.db").unlink()
    Path("restored").mkdir()
    shutil.copy("copy.db", "restored/cases.db")
    casework("verify", "restored/cases.db", "--key", trusted, "--checkpoint", "outside").ok()
    casework("audit", "--store", "restored/cases.db").ok()
    carry("K-1", LIFE[2], store="restored/cases.db")
    later = casework("checkpoint", "--store", "restored/cases.db", "--old", "3").ok().out
    Path("grown").write_text(later)
    assert casework("verify", "grown", "--key", trusted, "--checkpoint", "outside").status == 0, "the same ledger goes on"


def test_an_old_backup_is_refused_for_writing_until_the_ledger_is_begun_anew_with_a_reason() -> None:
    given_case(steps=2)
    trusted = key()
    casework("backup", "old.db").ok()
    carry("K-1", LIFE[2])
    Path("outside").write_text(casework("checkpoint").ok().out)
    shutil.copy("old.db", "casework.db")
    by, trigger, at, said = LIFE[3]
    refused = casework("do", "K-1", trigger, "--by", by, "--at", at, *pairs(said))
    refused.fails("lacks 1 commits", "casework init --renew-ledger")
    lost = casework("verify", "casework.db", "--key", trusted, "--checkpoint", "outside")
    assert lost.status == 1 and "lost commits" in lost.out
    casework("init", "--renew-ledger").fails("--reason")
    casework("init", "--renew-ledger", "--reason", "the disk failed; the newest backup is of yesterday").ok()
    casework("do", "K-1", trigger, "--by", by, "--at", at, *pairs(said)).ok()
    with open_reader("casework.db") as reader:
        assert "the disk failed" in reader.ledger().meta()["renewed"]
    assert "the disk failed" in casework("doctor").out
    for known in (trusted, key()):  # the old ledger is not forgotten
        assert casework("verify", "casework.db", "--key", known, "--checkpoint", "outside").status == 1
    Path("outside").write_text(casework("checkpoint").ok().out)
    casework("verify", "casework.db", "--key", key(), "--checkpoint", "outside").ok()
