"""The corners of the guards that read duties and figures: to the very moment, and of the one duty among several."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from domain_helpers import FULL, RETURN, Story, case_in, days, given_case, ruling

from casework.domain.guards import GUARDS
from casework.domain.guards.duties import LONGEST_EXTENSION
from casework.rulebook.edition import CURRENT

MOMENT = timedelta(microseconds=1)


def claimed() -> Story:
    return given_case().when("contact_merchant", message="电机异响，请退款", remedy=FULL)


def notified(*parties: str) -> Story:
    case = case_in("under_review")
    for party in parties:
        case.when("notify", "agent", party=party, answer_by=days(2))
    return case


def pause(case: Story, kind: str, owes: str) -> Story:
    [duty] = [d for d in case.facts.duties.values() if d.kind == kind and d.owes == owes]
    return case.when("pause_duty", "agent", duty=duty.id, reason="待查")


@pytest.mark.parametrize(("more", "codes"), [
    (timedelta(0), ["not_an_extension"]), (MOMENT, []), (-MOMENT, ["not_an_extension"])])
def test_an_extension_ends_later_than_what_it_extends(more: timedelta, codes: list[str]) -> None:
    case = notified("merchant")
    duty = case.duty("answer")
    until = duty.due.at + more
    assert case.ask("extend_duty", "agent", duty=duty.id, until=until, reason="待查").codes == codes


@pytest.mark.parametrize(("more", "codes"), [(timedelta(0), []), (MOMENT, ["not_an_extension"])])
def test_nothing_is_put_off_for_longer_than_the_longest(more: timedelta, codes: list[str]) -> None:
    case = notified("merchant")
    asked = case.ask("extend_duty", "agent", duty=case.duty("answer").id, until=LONGEST_EXTENSION + more, reason="待查")
    assert asked.codes == codes


def test_where_there_is_no_duty_none_is_known_and_where_there_is_one_any_may_be_meant() -> None:
    newer = case_in("filed")
    older, request = case_in("filed", lifecycle=1).facts, newer.ask_blank("miss_duty", "system").request
    assert list(GUARDS["duty_is_known"](newer.facts, request)) == []
    [reason] = GUARDS["duty_is_known"](older, request)
    assert (reason.en, reason.zh) == ("the case has no duty", "本案没有期限")
    for guard in ("duty_is_overdue", "system_waits_for_the_term"):
        [reason] = GUARDS[guard](older, request)
        assert reason.en == "the time given runs until —"


def test_the_system_takes_no_other_duty_that_is_late_for_the_one_that_it_waits_for() -> None:
    case = claimed().refer("market_regulator")
    body = case.duty("referral_acceptance").due.at
    case.when("contact_merchant", after=body - case.clock - timedelta(hours=1), message="改为换货", remedy={"kind": "exchange"})
    assert case.duty("merchant_answer").due.at > body
    assert case.ask("deem_agreed", "system", after=body - case.clock + MOMENT).codes == ["term_running"]
    late = case.duty("merchant_answer").due.at - case.clock
    assert case.ask("deem_agreed", "system", after=late).codes == ["term_running"]
    assert case.ask("deem_agreed", "system", after=late + MOMENT).codes == []


def test_what_was_missed_on_record_and_can_still_be_met_is_waited_for_no_longer() -> None:
    case = given_case().when("contact_merchant", message="电机异响")
    duty = case.duty("merchant_answer")
    case.when("miss_duty", "system", after=duty.due.at - case.clock + MOMENT, duty=duty.id)
    assert case.facts.duties[duty.id].state == "missed"
    assert case.ask("deem_agreed", "system").of("system_waits_for_the_term") == []


def test_the_clock_of_one_party_that_stands_still_makes_the_other_no_less_heard() -> None:
    case = pause(notified("consumer", "merchant"), "answer", "merchant")
    assert case.ask("rule", "agent", after=days(3), **ruling())["not_heard"].missing == ("answer:merchant",)
    both = notified("consumer", "merchant")
    assert both.ask("rule", "agent", after=days(3), **ruling()).codes == []


def test_who_was_asked_for_proof_is_not_heard_while_the_clock_of_the_proof_stands_still() -> None:
    case = case_in("awaiting_proof")
    later = case.ask_blank("rule", "agent", after=days(4))
    assert [r.missing for r in GUARDS["parties_were_heard"](later.facts, later.request)] == []
    later = pause(case, "proof", "merchant").ask_blank("rule", "agent", after=days(4))
    assert [r.missing for r in GUARDS["parties_were_heard"](later.facts, later.request)] == [("answer:merchant",)]


def test_to_the_very_moment_the_parties_may_object() -> None:
    case = case_in("ruled", outcome="for_merchant")
    last = case.duty("objection").due.at - case.clock
    assert case.ask("dismiss", "agent", after=last).codes == ["term_running"]
    assert case.ask("dismiss", "agent", after=last + MOMENT).codes == []


def test_a_case_in_which_nothing_is_sent_back_does_not_lapse_for_that() -> None:
    assert case_in("remedy_due").ask("lapse", "system", after=days(100)).codes == ["wrong_point"]

    case = case_in("remedy_due", remedy=RETURN)
    last = case.duty("return_shipping").due.at - case.clock
    assert case.ask("lapse", "system", after=last).codes == ["term_running"]
    assert case.ask("lapse", "system", after=last + MOMENT).codes == []


def test_where_anything_may_be_compensated_by_no_figure_no_figure_is_the_most() -> None:
    case = case_in("under_review", ground="quality_defect", services=["return_freight_cover"]).heard()
    remedy = {"kind": "refund", "amount": "899.00", "extra": [{"kind": "compensation", "amount": "30.00"}]}
    assert case.ask("rule", "agent", **ruling(remedy=remedy)).of("compensation_is_within_the_rules") == []


# --- what was promised on the phone ----------------------------------------------------------------------------------


def promised(*after: float) -> Story:
    case = case_in("under_review")
    for n in after:
        case.when("log_call", note="客服答应回电", promised_by=days(n))
    return case


def promises(case: Story) -> list[str]:
    return [d.state for d in case.facts.duties.values() if d.kind == "call_promise"]


def test_to_call_again_keeps_no_promise_and_the_call_that_was_promised_does() -> None:
    case = promised(2).when("log_call", note="再问一次")
    assert promises(case) == ["running"]
    case.when("log_call", note="平台回电答复", answered=True)
    assert promises(case) == ["met"]


def test_each_promise_is_one_of_its_own_and_a_call_keeps_the_one_that_is_due_first() -> None:
    case = promised(5, 2)
    assert promises(case) == ["running", "running"]
    case.when("log_call", note="第二件事办好了", answered=True)
    assert promises(case) == ["running", "met"]
    assert case.ask("escalate", after=days(2), statement="没人理").codes == ["not_overdue"]
    assert case.ask("escalate", after=days(5), statement="没人理").codes == []


def test_a_promise_that_was_kept_in_time_lets_nobody_escalate_and_one_kept_late_does() -> None:
    kept = promised(1).when("log_call", note="回电", answered=True)
    assert kept.ask("escalate", after=days(3), statement="没人理").codes == ["not_overdue"]
    late = promised(1).when("log_call", after=days(2), note="回电", answered=True)
    assert late.ask("escalate", statement="没人理").codes == []


def test_a_promise_is_broken_when_its_time_is_over_as_the_suspension_moved_it() -> None:
    case = promised(2)
    promise = case.facts.calls[-1].promised_by
    case.when("suspend", "agent", ground="both_ask").when("resume", "agent", after=days(10))
    moved = case.duty("call_promise").due.at
    assert promise is not None and promise < case.clock < moved
    assert case.ask("escalate", after=moved - case.clock, statement="没人理").codes == ["not_overdue"]
    assert case.ask("escalate", after=moved - case.clock + MOMENT, statement="没人理").codes == []


# --- a notice while the review is suspended --------------------------------------------------------------------------


def answers(case: Story) -> list[str]:
    return [d.state for d in case.facts.duties.values() if d.kind == "answer"]


def test_a_notice_during_a_suspension_stands_for_the_one_before_and_waits_like_it() -> None:
    case = notified("merchant").when("suspend", "agent", ground="both_ask")
    case.when("notify", "agent", party="merchant", answer_by=days(3))
    assert answers(case) == ["cancelled", "paused"]
    case.when("resume", "agent", after=days(10))
    assert answers(case) == ["cancelled", "running"]
    assert case.duty("answer").due.at == case.clock + days(3)
    assert case.ask("rule", "agent", after=days(2), **ruling())["not_heard"].missing == ("answer:merchant",)


def test_a_first_notice_during_a_suspension_does_not_run_before_it_ends() -> None:
    case = case_in("under_review").when("suspend", "agent", ground="both_ask")
    case.when("notify", "agent", party="merchant", answer_by=days(1))
    assert answers(case) == ["paused"]
    case.when("resume", "agent", after=days(5)).when("answer", "merchant", statement="意见")
    assert answers(case) == ["met"]


# --- a suspension for a court ----------------------------------------------------------------------------------------


def before_court() -> Story:
    case = case_in("under_review").refer("court").when("suspend", "agent", ground="court")
    return case.when("show_acceptance", document="受理案件通知书").when("accept_referral", "external:court", referral="R-1")


def judged(case: Story, by: str = "merchant", **step: Any) -> Story:
    """A judgment that a party puts in the file, and that the agent finds authentic."""
    case.when("add_evidence", by, kind="court_judgment", description="判决书", **step)
    return case.when("examine_evidence", "agent", evidence=f"E-{len(case.facts.evidence)}", result="authentic")


@pytest.mark.parametrize("ends", ["end_referral", "withdraw_referral"])
def test_a_suspension_for_a_court_ends_at_once_where_the_suit_is_over(ends: str) -> None:
    case = before_court()
    assert case.ask("resume", "system", after=days(300)).codes == ["term_running"]
    data = {"referral": "R-1"} | ({"explanation": "原告撤诉"} if ends == "end_referral" else {})
    case.when(ends, "external:court" if ends == "end_referral" else "consumer", after=days(40), **data)
    ended = case.duty("suspension")
    assert (ended.due.at, ended.due.rule, ended.about, ended.owes) == (case.clock, ends, "court", "agent")
    assert case.ask("resume", "system", after=MOMENT).codes == []


@pytest.mark.parametrize("how", ["by the court", "by a party"])
def test_after_a_judgment_it_ends_by_the_time_to_appeal(how: str) -> None:
    case = before_court()
    if how == "by the court":
        case.when("settle_referral", "external:court", after=days(60), referral="R-1", remedy=RETURN)
    else:
        judged(case, after=days(60))
    due = case.duty("suspension").due
    assert due.rule == "court.appeal" and days(15) <= due.at - case.clock < days(25)
    assert case.ask("resume", "system", after=due.at - case.clock).codes == ["term_running"]
    assert case.ask("resume", "system", after=due.at - case.clock + MOMENT).codes == []
    assert case.ask("resume", "agent").codes == []


def test_a_suit_that_the_court_refuses_ends_the_suspension_at_once() -> None:
    case = case_in("under_review").refer("court").when("suspend", "agent", ground="court")
    case.when("show_acceptance", document="收件回执")
    case.when("refuse_referral", "external:court", referral="R-1", explanation="不予受理")
    assert case.duty("suspension").due.rule == "refuse_referral"
    assert case.ask("resume", "system", after=MOMENT).codes == []


def test_what_is_no_end_of_the_suit_ends_no_suspension() -> None:
    def opened(case: Story) -> int:
        return sum(d.kind == "suspension" for d in case.facts.duties.values())

    assert opened(before_court().evidence("chat_record")) == 0
    assert opened(before_court().refer("market_regulator").when("withdraw_referral", referral="R-2")) == 0
    assert opened(judged(case_in("under_review").when("suspend", "agent", ground="both_ask"))) == 1
    assert opened(judged(case_in("under_review").when("suspend", "agent", ground="court"))) == 0
    told_twice = judged(before_court()).when("withdraw_referral", referral="R-1")
    assert opened(told_twice) == 1
    unexamined = before_court().when("add_evidence", "merchant", kind="court_judgment", description="判决书")
    assert opened(unexamined) == 0
    assert opened(unexamined.when("examine_evidence", "agent", evidence="E-2", result="forged")) == 0
    assert opened(before_court().when("examine_evidence", "agent", evidence="E-1", result="authentic")) == 0


#: What is heard of the suit after the suspension began and before its acceptance was shown: what that gives once it is shown.
HEARD_BEFORE = {
    "withdrawn": (lambda case: case.when("withdraw_referral", referral="R-1"), "show_acceptance"),
    "refused": (lambda case: case.when("refuse_referral", "external:court", referral="R-1", explanation="不予受理"),
                "show_acceptance"),
    "ended": (lambda case: taken(case).when("end_referral", "external:court", referral="R-1", explanation="终结"),
              "show_acceptance"),
    "withdrawn after a judgment": (lambda case: judged(case).when("withdraw_referral", referral="R-1"), "show_acceptance"),
    "settled": (lambda case: taken(case).when("settle_referral", "external:court", referral="R-1", remedy=RETURN),
                "court.appeal"),
    "judged": (judged, "court.appeal"),
    "withdrawn and lodged anew": (lambda case: case.when("withdraw_referral", referral="R-1").refer("court"), None),
    "a judgment that nobody examined": (lambda case: case.evidence("court_judgment"), None),
    "another body's": (lambda case: case.refer("market_regulator").when("withdraw_referral", referral="R-2"), None),
    "nothing": (lambda case: case, None),
}


def taken(case: Story) -> Story:
    return case.when("accept_referral", "external:court", referral="R-1")


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("heard", HEARD_BEFORE)
def test_what_is_heard_of_the_suit_before_its_acceptance_is_shown_counts_from_then_on(heard: str, late: bool) -> None:
    story, rule = HEARD_BEFORE[heard]
    case = story(case_in("under_review").refer("court").when("suspend", "agent", ground="court"))
    if late:
        case.until("acceptance_proof").when("miss_duty", "system", duty=case.duty("acceptance_proof").id)
    case.when("show_acceptance", document="受理案件通知书")
    ends = [d for d in case.facts.duties.values() if d.kind == "suspension"]
    assert [d.due.rule for d in ends] == ([] if rule is None else [rule])
    if rule is None:
        assert case.ask("resume", "system", after=days(300)).codes == ["term_running"]
    elif rule == "show_acceptance":
        assert (ends[0].due.at, ends[0].about) == (case.clock, "court")
        assert case.ask("resume", "system", after=MOMENT).codes == []
    else:
        # From the showing on: it is counted from when it begins, and the judgment is older.
        assert ends[0].due.at == CURRENT.due("court.appeal", case.clock).at
        assert case.ask("resume", "system", after=ends[0].due.at - case.clock + MOMENT).codes == []


def test_a_suit_that_was_given_up_before_the_suspension_is_another_one() -> None:
    case = case_in("under_review").refer("court").when("withdraw_referral", referral="R-1", after=days(1))
    case.when("suspend", "agent", after=days(1), ground="court", party="merchant")
    case.when("show_acceptance", "merchant", document="受理通知书")
    assert not [d for d in case.facts.duties.values() if d.kind == "suspension"]


def test_the_police_of_an_earlier_suspension_limit_none_for_a_court() -> None:
    case = case_in("under_review").when("suspend", "agent", ground="police").until("acceptance_proof").when("resume", "system")
    case.when("suspend", "agent", ground="court").when("show_acceptance", document="受理案件通知书")
    assert not [d for d in case.facts.duties.values() if d.kind == "suspension"]


# --- how much compensation -------------------------------------------------------------------------------------------


def compensated(amount: str, *, kind: str = "refund", paid: str = "268.00", proof: str | None = None,
                ground: str = "late_shipment", **order: object) -> list[str]:
    case = case_in("under_review", ground=ground, order={"paid": paid, **order}).heard()
    if proof is not None:
        case.when("ask_proof", "agent", party="merchant", kinds=["shipping_proof"], answer_by=days(2))
        case.when("submit_proof", "merchant", kinds=["shipping_proof"], statement="已经发货")
        case.when("examine_proof", "agent", kind="shipping_proof", result=proof)
    remedy = {"kind": kind, "amount": "1.00", "extra": [{"kind": "compensation", "amount": amount}]}
    return case.ask("rule", "agent", **ruling(remedy=remedy)).of("compensation_is_within_the_rules")


@pytest.mark.parametrize(("proof", "amount", "codes"), [
    (None, "13.40", []), (None, "13.41", ["amount_exceeds_rule"]), ("accepted", "26.80", ["amount_exceeds_rule"]),
    ("missing", "26.80", []), ("forged", "26.81", ["amount_exceeds_rule"])])
def test_late_shipment_is_paid_by_its_own_records_unless_nothing_was_shipped(
        proof: str | None, amount: str, codes: list[str]) -> None:
    assert compensated(amount, proof=proof) == codes


@pytest.mark.parametrize(("promise", "amount", "codes"), [
    ("50.00", "50.00", []), ("50.00", "50.01", ["amount_exceeds_rule"]), ("5.00", "13.40", []),
    ("5.00", "13.41", ["amount_exceeds_rule"])])
def test_of_the_promised_sum_and_that_of_the_rule_the_higher_counts(promise: str, amount: str, codes: list[str]) -> None:
    assert compensated(amount, liquidated_damages=promise) == codes


def test_freight_is_held_to_what_was_paid_for_the_goods_or_for_cheap_ones_to_a_bound_of_ours() -> None:
    assert compensated("100.00", ground="malfunction", paid="9.90") == []
    assert compensated("100.01", ground="malfunction", paid="9.90") == ["amount_exceeds_rule"]
    assert compensated("268.00", ground="malfunction") == []
    assert compensated("268.01", ground="malfunction") == ["amount_exceeds_rule"]


def test_what_bounds_freight_is_not_told_as_a_figure_of_the_law() -> None:
    case = case_in("under_review", ground="malfunction", order={"paid": "9.90"}).heard()
    remedy = {"kind": "refund", "amount": "1.00", "extra": [{"kind": "compensation", "amount": "100.01"}]}
    [refused] = case.refusal("rule", "agent", **ruling(remedy=remedy)).reasons
    assert "more than the 100.00" in refused.en and "; no rule says how much freight is, it is held to 100.00)" in refused.en
    assert "超过平台规则和商家承诺的 100.00" in refused.zh and "，运费没有规定数额，至多按 100.00 计）" in refused.zh


def test_where_no_rule_and_no_promise_provides_it_the_platform_compensates_nothing() -> None:
    assert compensated("1.00", ground="price_fraud") == ["compensation_not_provided"]
    assert compensated("1.00", ground="price_fraud", liquidated_damages="1.00") == []


def test_the_cover_of_damage_is_for_goods_that_are_kept() -> None:
    cover = {"ground": "parcel_damaged", "services": ("damage_cover",), "paid": "100.00"}
    assert compensated("160.00", **cover) == []  # type: ignore[arg-type]
    assert compensated("160.01", **cover) == ["amount_exceeds_rule"]  # type: ignore[arg-type]
    assert compensated("100.01", kind="return_refund", **cover) == ["amount_exceeds_rule"]  # type: ignore[arg-type]
