"""What can be wrong with a store in PostgreSQL and with its server: looked at, never touched. No look raises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import psycopg
from psycopg import sql

from casework import verifier
from casework.errors import StoreError
from casework.store.checks import Check
from casework.store.postgres.schema import TABLES, between, check, version
from casework.store.postgres.server import Connection, Server, store_error
from casework.store.url import Location

#: The first server that has what is used here, and how far two clocks may be apart, in seconds.
LEAST, APART = 140_000, 5
_RESTORE = ("恢复备份，并审计", "restore a backup, and audit it")
_HUNG = """
SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - state_change))::int, 0) FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%'
  AND state_change < clock_timestamp() - interval '1 minute'
"""
_INDEXES = """
SELECT c.relname::text, c.oid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = %s AND t.relname = ANY(%s) ORDER BY 1
"""


class Examined:
    """The checks of the store at ``place``; afterwards ``is_usable`` says whether it can be read, ``provisional`` how many duties
    wait for a calendar.
    """

    def __init__(self, place: Location) -> None:
        self.place = place
        self.is_usable = False
        self.provisional = 0

    def checks(self, now: datetime, *, thorough: bool = False) -> Iterator[Check]:
        """What was found; ``thorough`` has PostgreSQL compare each index with its table too."""
        name = self.place.name
        try:
            with Server(self.place).connect(reading=True) as connection:
                yield from _server(connection, now)
                try:
                    check(connection, self.place)
                    yield Check("store", "ok", f"{name}，schema {version()}", f"{name}, schema {version()}")
                except StoreError as error:
                    yield Check("store", "error", error.zh, error.en)
                    return
                yield from _shape(connection, self.place)
                yield from _rights(connection)
                yield from _indexes(connection, self.place, thorough)
                self.provisional = connection.execute("SELECT count(*) FROM duties WHERE provisional = 1").fetchall()[0][0]
                self.is_usable = True
        except psycopg.Error as error:
            told = store_error(error, name)
            yield Check("store", "error", told.zh, told.en)
        except StoreError as error:
            yield Check("store", "error", error.zh, error.en)


def _server(connection: Connection, now: datetime) -> Iterator[Check]:
    number, said = connection.info.server_version, connection.info.parameter_status("server_version") or ""
    yield (Check("server", "ok", f"PostgreSQL {said}", f"PostgreSQL {said}") if number >= LEAST else
           Check("server", "error", f"PostgreSQL {said} 过旧，需要 14 及以上",
                 f"PostgreSQL {said} is too old; 14 or later is needed", "升级服务器", "upgrade the server"))
    on: dict[str, str] = dict(connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (
        ["fsync", "full_page_writes", "data_checksums", "synchronous_standby_names"],)).fetchall())
    if weak := [name for name in ("fsync", "full_page_writes") if on.get(name) != "on"]:
        yield Check("durability", "error", f"{'、'.join(weak)} 已关闭：断电会丢失或损坏案件",
                    f"{' and '.join(weak)} off: a power cut loses or damages cases", "在 postgresql.conf 中打开",
                    "turn on in postgresql.conf")
    else:
        yield Check("durability", "ok", "fsync、full_page_writes 已打开", "fsync and full_page_writes are on")
    if on.get("data_checksums") != "on":
        yield Check("checksums", "note", "数据校验和已关闭，磁盘损坏要到审计时才发现",
                    "data checksums are off: only the audit finds what the disk damaged", "停机后运行 pg_checksums --enable",
                    "run pg_checksums --enable while it is stopped")
    standby = connection.execute("SELECT pg_is_in_recovery()").fetchall()[0][0]
    if standby:
        yield Check("standby", "warning", "这是只读备库", "this is a standby, which takes no writes", "用逗号写出全部主机",
                    "name all hosts, by commas")
    elif not on.get("synchronous_standby_names"):
        yield Check("standby", "note", "没有同步备库：丢失这台服务器的磁盘就会丢失已确认的案件",
                    "there is no synchronous standby: with this server's disk, acknowledged cases are lost",
                    "设置同步复制（docs/team-store.md）", "set up synchronous replication (docs/team-store.md)")
    else:
        yield Check("standby", "ok", f"同步备库：{on['synchronous_standby_names']}",
                    f"synchronous standby: {on['synchronous_standby_names']}")
    there: datetime = connection.execute("SELECT clock_timestamp()").fetchall()[0][0]
    apart = abs((there - now).total_seconds())
    if apart > APART:
        yield Check("clock", "warning", f"本机与服务器的时钟相差 {apart:.0f} 秒",
                    f"this machine's clock and the server's are {apart:.0f} s apart",
                    "校准两者的时钟（NTP）", "set both clocks (NTP)")
    [(hung, longest)] = connection.execute(_HUNG).fetchall()
    if hung:
        yield Check("sessions", "warning", f"{hung} 个会话打开事务后停滞（最长 {longest} 秒），可能拖住他人和清理",
                    f"{hung} sessions stand still within a transaction (up to {longest} s), which may hold up others and vacuum",
                    "查看 pg_stat_activity，结束它们", "see pg_stat_activity, and end them")


def _shape(connection: Connection, place: Location) -> Iterator[Check]:
    there = {name for (name,) in connection.execute(
        "SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s", (place.schema,))}
    missing, odd = [name for name in TABLES if name not in there], between(connection, place)
    if missing:
        yield Check("shape", "error", f"缺少 {'、'.join(missing)}", f"missing: {', '.join(missing)}", *_RESTORE)
    if odd:
        named = verifier.shown(", ".join(odd), 120)
        yield Check("shape", "error", f"{named} 上有触发器、规则、视图或行级安全，因而不能写入",
                    f"a trigger, rule, view or row security stands before {named}, so nothing is recorded",
                    "查明由谁加入；删除后审计", "see who put it there; drop it, then audit")
    if not missing and not odd:
        yield Check("shape", "ok", f"{len(TABLES)} 个表，其上没有触发器", f"{len(TABLES)} tables, and nothing stands before them")


def _rights(connection: Connection) -> Iterator[Check]:
    [(user, alters, adds)] = connection.execute(
        "SELECT current_user::text, has_table_privilege('stored_events', 'UPDATE, DELETE, TRUNCATE'), "
        "has_table_privilege('stored_events', 'INSERT')").fetchall()
    user = verifier.shown(user, 60)
    if alters:
        yield Check("rights", "note", f"用户 {user} 可以修改和删除事件", f"the user {user} may change and remove events",
                    "日常使用另建角色：casework init --writer 角色", "work as another role: casework init --writer ROLE")
    else:
        yield Check("rights", "ok", f"用户 {user} 只能{'追加和' if adds else ''}读取",
                    f"the user {user} may only {'add and ' if adds else ''}read")


def _indexes(connection: Connection, place: Location, thorough: bool) -> Iterator[Check]:
    if not thorough:
        return
    found = connection.execute("SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace "
                               "WHERE extname = 'amcheck'").fetchall()
    if not found:
        yield Check("soundness", "note", "没有安装 amcheck，未核对索引", "amcheck is not installed, so indexes were not compared",
                    "CREATE EXTENSION amcheck，或运行 pg_amcheck", "CREATE EXTENSION amcheck, or run pg_amcheck")
        return
    wrong = []
    for name, oid in connection.execute(_INDEXES, (place.schema, list(TABLES))).fetchall():
        try:
            # By its schema: nothing but the store's own is looked for by name alone.
            connection.execute(sql.SQL("SELECT {}.bt_index_check(%s::oid::regclass, true)").format(sql.Identifier(found[0][0])),
                               (oid,))
        except psycopg.errors.InsufficientPrivilege:
            yield Check("soundness", "note", "该用户无权核对索引", "this user may not compare indexes", "以所有者身份运行",
                        "run it as the owner")
            return
        except psycopg.errors.DataCorrupted as error:
            wrong.append(f"{name}: {str(error).splitlines()[0]}")
    if wrong:
        named = verifier.shown("; ".join(wrong), 200)
        yield Check("soundness", "error", f"索引损坏：{named}", f"damaged indexes: {named}", *_RESTORE)
    else:
        yield Check("soundness", "ok", "索引与表一致", "indexes are those of their tables")
