"""``make prove``: the page says what was kept, a part of a run is called a part, and every harness that it names is there."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from harness import prove

ROOT = Path(__file__).parent.parent


def test_the_page_is_what_was_kept() -> None:
    assert prove.PAGE.read_text(encoding="utf-8") == prove.page(prove.read())


def test_what_was_kept_has_no_problems_and_says_on_what_it_was_run() -> None:
    for name, proof in prove.read().items():
        assert proof.problems == [], name
        assert proof.at and "SQLite" in proof.on and proof.figure in {f.id for f in prove.FIGURES}


def test_every_figure_names_a_harness_that_is_there() -> None:
    for figure in prove.FIGURES:
        assert all((ROOT / name).exists() for name in figure.how.split(", ")), figure


def test_a_run_is_kept_and_one_that_found_something_or_was_a_part_says_so(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(prove, "KEPT", tmp_path / "proof.json")
    monkeypatch.setattr(prove, "PAGE", tmp_path / "PROOF.md")
    figures = (prove.Figure("G1", "all of it", "tests", lambda seed, share: prove.Proof("G1", 10, 4, seed, 1.0, {"n": 4})),
               prove.Figure("G2", "none of it", "tests", lambda seed, share: prove.Proof("G2", 1, 1, seed, 1.0, {}, ["lost"])))
    monkeypatch.setattr(prove, "FIGURES", figures)
    monkeypatch.setattr("sys.argv", ["prove", "--seed", "7"])
    assert prove.main() == 1
    page = (tmp_path / "PROOF.md").read_text(encoding="utf-8")
    assert "| G1 | all of it | 4 of 10 | 7 | 0 | 1 |" in page and "- PROBLEM: lost" in page
    kept = json.loads((tmp_path / "proof.json").read_text(encoding="utf-8"))
    assert kept == {key: asdict(value) for key, value in prove.read().items()} and set(kept) == {"G1", "G2"}
    assert "lost" in capsys.readouterr().out
