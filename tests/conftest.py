"""What several test modules stand on and ask for by name."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from harness import engines

engines.install()

from casework.rulebook import calendar  # noqa: E402

# Journals of the stores that tests make lie in a folder of this run, not in the account's own; child processes inherit it.
os.environ["XDG_STATE_HOME"] = _STATE = tempfile.mkdtemp(prefix="casework-state-")
os.environ.pop("CASEWORK_JOURNAL", None)
atexit.register(shutil.rmtree, _STATE, ignore_errors=True)


#: Each engine that keeps stores. What needs a server can be left out: ``-m "not server"``.
ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.server))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is asked of every store is asked on each engine."""
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    if "stores" in marks and "file" not in marks and "store_url" not in metafunc.fixturenames:
        metafunc.parametrize("engine", ENGINES, indirect=True, scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A row of a test's table may look at the file too."""
    both = [item for item in items if item.get_closest_marker("file") and item.get_closest_marker("server")]
    if both:
        config.hook.pytest_deselected(items=both)
        items[:] = [item for item in items if item not in both]


@pytest.fixture(scope="module", autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """What keeps the stores that the test names by a path."""
    name = getattr(request, "param", "sqlite")
    if name == "sqlite":
        yield name
        return
    from harness import postgres

    with engines.diverted(postgres.NAMED or postgres.shared().url()):
        yield name


@pytest.fixture(autouse=True)
def _asks_the_server(engine: str) -> Iterator[None]:
    """A test that runs on a server has to ask for a store there; one that does not is of a file, or of none, and marked so."""
    before = engines.asked()
    yield
    assert engine == "sqlite" or engines.asked() > before, "needs no store: mark it file"


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


@pytest.fixture(params=ENGINES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be made, on every engine: what is asked of it is the contract of all stores that are kept."""
    if request.param == "sqlite":
        return str(tmp_path / "t.db")
    from harness import postgres

    return postgres.fresh_url()
