"""The store in one SQLite file: real files, and real processes where it says so."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from eventsourcing.persistence import OperationalError, StoredEvent
from store_helpers import event, finish, line_of, python

from casework.errors import InputError, NotAStore, StoreBusy, StoreError, StoreMissing
from casework.store import lock, url
from casework.store.lock import WriterLock
from casework.store.sqlite import order, reader
from casework.store.sqlite import recorder as sqlite
from casework.store.sqlite.reader import Reader
from casework.store.sqlite.recorder import CaseDatastore, CaseRecorder, check, create, settings, store_error
from casework.store.url import Location, file_system, parse

ODD_NAMES = [
    "what?.db",
    "a#b.db",
    "100%25.db",
    "two words.db",
    "投诉 案件.db",
    "mode=memory:memory:.db",
    "a&b=c;'\".db",
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "casework.db"
    create(path)
    return path


@pytest.fixture
def recorder(store: Path) -> Iterator[CaseRecorder]:
    made = CaseRecorder(CaseDatastore(store))
    yield made
    made.close()


def fill(path: Path, cases: int, versions: int) -> None:
    made = CaseRecorder(CaseDatastore(path))
    for version in range(1, versions + 1):
        made.insert_events([event(f"c{n}", version) for n in reversed(range(cases))])
    made.close()


def hand_alter(path: Path, *statements: str) -> None:
    """What somebody with the sqlite3 shell might do; the NOT NULLs are gone first."""
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("BEGIN")
    con.execute("CREATE TABLE loose AS SELECT * FROM stored_events")
    con.execute("DROP TABLE stored_events")
    con.execute(f"CREATE TABLE stored_events ({', '.join(reader.COLUMNS)})")
    con.execute("INSERT INTO stored_events SELECT * FROM loose ORDER BY rowid")
    con.execute("DROP TABLE loose")
    for statement in statements:
        con.execute(statement)
    con.execute("COMMIT")
    con.close()


# settings


def test_every_setting_reads_back_on_a_live_connection_of_the_pool(recorder: CaseRecorder) -> None:
    with recorder.datastore.transaction(commit=False) as cursor:
        found = {}
        for name in ("journal_mode", "synchronous", "secure_delete", "cell_size_check", "trusted_schema"):
            cursor.execute(f"PRAGMA {name}")
            found[name] = cursor.fetchone()[0]
        cursor.execute("PRAGMA busy_timeout")
        found["busy_timeout"] = cursor.fetchone()[0]
    assert found == {
        "journal_mode": "truncate",
        "synchronous": 3,
        "secure_delete": 1,
        "cell_size_check": 1,
        "trusted_schema": 0,
        "busy_timeout": 30_000,
    }


def test_a_database_in_memory_gets_the_settings_but_those_of_the_journal() -> None:
    con = sqlite3.connect(":memory:")
    settings(con)
    assert con.execute("PRAGMA journal_mode").fetchone() == ("memory",)
    assert con.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_a_setting_that_does_not_take_is_an_error_in_both_languages() -> None:
    con = sqlite3.connect(":memory:")
    with pytest.raises(StoreError) as caught:
        reader.set_pragma(con, "no_such_setting", 1)
    assert "no_such_setting=1" in caught.value.en and "no_such_setting=1" in caught.value.zh


def test_wal_never_appears(recorder: CaseRecorder, store: Path) -> None:
    recorder.insert_events([event()])
    with Reader(store) as read:
        rows = read.rows()
        next(rows)
        names = {p.name for p in store.parent.iterdir()}
        assert names <= {"casework.db", "casework.db-journal"}
    assert store.read_bytes()[18:20] == b"\x01\x01"  # the header's journal version: no WAL


def test_a_store_put_in_wal_mode_by_hand_is_refused_until_it_is_put_right(store: Path) -> None:
    fill(store, 1, 1)
    con = sqlite3.connect(store)
    con.execute("PRAGMA journal_mode=WAL")
    con.close()
    for opened in (check, create, Reader):
        with pytest.raises(StoreError, match="WAL"):
            opened(store)
    assert [p.name for p in store.parent.iterdir() if p.name.endswith("-wal") and p.stat().st_size] == []
    con = sqlite3.connect(store)
    settings(con)
    con.close()
    check(store)


# the recorder


def test_the_library_can_select_events_and_notifications(recorder: CaseRecorder) -> None:
    recorder.insert_events([event("案件", 1), event("案件", 2), event("other", 1)])
    selected = recorder.select_events("案件", gt=1)
    assert selected == [StoredEvent("案件", 2, "casework.case.noted", b"{}")]
    assert [e.originator_version for e in recorder.select_events("案件", desc=True, limit=1)] == [2]
    assert [n.id for n in recorder.select_notifications(start=2, limit=9)] == [2, 3]
    assert recorder.max_notification_id() == 3


def test_a_commit_that_fails_is_not_recorded_by_the_next_one(recorder: CaseRecorder, store: Path) -> None:
    with recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("PRAGMA busy_timeout=50")
    blocker = sqlite3.connect(store, isolation_level=None)
    recorder.insert_events([event("c0")])
    reading = blocker.execute("SELECT * FROM stored_events, (SELECT 1 UNION SELECT 2)")
    reading.fetchone()  # half read: it holds the lock that a commit waits for
    with pytest.raises(OperationalError) as caught:
        recorder.insert_events([event("lost")])
    assert isinstance(store_error(caught.value, str(store)), StoreBusy)
    reading.close()
    recorder.insert_events([event("kept")])
    with Reader(store) as read:
        assert read.case_ids() == ["c0", "kept"]


def test_a_writer_gives_its_turn_back_when_no_connection_can_be_made(tmp_path: Path) -> None:
    path = tmp_path / "later.db"
    made = CaseRecorder(CaseDatastore(path))
    for _ in range(2):
        with pytest.raises(StoreError):
            made.insert_events([event()])
    assert not path.exists()
    create(path)
    assert made.insert_events([event()]) == [1]
    made.close()


# making and checking


def test_making_a_store_twice_changes_nothing(store: Path) -> None:
    fill(store, 1, 1)
    before = store.read_bytes()
    create(store)
    assert store.read_bytes() == before
    con = sqlite3.connect(store)
    assert con.execute("PRAGMA application_id").fetchone() == (0x43415345,)
    assert con.execute("PRAGMA user_version").fetchone() == (2,)
    con.close()


def test_an_empty_file_becomes_a_store_when_creating(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    create(path)
    check(path)


@pytest.mark.parametrize("name", [*ODD_NAMES, os.fsdecode(b"\xff\xfe.db")])
def test_odd_names_work_for_making_writing_reading_and_locking(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    create(path)
    fill(path, 2, 2)
    with Reader(path) as read, WriterLock(path, 1):
        assert len(list(read.rows())) == 4
    assert {p.name for p in tmp_path.iterdir()} <= {name, name + "-journal", name + ".lock"}


def test_a_relative_name_is_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    create("t.db")
    check("t.db")
    assert (tmp_path / "t.db").exists()


def test_a_missing_store_is_missing_and_is_not_made_by_looking(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "none.db", tmp_path / "no" / "none.db", tmp_path / "file" / "none.db"):
        for opened in (check, Reader):
            with pytest.raises(StoreMissing):
                opened(path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_store_is_not_made_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder"):
        create(tmp_path / "no" / "t.db")


def not_stores(folder: Path) -> dict[str, Path]:
    """One file of every kind that is no store."""
    (folder / "directory").mkdir()
    (folder / "text.db").write_text("this is no database, though it is long enough to hold a header. " * 20)
    os.mkfifo(folder / "fifo")
    for name, script in {
        "other": "CREATE TABLE stored_events (a)",
        "blank": "VACUUM",
        "newer": "PRAGMA user_version=3",
        "no_version": "PRAGMA user_version=0",
        "no_table": "DROP TABLE stored_events",
        "view": "ALTER TABLE stored_events RENAME TO t; CREATE VIEW stored_events AS SELECT * FROM t",
        "extra": "ALTER TABLE stored_events ADD COLUMN rowid",
        "fewer": "ALTER TABLE stored_events DROP COLUMN at",
    }.items():
        if name not in ("other", "blank"):
            create(folder / name)
        con = sqlite3.connect(folder / name)
        con.executescript(script)
        con.close()
    return {p.name: p for p in folder.iterdir()}


def test_what_is_no_store_is_said_to_be_none_by_everyone_and_is_left_as_it_is(tmp_path: Path) -> None:
    found = not_stores(tmp_path)
    assert len(found) == 11
    for name, path in found.items():
        before = path.read_bytes() if path.is_file() else b""
        for opened in (check, create, Reader):
            with pytest.raises(NotAStore) as caught:
                opened(path)
            assert "\n" not in caught.value.en and str(path) in caught.value.en and str(path) in caught.value.zh, name
        assert not path.is_file() or path.read_bytes() == before


def test_an_empty_file_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    for opened in (check, Reader):
        with pytest.raises(NotAStore, match="empty"):
            opened(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_store_of_somebody_else_is_a_matter_of_permission() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        create(path)
        path.chmod(0o600)
        os.chmod(folder, 0o755)
        os.seteuid(65534)
        try:
            for opened in (check, create, Reader, lambda p: WriterLock(p, 1).__enter__()):
                with pytest.raises(StoreError) as caught:
                    opened(path)
                assert type(caught.value) is StoreError and "ermission" in caught.value.en
            with pytest.raises(StoreError, match="permission"):
                create(Path(folder) / "new.db")
        finally:
            os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_store_that_may_only_be_read_can_be_read_and_says_so_when_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        create(path)
        fill(path, 1, 1)
        path.chmod(0o644)
        os.chmod(folder, 0o755)
        os.seteuid(65534)
        try:
            with Reader(path) as read:
                assert read.has("c0")
            made = CaseRecorder(CaseDatastore(path))
            with pytest.raises((StoreError, OperationalError)) as caught:
                made.insert_events([event("c9")])
            assert "permission" in store_error(caught.value, str(path)).en
            made.close()
        finally:
            os.seteuid(0)


# the lock


HOLD = """if True:
    import sys
    from casework.store.lock import WriterLock
    with WriterLock(sys.argv[1], 10):
        print("held", flush=True)
        sys.stdin.readline()
    print("released", flush=True)"""


def test_two_processes_exclude_each_other(store: Path) -> None:
    process = python(HOLD, store)
    assert line_of(process) == "held"
    started = time.monotonic()
    with pytest.raises(StoreBusy) as caught, WriterLock(store, 0.2):
        pass
    assert 0.2 <= time.monotonic() - started < 5
    assert str(store) in caught.value.zh
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    with WriterLock(store, 10):
        pass
    finish(process)


def test_a_holder_that_is_killed_does_not_keep_the_lock(store: Path) -> None:
    process = python(HOLD, store)
    assert line_of(process) == "held"
    process.kill()
    process.communicate()
    with WriterLock(store, 10):
        pass


def test_two_threads_exclude_each_other_even_with_one_lock_object(store: Path) -> None:
    shared = WriterLock(store, 30)
    inside, most = 0, 0

    def work(own: bool) -> None:
        nonlocal inside, most
        for _ in range(20):
            with WriterLock(store, 30) if own else shared:
                inside += 1
                most = max(most, inside)
                time.sleep(0.0005)
                inside -= 1

    threads = [threading.Thread(target=work, args=(n % 2 == 0,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)


def test_a_thread_waits_no_longer_than_it_was_told(store: Path) -> None:
    with WriterLock(store, 0), pytest.raises(StoreBusy), WriterLock(store, 0.05):
        pass
    with WriterLock(store, 0):
        pass


def test_the_lock_is_on_a_file_beside_the_store_which_stays_and_is_shared_by_links(store: Path) -> None:
    link = store.with_name("link.db")
    link.symlink_to(store)
    with WriterLock(link, 0), pytest.raises(StoreBusy), WriterLock(store, 0):
        pass
    assert (store.parent / "casework.db.lock").exists()
    assert not (store.parent / "link.db.lock").exists()


def test_a_child_that_is_forked_meanwhile_does_not_go_on_holding_the_lock(store: Path) -> None:
    with WriterLock(store, 0):
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
    try:
        with WriterLock(store, 0):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_what_is_in_the_place_of_the_lock_file_is_an_error_with_a_remedy(store: Path) -> None:
    (store.parent / "casework.db.lock").symlink_to(store)
    with pytest.raises(StoreError, match="remove"), WriterLock(store, 0):
        pass
    assert store.stat().st_size > 0
    assert lock.WriterLock(store, 0).sidecar.endswith("casework.db.lock")


# reading


def test_no_row_is_skipped_or_repeated_whatever_types_it_holds(store: Path) -> None:
    fill(store, 3, 3)
    odd = [
        "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "(7, 'one', 3, 'text', 4, 5.5, x'00ff', 'noon', 1e300)",
        "('c1', 1, 'twice', x'', NULL, NULL, NULL, 1, 1)",
        "('c1', NULL, 't', x'', NULL, NULL, NULL, 1, 1)",
        "('c1', 'two', 't', x'', NULL, NULL, NULL, 1, 1)",
        "('c1', 1.5, 't', x'', NULL, NULL, NULL, 1, 1)",
        "(x'6331', 1, 't', x'', NULL, NULL, NULL, 1, 1)",
        "(CAST(x'63ff31' AS TEXT), 1, CAST(x'eda080' AS TEXT), x'', CAST(x'80' AS TEXT), NULL, NULL, 1, 1)",
        "('nul' || char(0) || 'x', 9223372036854775807, 't', x'', NULL, NULL, NULL, -1, -9223372036854775808)",
        "('', 0, '', '', '', '', '', 0, 0)",
    ]
    hand_alter(
        store,
        f"INSERT INTO stored_events VALUES {', '.join(odd)}",
        "UPDATE stored_events SET rowid = -5 WHERE originator_id = 'c2' AND originator_version = 2",
        "UPDATE stored_events SET rowid = 9223372036854775807 WHERE originator_id = 'c0' AND originator_version = 1",
    )
    found = {}
    for page in (1, 2, 3, 2_000):
        with Reader(store, page=page) as read:
            found[page] = list(read.rows())
    rows = found[2_000]
    assert all(again == rows for again in found.values())
    assert len(rows) == 9 + len(odd)
    cases: list[object] = [row.case for row in rows]
    # SQLite's order: NULL, numbers, text by bytes, blobs.
    assert cases[:4] == [None, None, 7, ""] and cases[-1] == b"c1"
    assert [row.version for row in rows if row.case == "c1"] == [None, 1, 1, 1.5, 2, 3, "two"]
    odd_text = next(row for row in rows if row.case == "c\udcff1")
    assert odd_text.trigger == "\udc80" and odd_text.topic == "\udced\udca0\udc80"
    with Reader(store) as read:
        assert read.case_ids() == ["", "c0", "c1", "c2", "c\udcff1", "nul\0x"]
        assert list(read.rows("c\udcff1")) == [odd_text]
        assert read.has("nul\0x") and read.has("") and not read.has("nul")


def test_very_large_rows_are_read_in_smaller_pages(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, 5, 5)
    monkeypatch.setattr(reader, "_PAGE_BYTES", 5)
    with Reader(store) as read:
        assert len(set(read.rows())) == 25


def test_a_row_that_disappears_during_a_scan_is_an_error(store: Path) -> None:
    fill(store, 5, 1)
    with Reader(store, page=2) as read:
        rows = read.rows()
        next(rows)
        con = sqlite3.connect(store)
        con.execute("DELETE FROM stored_events WHERE originator_id = 'c4'")
        con.commit()
        con.close()
        with pytest.raises(StoreError, match="disappeared"):
            list(rows)


def test_a_row_is_found_though_the_index_has_lost_it(store: Path) -> None:
    fill(store, 3, 3)
    con = sqlite3.connect(store, isolation_level=None)
    con.execute("PRAGMA writable_schema=1")
    # The index's root is made that of a spare, empty index: the table has rows of which the index knows nothing.
    con.execute("CREATE TABLE spare (a TEXT, b INTEGER, PRIMARY KEY (a, b))")
    (root,) = con.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_spare_1'").fetchone()
    con.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'sqlite_autoindex_stored_events_1'", (root,))
    con.close()
    with Reader(store) as read:
        assert len(list(read.rows())) == 9


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_the_index_gives_the_order_that_sorting_the_table_gives_page_by_page(store: Path, size: int) -> None:
    fill(store, 7, 4)
    with closing(sqlite3.connect(store)) as con:
        con.text_factory = reader._text
        [of] = order.ranges(con) or []
        assert of == ("", None, 28, 28)
        for parts in ([of], order.ranges(con, size) or []):
            found = list[int]()
            for part in parts:
                after, before = (part.low, order.FIRST), len(found)
                while page := order.following(con, part, after, size):
                    assert len(page) <= size
                    found += [place for place, _, _ in page]
                    after = page[-1][1:]
                assert len(found) - before == part.rows
            assert len(parts) == 1 or all(size <= part.rows < size + 4 for part in parts[:-1])
            assert found == [place for (place,) in con.execute(reader._ORDER)]


def misled(store: Path, change: str) -> None:
    """Give the store an index over a changed copy of its keys."""
    con = sqlite3.connect(store, isolation_level=None)
    con.execute("PRAGMA writable_schema=1")
    con.execute("CREATE TABLE spare (a TEXT, b INTEGER, PRIMARY KEY (a, b))")
    con.execute("INSERT INTO spare (rowid, a, b) SELECT rowid, originator_id, originator_version FROM stored_events")
    con.execute(change)
    (root,) = con.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_spare_1'").fetchone()
    con.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'sqlite_autoindex_stored_events_1'", (root,))
    con.close()


@pytest.mark.parametrize("change", [
    "DELETE FROM spare WHERE rowid = 3", "UPDATE spare SET a = 'd' WHERE rowid = 3", "UPDATE spare SET b = 9 WHERE rowid = 3",
    "UPDATE spare SET rowid = 99 WHERE rowid = 3", "INSERT INTO spare (rowid, a, b) VALUES (99, 'c0', 9)", "DELETE FROM spare",
])
def test_an_index_that_says_otherwise_than_its_table_orders_nothing(store: Path, change: str) -> None:
    fill(store, 3, 3)
    with Reader(store) as read:
        whole = list(read.rows())
    misled(store, change)
    with closing(sqlite3.connect(store)) as con:
        con.text_factory = reader._text
        assert order.ranges(con) is None
    with Reader(store) as read:
        assert list(read.rows()) == whole
        assert (read.snapshot().events, list(read.snapshot().rows)) == (9, whole)


def made_otherwise(path: Path, make: str, *, encoding: str = "UTF-8", more: tuple[str, ...] = ()) -> None:
    """Somebody's own file: what the store at ``path`` has, in a table that he made."""
    with closing(sqlite3.connect(path)) as con:
        rows = con.execute(f"SELECT {', '.join(reader.COLUMNS)} FROM stored_events").fetchall()
    path.unlink()
    con = sqlite3.connect(path, isolation_level=None)
    for statement in (f"PRAGMA encoding='{encoding}'", make, f"PRAGMA application_id={reader.APPLICATION_ID}",
                      "PRAGMA user_version=1"):
        con.execute(statement)
    con.executemany(f"INSERT INTO stored_events VALUES ({', '.join('?' * len(reader.COLUMNS))})", rows)
    for statement in more:
        con.execute(statement)
    con.close()


_SPACED = ("UPDATE stored_events SET originator_id = 'c1 ', originator_version = originator_version + 10 "
           "WHERE originator_id = 'c2'")


@pytest.mark.parametrize(("old", "new", "encoding", "more"), [
    ("", "", "UTF-16le", ()), ("", "", "UTF-16be", ()),
    ("id TEXT", "id TEXT COLLATE NOCASE", "UTF-8", (_SPACED.replace("'c1 '", "'C1'"),)),
    ("id TEXT", "id TEXT COLLATE RTRIM", "UTF-8", (_SPACED,)),
    ("PRIMARY KEY", "UNIQUE (originator_version, originator_id), PRIMARY KEY", "UTF-8", ()),
    ("(originator_id, ", "(originator_id DESC, ", "UTF-8", ()),
])
def test_in_a_table_that_casework_did_not_make_each_row_is_read_once(store: Path, old: str, new: str, encoding: str,
                                                                     more: tuple[str, ...]) -> None:
    fill(store, 7, 3)
    made_otherwise(store, sqlite.EVENTS.replace(old, new), encoding=encoding, more=more)
    with closing(sqlite3.connect(store)) as con:
        there = sorted(con.execute("SELECT originator_id, originator_version FROM stored_events"))
        assert order.ranges(con) is None
    with Reader(store, page=4) as read:
        assert sorted((row.case, row.version) for row in read.rows()) == there
        assert sorted((row.case, row.version) for of in read.parts(3).ranges for row in read.part(of)) == there


def test_the_text_of_a_key_that_is_compared_as_a_number_orders_nothing(store: Path) -> None:
    fill(store, 7, 3)
    with closing(sqlite3.connect(store, isolation_level=None)) as con:
        con.execute("UPDATE stored_events SET originator_id = substr(originator_id, 2)")
        con.execute("PRAGMA writable_schema=1")
        con.execute("UPDATE sqlite_master SET sql = replace(sql, 'id TEXT', 'id INTEGER') WHERE type = 'table'")
    with Reader(store, page=4) as read:
        assert [row.case for row in read.rows()] == [str(n) for n in range(7) for _ in range(3)]


@pytest.mark.parametrize("moved", [
    "UPDATE stored_events SET rowid = rowid - 1000", f"UPDATE stored_events SET rowid = {2**63 - 1} WHERE rowid = 6"])
def test_what_is_recorded_meanwhile_takes_no_rows_place_wherever_in_the_file_that_is(store: Path, moved: str) -> None:
    fill(store, 3, 2)
    with closing(sqlite3.connect(store, isolation_level=None)) as con:
        con.execute(moved)
    with Reader(store, page=1) as read:
        seen = read.snapshot()
        fill_more = CaseRecorder(CaseDatastore(store))
        fill_more.insert_events([event("b", 1), event("c1", 3)])
        fill_more.close()
        assert [(row.case, row.version) for row in seen.rows] == [(f"c{n}", v) for n in range(3) for v in (1, 2)]


def test_the_lowest_version_that_there_can_be_is_read_where_a_part_begins_with_it(store: Path) -> None:
    fill(store, 2, 2)
    with closing(sqlite3.connect(store, isolation_level=None)) as con:
        con.execute("UPDATE stored_events SET originator_version = ? WHERE originator_id = 'c1' AND originator_version = 1",
                    (-2**63,))
    with Reader(store) as read:
        assert [row.version for of in read.parts(1).ranges for row in read.part(of)] == [1, 2, -2**63, 2]


def test_a_store_that_is_locked_is_waited_for_once(store: Path) -> None:
    fill(store, 1, 1)
    with closing(sqlite3.connect(store, isolation_level=None)) as con, Reader(store, wait=0.5) as read:
        con.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        with pytest.raises(StoreBusy):
            read.snapshot()
        assert 0.4 < time.monotonic() - begun < 0.9


def test_a_file_damaged_in_the_middle_is_an_error_with_a_remedy(store: Path) -> None:
    fill(store, 50, 20)
    data = bytearray(store.read_bytes())
    for start in range(2 * 4096, len(data), 4096):
        data[start : start + 64] = b"\xaa" * 64
    store.write_bytes(data)
    with pytest.raises(StoreError, match="integrity_check") as caught, Reader(store) as read:
        list(read.rows())
    assert "备份" in caught.value.zh


def test_random_damage_never_gives_anything_but_rows_or_store_errors(store: Path) -> None:
    import random

    fill(store, 12, 6)
    clean = store.read_bytes()
    rng = random.Random(20261122)
    failed = 0
    for _ in range(400):
        data = bytearray(clean)
        for _ in range(rng.choice((1, 1, 4, 40))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        store.write_bytes(data)
        try:
            with Reader(store, page=10) as read:
                list(read.rows())
                for case in read.case_ids():
                    list(read.rows(case))
        except StoreError:
            failed += 1
    assert 0 < failed < 400


def test_a_store_locked_for_too_long_is_busy(store: Path) -> None:
    with Reader(store, wait=0.05) as read:
        con = sqlite3.connect(store, isolation_level=None)
        con.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy):
            list(read.rows())
        with pytest.raises(StoreBusy):
            Reader(store, wait=0.05)
        con.execute("ROLLBACK")
        con.close()
        assert list(read.rows()) == []


def test_a_reader_cannot_write(store: Path) -> None:
    with Reader(store) as read, pytest.raises(sqlite3.OperationalError, match="readonly"):
        read._connection.execute("DELETE FROM stored_events")


KILLED_IN_COMMIT = """if True:
    import os, signal, sqlite3, sys
    con = sqlite3.connect(sys.argv[1], isolation_level=None)
    con.execute("PRAGMA journal_mode=TRUNCATE")
    con.execute("PRAGMA cache_size=1")
    con.execute("PRAGMA cache_spill=1")
    con.execute("BEGIN IMMEDIATE")
    for n in range(2000):  # more than the cache holds: pages are written before the commit
        con.execute("INSERT INTO stored_events VALUES (?, 1, 't', zeroblob(900), NULL, NULL, NULL, 1, 1)", (f"x{n}",))
    os.kill(os.getpid(), signal.SIGKILL)"""


def test_readers_and_writers_roll_back_what_a_killed_writer_left(store: Path) -> None:
    fill(store, 3, 2)
    looks: list[Callable[[], object]] = [lambda: check(store), lambda: create(store), lambda: Reader(store).close()]
    for look in looks:
        process = python(KILLED_IN_COMMIT, store)
        process.communicate(timeout=60)
        assert (store.parent / "casework.db-journal").stat().st_size > 0
        look()
        with Reader(store) as read:
            assert len(list(read.rows())) == 6
    with Reader(store, page=2) as read:  # and in the middle of a scan
        rows = read.rows()
        next(rows)
        python(KILLED_IN_COMMIT, store).communicate(timeout=60)
        assert len(list(rows)) == 5


def test_a_store_whose_making_was_killed_is_made_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    create(path)
    con = sqlite3.connect(path)
    con.execute("PRAGMA user_version=0")
    con.executescript("DROP TABLE stored_events; PRAGMA application_id=0; VACUUM")
    con.close()
    path.write_bytes(b"")
    code = KILLED_IN_COMMIT.replace("BEGIN IMMEDIATE", "BEGIN EXCLUSIVE").replace(
        "for n", f"con.execute({sqlite.EVENTS!r})\n    for n"
    )
    python(code, path).communicate(timeout=60)
    assert path.stat().st_size > 0
    create(path)
    with Reader(path) as read:
        assert list(read.rows()) == []


# memory


# names of stores


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqlite:///t.db", Location("sqlite", "t.db", False)),
        ("SQLite:////var/t.db", Location("sqlite", "/var/t.db", False)),
        ("casework.db", Location("sqlite", "casework.db", False)),
        ("/a b/案件.db", Location("sqlite", "/a b/案件.db", False)),
        ("sqlite:///100%25 ?#.db", Location("sqlite", "100%25 ?#.db", False)),
        ("sqlite:////x/t.db?force=1", Location("sqlite", "/x/t.db", True)),
        ("sqlite:////x/t.db?force=0", Location("sqlite", "/x/t.db", False)),
        ("t.db?force=1", Location("sqlite", "t.db?force=1", False)),
        ("sqlite://", Location("memory", "", False)),
        ("sqlite:///:memory:", Location("memory", "", False)),
        (":memory:", Location("memory", "", False)),
        ("C:\\t.db", Location("sqlite", "C:\\t.db", False)),
        ("case:1.db", Location("sqlite", "case:1.db", False)),
        ("~/t.db", Location("sqlite", "/home/wang/t.db", False)),
        ("~", Location("sqlite", "/home/wang", False)),
        ("sqlite:///~/t.db", Location("sqlite", "~/t.db", False)),
        ("a/~/t.db", Location("sqlite", "a/~/t.db", False)),
        ("postgresql://h/d", Location("postgresql", "postgresql://h/d", False, "casework", "postgresql://h/d")),
        ("Postgres://u:s%40@a:1,b:2/d?schema=s2&sslmode=require&password=s",
         Location("postgresql", "Postgres://u:s%40@a:1,b:2/d?sslmode=require&password=s", False, "s2",
                  "postgresql://u@a:1,b:2/d?schema=s2")),
        ("postgresql://u:p%40ss@/d?host=/run/pg",
         Location("postgresql", "postgresql://u:p%40ss@/d?host=/run/pg", False, "casework", "postgresql://u@/d?host=/run/pg")),
    ],
)
def test_a_url_names_a_place(text: str, expected: Location) -> None:
    assert parse(text, home="/home/wang") == expected


def test_the_home_folder_comes_from_the_user_table_and_never_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import pwd

    monkeypatch.setenv("HOME", "/elsewhere")
    own = pwd.getpwuid(os.getuid())
    assert parse("~/t.db").path == f"{own.pw_dir.rstrip('/')}/t.db"
    assert parse(f"~{own.pw_name}/t.db", home="/x").path == f"{own.pw_dir.rstrip('/')}/t.db"
    with pytest.raises(InputError, match="no-such-user"):
        parse("~no-such-user/t.db")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "a\0b",
        "sqlite:///a\0",
        "mysql://u:secret@h/d",
        "postgres://u:secret@h",
        "postgresql+psycopg://u:secret@h/d",
        "postgresql:d",
        "postgresql:///",
        "postgresql://u:secret@h/d?schema=No;Name",
        "file:t.db",
        "sqlite:t.db",
        "sqlite://t.db",
        "sqlite:///",
    ]
    + ["sqlite:///?force=1", "sqlite:///t.db?mode=ro", "sqlite:///t.db?force=yes"],
)
def test_a_url_that_names_nothing_is_an_input_error_that_shows_no_secret(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.zh and "secret" not in caught.value.en + caught.value.zh


MOUNTS = """22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:26 / /mnt rw - tmpfs tmpfs rw
31 30 0:27 / /mnt/share\\040one rw shared:1 - nfs4 server:/x rw
32 30 0:28 / /mnt/over rw - cifs //s/x rw
33 30 0:29 / /mnt/over rw - ext4 /dev/vdb rw
34 30 0:30 / /mnt/\xe6 rw - fuse.sshfs h:/ rw
nonsense
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/t.db", "ext4"),
        ("/mnt/t.db", "tmpfs"),
        ("/mnt/share one/a/t.db", "nfs4"),
        ("/mnt/share one2/t.db", "tmpfs"),
        ("/mnt/over/t.db", "ext4"),
        ("/mntx/t.db", "ext4"),
    ],
)
def test_the_innermost_and_latest_mount_tells_the_file_system(path: str, kind: str) -> None:
    assert file_system(path, MOUNTS) == kind


def test_a_network_file_system_is_refused_unless_forced(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / / rw - ext4 /dev/vda rw\n2 1 0:2 / {tmp_path} rw - fuse.sshfs host:/ rw\n")
    monkeypatch.setattr(url, "_MOUNTS", str(mounts))
    for opened in (check, create):
        with pytest.raises(StoreError, match=r"network file system \(fuse.sshfs\).*force=1"):
            opened(store)
        opened(store, force=True)
    with pytest.raises(StoreError, match="network"):
        create(tmp_path / "new.db")
    create(tmp_path / "new.db", force=True)
    mounts.unlink()
    check(store)  # a system that does not tell
