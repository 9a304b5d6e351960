"""Three acts set a ruling right, and they are not one another; and a pending case goes over to a later edition of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import GIVEN, casework, pairs
from domain_helpers import RETURN, START, Story, case_in, command, days, ruling
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import altered, faults, row_of, with_later

from casework.application.whatif import live, outcome, recorded_steps
from casework.audit.projector import project_all
from casework.domain import events as e
from casework.domain.commands import AdoptEdition
from casework.domain.fold import fold
from casework.errors import Refused
from casework.rulebook.edition import CURRENT, Edition, edition, editions, pinned

WHY: dict[str, Any] = {"reason": "笔误"}
REFUND: dict[str, Any] = {"kind": "refund", "amount": "890.00"}


def events(story: Story) -> list[Any]:
    return list(story.case.pending_events)


def is_sound(story: Story) -> None:
    """The audit reads the same from the events as the case, and finds nothing."""
    told = events(story)
    assert project_all(told) == fold(told) == story.facts
    assert faults(row_of(event) for event in told) == []


# --- three acts apart ------------------------------------------------------------------------------------------------


def test_a_correction_mends_the_text_and_leaves_state_round_and_assignment_as_they_are() -> None:
    story = case_in("ruled")
    before = story.fork().facts
    story.when("correct_ruling", "agent", **WHY, findings="经再次核对", clause="争议规则 66、67").then_state("ruled")
    [mended] = story.facts.rulings
    assert (mended.findings, mended.clause) == ("经再次核对", "争议规则 66、67")
    assert (mended.outcome, mended.remedy, mended.version, mended.at) == (
        before.rulings[0].outcome, before.rulings[0].remedy, before.rulings[0].version, before.rulings[0].at)
    assert (story.facts.assigned, story.facts.hearings, story.facts.in_review) == (before.assigned, before.hearings, False)
    assert story.last.trigger is story.last.to_state is None, "it is no step of the lifecycle"
    is_sound(story)


def test_an_appeal_has_another_decide_and_a_reopening_starts_another_round() -> None:
    appeal = case_in("ruled").when("escalate", statement="不服").then_state("escalated")
    assert appeal.facts.assigned is None and appeal.facts.in_review
    appeal.refused("correct_ruling", "agent:A-1", "not_in_this_state", **WHY, clause="x")
    again = case_in("dismissed").when("reopen_filed", claim="refund", statement="有新鉴定", new_evidence="appraisal_report")
    again.then_state("filed")
    assert len(again.facts.rulings) == again.facts.rulings_before_round == 1
    again.refused("correct_ruling", "agent:A-1", "not_in_this_state", **WHY, clause="x")
    for story in (appeal, again):
        assert not any(isinstance(event, e.RulingCorrected) for event in events(story))
        is_sound(story)


def test_a_correction_opens_no_way_that_an_appeal_would() -> None:
    story = case_in("ruled").when("correct_ruling", "agent", **WHY, clause="x").when("escalate", statement="不服")
    story.heard().when("assign", "supervisor:S-1", to="agent:A-2").when("rule", "agent:A-2", **ruling())
    assert [r.review for r in story.facts.rulings] == [False, True], "it is the appeal that makes a review, not the correction"
    is_sound(story)


# --- who, what and when ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "codes"), [
    ("agent:A-2", ["not_your_ruling"]), ("supervisor:S-1", ["not_your_ruling"]),
    ("merchant", ["not_your_ruling", "role_not_allowed"]), ("consumer", ["not_your_ruling", "role_not_allowed"]),
    ("system", ["not_your_ruling", "role_not_allowed"]),
])
def test_only_whoever_ruled_mends_it(by: str, codes: list[str]) -> None:
    case_in("ruled").refused("correct_ruling", by, codes, **WHY, clause="x")


def test_after_a_review_it_is_the_reviews_author_who_may() -> None:
    story = case_in("escalated").heard().when("assign", "supervisor:S-1", to="agent:A-2")
    story.when("rule", "agent:A-2", **ruling())
    story.refused("correct_ruling", "agent:A-1", "not_your_ruling", **WHY, clause="x")
    story.when("correct_ruling", "agent:A-2", **WHY, clause="x")
    assert [r.clause for r in story.facts.rulings] == ["淘宝平台争议处理规则 66", "x"], "the first ruling stays as it was"
    is_sound(story)


@pytest.mark.parametrize("kind", ["return_refund", "exchange", "repair", "compensation", "points", "price_difference"])
def test_another_remedy_is_no_correction(kind: str) -> None:
    money = {"amount": "3.00"} if kind not in ("exchange", "repair", "points") else {}
    story = case_in("ruled")
    assert "not_a_correction" in story.refusal("correct_ruling", "agent", **WHY, remedy={"kind": kind, **money}).codes


def test_a_part_more_or_a_part_less_is_no_correction() -> None:
    more = {**REFUND, "extra": [{"kind": "points"}]}
    case_in("ruled").refused("correct_ruling", "agent", "not_a_correction", **WHY, remedy=more)
    case_in("ruled", remedy=more).refused("correct_ruling", "agent", "not_a_correction", **WHY, remedy=REFUND)


def test_what_was_refused_to_the_consumer_is_not_granted_by_a_correction() -> None:
    story = case_in("ruled", outcome="for_merchant")
    story.refused("correct_ruling", "agent", "not_a_correction", **WHY, remedy=REFUND)
    story.when("correct_ruling", "agent", **WHY, findings="经复核，措辞更正")


def test_a_correction_says_something_and_something_else_than_before() -> None:
    story = case_in("ruled")
    refusal = story.refusal("correct_ruling", "agent", **WHY)
    assert refusal.codes == ["not_a_correction"] and refusal.reasons[0].missing == ("findings", "clause", "remedy")
    said = story.facts.rulings[-1]
    story.refused("correct_ruling", "agent", "not_a_correction", **WHY, findings=said.findings, clause=said.clause,
                  remedy={"kind": "refund", "amount": "899.00"})
    story.when("correct_ruling", "agent", **WHY, findings=said.findings, clause="x")


def test_what_was_performed_in_part_or_in_full_is_no_longer_corrected() -> None:
    for amount in ("1.00", "899.00"):
        story = case_in("remedy_due").when("perform_remedy", "merchant", amount=amount)
        story.refused("correct_ruling", "agent", "performed_already", **WHY, remedy=REFUND)


def test_a_settlement_of_the_parties_after_the_ruling_is_not_the_rulings_to_mend() -> None:
    story = case_in("filed").when("make_offer", "merchant", remedy={"kind": "refund", "amount": "100.00"})
    assert story.when("accept_offer").facts.state == "remedy_due"
    story.refused("correct_ruling", "agent", "not_your_ruling", **WHY, remedy=REFUND)


@pytest.mark.parametrize(("ground", "services", "remedy", "other", "code"), [
    ("malfunction", (), {"kind": "refund", "amount": "899.00"}, {"kind": "refund", "amount": "899.01"}, "amount_exceeds_paid"),
    ("malfunction", (), {"kind": "refund", "amount": "899.00"}, {"kind": "refund"}, "amount_missing"),
    ("malfunction", (), {"kind": "refund", "amount": "899.00"}, {"kind": "refund", "amount": "0.00"}, "amount_missing"),
    ("counterfeit", ("fake_one_pay_three",), {"kind": "promised_multiple", "amount": "2697.00"},
     {"kind": "promised_multiple", "amount": "2697.01"}, "amount_exceeds_promise"),
    ("late_shipment", (), {"kind": "compensation", "amount": "30.00"}, {"kind": "compensation", "amount": "30.01"},
     "amount_exceeds_rule"),
    ("late_shipment", ("advance_compensation",), {"kind": "compensation", "amount": "30.00"},
     {"kind": "compensation", "amount": "30.01"}, "amount_exceeds_rule"),
])
def test_the_sums_of_a_correction_are_checked_as_those_of_a_ruling(
    ground: str, services: tuple[str, ...], remedy: dict[str, str], other: dict[str, str], code: str
) -> None:
    story = case_in("ruled", ground=ground, services=services, remedy=remedy)
    story.refused("correct_ruling", "agent", code, **WHY, remedy=other)
    assert code in case_in("under_review", ground=ground, services=services).heard().refusal(
        "rule", "agent", **ruling(remedy=other)).codes


# --- what follows ----------------------------------------------------------------------------------------------------


def test_a_corrected_sum_is_what_is_executed_and_performed() -> None:
    story = case_in("ruled").when("correct_ruling", "agent", **WHY, remedy=REFUND).when("execute_ruling", "system")
    assert story.facts.remedy is not None and story.facts.remedy.amount == Decimal("890.00")
    story.when("perform_remedy", "merchant", amount="890.00").when("confirm_remedy").then_state("resolved")
    is_sound(story)


def test_once_the_remedy_is_due_what_is_due_follows_the_correction() -> None:
    story = case_in("remedy_due", remedy=RETURN)
    before = [(d.id, d.due.at, d.state) for d in story.facts.duties.values()]
    story.when("correct_ruling", "agent", **WHY, remedy={**RETURN, "amount": "890.00"}).then_state("remedy_due")
    assert story.facts.remedy is not None and story.facts.remedy.amount == Decimal("890.00")
    assert (story.facts.goods, [(d.id, d.due.at, d.state) for d in story.facts.duties.values()]) == ("due", before)
    story.when("ship_return", carrier="顺丰速运", waybill="SF-1").when("receive_return", "merchant")
    story.when("perform_remedy", "merchant", amount="889.99")
    story.refused("confirm_remedy", codes="not_performed")
    story.when("perform_remedy", "merchant", amount="0.01").when("confirm_remedy").then_state("resolved")
    is_sound(story)


@given(st.lists(st.tuples(st.sampled_from(["findings", "clause", "remedy"]), st.integers(1, 89900)), min_size=1, max_size=5),
       st.booleans())
@settings(max_examples=60, deadline=None, database=None, derandomize=True)
def test_whatever_is_corrected_how_often_case_and_audit_read_the_same(said: list[tuple[str, int]], due: bool) -> None:
    story = case_in("remedy_due" if due else "ruled")
    for field, number in said:
        amount = f"{Decimal(number) / 100:.2f}"
        value: Any = {"kind": "refund", "amount": amount} if field == "remedy" else f"更正为 {number}"
        if field == "remedy" and Decimal(amount) == story.facts.rulings[-1].remedy.total:  # type: ignore[union-attr]
            continue
        if field != "remedy" and value == getattr(story.facts.rulings[-1], field):
            continue
        story.when("correct_ruling", "agent", **WHY, **{field: value})
    is_sound(story)
    if due:
        assert story.facts.remedy == story.facts.rulings[-1].remedy


# --- another edition -------------------------------------------------------------------------------------------------


def _later(id_: str = "2027-01", **values: int) -> Edition:
    """The current edition with other figures for these rules (``_`` for ``.`` in their names)."""
    named = {name.replace("_", "."): value for name, value in values.items()}
    return Edition(id_, tuple(replace(r, value=named.get(r.id, r.value)) for r in CURRENT.records), CURRENT.whole_days)


LATER = _later(merchant_response=24, suit_limitation=5, return_shipping=3)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[Edition]:
    with monkeypatch.context() as patched:
        patched.setattr("casework.rulebook.edition.editions", with_later(LATER))
        yield LATER


def adopt(story: Story, edition: Edition = LATER, by: str = "supervisor:S-1") -> Story:
    """The case goes over to the edition, an hour on."""
    story.clock += timedelta(hours=1)
    context = replace(story.context(by), adopts=edition)
    story.case.do(AdoptEdition(edition=edition.id, reason="新规则施行"), context)
    return story


def by_later(story: Story, name: str, by: str = "consumer", after: float | timedelta = 1, **said: Any) -> Story:
    """A step after the adoption: the edition that the case pins now decides."""
    story.clock += after if isinstance(after, timedelta) else timedelta(hours=after)
    story.case.do(command(name, story.clock, **said), replace(story.context(by), edition=LATER))
    return story


def due(story: Story, kind: str) -> tuple[str, datetime]:
    [duty] = [d for d in story.facts.duties.values() if d.kind == kind]
    return duty.state, duty.due.at


def test_a_pending_deadline_goes_by_the_new_rule_from_its_own_beginning() -> None:
    story = case_in("awaiting_merchant")
    began = story.clock
    assert due(story, "merchant_answer") == ("running", began + timedelta(hours=48))
    adopt(story)
    assert due(story, "merchant_answer") == ("running", began + timedelta(hours=24))
    assert [(c.duty, c.change) for c in story.last.duties] == [("merchant_answer", "recomputed")]


def test_what_is_not_changed_by_the_new_rules_is_not_touched() -> None:
    story = case_in("awaiting_merchant")
    adopt(story, _later())
    assert story.last.duties == ()
    assert story.facts.edition == "2027-01"


def test_the_limitation_period_stays_with_the_law_of_its_beginning() -> None:
    story = case_in("awaiting_merchant")
    before = due(story, "limitation")
    assert due(adopt(story), "limitation") == before
    assert LATER.due("suit.limitation", START).at > CURRENT.due("suit.limitation", START).at


def test_a_day_that_somebody_set_stays() -> None:
    story = case_in("awaiting_proof")
    before = due(story, "proof")
    assert due(adopt(story), "proof") == before


def test_a_deadline_that_was_extended_stays_where_it_was_moved_to() -> None:
    story = case_in("awaiting_merchant")
    [answer] = [d.id for d in story.facts.duties.values() if d.kind == "merchant_answer"]
    until = story.clock + days(9)
    story.when("extend_duty", "agent:A-1", duty=answer, until=until, reason="商家住院")
    adopt(story)
    assert due(story, "merchant_answer") == ("running", until) and story.last.duties == ()


def test_a_deadline_that_stands_still_or_stood_still_keeps_the_time_that_was_left() -> None:
    # Also where it stood still for no time at all: somebody disposed of it.
    for resumed, after in ((False, 0), (True, 48), (True, 0)):
        story = case_in("awaiting_merchant")
        [answer] = [d.id for d in story.facts.duties.values() if d.kind == "merchant_answer"]
        story.when("pause_duty", "agent:A-1", duty=answer, reason="送检")
        if resumed:
            story.when("resume_duty", "agent:A-1", duty=answer, after=after)
        before = due(story, "merchant_answer")
        assert due(adopt(story), "merchant_answer") == before


def test_a_deadline_that_is_met_or_missed_is_not_reopened() -> None:
    story = case_in("merchant_refused")
    before = due(story, "merchant_answer")
    assert due(adopt(story), "merchant_answer") == before == ("met", before[1])


def test_by_the_new_rule_a_deadline_may_be_over_at_once_and_time_then_acts(later: Edition) -> None:
    story = case_in("awaiting_merchant").when("contact_merchant", message="退款", remedy=REFUND, after=1)
    story.clock += timedelta(hours=30)
    adopt(story)
    by_later(story, "deem_agreed", "system").then_state("remedy_due")
    is_sound(story)


def test_what_begins_afterwards_goes_by_the_new_rule(later: Edition) -> None:
    story = adopt(case_in("ruled", remedy=RETURN))
    by_later(story, "execute_ruling", "system")
    [sent] = [d for d in story.facts.duties.values() if d.kind == "return_shipping"]
    assert sent.due.at == LATER.due("return.shipping", story.clock).at < CURRENT.due("return.shipping", story.clock).at
    is_sound(story)


def test_its_digest_is_pinned_and_without_the_edition_the_audit_says_so(later: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    story = by_later(adopt(case_in("awaiting_merchant")), "refuse_claim", "merchant", excuse="misuse")
    adopted = events(story)[-2]
    assert isinstance(adopted, e.EditionAdopted) and adopted.edition_digest == LATER.digest
    is_sound(story)
    rows = [row_of(event) for event in events(story)]
    for known, code in ((with_later(_later(merchant_response=12)), "edition_differs"), (editions, "unknown_edition")):
        with monkeypatch.context() as patched:
            patched.setattr("casework.rulebook.edition.editions", known)
            assert (code, adopted.originator_version) in faults(rows)


def test_a_digest_that_was_altered_is_found(later: Edition) -> None:
    story = adopt(case_in("awaiting_merchant"))
    rows = [row_of(event) for event in events(story)]
    version = story.facts.version
    assert faults(rows) == []
    assert faults(altered(rows, version, lambda d: d.update(edition_digest="0" * 64))) == [("edition_differs", version)]


@pytest.mark.parametrize(("named", "codes"), [
    ("2099-01", ["unknown_edition_named"]), (CURRENT.id, ["not_a_later_edition"]), ("2026-11", ["not_a_later_edition"]),
])
def test_an_edition_that_there_is_not_or_that_is_not_later_is_refused(named: str, codes: list[str]) -> None:
    story = case_in("awaiting_merchant")
    context = replace(story.context("supervisor:S-1"), adopts=edition(named))
    with pytest.raises(Refused) as caught:
        story.case.do(AdoptEdition(edition=named, reason="x"), context)
    assert caught.value.codes == codes


def test_the_tenth_edition_of_a_month_is_later_than_its_second() -> None:
    story = adopt(case_in("awaiting_merchant"), _later("2026-11.10"))
    assert story.facts.edition == "2026-11.10"


@pytest.mark.parametrize("by", ["consumer", "merchant", "agent:A-1", "adviser:V-1"])
def test_neither_party_nor_the_agent_chooses_the_edition(by: str) -> None:
    with pytest.raises(Refused) as caught:
        adopt(case_in("awaiting_merchant"), by=by)
    assert "role_not_allowed" in caught.value.codes


@pytest.mark.stores
def test_through_the_service_the_case_goes_over_and_by_the_old_release_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "s.db")
    casework("open", "K-1", "--by", "consumer", "--at", "2026-03-28T09:00:00+08:00", "--store", url, *pairs(GIVEN)).ok()
    casework("do", "K-1", "contact_merchant", "--by", "consumer", "--at", "2026-03-28T10:00:00+08:00", "--store", url, "-d",
             "message=异响").ok()
    go = ("do", "K-1", "adopt_edition", "--by", "supervisor", "--at", "2026-03-28T11:00:00+08:00", "--store", url, "-d",
          "edition=2027-01", "-d", "reason=新规则施行")
    refused = casework(*go)
    assert refused.status == 1 and "[unknown_edition_named]" in refused.err
    with monkeypatch.context() as patched:
        patched.setattr("casework.rulebook.edition.editions", with_later(LATER))
        casework(*go).ok()
        assert casework("audit", "--store", url).ok()
        view = casework("why", "K-1", "--store", url, "--json").ok().document()
        assert (view["edition"], view["edition_digest"]) == ("2027-01", LATER.digest)
        [answer] = [d for d in view["duties"] if d["duty"] == "merchant_answer"]
        assert answer["due"] == "2026-03-29T10:00:00+08:00"
        assert [(c["version"], c["change"]) for c in answer["changes"]] == [(2, "opened"), (3, "recomputed")]
        again = casework(*go)
        assert again.status == 1 and "[not_a_later_edition]" in again.err
    ran = casework("audit", "--store", url)
    assert ran.status == 1 and "unknown_edition" in ran.out
    casework("what-if", "K-1", "--store", url).fails("2027-01")


def test_a_case_that_went_over_is_lived_again_by_both_editions(later: Edition) -> None:
    story = by_later(adopt(case_in("awaiting_merchant")), "refuse_claim", "merchant", excuse="misuse")
    told = events(story)
    lived = live(told[0], recorded_steps(told), pinned)
    assert outcome(lived.facts, story.clock) == outcome(story.facts, story.clock)
    assert lived.facts.edition == LATER.id


def test_what_a_new_rule_ended_long_ago_happens_now_and_not_then(later: Edition) -> None:
    story = case_in("discovered").when("contact_merchant", message="退款", remedy=REFUND)
    began = story.clock
    story.clock += timedelta(hours=30)
    told = events(adopt(story))
    lived = live(told[0], recorded_steps(told), pinned, until=began + timedelta(hours=40))
    assert [(s.trigger, s.at) for s in lived.steps if s.source == "time"] == [("deem_agreed", began + timedelta(hours=31))]


@given(st.integers(1, 200), st.integers(0, 400))
@settings(max_examples=40, deadline=None, database=None, derandomize=True)
def test_whatever_the_new_figure_the_deadline_is_what_the_new_edition_gives(value: int, after: int) -> None:
    edition = _later(merchant_response=value)
    story = case_in("awaiting_merchant")
    began = story.clock
    story.clock += timedelta(minutes=after)
    adopt(story, edition)
    assert due(story, "merchant_answer")[1] == edition.due("merchant.response", began).at


def test_a_closed_case_stays_with_the_rules_by_which_it_was_closed() -> None:
    with pytest.raises(Refused) as caught:
        adopt(case_in("resolved"))
    assert caught.value.codes == ["not_in_this_state"]
