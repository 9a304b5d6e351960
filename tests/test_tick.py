"""Time gives commands like anybody else: once, in its place, by what the case says and not by what the index says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harness.engines import connect

from casework.application import service
from casework.application.agenda import due
from casework.application.clockwork import Ticked, tick
from casework.audit.check import audit, audit_case
from casework.audit.findings import Finding
from casework.errors import Permitted, Reason, Refused, StoreBusy
from casework.rulebook.calendar import covered_until
from casework.scenario.replay import replay
from casework.store.codec import Unreadable
from casework.store.dues import microseconds, running
from casework.store.opening import open_reader, open_store
from casework.store.store import Store

pytestmark = pytest.mark.stores

ROOT = Path(__file__).parent.parent
BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
OVER = BEGIN + timedelta(days=3)
LATER = OVER + timedelta(hours=5)
CLAIM: dict[str, object] = {"message": "坏了", "remedy": {"kind": "refund", "amount": "899.00"}}
GIVEN = {"order": {"id": "ORD-1", "item": "榨汁机", "category": "small_appliance", "merchant": "M-1", "paid": "899.00",
                   "ordered_at": BEGIN - timedelta(days=20)}, "consumer": "C-1", "ground": "malfunction"}


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A store with a case that waits for the merchant, whose time is over at ``OVER``."""
    return waiting(str(tmp_path / "cases.db"))


@pytest.fixture
def kept(store_url: str) -> str:
    """The same, on each engine."""
    return waiting(store_url)


def waiting(found: str) -> str:
    with open_store(found, create=True) as store:
        service.open_case(store, "K-1", GIVEN, by="consumer", clock=lambda: BEGIN, command_id="open")
        carry(store, "contact_merchant", CLAIM, "consumer", BEGIN)
    return found


def carry(store: Store, name: str, said: dict[str, object], by: str, at: datetime) -> None:
    service.carry_on(store, "K-1", name, said, by=by, clock=lambda: at, command_id=f"{name}:{at}")


def ticks(path: str, now: datetime = OVER) -> list[Ticked]:
    with open_store(path) as store:
        return list(tick(store, now, lambda: LATER))


def alter(path: str, sql: str) -> None:
    with connect(path) as tables:
        tables.execute(sql)


def test_what_fell_due_is_done_once_at_the_time_given_and_recorded_when_it_was(kept: str) -> None:
    assert ticks(kept, BEGIN + timedelta(days=1)) == []
    [done] = ticks(kept)
    assert (done.case, done.kind, done.did, done.state) == ("K-1", "merchant_answer", "deem_agreed", "remedy_due")
    assert ticks(kept) == []
    with open_reader(kept) as reader:
        rows = list(reader.rows("K-1"))
    assert len(rows) == 3
    assert audit_case(rows) == []
    with open_store(kept) as store:
        facts = store.get("K-1").facts
    assert (facts.at, facts.recorded_at) == (OVER, LATER)


def test_of_two_that_tick_at_once_one_does_it(kept: str) -> None:
    with open_store(kept) as one, open_store(kept) as other:
        first, second = tick(one, OVER, lambda: LATER), tick(other, OVER, lambda: LATER)
        found = [next(first, None), next(second, None), next(first, None), next(second, None)]
    assert [bool(done) for done in found] == [True, False, False, False]


def test_what_somebody_did_before_the_tick_is_let_be_and_was_late_all_the_same(kept: str) -> None:
    with open_store(kept) as store:
        carry(store, "refuse_claim", {"excuse": "misuse"}, "merchant", OVER)
        facts = store.get("K-1").facts
    assert [d.state for d in facts.duties.values() if d.kind == "merchant_answer"] == ["late"]
    assert ticks(kept, LATER) == []


def test_a_row_of_the_index_that_the_case_does_not_bear_out_moves_nothing(path: str) -> None:
    ticks(path)
    alter(path, "INSERT INTO duties VALUES ('K-1', 'D-2', 'merchant_answer', 'merchant', 0, 0)")
    alter(path, "INSERT INTO duties VALUES ('K-1', 'D-99', 'merchant_answer', 'merchant', 0, 0)")
    alter(path, "UPDATE duties SET due = 1 WHERE duty = 'D-3'")
    assert ticks(path) == []
    with open_reader(path) as reader:
        assert len(list(reader.rows("K-1"))) == 3
        assert [d["id"] for d in due(reader, OVER, broken=[])] == ["D-3"]


def audited(path: str) -> list[Finding]:
    with open_reader(path) as reader:
        return list(audit(reader.rows(), indexed=reader))


@pytest.mark.parametrize("change", [
    "DELETE FROM duties WHERE duty = 'D-2'",
    "INSERT INTO duties VALUES ('K-1', 'D-99', 'merchant_answer', 'merchant', 0, 0)",
    "UPDATE duties SET due = due + 1 WHERE duty = 'D-2'",
    "UPDATE duties SET owes = 'consumer' WHERE duty = 'D-2'",
])
def test_an_index_that_differs_is_found_and_made_anew(path: str, change: str) -> None:
    assert audited(path) == []
    alter(path, change)
    assert [(f.code, f.case) for f in audited(path)] == [("index_differs", "K-1")]
    with open_store(path) as store, store.writing():
        store.rebuild_dues()
    assert audited(path) == []
    assert [done.did for done in ticks(path)] == ["deem_agreed"]


@pytest.mark.file
def test_without_the_index_what_is_due_is_read_from_the_events_and_the_next_command_makes_it_whole(path: str) -> None:
    with open_store(path) as store:
        service.open_case(store, "K-2", GIVEN, by="consumer", clock=lambda: BEGIN, command_id="open")
    with open_reader(path) as reader:
        whole = reader.dues()
        first = [d for d in whole if d.due < microseconds(OVER)]
    assert {d.case for d in whole} == {"K-1", "K-2"}
    alter(path, "DROP TABLE duties")
    with open_reader(path) as reader:
        assert reader.dues() == whole
        assert reader.dues(microseconds(OVER)) == first
        assert [d["case"] for d in due(reader, BEGIN, broken=[])] == [d.case for d in whole]
    assert audited(path) == []
    assert [done.did for done in ticks(path)] == ["deem_agreed"]
    with connect(path) as tables:
        assert tables.execute("SELECT DISTINCT case_id FROM duties ORDER BY 1").fetchall() == [("K-1",), ("K-2",)]
    assert audited(path) == []


@pytest.mark.file
def test_a_command_that_fails_leaves_a_store_without_the_index_as_it_was(path: str) -> None:
    alter(path, "DROP TABLE duties")
    with open_store(path) as store:
        with pytest.raises(StoreBusy):
            store.adopt(list(store.rows("K-1")))
        with connect(path) as tables:
            assert tables.execute("SELECT count(*) FROM sqlite_master WHERE name = 'duties'").fetchall() == [(0,)]
        assert [done.did for done in tick(store, OVER, lambda: LATER)] == ["deem_agreed"]
    assert audited(path) == []


@pytest.mark.file
def test_an_id_that_is_no_text_has_no_place_in_the_index_and_stops_nobody(path: str) -> None:
    alter(path, "UPDATE stored_events SET originator_id = CAST(x'4bff' AS TEXT) WHERE originator_version = 1")
    with open_store(path) as store, store.writing():
        assert store.rebuild_dues() == len(store.dues())
    alter(path, "DROP TABLE duties")
    with open_store(path) as store:
        service.open_case(store, "K-2", GIVEN, by="consumer", clock=lambda: BEGIN, command_id="open")
        assert "K-2" in {d.case for d in store.dues()}


def test_a_case_whose_refusal_cannot_be_looked_into_stops_no_other(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(kept) as store:
        service.open_case(store, "K-2", GIVEN, by="consumer", clock=lambda: BEGIN, command_id="open")
        service.carry_on(store, "K-2", "contact_merchant", CLAIM, by="consumer", clock=lambda: BEGIN + timedelta(hours=1),
                         command_id="contact")
        seen, get, carry_on = 0, store.get, service.carry_on

        def broken_after_a_look(case: str) -> Any:
            nonlocal seen
            seen += case == "K-1"
            if case == "K-1" and seen > 1:
                raise Unreadable("gone", "坏了")
            return get(case)

        def refused(store: Store, case: str, *said: Any, **more: Any) -> Any:
            if case == "K-1":
                raise Refused("deem_agreed", "awaiting_merchant", [Reason("stale", "过时", "stale")], Permitted([], []))
            return carry_on(store, case, *said, **more)

        monkeypatch.setattr(store, "get", broken_after_a_look)
        monkeypatch.setattr(service, "carry_on", refused)
        found = list(tick(store, LATER, lambda: LATER))
    assert [(t.case, t.did, t.error is not None) for t in found] == [("K-1", "", True), ("K-2", "deem_agreed", False)]


@pytest.mark.parametrize("story", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_index_is_what_the_events_give(story: Path, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "cases.db"), create=True) as store:
        store.adopt(list(replay(story, lambda rows: []).rows))
        with open_reader(str(tmp_path / "cases.db")) as reader:
            assert reader.dues() == running(reader.rows()) == store.dues()
            assert [row for row in reader.dues() if row.provisional] == [
                row for row in store.dues(datetime(1970, 1, 1, tzinfo=UTC), covered_until() + timedelta(days=9000))]
