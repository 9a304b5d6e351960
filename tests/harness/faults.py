"""Faults: errors before, in and after the commit, by seed; a file that cannot grow; writers that ignore the lock."""

from __future__ import annotations

import itertools
import os
import random
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from eventsourcing.persistence import IntegrityError, OperationalError

from casework.application.service import Clock, Done
from casework.domain.case import Case
from casework.domain.commands import COMMANDS
from casework.domain.decide import Context
from casework.domain.values import Actor
from casework.errors import CaseworkError, Refused, StoreError
from casework.rulebook.edition import CURRENT
from casework.store import codec
from casework.store.ledger import journal as store_journal
from casework.store.sqlite.recorder import CaseConnection, CaseDatastore, CasePool, CaseRecorder
from casework.store.store import Store, stored
from casework.store.stored import to_row
from harness.commands import GIVEN, Answers, Journal, Planned, give, opened, outside, plan, store_at
from harness.verdict import problems, rows_of

POINTS = ("before_load", "before_insert", "after_insert", "at_commit", "after_commit")
KINDS: tuple[Callable[[], BaseException], ...] = (
    lambda: OperationalError(sqlite3.OperationalError("disk I/O error")),
    lambda: IntegrityError(sqlite3.IntegrityError("UNIQUE constraint failed")),
    lambda: sqlite3.OperationalError("database is locked"),
    lambda: sqlite3.DatabaseError("database disk image is malformed"),
    KeyboardInterrupt,
)
#: What is called at each point, with the cursor where there is one.
Hook = Callable[[str, Any], None]


class HookedConnection(CaseConnection):
    """Calls the hook before each commit."""

    hook: Hook

    def commit(self) -> None:
        self.hook("at_commit", None)
        super().commit()


class HookedPool(CasePool):
    """A pool of hooked connections."""

    def __init__(self, path: str, hook: Hook) -> None:
        self._hook = hook
        super().__init__(path)

    def _create_connection(self) -> HookedConnection:
        made = super()._create_connection()
        made.__class__ = HookedConnection
        assert isinstance(made, HookedConnection)
        made.hook = self._hook
        return made


class HookedRecorder(CaseRecorder):
    """The recorder of a store, with a hook at each of ``POINTS``."""

    def __init__(self, path: Path, hook: Hook) -> None:
        self._hook = hook
        datastore = CaseDatastore(path)
        datastore.pool = HookedPool(str(path), hook)
        super().__init__(datastore, store_journal.Journal(outside(path)) if outside(path).is_dir() else None)

    def select_events(self, *args: Any, **kwargs: Any) -> Any:
        self._hook("before_load", None)
        return super().select_events(*args, **kwargs)

    def insert_events(self, *args: Any, **kwargs: Any) -> Any:
        self._hook("before_insert", None)
        result = super().insert_events(*args, **kwargs)
        self._hook("after_commit", None)
        return result

    def _insert_events(self, c: Any, *args: Any, **kwargs: Any) -> Any:
        result = super()._insert_events(c, *args, **kwargs)
        self._hook("after_insert", c)
        return result


@contextmanager
def hooked(path: Path, hook: Hook) -> Iterator[Store]:
    """The store at ``path`` with a hook."""
    with Store(HookedRecorder(path, hook)) as store:
        yield store


class Strikes:
    """A hook that raises at seeded points, ``rate`` of the time; ``struck`` says where and what."""

    def __init__(self, seed: str, rate: float) -> None:
        self._choose, self._rate = random.Random(f"{seed} strikes"), rate
        self.struck: list[str] = []

    def __call__(self, point: str, cursor: Any) -> None:
        if self._choose.random() < self._rate:
            error = self._choose.choice(KINDS)()
            self.struck.append(f"{point}: {type(error).__module__}.{type(error).__name__}")
            raise error


def ticking(start: datetime = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)) -> Clock:
    """A clock that goes on by a second each time it is read."""
    count = itertools.count()
    return lambda: start + timedelta(seconds=next(count))


def trial(path: Path, seed: str, *, commands: int = 6, rate: float = 0.25, tries: int = 60) -> tuple[list[str], list[str]]:
    """One case carried through faults by a client that asks again: what is wrong with it, and the faults that struck.

    Now and then somebody else writes between a failure and the retry.
    """
    strikes, clock, answers, case = Strikes(seed, rate), ticking(), Answers(), f"K-{seed}"
    bystander, found = _Bystander(path, case, seed, clock, answers), []
    given = list(itertools.islice(plan(seed), commands))
    with hooked(path, strikes) as store:
        _answered(lambda: opened(store, case, clock=clock), tries, answers, lambda: None)
        for command in given:
            done = _answered(lambda c=command: give(store, case, c, clock=clock), tries, answers, bystander)  # type: ignore[misc]
            if done is not None:
                found += _as_stored(path, case, command, done)
    rows = rows_of(path, case)
    found += problems(rows, answers)
    order = [answers.acknowledged[c.id] for c in given if c.id in answers.acknowledged]
    if order != sorted(order):
        found.append(f"out of order: {order}")
    if len(rows) != len(answers.acknowledged):
        found.append(f"{len(rows)} rows for {len(answers.acknowledged)} commands")
    return [f"{seed}: {problem}" for problem in found], strikes.struck


class _Bystander:
    """Another client, whose commands come between the attempts of the first."""

    def __init__(self, path: Path, case: str, seed: str, clock: Clock, answers: Answers) -> None:
        self._path, self._case, self._clock, self._answers = path, case, clock, answers
        self._choose = random.Random(f"{seed} bystander")
        self._plan = plan(f"{seed}-bystander", steps=0)

    def __call__(self) -> None:
        if self._choose.random() < 0.3:
            command = next(self._plan)
            with store_at(self._path) as store:
                self._answers.acknowledge(command.id, give(store, self._case, command, clock=self._clock).version)


def _answered(ask: Callable[[], Done], tries: int, answers: Answers, between: Callable[[], None]) -> Done | None:
    """The answer, after as many tries as it takes; None for a refusal."""
    for _ in range(tries):
        try:
            done = ask()
        except (StoreError, KeyboardInterrupt):
            between()
        except Refused as error:
            answers.refused[f"refusal-{len(answers.refused)}"] = error.codes
            return None
        else:
            answers.acknowledge(done.event.command_id, done.version)
            return done
    raise AssertionError(f"no answer after {tries} tries")


def _as_stored(path: Path, case: str, command: Planned, done: Done) -> Iterator[str]:
    """What the client was told is what the store holds."""
    rows = [row for row in rows_of(path, case) if row.version <= done.version]
    event = codec.decode(rows[-1].topic, rows[-1].payload)
    state = Case.from_events(None, [codec.decode(r.topic, r.payload) for r in rows])  # type: ignore[arg-type]
    assert state is not None
    if (event, event.command_id, state.facts.state) != (done.event, command.id, done.state):
        yield f"{command.id}: told {done}, stored {event}"


# writers that ignore the lock


def bypass(path: Path, case: str, command: Planned, *, at: datetime) -> int:
    """Record the command as the next version with plain ``sqlite3`` and without the lock; the version."""
    there = Case.from_events(None, [codec.decode(r.topic, r.payload) for r in rows_of(path, case)])  # type: ignore[arg-type]
    role = {"consumer": "C-1", "merchant": "M-1"}
    context = Context(Actor(role=command.by, id=role[command.by]), at, at, command.id, CURRENT)
    if there is None:
        from casework.application.intake import opening

        event: Any = Case.open(case, opening(GIVEN), context).pending_events[0]
    else:
        import msgspec

        event = there.do(msgspec.convert(command.said, COMMANDS[command.name], strict=False), context)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"INSERT INTO stored_events VALUES ({','.join('?' * 9)})", to_row(stored(event)))
    connection.close()
    return int(event.originator_version)


# files that cannot grow


def fill(store: str, case: str, seed: str, journal: str, limit: int = 0, nobody: bool = False) -> None:
    """Append until the store says no three times, with files of at most ``limit`` bytes (0: any), or as ``nobody``."""
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with Journal(journal, sync=False) as book:
        if nobody and os.geteuid() == 0:
            os.seteuid(65534)
        with store_at(store) as mine:
            failures = 0
            for command in plan(seed):
                while failures < 3 and not _given(mine, case, command, book):
                    failures += 1
                if failures == 3:
                    return


def _given(store: Store, case: str, command: Planned, book: Journal) -> bool:
    try:
        book.answered(command.id, give(store, case, command))
    except Refused as error:
        book.write("refused", command.id, ",".join(error.codes))
    except CaseworkError as error:
        book.write("error", command.id, f"{type(error).__name__}: {error.en}")
        return False
    return True


def backup(store: Path, to: Path) -> None:
    """A copy of a live store by SQLite's backup API."""
    source, target = sqlite3.connect(f"file:{store}?mode=ro", uri=True), sqlite3.connect(to)
    with source, target:
        source.backup(target)
    source.close()
    target.close()
