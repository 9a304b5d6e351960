"""Attacks on a recorded history: each is found with something outside the store, and most without (G4)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness.attacks import ATTACKS, siege

pytestmark = pytest.mark.stores

ROOT = Path(__file__).parent.parent


def test_every_attack_is_found_by_whoever_holds_what_was_signed_outside(tmp_path: Path, engine: str) -> None:
    done = siege(tmp_path / "siege")
    assert done.problems == []
    assert done.count == (len(ATTACKS) if engine == "sqlite" else sum(not attack.untyped for attack in ATTACKS)) >= 25


@pytest.mark.file
def test_what_is_missed_without_anything_outside_is_written_down() -> None:
    page = (ROOT / "docs" / "enforcement.md").read_text(encoding="utf-8")
    for attack in ATTACKS:
        assert (f"- {attack.name}\n" in page) == (not attack.alone), attack.name
    for heading, missed in (("What a store alone does not tell", [a.name for a in ATTACKS if not a.alone]),
                            ("What even the journal does not tell", [a.name for a in ATTACKS if not a.journal])):
        [section] = re.findall(rf"^## {heading}\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
        assert re.findall(r"^- (.+)$", section, re.MULTILINE) == missed
