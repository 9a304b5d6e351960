"""The page of what was measured: a script keeps its own part and leaves the others; the goals stand at the top."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import page

    return page


def test_a_script_keeps_its_part_in_the_place_of_the_last_and_leaves_the_others(page: ModuleType, tmp_path: Path) -> None:
    place = tmp_path / "RESULTS.md"
    for part in (("b.py", "One", "1\n\n| a |"), ("c.py", "Two", "2\n"), ("b.py", "One", "3\n\nmore"), ("a.py", "Three", "4")):
        page.keep(place, *part)
    sections = place.read_text("utf-8").split("\n## ")[2:]
    assert [section.split("`bench/")[0] for section in sections] == ["Three\n\n4\n\n", "One\n\n3\n\nmore\n\n", "Two\n\n2\n\n"]
    assert json.loads((tmp_path / "results.json").read_text("utf-8")).keys() == {"a.py", "b.py", "c.py"}


def test_a_goal_says_what_was_to_be_what_is_and_whether_it_was_reached(page: ModuleType, tmp_path: Path) -> None:
    place = tmp_path / "RESULTS.md"
    page.keep(place, "a.py", "One", "1", [page.Figure(1, "commits of 10", 1.4, 1.5), page.Figure(1, "commits of 1", 3.01, 3.0)])
    page.keep(place, "b.py", "Two", "2", [page.Figure(4, "Parquet", 6.2, 5, "at least", " M/s")])
    rows = [line for line in place.read_text("utf-8").splitlines() if line.startswith(("| 1 |", "| 4 |"))]
    cells = [[cell.strip() for cell in row.split("|")[3:7]] for row in rows]
    assert cells == [["commits of 10", "≤ 1.5×", "1.4×", "reached"], ["commits of 1", "≤ 3×", "3.01×", "**missed**"],
                     ["Parquet", "≥ 5 M/s", "6.2 M/s", "reached"]]


def test_a_goal_that_no_script_speaks_to_is_not_measured(page: ModuleType, tmp_path: Path) -> None:
    page.keep(tmp_path / "RESULTS.md", "a.py", "One", "1", [page.Figure(1, "all", 1, 2)])
    assert (tmp_path / "RESULTS.md").read_text("utf-8").count("not measured") == len(page.GOALS) - 1


def test_the_page_that_ships_is_what_the_scripts_kept_and_every_script_kept_something(page: ModuleType) -> None:
    import run

    kept = page.read(ROOT / "bench" / "RESULTS.md")
    assert sorted(kept) == [f"{name}.py" for name in run.scripts()]
    assert (ROOT / "bench" / "RESULTS.md").read_text("utf-8") == page.rendered(kept)
