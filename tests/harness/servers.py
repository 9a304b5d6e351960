"""Servers that are killed, or whose place another takes, while clients write: nothing acknowledged is lost, and they go on."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from casework.errors import Refused, StoreBusy, StoreError
from casework.store.store import Store
from harness.commands import Answers, Journal, give, opened, outside, plan, store_at
from harness.nursery import Nursery, Worker
from harness.postgres import Server
from harness.verdict import problems, recorded, rows_of, unproved

_PAUSE = 0.01


@dataclass
class Toll:
    """What the kills came to. ``told`` is how often a client was told of an error, and gave the command again."""

    kills: int = 0
    acknowledged: int = 0
    told: int = 0
    longest: float = 0.0
    problems: list[str] = field(default_factory=list)


def carry(store: str, case: str, seed: str, journal: str, stop: str, careless: bool) -> None:
    """A client's life: give commands until it is told to stop; what failed is given again under the same id.

    A ``careless`` one does not wait until what it recorded survives: the control, of which something has to be lost.
    """
    if careless:
        from casework.store.postgres import recorder

        recorder._SURVIVE = "SELECT 1"
    ending = Path(stop)
    with _begun(store) as mine, Journal(journal, sync=False) as book:
        for command in plan(seed):
            while not ending.exists():
                begun = time.monotonic()
                try:
                    book.answered(command.id, give(mine, case, command))
                    book.write("took", command.id, f"{time.monotonic() - begun:.3f}")
                    break
                except Refused as error:
                    book.write("refused", command.id, ",".join(error.codes))
                    break
                except StoreError as error:
                    book.write("told", command.id, type(error).__name__, " ".join(error.en.split()))
                    time.sleep(_PAUSE)
            if ending.exists():
                return


def _begun(store: str) -> Store:
    """The store, as soon as its server answers: whoever comes new while none does is told at once."""
    while True:
        try:
            return store_at(store)
        except StoreBusy:
            time.sleep(_PAUSE)


class Clients:
    """So many clients, a case each, or all on one; what they were answered lies in ``folder``."""

    def __init__(self, nursery: Nursery, folder: Path, store: str, count: int, seed: str, *, one_case: bool = False,
                 careless: bool = False) -> None:
        self.store = store
        self.stop = folder / f"{seed}.stop"
        self.cases = ["K-0"] * count if one_case else [f"K-{n}" for n in range(count)]
        self.journals = [folder / f"{seed}-{n}.journal" for n in range(count)]
        with store_at(store, create=True) as mine:
            for case in {*self.cases}:
                opened(mine, case)
        self._seeds = [f"{seed}c{n}" for n in range(count)]
        self._workers: list[Worker] = [
            nursery.start("harness.servers:carry", store=store, case=case, seed=s, journal=journal, stop=self.stop,
                          careless=careless)
            for case, s, journal in zip(self.cases, self._seeds, self.journals, strict=True)]

    def answered(self) -> int:
        """How many answers there are."""
        return sum(journal.read_bytes().count(b"\nack ") for journal in self.journals if journal.exists())

    def await_answers(self, more: int, seconds: float = 120) -> None:
        """Wait until there are so many more."""
        wanted, until = self.answered() + more, time.monotonic() + seconds
        while self.answered() < wanted:
            assert time.monotonic() < until, f"{self.answered()} answers where {wanted} were due"
            time.sleep(_PAUSE)

    def end(self) -> list[int]:
        """Let them come to an end; how they ended."""
        self.stop.touch()
        return [worker.wait() for worker in self._workers]

    def lost(self) -> list[str]:
        """What was acknowledged, to anybody, and is not there, as of now; the clients may go on."""
        found = []
        for case, journal in zip(self.cases, self.journals, strict=True):
            answers = _answers(journal)
            there = recorded(rows_of(self.store, case))
            found += [f"{case}: {command} was acknowledged at {version} and is at {there.get(command)}"
                      for command, version in answers.acknowledged.items() if there.get(command) != version]
        return found

    def verdict(self, toll: Toll) -> None:
        """All of it, in the end: what is wrong with a case, with the ledger or with the journal outside."""
        for case in sorted({*self.cases}):
            here = [journal for name, journal in zip(self.cases, self.journals, strict=True) if name == case]
            answers = Answers()
            for journal in here:
                answers = _answers(journal, answers)
            # What was given last may be recorded without an answer: its client was told to stop.
            last = [_last(journal) for journal in here]
            toll.problems += [f"{case}: {p}" for p in problems(rows_of(self.store, case), answers, in_flight=last)]
            toll.acknowledged += len(answers.acknowledged)
        for journal in filter(Path.exists, self.journals):
            lines = [line.split(" ") for line in journal.read_text(encoding="utf-8").splitlines()]
            toll.told += sum(words[0] == "told" for words in lines)
            toll.longest = max([toll.longest, *(float(words[2]) for words in lines if words[0] == "took")])
        toll.problems += [f"unproved: {finding}" for finding in unproved(self.store, outside(self.store))]


def _answers(journal: Path, answers: Answers | None = None) -> Answers:
    kept = journal.with_suffix(".answers")
    lines = journal.read_text(encoding="utf-8").split("\n")[:-1] if journal.exists() else []
    kept.write_text("".join(f"{line}\n" for line in lines if line.split(" ")[0] in ("ack", "again", "refused")), encoding="utf-8")
    return (answers or Answers()).read(kept)


def _last(journal: Path) -> str:
    lines = journal.read_text(encoding="utf-8").split("\n")[:-1] if journal.exists() else []
    return lines[-1].split(" ")[1] if lines else ""


def kill_servers(folder: Path, server: Server, *, kills: int, writers: int = 4, seed: int = 0, schema: str = "killed",
                 careless: bool = False) -> Toll:
    """``kill -9`` of the whole server under load, ``kills`` times; after each it is started again, and the clients go on.

    After each: everything that was acknowledged before is there. In the end everything is there once, lawful and proved.
    """
    toll, choose = Toll(), random.Random(seed)
    with Nursery() as nursery:
        clients = Clients(nursery, folder, server.url(schema=schema), writers, f"{schema}{seed}", careless=careless)
        for _ in range(kills):
            clients.await_answers(1 if careless else writers)
            time.sleep(0 if careless else choose.uniform(0, 0.1))
            server.kill()
            time.sleep(choose.uniform(0, 0.2))
            server.start()
            toll.kills += 1
            toll.problems += clients.lost()
        if careless:  # whose journal is ahead of the store from then on, so that nothing more is recorded
            clients.end()
            return toll
        clients.await_answers(writers)
        toll.problems += [f"a client ended with {status}" for status in clients.end() if status]
        clients.verdict(toll)
    return toll


def fail_over(folder: Path, primary: Server, *, writers: int = 4, seed: int = 0) -> Toll:
    """The primary is killed under load and never comes back; its synchronous standby is promoted, and the clients go on there."""
    toll = Toll(kills=1)
    standby = primary.standby(primary.folder.with_name("standby"))
    with Nursery() as nursery:
        clients = Clients(nursery, folder, primary.url(schema="cases", others=(standby,)), writers, f"f{seed}")
        clients.await_answers(10 * writers)
        primary.kill()
        standby.promote()
        toll.problems += clients.lost()
        clients.await_answers(10 * writers)
        toll.problems += [f"a client ended with {status}" for status in clients.end() if status]
        clients.verdict(toll)
    return toll
