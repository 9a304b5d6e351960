"""Races: many workers, processes or threads, carry one case at once."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from casework.errors import CaseworkError, Conflict, Refused
from casework.store.opening import open_store
from casework.store.store import Store
from harness.commands import Answers, Journal, Planned, give, opened, plan, store_at
from harness.nursery import Nursery

RETRIES = 0.1  # how often an acknowledged command is given once more, as if its acknowledgement had been lost


class Race(NamedTuple):
    """What became of a race."""

    answers: Answers
    given: int
    statuses: list[int]
    seconds: float


def race(folder: Path, store: str | os.PathLike[str], case: str, *, workers: int = 8, commands: int = 200, seed: int = 0,
         steps: float = 0.4) -> Race:
    """``workers`` processes give ``commands`` commands in all to one case; each keeps a journal of its own.

    ``steps`` is the share of commands that may stand in each other's way.
    """
    share = [commands // workers + (n < commands % workers) for n in range(workers)]
    journals = [folder / f"{case}-{n}.journal" for n in range(workers)]
    go = folder / f"{case}.go"
    with Nursery() as nursery:
        started = [nursery.start("harness.races:carry", store=store, case=case, seed=f"{seed}w{n}", count=share[n], steps=steps,
                                 journal=journals[n], go=go) for n in range(workers)]
        begun = time.monotonic()
        go.touch()
        statuses = [worker.wait() for worker in started]
    return Race(Answers().read(*journals), sum(share), statuses, time.monotonic() - begun)


def carry(store: str, case: str, seed: str, count: int, steps: float, journal: str, go: str) -> None:
    """One worker's life: wait for the start, give every command, write down every answer."""
    with store_at(store) as mine, Journal(journal) as book:
        _await(Path(go))
        carry_with(mine, case, seed, count, book, steps)


def carry_with(store: Store, case: str, seed: str, count: int, book: Journal, steps: float = 0.4) -> None:
    """Give ``count`` commands to the case; now and then an acknowledged one again."""
    choose = random.Random(f"{seed} again")
    acknowledged: list[Planned] = []
    for command in itertools.islice(plan(seed, steps), count):
        if _give(store, case, command, book):
            acknowledged.append(command)
        if acknowledged and choose.random() < RETRIES:
            _give(store, case, choose.choice(acknowledged), book)


def race_of_threads(stores: list[Store], folder: Path, case: str, *, commands: int, seed: int = 0) -> Answers:
    """As :func:`race`, by one thread for each of ``stores`` (which may be the same store)."""
    journals = [folder / f"{case}-thread-{n}.journal" for n in range(len(stores))]
    start = threading.Barrier(len(stores))

    def run(number: int) -> None:
        with Journal(journals[number]) as book:
            start.wait()
            carry_with(stores[number], case, f"{seed}t{number}", commands // len(stores), book)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Answers().read(*journals)


def open_at_once(store: str, case: str, command_id: str, journal: str, go: str) -> None:
    """Make the store and open the case, while others do the same."""
    from casework.application.service import open_case
    from harness.commands import GIVEN, now

    with Journal(journal) as book:
        _await(Path(go))
        with store_at(store, create=True) as mine:
            try:
                done = open_case(mine, case, GIVEN, by="consumer", clock=now, command_id=command_id)
                book.answered(command_id, done)
            except Conflict:
                book.write("refused", f"{command_id}", "conflict")
            except CaseworkError as error:
                book.write("error", command_id, type(error).__name__, error.en)


def rule_at_once(store: str, case: str, points: str, journal: str, go: str) -> None:
    """Rule a case that is ready for it, while others rule other cases of the same merchant."""
    from casework.application.service import carry_on
    from harness.commands import now

    ruling = {"outcome": "for_consumer", "findings": "经查", "clause": "争议规则 66",
              "remedy": {"kind": "refund", "amount": "100.00"}, "penalties": [{"kind": "point_deduction", "points": points}]}
    with store_at(store) as mine, Journal(journal) as book:
        _await(Path(go))
        try:
            book.answered("rule", carry_on(mine, case, "rule", ruling, by="agent", clock=now, command_id="rule"))
        except CaseworkError as error:
            book.write("error", "rule", type(error).__name__, error.en)


def tick_at_once(store: str, now: str, journal: str, go: str) -> None:
    """Apply what has fallen due, while others do the same: ``ack CASE:DUTY:DID VERSION`` for each thing that this one did."""
    from casework.application.clockwork import tick

    when = datetime.fromisoformat(now)
    with Journal(journal) as book, store_at(store) as mine:
        _await(Path(go))
        for did in tick(mine, when, lambda: when):
            name = f"{did.case}:{did.duty}:{did.did}"
            if did.error is not None:
                book.write("error", name, did.error.en)
            else:
                book.write("ack", name, mine.get(did.case).version)


def prepare(store: str | os.PathLike[str], case: str, *, journal: bool = False) -> None:
    """A store with that case, opened; with a journal outside, or without."""
    with store_at(store, create=True) if journal else open_store(str(store), create=True) as mine:
        opened(mine, case)


def _give(store: Store, case: str, command: Planned, book: Journal) -> bool:
    try:
        book.answered(command.id, give(store, case, command))
        return True
    except Refused as error:
        book.write("refused", command.id, ",".join(error.codes))
    except Exception as error:
        book.write("error", command.id, type(error).__name__, str(error))
    return False


def _await(go: Path) -> None:
    while not go.exists():
        time.sleep(0.0005)
