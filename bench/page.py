"""The page of what was measured: each script puts its own section there, and leaves those of the others."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

HEAD = """\
# What was measured

Written by `make bench`, a section a script of `bench/`. What counts are ratios: variants of one table are measured by turns in
one run on one machine. Seconds are this machine's and its load's, and no promise of speed.
"""


#: Of what time is spent in; their versions stand under each table.
PACKAGES = ("eventsourcing", "msgspec", "cryptography")


def machine() -> str:
    """What it was measured on, and when."""
    today = datetime.now().astimezone().date().isoformat()
    return (f"{today}. {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
            f"load {os.getloadavg()[0]:.1f} at the end; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
            f"{', '.join(f'{name} {version(name)}' for name in PACKAGES)}.")


def table(rows: Sequence[Sequence[str]]) -> str:
    """The rows as a table, the head first; all but the first column are numbers."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "| --- " + "| ---: " * (len(rows[0]) - 1) + "|", *lines[1:]])


def shown(rows: Iterable[Sequence[str]]) -> None:
    """The rows on standard output."""
    for row in rows:
        print("  ".join([f"{row[0]:<46}", *(f"{cell:>12}" for cell in row[1:])]))


def put(page: Path, title: str, text: str) -> None:
    """Put a section in the place of the one of that title, or at the end."""
    whole = page.read_text(encoding="utf-8") if page.exists() else ""
    sections = dict(re.findall(r"^## ([^\n]+)\n\n(.*?)\s*(?=^## |\Z)", whole, re.MULTILINE | re.DOTALL))
    sections[title] = text.strip()
    page.write_text("\n".join([HEAD, *(f"## {name}\n\n{body}\n" for name, body in sections.items())]), encoding="utf-8")
