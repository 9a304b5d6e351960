"""The page of what was measured, and the ten goals at its top. Each script keeps its own part; the others' stay as they are.

A script of ``bench/`` is any file there but this and ``run.py``. It measures, prints what it found, and, asked with
``--write FILE``, calls :func:`keep` once, with the figures of the goals that it speaks to and the text of its section. What it
kept lies in ``results.json`` beside the page, and the page is made of that alone.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

HEAD = """\
# What was measured

Written by `make bench`; each script of `bench/` keeps a section, and the figures of the goals that it speaks to. What counts are
ratios: variants of one table are measured by turns in one run on one machine. Seconds are this machine's and its load's, and no
promise of speed.
"""

#: What each goal is about. How far it is to be reached stands with each figure, because one goal may have several.
GOALS = {
    1: "the whole audit of a SQLite store, against a raw scan of a stock store with the same events",
    2: "the same audit, against rebuilding every case with stock eventsourcing and transitions",
    3: "the audit of a log file against a lifecycle, against pm4py, reading included on both sides",
    4: "events that the audit of a Parquet file takes in a second, on one core",
    5: "memory of an audit of 10 M events, over that of 100 k",
    6: "events recorded in a batch, against the database's own way with the same bytes",
    7: "one durable command from end to end, against a raw transaction and one fsynced append",
    8: "start-up, against `python -c 'import click'`",
    9: "the replay of a ten-step scenario, parsing included, against parsing its YAML with the C loader",
    10: "cost an event at 10 M events, over that at 100 k",
}

#: Of what time is spent in; their versions stand under each section.
PACKAGES = ("eventsourcing", "msgspec", "cryptography")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a goal: ``value`` is to be at most, or at least, ``limit``. ``unit`` is written behind both."""

    goal: int
    what: str
    value: float
    limit: float
    bound: Literal["at most", "at least"] = "at most"
    unit: str = "×"

    @property
    def reached(self) -> bool:
        """Whether it is within its bound."""
        return self.value <= self.limit if self.bound == "at most" else self.value >= self.limit


def machine(*packages: str) -> str:
    """What it was measured on, and when, with the versions of these packages beside the usual ones, where they are installed."""
    today = datetime.now().astimezone().date().isoformat()
    return (f"{today}. {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
            f"load {os.getloadavg()[0]:.1f} at the end; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
            f"{', '.join(_versions((*PACKAGES, *packages)))}.")


def table(rows: Sequence[Sequence[str]]) -> str:
    """The rows as a table, the head first; all but the first column are numbers."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "| --- " + "| ---: " * (len(rows[0]) - 1) + "|", *lines[1:]])


def shown(rows: Iterable[Sequence[str]]) -> None:
    """The rows on standard output."""
    for row in rows:
        print("  ".join([f"{row[0]:<46}", *(f"{cell:>12}" for cell in row[1:])]))


def keep(page: Path, script: str, title: str, text: str, figures: Sequence[Figure] = (), packages: Sequence[str] = ()) -> None:
    """Keep what a script found in ``results.json`` beside the page, in the place of what it found before; write the page anew.

    ``script`` is its file's name; ``packages`` are peers whose versions are told beside the usual ones.
    """
    kept = read(page)
    kept[script] = {"title": title, "text": text.strip(), "measured": machine(*packages), "figures": [asdict(f) for f in figures]}
    _beside(page).write_text(json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    page.write_text(rendered(kept), encoding="utf-8")


def read(page: Path) -> dict[str, Any]:
    """What the scripts kept: script -> title, text, measured, figures."""
    place = _beside(page)
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    return found


def rendered(kept: dict[str, Any]) -> str:
    """The page: the goals, then a section a script."""
    sections = (f"## {each['title']}\n\n{each['text']}\n\n`bench/{script}`, {each['measured']}\n"
                for script, each in sorted(kept.items()))
    return "\n".join([HEAD, _goals(kept), *sections])


def _goals(kept: dict[str, Any]) -> str:
    found = [(Figure(**figure), script, each["measured"].split(".")[0]) for script, each in sorted(kept.items())
             for figure in each["figures"]]
    lines = ["| # | goal | of it | to be | figure | | measured |", "| ---: | --- | --- | ---: | ---: | --- | --- |"]
    for goal, what in GOALS.items():
        mine = [f for f in found if f[0].goal == goal]
        lines += [f"| {goal} | {what} | {f.what} | {_bound(f)} | {_number(f.value)}{f.unit} | "
                  f"{'reached' if f.reached else '**missed**'} | {day}, `{script}` |" for f, script, day in mine]
        if not mine:
            lines.append(f"| {goal} | {what} | | | | not measured | |")
    return "## The goals\n\n" + "\n".join(lines) + "\n"


def _bound(figure: Figure) -> str:
    return f"{'≤' if figure.bound == 'at most' else '≥'} {_number(figure.limit)}{figure.unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _versions(packages: Iterable[str]) -> Iterable[str]:
    for name in dict.fromkeys(packages):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} not installed"


def _beside(page: Path) -> Path:
    return page.with_name("results.json")
