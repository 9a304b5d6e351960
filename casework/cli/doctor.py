"""Look whether everything that a store needs is well, and say how to mend what is not."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, nullcontext
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.cli.base import Command, Settings, common, now, option, say
from casework.cli.journals import folder_by, journaled
from casework.errors import CaseworkError, InputError, StoreError
from casework.report.text import columns, escape
from casework.store.checks import Check
from casework.store.sqlite import health, upkeep
from casework.store.sqlite.reader import SQLITE_ERRORS, store_error

if TYPE_CHECKING:
    from datetime import datetime

    from casework.store.ledger.ledger import Ledger
    from casework.store.url import Location

#: What casework cannot do without, by the names of the packages.
_LIBRARIES = ("click", "eventsourcing", "transitions", "msgspec", "PyYAML", "chinesecalendar", "cryptography")
_OURS = ("CASEWORK_STORE", "CASEWORK_JOURNAL", "CASEWORK_LANG", "XDG_STATE_HOME")
#: What would switch the store of another program on the same library; here they do nothing, and whoever set them may not know.
_DISOBEYED = ("PERSISTENCE_MODULE", "INFRASTRUCTURE_FACTORY", "SQLITE_DBNAME", "COMPRESSOR_TOPIC", "CIPHER_TOPIC", "CIPHER_KEY",
              "TRANSCODER_TOPIC", "MAPPER_TOPIC")
_RESTORE = ("恢复备份，或用 --store 指定其他文件", "restore a backup, or name another with --store")
_SOON = timedelta(days=45)
_MARKS = {"ok": "✓", "note": "·", "warning": "!", "error": "✗"}
_STATES = {"ok": ("正常", "ok"), "note": ("提示", "note"), "warning": ("警告", "warning"), "error": ("错误", "error")}


@click.command("doctor", cls=Command,
               zh="检查案件库、日志、密钥、锁、磁盘、日历和环境，并说明如何补救；绝不写入。没有案件库也是它诊断的内容。")
@option("--thorough", is_flag=True, help="Compare every index with its table too, which takes longer.",
        zh="并逐一核对索引与表，耗时较长")
@journaled
@common
def doctor(settings: Settings, thorough: bool, journal: str | None) -> int:
    """Check store, journal, keys, lock, disk, calendar and surroundings, each with its remedy; it never writes.

    Status 0 where nothing is worse than a note, 1 for a warning or an error; a store that is not there is one.
    """
    from casework.store.url import parse

    place = parse(settings.store)
    if place.kind == "memory":
        raise InputError("a store in memory has nothing to look at; name a file", "内存案件库没有可检查的内容；请指定文件",
                         "--store")
    looks = _server if place.is_shared else _store
    found = [*_surroundings(), *looks(place, journal, now(), thorough)]
    bad = [c for c in found if c.state in ("warning", "error")]
    settings.answer(
        {"checks": [{"check": c.check, "state": c.state, "what": say(c.zh, c.en), "remedy": say(c.remedy_zh, c.remedy_en) or None}
                    for c in found], "ok": not bad},
        lambda: [*_lines(found), say(f"检查 {len(found)} 项，需处理 {len(bad)} 项",
                                     f"checks: {len(found)}, to mend: {len(bad)}")])
    return 1 if bad else 0


def _lines(found: list[Check]) -> Iterator[str]:
    shown = columns([(_MARKS[c.state], c.check, say(*_STATES[c.state]), say(c.zh, c.en)) for c in found])
    for line, check in zip(shown, found, strict=True):
        yield line
        if remedy := say(check.remedy_zh, check.remedy_en):
            yield "    → " + escape(remedy)


def _store(place: Location, journal: str | None, at: datetime, thorough: bool) -> Iterator[Check]:
    from casework.store.dues import microseconds

    path, db = place.path, None
    yield from (there := list(health.store_file(path)))
    if not any(c.check == "store" for c in there):
        yield from (traces := list(health.interrupted(path)))
        yield from health.lock(path)
        if health.is_untouchable(traces):
            yield Check("store", "note", "打开案件库就会写入，因此未打开；需要它的各项从略",
                        "to open the store would write to it, so it was left alone, and what needs it is left out")
        else:
            try:
                db = health.opened(path)
                yield Check("store", "ok", path, path)
            except StoreError as error:
                yield Check("store", "error", error.zh, error.en, *_RESTORE)
    folder = None
    with closing(db) if db is not None else nullcontext():
        if db is not None:
            yield from health.content(db, path, microseconds(at), thorough=thorough)
        yield from _calendar(at, health.provisional(db) if db is not None else 0)
        try:
            book = health.ledger_of(db) if db is not None else None
            meta = book.meta() if book is not None else {}
            folder = folder_by(meta, place.place, journal)
            yield from _journal(folder, place.folder, book, meta, health.has(db) if db is not None else None)
        except CaseworkError as error:
            yield Check("journal", "error", error.zh, error.en, *_RESTORE)
        except SQLITE_ERRORS as error:
            told = store_error(error, path)
            yield Check("journal", "error", told.zh, told.en, *_RESTORE)
        except OSError as error:
            yield _unseen(error)
    needed = os.path.getsize(place.place) if os.path.isfile(place.place) else 0
    yield from _disks({"store": place.folder, "journal": folder}, needed, forced=place.force)


def _server(place: Location, journal: str | None, at: datetime, thorough: bool) -> Iterator[Check]:
    from casework.store.postgres.health import Examined
    from casework.store.postgres.reader import PostgresReader

    examined, folder = Examined(place), None
    yield from examined.checks(at, thorough=thorough)
    yield from _calendar(at, examined.provisional)
    if examined.is_usable:
        try:
            with PostgresReader(place) as reader:
                book = reader.ledger()
                meta = book.meta()
                folder = folder_by(meta, reader.place, journal)
                yield from _journal(folder, None, book, meta,
                                    lambda case, version: any(row.version == version for row in reader.rows(case)))
        except CaseworkError as error:
            yield Check("journal", "error", error.zh, error.en, *_RESTORE)
        except OSError as error:
            yield _unseen(error)
    yield from _disks({"journal": folder}, 0, forced=False)


def _unseen(error: OSError) -> Check:
    return Check("journal", "error", f"日志无法查看（{error.strerror}）", f"the journal cannot be looked at ({error.strerror})",
                 "修正权限", "mend its permissions")


def _journal(folder: Path | None, beside: str | None, book: Ledger | None, meta: dict[str, str],
             has: Callable[[str, int], bool] | None) -> Iterator[Check]:
    if book is not None:
        yield from upkeep.kept_journal(meta, denied=folder is not None)
    if folder is None:
        return
    yield from upkeep.journal(folder, beside, book)
    if folder.is_dir():
        yield from upkeep.keys(folder, meta.get("origin", ""))
        yield from upkeep.receipts(folder, has)


def _disks(places: Mapping[str, str | Path | None], needed: int, *, forced: bool) -> Iterator[Check]:
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        mounts = ""
    for name, where in places.items():
        if where and os.path.isdir(where):
            yield from upkeep.disk(name, str(where), needed, mounts, forced=forced)


def _calendar(at: datetime, provisional: int) -> Iterator[Check]:
    """Until when working days are known."""
    from casework.rulebook.calendar import covered_until, local

    end = covered_until()
    last = (end - timedelta(days=1)).date().isoformat()
    remedy = ("pip install -U chinesecalendar，再运行 casework tick", "pip install -U chinesecalendar, then casework tick")
    said_zh = f"工作日历到 {last}；暂定期限 {provisional} 个"
    said_en = f"working days are known until {last}; provisional duties: {provisional}"
    if local(at) >= end:
        yield Check("calendar", "error", said_zh, said_en, *remedy)
    elif provisional or end - local(at) < _SOON:
        yield Check("calendar", "note", said_zh, said_en, f"国务院公布次年安排后：{remedy[0]}",
                    f"when the State Council has published the next year: {remedy[1]}")
    else:
        yield Check("calendar", "ok", said_zh, said_en)


def _surroundings() -> Iterator[Check]:
    """Program, libraries, rulebook and environment."""
    from casework.rulebook.files import Faults, published

    yield from _libraries()
    yield from health.sqlite_version()
    try:
        lock, entries = published()
        yield Check("rulebook", "ok", f"规则 {len(entries)} 条，版本至 {lock.editions[-1].id}，与锁定文件相符",
                    f"{len(entries)} records, editions up to {lock.editions[-1].id}, as the lock file has them")
    except Faults as error:
        yield Check("rulebook", "error", error.zh, error.en, "重新安装 casework，或见 casework rules check",
                    "install casework again, or see casework rules check")
    yield from _environment()


def _libraries() -> Iterator[Check]:
    from casework import __version__

    found, missing = [f"casework {__version__}", f"Python {platform.python_version()}"], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Check("versions", "error", f"缺少 {'、'.join(missing)}", f"missing: {', '.join(missing)}",
                    "pip install -U casework", "pip install -U casework")
    else:
        yield Check("versions", "ok", "、".join(found), ", ".join(found))


def _shown(name: str, value: str) -> str:
    """What a variable says, without a password."""
    from casework.store.url import shown

    try:
        return shown(value) if name == "CASEWORK_STORE" else value
    except CaseworkError:
        return "…"


def _environment() -> Iterator[Check]:
    ours = [f"{name}={_shown(name, os.environ[name])}" for name in _OURS if os.environ.get(name)]
    yield Check("environment", "ok", "、".join(ours) or "未设置 casework 的变量",
                ", ".join(ours) or "none of casework's variables is set")
    if others := [name for name in _DISOBEYED if os.environ.get(name)]:
        yield Check("environment", "note", f"{'、'.join(others)} 对 casework 不起作用",
                    f"casework does not obey {', '.join(others)}",
                    "如需指定案件库，请用 CASEWORK_STORE", "to name the store, use CASEWORK_STORE")
    if preloaded := os.environ.get("LD_PRELOAD") or os.environ.get("DYLD_INSERT_LIBRARIES"):
        yield Check("environment", "warning", f"预加载了 {preloaded[:80]}，它可能使落盘失效",
                    f"{preloaded[:80]} is preloaded, which may take the "
                    "effect from fsync", "取消 LD_PRELOAD 后运行 casework", "run casework without LD_PRELOAD")
    if os.environ.get("PYTHONPATH"):
        yield Check("environment", "note", "设置了 PYTHONPATH，运行的可能不是所安装的代码",
                    "PYTHONPATH is set: what runs may not be what was "
                    "installed", "取消 PYTHONPATH，除非是在开发", "unset it, unless you develop")
