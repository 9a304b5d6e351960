"""What may be claimed in a case, how much, from whom and why.

The platform awards what its rules and the merchant's promises provide; what the statutes add (退一赔三, 十倍) only a court
awards, or both sides agree on in mediation (淘宝平台争议处理规则 6(6)). The sums that need no rulebook are in
:mod:`casework.domain.sums`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from casework.domain.burden import SITUATION_OF
from casework.domain.categories import category_of
from casework.domain.check import Line
from casework.domain.facts import Facts
from casework.domain.request import Edition, Figure
from casework.domain.sums import fault_of, freight
from casework.domain.vocabulary import ROLES

#: The claim to be paid first by the platform.
ADVANCE = "advance"
#: The claim to the freight, of which the rules say who bears it and not how much it is.
FREIGHT = "freight"
#: The claim to what the merchant promised to pay.
AGREED = "liquidated_damages"
_BOUGHT = ("mediation", "court")
_ANYWHERE = ("platform", "mediation", "court")


class Claim(NamedTuple):
    """Something that may be claimed. ``amount`` in yuan; None where it is no sum, or depends on what the file lacks.

    ``venues`` are who may grant it. ``rule`` is the rulebook's id, empty where the claim rests on a clause alone;
    ``rank`` is that of its record.
    """

    id: str
    kind: str
    said: Line
    amount: Decimal | None
    venues: tuple[str, ...]
    rule: str
    clause: str
    certainty: str
    steps: tuple[Line, ...]
    conditions: tuple[Line, ...]
    rank: str | None = None


class Entitlement(NamedTuple):
    """A row of :data:`ENTITLEMENTS`: on which situations or grounds, for which categories and promises, it may be claimed.

    ``sum`` is ``paid`` for the price itself, ``rule`` for what the rulebook makes of the price. ``by`` is the day whose
    record governs: of the ``order``, or of the one who decides (争议规则 92: pending cases go by the new rule).
    """

    id: str
    kind: str
    on: tuple[str, ...]
    said: Line
    clause: str
    certainty: str
    venues: tuple[str, ...] = _ANYWHERE
    sum: Literal["paid", "rule", "none"] = "none"
    rule: str = ""
    by: Literal["order", "decision"] = "decision"
    services: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    conditions: tuple[Line, ...] = ()


_DEFECTS = ("visible_defect", "hidden_defect", "genuineness", "description", "service_work")
_FRAUD = ("counterfeit", "substandard", "false_advertising", "material_mismatch", "price_fraud")
_SAFETY = ("quality_defect", "counterfeit", "substandard", "false_advertising")
_NOT_TWICE = Line("承诺的赔付与规则数额，取较高者，不重复领取。", "Of a promised and a fixed sum the higher is paid, not both.")
_INTENT = Line("须证明商家故意告知虚假情况或者隐瞒真相；部分行为依处罚办法 16 直接认定。",
               "The merchant lied or hid the truth on purpose; some acts count as that by 处罚办法 16.")
_LABEL = Line("不影响质量的标签、说明书瑕疵不算；夹带、掉包、造假的不支持。",
              "Harmless flaws of labels do not count; nor does whoever swapped or planted goods.")

ENTITLEMENTS: tuple[Entitlement, ...] = (
    Entitlement("refund_of_price", "return_refund", (*_DEFECTS, "seven_day_return", "pricing", "conduct"), Line(
        "退货退款，以实付为限", "return and refund, at most what was paid"),
        "消费者权益保护法 24、25、52；淘宝平台争议处理规则 65–70", "A",
        sum="paid", conditions=(Line("商品退回；假货且为生活消费购买的，规则没有要求退回。",
                                     "The goods go back; of a fake bought for living needs the rules do not say so."),)),
    Entitlement("refund_undelivered", "refund", ("non_receipt", "shipment", "carriage"), Line(
        "退款，以实付为限", "refund, at most what was paid"), "淘宝平台争议处理规则 25–40；电子商务法 20", "A", sum="paid",
        conditions=(Line("商品没有送达，或者交付不符。", "The goods did not come, or not as ordered."),)),
    Entitlement("exchange", "exchange", ("visible_defect", "hidden_defect", "description", "service_work"), Line("更换",
        "exchange"),
        "消费者权益保护法 24、52；淘宝平台争议处理规则 67–70", "A"),
    Entitlement("repair", "repair", ("hidden_defect", "service_work"), Line("修理", "repair"),
                "消费者权益保护法 24、52；产品质量法 40", "A"),
    Entitlement("reshipment", "reshipment", ("missing_parts", "non_receipt", "shipment"), Line(
        "补发、补足数量", "what is lacking is sent"), "消费者权益保护法 52", "A"),
    Entitlement("price_difference", "price_difference", ("pricing",), Line(
        "退还实付与应付之差", "the difference between what was paid and what was due"),
        "明码标价和禁止价格欺诈规定 16–21；消费者权益保护法 20", "A",
        conditions=(Line("写明应付的较低价格及其依据，差额为实付减较低价。",
                         "State the lower price and what it rests on; the difference is what was paid less that."),)),
    Entitlement("late_shipment_short", "compensation", ("late_shipment",), Line(
        "延迟发货赔付（承诺四十八小时内发货）", "late shipment, promised within 48 hours"), "淘宝网发货管理规范", "A-",
        ("platform",),
        "rule", "late_ship.48h", conditions=(Line("商家承诺四十八小时内发货。", "The promise was to ship within 48 hours."),
        _NOT_TWICE)),
    Entitlement("late_shipment_long", "compensation", ("late_shipment",), Line(
        "延迟发货赔付（承诺四十八小时以上发货）", "late shipment, promised in more than 48 hours"), "淘宝网发货管理规范", "A-",
        ("platform",), "rule", "late_ship.over_48h",
        conditions=(Line("商家承诺的发货时间超过四十八小时。", "The promise was for more than 48 hours."), _NOT_TWICE)),
    Entitlement("no_stock", "compensation", ("not_shipped", "late_shipment"), Line(
        "缺货赔付（承诺四十八小时内发货）", "out of stock, promised within 48 hours"), "淘宝网发货管理规范", "A-", ("platform",),
        "rule", "no_stock.48h", conditions=(Line(
            "延迟满七十二小时仍未发货，或者商家承认缺货、要求加价；不与延迟发货赔付重复。",
            "Not shipped 72 hours after it was late, or the seller says so or asks for more; not beside late shipment."),)),
    Entitlement("fake_one_pay_three", "promised_multiple", ("counterfeit", "substandard"), Line(
        "假一赔三（商家承诺）", "fake-one-pay-three, as promised"), "消费者权益保护法实施条例 12；法释〔2022〕8号 10", "A",
        _ANYWHERE, "rule",
        "promised.fake_one_pay_three", "order", ("fake_one_pay_three",), conditions=(_NOT_TWICE,)),
    Entitlement("fake_one_pay_four", "promised_multiple", ("counterfeit", "substandard"), Line(
        "假一赔四（商家承诺）", "fake-one-pay-four, as promised"), "消费者权益保护法实施条例 12；法释〔2022〕8号 10", "A",
        _ANYWHERE, "rule",
        "promised.fake_one_pay_four", "order", ("fake_one_pay_four",), conditions=(_NOT_TWICE,)),
    Entitlement("mismatch", "promised_multiple", ("material_mismatch", "false_advertising", "quality_defect", "counterfeit"),
        Line(
        "不符包赔（商家承诺）", "compensation where the goods differ, as promised"), "淘宝服务规则·不符包赔（节选）；条例 12",
        "A-",
        _ANYWHERE, "rule", "promised.mismatch", "order", ("mismatch_compensation",),
        conditions=(Line("材质、品牌不符、严重质量问题或者没有水洗标。",
                         "Another material or brand, a serious defect, or no care label."), _NOT_TWICE)),
    Entitlement("damage_cover", "compensation", ("damaged", "parcel_damaged"), Line(
        "破损包赔：不退货，最高退六成", "damage cover: keep the goods, up to 60 per cent back"), "淘宝服务规则·破损包赔（节选）",
        "A-",
        ("platform",), "rule", "damage_cover", "order", ("damage_cover",), conditions=(Line(
            "保留商品，由保险人支付，不与退货退款并用。",
            "The goods are kept, the insurer pays, and it does not stand beside a return."),)),
    Entitlement("return_freight_cover", "compensation", (*_DEFECTS, "seven_day_return"), Line(
        "退货宝：退换货首重运费", "退货宝: freight of a return, first weight"), "淘宝服务规则·退货宝（节选）", "A-",
        ("platform",), "rule",
        "return_freight_cover", "order", ("return_freight_cover",), conditions=(Line(
            "发货后九十日内申请；以实际运费为限。",
            "Asked for within 90 days of shipping; at most the freight that was paid."),)),
    Entitlement("fraud", "statutory_damages", _FRAUD, Line(
        "欺诈：退一赔三", "fraud: three times the price on top"), "消费者权益保护法 55(1)", "A", _BOUGHT, "rule",
        "fraud.multiple", "order",
        conditions=(_INTENT, Line("为生活消费购买。", "Bought for living needs."), _LABEL)),
    Entitlement("food", "statutory_damages", _SAFETY, Line(
        "食品：十倍价款", "food: ten times the price"), "食品安全法 148；法释〔2024〕9号", "A", _BOUGHT, "rule", "food.multiple",
        "order",
        categories=("food", "fresh_food"), conditions=(Line(
            "不符合食品安全标准；也可改为损失三倍；明知而买的以合理生活消费需要为限。",
            "Below the safety standards; or three times the loss instead; knowing buyers only for what a household needs."),
            _LABEL)),
    Entitlement("loss", "compensation", (*_DEFECTS, "non_receipt", "shipment", "carriage"), Line(
        "赔偿其他损失", "compensation for other loss"), "消费者权益保护法 40、48、52；产品质量法 41–43", "A", _BOUGHT,
        conditions=(Line("损失及其与商品的因果关系须有凭证。", "The loss and its cause are shown."),)),
    Entitlement("points", "points", tuple(dict.fromkeys(SITUATION_OF.values())), Line(
        "积分补偿：平台的善意补偿，没有请求权", "points: the platform's goodwill, no claim in law"), "淘宝平台争议处理规则 7",
        "I", ("platform",)),
)

#: What is paid once: of these that are of one kind the higher is granted, and none beside another (争议规则 15, 发货管理规范).
NOT_BESIDE = frozenset(row.id for row in ENTITLEMENTS if _NOT_TWICE in row.conditions or row.id == "no_stock")


def claims(facts: Facts, edition: Edition, at: datetime) -> tuple[Claim, ...]:
    """Everything that may be claimed in the case as it is seen ``at``, in the order of the table.

    Where the edition that the case pinned lacks a figure, the amount is None and a step says so.
    """
    order, ground = facts.given.order, facts.given.ground
    held = (ground, SITUATION_OF[ground])
    found = []
    for row in ENTITLEMENTS:
        if not set(held) & set(row.on) or (row.categories and category_of(order.category) not in row.categories):
            continue
        if row.services and not set(row.services) & set(order.services):
            continue
        figure = _figure(edition, row.rule, order.paid, order.ordered_at if row.by == "order" else at) if row.rule else None
        amount = order.paid if row.sum == "paid" else figure.amount if figure else None
        clause, certainty = (figure.clause, figure.certainty) if figure else (row.clause, row.certainty)
        found.append(Claim(row.id, row.kind, row.said, amount, row.venues, row.rule, clause, certainty,
                           _steps(row, order.paid, figure), row.conditions, figure.rank if figure else None))
    return (*found, *_agreed_claim(facts), *_freight_claim(facts), *_advance_claim(facts))


def may_award(claim: Claim, venue: str) -> bool:
    """Whether that venue (:data:`~casework.domain.vocabulary.VENUES`) may grant the claim."""
    return venue in claim.venues


def may_rule(claim: Claim) -> bool:
    """Whether a ruling of the platform may grant the claim: the advance pays what was granted and grants nothing itself."""
    return may_award(claim, "platform") and claim.id != ADVANCE


def _figure(edition: Edition, rule: str, price: Decimal, on: datetime) -> Figure | None:
    try:
        return edition.amount(rule, price, on) if edition.has(rule) else None
    except KeyError:  # it ended without a successor
        return None


def _steps(row: Entitlement, paid: Decimal, figure: Figure | None) -> tuple[Line, ...]:
    if row.sum == "paid":
        return (Line(f"实付 {paid:.2f} 元", f"paid: {paid:.2f} yuan"),)
    if row.sum == "rule" and figure is None:
        return (Line("本案固定的规则版本没有这个数额。", "The edition that the case pins has no such figure."),)
    return tuple(Line(step.zh, step.en) for step in figure.steps) if figure else ()


def _agreed_claim(facts: Facts) -> tuple[Claim, ...]:
    amount = facts.given.order.liquidated_damages
    if not amount:
        return ()
    return (Claim(AGREED, "compensation", Line("违约金（商家承诺）", "liquidated damages, as promised"), amount, _ANYWHERE, "",
                  "淘宝平台争议处理规则 15；消费者权益保护法实施条例 12", "A",
                  (Line(f"约定 {amount:.2f} 元", f"promised: {amount:.2f} yuan"),), (_NOT_TWICE,)),)


def _freight_claim(facts: Facts) -> tuple[Claim, ...]:
    if SITUATION_OF[facts.given.ground] not in (*_DEFECTS, "seven_day_return"):
        return ()
    fault = fault_of(facts.given.ground)
    free, charged = freight(fault, free_shipping=True), freight(fault, free_shipping=False)
    steps = [Line(f"发货运费：{ROLES[free.out].zh}；退货运费：{ROLES[free.back].zh}",
                  f"freight out: {ROLES[free.out].en}; freight back: {ROLES[free.back].en}")]
    if free != charged:
        steps.append(Line(f"不包邮的，发货运费：{ROLES[charged.out].zh}",
        f"where shipping was charged, out: {ROLES[charged.out].en}"))
    return (Claim(FREIGHT, "compensation", Line("运费按过错承担", "freight by fault"), None, _ANYWHERE, "", free.clause, "A",
                  tuple(steps), (Line("以实际支付的运费为限。", "At most the freight that was paid."),)),)


def _advance_claim(facts: Facts) -> tuple[Claim, ...]:
    total = facts.remedy.total if facts.remedy else None
    if "advance_compensation" not in facts.given.order.services and not facts.rulings:
        return ()
    done = sum((a for a in facts.performed if a is not None), Decimal(0))
    left = None if total is None else max(total - done, Decimal(0))
    steps = () if total is None or left is None else (
        Line(f"应付 {total:.2f} 元，已付 {done:.2f} 元，尚欠 {left:.2f} 元",
             f"due {total:.2f} yuan, performed {done:.2f}, left {left:.2f}"),)
    return (Claim(ADVANCE, "compensation", Line("平台先行赔付，再向商家的保证金追偿",
    "the platform pays first and recovers from the "
                  "merchant's deposit"), left, ("platform",), "",
                  "消费者权益保护法 44；电子商务法 58；淘宝平台争议处理规则 84–87", "A",
                  steps, (Line("裁决或和解确定的金额到期而商家不履行；以尚欠为限。",
                               "What was granted is due and the merchant does not pay; at most what is left."),)),)
