"""Audit a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from casework.cli.base import Command, Settings, common, lang, option, say
from casework.cli.read import known
from casework.errors import InputError
from casework.report.text import document, escape

if TYPE_CHECKING:
    from casework.audit.check import Summary
    from casework.store.reader import Reader
    from casework.store.row import Row


#: How many cases make a progress bar worth its line.
WORTH_A_BAR = 1000


@click.command("audit", cls=Command, zh="重新核查案件库中的每宗案件（或指定案件），每个问题一行；绝不在第一个问题处停下。")
@click.argument("cases", metavar="[CASE]...", nargs=-1)
@option("--select", metavar="CODES", help="Only these findings, by commas.", zh="只报告这些问题代码，用逗号分隔")
@option("--ignore", metavar="CODES", help="All but these findings, by commas.", zh="不报告这些问题代码，用逗号分隔")
@option("--jsonl", is_flag=True, help="One JSON document a finding.", zh="每个问题一行 JSON")
@common
def audit(settings: Settings, cases: tuple[str, ...], select: str | None, ignore: str | None, jsonl: bool) -> int:
    """Re-check every recorded case (or those named): one line a finding, then a summary; it never stops at the first."""
    from casework.audit.check import Summary
    from casework.audit.check import audit as findings
    from casework.store.opening import open_reader

    counted = Summary()
    with open_reader(settings.store) as reader:
        rows = _named(reader, cases) if cases else _with_progress(reader)
        found = list(findings(rows, _codes(select, "--select") or None, _codes(ignore, "--ignore"), counted,
                              whole=not cases, indexed=reader))
    summary = {"cases": counted.cases, "merchants": counted.merchants, "events": counted.events, "findings": len(found),
               "whole": not cases, "by_code": dict(sorted(counted.findings.items()))}
    shown = [{"code": f.code, "case": f.case, "version": f.version, "what": getattr(f.what, lang()),
              "why": getattr(f.why, lang())} for f in found]
    if jsonl:
        for item in shown:
            click.echo(document(item, settings.zone, indent=None))
    else:
        settings.answer({"findings": shown, "summary": summary}, lambda: [
            *(escape(f"{f['code']}  {f['case']}  v{f['version']}  {f['what']}: {f['why']}") for f in shown),
            say(f"案件 {counted.cases}，{_merchants(counted)}事件 {counted.events}，问题 {len(found)}",
                f"cases: {counted.cases}, {_merchants(counted)}events: {counted.events}, findings: {len(found)}"),
            *_of_what_was_named(cases),
        ])
    return 1 if found else 0


def _of_what_was_named(cases: tuple[str, ...]) -> Iterator[str]:
    if cases:
        yield say("只核查了指定的案件；案件、商家记录与期限索引是否相符，须核查整个案件库：casework audit",
                  "only what was named was checked; whether cases, merchants' standings and the index of duties agree takes an "
                  "audit of the whole store: casework audit")


def _merchants(counted: Summary) -> str:
    return say(f"商家 {counted.merchants}，", f"merchants: {counted.merchants}, ") if counted.merchants else ""


def _codes(text: str | None, where: str) -> set[str]:
    from casework.audit.findings import FINDINGS

    codes = {c.strip() for c in (text or "").split(",") if c.strip()}
    for code in sorted(codes - set(FINDINGS)):
        raise InputError(f"unknown finding '{code[:40]}'; one of: {', '.join(FINDINGS)}",
                         f"未知的问题代码“{code[:40]}”；可用：{'、'.join(FINDINGS)}", where)
    return codes


def _named(reader: Reader, cases: tuple[str, ...]) -> Iterator[Row]:
    for case in dict.fromkeys(cases):
        yield from known(reader.rows(case), case)


def _with_progress(reader: Reader) -> Iterator[Row]:
    """All rows; on a terminal, and where it takes a while, with a bar that moves on with every case."""
    cases = len(reader.case_ids()) if sys.stderr.isatty() else 0
    if cases < WORTH_A_BAR:
        yield from reader.rows()
        return
    with click.progressbar(length=cases, file=sys.stderr, label=say("审计", "audit")) as bar:
        before = None
        for row in reader.rows():
            if row.case != before:
                before = row.case
                bar.update(1)
            yield row
