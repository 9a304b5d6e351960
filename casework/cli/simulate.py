"""Make cases up."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.cli.base import Command, Settings, common, complain, lang, option, say
from casework.cli.journals import journaled, writing
from casework.domain.vocabulary import label
from casework.errors import InputError
from casework.report.text import escape

if TYPE_CHECKING:
    from casework.simulation.recording import Recorded

#: The most cases that one run makes up: their names are of one length.
MOST = 99_999_999
_COUNT = click.IntRange(min=0)


#: The rules of the platform reach no further back, and nobody knows the calendar beyond.
EARLIEST, LATEST = date(2015, 1, 1), date(2099, 12, 31)


@click.command("simulate", cls=Command, zh="生成虚构案件：合法的经过，按公布的投诉比例；也可按要求埋入已知的问题。")
@option("--cases", required=True, type=click.IntRange(1, MOST), metavar="N", help="How many cases.", zh="案件数")
@option("--seed", required=True, type=click.IntRange(0, 999_999), metavar="S", help="The same seed makes the same bytes.",
        zh="随机种子：相同的种子得到相同的字节")
@option("--from", "first", metavar="DATE", help="The first day on which one is opened [2025-01-01].",
        zh="最早立案日期 [2025-01-01]")
@option("--to", "last", metavar="DATE", help="The last day on which one is opened [2025-12-31].", zh="最晚立案日期 [2025-12-31]")
@option("--unlawful", type=_COUNT, default=0, metavar="K", help="Of these, so many break the law in one event [0].",
        zh="其中有一步不合法的案件数 [0]")
@option("--late", type=_COUNT, default=0, metavar="K", help="So many in which a body decided late [0].",
        zh="其中机构逾期决定的案件数 [0]")
@option("--tampered", type=_COUNT, default=0, metavar="K", help="So many that are altered in the file afterwards [0].",
        zh="其中事后在文件里被改动的案件数 [0]")
@option("--faults", metavar="FILE", type=click.Path(path_type=Path), help="Write there what was planted, a JSON document a line.",
        zh="把埋入的问题写到该文件，每行一份 JSON")
@option("--walks", type=click.IntRange(min=1), metavar="N", help="How many different walks are decided at the most [20000].",
        zh="最多由规则逐步裁定多少种经过 [20000]")
@option("--jobs", type=click.IntRange(1, 64), default=1, metavar="N", help="Make them up in so many processes [1].",
        zh="用几个进程生成 [1]")
@option("--add", is_flag=True, help="Let the store hold other cases.", zh="允许案件库中已有其他案件")
@journaled
@common
@click.pass_context
def simulate(ctx: click.Context, settings: Settings, cases: int, seed: int, first: str | None, last: str | None, unlawful: int,
             late: int, tampered: int, faults: Path | None, walks: int | None, jobs: int, add: bool, journal: str | None) -> int:
    """Make cases up: lawful histories in the published proportions, and on request faults that are known.

    A run that was broken off goes on when it is given again. The store is the one that --store names; that of the environment is
    ignored.
    """
    from casework.simulation.blocks import FIRST, LAST, WALKS, Plan
    from casework.simulation.recording import record

    if ctx.params["store"] is None:
        raise InputError("name the store into which cases are made up; a real one is never taken by mistake",
                         "请用 --store 指定写入虚构案件的案件库，以免误入真实案件库", "--store")
    _require_free(faults)
    plan = Plan(cases, seed, _day(first, "--from") or FIRST, _day(last, "--to") or LAST, walks or WALKS, unlawful, late,
                tampered)
    with writing(settings, journal, create=True) as store:
        if tampered and store.path is None:
            raise InputError("only a store in a file is altered past casework; name one",
                             "只有文件案件库可被绕过 casework 改动；请指定文件", "--tampered")
        try:
            with click.progressbar(length=cases, file=sys.stderr, label=say("生成", "simulate"),
                                   hidden=not sys.stderr.isatty()) as bar:
                found = record(plan, store, jobs=jobs, add=add, seen=bar.update)
        except KeyboardInterrupt:
            complain(say("已中断；再次执行同一命令即可继续", "broken off; give the same command again to go on"))
            raise
    if faults is not None:
        _write(faults, found)
    settings.answer(
        {"first": plan.case(0), "last": plan.case(cases - 1), "there": found.there, "cases": found.cases, "events": found.events,
         "states": dict(found.states.most_common()), "planted": [planted.record() for planted in found.planted]},
        lambda: map(escape, _lines(plan.case(0), plan.case(cases - 1), found)))
    return 0


def _lines(first: str, last: str, found: Recorded) -> list[str]:
    before = say(f"，此前已有 {found.there} 件", f", {found.there} were there before") if found.there else ""
    lines = [say(f"{first} … {last}：新增 {found.cases} 件、{found.events} 个事件{before}",
                 f"{first} … {last}: {found.cases} cases, {found.events} events{before}")]
    lines += [f"  {label('state', state, lang())}  {count}" for state, count in found.states.most_common()]
    if found.planted:
        lines.append(say(f"埋入问题 {len(found.planted)} 处，{len({p.kind for p in found.planted})} 种",
                         f"planted: {len(found.planted)} of {len({p.kind for p in found.planted})} kinds"))
    return lines


def _write(faults: Path, found: Recorded) -> None:
    from casework.cli.files import write_whole

    text = "".join(json.dumps(planted.record()) + "\n" for planted in sorted(found.planted, key=lambda p: p.case))
    write_whole(faults, text, "--faults")


def _require_free(faults: Path | None) -> None:
    """Asked before the run, so that a long one is not made in vain."""
    if faults is not None and not faults.absolute().parent.is_dir():
        raise InputError(f"the folder of {faults} is not there; make it first", f"{faults} 所在目录不存在；请先建立", "--faults")
    if faults is not None and faults.exists():
        raise InputError(f"{faults} is there already; name another file", f"{faults} 已存在；请换一个文件名", "--faults")


def _day(text: str | None, where: str) -> date | None:
    try:
        day = None if text is None else date.fromisoformat(text)
    except ValueError:
        raise InputError("write a day such as 2025-03-01", "请写日期，例如 2025-03-01", where) from None
    if day is not None and not EARLIEST <= day <= LATEST:
        raise InputError(f"is {day}; cases are made up from {EARLIEST} to {LATEST}",
                         f"为 {day}；可生成的日期为 {EARLIEST} 至 {LATEST}",
                         where)
    return day
