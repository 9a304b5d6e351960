"""Cases of an earlier lifecycle: read, shown, audited and carried on by the rules that they pinned, in stores as they were."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_helpers import CHINESE, casework, pairs, rows
from domain_helpers import FULL, IN_STATE, RETURN, case_in, days, given_case, sample
from test_audit_projector import row_of
from test_lifecycle import CAME_WITH

from casework.application import service
from casework.application.choices import choices
from casework.application.clockwork import tick
from casework.application.views import by_case, facts_of, full
from casework.audit.check import audit_case
from casework.audit.projector import project_all
from casework.domain.commands import COMMANDS
from casework.domain.events import Event
from casework.domain.facts import Facts
from casework.domain.lifecycle import CLOSED
from casework.domain.machine import lifecycle
from casework.errors import InputError, Refused
from casework.rulebook.edition import EDITIONS
from casework.store.codec import decode, encode
from casework.store.opening import open_store
from casework.store.row import Row
from casework.store.sqlite.reader import Reader

GOLDEN = [Path(__file__).parent / "golden" / f"{name}.db" for name in ("issue-2", "issue-3")]
FIRST = EDITIONS["2026-11"]
DB = "casework.db"


def _golden_cases() -> dict[str, list[Row]]:
    found = {}
    for store in GOLDEN:
        with Reader(store) as reader:
            found |= dict(by_case(reader.rows()))
    return found


CASES = _golden_cases()
VERSIONS = [pytest.param(rows_[:n], id=f"{case}-{n}") for case, rows_ in CASES.items() for n in range(1, len(rows_) + 1)]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, and an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("CASEWORK_STORE", "CASEWORK_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


def facts_at(rows_: list[Row]) -> Facts:
    facts = facts_of(rows_)
    assert facts is not None
    return facts


def said(row: Row) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(row.payload)
    return document


def kept(rows_: list[Row]) -> str:
    """A store with that case as it stood then."""
    with open_store(DB, create=True) as store:
        store.adopt(rows_)
    return rows_[0].case


def _open_states() -> Iterator[tuple[str, list[Row]]]:
    """For every open state that a golden case was ever in, the case as it first stood there."""
    seen = set()
    for rows_ in CASES.values():
        for n in range(1, len(rows_) + 1):
            state = facts_at(rows_[:n]).state
            if state not in seen and state not in CLOSED:
                seen.add(state)
                yield state, rows_[:n]


STOOD = dict(_open_states())


# --- what was made ---------------------------------------------------------------------------------------------------


def test_every_golden_case_pins_the_first_lifecycle_and_the_first_edition_as_this_release_has_them() -> None:
    process = lifecycle(1)
    assert process is not None
    assert len(CASES) >= 14
    for rows_ in CASES.values():
        opening = said(rows_[0])
        assert (opening["lifecycle"], opening["lifecycle_digest"]) == (1, process.digest)
        assert (opening["edition"], opening["edition_digest"]) == (FIRST.id, FIRST.digest)
        assert not [row for row in rows_ if "duties" in said(row)]
        assert [encode(decode(row.topic, row.payload)) for row in rows_] == [row.payload for row in rows_]


def test_a_case_of_the_first_lifecycle_in_these_tests_is_one_as_the_release_that_had_it_opened_it() -> None:
    mine = said(row_of(next(iter(given_case(lifecycle=1, rules=FIRST).case.pending_events))))  # type: ignore[arg-type]
    theirs = said(CASES["juicer"][0])
    pinned = ("lifecycle", "lifecycle_digest", "edition", "edition_digest", "type", "version")
    assert set(mine) == set(theirs)
    assert {name: mine[name] for name in pinned} == {name: theirs[name] for name in pinned}


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda p: p.stem)
def test_a_golden_store_is_listed_shown_audited_and_asked_as_ever(golden: Path) -> None:
    with sqlite3.connect(golden) as one, sqlite3.connect(DB) as two:
        one.backup(two)
    held = rows(DB)
    cases = [c["case"] for c in casework("list", "--json").document()["cases"]]
    assert cases
    assert casework("audit", "--json").document()["findings"] == []
    for case in cases:
        for command in ("show", "history", "options", "call-sheet"):
            for lang in ("zh", "en"):
                casework(command, case, lang=lang).ok()
        shown = casework("show", case, "--json").document()
        assert (shown["duties"], shown["missed"], shown["overdue"]) == ([], [], False)
    assert rows(DB) == held


# --- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows_", VERSIONS)
def test_both_readings_of_every_version_agree_and_none_holds_a_duty(rows_: list[Row]) -> None:
    facts = facts_at(rows_)
    assert project_all(decode(row.topic, row.payload) for row in rows_) == facts
    assert facts.duties == {}
    view = full(facts, facts.at)
    assert view["missed"] == []
    for duty in view["duties"]:
        assert set(duty) == {"duty", "who", "due", "status", "clause", "certainty"}
    assert facts.state not in CLOSED or view["duties"] == []


def test_the_deadlines_of_a_case_that_records_none_are_derived_from_what_was_said() -> None:
    asked = {"request_evidence": "evidence", "ask_proof": "proof", "notify": "answer"}
    seen = set()
    for rows_ in CASES.values():
        for n, row in enumerate(rows_, 1):
            event, name = said(row), row.topic.rpartition(".")[2]
            facts = facts_at(rows_[:n])
            view = full(facts, facts.at)
            if name in ("evidence_requested", "proof_asked", "party_notified"):
                kind = asked[{"evidence_requested": "request_evidence", "proof_asked": "ask_proof"}.get(name, "notify")]
                who = event["data"].get("party", "consumer")
                due = datetime.fromisoformat(event["data"]["answer_by"])
                assert (kind, who, due, "running") in [(d["duty"], d["who"], d["due"], d["status"]) for d in view["duties"]]
                assert full(facts, due + timedelta(seconds=1))["overdue"]
                seen.add(kind)
            elif name == "complaint_filed":
                due = datetime.fromisoformat(event["reply_by"]["at"])
                assert [(d["duty"], d["due"]) for d in view["duties"]] == [("platform_reply", due)]
                seen.add("platform_reply")
    assert seen == {"evidence", "proof", "answer", "platform_reply"}


# --- how it goes on --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CAME_WITH[2]))
def test_a_command_that_came_later_is_refused_in_one_line_and_nothing_is_recorded(name: str) -> None:
    case = kept(STOOD["under_review"])
    held = rows(DB)
    data = {key: value.isoformat() if isinstance(value, datetime) else str(value) for key, value in sample(name).items()}
    for lang, words in (("en", f"'{name}' is nothing that can be done to a case"), ("zh", f"“{name}”不是案件的步骤")):
        for given in (data, {}):
            for by in ("system", "supervisor", "consumer"):
                ran = casework("do", case, name, "--by", by, *pairs(given), lang=lang).fails(words)
                assert bool(CHINESE.search(ran.err)) == (lang == "zh")
    assert rows(DB) == held


@pytest.mark.parametrize("state", STOOD)
def test_neither_options_nor_a_refusal_speaks_of_what_came_later(state: str) -> None:
    rows_ = STOOD[state]
    facts = facts_at(rows_)
    offered = {t["trigger"] for t in choices(facts, facts.at)["triggers"]}
    assert offered == set(COMMANDS) - CAME_WITH[2]
    with open_store(":memory:") as store:
        store.adopt(rows_)
        with pytest.raises(Refused) as caught:
            service.carry_on(store, facts.case, "rule", {}, by="auditor", clock=lambda: facts.recorded_at, command_id="x")
    assert not {*caught.value.permitted.yours, *caught.value.permitted.others} & CAME_WITH[2]


def test_the_golden_cases_stood_in_enough_states_to_go_on_from() -> None:
    assert {"awaiting_merchant", "filed", "more_evidence_needed", "under_review", "awaiting_proof", "ruled",
            "remedy_due"} <= set(STOOD)


@pytest.mark.parametrize("state", STOOD)
def test_what_this_release_records_in_such_a_case_holds_no_duties_and_is_audited_clean(state: str) -> None:
    rows_ = STOOD[state]
    at = facts_at(rows_).recorded_at
    later = at + days(5000)
    given = [("log_call", "consumer", {"note": "问进度", "channel": "carrier_service"}),
             ("tip_off", "consumer", {"to": "market_regulator", "about": "counterfeit", "statement": "售假"}),
             ("add_evidence", "consumer", {"kind": "statement", "description": "补充说明"}),
             ("give_up", "consumer", {}), ("give_feedback", "consumer", {"score": 3})]
    with open_store(":memory:") as store:
        store.adopt(rows_)
        for number, (name, by, data) in enumerate(given, 1):
            at += days(30)
            done = service.carry_on(store, rows_[0].case, name, data, by=by, at=at, clock=lambda: later, command_id=f"x{number}")
            assert done.event.duties == ()
        now = list(store.rows())
        assert not [row for row in now if "duties" in said(row)]
        assert audit_case(now) == []
        facts = facts_at(now)
        assert (facts.lifecycle, facts.edition, facts.state, facts.duties) == (1, FIRST.id, "abandoned", {})
        assert store.dues() == []
        assert list(tick(store, later, lambda: later)) == []


def test_it_goes_by_the_guards_of_its_own_version() -> None:
    """What version 2 asks more of a step, it does not ask here."""
    def old(state: str, **given: Any) -> Any:
        return case_in(state, lifecycle=1, rules=FIRST, **given)

    assert old("merchant_refused").ask("refer", body="postal_authority", statement="申诉").codes == []
    sent = old("remedy_due", remedy=RETURN).when("ship_return", carrier="SF", waybill="1")
    assert sent.ask("receive_return", "system").codes == []
    assert sent.ask("lapse", "system", after=days(5000)).codes == ["not_in_this_state"]
    more = {"kind": "refund", "amount": "9000.00"}
    assert old("discovered").ask("contact_merchant", message="坏了", remedy=more).codes == []
    assert old("suspended").ask("resume", "system", after=days(5000)).codes == ["role_not_allowed"]
    due = old("remedy_due", services=["advance_compensation"])
    assert due.ask("apply_advance", "system", after=days(5000), statement="逾期").codes == ["role_not_allowed"]

    def new(state: str, **given: Any) -> Any:
        return case_in(state, **given)

    assert new("merchant_refused").ask("refer", body="postal_authority", statement="申诉").codes == ["carrier_first"]
    assert new("discovered").ask("contact_merchant", message="坏了", remedy=more).codes == ["amount_exceeds_paid"]


@pytest.mark.parametrize("state", IN_STATE)
def test_a_life_under_the_first_lifecycle_is_the_same_as_ever_to_every_state(state: str) -> None:
    story = case_in(state, lifecycle=1, rules=FIRST)
    events = [event for event in story.case.pending_events if isinstance(event, Event)]
    assert not [event for event in events if event.duties]
    assert audit_case([row_of(event) for event in events]) == []


def test_both_versions_live_in_one_store_and_only_the_new_one_has_deadlines_on_record() -> None:
    old, new = (case_in("awaiting_merchant", lifecycle=number) for number in (1, 2))
    with open_store(DB, create=True) as store:
        for name, story in (("K-1", old), ("K-2", new)):
            store.adopt([row_of(_renamed(event, name)) for event in story.case.pending_events])  # type: ignore[arg-type]
        at = new.clock + days(10)
        assert {one.case for one in tick(store, at, lambda: at)} == {"K-2"}
        for case in ("K-1", "K-2"):
            service.carry_on(store, case, "make_offer", {"remedy": FULL}, by="merchant", clock=lambda: at, command_id="offer")
            assert audit_case(store.rows(case)) == []
        with pytest.raises(InputError, match="nothing that can be done"):
            service.carry_on(store, "K-1", "miss_duty", {"duty": "D-1"}, by="system", at=at, clock=lambda: at, command_id="y")
    assert casework("due", "--json").document()["duties"][0]["case"] == "K-2"
    assert {c["case"] for c in casework("list", "--json").document()["cases"]} == {"K-1", "K-2"}


def _renamed(event: Event, case: str) -> Event:
    return msgspec.structs.replace(event, originator_id=case)
