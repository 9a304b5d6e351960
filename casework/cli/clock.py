"""What time does: apply what has fallen due, and list what is coming."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import click

from casework.cli.base import Command, Settings, common, complain, lang, moment, now, option, say
from casework.cli.journals import journaled, views_of, writing
from casework.errors import CaseworkError, InputError
from casework.report import clock as report
from casework.report.text import document

_NOW = option("--now", "at", metavar="TIME", help="As of that time [now].", zh="以该时间为准 [现在]")
_SPAN = re.compile(r"([0-9]{1,4})(h|d)", re.ASCII)


@click.command("tick", cls=Command, zh="办理已到期的事项，并记录谁逾期；可反复运行。包括视为同意、逾期关闭、恢复处理等。")
@_NOW
@option("--rebuild", is_flag=True, help="First make the index of duties anew from the events.", zh="先由事件重建期限索引")
@journaled
@common
def tick(settings: Settings, at: str | None, rebuild: bool, journal: str | None) -> int:
    """Apply what has fallen due, and record who missed what; it can run twice, or on two machines at once, and does it once."""
    from casework.application.clockwork import tick as ticks

    when = _not_ahead(moment(at, "--now"))
    done: list[dict[str, Any]] = []
    errors: list[tuple[str, str]] = []
    with writing(settings, journal) as store:
        if rebuild:
            with store.writing():
                store.rebuild_dues()
        for one in ticks(store, when, now):
            if one.error is not None:
                errors.append((one.case, one.error.text(lang())))
                continue
            done.append({"case": one.case, "id": one.duty, "duty": one.kind, "who": one.owes, "due": one.due, "did": one.did,
                         "state": one.state})
    settings.answer({"now": when, "done": done, "errors": [{"case": case, "error": text} for case, text in errors]},
                    lambda: report.tick_lines(done, lang(), settings.zone))
    for case, text in errors:
        zh, en = f"案件“{case}”：{text}；请运行 casework audit", f"case '{case}': {text}; run: casework audit"
        told = text if case in text else say(zh, en)
        complain(told)
    return 2 if errors else 0


@click.command("due", cls=Command, zh="列出正在计算的期限：谁、向谁、何时、依据哪条规则。")
@option("--within", metavar="SPAN", help="Only what is due within 3d (days) or 12h (hours), and what is overdue.",
        zh="只看 3d（天）或 12h（小时）之内到期的，以及已逾期的")
@option("--by", "role", metavar="ROLE", help="Only what this role owes: merchant, consumer, agent, external, courier.",
        zh="只看该角色的：merchant、consumer、agent、external、courier")
@option("--jsonl", is_flag=True, help="One JSON document a line.", zh="每行一份 JSON")
@_NOW
@common
def due(settings: Settings, within: str | None, role: str | None, jsonl: bool, at: str | None) -> int:
    """The duties whose time runs: whose, to whom, until when, under which rule."""
    from casework.application.agenda import due as dues
    from casework.application.kept import Kept
    from casework.store.opening import open_reader

    when = moment(at, "--now") or now()
    span = _span(within)
    _check_role(role)
    broken: list[CaseworkError] = []
    with open_reader(settings.store) as reader:
        found = list(dues(reader, when, span, role, broken=broken))
        owed = 0
        if not found and not jsonl and not settings.json:
            # What was missed is not in the index of what runs, and without it the answer would mislead.
            with Kept(reader, views_of(reader.place)) as kept:
                owed = kept.missed(role)
    if jsonl:
        for item in found:
            click.echo(document(item, settings.zone, indent=None))
    else:
        settings.answer({"now": when, "duties": found}, lambda: report.due_lines(
            found, lang(), settings.zone, asked=span is not None or role is not None, missed=owed))
    for error in broken:
        complain(error.text(lang()))
    return 1 if broken else 0


def _not_ahead(at: datetime | None) -> datetime:
    """Time may be behind, for what was due by then; it may not be ahead of the clock, for that has not happened yet."""
    clock = now()
    if at is not None and at > clock:
        raise InputError("is ahead of the clock; what has not fallen due yet cannot be recorded",
                         "晚于当前时间；尚未到期的事项不能记录", "--now")
    return at or clock


def _span(text: str | None) -> timedelta | None:
    if text is None:
        return None
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InputError(f"'{text[:20]}' is no span of time; write such as 3d or 12h",
                         f"“{text[:20]}”不是时间间隔，请写如 3d 或 12h", "--within")
    return timedelta(**{"h": {"hours": int(match[1])}, "d": {"days": int(match[1])}}[match[2]])


def _check_role(role: str | None) -> None:
    from casework.domain.duties import OWE

    if role is not None and role.partition(":")[0] not in OWE:
        raise InputError(f"'{role[:40]}' owes nothing; one of: {', '.join(OWE)}",
                         f"“{role[:40]}”没有期限；可用：{'、'.join(OWE)}", "--by")


