"""``casework due --json`` against days counted here, with the yearly notices of the State Council and nothing of casework's."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from chinese_calendar import is_workday
from cli_helpers import casework
from recorded import NAMES, replayed

from casework.application import views
from casework.application.agenda import due
from casework.store.opening import open_store

SHANGHAI = ZoneInfo("Asia/Shanghai")
LAST = time(23, 59, 59, 999999)
#: Double entry: what each rule counts, and how many; of mediation, by when the matter was taken.
COUNTS: dict[str, tuple[int, str]] = {
    "merchant.response": (48, "hour"), "platform.reply": (24, "hour"), "mr12315.accept": (7, "working day"),
    "tipoff.check": (15, "working day"), "consumer_assoc.accept.zj": (5, "working day"),
    "consumer_assoc.mediate.zj": (10, "working day"), "courier.complaint": (7, "day"), "return.shipping": (7, "day"),
    "return.confirm": (10, "day"), "refund.after_goods_back": (7, "day"), "unreasonable_refusal": (15, "day"),
    "ruling.objection": (7, "day"), "dispute.suspend.self_settle": (30, "day"), "dispute.suspend.court_proof": (7, "working day"),
    "dispute.suspend.police": (6, "month"), "suit.limitation": (36, "month"),
    "court.appeal": (15, "day"),
}


def mediation(taken: date) -> tuple[int, str]:
    return (45, "working day") if taken < date(2024, 7, 1) else (60, "day")


def works(day: date) -> bool:
    """By the yearly notice; of a year without one, from Monday to Friday, as an estimate."""
    try:
        return bool(is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def ends(rule: str, since: datetime) -> set[datetime]:
    """Where the limit may end: on its last day, or on the next day of work where that is a day of rest and the law says so."""
    number, unit = mediation(since.date()) if rule == "mr12315.mediate" else COUNTS[rule]
    if unit == "hour":
        return {since + timedelta(hours=number)}
    day = since.date()
    if unit == "working day":
        while number:
            day += timedelta(days=1)
            number -= works(day)
    elif unit == "day":
        day += timedelta(days=number)
    else:
        month = day.month - 1 + number
        year, month = day.year + month // 12, month % 12 + 1
        day = date(year, month, min(day.day, monthrange(year, month)[1]))
    moved = day
    while not works(moved):
        moved += timedelta(days=1)
    return {datetime.combine(d, LAST, SHANGHAI) for d in (day, moved)}


@pytest.fixture(scope="module")
def listed() -> list[dict[str, Any]]:
    """What is due in every scenario at every version of it."""
    found: list[dict[str, Any]] = []
    for name in NAMES:
        rows = replayed(name).rows
        for version in range(1, len(rows) + 1):
            with open_store(":memory:") as store:
                store.adopt(rows[:version])
                here = list(due(store, views.facts_of(rows, version=version).at, broken=[]))  # type: ignore[union-attr]
            assert [d["due"] for d in here] == sorted(d["due"] for d in here)
            found += [d | {"version": version} for d in here]
    return found


def moved(duty: dict[str, Any]) -> bool:
    """Whether somebody paused or extended it, so that its rule alone does not give its time."""
    facts = views.facts_of(replayed(duty["case"]).rows, version=duty["version"])
    return facts is not None and (facts.duties[duty["id"]].was_paused or facts.duties[duty["id"]].due.unit is None)


@pytest.mark.stores
def test_the_command_line_lists_the_same(listed: list[dict[str, Any]], tmp_path: Path) -> None:
    path = str(tmp_path / "due.db")
    with open_store(path, create=True) as store:
        store.adopt(replayed("holiday_in_the_middle").rows[:4])
    shown = casework("due", "--json", "--store", path).ok().document()["duties"]
    same = [d for d in listed if (d["case"], d["version"]) == ("holiday_in_the_middle", 4)]
    told = [(d["id"], d["rule"], datetime.fromisoformat(d["due"])) for d in shown]
    assert told == [(d["id"], d["rule"], d["due"]) for d in same] != []


def test_every_deadline_that_a_rule_gives_is_the_one_that_is_counted_here(listed: list[dict[str, Any]]) -> None:
    by_rule = [d for d in listed if d["rule"] in COUNTS or d["rule"] == "mr12315.mediate"]
    wrong = [(d["case"], d["duty"], d["due"]) for d in by_rule if d["rule"] != "suit.limitation"
             and d["due"] not in ends(d["rule"], d["since"].astimezone(SHANGHAI)) and not moved(d)]
    assert wrong == []
    assert len({d["rule"] for d in by_rule}) >= 10


def test_no_deadline_of_it_rests_on_a_rule_unknown_here(listed: list[dict[str, Any]]) -> None:
    set_by_people = {"notify", "ask_proof", "request_evidence", "log_call"}
    assert {d["rule"] for d in listed} <= {*COUNTS, "mr12315.mediate", *set_by_people}


def test_limitation_runs_three_years_from_the_last_demand(listed: list[dict[str, Any]]) -> None:
    for duty in (d for d in listed if d["rule"] == "suit.limitation"):
        demands = [e.at for e in views.events_of(replayed(duty["case"]).rows)]
        assert any(duty["due"] in ends("suit.limitation", at.astimezone(SHANGHAI)) for at in demands)
