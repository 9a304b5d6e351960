"""What is shown of a case: equal however it came to be, and true of every version and every moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import SCENARIOS, casework, pairs, rows, yaml_of
from domain_helpers import case_in, given_case

from casework.application.views import full
from casework.report.case import case_lines
from casework.report.clock import due_lines

pytestmark = pytest.mark.stores

LIVE, REPLAYED = "live.db", "replayed.db"
#: What depends on the moment at which it is asked.
OF_NOW = ("duties", "overdue")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, and an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("CASEWORK_STORE", "CASEWORK_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


def show(case: str, store: str, *asked: str) -> dict[str, Any]:
    view: dict[str, Any] = casework("show", case, "--store", store, "--json", *asked).document()
    return view


def events_of(case: str, store: str) -> list[dict[str, Any]]:
    return casework("history", case, "--store", store, "--jsonl").documents()


def lasting(view: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in view.items() if k not in OF_NOW}


def replayed(name: str) -> list[dict[str, Any]]:
    """Replay a story into a store; its steps as they went."""
    document = casework("replay", str(SCENARIOS / f"{name}.yaml"), "--store", REPLAYED, "--json").document()
    steps: list[dict[str, Any]] = document["scenarios"][0]["steps"]
    return steps


def carried(name: str, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Carry the same story by hand, a command a step; the views after the opening and after each that was recorded."""
    story = yaml_of(SCENARIOS / f"{name}.yaml")
    begins = story["given"]["order"].get("received_at") or story["given"]["order"]["ordered_at"]
    casework("open", name, "--by", "consumer", "--at", begins, "--store", LIVE, *pairs(story["given"])).ok()
    views = [show(name, LIVE)]
    for step, went in zip(story["steps"], steps, strict=True):
        ran = casework("do", name, step["do"], "--by", step["by"], "--at", went["at"], "--store", LIVE,
                       *pairs(step.get("with") or {}), "--json")
        if went["refused"]:
            assert [r["code"] for r in ran.document(status=1)["refused"]] == went["refused"]
        else:
            assert ran.document()["state"] == went["state"]
            views.append(show(name, LIVE))
    return views


@pytest.mark.parametrize("name", ["juicer", "counterfeit_escalation", "tired_consumer", "phone_call"])
def test_a_case_that_is_carried_by_hand_looks_as_the_replayed_one_at_every_version(name: str) -> None:
    views = carried(name, replayed(name))
    assert [v["version"] for v in views] == list(range(1, len(views) + 1))
    for version, view in enumerate(views, 1):
        assert lasting(show(name, REPLAYED, "--version", str(version))) == lasting(view)
        assert show(name, LIVE, "--version", str(version)) == show(name, REPLAYED, "--version", str(version))


def test_the_history_of_a_case_carried_by_hand_differs_only_in_when_it_was_recorded_and_under_which_command() -> None:
    carried("juicer", replayed("juicer"))
    apart = ("recorded_at", "command_id")
    live, again = (events_of("juicer", store) for store in (LIVE, REPLAYED))
    assert [{k: v for k, v in e.items() if k not in apart} for e in live] == [
        {k: v for k, v in e.items() if k not in apart} for e in again]


def test_as_of_a_moment_is_shown_what_was_recorded_by_then() -> None:
    replayed("juicer")
    events = events_of("juicer", REPLAYED)
    for before, event in zip([None, *events], events, strict=False):
        at = datetime.fromisoformat(event["recorded_at"])
        view = show("juicer", REPLAYED, "--as-of", at.isoformat())
        latest = max(e["version"] for e in events if e["recorded_at"] == event["recorded_at"])
        assert view["version"] == latest
        assert lasting(view) == lasting(show("juicer", REPLAYED, "--version", str(latest)))
        if before is not None and before["recorded_at"] != event["recorded_at"]:
            earlier = show("juicer", REPLAYED, "--as-of", (at - timedelta(microseconds=1)).isoformat())
            assert earlier["version"] == before["version"]


def test_what_is_recorded_later_does_not_change_what_was_shown_before() -> None:
    steps = replayed("juicer")
    last = max(datetime.fromisoformat(s["at"]) for s in steps)
    asked = [("--version", "7"), ("--as-of", last.isoformat())]
    before = [show("juicer", REPLAYED, *a) for a in asked]
    casework("do", "juicer", "give_feedback", "--by", "consumer", "-d", "score=4", "--store", REPLAYED).ok()
    assert [show("juicer", REPLAYED, *a) for a in asked] == before
    assert show("juicer", REPLAYED)["version"] == before[1]["version"] + 1


def test_a_deadline_is_running_or_overdue_as_of_the_moment_that_is_asked_for() -> None:
    replayed("juicer")
    given = yaml_of(SCENARIOS / "juicer.yaml")
    notify = next(s for s in given["steps"] if s["do"] == "notify")
    due = datetime.fromisoformat(notify["with"]["answer_by"])
    [notified] = [e for e in events_of("juicer", REPLAYED) if e["event"].endswith("party_notified")]
    view = show("juicer", REPLAYED, "--version", str(notified["version"]))
    [duty] = [d for d in view["duties"] if d["who"] == "merchant"]
    assert (datetime.fromisoformat(duty["due"]), duty["status"], view["overdue"]) == (due, "running", False)


@pytest.mark.parametrize("name", ["juicer", "suspended_for_court", "parcel_lost", "return_without_confirmation",
                                  "association_without_result", "phone_call_broken_promise"])
def test_the_deadlines_of_a_case_are_those_that_its_events_opened_and_did_not_settle(name: str) -> None:
    """Followed here through the stored documents alone: what is owed, by whom, until when, and what was not done in time."""
    replayed(name)
    owed: dict[str, dict[str, Any]] = {}
    late: dict[str, dict[str, Any]] = {}
    for row in rows(REPLAYED):
        event = json.loads(row[3])
        if "case" not in event:
            continue  # of the merchant's standing
        for change in event.get("duties", []):
            key, what = change["id"], change["change"]
            if "due" in change:
                owed[key] = owed.get(key, {}) | {"duty": change["duty"], "who": change["owes"], "rule": change["due"]["rule"],
                                                 "due": datetime.fromisoformat(change["due"]["at"]), "status": "running"}
            if what == "paused":
                owed[key]["status"] = "paused"
            elif what == "missed":
                owed[key]["status"] = "overdue"
                late[key] = {"duty": change["duty"], "who": change["owes"], "missed_at": event["at"], "done_at": None}
            elif what == "met" and key in late:
                late[key]["done_at"] = event["at"]
            if what in ("met", "cancelled"):
                del owed[key]
        view = show(name, REPLAYED, "--version", str(event["version"]))
        at = datetime.fromisoformat(event["at"])
        for duty in owed.values():
            duty["status"] = "overdue" if duty["status"] == "running" and at > duty["due"] else duty["status"]
        shown = {d["id"]: {key: d[key] for key in ("duty", "who", "rule", "status")} | {"due": datetime.fromisoformat(d["due"])}
                 for d in view["duties"]}
        assert shown == owed, event["version"]
        assert [d["due"] for d in view["duties"]] == sorted(d["due"] for d in view["duties"])
        assert view["overdue"] == any(d["status"] == "overdue" for d in owed.values())
        assert {m["id"]: (m["duty"], m["who"], moment(m["missed_at"]), moment(m["done_at"])) for m in view["missed"]} == {
            key: (m["duty"], m["who"], moment(m["missed_at"]), moment(m["done_at"])) for key, m in late.items()}
    assert show(name, REPLAYED)["duties"] == []


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@pytest.mark.parametrize(("lang", "words"), [("en", ("merchant's answer", "platform's reply", "overdue")),
                                             ("zh", ("商家答复", "平台回复", "逾期"))])
def test_the_page_of_a_case_says_its_deadlines_in_the_language(lang: str, words: tuple[str, ...]) -> None:
    replayed("parcel_lost")
    pages = "".join(casework("show", "parcel_lost", "--version", str(version), "--store", REPLAYED, lang=lang).ok().out
                    for version in range(1, 12))
    assert all(word in pages for word in words[:2])
    first = casework("show", "parcel_lost", "--version", "1", "--store", REPLAYED, lang=lang).ok().out
    assert (words[2] in first, words[2] in pages) == (False, True), "the carrier lets its seven days go by"


def test_options_as_of_a_version_are_those_of_that_version() -> None:
    replayed("juicer")
    then = casework("options", "juicer", "--version", "2", "--store", REPLAYED, "--json").document()
    assert then["state"] == "awaiting_merchant"
    assert {"make_offer", "refuse_claim"} <= {t["trigger"] for t in then["triggers"] if t["allowed"]}
    now = casework("options", "juicer", "--store", REPLAYED, "--json").document()
    assert now["state"] == "resolved"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_for_people_hold_what_the_documents_hold(lang: str) -> None:
    replayed("counterfeit_escalation")
    view = show("counterfeit_escalation", REPLAYED)
    page = casework("show", "counterfeit_escalation", "--store", REPLAYED, lang=lang).ok().out
    for item in view["evidence"] + view["referrals"] + view["tip_offs"]:
        assert item["id"] in page
    for ruling in view["rulings"]:
        assert ruling["findings"] in page
    assert view["remedy"]["amount"] in page
    history = casework("history", "counterfeit_escalation", "--store", REPLAYED, lang=lang).ok().out
    for event in events_of("counterfeit_escalation", REPLAYED):
        assert event["event"].rpartition(".")[2] in history
    assert "+00:00" not in json.dumps(view) + page + history
    assert "Z," not in history


def test_the_call_sheet_holds_what_customer_service_asks_for_and_what_was_promised() -> None:
    casework("replay", str(SCENARIOS / "phone_call.yaml"), "--store", "casework.db")
    sheet = casework("call-sheet", "phone_call", "--json").document()
    case = casework("show", "phone_call", "--json").document()
    assert sheet["order"]["id"] == case["order"]["id"]
    assert sheet["order"]["paid"] == case["order"]["paid"]
    assert [c["promised"] for c in sheet["calls"]] == [c["promised"] for c in case["calls"]]
    assert sheet["merchant_proves"] is True
    for lang, words in (("zh", ("订单编号", "支付金额", "转接上级")), ("en", ("order number", "paid", "passed up"))):
        shown = casework("call-sheet", "phone_call", lang=lang).out
        assert all(word in shown for word in words)
    casework("replay", str(SCENARIOS / "cashmere_sweater.yaml"), "--store", "casework.db")
    assert "answered=true" in casework("call-sheet", "phone_call").out
    assert "answered=true" not in casework("call-sheet", "cashmere_sweater").out


# --- why a review stands still ---------------------------------------------------------------------------------------


@pytest.mark.file
def test_a_suspended_case_says_why_until_when_and_what_ends_it() -> None:
    case = case_in("under_review")
    assert full(case.facts, case.clock)["suspension"] is None
    both = case.fork().when("suspend", "agent", ground="both_ask")
    held = full(both.facts, both.clock)["suspension"]
    assert (held["ground"], held["until"]) == ("both_ask", both.duty("suspension").due.at)
    court = case.fork().refer("court").when("suspend", "agent", ground="court")
    held = full(court.facts, court.clock)["suspension"]
    assert (held["ground"], held["until"]) == ("court", court.duty("acceptance_proof").due.at)
    held = full(court.when("show_acceptance", document="通知书").facts, court.clock)["suspension"]
    assert (held["ground"], held["until"]) == ("court", None)
    court.evidence("court_judgment").when("examine_evidence", "agent", evidence=list(court.facts.evidence)[-1],
                                           result="authentic")
    held = full(court.facts, court.clock)["suspension"]
    assert (held["ground"], held["until"]) == ("court", court.duty("suspension").due.at)
    police = case.fork().when("suspend", "agent", ground="police").when("show_acceptance", document="回执")
    held = full(police.facts, police.clock)["suspension"]
    assert (held["ground"], held["until"]) == ("police", police.duty("suspension").due.at)
    for lang in ("zh", "en"):
        assert held["ends"][lang] in "\n".join(case_lines(full(police.facts, police.clock), lang, UTC))


@pytest.mark.file
@pytest.mark.parametrize(("lang", "over", "late"), [
    ("en", "its time is over; tick resumes", "overdue]"), ("zh", "期限已满，tick 恢复处理", "逾期]")])
def test_a_suspension_that_ran_out_is_nobodys_lateness(lang: str, over: str, late: str) -> None:
    held = case_in("under_review").when("suspend", "agent", ground="both_ask")
    view = full(held.facts, held.duty("suspension").due.at + timedelta(seconds=1))
    [line] = [text for text in case_lines(view, lang, UTC) if over in text]
    assert late not in line
    [listed] = due_lines([{"case": "K-1"} | d for d in view["duties"] if d["duty"] == "suspension"], lang, UTC)
    assert over in listed and late not in listed


@pytest.mark.file
@pytest.mark.parametrize(("lang", "heading"), [("en", "liquidated damages"), ("zh", "约定的违约金")])
def test_the_page_of_a_case_says_what_the_merchant_promised_to_pay(lang: str, heading: str) -> None:
    def page(**order: str) -> str:
        facts = given_case(order=order).facts
        return "\n".join(case_lines(full(facts, facts.at), lang, UTC))

    assert heading not in page()
    [line] = [text for text in page(liquidated_damages="60.00").splitlines() if heading in text]
    assert line.endswith("¥60.00")
