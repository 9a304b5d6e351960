"""What lies outside a store: the checkpoints of its journal, or one that somebody kept, and the keys that sign them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casework import verifier
from casework.audit.findings import Fault, Line, shown
from casework.errors import InputError, JournalError
from casework.store.ledger.journal import CHECKPOINTS, read_end, read_intended, read_renewed, standing, trust
from casework.store.ledger.ledger import Head
from casework.store.ledger.note import Checkpoint

#: How many sizes, or places, a finding names.
_NAMED = 5


@dataclass(slots=True)
class Signed:
    """The journal in the folder ``place``, or a file of checkpoints there. ``key`` is the vkey that is trusted, else the first of
    the journal; ``journal`` is the folder where a file's keys are.

    First :meth:`faults`; if it then ``is_usable``, :meth:`checkpoints`, to the end; then :meth:`against`.
    """

    place: Path
    key: str | None = None
    journal: Path | None = None
    is_usable: bool = False
    _trust: verifier.Trust | None = None
    _last: Checkpoint | None = None
    _note: bytes = b""
    _broken: list[int] = field(default_factory=list)

    def faults(self, origin: str | None = None) -> Iterator[Fault]:
        """What is wrong before any checkpoint is looked at; ``origin`` is what the store says of its ledger."""
        try:
            with open(self._file, "rb"):
                self._trust = self._trusted()
        except OSError as error:
            yield Fault("journal_missing", Line(f"库外日志 {shown(str(self.place))}", f"the journal at {shown(str(self.place))}"),
                        Line(f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}"))
            return
        except (verifier.NotVerified, verifier.CannotRun) as error:
            yield Fault("keys_broken", Line("账本的公钥", "the keys of the ledger"), Line(error.zh, error.en))
            return
        self.is_usable = True
        name = self._trust.keys[0].name
        if origin is not None and name != origin:
            yield Fault("checkpoint_differs",
                        Line(f"本库自称账本 {shown(origin)}", f"the store says that it is ledger {shown(origin)}"),
                        Line(f"库外日志属于 {shown(name)}", f"the journal outside is that of {shown(name)}"))

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Every whole checkpoint, in the order in which they were written; one that was cut off at the end was never
        acknowledged.
        """
        number, end = 0, self._end()
        try:
            with open(self._file, "rb") as file:
                def line() -> bytes:
                    left = verifier.MAX_LINE + 1 if end is None else min(verifier.MAX_LINE + 1, end - file.tell())
                    return file.readline(left) if left > 0 else b""

                for note in verifier.notes(iter(line, b"")):
                    number += 1
                    found = None if note is None else _checkpoint(note)
                    if note is None or found is None or (self._last is not None and found.size < self._last.size):
                        self._broken.append(number)
                        continue
                    self._last, self._note = found, note
                    yield found
        except (OSError, verifier.NotVerified):
            self._broken.append(number + 1)

    def _end(self) -> int | None:
        """Where the last note ends that was acknowledged; None where that cannot be told, and all is read."""
        if not self.place.is_dir():
            return None  # what somebody kept is whole
        try:
            return read_end(self._file, None, standing(self._file.parent, self.key)).end
        except JournalError:
            return None

    def renewed(self) -> str | None:
        """What the journal has signed of a ledger begun anew; None where nothing, or nothing that its keys sign."""
        if self._trust is None or not self.place.is_dir():
            return None
        try:
            return read_renewed(self.place, self._trust)
        except (OSError, verifier.NotVerified):
            return None

    def against(self, size: int, root: bytes, differs: Sequence[Head], meanwhile: Callable[[Checkpoint], bool] = lambda _: False,
                inside: str | None = None) -> Iterator[Fault]:
        """What is to be said of them, held against a tree of ``size`` leaves with that root; ``differs`` are the stored tree at
        the sizes of those that do not fit, and ``meanwhile`` says whether the store by now has a checkpoint of more.

        ``inside`` is the note that the store itself keeps of its last commit, if it does: signed by the same keys, it tells
        what other machines recorded from what nobody signed.
        """
        if differs:
            which = _some([head.size for head in differs])
            roots = mark(hashlib.sha256(b"".join(head.root for head in differs)).digest())
            yield Fault("checkpoint_differs", Line(f"{which} 个叶子的检查点", f"the checkpoints of {which} leaves"), Line(
                        f"与存储的树（{roots}）不符：历史被改写，或检查点被改动",
                        f"are not of the stored tree ({roots}): the history was rewritten, or they were altered"))
        if self._broken:
            which = _some(self._broken)
            yield Fault("checkpoint_invalid", Line(f"第 {which} 个检查点", f"note {which} of the checkpoints"), Line(
                        "不是检查点，或次序有误", "is no checkpoint, or out of order"))
        signed = self._last.size if self._last else 0
        if self._last is not None and self._trust is not None:
            try:
                verifier.verify_checkpoint(self._note, self._trust)
            except verifier.NotVerified as error:
                yield Fault("checkpoint_invalid", Line(f"最后的检查点（{signed}）", f"the last checkpoint ({signed})"),
                            Line(error.zh, error.en))
        if self._last is not None and signed > size and not meanwhile(self._last):
            yield Fault("tail_lost", Line(f"账本有 {size} 个叶子", f"the ledger has {size} leaves"),
                        Line(f"库外签名的检查点有 {signed} 个（{mark(self._last.root)}）：末尾丢失，或换成了旧副本",
                             f"the checkpoint signed outside has {signed} ({mark(self._last.root)}): the end is lost, or an old "
                             "copy was put back"))
        if signed < size and inside is not None:
            yield from self._signed_inside(size, root, inside, meanwhile)
        elif signed < size:
            intended = read_intended(self.place) if self.place.is_dir() else None
            tree = mark(root)
            # One of more is of a command that others are giving meanwhile.
            known = intended is None or intended.size > size or (intended.size, intended.root) == (size, root)
            yield Fault("journal_behind" if known else "tail_unsigned",
                        Line(f"账本有 {size} 个叶子（{tree}）", f"the ledger has {size} leaves ({tree})"),
                        Line(f"库外签名的只有 {signed} 个：其后的没有确认过，或日志被截断",
                             f"only {signed} are signed outside: what came after was not acknowledged, or the journal was cut")
                        if known else
                        Line(f"库外签名的只有 {signed} 个，且没有命令准备为其余的签名：它们绕过命令写入，或日志是旧副本",
                             f"only {signed} are signed outside, and no command was about to have the others signed: they were "
                             "written past the commands, or the journal is an old copy"))

    def _signed_inside(self, size: int, root: bytes, note: str, meanwhile: Callable[[Checkpoint], bool]) -> Iterator[Fault]:
        try:
            assert self._trust is not None
            found = verifier.verify_checkpoint(note.encode(), self._trust)
            told = Checkpoint(found.origin, found.size, found.root)
            why = Line("其签名是另一段历史的", "its signature is of another history")
            if (told.size, told.root) == (size, root) or (told.size > size and meanwhile(told)):
                return
        except verifier.NotVerified as error:
            why = Line(error.zh, error.en)
        tree = mark(root)
        yield Fault("tail_unsigned", Line(f"账本有 {size} 个叶子（{tree}）", f"the ledger has {size} leaves ({tree})"),
                    Line(f"库中所存的最后签名不成立：{why.zh}",
                         f"the last signature that the store keeps does not hold: {why.en}"))

    def last(self) -> Checkpoint:
        """The checkpoint of a file that somebody kept, verified. :class:`~casework.errors.InputError` where it cannot be."""
        if not self._file.is_file():
            raise InputError("is no file; name a checkpoint that you kept", "不是文件；请指定你保存的检查点", str(self.place))
        for fault in self.faults():
            raise InputError(f"{fault.what.en}: {fault.why.en}", f"{fault.what.zh}：{fault.why.zh}", str(self.place))
        *_, found = (None, *self.checkpoints())
        try:
            if found is None or self._broken or self._trust is None:
                raise verifier.NotVerified("no checkpoint", "不是检查点")
            verifier.verify_checkpoint(self._note, self._trust)
        except (verifier.NotVerified, verifier.CannotRun) as error:
            raise InputError(f"{error.en}; give a checkpoint of this ledger", f"{error.zh}；请给出本账本的检查点",
                             str(self.place)) from None
        return found

    @property
    def _file(self) -> Path:
        return self.place / CHECKPOINTS if self.place.is_dir() else self.place

    def _trusted(self) -> verifier.Trust:
        folder = self.place if self.place.is_dir() else self.journal
        try:
            if folder is not None:
                return trust(folder, self.key)
        except FileNotFoundError:
            if folder == self.place:
                raise
        # The journal of a kept checkpoint is not at hand: only the key that was given verifies it.
        if self.key is None:
            raise verifier.CannotRun("there is no key to verify by; give it with --key", "没有用于验证的公钥；请用 --key 给出")
        return verifier.Trust.of(self.key)


def mark(made: bytes) -> str:
    """A hash as a finding names it: so what a baseline acknowledges is bound to all that the hash is over."""
    return made.hex()[:32]


def _some(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:_NAMED])) + ("…" if len(numbers) > _NAMED else "")


def _checkpoint(note: bytes) -> Checkpoint | None:
    """What an unverified note says; None where it is no checkpoint. All are held against the tree, and the last is verified."""
    try:
        origin, size, root, end = verifier.Note.read(note).text.split("\n")
        return None if end else Checkpoint(origin, verifier.number(size), verifier.unbase64(root, 32))
    except ValueError:
        return None
