"""Made-up blocks into a store, a commit each, in order; and where a run was broken off, on from there."""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing import get_context

from casework.domain.standing.events import is_standing, merchant_of
from casework.errors import Conflict
from casework.simulation.blocks import BLOCK, Block, Plan, block, wrong_of
from casework.simulation.faults import Change, Planted
from casework.store.ledger.ledger import by_stream
from casework.store.row import Row
from casework.store.sqlite.recorder import settings
from casework.store.store import Store
from casework.store.url import file_uri

#: How many blocks each process may be ahead of the one that records them: what is held in memory does not grow with the run.
AHEAD = 2
_INSERT = f"INSERT OR IGNORE INTO stored_events VALUES ({', '.join('?' * len(Row._fields))})"


@dataclass(slots=True)
class Recorded:
    """What a run has recorded: how many cases and events were added, how many cases were there from a run before, in which states
    the added ones ended, and everything that is planted in the store.
    """

    there: int = 0
    cases: int = 0
    events: int = 0
    states: Counter[str] = field(default_factory=Counter)
    planted: list[Planted] = field(default_factory=list)


def record(plan: Plan, store: Store, *, jobs: int = 1, add: bool = False, seen: Callable[[int], object] = lambda cases: None,
           ) -> Recorded:
    """Record what the plan makes, on from where a run of the same plan was broken off.

    ``seen`` is told how many more cases are there, as they are.

    What is tampered with is done last, when all is recorded. :class:`~casework.errors.Conflict` where the store holds other cases
    (``add`` lets them be), or those of another plan under the same names.
    """
    found = Recorded()
    begin = _begin(plan, store, add)
    found.there = min(begin * BLOCK, plan.cases)
    seen(found.there)
    changes: list[Change] = []
    for number in range(begin):
        before = wrong_of(plan, number)
        found.planted += before.planted
        changes += before.changes
    for made in _made(plan, begin, jobs):
        with store.writing():
            store.append_many(by_stream(made.rows))
        found.cases += made.cases
        found.events += len(made.rows)
        found.states.update(made.states)
        found.planted += made.planted
        changes += made.changes
        seen(made.cases)
    if changes and store.path is not None:
        with store.writing():
            tamper(store.path, changes)
    return found


def tamper(path: str, changes: Iterable[Change]) -> None:
    """Do to the file of a store what whoever may write it can do, past casework and its ledger. Done twice, it is done once."""
    with closing(sqlite3.connect(file_uri(path, "rw"), uri=True, isolation_level=None)) as db:
        settings(db)
        db.execute("BEGIN IMMEDIATE")
        for change in changes:
            where = "WHERE originator_id = ? AND originator_version = ?"
            match change.what:
                case "set":
                    db.execute(f"UPDATE stored_events SET {change.column} = ? {where}",
                               (change.value, change.case, change.version))
                case "remove":
                    db.execute(f"DELETE FROM stored_events {where}", (change.case, change.version))
                case "insert":
                    db.execute(_INSERT, change.value)
                case "drop":
                    db.execute("DELETE FROM duties WHERE case_id = ? AND duty = ?", (change.case, change.value))
        db.execute("COMMIT")


def _made(plan: Plan, begin: int, jobs: int) -> Iterator[Block]:
    """The blocks from that number on, in order, made by so many processes."""
    numbers = iter(range(begin, plan.blocks))
    if jobs == 1:
        yield from (block(plan, number) for number in numbers)
        return
    # Forked, a process would share the connections of the store.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[Block]] = deque()
        try:
            for number in numbers:
                waiting.append(pool.submit(block, plan, number))
                if len(waiting) == jobs * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _begin(plan: Plan, store: Store, add: bool) -> int:
    """The number of the first block that is not there."""
    if not add and (other := _other(plan, store)) is not None:
        raise Conflict(f"the store holds cases that were not made up by this command, such as '{other}'; name another store, or "
                       "let them be with --add",
                       f"案件库中有不是由本命令生成的案件，例如“{other}”；请指定其他案件库，或用 --add 保留它们并加入")
    low, high = 0, plan.blocks
    while low < high:  # blocks are recorded in order
        middle = (low + high) // 2
        if store.has(plan.case(middle * BLOCK)) or store.has(plan.case(middle * BLOCK + 1)):
            low = middle + 1
        else:
            high = middle
    if low:
        _require_same(plan, store, low - 1)
    return low


def _other(plan: Plan, store: Store) -> str | None:
    """A case, or a merchant of one, that no run of this seed makes; None where there is none."""
    for stream in store.streams():
        name = merchant_of(stream) if is_standing(stream) else stream
        if not name.startswith(plan.merchants if is_standing(stream) else plan.prefix):
            return stream
    return None


def _require_same(plan: Plan, store: Store, number: int) -> None:
    """Raise where the block of that number, recorded before, is not what this plan makes."""
    made = block(plan, number)
    wrong = {planted.case for planted in made.planted}
    for case, rows in groupby(made.rows, key=lambda row: row.case):
        if case not in wrong and list(store.rows(case)) != list(rows):
            raise Conflict(f"'{case}' is not as this command makes it up; give the seed, dates and numbers of the "
                           "run that was broken off, another --seed, or another store",
                           f"“{case}”与本命令生成的不同；请给出中断的那次运行的种子、日期和数目，"
                           "或换 --seed，或换案件库")
