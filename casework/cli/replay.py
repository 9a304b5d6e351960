"""Replay scenario files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from casework.cli.base import Command, Settings, common, complain, lang, option, say
from casework.cli.journals import journaled, writing
from casework.errors import CaseworkError
from casework.report.text import document, escape, moment


@click.command("replay", cls=Command, zh="重放剧本，逐步核对。最后一行为“N passed, M failed”。")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@option("--quiet", "-q", is_flag=True, help="Only the result of each scenario, not its steps.",
        zh="只显示各剧本结果，不显示步骤")
@journaled
@common
@click.pass_context
def replay(ctx: click.Context, settings: Settings, paths: tuple[Path, ...], quiet: bool, journal: str | None) -> int:
    """Replay scenario files (default: scenarios/) and say every step; last comes 'N passed, M failed'.

    With --store the replayed cases are recorded there as well, under the file's stem.
    """
    from casework.scenario.replay import Replay, files

    store = _store(ctx, settings, journal)
    results: list[Replay] = []
    bad: list[CaseworkError] = []
    status = 0
    for path in files(paths or (Path("scenarios"),)):
        found = _one(path, store, bad)
        if isinstance(found, Replay):
            results.append(found)
            if not settings.json:
                for line in _lines(found, settings, quiet):
                    click.echo(line)
            status = max(status, 0 if found.passed else 1)
        else:
            status = max(status, found)
    failed = len(bad) + sum(not r.passed for r in results)
    passed = sum(r.passed for r in results)
    if settings.json:
        click.echo(document({"scenarios": [_data(r) for r in results], "bad_files": [{"en": e.en, "zh": e.zh} for e in bad],
                             "passed": passed, "failed": failed}, settings.zone))
    else:
        click.echo(f"{passed} passed, {failed} failed")
    return status


def _store(ctx: click.Context, settings: Settings, journal: str | None) -> Any:
    """The store that ``--store`` names; the environment's is ignored, so that no demonstration lands in a real one."""
    return None if ctx.params["store"] is None else ctx.with_resource(writing(settings, journal, create=True))


def _one(path: Path, store: Any, bad: list[CaseworkError]) -> Any:
    from casework.audit.check import audit_case
    from casework.scenario.replay import record, replay

    try:
        result = replay(path, lambda rows: sorted(f.code for f in audit_case(rows)))
        if store is not None and result.passed:
            record(result, store)
        return result
    except CaseworkError as error:
        bad.append(error)
        complain(error.text(lang()))
        return error.status


def _lines(result: Any, settings: Settings, quiet: bool) -> Iterable[str]:
    scenario = result.scenario
    verdict = say("通过", "passed") if result.passed else say("不符", "FAILED")
    yield escape(f"{scenario.name}  {scenario.title}  ({scenario.story.id})  {verdict}")
    if not quiet:
        for i, s in enumerate(result.steps, 1):
            outcome = say("拒绝 ", "refused ") + ", ".join(s.refused) if s.refused else f"→ {s.state}"
            yield escape(f"  {i:>2}  {moment(s.at, settings.zone)}  {s.by}  {s.do}  {outcome}")
    for where, en, zh in result.mismatches:
        yield escape(f"  {where}: {say(zh, en)}")


def _data(result: Any) -> dict[str, Any]:
    scenario = result.scenario
    return {
        "scenario": scenario.name, "title": scenario.title, "story": scenario.story.id, "passed": result.passed,
        "steps": [{"do": s.do, "by": s.by, "at": s.at, "state": s.state, "refused": s.refused} for s in result.steps],
        "findings": result.findings,
        "mismatches": [{"where": w, "en": en, "zh": zh} for w, en, zh in result.mismatches],
    }
