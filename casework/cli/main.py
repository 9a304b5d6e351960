"""The group of commands, each imported only when it is called, and the one place where errors become an exit status."""

from __future__ import annotations

import codecs
import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from casework.cli.base import Context, Option, complain, help_option, lang, language, option, say, set_language
from casework.errors import CaseworkError, InputError

#: Command -> (module under casework.cli, function). Order is the order of the help.
COMMANDS = {
    "replay": ("replay", "replay"),
    "init": ("ledger", "init"),
    "open": ("carry", "open_"),
    "do": ("carry", "do"),
    "options": ("read", "options"),
    "show": ("read", "show"),
    "call-sheet": ("read", "call_sheet"),
    "why": ("inquire", "why"),
    "what-if": ("inquire", "what_if"),
    "claims": ("advice", "claims"),
    "burden": ("advice", "burden"),
    "ways": ("advice", "ways"),
    "history": ("read", "history"),
    "list": ("read", "list_"),
    "stats": ("views", "stats"),
    "due": ("clock", "due"),
    "tick": ("clock", "tick"),
    "merchant": ("merchant", "merchant"),
    "audit": ("audit", "audit"),
    "export": ("export", "export"),
    "checkpoint": ("ledger", "checkpoint"),
    "receipt": ("ledger", "receipt"),
    "verify": ("verify", "verify"),
    "witness": ("witness", "witness"),
    "backup": ("backup", "backup"),
    "copy": ("copy", "copy"),
    "views": ("views", "views"),
    "doctor": ("doctor", "doctor"),
    "simulate": ("simulate", "simulate"),
    "lifecycle": ("reference", "lifecycle"),
    "explain": ("reference", "explain"),
    "rules": ("rules", "rules"),
    "sum": ("sums", "sum_"),
    "completion": ("reference", "completion"),
}

#: What the group's help says of each command, so that it need not import them; a test holds it against their own help.
SUMMARIES = {
    "replay": (
        "重放剧本，逐步核对",
        "Replay scenario files (default: scenarios/) and say every step; last comes 'N passed, M failed'"),
    "init": ("建立一个空的案件库及其库外日志；已有则不变",
             "Make an empty store and the journal outside it; one that is there already stays as it is"),
    "open": ("立案，输出案件编号", "Open a case and print its id"),
    "do": ("办理案件（或商家 merchant:编号）的一步",
           "Carry a case, or a merchant's standing (merchant:ID), on by one step"),
    "options": (
        "现在可以做什么、由谁、到何时；不能做什么、全部理由和所缺内容",
        "What may be done now, by whom, until when; what may not, with every reason and what is missing"),
    "show": ("查看一宗案件，可回到某一时间或版本", "One case, now or as of a time or a version"),
    "call-sheet": (
        "打电话前的备忘：订单信息、问题、证据、所缺、此前的通话和要记下的内容",
        "What to have at hand before a phone call, and what to write down in it"),
    "why": (
        "为什么如此：每个裁决的依据（条款、规则、证据、金额、其他途径），每个期限出自哪条规则",
        "Why a case stands as it does: what each ruling rested on, and which rule gave each deadline"),
    "what-if": (
        "假如：在内存中让案件走另一条路（别的步骤、规则或日期），与记录并列比较",
        "A recorded case on another way (other steps, other rules, other dates), beside what is recorded"),
    "claims": (
        "可以主张什么、多少、依据什么、由谁支持，以及计算过程和条件",
        "What may be claimed, how much, by which rule and from whom, with the reckoning and the conditions"),
    "burden": (
        "谁要先证明什么、已经提供什么、还缺什么，以及怎样回应商家的理由",
        "Who must prove what first, what is shown, what is missing, and what answers the merchant's excuse"),
    "ways": (
        "平台以外可以找谁：能不能、为什么、带什么材料、到何时",
        "The bodies outside the platform: open or not and why, what to bring, until when"),
    "history": ("一宗案件的全部事件", "Every event of a case, in order"),
    "list": (
        "列出案件，可按状态、阶段、商家、事由、逾期筛选",
        "The cases, filtered by state, stage, merchant, ground or overdue"),
    "stats": (
        "按阶段、状态和事由统计案件，以及其中逾期的",
        "How many cases there are, by stage, state and ground, and how many are overdue"),
    "due": (
        "列出正在计算的期限：谁、向谁、何时、依据哪条规则",
        "The duties whose time runs: whose, to whom, until when, under which rule"),
    "tick": (
        "办理已到期的事项，并记录谁逾期；可反复运行",
        "Apply what has fallen due, and record who missed what; it can run twice"),
    "merchant": (
        "查看商家：各类扣分、措施、处罚与公示、垫付欠款、申诉，以及由案件记录得出的记分卡",
        "How a merchant stands: points, measures, penalties, advances, appeals, and a scorecard of his recorded cases"),
    "audit": (
        "重新核查案件库中的每宗案件（或指定案件），每个问题一行；绝不在第一个问题处停下",
        "Re-check every recorded case (or those named): one line a finding, then a summary; it never stops at the first"),
    "export": (
        "把案件的事件列写成 CSV 或 Parquet：案件、版本、主题、步骤、状态、时间；不含内容",
        "Write the events' columns (case, version, topic, trigger, states, times) to a file, or as CSV to - (stdout)"),
    "checkpoint": (
        "输出签名的检查点，交给他人保存，日后可证明此前的记录未被改动",
        "The signed checkpoint of all that is recorded: give it to others, and later show by it that nothing before was changed"),
    "receipt": (
        "案件的回执：任何人可离线证明该案已记录到某一版本",
        "The receipt of a case: by it anybody can show, offline, what was recorded of it up to a version"),
    "verify": (
        "离线验证账本签署的内容：回执、检查点、见证请求或案件库",
        "Verify offline what a ledger signed: a receipt, checkpoints, a request to a witness, or a store"),
    "witness": (
        "作为见证人：记住账本最后出示的检查点，只有当新的检查点延续它时才签名见证",
        "Cosign a ledger's checkpoint if it adds to the last one seen of it; a fork, a step back or another start is refused"),
    "backup": (
        "备份案件库及其日志，并审计副本：未经审计的备份不是备份",
        "Copy the store and its journal, and audit the copy: a backup not audited is not a backup"),
    "copy": (
        "把一个案件库复制到另一个：逐字节、逐叶子相同；中断后可继续，旧副本会补上其后的提交",
        "Copy a store into another: the same bytes under the same leaves, and so the same root; signed under a name of its own"),
    "views": (
        "为列表和统计保存的视图：读到哪里；重建；与事件逐案核对",
        "What is kept for lists and counts: how far it goes; make it anew; hold it against the events"),
    "doctor": (
        "检查案件库、日志、密钥、锁、磁盘、日历和环境，并说明如何补救；绝不写入",
        "Check store, journal, keys, lock, disk, calendar and surroundings, each with its remedy; it never writes"),
    "simulate": (
        "生成虚构案件：合法的经过，按公布的投诉比例；也可按要求埋入已知的问题",
        "Make cases up: lawful histories in the published proportions, and on request faults that are known"),
    "lifecycle": (
        "按实际运行的状态机输出生命周期：表格、Mermaid、dot 或 JSON",
        "The lifecycle as the machine runs it: a table, Mermaid, dot or JSON"),
    "explain": (
        "解释一个代码、问题类别、步骤、状态或术语：含义、依据、怎么办",
        "What a code, a family of findings, a trigger, a state or a term means, the clause it rests on, how to mend it"),
    "rules": (
        "列出规则，查看一条规则，比较两天，计算期限和金额，检查规则文件",
        "List the rules, look one up, compare two days, compute limits and amounts, check rulebook files"),
    "sum": (
        "计算没有固定数额的款项：差价、套装部分退货、按单价重算的退款、垫付追偿、运费由谁承担",
        "What is given back or borne: a price difference, part of a bundle, an advance recovered, freight; with its reckoning"),
    "completion": (
        "输出 Shell 补全脚本：bash、zsh 或 fish",
        "Print the script that completes casework in your shell: bash, zsh or fish"),
}


#: How many words a command line may have.
MOST_WORDS = 10_000


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is wanted."""

    context_class = Context

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """``--help``, explained in the language of this run."""
        return help_option(super().get_help_option(ctx))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a case's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"casework.cli.{module}"), function)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; :class:`~casework.errors.InputError` with the nearest name if none."""
        name = args[0]
        if name not in COMMANDS and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            raise InputError(
                f"unknown command '{name[:60]}'; " + (f"did you mean '{near[0]}'?" if near else "see casework --help"),
                f"未知的命令“{name[:60]}”；" + (f"是否指“{near[0]}”？" if near else "见 casework --help"))
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse. Whoever reads our help may leave early: a closed pipe is no error (click would make it one)."""
        with _readers_may_leave():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Here too a closed pipe is no error."""
        with _readers_may_leave():
            status = super().invoke(ctx)
            _flush()
            return status

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands and what they are for, without importing any."""
        with formatter.section(say("命令", "Commands")):
            formatter.write_dl([(name, say(*SUMMARIES[name])) for name in COMMANDS])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What it is for, in the language of this run."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(say(
                "把每一宗网购投诉作为事件溯源的案件来办理、重放和审计。状态码：0 完成；1 被拒绝、不符或有问题；2 无法运行。",
                "Carry, replay and audit consumer complaints as event-sourced cases. "
                "Exit status: 0 done and clean; 1 refused, mismatch or findings; 2 could not run."))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
             invoke_without_command=True)
@option("--version", is_flag=True, help="Show the version and exit.", zh="显示版本并退出")
@option("--lang", type=click.Choice(["zh", "en"]), help="Language: zh or en.", zh="语言：zh 或 en")
@click.pass_context
def casework(ctx: click.Context, version: bool, lang: str | None) -> None:
    """Carry, replay and audit consumer complaints as event-sourced cases."""
    if version:
        from casework import __version__

        click.echo(f"casework {__version__}")
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(argv: Sequence[str]) -> int:
    """Run the command line; the exit status. No traceback reaches a user, a closed pipe is no error."""
    set_language(language(argv, dict(os.environ)))
    _write_what_it_can()
    try:
        _refuse_too_many(argv)
        _require_words_to_complete(os.environ)
        status = casework.main(args=list(argv), prog_name="casework", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _failed(_usage(error), 2)
    except CaseworkError as error:
        return _failed(error.text(lang()), error.status)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except OSError as error:
        _forget_stdout()
        why = error.strerror or str(error)
        return _failed(say(f"无法读写（{why}）；请检查磁盘空间、目录和权限",
                           f"cannot read or write ({why}); check disk space, folder and permissions"), 2)


def _refuse_too_many(argv: Sequence[str]) -> None:
    """:class:`~casework.errors.InputError` for more words than anybody writes: what parses them takes its time for each."""
    if len(argv) > MOST_WORDS:
        raise InputError(f"there are {len(argv)} words, and {MOST_WORDS} are the most; put fields in a file: --data FILE",
                         f"共 {len(argv)} 个词，最多 {MOST_WORDS} 个；请把字段写入文件：--data 文件", "argv")


def _require_words_to_complete(environ: Mapping[str, str]) -> None:
    """What click reads of the shell's without looking. :class:`~casework.errors.InputError` if it is not there."""
    if not environ.get("_CASEWORK_COMPLETE", "").endswith("_complete"):
        return
    where = environ.get("COMP_CWORD", "")
    number = environ["_CASEWORK_COMPLETE"].startswith("fish") or re.fullmatch(r"[0-9]{1,6}", where, re.ASCII)
    if "COMP_WORDS" not in environ or "COMP_CWORD" not in environ or not number:
        raise InputError("the shell does not say which word to complete; load the script of casework completion anew",
                         "Shell 未说明要补全哪个词；请重新加载 casework completion 的脚本", "_CASEWORK_COMPLETE")


def _failed(text: str, status: int) -> int:
    complain(text)
    return status


def _usage(error: click.ClickException) -> str:
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "casework"
    return say(f"{_usage_zh(error)}；见 {path} --help", f"{error.format_message().rstrip('.')}; see {path} --help")


def _usage_zh(error: click.ClickException) -> str:
    """What click says in English."""
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}" + (f"，是否指 {error.possibilities[0]}" if error.possibilities else "")
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} " + ("须带一个值" if "requires" in error.message else "不带值")
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = max(error.param.opts, key=len) if isinstance(error.param, Option) else error.param.human_readable_name
        if isinstance(error, click.MissingParameter):
            return f"缺少 {name}"
        kind = error.param.type
        if isinstance(kind, click.Choice):
            return f"{name} 须为以下之一：{'、'.join(kind.choices)}"
        if isinstance(kind, click.IntRange):
            return f"{name} 须为不小于 {kind.min}" + (f"、不大于 {kind.max}" if kind.max is not None else "") + " 的整数"
        if isinstance(kind, click.Path):
            return f"{name} 无法使用：{error.message.partition(' ')[2].partition(' is ')[0] or error.message}；请检查路径和权限"
    extra = re.search(r"extra arguments? \((.*)\)", error.message, re.DOTALL)
    return f"多余的参数：{extra[1]}" if extra else f"用法有误：{error.message}"


def _write_what_it_can() -> None:
    """Where the terminal's encoding lacks a character, ``\\uXXXX`` is written, which JSON readers turn back."""
    codecs.register_error("casework", _as_escapes)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="casework")


def _as_escapes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)), error.end


@contextlib.contextmanager
def _readers_may_leave() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _forget_stdout()
        raise click.exceptions.Exit(0) from None


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _forget_stdout() -> None:
    """Nobody reads us, or nothing more can be written; what is still buffered must not fail at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
