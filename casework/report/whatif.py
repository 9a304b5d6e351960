"""A branch of a case beside what is recorded, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from casework.domain.vocabulary import label
from casework.report.text import columns, escape, moment

_T = {
    "recorded": ("记录", "recorded"), "what_if": ("假如", "what if"), "same": ("结果相同", "the outcome is the same"),
    "refused": ("被拒绝", "refused"), "time": ("到期", "time"), "new": ("新增", "new"), "state": ("状态", "state"),
    "remedy": ("处理方式", "remedy"), "performed": ("已履行", "performed"), "penalties": ("处罚", "penalties"),
    "missed": ("逾期", "missed"), "duties": ("期限", "duties"), "goods": ("退货", "goods"), "advance": ("先行赔付", "advance"),
    "rulings": ("裁决数", "rulings"), "stage": ("阶段", "stage"), "steps": ("步骤", "steps"), "none": ("无", "none"),
}


def word(key: str, lang: str) -> str:
    """A heading in the language."""
    return _T[key][0 if lang == "zh" else 1]


def lines(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework what-if`` prints: the steps of the branch, then both outcomes side by side where they differ."""
    yield f"{word('steps', lang)}:"
    rows = []
    for step in view["steps"]:
        refused = f"{word('refused', lang)}: {', '.join(step['refused'])}"
        what = refused if step["refused"] else "→ " + label("state", step["state"], lang)
        source = f"v{step['version']}" if step["source"] == "recorded" else word(step["source"], lang)
        rows.append([source, moment(step["at"], zone), step["by"], step["trigger"], what])
    yield from ("  " + line for line in columns(rows))
    keys = list(dict.fromkeys(("state", *view["differs"])))
    yield from columns([["", word("recorded", lang), word("what_if", lang)], *(
        [word(key, lang), _cell(key, view["recorded"][key], lang, zone), _cell(key, view["what_if"][key], lang, zone)]
        for key in keys)])
    if not view["differs"]:
        yield word("same", lang)


def _cell(key: str, value: Any, lang: str, zone: tzinfo) -> str:
    if value is None or value == []:
        return word("none", lang)
    if key == "state":
        return label("state", value, lang)
    if key == "stage":
        return label("stage", value, lang)
    if key == "goods":
        return label("return", value, lang)
    if key == "advance":
        return label("advance", value, lang)
    if key == "remedy":
        return escape(" + ".join(label("remedy", p["kind"], lang) + (f" ¥{p['amount']}" if p["amount"] else "")
                                 for p in (value, *value["extra"])))
    if key == "penalties":
        return escape(", ".join(label("penalty", p["kind"], lang) + (f" {p['points']}" if p["points"] else "") for p in value))
    if key in ("missed", "duties"):
        return escape(", ".join(f"{label('duty', d['duty'], lang)} {_day(d['due'], zone)}" for d in value))
    return escape(str(value))


def _day(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()


def impact_lines(found: list[dict[str, Any]], cases: int, edition: str, lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework rules impact`` prints: a block a case that would have gone otherwise, then how many."""
    for one in found:
        yield escape(one["case"])
        yield from ("  " + line for line in columns([
            [word(key, lang), _cell(key, one["recorded"][key], lang, zone), "→", _cell(key, one["otherwise"][key], lang, zone)]
            for key in one["differs"]]))
        if one["refused"]:
            yield escape(f"  {word('refused', lang)}: {', '.join(one['refused'])}")
    yield (f"按 {edition}：{cases} 宗案件中 {len(found)} 宗结果不同" if lang == "zh"
           else f"by {edition}: {len(found)} of {cases} cases would have gone otherwise")
