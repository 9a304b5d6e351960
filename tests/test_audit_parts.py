"""An audit in parts says what an audit in one piece says, of whatever store, wherever its ranges are judged."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cli_helpers import ROOT, alter, casework
from harness.attacks import ATTACKS, Attack, Victim, copied, victim
from harness.damage import victim as market
from standing_helpers import Market

from casework import errors
from casework.audit import engine
from casework.audit.check import Summary, audit
from casework.audit.findings import Finding
from casework.audit.integrity import Integrity
from casework.audit.parts import Job, Judged, audit_parts, jobs, judge
from casework.audit.signed import Signed
from casework.store.ledger.journal import Journal
from casework.store.ledger.note import Checkpoint
from casework.store.opening import open_reader, open_store

Told = tuple[list[Finding], Summary] | str


def whole(store: Path, journal: Path | None, kept: Path | None = None) -> Told:
    """The audit in one piece, or what it died of."""
    try:
        with open_reader(str(store)) as reader:
            at, summary = reader.snapshot(), Summary()
            integrity = Integrity.of(reader, at.leaves, Signed(journal) if journal else None, _last(kept, journal), whole=True)
            return list(audit(at.rows, None, (), summary, indexed=reader, integrity=integrity)), summary
    except errors.CaseworkError as error:
        return error.en


def in_parts(store: Path, journal: Path | None, size: int, kept: Path | None = None) -> Told:
    """The audit in ranges of so many rows, each sent away and back as bytes."""
    try:
        with open_reader(str(store)) as reader:
            parts, summary = reader.parts(size), Summary()
            integrity = Integrity.of(reader, parts.leaves, Signed(journal) if journal else None, _last(kept, journal),
                                     whole=False)
            judged = map(_sent, jobs(str(store), parts, integrity.since))
            return list(audit_parts(judged, None, (), summary, indexed=reader, integrity=integrity)), summary
    except errors.CaseworkError as error:
        return error.en


def _last(kept: Path | None, journal: Path | None) -> Checkpoint | None:
    return Signed(kept, None, journal).last() if kept else None


def _sent(job: Job) -> Judged:
    return pickle.loads(pickle.dumps(judge(pickle.loads(pickle.dumps(job)))))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Victim:
    return victim(tmp_path_factory.mktemp("parts") / "victim")


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_lawful_store_is_lawful_in_ranges_of_any_size(untouched: Victim, size: int) -> None:
    expected = whole(untouched.store, untouched.journal)
    assert not isinstance(expected, str) and expected[0] == [] and expected[1].events > 20
    assert in_parts(untouched.store, untouched.journal, size) == expected


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_of_an_attacked_store_the_same_is_found_in_the_same_order(untouched: Victim, tmp_path: Path, attack: Attack) -> None:
    at = copied(untouched, tmp_path / "attacked")
    attack.do(at)
    for journal, kept in ((at.journal, None), (None, None), (at.journal, at.kept)):
        expected = whole(at.store, journal, kept)
        for size in (1, 5):
            assert in_parts(at.store, journal, size, kept) == expected


@pytest.mark.parametrize("seed", range(12))
def test_of_a_damaged_store_the_same_is_found(tmp_path: Path, seed: int) -> None:
    store, journal = market(tmp_path, 6)
    random, found = Random(seed), 0
    clean = store.read_bytes()
    for _ in range(6):
        damaged = bytearray(clean)
        for _ in range(random.randrange(1, 4)):
            damaged[random.randrange(100, len(damaged))] ^= 1 << random.randrange(8)
        store.write_bytes(damaged)
        one, parts = whole(store, journal), in_parts(store, journal, random.randrange(1, 30))
        if isinstance(one, str):
            # Which page is damaged decides what fails first, and that need not be the same.
            continue
        assert parts == one
        found += bool(one[0])
    assert found


def test_a_range_never_ends_within_a_stream(untouched: Victim) -> None:
    with open_reader(str(untouched.store)) as reader:
        parts = reader.parts(3)
        streams = [{row.case for row in reader.part(part)} for part in parts.ranges]
        assert sum(map(len, streams)) == len(set().union(*streams)) == len(reader.case_ids())
        assert all(part.low is None or all(part.low <= s for s in here) for part, here in zip(parts.ranges, streams, strict=True))
        assert all(part.high is None or all(s < part.high for s in here)
                   for part, here in zip(parts.ranges, streams, strict=True))


def test_what_is_recorded_meanwhile_is_in_no_range(tmp_path: Path) -> None:
    store, journal = market(tmp_path, 4)
    with open_reader(str(store)) as reader:
        parts = reader.parts(10)
        integrity = Integrity.of(reader, parts.leaves, Signed(journal), None, whole=False)
        with Market(open_store(str(store), journal=Journal(journal))) as others:
            others.do("K-0", "log_call", note="后来的")
            others.open("K-00")
        found = list(audit_parts(map(judge, jobs(str(store), parts, None)), indexed=reader, integrity=integrity))
    assert [finding.code for finding in found if finding.severity != "note"] == []


# --- by processes and by a cluster -----------------------------------------------------------------------------------


def test_the_command_line_says_the_same_by_one_process_and_by_two(tmp_path: Path) -> None:
    store, journal = market(tmp_path, 5)
    options = ("--store", str(store), "--journal", str(journal), "--json")
    one = casework("audit", "--jobs", "1", *options)
    assert one.status == 0 and casework("audit", "--jobs", "2", *options).document() == one.document()


def test_ranges_go_with_the_whole_store_only_and_by_one_of_the_two(tmp_path: Path) -> None:
    store, _ = market(tmp_path, 2)
    casework("audit", "K-0", "--jobs", "2", "--store", str(store)).fails("--jobs", "leave the cases out")
    casework("audit", "K-0", "--engine", "dask://h:1", "--store", str(store)).fails("--engine", "leave the cases out")
    casework("audit", "--jobs", "2", "--engine", "dask://h:1", "--store", str(store)).fails("give one of them")
    casework("audit", "--engine", "spark://h:1", "--store", str(store)).fails("--engine", "dask://HOST:PORT")
    assert "请用 dask://" in casework("audit", "--engine", "x", "--store", str(store), lang="zh").err


def _killed_once(once: Path, job: Job) -> Judged:
    if job.part.low is not None and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return judge(job)


def _killed(job: Job) -> Judged:
    os.kill(os.getpid(), signal.SIGKILL)
    return judge(job)


@pytest.mark.slow
def test_a_process_that_is_killed_loses_nothing(untouched: Victim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "judge", partial(_killed_once, tmp_path / "once"))
    with open_reader(str(untouched.store)) as reader:
        parts, summary = reader.parts(5), Summary()
        integrity = Integrity.of(reader, parts.leaves, Signed(untouched.journal), whole=False)
        judged = engine.in_processes(jobs(str(untouched.store), parts, None), 2)
        assert (list(audit_parts(judged, None, (), summary, indexed=reader, integrity=integrity)), summary) == whole(
            untouched.store, untouched.journal)
    assert (tmp_path / "once").exists()


@pytest.mark.slow
def test_a_range_that_kills_whoever_judges_it_is_told_of(untouched: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "judge", _killed)
    with open_reader(str(untouched.store)) as reader, pytest.raises(errors.EngineError, match="lost with its worker 4 times"):
        list(engine.in_processes(jobs(str(untouched.store), reader.parts(5), None), 1))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler of Dask's and two workers of one thread, as processes."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*argv: str) -> subprocess.Popen[bytes]:
        begun.append(subprocess.Popen([sys.executable, "-m", "distributed.cli." + argv[0], *argv[1:]], cwd=ROOT,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return begun[-1]

    file = tmp_path / "scheduler.json"
    scheduler = begin("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    try:
        for _ in range(600):
            if file.exists():
                break
            time.sleep(0.1)
        workers = [begin("dask_worker", "--scheduler-file", str(file), "--nthreads", "1", "--nworkers", "1", "--no-dashboard",
                         "--no-nanny", "--local-directory", str(tmp_path / f"w{n}")) for n in range(2)]
        yield json.loads(file.read_text())["address"].replace("tcp://", "dask://"), [*workers, scheduler]
    finally:
        for process in begun:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_worker_of_the_cluster_that_is_killed_in_the_middle_changes_nothing(
        cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path) -> None:
    url, workers = cluster
    store, journal = market(tmp_path, 40)
    with open_reader(str(store)) as reader:
        cases = reader.case_ids()
    alter("UPDATE stored_events SET at = at + 1 WHERE originator_version = 2 AND originator_id IN "
          f"('{cases[3]}', '{cases[-4]}')", store)
    expected = whole(store, journal)
    assert not isinstance(expected, str) and expected[0]
    with open_reader(str(store)) as reader:
        parts, summary = reader.parts(4), Summary()
        assert len(parts.ranges) > 20
        integrity = Integrity.of(reader, parts.leaves, Signed(journal), whole=False)

        def killing() -> Iterator[Judged]:
            for number, judged in enumerate(engine.on_dask(jobs(str(store), parts, None), url)):
                if number == 2:
                    workers[0].send_signal(signal.SIGKILL)
                    workers[0].wait()
                yield judged

        assert (list(audit_parts(killing(), None, (), summary, indexed=reader, integrity=integrity)), summary) == expected


@pytest.mark.slow
def test_a_scheduler_that_is_lost_is_told_of(cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path) -> None:
    url, begun = cluster
    store, _ = market(tmp_path, 10)
    with open_reader(str(store)) as reader, pytest.raises(errors.EngineError, match="was lost"):
        for _ in engine.on_dask(jobs(str(store), reader.parts(2), None), url):
            begun[-1].kill()
            begun[-1].wait()


def test_a_cluster_that_is_not_there_is_told_of_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_ANSWER", 1)
    store, _ = market(tmp_path, 2)
    casework("audit", "--engine", "dask://127.0.0.1:9", "--store", str(store)).fails("no Dask scheduler answers at 127.0.0.1:9")


# --- without processes or a cluster: what is asked of them ---------------------------------------------------------------


class Pool:
    """Stands for processes: ``deaths`` of them are lost with the range that they have in hand, by its number."""

    def __init__(self, deaths: dict[int, int], begun: list[int]) -> None:
        self.deaths, self.begun = deaths, begun

    def __call__(self, workers: int, _: object) -> Pool:
        self.begun.append(workers)
        return self

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def shutdown(self, *, cancel_futures: bool) -> None:
        assert cancel_futures

    def submit(self, _: object, job: int) -> Future[int]:
        future: Future[int] = Future()
        if self.deaths.get(job, 0):
            self.deaths[job] -= 1
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(job)
        return future


@pytest.mark.parametrize(("deaths", "begun"), [
    ({}, 1), ({0: 1}, 2), ({3: 3}, 4), ({1: 2, 9: 3}, 6), ({0: 3, 1: 3, 2: 3}, 4), ({0: 3, 9: 3}, 7),
])
def test_a_range_is_begun_again_till_its_fourth_loss_and_each_range_by_itself(deaths: dict[int, int], begun: int,
                                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    pools: list[int] = []
    monkeypatch.setattr(engine, "ProcessPoolExecutor", Pool(dict(deaths), pools))
    assert list(engine.in_processes(list(range(10)), 2)) == list(range(10))  # type: ignore[comparison-overlap, arg-type]
    assert pools == [2] * begun


def test_at_its_fourth_loss_a_range_is_given_up_and_those_before_it_were_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pools: list[int] = []
    monkeypatch.setattr(engine, "ProcessPoolExecutor", Pool({2: 4}, pools))
    judged = engine.in_processes(list(range(10)), 1)  # type: ignore[arg-type]
    assert [next(judged), next(judged)] == [0, 1]  # type: ignore[comparison-overlap]
    with pytest.raises(errors.EngineError, match="4 times"):
        next(judged)
    assert len(pools) == 4


class Task:
    """What a cluster is doing: it answers at the ``late``-th time that it is asked."""

    def __init__(self, said: object, late: int = 0) -> None:
        self.said, self.late, self.released = said, late, False

    def result(self, timeout: float) -> object:
        assert timeout == engine._LOOK
        self.late -= 1
        if self.late >= 0:
            raise TimeoutError
        return self.said

    def release(self) -> None:
        self.released = True


class Cluster:
    """Stands for a client of Dask's; what it was asked is kept."""

    def __init__(self, releases: dict[str, str] | Exception, late: int = 0) -> None:
        self.releases, self.late, self.status = releases, late, "running"
        self.asked: list[object] = []
        self.tasks: list[Task] = []

    def wait_for_workers(self, number: int, timeout: float) -> None:
        self.asked.append(("wait", number, timeout))

    def run(self, function: object) -> dict[str, str]:
        assert function is engine._release
        if isinstance(self.releases, Exception):
            raise self.releases
        return self.releases

    def map(self, function: object, jobs: list[object], **options: object) -> list[Task]:
        assert function is judge
        self.asked.append(options)
        self.tasks = [Task(job, self.late) for job in jobs]
        return self.tasks


def test_a_cluster_is_waited_for_and_gives_what_came_of_each_range_in_its_turn() -> None:
    at = Cluster({"tcp://w:1": engine._release()}, late=3)
    for number, said in enumerate(engine._gathered(at, ["a", "b", "c"], "h:1")):  # type: ignore[list-item]
        assert said == "abc"[number]  # type: ignore[comparison-overlap]
        assert [task.released for task in at.tasks] == [n < number for n in range(3)]
    assert all(task.released for task in at.tasks)
    # Each is begun anew, whatever was judged before, and four times at the most.
    assert at.asked == [("wait", 1, 15), {"pure": False, "retries": 3}]


@pytest.mark.parametrize(("releases", "en", "zh"), [
    (TimeoutError(), "the Dask scheduler at h:1 has no workers; start some with: dask worker",
     "h:1 处的 Dask 调度器没有工作进程；请用 dask worker 启动"),
    (KeyError(), "the workers at h:1 cannot run casework (KeyError); install it on each of them",
     "h:1 的工作进程无法运行 casework（KeyError）；请在每台上安装"),
    ({"w2": "0.0", "w1": "0.1"}, f"worker w1 has casework 0.1, and this is {engine._release()}; install the same",
     f"工作进程 w1 的 casework 为 0.1，本机为 {engine._release()}；请安装同一版本"),
])
def test_a_cluster_that_cannot_judge_is_told_of_before_it_is_given_anything(releases: Any, en: str, zh: str) -> None:
    at = Cluster(releases)
    with pytest.raises(errors.EngineError) as refused:
        list(engine._gathered(at, [], "h:1"))
    assert (refused.value.en, refused.value.zh) == (en, zh)
    assert at.asked == [("wait", 1, 15)]


def test_a_client_whose_scheduler_is_gone_does_not_wait_for_it() -> None:
    at = Cluster({"w": engine._release()}, late=1)
    at.status = "closed"
    with pytest.raises(ConnectionError):
        list(engine._gathered(at, ["a"], "h:1"))  # type: ignore[list-item]
