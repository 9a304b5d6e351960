"""Why a case stands as it does, as a short reasoned text for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from casework.domain.burden import LATE, LATENESS, SITUATIONS
from casework.domain.remedies import ENTITLEMENTS, NOT_BESIDE
from casework.domain.vocabulary import VOCABULARY, label
from casework.report.clauses import in_language
from casework.report.clock import who
from casework.report.rules import span
from casework.report.text import escape, moment
from casework.rulebook.calendar import SHANGHAI

_ENTITLED = {row.id: row for row in ENTITLEMENTS}
_T = {
    "ruling": ("裁决", "Ruling"), "found": ("认定", "It was found"), "clause": ("条款", "Clause"),
    "burden": ("举证责任", "Burden of proof"),
    "shown": ("已提交", "Shown"), "missing": ("缺少", "Missing"), "loses": ("由此败诉的一方", "Who loses by that"),
    "weighed": ("双方均已举证，由小二衡量", "both sides have proved what is theirs; the agent weighed it"),
    "granted": ("处理", "Granted"), "most": ("最高", "at most"), "paid": ("实付", "paid"),
    "otherwise": ("（仅就举证顺序而言，裁决另有认定）", " (by the order of proof alone; the ruling finds otherwise)"),
    "elsewhere": ("未给予，可另行主张", "Not granted, to be claimed from"), "deadlines": ("期限", "Deadlines"),
    "not_beside": ("未给予，不与已给予的并付", "Not granted, and not paid beside what was"),
    "before": ("优先于", "over"), "edition": ("规则版本", "edition of the rulebook"), "lifecycle": ("流程版本", "lifecycle"),
    "unverified": ("未经核实", "unverified"),
    "provisional": ("暂定，待工作日历公布", "provisional, until the calendar is published"),
    "correction": ("更正", "Correction"),
    "agreed": ("逾期视为同意", "Taken as agreed by silence"), "award": ("外部机构支持", "Award by an outside body"),
    "none": ("没有裁决", "There is no ruling."), "set": ("由平台设定", "set by the platform"), "due": ("至", "until"),
    "time_over": ("期限届满", "its time was over"), "stood": ("，中间曾中止", ", and it stood still in between"),
    "no_basis": ("该裁决作出时尚不记录依据", "The ruling was made before what it rests on was recorded."),
}


def lines(view: dict[str, Any], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework why`` prints."""
    def word(key: str) -> str:
        return _T[key][0 if lang == "zh" else 1]

    yield escape(f"{view['case']}  {label('state', view['state'], lang)}  ({word('lifecycle')} {view['lifecycle']}, "
                 f"{word('edition')} {view['edition']})")
    for ruling in view["rulings"]:
        yield escape(f"{word('ruling')} v{ruling['version']}, {moment(ruling['at'], zone)}, {ruling['by']}: "
                     f"{label('outcome', ruling['outcome'], lang)}" + _remedy(ruling["remedy"], lang))
        yield escape(f"  {word('found')}: {ruling['findings']}")
        yield escape(f"  {word('clause')}: {ruling['clause']}")
        if not ruling["basis"]:
            yield f"  {word('no_basis')}"
        granted = {(basis["result"] or "").partition("=")[0] for basis in ruling["basis"] if basis["about"] == "granted"}
        for basis in ruling["basis"]:
            yield from (escape("  " + line) for line in _basis(basis, ruling["outcome"], granted, lang))
    for mended in view["corrections"]:
        texts = [mended[key] for key in ("findings", "clause") if mended[key]]
        yield escape(f"{word('correction')} v{mended['version']}, {moment(mended['at'], zone)}, {mended['by']}"
                     + _remedy(mended["remedy"], lang) + ": " + "; ".join((*texts, mended["reason"])))
    for agreed in view["agreed"]:
        yield escape(f"{word('agreed')} v{agreed['version']}, {moment(agreed['at'], zone)}" + _remedy(agreed["remedy"], lang))
    for award in view["awards"]:
        yield escape(f"{word('award')} v{award['version']}, {moment(award['at'], zone)}, {who(award['by'], lang)}"
                     + _remedy(award["remedy"], lang))
    if not view["rulings"]:
        yield word("none")
    if view["duties"]:
        yield f"{word('deadlines')}:"
    for duty in view["duties"]:
        yield escape("  " + _duty(duty, lang, zone))


def _basis(basis: dict[str, Any], outcome: str, granted: set[str], lang: str) -> Iterator[str]:
    def word(key: str) -> str:
        return _T[key][0 if lang == "zh" else 1]

    inputs = [text.partition("=") for text in basis["inputs"]]
    clause = in_language(basis["clause"], lang)
    source = f"{clause}{_mark(basis['certainty'], lang)}" + (f", {basis['rule']}" if basis["rule"] else "")
    if basis["about"] == "burden":
        row = SITUATIONS.get(basis["row"])
        yield f"{word('burden')}: {row.said.text(lang) if row else basis['row']} ({source})"
        shown = [_shown(name, value, lang) for name, _, value in inputs if name.partition(".")[0] in ("consumer", "merchant")]
        if shown:
            yield f"  {word('shown')}: " + "; ".join(shown)
        lacking = [_kinds(value, lang) for name, _, value in inputs if name == "missing"]
        if lacking:
            yield f"  {word('missing')}: " + "; ".join(lacking)
        key, _, value = (basis["result"] or "").partition("=")
        otherwise = word("otherwise") if outcome == f"for_{value}" else ""
        ground = next((value for name, _, value in inputs if name == "ground"), "")
        forged = any(standing == "forged" for *_, standing in inputs)
        if (basis["row"], value) == ("shipment", "consumer") and ground in LATENESS and not forged:
            yield f"  {LATE.said.text(lang)} ({LATE.clause})"
            return
        yield f"  {word('loses')}: {label('role', value, lang)}{otherwise}" if key == "loses" else f"  {word('weighed')}"
        return
    name, _, amount = (basis["result"] or "").partition("=")
    entitled = _ENTITLED.get(basis["row"])
    # A refund may be granted where a return could have been: then the name of the claim would say more than was granted.
    what = entitled.said.text(lang) if entitled and entitled.kind == name else label("remedy", name, lang)
    sums = [f"{word(key)} ¥{value}" for key, _, value in inputs if key in ("paid", "most")]
    if basis["about"] == "granted":
        yield f"{word('granted')}: {what}{f' ¥{amount}' if amount else ''}; {', '.join(sums)} ({source})"
    elif basis["row"] in NOT_BESIDE and name in granted:
        yield f"{word('not_beside')}: {what}{f' ¥{amount}' if amount else ''} ({source})"
    else:
        venues = [venue for key, _, value in inputs if key == "venues" for venue in value.split("|")]
        yield (f"{word('elsewhere')} {_list((label('venue', v, lang) for v in venues), lang)}: {what}"
               f"{f' ¥{amount}' if amount else ''} ({source})")


def _shown(name: str, standing: str, lang: str) -> str:
    party, _, kind = name.partition(".")
    terms = VOCABULARY["authenticity"] | VOCABULARY["proof_result"]
    found = terms[standing].text(lang) if standing in terms else standing
    return f"{label('role', party, lang)} {_kinds(kind, lang)} ({found})"


def _kinds(kinds: str, lang: str) -> str:
    terms = VOCABULARY["evidence"] | VOCABULARY["proof"]
    joint = " 或 " if lang == "zh" else " or "
    return joint.join(terms[k].text(lang) if k in terms else k for k in kinds.split("|"))


def _duty(duty: dict[str, Any], lang: str, zone: tzinfo) -> str:
    def word(key: str) -> str:
        return _T[key][0 if lang == "zh" else 1]

    over = f" {word('before')} {'; '.join(duty['overrides'])}" if duty["overrides"] else ""
    by_event = duty["duty"] == "suspension"  # a suit that is over ends a suspension by the rule itself
    rule = f"{duty['rule']}: " if duty["unit"] else "" if by_event else f"{word('set')}, "
    # A suspension ends by time, and by the system's step: nobody was late by it.
    state = word("time_over") if by_event and duty["state"] in ("missed", "late") else label("duty_state", duty["state"], lang)
    clause = in_language(duty["clause"], lang)
    notes = _mark(duty["certainty"], lang) + (f" [{word('provisional')}]" if duty["provisional"] else "")
    return (f"{duty['id']} {label('duty', duty['duty'], lang)}, {who(duty['who'], lang)}, {word('due')} "
            f"{moment(duty['due'], zone)} ({state}): {rule}{_figure(duty, lang, zone)}{clause}{over}{notes}")


def _figure(duty: dict[str, Any], lang: str, zone: tzinfo) -> str:
    """So much time from when; of days and longer the day, which is that of the law's own zone."""
    if duty["value"] is None:
        return ""
    length, begun = span(duty["value"], duty["unit"], lang), duty["from"]
    start = moment(begun, zone) if duty["unit"] == "hour" else begun.astimezone(SHANGHAI).date().isoformat()
    stood = any(change["change"] == "resumed" for change in duty["changes"])
    still = _T["stood"][0 if lang == "zh" else 1] if stood else ""
    return f"自 {start} 起 {length}{still}，" if lang == "zh" else f"{length} from {start}{still}, "


def _mark(certainty: str, lang: str) -> str:
    return f" [{_T['unverified'][0 if lang == 'zh' else 1]}]" if certainty == "C" else f" [{certainty}]"


def _remedy(remedy: dict[str, Any] | None, lang: str) -> str:
    if remedy is None:
        return ""
    parts = [remedy, *remedy["extra"]]
    return ", " + " + ".join(label("remedy", p["kind"], lang) + (f" ¥{p['amount']}" if p["amount"] else "") for p in parts)


def _list(items: Iterator[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(items)
