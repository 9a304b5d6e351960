"""Made-up cases: lawful, in the published proportions, the same for a seed; and the faults planted in them are what is found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from cli_helpers import casework
from harness.engines import connect, content, is_there, leaves, program

from casework.audit.codes import FINDINGS
from casework.simulation.blocks import BLOCK, Plan, block
from casework.simulation.faults import KINDS, of_family
from casework.simulation.stories import GOODS, NATURES, given, walked
from casework.simulation.telling import NOBODY, Tale
from casework.simulation.walk import Names
from casework.store.store import stored
from casework.store.stored import to_row

pytestmark = pytest.mark.stores

DAYS = [datetime(2025, 1, 1, 4, tzinfo=UTC) + timedelta(days=n) for n in range(365)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def simulated(*more: str, cases: int = 300, seed: int = 1, store: str = "a.db") -> dict[str, object]:
    found: dict[str, object] = casework("simulate", "--cases", str(cases), "--seed", str(seed), "--store", store, "--json",
                                        *more).document()
    return found


def test_made_up_cases_are_lawful_and_so_is_the_store_that_holds_them() -> None:
    simulated(cases=250)
    found = casework("audit", "--store", "a.db", "--json").document()
    assert (found["summary"]["cases"], found["findings"]) == (250, [])
    assert Counter(note["code"] for note in found.get("notes", [])) == Counter()


@pytest.mark.file
def test_the_audit_finds_exactly_the_faults_that_were_planted_of_more_than_two_dozen_kinds() -> None:
    simulated("--unlawful", "24", "--late", "3", "--tampered", "18", "--faults", "faults.jsonl", cases=300)
    planted = [json.loads(line) for line in Path("faults.jsonl").read_text("utf-8").splitlines()]
    found = casework("audit", "--store", "a.db", "--json").document(status=1)["findings"]

    due = Counter((p["case"], f["version"], f["code"]) for p in planted for f in p["findings"])
    assert Counter((f["case"], f["version"], f["code"]) for f in found) == due
    assert {p["kind"] for p in planted} == {*KINDS, "decided_late"} and len(KINDS) >= 24
    assert all(p["codes"] == sorted({f["code"] for f in p["findings"]}) and p["codes"][0] in FINDINGS for p in planted)


@pytest.mark.file
def test_every_kind_of_fault_says_what_it_is_and_makes_findings_that_there_are() -> None:
    assert all(kind.make.__doc__ for kind in KINDS.values())
    assert len(of_family("unlawful")) >= 12 and len(of_family("tampered")) >= 8


@pytest.mark.file
@pytest.mark.parametrize("seed", range(12))
def test_a_walk_told_of_others_at_another_time_is_byte_for_byte_what_deciding_it_anew_makes(seed: int) -> None:
    for number in range(6):
        random = Random(f"{seed} {number}")
        walk = walked(random, NOBODY, random.choice(DAYS))
        tale = Tale.of(walk)
        assert tale.stretch > 0
        for later in (0, tale.stretch, random.randrange(tale.stretch)):
            names = Names(f"SIM-{number}", f"T{later}", f"C{seed}", f"M{number}-{later}")
            decided = [to_row(stored(event)) for event in walk.again(names, timedelta(seconds=later)).events]
            assert tale.told(names, later) == decided


@pytest.mark.file
def test_no_story_asks_for_what_the_rules_refuse() -> None:
    for number in range(250):
        random = Random(number)
        walked(random, NOBODY, random.choice(DAYS), late=number % 10 == 0)


def test_the_same_seed_makes_the_same_bytes_in_any_number_of_processes_and_another_seed_others() -> None:
    simulated("--walks", "60", cases=BLOCK + 200)
    simulated("--walks", "60", "--jobs", "2", cases=BLOCK + 200, store="b.db")
    assert content("a.db") == content("b.db")
    assert block(Plan(40, 1), 0).rows == block(Plan(40, 1), 0).rows
    assert [row[1:] for row in block(Plan(40, 1), 0).rows] != [row[1:] for row in block(Plan(40, 2), 0).rows]


@pytest.mark.file
def test_what_is_complained_of_has_the_published_shares() -> None:
    assert abs(sum(share for share, _ in NATURES.values()) - 100) < 0.02
    assert sum(part for part, *_ in GOODS.values()) == 100
    random, drawn = Random(5), 4000
    grounds = Counter(given(random, DAYS[9]).ground for _ in range(drawn))
    for share, parts in NATURES.values():
        if share > 5:
            own = sum(grounds[ground] for ground in parts)
            others = sum(other * parts_[g] / sum(parts_.values()) for other, parts_ in NATURES.values() if parts_ is not parts
                         for g in parts_ if g in parts)
            assert abs(100 * own / drawn - share - others) < 2.5, parts


@pytest.mark.file
def test_about_as_many_are_resolved_as_the_published_rate_says() -> None:
    states = Counter(block(Plan(700, 11), 0).states)
    assert 0.63 < states["resolved"] / 700 < 0.74
    assert len(states) >= 10


def test_cases_are_opened_on_the_days_asked_for() -> None:
    simulated("--from", "2024-03-01", "--to", "2024-03-03", cases=60)
    with connect("a.db") as db:
        times = db.execute("SELECT at FROM stored_events WHERE originator_version = 1"
                           " AND substr(originator_id, 1, 3) = 'SIM'").fetchall()
    days = {datetime.fromtimestamp((at + 8 * 3600 * 10**6) / 10**6, UTC).date() for (at,) in times}
    assert days == {date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 3)}


def test_made_up_cases_go_on_like_any_other() -> None:
    simulated(cases=60)
    ticked = casework("tick", "--store", "a.db", "--json").document()
    assert ticked["done"] and not ticked["errors"]
    assert casework("audit", "--store", "a.db", "--json").document()["findings"] == []


def test_a_run_killed_in_the_middle_goes_on_when_it_is_given_again_and_ends_as_one_that_was_not(engine: str) -> None:
    words = ["simulate", "--cases", str(5 * BLOCK), "--seed", "4", "--walks", "50", "--unlawful", "6"]
    words += ["--tampered", "6"] if engine == "sqlite" else []  # only a file is altered past casework
    killed = subprocess.Popen([*program(), *words, "--store", "a.db"], env=os.environ,
                              stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and not leaves("a.db"):
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    begun = leaves("a.db")
    assert begun > 0

    there = casework(*words, "--store", "a.db", "--json").document()
    whole = casework(*words, "--store", "b.db", "--json").document()
    assert there["there"] in range(BLOCK, 5 * BLOCK + 1, BLOCK) and there["there"] + there["cases"] == 5 * BLOCK
    assert sorted(there["planted"], key=str) == sorted(whole["planted"], key=str)
    assert content("a.db") == content("b.db")
    assert casework(*words, "--store", "b.db", "--json").document()["cases"] == 0
    assert content("a.db") == content("b.db")


def test_a_store_with_other_cases_is_left_alone_unless_that_is_asked_for() -> None:
    casework("replay", str(Path(__file__).parent.parent / "scenarios" / "juicer.yaml"), "--store", "a.db")
    before = content("a.db")
    refused = casework("simulate", "--cases", "5", "--seed", "1", "--store", "a.db")
    assert refused.status == 1 and "'juicer'" in refused.err and "--add" in refused.err
    assert content("a.db") == before
    simulated("--add", cases=5)
    assert len(content("a.db")) > len(before)
    assert casework("audit", "--store", "a.db").status == 0


def test_a_run_of_another_plan_is_told_from_the_same_one_broken_off() -> None:
    simulated(cases=30)
    other = casework("simulate", "--cases", "30", "--seed", "1", "--store", "a.db", "--from", "2025-06-01")
    assert other.status == 1 and "is not as this command makes it up" in other.err
    another = casework("simulate", "--cases", "30", "--seed", "2", "--store", "a.db")
    assert another.status == 1 and "SIM1-" in another.err


def test_the_store_has_to_be_named_so_that_no_real_one_is_taken_by_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_STORE", "real.db")
    casework("simulate", "--cases", "5", "--seed", "1").fails("--store")
    assert not is_there("real.db")


@pytest.mark.parametrize(("more", "word"), [
    (("--from", "2025-02-01", "--to", "2025-01-01"), "--to"), (("--from", "soon"), "--from"),
    (("--unlawful", "4", "--late", "4"), "--cases"), (("--faults", "here.jsonl"), "here.jsonl"),
])
def test_what_cannot_be_made_up_is_said_in_a_line_before_anything_is_written(more: tuple[str, ...], word: str) -> None:
    Path("here.jsonl").write_text("mine")
    casework("simulate", "--cases", "5", "--seed", "1", "--store", "a.db", *more).fails(word)
    assert not is_there("a.db") and Path("here.jsonl").read_text() == "mine"


@pytest.mark.file
def test_only_a_file_can_be_tampered_with() -> None:
    casework("simulate", "--cases", "5", "--seed", "1", "--store", ":memory:", "--tampered", "1").fails("--tampered")


def test_people_are_told_how_many_and_in_which_states_in_both_languages() -> None:
    told = casework("simulate", "--cases", "20", "--seed", "1", "--store", "a.db").ok()
    assert told.out.startswith("SIM1-00000000 … SIM1-00000019: 20 cases, ") and "\n  resolved  " in told.out
    again = casework("simulate", "--cases", "20", "--seed", "1", "--store", "a.db", "--late", "0", lang="zh").ok()
    assert "此前已有 20 件" in again.out
