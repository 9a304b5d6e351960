"""``casework claims``, ``burden`` and ``ways`` as people and programs meet them: keys, both languages, doubt, time travel."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import GIVEN, LIFE, SCENARIOS, casework, given_case, pairs, process, rows
from domain_helpers import case_in, days
from domain_helpers import given_case as story_of

from casework.application.advice import burden_view, claims_view
from casework.domain.bodies import NODES
from casework.domain.burden import SITUATIONS, stands
from casework.domain.categories import RULES
from casework.domain.facts import Facts
from casework.domain.remedies import ENTITLEMENTS
from casework.domain.vocabulary import VOCABULARY
from casework.report.advice import burden_lines
from casework.rulebook.edition import CURRENT as EDITION

pytestmark = pytest.mark.stores

COMMANDS = ("claims", "burden", "ways")
HEAD = {"case", "state", "ground"}
KEYS = {
    "claims": HEAD | {"paid", "claims"},
    "burden": HEAD | {"category", "situation", "rule", "steps", "party", "loses", "note", "missing", "pending", "forged", "shown",
                      "file_lacks", "category_rules", "requirements", "instant_refund", "answers"},
    "ways": HEAD | {"at", "evidence_lacks", "ways"},
}
CLAIM = {"id", "kind", "zh", "en", "amount", "venues", "rule", "clause", "certainty", "steps", "conditions"}
WAY = {"id", "body", "zh", "en", "clause", "certainty", "status", "referral", "reasons", "missing", "bring", "clocks", "outcome",
       "effect", "limits", "regime"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CASEWORK_STORE", "CASEWORK_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


def opened(case: str = "K-2", **order: Any) -> str:
    given = {**GIVEN, "ground": order.pop("ground", "damaged"), "order": {**GIVEN["order"], **order}}  # type: ignore[dict-item]
    casework("open", case, "--by", "consumer", "--at", "2026-03-28T09:00:00+08:00", *pairs(given)).ok()
    return case


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("steps", [0, 5, 8, len(LIFE)])
def test_the_document_has_stable_keys_in_every_stage_of_a_life(command: str, steps: int) -> None:
    given_case(steps=steps)
    assert set(casework(command, "K-1", "--json").document()) == KEYS[command]


def test_a_claim_and_a_way_have_stable_keys_and_terms_of_the_vocabulary() -> None:
    given_case(steps=2)
    for claim in casework("claims", "K-1", "--json").document()["claims"]:
        assert set(claim) == CLAIM
        assert claim["kind"] in VOCABULARY["remedy"] and set(claim["venues"]) <= set(VOCABULARY["venue"])
        assert claim["amount"] is None or re.fullmatch(r"\d+\.\d\d", claim["amount"])
    ways = casework("ways", "K-1", "--json").document()["ways"]
    assert [w["id"] for w in ways] == list(NODES)
    for way in ways:
        assert set(way) == WAY
        assert way["status"] in ("open", "depends", "closed")
        assert {r["state"] for r in way["reasons"]} <= {"met", "not_met", "unknown"}


def test_the_burden_says_whose_turn_it_is_and_what_answers_the_excuse() -> None:
    given_case(steps=4)
    view = casework("burden", "K-1", "--json").document()
    assert (view["situation"], view["party"], view["loses"], view["category"]) == (
        "hidden_defect", "merchant", "merchant", "small_appliance")
    assert [s["now"] for s in view["steps"]] == [True, False]
    assert [a["excuse"] for a in view["answers"]] == ["misuse"]
    assert {s["kind"] for s in view["shown"]} == {"fault_video", "fault_description"}
    assert [r["id"] for r in view["category_rules"]] == ["durable_open"]


def shipped(ground: str, result: str = "accepted") -> Facts:
    """A case in which the merchant's proof of shipment was examined."""
    case = case_in("under_review", ground=ground)
    case.when("ask_proof", "agent", party="merchant", kinds=("shipping_proof",), answer_by=days(3))
    case.when("submit_proof", "merchant", kinds=("shipping_proof",))
    return case.when("examine_proof", "agent", kind="shipping_proof", result=result).facts


@pytest.mark.file
@pytest.mark.parametrize(("ground", "loses", "word"), [
    ("late_shipment", None, "lateness"), ("not_shipped", "consumer", "delivery"),
    ("shipped_not_received", "consumer", "delivery"), ("parcel_lost", "consumer", "delivery")])
def test_an_accepted_proof_of_shipment_clears_of_what_it_shows_alone(ground: str, loses: str | None, word: str) -> None:
    facts = shipped(ground)
    view = burden_view(facts, facts.at)
    assert view["loses"] == loses and word in view["note"]["en"] and "揽收" in view["note"]["zh"]
    assert stands(facts, facts.at).loses == "consumer", "what a ruling records is by the order of proof, as before"
    for lang in ("en", "zh"):
        assert view["note"][lang] in "\n".join(burden_lines(view, lang, UTC))


@pytest.mark.file
@pytest.mark.parametrize(("ground", "result"), [("late_shipment", "forged"), ("late_shipment", "missing"),
                                                ("parcel_lost", "forged")])
def test_without_a_good_proof_of_shipment_the_seller_loses_and_nothing_is_noted(ground: str, result: str) -> None:
    facts = shipped(ground, result)
    view = burden_view(facts, facts.at)
    assert (view["loses"], view["note"]) == ("merchant", None)
    assert not any("揽收" in line for line in burden_lines(view, "zh", UTC))


@pytest.mark.file
def test_who_may_grant_a_figure_is_what_the_rulebook_says_of_it() -> None:
    rules = {row.rule for row in ENTITLEMENTS if row.sum == "rule"}
    seen = set()
    for ground in ("late_shipment", "not_shipped", "damaged", "counterfeit"):
        facts = story_of(ground=ground, services=("damage_cover", "return_freight_cover", "fake_one_pay_three")).facts
        for claim in claims_view(facts, facts.at)["claims"]:
            if claim["rule"] in rules:
                assert tuple(claim["venues"]) == EDITION.of(claim["rule"])[-1].awarded_by
                seen.add(claim["rule"])
    assert {"late_ship.48h", "no_stock.48h", "damage_cover", "fraud.multiple"} <= seen


@pytest.mark.parametrize("command", COMMANDS)
def test_a_time_and_a_version_can_be_looked_back_to_and_not_both(command: str) -> None:
    given_case(steps=4)
    early = casework(command, "K-1", "--json", "--version", "1").document()
    assert early["state"] == "discovered"
    assert casework(command, "K-1", "--json", "--as-of", "2100-01-01T00:00:00+08:00").document()["state"] == "merchant_refused"
    casework(command, "K-1", "--version", "1", "--as-of", "2100-01-01T00:00:00+08:00").fails("not both")
    casework(command, "K-9").fails("no case 'K-9'")
    casework(command, "K-1", "--version", "99").fails("--version")
    casework(command, "K-1", "--store", "none.db").fails("no store")


def test_which_law_of_12315_applies_goes_by_the_day_that_is_asked_for() -> None:
    given_case(steps=5)

    def law(version: str) -> str:
        ways = casework("ways", "K-1", "--json", "--version", version).document()["ways"]
        return next(str(w["regime"]["id"]) for w in ways if w["id"] == "regulator_complaint")

    assert law("5") == "order_20"
    given_case("K-3", steps=5, store="other.db")
    later = casework("ways", "K-3", "--json", "--store", "other.db", "--as-of", "2100-01-01T00:00:00+08:00").document()
    assert {w["regime"]["id"] for w in later["ways"] if w["regime"]} == {"order_121"}


def test_nothing_is_recorded() -> None:
    given_case(steps=5)
    before = rows()
    for command in COMMANDS:
        casework(command, "K-1").ok()
    assert rows() == before


# --- for people ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_reads_in_both_languages(command: str, lang: str) -> None:
    given_case(steps=5)
    out = casework(command, "K-1", lang=lang).ok().out
    assert out.startswith("K-1  ")
    assert "None" not in out and "{" not in out
    words = {"claims": ("可主张", "may be claimed"), "burden": ("举证顺序", "order of proof"), "ways": ("可以", "open")}
    zh, en = words[command]
    assert (zh if lang == "zh" else en) in out


def test_what_is_not_verified_says_so() -> None:
    opened(category="large_appliance", ground="malfunction")
    assert "[unverified]" in casework("burden", "K-2").ok().out
    assert "[未经核实]" in casework("burden", "K-2", lang="zh").ok().out


def test_fresh_goods_say_until_when_evidence_is_taken() -> None:
    opened(category="fresh_food")
    out = casework("burden", "K-2").ok().out
    assert "until 2026-03-06 11:00:00+08:00" in out
    assert "until 2026-03-06 03:00:00+00:00" in casework("burden", "K-2", "--tz", "UTC").ok().out


def test_a_return_without_a_reason_lists_what_it_takes() -> None:
    opened(ground="no_reason_return")
    out = casework("burden", "K-2", lang="zh").ok().out
    assert "要求 [不符合]" in out or "要求 [符合]" in out
    assert casework("burden", "K-2", "--json").document()["requirements"]


def test_when_receipt_was_confirmed_can_be_said_on_opening() -> None:
    opened(ground="material_mismatch", category="clothing", confirmed_at="2026-03-10T11:00:00+08:00")
    view = casework("burden", "K-2", "--json").document()
    assert view["situation"] == "after_confirmation"
    assert {r["id"] for r in view["category_rules"]} >= {"clothing_material_test"}


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_story_is_advised_from_beginning_to_end(path: Path) -> None:
    casework("replay", str(path), "--store", "all.db", "--quiet").ok()
    for command in COMMANDS:
        for version in ("1", "3"):
            ran = casework(command, path.stem, "--store", "all.db", "--version", version)
            assert ran.status == 0 or "versions" in ran.err
        casework(command, path.stem, "--store", "all.db", lang="zh").ok()


@pytest.mark.file
@pytest.mark.parametrize("command", COMMANDS)
def test_it_imports_neither_the_machine_nor_the_event_sourcing_library(command: str) -> None:
    given_case()
    ran = process(command, "K-1", program=("-c", (
        "import atexit, sys\n"
        "unwanted = {'eventsourcing', 'transitions'}\n"
        "atexit.register(lambda: print(*sorted(unwanted & set(sys.modules)), file=sys.stderr, end=''))\n"
        "from casework.__main__ import main\n"
        "main()")))
    assert (ran.status, ran.err) == (0, "")


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.mark.file
def test_the_page_holds_every_row() -> None:
    page = (SCENARIOS.parent / "docs" / "advice.md").read_text("utf-8")
    for name in (*SITUATIONS, *(r.id for r in RULES), *(e.id for e in ENTITLEMENTS), *NODES):
        assert f"\n| `{name}` |" in page, name
    unverified = sum(r.certainty == "C" for r in (*RULES, *SITUATIONS.values(), *ENTITLEMENTS, *NODES.values()))
    assert page.count("C, **unverified** |") == unverified

