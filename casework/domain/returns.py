"""What a return within seven days and an instant refund require: the rows, and what a case as it is says to each."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from casework.domain.categories import CategoryRule, category_of, rules_of
from casework.domain.check import Check, Line, State
from casework.domain.facts import Facts
from casework.domain.request import Edition

RETURN_GROUND = "no_reason_return"
_WINDOW = "no_reason_return.window"
_PICTURES = ("goods_photo", "detail_photo", "hang_tag", "packaging_photo", "unboxing_video")


class Requirement(NamedTuple):
    """A row: what it is required for, the sentence, the clause and how certain that is."""

    of: Literal["return", "instant_refund"]
    said: Line
    clause: str
    certainty: str


REQUIREMENTS: dict[str, Requirement] = {
    "in_time": Requirement("return", Line(
        "签收次日起七日内向商家提出退货。", "The return is asked for within seven days, counted from the day after receipt."),
        "消费者权益保护法 25；网络购买商品七日无理由退货暂行办法 10", "A"),
    "not_excepted": Requirement("return", Line(
        "不属于法定例外：定作、鲜活易腐、拆封的数字化商品、报刊。",
        "It is no exception of the law: made to order, perishable, unsealed digital goods, the press."),
        "消费者权益保护法 25；网络购买商品七日无理由退货暂行办法 6", "A"),
    "not_confirmed_away": Requirement("return", Line(
        "商品性质不宜退货的，须消费者购买时逐次确认才可不退。",
        "Goods unfit for return by nature are excepted only where the buyer confirmed it at this very purchase."),
        "网络购买商品七日无理由退货暂行办法 7；消费者权益保护法实施条例 19", "A"),
    "intact": Requirement("return", Line(
        "商品完好：品质、功能、配件、标识齐全；为查验而拆封、合理调试仍算完好。",
        "The goods are intact in quality, function, accessories and marks; opening and trying them out keeps them so."),
        "网络购买商品七日无理由退货暂行办法 8、9；消费者权益保护法实施条例 19", "A"),
    "proof_of_return": Requirement("return", Line(
        "按商家给出的真实地址寄回，保留退货凭证。",
        "It goes to the true address that the merchant gives; the proof of it is kept."),
        "网络购买商品七日无理由退货暂行办法 11；淘宝平台争议处理规则 41–48", "A"),
    "marked": Requirement("instant_refund", Line(
        "订单下单时标记为可以极速退款。", "The order was marked as qualifying when it was placed."),
        "平台的信用与额度规则（二手资料）", "B"),
    "nothing_decided": Requirement("instant_refund", Line(
        "商家尚未答复，平台也没有介入。", "The merchant has not answered yet, and the platform was not asked to step in."),
        "平台的信用与额度规则（二手资料）", "I"),
    "not_excluded": Requirement("instant_refund", Line(
        "额度未用完；订单没有使用红包、淘金币、信用分期；近九十日退款率、投诉、纠纷和未付款订单不高。",
        "The quota is not used up; no red packets, coins or instalments; few refunds, complaints, disputes and unpaid orders in "
        "90 days."), "平台的信用与额度规则（二手资料）", "B"),
}


def return_requirements(facts: Facts, edition: Edition, at: datetime) -> tuple[Check, ...]:
    """What a return without a reason takes, in the order of the rows; a row that cannot bear on the goods is left out.

    In time is the first demand on the merchant, else the time ``at`` which it is asked. A rule of the goods' category
    stands in for the general sentence. Raises KeyError where the edition lacks the seven days.
    """
    rules = rules_of(category_of(facts.given.order.category), RETURN_GROUND)
    promised = "seven_day_return" in facts.given.order.services
    checks = [_window(facts, edition, at)]
    excepted = [r for r in rules if r.kind == "no_return"]
    checks.append(_check("not_excepted", "not_met" if excepted and not promised else "met", None if promised else excepted))
    if not promised:
        checks += [_check("not_confirmed_away", "unknown", [r]) for r in rules if r.kind == "confirm"]
    denied = facts.goods == "contested" or "resale_impaired" in facts.excuses
    shown = any(e.kind in _PICTURES for e in facts.consumer_evidence)
    checks.append(_check("intact", "met" if facts.goods == "received" or (shown and not denied) else "unknown",
                         [r for r in rules if r.kind == "intact"]))
    kept = any(e.kind == "tracking_record" for e in facts.consumer_evidence) or facts.goods in ("sent", "received")
    return (*checks, _check("proof_of_return", "met" if kept else "unknown"))


def instant_refund_requirements(facts: Facts) -> tuple[Check, ...]:
    """What 极速退款 takes: the order was marked as qualifying; the rest the platform looks at when it marks it."""
    return (
        _check("marked", "met" if "instant_refund" in facts.given.order.services else "not_met"),
        _check("nothing_decided", "met" if facts.state in ("discovered", "awaiting_merchant") else "not_met"),
        _check("not_excluded", "unknown"),
    )


def is_open(checks: tuple[Check, ...]) -> bool:
    """Whether nothing that is known stands against it."""
    return all(check.state != "not_met" for check in checks)


def _window(facts: Facts, edition: Edition, at: datetime) -> Check:
    received = facts.given.order.received_at
    if received is None:
        return _check("in_time", "unknown")
    due = edition.due(_WINDOW, received)
    end = due.at.isoformat(timespec="minutes")
    state: State = "met" if (facts.contacted_at or at) <= due.at else "not_met"
    return Check("in_time", state, Line(f"在 {end} 之前向商家提出退货。", f"The return is asked for by {end}."), due.clause,
    due.certainty)


def _check(name: str, state: State, instead: list[CategoryRule] | None = None) -> Check:
    row: Requirement | CategoryRule = instead[0] if instead else REQUIREMENTS[name]
    return Check(name, state, row.said, row.clause, row.certainty)
