"""A YAML file as plain text data with line numbers, and nothing that YAML adds behind the writer's back.

PyYAML's own composer keeps the last of two equal keys, reads ``no`` as false and ``190:20:30`` as a number, and its C
form crashes on deep nesting. So only its parser is used here, event by event, and every scalar stays what was written.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from casework.errors import InputError
from casework.marks import MAX_MARKS, overstacked

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 20
MAX_NODES = 50_000
MAX_DEPTH = 32
MAX_QUOTE = 60

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_BREAK = re.compile("\r\n|[\r\n]")
_TAG_DIRECTIVE = re.compile("(?:\\A|[\r\n\x85\u2028\u2029])(?=%TAG)")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE | re.ASCII)

_KINDS = ("StreamEnd", "Scalar", "Alias", "MappingStart", "MappingEnd", "SequenceEnd")

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """What a file says, and on which line: ``data`` is dict, list, str or None, all the way down.

    ``lines`` maps a path into ``data`` to its 1-based line (of the key, for a mapping entry); ``()`` is the root. What
    an alias repeats has no lines of its own. ``name`` is what messages call the file.
    """

    data: Any
    lines: dict[Where, int]
    name: str

    def line(self, path: Sequence[str | int]) -> int:
        """The nearest known line of ``path``: its own, or that of the closest parent that has one."""
        found = (self.lines.get(tuple(path[:end])) for end in range(len(path), -1, -1))
        return next((line for line in found if line is not None), 1)


def load(path: Path, name: str | None = None) -> Document:
    """Read and compose the file at ``path``, called ``name`` in messages; InputError when it cannot be used."""
    called = str(path) if name is None else name
    return compose(read_text(path, called), called)


def read_text(path: Path, name: str | None = None) -> str:
    """The text of a regular UTF-8 file of at most 1 MiB, without its byte order mark; anything else is InputError.

    Opening never waits for a writer, so a named pipe in place of a file is refused and does not hang the program.
    """
    name = str(path) if name is None else name
    try:
        mode, size, raw = _raw(path)
    except FileNotFoundError:
        raise _error(name, "there is no such file; check the path", "没有这个文件；请检查路径") from None
    except (OSError, ValueError) as exc:
        why = _shown(getattr(exc, "strerror", None) or str(exc))
        raise _error(
            name,
            f"cannot be read ({why}); check the path and its permissions",
            f"无法读取（{why}）；请检查路径和权限",
        ) from None
    if stat.S_ISDIR(mode):
        raise _error(name, "is a directory; name a file in it", "这是一个目录；请给出其中的文件")
    if not stat.S_ISREG(mode):
        raise _error(name, "is not a regular file; save the text to a file first", "不是普通文件；请先把内容存成文件")
    if size > MAX_BYTES:
        raise _error(name, "is over 1 MiB; split it into smaller files", "超过 1 MiB；请拆成较小的文件")
    text = _decoded(raw, name)
    _refuse_forbidden(text, name)
    return text


def compose(text: str, name: str) -> Document:
    """The one document in ``text``; InputError, with ``name:LINE``, for all that is not plain, finite and unambiguous.

    Refused are: bad syntax, an empty text, several documents, equal keys, keys that are not text, tags, merge keys,
    ``.nan`` and ``.inf``, bad or recursive aliases, and anything over the limits on depth, nodes and expanded text.
    """
    text = text.removeprefix("\ufeff")
    _refuse_forbidden(text, name)
    return _Composer(text, name).document()


def _raw(path: Path) -> tuple[int, int, bytes]:
    """The mode of ``path``, its size, and the bytes of a regular file that is not too long; of a longer one nothing is read."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return status.st_mode, 0, b""
        if status.st_size > MAX_BYTES:
            return status.st_mode, status.st_size, b""
        with open(handle, "rb", closefd=False) as file:
            # Files of the system say that they are empty, and may have nothing to read yet.
            raw = file.read(MAX_BYTES + 1) or b""
        return status.st_mode, len(raw), raw
    finally:
        os.close(handle)


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        line = len(_BREAK.findall(raw[: exc.start].decode("utf-8"))) + 1
        byte = f"0x{raw[exc.start]:02x}"
        raise _error(
            name,
            f"is not UTF-8 (byte {byte}); save the file as UTF-8",
            f"不是 UTF-8 编码（字节 {byte}）；请把文件另存为 UTF-8",
            line,
        ) from None


def _refuse_forbidden(text: str, name: str) -> None:
    if bad := _FORBIDDEN.search(text):
        code = f"U+{ord(bad[0]):04X}"
        raise _error(
            name,
            f"the character {code} is not allowed in YAML; delete it",
            f"YAML 不允许字符 {code}；请删除它",
            len(_BREAK.findall(text[: bad.start()])) + 1,
        )
    # libyaml compares every %TAG with all before it: a file full of them would keep it busy for many seconds.
    if bad := _TAG_DIRECTIVE.search(text):
        raise _error(
            name,
            "%TAG directives are not accepted; delete the line, or indent it if it is text",
            "不接受 %TAG 指令；请删除该行，如果是正文请缩进",
            len(_BREAK.findall(text[: bad.end()])) + 1,
        )


def _error(name: str, en: str, zh: str, line: int | None = None) -> InputError:
    called = "".join(_visible(char) for char in name)
    return InputError(en, zh, called if line is None else f"{called}:{line}")


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def _shown(text: str) -> str:
    """``text`` on one line, cut to 60 characters, with what could disturb a terminal escaped."""
    shown = ""
    for char in text:
        if len(shown) + len(_visible(char)) > MAX_QUOTE:
            return shown[: MAX_QUOTE - 1] + "…"
        shown += _visible(char)
    return shown


@dataclass
class _Anchor:
    """A node that has a name, and what each further use of it costs; ``nodes`` is 0 while it is still open."""

    line: int
    value: Any = None
    nodes: int = 0
    chars: int = 0
    height: int = 0


@dataclass
class _Composer:
    """One pass over the events of one text; depth is bounded, so recursion is too."""

    text: str
    name: str
    at: int = 1
    nodes: int = 0
    chars: int = 0
    lines: dict[Where, int] = field(default_factory=dict)
    anchors: dict[str, _Anchor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import yaml

        self.kinds: dict[str, Any] = {kind: getattr(yaml.events, f"{kind}Event") for kind in _KINDS}
        self.bad: tuple[type[Exception], ...] = (yaml.YAMLError, ValueError, ArithmeticError)
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events: Iterator[Any] = iter(yaml.parse(self.text, Loader=loader))

    def document(self) -> Document:
        self.next()
        if self.is_a("StreamEnd", self.next()):
            raise self.empty()
        root = self.next()
        if self.is_a("Scalar", root) and not (root.value or root.style or root.anchor or root.tag):
            raise self.empty()
        data, _ = self.node(root, (), 0)
        self.next()
        if not self.is_a("StreamEnd", self.next()):
            raise self.error(
                "a second document starts here; keep one per file", "此处开始了第二个文档；每个文件只能有一个"
            )
        return Document(data, self.lines, self.name)

    def next(self) -> Any:
        try:
            event = next(self.events)
        except self.bad as exc:
            mark = getattr(exc, "problem_mark", None)
            # The pure Python scanner lets int() and chr() fail on absurd escapes and versions: no mark, no problem.
            why = _shown(" ".join(str(getattr(exc, "problem", None) or exc).split()))
            if "nesting depth" in why:  # newer parsers give up before the composer here gets to count
                self.refuse_depth(MAX_DEPTH + 1)
            raise self.error(
                f"not valid YAML: {why}; check indentation, quotes and the space after each colon",
                f"YAML 语法错误：{why}；请检查缩进、引号和冒号后的空格",
                mark.line + 1 if mark else self.at,
            ) from None
        self.at = event.start_mark.line + 1
        return event

    def is_a(self, kind: str, event: Any) -> bool:
        return isinstance(event, self.kinds[kind])

    def error(self, en: str, zh: str, line: int | None = None) -> InputError:
        return _error(self.name, en, zh, self.at if line is None else line)

    def empty(self) -> InputError:
        return _error(self.name, "is empty; write the data in it first", "文件没有内容；请先写入数据")

    def node(self, event: Any, path: Where, depth: int) -> tuple[Any, int]:
        """The value of the node that ``event`` opens, and how many levels of lists and mappings it has."""
        self.lines.setdefault(path, self.at)
        if self.is_a("Alias", event):
            return self.alias(event.anchor, depth)
        before = self.nodes, self.chars
        anchor = self.open(event)
        value: Any
        if self.is_a("Scalar", event):
            value, height = self.scalar(event), 0
        else:
            self.refuse_depth(depth + 1)
            below = self.mapping if self.is_a("MappingStart", event) else self.sequence
            value, height = below(path, depth + 1)
        if anchor:
            anchor.value, anchor.height = value, height
            anchor.nodes, anchor.chars = self.nodes - before[0], self.chars - before[1]
        return value, height

    def sequence(self, path: Where, depth: int) -> tuple[list[Any], int]:
        data: list[Any] = []
        height = 0
        while not self.is_a("SequenceEnd", event := self.next()):
            value, levels = self.node(event, (*path, len(data)), depth)
            data.append(value)
            height = max(height, levels)
        return data, height + 1

    def mapping(self, path: Where, depth: int) -> tuple[dict[str, Any], int]:
        data: dict[str, Any] = {}
        height = 0
        while not self.is_a("MappingEnd", event := self.next()):
            key = self.key(event)
            if key in data:
                first, shown = self.lines[*path, key], _shown(key)
                raise self.error(
                    f"the key '{shown}' is already on line {first}; keep one of the two",
                    f"键“{shown}”在第 {first} 行已经出现；请只保留一个",
                )
            self.lines[*path, key] = self.at
            data[key], levels = self.node(self.next(), (*path, key), depth)
            height = max(height, levels)
        return data, height + 1

    def key(self, event: Any) -> str:
        if self.is_a("Scalar", event):
            if event.value == "<<" and not event.style:
                raise self.error(
                    "merge keys (<<) are not accepted; write the entries out", "不接受合并键（<<）；请逐项写出"
                )
            key, _ = self.node(event, (), 0)
            if isinstance(key, str):
                return key
        raise self.error(
            "a key must be text; write it out, in quotes if need be", "键必须是文本；请直接写出，必要时加引号"
        )

    def scalar(self, event: Any) -> str | None:
        if not event.style:
            if event.value in ("", "~", "null"):
                return None
            if _NOT_FINITE.fullmatch(event.value):
                raise self.error(
                    f"{event.value} is not a number; write a finite one, or put quotes around text",
                    f"{event.value} 不是数字；请写有限的数值，如果是文本请加引号",
                )
        self.spend(0, len(event.value))
        return self.normal(event.value)

    def normal(self, text: str) -> str:
        if bad := _UNSTORABLE.search(text):
            code = f"U+{ord(bad[0]):04X}"
            raise self.error(
                f"the escape gives {code}, which is no character; write the character itself",
                f"转义得到 {code}，它不是字符；请直接写出该字符",
            )
        if text.isascii():
            return text
        if overstacked(text):
            raise self.error(
                f"more than {MAX_MARKS} combining marks on one character; delete some",
                f"一个字符上的组合符号超过 {MAX_MARKS} 个；请删除多余的",
            )
        return unicodedata.normalize("NFC", text)

    def open(self, event: Any) -> _Anchor | None:
        """Count a node that is written out, refuse its tag, and note its anchor."""
        self.spend(1, 0)
        if event.tag is not None:
            tag = _shown(event.tag.replace("tag:yaml.org,2002:", "!!", 1))
            raise self.error(f"the tag {tag} is not accepted; delete it", f"不接受标签 {tag}；请删除它")
        if event.anchor is None:
            return None
        if known := self.anchors.get(event.anchor):
            shown = _shown(event.anchor)
            raise self.error(
                f"the anchor &{shown} is already on line {known.line}; give one of the two another name",
                f"锚点 &{shown} 在第 {known.line} 行已经出现；请给其中一个换名",
            )
        self.anchors[event.anchor] = anchor = _Anchor(self.at)
        return anchor

    def alias(self, name: str, depth: int) -> tuple[Any, int]:
        anchor, shown = self.anchors.get(name), _shown(name)
        if anchor is None:
            raise self.error(
                f"the alias *{shown} has no anchor &{shown} before it; add the anchor or write the value out",
                f"别名 *{shown} 之前没有锚点 &{shown}；请加上锚点或直接写出内容",
            )
        if not anchor.nodes:
            raise self.error(
                f"the alias *{shown} is inside its own anchor; write the value out",
                f"别名 *{shown} 位于它自己的锚点之内；请直接写出内容",
            )
        # Anchors that build on each other nest deeper than any line of the file shows.
        self.refuse_depth(depth + anchor.height)
        self.spend(anchor.nodes, anchor.chars)
        return anchor.value, anchor.height

    def refuse_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.error(
                f"nested deeper than {MAX_DEPTH} levels; flatten it", f"嵌套超过 {MAX_DEPTH} 层；请减少层次"
            )

    def spend(self, nodes: int, chars: int) -> None:
        self.nodes += nodes
        self.chars += chars
        if self.nodes > MAX_NODES:
            raise self.error(
                f"more than {MAX_NODES} values, counting each use of an alias; split the file",
                f"超过 {MAX_NODES} 个值（别名每用一次都计入）；请拆分文件",
            )
        if self.chars > MAX_BYTES:
            raise self.error(
                "over 1 MiB of text, counting each use of an alias; shorten it",
                "文本超过 1 MiB（别名每用一次都计入）；请缩短",
            )
