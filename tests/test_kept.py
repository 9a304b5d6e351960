"""What is kept for lists is what the events say, whenever it is asked; altered, lost or of another store it is found out."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cli_helpers import SCENARIOS, casework
from harness.engines import connect

from casework.application import kept as module
from casework.application.clockwork import tick
from casework.application.kept import Kept
from casework.application.merchant import merchant_view
from casework.application.views import UnreadableCase, by_case, facts_of, summary
from casework.domain.standing.events import stream_of
from casework.errors import StoreError
from casework.simulation.blocks import Plan, block
from casework.store.contract import Reader
from casework.store.ledger.ledger import by_stream
from casework.store.opening import open_reader, open_store
from casework.store.row import Row
from casework.store.store import Store

pytestmark = pytest.mark.stores

NOWS = [datetime(2025, month, 9, tzinfo=UTC) for month in (1, 4, 8, 12)] + [datetime(2031, 1, 1, tzinfo=UTC)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "views" / "kept.db"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "a.db"), create=True) as made:
        yield made


def folded(reader: Reader, now: datetime) -> list[dict[str, Any]]:
    """The list as the events give it."""
    return [summary(facts, now) for _, rows in by_case(reader.rows()) if (facts := facts_of(rows)) is not None]


def of(reader: Reader, place: Path | None, now: datetime, **asked: Any) -> list[dict[str, Any]]:
    with Kept(reader, place) as kept:
        return list(kept.summaries(now, **asked))


def commits(seed: int) -> Iterator[list[Row]]:
    """Made-up cases in the order of time, so that many are under way at once, in commits of a few events."""
    random = Random(seed)
    rows = sorted(block(Plan(60, seed), 0).rows, key=lambda row: (row.recorded_at, row.case, row.version))
    while rows:
        size = random.randrange(1, 60)
        yield rows[:size]
        rows = rows[size:]


@pytest.mark.parametrize("seed", range(4))
def test_at_every_moment_of_many_cases_the_list_is_what_the_events_give(seed: int, store: Store, place: Path) -> None:
    random = Random(seed)
    for rows in commits(seed):
        store.append_many(by_stream(rows))
        if random.randrange(4):
            continue
        now = random.choice(NOWS)
        with store.reader() as reader, Kept(reader, place) as kept:
            whole = folded(reader, now)
            assert list(kept.summaries(now)) == whole
            assert list(kept.summaries(now, overdue=True)) == [v for v in whole if v["overdue"]]
            one = random.choice(whole)
            for key in ("state", "stage", "ground", "merchant"):
                assert list(kept.summaries(now, **{key: one[key]})) == [v for v in whole if v[key] == one[key]]
    with store.reader() as reader, Kept(reader, place) as kept:
        assert kept.differing() == []


def test_what_time_does_is_seen_by_the_next_question(store: Store, place: Path) -> None:
    store.append_many(by_stream(block(Plan(80, 3), 0).rows))
    with store.reader() as reader:
        before = of(reader, place, NOWS[-1])
        done = list(tick(store, NOWS[-1], lambda: NOWS[-1]))
        after = of(reader, place, NOWS[-1])
        assert done and before != after == folded(reader, NOWS[-1])


def test_a_merchants_cases_are_found_without_reading_the_others(store: Store, place: Path) -> None:
    store.append_many(by_stream(block(Plan(300, 6), 0).rows))
    with store.reader() as reader, Kept(reader, place) as kept:
        merchants = sorted({view["merchant"] for view in kept.summaries(NOWS[3])})
        for merchant in merchants[::5]:
            rows = list(kept.rows_of(merchant, stream_of(merchant)))
            assert {row.case for row in rows} - {stream_of(merchant)} == {
                view["case"] for view in kept.summaries(NOWS[3], merchant=merchant)}
            assert merchant_view(rows, merchant, NOWS[3]) == merchant_view(reader.rows(), merchant, NOWS[3])


def test_counts_and_missed_duties_are_those_of_the_events(store: Store, place: Path) -> None:
    store.append_many(by_stream(block(Plan(200, 8), 0).rows))
    list(tick(store, NOWS[-1], lambda: NOWS[-1]))
    with store.reader() as reader, Kept(reader, place) as kept:
        now = NOWS[-1] + timedelta(days=1)
        whole, counts = folded(reader, now), kept.counts(now)
        assert (counts["cases"], counts["overdue"]) == (len(whole), sum(v["overdue"] for v in whole))
        for kind in ("stage", "state", "ground"):
            assert {name: tuple(here.values()) for name, here in counts[kind].items()} == {
                name: (sum(v[kind] == name for v in whole), sum(v[kind] == name and v["overdue"] for v in whole))
                for name in {v[kind] for v in whole}}
        facts = [facts_of(rows) for _, rows in by_case(reader.rows())]
        owed = [d.owes for f in facts if f for d in f.duties.values() if d.state == "missed" and d.is_owed]
        assert kept.missed() == len(owed) > 0
        assert all(kept.missed(role) == owed.count(role) for role in ("merchant", "consumer", "agent"))


def test_where_nothing_came_since_no_event_is_read(store: Store, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append_many(by_stream(block(Plan(30, 1), 0).rows))
    with store.reader() as reader:
        whole = of(reader, place, NOWS[0])
        monkeypatch.setattr(type(reader), "rows", None)
        assert of(reader, place, NOWS[0]) == whole


def test_of_a_few_new_commits_only_their_cases_are_read(store: Store, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [*first, last] = by_stream(block(Plan(30, 1), 0).rows)
    store.append_many(first)
    with store.reader() as reader:
        of(reader, place, NOWS[0])
        store.append_many([[row._replace(case="SIM1-99999999") for row in first[0]], last])
        read: list[str | None] = []
        rows = type(reader).rows
        monkeypatch.setattr(type(reader), "rows", lambda self, case=None: read.append(case) or rows(self, case))
        of(reader, place, NOWS[0])
        assert set(read) <= {"SIM1-99999999", last[0].case} and None not in read


def test_many_new_commits_are_read_in_one_pass_and_give_the_same(
        store: Store, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", 5)
    first, *rest = by_stream(block(Plan(60, 2), 0).rows)
    store.append_many([first])
    with store.reader() as reader:
        of(reader, place, NOWS[1])
        store.append_many(rest)
        assert of(reader, place, NOWS[1]) == folded(reader, NOWS[1])


def test_of_another_copy_of_the_store_nothing_stale_is_shown(store: Store, place: Path, tmp_path: Path) -> None:
    one, other, *rest = by_stream(block(Plan(20, 2), 0).rows)
    store.append_many([one, other])
    with open_store(str(tmp_path / "b.db"), create=True) as second, open_reader(str(tmp_path / "b.db")) as theirs:
        second.append_many([other, *rest])
        with store.reader() as mine:
            for reader in (mine, theirs, mine):
                assert of(reader, place, NOWS[2]) == folded(reader, NOWS[2])


@pytest.mark.parametrize("alter", [
    "UPDATE cases SET state = 'filed'", "UPDATE cases SET merchant = x'ff', ground = 5", "DELETE FROM cases",
    "UPDATE cases SET overdue_after = 'soon', updated_at = 'then', version = NULL, missed = 7",
    "UPDATE cases SET state = 'nowhere'", "INSERT INTO cases VALUES ('K-9', 'filed', 'damaged', 'M', 1, 1, 1, '', NULL, NULL)",
])
def test_a_view_that_somebody_altered_is_found_by_the_check_and_mended_by_the_rebuild(
        alter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    casework("simulate", "--cases", "12", "--seed", "1", "--store", "a.db").ok()
    whole = casework("list", "--store", "a.db").ok().out
    [file] = (tmp_path / "state" / "casework" / "views").iterdir()
    with sqlite3.connect(file) as db:
        db.execute(alter)
    for words in (("list",), ("stats",), ("merchant", "M1-00000-00"), ("due", "--within", "1h"), ("list", "--overdue", "--json")):
        casework(*words, "--store", "a.db")  # says something or other, and no traceback
    found = casework("views", "status", "--check", "--store", "a.db", "--json").document(status=1)
    assert found["differing"]
    assert casework("audit", "--store", "a.db").status == 0
    casework("views", "rebuild", "--store", "a.db").ok()
    assert casework("list", "--store", "a.db").ok().out == whole
    assert casework("views", "--check", "--store", "a.db", "--json").document()["differing"] == []


@pytest.mark.parametrize("bytes_", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_view_is_made_anew(bytes_: bytes, store: Store, place: Path) -> None:
    store.append_many(by_stream(block(Plan(10, 2), 0).rows))
    place.parent.mkdir()
    place.write_bytes(bytes_)
    with store.reader() as reader:
        assert of(reader, place, NOWS[2]) == folded(reader, NOWS[2])


def test_a_place_that_moves_out_of_its_numbers_is_made_anew(store: Store, place: Path) -> None:
    store.append_many(by_stream(block(Plan(10, 2), 0).rows))
    with store.reader() as reader:
        for size in (-1, 10**9, "x", None):
            of(reader, place, NOWS[2])
            with sqlite3.connect(place) as db:
                db.execute("DROP TABLE place")
                db.execute("CREATE TABLE place (size, root)")
                db.execute("INSERT INTO place VALUES (?, x'00')", (size,))
                db.execute("DELETE FROM cases")
            assert of(reader, place, NOWS[2]) == folded(reader, NOWS[2])


def test_a_view_that_lost_its_tables_says_how_to_make_it_anew(store: Store, place: Path) -> None:
    store.append_many(by_stream(block(Plan(10, 2), 0).rows))
    with store.reader() as reader, Kept(reader, place) as kept:
        list(kept.summaries(NOWS[0]))
        with sqlite3.connect(place) as db:
            db.execute("DROP TABLE cases")
        with pytest.raises(StoreError, match="casework views rebuild"):
            list(kept.summaries(NOWS[0]))
        kept.rebuild()
        assert list(kept.summaries(NOWS[0])) == folded(reader, NOWS[0])
        with sqlite3.connect(place) as db:
            db.execute("DROP TABLE place")
        with Kept(reader, place) as later:
            assert later.place == place
            assert list(later.summaries(NOWS[0])) == folded(reader, NOWS[0])


@pytest.mark.skipif(os.name == "nt", reason="folders have no such modes there")
def test_where_nothing_can_be_kept_lists_come_from_the_events(store: Store, tmp_path: Path) -> None:
    store.append_many(by_stream(block(Plan(10, 2), 0).rows))
    (tmp_path / "file").write_text("")
    with store.reader() as reader:
        for place in (None, tmp_path / "file" / "views" / "kept.db"):
            with Kept(reader, place) as kept:
                assert kept.place is None
                assert list(kept.summaries(NOWS[2])) == folded(reader, NOWS[2])
                assert kept.differing() == []


@pytest.mark.parametrize("harm", [pytest.param("PRAGMA user_version = 1", marks=pytest.mark.file), "DELETE FROM ledger_nodes"])
def test_of_a_store_without_a_ledger_that_holds_nothing_is_kept(harm: str, store: Store, place: Path, tmp_path: Path) -> None:
    store.append_many(by_stream(block(Plan(10, 2), 0).rows))
    with connect(tmp_path / "a.db") as db:
        db.execute(harm)
    with store.reader() as reader, Kept(reader, place) as kept:
        assert list(kept.summaries(NOWS[2])) == folded(reader, NOWS[2])
        assert kept.place is None
        assert kept.rebuild() == 10


def test_a_case_that_cannot_be_read_is_told_and_the_others_are_shown(store: Store, place: Path, tmp_path: Path) -> None:
    store.append_many(by_stream(block(Plan(10, 2), 0).rows))
    here = "WHERE originator_id = 'SIM2-00000004' AND originator_version = 1"
    with connect(tmp_path / "a.db") as db:
        [(right,)] = db.execute(f"SELECT state FROM stored_events {here}").fetchall()
        db.execute(f"UPDATE stored_events SET state = '{{}}' {here}")
    with store.reader() as reader, Kept(reader, place) as kept:
        assert len(list(kept.summaries(NOWS[2]))) == 9
        [error] = kept.unreadable()
        with pytest.raises(UnreadableCase) as told:
            facts_of(reader.rows("SIM2-00000004"))
        assert (error.en, error.zh) == (told.value.en, told.value.zh)
        assert kept.counts(NOWS[2])["unreadable"] == 1
    with connect(tmp_path / "a.db") as db:
        db.execute(f"UPDATE stored_events SET state = ? {here}", (right,))
    with store.reader() as reader, Kept(reader, place) as kept:
        assert kept.unreadable() == []
        assert list(kept.summaries(NOWS[2])) == folded(reader, NOWS[2])


def test_the_views_are_for_their_owner_alone(store: Store, place: Path) -> None:
    with store.reader() as reader:
        of(reader, place, NOWS[0])
    assert place.stat().st_mode & 0o077 == 0


def test_people_are_told_in_both_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    casework("replay", str(SCENARIOS / "juicer.yaml"), "--quiet", "--store", "a.db")
    assert casework("stats", "--store", "a.db").ok().out.startswith("cases: 1, overdue: 0\nby stage\n")
    assert "案件 1，逾期 0" in casework("stats", "--store", "a.db", lang="zh").ok().out
    assert "up to commit 1 of 1; cases: 1" in casework("views", "--store", "a.db").ok().out
    assert "读到第 1 次提交，共 1 次；案件 1" in casework("views", "--store", "a.db", lang="zh").ok().out
