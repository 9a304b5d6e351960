"""The rules for people and programs: what a record says, what governs, until when and how much, what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from casework.report.clauses import in_language
from casework.report.text import columns, escape, moment
from casework.rulebook.edition import Amount, Due, Edition
from casework.rulebook.money import BASES
from casework.rulebook.records import Record

UNITS: dict[str, tuple[str, str, str]] = {
    "hour": ("小时", "hour", "hours"), "day": ("日", "day", "days"),
    "working_day": ("个工作日", "working day", "working days"),
    "month": ("个月", "month", "months"), "year": ("年", "year", "years"),
}
RANK_NAMES: dict[str, tuple[str, str]] = {
    "law": ("法律", "law"), "regulation": ("行政法规", "regulation"), "rule": ("部门规章", "rule"),
    "local": ("地方规定", "local"), "platform": ("平台规则", "platform"), "seed": ("网络文章", "seed"),
}
BY: dict[str, tuple[str, str]] = {
    "act": ("行为日", "the act"), "filing": ("提出日", "the filing"), "decision": ("处理日", "the decision"),
}
ROLLS: dict[str, tuple[str, str]] = {
    "none": ("", ""), "holiday": ("末日遇法定节假日顺延", "a last day that is a holiday moves"),
    "rest_day": ("末日遇法定休假日顺延", "a last day of rest moves"),
}
WHY: dict[str, tuple[str, str]] = {
    "holiday": ("放假", "holiday"), "weekend": ("周末", "weekend"), "rolled": ("末日顺延", "the last day moves"),
}
BODY_NAMES: dict[str, tuple[str, str]] = {
    "platform": ("平台", "the platform"), "mediation": ("调解", "mediation"), "court": ("法院", "a court"),
}


def say(lang: str, zh: str, en: str) -> str:
    """One of the two."""
    return zh if lang == "zh" else en


def span(value: object, unit: str, lang: str) -> str:
    """So much time: ``7 working days``."""
    zh, one, many = UNITS[unit]
    return say(lang, f"{value} {zh}", f"{value} {one if value == 1 else many}")


def figure(r: Record | Due | Amount, lang: str) -> str:
    """The figure in words: ``7 working days``, ``3 × the price, at least 500.00``."""
    if r.unit in UNITS:
        text = span(r.value, r.unit, lang)
        if isinstance(r, Record) and r.extension:
            text += f" (+{r.extension})"
        if isinstance(r, Record) and r.starts == "next_midnight":
            text += say(lang, "（次日零时起）", " from the next midnight")
        return text
    if isinstance(r, Due) or r.of is None:
        return f"{r.value} {say(lang, '元', 'yuan')}"
    zh, en = BASES[r.of]
    if r.unit == "times":
        text = say(lang, f"{zh} × {r.value}", f"{r.value} × {en}")
    else:
        text = say(lang, f"{zh}的 {r.value}%", f"{r.value}% of {en}")
    if r.min is not None:
        text += say(lang, f"，最低 {r.min}", f", at least {r.min}")
    if r.max is not None:
        text += say(lang, f"，最高 {r.max}", f", at most {r.max}")
    return text


def unsure(certainty: str, lang: str) -> str:
    """The mark of what nobody could verify."""
    return say(lang, "[未经核实]", "[unverified]") if certainty == "C" else ""


def as_data(r: Record) -> dict[str, Any]:
    """A record for programs; a field of money that a limit of time does not have is left out, and the other way round."""
    own: dict[str, Any] = (
        {"roll": r.roll, "starts": r.starts, "extension": r.extension or None} if r.counts_time else
        {"of": r.of, "min": r.min, "max": r.max, "awarded_by": list(r.awarded_by)})
    return {"id": r.id, "value": r.value if isinstance(r.value, int) else str(r.value), "unit": r.unit, **own,
            "from": _iso(r.from_), "to": _iso(r.to), "rank": r.rank, "applies_by": r.applies_by, "clause": r.clause,
            "certainty": r.certainty, "unverified": r.unverified, "zh": r.zh, "en": r.en}


# --- the rules and one of them ---------------------------------------------------------------------------------------


def listed(edition: Edition, on: date) -> list[dict[str, Any]]:
    """What governs each rule on that day, the rules without a record in force left out; each with what it overrides."""
    found = ((rule, edition.in_force(rule, on)) for rule in edition.rules())
    return [as_data(records[0]) | {"overrides": [_brief(r) for r in records[1:]]} for _, records in found if records]


def list_lines(edition: Edition, on: date, lang: str) -> Iterator[str]:
    """The rules in force on that day, one a line."""
    rows: list[Sequence[object]] = []
    for rule in edition.rules():
        for r in edition.in_force(rule, on)[:1]:
            rows.append((rule, figure(r, lang), _name(RANK_NAMES[r.rank], lang), _term(r, lang), in_language(r.clause, lang),
                         unsure(r.certainty, lang)))
    yield from columns(rows)
    yield say(lang, f"{on} 适用的规则：{len(rows)} 条（规则版本 {edition.id}）",
              f"{on}: {len(rows)} rule{'' if len(rows) == 1 else 's'} in force (edition {edition.id})")


def one(edition: Edition, rule: str, on: date) -> dict[str, Any]:
    """Every record of a rule, the earliest first, and which governs on that day."""
    in_force = edition.in_force(rule, on)
    return {"rule": rule, "edition": edition.id, "on": on.isoformat(), "governing": as_data(in_force[0]) if in_force else None,
            "records": [as_data(r) | {"governs": r in in_force[:1], "overridden": r in in_force[1:]} for r in edition.of(rule)]}


def one_lines(edition: Edition, rule: str, on: date, lang: str) -> Iterator[str]:
    """A rule over time: its records, the one that governs marked with an arrow."""
    in_force = edition.in_force(rule, on)
    yield say(lang, f"{rule}（规则版本 {edition.id}；→ 为 {on} 适用者）", f"{rule}  (edition {edition.id}; → governs on {on})")
    for r in edition.of(rule):
        mark = "→ " if r in in_force[:1] else "  "
        name, by = _name(RANK_NAMES[r.rank], lang), _name(BY[r.applies_by], lang)
        over = say(lang, "  [被更高位阶取代]", "  [overridden by a higher rank]") if r in in_force[1:] else ""
        yield escape(f"{mark}{_term(r, lang)}  {figure(r, lang)}  {name}  {unsure(r.certainty, lang)}".rstrip() + over)
        yield escape(f"    {r.text(lang)}")
        roll = f"{say(lang, '；', '; ')}{_name(ROLLS[r.roll], lang)}" if r.roll != "none" else ""
        clause = in_language(r.clause, lang)
        yield escape(say(lang, f"    依据：{clause}；可信程度 {r.certainty}；按{by}适用{roll}",
                         f"    rests on: {clause}; certainty {r.certainty}; chosen by the day of {by}{roll}"))
        if r.awarded_by:
            yield _awarded(r.awarded_by, lang, "    ")


# --- the calculators -------------------------------------------------------------------------------------------------


def due_data(due: Due, edition: Edition, start: datetime) -> dict[str, Any]:
    """When a limit ends, for programs: a date of days and longer, a time of hours."""
    found: dict[str, Any] = {
        "due": due.day.isoformat() if due.day else due.at, "rule": due.rule, "provisional": due.provisional,
        "counted": [day if isinstance(day, datetime) else day.isoformat() for day in due.counted],
        "not_counted": [{"from": s.first.isoformat(), "to": s.last.isoformat(), "why": s.why} for s in due.not_counted],
        "at": due.at, "from": start, "value": due.value, "unit": due.unit, "rank": due.rank, "clause": due.clause,
        "certainty": due.certainty, "unverified": due.certainty == "C", "in_force": due.in_force,
        "overrides": [_brief(r) for r in due.overrides], "edition": edition.id,
    }
    if due.extended:
        longer = due.extended
        found["extended"] = {"value": longer.value, "due": longer.day.isoformat() if longer.day else longer.at,
                             "provisional": longer.provisional}
    return found


def due_lines(due: Due, edition: Edition, lang: str, zone: tzinfo) -> Iterator[str]:
    """When a limit ends, for people: the end, the figure, the clause, what was counted and what was passed over."""
    yield _head(due.rule, _end(due, lang, zone), due, lang)
    yield from _basis(due, edition, lang)
    if due.unit == "hour" and due.counted:
        first, last = (moment(at, zone) for at in due.counted if isinstance(at, datetime))
        yield say(lang, f"计算：{first} 至 {last}", f"counted: {first} to {last}")
    elif due.counted:
        first_day, last_day = due.counted[0], due.counted[-1]
        number = f" ({len(due.counted)})" if due.unit in ("day", "working_day") else ""
        yield say(lang, f"计算：{first_day} 至 {last_day}{number}", f"counted: {first_day} to {last_day}{number}")
    for s in due.not_counted:
        days = str(s.first) if s.first == s.last else f"{s.first} … {s.last}"
        yield say(lang, f"不计入：{days}（{WHY[s.why][0]}）", f"passed over: {days} ({WHY[s.why][1]})")
    if due.extended:
        end = _end(due.extended, lang, zone)
        yield say(lang, f"经延长：{end}", f"if extended: {end}")
    if due.provisional:
        yield say(lang, "暂定：该期间的放假安排尚未公布或未安装，公布后须重新计算",
                  "provisional: no published calendar covers it; to be computed again when the calendar arrives")


def amount_data(found: Amount, edition: Edition) -> dict[str, Any]:
    """How much, for programs."""
    return {
        "amount": found.amount, "rule": found.rule, "steps": [{"zh": s.zh, "en": s.en} for s in found.steps],
        "value": found.value if isinstance(found.value, int) else str(found.value), "unit": found.unit, "of": found.of,
        "min": found.min, "max": found.max,
        "rank": found.rank, "clause": found.clause, "certainty": found.certainty, "unverified": found.certainty == "C",
        "awarded_by": list(found.awarded_by), "in_force": found.in_force, "overrides": [_brief(r) for r in found.overrides],
        "edition": edition.id,
    }


def amount_lines(found: Amount, edition: Edition, lang: str) -> Iterator[str]:
    """How much, for people: the sum, its clause, the steps, who may award it."""
    yield _head(found.rule, say(lang, f"{found.amount} 元", f"{found.amount} yuan"), found, lang)
    yield from _basis(found, edition, lang)
    for step in found.steps:
        yield escape("  " + say(lang, step.zh, step.en))
    yield _awarded(found.awarded_by, lang, "")


def _head(rule: str, answer: str, found: Due | Amount, lang: str) -> str:
    return escape(f"{rule}  {answer}  {unsure(found.certainty, lang)}".rstrip())


def _end(due: Due, lang: str, zone: tzinfo) -> str:
    return say(lang, f"{due.day} 24:00 前", f"{due.day}, to the end of the day") if due.day else moment(due.at, zone)


def _basis(found: Due | Amount, edition: Edition, lang: str) -> Iterator[str]:
    rank = _name(RANK_NAMES[found.rank], lang)
    yield escape(say(lang, f"依据：{figure(found, lang)}，{in_language(found.clause, lang)}"
                     f"（{rank}；可信程度 {found.certainty}；规则版本 {edition.id}）",
                     f"rests on: {figure(found, lang)}, {in_language(found.clause, lang)} ({rank}; certainty {found.certainty}; "
                     f"edition {edition.id})"))
    for r in found.overrides:
        name = _name(RANK_NAMES[r.rank], lang)
        yield escape(say(lang, f"取代：{figure(r, lang)}，{in_language(r.clause, lang)}（{name}，位阶较低）",
                         f"overrides: {figure(r, lang)}, {in_language(r.clause, lang)} ({name}, lower rank)"))
    if not found.in_force:
        yield say(lang, "注意：所问日期早于该规则生效，此为已知最早的规则",
                  "note: the day asked about is before this came into force; it is the earliest known")


def _awarded(bodies: Iterable[str], lang: str, indent: str) -> str:
    names = [_name(BODY_NAMES[b], lang) for b in bodies]
    if "platform" in bodies:
        return indent + say(lang, "可由以下判给：" + "、".join(names), "awarded by: " + ", ".join(names))
    return indent + say(lang, f"可由以下判给：{'、'.join(names)}；平台不判给（淘宝平台争议处理规则 6）",
                        f"awarded by: {', '.join(names)}; not by the platform (淘宝平台争议处理规则 6)")


# --- what changed ----------------------------------------------------------------------------------------------------


def diff_data(edition: Edition, first: date, second: date) -> dict[str, Any]:
    """What began, ended or changed between two days, rank by rank; ``governs`` says whether it decides on the second."""
    return {"from": first.isoformat(), "to": second.isoformat(), "edition": edition.id, "changes": [
        {"rule": rule, "rank": rank, "change": change, "governs": governs,
         "before": as_data(before) if before else None, "after": as_data(after) if after else None}
        for rule, rank, change, governs, before, after in _changes(edition, first, second)]}


def diff_lines(edition: Edition, first: date, second: date, lang: str) -> Iterator[str]:
    """The same for people: + began, - ended, ~ another figure, = another clause for the same figure."""
    number = 0
    for rule, rank, change, governs, before, after in _changes(edition, first, second):
        number += 1
        mark = {"began": "+", "ended": "-", "changed": "~", "clause": "="}[change]
        shown = [f"{figure(r, lang)}, {in_language(r.clause, lang)} {unsure(r.certainty, lang)}".rstrip()
                 for r in (before, after) if r]
        over = "" if governs else say(lang, "  [被更高位阶取代]", "  [overridden by a higher rank]")
        yield escape(f"{mark} {rule}  {_name(RANK_NAMES[rank], lang)}  {' → '.join(shown)}{over}")
    yield say(lang, f"{first} 至 {second}：{number} 处不同", f"{first} to {second}: {number} change{'' if number == 1 else 's'}")


def _changes(edition: Edition, first: date, second: date) -> Iterator[tuple[str, str, str, bool, Record | None, Record | None]]:
    for before, after in edition.diff(first, second):
        held = after or before
        assert held is not None
        day = second if after else first
        governs = edition.in_force(held.id, day)[0] == held
        same = before and after and _decides(before) == _decides(after)
        change = "began" if not before else "ended" if not after else "clause" if same else "changed"
        yield held.id, held.rank, change, governs, before, after


def _decides(r: Record) -> dict[str, Any]:
    return {key: value for key, value in r.plain().items() if key not in ("from", "to", "clause", "certainty")}


# --- words -----------------------------------------------------------------------------------------------------------


def _brief(r: Record) -> dict[str, Any]:
    return {"rank": r.rank, "value": r.value if isinstance(r.value, int) else str(r.value), "unit": r.unit,
            "from": _iso(r.from_), "to": _iso(r.to), "clause": r.clause}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _term(r: Record, lang: str) -> str:
    return f"{r.from_ or say(lang, '起始不详', 'since ?')} … {r.to or ''}".rstrip()


def _name(pair: tuple[str, str], lang: str) -> str:
    return pair[0] if lang == "zh" else pair[1]

