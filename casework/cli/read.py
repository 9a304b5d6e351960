"""Read: options, show, history, list. None of these imports the event-sourcing library."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from casework.cli.base import Command, Settings, common, complain, lang, moment, now, option, say
from casework.errors import InputError, UnknownCase
from casework.report import case as report
from casework.report.text import document

if TYPE_CHECKING:
    from casework.domain.facts import Facts

AS_OF = option("--as-of", metavar="TIME", help="As it was recorded up to that time.", zh="截至该时间已记录的内容")
VERSION = option("--version", metavar="N", type=click.IntRange(min=1), help="As of that version.", zh="截至该版本")


@click.command("options", cls=Command, zh="现在可以做什么、由谁、到何时；不能做什么、全部理由和所缺内容。")
@click.argument("case")
@option("--by", metavar="ROLE", help="Only what this role may do.", zh="只看该角色")
@AS_OF
@VERSION
@common
def options(settings: Settings, case: str, by: str | None, as_of: str | None, version: int | None) -> int:
    """What may be done now, by whom, until when; what may not, with every reason and what is missing."""
    from casework.application.choices import choices
    from casework.application.intake import actor
    from casework.domain.standing.events import is_standing

    if is_standing(case):
        return _options_of_merchant(settings, case, by, as_of, version)
    facts = facts_of_case(settings, case, as_of, version)
    role = None
    if by is not None:
        try:
            role = actor(by, facts).role
        except InputError as error:
            raise error.at("--by") from None
    view = choices(facts, seen_from(facts, as_of, version), role)
    settings.answer(view, lambda: report.options_lines(view, lang(), settings.zone))
    return 0


def _options_of_merchant(settings: Settings, stream: str, by: str | None, as_of: str | None, version: int | None) -> int:
    from casework.application.choices import standing_choices
    from casework.application.intake import actor
    from casework.application.merchant import standing_of
    from casework.domain.standing.events import merchant_of
    from casework.store.opening import open_reader

    if version is not None:
        raise InputError("a merchant is seen as of a time; use --as-of", "商家请用 --as-of 指定时间", "--version")
    at = moment(as_of, "--as-of")
    with open_reader(settings.store) as reader:
        facts = standing_of(merchant_of(stream), known(reader.rows(stream), stream), at)
    try:
        role = None if by is None else actor(by, None).role
    except InputError as error:
        raise error.at("--by") from None
    view = standing_choices(facts, at or now(), role)
    settings.answer(view, lambda: report.options_lines(view, lang(), settings.zone, "standing"))
    return 0


@click.command("show", cls=Command, zh="查看一宗案件，可回到某一时间或版本。")
@click.argument("case")
@AS_OF
@VERSION
@common
def show(settings: Settings, case: str, as_of: str | None, version: int | None) -> int:
    """One case, now or as of a time or a version."""
    from casework.application.views import full

    facts = facts_of_case(settings, case, as_of, version)
    view = full(facts, seen_from(facts, as_of, version))
    settings.answer(view, lambda: report.case_lines(view, lang(), settings.zone))
    return 0


@click.command("call-sheet", cls=Command, zh="打电话前的备忘：订单信息、问题、证据、所缺、此前的通话和要记下的内容。")
@click.argument("case")
@common
def call_sheet(settings: Settings, case: str) -> int:
    """What to have at hand before a phone call, and what to write down in it."""
    from casework.report import callsheet

    sheet = callsheet.call_sheet(facts_of_case(settings, case, None, None))
    settings.answer(sheet, lambda: callsheet.lines(sheet, lang(), settings.zone))
    return 0


@click.command("history", cls=Command, zh="一宗案件的全部事件。")
@click.argument("case")
@option("--jsonl", is_flag=True, help="One JSON document a line.", zh="每行一份 JSON")
@common
def history(settings: Settings, case: str, jsonl: bool) -> int:
    """Every event of a case, in order."""
    from casework.application.views import history as view
    from casework.store.opening import open_reader

    with open_reader(settings.store) as reader:
        events = list(view(known(reader.rows(case), case)))
    if jsonl:
        _jsonl(events, settings)
    else:
        settings.answer({"case": case, "events": events}, lambda: report.history_lines(events, lang(), settings.zone))
    return 0


@click.command("list", cls=Command, zh="列出案件，可按状态、阶段、商家、事由、逾期筛选。")
@option("--state", help="Only this state.", zh="只看该状态")
@option("--stage", help="Only this stage.", zh="只看该阶段")
@option("--merchant", help="Only this merchant.", zh="只看该商家")
@option("--ground", help="Only this ground.", zh="只看该事由")
@option("--overdue", is_flag=True, help="Only cases with a deadline that is past.", zh="只看有逾期期限的案件")
@option("--jsonl", is_flag=True, help="One JSON document a line.", zh="每行一份 JSON")
@common
def list_(settings: Settings, state: str | None, stage: str | None, merchant: str | None, ground: str | None, overdue: bool,
          jsonl: bool) -> int:
    """The cases, filtered by state, stage, merchant, ground or overdue."""
    from casework.application.kept import Kept
    from casework.cli.journals import views_of
    from casework.store.opening import open_reader

    wanted = {"state": state, "stage": stage, "ground": ground, "merchant": merchant}
    for kind in ("state", "stage", "ground"):
        _check_term(kind, wanted[kind])
    with open_reader(settings.store) as reader, Kept(reader, views_of(reader.place)) as kept:
        found = kept.summaries(now(), **wanted, overdue=overdue)
        if jsonl:
            _jsonl(found, settings)
        else:
            views = list(found)
            settings.answer({"cases": views}, lambda: report.list_lines(views, lang(), settings.zone))
        broken = kept.unreadable()
    for error in broken:
        complain(error.text(lang()))
    return 1 if broken else 0


def seen_from(facts: Facts, as_of: str | None, version: int | None) -> datetime:
    """The time from which deadlines are seen: the one asked for, that of the version asked for, or now."""
    return moment(as_of, "--as-of") or (now() if version is None else facts.at)


def facts_of_case(settings: Settings, case: str, as_of: str | None, version: int | None) -> Facts:
    """The facts of a case, all of them or as of a time or a version. Says in one line what cannot be had."""
    from casework.application.views import facts_of
    from casework.store.opening import open_reader

    if as_of is not None and version is not None:
        raise InputError("either --as-of or --version, not both; leave one out",
                         "--as-of 与 --version 只能给一个，请去掉其一")
    at = moment(as_of, "--as-of")
    with open_reader(settings.store) as reader:
        facts = facts_of(known(reader.rows(case), case), as_of=at, version=version)
    if facts is None:
        raise UnknownCase(f"case '{case}' was not recorded yet at {as_of}; name a later time",
                          f"截至 {as_of}，案件“{case}”尚未记录，请给出更晚的时间")
    if version is not None and version > facts.version:
        raise InputError(f"case '{case}' has only {facts.version} versions; name one of them",
                         f"案件“{case}”只有 {facts.version} 个版本，请给出其中之一", "--version")
    return facts


def known(rows: Iterable[Any], case: str) -> list[Any]:
    """The rows of a case or of a merchant; :class:`~casework.errors.UnknownCase`, in the words of either, if there are none."""
    from casework.domain.standing.events import is_standing, merchant_of

    found = list(rows)
    if not found and is_standing(case):
        who = merchant_of(case)
        raise UnknownCase(f"nothing is recorded of merchant '{who}' himself (a penalty, a measure, an advance); "
                          f"what his cases show: casework merchant {who}",
                          f"商家“{who}”本身没有记录（处罚、措施、垫付）；其案件情况见 casework merchant {who}")
    if not found:
        raise UnknownCase(f"no case '{case}' in the store; see them with: casework list",
                          f"案件库中没有案件“{case}”；用 casework list 查看")
    return found


def _check_term(kind: str, term: str | None) -> None:
    from casework.domain.values import named

    if term is not None:
        try:
            named(kind, term)
        except InputError as error:
            raise error.at(f"--{kind}") from None


def _jsonl(items: Iterable[Any], settings: Settings) -> None:
    for item in items:
        click.echo(document(item, settings.zone, indent=None))


__all__ = ["history", "known", "list_", "options", "say", "show"]
