"""The shim of a trial: ``record.c``, compiled at the time of the test and preloaded into a process (Linux).

It writes down what the process does to files in watched folders, and can make the n-th such call fail. ``build`` is for who
starts the process (``Nursery(preload=…)``), the rest for the process itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_SOURCE = Path(__file__).with_name("record.c")
_HEAD = struct.Struct("<ciqqII")
#: The kinds of calls that can be made to fail, as in ``record.c``.
OPEN_TO_READ, OPEN_TO_WRITE, WRITE, SYNC, TRUNCATE, UNLINK, RENAME, MKDIR, CLOSE, READ, LOCK = (1 << n for n in range(11))
CHANGES = OPEN_TO_READ | OPEN_TO_WRITE | WRITE | SYNC | TRUNCATE | UNLINK | RENAME | MKDIR
GROWTH = OPEN_TO_WRITE | WRITE | TRUNCATE | RENAME | MKDIR
NAMES = OPEN_TO_WRITE | UNLINK | RENAME | MKDIR


class Call(NamedTuple):
    """One system call that was done, or a mark.

    ``op``: o open (``a`` flags, ``b`` 1: it made the file), c close, d dup to ``a``, w write at ``a``, t truncate to ``a``,
    s fsync or fdatasync, u unlink or rmdir, r rename, l link, m mkdir, x what cannot be followed, a a mark (its text is ``one``).
    """

    op: str
    fd: int
    a: int
    b: int
    one: bytes
    two: bytes


def missing() -> str:
    """Why there can be no shim here; empty where there can."""
    if sys.platform != "linux":
        return "system calls are recorded by LD_PRELOAD, which this system does not have"
    return "" if shutil.which("cc") else "recording system calls needs a C compiler (cc)"


def build(folder: Path) -> Path:
    """The compiled shim, in that folder."""
    made = folder / "record.so"
    if not made.exists():
        done = subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(made), str(_SOURCE), "-ldl"], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
    return made


def calls(trace: Path) -> Iterator[Call]:
    """What a trace holds."""
    data, place = trace.read_bytes(), 0
    while place < len(data):
        op, fd, a, b, n1, n2 = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        yield Call(op.decode(), fd, a, b, data[place:place + n1], data[place + n1:place + n1 + n2])
        place += n1 + n2


def watch(folders: Iterable[Path], trace: Path | None = None) -> None:
    """Watch these folders from now on, and write down in ``trace`` what is done there."""
    _shim().trial_watch("\n".join(map(os.path.realpath, folders)).encode(), os.fsencode(trace) if trace else b"")


def mark(text: str) -> None:
    """Put a mark in the trace."""
    _shim().trial_mark(text.encode())


def arm(kinds: int, nth: int, error: int, *, lasts: bool = False, short: bool = False) -> None:
    """Let the ``nth`` call of these kinds fail with that error; with ``lasts`` all after it as well.

    ``short``: a write is done by half first, and the next call fails.
    """
    _shim().trial_arm(kinds, ctypes.c_long(nth), error, int(lasts), int(short))


def disarm() -> str:
    """Let nothing fail any more; the first call that was struck and its file, empty if none was."""
    shim = _shim()
    struck = str(shim.trial_struck().decode(errors="replace"))
    shim.trial_arm(0, ctypes.c_long(0), errno.EIO, 0, 0)
    return struck


def counted() -> int:
    """How many calls of the kinds that are armed there were."""
    return int(_shim().trial_calls())


def _shim() -> ctypes.CDLL:
    shim = ctypes.CDLL(None)
    shim.trial_struck.restype = ctypes.c_char_p
    shim.trial_calls.restype = ctypes.c_long
    return shim
