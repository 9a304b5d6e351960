"""What time does: every duty that is over has what follows from it, once, whoever asks and however often; and what is coming."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest
import test_duties as told
from cli_helpers import CHINESE, Ran, alter, casework, process, rows
from domain_helpers import FULL, RETURN, Story, case_in, days, given_case, hours
from harness.commands import Answers
from harness.nursery import Nursery
from test_audit_projector import row_of, walked
from test_duties import MOMENT, calendar_arrives
from walks import Figures, World

from casework.application import clockwork, service
from casework.application.clockwork import Ticked, tick
from casework.audit.check import audit_case
from casework.domain.duties import DUTIES, OWE
from casework.domain.events import Event
from casework.domain.facts import Facts
from casework.domain.vocabulary import DUTIES as LABELS
from casework.errors import CaseworkError, Refused, UnknownCase
from casework.rulebook.edition import CURRENT
from casework.store.dues import microseconds, moment
from casework.store.dues import running as index_of
from casework.store.opening import open_reader, open_store
from casework.store.row import DueRow, Row
from casework.store.store import Store

pytestmark = [pytest.mark.usefixtures("calendars_of_this_century"), pytest.mark.stores]

DB = "casework.db"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, and an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("CASEWORK_STORE", "CASEWORK_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


def rows_of(story: Story, case: str = "K-1") -> list[Row]:
    """The story's rows, under the id of that case."""
    events = [event for event in story.case.pending_events if isinstance(event, Event)]
    return [row_of(msgspec.structs.replace(event, originator_id=case)) for event in events]


def store_with(url: str = ":memory:", /, **stories: Story) -> Store:
    """A store that holds these cases; ``K_1`` is the case K-1."""
    store = open_store(url, create=True)
    for name, story in stories.items():
        store.adopt(rows_of(story, name.replace("_", "-")))
    return store


def ticked(store: Store, now: datetime) -> list[Ticked]:
    """What a tick does at that time; the clock stands there too."""
    return list(tick(store, now, lambda: now))


def facts_of(store: Store, case: str = "K-1") -> Facts:
    return store.get(case).facts


# --- what follows ----------------------------------------------------------------------------------------------------


class Follows(NamedTuple):
    """When the latest duty of a kind in the story is over, the tick does ``did`` and the case is in ``state``."""

    kind: str
    did: str
    state: str
    story: Callable[[], Story]


FOLLOWS = (
    Follows("merchant_answer", "deem_agreed", "remedy_due", told.contacted),
    Follows("merchant_answer", "miss_duty", "awaiting_merchant", lambda: case_in("awaiting_merchant")),
    Follows("evidence", "lapse", "lapsed", lambda: case_in("more_evidence_needed")),
    Follows("proof", "close_proof", "under_review", lambda: case_in("awaiting_proof")),
    Follows("acceptance_proof", "resume", "under_review", lambda: told.suspended("court")),
    Follows("suspension", "resume", "under_review", lambda: told.suspended("both_ask")),
    Follows("suspension", "resume", "under_review",
            lambda: told.suspended("police").when("show_acceptance", "merchant", document="受案回执")),
    Follows("suspension", "resume", "under_review", lambda: told.suspended("court").refer("court").when(
        "withdraw_referral", referral="R-1").when("show_acceptance", "merchant", document="受理通知书")),
    Follows("objection", "dismiss", "dismissed", told.lost),
    Follows("return_shipping", "lapse", "lapsed", lambda: told.due(remedy=RETURN)),
    Follows("return_confirmation", "receive_return", "remedy_due", told.sent),
    Follows("performance", "apply_advance", "remedy_due", lambda: told.due(services=["advance_compensation"])),
    Follows("performance", "apply_advance", "remedy_due", told.due),
    Follows("performance", "miss_duty", "remedy_due", lambda: case_in("offer_made").when("accept_offer")),
    Follows("performance", "miss_duty", "remedy_due", told.advanced),
    Follows("limitation", "lapse", "lapsed", given_case),
    Follows("limitation", "lapse", "lapsed", lambda: case_in("not_accepted")),
    Follows("platform_reply", "miss_duty", "filed", told.filed),
    Follows("answer", "miss_duty", "under_review", told.notified),
    Follows("call_promise", "miss_duty", "filed", told.promised),
    Follows("referral_acceptance", "miss_duty", "filed", told.referred),
    Follows("referral_result", "miss_duty", "filed", told.taken),
    Follows("tip_off_check", "miss_duty", "filed", told.tipped_off),
    Follows("courier_answer", "miss_duty", "filed", told.complained),
)


@pytest.mark.file
def test_everything_that_a_row_lets_follow_is_told_here() -> None:
    assert {(row.name, name) for row in DUTIES for name in row.follows} | {
        (row.name, "miss_duty") for row in DUTIES if not row.follows} <= {(f.kind, f.did) for f in FOLLOWS}


@pytest.mark.file
@pytest.mark.parametrize("follows", FOLLOWS, ids=lambda f: f"{f.kind}-{f.did}-{f.state}")
def test_when_its_time_is_over_and_not_before_what_follows_is_done_once(follows: Follows) -> None:
    story = follows.story()
    duty = story.duty(follows.kind)
    store = store_with(K_1=story)
    ticked(store, duty.due.at)
    assert facts_of(store).duties[duty.id].state == "running", "the end of its time is still in time"
    before = list(store.rows("K-1"))

    [did] = [one for one in ticked(store, duty.due.at + MOMENT) if one.duty == duty.id]

    assert did == Ticked("K-1", duty.id, follows.kind, duty.owes, duty.due.at, follows.did, follows.state)
    facts = facts_of(store)
    after = facts.duties[duty.id]
    assert facts.state == follows.state
    assert (after.state in ("missed", "late"), after.missed_at) == (True, duty.due.at + MOMENT)
    [event] = [e for e in store.events("K-1") if e.originator_version == len(before) + 1]
    assert (str(event.by), event.at, event.recorded_at) == ("system:system", duty.due.at + MOMENT, duty.due.at + MOMENT)
    assert next(c.change for c in event.duties if c.id == duty.id) == "missed"
    assert audit_case(store.rows("K-1")) == []

    held = list(store.rows("K-1"))
    assert ticked(store, duty.due.at + MOMENT) == []
    assert list(store.rows("K-1")) == held


@pytest.mark.file
def test_silence_grants_what_was_asked_for_and_the_goods_count_as_back() -> None:
    story = told.contacted()
    store = store_with(K_1=story, K_2=told.sent(), K_3=told.due())
    now = max(s.duty(k).due.at for s, k in ((story, "merchant_answer"), (told.sent(), "return_confirmation"),
                                            (told.due(), "performance"))) + MOMENT
    ticked(store, now)
    remedy = facts_of(store, "K-1").remedy
    assert remedy is not None
    assert str(remedy.amount) == FULL["amount"]
    assert [d.owes for d in facts_of(store, "K-1").duties.values() if d.kind == "performance"] == ["merchant"]
    assert facts_of(store, "K-2").goods == "received"
    assert facts_of(store, "K-3").advance == "applied"


@pytest.mark.file
def test_the_longest_due_comes_first_whichever_case_it_is_of() -> None:
    store = store_with(K_3=told.filed(), K_1=told.due(), K_2=told.contacted(), K_4=told.lost())
    done = ticked(store, told.contacted().clock + days(100))
    assert [one.due for one in done] == sorted(one.due for one in done)
    assert [one.case for one in done] == ["K-3", "K-2", "K-4", "K-1"]


@pytest.mark.file
def test_what_a_tick_opens_falls_due_at_a_later_tick() -> None:
    story = told.contacted()
    store = store_with(K_1=story)
    first = story.duty("merchant_answer").due.at + MOMENT
    assert [one.did for one in ticked(store, first)] == ["deem_agreed"]
    performance = [d for d in facts_of(store).duties.values() if d.kind == "performance"]
    assert [d.state for d in performance] == ["running"]
    assert [one.did for one in ticked(store, performance[0].due.at + MOMENT)] == ["miss_duty"]


@pytest.mark.file
@pytest.mark.parametrize("follows", [f for f in FOLLOWS if f.did != "miss_duty"], ids=lambda f: f"{f.kind}-{f.did}")
def test_what_follows_is_not_lost_where_something_else_happened_in_the_meantime(follows: Follows) -> None:
    story = follows.story()
    duty = story.duty(follows.kind)
    story.until(follows.kind).when("add_evidence", kind="statement", description="说明").when(
        "log_call", channel="carrier_service", note="问快递")
    # A duty from which nothing follows is over before it.
    store = store_with(K_1=story)
    now = max(story.clock, *(d.due.at for d in story.facts.duties.values() if d.kind == "courier_answer")) + hours(1)
    done = ticked(store, now)
    assert (duty.id, follows.did) in [(one.duty, one.did) for one in done]
    assert audit_case(store.rows("K-1")) == []
    assert ticked(store, now) == []


@pytest.mark.file
def test_whatever_else_was_over_is_told_with_what_put_it_on_record() -> None:
    story = told.promised().when("log_call", channel="carrier_service", note="问快递")
    store = store_with(K_1=story)
    done = ticked(store, story.clock + days(30))
    assert {one.did for one in done} == {"miss_duty"}
    assert sorted(one.kind for one in done) == ["call_promise", "courier_answer", "platform_reply"]
    assert {d.state for d in facts_of(store).duties.values() if d.id in [one.duty for one in done]} == {"missed"}
    assert len(list(store.rows("K-1"))) == story.facts.version + 1, "one event is enough"


@pytest.mark.file
def test_a_clock_that_stands_still_is_let_be_and_a_case_that_is_closed_has_none() -> None:
    story = told.contacted()
    story.when("pause_duty", "agent", duty=story.duty("merchant_answer").id, reason="协商中")
    store = store_with(K_1=story, K_2=told.filed().when("withdraw"))
    assert ticked(store, story.clock + days(30)) == []
    story.when("resume_duty", "agent", after=days(31), duty=story.duty("merchant_answer").id)
    again = store_with(K_1=story)
    assert [one.did for one in ticked(again, story.duty("merchant_answer").due.at + MOMENT)] == ["deem_agreed"]


@pytest.mark.file
def test_a_case_that_went_on_after_the_time_asked_about_is_dealt_with_as_of_its_own_last_event() -> None:
    story = told.contacted()
    end = story.duty("merchant_answer").due.at
    story.until("merchant_answer").when("log_call", after=days(3), note="问平台")
    store = store_with(K_1=story)
    [did] = list(tick(store, end + hours(1), lambda: end + days(9)))
    assert did.did == "deem_agreed"
    assert list(store.events("K-1"))[-1].at == story.clock
    assert audit_case(store.rows("K-1")) == []


@pytest.mark.file
def test_an_estimate_after_a_pause_does_not_wait_for_a_calendar() -> None:
    story, by = told.referred(), "external:market_regulator"
    duty = story.duty("referral_acceptance").id
    story.when("pause_duty", by, duty=duty, reason="检测").when("resume_duty", by, after=days(60_000), duty=duty)
    held = story.facts.duties[duty]
    assert (held.due.provisional, held.was_paused) == (True, True)
    store = store_with(K_1=story)
    assert duty not in [one.duty for one in ticked(store, held.due.at)]
    assert duty in [one.duty for one in ticked(store, held.due.at + MOMENT)]
    assert facts_of(store).duties[duty].state == "missed"


@pytest.mark.file
def test_a_case_of_the_first_lifecycle_is_let_be() -> None:
    store = store_with(K_1=case_in("more_evidence_needed", lifecycle=1))
    assert store.dues() == []
    assert ticked(store, case_in("more_evidence_needed").clock + days(4000)) == []


@pytest.mark.file
def test_a_tick_for_a_time_that_is_past_records_what_was_due_by_then() -> None:
    story = told.contacted()
    store = store_with(K_1=story)
    then = story.duty("merchant_answer").due.at + hours(1)
    [did] = list(tick(store, then, lambda: then + days(9)))
    assert did.did == "deem_agreed"
    last = list(store.events("K-1"))[-1]
    assert (last.at, last.recorded_at) == (then, then + days(9))
    assert audit_case(store.rows("K-1")) == []


# --- somebody was faster ---------------------------------------------------------------------------------------------


@pytest.mark.file
def test_a_case_that_is_met_while_the_tick_goes_on_is_left_alone() -> None:
    first, second = told.contacted(), told.contacted()
    second.when("log_call", note="问平台")
    store = store_with(K_1=first, K_2=second)
    now = first.duty("merchant_answer").due.at + hours(1)
    going = tick(store, now, lambda: now)
    assert next(going).case == "K-1"
    service.carry_on(store, "K-2", "refuse_claim", {"excuse": "misuse"}, by="merchant", at=now, clock=lambda: now, command_id="x")
    assert list(going) == []
    assert facts_of(store, "K-2").state == "merchant_refused"


@pytest.mark.file
def test_a_case_that_is_met_between_the_look_and_the_record_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    story = told.contacted()
    store = store_with(K_1=story, K_2=told.filed())
    now = story.duty("merchant_answer").due.at + days(30)
    carry_on = service.carry_on

    def faster(there: Store, case: str, name: str, said: Any, **how: Any) -> service.Done:
        if name == "deem_agreed":
            carry_on(there, case, "make_offer", {"remedy": FULL}, by="merchant", at=now, clock=lambda: now, command_id="x")
        return carry_on(there, case, name, said, **how)

    monkeypatch.setattr(clockwork.service, "carry_on", faster)
    assert [one.case for one in ticked(store, now)] == ["K-2"]
    assert facts_of(store).state == "offer_made"
    assert audit_case(store.rows("K-1")) == []


@pytest.mark.file
def test_a_retry_of_what_a_tick_did_is_answered_as_what_it_was() -> None:
    story = told.contacted()
    store = store_with(K_1=story)
    duty = story.duty("merchant_answer")
    now = duty.due.at + MOMENT
    ticked(store, now)
    last = list(store.events("K-1"))[-1]
    assert last.command_id == f"tick:deem_agreed:{duty.id}:{microseconds(duty.due.at)}"
    done = service.carry_on(store, "K-1", "deem_agreed", {}, by="system", at=now, clock=lambda: now, command_id=last.command_id)
    assert (done.repeated, done.version) == (True, last.originator_version)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 4])
def test_ticks_at_once_in_several_processes_do_everything_once(tmp_path: Path, workers: int) -> None:
    path, go = tmp_path / "t.db", tmp_path / "go"
    stories = [follows.story for follows in FOLLOWS]
    with store_with(str(path), **{f"K_{n}": story() for n, story in enumerate(stories)}):
        pass
    now = given_case().clock + days(5000)
    alone = store_with(**{f"K_{n}": story() for n, story in enumerate(stories)})
    expected = {f"{one.case}:{one.duty}:{one.did}" for one in ticked(alone, now)}
    journals = [tmp_path / f"{n}.journal" for n in range(workers)]
    with Nursery() as nursery:
        started = [nursery.start("harness.races:tick_at_once", store=path, now=now.isoformat(), journal=journal, go=go)
                   for journal in journals]
        go.touch()
        assert [worker.wait() for worker in started] == [0] * workers
    answers = Answers().read(*journals)
    assert answers.errors == {}
    assert answers.contradictions == []
    assert set(answers.acknowledged) == expected
    with open_store(str(path)) as store:
        for n in range(len(stories)):
            mine, theirs = (list(s.events(f"K-{n}")) for s in (store, alone))
            assert mine == theirs
            assert audit_case(store.rows(f"K-{n}")) == audit_case(alone.rows(f"K-{n}"))
        assert ticked(store, now) == []


# --- what cannot be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [
    "x'00'", pytest.param("CAST(replace(CAST(state AS TEXT), '\"D-2\"', '\"D-7\"') AS BLOB)", marks=pytest.mark.file)],
                         ids=["no event", "a change of a duty that was never opened"])
def test_a_case_that_cannot_be_read_stops_no_other(payload: str) -> None:
    now = told.contacted().clock + days(4000)
    with store_with(DB, K_1=told.contacted().when("refuse_claim", "merchant", excuse="misuse"), K_2=told.contacted()):
        pass
    alter(f"UPDATE stored_events SET state = {payload} WHERE originator_id = 'K-1' AND originator_version = 3")
    with open_store(DB) as store:
        done = ticked(store, now)
        assert {(one.case, one.did) for one in done if one.error is None} == {("K-2", "deem_agreed")}
        [broken] = [one for one in done if one.error is not None]
        assert (broken.case, broken.did, broken.state) == ("K-1", "", "")
        assert broken.error is not None
        assert "K-1" in broken.error.en and "K-1" in broken.error.zh and "audit" in broken.error.en


def test_an_index_that_names_a_case_that_is_not_there_stops_nothing() -> None:
    with store_with(DB, K_1=told.contacted()):
        pass
    alter("INSERT INTO duties (case_id, duty, kind, owes, due, provisional) VALUES ('K-0', 'D-1', 'answer', 'merchant', 5, 0)")
    alter("INSERT INTO duties (case_id, duty, kind, owes, due, provisional) VALUES ('K-1', 'D-9', 'answer', 'merchant', 6, 0)")
    with open_store(DB) as store:
        done = ticked(store, told.contacted().clock + days(30))
    assert [(one.case, one.did) for one in done if one.error is None] == [("K-1", "deem_agreed")]
    assert [type(one.error) for one in done if one.error is not None] == [UnknownCase]


# --- a calendar that comes -------------------------------------------------------------------------------------------


@pytest.mark.file
def test_a_provisional_duty_waits_for_its_calendar_and_is_then_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    story = told.before_the_calendar()
    duty = story.duty("tip_off_check")
    assert duty.due.provisional
    store = store_with(K_1=story)

    def about(done: list[Ticked]) -> list[str]:
        return [one.did for one in done if one.duty == duty.id]

    now = duty.due.at + hours(1)
    assert about(ticked(store, now)) == []
    calendar_arrives(monkeypatch)
    assert about(ticked(store, now)) == ["recompute_duty"], "computed again, it is not over yet"
    final = facts_of(store).duties[duty.id]
    assert (final.state, final.due.provisional, final.due.at) == (
        "running", False, CURRENT.due("tipoff.check", duty.since).at)
    assert final.due.at > now
    assert about(ticked(store, now)) == []
    assert about(ticked(store, final.due.at)) == []
    assert about(ticked(store, final.due.at + MOMENT)) == ["miss_duty"]
    assert about(ticked(store, final.due.at + MOMENT)) == []
    assert audit_case(store.rows("K-1")) == []


@pytest.mark.file
def test_where_the_calendar_comes_after_the_time_both_are_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    story = told.before_the_calendar()
    duty = story.duty("referral_acceptance")
    store = store_with(K_1=story)
    calendar_arrives(monkeypatch)
    done = [one for one in ticked(store, duty.due.at + days(90)) if one.duty == duty.id]
    assert [one.did for one in done] == ["recompute_duty", "miss_duty"]
    assert [one.due for one in done] == [duty.due.at, CURRENT.due("mr12315.accept", duty.since).at]


# --- the index of what runs ------------------------------------------------------------------------------------------


def running_of(store: Store) -> list[DueRow]:
    """The running duties as the cases have them."""
    found = []
    for case in sorted({row.case for row in store.rows()}):
        for duty in facts_of(store, case).duties.values():
            if duty.state == "running":
                found.append(DueRow(case, duty.id, duty.kind, duty.owes, microseconds(duty.due.at), int(duty.due.provisional)))
    return sorted(found, key=lambda d: (d.due, d.case, d.duty))


def test_the_index_in_the_file_is_what_the_events_give_after_every_step_of_any_walk() -> None:
    walks = {f"k{number}": walked(Random(2000 + number), 45) for number in range(6)}
    with open_store(DB, create=True) as store, open_store(":memory:") as memory:
        for number, walk in walks.items():
            for event in walk.events:
                row = row_of(msgspec.structs.replace(event, originator_id=number))
                store.adopt([row])
                memory.adopt([row])
                if event.originator_version % 10 == 0:
                    assert sorted(store.dues()) == sorted(memory.dues()) == sorted(index_of(store.rows()))
        assert sorted(store.dues()) == sorted(running_of(store)) == sorted(index_of(store.rows()))
        assert [d.due for d in store.dues()] == sorted(d.due for d in store.dues())
        for limit in (None, min(d.due for d in store.dues()), max(d.due for d in store.dues())):
            before = None if limit is None else moment(limit)
            due = [d for d in store.dues() if limit is None or d.due < limit or d.provisional]
            assert sorted(store.dues(before)) == sorted(memory.dues(before)) == sorted(due)
        assert store.dues(), "something runs at the end"


def test_what_the_service_records_is_in_the_index_with_it_and_what_it_refuses_is_not() -> None:
    now = told.contacted().clock
    given: list[tuple[str, str, dict[str, Any]]] = [
        ("make_offer", "merchant", {"remedy": FULL}), ("decline_offer", "consumer", {}), ("rule", "merchant", {}),
        ("file", "consumer", {"claim": "refund", "statement": "请介入"})]
    with store_with(DB, K_1=told.contacted()) as store:
        for name, by, said in given:
            now += hours(1)
            try:
                service.carry_on(store, "K-1", name, said, by=by, at=now, clock=lambda: told.contacted().clock + days(1),
                                 command_id=f"x-{name}")
            except Refused:
                assert name == "rule"
            assert sorted(store.dues()) == sorted(running_of(store))
        assert [d.kind for d in store.dues()] == ["platform_reply"]


def test_a_write_that_fails_leaves_the_index_as_it_was() -> None:
    with store_with(DB, K_1=told.contacted()) as store:
        before = store.dues()
        taken = rows_of(told.contacted().when("refuse_claim", "merchant", excuse="misuse"))[-1]
        store.adopt([taken])
        held = store.dues()
        assert held != before
        with pytest.raises(CaseworkError):
            store.adopt([rows_of(told.contacted().when("make_offer", "merchant", remedy=FULL))[-1]])
        assert store.dues() == held


# --- the command line ------------------------------------------------------------------------------------------------


def docket() -> None:
    """Three cases of 2026: one whose merchant is silent, one that is filed, one that a court had."""
    with store_with(DB, K_1=told.contacted(), K_2=told.filed(), K_3=told.taken()):
        pass


def test_tick_says_what_it_did_and_the_second_time_that_nothing_was_due() -> None:
    docket()
    now = told.contacted().duty("merchant_answer").due.at + hours(1)
    done = casework("tick", "--now", now.isoformat(), "--json").document()
    assert set(done) == {"now", "done", "errors"}
    assert done["errors"] == []
    assert [(d["case"], d["duty"], d["did"], d["state"]) for d in done["done"]] == [
        ("K-2", "platform_reply", "miss_duty", "filed"), ("K-3", "platform_reply", "miss_duty", "filed"),
        ("K-1", "merchant_answer", "deem_agreed", "remedy_due")]
    assert {frozenset(d) for d in done["done"]} == {frozenset({"case", "id", "duty", "who", "due", "did", "state"})}
    held = rows(DB)
    assert casework("tick", "--now", now.isoformat(), "--json").document()["done"] == []
    assert rows(DB) == held
    casework("audit").ok()
    assert casework("list", "--json").document()["cases"][0]["state"] == "remedy_due"


@pytest.mark.parametrize(("lang", "words", "nothing"), [
    ("en", ("merchant's answer", "deem_agreed → remedy due", "done: 3"), "nothing has fallen due"),
    ("zh", ("商家答复", "deem_agreed → ", "已办理: 3"), "没有到期的事项"),
])
def test_tick_for_people_is_a_line_each_in_their_language(lang: str, words: tuple[str, ...], nothing: str) -> None:
    docket()
    now = (told.contacted().duty("merchant_answer").due.at + hours(1)).isoformat()
    out = casework("tick", "--now", now, lang=lang).ok().out
    assert all(word in out for word in words), out
    assert len(out.splitlines()) == 4
    assert bool(CHINESE.search(out)) == (lang == "zh")
    assert casework("tick", "--now", now, lang=lang).ok().out.strip() == nothing


def test_tick_without_a_time_takes_the_clock() -> None:
    with store_with(DB, K_1=told.contacted()):
        pass
    assert [d["did"] for d in casework("tick", "--json").document()["done"]][:1] == ["deem_agreed"]
    [event] = [e for e in casework("history", "K-1", "--jsonl").documents() if e["event"].endswith("claim_deemed_agreed")]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(event["at"])) < timedelta(minutes=5)


def test_tick_goes_on_after_a_case_that_cannot_be_read_and_ends_with_2() -> None:
    docket()
    alter("UPDATE stored_events SET state = x'7b7d' WHERE originator_id = 'K-2' AND originator_version = 1")
    now = (told.contacted().duty("merchant_answer").due.at + hours(1)).isoformat()
    for lang, words in (("en", ("K-2", "casework audit")), ("zh", ("K-2", "casework audit"))):
        ran = casework("tick", "--now", now, "--json", lang=lang)
        document = ran.document(status=2)
        ran.says(*words)
        assert [e for e in document["errors"] if e["case"] == "K-2"] == document["errors"] != []
        assert bool(CHINESE.search(ran.err)) == (lang == "zh")
        assert [d["case"] for d in document["done"]] == (["K-3", "K-1"] if lang == "en" else [])


def test_due_lists_what_runs_with_its_rule_by_due_time() -> None:
    docket()
    now = told.filed().clock
    document = casework("due", "--now", now.isoformat(), "--json").document()
    assert set(document) == {"now", "duties"}
    found = document["duties"]
    assert [d["due"] for d in found] == sorted(d["due"] for d in found)
    assert {(d["case"], d["duty"]) for d in found} == {
        ("K-1", "limitation"), ("K-1", "merchant_answer"), ("K-2", "platform_reply"), ("K-3", "platform_reply"),
        ("K-3", "referral_result")}
    [answer] = [d for d in found if d["duty"] == "merchant_answer"]
    held = told.contacted().duty("merchant_answer")
    assert answer == {
        "case": "K-1", "duty": "merchant_answer", "id": held.id, "who": "merchant", "to": "consumer", "status": "running",
        "due": answer["due"], "since": answer["since"], "rule": "merchant.response", "clause": held.due.clause,
        "certainty": held.due.certainty, "provisional": False, "about": None, "overrides": []}
    assert datetime.fromisoformat(answer["due"]) == held.due.at
    shown = casework("show", "K-1", "--version", "2", "--json").document()["duties"]
    assert [d for d in shown if d["id"] == held.id] == [{k: v for k, v in answer.items() if k != "case"}]


def test_due_within_a_time_and_by_a_role() -> None:
    docket()
    now = told.filed().clock

    def listed(*words: str) -> set[tuple[str, str]]:
        return {(d["case"], d["duty"]) for d in casework("due", "--now", now.isoformat(), "--json", *words).document()["duties"]}

    hours_left = (told.contacted().duty("merchant_answer").due.at - now) / hours(1)
    assert hours_left == int(hours_left)
    soon = {("K-2", "platform_reply"), ("K-3", "platform_reply"), ("K-1", "merchant_answer")}
    assert listed("--within", f"{int(hours_left)}h") == soon, "what is due at its very end is within it"
    assert ("K-1", "merchant_answer") not in listed("--within", f"{int(hours_left) - 1}h")
    assert listed("--within", "90d") == soon | {("K-3", "referral_result")}
    assert listed("--within", "9999d") == listed() == soon | {("K-3", "referral_result"), ("K-1", "limitation")}
    assert listed("--by", "merchant") == {("K-1", "merchant_answer")}
    assert listed("--by", "agent") == {("K-2", "platform_reply"), ("K-3", "platform_reply")}
    assert listed("--by", "external") == listed("--by", "external:market_regulator") == {("K-3", "referral_result")}
    assert listed("--by", "external:court") == listed("--by", "courier") == set()
    assert listed("--by", "agent", "--within", "0h") == set()


def test_what_is_overdue_stays_listed_until_a_tick_has_dealt_with_it() -> None:
    docket()
    now = told.contacted().duty("merchant_answer").due.at + MOMENT

    def overdue() -> list[str]:
        found = casework("due", "--now", now.isoformat(), "--within", "0d", "--json").document()["duties"]
        assert all(d["status"] == "overdue" for d in found)
        return [d["duty"] for d in found]

    assert overdue() == ["platform_reply", "platform_reply", "merchant_answer"]
    casework("tick", "--now", now.isoformat())
    assert overdue() == []


def test_due_has_a_document_a_line_as_well() -> None:
    docket()
    now = told.filed().clock.isoformat()
    assert casework("due", "--now", now, "--jsonl").documents() == casework("due", "--now", now, "--json").document()["duties"]


@pytest.mark.parametrize(("lang", "words"), [
    ("en", ("merchant's answer", "carrier", "merchant", "[unverified]", "[overdue")),
    ("zh", ("商家答复", "快递企业", "商家", "[未经核实]", "[逾期")),
])
def test_due_for_people_is_a_line_each_in_their_language(lang: str, words: tuple[str, ...]) -> None:
    with store_with(DB, K_1=told.contacted(), K_2=told.complained()):
        pass
    out = casework("due", "--now", told.contacted().clock.isoformat(), lang=lang).ok().out
    out += casework("due", "--now", (told.contacted().clock + days(9)).isoformat(), lang=lang).ok().out
    assert all(word in out for word in words), out
    assert all(LABELS[kind].text(lang) in out for kind in ("limitation", "merchant_answer", "platform_reply", "courier_answer"))
    with store_with("empty.db"):
        pass
    none = casework("due", "--store", "empty.db", lang=lang).ok().out
    assert none.strip() == {"en": "no duty is running", "zh": "没有正在计算的期限"}[lang]
    few = casework("due", "--by", "courier", "--store", "empty.db", lang=lang).ok().out
    assert few.strip() == {"en": "no duty is running of those asked for", "zh": "没有符合条件的期限"}[lang]


@pytest.mark.parametrize(("lang", "word"), [("en", "missed and still owed: {}"), ("zh", "仍应履行的：{} 项")])
def test_where_nothing_runs_due_says_how_much_was_missed_and_is_owed_still(lang: str, word: str) -> None:
    due = told.due()
    due.until("performance").when("miss_duty", "system", duty=due.duty("performance").id)
    with store_with("missed.db", K_2=due):
        pass
    said = casework("due", "--store", "missed.db", "--now", due.clock.isoformat(), lang=lang).ok().out
    assert word.format(1) in said and said.count("\n") == 2
    assert word.format(1) in casework("due", "--by", "merchant", "--store", "missed.db", lang=lang).ok().out
    assert casework("due", "--by", "agent", "--store", "missed.db", lang=lang).ok().out.count("\n") == 1
    assert casework("due", "--store", "missed.db", "--json").document()["duties"] == []


def test_due_goes_on_after_a_case_that_cannot_be_read_and_ends_with_1() -> None:
    docket()
    alter("UPDATE stored_events SET state = x'7b7d' WHERE originator_id = 'K-2' AND originator_version = 2")
    ran = casework("due", "--json", "--now", told.filed().clock.isoformat())
    assert {d["case"] for d in ran.document(status=1)["duties"]} == {"K-1", "K-3"}
    ran.says("K-2", "casework audit")


WRONG: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "a time ahead of the clock": (
        ("tick", "--now", "2190-01-01T00:00:00+08:00"), ("--now", "ahead of the clock"), ("--now", "晚于当前时间")),
    "a time without its offset": (("tick", "--now", "2026-03-01T00:00:00"), ("--now", "offset"), ("--now", "时区")),
    "no time": (("due", "--now", "tomorrow"), ("--now", "offset"), ("--now", "时区")),
    "no span": (("due", "--within", "soon"), ("--within", "'soon'", "3d or 12h"), ("--within", "“soon”", "3d 或 12h")),
    "a span in working days": (("due", "--within", "3wd"), ("--within", "3d or 12h"), ("--within", "3d 或 12h")),
    "a span backwards": (("due", "--within", "-3d"), ("--within",), ("--within",)),
    "a span beyond all measure": (("due", "--within", "99999d"), ("--within",), ("--within",)),
    "digits that are none": (("due", "--within", "٣d"), ("--within",), ("--within",)),
    "a role that owes nothing": (("due", "--by", "auditor"), ("--by", "'auditor'", "courier"), ("--by", "“auditor”", "courier")),
    "a store that is not there": (("tick", "--store", "none.db"), ("none.db",), ("none.db", "没有案件库")),
    "a store that is not there to read": (("due", "--store", "none.db"), ("none.db",), ("none.db", "没有案件库")),
    "a store in memory": (("due", "--store", ":memory:"), ("memory",), ("内存",)),
    "a word too many": (("tick", "K-1"), ("K-1",), ("K-1",)),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_wrong_input_is_one_line_that_names_it(what: str, lang: str) -> None:
    with store_with(DB, K_1=told.contacted()):
        pass
    argv, en, zh = WRONG[what]
    held = rows(DB)
    ran = casework(*argv, lang=lang).fails(*(zh if lang == "zh" else en))
    assert bool(CHINESE.search(ran.err)) == (lang == "zh")
    assert rows(DB) == held


def test_every_role_that_can_owe_may_be_asked_for() -> None:
    docket()
    for role in OWE:
        casework("due", "--by", role).ok()


def test_a_tick_in_a_real_process_and_a_due_of_what_is_left() -> None:
    docket()
    assert "done: " in process("tick", "--lang", "en").ok().out
    after: Ran = process("due", "--json").ok()
    assert all(d["status"] != "overdue" for d in json.loads(after.out)["duties"])


# --- a store that was made before there was an index -----------------------------------------------------------------


@pytest.fixture(params=["issue-2", "issue-3"])
def golden(request: pytest.FixtureRequest) -> str:
    """A copy of a store that an earlier release made."""
    source = Path(__file__).parent / "golden" / f"{request.param}.db"
    with sqlite3.connect(source) as one, sqlite3.connect(DB) as two:
        one.backup(two)
    return DB


def tables(store: str) -> set[str]:
    with sqlite3.connect(store) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'index')")}


@pytest.mark.file
def test_a_store_without_an_index_has_nothing_due_and_is_not_changed_by_asking(golden: str) -> None:
    assert "duties" not in tables(golden)
    held = rows(golden)
    assert casework("due", "--json").document()["duties"] == []
    assert casework("tick", "--json").document()["done"] == []
    assert rows(golden) == held
    assert "duties" not in tables(golden)
    with open_reader(golden) as reader:
        assert reader.dues() == []


@pytest.mark.file
def test_a_store_without_an_index_gets_it_with_the_first_case_that_has_duties(golden: str) -> None:
    with open_store(golden) as store:
        store.adopt(rows_of(told.contacted(), "K-1"))
        assert sorted(store.dues()) == sorted(running_of(store))
        assert {d.case for d in store.dues()} == {"K-1"}
    assert {"duties", "duties_by_due"} <= tables(golden)
    done = casework("tick", "--json").document()["done"]
    assert done[0]["did"] == "deem_agreed" and {d["case"] for d in done} == {"K-1"}
    casework("audit").ok()


# --- walks with a clock ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("url", [pytest.param(":memory:", marks=pytest.mark.file), DB])
def test_whatever_people_do_between_two_ticks_each_does_what_is_due_and_the_next_nothing(url: str, number: int) -> None:
    """Everything that has to hold of a walk is asked by the world itself, after every step and at the end."""
    pick, figures = Random(number).randrange, Figures()
    with open_store(url, create=True) as store:
        world = World(store, figures)
        for _ in range(60):
            step = (world.carry, world.carry, world.carry, world.tick, world.refused, world.strange, world.anything)[pick(7)]
            step(pick, world.tale(pick))
        world.end()
    assert figures.recorded >= 20
