"""Inquire: why a case stands as it does, and how it would stand otherwise. Nothing is recorded."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from casework.cli.base import Command, Settings, common, lang, moment, option
from casework.cli.read import known
from casework.errors import InputError

if TYPE_CHECKING:
    from casework.application.whatif import Given
    from casework.domain.events import Event

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@click.command("why", cls=Command, zh="为什么如此：每个裁决的依据（条款、规则、证据、金额、其他途径），每个期限出自哪条规则。")
@click.argument("case")
@common
def why(settings: Settings, case: str) -> int:
    """Why a case stands as it does: what each ruling rested on, and which rule gave each deadline."""
    from casework.application.why import why as reasons
    from casework.domain.fold import fold
    from casework.report import why as report

    events = _events(settings, case)
    view = reasons(events, fold(events))
    settings.answer(view, lambda: report.lines(view, lang(), settings.zone))
    return 0


@click.command("what-if", cls=Command,
               zh="假如：在内存中让案件走另一条路（别的步骤、规则或日期），与记录并列比较。不作任何记录。")
@click.argument("case")
@option("--at", "version", metavar="VERSION", type=click.IntRange(min=1),
        help="Depart after that version; what came later is left out.", zh="从该版本之后分岔，其后的记录不再采用")
@option("--without", metavar="VERSION", type=click.IntRange(min=2), multiple=True,
        help="Leave that step out; the others go on.", zh="去掉该版本的一步，其余照旧")
@option("--rules", metavar="DATE", help="As if the rules of that day had governed.", zh="按该日有效的规则")
@option("--do", "steps", metavar="STEP", multiple=True,
        help="Another step: \"TRIGGER by=ROLE after=3d field=value\" (or at=TIME).",
        zh="增加一步：“步骤 by=角色 after=3d 字段=值”（或 at=时间）")
@option("--until", metavar="TIME", help="Let time go on until then; not before the last step.",
        zh="让时间继续到此时（不早于最后一步）")
@common
def what_if(settings: Settings, case: str, version: int | None, without: tuple[int, ...], rules: str | None,
            steps: tuple[str, ...], until: str | None) -> int:
    """A recorded case on another way (other steps, other rules, other dates), beside what is recorded. Records nothing."""
    from casework.application import whatif
    from casework.domain.events import CaseOpened
    from casework.domain.fold import fold
    from casework.report import whatif as report
    from casework.report.text import moment as text_of
    from casework.rulebook.edition import pinned

    events = _events(settings, case)
    opening = events[0]
    assert isinstance(opening, CaseOpened), opening
    for number in (*without, *(() if version is None else (version,))):
        if number > len(events):
            raise InputError(f"case '{case}' has only {len(events)} versions; name one of them",
                             f"案件“{case}”只有 {len(events)} 个版本，请给出其中之一",
                             "--without" if number in without else "--at")
    day = None if rules is None else _day(rules)
    given = whatif.inserted(whatif.recorded_steps(events, version, without), [_step(text) for text in steps])
    end = moment(until, "--until")

    def edition(name: str) -> Any:
        return pinned(name) if day is None else whatif.OnDay(pinned(name), day)

    recorded = fold(events)
    branch = whatif.live(opening, given, edition, duties=recorded.duties, other_rules=day is not None, until=end)
    last = max([branch.facts.at, *(step.at for step in branch.steps)])
    if end is not None and end < last:
        told = text_of(last, settings.zone)
        raise InputError(f"lies before the last step of the branch ({told}); give a later time, or depart earlier with --at",
                         f"早于该分支的最后一步（{told}）；请给出更晚的时间，或用 --at 提前分岔", "--until")
    seen = end or max(branch.facts.at, recorded.at)
    one, other = whatif.outcome(recorded, seen), whatif.outcome(branch.facts, seen)
    view = {"case": case, "recorded": one, "what_if": other, "differs": whatif.differences(one, other),
            "steps": [{"trigger": s.trigger, "by": s.by, "at": s.at, "source": s.source, "version": s.version, "state": s.state,
                       "refused": s.refused} for s in branch.steps]}
    settings.answer(view, lambda: report.lines(view, lang(), settings.zone))
    return 0


def _events(settings: Settings, case: str) -> Sequence[Event]:
    from casework.application.views import events_of, facts_of
    from casework.domain.events import Event
    from casework.store.opening import open_reader

    with open_reader(settings.store) as reader:
        rows = known(reader.rows(case), case)
    facts_of(rows)  # an error of its own where they do not fit together
    return [event for event in events_of(rows) if isinstance(event, Event)]


def _day(text: str) -> date:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"'{text[:30]}' is no day; write one such as 2026-04-15", f"“{text[:30]}”不是日期，请写如 2026-04-15",
                         "--rules") from None


def _step(text: str) -> Given:
    """A step as it is written after ``--do``; whatever is wrong in it is said of ``--do``."""
    from casework.application.intake import actor, command_named
    from casework.application.whatif import Given
    from casework.cli.carry import lists, put
    from casework.rulebook.calendar import after

    try:
        trigger, *pairs = shlex.split(text)
    except ValueError:
        raise _unclear(text) from None
    said: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise _unclear(text)
        try:
            put(said, key, value)
        except InputError as error:
            raise error.at("--do") from None
    by, at, span = said.pop("by", None), said.pop("at", None), said.pop("after", None)
    if not isinstance(by, str):
        raise _unclear(text, "lacks who does it (by=ROLE) and ", "没有说明由谁（by=角色），")
    if at is None and span is None:
        raise _unclear(text, "lacks a time (after=3d, or at=TIME) and ", "没有时间（after=3d，或 at=时间），")
    if at is not None and span is not None:
        raise _unclear(text, "has both after= and at= and ", "after= 和 at= 只能有一个，")
    when = moment(str(at), "--do") if at is not None else None
    try:
        actor(by, None)
        if span is not None:
            after(datetime.fromisoformat("2026-01-05T00:00:00+08:00"), str(span))
        command = command_named(trigger, lists(said))
    except InputError as error:
        raise error.at(f"--do {trigger} {error.where}".rstrip()) from None
    return Given(command, lambda facts: actor(by, facts), when or (lambda before: after(before, str(span))))


def _unclear(text: str, lacks: str = "", lacks_zh: str = "") -> InputError:
    such = '"rule by=agent after=3d outcome=for_merchant findings=… clause=…"'
    return InputError(f"'{text[:60]}' {lacks}is no step; write such as {such}", 
                      f"“{text[:60]}”{lacks_zh}不是一步；请写如 {such}", "--do")
