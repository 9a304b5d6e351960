"""Case and standing are recorded together or not at all: under faults, under races, and past the lock."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from harness.commands import Answers
from harness.engines import connect
from harness.faults import KINDS, POINTS, hooked
from harness.nursery import Nursery
from standing_helpers import Market

from casework.audit.check import audit
from casework.errors import CaseworkError, StoreBusy, StoreError
from casework.store.opening import open_reader, open_store
from casework.store.sqlite import recorder as sqlite

pytestmark = pytest.mark.stores


def ready(path: Path | str, *cases: str) -> Market:
    """Cases of one merchant in a file, each ready to be ruled by A-1."""
    market = Market(open_store(str(path), create=True))
    for case in cases:
        market.reviewed(case)
    return market


def versions(path: Path) -> dict[str, int]:
    with open_reader(str(path)) as reader:
        return {row.case: row.version for row in reader.rows()}


def findings(path: Path | str) -> list[Any]:
    with open_reader(str(path)) as reader:
        return list(audit(reader.rows()))


@pytest.mark.file
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", KINDS, ids=["operational", "integrity", "sqlite_locked", "sqlite_damaged", "interrupt"])
def test_an_error_at_any_point_leaves_both_streams_or_neither_and_the_retry_records_them_once(
        tmp_path: Path, point: str, kind: Any) -> None:
    path = tmp_path / "t.db"
    with ready(path, "K-1") as market:
        now = market.now
    before, errors = versions(path), [kind()]

    def hook(where: str, cursor: Any) -> None:
        if where == point and errors:
            raise errors.pop()

    with hooked(path, hook) as store, Market(store, now) as again:
        try:
            again.rule("K-1", 12)
        except (StoreError, KeyboardInterrupt):
            after = versions(path)
            assert ("merchant:M-1" in after) is (after["K-1"] > before["K-1"])
            if after == before:
                again.rule("K-1", 12)
    assert versions(path) == before | {"K-1": before["K-1"] + 1, "merchant:M-1": 2}
    assert findings(path) == []


@pytest.mark.file
def test_a_fault_between_the_case_and_the_merchant_leaves_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.db"
    whole = sqlite.to_row

    def failing(stored: Any) -> Any:
        if stored.originator_id.startswith("merchant:"):
            raise sqlite3.OperationalError("disk I/O error")
        return whole(stored)

    with ready(path, "K-1") as market:
        before = versions(path)
        monkeypatch.setattr(sqlite, "to_row", failing)
        with pytest.raises(StoreError):
            market.rule("K-1", 12)
        assert versions(path) == before
        monkeypatch.undo()
        market.rule("K-1", 12)
    assert versions(path)["merchant:M-1"] == 2


@pytest.mark.parametrize("kept", ["file", pytest.param("memory", marks=pytest.mark.file)])
def test_a_writer_past_the_lock_who_moves_the_standing_first_makes_the_ruling_be_asked_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    market = ready(tmp_path / "t.db", "K-1", "K-2") if kept == "file" else Market().reviewed("K-1").reviewed("K-2")
    save, others = market.store.save, ["K-2"]
    monkeypatch.setattr(market.store, "writing", nullcontext)

    def overtaken(*decided: Any) -> None:
        if others:
            market.rule(others.pop(), 12)
        save(*decided)

    with market:
        monkeypatch.setattr(market.store, "save", overtaken)
        market.rule("K-1", 12)
        assert market.points() == 24
        assert [p["case"] for p in market.view()["penalties"]] == ["K-2", "K-1"]
        assert market.findings() == []


@pytest.mark.file
def test_a_writer_who_is_always_overtaken_says_so_and_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [f"K-{n}" for n in range(sqlite.CaseRecorder.attempts + 2)]
    with Market() as market:
        for case in cases:
            market.reviewed(case)
        save, others = market.store.save, cases[1:]

        def overtaken(*decided: Any) -> None:
            if decided[0].id == "K-0":
                market.rule(others.pop(), 1)
            save(*decided)

        monkeypatch.setattr(market.store, "save", overtaken)
        with pytest.raises(StoreBusy, match="try again"):
            market.rule("K-0", 1)
        assert market.points() == sqlite.CaseRecorder.attempts
        assert market.findings() == []


@pytest.mark.slow
def test_processes_that_rule_cases_of_one_merchant_at_once_are_all_recorded_and_their_points_add_up(
        store_url: str, tmp_path: Path) -> None:
    path, go = store_url, tmp_path / "go"
    cases = [f"K-{n}" for n in range(4)]
    with ready(path, *cases) as market:
        market.findings()
    journals = [tmp_path / f"{case}.journal" for case in cases]
    with Nursery() as nursery:
        workers = [nursery.start("harness.races:rule_at_once", store=path, case=case, points=str(n + 1), journal=journal, go=go)
                   for n, (case, journal) in enumerate(zip(cases, journals, strict=True))]
        go.touch()
        assert [worker.wait() for worker in workers] == [0] * 4
    answers = Answers()
    for journal in journals:
        assert Answers().read(journal).errors == {}
        answers.repeated += "rule" in Answers().read(journal).acknowledged
    assert answers.repeated == 4
    assert findings(path) == []
    with open_store(str(path)) as store, Market(store) as again:
        assert sum(p["points"] for p in again.view()["penalties"]) == 1 + 2 + 3 + 4


def test_a_standing_that_was_altered_past_the_commands_is_an_error_to_act_on_and_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with ready(path, "K-1", "K-2") as market:
        market.rule("K-1", 12)
        now = market.now
    with connect(path) as tables:
        tables.execute("DELETE FROM stored_events WHERE originator_id = 'merchant:M-1' AND originator_version = 1")
    with Market(open_store(str(path)), now) as market, pytest.raises(CaseworkError) as caught:
        market.rule("K-2", 12)
    assert "merchant 'M-1'" in caught.value.en and "casework audit" in caught.value.en
