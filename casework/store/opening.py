"""One way in: a store to write to, or a reader of it that starts fast."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from casework.errors import InputError, StoreMissing
from casework.store.url import Location, parse

if TYPE_CHECKING:
    from pathlib import Path

    from casework.store.contract import Reader, Recorder
    from casework.store.ledger.journal import Journal
    from casework.store.store import Store

#: How long a writer waits for another one, in seconds.
LOCK_TIMEOUT = 30.0


def open_store(url: str, *, create: bool = False, lock_timeout: float = LOCK_TIMEOUT, journal: Journal | None = None) -> Store:
    """Open the store that ``url`` names: ``sqlite:///PATH``, a bare path, ``postgresql://HOST/DATABASE``, or ``:memory:`` for one
    that is not kept.

    ``create`` makes it where there is none. ``journal`` is the journal outside it; a store that is made without one says so, and
    one that was made with one records nothing without it. Raises :class:`~casework.errors.StoreMissing`,
    :class:`~casework.errors.NotAStore`, :class:`~casework.errors.StoreError` or :class:`~casework.errors.InputError`.
    """
    from casework.store.store import Store

    place = parse(url)
    if create:
        make_store(place, journal)
    return Store(open_recorder(place, journal, lock_timeout=lock_timeout))


def make_store(place: Location, journal: Journal | None) -> None:
    """Make the store where there is none, with that journal or without; one that is there stays as it is. Raises as
    :func:`open_store`.
    """
    from casework.store.ledger.ledger import NONE, OUTSIDE

    origin, kept = (journal.origin, OUTSIDE) if journal else ("", NONE)
    if place.kind == "sqlite":
        from casework.store.sqlite.recorder import create

        create(place.path, force=place.force, origin=origin, journal=kept)
    elif place.kind == "postgresql":
        from casework.store.postgres.schema import make

        make(place, {"origin": origin, "journal": kept}, journal)


def is_blank(place: Location) -> bool:
    """Whether nothing is there yet that a store could not be made in the place of. Raises as :func:`open_store`."""
    if place.kind == "postgresql":
        from casework.store.postgres.schema import is_blank

        return is_blank(place)
    return not os.path.exists(place.path) or (os.path.isfile(place.path) and os.path.getsize(place.path) == 0)


def making(place: Location) -> AbstractContextManager[object]:
    """What is held while a store is made; a server sees to that itself. :class:`~casework.errors.StoreBusy`."""
    from casework.store.lock import WriterLock

    if place.is_shared or not os.path.isdir(place.folder or ""):  # which making it says
        return nullcontext()
    return WriterLock(place.path, LOCK_TIMEOUT)


def copy_store(url: str, fresh: Path, copy_journal: Callable[[], None]) -> None:
    """Copy the store to a new file, which is a store in SQLite whatever the original is, and its journal by ``copy_journal``, so
    that what the journal's copy has signed the store's copy has. Raises as :func:`open_store`.
    """
    from casework.store.lock import WriterLock
    from casework.store.sqlite import backup

    place = parse(url)
    if place.is_shared:
        copy_journal()  # first: whatever was signed by then is in what is read after
        with open_reader(url) as reader:
            backup.write(reader, fresh)
    else:
        with WriterLock(place.path, LOCK_TIMEOUT):
            backup.copy(place.path, fresh)
            copy_journal()


def open_recorder(place: Location, journal: Journal | None = None, *, lock_timeout: float = LOCK_TIMEOUT) -> Recorder:
    """What writes to the store at that place. Raises as :func:`open_store`."""
    if place.kind == "memory":
        from casework.store.memory import MemoryRecorder

        return MemoryRecorder()
    if place.kind == "postgresql":
        from casework.store.postgres.recorder import PostgresRecorder

        return PostgresRecorder(place, journal, lock_timeout=lock_timeout)
    from casework.store.sqlite.recorder import CaseDatastore, CaseRecorder, check

    check(place.path, force=place.force)
    return CaseRecorder(CaseDatastore(place.path), journal, lock_timeout=lock_timeout)


def grant(url: str, role: str, *, writes: bool) -> None:
    """Let a role of the database server read the store, or add to it as well; the role is made where there is none.

    :class:`~casework.errors.InputError` for a store that no server keeps, :class:`~casework.errors.StoreError`.
    """
    place = parse(url)
    if place.kind != "postgresql":
        raise InputError("a store in a file has no roles; its owner and permissions say who may read and write it",
                         "文件案件库没有角色；由文件的所有者和权限决定谁可读写", "--writer/--reader")
    from casework.store.postgres.schema import grant as granted

    granted(place, role, writes=writes)


def open_reader(url: str) -> Reader:
    """Open the store that ``url`` names for reading only, without the event-sourcing library. Raises as :func:`open_store`."""
    place = parse(url)
    if place.kind == "memory":
        raise StoreMissing("a store in memory holds nothing to read; name a file",
                           "内存案件库没有可读的内容；请指定文件")
    if place.kind == "postgresql":
        from casework.store.postgres.reader import PostgresReader

        return PostgresReader(place)
    from casework.store.sqlite.reader import Reader, check

    check(place.path, force=place.force)
    return Reader(place.path)
