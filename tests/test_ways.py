"""The bodies outside the platform: the graph as a whole, both laws of 12315, what shuts out whom, what is to be brought."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from domain_helpers import START, Story, case_in, days, given_case
from figures import Figures

from casework.domain.bodies import NODES, REGIMES, in_the_way, regime, shut_out_by
from casework.domain.check import Check, Line
from casework.domain.guards import EXCLUSIVE, SHUTS_OUT, limitation
from casework.domain.request import Request
from casework.domain.returns import REQUIREMENTS, instant_refund_requirements, is_open, return_requirements
from casework.domain.values import Actor
from casework.domain.vocabulary import VOCABULARY
from casework.domain.ways import Way, limitation_end, ways
from casework.rulebook.edition import CURRENT

CHINESE = re.compile(r"[\u4e00-\u9fff]")
BEFORE = datetime.fromisoformat("2026-04-14T23:59:59+08:00")
AFTER = datetime.fromisoformat("2026-04-15T00:00:00+08:00")
COMPLAINTS = ("association", "mediation_body", "regulator_complaint")


def of(story: Story, at: datetime | None = None) -> dict[str, Way]:
    return {w.id: w for w in ways(story.facts, Figures(), at or story.clock)}


def check(way: Way, name: str) -> Check:
    [one] = [c for c in way.checks if c.name == name]
    return one


def contacted(**given: Any) -> Story:
    return given_case(**given).when("contact_merchant", message="请处理")


def taken_by(body: str) -> Story:
    story = contacted()
    if body == "postal_authority":
        story.when("log_call", channel="carrier_service", note="投诉快递公司")
        story.when("log_call", channel="carrier_service", note="快递公司的答复不能接受", answered=True)
    story.when("refer", body=body, statement="请求处理")
    return story.when("accept_referral", f"external:{body}", referral=_only(story))


# --- the graph -------------------------------------------------------------------------------------------------------


def test_every_body_has_a_node_and_every_node_a_body() -> None:
    assert {n.body for n in NODES.values()} == set(VOCABULARY["body"])


def lines(value: Any) -> Iterator[Line]:
    if isinstance(value, Line):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from lines(item)


@pytest.mark.parametrize("name", NODES)
def test_every_node_says_everything_in_both_languages_with_its_clauses(name: str) -> None:
    node = NODES[name]
    for said in lines(node):
        assert CHINESE.search(said.zh) and said.en.isprintable(), said
        assert not CHINESE.search(said.en), said
    for part in (node, *node.documents, *node.clocks):
        assert part.clause
        assert part.certainty in {"A", "A-", "B", "C", "I"}
    for document in node.documents:
        assert set(document.kinds) <= set(VOCABULARY["evidence"])
    assert set(node.grounds) <= set(VOCABULARY["ground"]) and set(node.shut_out_by) <= set(VOCABULARY["body"])


def test_a_court_is_shut_out_by_nobody_and_the_platform_shuts_nobody_out() -> None:
    for at in (BEFORE, AFTER):
        assert shut_out_by("court", at) == ()
        assert set(shut_out_by("market_regulator", at)) <= set(VOCABULARY["body"])
    assert "platform" not in VOCABULARY["body"]


def test_it_says_what_the_guard_of_acceptance_says_under_the_law_in_force() -> None:
    """The guard knows today's law only; the older one knew one body more."""
    for body in EXCLUSIVE:
        assert set(shut_out_by(body, AFTER)) == set(SHUTS_OUT) - {body}
    assert set(shut_out_by("market_regulator", BEFORE)) - set(shut_out_by("market_regulator", AFTER)) == {"mediation_body"}


# --- two laws --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "law"), [
    ("2019-06-01T00:00:00+08:00", "order_20"), ("2020-01-01T00:00:00+08:00", "order_20"), (BEFORE.isoformat(), "order_20"),
    (AFTER.isoformat(), "order_121"), ("2026-04-14T16:00:00+00:00", "order_121"), ("2030-01-01T00:00:00+08:00", "order_121"),
])
def test_the_law_of_12315_goes_by_the_local_day(at: str, law: str) -> None:
    assert regime(datetime.fromisoformat(at)).id == law


def test_the_two_laws_follow_each_other_without_a_gap() -> None:
    old, new = REGIMES
    assert old.last is not None
    assert (new.first - old.last).days == 1 and new.last is None


def test_another_mediation_body_shut_12315_out_until_the_new_law_and_does_not_since() -> None:
    story = taken_by("mediation_body")
    story.when("end_referral", "external:mediation_body", referral=_only(story), explanation="未达成协议")
    old, new = of(story, BEFORE)["regulator_complaint"], of(story, AFTER)["regulator_complaint"]
    assert (old.status, new.status) == ("closed", "depends")
    assert check(old, "not_shut_out").clause == "暂行办法（20号令）15(2)"
    assert check(new, "not_shut_out").clause == "办法（121号令）16(2)"
    assert old.regime and new.regime and (old.regime.id, new.regime.id) == ("order_20", "order_121")
    assert {d.clause for d in old.bring if d.id == "identity"} == {"暂行办法（20号令）9"}


def _only(story: Story) -> str:
    [referral] = story.facts.referrals
    return referral


@pytest.mark.parametrize("at", [BEFORE, AFTER])
@pytest.mark.parametrize("body", ["court", "arbitration", "consumer_association", "postal_authority"])
def test_what_a_court_or_another_body_has_12315_refuses_under_either_law_and_the_tip_off_stays_open(body: str,
at: datetime) -> None:
    found = of(taken_by(body), at)
    assert found["regulator_complaint"].status == "closed"
    assert check(found["regulator_complaint"], "not_shut_out").state == "not_met"
    assert found["regulator_tip_off"].status == "open"


def test_what_only_was_lodged_or_refused_shuts_nobody_out() -> None:
    story = contacted().when("refer", body="consumer_association", statement="请求处理")
    assert check(of(story)["regulator_complaint"], "not_shut_out").state == "met"
    assert in_the_way(story.facts, "market_regulator", AFTER) == ()


def test_an_ended_mediation_still_shuts_out_and_a_court_takes_it_all_the_same() -> None:
    story = taken_by("market_regulator")
    story.when("end_referral", "external:market_regulator", referral=_only(story), explanation="未达成协议")
    found = of(story, AFTER)
    assert found["association"].status == "closed"
    assert found["suit"].status == "open"


def test_the_limits_of_12315_come_from_the_edition_and_run_from_the_referral_once_there_is_one() -> None:
    story = contacted()
    at = datetime.fromisoformat("2026-04-15T10:00:00+08:00")
    due = of(story, at)["regulator_complaint"].clocks[0]
    assert due.at is not None and due.at.date().isoformat() == "2026-04-24"
    assert "121" in due.clause
    story.when("refer", body="market_regulator", statement="请求调解")
    way = of(story, at)["regulator_complaint"]
    assert way.status == "closed" and way.referral == _only(story)
    assert way.clocks[0].at == CURRENT.due("mr12315.accept", story.clock).at
    assert "20" in way.clocks[0].clause and "121" not in way.clocks[0].clause


# --- conditions ------------------------------------------------------------------------------------------------------


def test_before_the_merchant_was_contacted_no_mediation_is_open_but_a_tip_off_and_a_suit_are() -> None:
    found = of(given_case())
    assert {found[name].status for name in COMPLAINTS} == {"closed"}
    assert (found["regulator_tip_off"].status, found["suit"].status) == ("open", "open")


def test_the_three_years_of_12315_run_from_opening_and_those_of_a_suit_anew_from_a_demand() -> None:
    story = given_case().when("contact_merchant", after=days(365), message="请处理")
    at = START + days(3 * 365 + 10)
    found = of(story, at)
    assert check(found["regulator_complaint"], "within_three_years").state == "not_met"
    assert check(found["suit"], "limitation_runs").state == "met"


def test_the_end_of_limitation_is_the_guards() -> None:
    story = given_case().when("contact_merchant", after=days(100), message="请处理")
    request = Request("lapse", Actor(role="system", id="system"), story.clock, CURRENT)
    assert limitation_end(story.facts, CURRENT).at == limitation(story.facts, request).at


def test_the_postal_authority_is_for_parcels_and_after_the_couriers_seven_days() -> None:
    assert of(contacted(ground="malfunction"))["postal_appeal"].status == "closed"
    story = contacted(ground="parcel_lost")
    assert check(of(story)["postal_appeal"], "courier_asked_first").state == "not_met"
    story.when("log_call", channel="carrier_service", note="已投诉丢件")
    assert of(story)["postal_appeal"].status == "depends", "an answer that does not satisfy is enough, and is not in the file"


def test_the_couriers_seven_days_are_the_rulebooks() -> None:
    class Seven(Figures):
        def has(self, rule_id: str) -> bool:
            return rule_id == "courier.complaint" or super().has(rule_id)

        def due(self, rule_id: str, start: datetime) -> Any:
            return super().due("no_reason_return.window" if rule_id == "courier.complaint" else rule_id, start)

    story = contacted(ground="parcel_lost").when("log_call", channel="carrier_service", note="已投诉丢件")
    [way] = [w for w in ways(story.facts, Seven(), story.clock + days(9)) if w.id == "postal_appeal"]
    assert check(way, "courier_asked_first").state == "met" and way.status == "open"


@pytest.mark.parametrize(("ground", "evidence", "state"), [
    ("malfunction", (), "unknown"), ("malfunction", ("test_report",), "met"), ("counterfeit", (), "unknown"),
    ("late_shipment", (), "met"), ("damaged", (), "met"),
])
def test_a_small_claim_is_for_what_needs_no_appraisal(ground: str, evidence: tuple[str, ...], state: str) -> None:
    way = of(contacted(ground=ground).evidence(*evidence))["small_claims"]
    assert check(way, "no_appraisal_needed").state == state
    assert way.status == "depends", "the province's wage is not in the file"


def test_what_is_in_the_file_need_not_be_brought() -> None:
    story = contacted()
    before = {d.id for d in of(story)["regulator_complaint"].missing}
    assert before == {"claim_and_facts", "purchase"}
    story.evidence("order_record", "fault_description")
    way = of(story)["regulator_complaint"]
    assert way.missing == () and {d.id for d in way.bring} == {"identity", "respondent"}
    assert way.status == "open"
    story.when("authorise_adviser", adviser="V-1")
    assert "power_of_attorney" in {d.id for d in of(story)["regulator_complaint"].bring}


def test_an_association_does_not_take_what_was_settled_and_performed() -> None:
    assert of(case_in("resolved"))["association"].status == "closed"


def test_forgery_points_to_the_police() -> None:
    assert of(contacted())["police_report"].status == "depends"
    story = case_in("under_review", ground="damaged")
    [item, *_] = story.facts.evidence.values()
    story.when("examine_evidence", "agent", evidence=item.id, result="forged")
    assert of(story)["police_report"].status == "open"


@pytest.mark.parametrize("state", ["discovered", "filed", "ruled", "remedy_due", "abandoned", "lapsed", "dismissed"])
def test_in_every_state_every_way_has_an_answer_and_reasons(state: str) -> None:
    found = of(case_in(state))
    assert list(found) == list(NODES)
    assert all(w.checks for w in found.values())


# --- what a return and an instant refund take ------------------------------------------------------------------------


def returning(ago: float = 2, category: str = "clothing", **given: Any) -> Story:
    order = {"category": category, "ordered_at": START - days(ago + 3), "received_at": START - days(ago)}
    return given_case(ground="no_reason_return", order=order, **given)


def states(story: Story, at: datetime | None = None) -> dict[str, str]:
    return {c.name: c.state for c in return_requirements(story.facts, Figures(), at or story.clock)}


def test_a_return_in_time_intact_and_not_excepted_is_open() -> None:
    story = returning().evidence("goods_photo", "tracking_record")
    assert states(story) == {"in_time": "met", "not_excepted": "met", "intact": "met", "proof_of_return": "met"}
    assert is_open(return_requirements(story.facts, Figures(), story.clock))


def test_the_seven_days_are_the_rulebooks_and_stop_at_the_first_demand() -> None:
    due = CURRENT.due("no_reason_return.window", START - days(2)).at
    story = returning()
    assert states(story, due)["in_time"] == "met"
    assert states(story, due + days(1))["in_time"] == "not_met"
    story.when("contact_merchant", message="请退货")
    assert states(story, due + days(30))["in_time"] == "met"
    assert states(given_case(ground="no_reason_return"))["in_time"] == "unknown"


@pytest.mark.parametrize("category", ["custom_made", "fresh_food", "flowers", "media", "press"])
def test_the_laws_exceptions_are_outside_unless_the_merchant_promised_more(category: str) -> None:
    assert states(returning(category=category))["not_excepted"] == "not_met"
    assert not is_open(return_requirements(returning(category=category).facts, Figures(), START))
    assert states(returning(category=category, services=("seven_day_return",)))["not_excepted"] == "met"


@pytest.mark.parametrize("category", ["cosmetics", "electronics", "food"])
def test_what_takes_a_confirmation_at_purchase_is_not_known_from_the_file(category: str) -> None:
    assert states(returning(category=category))["not_confirmed_away"] == "unknown"
    assert "not_confirmed_away" not in states(returning(category=category, services=("seven_day_return",)))


def test_where_the_merchant_denies_that_it_is_intact_pictures_alone_do_not_settle_it() -> None:
    story = returning().evidence("goods_photo").when("contact_merchant", message="请退货")
    story.when("refuse_claim", "merchant", excuse="resale_impaired")
    assert states(story)["intact"] == "unknown"


def test_every_requirement_is_asked_of_some_case() -> None:
    asked = {c.name for c in (*return_requirements(returning(category="food").facts, Figures(), START),
                              *instant_refund_requirements(returning().facts))}
    assert asked == set(REQUIREMENTS)


def test_an_instant_refund_takes_a_marked_order_and_nothing_decided() -> None:
    marked = {c.name: c.state for c in instant_refund_requirements(given_case(services=("instant_refund",)).facts)}
    assert marked == {"marked": "met", "nothing_decided": "met", "not_excluded": "unknown"}
    assert not is_open(instant_refund_requirements(given_case().facts))
    assert not is_open(instant_refund_requirements(case_in("ruled", services=("instant_refund",)).facts))


@pytest.mark.parametrize(("at", "number"), [
    (datetime(2026, 4, 14, 15, 59, 59, tzinfo=UTC), 20), (datetime(2026, 4, 14, 16, 0, tzinfo=UTC), 121),
    (datetime.max.replace(tzinfo=UTC), 121), (datetime.min.replace(tzinfo=UTC), 20)])
def test_which_law_of_12315_governs_is_told_of_any_time_there_is(at: datetime, number: int) -> None:
    assert str(number) in regime(at).said.zh + regime(at).id
