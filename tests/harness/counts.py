"""The figures that older trials show, each in one call of the same shape: kills, fault seeds, races."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path

from harness.commands import outside, store_at
from harness.crashes import Toll, kill_makers, kill_writers
from harness.faults import trial
from harness.nursery import Nursery
from harness.place import scratch
from harness.races import prepare, race
from harness.result import Result
from harness.verdict import problems, rows_of, unproved

_A_SERVER = 25  # kills, after which a new server is begun
_A_STORE = 50  # kills or cases, after which a new store is begun: in a large one each look takes longer


def kills(*, count: int = 1_000, seed: int = 0) -> Result:
    """G5: ``kill -9`` of writers, and of those who make a store (one in five)."""
    result, begun = Result("G5", count, seed), time.monotonic()
    makers = count // 5
    with tempfile.TemporaryDirectory() as name:  # on a disk, where a commit takes its time and is hit more often
        for number, begin in enumerate(range(0, count - makers, _A_STORE)):
            folder = Path(name) / f"w{number}"
            folder.mkdir()
            _take(result, kill_writers(folder, folder / "t.db", kills=min(_A_STORE, count - makers - begin),
                                       seed=seed * 1_000 + number))
        for number, begin in enumerate(range(0, makers, _A_STORE)):
            folder = Path(name) / f"m{number}"
            folder.mkdir()
            _take(result, kill_makers(folder, kills=min(_A_STORE, makers - begin), seed=seed * 1_000 + number))
    result.seconds = time.monotonic() - begun
    return result


def server_kills(*, count: int = 100, seed: int = 0) -> Result:
    """G5 on PostgreSQL: ``kill -9`` of the whole server under load; a new server each 25, and one that loses by carelessness."""
    from harness import postgres
    from harness.servers import kill_servers

    result, begun = Result("G5", count, seed), time.monotonic()
    for number, begin in enumerate(range(0, count, _A_SERVER)):
        with postgres.server() as server, tempfile.TemporaryDirectory() as name:
            toll = kill_servers(Path(name), server, kills=min(_A_SERVER, count - begin), seed=seed * 1_000 + number)
        result.count += toll.kills
        result.add(acknowledged=toll.acknowledged, told=toll.told)
        result.problems += toll.problems
    result.seconds = time.monotonic() - begun
    return result


def careless_kill(*, seed: int = 0) -> int:
    """How many acknowledged commands one kill loses where clients do not wait for the disk: the control of the above."""
    from harness import postgres
    from harness.servers import kill_servers

    with postgres.server(wal_writer_delay="10s") as server, tempfile.TemporaryDirectory() as name:
        toll = kill_servers(Path(name), server, kills=1, seed=seed, careless=True)
    return sum("was acknowledged" in problem for problem in toll.problems)


def _take(result: Result, toll: Toll) -> None:
    result.count += toll.kills
    result.add(acknowledged=toll.acknowledged, recorded_before=toll.in_flight, hot=toll.hot)
    result.problems += toll.problems


def fault_seeds(*, count: int = 10_000, seed: int = 0, processes: int = 2) -> Result:
    """G7: cases carried through errors before, in and after the commit; ``harness.faults.trial(path, "SEED-N")`` repeats one."""
    result, begun = Result("G7", count, seed), time.monotonic()
    with scratch() as name, Nursery() as nursery:
        tos = [Path(name) / f"{n}.result" for n in range(processes)]
        workers = [nursery.start("harness.counts:try_seeds", seed=seed, begin=n, end=count, step=processes, to=to)
                   for n, to in enumerate(tos)]
        for worker, to in zip(workers, tos, strict=True):
            status = worker.wait()
            if status:
                result.problems.append(f"a process ended with {status}")
                continue
            tried, struck, *found = to.read_text(encoding="utf-8").split("\n")[:-1]
            result.count += int(tried)
            result.add(struck=int(struck))
            result.problems += found
    result.seconds = time.monotonic() - begun
    return result


def try_seeds(seed: int, begin: int, end: int, step: int, to: str) -> None:
    """Try these seeds; write down how many, how many faults struck, and the problems, a line each."""
    found: list[str] = []
    struck, tried = Counter[str](), 0
    with scratch() as name:
        for number in range(begin, end, step):
            path = Path(name) / f"{tried // _A_STORE}.db"
            if tried % _A_STORE == 0:
                store_at(path, create=True).close()
            wrong, faults = trial(path, f"{seed}-{number}")
            if tried % _A_STORE == _A_STORE - 1:
                wrong = [*wrong, *(f"unproved: {finding}" for finding in unproved(path, outside(path)))]
            found += [" ".join(problem.split()) for problem in wrong]
            struck.update(faults)
            tried += 1
    lines = [str(tried), str(sum(struck.values())), *found]
    Path(to).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def races(*, workers: int = 8, commands: int = 50, seed: int = 0) -> Result:
    """G8: ``workers`` processes give ``commands`` commands each to one case, all of them always allowed: each is stored once."""
    result, begun = Result("G8", workers * commands, seed), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "t.db"
        prepare(store, "K-1", journal=True)
        done = race(Path(name), store, "K-1", workers=workers, commands=workers * commands, seed=seed, steps=0)
        rows = rows_of(store, "K-1")
        wrong = unproved(store, outside(store))
    answers = done.answers
    result.count = len(rows) - 1
    result.add(acknowledged=len(answers.acknowledged), refused=len(answers.refused), repeated=answers.repeated)
    result.problems += [f"unproved: {finding}" for finding in wrong]
    result.problems += problems(rows, answers) + [f"{command}: {error}" for command, error in answers.errors.items()]
    result.problems += [f"a process ended with {status}" for status in done.statuses if status]
    if len(rows) != 1 + len(answers.acknowledged):
        result.problems.append(f"{len(rows) - 1} stored of {len(answers.acknowledged)} acknowledged")
    result.seconds = time.monotonic() - begun
    return result
