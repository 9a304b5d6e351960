"""The sums of a settlement that no record fixes, with their reckoning in both languages. Amounts are yuan as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from casework.domain import sums
from casework.domain.vocabulary import ROLES

View = dict[str, Any]


def difference(paid: Decimal, lower: Decimal) -> View:
    """What is given back where a lower price was due; ValueError where it is above what was paid."""
    amount = sums.price_difference(paid, lower)
    return _view("difference", amount, "明码标价和禁止价格欺诈规定 16–21；消费者权益保护法 20", [
        (f"实付 {paid:.2f} − 应付 {lower:.2f} = {amount:.2f}", f"paid {paid:.2f} - due {lower:.2f} = {amount:.2f}")])


def bundle(paid: Decimal, prices: Sequence[Decimal], returned: Sequence[int]) -> View:
    """What goes back for parts of a bundle, shared by price; ValueError for prices that are all nothing, IndexError for no
    such part."""
    shares = sums.bundle_shares(paid, prices)
    amount = sums.bundle_refund(paid, prices, returned)
    total = sum(prices, Decimal(0))
    steps = [(f"第 {n} 件：{paid:.2f} × {price:.2f} ÷ {total:.2f} = {share:.2f}" + ("（退回）" if n - 1 in returned else ""),
              f"part {n}: {paid:.2f} * {price:.2f} / {total:.2f} = {share:.2f}" + (" (goes back)" if n - 1 in returned else ""))
             for n, (price, share) in enumerate(zip(prices, shares, strict=True), 1)]
    steps.append(("不足一分的舍去，余下的分归单价最高的一件", "cut to whole fen; the fen left over go to the dearest part"))
    return _view("bundle", amount, "网络购买商品七日无理由退货暂行办法 14–17；淘宝平台争议处理规则 55–64", steps) | {
        "shares": [f"{share:.2f}" for share in shares]}


def repriced(paid: Decimal, kept: Sequence[Decimal]) -> View:
    """What goes back where the bundle's discount hung on all of it."""
    amount, own = sums.repriced_refund(paid, kept), sum(kept, Decimal(0))
    steps = [(f"实付 {paid:.2f} − 留下各件的单价 {own:.2f} = {paid - own:.2f}",
              f"paid {paid:.2f} - own prices of what is kept {own:.2f} = {paid - own:.2f}")]
    if own > paid:
        steps.append(("不足零的，不退款，也不补交", "less than nothing: nothing goes back, and nothing is added"))
    return _view("repriced", amount, "网络购买商品七日无理由退货暂行办法 14–17", steps)


def recovery(found: sums.Recovery) -> View:
    """What the platform gets back of an advance, and what is left to the parties."""
    advance = found.recovered + found.shortfall
    back, short = f"{found.recovered:.2f}", f"{found.shortfall:.2f}"
    steps = [(f"垫付 {advance:.2f}，从保证金追回 {back}，尚欠 {short} 由平台另行追偿",
              f"advance {advance:.2f}, from the deposit {back}; {short} is left to recover otherwise")]
    return _view("recovery", found.recovered, "消费者权益保护法 44；淘宝平台争议处理规则 84–87", steps) | {"shortfall": short}


def freight(fault: sums.Fault, *, free_shipping: bool) -> View:
    """Who bears each leg; no sum, since no rule says how much freight is."""
    found = sums.freight(fault, free_shipping=free_shipping)
    out, back = ROLES[found.out], ROLES[found.back]
    return {"sum": "freight", "amount": None, "clause": found.clause, "out": found.out, "back": found.back, "steps": [
        {"zh": f"发货运费由{out.zh}承担，退货运费由{back.zh}承担，以实际支付为限",
         "en": f"freight out: the {out.en}; freight back: the {back.en}; at most what was paid for it"}]}


def lines(view: View, lang: str) -> Iterator[str]:
    """What ``casework sum`` prints."""
    if view["amount"] is not None:
        yield f"{view['sum']}  {view['amount']} " + ("元" if lang == "zh" else "yuan")
    else:
        yield str(view["sum"])
    yield ("依据：" if lang == "zh" else "rests on: ") + view["clause"]
    for step in view["steps"]:
        yield "  " + step[lang]


def _view(kind: str, amount: Decimal, clause: str, steps: Sequence[tuple[str, str]]) -> View:
    return {"sum": kind, "amount": f"{amount:.2f}", "clause": clause, "steps": [{"zh": zh, "en": en} for zh, en in steps]}
