"""The work of a trial: seeded commands for one case, and the journal in which a worker keeps what it was answered."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from casework.application.service import Clock, Done, carry_on, open_case
from casework.store.ledger import journal as store_journal
from casework.store.ledger.note import Signer
from casework.store.lock import WriterLock
from casework.store.opening import is_blank, open_store
from casework.store.store import Store
from casework.store.url import parse

GIVEN: dict[str, Any] = {
    "order": {"id": "ORD-1", "item": "榨汁机", "category": "small_appliance", "merchant": "M-1", "paid": "899.00",
              "ordered_at": "2026-03-01T10:00:00+08:00"},
    "consumer": "C-1", "ground": "malfunction", "description": "使用三天后电机异响",
}
_OFFER = {"remedy": {"kind": "refund", "amount": "100.00"}}
#: Who says what. Those beside the lifecycle are always allowed here; the steps stand in each other's way.
_ALWAYS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("add_evidence", "consumer", {"kind": "fault_video", "description": "故障视频"}),
    ("log_call", "consumer", {"note": "客服称三天内答复", "staff": "8021"}),
    ("give_feedback", "consumer", {"score": 2}),
)
_STEPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("contact_merchant", "consumer", {"message": "电机异响，请处理"}),
    ("make_offer", "merchant", _OFFER),
    ("decline_offer", "consumer", {}),
    ("refuse_claim", "merchant", {"excuse": "misuse"}),
)


class Planned(NamedTuple):
    """A command that will be given."""

    id: str
    name: str
    by: str
    said: dict[str, Any]


def now() -> datetime:
    """The clock of real processes."""
    return datetime.now(UTC)


def plan(seed: str, steps: float = 0.4) -> Iterator[Planned]:
    """Commands without end, always the same for a seed; ``steps`` is the share that moves the lifecycle."""
    choose = random.Random(seed)
    number = 0
    while True:
        name, by, said = choose.choice(_STEPS if choose.random() < steps else _ALWAYS)
        yield Planned(f"{seed}-{number}", name, by, said)
        number += 1


def outside(store: str | os.PathLike[str]) -> Path:
    """Where the journal of a trial's store lies: beside it, or, of one that has no folder, where this run keeps its journals."""
    name = os.fspath(store)
    if "://" in name:
        return Path(os.environ.get("XDG_STATE_HOME", "/tmp")) / f"outside-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return Path(store).with_name(f"outside-{Path(store).name}")


def store_at(path: str | os.PathLike[str], *, create: bool = False, lock_timeout: float = 30) -> Store:
    """The store of a trial, made with its journal as the command line makes one, by one at a time; else with the one it has."""
    name, folder = os.fspath(path), outside(path)
    if create:
        with WriterLock(folder if "://" in name else name, 30):
            if is_blank(parse(name)):
                return open_store(name, create=True, lock_timeout=lock_timeout,
                                  journal=store_journal.Journal.found(folder, Signer("local/trial", b"\x05" * 32)))
    return open_store(name, lock_timeout=lock_timeout, journal=store_journal.Journal(folder) if folder.is_dir() else None)


def opened(store: Store, case: str, *, clock: Clock = now) -> Done:
    """The case, opened under the command id ``open``."""
    return open_case(store, case, GIVEN, by="consumer", clock=clock, command_id="open")


def give(store: Store, case: str, command: Planned, *, clock: Clock = now) -> Done:
    """The command, given as any client would."""
    return carry_on(store, case, command.name, command.said, by=command.by, clock=clock, command_id=command.id)


class Journal:
    """What one worker was answered, a line each: ``ack ID VERSION``, ``again ID VERSION``, ``refused ID CODES``,
    ``error ID TEXT``. A line is written at once, and with ``sync`` is on the disk before the next command.
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = True) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self._sync = sync

    def write(self, *words: object) -> None:
        """One line."""
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())
        if self._sync:
            os.fsync(self._file)

    def answered(self, command: str, done: Done) -> None:
        """The command was acknowledged."""
        self.write("again" if done.repeated else "ack", command, done.version)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._file)


class Answers:
    """Everything that was answered, read from journals; a last line without its end was never said."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, int] = {}
        self.refused: dict[str, list[str]] = {}
        self.errors: dict[str, str] = {}
        self.repeated = 0
        self._new: set[str] = set()
        self.contradictions: list[str] = []

    def read(self, *journals: Path) -> Answers:
        """Add what these journals say."""
        for journal in journals:
            for line in _lines(journal):
                self._take(*line.split(" ", 2))
        return self

    def acknowledge(self, command: str, version: int) -> None:
        """A command was acknowledged at that version; at another before, it is a contradiction."""
        if self.acknowledged.setdefault(command, version) != version:
            self.contradictions.append(f"{command} acknowledged at {self.acknowledged[command]} and at {version}")

    def _take(self, kind: str, command: str, rest: str) -> None:
        if kind == "refused":
            self.refused[command] = rest.split(",") if rest else []
        elif kind == "error":
            self.errors[command] = rest
        else:
            if kind == "ack" and command in self._new:
                self.contradictions.append(f"{command} acknowledged as new twice")
            if kind == "ack":
                self._new.add(command)
            else:
                self.repeated += 1
            self.acknowledge(command, int(rest))


def _lines(journal: Path) -> list[str]:
    return journal.read_text(encoding="utf-8").split("\n")[:-1] if journal.exists() else []
