"""``casework rules``: what it lists, shows, compares and computes; rulebook files of one's own, and every fault in them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import CHINESE, casework, process
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.errors import InputError
from casework.rulebook import files
from casework.rulebook.edition import CURRENT, Edition

LIMITS = sorted({r.id for r in CURRENT.records if r.counts_time})
SUMS = sorted({r.id for r in CURRENT.records if not r.counts_time})


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CASEWORK_LANG", "CASEWORK_STORE"):
        monkeypatch.delenv(name, raising=False)


# --- look up ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "value", "rank", "overridden"), [
    ("2024-06-30", 45, "rule", []), ("2024-07-01", 60, "regulation", [45]), ("2026-04-15", 60, "regulation", [60]),
])
def test_the_list_holds_what_governs_on_the_day_and_what_it_overrides(day: str, value: int, rank: str, overridden: Any) -> None:
    rules = {r["id"]: r for r in casework("rules", "--on", day, "--json").document()["rules"]}
    found = rules["mr12315.mediate"]
    assert (found["value"], found["rank"], [r["value"] for r in found["overrides"]]) == (value, rank, overridden)
    assert set(rules) == {rule for rule in CURRENT.rules() if CURRENT.in_force(rule, files.date.fromisoformat(day))}


def test_a_rule_is_shown_with_all_its_records_and_the_one_that_governs() -> None:
    found = casework("rules", "mr12315.mediate", "--on", "2024-07-01", "--json").document()
    assert [(r["value"], r["rank"], r["from"], r["governs"], r["overridden"]) for r in found["records"]] == [
        (45, "rule", "2020-01-01", False, True), (60, "regulation", "2024-07-01", True, False),
        (60, "rule", "2026-04-15", False, False)]
    text = casework("rules", "mr12315.mediate", "--on", "2024-07-01").ok().out
    assert "→ 2024-07-01 …  60 days  regulation" in text
    assert "45 working days  rule  [overridden by a higher rank]" in text
    assert "第46条" in text


@pytest.mark.parametrize("rule", sorted({r.id for r in CURRENT.records}))
def test_every_rule_is_shown_in_both_languages_and_what_is_not_verified_says_so(rule: str) -> None:
    english, chinese = (casework("rules", rule, lang=lang).ok().out for lang in ("en", "zh"))
    assert CHINESE.search(chinese)
    unsure = any(r.unverified for r in CURRENT.of(rule))
    assert ("[unverified]" in english) == ("[未经核实]" in chinese) == unsure


def test_the_list_marks_what_is_not_verified_and_nothing_else() -> None:
    out = casework("rules", "--on", "2026-11-22").ok().out
    marked = {line.split()[0] for line in out.splitlines() if line.endswith("[unverified]")}
    assert marked == {r.id for r in CURRENT.records if r.unverified and r.to is None}


def test_what_ended_without_a_successor_is_not_in_the_list_and_governs_no_more() -> None:
    assert "tipoff.tell_decision" in casework("rules", "--on", "2026-04-14").ok().out
    assert "tipoff.tell_decision" not in casework("rules", "--on", "2026-04-15").ok().out
    casework("rules", "due", "tipoff.tell_decision", "--from", "2026-04-15").fails("tipoff.tell_decision", "casework rules")


def test_two_days_are_compared_rank_by_rank() -> None:
    changes = {c["rule"]: c for c in casework("rules", "diff", "2026-04-14", "2026-04-15", "--json").document()["changes"]}
    mediate = changes["mr12315.mediate"]
    assert (mediate["rank"], mediate["change"], mediate["governs"]) == ("rule", "changed", False)
    assert (mediate["before"]["value"], mediate["after"]["value"]) == (45, 60)
    assert (changes["mr12315.accept"]["change"], changes["tipoff.tell_decision"]["change"]) == ("clause", "ended")
    july = casework("rules", "diff", "2024-06-30", "2024-07-01").ok().out
    assert "+ mr12315.mediate  regulation  60 days" in july
    assert casework("rules", "diff", "2026-05-01", "2026-05-02", "--json").document()["changes"] == []


# --- the calculators -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("argv", "due"), [
    (("mr12315.accept", "--from", "2026-02-10T09:00:00+08:00"), "2026-02-26"),
    (("mr12315.accept", "--from", "2026-09-24"), "2026-10-12"),
    (("mr12315.mediate", "--from", "2026-04-14"), "2026-06-13"),
    (("mr12315.mediate", "--from", "2026-04-14", "--rank", "rule"), "2026-06-18"),
    (("mr12315.mediate", "--from", "2026-04-15", "--rank", "rule"), "2026-06-14"),
    (("mr12315.mediate", "--from", "2026-04-15", "--roll", "rest_day"), "2026-06-15"),
    (("mr12315.mediate", "--from", "2026-04-15", "--on", "2024-06-30"), "2026-06-22"),
    (("no_reason_return.window", "--from", "2026-02-08"), "2026-02-24"),
    (("no_reason_return.window", "--from", "2026-02-08", "--roll", "none"), "2026-02-15"),
    (("no_reason_return.window", "--from", "2026-02-08", "--edition", "2026-11"), "2026-02-15"),
    (("no_reason_return.window.taobao", "--from", "2026-02-08T23:59:00+08:00"), "2026-02-16T00:00:00+08:00"),
    (("no_reason_return.window.taobao", "--from", "2026-02-08", "--tz", "UTC"), "2026-02-15T16:00:00+00:00"),
    (("platform.reply", "--from", "2026-02-08"), "2026-02-09T00:00:00+08:00"),
    (("mr12315.accept", "--from", "2026-02-09T16:30:00Z"), "2026-02-26"),
])
def test_when_a_limit_ends(argv: tuple[str, ...], due: str) -> None:
    found = casework("rules", "due", *argv, "--json").document()
    assert (found["due"], found["rule"], found["provisional"]) == (due, argv[0], False)


def test_the_answer_says_that_the_regulation_overrides_the_order() -> None:
    found = casework("rules", "due", "mr12315.mediate", "--from", "2024-07-01", "--json").document()
    assert (found["value"], found["unit"], found["rank"]) == (60, "day", "regulation")
    assert [(r["rank"], r["value"], r["unit"]) for r in found["overrides"]] == [("rule", 45, "working_day")]
    text = casework("rules", "due", "mr12315.mediate", "--from", "2024-07-01").ok().out
    assert "overrides: 45 working days" in text and "lower rank" in text
    assert "取代：45 个工作日" in casework("rules", "due", "mr12315.mediate", "--from", "2024-07-01", lang="zh").ok().out


def test_a_calendar_that_is_not_published_makes_the_answer_provisional() -> None:
    found = casework("rules", "due", "mr12315.accept", "--from", "2040-03-01", "--json").document()
    assert found["provisional"] is True and len(found["counted"]) == 7
    assert "provisional" in casework("rules", "due", "mr12315.accept", "--from", "2040-03-01").ok().out


def test_an_extension_and_a_rule_that_was_not_in_force_yet_are_told() -> None:
    found = casework("rules", "due", "tipoff.check", "--from", "2026-02-10", "--json").document()
    assert (found["due"], found["extended"]["due"]) == ("2026-03-09", "2026-03-30")
    assert casework("rules", "due", "ship.within", "--from", "2019-03-04", "--json").document()["in_force"] is False
    assert "earliest known" in casework("rules", "due", "ship.within", "--from", "2019-03-04").ok().out


@pytest.mark.parametrize("rule", LIMITS)
def test_every_rule_that_counts_time_answers(rule: str) -> None:
    found = casework("rules", "due", rule, "--from", "2026-03-02T10:00:00+08:00", "--json").document()
    assert found["due"] > "2026-03-02" and found["counted"] and found["rule"] == rule
    assert found["unverified"] == CURRENT.governing(rule, files.date(2026, 3, 2)).unverified
    for lang, mark in (("en", "[unverified]"), ("zh", "[未经核实]")):
        text = casework("rules", "due", rule, "--from", "2026-03-02", lang=lang).ok().out
        assert (mark in text) == found["unverified"]


@pytest.mark.parametrize("rule", SUMS)
def test_every_rule_that_counts_money_answers(rule: str) -> None:
    found = casework("rules", "amount", rule, "--price", "166.67", "--json").document()
    assert found["rule"] == rule and found["steps"] and found["awarded_by"]
    for lang, mark in (("en", "[unverified]"), ("zh", "[未经核实]")):
        assert (mark in casework("rules", "amount", rule, "--price", "1", lang=lang).ok().out) == found["unverified"]


def test_the_day_that_a_record_goes_by_may_be_given_for_itself() -> None:
    argv = ("rules", "due", "dispute.suspend.self_settle", "--from", "2026-03-01", "--json", "--act", "2020-01-01")
    assert casework(*argv, "--decision", "2026-03-01").document()["in_force"] is True
    assert casework(*argv).document()["in_force"] is False
    casework(*argv, "--on", "2026-03-01").fails("--on")


@pytest.mark.parametrize(("argv", "words"), [
    (("fraud.multple",), ("unknown rule 'fraud.multple'", "did you mean 'fraud.multiple'?")),
    (("impct",), ("unknown rule",)),
    (("dues",), ("did you mean 'due'?",)),
    (("mediate",), ("did you mean 'mr12315.mediate'?",)),
    (("zzz",), ("see casework rules",)),
    (("due", "fraud.multiple", "--from", "2026-01-01"), ("sum of money", "casework rules amount fraud.multiple")),
    (("amount", "mr12315.accept", "--price", "1"), ("limit of time", "casework rules due mr12315.accept")),
    (("due", "mr12315.acept", "--from", "2026-01-01"), ("did you mean 'mr12315.accept'?",)),
    (("due", "mr12315.accept"), ("--from",)),
    (("due", "mr12315.accept", "--from", "yesterday"), ("--from", "2026-03-01T10:00:00+08:00")),
    (("due", "mr12315.accept", "--from", "2026-13-01"), ("--from", "2026-13-01", "2026-04-15")),
    (("due", "mr12315.accept", "--from", "2026-04-15T10:00"), ("--from", "+08:00")),
    (("due", "mr12315.accept", "--from", "2026-01-01T10:00:00"), ("--from", "offset")),
    (("due", "mr12315.accept", "--from", "2026-01-01", "--rank", "law"), ("no record of rank law",)),
    (("due", "mr12315.accept", "--from", "2026-01-01", "--on", "1.1.2026"), ("--on", "2026-03-01")),
    (("due", "data.retention", "--from", "9999-01-01"), ("9999",)),
    (("amount", "fraud.multiple"), ("--price",)),
    (("amount", "fraud.multiple", "--price", "1e3"), ("--price", "166.67")),
    (("amount", "fraud.multiple", "--price", "-1"), ("--price",)),
    (("amount", "fraud.multiple", "--price", "1.005"), ("--price", "two decimals")),
    (("amount", "damage_cover", "--loss", "5"), ("--paid", "--price")),
    (("--on", "2026-02-30"), ("--on",)),
    (("--edition", "2020-01"), ("2026-11.2",)),
    (("diff", "2026-01-01", "tomorrow"), ("DATE2",)),
    (("check", "--lock", "2026-11"), ("--lock", "not published yet")),
    (("check", "x.yaml", "--lock", "2027-01"), ("--lock",)),
    (("--rules", "nothing.yaml"), ("nothing.yaml", "no such file")),
])
def test_what_cannot_be_answered_is_one_line_with_a_remedy(argv: tuple[str, ...], words: tuple[str, ...]) -> None:
    casework("rules", *argv).fails(*words)
    assert CHINESE.search(casework("rules", *argv, lang="zh").fails().err)


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.lists(st.sampled_from([
    "due", "amount", "diff", "check", "show", "mr12315.accept", "fraud.multiple", "--from", "--on", "2026-03-01", "9999-12-31",
    "0001-01-01", "--price", "1.00", "--json", "--rules", ".", "--rank", "rule", "--roll", "rest_day", "--edition", "2026-11",
    "--lock", "--help", "--act",
]) | st.text(st.characters(exclude_characters="/~\0"), max_size=6), max_size=6))
def test_whatever_is_typed_there_is_no_traceback(argv: list[str]) -> None:
    casework("rules", *argv)


def test_help_is_in_both_languages_for_each_command() -> None:
    for name in ("due", "amount", "diff", "check"):
        assert not CHINESE.search(casework("rules", name, "--help").ok().out)
        assert "用法：" in casework("rules", name, "--help", lang="zh").ok().out
    for word in ("due", "amount", "diff", "check", "--on"):
        assert word in casework("rules", "--help").ok().out
    assert "Usage: casework rules [OPTIONS] [ID]" in casework("rules", "-h").ok().out


# --- files of one's own ----------------------------------------------------------------------------------------------

GOOD = """\
about: 某省的规定
records:
  - id: consumer_assoc.accept.js
    value: 5
    unit: working_day
    from: 2020-01-01
    to: 2022-12-31
    rank: local
    applies_by: filing
    clause: 某省条例 30
    certainty: B
    zh: 五个工作日内决定是否受理。
    en: Accepts within five working days.
  - id: consumer_assoc.accept.js
    value: 3
    unit: working_day
    from: 2023-01-01
    rank: local
    applies_by: filing
    clause: 某省条例 31
    certainty: C
    zh: 三个工作日内决定是否受理（未核实）。
    en: Accepts within three working days (unverified).
  - id: promised.late
    value: 2.5
    unit: percent
    of: paid
    min: "1.00"
    max: "9.50"
    awarded_by: [platform, court]
    from: unknown
    rank: platform
    applies_by: decision
    clause: 店铺承诺
    certainty: A
    zh: 延迟赔付。
    en: Paid when late.
"""


def own(text: str = GOOD, name: str = "own.yaml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_one_is_told_as_one() -> None:
    alone = GOOD[:GOOD.index("  - id:", GOOD.index("  - id:") + 1)]
    assert casework("rules", "check", own(alone)).ok().out == "own.yaml: 1 record\n"


def test_a_file_of_ones_own_extends_the_calculators_without_code() -> None:
    path = own()
    assert casework("rules", "check", path).ok().out == "own.yaml: 3 records\n"
    found = casework("rules", "due", "consumer_assoc.accept.js", "--from", "2026-02-10", "--rules", path, "--json").document()
    assert (found["due"], found["value"], found["unverified"]) == ("2026-02-13", 3, True)
    old = casework("rules", "due", "consumer_assoc.accept.js", "--from", "2022-12-30", "--rules", path, "--json").document()
    assert old["value"] == 5
    money = casework("rules", "amount", "promised.late", "--paid", "199.80", "--rules", path, "--json").document()
    assert (money["amount"], money["edition"]) == ("5.00", "2026-11.2+")
    Path("folder").mkdir()
    shutil.copy(path, "folder/a.yml")
    assert "consumer_assoc.accept.js" in casework("rules", "--rules", "folder").ok().out
    assert casework("rules", "mr12315.accept", "--rules", path).ok()
    casework("rules", "consumer_assoc.accept.js").fails("unknown rule")


FAULTS = [
    # what to change, into what, the line of the fault, words of the message
    ("    unit: working_day\n    from: 2023", "    unit: week\n    from: 2023", 16, ("unknown unit 'week'", "working_day")),
    ("to: 2022-12-31", "to: 2019-12-31", 7, ("ends on 2019-12-31, before it begins on 2020-01-01", "correct from: or to:")),
    ("to: 2022-12-31", "to: 2023-06-30", 17, ("overlaps the record on own.yaml:3", "to: 2022-12-31")),
    ("    to: 2022-12-31\n", "", 16, ("overlaps the record on own.yaml:3", "to: 2022-12-31")),
    ("from: 2023-01-01", "from: 2020-01-01", 17, ("there twice", "own.yaml:3", "delete one")),
    ("from: 2023-01-01", "from: 2024-01-01", 17, ("2023-01-01 to 2023-12-31", "gap_before:")),
    ("from: 2023-01-01\n    rank: local", "from: 2023-01-01\n    rank: city", 18, ("unknown rank 'city'", "local")),
    ("certainty: B", "certainty: sure", 11, ("unknown certainty 'sure'",)),
    ("value: 5", "value: five", 4, ("value cannot be 'five'", "such as 7")),
    ("value: 5", "value: 0", 4, ("value cannot be '0'",)),
    ("value: 5", "value: 1.5", 4, ("whole number",)),
    ("value: 5", "value: 10000", 4, ("at most 9999",)),
    ("value: 5", "value:", 4, ("an empty field",)),
    ("from: 2020-01-01", "from: 01.01.2020", 6, ("from cannot be", "2026-04-15")),
    ("from: 2020-01-01", "from: 2020-02-30", 6, ("from cannot be",)),
    ("    clause: 某省条例 30\n", "", 3, ("lacks clause", "add")),
    ("    value: 5\n", "    valeu: 5\n", 4, ("unknown key 'valeu'", "did you mean 'value'?")),
    ("id: promised.late", "id: Promised late", 24, ("id cannot be", "mr12315.accept")),
    ("    of: paid\n", "", 26, ("percent of what?", "add of:")),
    ("unit: percent", "unit: yuan", 27, ("delete of:",)),
    ('min: "1.00"', 'min: "10.00"', 29, ("max 9.50 is below min 10.00",)),
    ('min: "1.00"', 'min: "1.001"', 28, ("min cannot be", "500.00")),
    ("awarded_by: [platform, court]", "awarded_by: [police]", 30, ("awarded_by cannot be", "mediation")),
    ("    awarded_by: [platform, court]\n", "", 26, ("who may award it?",)),
    ("certainty: B", "certainty: B\n    of: price", 12, ("of: is for sums of money", "delete it")),
    ("certainty: A", "certainty: A\n    roll: holiday", 36, ("roll: is for limits of time", "delete it")),
    ("certainty: B", "certainty: B\n    since: 2030-01", 12, ("there is no edition 2030-01", "2026-11.2")),
    ("records:", "rules:", 1, ("records:",)),
    ("about: 某省的规定", "abut: 某省的规定", 1, ("unknown key 'abut'", "about")),
    ("value: 5", "value: 5\n    value: 6", 5, ("already on line 4",)),
    ("value: 5", "value: [5", 5, ("YAML",)),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS, ids=lambda v: str(v).strip()[:30])
def test_a_fault_of_a_file_is_told_with_file_line_and_remedy(old: str, new: str, line: int, words: tuple[str, ...]) -> None:
    assert GOOD.count(old) == 1, old
    path = own(GOOD.replace(old, new))
    casework("rules", "check", path).fails(f"own.yaml:{line}: ", *words)
    casework("rules", "--rules", path).fails(f"own.yaml:{line}: ", *words)
    chinese = casework("rules", "check", path, lang="zh").fails(f"own.yaml:{line}：").err
    assert CHINESE.search(chinese) and ("请" in chinese or "是否指" in chinese)


def test_all_faults_are_told_at_once_and_as_json_too() -> None:
    path = own(GOOD.replace("value: 5", "value: five").replace("certainty: A", "certainty: Z"))
    ran = casework("rules", "check", path, own("records: []", "empty.yaml"), own("[]", "list.yaml"))
    assert ran.status == 2 and ran.out == ""
    assert [line.split(" ")[1] for line in ran.err.splitlines()] == ["own.yaml:4:", "own.yaml:35:", "list.yaml:1:"]
    data = casework("rules", "check", path, "--json").document(2)
    assert [f["where"] for f in data["faults"]] == ["own.yaml:4", "own.yaml:35"]
    casework("rules", "--rules", path).fails("own.yaml:4", "1 more")


def test_the_published_files_may_be_checked_by_their_path() -> None:
    assert casework("rules", "check", str(files.FOLDER / "taobao.yaml")).ok().out.endswith("taobao.yaml: 27 records\n")
    assert casework("rules", "check", str(files.FOLDER)).ok()


def test_unknown_and_the_first_of_all_days_are_one_beginning() -> None:
    text = GOOD.replace("from: 2020-01-01", "from: unknown").replace("from: 2023-01-01", "from: 0001-01-01")
    casework("rules", "check", own(text)).fails("own.yaml:17", "there twice")


def test_a_gap_with_its_reason_is_none() -> None:
    text = GOOD.replace("from: 2023-01-01", "from: 2024-01-01\n    gap_before: 旧条例废止，新条例一年后施行")
    assert casework("rules", "check", own(text)).ok()


def test_a_record_that_meets_a_published_one_is_told_on_the_line_of_ones_own() -> None:
    text = GOOD.replace("id: promised.late", "id: promised.mismatch")
    casework("rules", "check", own(text)).fails("own.yaml:31", "there twice", "casework/rulebook/records/taobao.yaml:")
    later = text.replace("from: unknown", "from: 2027-01-01")
    casework("rules", "check", own(later)).fails("own.yaml:31", "overlaps", "taobao.yaml:")
    assert casework("rules", "check", own(later.replace("rank: platform", "rank: local"))).ok()


def test_the_same_rule_may_have_a_record_of_another_rank() -> None:
    path = own(GOOD.replace("id: promised.late", "id: promised.mismatch").replace("rank: platform", "rank: rule"))
    found = casework("rules", "amount", "promised.mismatch", "--price", "100", "--rules", path, "--json").document()
    assert (found["amount"], found["rank"], found["overrides"][0]["rank"]) == ("2.50", "rule", "platform")


@pytest.mark.parametrize(("make", "words"), [
    (lambda: Path("none").mkdir(), ("none", "no .yaml file")),
    (lambda: None, ("none", "no such file")),
    (lambda: Path("none").write_bytes(b"\xff\xfe\x00"), ("none",)),
])
def test_a_path_that_is_no_rulebook_is_told(make: Any, words: tuple[str, ...]) -> None:
    make()
    casework("rules", "check", "none").fails(*words)


# --- what was published ----------------------------------------------------------------------------------------------


def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(files.FOLDER, tmp_path / "records"))


def edit(folder: Path, file: str, old: str, new: str) -> list[InputError]:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return files.read_published(folder)[2]


def line_of(file: str, text: str) -> int:
    lines = (files.FOLDER / file).read_text(encoding="utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line)


def test_the_published_files_are_sound() -> None:
    lock, entries, faults = files.read_published(files.FOLDER)
    assert faults == []
    assert "\n".join(files.lock_text(lock, entries)) + "\n" == (files.FOLDER / files.LOCK).read_text(encoding="utf-8")
    out = casework("rules", "check").ok().out
    assert "edition 2026-11: 20 records, digest fc50101787a378be" in out and f"digest {CURRENT.digest}" in out


def test_a_record_edited_after_it_was_published_is_named_with_its_line(tmp_path: Path) -> None:
    line = line_of("consumer_law.yaml", "id: fraud.multiple")
    [fault] = edit(copy(tmp_path), "consumer_law.yaml", 'min: "500.00"', 'min: "600.00"')
    assert fault.where == f"casework/rulebook/records/consumer_law.yaml:{line}"
    assert "fraud.multiple was edited after edition 2026-11.2 was published" in fault.en and "add a new record" in fault.en


def test_a_record_of_two_editions_that_is_edited_is_named_for_both(tmp_path: Path) -> None:
    faults = edit(copy(tmp_path), "unverified.yaml", "value: 24", "value: 48")
    assert {f.where.rpartition("/")[2] for f in faults} == {f"unverified.yaml:{line_of('unverified.yaml', 'id: platform.reply')}"}


def test_a_sentence_may_be_mended(tmp_path: Path) -> None:
    assert edit(copy(tmp_path), "consumer_law.yaml", "七日内返还价款。", "七日之内返还价款。") == []


def test_a_record_that_is_gone_and_one_that_came_later_are_told(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    (folder / "couriers.yaml").write_text("records: []\n", encoding="utf-8")
    faults = files.read_published(folder)[2]
    assert len(faults) == 4 and all("is gone; restore it" in f.en and "editions.yaml:" in f.where for f in faults)
    (folder / "more.yaml").write_text(GOOD.replace("certainty: A", "certainty: A\n    since: 2026-11.2"), encoding="utf-8")
    assert any("more.yaml:25" in f.where and "takes no more records" in f.en for f in files.read_published(folder)[2]) or any(
        "more.yaml:3" in f.where and "since:" in f.en for f in files.read_published(folder)[2])


def test_an_altered_rulebook_stops_what_needs_it_with_one_line_and_no_traceback(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    edit(folder, "taobao.yaml", "value: 168", "value: 169")
    patched = ("import sys; from pathlib import Path; from casework.rulebook import files; "
               f"files.FOLDER = Path({str(folder)!r}); from casework.__main__ import main; main()")
    process("rules", program=("-c", patched)).fails("taobao.yaml:", "edited after edition", "restore it")
    process("audit", "--store", ":none:", program=("-c", patched)).fails("no store")


def test_a_new_edition_is_written_by_hand_and_its_lock_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy(tmp_path)
    row = GOOD[GOOD.index("  - id: promised.late"):]
    with (folder / "taobao.yaml").open("a", encoding="utf-8") as file:
        file.write(row + "    since: 2027-01\n")
    assert "there is no edition 2027-01" in files.read_published(folder)[2][0].en
    monkeypatch.setattr(files, "FOLDER", folder)
    text = casework("rules", "check", "--lock", "2027-01").ok().out
    (folder / files.LOCK).write_text(text, encoding="utf-8")
    lock, entries, faults = files.read_published(folder)
    assert faults == [] and [e.id for e in lock.editions] == ["2026-11", "2026-11.2", "2027-01"]
    newest = Edition("2027-01", tuple(e.record for e in files.of_edition(entries, "2027-01", lock)))
    assert newest.has("promised.late") and newest.digest == lock.editions[-1].digest
    assert lock.editions[1].digest == CURRENT.digest


@pytest.mark.parametrize("text", ["", "editions: []\nrecords: {}\n", "- x\n", "editions: [{id: x}]\nrecords: {}\n"])
def test_a_lock_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    folder = copy(tmp_path)
    (folder / files.LOCK).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"editions\.yaml"):
        files.read_published(folder)


@pytest.mark.parametrize(("price", "en", "zh"), [
    ("1000000000000", "--price: is more than 999999999999.99 yuan", "--price：超过所能计算的最大金额 999999999999.99 元"),
    ("9" * 40, "--price: is more than 999999999999.99 yuan", "--price：超过所能计算的最大金额 999999999999.99 元"),
    ("-5", "--price: is less than nothing", "--price：金额不能为负"),
    ("5.555", "--price: write yuan with at most two decimals", "--price：请写金额（元），最多两位小数"),
    ("1e5", "--price: write yuan with at most two decimals", "--price：请写金额（元），最多两位小数")])
def test_a_sum_that_cannot_be_reckoned_with_is_refused_for_its_own_reason(price: str, en: str, zh: str) -> None:
    for lang, text in (("en", en), ("zh", zh)):
        ran = casework("rules", "amount", "fraud.multiple", f"--price={price}", lang=lang)
        assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1) and text in ran.err
    assert casework("rules", "amount", "fraud.multiple", "--price=999999999999.99").ok().out
