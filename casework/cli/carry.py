"""Open a case and carry it on."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from casework.cli.base import Command, Settings, common, lang, moment, now, option, refusal, refusal_lines, say
from casework.cli.journals import journaled, receipt_of, tell_receipt, writing
from casework.domain.vocabulary import ROLES, label
from casework.errors import InputError, NotAcknowledged, Refused
from casework.report.text import document, escape

#: No field lies deeper; what is written beyond is taken for part of the last name, and is unknown.
_DEEPEST = 8
#: The steps whose receipt is written without being asked for: those that say how the case is decided.
RECEIPTED = frozenset(("rule", "correct_ruling"))
_POINT = re.compile(r"\w+")
_BY = option("--by", metavar="ROLE[:ID]", required=True, help="Who acts: a role, or role:identity.",
             zh="由谁操作：角色，或 角色:身份",
             shell_complete=lambda ctx, param, part: [
                 CompletionItem(r, help=label("role", r, lang())) for r in ROLES if r.startswith(part)])
_AT = option("--at", metavar="TIME", help="When it happened, with offset [now].", zh="发生时间，带时区 [现在]")
_DATA = option("-d", "pairs", metavar="KEY=VALUE", multiple=True, help="A field; nested keys with dots, lists with commas.",
               zh="字段；嵌套用点，列表用逗号")
_FILE = option("--data", "file", metavar="FILE", type=click.Path(), help="Fields from a YAML or JSON file.",
               zh="从 YAML 或 JSON 文件读取字段")
_ID = option("--command-id", metavar="ID", help="Names the command, so that a retry is the same command [random].",
             zh="命令编号：重试时使用同一编号 [随机]")


@click.command("open", cls=Command, zh="立案，输出案件编号。字段与剧本的 given 相同。")
@click.argument("case_id", metavar="[ID]", required=False)
@_BY
@_AT
@_FILE
@_DATA
@_ID
@journaled
@common
def open_(settings: Settings, case_id: str | None, by: str, at: str | None, file: str | None, pairs: tuple[str, ...],
          command_id: str | None, journal: str | None) -> int:
    """Open a case and print its id. The fields are those of a scenario's given."""
    from casework.application.intake import opener, opening
    from casework.application.service import open_case

    case = f"case-{secrets.token_hex(6)}" if case_id is None else _identity(case_id)
    if command_id is not None and case_id is None:
        raise InputError("name the case as well, or a retry opens another one", "请同时给出案件编号，否则重试会另立一案",
                         "--command-id")
    when = moment(at, "--at")
    with _said(file, pairs) as said:
        given = opening(said)
        opener(by, given)
    command = command_id or str(uuid.uuid4())
    with writing(settings, journal, create=True) as store:
        try:
            with _named(command, case):
                done = open_case(store, case, given, by=by, at=when, clock=now, command_id=command)
        except Refused as error:
            return _refused(settings, case, error)
        receipt = receipt_of(store, done)
    settings.answer({"case": done.case, "state": done.state, "version": done.version, "repeated": done.repeated}
                    | ({"receipt": str(receipt)} if receipt else {}), lambda: [done.case])
    tell_receipt(settings, receipt)
    return 0


def _triggers(ctx: click.Context, param: click.Parameter, part: str) -> list[CompletionItem]:
    from casework.domain.standing.commands import STANDING_ACTS
    from casework.domain.versions import CURRENT

    known = [(name, say(term.zh, term.en)) for name, term in CURRENT.labels.items()]
    known += [(name, say(act.zh, act.en)) for name, act in STANDING_ACTS.items()]
    return [CompletionItem(name, help=text) for name, text in known if name.startswith(part)]


@click.command("do", cls=Command, zh="办理案件（或商家 merchant:编号）的一步。被拒绝时给出全部理由，且不记录任何内容。")
@click.argument("case")
@click.argument("trigger", shell_complete=_triggers)
@_BY
@_AT
@_FILE
@_DATA
@_ID
@journaled
@common
def do(settings: Settings, case: str, trigger: str, by: str, at: str | None, file: str | None, pairs: tuple[str, ...],
       command_id: str | None, journal: str | None) -> int:
    """Carry a case, or a merchant's standing (merchant:ID), on by one step. A refusal gives every reason; nothing is recorded."""
    from casework.application.service import carry_on
    from casework.domain.standing.events import is_standing

    when = moment(at, "--at")
    command = command_id or str(uuid.uuid4())
    with _said(file, pairs) as said, writing(settings, journal) as store:
        try:
            with _named(command):
                done = carry_on(store, case, trigger, said, by=by, at=when, clock=now, command_id=command)
        except Refused as error:
            return _refused(settings, case, error)
        receipt = receipt_of(store, done) if trigger in RECEIPTED else None
    kind = "standing" if is_standing(case) else "state"
    settings.answer(
        {"case": done.case, "trigger": trigger, "state": done.state, "version": done.version, "repeated": done.repeated}
        | ({"receipt": str(receipt)} if receipt else {}),
        lambda: [escape(f"{done.case}  v{done.version}  {trigger} → {label(kind, done.state, say('zh', 'en'))}"
                        + (say("（此前已记录）", "  (recorded before)") if done.repeated else ""))])
    tell_receipt(settings, receipt)
    return 0


@contextmanager
def _named(command: str, case: str = "") -> Iterator[None]:
    """Whoever is not acknowledged is told the id, which casework may have drawn, under which to ask again."""
    try:
        yield
    except NotAcknowledged as error:
        opened = f"{case} " if case else ""
        raise NotAcknowledged(f"{error.en} ({opened}--command-id {command})",
                              f"{error.zh}（{opened}--command-id {command}）") from error


def _refused(settings: Settings, case: str, error: Refused) -> int:
    if settings.json:
        click.echo(document(refusal(case, error), settings.zone))
    else:
        for line in refusal_lines(case, error):
            click.echo(line, err=True)
    return error.status


@contextmanager
def _said(file: str | None, pairs: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """What ``--data`` and ``-d`` say. An error about it names the line of the file where it stands there, or ``--by``."""
    from casework.application.intake import FieldError
    from casework.yamlfile import load

    document = load(Path(file)) if file is not None else None
    written = document.data if document else {}
    if not isinstance(written, dict):
        raise InputError("has to be a mapping; write 'field: value', one a line",
                         "须为字段映射，请每行写一个“字段: 值”", str(file))
    said = dict(written)
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InputError(f"'{pair[:60]}' is not KEY=VALUE; write such as -d message=…",
                             f"“{pair[:60]}”不是 键=值 的形式，请写如 -d message=…", "-d")
        put(said, key, value)
    try:
        yield lists(said)
    except InputError as error:
        if error.where == "by":
            raise error.at("--by") from None
        path = error.path if isinstance(error, FieldError) else _POINT.findall(error.where)
        if document is None or not path or path[0] not in written:
            raise
        place = f"{document.name}:{document.line(path)}"
        raise InputError(error.bare_en, error.bare_zh, place) from None


def put(said: dict[str, Any], key: str, value: str) -> None:
    *outer, last = key.split(".", _DEEPEST)
    for name in outer:
        inner = said.get(name, {})
        if not isinstance(inner, dict):
            break
        said[name] = inner = dict(inner)
        said = inner
    else:
        if last not in said:
            said[last] = value
            return
    raise InputError(f"'{key[:60]}' is given twice; keep one", f"“{key[:60]}”重复给出，请只保留一个", "-d")


def lists(value: Any) -> Any:
    """``penalties.0.kind`` makes a list: a mapping whose keys are numbers is one, in their order."""
    if not isinstance(value, dict):
        return value
    inner = {k: lists(v) for k, v in value.items()}
    if inner and all(k.isdecimal() for k in inner):
        return [inner[k] for k in sorted(inner, key=lambda k: (len(k), k))]
    return inner


def _identity(case: str) -> str:
    from casework.domain.values import IDENTITY_PATTERN

    if not re.fullmatch(IDENTITY_PATTERN, case):
        raise InputError("a case id is letters, digits, '.', '_' and '-', at most 64; write another",
                         "案件编号只能含字母、数字、“.”“_”“-”，最多 64 个字符，请更换", "ID")
    return case
