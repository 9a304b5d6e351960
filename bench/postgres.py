"""Recording in PostgreSQL: commits of one event by several processes at once, and many events in one commit; beside each, in the
same run on the same server, stock eventsourcing and what the database itself takes.

    make bench ONLY=postgres                         runs it and writes its section of bench/RESULTS.md
    python bench/postgres.py --seconds 3             runs it and prints what it found

The server is the one of the tests (``CASEWORK_TEST_POSTGRES`` names another). The extra ``bench`` brings it, and psycopg_pool,
which the stock recorder needs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import page
import psycopg
from psycopg import conninfo

from casework.store.ledger.journal import Journal
from casework.store.ledger.ledger import by_stream
from casework.store.ledger.note import Signer
from casework.store.opening import make_store
from casework.store.postgres import recorder as module
from casework.store.postgres.reader import COLUMNS
from casework.store.postgres.recorder import PostgresRecorder
from casework.store.row import Row
from casework.store.stored import from_row
from casework.store.url import parse

sys.path.append(str(Path(__file__).parents[1] / "tests"))
os.environ.setdefault("XDG_STATE_HOME", tempfile.mkdtemp(prefix="casework-bench-"))

PROSE = """\
What several processes record in PostgreSQL, one event of about 400 bytes a commit, each on a case of its own: commits a second
of all of them together, the median of the rounds, in which the variants took turns. *casework* keeps the ledger, its signature
and a journal on this machine beside the event, and is done when the commit and then the journal are on the disk: it waits for the
disk twice. *Without a journal* it waits once, and nothing is signed; *waiting within the turn* is the same but for what it is
there to show: the ledger's row stays locked until the commit is on the disk. *eventsourcing* is the stock recorder with its lock
on the table; *a plain INSERT* is the row alone, in no order.

Then many events in one commit: seconds over those of `COPY … BINARY` of the same rows into a bare table with the same key.
*eventsourcing* has them in commits of 1,000, for more at once do not come to an end in its pipeline."""
PROCESSES = (1, 8)
VARIANTS = ("casework", "casework without a journal", "the same, waiting within the turn", "eventsourcing", "a plain INSERT")


def row(case: str, version: int) -> Row:
    """An event of the usual size."""
    at = 1_790_000_000_000_000 + version
    said = '"by":{"id":"C-1","role":"consumer"},"data":{"note":"' + "客服称三天内答复，" * 8
    payload = (f'{{"at":"2026-03-02T01:00:00Z","case":"{case}","command_id":"{case}-{version}",{said}"}},'
               '"type":"casework.case.call_logged"}').encode()
    return Row(case, version, "casework.case.call_logged", payload, None, None, None, at, at)


def journal(url: str) -> Path:
    """Where the journal of that store lies."""
    return Path(os.environ["XDG_STATE_HOME"]) / parse(url).schema


def ours(url: str, kept: bool, waiting: bool) -> Callable[[Row], object]:
    """Records with the ledger, and with the journal where one is kept."""
    made = PostgresRecorder(parse(url if kept else f"{url}_bare"), Journal(journal(url)) if kept else None)
    if waiting:
        module._TURN = module._TURN.replace("set_config('synchronous_commit', 'off', true)", "''")
        module._SURVIVE = "SELECT 1"

    def record(event: Row) -> None:
        made.append_many([[event]])
        made.acknowledge()

    return record


def stock(url: str, table: str) -> Callable[[Row], object]:
    """The library's own recorder, as its application uses it."""
    recorder = stock_recorder(url, table, create=False)
    return lambda event: recorder.insert_events([from_row(event)])


def stock_recorder(url: str, table: str, *, create: bool) -> Any:
    """The same, over its own table."""
    from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

    told = conninfo.conninfo_to_dict(parse(url).path)
    store = PostgresDatastore(told.get("dbname") or "", told.get("host") or "", told.get("port") or 5432, told.get("user") or "",
                              told.get("password") or "", originator_id_type="text")
    made = PostgresApplicationRecorder(store, events_table_name=table)
    if create:
        made.create_table()
    return made


def plain(url: str) -> Callable[[Row], object]:
    """The row alone."""
    connection = psycopg.connect(parse(url).path, autocommit=True)
    connection.execute(f"SET search_path = {parse(url).schema}")
    return lambda event: connection.execute(f"INSERT INTO bare VALUES ({', '.join(['%s'] * 9)})", event)


def work(variant: str, url: str, number: int, begin: Any, seconds: float, done: Any) -> None:
    """A process: as many commits as it can, from the moment on at which all are ready."""
    record = {VARIANTS[0]: lambda: ours(url, True, False), VARIANTS[1]: lambda: ours(url, False, False),
              VARIANTS[2]: lambda: ours(url, False, True), VARIANTS[3]: lambda: stock(url, parse(url).schema),
              VARIANTS[4]: lambda: plain(url)}[variant]()
    case, version = f"K-{os.getpid()}-{number}", 1
    record(row(case, version))
    begin.wait()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        version += 1
        record(row(case, version))
    done.put(version - 1)


def rate(variant: str, url: str, processes: int, seconds: float) -> float:
    """Commits a second of so many processes."""
    context = multiprocessing.get_context("spawn")
    begin, done = context.Barrier(processes), context.Queue()
    running = [context.Process(target=work, args=(variant, url, n, begin, seconds, done)) for n in range(processes)]
    for process in running:
        process.start()
    count = sum(done.get(timeout=120) for _ in running)
    for process in running:
        process.join()
    return count / seconds


def prepared() -> str:
    """A store, and the tables of the others beside it."""
    from harness import postgres

    url = postgres.fresh_url()
    kept = Journal.found(journal(url), Signer("local/bench", b"\x05" * 32))
    make_store(parse(url), kept)
    make_store(parse(f"{url}_bare"), None)
    with psycopg.connect(parse(url).path, autocommit=True) as connection:
        connection.execute(f"SET search_path = {parse(url).schema}")
        connection.execute("CREATE TABLE bare (LIKE stored_events INCLUDING ALL)")
    stock_recorder(url, parse(url).schema, create=True)
    return url


def commits(url: str, rounds: int, seconds: float) -> list[list[str]]:
    """The first table."""
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for processes in PROCESSES:
            for variant in VARIANTS:
                found.setdefault((variant, processes), []).append(rate(variant, url, processes, seconds))
    middle = {key: statistics.median(values) for key, values in found.items()}
    most = PROCESSES[-1]
    head = ["commits a second", *(f"{n} process{'es' if n > 1 else ''}" for n in PROCESSES), f"over eventsourcing, {most}"]
    return [head, *([variant, *(f"{middle[variant, n]:,.0f}" for n in PROCESSES),
                     f"{middle[variant, most] / middle['eventsourcing', most]:.2f}×"] for variant in VARIANTS)]


def copied(url: str, rows: list[Row]) -> float:
    """Seconds of COPY of the rows into a bare table, committed."""
    with psycopg.connect(parse(url).path) as connection:
        connection.execute(f"SET search_path = {parse(url).schema}")
        begun = time.perf_counter()
        with connection.cursor().copy(f"COPY bare ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(module._EVENT_TYPES)
            for each in rows:
                copy.write_row(each)
        connection.commit()
        return time.perf_counter() - begun


def batches(url: str, rounds: int, size: int) -> tuple[list[list[str]], float]:
    """The second table, and casework's ratio."""
    recorder, library = PostgresRecorder(parse(url), Journal(journal(url))), stock_recorder(url, parse(url).schema, create=False)
    seconds: dict[str, list[float]] = {"COPY … BINARY": [], "casework": [], "eventsourcing": []}
    for number in range(rounds + 1):
        rows = [row(f"B-{number}-{n // 12}", 1 + n % 12) for n in range(size)]
        ratio = {"COPY … BINARY": copied(url, rows)}
        begun = time.perf_counter()
        recorder.append_many(by_stream(rows))
        recorder.acknowledge()
        ratio["casework"] = time.perf_counter() - begun
        begun = time.perf_counter()
        for start in range(0, size, 1_000):  # of twelve thousand at once its pipeline does not come to an end
            library.insert_events([from_row(each) for each in rows[start:start + 1_000]])
        ratio["eventsourcing"] = time.perf_counter() - begun
        for name, took in ratio.items():
            if number:  # the first warms up
                seconds[name].append(took)
    bare = statistics.median(seconds["COPY … BINARY"])
    over = {name: statistics.median(a / b for a, b in zip(values, seconds["COPY … BINARY"], strict=True))
            for name, values in seconds.items()}
    table = [[f"{size:,} events, 12 a case", "events a second", "over COPY"],
             *([name, f"{size / (bare * over[name]):,.0f}", f"{over[name]:.2f}×"] for name in seconds)]
    return table, over["casework"]


def main() -> None:
    """Measure, show, and keep what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--batch", type=int, default=12_000)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there")
    chosen = parser.parse_args()
    url = prepared()
    first = commits(url, chosen.rounds, chosen.seconds)
    page.shown(first)
    second, ratio = batches(url, chosen.rounds, chosen.batch)
    page.shown(second)
    if chosen.write:
        version = psycopg.connect(parse(url).path).info.parameter_status("server_version")
        page.keep(chosen.write, "postgres.py", "Recording in PostgreSQL",
                  "\n\n".join([PROSE, page.table(first), page.table(second), f"PostgreSQL {version} on the same machine."]),
                  [page.Figure(6, "PostgreSQL, against COPY … BINARY", ratio, 2.0)], ["psycopg"])


if __name__ == "__main__":
    main()
