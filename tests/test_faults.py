"""Errors before, in and after the commit, full disks, writers that ignore the lock (TRUST.md: G7, G10, T19, T25)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harness.commands import Answers, Planned, give, opened, store_at
from harness.crashes import await_answer, in_flight
from harness.faults import KINDS, POINTS, backup, bypass, hooked, ticking, trial
from harness.nursery import Nursery
from harness.races import prepare
from harness.verdict import problems, recorded, rows_of, sidecars

from casework.application.service import CLOCK_SLACK, Done, carry_on
from casework.domain.values import EVENT_BYTES
from casework.errors import Conflict, InputError, Refused, StoreBusy, StoreError, UnknownCase
from casework.store import codec
from casework.store.lock import WriterLock
from casework.store.sqlite.recorder import CaseRecorder

#: How often a command is decided anew on a store in a file.
ATTEMPTS = CaseRecorder.attempts
CALL = Planned("call", "log_call", "consumer", {"note": "客服称三天内答复"})
CONTACT = Planned("contact", "contact_merchant", "consumer", {"message": "电机异响，请处理"})
OFFER = Planned("offer", "make_offer", "merchant", {"remedy": {"kind": "refund", "amount": "100.00"}})
DECLINE = Planned("decline", "decline_offer", "consumer", {})
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    prepare(path, "K-1")
    return path


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder in memory where there is one: for trials in which nothing depends on the disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)


def given(store: Path, *commands: Planned) -> list[Done]:
    with store_at(store) as mine:
        return [give(mine, "K-1", command) for command in commands]


def ids(store: Path, case: str = "K-1") -> list[str]:
    return list(recorded(rows_of(store, case)))


# by seed


@pytest.mark.slow
def test_three_hundred_faulty_runs_record_each_command_once_in_order_and_answer_what_is_stored(quick: Path) -> None:
    store_at(quick / "t.db", create=True).close()
    found: list[str] = []
    struck: Counter[str] = Counter()
    for seed in range(300):
        wrong, faults = trial(quick / "t.db", str(seed))
        found += wrong
        struck.update(faults)
    assert found == []
    assert len(struck) == len(POINTS) * len(KINDS)  # every kind of error at every point
    assert min(struck.values()) >= 20


def test_a_faulty_run_can_be_replayed_by_its_seed(quick: Path) -> None:
    runs = []
    for name in ("one.db", "two.db"):
        store_at(quick / name, create=True).close()
        runs.append((trial(quick / name, "7"), rows_of(quick / name, "K-7")))
    assert runs[0] == runs[1]
    assert runs[0][0][1] != []


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", KINDS, ids=["operational", "integrity", "sqlite_locked", "sqlite_damaged", "interrupt"])
def test_one_error_at_one_point_leaves_the_store_usable_and_the_retry_recorded_once(
        store: Path, point: str, kind: Any) -> None:
    errors = [kind()]

    def hook(where: str, cursor: Any) -> None:
        if where == point and errors:
            raise errors.pop()

    with hooked(store, hook) as mine:
        try:
            done = give(mine, "K-1", CALL)
        except (StoreError, KeyboardInterrupt):
            done = give(mine, "K-1", CALL)
        assert done.version == 2
        assert done.repeated is (point == "after_commit")
        give(mine, "K-1", CALL._replace(id="next"))
    assert ids(store) == ["open", "call", "next"]
    assert problems(rows_of(store, "K-1"), Answers(), in_flight=["call", "next"]) == []


# an acknowledgement is a promise, also the second time


def test_a_repeated_command_is_acknowledged_only_after_the_commit_of_the_first_is_on_the_disk(
        store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between truncating the journal and synchronising it, the first writer left what a power cut may undo."""
    synced: list[int] = []
    given(store, CALL)
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    given(store, CALL._replace(id="new"))
    assert synced == []  # SQLite does it itself
    assert given(store, CALL)[0].repeated
    with store_at(store) as mine:
        assert opened(mine, "K-1").repeated
    assert synced == [Path(f"{store}-journal").stat().st_ino] * 2


def test_a_repeated_command_is_not_acknowledged_by_a_disk_that_fails(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int) -> None:
        raise OSError(5, "Input/output error")

    given(store, CALL)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StoreError, match="check the disk"):
            given(store, CALL)
    assert given(store, CALL)[0].version == 2


# what would not survive being stored


def test_an_event_that_would_not_survive_the_codec_leaves_the_store_untouched(
        store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, decode = store.read_bytes(), codec.decode
    with store_at(store) as mine:
        with monkeypatch.context() as patch:
            patch.setattr(codec, "decode", lambda topic, data: None if "call_logged" in topic else decode(topic, data))
            with pytest.raises(InputError, match="survive"):
                give(mine, "K-1", CALL)
        assert store.read_bytes() == before
        assert give(mine, "K-1", CALL).version == 2
    assert problems(rows_of(store, "K-1"), Answers(), in_flight=["call"]) == []


def test_an_event_that_is_too_large_leaves_the_store_untouched(store: Path) -> None:
    long = "\n" * (60 * 1024)  # two bytes each once they are JSON
    before = store.read_bytes()
    with pytest.raises(InputError, match=f"{EVENT_BYTES // 1024} KiB"):
        given(store, CALL._replace(said={"note": long + "。", "staff": long + "。", "promised": long + "。"}))
    assert store.read_bytes() == before
    given(store, CALL)


@pytest.mark.parametrize("command_id", ["", "x" * 129, "a\x00b", "a\nb", "a\udc80"], ids=ascii)
def test_a_command_id_that_cannot_be_kept_is_said_to_be_one(store: Path, command_id: str) -> None:
    with pytest.raises(InputError, match="command id"):
        given(store, CALL._replace(id=command_id))
    assert ids(store) == ["open"]


def test_a_case_id_that_no_store_can_hold_is_unknown(store: Path) -> None:
    with store_at(store) as mine, pytest.raises(UnknownCase):
        give(mine, "K\udc80", CALL)


# the disk


@pytest.mark.slow
def test_a_file_that_may_not_grow_loses_nothing_acknowledged_wherever_the_limit_is(quick: Path) -> None:
    grown = quick / "grown.db"
    prepare(grown, "K-1")
    given(grown, *(CALL._replace(id=f"c{n}") for n in range(20)))
    size, known = grown.stat().st_size, ids(grown)
    with Nursery() as nursery:
        # Below its own length a store cannot even be rolled back by the one who is limited; the next one does it.
        for limit in (600, 3000, 5000, size - 4096, size - 1, *range(size, size + 6 * 4096, 1500)):
            path, journal = quick / f"{limit}.db", quick / f"{limit}.journal"
            path.write_bytes(grown.read_bytes())
            worker = nursery.start("harness.faults:fill", store=path, case="K-1", seed="s", journal=journal, limit=limit)
            assert worker.wait() == 0
            answers = Answers().read(journal)
            [(command, error)] = answers.errors.items()
            assert error.startswith("StoreError: ")
            assert "check the disk and its quota" in error
            assert problems(rows_of(path, "K-1"), answers, in_flight=[*known, command]) == [], limit
            given(path, CALL)
            assert problems(rows_of(path, "K-1"), answers, in_flight=[*known, command, "call"]) == [], limit


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 KiB; only root can have one."""
    folder = tmp_path / "small"
    folder.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command here")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this user may not mount a small file system: " + mounted.stderr.decode(errors="replace").strip())
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_says_so_loses_nothing_acknowledged_and_goes_on_when_there_is_space(
        small_disk: Path, tmp_path: Path) -> None:
    path = small_disk / "t.db"
    prepare(path, "K-1")
    (small_disk / "ballast").write_bytes(b"x" * 8192)
    journal = tmp_path / "j"
    with Nursery() as nursery:
        assert nursery.start("harness.faults:fill", store=path, case="K-1", seed="s", journal=journal).wait() == 0
    answers = Answers().read(journal)
    [(command, error)] = answers.errors.items()
    assert error.startswith("StoreError: ")
    assert "free some space" in error
    assert len(answers.acknowledged) >= 5
    assert problems(rows_of(path, "K-1"), answers) == []
    (small_disk / "ballast").unlink()
    assert command not in ids(path)
    given(path, CALL._replace(id=command))
    assert problems(rows_of(path, "K-1"), answers, in_flight=[command]) == []


def test_a_store_that_may_only_be_read_says_so_and_stays_as_it_is(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        path, journal = Path(name) / "t.db", tmp_path / "j"
        prepare(path, "K-1")
        before = path.read_bytes()
        path.chmod(0o444)
        Path(f"{path}.lock").chmod(0o444)
        os.chmod(name, 0o555)
        with Nursery() as nursery:
            worker = nursery.start("harness.faults:fill", store=path, case="K-1", seed="s", journal=journal, nobody=True)
            assert worker.wait() == 0
        answers = Answers().read(journal)
        os.chmod(name, 0o755)
        [error] = answers.errors.values()
        assert error.startswith("StoreError: ")
        assert "make its folder writable" in error
        assert answers.acknowledged == {}
        assert path.read_bytes() == before


# writers that ignore the lock


def interrupted(store: Path, command: Planned, *others: Planned) -> tuple[Done, list[int]]:
    """The command, given while a writer without the lock records one of the others each time just before it does."""
    waiting, versions = list(others), []

    def hook(point: str, cursor: Any) -> None:
        if point == "before_insert" and waiting:
            versions.append(bypass(store, "K-1", waiting.pop(0), at=datetime.now(UTC)))

    with hooked(store, hook) as mine:
        return give(mine, "K-1", command), versions


def test_a_version_taken_meanwhile_makes_the_command_be_asked_again(store: Path) -> None:
    done, versions = interrupted(store, CALL, CALL._replace(id="other"))
    assert (done.version, done.repeated, versions) == (3, False, [2])
    assert ids(store) == ["open", "other", "call"]
    assert problems(rows_of(store, "K-1"), Answers(), in_flight=["other", "call"]) == []


def test_a_command_that_the_other_writer_made_impossible_is_refused(store: Path) -> None:
    given(store, CONTACT, OFFER)
    with pytest.raises(Refused) as caught:
        interrupted(store, DECLINE, DECLINE._replace(id="faster"))
    assert caught.value.codes
    assert ids(store) == ["open", "contact", "offer", "faster"]


def test_the_same_command_by_the_other_writer_counts_as_given(store: Path) -> None:
    done, _ = interrupted(store, CALL, CALL)
    assert (done.version, done.repeated) == (2, True)
    assert ids(store) == ["open", "call"]


def test_whoever_always_comes_second_is_told_to_try_again(store: Path) -> None:
    others = [CALL._replace(id=f"other-{n}") for n in range(ATTEMPTS)]
    with pytest.raises(StoreBusy, match="try again") as caught:
        interrupted(store, CALL, *others)
    assert caught.value.status == 2
    assert ids(store) == ["open", *(c.id for c in others)]
    assert given(store, CALL)[0].version == ATTEMPTS + 2


@pytest.mark.parametrize("command_id", ["open", "other"])
def test_a_case_opened_meanwhile_is_a_conflict_unless_it_is_the_same_opening(store: Path, command_id: str) -> None:
    waiting = [CALL._replace(id=command_id)]

    def hook(point: str, cursor: Any) -> None:
        if point == "before_insert" and waiting:
            bypass(store, "K-2", waiting.pop(), at=datetime.now(UTC))

    with hooked(store, hook) as mine:
        if command_id == "open":
            assert opened(mine, "K-2").repeated
        else:
            with pytest.raises(Conflict):
                opened(mine, "K-2")
    assert ids(store, "K-2") == [command_id]


# the clock


def test_the_clock_is_read_while_the_lock_is_held(store: Path) -> None:
    reads = []

    def clock() -> datetime:
        with pytest.raises(StoreBusy), WriterLock(store, 0):
            pass
        reads.append(datetime.now(UTC))
        return reads[-1]

    with store_at(store) as mine:
        done = give(mine, "K-1", CALL, clock=clock)
        opened(mine, "K-2", clock=clock)
    assert len(reads) == 2
    assert done.event.at == done.event.recorded_at == reads[0]


def test_a_clock_a_little_behind_the_last_record_is_taken_for_it_and_one_further_behind_is_refused(quick: Path) -> None:
    with store_at(quick / "t.db", create=True) as mine:
        opened(mine, "K-1", clock=lambda: START)
        late = give(mine, "K-1", CALL, clock=lambda: START - CLOCK_SLACK)
        assert late.event.at == late.event.recorded_at == START
        with pytest.raises(Refused) as caught:
            give(mine, "K-1", CALL._replace(id="x"), clock=lambda: START - CLOCK_SLACK - timedelta(microseconds=1))
        assert caught.value.codes == ["time_runs_backwards"]
        tick = ticking(START)
        with pytest.raises(Refused) as caught:
            carry_on(mine, "K-1", CALL.name, CALL.said, by="consumer", clock=tick, command_id="y",
                     at=START + timedelta(hours=1))
        assert caught.value.codes == ["in_the_future"]
    assert problems(rows_of(quick / "t.db", "K-1"), Answers(), in_flight=["call"]) == []


# the journal, and copies of a live store


def test_commits_run_in_truncate_mode_with_extra_synchronisation_and_never_in_wal(store: Path) -> None:
    seen: list[tuple[Any, ...]] = []

    def hook(point: str, cursor: Any) -> None:
        if point == "after_insert":
            values = []
            for name in ("journal_mode", "synchronous", "secure_delete"):
                cursor.execute(f"PRAGMA {name}")
                values.append(cursor.fetchone()[0])
            seen.append((*values, frozenset(sidecars(store))))

    with hooked(store, hook) as mine:
        for number in range(3):
            give(mine, "K-1", CALL._replace(id=f"c{number}"))
    assert seen == [("truncate", 3, 1, frozenset({"-journal", ".lock"}))] * 3
    assert Path(f"{store}-journal").stat().st_size == 0
    assert store.read_bytes()[18:20] == b"\x01\x01"


@pytest.mark.slow
def test_backups_of_a_store_that_is_being_written_are_whole_and_hold_what_was_acknowledged_before(
        store: Path, tmp_path: Path) -> None:
    journal, copies, beside = tmp_path / "j", tmp_path / "copies", set()
    copies.mkdir()
    with Nursery() as nursery:
        worker = nursery.start("harness.crashes:append", store=store, case="K-1", seed="s", journal=journal)
        await_answer(journal)
        sizes = []
        for number in range(20):
            before = Answers().read(journal)
            backup(store, copies / f"{number}.db")
            beside |= sidecars(store)
            rows = rows_of(copies / f"{number}.db", "K-1")
            after = Answers().read(journal)
            assert problems(rows, before, in_flight=[*after.acknowledged, in_flight(journal, "s").id]) == []
            sizes.append(len(rows))
        worker.kill()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]  # it was being written
    assert beside <= {"-journal", ".lock"}
    with closing(sqlite3.connect(copies / "0.db")) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() != ("wal",)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
