"""The page of what was measured: a script puts its own section there and leaves the others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_a_script_puts_its_section_in_place_and_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import page

    place = tmp_path / "RESULTS.md"
    for title, text in (("One", "1\n\n| a |"), ("Two", "2\n"), ("One", "3\n\nmore"), ("Three", "4")):
        page.put(place, title, text)
    assert place.read_text("utf-8") == f"{page.HEAD}\n## One\n\n3\n\nmore\n\n## Two\n\n2\n\n## Three\n\n4\n"


def test_the_page_that_ships_has_a_section_of_each_script() -> None:
    sections = [line for line in (ROOT / "bench" / "RESULTS.md").read_text("utf-8").splitlines() if line.startswith("## ")]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert len(sections) == makefile.count("--write bench/RESULTS.md") == len(set(sections))
