"""Every duty: what opens it and by which rule, who owes it, what meets, misses, stops, moves and ends it; and who checks that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest
from chinese_calendar import is_workday
from domain_helpers import (
    DECIDED_IN_TIME,
    FULL,
    IN_STATE,
    RETURN,
    Story,
    actor,
    case_in,
    command,
    days,
    decided_late,
    given_case,
    hours,
    ruling,
)
from test_audit import forged, found, with_row
from test_audit_projector import row_of, walked

from casework.application.views import duties, missed
from casework.audit.check import audit_case
from casework.audit.projector import project_all
from casework.domain import events as e
from casework.domain.beside import HEARING
from casework.domain.case import Case
from casework.domain.commands import AdoptEdition
from casework.domain.decide import Context, options
from casework.domain.duties import DUTIES, OWE, DutyRow
from casework.domain.facts import Duty
from casework.domain.fold import fold
from casework.domain.lifecycle import CLOSED, OPEN
from casework.domain.machine import lifecycle
from casework.domain.values import Actor
from casework.domain.versions import TABLES
from casework.domain.vocabulary import VOCABULARY
from casework.rulebook import calendar
from casework.rulebook.calendar import SHANGHAI
from casework.rulebook.edition import CURRENT, EDITIONS, Edition
from casework.store.dues import running
from casework.store.row import Row

pytestmark = pytest.mark.usefixtures("calendars_of_this_century")

MOMENT = timedelta(microseconds=1)
REJECTION = {"ground": "evidence_insufficient", "explanation": "证据不足"}
Take = Callable[[Story], Story]


def do(name: str, by: str = "consumer", **data: Any) -> Take:
    return lambda story: story.when(name, by, **data)


# --- stories at whose end a duty has just been opened ----------------------------------------------------------------


def filed() -> Story:
    return case_in("filed")


def contacted() -> Story:
    return given_case().when("contact_merchant", message="电机异响，请退款", remedy=FULL)


def notified(party: str = "merchant") -> Story:
    return case_in("under_review").when("notify", "agent", party=party, answer_by=days(2))


def promised() -> Story:
    return filed().when("log_call", note="客服答应两天内回电", promised="回电", promised_by=days(2))


def suspended(ground: str, party: str = "merchant") -> Story:
    return case_in("under_review").when("suspend", "agent", ground=ground, party=party)


def lost() -> Story:
    return case_in("ruled", outcome="for_merchant")


def due(**given: Any) -> Story:
    return case_in("remedy_due", **given)


def sent() -> Story:
    return due(remedy=RETURN).when("ship_return", carrier="顺丰速运", waybill="SF-1")


def referred(body: str = "market_regulator", **data: Any) -> Story:
    return filed().when("refer", body=body, statement="请求调解", **data)


def taken() -> Story:
    return referred().when("accept_referral", "external:market_regulator", referral="R-1")


def tipped_off() -> Story:
    return filed().when("tip_off", to="market_regulator", about="counterfeit", statement="售假")


def complained() -> Story:
    return filed().when("log_call", note="快件没有送到", channel="carrier_service")


def advanced() -> Story:
    return due(services=["advance_compensation"]).when("apply_advance", statement="商家不履行")


class Told(NamedTuple):
    """A duty as it is in real cases. ``opens`` ends with the event that opens it, under ``rule``: one of the rulebook's, or
    the name of the command that set the time. ``meets`` and ``cancels`` are what somebody can do about it next, by command;
    ``opens_too`` are stories whose last event opens it as well."""

    opens: Callable[[], Story]
    rule: str
    owes: str
    meets: dict[str, Take]
    cancels: dict[str, Take]
    about: str | None = None
    opens_too: dict[str, Callable[[], Story]] | None = None


_WITHDRAW = {"withdraw": do("withdraw"), "give_up": do("give_up")}
_REGULATOR = "external:market_regulator"
TOLD: dict[str, Told] = {
    "limitation": Told(
        given_case, "suit.limitation", "consumer",
        {"file": do("file", claim="refund", statement="坏了", without_contact="shop_closed"),
         "accept_offer": lambda s: s.when("contact_merchant", message="坏了").when("make_offer", "merchant", remedy=FULL).when(
             "accept_offer"),
         "escalate": lambda s: s.when("file", claim="refund", statement="坏了", without_contact="shop_closed").when(
             "reject_complaint", "agent", **REJECTION).when("escalate", statement="不服")},
        {"give_up": do("give_up")},
        opens_too={"reject_complaint": lambda: case_in("not_accepted"), "reopen": lambda: case_in("abandoned").when("reopen")}),
    "merchant_answer": Told(
        contacted, "merchant.response", "merchant",
        {"ask_for_evidence": do("ask_for_evidence", "merchant", message="请提供视频"),
         "make_offer": do("make_offer", "merchant", remedy=FULL),
         "refuse_claim": do("refuse_claim", "merchant", excuse="misuse")},
        {"file": do("file", claim="refund", statement="商家不答复"), **_WITHDRAW},
        opens_too={"answer_merchant": lambda: case_in("merchant_needs_evidence").evidence("fault_video").when("answer_merchant"),
                   "decline_offer": lambda: case_in("offer_made").when("decline_offer")}),
    "platform_reply": Told(
        filed, "platform.reply", "agent",
        {"reject_complaint": do("reject_complaint", "agent", **REJECTION),
         "request_evidence": do("request_evidence", "agent", kinds=("fault_video",), answer_by=days(3)),
         "accept_complaint": lambda s: s.evidence("fault_video", "fault_description").when("accept_complaint", "agent"),
         "notify": do("notify", "agent", party="merchant", answer_by=days(1))},
        {"accept_offer": lambda s: s.when("make_offer", "merchant", remedy=FULL).when("accept_offer"),
         "go_external": lambda s: s.when("refer", body="court", statement="起诉").when("go_external"),
         "escalate": lambda s: s.when("log_call", note="转接主管", transferred=True).when("escalate", statement="没人理"),
         **_WITHDRAW},
        opens_too={"supply_evidence": lambda: case_in("more_evidence_needed").evidence("fault_video").when("supply_evidence"),
                   "report_default": lambda: due().when("report_default", statement="没退"),
                   "reopen_filed": lambda: case_in("withdrawn").when("reopen_filed", statement="再来")}),
    "evidence": Told(
        lambda: case_in("more_evidence_needed"), "request_evidence", "consumer",
        {"supply_evidence": lambda s: s.evidence("fault_video").when("supply_evidence")},
        {"reject_complaint": do("reject_complaint", "agent", **REJECTION), **_WITHDRAW}),
    "proof": Told(
        lambda: case_in("awaiting_proof"), "ask_proof", "merchant",
        {"submit_proof": do("submit_proof", "merchant", kinds=("test_certificate",))}, _WITHDRAW),
    "answer": Told(
        notified, "notify", "merchant",
        {"answer": do("answer", "merchant", statement="意见"),
         "submit_proof": lambda s: s.when(
             "ask_proof", "agent", party="merchant", kinds=("test_certificate",), answer_by=days(3)).when(
             "submit_proof", "merchant", kinds=("test_certificate",))},
        {"escalate": lambda s: s.when("log_call", note="转接", transferred=True).when("escalate", statement="不服"),
         "accept_offer": lambda s: s.when("make_offer", "merchant", remedy=FULL).when("accept_offer"), **_WITHDRAW},
        opens_too={"notify": lambda: filed().when("notify", "system", party="merchant", answer_by=days(2))}),
    "call_promise": Told(
        promised, "log_call", "agent", {"log_call": do("log_call", note="客服回电", channel="hotline", answered=True)},
        _WITHDRAW),
    "acceptance_proof": Told(
        lambda: suspended("police"), "dispute.suspend.court_proof", "merchant",
        {"show_acceptance": do("show_acceptance", "merchant", document="受案回执")},
        {"resume": do("resume", "agent"), **_WITHDRAW}, about="police",
        opens_too={"suspend": lambda: suspended("court")}),
    "suspension": Told(
        lambda: suspended("both_ask"), "dispute.suspend.self_settle", "agent", {"resume": do("resume", "agent")}, _WITHDRAW),
    "objection": Told(
        lost, "ruling.objection", "consumer", {"escalate": do("escalate", statement="不服")},
        {"go_external": lambda s: s.when("refer", body="court", statement="起诉").when("go_external"), **_WITHDRAW}),
    "performance": Told(
        due, "unreasonable_refusal", "merchant",
        {"perform_remedy": do("perform_remedy", "merchant", amount="899.00"),
         "pay_advance": lambda s: s.when("apply_advance", statement="商家不履行").when("pay_advance", "system", amount="899.00")},
        {"report_default": do("report_default", statement="没退"), "give_up": do("give_up")},
        opens_too={"accept_offer": lambda: case_in("offer_made").when("accept_offer"),
                   "deem_agreed": lambda: contacted().until("merchant_answer").when("deem_agreed", "system")}),
    "return_shipping": Told(
        lambda: due(remedy=RETURN), "return.shipping", "consumer",
        {"ship_return": do("ship_return", carrier="顺丰速运", waybill="SF-1")},
        {"report_default": do("report_default", statement="不退"), "give_up": do("give_up")},
        opens_too={"settle_return": lambda: sent().when("contest_return", "merchant", statement="少了配件").when(
            "settle_return", "agent", received=False, explanation="补寄")}),
    "return_confirmation": Told(
        sent, "return.confirm", "merchant",
        {"receive_return": do("receive_return", "merchant"),
         "contest_return": do("contest_return", "merchant", statement="少了配件")},
        {"report_default": do("report_default", statement="收了不退"), "give_up": do("give_up")}),
    "referral_acceptance": Told(
        referred, "mr12315.accept", _REGULATOR,
        {"accept_referral": do("accept_referral", _REGULATOR, referral="R-1"),
         "refuse_referral": do("refuse_referral", _REGULATOR, referral="R-1", explanation="不属管辖")},
        {"withdraw_referral": do("withdraw_referral", referral="R-1"), **_WITHDRAW}, about="R-1"),
    "referral_result": Told(
        taken, "mr12315.mediate", _REGULATOR,
        {"settle_referral": do("settle_referral", _REGULATOR, referral="R-1", remedy=FULL),
         "end_referral": do("end_referral", _REGULATOR, referral="R-1", explanation="调解不成")},
        {"withdraw_referral": do("withdraw_referral", referral="R-1"), **_WITHDRAW}, about="R-1"),
    "tip_off_check": Told(
        tipped_off, "tipoff.check", _REGULATOR,
        {"answer_tip_off": do("answer_tip_off", _REGULATOR, tip_off="T-1", result="case_opened")}, _WITHDRAW, about="T-1"),
    "courier_answer": Told(
        complained, "courier.complaint", "courier",
        {"log_call": do("log_call", note="快递企业只肯赔运费", channel="carrier_service", answered=True)}, _WITHDRAW),
}
ROWS = {row.name: row for row in DUTIES}
OPENED = [pytest.param(kind, story, id=f"{kind}-{name}") for kind, told in TOLD.items()
          for name, story in {"": told.opens, **(told.opens_too or {})}.items()]
MET = [pytest.param(kind, name, id=f"{kind}-{name}") for kind, told in TOLD.items() for name in told.meets]
CANCELLED = [pytest.param(kind, name, id=f"{kind}-{name}") for kind, told in TOLD.items() for name in told.cancels]


def events_of(story: Story) -> list[e.Event]:
    return [event for event in story.case.pending_events if isinstance(event, e.Event)]


def rows_of(story: Story) -> list[Row]:
    return [row_of(event) for event in events_of(story)]


def changes_of(event: e.Event, kind: str) -> list[str]:
    """What the event does to duties of a kind, in order."""
    return [change.change for change in event.duties if change.duty == kind]


def same(duty: Duty, story: Story) -> Duty:
    """That duty, as the story has it now."""
    return story.facts.duties[duty.id]


# --- the table -------------------------------------------------------------------------------------------------------


def test_every_duty_of_the_table_is_told_with_everything_that_meets_it() -> None:
    assert set(TOLD) == set(ROWS) == set(VOCABULARY["duty"])
    for kind, told in TOLD.items():
        # By the guards of confirming, a remedy was performed in full before, and by that its duty was met.
        assert set(told.meets) == set(ROWS[kind].meets) - ({"confirm_remedy"} if kind == "performance" else set()), kind
        # No other step that begins a round leaves a state in which an answer could still be owed.
        assert set(told.cancels) >= set(ROWS[kind].ended_by) - {"file", "reopen_filed", "report_default"}, kind


@pytest.mark.parametrize("row", DUTIES, ids=lambda row: row.name)
def test_a_row_names_only_what_there_is_and_lives_in_no_end(row: DutyRow) -> None:
    process = lifecycle(2)
    assert process is not None
    known = {*process.triggers, *process.acts}
    assert set(row.meets) | set(row.ended_by) | set(row.follows) <= known
    assert row.meets, "what nothing meets could only be missed"
    assert set(row.states) <= set(OPEN)
    assert not set(row.states) & CLOSED
    assert set(row.stops) <= set(row.states)
    assert row.owes in (*OWE, "party", "body")
    for name in row.follows:
        for state in row.states:
            step = process.steps_from(state).get(name)
            roles = step.roles if step else process.acts[name].roles if name in process.acts else ("system",)
            assert "system" in roles, (name, state)
        there = [s for s in row.states if name in process.acts or name in process.steps_from(s)]
        assert there, f"{name} follows nowhere"


def test_the_rows_of_duties_are_those_of_version_2_and_their_names_stand_once() -> None:
    assert TABLES[2].duties == DUTIES
    assert len(ROWS) == len(DUTIES)
    assert TABLES[1].duties == ()


# --- opened ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "story"), OPENED)
def test_a_duty_is_opened_with_its_debtor_and_its_due_by_rule(kind: str, story: Callable[[], Story]) -> None:
    told, case = TOLD[kind], story()
    [change] = [c for c in events_of(case)[-1].duties if (c.duty, c.change) == (kind, "opened")]
    duty = case.duty(kind)
    assert (change.id, change.owes, change.due, change.about) == (duty.id, duty.owes, duty.due, duty.about)
    assert (duty.state, duty.since) == ("running", case.clock)
    assert duty.owes == told.owes
    assert duty.id == f"D-{len(case.facts.duties)}" or kind == "limitation", "ids count from 1 within a case"
    if CURRENT.has(told.rule):
        # Limitation has run since the last demand, whenever it came back to the consumer to act.
        rule = CURRENT.due(told.rule, case.facts.demands[-1] if kind == "limitation" else case.clock)
        assert (duty.due.at, duty.due.rule, duty.due.clause, duty.due.certainty, duty.due.unit, duty.due.rank) == (
            rule.at, rule.rule, rule.clause, rule.certainty, rule.unit, rule.rank)
    else:
        assert (duty.due.rule, duty.due.unit, duty.due.certainty) == (told.rule, None, "A")
        said = events_of(case)[-1].data
        assert duty.due.at == (getattr(said, "answer_by", None) or said.promised_by)
    if story is told.opens:
        assert duty.about == told.about
        assert duty.owes.partition(":")[0] == {"party": "merchant", "body": "external"}.get(ROWS[kind].owes, ROWS[kind].owes)


def test_a_case_that_was_just_opened_has_one_duty() -> None:
    [duty] = given_case().facts.duties.values()
    assert (duty.id, duty.kind, duty.due.at) == ("D-1", "limitation", CURRENT.due("suit.limitation", given_case().clock).at)


@pytest.mark.parametrize(("story", "kind"), [
    (lambda: filed().when("log_call", note="快递说明天到", channel="carrier_service", answered=True, promised_by=days(1)),
     "courier_answer"),
    (lambda: filed().when("log_call", note="商家答应退款", channel="merchant_chat", promised_by=days(1)), "call_promise"),
    (lambda: filed().when("log_call", note="只是问问"), "call_promise"),
    (lambda: case_in("awaiting_merchant").when("log_call", note="平台答应", promised_by=days(1)), "call_promise"),
    (lambda: referred("court"), "referral_acceptance"),
    (lambda: referred("consumer_association"), "referral_acceptance"),
    (lambda: referred("consumer_association", province="xx"), "referral_acceptance"),
    (lambda: referred("court").when("accept_referral", "external:court", referral="R-1"), "referral_result"),
    (lambda: filed().when("tip_off", to="platform", about="counterfeit", statement="售假"), "tip_off_check"),
    (lambda: case_in("ruled"), "objection"),
    (lambda: suspended("court").when("show_acceptance", "merchant", document="受理通知书"), "suspension"),
    (lambda: suspended("both_ask"), "acceptance_proof"),
    (lambda: due(remedy=RETURN), "performance"),
    (lambda: case_in("awaiting_merchant").when("refuse_claim", "merchant", excuse="misuse").when(
        "make_offer", "merchant", remedy=FULL), "platform_reply"),
    (lambda: filed().when("make_offer", "merchant", remedy=FULL).when("decline_offer"), "merchant_answer:running"),
], ids=lambda x: x if isinstance(x, str) else "")
def test_what_opens_no_duty_of_a_kind(story: Callable[[], Story], kind: str) -> None:
    kind, _, state = kind.partition(":")
    found = [d for d in story().facts.duties.values() if d.kind == kind and (not state or d.state == state)]
    assert found == []


def test_an_association_has_the_time_of_its_province() -> None:
    story = referred("consumer_association", province="zj")
    assert story.duty("referral_acceptance").due.at == CURRENT.due("consumer_assoc.accept.zj", story.clock).at
    story.when("accept_referral", "external:consumer_association", referral="R-1")
    assert story.duty("referral_result").due.at == CURRENT.due("consumer_assoc.mediate.zj", story.clock).at


def test_where_the_police_took_it_the_suspension_has_its_own_limit() -> None:
    story = suspended("police").when("show_acceptance", "merchant", document="受案回执")
    assert story.duty("suspension").due.at == CURRENT.due("dispute.suspend.police", story.clock).at


def test_acceptance_that_is_shown_late_still_opens_the_suspension_of_the_police() -> None:
    story = suspended("police").until("acceptance_proof")
    story.when("miss_duty", "system", duty=story.duty("acceptance_proof").id)
    story.when("show_acceptance", "merchant", document="受案回执")
    assert [c.change for c in events_of(story)[-1].duties] == ["met", "opened"]
    assert (story.duty("acceptance_proof").state, story.duty("suspension").state) == ("late", "running")


def test_against_a_review_there_is_no_objection() -> None:
    story = lost().when("escalate", statement="不服").when("assign", "supervisor", to="agent:A-2").heard()
    story.when("rule", "agent:A-2", **ruling("for_merchant"))
    assert [d.state for d in story.facts.duties.values() if d.kind == "objection"] == ["met"]


def test_a_case_that_comes_back_after_limitation_has_no_limitation_to_wait_for() -> None:
    story = filed()
    story.when("reject_complaint", "agent", after=timedelta(days=4 * 366), **REJECTION)
    assert [d.state for d in story.facts.duties.values() if d.kind == "limitation"] == ["met"]


@pytest.mark.parametrize(("body", "opened"), [("market_regulator", 1), ("court", 0), ("arbitration", 0)])
def test_a_judgment_names_its_own_day_and_a_settlement_has_that_of_the_rules(body: str, opened: int) -> None:
    story = referred(body).when("accept_referral", f"external:{body}", referral="R-1").when("go_external")
    story.when("external_award", f"external:{body}", remedy=FULL, document="文书")
    assert [d.due.rule for d in story.facts.duties.values() if d.kind == "performance"] == ["unreasonable_refusal"] * opened
    back = referred(body).when("accept_referral", f"external:{body}", referral="R-1").when("go_external")
    back.when("external_award", f"external:{body}", remedy=RETURN, document="文书")
    assert back.duty("return_shipping").state == "running", "the goods go back all the same"
    assert found(rows_of(story)) == found(rows_of(back)) == []


@pytest.mark.parametrize(("amount", "expected"), [("899.00", []), ("400.00", ["running"])])
def test_who_has_paid_before_the_goods_are_back_owes_what_is_left(amount: str, expected: list[str]) -> None:
    story = sent().when("perform_remedy", "merchant", amount=amount).when("receive_return", "merchant")
    assert [d.state for d in story.facts.duties.values() if d.kind == "performance"] == expected
    if expected:
        assert story.duty("performance").due.at == CURRENT.due("refund.after_goods_back", story.clock).at
        assert story.when("perform_remedy", "merchant", amount="499.00").duty("performance").state == "met"


def test_goods_that_are_back_are_not_sent_again_and_the_refund_is_due_at_once() -> None:
    story = sent().when("receive_return", "merchant").when("report_default", statement="收了货不退款")
    story.when("accept_complaint", "agent:A-2").heard().when("rule", "agent:A-2", **ruling(remedy=RETURN)).when(
        "execute_ruling", "system")
    assert [c.duty for c in events_of(story)[-1].duties if c.change == "opened"] == ["performance"]
    assert story.duty("performance").due.at == CURRENT.due("refund.after_goods_back", story.clock).at


def test_goods_that_were_contested_and_count_as_received_start_the_refund() -> None:
    story = sent().when("contest_return", "merchant", statement="少了配件")
    assert [d.kind for d in story.facts.duties.values() if d.state == "running"] == []
    story.when("settle_return", "agent", received=True, explanation="视为收到")
    assert story.duty("performance").due.at == CURRENT.due("refund.after_goods_back", story.clock).at


def test_a_remedy_that_is_no_money_is_performed_when_that_is_said() -> None:
    story = due(remedy={"kind": "repair"}).when("perform_remedy", "merchant")
    assert story.duty("performance").state == "met"


def test_a_rule_that_the_pinned_edition_lacks_opens_nothing() -> None:
    story = given_case(rules=EDITIONS["2026-11"]).when("contact_merchant", message="坏了", remedy=FULL)
    assert not EDITIONS["2026-11"].has("merchant.response")
    assert [d.kind for d in story.facts.duties.values()] == ["limitation"]


def test_a_demand_starts_limitation_anew_in_the_same_duty() -> None:
    story = given_case().when("contact_merchant", after=days(100), message="坏了")
    assert changes_of(events_of(story)[-1], "limitation") == ["extended"]
    assert story.facts.duties["D-1"].due.at == CURRENT.due("suit.limitation", story.clock).at
    before = story.facts.duties["D-1"].due
    story.when("contact_merchant", after=timedelta(days=4 * 366), message="四年以后")
    assert changes_of(events_of(story)[-1], "limitation") == []
    assert story.facts.duties["D-1"].due == before
    assert story.facts.duties["D-1"].is_late(story.clock), "what ran out is not begun anew by a demand"


def test_a_demand_in_the_last_moment_of_limitation_starts_it_anew_and_one_after_it_does_not() -> None:
    for after, anew in ((timedelta(0), True), (MOMENT, False)):
        story = contacted()
        before = story.duty("limitation").due.at
        story.clock = before + after - hours(1)
        story.when("contact_merchant", message="再次请求").when("contact_merchant", message="最后一次")
        assert (story.duty("limitation").due.at > before) == anew
        assert found(rows_of(story)) == []


def test_a_reminder_gives_the_merchant_no_more_time() -> None:
    story = contacted()
    before = story.duty("merchant_answer").due
    story.when("contact_merchant", message="请尽快答复")
    assert changes_of(events_of(story)[-1], "merchant_answer") == []
    assert story.duty("merchant_answer").due == before
    story.when("contact_merchant", message="请尽快退款", remedy=FULL)
    assert changes_of(events_of(story)[-1], "merchant_answer") == []
    story.until("merchant_answer").when("contact_merchant", message="请尽快退款", remedy=FULL)
    assert story.duty("merchant_answer").due == before
    assert story.when("deem_agreed", "system").facts.state == "remedy_due"


def test_to_ask_for_something_else_gives_him_the_whole_time_for_that() -> None:
    """Or a small claim made early could be raised a minute before his silence grants it."""
    more = {"kind": "refund", "amount": "899.00", "extra": [{"kind": "compensation", "amount": "100.00"}]}
    story = contacted()
    story.clock = story.duty("merchant_answer").due.at - hours(2)
    story.when("contact_merchant", message="另赔一百元", remedy=more)
    assert changes_of(events_of(story)[-1], "merchant_answer") == ["extended"]
    assert story.duty("merchant_answer").due.at == CURRENT.due("merchant.response", story.clock).at
    story.until("merchant_answer").when("contact_merchant", message="只退一半也行", remedy={"kind": "refund", "amount": "450.00"})
    assert changes_of(events_of(story)[-1], "merchant_answer") == ["missed", "cancelled", "opened"]
    story.fork().refused("deem_agreed", "system", "term_running")
    assert story.duty("merchant_answer").due.at == CURRENT.due("merchant.response", story.clock).at
    story.until("merchant_answer").when("deem_agreed", "system")
    assert story.facts.remedy is not None
    assert str(story.facts.remedy.amount) == "450.00"


def test_silence_that_was_already_on_record_grants_nothing_that_was_asked_later() -> None:
    story = case_in("awaiting_merchant").until("merchant_answer")
    story.when("miss_duty", "system", duty=story.duty("merchant_answer").id)
    story.when("contact_merchant", message="请退款", remedy=FULL)
    assert changes_of(events_of(story)[-1], "merchant_answer") == ["cancelled", "opened"]
    story.fork().refused("deem_agreed", "system", "term_running")
    story.until("merchant_answer").when("deem_agreed", "system")


def test_to_ask_for_something_else_while_the_clock_stands_still_starts_it_anew() -> None:
    story = contacted().when("pause_duty", "agent", duty="D-2", reason="协商中")
    story.when("contact_merchant", message="只退一半也行", remedy={"kind": "refund", "amount": "450.00"})
    assert changes_of(events_of(story)[-1], "merchant_answer") == ["cancelled", "opened"]


def test_a_reminder_while_the_clock_stands_still_starts_no_second_one() -> None:
    story = contacted().when("pause_duty", "agent", duty="D-2", reason="协商中").when("contact_merchant", message="请尽快答复")
    assert [d.state for d in story.facts.duties.values() if d.kind == "merchant_answer"] == ["paused"]


def test_a_new_notice_sets_the_day_of_the_answer_anew_and_the_hearing_with_it() -> None:
    story = notified()
    duty = story.duty("answer")
    story.when("notify", "agent", party="merchant", answer_by=days(9))
    assert changes_of(events_of(story)[-1], "answer") == ["extended"]
    assert same(duty, story).due.at == story.clock + days(9) == story.facts.hearings["merchant"].answer_by
    story.when("notify", "agent", party="consumer", answer_by=days(1))
    assert [d.owes for d in story.facts.duties.values() if d.kind == "answer"] == ["merchant", "consumer"]


# --- met, late, missed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), MET)
def test_a_duty_is_met_by_what_its_row_names(kind: str, name: str) -> None:
    story = TOLD[kind].opens()
    # Of limitation, the duty that runs when it is met is a later one where it came back to the consumer.
    story = TOLD[kind].meets[name](story)
    duty = story.duty(kind)
    assert (duty.state, duty.settled_at, duty.missed_at) == ("met", story.clock, None)
    assert changes_of(events_of(story)[-1], kind) == ["met"]
    assert not duty.is_owed
    assert duty.id not in [d["id"] for d in duties(story.facts, story.clock)]


@pytest.mark.parametrize(("kind", "name"), [p for p in MET if p.values[0] not in ("limitation",)])
def test_a_duty_that_was_met_after_its_time_was_missed_and_met_late(kind: str, name: str) -> None:
    story = TOLD[kind].opens()
    duty = story.duty(kind)
    story = TOLD[kind].meets[name](story.until(kind))
    late = same(duty, story)
    assert story.clock > duty.due.at
    assert (late.state, late.settled_at) == ("late", story.clock)
    assert late.missed_at is not None
    assert duty.due.at < late.missed_at <= story.clock
    told = [c.change for event in events_of(story) for c in event.duties if c.id == duty.id]
    assert told == ["opened", "missed", "met"]
    [line] = [m for m in missed(story.facts) if m["id"] == duty.id]
    assert (line["duty"], line["who"], line["missed_at"], line["done_at"]) == (kind, duty.owes, late.missed_at, story.clock)


#: What is done in a single step can be done at the very last moment, and a moment later.
SINGLE = [p for p in MET if p.id not in (
    "limitation-file", "limitation-accept_offer", "limitation-escalate", "platform_reply-accept_complaint",
    "evidence-supply_evidence", "answer-submit_proof", "performance-pay_advance")]


@pytest.mark.parametrize(("kind", "name"), SINGLE)
@pytest.mark.parametrize(("after", "state"), [(timedelta(0), "met"), (MOMENT, "late")])
def test_the_end_of_its_time_is_still_in_time_and_a_moment_later_is_late(
        kind: str, name: str, after: timedelta, state: str) -> None:
    story = TOLD[kind].opens()
    end = story.duty(kind).due.at
    # Every step waits an hour of its own.
    story.clock = end + after - hours(1)
    assert same(story.duty(kind), TOLD[kind].meets[name](story)).state == state


def test_after_limitation_an_offer_can_still_be_accepted_late_and_a_complaint_not_filed() -> None:
    story = contacted().when("make_offer", "merchant", remedy=FULL).until("limitation")
    story.fork().refused("file", codes="out_of_time", claim="refund", statement="太晚")
    story.when("accept_offer")
    assert story.duty("limitation").state == "late"


def test_what_one_does_for_the_other_meets_nothing() -> None:
    story = notified().when("answer", "consumer", statement="我的意见")
    assert story.duty("answer").state == "running"
    story = filed().when("notify", "system", party="merchant", answer_by=days(1))
    assert story.duty("platform_reply").state == "running"
    story = promised().when("log_call", note="问快递", channel="carrier_service")
    assert story.duty("call_promise").state == "running"
    story = complained().when("log_call", note="再催一次", channel="carrier_service")
    assert [d.state for d in story.facts.duties.values() if d.kind == "courier_answer"] == ["running"]
    story = complained().when("log_call", note="打给平台", answered=True)
    assert story.duty("courier_answer").state == "running"
    story = due().when("perform_remedy", "merchant", amount="898.99")
    assert story.duty("performance").state == "running"
    assert story.when("perform_remedy", "merchant", amount="0.01").duty("performance").state == "met"


def test_of_two_referrals_and_two_tip_offs_each_answer_meets_its_own() -> None:
    story = referred().when("withdraw_referral", referral="R-1").when("refer", body="market_regulator", statement="再次请求")
    story.when("accept_referral", _REGULATOR, referral="R-2")
    states = [(d.about, d.state) for d in story.facts.duties.values() if d.kind == "referral_acceptance"]
    assert states == [("R-1", "cancelled"), ("R-2", "met")]
    story = referred().when("refer", body="consumer_association", province="zj", statement="也请调解")
    for name, by, data, expected in (
            ("refuse_referral", "external:consumer_association", {"referral": "R-2", "explanation": "不受理"}, ["running",
        "met"]),
            ("withdraw_referral", "consumer", {"referral": "R-2"}, ["running", "cancelled"])):
        one = story.fork().when(name, by, **data)
        assert [d.state for d in one.facts.duties.values() if d.kind == "referral_acceptance"] == expected
    story = tipped_off().when("tip_off", to="market_regulator", about="price_fraud", statement="虚构原价")
    story.when("answer_tip_off", _REGULATOR, tip_off="T-2", result="not_pursued")
    states = [(d.about, d.state) for d in story.facts.duties.values() if d.kind == "tip_off_check"]
    assert states == [("T-1", "running"), ("T-2", "met")]


def test_what_was_missed_is_missed_once_however_much_happens_afterwards() -> None:
    story = filed().until("platform_reply").when("log_call", note="问平台").when("log_call", note="再问")
    assert [changes_of(event, "platform_reply") for event in events_of(story)[-2:]] == [["missed"], []]
    duty = story.duty("platform_reply")
    assert (duty.state, duty.missed_at, duty.is_owed) == ("missed", story.clock - hours(1), True)
    story.refused("miss_duty", "system", "wrong_point", duty=duty.id)
    story.when("reject_complaint", "agent", **REJECTION)
    assert same(duty, story).state == "late"


@pytest.mark.parametrize("kind", [row.name for row in DUTIES if row.follows])
def test_where_something_follows_from_a_miss_no_other_event_records_it_and_so_takes_it_from_the_clock(kind: str) -> None:
    story = TOLD[kind].opens()
    duty = story.duty(kind)
    story.until(kind).when("add_evidence", kind="statement", description="说明").when("miss_duty", "system", duty=duty.id)
    assert [changes_of(event, kind) for event in events_of(story)[-2:]] == [[], ["missed"]]
    assert [d["status"] for d in duties(story.facts, story.clock) if d["id"] == duty.id] == ["overdue"]
    assert same(duty, story).is_owed


def test_a_missed_duty_that_cannot_be_made_good_any_more_stays_missed() -> None:
    story = contacted().until("merchant_answer").when("file", claim="refund", statement="商家不答复")
    assert changes_of(events_of(story)[-1], "merchant_answer") == ["missed", "cancelled"]
    duty = story.duty("merchant_answer")
    assert (duty.state, duty.is_over, duty.is_owed) == ("missed", True, False)
    [line] = missed(story.facts)
    assert (line["id"], line["done_at"]) == (duty.id, None)
    assert duty.id not in [d["id"] for d in duties(story.facts, story.clock)]


def test_an_option_says_until_when_it_is_in_time() -> None:
    story = contacted()
    until = {o.name: o.until for o in options(story.facts, story.clock, CURRENT) if o.until}
    assert until["refuse_claim"] == until["make_offer"] == story.duty("merchant_answer").due.at
    assert until["file"] == story.duty("limitation").due.at
    end = story.duty("merchant_answer").due.at
    for at, until_when in ((end, end), (end + MOMENT, None)):
        assert {o.name: o.until for o in options(story.facts, at, CURRENT)}["refuse_claim"] == until_when


# --- cancelled -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), CANCELLED)
def test_a_duty_is_cancelled_where_it_has_no_place_any_more(kind: str, name: str) -> None:
    story = TOLD[kind].opens()
    duty = story.duty(kind)
    story = TOLD[kind].cancels[name](story)
    after = same(duty, story)
    assert (after.state, after.settled_at, after.missed_at) == ("cancelled", story.clock, None)
    assert not after.is_owed
    assert [c.change for c in events_of(story)[-1].duties if c.id == duty.id] == ["cancelled"]


@pytest.mark.parametrize("state", IN_STATE)
def test_a_duty_is_alive_only_in_its_states(state: str) -> None:
    story = case_in(state)
    for duty in story.facts.duties.values():
        assert not duty.is_owed or state in ROWS[duty.kind].states, duty
        if duty.state == "paused":
            assert state in ROWS[duty.kind].stops, duty
    assert state in OPEN or duties(story.facts, story.clock + days(5000)) == []


def test_in_a_new_round_what_was_asked_before_is_asked_anew() -> None:
    story = filed().when("notify", "agent", party="merchant", answer_by=days(5))
    story.when("log_call", note="转接", transferred=True).when("escalate", statement="不服")
    assert story.facts.state in HEARING
    assert story.duty("answer").state == "cancelled"


# --- paused and resumed ----------------------------------------------------------------------------------------------


def at_shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)


def days_after(first: date, last: date) -> Iterator[date]:
    """The days after the first, to the last."""
    while first < last:
        first += timedelta(days=1)
        yield first


def stopped(story: Story, kind: str, by: str, paused: datetime, resumed: datetime) -> tuple[Duty, Duty]:
    """The duty before its clock stood still, and when it runs again."""
    before = msgspec.structs.replace(story.duty(kind))
    story.clock = paused
    story.when("pause_duty", by, after=0, duty=before.id, reason="检测")
    held = story.duty(kind)
    assert (held.state, held.paused_at, held.due) == ("paused", paused, before.due)
    assert not held.is_late(before.due.at + days(999))
    assert [d["status"] for d in duties(story.facts, before.due.at + days(999)) if d["id"] == before.id] == ["paused"]
    story.clock = resumed
    story.when("resume_duty", by, after=0, duty=before.id)
    after = story.duty(kind)
    assert (after.state, after.paused_at, after.was_paused) == ("running", None, True)
    return before, after


def test_of_hours_what_was_left_when_the_clock_stopped_is_left_when_it_runs_on() -> None:
    story = contacted()
    paused = story.clock + hours(7.5)
    before, after = stopped(story, "merchant_answer", "agent", paused, paused + hours(31))
    assert before.due.unit == "hour"
    assert after.due.at - before.due.at == hours(31)
    assert after.due.at - (paused + hours(31)) == before.due.at - paused
    assert (after.due.rule, after.due.clause) == (before.due.rule, before.due.clause)


@pytest.mark.parametrize(("paused", "resumed"), [
    ("2026-03-20T09:00:00", "2026-04-25T20:30:00"), ("2026-03-20T23:59:59", "2026-03-21T00:00:01"),
    ("2026-03-20T00:00:01", "2026-03-20T23:59:59"),
])
def test_of_natural_days_as_many_as_were_left_are_left(paused: str, resumed: str) -> None:
    stop, go = at_shanghai(paused), at_shanghai(resumed)
    before, after = stopped(taken(), "referral_result", _REGULATOR, stop, go)
    assert before.due.unit == "day"
    left = len(list(days_after(stop.date(), local(before.due.at).date())))
    assert len(list(days_after(go.date(), local(after.due.at).date()))) == left
    assert local(after.due.at).time() == local(before.due.at).time()


@pytest.mark.parametrize(("lodged", "paused", "resumed"), [
    ("2026-04-27T10:00:00", "2026-04-29T09:00:00", "2026-04-30T16:00:00"),  # Labour Day lies behind it
    ("2026-04-27T10:00:00", "2026-04-28T09:00:00", "2026-05-06T08:00:00"),  # and here between
    ("2026-09-24T10:00:00", "2026-09-25T09:00:00", "2026-10-09T18:00:00"),  # Mid-Autumn and National Day
    ("2026-09-24T10:00:00", "2026-09-30T23:00:00", "2026-10-01T01:00:00"),
    ("2026-02-10T10:00:00", "2026-02-13T09:00:00", "2026-02-14T12:00:00"),  # 14 February: a Saturday that is worked
])
def test_of_working_days_as_many_as_were_left_are_left_across_a_holiday(lodged: str, paused: str, resumed: str) -> None:
    start = at_shanghai(lodged)
    story = opened_at(start - hours(3))
    story.when("file", claim="refund", statement="坏了", without_contact="shop_closed").when(
        "refer", after=start - story.clock, body="market_regulator", statement="请求调解")
    stop, go = at_shanghai(paused), at_shanghai(resumed)
    before, after = stopped(story, "referral_acceptance", _REGULATOR, stop, go)
    assert before.due.unit == "working_day"
    assert sum(map(is_workday, days_after(start.date(), local(before.due.at).date()))) == 7
    left = sum(map(is_workday, days_after(stop.date(), local(before.due.at).date())))
    end = local(after.due.at).date()
    assert sum(map(is_workday, days_after(go.date(), end))) == left
    assert is_workday(end) or left == 0
    assert local(after.due.at).time() == local(before.due.at).time()
    assert not after.due.provisional


def opened_at(at: datetime) -> Story:
    """A case whose consumer opened it at that time."""
    opening = given_case().facts.given
    order = msgspec.structs.replace(opening.order, ordered_at=at - days(20))
    context = Context(Actor(role="consumer", id="C-1"), at, at, "c1", CURRENT)
    return Story(Case.open("K-1", msgspec.structs.replace(opening, order=order), context), at)


def test_a_time_that_somebody_set_is_put_off_by_as_long_as_the_clock_stood_still() -> None:
    story = notified()
    before, after = stopped(story, "answer", "agent", story.clock + hours(5), story.clock + hours(29))
    assert before.due.unit is None
    assert after.due.at - before.due.at == hours(24)
    assert story.facts.hearings["merchant"].answer_by == after.due.at


def test_a_clock_that_is_stopped_beyond_the_calendar_runs_on_with_an_estimate_that_counts() -> None:
    story = referred()
    stop = story.clock + days(1)
    before, after = stopped(story, "referral_acceptance", _REGULATOR, stop, stop + days(4000))
    assert (before.due.provisional, after.due.provisional) == (False, True)
    assert after.is_late(after.due.at + MOMENT)
    assert audit_case(rows_of(story)) == []


def test_a_suspension_stops_the_answer_and_the_promise_and_nothing_else() -> None:
    story = notified().when("log_call", note="客服答应两天内回电", promised_by=days(2)).when(
        "tip_off", to="market_regulator", about="counterfeit", statement="售假")
    before = {d.id: d.due.at for d in story.facts.duties.values() if d.state == "running"}
    begun = story.clock + hours(1)
    story.when("suspend", "agent", ground="both_ask")
    states = {d.kind: d.state for d in story.facts.duties.values() if d.id in before}
    assert states == {"answer": "paused", "call_promise": "paused", "tip_off_check": "running"}
    story.when("resume", "agent", after=days(20))
    assert {d.kind: d.due.at - before[d.id] for d in story.facts.duties.values() if d.id in before} == {
        "answer": story.clock - begun, "call_promise": story.clock - begun, "tip_off_check": timedelta(0)}
    story.refused("rule", "agent", "not_heard", **ruling())
    story.until("answer").when("rule", "agent", **ruling())


@pytest.mark.parametrize(("story", "kind", "name", "by", "data"), [
    (lambda: case_in("more_evidence_needed"), "evidence", "lapse", "agent", {}),
    (lambda: case_in("awaiting_proof"), "proof", "close_proof", "agent", {}),
    (lambda: notified(), "answer", "rule", "agent", ruling()),
    (lambda: due(remedy=RETURN), "return_shipping", "lapse", "agent", {}),
    (sent, "return_confirmation", "receive_return", "system", {}),
    (contacted, "merchant_answer", "deem_agreed", "system", {}),
], ids=lambda x: x if isinstance(x, str) else "")
def test_nobody_is_held_to_a_day_while_its_clock_stands_still(
        story: Callable[[], Story], kind: str, name: str, by: str, data: dict[str, Any]) -> None:
    case = story()
    end = case.duty(kind).due.at
    case.when("pause_duty", "agent", duty=case.duty(kind).id, reason="检测")
    not_yet = ["not_heard"] if name == "rule" else ["term_running"]
    assert case.ask(name, by, after=end + days(1) - case.clock, **data).codes == not_yet
    case.clock = end
    case.when("resume_duty", "agent", duty=case.duty(kind).id)
    assert case.ask(name, by, **data).codes == not_yet
    case.until(kind)
    assert case.ask(name, by, **data).codes == []


def test_what_is_over_can_neither_be_stopped_nor_started_nor_put_off() -> None:
    story = contacted().until("merchant_answer")
    duty = story.duty("merchant_answer")
    for name, data in (("pause_duty", {}), ("extend_duty", {"until": days(9)}), ("resume_duty", {})):
        reason = {} if name == "resume_duty" else {"reason": "检测"}
        assert story.ask(name, "agent", duty=duty.id, **data, **reason).codes == ["wrong_point"]


# --- extended --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("story", "kind", "by"), [
    (contacted, "merchant_answer", "agent"), (lambda: case_in("more_evidence_needed"), "evidence", "agent"),
    (lambda: case_in("awaiting_proof"), "proof", "supervisor"), (notified, "answer", "agent"),
    (lambda: due(remedy=RETURN), "return_shipping", "agent"), (sent, "return_confirmation", "agent"),
    (due, "performance", "agent"), (referred, "referral_acceptance", _REGULATOR), (taken, "referral_result", _REGULATOR),
    (tipped_off, "tip_off_check", _REGULATOR),
], ids=lambda x: x if isinstance(x, str) else "")
def test_a_deadline_is_put_off_by_whoever_may_and_then_ends_when_that_was_said(
        story: Callable[[], Story], kind: str, by: str) -> None:
    case = story()
    duty = case.duty(kind)
    until = duty.due.at + days(3)
    case.when("extend_duty", by, duty=duty.id, until=until, reason="节假日")
    after = same(duty, case)
    assert [c.change for c in events_of(case)[-1].duties] == ["extended"]
    assert (after.due.at, after.due.rule, after.due.provisional, after.due.unit) == (until, duty.due.rule, False, None)
    assert not after.is_late(until)
    assert after.is_late(until + MOMENT)
    assert audit_case(rows_of(case)) == []


@pytest.mark.parametrize(("kind", "by"), [
    ("limitation", "agent"), ("platform_reply", "agent"), ("call_promise", "supervisor"), ("referral_acceptance", "agent"),
    ("referral_result", "external:court"), ("tip_off_check", "agent"), ("courier_answer", "agent"), ("objection", "agent"),
    ("suspension", "agent"), ("acceptance_proof", "agent"),
])
def test_nobody_moves_a_deadline_that_is_not_his_to_set(kind: str, by: str) -> None:
    story = TOLD[kind].opens()
    duty = story.duty(kind)
    for name, data in (("extend_duty", {"until": duty.due.at + days(1), "reason": "x"}), ("pause_duty", {"reason": "x"})):
        assert story.ask(name, by, duty=duty.id, **data).codes == ["not_your_duty"]
    for party in ("consumer", "merchant", "system"):
        assert "role_not_allowed" in story.ask("pause_duty", party, duty=duty.id, reason="x").codes


def test_more_time_for_proof_and_evidence_is_more_time_before_the_case_goes_on() -> None:
    story = case_in("awaiting_proof")
    until = story.duty("proof").due.at + days(10)
    story.when("extend_duty", "agent", duty=story.duty("proof").id, until=until, reason="检测中")
    assert story.facts.proof_term is not None
    assert story.facts.proof_term.answer_by == until == story.facts.hearings["merchant"].answer_by
    assert story.ask("close_proof", "agent", after=until - story.clock).codes == ["term_running"]
    assert story.ask("close_proof", "agent", after=until - story.clock + MOMENT).codes == []


# --- another edition -------------------------------------------------------------------------------------------------


class Later(Edition):
    """An edition after the current one, in which every limit is shorter: by a day, or by one of whatever longer it counts."""

    id = "9999-01"
    digest = "9" * 64
    earlier = 1

    def __init__(self) -> None:
        super().__init__("9999-01", tuple(
            replace(r, value=max(1, r.value - self.earlier * {"hour": 24}.get(r.unit, 1))) if r.counts_time else r
            for r in CURRENT.records))


class Same(Later):
    """An edition after the current one in which the limits are the same."""

    earlier = 0


def adopt(story: Story, rules: Later | None = None) -> e.Event:
    by = actor("supervisor", story.facts)
    context = Context(by, story.clock + hours(1), story.clock + hours(1), "adopt", story.edition, rules or Later())
    said = command("adopt_edition", edition=Later.id, reason="新规施行")
    assert isinstance(said, AdoptEdition)
    event = story.case.do(said, context)
    story.clock += hours(1)
    return event


def test_what_is_pending_goes_by_the_new_edition_and_what_somebody_set_or_stopped_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    story = taken().when("tip_off", to="market_regulator", about="counterfeit", statement="售假")
    story.when("tip_off", to="market_regulator", about="price_fraud", statement="虚构原价")
    story.when("notify", "agent", party="merchant", answer_by=days(9))
    first, second = (d.id for d in story.facts.duties.values() if d.kind == "tip_off_check")
    result = story.duty("referral_result").id
    story.when("pause_duty", _REGULATOR, duty=first, reason="检测").when("resume_duty", _REGULATOR, duty=first)
    story.when("extend_duty", _REGULATOR, duty=second, until=days(90), reason="情况特殊")
    before = {d.id: d.due for d in story.facts.duties.values()}

    event = adopt(story)

    assert [(c.id, c.change) for c in event.duties] == [(result, "recomputed")]
    assert story.facts.duties[result].due.at == before[result].at - days(1)
    assert {d.id: d.due for d in story.facts.duties.values() if d.id != result} == {
        name: held for name, held in before.items() if name != result}
    assert (story.facts.edition, event.edition_digest) == (Later.id, Later.digest)  # type: ignore[attr-defined]
    published(monkeypatch, Later())
    assert audit_case(rows_of(story)) == []
    rows = with_row(rows_of(story), event.originator_version, lambda row: forged(row, duties=None))
    assert found(rows) == [("derived_differs", event.originator_version)]
    forged_digest = with_row(rows_of(story), event.originator_version, lambda row: forged(row, edition_digest="0" * 64))
    assert found(forged_digest) == [("edition_differs", event.originator_version)]


def published(monkeypatch: pytest.MonkeyPatch, rules: Later) -> None:
    """The audit knows that edition."""
    for module in ("law", "deadlines", "second"):
        monkeypatch.setattr(f"casework.audit.{module}.edition", lambda name: rules if name == rules.id else EDITIONS.get(name))


def test_limitation_is_not_shortened_by_another_edition() -> None:
    story = contacted()
    assert [c.duty for c in adopt(story).duties] == ["merchant_answer"]


def test_what_is_over_is_not_revived_by_another_edition() -> None:
    story = contacted().until("merchant_answer")
    story.clock += days(1)
    assert adopt(story).duties == ()
    assert story.duty("merchant_answer").is_late(story.clock)


def test_a_case_goes_over_to_a_later_edition_and_never_back() -> None:
    story = case_in("filed", rules=EDITIONS["2026-11"])
    story.refused("adopt_edition", "supervisor", "unknown_edition_named", edition="2099-01", reason="x")
    story.refused("adopt_edition", "consumer", "role_not_allowed", edition=CURRENT.id, reason="x")
    story.when("adopt_edition", "supervisor", edition=CURRENT.id, reason="新规施行")
    assert story.facts.edition == CURRENT.id
    assert audit_case(rows_of(story)) == []
    for name in ("2026-11", CURRENT.id):
        story.refused("adopt_edition", "supervisor", "not_a_later_edition", edition=name, reason="x")
    story.when("log_call", note="快件丢了", channel="carrier_service")
    assert story.duty("courier_answer").due.rule == "courier.complaint", "from here on the new rules open duties"
    assert audit_case(rows_of(story)) == []
    assert found(with_row(rows_of(story), 4, lambda row: forged(row, data={"edition": "2099-01"})))[:1] != []


# --- days that no calendar covers yet --------------------------------------------------------------------------------

#: The New Year holiday of a year whose calendar is not published: the estimate counts its working week.
NEW_YEAR = date(2190, 1, 1)


def calendar_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """The State Council's notice is there: the week of the New Year is free, all others run from Monday to Friday."""
    def works(day: date) -> bool:
        return day.weekday() < 5 and not timedelta(0) <= day - NEW_YEAR < timedelta(days=7)

    monkeypatch.setattr(calendar, "_published", lambda day: (works(day), day.weekday() < 5 and not works(day)))
    monkeypatch.setattr("casework.application.clockwork.covered_until", lambda: at_shanghai("2200-01-01T00:00:00"))


def before_the_calendar() -> Story:
    """A referral and a tip-off that are due after a New Year of which the working days are not known."""
    story = opened_at(at_shanghai("2189-12-20T10:00:00"))
    story.when("contact_merchant", message="坏了")
    story.when("tip_off", to="market_regulator", about="counterfeit", statement="售假")
    return story.when("refer", after=days(5), body="market_regulator", statement="请求调解")


def test_working_days_beyond_the_calendar_are_due_provisionally_and_nobody_is_late_by_that(
        monkeypatch: pytest.MonkeyPatch) -> None:
    story = before_the_calendar()
    for kind in ("tip_off_check", "referral_acceptance"):
        duty = story.duty(kind)
        assert duty.due.provisional
        assert not duty.is_late(duty.due.at + days(900))
        assert [d["provisional"] for d in duties(story.facts, story.clock) if d["id"] == duty.id] == [True]
    story.when("log_call", after=days(900), note="三年以后")
    assert story.duty("tip_off_check").state == "running"
    assert found(rows_of(story)) == []
    calendar_arrives(monkeypatch)
    assert found(rows_of(story)) == [], "an estimate is no untruth when the calendar says otherwise"


def test_a_provisional_deadline_is_computed_again_from_its_beginning_when_the_calendar_is_there(
        monkeypatch: pytest.MonkeyPatch) -> None:
    story = before_the_calendar()
    duty = msgspec.structs.replace(story.duty("tip_off_check"))
    calendar_arrives(monkeypatch)
    story.when("recompute_duty", "system", duty=duty.id)
    after = same(duty, story)
    assert [(c.id, c.change) for c in events_of(story)[-1].duties] == [(duty.id, "recomputed")]
    assert (after.due.provisional, after.due.at) == (False, CURRENT.due("tipoff.check", duty.since).at)
    assert after.due.at > duty.due.at, "the holiday is not counted"
    story.refused("recompute_duty", "system", "duty_is_final", duty=duty.id)
    assert after.is_late(after.due.at + MOMENT)
    assert found(rows_of(story)) == []
    version = story.facts.version
    moved = [c | {"due": c["due"] | {"at": "2190-01-02T00:00:00Z"}} for c in json.loads(rows_of(story)[-1].payload)["duties"]]
    assert found(with_row(rows_of(story), version, lambda row: forged(row, duties=moved))) == [("derived_differs", version)]
    monkeypatch.undo()
    assert found(rows_of(story)) == [("not_checked", version)], "an older machine cannot tell, and says so"


def test_limitation_is_computed_again_from_the_last_demand_and_not_from_the_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    story = before_the_calendar().when("contact_merchant", after=days(40), message="再次请求")
    before = story.duty("limitation").due
    assert before.provisional
    calendar_arrives(monkeypatch)
    story.when("recompute_duty", "system", duty=story.duty("limitation").id)
    assert story.duty("limitation").due == msgspec.structs.replace(before, provisional=False)
    assert found(rows_of(story)) == []


def test_a_time_that_is_said_is_no_estimate_any_more() -> None:
    story = before_the_calendar()
    duty = story.duty("referral_acceptance")
    story.when("extend_duty", _REGULATOR, duty=duty.id, until=duty.due.at + days(9), reason="情况特殊")
    assert not same(duty, story).due.provisional
    assert same(duty, story).is_late(duty.due.at + days(9) + MOMENT)
    story.refused("recompute_duty", "system", "duty_is_final", duty=duty.id)


def test_to_go_over_to_another_edition_before_the_calendar_is_there_is_no_fault_when_it_is(
        monkeypatch: pytest.MonkeyPatch) -> None:
    story = before_the_calendar()
    adopt(story, Same())
    published(monkeypatch, Same())
    assert found(rows_of(story)) == []
    calendar_arrives(monkeypatch)
    assert found(rows_of(story)) == []


# --- over whole lives ------------------------------------------------------------------------------------------------


def test_both_readings_agree_on_every_story_here_and_the_audit_tells_of_late_decisions_alone() -> None:
    stories = [told.opens() for told in TOLD.values()]
    late = {kind: told for kind, told in TOLD.items() if kind != "limitation"}
    stories += [meet(told.opens().until(kind)) for kind, told in late.items() for meet in told.meets.values()]
    stories += [cancel(told.opens()) for told in TOLD.values() for cancel in told.cancels.values()]
    for story in stories:
        events = events_of(story)
        assert project_all(events) == fold(events) == story.facts
        assert found(rows_of(story)) == decided_late(events)


WALKS = [walked(Random(1000 + number), 50) for number in range(40)]


def test_in_an_end_no_duty_is_alive_whatever_happened() -> None:
    ended = 0
    for walk in WALKS:
        for count, event in enumerate(walk.events, 1):
            if event.to_state in CLOSED:
                facts = fold(walk.events[:count])
                assert not [d for d in facts.duties.values() if d.is_owed]
                assert duties(facts, event.at + days(9999)) == []
                ended += 1
    assert ended >= 15


def test_the_index_of_what_runs_is_what_the_facts_say_after_every_event_of_any_walk() -> None:
    for walk in WALKS[:12]:
        for count in range(1, len(walk.events) + 1):
            facts = fold(walk.events[:count])
            told = {(d.duty, d.kind, d.owes, d.provisional) for d in running(walk.rows[:count])}
            assert told == {(d.id, d.kind, d.owes, d.due.provisional) for d in facts.duties.values() if d.state == "running"}


def test_ids_count_from_one_and_every_change_is_of_a_duty_that_was_opened() -> None:
    for walk in WALKS:
        opened: list[str] = []
        for event in walk.events:
            for change in event.duties:
                if change.change == "opened":
                    opened.append(change.id)
                else:
                    assert change.id in opened
                assert (change.due is not None) == (change.change in ("opened", "resumed", "extended", "recomputed"))
        assert opened == [f"D-{n}" for n in range(1, len(opened) + 1)]


# --- the audit -------------------------------------------------------------------------------------------------------


class Altered(NamedTuple):
    """What was done to one change of an event's duties: the changes as they were, the place, and what became of them."""

    what: str
    change: Callable[[list[dict[str, Any]], int], list[dict[str, Any]] | None]


def _replaced(changes: list[dict[str, Any]], place: int, **said: Any) -> list[dict[str, Any]]:
    return [*changes[:place], changes[place] | said, *changes[place + 1:]]


def _due(changes: list[dict[str, Any]], place: int, **said: Any) -> list[dict[str, Any]] | None:
    due = changes[place].get("due")
    return None if due is None else _replaced(changes, place, due=due | said)


ALTERED = (
    Altered("taken away", lambda c, n: c[:n] + c[n + 1:]),
    Altered("doubled", lambda c, n: c[:n + 1] + c[n:]),
    Altered("another change", lambda c, n: _replaced(c, n, change="met" if c[n]["change"] != "met" else "missed")),
    Altered("another duty's", lambda c, n: _replaced(c, n, id="D-99")),
    Altered("of another kind", lambda c, n: _replaced(c, n, duty="proof" if c[n]["duty"] != "proof" else "answer")),
    Altered("owed by another", lambda c, n: _replaced(c, n, owes="system")),
    Altered("about something else", lambda c, n: _replaced(c, n, about="R-99")),
    Altered("due at another time", lambda c, n: _due(c, n, at="2026-06-01T00:00:01Z")),
    Altered("due by another rule", lambda c, n: _due(c, n, rule="data.retention")),
    Altered("due by another clause", lambda c, n: _due(c, n, clause="某条")),
    Altered("due with another certainty", lambda c, n: _due(c, n, certainty="I")),
    Altered("due in another unit", lambda c, n: _due(c, n, unit="month")),
    Altered("due by another rank", lambda c, n: _due(c, n, rank="seed" if c[n].get("due", {}).get("rank") != "seed" else "law")),
)


def late_life() -> list[Row]:
    """Every change there is: opened, missed, met, cancelled, paused, resumed, extended."""
    story = contacted().until("merchant_answer").when("log_call", note="问平台", promised_by=days(1))
    story.when("refuse_claim", "merchant", excuse="misuse").when("file", claim="refund", statement="请裁决")
    story.evidence("fault_video", "fault_description").when("accept_complaint", "agent")
    story.when("notify", "agent", party="merchant", answer_by=days(2)).when("suspend", "agent", ground="both_ask")
    story.when("resume", "agent").when("extend_duty", "agent", duty=story.duty("answer").id, until=days(30), reason="节假日")
    return rows_of(story.when("withdraw"))


LATE = late_life()
PLACES = [(row.version, place) for row in LATE for place in range(len(json.loads(row.payload).get("duties", [])))]


def test_that_life_has_every_change_but_the_one_that_waits_for_a_calendar() -> None:
    told = {c["change"] for row in LATE for c in json.loads(row.payload).get("duties", [])}
    assert told == set(VOCABULARY["duty_change"]) - {"recomputed"}
    assert audit_case(LATE) == []


@pytest.mark.parametrize("altered", ALTERED, ids=lambda a: a.what)
def test_an_altered_change_of_a_duty_is_found_where_it_is(altered: Altered) -> None:
    tried = 0
    for version, place in PLACES:
        said = json.loads(LATE[version - 1].payload)["duties"]
        changed = altered.change(said, place)
        if changed is None or changed == said:
            continue
        tried += 1
        rows = with_row(LATE, version, lambda row, changed=changed: forged(row, duties=changed or None))  # type: ignore[misc]
        findings = found(rows)
        assert ("derived_differs", version) in findings, (version, place)
        assert [f for f in findings if f[0] != "derived_differs"] in ([], [("payload_not_canonical", version)]), findings
        assert findings[0][1] == version
        assert len(findings) <= 3, "one cause is not told at every event that follows"
    assert tried >= 6


def test_a_change_that_nobody_made_is_found() -> None:
    more = {"change": "met", "duty": "limitation", "id": "D-1", "owes": "consumer"}
    for row in LATE:
        said = json.loads(row.payload).get("duties", [])
        if more in said:
            continue
        rows = with_row(LATE, row.version, lambda r, said=said: forged(r, duties=[*said, more]))  # type: ignore[misc]
        assert found(rows)[0] == ("derived_differs", row.version)


@pytest.mark.parametrize("kind", ["merchant_answer", "platform_reply", "answer"])
def test_a_time_that_is_called_provisional_where_no_working_days_are_counted_is_found(kind: str) -> None:
    for row in LATE:
        said = json.loads(row.payload).get("duties", [])
        for place, change in enumerate(said):
            if change["duty"] == kind and "due" in change:
                changed = _due(said, place, at="2030-01-01T00:00:00Z", provisional=True)
                rows = with_row(LATE, row.version, lambda r, changed=changed: forged(r, duties=changed))  # type: ignore[misc]
                assert ("derived_differs", row.version) in found(rows)


@pytest.mark.parametrize("number", range(6))
def test_in_any_walk_a_change_that_is_taken_away_is_found(number: int) -> None:
    rows, pick = WALKS[number].rows, Random(number)
    held = [row for row in rows if json.loads(row.payload).get("duties")]
    lawful = set(found(rows))
    for row in pick.sample(held, min(8, len(held))):
        said = json.loads(row.payload)["duties"]
        gone = pick.randrange(len(said))
        left = said[:gone] + said[gone + 1:]
        altered = with_row(rows, row.version, lambda r, left=left: forged(r, duties=left or None))  # type: ignore[misc]
        assert ("derived_differs", row.version) in set(found(altered)) - lawful


def test_a_case_of_the_first_lifecycle_that_holds_duties_is_found_out() -> None:
    story = case_in("filed", lifecycle=1)
    assert found(rows_of(story)) == []
    change = {"change": "met", "duty": "limitation", "id": "D-1", "owes": "consumer"}
    assert found(with_row(rows_of(story), 2, lambda row: forged(row, duties=[change]))) == [("derived_differs", 2)]


def test_a_ruling_of_the_first_lifecycle_that_says_what_it_rests_on_is_found_out() -> None:
    rows = rows_of(case_in("ruled", lifecycle=1))
    assert found(rows) == []
    basis = [{"about": "burden", "certainty": "A", "clause": "争议规则 66", "result": "weighed", "row": "hidden_defect"}]
    [finding] = audit_case(with_row(rows, len(rows), lambda row: forged(row, basis=basis)))
    assert (finding.code, finding.version) == ("derived_differs", len(rows))
    assert finding.what.en == "basis is 'hidden_defect weighed A 争议规则 66'" and finding.why.en == "derived again it is '—'"


# --- who decided too late --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), [p for p in SINGLE if p.values[0] in DECIDED_IN_TIME])
@pytest.mark.parametrize(("after", "late"), [(timedelta(0), False), (MOMENT, True), (days(1), True), (-days(1), False)])
def test_who_decides_after_the_limit_of_the_rules_is_found_and_who_decides_in_time_is_not(
        kind: str, name: str, after: timedelta, late: bool) -> None:
    story = TOLD[kind].opens()
    story.clock = story.duty(kind).due.at + after - hours(1)
    story = TOLD[kind].meets[name](story)
    findings = audit_case(rows_of(story))
    assert [f.code for f in findings] == (["decided_late"] if late else [])
    for finding in findings:
        assert finding.version == story.facts.version
        duty = story.duty(kind)
        assert duty.due.clause in finding.why.zh and duty.due.clause in finding.why.en
        assert duty.owes in finding.what.en and duty.id in finding.why.en


def test_a_late_decision_is_found_also_where_it_was_on_record_that_it_was_missed() -> None:
    story = referred().until("referral_acceptance").when("miss_duty", "system", duty="D-4")
    assert story.duty("referral_acceptance").state == "missed"
    assert found(rows_of(story)) == []
    story.when("accept_referral", _REGULATOR, referral="R-1")
    assert found(rows_of(story)) == [("decided_late", story.facts.version)]


def test_a_body_that_never_decided_did_not_decide_late() -> None:
    story = referred().until("referral_acceptance").when("withdraw_referral", referral="R-1")
    assert found(rows_of(story)) == []


def test_a_limit_that_nobody_verified_convicts_nobody_and_a_party_is_no_judge() -> None:
    story = filed()
    assert story.duty("platform_reply").due.certainty == "C"
    story.until("platform_reply").when("reject_complaint", "agent", **REJECTION)
    assert story.duty("platform_reply").state == "late"
    assert found(rows_of(story)) == []
    story = sent().until("return_confirmation").when("receive_return", "merchant")
    assert story.duty("return_confirmation").state == "late"
    assert found(rows_of(story)) == []


def test_a_clock_that_stands_still_after_an_estimate_convicts_nobody() -> None:
    story = before_the_calendar()
    duty = story.duty("referral_acceptance")
    story.clock = duty.due.at
    story.when("pause_duty", _REGULATOR, after=days(1), duty=duty.id, reason="委托检测")
    story.when("accept_referral", _REGULATOR, after=days(3), referral="R-1")
    assert same(duty, story).state == "met"
    assert found(rows_of(story)) == decided_late(events_of(story)) == []


def test_time_that_was_not_counted_is_no_lateness() -> None:
    story = taken()
    duty = story.duty("referral_result")
    end = duty.due.at
    story.when("pause_duty", _REGULATOR, duty=duty.id, reason="委托检测")
    story.when("resume_duty", _REGULATOR, after=days(20), duty=duty.id)
    story.clock = end
    story.when("settle_referral", _REGULATOR, after=days(10), referral="R-1", remedy=FULL)
    assert found(rows_of(story)) == []
    assert story.duty("referral_result").state == "met"
