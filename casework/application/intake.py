"""From what people write (text, nested mappings) to typed commands; every error names the field and the remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from casework.domain.commands import COMMANDS, Command, OpenCase
from casework.domain.decide import actor_for
from casework.domain.facts import Facts
from casework.domain.standing.commands import STANDING_COMMANDS, StandingCommand
from casework.domain.values import Actor, clean, told
from casework.domain.vocabulary import BODIES, ROLES
from casework.errors import InputError

T = TypeVar("T", bound=msgspec.Struct)
#: What msgspec says of a value that does not fit, and what people are told instead; the first that is found counts.
_DOES_NOT_FIT = tuple((re.compile(pattern), en, zh) for pattern, en, zh in (
    (r"RFC3339|datetime|timezone", "write a time with its offset, such as 2026-03-01T10:00:00+08:00",
     "请写带时区的时间，例如 2026-03-01T10:00:00+08:00"),
    (r"regex '.*agent\|", "write agent:ID or supervisor:ID, such as agent:A-1",
     "请写 agent:编号 或 supervisor:编号，例如 agent:A-1"),
    (r"regex '\^\((\w+(?:\|\w+)+)\)\$'", "has to be one of: {0}", "须为其中之一：{0}"),
    (r"regex '.*/\[0-9\]", "write CASE/VERSION.NUMBER, such as K-1/12.1 (see casework merchant)",
     "请写 案件/版本.序号，例如 K-1/12.1（见 casework merchant）"),
    (r"regex '.*0-9a-f", "is no SHA-256; write its 64 digits, 0-9 and a-f",
     "不是 SHA-256，请写 64 位十六进制数字（0-9、a-f）"),
    (r"regex", "is no identity; write letters, digits, '.', '_' and '-', at most 64",
     "不是有效的编号；只能含字母、数字、“.”“_”“-”，最多 64 个字符"),
    (r"length >= 1", "is empty; write something", "不能为空，请填写"),
    (r"length <= (\d+)", "is longer than {0} characters; shorten it", "超过 {0} 个字符，请缩短"),
    (r"int (>=|<=) (\d+)", "has to be a whole number {0} {1}", "须为 {0} {1} 的整数"),
    (r"Expected int", "has to be a whole number", "须为整数"),
    (r"Expected bool", "has to be true or false", "须为 true 或 false"),
    (r"Expected array", "has to be a list of values", "须为列表"),
    (r"Expected object", "has fields of its own; write each of them", "须逐一给出其下的各个字段"),
    (r"decimal", "is not an amount in yuan, such as 899.00", "不是有效的人民币金额，例如 899.00"),
    (r"Expected str", "has to be one text", "须为一段文字"),
))


_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", re.ASCII)
_AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)


class FieldError(InputError):
    """An :class:`~casework.errors.InputError` that also says which field, as a path of keys and positions.

    ``key`` is one that stands there and should not; the sentence names it itself.
    """

    def __init__(self, en: str, zh: str, path: tuple[str | int, ...] = (), key: str | None = None) -> None:
        dotted = ".".join(str(p) for p in path)
        super().__init__(f"{dotted}: {en}" if dotted else en, f"{dotted}：{zh}" if dotted else zh)
        self.path = path if key is None else (*path, key)


class FieldMissing(FieldError):
    """A required field that was not given: whether the command could be given at all can still be answered."""


def command_named(name: str, said: Mapping[str, Any]) -> Command:
    """The command of that name saying that. :class:`FieldError` for an unknown name or field, or for what does not fit."""
    if name in STANDING_COMMANDS:
        raise FieldError(f"'{name}' is done to a merchant, not to a case; name merchant:ID in its place",
                         f"“{name}”是对商家的步骤，不是对案件的；请写 merchant:商家编号")
    if name not in COMMANDS:
        raise FieldError(*_unknown("trigger", "步骤", name, list(COMMANDS)))
    return read(said, COMMANDS[name])


def standing_command(name: str, said: Mapping[str, Any]) -> StandingCommand:
    """The command of that name saying that. :class:`FieldError` for an unknown name or field, or for what does not fit."""
    if name not in STANDING_COMMANDS:
        names = ", ".join(STANDING_COMMANDS)
        raise FieldError(f"'{name[:60]}' is nothing that can be done to a merchant's standing; one of: {names}",
                         f"“{name[:60]}”不是商家记录的步骤；可用：{names}")
    return read(said, STANDING_COMMANDS[name])


def opening(said: Mapping[str, Any]) -> OpenCase:
    """What opens a case, from the keys of a scenario's ``given``."""
    return read(said, OpenCase)


def read(said: Any, kind: type[T]) -> T:
    """``said`` as a ``kind``; text is taken for what the field wants (a number, a time with offset, a list by commas)."""
    if not isinstance(said, Mapping):
        raise FieldError("has to be a mapping of fields", "须为字段映射")
    _check_keys(said, kind, ())
    try:
        return clean(msgspec.convert(_shaped(said, _type_info(kind)), kind, strict=False))
    except msgspec.ValidationError as error:
        raise _said_clearly(error, kind) from None
    except UnicodeEncodeError:  # of a text where none is wanted
        raise FieldError("holds half of a character (a lone surrogate)", "含有不完整的字符") from None


def actor(text: str, facts: Facts | None) -> Actor:
    """``role`` or ``role:identity``. A bare role is the case's party, the one assigned, or the first of that role.

    An error is said of ``by``.
    """
    role, _, identity = text.partition(":")
    if role not in ROLES:
        raise InputError(*_unknown("role", "角色", role, list(ROLES)), "by")
    if role == "external" and identity not in BODIES:
        names = ", ".join(BODIES)
        raise InputError(f"say which body: external:BODY, one of {names}", f"请写明机构：external:机构，可用：{names}", "by")
    if identity:
        try:
            return read({"role": role, "id": identity}, Actor)
        except FieldError as error:
            raise error.at("by") from None
    if facts is None:
        return Actor(role=role, id="A-1" if role == "agent" else "S-1" if role == "supervisor" else role)
    return actor_for(role, facts)


def opener(text: str, given: OpenCase) -> Actor:
    """Who opens a case: a bare ``consumer`` is the one named in it."""
    return Actor(role="consumer", id=given.consumer) if text == "consumer" else actor(text, None)


def _check_keys(said: Mapping[str, Any], kind: type[msgspec.Struct], path: tuple[str | int, ...]) -> None:
    fields = _fields(kind)
    for key, value in said.items():
        if key not in fields:
            raise FieldError(*_unknown("field", "字段", str(key), list(fields)), path, str(key))
        inner = fields[key]
        if inner is not None and isinstance(value, Mapping):
            _check_keys(value, inner, (*path, key))
        elif inner is not None and isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, Mapping):
                    _check_keys(item, inner, (*path, key, i))


@cache
def _type_info(kind: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(kind)


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct] | None]:
    """The fields of a type as they are written, each with the type of struct that it holds, if it does."""
    return {f.encode_name: _struct_in(f.type) for f in msgspec.structs.fields(kind)}


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for part in getattr(kind, "__args__", ()) if (found := _struct_in(part))), None)


def _shaped(said: Any, kind: inspect.Type) -> Any:
    """A text where a list is wanted is taken for its items, separated by commas."""
    if isinstance(kind, inspect.Metadata):
        return _shaped(said, kind.type)
    if isinstance(kind, inspect.UnionType):
        return _shaped(said, next(t for t in kind.types if not isinstance(t, inspect.NoneType)))
    if isinstance(kind, inspect.VarTupleType):
        items = [p.strip() for p in said.split(",") if p.strip()] if isinstance(said, str) else said
        return [_shaped(i, kind.item_type) for i in items] if isinstance(items, list) else items
    if isinstance(kind, inspect.DateTimeType) and not isinstance(said, datetime):
        # A bare number would be taken for seconds since 1970.
        return said if isinstance(said, str) and _TIME.match(said) else "no time"
    if isinstance(kind, inspect.DecimalType) and not isinstance(said, Decimal):
        return str(said) if isinstance(said, str | int) and _AMOUNT.fullmatch(str(said)) else "no amount"
    if isinstance(kind, inspect.StructType) and isinstance(said, Mapping):
        types = {f.encode_name: f.type for f in kind.fields}
        return {k: _shaped(v, types[k]) if k in types else v for k, v in said.items() if v is not None}
    return said


def _said_clearly(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> FieldError:
    what, path = told(error)
    required = re.search(r"missing required field (\w+)", what)
    if required:
        return FieldMissing(f"'{required[1]}' is required; add it", f"缺少必填字段“{required[1]}”，请补上", path)
    choices = _choices(_type_info(kind), path)
    if choices:
        return FieldError(f"has to be one of: {', '.join(choices)}", f"须为其中之一：{'、'.join(choices)}", path)
    for pattern, en, zh in _DOES_NOT_FIT:
        if found := pattern.search(what):
            return FieldError(en.format(*found.groups()), zh.format(*found.groups()), path)
    return FieldError(f"does not fit: {what}", f"取值不符：{what}", path)


def _choices(kind: inspect.Type, path: tuple[str | int, ...]) -> list[str]:
    """The values that the field at that path can have, where it has a list of them."""
    if isinstance(kind, inspect.Metadata):
        return _choices(kind.type, path)
    if isinstance(kind, inspect.UnionType):
        return next((found for t in kind.types if (found := _choices(t, path))), [])
    if isinstance(kind, inspect.LiteralType):
        return [str(value) for value in kind.values]
    if isinstance(kind, inspect.VarTupleType):
        return _choices(kind.item_type, path[1:])
    if isinstance(kind, inspect.StructType):
        return next((_choices(f.type, path[1:]) for f in kind.fields if path and f.encode_name == path[0]), [])
    return []


def _unknown(kind_en: str, kind_zh: str, name: str, known: list[str]) -> tuple[str, str]:
    near = get_close_matches(name, known, n=1)
    shown = name[:60]
    if near:
        return f"unknown {kind_en} '{shown}'; did you mean '{near[0]}'?", f"未知的{kind_zh}“{shown}”；是否指“{near[0]}”？"
    return (f"unknown {kind_en} '{shown}'; one of: {', '.join(known)}",
            f"未知的{kind_zh}“{shown}”；可用：{'、'.join(known)}")
