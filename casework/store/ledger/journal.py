"""The journal: a folder outside the store's, with every signed checkpoint, the keys and the receipts (``docs/ledger.md``).

A command is done when its checkpoint is here and on the disk. Whoever alters the store alone cannot alter this; whoever holds
both can, which is what witnesses and receipts in other hands are for.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from casework import verifier
from casework.errors import JournalError, NotAcknowledged
from casework.store.ledger.ledger import Head
from casework.store.ledger.note import Checkpoint, Signer, key_note, signed
from casework.store.ledger.tree import EMPTY

if sys.platform != "win32":
    import fcntl

CHECKPOINTS, KEY, KEYS, RECEIPTS = "checkpoints", "key", "keys", "receipts"
#: What is about to be signed; and, where a ledger was begun anew, why.
INTENDED, RENEWED = "intended", "renewed"
_FILES = (KEY, KEYS, CHECKPOINTS, INTENDED)
_FRESH = KEY + ".new"  # a key that is to take over
#: A whole note of a checkpoint; what follows the last one was cut off when it was written, and never acknowledged.
_NOTE = re.compile(rb"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n\n(?:\xe2\x80\x94 [^\n]+\n)+")
_TAIL = 8 * 1024


#: A verification key, on a line of its own.
_VKEY = re.compile(rb"^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$", re.MULTILINE)


class _End(NamedTuple):
    """Where the last whole note ends in the file, what it says, and the note; nothing where there is none."""

    end: int
    checkpoint: Checkpoint | None
    note: str | None


class Journal:
    """The journal in ``folder``, and its signing key.

    :class:`~casework.errors.JournalError` where it is not there, or not whole.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        #: The file of checkpoints.
        self.path = self.folder / CHECKPOINTS
        self._known: _End | None = None
        self._trust: verifier.Trust | None = None
        self._key: tuple[int, ...] = ()
        self.signer = self._signer()
        if os.path.lexists(self.folder / _FRESH):
            with suppress(OSError, JournalError), self._appending():
                pass  # the rotation that was interrupted is over

    @property
    def origin(self) -> str:
        """The name of the ledger whose journal this is."""
        return self.signer.origin

    @classmethod
    def found(cls, folder: str | os.PathLike[str], signer: Signer) -> Journal:
        """Begin a journal with that key. :class:`~casework.errors.JournalError` where there is one already, or something else.

        One that was begun and has signed nothing is begun again: whoever did that was killed before its store was made.
        """
        place = Path(folder)
        try:
            _make_folder(place)
            if (place / CHECKPOINTS).exists() and _NOTE.search((place / CHECKPOINTS).read_bytes()):
                raise JournalError(f"{place} holds the journal of another store; name another folder with --journal",
                                   f"{place} 已是另一案件库的日志；请用 --journal 指定其他目录")
            if not _is_ours_to_begin(place):
                raise JournalError(f"{place} holds files that are no journal's; name a folder of its own with --journal",
                                   f"{place} 中有不属于日志的同名文件；请用 --journal 指定专用目录")
            for name in _FILES:
                (place / name).unlink(missing_ok=True)
            (place / RECEIPTS).mkdir(mode=0o700, exist_ok=True)  # they say what people wrote
            for name, text, mode in ((KEY, signer.private(), 0o600), (KEYS, key_note(signer, 0), 0o644), (CHECKPOINTS, "", 0o644),
                                     (INTENDED, "", 0o600)):
                write_over(place / name, text, mode)  # whole or not there, whatever a power cut leaves
        except OSError as error:
            raise _unusable(place, error) from error
        return cls(place)

    def abandon(self) -> None:
        """Take back a journal that was just begun, since its store could not be made; whatever else lies there stays."""
        for name in _FILES:
            with suppress(OSError):
                (self.folder / name).unlink()
        for folder in (self.folder / RECEIPTS, self.folder):
            with suppress(OSError):
                folder.rmdir()

    def last(self) -> Checkpoint | None:
        """The last checkpoint that the ledger's key signed."""
        return self._read().checkpoint

    def end(self) -> tuple[Checkpoint, str] | None:
        """The last checkpoint and its note, of one moment: others may sign between two looks."""
        _, checkpoint, note = self._read()
        return None if checkpoint is None or note is None else (checkpoint, note)

    def check(self, size: int, root_at: Callable[[int], bytes], settle: Callable[[], None] = lambda: None) -> None:
        """Raise :class:`~casework.errors.JournalError` unless the store, of ``size`` leaves, holds what was signed and no more.

        What a command recorded that was killed before it was signed is signed now: it said before what it was about to record.
        ``settle`` makes sure first that the store has it on the disk.
        """
        last = self.contained(size, root_at)
        if size > last.size:
            head = Head(size, root_at(size))
            if self.intended() != Checkpoint(self.origin, *head):
                raise _unsigned(size - last.size, self.folder)
            settle()
            self.acknowledge(head)

    def contained(self, size: int, root_at: Callable[[int], bytes]) -> Checkpoint:
        """The last checkpoint of this journal, which a store of ``size`` leaves contains.

        :class:`~casework.errors.JournalError` where it does not.
        """
        last = self.last() or Checkpoint(self.origin, 0, EMPTY)
        if last.size > size:
            raise JournalError(
                f"the store lacks {last.size - size} commits that the journal {self.folder} has signed: it was cut or an old "
                "copy was put back. Restore the newest backup; if there is none, casework init --renew-ledger says so and "
                "goes on",
                f"案件库缺少日志 {self.folder} 已签名的 {last.size - size} 次提交：被截断或换成了旧副本。请恢复最新备份；"
                "若没有，用 casework init --renew-ledger 说明后继续")
        if root_at(last.size) != last.root:
            raise JournalError(
                f"the store is not what the journal {self.folder} has signed: its history was rewritten. Run casework audit, "
                "and restore a backup",
                f"案件库与日志 {self.folder} 已签名的内容不符：历史被改写。请运行 casework audit 并恢复备份")
        return last

    def sign(self, head: Head) -> str:
        """The signed note of that tree, for a store that keeps the one of its last commit beside it."""
        return signed(Checkpoint(self.origin, head.size, head.root).text(), self.signer)

    def verified(self, note: str) -> Checkpoint:
        """What a note says that the keys of this journal sign.

        Another process may have changed the key since this journal was opened: then the keys are read again.
        :class:`~casework.errors.JournalError` where none of them signed it.
        """
        for keys in (self._trust, None):
            try:
                self._trust = keys or trust(self.folder)
                found = verifier.verify_checkpoint(note.encode(), self._trust)
            except (OSError, verifier.NotVerified, verifier.CannotRun) as error:
                failed = error
                continue
            if keys is None:
                self.signer = self._signer()
            return Checkpoint(found.origin, found.size, found.root)
        raise JournalError(
            f"the last commit of the store is signed by no key of the journal {self.folder} ({failed}): it was written past the "
            "commands, or the key was changed on another machine. Run casework audit; if it was changed, copy key and keys from "
            "there",
            f"案件库的最后一次提交不是由日志 {self.folder} 的密钥签名（{failed}）：它绕过命令写入，或密钥已在另一机器上更换。"
            "请运行 casework audit；若已换钥，请从那里复制 key 和 keys")

    def intend(self, head: Head) -> None:
        """Say, on the disk, what is about to be recorded and signed; within the transaction, before its commit.

        So that after a kill what a command recorded can be told from what somebody else put there.
        """
        try:
            handle = os.open(self.folder / INTENDED, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
                             | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                # In its place: what stood here before is signed already.
                text = Checkpoint(self.origin, head.size, head.root).text().encode()
                write_all(handle, text)
                os.ftruncate(handle, len(text))
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise _unusable(self.folder / INTENDED, error) from error

    def intended(self) -> Checkpoint | None:
        """What was last about to be recorded; None where that cannot be told."""
        return read_intended(self.folder)

    def declare_renewed(self, said: str) -> None:
        """Sign that this ledger was begun anew, and why; it stays, whatever the store says later."""
        try:
            write_over(self.folder / RENEWED, signed(f"{self.origin}\ncasework/renewed/1\n{said}\n", self.signer))
        except OSError as error:
            raise _unusable(self.folder / RENEWED, error) from error

    def acknowledge(self, head: Head, covers: Callable[[Checkpoint], bool] = lambda _: False) -> None:
        """Put a checkpoint of the tree in the journal and on the disk, if it is not there.

        Where many write at once, one of more may be there before: ``covers`` says whether that is of the same history, and so
        acknowledges this too. :class:`~casework.errors.NotAcknowledged`; so also where another copy of the store has signed
        another history meanwhile.
        """
        made = Checkpoint(self.origin, head.size, head.root)
        try:
            if self.last() == made:
                return
            with self._appending() as handle:
                last = self.last()
                if last is None or last.size < made.size:
                    self._append(handle, made)
                    return
            # Asked of the store when others may sign again.
            if last != made and not (last.size > made.size and covers(last)):
                raise NotAcknowledged(
                    f"recorded, but the journal {self.folder} has signed another history meanwhile: a copy of this store is in "
                    "use. Keep one of the two, and run casework audit on it",
                    f"已记录，但日志 {self.folder} 在此期间已为另一段历史签名：此案件库另有副本在用。请只保留其一，"
                    "并运行 casework audit")
        except NotAcknowledged:
            raise
        except (OSError, JournalError) as error:
            self._known = None
            why = error.strerror if isinstance(error, OSError) else error
            raise NotAcknowledged(
                f"recorded, but the journal {self.path} cannot be written ({why}); free space or mend its "
                "permissions, then give the same command again under the same --command-id",
                f"已记录，但日志 {self.path} 写不进去（{why}）；请腾出空间或修正权限，"
                "再以同一 --command-id 重发该命令") from error

    @contextmanager
    def _appending(self) -> Iterator[int]:
        """The file of checkpoints, to append to, and the key that signs now, by one process at a time: a copy of the store has a
        lock of its own.
        """
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Since this journal was opened another process may have changed the key, or been killed while it did.
            self._finish_rotation()
            if self._key != _mark(self.folder / KEY):
                self.signer = self._signer()
            yield handle
        finally:
            os.close(handle)

    def _append(self, handle: int, made: Checkpoint) -> None:
        end = self._read().end
        note = signed(made.text(), self.signer)
        text = (("\n" if end else "") + note).encode()
        if os.fstat(handle).st_size != end:
            os.ftruncate(handle, end)
        write_all(handle, text)
        os.fsync(handle)
        self._known = _End(end + len(text), made, note)

    def rotate(self, seed: bytes, size: int) -> Signer:
        """From ``size`` leaves on another key signs; the one before signs that, and the new one signs the last checkpoint too, so
        that whoever knows the new key alone can verify what there is. The new signer.
        """
        new = Signer(self.origin, seed)
        try:
            with self._appending() as handle:
                known = (self.folder / KEYS).read_text(encoding="utf-8")
                fresh = self.folder / _FRESH
                with suppress(FileNotFoundError):
                    fresh.unlink()
                write_new(fresh, new.private(), 0o600)
                write_over(self.folder / KEYS, known + "\n" + key_note(new, size, self.signer))
                os.replace(fresh, self.folder / KEY)
                sync_folder(self.folder)
                self.signer = self._signer()
                if (last := self.last()) is not None:
                    self._append(handle, last)
        except OSError as error:
            raise _unusable(self.folder, error) from error
        return new

    def keep_receipt(self, case: str, version: int, text: bytes) -> Path:
        """Write a receipt beside the checkpoints; where it lies."""
        place = self.folder / RECEIPTS / f"{case}-v{version}.tlog-proof"
        try:
            place.parent.mkdir(mode=0o700, exist_ok=True)
            write_over(place, text.decode())
        except OSError as error:
            raise _unusable(place, error) from error
        return place

    def _read(self) -> _End:
        """The last whole note."""
        found = read_end(self.path, self._known, standing(self.folder))
        self._known = found
        return found

    def _signer(self) -> Signer:
        """The key in its file."""
        try:
            self._key = _mark(self.folder / KEY)
            return Signer.read((self.folder / KEY).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise JournalError(
                f"there is no journal with a key at {self.folder}; name it with --journal or CASEWORK_JOURNAL, or restore it; "
                "if it is lost: casework init --renew-ledger",
                f"{self.folder} 处没有带密钥的日志；请用 --journal 或 CASEWORK_JOURNAL 指定，或恢复它；"
                "若已丢失：casework init --renew-ledger",
            ) from None
        except OSError as error:
            raise _unusable(self.folder / KEY, error) from error
        except ValueError:
            raise JournalError(f"{self.folder / KEY} is no signing key; restore it from where you keep a copy",
                               f"{self.folder / KEY} 不是签名密钥；请从副本恢复") from None

    def _finish_rotation(self) -> None:
        """A rotation that was interrupted is over when the new key is named among the keys, and else never was."""
        fresh = self.folder / _FRESH
        with suppress(FileNotFoundError, ValueError):
            new = Signer.read(fresh.read_text(encoding="utf-8"))
            if f"\n{new.vkey}\n" in (self.folder / KEYS).read_text(encoding="utf-8"):
                os.replace(fresh, self.folder / KEY)
            else:
                fresh.unlink()


def fitting(journal: Journal | None, meta: Mapping[str, str]) -> Journal:
    """The journal, if it is that of the ledger which says this of itself. :class:`~casework.errors.JournalError`."""
    origin = meta.get("origin", "")
    if journal is None:
        raise JournalError(f"this store keeps a journal outside ({origin}), without which nothing is recorded; name it",
                           f"此案件库在库外有日志（{origin}），没有它不作记录；请指定")
    if journal.origin != origin:
        raise JournalError(f"{journal.folder} is the journal of {journal.origin}, and this store is {origin}; "
                           "name another with --journal",
                           f"{journal.folder} 是 {journal.origin} 的日志，而此案件库是 {origin}；请用 --journal 指定其他日志")
    return journal


def refuse_denied(journal: Journal, name: str) -> NoReturn:
    """Raise :class:`~casework.errors.JournalError`: the store of that name denies the journal that was begun for it."""
    raise JournalError(
        f"{name} says that it keeps no journal outside, and {journal.folder} was named, or was begun for a store here; "
        "audit it. If it is right, leave --journal and CASEWORK_JOURNAL out, or begin its ledger anew: casework init "
        "--renew-ledger",
        f"{name} 声明没有库外日志，却指定了或曾为此处建立 {journal.folder}；请先审计。若无误，请去掉 --journal 和 "
        "CASEWORK_JOURNAL，或另起账本：casework init --renew-ledger")


def _mark(path: Path) -> tuple[int, ...]:
    """What tells one file in that place from another that took it; a key is never written over. OSError where there is none."""
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_ours_to_begin(place: Path) -> bool:
    """Whether what lies there under a journal's names is nothing, or what a beginning that was cut off left."""
    try:
        held = (place / KEY).read_bytes()
        if held.endswith(b"\n"):
            Signer.read(held.decode())
        return held.endswith(b"\n") or b"PRIVATE+KEY+".startswith(held[:12])
    except FileNotFoundError:
        return not any(os.path.lexists(place / name) for name in (KEYS, CHECKPOINTS))
    except ValueError:
        return False


def read_end(path: Path, known: _End | None = None, stands: Callable[[bytes], bool] | None = None) -> _End:
    """The last whole note in a file of checkpoints; ``known`` is returned where the file ends where that does.

    Of what was appended last, a power cut may leave anything: one note at the end that does not stand (``stands`` says so of a
    note's bytes) was never acknowledged and is passed over. :class:`~casework.errors.JournalError` where the file is gone,
    cannot be read or ends in something else.
    """
    try:
        if known is not None and known.end == os.stat(path).st_size:
            return known
        with open(path, "rb") as file:
            length = file.seek(0, os.SEEK_END)
            start = max(0, length - _TAIL)
            file.seek(start)
            tail = file.read()
    except FileNotFoundError:
        raise JournalError(f"{path} is gone; restore the journal, or begin another: casework init --renew-ledger",
                           f"{path} 不见了；请恢复日志，或另起：casework init --renew-ledger") from None
    except OSError as error:
        raise _unusable(path, error) from error
    matches: list[re.Match[bytes] | None] = [None, None, *deque(_NOTE.finditer(tail), maxlen=2)]
    before, found = matches[-2:]
    if found is not None and stands is not None and not stands(found[0]):
        found = before if before is not None and stands(before[0]) else None
        if before is not None and found is None:
            raise _ends_in_nothing(path)
    elif found is None and start:
        raise _ends_in_nothing(path)
    if found is None:
        return _End(0, None, None)
    checkpoint = Checkpoint(found[1].decode("utf-8", "replace"), int(found[2]), base64.b64decode(found[3]))
    return _End(start + found.end(), checkpoint, found[0].decode("utf-8", "replace"))


def trust(folder: Path, key: str | None = None) -> verifier.Trust:
    """The keys of the journal in that folder: ``key`` is trusted, else the first of them, and those that follow it.

    OSError where they cannot be read, NotVerified and CannotRun of the verifier where they do not stand.
    """
    keys = (folder / KEYS).read_bytes()
    first = _VKEY.search(keys)
    if key is None and first is None:
        raise verifier.CannotRun("there is no key to verify by; give it with --key", "没有用于验证的公钥；请用 --key 给出")
    return verifier.Trust.of(key or (first[0].decode("utf-8", "replace") if first else ""), keys)


def read_intended(folder: Path) -> Checkpoint | None:
    """What a command was last about to record, as the journal in that folder says; None where it says nothing."""
    try:
        origin, size, root, end = (folder / INTENDED).read_text(encoding="utf-8").split("\n")
        return None if end else Checkpoint(origin, verifier.number(size), verifier.unbase64(root, 32))
    except (OSError, ValueError):
        return None


def read_renewed(folder: Path, keys: verifier.Trust) -> str | None:
    """What the journal in that folder has signed of a ledger begun anew; None where it has nothing.

    NotVerified of the verifier where that is not signed by its keys.
    """
    try:
        note = verifier.Note.read((folder / RENEWED).read_bytes())
    except FileNotFoundError:
        return None
    lines = note.text.split("\n")
    if not any(note.signed_by(key) for key in keys.keys) or lines[:2] != [keys.keys[0].name, "casework/renewed/1"]:
        raise verifier.NotVerified("what it says of a ledger begun anew is not signed by its keys",
                                   "另起账本的说明未经其公钥签名")
    return "\n".join(lines[2:-1])


def standing(folder: Path, key: str | None = None) -> Callable[[bytes], bool]:
    """Says of a note's bytes whether it is a checkpoint that the keys of the journal sign (:func:`trust`)."""
    def stands(note: bytes) -> bool:
        try:
            verifier.verify_checkpoint(note, trust(folder, key))
        except (OSError, verifier.NotVerified, verifier.CannotRun):
            return False
        return True

    return stands


def _unsigned(commits: int, folder: Path) -> JournalError:
    return JournalError(
        f"the store holds {commits} commits that no command was about to have signed in {folder}: they were written past the "
        "commands, or the journal is an old copy. Run casework audit, and restore store or journal",
        f"案件库有 {commits} 次提交，没有任何命令准备在 {folder} 为其签名：它们绕过命令写入，或日志是旧副本。"
        "请运行 casework audit，并恢复案件库或日志")


def _ends_in_nothing(path: Path) -> JournalError:
    return JournalError(f"{path} ends in no checkpoint that its key signed; restore the journal, or look with casework doctor",
                        f"{path} 末尾不是由其密钥签名的检查点；请恢复日志，或用 casework doctor 查看")


def _unusable(path: Path, error: OSError) -> JournalError:
    return JournalError(f"{path}: the journal cannot be used ({error.strerror}); check its folder and permissions, or name "
                        "another with --journal",
                        f"{path}：日志不可用（{error.strerror}）；请检查目录与权限，或用 --journal 指定其他位置")


def write_new(path: Path, text: str | bytes, mode: int) -> None:
    """Write a file that must not be there, whole or not at all."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), mode)
    try:
        write_all(handle, text if isinstance(text, bytes) else text.encode())
        os.fsync(handle)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(handle)


def write_over(path: Path, text: str, mode: int = 0o644) -> None:
    """Put a file in the place of another, whole or not at all."""
    fresh = path.with_name(path.name + f".{os.getpid()}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    write_new(fresh, text, mode)
    os.replace(fresh, path)
    sync_folder(path.parent)


def write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data):]


def _make_folder(folder: Path) -> None:
    """Make it and those above it, each name on the disk before anything is put in it."""
    if not folder.is_dir():
        if folder.parent != folder:
            _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
