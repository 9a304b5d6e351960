"""The merchant's standing: what rulings, reviews, advances and appeals make of it, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standing_helpers import Market

from casework.application.scorecard import Count
from casework.application.service import carry_on
from casework.domain.decide import Context
from casework.domain.events import Due
from casework.domain.standing import commands as c
from casework.domain.standing.aggregate import Standing
from casework.domain.standing.decide import Deadlines, penalty_id
from casework.domain.standing.effects import Advanced, Recovered, Ruled
from casework.domain.standing.events import StandingEvent
from casework.domain.standing.facts import StandingFacts, fold
from casework.domain.standing.rules import RULES, track_of, year_of
from casework.domain.values import Actor, Penalty
from casework.domain.vocabulary import VOCABULARY
from casework.errors import InputError, Refused, UnknownCase
from casework.rulebook.edition import CURRENT
from casework.scenario.replay import record, replay

ROOT = Path(__file__).parent.parent


@pytest.fixture
def market() -> Iterator[Market]:
    with Market() as made:
        yield made


def refused(ask: Callable[[], object]) -> list[str]:
    with pytest.raises(Refused) as caught:
        ask()
    return caught.value.codes


# --- rulings ---------------------------------------------------------------------------------------------------------


def test_a_ruling_with_points_moves_the_standing_and_one_without_penalties_does_not(market: Market) -> None:
    market.ruled("K-1")
    assert market.topics == []
    market.ruled("K-2", 3, "warning")
    assert market.topics == ["penalty_imposed", "penalty_imposed"]
    assert market.points() == 3
    assert market.view()["status"] == "good"
    assert market.findings() == []


@pytest.mark.parametrize(("ground", "track"), [("counterfeit", "counterfeit"), ("false_advertising", "serious"),
                                               ("poor_workmanship", "general")])
def test_points_count_on_the_track_of_the_grounds_of_the_case(market: Market, ground: str, track: str) -> None:
    market.ruled("K-1", 6, ground=ground)
    assert {name: p["points"] for name, p in market.view()["points"].items() if p["points"]} == {track: 6}


def test_every_ground_has_one_track_and_every_measure_is_a_penalty_of_the_vocabulary() -> None:
    for rules in RULES.values():
        named = [ground for track in rules.tracks.values() for ground in track.grounds]
        assert len(named) == len(set(named))
        assert set(named) <= set(VOCABULARY["ground"])
        assert [name for name, track in rules.tracks.items() if not track.grounds] == ["general"]
        assert {track_of(rules, ground) for ground in VOCABULARY["ground"]} == set(VOCABULARY["points_track"])
        assert {node.measure for track in rules.tracks.values() for node in track.nodes} <= set(VOCABULARY["penalty"])
        assert all(track.certainty == "C" for track in rules.tracks.values()), "shown as unverified"


def test_two_cases_of_one_merchant_add_up_and_reach_the_next_node(market: Market) -> None:
    market.ruled("K-1", 12).ruled("K-2", 6).ruled("K-3", 6)
    assert market.points() == 24
    assert [m["node"] for m in market.view()["measures"]] == [12, 24]
    assert market.view("M-1")["penalties"][2]["id"].startswith("K-3/")
    assert market.findings() == []


def test_another_merchant_is_not_touched(market: Market) -> None:
    market.ruled("K-1", 12).ruled("K-2", 3, merchant="M-2")
    assert market.view("M-2")["points"]["counterfeit"]["points"] == 3
    assert market.points() == 12


def test_a_review_annuls_the_penalties_it_replaces_and_lifts_what_they_brought(market: Market) -> None:
    market.ruled("K-1", 24, "warning").escalated("K-1")
    market.rule("K-1", 6, by="supervisor")
    view = market.view()
    assert [p["state"] for p in view["penalties"]] == ["annulled", "annulled", "imposed"]
    assert market.points() == 6
    assert [m["status"] for m in view["measures"]] == ["lifted", "lifted"]
    assert market.findings() == []


def test_a_review_that_lays_no_penalty_annuls_those_before(market: Market) -> None:
    market.ruled("K-1", "blacklist").escalated("K-1")
    assert market.view()["status"] == "blacklisted"
    market.rule("K-1", by="supervisor")
    assert market.view()["status"] == "good"
    assert market.findings() == []


def test_a_second_ruling_that_is_no_review_leaves_the_first_ones_penalties(market: Market) -> None:
    market.ruled("K-1", 12)
    market.do("K-1", "execute_ruling", "agent")
    market.do("K-1", "report_default", statement="没有履行")
    market.do("K-1", "accept_complaint", "agent:A-2")
    market.do("K-1", "answer", "merchant", statement="意见")
    market.rule("K-1", 12)
    assert market.points() == 24
    assert market.findings() == []


# --- the end of the year ---------------------------------------------------------------------------------------------


def test_points_are_cleared_on_31_december_at_24_hours_in_shanghai(market: Market) -> None:
    market.ruled("K-1", 6, ground="false_advertising")
    assert market.points("serious", datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)) == 6
    assert market.points("serious", datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == 0


@pytest.mark.parametrize(("points", "next_year"), [(12, 0), (23, 0), (24, 24), (47, 47), (48, 0)])
def test_24_to_47_points_for_counterfeits_outlive_one_end_of_the_year(market: Market, points: int, next_year: int) -> None:
    market.ruled("K-1", points)
    assert market.points(at=datetime(2027, 6, 1, tzinfo=UTC)) == next_year
    assert market.points(at=datetime(2028, 6, 1, tzinfo=UTC)) == 0


def test_what_is_carried_over_brings_the_next_node_nearer_but_no_measure_twice(market: Market) -> None:
    market.ruled("K-1", 24).at(2027, 3, 1, 1).ruled("K-2", 12)
    view = market.view()
    assert view["points"]["counterfeit"] | {"points": 36, "carried": 24, "own": 12} == view["points"]["counterfeit"]
    assert [(m["year"], m["node"]) for m in view["measures"]] == [(2026, 12), (2026, 24), (2027, 36)]
    assert market.findings() == []


def test_a_measure_ends_when_its_days_are_over(market: Market) -> None:
    market.ruled("K-1", 12)
    assert (market.view()["status"], market.nodes()) == ("restricted", [12])
    market.wait(days=8)
    assert (market.view()["status"], market.nodes("over")) == ("good", [12])


# --- appeals ---------------------------------------------------------------------------------------------------------


def test_an_appeal_does_not_suspend_a_penalty_and_upheld_it_gives_the_points_back(market: Market) -> None:
    market.ruled("K-1", 12)
    [penalty] = [p["id"] for p in market.view()["penalties"]]
    market.do("merchant:M-1", "appeal", "merchant", penalty=penalty, statement="不服")
    assert (market.points(), market.view()["status"]) == (12, "restricted")
    done = market.do("merchant:M-1", "decide_appeal", "supervisor:S-2", penalty=penalty, result="upheld", explanation="有误")
    assert (done.state, market.points(), market.nodes("lifted")) == ("good", 0, [12])
    assert market.findings() == []


def test_an_appeal_that_is_rejected_confirms_the_penalty_and_there_is_no_second_one(market: Market) -> None:
    market.ruled("K-1", 12)
    [penalty] = [p["id"] for p in market.view()["penalties"]]
    market.do("merchant:M-1", "appeal", "merchant", penalty=penalty, statement="不服")
    market.do("merchant:M-1", "decide_appeal", "supervisor", penalty=penalty, result="rejected", explanation="无误")
    assert [p["state"] for p in market.view()["penalties"]] == ["confirmed"]
    again = {"penalty": penalty, "statement": "再次不服"}
    assert refused(lambda: market.do("merchant:M-1", "appeal", "merchant", **again)) == ["wrong_point"]
    assert market.points() == 12


def test_an_appeal_comes_in_time_from_the_merchant_himself_about_what_there_is(market: Market) -> None:
    market.ruled("K-1", 12)
    [penalty] = [p["id"] for p in market.view()["penalties"]]
    ask = {"penalty": penalty, "statement": "不服"}
    assert refused(lambda: market.do("merchant:M-1", "appeal", "merchant:M-2", **ask)) == ["not_the_merchant"]
    assert refused(lambda: market.do("merchant:M-1", "appeal", "consumer:C-1", **ask)) == ["role_not_allowed"]
    assert refused(lambda: market.do("merchant:M-1", "appeal", "merchant", penalty="K-9/1.1", statement="x")) == [
        "not_on_record"]
    market.wait(days=8)
    assert refused(lambda: market.do("merchant:M-1", "appeal", "merchant", **ask)) == ["appeal_too_late"]


def test_nobody_decides_an_appeal_against_his_own_ruling_under_whatever_role(market: Market) -> None:
    market.ruled("K-1", 12)
    [penalty] = [p["id"] for p in market.view()["penalties"]]
    market.do("merchant:M-1", "appeal", "merchant", penalty=penalty, statement="不服")
    said = {"penalty": penalty, "result": "upheld", "explanation": "x"}
    assert refused(lambda: market.do("merchant:M-1", "decide_appeal", "supervisor:A-1", **said)) == ["ruled_before"]
    assert refused(lambda: market.do("merchant:M-1", "decide_appeal", "supervisor:M-1", **said)) == ["party_may_not_judge"]


# --- coming back -----------------------------------------------------------------------------------------------------


def test_a_removed_merchant_may_come_back_and_a_blacklisted_one_may_not(market: Market) -> None:
    market.ruled("K-1", "removal")
    assert market.view()["status"] == "removed"
    assert market.do("merchant:M-1", "readmit", "supervisor", explanation="整改完成").state == "good"
    market.ruled("K-2", "removal", "blacklist")
    assert refused(lambda: market.do("merchant:M-1", "readmit", "supervisor", explanation="x")) == ["blacklisted"]
    assert market.view()["status"] == "blacklisted"
    assert market.findings() == []


def test_48_points_for_counterfeits_remove_the_merchant(market: Market) -> None:
    market.ruled("K-1", 48)
    assert (market.view()["status"], market.nodes()) == ("removed", [12, 24, 36, 48])
    market.do("merchant:M-1", "readmit", "supervisor", explanation="整改完成")
    assert (market.view()["status"], market.nodes("ended")) == ("restricted", [48])
    assert market.findings() == []


def test_consumers_may_complain_of_a_blacklisted_merchant(market: Market) -> None:
    market.ruled("K-1", "blacklist").ruled("K-2", 3)
    assert market.view()["status"] == "blacklisted"


# --- publication -----------------------------------------------------------------------------------------------------


def test_a_penalty_is_published_within_one_working_day_or_shown_as_late(market: Market) -> None:
    market.at(2026, 9, 29, 15).ruled("K-1", 3)  # ruled on 30 September; 1 to 7 October are holidays
    [p] = market.view()["penalties"]
    assert p["publish_by"]["at"].date() == datetime(2026, 10, 8).date()
    assert "30" in p["publish_by"]["clause"]
    assert p["publication"] == "due"
    assert market.wait(days=10).view()["penalties"][0]["publication"] == "overdue"
    market.do("merchant:M-1", "publish", "agent", penalty=p["id"], offence="售假")
    assert market.view()["published_late"] == [p["id"]]
    assert market.view()["unpublished"] == []
    assert market.findings() == []


# --- advances --------------------------------------------------------------------------------------------------------


def test_what_the_platform_pays_first_is_owed_until_it_is_repaid_or_recovered(market: Market) -> None:
    market.ruled("K-1")
    market.do("K-1", "execute_ruling", "agent")
    market.do("K-1", "apply_advance", statement="商家不退")
    market.do("K-1", "pay_advance", "system", amount="100.00")
    assert market.view()["advances"] == [{"case": "K-1", "owed": "100.00", "repaid": "0.00", "open": "100.00"}]
    pay = {"case": "K-1", "amount": "100.01"}
    assert refused(lambda: market.do("merchant:M-1", "repay_advance", "merchant", **pay)) == ["more_than_owed"]
    market.do("merchant:M-1", "repay_advance", "merchant", case="K-1", amount="40.00")
    market.do("K-1", "recover_advance", "system")
    assert market.view()["advances"][0]["open"] == "0.00"
    assert market.topics == ["advance_owed", "advance_repaid", "advance_recovered"]
    assert market.findings() == []


# --- asked well, asked badly, asked twice ----------------------------------------------------------------------------


def test_a_refusal_says_what_may_be_done_instead(market: Market) -> None:
    market.ruled("K-1", "removal")
    with pytest.raises(Refused) as caught:
        market.do("merchant:M-1", "repay_advance", "merchant", case="K-1", amount="1.00")
    assert caught.value.permitted.yours == ("appeal",)
    assert caught.value.permitted.others == ("publish", "readmit")


def test_nothing_is_done_before_what_it_is_about_was_there(market: Market) -> None:
    market.ruled("K-1", 12)
    [penalty] = market.view()["penalties"]

    def publish(at: datetime) -> object:
        return carry_on(market.store, "merchant:M-1", "publish", {"penalty": penalty["id"], "offence": "售假"}, by="agent", at=at,
                        clock=lambda: market.now, command_id="p")

    assert refused(lambda: publish(penalty["at"] - timedelta(seconds=1))) == ["time_runs_backwards"]
    assert refused(lambda: publish(market.now + timedelta(seconds=1))) == ["in_the_future"]
    publish(penalty["at"])


def test_a_repeated_command_is_recorded_once_and_another_under_its_id_is_refused(market: Market) -> None:
    market.ruled("K-1", 12)
    [penalty] = [p["id"] for p in market.view()["penalties"]]

    def publish(offence: str) -> Any:
        return carry_on(market.store, "merchant:M-1", "publish", {"penalty": penalty, "offence": offence}, by="agent",
                        clock=lambda: market.now, command_id="p")

    first, second = publish("售假"), publish("售假")
    assert (first.repeated, second.repeated) == (False, True)
    assert first.event == second.event
    assert refused(lambda: publish("别的")) == ["command_id_reused"]
    assert market.topics.count("penalty_published") == 1


def test_what_cannot_be_asked_is_one_line_with_its_remedy(market: Market) -> None:
    market.ruled("K-1", 12)
    for stream, name, said, words in (
            ("merchant:M-1", "apeal", {}, "one of: appeal"), ("K-1", "appeal", {}, "name merchant:ID"),
            ("merchant:M-1", "appeal", {"penalty": "x", "statement": "y"}, "such as K-1/12.1"),
            ("merchant:M-1", "appeal", {"penalty": "K-1/9.1"}, "'statement' is required")):
        with pytest.raises(InputError, match=words):
            market.do(stream, name, "merchant", **said)
    with pytest.raises(UnknownCase, match="no merchant 'M-9'"):
        market.do("merchant:M-9", "readmit", "supervisor", explanation="x")
    with pytest.raises(UnknownCase, match="no merchant 'M-9'"):
        market.view("M-9")


def test_a_merchant_with_cases_and_no_penalty_stands_well(market: Market) -> None:
    market.open("K-1")
    assert market.view()["status"] == "good"
    assert refused(lambda: market.do("merchant:M-1", "readmit", "supervisor", explanation="x")) == ["not_removed"]


def test_the_standing_as_of_a_time_is_what_was_recorded_by_then(market: Market) -> None:
    market.ruled("K-1", 12)
    then = market.now
    market.wait(days=1).ruled("K-2", 12)
    assert market.view(at=then, as_of=then)["points"]["counterfeit"]["points"] == 12
    assert market.view(at=then, as_of=then)["scorecard"]["cases"] == 1


# --- the scorecard ---------------------------------------------------------------------------------------------------


def test_too_few_cases_make_no_score_and_enough_of_them_make_one_by_the_stated_formula(market: Market) -> None:
    for number in range(5):
        card = market.ruled(f"K-{number}").view()["scorecard"]
        assert card["enough"] is (number == 4)
        assert (card["score"] is None) is (number < 4)
    known = [s["lower"] for s in card["shares"].values() if s["of"]]
    assert card["score"] == pytest.approx(100 * sum(known) / len(known), abs=0.06)
    assert card["shares"]["rulings"] == {"good": 0, "of": 5, "lower": 0.0}
    assert "1.96" in card["formula"]


def test_silence_and_late_answers_are_counted(market: Market) -> None:
    for case, days in (("K-1", 1), ("K-2", 9), ("K-3", 0)):
        market.reviewed(case)
        market.do(case, "notify", "agent", party="merchant", answer_by=(market.now + timedelta(days=3)).isoformat())
        if days:
            market.wait(days=days).do(case, "answer", "merchant", statement="意见")
    card = market.wait(days=5).view()["scorecard"]
    assert card["shares"]["answers"] | {"good": 1, "of": 3} == card["shares"]["answers"]
    assert (card["late_answers"], card["never_answered"]) == (1, 1)
    assert card["shares"]["contacts"] | {"good": 0, "of": 3} == card["shares"]["contacts"]


def test_the_lower_bound_is_wilsons() -> None:
    assert Count(8, 10).lower == pytest.approx(0.4902, abs=1e-4)
    assert Count(10, 10).lower == pytest.approx(0.7225, abs=1e-4)
    assert Count().lower is None


# --- stories in a store ----------------------------------------------------------------------------------------------


def told(path: Path, old: str = "", new: str = "") -> Any:
    return replay(path, lambda rows: [])


def test_two_stories_of_one_merchant_are_recorded_in_one_store_and_again_change_nothing(tmp_path: Path) -> None:
    stories = []
    for name in ("merchant_counterfeit_twice", "merchant_penalty_annulled"):
        text = (ROOT / "scenarios" / f"{name}.yaml").read_text("utf-8")
        path = tmp_path / f"{name}.yaml"
        path.write_text(text.replace("M-52", "M-51"), "utf-8")
        stories.append(told(path))
    with Market() as market:
        assert [record(story, market.store) for story in stories] == [True, True]
        rows = list(market.store.rows())
        assert [record(story, market.store) for story in stories] == [False, False]
        assert list(market.store.rows()) == rows
        view = market.view("M-51", datetime(2026, 6, 1, tzinfo=UTC))
        assert view["points"]["counterfeit"]["points"] == 24
        assert len(view["penalties"]) == 5
        # 24 from the one story, 24 and then 12 from the other: the nodes at 36 and 48 were reached and left again.
        assert [m["node"] for m in view["measures"] if m["status"] == "lifted"] == [36, 48, 36]
        assert market.findings() == []


def test_stories_recorded_in_another_order_end_in_the_same_points(tmp_path: Path) -> None:
    ends = []
    for order in (1, -1):
        with Market() as market:
            for name in ("merchant_counterfeit_twice", "merchant_penalty_annulled", "merchant_blacklisted")[::order]:
                path = tmp_path / f"{name}.yaml"
                text = (ROOT / "scenarios" / f"{name}.yaml").read_text("utf-8")
                path.write_text(text.replace("M-52", "M-51").replace("M-53", "M-51"), "utf-8")
                record(told(path), market.store)
            view = market.view("M-51", datetime(2026, 6, 1, tzinfo=UTC))
            ends.append((view["points"], view["status"], sorted((p["id"], p["state"]) for p in view["penalties"])))
            assert market.findings() == []
    assert ends[0] == ends[1]


# --- properties ------------------------------------------------------------------------------------------------------

DUE = Due(at=datetime(2030, 1, 1, tzinfo=UTC), rule="r", clause="c", certainty="A")
LAID = st.tuples(st.sampled_from(["counterfeit", "false_advertising", "poor_workmanship"]), st.integers(1, 48),
                 st.integers(0, 900))
START = datetime(2026, 1, 1, tzinfo=UTC)


def follow(standing: Standing, effect: Any, day: int = 0) -> list[StandingEvent]:
    at = START + timedelta(days=day)
    context = Context(Actor(role="agent", id="A-1"), at, START + timedelta(days=1000), "c", CURRENT)
    return standing.follow(effect, context, Deadlines(DUE, None))


def laid(number: int, ground: str, points: int, version: int = 9, replaces: int | None = None) -> Ruled:
    penalties = (Penalty(kind="point_deduction", points=points),) if points else ()
    return Ruled(f"K-{number}", version, ground, penalties, replaces, ("A-1",), False)


def sums(facts: StandingFacts) -> dict[tuple[str, int], int]:
    return {(track, year): facts.points(track, year) for track in RULES[1].tracks for year in range(2026, 2031)}


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(LAID, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_independent_penalties_does_not_matter_to_the_points_and_to_what_is_in_force(
        penalties: list[tuple[str, int, int]], chance: Any) -> None:
    one, other = Standing.of("M-1"), Standing.of("M-1")
    numbered = list(enumerate(penalties))
    for number, (ground, points, day) in numbered:
        follow(one, laid(number, ground, points), day)
    chance.shuffle(numbered)
    for number, (ground, points, day) in numbered:
        follow(other, laid(number, ground, points), day)
    assert sums(one.facts) == sums(other.facts)
    assert min(sums(one.facts).values()) >= 0


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(LAID, max_size=6), LAID)
def test_a_penalty_that_a_review_annuls_leaves_the_points_and_the_measures_as_if_it_had_never_been(
        before: list[tuple[str, int, int]], last: tuple[str, int, int]) -> None:
    standing = Standing.of("M-1")
    for number, (ground, points, day) in enumerate(before):
        follow(standing, laid(number, ground, points), day)
    points, nodes = sums(standing.facts), reached(standing.facts)
    follow(standing, laid(99, last[0], last[1]), last[2])
    follow(standing, laid(99, last[0], 0, version=12, replaces=9), last[2])
    assert sums(standing.facts) == points
    assert reached(standing.facts) >= nodes
    assert all(total >= 0 for total in sums(standing.facts).values())


def reached(facts: StandingFacts) -> set[tuple[str, int, int]]:
    return {(m.track, m.year, m.node) for m in facts.measures if m.lifted_at is None}


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.lists(LAID, min_size=1, max_size=6), st.lists(st.integers(0, 5), max_size=6))
def test_replayed_from_its_events_a_standing_is_the_living_one(penalties: list[tuple[str, int, int]], twice: list[int]) -> None:
    standing, events = Standing.of("M-1"), []
    for number, (ground, points, day) in enumerate(penalties):
        events += follow(standing, laid(number, ground, points), day)
    for number in dict.fromkeys(n for n in twice if n < len(penalties)):
        name = penalty_id(f"K-{number}", 9, 1)
        at = START + timedelta(days=1000)
        for command, by in ((c.Appeal(penalty=name, statement="x"), Actor(role="merchant", id="M-1")),
                            (c.DecideAppeal(penalty=name, result="upheld", explanation="x"), Actor(role="supervisor", id="S-9"))):
            events += standing.do(command, Context(by, at, at, f"{number}{by}", CURRENT))
    events += follow(standing, Advanced("K-1", 20, Decimal("10.00")))
    events += follow(standing, Recovered("K-1", 21))
    assert [event.originator_version for event in events] == list(range(1, len(events) + 1))
    assert fold("M-1", events) == standing.facts
    again = Standing.from_events(None, events)
    assert again is not None and again.facts == standing.facts and again.version == standing.version


def test_an_advance_that_is_recovered_is_recorded_also_where_nobody_recorded_that_it_was_owed() -> None:
    """A case may have come into the store without its merchant's stream."""
    standing = Standing.of("M-1")
    [event] = follow(standing, Recovered("K-9", 21))
    assert event.data.amount == 0
    assert standing.facts.debts["K-9"].open == 0


def test_the_year_ends_at_midnight_in_shanghai() -> None:
    assert year_of(datetime(2026, 12, 31, 15, 59, tzinfo=UTC)) == 2026
    assert year_of(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == 2027
