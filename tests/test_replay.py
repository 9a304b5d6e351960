"""Replaying scenario files: what passes, what differs, what cannot be read, and what is kept of it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_helpers import CHINESE, GIVEN, SCENARIOS, STORY, casework, changed, given_case, pairs, rows, written
from harness.engines import is_there

STORIES = sorted(p.stem for p in SCENARIOS.glob("*.yaml"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, and an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("CASEWORK_STORE", "CASEWORK_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


# --- what passes -----------------------------------------------------------------------------------------------------


def test_every_story_that_is_documented_passes_and_the_last_line_counts_them() -> None:
    ran = casework("replay", "-q", str(SCENARIOS)).ok()
    assert len(STORIES) >= 8
    assert ran.out.splitlines()[-1] == f"{len(STORIES)} passed, 0 failed"
    assert [line.split()[0] for line in ran.out.splitlines()[:-1]] == STORIES


def test_every_step_is_said_in_the_language_with_its_time_and_outcome() -> None:
    written()
    lines = casework("replay", "story.yaml").ok().out.splitlines()
    assert lines[1:] == [
        "   1  2026-03-28 10:00:00+08:00  consumer  contact_merchant  → awaiting_merchant",
        "   2  2026-03-28 11:00:00+08:00  merchant  rule  refused not_in_this_state, role_not_allowed",
        "1 passed, 0 failed",
    ]
    assert "02:00:00+00:00" in casework("replay", "story.yaml", "--tz", "UTC").ok().out
    assert "拒绝 not_in_this_state" in casework("replay", "story.yaml", lang="zh").ok().out


def test_scenarios_is_the_folder_where_none_is_named() -> None:
    Path("scenarios/below").mkdir(parents=True)
    written(name="scenarios/below/story.yaml")
    assert casework("replay", "-q").ok().out.endswith("1 passed, 0 failed\n")


def test_a_refusal_is_expected_of_a_command_that_lacks_a_required_field() -> None:
    """As in the design's example: who may not do a thing at all is told so, whatever he left out."""
    assert "with" not in STORY.partition("do: rule")[2]
    written()
    casework("replay", "story.yaml").ok()


def test_a_required_field_that_is_missing_where_the_step_is_allowed_is_a_bad_file() -> None:
    written(changed("    with: {message: 电机异响}\n", ""))
    ran = casework("replay", "story.yaml")
    assert ran.status == 2
    ran.says("story.yaml:10: 'message' is required")


@pytest.mark.stores
def test_replay_ignores_the_store_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given_case("K-1", store="real.db")
    before = rows("real.db")
    monkeypatch.setenv("CASEWORK_STORE", "sqlite:///real.db")
    written()
    casework("replay", "story.yaml").ok()
    assert rows("real.db") == before
    assert not list(tmp_path.glob("casework.db*")) and not is_there("casework.db")


def test_json_holds_every_step_and_what_differs() -> None:
    written()
    document = casework("replay", "story.yaml", "--json").document()
    assert (document["passed"], document["failed"], document["bad_files"]) == (1, 0, [])
    [story] = document["scenarios"]
    assert story["passed"]
    assert [s["refused"] for s in story["steps"]] == [[], ["not_in_this_state", "role_not_allowed"]]
    written(changed("then: {state: awaiting_merchant}", "then: {state: filed}"))
    [story] = casework("replay", "story.yaml", "--json").document(status=1)["scenarios"]
    assert story["mismatches"][0]["where"] == "story.yaml:14"


# --- what differs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new", "line", "words"), [
    ("then: {state: awaiting_merchant}", "then: {state: filed}", 14, "expected state to be filed, found awaiting_merchant"),
    ("then:\n  state: awaiting_merchant", "then:\n  state: ruled", 20,
     "expected state to be ruled, found awaiting_merchant"),
    ("refused: [not_in_this_state, role_not_allowed]", "refused: [role_not_allowed]", 18,
     "expected refused to be [role_not_allowed], found [not_in_this_state, role_not_allowed]"),
    ("then: {refused: [not_in_this_state, role_not_allowed]}", "then: {}", 15, "expected refused to be [], found [not_in"),
    ("then: {state: awaiting_merchant}", "then: {refused: [not_heard]}", 14, "expected refused to be [not_heard], found []"),
    ("findings: []", "findings: [version_gap]", 21, "expected findings to be [version_gap], found []"),
    ("  findings: []", "  remedy: {kind: refund}", 21, "expected remedy to be {kind: refund}, found none"),
    ("  findings: []", "  evidence: [{at: yesterday}]", 21, "expected evidence to be [{at: yesterday}], found []"),
    ("  findings: []", "  calls: {}", 21, "expected calls"),
])
def test_what_differs_is_said_with_its_line_what_was_expected_and_what_was_found(
    old: str, new: str, line: int, words: str
) -> None:
    written(changed(old, new))
    ran = casework("replay", "story.yaml")
    assert (ran.status, ran.err) == (1, "")
    assert f"  story.yaml:{line}: {words}" in ran.out
    assert ran.out.endswith("0 passed, 1 failed\n")
    assert "预期" in casework("replay", "story.yaml", lang="zh").out


# --- what cannot be read ---------------------------------------------------------------------------------------------

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{c}: &{c} [{', '.join([f'*{b}'] * 9)}]\n" for b, c in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(("text", "place", "words"), [
    (changed("do: rule", "do: rulle"), "story.yaml:15", ("unknown trigger 'rulle'; did you mean 'rule'?",)),
    (changed("by: merchant", "by: merchnt"), "story.yaml:16", ("unknown role 'merchnt'; did you mean 'merchant'?",)),
    (changed("by: merchant", "by: external"), "story.yaml:15", ("external:BODY",)),
    (changed("title:", "titel:"), "story.yaml:2", ("unknown key 'titel'; did you mean 'title'?",)),
    (changed("    after: 1h", "    aftre: 1h"), "story.yaml:17", ("unknown key 'aftre'; did you mean 'after'?",)),
    (changed("{message: 电机异响}", "\n      channel: hotline\n      mesage: 电机异响"), "story.yaml:15",
     ("unknown field 'mesage'; did you mean 'message'?",)),
    (changed("then: {state: awaiting_merchant}", "then: {stat: x}"), "story.yaml:14", ("unknown key 'stat'", "'state'")),
    (changed("ground: malfunction", "ground: malfuntion"), "story.yaml:8", ("did you mean 'malfunction'?",)),
    (changed("paid: \"899.00\"", "paid: much"), "story.yaml:5", ("order.paid", "899.00")),
    (changed("  consumer: C-1\n", ""), "story.yaml:4", ("'consumer' is required",)),
    (changed("  consumer: C-1\n", "  consumer: C-1\n  consumer: C-2\n"), "story.yaml:8",
     ("'consumer' is already on line 7",)),
    (changed("at: 2026-03-28T10:00:00+08:00", "at: 2026-03-28 10:00"), "story.yaml:12", ("with its offset",)),
    (changed("at: 2026-03-28T10:00:00+08:00", "at: tomorrow"), "story.yaml:12", ("with its offset",)),
    (changed("after: 1h", "after: soon"), "story.yaml:15", ("soon",)),
    (changed("after: 1h", "after: 1h\n    at: 2026-03-29T10:00:00+08:00"), "story.yaml:15",
     ("exactly one of 'at' and 'after'",)),
    (changed("    after: 1h\n", ""), "story.yaml:15", ("exactly one of 'at' and 'after'",)),
    (changed("after: 1h", "after: 99999999999999d"), "story.yaml:15", ()),
    (changed("after: 1h", "after: 9999wd"), "story.yaml:15", ()),
    (changed("scenario: story", "scenario: storey"), "story.yaml:1", ("'storey'", "'story'", "make them the same")),
    (changed("refused: [not_in_this_state, role_not_allowed]", "refused: role_not_allowed"), "story.yaml:18", ("a list",)),
    (changed("refused: [not_in_this_state, role_not_allowed]", "refused: [[a], b]"), "story.yaml:18", ("a list",)),
    (changed("findings: []", "findings: {}"), "story.yaml:21", ("a list",)),
    (STORY.partition("steps:")[0] + "steps: []\n", "story.yaml:9", ("at least one step",)),
    (STORY.partition("steps:")[0] + "steps: {a: b}\n", "story.yaml:9", ("at least one step",)),
    (STORY.partition("steps:")[0] + "steps: [x]\n", "story.yaml:9", ("mapping",)),
    (changed("ground: malfunction", "ground: .nan"), "story.yaml:8", ("not a number",)),
    (changed("ground: malfunction", "ground: !!python/object/apply:os.system [id]"), "story.yaml:8", ("tag", "delete it")),
    (BOMB, "story.yaml:", ("alias",)),
    ("[" * 100_000, "story.yaml:1", ("nested deeper",)),
    ("a: [\n", "story.yaml:", ("not valid YAML",)),
    ("- a\n", "story.yaml:1", ("mapping",)),
    ("just text", "story.yaml:1", ("mapping",)),
    ("", "story.yaml", ("is empty",)),
    ("\n# nothing\n", "story.yaml", ("is empty",)),
    ("title: 榨汁机".encode("gbk"), "story.yaml:1", ("not UTF-8",)),
    (b"a: \x1b[31m\n", "story.yaml:1", ("U+001B",)),
    (b"a: " + b"x" * (1 << 20), "story.yaml", ("over 1 MiB",)),
    (STORY + "---\na: b\n", "story.yaml:", ("second document",)),
], ids=lambda value: re.sub(r"\W+", "_", str(value))[:40] if isinstance(value, tuple) else "")
def test_a_file_that_is_no_scenario_is_one_line_with_place_and_remedy(
    text: str | bytes, place: str, words: tuple[str, ...]
) -> None:
    written(text)
    start = time.perf_counter()
    ran = casework("replay", "story.yaml")
    assert time.perf_counter() - start < 2
    assert (ran.status, ran.out.splitlines()[-1]) == (2, "0 passed, 1 failed")
    ran.says(f"casework: {place}", *words)
    chinese = casework("replay", "story.yaml", lang="zh")
    chinese.says(f"casework: {place}")
    assert CHINESE.search(chinese.err)


def test_time_that_runs_backwards_is_refused_and_the_refusal_may_be_expected() -> None:
    backwards = changed("    after: 1h\n    then: {refused: [not_in_this_state, role_not_allowed]}",
                        "    at: 2026-03-01T10:00:00+08:00\n    then: {}")
    written(backwards)
    ran = casework("replay", "story.yaml")
    assert ran.status == 1
    assert "time_runs_backwards" in ran.out
    codes = "not_in_this_state, role_not_allowed, time_runs_backwards"
    written(backwards.replace("    then: {}", f"    then: {{refused: [{codes}]}}"))
    casework("replay", "story.yaml").ok()


def test_a_name_that_can_be_no_case_id_is_a_bad_file() -> None:
    written(changed("scenario: story", "scenario: my story"), "my story.yaml")
    casework("replay", "my story.yaml").says("my story.yaml:1", "case id")


def empty_folder() -> str:
    Path("empty").mkdir()
    return "empty"


def pipe() -> str:
    os.mkfifo("pipe.yaml")
    return "pipe.yaml"


@pytest.mark.parametrize(("bad", "words"), [
    (lambda: "missing.yaml", ("missing.yaml", "no such file")),
    (empty_folder, ("empty", "no scenario")),
    (pipe, ("pipe.yaml", "not a regular file")),
    (lambda: "a" * 300, ("aaa", "cannot be read")),
    (lambda: written("x: [", "broken.yaml"), ("broken.yaml",)),
    (lambda: written("x: 1", "\x1b[31m\u202e.yaml"), (r"\u001b[31m\u202e.yaml",)),
], ids=["missing", "empty-folder", "pipe", "long", "broken", "escapes"])
def test_a_bad_file_does_not_stop_the_others_and_the_highest_status_wins(
    bad: Callable[[], str], words: tuple[str, ...]
) -> None:
    name = bad()
    written()
    other = changed("scenario: story", "scenario: other")
    written(other.replace("then: {state: awaiting_merchant}", "then: {state: ruled}"), "other.yaml")
    ran = casework("replay", "-q", name, "other.yaml", "story.yaml")
    assert ran.status == 2
    ran.says(*words)
    assert ran.out.splitlines()[-1] == "1 passed, 2 failed"
    assert casework("replay", "-q", "other.yaml", "story.yaml").status == 1


def test_a_folder_named_twice_is_replayed_once() -> None:
    written()
    assert casework("replay", "-q", ".", "story.yaml").ok().out.endswith("1 passed, 0 failed\n")


# --- what is kept ----------------------------------------------------------------------------------------------------


@pytest.mark.stores
def test_replayed_cases_are_kept_under_their_stem_and_the_audit_of_them_is_clean() -> None:
    casework("replay", "-q", "--store", "sqlite:///t.db", str(SCENARIOS)).ok()
    assert [c["case"] for c in casework("list", "--store", "t.db", "--json").document()["cases"]] == STORIES
    summary = casework("audit", "--store", "t.db", "--json").document()["summary"]
    assert (summary["cases"], summary["findings"]) == (len(STORIES), 0)


@pytest.mark.stores
def test_replaying_into_the_same_store_again_changes_nothing() -> None:
    written()
    for _ in range(2):
        casework("replay", "--store", "t.db", "story.yaml").ok()
        first = rows("t.db")
        assert len(first) == 2
    casework("replay", "--store", "t.db", "story.yaml").ok()
    assert rows("t.db") == first


@pytest.mark.stores
@pytest.mark.parametrize("other", ["live", "replayed", "longer"])
def test_another_case_under_the_id_is_a_mismatch_and_nothing_changes(other: str) -> None:
    if other == "live":
        casework("open", "story", "--by", "consumer", "--store", "t.db", *pairs(GIVEN)).ok()
    else:
        written()
        casework("replay", "--store", "t.db", "story.yaml").ok()
        if other == "longer":
            casework("do", "story", "withdraw", "--by", "consumer", "--store", "t.db").ok()
    before = rows("t.db")
    written(STORY if other == "longer" else changed("电机异响", "电机不转"))
    ran = casework("replay", "-q", "--store", "t.db", "story.yaml")
    assert ran.status == 1
    assert "0 passed, 1 failed" in ran.out
    ran.says("story.yaml", "another case 'story'", "fresh store")
    assert rows("t.db") == before


@pytest.mark.stores
def test_a_scenario_that_differs_from_its_file_is_not_kept() -> None:
    written(changed("then: {state: awaiting_merchant}", "then: {state: filed}"))
    assert casework("replay", "--store", "t.db", "story.yaml").status == 1
    assert rows("t.db") == []


@pytest.mark.parametrize("store", ["story.yaml", ".", "", "no/such/t.db", "mysql://h/d"])
def test_a_store_that_cannot_be_kept_in_is_said_before_anything_is_replayed(store: str) -> None:
    written()
    casework("replay", "--store", store, "story.yaml").fails()
    json.loads(casework("replay", "story.yaml", "--json").out)
