"""One way in: a store to write to, or a reader of it that starts fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casework.errors import StoreMissing
from casework.store.url import parse

if TYPE_CHECKING:
    from casework.store.ledger.journal import Journal
    from casework.store.sqlite.reader import Reader
    from casework.store.store import Store

#: How long a writer waits for another one, in seconds.
LOCK_TIMEOUT = 30.0


def open_store(url: str, *, create: bool = False, lock_timeout: float = LOCK_TIMEOUT, journal: Journal | None = None) -> Store:
    """Open the store that ``url`` names: ``sqlite:///PATH``, a bare path, or ``:memory:`` for one that is not kept.

    ``create`` makes it where there is none. ``journal`` is the journal outside it; a store that is made without one says so, and
    one that was made with one records nothing without it. Raises :class:`~casework.errors.StoreMissing`,
    :class:`~casework.errors.NotAStore`, :class:`~casework.errors.StoreError` or :class:`~casework.errors.InputError`.
    """
    from casework.store.store import Store

    place = parse(url)
    if place.kind == "memory":
        from casework.store.memory import MemoryRecorder

        return Store(MemoryRecorder(), path=None, lock_timeout=lock_timeout)
    from casework.store.ledger.ledger import NONE, OUTSIDE
    from casework.store.sqlite.recorder import CaseDatastore, CaseRecorder, check
    from casework.store.sqlite.recorder import create as make

    if create:
        make(place.path, force=place.force, origin=journal.origin if journal else "", journal=OUTSIDE if journal else NONE)
    check(place.path, force=place.force)
    return Store(CaseRecorder(CaseDatastore(place.path), journal), path=place.path, lock_timeout=lock_timeout)


def open_reader(url: str) -> Reader:
    """Open the store that ``url`` names for reading only, without the event-sourcing library. Raises as :func:`open_store`."""
    from casework.store.sqlite.reader import Reader, check

    place = parse(url)
    if place.kind == "memory":
        raise StoreMissing("a store in memory holds nothing to read; name a file",
                           "内存案件库没有可读的内容；请指定文件")
    check(place.path, force=place.force)
    return Reader(place.path)
