"""The corners of the guards that read duties and figures: to the very moment, and of the one duty among several."""

from __future__ import annotations

from datetime import timedelta

import pytest
from domain_helpers import FULL, RETURN, Story, case_in, days, given_case, ruling

from casework.domain.guards import GUARDS
from casework.domain.guards.duties import LONGEST_EXTENSION

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
