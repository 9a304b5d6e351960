"""Taobao's and Tmall's values: none is missing, each means something that exists or has a reason, and they agree."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from casework.domain.beside import ACTS, TRACKS
from casework.domain.commands import COMMANDS
from casework.domain.lifecycle import STAGE_OF, TRIGGERS
from casework.domain.vocabulary import ROLES
from casework.exchange.taobao import FACTS, GROUPS, NAMES, VALUES, Value, as_data, find, meaning

ENUMS = Path(__file__).parent.parent.parent / "shared" / "domain" / "taobao_enums.yaml"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
BY_NAME = {v.name: v for v in VALUES}

#: The platform's codes, as its public documentation has them.
CODES = {
    "status": "WAIT_SELLER_AGREE WAIT_BUYER_RETURN_GOODS WAIT_SELLER_CONFIRM_GOODS CLOSED SUCCESS SELLER_REFUSE_BUYER "
              "WAIT_SELLER_CONSIGN_GOODS WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS",
    "dispute_status": "WAIT_BUYER_CONFIRM_REDO_SEND_GOODS WAIT_SELLER_CONFIRM_RETURN_ADDRESS WAIT_SELLER_CONSIGN_GOOGDS "
                      "EXCHANGE_TRANSFORM_TO_REFUND EXCHANGE_WAIT_BUYER_CONFIRM_GOODS POST_FEE_DISPUTE_WAIT_ACTIVATE",
    "exchange_status": "1 2 3 4 5 6 12 13 14",
    "cs_status": "1 2 3 4 5 6 7 8 9 10 11",
    "advance_status": "0 1 2 3 4 5",
    "good_status": "BUYER_NOT_RECEIVED BUYER_RECEIVED BUYER_RETURNED_GOODS",
    "refund_phase": "onsale aftersale",
    "dispute_type": "REFUND REFUND_AND_RETURN TMALL_EXCHANGE TAOBAO_EXCHANGE REPAIR RESHIPPING OTHERS",
    "operation_contraint": "cannot_refuse refund_onweb",
    "owner_role": "1 2 3",
    "timeout_type": "STOP_TIMEOUT WAIT_SELLER_AGREE_TIME_OUT BUYER_MODIFY_AGREEMENT_TIME_OUT "
                    "WAIT_BUYER_RETURN_GOODS_TIME_OUT WAIT_SELLER_CONFIRM_GOODS_TIME_OUT",
    "taobao_refund": "RefundCreated RefundSellerAgreeAgreement RefundSellerRefuseAgreement RefundBuyerModifyAgreement "
                     "RefundBuyerReturnGoods RefundCreateMessage RefundBlockMessage RefundTimeoutRemind TaobaoInterApplied "
                     "TaobaoIntervened RefundClosed RefundSuccess RefundableMarked RefundableCanceled",
    "taobao_dispute": "RefundCreated NegotiationApply NegotiationAgreed NegotiationRefused ExchangeAgree ExchangeModified "
                      "ExchangeSellerConfirmed ExchangeSellerGoodsConsigned ExchangeSuccess ExchangeClosed "
                      "ExchangeTurnToRefund PostageRefundApplied PostageRefundSuccess RefundPriceProtect RefundSuccess "
                      "TaobaoInterApplied",
    "tmall_refund": "RefundCreate RefundModified RefundSellerAgreeReturn RefundSellerRefuse ReturnCreated ReturnModified "
                    "ReturnBuyerReturnGoods ReturnConfirmSucceed ReturnConfirmFailed RefundTaobaoInvolved RefundPrepaid "
                    "RefundPaymentFinished RefundMessageCreated RefundSucceed RefundClosed RefundableMarked "
                    "RefundableCanceled",
    "fenxiao_status": "1 2 3 4 5 6 9 10 12",
}
#: In the table and not in the file of facts: what other public documents have besides.
BESIDES = {
    "status:WAIT_SELLER_CONSIGN_GOODS", "status:WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS",
    "tmall_refund:RefundableMarked", "tmall_refund:RefundableCanceled",
}
#: Two values that come together or mean the same must not contradict each other.
PAIRS = [
    ("taobao_refund:RefundCreated", "status:WAIT_SELLER_AGREE"),
    ("taobao_refund:RefundBuyerModifyAgreement", "status:WAIT_SELLER_AGREE"),
    ("taobao_refund:RefundSellerAgreeAgreement", "status:WAIT_BUYER_RETURN_GOODS"),
    ("taobao_refund:RefundSellerRefuseAgreement", "status:SELLER_REFUSE_BUYER"),
    ("taobao_refund:RefundBuyerReturnGoods", "status:WAIT_SELLER_CONFIRM_GOODS"),
    ("taobao_refund:RefundBuyerReturnGoods", "good_status:BUYER_RETURNED_GOODS"),
    ("taobao_refund:RefundClosed", "status:CLOSED"),
    ("taobao_refund:RefundSuccess", "status:SUCCESS"),
    ("taobao_refund:TaobaoInterApplied", "cs_status:2"),
    ("taobao_refund:TaobaoIntervened", "cs_status:3"),
    ("taobao_refund:RefundCreated", "taobao_dispute:RefundCreated"),
    ("taobao_refund:RefundSuccess", "taobao_dispute:RefundSuccess"),
    ("taobao_refund:TaobaoInterApplied", "taobao_dispute:TaobaoInterApplied"),
    ("taobao_refund:RefundCreated", "tmall_refund:RefundCreate"),
    ("taobao_refund:RefundBuyerModifyAgreement", "tmall_refund:RefundModified"),
    ("taobao_refund:RefundSellerAgreeAgreement", "tmall_refund:RefundSellerAgreeReturn"),
    ("taobao_refund:RefundSellerRefuseAgreement", "tmall_refund:RefundSellerRefuse"),
    ("taobao_refund:RefundBuyerReturnGoods", "tmall_refund:ReturnBuyerReturnGoods"),
    ("taobao_refund:TaobaoIntervened", "tmall_refund:RefundTaobaoInvolved"),
    ("taobao_refund:RefundSuccess", "tmall_refund:RefundSucceed"),
    ("taobao_refund:RefundClosed", "tmall_refund:RefundClosed"),
    ("tmall_refund:RefundSellerAgreeReturn", "tmall_refund:ReturnCreated"),
    ("tmall_refund:ReturnConfirmFailed", "status:WAIT_SELLER_CONFIRM_GOODS"),
    ("taobao_dispute:ExchangeModified", "exchange_status:1"),
    ("taobao_dispute:ExchangeAgree", "exchange_status:2"),
    ("taobao_dispute:ExchangeClosed", "exchange_status:4"),
    ("taobao_dispute:ExchangeSuccess", "exchange_status:5"),
    ("taobao_dispute:ExchangeSellerConfirmed", "exchange_status:12"),
    ("taobao_dispute:ExchangeSellerGoodsConsigned", "exchange_status:13"),
    ("taobao_dispute:ExchangeTurnToRefund", "exchange_status:14"),
    ("dispute_status:WAIT_BUYER_CONFIRM_REDO_SEND_GOODS", "exchange_status:13"),
]
#: Two values that mean one and the same moment: the same states, the goods at the same place.
SAME = [
    ("dispute_status:WAIT_SELLER_CONSIGN_GOOGDS", "exchange_status:12"),
    ("dispute_status:WAIT_SELLER_CONSIGN_GOOGDS", "status:WAIT_SELLER_CONSIGN_GOODS"),
    ("dispute_status:EXCHANGE_WAIT_BUYER_CONFIRM_GOODS", "exchange_status:13"),
    ("dispute_status:EXCHANGE_WAIT_BUYER_CONFIRM_GOODS", "status:WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS"),
    ("dispute_status:EXCHANGE_TRANSFORM_TO_REFUND", "exchange_status:14"),
    ("dispute_status:WAIT_SELLER_CONFIRM_RETURN_ADDRESS", "status:WAIT_BUYER_RETURN_GOODS"),
    ("exchange_status:1", "status:WAIT_SELLER_AGREE"),
    ("exchange_status:2", "status:WAIT_BUYER_RETURN_GOODS"),
    ("exchange_status:3", "status:WAIT_SELLER_CONFIRM_GOODS"),
    ("exchange_status:4", "status:CLOSED"),
    ("exchange_status:5", "status:SUCCESS"),
    ("exchange_status:6", "status:SELLER_REFUSE_BUYER"),
    ("timeout_type:WAIT_SELLER_AGREE_TIME_OUT", "status:WAIT_SELLER_AGREE"),
    ("timeout_type:BUYER_MODIFY_AGREEMENT_TIME_OUT", "status:SELLER_REFUSE_BUYER"),
    ("timeout_type:WAIT_BUYER_RETURN_GOODS_TIME_OUT", "status:WAIT_BUYER_RETURN_GOODS"),
    ("timeout_type:WAIT_SELLER_CONFIRM_GOODS_TIME_OUT", "status:WAIT_SELLER_CONFIRM_GOODS"),
]


def named(values: Iterable[Value]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("value", values, ids=lambda v: v.name)


def terms(value: Value, kind: str) -> set[str]:
    return {term for k, term in value.facts if k == kind}


# --- nothing is missing ----------------------------------------------------------------------------------------------


def test_the_table_has_every_code_of_the_platform_once_and_no_other() -> None:
    assert list(CODES) == list(GROUPS)
    own = [f"{group}:{code}" for group, codes in CODES.items() for code in codes.split()]
    assert sorted(v.name for v in VALUES) == sorted(own)


@pytest.mark.parametrize("group", CODES)
def test_no_two_values_of_a_group_have_the_same_number(group: str) -> None:
    numbers = Counter(v.number for v in VALUES if v.group == group and v.number is not None)
    assert [n for n, many in numbers.items() if many > 1] == []


@pytest.mark.skipif(not ENUMS.exists(), reason="the file of facts does not ship")
def test_the_table_is_the_file_of_facts_value_by_value_with_the_platforms_own_labels() -> None:
    facts = yaml.safe_load(ENUMS.read_text("utf-8"))
    messages = facts["taobao_triggers_tmc"]
    wanted: dict[str, tuple[str | None, int | None]] = {}
    for group, key in (("status", "taobao_refund_status"), ("dispute_status", "tmall_dispute_status_extra")):
        for row in facts[key]["values"]:
            wanted[f"{group}:{row['code']}"] = row["zh"].partition(" (")[0], row.get("number")
    plain = {"cs_status": facts["taobao_cs_status"]["values"], "advance_status": facts["taobao_advance_status"]["values"],
             "exchange_status": facts["tmall_dispute_status_extra"]["exchange_numbers"],
             "owner_role": facts["taobao_message_owner_role"]["values"],
             "fenxiao_status": facts["taobao_fenxiao_refund_status"]["values"],
             "taobao_refund": messages["taobao_refund"], "taobao_dispute": messages["taobao_dispute"],
             "tmall_refund": dict.fromkeys(messages["tmall_refund"])}
    plain |= {group: facts[f"taobao_{group}"]["values"]
              for group in ("good_status", "refund_phase", "dispute_type", "operation_contraint", "timeout_type")}
    for group, values in plain.items():
        for code, zh in values.items():
            wanted[f"{group}:{code}"] = zh, code if isinstance(code, int) else None
    assert {n: (v.zh if wanted[n][0] else None, v.number) for n, v in BY_NAME.items() if n not in BESIDES} == wanted
    assert {v.code: v.leads_to for v in VALUES if v.leads_to} == messages["status_after_message"]


# --- each means something, or says why not ---------------------------------------------------------------------------


@named(VALUES)
def test_a_value_means_something_to_a_case_or_says_in_both_languages_why_not(value: Value) -> None:
    assert value.mapped or value.note
    assert CHINESE.search(value.zh)
    assert value.en
    assert not CHINESE.search(value.en)
    if value.note:
        assert CHINESE.search(value.note.zh)
        assert not CHINESE.search(value.note.en.replace("极速退款", ""))


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_has_labels_and_says_where_it_is_documented(group: str) -> None:
    row = GROUPS[group]
    assert CHINESE.search(row.zh)
    assert not CHINESE.search(row.en)
    assert row.source


@named(VALUES)
def test_every_state_command_and_term_that_a_value_names_exists(value: Value) -> None:
    assert set(value.states) <= set(STAGE_OF)
    assert {command for way in value.ways for command in way} <= set(COMMANDS)
    assert len(set(value.states)) == len(value.states)
    assert len(set(value.facts)) == len(value.facts)
    for kind, term in value.facts:
        what, _, whose = term.partition(":")
        assert what in FACTS[kind].terms
        assert not whose or (kind == "duty" and whose in ROLES)


# --- they agree ------------------------------------------------------------------------------------------------------

TRIGGER = {t.name: t for t in TRIGGERS}
ACT = {a.name: a for a in ACTS}


def after(states: set[str], command: str) -> set[str]:
    """Where the lifecycle's table leads from any of these states: by the edges that lead on, where there are any."""
    if command in ACT:
        return states & set(ACT[command].states)
    edges = [(source, e.to) for e in TRIGGER[command].edges for source in e.sources if source in states]
    return {to for _, to in edges if to} or {source for source, _ in edges}


@named([v for v in VALUES if v.ways and not v.states])
def test_a_message_that_leaves_the_state_open_is_recorded_beside_it(value: Value) -> None:
    assert {command for way in value.ways for command in way} <= set(ACT)


@named([v for v in VALUES if v.ways and v.states])
def test_the_commands_of_a_message_lead_to_the_states_that_it_means_and_to_no_other(value: Value) -> None:
    reached = set()
    for way in value.ways:
        states = set(STAGE_OF)
        for command in way:
            states = after(states, command)
        assert states, way
        reached |= states
    assert reached == set(value.states)


def moves(value: Value) -> set[str]:
    """The tracks that the commands of a message move."""
    acts = [ACT[command] for way in value.ways for command in way if command in ACT]
    return {act.track.name for act in acts if act.track}


@named([v for v in VALUES if "return" in moves(v)])
def test_what_moves_the_goods_return_leads_to_the_fact_that_it_means(value: Value) -> None:
    track = ACT[value.ways[0][-1]].track
    assert track
    assert terms(value, "goods") == {to for name, _, to in TRACKS["return"] if name in track.triggers}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_values_that_come_together_do_not_contradict_each_other(one: str, other: str) -> None:
    a, b = BY_NAME[one], BY_NAME[other]
    if a.states and b.states:
        assert set(a.states) & set(b.states)
    for kind in {k for k, _ in a.facts} & {k for k, _ in b.facts}:
        assert terms(a, kind) & terms(b, kind), kind


@pytest.mark.parametrize(("one", "other"), SAME)
def test_values_that_mean_the_same_moment_mean_the_same(one: str, other: str) -> None:
    a, b = BY_NAME[one], BY_NAME[other]
    assert a.states == b.states
    assert terms(a, "goods") == terms(b, "goods")
    assert not terms(a, "remedy") or not terms(b, "remedy") or terms(a, "remedy") == terms(b, "remedy")
    assert terms(a, "duty") == terms(b, "duty")


@named([v for v in VALUES if v.leads_to])
def test_the_states_of_a_message_are_states_of_the_status_that_follows_it(value: Value) -> None:
    assert value.leads_to
    [status] = find(f"status:{value.leads_to}")
    assert set(value.states) <= set(status.states)


@pytest.mark.parametrize(("number", "stages"), [
    (1, []), (2, ["platform"]), (3, ["platform"]), (4, ["platform"]), (5, ["platform"]),
    (6, ["ruling", "performance", "closed", "closed"]), (7, ["closed"]), (8, ["ruling", "performance", "closed"]),
    (9, ["ruling", "closed"]), (10, ["platform"]), (11, ["ruling", "escalation"]),
])
def test_the_agents_intervention_lies_in_its_stages(number: int, stages: list[str]) -> None:
    found = [STAGE_OF[state] for state in BY_NAME[f"cs_status:{number}"].states]
    assert found == stages or (len(stages) == 1 and set(found) == set(stages))


@pytest.mark.parametrize(("code", "claim"), [
    ("REFUND", "refund"), ("REFUND_AND_RETURN", "return_refund"), ("TMALL_EXCHANGE", "exchange"),
    ("TAOBAO_EXCHANGE", "exchange"), ("REPAIR", "repair"), ("RESHIPPING", "reshipment"),
])
def test_a_kind_of_dispute_is_a_claim(code: str, claim: str) -> None:
    assert BY_NAME[f"dispute_type:{code}"].facts == (("claim", claim),)


@named([v for v in VALUES if v.group == "exchange_status"])
def test_an_exchange_is_claimed_until_it_is_due_and_what_is_turned_into_a_refund_is_one(value: Value) -> None:
    claimed = value.number in (1, 4, 6)
    assert terms(value, "claim") == ({"exchange"} if claimed else set())
    assert terms(value, "remedy") == (set() if claimed else {"return_refund"} if value.number == 14 else {"exchange"})


@pytest.mark.parametrize(("number", "outcome", "end"), [(8, "for_consumer", "SUCCESS"), (9, "for_merchant", "CLOSED")])
def test_whoever_is_supported_has_a_ruling_with_that_outcome(number: int, outcome: str, end: str) -> None:
    [value] = find(f"cs_status:{number}")
    assert value.states[0] == "ruled"
    assert terms(value, "outcome") == {outcome}
    assert len(set(value.states) & set(BY_NAME[f"status:{end}"].states)) == 1


def test_a_closed_refund_is_told_apart_by_the_agents_intervention() -> None:
    closed = set(BY_NAME["status:CLOSED"].states)
    assert closed & set(BY_NAME["cs_status:7"].states) == {"withdrawn"}
    assert closed & set(BY_NAME["cs_status:9"].states) == {"dismissed"}


def test_the_numbers_of_advance_status_are_the_states_of_the_track_but_for_the_refused_goods() -> None:
    rows = sorted((v for v in VALUES if v.group == "advance_status"), key=lambda v: int(v.code))
    told = [state for v in rows for state in terms(v, "advance")]
    assert told == ["not_applied", "applied", "paid", "closed", "recovered"]
    assert set(told) == {state for _, sources, to in TRACKS["advance"] for state in (*sources, to)}
    assert [v.facts for v in rows if not terms(v, "advance")] == [(("goods", "contested"),)]


@pytest.mark.parametrize(("name", "zh", "en"), [
    ("cs_status:1", "先后顺序没有公开文档", "order in which the values follow each other is not documented"),
    ("taobao_refund:RefundTimeoutRemind", "已下线", "offline"),
    ("taobao_refund:RefundBlockMessage", "无此消息", "no such message"),
    ("dispute_status:WAIT_SELLER_CONSIGN_GOOGDS", "原文拼写", "own spelling"),
    ("cs_status:5", "未见文档", "not documented"),
    ("cs_status:11", "未见文档", "not documented"),
    ("status:WAIT_SELLER_AGREE", "未能核实", "could not be verified"),
])
def test_what_is_uncertain_is_said(name: str, zh: str, en: str) -> None:
    assert zh in "\n".join(meaning(BY_NAME[name], "zh"))
    assert en in "\n".join(meaning(BY_NAME[name], "en")).lower()


# --- looking up ------------------------------------------------------------------------------------------------------


@named(VALUES)
def test_a_value_is_found_by_its_names_whatever_their_case(value: Value) -> None:
    assert find(value.name) == find(value.name.upper()) == find(f" {value.name.lower()} ") == [value]
    assert value in find(f"{value.group}_{value.code}")
    if not value.code.isdigit():
        assert value in find(value.code.swapcase())
    if value.number is not None:
        assert find(f"{value.group}:{value.number}") == [value]


@pytest.mark.parametrize(("code", "names"), [
    ("WAIT_SELLER_AGREE", ["status:WAIT_SELLER_AGREE"]),
    ("status:1", ["status:WAIT_SELLER_AGREE"]),
    ("cs_status:8", ["cs_status:8"]),
    ("RefundCreated", ["taobao_refund:RefundCreated", "taobao_dispute:RefundCreated"]),
    ("taobao_refund_RefundCreated", ["taobao_refund:RefundCreated"]),
    ("8", []), ("", []), ("cs_status", []), ("cs_status:99", []), ("WAIT_SELLER", []), ("no_such_code", []),
])
def test_a_code_finds_what_it_names_and_nothing_else(code: str, names: list[str]) -> None:
    assert [v.name for v in find(code)] == names


def test_the_names_that_are_offered_find_every_value() -> None:
    assert {v.name for name in NAMES for v in find(name)} == set(BY_NAME)
    assert len(set(NAMES)) == len(NAMES)


def test_what_is_found_can_be_changed_without_changing_the_table() -> None:
    find("RefundCreated").clear()
    assert len(find("RefundCreated")) == 2


# --- for people and for machines -------------------------------------------------------------------------------------


@named(VALUES)
def test_a_value_is_told_in_both_languages_with_all_that_it_means(value: Value) -> None:
    for lang in ("zh", "en"):
        told = meaning(value, lang)
        assert all(line.strip() == line and line.isprintable() for line in told)
        text = "\n".join(told)
        assert value.name in told[0]
        assert value.zh in told[0]
        assert GROUPS[value.group].source in told[-1]
        for word in (*value.states, *(t for _, t in value.facts), *(c for way in value.ways for c in way)):
            assert word in text
        assert ("not mapped" in text or "没有对应" in text) == (not value.mapped)
        assert value.note is None or value.note.text(lang) in told


def test_the_status_that_the_issue_names_is_told_like_this() -> None:
    [value] = find("WAIT_SELLER_AGREE")
    assert meaning(value, "zh")[:3] == [
        "status:WAIT_SELLER_AGREE (1)  [退款状态]  买家已经申请退款，等待卖家同意",
        "状态：awaiting_merchant（等待商家答复），或 merchant_needs_evidence（商家要求补充证据），"
        "或 offer_made（商家已提出方案）",
        "待办：answer:merchant（商家：答复）",
    ]
    [value] = find("RefundSellerAgreeAgreement")
    assert meaning(value, "en")[1:5] == [
        "state: remedy_due",
        "offer: accepted",
        "return of the goods: due (to be sent back)",
        "command: make_offer (offer a remedy) → accept_offer (accept the offer)",
    ]


@named(VALUES)
def test_a_value_as_data_says_the_same(value: Value) -> None:
    data = as_data(value)
    assert json.loads(json.dumps(data)) == data
    assert data["mapped"] == value.mapped == bool(data["states"] or data["facts"] or data["commands"])
    assert [(kind, term) for kind, said in data["facts"].items() for term in said] == list(value.facts)
