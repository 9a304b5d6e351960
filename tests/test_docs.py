"""The pages of ``docs/``: the generated ones are fresh and whole, the written ones name what exists, links lead somewhere."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from casework.application.scorecard import FORMULA, SHARES
from casework.application.views import events_of
from casework.audit.check import audit_case
from casework.audit.findings import FINDINGS
from casework.cli.main import COMMANDS as CLI
from casework.domain.answers import ANSWERS
from casework.domain.beside import TRACKS
from casework.domain.clocks import ACCEPTANCE, RESULT
from casework.domain.commands import COMMANDS, OpenCase, name_of
from casework.domain.duties import DUTIES, OPENINGS
from casework.domain.events import EVENT_OF, Event, topic_of
from casework.domain.guards import GUARDS
from casework.domain.lifecycle import STAGE_OF
from casework.domain.reasons import REASONS
from casework.domain.standing.commands import STANDING_COMMANDS
from casework.domain.standing.events import STANDING_EVENT_OF, standing_topic_of
from casework.domain.standing.rules import CURRENT_RULES, RULES
from casework.domain.versions import CURRENT, TABLES, VERSION
from casework.domain.vocabulary import VOCABULARY
from casework.exchange.taobao import VALUES
from casework.rulebook.edition import EDITIONS
from casework.scenario.replay import replay
from casework.store.row import Row

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md"))}
CELL = re.compile(r"(?<!\\)\|")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def script() -> Any:
    """``docs/generate.py`` as a module; it lies in no package."""
    spec = spec_from_file_location("generate", DOCS / "generate.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = script()
GENERATED = list(GENERATE.PAGES)


def section(page: str, heading: str) -> str:
    """What stands under a heading, down to the next of its level."""
    level = heading.split(" ")[0]
    _, _, rest = f"\n{PAGES[page]}".partition(f"\n{heading}\n")
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def tables(text: str) -> Iterator[list[list[str]]]:
    """Every table: its rows, each a list of cells, the head first and without the line below it."""
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in CELL.split(line)[1:-1]] for line in block.splitlines()]
        yield [rows[0], *rows[2:]]


def first_cells(text: str) -> list[str]:
    return [row[0].strip("`") for table in tables(text) for row in table[1:]]


# --- the generated pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_fresh(name: str) -> None:
    assert PAGES[name] == GENERATE.page(name), "stale; run: make docs"


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_begins_with_how_it_is_made_and_is_plain_markdown(name: str) -> None:
    first, _, title, *_ = PAGES[name].splitlines()
    assert first == GENERATE.MARK
    assert "Generated" in first and "`make docs`" in first
    assert title.startswith("# ")
    assert PAGES[name].endswith("\n") and not PAGES[name].endswith("\n\n")
    assert "\n\n\n" not in PAGES[name]
    assert not re.search(r"[ \t]$", PAGES[name], re.MULTILINE)
    bare = CODE.sub("", FENCED.sub("", PAGES[name].replace(first, "")))
    assert set(re.findall(r"<[^>]*>?", bare)) <= {"<br>"}
    for lost in ("None", ":class:", "``", "object at", "Term("):
        assert lost not in bare, lost


@pytest.mark.parametrize("name", PAGES)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name: str) -> None:
    for head, *rows in tables(PAGES[name]):
        assert rows, head
        assert [row for row in rows if len(row) != len(head)] == []


def test_the_command_that_a_page_names_is_a_target_and_never_up_to_date_because_of_the_folder() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(r"^docs: \$\(VENV\)/\.installed\n\t\$\(BIN\)/python docs/generate\.py$", makefile, re.MULTILINE)
    assert re.search(r"^\.PHONY:.*\bdocs\b", makefile, re.MULTILINE)


def generate(folder: Path, *arguments: str, seed: str = "0") -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, str(folder / "generate.py"), *arguments], text=True, capture_output=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "LANG": "C.UTF-8"})
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.splitlines()


def test_check_names_the_pages_that_are_stale_and_leaves_them_and_without_it_they_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    shutil.copytree(DOCS, folder)
    assert generate(folder, "--check", seed="1") == (0, [])
    (folder / "codes.md").write_text(PAGES["codes.md"].replace("`not_heard`", "`not_herd`"), "utf-8")
    (folder / "rules.md").unlink()
    stale = ["docs/codes.md: stale; run: make docs", "docs/rules.md: stale; run: make docs"]
    assert generate(folder, "--check") == (1, stale)
    assert "not_herd" in (folder / "codes.md").read_text("utf-8") and not (folder / "rules.md").exists()
    assert generate(folder, seed="2") == (0, ["docs/codes.md: written", "docs/rules.md: written"])
    assert {name: (folder / name).read_text("utf-8") for name in PAGES} == PAGES
    assert generate(folder, "--chekc") == (2, [])


def test_the_script_is_in_style() -> None:
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "docs"], cwd=ROOT, text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


# --- nothing is missing in them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", VOCABULARY)
def test_every_term_stands_under_its_kind_with_both_labels(kind: str) -> None:
    rows = {row[0].strip("`"): row[1:3] for row in next(tables(section("vocabulary.md", f"## {kind}")))[1:]}
    assert rows == {term: list(labels) for term, labels in VOCABULARY[kind].items()}


def test_every_excuse_has_what_answers_it() -> None:
    assert first_cells(section("vocabulary.md", "### What answers an excuse")) == list(ANSWERS)


def test_every_code_has_its_row() -> None:
    assert first_cells(section("codes.md", "## Refusals")) == list(REASONS)
    assert first_cells(section("codes.md", "## Findings")) == list(FINDINGS)
    assert first_cells(section("codes.md", "## Exit statuses"))[:4] == ["0", "1", "2", "130"]


def test_every_state_step_act_track_and_guard_has_its_row() -> None:
    assert first_cells(section("lifecycle.md", "## States")) == list(STAGE_OF)
    assert first_cells(section("lifecycle.md", "## Triggers")) == [t.name for t in CURRENT.triggers for _ in t.edges]
    assert first_cells(section("lifecycle.md", "## Beside the state")) == [a.name for a in CURRENT.acts]
    assert first_cells(section("lifecycle.md", "## Tracks")) == [name for name, rows in TRACKS.items() for _ in rows]
    assert first_cells(section("lifecycle.md", "## Guards")) == list(GUARDS)


def test_every_guard_says_what_it_asks_in_one_sentence_and_is_asked_of_something() -> None:
    [[_, *rows]] = tables(section("lifecycle.md", "## Guards"))
    for name, asks, users in rows:
        assert len(asks) > 20 and asks.endswith("."), name
        assert users, name


def test_the_page_is_of_the_current_version_and_says_what_each_older_one_lacks() -> None:
    page = PAGES["lifecycle.md"]
    assert f"\nVersion {VERSION}, as the machine runs it" in page
    for version in set(TABLES) - {VERSION}:
        [line] = [line for line in page.splitlines() if f"Version {version} records no " in line]
        rows = (*CURRENT.triggers, *CURRENT.acts)
        for new in {row.name for row in rows} - {row.name for row in (*TABLES[version].triggers, *TABLES[version].acts)}:
            assert f"`{new}`" in line


def test_every_duty_and_every_change_has_its_row() -> None:
    for heading in ("## Kinds", "## Lives"):
        assert first_cells(section("duties.md", heading)) == [d.name for d in DUTIES]
    assert first_cells(section("duties.md", "## Changes")) == list(VOCABULARY["duty_change"])
    assert list(OPENINGS) == [d.name for d in DUTIES]
    assert OPENINGS["referral_acceptance"].rules == tuple(ACCEPTANCE.values())
    assert OPENINGS["referral_result"].rules == tuple(RESULT.values())
    units = {record.unit for record in EDITIONS[max(EDITIONS)].records if record.counts_time}
    assert set(first_cells(section("duties.md", "## How time is counted"))) == units


#: What no story shows: the claim that silence agreed to was for money, and no carrier was silent.
NOT_TOLD = {("return_shipping", "deem_agreed"), ("courier_answer", "log_call"),
            *(("suspension", ends) for ends in ("examine_evidence", "end_referral", "withdraw_referral", "refuse_referral"))}


def test_what_the_page_says_begins_a_duty_is_what_begins_it_in_the_stories() -> None:
    begun: set[tuple[str, str]] = set()
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        for event in events_of(replay(path, lambda rows: []).rows):
            changes = event.duties if isinstance(event, Event) else ()
            for change in changes:
                if change.change != "opened":
                    continue
                assert change.due is not None
                opening, command = OPENINGS[change.duty], name_of(type(event.data))
                begun.add((change.duty, command))
                assert command in opening.by, change
                named = [re.escape(rule).replace(r"\{province\}", "[a-z]{2}") for rule in opening.rules or (command,)]
                assert any(re.fullmatch(rule, change.due.rule) for rule in named), change
    # A limitation that runs is set anew by what begins one.
    said = {(kind, command) for kind, opening in OPENINGS.items() for command in opening.by}
    assert said - begun <= NOT_TOLD | {("limitation", "contact_merchant"), ("limitation", "refer")}


def test_every_command_of_the_command_line_has_its_usage_and_help_in_both_languages() -> None:
    for name in CLI:
        usage, english, chinese, *_ = section("commands.md", f"### casework {name}").strip().split("\n\n")
        assert usage.startswith(f"`casework {name} [OPTIONS]")
        assert english[0].isascii() and english.endswith(".")
        assert re.search(r"[\u4e00-\u9fff]", chinese) and chinese.endswith("。"), name


def test_every_command_of_a_case_has_its_fields_its_event_and_its_topic() -> None:
    for name, kind in {"open_case": OpenCase, **COMMANDS}.items():
        text = section("commands.md", f"### {name}")
        assert first_cells(text) == list(kind.__struct_fields__), name
        assert f"`{EVENT_OF[kind].__name__}` under `{topic_of(EVENT_OF[kind])}`" in text


def test_every_command_of_a_merchant_has_its_fields_its_event_and_its_topic() -> None:
    for name, kind in STANDING_COMMANDS.items():
        text = section("standing.md", f"### {name}")
        assert first_cells(text) == list(kind.__struct_fields__), name
        assert f"`{STANDING_EVENT_OF[kind].__name__}` under `{standing_topic_of(STANDING_EVENT_OF[kind])}`" in text


def test_the_scorecards_formula_and_every_track_stand_on_the_page_of_the_standing() -> None:
    assert FORMULA in PAGES["standing.md"]
    assert first_cells(section("standing.md", "## Tracks and nodes")) == list(RULES[CURRENT_RULES].tracks)
    assert first_cells(section("standing.md", "## The scorecard")) == list(SHARES)


def test_every_rule_has_its_row_and_what_is_not_verified_says_so() -> None:
    for edition in EDITIONS.values():
        [[head, *rows]] = tables(section("rules.md", f"## Edition {edition.id}"))
        assert [row[0].strip("`") for row in rows] == [r.id for r in edition.records]
        certainty = [row[head.index("certainty")] for row in rows]
        assert ["unverified" in text for text in certainty] == [r.certainty == "C" for r in edition.records]


def test_every_value_of_taobao_stands_in_its_group() -> None:
    for group in dict.fromkeys(v.group for v in VALUES):
        [[_, *rows]] = tables(section("taobao.md", f"## {group}"))
        assert [row[0].strip("`") for row in rows] == [v.code for v in VALUES if v.group == group]
        assert [row[3] == "*not mapped*" for row in rows] == [not v.mapped for v in VALUES if v.group == group]


# --- links -----------------------------------------------------------------------------------------------------------


def anchors(name: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", PAGES[name], re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in LINK.findall(CODE.sub("", PAGES[name])):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        there = (DOCS / name).parent / path if path else DOCS / name
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there.resolve().relative_to(DOCS).as_posix()), target


def test_the_index_leads_to_every_page_and_says_which_are_generated() -> None:
    [[_, *rows]] = tables(PAGES["README.md"])
    listed = {match[1]: row[2] for row in rows if (match := LINK.search(row[0]))}
    pages = {name for name in PAGES if "/" not in name} - {"README.md"}
    assert set(listed) == {*pages, "decisions"}
    assert {name for name, origin in listed.items() if origin == "the code"} == set(GENERATED)


# --- what is enforced where ------------------------------------------------------------------------------------------


class Promise(NamedTuple):
    said: str
    enforced: list[str]
    checked: list[str]
    proved: list[str]


PROMISES = [
    Promise(row[0], *(CODE.findall(cell) for cell in row[1:]))
    for head, *rows in tables(PAGES["enforcement.md"]) if head[0] == "promise" for row in rows
]


def there(name: str, modules: list[str]) -> bool:
    """Whether a name is a file of ours, a guard, or something that one of the modules named beside it has."""
    if "/" in name or name == "setup.cfg":
        return (ROOT / name).is_file()
    return name in GUARDS or any(hasattr(importlib.import_module(module), name) for module in modules)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.said[:50])
def test_every_name_beside_a_promise_exists(promise: Promise) -> None:
    modules = [name.removesuffix(".py").replace("/", ".") for name in promise.enforced if name.startswith("casework/")]
    assert promise.enforced and [name for name in promise.enforced if not there(name, modules)] == []
    assert [code for code in promise.checked if code not in FINDINGS] == []
    assert promise.proved and all(re.fullmatch(r"tests/test_\w+\.py", name) for name in promise.proved)
    assert [name for name in promise.proved if not (ROOT / name).is_file()] == []


def test_a_name_that_does_not_exist_would_be_noticed() -> None:
    assert not there("merchant_was_contactd", ["casework.domain.guards"])
    assert not there("casework/domain/guard.py", [])
    assert not there("who_may", ["casework.domain.grounds"])


def test_no_guard_and_no_finding_is_missing() -> None:
    assert {name for p in PROMISES for name in p.enforced} >= set(GUARDS)
    assert {code for p in PROMISES for code in p.checked} == set(FINDINGS)


def test_where_a_guard_keeps_a_promise_the_audit_asks_it_again() -> None:
    for promise in PROMISES:
        if set(promise.enforced) & set(GUARDS):
            assert "guard_refuses" in promise.checked, promise.said


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return replay(ROOT / "scenarios" / "juicer.yaml", lambda rows: sorted(f.code for f in audit_case(rows))).rows


def altered(row: Row, change: Any) -> Row:
    event = json.loads(row.payload)
    change(event)
    payload = json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert payload != row.payload
    return row._replace(payload=payload)


def test_what_the_page_says_the_audit_cannot_find_it_really_does_not_find(rows: list[Row]) -> None:
    assert audit_case(rows) == []
    assert audit_case(rows[:-1]) == [], "a lost tail"
    place = next(i for i, row in enumerate(rows) if "message" in json.loads(row.payload)["data"])
    for change in (lambda e: e["data"].update(message="别的话"), lambda e: e.update(command_id="another")):
        assert audit_case([*rows[:place], altered(rows[place], change), *rows[place + 1:]]) == []
