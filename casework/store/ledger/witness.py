"""A witness: keeps the last checkpoint that each ledger showed, and cosigns one only if it adds to that one.

So whoever asks for its cosignature knows that the ledger showed this witness one history and no other. The request is that of
https://c2sp.org/tlog-witness (what ``casework checkpoint --old N`` prints), what is checked, :mod:`casework.verifier` checks.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from casework import verifier
from casework.errors import Conflict, StoreError
from casework.store.ledger.journal import write_over
from casework.store.ledger.note import Checkpoint, Cosigner
from casework.store.lock import WriterLock

#: How long to wait for another request to the same witness, in seconds.
_TURN = 30.0


class Cosigned(NamedTuple):
    """What was cosigned: the checkpoint, its signed note as the ledger gave it, and the witness's line."""

    checkpoint: verifier.Checkpoint
    note: str
    line: str

    @property
    def whole(self) -> str:
        """The note with the cosignature."""
        return self.note + self.line


class Witness:
    """A witness whose memory is ``folder``, one file a ledger."""

    def __init__(self, folder: Path, key: Cosigner) -> None:
        self.folder = folder
        self.key = key

    def cosign(self, request: bytes, trust: verifier.Trust, time: int) -> Cosigned:
        """Cosign the checkpoint of a request at that time (POSIX seconds), once it is remembered on the disk.

        :class:`~casework.errors.Conflict` where it is not signed, goes back, forks, or begins at another size than was seen last;
        :class:`~casework.errors.StoreError` where the memory cannot be read or written.
        """
        try:
            old, note, new = _signed(request, trust)
        except verifier.NotVerified as error:
            raise Conflict(f"not cosigned: {error.en}", f"不予见证：{error.zh}") from None
        # Two requests at once must not both go on from what was seen before.
        with WriterLock(self.folder / "seen", _TURN):
            seen = self.seen(new.origin)
            _refuse_other_size(old, seen, new)
            try:
                if seen is None or seen.size == 0:
                    _refuse_proof(request)
                else:
                    verifier.verify_growth(request, trust, verifier.Checkpoint(*seen))
            except verifier.NotVerified as error:
                raise Conflict(
                    f"not cosigned: the ledger shows another history than before ({error.en}); keep the request and "
                    f"{self._file(new.origin)}: both are signed by it",
                    f"不予见证：账本出示了另一段历史（{error.zh}）；请保存该请求和 {self._file(new.origin)}，"
                    "两者均由其签名") from None
            try:
                write_over(self._file(new.origin), note.decode())
            except OSError as error:
                raise _unusable(self._file(new.origin), error) from error
        text = Checkpoint(new.origin, new.size, new.root).text()
        return Cosigned(new, note.decode(), self.key.cosignature(text, time))

    def seen(self, origin: str) -> Checkpoint | None:
        """The last checkpoint that the ledger showed. :class:`~casework.errors.StoreError`."""
        place = self._file(origin)
        try:
            lines = verifier.Note.read(place.read_bytes()).text.split("\n")
            found = Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(place, error) from error
        except (ValueError, IndexError):
            found = Checkpoint("", 0, b"")
        if found.origin != origin:
            raise StoreError(f"{place} is not what this witness saw of {origin} last; restore it from a backup",
                             f"{place} 不是此见证人最后所见的 {origin} 检查点；请从备份恢复")
        return found

    def _file(self, origin: str) -> Path:
        return self.folder / hashlib.sha256(origin.encode()).hexdigest()


def _signed(request: bytes, trust: verifier.Trust) -> tuple[int, bytes, verifier.Checkpoint]:
    """The size at which the request begins, its note, and the signed checkpoint in it. NotVerified."""
    if len(request) > verifier.MAX_BYTES:
        raise verifier.NotVerified("a request is at most 1 MiB long", "请求最长为 1 MiB")
    head, blank, note = request.partition(b"\n\n")
    first = head.split(b"\n")[0]
    size = first.removeprefix(b"old ")
    if not blank or first == size or not size.isdigit() or len(size) > 19 or (size[:1] == b"0" and size != b"0"):
        raise verifier.NotVerified("this is no request to a witness; make one with: casework checkpoint --old N",
                                   "这不是给见证人的请求；请用 casework checkpoint --old N 生成")
    return int(size), note, verifier.verify_checkpoint(note, trust)


def _refuse_other_size(old: int, seen: Checkpoint | None, new: verifier.Checkpoint) -> None:
    size = 0 if seen is None else seen.size
    if new.size < size:
        raise Conflict(
            f"not cosigned: the ledger goes back from {size} commits, which this witness saw, to {new.size}; an old copy of it "
            "was put back, or it was cut",
            f"不予见证：账本从此见证人所见的 {size} 次提交退回到 {new.size} 次；换回了旧副本或被截断")
    if old != size:
        raise Conflict(
            f"not cosigned: the request begins at {old} commits, and this witness last saw {size}; make it with: "
            f"casework checkpoint --old {size}",
            f"不予见证：请求从 {old} 次提交开始，而此见证人最后所见为 {size} 次；请用 casework checkpoint --old {size} 生成")


def _refuse_proof(request: bytes) -> None:
    if b"\n" in request.partition(b"\n\n")[0]:
        raise verifier.NotVerified("a request that begins at 0 has no proof", "从 0 开始的请求不应带证明")


def _unusable(place: Path, error: OSError) -> StoreError:
    return StoreError(f"{place}: the witness's memory cannot be used ({error.strerror}); check the folder of --state, its "
                      "permissions and free space",
                      f"{os.fspath(place)}：见证人的记录不可用（{error.strerror}）；请检查 --state 目录的权限与剩余空间")
