"""What can be wrong beside a store: its journal, the keys, the receipts, the disks. Looked at, never touched.

As in :mod:`casework.store.sqlite.health`, nothing here raises, and nothing is finished or mended.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from casework import verifier
from casework.errors import StoreError
from casework.store.checks import Check, State
from casework.store.ledger.journal import CHECKPOINTS, KEY, KEYS, RECEIPTS, read_end
from casework.store.ledger.ledger import OUTSIDE, Ledger
from casework.store.ledger.note import Signer
from casework.store.sqlite.backup import keys_of
from casework.store.url import NETWORK_FILE_SYSTEMS, file_system

_LITTLE, _NEARLY_NONE, _FEW_FILES = 200 << 20, 20 << 20, 1000
#: File systems that are gone with the machine or with its container.
_FLEETING = {"tmpfs": ("内存", "memory"), "ramfs": ("内存", "memory"), "overlay": ("容器层", "a container's own layer")}


def keys(folder: Path, origin: str) -> Iterator[Check]:
    """The signing key and the verification keys of the journal in ``folder``; ``origin`` is what the store says, if it does."""
    place = folder / KEY
    try:
        status = os.lstat(place)
        signer = Signer.read(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        yield Check("key", "error", f"{place} 不存在，因而不能写入", f"{place} is not there, so nothing can be recorded",
                    "从副本恢复；若已丢失：casework init --renew-ledger",
                    "restore it from a copy; if it is lost: casework init --renew-ledger")
        return
    except (OSError, ValueError) as error:
        yield Check("key", "error", f"{place} 不是可用的签名密钥",
                    f"{place} is no signing key that can be used ({type(error).__name__})",
                    "从副本恢复；若已丢失：casework init --renew-ledger",
                    "restore it from a copy; if it is lost: casework init --renew-ledger")
        return
    if os.name != "nt" and (status.st_mode & 0o077 or not stat.S_ISREG(status.st_mode)):
        yield Check("key", "error", f"{place} 其他账户可读或是链接；他人可能已能签名",
                    f"{place} may be read by others, or is a link; somebody else may be able to sign",
                    f"chmod 600 '{place}'，然后 casework checkpoint --rotate-key",
                    f"chmod 600 '{place}', then casework checkpoint --rotate-key")
    elif origin and signer.origin != origin:
        yield Check("key", "error", f"密钥属于 {signer.origin}，而案件库是 {origin}",
                    f"the key is that of {signer.origin}, and the store is {origin}",
                    "用 --journal 指定该案件库的日志", "name the journal of this store with --journal")
    else:
        yield Check("key", "ok", f"签名密钥仅所有者可读，属于 {signer.origin}",
                    f"the signing key is for its owner only, and that of {signer.origin}")
    if os.path.lexists(folder / (KEY + ".new")):
        yield Check("keys", "note", "换钥被中断", "a change of keys was broken off", "下一条写入命令会完成或撤回它",
                    "the next command that records finishes it, or drops it")
    try:
        trust = keys_of(folder)
        data = (folder / KEYS).read_text(encoding="utf-8")
    except (verifier.NotVerified, StoreError) as error:
        yield Check("keys", "error", f"公钥序列不成立：{error.zh}", f"the sequence of keys does not hold: {error.en}",
                    f"从副本恢复 {folder / KEYS}", f"restore {folder / KEYS} from a copy")
        return
    last = [line for line in data.splitlines() if line.startswith(f"{signer.origin}+")][-1:]
    if last != [signer.vkey]:
        yield Check("keys", "error", "签名密钥不是公钥文件中的最后一个",
                    "the signing key is not the last one of the file of keys",
                    f"从副本恢复 {place} 或 {folder / KEYS}", f"restore {place} or {folder / KEYS} from a copy")
    else:
        yield Check("keys", "ok", f"公钥 {len(trust.keys)} 个，逐一衔接",
                    f"keys: {len(trust.keys)}, each signed by the one before it")


def journal(folder: Path, beside: str | None, book: Ledger | None) -> Iterator[Check]:
    """The journal: where it lies, and whether it and the store's ledger ``book`` say the same.

    ``beside`` is the store's folder, where it has one.
    """
    if not folder.is_dir():
        yield Check("journal", "error", f"{folder} 处没有日志，因而不能写入",
                    f"there is no journal at {folder}, so nothing can be recorded",
                    "用 --journal 或 CASEWORK_JOURNAL 指定，或恢复它；若已丢失：casework init --renew-ledger",
                    "name it with --journal or CASEWORK_JOURNAL, or restore it; if it is lost: casework init --renew-ledger")
        return
    here, there = os.path.realpath(folder), beside or ""
    if beside is None:
        yield Check("journal_place", "ok", f"{folder} 在库外", f"{folder} is outside the store")
    elif here == there or here.startswith(there + os.sep):
        yield Check("journal_place", "warning" if here == there else "note", f"{folder} 在案件库的目录之内：能改其一者便能改另一",
                    f"{folder} lies in the store's folder: whoever alters the one alters the other",
                    "把它移到别处，并用 --journal 指定", "move it elsewhere, and name it with --journal")
    elif os.path.isdir(there) and os.stat(here).st_dev == os.stat(there).st_dev:
        yield Check("journal_place", "note", "日志与案件库在同一文件系统，磁盘损坏会同时失去两者",
                    "journal and store are on one file system: a failing disk takes both",
                    "放到另一磁盘，或定期运行 casework checkpoint 并把结果交给他人",
                    "put it on another disk, or give what casework "
                    "checkpoint prints to others now and then")
    else:
        yield Check("journal_place", "ok", f"{folder} 在库外", f"{folder} is outside the store")
    if not all(os.access(p, os.W_OK) for p in (folder, folder / CHECKPOINTS) if p.exists()):
        yield Check("journal", "error", f"{folder} 不可写，因而不能写入",
                    f"{folder} may not be written, so nothing can be recorded",
                    "修正权限，或以所有者身份运行", "mend its permissions, or run as its owner")
    try:
        end = read_end(folder / CHECKPOINTS)
        signed = None if end.note is None else verifier.verify_checkpoint(end.note.encode(), keys_of(folder))
    except (verifier.NotVerified, StoreError) as error:
        yield Check("journal", "error", f"最后的检查点不成立：{error.zh}", f"its last checkpoint does not hold: {error.en}",
                    f"从副本恢复 {folder / CHECKPOINTS}", f"restore {folder / CHECKPOINTS} from a copy")
        return
    yield from _fits(signed, book)


def _fits(signed: verifier.Checkpoint | None, book: Ledger | None) -> Iterator[Check]:
    if book is None:
        return
    audit = ("运行 casework audit，并恢复最新备份；若没有：casework init --renew-ledger",
             "run casework audit, and restore the newest backup; if there is none: casework init --renew-ledger")
    size, has = 0 if signed is None else signed.size, book.size()
    if size > has:
        yield Check("journal", "error", f"日志领先：已签名 {size} 次提交，案件库只有 {has} 次（被截断或换回旧副本）",
                    f"the journal is ahead: it signed {size} commits, the store has {has} (cut, or an old copy)",
                    *audit)
    elif size and signed is not None and book.root(size) != signed.root:
        yield Check("journal", "error", "历史被改写：树与最后的检查点不符",
                    "the history was rewritten: the tree is not that of the last "
                    "checkpoint", *audit)
    elif size < has and book.signed() is not None:
        yield Check("journal", "ok", f"检查点 {size} 在案件库中；其后 {has - size} 次提交由其他机器记录",
                    f"the store has checkpoint {size}; what came after ({has - size} commits) was recorded on other machines")
    elif size < has:
        yield Check("journal", "note", f"日志落后：已签名 {size} 次提交，案件库有 {has} 次",
                    f"the journal is behind: it signed {size} commits, and "
                    f"the store has {has}", "运行 casework checkpoint，它会补签", "run casework checkpoint, which signs them")
    else:
        yield Check("journal", "ok", f"检查点 {size} 与案件库相符", f"checkpoint {size} is what the store has")


def kept_journal(meta: dict[str, str], *, denied: bool = False) -> Iterator[Check]:
    """What the store says of its journal; ``denied`` where one was begun for it all the same."""
    if meta.get("journal") != OUTSIDE and denied:
        yield Check("journal", "warning", "案件库声明没有库外日志，但曾为此处建立日志",
                    "the store says that it keeps no journal outside, and one was "
                    "begun for a store at this place", "运行 casework audit；确已换库则无妨",
                    "run casework audit; there is no harm if it is another store now")
    elif meta.get("journal") != OUTSIDE:
        yield Check("journal", "note", "此案件库声明没有库外日志，缺失的尾部无从证明",
                    "this store says that it keeps no journal outside, so a "
                    "lost tail cannot be proved", "用 casework init --renew-ledger 开始",
                    "begin one: casework init --renew-ledger")
    if renewed := meta.get("renewed"):
        said = verifier.shown(renewed, 300)
        yield Check("ledger", "note", f"账本曾重新开始：{said}", f"the ledger was begun anew: {said}")


def receipts(folder: Path, has: Callable[[str, int], bool] | None) -> Iterator[Check]:
    """The receipts beside the checkpoints: none of what the store lacks, nothing left half written.

    ``has`` says whether the store has that version of a case; None where it cannot be asked.
    """
    place = folder / RECEIPTS
    if not place.is_dir():
        yield Check("receipts", "note", f"{place} 不存在", f"{place} is not there", "下一回执会建立它",
                    "the next receipt makes it")
        return
    half = sorted(p.name for p in place.iterdir() if p.name.endswith(".new"))
    if half:
        yield Check("receipts", "note", f"有 {len(half)} 个未写完的文件", f"files that were left half written: {len(half)}",
                    f"rm '{place}'/*.new", f"rm '{place}'/*.new")
    if has is None:
        return
    stale, count = [], 0
    for path in sorted(place.glob("*.tlog-proof")):
        case, _, version = path.name.removesuffix(".tlog-proof").rpartition("-v")
        count += 1
        with suppress(StoreError, ValueError):
            if not has(case, int(version)):
                stale.append(path.name)
    if stale:
        named = verifier.shown(", ".join(stale[:3]), 120)
        yield Check("receipts", "warning", f"{len(stale)} 个回执所证的版本案件库没有：{named}",
                    f"receipts of what the store lacks: {len(stale)} ({named})",
                    f"用 casework verify 验证 '{place}' 中的回执，并审计案件库",
                    f"verify them with casework verify, in '{place}', and audit the store")
    elif not half:
        yield Check("receipts", "ok", f"{count} 个回执，案件库中均有", f"receipts: {count}, and the store has what they prove")


def disk(name: str, folder: str, needed: int, mounts: str, *, forced: bool = False) -> Iterator[Check]:
    """The file system that holds ``folder``: its kind, by a text such as /proc/self/mountinfo, and what is free on it.

    ``needed`` is in bytes: what a copy of the store takes.
    """
    kind = file_system(os.path.realpath(folder), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        yield Check(f"{name}_file_system", "warning" if forced else "error",
                    f"{folder} 在网络文件系统（{kind}）上，锁与落盘都不可靠",
                    f"{folder} is on a network file system ({kind}), where neither locks nor fsync can be relied on",
                    "移到本地磁盘", "move it to a local disk")
    elif kind in _FLEETING:
        zh, en = _FLEETING[kind]
        yield Check(f"{name}_file_system", "warning" if kind != "overlay" else "note", f"{folder} 在{zh}中（{kind}），会随之消失",
                    f"{folder} is in {en} ({kind}), and goes with it", "移到磁盘或卷上", "move it to a disk or a volume")
    else:
        yield Check(f"{name}_file_system", "ok", kind or "未知", kind or "not told by the system")
    try:
        free, files = _free(folder)
    except OSError as error:
        yield Check(f"{name}_space", "warning", f"无法得知剩余空间（{error.strerror}）",
                    f"free space is not known ({error.strerror})",
                    "检查目录", "check the folder")
        return
    state: State = "error" if free < _NEARLY_NONE else "warning" if free < max(_LITTLE, 2 * needed) else "ok"
    said = f"{free / 2**20:,.0f} MiB"
    yield Check(f"{name}_space", state, f"{folder} 剩余 {said}", f"{folder}: {said} free",
                *(("", "") if state == "ok" else ("腾出空间，或移到更大的磁盘", "free some space, or move it to a larger disk")))
    if files is not None and files < _FEW_FILES:
        yield Check(f"{name}_space", "warning", f"{folder} 只剩 {files} 个索引节点", f"{folder}: only {files} inodes are left",
                    "删除不需要的文件", "remove files that are not needed")


def _free(folder: str) -> tuple[int, int | None]:
    if sys.platform == "win32":
        import shutil

        return shutil.disk_usage(folder).free, None
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None
