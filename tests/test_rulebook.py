"""The rulebook: time arithmetic, records, editions."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.audit import limits
from casework.errors import CalendarUnknown, InputError
from casework.rulebook import calendar
from casework.rulebook.calendar import (
    SHANGHAI,
    after,
    estimate_working_days,
    plus_days,
    plus_hours,
    plus_months,
    plus_working_days,
    plus_years,
)
from casework.rulebook.edition import CURRENT, EDITIONS, Dates, Due, Edition, edition, pinned
from casework.rulebook.records import RANKS, Record

# Asked of the package, so that these tests outlive the arrival of the next year's table.
LAST_YEAR = max(chinese_calendar.holidays).year
UNKNOWN = LAST_YEAR + 1

PLUS = [plus_hours, plus_days, estimate_working_days, plus_months, plus_years]
FIRST = EDITIONS["2026-11"]
LIMITS = sorted({record.id for record in CURRENT.records if record.counts_time})
RULES = sorted({record.id for record in CURRENT.records})


def at(text: str, clock: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{text}T{clock}:00+08:00")


def record(**changes: object) -> Record:
    base = Record("x", 1, "day", date(2020, 1, 1), None, "rule", "act", "§1", "A", "一", "one")
    return replace(base, **changes)  # type: ignore[arg-type]


# --- the calendar


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-02-10", "2026-02-26"),
        ("2026-04-15", "2026-04-24"),
        ("2026-09-24", "2026-10-12"),
        ("2026-09-30", "2026-10-15"),
        ("2026-11-22", "2026-12-01"),
    ],
)
def test_the_seventh_working_day_is_the_published_one(start: str, end: str) -> None:
    assert plus_working_days(at(start), 7) == at(end)


def test_forty_five_working_days_and_sixty_days_from_the_last_day_of_order_20() -> None:
    assert plus_working_days(at("2026-04-14"), 45) == at("2026-06-18")
    assert plus_days(at("2026-04-14"), 60) == at("2026-06-13")
    assert plus_days(at("2026-04-15"), 60) == at("2026-06-14")


def test_a_make_up_saturday_works_and_a_holiday_monday_does_not() -> None:
    assert plus_working_days(at("2026-02-13"), 1) == at("2026-02-14")
    assert plus_working_days(at("2026-02-14"), 1) == at("2026-02-24")


def test_the_local_day_of_the_start_counts_not_the_utc_day() -> None:
    late = datetime(2026, 2, 9, 16, 30, tzinfo=UTC)
    assert plus_working_days(late, 7) == at("2026-02-26", "00:30")


def test_results_are_in_shanghai_whatever_the_offset_of_the_start() -> None:
    start = datetime(2026, 4, 14, 3, 0, tzinfo=UTC)
    for plus in PLUS:
        assert plus(start, 1).tzinfo is SHANGHAI
    assert plus_hours(start, 0).isoformat() == "2026-04-14T11:00:00+08:00"


def test_hours_are_elapsed_and_days_keep_the_clock_across_the_summer_time_of_1986() -> None:
    start = datetime(1986, 5, 3, 12, 0, tzinfo=SHANGHAI)
    assert plus_days(start, 1).hour == 12
    assert plus_hours(start, 24).hour == 13


def test_zero_days_after_the_repeated_hour_of_1986_is_that_very_moment() -> None:
    twice = datetime(1986, 9, 13, 17, 30, tzinfo=UTC)
    assert plus_days(twice, 0).astimezone(UTC) == twice


def test_a_month_without_the_day_ends_on_its_last_day() -> None:
    assert plus_months(at("2026-08-31"), 6) == at("2027-02-28")
    assert plus_months(at("2026-12-15"), 1) == at("2027-01-15")
    assert plus_years(at("2024-02-29"), 3) == at("2027-02-28")
    assert plus_years(at("2024-02-29"), 4) == at("2028-02-29")


@pytest.mark.parametrize("plus", [*PLUS, plus_working_days])
def test_a_naive_start_and_a_negative_number_are_value_errors(plus: Callable[..., datetime]) -> None:
    with pytest.raises(ValueError):
        plus(datetime(2026, 1, 1), 1)
    with pytest.raises(ValueError):
        plus(at("2026-01-01"), -1)


def test_a_working_day_beyond_the_published_calendar_is_unknown_and_the_year_is_named_in_both_languages() -> None:
    with pytest.raises(CalendarUnknown) as caught:
        plus_working_days(at(f"{LAST_YEAR}-12-31"), 1)
    assert str(UNKNOWN) in caught.value.en and str(UNKNOWN) in caught.value.zh


def test_the_last_covered_days_are_still_answered() -> None:
    assert plus_working_days(at("2026-12-30"), 1) == at("2026-12-31")
    assert plus_working_days(at(f"{UNKNOWN}-06-01"), 0) == at(f"{UNKNOWN}-06-01")


def test_before_the_first_calendar_the_working_day_is_unknown_too() -> None:
    with pytest.raises(CalendarUnknown, match="2003"):
        plus_working_days(at("2003-05-05"), 1)


@pytest.mark.parametrize("plus", PLUS)
def test_the_end_of_all_dates_is_an_answer_and_not_a_crash(plus: Callable[..., datetime]) -> None:
    with pytest.raises(CalendarUnknown, match="9999"):
        plus(at("9999-12-31", "23:30"), 9999)


def test_a_moment_that_is_past_9999_in_shanghai_is_unknown() -> None:
    with pytest.raises(CalendarUnknown, match="9999"):
        plus_days(datetime(9999, 12, 31, 23, 0, tzinfo=UTC), 0)


# --- the spans of scenario steps


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("0h", "2026-09-24T10:00:00+08:00"),
        ("3h", "2026-09-24T13:00:00+08:00"),
        ("2d", "2026-09-26T10:00:00+08:00"),
        ("7wd", "2026-10-12T10:00:00+08:00"),
    ],
)
def test_a_span_is_hours_days_or_working_days(text: str, end: str) -> None:
    assert after(at("2026-09-24"), text).isoformat() == end


@pytest.mark.parametrize(
    "text", ["", "3", "h", "-1d", "+1d", "1.5h", "3 h", " 3h", "3h\n", "3H", "3w", "3m", "99999d", "３h", "3h2d", "٣d"]
)
def test_any_other_span_is_an_input_error_with_a_remedy(text: str) -> None:
    with pytest.raises(InputError) as caught:
        after(at("2026-09-24"), text)
    assert "5wd" in caught.value.en and "5wd" in caught.value.zh
    assert repr(text) in caught.value.en


# --- records and editions


def test_overlap_within_one_id_and_rank_is_an_error() -> None:
    old = record(to=date(2026, 4, 15))
    new = record(from_=date(2026, 4, 15))
    with pytest.raises(ValueError, match="overlap"):
        Edition("e", (new, old))
    Edition("e", (new, replace(old, to=date(2026, 4, 14))))


def test_duplicates_and_open_records_of_one_rank_overlap() -> None:
    for other in (record(), record(value=2), record(from_=date(2021, 1, 1)), record(from_=None)):
        with pytest.raises(ValueError, match="overlap"):
            Edition("e", (record(), other))


def test_a_record_within_a_longer_one_is_an_overlap_although_another_lies_between() -> None:
    inner = [record(from_=date(year, 1, 1), to=date(year, 12, 31)) for year in (2021, 2022)]
    with pytest.raises(ValueError, match="overlap"):
        Edition("e", (record(to=date(2030, 1, 1)), *inner))


def test_records_of_different_rank_or_id_may_overlap() -> None:
    Edition("e", (*(record(rank=rank) for rank in RANKS), record(id="y")))


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "week"}, {"rank": "custom"}, {"applies_by": "moon"}, {"certainty": "D"}, {"value": 0},
        {"to": date(2019, 12, 31)},
    ],
)  # fmt: skip
def test_a_record_outside_the_vocabulary_is_an_error(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        record(**changes)


def test_records_and_editions_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        CURRENT.records[0].value = 1  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        CURRENT.id = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("day", "rank", "value", "unit"),
    [
        ("2024-06-30", "rule", 45, "working_day"),
        ("2024-07-01", "regulation", 60, "day"),
        ("2026-04-14", "regulation", 60, "day"),
        ("2026-04-15", "regulation", 60, "day"),
    ],
)
def test_the_regulation_outranks_the_order_on_mediation_from_its_first_day(
    day: str, rank: str, value: int, unit: str
) -> None:
    record = CURRENT.governing("mr12315.mediate", date.fromisoformat(day))
    assert (record.rank, record.value, record.unit) == (rank, value, unit)


def test_by_rank_rule_alone_mediation_changes_on_2026_04_15() -> None:
    assert CURRENT.governing("mr12315.mediate", date(2026, 4, 14), rank="rule").value == 45
    assert CURRENT.governing("mr12315.mediate", date(2026, 4, 15), rank="rule").value == 60
    assert CURRENT.due("mr12315.mediate", at("2026-04-14"), rank="rule").day == date(2026, 6, 18)
    assert FIRST.due("mr12315.mediate", at("2026-04-14"), rank="rule").at == at("2026-06-18")


@pytest.mark.parametrize("rule", ["complaint.limitation", "mr12315.accept", "tipoff.check"])
def test_the_clause_changes_with_the_order_although_the_figure_does_not(rule: str) -> None:
    old, new = CURRENT.governing(rule, date(2026, 4, 14)), CURRENT.governing(rule, date(2026, 4, 15))
    assert (old.value, old.unit) == (new.value, new.unit)
    assert "第20号" in old.clause and "第121号" in new.clause


def test_the_day_in_force_is_the_local_day_of_shanghai() -> None:
    eve = datetime(2024, 6, 30, 15, 59, tzinfo=UTC)
    assert CURRENT.governing("mr12315.mediate", eve).value == 45
    assert CURRENT.governing("mr12315.mediate", eve + timedelta(minutes=1)).value == 60


def test_before_the_first_record_the_earliest_one_governs() -> None:
    assert CURRENT.governing("mr12315.mediate", date(2019, 3, 28)).value == 45
    assert CURRENT.governing("dispute.suspend.police", date(2019, 3, 28)).from_ == date(2025, 8, 15)


def test_of_two_earliest_records_the_higher_rank_governs_before_both() -> None:
    both = Edition("e", (record(rank="platform"), record(rank="law")))
    assert both.governing("x", date(2001, 1, 1)).rank == "law"


def test_an_unknown_rule_and_one_that_ended_are_key_errors() -> None:
    with pytest.raises(KeyError):
        CURRENT.governing("no.such.rule", date(2026, 1, 1))
    with pytest.raises(KeyError, match="2022-01-01"):
        Edition("e", (record(to=date(2021, 12, 31)),)).governing("x", date(2022, 1, 1))


def test_a_naive_datetime_does_not_choose_a_record() -> None:
    with pytest.raises(ValueError):
        CURRENT.governing("mr12315.mediate", datetime(2026, 1, 1))


#: What the law dropped without putting anything in its place, and its last day.
ENDED = {"tipoff.tell_decision": date(2026, 4, 14)}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_governed_on_every_day_on_which_a_record_begins_or_ends(rule: str) -> None:
    days = {day for r in CURRENT.records for day in (r.from_, r.to) if day}
    for day in days | {date.min, date.max}:
        if day <= ENDED.get(rule, date.max):
            assert CURRENT.governing(rule, day).id == rule
        else:
            with pytest.raises(KeyError):
                CURRENT.governing(rule, day)


def test_a_due_date_carries_its_figure_and_clause() -> None:
    due = FIRST.due("mr12315.accept", at("2026-02-10"))
    assert due.at == at("2026-02-26")
    assert (due.rule, due.value, due.unit, due.certainty, due.provisional) == (
        "mr12315.accept", 7, "working_day", "A", False,
    )  # fmt: skip
    assert "第121号" not in due.clause


def test_on_chooses_the_record_and_start_the_first_day() -> None:
    start = at("2026-04-14")
    assert "第121号" in CURRENT.due("mr12315.accept", start, on=date(2026, 4, 15)).clause
    assert CURRENT.due("mr12315.mediate", start, on=date(2024, 6, 30)).day == date(2026, 6, 18)


@pytest.mark.parametrize(
    ("rule", "start", "end"),
    [
        ("platform.reply", "2026-09-24", "2026-09-25"),
        ("no_reason_return.window", "2026-09-24", "2026-10-01"),
        ("dispute.suspend.police", "2026-08-31", "2027-02-28"),
        ("suit.limitation", "2024-02-29", "2027-02-28"),
    ],
)
def test_in_the_first_edition_each_unit_ends_at_the_clock_time_at_which_it_began(rule: str, start: str, end: str) -> None:
    due = FIRST.due(rule, at(start))
    assert due.at == at(end) and not due.provisional


def test_beyond_the_calendar_the_due_date_is_provisional_and_counts_monday_to_friday() -> None:
    start = at(f"{UNKNOWN}-03-01")
    due = CURRENT.due("mr12315.accept", start)
    assert due.provisional
    days = [start + timedelta(days=n) for n in range(1, 20)]
    assert due.day == [day for day in days if day.weekday() < 5][6].date()


def test_an_estimate_uses_the_published_days_as_far_as_they_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def until_2026(day: date) -> tuple[bool | None, bool]:
        return None if day.year > 2026 else day != date(2026, 12, 31) and day.weekday() < 5, False

    monkeypatch.setattr(calendar, "_published", until_2026)
    assert estimate_working_days(at("2026-12-29"), 2) == at("2027-01-01")


def test_a_due_date_within_the_calendar_is_not_provisional_on_its_last_working_day() -> None:
    seven_before = [day for day in sorted(_working_days(LAST_YEAR))][-8]
    assert not CURRENT.due("mr12315.accept", at(seven_before.isoformat())).provisional
    assert CURRENT.due("mr12315.accept", at(f"{LAST_YEAR}-12-31")).provisional


def _working_days(year: int) -> list[date]:
    return list(chinese_calendar.get_workdays(date(year, 1, 1), date(year, 12, 31)))


def test_the_unverified_reply_of_the_platform_says_so() -> None:
    record = CURRENT.governing("platform.reply", date(2026, 1, 1))
    assert (record.rank, record.certainty, record.from_, record.to) == ("seed", "C", None, None)
    assert "未核实" in record.zh and "unverified" in record.en
    assert "通常为24小时内回复" in record.clause


def test_every_record_speaks_both_languages_and_names_its_clause() -> None:
    for r in {record for held in EDITIONS.values() for record in held.records}:
        assert re.search("[\u4e00-\u9fff]", r.zh) and r.zh.endswith("。")
        assert not re.search("[\u4e00-\u9fff]", r.en) and r.en.endswith(".")
        assert r.clause


def test_the_digest_is_of_the_records_and_not_of_their_order() -> None:
    assert Edition("other", tuple(reversed(CURRENT.records))).digest == CURRENT.digest
    for changes in ({"value": 4}, {"roll": "holiday"}, {"starts": "next_midnight"}, {"extension": 9}):
        changed = replace(CURRENT.records[0], **changes)  # type: ignore[arg-type]
        assert Edition("2026-11", (changed, *CURRENT.records[1:])).digest != CURRENT.digest, changes
    assert Edition("other", CURRENT.records, whole_days=False).digest != CURRENT.digest


def test_a_misprint_in_a_sentence_can_be_mended() -> None:
    mended = replace(CURRENT.records[0], zh="改正。", en="Mended.")
    assert Edition("other", (mended, *CURRENT.records[1:])).digest == CURRENT.digest


@pytest.mark.parametrize(("id", "digest"), [
    ("2026-11", "fc50101787a378be21a90104534c6120bd26edb20def513181135df4c46bc9d1"),
])
def test_a_published_edition_never_changes(id: str, digest: str) -> None:
    """Cases pin this digest: for a change add an edition, do not edit one."""
    assert EDITIONS[id].digest == digest


def test_editions_are_found_by_id() -> None:
    assert edition("2026-11.2") is CURRENT and pinned("2026-11") is FIRST
    assert list(EDITIONS) == ["2026-11", "2026-11.2"]
    assert edition("1999-01") is None
    assert all(id == found.id for id, found in EDITIONS.items())


def test_importing_the_rulebook_does_not_import_the_holiday_table() -> None:
    code = "import sys, casework.rulebook.edition; sys.exit('chinese_calendar' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the second edition: whole days, rolls, extensions


def ends(due: Due) -> str:
    """The last day of a limit of days, the last moment of one of hours."""
    return due.day.isoformat() if due.day else due.at.isoformat()


GOLDEN = [
    # rule, rank, start, end
    ("mr12315.accept", None, "2026-02-10", "2026-02-26"),
    ("mr12315.accept", None, "2026-04-15", "2026-04-24"),
    ("mr12315.accept", None, "2026-09-24", "2026-10-12"),
    ("mr12315.accept", None, "2026-09-30", "2026-10-15"),
    ("mr12315.accept", None, "2026-11-22", "2026-12-01"),
    ("mr12315.mediate", None, "2024-06-30", "2024-08-30"),
    ("mr12315.mediate", None, "2024-07-01", "2024-08-30"),
    ("mr12315.mediate", None, "2026-04-14", "2026-06-13"),
    ("mr12315.mediate", None, "2026-04-15", "2026-06-14"),
    ("mr12315.mediate", "rule", "2026-04-14", "2026-06-18"),
    ("mr12315.mediate", "rule", "2026-04-15", "2026-06-14"),
    ("no_reason_return.window", None, "2026-02-08", "2026-02-24"),
    ("no_reason_return.window", None, "2026-09-24", "2026-10-08"),
    ("no_reason_return.window.taobao", None, "2026-02-08", "2026-02-16T00:00:00+08:00"),
    ("no_reason_return.window.taobao", None, "2026-09-24", "2026-10-02T00:00:00+08:00"),
    ("merchant.response", None, "2026-02-08", "2026-02-10T10:00:00+08:00"),
    ("platform.penalty_publish", None, "2026-09-30", "2026-10-08"),
    ("durable.reverse_burden", None, "2025-08-31", "2026-02-28"),
    ("dispute.suspend.police", None, "2026-04-30", "2026-10-30"),
    ("consumer_assoc.accept.zj", None, "2026-02-10", "2026-02-24"),
    ("tipoff.check", None, "2026-02-10", "2026-03-09"),
]


@pytest.mark.parametrize(("rule", "rank", "start", "end"), GOLDEN)
def test_golden_dates(rule: str, rank: Any, start: str, end: str) -> None:
    due = CURRENT.due(rule, at(start), rank=rank)
    assert ends(due) == end and not due.provisional
    if due.day:
        assert due.at == at(end, "23:59").replace(second=59, microsecond=999_999)


@pytest.mark.parametrize(("roll", "end"), [
    (None, "2026-10-04"), ("none", "2026-10-04"), ("holiday", "2026-10-08"), ("rest_day", "2026-10-08"),
])
def test_which_last_day_moves_can_be_read_otherwise(roll: Any, end: str) -> None:
    assert ends(CURRENT.due("mr12315.mediate", at("2026-08-05"), roll=roll)) == end


def test_a_plain_sunday_moves_as_a_rest_day_and_stays_as_no_holiday() -> None:
    start = at("2026-04-15")
    assert ends(CURRENT.due("mr12315.mediate", start, roll="holiday")) == "2026-06-14"
    assert ends(CURRENT.due("mr12315.mediate", start, roll="rest_day")) == "2026-06-15"


def test_a_make_up_saturday_is_no_day_of_rest() -> None:
    assert ends(CURRENT.due("no_reason_return.window", at("2026-02-07"))) == "2026-02-14"


def test_what_was_counted_and_what_was_passed_over_is_told() -> None:
    due = CURRENT.due("mr12315.accept", at("2026-02-10"))
    assert [day.isoformat()[5:] for day in due.counted] == ["02-11", "02-12", "02-13", "02-14", "02-24", "02-25", "02-26"]
    assert [(s.first.isoformat()[5:], s.last.isoformat()[5:], s.why) for s in due.not_counted] == [("02-15", "02-23", "holiday")]
    rolled = CURRENT.due("no_reason_return.window", at("2026-02-08"))
    assert rolled.counted == tuple(date(2026, 2, day) for day in range(9, 16))
    assert [(s.first.day, s.last.day, s.why) for s in rolled.not_counted] == [(15, 23, "rolled")]
    weekends = CURRENT.due("mr12315.accept", at("2026-04-15"))
    assert [(s.first.day, s.last.day, s.why) for s in weekends.not_counted] == [(18, 19, "weekend")]
    months = CURRENT.due("dispute.suspend.police", at("2026-04-30"))
    assert months.counted == (date(2026, 5, 1), date(2026, 10, 30))
    hours = CURRENT.due("no_reason_return.window.taobao", at("2026-02-08"))
    assert hours.counted == (at("2026-02-09", "00:00"), at("2026-02-16", "00:00"))


def test_the_regulation_says_what_it_overrides() -> None:
    before = CURRENT.due("mr12315.mediate", at("2024-06-30"))
    after_ = CURRENT.due("mr12315.mediate", at("2024-07-01"))
    assert (before.value, before.unit, before.rank, before.overrides) == (45, "working_day", "rule", ())
    assert (after_.value, after_.unit, after_.rank) == (60, "day", "regulation")
    assert [(r.value, r.unit, r.rank) for r in after_.overrides] == [(45, "working_day", "rule")]
    assert CURRENT.overridden("mr12315.mediate", date(2024, 7, 1)) == after_.overrides
    assert CURRENT.due("mr12315.mediate", at("2024-07-01"), rank="rule").overrides == ()


def test_an_extension_is_told_beside_the_limit() -> None:
    due = CURRENT.due("tipoff.check", at("2026-02-10"))
    assert due.extended and ends(due.extended) == "2026-03-30"
    assert (due.value, due.extended.value) == (15, 30)
    assert CURRENT.due("mr12315.accept", at("2026-02-10")).extended is None


def test_a_last_day_that_no_calendar_covers_is_provisional_where_it_might_move() -> None:
    start = at("2024-02-29")
    assert CURRENT.due("suit.limitation", start).provisional
    assert not CURRENT.due("data.retention", start).provisional
    assert ends(CURRENT.due("suit.limitation", start)) == "2027-03-01", "the 28th is a Sunday"


def test_before_a_rule_was_in_force_the_answer_says_so() -> None:
    assert not CURRENT.due("ship.within", at("2019-03-04")).in_force
    assert CURRENT.due("ship.within", at("2026-03-04")).in_force


def test_taobao_rules_go_by_the_day_of_the_decision_and_statutes_by_the_act() -> None:
    old, new = record(to=date(2025, 9, 4)), record(value=2, from_=date(2025, 9, 5))
    when = Dates(act=date(2025, 9, 1), filing=date(2025, 9, 4), decision=date(2025, 9, 5))
    for applies_by, value in (("act", 1), ("filing", 1), ("decision", 2)):
        rules = Edition("e", tuple(replace(r, applies_by=applies_by) for r in (old, new)))  # type: ignore[arg-type]
        assert rules.governing("x", when).value == value
        assert rules.due("x", at("2025-09-01"), on=when).value == value


def test_a_date_that_is_not_known_is_stood_for_by_the_nearest_known_one() -> None:
    act, filing = date(2025, 1, 1), date(2025, 2, 2)
    assert Dates(act, filing).by("decision") == filing
    assert Dates(act).by("filing") == act
    assert Dates(decision=at("2025-03-03")).by("act") == date(2025, 3, 3)
    with pytest.raises(ValueError):
        Dates()


def test_a_limit_is_no_money_and_money_no_limit() -> None:
    with pytest.raises(ValueError, match="sum of money"):
        CURRENT.due("fraud.multiple", at("2026-01-01"))
    with pytest.raises(ValueError, match="limit of time"):
        CURRENT.amount("mr12315.accept", Decimal(1), date(2026, 1, 1))


def test_a_rank_that_a_rule_does_not_have_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="rank law"):
        CURRENT.governing("mr12315.mediate", date(2026, 1, 1), rank="law")


#: The figures of the sources that a case can meet, as ``id rank from``: value and unit.
TABLE = """
no_reason_return.window law 2014-03-15: 7 day
no_reason_return.window rule 2017-03-15: 7 day
no_reason_return.window.taobao platform None: 168 hour
refund.after_goods_back law 2014-03-15: 7 day
defect_return.window law 2014-03-15: 7 day
durable.reverse_burden law 2014-03-15: 6 month
unreasonable_refusal rule 2015-03-15: 15 day
mr12315.accept rule 2020-01-01: 7 working_day
mr12315.accept rule 2026-04-15: 7 working_day
mr12315.mediate rule 2020-01-01: 45 working_day
mr12315.mediate regulation 2024-07-01: 60 day
mr12315.mediate rule 2026-04-15: 60 day
mr12315.notify_end rule 2020-01-01: 7 working_day
mr12315.notify_end rule 2026-04-15: 7 working_day
tipoff.check rule 2020-01-01: 15 working_day
tipoff.check rule 2026-04-15: 15 working_day
complaint.limitation rule 2020-01-01: 3 year
suit.limitation law 2017-10-01: 3 year
suit.limitation law 2021-01-01: 3 year
consumer_assoc.accept.zj local 2017-05-01: 5 working_day
consumer_assoc.mediate.zj local 2017-05-01: 10 working_day
courier.complaint regulation 2018-05-01: 7 day
courier.complaint regulation 2025-06-01: 7 day
fraud.multiple law 2014-03-15: 3 times
food.multiple law 2015-10-01: 10 times
late_ship.48h platform 2025-09-05: 1 percent
late_ship.over_48h platform 2025-09-05: 5 percent
no_stock.48h platform 2025-09-05: 10 percent
dispute.suspend.self_settle platform 2025-08-15: 30 day
dispute.suspend.court_proof platform 2025-08-15: 7 working_day
dispute.suspend.police platform 2025-08-15: 6 month
platform.rule_notice law 2019-01-01: 7 day
platform.rule_notice.major rule 2026-02-01: 15 day
platform.penalty_publish rule 2021-05-01: 1 working_day
data.retention law 2019-01-01: 3 year
platform.reply seed None: 24 hour
merchant.response platform None: 48 hour
return.shipping platform None: 7 day
return.confirm platform None: 10 day
ruling.objection seed None: 7 day
evidence.fresh_food platform None: 48 hour
evidence.flowers platform None: 48 hour
evidence.jewellery platform None: 48 hour
after_sales.window platform None: 15 day
postal.appeal rule None: 1 year
promised.fake_one_pay_three platform None: 3 times
promised.fake_one_pay_four platform None: 4 times
promised.mismatch platform None: 1 times
damage_cover platform None: 60 percent
return_freight_cover platform None: 1 times
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines())
def test_the_figures_of_the_sources(row: str) -> None:
    key, _, figure = row.partition(": ")
    held = {f"{r.id} {r.rank} {r.from_}": f"{r.value} {r.unit}" for r in CURRENT.records}
    assert held[key] == figure


def test_statutory_multiples_are_not_for_the_platform_to_award_and_promises_are() -> None:
    on = date(2026, 3, 1)
    for rule in ("fraud.multiple", "food.multiple", "food.loss_multiple", "injury.punitive_max"):
        assert "platform" not in CURRENT.governing(rule, on).awarded_by
    for rule in ("promised.fake_one_pay_three", "late_ship.48h", "no_stock.48h", "damage_cover"):
        assert "platform" in CURRENT.governing(rule, on).awarded_by


def test_what_nobody_could_verify_says_so_in_both_languages() -> None:
    unsure = [r for held in EDITIONS.values() for r in held.records if r.unverified]
    assert len(unsure) > 8
    for r in unsure:
        assert "未核实" in r.zh and "unverified" in r.en, r.id


def test_what_differs_between_two_days_is_told_for_each_rank() -> None:
    found = {(b or a).id: (a, b) for a, b in CURRENT.diff(date(2026, 4, 14), date(2026, 4, 15))}  # type: ignore[union-attr]
    assert set(found) == {"complaint.limitation", "mr12315.accept", "mr12315.mediate", "mr12315.notify_end", "tipoff.check",
                          "tipoff.tell_decision"}
    before, after_ = found["mr12315.mediate"]
    assert before and after_ and (before.rank, before.value, after_.value) == ("rule", 45, 60)
    assert found["tipoff.tell_decision"][1] is None
    assert list(CURRENT.diff(date(2026, 4, 15), date(2026, 4, 15))) == []


def test_reading_the_rulebook_is_quick() -> None:
    """Opening a case reads it; measured in a process of its own, the best of three so that a busy machine is no failure."""
    code = ("import time, yaml; from casework.rulebook import edition as e; t = time.perf_counter(); e.current().digest; "
            "print(time.perf_counter() - t)")
    took = [float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
            for _ in range(3)]
    assert min(took) < 0.15


def test_importing_the_editions_reads_no_file() -> None:
    code = "import sys, casework.rulebook.edition; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- properties

starts = st.datetimes(datetime(2004, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))
counts = st.integers(0, 400)


@pytest.mark.parametrize("plus", PLUS)
@given(start=starts, few=counts, more=counts)
def test_a_longer_limit_never_ends_earlier_and_none_ends_before_it_starts(
    plus: Callable[..., datetime], start: datetime, few: int, more: int
) -> None:
    few, more = sorted((few, more))
    assert start <= plus(start, few) <= plus(start, more)
    assert plus(start, 0) == start


@pytest.mark.parametrize("plus", PLUS)
@given(one=starts, two=starts, n=counts)
def test_what_starts_later_never_ends_on_an_earlier_day(
    plus: Callable[..., datetime], one: datetime, two: datetime, n: int
) -> None:
    one, two = sorted((one, two))
    assert plus(one, n).date() <= plus(two, n).date()


@given(start=starts, n=st.integers(1, 60))
def test_working_days_end_on_a_working_day_at_the_same_clock_or_are_unknown(start: datetime, n: int) -> None:
    try:
        end = plus_working_days(start, n)
    except CalendarUnknown:
        assert estimate_working_days(start, n).year > LAST_YEAR
    else:
        assert calendar.is_working_day(end.date())
        assert end.timetz() == start.astimezone(SHANGHAI).timetz()
        assert end == estimate_working_days(start, n)


@given(rule=st.sampled_from(LIMITS), start=starts)
def test_no_limit_of_the_edition_ends_before_it_starts(rule: str, start: datetime) -> None:
    due = CURRENT.due(rule, start, on=date(2024, 7, 1))
    assert due.at > start
    assert due.at.tzinfo is SHANGHAI


@given(n=st.integers(0, 9999), unit=st.sampled_from(["h", "d"]))
def test_a_written_span_means_what_the_arithmetic_means(n: int, unit: str) -> None:
    start = at("2026-04-14")
    assert after(start, f"{n}{unit}") == {"h": plus_hours, "d": plus_days}[unit](start, n)


def test_the_local_day_is_that_of_the_local_time_also_in_the_years_of_summer_time() -> None:
    random = Random(3)
    for _ in range(3000):
        moment = datetime(1900, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(300 * 365 * 86400))
        assert calendar.local_day(moment) == calendar.local(moment).date()
    for year in range(1986, 1993):
        for hour in range(0, 366 * 24):
            moment = datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
            assert calendar.local_day(moment) == calendar.local(moment).date()
    with pytest.raises(ValueError):
        calendar.local_day(datetime(2026, 1, 1))
    with pytest.raises(CalendarUnknown):
        calendar.local_day(datetime(9999, 12, 31, 23, tzinfo=UTC))


@pytest.mark.parametrize("name", EDITIONS)
def test_a_limit_that_is_kept_by_the_day_is_the_one_reckoned_from_the_moment_itself(name: str) -> None:
    edition, random = EDITIONS[name], Random(4)
    for rule in edition.rules():
        if not edition.of(rule)[0].counts_time:
            continue
        for _ in range(20):
            start = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(8 * 365 * 86400))
            try:
                here = edition._ends(rule, start, None, None, None)
            except KeyError:
                continue
            assert edition.due(rule, start) == here
            assert limits.limit(edition, rule, start) == limits._limit(edition, rule, start)
            assert limits.limit(edition, rule, start).at == here.at
