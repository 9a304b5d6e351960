"""What recording costs: one durable command, a thousand cases at once, cases made up, a store copied; beside each the least.

    make bench ONLY=bulk
    python bench/bulk.py --rounds 60 --blocks 6
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import page
from ledger import CLAIM, INSERT, LATER, Raw, by_turns, renamed, rows_of, stores, template

from casework.application import service
from casework.simulation.blocks import BLOCK, Block, Plan, block
from casework.store import copying
from casework.store.ledger.ledger import by_stream
from casework.store.opening import open_reader
from casework.store.store import Store

NOTE = b"x" * 190  # a checkpoint's length
#: Of how many people each walk is told, as in a run of a million.
ALIKE = 50
COMMAND, BARE = "a command, with its journal", "a command of a store that keeps none"
MANY, BARE_MANY = "append_many, with its journal", "append_many, of a store that keeps none"
MADE = "made up, decided, told and recorded"
COPIED = "casework copy, compared in the end"


def commands(rounds: int) -> dict[str, float]:
    """Median seconds of one durable command."""
    opened, contacted = template()
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as name, ExitStack() as stack:
        raw, kept = Raw(Path(name)), stores(Path(name), stack)
        for store in kept.values():
            store.adopt([row for n in range(rounds) for row in renamed([opened], n)])

        def command(store: Store) -> Callable[[int], object]:
            return lambda n: service.carry_on(store, f"K-{n:07}", "contact_merchant", CLAIM, by="consumer", clock=lambda: LATER,
                                              command_id="contact")

        return by_turns({
            "a raw row, one fsynced append": lambda n: raw.write(renamed([contacted], n), note=NOTE),
            COMMAND: command(kept["with"]),
            "a raw row": lambda n: raw.write(renamed([contacted], rounds + n)),
            BARE: command(kept["without"]),
        }, rounds, time.perf_counter)


def batches(plan: Plan, clock: Callable[[], float]) -> tuple[dict[str, float], int]:
    """Median seconds of a block of made-up cases, and how many events there are in one."""
    blocks = [block(plan, number) for number in range(plan.blocks)]
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as name, ExitStack() as stack:
        raw, kept = Raw(Path(name)), stores(Path(name), stack)

        def append(store: Store, made: Block) -> None:
            store.append_many(by_stream(made.rows))

        other = Plan(plan.cases, plan.seed + 1, walks=plan.walks)
        return by_turns({
            "raw executemany, one fsynced append": lambda n: raw.write(blocks[n].rows, note=NOTE),
            MANY: lambda n: append(kept["with"], blocks[n]),
            BARE_MANY: lambda n: append(kept["without"], blocks[n]),
            MADE: lambda n: append(kept["with"], block(other, n)),
        }, plan.blocks, clock), sum(len(made.rows) for made in blocks) // plan.blocks


def copies(plan: Plan, rounds: int) -> tuple[dict[str, float], int]:
    """Median CPU seconds of copying a store, and of how many events; the raw way reads every row and writes it."""
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        source = stores(folder, stack)["without"]
        for number in range(plan.blocks):
            source.append_many(by_stream(block(plan, number).rows))
        path = source.file
        assert path
        events = sum(1 for _ in source.rows())

        def plain(number: int) -> None:
            place = folder / f"plain-{number}"
            place.mkdir()
            to = Raw(place)
            with closing(sqlite3.connect(path)) as db, closing(to.db):
                to.db.execute("BEGIN IMMEDIATE")
                to.db.executemany(INSERT, db.execute("SELECT * FROM stored_events ORDER BY originator_id, originator_version"))
                to.db.execute("COMMIT")

        def whole(number: int) -> None:
            place = folder / f"whole-{number}"
            place.mkdir()
            with ExitStack() as here, open_reader(path) as reader:
                copying.copy(reader, stores(place, here)["with"])

        return by_turns({"read every row and write it": plain, COPIED: whole}, rounds, time.process_time), events


PROSE = """\
*Raw* is the least that could be durable: rows in one transaction in the same journal mode, and one fsynced append of a
checkpoint's length to a file elsewhere. A command waits for its turn, loads, decides, records event, leaf and nodes, says on the
disk what it is about to sign, signs and appends the checkpoint: seven waits for the disk where raw has six, each argued in
docs/decisions and none to be had back. What is left is CPU, so that the slower the disk, the nearer the ratio comes to 7/6. The
first two tables are wall time, the others CPU time; a block is a thousand cases, and each ratio is against the raw row above it.
*Made up* includes deciding every walk and telling it of {alike} people, as in a run of a million."""


def main() -> None:
    """The four tables."""
    parser = argparse.ArgumentParser(description="what recording costs")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there")
    chosen = parser.parse_args()
    plan = Plan(chosen.blocks * BLOCK, 1, walks=chosen.blocks * BLOCK // ALIKE)
    single = commands(chosen.rounds)
    wall, size = batches(plan, time.perf_counter)
    spent, _ = batches(plan, time.process_time)
    copied, events = copies(Plan(2 * BLOCK, 1, walks=2 * BLOCK // ALIKE), 3)
    tables = [
        [["one durable command", "median", "ratio"],
         *rows_of(single, lambda s: f"{s * 1e3:.2f} ms", {"a raw row": "a raw row", BARE: "a raw row"})],
        [[f"a block of {size:,} events", "an event", "ratio"], *rows_of(wall, lambda s: f"{s / size * 1e6:.1f} µs", {})],
        [["the same, CPU", "an event", "ratio"], *rows_of(spent, lambda s: f"{s / size * 1e6:.1f} µs", {})],
        [[f"a store of {events:,} events, CPU", "an event", "ratio"],
         *rows_of(copied, lambda s: f"{s / events * 1e6:.1f} µs", {})],
    ]
    for rows in tables:
        page.shown(rows)
    if chosen.write:
        least, bare = single["a raw row, one fsynced append"], single["a raw row"]
        raw = wall["raw executemany, one fsynced append"]
        figures = [page.Figure(6, "SQLite, what was decided elsewhere", wall[MANY] / raw, 2.0),
                   page.Figure(6, "SQLite, made up and decided besides", wall[MADE] / raw, 2.0),
                   page.Figure(7, "with its journal", single[COMMAND] / least, 1.5),
                   page.Figure(7, "of a store that keeps none", single[BARE] / bare, 1.5)]
        page.keep(chosen.write, "bulk.py", "What recording costs",
                  "\n\n".join([PROSE.format(alike=ALIKE), *map(page.table, tables)]), figures)


if __name__ == "__main__":
    main()
