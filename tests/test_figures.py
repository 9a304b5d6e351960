"""How much a ruling may award and who may win it: each figure at its limit and one fen above, and the whole matrix of proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, cast

import pytest
from cli_helpers import GIVEN
from domain_helpers import START, Story, case_in, days, enough, given_case, ruling
from figures import Figures
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.domain.burden import SITUATION_OF, SITUATIONS, stands
from casework.domain.guards import GUARDS
from casework.domain.guards.amounts import REFUNDS
from casework.domain.request import Request
from casework.domain.values import Actor
from casework.errors import Refused
from casework.library import audit_store, carry_on, open_case
from casework.rulebook.edition import CURRENT, Edition
from casework.store.opening import open_store
from casework.store.store import Store

D = Decimal
FEN = D("0.01")

#: Ground, what the seller promised, what was paid, what is awarded, at most how much of it. The sums are written out here
#: and not asked of the rulebook.
LIMITS = [
    # Late shipment, 1 % at least 3 at most 30, or 5 % at least 5 at most 30; not shipped at all, 10 % at least 5 at most 100.
    ("late_shipment", (), "20.00", "compensation", "5.00"), ("late_shipment", (), "400.00", "compensation", "20.00"),
    ("late_shipment", (), "9999.00", "compensation", "30.00"),
    ("not_shipped", (), "0.01", "compensation", "5.00"), ("not_shipped", (), "50.00", "compensation", "5.00"),
    ("not_shipped", (), "50.05", "compensation", "5.01"), ("not_shipped", (), "899.00", "compensation", "89.90"),
    ("not_shipped", (), "1000.00", "compensation", "100.00"), ("not_shipped", (), "99999.99", "compensation", "100.00"),
    # To be paid first by the platform is no compensation beside it.
    ("not_shipped", ("advance_compensation",), "899.00", "compensation", "89.90"),
    ("counterfeit", ("fake_one_pay_three",), "166.67", "promised_multiple", "500.01"),
    ("substandard", ("fake_one_pay_three",), "0.01", "promised_multiple", "0.03"),
    ("counterfeit", ("fake_one_pay_four",), "166.67", "promised_multiple", "666.68"),
    ("counterfeit", ("fake_one_pay_three", "fake_one_pay_four"), "100.00", "promised_multiple", "400.00"),
    ("counterfeit", ("mismatch_compensation", "fake_one_pay_three"), "100.00", "promised_multiple", "300.00"),
    ("material_mismatch", ("mismatch_compensation",), "166.67", "promised_multiple", "166.67"),
    ("false_advertising", ("mismatch_compensation",), "899.00", "promised_multiple", "899.00"),
]
CODE = {"compensation": "amount_exceeds_rule", "promised_multiple": "amount_exceeds_promise"}


def reviewed(ground: str, services: tuple[str, ...] = (), paid: str = "899.00", **order: Any) -> Story:
    return case_in("under_review", ground=ground, services=services, order={"paid": paid, **order}).heard()


def awards(kind: str, *amounts: str) -> dict[str, Any]:
    """A ruling for the consumer with these parts beside one fen of refund."""
    return ruling(remedy={"kind": "refund", "amount": "0.01", "extra": [{"kind": kind, "amount": a} for a in amounts]})


# --- at the limit ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ground", "services", "paid", "kind", "most"), LIMITS)
def test_a_ruling_awards_up_to_the_figure_and_not_one_fen_more(
    ground: str, services: tuple[str, ...], paid: str, kind: str, most: str
) -> None:
    reviewed(ground, services, paid).when("rule", "agent", **awards(kind, most)).then_state("ruled")
    refusal = reviewed(ground, services, paid).refusal("rule", "agent", **awards(kind, f"{D(most) + FEN:.2f}"))
    assert refusal.codes == [CODE[kind]]
    for text in (refusal.reasons[0].zh, refusal.reasons[0].en):
        assert most in text and f"{D(most) + FEN:.2f}" in text, "the figure is named with what was asked"


@pytest.mark.parametrize("kind", ["compensation", "promised_multiple"])
def test_to_cut_it_in_parts_awards_no_more(kind: str) -> None:
    ground, services = ("not_shipped", ()) if kind == "compensation" else ("counterfeit", ("fake_one_pay_three",))
    most = D("89.90") if kind == "compensation" else D("2697.00")
    reviewed(ground, services).when("rule", "agent", **awards(kind, f"{most - 1:.2f}", "1.00"))
    reviewed(ground, services).refused("rule", "agent", CODE[kind], **awards(kind, f"{most - 1:.2f}", "1.01"))


@pytest.mark.parametrize("kind", ["compensation", "promised_multiple"])
def test_the_main_part_of_a_remedy_counts_as_the_others_do(kind: str) -> None:
    ground, services = ("not_shipped", ()) if kind == "compensation" else ("counterfeit", ("fake_one_pay_three",))
    most = "89.90" if kind == "compensation" else "2697.00"
    reviewed(ground, services).when("rule", "agent", **ruling(remedy={"kind": kind, "amount": most}))
    reviewed(ground, services).refused("rule", "agent", CODE[kind], **ruling(
        remedy={"kind": kind, "amount": most, "extra": [{"kind": kind, "amount": "0.01"}]}))


@pytest.mark.parametrize(("ground", "services"), [
    ("counterfeit", ()), ("malfunction", ("fake_one_pay_three", "fake_one_pay_four", "mismatch_compensation")),
    ("late_shipment", ("fake_one_pay_three",)), ("damaged", ("mismatch_compensation",)),
    ("substandard", ("mismatch_compensation",)),
])
def test_without_a_promise_for_that_ground_there_is_no_multiple_at_all(ground: str, services: tuple[str, ...]) -> None:
    reviewed(ground, services).refused("rule", "agent", "promise_missing", **awards("promised_multiple", "0.01"))


def test_in_a_review_and_after_it_the_figure_is_the_same() -> None:
    story = reviewed("not_shipped").when("rule", "agent", **awards("compensation", "89.90"))
    story.when("escalate", statement="不服").heard().when("assign", "supervisor:S-1", to="agent:A-2")
    story.refused("rule", "agent:A-2", "amount_exceeds_rule", **awards("compensation", "89.91"))
    story.when("rule", "agent:A-2", **awards("compensation", "89.90"))


@pytest.mark.parametrize(("ground", "paid"), [("late_shipment", "100.00"), ("not_shipped", "100.00"), ("parcel_lost", "100.00"),
                                              ("counterfeit", "100.00"), ("price_fraud", "100.00")])
def test_refunds_together_give_back_what_was_paid_and_not_one_fen_more(ground: str, paid: str) -> None:
    def parts(extra: str) -> dict[str, Any]:
        return ruling(remedy={"kind": "refund", "amount": "60.00", "extra": [{"kind": "price_difference", "amount": extra}]})

    reviewed(ground, paid=paid).when("rule", "agent", **parts("40.00"))
    reviewed(ground, paid=paid).refused("rule", "agent", "amount_exceeds_paid", **parts("40.01"))


def test_the_multiple_goes_by_the_rule_of_the_day_of_the_order_and_compensation_by_that_of_the_ruling() -> None:
    # A promise is part of the contract; a platform's rule is that of the day on which it decides (争议规则 92).
    asked: list[tuple[str, Any]] = []

    class Listening(Figures):
        def amount(self, rule_id: str, price: Decimal, on: Any) -> Any:
            asked.append((rule_id, on))
            return super().amount(rule_id, price, on)

    for ground, services, kind, guard in (("counterfeit", ("fake_one_pay_three",), "promised_multiple", "promise_gives_as_much"),
                                          ("not_shipped", (), "compensation", "compensation_is_within_the_rules")):
        story = reviewed(ground, services)
        request = story.ask("rule", "agent", **awards(kind, "1.00")).request
        assert list(GUARDS[guard](story.facts, replace(request, edition=cast(Any, Listening())))) == []
    days_of = dict(asked)
    assert days_of["promised.fake_one_pay_three"] == START - days(20)
    assert days_of["no_stock.48h"] == request.at > START


def test_where_the_edition_lacks_the_figure_no_multiple_is_awarded_and_no_compensation_is_limited() -> None:
    for ground, services, kind, guard, codes in (
        ("counterfeit", ("fake_one_pay_three",), "promised_multiple", "promise_gives_as_much", ["promise_missing"]),
        ("not_shipped", (), "compensation", "compensation_is_within_the_rules", []),
    ):
        story = reviewed(ground, services)
        request = story.ask("rule", "agent", **awards(kind, "9999.00")).request
        without = Figures("promised.fake_one_pay_three", "no_stock.48h")
        assert [r.code for r in GUARDS[guard](story.facts, replace(request, edition=cast(Any, without)))] == codes


@given(st.integers(1, 10**7), st.sampled_from([("fake_one_pay_three", 3), ("fake_one_pay_four", 4)]), st.integers(-2, 2))
@settings(max_examples=60, deadline=None, database=None, derandomize=True)
def test_a_multiple_is_exactly_that_often_what_was_paid(fen: int, promise: tuple[str, int], more: int) -> None:
    service, times = promise
    asked = times * fen + more
    if asked <= 0:
        return
    story = reviewed("counterfeit", (service,), f"{D(fen) / 100:.2f}")
    said = awards("promised_multiple", f"{D(asked) / 100:.2f}")
    found = story.ask("rule", "agent", **said).of("promise_gives_as_much")
    assert found == (["amount_exceeds_promise"] if more > 0 else [])


# --- who may win -----------------------------------------------------------------------------------------------------

GROUND_OF = {name: row.grounds[0] for name, row in SITUATIONS.items() if row.grounds}
OVERLAID = {"durable_six_months": ("damaged", {"category": "computer", "received_at": START - days(5)}),
            "after_confirmation": ("material_mismatch", {"category": "clothing", "received_at": START - days(5),
                                                         "confirmed_at": START - days(1)})}
OUTCOMES = ("for_consumer", "partly_for_consumer", "for_merchant")


def situated(name: str) -> Story:
    ground, order = OVERLAID.get(name) or (GROUND_OF[name], {})
    return given_case(ground=ground, order=dict(order))


def answered(story: Story, result: str | None) -> Story:
    """The merchant's step of the row, as evidence that is found to be so, or as proof; None: he shows nothing."""
    if result is None:
        return story
    row = stands(story.facts, story.clock, CURRENT).burden.row
    step = next(s for s in row.steps if s.party == "merchant")
    kind = step.proofs[0]
    story.when("contact_merchant", message="x").when("file", claim="refund", statement="x")
    story.evidence(*(k for k in enough(story.facts.given.ground) if k not in {e.kind for e in story.facts.evidence.values()}))
    story.when("accept_complaint", "agent:A-1")
    story.when("ask_proof", "agent", party="merchant", kinds=(kind,), answer_by=days(3))
    story.when("submit_proof", "merchant", kinds=(kind,))
    return story if result == "submitted" else story.when("examine_proof", "agent", kind=kind, result=result)


def burden(story: Story, outcome: str | None) -> list[str]:
    said = {} if outcome is None else ruling(outcome)
    asked = story.ask("rule", "agent:A-1", **said) if outcome else story.ask_blank("rule", "agent:A-1")
    return sorted(asked.of("burden_is_met"))


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("name", SITUATIONS)
def test_on_an_empty_file_nobody_wins_whose_turn_it_was(name: str, outcome: str) -> None:
    story = situated(name)
    first = SITUATIONS[name].steps[0].party
    expected = {"for_merchant": ["merchant_proof_missing"] if first == "merchant" else []}.get(outcome, ["evidence_missing"])
    assert burden(story, outcome) == expected


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("name", SITUATIONS)
def test_once_the_buyer_has_begun_he_may_win_and_the_seller_only_if_his_own_step_is_not_next(name: str, outcome: str) -> None:
    story = situated(name)
    story.evidence(*enough(story.facts.given.ground))
    # Of what is confirmed the buyer's test comes before the seller's word: until it is there, the buyer is the one who loses.
    merchant_next = name != "after_confirmation"
    assert burden(story, outcome) == (["merchant_proof_missing"] if outcome == "for_merchant" and merchant_next else [])


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("result", ["submitted", "accepted", "missing", "forged"])
@pytest.mark.parametrize("name", [n for n in SITUATIONS if n != "after_confirmation"])
def test_the_sellers_proof_counts_once_it_is_accepted_and_only_then(name: str, result: str, outcome: str) -> None:
    story = answered(situated(name), result)
    good = result == "accepted"
    assert burden(story, outcome) == ([] if outcome != "for_merchant" or good else ["merchant_proof_missing"])


@pytest.mark.parametrize(("result", "wins"), [("accepted", True), ("submitted", True), ("missing", False), ("forged", False)])
def test_one_paper_that_is_missing_or_forged_spoils_the_sellers_good_ones(result: str, wins: bool) -> None:
    story = case_in("awaiting_proof", ground="counterfeit")
    story.when("submit_proof", "merchant", kinds=("test_certificate", "purchase_voucher"))
    story.when("examine_proof", "agent", kind="test_certificate", result="accepted")
    if result != "submitted":
        story.when("examine_proof", "agent", kind="purchase_voucher", result=result)
    assert burden(story, "for_merchant") == ([] if wins else ["merchant_proof_missing"])


@pytest.mark.parametrize(("found", "wins"), [("authentic", True), ("unexamined", False), ("disputed", False), ("forged", False)])
def test_what_the_seller_puts_in_for_himself_counts_once_it_is_found_authentic(found: str, wins: bool) -> None:
    story = case_in("under_review", ground="counterfeit").evidence("appraisal_report", by="merchant")
    [item] = [i.id for i in story.facts.evidence.values() if i.by.role == "merchant"]
    if found == "disputed":
        story.when("dispute_evidence", evidence=item, statement="自家出具")
    elif found != "unexamined":
        story.when("examine_evidence", "agent", evidence=item, result=found)
    assert burden(story, "for_merchant") == ([] if wins else ["merchant_proof_missing"])


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("result", ["submitted", "accepted", "missing", "forged"])
def test_after_confirmation_the_sellers_proof_matters_only_against_a_test(result: str, outcome: str) -> None:
    story = answered(situated("after_confirmation"), result)
    forged = ["merchant_proof_missing"] if outcome == "for_merchant" and result == "forged" else []
    assert burden(story, outcome) == forged, "who alone forged loses whatever the turn"
    story.evidence("test_report")
    lost = outcome == "for_merchant" and result != "accepted"
    assert burden(story, outcome) == (["merchant_proof_missing"] if lost else [])


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_buyer_whose_first_evidence_was_forged_wins_nothing_and_the_seller_may(name: str) -> None:
    story = answered(situated(name), "missing")
    for item in list(story.facts.evidence.values()):
        story.when("examine_evidence", "agent", evidence=item.id, result="forged")
    assert burden(story, "for_merchant") == []
    assert burden(story, "for_consumer") == burden(story, "partly_for_consumer") == ["evidence_missing"]


def test_where_both_forged_the_agent_weighs_what_is_left() -> None:
    story = answered(situated("genuineness"), "forged")
    item = next(iter(story.facts.evidence.values()))
    story.when("examine_evidence", "agent", evidence=item.id, result="forged")
    assert stands(story.facts, story.clock, CURRENT).loses is None
    assert burden(story, "for_merchant") == []


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_asked_before_anything_is_said_is_whether_anybody_could_win(name: str) -> None:
    story = situated(name)
    first = SITUATIONS[name].steps[0].party
    assert burden(story, None) == (["evidence_missing"] if first == "merchant" else [])
    story.evidence(*enough(story.facts.given.ground))
    assert burden(story, None) == []


def test_the_table_covers_every_situation_and_every_ground_has_one() -> None:
    assert set(GROUND_OF) | set(OVERLAID) == set(SITUATIONS)
    assert set(GROUND_OF.values()) <= set(SITUATION_OF)
    for name in SITUATIONS:
        story = situated(name)
        assert stands(story.facts, story.clock, CURRENT).burden.situation == name


# --- through the public service --------------------------------------------------------------------------------------

GROUNDS_OF_MONEY = ("late_shipment", "not_shipped", "counterfeit", "substandard", "material_mismatch", "malfunction")
SERVICES = ("fake_one_pay_three", "fake_one_pay_four", "mismatch_compensation", "advance_compensation", "damage_cover")
MULTIPLE = {("counterfeit", "fake_one_pay_three"): 3, ("substandard", "fake_one_pay_three"): 3,
            ("counterfeit", "fake_one_pay_four"): 4, ("substandard", "fake_one_pay_four"): 4,
            ("counterfeit", "mismatch_compensation"): 1, ("material_mismatch", "mismatch_compensation"): 1}
MONEY = st.integers(1, 400_000).map(lambda fen: f"{D(fen) / 100:.2f}")
KINDS = st.sampled_from(["refund", "return_refund", "price_difference", "compensation", "promised_multiple", "points"])


def _clock() -> Iterator[Any]:
    return (START + timedelta(hours=n) for n in count())


def reviewed_in(store: Store, ground: str, services: list[str], paid: str) -> Any:
    """A case under review in the store; what carries it on, a step an hour."""
    times, numbers = _clock(), count()
    order = {**GIVEN["order"], "paid": paid, "services": services}  # type: ignore[dict-item]  # a mapping
    order |= {"ordered_at": (START - days(9)).isoformat(), "received_at": (START - days(5)).isoformat()}
    open_case(store, "K-1", {**GIVEN, "order": order, "ground": ground}, clock=lambda: next(times), command_id="open")

    def do(name: str, by: str = "consumer", **said: Any) -> Any:
        return carry_on(store, "K-1", name, said, by=by, clock=lambda: next(times), command_id=f"c{next(numbers)}")

    do("contact_merchant", message="x")
    do("file", claim="refund", statement="x")
    for kind in enough(ground):
        do("add_evidence", kind=kind, description="x")
    do("accept_complaint", "agent:A-1")
    do("answer", "merchant", statement="x")
    do("answer", statement="x")
    return do


@given(ground=st.sampled_from(GROUNDS_OF_MONEY), services=st.lists(st.sampled_from(SERVICES), unique=True), paid=MONEY,
       parts=st.lists(st.tuples(KINDS, MONEY), min_size=1, max_size=3), mended=MONEY)
@settings(max_examples=150, deadline=None, database=None, derandomize=True)
def test_no_ruling_that_is_accepted_nor_its_correction_awards_more_than_the_rulebook_gives(
    ground: str, services: list[str], paid: str, parts: list[tuple[str, str]], mended: str
) -> None:
    remedies = [{"kind": kind, **({} if kind == "points" else {"amount": amount})} for kind, amount in parts]
    with open_store(":memory:") as store:
        do = reviewed_in(store, ground, services, paid)
        try:
            do("rule", "agent:A-1", **ruling(remedy={**remedies[0], "extra": remedies[1:]}))
            granted = parts
        except Refused as error:
            assert error.codes == sorted(_against(ground, services, D(paid), parts)), "and nothing else stands against it"
            return
        assert _against(ground, services, D(paid), granted) == []
        corrected = [(parts[0][0], mended), *parts[1:]]
        remedy = {**remedies[0], **({} if parts[0][0] == "points" else {"amount": mended}), "extra": remedies[1:]}
        try:
            do("correct_ruling", "agent:A-1", reason="笔误", findings="更正", remedy=remedy)
        except Refused as error:
            assert error.codes == sorted(_against(ground, services, D(paid), corrected))
        else:
            assert _against(ground, services, D(paid), corrected) == []
        assert audit_store(store) == []


def _against(ground: str, services: list[str], paid: Decimal, parts: list[tuple[str, str]]) -> list[str]:
    """What stands against awarding these parts, reckoned from the rules as they are written."""
    def total(*kinds: str) -> Decimal:
        return sum((D(amount) for kind, amount in parts if kind in kinds), D(0))

    found = ["amount_exceeds_paid"] if total(*REFUNDS) > paid else []
    if total("promised_multiple"):
        most = max((times for (on, service), times in MULTIPLE.items() if on == ground and service in services), default=0)
        over = total("promised_multiple") > most * paid
        found += ["promise_missing"] if not most else ["amount_exceeds_promise"] if over else []
    if ground in ("late_shipment", "not_shipped"):
        share, most_of_all = (20, D(30)) if ground == "late_shipment" else (10, D(100))
        fixed = min(max((paid / share).quantize(FEN, "ROUND_HALF_UP"), D(5)), most_of_all)
        found += ["amount_exceeds_rule"] if total("compensation") > fixed else []
    else:  # freight alone, of which no rule says how much it is
        found += ["amount_exceeds_rule"] if total("compensation") > max(paid, D(100)) else []
    return found


def test_the_guards_ask_the_edition_that_the_case_pins_and_no_table_of_their_own() -> None:
    halved = tuple(replace(r, value=1) if r.id == "promised.fake_one_pay_four" else r for r in CURRENT.records)
    story = reviewed("counterfeit", ("fake_one_pay_four",), "100.00")
    request = story.ask("rule", "agent", **awards("promised_multiple", "100.01")).request
    other: Request = replace(request, edition=Edition("2099-01", halved, CURRENT.whole_days))
    assert request.by == Actor(role="agent", id="A-1")
    assert list(GUARDS["promise_gives_as_much"](story.facts, request)) == []
    assert [r.code for r in GUARDS["promise_gives_as_much"](story.facts, other)] == ["amount_exceeds_promise"]
