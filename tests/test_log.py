"""The audit of a log file against a lifecycle: CSV and Parquet, with states and without, by the fast way and the slow one."""

from __future__ import annotations

import csv
import os
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


# --- what is told, word for word, by rows and by columns ---------------------------------------------------------------

Told = tuple[str, str, int, str, str]
BARE = ["case", "trigger", "at"]


def clock(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def when(minute: int) -> str:
    return clock(minute).isoformat()


def told(findings: list[Finding], unit: str = "line", head: int = 1) -> list[Told]:
    """The findings in their order, in English, with rows of a Parquet file called what they are in CSV."""
    return [(f.case, f.code, f.version, re.sub(rf"{unit} (\d+)", lambda m: f"@{int(m[1]) - head}", f.what.en), f.why.en)
            for f in findings]


def by_rows_and_by_columns(folder: Path, rows: list[Row], head: list[str] = HEAD, process: Process = SMALL) -> list[Told]:
    """What is told of the rows, counted from @1: the same, whichever file they stand in and wherever its batches end."""
    every = []
    for summary, path, unit, first in ((Summary(), write_csv(folder / "log.csv", rows, head), "line", 1),
                                       (Summary(), write_parquet(folder / "log.parquet", rows, head), "row", 0)):
        every.append(told(audit_log(path, process, summary), unit, first))
        assert (summary.events, summary.cases) == (len(rows), len({row[0] for row in rows if row[0]}))
    assert every[0] == every[1]
    return every[0]


def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines of the events that are judged from now on, because something may be wrong with them."""
    lines: list[int] = []
    plain = LogAudit._judge

    def judge(audit: LogAudit, place: Any, entry: Any) -> Any:
        lines.append(entry[0])
        return plain(audit, place, entry)

    monkeypatch.setattr(LogAudit, "_judge", judge)
    return lines


def read_singly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that are read from now on event by event, because something is wrong with their cases."""
    rows: list[int] = []
    plain = LogAudit.findings

    def findings(audit: LogAudit, entries: Any) -> Any:
        entries = list(entries)
        rows.extend(entry[0] for entry in entries)
        return plain(audit, entries)

    monkeypatch.setattr("casework.audit.logcolumns.LogAudit.findings", findings)
    return rows


def test_everything_that_is_wrong_with_one_event_is_told_in_full(tmp_path: Path) -> None:
    rows: list[Row] = [["K-1", 1, None, None, None, clock(9), clock(9)], ["K-1", 5, "fly", "b", "c", clock(7), clock(6)]]
    assert by_rows_and_by_columns(tmp_path, rows) == [
        ("K-1", "at_after_recorded", 5, f"@2: at {when(7)}", f"recorded_at {when(6)}"),
        ("K-1", "state_not_yielded", 5, "@2: from 'b'", "the events before yield a"),
        ("K-1", "time_backwards", 5, f"@2: at {when(7)}; @2: recorded_at {when(6)}", f"the event before has {when(9)}"),
        ("K-1", "unlawful_edge", 5, "@2: 'fly': 'b' → 'c'", "the lifecycle has no step 'fly'"),
        ("K-1", "version_gap", 5, "@2: version 5", "version 2 was due"),
    ]
    [found, *_] = audit_log(tmp_path / "log.csv", SMALL)
    assert found.what.zh == f"第 3 行：at {when(7)}" and found.why.zh == f"recorded_at {when(6)}"
    [found, *_] = audit_log(tmp_path / "log.parquet", SMALL)
    assert found.what.zh == f"第 2 数据行：at {when(7)}"


@pytest.mark.parametrize(("said", "then", "wrong"), [
    (("go", "a", "a"), ("stay", "a", "a"), [("unlawful_edge", "@1: 'go': 'a' → 'a'", "go leads to b")]),
    (("go", "a", "c"), (None, None, None), [("unlawful_edge", "@1: 'go': 'a' → 'c'", "go leads to b")]),
    (("go", "a", "elsewhere"), ("end", "b", "c"), [("unlawful_edge", "@1: 'go': 'a' → 'elsewhere'", "go leads to b")]),
    (("fly", "a", "elsewhere"), ("go", "a", "b"), [("unlawful_edge", "@1: 'fly': 'a' → 'elsewhere'",
                                                    "the lifecycle has no step 'fly'")]),
    (("end", "a", "c"), (None, None, None), [("unlawful_edge", "@1: 'end': 'a' → 'c'", "no end leaves 'a'")]),
    (("end", "b", "c"), (None, None, None), [("state_not_yielded", "@1: from 'b'", "the events before yield a")]),
    (("go", "b", "b"), ("end", "b", "c"), [("state_not_yielded", "@1: from 'b'", "the events before yield a"),
                                           ("unlawful_edge", "@1: 'go': 'b' → 'b'", "no go leaves 'b'")]),
    (("go", "a", None), ("end", "b", "c"), [("unlawful_edge", "@1: 'go': 'a' → None",
                                             "a step without its trigger, from or to")]),
    (("go", None, "b"), ("end", "b", "c"), [("unlawful_edge", "@1: 'go': None → 'b'",
                                             "a step without its trigger, from or to")]),
    (("go", None, None), ("end", "b", "c"), [("unlawful_edge", "@1: 'go': None → None",
                                              "a step without its trigger, from or to")]),
    ((None, "a", "b"), ("end", "b", "c"), [("unlawful_edge", "@1: None: 'a' → 'b'", "a step without its trigger, from or to")]),
    ((None, "a", None), ("go", "a", "b"), [("unlawful_edge", "@1: None: 'a' → None", "a step without its trigger, from or to")]),
    ((None, None, "b"), ("end", "b", "c"), [("unlawful_edge", "@1: None: None → 'b'",
                                             "a step without its trigger, from or to")]),
    (("open_case", None, None), ("go", "a", "b"), [("unlawful_edge", "@1: 'open_case': None → None",
                                                    "a step without its trigger, from or to; the lifecycle has no step "
                                                    "'open_case'")]),
])
def test_one_wrong_step_is_one_event_s_finding_and_the_next_is_judged_from_where_it_led(
        said: Row, then: Row, wrong: list[tuple[str, str, str]], tmp_path: Path) -> None:
    rows = [["K-1", 1, *said, clock(1), clock(1)], ["K-1", 2, *then, clock(1), clock(1)]]
    assert by_rows_and_by_columns(tmp_path, rows) == [("K-1", code, 1, what, why) for code, what, why in wrong]


@pytest.mark.parametrize(("triggers", "wrong"), [
    (["open_case", "note", "go", "note", "end", "note"], []),
    (["note", "go", "back", "stay"], []),
    (["note", "end", "go"], [("unlawful_edge", 2, "@2: 'end'", "no end leaves 'a'")]),
    (["end", "go"], [("unlawful_edge", 1, "@1: 'end'", "no end leaves 'a'")]),
    (["go", "open_case", "end"], [("opened_twice", 2, "@2: 'open_case'", "the case had events before")]),
    (["go", "fly", "end"], [("unlawful_edge", 2, "@2: 'fly'", "the lifecycle has no step 'fly'")]),
    (["go", None, "end"], [("unlawful_edge", 2, "@2: None", "a step without its trigger, from or to")]),
    (["go", "", "end"], [("unlawful_edge", 2, "@2: None", "a step without its trigger, from or to")]),
])
def test_without_states_a_log_is_held_against_what_its_steps_yield(triggers: list[str | None],
                                                                   wrong: list[tuple[str, int, str, str]],
                                                                   tmp_path: Path) -> None:
    rows: list[Row] = [["K-1", trigger, clock(number)] for number, trigger in enumerate(triggers)]
    wrong = [(code, number, what.replace("'open_case'", "open_case"), why) for code, number, what, why in wrong]
    assert by_rows_and_by_columns(tmp_path, rows, BARE) == [("K-1", code, *rest) for code, *rest in wrong]


def test_an_opening_that_is_wrong_in_time_is_no_second_opening(tmp_path: Path) -> None:
    rows: list[Row] = [["K-1", "open_case", None], ["K-1", "go", clock(1)]]
    assert by_rows_and_by_columns(tmp_path, rows, BARE) == [
        ("K-1", "unreadable_line", 1, "@1: at None", "that is no ISO 8601 time")]


def test_a_case_begins_at_the_beginning_wherever_the_one_before_it_ended(tmp_path: Path) -> None:
    rows: list[Row] = [["K-1", 1, "go", "a", "b", clock(5), clock(5)], ["K-2", 1, None, None, None, clock(1), clock(1)],
                       ["K-2", 2, "end", "b", "c", clock(2), clock(2)], ["K-3", 1, "", "", "", clock(1), clock(1)],
                       ["K-3", 2, "", "", "", clock(1), clock(1)], ["K-3", 3, "go", "a", "b", clock(1), clock(1)]]
    assert by_rows_and_by_columns(tmp_path, rows) == [
        ("K-2", "state_not_yielded", 2, "@3: from 'b'", "the events before yield a")]


def test_times_may_be_equal_and_not_a_microsecond_less(tmp_path: Path) -> None:
    tick = timedelta(microseconds=1)
    rows: list[Row] = [["K-1", 1, None, None, None, clock(1), clock(1)], ["K-1", 2, "fly", "a", "a", clock(1), clock(1)],
                       ["K-1", 3, None, None, None, clock(1), clock(1) - tick], ["K-2", 1, None, None, None, clock(1), None],
                       ["K-2", 2, None, None, None, clock(1) - tick, clock(2)], ["K-2", 3, None, None, None, clock(2), clock(2)]]
    assert by_rows_and_by_columns(tmp_path, rows) == [
        ("K-1", "unlawful_edge", 2, "@2: 'fly': 'a' → 'a'", "the lifecycle has no step 'fly'"),
        ("K-1", "at_after_recorded", 3, f"@3: at {when(1)}", f"recorded_at {(clock(1) - tick).isoformat()}"),
        ("K-1", "time_backwards", 3, f"@3: recorded_at {(clock(1) - tick).isoformat()}", f"the event before has {when(1)}"),
        ("K-2", "time_backwards", 2, f"@5: at {(clock(1) - tick).isoformat()}", f"the event before has {when(1)}"),
    ]


def test_a_time_that_is_none_is_told_and_the_next_is_held_against_the_one_before(tmp_path: Path) -> None:
    rows: list[Row] = [["K-1", "go", clock(5)], ["K-1", "note", None], ["K-1", "note", clock(4)]]
    assert by_rows_and_by_columns(tmp_path, rows, BARE) == [
        ("K-1", "unreadable_line", 2, "@2: at None", "that is no ISO 8601 time"),
        ("K-1", "time_backwards", 3, f"@3: at {when(4)}", f"the event before has {when(5)}")]
    path = tmp_path / "b.csv"
    path.write_text("case,version,trigger,at,recorded_at\nK-1,two,go,noon,late\nK-1,2,note,2026-03-02,2026-03-02\n",
                    encoding="utf-8")
    assert told(audit_log(path, SMALL)) == [
        ("K-1", "unreadable_line", 1, "@1: version 'two'; @1: at 'noon'; @1: recorded_at 'late'",
         "the version is no whole number; that is no ISO 8601 time")]


def test_numbers_follow_one_another_from_one(tmp_path: Path) -> None:
    rows: list[Row] = [["K-1", version, None, None, None, clock(1), clock(1)] for version in (2, 3, 3, None, 5, 0)]
    assert by_rows_and_by_columns(tmp_path, rows) == [
        ("K-1", "version_gap", 0, "@6: version 0", "version 6 was due"),
        ("K-1", "version_gap", 2, "@1: version 2", "version 1 was due"),
        ("K-1", "version_gap", 3, "@3: version 3", "version 4 was due")]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_findings_come_by_case_and_version_and_name_the_rows_of_the_file_wherever_a_batch_ends(
        size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.audit.logcolumns.BATCH", size)
    names = ["A", "A", "B", "B", "B", "C", "D", "D", "D", "D"]
    rows: list[Row] = [[name, trigger, clock(1)] for name, trigger in zip(
        names, ["go", "end", "go", "go", "fly", "end", "note", "go", "stay", "end"], strict=True)]
    why = "no {} leaves '{}'".format
    wrong = [("B", "unlawful_edge", 2, "@4: 'go'", why("go", "b")),
             ("B", "unlawful_edge", 3, "@5: 'fly'", "the lifecycle has no step 'fly'"),
             ("C", "unlawful_edge", 1, "@6: 'end'", why("end", "a")), ("D", "unlawful_edge", 3, "@9: 'stay'", why("stay", "b"))]
    assert by_rows_and_by_columns(tmp_path, rows, BARE) == wrong
    # The same in no order of cases, each case in its own: only the rows are others.
    mixed = sorted(range(len(rows)), key=lambda i: "DBAC".index(names[i]))
    by_number = {old + 1: new + 1 for new, old in enumerate(mixed)}
    assert by_rows_and_by_columns(tmp_path, [rows[i] for i in mixed], BARE) == [
        (case, code, version, re.sub(r"@(\d+)", lambda m: f"@{by_number[int(m[1])]}", what), because)
        for case, code, version, what, because in wrong]


@pytest.mark.parametrize("names", [[None, "A", "B"], ["A", None, "B"], ["A", "B", None], ["", "A", "B"], ["A", None, None, "B"],
                                   [None], [""]])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_an_event_of_no_case_is_unreadable_and_hides_none_of_its_neighbours(names: list[str | None], size: int, tmp_path: Path,
                                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.audit.logcolumns.BATCH", size)
    rows: list[Row] = [[name, "end", clock(1)] for name in names]
    lost = [("", "unreadable_line", 0, f"@{number}", "it names no case") for number, name in enumerate(names, 1) if not name]
    wrong = [(name, "unlawful_edge", 1, f"@{number}: 'end'", "no end leaves 'a'") for number, name in enumerate(names, 1) if name]
    assert sorted(by_rows_and_by_columns(tmp_path, rows, BARE)) == sorted([*lost, *wrong])


def test_an_empty_log_and_an_empty_row_group_have_no_events(tmp_path: Path) -> None:
    rows: list[Row] = [["A", "go", clock(1)], ["B", "end", clock(1)]]
    assert by_rows_and_by_columns(tmp_path, [], BARE) == []
    table = pq.read_table(write_parquet(tmp_path / "b.parquet", rows, BARE))
    with pq.ParquetWriter(tmp_path / "c.parquet", table.schema) as file:
        for part in (table[:0], table[:1], table[:0], table[1:], table[:0]):
            file.write_table(part)
    assert told(audit_log(tmp_path / "c.parquet", SMALL), "row", 0) == [
        ("B", "unlawful_edge", 1, "@2: 'end'", "no end leaves 'a'")]


# --- what is passed without being judged -------------------------------------------------------------------------------


@pytest.mark.parametrize("head", [HEAD, HEAD[:-1], ["case", "trigger", "from", "to", "at"],
                                  ["case", "version", "trigger", "at"], BARE])
def test_a_lawful_log_is_passed_without_one_event_of_it_being_judged(head: list[str], tmp_path: Path,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing may be said by null and by an empty text.
    rows = [[*row[:2], *("" if cell is None and number % 2 else cell for cell in row[2:5]), *row[5:]]
            for number, row in enumerate(lawful(Random(5), 40, SMALL))]
    if "from" not in head:
        rows = [[*row[:2], row[2] or "note", *row[3:]] for row in rows]
    slow, singly = judged(monkeypatch), read_singly(monkeypatch)
    # Nor is a file that is in order sorted in memory, even where a case is longer than a batch.
    monkeypatch.delattr("casework.audit.logcolumns._sorted")
    for size in (1, 7, 1 << 16):
        monkeypatch.setattr("casework.audit.logcolumns.BATCH", size)
        path = write_parquet(tmp_path / "log.parquet", only(rows, *head), head)
        assert audit_parquet(path, SMALL, Summary()) == [] and slow == singly == []
    assert audit_log(write_csv(tmp_path / "log.csv", only(rows, *head), head), SMALL) == [] and slow == []


def test_of_a_wrong_event_it_alone_is_judged_by_rows_and_its_case_by_columns(tmp_path: Path,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = [[case, number, None, None, None, clock(number), clock(number)] for case in "ABCD" for number in (1, 2, 3)]
    rows[4][2:5], rows[10][1], rows[10][5] = ["go", "a", "c"], 7, None
    slow, singly = judged(monkeypatch), read_singly(monkeypatch)
    assert len(audit_log(write_csv(tmp_path / "log.csv", rows, HEAD), SMALL)) == 4
    # What follows a wrong number is judged against it.
    assert slow == [6, 12, 13]
    singly.clear()
    assert len(audit_log(write_parquet(tmp_path / "log.parquet", rows, HEAD), SMALL)) == 4
    assert singly == [4, 5, 6, 10, 11, 12]


def test_without_the_fast_way_every_event_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lawful(Random(5), 4, SMALL)
    slow = judged(monkeypatch)
    assert audit_parquet(write_parquet(tmp_path / "log.parquet", rows, HEAD), SMALL, Summary(), fast=False) == []
    assert slow == [*range(1, len(rows) + 1)]


def test_logs_that_are_audited_one_after_the_other_are_counted_together(tmp_path: Path) -> None:
    rows, summary = lawful(Random(5), 4, SMALL), Summary()
    for path in (write_csv(tmp_path / "a.csv", rows, HEAD), write_parquet(tmp_path / "a.parquet", rows, HEAD)):
        audit_log(path, SMALL, summary)
    assert (summary.cases, summary.events) == (8, 2 * len(rows))


# --- what a file of columns may hold -----------------------------------------------------------------------------------

_YEAR_1, _YEAR_9999 = -62_135_596_800, 253_402_300_799


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai"])
@pytest.mark.parametrize(("unit", "first", "last"), [
    ("s", _YEAR_1, _YEAR_9999), ("ms", _YEAR_1 * 10**3, _YEAR_9999 * 10**3 + 999),
    ("us", _YEAR_1 * 10**6, _YEAR_9999 * 10**6 + 999_999), ("ns", -2**63 + 10**3, 2**63 - 1)])
def test_times_of_any_unit_are_those_of_the_calendar_to_its_last_moment(unit: str, first: int, last: int, zone: str | None,
                                                                       tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(times: list[int | None]) -> list[Told]:
        at = pa.array(times, pa.int64()).cast(pa.timestamp(unit, zone))
        made = pa.table({"case": ["1"] * len(times), "activity": ["note"] * len(times), "time": at})
        pq.write_table(made, tmp_path / "a.parquet", version="2.6")
        return told(audit_parquet(tmp_path / "a.parquet", SMALL, Summary()), "row", 0)

    slow = read_singly(monkeypatch)
    if unit == "s":  # Parquet keeps seconds as milliseconds
        assert found([first, 0, last]) == [] and slow == []
    else:
        assert found([first, first, -1, 0, last, last]) == [] and slow == []
    assert [row[:4] for row in found([0, None])] == [("1", "unreadable_line", 2, "@2: at None")]
    if unit in ("ms", "us"):
        for wrong in (first - 1, last + 1, 10**18 if unit == "ms" else 2**62):
            assert [row[:4] for row in found([0, wrong, 1])] == [("1", "unreadable_line", 2, "@2: at None")]
    assert [row[:3] for row in found([1, 0] if unit != "ns" else [10**3, 0])] == [("1", "time_backwards", 2)]


def test_of_a_time_that_no_calendar_has_its_case_alone_is_read_singly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = pa.array([1, 2, 2**62, 3, -2**62, 4], pa.int64()).cast(pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"case": list("ABBCDE"), "activity": ["note"] * 6, "time": at}), tmp_path / "a.parquet")
    singly = read_singly(monkeypatch)
    assert [(f.case, f.version) for f in audit_parquet(tmp_path / "a.parquet", SMALL, Summary())] == [("B", 2), ("D", 1)]
    assert singly == [2, 3, 5]


def test_times_in_text_are_read_as_rows_have_them(tmp_path: Path) -> None:
    made = pa.table({"case": ["1", "1", "1"], "activity": ["go", "note", "end"], "recorded_at": pa.array([None] * 3, pa.string()),
                     "time": ["2026-03-01T10:00:00+08:00", "2026-03-01 02:00:00", "2026-03-01T01:59:59Z"]})
    pq.write_table(made, tmp_path / "a.parquet")
    assert told(audit_log(tmp_path / "a.parquet", SMALL), "row", 0) == [
        ("1", "time_backwards", 3, "@3: at 2026-03-01T01:59:59+00:00", "the event before has 2026-03-01T02:00:00+00:00")]


@pytest.mark.parametrize(("kind", "values", "wrong"), [
    (pa.int8(), [1, 2, 3], []), (pa.uint16(), [1, 2, 3], []), (pa.uint64(), [1, 2, 3], []),
    (pa.uint64(), [1, 2, 2**64 - 1], [("1", "version_gap", 2**63 - 1, f"@3: version {2**63 - 1}", "version 3 was due")]),
    (pa.int64(), [1, None, 3], []), (pa.string(), ["1", None, "3"], []),
    (pa.string(), ["1", "x", "3"], [("1", "unreadable_line", 2, "@2: version 'x'", "the version is no whole number")]),
    (pa.float64(), [1.0, 2.5, None], [("1", "unreadable_line", 2, "@2: version '2.5'", "the version is no whole number")]),
])
def test_a_version_is_a_whole_number_of_any_type(kind: Any, values: list[Any], wrong: list[Told], tmp_path: Path) -> None:
    at = pa.array([clock(1)] * 3, pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"case": ["1"] * 3, "version": pa.array(values, kind), "trigger": ["note"] * 3, "at": at}),
                   tmp_path / "a.parquet")
    assert told(audit_log(tmp_path / "a.parquet", SMALL), "row", 0) == wrong


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()),
                                  pa.dictionary(pa.int32(), pa.large_string())])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_words_are_read_from_texts_and_dictionaries_of_several_row_groups(kind: Any, size: int, tmp_path: Path,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.audit.logcolumns.BATCH", size)
    steps: list[Row] = [["go", "a", "b"], ["end", "b", "c"], ["stay", "a", "a"], ["fly", "a", "nowhere"],
                        [None, None, None], ["go", "a", "b"]]
    at = pa.array([clock(1)] * 6, pa.timestamp("us", "UTC"))
    words = {name: pa.array([step[i] for step in steps], pa.string()).cast(kind)
             for i, name in enumerate(["activity", "from", "to"])}
    pq.write_table(pa.table({"case_id": ["1", "1", "2", "3", "4", "4"], **words, "time": at}), tmp_path / "a.parquet",
                   row_group_size=2)
    assert told(audit_log(tmp_path / "a.parquet", SMALL), "row", 0) == [
        ("3", "unlawful_edge", 1, "@4: 'fly': 'a' → 'nowhere'", "the lifecycle has no step 'fly'")]


@pytest.mark.parametrize("cases", [["1", "2"], ["2", "1"]])
def test_columns_of_few_different_words_are_read_as_numbers_and_others_are_not_read_at_all(
        cases: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = pa.array([clock(1)] * 2, pa.timestamp("us", "UTC"))
    path = tmp_path / "a.parquet"
    made = pa.table({"case": cases, "note": ["x", "y"], "concept:name": ["go", "end"], "from_state": ["a", "b"],
                     "to_state": pa.array([None, None], pa.int32()), "at": at})
    pq.write_table(made, path, compression="none", use_dictionary=False)
    there = pq.ParquetFile(path).metadata.row_group(0).column(1)
    raw = bytearray(path.read_bytes())
    raw[there.data_page_offset:there.data_page_offset + 16] = b"\xff" * 16
    path.write_bytes(raw)
    with pytest.raises(OSError):
        pq.read_table(path)
    asked: dict[str, Any] = {}
    plain = pq.ParquetFile

    def opened(path: Path, **options: Any) -> Any:
        asked.update(options)
        return plain(path, **options)

    monkeypatch.setattr(pq, "ParquetFile", opened)
    assert {f.case for f in audit_log(path, SMALL)} == {"1", "2"}
    assert asked == {"read_dictionary": ["concept:name", "from_state"], "pre_buffer": False}


@pytest.mark.parametrize("names", [["1", "2"], ["2", "1"]])
def test_a_column_of_another_type_is_refused_by_the_name_that_the_file_gives_it(names: list[str], tmp_path: Path) -> None:
    pq.write_table(pa.table({"case": names, "activity": ["go", "go"], "time:timestamp": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(InputError) as refused:
        audit_log(tmp_path / "a.parquet", SMALL)
    assert refused.value.where == f"{tmp_path / 'a.parquet'}: time:timestamp"


def test_why_a_file_is_no_parquet_is_told_in_one_line_that_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")

    def fails(*_: Any, **__: Any) -> None:
        raise pa.ArrowInvalid("x" * 300 + "\nmore")

    monkeypatch.setattr(pq, "read_schema", fails)
    with pytest.raises(InputError) as refused:
        audit_log(tmp_path / "a.parquet", SMALL)
    assert f"({'x' * 120});" in refused.value.en and f"（{'x' * 120}）；" in refused.value.zh
    assert refused.value.where == str(tmp_path / "a.parquet")


# --- rows of text, and lifecycles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_lines_are_counted_as_they_stand_in_the_file_also_behind_cells_of_several_lines(separator: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = ["case,trigger,at,XXXXXX", '"K\r\n1",end,2026-03-02,"a\r\nb"', "", "K-2,end", "K-2,end,2026-03-02,x",
             "K-3,end,2026-03-02,x,y"]
    path.write_text("\r\n".join(lines).replace(",", separator), encoding="utf-8", newline="")
    assert told(audit_log(path, SMALL), head=0) == [
        ("", "unreadable_line", 0, "@6", "it has 2 cells, not 4"), ("", "unreadable_line", 0, "@8", "it has 5 cells, not 4"),
        ("'K\\r\\n1'", "unlawful_edge", 1, "@4: 'end'", "no end leaves 'a'"),
        ("K-2", "unlawful_edge", 1, "@7: 'end'", "no end leaves 'a'")]


def test_a_line_that_is_no_csv_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"case,trigger,at\n1,go,2026-03-02\n{'x' * 200_000},go,2026-03-02\n1,go,2026-03-03\n", encoding="utf-8")
    assert told(audit_log(path, SMALL)) == [
        ("", "unreadable_line", 0, "@2", "that is no CSV (field larger than field limit (131072))"),
        ("1", "unlawful_edge", 2, "@3: 'go'", "no go leaves 'b'")]


@pytest.mark.parametrize(("raw", "line"), [
    (b"case\xff\n", 1), (b"case,trigger,at\n" + b"1,note,20260302\n" * 600 + b"\xb1\n", 513)])
def test_where_a_file_is_no_utf8_is_told_by_its_line(raw: bytes, line: int, tmp_path: Path) -> None:
    # Or by the first of those that were read along with it.
    path = tmp_path / "log.csv"
    path.write_bytes(raw)
    with pytest.raises(InputError) as refused:
        audit_log(path)
    assert refused.value.where == f"{path}:{line} …"


@pytest.mark.parametrize(("head", "where", "told"), [
    ("case,case_id,trigger,at\n", ":1", "two columns are called case or case_id or case:concept:name; keep one"),
    ("case,at\n", ":1", "has no column for trigger (one of: trigger, activity, concept:name); name them in the head"),
    ("case,trigger,to,at\n", ":1", "has only one of the columns from and to; give both or neither"),
    ("\n", "", "is empty; the first line names the columns: case, activity, time"),
])
def test_what_a_head_lacks_is_told_at_its_line(head: str, where: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(head, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        audit_log(path)
    assert (refused.value.where, refused.value.bare_en) == (f"{path}{where}", told)


def test_what_is_no_regular_file_is_refused_without_waiting_for_it_and_none_is_left_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))
    for path, told in ((tmp_path / "pipe", "is not a regular file"), (tmp_path, "is not a regular file"),
                       (tmp_path / "none", r"cannot be read \(No such file or directory\)"),
                       (Path("a\0b"), r"cannot be read \(embedded null byte\)")):
        with pytest.raises(InputError, match=told) as refused:
            audit_log(path)
        assert refused.value.where == str(path)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(("text", "initial"), [
    ("initial: b\nstates: [a]\n", "b"), ("states: [c, b]\n", "c"), ("states: [{state: b, zh: 乙}, a]\n", "b"),
    ("states: []\n", "a"), ("", "a"),
])
def test_a_case_begins_in_the_initial_state_else_in_the_first_else_where_the_first_edge_begins(text: str, initial: str,
                                                                                               tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"{text}edges:\n- {{from: a, trigger: go, to: b, roles: [x], guards: [y]}}\n"
                    "- {from: a, trigger: go, to: b}\n", encoding="utf-8")
    assert read(path) == Process(initial, {"a": {"go": "b"}})


_EDGE = "- {from: a, trigger: go, to: b}\n"
_TOP = "version, digest, initial, states, edges, beside"


@pytest.mark.parametrize(("text", "line", "en", "zh"), [
    (f"edges:\n{_EDGE}beside:\n- note\n- [x]\n", 5, "1 has to be a name", "1 须为名称"),
    (f"edges:\n{_EDGE}beside:\n- note\n- ''\n", 5, "1 has to be a name", "1 须为名称"),
    (f"edges:\n{_EDGE}\nbeside: note\n", 4, "beside has to be a list", "beside 须为列表"),
    (f"edges:\n{_EDGE}\nstates: a\n", 4, "states has to be a list", "states 须为列表"),
    (f"edges:\n{_EDGE}\ninitial: [a]\n", 4, "initial has to be a name", "initial 须为名称"),
    (f"edges:\n{_EDGE}- go\n", 3, "has to be a mapping with keys such as from, trigger, to, roles, guards",
     "须为映射，键如 from、trigger、to、roles、guards"),
    (f"edges:\n{_EDGE}- from: a\n  {'k' * 70}: b\n", 4,
     f"unknown key '{'k' * 60}'; one of: from, trigger, to, roles, guards",
     f"未知的键“{'k' * 60}”；可用：from、trigger、to、roles、guards"),
    ("version: 1\nedge: 1\n", 2, f"unknown key 'edge'; one of: {_TOP}", f"未知的键“edge”；可用：{_TOP.replace(', ', '、')}"),
    ("- 1\n", 1, f"has to be a mapping with keys such as {_TOP}", f"须为映射，键如 {_TOP.replace(', ', '、')}"),
    ("version: 1\nedges: x\n", 2, "edges has to be a list", "edges 须为列表"),
    ("version: 1\nedges: []\n", 2, "has to be a list with at least one edge: from, trigger, to",
     "须为至少含一条边（from、trigger、to）的列表"),
    (f"edges:\n{_EDGE}- from: a\n  trigger: x\n  to: ''\n", 5, "to has to be a name", "to 须为名称"),
    (f"edges:\n{_EDGE}- {{from: a, trigger: go, to: c}}\n", 3, "a second edge leaves a by go; keep one",
     "a 已有一条 go 的边；请只保留一条"),
])
def test_what_is_wrong_with_a_lifecycle_is_told_at_its_line_in_both_languages(text: str, line: int, en: str, zh: str,
                                                                             tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read(path)
    assert (refused.value.where, refused.value.bare_en, refused.value.bare_zh) == (f"{path}:{line}", en, zh)
