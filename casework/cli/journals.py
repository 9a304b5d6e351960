"""Where the journal of a store is: the option, the environment, the default; and a store opened with it."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from casework.cli.base import Settings, complain, option, say
from casework.errors import CaseworkError, InputError, JournalError
from casework.report.text import escape

if TYPE_CHECKING:
    from casework.application.service import Done
    from casework.store.contract import Reader
    from casework.store.ledger.journal import Journal
    from casework.store.store import Store
    from casework.store.url import Location

F = TypeVar("F", bound=Callable[..., Any])
#: What ``--journal`` says for a store that is to keep none.
WITHOUT = "none"


def journaled(function: F) -> F:
    """The option that names the journal; it reaches the function as ``journal``."""
    decorated: F = option(
        "--journal", metavar="FOLDER", envvar="CASEWORK_JOURNAL",
        help="The journal outside the store [$CASEWORK_JOURNAL or ~/.local/state/casework/ORIGIN].",
        zh="库外的日志目录 [$CASEWORK_JOURNAL 或 ~/.local/state/casework/账本名]")(function)
    return decorated


def writing(settings: Settings, journal: str | None, *, create: bool = False, origin: str | None = None,
            upgrade: bool = False) -> Store:
    """The store, to write to, with its journal; made, and its journal with it, where ``create`` says so and there is none.

    One in a server that others use is made, and brought up to date, only by who says ``upgrade``.
    """
    from casework.store.opening import is_blank, make_store, open_store
    from casework.store.url import parse

    place = parse(settings.store)
    if place.kind == "memory":
        return open_store(settings.store)
    if create and (upgrade or not place.is_shared):
        if is_blank(place):
            return _made(settings, place, journal, origin)
        if place.is_shared:
            make_store(place, None)
    return open_store(settings.store, journal=journal_of(settings, journal))


def journal_of(settings: Settings, journal: str | None) -> Journal | None:
    """The journal of a store that is there; None for one that keeps none. :class:`~casework.errors.JournalError`."""
    from casework.store.ledger.journal import Journal
    from casework.store.opening import open_reader

    with open_reader(settings.store) as reader:
        folder, place = folder_of(reader, journal), reader.place
    if folder is None:
        return None
    kept = Journal(folder)
    if journal is None:
        _refuse_copy(folder / "store", place)
    return kept


def _refuse_copy(known: Path, path: str) -> None:
    """Two copies of a store must not sign in one journal: after the first, the other would lack what is signed."""
    try:
        first = known.read_text(encoding="utf-8", errors="surrogateescape").removesuffix("\n") if known.exists() else ""
        if first == path:
            return
        if first and os.path.isfile(first) and not os.path.samefile(first, path):
            raise JournalError(
                f"{path} is a copy of {first}, and both would sign in one journal. Work on that one; to go on with the copy, "
                "move that one away, or begin a ledger of its own for it: casework init --renew-ledger",
                f"{path} 是 {first} 的副本，二者会在同一日志中签名。请使用原库；要使用副本，请移走原库，或为副本另起账本："
                "casework init --renew-ledger")
        known.write_text(path + "\n", encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise JournalError(f"{known} cannot be used ({error.strerror}); check the folder's permissions",
                           f"{known} 无法使用（{error.strerror}）；请检查目录权限") from error


def folder_of(reader: Reader, journal: str | None) -> Path | None:
    """Where the journal of that store should be; None where the store says that it keeps none, and nothing here says
    otherwise.
    """
    ledger = reader.ledger()
    return folder_by(ledger.meta() if ledger.is_there() else {}, reader.place, journal)


def folder_by(meta: dict[str, str], place: str, journal: str | None) -> Path | None:
    """The same by what the ledger of the store at ``place`` says of itself, which is nothing where it cannot be read."""
    from casework.store.ledger.ledger import OUTSIDE

    if journal is not None and journal != WITHOUT:
        return Path(journal)
    if meta.get("journal") == OUTSIDE:
        return default_folder(meta.get("origin", ""))
    known = index_of(place)
    return default_folder(known.read_text(encoding="utf-8").strip()) if known.is_file() else None


def default_folder(origin: str) -> Path:
    """The folder of a ledger's journal where nothing else is said.

    :class:`~casework.errors.StoreError` for what names no ledger.
    """
    from casework.store.ledger.note import refuse_origin

    refuse_origin(origin)
    return state_folder() / origin


def new_journal(settings: Settings, journal: str | None, origin: str | None) -> Journal | None:
    """A new journal for the store; None where it is to keep none."""
    from casework.store.ledger.journal import Journal
    from casework.store.ledger.note import Signer, refuse_origin
    from casework.store.url import parse

    if journal == WITHOUT:
        return None
    origin = origin or f"local/{secrets.token_hex(8)}"
    refuse_origin(origin)
    folder = Path(journal) if journal else default_folder(origin)
    if os.path.realpath(folder) == parse(settings.store).folder:
        raise InputError(
            "the journal must not lie in the store's own folder, where whoever alters the one alters the other; name another",
            "日志不能放在案件库所在的目录：能改其一者便能改另一；请指定其他目录", "--journal")
    return Journal.found(folder, Signer(origin, secrets.token_bytes(32)))


def remember(place: str, origin: str | None) -> None:
    """Keep which ledger was begun for that place, so that a store there that denies it is found out; None where none is kept."""
    known = index_of(place)
    try:
        if origin is None:
            known.unlink(missing_ok=True)
            return
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(origin + "\n", encoding="utf-8")
    except OSError as error:
        raise JournalError(f"{known} cannot be written ({error.strerror}); check the folder's permissions",
                           f"{known} 无法写入（{error.strerror}）；请检查目录权限") from error


def receipt_of(store: Store, done: Done) -> Path | None:
    """Write the receipt of what was just done, and say where it lies; None where the store keeps no journal, or it could not be
    written, which is said and is no error.
    """
    from casework.store.ledger.ledger import receipt

    if (journal := store.journal) is None:
        return None
    try:
        if (end := journal.end()) is None:
            return None
        last, note = end
        with store.reader() as reader:
            leaf, text = receipt(reader.ledger(), list(reader.rows(done.case)), note, last.size, done.version, with_event=True)
        return journal.keep_receipt(done.case, leaf.last, text)
    except CaseworkError as error:
        # What was asked for is done and acknowledged; whoever was told that it failed would give it again.
        complain(say(f"{done.case} 已记录，但回执未能写出（{error.zh}）；可用 casework receipt {done.case} 输出",
                     f"{done.case} is recorded, but its receipt was not written ({error.en}); "
                     f"casework receipt {done.case} prints it"))
        return None


def tell_receipt(settings: Settings, receipt: Path | None) -> None:
    """Where the receipt lies, beside the result."""
    if receipt is not None and not settings.json:
        click.echo(escape(say(f"回执：{receipt}", f"receipt: {receipt}")), err=True)


def _made(settings: Settings, place: Location, journal: str | None, origin: str | None) -> Store:
    """The store, made with its journal by one of those who want to at the same moment."""
    from casework.store.opening import is_blank, making, open_store

    if place.folder is not None and not os.path.isdir(place.folder):
        return open_store(settings.store, create=True)  # which says so
    with making(place):
        if is_blank(place):
            made = new_journal(settings, journal, origin)
            try:
                remember(place.place, made.origin if made else None)
                store = open_store(settings.store, create=True, journal=made)
                if (origin := _origin(store)) == (made.origin if made else ""):
                    store.settle()  # signed from the first, so that nobody takes the journal of an empty store for his own
                    return store
                store.close()  # somebody on another machine was faster
                remember(place.place, origin or None)
            except BaseException:
                if made is not None and is_blank(place):
                    made.abandon()
                raise
            if made is not None:
                made.abandon()
    return writing(settings, journal)


def _origin(store: Store) -> str:
    with store.reader() as reader:
        return reader.ledger().meta().get("origin", "")


def state_folder() -> Path:
    """Where what is kept beside the stores lies: journals, and what a witness remembers."""
    return Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "casework"


def index_of(place: str) -> Path:
    """The file that says which ledger was begun for the store at that place, the one way of writing where it is."""
    return state_folder() / "stores" / hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()


def views_of(place: str) -> Path:
    """The file in which the views of the store at that place are kept, for whoever asks."""
    return state_folder() / "views" / f"{index_of(place).name}.db"
