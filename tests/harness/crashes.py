"""Crashes: a writer is ended by ``kill -9`` at any moment, and the store is held against what it had acknowledged."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from casework.errors import Refused
from harness.commands import Answers, Journal, Planned, give, opened, outside, plan, store_at
from harness.nursery import ROOT, Nursery, environment
from harness.verdict import problems, recorded, rows_of, unproved


@dataclass
class Toll:
    """What many kills came to. ``in_flight`` were recorded and not acknowledged; ``hot`` left a half-written commit."""

    kills: int = 0
    acknowledged: int = 0
    in_flight: int = 0
    hot: int = 0
    problems: list[str] = field(default_factory=list)


def append(store: str, case: str, seed: str, journal: str) -> None:
    """A writer's life: give commands without end and write down every answer."""
    with store_at(store) as mine, Journal(journal, sync=False) as book:
        for command in plan(seed):
            try:
                book.answered(command.id, give(mine, case, command))
            except Refused as error:
                book.write("refused", command.id, ",".join(error.codes))


def make(store: str) -> None:
    """Make a store."""
    store_at(store, create=True).close()


def kill_writers(folder: Path, store: str | os.PathLike[str], *, kills: int = 50, seed: int = 0, cases: int = 5,
                 longest: float = 0.06) -> Toll:
    """Kill a writer ``kills`` times on one store, each at a moment of up to ``longest`` seconds after its first answer.

    After each: what was acknowledged is there, of the rest at most the command in flight; it is given again and then is
    there once. Whether a reader or a writer is the first to meet the wreck, the seed decides.
    """
    toll, choose = Toll(), random.Random(seed)
    answers: dict[str, Answers] = defaultdict(Answers)
    with store_at(store, create=True) as mine:
        for number in range(cases):
            opened(mine, f"K-{number}")
    with Nursery() as nursery:
        for turn in range(kills):
            case, name = f"K-{turn % cases}", f"{seed}r{turn}"
            journal = folder / f"{name}.journal"
            worker = nursery.start("harness.crashes:append", store=store, case=case, seed=name, journal=journal)
            await_answer(journal)
            time.sleep(choose.uniform(0, longest))
            worker.kill()
            _inspect(toll, store, case, answers[case], journal, name, reader_first=choose.random() < 0.5)
    toll.acknowledged = sum(len(a.acknowledged) for a in answers.values())
    return toll


def _inspect(toll: Toll, store: str | os.PathLike[str], case: str, answers: Answers, journal: Path, seed: str, *,
             reader_first: bool) -> None:
    toll.kills += 1
    toll.hot += _is_hot(store)
    answers.read(journal)
    command = in_flight(journal, seed)
    found: list[str] = []
    if reader_first:
        rows = rows_of(store, case)
        toll.in_flight += command.id in recorded(rows)
        found += problems(rows, answers, in_flight=[command.id])
    _retry(store, case, command, answers)
    found += problems(rows_of(store, case), answers)
    if outside(store).is_dir():
        found += [f"unproved: {finding}" for finding in unproved(store, outside(store))]
    toll.problems += [f"{seed}: {problem}" for problem in found]


def in_flight(journal: Path, seed: str) -> Planned:
    """The command that a killed writer had not been answered about: the one after its last line."""
    answered = journal.read_text(encoding="utf-8").count("\n")
    return next(itertools.islice(plan(seed), answered, None))


def _retry(store: str | os.PathLike[str], case: str, command: Planned, answers: Answers) -> None:
    with store_at(store) as mine:
        try:
            answers.acknowledge(command.id, give(mine, case, command).version)
        except Refused as error:
            answers.refused[command.id] = error.codes


def _is_hot(store: str | os.PathLike[str]) -> bool:
    journal = Path(f"{os.fspath(store)}-journal")
    return journal.exists() and journal.stat().st_size > 0


def await_answer(journal: Path, seconds: float = 30) -> None:
    """Wait until a worker was answered once."""
    until = time.monotonic() + seconds
    while not (journal.exists() and journal.stat().st_size):
        assert time.monotonic() < until, f"no answer in {journal}"
        time.sleep(0.0005)


def kill_makers(folder: Path, *, kills: int = 40, seed: int = 0, longest: float = 0.006) -> Toll:
    """Kill a process that makes a store; then make it again, open a case there and look at it."""
    toll, choose = Toll(), random.Random(seed)
    with Nursery() as nursery:
        for turn in range(kills):
            store = folder / f"made-{turn}.db"
            worker = nursery.start("harness.crashes:make", store=store)
            time.sleep(choose.uniform(0, longest))
            worker.kill()
            toll.kills += 1
            toll.hot += _is_hot(store) or (store.exists() and store.stat().st_size == 0)
            with store_at(store, create=True) as mine:
                opened(mine, "K-1")
            toll.problems += problems(rows_of(store, "K-1"), Answers())
    return toll


def command_line(store: str | os.PathLike[str], case: str, command: str) -> list[str]:
    """``casework do`` for one phone call, as a shell would run it."""
    return [sys.executable, "-m", "casework", "do", case, "log_call", "--by", "consumer", "-d", "note=客服称三天内答复",
            "--command-id", command, "--store", str(store), "--json",
            *(("--journal", str(outside(store))) if outside(store).is_dir() else ())]


def kill_command_lines(store: str | os.PathLike[str], case: str, *, kills: int = 6, seed: int = 0,
                       how: int = signal.SIGKILL) -> Toll:
    """End ``casework do`` by a signal around the moment at which it records; then run it again under the same command id."""
    toll, choose, answers = Toll(), random.Random(seed), Answers()
    usual = _run(command_line(store, case, "first"), None, how)[1]
    answers.acknowledge("first", 2)
    for turn in range(kills):
        command = f"cli-{turn}"
        acknowledged, _ = _run(command_line(store, case, command), choose.uniform(0.6, 1.1) * usual, how)
        before = recorded(rows_of(store, case))
        if acknowledged and command not in before:
            toll.problems.append(f"{command} was acknowledged and is not there")
        toll.kills += not acknowledged
        toll.in_flight += not acknowledged and command in before
        again, _ = _run(command_line(store, case, command), None, how)
        if not again:
            toll.problems.append(f"{command} could not be given again")
        answers.acknowledge(command, before.get(command, len(before) + 1))
        toll.problems += problems(rows_of(store, case), answers)
    toll.acknowledged = len(answers.acknowledged)
    return toll


def _run(command: list[str], after: float | None, how: int) -> tuple[bool, float]:
    """Whether it was acknowledged (status 0), and after how many seconds; ended by the signal after ``after`` seconds."""
    begun = time.monotonic()
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=environment(), **quiet) as process:  # type: ignore[call-overload]
        if after is not None:
            time.sleep(after)
            os.kill(process.pid, how)  # not waited for yet: ended or not, the id is this process's
        process.communicate(timeout=60)
    return process.returncode == 0, time.monotonic() - begun
