"""What a tick costs: by what is due, or by how many cases there are. Beside it, in the same run, reading every case.

    make bench                                            runs it and writes bench/RESULTS.md
    python bench/tick.py --cases 1000 100000 --due 100    runs it and prints what it found
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import page

from casework.application import service, views
from casework.application.clockwork import tick
from casework.rulebook.calendar import covered_until
from casework.store.opening import open_reader, open_store
from casework.store.row import Row
from casework.store.store import Store

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SOON, LATE = BEGIN + timedelta(days=10), BEGIN + timedelta(days=300)
BATCH = 2_000
GIVEN = {"order": {"id": "ORD-1", "item": "榨汁机", "category": "small_appliance", "merchant": "M-1", "paid": "899.00",
                   "ordered_at": BEGIN - timedelta(days=20)}, "consumer": "C-1", "ground": "malfunction"}


def template(name: str, contacted: datetime) -> list[Row]:
    """The rows of a case that waits for the merchant since then."""
    with open_store(":memory:") as store:
        service.open_case(store, name, GIVEN, by="consumer", clock=lambda: BEGIN, command_id="open")
        service.carry_on(store, name, "contact_merchant", {"message": "坏了", "remedy": {"kind": "refund", "amount": "899.00"}},
                         by="consumer", clock=lambda: contacted, command_id="contact")
        return list(store.rows(name))


def renamed(rows: Iterable[Row], name: str, to: str) -> Iterator[Row]:
    """The same rows of another case; both names are of one length and nothing else holds them."""
    return (row._replace(case=to, payload=row.payload.replace(name.encode(), to.encode())) for row in rows)


def fill(store: Store, cases: int, due: int) -> None:
    """So many cases that wait for the merchant, of which so many have waited too long by ``SOON``."""
    late, early = template("K-0000000", BEGIN), template("K-0000000", LATE)
    rows: list[Row] = []
    every = max(cases // due, 1)
    for number in range(cases):
        rows += renamed(late if number % every == 0 and number // every < due else early, "K-0000000", f"K-{number:07}")
        if len(rows) >= BATCH:
            store.adopt(rows)
            rows = []
    if rows:
        store.adopt(rows)


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds, and what the work counts."""
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def scan(path: str, now: datetime) -> int:
    """The naive way: read every case and ask each whether something is due."""
    with open_reader(path) as reader:
        return sum(any(d["status"] == "overdue" for d in views.duties(facts, now))
                   for _, rows in views.by_case(reader.rows()) if (facts := views.facts_of(rows)) is not None)


def measure(cases: int, due: int, repeats: int) -> tuple[float, float, float]:
    """Seconds to find what is due, to apply it, and to read every case; medians but for the applying, which is done once."""
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as folder:
        path = str(Path(folder) / "bench.db")
        with open_store(path, create=True) as store:
            fill(store, cases, due)
            finds = []
            for _ in range(repeats):
                seconds, found = timed(lambda: len(store.dues(SOON, covered_until())))
                assert found == due, found
                finds.append(seconds)
            scanned, overdue = timed(lambda: scan(path, SOON))
            assert overdue == due, overdue
            applied, done = timed(lambda: sum(one.error is None for one in tick(store, SOON, lambda: SOON)))
            assert done == due, done
            assert next(tick(store, SOON, lambda: SOON), None) is None
    return statistics.median(finds), applied, scanned


PROSE = """\
Each store holds so many cases, of which the same number have fallen due. *Find* asks the index of duties what is due (median),
*apply* is `casework tick` (once, every event written durably), *read all* reads every case and asks each, as it would be without
the index (once). The last row is the point."""


def main() -> None:
    """A row for each number of cases, and the ratios between the last and the first."""
    parser = argparse.ArgumentParser(description="what a tick costs")
    parser.add_argument("--cases", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--due", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page of the run there")
    chosen = parser.parse_args()
    found = {cases: measure(cases, chosen.due, chosen.repeats) for cases in chosen.cases}
    rows = [["cases", "due", "find", "apply", "read all"]]
    rows += [[f"{cases:,}", f"{chosen.due:,}", f"{finding * 1e3:.2f} ms", f"{applying:.2f} s", f"{reading:.2f} s"]
             for cases, (finding, applying, reading) in found.items()]
    first, last = chosen.cases[0], chosen.cases[-1]
    rows.append([f"{last / first:g}×", "1×", *(f"{found[last][i] / found[first][i]:.2f}×" for i in range(3))])
    page.shown(rows)
    if chosen.write:
        page.keep(chosen.write, "tick.py", "What a tick costs", f"{PROSE}\n\n{page.table(rows)}")


if __name__ == "__main__":
    main()
