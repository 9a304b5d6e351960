"""The stories: every file passes, every story of the sources is told, and what was recorded once stays readable and clean."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from casework.application.views import by_case, facts_of
from casework.audit.check import audit_case
from casework.domain.lifecycle import STAGE_OF
from casework.domain.reasons import REASONS
from casework.scenario.replay import replay
from casework.scenario.schema import read
from casework.store.sqlite.reader import Reader

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "scenarios").glob("*.yaml"))
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.db"))
STORIES = {f"SC-{n}" for n in range(1, 13)}
#: What no scenario can show, and why.
NOT_IN_A_SCENARIO = {
    "calendar_not_published": "which years are published is a matter of the installed calendar and not of the story",
    "command_id_reused": "a scenario numbers its own commands",
    "in_the_future": "a scenario records at the time of the step",
    "order_inconsistent": "a case of such an order is never opened",
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_story_goes_as_its_file_says_and_leaves_a_clean_history(path: Path) -> None:
    result = replay(path, lambda rows: sorted(f.code for f in audit_case(rows)))
    assert result.mismatches == []
    assert result.findings == []
    assert result.scenario.then, "the end is told"


def test_every_story_of_the_sources_is_told_in_at_least_two_dozen_files() -> None:
    assert len(FILES) >= 24
    told = {read(path).story.id for path in FILES}
    assert told == STORIES


def test_every_scenario_names_a_source_and_speaks_chinese() -> None:
    for path in FILES:
        scenario = read(path)
        assert re.fullmatch(r"00[012]_[0-9a-f]{16}\.txt", scenario.story.source), path
        assert re.search("[\u4e00-\u9fff]", scenario.title), path


def test_the_stories_visit_every_state_and_show_every_refusal_that_a_scenario_can() -> None:
    states: set[str] = set()
    codes: set[str] = set()
    for path in FILES:
        for step in replay(path, lambda rows: []).steps:
            states.add(step.state)
            codes.update(step.refused)
    assert states == set(STAGE_OF) - {"discovered"} | (states & {"discovered"})
    assert set(REASONS) - codes == set(NOT_IN_A_SCENARIO)


@pytest.mark.parametrize("store", GOLDEN, ids=lambda p: p.stem)
def test_a_store_recorded_by_an_earlier_release_stays_readable_and_audit_clean(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / store.name
    with sqlite3.connect(store) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    with Reader(copy) as reader:
        cases = list(by_case(reader.rows()))
    assert cases
    for case, rows in cases:
        assert audit_case(rows) == [], case
        assert facts_of(rows) is not None


def test_there_is_a_golden_store() -> None:
    assert GOLDEN
