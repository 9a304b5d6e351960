"""What a return within seven days and an instant refund require, asked of a case as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from casework.domain.categories import category_of, rules_of
from casework.domain.check import Check, Line, State
from casework.domain.facts import Facts
from casework.domain.request import Edition

RETURN_GROUND = "no_reason_return"
_WINDOW = "no_reason_return.window"
_PICTURES = ("goods_photo", "detail_photo", "hang_tag", "packaging_photo", "unboxing_video")


def return_requirements(facts: Facts, edition: Edition, at: datetime) -> tuple[Check, ...]:
    """What a return without a reason takes (消法 25, 暂行办法 6–11): in time, not excepted, intact, with proof of it.

    In time is the first demand on the merchant, else the day that it is asked ``at``.
    """
    return (*_window(facts, edition, at), _excluded(facts), *_confirmable(facts), _intact(facts), _proof(facts))


def instant_refund_requirements(facts: Facts) -> tuple[Check, ...]:
    """What 极速退款 takes: the order was marked as qualifying; the rest the platform looks at when it marks it."""
    marked: State = "met" if "instant_refund" in facts.given.order.services else "not_met"
    open_: State = "met" if facts.state in ("discovered", "awaiting_merchant") else "not_met"
    return (
        Check("marked", marked, Line("订单下单时标记为可以极速退款。", "The order was marked as qualifying when it was placed."),
              "平台的信用与额度规则（未见原文）", "B"),
        Check("nothing_decided", open_, Line("商家尚未答复，平台也没有介入。",
              "The merchant has not answered yet, and the platform was not asked to step in."), "本系统的流程", "I"),
        Check("not_excluded", "unknown", Line(
            "额度未用完；订单没有使用红包、淘金币、信用分期；近九十日退款率、投诉、纠纷和未付款订单不高。",
            "The quota is not used up; no red packets, coins or instalments; few refunds, complaints, disputes and unpaid orders "
            "in 90 days."), "平台的信用与额度规则（二手资料）", "B"),
    )


def is_open(checks: tuple[Check, ...]) -> bool:
    """Whether nothing that is known stands against it."""
    return all(check.state != "not_met" for check in checks)


def _window(facts: Facts, edition: Edition, at: datetime) -> Iterator[Check]:
    received = facts.given.order.received_at
    if received is None:
        yield Check("in_time", "unknown", Line("签收时间没有记录；期限从签收次日起算。",
                    "When it was signed for is not recorded; the days run from the day after."), "消费者权益保护法 25", "A")
        return
    due = edition.due(_WINDOW, received)
    asked = facts.contacted_at or at
    yield Check("in_time", "met" if asked <= due.at else "not_met", Line(
        f"在 {due.at.isoformat(timespec='minutes')} 之前向商家提出退货。",
        f"The return is asked for by {due.at.isoformat(timespec='minutes')}."), due.clause, due.certainty)


def _excluded(facts: Facts) -> Check:
    rows = [r for r in rules_of(category_of(facts.given.order.category), RETURN_GROUND) if r.kind == "no_return"]
    promised = "seven_day_return" in facts.given.order.services
    said = rows[0].said if rows else Line("不属于法定例外：定作、鲜活易腐、数字化商品、报刊。",
                                          "No exception of the law: made to order, perishable, digital goods, the press.")
    if rows and promised:
        said = Line(said.zh + "但商家为本单承诺了七天无理由退货。",
        said.en + " The merchant promised it for this order all the same.")
    clause = rows[0].clause if rows else "消费者权益保护法 25；网络购买商品七日无理由退货暂行办法 6"
    return Check("not_excepted", "not_met" if rows and not promised else "met", said, clause, "A")


def _confirmable(facts: Facts) -> Iterator[Check]:
    if "seven_day_return" not in facts.given.order.services:
        for row in rules_of(category_of(facts.given.order.category), RETURN_GROUND):
            if row.kind == "confirm":
                yield Check("not_confirmed_away", "unknown", row.said, row.clause, row.certainty)


def _intact(facts: Facts) -> Check:
    rows = [r for r in rules_of(category_of(facts.given.order.category), RETURN_GROUND) if r.kind == "intact"]
    denied = facts.goods == "contested" or "resale_impaired" in facts.excuses
    shown = any(e.kind in _PICTURES for e in facts.consumer_evidence)
    said = rows[0].said if rows else Line("商品完好：品质、功能、配件、标识齐全；为查验而拆封、合理调试仍算完好。",
                                          "The goods are intact in quality, function, accessories and marks; opening and trying "
                                          "them out reasonably keeps them so.")
    return Check("intact", "met" if facts.goods == "received" or (shown and not denied) else "unknown", said,
                 rows[0].clause if rows else "网络购买商品七日无理由退货暂行办法 8、9；消费者权益保护法实施条例 19", "A")


def _proof(facts: Facts) -> Check:
    kept = any(e.kind == "tracking_record" for e in facts.consumer_evidence) or facts.goods in ("sent", "received")
    return Check("proof_of_return", "met" if kept else "unknown", Line(
        "按商家给出的真实地址寄回，保留退货凭证。", "It goes to the true address that the merchant gives; keep the proof of it."),
        "网络购买商品七日无理由退货暂行办法 11；淘宝平台争议处理规则 41–48", "A")
