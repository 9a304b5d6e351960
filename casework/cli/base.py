"""What all commands share: the two languages, the options that every command takes, the answer and its status."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from casework.errors import InputError, Refused

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_STORE = "casework.db"
_LONGEST_TIME = 40
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,3}")
_lang = "en"


def language(argv: Sequence[str], environ: dict[str, str]) -> str:
    """``--lang`` before ``CASEWORK_LANG`` before the locale; English where none of them says 中文."""
    for before, word in pairwise(["", *takewhile(lambda w: w != "--", argv)]):
        said = word if before == "--lang" else word.removeprefix("--lang=")
        if said in ("zh", "en") and (before == "--lang" or said != word):
            return said
    said = environ.get("CASEWORK_LANG") or next(
        (environ[k] for k in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(k)), "")
    return "zh" if said.lower().startswith("zh") else "en"


def set_language(lang: str) -> None:
    """The language in which this run speaks."""
    global _lang
    _lang = lang


def lang() -> str:
    """The language in which this run speaks: ``zh`` or ``en``."""
    return _lang


def say(zh: str, en: str) -> str:
    """One of the two."""
    return zh if _lang == "zh" else en


class Formatter(click.HelpFormatter):
    """Help whose headings are in the language of this run."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        # click would import all of shutil to ask for the terminal's width.
        super().__init__(indent_increment, width or max(min(_columns(), max_width or 80) - 2, 50), max_width)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line of usage."""
        super().write_usage(prog, args, say("用法：", "Usage: "))

    def write_heading(self, heading: str) -> None:
        """The heading of a list."""
        super().write_heading(say({"Options": "选项", "Commands": "命令"}.get(heading, heading), heading))


class Context(click.Context):
    """A context whose help is written so."""

    formatter_class = Formatter


class Command(click.Command):
    """A command whose help is in two languages: ``help`` in English, ``zh`` in 中文."""

    context_class = Context

    def __init__(self, *args: Any, zh: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zh = zh

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """``--help``, explained in the language of this run."""
        return help_option(super().get_help_option(ctx))

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, in the language of this run."""
        return say(self.zh.split("。")[0], " ".join((self.help or "").split()).split(". ")[0].rstrip("."))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The whole text, in the language of this run."""
        if _lang == "zh" and self.zh:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(self.zh)
        else:
            super().format_help_text(ctx, formatter)


class Group(Command, click.Group):
    """A command with commands of its own. Whatever is none of their names goes to the one called ``default``."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Its own options are those of the default command, which therefore reads them."""
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """As it is used without one of its commands."""
        return self.commands[self.default].collect_usage_pieces(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of the default command, then the commands."""
        inner = self.commands[self.default]
        inner.format_options(click.Context(inner, parent=ctx, info_name=ctx.info_name), formatter)
        self.format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Its commands, and what the default command completes."""
        inner = self.commands[self.default]
        found = [item for param in inner.params if isinstance(param, click.Argument)
                 for item in param.shell_complete(click.Context(inner, parent=ctx), incomplete)]
        return [*super().shell_complete(ctx, incomplete), *found]


def help_option(made: click.Option | None) -> click.Option | None:
    """click's ``--help``, explained in the language of this run."""
    if made is not None:
        made.help = say("显示本说明并退出", "Show this message and exit.")
    return made


class Option(click.Option):
    """An option whose help is in two languages."""

    def __init__(self, *args: Any, zh: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zh = zh

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The help in the language of this run."""
        record = super().get_help_record(ctx)
        if record is None or _lang != "zh" or not self.zh:
            return record
        return record[0], self.zh + ("（必填）" if self.required else "")


def option(*names: str, zh: str, **kwargs: Any) -> Callable[[F], F]:
    """``click.option`` with help in two languages."""
    return click.option(*names, cls=Option, zh=zh, **kwargs)


class Settings(NamedTuple):
    """How a command was asked to look and answer."""

    store: str
    json: bool
    zone: tzinfo

    def answer(self, value: Any, lines: Callable[[], Iterable[str]]) -> None:
        """The result on stdout: one JSON document, or lines for people."""
        from casework.report.text import document, visible

        if self.json:
            click.echo(document(value, self.zone))
        else:
            for line in lines():
                click.echo(visible(line))


    def answer_exactly(self, value: Any, text: str | bytes) -> None:
        """The result as :meth:`answer`, where the lines are something signed: in a file or a pipe they are the very bytes, in
        whatever encoding and with whatever ends of line a terminal here writes.
        """
        data = text if isinstance(text, bytes) else text.encode()
        if self.json or sys.stdout.isatty() or not hasattr(sys.stdout, "buffer"):
            self.answer(value, lambda: [data.decode().rstrip("\n")])
        else:
            click.echo(data, nl=False)


def common(function: F) -> F:
    """The options that every command takes; they reach the function as ``settings``."""
    def collect(ctx: click.Context, store: str | None, as_json: bool, tz: str, **kwargs: Any) -> Any:
        kwargs.pop("lang")
        if store is None:
            store = os.environ.get("CASEWORK_STORE") or DEFAULT_STORE
        settings = Settings(store, as_json, _zone(tz))
        return ctx.invoke(function, settings=settings, **kwargs)

    collect.__name__ = function.__name__
    collect.__doc__ = function.__doc__
    wrapped: Any = click.pass_context(collect)
    wrapped.__click_params__ = getattr(function, "__click_params__", [])
    for decorate in (
        option("--tz", default="Asia/Shanghai", metavar="ZONE", help="Time zone to show times in [Asia/Shanghai].",
               zh="显示时间所用时区 [Asia/Shanghai]"),
        option("--lang", type=click.Choice(["zh", "en"]), help="Language: zh or en.", zh="语言：zh 或 en"),
        option("--json", "as_json", is_flag=True, help="One JSON document on stdout.", zh="以一份 JSON 输出结果"),
        option("--store", metavar="URL", help="The store: a path or postgresql://HOST/DATABASE [$CASEWORK_STORE or casework.db].",
               zh="案件库：路径，或 postgresql://主机/数据库 [$CASEWORK_STORE 或 casework.db]"),
    ):
        wrapped = decorate(wrapped)
    return wrapped  # type: ignore[no-any-return]


def now() -> datetime:
    """The clock; only the command line reads it."""
    return datetime.now(UTC)


def moment(text: str | None, where: str) -> datetime | None:
    """An ISO 8601 time with its offset. :class:`~casework.errors.InputError` names the option."""
    from casework.domain.moments import within_reason

    if text is None:
        return None
    at: datetime | None = None
    with suppress(ValueError, OverflowError):
        if len(text) <= _LONGEST_TIME:  # Python takes as many digits of a second as are written
            at = datetime.fromisoformat(text)
            at.astimezone(UTC)
    if at is None or at.tzinfo is None:
        raise InputError("write a time with its offset, such as 2026-03-01T10:00:00+08:00",
                         "请写带时区的时间，例如 2026-03-01T10:00:00+08:00", where)
    return within_reason(at, where)


def complain(text: str) -> None:
    """One line on stderr: what is wrong and what to do, escaped, and cut where somebody put a book into it."""
    from casework.report.text import clipped

    click.echo(clipped("casework: " + text), err=True)


def refusal(case: str, error: Refused) -> dict[str, Any]:
    """A refusal as one JSON document."""
    return {
        "case": case, "trigger": error.trigger, "state": error.state,
        "refused": [{"code": r.code, "zh": r.zh, "en": r.en, "clause": r.clause, "missing": list(r.missing)}
                    for r in error.reasons],
        "permitted": {"yours": list(error.permitted.yours), "others": list(error.permitted.others)},
    }


def refusal_lines(case: str, error: Refused) -> Iterable[str]:
    """A refusal for people: every reason, and what is permitted instead."""
    from casework.domain.standing.events import is_standing
    from casework.report.text import escape

    what = case if is_standing(case) else say(f"案件 {case}", f"case {case}")
    yield escape(say(f"不能执行 {error.trigger}（{what}）：", f"{error.trigger} is refused ({what}):"))
    for r in error.reasons:
        clause = f"  ({r.clause})" if r.clause else ""
        yield escape(f"  [{r.code}] {r.text(_lang)}{clause}")
    if error.permitted.yours:
        yield say("你现在可以：", "what you may do now: ") + ", ".join(error.permitted.yours)
    if error.permitted.others:
        yield say("其他人现在可以：", "what others may do now: ") + ", ".join(error.permitted.others)


def _columns() -> int:
    """How wide the terminal is: what ``COLUMNS`` says, else the terminal itself; 80 where there is none."""
    with suppress(KeyError, ValueError):
        if (said := int(os.environ["COLUMNS"])) > 0:
            return said
    with suppress(AttributeError, ValueError, OSError):
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    return 80


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        if not _ZONE.fullmatch(name):  # for a dot in it, Python would import packages of that name one within the other
            raise ValueError
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"unknown time zone '{name[:40]}'; write one such as Asia/Shanghai or UTC",
                         f"未知的时区“{name[:40]}”，请写如 Asia/Shanghai 或 UTC", "--tz") from None
