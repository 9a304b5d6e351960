"""How a merchant stands, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from casework.application.scorecard import SHARES
from casework.domain.vocabulary import label
from casework.report.text import columns, escape, moment

_T = {
    "merchant": ("商家", "merchant"), "status": ("状态", "standing"), "points": ("扣分", "points"),
    "measures": ("措施", "measures"),
    "penalties": ("处罚", "penalties"), "advances": ("垫付", "advances"), "readmitted": ("重新入驻", "readmitted"),
    "scorecard": ("记分卡", "scorecard"), "unverified": ("未经核实", "unverified"), "until": ("截至", "until"),
    "for_good": ("不设期限", "for good"), "node": ("节点", "node"), "open": ("尚欠", "open"), "repaid": ("已还", "repaid"),
    "carried": ("上年未清", "carried over"), "late": ("逾期公示", "published late"), "published": ("已公示", "published"),
    "due": ("须公示，截至", "to be published by"), "overdue": ("逾期未公示，应于", "not published, was due"),
    "not_due": ("无需公示", "nothing to publish"), "in_force": ("有效", "in force"), "over": ("已期满", "over"),
    "lifted": ("已解除", "lifted"), "ended": ("已终止", "ended"), "few": ("案件太少", "too few cases"),
    "cases": ("案件", "cases"),
    "of": ("/", " of "), "version": ("版本", "version"), "appeal": ("可申诉至", "appeal until"),
}


def word(key: str, lang: str) -> str:
    """A heading in the language."""
    return _T[key][0 if lang == "zh" else 1]


def merchant_lines(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework merchant`` prints."""
    pairs = [(word("merchant", lang), f"{view['merchant']}  ({word('version', lang)} {view['version']})"),
             (word("status", lang), label("standing", view["status"], lang))]
    for heading, lines in (("points", _points(view, lang)), ("measures", _measures(view, lang, zone)),
                           ("penalties", _penalties(view, lang, zone)), ("advances", _advances(view, lang)),
                           ("readmitted", (moment(at, zone) for at in view["readmitted"])),
                           ("scorecard", _scorecard(view["scorecard"], lang))):
        pairs += [(word(heading, lang) if i == 0 else "", line) for i, line in enumerate(lines)]
    yield from columns(pairs)
    yield escape("  " + view["scorecard"]["formula"])


def _points(view: dict[str, Any], lang: str) -> Iterator[str]:
    for track, points in view["points"].items():
        carried = f" ({word('carried', lang)} {points['carried']})" if points["carried"] else ""
        node = f"  {word('node', lang)} {points['next_node']}" if points["next_node"] else ""
        yield f"{label('points_track', track, lang)} {points['year']}: {points['points']}{carried}{node}{_mark(points, lang)}"


def _measures(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    for m in view["measures"]:
        until = f"{word('until', lang)} {moment(m['until'], zone)}" if m["until"] else word("for_good", lang)
        yield (f"{label('penalty', m['measure'], lang)} ({label('points_track', m['track'], lang)}, {word('node', lang)} "
               f"{m['node']})  {until}  {word(m['status'], lang)}{_mark(m, lang)}")


def _penalties(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    for p in view["penalties"]:
        points = f" {p['points']}" if p["points"] else ""
        clause = f" ({p['clause']})" if p["clause"] else ""
        at = p["published_at"] or (p["publish_by"]["at"] if p["publication"] in ("due", "overdue") else None)
        yield (f"{p['id']}  {label('penalty', p['kind'], lang)}{points}{clause}  {moment(p['at'], zone)}  {p['by']}  "
               f"{label('penalty_state', p['state'], lang)}")
        yield f"    {word(p['publication'], lang)} {moment(at, zone)} ({p['publish_by']['clause']})".replace("  (", " (")
        if p["state"] == "imposed" and p["appeal_by"]:
            yield f"    {word('appeal', lang)} {moment(p['appeal_by']['at'], zone)}{_mark(p['appeal_by'], lang)}"


def _advances(view: dict[str, Any], lang: str) -> Iterator[str]:
    for a in view["advances"]:
        yield f"{a['case']}  ¥{a['owed']}  {word('repaid', lang)} ¥{a['repaid']}  {word('open', lang)} ¥{a['open']}"


def _scorecard(card: dict[str, Any], lang: str) -> Iterator[str]:
    score = card["score"] if card["enough"] else f"{word('few', lang)} (< {card['fewest']})"
    yield f"{score}  ({word('cases', lang)} {card['cases']})"
    for name, count in card["shares"].items():
        if count["of"]:
            yield f"  {count['good']}{word('of', lang)}{count['of']}  {SHARES[name].text(lang)}"


def _mark(thing: dict[str, Any], lang: str) -> str:
    return f"  [{word('unverified', lang)}]" if thing["certainty"] == "C" else ""
