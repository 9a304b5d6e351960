"""``casework merchant``, and ``do``, ``options``, ``history``, ``list`` and ``audit`` where merchants' streams are about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness.engines import connect, image

from casework.cli.main import run

pytestmark = pytest.mark.stores

ROOT = Path(__file__).parent.parent
STORIES = [str(ROOT / "scenarios" / f"{name}.yaml") for name in ("merchant_counterfeit_twice", "merchant_blacklisted", "juicer")]


@pytest.fixture
def store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = str(tmp_path / "t.db")
    assert run(["replay", *STORIES, "-q", "--store", path]) == 0
    capsys.readouterr()
    return path


class Said:
    def __init__(self, capsys: pytest.CaptureFixture[str], store: str) -> None:
        self._capsys, self._store = capsys, store

    def __call__(self, *words: str, status: int = 0) -> str:
        assert run([*words, "--store", self._store]) == status
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return said.out or said.err

    def document(self, *words: str, status: int = 0) -> Any:
        return json.loads(self(*words, "--json", status=status))


@pytest.fixture
def casework(capsys: pytest.CaptureFixture[str], store: str) -> Said:
    return Said(capsys, store)


def test_a_merchant_is_shown_with_all_that_his_cases_came_to(casework: Said) -> None:
    view = casework.document("merchant", "M-51")
    assert set(view) == {"merchant", "status", "version", "points", "clearing", "measures", "penalties", "appeals", "unpublished",
                         "published_late", "advances", "readmitted", "unreadable", "scorecard"}
    assert view["points"]["counterfeit"]["certainty"] == "C"
    assert view["scorecard"]["formula"].startswith("score = ")
    assert casework.document("merchant", "merchant:M-51") == view


@pytest.mark.parametrize(("lang", "words"), [("en", ("standing", "selling counterfeits (C)", "[unverified]", "too few cases",
                                                     "not published, was due", "30")),
                                             ("zh", ("状态", "出售假冒商品（C）", "[未经核实]", "案件太少", "逾期未公示", "30"))])
def test_people_read_it_in_their_language(casework: Said, lang: str, words: tuple[str, ...]) -> None:
    out = casework("merchant", "M-51", "--lang", lang)
    assert all(word in out for word in words), out


def test_as_of_a_time_less_was_recorded(casework: Said) -> None:
    view = casework.document("merchant", "M-51", "--as-of", "2026-03-10T00:00:00+08:00")
    assert view["points"]["counterfeit"]["points"] == 12
    assert view["status"] == "restricted"
    assert view["advances"] == []


def test_a_merchant_of_whom_only_cases_are_known_stands_well_and_an_unknown_one_is_an_error(casework: Said) -> None:
    assert casework.document("merchant", "M-1")["status"] == "good"
    assert casework("merchant", "M-404", status=2) == (
        "casework: no merchant 'M-404' in the store; see the cases with: casework list\n")


def test_do_carries_a_merchant_on_or_gives_every_reason(casework: Said) -> None:
    refusal = casework.document("do", "merchant:M-53", "readmit", "--by", "supervisor", "-d", "explanation=x", status=1)
    assert [r["code"] for r in refusal["refused"]] == ["blacklisted", "closed_for_good"]
    assert refusal["state"] == "blacklisted"
    assert refusal["permitted"]["yours"] == ["publish"]
    out = casework("do", "merchant:M-53", "publish", "--by", "agent", "-d", "penalty=merchant_blacklisted/11.1",
                   "-d", "offence=售假", "--lang", "zh")
    assert out == "merchant:M-53  v3  publish → 已列入黑名单\n"
    out = casework("do", "merchant:M-53", "readmit", "--by", "agent", "--lang", "en", status=1)
    assert "readmit is refused (merchant:M-53):" in out


def test_options_and_history_take_a_merchant_and_show_sends_to_where_he_is_shown(casework: Said) -> None:
    triggers = {t["trigger"]: t["allowed"] for t in casework.document("options", "merchant:M-53")["triggers"]}
    assert triggers == {"appeal": False, "decide_appeal": False, "publish": True, "readmit": False, "repay_advance": False}
    assert casework.document("options", "merchant:M-53", "--by", "merchant")["triggers"][2]["allowed"] is False
    assert "publish" in casework("options", "merchant:M-53", "--lang", "zh")
    events = casework.document("history", "merchant:M-53")["events"]
    assert [e["event"].rpartition(".")[2] for e in events] == ["penalty_imposed", "penalty_imposed"]
    assert casework("history", "merchant:M-51")
    for words in (("show",), ("call-sheet",)):
        assert casework(*words, "merchant:M-53", status=2).count("\n") == 1
    assert "casework merchant" in casework("show", "merchant:M-53", status=2)
    assert "--as-of" in casework("options", "merchant:M-53", "--version", "1", status=2)


def test_list_shows_cases_only_and_the_audit_counts_merchants_apart(casework: Said) -> None:
    assert len(casework.document("list")["cases"]) == 3
    assert casework.document("audit")["summary"] | {"cases": 3, "merchants": 2, "findings": 0} == (
        casework.document("audit")["summary"])
    assert "merchants: 2, " in casework("audit", "--lang", "en")
    assert "商家 2，" in casework("audit", "--lang", "zh")
    assert casework("audit", "merchant:M-53")


def test_a_case_that_cannot_be_read_is_named_and_the_rest_is_shown(casework: Said, store: str) -> None:
    with connect(store) as tables:
        tables.execute("UPDATE stored_events SET state = x'7b' WHERE originator_id = 'juicer' AND originator_version = 1")
    view = casework.document("merchant", "M-51", status=1)
    assert view["unreadable"] == ["juicer"]
    assert view["scorecard"]["cases"] == 1


def test_recording_the_stories_again_changes_nothing(casework: Said, store: str) -> None:
    before = image(store)
    casework("replay", *STORIES, "-q")
    assert image(store) == before


def test_bad_input_is_one_line_with_its_remedy(casework: Said) -> None:
    for words, hint in ((("do", "merchant:M-53", "apeal", "--by", "merchant"), "one of: appeal"),
                        (("do", "juicer", "appeal", "--by", "merchant"), "merchant:ID"),
                        (("do", "merchant:M-53", "appeal", "--by", "merchant", "-d", "penalty=1"), "K-1/12.1"),
                        (("merchant", "M-53", "--as-of", "yesterday"), "--as-of")):
        out = casework(*words, "--lang", "en", status=2)
        assert hint in out and out.count("\n") == 1, out


@pytest.mark.parametrize("command", ["options", "history", "show", "why", "what-if", "burden", "audit"])
def test_of_a_merchant_of_whom_nothing_is_recorded_it_is_said_in_his_own_words(command: str, casework: Said) -> None:
    english = casework(command, "merchant:M-1", "--lang", "en", status=2)
    assert english.startswith("casework: nothing is recorded of merchant 'M-1' himself") and english.count("\n") == 1
    assert "casework merchant M-1" in english and "no case" not in english
    assert "商家“M-1”本身没有记录" in casework(command, "merchant:M-1", "--lang", "zh", status=2)
    assert "M-1" in casework("merchant", "M-1")
