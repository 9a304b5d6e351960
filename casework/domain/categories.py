"""What is particular to a kind of goods: one row a rule, with its clause and how certain it is.

An order says its category in words of its own; :func:`category_of` maps those it knows, and takes the rest for general
goods, to which no particular rule applies.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from casework.domain.check import Line
from casework.domain.facts import Facts
from casework.domain.vocabulary import CATEGORIES

#: ``window``: evidence in time. ``proof``: who shows what. ``intact``: what ends 完好. ``no_return``: outside the seven days.
#: ``confirm``: outside them once confirmed at purchase. ``durable``: the merchant proves for six months. ``money``: what more.
Kind = Literal["window", "proof", "intact", "no_return", "confirm", "durable", "money"]


class CategoryRule(NamedTuple):
    """A rule of some categories; ``grounds`` empty means whatever the complaint is about. ``hours`` from receipt."""

    id: str
    kind: Kind
    categories: tuple[str, ...]
    grounds: tuple[str, ...]
    said: Line
    clause: str
    certainty: str
    hours: int | None = None
    rule: str | None = None


_GOODS = ("quality_defect", "damaged", "missing_parts", "poor_workmanship", "parcel_damaged", "parcel_delayed",
          "material_mismatch", "false_advertising", "substandard")
_MATERIAL = ("material_mismatch", "false_advertising", "substandard")
_FAULTS = ("quality_defect", "malfunction", "poor_workmanship", "damaged", "installation_failure", "repair_failure")
_RETURN = ("no_reason_return", "refund_obstructed", "merchant_stalling", "after_sales_denied")
_INTACT_CLAUSE = "网络购买商品七日无理由退货暂行办法 8、9"

RULES: tuple[CategoryRule, ...] = (
    CategoryRule("fresh_food_window", "window", ("fresh_food",), _GOODS, Line(
        "生鲜的问题要在签收后四十八小时内提供凭证。", "For fresh food, evidence is given within 48 hours of receipt."),
        "淘宝特殊品类规则·生鲜（节选）", "A-", hours=48),
    CategoryRule("fresh_food_answer", "proof", ("fresh_food",), _GOODS, Line(
        "商家承诺“坏单包退”的，二十四小时内不答复即退款；“足斤足两”“化冻包退”为十二小时。",
        "Under 坏单包退 a merchant silent for 24 hours has to refund; under 足斤足两 and 化冻包退 it is 12 hours."),
        "淘宝服务规则·坏单包退、足斤足两、化冻包退（节选）", "A-"),
    CategoryRule("flowers_window", "window", ("flowers",), _GOODS, Line(
        "鲜花的问题要在签收后四十八小时内提供凭证。", "For fresh flowers, evidence is given within 48 hours of receipt."),
        "淘宝特殊品类规则·鲜花（节选）", "A-", hours=48),
    CategoryRule("jewellery_size_window", "window", ("jewellery",), ("material_mismatch", "false_advertising"), Line(
        "戒指、手镯尺寸不符，要在签收后四十八小时内提供凭证。",
        "That a ring or bracelet is of the wrong size is shown within 48 hours of receipt."),
        "淘宝特殊品类规则·珠宝（节选）", "A-", hours=48),
    CategoryRule("jewellery_material_three", "money", ("jewellery",), (*_MATERIAL, "counterfeit"), Line(
        "珠宝、黄金商家承诺“材质不符赔三”的，材质不符另赔三倍。",
        "Where a seller of jewellery or gold promises 材质不符赔三, a different material costs him three times the price more."),
        "淘宝服务规则·材质不符赔三（节选）", "A-"),
    CategoryRule("clothing_material_test", "proof", ("clothing",), _MATERIAL, Line(
        "说材质与描述不符，要有有效的检测凭证；吊牌上就看得出不一致的，按看得见的情形处理。属实的，退货退款，运费由商家承担。",
        "That the material differs takes a valid test report, unless the tag itself shows it. If so the goods go back, are "
        "refunded, and the freight is the merchant's."),
        "淘宝特殊品类规则·服饰（节选）；淘宝平台争议处理规则 73", "A-"),
    CategoryRule("clothing_shrinkage", "proof", ("clothing",), _FAULTS, Line(
        "缩水超过三厘米，按质量问题处理。", "Shrinking by more than three centimetres is a defect."),
        "淘宝特殊品类规则·服饰（节选）", "A-"),
    CategoryRule("clothing_mismatch_once", "money", ("clothing",), (*_MATERIAL, "quality_defect", "counterfeit"), Line(
        "商家加入“不符包赔”的，材质、品牌不符、严重质量问题或者没有水洗标，退货退款之外再赔一倍。",
        "Where the seller joined 不符包赔, another material or brand, a serious defect or a missing care label costs him once "
        "the price on top of the refund."),
        "淘宝服务规则·不符包赔（节选）", "A-"),
    CategoryRule("intact_seal", "intact", ("food", "fresh_food", "cosmetics", "medical"), _RETURN, Line(
        "必要的一次性密封包装被破坏的，不算完好。", "Goods whose sealed pack is broken are not intact."), _INTACT_CLAUSE, "A"),
    CategoryRule("intact_activation", "intact", ("electronics", "computer", "large_appliance", "small_appliance"), _RETURN, Line(
        "擅自维修、改动、破坏标识、激活或者留有个人数据的，不算完好；为查验而开机、合理调试的，仍算完好。",
        "Unauthorised repair, damaged labels, activation or personal data left on it end that; switching it on to try it out "
        "reasonably does not."),
        _INTACT_CLAUSE + "；消费者权益保护法实施条例 19", "A"),
    CategoryRule("intact_tag", "intact", ("clothing", "home_goods", "furniture"), _RETURN, Line(
        "吊牌摘除或剪断、有污渍、破损的，不算完好；试穿试用本身不影响。",
        "A tag removed or cut, dirt or damage end that; trying it on does not."), _INTACT_CLAUSE, "A"),
    CategoryRule("no_return_custom", "no_return", ("custom_made",), _RETURN, Line(
        "消费者定作的商品，不适用七日无理由退货。", "What was made to the buyer's order is outside the seven days."),
        "消费者权益保护法 25(1)；暂行办法 6", "A"),
    CategoryRule("no_return_fresh", "no_return", ("fresh_food", "flowers"), _RETURN, Line(
        "鲜活易腐的商品，不适用七日无理由退货。", "What is alive or perishes is outside the seven days."),
        "消费者权益保护法 25(1)；暂行办法 6", "A"),
    CategoryRule("no_return_media", "no_return", ("media",), _RETURN, Line(
        "在线下载或者已拆封的音像制品、软件等数字化商品，不适用七日无理由退货。",
        "Recordings, software and the like, downloaded or unsealed, are outside the seven days."),
        "消费者权益保护法 25(1)；暂行办法 6", "A"),
    CategoryRule("no_return_press", "no_return", ("press",), _RETURN, Line(
        "已交付的报纸、期刊，不适用七日无理由退货。", "Newspapers and periodicals once delivered are outside the seven days."),
        "消费者权益保护法 25(1)；暂行办法 6", "A"),
    CategoryRule("confirm_safety", "confirm", ("food", "cosmetics", "medical", "jewellery"), _RETURN, Line(
        "拆封后影响人身安全、健康或者品质易变的商品，须经消费者购买时逐次确认才可不退；默认勾选不算。",
        "What is unsafe or changes once opened is outside only where the buyer confirmed it at this very purchase; a box ticked "
        "beforehand does not count."),
        "暂行办法 7；消费者权益保护法实施条例 19", "A"),
    CategoryRule("confirm_value", "confirm", ("electronics", "computer", "vehicle"), _RETURN, Line(
        "激活或者试用后价值贬损较大的商品，须经消费者购买时逐次确认才可不退。",
        "What loses much of its value once activated or tried is outside only where the buyer confirmed it at this very "
        "purchase."),
        "暂行办法 7；消费者权益保护法实施条例 19", "A"),
    CategoryRule("durable_listed", "durable", ("vehicle", "computer", "large_appliance", "decoration"), _FAULTS, Line(
        "收货后六个月内发现瑕疵的，由商家举证。",
        "For a defect found within six months of receipt the merchant has the burden of proof."),
        "消费者权益保护法 23(3)", "A", rule="durable.reverse_burden"),
    CategoryRule("durable_open", "proof", ("electronics", "small_appliance", "furniture"), _FAULTS, Line(
        "法律列举的耐用商品以“等”字收尾，本品类是否在内没有明文，可以主张，但不能当作定论。",
        "The law's list of durable goods ends with 'and so on': whether these are among them is not written anywhere. It can "
        "be argued, not relied on."),
        "消费者权益保护法 23(3)", "I"),
    CategoryRule("three_guarantees", "proof", ("large_appliance", "computer", "electronics"), _FAULTS, Line(
        "“三包”：七日内可退、换、修，十五日内可换、修；是否在目录内须另查。",
        "三包: return, exchange or repair within 7 days, exchange or repair within 15; look up whether it is listed."),
        "部分商品修理更换退货责任规定（1995）", "C"),
    CategoryRule("food_ten", "money", ("food", "fresh_food"), (*_GOODS, "counterfeit"), Line(
        "不符合食品安全标准的，可以要求价款十倍或者损失三倍的赔偿，不足一千元的按一千元；明知而买的，以合理生活消费需要为限。",
        "Food below the safety standards: ten times the price or three times the loss, at least 1000 yuan; whoever bought "
        "knowingly gets it only for what a household needs."),
        "食品安全法 148；法释〔2024〕9号 1、12", "A", rule="food.multiple"),
)

ALIASES: dict[str, str] = {
    **{c: c for c in CATEGORIES},
    **dict.fromkeys(("shoes", "hats", "bags", "accessories", "apparel", "服装", "鞋", "箱包", "服装鞋帽"), "clothing"),
    **dict.fromkeys(("toys", "home_textile", "home", "kitchenware", "家纺", "家居", "玩具"), "home_goods"),
    **dict.fromkeys(("digital", "phone", "camera", "数码"), "electronics"),
    **dict.fromkeys(("laptop", "notebook", "电脑"), "computer"),
    **dict.fromkeys(("television", "refrigerator", "air_conditioner", "washing_machine"), "large_appliance"),
    **dict.fromkeys(("appliance", "小家电"), "small_appliance"),
    **dict.fromkeys(("car", "汽车"), "vehicle"), **dict.fromkeys(("fresh", "fruit", "seafood", "生鲜"), "fresh_food"),
    **dict.fromkeys(("flower", "鲜花"), "flowers"), **dict.fromkeys(("jewelry", "gold", "珠宝"), "jewellery"),
    **dict.fromkeys(("custom", "定制"), "custom_made"), **dict.fromkeys(("software", "audio_video"), "media"),
    **dict.fromkeys(("newspaper", "magazine"), "press"), "食品": "food", "化妆品": "cosmetics", "家具": "furniture",
}


def category_of(said: str) -> str:
    """The category that an order's own word means; ``general`` for a word that is not known."""
    return ALIASES.get(said.casefold(), "general")


def rules_of(category: str, ground: str) -> tuple[CategoryRule, ...]:
    """The rules of that category that bear on a complaint on that ground."""
    return tuple(r for r in RULES if category in r.categories and (not r.grounds or ground in r.grounds))


def window_end(facts: Facts, row: CategoryRule) -> datetime | None:
    """Until when the evidence has to be there; None where the rule sets no hours or the goods were not received."""
    received = facts.given.order.received_at
    return None if row.hours is None or received is None else received + timedelta(hours=row.hours)
