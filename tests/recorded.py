"""Recorded cases to inquire into: every scenario replayed once a process, in memory or as a store, and the golden stores.

A scenario counts here whether or not it went as its file says: what is recorded is lawful either way.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, cast

from cli_helpers import SCENARIOS

from casework.application.views import by_case, events_of
from casework.audit.check import audit_case
from casework.audit.columns import microseconds
from casework.domain import events as e
from casework.rulebook.edition import Edition, editions
from casework.scenario.replay import Replay, record, replay
from casework.store.codec import encode
from casework.store.opening import open_reader, open_store
from casework.store.row import Row

NAMES = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
#: Stores that releases with the first lifecycle recorded.
GOLDEN = {name: Path(__file__).parent / "golden" / f"{name}.db" for name in ("issue-2", "issue-3")}


@cache
def replayed(name: str) -> Replay:
    """One scenario, replayed."""
    return replay(SCENARIOS / f"{name}.yaml", lambda rows: [])


@cache
def recorded(name: str) -> tuple[e.Event, ...]:
    """The events of a scenario's case."""
    return tuple(cast(Iterable[e.Event], events_of(replayed(name).rows)))


@cache
def golden() -> dict[str, tuple[e.Event, ...]]:
    """Every case of the golden stores, by store and case."""
    found = {}
    for store, path in GOLDEN.items():
        with open_reader(str(path)) as reader:
            for case, rows in by_case(reader.rows()):
                found[f"{store}:{case}"] = tuple(cast(Iterable[e.Event], events_of(rows)))
    return found


def store_of(path: Path, names: Iterable[str] = NAMES) -> str:
    """A store that holds these scenarios' cases; its URL."""
    with open_store(str(path), create=True) as store:
        for name in names:
            record(replayed(name), store)
    return str(path)


def golden_copy(name: str, folder: Path) -> str:
    """A copy of a golden store, so that nothing can happen to the original; its URL."""
    return str(shutil.copy(GOLDEN[name], folder / f"{name}.db"))


def prints(folder: Path) -> dict[str, str]:
    """Every file of a folder with the SHA-256 of its bytes."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def row_of(event: e.Event) -> Row:
    """The row under which a store keeps an event."""
    return Row(event.originator_id, event.originator_version, e.topic_of(type(event)), encode(event), event.trigger,
               event.from_state, event.to_state, microseconds(event.at), microseconds(event.recorded_at))


def altered(rows: Iterable[Row], version: int, change: Callable[[dict[str, Any]], None]) -> list[Row]:
    """The rows with one payload changed as a careful forger would: what is written is canonical again."""
    found = []
    for row in rows:
        if row.version == version:
            document = json.loads(row.payload)
            change(document)
            payload = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
            row = row._replace(payload=payload)
        found.append(row)
    return found


def faults(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """What the audit says of a case: codes and versions."""
    return [(finding.code, finding.version) for finding in audit_case(rows)]


def with_later(edition: Edition) -> Callable[[], dict[str, Edition]]:
    """What :func:`casework.rulebook.edition.editions` would give, had this edition been published since."""
    known = {**editions(), edition.id: edition}
    return lambda: known
