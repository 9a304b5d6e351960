"""The doctor finds each thing that was made wrong, says how to mend it, and changes nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import CHINESE, LIFE, alter, carry, casework, given_case

from casework.rulebook import files
from casework.store.lock import WriterLock
from casework.store.sqlite import health, upkeep

STATE = Path("../state")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a store in it, for its owner alone, and the journals in another."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("PYTHONPATH", "LD_PRELOAD", "CASEWORK_STORE"):
        monkeypatch.delenv(name, raising=False)
    given_case(steps=2)
    Path("casework.db").chmod(0o600)


def journal() -> Path:
    [folder] = (STATE / "casework" / "local").iterdir()
    return folder


def checks(*argv: str) -> list[dict[str, Any]]:
    ran = casework("doctor", "--json", *argv)
    assert ran.status in (0, 1), ran
    found: list[dict[str, Any]] = ran.document(ran.status)["checks"]
    assert (ran.status == 0) == all(c["state"] in ("ok", "note") for c in found)
    return found


def everything() -> dict[str, tuple[bytes, int, int]]:
    """Every file in the folder and in the journals: content, mode, time of change."""
    return {str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
            for root in (Path("."), STATE) for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_store_that_is_well_has_every_check_and_status_0() -> None:
    found = checks()
    assert {c["check"] for c in found} == {
        "versions", "sqlite", "rulebook", "environment", "permissions", "wal", "rollback", "lock", "store", "format", "settings",
        "shape", "soundness", "clock", "calendar", "journal_place", "journal", "key", "keys", "receipts", "store_file_system",
        "store_space", "journal_file_system", "journal_space"}
    assert {c["state"] for c in found} <= {"ok", "note"}
    assert casework("doctor", "--json", "--thorough").document()["ok"] is True
    assert "to mend: 0" in casework("doctor").ok().out


def test_it_says_all_of_it_in_chinese_too_and_every_finding_has_its_remedy() -> None:
    journal().joinpath("key").chmod(0o644)
    for lang in ("en", "zh"):
        found = casework("doctor", "--json", lang=lang).document(1)["checks"]
        assert all(c["remedy"] for c in found if c["state"] in ("warning", "error"))
        assert CHINESE.search("".join(c["what"] for c in found)) if lang == "zh" else True
    assert "→ chmod 600" in casework("doctor").out


def sql(statement: str) -> Callable[[], None]:
    return lambda: alter(statement)


def renamed(name: str) -> Callable[[], None]:
    return lambda: (journal() / name).rename(journal() / "away")


def lost() -> None:
    """The last event is gone, with everything in the store that knew of it."""
    with closing(sqlite3.connect("casework.db")) as db, db:
        db.executescript("DELETE FROM stored_events WHERE originator_version = 3; DELETE FROM ledger_leaves WHERE number = 2")


def older() -> None:
    shutil.copy("casework.db", "old.db")
    carry("K-1", LIFE[2])
    shutil.move("old.db", "casework.db")


def hot() -> None:
    """A writer is killed between writing and committing."""
    code = ("import sqlite3, os\n"
            "c = sqlite3.connect('casework.db', isolation_level=None)\n"
            "for sql in ('PRAGMA journal_mode=TRUNCATE', 'PRAGMA cache_size=1', 'BEGIN IMMEDIATE',\n"
            "            'UPDATE stored_events SET state = zeroblob(90000)', 'UPDATE stored_events SET trigger_name = 0'):\n"
            "    c.execute(sql)\n"
            "os.kill(os.getpid(), 9)")
    subprocess.run([sys.executable, "-c", code], timeout=60)
    Path("casework.db").chmod(0o600)


def behind() -> None:
    whole = (journal() / "checkpoints").read_bytes().split(b"\n\n")
    (journal() / "checkpoints").write_bytes(b"\n\n".join(whole[:-2]).rstrip(b"\n") + b"\n")


def other_key() -> None:
    casework("checkpoint", "--rotate-key").ok()
    old = (journal() / "key").read_bytes()
    casework("checkpoint", "--rotate-key").ok()
    (journal() / "key").write_bytes(old)


def linked_lock() -> None:
    Path("casework.db.lock").unlink(missing_ok=True)
    Path("casework.db.lock").symlink_to("elsewhere")


@pytest.mark.parametrize(("make", "check", "state", "word", "remedy"), [
    (lambda: Path("casework.db").unlink(), "store", "error", "no store at casework.db", "casework init"),
    (lambda: Path("casework.db").write_bytes(b""), "store", "error", "empty file", "casework init"),
    (lambda: Path("casework.db").write_text("x" * 200), "store", "error", "not an SQLite database", "backup"),
    (sql("PRAGMA application_id = 7"), "store", "error", "no casework store", "backup"),
    (lambda: Path("second.db").hardlink_to("casework.db"), "store", "error", "hard links", "casework backup"),
    (lambda: Path("casework.db").chmod(0o666), "permissions", "error", "written by others", "chmod 600"),
    (lambda: Path("casework.db").chmod(0o644), "permissions", "note", "read by others", "chmod 600"),
    (sql("PRAGMA journal_mode = WAL"), "wal", "error", "WAL", "journal_mode=TRUNCATE"),
    (lambda: Path("casework.db-wal").touch(), "wal", "error", "WAL", "journal_mode=TRUNCATE"),
    (hot, "rollback", "warning", "broken off", "casework list"),
    (linked_lock, "lock", "error", "link", "remove it"),
    (lambda: Path("casework.db.lock").chmod(0o666), "lock", "warning", "opened by others", "chmod go-w"),
    (sql("PRAGMA user_version = 1"), "format", "note", "format 1", "--renew-ledger"),
    (sql("DROP INDEX ledger_by_stream"), "shape", "error", "missing: ledger_by_stream", "backup"),
    (sql("DROP INDEX duties_by_due"), "shape", "warning", "duties_by_due", "tick --rebuild"),
    (sql("CREATE TABLE mine (x)"), "shape", "warning", "not ours: mine", "remove them"),
    (sql("ALTER TABLE ledger_leaves ADD COLUMN more TEXT"), "shape", "error", "altered: ledger_leaves", "backup"),
    (sql("UPDATE stored_events SET recorded_at = 9000000000000000"), "clock", "error", "2255", "NTP"),
    (sql("UPDATE duties SET provisional = 1"), "calendar", "note", "provisional duties: 1", "chinesecalendar"),
    (renamed("key"), "key", "error", "nothing can be recorded", "--renew-ledger"),
    (lambda: (journal() / "key").write_text("x"), "key", "error", "no signing key", "restore it"),
    (lambda: (journal() / "key").chmod(0o640), "key", "error", "read by others", "--rotate-key"),
    (renamed("keys"), "keys", "error", "cannot be read", "restore"),
    (lambda: (journal() / "keys").write_text("x"), "keys", "error", "does not hold", "restore"),
    (other_key, "keys", "error", "not the last one", "restore"),
    (lambda: (journal() / "key.new").touch(), "keys", "note", "broken off", "finishes it"),
    (lambda: shutil.rmtree(journal()), "journal", "error", "no journal at", "--renew-ledger"),
    (renamed("checkpoints"), "journal", "error", "is gone", "restore"),
    (lambda: (journal() / "checkpoints").write_bytes(b"x" * 9000), "journal", "error", "no checkpoint", "restore"),
    (lost, "journal", "error", "the journal is ahead: it signed 3 commits", "newest backup"),
    (older, "journal", "error", "the journal is ahead: it signed 4 commits", "--renew-ledger"),
    (behind, "journal", "note", "the journal is behind: it signed 2 commits", "casework checkpoint"),
    (sql("UPDATE ledger_leaves SET leaf = zeroblob(32) WHERE number = 2"), "journal", "error", "rewritten", "casework audit"),
    (sql("DELETE FROM ledger_nodes"), "journal", "error", "lacks node", "backup"),
    (sql("UPDATE ledger_meta SET value = 'none' WHERE name = 'journal'"), "journal", "warning", "was begun", "casework audit"),
    (sql("UPDATE ledger_meta SET value = '../x' WHERE name = 'origin'"), "journal", "error", "cannot name a ledger", "backup"),
    (lambda: (journal() / "receipts" / "K-1-v9.tlog-proof").touch(), "receipts", "warning", "K-1-v9", "casework verify"),
    (lambda: (journal() / "receipts" / "K-1-v1.tlog-proof.77.new").touch(), "receipts", "note", "half written: 1", "rm "),
    (lambda: shutil.rmtree(journal() / "receipts"), "receipts", "note", "not there", "next receipt"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_was_made_wrong_is_found_with_its_remedy_and_nothing_is_written(
    make: Callable[[], object], check: str, state: str, word: str, remedy: str
) -> None:
    make()
    before = everything()
    found = [c for c in checks() if c["check"] == check]
    assert any((c["state"], word in c["what"], remedy in (c["remedy"] or "")) == (state, True, True) for c in found), found
    after = everything()
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] == []
    casework("doctor", lang="zh")


def test_a_page_overwritten_in_the_file_is_found() -> None:
    with open("casework.db", "r+b") as file:
        file.seek(4096 * 2 + 8)
        file.write(os.urandom(64))
    assert any(c["state"] == "error" for c in checks("--thorough"))


def test_a_lock_that_is_held_is_told_with_its_holder_and_is_no_fault() -> None:
    with WriterLock("casework.db", 5):
        [found] = [c for c in checks() if c["check"] == "lock"]
    assert found["state"] == "note" and "held" in found["what"]
    if Path("/proc/locks").exists() and str(os.getpid()) in Path("/proc/locks").read_text():
        assert str(os.getpid()) in found["what"]


def test_a_journal_named_in_the_stores_folder_is_told() -> None:
    shutil.copytree(journal(), "inside")
    [found] = [c for c in checks("--journal", "inside") if c["check"] == "journal_place"]
    assert "lies in the store's folder" in found["what"]


def test_the_journal_of_another_ledger_is_told() -> None:
    casework("init", "--store", "other.db", "--origin", "shop.example/cases").ok()
    found = checks("--journal", str(STATE / "casework" / "shop.example" / "cases"))
    assert [c["state"] for c in found if c["check"] == "key"] == ["error"]


def test_a_store_without_a_journal_says_so_in_a_note() -> None:
    casework("init", "--store", "free.db", "--journal", "none").ok()
    Path("free.db").chmod(0o600)
    [found] = [c for c in checks("--store", "free.db") if c["check"] == "journal"]
    assert (found["state"], "keeps no journal" in found["what"]) == ("note", True)


@pytest.mark.parametrize(("name", "value", "state", "word"), [
    ("LD_PRELOAD", "libeatmydata.so", "warning", "preloaded"),
    ("SQLITE_DBNAME", "x.db", "note", "does not obey SQLITE_DBNAME"),
    ("PYTHONPATH", ".", "note", "PYTHONPATH"),
    ("CASEWORK_LANG", "zh\x1b[2J", "ok", "CASEWORK_LANG"),
])
def test_what_the_environment_changes_is_told(
    name: str, value: str, state: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert any(c["state"] == state and word in c["what"] for c in checks() if c["check"] == "environment")
    casework("doctor")


def test_an_sqlite_that_is_too_old_is_told_and_one_with_the_wal_fault_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, state, word in (((3, 30, 9), "error", "too old"), ((3, 51, 2), "ok", "harmless"), ((3, 52, 0), "ok", "SQLite")):
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        [found] = health.sqlite_version()
        assert (found.state, word in found.en) == (state, True)


@pytest.mark.parametrize(("day", "state"), [((2026, 3, 1), "ok"), ((2026, 12, 20), "note"), ((2027, 1, 2), "error")])
def test_a_calendar_that_ends_is_told_before_and_after(day: tuple[int, int, int], state: str) -> None:
    from casework.cli.doctor import _calendar

    [found] = _calendar(datetime(*day, tzinfo=UTC), 0)
    assert (found.state, "2026-12-31" in found.en) == (state, True)


def test_an_edited_rulebook_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def edited() -> None:
        raise files.Faults([files.InputError("was edited", "被改动", "taobao.yaml:3")])

    monkeypatch.setattr(files, "published", edited)
    [found] = [c for c in checks() if c["check"] == "rulebook"]
    assert found["state"] == "error" and "taobao.yaml:3" in found["what"]


def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.cli.doctor._LIBRARIES", ("click", "no-such-library"))
    [found] = [c for c in checks() if c["check"] == "versions"]
    assert (found["state"], "no-such-library" in found["what"]) == ("error", True)


MOUNTS = """\
1 0 8:1 / / rw - ext4 /dev/a rw
2 1 8:2 / /net rw - nfs4 s:/ rw
3 1 8:3 / /mem rw - tmpfs t rw
4 1 0:1 / /c rw - overlay o rw
"""


@pytest.mark.parametrize(("folder", "forced", "state"), [
    ("/", False, "ok"), ("/net/x", False, "error"), ("/net/x", True, "warning"), ("/mem/x", False, "warning"),
    ("/c/x", False, "note")])
def test_a_file_system_that_loses_cases_is_told(folder: str, forced: bool, state: str) -> None:
    assert next(upkeep.disk("store", folder, 0, MOUNTS, forced=forced)).state == state


@pytest.mark.parametrize(("free", "inodes", "states"), [
    (1 << 40, None, ["ok"]), (1 << 40, 7, ["ok", "warning"]), (150 << 20, None, ["warning"]), (1 << 20, 10**6, ["error"]),
    (900 << 20, None, ["warning"])])
def test_a_disk_that_is_nearly_full_is_told(
    free: int, inodes: int | None, states: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_free", lambda folder: (free, inodes))
    assert [c.state for c in upkeep.disk("store", ".", 500 << 20, MOUNTS)][1:] == states


def test_what_cannot_be_looked_at_at_all_is_status_2() -> None:
    casework("doctor", "--store", ":memory:").fails("in memory")
    casework("doctor", "--store", "mysql://x").fails("mysql:")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_what_may_not_be_read_is_told() -> None:
    Path("casework.db").chmod(0)
    with contextlib.suppress(OSError):
        assert any(c["check"] == "store" and c["state"] == "error" for c in checks())


def test_it_looks_at_nothing_through_a_connection_that_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    connect = sqlite3.connect

    def noted(name: str, *rest: Any, **more: Any) -> sqlite3.Connection:
        opened.append(name)
        return connect(name, *rest, **more)

    monkeypatch.setattr(sqlite3, "connect", noted)
    checks()
    assert [name for name in opened if "casework.db" in name]
    assert all(name == ":memory:" or name.endswith("?mode=ro") for name in opened), opened


def every(found: Iterator[health.Check]) -> list[str]:
    return [c.check for c in found]


def test_the_looks_raise_nothing_of_a_place_that_is_not_there() -> None:
    assert every(health.store_file("no/such")) == ["store"]
    assert every(health.interrupted("no/such")) == ["wal", "rollback"]
    assert every(health.lock("no/such")) == ["lock"]
    assert every(upkeep.journal(Path("no/such"), "no/such", None)) == ["journal"]
    assert every(upkeep.keys(Path("no/such"), "")) == ["key"]
    assert every(upkeep.receipts(Path("no/such"), None)) == ["receipts"]
