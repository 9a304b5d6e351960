"""What can be wrong with a store and with what lies around it: looked at, never touched.

Each look gives checks, whatever it meets; none raises. Nothing is opened for writing, an interrupted write is not rolled back and
an interrupted change of keys not finished: the next command does that.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from casework import verifier
from casework.errors import StoreError
from casework.store import dues
from casework.store.checks import Check
from casework.store.ledger import ledger
from casework.store.sqlite.reader import SQLITE_ERRORS, USER_VERSION, store_error, verify
from casework.store.url import file_uri

#: The first SQLite that has all that is used here (``trusted_schema``), and those whose WAL mode can lose a commit.
LEAST_SQLITE, WAL_RESET = (3, 31, 0), ((3, 7, 0), (3, 51, 2))
_HOT = bytes.fromhex("d9d505f920a163d7")


def sqlite_version() -> Iterator[Check]:
    """The library that keeps the store."""
    version = sqlite3.sqlite_version_info
    named = f"SQLite {sqlite3.sqlite_version}"
    try:
        with closing(sqlite3.connect(":memory:")) as db:
            db.execute("SELECT json('1')")
            has_json = True
    except sqlite3.Error:
        has_json = False
    if version < LEAST_SQLITE or not has_json:
        yield Check("sqlite", "error", f"{named} 过旧或缺少 JSON，案件库需要 3.31 及以上并带 JSON",
                    f"{named} is too old or lacks JSON; stores need 3.31 or later, with JSON",
                    "安装更新的 Python 或 SQLite", "install a newer Python or SQLite")
    elif WAL_RESET[0] <= version <= WAL_RESET[1]:
        yield Check("sqlite", "ok", f"{named}；WAL 模式下的重置缺陷（3.7.0 至 3.51.2）不影响本库所用的 TRUNCATE 模式",
                    f"{named}; its WAL-reset fault (3.7.0 to 3.51.2) is harmless in TRUNCATE mode, which stores use")
    else:
        yield Check("sqlite", "ok", named, named)


def store_file(path: str) -> Iterator[Check]:
    """The file: there, of the right kind, in whose hands."""
    try:
        status = os.stat(path)
    except OSError as error:
        yield Check("store", "error", f"{path} 处没有案件库（{error.strerror}）",
                    f"there is no store at {path} ({error.strerror})",
                    "用 casework init 建立，或用 --store 指定其他文件",
                    "make one with casework init, or name another with --store")
        return
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        yield Check("store", "error", f"{path} 是空文件或不是普通文件", f"{path} is an empty file, or none",
                    "用 casework init 建立，或用 --store 指定其他文件",
                    "make one with casework init, or name another with --store")
        return
    if not os.access(path, os.R_OK):
        yield Check("store", "error", f"{path} 不可读", f"{path} may not be read", "请文件所有者授权", "ask its owner for access")
        return
    if status.st_nlink > 1:
        # The lock and the rollback journal lie beside a name: two names of one file have two of each.
        yield Check("store", "error", f"{path} 有 {status.st_nlink} 个硬链接名称，写入锁和回滚日志各自为政，可能损坏案件库",
                    f"{path} has {status.st_nlink} names (hard links), each with a lock and a rollback journal of its own: "
                    "writing by two of them can ruin the store",
                    "只用一个名称，副本用 casework backup 制作", "keep one of the names, and make copies with casework backup")
    yield from _permissions(path, status)


def _permissions(path: str, status: os.stat_result) -> Iterator[Check]:
    mode, others = stat.S_IMODE(status.st_mode), (f"chmod 600 '{path}'",) * 2
    if os.name == "nt":
        return
    if mode & 0o022:
        yield Check("permissions", "error", f"{path} 其他账户可写（{mode:03o}）",
                    f"{path} may be written by others ({mode:03o})", *others)
    elif mode & 0o055:
        yield Check("permissions", "note", f"{path} 其他账户可读（{mode:03o}），其中有个人信息",
                    f"{path} may be read by others ({mode:03o}), and it holds personal data", *others)
    else:
        yield Check("permissions", "ok", f"{path} {mode:03o}", f"{path} {mode:03o}")
    folder = os.path.dirname(os.path.realpath(path))
    if os.stat(folder).st_mode & 0o002 and not os.stat(folder).st_mode & stat.S_ISVTX:
        yield Check("permissions", "warning", f"目录 {folder} 任何账户可写，可换掉案件库",
                    f"anybody may write in {folder}, and put another store there", f"chmod o-w '{folder}'",
                    f"chmod o-w '{folder}'")
    if not os.access(path, os.W_OK) or not os.access(folder, os.W_OK):
        yield Check("permissions", "warning", f"{path} 或其目录不可写，只能读取",
                    f"{path} or its folder may not be written: reading only",
                    "以所有者身份运行，或请其授权", "run as its owner, or ask for access")


def interrupted(path: str) -> Iterator[Check]:
    """Rollback journal, and traces of WAL mode. Only files are looked at; call this before SQLite opens the store."""
    real = os.path.realpath(path)
    if any(os.path.exists(real + end) for end in ("-wal", "-shm")) or _header(real)[18:20] == b"\2\2":
        yield Check("wal", "error", "案件库处于或曾处于 WAL 模式（有 -wal、-shm 文件或标记），可能丢失案件",
                    "the store is or was in WAL mode (files -wal or -shm, or its mark), which can lose cases",
                    f"停止其他程序后运行：sqlite3 '{path}' 'PRAGMA journal_mode=TRUNCATE'，然后审计",
                    f"stop other programs, run: sqlite3 '{path}' 'PRAGMA journal_mode=TRUNCATE', then audit")
    else:
        yield Check("wal", "ok", "没有 WAL 痕迹", "no traces of WAL mode")
    if _header(real + "-journal").startswith(_HOT):
        writing = _held(real + ".lock")
        yield Check("rollback", "note" if writing else "warning", "有正在进行的写入" if writing else "有被中断的写入",
                    "a write is going on" if writing else "a write was broken off",
                    "稍后再试" if writing else "运行一次 casework list，它会回滚未完成的写入",
                    "look again later" if writing else "run casework list once: it rolls back what was not finished")
    else:
        yield Check("rollback", "ok", "没有被中断的写入", "no write was broken off")


def is_untouchable(checks: list[Check]) -> bool:
    """Whether SQLite would write if it opened the store: recover it, or make the files of WAL mode."""
    return any(c.check in ("wal", "rollback") and c.state != "ok" for c in checks)


def _header(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(20)
    except OSError:
        return b""


def opened(path: str) -> sqlite3.Connection:
    """The store, for reading. :class:`~casework.errors.StoreError`."""
    try:
        db = sqlite3.connect(file_uri(path, "ro"), uri=True, isolation_level=None, timeout=5)
    except SQLITE_ERRORS as error:
        raise store_error(error, path) from error
    try:
        db.execute("PRAGMA query_only=1")
        db.text_factory = lambda stored: stored.decode("utf-8", "replace")
        verify(db, path)
    except SQLITE_ERRORS as error:
        db.close()
        raise store_error(error, path) from error
    except BaseException:
        db.close()
        raise
    return db


def content(db: sqlite3.Connection, path: str, now: int, *, thorough: bool = False) -> Iterator[Check]:
    """Settings, shape, soundness, and times; ``now`` is in microseconds since 1970."""
    from casework.store.sqlite.recorder import settings

    try:
        version = _one(db, "PRAGMA user_version")
        yield Check("format", "ok" if version == USER_VERSION else "note", f"格式 {version}", f"format {version}",
                    *(("", "") if version == USER_VERSION else
                      ("建于账本之前；用 casework init --renew-ledger 开始账本",
                       "made before there were ledgers; begin one: casework init --renew-ledger")))
        try:
            settings(db)
            yield Check("settings", "ok", "journal_mode=TRUNCATE、synchronous=EXTRA、secure_delete 均已接受",
                        "journal_mode=TRUNCATE, synchronous=EXTRA and secure_delete are accepted")
        except StoreError as error:
            yield Check("settings", "error", error.zh, error.en, "安装更新的 SQLite", "install a newer SQLite")
        yield from _shape(db, version)
        word = "integrity_check" if thorough else "quick_check"
        found = [verifier.shown(str(row[0]), 120) for row in db.execute(f"PRAGMA {word}(3)")]
        yield (Check("soundness", "ok", f"{word}：完好", f"{word}: sound") if found == ["ok"] else
               Check("soundness", "error", f"{word}：{'；'.join(found)}", f"{word}: {'; '.join(found)}",
                     "恢复备份，并审计", "restore a backup, and audit it"))
        last = _one(db, "SELECT max(recorded_at) FROM stored_events WHERE typeof(recorded_at) = 'integer'")
        if last is not None and last > now:
            yield Check("clock", "error", f"时钟比最后的记录（{verifier.when(last)}）还早",
                        "the clock is behind what was recorded last "
                        f"({verifier.when(last)})", "校准系统时钟（NTP）；若时钟无误，请审计",
                        "set the clock (NTP); if it is right, audit the store")
        else:
            yield Check("clock", "ok", "时钟不早于最后的记录", "the clock is not behind what was recorded last")
    except SQLITE_ERRORS as error:
        told = store_error(error, path)
        yield Check("soundness", "error", told.zh, told.en, "恢复备份，并审计", "restore a backup, and audit it")


def provisional(db: sqlite3.Connection) -> int:
    """How many running duties are provisional until a calendar is published."""
    with suppress(*SQLITE_ERRORS):
        return int(_one(db, "SELECT count(*) FROM duties WHERE provisional = 1"))
    return 0


def has(db: sqlite3.Connection) -> Callable[[str, int], bool]:
    """Says whether a version of a case is there."""
    def there(case: str, version: int) -> bool:
        sql = "SELECT 1 FROM stored_events WHERE originator_id = ? AND originator_version = ?"
        try:
            return db.execute(sql, (case, version)).fetchone() is not None
        except SQLITE_ERRORS as error:
            raise store_error(error, "") from error

    return there


def _one(db: sqlite3.Connection, sql: str) -> int:
    return db.execute(sql).fetchone()[0]  # type: ignore[no-any-return]


def _shape(db: sqlite3.Connection, version: int) -> Iterator[Check]:
    from casework.store.sqlite.recorder import EVENTS

    with closing(sqlite3.connect(":memory:")) as made:
        for statement in (EVENTS, *dues.CREATE, *(ledger.CREATE if version >= USER_VERSION else ())):
            made.execute(statement)
        wanted, found = _shapes(made), _shapes(db)
    missing = sorted(wanted.keys() - found.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    if lacking := [n for n in missing if not n.startswith("duties")]:
        yield Check("shape", "error", f"缺少 {'、'.join(lacking)}", f"missing: {', '.join(lacking)}",
                    "审计案件库并恢复备份", "audit the store, and restore a backup")
    if other:
        yield Check("shape", "error", f"被改动：{'、'.join(other)}", f"altered: {', '.join(other)}",
                    "审计案件库并恢复备份", "audit the store, and restore a backup")
    if indexless := [n for n in missing if n.startswith("duties")]:
        yield Check("shape", "warning", f"期限索引缺少 {'、'.join(indexless)}",
                    f"the index of duties lacks: {', '.join(indexless)}",
                    "casework tick --rebuild", "casework tick --rebuild")
    if more := sorted(found.keys() - wanted.keys()):
        named = verifier.shown(", ".join(more), 120)
        yield Check("shape", "warning", f"多出 {named}", f"not ours: {named}", "查明由谁加入；移除后审计",
                    "see who put them there; "
                    "remove them, then audit")
    if found == wanted:
        yield Check("shape", "ok", f"{len(found)} 个表和索引符合格式", f"{len(found)} tables and indexes are as they should be")


def _shapes(db: sqlite3.Connection) -> dict[str, list[object]]:
    """Tables and indexes by name, each with its columns."""
    names = db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'").fetchall()
    return {str(name): [kind, *(row[1:] for row in db.execute(
        f"SELECT * FROM pragma_{'index' if kind == 'index' else 'table'}_xinfo(?)", (name,)))] for kind, name in names}


def lock(path: str) -> Iterator[Check]:
    """The writer's lock: what it is, whose, and who holds it now."""
    place = os.path.realpath(path) + ".lock"
    try:
        status = os.lstat(place)
    except FileNotFoundError:
        yield Check("lock", "ok", "尚无锁文件，首次写入时建立", "no lock file yet; the first write makes it")
        return
    except OSError as error:
        yield Check("lock", "error", f"{place} 无法查看（{error.strerror}）", f"{place} cannot be looked at ({error.strerror})",
                    "检查目录权限", "check the folder's permissions")
        return
    if not stat.S_ISREG(status.st_mode):
        yield Check("lock", "error", f"{place} 是链接或不是普通文件，因而不能写入",
                    f"{place} is a link or no regular file, so nothing can be "
                    "written", "移走它，锁文件会重新建立", "remove it; the lock file is made again")
        return
    if not os.access(place, os.R_OK | os.W_OK):
        yield Check("lock", "error", f"{place} 不可读写，因而不能写入",
                    f"{place} may not be read and written, so nothing can be recorded",
                    f"chmod u+rw '{place}'，或以所有者身份运行", f"chmod u+rw '{place}', or run as its owner")
        return
    if os.name != "nt" and status.st_mode & 0o022:
        yield Check("lock", "warning", f"{place} 其他账户可写，可一直占住锁",
                    f"{place} may be opened by others, who can keep the store locked",
                    f"chmod go-w '{place}'", f"chmod go-w '{place}'")
    if _held(place):
        holder = _holder(status)
        yield Check("lock", "note", f"写入锁被占用{f'（{holder}）' if holder else ''}",
                    f"the writer's lock is held{f' by {holder}' if holder else ''}",
                    "正常写入只需毫秒；若长时间占用，请结束该进程",
                    "a write takes milliseconds; if it stays held, end that process")
    else:
        yield Check("lock", "ok", "写入锁空闲", "the writer's lock is free")


def _held(place: str) -> bool:
    if sys.platform == "win32":
        return False  # a byte cannot be tried there without being written to
    import fcntl

    try:
        handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _holder(status: os.stat_result) -> str:
    """The process that holds the lock, where the system tells."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(status.st_ino):
                name = Path(f"/proc/{words[4]}/comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} {words[4]}"
    return ""


def ledger_of(db: sqlite3.Connection) -> ledger.Ledger | None:
    """The ledger of an open store, where it has one."""
    book = ledger.Ledger(lambda sql, *values: db.execute(sql, values).fetchall())
    return book if book.is_there() else None
