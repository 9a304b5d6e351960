"""A hostile input run in a process of its own, with the time and the memory that it took."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli_helpers import ROOT

from hostile.corpus import CORPUS, Hostile

#: The most that one may take beyond start-up, in seconds of processor time, and in all, in bytes (TRUST.md, G14).
SECONDS = 1.0
MEMORY = 200 * 1000 * 1000
#: A limit on the address space holds the machine up where the measured figure would come too late.
ADDRESS_SPACE = 1 << 30
LONGEST_LINE = 2_000
TIMEOUT = 60
_RAW = re.compile(b"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f\xad]|\xd8\x9c|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]"
                  b"|\xef\xbb\xbf|\xf3\xa0[\x80-\x81]")


@dataclass(frozen=True)
class Measured:
    """What a run gave: its status, its output, processor seconds and the largest resident size in bytes."""

    status: int
    out: bytes
    err: bytes
    seconds: float
    memory: int


@dataclass
class Result:
    """What became of the corpus: how many ran, the worst figures beyond start-up, and every problem as a sentence."""

    inputs: int = 0
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")
    startup: float = 0.0
    problems: list[str] = field(default_factory=list)


#: Forks once more, from a small process: the largest memory of a process is that of whoever forked it until it outgrows that.
_LAUNCH = """
import os, resource, signal, sys
child = os.fork()
if child == 0:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    signal.alarm(int(sys.argv[3]))  # an end to it if it waits for ever
    os.execv(sys.executable, [sys.executable, "-m", "casework", *sys.argv[4:]])
_, status, used = os.wait4(child, 0)
said = f"{os.waitstatus_to_exitcode(status)} {used.ru_utime + used.ru_stime} {used.ru_maxrss}"
os.write(int(sys.argv[1]), said.encode())
"""


def measured(argv: Sequence[str], folder: Path, env: dict[str, str] | None = None) -> Measured:
    """Run ``casework`` in the folder."""
    around = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT),
              "XDG_STATE_HOME": str(folder / ".state")} | (env or {})
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as told:
        limits = [str(told.fileno()), str(ADDRESS_SPACE), str(TIMEOUT)]
        subprocess.run([sys.executable, "-S", "-c", _LAUNCH, *limits, *argv], cwd=folder, env=around, stdin=subprocess.DEVNULL,
                       stdout=out, stderr=err, pass_fds=[told.fileno()], check=True)
        for file in (out, err, told):
            file.seek(0)
        status, seconds, largest = told.read().split()
        return Measured(int(status), out.read(), err.read(), float(seconds), int(largest) * 1024)


def wrong(name: str, says: str, expected: int, status: int, out: bytes, err: bytes) -> list[str]:
    """What is wrong with an answer, as sentences."""
    found = []
    both = out + err
    if status != expected:
        found.append(f"{name}: status {status}, not {expected}: {both[-300:]!r}")
    if b"Traceback" in both:
        found.append(f"{name}: a traceback: {both[-600:]!r}")
    if raw := _RAW.search(both):
        found.append(f"{name}: the raw bytes {raw[0]!r} at {both[max(0, raw.start() - 40):raw.end() + 40]!r}")
    if status == 2 and not (err.startswith(b"casework: ") and err.count(b"\n") == 1) and not out and "rule" not in name:
        found.append(f"{name}: not one line: {err[:300]!r}")
    longest = max(map(len, both.splitlines()), default=0)
    if status == 2 and longest > 4 * LONGEST_LINE:
        found.append(f"{name}: a line of {longest} bytes")
    if says and not re.search(says, both.decode("utf-8", "replace")):
        found.append(f"{name}: says nothing of {says!r}: {both[:400]!r}")
    return found


def corpus(inputs: Sequence[Hostile] = (), *, lang: str = "en") -> Result:
    """Every input, or those given, each in an empty folder and a process of its own."""
    result = Result()
    with tempfile.TemporaryDirectory() as empty:
        result.startup = min(measured(["list"], Path(empty)).seconds for _ in range(3))
    for one in inputs or CORPUS:
        with tempfile.TemporaryDirectory() as folder:
            argv = [*one.make(Path(folder))]
            done = measured(argv, Path(folder), {"CASEWORK_LANG": lang} | one.env)
            result.problems += wrong(one.name, one.says if lang == "en" else "", one.status, done.status, done.out, done.err)
            if Path(folder, "owned").exists() or (Path(folder, "precious").parent / "owned.db").exists():
                result.problems.append(f"{one.name}: code ran, or another store was made")
        beyond = done.seconds - result.startup
        result.slowest = max(result.slowest, (beyond, one.name))
        result.largest = max(result.largest, (done.memory, one.name))
        if beyond > SECONDS:
            result.problems.append(f"{one.name}: {beyond:.2f} s of processor time beyond start-up")
        if done.memory > MEMORY:
            result.problems.append(f"{one.name}: {done.memory / 1e6:.0f} MB")
        result.inputs += 1
    return result


if __name__ == "__main__":
    chosen = [h for h in CORPUS if not sys.argv[1:] or any(w in h.name for w in sys.argv[1:])]
    found = corpus(chosen)
    print(*found.problems, sep="\n")
    print(f"{found.inputs} inputs, start-up {found.startup:.2f} s, slowest {found.slowest}, largest {found.largest}")
