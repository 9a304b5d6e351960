"""What may be claimed, who proves what and where else to go, as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any

from casework.domain.vocabulary import label
from casework.report.clauses import in_language
from casework.report.text import columns, escape, moment

_T = {
    "ground": ("事由", "ground"), "paid": ("实付", "paid"), "claim": ("可主张", "may be claimed"), "amount": ("金额", "amount"),
    "from": ("由谁", "from"), "certainty": ("可信程度", "certainty"), "steps": ("计算", "reckoned"), "if": ("条件", "if"),
    "rests": ("依据", "rests on"), "unverified": ("未经核实", "unverified"), "situation": ("争议类型", "situation"),
    "category": ("品类", "category"), "order": ("举证顺序", "order of proof"), "now": ("现在该", "now it is for"),
    "loses": ("若无进一步举证，由其承担不利后果", "if nothing more is shown, against"), "missing": ("还缺（任一）",
    "missing (any one)"),
    "shown": ("已提供", "shown"), "nothing": ("没有", "nothing"), "pending": ("待审查", "not examined yet"),
    "forged": ("伪造", "forged by"), "rule": ("规则", "rule"), "excuse": ("商家理由", "excuse"), "until": ("截至", "until"),
    "needs": ("要求", "requirement"), "note": ("注意", "note"),
    "open": ("可以", "open"), "depends": ("视情况", "depends"), "closed": ("不可以", "closed"),
    "met": ("符合", "met"), "not_met": ("不符合", "not met"), "unknown": ("未知", "not known"), "bring": ("另须准备",
    "bring as well"),
    "clock": ("期限", "time limit"), "outcome": ("结果", "outcome"), "effect": ("对本案", "effect on the case"),
    "limits": ("局限", "limits"), "law": ("适用", "law"), "weigh": ("双方举证完毕，由处理人综合判断",
    "both sides have shown theirs; it is weighed"),
    "why": ("理由", "why"), "instant": ("极速退款", "instant refund"), "if_lodged": ("现在提出则至", "if lodged now, by"),
    "provisional": ("暂定", "provisional"),
    "lodged": ("已提出，至", "lodged, by"), "evidence_lacks": ("本事由所需的证据还缺（任一）",
    "evidence that the ground needs (any one)"), "file_lacks": ("受理还缺（任一）", "to be taken, the file lacks (any one)"),
}


def word(key: str, lang: str) -> str:
    """A heading in the language."""
    return _T[key][0 if lang == "zh" else 1]


def claims_lines(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework claims`` prints: the table, then how each amount came about and on what condition."""
    yield from _head(view, lang)
    rows = [(word("claim", lang), word("amount", lang), word("from", lang), word("certainty", lang))]
    rows += [(c[lang], f"¥{c['amount']}" if c["amount"] else "—", _joined((label("venue", v, lang) for v in c["venues"]), lang),
              _certainty(c["certainty"], lang)) for c in view["claims"]]
    yield from columns(rows)
    for c in view["claims"]:
        yield escape(f"{c[lang]}  ({in_language(c['clause'], lang)})")
        yield from (escape(f"  {word('steps', lang)}: {step[lang]}") for step in c["steps"])
        yield from (escape(f"  {word('if', lang)}: {condition[lang]}") for condition in c["conditions"])


def burden_lines(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework burden`` prints."""
    yield from _head(view, lang)
    rule = view["rule"]
    pairs = [
        (word("category", lang), label("category", view["category"], lang)),
        (word("situation", lang), f"{label('situation', view['situation'], lang)}  ({rule['why'][lang]})"),
        (word("rule", lang), f"{rule[lang]}  ({in_language(rule['clause'], lang)})" + _doubt(rule["certainty"], lang)),
    ]
    pairs += [(word("order", lang) if n == 0 else "", f"{n + 1} {label('role', s['party'], lang)}: {s[lang]}"
               + ("  ✓" if s["done"] else "  ←" if s["now"] else "")) for n, s in enumerate(view["steps"])]
    found = {"proof": "proof_result", "evidence": "authenticity"}
    mine = [f"{label('role', s['party'], lang)}: {label(s['source'], s['kind'], lang)}"
            f" [{label(found[s['source']], s['standing'], lang)}]" for s in view["shown"]]
    pairs += [(word("shown", lang) if n == 0 else "", line) for n, line in enumerate(mine or [word("nothing", lang)])]
    if view["party"]:
        pairs.append((word("now", lang), label("role", view["party"], lang)))
        pairs += [(word("missing", lang), _kinds(group, lang)) for group in view["missing"]]
    else:
        pairs.append((word("now", lang), word("weigh", lang)))
    if view["pending"]:
        pairs.append((word("pending", lang), _kinds(view["pending"], lang)))
    pairs += [(word("file_lacks", lang), _kinds(group, lang)) for group in view["file_lacks"] if group not in view["missing"]]
    if view["forged"]:
        pairs.append((word("forged", lang), _joined((label("role", p, lang) for p in view["forged"]), lang)))
    if view["loses"]:
        pairs.append((word("loses", lang), label("role", view["loses"], lang)))
    if view["note"]:
        pairs.append((word("note", lang), f"{view['note'][lang]}  ({view['note']['clause']})"))
    yield from columns(pairs)
    for r in view["category_rules"]:
        until = f"  {word('until', lang)} {moment(r['until'], zone)}" if r["until"] else ""
        yield escape(f"{word('rule', lang)}: {r[lang]}  ({in_language(r['clause'], lang)}){until}{_doubt(r['certainty'], lang)}")
    for c in view["requirements"]:
        yield escape(f"{word('needs', lang)} {_asked(c, lang)}")
    if all(c["state"] != "not_met" for c in view["instant_refund"]):
        yield from (escape(f"{word('instant', lang)} {_asked(c, lang)}") for c in view["instant_refund"])
    for a in view["answers"]:
        yield escape(f"{word('excuse', lang)} {label('excuse', a['excuse'], lang)}: {a[lang]}  ({a['clause']})")


def ways_lines(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework ways`` prints: a line a way, then what stands for and against it, and what to bring."""
    yield from _head(view, lang)
    yield from columns((word(w["status"], lang), w["id"], w[lang], w["clause"]) for w in view["ways"])
    for group in view["evidence_lacks"]:
        yield escape(f"{word('evidence_lacks', lang)}: {_kinds(group, lang)}")
    for w in view["ways"]:
        law = f"  {word('law', lang)}: {w['regime'][lang]}" if w["regime"] else ""
        yield escape(f"{w['id']}  [{word(w['status'], lang)}]{law}{_doubt(w['certainty'], lang)}")
        yield from (escape(f"  {word('why', lang)} {_asked(r, lang)}") for r in w["reasons"])
        if w["status"] != "closed":
            yield from (escape(f"  {word('missing', lang)}: {d[lang]} – {_kinds(d['kinds'], lang)}") for d in w["missing"])
            if w["bring"]:
                yield escape(f"  {word('bring', lang)}: " + _joined((d[lang] for d in w["bring"]), lang,
                "；" if lang == "zh" else "; "))
        for c in w["clocks"]:
            when = word("lodged" if w["referral"] else "if_lodged", lang)
            due = f"  {when} {moment(c['due'], zone)}" if c["due"] and w["status"] != "closed" else ""
            due += f" [{word('provisional', lang)}]" if due and c["provisional"] else ""
            clause = in_language(c["clause"], lang)
            yield escape(f"  {word('clock', lang)}: {c[lang]}  ({clause}){due}{_doubt(c['certainty'], lang)}")
        for key in ("outcome", "effect", "limits"):
            yield escape(f"  {word(key, lang)}: {w[key][lang]}")


def _head(view: dict[str, Any], lang: str) -> Iterator[str]:
    paid = f"  {word('paid', lang)} ¥{view['paid']}" if "paid" in view else ""
    yield escape(f"{view['case']}  {word('ground', lang)}: {label('ground', view['ground'], lang)}{paid}")


def _kinds(kinds: Iterable[str], lang: str) -> str:
    return _joined((label("evidence", k, lang) if label("evidence", k, lang) != k else label("proof", k, lang) for k in kinds),
    lang)


def _joined(words: Iterable[str], lang: str, by: str = "") -> str:
    return (by or ("、" if lang == "zh" else ", ")).join(words)


def _asked(check: dict[str, Any], lang: str) -> str:
    clause = in_language(check["clause"], lang)
    return f"[{word(check['state'], lang)}]: {check[lang]}  ({clause}){_doubt(check['certainty'], lang)}"


def _certainty(certainty: str, lang: str) -> str:
    return certainty + (f" {word('unverified', lang)}" if certainty == "C" else "")


def _doubt(certainty: str, lang: str) -> str:
    return f" [{word('unverified', lang)}]" if certainty == "C" else ""
