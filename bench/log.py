"""The audit of a log file against a lifecycle, beside pm4py's token-based replay and alignments; and how fast Parquet is judged.

    make bench ONLY=log
    python bench/log.py --cases 5000 --columns 200000
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import page
import pyarrow as pa
import pyarrow.parquet as pq

from casework.audit.check import Summary
from casework.audit.logfile import audit_log
from casework.audit.process import own

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
STEPS = 10
LAST, END = "give_up", "abandoned"
PEERS = ["pm4py", "pandas", "pyarrow"]
Walk = list[tuple[str, str, str]]


def walks(random: Random, number: int) -> list[Walk]:
    """So many lawful walks of ten steps through casework's lifecycle, each ending as the consumer gives up."""
    steps = own().steps
    open_ = {state: {t: to for t, to in row.items() if to in steps and LAST in steps[to]} for state, row in steps.items()}
    made = []
    for _ in range(number):
        state, walk = own().initial, []
        for _ in range(STEPS - 1):
            trigger = random.choice(list(open_[state]))
            walk.append((trigger, state, open_[state][trigger]))
            state = open_[state][trigger]
        made.append([*walk, (LAST, state, END)])
    return made


def events(cases: int, variants: list[Walk]) -> Iterator[tuple[str, str, str, str, datetime]]:
    """So many cases, the walks in turn: case, trigger, from, to, at."""
    for number in range(cases):
        at = BEGIN + timedelta(minutes=number)
        for trigger, source, to in variants[number % len(variants)]:
            at += timedelta(hours=1)
            yield f"K-{number:07}", trigger, source, to, at


def write_csv(path: Path, cases: int, variants: list[Walk]) -> Path:
    """A log as others keep it: case, activity, time."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["case", "activity", "time"])
        out.writerows((case, trigger, at.isoformat()) for case, trigger, _, _, at in events(cases, variants))
    return path


def write_parquet(path: Path, cases: int, variants: list[Walk], *, with_states: bool) -> Path:
    """A log as casework exports it, or one without states and numbers."""
    schema = pa.schema([("case", pa.string()), ("trigger", pa.string()), ("from", pa.string()), ("to", pa.string()),
                        ("at", pa.timestamp("us", "UTC"))])
    table = pa.table(list(map(pa.array, zip(*events(cases, variants), strict=True))), schema=schema)
    if with_states:
        number = pa.array(list(range(1, STEPS + 1)) * cases)
        table = table.append_column("version", number).append_column("recorded_at", table["at"])
    else:
        table = table.drop_columns(["from", "to"])
    pq.write_table(table, path, use_dictionary=[name for name in ("trigger", "from", "to") if name in table.column_names])
    return path


def net() -> tuple[Any, Any, Any]:
    """Casework's lifecycle as a Petri net: a place a state, a transition an edge."""
    from pm4py.objects.petri_net.obj import Marking, PetriNet
    from pm4py.objects.petri_net.utils.petri_utils import add_arc_from_to

    process, made = own(), PetriNet("lifecycle")
    places = {state: PetriNet.Place(state) for state in process.states}
    made.places.update(places.values())
    for source, row in process.steps.items():
        for trigger, to in row.items():
            transition = PetriNet.Transition(f"{source}:{trigger}", trigger)
            made.transitions.add(transition)
            add_arc_from_to(places[source], transition, made)
            add_arc_from_to(transition, places[to], made)
    return made, Marking({places[process.initial]: 1}), Marking({places[END]: 1})


def pm4py_frame(path: Path) -> Any:
    """The log as pm4py reads it."""
    import pandas as pd
    import pm4py

    return pm4py.format_dataframe(pd.read_csv(path), case_id="case", activity_key="activity", timestamp_key="time")


def by_tokens(path: Path) -> None:
    """Read and replay; every case fits."""
    import pm4py

    found = pm4py.conformance_diagnostics_token_based_replay(pm4py_frame(path), *net())
    assert all(case["trace_is_fit"] for case in found)


def by_alignments(path: Path) -> None:
    """Read and align; every case fits."""
    import pm4py

    found = pm4py.conformance_diagnostics_alignments(pm4py_frame(path), *net())
    assert all(case["fitness"] == 1.0 for case in found)


def by_casework(path: Path) -> None:
    """Read and audit; nothing is found."""
    summary = Summary()
    assert audit_log(path, None, summary) == [] and summary.events


def by_turns(variants: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each, all of them in every round; the first, in which modules are imported, does not count."""
    took: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, work in variants.items():
            begun = time.process_time()
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                work()
            if number:
                took[name].append(time.process_time() - begun)
    return {name: statistics.median(found) for name, found in took.items()}


def measure(folder: Path, cases: int, columns: int, rounds: int) -> tuple[dict[str, dict[str, float]], list[list[str]], float]:
    """Seconds an event of each log and variant; the rows of Parquet; events a second of the log as casework exports it."""
    random = Random(6)
    distinct, few = walks(random, cases), walks(random, 500)
    logs = {"distinct variants": write_csv(folder / "distinct.csv", cases, distinct),
            "500 variants": write_csv(folder / "few.csv", cases, few)}
    short = write_csv(folder / "short.csv", max(cases // 10, 1), distinct)
    found: dict[str, dict[str, float]] = {}
    for name, path in logs.items():
        took = by_turns({"casework": lambda path=path: by_casework(path), "pm4py": lambda path=path: by_tokens(path)}, rounds)
        found[name] = {who: seconds / (STEPS * cases) for who, seconds in took.items()}
    took = by_turns({"casework": lambda: by_casework(logs["distinct variants"]), "pm4py": lambda: by_alignments(short)}, rounds)
    found["alignments, distinct variants"] = {"casework": took["casework"] / (STEPS * cases),
                                              "pm4py": took["pm4py"] / (STEPS * max(cases // 10, 1))}
    wide = write_parquet(folder / "wide.parquet", columns, few, with_states=True)
    narrow = write_parquet(folder / "narrow.parquet", columns, few, with_states=False)
    text = write_csv(folder / "all.csv", columns // 10, few)
    took = by_turns({"only reading it": lambda: _read(wide), "as casework exports it": lambda: by_casework(wide),
                     "case, activity, time": lambda: by_casework(narrow), "the same as CSV": lambda: by_casework(text)}, rounds)
    rates = {name: STEPS * (columns if name != "the same as CSV" else columns // 10) / seconds for name, seconds in took.items()}
    rows = [[f"{STEPS * columns:,} events", "a second and core", "bytes an event"]]
    for name, rate in rates.items():
        path = narrow if name.startswith("case") else text if "CSV" in name else wide
        size = STEPS * (columns if path is not text else columns // 10)
        rows.append([name, f"{rate / 1e6:.2f} M", f"{os.path.getsize(path) / size:.0f}"])
    return found, rows, rates["as casework exports it"]


def _read(path: Path) -> None:
    with pq.ParquetFile(path, read_dictionary=["trigger", "from", "to"], pre_buffer=False) as file:
        for batch in file.iter_batches(1 << 16):
            assert batch.num_rows


PROSE = """\
The logs are lawful walks of ten steps through casework's lifecycle, which is given to pm4py as a Petri net with a place a state.
Both sides read the same CSV (case, activity, time); casework also holds the times against one another, pm4py does not. pm4py
replays a variant once, so that its time an event falls towards that of reading as cases are added; here each of the 500 variants
is in ten cases. The alignments, a tenth of the cases for they take so long, are held against casework on the whole file, an event
each. Medians of CPU time, all threads counted. Parquet is judged by columns; the goal is of the log as `casework export` writes
it."""
LIMITS = {"distinct variants": 30.0, "500 variants": 8.0, "alignments, distinct variants": 300.0}


def main() -> None:
    """A row a log, and the rates of Parquet."""
    parser = argparse.ArgumentParser(description="what the audit of a log costs")
    parser.add_argument("--cases", type=int, default=5_000)
    parser.add_argument("--columns", type=int, default=200_000, help="cases in the Parquet file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as folder:
        found, rates, rate = measure(Path(folder), chosen.cases, chosen.columns, chosen.rounds)
    rows = [["an event, CSV", "casework", "pm4py", "times faster"],
            *([f"token-based replay, {name}" if "alignments" not in name else name, f"{took['casework'] * 1e6:.2f} µs",
               f"{took['pm4py'] * 1e6:.1f} µs", f"{took['pm4py'] / took['casework']:.0f}×"] for name, took in found.items())]
    page.shown([*rows, *rates])
    if chosen.write:
        figures = [page.Figure(3, name, found[name]["pm4py"] / found[name]["casework"], limit, "at least", "× faster")
                   for name, limit in LIMITS.items()]
        figures.append(page.Figure(4, "a log as casework exports it", rate / 1e6, 5, "at least", " M"))
        page.keep(chosen.write, "log.py", "What the audit of a log costs",
                  f"{PROSE}\n\n{page.table(rows)}\n\n{page.table(rates)}", figures, PEERS)


if __name__ == "__main__":
    main()
