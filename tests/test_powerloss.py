"""The power goes at any moment: what was acknowledged is there, once, and nothing is damaged (TRUST.md, G6)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from harness import shim
from harness.disk import SECTOR, Disk
from harness.nursery import environment
from harness.powerloss import power_loss
from harness.shim import Call

needs_shim = pytest.mark.skipif(bool(shim.missing()), reason=shim.missing())


@needs_shim
@pytest.mark.slow
def test_a_hundred_and_fifty_power_cuts_lose_nothing_acknowledged_and_damage_nothing() -> None:
    result = power_loss(states=150, seed=1, recordings=3)
    assert result.problems == []
    assert result.reached
    assert result.counts["distinct"] >= 130
    assert result.counts["hot"] >= 40  # a commit was half done
    assert result.counts["recorded_before"] >= 5  # recorded and not acknowledged: the retry says so
    assert result.counts["under_way"] >= 100


@needs_shim
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wal_normal", "delete_full", "truncate_normal"])
def test_the_same_cuts_show_what_weaker_settings_lose(kind: str) -> None:
    result = power_loss(states=90, seed=1, recordings=1, kind=kind)
    assert result.counts["lost"] + result.counts["unusable"] > 0  # a store that lacks what its journal signed says so
    assert not result.reached


@needs_shim
@pytest.mark.slow
def test_the_same_cuts_show_what_a_repeated_command_loses_that_is_acknowledged_without_making_sure() -> None:
    result = power_loss(states=900, seed=1, recordings=6, kind="unsettled")
    assert result.counts["lost"] + result.counts["unusable"] + result.counts["corrupt"] > 0


WRITER = """if True:
    import ctypes, os, sys
    from pathlib import Path
    from harness import shim
    root = Path(sys.argv[1])
    shim.watch([root / "one", root / "two"], root / "trace")
    (root / "one" / "a").write_bytes(b"a" * 9000)
    os.chdir(root / "one")
    handle = os.open("a", os.O_RDWR)
    os.pwrite(handle, b"middle", 700)
    os.ftruncate(handle, 8000)
    copy = os.dup(handle)
    os.close(handle)
    os.write(copy, b"begin")
    shim.mark("said")
    os.fsync(copy)
    os.close(copy)
    os.mkdir("../two/deep")
    with open(root / "two" / "deep" / "log", "ab") as log:
        log.write(b"1")
        log.flush()
        log.write(b"2")
    folder = os.open(root / "two", os.O_RDONLY)
    os.rename("../two/deep/log", "moved", src_dir_fd=None, dst_dir_fd=folder)
    os.fsync(folder)
    os.link(root / "two" / "moved", "linked")
    os.writev(os.open("b", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), [b"x", b"", b"yz"])
    os.unlink("a")
    (root / "elsewhere").write_bytes(b"not watched")
    shim.arm(shim.WRITE, 2, 28, short=True)
    handle = os.open("c", os.O_WRONLY | os.O_CREAT)
    done = [os.write(handle, b"whole"), os.write(handle, b"half")]
    try:
        os.write(handle, b"rest")
    except OSError as error:
        done.append(error.errno)
    assert done == [5, 2, 28], done
    assert shim.counted() == 2
    assert shim.disarm() == f"write {root}/one/c"
    os.write(handle, b"!")
"""


@needs_shim
def test_the_trace_of_a_process_holds_all_that_it_did_in_every_watched_folder(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    preload = environment() | {"LD_PRELOAD": str(shim.build(tmp_path))}
    done = subprocess.run([sys.executable, "-c", WRITER, os.path.realpath(tmp_path)], env=preload, capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")
    calls = list(shim.calls(tmp_path / "trace"))
    disk = Disk(tmp_path, {}, ["one", "two"])
    for call in calls:
        if call.op != "a":
            disk.do(call)
    there = {os.path.relpath(path, tmp_path): path.read_bytes()
             for folder in ("one", "two") for path in sorted((tmp_path / folder).rglob("*")) if path.is_file()}
    assert disk.files() == there
    assert set(there) == {"one/b", "one/c", "one/linked", "two/moved"}
    assert (there["one/linked"], there["one/b"], there["one/c"]) == (b"12", b"xyz", b"wholeha!")
    assert [call.one for call in calls if call.op == "a"] == [b"said"]
    assert {call.op for call in calls} == set("aocdwtsumrl")


# the model of the disk


def written(fd: int, at: int, data: bytes) -> Call:
    return Call("w", fd, at, 0, data, b"")


def made(fd: int, name: str) -> Call:
    return Call("o", fd, os.O_RDWR | os.O_CREAT, 1, f"/r/d/{name}".encode(), b"")


def synced(fd: int) -> Call:
    return Call("s", fd, 0, 0, b"", b"")


FOLDER = Call("o", 9, os.O_RDONLY, 0, b"/r/d", b"")


def states(*calls: Call, before: dict[str, bytes] | None = None, keep: bool = False) -> set[tuple[tuple[str, bytes], ...]]:
    """Every state of 400 that a power cut after these calls may leave, folders left out."""
    found = set()
    for seed in range(400):
        disk = Disk(Path("/r"), before or {}, ["d"], files_keep_their_names=keep)
        for call in calls:
            disk.do(call)
        files = disk.after_power_loss(random.Random(seed))
        found.add(tuple((name, data) for name, data in files.items() if data is not None))
    return found


def test_what_was_synced_is_kept_and_what_was_not_may_be() -> None:
    old = {"d/f": b"old."}
    begun = Call("o", 3, os.O_RDWR, 0, b"/r/d/f", b"")
    assert states(begun, written(3, 0, b"new!"), before=old) == {(("d/f", b"old."),), (("d/f", b"new!"),)}
    assert states(begun, written(3, 0, b"new!"), synced(3), before=old) == {(("d/f", b"new!"),)}


def test_each_sector_of_a_write_is_kept_on_its_own_and_grown_files_may_hold_anything() -> None:
    old = {"d/f": b"a" * 3 * SECTOR}
    begun = Call("o", 3, os.O_RDWR, 0, b"/r/d/f", b"")
    over = states(begun, written(3, 0, b"b" * 3 * SECTOR), before=old)
    found = {bytes(data[n * SECTOR] for n in range(3)) for ((_, data),) in over}
    assert found == {b"aaa", b"baa", b"aba", b"aab", b"bba", b"bab", b"abb", b"bbb"}
    grown = {data for ((_, data),) in states(begun, written(3, 3 * SECTOR, b"b" * SECTOR), before=old)}
    assert {len(data) for data in grown} == {3 * SECTOR, 4 * SECTOR}
    assert {data[3 * SECTOR:][:1] for data in grown} >= {b"", b"b", b"\0"}
    assert len(grown) > 4
    assert all(data.startswith(old["d/f"]) for data in grown)


def test_a_truncation_may_be_lost_though_a_later_write_is_kept() -> None:
    begun = Call("o", 3, os.O_RDWR, 0, b"/r/d/f", b"")
    cut = Call("t", 3, 0, 0, b"", b"")
    found = {data for ((_, data),) in states(begun, cut, written(3, 0, b"X"), before={"d/f": b"old."})}
    assert found >= {b"old.", b"", b"X", b"Xld."}


def test_a_name_is_durable_when_its_folder_was_synced() -> None:
    new = (("d/f", b"new!"),)
    calls = made(3, "f"), written(3, 0, b"new!"), synced(3)
    assert states(*calls) == {(), new}
    assert states(*calls, keep=True) == {new}
    assert states(*calls, FOLDER, synced(9)) == {new}
    gone = Call("u", -1, 0, 0, b"/r/d/f", b"")
    assert states(*calls, FOLDER, synced(9), gone) == {(), new}
    assert states(*calls, FOLDER, synced(9), gone, synced(9)) == {()}


def test_a_file_is_moved_whole_or_not() -> None:
    moved = Call("r", -1, 0, 0, b"/r/d/new", b"/r/d/f")
    calls = made(3, "new"), written(3, 0, b"new!"), synced(3), FOLDER, synced(9), moved
    before = {"d/f": b"old."}
    whole = (("d/f", b"new!"),)
    assert states(*calls, before=before) == {(("d/f", b"old."), ("d/new", b"new!")), whole}
    assert states(*calls, synced(9), before=before) == {whole}
