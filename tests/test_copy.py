"""A store copied into another: the same bytes, leaves and roots, also after a kill; anything else is told and never mixed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_helpers import SCENARIOS, casework
from harness.engines import connect, content, is_there, leaves, program

from casework.store import copying
from casework.store.opening import open_reader, open_store

pytestmark = pytest.mark.stores


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    casework("simulate", "--cases", "120", "--seed", "3", "--walks", "12", "--store", "from.db").ok()
    casework("replay", str(SCENARIOS / "juicer.yaml"), str(SCENARIOS / "six_steps.yaml"), "--quiet", "--store", "from.db")
    casework("do", "juicer", "give_feedback", "--by", "consumer", "-d", "score=4", "--store", "from.db").ok()


def test_a_store_is_not_copied_onto_itself_nor_by_an_option(tmp_path: Path) -> None:
    made = str(tmp_path / "a.db")
    casework("simulate", "--cases", "3", "--seed", "1", "--store", made).ok()
    casework("copy", made, f"sqlite:///{made}").fails("TO", "the store that FROM is")
    casework("copy", made, str(tmp_path / "b.db"), "--store", made).fails("--store", "FROM and TO")
    assert not is_there(tmp_path / "b.db")
    casework("backup", "postgresql://u:s3cret@h/d", "--store", made).fails("TO", "one file")


def test_a_copy_has_the_same_bytes_leaves_nodes_and_duties_and_is_signed_under_a_name_of_its_own() -> None:
    done = casework("copy", "from.db", "to.db", "--json").document()
    assert content("from.db") == content("to.db")
    with open_reader("to.db") as reader:
        assert (done["there"], done["added"], done["events"]) == (0, done["commits"], len(list(reader.rows())))
    one, other = (casework("checkpoint", "--store", path).ok().out.splitlines() for path in ("from.db", "to.db"))
    assert one[1:3] == other[1:3] and one[0] != other[0] == done["origin"]
    audit = casework("audit", "--store", "to.db", "--json").document()
    assert audit["findings"] == [] and audit["summary"]["cases"] == 122


def test_a_receipt_of_the_store_still_holds_and_the_copy_gives_one_with_the_same_proof() -> None:
    casework("copy", "from.db", "to.db").ok()
    proofs = []
    for path in ("from.db", "to.db"):
        casework("receipt", "juicer", "--store", path, "--out", f"{path}.proof").ok()
        origin = casework("checkpoint", "--store", path).ok().out.splitlines()[0]
        key = Path("state/casework", origin, "keys").read_text("utf-8").splitlines()[2]
        casework("verify", f"{path}.proof", "--key", key).ok()
        proofs.append(Path(f"{path}.proof").read_text("utf-8").split("\n\n")[0])
    assert proofs[0] == proofs[1]


def test_copied_again_only_what_came_since_is_added() -> None:
    first = casework("copy", "from.db", "to.db", "--json").document()
    casework("do", "juicer", "give_feedback", "--by", "consumer", "-d", "score=5", "--store", "from.db").ok()
    again = casework("copy", "from.db", "to.db", "--json").document()
    assert (again["there"], again["added"], again["events"]) == (first["commits"], 1, 1)
    assert content("from.db") == content("to.db")
    assert casework("copy", "from.db", "to.db", "--json").document()["added"] == 0


def test_a_copy_goes_on_as_a_store_and_is_then_no_copy_any_more() -> None:
    casework("copy", "from.db", "to.db").ok()
    casework("do", "juicer", "give_feedback", "--by", "consumer", "-d", "score=5", "--store", "to.db").ok()
    assert casework("audit", "--store", "to.db").status == 0
    told = casework("copy", "from.db", "to.db")
    assert told.status == 1 and "holds something else" in told.err


def test_a_copy_killed_in_the_middle_goes_on_and_is_the_same_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    casework("simulate", "--cases", "6000", "--seed", "4", "--walks", "6", "--store", "large.db").ok()
    killed = subprocess.Popen([*program(), "copy", "large.db", "to.db"], env=os.environ,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and not leaves("to.db"):
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    there = leaves("to.db")
    assert there > 0

    done = casework("copy", "large.db", "to.db", "--json").document()
    assert done["there"] >= there and done["there"] + done["added"] == done["commits"] == leaves("large.db")
    assert content("large.db") == content("to.db")
    assert casework("audit", "--store", "to.db", "--jobs", "1", "--select", "ledger").status == 0


@pytest.mark.parametrize("alter", [
    "UPDATE stored_events SET state = x'7b7d' WHERE originator_id = 'juicer' AND originator_version = 2",
    "DELETE FROM stored_events WHERE originator_id = 'juicer' AND originator_version = 3",
    "UPDATE ledger_leaves SET leaf = zeroblob(32) WHERE originator_id = 'juicer'",
    "INSERT INTO stored_events SELECT 'K-9', 1, topic, state, trigger_name, from_state, to_state, at, recorded_at "
    "FROM stored_events WHERE originator_id = 'juicer' AND originator_version = 1",
])
def test_what_its_own_ledger_contradicts_is_not_copied(alter: str) -> None:
    with connect("from.db") as db:
        db.execute(alter)
    told = casework("copy", "from.db", "to.db")
    assert told.status == 1 and told.out == ""
    told.says("is not what its ledger says", "casework audit")


def test_a_copy_that_was_altered_is_not_taken_for_one() -> None:
    casework("copy", "from.db", "to.db").ok()
    with connect("to.db") as db:
        db.execute("UPDATE stored_events SET at = at - 1, recorded_at = recorded_at - 1 WHERE originator_id = 'juicer'")
    told = casework("copy", "from.db", "to.db")
    assert told.status == 1 and "is not what its ledger says" in told.err and "to.db" in told.err


def test_a_store_that_holds_something_else_is_left_alone() -> None:
    casework("replay", str(SCENARIOS / "late_shipment.yaml"), "--quiet", "--store", "to.db")
    before = content("to.db")
    told = casework("copy", "from.db", "to.db")
    assert told.status == 1 and "name a new store" in told.err and content("to.db") == before


@pytest.mark.file
def test_a_store_without_a_ledger_says_how_to_begin_one() -> None:
    with connect("from.db") as db:
        db.execute("PRAGMA user_version = 1")
    casework("copy", "from.db", "to.db").fails("--renew-ledger")


@pytest.mark.parametrize(("source", "target", "word"), [("none.db", "to.db", "none.db"), ("from.db", ":memory:", "TO"),
                                                        ("from.db", "no/such/to.db", "no/such/to.db")])
def test_what_cannot_be_copied_is_said_in_a_line(source: str, target: str, word: str) -> None:
    casework("copy", source, target).fails(word)


def test_pages_of_one_leaf_copy_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a page ends makes no difference, also for a stream whose leaves lie in several pages."""
    monkeypatch.setattr(copying, "PAGE", 1)
    told: list[int] = []
    with open_reader("from.db") as reader, open_store("to.db", create=True) as store:
        done = copying.copy(reader, store, told.append)
    assert content("from.db") == content("to.db") and sum(told) == 2 * done.head.size


def test_people_are_told_the_root_in_both_languages() -> None:
    assert "(root " in casework("copy", "from.db", "to.db").ok().out
    assert "次提交（树根 " in casework("copy", "from.db", "to.db", lang="zh").ok().out
    assert "没有库外日志" in casework("copy", "from.db", "bare.db", "--journal", "none", lang="zh").ok().out


def test_a_refusal_in_the_middle_says_that_what_is_there_is_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PAGE", 40)
    with connect("from.db") as db:
        db.execute("UPDATE stored_events SET state = x'7b7d' WHERE originator_id = 'juicer' AND originator_version = 2")
    for lang, words in (("en", "holds now is no copy of FROM"), ("zh", "现有的内容不是来源的副本")):
        for _ in range(2):  # tried again, it says so again
            told = casework("copy", "from.db", f"{lang}.db", lang=lang)
            assert told.status == 1 and words in told.err and told.err.count("\n") == 1
            assert 0 < leaves(f"{lang}.db") < leaves("from.db")


def test_where_there_is_nothing_to_hold_a_copy_against_none_is_begun() -> None:
    with connect("from.db") as db:
        db.execute("DELETE FROM stored_events WHERE originator_id = 'juicer' AND originator_version = 3")
    told = casework("copy", "from.db", "to.db")
    assert told.status == 1 and "in its ledger" in told.err and "no copy of FROM" not in told.err
    assert not is_there("to.db")
