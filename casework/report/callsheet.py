"""What to have at hand before a phone call, and what to write down in it.

The sources' advice made into one page (prepare the order's data, describe precisely, name the rule, note time, staff number
and what is promised, ask to be passed up): everything that customer service will ask for, from the case itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from casework.domain.facts import Facts
from casework.domain.grounds import GROUNDS, missing
from casework.domain.vocabulary import label
from casework.report.text import columns, escape, moment

_AFTER = {
    "zh": ("通话时记下：时间、客服姓名或工号、承诺的方案和期限；解决不了就请对方记录并转接上级。",
           "保持冷静、客观、礼貌；避开高峰时段，确认信号良好。"),
    "en": ("Write down in the call: the time, the name or staff number, what is promised and by when; "
           "if it is not solved, have it recorded and ask to be passed up.",
           "Stay calm, factual and polite; call outside the busy hours, where the signal is good."),
}
#: What says that the promise of an earlier call was kept.
_KEPT = {"zh": "先前的承诺已经兑现的： ", "en": "where an earlier promise was kept:  "}


def call_sheet(facts: Facts) -> dict[str, Any]:
    """The sheet as data: times as aware datetimes, amounts in yuan."""
    order = facts.given.order
    return {
        "case": facts.case,
        "order": {"id": order.id, "item": order.item, "merchant": order.merchant, "ordered_at": order.ordered_at,
                  "received_at": order.received_at, "paid": order.paid},
        "ground": facts.given.ground,
        "description": facts.given.description,
        "claim": facts.claim,
        "merchant_proves": GROUNDS[facts.given.ground].merchant_proves,
        "evidence": [{"id": e.id, "kind": e.kind, "description": e.description} for e in facts.consumer_evidence],
        "missing": [list(group) for group in missing(facts.given.ground, (e.kind for e in facts.consumer_evidence))],
        "calls": [{"at": c.at, "staff": c.staff, "note": c.note, "promised": c.promised, "promised_by": c.promised_by}
                  for c in facts.calls],
    }


def lines(sheet: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    """The sheet for people."""
    zh = lang == "zh"
    order = sheet["order"]
    bought = moment(order["ordered_at"], zone)
    received = moment(order["received_at"], zone)
    pairs = [
        ("案件" if zh else "case", sheet["case"]),
        ("订单编号" if zh else "order number", order["id"]),
        ("商品名称" if zh else "item", order["item"]),
        ("商家" if zh else "merchant", order["merchant"]),
        ("购买日期" if zh else "bought", bought + (("，收货 " if zh else ", received ") + received if received else "")),
        ("支付金额" if zh else "paid", f"¥{order['paid']:.2f}"),
        ("问题" if zh else "problem", label("ground", sheet["ground"], lang)),
    ]
    if sheet["description"]:
        pairs.append(("描述" if zh else "description", sheet["description"]))
    if sheet["claim"]:
        pairs.append(("诉求" if zh else "claim", label("remedy", sheet["claim"], lang)))
    if sheet["merchant_proves"]:
        pairs.append(("举证" if zh else "proof", "此类问题由商家先举证（淘宝平台争议处理规则 66）" if zh
                      else "the merchant has to prove first (淘宝平台争议处理规则 66)"))
    pairs += [("证据" if zh else "evidence", f"{e['id']} {label('evidence', e['kind'], lang)}: {e['description']}")
              for e in sheet["evidence"]]
    pairs += [("还缺" if zh else "still missing",
               (" 或 " if zh else " or ").join(label("evidence", k, lang) for k in group)) for group in sheet["missing"]]
    pairs += [("此前通话" if zh else "earlier call", _call(c, zone, zh)) for c in sheet["calls"]]
    yield from columns(pairs)
    yield from _AFTER[lang]
    yield escape(f"casework do {sheet['case']} log_call --by consumer -d staff=… -d note=… -d promised=… -d promised_by=…")
    if any(c["promised_by"] for c in sheet["calls"]):
        yield escape(_KEPT[lang] + f"casework do {sheet['case']} log_call --by consumer -d note=… -d answered=true")


def _call(call: dict[str, Any], zone: tzinfo, zh: bool) -> str:
    text = f"{moment(call['at'], zone)} {call['staff'] or '—'}: {call['note']}"
    if call["promised"]:
        text += ("；承诺：" if zh else "; promised: ") + call["promised"]
    if call["promised_by"]:
        text += ("，不晚于 " if zh else ", by ") + moment(call["promised_by"], zone)
    return text
