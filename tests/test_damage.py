"""A store damaged at rest, in small: random bytes, and bits of stored fields (G2 and G3; in full by ``make prove``)."""

from __future__ import annotations

from pathlib import Path

from harness.damage import bit_flips, mutations


def test_no_byte_of_a_store_changes_its_history_unnoticed_and_none_upsets_the_audit(tmp_path: Path) -> None:
    done = mutations(tmp_path, 100, seed=11)
    assert done.problems == []
    assert done.count == 100 and done.counts["found"] > 20


def test_every_bit_of_every_field_of_an_event_is_held_by_its_leaf(tmp_path: Path) -> None:
    done = bit_flips(tmp_path, events=4, through_file=25, seed=11)
    assert done.problems == []
    assert done.count == done.wanted > 5_000
