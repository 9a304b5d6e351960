"""The clauses of unverified figures: each reader is shown his own language, and the record stays as it is."""

from __future__ import annotations

import re

import pytest
from cli_helpers import casework

from casework.report.clauses import in_language
from casework.rulebook.edition import EDITIONS

CLAUSES = sorted({r.clause for edition in EDITIONS.values() for r in edition.records})
BILINGUAL = [c for c in CLAUSES if re.search(r"[a-z]{4}", c)]


def test_there_are_clauses_in_two_languages() -> None:
    assert len(BILINGUAL) >= 6


@pytest.mark.parametrize("clause", BILINGUAL)
def test_a_clause_in_two_languages_is_shown_in_each_by_itself(clause: str) -> None:
    assert re.search("[\u4e00-\u9fff]", in_language(clause, "en")) is None
    assert re.search("[a-z]{3}", in_language(clause, "zh")) is None
    for number in re.findall(r"（[^）]*?(\d+)[^）]*）；", clause):
        assert number in in_language(clause, "en") and number in in_language(clause, "zh")


@pytest.mark.parametrize("clause", [c for c in CLAUSES if c not in BILINGUAL])
def test_the_name_of_a_law_stands_as_it_is(clause: str) -> None:
    assert in_language(clause, "en") == in_language(clause, "zh") == clause


@pytest.mark.parametrize(("clause", "zh", "en"), [
    ("未见原文；no text was found", "未见原文", "no text was found"),
    ("未见原文（only in the news）", "未见原文", "only in the news"),
    ("《某规则》（ISO 9001）", "《某规则》（ISO 9001）", "《某规则》（ISO 9001）"),
    ("in English only", "in English only", "in English only"),
])
def test_what_somebody_wrote_in_a_file_of_his_own_is_told_apart_in_the_same_way(clause: str, zh: str, en: str) -> None:
    assert (in_language(clause, "zh"), in_language(clause, "en")) == (zh, en)


def test_each_language_has_its_own_where_a_rule_is_shown() -> None:
    for argv in (("rules", "merchant.response"), ("rules", "due", "merchant.response", "--from", "2026-03-01")):
        english, chinese = casework(*argv).ok().out, casework(*argv, lang="zh").ok().out
        assert "no figure of Taobao's was found" in english and "未见原文" not in english
        assert "淘宝超时说明未见原文" in chinese and "Taobao's" not in chinese
    listed = casework("rules").ok().out
    assert "未见" not in listed and "WeChat shops, 48 hours" in listed
