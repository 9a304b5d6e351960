"""A case, its history, its list and what may be done, as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Any

from casework.domain.vocabulary import label
from casework.report.clauses import in_language
from casework.report.text import columns, escape, moment

_T = {
    "state": ("状态", "state"), "ground": ("事由", "ground"), "order": ("订单", "order"),
    "consumer": ("消费者", "consumer"), "merchant": ("商家", "merchant"), "assigned": ("处理人", "assigned"),
    "evidence": ("证据", "evidence"), "proofs": ("证明材料", "proof"), "offers": ("方案", "offers"),
    "rulings": ("裁决", "rulings"), "remedy": ("处理方式", "remedy"), "penalties": ("处罚", "penalties"),
    "duties": ("期限", "duties"), "referrals": ("外部机构", "referrals"), "tip_offs": ("举报", "tip-offs"),
    "calls": ("通话", "calls"), "version": ("版本", "version"), "updated": ("最近更新", "updated"),
    "case": ("案件", "case"), "overdue": ("逾期", "overdue"), "goods": ("退货", "goods"),
    "now": ("现在可以", "allowed now"), "not_now": ("现在不可以", "not allowed now"), "by": ("由", "by"),
    "missing": ("缺少", "missing"), "until": ("截至", "until"), "excuses": ("商家理由", "excuses"),
    "advance": ("先行赔付", "advance"), "no_step": ("此状态下没有的步骤", "no such step in this state"),
    "suspension": ("中止", "suspended"), "at_latest": ("最迟至", "until at the latest"), "ends": ("结束于", "it ends when"),
    "no_limit": ("没有期限", "without a limit of time"),
    "time_over": ("期限已满，tick 恢复处理", "its time is over; tick resumes the review"),
    "liquidated_damages": ("约定的违约金", "liquidated damages"),
    "nothing": ("没有案件", "no cases"), "unverified": ("未经核实", "unverified"),
}


def word(key: str, lang: str) -> str:
    """A heading in the language."""
    return _T[key][0 if lang == "zh" else 1]


def case_lines(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework show`` prints."""
    order = view["order"]
    pairs: list[tuple[str, str]] = [
        (word("case", lang), f"{view['case']}  ({word('version', lang)} {view['version']}, "
                             f"{word('updated', lang)} {moment(view['updated_at'], zone)})"),
        (word("state", lang), _term("state", view["state"], lang) + " · " + label("stage", view["stage"], lang)
         + (f"  [{word('overdue', lang)}]" if view["overdue"] else "")),
        (word("ground", lang), _term("ground", view["ground"], lang)),
        (word("order", lang), f"{order['id']}  {order['item']}  ¥{order['paid']}  "
                              f"{label('platform', order['platform'], lang)}"),
        *([(word("liquidated_damages", lang), f"¥{order['liquidated_damages']}")] if order["liquidated_damages"] else []),
        (word("consumer", lang), view["parties"]["consumer"]),
        (word("merchant", lang), view["parties"]["merchant"]),
    ]
    if view["assigned"]:
        pairs.append((word("assigned", lang), view["assigned"]))
    for key in ("excuses", "evidence", "offers", "rulings", "referrals", "tip_offs", "calls", "duties"):
        pairs += [(word(key, lang) if i == 0 else "", line) for i, line in enumerate(_items(key, view[key], lang, zone))]
    if view["suspension"]:
        pairs.append((word("suspension", lang), _suspension(view["suspension"], lang, zone)))
    for party, found in view["proofs"].items():
        proofs = [f"{label('proof', k, lang)}: {label('proof_result', v, lang)}" for k, v in found.items()]
        pairs.append((word("proofs", lang), f"{label('role', party, lang)}: " + "; ".join(proofs)))
    if view["remedy"]:
        pairs.append((word("remedy", lang), _remedy(view["remedy"], lang)))
    if view["goods"] != "not_due":
        pairs.append((word("goods", lang), label("return", view["goods"], lang)))
    if view["advance"] != "not_applied":
        pairs.append((word("advance", lang), label("advance", view["advance"], lang)))
    if view["penalties"]:
        pairs.append((word("penalties", lang), _penalties(view["penalties"], lang)))
    yield from columns(pairs)


def list_lines(views: list[dict[str, Any]], lang: str, zone: tzinfo) -> list[str]:
    """What ``casework list`` prints."""
    if not views:
        return [word("nothing", lang)]
    head = [word(k, lang) for k in ("case", "state", "ground", "merchant", "version", "updated", "overdue")]
    return columns([head, *(
        [v["case"], label("state", v["state"], lang), label("ground", v["ground"], lang), v["merchant"], v["version"],
         moment(v["updated_at"], zone), "!" if v["overdue"] else ""] for v in views
    )])


def history_lines(views: Iterable[dict[str, Any]], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework history`` prints: a line an event, its details below it."""
    for v in views:
        name = v["event"].rpartition(".")[2]
        step = f"  {label('state', v['from'], lang)} → {label('state', v['to'], lang)}" if v["to"] else ""
        late = f"  ({moment(v['recorded_at'], zone)})" if v["recorded_at"] != v["at"] else ""
        yield escape(f"{v['version']:>3}  {moment(v['at'], zone)}{late}  {v['by']}  {name}{step}")
        for key, value in v["data"].items():
            yield escape(f"       {key}: {_flat(value, zone)}")


def options_lines(view: dict[str, Any], lang: str, zone: tzinfo, kind: str = "state") -> Iterator[str]:
    """What ``casework options`` prints: first what may be done, then what may not and why.

    ``kind`` is the vocabulary of the state: that of cases, or the standing of merchants.
    """
    yield escape(f"{view['case']}  {_term(kind, view['state'], lang)}")
    yield f"{word('now', lang)}:"
    yield from ("  " + line for line in columns(
        [o["trigger"], "→ " + label("state", o["to"], lang) if o["to"] else "",
         f"{word('by', lang)} " + _roles(o["roles"], lang),
         f"{word('until', lang)} {moment(o['until'], zone)}" if o["until"] else ""]
        for o in view["triggers"] if o["allowed"]))
    refused = [o for o in view["triggers"] if not o["allowed"]]
    absent = [o["trigger"] for o in refused if any(r["code"] == "not_in_this_state" for r in o["reasons"])]
    yield f"{word('not_now', lang)}:"
    for option in refused:
        if option["trigger"] in absent:
            continue
        yield escape(f"  {option['trigger']}")
        for reason in option["reasons"]:
            clause = f"  ({reason['clause']})" if reason["clause"] else ""
            yield escape(f"      [{reason['code']}] {reason[lang]}{clause}")
        if option["missing"]:
            yield escape(f"      {word('missing', lang)}: {', '.join(option['missing'])}")
    if absent:
        yield f"  {word('no_step', lang)}: {len(absent)} (--json)"


def _items(key: str, items: list[dict[str, Any]], lang: str, zone: tzinfo) -> Iterator[str]:
    for item in items:
        if key == "excuses":
            yield f"{label('excuse', item['excuse'], lang)}: {item['answer'][lang]} ({item['clause']})"
        elif key == "evidence":
            yield (f"{item['id']}  {label('evidence', item['kind'], lang)} "
                   f"({label('authenticity', item['authenticity'], lang)}, {item['by']}): {item['description']}")
        elif key == "offers":
            yield f"{item['id']}  {_remedy(item['remedy'], lang)} ({label('offer', item['state'], lang)})"
        elif key == "rulings":
            yield (f"{label('outcome', item['outcome'], lang)} ({item['by']}, {moment(item['at'], zone)}): "
                   f"{item['findings']} [{item['clause']}]")
        elif key == "referrals":
            yield f"{item['id']}  {label('body', item['body'], lang)} ({label('referral', item['state'], lang)})"
        elif key == "tip_offs":
            yield (f"{item['id']}  {item['to']}: {label('ground', item['about'], lang)} "
                   f"({label('tip_off', item['state'], lang)})")
        elif key == "calls":
            yield f"{moment(item['at'], zone)}  {item['staff'] or '—'}: {item['note']}"
        else:
            unverified = f" [{word('unverified', lang)}]" if item["certainty"] == "C" else ""
            # A suspension ends by time: nobody is late by it.
            how = "time_over" if item["duty"] == "suspension" else "overdue"
            late = f" [{word(how, lang)}]" if item["status"] == "overdue" else ""
            clause = in_language(item["clause"], lang)
            yield (f"{label('duty', item['duty'], lang)} ({label('role', item['who'], lang)}) "
                   f"{word('until', lang)} {moment(item['due'], zone)}{late} {clause}{unverified}").rstrip()


def _suspension(held: dict[str, Any], lang: str, zone: tzinfo) -> str:
    until = f"{word('at_latest', lang)} {moment(held['until'], zone)}" if held["until"] else word("no_limit", lang)
    return (f"{label('suspension', held['ground'], lang)}, {until}; {word('ends', lang)}: {held['ends'][lang]} "
            f"({held['clause']})")


def _remedy(remedy: dict[str, Any], lang: str) -> str:
    parts = [remedy, *remedy["extra"]]
    return " + ".join(label("remedy", p["kind"], lang) + (f" ¥{p['amount']}" if p["amount"] else "") for p in parts)


def _penalties(penalties: list[dict[str, Any]], lang: str) -> str:
    return "; ".join(
        label("penalty", p["kind"], lang) + (f" {p['points']}" if p["points"] else "")
        + (f" ({p['clause']})" if p["clause"] else "") for p in penalties)


def _roles(roles: list[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(label("role", r, lang) for r in roles)


def _term(kind: str, term: str, lang: str) -> str:
    text = label(kind, term, lang)
    return text if text.replace(" ", "_") == term else f"{text} ({term})"


def _flat(value: Any, zone: tzinfo) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}={_flat(v, zone)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_flat(v, zone) for v in value)
    return moment(value, zone) if isinstance(value, datetime) else str(value)
