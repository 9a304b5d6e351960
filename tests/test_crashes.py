"""``kill -9`` at any moment: what was acknowledged is there, what was not is there at most once (TRUST.md, G5)."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from harness.commands import Answers
from harness.crashes import await_answer, in_flight, kill_command_lines, kill_makers, kill_writers
from harness.nursery import Nursery
from harness.races import prepare
from harness.verdict import problems, rows_of

from casework.store.lock import WriterLock


@pytest.mark.slow
def test_fifty_killed_writers_lose_nothing_acknowledged(store_url: str, tmp_path: Path) -> None:
    toll = kill_writers(tmp_path, store_url, kills=50, seed=1)
    assert toll.problems == []
    assert toll.kills == 50
    assert toll.acknowledged >= 50
    assert toll.hot >= 1 or "://" in store_url  # some were killed in mid-commit, or the trial shows little


@pytest.mark.slow
def test_a_store_whose_maker_was_killed_can_be_made_again(tmp_path: Path) -> None:
    toll = kill_makers(tmp_path, kills=40, seed=1)
    assert (toll.kills, toll.problems) == (40, [])


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_a_killed_command_line_is_run_again_and_its_command_is_recorded_once(store_url: str, how: signal.Signals) -> None:
    prepare(store_url, "K-1")
    toll = kill_command_lines(store_url, "K-1", kills=5, seed=how, how=how)
    assert toll.problems == []
    assert toll.acknowledged == 6


def test_a_killed_writers_lock_is_free_at_once(tmp_path: Path) -> None:
    store, journal = tmp_path / "t.db", tmp_path / "j"
    prepare(store, "K-1")
    with Nursery() as nursery:
        worker = nursery.start("harness.crashes:append", store=store, case="K-1", seed="s", journal=journal)
        await_answer(journal)
        worker.kill()
    with WriterLock(store, 0):
        pass
    answers = Answers().read(journal)
    assert problems(rows_of(store, "K-1"), answers, in_flight=[in_flight(journal, "s").id]) == []
