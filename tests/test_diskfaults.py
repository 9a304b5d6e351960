"""A disk that fails at any call: nothing acknowledged is lost, and an error says what to do (TRUST.md, G10)."""

from __future__ import annotations

import errno
import itertools
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from harness import shim
from harness.commands import Planned, give
from harness.diskfaults import FAULTS, Fault, Session, disk_faults
from harness.place import Place, Told, clock_from, perform, script
from harness.races import prepare
from harness.verdict import recorded, rows_of

from casework.errors import StoreBusy, StoreError, UnknownCase
from casework.store import lock
from casework.store.lock import WriterLock
from casework.store.opening import open_store

CALL = Planned("call", "log_call", "consumer", {"note": "客服称三天内答复"})
needs_shim = pytest.mark.skipif(bool(shim.missing()), reason=shim.missing())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    prepare(path, "K-1")
    return path


@needs_shim
@pytest.mark.slow
def test_whichever_call_fails_and_however_nothing_acknowledged_is_lost_and_the_next_command_goes_well() -> None:
    result = disk_faults(every=59, seed=1)
    assert result.problems == []
    assert result.reached
    assert result.counts["struck"] >= 30
    few = {"read_only", "no_permission", "io_error_locking"}  # so few calls that one in fifty-nine may be none
    assert {fault.name for fault in FAULTS} - few <= result.counts.keys()
    assert result.counts["errors"] >= 30
    assert result.counts["acknowledged"] >= 300


@needs_shim
def test_a_session_that_is_not_struck_is_the_last_and_one_that_is_is_counted() -> None:
    one = Fault("only_locks", shim.LOCK, errno.EIO)
    result = disk_faults(every=5, seed=2, commands=3, processes=1, faults=(one,))
    assert (result.problems, result.counts["unstruck"]) == ([], 1)
    assert 1 <= result.count == result.counts["only_locks"] <= 3


@pytest.mark.parametrize(("error", "said"), [
    (OSError("x"), "OSError reaches the user: x"),
    (StoreError("t.db: bad", "t.db：坏"), "an error without a remedy"),
    (StoreError("t.db: bad; try\nagain", "t.db：坏；请\n重试"), "an error without a remedy"),
    (StoreBusy("t.db: busy; try again", "t.db：忙；请重试"), "waits for nobody"),
    (StoreError("t.db: bad; try again", "t.db：坏；请重试"), ""),
    (UnknownCase("no case", "没有"), ""),
])
def test_an_error_is_one_of_ours_in_one_line_with_a_remedy_or_it_is_told(tmp_path: Path, error: Exception, said: str) -> None:
    session = Session(Place(tmp_path), FAULTS[0], 1, "1", 1)
    session.erred(error)
    assert [problem.startswith(said) for problem in session.found] == ([True] if said else [])


def test_whoever_was_told_otherwise_than_what_is_stored_has_something_to_tell(tmp_path: Path) -> None:
    place, told = Place(tmp_path / "t"), Told(made=True)
    place.make()
    steps = list(itertools.islice(script("1"), 2))
    with place.open(create=True) as mine:
        for step in steps:
            told.of(step.case).acknowledge(step.command.id, perform(mine, step, clock_from(0)).version)
    assert told.problems(place) == []
    case = steps[0].case
    told.of(case).acknowledge("lost", 99)
    assert told.problems(place) == [f"{case}: lost was acknowledged at 99 and is at None"]
    assert "never acknowledged" in Told(made=True).problems(place)[0]
    with closing(sqlite3.connect(place.store)) as plain, plain:
        plain.execute("UPDATE stored_events SET topic = 'x'")
    assert told.problems(place)[0].startswith("audit: ")


# what was found with it


def test_a_lock_file_that_fails_to_close_or_to_unlock_does_not_lock_out_the_next_writer(
        store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    close = os.close

    def fail(handle: int) -> None:
        close(handle)
        raise OSError(errno.EIO, "Input/output error")

    def fail_to_unlock(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with open_store(str(store)) as mine:
        with monkeypatch.context() as patch:
            patch.setattr(os, "close", fail)
            patch.setattr(lock, "_unlock", fail_to_unlock)
            assert give(mine, "K-1", CALL).version == 2
        assert give(mine, "K-1", CALL._replace(id="next")).version == 3


@pytest.mark.parametrize("ended", [True, False])
def test_only_after_a_writer_who_did_not_come_to_the_end_the_next_one_makes_sure_first(store: Path, ended: bool) -> None:
    if not ended:
        with pytest.raises(KeyboardInterrupt), WriterLock(store, 1):
            raise KeyboardInterrupt
    healed: list[str] = []
    for _ in range(2):
        with WriterLock(store, 1, lambda: healed.append("healed")):
            pass
    assert healed == ([] if ended else ["healed"])


def test_another_command_after_a_killed_one_first_makes_the_commit_of_the_killed_one_durable(
        store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Any] = []
    with open_store(str(store)) as mine:
        with pytest.raises(KeyboardInterrupt), mine.writing():
            raise KeyboardInterrupt
        monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
        give(mine, "K-1", CALL)
        assert synced == [Path(f"{store}-journal").stat().st_ino]
        give(mine, "K-1", CALL._replace(id="next"))
        assert len(synced) == 1


def test_while_that_cannot_be_done_nothing_is_recorded_on_top(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with open_store(str(store)) as mine:
        with pytest.raises(KeyboardInterrupt), mine.writing():
            raise KeyboardInterrupt
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            for _ in range(2):
                with pytest.raises(StoreError, match="check the disk"):
                    give(mine, "K-1", CALL)
        assert list(recorded(rows_of(store, "K-1"))) == ["open"]
        assert give(mine, "K-1", CALL).version == 2


def test_a_lock_file_that_cannot_be_written_is_an_error_with_a_remedy(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with open_store(str(store)) as mine:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", fail)
            with pytest.raises(StoreError, match="disk has space"):
                give(mine, "K-1", CALL)
        assert give(mine, "K-1", CALL).version == 2
