"""Known findings, acknowledged with a reason: an entry for one finding, nothing hidden beside it, the file whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import CHINESE, alter, casework, given_case, yaml_of
from harness.engines import image
from hypothesis import given, settings
from hypothesis import strategies as st
from test_audit import LAWFUL, columns

from casework.audit.baseline import MOST, Baseline, Entry, acknowledge, read, text
from casework.audit.check import audit_case
from casework.audit.findings import FINDINGS, Finding, Line, findings_of
from casework.audit.integrity import Cover
from casework.cli import files
from casework.cli.files import write_whole
from casework.errors import InputError
from casework.store.ledger.entry import leaf
from casework.store.ledger.ledger import Leaf
from casework.yamlfile import compose

pytestmark = pytest.mark.stores

REASON = "imported before the columns were kept, see ticket 12"
PRINT = "a" * 64


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASEWORK_STORE", raising=False)


def altered_store(to_state: str = "ruled") -> None:
    """One finding: of a column of the second event of K-1."""
    given_case(steps=3)
    set_state(to_state)


def set_state(to_state: str, version: int = 2) -> None:
    alter(f"UPDATE stored_events SET to_state = '{to_state}' WHERE originator_version = {version}")


def write(*options: str, name: str = "known.yaml", reason: str = REASON) -> Any:
    return audit("--write-baseline", name, "--reason", reason, *options)


def audit(*options: str) -> Any:
    """An audit of what the rows themselves say: the ledger tells of every altered row once more, by a leaf."""
    return casework("audit", "--ignore", "ledger,recorded_late", *options)


def entry(**said: Any) -> str:
    """A baseline of one entry, with something else said in it; None leaves a key out."""
    whole = {"code": "column_mismatch", "case": "K-1", "version": "2", "reason": "known", "fingerprint": PRINT} | said
    lines = [f"{key}: {value}" for key, value in whole.items() if value is not None]
    return "- " + "\n  ".join(lines) + "\n"


# --- acknowledging ---------------------------------------------------------------------------------------------------


def test_what_is_written_into_a_baseline_does_not_count_any_more_and_keeps_its_reason() -> None:
    altered_store()
    assert audit().status == 1
    assert "acknowledged: 1" in write().ok().out
    [said] = yaml_of(Path("known.yaml"))
    assert list(said) == ["code", "case", "version", "reason", "fingerprint"]
    assert (said["code"], said["case"], said["version"], said["reason"]) == ("column_mismatch", "K-1", "2", REASON)

    document = audit("--baseline", "known.yaml", "--json").document()
    assert (document["findings"], document["notes"]) == ([], [])
    assert [(f["code"], f["reason"]) for f in document["acknowledged"]] == [("column_mismatch", REASON)]
    assert (document["summary"]["findings"], document["summary"]["acknowledged"]) == (0, 1)
    assert "acknowledged: 1" in audit("--baseline", "known.yaml").ok().out
    assert audit("--baseline", "known.yaml", "--jsonl").ok().out == ""
    assert REASON in audit("--baseline", "known.yaml", "--format", "html").ok().out
    assert audit("--baseline", "known.yaml", "--format", "sarif").document()["runs"][0]["results"][0]["suppressions"]


def test_another_finding_of_the_same_code_at_the_same_place_is_not_hidden() -> None:
    altered_store("ruled")
    write().ok()
    set_state("closed")
    document = audit("--baseline", "known.yaml", "--json").document(status=1)
    assert [(f["code"], f["case"], f["version"]) for f in document["findings"]] == [("column_mismatch", "K-1", 2)]
    assert [n["code"] for n in document["notes"]] == ["baseline_unused"]


def test_another_finding_elsewhere_is_not_hidden() -> None:
    altered_store()
    write().ok()
    set_state("ruled", version=3)
    [finding] = audit("--baseline", "known.yaml", "--json").document(status=1)["findings"]
    assert finding["version"] == 3


@pytest.mark.file
@pytest.mark.parametrize(("before", "after"), [(b"\xff\x00", b"\xfe\x00"), (b"[" * 90, b"[" * 89 + b"{")])
def test_other_bytes_are_another_finding_even_where_the_words_are_the_same(before: bytes, after: bytes) -> None:
    one, other = (next(f for f in audit_case(columns(8, payload=payload)) if f.code == "unreadable_event")
                  for payload in (before, after))
    same_words = replace(other, what=one.what, why=one.why)
    assert one == same_words
    assert one.fingerprint != same_words.fingerprint


@pytest.mark.file
@pytest.mark.parametrize("change", [
    lambda f: replace(f, code="version_gap"), lambda f: replace(f, case="K-2"), lambda f: replace(f, version=3),
    lambda f: replace(f, what=Line(f.what.zh, "else")), lambda f: replace(f, why=Line(f.why.zh, "else")),
    lambda f: replace(f, stored="0"),
])
def test_a_fingerprint_is_of_all_that_makes_a_finding(change: Callable[[Finding], Finding]) -> None:
    finding = Finding("column_mismatch", "K-1", 2, Line("甲", "a"), Line("乙", "b"), "1")
    known = Baseline("known.yaml", {finding.fingerprint: acknowledge(finding, REASON)})
    assert known.of(finding) is not None
    assert known.of(change(finding)) is None


@pytest.mark.file
@pytest.mark.parametrize("said", [{"code": "version_gap"}, {"case": "K-2"}, {"version": 3}])
def test_an_entry_that_was_moved_to_another_place_holds_for_nothing(said: dict[str, Any]) -> None:
    finding = Finding("column_mismatch", "K-1", 2, Line("甲", "a"), Line("乙", "b"))
    moved = acknowledge(finding, REASON)._replace(**said)
    assert Baseline("known.yaml", {moved.fingerprint: moved}).of(finding) is None


def test_the_fingerprint_is_the_same_in_every_language_and_at_every_audit() -> None:
    altered_store()
    write("--lang", "zh", name="zh.yaml").ok()
    write(name="en.yaml").ok()
    assert yaml_of(Path("zh.yaml")) == yaml_of(Path("en.yaml"))


def test_what_the_ledger_tells_of_an_altered_row_is_acknowledged_with_the_rest_and_other_bytes_are_not() -> None:
    altered_store("ruled")
    casework("audit", "--write-baseline", "known.yaml", "--reason", REASON).ok()
    assert sorted(said["code"] for said in yaml_of(Path("known.yaml"))) == ["column_mismatch", "leaf_differs"]
    casework("audit", "--ignore", "recorded_late", "--baseline", "known.yaml").ok()
    set_state("closed")
    document = casework("audit", "--ignore", "recorded_late", "--baseline", "known.yaml", "--json").document(status=1)
    assert sorted(f["code"] for f in document["findings"]) == ["column_mismatch", "leaf_differs"]


@pytest.mark.file
@pytest.mark.parametrize("version", [2, 3])
def test_a_leaf_over_several_events_is_acknowledged_for_the_bytes_of_all_of_them(version: int) -> None:
    written = list(LAWFUL[:3])
    of = Leaf(0, "k", 1, 3, leaf(None, written))

    def told(at: str) -> Finding:
        cover = Cover([of])
        found = [f for row in written for f in cover.take(row._replace(to_state=at) if row.version == version else row)]
        [finding] = findings_of("k", 3, found, written[-1])
        return finding

    one, other = told("ruled"), told("closed")
    assert one.code == other.code == "leaf_differs"
    assert one.fingerprint != other.fingerprint


# --- entries that hold for nothing -----------------------------------------------------------------------------------


def test_an_entry_that_holds_for_nothing_any_more_is_told_as_a_note_with_its_line() -> None:
    given_case(steps=2)
    Path("known.yaml").write_text("# known\n" + entry(), encoding="utf-8")
    ran = casework("audit", "--ignore", "recorded_late", "--baseline", "known.yaml").ok()
    assert "note: baseline_unused  K-1  v2  column_mismatch (known.yaml:2)" in ran.out
    assert "notes: 1" in ran.out
    assert CHINESE.search(casework("audit", "--ignore", "recorded_late", "--baseline", "known.yaml", lang="zh").ok().out)


@pytest.mark.parametrize("options", [("K-1",), ("--select", "law"), ("--ignore", "bytes,times"),
                                     ("--ignore", "baseline_unused,times"),
                                     ("--ignore", "note")])
def test_an_entry_that_this_audit_did_not_look_for_is_not_called_unused(options: tuple[str, ...]) -> None:
    given_case(steps=2)
    Path("known.yaml").write_text(entry(), encoding="utf-8")
    options = ("--ignore", "times", *options) if "--ignore" not in options else options
    assert casework("audit", "--baseline", "known.yaml", "--json", *options).document()["notes"] == []


# --- writing ---------------------------------------------------------------------------------------------------------


def test_a_baseline_is_extended_and_what_was_acknowledged_keeps_its_first_reason() -> None:
    altered_store()
    write().ok()
    set_state("ruled", version=3)
    write("--baseline", "known.yaml", "--overwrite", reason="another one").ok()
    assert [said["reason"] for said in yaml_of(Path("known.yaml"))] == [REASON, "another one"]
    audit("--baseline", "known.yaml").ok()


def test_writing_anew_drops_what_holds_for_nothing_but_not_what_was_not_looked_for() -> None:
    altered_store()
    Path("known.yaml").write_text(entry(), encoding="utf-8")
    write("--baseline", "known.yaml", "--overwrite", "--select", "law").ok()
    assert len(yaml_of(Path("known.yaml"))) == 1
    write("--baseline", "known.yaml", "--overwrite", "K-1").ok()
    assert len(yaml_of(Path("known.yaml"))) == 2
    write("--baseline", "known.yaml", "--overwrite").ok()
    [said] = yaml_of(Path("known.yaml"))
    assert said["fingerprint"] != PRINT


def test_a_clean_store_has_an_empty_baseline_that_can_be_read() -> None:
    given_case()
    write().ok()
    casework("audit", "--ignore", "recorded_late", "--baseline", "known.yaml").ok()


@pytest.mark.file
def test_nothing_is_overwritten_unasked_and_nothing_but_a_baseline_ever() -> None:
    altered_store()
    write().ok()
    before = Path("known.yaml").read_bytes()
    write(reason="other").fails("--write-baseline", "known.yaml", "--overwrite")
    assert Path("known.yaml").read_bytes() == before

    store = image("casework.db")
    for name in ("casework.db", "."):
        write("--overwrite", name=name).fails("--write-baseline", "only a baseline")
    assert image("casework.db") == store


@pytest.mark.parametrize(("options", "words"), [
    (("--write-baseline", "new.yaml"), ("--write-baseline", "--reason")),
    (("--write-baseline", "new.yaml", "--reason", " \u3000 "), ("--write-baseline", "--reason")),
    (("--reason", "x"), ("--reason", "--write-baseline")),
    (("--overwrite",), ("--overwrite", "--write-baseline")),
    (("--write-baseline", "no/such/folder/new.yaml", "--reason", "x"), ("--write-baseline", "No such file")),
    (("--write-baseline", "", "--reason", "x"), ("--write-baseline",)),
    (("--write-baseline", "new.yaml", "--reason", "a\x00b"), ("--write-baseline", "plain words")),
    (("--write-baseline", "new.yaml", "--reason", "a" + "\u0301" * 40), ("--write-baseline",)),
    (("--baseline", "new.yaml"), ("new.yaml", "no such file")),
    (("--baseline", ""), ("directory",)),
])
def test_what_cannot_be_written_or_read_is_told_in_one_line_and_leaves_no_file(options: tuple[str, ...],
                                                                               words: tuple[str, ...]) -> None:
    altered_store()
    before = sorted(os.listdir())
    casework("audit", *options).fails(*words)
    assert CHINESE.search(casework("audit", *options, lang="zh").err)
    assert sorted(os.listdir()) == before


@pytest.mark.file
@pytest.mark.parametrize("fails", ["fsync", "link", "replace"])
def test_a_disk_that_fails_leaves_the_file_as_it_was_and_none_beside_it(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("known.yaml").write_text("before", encoding="utf-8")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, fails, full)
    name = "new.yaml" if fails == "link" else "known.yaml"
    with pytest.raises(InputError, match="No space left on device"):
        write_whole(Path(name), "after", "--write-baseline", replace=fails != "link")
    assert os.listdir() == ["known.yaml"]
    assert Path("known.yaml").read_text(encoding="utf-8") == "before"


@pytest.mark.file
def test_a_file_that_came_in_between_is_not_overwritten() -> None:
    Path("known.yaml").write_text("came in between", encoding="utf-8")
    with pytest.raises(InputError, match="there already"):
        write_whole(Path("known.yaml"), "after", "--write-baseline")
    assert Path("known.yaml").read_text(encoding="utf-8") == "came in between"
    assert os.listdir() == ["known.yaml"]


ENTRIES = st.builds(Entry, st.sampled_from([code for code, row in FINDINGS.items() if row.severity != "note"]),
                    st.text("aK-1'\"#:-[]{}&*!|>%@`~ \\, 案", max_size=20), st.integers(-2**63, 2**63 - 1),
                    st.text("aé案'\"#:-[]{}&*!|>%@`~\\,?", min_size=1, max_size=40),
                    st.integers(0, 2**256 - 1).map(lambda n: f"{n:064x}"), st.just(0))


@pytest.mark.file
@settings(max_examples=60, deadline=None)
@given(st.lists(ENTRIES, max_size=5, unique_by=lambda e: e.fingerprint))
def test_what_is_written_reads_back_the_same(entries: list[Entry]) -> None:
    Path("round.yaml").write_text(text(entries), encoding="utf-8")
    assert [e._replace(line=0) for e in read(Path("round.yaml")).entries.values()] == entries


@pytest.mark.file
def test_a_case_that_reading_would_change_is_acknowledged_all_the_same() -> None:
    finding = Finding("column_mismatch", "e\u0301\u0301 or \u212b", 2, Line("甲", "a"), Line("乙", "b"))
    Path("known.yaml").write_text(text([acknowledge(finding, REASON)]), encoding="utf-8")
    assert read(Path("known.yaml")).of(finding) is not None


@pytest.mark.file
def test_more_than_a_baseline_holds_is_refused_and_as_many_as_it_holds_can_be_read() -> None:
    entries = [Entry("column_mismatch", "K-1", n, "x", f"{n:064x}") for n in range(MOST + 1)]
    assert text(entries[:-1])
    with pytest.raises(InputError, match="--select"):
        text(entries)
    with pytest.raises(InputError, match="1 MiB"):
        text([entries[0]._replace(reason="案" * 400_000)])


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "line", "words"), [
    (entry(reason=None), 2, ("'reason' is missing", "say why")),
    (entry(reason='"  "'), 5, ("'reason'", "say why")),
    (entry(reason="[a, b]"), 5, ("'reason'", "no text")),
    (entry(code="colum_mismatch"), 2, ("unknown finding", "did you mean 'column_mismatch'?")),
    (entry(code="bytes"), 2, ("unknown finding",)),
    (entry(code="no_ledger"), 2, ("is a note", "--ignore")),
    (entry(version="two"), 4, ("'version'", "no whole number")),
    (entry(version="2.0"), 4, ("'version'",)),
    (entry(version=None), 2, ("'version' is missing",)),
    (entry(case="{a: b}"), 3, ("'case'", "no text")),
    (entry(fingerprint="abc"), 6, ("'fingerprint'", "--write-baseline")),
    (entry(fingerprint=None), 2, ("'fingerprint' is missing", "--write-baseline")),
    (entry(colour="red"), 7, ("unknown key 'colour'",)),
    (entry() + entry(), 7, ("on line 2 already",)),
    ("- just text\n", 2, ("an entry has code, case",)),
    ("- \n", 2, ("an entry has",)),
    ("known: yes\n", 2, ("is no baseline",)),
    ("just text\n", 2, ("is no baseline",)),
    ("- code: [\n", None, ("not valid YAML",)),
    ("- !!python/object:os.system {}\n", 2, ("tag",)),
])
def test_a_bad_baseline_is_told_with_file_line_and_remedy(said: str, line: int | None, words: tuple[str, ...]) -> None:
    given_case()
    Path("known.yaml").write_text("# what we know\n" + said, encoding="utf-8")
    place = f"known.yaml:{line}:" if line else "known.yaml:"
    casework("audit", "--ignore", "recorded_late", "--baseline", "known.yaml").fails(place, *words)
    assert CHINESE.search(casework("audit", "--ignore", "recorded_late", "--baseline", "known.yaml", lang="zh").err)


def test_a_baseline_may_be_written_by_hand_with_comments_and_any_style() -> None:
    altered_store()
    write().ok()
    [said] = yaml_of(Path("known.yaml"))
    by_hand = f"[{{fingerprint: {said['fingerprint']}, code: column_mismatch, version: '2', # why?\n case: K-1, reason: known}}]"
    assert len(Baseline("x", read_text(by_hand)).entries) == 1
    Path("known.yaml").write_text(by_hand, encoding="utf-8")
    audit("--baseline", "known.yaml").ok()


def read_text(said: str) -> dict[str, Entry]:
    Path("by_hand.yaml").write_text(said, encoding="utf-8")
    assert compose(said, "by_hand.yaml").line((0, "case")) == 2
    return read(Path("by_hand.yaml")).entries


@pytest.mark.file
def test_an_unknown_key_of_an_entry_is_told_cut_with_those_that_there_are() -> None:
    Path("known.yaml").write_text(entry(**{"k" * 50: "x"}), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read(Path("known.yaml"))
    assert refused.value.bare_en == (f"unknown key '{'k' * 40}'; an entry has code, case, version, reason, fingerprint")
    assert refused.value.bare_zh == f"未知的键“{'k' * 40}”；每项含 code、case、version、reason、fingerprint"
