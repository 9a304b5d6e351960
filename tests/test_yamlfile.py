"""Reading YAML as plain text data: what is accepted, what is refused, and on which line."""

from __future__ import annotations

import os
import socket
import time
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from casework.errors import InputError
from casework.yamlfile import Document, compose, load, read_text

FIXTURE_IS_CONSTANT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test runs on the C parser, where there is one, and on the Python one."""
    if request.param == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    return str(request.param)


def refusal(call: Callable[[], object]) -> InputError:
    with pytest.raises(InputError) as caught:
        call()
    error = caught.value
    for text in (error.en, error.zh):
        assert text.isprintable(), f"not one safe line: {text!r}"
    assert any("\u4e00" <= char <= "\u9fff" for char in error.bare_zh)
    assert ";" in error.bare_en and "；" in error.bare_zh, "a message says what is wrong; and the remedy"
    return error


def refused(text: str, line: int | None, *words: str) -> InputError:
    error = refusal(lambda: compose(text, "f.yaml"))
    assert error.where == ("f.yaml" if line is None else f"f.yaml:{line}"), error.en
    for word in words:
        assert word in error.en, error.en
    return error


@contextmanager
def within(seconds: float) -> Iterator[None]:
    start = time.perf_counter()
    yield
    assert time.perf_counter() - start < seconds


# --- what is accepted


def test_every_scalar_is_the_text_that_was_written() -> None:
    text = "a: no\nb: 190:20:30\nc: 007\nd: 1e3\ne: 2024-01-01\nf: 'null'\ng: '~'\nh: ''\ni: TRUE\nj: '<<'\nk: '.nan'\n"
    assert compose(text, "f").data == {
        **{"a": "no", "b": "190:20:30", "c": "007", "d": "1e3", "e": "2024-01-01"},
        **{"f": "null", "g": "~", "h": "", "i": "TRUE", "j": "<<", "k": ".nan"},
    }


def test_an_empty_plain_scalar_a_tilde_and_null_are_none() -> None:
    assert compose("a:\nb: ~\nc: null\nd: [~, null, x]\ne: {f, g: }\n", "f").data == {
        **{"a": None, "b": None, "c": None, "d": [None, None, "x"]},
        "e": {"f": None, "g": None},
    }


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("x", "x"),
        ("~", None),
        ("- a\n- b", ["a", "b"]),
        ("{}", {}),
        ("''", ""),
        ("%YAML 1.1\n---\na: |\n  b\n...\n", {"a": "b\n"}),
    ],
)
def test_the_root_may_be_anything(text: str, data: Any) -> None:
    assert compose(text, "f").data == data


def test_lines_are_those_of_keys_and_items() -> None:
    document = compose("# c\na: 1\nb:\n  - x\n  - c:\n      d\n    e: [1,\n        2]\nf: y\n", "f.yaml")
    assert document.name == "f.yaml"
    assert document.lines == {
        **{(): 2, ("a",): 2, ("b",): 3, ("b", 0): 4, ("b", 1): 5, ("b", 1, "c"): 5, ("b", 1, "e"): 7},
        **{("b", 1, "e", 0): 7, ("b", 1, "e", 1): 8, ("f",): 9},
    }


def test_the_line_of_an_unknown_path_is_that_of_its_nearest_known_parent() -> None:
    document = compose("\na: 1\nb:\n  c: 2\n", "f")
    assert [document.line(p) for p in [("b", "c", "x", 0), ["b", "y"], ("z",), (), ("b", "c")]] == [4, 3, 2, 2, 4]
    assert Document(None, {}, "f").line(("a",)) == 1


def test_items_and_keys_of_the_same_spelling_are_told_apart() -> None:
    assert compose("'0': a\n", "f").line((0,)) == compose("'0': a\n", "f").line(())
    assert ("0",) in compose("'0': a\n", "f").lines


def test_text_and_keys_are_normalised_to_nfc() -> None:
    assert compose('e\u0301: "u\\u0308"\n', "f").data == {"é": "ü"}
    refused("é: 1\ne\u0301: 2\n", 2, "line 1")


def test_an_alias_shares_the_node_of_its_anchor() -> None:
    document = compose("a: &x\n  - 1\nb:\n  c: *x\nd: &y text\ne: *y\n&k f: *k\n", "f")
    assert document.data == {"a": ["1"], "b": {"c": ["1"]}, "d": "text", "e": "text", "f": "f"}
    assert document.data["a"] is document.data["b"]["c"]
    assert document.line(("b", "c", 0)) == 4


# --- what is refused


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: [c\n", 3), ("a: 'x\n", 2), ("a: b: c\n", 1), ("a: 1\n\tb: 2\n", 2), ("a: 1\n}\n", 2), ("a: @b\n", 1)],
)
def test_a_syntax_error_is_refused_with_its_line(text: str, line: int, parser: str) -> None:
    error = refusal(lambda: compose(text, "f.yaml"))
    assert "not valid YAML" in error.en and "indentation" in error.en and "语法" in error.zh
    where, _, at = error.where.rpartition(":")
    assert where == "f.yaml" and abs(int(at) - line) <= 1


@pytest.mark.parametrize("text", ["", " \n\n", "# only\n  # comments\n", "---\n", "--- # x\n...\n", "\ufeff"])
def test_an_empty_text_is_refused(text: str) -> None:
    refused(text, None, "empty")


def test_a_duplicate_key_is_refused_with_the_line_of_the_first() -> None:
    error = refused("a: 1\nb:\n  投诉: 1\n  y: 2\n  '投诉': 3\n", 5, "'投诉'", "line 3")
    assert "投诉" in error.zh and "第 3 行" in error.zh
    refused("{a: 1, a: 2}", 1, "'a'", "line 1")


@pytest.mark.parametrize(
    "text", ["[a]: 1", "? {a: b}\n: 1", "? - a\n: 1", "? \n: 1", "~: 1", "null: 1", "&a : 1", "k: &a x\n*a : 1"]
)
def test_a_key_that_is_not_text_is_refused(text: str) -> None:
    refused(text, text.count("\n*") + 1, "key must be text")


@pytest.mark.parametrize(
    ("tag", "shown"),
    [("!!str x", "!!str"), ("!!python/object:os.system {}", "!!python/object:os.system"), ("!x [1]", "!x"),
     ("! x", "!"), ("!!map {}", "!!map"),
     ("!<tag:example.com,2000:a> x", "tag:example.com,2000:a"), ("!!int 3", "!!int")],
)  # fmt: skip
def test_a_tag_is_refused_wherever_it_is(tag: str, shown: str) -> None:
    refused(f"a: 1\nb: {tag}\n", 2, f"the tag {shown} is not accepted")
    refused(f"- {tag}\n", 1, shown)
    refused(tag, 1, shown)


def test_a_tag_on_a_key_is_refused() -> None:
    refused("!!str a: 1\n", 1, "!!str")


def test_a_tag_directive_is_refused_and_so_are_a_hundred_thousand_of_them_at_once() -> None:
    refused("# x\n%TAG !e! tag:e.com,2000:\n---\na: 1\n", 2, "%TAG")
    with within(1):
        refused("\ufeff" + "".join(f"%TAG !{i}! b\n" for i in range(70_000)) + "---\na: 1\n", 1, "%TAG")
        refused("a\r...\r%TAG !e! b\r--- c\r", 3, "%TAG")


def test_a_second_document_is_refused() -> None:
    refused("a: 1\n---\nb: 2\n", 2, "second document")
    refused("a: 1\n...\n---\n", 3, "second document")


def test_thirty_two_levels_are_accepted_and_thirty_three_refused() -> None:
    assert compose("[" * 32 + "]" * 32, "f").data is not None
    refused("[" * 33 + "]" * 33, 1, "32 levels")
    assert compose("{a: " * 32 + "b" + "}" * 32, "f").data is not None
    refused("\n" + "{a: " * 33 + "b" + "}" * 33, 2, "32 levels")


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "[{a: ", "[\n", "{a: \n", "&a [", "? ", "{? ["])
def test_a_hundred_thousand_levels_are_refused_at_once(unit: str) -> None:
    reason = {"&a [": "anchor", "? ": "key must be text", "{? [": "key must be text"}.get(unit, "32 levels")
    with within(5):
        error = refusal(lambda: compose(unit * 100_000, "f"))
    assert reason in error.en


def test_aliases_that_build_on_each_other_count_as_nesting() -> None:
    chain = "".join(f"- &a{i} [*a{i - 1}]\n" for i in range(1, 60))
    refused("- &a0 [x]\n" + chain, 32, "32 levels")
    refused(f"- &a {'[' * 20}{']' * 20}\n- {'[' * 12}*a{']' * 12}\n", 2, "32 levels")
    assert compose(f"- &a {'[' * 20}{']' * 20}\n- {'[' * 11}*a{']' * 11}\n", "f")


def test_fifty_thousand_nodes_are_accepted_and_one_more_refused() -> None:
    assert len(compose("- a\n" * 49_999, "f").data) == 49_999
    refused("- a\n" * 50_000, 50_000, "50000 values")
    refused("".join(f"k{i}: v\n" for i in range(25_000)), 25_000, "50000 values")


def test_each_use_of_an_alias_counts_all_its_nodes() -> None:
    text = "- &a [" + "x," * 999 + "]\n"
    assert len(compose(text + "- *a\n" * 48, "f").data) == 49
    refused(text + "- *a\n" * 60, 50, "50000 values", "alias")


def test_a_billion_laughs_are_refused_fast_and_in_little_memory() -> None:
    laughs = "a0: &a0 [lol, lol]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    tracemalloc.start()
    try:
        with within(0.5):
            refused(laughs, 6, "50000 values")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_aliases_of_one_long_text_are_refused_too() -> None:
    refused("- &a " + "x" * 100_000 + "\n" + "- *a\n" * 20, 11, "1 MiB of text", "alias")


def test_an_undefined_alias_is_refused() -> None:
    refused("a: 1\nb: *later\nc: &later 2\n", 2, "*later", "no anchor")


@pytest.mark.parametrize("text", ["a: 1\nb: &x\n  - 1\n  - *x\n", "\n\nb: &x\n  c: *x\n", "\n\n&x a:\n  - &y [*y]\n"])
def test_a_self_referencing_alias_is_refused(text: str) -> None:
    refused(text, 4, "own anchor")


def test_an_anchor_of_the_same_name_is_refused_with_the_line_of_the_first() -> None:
    refused("a: &x 1\nb: &x 2\nc: *x\n", 2, "&x", "line 1")


def test_a_merge_key_is_refused() -> None:
    refused("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "<<")
    assert compose("a: <<\n'<<': b\n", "f").data == {"a": "<<", "<<": "b"}


@pytest.mark.parametrize("word", [".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "-.inf", "+.inf", "-.INF", ".nAn"])
def test_a_number_that_is_not_finite_is_refused(word: str) -> None:
    refused(f"a: 1\nb: {word}\n", 2, word)
    refused(f"{word}: 1\n", 1, word)
    assert compose(f"['{word}', x{word}, {word}x]", "f").data == [word, f"x{word}", f"{word}x"]


@pytest.mark.parametrize(
    "escape", ["\\uD800", "\\uDFFF", "\\ud83d\\ude00", "\\UFFFFFFFF", "\\U00110000", "\\0", "\\x00"]
)
def test_an_escape_that_gives_no_character_is_refused(escape: str) -> None:
    refused(f'a: 1\nb: "x{escape}y"\n', 2)
    refused(f'"{escape}": 1\n', 1)


def test_an_escape_beyond_the_basic_plane_is_accepted() -> None:
    assert compose('"\\U0001F600\\t\\e"', "f").data == "😀\t\x1b"


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0f73"])
def test_half_a_million_combining_marks_are_refused_at_once(marks: str) -> None:
    with within(2):
        refused("a: 1\nb: e" + marks * (300_000 // len(marks)), 2, "combining marks")
    assert compose("e" + "\u0323\u0301" * 15, "f").data


@pytest.mark.parametrize("char", ["\0", "\x01", "\x1b", "\x7f", "\x80", "\x9f", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_yaml_forbids_is_refused_with_its_line(char: str) -> None:
    refused(f"a: 1\r\nb: 2\nc: x{char}\n", 3, f"U+{ord(char):04X}")


def test_what_is_quoted_is_short_and_harmless_and_chinese_stays_readable() -> None:
    error = refused('"\\e[2J\u202e消费者\\n": 1\n"\\e[2J\u202e消费者\\n": 2\n', 2, "\\x1b[2J\\u202e消费者\\n")
    assert "\u202e" not in error.zh
    key = "投" * 100
    assert "投" * 59 + "…" in refused(f"{key}: 1\n{key}: 2\n", 2).en
    assert len(refused(f"a: !{'x' * 5000} b", 1).bare_en) < 120
    assert len(refused(f"a: *{'x' * 5000}", 1).bare_en) < 250
    assert len(refused(f"a: !{'x' * 5000}!b c", 1).bare_en) < 200


def test_a_name_with_control_characters_is_escaped_in_the_place() -> None:
    error = refusal(lambda: compose("", "a\n\u202eb\udc80投诉.yaml"))
    assert error.where == "a\\n\\u202eb\\udc80投诉.yaml"


# --- files


def test_a_file_is_read_and_composed_under_its_path_or_a_given_name(tmp_path: Path) -> None:
    path = tmp_path / "投诉.yaml"
    path.write_bytes("\ufeff标题: 热水器\n".encode())
    assert read_text(path) == "标题: 热水器\n"
    assert load(path) == Document({"标题": "热水器"}, {(): 1, ("标题",): 1}, str(path))
    assert load(path, "case").name == "case"
    path.write_bytes(b"a: 1\na: 2\n")
    assert refusal(lambda: load(path)).where == f"{path}:2"
    assert refusal(lambda: load(path, "case")).where == "case:2"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    error = refusal(lambda: read_text(tmp_path / "none.yaml"))
    assert error.where == str(tmp_path / "none.yaml") and "no such file" in error.en
    assert refusal(lambda: load(tmp_path / "none.yaml", "case")).where == "case"


@pytest.mark.parametrize("tail", ["f/x", "y" * 5000, "a\0b", "loop", "a\ud800"])
def test_a_path_that_cannot_be_opened_is_refused(tmp_path: Path, tail: str) -> None:
    (tmp_path / "f").write_text("a: 1")
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read" in refusal(lambda: read_text(tmp_path / tail)).en


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").touch(0o000)
    assert "permissions" in refusal(lambda: read_text(tmp_path / "f")).en


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "directory" in refusal(lambda: read_text(tmp_path)).en


def test_a_pipe_a_socket_and_a_device_are_refused_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with within(1):
            assert "regular file" in refusal(lambda: read_text(Path("fifo"))).en
            assert "regular file" in refusal(lambda: read_text(Path("/dev/zero"))).en
            assert "cannot be read" in refusal(lambda: read_text(Path("socket"))).en


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a: 1")
    before = len(os.listdir("/proc/self/fd"))
    read_text(tmp_path / "f")
    for bad in (tmp_path, Path("/dev/null"), tmp_path / "none"):
        refusal(lambda bad=bad: read_text(bad))  # type: ignore[misc]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_over_one_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"#" * (1 << 20))
    assert len(read_text(path)) == 1 << 20
    path.write_bytes(b"#" * ((1 << 20) + 1))
    assert "1 MiB" in refusal(lambda: read_text(path)).en


def test_a_file_that_is_not_utf_8_is_refused_with_the_line_of_the_bad_byte(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes("a: 1\nb: 好\r\nc: ".encode() + "投诉".encode("gbk"))
    error = refusal(lambda: read_text(path))
    assert error.where == f"{path}:3" and "UTF-8" in error.en and "0x" in error.en
    path.write_bytes("a: 1\n".encode("utf-16"))
    assert refusal(lambda: read_text(path)).where == f"{path}:1"


def test_a_file_with_a_forbidden_character_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"a: 1\nb: \x00\n")
    error = refusal(lambda: read_text(path))
    assert error.where == f"{path}:2" and "U+0000" in error.en


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    assert "empty" in refusal(lambda: load(tmp_path / "f")).en


# --- any text at all

PIECES = (
    ["a", "投", "&x", "*x", "!t", "!!", "%YAML", "%TAG", "1.1", "---", "...", ":", "-", "?", "[", "]", "{", "}", ",", "|", ">", "+", "'", '"', "\\", "\\u", "\\UFFFFFFFF", "\\xD", "#", "<<", "~", "@", "`", "!<"]  # noqa: E501
    + ["%4", "\n", "\n", "\r", "\n  ", "\t", " ", " ", ": ", "- ", "? ", "&x ", "!t ", "%YAML ", "9" * 5000]
    + ["\u2028", "\x85", "\ufeff", "\0", "\ud800"]
)


@settings(FIXTURE_IS_CONSTANT, max_examples=400)
@given(st.one_of(st.text(st.characters(exclude_categories=[])), st.lists(st.sampled_from(PIECES)).map("".join)))
@example("%YAML " + "9" * 5000)
@example('"\\UFFFFFFFF"')
@example("!%ff x")
def test_arbitrary_text_gives_a_document_or_an_input_error(text: str) -> None:
    try:
        document = compose(text, "f")
    except InputError as error:
        assert error.en.isprintable() and error.zh.isprintable()
    else:
        assert isinstance(document.data, dict | list | str | None) and document.lines[()] >= 1


@settings(FIXTURE_IS_CONSTANT)
@given(st.binary())
def test_arbitrary_bytes_give_a_document_or_an_input_error(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "f").write_bytes(raw)
    try:
        load(tmp_path / "f")
    except InputError as error:
        assert error.en.isprintable() and error.zh.isprintable()


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).map(
    lambda text: unicodedata.normalize("NFC", text)
)
TREES = st.recursive(WORDS, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner), max_leaves=20)


@settings(FIXTURE_IS_CONSTANT)
@given(TREES, st.booleans(), st.sampled_from([True, False, None]))
def test_nested_text_dumped_by_pyyaml_comes_back(tree: Any, unicode: bool, flow: bool | None) -> None:
    text = yaml.safe_dump(tree, default_style='"', allow_unicode=unicode, default_flow_style=flow)
    assert compose(text, "f").data == tree
