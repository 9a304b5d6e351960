"""The trials that are run in full for the figures G5, G7 and G8, run small; and what they say where something is wrong."""

from __future__ import annotations

import pytest
from harness import counts
from harness.crashes import Toll
from harness.result import Result


@pytest.mark.slow
def test_kills_are_counted_over_several_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_A_STORE", 4)
    result = counts.kills(count=10, seed=3)
    assert (result.problems, result.count, result.reached) == ([], 10, True)
    assert result.counts["acknowledged"] >= 8


@pytest.mark.slow
def test_fault_seeds_are_counted_over_several_processes() -> None:
    result = counts.fault_seeds(count=9, seed=3)
    assert (result.problems, result.count, result.reached) == ([], 9, True)
    assert result.counts["struck"] >= 9


@pytest.mark.slow
def test_of_commands_that_are_always_allowed_a_race_stores_every_one() -> None:
    result = counts.races(workers=4, commands=10, seed=3)
    assert (result.problems, result.count, result.reached) == ([], 40, True)


def test_a_result_is_not_reached_with_a_problem_or_with_too_few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Result("G0", 2, 0, count=2).reached
    assert not Result("G0", 2, 0, count=1).reached
    assert not Result("G0", 2, 0, count=2, problems=["lost"]).reached
    monkeypatch.setattr(counts, "kill_writers", lambda *_, **given: Toll(kills=given["kills"], problems=["lost"]))
    monkeypatch.setattr(counts, "kill_makers", lambda *_, **given: Toll(kills=given["kills"] - 1))
    result = counts.kills(count=10)
    assert (result.count, result.problems, result.reached) == (9, ["lost"], False)
