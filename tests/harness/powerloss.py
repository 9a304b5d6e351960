"""Power loss: a writer's system calls are recorded, cut at any call, and the store is opened as the disk may then be.

What a disk may keep is said in ``harness.disk``. A recording begins with nothing; or with a wreck, a state of the one before in
which a commit was half done, so that recovery is cut as well; or after a ``kill -9`` of the writer before, of whose calls some
are not on the disk yet.
"""

from __future__ import annotations

import itertools
import pickle
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from casework.errors import CaseworkError, Refused, UnknownCase
from harness import shim
from harness.disk import Disk, File, Piece
from harness.nursery import Nursery
from harness.place import Place, Told, clock_from, perform, scratch, script
from harness.result import Result
from harness.shim import Call

#: What is tried: the store as it is, and, to see that the tool shows losses, stores that are less careful: other journal modes
#: and values of synchronous, and one that acknowledges what another has recorded without making sure.
KINDS: dict[str, tuple[str, int] | None] = {
    "own": None, "wal_normal": ("wal", 1), "delete_full": ("delete", 2), "truncate_normal": ("truncate", 1), "unsettled": None}
#: About so many calls bring a wreck in order and give the first command again: half the states of such a recording are there.
_RECOVERY = 100


@dataclass
class Recording:
    """What a writer did: the calls, on files that were there before, by one who knew ``told`` before.

    ``killed`` are the calls of the writer before him, who was killed, on the same files.
    """

    number: int
    seed: str
    kind: str
    root: str
    trace: str
    before: dict[str, bytes]
    folders: list[str]
    first: int = 0
    told: Told = field(default_factory=Told)
    killed: list[Call] = field(default_factory=list)

    def calls(self) -> list[Call]:
        """All calls and marks."""
        return [*self.killed, *shim.calls(Path(self.trace))]

    def disk(self) -> Disk:
        """The disk at its beginning."""
        return Disk(Path(self.root), self.before, self.folders)


class State:
    """One state that a power cut may leave: number ``number`` of a recording."""

    def __init__(self, recording: Recording, calls: list[Call], number: int) -> None:
        self.recording, self.number = recording, number
        self.choose = random.Random(f"{recording.seed} {recording.number} {number}")
        begin, end = len(recording.killed), len(calls)
        if recording.first and self.choose.random() < 0.5:
            end = min(end, begin + _RECOVERY)
        self.cut = self.choose.randint(begin, end)
        self.torn = self.cut < len(calls) and calls[self.cut].op == "w" and self.choose.random() < 0.5

    def files(self, disk: Disk, calls: list[Call]) -> dict[str, bytes | None]:
        """The files, from the disk at the cut."""
        under_way: tuple[File, Piece] | None = None
        if self.torn:
            file = disk.file_of(calls[self.cut])
            assert file is not None
            under_way = file, disk.piece(calls[self.cut])
        return disk.after_power_loss(self.choose, under_way)

    def __str__(self) -> str:
        where = f"seed {self.recording.seed}, recording {self.recording.number}, state {self.number}"
        return f"{where}, cut at call {self.cut}{' (in it)' if self.torn else ''}"


def power_loss(*, states: int = 10_000, seed: int = 0, commands: int = 30, recordings: int = 12, processes: int = 2,
               kind: str = "own") -> Result:
    """Cut the power ``states`` times: after each, nothing that was acknowledged is lost or there twice, the audit and SQLite find
    nothing wrong, and the command that was under way, given again, is recorded once.

    ``kind`` (of ``KINDS``) is a control: with any but ``own``, losses are expected, and ``lost`` counts the states with one.
    """
    result, begun = Result("G6", states, seed), time.monotonic()
    with scratch() as name:
        folder = Path(name)
        with Nursery(shim.build(folder)) as nursery:
            made: list[Path] = []
            for number in range(recordings):
                made.append(_record(nursery, folder, number, str(seed), commands, kind, made[number - number % 3:]))
            share = [states // recordings + (n < states % recordings) for n in range(recordings)]
            jobs = [(path, part, processes) for path, count in zip(made, share, strict=True)
                    for part in (range(n, count, processes) for n in range(processes))]
            running = [(nursery.start("harness.powerloss:examine", recording=path, begin=part.start, end=part.stop, step=step,
                                      to=folder / f"{n}.result"), folder / f"{n}.result")
                       for n, (path, part, step) in enumerate(jobs[:processes])]
            for n in range(len(jobs)):
                worker, to = running[n]
                status = worker.wait()
                if len(running) < len(jobs):
                    path, part, step = jobs[len(running)]
                    to_next = folder / f"{len(running)}.result"
                    running.append((nursery.start("harness.powerloss:examine", recording=path, begin=part.start, end=part.stop,
                                                  step=step, to=to_next), to_next))
                if status:
                    result.problems.append(f"a process that examined states ended with {status}")
                    continue
                counts, problems = pickle.loads(to.read_bytes())
                result.count += counts.pop("states", 0)
                result.add(**counts)
                result.problems += problems
    result.seconds = time.monotonic() - begun
    return result


# recording


def _record(nursery: Nursery, folder: Path, number: int, seed: str, commands: int, kind: str, last: list[Path]) -> Path:
    """Record a writer: in turn one who begins with nothing, with a wreck, after a kill; where the recording is kept."""
    root = folder / f"recorded-{number - 2 if len(last) == 2 else number}"  # the one after a kill goes on in the same place
    place, path = Place(root), folder / f"{number}.recording"
    trace = folder / f"{number}.trace"
    recording = Recording(number, f"{seed}-{number - len(last)}", kind, str(root), str(trace), {}, place.names())
    if last:
        (_begin_with_a_wreck, _begin_after_a_kill)[len(last) - 1](recording, pickle.loads(last[0].read_bytes()))
    disk = recording.disk()
    for call in recording.killed:
        disk.do(call)
    place.put(dict.fromkeys(place.names()) | disk.files())
    path.write_bytes(pickle.dumps(recording))
    status = nursery.start("harness.powerloss:write", recording=path, commands=commands).wait()
    assert status == 0, f"the writer ended with {status}"
    _nothing_was_missed(recording, place)
    return path


def _begin_with_a_wreck(recording: Recording, last: Recording) -> None:
    """The new recording's files are a state of the last one, its journal hot if one such can be found."""
    calls = last.calls()
    for number in range(1_000_000, 1_000_200):
        state = State(last, calls, number)
        disk, told = last.disk(), Told()
        for call in heard(last, calls[:state.cut], told):
            disk.do(call)
        files = state.files(disk, calls)
        if told.waits is not None and files.get("store/t.db") and (files.get("store/t.db-journal") or last.kind != "own"):
            break
    recording.before = {name: data for name, data in files.items() if data is not None}
    _go_on(recording, last, calls[:state.cut])


def _begin_after_a_kill(recording: Recording, last: Recording) -> None:
    """The new recording goes on where the writer of the last one was killed: between a commit (a truncation) and its fsync.

    The next writer gives the same command again, or (every other time) he is somebody else and gives another.
    """
    choose, calls = random.Random(f"{recording.seed} {recording.number} kill"), last.calls()
    asked = [n for n, call in enumerate(calls) if call.op == "a" and call.one.startswith(b"ask")]
    commits = [n + 1 for n, call in enumerate(calls) if call.op == "t" and n > asked[0]]
    end = choose.choice(commits or range(asked[0] + 1, len(calls)))
    recording.killed = [call for call in calls[:end] if call.op != "a"] + [Call("k", -1, 0, 0, b"", b"")]
    _go_on(recording, last, calls[:end])
    recording.first += recording.number // 3 % 2


def _go_on(recording: Recording, last: Recording, calls: list[Call]) -> None:
    """The next writer begins with the command of which the last one had no answer."""
    for _ in heard(last, calls, recording.told):
        pass
    asked = sum(call.op == "a" and call.one.startswith(b"ask ") for call in calls)
    recording.first = last.first + asked - (recording.told.waits is not None)


def heard(recording: Recording, calls: list[Call], told: Told) -> Iterator[Call]:
    """The calls; ``told`` comes to be what the client knows after each."""
    told.become(recording.told)
    for call in calls:
        if call.op == "a":
            _hear(recording, call.one.decode(), told)
        else:
            yield call


def _hear(recording: Recording, said: str, told: Told) -> None:
    kind, *words = said.split(" ")
    if kind == "made":
        told.made = True
    elif kind == "ask":
        told.ask(next(itertools.islice(script(recording.seed), int(words[0]), None)))
    elif kind == "ack":
        told.of(words[0]).acknowledge(words[1], int(words[2]))
        told.waits = None
    else:
        told.of(words[0]).refused[words[1]] = words[2].split(",")
        told.waits = None


def write(recording: str, commands: int) -> None:
    """The writer's life: make or open the store, give commands, and mark in the trace what was asked and answered."""
    mine: Recording = pickle.loads(Path(recording).read_bytes())
    _become(mine.kind)
    place, clock = Place(Path(mine.root)), clock_from(mine.first)
    shim.watch(place.folders, Path(mine.trace))
    # Opened anew now and then, as by one command line after another; but closing a store in WAL mode moves all into the database.
    often = commands if mine.kind == "wal_normal" else 10
    for begin in range(0, commands, often):
        with place.open(create=True) as store:
            shim.mark("made")
            for number in range(mine.first + begin, mine.first + min(begin + often, commands)):
                step = next(itertools.islice(script(mine.seed), number, None))
                shim.mark(f"ask {number}")
                try:
                    done = perform(store, step, clock)
                except Refused as error:
                    shim.mark(f"refused {step.case} {step.command.id} {','.join(error.codes)}")
                except CaseworkError:
                    if mine.kind == "own":
                        raise
                    return  # a control that begins with a wreck has lost something already
                else:
                    shim.mark(f"ack {step.case} {step.command.id} {done.version}")


def _become(kind: str) -> None:
    """In this process, let the store be of that kind."""
    from casework.store.store import Store

    wanted = KINDS[kind]
    if kind == "unsettled":
        from casework.store.sqlite import recorder as own_sqlite

        Store.settle = lambda self: None  # type: ignore[method-assign]
        own_sqlite.sync_journal = lambda path: None
    if wanted is None:
        return
    from casework.store.sqlite import reader
    from casework.store.sqlite import recorder as sqlite

    own, verify = sqlite.settings, reader.verify

    def settings(connection: sqlite3.Connection) -> None:
        own(connection)
        connection.execute(f"PRAGMA journal_mode={wanted[0]}")
        connection.execute(f"PRAGMA synchronous={wanted[1]}")

    def lenient(connection: sqlite3.Connection, path: str) -> None:
        try:
            verify(connection, path)
        except CaseworkError as error:
            if "WAL mode" not in error.en:
                raise

    sqlite.settings, sqlite.verify, reader.verify = settings, lenient, lenient


def _nothing_was_missed(recording: Recording, place: Place) -> None:
    """All calls done again give the very files that the writer left: none was missed."""
    disk = recording.disk()
    for call in recording.calls():
        if call.op != "a":
            disk.do(call)
    again, there = disk.files(), place.files()
    for files in (again, there):
        files.pop("store/t.db-shm", None)  # memory, and made anew from the log
    assert again == there, [name for name in again.keys() | there.keys() if again.get(name) != there.get(name)]


# examining


def examine(recording: str, begin: int, end: int, step: int, to: str) -> None:
    """Look at states ``begin``, ``begin + step``, … of a recording; write the counts and the problems to the file ``to``."""
    mine: Recording = pickle.loads(Path(recording).read_bytes())
    _become(mine.kind)
    calls = mine.calls()
    states = sorted((State(mine, calls, n) for n in range(begin, end, step)), key=lambda s: s.cut)
    counts, problems, seen = Counter[str](), list[str](), set[int]()
    disk, told, done = mine.disk(), mine.told, 0
    with scratch() as name:
        place = Place(Path(name) / "cut")
        for state in states:
            for call in calls[done:state.cut]:
                if call.op == "a":
                    _hear(mine, call.one.decode(), told)
                else:
                    disk.do(call)
            done = state.cut
            files = state.files(disk, calls)
            seen.add(hash((state.cut, *sorted(files.items(), key=lambda item: item[0]))))
            place.put(files)
            counts["states"] += 1
            counts["hot"] += bool(files.get("store/t.db-journal"))
            found = _after(place, mine, told, counts, state.choose)
            counts["lost"] += any(" was acknowledged at " in problem for problem in found)
            counts["corrupt"] += any("audit: " in problem or "SQLite: " in problem for problem in found)
            counts["unusable"] += any(problem.startswith("cannot be used") for problem in found)
            if found:
                problems += [f"{state}: {problem}" for problem in found[:3]]
    counts["distinct"] = len(seen)
    Path(to).write_bytes(pickle.dumps((dict(counts), problems)))


def _after(place: Place, recording: Recording, told: Told, counts: Counter[str], choose: random.Random) -> list[str]:
    """What is wrong after a power cut, before and after the command that was under way is given again."""
    try:
        known, waits = Told().become(told), told.waits
        found: list[str] = []
        if recording.kind == "wal_normal":
            _out_of_wal(place)
        if told.made and choose.random() < 0.5:  # a reader or a writer is the first to come
            found += known.problems(place)
        with place.open(create=not told.made) as store:
            if waits is not None:
                counts["under_way"] += 1
                try:
                    done = perform(store, waits, clock_from(1_000))
                except Refused as error:
                    known.of(waits.case).refused[waits.command.id] = error.codes
                    known.waits = None
                except UnknownCase:
                    if known.of(waits.case).acknowledged:
                        raise
                    # Somebody opened it and was killed; that was seen, and is gone like all that nobody was told of.
                else:
                    counts["recorded_before"] += done.repeated
                    known.of(waits.case).acknowledge(waits.command.id, done.version)
                    known.waits = None
        return found or known.problems(place)
    except CaseworkError as error:
        return [f"cannot be used: {type(error).__name__}: {error.en}"]


def _out_of_wal(place: Place) -> None:
    if place.store.exists():
        with closing(sqlite3.connect(place.store)) as plain:
            plain.execute("PRAGMA journal_mode=DELETE").fetchone()
