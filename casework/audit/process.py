"""The lifecycle that a log is held against, as a table: casework's own, or one that a file describes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casework.domain.facts import INITIAL
from casework.domain.machine import pinned
from casework.domain.versions import VERSION
from casework.errors import InputError
from casework.yamlfile import Document, load

OPENING = "open_case"
_KEYS = ("version", "digest", "initial", "states", "edges", "beside")
_EDGE_KEYS = ("from", "trigger", "to", "roles", "guards")


@dataclass(frozen=True, slots=True)
class Process:
    """The state in which a case begins, from each state where each trigger leads, and what is recorded beside the states."""

    initial: str
    steps: dict[str, dict[str, str]]
    beside: frozenset[str] = frozenset()

    @property
    def states(self) -> frozenset[str]:
        """Every state of it."""
        return frozenset([self.initial, *self.steps, *(to for row in self.steps.values() for to in row.values())])

    @property
    def triggers(self) -> frozenset[str]:
        """Every trigger of it."""
        return frozenset(name for row in self.steps.values() for name in row)


def own(version: int = VERSION) -> Process:
    """Casework's own: the table compiled from the machine that enforces it. :class:`~casework.errors.CaseworkError`."""
    found = pinned(version)
    steps = {state: {name: step.to for name, step in row.items()} for state, row in found.map.items()}
    return Process(INITIAL, steps, frozenset([*found.acts, OPENING]))


def read(path: Path) -> Process:
    """The lifecycle that a file describes, in JSON or YAML, as ``casework lifecycle --format json`` prints it.

    What it says of roles and guards is not asked of a log. :class:`~casework.errors.InputError` with file, line and remedy.
    """
    document = load(path)
    root = _mapping(document, (), document.data, _KEYS)
    steps: dict[str, dict[str, str]] = {}
    for number, edge in enumerate(_items(document, "edges", root.get("edges"))):
        where: tuple[str | int, ...] = ("edges", number)
        said = _mapping(document, where, edge, _EDGE_KEYS)
        source, trigger, to = (_text(document, (*where, key), said.get(key)) for key in ("from", "trigger", "to"))
        if steps.setdefault(source, {}).setdefault(trigger, to) != to:
            raise _error(document, where, f"a second edge leaves {source} by {trigger}; keep one",
                         f"{source} 已有一条 {trigger} 的边；请只保留一条")
    if not steps:
        raise _error(document, ("edges",), "has to be a list with at least one edge: from, trigger, to",
                     "须为至少含一条边（from、trigger、to）的列表")
    initial = root.get("initial", next(iter(_states(document, root.get("states"))), next(iter(steps))))
    beside = [_text(document, ("beside", i), name) for i, name in enumerate(_items(document, "beside", root.get("beside")))]
    return Process(_text(document, ("initial",), initial), steps, frozenset(beside))


def _states(document: Document, said: Any) -> Iterator[Any]:
    for state in _items(document, "states", said):
        yield state.get("state") if isinstance(state, dict) else state


def _items(document: Document, key: str, said: Any) -> list[Any]:
    if said is not None and not isinstance(said, list):
        raise _error(document, (key,), f"{key} has to be a list", f"{key} 须为列表")
    return said or []


def _mapping(document: Document, where: tuple[str | int, ...], said: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise _error(document, where, f"has to be a mapping with keys such as {', '.join(keys)}",
                     f"须为映射，键如 {'、'.join(keys)}")
    for key in said:
        if key not in keys:
            raise _error(document, (*where, key), f"unknown key '{key[:60]}'; one of: {', '.join(keys)}",
                         f"未知的键“{key[:60]}”；可用：{'、'.join(keys)}")
    return said


def _text(document: Document, where: tuple[str | int, ...], said: Any) -> str:
    if not isinstance(said, str) or not said:
        raise _error(document, where, f"{where[-1]} has to be a name", f"{where[-1]} 须为名称")
    return said


def _error(document: Document, where: tuple[str | int, ...], en: str, zh: str) -> InputError:
    return InputError(en, zh, f"{document.name}:{document.line(where)}")
