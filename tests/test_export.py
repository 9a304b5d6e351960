"""The columns of a store as CSV and Parquet, and the audit of what was written."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cli_helpers import casework
from harness.engines import connect

from casework.exchange.columns import COLUMNS
from casework.store.ledger.ledger import by_stream
from casework.store.opening import open_reader, open_store

pytestmark = pytest.mark.stores

GOLDEN = Path(__file__).parent / "golden" / "issue-4.db"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The cases of a store of an earlier release, in one that is made now."""
    with open_reader(str(GOLDEN)) as reader, open_store(str(tmp_path / "cases.db"), create=True) as made:
        made.append_many(by_stream(reader.rows()))
    return tmp_path / "cases.db"


def test_the_columns_of_every_event_of_every_case_are_written_and_no_payload(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "log.csv"
    said = json.loads(casework("export", str(out), "--json", "--store", str(store)).ok().out)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with open_reader(str(store)) as reader:
        kept = [row for row in reader.rows() if not row.case.startswith("merchant:")]
    assert said == {"file": str(out), "format": "csv", "events": len(kept)}
    assert tuple(rows[0]) == COLUMNS
    assert [(r["case"], int(r["version"]), r["topic"], r["trigger"], r["from"], r["to"]) for r in rows] == [
        (r.case, r.version, r.topic, r.trigger or "", r.from_state or "", r.to_state or "") for r in kept]


def test_csv_and_parquet_hold_the_same(store: Path, tmp_path: Path) -> None:
    casework("export", str(tmp_path / "log.parquet"), "--store", str(store)).ok()
    text = casework("export", "-", "--store", str(store)).ok().out
    rows = list(csv.reader(io.StringIO(text)))[1:]
    table = pq.read_table(tmp_path / "log.parquet").to_pylist()
    assert [["" if cell is None else cell.isoformat() if hasattr(cell, "isoformat") else str(cell) for cell in row.values()]
            for row in table] == rows


@pytest.mark.file
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_is_exported_of_a_sound_store_is_audited_clean_and_an_altered_column_is_found(ending: str, store: Path,
                                                                                          tmp_path: Path) -> None:
    out = str(tmp_path / f"log.{ending}")
    casework("export", out, "--store", str(store)).ok()
    assert casework("audit", "--log", out, lang="en").ok().out.endswith("findings: 0\n")
    with connect(store) as db:
        [(case, version)] = db.execute("SELECT originator_id, originator_version FROM stored_events "
                                       "WHERE trigger_name = 'contact_merchant' LIMIT 1").fetchall()
        db.execute("UPDATE stored_events SET to_state = 'resolved' WHERE originator_id = ? AND originator_version = ?",
                   (case, version))
        db.execute("UPDATE stored_events SET at = 'soon' WHERE rowid = (SELECT max(rowid) FROM stored_events "
                   "WHERE originator_id NOT LIKE 'merchant:%')")
        db.commit()
    casework("export", out, "--overwrite", "--store", str(store)).ok()
    done = casework("audit", "--log", out, "--jsonl")
    found = [json.loads(line) for line in done.out.splitlines()]
    assert done.status == 1
    assert ("unlawful_edge", case, version) in [(f["code"], f["case"], f["version"]) for f in found]
    assert "unreadable_line" in {f["code"] for f in found}
    [only] = casework("audit", "--log", out, "--select", "unlawful_edge", lang="zh").out.splitlines()[:-2]
    assert only.startswith(f"unlawful_edge  {case}  v{version}  第 ")


def test_only_the_cases_named_are_written_and_one_that_is_not_there_is_said(store: Path) -> None:
    case = json.loads(casework("list", "--json", "--store", str(store)).ok().out)["cases"][0]["case"]
    rows = list(csv.DictReader(io.StringIO(casework("export", "-", case, case, "--store", str(store)).ok().out)))
    assert {row["case"] for row in rows} == {case}
    assert [int(row["version"]) for row in rows] == list(range(1, len(rows) + 1))
    assert casework("export", "-", "nobody", "--store", str(store)).status == 2


@pytest.mark.parametrize(("args", "told"), [
    (["export", "{there}"], "is there already"), (["export", "{new}/a/b.csv"], "cannot write"),
    (["export", "-", "--format", "parquet"], "on stdout only CSV"), (["export", "-", "--json"], "on stdout only CSV"),
    (["audit", "--log", "{there}", "K-1"], "CASE: is of a store"),
    (["audit", "--log", "{there}", "--jobs", "2"], "--jobs: is of a store"),
    (["audit", "--lifecycle", "{there}"], "goes with --log"), (["audit", "--log", "{new}"], "cannot be read"),
    (["audit", "--log", "{there}", "--lifecycle", "{there}"], "has to be a mapping"),
])
def test_what_cannot_be_done_is_said_in_one_line_with_status_two(args: list[str], told: str, store: Path, tmp_path: Path) -> None:
    there = tmp_path / "log.csv"
    there.write_text("case,trigger,at\n", encoding="utf-8")
    said = [arg.format(there=there, new=tmp_path / "new") for arg in args]
    done = casework(*said, *(["--store", str(store)] if args[0] == "export" else []), lang="en")
    assert done.status == 2 and told in done.err and done.err.count("\n") == 1
    assert there.read_text(encoding="utf-8") == "case,trigger,at\n"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".casework")) == []


@pytest.mark.file
def test_only_an_export_is_overwritten_and_through_a_link(store: Path, tmp_path: Path) -> None:
    held, told = store.read_bytes(), ("--store", str(store), "--overwrite")
    casework("export", str(store), *told).fails("only an export is overwritten")
    assert store.read_bytes() == held
    os.mkfifo(tmp_path / "pipe")
    casework("export", str(tmp_path / "pipe"), *told).fails("no regular file")
    assert (tmp_path / "pipe").is_fifo()
    for name in ("a.csv", "a.parquet"):
        (tmp_path / "to").mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(tmp_path / "to" / name)
        casework("export", str(tmp_path / name), *told).ok()
        casework("export", str(tmp_path / name), *told).ok()
        assert (tmp_path / name).is_symlink() and (tmp_path / "to" / name).stat().st_size > 100


def test_without_pyarrow_parquet_is_refused_with_what_to_install(store: Path, tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    casework("export", str(tmp_path / "log.parquet"), "--store", str(store)).ok()
    for name in [name for name in sys.modules if name.startswith("pyarrow") or name == "casework.audit.logcolumns"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for args in (["export", str(tmp_path / "b.parquet"), "--store", str(store)],
                 ["audit", "--log", str(tmp_path / "log.parquet")]):
        done = casework(*args, lang="en")
        assert done.status == 2 and "pip install 'casework[columns]'" in done.err
