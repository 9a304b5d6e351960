"""For the tests of stores, whatever keeps them: an event that needs no case around it, and real processes to run beside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from casework.store.stored import StoredCaseEvent

ROOT = Path(__file__).resolve().parents[1]


def event(case: str = "c1", version: int = 1, payload: bytes = b"{}") -> StoredCaseEvent:
    at = 1_700_000_000_000_000 + version
    return StoredCaseEvent(case, version, "casework.case.noted", payload, "note", "open", "open", at, at)


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finish(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out
