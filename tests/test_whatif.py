"""What if: the same case on another way. What is not changed goes as recorded, time acts by itself, and nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import CHINESE, casework
from domain_helpers import actor, case_in, command, given_case, ruling
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from recorded import NAMES, faults, golden, golden_copy, prints, recorded, row_of, store_of

from casework.application import whatif
from casework.application.whatif import Branch, Given, OnDay, live, outcome, recorded_steps
from casework.domain import events as e
from casework.domain.commands import MissDuty
from casework.domain.fold import fold
from casework.rulebook.edition import current, pinned

pytestmark = pytest.mark.stores

ALL = {**{name: recorded(name) for name in NAMES}, **golden()}
OFTEN = settings(max_examples=150, deadline=None, database=None, derandomize=True)


def branch(events: Sequence[e.Event], *, upto: int | None = None, without: Sequence[int] = (), **how: Any) -> Branch:
    opening = events[0]
    assert isinstance(opening, e.CaseOpened)
    return live(opening, recorded_steps(events, upto, without), pinned, **how)


def on_day(events: Sequence[e.Event], day: str, **how: Any) -> Branch:
    opening = events[0]
    assert isinstance(opening, e.CaseOpened)
    rules = date.fromisoformat(day)
    return live(opening, recorded_steps(events, **how), lambda name: OnDay(pinned(name), rules), other_rules=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, engine: str) -> str:
    return store_of(tmp_path_factory.mktemp("whatif") / "s.db", ["juicer", "mediation_of_the_old_law", "merchant_blacklisted"])


def what_if(store: str, *argv: str, case: str = "juicer") -> dict[str, Any]:
    found: dict[str, Any] = casework("what-if", case, "--store", store, "--json", *argv).ok().document()
    return found


def new(view: dict[str, Any]) -> dict[str, Any]:
    """The one step of a branch that nobody recorded and time did not do."""
    [step] = [step for step in view["steps"] if step["source"] == "new"]
    found: dict[str, Any] = step
    return found


# --- what is not changed ---------------------------------------------------------------------------------------------


@pytest.mark.file
@pytest.mark.parametrize("name", sorted(ALL))
def test_a_branch_that_changes_nothing_ends_as_recorded_and_refuses_nothing(name: str) -> None:
    events = ALL[name]
    lived, facts = branch(events), fold(events)
    assert [step.refused for step in lived.steps] == [[] for _ in events[1:]]
    assert [step.version for step in lived.steps] == [event.originator_version for event in events[1:]]
    now = facts.at + timedelta(days=30)
    assert outcome(lived.facts, now) == outcome(facts, now)
    assert lived.facts.lifecycle == facts.lifecycle, "also a case of an earlier lifecycle goes on by its own"


@pytest.mark.file
@pytest.mark.parametrize("name", sorted(ALL))
def test_its_events_are_those_recorded_down_to_deadlines_and_bases(name: str) -> None:
    def bare(event: e.Event) -> e.Event:
        return replace(event, command_id="-", recorded_at=event.at)

    assert [bare(event) for event in branch(ALL[name]).events] == [bare(event) for event in ALL[name]]


@pytest.mark.file
@given(st.data())
@OFTEN
def test_what_came_later_than_the_version_is_left_out(data: st.DataObject) -> None:
    events = ALL[data.draw(st.sampled_from(sorted(ALL)))]
    upto = data.draw(st.integers(1, len(events)))
    lived, then = branch(events, upto=upto), fold(events[:upto])
    assert outcome(lived.facts, then.at) == outcome(then, then.at)
    assert lived.facts.version == upto


def test_a_case_recorded_long_after_it_happened_can_be_lived_again(tmp_path: Path) -> None:
    # The opening is recorded today and happened in 2026: its branch happens in 2026 too.
    url = str(tmp_path / "s.db")
    from cli_helpers import given_case as opened

    opened(steps=3, store=url)
    view = what_if(url, case="K-1")
    assert view["differs"] == [] and all(not step["refused"] for step in view["steps"])


@pytest.mark.file
@pytest.mark.parametrize("argv", [
    ("what-if", "juicer"), ("what-if", "juicer", "--without", "10"), ("what-if", "juicer", "--at", "3", "--json"),
    ("what-if", "juicer", "--at", "8", "--until", "2030-01-01T00:00:00+08:00"), ("rules", "impact", "2026-11"),
    ("what-if", "juicer", "--rules", "2026-04-15"),
    ("what-if", "juicer", "--at", "8", "--do", "give_up by=consumer after=1h"),
])
def test_nothing_is_written_whatever_is_asked(argv: tuple[str, ...], store: str, tmp_path: Path) -> None:
    shutil.copy(store, tmp_path / "s.db")
    url = str(tmp_path / "s.db")
    before = prints(tmp_path)
    casework(*argv, "--store", url).ok()
    assert prints(tmp_path) == before


@pytest.mark.file
def test_the_store_may_be_one_that_nobody_may_write(store: str, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    shutil.copy(store, folder / "s.db")
    (folder / "s.db").chmod(0o444)
    before = prints(folder)
    casework("what-if", "juicer", "--without", "10", "--store", str(folder / "s.db")).ok()
    assert prints(folder) == before


# --- another way -----------------------------------------------------------------------------------------------------


def test_without_the_refusal_the_juicer_is_taken_as_agreed_and_lapses_as_the_goods_never_come(store: str) -> None:
    view = what_if(store, "--without", "10")
    assert (view["recorded"]["state"], view["what_if"]["state"]) == ("resolved", "lapsed")
    assert [(s["trigger"], s["state"]) for s in view["steps"] if s["source"] == "time"] == [
        ("deem_agreed", "remedy_due"), ("lapse", "lapsed")]
    assert {"state", "performed", "rulings"} <= set(view["differs"]) and "stage" not in view["differs"]
    assert (view["recorded"]["rulings"], view["what_if"]["rulings"]) == (1, 0)
    by_version = {s["version"]: s for s in view["steps"]}
    assert 10 not in by_version and 16 not in by_version, "what the system did for want of time is left to time"
    assert by_version[17]["refused"] == ["not_in_this_state"], "there is no review in which to rule"


@pytest.mark.parametrize(("lang", "words"), [
    ("en", ("steps:", "→ lapsed", "refused: not_in_this_state", "time  2019-03-31 20:00:00", "what if", "the merchant")),
    ("zh", ("步骤:", "→ 逾期关闭", "被拒绝: not_in_this_state", "到期  2019-03-31 20:00:00", "假如")),
])
def test_both_outcomes_stand_side_by_side_for_people(lang: str, words: tuple[str, ...], store: str) -> None:
    out = casework("what-if", "juicer", "--without", "10", "--store", store, lang=lang).ok().out
    for text in words:
        assert text in out
    assert bool(CHINESE.search(out)) == (lang == "zh")
    same = casework("what-if", "juicer", "--store", store, lang=lang).ok().out
    assert same.endswith("the outcome is the same\n" if lang == "en" else "结果相同\n")


def test_parts_of_a_remedy_that_differ_are_told_apart(store: str) -> None:
    step = ('external_award by=external:market_regulator after=2h remedy.kind=return_refund remedy.amount=1280.00 '
            'remedy.extra.0.kind=statutory_damages remedy.extra.0.amount=500.00 document=x')
    settle = step.replace("external_award", "settle_referral referral=R-1")
    out = casework("what-if", "mediation_of_the_old_law", "--at", "6", "--do", settle, "--do", step, "--store", store).ok().out
    [line] = [line for line in out.splitlines() if line.startswith("remedy ")]
    assert "damages ¥3840.00" in line and "damages ¥500.00" in line


def test_a_step_comes_after_a_span_from_the_step_before_or_at_a_time(store: str) -> None:
    view = what_if(store, "--at", "8", "--do", "give_up by=consumer after=3h")
    assert (new(view)["at"], new(view)["by"], new(view)["state"]) == ("2019-03-29T23:00:00+08:00", "consumer:C-1", "abandoned")
    view = what_if(store, "--at", "8", "--do", "give_up by=consumer at=2019-03-30T09:00:00+09:00")
    assert (new(view)["at"], view["what_if"]["state"]) == ("2019-03-30T08:00:00+08:00", "abandoned")


def test_a_new_step_may_hold_nested_fields_lists_and_quoted_text(store: str) -> None:
    ask = "ask_proof by=agent after=1h party=merchant kinds=test_certificate,purchase_voucher answer_by=2019-04-20T10:00:00+08:00"
    view = what_if(store, "--at", "13", "--do", ask)
    assert (new(view)["state"], view["what_if"]["duties"][-1]["duty"]) == ("awaiting_proof", "proof")
    by_number = ask.replace("kinds=test_certificate,purchase_voucher", "kinds.1=purchase_voucher kinds.0=test_certificate")
    assert what_if(store, "--at", "13", "--do", by_number)["what_if"] == view["what_if"]
    offer = "make_offer by=merchant after=1h remedy.kind=refund remedy.amount=100.00 'message=退 一百 元'"
    view = what_if(store, "--at", "8", "--do", offer, "--do", "accept_offer by=consumer after=1d")
    assert (view["what_if"]["state"], view["what_if"]["remedy"]["amount"]) == ("remedy_due", "100.00")
    assert [s["trigger"] for s in view["steps"] if s["source"] == "new"] == ["make_offer", "accept_offer"]


def test_a_new_step_that_is_refused_says_why_and_the_branch_goes_on(store: str) -> None:
    view = what_if(store, "--at", "13", "--do", "rule by=agent after=1h outcome=for_consumer findings=x clause=y",
                   "--do", "answer by=merchant after=1h statement=x")
    first, second = (step for step in view["steps"] if step["source"] == "new")
    assert {"not_heard", "remedy_missing"} <= set(first["refused"]) and first["state"] == "under_review"
    assert second["refused"] == []


def test_a_bare_role_is_whoever_the_branch_knows_by_then(store: str) -> None:
    view = what_if(store, "--at", "11", "--do", "accept_complaint by=agent:A-9 after=1h",
                   "--do", "reply by=agent after=1h message=x")
    assert [s["by"] for s in view["steps"][-2:]] == ["agent:A-9", "agent:A-9"]


def test_to_go_over_to_an_edition_that_there_is_not_is_refused_as_it_is_in_earnest(store: str) -> None:
    for edition, code in (("2099-01", "unknown_edition_named"), ("2026-11", "not_a_later_edition")):
        view = what_if(store, "--at", "8", "--do", f"adopt_edition by=supervisor after=1h edition={edition} reason=x")
        assert new(view)["refused"] == [code]


NO_STEP = ("is no step; write such as", "不是一步；请写如")


@pytest.mark.parametrize(("step", "english", "chinese"), [
    ("", *NO_STEP), ("give_up", *NO_STEP), ("give_up by=consumer", *NO_STEP), ("give_up after=1h", *NO_STEP),
    ("give_up by=consumer", "lacks a time (after=3d, or at=TIME)", "没有时间（after=3d，或 at=时间）"),
    ("give_up after=1h", "lacks who does it (by=ROLE)", "没有说明由谁（by=角色）"),
    ("give_up by=consumer after=1h at=2019-04-01T00:00:00+08:00", "has both after= and at=", "after= 和 at= 只能有一个"),
    ("give_up by=consumer after=1h message", *NO_STEP),
    ("give_up by=consumer after=1h =x", *NO_STEP), ("give_up by=consumer after=1h message='x", *NO_STEP),
    ("give_up by.role=consumer after=1h", *NO_STEP),
    ("give_up by=consumer at=2019-04-01T00:00:00", "write a time with its offset", "请写带时区的时间"),
    ("give_up by=consumer at=tomorrow", "write a time with its offset", "请写带时区的时间"),
    ("give_up by=consumer after=soon", "is no span of time", "不是可用的时间间隔"),
    ("give_up by=king after=1h", "--do give_up by: unknown role 'king'", "未知的角色“king”"),
    ("give_up by=external after=1h", "say which body", "请写明机构"),
    ("give_in by=consumer after=1h", "unknown trigger 'give_in'; did you mean 'give_up'?", "未知的步骤“give_in”"),
    ("give_up by=consumer after=1h mesage=x", "unknown field 'mesage'; did you mean 'message'?", "未知的字段“mesage”"),
    ("file by=consumer after=1h claim=refund", "'statement' is required", "缺少必填字段“statement”"),
    ("file by=consumer after=1h claim=moon statement=x",
     "--do file claim: unknown remedy 'moon'", "--do file claim：未知的处理方式“moon”"),
    ("give_up by=consumer by=merchant after=1h", "'by' is given twice", "“by”重复给出"),
])
def test_a_step_that_is_none_is_said_of_do_in_one_line(step: str, english: str, chinese: str, store: str) -> None:
    for lang, text in (("en", english), ("zh", chinese)):
        casework("what-if", "juicer", "--store", store, "--do", step, lang=lang).fails("--do", text)


@pytest.mark.parametrize(("argv", "english", "chinese"), [
    (("--at", "23"), "--at: case 'juicer' has only 22 versions", "--at：案件“juicer”只有 22 个版本"),
    (("--without", "99"), "--without: case 'juicer' has only 22 versions", "--without：案件“juicer”只有 22 个版本"),
    (("--at", "4", "--without", "23"), "--without: ", "--without："),
    pytest.param(("--at", "0"), "--at", "--at", marks=pytest.mark.file),
    pytest.param(("--without", "1"), "--without", "--without", marks=pytest.mark.file),
    pytest.param(("--at", "x"), "--at", "--at", marks=pytest.mark.file),
    (("--rules", "2026-4-1"), "--rules: '2026-4-1' is no day", "--rules：“2026-4-1”不是日期"),
    (("--rules", "2026-02-30"), "--rules: ", "--rules："), (("--rules", "２０２６-01-01"), "--rules: ", "--rules："),
    (("--until", "2026-01-01T00:00:00"), "--until: write a time with its offset", "--until：请写带时区的时间"),
])
def test_what_cannot_be_used_is_named_with_its_option(argv: tuple[str, ...], english: str, chinese: str, store: str) -> None:
    for lang, text in (("en", english), ("zh", chinese)):
        casework("what-if", "juicer", "--store", store, *argv, lang=lang).fails(text)


def test_the_last_version_is_one_of_them_and_the_opening_may_be_all_that_is_left(store: str) -> None:
    assert what_if(store, "--at", "22")["differs"] == []
    view = what_if(store, "--at", "1")
    assert (view["steps"], view["what_if"]["state"]) == ([], "discovered")


def test_an_unknown_case_and_a_merchant_are_one_line_and_status_two(store: str) -> None:
    casework("what-if", "K-9", "--store", store).fails("no case 'K-9'")
    casework("what-if", "merchant:M-53", "--store", store, lang="zh").fails("这是商家")


# --- other rules -----------------------------------------------------------------------------------------------------


@pytest.mark.file
@pytest.mark.parametrize(("day", "due", "unit", "clause"), [
    ("2024-06-30", "2024-05-09T23:59:59.999999+08:00", "working_day",
     "《市场监督管理投诉举报处理暂行办法》（总局令第20号）第21条"),
    ("2024-07-01", "2024-05-03T23:59:59.999999+08:00", "day", "《消费者权益保护法实施条例》（国务院令第778号）第46条"),
])
def test_by_the_rules_of_the_day_before_and_after_the_change_of_law_mediation_ends_otherwise(
    day: str, due: str, unit: str, clause: str
) -> None:
    for name in ("mediation_of_the_old_law", "mediation_of_the_new_law"):
        found = [d for d in on_day(recorded(name), day, upto=5).facts.duties.values() if d.kind == "referral_result"]
        assert [(d.due.unit, d.due.clause) for d in found] == [(unit, clause)]
        if name == "mediation_of_the_old_law":
            assert found[0].due.at == datetime.fromisoformat(due)


def test_by_the_new_law_the_settlement_of_the_sixty_third_day_came_too_late(store: str) -> None:
    after = what_if(store, "--rules", "2024-07-01", case="mediation_of_the_old_law")
    before = what_if(store, "--rules", "2024-06-30", case="mediation_of_the_old_law")
    assert [d["duty"] for d in after["what_if"]["missed"]] == ["referral_result"]
    assert before["what_if"]["missed"] == before["recorded"]["missed"] == []


@pytest.mark.file
def test_figures_too_are_those_of_the_day() -> None:
    # The rule on late shipment is there since 2025-09-05; before that its earliest record stands for it, so the sum is the same
    # and what differs is only what the day says: the day is handed on, not the time of the act.
    asked: list[Any] = []

    class Listening:
        id, digest = current().id, current().digest

        def amount(self, rule: str, price: Any, on: Any) -> None:
            asked.append((rule, price, on))

    OnDay(Listening(), date(2024, 1, 2)).amount("fraud.multiple", 1, datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]
    assert asked == [("fraud.multiple", 1, date(2024, 1, 2))]


@pytest.mark.file
@given(st.sampled_from(sorted(ALL)), st.dates(date(2000, 1, 1), date(2040, 1, 1)))
@OFTEN
def test_by_the_rules_of_any_day_every_case_can_be_lived(name: str, day: date) -> None:
    lived = on_day(ALL[name], day.isoformat())
    assert lived.facts.edition == fold(ALL[name]).edition, "the rules of another day are no other edition"


# --- time ------------------------------------------------------------------------------------------------------------


def test_until_its_last_moment_a_duty_runs_and_a_moment_later_time_acts(store: str) -> None:
    def at(until: str) -> str:
        found: str = what_if(store, "--at", "8", "--until", until)["what_if"]["state"]
        return found

    assert at("2019-03-31T20:00:00+08:00") == "awaiting_merchant"
    assert at("2019-03-31T20:00:00.000001+08:00") == "remedy_due"
    assert at("2019-06-01T00:00:00+08:00") == "lapsed"


def test_of_what_is_over_the_longest_due_comes_first(store: str) -> None:
    # The limitation is the older duty and due in 2022; the answer is due in 2019.
    view = what_if(store, "--at", "8", "--until", "2030-01-01T00:00:00+08:00")
    assert [(s["trigger"], s["at"]) for s in view["steps"] if s["source"] == "time"] == [
        ("deem_agreed", "2019-03-31T20:00:00.000001+08:00"), ("lapse", "2019-04-08T00:00:00+08:00")]


@pytest.mark.file
def test_from_a_recorded_step_that_would_not_be_allowed_on_the_branch_is_left_to_time() -> None:
    # As where the record was written past the commands: who ruled had no say, so the case goes on as if he had not.
    story = given_case().when("contact_merchant", message="退款", remedy={"kind": "refund", "amount": "100.00"})
    events: list[Any] = list(story.case.pending_events)
    at = story.clock
    unlawful = Given(command("rule", **ruling()), actor("merchant:M-1"), at + timedelta(hours=1), 3)
    later_on = Given(command("reply", message="还在吗"), actor("consumer:C-1"), at + timedelta(days=3), 4)
    lived = live(events[0], [*recorded_steps(events), unlawful, later_on], pinned)
    assert [(s.trigger, s.source) for s in lived.steps][2:] == [("deem_agreed", "time"), ("reply", "recorded")]
    assert lived.facts.state == "remedy_due"


def test_without_until_a_branch_ends_with_its_last_step(store: str) -> None:
    view = what_if(store, "--at", "8")
    assert (view["what_if"]["state"], view["steps"][-1]["version"]) == ("awaiting_merchant", 8)


@pytest.mark.parametrize(("lang", "words"), [
    ("en", ("--until: lies before the last step of the branch (2019-04-16 18:00:00+08:00)", "--at")),
    ("zh", ("--until：早于该分支的最后一步（2019-04-16 18:00:00+08:00）", "--at"))])
def test_a_time_before_the_branchs_last_step_is_refused_and_that_of_the_step_is_not(
        lang: str, words: tuple[str, ...], store: str) -> None:
    done = casework("what-if", "juicer", "--store", store, "--until", "2019-04-16T17:59:59+08:00", lang=lang)
    assert (done.status, done.out) == (2, "") and all(word in done.err for word in words)
    assert what_if(store, "--until", "2019-04-16T18:00:00+08:00")["what_if"]["state"] == "resolved"


def test_a_step_stands_where_its_time_is_and_what_follows_it_after_it(store: str) -> None:
    view = what_if(store, "--without", "10", "--do", "give_feedback by=consumer at=2019-03-30T09:00:00+08:00 score=2",
                   "--do", "give_feedback by=consumer after=2h score=3")
    told = [(s["source"], s["trigger"], s["at"]) for s in view["steps"]]
    place = told.index(("new", "give_feedback", "2019-03-30T09:00:00+08:00"))
    assert told[place + 1] == ("new", "give_feedback", "2019-03-30T11:00:00+08:00")
    assert told[place - 1][1] == "add_evidence" and told[place + 2][:2] == ("time", "deem_agreed")


def test_a_step_before_there_was_a_case_is_taken_as_it_is_opened(store: str) -> None:
    view = what_if(store, "--at", "8", "--do", "give_feedback by=consumer at=2001-01-01T00:00:00+08:00 score=1")
    assert new(view)["refused"] == [] and new(view)["at"] == "2019-03-04T11:00:00+08:00"


@pytest.mark.file
def test_a_step_of_the_system_that_was_no_matter_of_time_is_kept() -> None:
    story = case_in("under_review").heard().when("rule", "agent", **ruling()).when("execute_ruling", "system", after=1)
    events: list[Any] = list(story.case.pending_events)
    lived = branch(events, without=[3], other_rules=False)
    assert "execute_ruling" in [step.trigger for step in lived.steps if step.source == "recorded"]


def cut(data: st.DataObject) -> Branch:
    """A branch of any recorded case: up to anywhere, without anything, for as long as you like."""
    events = ALL[data.draw(st.sampled_from(sorted(ALL)), label="case")]
    upto = data.draw(st.integers(1, len(events)), label="upto")
    without = data.draw(st.sets(st.integers(2, len(events)), max_size=4), label="without")
    until = data.draw(st.none() | st.integers(0, 4000), label="days more")
    end = None if until is None else events[-1].at + timedelta(days=until)
    return branch(events, upto=upto, without=sorted(without), until=end)


@pytest.mark.file
@given(st.data())
@OFTEN
def test_in_no_branch_time_runs_backwards_and_every_step_is_told_once(data: st.DataObject) -> None:
    lived = cut(data)
    done = [step for step in lived.steps if not step.refused]
    assert [step.at for step in lived.steps] == sorted(step.at for step in lived.steps)
    assert [event.at for event in lived.events[1:]] == [step.at for step in done]
    assert [event.originator_version for event in lived.events] == list(range(1, len(done) + 2))
    assert fold(lived.events).state == lived.facts.state
    told = [step.version for step in lived.steps if step.version is not None]
    assert told == sorted(set(told))


@pytest.mark.file
@given(st.data())
@OFTEN
def test_whatever_happens_in_a_branch_is_lawful(data: st.DataObject) -> None:
    # Somebody may decide too late there as he may in life; nothing else may be found.
    assert {code for code, _ in faults(row_of(event) for event in cut(data).events)} <= {"decided_late"}


@pytest.mark.file
@given(st.data())
@OFTEN
def test_when_a_branch_ends_nothing_is_left_that_time_would_still_do(data: st.DataObject) -> None:
    events = ALL[data.draw(st.sampled_from(NAMES))]
    upto = data.draw(st.integers(1, len(events)))
    end = events[-1].at + timedelta(days=data.draw(st.integers(0, 4000)))
    lived = branch(events, upto=upto, until=end)
    assert [duty.id for duty in lived.facts.duties.values() if duty.is_late(end)] == []
    assert all(not step.refused for step in lived.steps if step.source == "time")


@pytest.mark.file
@pytest.mark.parametrize("name", NAMES)
def test_a_branch_left_to_time_for_ever_comes_to_rest(name: str) -> None:
    end = datetime(9000, 1, 1, tzinfo=UTC)
    for upto in range(1, len(recorded(name)) + 1):
        by_time = [step for step in branch(recorded(name), upto=upto, until=end).steps if step.source == "time"]
        assert len(by_time) < 20


@pytest.mark.file
def test_what_time_does_not_end_it_does_not_do_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[str] = []

    def give(run: Any, command: Any, by: Any, at: datetime, source: str, version: int | None) -> bool:
        ticks.append(source)
        return True  # and the duty is as late as before

    monkeypatch.setattr(whatif._Run, "give", give)
    branch(recorded("juicer"), upto=1, until=datetime(9000, 1, 1, tzinfo=UTC))
    assert ticks == ["time"]


@pytest.mark.file
def test_time_that_is_refused_is_told_and_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "follow", lambda facts, duty, at, edition: "close_proof")
    lived = branch(recorded("juicer"), upto=2, until=datetime(9000, 1, 1, tzinfo=UTC))
    assert [(s.trigger, s.source, s.refused) for s in lived.steps[1:]] == [("close_proof", "time", ["not_in_this_state"])]


@pytest.mark.file
def test_a_miss_that_was_recorded_happens_by_itself_in_a_branch_and_not_twice() -> None:
    events = recorded("mediation_of_the_new_law")
    assert isinstance(events[6].data, MissDuty)
    lived = branch(events, without=[3])
    misses = [step for step in lived.steps if step.trigger == "miss_duty"]
    assert all(step.source == "time" for step in misses)
    assert len({(d.kind, d.owes, d.since) for d in lived.facts.duties.values() if d.missed_at}) == len(
        [d for d in lived.facts.duties.values() if d.missed_at])


@pytest.mark.file
def test_a_step_given_by_code_may_be_anybodys_at_any_time() -> None:
    story = given_case().when("contact_merchant", message="电机异响")
    events: list[Any] = list(story.case.pending_events)
    given_up = Given(command("give_up"), lambda facts: actor("consumer", facts), lambda before: before + timedelta(hours=2))
    opening = events[0]
    lived = live(opening, [*recorded_steps(events), given_up], pinned)
    assert (lived.facts.state, lived.facts.at) == ("abandoned", story.clock + timedelta(hours=2))


@pytest.mark.file
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_case_of_an_earlier_lifecycle_goes_on_by_it_in_a_branch(lang: str, tmp_path: Path) -> None:
    url = golden_copy("issue-2", tmp_path)
    out = casework("what-if", "juicer", "--store", url, lang=lang).ok().out
    assert out.endswith("the outcome is the same\n" if lang == "en" else "结果相同\n")
    # It knows no deadlines, so nothing follows from time.
    view = what_if(url, "--at", "8", "--until", "2030-01-01T00:00:00+08:00")
    assert [step["source"] for step in view["steps"]] == ["recorded"] * 7
    assert view["what_if"]["duties"] == [] and view["what_if"]["state"] == "awaiting_merchant"
