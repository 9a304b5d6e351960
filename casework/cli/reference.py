"""Look up: the lifecycle as it runs, what a code means, shell completion."""

from __future__ import annotations

import json

import click
from click.shell_completion import CompletionItem, get_completion_class

from casework.cli.base import Command, Settings, common, lang, option
from casework.errors import InputError
from casework.report.text import escape


@click.command("lifecycle", cls=Command, zh="按实际运行的状态机输出生命周期：表格、Mermaid、dot 或 JSON。")
@option("--format", "form", type=click.Choice(["table", "mermaid", "dot", "json"]), default="table",
        help="table, mermaid, dot or json.", zh="table、mermaid、dot 或 json")
@common
def lifecycle(settings: Settings, form: str) -> int:
    """The lifecycle as the machine runs it: a table, Mermaid, dot or JSON."""
    from casework.domain.machine import lifecycle as process_of
    from casework.domain.versions import VERSION
    from casework.report import lifecycle as report

    process = process_of(VERSION)
    assert process is not None
    if settings.json or form == "json":
        click.echo(json.dumps(report.as_data(process), ensure_ascii=False, indent=2))
        return 0
    make = {"table": report.as_table, "mermaid": report.as_mermaid, "dot": report.as_dot}[form]
    for line in make(process, lang()):
        click.echo(line)
    return 0


def _codes(ctx: click.Context, param: click.Parameter, part: str) -> list[CompletionItem]:
    from casework.report.explain import known

    return [CompletionItem(code) for code in known() if code.startswith(part)]


@click.command("explain", cls=Command, zh="解释一个代码、问题类别、步骤、状态或术语：含义、依据、怎么办。")
@click.argument("code", shell_complete=_codes)
@common
def explain(settings: Settings, code: str) -> int:
    """What a code, a family of findings, a trigger, a state or a term means, the clause it rests on, how to mend it."""
    from casework.report import explain as report

    found = report.explain(code)
    settings.answer(found, lambda: map(escape, report.lines(found, lang())))
    return 0


@click.command("completion", cls=Command, zh="输出 Shell 补全脚本：bash、zsh 或 fish。")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@common
@click.pass_context
def completion(ctx: click.Context, settings: Settings, shell: str) -> int:
    """Print the script that completes casework in your shell: bash, zsh or fish."""
    kind = get_completion_class(shell)
    if kind is None:
        raise InputError(f"no completion for {shell}", f"不支持 {shell} 补全")
    script = kind(ctx.find_root().command, {}, "casework", "_CASEWORK_COMPLETE").source()
    settings.answer({"shell": shell, "script": script}, lambda: [script])
    return 0
