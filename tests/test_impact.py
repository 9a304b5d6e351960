"""``casework rules impact``: which recorded cases would have been decided otherwise by another edition, and which would not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cli_helpers import alter, casework
from recorded import GOLDEN, NAMES, golden, golden_copy, recorded, store_of, with_later

from casework.application.whatif import Impact, impact
from casework.rulebook.edition import Edition, current, edition, pinned

OLD = "2026-11"
#: What differs by the first edition, which knew no term to answer, no amounts, and counted to the hour.
BY_THE_FIRST = {
    "association_in_zhejiang": ["missed"],
    "counterfeit_goes_to_12315": ["missed"],
    "holiday_in_the_middle": ["missed"],
    "juicer": ["missed"],
    "parcel_lost": ["missed"],
    "phone_call_broken_promise": ["state", "remedy", "performed", "penalties", "rulings"],
    "return_without_confirmation": ["state", "missed"],
    "silence_goods_not_sent": ["state", "missed"],
    "silence_is_agreement": ["state", "remedy", "performed", "missed"],
    "silence_without_a_claim": ["missed"],
    "suspended_for_court": ["missed"],
    "tired_consumer": ["missed"],
    "tired_consumer_gives_up": ["missed"],
}


def by(name: str, version: str = OLD) -> Impact | None:
    rules = edition(version)
    assert rules is not None
    return impact(recorded(name), rules)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return store_of(tmp_path_factory.mktemp("impact") / "s.db")


# --- which -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_by_its_own_edition_no_case_goes_otherwise(name: str) -> None:
    assert impact(recorded(name), current()) is None


@pytest.mark.parametrize("name", NAMES)
def test_by_the_first_edition_exactly_these_go_otherwise_and_in_this(name: str) -> None:
    found = by(name)
    assert (found.differs if found else None) == BY_THE_FIRST.get(name)


@pytest.mark.parametrize("case", sorted(golden()))
def test_a_case_of_an_earlier_release_goes_by_the_later_edition_as_it_went(case: str) -> None:
    # It pinned a lifecycle without deadlines and without figures, and keeps it: the later edition has nothing to say to it.
    assert impact(golden()[case], current()) is None


def test_without_a_term_to_answer_silence_agrees_to_nothing() -> None:
    found = by("silence_is_agreement")
    assert found is not None
    assert (found.recorded["state"], found.otherwise["state"]) == ("resolved", "awaiting_merchant")
    assert (found.recorded["performed"], found.otherwise["performed"], found.otherwise["remedy"]) == ("268.00", None, None)
    assert [d["duty"] for d in found.recorded["missed"]] == ["merchant_answer"] and found.otherwise["missed"] == []
    assert found.refused == ["not_in_this_state", "term_running"]


def test_without_its_figure_a_promise_gives_nothing() -> None:
    found = by("phone_call_broken_promise")
    assert found is not None and "promise_missing" in found.refused
    assert found.recorded["remedy"]["extra"] == [{"kind": "promised_multiple", "amount": "1280.00"}]
    assert found.otherwise["remedy"] is None


def test_what_nobody_did_time_does_not_make_up_for() -> None:
    # Nobody ticked while the merchant of the juicer was silent: by other rules he is not late, and the case goes as it went.
    found = by("juicer")
    assert found is not None and found.differs == ["missed"]
    assert (found.recorded["state"], found.otherwise["state"], found.refused) == ("resolved", "resolved", [])


def test_another_hour_of_the_day_or_another_clause_decides_nothing() -> None:
    # The first edition ended deadlines at the clock time of their beginning: most deadlines differ, few cases do.
    assert by("late_shipment") is None and by("counterfeit_proof_missing") is None


def test_a_stricter_figure_of_a_later_edition_shows_in_the_cases_that_it_touches() -> None:
    rules = current()
    halved = tuple(replace(r, value=1) if r.id == "promised.fake_one_pay_four" else r for r in rules.records)
    later = Edition("2099-01", halved, rules.whole_days)
    assert later.digest != rules.digest
    touched = {name for name in NAMES if impact(recorded(name), later) is not None}
    assert touched == {"phone_call_broken_promise"}


# --- as it is told ---------------------------------------------------------------------------------------------------


def test_the_whole_store_is_told_case_by_case_and_counted(store: str) -> None:
    view = casework("rules", "impact", OLD, "--store", store, "--json").ok().document()
    assert (view["edition"], view["cases"]) == (OLD, len(NAMES))
    assert {one["case"]: one["differs"] for one in view["impact"]} == BY_THE_FIRST
    for one in view["impact"]:
        assert set(one) == {"case", "differs", "refused", "recorded", "otherwise"}
        assert list(one["recorded"]) == list(one["otherwise"]) == one["differs"]
    assert casework("rules", "impact", current().id, "--store", store, "--json").ok().document()["impact"] == []


@pytest.mark.parametrize(("lang", "words", "last"), [
    ("en", ("  state      resolved ", "→  awaiting the merchant", "  refused: not_in_this_state", "refund ¥268.00"),
     f"by {OLD}: {len(BY_THE_FIRST)} of {len(NAMES)} cases would have gone otherwise\n"),
    ("zh", ("  状态", "→  等待商家", "  被拒绝: not_in_this_state"),
     f"按 {OLD}：{len(NAMES)} 宗案件中 {len(BY_THE_FIRST)} 宗结果不同\n"),
])
def test_for_people_it_says_what_was_and_what_would_be(lang: str, words: tuple[str, ...], last: str, store: str) -> None:
    out = casework("rules", "impact", OLD, "--store", store, lang=lang).ok().out
    assert out.endswith(last)
    block = out.partition("\nsilence_is_agreement\n")[2].partition("\nsilence_without_a_claim")[0]
    for text in words:
        assert text in block


def test_an_edition_that_there_is_not_is_one_line_and_status_two(store: str) -> None:
    casework("rules", "impact", "2099-01", "--store", store).fails("VERSION", "no edition '2099-01'", "2026-11, 2026-11.2")
    casework("rules", "impact", "2099-01", "--store", store, lang="zh").fails("没有规则版本“2099-01”")
    casework("rules", "impact", OLD, "--store", "nothing.db").fails("nothing.db")


def test_a_store_of_an_earlier_release_is_told_as_well(tmp_path: Path) -> None:
    for name in GOLDEN:
        out = casework("rules", "impact", current().id, "--store", golden_copy(name, tmp_path)).ok().out
        assert out.startswith(f"by {current().id}: 0 of ")


# --- what cannot be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", [
    "UPDATE stored_events SET state = x'ff' WHERE originator_id = 'juicer' AND originator_version = 5",
    "UPDATE stored_events SET topic = 'casework.case.x' WHERE originator_id = 'juicer' AND originator_version = 5",
    "DELETE FROM stored_events WHERE originator_id = 'juicer' AND originator_version = 1",
])
def test_a_case_that_cannot_be_read_is_named_and_the_others_are_still_told(sql: str, tmp_path: Path) -> None:
    url = store_of(tmp_path / "s.db", ["juicer", "silence_is_agreement", "late_shipment"])
    alter(sql, url)
    for lang in ("en", "zh"):
        ran = casework("rules", "impact", OLD, "--store", url, lang=lang)
        assert ran.status == 1
        ran.says("juicer")
        assert "silence_is_agreement" in ran.out and "juicer" not in ran.out
    view = casework("rules", "impact", OLD, "--store", url, "--json").document(1)
    assert ([one["case"] for one in view["impact"]], view["cases"]) == (["silence_is_agreement"], 3)


def test_a_case_by_rules_that_this_release_lacks_is_compared_all_the_same_for_what_it_came_to_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = store_of(tmp_path / "s.db", ["silence_is_agreement"])
    rules = current()
    with monkeypatch.context() as patched:
        patched.setattr("casework.rulebook.edition.editions", with_later(Edition("2099-01", rules.records, rules.whole_days)))
        casework("open", "K-1", "--by", "consumer", "--at", "2026-03-28T09:00:00+08:00", "--store", url, "-d", "order.id=O-1",
                 "-d", "order.item=x", "-d", "order.category=x", "-d", "order.merchant=M-1", "-d", "order.paid=1.00", "-d",
                 "order.ordered_at=2026-03-01T00:00:00+08:00", "-d", "consumer=C-1", "-d", "ground=malfunction").ok()
    assert pinned(current().id) is rules
    ran = casework("rules", "impact", OLD, "--store", url)
    assert (ran.status, ran.err) == (0, "")
    assert "silence_is_agreement" in ran.out and ran.out.endswith("1 of 2 cases would have gone otherwise\n")
