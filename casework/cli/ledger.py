"""Make a store; its checkpoints, its keys and its receipts."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from casework.cli.base import Command, Settings, common, now, option, say
from casework.cli.files import write_whole
from casework.cli.journals import journal_of, journaled, new_journal, remember, writing
from casework.errors import InputError, JournalError
from casework.report.text import document, escape

if TYPE_CHECKING:
    from casework.store.ledger.journal import Journal
    from casework.store.ledger.note import Checkpoint
    from casework.store.store import Store


@click.command("init", cls=Command, zh="建立一个空的案件库及其库外日志；已有则不变。PostgreSQL 案件库只由此命令建立和升级。")
@click.argument("url", required=False)
@option("--origin", metavar="NAME", help="The name of its ledger, such as shop.example/cases [local/ and a random one].",
        zh="账本名，例如 shop.example/cases [local/ 加随机名]")
@option("--renew-ledger", "renew", is_flag=True,
        help="Begin the ledger of a store that is there anew: one made before there were ledgers, one whose key or journal is "
             "lost, or an old copy that had to be put back. The audit goes on saying so.",
        zh="为已有的案件库另起账本：此前没有账本、密钥或日志已丢失、或不得已换回旧副本时。审计会一直说明此事")
@option("--reason", metavar="TEXT", help="Why the ledger is begun anew.", zh="另起账本的原因")
@option("--writer", metavar="ROLE", help="PostgreSQL: let this role read and add, and neither change nor remove an event.",
        zh="PostgreSQL：允许该角色读取和追加，但不能修改或删除事件")
@option("--reader", metavar="ROLE", help="PostgreSQL: let this role read.", zh="PostgreSQL：允许该角色读取")
@journaled
@common
def init(settings: Settings, url: str | None, origin: str | None, renew: bool, reason: str | None, writer: str | None,
         reader: str | None, journal: str | None) -> int:
    """Make an empty store and the journal outside it; one that is there already stays as it is.

    URL is the store, as --store. A store in PostgreSQL is made and upgraded by this command alone.
    """
    if url is not None:
        if click.get_current_context().get_parameter_source("store") is ParameterSource.COMMANDLINE:
            raise InputError("and URL both name the store; give one of them", "与 URL 都指定案件库；请只给出其一", "--store")
        settings = settings._replace(store=url)
    if renew:
        return _renew(settings, journal, origin, reason)
    if reason is not None:
        raise InputError("a reason is given with --renew-ledger only", "只有 --renew-ledger 才需要原因", "--reason")
    with writing(settings, journal, create=True, origin=origin, upgrade=True) as store:
        _grant(settings, writer, reader)
        _tell(settings, store)
    return 0


def _grant(settings: Settings, writer: str | None, reader: str | None) -> None:
    from casework.store.opening import grant

    for role, writes in ((writer, True), (reader, False)):
        if role is not None:
            grant(settings.store, role, writes=writes)


def _renew(settings: Settings, journal: str | None, origin: str | None, reason: str | None) -> int:
    from casework.store.opening import open_reader, open_store

    if not (reason or "").strip():
        raise InputError("say why: --reason TEXT; the audit will go on telling it",
                         "请用 --reason 说明原因；审计会一直说明", "--renew-ledger")
    with open_reader(settings.store) as reader:
        place, ledger = reader.place, reader.ledger()
        before = ledger.meta() if ledger.is_there() else {}
        size = ledger.size() if before else 0
    made = new_journal(settings, journal, origin)
    said = {"at": now().isoformat(timespec="seconds"), "reason": reason, "origin": before.get("origin", ""), "size": size}
    if "renewed" in before:
        said["before"] = before["renewed"]
    with open_store(settings.store) as store, store.writing():
        store.renew_ledger(made.origin if made else "", made, document(said, settings.zone, indent=None))
        remember(place, None if made is None else made.origin)
        _tell(settings, store)
    return 0


def _tell(settings: Settings, store: Store) -> None:
    from casework.store.url import shown

    journal = store.journal
    settings.answer(
        {"store": shown(settings.store)}
        | ({"origin": journal.origin, "journal": str(journal.folder), "key": journal.signer.vkey} if journal
           else {"journal": None}),
        lambda: [escape(shown(settings.store)), *(_journal_lines(journal) if journal else [])])


def _journal_lines(journal: Journal) -> Iterator[str]:
    yield escape(say(f"日志：{journal.folder}", f"journal: {journal.folder}"))
    yield escape(say(f"验证公钥：{journal.signer.vkey}", f"key: {journal.signer.vkey}"))


@click.command("checkpoint", cls=Command,
               zh="输出签名的检查点，交给他人保存，日后可证明此前的记录未被改动。")
@option("--key", "only_key", is_flag=True, help="Only the key that verifies it.", zh="只输出验证公钥")
@option("--old", metavar="SIZE", type=click.IntRange(min=0),
        help="As a request to a witness, with the proof that what it saw at SIZE is still there.",
        zh="作为给见证人的请求，附上自 SIZE 以来未改动的证明")
@option("--rotate-key", is_flag=True, help="From now on another key signs; the present one signs that.",
        zh="今后换用新密钥签名，由现有密钥签署交接")
@option("--stamp-request", metavar="FILE", type=click.Path(path_type=Path), help="Write a time stamp request (RFC 3161) over it.",
        zh="写出对检查点的时间戳请求（RFC 3161）")
@journaled
@common
def checkpoint(settings: Settings, only_key: bool, old: int | None, rotate_key: bool, stamp_request: Path | None,
               journal: str | None) -> int:
    """The signed checkpoint of all that is recorded: give it to others, and later show by it that nothing before was changed."""
    from casework.store.ledger.ledger import proof_lines
    from casework.store.opening import open_reader

    if only_key and not rotate_key:
        key = _kept(settings, journal).signer.vkey
        settings.answer({"key": key}, lambda: [key])
        return 0
    with _signing(settings, journal) as (store, kept, last, note), open_reader(settings.store) as reader:
        if rotate_key:
            new = store.rotate_key(secrets.token_bytes(32))
            settings.answer({"key": new.vkey}, lambda: [new.vkey])
            return 0
        if old is not None and old > last.size:
            raise InputError(f"the ledger has {last.size} leaves only", f"账本只有 {last.size} 个叶子", "--old")
        request = "".join(f"{line}\n" for line in (f"old {old}", *proof_lines(reader.ledger(), old, last.size), "")) \
            if old is not None else ""
    if stamp_request is not None:
        _write(stamp_request, _stamp(note.encode()), "--stamp-request")
    settings.answer_exactly(
        {"origin": last.origin, "size": last.size, "root": base64.b64encode(last.root).decode(), "key": kept.signer.vkey,
         "note": note} | ({"request": request + note} if request else {}),
        request + note)
    return 0


@click.command("receipt", cls=Command,
               zh="案件的回执：任何人可离线证明该案已记录到某一版本。默认输出到标准输出。")
@click.argument("case")
@option("--version", metavar="N", type=click.IntRange(min=1), help="That of the commit which recorded this version [the last].",
        zh="记录该版本的那次提交的回执 [最后一次]")
@option("--with-event", is_flag=True, help="With what the event says, so that it can be shown too.",
        zh="附上事件内容，以便一并证明")
@option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write it there.", zh="写入该文件")
@journaled
@common
def receipt(settings: Settings, case: str, version: int | None, with_event: bool, out: Path | None, journal: str | None) -> int:
    """The receipt of a case: by it anybody can show, offline, what was recorded of it up to a version."""
    from casework.store.ledger import ledger
    from casework.store.opening import open_reader
    from casework.store.store import unknown_case

    with _signing(settings, journal) as (_, _, last, note), open_reader(settings.store) as reader:
        rows = list(reader.rows(case))
        if not rows:
            raise unknown_case(case)
        leaf, text = ledger.receipt(reader.ledger(), rows, note, last.size, version, with_event=with_event)
    if out is not None:
        _write(out, text, "--out")
    found = {"case": case, "version": leaf.last, "index": leaf.number, "size": last.size}
    if out is not None:
        settings.answer(found | {"file": str(out)}, lambda: [escape(str(out))])
    else:
        settings.answer_exactly(found | {"receipt": text.decode()}, text)
    return 0


def _kept(settings: Settings, journal: str | None) -> Journal:
    """The journal of a store that keeps one. :class:`~casework.errors.JournalError`."""
    kept = journal_of(settings, journal)
    if kept is None:
        raise JournalError("this store keeps no journal outside, so nothing is signed; begin one with "
                           "casework init --renew-ledger",
                           "此案件库没有库外日志，因而没有签名；可用 casework init --renew-ledger 开始")
    return kept


@contextmanager
def _signing(settings: Settings, journal: str | None) -> Iterator[tuple[Store, Journal, Checkpoint, str]]:
    """The store and its journal, and of that the last checkpoint and its note, which sign all that was recorded before this."""
    _kept(settings, journal)
    with writing(settings, journal) as store, store.writing():
        store.settle()
        end = store.journal.end() if store.journal else None
        assert store.journal is not None and end is not None
        yield store, store.journal, *end


def _stamp(note: bytes) -> bytes:
    try:
        from rfc3161_client import TimestampRequestBuilder
    except ImportError:
        raise InputError("time stamps need the extra: pip install 'casework[stamp]'",
                         "时间戳需要附加组件：pip install 'casework[stamp]'", "--stamp-request") from None
    made: bytes = TimestampRequestBuilder().data(note).build().as_bytes()
    return made


def _write(path: Path, text: bytes, where: str) -> None:
    """Write a file whole, or not at all, and over nothing: a wrong name may be that of the store."""
    if os.path.lexists(path):
        raise InputError(f"{path} is there already and is not overwritten; name another file",
                         f"{path} 已存在，不会被覆盖；请换一个文件名", where)
    write_whole(path, text, where)
