"""The sources, whole: what they name is a term or has a reason, each statement has its row, each name in a row resolves."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from domain_helpers import leaves

from casework.cli.main import COMMANDS as CLI
from casework.domain import answers
from casework.domain.answers import ANSWERS
from casework.domain.commands import COMMANDS, OpenCase
from casework.domain.guards import GUARDS
from casework.domain.reasons import REASONS
from casework.domain.vocabulary import RIGHT_CLAUSES, VOCABULARY
from casework.rulebook.edition import CURRENT

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "sources.md").read_text("utf-8")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ROW = re.compile(r"\| (S\d-\d+) \| (.+?) \| (.+?) \| (.*?) ?\|")
NAME = re.compile(r"`([a-z0-9_]+:[a-z0-9_.]+)`")
IMPRECISE = "**imprecise**: "

Vocabulary = Mapping[str, Mapping[str, object]]


class Row(NamedTuple):
    id: str
    statement: str
    names: tuple[str, ...]
    remark: str


class Strict(yaml.SafeLoader):
    """YAML that does not let a key stand twice."""


def unique(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    pairs = [(loader.construct_object(k, deep=True), loader.construct_object(v, deep=True)) for k, v in node.value]
    twice = [key for key, n in Counter(key for key, _ in pairs).items() if n > 1]
    assert not twice, f"named twice: {twice}"
    return dict(pairs)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, unique)
LIST: dict[str, Any] = yaml.load((ROOT / "tests" / "data" / "source_terms.yaml").read_text("utf-8"), Strict)
IDS: list[str] = [i for ids in LIST["statements"].values() for i in ids]
PHRASES: list[tuple[str, tuple[str, ...]]] = [
    (phrase, (said,) if isinstance(said, str) else tuple(said))
    for kind in LIST["phrases"].values() for phrase, said in kind.items()
]


def rows(page: str) -> list[Row]:
    return [Row(m[1], m[2], tuple(NAME.findall(m[3])), m[4]) for m in map(ROW.fullmatch, page.splitlines()) if m]


@cache
def others() -> dict[str, frozenset[str]]:
    """What can be named beside the terms of the vocabulary."""
    return {
        "command": frozenset(COMMANDS),
        "guard": frozenset(GUARDS),
        "refusal": frozenset(REASONS),
        "answer": frozenset(ANSWERS),
        "rule": frozenset(record.id for record in CURRENT.records),
        "cli": frozenset(CLI),
        "scenario": frozenset(path.stem for path in (ROOT / "scenarios").glob("*.yaml")),
        "field": frozenset(f"{name}.{part}" for name, kind in [("open_case", OpenCase), *COMMANDS.items()]
                           for leaf in leaves(kind) for part in (leaf.path, leaf.path.partition("[")[0])),
    }


def resolves(name: str, vocabulary: Vocabulary) -> bool:
    kind, _, identifier = name.partition(":")
    return identifier in vocabulary.get(kind, ()) or identifier in others().get(kind, ())


def phrase_problems(vocabulary: Vocabulary) -> Iterator[str]:
    for phrase, said in PHRASES:
        for name in said:
            if not name.startswith("reason: ") and not resolves(name, vocabulary):
                yield f"{phrase}: there is no {name}"


def coverage_problems(vocabulary: Vocabulary) -> Iterator[str]:
    """Each term is named by a phrase, or listed as ours or the process's, and not both."""
    listed = Counter(f"{kind}:{term}" for part in ("ours", "process")
                     for kind, terms in LIST[part].items() for term in terms)
    named = {name for _, said in PHRASES for name in said}
    terms = {f"{kind}:{term}" for kind, table in vocabulary.items() for term in table}
    for term in sorted(terms):
        if term not in named and not listed[term]:
            yield f"{term}: no source names it; say under `ours` why"
        elif (term in named) + listed[term] > 1:
            yield f"{term}: in two lists"
    yield from (f"{name}: listed, but no term" for name in sorted(set(listed) - terms))


def page_problems(vocabulary: Vocabulary, page: str) -> Iterator[str]:
    found = rows(page)
    if [row.id for row in found] != IDS:
        yield f"rows differ from the list: {sorted({r.id for r in found} ^ set(IDS)) or 'their order'}"
    for row in found:
        yield from (f"{row.id}: there is no {name}" for name in row.names if not resolves(name, vocabulary))
        if not row.names and not row.remark.strip():
            yield f"{row.id}: neither a name nor a reason"
    held = {name for row in found for name in row.names}
    for phrase, said in PHRASES:
        yield from (f"{phrase}: no row names {name}" for name in said
                    if name not in held and not name.startswith("reason: "))


def problems(vocabulary: Vocabulary = VOCABULARY, page: str = PAGE) -> list[str]:
    return [*phrase_problems(vocabulary), *coverage_problems(vocabulary), *page_problems(vocabulary, page)]


# --- as it stands ----------------------------------------------------------------------------------------------------


def test_every_phrase_of_the_sources_is_something_that_exists_or_has_a_reason() -> None:
    assert list(phrase_problems(VOCABULARY)) == []
    for phrase, said in PHRASES:
        assert CHINESE.search(phrase), phrase
        assert said, phrase
        for name in said:
            assert re.fullmatch(r"reason: .{10,}|[a-z_]+:[a-z0-9_.]+", name), (phrase, name)


def test_every_term_is_named_by_a_source_or_listed_with_why_we_have_it() -> None:
    assert list(coverage_problems(VOCABULARY)) == []
    for terms in LIST["ours"].values():
        assert all(isinstance(why, str) and why.strip() for why in terms.values())


def test_every_statement_of_the_sources_has_its_row_and_every_name_in_a_row_resolves() -> None:
    assert list(page_problems(VOCABULARY, PAGE)) == []


def test_the_rows_are_numbered_source_by_source_without_a_gap() -> None:
    assert list(LIST["statements"]) == ["S0", "S1", "S2"]
    for source, ids in LIST["statements"].items():
        assert ids == [f"{source}-{n:02}" for n in range(1, len(ids) + 1)]


def test_every_line_of_a_table_was_read_as_a_row() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    heads = [line for line in lines if line.startswith(("| id |", "|---"))]
    assert len(lines) - len(heads) == len(rows(PAGE))


def test_no_name_stands_outside_of_the_column_that_is_checked_unless_it_resolves_too() -> None:
    assert [name for name in NAME.findall(PAGE) if name != "kind:id" and not resolves(name, VOCABULARY)] == []


def test_what_is_imprecise_is_marked_and_says_what_holds_instead() -> None:
    marked = [row for row in rows(PAGE) if row.remark.startswith(IMPRECISE)]
    assert [row.id for row in marked] == LIST["imprecise"]
    assert PAGE.count(IMPRECISE) == len(marked), "the mark stands first"
    for row in marked:
        assert len(row.remark) > len(IMPRECISE) + 20, row.id


# --- what would be noticed -------------------------------------------------------------------------------------------


def test_the_loss_of_any_one_term_of_the_vocabulary_is_noticed() -> None:
    before = set(problems())
    unnoticed = [f"{kind}:{term}" for kind, table in VOCABULARY.items() for term in table
                 if set(problems({**VOCABULARY, kind: {t: text for t, text in table.items() if t != term}})) <= before]
    assert unnoticed == []


def test_a_term_that_nobody_named_is_noticed_in_every_kind() -> None:
    before = set(problems())
    for kind, table in VOCABULARY.items():
        assert set(problems({**VOCABULARY, kind: {**table, "brand_new": None}})) - before == {
            f"{kind}:brand_new: no source names it; say under `ours` why"}


def test_the_loss_of_any_one_row_is_noticed_by_its_number() -> None:
    lines = PAGE.splitlines()
    for row in rows(PAGE):
        left = "\n".join(line for line in lines if not line.startswith(f"| {row.id} |"))
        assert f"rows differ from the list: ['{row.id}']" in page_problems(VOCABULARY, left)


def test_the_loss_of_any_one_phrase_that_alone_names_a_term_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(coverage_problems(VOCABULARY))
    uses = Counter(name for _, said in PHRASES for name in said)
    alone = [(p, said) for p, said in PHRASES if any(uses[n] == 1 and n.partition(":")[0] in VOCABULARY for n in said)]
    assert len(alone) > 100
    for gone in alone:
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "PHRASES", [one for one in PHRASES if one != gone])
            assert set(coverage_problems(VOCABULARY)) - before, gone


@pytest.mark.parametrize("name", ["ground:counterfiet", "scenario:no_such_story", "field:log_call.nobody", "field:rule",
                                  "answer:no_such_excuse", "rule:no.such.rule", "no_such_kind:file", "guard:who_may"])
def test_a_name_that_does_not_resolve_is_noticed_in_a_row(name: str) -> None:
    broken = re.sub(r"(?m)^(\| S2-.*)`ground:counterfeit`", rf"\1`{name}`", PAGE, count=1)
    assert broken != PAGE
    assert f"there is no {name}" in " ".join(page_problems(VOCABULARY, broken))


# --- rights and answers ----------------------------------------------------------------------------------------------


def test_every_right_names_the_articles_that_give_it() -> None:
    assert list(RIGHT_CLAUSES) == list(VOCABULARY["right"])
    assert all(re.search(r"法.* \d", clause) for clause in RIGHT_CLAUSES.values())


def test_every_excuse_has_what_answers_it_and_no_answer_is_without_an_excuse() -> None:
    assert list(ANSWERS) == list(VOCABULARY["excuse"])
    keys = [key.value for node in ast.walk(ast.parse(Path(answers.__file__).read_text("utf-8")))
            if isinstance(node, ast.Dict) for key in node.keys if isinstance(key, ast.Constant)]
    assert sorted(keys) == sorted(ANSWERS), "a key that stands twice"


@pytest.mark.parametrize("excuse", ANSWERS)
def test_an_answer_is_said_in_both_languages_rests_on_an_article_and_names_evidence_that_helps(excuse: str) -> None:
    answer = ANSWERS[excuse]
    assert CHINESE.search(answer.zh)
    assert answer.zh.endswith("。")
    assert answer.en.endswith(".")
    assert not CHINESE.search(answer.en)
    assert re.search(r"[法则例号] \d", answer.clause)
    assert answer.evidence
    assert len(set(answer.evidence)) == len(answer.evidence)
    assert set(answer.evidence) <= set(VOCABULARY["evidence"])
