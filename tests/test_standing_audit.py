"""The audit of merchants' standings: what was altered in a stream, or in the case behind it, is found where it is."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from standing_helpers import Market

from casework.audit.check import Summary, audit, audit_case
from casework.audit.columns import microseconds
from casework.audit.findings import digest
from casework.audit.standing import project
from casework.domain.events import Event
from casework.domain.standing.facts import StandingFacts, fold
from casework.library import audit_store
from casework.store import codec
from casework.store.row import Row

Rows = list[Row]
STREAM = "merchant:M-1"


def lawful() -> Rows:
    """Of M-1: 1 imposed (12 of K-1), 2 node 12, 3 imposed (warning of K-1), 4 imposed (12 of K-2), 5 node 24, 6 annulled (K-2),
    7 node 24 lifted, 8 imposed (3 of K-2), 9 owed (K-1), 10 appealed, 11 upheld, 12 node 12 lifted, 13 published, 14 repaid,
    15 recovered.
    """
    with Market() as market:
        market.ruled("K-1", 12, "warning").ruled("K-2", 12).escalated("K-2")
        market.rule("K-2", 3, by="supervisor")
        market.do("K-1", "execute_ruling", "agent")
        market.do("K-1", "apply_advance", statement="商家不退")
        market.do("K-1", "pay_advance", "system", amount="100.00")
        first, _, _, last = [p["id"] for p in market.view()["penalties"]]
        market.do(STREAM, "appeal", "merchant", penalty=first, statement="不服")
        market.do(STREAM, "decide_appeal", "supervisor:S-2", penalty=first, result="upheld", explanation="有误")
        market.do(STREAM, "publish", "agent", penalty=last, offence="售假")
        market.do(STREAM, "repay_advance", "merchant", case="K-1", amount="40.00")
        market.do("K-1", "recover_advance", "system")
        return list(market.store.rows())


LAWFUL = lawful()
RULED = next(r.version for r in LAWFUL if r.case == "K-1" and r.topic.endswith("case_ruled"))


def of_stream(rows: Rows) -> Rows:
    return [row for row in rows if row.case == STREAM]


def forged(row: Row, **said: Any) -> Row:
    """The row of an event that says something else, as a careful forger would write it."""
    document = json.loads(row.payload)
    for name, value in said.items():
        document[name] = document[name] | value if isinstance(value, dict) else value
    payload = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    at, recorded = (microseconds(datetime.fromisoformat(document[key])) for key in ("at", "recorded_at"))
    return row._replace(payload=payload, version=document["version"], at=at, recorded_at=recorded)


def forge(version: int, case: str = STREAM, **said: Any) -> Rows:
    return [forged(r, **said) if (r.case, r.version) == (case, version) else r for r in LAWFUL]


def without(*versions: int) -> Rows:
    """Rows of the stream taken out, the rest renumbered."""
    left = [r for r in LAWFUL if r.case != STREAM or r.version not in versions]
    numbers = iter(range(1, 99))
    return [forged(r, version=next(numbers)) if r.case == STREAM else r for r in left]


EARLIER = json.loads(of_stream(LAWFUL)[8].payload)["at"]


def found(rows: Rows) -> set[tuple[str, str, int]]:
    return {(f.code, f.case, f.version) for f in audit(rows)}


ALTERED: dict[str, tuple[Rows, set[tuple[str, str, int]]]] = {
    "fewer points": (forge(8, data={"points": 2}), {("standing_differs", STREAM, 8), ("standing_differs", STREAM, 12)}),
    "another track": (forge(3, data={"track": "general"}), {("standing_differs", STREAM, 3)}),
    "another clause": (forge(3, data={"clause": "x"}), {("standing_differs", STREAM, 3)}),
    "another judge": (forge(3, data={"judges": ["A-7"]}), {("standing_differs", STREAM, 3)}),
    "forged papers that nobody found": (forge(3, data={"forged": True}), {("standing_differs", STREAM, 3)}),
    "more days to publish": (forge(3, publish_by={"at": "2030-01-01T00:00:00Z"}), {("standing_differs", STREAM, 3)}),
    "a longer appeal": (forge(3, appeal_by={"at": "2030-01-01T00:00:00Z"}), {("standing_differs", STREAM, 3)}),
    "imposed by another": (forge(3, by={"role": "agent", "id": "A-9"}), {("standing_differs", STREAM, 3)}),
    "a penalty left out": (without(3), {("standing_missing", "K-1", RULED)}),
    "a measure left out": (without(5), {("standing_missing", STREAM, 5), ("standing_unfounded", STREAM, 6)}),
    "a shorter measure": (forge(2, data={"until": "2026-03-03T00:00:00Z"}), {("standing_differs", STREAM, 2)}),
    "a measure that is no part of the node": (forge(2, data={"measure": "warning"}), {("standing_differs", STREAM, 2)}),
    "another sum of points": (forge(5, data={"points": 25}), {("standing_differs", STREAM, 5)}),
    "another node": (forge(2, data={"node": 24}), {("standing_differs", STREAM, 2)}),
    "an advance of less": (forge(9, data={"amount": "90.00"}), {("standing_differs", STREAM, 9),
                                                               ("standing_differs", STREAM, 15)}),
    "an advance of another case": (
        forge(9, data={"case": "K-2"}), {("standing_unfounded", STREAM, 9), ("standing_missing", "K-1", RULED + 3),
                                         ("guard_refuses", STREAM, 14), ("standing_differs", STREAM, 15)}),
    "an appeal decided by whoever ruled": (
        forge(11, by={"role": "supervisor", "id": "A-1"}), {("guard_refuses", STREAM, 11)}),
    "an appeal decided by the merchant": (forge(11, by={"role": "merchant", "id": "M-1"}), {("role_may_not", STREAM, 11)}),
    "an appeal by another merchant": (forge(10, by={"role": "merchant", "id": "M-2"}), {("role_may_not", STREAM, 10)}),
    "an appeal before the penalty": (
        forge(10, at="2026-03-02T00:00:00Z"), {("guard_refuses", STREAM, 10)}),
    "a publication of what is not there": (forge(13, data={"penalty": "K-9/1.1"}), {("guard_refuses", STREAM, 13)}),
    "a repayment of more than is owed": (
        forge(14, data={"amount": "400.00"}), {("guard_refuses", STREAM, 14), ("standing_differs", STREAM, 15)}),
    "a command given twice": (forge(13, command_id=json.loads(of_stream(LAWFUL)[9].payload)["command_id"]),
                              {("command_repeated", STREAM, 13)}),
    "happened after it was recorded": (forge(13, at="2026-03-03T07:00:00.000001Z"), {("at_after_recorded", STREAM, 13)}),
    "an annulment of what is not there": (
        forge(6, data={"penalty": "K-9/1.1"}), {("standing_unfounded", STREAM, 6), ("standing_unfounded", STREAM, 7),
                                                ("standing_missing", "K-2", 15), ("standing_missing", STREAM, 9),
                                                ("standing_unfounded", STREAM, 12)}),
    "an annulment for another case": (
        forge(6, data={"case": "K-1"}), {("standing_unfounded", STREAM, 6), ("standing_unfounded", STREAM, 7)}),
    "a track that there is not": (
        forge(3, data={"track": "nowhere"}), {("standing_differs", STREAM, 3), ("payload_not_canonical", STREAM, 3)}),
    "a case whose rules are unknown": (
        forge(1, "K-1", edition="2199-01"), {("unknown_edition", "K-1", 1), ("not_checked", "K-1", 1)}),
    "recorded before the event before": (forge(13, at=EARLIER, recorded_at=EARLIER),
                                         {("time_backwards", STREAM, 13)}),
    "no stream at all": ([r for r in LAWFUL if r.case != STREAM], {
        ("standing_missing", "K-1", RULED), ("standing_missing", "K-1", RULED + 3), ("standing_missing", "K-1", RULED + 4),
        ("standing_missing", "K-2", 11), ("standing_missing", "K-2", 15)}),
    "a stream whose cases are gone": (of_stream(LAWFUL), {
        ("standing_unfounded", STREAM, n) for n in (1, 3, 4, 6, 8, 9, 15)}),
    "a lost end of the stream": ([r for r in LAWFUL if r.case != STREAM or r.version < 15],
                                 {("standing_missing", "K-1", RULED + 4)}),
    "bytes that are no event": (
        [r._replace(payload=b"{") if (r.case, r.version) == (STREAM, 13) else r for r in LAWFUL],
        {("unreadable_event", STREAM, 13), ("not_checked", STREAM, 14)}),
    "an event of a case in the stream": (
        [r._replace(topic=LAWFUL[0].topic, payload=LAWFUL[0].payload) if (r.case, r.version) == (STREAM, 15) else r
         for r in LAWFUL], {("unreadable_event", STREAM, 15), ("not_checked", "K-1", RULED + 4)}),
    "a gap": ([r for r in LAWFUL if (r.case, r.version) != (STREAM, 13)],
              {("version_gap", STREAM, 14), ("not_checked", STREAM, 14)}),
}


def test_a_lawful_store_has_no_findings_whichever_of_case_and_merchant_comes_first() -> None:
    summary = Summary()
    assert list(audit(LAWFUL, summary=summary)) == []
    assert (summary.cases, summary.merchants, summary.events) == (2, 1, len(LAWFUL))
    assert list(audit([*of_stream(LAWFUL), *(r for r in LAWFUL if r.case != STREAM)])) == []
    assert audit_case(of_stream(LAWFUL)) == []


@pytest.mark.parametrize("what", ALTERED)
def test_an_alteration_is_found_where_it_is(what: str) -> None:
    rows, expected = ALTERED[what]
    assert found(rows) == expected


def test_every_finding_speaks_both_languages() -> None:
    for rows, _ in ALTERED.values():
        for finding in audit(rows):
            assert all((finding.what.zh, finding.what.en, finding.why.zh, finding.why.en))


def test_a_penalty_taken_out_of_the_ruling_shows_in_the_stream() -> None:
    rows = forge(RULED, "K-1", data={"penalties": []})
    assert {("standing_unfounded", STREAM, 1), ("standing_unfounded", STREAM, 3)} <= found(rows)


def test_where_a_case_cannot_be_read_its_penalties_are_not_called_unfounded() -> None:
    rows = [r._replace(payload=b"{") if (r.case, r.version) == ("K-1", RULED) else r for r in LAWFUL]
    codes = {code for code, case, _ in found(rows) if case == STREAM}
    assert codes == {"not_checked"}


def test_cases_that_are_named_are_not_held_against_merchants_that_are_not() -> None:
    with Market() as market:
        market.ruled("K-1", 12)
        assert audit_store(market.store, "K-1") == []
        assert audit_store(market.store, STREAM) == []
        assert audit_store(market.store) == []


def test_the_audits_own_projector_makes_the_facts_that_the_living_standing_has() -> None:
    events: list[Any] = [codec.decode(r.topic, r.payload) for r in of_stream(LAWFUL)]
    facts = StandingFacts("M-1")
    for event in events:
        project(facts, event)
        if event.command_id and not isinstance(event, Event) and event.data.__class__.__module__.endswith("commands"):
            facts.commands[event.command_id] = event.originator_version
    assert facts == fold("M-1", events)


def removed_and_back() -> Rows:
    """Of M-1: points to every node and a removal, an appeal that is rejected, let back in, removed again, and back again."""
    with Market() as market:
        market.ruled("K-1", 47, "removal").ruled("K-2", 1, ground="false_advertising")
        first = market.view()["penalties"][0]["id"]
        market.do(STREAM, "appeal", "merchant", penalty=first, statement="不服")
        market.do(STREAM, "decide_appeal", "supervisor:S-2", penalty=first, result="rejected", explanation="无误")
        market.do(STREAM, "readmit", "supervisor", explanation="整改完成")
        market.ruled("K-3", 1, "removal")
        market.do(STREAM, "readmit", "supervisor", explanation="再次整改")
        for case in ("K-1", "K-3"):
            market.do(case, "execute_ruling", "agent")
            market.do(case, "apply_advance", statement="商家不退")
            market.do(case, "pay_advance", "system", amount="100.00")
        for amount in ("30.00", "20.00"):
            market.do(STREAM, "repay_advance", "merchant", case="K-3", amount=amount)
        market.do("K-3", "recover_advance", "system")
        return list(market.store.rows())


BACK = removed_and_back()


def test_after_every_event_of_a_removed_merchants_stream_both_readings_hold_the_same() -> None:
    assert found(BACK) == set()
    events: list[Any] = [codec.decode(r.topic, r.payload) for r in of_stream(BACK)]
    facts = StandingFacts("M-1")
    for count, event in enumerate(events, 1):
        project(facts, event)
        theirs = fold("M-1", events[:count])
        assert (facts.penalties, facts.measures, facts.debts) == (theirs.penalties, theirs.measures, theirs.debts)
        assert (facts.readmitted, facts.version, facts.recorded_at) == (theirs.readmitted, theirs.version, theirs.recorded_at)
    assert len(facts.readmitted) == 2
    assert {p.state for p in facts.penalties.values()} >= {"confirmed"}
    assert {m.ended_at for m in facts.measures if m.kind == "removal"} == {facts.readmitted[1]}


@pytest.mark.parametrize(("topic", "place", "said", "code"), [
    ("merchant_readmitted", 0, {"by": {"role": "merchant", "id": "M-1"}}, "role_may_not"),
    ("appeal_decided", 0, {"data": {"penalty": "K-9/1.1"}}, "guard_refuses"),
    ("appeal_lodged", 0, {"by": {"role": "merchant", "id": "M-2"}}, "role_may_not"),
    ("advance_repaid", 1, {"data": {"case": "K-2"}}, "guard_refuses"),
    ("advance_repaid", 1, {"data": {"amount": "70.01"}}, "guard_refuses"),
    ("advance_recovered", 0, {"data": {"amount": "100.00"}}, "standing_differs"),
    ("penalty_imposed", 0, {"id": "K-1/9.1"}, "standing_differs"),
    ("penalty_imposed", 1, {"id": "K-1/11.1"}, "standing_differs"),
])
def test_what_a_removed_merchants_stream_could_not_hold_is_found(topic: str, place: int, said: dict[str, Any], code: str) -> None:
    row = [row for row in of_stream(BACK) if row.topic.endswith(topic)][place]
    assert (code, STREAM, row.version) in found([forged(r, **said) if r == row else r for r in BACK])


def test_an_unknown_version_of_the_points_table_is_not_checked_and_told_once() -> None:
    rows = [forged(r, data={"rules": 7}) if r.topic.endswith("penalty_imposed") else r for r in LAWFUL]
    told = [f for f in audit(rows) if f.case == STREAM]
    assert [(f.code, f.version, f.what.en) for f in told] == [("not_checked", 1, "version 7 of the points table")]


def test_a_case_of_the_first_version_owes_its_merchant_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.domain.decide.VERSION", 1)
    with Market() as market:
        market.ruled("K-1", 12)
        assert market.topics == []
        assert market.findings() == []
        assert market.view()["points"]["counterfeit"]["points"] == 0


@pytest.mark.parametrize(("before", "measures"), [
    (23, [(2026, 12, 23), (2027, 12, 12)]), (24, [(2026, 12, 24), (2026, 24, 24), (2027, 36, 36)]),
    (47, [(2026, 12, 47), (2026, 24, 47), (2026, 36, 47), (2027, 48, 59)]),
    (48, [(2026, 12, 48), (2026, 24, 48), (2026, 36, 48), (2026, 48, 48), (2027, 12, 12)])])
def test_the_points_of_a_measure_are_held_to_what_the_year_before_carries_over(
        before: int, measures: list[tuple[int, int, int]]) -> None:
    with Market() as market:
        market.ruled("K-1", before).at(2027, 3, 1, 1).ruled("K-2", 12)
        rows = list(market.store.rows())
    assert found(rows) == set()
    taken = [row for row in of_stream(rows) if row.topic.endswith("measure_taken")]
    said = [json.loads(row.payload)["data"] for row in taken]
    assert [(data["year"], data["node"], data["points"]) for data in said] == measures
    for row, (year, node, points) in zip(taken, measures, strict=True):
        for wrong, what in (
                ({"points": points - 1}, f"points is '{points - 1}'"), ({"points": points + 1}, f"points is '{points + 1}'"),
                ({"year": year - 1}, f"node is '{year - 1}: {node}'"), ({"node": node + 12}, f"node is '{year}: {node + 12}'")):
            [told] = audit([forged(r, data=wrong) if r == row else r for r in rows])
            assert (told.code, told.case, told.version, told.what.en) == ("standing_differs", STREAM, row.version, what)


def test_any_column_altered_in_the_stream_is_found() -> None:
    for place, row in enumerate(LAWFUL):
        if row.case != STREAM:
            continue
        for field, value in (("version", 99), ("topic", "x"), ("at", row.at + 1), ("recorded_at", row.recorded_at - 1),
                             ("trigger", "rule"), ("payload", row.payload[:-1])):
            rows = [*LAWFUL[:place], row._replace(**{field: value}), *LAWFUL[place + 1:]]
            assert found(rows), (row.version, field)


def test_what_is_found_in_a_merchants_stream_is_bound_to_the_row_in_which_it_was_found() -> None:
    rows = [row for row in forge(2, data={"points": 11}) if row.case == STREAM]
    [finding] = audit_case(rows)
    assert (finding.code, finding.version, finding.stored) == ("standing_differs", 2, digest(rows[1]))


@pytest.mark.parametrize("name", ["A-1", "L-1", "z-1"])
def test_a_copy_of_a_case_under_another_id_owes_nothing_a_second_time(name: str) -> None:
    copy = [row._replace(case=name) for row in LAWFUL if row.case != STREAM]
    rows = sorted([*LAWFUL, *copy], key=lambda row: (row.case, row.version))
    assert {f.case for f in audit(rows)} == {name}
    assert {f.code for f in audit(rows) if f.code.startswith("standing")} == set()
