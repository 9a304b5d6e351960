"""What a finding says: which value is wrong and what it should be, how much of something is, and where; no more and no less."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
import test_standing_audit as standing
from harness.commands import opened
from harness.engines import connect
from ledger_helpers import sample
from standing_helpers import Market
from test_audit import LAWFUL, changed, forge, with_advance, with_referral, with_return

from casework import verifier
from casework.application.service import carry_on
from casework.audit import index
from casework.audit.check import Summary, audit, audit_case
from casework.audit.findings import LONGEST_ID, Fault, Finding, Line, digest, findings_of, shown
from casework.audit.index import Tally
from casework.audit.integrity import Cover, Integrity, _order
from casework.audit.limits import governing
from casework.audit.signed import Signed
from casework.errors import InputError
from casework.rulebook.edition import CURRENT
from casework.store.ledger.entry import leaf
from casework.store.ledger.journal import Journal
from casework.store.ledger.ledger import Leaf, Ledger
from casework.store.ledger.note import Checkpoint, Signer
from casework.store.opening import open_reader, open_store
from casework.store.row import DueRow, Row

pytestmark = pytest.mark.stores

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def one(found: list[Finding], code: str) -> Finding:
    [this] = [f for f in found if f.code == code]
    return this


# --- values ------------------------------------------------------------------------------------------------------------------


@pytest.mark.file
@pytest.mark.parametrize(("version", "name", "wrong"), [
    (3, "track", "general"), (2, "until", "2026-03-03T00:00:00Z"), (2, "measure", "warning"), (2, "clause", "x"),
    (2, "certainty", "A"), (5, "points", 25), (9, "amount", "90.00")])
def test_a_finding_of_a_standing_names_the_value_and_tells_both(version: int, name: str, wrong: Any) -> None:
    row = standing.of_stream(standing.LAWFUL)[version - 1]
    right = json.loads(row.payload)["data"][name]
    found = [f for f in audit(standing.forge(version, data={name: wrong})) if f.version == version]
    said = one(found, "standing_differs")
    assert f"{name} is " in said.what.en
    assert str(wrong)[:10] in said.what.en
    assert str(right)[:10] in said.why.en


@pytest.mark.file
@pytest.mark.parametrize(("name", "said"), [
    ("by", {"by": {"role": "agent", "id": "A-9"}}), ("command_id", {"command_id": "another"}),
    ("kind", {"data": {"kind": "removal"}}), ("clause", {"data": {"clause": "某条"}}), ("judges", {"data": {"judges": ["A-7"]}}),
    ("forged", {"data": {"forged": True}}), ("at", {"at": "2026-03-02T10:59:59Z"}),
    *((f"{due}.{part}", {due: {part: wrong}}) for due in ("publish_by", "appeal_by") for part, wrong in [
        ("rule", "x"), ("clause", "某条"), ("certainty", "I"), ("at", "2027-01-01T00:00:00Z")])])
def test_a_penalty_that_is_not_what_the_ruling_laid_is_told_by_the_value_and_once(name: str, said: Any) -> None:
    told = one(found := list(audit(standing.forge(3, **said))), "standing_differs")
    assert [(f.code, f.version) for f in found] == [("standing_differs", 3)]
    assert told.what.en.startswith(f"{name} is ") and told.what.zh.startswith(f"{name} 为 ")
    assert told.why.en.startswith("by the case it is ") and "; " not in told.why.en
    assert "None" not in told.what.en and ("None" in told.why.en) == (name == "clause"), "a warning rests on no clause of its own"


@pytest.mark.file
def test_a_penalty_without_the_time_to_appeal_that_the_rules_set_is_told() -> None:
    row = standing.of_stream(standing.LAWFUL)[2]
    without = {key: value for key, value in json.loads(row.payload).items() if key != "appeal_by"}
    payload = json.dumps(without, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    rows = [row._replace(payload=payload) if here == row else here for here in standing.LAWFUL]
    assert one(list(audit(rows)), "standing_differs").what.en == "appeal_by is 'None'"


@pytest.mark.file
def test_what_a_merchants_stream_lacks_is_told_by_kind_and_name_where_the_case_brings_it() -> None:
    found = list(audit([row for row in standing.LAWFUL if row.case != standing.STREAM]))
    said = {(f.case, f.version): f.what.en for f in found if f.code == "standing_missing"}
    first = standing.RULED
    assert said == {
        ("K-1", first): "penalty_imposed K-1/11.1; penalty_imposed K-1/11.2", ("K-1", first + 3): "advance_owed K-1",
        ("K-1", first + 4): "advance_recovered K-1", ("K-2", 11): "penalty_imposed K-2/11.1",
        ("K-2", 15): "penalty_annulled K-2/11.1; penalty_imposed K-2/15.1"}
    assert all(f.what.zh == f.what.en.replace("; ", "；") and "商家记录" in f.why.zh for f in found)


@pytest.mark.file
def test_where_the_stream_cannot_be_read_what_it_lacks_is_not_checked_and_why() -> None:
    rows = [row._replace(payload=b"{") if (row.case, row.version) == (standing.STREAM, 3) else row for row in standing.LAWFUL]
    said = one([f for f in audit(rows) if f.case == "K-1"], "not_checked")
    assert said.what.en == "penalty_imposed K-1/11.2"
    assert said.why.en == "the merchant's stream: version 3 could not be read"
    assert said.why.zh == "商家记录不完整：版本 3 无法读取"


@pytest.mark.file
def test_the_stream_records_what_a_case_brings_with_it_or_after_it_and_not_before() -> None:
    assert list(audit(standing.forge(3, recorded_at="2026-03-02T20:00:00Z"))) == []
    told = one([f for f in audit(standing.forge(3, recorded_at="2026-03-02T10:00:00Z"))], "standing_differs")
    assert told.what.en == "recorded_at is '2026-03-02 10:00:00+00:00'"
    assert told.why.en == "by the case it is '2026-03-02 11:00:00+00:00'"


@pytest.mark.file
@pytest.mark.parametrize(("day", "found"), [
    ("2061-12-31", False), ("2062-01-25", False), ("2062-03-01", True), ("2061-11-01", True)])
def test_of_a_penalty_that_waits_for_a_calendar_the_day_is_an_estimate(day: str, found: bool) -> None:
    with Market(start=datetime(2061, 12, 28, 1, tzinfo=UTC)) as market:
        rows = list(market.ruled("K-1", 3).store.rows())
    place, row = next((n, row) for n, row in enumerate(rows) if row.case == standing.STREAM)
    for name in ("publish_by", "appeal_by"):
        due = json.loads(row.payload)[name] | {"at": f"{day}T15:59:59.999999Z", "provisional": True}
        altered = [*rows[:place], standing.forged(row, **{name: due}), *rows[place + 1:]]
        said = [f.what.en for f in audit(altered)]
        assert said == ([f"{name}.at is '{day} 15:59:59.999999+00:00'"] if found else []), name


@pytest.mark.file
def test_a_measure_that_was_not_taken_is_told_of_the_stream_that_lacks_it() -> None:
    rows = [row for row in standing.of_stream(standing.LAWFUL) if row.version < 5]
    said = one(audit_case(rows), "standing_missing")
    assert (said.case, said.version) == (standing.STREAM, 4)


@pytest.mark.file
@pytest.mark.parametrize(("field", "wrong"), [("due.at", "2027-01-01T00:00:00Z"), ("due.rule", "x"), ("owes", "merchant")])
def test_a_finding_of_a_duty_names_what_differs_and_nothing_else(field: str, wrong: str) -> None:
    version = next(row.version for row in LAWFUL if b'"opened"' in row.payload)
    changes = json.loads(LAWFUL[version - 1].payload)["duties"]
    place = next(n for n, change in enumerate(changes) if change["change"] == "opened")
    whole, _, part = field.partition(".")
    right = changes[place][whole][part] if part else changes[place][whole]
    (changes[place][whole] if part else changes[place])[part or whole] = wrong
    said = one([f for f in audit_case(forge(version, duties=changes)) if f.version == version], "derived_differs")
    texts = (said.what.en.partition(": ")[2], said.why.en.removeprefix("derived again it is "))
    assert [piece.partition("=")[0] for text in texts for piece in text.split(", ")] == [field, field]
    if field != "due.at":  # told by the clock of Shanghai
        assert wrong in said.what.en and right in said.why.en


@pytest.mark.file
@pytest.mark.parametrize(("rows", "version", "name", "said"), [
    (LAWFUL, 3, "id", {"id": "E-9"}), (with_referral(), 3, "id", {"id": "R-9"}), (with_return(), 4, "offer", {"offer": "O-9"}),
    *((LAWFUL, 6, f"reply_by.{name}", {"reply_by": {name: wrong}}) for name, wrong in [
        ("rule", "x"), ("clause", "某条"), ("certainty", "A"), ("provisional", True), ("at", "2027-01-01T00:00:00Z")])])
def test_a_derived_value_that_differs_is_told_by_its_name(rows: list[Row], version: int, name: str, said: Any) -> None:
    told = one([f for f in audit_case(changed(rows, version, **said)) if f.version == version], "derived_differs")
    assert told.what.en.startswith(f"{name} is ") and told.what.zh.startswith(f"{name} 为 ")


@pytest.mark.file
def test_of_a_time_that_runs_backwards_it_is_told_which_one_and_from_when() -> None:
    before = json.loads(LAWFUL[2].payload)
    earlier = "2026-03-01T00:00:00Z"
    for names in (("at",), ("at", "recorded_at")):
        said = one([f for f in audit_case(forge(4, **dict.fromkeys(names, earlier))) if f.version == 4], "time_backwards")
        assert said.what.en == "; ".join(f"{name} 2026-03-01T00:00:00+00:00" for name in names)
        assert [datetime.fromisoformat(text.removeprefix("the event before has ")) for text in said.why.en.split("; ")] == [
            datetime.fromisoformat(time) for time in dict.fromkeys(before[name] for name in names)]


@pytest.mark.file
def test_a_step_that_leaves_another_state_is_told_by_the_state_that_it_names() -> None:
    said = one(audit_case(forge(7, from_="ruled")), "unlawful_edge")
    assert said.why.en == "no accept_complaint leaves 'ruled'"
    assert "'ruled' →" in said.what.en


@pytest.mark.file
@pytest.mark.parametrize(("change", "what", "why"), [
    (lambda rows: rows[::-1], "refund_of_price refund=899.00 A", "hidden_defect loses=merchant A"),
    (lambda rows: rows + rows[:1], "hidden_defect loses=merchant A", "hidden_defect loses=merchant A"),
    (lambda rows: rows[1:], "—", "hidden_defect loses=merchant A"),
    (lambda rows: [rows[0], rows[1] | {"row": "x"}], "x refund=899.00", "refund_of_price refund=899.00"),
    (lambda rows: [*rows, rows[0] | {"row": "x"}], "x loses=merchant A", "—")])
def test_what_a_ruling_rests_on_is_told_by_the_rows_that_differ_and_whole_where_only_their_order_does(
        change: Any, what: str, why: str) -> None:
    basis = json.loads(LAWFUL[8].payload)["basis"]
    said = one(audit_case(forge(9, basis=change(basis))), "derived_differs")
    assert said.what.en.startswith(f"basis is '{what}")
    assert said.why.en.startswith(f"derived again it is '{why}")


@pytest.mark.file
def test_an_event_that_is_no_step_is_told_with_all_that_it_claims() -> None:
    said = one(audit_case(forge(3, trigger="file", from_="discovered", to="filed")), "unlawful_edge")
    assert said.what.en == "add_evidence: 'file': 'discovered' → 'filed'"
    assert one(audit_case(forge(1, trigger="file")), "unlawful_edge").what.en.startswith("open_case: 'file'")


@pytest.mark.file
def test_what_is_shown_of_a_value_is_cut_and_a_case_is_named_whole_up_to_its_longest() -> None:
    assert shown("x" * 60) == repr("x" * 60)
    assert shown("x" * 61) == repr("x" * 60)
    assert shown(10**80) == "1" + "0" * 59 + "…"
    fault = Fault("version_gap", Line("甲", "a"), Line("乙", "b"))
    assert [findings_of("K" * n, 1, [fault])[0].case for n in (LONGEST_ID, LONGEST_ID + 1)] == [
        "K" * LONGEST_ID, shown("K" * 61)]


class Unindexed:
    """A store whose index has duties of so many cases that no event yields."""

    def __init__(self, cases: int) -> None:
        self.cases = [f"K-{number}" for number in range(cases)]
        self.looked: list[str | None] = []

    def index(self) -> Iterator[DueRow]:
        return (DueRow(case, "D-1", "answer", "merchant", 1, 0) for case in self.cases)

    def case_ids(self) -> list[str]:
        return []

    def rows(self, case: str | None = None) -> Iterator[Row]:
        self.looked.append(case)
        return iter(())


@pytest.mark.file
@pytest.mark.parametrize(("cases", "reads"), [(1, 3), (1000, 3000), (1001, 3)])
def test_cases_that_seem_to_differ_from_the_index_are_looked_at_three_times_and_a_great_many_all_at_once(
        cases: int, reads: int) -> None:
    store = Unindexed(cases)
    found = list(index.compared(Tally(), store))
    assert [(f.code, f.case) for f in found] == [("index_differs", case) for case in sorted(store.cases)]
    assert {f.what.en for f in found} == {"the index of duties lacks '—', has too many 'D-1'"}
    assert len(store.looked) == reads
    assert set(store.looked) == ({None} if cases > 1000 else set(store.cases))


@pytest.mark.file
def test_the_sums_over_an_index_are_too_wide_for_rows_to_be_found_that_make_up_for_another() -> None:
    row = DueRow("K-1", "D-1", "response", "merchant", 1, 0)
    [[_, total]] = Tally([row, row._replace(duty="D-2")]).sums.items()
    assert 4000 < total.bit_length() <= 4096
    assert Tally([row._replace(duty="D-2"), row]) == Tally([row, row._replace(duty="D-2")]) != Tally([row, row])



@pytest.mark.file
def test_a_duty_that_the_index_lacks_is_told_by_its_id() -> None:
    row = DueRow("K-1", "D-1", "answer", "merchant", 1, 0)
    store = Unindexed(0)
    store.rows = lambda case=None: iter(LAWFUL[:2])  # type: ignore[method-assign]
    store.case_ids = lambda: ["K-1"]  # type: ignore[method-assign]
    [found] = index.compared(Tally([row, row._replace(duty="D-2")]), store)
    assert found.what.en == "the index of duties lacks 'D-1, D-2', has too many '—'"
    assert found.what.zh == "期限索引中缺少 'D-1, D-2'，多出 '—'"
    # It is of the case, and of none of its events.
    assert (found.case, found.version) == ("K-1", 0)


@pytest.mark.file
def test_a_rule_that_governs_nothing_is_named() -> None:
    ends = [rule for rule in CURRENT.rules() if all(record.to for record in CURRENT.of(rule))]
    assert ends
    for rule in ends:
        with pytest.raises(KeyError, match=rule):
            governing(CURRENT, rule, datetime(2199, 1, 1, tzinfo=UTC))


@pytest.mark.file
def test_an_event_under_the_topic_of_another_is_read_as_what_it_says_and_where_it_says_nothing_it_is_unreadable() -> None:
    row = LAWFUL[2]
    rows = [row._replace(topic="casework.case.call_logged") if here == row else here for here in LAWFUL]
    assert [(f.code, f.version) for f in audit_case(rows)] == [("column_mismatch", 3)]
    payload = b'{"type":"casework.case.evidence_added"}'
    rows = [row._replace(topic="casework.case.call_logged", payload=payload) if here == row else here for here in LAWFUL]
    assert "unreadable_event" in [f.code for f in audit_case(rows) if f.version == 3]


@pytest.mark.file
def test_a_payload_that_became_text_of_half_characters_is_unreadable_and_no_crash() -> None:
    row = LAWFUL[2]
    found = audit_case([row._replace(payload='{"type":"\ud800"}') if here == row else here for here in LAWFUL])  # type: ignore[arg-type]
    assert one(found, "unreadable_event").what.en == "14 bytes cannot be read"


@pytest.mark.file
@pytest.mark.parametrize(("rows", "why"), [
    ([row._replace(payload=b"{") if row.version == 7 else row for row in LAWFUL], "version 7 could not be read"),
    ([row for row in LAWFUL if row.version != 7], "version 7 is missing or out of its place"),
    (LAWFUL[1:], "version 1 is missing or out of its place")])
def test_what_rests_on_events_that_cannot_be_followed_is_not_checked_for_the_first_reason(rows: list[Row], why: str) -> None:
    said = one(audit_case(rows), "not_checked")
    assert why in said.why.en
    assert "rules and identifiers that rest on the events before" in said.what.en


@pytest.mark.file
def test_without_a_readable_opening_an_actor_of_no_known_role_is_told_by_what_he_is_called() -> None:
    rows = [LAWFUL[0]._replace(payload=b"{"), *changed(LAWFUL, 2, by={"role": "emperor", "id": "Q"})[1:]]
    said = one([f for f in audit_case(rows) if f.version == 2], "role_may_not")
    assert said.what.en == "contact_merchant by emperor:Q"
    assert "the emperor may not" in said.why.en and "emperor" in said.why.zh
    assert "for: consumer" in said.why.en


@pytest.mark.file
@pytest.mark.parametrize("moment", [b"0001-01-01T00:00:00+08:00", b"9999-12-31T23:59:59-08:00"])
def test_a_time_that_utc_does_not_have_is_unreadable_and_no_crash(moment: bytes) -> None:
    row = LAWFUL[2]
    payload = row.payload.replace(json.loads(row.payload)["at"].encode(), moment, 1)
    found = audit_case([row._replace(payload=payload) if here == row else here for here in LAWFUL])
    assert "at is no amount or time that can be" in one(found, "unreadable_event").why.en


@pytest.mark.file
@pytest.mark.parametrize("rows", [with_advance(), with_return(), with_referral(), LAWFUL])
def test_where_the_edition_is_unknown_all_that_needs_a_figure_of_it_is_told_once_and_nothing_is_false(rows: list[Row]) -> None:
    found = audit_case(changed(rows, 1, edition="2099-01"))
    assert {f.code for f in found} == {"unknown_edition", "not_checked"}
    assert len([f for f in found if f.code == "not_checked"]) <= 2


# --- leaves ------------------------------------------------------------------------------------------------------------------


def covered(take: list[Row], leaves: list[Leaf]) -> list[tuple[str, str, str]]:
    cover = Cover(leaves)
    found = [fault for row in take for fault in cover.take(row)]
    found += [fault for _, fault in cover.end()]
    return [(f.code, f.what.en, f.why.en) for f in found]


@pytest.mark.file
def test_how_many_of_a_leafs_events_are_missing_is_told_and_a_changed_one_is_none_of_them() -> None:
    told = sample(1, 30)
    number = next(n for n, commit in enumerate(told.commits) if len(commit) == 3 and commit[0][1] == 1)
    rows = [Row(*row) for row in told.commits[number]]
    whole = [Leaf(0, rows[0].case, 1, 3, leaf(None, rows))]
    assert covered(rows, whole) == []
    for there, missing in (([rows[0], rows[2]], 1), ([rows[2]], 2)):
        [(code, _, why)] = covered(there, whole)
        assert code == "rows_missing"
        assert why.startswith(f"{missing} of its events are missing")
    changed = [rows[0]._replace(at=rows[0].at + 1), *rows[1:]]
    assert [code for code, _, _ in covered(changed, whole)] == ["leaf_differs"]
    doubled = [rows[0], rows[0], *rows[1:]]
    assert [code for code, _, _ in covered(doubled, whole)] == ["leaf_differs"]
    assert [code for code, _, _ in covered(rows[:2], whole)] == ["rows_missing"]
    assert [code for code, _, _ in covered([*rows, rows[2]._replace(version=4)], whole)] == ["row_unledgered"]


# --- the tree and what was signed --------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.found(tmp_path / "journal", Signer("local/test", b"\x01" * 32))


@pytest.fixture
def store(tmp_path: Path, journal: Journal) -> Path:
    """A store with eight commits to one case."""
    path = tmp_path / "store" / "t.db"
    path.parent.mkdir()
    with open_store(str(path), create=True, journal=journal) as made:
        opened(made, "K-1", clock=lambda: NOW)
        for number in range(7):
            carry_on(made, "K-1", "log_call", {"note": str(number)}, by="consumer", clock=lambda: NOW, command_id=str(number))
    return path


def findings(path: Path, outside: Signed) -> list[Finding]:
    with open_reader(str(path)) as reader:
        seen = reader.snapshot()
        integrity = Integrity.of(reader, seen.leaves, outside, whole=True)
        return list(audit(seen.rows, indexed=reader, integrity=integrity))


def run(path: Path, *statements: str) -> None:
    with connect(path) as tables:
        for statement in statements:
            tables.execute(statement)


def test_how_many_nodes_are_wrong_is_told(store: Path, journal: Journal) -> None:
    run(store, "UPDATE ledger_nodes SET hash = zeroblob(32) WHERE level = 1 AND number IN (0, 2)",
        "INSERT INTO ledger_nodes VALUES (1, 99, zeroblob(32))")
    said = one(findings(store, Signed(journal.folder)), "tree_differs")
    assert said.what.en == "2 stored nodes"
    run(store, "UPDATE ledger_nodes SET hash = zeroblob(32) WHERE level = 2")
    again = one(findings(store, Signed(journal.folder)), "tree_differs")
    assert int(again.what.en.split()[0]) == int(said.what.en.split()[0]) + 2
    assert again.why.en != said.why.en, "a finding is bound to what it found"


@pytest.mark.file
def test_a_node_that_no_leaves_give_is_counted_with_those_that_it_pushes_aside(store: Path, journal: Journal) -> None:
    run(store, "INSERT INTO ledger_nodes VALUES (1, 0.5, zeroblob(32))")
    said = one(findings(store, Signed(journal.folder)), "tree_differs")
    assert said.what.en == "4 stored nodes", "the last three of the level, and the one that is left over"


@pytest.mark.file
@pytest.mark.parametrize("wrong", ["first_version = 1.5", "last_version = 'x'", "leaf = 'text'"])
def test_a_leaf_that_no_command_writes_is_told_as_unusable_and_its_rows_as_covered_by_none(
        store: Path, journal: Journal, wrong: str) -> None:
    run(store, f"UPDATE ledger_leaves SET {wrong} WHERE number = 5")
    said = [f for f in findings(store, Signed(journal.folder)) if f.code == "leaf_misplaced" and not f.case]
    assert (said[0].what.en, said[0].why.en) == ("the 8 leaves of the ledger", "8 were due, and 1 are unusable")
    covered = [(f.code, f.version) for f in findings(store, Signed(journal.folder)) if f.case]
    assert covered == [("row_unledgered", 6), ("leaf_differs", 7), ("leaf_misplaced", 7)]


def test_a_store_says_of_its_journal_what_is_not_so_and_both_are_told(store: Path, journal: Journal) -> None:
    run(store, "UPDATE ledger_meta SET value = 'none' WHERE name = 'journal'")
    said = one(findings(store, Signed(journal.folder)), "journal_denied")
    assert said.what.en == "it says: 'none'" and str(journal.folder)[:30] in said.why.en
    run(store, "INSERT INTO ledger_meta VALUES ('renewed', 'lost again')")
    found = findings(store, Signed(journal.folder))
    assert one(found, "ledger_renewed").what.en == "the ledger was begun anew: lost again"
    assert "renewal_denied" not in [f.code for f in found], "the journal has signed nothing else"
    run(store, f"UPDATE ledger_meta SET value = '{'x' * 600}' WHERE name = 'renewed'")
    assert one(findings(store, Signed(journal.folder)), "ledger_renewed").what.en.endswith(": " + "x" * 500)


def test_a_lost_end_of_a_case_is_told_with_its_name_and_version(store: Path, journal: Journal) -> None:
    run(store, "DELETE FROM stored_events WHERE originator_version = 8")
    assert [(f.code, f.case, f.version) for f in findings(store, Signed(journal.folder))] == [("rows_missing", "K-1", 8)]


@pytest.mark.file  # several machines sign a store in a server, and each journal may lack the last of the others
def test_what_no_command_was_about_to_have_signed_was_written_past_the_commands(store: Path, journal: Journal) -> None:
    notes = journal.path.read_text(encoding="utf-8")
    journal.path.write_text(notes[:notes.rindex("\nlocal/test\n8\n")], encoding="utf-8")
    behind = one(findings(store, Signed(journal.folder)), "journal_behind")
    assert "was not acknowledged" in behind.why.en and "没有确认过" in behind.why.zh
    (journal.folder / "intended").write_text(f"local/test\n7\n{b64encode(bytes(32)).decode()}\n", encoding="utf-8")
    past = one(findings(store, Signed(journal.folder)), "tail_unsigned")
    assert past.what.en == behind.what.en and past.what.en.startswith("the ledger has 8 leaves (")
    assert "no command was about to have the others signed" in past.why.en and "绕过命令写入" in past.why.zh


@pytest.mark.file
def test_a_row_whose_version_is_no_number_is_covered_by_no_leaf(store: Path, journal: Journal) -> None:
    run(store, "UPDATE stored_events SET originator_version = 'x' WHERE originator_version = 5")
    found = findings(store, Signed(journal.folder))
    said = one(found, "row_unledgered")
    assert said.what.en == "version 'x'"
    assert one(found, "rows_missing").what.en == "leaf 4 over versions 5 to 5"


def test_an_index_over_the_ledger_that_gives_what_its_table_has_not_is_told(store: Path, journal: Journal,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    real = Ledger.by_stream
    monkeypatch.setattr(Ledger, "by_stream", lambda *asked: (
        leaf._replace(hash=bytes(32)) if leaf.number == 7 else leaf for leaf in real(*asked)))
    found = findings(store, Signed(journal.folder))
    assert [(f.code, f.version) for f in found] == [("leaf_differs", 8), ("leaf_misplaced", 0)]
    assert found[1].what.en == "the index over the ledger"


def test_what_was_recorded_while_it_was_audited_is_no_loss_and_what_the_store_lacks_by_now_is_one(
        store: Path, journal: Journal) -> None:
    def seen_with(leaves: int) -> list[str]:
        with open_reader(str(store)) as reader:
            integrity = Integrity.of(reader, leaves, Signed(journal.folder), whole=False)
            return [f.code for f in integrity.rest()]

    assert seen_with(8) == seen_with(7) == seen_with(5) == []
    run(store, "UPDATE ledger_nodes SET hash = zeroblob(32) WHERE level = 3")
    assert seen_with(5) == ["tail_lost"]
    run(store, "DELETE FROM ledger_nodes WHERE level = 3")
    assert seen_with(5) == ["tail_lost"]


@pytest.mark.file
def test_keys_of_any_type_come_in_the_order_in_which_sqlite_gives_them() -> None:
    values = [None, -1, 0, 0.5, 2, 10.0, "", "A", "K-1", "K-10", "K-2", "案", "K\udcff", b"", b"A", b"\xff"]
    with closing(sqlite3.connect(":memory:")) as db:
        db.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        db.execute("CREATE TABLE t (x)")
        for value in reversed(values):
            text = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            db.execute(f"INSERT INTO t VALUES ({'CAST(? AS TEXT)' if isinstance(value, str) else '?'})", (text,))
        assert sorted(Random(1).sample(values, len(values)), key=_order) == [
            value for (value,) in db.execute("SELECT x FROM t ORDER BY x")]


def test_what_a_journal_says_of_a_ledger_begun_anew_counts_only_where_its_keys_sign_it(store: Path, journal: Journal) -> None:
    (journal.folder / "renewed").write_text("local/test\ncasework/renewed/1\nlost\n\n— local/test AAAAAAAA\n", encoding="utf-8")
    assert findings(store, Signed(journal.folder)) == []


def test_how_far_the_leaves_can_be_read_is_told(store: Path, journal: Journal) -> None:
    run(store, "UPDATE ledger_leaves SET number = 20 WHERE number = 5")
    said = [f for f in findings(store, Signed(journal.folder)) if f.code == "leaf_misplaced" and not f.case]
    assert [(f.what.en, f.why.en) for f in said] == [
        ("the 8 leaves of the ledger", "21 were due, and 0 are unusable"),
        ("the ledger should have 21 leaves", "only the first 5 follow one another and can be read")]


def test_each_broken_note_of_the_journal_is_told_by_its_number(store: Path, journal: Journal) -> None:
    notes = journal.path.read_text(encoding="utf-8").split("\n\n")
    assert len(notes) > 10
    text = journal.path.read_text(encoding="utf-8").replace("local/test\n3\n", "local/test\nx\n").replace(
        "local/test\n5\n", "local/test\n05\n")
    journal.path.write_text(text, encoding="utf-8")
    said = one(findings(store, Signed(journal.folder)), "checkpoint_invalid")
    assert said.what.en == "note 3, 5 of the checkpoints"


def test_a_history_rewritten_otherwise_is_another_finding(store: Path, journal: Journal) -> None:
    said = []
    for number in (2, 3):
        text = journal.path.read_text(encoding="utf-8")
        run(store, f"UPDATE ledger_leaves SET leaf = zeroblob({31 + number - 1}) WHERE number = {number}")
        said.append(one(findings(store, Signed(journal.folder)), "checkpoint_differs"))
        assert journal.path.read_text(encoding="utf-8") == text
    assert said[0].what.en == "the checkpoints of 3, 4, 5, 6, 7… leaves"
    assert said[0].why.en != said[1].why.en


def test_keys_that_cannot_be_followed_are_told_and_nothing_is_taken_for_verified(store: Path, journal: Journal) -> None:
    keys = journal.folder / "keys"
    keys.write_bytes(keys.read_bytes().replace(b"casework/key/1", b"casework/key/9"))
    assert [f.code for f in findings(store, Signed(journal.folder))] == ["keys_broken"]
    keys.write_bytes(b"")
    [fault] = Signed(journal.folder).faults()
    assert (fault.code, "no key" in fault.why.en, fault.why.zh != "") == ("keys_broken", True, True)
    keys.write_bytes(b"\xff\xfe+00000000+AA==\n")
    assert [fault.code for fault in Signed(journal.folder).faults()] == ["keys_broken"]


@pytest.mark.parametrize("broken", [
    "local/test\n3\n{}\nmore\n\n", "local/test\n3\n{short}\n\n", "local/test\n3\n{long}\n\n", "local/test\n3\n\n"])
def test_a_note_that_is_no_checkpoint_is_told_by_its_number(store: Path, journal: Journal, broken: str) -> None:
    text = journal.path.read_text(encoding="utf-8")
    root = text.partition("local/test\n3\n")[2].partition("\n")[0]
    length = {name: b64encode(b64decode(root)[:31] + more).decode() for name, more in (("short", b""), ("long", b"12"))}
    whole = f"local/test\n3\n{root}\n\n"
    assert whole in text
    journal.path.write_text(text.replace(whole, broken.format(root, **length)), encoding="utf-8")
    assert one(findings(store, Signed(journal.folder)), "checkpoint_invalid").what.en == "note 3 of the checkpoints"


def test_a_journal_with_a_line_without_end_is_told_where_it_stops_and_what_comes_after_it_is_not_believed(
        store: Path, journal: Journal) -> None:
    notes = journal.path.read_text(encoding="utf-8")
    start = notes.index("local/test\n5\n")
    journal.path.write_text(notes[:start] + "x" * 20_000 + notes[start:], encoding="utf-8")
    assert one(findings(store, Signed(journal.folder)), "checkpoint_invalid").what.en == "note 5 of the checkpoints"


def test_five_sizes_are_named_and_of_more_that_there_are_more(store: Path, journal: Journal) -> None:
    run(store, "UPDATE ledger_leaves SET leaf = zeroblob(32) WHERE number = 3")
    said = one(findings(store, Signed(journal.folder)), "checkpoint_differs")
    assert said.what.en == "the checkpoints of 4, 5, 6, 7, 8 leaves"
    mark = said.why.en.partition("(")[2].partition(")")[0]
    assert len(bytes.fromhex(mark)) == 16, "what is acknowledged is bound to what was found"


def test_whom_the_journal_belongs_to_is_held_against_what_the_store_says(store: Path, journal: Journal) -> None:
    run(store, "UPDATE ledger_meta SET value = 'other/ledger' WHERE name = 'origin'")
    said = one(findings(store, Signed(journal.folder)), "checkpoint_differs")
    assert "'other/ledger'" in said.what.en and "'local/test'" in said.why.en


def test_a_key_that_is_given_counts_and_not_the_first_of_the_journal(store: Path, journal: Journal) -> None:
    first = (journal.folder / "keys").read_text(encoding="utf-8").split("\n")[2]
    assert [f.code for f in findings(store, Signed(journal.folder, first))] == []
    stranger = Signer("local/test", b"\x02" * 32).vkey
    said = one(findings(store, Signed(journal.folder, stranger)), "keys_broken")
    assert "does not name the key that you trust" in said.why.en


def test_a_journal_that_is_not_there_is_told_with_its_place_and_no_key_makes_up_for_it(store: Path, journal: Journal,
                                                                                 tmp_path: Path) -> None:
    first = (journal.folder / "keys").read_text(encoding="utf-8").split("\n")[2]
    for outside in (Signed(tmp_path / "nowhere"), Signed(tmp_path / "nowhere", first)):
        said = one(findings(store, outside), "journal_missing")
        assert str(tmp_path)[:30] in said.what.en and said.why.en == "cannot be read: No such file or directory"
    (journal.folder / "keys").unlink()
    said = one(findings(store, Signed(journal.folder, first)), "journal_missing")
    assert said.why.zh == "无法读取：No such file or directory"


def test_of_a_kept_checkpoint_every_line_counts_and_the_key_must_have_signed_it(store: Path, journal: Journal,
                                                                        tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = (journal.folder / "keys").read_text(encoding="utf-8").split("\n")[2]
    notes = journal.path.read_text(encoding="utf-8")
    text = notes[notes.index("local/test\n4\n"):notes.index("\nlocal/test\n5\n")]
    kept.write_text(text, encoding="utf-8")
    root = text.split("\n")[2]
    for given in (Signed(kept, first), Signed(kept, None, journal.folder), Signed(kept, first, tmp_path / "nowhere")):
        found = given.last()
        assert (found.origin, found.size, b64encode(found.root).decode()) == ("local/test", 4, root)
    for spoiled in (text.replace("\n4\n", "\n5\n"), "", text + "\n" + "nonsense\n\n— x AAAAAAAA\n", text[:-2], "local/test\n4\n"):
        kept.write_text(spoiled, encoding="utf-8")
        with pytest.raises(InputError, match="kept"):
            Signed(kept, first).last()
    kept.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="give it with --key"):
        Signed(kept).last()
    with pytest.raises(InputError, match="signature by the key"):
        Signed(kept, Signer("local/test", b"\x02" * 32).vkey).last()


# --- since a checkpoint that somebody kept -----------------------------------------------------------------------------------


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    """Of K-1 three commits, the third with a note; one of K-2; one more of K-1."""
    path = tmp_path / "noted.db"
    later = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
    with open_store(str(path), create=True, journal=Journal.found(tmp_path / "j", Signer("local/test", b"\x01" * 32))) as made:
        opened(made, "K-1", clock=lambda: NOW)
        carry_on(made, "K-1", "contact_merchant", {"message": "异响"}, by="consumer", clock=lambda: NOW, command_id="ask")
        carry_on(made, "K-1", "refuse_claim", {"excuse": "misuse"}, by="merchant", at=NOW, clock=lambda: later, command_id="no")
        opened(made, "K-2", clock=lambda: later)
        carry_on(made, "K-1", "log_call", {"note": "x"}, by="consumer", clock=lambda: later, command_id="call")
    return path


def since(path: Path, size: int, root: bytes | None = None) -> tuple[list[tuple[str, str, int]], Summary]:
    summary = Summary()
    with open_reader(str(path)) as reader:
        seen = reader.snapshot()
        kept = Checkpoint("local/test", size, root or reader.ledger().root(size))
        integrity = Integrity.of(reader, seen.leaves, Signed(path.parent / "j"), kept, whole=True)
        found = [(f.code, f.case, f.version) for f in audit(seen.rows, summary=summary, indexed=reader, integrity=integrity)]
    return found, summary


@pytest.mark.parametrize(("size", "told"), [(1, True), (2, True), (3, False), (4, False), (5, False)])
def test_what_a_kept_checkpoint_covers_is_not_judged_again_and_what_came_after_it_is(noted: Path, size: int, told: bool) -> None:
    found, summary = since(noted, size)
    assert found == ([("recorded_late", "K-1", 3)] if told else [])
    assert (summary.whole, summary.proved, summary.cases, summary.events) == (False, size, 2, 5)
    assert summary.notes.total() == told and summary.clean


@pytest.mark.parametrize(("case", "version"), [("K-1", 1), ("K-1", 4), ("K-2", 1)])
def test_a_row_that_was_altered_is_told_whether_a_kept_checkpoint_covers_it_or_not(noted: Path, case: str, version: int) -> None:
    for column in ("at", "recorded_at"):
        run(noted, f"UPDATE stored_events SET {column} = {column} - 1 WHERE originator_id = '{case}' "
                   f"AND originator_version = {version}")
    found, _ = since(noted, 5)
    assert found == [("leaf_differs", case, version)]


def test_a_checkpoint_that_the_store_does_not_contain_covers_nothing(noted: Path) -> None:
    found, summary = since(noted, 4, b"\0" * 32)
    assert found == [("recorded_late", "K-1", 3), ("checkpoint_differs", "", 0)]
    assert (summary.whole, summary.proved) == (True, 0)
    found, _ = since(noted, 6, b"\0" * 32)
    assert found == [("recorded_late", "K-1", 3), ("tail_lost", "", 0)]
    run(noted, "DELETE FROM ledger_nodes WHERE level = 2")
    found, summary = since(noted, 4, b"\0" * 32)
    assert found == [("recorded_late", "K-1", 3), ("checkpoint_differs", "", 0), ("tree_differs", "", 0)]


# --- what is bound to the stored bytes, and what is told of them ---------------------------------------------------------


def no_ledger(size: int, **said: Any) -> Integrity:
    """That of a store whose ledger is gone."""
    return Integrity(Ledger(lambda *_: ()), size, _kept=False, **said)


@pytest.mark.file
@pytest.mark.parametrize(("size", "code"), [(2, "checkpoint_differs"), (3, "checkpoint_differs"), (4, "tail_lost")])
def test_a_checkpoint_that_is_not_contained_is_of_a_lost_end_only_where_it_has_more_leaves(size: int, code: str) -> None:
    kept = Checkpoint("casework.local/1", size, b"r" * 32)
    [found] = [f for f in no_ledger(3, not_contained=kept).rest() if f.code == code]
    assert found.what.en == f"the checkpoint that was given, of {size} leaves"
    assert (found.why.en, found.why.zh) == ("is not contained in the ledger of 3", "有 3 个叶子的账本不含它")


@pytest.mark.file
def test_what_the_ledger_says_against_a_row_is_bound_to_that_row() -> None:
    integrity, found = Integrity(Ledger(lambda *_: ()), 0, _kept=True), []  # type: ignore[var-annotated]
    rows = LAWFUL[:2]
    assert list(integrity.held(rows[0].case, iter(rows), found)) == rows
    assert [(f.code, f.version, f.stored) for f in found] == [("row_unledgered", row.version, digest(row)) for row in rows]


@pytest.mark.file
def test_leaves_that_nobody_signed_are_told_with_the_root_that_they_give(tmp_path: Path) -> None:
    [found] = Signed(tmp_path / "kept").against(3, b"\xab" * 32, ())
    assert (found.code, found.what.en) == ("journal_behind", f"the ledger has 3 leaves ({'ab' * 16})")


@pytest.mark.file
def test_why_the_last_signature_of_a_store_does_not_hold_is_told_in_both_languages(tmp_path: Path) -> None:
    signed = Signed(tmp_path / "kept")
    signed._trust = verifier.Trust.of(Signer("casework.local/1", bytes(32)).vkey)
    [found] = signed.against(3, b"\xab" * 32, (), inside="no note")
    assert (found.code, found.what.en) == ("tail_unsigned", f"the ledger has 3 leaves ({'ab' * 16})")
    with pytest.raises(verifier.NotVerified) as why:
        verifier.verify_checkpoint(b"no note", signed._trust)
    assert found.why.en == f"the last signature that the store keeps does not hold: {why.value.en}"
    assert found.why.zh == f"库中所存的最后签名不成立：{why.value.zh}"
