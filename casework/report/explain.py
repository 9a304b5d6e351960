"""What a code or a term means, the clause it rests on, and what to do about it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from casework.audit.codes import FAMILIES, FINDINGS, SEVERITIES
from casework.domain.answers import ANSWERS
from casework.domain.burden import SITUATIONS
from casework.domain.lifecycle import STAGE_OF
from casework.domain.reasons import REASONS
from casework.domain.standing.commands import STANDING_ACTS
from casework.domain.versions import CURRENT
from casework.domain.vocabulary import KINDS, RIGHT_CLAUSES, VOCABULARY, Term, label
from casework.errors import InputError
from casework.exchange import taobao


def explain(code: str) -> dict[str, Any]:
    """Everything known under that name: a code of a refusal or a finding, a family of findings, a trigger or command, a term.

    :class:`~casework.errors.InputError` with the nearest known name where there is none.
    """
    found = [*_codes(code), *_commands(code), *_terms(code), *_taobao(code)]
    if not found:
        near = get_close_matches(code, known(), n=3)
        hint = ", ".join(near)
        raise InputError(
            f"unknown code '{code[:60]}'" + (f"; did you mean: {hint}?" if near else "; see casework lifecycle"),
            f"未知的代码“{code[:60]}”" + (f"；是否指：{hint}？" if near else "；可查看 casework lifecycle"))
    return {"code": code, "meanings": found}


def known() -> list[str]:
    """Every name that can be explained."""
    terms = [t for table in VOCABULARY.values() for t in table]
    return list(dict.fromkeys([*REASONS, *FINDINGS, *FAMILIES, *(t.name for t in CURRENT.triggers),
                               *(a.name for a in CURRENT.acts), *STANDING_ACTS, *terms,
                               *(f"taobao:{name}" for name in taobao.NAMES)]))


def lines(explained: dict[str, Any], lang: str) -> list[str]:
    """The explanation for people."""
    out = []
    for m in explained["meanings"]:
        if m["kind"] == "taobao":
            out += [line for value in taobao.find(m["name"]) for line in taobao.meaning(value, lang)]
            continue
        out.append(f"{explained['code']}  [{_kind(m['kind'], lang)}]  {m[lang]}")
        if m.get("family"):
            severity = SEVERITIES[m["severity"]].text(lang)
            out.append(f"类别：{m['family']}；{severity}" if lang == "zh" else f"family: {m['family']}; {severity}")
        if m.get("codes"):
            out += [f"  {name}  {FINDINGS[name].zh if lang == 'zh' else FINDINGS[name].en}" for name in m["codes"]]
        if m.get("clause"):
            out.append(("依据：" if lang == "zh" else "rests on: ") + m["clause"])
        if m.get("mend"):
            out.append(("怎么办：" if lang == "zh" else "what to do: ") + m["mend"][lang])
        if m.get("roles"):
            roles = [label("role", r, lang) for r in m["roles"]]
            out.append(("由：" if lang == "zh" else "by: ") + ("、" if lang == "zh" else ", ").join(roles))
        if m.get("evidence"):
            kinds = ("、" if lang == "zh" else ", ").join(label("evidence", k, lang) for k in m["evidence"])
            out.append(("有用的证据：" if lang == "zh" else "evidence that helps: ") + kinds)
        for edge in m.get("edges", ()):
            under = (("；条件：" if lang == "zh" else "; under: ") + ", ".join(edge["guards"])) if edge["guards"] else ""
            out.append(f"  {', '.join(edge['from'])} → {edge['to'] or '='}{under}")
    return out


_WHAT = {"refusal": Term("拒绝理由", "refusal"), "finding": Term("审计问题", "finding"),
         "family": Term("审计问题的类别", "family of findings"), "trigger": Term("步骤", "trigger"),
         "command": Term("记录", "command")}


def _kind(kind: str, lang: str) -> str:
    return (_WHAT.get(kind) or KINDS[kind]).text(lang)


def _codes(code: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if code in REASONS:
        r = REASONS[code]
        found.append({"kind": "refusal", "zh": _unfilled(r.zh), "en": _unfilled(r.en), "clause": r.clause,
                      "mend": {"zh": r.mend_zh, "en": r.mend_en}})
    if code in FINDINGS:
        f = FINDINGS[code]
        found.append({"kind": "finding", "zh": f.zh, "en": f.en, "family": f.family, "severity": f.severity, "clause": f.clause,
                      "mend": {"zh": f.mend_zh, "en": f.mend_en}})
    if code in FAMILIES:
        found.append({"kind": "family", "zh": FAMILIES[code].zh, "en": FAMILIES[code].en,
                      "codes": [name for name, text in FINDINGS.items() if text.family == code]})
    return found


def _unfilled(sentence: str) -> str:
    """What a guard would fill in stands as ``…``."""
    return re.sub(r"\{\w+\}", "…", sentence)


def _commands(code: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"kind": "trigger", "zh": t.zh, "en": t.en, "roles": list(t.roles),
         "edges": [{"from": list(e.sources), "to": e.to, "guards": list(e.guards)} for e in t.edges]}
        for t in CURRENT.triggers if t.name == code
    ]
    if code in STANDING_ACTS:
        act = STANDING_ACTS[code]
        found.append({"kind": "command", "zh": act.zh, "en": act.en, "roles": list(act.roles)})
    found += [
        {"kind": "command", "zh": a.zh, "en": a.en, "roles": list(a.roles),
         "edges": [{"from": list(a.states), "to": None, "guards": list(a.guards)}]}
        for a in CURRENT.acts if a.name == code
    ]
    return found


def _taobao(code: str) -> list[dict[str, Any]]:
    """``taobao:WAIT_SELLER_AGREE``, ``taobao:cs_status:8``: a value of the platform's own."""
    platform, _, name = code.partition(":")
    return [{"kind": "taobao", **taobao.as_data(value)} for value in taobao.find(name) if platform == "taobao"]


def _terms(code: str) -> list[dict[str, Any]]:
    kind, _, term = code.rpartition(":")
    found: list[dict[str, Any]] = []
    for name, table in VOCABULARY.items():
        if term in table and kind in ("", name):
            zh, en = table[term]
            if name == "excuse":
                answer = ANSWERS[term]
                found.append({"kind": name, "zh": zh, "en": en, "clause": answer.clause,
                              "mend": {"zh": answer.zh, "en": answer.en}, "evidence": list(answer.evidence)})
                continue
            if name == "situation":
                row = SITUATIONS[term]
                found.append({"kind": name, "zh": zh, "en": en, "clause": row.clause, "mend": {"zh": row.said.zh,
                "en": row.said.en}})
                continue
            if name == "right":
                found.append({"kind": name, "zh": zh, "en": en, "clause": RIGHT_CLAUSES[term]})
                continue
            if name == "state":
                stage = STAGE_OF[term]
                zh, en = f"{zh}（{label('stage', stage, 'zh')}）", f"{en} ({label('stage', stage, 'en')})"
            found.append({"kind": name, "zh": zh, "en": en})
    return found
