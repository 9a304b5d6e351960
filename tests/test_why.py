"""What a ruling rests on is in its event, the audit holds it to that, and ``casework why`` tells it from the events alone."""

from __future__ import annotations

import re
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cli_helpers import CHINESE, casework
from domain_helpers import case_in, days, given_case, ruling
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import NAMES, altered, faults, golden, golden_copy, prints, recorded, replayed, row_of, store_of

from casework.application.why import why
from casework.domain import events as e
from casework.domain.events import Basis
from casework.domain.fold import fold
from casework.report import why as report
from casework.rulebook.calendar import local
from casework.rulebook.edition import edition

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Every ruling that a scenario records: its name and version.
RULINGS = [(name, event.originator_version) for name in NAMES for event in recorded(name) if isinstance(event, e.CaseRuled)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    names = ["juicer", "counterfeit_proof_missing", "mediation_of_the_new_law", "silence_is_agreement",
             "mediation_of_the_old_law", "late_shipment", "parcel_lost"]
    return store_of(tmp_path_factory.mktemp("why") / "s.db", names)


def ruled(ground: str, remedy: dict[str, Any] | None, outcome: str = "for_consumer", services: tuple[str, ...] = (),
          paid: str = "200.00", **order: Any) -> tuple[Basis, ...]:
    """The basis of a ruling on what the ground needs, both sides heard."""
    story = case_in("under_review", ground=ground, services=services, order={"paid": paid, **order}).heard()
    story.when("rule", "agent", **ruling(outcome, **({"remedy": remedy} if remedy else {})))
    assert isinstance(story.last, e.CaseRuled)
    return story.last.basis


def only(basis: tuple[Basis, ...], about: str) -> list[Basis]:
    return [part for part in basis if part.about == about]


# --- what is recorded ------------------------------------------------------------------------------------------------


def test_a_ruling_records_the_burden_then_what_it_grants_then_what_it_leaves_to_others() -> None:
    remedy = {"kind": "refund", "amount": "200.00", "extra": [{"kind": "promised_multiple", "amount": "500.00"}]}
    basis = ruled("counterfeit", remedy, services=("fake_one_pay_three",))
    assert [(b.about, b.row, b.rule, b.rank, b.certainty, b.result) for b in basis] == [
        ("burden", "genuineness", None, None, "A", "loses=merchant"),
        ("granted", "refund_of_price", None, None, "A", "refund=200.00"),
        ("granted", "fake_one_pay_three", "promised.fake_one_pay_three", "platform", "B", "promised_multiple=500.00"),
        ("elsewhere", "fraud", "fraud.multiple", "law", "A", "statutory_damages=600.00"),
    ]
    assert [b.inputs for b in basis[1:]] == [
        ("paid=200.00", "services=fake_one_pay_three", "most=200.00"),
        ("paid=200.00", "services=fake_one_pay_three", "most=600.00"),
        ("venues=mediation|court",),
    ]
    assert all(b.clause for b in basis)


def test_the_burden_names_the_ground_the_goods_what_each_side_showed_and_what_is_missing() -> None:
    story = case_in("awaiting_proof", ground="counterfeit")
    story.when("submit_proof", "merchant", kinds=("test_certificate", "purchase_voucher"))
    story.when("examine_proof", "agent", kind="test_certificate", result="accepted")
    story.when("examine_proof", "agent", kind="purchase_voucher", result="accepted")
    story.heard().when("rule", "agent", **ruling("for_merchant"))
    [burden] = only(story.last.basis, "burden")  # type: ignore[attr-defined]  # it is a CaseRuled
    shown = {"consumer.goods_photo=unexamined", "consumer.packaging_photo=unexamined",
             "merchant.purchase_voucher=accepted", "merchant.test_certificate=accepted"}
    assert burden.inputs[:2] == ("ground=counterfeit", "category=small_appliance")
    assert set(burden.inputs[2:-1]) == shown
    assert burden.inputs[-1].startswith("missing=test_certificate|")
    assert burden.result == "loses=consumer", "after good papers it was for the buyer to bring a test"


def test_a_receipt_that_turned_the_burden_round_is_among_the_inputs() -> None:
    received = given_case().clock - days(5)
    order: dict[str, Any] = {"category": "computer", "ordered_at": received - days(2), "received_at": received}
    [burden] = only(ruled("damaged", {"kind": "refund", "amount": "10.00"}, **order), "burden")
    assert (burden.row, burden.clause) == ("durable_six_months", "消费者权益保护法 23(3)")
    assert f"received_at={local(received).isoformat()}" in burden.inputs


def test_where_both_have_proved_the_agent_weighed_it() -> None:
    story = case_in("awaiting_proof", ground="counterfeit").evidence("test_report")
    story.when("submit_proof", "merchant", kinds=("test_certificate", "purchase_voucher"))
    story.when("examine_proof", "agent", kind="test_certificate", result="accepted")
    story.when("rule", "agent", after=days(4), **ruling())
    [burden] = only(story.last.basis, "burden")  # type: ignore[attr-defined]  # it is a CaseRuled
    assert burden.result == "weighed"
    assert not any(text.startswith("missing=") for text in burden.inputs)


@pytest.mark.parametrize(("ground", "amount", "row", "most"), [
    ("late_shipment", "8.99", "late_shipment_short", "8.99"), ("late_shipment", "9.00", "late_shipment_long", "30.00"),
    ("late_shipment", "30.00", "late_shipment_long", "30.00"), ("not_shipped", "30.01", "no_stock", "89.90"),
    ("not_shipped", "89.90", "no_stock", "89.90"),
])
def test_a_compensation_rests_on_the_narrowest_rule_that_covers_it(ground: str, amount: str, row: str, most: str) -> None:
    remedy = {"kind": "refund", "amount": "899.00", "extra": [{"kind": "compensation", "amount": amount}]}
    [_, given_] = only(ruled(ground, remedy, paid="899.00"), "granted")
    assert (given_.row, given_.result, given_.inputs[-1]) == (row, f"compensation={amount}", f"most={most}")


@pytest.mark.parametrize(("amount", "row"), [
    ("200.00", "mismatch"), ("200.01", "fake_one_pay_three"), ("600.01", "fake_one_pay_four")])
def test_a_multiple_rests_on_the_smallest_promise_that_covers_it(amount: str, row: str) -> None:
    services = ("fake_one_pay_four", "fake_one_pay_three", "mismatch_compensation")
    [granted] = only(ruled("counterfeit", {"kind": "promised_multiple", "amount": amount}, services=services), "granted")
    assert granted.row == row


def test_a_compensation_never_rests_on_the_advance_which_pays_what_was_granted_and_grants_nothing() -> None:
    remedy = {"kind": "refund", "amount": "1.00", "extra": [{"kind": "compensation", "amount": "3.00"}]}
    basis = ruled("late_shipment", remedy, services=("advance_compensation",))
    assert [b.row for b in only(basis, "granted")] == ["refund_undelivered", "late_shipment_short"]


def test_what_no_rule_names_rests_on_what_is_usual() -> None:
    [other] = only(ruled("parcel_lost", {"kind": "repair"}), "granted")
    assert (other.row, other.clause) == ("repair", "淘宝平台争议处理规则 7")


def test_a_ruling_for_the_merchant_grants_nothing_and_still_names_the_burden() -> None:
    story = case_in("ruled", ground="counterfeit", outcome="for_merchant")
    basis = story.last.basis  # type: ignore[attr-defined]  # it is a CaseRuled
    assert [b.about for b in basis] == ["burden", "elsewhere"]


@pytest.mark.parametrize(("name", "version"), RULINGS)
def test_every_part_that_a_scenario_grants_has_its_basis_with_its_sum(name: str, version: int) -> None:
    event = recorded(name)[version - 1]
    assert isinstance(event, e.CaseRuled)
    parts = event.data.remedy.parts if event.data.remedy else ()
    told = [p.kind if p.amount is None else f"{p.kind}={p.amount}" for p in parts]
    assert [b.result for b in only(event.basis, "granted")] == told
    assert [b.about for b in event.basis][:1] == ["burden"]
    for part in event.basis:
        sums = dict(text.partition("=")[::2] for text in part.inputs)
        if part.about == "granted" and "most" in sums:
            assert Decimal((part.result or "").partition("=")[2] or 0) <= Decimal(sums["most"])


# --- the audit -------------------------------------------------------------------------------------------------------


def _other(key: str) -> Any:
    return {"about": "elsewhere", "row": "another_row", "clause": "别的条款", "certainty": "B", "rule": "another.rule",
            "rank": "local", "inputs": ["paid=1.00"], "result": "refund=0.01"}[key]


@pytest.mark.parametrize(("name", "version"), RULINGS)
def test_an_honest_basis_is_never_found_wanting(name: str, version: int) -> None:
    assert "derived_differs" not in [code for code, _ in faults(replayed(name).rows)]


@given(st.sampled_from(RULINGS), st.integers(0, 9), st.sampled_from(["row", "clause", "certainty", "rule", "rank", "inputs",
                                                                    "result", "about"]))
@settings(max_examples=60, deadline=None, database=None, derandomize=True)
def test_any_part_of_a_basis_that_is_altered_is_found_and_nothing_else(at: tuple[str, int], place: int, key: str) -> None:
    name, version = at
    before = faults(replayed(name).rows)

    def change(document: dict[str, Any]) -> None:
        part = document["basis"][place % len(document["basis"])]
        part[key] = _other(key) if part.get(key) != _other(key) else "granted"

    assert faults(altered(replayed(name).rows, version, change)) == sorted([*before, ("derived_differs", version)],
                                                                           key=lambda f: (f[1], f[0]))


@pytest.mark.parametrize("what", ["removed", "one removed", "reversed", "doubled"])
def test_a_basis_that_is_taken_away_shortened_or_in_another_order_is_found(what: str) -> None:
    def change(document: dict[str, Any]) -> None:
        basis = document["basis"]
        assert len(basis) > 2
        if what == "removed":
            del document["basis"]
        else:
            document["basis"] = {"one removed": basis[:-1], "reversed": basis[::-1], "doubled": [*basis, basis[0]]}[what]

    rows = altered(replayed("counterfeit_proof_missing").rows, 13, change)
    assert faults(rows) == [("derived_differs", 13)]


def test_an_amount_alone_is_found_with_what_it_was_and_what_it_should_be() -> None:
    from casework.audit.check import audit_case

    def change(document: dict[str, Any]) -> None:
        [granted] = [part for part in document["basis"] if part["about"] == "granted"]
        granted["result"] = "refund=3.98"

    [finding] = audit_case(altered(replayed("counterfeit_proof_missing").rows, 13, change))
    for lang in ("zh", "en"):
        assert "refund_of_price refund=3.98" in finding.what.text(lang)
        assert "refund_of_price refund=398.00" in finding.why.text(lang)


def test_a_basis_in_a_case_of_the_first_lifecycle_which_records_none_is_found() -> None:
    events = golden()["issue-2:juicer"]
    rows = [row_of(event) for event in events]
    assert faults(rows) == []
    [version] = [event.originator_version for event in events if isinstance(event, e.CaseRuled)]
    forged = {"about": "granted", "row": "refund_of_price", "clause": "编造", "certainty": "A", "result": "refund=1.00"}
    assert faults(altered(rows, version, lambda document: document.update(basis=[forged]))) == [("derived_differs", version)]


# --- as it is told ---------------------------------------------------------------------------------------------------


def test_the_juicer_in_english(store: str) -> None:
    out = casework("why", "juicer", "--store", store).ok().out
    assert out.startswith("juicer  resolved  (lifecycle 2, edition of the rulebook 2026-11.2)\nRuling v17, 2019-04-11 11:00")
    assert "agent:A-1: for the consumer, return and refund ¥899.00" in out
    assert "  Burden of proof: For what the eye cannot see the seller proves first" in out
    assert "consumer video of the fault (unexamined)" in out and "merchant certificate of conformity (missing)" in out
    assert "    Who loses by that: merchant\n" in out
    assert "  Granted: return and refund, at most what was paid ¥899.00; paid ¥899.00, at most ¥899.00 (" in out
    assert "merchant's answer, merchant, until 2019-03-31 20:00:00+08:00 (met late): merchant.response: " in out
    assert "set by the platform, 淘宝平台争议处理规则 8 [A]" in out


def test_the_juicer_in_chinese(store: str) -> None:
    out = casework("why", "juicer", "--store", store, lang="zh").ok().out
    assert out.startswith("juicer  已解决  (流程版本 2, 规则版本 2026-11.2)\n裁决 v17, 2019-04-11 11:00")
    for text in ("  举证责任: 看不见的问题由商家先举证", "商家 合格证 (未能提供)", "    由此败诉的一方: 商家\n",
                 "支持消费者, 退货退款 ¥899.00", "  处理: 退货退款，以实付为限 ¥899.00; 实付 ¥899.00, 最高 ¥899.00",
                 "由平台设定", "(逾期完成)"):
        assert text in out


def test_a_fake_is_refunded_without_its_return_and_the_threefold_is_for_mediation_or_the_court(store: str) -> None:
    out = casework("why", "counterfeit_proof_missing", "--store", store).ok().out
    [granted] = [line for line in out.splitlines() if "Granted:" in line]
    assert granted.startswith("  Granted: refund ¥398.00; "), "nobody granted a return of the goods"
    assert ("  Not granted, to be claimed from mediation (12315, consumer association), court: fraud: three times the price on "
            "top ¥1194.00 (《消费者权益保护法》第55条第1款 [A], fraud.multiple)") in out
    out = casework("why", "counterfeit_proof_missing", "--store", store, lang="zh").ok().out
    assert "  处理: 退款 ¥398.00; " in out
    assert "  未给予，可另行主张 调解（12315、消协）、法院: 欺诈：退一赔三 ¥1194.00" in out


def test_of_sums_that_are_paid_once_nobody_is_told_to_claim_another_beside_the_one_he_got(store: str) -> None:
    out = casework("why", "late_shipment", "--store", store).ok().out
    assert "  Granted: late shipment, promised within 48 hours ¥3.00; " in out
    assert "  Not granted, and not paid beside what was: out of stock, promised within 48 hours ¥26.80 (" in out
    assert "to be claimed from" not in out
    out = casework("why", "late_shipment", "--store", store, lang="zh").ok().out
    assert "  未给予，不与已给予的并付: 缺货赔付（承诺四十八小时内发货） ¥26.80" in out and "可另行主张" not in out


def test_where_the_ruling_finds_for_whoever_the_order_of_proof_speaks_against_that_is_said(store: str) -> None:
    # What a merchant proved may be what he loses by: that it got lost after it was shipped.
    assert ("    Who loses by that: consumer (by the order of proof alone; the ruling finds otherwise)\n"
            in casework("why", "parcel_lost", "--store", store).ok().out)
    assert ("    由此败诉的一方: 消费者（仅就举证顺序而言，裁决另有认定）\n"
            in casework("why", "parcel_lost", "--store", store, lang="zh").ok().out)


@pytest.mark.parametrize(("lang", "note", "loses"), [
    ("en", "one that shows the collection (揽收) alone, or lateness, does not clear him", "Who loses by that"),
    ("zh", "只显示揽收、或者显示延迟的，不免除其责任", "由此败诉")])
def test_over_lateness_a_proof_of_shipment_makes_no_loser_of_the_buyer(store: str, lang: str, note: str, loses: str) -> None:
    out = casework("why", "late_shipment", "--store", store, lang=lang).ok().out
    assert note in out and loses not in out


@pytest.mark.parametrize(("lang", "counted"), [
    ("en", "mr12315.mediate: 60 days from 2025-03-04, "), ("zh", "mr12315.mediate: 自 2025-03-04 起 60 日，")])
def test_a_deadline_names_its_figure_and_when_it_began(store: str, lang: str, counted: str) -> None:
    assert counted in casework("why", "mediation_of_the_new_law", "--store", store, lang=lang).ok().out


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_from_where_it_began_gives_the_end_that_is_recorded(name: str) -> None:
    events = recorded(name)
    for duty in why(events, fold(events))["duties"]:
        stood = any(change["change"] == "resumed" for change in duty["changes"])
        assert (duty["value"] is None) == (duty["from"] is None) == (duty["unit"] is None), duty
        if duty["unit"] is not None and not stood:
            held = edition(events[0].edition)  # type: ignore[attr-defined]  # it opened the case
            assert held is not None
            found = held.due(duty["rule"], duty["from"])
            assert (found.at, found.value, found.unit) == (duty["due"], duty["value"], duty["unit"])


def test_of_a_deadline_that_stood_still_that_is_said_and_of_one_that_was_set_there_is_no_figure() -> None:
    story = case_in("under_review").refer("market_regulator")
    duty = story.duty("referral_acceptance")
    body = "external:market_regulator"
    story.when("pause_duty", body, duty=duty.id, reason="补正").when("resume_duty", body, after=days(3), duty=duty.id)
    story.when("notify", "agent", party="merchant", answer_by=days(2))
    events = list(story.case.pending_events)
    lines = list(report.lines(why(events, story.facts), "en", SHANGHAI))  # type: ignore[arg-type]  # they are of a case
    [stood] = [line for line in lines if line.startswith(f"  {duty.id} ")]
    assert "7 working days from " in stood and ", and it stood still in between, " in stood
    [named] = [line for line in lines if line.startswith(f"  {story.duty('answer').id} ")]
    assert " from " not in named


@pytest.mark.parametrize(("lang", "over", "late"), [("en", "(its time was over)", "met late"), ("zh", "(期限届满)", "逾期完成")])
def test_a_suspension_that_time_ended_is_nobodys_lateness(lang: str, over: str, late: str) -> None:
    events = recorded("suspended_nobody_acts")
    lines = list(report.lines(why(events, fold(events)), lang, SHANGHAI))
    ended = [line for line in lines if over in line]
    assert len(ended) == 2 and not any(late in line for line in ended)


def test_a_deadline_names_the_regulation_and_the_lower_rule_that_gave_way(store: str) -> None:
    higher = "《消费者权益保护法实施条例》（国务院令第778号）第46条"
    lower = "《市场监督管理投诉举报处理暂行办法》（总局令第20号）第21条"
    for lang, over, none in (("en", "over", "There is no ruling."), ("zh", "优先于", "没有裁决")):
        out = casework("why", "mediation_of_the_new_law", "--store", store, lang=lang).ok().out
        [line] = [line for line in out.splitlines() if "mr12315.mediate" in line]
        assert "2025-05-03 23:59:59+08:00" in line and line.endswith(f"{higher} {over} {lower} [A]")
        assert f"\n{none}" in out


def test_silence_that_was_taken_as_agreement_is_told_with_what_was_asked(store: str) -> None:
    assert re.search(r"^Taken as agreed by silence v\d+, 2026-03-06 \S+, refund ¥268.00$",
                     casework("why", "silence_is_agreement", "--store", store).ok().out, re.MULTILINE)
    assert re.search(r"^逾期视为同意 v\d+, 2026-03-06 \S+, 退款 ¥268.00$",
                     casework("why", "silence_is_agreement", "--store", store, lang="zh").ok().out, re.MULTILINE)


def test_what_silence_agreed_to_stays_what_was_asked_by_then() -> None:
    story = given_case(order={"received_at": given_case().clock - days(3)})
    story.when("contact_merchant", message="退货退款", remedy={"kind": "return_refund", "amount": "899.00"})
    story.when("deem_agreed", "system", after=days(3)).when("lapse", "system", after=days(10)).when("reopen")
    story.when("contact_merchant", message="那就退一部分", remedy={"kind": "refund", "amount": "100.00"})
    story.when("deem_agreed", "system", after=days(3))
    events: list[Any] = list(story.case.pending_events)
    assert [(a["remedy"]["kind"], a["remedy"]["amount"]) for a in why(events, fold(events))["agreed"]] == [
        ("return_refund", "899.00"), ("refund", "100.00")]


def test_what_an_outside_body_awarded_is_told_with_every_part_of_it(store: str) -> None:
    out = casework("why", "mediation_of_the_old_law", "--store", store).ok().out
    [line] = [line for line in out.splitlines() if line.startswith("Award by an outside body v")]
    assert line.endswith("market regulator (12315), return and refund ¥1280.00 + statutory punitive damages ¥3840.00")


def test_a_correction_is_told_with_who_made_it_why_and_what_it_changed() -> None:
    story = case_in("ruled").when("correct_ruling", "agent", reason="金额笔误", clause="争议规则 66",
                                  remedy={"kind": "refund", "amount": "890.00"})
    events: list[Any] = list(story.case.pending_events)
    told = list(report.lines(why(events, fold(events)), "en", SHANGHAI))
    [line] = [text for text in told if text.startswith("Correction v")]
    assert line.endswith(", agent:A-1, refund ¥890.00: 争议规则 66; 金额笔误")


@pytest.mark.parametrize(("lang", "text"), [
    ("en", "  The ruling was made before what it rests on was recorded."), ("zh", "  该裁决作出时尚不记录依据")])
def test_of_a_ruling_of_the_first_lifecycle_it_says_that_no_basis_was_recorded(lang: str, text: str, tmp_path: Path) -> None:
    out = casework("why", "juicer", "--store", golden_copy("issue-2", tmp_path), lang=lang).ok().out
    assert text in out.splitlines()
    assert ("lifecycle 1" if lang == "en" else "流程版本 1") in out
    assert "Burden" not in out and "举证责任" not in out


@pytest.mark.parametrize("case", sorted(golden()))
def test_every_case_of_an_earlier_release_can_be_told(case: str) -> None:
    events = golden()[case]
    view = why(events, fold(events))
    assert view["duties"] == [] and all(r["basis"] == [] for r in view["rulings"])
    for lang in ("zh", "en"):
        assert list(report.lines(view, lang, SHANGHAI))


def test_a_merchants_stream_and_an_unknown_case_are_one_line_and_status_two(store: str) -> None:
    casework("why", "merchant:M-7", "--store", store).fails("merchant:M-7", "that is a merchant", "casework merchant")
    casework("why", "merchant:M-7", "--store", store, lang="zh").fails("merchant:M-7", "这是商家")
    casework("why", "K-9", "--store", store).fails("no case 'K-9'", "casework list")
    casework("why", "K-9", "--store", store, lang="zh").fails("没有案件“K-9”")


def test_the_keys_of_the_document_stay() -> None:
    events = recorded("mediation_of_the_new_law")
    view = why(events, fold(events))
    assert set(view) == {"case", "state", "lifecycle", "edition", "edition_digest", "rulings", "corrections", "agreed", "awards",
                         "duties"}
    for duty in view["duties"]:
        assert set(duty) == {"id", "duty", "who", "about", "state", "since", "due", "rule", "rank", "unit", "clause", "certainty",
                             "provisional", "overrides", "changes", "value", "from"}
        assert all(set(change) == {"version", "at", "change", "due"} for change in duty["changes"])
        assert duty["changes"][0]["change"] == "opened"


def test_the_keys_of_a_ruling_and_its_basis_stay(store: str) -> None:
    view = casework("why", "counterfeit_proof_missing", "--store", store, "--json").ok().document()
    assert view["edition_digest"] == recorded("counterfeit_proof_missing")[0].edition_digest  # type: ignore[attr-defined]
    [found] = view["rulings"]
    assert set(found) == {"version", "at", "by", "outcome", "findings", "clause", "remedy", "penalties", "basis"}
    assert [p["points"] for p in found["penalties"]] == [None, 12]
    for part in found["basis"]:
        assert set(part) == {"about", "row", "rule", "rank", "clause", "certainty", "inputs", "result"}
    assert found["basis"][-1] == {
        "about": "elsewhere", "row": "fraud", "rule": "fraud.multiple", "rank": "law",
        "clause": "《消费者权益保护法》第55条第1款", "certainty": "A", "inputs": ["venues=mediation|court"],
        "result": "statutory_damages=1194.00"}


@pytest.mark.parametrize(("lang", "word"), [("en", "[unverified]"), ("zh", "[未经核实]")])
def test_certainty_c_is_shown_as_unverified_and_nothing_else_is(lang: str, word: str) -> None:
    events = recorded("counterfeit_proof_missing")
    view = why(events, fold(events))
    lines = list(report.lines(view, lang, SHANGHAI))
    by_certainty = {duty["certainty"] for duty in view["duties"]}
    assert by_certainty == {"A", "C"}
    for duty in view["duties"]:
        [line] = [text for text in lines if text.startswith(f"  {duty['id']} ")]
        assert (word in line) == (duty["certainty"] == "C") == ("[A]" not in line)
    # A figure that nobody verified is marked where it is granted, and there alone.
    unsure = deepcopy(view)
    unsure["rulings"][0]["basis"][1]["certainty"] = "C"
    changed = [text for text in report.lines(unsure, lang, SHANGHAI) if text not in lines]
    assert len(changed) == 1 and word in changed[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_case_can_be_told_in_both_languages_without_a_code_of_ours_in_the_text(name: str) -> None:
    events = recorded(name)
    view = why(events, fold(events))
    for lang in ("zh", "en"):
        for line in report.lines(view, lang, SHANGHAI):
            assert "None" not in line and "Line(" not in line
            # Rules and roles are codes on purpose; a row, a kind or a standing would be one that nobody put into words.
            assert not re.search(r"\b(loses|missing|most|venues|result|unexamined)=", line)
    # What is told in English of the frame is English: Chinese stands only where the record itself is quoted.
    assert not CHINESE.search(next(iter(report.lines(view, "en", SHANGHAI))))


def test_asking_why_leaves_the_store_as_it_is(tmp_path: Path) -> None:
    url = store_of(tmp_path / "s.db", ["juicer"])
    before = prints(tmp_path)
    for extra in ((), ("--json",), ("--tz", "UTC")):
        casework("why", "juicer", "--store", url, *extra).ok()
    assert prints(tmp_path) == before
