"""What is kept for lists and counts; and the counts."""

from __future__ import annotations

from typing import Any

import click

from casework.cli.base import Command, Group, Settings, common, complain, lang, now, option, say
from casework.cli.journals import views_of
from casework.domain.vocabulary import label
from casework.errors import StoreError
from casework.report.text import escape


@click.command("stats", cls=Command, zh="按阶段、状态和事由统计案件，以及其中逾期的。")
@common
def stats(settings: Settings) -> int:
    """How many cases there are, by stage, state and ground, and how many are overdue."""
    from casework.application.kept import Kept
    from casework.store.opening import open_reader

    with open_reader(settings.store) as reader, Kept(reader, views_of(reader.place)) as kept:
        counts = kept.counts(now())
    settings.answer(counts, lambda: map(escape, _lines(counts)))
    if counts["unreadable"]:
        complain(say(f"无法读取的案件有 {counts['unreadable']} 件，未计入；请运行 casework audit",
                     f"cases that cannot be read, and are not counted: {counts['unreadable']}; run: casework audit"))
    return 1 if counts["unreadable"] else 0


def _lines(counts: dict[str, Any]) -> list[str]:
    lines = [say(f"案件 {counts['cases']}，逾期 {counts['overdue']}", f"cases: {counts['cases']}, overdue: {counts['overdue']}")]
    titles = {"stage": say("阶段", "by stage"), "state": say("状态", "by state"), "ground": say("事由", "by ground")}
    for kind, title in titles.items():
        lines.append(title)
        for name, here in sorted(counts[kind].items(), key=lambda item: (-item[1]["cases"], item[0])):
            late = say(f"（逾期 {here['overdue']}）", f"  ({here['overdue']} overdue)") if here["overdue"] else ""
            lines.append(f"  {here['cases']:>9}  {label(kind, name, lang())}{late}")
    return lines


@click.group("views", cls=Group, default="status", zh="为列表和统计保存的视图：读到哪里；重建；与事件逐案核对。它从不是证据。")
def views() -> None:
    """What is kept for lists and counts: how far it goes; make it anew; hold it against the events. It is never evidence."""


@views.command("status", cls=Command, hidden=True, zh="视图读到哪一次提交，知道多少案件；--check 与事件逐案核对。")
@option("--check", is_flag=True, help="Hold every case against its events; status 1 where one differs.",
        zh="与每宗案件的事件核对；不同则状态 1")
@common
def status(settings: Settings, check: bool) -> int:
    """How far the kept views go, and how many cases they know; with --check, whether they say what the events do."""
    from casework.application.kept import Kept
    from casework.store.opening import open_reader

    with open_reader(settings.store) as reader, Kept(reader, views_of(reader.place)) as kept:
        differing = kept.differing() if check else []
        found = kept.status()
        place = str(kept.place) if kept.place else None
    told = (say(f"{place}：读到第 {found.at} 次提交，共 {found.of} 次；案件 {found.cases}",
                f"{place}: up to commit {found.at} of {found.of}; cases: {found.cases}") if place else
            say("此案件库不保存视图，每次都从事件得出", "nothing is kept for this store; every list is made from the events"))
    if check and place:
        told += say(f"；已逐案核对，不同的有 {len(differing)}", f"; held against the events, differing: {len(differing)}")
    differ = [say(f"{case}：视图与事件不同", f"{case}: the view is not what the events say") for case in differing]
    settings.answer({"file": place, "at": found.at, "of": found.of, "cases": found.cases,
                     "differing": differing if check else None}, lambda: map(escape, [told, *differ]))
    if differing:
        complain(say("请重建：casework views rebuild", "make them anew: casework views rebuild"))
    return 1 if differing else 0


@views.command("rebuild", cls=Command, zh="由事件重新生成视图。")
@common
def rebuild(settings: Settings) -> int:
    """Make the kept views anew from the events."""
    from casework.application.kept import Kept
    from casework.store.opening import open_reader

    with open_reader(settings.store) as reader, Kept(reader, views_of(reader.place)) as kept:
        cases = kept.rebuild()
        place = str(kept.place) if kept.place else None
        if place is None:
            folder = views_of(reader.place).parent
            raise StoreError(f"nothing can be kept: the store has no sound ledger, or {folder} cannot be written; "
                             "see casework doctor",
                             f"无法保存视图：案件库没有完好的账本，或 {folder} 不可写；请运行 casework doctor")
    settings.answer({"file": place, "cases": cases}, lambda: [escape(say(f"案件 {cases}", f"cases: {cases}"))])
    return 0
