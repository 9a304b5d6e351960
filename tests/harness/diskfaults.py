"""A disk that fails: each call that touches the files of a session fails in turn, once or from then on, by every fitting error.

A session makes the store, opens cases and carries them on, is closed and opened anew. Its client is told an error and gives the
same command again at once; if that fails too, he goes on with the next, and gives what is missing when the disk is well again.
"""

from __future__ import annotations

import errno
import itertools
import pickle
import random
import re
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from casework.errors import CaseworkError, Refused, StoreBusy, UnknownCase
from casework.store.sqlite import recorder as sqlite
from casework.store.store import Store
from harness import shim
from harness.commands import Planned
from harness.nursery import Nursery
from harness.place import Place, Step, Told, clock_from, perform, scratch, script
from harness.result import Result

#: Two sentences in one line: what is wrong, and after a semicolon or comma what to do.
_REMEDY = re.compile(r"[^\n]+[;,] [^\n]*\b(try again|check|free|make|run|restore|name|remove|see|move|end|open|use)\b[^\n]*\Z")
#: Given when all is over.
_AFTER = Step("After", Planned("open", "open", "consumer", {}))


class Fault(NamedTuple):
    """One way in which calls of some kinds fail."""

    name: str
    kinds: int
    error: int
    lasts: bool = False
    short: bool = False


FAULTS = (
    Fault("io_error", shim.CHANGES | shim.CLOSE, errno.EIO),
    Fault("io_error_reading", shim.READ, errno.EIO),
    Fault("io_error_locking", shim.LOCK, errno.EIO),
    Fault("disk_full", shim.GROWTH, errno.ENOSPC),
    Fault("quota", shim.GROWTH, errno.EDQUOT),
    Fault("file_too_large", shim.WRITE | shim.TRUNCATE, errno.EFBIG),
    Fault("half_written", shim.WRITE, errno.ENOSPC, short=True),
    Fault("read_only", shim.NAMES, errno.EROFS),
    Fault("no_permission", shim.NAMES | shim.OPEN_TO_READ, errno.EACCES),
    Fault("disk_dies", shim.CHANGES, errno.EIO, lasts=True),
    Fault("disk_stays_full", shim.GROWTH, errno.ENOSPC, lasts=True),
    Fault("goes_read_only", shim.NAMES | shim.WRITE | shim.TRUNCATE, errno.EROFS, lasts=True),
)


def disk_faults(*, every: int = 1, seed: int = 0, commands: int = 12, processes: int = 2,
                faults: tuple[Fault, ...] = FAULTS) -> Result:
    """Run the session once for each call that a fault can strike (every ``every``-th of them, from one that the seed draws),
    until it passes without being struck: nothing that was acknowledged is lost, every error is one line with a remedy, the next
    command goes well, the audit is clean, and what failed is, given again, recorded once.
    """
    result, begun = Result("G10", 0, seed), time.monotonic()
    with scratch() as name, Nursery(shim.build(Path(name))) as nursery:
        jobs = [[fault, every * processes, random.Random(f"{seed} {fault.name}").randrange(every) + 1 + every * part]
                for fault in faults for part in range(processes)]
        shares = [jobs[n::processes] for n in range(processes)]
        tos = [Path(name) / f"{n}.result" for n in range(processes)]
        workers = []
        for share, to in zip(shares, tos, strict=True):
            work = to.with_suffix(".jobs")
            work.write_bytes(pickle.dumps(share))
            workers.append(nursery.start("harness.diskfaults:run", work=work, seed=str(seed), commands=commands, to=to))
        for worker, to in zip(workers, tos, strict=True):
            status = worker.wait()
            if status:
                result.problems.append(f"a process ended with {status}")
                continue
            counts, problems = pickle.loads(to.read_bytes())
            result.add(**counts)
            result.problems += problems
    result.count = result.counts.get("struck", 0)
    result.wanted = result.count  # as many as there are calls: that none was left out is seen by the session that was not struck
    if result.counts.get("unstruck", 0) != len(jobs):
        result.problems.append("not every fault was tried until a session passed without it")
    result.seconds = time.monotonic() - begun
    return result


def run(work: str, seed: str, commands: int, to: str) -> None:
    """A process's share: for each fault, sessions from the first call to be struck in steps until one is not struck."""
    counts, problems = Counter[str](), list[str]()
    sqlite._BUSY_SECONDS = 1  # there is nobody else here: whoever waits for long waits for himself
    with scratch() as name:
        place = Place(Path(name) / "tried")
        for fault, step, first in pickle.loads(Path(work).read_bytes()):
            for nth in itertools.count(first, step):
                session = Session(place, fault, nth, seed, commands)
                found = session.run()
                if not session.struck:
                    counts["unstruck"] += 1
                    problems += [f"{fault.name}, unstruck: {problem}" for problem in found]
                    break
                counts["struck"] += 1
                counts[fault.name] += 1
                counts["errors"] += session.errors
                counts["acknowledged"] += sum(len(a.acknowledged) for a in session.told.answers.values())
                counts["recorded_before"] += session.repeated
                problems += [f"{fault.name}, seed {seed}, call {nth} ({session.struck}): {problem}" for problem in found]
    Path(to).write_bytes(pickle.dumps((dict(counts), problems)))


@dataclass
class Session:
    """One session with one fault."""

    place: Place
    fault: Fault
    nth: int
    seed: str
    commands: int
    struck: str = ""
    errors: int = 0
    repeated: int = 0

    def __post_init__(self) -> None:
        self.told, self.found, self._failed = Told(), list[str](), list[Step]()
        self._clock = clock_from(0)

    def run(self) -> list[str]:
        """What is wrong."""
        self.place.make()
        shim.watch(self.place.folders)
        steps = list(itertools.islice(script(self.seed), self.commands))
        shim.arm(self.fault.kinds, self.nth, self.fault.error, lasts=self.fault.lasts, short=self.fault.short)
        try:
            for part in (steps[:len(steps) // 2], steps[len(steps) // 2:]):
                self._opened(part)
            self._looked()
        finally:
            self.struck = shim.disarm()
            shim.watch([])
        self._made_good()
        return self.found

    def _opened(self, steps: list[Step]) -> None:
        """Open the store, again if that fails, and give the commands."""
        for _ in range(2):
            try:
                with self.place.open(create=True, lock_timeout=0.5) as store:
                    self.told.made = True
                    self._failed += [step for step in steps if not self._given(store, step) and not self._given(store, step)]
                return
            except Exception as error:
                self.erred(error)
        self._failed += steps

    def _given(self, store: Store, step: Step) -> bool:
        try:
            done = perform(store, step, self._clock)
        except Refused as error:
            self.told.of(step.case).refused[step.command.id] = error.codes
        except Exception as error:
            self.erred(error)
            return False
        else:
            self.repeated += done.repeated
            self.told.of(step.case).acknowledge(step.command.id, done.version)
        return True

    def _looked(self) -> None:
        """A reader meets the fault as well."""
        try:
            self.place.rows()
        except Exception as error:
            self.erred(error)

    def erred(self, error: Exception) -> None:
        """A client was told this."""
        self.errors += 1
        if isinstance(error, StoreBusy):
            self.found.append(f"waits for nobody: {error.en}")
        if not isinstance(error, CaseworkError):
            where = "".join(f" ({frame.filename}:{frame.lineno})" for frame in traceback.extract_tb(error.__traceback__)[-1:])
            self.found.append(f"{type(error).__name__} reaches the user: {error}{where}")
        elif not isinstance(error, UnknownCase) and not (_REMEDY.match(error.en) and re.match(r"[^\n]+[；，][^\n]+\Z", error.zh)):
            self.found.append(f"an error without a remedy, or of several lines: {error.en!r}")

    def _made_good(self) -> None:
        """The disk is well again: look, give what failed twice, and one command more, and look again."""
        try:
            if self.told.made:
                self.told.abandoned = tuple(self._failed)
                self.found += self.told.problems(self.place)
            self.told.abandoned, failures = (), self.errors
            with self.place.open(create=True) as store:
                for step in [*self._failed, *self._failed, _AFTER]:
                    if not self._given(store, step):
                        self.found.append(f"{step.command.id} of {step.case} cannot be given though the disk is well")
            if self.errors == failures:
                self.found += self.told.problems(self.place)
        except CaseworkError as error:
            self.found.append(f"after the fault: {type(error).__name__}: {error.en}")
