"""One writer at a time: the lock that is held around load, decide and save."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from casework.errors import StoreBusy, StoreError

_LONGEST_PAUSE = 0.02  # seconds; a command takes a few milliseconds, so longer naps would only add delay
_BEGUN, _ENDED = b"!", b"."

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        # Said outright and not left to close(): a child forked meanwhile would go on holding the lock.
        fcntl.flock(handle, fcntl.LOCK_UN)


_threads: dict[str, threading.Lock] = {}
_threads_guard = threading.Lock()


def _forget_threads() -> None:
    global _threads_guard
    _threads.clear()
    _threads_guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    # A lock that another thread held during the fork would never be released in the child.
    os.register_at_fork(after_in_child=_forget_threads)


class WriterLock:
    """Context manager: the only writer of the store at ``path``, among processes and among threads.

    The lock is on the file ``PATH.lock`` beside the store (links followed, so that two names of one store share
    it), never on the store itself: closing that would drop SQLite's own locks. The file stays; its being there means
    nothing. The operating system drops the lock when its holder dies. Not re-entrant.

    The one byte in the file says whether its last holder came to the end. Where he was killed or told of an error, ``heal`` is
    called with the lock held, before anything is written on top of what he may have left half done. That byte needs no fsync:
    a power cut may lose it, but leaves nothing half done that SQLite does not find by itself.

    ``timeout`` is in seconds. Raises StoreBusy when others hold the lock for longer, StoreError when the lock file
    cannot be opened, locked or written, and what ``heal`` raises.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float, heal: Callable[[], object] | None = None) -> None:
        self.path = os.fspath(path)
        self.sidecar = os.path.realpath(self.path) + ".lock"
        self.timeout = timeout
        self._heal = heal
        self._handle = -1
        self._owner = 0
        self._thread = threading.Lock()

    def __enter__(self) -> Self:
        until = time.monotonic() + self.timeout
        with _threads_guard:
            thread = _threads.setdefault(self.sidecar, threading.Lock())
        if not thread.acquire(timeout=max(0.0, self.timeout)):
            raise self._busy()
        try:
            self._handle = self._acquire(until)
            self._owner = os.getpid()
            self._thread = thread
        except BaseException:
            thread.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle, self._handle = self._handle, -1
        try:
            # An error here says nothing of what was recorded; and closing the file, which Linux does even then, frees the lock.
            if self._owner == os.getpid():  # a forked child that leaves the block must not unlock its parent's
                if kind is None:
                    with suppress(OSError):
                        self._say(handle, _ENDED)
                with suppress(OSError):
                    _unlock(handle)
            with suppress(OSError):
                os.close(handle)
        finally:
            self._thread.release()

    def _acquire(self, until: float) -> int:
        handle = self._open()
        try:
            self._poll(handle, until)
            try:
                if self._heal is not None and os.read(handle, 1) == _BEGUN:
                    self._heal()
                self._say(handle, _BEGUN)
            except OSError as error:
                raise self._unusable(error) from error
        except BaseException:
            with suppress(OSError):
                os.close(handle)
            raise
        return handle

    def _say(self, handle: int, what: bytes) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, what)
        os.lseek(handle, 0, os.SEEK_SET)  # where the byte is that Windows locks

    def _open(self) -> int:
        # A link put in the lock's place must not make us create a file elsewhere.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            return os.open(self.sidecar, flags, 0o666)
        except OSError as error:
            raise self._unusable(error) from error

    def _poll(self, handle: int, until: float) -> None:
        pause = 0.001
        while True:
            try:
                return _try_lock(handle)
            except (BlockingIOError, PermissionError):
                left = until - time.monotonic()
            except OSError as error:
                raise self._unusable(error) from error
            if left <= 0:
                raise self._busy()
            time.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _busy(self) -> StoreBusy:
        return StoreBusy(
            f"{self.path}: another process was writing for more than {self.timeout:g} s; try again, "
            "or end the process that hangs",
            f"{self.path}：另一进程写入超过 {self.timeout:g} 秒；请重试，或结束挂起的进程",
        )

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self.sidecar}: the lock file cannot be used ({error.strerror}); "
            "make its folder writable, see that the disk has space, and remove what is in its place",
            f"{self.sidecar}：锁文件不可用（{error.strerror}）；请使其目录可写、磁盘有空间，并移开占位的文件",
        )
