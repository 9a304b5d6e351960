"""Audit a store."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from click.core import ParameterSource

from casework.cli.base import Command, Settings, common, lang, now, option, say
from casework.cli.journals import folder_of, journaled
from casework.cli.read import known as recorded
from casework.errors import CaseworkError, InputError
from casework.report.text import document, escape

if TYPE_CHECKING:
    from casework.audit.baseline import Entry
    from casework.audit.check import Summary
    from casework.audit.findings import Finding
    from casework.audit.integrity import Integrity
    from casework.audit.parts import Job, Judged
    from casework.report.audit import Report
    from casework.store.contract import Reader
    from casework.store.row import Row


#: How many cases make a progress bar worth its line.
WORTH_A_BAR = 1000
#: How many events make more processes than one worth their start.
WORTH_JOBS = 20_000
#: How many rows a range has at least and at most.
SMALL_RANGE, LARGE_RANGE = 1_000, 20_000
FORMATS = ("text", "json", "jsonl", "sarif", "html")


@click.command("audit", cls=Command, zh="重新核查案件库中的每宗案件（或指定案件），每个问题一行；绝不在第一个问题处停下。")
@click.argument("cases", metavar="[CASE]...", nargs=-1)
@option("--select", metavar="NAMES", help="Only these codes, families or severities, by commas.",
        zh="只报告这些代码、类别或严重程度，用逗号分隔")
@option("--ignore", metavar="NAMES", help="All but these codes, families or severities, by commas.",
        zh="不报告这些代码、类别或严重程度，用逗号分隔")
@option("--baseline", metavar="FILE", help="Known findings, each with the reason why it is let stand; they do not count.",
        zh="已知问题的基线文件，每项写明理由；不计入状态")
@option("--write-baseline", metavar="FILE", help="Write a baseline of what is found; needs --reason.",
        zh="把发现的问题写成基线文件；须同时给出 --reason")
@option("--reason", metavar="TEXT", help="Why what is found is let stand.", zh="接受这些问题的理由")
@option("--overwrite", is_flag=True, help="Let --write-baseline replace a baseline that is there.",
        zh="允许 --write-baseline 替换已有的基线文件")
@option("--format", "form", type=click.Choice(FORMATS), help="text, json, jsonl, sarif or html [text].",
        zh="text、json、jsonl、sarif 或 html [text]")
@option("--jsonl", is_flag=True, help="One JSON document a finding.", zh="每个问题一行 JSON")
@option("--since", metavar="CHECKPOINT", type=click.Path(path_type=Path),
        help="A checkpoint that you kept: shows that nothing before it was changed, and judges only what came after.",
        zh="你保存的检查点：证明此前的记录未被改动，只审其后的")
@option("--key", metavar="VKEY", help="The verification key that you trust [the first of the journal].",
        zh="你所信任的验证公钥 [日志中的第一个]")
@option("--jobs", metavar="N", type=click.IntRange(1, 512),
        help=f"How many processes share a whole audit [as many as there are cores, from {WORTH_JOBS} events on].",
        zh=f"整库审计由几个进程分担 [自 {WORTH_JOBS} 个事件起与核数相同]")
@option("--engine", metavar="URL", help="A Dask cluster that judges the ranges of the store: dask://HOST:PORT.",
        zh="由 Dask 集群分段审计：dask://主机:端口")
@option("--log", metavar="FILE", type=click.Path(path_type=Path),
        help="Audit no store but a log of events, CSV or Parquet: case, activity, time; or what casework export writes.",
        zh="不审案件库，而审 CSV 或 Parquet 的事件日志：case、activity、time，或 casework export 所写的文件")
@option("--lifecycle", metavar="FILE", type=click.Path(path_type=Path),
        help="The lifecycle that the log goes by, as casework lifecycle --format json prints it [casework's own].",
        zh="日志所依的流程，写法同 casework lifecycle --format json 的输出 [casework 自身的流程]")
@journaled
@common
def audit(settings: Settings, cases: tuple[str, ...], select: str | None, ignore: str | None, baseline: str | None,
          write_baseline: str | None, reason: str | None, overwrite: bool, form: str | None, jsonl: bool, since: Path | None,
          key: str | None, jobs: int | None, engine: str | None, log: Path | None, lifecycle: Path | None, journal: str | None,
          ) -> int:
    """Re-check every recorded case (or those named): one line a finding, then a summary; it never stops at the first."""
    from casework.audit.baseline import read
    from casework.audit.check import Summary
    from casework.audit.codes import FINDINGS
    from casework.report.audit import report
    from casework.store.url import shown

    form = _form(settings, form, jsonl)
    wanted = (_codes(select, "--select") or frozenset(FINDINGS)) - _codes(ignore, "--ignore")
    known = read(Path(baseline), baseline) if baseline is not None else None
    why = _reason(write_baseline, reason, overwrite)
    counted = Summary()
    if log is not None or lifecycle is not None:
        _refuse_beside_a_log(log)
        found = _found_in(log, lifecycle, wanted, counted)
    else:
        found = _found(settings, cases, wanted, counted, journal, key, since, jobs, engine)
    made = report(shown(settings.store) if log is None else str(log), now(), counted, found, known)
    if known and not cases and "baseline_unused" in wanted:
        made = replace(made, notes=(*made.notes, *known.unused(made.acknowledged, wanted)))
    if write_baseline is not None:
        unseen = [e for e in known.entries.values() if cases or e.code not in wanted] if known else []
        made = _written(made, unseen, write_baseline, why, overwrite)
    _print(settings, made, form, _scope(cases, select, ignore))
    return made.status


def _found(settings: Settings, cases: tuple[str, ...], wanted: frozenset[str], counted: Summary, journal: str | None,
           key: str | None, since: Path | None, jobs: int | None, engine: str | None) -> list[Finding]:
    """What is wrong with the store."""
    from casework.audit.check import audit as findings
    from casework.audit.parts import audit_parts
    from casework.audit.parts import jobs as part_jobs
    from casework.store.opening import open_reader

    with open_reader(settings.store) as reader:
        for case in cases:
            if not reader.has(case):
                recorded((), case)
        where = _where(reader, cases, jobs, engine)
        if where is None:
            at = reader.snapshot(tuple(dict.fromkeys(cases)) or None)
            integrity = _integrity(reader, at.leaves, journal, key, since, whole=not cases)
            return list(findings(_with_progress(reader, at.rows), wanted, (), counted, whole=not cases, indexed=reader,
                                  integrity=integrity))
        else:
            parts = reader.parts(where.rows)
            integrity = _integrity(reader, parts.leaves, journal, key, since, whole=False)
            given = part_jobs(settings.store, parts, integrity.since)
            return list(audit_parts(_bar(where.judged(given), len(given)), wanted, (), counted, indexed=reader,
                                     integrity=integrity))


def _refuse_beside_a_log(log: Path | None) -> None:
    """What is asked of a store cannot be asked of a log; what the environment says of one is."""
    ctx = click.get_current_context()
    if log is None:
        raise InputError("goes with --log FILE; name the log", "须与 --log 文件 同用；请给出日志", "--lifecycle")
    for param in ("cases", "since", "key", "jobs", "engine", "journal", "store"):
        if ctx.get_parameter_source(param) is ParameterSource.COMMANDLINE and ctx.params[param]:
            name = "CASE" if param == "cases" else f"--{param}"
            raise InputError(f"is of a store, and {log} is a log; leave one out",
                             f"针对案件库，而 {log} 是日志；请去掉其一", name)


def _found_in(log: Path | None, lifecycle: Path | None, wanted: frozenset[str], counted: Summary) -> list[Finding]:
    """What is wrong with the log."""
    from casework.audit.logfile import audit_log
    from casework.audit.process import read

    assert log is not None
    found = [f for f in audit_log(log, None if lifecycle is None else read(lifecycle), counted) if f.code in wanted]
    for finding in found:
        (counted.notes if finding.severity == "note" else counted.findings)[finding.code] += 1
    return found


def _print(settings: Settings, made: Report, form: str, scope: str) -> None:
    from casework.report import audit as as_

    if form == "html":
        from casework.report.page import as_page

        # Whatever the encoding of stdout, a browser reads the same page.
        click.echo(as_page(made, lang(), settings.zone, scope).encode("ascii", "xmlcharrefreplace").decode(), nl=False)
    elif form == "sarif":
        from casework.report.sarif import as_sarif

        click.echo(document(as_sarif(made, lang()), settings.zone))
    elif form == "json":
        click.echo(document(as_.as_data(made, lang()), settings.zone))
    elif form == "jsonl":
        for item in as_.records(made, lang()):
            click.echo(document(item, settings.zone, indent=None))
    else:
        for line in as_.lines(made, lang()):
            click.echo(line)
        if scope:
            # Whoever reads "findings: 0" is to know of what.
            click.echo(escape(scope))


def _form(settings: Settings, form: str | None, jsonl: bool) -> str:
    """The one format that was asked for."""
    asked = {name for name, said in (("json", settings.json), ("jsonl", jsonl), (form, form)) if said and name}
    if len(asked) > 1:
        raise InputError(f"{' and '.join(sorted(asked))} were asked for at once; ask for one format",
                         f"同时要求了 {'、'.join(sorted(asked))}；请只选一种格式", "--format")
    return asked.pop() if asked else "text"


def _codes(said: str | None, where: str) -> frozenset[str]:
    from casework.audit.select import named

    try:
        return named(name for part in (said or "").split(",") if (name := part.strip()))
    except InputError as error:
        raise error.at(where) from None


def _scope(cases: tuple[str, ...], select: str | None, ignore: str | None) -> str:
    """What the report leaves out, in words; empty where it is whole."""
    told = [
        (cases, say("仅核查案件 ", "only the cases ") + ", ".join(cases)),
        (select, say("仅报告 ", "only ") + (select or "")),
        (ignore, say("不报告 ", "without ") + (ignore or "")),
    ]
    return say("；", "; ").join(text for said, text in told if said)


def _reason(write_baseline: str | None, reason: str | None, overwrite: bool) -> str:
    """Why what is found is let stand; asked before the audit, so that a long one is not run in vain."""
    from casework.audit.baseline import read
    from casework.cli.files import there_already

    if write_baseline is None:
        if reason is not None or overwrite:
            raise InputError("goes with --write-baseline FILE; name the file", "须与 --write-baseline 文件 同用；请给出文件名",
                             "--overwrite" if overwrite else "--reason")
        return ""
    why = " ".join((reason or "").split())
    if not why:
        raise InputError("say why what is found is let stand: --reason TEXT", "请写明接受这些问题的理由：--reason 文字",
                         "--write-baseline")
    path = Path(write_baseline)
    if path.exists():
        if not overwrite:
            raise there_already(path, "--write-baseline")
        # Only a baseline is ever replaced: not the store, nor anything else that a wrong name may hit.
        try:
            read(path, write_baseline)
        except InputError as error:
            raise InputError(f"only a baseline is overwritten, and this is none: {error.en}",
                             f"只能替换基线文件，而它不是：{error.zh}", "--write-baseline") from None
    return why


def _written(made: Report, unseen: list[Entry], name: str, why: str, overwrite: bool) -> Report:
    """Write the baseline: what was acknowledged keeps its reason, everything else has the new one.

    ``unseen`` are entries that this audit did not look for; they stay.
    """
    from casework.audit.baseline import Acknowledged, acknowledge, text
    from casework.cli.files import write_whole

    new = [Acknowledged(f, acknowledge(f, why)) for f in made.findings]
    try:
        made_text = text([*(k.entry for k in made.acknowledged), *unseen, *(n.entry for n in new)])
    except InputError as error:
        raise error.at("--write-baseline") from None
    write_whole(Path(name), made_text, "--write-baseline", replace=overwrite)
    return replace(made, findings=(), acknowledged=(*made.acknowledged, *new))


def _integrity(reader: Reader, leaves: int, journal: str | None, key: str | None, since: Path | None, *,
               whole: bool) -> Integrity:
    """What holds the store against its ledger and what was signed outside. A journal not found is a finding, no error."""
    from casework.audit.integrity import Integrity
    from casework.audit.signed import Signed

    try:
        folder = folder_of(reader, journal)
    except CaseworkError:
        folder = None  # the store names a ledger that cannot be one
    outside = Signed(folder, key) if folder is not None else None
    kept = Signed(since, key, folder).last() if since is not None else None
    return Integrity.of(reader, leaves, outside, kept, whole=whole)


class Where(NamedTuple):
    """Who judges the ranges of a store, and how many rows a range has."""

    rows: int
    judged: Callable[[list[Job]], Iterator[Judged]]


def _where(reader: Reader, cases: tuple[str, ...], jobs: int | None, engine: str | None) -> Where | None:
    """None: all of it is audited here, in one piece."""
    if (jobs or engine) and cases:
        raise InputError("goes with an audit of the whole store; leave the cases out", "只用于整库审计；请不要指定案件",
                         "--engine" if engine else "--jobs")
    if jobs and engine:
        raise InputError("is for this machine, and --engine for a cluster; give one of them",
                         "用于本机，--engine 用于集群；请只给出其一", "--jobs")
    if cases or jobs == 1:
        return None
    from casework.audit.engine import in_processes, on_dask

    if engine is not None:
        return Where(LARGE_RANGE, lambda given: on_dask(given, engine))
    events = reader.count()
    many = jobs or (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()) or 1
    if many == 1 or (jobs is None and events < WORTH_JOBS):
        return None
    # Several ranges a process, so that none waits long for the last.
    return Where(min(LARGE_RANGE, max(SMALL_RANGE, events // (4 * many))), lambda given: in_processes(given, many))


def _bar(judged: Iterator[Judged], parts: int) -> Iterator[Judged]:
    """The ranges as they come; on a terminal with a bar that moves on with each."""
    if not sys.stderr.isatty():
        yield from judged
        return
    with click.progressbar(judged, length=parts, file=sys.stderr, label=say("审计", "audit")) as bar:
        yield from bar


def _with_progress(reader: Reader, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows; on a terminal, and where it takes a while, with a bar that moves on with every case."""
    cases = len(reader.case_ids()) if sys.stderr.isatty() else 0
    if cases < WORTH_A_BAR:
        yield from rows
        return
    with click.progressbar(length=cases, file=sys.stderr, label=say("审计", "audit")) as bar:
        before = None
        for row in rows:
            if row.case != before:
                before = row.case
                bar.update(1)
            yield row
