"""Replay a scenario on a fresh store in memory, through the same service as any other command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from casework.application import service, views
from casework.application.merchant import merchant_view
from casework.application.standing import retold
from casework.domain.events import Event
from casework.domain.facts import Facts
from casework.domain.fold import apply
from casework.domain.standing.commands import STANDING_COMMANDS
from casework.domain.standing.events import StandingEvent, stream_of
from casework.errors import CaseworkError, Conflict, InputError, Refused
from casework.rulebook.calendar import after
from casework.scenario.schema import Scenario, Step, read
from casework.store.opening import open_store
from casework.store.row import Row
from casework.store.store import Store

#: What a step's ``then`` may ask without the case being looked at.
_OF_THE_STEP = {"state", "refused", "missing", "standing"}
#: The audit, handed in by the caller: rows of one case -> sorted codes of its findings.
Findings = Callable[[Iterable[Row]], list[str]]


@dataclass(slots=True)
class Played:
    """One step as it went: the state after it, or the codes of its refusal."""

    line: int
    do: str
    by: str
    at: datetime
    state: str
    refused: list[str]


@dataclass(slots=True)
class Replay:
    """How a scenario went. ``mismatches`` are (file:line, English, 中文); none means it passed.

    ``rows`` are those of its case, ``standing`` those of the merchant's stream.
    """

    scenario: Scenario
    steps: list[Played] = field(default_factory=list)
    mismatches: list[tuple[str, str, str]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    standing: list[Row] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether everything was as the file expects."""
        return not self.mismatches

    def differs(self, line: int, key: str, expected: Any, found: Any) -> None:
        """Keep a mismatch."""
        self.mismatches.append((
            f"{self.scenario.file}:{line}",
            f"expected {key} to be {_shown(expected)}, found {_shown(found)}",
            f"预期 {key} 为 {_shown(expected)}，实际为 {_shown(found)}",
        ))


def files(paths: Iterable[Path]) -> list[Path]:
    """The scenario files that these paths name: files as they are, folders for every ``*.yaml`` and ``*.yml`` in them.

    A folder that holds none, or cannot be looked into, stands for itself: :func:`replay` says so.
    """
    found: list[Path] = []
    for path in paths:
        try:
            inside = sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml"))
        except (OSError, ValueError):
            inside = []
        found += inside or [path]
    return list(dict.fromkeys(found))


def replay(path: Path, findings: Findings) -> Replay:
    """Replay one file. :class:`~casework.errors.InputError` for a file that is no scenario."""
    if os.path.isdir(path):
        raise InputError("holds no scenario (*.yaml); name a file or another folder",
                         "其中没有剧本（*.yaml）；请指定文件或其他目录", str(path))
    scenario = read(path)
    result = Replay(scenario)
    with open_store(":memory:") as store:
        now = scenario.begins
        service.open_case(store, scenario.name, scenario.given, by="consumer", clock=lambda: now,
                          command_id=f"{scenario.name}:open")
        facts = _facts(store.rows(scenario.name))
        for number, step in enumerate(scenario.steps, 1):
            now = _play(store, result, step, number, now, facts)
        result.rows = list(store.rows(scenario.name))
        result.standing = list(store.rows(stream_of(scenario.given.order.merchant)))
        result.findings = findings(result.rows)
        # From the rows and not from what was gone on with, so that a story also shows that a case reads as it was lived.
        seen = _seen(_facts(result.rows), now, scenario.then) | {"findings": result.findings}
        _compare(result, scenario.then, scenario.then_lines, seen | _standing(store, scenario, now, scenario.then))
    return result


def record(result: Replay, store: Store) -> bool:
    """Keep the replayed case in a store under the file's stem; whether anything was added.

    The same events again change nothing; :class:`~casework.errors.Conflict` where the store holds others under that id.
    """
    with store.writing():
        there = list(store.rows(result.scenario.name))
        if there == result.rows:
            store.settle()
            return False
        if there:
            raise Conflict(
                f"{result.scenario.file}: the store holds another case '{result.scenario.name}'; "
                "use a fresh store or rename the scenario",
                f"{result.scenario.file}：案件库中已有不同的案件“{result.scenario.name}”；请使用新的案件库或为剧本改名")
        told = cast(list[Event], list(views.events_of(result.rows)))
        of_merchant = cast(list[StandingEvent], list(views.events_of(result.standing)))
        # The merchant may have other cases in that store: what he met is not copied but decided again on how he stands there.
        store.adopt(result.rows, *retold(store, result.scenario.file, told, of_merchant))
        return True


def _play(store: Store, result: Replay, step: Step, number: int, before: datetime, facts: Facts) -> datetime:
    """Play a step, bring the facts forward by what it recorded of the case, and say when it was."""
    scenario = result.scenario
    where = f"{scenario.file}:{step.line}"
    at = _time_of(step, before, where)
    refused: Refused | None = None
    try:
        whom = stream_of(scenario.given.order.merchant) if step.do in STANDING_COMMANDS else scenario.name
        done = service.carry_on(store, whom, step.do, step.said, by=step.by, at=at, clock=lambda: at,
                                command_id=f"{scenario.name}:{number}")
        if isinstance(done.event, Event):
            apply(facts, done.event)
    except Refused as error:
        refused = error
    except InputError as error:
        raise error.at(where) from None
    played = Played(step.line, step.do, step.by, at, facts.state, refused.codes if refused else [])
    result.steps.append(played)
    seen = _seen(facts, at, step.then) | {
        "refused": played.refused,
        "missing": sorted({m for r in refused.reasons for m in r.missing}) if refused else [],
    } | _standing(store, scenario, at, step.then)
    expected = {"refused": []} | step.then
    _compare(result, expected, {"refused": step.line} | step.then_lines, seen)
    return at


def _time_of(step: Step, before: datetime, where: str) -> datetime:
    if step.at is not None:
        return step.at
    assert step.after is not None
    try:
        return after(before, step.after)
    except InputError as error:
        raise error.at(where) from None
    except CaseworkError as error:
        raise InputError(error.en, error.zh, where) from None


def _seen(facts: Facts, at: datetime, then: dict[str, Any]) -> dict[str, Any]:
    """What the file may ask of the case; everything of it only where more is asked than its state."""
    return {"state": facts.state} if then.keys() <= _OF_THE_STEP else views.full(facts, at)


def _standing(store: Store, scenario: Scenario, now: datetime, then: dict[str, Any]) -> dict[str, Any]:
    """How the merchant stands, where the file asks."""
    return {"standing": merchant_view(store.rows(), scenario.given.order.merchant, now)} if "standing" in then else {}


def _facts(rows: Iterable[Row]) -> Facts:
    facts = views.facts_of(rows)
    assert facts is not None
    return facts


def _compare(result: Replay, expected: dict[str, Any], lines: dict[str, int], seen: dict[str, Any]) -> None:
    for key, want in expected.items():
        have = seen[key]
        if key in ("refused", "missing", "findings"):
            want, have = sorted(want), sorted(have)
        if not _fits(want, have):
            result.differs(lines[key], key, want, _asked(want, have))


def _asked(want: Any, have: Any) -> Any:
    """Of what is there, what the file names: a view of everything would bury the difference."""
    if isinstance(want, dict) and isinstance(have, dict):
        return {k: _asked(want[k], have[k]) for k in want if k in have}
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        return [_asked(w, h) for w, h in zip(want, have, strict=True)]
    return have


def _fits(want: Any, have: Any) -> bool:
    """Whether what is there is what the file names; what the file does not name is not looked at."""
    if isinstance(want, dict):
        return isinstance(have, dict) and all(k in have and _fits(v, have[k]) for k, v in want.items())
    if isinstance(want, list):
        return isinstance(have, list) and len(want) == len(have) and all(map(_fits, want, have))
    if isinstance(want, str) and isinstance(have, dict):
        return want in (have.get("kind"), have.get("id"))
    if isinstance(have, bool):
        return str(want).lower() == str(have).lower()
    if isinstance(have, datetime):
        return isinstance(want, str) and _moment(want) == have
    return want == have or (want is not None and have is not None and str(want) == str(have))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_shown(v)}" for k, v in value.items()) + "}"
    return "none" if value is None else str(value)
