"""Where the files of a trial lie, how its store is opened, and what a client does there: the one place that knows.

Everything lies below one root, in folders that are there from the beginning; a trial that records, cuts or faults files treats
all of them alike.
"""

from __future__ import annotations

import copy
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from casework.application.service import Clock, Done, open_case
from casework.audit.check import audit
from casework.store.ledger.journal import Journal
from casework.store.ledger.note import Signer
from casework.store.opening import open_reader, open_store
from casework.store.row import Row
from casework.store.store import Store
from harness.commands import GIVEN, Answers, Planned, give, plan
from harness.verdict import promises, unproved

#: The seed of the journal's key: always the same, so that a state of a trial can be repeated.
SEED = b"\x07" * 32
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """The files of one trial below ``root``."""

    root: Path

    @property
    def store(self) -> Path:
        """The store."""
        return self.root / "store" / "t.db"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder in which a command keeps something."""
        return (self.store.parent, self.journal)

    @property
    def journal(self) -> Path:
        """The journal outside it."""
        return self.root / "journal"

    def open(self, *, create: bool = False, lock_timeout: float = 5) -> Store:
        """The store, as every trial opens it; made with its journal, as the command line does, where there is none."""
        blank = not self.store.exists() or self.store.stat().st_size == 0
        kept = Journal.found(self.journal, Signer("local/place", SEED)) if create and blank else Journal(self.journal)
        return open_store(str(self.store), create=create, lock_timeout=lock_timeout, journal=kept)

    def rows(self) -> list[Row]:
        """Every row, by a reader of its own."""
        with open_reader(str(self.store)) as reader:
            return list(reader.rows())

    def findings(self, rows: list[Row]) -> list[str]:
        """What the audit of all and SQLite itself find wrong."""
        found = list(_audited(tuple(rows)))
        try:
            with closing(sqlite3.connect(self.store)) as plain:
                said = [line for (line,) in plain.execute("PRAGMA integrity_check")]
        except sqlite3.Error as error:
            said = [str(error)]
        return found + self._ledger() + [f"SQLite: {line}" for line in said if line != "ok"]

    def _ledger(self) -> list[str]:
        """What the ledger and the journal find; a commit that was not signed yet was acknowledged to nobody."""
        found = unproved(self.store, self.journal)
        with open_reader(str(self.store)) as reader:
            size = reader.ledger().size()
        last = Journal(self.journal).last()
        behind = size - (last.size if last else 0)
        # At most the one commit that was under way, with what follows of it for the merchant.
        return [f"audit: {f}" for f in found if f.code != "journal_behind"] + (["audit: behind"] if behind > 2 else [])

    def names(self) -> list[str]:
        """The folders, relative to the root."""
        return [os.path.relpath(folder, self.root) for folder in self.folders]

    def make(self) -> None:
        """The folders, empty."""
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in self.folders:
            folder.mkdir(parents=True)

    def put(self, files: Mapping[str, bytes | None]) -> None:
        """These files (None: a folder) and no others."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        for name, data in files.items():
            path = self.root / name
            if data is None:
                path.mkdir()
            else:
                path.write_bytes(data)

    def files(self) -> dict[str, bytes]:
        """What lies there now, below the root."""
        return {os.path.relpath(path, self.root): path.read_bytes()
                for folder in self.folders for path in sorted(folder.rglob("*")) if path.is_file()}


@lru_cache(maxsize=512)
def _audited(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Of the same rows the audit says the same, and most states of a trial hold the same."""
    return tuple(f"audit: {finding}" for finding in audit(rows))


class Step(NamedTuple):
    """A command to a case; the one called ``open`` opens it."""

    case: str
    command: Planned


_RULED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    *(("add_evidence", "consumer", {"kind": kind, "description": "证据"})
      for kind in ("comparison_photo", "batch_number", "chat_record", "listing_snapshot", "detail_photo")),
    ("contact_merchant", "consumer", {"message": "请处理"}),
    ("file", "consumer", {"claim": "refund", "statement": "请处理"}),
    ("accept_complaint", "agent", {}),
    ("answer", "merchant", {"statement": "意见"}),
    ("rule", "agent", {"outcome": "for_consumer", "findings": "经查", "clause": "争议规则 66",
                       "remedy": {"kind": "refund", "amount": "100.00"},
                       "penalties": [{"kind": "point_deduction", "points": 12}]}),
)


def script(seed: str) -> Iterator[Step]:
    """Commands without end, the same for a seed: some cases led to a ruling (which moves the merchant's standing as well),
    others carried on at random; now and then a command is given again, as if its answer had been lost.
    """
    choose, given = random.Random(f"{seed} script"), list[Step]()
    for number in range(1_000):
        here = [_leading(f"R-{number}"), _carrying(f"C-{number}", f"{seed}-{number}")]
        while here:
            if given and choose.random() < 0.08:
                yield choose.choice(given)
                continue
            steps = choose.choice(here)
            step = next(steps, None)
            if step is None:
                here.remove(steps)
            else:
                given.append(step)
                yield step


def _leading(case: str) -> Iterator[Step]:
    yield Step(case, Planned("open", "open", "consumer", {"ground": "counterfeit"}))
    for number, (name, by, said) in enumerate(_RULED):
        yield Step(case, Planned(f"lead-{number}", name, by, said))


def _carrying(case: str, seed: str) -> Iterator[Step]:
    yield Step(case, Planned("open", "open", "consumer", {}))
    for number, command in enumerate(plan(seed)):
        if number == 10:
            return
        yield Step(case, command)


def perform(store: Store, step: Step, clock: Clock) -> Done:
    """Do it, as any client would."""
    if step.command.name == "open":
        order = GIVEN["order"] | {"ordered_at": "2026-02-27T10:00:00+08:00", "paid": "100.00"}
        return open_case(store, step.case, GIVEN | {"order": order} | step.command.said, by="consumer", clock=clock,
                         command_id=step.command.id)
    return give(store, step.case, step.command, clock=clock)


def clock_from(number: int) -> Clock:
    """A clock that begins so many hours after the start and goes on by a second each time it is read."""
    seconds = iter(range(1_000_000))
    return lambda: START + timedelta(hours=number, seconds=next(seconds))


@dataclass
class Told:
    """What a client knows: whether the store is made, what was answered of each case, what was not, and what he let be."""

    made: bool = False
    answers: dict[str, Answers] = field(default_factory=dict)
    waits: Step | None = None
    abandoned: tuple[Step, ...] = ()

    def become(self, other: Told) -> Told:
        """Know what the other knows, and nothing more when he comes to know more."""
        self.made, self.waits, self.abandoned = other.made, other.waits, other.abandoned
        self.answers = copy.deepcopy(other.answers)
        return self

    def of(self, case: str) -> Answers:
        """What was answered of that case."""
        return self.answers.setdefault(case, Answers())

    def ask(self, step: Step) -> None:
        """That is asked now; what was waited for before, nobody waits for any more."""
        if self.waits is not None and self.waits != step:
            self.abandoned += (self.waits,)
        self.waits = step

    def problems(self, place: Place) -> list[str]:
        """What is wrong with the store, for one who knows this; what was not answered may be there or not."""
        rows = place.rows()
        found = place.findings(rows)
        if found:
            return found
        cases: dict[str, list[Row]] = {case: [] for case in self.answers}
        for row in rows:
            cases.setdefault(row.case, []).append(row)
        for case, here in cases.items():
            if not case.startswith("merchant:"):  # his stream follows from the cases: the audit holds it against them
                waiting = [step.command.id for step in (*self.abandoned, self.waits) if step is not None and step.case == case]
                opening = "open" if self.of(case).acknowledged else ""
                found += [f"{case}: {p}" for p in promises(here, self.of(case), opening=opening, in_flight=waiting)]
        return found


def quick_folder() -> str | None:
    """A folder in memory where there is one: a trial of copies does not depend on the disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory, where there is one, that goes away."""
    return tempfile.TemporaryDirectory(dir=quick_folder(), prefix="casework-trial-")
