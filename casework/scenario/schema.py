"""The scenario file, read: the contract's keys and no others, each error with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from casework.application.intake import FieldError, FieldMissing, command_named, opening, standing_command
from casework.application.intake import read as read_struct
from casework.domain.commands import COMMANDS, Command, OpenCase
from casework.domain.standing.commands import STANDING_COMMANDS, StandingCommand
from casework.domain.values import IDENTITY_PATTERN, Moment
from casework.domain.vocabulary import ROLES
from casework.errors import InputError
from casework.yamlfile import Document, load

_KEYS = ("scenario", "title", "story", "given", "steps", "then")
_STEP_KEYS = ("do", "by", "at", "after", "with", "then")
#: After each step the case is read from its beginning: so many are read within a second.
MOST_STEPS = 200
#: What a ``then`` may name: what a case view holds, and for a step what became of it.
CASE_KEYS = (
    "state", "stage", "version", "ground", "assigned", "claim", "remedy", "performed", "goods", "advance", "penalties",
    "evidence", "proofs", "offers", "rulings", "referrals", "tip_offs", "calls", "publicity", "feedback", "overdue", "duties",
    "missed",
    # How the merchant of the case stands: what `casework merchant` shows of him.
    "standing",
)
_LISTS = {"refused", "missing", "findings"}
STEP_THEN = (*CASE_KEYS, "refused", "missing")
END_THEN = (*CASE_KEYS, "findings")


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the story comes from: the source document and the story's id in the inventory of sources."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is done, by whom, when (``at`` or ``after``), saying what, and what is expected of it."""

    line: int
    do: str
    by: str
    at: datetime | None
    after: str | None
    said: Command | StandingCommand | dict[str, Any]
    then: dict[str, Any]
    then_lines: dict[str, int]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story as a file tells it."""

    name: str
    file: str
    title: str
    story: Story
    given: OpenCase
    steps: tuple[Step, ...]
    then: dict[str, Any]
    then_lines: dict[str, int]

    @property
    def begins(self) -> datetime:
        """When the first step's ``after`` counts from: receipt of the goods, else the order."""
        return self.given.order.received_at or self.given.order.ordered_at


def read(path: Path) -> Scenario:
    """The scenario in a file. :class:`~casework.errors.InputError` naming file, line and remedy."""
    document = load(path)
    reader = _Reader(document)
    root = reader.mapping((), _KEYS)
    name = reader.text(("scenario",))
    if name != path.stem:
        reader.fail(("scenario",), f"the scenario is '{name}', but the file is called '{path.stem}'; make them the same",
                    f"“{name}”与文件名“{path.stem}”不一致，请改为相同")
    if not re.fullmatch(IDENTITY_PATTERN, name):
        reader.fail(("scenario",), "is no case id; use letters, digits, '.', '_' and '-', at most 64",
                    "不能作案件编号；只能含字母、数字、“.”“_”“-”，最多 64 个字符")
    steps: Any = root.get("steps")
    if not isinstance(steps, list) or not steps:
        reader.fail(("steps",), "has to be a list with at least one step", "须为至少含一个步骤的列表")
    if len(steps) > MOST_STEPS:
        reader.fail(("steps", MOST_STEPS), f"a scenario has at most {MOST_STEPS} steps; split the story",
                    f"剧本最多 {MOST_STEPS} 步；请拆分")
    return Scenario(
        name=name,
        file=document.name,
        title=reader.text(("title",)),
        story=reader.said(("story",), lambda said: read_struct(said, Story)),
        given=reader.said(("given",), opening),
        steps=tuple(reader.step(("steps", i)) for i in range(len(steps))),
        then=reader.then(("then",), END_THEN),
        then_lines=reader.lines(("then",)),
    )


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document

    def step(self, path: tuple[str | int, ...]) -> Step:
        step = self.mapping(path, _STEP_KEYS)
        do = self.text((*path, "do"))
        if do not in COMMANDS and do not in STANDING_COMMANDS:
            self.unknown((*path, "do"), "trigger", "步骤", do, (*COMMANDS, *STANDING_COMMANDS))
        if ("at" in step) == ("after" in step):
            self.fail(path, "a step needs exactly one of 'at' and 'after'; keep one", "步骤须且只能有 at 与 after 之一")
        return Step(
            line=self._document.line((*path, "do")),
            do=do,
            by=self.role((*path, "by")),
            at=self.said((*path, "at"), _moment) if "at" in step else None,
            after=self.text((*path, "after")) if "after" in step else None,
            said=self.said((*path, "with"), lambda said: _saying(do, said or {})),
            then=self.then((*path, "then"), STEP_THEN),
            then_lines=self.lines((*path, "then")),
        )

    def mapping(self, path: tuple[str | int, ...], keys: tuple[str, ...]) -> dict[str, Any]:
        value = self.at(path)
        if not isinstance(value, dict):
            self.fail(path, "has to be a mapping with keys such as " + ", ".join(keys), "须为映射，键如 " + "、".join(keys))
        for key in value:
            if key not in keys:
                self.unknown((*path, key), "key", "键", key, keys)
        found: dict[str, Any] = value
        return found

    def text(self, path: tuple[str | int, ...]) -> str:
        value = self.at(path)
        if not isinstance(value, str) or not value.strip():
            name = path[-1]
            self.fail(path, f"'{name}' is required, as text; add it", f"缺少“{name}”，须为文字，请补上")
        found: str = value
        return found

    def role(self, path: tuple[str | int, ...]) -> str:
        by = self.text(path)
        role = by.partition(":")[0]
        if role not in ROLES:
            self.unknown(path, "role", "角色", role, tuple(ROLES))
        return by

    def then(self, path: tuple[str | int, ...], keys: tuple[str, ...]) -> dict[str, Any]:
        if self.at(path) is None:
            return {}
        found = self.mapping(path, keys)
        for key in _LISTS.intersection(found):
            codes = found[key]
            if not isinstance(codes, list) or not all(isinstance(c, str) for c in codes):
                self.fail((*path, key), f"'{key}' has to be a list; write it in brackets, [] for none",
                          f"“{key}”须为列表；请写在方括号中，没有则写 []")
        return found

    def lines(self, path: tuple[str | int, ...]) -> dict[str, int]:
        value = self.at(path)
        return {key: self._document.line((*path, key)) for key in value} if isinstance(value, dict) else {}

    def said(self, path: tuple[str | int, ...], make: Any) -> Any:
        value = self.at(path)
        if value is None and path[-1] != "with":
            self.fail(path, f"'{path[-1]}' is required; add it", f"缺少“{path[-1]}”，请补上")
        try:
            return make(value)
        except FieldError as error:
            self.fail((*path, *error.path), error.bare_en, error.bare_zh)
        except InputError as error:
            self.fail(self._nearest(path, error), str(error), error.zh)

    def at(self, path: tuple[str | int, ...]) -> Any:
        value = self._document.data
        for key in path:
            if isinstance(value, dict):
                value = value.get(str(key))
            elif isinstance(value, list) and isinstance(key, int):
                value = value[key]
            else:
                return None
        return value

    def unknown(self, path: tuple[str | int, ...], kind_en: str, kind_zh: str, name: str, known: tuple[str, ...]) -> None:
        near = get_close_matches(name, known, n=1)
        shown = name[:60]
        hint_en = f"did you mean '{near[0]}'?" if near else f"one of: {', '.join(known)}"
        hint_zh = f"是否指“{near[0]}”？" if near else f"可用：{'、'.join(known)}"
        self.fail(path, f"unknown {kind_en} '{shown}'; {hint_en}", f"未知的{kind_zh}“{shown}”；{hint_zh}")

    def fail(self, path: tuple[str | int, ...], en: str, zh: str) -> Any:
        raise InputError(en, zh, f"{self._document.name}:{self._document.line(path)}")

    def _nearest(self, path: tuple[str | int, ...], error: InputError) -> tuple[str | int, ...]:
        return (*path, *(p for p in error.where.replace("[", ".").replace("]", "").split(".") if p))


def _saying(do: str, said: dict[str, Any]) -> Command | StandingCommand | dict[str, Any]:
    """The command; or what is said of it while a required field is missing, which matters only if the step is allowed."""
    try:
        return standing_command(do, said) if do in STANDING_COMMANDS else command_named(do, said)
    except FieldMissing:
        return said


def _moment(value: Any) -> datetime:
    try:
        return msgspec.convert(value, Moment, strict=False)
    except msgspec.ValidationError:
        raise FieldError("write a time with its offset, such as 2026-03-01T10:00:00+08:00",
                         "请写带时区的时间，例如 2026-03-01T10:00:00+08:00") from None
