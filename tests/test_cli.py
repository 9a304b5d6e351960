"""The command line as strangers meet it: the fixed contract, both languages, and everything that can be said wrongly."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from cli_helpers import (
    CHINESE,
    GIVEN,
    LIFE,
    ROOT,
    SCENARIOS,
    TIME,
    Ran,
    alter,
    carry,
    casework,
    given_case,
    pairs,
    process,
    rows,
    written,
)
from harness.engines import image, is_there
from hypothesis import given, settings
from hypothesis import strategies as st

from casework import __version__
from casework.audit.codes import FAMILIES, FINDINGS
from casework.cli.main import COMMANDS, SUMMARIES
from casework.cli.main import casework as group
from casework.domain.lifecycle import STAGE_OF, TRIGGERS
from casework.domain.reasons import REASONS
from casework.domain.vocabulary import VOCABULARY

pytestmark = pytest.mark.stores

IN_A_LIST = {"case", "state", "stage", "ground", "merchant", "version", "updated_at", "overdue"}
IN_A_CASE = IN_A_LIST | {"order", "parties", "evidence", "offers", "rulings", "remedy", "penalties", "duties", "referrals"}
OURS_IN_A_CASE = {"assigned", "claim", "excuses", "proofs", "performed", "goods", "advance", "tip_offs", "calls",
                  "publicity", "feedback", "missed", "suspension", "opened_at", "closed_at"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own, and an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("CASEWORK_STORE", "CASEWORK_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_list_has_the_keys_of_the_contract_and_no_others() -> None:
    given_case(steps=1)
    document = casework("list", "--json").document()
    assert list(document) == ["cases"]
    assert set(document["cases"][0]) == IN_A_LIST


def test_show_has_the_keys_of_the_contract_and_ours() -> None:
    given_case(steps=len(LIFE))
    document = casework("show", "K-1", "--json").document()
    assert set(document) == IN_A_CASE | OURS_IN_A_CASE
    assert (document["remedy"]["kind"], document["remedy"]["amount"]) == ("return_refund", "899.00")
    assert [p["kind"] for p in document["penalties"]] == ["warning", "point_deduction"]
    assert document["state"] == "resolved"


def test_options_say_of_every_trigger_what_the_contract_lists() -> None:
    given_case(steps=5)
    document = casework("options", "K-1", "--json").document()
    assert list(document) == ["case", "state", "triggers"]
    for trigger in document["triggers"]:
        assert set(trigger) == {"trigger", "allowed", "roles", "to", "reasons", "missing", "until"}
        assert trigger["allowed"] == (not trigger["reasons"])
        for reason in trigger["reasons"]:
            assert set(reason) == {"code", "zh", "en", "clause"}
            assert reason["code"] in REASONS
    names = [t["trigger"] for t in document["triggers"]]
    assert len(names) == len(set(names))
    assert {t.name for t in TRIGGERS} <= set(names)


def test_the_options_of_a_role_are_what_that_role_may_do() -> None:
    given_case(steps=1)
    allowed = {t["trigger"] for t in casework("options", "K-1", "--by", "merchant", "--json").document()["triggers"]
               if t["allowed"]}
    assert {"make_offer", "refuse_claim"} <= allowed
    assert "withdraw" not in allowed


def test_audit_has_findings_and_a_summary() -> None:
    given_case(steps=2)
    assert casework("audit", "--json").document()["findings"] == []
    alter("UPDATE stored_events SET to_state = 'ruled' WHERE originator_version = 2")
    document = casework("audit", "--json").document(status=1)
    assert list(document) == ["findings", "notes", "acknowledged", "summary"]
    assert [list(f) for f in document["findings"]] == [
        ["code", "case", "version", "what", "why", "family", "severity", "clause"]] * len(document["findings"])
    assert ("column_mismatch", "K-1", 2) in {(f["code"], f["case"], f["version"]) for f in document["findings"]}
    assert document["summary"]["findings"] == len(document["findings"])
    [line, summary, only, scope] = casework("audit", "K-1", "--select", "column_mismatch").out.splitlines()
    assert line.startswith("column_mismatch  K-1  v2  ")
    assert "1" in summary
    assert only.endswith("takes an audit of the whole store: casework audit")
    assert scope == "only the cases K-1; only column_mismatch"
    assert len(casework("audit", "--select", "column_mismatch").out.splitlines()) == 3
    for named, whole in (((), True), (("K-1",), False)):
        assert casework("audit", *named, "--json").document(status=1)["summary"]["whole"] is whole


def test_audit_selects_and_ignores_codes() -> None:
    given_case(steps=2)
    alter("UPDATE stored_events SET to_state = 'ruled' WHERE originator_version = 2")
    assert casework("audit", "--ignore", "column_mismatch,ledger").status == 0
    assert "leaf_differs" in casework("audit", "--ignore", "column_mismatch").out
    assert casework("audit", "--select", "version_gap").status == 0
    assert casework("audit", "--select", "column_mismatch,version_gap").status == 1
    casework("audit", "--select", "colum").fails("--select", "unknown finding 'colum'")


def test_a_refusal_is_one_document_with_every_reason_and_what_is_permitted_instead() -> None:
    given_case(steps=1)
    document = casework("do", "K-1", "rule", "--by", "merchant", "--json").document(status=1)
    assert set(document) == {"case", "trigger", "state", "refused", "permitted"}
    assert [r["code"] for r in document["refused"]] == ["not_in_this_state", "role_not_allowed"]
    assert {"code", "zh", "en", "clause", "missing"} == set(document["refused"][0])
    assert {"make_offer", "refuse_claim"} <= set(document["permitted"]["yours"])
    assert "withdraw" in document["permitted"]["others"]


def test_history_list_and_audit_print_a_json_document_a_line() -> None:
    given_case("K-1", steps=2)
    given_case("K-2")
    events = casework("history", "K-1", "--jsonl").documents()
    assert [e["version"] for e in events] == [1, 2, 3]
    assert events == casework("history", "K-1", "--json").document()["events"]
    assert [c["case"] for c in casework("list", "--jsonl").documents()] == ["K-1", "K-2"]
    alter("UPDATE stored_events SET to_state = 'ruled' WHERE originator_version = 2")
    assert {f["code"] for f in casework("audit", "--jsonl").documents(status=1)} >= {"column_mismatch"}


@pytest.mark.parametrize("command", [
    ("init",), ("list",), ("show", "K-1"), ("history", "K-1"), ("options", "K-1"), ("audit",), ("lifecycle",),
    ("explain", "rule"), ("completion", "bash"), ("replay", str(SCENARIOS / "instant_refund.yaml")),
    ("do", "K-1", "add_evidence", "--by", "consumer", "-d", "kind=fault_photo", "-d", "description=x"),
    ("open", "--by", "consumer", *pairs(GIVEN)),
], ids=lambda c: str(c[0]))
def test_every_command_answers_with_one_json_document_in_any_language(command: tuple[str, ...]) -> None:
    given_case(steps=3)
    assert isinstance(casework(*command, "--json", lang="zh").document(), dict)


@pytest.mark.parametrize(("zone", "offset"), [(None, "+08:00"), ("UTC", "+00:00"), ("Asia/Tokyo", "+09:00")])
@pytest.mark.parametrize("command", ["show", "history", "list", "options"])
def test_times_are_shown_in_shanghai_unless_another_zone_is_asked_for(
    command: str, zone: str | None, offset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.cli.carry.now", lambda: datetime(2026, 4, 3, tzinfo=UTC))
    given_case(steps=5)
    asked = [command, *(["K-1"] if command != "list" else []), *(["--tz", zone] if zone else [])]
    for ran in (casework(*asked), casework(*asked, "--json")):
        times = list(TIME.finditer(ran.ok().out))
        assert times or command == "options"
        assert {t[1] for t in times if not t[0].startswith(("2026-03-01", "2026-03-04"))} <= {offset}
        assert not {t[1] for t in times} & {None, "Z"}


# --- stores ----------------------------------------------------------------------------------------------------------


@pytest.mark.file
def test_a_store_is_named_by_url_path_or_environment_and_is_casework_db_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_case("K-relative", store="sqlite:///a.db")
    given_case("K-absolute", store=f"sqlite:////{tmp_path.as_posix().lstrip('/')}/b.db")
    given_case("K-bare", store="c.db")
    given_case("K-default")
    assert [p.name for p in sorted(tmp_path.glob("*.db"))] == ["a.db", "b.db", "c.db", "casework.db"]
    assert "K-default" in casework("list").ok().out
    monkeypatch.setenv("CASEWORK_STORE", "sqlite:///b.db")
    assert "K-absolute" in casework("list").ok().out
    assert "K-bare" in casework("list", "--store", "c.db").ok().out


@pytest.mark.parametrize("command", [
    ("list",), ("show", "K"), ("history", "K"), ("options", "K"), ("audit",), ("audit", "K"),
    ("do", "K", "rule", "--by", "agent"),
], ids=lambda c: str(c[0]))
def test_a_missing_store_is_not_made_but_by_open_and_init(command: tuple[str, ...], tmp_path: Path) -> None:
    casework(*command, "--store", "x.db").fails("no store at x.db", "casework init")
    casework(*command, "--store", "x.db", lang="zh").fails("x.db")
    assert not list(tmp_path.iterdir())


def test_init_makes_an_empty_store_and_leaves_one_that_is_there() -> None:
    casework("init").ok()
    assert casework("list", "--json").document() == {"cases": []}
    given_case()
    casework("init").ok()
    assert len(rows()) == 1


@pytest.mark.file
def test_init_is_told_of_one_store(tmp_path: Path) -> None:
    casework("init", "a.db", "--store", "b.db").fails("--store", "give one")
    casework("init", "a.db", "--store", "b.db", lang="zh").fails("只给出其一")
    assert not list(tmp_path.iterdir())


@pytest.mark.file
@pytest.mark.parametrize(("store", "word"), [
    ("text", "not an SQLite database"), ("empty", "empty file"), ("folder", "is a directory"), ("no/such/t.db", "folder"),
    ("", "no name"), ("sqlite://t.db", "three slashes"), ("mysql://u:secret@h/d", "mysql:"),
    ("postgresql://u:secret@h", "PostgreSQL"),
    ("a" * 300, "too long"), ("other.db", "casework store"),
])
def test_what_is_no_store_is_said_in_one_line(store: str, word: str, tmp_path: Path) -> None:
    Path("text").write_text("hello")
    Path("empty").touch()
    Path("folder").mkdir()
    with contextlib.closing(sqlite3.connect("other.db")) as other, other:
        other.execute("CREATE TABLE t (x)")
    for command in (["list"], ["open", "K-1", "--by", "consumer", *pairs(GIVEN)]):
        ran = casework(*command, "--store", store)
        if (store, command[0]) == ("empty", "open"):
            assert ran.ok().out == "K-1\n"
        elif (store, command[0]) != ("no/such/t.db", "list"):
            ran.fails(word)
        assert "secret" not in ran.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_said() -> None:
    Path("locked").mkdir(mode=0o555)
    casework("init", "--store", "locked/t.db").fails("locked/t.db")


# --- open and do -----------------------------------------------------------------------------------------------------


def test_open_prints_the_id_and_takes_the_fields_of_a_scenarios_given_from_a_file_or_one_by_one() -> None:
    written(json.dumps(GIVEN), "given.json")
    assert casework("open", "K-1", "--by", "consumer", *pairs(GIVEN)).ok().out == "K-1\n"
    assert casework("open", "K-2", "--by", "consumer", "--data", "given.json").ok().out == "K-2\n"
    made = casework("open", "--by", "consumer", "--data", "given.json").ok().out.strip()
    views = [casework("show", case, "--version", "1", "--json").document() for case in ("K-1", "K-2", made)]
    assert len({json.dumps(v["order"] | v["parties"] | {"ground": v["ground"]}) for v in views}) == 1


def test_the_fields_of_a_file_and_those_given_one_by_one_are_taken_together() -> None:
    rest = {"consumer": GIVEN["consumer"], "ground": GIVEN["ground"], "order": {"id": "ORD-9"}}
    order = {k: v for k, v in GIVEN["order"].items() if k != "id"}  # type: ignore[attr-defined]
    written(json.dumps({"order": order}), "order.json")
    casework("open", "K-1", "--by", "consumer", "--data", "order.json", *pairs(rest)).ok()
    assert casework("show", "K-1", "--json").document()["order"]["id"] == "ORD-9"
    casework("open", "K-2", "--by", "consumer", "--data", "order.json", "-d", "order.item=x").fails("order.item", "twice")


@pytest.mark.file
def test_what_cannot_open_a_case_makes_no_store(tmp_path: Path) -> None:
    casework("open", "K-1", "--by", "consumer", "-d", "foo=1").fails("unknown field 'foo'", "consumer")
    casework("open", "K-1", "--by", "consmer", *pairs(GIVEN)).fails("--by", "did you mean 'consumer'")
    casework("open", "K 1", "--by", "consumer", *pairs(GIVEN)).fails("ID")
    casework("open", "K-1\n", "--by", "consumer", *pairs(GIVEN)).fails("ID")
    casework("open", "--command-id", "c-1", "--by", "consumer", *pairs(GIVEN)).fails("--command-id")
    assert not list(tmp_path.iterdir())


def test_opening_again_under_the_same_command_changes_nothing_and_another_case_under_the_id_is_refused() -> None:
    for repeated in (False, True):
        document = casework("open", "K-1", "--by", "consumer", "--command-id", "c-1", *pairs(GIVEN), "--json").document()
        receipt = document.pop("receipt")
        assert document == {"case": "K-1", "state": "discovered", "version": 1, "repeated": repeated}
        assert Path(receipt).read_bytes().startswith(b"c2sp.org/tlog-proof@v1\n")
    assert len(rows()) == 1
    ran = casework("open", "K-1", "--by", "consumer", *pairs(GIVEN))
    ran.says("'K-1'", "another id")
    assert (ran.status, len(rows())) == (1, 1)


def test_a_case_is_carried_from_discovery_to_its_end_and_the_audit_is_clean() -> None:
    given_case()
    for version, step in enumerate(LIFE, 2):
        assert carry("K-1", step).out.startswith(f"K-1  v{version}  {step[1]} → ")
    casework("audit").ok()
    assert "resolved" in casework("list").ok().out


def test_a_merchant_may_not_rule_his_own_case_and_nothing_is_recorded() -> None:
    given_case(steps=1)
    before = image("casework.db")
    ran = casework("do", "K-1", "rule", "--by", "merchant")
    assert (ran.status, ran.out) == (1, "")
    assert "[not_in_this_state]" in ran.err
    assert "[role_not_allowed]" in ran.err
    assert "[role_not_allowed] 商家不能做这一步" in casework("do", "K-1", "rule", "--by", "merchant", lang="zh").err
    assert image("casework.db") == before
    assert casework("show", "K-1", "--json").document()["version"] == 2


def test_a_retry_records_once_and_answers_the_same_version() -> None:
    given_case(steps=1)
    retry = ("do", "K-1", "add_evidence", "--by", "consumer", "--at", "2026-03-28T11:00:00+08:00", "-d", "kind=fault_video",
             "-d", "description=异响", "--command-id", "c-9")
    first = casework(*retry, "--json").document()
    carry("K-1", LIFE[1])
    second = casework(*retry, "--json").document()
    assert (first["version"], first["repeated"]) == (3, False)
    assert (second["version"], second["repeated"]) == (3, True)
    assert len(rows()) == 4


def test_a_command_id_that_was_used_for_another_command_is_refused() -> None:
    given_case(steps=1)
    casework("do", "K-1", "add_evidence", "--by", "consumer", "-d", "kind=fault_video", "-d", "description=x",
             "--command-id", "c-9").ok()
    for other in (("add_evidence", "-d", "kind=fault_photo", "-d", "description=x"), ("withdraw",)):
        document = casework("do", "K-1", *other, "--by", "consumer", "--command-id", "c-9", "--json").document(status=1)
        assert [r["code"] for r in document["refused"]] == ["command_id_reused"]
    assert len(rows()) == 3


@pytest.mark.parametrize(("said", "words"), [
    (("-d", "kind"), ("-d", "'kind' is not KEY=VALUE")),
    (("-d", "=x"), ("-d", "KEY=VALUE")),
    (("-d", "kind=a", "-d", "kind=b"), ("-d", "'kind' is given twice")),
    (("-d", "kind=a", "-d", "kind.x=b"), ("-d", "'kind.x' is given twice")),
    (("-d", "knd=fault_video", "-d", "description=x"), ("unknown field 'knd'", "did you mean 'kind'")),
    (("-d", "kind=fault_vdeo", "-d", "description=x"), ("kind", "did you mean 'fault_video'")),
    (("-d", "kind=fault_video"), ("'description' is required",)),
    (("-d", "kind=fault_video", "-d", "description="), ("description", "empty")),
    (("-d", "kind=fault_video", "-d", "description=x", "-d", "sha256=zz"), ("sha256", "64 digits")),
    (("-d", "kind=fault_video", "-d", "description=a\x1b[31mb"), ("description", "control character")),
    (("-d", "kind.x=fault_video", "-d", "description=x"), ("kind", "one text")),
    (("-d", "a." * 3000 + "a=1"), ("unknown field 'a'",)),
    (("--data", "nofile"), ("nofile", "no such file")),
    (("--data", "."), (".", "directory")),
    (("--data", "list.yaml"), ("list.yaml", "mapping")),
    (("--data", "bad.yaml"), ("bad.yaml:2", "unknown field 'descripton'", "did you mean 'description'")),
    (("--data", "term.yaml"), ("term.yaml:2", "did you mean 'fault_video'")),
    (("--data", "tag.yaml"), ("tag.yaml:1", "tag")),
])
def test_fields_that_cannot_be_used_are_said_with_their_place_and_remedy(
    said: tuple[str, ...], words: tuple[str, ...]
) -> None:
    given_case(steps=1)
    written("- a\n", "list.yaml")
    written("kind: fault_video\ndescripton: x\n", "bad.yaml")
    written("description: x\nkind: fault_vdeo\n", "term.yaml")
    written("kind: !!python/object:os.system x\n", "tag.yaml")
    before = rows()
    casework("do", "K-1", "add_evidence", "--by", "consumer", *said).fails(*words)
    assert CHINESE.search(casework("do", "K-1", "add_evidence", "--by", "consumer", *said, lang="zh").fails().err)
    assert rows() == before


@pytest.mark.parametrize(("trigger", "said", "words"), [
    ("give_feedback", {"score": "9"}, ("score", "<= 5")),
    ("give_feedback", {"score": "good"}, ("score", "whole number")),
    ("make_offer", {"remedy": "refund"}, ("remedy", "fields of its own")),
    ("make_offer", {"remedy": {"kind": "refund", "amount": "abc"}}, ("remedy.amount", "899.00")),
    ("make_offer", {"remedy": {"kind": "refund", "amount": "1.234"}}, ("remedy.amount", "two decimals")),
    ("make_offer", {"remedy": {"kind": "refund", "amount": "NaN"}}, ("remedy.amount", "899.00")),
    ("make_offer", {"remedy": {"kind": "refund", "amount": "1e99999"}}, ("remedy.amount", "899.00")),
    ("log_call", {"note": "x", "transferred": "maybe"}, ("transferred", "true or false")),
    ("log_call", {"note": "x", "promised_by": "tomorrow"}, ("promised_by", "with its offset")),
    ("log_call", {"note": "x", "promised_by": "9999-12-31T23:59:59-12:00"}, ("promised_by",)),
    ("assign", {"to": "me"}, ("to", "agent:A-1")),
    ("rule", {"outcome": "for_consumer", "findings": "x", "clause": "x", "penalties": ["warning"]},
     ("penalties.0", "fields of its own")),
    ("rulle", {}, ("unknown trigger 'rulle'", "did you mean 'rule'")),
])
def test_values_that_do_not_fit_are_said_in_words(trigger: str, said: dict[str, Any], words: tuple[str, ...]) -> None:
    given_case()
    for lang in ("en", "zh"):
        ran = casework("do", "K-1", trigger, "--by", "agent", *pairs(said), lang=lang)
        ran.fails(*(words if lang == "en" else ()))
        assert "Expected" not in ran.err
        assert bool(CHINESE.search(ran.err)) == (lang == "zh")


# --- read ------------------------------------------------------------------------------------------------------------


def test_list_filters_by_state_stage_merchant_ground_and_overdue() -> None:
    given_case("K-1", steps=1)  # asked, and nobody answers
    given_case("K-2", steps=5)  # filed, and nobody answers
    given_case("K-3", steps=len(LIFE))
    given_case("K-4", steps=0)  # within the limitation period

    def listed(*filters: str) -> list[str]:
        return [c["case"] for c in casework("list", "--json", *filters).document()["cases"]]

    assert listed() == ["K-1", "K-2", "K-3", "K-4"]
    assert listed("--state", "awaiting_merchant") == ["K-1"]
    assert listed("--stage", "closed") == ["K-3"]
    assert listed("--merchant", "M-3", "--ground", "malfunction") == ["K-1", "K-2", "K-3", "K-4"]
    assert listed("--merchant", "M-4") == []
    assert listed("--overdue") == ["K-1", "K-2"]
    casework("list", "--state", "rulled").fails("--state", "did you mean 'ruled'")
    casework("list", "--stage", "clsed", lang="zh").fails("--stage", "closed")
    casework("list", "--ground", "x").fails("--ground", "counterfeit")


@pytest.mark.parametrize("command", ["show", "history", "options", "audit"])
def test_an_unknown_case_is_said_with_where_to_look(command: str) -> None:
    given_case()
    casework(command, "K-9").fails("no case 'K-9'", "casework list")
    casework(command, "K-9", lang="zh").fails("没有案件", "casework list")
    casework(command, "\x1b[31m\u202eK").fails(r"\u001b[31m\u202eK")


@pytest.mark.parametrize(("asked", "words"), [
    (("--as-of", "yesterday"), ("--as-of", "with its offset")),
    (("--as-of", "2026-03-01"), ("--as-of", "with its offset")),
    (("--as-of", "0001-01-01T00:00:00+08:00"), ("--as-of",)),
    (("--as-of", "2001-01-01T00:00:00+08:00"), ("not recorded yet", "later")),
    (("--version", "9"), ("--version", "only 2 versions")),
    (("--version", "0"), ("--version", "x>=1")),
    (("--version", "1", "--as-of", "2026-04-01T00:00:00Z"), ("--as-of", "--version")),
    (("--tz", "Mars"), ("--tz", "unknown time zone 'Mars'")),
    (("--tz", "../../etc/passwd"), ("--tz",)),
])
def test_a_past_that_cannot_be_shown_is_said(asked: tuple[str, ...], words: tuple[str, ...]) -> None:
    given_case(steps=1)
    for command in ("show", "options"):
        casework(command, "K-1", *asked).fails(*words)
        assert CHINESE.search(casework(command, "K-1", *asked, lang="zh").fails().err)


def test_text_that_would_steer_a_terminal_is_stored_exactly_and_shown_escaped() -> None:
    given_case(steps=1)
    text = "假\u202e货\u0085\u009b31m\u200b\ufeff🎈"
    casework("do", "K-1", "add_evidence", "--by", "consumer", "-d", "kind=fault_photo", "-d", f"description={text}").ok()
    for command in (("show", "K-1"), ("history", "K-1"), ("show", "K-1", "--json"), ("history", "K-1", "--jsonl")):
        assert r"假\u202e货\u0085\u009b31m\u200b\ufeff🎈" in casework(*command).ok().out
    assert casework("show", "K-1", "--json").document()["evidence"][0]["description"] == text


def test_a_case_that_cannot_be_read_sends_to_the_audit_and_the_others_are_listed() -> None:
    given_case("K-1", steps=1)
    given_case("K-2")
    alter("UPDATE stored_events SET state = X'7B' WHERE originator_id = 'K-1' AND originator_version = 2")
    casework("show", "K-1").fails("K-1", "version 2", "casework audit")
    ran = casework("list", "--json")
    assert [c["case"] for c in ran.document(status=1)["cases"]] == ["K-2"]
    ran.says("K-1", "casework audit")
    assert casework("audit").status == 1


# --- look up ---------------------------------------------------------------------------------------------------------


@pytest.mark.file
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_lifecycle_is_given_in_four_formats(lang: str) -> None:
    table, mermaid, dot, data = (
        casework("lifecycle", "--format", form, lang=lang).ok().out for form in ("table", "mermaid", "dot", "json"))
    assert bool(CHINESE.search(table)) == (lang == "zh")
    assert mermaid.startswith("stateDiagram-v2\n")
    assert dot.startswith("digraph lifecycle {\n")
    assert dot.endswith("\n}\n")
    assert data == casework("lifecycle", "--json", lang=lang).out
    edges = json.loads(data)["edges"]
    assert len(edges) == len(table.splitlines()) - 1 == dot.count(" -> ")
    assert {s["state"] for s in json.loads(data)["states"]} == set(STAGE_OF)
    for state in STAGE_OF:
        assert state in mermaid


@pytest.mark.file
def test_explain_knows_every_code_trigger_state_and_term_in_both_languages() -> None:
    terms = {term for table in VOCABULARY.values() for term in table}
    for code in {*REASONS, *FINDINGS, *FAMILIES, *(t.name for t in TRIGGERS), *STAGE_OF, *terms}:
        assert CHINESE.search(casework("explain", code, lang="zh").ok().out), code
        casework("explain", code, lang="en").ok()
    document = casework("explain", "not_heard", "--json").document()
    assert document["meanings"][0]["kind"] == "refusal"
    assert document["meanings"][0]["mend"]["en"]


@pytest.mark.file
def test_explain_guesses_what_was_meant() -> None:
    casework("explain", "not_in_this").fails("not_in_this_state")
    casework("explain", "xyzzy", lang="zh").fails("xyzzy", "casework lifecycle")
    casework("explain", "").fails("unknown code")


@pytest.mark.file
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str) -> None:
    assert "_CASEWORK_COMPLETE" in casework("completion", shell).ok().out
    casework("completion", "tcsh").fails("tcsh", "bash", "fish")


@pytest.mark.file
def test_completion_offers_commands_triggers_and_roles() -> None:
    def completed(words: str) -> set[str]:
        env = {"_CASEWORK_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return {line.split(",")[1] for line in process(env=env).out.splitlines()}

    assert "replay" in completed("casework re")
    assert completed("casework do K-1 ru") == {"rule"}
    assert {"merchant"} == completed("casework do K-1 rule --by merch")


# --- languages and help ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("environ", "argv", "chinese"), [
    ({}, (), False),
    ({"LANG": "zh_CN.UTF-8"}, (), True),
    ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, (), False),
    ({"CASEWORK_LANG": "zh"}, (), True),
    ({"CASEWORK_LANG": "en", "LANG": "zh_CN.UTF-8"}, (), False),
    ({"CASEWORK_LANG": "zh"}, ("--lang", "en"), False),
    ({}, ("--lang=zh",), True),
    pytest.param({"CASEWORK_LANG": "zh"}, ("--lang", "fr"), True, marks=pytest.mark.file),
])
def test_the_language_is_that_of_the_option_the_environment_or_the_locale(
    environ: dict[str, str], argv: tuple[str, ...], chinese: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    ran = casework("list", *argv, lang=None)
    assert bool(CHINESE.search(ran.err)) == chinese
    assert ran.status == 2


@pytest.mark.file
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_option_is_explained_in_both_languages(command: str) -> None:
    english, chinese = (casework(command, "--help", lang=lang).ok().out for lang in ("en", "zh"))
    assert "Usage:" in english
    assert not CHINESE.search(english)
    for heading in ("用法：", "选项:"):
        assert heading in chinese
    for word in ("Usage", "Options", "Show this message", "required"):
        assert word not in chinese
    found = group.get_command(click.Context(group), command)
    assert found is not None
    for param in found.params:
        if isinstance(param, click.Option):
            assert CHINESE.search(getattr(param, "zh", "")), param.name
            assert param.help
    assert command in casework("--help", lang="zh").ok().out


@pytest.mark.file
def test_help_of_the_group_holds_whole_sentences_in_both_languages() -> None:
    english, chinese = (casework("--help", lang=lang).ok().out for lang in ("en", "zh"))
    assert "..." not in english.partition("Commands:")[2]
    assert "命令:" in chinese
    assert casework(lang="en").ok().out == english


@pytest.mark.file
@pytest.mark.parametrize(("argv", "en", "zh"), [
    (("lst",), "unknown command 'lst'; did you mean 'list'?", "未知的命令“lst”；是否指“list”？"),
    (("xyzzy",), "see casework --help", "见 casework --help"),
    (("show",), "Missing argument 'CASE'", "缺少 CASE"),
    (("open",), "Missing option '--by'", "缺少 --by"),
    (("show", "a", "b"), "extra argument (b)", "多余的参数：b"),
    (("show", "a", "--verson", "1"), "'--verson'", "没有选项 --verson，是否指 --version"),
    (("show", "a", "--version"), "requires an argument", "--version 须带一个值"),
    (("list", "--json=1"), "does not take a value", "--json 不带值"),
    (("lifecycle", "--format", "svg"), "'svg' is not one of", "--format 须为以下之一：table、mermaid、dot、json"),
    (("show", "a", "--version", "x"), "'x' is not a valid integer", "--version 须为不小于 1 的整数"),
    (("--foo",), "No such option '--foo'", "没有选项 --foo"),
])
def test_wrong_usage_is_one_line_in_the_language_with_where_to_look(argv: tuple[str, ...], en: str, zh: str) -> None:
    casework(*argv).fails(en)
    casework(*argv, lang="zh").fails(zh)
    assert "help" in casework(*argv).err or "did you mean" in casework(*argv).err


@pytest.mark.parametrize(("by", "words"), [
    ("agnt", ("--by", "did you mean 'agent'")), ("", ("--by", "unknown role")), ("external", ("--by", "external:BODY")),
    ("external:nobody", ("--by", "external:BODY")), ("agent:!", ("--by", "identity")), ("agent:\n", ("--by",)),
])
def test_who_cannot_be_understood_is_said_of_by(by: str, words: tuple[str, ...]) -> None:
    given_case(steps=1)
    casework("do", "K-1", "make_offer", "--by", by, "-d", "remedy.kind=repair").fails(*words)
    casework("options", "K-1", "--by", by, lang="zh").fails("--by")


@pytest.mark.file
@pytest.mark.parametrize("at", ["yesterday", "2026-03-01", "2026-03-01T10:00:00", "0001-01-01T00:00:00+08:00", ""])
def test_a_time_without_offset_or_none_at_all_is_said_of_at(at: str) -> None:
    casework("open", "K-1", "--by", "consumer", "--at", at, *pairs(GIVEN)).fails("--at", "2026-03-01T10:00:00+08:00")


# --- the process -----------------------------------------------------------------------------------------------------


@pytest.mark.file
def test_the_version_is_answered_on_stdout_with_status_0() -> None:
    assert process("--version").ok().out == f"casework {__version__}\n"
    assert casework("--version").ok().out == f"casework {__version__}\n"


@pytest.mark.file
@pytest.mark.parametrize("argv", [
    ("--version",), ("--help",), ("show", "--help"), ("lifecycle",), ("replay", str(SCENARIOS)),
], ids=lambda a: str(a[0]))
def test_a_closed_pipe_is_no_error(argv: tuple[str, ...]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        ran = process(*argv, stdout=theirs)
    finally:
        os.close(theirs)
    assert (ran.status, ran.err) == (0, "")


@pytest.mark.file
def test_a_full_disk_is_said_in_one_line_and_a_closed_stdout_is_none() -> None:
    with open("/dev/full", "wb") as full:
        process("lifecycle", stdout=full).fails("No space left")
    assert process("-c", f"{sys.executable} -m casework lifecycle >&-", program=(
        "-c", "import os, sys; os.execvp('sh', ['sh', *sys.argv[1:]])")).err == ""


@pytest.mark.file
@pytest.mark.parametrize(("encoding", "shown"), [("latin-1", r"\u6d88\u8d39\u8005"), ("gbk", "消费者"), ("utf-8", "消费者")])
def test_a_terminal_that_lacks_a_character_gets_its_escape(encoding: str, shown: str) -> None:
    ran = process("explain", "consumer", "--json", env={"PYTHONIOENCODING": encoding}, encoding=encoding).ok()
    assert shown in ran.out
    assert ran.document()["meanings"][0]["zh"] == "消费者"


@pytest.mark.file
@pytest.mark.parametrize(("argv", "without"), [
    (("--version",), ("click", "msgspec", "eventsourcing", "transitions", "yaml")),
    (("--help",), ("msgspec", "eventsourcing", "transitions", "yaml")),
    (("show", "K-1"), ("eventsourcing", "transitions", "yaml")),
    (("list",), ("eventsourcing", "transitions", "yaml")),
    (("history", "K-1"), ("eventsourcing", "transitions", "yaml")),
    (("options", "K-1"), ("eventsourcing",)),
    (("due",), ("eventsourcing", "transitions", "yaml")),
    (("explain", "rule"), ("eventsourcing", "transitions", "yaml")),
    (("audit",), ("eventsourcing",)),
], ids=lambda a: a[0] if a[0] in COMMANDS or a[0].startswith("-") else "")
def test_a_command_imports_only_what_it_needs(argv: tuple[str, ...], without: tuple[str, ...]) -> None:
    given_case()
    ran = process(*argv, program=("-c", (
        "import atexit, sys\n"
        f"atexit.register(lambda: print(*sorted(set({without!r}) & set(sys.modules)), file=sys.stderr, end=''))\n"
        "from casework.__main__ import main\n"
        "main()")))
    assert (ran.status, ran.err) == (0, "")


# --- anything at all -------------------------------------------------------------------------------------------------

WORDS = st.sampled_from([
    *COMMANDS, "K-1", "--by", "--at", "-d", "--data", "--json", "--jsonl", "--tz", "--lang", "--as-of", "--version",
    "--state", "--format", "--help", "--", "-h", "--command-id", "--select", "--overdue", "consumer", "merchant", "rule",
    "contact_merchant", "message=x", "zh", "kind=", "2026-03-01T10:00:00+08:00", "remedy.kind=refund", "external:court",
    "--quiet", "UTC",
])
#: No slash and no tilde: what is made up here may be taken for a file, and has to stay in this folder.
#: No NUL: no system passes one on.
ANYTHING = st.text(st.characters(exclude_characters="/~\0"), max_size=12)


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.lists(WORDS | ANYTHING, max_size=7))
def test_whatever_is_typed_there_is_no_traceback_and_the_status_is_0_1_or_2(argv: list[str]) -> None:
    here = Path.cwd()
    if not is_there("casework.db"):
        given_case(steps=1)
    ran = casework(*argv, lang=None)
    if ran.status == 2:
        assert ran.err.startswith("casework: ")
    assert Path.cwd() == here


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.sampled_from([("show",), ("do", "K-1"), ("explain",), ("list", "--state"), ("list", "--merchant"), ("audit",),
                        ("show", "K-1", "--as-of"), ("show", "K-1", "--tz"), ("do", "K-1", "rule", "--by"),
                        ("do", "K-1", "withdraw", "--by", "consumer", "--at"),
                        ("do", "K-1", "add_evidence", "--by", "consumer", "-d"),
                        ("replay",), ("list", "--store"), ("open", "--by", "consumer", "--data")]), ANYTHING)
def test_whatever_is_given_as_a_value_there_is_no_traceback(command: tuple[str, ...], value: str) -> None:
    if not is_there("casework.db"):
        given_case(steps=1)
    assert isinstance(casework(*command, value, lang=None), Ran)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.text(max_size=30))
def test_whatever_text_is_recorded_is_read_back_as_it_was_or_refused_in_one_line(text: str) -> None:
    if not is_there("casework.db"):
        given_case(steps=1)
    ran = casework("do", "K-1", "add_evidence", "--by", "consumer", "-d", "kind=fault_photo", "-d", f"description={text}")
    if ran.status == 0:
        evidence = casework("show", "K-1", "--json").document()["evidence"]
        assert evidence[-1]["description"] == unicodedata.normalize("NFC", text)
        casework("show", "K-1").ok()
    else:
        ran.fails("description")


@pytest.mark.file
def test_every_command_of_the_contract_is_there() -> None:
    table = re.findall(r"`casework ([\w-]+)", Path(ROOT, "README.md").read_text(encoding="utf-8"))
    assert set(table) - set(COMMANDS) == set()
    assert set(COMMANDS) >= {
        "replay", "audit", "open", "do", "options", "show", "history", "list", "lifecycle", "explain", "init"}


@pytest.mark.file
def test_the_groups_help_says_of_each_command_what_its_own_help_says() -> None:
    assert list(SUMMARIES) == list(COMMANDS)
    for name, (zh, en) in SUMMARIES.items():
        assert "".join(zh.split()) in "".join(casework(name, "--help", lang="zh").ok().out.split()), name
        assert " ".join(en.split()) in " ".join(casework(name, "--help", lang="en").ok().out.split()), name
