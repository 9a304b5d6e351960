"""A store held against what was acknowledged: an empty list of problems, or a sentence for each."""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from casework.audit.findings import Finding
from casework.store.opening import open_reader
from casework.store.row import Row
from harness.commands import Answers


def rows_of(store: str | os.PathLike[str], case: str) -> list[Row]:
    """The rows of a case, by a reader of its own."""
    with open_reader(os.fspath(store)) as reader:
        return list(reader.rows(case))


def command_of(row: Row) -> str:
    """The command id of a row, read without our codec."""
    return str(json.loads(row.payload)["command_id"])


def recorded(rows: Iterable[Row]) -> dict[str, int]:
    """Command id -> version."""
    return {command_of(row): row.version for row in rows}


def problems(rows: list[Row], answers: Answers, *, opening: str = "open", in_flight: Collection[str] = ()) -> list[str]:
    """What is wrong with a case that one journal or several tell of.

    ``in_flight`` are commands that nobody was answered about: each may be recorded once, or not.
    """
    return [*promises(rows, answers, opening=opening, in_flight=in_flight), *_audit(rows)]


def promises(rows: list[Row], answers: Answers, *, opening: str = "open", in_flight: Collection[str] = ()) -> list[str]:
    """As :func:`problems`, but for who audits the store himself."""
    return [*answers.contradictions, *_order(rows), *_acknowledged(rows, answers),
            *_surplus(rows, {opening, *answers.acknowledged, *in_flight})]


def _order(rows: list[Row]) -> Iterator[str]:
    versions = [row.version for row in rows]
    if versions != list(range(1, len(rows) + 1)):
        yield f"versions are not contiguous: {versions}"
    for command, times in Counter(map(command_of, rows)).items():
        if times > 1:
            yield f"{command} is recorded {times} times"


def _acknowledged(rows: list[Row], answers: Answers) -> Iterator[str]:
    found = recorded(rows)
    for command, version in answers.acknowledged.items():
        if found.get(command) != version:
            yield f"{command} was acknowledged at {version} and is at {found.get(command)}"
    for command, codes in answers.refused.items():
        if not codes:
            yield f"{command} was refused without a code"


def _surplus(rows: list[Row], known: Collection[str]) -> Iterator[str]:
    for row in rows:
        if command_of(row) not in known:
            yield f"{command_of(row)} is recorded at {row.version} and was never acknowledged"


def _audit(rows: list[Row]) -> Iterator[str]:
    from casework.audit.check import audit_case

    for finding in audit_case(rows):
        yield f"audit: {finding}"


def unproved(store: str | os.PathLike[str], journal: str | os.PathLike[str]) -> list[Finding]:
    """What the ledger of a store, and the journal outside it, find wrong; nothing is judged by law."""
    from casework.audit.integrity import Integrity
    from casework.audit.signed import Signed

    found: list[Finding] = []
    with open_reader(os.fspath(store)) as reader:
        seen = reader.snapshot()
        integrity = Integrity.of(reader, seen.leaves, Signed(Path(journal)), whole=True)
        for case, rows in groupby(seen.rows, key=lambda row: row.case):
            deque(integrity.held(case, rows, found), maxlen=0)
        return found + list(integrity.rest())


def sidecars(store: Path) -> set[str]:
    """What lies beside a store: endings of the files whose name begins with its own."""
    return {path.name[len(store.name):] for path in store.parent.glob(store.name + "*")} - {""}
