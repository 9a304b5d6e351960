"""The rulebook: list it, look one rule up, compare two days, compute when a limit ends and how much a rule gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from casework.cli.base import Command, Group, Settings, common, complain, lang, moment, now, option, say
from casework.errors import CaseworkError, InputError
from casework.report.text import escape

F = TypeVar("F", bound=Callable[..., Any])
RANKS = ("law", "regulation", "rule", "local", "platform", "seed")
_SUM = re.compile(r"[0-9]+(?:\.[0-9]{1,2})?")
_MOST = Decimal("999999999999.99")


@click.group("rules", cls=Group, default="show", zh="列出规则，查看一条规则，比较两天，计算期限和金额，检查规则文件。")
def rules() -> None:
    """List the rules, look one up, compare two days, compute limits and amounts, check rulebook files."""


def _which(function: F) -> F:
    """The options that choose the rules to read."""
    for decorate in (
        option("--edition", "edition_id", metavar="ID", help="An earlier edition of the rulebook [the newest].",
               zh="规则的较早版本 [最新]"),
        option("--rules", "own", multiple=True, metavar="PATH",
               help="A file or folder of your own rules, read besides (repeatable).",
               zh="另外读入自己的规则文件或文件夹（可重复）"),
    ):
        function = decorate(function)
    return function


def _dates(function: F) -> F:
    """The options that say on which day the record is chosen."""
    for decorate in (
        option("--decision", metavar="DATE", help="Day of the decision, for rules that go by it.", zh="作出处理的日期"),
        option("--filing", metavar="DATE", help="Day of the filing, for rules that go by it.", zh="提出的日期"),
        option("--act", metavar="DATE", help="Day of the act, for rules that go by it.", zh="行为发生的日期"),
        option("--on", metavar="DATE", help="The day that chooses the record, whatever it goes by.",
               zh="选择规则的日期（不论按哪一日适用）"),
        option("--rank", type=click.Choice(RANKS), help="Only records of this rank.", zh="只看该位阶的规则"),
    ):
        function = decorate(function)
    return function


def _ids(ctx: click.Context, param: click.Parameter, part: str) -> list[CompletionItem]:
    from casework.rulebook.edition import current

    return [CompletionItem(rule) for rule in current().rules() if rule.startswith(part)]


def _editions(ctx: click.Context, param: click.Parameter, part: str) -> list[CompletionItem]:
    from casework.rulebook.edition import editions

    return [CompletionItem(name) for name in editions() if name.startswith(part)]


@rules.command("show", cls=Command, hidden=True, zh="列出当日适用的规则；给出编号则显示该规则历来的全部记录。")
@click.argument("rule", required=False, metavar="[ID]", shell_complete=_ids)
@option("--on", metavar="DATE", help="The rules in force on that day [today].", zh="该日适用的规则 [今天]")
@_which
@common
def show(settings: Settings, rule: str | None, on: str | None, own: tuple[str, ...], edition_id: str | None) -> int:
    """List the rules in force on a day; with an id, that rule with all its records over time."""
    from casework.report import rules as report

    edition = _edition(own, edition_id)
    day = _day(on, "--on") or _today()
    if rule is None:
        settings.answer({"on": day.isoformat(), "edition": edition.id, "rules": report.listed(edition, day)},
                        lambda: report.list_lines(edition, day, lang()))
    else:
        known = _known(edition, rule)
        settings.answer(report.one(edition, known, day), lambda: report.one_lines(edition, known, day, lang()))
    return 0


@rules.command("diff", cls=Command, zh="比较两天的规则：+ 开始，- 结束，~ 数值改变，= 仅依据改变。")
@click.argument("first", metavar="DATE1")
@click.argument("second", metavar="DATE2")
@_which
@common
def diff(settings: Settings, first: str, second: str, own: tuple[str, ...], edition_id: str | None) -> int:
    """Compare the rules of two days: + began, - ended, ~ another figure, = another clause for the same figure."""
    from casework.report import rules as report

    edition = _edition(own, edition_id)
    one, two = _day(first, "DATE1"), _day(second, "DATE2")
    assert one and two
    settings.answer(report.diff_data(edition, one, two), lambda: report.diff_lines(edition, one, two, lang()))
    return 0


@rules.command("due", cls=Command, zh="计算期限何时届满：适用哪一条、计算了哪些日子、末日是否顺延。")
@click.argument("rule", metavar="ID", shell_complete=_ids)
@option("--from", "start", required=True, metavar="TIME",
        help="When it starts to run: a time with its offset, or a date (its beginning in Asia/Shanghai).",
        zh="起算时间：带时区的时间，或日期（上海时间当日零时）")
@_dates
@option("--roll", type=click.Choice(["none", "holiday", "rest_day"]),
        help="Read the last day otherwise: it never moves, moves off holidays, moves off any day of rest.",
        zh="另一种读法：末日不顺延、遇法定节假日顺延、遇任何休假日顺延")
@_which
@common
def due(settings: Settings, rule: str, start: str, own: tuple[str, ...], edition_id: str | None, roll: Any, rank: Any,
        **dates: str | None) -> int:
    """When a limit ends: by which record, which days were counted, whether the last day moves."""
    from casework.report import rules as report

    edition = _edition(own, edition_id)
    known = _known(edition, rule)
    begin = _start(start)
    when = _when(dates, begin)
    _governed(edition, known, when, rank, time=True)
    found = edition.due(known, begin, when, rank, roll)
    settings.answer(report.due_data(found, edition, begin), lambda: report.due_lines(found, edition, lang(), settings.zone))
    return 0


@rules.command("amount", cls=Command, zh="计算金额：按哪一条、如何得出、由谁判给。未给出的基数以 --price 代替，并会注明。")
@click.argument("rule", metavar="ID", shell_complete=_ids)
@option("--price", metavar="YUAN", help="The price of the goods.", zh="商品价款（元）")
@option("--paid", metavar="YUAN", help="What was actually paid.", zh="实际支付的金额（元）")
@option("--loss", metavar="YUAN", help="The loss.", zh="损失（元）")
@option("--freight", metavar="YUAN", help="The freight.", zh="运费（元）")
@option("--wage", metavar="YUAN", help="The average yearly wage of the province.", zh="省级年平均工资（元）")
@_dates
@_which
@common
def amount(settings: Settings, rule: str, own: tuple[str, ...], edition_id: str | None, rank: Any, on: str | None,
           act: str | None, filing: str | None, decision: str | None, **given: str | None) -> int:
    """How much a rule gives: by which record, how it came about, who may award it; --price stands for a sum not given."""
    from casework.report import rules as report

    edition = _edition(own, edition_id)
    known = _known(edition, rule)
    sums: dict[Any, Decimal] = {name: yuan(text, f"--{name}") for name, text in given.items() if text is not None}
    when = _when({"on": on, "act": act, "filing": filing, "decision": decision}, _today())
    record = _governed(edition, known, when, rank, time=False)
    if record.of not in (None, *sums) and "price" not in sums:
        more = record.of != "price"
        raise InputError(f"{known} is reckoned from a sum; add --{record.of}" + (" or --price" if more else ""),
                         f"{known} 须有基数；请加 --{record.of}" + (" 或 --price" if more else ""))
    found = edition.amount(known, None, when, rank, sums=sums)
    settings.answer(report.amount_data(found, edition), lambda: report.amount_lines(found, edition, lang()))
    return 0


@rules.command("impact", cls=Command, zh="哪些已记录的案件按另一版本的规则会有不同的结果；不作任何记录。")
@click.argument("version", metavar="VERSION", shell_complete=_editions)
@common
def impact(settings: Settings, version: str) -> int:
    """Which recorded cases would have been decided otherwise by another edition of the rulebook. Records nothing."""
    from casework.application.views import by_case, events_of, facts_of
    from casework.application.whatif import impact as otherwise
    from casework.domain.events import Event
    from casework.report import whatif as report
    from casework.rulebook.edition import edition, editions
    from casework.store.opening import open_reader

    rulebook = edition(version)
    if rulebook is None:
        known = ", ".join(editions())
        raise InputError(f"there is no edition '{version[:40]}'; one of: {known}", f"没有规则版本“{version[:40]}”；可用：{known}",
                         "VERSION")
    found: list[dict[str, Any]] = []
    broken: list[tuple[str, CaseworkError]] = []
    cases = 0
    with open_reader(settings.store) as reader:
        for case, rows in by_case(reader.rows()):
            cases += 1
            try:
                facts_of(rows)  # an error of its own where the events do not fit together
                events = [event for event in events_of(rows) if isinstance(event, Event)]
                one = otherwise(events, rulebook)
            except CaseworkError as error:
                broken.append((case, error))
                continue
            if one is not None:
                found.append({"case": one.case, "differs": one.differs, "refused": one.refused,
                              "recorded": {k: one.recorded[k] for k in one.differs},
                              "otherwise": {k: one.otherwise[k] for k in one.differs}})
    settings.answer({"edition": version, "cases": cases, "impact": found},
                    lambda: report.impact_lines(found, cases, version, lang(), settings.zone))
    for case, unread in broken:
        named = unread.text(lang())
        complain(named if case in named else f"{case}: {named}")
    return 1 if broken else 0


@rules.command("check", cls=Command, zh="检查规则文件：每处错误给出文件、行号和改法；不给路径则检查随软件公布的规则。")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@option("--lock", metavar="EDITION",
        help="Print editions.yaml as it is once this edition is published.",
        zh="按现有规则输出公布该版本后 editions.yaml 的内容")
@common
def check(settings: Settings, paths: tuple[str, ...], lock: str | None) -> int:
    """Check rulebook files: every fault with its file, line and remedy; without a path, the rules that came with casework."""
    from casework.rulebook import files

    if lock is not None and paths:
        raise InputError("is for the rules that came with casework; leave out the path",
                         "只用于随软件公布的规则；请去掉路径", "--lock")
    if paths:
        entries, faults = files.read_own(map(Path, paths))
        held: tuple[Any, ...] = ()
    else:
        published, entries, faults = files.read_published(files.FOLDER, lock)
        held = published.editions
    for fault in faults:
        complain(fault.text(lang()))
    if lock is not None and not faults:
        text = files.lock_text(published, entries)
        settings.answer({"lock": text}, lambda: text)
        return 0
    by_file: dict[str, int] = {}
    for entry in entries:
        by_file[entry.file] = by_file.get(entry.file, 0) + 1
    editions = [{"id": e.id, "records": len(files.of_edition(entries, e.id, published)), "digest": e.digest} for e in held]
    data = {"files": [{"file": file, "records": number} for file, number in by_file.items()], "editions": editions,
            "faults": [{"where": f.where, "zh": f.bare_zh, "en": f.bare_en} for f in faults]}
    if not faults or settings.json:
        settings.answer(data, lambda: [
            *(escape(say(f"{file}：{n} 条规则", f"{file}: {n} record{'' if n == 1 else 's'}")) for file, n in by_file.items()),
            *(say(f"版本 {e['id']}：{e['records']} 条，摘要 {e['digest']}",
                  f"edition {e['id']}: {e['records']} record{'' if e['records'] == 1 else 's'}, digest {e['digest']}")
              for e in editions)])
    return 2 if faults else 0


# --- what they are given ---------------------------------------------------------------------------------------------


def _edition(own: tuple[str, ...], edition_id: str | None) -> Any:
    """The edition asked for, with somebody's own records besides."""
    from casework.rulebook import files
    from casework.rulebook.edition import current, editions

    if edition_id is not None and edition_id not in editions():
        names = ", ".join(editions())
        raise InputError(f"there is no edition '{edition_id[:60]}'; write one of {names}",
                         f"没有版本“{edition_id[:60]}”；请写 {names} 之一", "--edition")
    held = editions()[edition_id] if edition_id is not None else current()
    if not own:
        return held
    entries, faults = files.read_own(map(Path, own), held.id)
    if faults:
        raise files.Faults(faults)
    return held.with_records(entry.record for entry in entries)


def _known(edition: Any, rule: str) -> str:
    """The id, if the edition has it; :class:`~casework.errors.InputError` with the nearest one otherwise."""
    if edition.has(rule):
        return rule
    from difflib import get_close_matches

    parts = [id for id in edition.rules() if rule in id] if len(rule) > 2 else []
    near = get_close_matches(rule, [*edition.rules(), *rules.commands], n=1) or parts[:1]
    raise InputError(f"unknown rule '{rule[:60]}'; " + (f"did you mean '{near[0]}'?" if near else "see casework rules"),
                     f"未知的规则“{rule[:60]}”；" + (f"是否指“{near[0]}”？" if near else "见 casework rules"))


def _governed(edition: Any, rule: str, when: Any, rank: str | None, *, time: bool) -> Any:
    """The record that governs; :class:`~casework.errors.InputError` where none does, or it is of the other kind."""
    try:
        record = edition.governing(rule, when, rank)
    except KeyError:
        of = f" of rank {rank}" if rank else ""
        raise InputError(f"{rule}: no record{of} governs on that day; casework rules {rule} shows what there is",
                         f"{rule}：该日没有适用的规则{f'（位阶 {rank}）' if rank else ''}；见 casework rules {rule}") from None
    if record.counts_time and not time:
        raise InputError(f"{rule} is a limit of time; use casework rules due {rule} --from TIME",
                         f"{rule} 是期限；请用 casework rules due {rule} --from 时间")
    if time and not record.counts_time:
        raise InputError(f"{rule} is a sum of money; use casework rules amount {rule} --price YUAN",
                         f"{rule} 是金额；请用 casework rules amount {rule} --price 金额")
    return record


def _when(given: dict[str, str | None], otherwise: date | datetime) -> Any:
    """The day or days that choose the record."""
    from casework.rulebook.edition import Dates

    on = _day(given.pop("on"), "--on")
    dates = {name: _day(text, f"--{name}") for name, text in given.items()}
    if on is not None and any(dates.values()):
        raise InputError("is for all of them; leave out --act, --filing and --decision, or --on",
                         "已包括全部日期；请去掉 --act、--filing、--decision 或 --on", "--on")
    return Dates(**dates) if any(dates.values()) else on or otherwise


def _today() -> date:
    from casework.rulebook.calendar import SHANGHAI

    return now().astimezone(SHANGHAI).date()


def _day(text: str | None, where: str) -> date | None:
    if text is None:
        return None
    try:
        if len(text) == len("2026-03-01"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InputError("write a date such as 2026-03-01", "请写日期，例如 2026-03-01", where)


def _start(text: str) -> datetime:
    """A time with its offset, or the beginning of a day in Asia/Shanghai."""
    from casework.rulebook.calendar import SHANGHAI

    try:
        if len(text) == len("2026-03-01"):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), SHANGHAI)
    except ValueError:
        raise InputError(f"'{escape(text)}' is no day; write one such as 2026-04-15",
                         f"“{escape(text)}”不是日期；请写如 2026-04-15", "--from") from None
    found = moment(text, "--from")
    assert found is not None
    return found


def yuan(text: str, where: str) -> Decimal:
    """A sum in yuan; :class:`~casework.errors.InputError` names the option and says what is wrong with it."""
    if text[:1] == "-":
        raise InputError("is less than nothing; write what it comes to without a sign", "金额不能为负；请写不带符号的金额", where)
    if _SUM.fullmatch(text) and Decimal(text) > _MOST:
        raise InputError(f"is more than {_MOST} yuan, the most that is reckoned with; check the sum",
                         f"超过所能计算的最大金额 {_MOST} 元；请核对", where)
    if not _SUM.fullmatch(text):
        raise InputError("write yuan with at most two decimals, such as 166.67",
                         "请写金额（元），最多两位小数，例如 166.67", where)
    return Decimal(text)
