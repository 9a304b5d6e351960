"""A nursery of processes: casework is imported once, then every worker is a fork, ready within milliseconds.

The nursery itself has no thread and no open store, so that forking it is safe; each worker opens its own.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from harness import engines

ROOT = Path(__file__).resolve().parents[2]
_WARM = ("casework.application.clockwork", "casework.application.service", "casework.store.sqlite.recorder",
         "casework.store.store", "chinese_calendar")


def environment() -> dict[str, str]:
    """The environment in which a child process finds casework and this package, and nothing of the user's settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CASEWORK_") or k == engines.BASE}
    return kept | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}


class Worker:
    """A process of the nursery."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery, self.pid = nursery, pid

    def kill(self) -> None:
        """``kill -9``, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)  # the nursery has not waited for it yet, so the id is still this process's
        self.wait()

    def wait(self) -> int:
        """Its exit status; negative: the signal that ended it."""
        return int(self._nursery.ask({"wait": self.pid}))


class Nursery:
    """Context manager. ``start("harness.races:carry", store=…)`` runs that function in a process of its own.

    ``preload`` is a library that is loaded before all others (see ``harness.shim``).
    """

    def __init__(self, preload: Path | None = None) -> None:
        self._preload = {} if preload is None else {"LD_PRELOAD": str(preload)}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-m", "harness.nursery"], cwd=ROOT, env=environment() | self._preload,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._running: set[int] = set()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)
        self._process.communicate(timeout=60)

    def start(self, function: str, **arguments: Any) -> Worker:
        """Start ``module:function`` with arguments that JSON can carry."""
        pid = int(self.ask({"start": function, "arguments": arguments}))
        self._running.add(pid)
        return Worker(self, pid)

    def ask(self, question: dict[str, Any]) -> str:
        """One question, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question, default=os.fspath) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery died"
        self._running.discard(question.get("wait", 0))
        return answer


def _serve(questions: IO[str]) -> None:
    for line in questions:
        question = json.loads(line)
        if "wait" in question:
            print(os.waitstatus_to_exitcode(os.waitpid(question["wait"], 0)[1]), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            _run(question["start"], question["arguments"])
        print(pid, flush=True)


def _run(function: str, arguments: dict[str, Any]) -> None:
    status = 1
    try:
        module, _, name = function.partition(":")
        getattr(importlib.import_module(module), name)(**arguments)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    engines.install()
    for warm in (*_WARM, "harness.races", "harness.crashes", "harness.faults", "harness.place"):
        importlib.import_module(warm)
    _serve(sys.stdin)
