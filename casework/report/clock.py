"""What fell due and what is coming, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from casework.domain.vocabulary import BODIES, ROLES, VOCABULARY, Term, label
from casework.report.clauses import in_language
from casework.report.text import columns, escape, moment

_COURIER = Term("快递企业", "carrier")
_T = {
    "nothing_due": ("没有到期的事项", "nothing has fallen due"),
    "nothing": ("没有正在计算的期限", "no duty is running"),
    "nothing_such": ("没有符合条件的期限", "no duty is running of those asked for"),
    "unverified": ("未经核实", "unverified"),
    "provisional": ("暂定", "provisional"),
    "overdue": ("逾期", "overdue"), "time_over": ("期限已满，tick 恢复处理", "its time is over; tick resumes the review"),
    "done": ("已办理", "done"),
}


def _word(key: str, lang: str) -> str:
    return _T[key][0 if lang == "zh" else 1]


def who(owes: str, lang: str) -> str:
    """Whoever owes a duty, in the language."""
    role, _, body = owes.partition(":")
    if owes == "courier":
        return _COURIER.text(lang)
    return BODIES[body].text(lang) if body in BODIES else ROLES[role].text(lang) if role in ROLES else owes


def tick_lines(done: list[dict[str, Any]], lang: str, zone: tzinfo) -> Iterator[str]:
    """What ``casework tick`` prints."""
    if not done:
        yield _word("nothing_due", lang)
        return
    yield from columns([
        d["case"], d["id"], label("duty", d["duty"], lang), who(d["who"], lang), moment(d["due"], zone),
        f"{d['did']} → {label('state', d['state'], lang)}"] for d in done)
    yield escape(f"{_word('done', lang)}: {len(done)}")


def due_lines(found: list[dict[str, Any]], lang: str, zone: tzinfo, *, asked: bool = False, missed: int = 0) -> Iterator[str]:
    """What ``casework due`` prints: the soonest first. ``asked`` says that it was only for some of what runs, ``missed`` how
    many ran out and are owed still."""
    if not found:
        yield _word("nothing_such" if asked else "nothing", lang)
        if missed:
            yield (f"逾期未履行、仍应履行的：{missed} 项（见 casework list --overdue）" if lang == "zh" else
                   f"missed and still owed: {missed} (see: casework list --overdue)")
        return
    yield from columns([
        moment(d["due"], zone), d["case"], d["id"], label("duty", d["duty"], lang),
        f"{who(d['who'], lang)} → {who(d['to'], lang)}", notes(d, lang),
        in_language(d["clause"], lang)] for d in found)


def notes(duty: dict[str, Any], lang: str) -> str:
    """What has to be said of a deadline: overdue, provisional, resting on a figure that nobody verified."""
    # A suspension ends by time: nobody is late by it.
    late = "time_over" if duty["duty"] == "suspension" else "overdue"
    said = [key for key, is_so in ((late, duty["status"] == "overdue"), ("provisional", duty.get("provisional")),
                                   ("unverified", duty["certainty"] == "C")) if is_so]
    state = [VOCABULARY["duty_state"]["paused"].text(lang)] if duty["status"] == "paused" else []
    words = [*state, *(_word(key, lang) for key in said)]
    return f"[{', '.join(words)}]" if words else ""
