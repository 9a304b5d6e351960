"""What the ledger costs an audited event; beside it, in the same run, reading every row.

    make bench                                       runs it and writes its section of bench/RESULTS.md
    python bench/ledger.py --rounds 3               runs it and prints what it found
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import page

from casework import verifier
from casework.application import service
from casework.audit.check import audit
from casework.audit.integrity import Integrity
from casework.audit.signed import Signed
from casework.store.ledger.journal import Journal
from casework.store.ledger.note import Signer
from casework.store.opening import open_reader, open_store
from casework.store.row import Row
from casework.store.sqlite.recorder import EVENTS, settings
from casework.store.store import Store

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER = BEGIN + timedelta(hours=1)
GIVEN = {"order": {"id": "ORD-1", "item": "榨汁机", "category": "small_appliance", "merchant": "M-1", "paid": "899.00",
                   "ordered_at": BEGIN - timedelta(days=20)}, "consumer": "C-1", "ground": "malfunction"}
CLAIM: dict[str, object] = {"message": "坏了", "remedy": {"kind": "refund", "amount": "899.00"}}
INSERT = f"INSERT INTO stored_events VALUES ({', '.join('?' * 9)})"
NAME = "K-0000000"


def template() -> list[Row]:
    """The two rows of a case that waits for the merchant."""
    with open_store(":memory:") as store:
        service.open_case(store, NAME, GIVEN, by="consumer", clock=lambda: BEGIN, command_id="open")
        service.carry_on(store, NAME, "contact_merchant", CLAIM, by="consumer", clock=lambda: BEGIN, command_id="contact")
        return list(store.rows(NAME))


def renamed(rows: list[Row], number: int) -> list[Row]:
    """The same rows of another case."""
    to = f"K-{number:07}"
    return [row._replace(case=to, payload=row.payload.replace(NAME.encode(), to.encode())) for row in rows]


class Raw:
    """The least that a durable step takes: the row in a transaction with the same settings, and one fsynced append elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.db = sqlite3.connect(folder / "raw.db", isolation_level=None)
        settings(self.db)
        self.db.execute(EVENTS)
        self.log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, rows: list[Row], *, note: bytes = b"") -> None:
        """Record the rows in one transaction, and the note."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(INSERT, rows)
        self.db.execute("COMMIT")
        if note:
            os.write(self.log, note)
            os.fsync(self.log)


def by_turns(variants: dict[str, Callable[[int], object]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Median seconds of each, all of them in every round; each is given the number of the round."""
    took: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        for name, work in variants.items():
            begun = clock()
            work(number)
            took[name].append(clock() - begun)
    return {name: statistics.median(found) for name, found in took.items()}


def stores(folder: Path, stack: ExitStack) -> dict[str, Store]:
    """A store with a journal, and one that keeps none."""
    (folder / "with").mkdir()
    journal = Journal.found(folder / "journal", Signer("bench.example/cases", os.urandom(32)))
    return {"with": stack.enter_context(open_store(str(folder / "with" / "cases.db"), create=True, journal=journal)),
            "without": stack.enter_context(open_store(str(folder / "without.db"), create=True))}


def audits(rounds: int, events: int) -> dict[str, float]:
    """Median CPU seconds of reading, proving and auditing a store of so many events, a commit each two."""
    rows = template()
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as name, ExitStack() as stack:
        kept = stores(Path(name), stack)["with"]
        assert kept.file and kept.journal
        kept.adopt([row for n in range(events // 2) for row in renamed(rows, n)])
        path, journal = kept.file, kept.journal
        end = journal.end()
        assert end
        note = end[1]

        def scan(_: int) -> int:
            with closing(sqlite3.connect(path)) as db:
                return sum(1 for _ in db.execute("SELECT * FROM stored_events ORDER BY originator_id, originator_version"))

        def law(_: int) -> None:
            with open_reader(path) as reader:
                assert not list(audit(reader.rows(), indexed=reader))

        def whole(_: int) -> None:
            with open_reader(path) as reader:
                seen = reader.snapshot()
                integrity = Integrity.of(reader, seen.leaves, Signed(journal.folder), whole=True)
                assert not list(audit(seen.rows, indexed=reader, integrity=integrity))

        def proof(_: int) -> None:
            checkpoint = verifier.verify_checkpoint(note.encode(), journal.signer.vkey)
            assert verifier.verify_store(path, checkpoint).events == events

        return by_turns({"reading every row, in order": scan, "the audit, without integrity": law,
                         "the audit, whole": whole, "integrity alone, by the verifier": proof}, rounds, time.process_time)


def rows_of(found: dict[str, float], unit: Callable[[float], str], least: dict[str, str]) -> list[list[str]]:
    """A row a variant; ``least`` says which one each is held against, the first if nothing else."""
    first = next(iter(found))
    return [[name, unit(seconds), f"{seconds / found[least.get(name, first)]:.2f}×"] for name, seconds in found.items()]


PROSE = """\
Medians of CPU time; each ratio is against reading every row in order through sqlite3. What recording them costs is told by
bench/bulk.py."""


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description="what the ledger costs an audit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there")
    chosen = parser.parse_args()
    rows = [[f"a store of {chosen.events:,} events", "CPU an event", "ratio"],
            *rows_of(audits(chosen.rounds, chosen.events), lambda s: f"{s / chosen.events * 1e6:.1f} µs", {})]
    page.shown(rows)
    if chosen.write:
        page.keep(chosen.write, "ledger.py", "What the ledger costs", f"{PROSE}\n\n{page.table(rows)}")


if __name__ == "__main__":
    main()
