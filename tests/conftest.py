"""What several test modules stand on and ask for by name."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest

from casework.rulebook import calendar

# Journals of the stores that tests make lie in a folder of this run, not in the account's own; child processes inherit it.
os.environ["XDG_STATE_HOME"] = _STATE = tempfile.mkdtemp(prefix="casework-state-")
os.environ.pop("CASEWORK_JOURNAL", None)
atexit.register(shutil.rmtree, _STATE, ignore_errors=True)


@pytest.fixture
def calendars_of_this_century(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The years after the installed calendar run from Monday to Friday, so that a limit of three years is no estimate."""
    if any(word in request.node.name for word in ("several_processes", "beyond_the_calendar")):
        return  # other processes know only what is installed
    published = calendar._published

    def until_2100(day: date) -> tuple[bool | None, bool]:
        works, named = published(day)
        return (day.weekday() < 5, False) if works is None and day.year <= 2100 else (works, named)

    monkeypatch.setattr(calendar, "_published", until_2100)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be made, on every engine: what is asked of it is the contract of all stores that are kept."""
    if request.param == "sqlite":
        return str(tmp_path / "t.db")
    from harness import postgres

    return postgres.fresh_url()
