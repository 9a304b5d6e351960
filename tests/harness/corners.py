"""Stories that no scenario tells: promises on the phone, notices in a suspension, suits that end, promised damages.

What decides on duties and on the basis of a ruling is told twice; these are where the two would part first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from domain_helpers import Story, case_in, days, ruling

from casework.domain import events as e

COMPENSATED = {"kind": "refund", "amount": "899.00", "extra": [{"kind": "compensation", "amount": "50.00"}]}


def _promised(*until: float) -> Story:
    story = case_in("under_review")
    for n in until:
        story.when("log_call", note="客服答应回电", promised_by=days(n))
    return story


def _kept(story: Story, after: float = 1) -> Story:
    return story.when("log_call", after=days(after), note="回电答复", answered=True)


def _two_promises() -> Story:
    return _kept(_kept(_promised(9, 5).when("log_call", note="再问一次")), 7)


def _promise_kept_and_given() -> Story:
    story = _promised(3).when("log_call", note="办好一件，再答应一件", answered=True, promised_by=days(4))
    return story.when("escalate", after=days(6), statement="没有回电")


def _promises_that_stood_still() -> Story:
    story = _promised(3, 2).when("suspend", "agent", ground="both_ask")
    _kept(story, 4)
    return _kept(story.when("resume", "agent", after=days(2)))


def _carrier_keeps_no_promise() -> Story:
    return _promised(3).when("log_call", note="快递答复", channel="carrier_service", answered=True)


def _notices_in_a_suspension() -> Story:
    story = case_in("under_review").when("notify", "agent", party="merchant", answer_by=days(2))
    story.when("notify", "agent", party="consumer", answer_by=days(1))
    story.when("suspend", "agent", ground="both_ask", after=days(1.5))
    for n in (3, 5):
        for party in ("merchant", "consumer"):
            story.when("notify", "agent", party=party, answer_by=days(n))
    story.when("answer", "consumer", statement="意见").when("resume", "agent", after=days(4))
    story.when("notify", "agent", party="merchant", answer_by=days(8))
    return story.when("answer", "merchant", after=days(9), statement="意见")


def _notice_in_a_suspension_beside_one_that_was_stopped() -> Story:
    story = case_in("under_review").when("notify", "agent", party="merchant", answer_by=days(2))
    story.when("pause_duty", "agent", duty=story.duty("answer").id, reason="待查")
    story.when("notify", "agent", party="merchant", answer_by=days(4)).when("suspend", "agent", ground="both_ask")
    return story.when("notify", "agent", party="merchant", answer_by=days(5)).when("resume", "agent", after=days(3))


def _sued(*, taken: bool = True) -> Story:
    story = case_in("under_review").when("refer", body="court", statement="起诉").when("suspend", "agent", ground="court")
    if taken:
        story.when("accept_referral", "external:court", referral="R-1")
    return story.when("show_acceptance", "consumer", document="受理通知书").when("log_call", note="问进展")


def _judged() -> Story:
    story = _sued().when("settle_referral", "external:court", after=days(60), referral="R-1",
                         remedy={"kind": "refund", "amount": "899.00"}, document="判决书")
    _examined(story)
    return story.until("suspension").when("resume", "system")


def _judgment_in_the_file() -> Story:
    return _examined(_examined(_sued()).evidence("court_judgment")).when("resume", "agent")


def _suit_ended() -> Story:
    return _sued().when("end_referral", "external:court", referral="R-1", explanation="终结诉讼").when("resume", "system")


def _suit_withdrawn() -> Story:
    return _sued().when("withdraw_referral", referral="R-1").when("resume", "agent", after=days(3))


def _suit_refused() -> Story:
    story = _sued(taken=False).when("refuse_referral", "external:court", referral="R-1", explanation="不予受理")
    return _examined(story).when("resume", "system")


def _examined(story: Story) -> Story:
    story.evidence("court_judgment")
    return story.when("examine_evidence", "agent", evidence=f"E-{len(story.facts.evidence)}", result="authentic")


def _suspended() -> Story:
    return case_in("under_review").when("refer", body="court", statement="起诉").when("suspend", "agent", ground="court")


def _shown(story: Story) -> Story:
    return story.when("show_acceptance", "consumer", document="受理通知书")


def _suit_over_before_it_was_shown() -> Story:
    return _examined(_suspended().when("withdraw_referral", referral="R-1")).when("resume", "agent")


def _suit_over_and_then_shown() -> Story:
    return _shown(_examined(_suspended()).when("withdraw_referral", referral="R-1")).when("resume", "system")


def _settled_and_then_shown() -> Story:
    story = _suspended().when("accept_referral", "external:court", referral="R-1")
    story.when("settle_referral", "external:court", referral="R-1", remedy={"kind": "refund", "amount": "899.00"})
    return _shown(story).until("suspension").when("resume", "system")


def _judged_and_then_shown() -> Story:
    return _shown(_examined(_suspended())).until("suspension").when("resume", "system")


def _suit_over_before_the_suspension() -> Story:
    story = case_in("under_review").when("refer", body="court", statement="起诉").when("withdraw_referral", referral="R-1")
    return _shown(story.when("suspend", "agent", after=days(1), ground="court")).when("resume", "agent")


def _police_and_then_court() -> Story:
    story = case_in("under_review").when("suspend", "agent", ground="police").until("acceptance_proof").when("resume", "system")
    return _shown(story.when("suspend", "agent", ground="court")).when("resume", "agent")


def _court_finds_forged() -> Story:
    story = _sued().evidence("court_judgment")
    return story.when("examine_evidence", "agent", evidence="E-2", result="forged").when("resume", "agent")


def _another_body_ends() -> Story:
    story = _sued().when("tip_off", to="market_regulator", about="malfunction", statement="举报")
    return story.evidence("fault_video").when("resume", "agent")


def _promised_damages(paid: str = "60.00") -> Story:
    story = case_in("under_review", order={"liquidated_damages": paid}).heard()
    return story.when("rule", "agent", **ruling(remedy=COMPENSATED))


STORIES: dict[str, Callable[[], Story]] = {story.__name__.strip("_").replace("_", " "): story for story in (
    _two_promises, _promise_kept_and_given, _promises_that_stood_still, _carrier_keeps_no_promise, _notices_in_a_suspension,
    _notice_in_a_suspension_beside_one_that_was_stopped, _judged, _judgment_in_the_file, _suit_ended, _suit_withdrawn,
    _suit_refused, _suit_over_before_it_was_shown, _suit_over_and_then_shown, _settled_and_then_shown, _judged_and_then_shown,
    _suit_over_before_the_suspension, _police_and_then_court, _court_finds_forged, _another_body_ends, _promised_damages,
)}


def events_of(name: str) -> tuple[e.Event, ...]:
    """The events of one of the stories."""
    return tuple(cast(Iterable[e.Event], STORIES[name]().case.pending_events))
