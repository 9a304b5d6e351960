"""The audit of a log file against a lifecycle: CSV and Parquet, with states and without, by the fast way and the slow one."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli_helpers import casework

from casework.audit.check import Summary
from casework.audit.findings import Finding
from casework.audit.log import LogAudit
from casework.audit.logcolumns import audit_parquet
from casework.audit.logfile import audit_log, read_csv
from casework.audit.process import Process, own, read
from casework.errors import InputError

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HEAD = ["case", "version", "trigger", "from", "to", "at", "recorded_at"]
SMALL = Process("a", {"a": {"go": "b", "stay": "a"}, "b": {"back": "a", "end": "c"}}, frozenset({"note", "open_case"}))
Row = list[Any]


def lawful(random: Random, cases: int, process: Process, longest: int = 8) -> list[Row]:
    """The rows of lawful cases, in case order: steps, and events beside them."""
    rows: list[Row] = []
    for number in range(cases):
        state, at = process.initial, BEGIN + timedelta(minutes=random.randrange(10_000))
        for version in range(1, random.randint(1, longest) + 1):
            at += timedelta(minutes=random.choice([0, 0, 1, 600]))
            name = f"K-{number:04}"
            recorded = at + timedelta(minutes=1)
            if process.steps.get(state) and random.random() < 0.7:
                trigger = random.choice(list(process.steps[state]))
                to = process.steps[state][trigger]
                rows.append([name, version, trigger, state, to, at, recorded])
                state = to
            else:
                rows.append([name, version, None, None, None, at, recorded])
    return rows


def swap(random: Random, rows: list[Row], at: int) -> None:
    other = random.randrange(len(rows))
    rows[at], rows[other] = rows[other], rows[at]


FAULTS: list[Callable[[Random, list[Row], int], object]] = [
    lambda r, rows, i: rows[i].__setitem__(2, r.choice(["go", "end", "back", "nowhere", "note", "open_case", None, ""])),
    lambda r, rows, i: rows[i].__setitem__(3, r.choice(["a", "b", "c", "elsewhere", None, ""])),
    lambda r, rows, i: rows[i].__setitem__(4, r.choice(["a", "b", "c", "elsewhere", None, ""])),
    lambda r, rows, i: rows[i].__setitem__(5, rows[i][5] and rows[i][5] - timedelta(days=r.choice([0, 1, 30]))),
    lambda r, rows, i: rows[i].__setitem__(6, r.choice([None, BEGIN, rows[i][6]])),
    lambda r, rows, i: rows[i].__setitem__(1, r.choice([0, 1, 7, None])),
    lambda r, rows, i: rows[i].__setitem__(0, r.choice(["K-0001", "K-0002", "Z-1", "", None])),
    lambda r, rows, i: rows[i].__setitem__(5, None),
    lambda r, rows, i: rows.insert(i, list(rows[i])),
    lambda r, rows, i: rows.pop(i),
    swap,
]


def damaged(random: Random, rows: list[Row]) -> list[Row]:
    for _ in range(random.choice([0, 1, 1, 2, 5])):
        if rows:
            random.choice(FAULTS)(random, rows, random.randrange(len(rows)))
    return rows


def write_csv(path: Path, rows: list[Row], head: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows([cell.isoformat() if isinstance(cell, datetime) else "" if cell is None else cell for cell in row]
                      for row in rows)
    return path


def write_parquet(path: Path, rows: list[Row], head: list[str], *, dictionary: bool = True) -> Path:
    types = {"version": pa.int64(), "at": pa.timestamp("us", "UTC"), "recorded_at": pa.timestamp("us", "UTC")}
    columns = {name: pa.array([row[i] for row in rows], types.get(name, pa.string())) for i, name in enumerate(head)}
    pq.write_table(pa.table(columns), path, row_group_size=7, use_dictionary=dictionary)
    return path


def said(findings: list[Finding]) -> list[tuple[str, str, int, str, str]]:
    """The findings, whatever a row of the file is called there and wherever it stands."""
    return sorted((f.case, f.code, f.version, re.sub(r"(line|row) \d+", "", f.what.en), f.why.en) for f in findings)


def only(rows: list[Row], *names: str) -> list[Row]:
    return [[row[HEAD.index(name)] for name in names] for row in rows]


@pytest.mark.parametrize("seed", range(120))
def test_a_log_is_found_the_same_by_rows_and_by_columns_fast_and_slow(seed: int, tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    # So small that cases end in the next batch, and so large that none does.
    monkeypatch.setattr("casework.audit.logcolumns.BATCH", random.choice([1, 3, 8, 1 << 16]))
    process = own() if seed % 3 == 0 else SMALL
    rows = damaged(random, lawful(random, random.randint(1, 12), process))
    if not rows:
        return
    head = HEAD if seed % 2 else ["case", "trigger", "at"]
    rows = only(rows, *head)
    text, columns = write_csv(tmp_path / "log.csv", rows, head), write_parquet(tmp_path / "log.parquet", rows, head,
                                                                             dictionary=seed % 5 != 0)
    counted = [Summary() for _ in range(4)]
    by_rows = audit_log(text, process, counted[0])
    by_columns = audit_log(columns, process, counted[1])
    slow_columns = audit_parquet(columns, process, counted[2], fast=False)
    with text.open(encoding="utf-8-sig", newline="") as file:
        found, entries = read_csv(file, "log.csv")
        slow_rows = list(LogAudit(process, counted[3], with_states=found["from"] is not None, fast=False).findings(entries))
    assert said(by_columns) == said(slow_columns)
    assert said(by_rows) == said(slow_rows)
    assert said(by_rows) == said(by_columns)
    assert len({(summary.cases, summary.events) for summary in counted}) == 1
    assert counted[0].events == len(rows)


def test_a_lawful_log_of_the_own_lifecycle_has_no_finding(tmp_path: Path) -> None:
    rows = lawful(Random(7), 300, own())
    for path in (write_csv(tmp_path / "a.csv", rows, HEAD), write_parquet(tmp_path / "a.parquet", rows, HEAD)):
        summary = Summary()
        assert audit_log(path, None, summary) == []
        assert (summary.cases, summary.events) == (300, len(rows))


@pytest.mark.parametrize(("line", "code", "version"), [
    ("K-1,2,go,a,b,2026-03-01T10:00:00+08:00", "time_backwards", 2),
    ("K-1,3,go,a,b,2026-03-03T10:00:00+08:00", "version_gap", 3),
    ("K-1,2,end,a,c,2026-03-03T10:00:00+08:00", "unlawful_edge", 2),
    ("K-1,2,go,a,c,2026-03-03T10:00:00+08:00", "unlawful_edge", 2),
    ("K-1,2,fly,a,c,2026-03-03T10:00:00+08:00", "unlawful_edge", 2),
    ("K-1,2,back,b,a,2026-03-03T10:00:00+08:00", "state_not_yielded", 2),
    ("K-1,2,go,a,b,yesterday", "unreadable_line", 2),
    ("K-1,two,go,a,b,2026-03-03T10:00:00+08:00", "unreadable_line", 2),
    ("K-1,2,go,a", "unreadable_line", 0),
    (",2,go,a,b,2026-03-03T10:00:00+08:00", "unreadable_line", 0),
])
def test_each_fault_of_a_log_is_named_with_its_line(line: str, code: str, version: int, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"case,version,trigger,from,to,at\nK-1,1,,,,2026-03-02T10:00:00+08:00\n{line}\n", encoding="utf-8")
    [found] = audit_log(path, SMALL)
    assert (found.code, found.version) == (code, version)
    assert found.what.en.startswith("line 3") and found.what.zh.startswith("第 3 行")


def test_a_log_of_others_is_read_by_the_names_that_they_give_and_in_any_order_of_cases(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\ufeffcase:concept:name;concept:name;time:timestamp\n2;go;2026-03-01 10:00:00\n1;go;2026-03-01 09:00:00\n"
                    "2;end;2026-03-02 10:00:00\n1;note;2026-03-02 10:00:00\n1;end;2026-03-02 10:00:00\n1;go;2026-03-03\n",
                    encoding="utf-8")
    [found] = audit_log(path, SMALL)
    assert (found.case, found.code, found.version) == ("1", "unlawful_edge", 4)
    assert found.why.en == "no go leaves 'c'"


def test_what_the_audit_of_a_store_finds_in_its_columns_a_log_of_it_shows_by_the_same_codes() -> None:
    from casework.audit.codes import FINDINGS

    assert {"time_backwards", "at_after_recorded", "version_gap", "unlawful_edge", "state_not_yielded", "opened_twice",
            "unreadable_line"} <= set(FINDINGS)


@pytest.mark.parametrize(("text", "told"), [
    ("", "is empty"), ("a,b\n1,2\n", "has no column for case, trigger, at"),
    ("case,case,trigger,at\n", "two columns are called case"),
    ("case,trigger,from,at\n", "only one of the columns from and to"),
])
def test_a_file_that_is_no_log_is_refused_with_what_to_do(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        audit_log(path)


def test_bytes_that_are_no_utf8_and_no_parquet_and_no_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for raw, told in ((b"case,trigger,at\n\xb1\xe0,go,x\n", "not UTF-8"), (b"\xff\xfe", "not UTF-8"), (b"PAR1 no", "as Parquet")):
        path.write_bytes(raw)
        with pytest.raises(InputError, match=told):
            audit_log(path)
    for there in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError):
            audit_log(there)


def test_times_that_no_calendar_has_are_found_in_columns_as_in_rows(tmp_path: Path) -> None:
    at = pa.array([0, 10**18], pa.int64()).cast(pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"case": ["1", "1"], "activity": ["go", "end"], "time": at}), tmp_path / "a.parquet")
    [found] = audit_log(tmp_path / "a.parquet", SMALL)
    assert (found.code, found.version) == ("unreadable_line", 2)


def test_columns_of_other_types_are_read_where_they_say_the_same(tmp_path: Path) -> None:
    made = pa.table({"case_id": pa.array([1, 1, 2], pa.int32()), "activity": pa.array(["go", "end", "end"]).dictionary_encode(),
                     "timestamp": pa.array(["2026-03-01", "2026-03-02", "2026-03-03"])})
    pq.write_table(made, tmp_path / "a.parquet")
    assert [(f.case, f.code) for f in audit_log(tmp_path / "a.parquet", SMALL)] == [("2", "unlawful_edge")]
    pq.write_table(made.set_column(2, "timestamp", pa.array([1, 2, 3])), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="holds int64, not times"):
        audit_log(tmp_path / "b.parquet", SMALL)


def test_a_lifecycle_is_taken_from_a_file_as_casework_prints_it(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(casework("lifecycle", "--format", "json").ok().out, encoding="utf-8")
    assert read(path) == own()
    path.write_text("edges:\n- {from: a, trigger: go, to: b}\nbeside: [note]\n", encoding="utf-8")
    assert read(path) == Process("a", {"a": {"go": "b"}}, frozenset({"note"}))


@pytest.mark.parametrize(("text", "told"), [
    ("edges: []\n", ":1: has to be a list with at least one edge"),
    ("edges:\n- {from: a, trigger: go}\n", ":2: to has to be a name"),
    ("edges:\n- {from: a, trigger: go, to: b}\n- {from: a, trigger: go, to: c}\n", ":3: a second edge leaves a by go"),
    ("edge: 1\n", "unknown key 'edge'"), ("[]", "has to be a mapping"), ("edges: x\n", "edges has to be a list"),
])
def test_a_file_that_is_no_lifecycle_is_refused_at_its_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read(path)
