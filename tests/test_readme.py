"""The README keeps its word: every command in it runs, with the output it shows; its diagram is the running table's."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)


def commands_of(block: str) -> list[tuple[str, str]]:
    """The commands of a console block and the output that follows each."""
    found: list[tuple[str, str]] = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.split("\n")
        command = lines.pop(0)
        while command.endswith("\\"):
            command = command[:-1] + lines.pop(0).strip()
        found.append((command, "\n".join(lines).strip("\n")))
    return found


@pytest.mark.parametrize("block", BLOCKS, ids=[str(i) for i in range(len(BLOCKS))])
def test_every_command_of_the_readme_gives_the_output_it_shows(block: str, tmp_path: Path) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    for command, expected in commands_of(block):
        words = shlex.split(command)
        assert words[0] == "casework", command
        done = subprocess.run([sys.executable, "-m", "casework", *words[1:]], cwd=tmp_path, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT),
                                   "XDG_STATE_HOME": str(tmp_path / "state")})
        assert matches(expected, done.stdout.strip("\n")), f"$ {command}\n{done.stdout}"


def matches(expected: str, found: str) -> bool:
    """Line by line; a line of ``…`` stands for any number of lines left out, and within a line it stands for any text."""
    pattern = "\n".join(r"(?s:.*)" if line.strip() == "…" else re.escape(line).replace("…", ".*")
                        for line in expected.split("\n"))
    return re.fullmatch(pattern, found) is not None


def test_the_readme_shows_commands_at_all() -> None:
    assert sum(len(commands_of(b)) for b in BLOCKS) >= 10


def test_the_diagram_is_the_running_lifecycle() -> None:
    done = subprocess.run([sys.executable, "-m", "casework", "lifecycle", "--format", "mermaid", "--lang", "en"], cwd=ROOT,
                          capture_output=True, text=True, timeout=60, check=True)
    [diagram] = re.findall(r"```mermaid\n(.*?)```", README, re.DOTALL)
    assert diagram == done.stdout


def test_the_two_commands_of_the_readme_are_targets_and_ci_runs_the_second() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test", "lint"):
        assert f"make {target}" in README
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
