"""What a refusal says, word for word and in both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from domain_helpers import case_in, command, given_case, ruling
from test_guards import QUESTIONS, Question

from casework.domain.guards import GUARDS
from casework.errors import Refused

#: Guard -> what a refusal of it says in English and in Chinese, and what it says is missing.
SAYS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "actor_is_assigned": (
        "agent:A-2 is not assigned to this case",
        "agent:A-2 未被指派处理本案",
        ()),
    "actor_did_not_rule_before": (
        "agent:A-1 made the first ruling and may not decide its review",
        "agent:A-1 已作过首次裁决，不得复核自己的裁决",
        ()),
    "assignee_did_not_rule_before": (
        "agent:A-1 made the first ruling and may not decide its review",
        "agent:A-1 已作过首次裁决，不得复核自己的裁决",
        ()),
    "evidence_is_new": (
        "no evidence was added since it was asked for",
        "上次要求之后没有新增证据",
        ("add_evidence",)),
    "offer_is_open": (
        "there is no open offer",
        "没有有效的方案",
        ("make_offer",)),
    "order_qualifies": (
        "the order does not qualify for an instant refund",
        "该订单不符合极速退款条件",
        ()),
    "amount_is_within_paid": (
        "899.01 is more than the 899.00 that was paid",
        "金额 899.01 超过实付 899.00",
        ()),
    "remedy_has_amount": (
        "the amount is missing",
        "须写明金额",
        ("remedy.amount",)),
    "refund_is_within_paid": (
        "899.01 is more than the 899.00 that was paid",
        "金额 899.01 超过实付 899.00",
        ()),
    "multiple_was_promised": (
        "the merchant promised no such compensation for this order",
        "商家没有作出该项赔付承诺",
        ()),
    "judge_is_no_party": (
        "C-1 is a party to this case, or advises one, and may not judge it",
        "C-1 是本案当事人或其顾问，不得裁处本案",
        ()),
    "nobody_else_is_assigned": (
        "agent:A-9 is not assigned to this case",
        "agent:A-9 未被指派处理本案",
        ()),
    "objection_term_is_past": (
        "the time given runs until 2026-03-09T23:59+08:00",
        "期限 2026-03-09T23:59+08:00 尚未届满",
        ()),
    "remedy_is_still_owed": (
        "the platform has paid it in full",
        "平台已经全额支付",
        ()),
    "channel_reaches_platform": (
        "forum or community takes no complaint for the platform",
        "论坛、社区不受理平台投诉",
        ()),
    "promised_evidence_is_in_file": (
        "evidence is missing: court judgment",
        "证据不足，缺少：法院裁判文书",
        ("court_judgment",)),
    "merchant_was_contacted": (
        "the merchant was not contacted, and no reason is stated why not",
        "尚未联系商家，也没有说明不联系的理由",
        ("contact_merchant", "without_contact")),
    "limitation_runs": (
        "the time ran out on 2029-03-02T23:59+08:00 (《民法典》第188条、第203条)",
        "已超过时效：2029-03-02T23:59+08:00（《民法典》第188条、第203条）",
        ()),
    "limitation_is_past": (
        "the time given runs until 2029-03-02T23:59+08:00",
        "期限 2029-03-02T23:59+08:00 尚未届满",
        ()),
    "evidence_term_is_past": (
        "the time given runs until 2026-03-05T12:00+08:00",
        "期限 2026-03-05T12:00+08:00 尚未届满",
        ()),
    "proof_term_is_past": (
        "the time given runs until 2026-03-05T15:00+08:00",
        "期限 2026-03-05T15:00+08:00 尚未届满",
        ()),
    "deadline_is_ahead": (
        "the day given, 2026-03-02T12:00+08:00, is not after the request",
        "期限 2026-03-02T12:00+08:00 不在提出之后",
        ()),
    "evidence_is_enough": (
        "evidence is missing: video of the fault or photo of the fault or test report or "
        "appraisal report or expert opinion or finding of an authority or court judgment; "
        "detailed description of the fault or chat record or call record",
        "证据不足，缺少：故障视频 或 故障照片 或 质量检测报告 或 鉴定报告 或 专家意见 或 行政机关认定 或 法院裁判文书；"
        "详细故障描述 或 聊天记录 或 通话记录",
        (
            "fault_video|fault_photo|test_report|appraisal_report|expert_opinion|authority_decision|court_judgment",
            "fault_description|chat_record|call_record",
        )),
    "proof_was_asked": (
        "the merchant was not asked for: customs declaration",
        "没有要求商家提供这些：报关单据",
        ()),
    "parties_were_heard": (
        "not heard: merchant neither answered nor was notified with a time that is past",
        "尚未听取商家的意见，且没有已过期的答复期限",
        ("answer:merchant",)),
    "ruling_is_consistent": (
        "a ruling for the consumer must say the remedy (and its amount)",
        "支持消费者的裁决必须写明处理方式（及金额）",
        ("remedy",)),
    "evidence_carries_the_ruling": (
        "the merchant has to prove first here, and no proof of his was accepted: he cannot win",
        "此类争议由商家先举证，没有被采信的证明材料，不能支持商家",
        ("examine_proof",)),
    "ruling_grants_remedy": (
        "the ruling grants nothing that could be executed",
        "裁决没有给予救济，无从执行",
        ()),
    "ruling_grants_nothing": (
        "the ruling grants a remedy; it cannot be dismissed",
        "裁决给予了救济，不能驳回结案",
        ()),
    "higher_level_exists": (
        "the review was decided; the platform has no higher level",
        "已经复核裁决，平台内没有更高一级",
        ()),
    "platform_is_overdue_or_passed_it_up": (
        "the platform is not overdue, and no call was passed up",
        "平台尚未逾期，通话也没有被转接上级",
        ("log_call",)),
    "nothing_was_ruled": (
        "there is a ruling: review it with rule",
        "已有裁决，应复核裁决（rule）",
        ()),
    "referral_is_pending": (
        "the matter is with no outside body",
        "没有提交给任何外部机构",
        ("refer",)),
    "no_referral_is_pending": (
        "an outside body still has the matter: market regulator (12315)",
        "外部机构仍在处理：市场监管部门（12315）",
        ()),
    "body_has_the_matter": (
        "external:court does not have this matter",
        "external:court 没有正在处理本案",
        ()),
    "referral_is_of_actor": (
        "external:police does not have this matter",
        "external:police 没有正在处理本案",
        ()),
    "no_other_body_has_it": (
        "market regulator (12315) must not take it: court has or had it",
        "市场监管部门（12315）不得受理：法院已经受理或处理过",
        ()),
    "remedy_is_performed": (
        "nothing, or not enough, was performed: 898.99 of 899.00",
        "尚无履行记录，或金额不足：898.99/899.00",
        ("perform_remedy",)),
    "goods_are_back": (
        "the goods are not back (sent back)",
        "退货尚未完成（已寄回）",
        ("receive_return",)),
    "evidence_is_newer_than_ruling": (
        "no evidence was added since it was asked for",
        "上次要求之后没有新增证据",
        ("new_evidence",)),
    "evidence_is_of_the_other_side": (
        "one cannot dispute one's own evidence",
        "不能对自己提交的证据提出异议",
        ()),
    "award_is_what_was_settled": (
        "this is not what that body settled",
        "与该机构已达成的结果不同",
        ()),
    "tip_off_went_to_actor": (
        "agent:A-1 does not have this matter",
        "agent:A-1 没有正在处理本案",
        ()),
    "proof_is_in_file": (
        "the case has no customs declaration",
        "本案没有报关单据",
        ("submit_proof",)),
    "body_had_the_matter": (
        "external:police does not have this matter",
        "external:police 没有正在处理本案",
        ()),
    "body_was_not_asked_yet": (
        "an outside body still has the matter: court",
        "外部机构仍在处理：法院",
        ()),
    "advance_was_promised": (
        "the platform promised no advance for this order, and there is no ruling",
        "平台没有为该订单承诺先行赔付，也没有裁决",
        ()),
    "advance_is_within_due": (
        "899.01 is more than the 899.00 that is due",
        "垫付金额 899.01 超过应付 899.00",
        ()),
    "promise_gives_as_much": (
        "2697.01 is more than the promise pays, 2697.00",
        "金额 2697.01 超过承诺的最高赔付 2697.00",
        ()),
    "compensation_is_within_the_rules": (
        "30.01 is more than the 30.00 that the platform's rules and the merchant's promises give "
        "(《淘宝网发货管理规范》（2025-09-05 版，摘录）)",
        "赔付 30.01 超过平台规则和商家承诺的 30.00（《淘宝网发货管理规范》（2025-09-05 版，摘录））",
        ()),
    "burden_is_met": (
        "the merchant has to prove first here, and no proof of his was accepted: he cannot win",
        "此类争议由商家先举证，没有被采信的证明材料，不能支持商家",
        ("examine_proof",)),
    "ruling_is_the_actors": (
        "agent:A-2 did not make that ruling",
        "该裁决不是 agent:A-2 作出的",
        ()),
    "correction_keeps_the_outcome": (
        "a correction changes a text, a clause or a sum, and nothing of what is granted",
        "更正只能改文字、条款或金额，不能改变裁决结果",
        ()),
    "nothing_is_performed_yet": (
        "it is being performed already, or what is due is not that ruling's remedy",
        "已经开始履行，或履行的不是该裁决",
        ()),
    "claim_was_put": (
        "nothing in particular was asked of the merchant",
        "没有向商家提出具体诉求",
        ("contact_merchant.remedy",)),
    "system_waits_for_the_term": (
        "the time given runs until 2026-04-01T23:59+08:00",
        "期限 2026-04-01T23:59+08:00 尚未届满",
        ()),
    "carrier_was_asked": (
        "complain to the carrier first and wait for its answer (until 2026-03-09T23:59+08:00)",
        "须先向快递企业投诉并等待答复（期限 2026-03-09T23:59+08:00）",
        ("log_call",)),
    "return_term_is_past": (
        "the time given runs until 2026-03-09T23:59+08:00",
        "期限 2026-03-09T23:59+08:00 尚未届满",
        ()),
    "suspension_needs_proof": (
        "no proof of acceptance is owed by consumer:C-1",
        "consumer:C-1 没有需要提交的受理凭证",
        ()),
    "duty_is_known": (
        "the case has no D-9",
        "本案没有D-9",
        ()),
    "duty_is_running": (
        "D-2 is 'paused', where this cannot be done",
        "D-2 现为“已中止”，不能这样做",
        ()),
    "duty_is_paused": (
        "D-2 is 'running', where this cannot be done",
        "D-2 现为“进行中”，不能这样做",
        ()),
    "duty_is_the_actors_to_move": (
        "agent:A-1 may not stop, start or extend that deadline",
        "该期限不由 agent:A-1 中止、恢复或延长",
        ()),
    "new_time_is_later": (
        "2026-03-02T12:00+08:00 is not later than the time that there is, 2026-03-04T10:00+08:00, or is over ten years away",
        "2026-03-02T12:00+08:00 不晚于现有期限 2026-03-04T10:00+08:00，或在十年以后",
        ()),
    "duty_is_overdue": (
        "the time given runs until 2026-03-04T10:00+08:00",
        "期限 2026-03-04T10:00+08:00 尚未届满",
        ()),
    "duty_is_provisional": (
        "that deadline is not provisional",
        "该期限不是暂定的，无需重算",
        ()),
    "edition_is_later": (
        "edition 2026-11.2 is not later than the case's, 2026-11.2",
        "规则版本 2026-11.2 不晚于案件现用的 2026-11.2",
        ()),
}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.guard)
def test_a_refusal_says_in_both_languages_who_what_until_when_and_what_is_missing(question: Question) -> None:
    reason = question.refuses()[question.code]

    assert (reason.en, reason.zh, reason.missing) == SAYS[question.guard]


def test_a_refusal_lists_all_that_it_speaks_of() -> None:
    case = case_in("filed")
    role = case.ask("rule", "consumer", **ruling())["role_not_allowed"]
    assert (role.en, role.zh) == ("the consumer may not do this; it is for: platform agent, platform supervisor",
                                  "消费者不能做这一步；可由：平台小二、平台主管")

    nobody = case_in("filed").when("refer", body="court", statement="起诉").when("refer", body="police", statement="报案")
    nobody.when("go_external")
    bodies = nobody.ask("end_external")["referral_open"]
    assert (bodies.en, bodies.zh) == ("an outside body still has the matter: court, police",
                                      "外部机构仍在处理：法院、公安机关")

    kinds = ("customs_declaration", "shipping_proof")
    unasked = case_in("awaiting_proof").ask("submit_proof", "merchant", kinds=kinds)["not_asked"]
    assert unasked.en == "the merchant was not asked for: customs declaration, proof of shipment"
    assert unasked.zh == "没有要求商家提供这些：报关单据、发货凭证"

    assert given_case().ask("contact_merchant", "consumer:C-9", message="x")["not_a_party"].en == (
        "consumer:C-9 is not a party to this case")


def test_whoever_is_not_a_party_is_named_and_so_is_an_adviser_without_authority() -> None:
    case = given_case()
    assert case.ask("add_evidence", "adviser:V-9", kind="goods_photo", description="x")["not_authorised"].zh == (
        "消费者未授权 adviser:V-9 代为提交")


def test_a_time_that_cannot_be_is_said_with_the_times_it_is_held_against() -> None:
    case = given_case().when("contact_merchant", message="请处理")
    ahead, behind = case.clock + timedelta(hours=1), case.clock - timedelta(hours=1)
    with pytest.raises(Refused) as early:
        case.case.do(command("give_up"), case.context("consumer", at=ahead, recorded_at=case.clock))
    assert early.value.reasons[0].en == (
        "2026-03-02T11:00:00+08:00 is later than the time of recording, 2026-03-02T10:00:00+08:00")
    with pytest.raises(Refused) as late:
        case.case.do(command("give_up"), case.context("consumer", at=behind, recorded_at=case.clock))
    assert late.value.reasons[0].en == "2026-03-02T09:00:00+08:00 is before the case's last event at 2026-03-02T10:00:00+08:00"
    case.case.do(command("reply", message="好"), case.context("consumer", at=case.clock, recorded_at=ahead))
    with pytest.raises(Refused) as recorded:
        case.case.do(command("give_up"), case.context("consumer", at=case.clock, recorded_at=case.clock))
    assert recorded.value.reasons[0].en.endswith("is before the case's last event at 2026-03-02T11:00:00+08:00")
    with pytest.raises(Refused) as both:
        case.case.do(command("give_up"), case.context("consumer", at=behind, recorded_at=case.clock))
    assert both.value.reasons[0].en.endswith("is before the case's last event at 2026-03-02T10:00:00+08:00")


def test_what_is_at_another_point_is_named_with_where_it_stands() -> None:
    goods = case_in("remedy_due").ask("ship_return", carrier="顺丰", waybill="SF1")["wrong_point"]
    assert (goods.en, goods.zh) == ("return of goods is 'no return due', where this cannot be done",
                                    "退货 现为“无需退货”，不能这样做")
    case = case_in("filed").when("refer", body="court", statement="起诉")
    referral = case.ask("end_referral", "external:court", referral="R-1", explanation="x")["wrong_point"]
    assert (referral.en, referral.zh) == ("R-1 is 'lodged', where this cannot be done", "R-1 现为“已提交”，不能这样做")


def test_what_is_not_known_yet_is_said_in_general() -> None:
    proof = case_in("under_review").ask_blank("examine_proof", "agent")["unknown_item"]
    assert (proof.en, proof.zh) == ("the case has no proof", "本案没有证明材料")

    exchange = case_in("remedy_due", remedy={"kind": "exchange"})
    nothing = exchange.ask("confirm_remedy")["not_performed"]
    assert (nothing.en, nothing.zh) == ("nothing, or not enough, was performed: 0 of —", "尚无履行记录，或金额不足：0/—")

    paid = case_in("remedy_due", services=["advance_compensation"]).when("apply_advance", statement="未履行")
    paid.when("perform_remedy", "merchant", amount="899.00")
    assert paid.ask_blank("pay_advance", "agent")["advance_exceeds_due"].en == "— is more than the 0.00 that is due"


def test_an_amount_is_said_with_what_it_is_held_against() -> None:
    case = case_in("under_review", ground="counterfeit", services=["fake_one_pay_three"])
    more = case.ask("rule", "agent", **ruling(remedy={"kind": "promised_multiple", "amount": "2697.01"}))
    assert more["amount_exceeds_promise"].en == "2697.01 is more than the promise pays, 2697.00"
    assert given_case(services=["instant_refund"]).ask("instant_refund", "system", amount="0")["amount_missing"].missing == (
        "amount",)


def test_whoever_was_not_heard_is_named_one_after_the_other() -> None:
    asked = given_case().ask_blank("rule", "agent")
    [reason] = GUARDS["parties_were_heard"](asked.facts, asked.request)
    assert reason.en == "not heard: consumer, merchant neither answered nor was notified with a time that is past"
    assert reason.zh == "尚未听取消费者、商家的意见，且没有已过期的答复期限"
    assert reason.missing == ("answer:consumer", "answer:merchant")


def test_who_was_not_asked_is_said_with_what_was_asked_of_the_other_and_a_strange_role_by_its_own_name() -> None:
    case = case_in("awaiting_proof")
    hers = case.ask("submit_proof", kinds=("test_certificate",))["not_asked"]
    assert (hers.en, hers.zh) == ("the consumer was not asked for: quality inspection certificate",
                                  "没有要求消费者提供这些：质检凭证")

    stranger = case.ask("submit_proof", "judge:J-1", kinds=("test_certificate",))
    assert stranger["not_asked"].en == "the judge was not asked for: quality inspection certificate"
    assert stranger["not_asked"].zh == "没有要求judge提供这些：质检凭证"
    assert stranger["role_not_allowed"].en == "the judge may not do this; it is for: merchant, consumer"
    assert stranger["role_not_allowed"].zh == "judge不能做这一步；可由：商家、消费者"
