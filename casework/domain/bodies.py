"""The bodies outside the platform, as a graph: what lets one in, what shuts one out, what to bring, what comes of it.

It is no ladder: 12315 and the associations refuse what a court or an authority has or had, a court refuses nothing on
their account, and the platform's own mediation shuts nobody out. A complaint (投诉) is about money between the parties and a
tip-off (举报) about a penalty; one letter can hold both, and they are split. :mod:`casework.domain.ways` asks it of a case.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import NamedTuple

from casework.domain.check import SHANGHAI, Line
from casework.domain.facts import Facts, Referral
from casework.domain.grounds import Group

_TALKS: Group = ("chat_record", "call_record")
_BOUGHT: Group = ("order_record", "order_screenshot", "payment_proof", "purchase_proof")
_STORY: Group = ("statement", "fault_description")
_PARCELS = ("parcel_delayed", "parcel_lost", "parcel_damaged", "shipped_not_received")


class Regime(NamedTuple):
    """The law of 12315 in force on a day, both ends included; ``shuts_out`` are the bodies whose having it bars a complaint."""

    id: str
    first: date
    last: date | None
    said: Line
    notes: Line
    refusal: str
    split: str
    material: str
    agent: str
    end: str
    shuts_out: tuple[str, ...]


class Document(NamedTuple):
    """Something to bring; ``kinds`` are the evidence in the file that is it, none where the file cannot hold it."""

    id: str
    said: Line
    clause: str
    kinds: Group = ()
    certainty: str = "A"


class Clock(NamedTuple):
    """A time limit of the body's: by the rulebook's rule where the edition has it, else as the sentence says."""

    rule: str
    said: Line
    clause: str
    certainty: str
    from_lodging: bool = False


class Node(NamedTuple):
    """A way out: the body, the named conditions, what to bring, its clocks, what comes of it, what it does to the case."""

    body: str
    said: Line
    clause: str
    checks: tuple[str, ...]
    documents: tuple[Document, ...]
    clocks: tuple[Clock, ...]
    outcome: Line
    effect: Line
    limits: Line
    shut_out_by: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    certainty: str = "A"


_AUTHORITIES = ("market_regulator", "postal_authority", "court", "arbitration")

REGIMES: tuple[Regime, ...] = (
    Regime("order_20", date(2020, 1, 1), date(2026, 4, 14), Line(
        "市场监督管理投诉举报处理暂行办法（总局令第20号），2020-01-01 至 2026-04-14", "Order 20, 2020-01-01 to 2026-04-14"), Line(
        "四十五个工作日仍未达成协议的终止调解；2024-07-01 起位阶更高的条例规定六十日。其他调解组织受理或者处理过的也不受理。",
        "Mediation ends after 45 working days; from 2024-07-01 the higher regulation says 60 days. What another mediation body "
        "has or had is refused as well."),
        "暂行办法（20号令）15", "暂行办法（20号令）7", "暂行办法（20号令）9", "暂行办法（20号令）10", "暂行办法（20号令）21",
        ("court", "arbitration", "postal_authority", "consumer_association", "mediation_body")),
    Regime("order_121", date(2026, 4, 15), None, Line(
        "市场监督管理投诉举报处理办法（总局令第121号），2026-04-15 起", "Order 121, from 2026-04-15"), Line(
        "六十日仍未达成协议的终止调解。须提供真实身份信息；不予受理要说明理由和其他途径；其他调解组织受理过的不再是不受理的理由。",
        "Mediation ends after 60 days. A true identity is needed; a refusal gives its reason and the other ways; that another "
        "mediation body had it is no ground of refusal any more."),
        "办法（121号令）16", "办法（121号令）9", "办法（121号令）10", "办法（121号令）11", "办法（121号令）23",
        ("court", "arbitration", "postal_authority", "consumer_association")),
)

_IDENTITY = Document("identity", Line("姓名、电话、通讯地址和身份证明", "name, phone, address and proof of identity"),
                     "办法（121号令）10；消费者权益保护法实施条例 46")
_RESPONDENT = Document("respondent", Line("被投诉人的名称和地址（平台公示的信息）",
"the merchant's name and address, as the platform shows them"),
                       "办法（121号令）10、13")
_CLAIM = Document("claim_and_facts", Line("具体请求和事实经过", "a specific claim and what happened"), "办法（121号令）10",
_STORY)
_PURCHASE = Document("purchase", Line("订单、支付或购物凭证", "proof of the order, the payment or the purchase"),
"办法（121号令）16(3)", _BOUGHT)
_WITH_MERCHANT = Document("talks", Line("与商家交涉的记录", "the record of the talks with the merchant"),
"消协受理材料清单（省级）",
                          _TALKS, "B")

#: The documents that the law of 12315 itself lists.
MATERIAL = ("identity", "respondent", "claim_and_facts")

NODES: dict[str, Node] = {
    "association": Node(
        "consumer_association", Line("请消费者协会调解", "mediation by a consumer association"), "消费者权益保护法 37(5)、39(2)",
        ("merchant_contacted", "not_there_already", "not_settled_already", "not_shut_out", "something_to_show"),
        (_IDENTITY, _RESPONDENT._replace(clause="消协受理材料清单（省级）", certainty="B"),
         _CLAIM._replace(clause="消协受理材料清单（省级）", certainty="B"),
         _PURCHASE._replace(clause="消协受理材料清单（省级）", certainty="B"), _WITH_MERCHANT),
        (Clock("consumer_assoc.accept.zj", Line("浙江：五个工作日内决定是否受理；全国没有查到天数",
               "Zhejiang: accepted or refused in 5 working days; no national figure was found"), "浙江省实施《消法》办法 32",
               "A", True),
         Clock("consumer_assoc.mediate.zj", Line("浙江：受理后十个工作日内调解", "Zhejiang: mediated within 10 working days"),
               "浙江省实施《消法》办法 32", "A")),
        Line("调解协议，或者终止调解；可支持起诉、披露", "an agreement, or an end; it may support a suit and expose the matter"),
        Line("受理后，12315 不再受理同一投诉；平台程序不受影响", "once it takes it, 12315 will not; the platform goes on"),
        Line("双方自愿，没有强制力", "both sides agree or nothing comes of it"), _AUTHORITIES),
    "mediation_body": Node(
        "mediation_body", Line("请其他依法成立的调解组织调解", "mediation by another body founded by law"),
        "消费者权益保护法 39(2)；电子商务法 60",
        ("merchant_contacted", "not_there_already", "not_settled_already"), (_IDENTITY, _CLAIM, _PURCHASE),
        (Clock("", Line("三十日内可申请法院司法确认", "a court may confirm the agreement within 30 days"), "民事诉讼法 205、206",
        "A"),),
        Line("调解协议，可申请司法确认", "an agreement, which a court may confirm"),
        Line("2026-04-14 以前，它受理过的 12315 不再受理；此后不影响",
            "until 2026-04-14 12315 refused what it had; no longer since"),
        Line("双方自愿", "both sides agree or nothing comes of it")),
    "regulator_complaint": Node(
        "market_regulator", Line("向 12315 投诉，由市场监管部门调解", "a complaint to 12315, mediated by the market regulator"),
        "消费者权益保护法 39(3)、46；消费者权益保护法实施条例 46",
        ("merchant_contacted", "not_there_already", "within_three_years", "not_shut_out", "for_living_needs"),
        (_IDENTITY, _RESPONDENT, _CLAIM, _PURCHASE),
        (Clock("mr12315.accept", Line("七个工作日内决定是否受理", "accepted or refused within 7 working days"),
        "办法（121号令）15", "A", True),
         Clock("mr12315.mediate", Line("自受理之日起六十日内调解（2024-07-01 以前为四十五个工作日）",
               "mediated within 60 days of acceptance (until 2024-06-30, 45 working days)"),
               "消费者权益保护法实施条例 46；办法（121号令）23", "A"),
         Clock("mr12315.notify_end", Line("终止调解后七个工作日内告知", "told within 7 working days that it ended"),
               "办法（121号令）23", "A")),
        Line("调解协议，或者终止调解；之后可以起诉或仲裁", "an agreement, or an end; a suit or arbitration may follow"),
        Line("受理后，消协不再受理；平台和法院不受影响", "once it takes it, the associations will not; platform and court go on"),
        Line("双方同意才调解；可以谈法定赔偿，但不能裁决；不罚款",
             "mediated only if both agree; statutory damages can be agreed on, not awarded; no penalty")),
    "regulator_tip_off": Node(
        "market_regulator", Line("向 12315 举报违法行为", "a tip-off to 12315"),
        "消费者权益保护法实施条例 27",
        ("not_shut_out_from_tip_off",), (_RESPONDENT, _CLAIM),
        (Clock("tipoff.check", Line("十五个工作日内核查，经批准再加十五个",
        "checked within 15 working days, 15 more with approval"),
               "办法（121号令）27", "A", True),),
        Line("立案处罚或者不予立案；没有钱退给消费者", "a case and a penalty, or none; no money for the consumer"),
        Line("与投诉分开处理，终止调解不影响核查", "kept apart from the complaint; the check goes on when mediation ends"),
        Line("不得用来牟取不正当利益", "not to be used for improper gain")),
    "postal_appeal": Node(
        "postal_authority", Line("向邮政管理部门申诉快递服务（12305）", "an appeal to the postal authority (12305)"),
        "快递市场管理办法 42；邮政业用户申诉处理办法", ("about_a_parcel", "courier_asked_first", "not_there_already"),
        (Document("waybill", Line("运单号和物流轨迹", "waybill and track"), "邮政业用户申诉处理办法", ("tracking_record",), "B"),
         Document("courier_answer", Line("向快递企业投诉的记录和答复", "the complaint to the courier and his answer"),
             "快递暂行条例 28（现 29）",
                  ("call_record", "chat_record")), _IDENTITY._replace(clause="邮政业用户申诉处理办法", certainty="B")),
        (Clock("courier.complaint", Line("快递企业七日内处理投诉", "the courier deals with it within 7 days"),
        "快递暂行条例 28（现 29）", "A"),
         Clock("", Line("服务发生后一年内申诉；三十日内答复（旧规定）", "within one year; answered in 30 days (an older text)"),
               "邮政业用户申诉处理办法", "B")),
        Line("调解快递企业与用户；可对快递企业处罚", "mediation with the courier, and perhaps a penalty on him"),
        Line("只针对快递企业，不代替对商家的请求", "against the courier only; the claim against the merchant stays"),
        Line("先向快递企业投诉，七日未处理或者不满意", "the courier first: seven days, or an unsatisfying answer"),
            grounds=_PARCELS, certainty="B"),
    "arbitration": Node(
        "arbitration", Line("按仲裁协议申请仲裁", "arbitration under an agreement"), "消费者权益保护法 39(4)",
        ("arbitration_agreed", "not_there_already"),
        (Document("agreement", Line("仲裁协议", "the arbitration agreement"), "消费者权益保护法 39(4)"), _CLAIM, _PURCHASE), (),
        Line("裁决，一裁终局", "an award, final"), Line("12315 和消协不再受理", "12315 and the associations will not take it"),
        Line("没有仲裁协议不能仲裁；格式条款不得限制选择", "not without an agreement; standard terms may not limit the choice")),
    "suit": Node(
        "court", Line("向人民法院起诉", "a suit in court"), "消费者权益保护法 39(5)；民事诉讼法 122–128", ("not_there_already",
        "limitation_runs",
        "no_arbitration_clause"),
        (Document("pleading", Line("起诉状及副本", "the statement of claim and copies"), "民事诉讼法 122–128"),
        _RESPONDENT._replace(clause="民事诉讼法 122–128"),
         _PURCHASE._replace(clause="民事诉讼法 67"), Document("originals", Line("证据原件、电子数据的原始载体",
         "originals, and the carriers of electronic data"),
         "民事诉讼法 73；民事证据规定 15")),
        (Clock("", Line("七日内立案；收货地法院可管辖", "opened within 7 days; the court of the place of receipt has it"),
               "民事诉讼法 122–128；民诉法解释 20", "A"),),
        Line("判决；可判法定惩罚性赔偿", "a judgment; statutory damages can be awarded"),
        Line("平台可以中止处理；12315 和消协不再受理", "the platform may suspend; 12315 and the associations will not take it"),
        Line("法院不因别的机构处理过而拒绝", "it is shut out by none of them")),
    "small_claims": Node(
        "court", Line("小额诉讼", "a small claim"), "民事诉讼法 165–168", ("not_there_already", "limitation_runs",
        "no_arbitration_clause",
        "simple_money_claim", "no_appraisal_needed"),
        (Document("pleading", Line("起诉状及副本", "the statement of claim and copies"), "民事诉讼法 122–128"),
        _PURCHASE._replace(clause="民事诉讼法 67")),
        (Clock("", Line("两个月内审结，可延长一个月；举证期不超过七日",
               "decided in 2 months, 1 more possible; at most 7 days for evidence"), "民事诉讼法 165–168；民诉法解释 275", "A"),),
        Line("一审终审的判决", "a judgment without appeal"), Line("同起诉", "as any suit"),
        Line("标的不超过本省上年平均工资的一半；一半至两倍须双方约定；需要鉴定的不适用",
             "at most half the province's yearly average wage, up to twice by agreement; not where an appraisal is needed")),
    "police_report": Node(
        "police", Line("报案", "a report to the police"), "消费者权益保护法实施条例 49(2)；淘宝平台争议处理规则 82",
        ("crime_suspected",),
        (Document("suspicion", Line("涉嫌犯罪的线索", "what points to a crime"), "消费者权益保护法实施条例 49(2)"),), (),
        Line("立案侦查或者不予立案", "an investigation, or none"), Line("平台可以中止处理，满六个月无结论则恢复",
             "the platform may suspend, and resumes after six months without a conclusion"),
        Line("只针对犯罪，不代替民事请求", "about crime only; the claim stays"), certainty="I"),
}


def regime(at: datetime) -> Regime:
    """The law of 12315 on that local day; before the first, the first."""
    # The day's beginning is held against the time, and not the other way round: a time at the end of all has no local day.
    return next((r for r in reversed(REGIMES) if datetime.combine(r.first, time.min, SHANGHAI) <= at), REGIMES[0])


def shut_out_by(body: str, at: datetime) -> tuple[str, ...]:
    """The bodies whose having, or having had, the matter obliges this one to refuse it on that day."""
    if body == "market_regulator":
        return regime(at).shuts_out
    return next((node.shut_out_by for node in NODES.values() if node.body == body), ())


def in_the_way(facts: Facts, body: str, at: datetime) -> tuple[Referral, ...]:
    """The referrals of the case that oblige the body to refuse it on that day: what another took, still open or ended."""
    others = shut_out_by(body, at)
    return tuple(r for r in facts.referrals.values() if r.body in others and r.body != body and r.was_accepted)
