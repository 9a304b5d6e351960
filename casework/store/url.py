"""Where a store is: the URL that names it, what of it may be shown, the URI that SQLite opens, the file system below it."""

from __future__ import annotations

import os
import re
from typing import Literal, NamedTuple

from casework.errors import InputError, StoreError

NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "ocfs2", "gfs2", "davfs")
    + ("fuse.sshfs", "fuse.glusterfs", "fuse.rclone")
)
_MOUNTS = "/proc/self/mountinfo"
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)://|(sqlite|postgres|postgresql|file):"
#: What stands in a URI as it is.
_PLAIN = frozenset(b"/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_OPTION = r"\?([A-Za-z_]+)=([^/?=]*)$"
#: A PostgreSQL URL: who, where (one host or several), which database, and what else libpq is told.
_POSTGRESQL = r"[^:]+://(?:(?P<user>[^@/?]*)@)?(?P<hosts>[^@/?]*)/(?P<database>[^/?]*)(?:\?(?P<options>.*))?"
_SCHEMA = r"[a-z_][a-z0-9_]{0,62}"
#: Where the tables are, unless the URL says otherwise with ``?schema=``.
SCHEMA = "casework"


class Location(NamedTuple):
    """Where a store is. ``path`` is empty for ``memory``, and of ``postgresql`` the URL for libpq, which may hold a password;
    ``force`` accepts a network file system; ``schema`` is PostgreSQL's, and ``shown`` is that URL without a password.
    """

    kind: Literal["sqlite", "memory", "postgresql"]
    path: str
    force: bool
    schema: str = ""
    shown: str = ""

    @property
    def name(self) -> str:
        """What people may be told of which store it is."""
        return self.shown or self.path

    @property
    def place(self) -> str:
        """Where it is, whichever way that was written: a path without links, or hosts and database without a user."""
        return re.sub("(?<=//)[^/]*@", "", self.shown) if self.kind == "postgresql" else os.path.realpath(self.path)

    @property
    def folder(self) -> str | None:
        """The folder in which it lies; None where it is not in one."""
        return os.path.dirname(os.path.realpath(self.path)) if self.kind == "sqlite" else None

    @property
    def is_shared(self) -> bool:
        """Whether it is in a server that others use: it is made on purpose then, not by the first command that comes along."""
        return self.kind == "postgresql"


def parse(url: str, home: str = "") -> Location:
    """What the URL or bare path names.

    ``postgresql://USER@HOST/DATABASE``, with several hosts by commas and all that libpq takes behind ``?``, is a database of
    PostgreSQL; ``schema=NAME`` among those options says where its tables are.

    ``sqlite:///t.db`` is relative, four slashes are absolute, ``sqlite://`` and ``:memory:`` are kept in memory.
    Everything after the third slash is the path as it stands (no ``%`` decoding), but for ``?force=1`` at its end.
    ``~`` is expanded in bare paths only: to ``home`` if given, else to the account's home folder as the system's
    user table has it, so that no environment variable is read here.

    Raises InputError for what names nothing. No message repeats a URL of another scheme than sqlite, which may hold a password.
    """
    if not url.strip():
        raise InputError(
            "the store has no name; give a path or sqlite:///PATH", "没有给出案件库的名称；请给出路径或 sqlite:///路径"
        )
    if "\0" in url:
        raise InputError(
            "the store's name holds a NUL character; give a path without it", "案件库名称含有 NUL 字符；请去掉它"
        )
    if url == ":memory:":
        return Location("memory", "", False)
    scheme = re.match(_SCHEME, url, re.IGNORECASE) if ":" in url else None
    if scheme is None:
        return Location("sqlite", _expand(url, home), False)
    return _with_scheme((scheme[1] or scheme[2]).lower(), url)


def _with_scheme(scheme: str, url: str) -> Location:
    if scheme in ("postgresql", "postgres"):
        return _postgresql(url)
    if scheme != "sqlite":
        raise InputError(
            f"{scheme}: is no kind of store; use sqlite:///PATH, postgresql://HOST/DATABASE or a bare path "
            f"(./{scheme}:… for a file of that name)",
            f"不认识的案件库类型 {scheme}:；请使用 sqlite:///路径、postgresql://主机/数据库 或直接给出路径"
            f"（文件确为此名时写 ./{scheme}:…）",
        )
    rest = url[len("sqlite:") :]
    if rest in ("//", "///:memory:"):
        return Location("memory", "", False)
    if not rest.startswith("///"):
        raise InputError(
            "a sqlite URL has three slashes before a relative path and four before an absolute one: sqlite:///t.db",
            "sqlite 地址中相对路径前有三条斜线，绝对路径前有四条：sqlite:///t.db",
        )
    return _sqlite(rest[3:])


def _postgresql(url: str) -> Location:
    """The parts of the URL that are shown, and the URL that libpq is given, which lacks what is ours."""
    found = re.fullmatch(_POSTGRESQL, url, re.DOTALL)
    if found is None or not found["database"]:
        raise InputError(
            "a PostgreSQL URL names a database: postgresql://USER@HOST/DATABASE (what is special in a password as %40, %2F …)",
            "PostgreSQL 地址须写出数据库：postgresql://用户@主机/数据库（密码中的特殊字符写作 %40、%2F 等）",
        )
    options = [option for option in (found["options"] or "").split("&") if option]
    schemas = [option.partition("=")[2] for option in options if option.startswith("schema=")]
    schema = schemas[-1] if schemas else SCHEMA
    if not re.fullmatch(_SCHEMA, schema):
        raise InputError(
            "the schema of a store is lower-case letters, digits and '_', at most 63; write ?schema=casework",
            "案件库的 schema 只能含小写字母、数字和“_”，最多 63 个字符；例如 ?schema=casework",
        )
    ours = [option for option in options if not option.startswith("schema=")]
    where = [option for option in ours if option.partition("=")[0] in ("host", "port")] + [f"schema={s}" for s in schemas]
    user = (found["user"] or "").partition(":")[0]
    shown = (f"postgresql://{user}{'@' if user else ''}{found['hosts']}/{found['database']}"
             + (f"?{'&'.join(where)}" if where else ""))
    return Location("postgresql", url.partition("?")[0] + (f"?{'&'.join(ours)}" if ours else ""), False, schema, shown)


def shown(url: str) -> str:
    """The URL or path as people may be told it: a password is not in it."""
    return parse(url).shown or url


def _sqlite(rest: str) -> Location:
    option = re.search(_OPTION, rest)
    if option and (option[1], option[2]) not in (("force", "1"), ("force", "0")):
        raise InputError(
            f"?{option[1]}={option[2]} is no option of a store; only ?force=1 is (a file of that name: as a bare path)",
            f"案件库没有选项 ?{option[1]}={option[2]}，只有 ?force=1（文件确为此名时请直接写路径）",
        )
    path = rest[: option.start()] if option else rest
    if not path:
        raise InputError(
            "the sqlite URL names no file; use sqlite:///PATH, or sqlite:// for a store in memory",
            "sqlite 地址没有文件名；请使用 sqlite:///路径，内存库用 sqlite://",
        )
    return Location("sqlite", path, option is not None and option[2] == "1")


def _expand(path: str, home: str) -> str:
    if not path.startswith("~"):
        return path
    user, slash, rest = path[1:].partition("/")
    folder = home if home and not user else _home_of(user)
    return folder.rstrip("/") + slash + rest if slash else folder


def _home_of(user: str) -> str:
    try:
        import pwd

        return (pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())).pw_dir
    except (ImportError, KeyError):
        raise InputError(
            f"no home folder is known for ~{user}; write the path in full, or ./~{user} for a file of that name",
            f"不知道 ~{user} 的主目录；请写出完整路径，文件确为此名时写 ./~{user}",
        ) from None


def file_uri(path: str, mode: Literal["ro", "rw", "rwc"]) -> str:
    """The ``file:`` URI by which SQLite opens ``path``, whatever characters its name holds."""
    if os.sep != "/":
        from pathlib import Path

        return f"{Path(path).absolute().as_uri()}?mode={mode}"
    # As pathlib says it, which together with what it imports would be a good part of what showing a case takes.
    name = os.fsencode(os.path.join(os.getcwd(), path))
    return f"file://{''.join(chr(byte) if byte in _PLAIN else f'%{byte:02X}' for byte in name)}?mode={mode}"


def file_system(path: str, mountinfo: str) -> str:
    """The type of the file system that holds the absolute ``path``, by a text in the form of /proc/self/mountinfo.

    Empty when the text does not say.
    """
    best, found = -1, ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4]).rstrip("/")
        # A later line of the same mount point covers the earlier ones.
        if len(point) >= best and (path == point or path.startswith(point + "/")):
            best, found = len(point), right.split(" ")[0]
    return found


def refuse_network(path: str) -> None:
    """Raise StoreError when ``path`` is on a network file system, where locks and fsync cannot be relied on.

    Says nothing where the system does not tell (no /proc).
    """
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as mounts:
            kind = file_system(os.path.realpath(path), mounts.read())
    except OSError:
        return
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"{path} is on a network file system ({kind}), where locks may fail and lose cases; use a local disk, "
            f"or accept the risk with sqlite:///{path}?force=1",
            f"{path} 位于网络文件系统（{kind}），锁可能失效而丢失案件；请用本地磁盘，"
            f"或自担风险使用 sqlite:///{path}?force=1",
        )
