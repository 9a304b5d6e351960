"""A store's columns as a file for other programs: an event a line, in case order, as CSV or Parquet.

What is in the payload stays in the store. The audit of a log reads both (:mod:`casework.audit.logfile`). A value of a type that
its column cannot have, which no command writes, is left empty: the audit of the store tells of it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any

from casework.domain.standing.events import is_standing
from casework.store.row import Row

#: The columns, in order; times are when it happened and when it was recorded, UTC.
COLUMNS = ("case", "version", "topic", "trigger", "from", "to", "at", "recorded_at")
#: Events that are held at once while Parquet is written.
BATCH = 1 << 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS = ("case", "topic", "trigger", "from", "to")

#: How a CSV of this module's begins.
HEAD = ",".join(COLUMNS).encode()

def events(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """The columns of cases' events; merchants' standings are no cases. Times are microseconds since the epoch."""
    for row in rows:
        if not is_standing(row.case):
            yield (*_of(str, row.case), *_of(int, row.version),
                   *_of(str, row.topic, row.trigger, row.from_state, row.to_state), *_of(int, row.at, row.recorded_at))


def write_csv(rows: Iterable[Row], file: IO[str]) -> int:
    """Write them as CSV, times in ISO 8601; how many events."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow(COLUMNS)
    count = 0
    for *said, at, recorded_at in events(rows):
        out.writerow([*said, _iso(at), _iso(recorded_at)])
        count += 1
    return count


def write_parquet(rows: Iterable[Row], path: Path) -> int:
    """Write them as Parquet, times as UTC timestamps in microseconds; how many events.

    :class:`ModuleNotFoundError` where pyarrow, of the extra ``columns``, is not installed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    time = pa.timestamp("us", "UTC")
    schema = pa.schema([(name, pa.string() if name in _TEXTS else pa.int64() if name == "version" else time) for name in COLUMNS])
    count, made = 0, events(rows)
    # Cases are nearly all different: a dictionary of them would only be in the way of whoever reads.
    with pq.ParquetWriter(path, schema, use_dictionary=["topic", "trigger", "from", "to"]) as out:
        while held := list(islice(made, BATCH)):
            columns = zip(*held, strict=True)
            out.write_table(pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)],
                                     schema=schema))
            count += len(held)
    return count


def _of(kind: type, *values: object) -> Iterator[object]:
    for value in values:
        yield value if type(value) is kind else None


def _iso(at: int | None) -> str:
    try:
        return "" if at is None else (_EPOCH + timedelta(microseconds=at)).isoformat()
    except OverflowError:
        return ""
