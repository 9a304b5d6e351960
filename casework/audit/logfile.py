"""A log of events as a file: CSV, read a line at a time, or Parquet, judged a column at a time where pyarrow is installed."""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from casework.audit.check import Summary
from casework.audit.findings import Finding, Line
from casework.audit.log import Entry, LogAudit, Unreadable
from casework.audit.process import Process, own
from casework.errors import InputError

PARQUET = b"PAR1"
#: What a column of an entry may be called: by us, and by others.
NAMES = {
    "case": ("case", "case_id", "case:concept:name"),
    "version": ("version",),
    "trigger": ("trigger", "activity", "concept:name"),
    "from": ("from", "from_state"),
    "to": ("to", "to_state"),
    "at": ("at", "time", "timestamp", "time:timestamp"),
    "recorded_at": ("recorded_at",),
}
_NEEDED = ("case", "trigger", "at")
_LONGEST_HEAD = 1 << 16


#: Which column of a file is which of :data:`NAMES`; None for one that it has not.
Columns = dict[str, int | None]


def audit_log(path: Path, process: Process | None = None, summary: Summary | None = None) -> list[Finding]:
    """What is wrong with a log, by case and version; by casework's own lifecycle unless another is given.

    ``summary`` is filled. :class:`~casework.errors.InputError` for a file that is no log, in one line with its remedy.
    """
    summary = Summary() if summary is None else summary
    process = own() if process is None else process
    handle = _opened(path)
    with open(handle, encoding="utf-8-sig", newline="") as file:
        is_parquet = os.read(handle, len(PARQUET)) == PARQUET
        os.lseek(handle, 0, os.SEEK_SET)
        if is_parquet:
            found: Iterable[Finding] = _parquet(path, process, summary)
        else:
            columns, entries = read_csv(file, str(path))
            found = LogAudit(process, summary, with_states=columns["from"] is not None).findings(entries)
        return sorted(found, key=lambda finding: (finding.case, finding.version))


def columns_of(names: Sequence[str], where: str) -> Columns:
    """Which column is which. :class:`~casework.errors.InputError` where one that is needed is missing, or is there twice."""
    places: Columns = {}
    for name, known in NAMES.items():
        found = [number for number, said in enumerate(names) if said in known]
        if len(found) > 1:
            raise InputError(f"two columns are called {' or '.join(known)}; keep one",
                             f"有两列都是 {'、'.join(known)}；请只保留一列", where)
        places[name] = found[0] if found else None
    if missing := [name for name in _NEEDED if places[name] is None]:
        heads = "; ".join(", ".join(NAMES[name]) for name in missing)
        raise InputError(f"has no column for {', '.join(missing)} (one of: {heads}); name them in the head",
                         f"缺少列 {'、'.join(missing)}（可用列名：{heads}）；请在表头写明", where)
    if (places["from"] is None) != (places["to"] is None):
        raise InputError("has only one of the columns from and to; give both or neither", "from 与 to 两列须同时有或同时没有",
                         where)
    return places


def read_csv(file: IO[str], name: str) -> tuple[Columns, Iterator[Entry | Unreadable]]:
    """The columns of a CSV file, separated by commas, semicolons or tabs as its head is, and its events."""
    try:
        head = file.readline(_LONGEST_HEAD)
    except UnicodeDecodeError:
        raise _not_utf8(name, 1) from None
    if not head.strip():
        raise InputError("is empty; the first line names the columns: case, activity, time",
                         "没有内容；首行须为列名：case、activity、time", name)
    separator = max(",;\t", key=head.count)
    names = [said.strip() for said in next(csv.reader([head], delimiter=separator))]
    columns = columns_of(names, f"{name}:1")
    return columns, _entries(csv.reader(file, delimiter=separator), columns, len(names), name)


def _entries(reader: Any, columns: Columns, width: int, name: str) -> Iterator[Entry | Unreadable]:
    # A column that is not there is read from a cell that is put behind each row.
    pick = itemgetter(*(width if place is None else place for place in columns.values()))
    while True:
        try:
            for row in reader:
                if len(row) == width:
                    row.append("")
                    yield reader.line_num + 1, *pick(row)
                elif row:
                    yield reader.line_num + 1, Line(f"有 {len(row)} 列，应为 {width} 列", f"it has {len(row)} cells, not {width}")
            return
        except csv.Error as error:
            yield reader.line_num + 1, Line(f"不是 CSV（{error}）", f"that is no CSV ({error})")
        except UnicodeDecodeError:
            raise _not_utf8(name, reader.line_num + 2) from None


def _not_utf8(name: str, line: int) -> InputError:
    return InputError("is not UTF-8; save the file as UTF-8", "不是 UTF-8 编码；请把文件另存为 UTF-8", f"{name}:{line} …")


def _parquet(path: Path, process: Process, summary: Summary) -> Iterable[Finding]:
    try:
        from casework.audit.logcolumns import audit_parquet
    except ModuleNotFoundError:
        raise InputError("is a Parquet file, which takes pyarrow; install it with: pip install 'casework[columns]'",
                         "是 Parquet 文件，需要 pyarrow；请安装：pip install 'casework[columns]'", str(path)) from None
    return audit_parquet(path, process, summary)


def _opened(path: Path) -> int:
    """A handle of the regular file; opening never waits for a writer."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read ({why}); check the path and its permissions", f"无法读取（{why}）；请检查路径和权限",
                         str(path)) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError("is not a regular file; save the log to a file first", "不是普通文件；请先把日志存成文件", str(path))
    return handle
