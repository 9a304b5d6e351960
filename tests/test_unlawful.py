"""Figure G9 in its reduced form: lawful histories give no finding, unlawful ones are flagged, by the audit and by a checker that
knows nothing of it. The full form is ``harness.unlawful.trial(1000, seed)``."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from random import Random

import pytest
from domain_helpers import Story, case_in, ruling
from harness import corners, lawful
from harness.lawful import GUARDS, NOT_RESTATED, tables, unlawful
from harness.unlawful import ASIDE, KNOWN, MUTATIONS, History, trial
from recorded import NAMES, replayed, row_of

from casework.audit.check import audit
from casework.domain.commands import COMMANDS
from casework.store.row import Row

SEED = 9


def test_lawful_histories_give_no_finding_and_unlawful_ones_are_all_flagged_by_the_audit_and_by_the_checker() -> None:
    tally = trial(40, SEED, depth=6)

    assert tally.problems == []
    assert (tally.lawful, tally.unlawful, tally.flagged) == (40, 40, 40)
    assert tally.told == tally.claimed > 15
    assert len(tally.kinds) >= 25


def test_the_same_seed_is_the_same_trial() -> None:
    assert trial(3, SEED, depth=4) == trial(3, SEED, depth=4)


def _reviewed() -> list[Row]:
    """A ruling, and its review by somebody else."""
    story = case_in("escalated").when("assign", "supervisor", to="supervisor:S-1").heard()
    story.when("rule", "supervisor:S-1", **ruling())
    return _rows(story)


def _resumed() -> list[Row]:
    """A suspended review, resumed by the agent in time."""
    return _rows(case_in("suspended").when("resume", "agent"))


def _rows(story: Story) -> list[Row]:
    return [row_of(event) for event in story.case.pending_events]  # type: ignore[arg-type]


@cache
def _lawful() -> list[list[Row]]:
    """Lawful stores of one case each: the scenarios, and stories that no scenario tells."""
    stores = [[*replayed(name).rows, *replayed(name).standing] for name in NAMES] + [_reviewed(), _resumed()]
    stores += [[row_of(event) for event in corners.events_of(name)] for name in corners.STORIES]
    return [rows for rows in stores if not [f for f in audit(rows) if f.code not in ASIDE and f.severity != "note"]]


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_each_kind_of_mutation_is_found_by_the_audit_and_told_by_the_checker_where_it_knows_it(name: str) -> None:
    held = 0
    for number, rows in enumerate(_lawful()):
        history = History.of(rows)
        version = MUTATIONS[name](history, Random(number))
        if version is None:
            continue
        altered = history.rows()
        codes = {f.code for f in audit(altered) if f.severity != "note"} - ASIDE
        assert codes, (rows[0].case, version)
        assert "derivations_differ" not in codes, (rows[0].case, version)
        if name in KNOWN:
            assert unlawful([row for row in altered if row.topic.startswith("casework.case.")]), (rows[0].case, version)
        held += 1
        if held == 3:
            break
    assert held


def test_there_are_many_lawful_stores_to_change() -> None:
    assert len(_lawful()) > 40


@pytest.mark.parametrize("scenario", NAMES)
def test_the_checker_has_nothing_against_a_scenario(scenario: str) -> None:
    assert unlawful([row for row in replayed(scenario).rows if row.topic.startswith("casework.case.")]) == []


@pytest.mark.parametrize("story", corners.STORIES)
def test_neither_has_anything_against_a_story_that_no_scenario_tells(story: str) -> None:
    rows = [row_of(event) for event in corners.events_of(story)]

    assert [f for f in audit(rows) if f.code not in ASIDE and f.severity != "note"] == []
    assert unlawful(rows) == []


def test_the_checker_knows_every_command_and_says_of_every_guard_whether_it_is_restated() -> None:
    assert {*COMMANDS, "open_case"} <= set(tables().commands.values())
    assert tables().guards == set(GUARDS) | NOT_RESTATED
    assert not set(GUARDS) & NOT_RESTATED


def test_the_checker_uses_nothing_of_the_audit_nor_of_deciding() -> None:
    names = {node.module or "" for node in ast.walk(ast.parse(Path(lawful.__file__).read_text("utf-8")))
             if isinstance(node, ast.ImportFrom)}

    assert {name for name in names if name.startswith("casework")} == {"casework.store.row"}
