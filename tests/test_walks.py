"""Cases walked at random through the public commands: never a traceback, every refusal coded, replay equals live, audit clean.

The reduced form runs with the other tests, always the same walks. ``make walks`` runs the full one, which ``make walks SEED=N``
repeats for the seed that it printed; a walk that fails says how it alone is repeated.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random

import msgspec
import pytest
from domain_helpers import sample
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from walks import HALF, Figures, Pick, Tale, World

from casework.application.intake import command_named
from casework.domain.commands import COMMANDS
from casework.errors import CaseworkError
from casework.store.opening import open_store
from casework.store.store import Store

#: The reduced form: its first shard, from how many shards to how many, of how many walks each.
FIRST, LEAST, MOST, SHARD = 100, 3, 10, 20
FULL_SHARDS, STEPS = 20, 25


#: What a step draws: a number, so that a walk that fails shrinks fast; of bytes, because hypothesis prefers small integers.
NUMBERS = st.binary(min_size=4, max_size=4).map(lambda some: int.from_bytes(some, "big"))


class Walk(RuleBasedStateMachine):
    """One walk: some cases in a store, carried on by whatever hypothesis draws."""

    figures = Figures()

    def __init__(self) -> None:
        super().__init__()
        self.store = self.open_store()
        self.world = World(self.store, self.figures, note)
        self.sound, self.past = True, 0

    def open_store(self) -> Store:
        return open_store(":memory:")

    def teardown(self) -> None:
        try:
            if self.sound:
                self.world.end()
        finally:
            self.store.close()

    @initialize(number=NUMBERS)
    def begin(self, number: int) -> None:
        """A case, and a head start."""
        self._head_start(number)

    @rule(number=NUMBERS)
    def carry(self, number: int) -> None:
        self._step(number, self.world.carry)

    @rule(number=NUMBERS)
    def carry_far(self, number: int) -> None:
        self._step(number, *(self.world.carry,) * 4)

    @rule(number=NUMBERS)
    def anything(self, number: int) -> None:
        self._step(number, self.world.anything)

    @rule(number=NUMBERS)
    def nonsense(self, number: int) -> None:
        self._step(number, self.world.nonsense)

    @rule(number=NUMBERS)
    def tick(self, number: int) -> None:
        self._step(number, self.world.tick)

    @rule(number=NUMBERS)
    def again(self, number: int) -> None:
        self._step(number, self.world.again)

    @rule(number=NUMBERS)
    def refused(self, number: int) -> None:
        self._step(number, *(self.world.refused,) * 2)

    @rule(number=NUMBERS)
    def sought(self, number: int) -> None:
        self._step(number, self.world.sought)

    @rule(number=NUMBERS)
    def strange(self, number: int) -> None:
        self._step(number, *(self.world.strange,) * 2)

    @precondition(lambda self: len(self.world.tales) < 4)
    @rule(number=NUMBERS)
    def another(self, number: int) -> None:
        self._head_start(number)

    def _head_start(self, number: int) -> None:
        world, start = self.world, Random(self.past + number)
        does = start.choices((world.carry, world.refused, world.strange), (6, 1, 1), k=start.randint(1, 25))
        self._step(number, *(lambda pick, tale: world.open(pick), world.towards)[: start.choice((1, 2, 2))], *does)

    def _step(self, number: int, *does: Callable[[Pick, Tale], None]) -> None:
        # Hypothesis draws most walks as another with a number or two changed: from there on, all has to go another way.
        self.past = hash((self.past, number))
        pick = Random(self.past).randrange
        self.sound = False
        for do in does:
            do(pick, self.world.tale(pick))
        self.sound = True


class WalkOnDisk(Walk):
    """The same in an SQLite file."""

    figures = Figures()

    def open_store(self) -> Store:
        self._folder = tempfile.TemporaryDirectory(prefix="casework-walk-")
        return open_store(str(Path(self._folder.name) / "walk.db"), create=True)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self._folder.cleanup()


class FailingWalk(Walk):
    """One that holds of its cases what is not so."""

    def teardown(self) -> None:
        super().teardown()
        assert all(tale.facts.state == "discovered" for tale in self.world.tales)


def walk(machine: type[Walk], walks: int, number: int, steps: int = STEPS, shrink: bool = False) -> Figures:
    """So many walks, always the same for a number; what they came through.

    A walk that fails is not shrunk unless asked, which can take hours; it says every step that it took.
    """
    fresh = seed(number)(type(machine.__name__, (machine,), {"figures": Figures()}))
    try:
        run_state_machine_as_test(fresh, settings=settings(
            max_examples=walks, stateful_step_count=steps, deadline=None, database=None, print_blob=False,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate,) + (Phase.shrink,) * shrink))
    except Exception as error:
        if steps == STEPS:
            error.add_note(f"The same again: python tests/test_walks.py --shard {number} --walks {walks} [--shrink]")
        raise
    figures: Figures = fresh.figures
    return figures


@pytest.mark.slow
def test_cases_walked_at_random_hold_what_every_case_has_to_and_come_to_all_that_there_is() -> None:
    figures = Figures()
    for number in range(MOST):
        figures.add(walk(Walk, SHARD, FIRST + number))
        if number + 1 >= LEAST and not figures.unseen():  # what is rare comes later where a change of the tables shifts the luck
            break

    print("\n".join(figures.lines()))
    assert figures.unseen() == []
    assert figures.longest >= 50


def test_cases_walked_at_random_in_a_file_hold_it_too() -> None:
    figures = walk(WalkOnDisk, 4, 0, steps=10)

    assert figures.recorded > 40


def test_a_walk_that_fails_says_its_steps_and_how_to_repeat_it() -> None:
    with pytest.raises(AssertionError) as caught:
        walk(FailingWalk, 5, 3)

    said = "\n".join(caught.value.__notes__)
    assert "K-1 open_case by" in said
    assert "state.begin(number=" in said
    assert "--shard 3 --walks 5" in said


def test_half_a_character_is_refused_as_input_in_every_field() -> None:
    for name, kind in COMMANDS.items():
        for field in msgspec.structs.fields(kind):
            with pytest.raises(CaseworkError):
                command_named(name, sample(name) | {field.encode_name: HALF})


def total(walks: int, numbers: Sequence[int], jobs: int, say: Callable[[str], None] = lambda line: None) -> Figures:
    """The figures of so many walks, a shard a number, some shards at a time; the first that fails ends it."""
    begun, found = time.monotonic(), Figures()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for figures in pool.map(_shard, [-(-walks // len(numbers))] * len(numbers), numbers):
            if isinstance(figures, str):
                pool.shutdown(cancel_futures=True)
                raise SystemExit(figures)
            found.add(figures)
            say(f"{found.walks} walks, {time.monotonic() - begun:.0f} s")
    return found


def _shard(walks: int, number: int) -> Figures | str:
    try:
        return walk(Walk, walks, number)
    except Exception:  # as text: not every error can be sent from one process to another
        return traceback.format_exc()


def main(arguments: list[str]) -> None:
    """The full form, and its figures; or one shard of it once more."""
    parser = argparse.ArgumentParser(description="walk cases at random")
    parser.add_argument("--walks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--shard", type=int, help="only this one, of so many walks")
    parser.add_argument("--shrink", action="store_true", help="look for the shortest walk that fails; with --shard")
    chosen = parser.parse_args(arguments)
    begun = time.monotonic()
    if chosen.shard is not None:
        figures = walk(Walk, chosen.walks, chosen.shard, shrink=chosen.shrink)
    else:
        print(f"seed {chosen.seed}: {chosen.walks} walks in {FULL_SHARDS} shards", flush=True)
        figures = total(chosen.walks, range(chosen.seed * 1000, chosen.seed * 1000 + FULL_SHARDS), chosen.jobs,
                        lambda line: print(line, file=sys.stderr, flush=True))
    print("\n".join((*figures.lines(), f"{time.monotonic() - begun:.0f} s")))


if __name__ == "__main__":
    main(sys.argv[1:])
