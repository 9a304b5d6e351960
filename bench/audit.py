"""What the whole audit of a store costs an event, beside the least that reading takes, and beside rebuilding every case.

    make bench ONLY=audit
    python bench/audit.py --cases 500

The store is made by ``casework simulate``; a stock eventsourcing store is given the same events, what was said included. There
is a ledger of a commit a case, some ten events, and one of a commit an event.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import page
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from transitions import Machine

from casework.audit.check import audit, judged
from casework.audit.integrity import Integrity
from casework.audit.process import own
from casework.audit.quick import nothing_against
from casework.domain.standing.events import is_standing
from casework.store.codec import decode
from casework.store.ledger.ledger import Ledger
from casework.store.opening import open_reader
from casework.store.row import Row

Work = Callable[[], object]
SCAN = "raw scan of the stock store, in order"
REBUILT, EACH = "stock repository.get, one transitions machine", "the same, a machine a case"
TENS, ONES = "the whole audit, commits of some ten events", "the whole audit, commits of one event"
LAW, READ = "of it: law alone", "of it: bytes to events alone"
SLOW = "law alone, by the slow path"


class Stock(Aggregate):
    """A case as a user of eventsourcing alone writes one, with all that was said."""

    @event("Opened")
    def __init__(self, said: dict[str, Any]) -> None:
        self.steps: list[tuple[str, str]] = []

    @event("Recorded")
    def record(self, trigger: str, to: str, said: dict[str, Any]) -> None:
        """Record an event; ``trigger`` is empty where it is no step."""
        if trigger:
            self.steps.append((trigger, to))


class Probe:
    """What a machine is asked with."""

    state = ""


def machine() -> Machine:
    """Casework's lifecycle as a stock machine."""
    rows = [{"trigger": name, "source": source, "dest": to} for source, row in own().steps.items() for name, to in row.items()]
    return Machine(model=None, states=sorted(own().states), initial=own().initial, transitions=rows, auto_transitions=False)


def simulated(folder: Path, cases: int) -> Path:
    """A lawful store of so many cases, a commit a case."""
    path = folder / "tens.db"
    subprocess.run([sys.executable, "-m", "casework", "simulate", "--cases", str(cases), "--seed", "6", "--journal", "none",
                    "--store", str(path)], check=True, stdout=subprocess.DEVNULL)
    return path


def recorded_singly(path: Path) -> Path:
    """The same store with a ledger as if each event had been recorded by itself."""
    made = shutil.copy(path, path.with_name("ones.db"))
    with open_reader(str(path)) as reader:
        rows, meta = list(reader.rows()), reader.ledger().meta()
    with closing(sqlite3.connect(made, isolation_level=None)) as db:
        db.execute("BEGIN")
        Ledger(lambda sql, *values: db.execute(sql, values).fetchall()).found(meta, ([row] for row in rows))
        db.execute("COMMIT")
    return Path(made)


def stock_store(path: Path, cases: Iterable[list[Row]]) -> tuple[Application[Any], list[Any]]:
    """A stock store in a file with the same events, and the ids of its cases in their order."""
    app: Application[Any] = Application(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)})
    ids = []
    for first, *rest in cases:
        case = Stock(json.loads(first.payload))
        for row in rest:
            case.record(row.trigger or "", row.to_state or "", json.loads(row.payload))
        app.save(case)
        ids.append(case.id)
    return app, ids


def rebuilt(app: Application[Any], ids: list[Any], *, shared: bool) -> Work:
    """Every case from the repository, and each of its steps put to a machine: one for all, or one a case."""
    everybodys, initial = machine(), own().initial

    def work() -> None:
        for id_ in ids:
            case = app.repository.get(id_)
            asked, probe = everybodys if shared else machine(), Probe()
            probe.state = initial
            for trigger, to in case.steps:
                asked.events[trigger].trigger(probe)
                assert probe.state == to

    return work


def audited(path: Path) -> Work:
    """All of it: bytes, columns, law by two derivations, duties, standings, index, leaves and tree."""
    def work() -> None:
        with open_reader(str(path)) as reader:
            seen = reader.snapshot()
            integrity = Integrity.of(reader, seen.leaves, whole=True)
            found = [f for f in audit(seen.rows, indexed=reader, integrity=integrity) if f.severity != "note"]
            assert not found, found[:3]

    return work


def measure(cases: int, rounds: int) -> dict[str, float]:
    """Median CPU seconds an event of each, all of them by turns in every round."""
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as name:
        folder = Path(name)
        path = simulated(folder, cases)
        with open_reader(str(path)) as reader:
            rows = list(reader.rows())
        made = [list(case) for stream, case in groupby(rows, key=lambda row: row.case) if not is_standing(stream)]
        app, ids = stock_store(folder / "stock.db", made)
        few, events = max(len(ids) // 10, 1), sum(map(len, made))

        def scan() -> int:
            with closing(sqlite3.connect(folder / "stock.db")) as db:
                return sum(1 for _ in db.execute("SELECT * FROM stored_events ORDER BY originator_id, originator_version"))

        variants: dict[str, tuple[Work, int]] = {
            SCAN: (scan, events),
            REBUILT: (rebuilt(app, ids, shared=True), events),
            EACH: (rebuilt(app, ids[:few], shared=False), sum(map(len, made[:few]))),
            TENS: (audited(path), len(rows)),
            ONES: (audited(recorded_singly(path)), len(rows)),
            LAW: (lambda: [nothing_against(case, None) for case in made], events),
            READ: (lambda: [decode(row.topic, row.payload) for row in rows], len(rows)),
            SLOW: (lambda: [judged(case) for case in made], events),
        }
        took: dict[str, list[float]] = {name: [] for name in variants}
        for number in range(rounds + 1):
            for name, (work, size) in variants.items():
                begun = time.process_time()
                work()
                if number:
                    took[name].append((time.process_time() - begun) / size)
        app.close()
    return {name: statistics.median(found) for name, found in took.items()}


def figures(found: dict[str, float]) -> list[page.Figure]:
    """Goals 1 and 2."""
    return [
        page.Figure(1, "commits of ten events", found[TENS] / found[SCAN], 1.5),
        page.Figure(1, "commits of one event", found[ONES] / found[SCAN], 3),
        page.Figure(2, "how much faster than one machine for all", found[REBUILT] / found[TENS], 50, "at least"),
        page.Figure(2, "how much faster than a machine a case", found[EACH] / found[TENS], 200, "at least"),
    ]


PROSE = """\
A store of lawful cases by `casework simulate`, audited whole: every byte, every column, law by two derivations, duties and
rulings derived again, merchants' books, the index of duties, every leaf and node. A case is first gone through in one pass, which
tells whether there is certainly nothing to say (`casework/audit/quick.py`); none of these cases needs more. The goals were set at
what a scan takes, and are out of reach as long as every payload is decoded, encoded again and compared, and every guard and duty
asked, in Python: to decode is over the goal already. The rows below tell where the rest goes. Left to try is to judge histories
of one shape together, which takes a proof of what in a history the law does not look at. `--jobs` shares the audit out over
processes; this is one. Medians of CPU time."""


def main() -> None:
    """One table, each row against the raw scan."""
    parser = argparse.ArgumentParser(description="what the whole audit costs")
    parser.add_argument("--cases", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there")
    chosen = parser.parse_args()
    found = measure(chosen.cases, chosen.rounds)
    rows = [["a store audited, rebuilt, or only read", "CPU an event", "of the raw scan"],
            *([name, f"{took * 1e6:.1f} µs", f"{took / found[SCAN]:.1f}×"] for name, took in found.items())]
    page.shown(rows)
    for figure in figures(found):
        print(f"goal {figure.goal}, {figure.what}: {figure.value:.2f}×, {figure.bound} {figure.limit}×: "
              f"{'reached' if figure.reached else 'missed'}")
    if chosen.write:
        page.keep(chosen.write, Path(__file__).name, "What the whole audit of a store costs",
                  "\n\n".join([PROSE, page.table(rows)]), figures(found), ["transitions"])


if __name__ == "__main__":
    main()
