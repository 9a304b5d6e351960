"""Connections to a database of PostgreSQL: how they are made, when they are made anew, and what their errors mean to people.

A server may be restarted, or another take its place, in the middle of work. Whoever was connected before goes on: what was lost
is done again for up to ``PATIENCE`` seconds. Whoever was never connected is told at once.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo, errors, pq

from casework.errors import InputError, NotAStore, StoreBusy, StoreError, StoreMissing
from casework.store.url import Location

# A connection that is lost is told of once, by us; psycopg would tell of it on stderr too.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]
#: For how long to go on without a server that was there before, in seconds: longer than Patroni takes to promote another.
PATIENCE = 60.0
#: How long one attempt to connect may take, in seconds, unless the URL says otherwise.
CONNECT = 10
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
#: A network that is gone is noticed after this: libpq's own would be hours.
_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
#: The server ends a session that holds locks and says nothing for so long: whoever has it was stopped, or is cut off.
_IDLE = 10

_SETTINGS = """
SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),
       set_config('idle_in_transaction_session_timeout', %s, false), set_config('default_transaction_isolation', %s, false),
       set_config('default_transaction_read_only', %s, false),
       set_config('synchronous_commit',
                  CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
                       ELSE current_setting('synchronous_commit') END, false)
"""


class Server:
    """The database at ``place``, and connections to it that are kept for the next use.

    ``wait`` is for how long a lock is waited for, in seconds.
    """

    def __init__(self, place: Location, *, wait: float = 30.0, patience: float = PATIENCE) -> None:
        self.place = place
        self.wait = wait
        self.patience = patience
        self._options = options(place)
        self._idle: list[Connection] = []
        self._guard = threading.Lock()
        self._owner = os.getpid()
        self._was_there = False

    def connect(self, *, reading: bool = False) -> Connection:
        """A connection of one's own. ``reading``: nothing can be written, and a statement may take as long as it takes."""
        made = psycopg.connect(**self._options, autocommit=True)
        try:
            # A temporary table must not stand in a table's place: where it is looked for last, it is never found.
            made.execute(_SETTINGS, (f"{self.place.schema}, pg_temp", f"{self.wait * 1000:.0f}",
                                     "0" if reading else f"{self.wait * 2000:.0f}", "0" if reading else f"{_IDLE}s",
                                     "repeatable read" if reading else "read committed", "on" if reading else "off"))
        except BaseException:
            made.close()
            raise
        self._was_there = True
        return made

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection, to write with; it is kept for the next if it is left as it was found."""
        with self._guard:
            if self._owner != os.getpid():  # they are the parent's
                self._idle, self._owner = [], os.getpid()
            here = self._idle.pop() if self._idle else None
        here = here or self.connect()
        try:
            yield here
        finally:
            if here.info.transaction_status == pq.TransactionStatus.IDLE:
                with self._guard:
                    self._idle.append(here)
            else:
                here.close()  # whatever it was in the middle of is undone by this, on the server too

    def run(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` gives; done again on another connection where the one it had is lost.

        ``work`` has to bear being done twice. What psycopg raises, where the server does not come back in time or it is another
        matter.
        """
        def attempt() -> T:
            with self.session() as connection:
                return work(connection)

        return self.again(attempt)

    def again(self, attempt: Callable[[], T]) -> T:
        """What ``attempt`` gives, which is made again where it lost its connection."""
        until = time.monotonic() + self.patience
        pauses = iter(_PAUSES)
        while True:
            was_there = self._was_there
            try:
                return attempt()
            except psycopg.Error as error:
                if not is_lost(error) or not was_there or time.monotonic() > until:
                    raise
                self.forget()
            time.sleep(next(pauses, _PAUSES[-1]))

    def forget(self) -> None:
        """Let go of all connections that are kept: they may be to a server that is gone, or no longer the primary."""
        with self._guard:
            idle, self._idle = self._idle, []
        if self._owner == os.getpid():
            for each in idle:
                with suppress(psycopg.Error):
                    each.close()


def options(place: Location) -> dict[str, Any]:
    """What libpq is told. :class:`~casework.errors.InputError` for a URL that it does not take."""
    try:
        given = conninfo.conninfo_to_dict(place.path)
    except psycopg.ProgrammingError:
        raise InputError(
            f"{place.name} is no URL that PostgreSQL's client takes; write postgresql://USER@HOST/DATABASE, and what is special "
            "in a password as %40, %2F …",
            f"{place.name} 不是 PostgreSQL 客户端能识别的地址；请写 postgresql://用户@主机/数据库，"
            "密码中的特殊字符写作 %40、%2F 等",
            "--store") from None
    several = "," in f"{given.get('host') or ''}{given.get('hostaddr') or ''}"
    return {**_ALIVE, "connect_timeout": CONNECT, "application_name": "casework",
            **({"target_session_attrs": "read-write"} if several else {}), **given, "client_encoding": "utf8"}


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, or leads to what is no primary (any more): another try may find one."""
    if isinstance(error, (errors.ReadOnlySqlTransaction, errors.IdleInTransactionSessionTimeout)):
        return True
    if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return False
    state = error.sqlstate
    return state is None or state[:2] == "08" or state in ("57P01", "57P02", "57P03", "57P05")


_UNKNOWN_HOST = re.compile(r"could not translate host name|Name or service not known|No address", re.IGNORECASE)
_UNREACHED = re.compile(r"connection (refused|timeout|timed out)|timeout expired|No such file or directory|no route|unreachable"
                        r"|closed the connection unexpectedly|server closed|the connection is (closed|lost)", re.IGNORECASE)


def store_error(error: BaseException, name: str) -> StoreError:
    """What to tell people of an error of PostgreSQL's, or of one of the event library's that stands for it.

    Of libpq's own words only the first line is passed on: it names host and user, and never a password.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, psycopg.Error):
        cause = cause.__cause__
    state = getattr(cause, "sqlstate", None) or ""
    text = str(cause if cause is not None else error).strip()
    said = text.splitlines()[0][:200] if text else type(error).__name__
    for prefixes, kind, en, zh in _MEANINGS:
        if state.startswith(prefixes):
            return kind(f"{name}: {en} ({said})", f"{name}：{zh}（{said}）")
    for pattern, kind, en, zh in _SAID:
        if not state and pattern.search(text):
            return kind(f"{name}: {en} ({said})", f"{name}：{zh}（{said}）")
    return StoreError(f"{name}: the store cannot be used ({said}); see the server's log, and casework doctor",
                      f"{name}：案件库无法使用（{said}）；请查看服务器日志，并运行 casework doctor")


_SAID: tuple[tuple[re.Pattern[str], type[StoreError], str, str], ...] = (
    (re.compile(r'database ".*" does not exist'), StoreMissing,
     "there is no such database; make it with createdb, then run casework init",
     "没有这个数据库；请先用 createdb 建立，再运行 casework init"),
    (re.compile("password|authentication|role .* does not exist|pg_hba", re.IGNORECASE), StoreError,
     "the server does not let this user in; check user and password (PGPASSWORD, ~/.pgpass) and pg_hba.conf",
     "服务器不接受该用户；请检查用户与密码（PGPASSWORD、~/.pgpass）和 pg_hba.conf"),
    (_UNKNOWN_HOST, StoreError, "the host is not known; check its name", "未知主机；请检查主机名"),
    (re.compile("not (a )?read-write|session is read-only|read-only"), StoreBusy,
     "none of the servers takes writes now; if another is being promoted, try again",
     "现在没有可写的服务器；若正在切换主库，请重试"),
    (re.compile("too many (clients|connections)|remaining connection slots", re.IGNORECASE), StoreBusy,
     "the server has no connection left; try again, or raise max_connections",
     "服务器连接已用尽；请重试，或提高 max_connections"),
    (re.compile("starting up|shutting down|in recovery|not yet accepting", re.IGNORECASE), StoreBusy,
     "the server is starting or stopping; try again", "服务器正在启动或停止；请重试"),
    (_UNREACHED, StoreBusy,
     "the server cannot be reached; start it or check host, port and network, then give the same command again, one that "
     "records under the same --command-id",
     "无法连接服务器；请启动它或检查主机、端口和网络，再重发该命令（记录类命令用同一 --command-id）"),
)
_MEANINGS: tuple[tuple[tuple[str, ...], type[StoreError], str, str], ...] = (
    (("55P03", "57014", "40P01", "40001"), StoreBusy,
     "others kept what this needs locked for too long; try again, or end the session that hangs (pg_stat_activity)",
     "其他会话占用过久；请重试，或结束挂起的会话（pg_stat_activity）"),
    (("3D000",), StoreMissing, "there is no such database; make it with createdb, then run casework init",
     "没有这个数据库；请先用 createdb 建立，再运行 casework init"),
    (("28",), StoreError,
     "the server does not let this user in; check user and password (PGPASSWORD, ~/.pgpass) and pg_hba.conf",
     "服务器不接受该用户；请检查用户与密码（PGPASSWORD、~/.pgpass）和 pg_hba.conf"),
    (("42501",), StoreError,
     "this user may not do that; run it as the store's owner, or have him grant it: casework init --writer ROLE or --reader ROLE",
     "该用户无权进行此操作；请由案件库所有者用 casework init --writer 角色 或 --reader 角色 授权"),
    (("42P01", "3F000", "42703", "42883"), NotAStore,
     "its tables are missing or altered; audit the store, and restore a backup", "其中的表缺失或被改动；请审计案件库并恢复备份"),
    (("53100",), StoreError, "no space left on the server, nothing was recorded; free some and try again",
     "服务器磁盘空间不足，未作任何记录；请腾出空间后重试"),
    (("53",), StoreBusy, "the server has not enough memory or connections left; try again", "服务器内存或连接不足；请重试"),
    (("57P", "08"), StoreBusy,
     "the server was stopped or the connection lost, and nobody took its place in time; when it is back, give the same command "
     "again, one that records under the same --command-id",
     "服务器停止或连接中断，且未能及时恢复；恢复后请重发该命令（记录类命令用同一 --command-id）"),
    (("25006",), StoreBusy, "this server takes no writes: it is a standby; name the primary, or both hosts by a comma",
     "此服务器是只读备库；请指定主库，或用逗号写出全部主机"),
    (("58", "XX001", "XX002"), StoreError,
     "the server failed to read or write, or its files are damaged; see its log, then audit the store",
     "服务器读写失败或其文件损坏；请查看日志，再审计案件库"),
    (("22",), StoreError, "it holds or was given something that PostgreSQL cannot store, such as a NUL character; leave it out",
     "内容中有 PostgreSQL 不能存储的字符（如 NUL）；请去掉"),
)
