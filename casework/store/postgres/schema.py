"""The tables of a store in PostgreSQL: made and upgraded by ``casework init`` alone, by the numbered SQL files of ``steps/``.

``casework_schema`` has a row for each step that was applied. A newer store than this version knows is refused, an older one is
upgraded by whoever owns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors, sql

from casework.errors import NotAStore, StoreError, StoreMissing
from casework.store.ledger.ledger import Head
from casework.store.ledger.tree import EMPTY
from casework.store.postgres.server import Connection, Server, store_error
from casework.store.url import Location

if TYPE_CHECKING:
    from casework.store.ledger.journal import Journal

TABLES = ("stored_events", "ledger_leaves", "ledger_nodes", "ledger_meta", "ledger_head", "duties")
#: One at a time makes a store: PostgreSQL itself fails where two make the same at once. Only ``init`` takes this lock.
_ONE_AT_A_TIME = 0x43415345
_APPLIED = """
CREATE TABLE IF NOT EXISTS casework_schema (step int PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())
"""
#: What stands between a statement and its table: a trigger or a rule could swallow a write that is acknowledged, a view or row
#: security show less than there is.
_BETWEEN = """
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = ANY(%s) AND (
    c.relkind NOT IN ('r', 'p') OR c.relrowsecurity OR c.relpersistence <> 'p'
    OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
    OR EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid))
"""


def steps() -> list[tuple[int, str, str]]:
    """The steps that this version knows: number, name and SQL, in their order."""
    found = sorted(files(__package__).joinpath("steps").iterdir(), key=lambda file: file.name)
    return [(int(file.name[:4]), file.name, file.read_text(encoding="utf-8")) for file in found if file.name.endswith(".sql")]


def version() -> int:
    """The step up to which this version knows a store."""
    return steps()[-1][0]


def check(connection: Connection, place: Location, *, whole: bool = False) -> None:
    """Say nothing where the connection leads to a store that this version can use.

    ``whole`` looks too whether anything stands between a statement and its table: whoever writes asks for that.
    :class:`~casework.errors.StoreMissing`, :class:`~casework.errors.NotAStore`, :class:`~casework.errors.StoreError`.
    """
    at, known = applied(connection), version()
    if at == 0:
        if connection.execute("SELECT FROM pg_namespace WHERE nspname = %s AND NOT has_schema_privilege(oid, 'USAGE')",
                              (place.schema,)).fetchall():
            raise StoreError(f"{place.name}: this user may not use the store; its owner grants that: casework init --writer ROLE "
                             "or --reader ROLE",
                             f"{place.name}：该用户无权使用此案件库；请由其所有者授权："
                             "casework init --writer 角色 或 --reader 角色")
        raise StoreMissing(
            f"there is no store at {place.name}; make one with casework init, or name another with --store",
            f"{place.name} 处没有案件库；请用 casework init 建立，或用 --store 指定其他案件库")
    if at > known:
        raise NotAStore(
            f"{place.name} was made by a newer casework (schema {at}, this one knows {known}); update casework",
            f"{place.name} 由更新版本的 casework 建立（schema {at}，本版本识别 {known}）；请升级 casework")
    if at < known:
        raise StoreError(
            f"{place.name} was made by an older casework (schema {at}, this one needs {known}); its owner upgrades it with "
            "casework init", f"{place.name} 由较旧版本的 casework 建立（schema {at}，本版本需要 {known}）；请由其所有者用 "
            "casework init 升级")
    if whole and (odd := between(connection, place)):
        raise NotAStore(
            f"{place.name}: a trigger, a rule, a view or row security stands before {', '.join(odd)}, by which a record could be "
            "lost; drop it, or restore a backup",
            f"{place.name}：{'、'.join(odd)} 上有触发器、规则、视图或行级安全，可能使记录丢失；请删除它，或恢复备份")


def applied(connection: Connection) -> int:
    """The last step that was applied; 0 where there is no store."""
    try:
        [(found,)] = connection.execute("SELECT coalesce(max(step), 0) FROM casework_schema").fetchall()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return 0
    return int(found)


def between(connection: Connection, place: Location) -> list[str]:
    """The tables before which something stands."""
    return [name for (name,) in connection.execute(_BETWEEN, (place.schema, list(TABLES))).fetchall()]


def make(place: Location, meta: dict[str, str], journal: Journal | None) -> None:
    """Make the store at ``place``, or bring an older one up to date; one that is there keeps what it holds and says of itself.

    ``meta`` is what a new ledger says of itself; ``journal`` signs its beginning. Raises as :func:`check` does, but for
    StoreMissing of a store.
    """
    server = Server(place)
    try:
        with server.session() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            at = _applied_or_none(connection, place)
            if at > version():
                check(connection, place)
            if at < version():
                _upgrade(connection, place, at)
            if at == 0:
                _begin(connection, meta, journal)
    except psycopg.Error as error:
        raise store_error(error, place.name) from error
    finally:
        server.forget()


def _applied_or_none(connection: Connection, place: Location) -> int:
    """As :func:`applied`, without an error that would end the transaction."""
    [(there,)] = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{place.schema}.casework_schema",)).fetchall()
    return applied(connection) if there else 0


def _upgrade(connection: Connection, place: Location, at: int) -> None:
    [(encoding,)] = connection.execute("SHOW server_encoding").fetchall()
    if encoding != "UTF8":
        raise StoreError(f"{place.name} is encoded in {encoding}; make a database in UTF-8: createdb -E UTF8 -T template0",
                         f"{place.name} 的编码是 {encoding}；请建立 UTF-8 数据库：createdb -E UTF8 -T template0")
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(place.schema)))
    if at == 0:
        _refuse_taken(connection, place)
    connection.execute(_APPLIED)
    for number, name, text in steps():
        if number > at:
            connection.execute(text)
            connection.execute("INSERT INTO casework_schema (step, name) VALUES (%s, %s)", (number, name))


def _refuse_taken(connection: Connection, place: Location) -> None:
    taken = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename = ANY(%s)",
                               (place.schema, list(TABLES))).fetchall()
    if taken:
        raise NotAStore(
            f"{place.name}: the schema '{place.schema}' holds tables of these names that casework did not make; name another "
            "with ?schema=",
            f"{place.name}：schema“{place.schema}”中已有并非 casework 建立的同名表；请用 ?schema= 另行指定")


def _begin(connection: Connection, meta: dict[str, str], journal: Journal | None) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO ledger_meta (name, value) VALUES (%s, %s)", list(meta.items()))
    note = journal.sign(Head(0, EMPTY)) if journal else None
    connection.execute("INSERT INTO ledger_head (size, peaks, note) VALUES (0, '', %s)", (note,))


def is_blank(place: Location) -> bool:
    """Whether there is a database, and no store in it. :class:`~casework.errors.StoreMissing` where there is no database."""
    server = Server(place)
    try:
        with server.session() as connection:
            return applied(connection) == 0
    except psycopg.Error as error:
        raise store_error(error, place.name) from error
    finally:
        server.forget()


def grant(place: Location, role: str, *, writes: bool) -> None:
    """Let that role read the store, or write to it as well; it is made, without login, where there is none.

    A writer may add events, leaves and nodes, and neither change nor remove one. :class:`~casework.errors.StoreError`.
    """
    server = Server(place)
    try:
        with server.session() as connection, connection.transaction():
            check(connection, place)
            for text in _grants(connection, role, writes):
                connection.execute(sql.SQL(text).format(role=sql.Identifier(role),
                                                                   schema=sql.Identifier(place.schema)))
    except psycopg.Error as error:
        raise store_error(error, place.name) from error
    finally:
        server.forget()


def _grants(connection: Connection, role: str, writes: bool) -> Sequence[str]:
    there = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchall()
    reads = ("GRANT USAGE ON SCHEMA {schema} TO {role}", "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
    adds = ("GRANT INSERT ON stored_events, ledger_leaves, ledger_nodes TO {role}", "GRANT UPDATE ON ledger_head TO {role}",
            "GRANT INSERT, UPDATE, DELETE ON duties TO {role}")
    return [*(() if there else ("CREATE ROLE {role} NOLOGIN",)), *reads, *(adds if writes else ())]
