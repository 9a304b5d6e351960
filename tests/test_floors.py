"""The house: the floors hold, the types are strict, the style is kept. Part of the tests, so that they cannot be forgotten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        [str(BIN / "lint-imports"), "--config", "setup.cfg", "--no-cache"],
        [sys.executable, "-m", "mypy"],
        [sys.executable, "-m", "ruff", "check", "--no-cache", "casework", "tests"],
    ],
    ids=["import contract", "mypy --strict", "ruff"],
)
def test_the_house_is_in_order(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def loaded_by(statement: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", f"import sys; {statement}; print(*sys.modules)"], cwd=ROOT,
                          capture_output=True, text=True, timeout=60, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("statement", ["import casework", "import casework.audit.check", "import casework.application.views",
                                       "import casework.store.opening", "import casework.cli.main"])
def test_only_what_records_imports_the_event_sourcing_library(statement: str) -> None:
    assert "eventsourcing" not in loaded_by(statement)


def test_importing_the_package_imports_no_dependency() -> None:
    assert not loaded_by("import casework") & {"click", "msgspec", "transitions", "yaml", "eventsourcing", "chinese_calendar"}


def test_every_public_name_of_the_package_can_be_had() -> None:
    import casework

    assert all(getattr(casework, name) is not None for name in casework.__all__)
    assert set(casework.__all__) == set(casework._HOMES)
    with pytest.raises(AttributeError, match="nothing"):
        _ = casework.nothing


def test_no_module_below_the_command_line_reads_the_clock_chance_or_the_environment() -> None:
    forbidden = ("datetime.now(", "utcnow(", "time.time(", "uuid4(", "random.", "Random()", "secrets.", "os.environ", "getenv(")
    for path in sorted((ROOT / "casework").rglob("*.py")):
        if "cli" in path.parts:
            continue
        found = [word for word in forbidden if word in path.read_text(encoding="utf-8")]
        assert not found, f"{path}: {found}"


def test_only_the_command_line_knows_click() -> None:
    for path in sorted((ROOT / "casework").rglob("*.py")):
        if "cli" not in path.parts:
            assert "import click" not in path.read_text(encoding="utf-8"), path
