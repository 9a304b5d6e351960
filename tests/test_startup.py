"""Starting: what the quick commands import, counted and named, so that it stays little."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: Printed at the end by the process itself. Without ``site``, whose finder of editable installs imports modules of its own.
WATCH = """
import sys
sys.path[:0] = {paths!r}
{before}
known = set(sys.modules)
sys.argv = ["casework", *{args!r}]
from casework.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write("\\n" + " ".join(sorted(set(sys.modules) - known)))
"""
#: Of the standard library, what takes a millisecond or more and is not needed.
COSTLY = {"ast", "asyncio", "dataclasses", "difflib", "email", "http", "json", "logging", "pathlib", "shutil", "subprocess",
          "tempfile", "urllib", "urllib.parse"}
HELP = {"casework", "casework.__main__", "casework.cli", "casework.cli.base", "casework.cli.main", "casework.errors"}
SHOW = HELP | {
    "casework.application", "casework.application.views", "casework.cli.read", "casework.domain", "casework.domain.amendments",
    "casework.domain.answers", "casework.domain.beside", "casework.domain.commands", "casework.domain.duties",
    "casework.domain.events", "casework.domain.facts", "casework.domain.fold", "casework.domain.lifecycle",
    "casework.domain.moments", "casework.domain.standing", "casework.domain.standing.commands",
    "casework.domain.standing.events", "casework.domain.topics", "casework.domain.values", "casework.domain.versions",
    "casework.domain.vocabulary", "casework.marks", "casework.report", "casework.report.case", "casework.report.clauses",
    "casework.report.text", "casework.store", "casework.store.codec", "casework.store.opening", "casework.store.row",
    "casework.store.sqlite", "casework.store.sqlite.reader", "casework.store.url"}


def imported(*args: str, before: str = "") -> set[str]:
    """What ``casework ARGS`` imports beyond what python has, and beyond what ``before`` imports."""
    watch = WATCH.format(paths=[str(ROOT), sysconfig.get_path("purelib")], before=before, args=args)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", watch], capture_output=True, text=True, check=True, encoding="utf-8")
    return set(done.stderr.splitlines()[-1].split())


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "casework"}


def others(modules: set[str]) -> set[str]:
    """The packages that are neither ours nor of the standard library."""
    tops = {name.partition(".")[0] for name in modules if not name.startswith("_sysconfigdata")}
    return tops - {"casework"} - sys.stdlib_module_names


def test_version_is_answered_by_two_modules_and_nothing_else() -> None:
    assert imported("--version", before="import os, __future__") == {"casework", "casework.__main__"}


@pytest.mark.parametrize("args", [("--help",), ("--lang", "zh", "--help"), ()], ids=["en", "zh", "nothing said"])
def test_help_is_given_without_importing_any_command(args: tuple[str, ...]) -> None:
    found = imported(*args, before="import click")
    assert ours(found) == HELP
    assert others(found) <= {"click"}
    assert not found & COSTLY
    assert len(found) <= len(HELP) + 6, found - HELP


def test_a_case_is_shown_without_the_event_library_the_machine_or_a_parser() -> None:
    store = str(ROOT / "tests" / "golden" / "issue-2.db")
    found = imported("show", case_of(store), "--store", store, before="import click")
    assert ours(found) == SHOW
    assert others(found) <= {"click", "msgspec", "typing_extensions"}
    assert not found & COSTLY
    assert len(ours(found)) <= 40


def case_of(store: str) -> str:
    done = subprocess.run([sys.executable, "-m", "casework", "list", "--json", "--store", store], capture_output=True, check=True)
    case: str = json.loads(done.stdout)["cases"][0]["case"]
    return case
