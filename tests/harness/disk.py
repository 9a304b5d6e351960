"""A disk as a power cut may leave it: a model of what a file system keeps of the calls that were recorded.

What is assumed of the file system, and nothing more:

* After ``fsync`` or ``fdatasync`` of a file has returned, every write to it and every change of its length before is kept.
* What was written since may be kept, lost or torn, whatever became of anything else: each 512-byte sector of each write is
  kept or lost on its own, in any order, across all files. A sector is not torn, and what lies beside a write is not harmed.
* A length that grew may be kept where the bytes were not: then zeros are read there, or anything at all.
* A ``truncate`` since the last fsync may or may not have happened, also where a later write was kept.
* A name that was made, removed or moved is durable after ``fsync`` of its folder; till then it may or may not have
  happened, each name on its own. ``rename`` and ``link`` are never done by half. (ext4 and others also keep the name of a new
  file once the file was synced: with ``files_keep_their_names`` so does the model.)
* The disk does not lie: what an fsync answered is so.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeVar

from harness.shim import Call

T = TypeVar("T")
SECTOR = 512
#: What was not synced is treated by one of these, drawn for each file of a state.
FATES = ("all", "none", "prefix", "torn", "calls", "sectors", "sectors", "late")


class Piece(NamedTuple):
    """A change of a file's bytes that is not synced: ``data`` at ``at``, or (None) a truncation to ``at``."""

    at: int
    data: bytes | None


@dataclass
class File:
    """What of a file is on the disk, and what may be."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Piece] = field(default_factory=list)
    folder: bool = False

    def sync(self) -> None:
        """All of it is on the disk."""
        self.durable = _applied(self.durable, self.pending)
        self.pending = []

    def whole(self) -> bytes:
        """What a process reads that has not lost power."""
        return bytes(_applied(bytearray(self.durable), self.pending))


class Change(NamedTuple):
    """A change of names that is not synced: ``path`` comes to mean ``file`` (None: nothing), ``moved`` nothing any more."""

    path: str
    file: File | None
    moved: str = ""


class Disk:
    """Files below a root, as a trace goes on. ``before`` are those that are there, and durable, at its beginning."""

    def __init__(self, root: Path, before: dict[str, bytes], folders: list[str], *, files_keep_their_names: bool = False) -> None:
        self._root = os.path.realpath(root)
        self._keeps_names = files_keep_their_names
        self.durable: dict[str, File] = {name: File(folder=True) for name in folders}
        self.durable |= {name: File(bytearray(data)) for name, data in before.items()}
        self.live = dict(self.durable)
        self.changes: list[Change] = []
        self._open: dict[int, tuple[str, File | None]] = {}

    def do(self, call: Call) -> None:
        """The call is done."""
        match call.op:
            case "o":
                self._opened(call)
            case "k":  # a kill: the process's files are closed
                self._open.clear()
            case "c":
                self._open.pop(call.fd, None)
            case "d":
                self._open[call.a] = self._open[call.fd]
            case "w" | "t":
                self._pend(self._open[call.fd][1], self.piece(call))
            case "s":
                self._sync(*self._open[call.fd])
            case "u":
                self._rename(Change(self._name(call.one), None))
            case "r" | "l":
                source = self._name(call.one)
                self._rename(Change(self._name(call.two), self.live[source], source if call.op == "r" else ""))
            case "m":
                self._rename(Change(self._name(call.one), File(folder=True)))
            case "x":
                name, _ = self._open[call.fd]
                assert name.endswith("-shm"), f"{name} is changed through memory, which is not recorded"

    def file_of(self, call: Call) -> File | None:
        """The file that a write goes to."""
        return self._open[call.fd][1]

    @staticmethod
    def piece(call: Call) -> Piece:
        """What a write or a truncation changes."""
        return Piece(call.a, call.one if call.op == "w" else None)

    def files(self) -> dict[str, bytes]:
        """Name -> bytes, as a process reads them that has not lost power."""
        return {name: file.whole() for name, file in self.live.items() if not file.folder}

    def after_power_loss(self, choose: random.Random, torn: tuple[File, Piece] | None = None) -> dict[str, bytes | None]:
        """One state in which the disk may be found: name -> bytes (None: a folder). ``torn`` is a write that was under way."""
        names = self._names(choose)
        found: dict[str, bytes | None] = {}
        for name in sorted(names):
            file, parent = names[name], os.path.dirname(name)
            if parent and parent not in found:
                continue  # its folder did not come to be
            under_way = torn[1] if torn is not None and torn[0] is file else None
            found[name] = None if file.folder else _fate(choose, file, under_way)
        return found

    def _names(self, choose: random.Random) -> dict[str, File]:
        fate = choose.choice(FATES)
        names = dict(self.durable)
        for change in _kept(choose, fate, self.changes):
            if change.moved:
                names.pop(change.moved, None)
            if change.file is None:
                names.pop(change.path, None)
            else:
                names[change.path] = change.file
        return names

    def _name(self, path: bytes) -> str:
        name = os.path.relpath(os.fsdecode(path), self._root)
        return "" if name == "." else name

    def _opened(self, call: Call) -> None:
        name = self._name(call.one)
        if call.b:
            self._rename(Change(name, File()))
        file = self.live.get(name)
        self._open[call.fd] = name, file
        if call.a & os.O_TRUNC and not call.b and file is not None and file.whole():
            self._pend(file, Piece(0, None))

    @staticmethod
    def _pend(file: File | None, piece: Piece) -> None:
        assert file is not None
        file.pending.append(piece)

    def _rename(self, change: Change) -> None:
        self.changes.append(change)
        if change.moved:
            self.live.pop(change.moved, None)
        if change.file is None:
            self.live.pop(change.path, None)
        else:
            self.live[change.path] = change.file

    def _sync(self, name: str, file: File | None) -> None:
        if file is not None and not file.folder:
            file.sync()
        kept = []
        for change in self.changes:
            synced = os.path.dirname(change.path) == name and (file is None or file.folder)
            if synced or (self._keeps_names and file is not None and change.file is file and not change.moved):
                if change.moved:
                    self.durable.pop(change.moved, None)
                if change.file is None:
                    self.durable.pop(change.path, None)
                else:
                    self.durable[change.path] = change.file
            else:
                kept.append(change)
        self.changes = kept


def _applied(data: bytearray, pieces: list[Piece]) -> bytearray:
    for at, new in pieces:
        if new is None:
            del data[at:]
            data.extend(bytes(at - len(data)))
        else:
            data.extend(bytes(max(0, at - len(data))))
            data[at:at + len(new)] = new
    return data


def _sectors(piece: Piece) -> list[Piece]:
    if piece.data is None:
        return [piece]
    cuts = [0, *range(SECTOR - piece.at % SECTOR, len(piece.data), SECTOR), len(piece.data)]
    return [Piece(piece.at + a, piece.data[a:b]) for a, b in pairwise(cuts) if b > a]


def _kept(choose: random.Random, fate: str, pending: list[T]) -> list[T]:
    """What of this is kept, in its order."""
    match fate:
        case "all":
            return pending
        case "none":
            return []
        case "prefix" | "torn":
            return pending[:choose.randint(0, len(pending))]
        case "late":
            return pending[choose.randint(0, len(pending)):]
    share = choose.choice((0.1, 0.5, 0.9))
    return [each for each in pending if choose.random() < share]


def _fate(choose: random.Random, file: File, under_way: Piece | None) -> bytes:
    pending = [*file.pending, under_way] if under_way is not None else file.pending
    if not pending:
        return bytes(file.durable)
    fate = choose.choice(FATES)
    if fate in ("torn", "sectors"):
        pending = [sector for piece in pending for sector in _sectors(piece)]
    data = _applied(bytearray(file.durable), _kept(choose, fate, pending))
    if choose.random() < 0.25:
        longest = max((p.at + len(p.data) for p in pending if p.data is not None), default=0)
        data.extend(bytes(max(0, longest - len(data))))
    if choose.random() < 0.25:
        _fill(choose, data, len(file.durable))
    return bytes(data)


def _fill(choose: random.Random, data: bytearray, begin: int) -> None:
    """Where the file grew and its new bytes were lost, anything is read."""
    for sector in range(begin, len(data), SECTOR):
        end = min(sector + SECTOR, len(data))
        if not any(data[sector:end]):
            data[sector:end] = choose.randbytes(end - sector)
