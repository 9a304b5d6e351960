"""The words: every term in both languages, every code with its sentences, every mark where it belongs."""

from __future__ import annotations

import ast
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_helpers import leaves
from msgspec import inspect

import casework
from casework.domain import grounds, vocabulary
from casework.domain.commands import COMMANDS, Command, OpenCase, name_of
from casework.domain.reasons import REASONS, reason
from casework.domain.values import Money, Text, named, personal_fields
from casework.domain.vocabulary import VOCABULARY, Term, label
from casework.errors import InputError

SOURCE = Path(casework.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TERMS = [(kind, term) for kind, terms in VOCABULARY.items() for term in terms]
COMMAND_TYPES: list[type[Command]] = [OpenCase, *COMMANDS.values()]
#: What is not free text, by the name of the field: identities, codes, times, amounts. All other text is free.
PLAIN = {
    "about", "adviser", "amount", "answer_by", "answered", "body", "category", "channel", "claim", "clause", "consumer",
    "duty", "edition", "evidence", "excuse", "ground", "id", "kind", "kinds", "liquidated_damages", "merchant",
    "new_evidence", "ordered_at",
    "confirmed_at", "outcome", "paid", "party", "platform", "points", "promised_by", "province", "received", "received_at",
    "referral", "result", "score", "services", "sha256", "tip_off", "to", "transferred", "until", "without_contact",
}
FREE = {
    "document", "reference", "carrier",
    "comment", "description", "explanation", "findings", "item", "message", "name", "note", "promised", "reason", "staff",
    "statement", "waybill",
}


# --- terms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", VOCABULARY)
def test_every_term_has_a_label_in_both_languages(kind: str) -> None:
    assert VOCABULARY[kind]
    for term, text in VOCABULARY[kind].items():
        for lang, said in (("zh", text.zh), ("en", text.en)):
            assert said.strip() == said != "", (term, lang)
            assert said.isprintable(), (term, lang)
            assert text.text(lang) == label(kind, term, lang) == said
        assert CHINESE.search(text.zh), term
        assert not CHINESE.search(text.en), term


@pytest.mark.parametrize("kind", VOCABULARY)
def test_identifiers_are_snake_case_and_no_two_terms_of_a_kind_read_the_same(kind: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind)
    for term in VOCABULARY[kind]:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", term), term
    for lang in ("zh", "en"):
        assert [t for t, n in Counter(t.text(lang) for t in VOCABULARY[kind].values()).items() if n > 1] == []


@pytest.mark.parametrize("module", ["vocabulary", "reasons", "grounds", "lifecycle", "beside"])
def test_no_table_names_a_key_twice_which_python_would_not_say(module: str) -> None:
    for node in ast.walk(ast.parse((SOURCE / "domain" / f"{module}.py").read_text("utf-8"))):
        if isinstance(node, ast.Dict):
            keys = Counter(key.value for key in node.keys if isinstance(key, ast.Constant))
            assert [key for key, n in keys.items() if n > 1] == []


def test_every_table_of_terms_is_in_the_vocabulary_once() -> None:
    tables = [v for v in vars(vocabulary).values()
              if isinstance(v, dict) and v and v is not vocabulary.KINDS and all(isinstance(t, Term) for t in v.values())]
    assert sorted(map(id, tables)) == sorted(map(id, VOCABULARY.values()))


def test_every_kind_of_term_has_a_name_in_both_languages() -> None:
    assert set(vocabulary.KINDS) == set(VOCABULARY)
    assert all(term.zh and term.en for term in vocabulary.KINDS.values())


def test_a_term_that_is_not_known_is_shown_as_it_is() -> None:
    assert label("state", "no_such_state", "zh") == "no_such_state"


@pytest.mark.parametrize(("kind", "term"), TERMS)
def test_a_misspelt_term_is_refused_with_the_nearest_one(kind: str, term: str) -> None:
    assert named(kind, term) == term
    with pytest.raises(InputError) as caught:
        named(kind, term + "x")
    assert "did you mean '" in caught.value.en
    assert "是否指" in caught.value.zh


def test_every_mark_on_a_field_names_a_table_of_the_vocabulary() -> None:
    for kind in COMMAND_TYPES:
        for leaf in leaves(kind):
            assert leaf.marks.get("term", "state") in VOCABULARY, (kind, leaf.path)


def test_what_the_law_renamed_has_its_present_name() -> None:
    assert not [text for terms in VOCABULARY.values() for text in terms.values() if "工商" in text.zh]


# --- grounds ---------------------------------------------------------------------------------------------------------


def test_every_ground_has_a_row_of_evidence_and_every_row_is_a_ground() -> None:
    assert list(grounds.GROUNDS) == list(VOCABULARY["ground"])


@pytest.mark.parametrize("ground", grounds.GROUNDS)
def test_every_group_of_a_ground_names_kinds_of_evidence_each_once(ground: str) -> None:
    required = grounds.GROUNDS[ground].required
    assert required
    for group in required:
        assert group
        assert set(group) <= set(VOCABULARY["evidence"])
        assert len(set(group)) == len(group), "named twice"
    for one in required:
        assert not [other for other in required if other is not one and set(other) >= set(one)], "asked for twice"


# --- reasons ---------------------------------------------------------------------------------------------------------


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", REASONS)
def test_every_reason_is_said_in_both_languages_with_what_to_do_instead(code: str) -> None:
    row = REASONS[code]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    for zh, en in ((row.zh, row.en), (row.mend_zh, row.mend_en)):
        assert zh.strip()
        assert en.strip()
        assert not CHINESE.search(en)
        assert CHINESE.search(zh)
    assert placeholders(row.zh) == placeholders(row.en)
    assert placeholders(row.mend_zh + row.mend_en) == set()


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every ``reason("…")`` in the source, and where."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "reason":
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", node


def test_every_code_that_is_used_exists_and_every_code_that_exists_can_come_up() -> None:
    used = {}
    for where, call in calls():
        code = call.args[0] if call.args else None
        if isinstance(code, ast.Constant):
            used[code.value] = where
        else:
            assert where.startswith("audit"), f"{where}: a code that cannot be found by reading"
    assert sorted(set(used) - set(REASONS)) == []
    assert sorted(set(REASONS) - set(used)) == [], "no command can be refused with these"


def test_every_place_that_gives_a_reason_fills_in_exactly_what_its_sentence_needs() -> None:
    for where, call in calls():
        if not (call.args and isinstance(call.args[0], ast.Constant)):
            continue
        given = {k.arg for k in call.keywords} - {"missing"}
        for arg in call.args[1:2]:
            assert isinstance(arg, ast.Dict), where
            given |= {key.value for key in arg.keys if isinstance(key, ast.Constant)}
        assert given == placeholders(REASONS[call.args[0].value].zh), where


def test_a_name_that_holds_braces_or_formats_is_shown_and_not_interpreted() -> None:
    found = reason("not_a_party", who="{0} {who.__class__} %s")
    assert "{0} {who.__class__} %s" in found.en
    assert "{0} {who.__class__} %s" in found.zh


# --- commands and marks ----------------------------------------------------------------------------------------------


def test_a_commands_name_is_its_types_name() -> None:
    assert {name: name_of(kind) for name, kind in COMMANDS.items()} == {name: name for name in COMMANDS}
    assert name_of(OpenCase) == "open_case"
    assert "open_case" not in COMMANDS


def test_the_two_lists_of_field_names_above_are_complete_and_apart() -> None:
    assert {bare(leaf.path) for kind in COMMAND_TYPES for leaf in leaves(kind)} == PLAIN | FREE, (
        "a new field: say above whether it is free text, which is sealed, or not")
    assert not PLAIN & FREE


def bare(path: str) -> str:
    return path.split(".")[-1].removesuffix("[]")


@pytest.mark.parametrize("kind", COMMAND_TYPES, ids=name_of)
def test_free_text_is_marked_personal_and_nothing_else_is(kind: type[Command]) -> None:
    personal = set(personal_fields(kind))
    assert personal <= {leaf.path for leaf in leaves(kind)}
    for path, leaf, marks, _ in leaves(kind):
        text = isinstance(leaf, inspect.StrType)
        constrained = text and (leaf.pattern or leaf.max_length or "term" in marks)  # type: ignore[attr-defined]
        free = text and not constrained
        assert free == (path in personal) == bool(marks.get("personal")) == (bare(path) in FREE), path


@pytest.mark.parametrize("kind", COMMAND_TYPES, ids=name_of)
def test_every_amount_is_money_every_time_has_its_offset_and_every_field_a_known_type(kind: type[Command]) -> None:
    for path, leaf, marks, _ in leaves(kind):
        if isinstance(leaf, inspect.DecimalType):
            assert marks.get("money"), path
        elif isinstance(leaf, inspect.DateTimeType):
            assert leaf.tz is True, path
        else:
            assert isinstance(leaf, inspect.StrType | inspect.IntType | inspect.BoolType | inspect.LiteralType), path


def test_every_pattern_is_anchored_so_that_neither_a_line_end_nor_a_space_slips_through() -> None:
    found = {leaf.kind.pattern for kind in COMMAND_TYPES for leaf in leaves(kind)
             if isinstance(leaf.kind, inspect.StrType) and leaf.kind.pattern}
    assert len(found) == 5
    for pattern in found:
        good = [one for one in ("A-1", "ab" * 32, "agent:A-1", "platform", "zj") if re.search(pattern, one)]
        assert good, pattern
        for one in good:
            slipped = [bad for bad in (one + "\n", "\n" + one, one + " ", one + "\x00") if re.search(pattern, bad)]
            assert slipped == [], pattern
        assert not re.search(pattern, "")


def test_marks_are_where_the_later_floors_look_for_them() -> None:
    assert Text.__metadata__[0].extra == {"personal": True}
    assert Money.__metadata__[0].extra == {"money": True}
    assert personal_fields(OpenCase) == ("order.item", "description")
    assert personal_fields(COMMANDS["rule"]) == ("findings",)
