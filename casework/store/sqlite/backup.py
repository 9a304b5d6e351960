"""A copy of a store, and the proof that it holds all that its journal has signed.

A copy that was not proved is not a backup: nothing lies under the name that was asked for before it is.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from casework import verifier
from casework.errors import InputError, StoreError
from casework.store import codec, contract, dues
from casework.store.ledger.journal import CHECKPOINTS, KEY, KEYS, read_end, sync_folder, write_new
from casework.store.ledger.ledger import OUTSIDE, PUT_META
from casework.store.ledger.tree import EMPTY
from casework.store.row import Row
from casework.store.sqlite.reader import SQLITE_ERRORS, USER_VERSION, Reader, store_error
from casework.store.url import file_uri

#: How many leaves or nodes are in memory at a time.
_PAGE = 4096
#: What a copy is called that could not be proved.
UNPROVED = ".unproved"


class Proof(NamedTuple):
    """What a copy was proved by: a signed checkpoint outside (``journal``), its own ledger only, or nothing (format 1)."""

    by: Literal["journal", "ledger", "nothing"]
    #: How many commits the checkpoint covers, and its root.
    size: int
    root: bytes
    #: How many commits came after it.
    later: int


def refuse_taken(place: Path) -> None:
    """Raise :class:`~casework.errors.InputError` where something is at the place of a backup, or its folder is not there."""
    if not place.parent.is_dir():
        raise InputError(f"the folder {place.parent} is not there; make it first", f"目录 {place.parent} 不存在；请先建立",
                         str(place))
    for taken in (place, journal_beside(place), unproved(place)):
        if os.path.lexists(taken):
            raise InputError("is there already, and a backup never overwrites; name another", "已存在，备份从不覆盖；请另取名称",
                             str(taken))


def journal_beside(place: Path) -> Path:
    """Where the journal's checkpoints and keys lie that a backup is proved by."""
    return place.with_name(place.name + ".journal")


def unproved(place: Path) -> Path:
    """Where a copy is kept that could not be proved."""
    return place.with_name(place.name + UNPROVED)


def copy(path: str, fresh: Path) -> None:
    """Copy the store at ``path`` to a new file, readable by its owner alone, and force it to the disk.

    By SQLite's backup interface, in one step. Whoever calls holds the writer's lock. :class:`~casework.errors.StoreError`.
    """
    try:
        # Made here and not by SQLite, which would let others read it for a moment.
        write_new(fresh, "", 0o600)
    except OSError as error:
        raise _unwritable(fresh, error) from error
    try:
        with closing(sqlite3.connect(file_uri(path, "ro"), uri=True)) as source, \
                closing(sqlite3.connect(file_uri(str(fresh), "rw"), uri=True, isolation_level=None)) as target:
            # Until it is proved, nobody needs this file; a journal beside it would be left behind by a crash.
            target.execute("PRAGMA journal_mode=MEMORY")
            source.backup(target)
        _force(fresh)
    except SQLITE_ERRORS as error:
        fresh.unlink(missing_ok=True)
        raise store_error(error, str(fresh)) from error
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise _unwritable(fresh, error) from error


def write(reader: contract.Reader, fresh: Path) -> None:
    """Write what a store of any kind holds to a new file, which is a store too: rows and ledger as they are, as of one moment.

    Readable by its owner alone, and forced to the disk. :class:`~casework.errors.StoreError`.
    """
    from casework.store.sqlite.recorder import create

    try:
        write_new(fresh, "", 0o600)
        create(fresh)
        with closing(sqlite3.connect(file_uri(str(fresh), "rw"), uri=True, isolation_level=None)) as target:
            target.execute("PRAGMA journal_mode=MEMORY")  # as above
            target.execute("BEGIN")
            seen, book, running = reader.snapshot(), reader.ledger(), dues.Index()
            target.executemany(f"INSERT INTO stored_events VALUES ({', '.join('?' * len(Row._fields))})",
                               _followed(seen.rows, running))
            for start in range(0, seen.leaves, _PAGE):
                target.executemany("INSERT INTO ledger_leaves VALUES (?, ?, ?, ?, ?)",
                                   book.leaves(start, min(start + _PAGE, seen.leaves)))
            for level in range(1, seen.leaves.bit_length()):
                for start in range(0, seen.leaves >> level, _PAGE):
                    target.executemany("INSERT INTO ledger_nodes VALUES (?, ?, ?)",
                                       book.nodes(level, start, min(start + _PAGE, seen.leaves >> level)))
            target.executemany(PUT_META, book.meta().items())
            target.executemany(dues.PUT, running.values())
            target.execute("COMMIT")
        _force(fresh)
    except SQLITE_ERRORS as error:
        drop(fresh)
        raise store_error(error, str(fresh)) from error
    except OSError as error:
        drop(fresh)
        raise _unwritable(fresh, error) from error


def _followed(rows: Iterator[Row], running: dues.Index) -> Iterator[Row]:
    """The rows as they are; which duties run after them is kept."""
    for row in rows:
        dues.follow(running, row.case, codec.duty_changes(row.payload))
        yield row


def copy_journal(folder: Path, place: Path, *, with_key: bool) -> None:
    """Copy checkpoints and keys to a new folder, and the signing key only where that is asked for.

    :class:`~casework.errors.StoreError`.
    """
    try:
        place.mkdir(mode=0o700)
    except OSError as error:  # such as that somebody else's is there by now
        raise _unwritable(place, error) from error
    try:
        for name in (CHECKPOINTS, KEYS, *([KEY] if with_key else [])):
            write_new(place / name, (folder / name).read_bytes(), 0o600)
        sync_folder(place)
        sync_folder(place.parent)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise _unwritable(place, error) from error


def prove(fresh: Path, journal: Path | None) -> Proof:
    """Prove the copy: sound as a database, rows and leaves and tree fit, and all that the journal signed is in it.

    ``journal`` is a folder of checkpoints and keys. NotVerified says what is wrong, :class:`~casework.errors.StoreError` where
    the journal cannot be read.
    """
    sound(str(fresh))
    try:
        with Reader(fresh) as reader:
            book = reader.ledger()
            meta = book.meta() if reader.format() >= USER_VERSION and book.is_there() else {}
            head = book.head() if meta else None
    except StoreError as error:
        raise verifier.NotVerified(error.en, error.zh) from None
    try:
        # A store that denies the journal that was begun for it is proved by that journal, or not at all.
        if journal is not None:
            return _by_journal(fresh, journal)
        if meta.get("journal") == OUTSIDE:
            raise verifier.NotVerified("the store keeps a journal outside, which is not there; name it with --journal",
                                       "案件库在库外有日志，但日志不在；请用 --journal 指定")
        if head is None:
            return Proof("nothing", 0, b"", 0)
        proved = verifier.verify_store(str(fresh), verifier.Checkpoint(meta.get("origin", ""), head.size, head.root))
    except verifier.CannotRun as error:
        raise StoreError(f"{fresh}: {error.en}", f"{fresh}：{error.zh}") from None
    return Proof("ledger", head.size, head.root, proved.later)


def _by_journal(fresh: Path, journal: Path) -> Proof:
    trust = keys_of(journal)
    note = read_end(journal / CHECKPOINTS).note
    # Before the first commit there is nothing to sign, and an empty tree is what the store has to have.
    checkpoint = (verifier.verify_checkpoint(note.encode(), trust) if note is not None
                  else verifier.Checkpoint(trust.keys[-1].name, 0, EMPTY))
    proved = verifier.verify_store(str(fresh), checkpoint)
    return Proof("journal", checkpoint.size, checkpoint.root, proved.later)


def keys_of(journal: Path) -> verifier.Trust:
    """The keys in a journal's folder, each following from the one before it.

    NotVerified, :class:`~casework.errors.StoreError`.
    """
    place = journal / KEYS
    try:
        data = place.read_bytes()
    except OSError as error:
        raise StoreError(f"{place} cannot be read ({error.strerror}); restore it",
                         f"{place} 无法读取（{error.strerror}）；请恢复") from error
    lines = data.split(b"\n")
    if len(lines) < 3:
        raise verifier.NotVerified("the file of keys names no key", "公钥文件中没有公钥")
    try:
        return verifier.Trust.of(lines[2].decode("utf-8", "replace"), data)
    except verifier.CannotRun as error:
        raise verifier.NotVerified(error.en, error.zh) from None


def sound(path: str) -> None:
    """Raise NotVerified where SQLite finds the database damaged, its indexes included."""
    try:
        with closing(sqlite3.connect(file_uri(path, "ro"), uri=True)) as db:
            found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(3)")]
    except SQLITE_ERRORS as error:
        found = [str(error)]
    if found != ["ok"]:
        said = verifier.shown("; ".join(found), 200)
        raise verifier.NotVerified(f"the database is damaged ({said})", f"数据库已损坏（{said}）")


def publish(fresh: Path, place: Path) -> None:
    """Give the copy its name, which nothing has. :class:`~casework.errors.StoreError`."""
    try:
        try:
            os.link(fresh, place)  # fails where the name is taken, which a rename does not
            fresh.unlink()
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if os.path.lexists(place):
                raise FileExistsError(place) from None
            os.rename(fresh, place)
        sync_folder(place.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise _unwritable(place, error) from error


def drop(fresh: Path) -> None:
    """Remove a copy that is to have no name."""
    for end in ("", "-journal"):
        with suppress(OSError):
            fresh.with_name(fresh.name + end).unlink(missing_ok=True)


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(place: Path, error: OSError) -> StoreError:
    return StoreError(f"{place} cannot be written ({error.strerror or error}); check folder, permissions and free space, or name "
                      "another place",
                      f"{place} 无法写入（{error.strerror or error}）；请检查目录、权限与剩余空间，或指定其他位置")
