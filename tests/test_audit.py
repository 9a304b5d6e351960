"""The audit finds what was altered past the commands: each code, where it is, and what else is wrong beside it."""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from test_audit_projector import DAY, Story, row_of, walked

from casework.application.service import carry_on, open_case
from casework.audit.check import MANY, Summary, audit, audit_case, judged
from casework.audit.columns import microseconds
from casework.audit.findings import FINDINGS, Finding, Line, shown
from casework.domain import commands as c
from casework.domain import events as e
from casework.domain.guards import GUARDS
from casework.domain.reasons import REASONS
from casework.domain.request import Request
from casework.domain.values import EVENT_BYTES, Remedy
from casework.errors import InputError
from casework.rulebook.edition import CURRENT, Edition
from casework.rulebook.records import Record
from casework.store.codec import Unreadable, decode, is_canonical
from casework.store.opening import open_store
from casework.store.row import Row

REFUND = Remedy(kind="refund", amount=Decimal("899.00"))
Rows = list[Row]


def lawful() -> Rows:
    """1 opened, 2 contacted, 3 and 4 evidence, 5 refused, 6 filed, 7 accepted, 8 merchant answers, 9 ruled, 10 executed,
    11 performed, 12 confirmed."""
    story = Story()
    story.do(c.ContactMerchant(message="异响"))
    story.do(c.AddEvidence(kind="fault_video", description="视频"))
    story.do(c.AddEvidence(kind="fault_description", description="描述"))
    story.do(c.RefuseClaim(excuse="misuse"), "merchant")
    story.do(c.File(claim="refund", statement="请裁决"))
    story.do(c.AcceptComplaint(), "agent:A-1")
    story.do(c.Answer(statement="系使用不当"), "merchant")
    story.do(c.Rule(outcome="for_consumer", findings="经查", clause="争议规则 66", remedy=REFUND), "agent:A-1")
    story.do(c.ExecuteRuling(), "agent:A-1")
    story.do(c.PerformRemedy(amount=Decimal("899.00")), "merchant")
    story.do(c.ConfirmRemedy())
    return story.rows


def late_acceptance() -> Rows:
    """1 opened, 2 contacted, 3 and 4 evidence, 5 refused, 6 filed, 7 referred, 8 accepted by 12315 a day after its limit,
    9 accepted by the platform, 10 merchant answers, 11 ruled, 12 executed, 13 performed, 14 confirmed."""
    story = Story()
    story.do(c.ContactMerchant(message="异响"))
    story.do(c.AddEvidence(kind="fault_video", description="视频"))
    story.do(c.AddEvidence(kind="fault_description", description="描述"))
    story.do(c.RefuseClaim(excuse="misuse"), "merchant")
    story.do(c.File(claim="refund", statement="请裁决"))
    story.do(c.Refer(body="market_regulator", statement="请调解"))
    limit = CURRENT.due("mr12315.accept", story.now).at
    story.do(c.AcceptReferral(referral="R-1"), "external:market_regulator", after=limit - story.now + DAY)
    story.do(c.AcceptComplaint(), "agent:A-1")
    story.do(c.Answer(statement="系使用不当"), "merchant")
    story.do(c.Rule(outcome="for_consumer", findings="经查", clause="争议规则 66", remedy=REFUND), "agent:A-1")
    story.do(c.ExecuteRuling(), "agent:A-1")
    story.do(c.PerformRemedy(amount=Decimal("899.00")), "merchant")
    story.do(c.ConfirmRemedy())
    return story.rows


LAWFUL = lawful()


def forged(row: Row, **said: Any) -> Row:
    """The row of an event that says something else, written as a careful forger would: canonical, the columns with it.

    Keys are those of the payload (``from_`` for ``from``); None takes a key out; a dict is merged into what is there.
    """
    document = json.loads(row.payload)
    for key, value in said.items():
        name = key.rstrip("_")
        document[name] = document[name] | value if isinstance(value, dict) and name in document else value
    document = {key: value for key, value in document.items() if value is not None}
    payload = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    at, recorded = (microseconds(datetime.fromisoformat(document[key])) for key in ("at", "recorded_at"))
    return Row(document["case"], document["version"], row.topic, payload, document.get("trigger"), document.get("from"),
               document.get("to"), at, recorded)


def with_row(rows: Rows, version: int, change: Callable[[Row], Row]) -> Rows:
    return [change(row) if row.version == version else row for row in rows]


def forge(version: int, **said: Any) -> Rows:
    return with_row(LAWFUL, version, lambda row: forged(row, **said))


def columns(number: int, /, **values: Any) -> Rows:
    return with_row(LAWFUL, number, lambda row: row._replace(**values))


def retyped(number: int, topic: str) -> Rows:
    """The topic altered in both places."""
    old = LAWFUL[number - 1]
    return columns(number, topic=topic, payload=old.payload.replace(old.topic.encode(), topic.encode(), 1))


def renumbered(rows: Iterable[Row]) -> Rows:
    return [forged(row, version=number) for number, row in enumerate(rows, 1)]


def found(rows: Iterable[Row]) -> list[tuple[str, int]]:
    return [(finding.code, finding.version) for finding in audit_case(rows)]


def moved(version: int, by: timedelta) -> dict[str, str]:
    at = json.loads(LAWFUL[version - 1].payload)["at"]
    return {"at": (datetime.fromisoformat(at) + by).isoformat().replace("+00:00", "Z")}


AGENT_2 = {"role": "agent", "id": "A-2"}
MERCHANT = {"role": "merchant", "id": "M-1"}
CONSUMER = {"role": "consumer", "id": "C-1"}

#: What was done to the lawful case, and everything that the audit then says of it.
ALTERED: dict[str, tuple[Rows, list[tuple[str, int]]]] = {
    "bytes that are no JSON": (columns(8, payload=b"\xff\x00"), [("unreadable_event", 8), ("not_checked", 9)]),
    "a payload that is NULL": (columns(8, payload=None), [("unreadable_event", 8), ("not_checked", 9)]),
    "a payload that is a number": (columns(8, payload=7), [("unreadable_event", 8), ("not_checked", 9)]),
    "a step that is unreadable": (columns(7, payload=b"{}"), [("unreadable_event", 7), ("not_checked", 8)]),
    "an unreadable step whose columns are lost too": (
        columns(7, payload=b"", trigger=b"x", from_state=1, to_state=2.5, at="now", recorded_at=None, case=3),
        [("column_mismatch", 7), ("unreadable_event", 7), ("not_checked", 8)]),
    "an unreadable opening": (columns(1, payload=b"["), [("unreadable_event", 1), ("not_checked", 3)]),
    "an extra field": (forge(8, colour="red"), [("unreadable_event", 8), ("not_checked", 9)]),
    "a topic that names a module": (columns(8, topic="os:system"), [("unknown_topic", 8), ("not_checked", 9)]),
    "a topic that is bytes": (columns(8, topic=b"casework.case.party_answered"),
                              [("unknown_topic", 8), ("not_checked", 9)]),
    "a topic of another step of the same shape": (
        columns(12, topic="casework.case.offer_declined"), [("column_mismatch", 12)]),
    "a topic under which the bytes can be read as well": (
        columns(7, topic="casework.case.evidence_supplied"),
        [("column_mismatch", 7)]),
    "a topic and a payload's type that are altered together": (
        retyped(7, "casework.case.merchant_answered"),
        [("derived_differs", 7), ("role_may_not", 7), ("unlawful_edge", 7), ("guard_refuses", 9), ("guard_refuses", 10)]),
    "a payload's type that is altered alone": (
        columns(8, payload=LAWFUL[7].payload.replace(b"casework.case.", b"casework.cases.", 1)),
        [("unreadable_event", 8), ("not_checked", 9)]),
    "white space in the bytes": (
        columns(8, payload=LAWFUL[7].payload.replace(b'":', b'": ', 1)), [("payload_not_canonical", 8)]),
    "a payload stored as text": (columns(8, payload=LAWFUL[7].payload.decode()), [("payload_not_canonical", 8)]),
    "a term that the vocabulary lacks": (
        forge(5, data={"excuse": "bad_mood"}), [("payload_not_canonical", 5)]),
    "a ground that no rule knows": (
        forge(1, data={"ground": "bad_mood"}), [("payload_not_canonical", 1), ("not_checked", 7), ("not_checked", 9)]),
    "a deleted act": (LAWFUL[:7] + LAWFUL[8:], [("version_gap", 9), ("not_checked", 9)]),
    "a deleted step": (LAWFUL[:6] + LAWFUL[7:], [("version_gap", 8), ("not_checked", 8), ("state_not_yielded", 9)]),
    "a deleted opening": (LAWFUL[1:], [("not_opened", 2), ("version_gap", 2), ("not_checked", 3)]),
    "a row doubled": (LAWFUL[:8] + LAWFUL[7:], [("command_repeated", 8), ("version_gap", 8), ("not_checked", 8)]),
    "a version of its own": (columns(8, version=80), [("column_mismatch", 80), ("version_gap", 80), ("not_checked", 80),
                                                     ("version_gap", 9)]),
    "an opening that is something else": (
        renumbered(LAWFUL[1:]), [("not_opened", 1), ("not_checked", 2)]),
    "an opening that comes second": (
        renumbered([LAWFUL[1], LAWFUL[0], *LAWFUL[2:]]),
        [("not_opened", 1), ("time_backwards", 2), ("not_checked", 2), ("state_not_yielded", 5)]),
    "a second opening": (
        renumbered([*LAWFUL[:4], forged(LAWFUL[0], command_id="x", at="2026-03-01T06:00:00Z",
                                        recorded_at="2026-03-01T06:00:00Z"), *LAWFUL[4:]]),
        [("opened_twice", 5)]),
    "an opening doubled": (
        renumbered([LAWFUL[0], *LAWFUL]), [("command_repeated", 2), ("opened_twice", 2)]),
    "a step without its from, out of a state that has no such step": (
        renumbered([*LAWFUL[:2], forged(LAWFUL[9], from_=None), *LAWFUL[10:]]),
        [("unlawful_edge", 3), ("derived_differs", 3), ("derived_differs", 4)]),
    "a case column": (columns(5, case="other"), [("column_mismatch", 5)]),
    "a case in the payload": (
        columns(5, payload=forged(LAWFUL[4], case="other").payload), [("column_mismatch", 5)]),
    "a version in the payload": (
        columns(5, payload=forged(LAWFUL[4], version=50).payload), [("column_mismatch", 5)]),
    "a trigger column": (columns(5, trigger="rule"), [("column_mismatch", 5)]),
    "a from column": (columns(5, from_state=None), [("column_mismatch", 5)]),
    "a to column": (columns(5, to_state="filed"), [("column_mismatch", 5)]),
    "an at column": (columns(5, at=LAWFUL[4].at + 1), [("column_mismatch", 5)]),
    "a recorded_at column of another type": (
        columns(5, recorded_at=float(LAWFUL[4].recorded_at)), [("column_mismatch", 5)]),
    "columns of a step beside an act": (
        columns(8, trigger="rule", from_state="filed", to_state="ruled"), [("column_mismatch", 8)]),
    "a backdated event": (forge(9, **moved(6, timedelta(seconds=1))), [("time_backwards", 9)]),
    "a backdated recording": (
        forge(9, **moved(6, timedelta(0)), recorded_at=json.loads(LAWFUL[5].payload)["recorded_at"]),
        [("time_backwards", 9)]),
    "an event that is recorded before it happened": (
        forge(12, **moved(12, DAY)), [("at_after_recorded", 12)]),
    "a lifecycle that nobody knows": (forge(1, lifecycle=99), [("unknown_lifecycle", 1), ("not_checked", 2)]),
    "a forged digest of the lifecycle": (forge(1, lifecycle_digest="0" * 64), [("lifecycle_differs", 1)]),
    "an edition that nobody knows": (forge(1, edition="2099-01"), [("unknown_edition", 1), ("not_checked", 1)]),
    "a forged digest of the edition": (forge(1, edition_digest="0" * 64), [("edition_differs", 1)]),
    "a step to where it does not lead": (
        forge(10, to="resolved"), [("unlawful_edge", 10), ("state_not_yielded", 11)]),
    "a step to no state at all": (forge(10, to="heaven"), [("unlawful_edge", 10)]),
    "a step from where it does not leave": (
        forge(10, from_="filed"), [("state_not_yielded", 10), ("unlawful_edge", 10)]),
    "a trigger that is not its command": (forge(10, trigger="dismiss"), [("unlawful_edge", 10)]),
    "a step without its trigger": (forge(10, trigger=None), [("unlawful_edge", 10)]),
    "a step without anything of a step": (forge(10, trigger=None, from_=None, to=None), [("unlawful_edge", 10)]),
    "an act that says it is a step": (
        forge(8, trigger="answer", from_="under_review", to="under_review"), [("unlawful_edge", 8)]),
    "an opening that says it is a step": (forge(1, to="ruled"), [("unlawful_edge", 1)]),
    "a lawful step from another state": (
        forge(6, from_="awaiting_merchant"), [("state_not_yielded", 6)]),
    "a step left out and the rest renumbered": (
        renumbered(LAWFUL[:4] + LAWFUL[5:]), [("state_not_yielded", 5), ("derived_differs", 5)]),
    "a ruling by the merchant": (forge(9, by=MERCHANT), [("role_may_not", 9)]),
    "a stranger in the merchant's role": (forge(11, by={"role": "merchant", "id": "M-2"}), [("role_may_not", 11)]),
    "an adviser whom nobody authorised": (forge(3, by={"role": "adviser", "id": "D-1"}), [("role_may_not", 3)]),
    "a case opened by the merchant": (forge(1, by=MERCHANT), [("role_may_not", 1)]),
    "a case opened by another consumer": (forge(1, by={"role": "consumer", "id": "C-2"}), [("role_may_not", 1)]),
    "an act by a role that may not": (forge(8, by={"role": "system", "id": "system"}),
                                      [("role_may_not", 8), ("guard_refuses", 9)]),
    "a ruling by an agent who is not assigned": (forge(9, by=AGENT_2), [("guard_refuses", 9)]),
    "a ruling for a refund above what was paid": (
        forge(9, data={"remedy": {"kind": "refund", "amount": "9000.00"}}),
        [("derived_differs", 9), ("guard_refuses", 9), ("derived_differs", 11), ("derived_differs", 12), ("guard_refuses", 12)]),
    "a ruling without hearing the merchant": (
        renumbered(LAWFUL[:7] + LAWFUL[8:]), [("guard_refuses", 8)]),
    "an act in a state that has none of it": (
        renumbered([*LAWFUL[:5], LAWFUL[7], *LAWFUL[5:7], *LAWFUL[8:]]),
        [("guard_refuses", 6), ("time_backwards", 7), ("guard_refuses", 9)]),
    "a command given twice": (forge(11, command_id="c10"), [("command_repeated", 11)]),
    "an identifier out of turn": (forge(4, id="E-7"), [("derived_differs", 4)]),
    "an identifier of another": (forge(4, id="E-1"), [("derived_differs", 4), ("guard_refuses", 7), ("derived_differs", 9),
                                                          ("guard_refuses", 9)]),
    "a later reply": (forge(6, reply_by={"at": "2030-01-01T00:00:00Z"}), [("derived_differs", 6)]),
    "a reply by another rule": (forge(6, reply_by={"rule": "mr12315.accept"}), [("derived_differs", 6)]),
    "a reply that is called provisional, where hours never are": (
        forge(6, reply_by={"at": "2030-01-01T00:00:00Z", "provisional": True}), [("derived_differs", 6)]),
    "a body that decides a day after its limit": (late_acceptance(), [("decided_late", 8)]),
}


# --- each code -------------------------------------------------------------------------------------------------------


def test_a_lawful_case_has_no_findings() -> None:
    assert audit_case(LAWFUL) == []
    assert audit_case([]) == []


@pytest.mark.parametrize("what", ALTERED)
def test_an_alteration_is_found_where_it_is_and_with_few_findings(what: str) -> None:
    rows, expected = ALTERED[what]

    assert found(rows) == sorted(expected, key=lambda f: (f[1], f[0]))
    assert {finding.case for finding in audit_case(rows)} <= {"k", "other", "3"}


def test_every_code_that_the_audit_knows_is_found_by_one_of_these_alterations() -> None:
    # What a merchant's stream says is altered in tests/test_standing_audit.py.
    of_standings = {"standing_missing", "standing_unfounded", "standing_differs"}
    # The index beside the events is damaged in tests/test_tick.py.
    # That the two derivations differ takes an error in one of them: tests/test_audit_second.py.
    # Notes are of the store and of the baseline: tests/test_audit_report.py; the ledger is attacked in tests/test_attacks.py.
    # A line is of a log: tests/test_log.py.
    elsewhere = of_standings | {"index_differs", "derivations_differ", "unreadable_line"} | {
        code for code, text in FINDINGS.items() if text.severity == "note" or text.family == "ledger"}
    assert {code for _, expected in ALTERED.values() for code, _ in expected} == set(FINDINGS) - elsewhere


@pytest.mark.parametrize("what", ALTERED)
def test_what_is_wrong_besides_is_found_as_well(what: str) -> None:
    rows, expected = ALTERED[what]
    # The second fault is another role's step and another trigger in the columns, on the event before the last.
    [place] = [i for i, row in enumerate(rows) if row.topic == "casework.case.remedy_performed"]
    second = forged(rows[place], by=CONSUMER | {"role": "auditor"})._replace(trigger="file")
    beside = {("column_mismatch", second.version), ("role_may_not", second.version)}
    if ("unknown_lifecycle", 1) in expected:
        beside.discard(("role_may_not", second.version))

    assert set(found([*rows[:place], second, *rows[place + 1:]])) >= beside | set(expected)


def test_a_finding_says_what_and_why_in_both_languages_on_one_line_each() -> None:
    [finding] = audit_case(forge(9, by=AGENT_2))

    assert finding == Finding(
        "guard_refuses", "k", 9, Line("agent:A-2 的 rule", "rule by agent:A-2"),
        Line("[not_assigned] agent:A-2 未被指派处理本案", "[not_assigned] agent:A-2 is not assigned to this case"))
    assert finding.what.text("zh") == finding.what.zh
    assert finding.why.text("en") == finding.why.en


def test_all_reasons_of_one_event_are_one_finding() -> None:
    [finding] = audit_case(forge(9, by=AGENT_2, data={"outcome": "for_merchant"}))[:1]

    assert finding.code == "guard_refuses"
    assert [part.split("]")[0] for part in finding.why.en.split("[")[1:]] == [
        "merchant_proof_missing", "not_assigned", "remedy_not_due"]


def test_codes_and_their_texts_are_complete_and_no_refusals() -> None:
    assert not set(FINDINGS) & set(REASONS)
    for code, text in FINDINGS.items():
        assert code == code.lower().replace(" ", "_")
        assert all(line and line.isprintable() for line in text[:4])


# --- tracks, offers, deadlines ---------------------------------------------------------------------------------------


def with_referral() -> Rows:
    """1 opened, 2 contacted, 3 referred, 4 accepted, 5 settled."""
    story = Story()
    story.do(c.ContactMerchant(message="x"))
    story.do(c.Refer(body="market_regulator", statement="x"))
    story.do(c.AcceptReferral(referral="R-1"), "external:market_regulator")
    story.do(c.SettleReferral(referral="R-1", remedy=REFUND), "external:market_regulator")
    return story.rows


def with_return() -> Rows:
    """1 opened, 2 contacted, 3 offered, 4 accepted, 5 sent, 6 contested, 7 settled as to be sent again, 8 sent."""
    story = Story()
    story.do(c.ContactMerchant(message="x"))
    story.do(c.MakeOffer(remedy=Remedy(kind="return_refund", amount=Decimal("899.00"))), "merchant")
    story.do(c.AcceptOffer())
    story.do(c.ShipReturn(carrier="顺丰", waybill="1"))
    story.do(c.ContestReturn(statement="有损"), "merchant")
    story.do(c.SettleReturn(received=False, explanation="重寄"), "agent:A-1")
    story.do(c.ShipReturn(carrier="顺丰", waybill="2"))
    return story.rows


def with_advance() -> Rows:
    """1 opened, 2 contacted, 3 offered, 4 accepted, 5 applied for an advance, 6 paid."""
    story = Story(services=("advance_compensation",))
    story.do(c.ContactMerchant(message="x"))
    story.do(c.MakeOffer(remedy=REFUND), "merchant")
    story.do(c.AcceptOffer())
    story.do(c.ApplyAdvance(statement="x"))
    story.do(c.PayAdvance(amount=Decimal("899.00")), "system")
    return story.rows


def with_tip_off() -> Rows:
    """1 opened, 2 tipped off, 3 answered."""
    story = Story()
    story.do(c.TipOff(to="platform", about="counterfeit", statement="x"))
    story.do(c.AnswerTipOff(tip_off="T-1", result="case_opened"), "agent:A-1")
    return story.rows


def with_examined_evidence() -> Rows:
    """The first eight of the lawful case, then 9 disputed, 10 found authentic, 11 found forged."""
    story = Story()
    story.do(c.ContactMerchant(message="异响"))
    story.do(c.AddEvidence(kind="fault_video", description="视频"))
    story.do(c.AddEvidence(kind="fault_description", description="描述"))
    story.do(c.File(claim="refund", statement="请裁决"))
    story.do(c.AcceptComplaint(), "agent:A-1")
    story.do(c.DisputeEvidence(evidence="E-1", statement="不实"), "merchant")
    story.do(c.ExamineEvidence(evidence="E-1", result="authentic"), "agent:A-1")
    story.do(c.ExamineEvidence(evidence="E-1", result="forged"), "agent:A-1")
    return story.rows


def changed(rows: Rows, version: int, **said: Any) -> Rows:
    return with_row(rows, version, lambda row: forged(row, **said))


TRACKED = {
    "a referral that is not there": (changed(with_referral(), 5, data={"referral": "R-9"}), "unknown_item"),
    "a referral settled before it was accepted": (renumbered(with_referral()[:3] + with_referral()[4:]), "wrong_point"),
    "a referral answered by another body": (
        changed(with_referral(), 5, by={"role": "external", "id": "court"}), "not_this_body"),
    "goods sent twice": (renumbered([*with_return()[:5], *with_return()[7:]]), "wrong_point"),
    "a settled return that was to be sent again": (changed(with_return(), 7, data={"received": True}), "wrong_point"),
    "an advance that nobody applied for": (renumbered(with_advance()[:4] + with_advance()[5:]), "wrong_point"),
    "a tip-off that is not there": (changed(with_tip_off(), 3, data={"tip_off": "T-2"}), "unknown_item"),
    "evidence found authentic twice": (
        changed(with_examined_evidence(), 9, data={"result": "authentic"}), "wrong_point"),
    "evidence that is not there": (changed(with_examined_evidence(), 7, data={"evidence": "E-9"}), "unknown_item"),
    "evidence of the side itself disputed": (
        changed(with_examined_evidence(), 7, by=CONSUMER), "own_evidence"),
}


@pytest.mark.parametrize("rows", [with_referral(), with_return(), with_advance(), with_tip_off(), with_examined_evidence()])
def test_things_beside_the_state_that_moved_lawfully_have_no_findings(rows: Rows) -> None:
    assert audit_case(rows) == []


@pytest.mark.parametrize("what", TRACKED)
def test_a_thing_beside_the_state_that_could_not_move_so_is_found(what: str) -> None:
    rows, reason = TRACKED[what]
    refusals = [finding for finding in audit_case(rows) if finding.code == "guard_refuses"]

    assert len(refusals) == 1
    assert f"[{reason}]" in refusals[0].why.en


def test_an_accepted_offer_is_the_one_that_was_open() -> None:
    story = Story()
    story.do(c.ContactMerchant(message="x"))
    story.do(c.MakeOffer(remedy=REFUND), "merchant")
    story.do(c.MakeOffer(remedy=REFUND), "merchant")
    story.do(c.AcceptOffer())

    assert audit_case(story.rows) == []
    assert found(changed(story.rows, 5, offer="O-1")) == [("derived_differs", 5)]
    assert found(changed(story.rows, 5, offer="O-9")) == [("derived_differs", 5)]
    assert found(renumbered([*story.rows[:2], story.rows[4]])) == [
        ("derived_differs", 3), ("guard_refuses", 3), ("state_not_yielded", 3)]


class _Working(Edition):
    """An edition whose platform replies in working days; ``provisional``: so many that no calendar covers them."""

    digest = CURRENT.digest

    def __init__(self, provisional: bool) -> None:
        super().__init__(CURRENT.id, tuple(
            replace(r, unit="working_day", value=400 if provisional else 1) if r.id == "platform.reply" else r
            for r in CURRENT.records))


@pytest.mark.parametrize(("told", "computed", "expected"), [
    (True, True, [("derived_differs", 6)]), (True, False, [("derived_differs", 6)]),
    (False, True, [("derived_differs", 6), ("not_checked", 6)]), (False, False, [("derived_differs", 6)]),
])
def test_a_provisional_deadline_years_away_is_no_estimate(told: bool, computed: bool, expected: list[tuple[str, int]],
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.audit.law.edition", lambda _: _Working(computed))
    said = {"at": "2030-01-01T00:00:00Z"} | ({"provisional": True} if told else {})
    duties = [change | {"due": change["due"] | said | {"unit": "working_day"}} if change["duty"] == "platform_reply" else change
              for change in json.loads(LAWFUL[5].payload)["duties"]]

    assert found(forge(6, reply_by=said, duties=duties)) == expected


@pytest.mark.parametrize(("off", "expected"), [
    (31 * DAY, []), (-31 * DAY, []), (31 * DAY + timedelta(microseconds=1), [("derived_differs", 6)]),
    (-31 * DAY - timedelta(microseconds=1), [("derived_differs", 6)])])
def test_an_estimate_may_be_off_by_the_holidays_of_a_year_and_no_more(off: timedelta, expected: list[tuple[str, int]],
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    edition = _Working(True)
    monkeypatch.setattr("casework.audit.law.edition", lambda _: edition)
    at = edition.due("platform.reply", datetime.fromisoformat(json.loads(LAWFUL[5].payload)["at"])).at + off
    said = {"at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "provisional": True}
    duties = [change | {"due": change["due"] | said | {"unit": "working_day"}} if change["duty"] == "platform_reply" else change
              for change in json.loads(LAWFUL[5].payload)["duties"]]

    assert found(forge(6, reply_by=said, duties=duties)) == expected


def test_an_edition_that_fails_is_not_checked_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(_Working):
        def of(self, rule_id: str) -> list[Record]:
            raise KeyError(rule_id)

    monkeypatch.setattr("casework.audit.law.edition", lambda _: Failing(False))

    findings = judged(LAWFUL)
    assert [(f.code, f.version) for f in findings] == [("not_checked", 1), ("not_checked", 6)]
    assert all("KeyError" in finding.why.en for finding in findings)


def test_a_guard_that_fails_is_told_once_and_the_others_are_still_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(facts: object, request: Request) -> list[Any]:
        raise ZeroDivisionError

    monkeypatch.setitem(GUARDS, "parties_were_heard", fails)

    assert found(forge(9, by=AGENT_2)) == [("guard_refuses", 9), ("not_checked", 9)]


def test_a_step_that_is_narrower_than_its_trigger_is_judged_by_the_roles_of_its_own_edge() -> None:
    story = Story()
    story.do(c.ContactMerchant(message="x"))
    story.do(c.File(claim="refund", statement="x"))
    story.do(c.RejectComplaint(ground="wrong_channel", explanation="x"), "agent")
    story.do(c.Escalate(statement="x"))

    assert found(story.rows) == []
    assert found(changed(story.rows, 5, by=MERCHANT)) == [("role_may_not", 5)]


@pytest.mark.parametrize(("unreadable", "said", "expected"), [
    (1, {"version": 2, "from_": "merchant_refused"}, ("state_not_yielded", 2)),
    (7, {"version": 9, "from_": "escalated"}, ("state_not_yielded", 9)),
    (8, {"version": 9, "from_": "escalated"}, ("state_not_yielded", 9)),
])
def test_after_an_unreadable_event_the_state_is_the_one_that_its_columns_name(
        unreadable: int, said: dict[str, Any], expected: tuple[str, int]) -> None:
    rows = with_row(LAWFUL, said["version"], lambda row: forged(row, **said))
    rows = with_row(rows, unreadable, lambda row: row._replace(payload=b""))

    assert expected in found(rows)


def test_after_an_unreadable_event_whose_columns_name_no_state_any_state_may_follow() -> None:
    rows = with_row(LAWFUL, 7, lambda row: row._replace(payload=b"", to_state="heaven"))

    assert found(rows) == [("unreadable_event", 7), ("not_checked", 8)]


def test_a_limit_of_an_unknown_edition_is_not_checked_where_it_is_first_asked_for() -> None:
    story = Story()
    story.do(c.ContactMerchant(message="x"))
    story.do(c.Lapse(message="x"), "system", after=1200 * DAY)

    assert found(story.rows) == []
    assert found(changed(story.rows, 1, edition="2099-01")) == [("not_checked", 1), ("unknown_edition", 1)]


def test_an_event_that_is_larger_than_any_command_writes_is_found() -> None:
    penalties = [{"kind": "warning", "clause": "x" * 200}] * 200
    over = forged(LAWFUL[8], data={"penalties": penalties, "findings": "x" * 60_000})

    assert len(over.payload) < EVENT_BYTES
    assert found(with_row(LAWFUL, 9, lambda _: over)) == []
    huge = over._replace(payload=over.payload + b" " * EVENT_BYTES)
    [finding] = audit_case(with_row(LAWFUL, 9, lambda _: huge))
    assert (finding.code, finding.version) == ("payload_not_canonical", 9)
    assert str(EVENT_BYTES) in finding.why.en


def test_times_are_microseconds_since_the_epoch_in_utc() -> None:
    assert microseconds(datetime.fromisoformat("1970-01-01T08:00:00.000001+08:00")) == 1
    assert microseconds(datetime.fromisoformat("2026-11-22T00:00:00+00:00")) == 1_795_305_600_000_000


def test_after_an_unreadable_event_an_adviser_is_not_held_to_be_unauthorised() -> None:
    story = Story()
    story.do(c.AuthoriseAdviser(adviser="D-1"))
    story.do(c.LogCall(note="x"), "adviser:D-1")
    rows = with_row(story.rows, 2, lambda row: row._replace(payload=b""))

    assert found(rows) == [("unreadable_event", 2), ("not_checked", 3)]


def test_no_act_is_judged_by_a_lifecycle_that_the_case_did_not_pin() -> None:
    rows = renumbered([forged(LAWFUL[0], lifecycle=99), *LAWFUL[2:4]])

    assert found([rows[0], forged(rows[1], by={"role": "system", "id": "system"}), rows[2]]) == [
        ("unknown_lifecycle", 1), ("not_checked", 2)]
    assert found([rows[0], forged(rows[1], by={"role": "merchant", "id": "M-2"}), rows[2]]) == [
        ("unknown_lifecycle", 1), ("not_checked", 2), ("role_may_not", 2)]


# --- streams of cases ------------------------------------------------------------------------------------------------


def stream() -> Rows:
    cases = [[forged(row, case=name) for row in LAWFUL] for name in ("a", "b", "c")]
    cases[1] = [forged(row, by=MERCHANT) if row.version == 9 else row for row in cases[1]]
    cases[2] = with_row(cases[2], 5, lambda row: row._replace(to_state="filed"))
    return [row for rows in cases for row in rows]


def test_a_stream_is_audited_case_by_case_and_summed_up() -> None:
    summary = Summary()
    told = [(f.case, f.version, f.code) for f in audit(stream(), summary=summary)]

    assert told == [("b", 9, "role_may_not"), ("c", 5, "column_mismatch")]
    assert (summary.cases, summary.events) == (3, 36)
    assert summary.findings == {"role_may_not": 1, "column_mismatch": 1}
    assert not summary.clean
    assert Summary().clean


def test_only_selected_codes_that_are_not_ignored_are_told() -> None:
    summary = Summary()

    assert [f.code for f in audit(stream(), select={"role_may_not"})] == ["role_may_not"]
    assert [f.code for f in audit(stream(), ignore={"role_may_not"}, summary=summary)] == ["column_mismatch"]
    assert summary.findings == {"column_mismatch": 1}
    assert list(audit(stream(), select={"role_may_not"}, ignore={"role_may_not"})) == []


@pytest.mark.parametrize("options", [{"select": {"rolle_may_not"}}, {"ignore": {"rolle_may_not"}}])
def test_a_code_that_does_not_exist_is_an_error_with_the_nearest_one(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="did you mean 'role_may_not'"):
        audit([], **options)


def test_a_row_moved_to_another_case_is_found_in_both() -> None:
    rows = sorted(columns(5, case="z"), key=lambda row: (row.case, row.version))

    assert [(f.case, f.code, f.version) for f in audit(rows)] == [
        ("k", "not_checked", 6), ("k", "state_not_yielded", 6), ("k", "version_gap", 6),
        ("z", "column_mismatch", 5), ("z", "not_opened", 5), ("z", "version_gap", 5)]


# --- whatever is in the file -----------------------------------------------------------------------------------------

GARBAGE: list[Any] = [None, 0, -1, 2**63 - 1, 1.5, float("nan"), b"", b"\xff", "", "\udcff", "filed\n", "a" * 10_000,
                      "\x1b[31m", "\u202e", "0"]
FIELDS = Row._fields
WALKED = [walked(Random(number), 40).rows for number in range(8)]


def replaced(rows: Rows, place: int, field: str, value: Any) -> Rows:
    return [*rows[:place], rows[place]._replace(**{field: value}), *rows[place + 1:]]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("place", [0, 4, 7, 11])
def test_garbage_of_any_type_in_any_field_is_found_and_shown_on_one_line(field: str, place: int) -> None:
    for value in GARBAGE:
        findings = audit_case(replaced(LAWFUL, place, field, value))
        if type(value) is not type(getattr(LAWFUL[place], field)) or value != getattr(LAWFUL[place], field):
            assert findings, (field, value)
        for finding in findings:
            for text in (finding.case, *finding.what, *finding.why):
                assert text.isprintable()
                assert len(text) < 3000


ANY_VALUE = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=30),
    st.text(st.characters(exclude_categories=()), max_size=30), st.sampled_from(sorted(e.TOPICS)),
    st.sampled_from(["filed", "ruled", "rule", "file", "k"]))


@seed(20261122)
@settings(max_examples=1500, deadline=None)
@given(st.integers(0, len(LAWFUL) - 1), st.sampled_from(FIELDS), ANY_VALUE)
def test_any_change_of_a_single_field_is_found(place: int, field: str, value: Any) -> None:
    before = getattr(LAWFUL[place], field)
    findings = audit_case(replaced(LAWFUL, place, field, value))

    assert bool(findings) == (type(value) is not type(before) or value != before)


@seed(20261122)
@settings(max_examples=2500, deadline=None)
@given(st.sampled_from(WALKED), st.data())
def test_a_flipped_bit_of_a_payload_is_found_unless_it_is_in_what_was_said(rows: Rows, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    row = rows[place]
    bit = data.draw(st.integers(0, len(row.payload) * 8 - 1))
    flipped = bytearray(row.payload)
    flipped[bit // 8] ^= 1 << bit % 8
    findings = {finding.code for finding in audit_case(replaced(rows, place, "payload", bytes(flipped)))}
    try:
        event = decode(row.topic, bytes(flipped))
    except Unreadable:
        assert "unreadable_event" in findings
        return

    envelope = (event.originator_id, event.originator_version, event.trigger, event.from_state, event.to_state,
                microseconds(event.at), microseconds(event.recorded_at))
    assert ("column_mismatch" in findings) == (envelope != (row.case, row.version, *row[4:]))
    assert ("payload_not_canonical" in findings) == (not is_canonical(event, bytes(flipped)))


# --- what it is made of ----------------------------------------------------------------------------------------------


def test_the_first_derivation_uses_nothing_of_the_living_case_nor_of_the_second() -> None:
    forbidden = {"casework.domain.case", "casework.domain.fold", "casework.domain.decide", "casework.domain.clocks",
                 "casework.domain.basis", "casework.rulebook.counting", "casework.audit.second", "eventsourcing", "transitions"}
    names: set[str] = set()
    paths = {path.name: path for path in (Path(__file__).parents[1] / "casework" / "audit").glob("*.py")}
    # The second is the living case, and whoever asks both knows both.
    for path in (path for name, path in paths.items() if name not in ("second.py", "check.py", "quick.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.update({node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)})

    assert {"casework.audit.walk", "casework.domain.facts"} <= names
    assert not {name for name in names for bad in forbidden if name == bad or name.startswith(f"{bad}.")}


def test_what_is_shown_of_a_value_is_short_and_prints() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert shown(b"\xff") == r"b'\xff'"
    assert shown("\udcff\u202e") == r"'\udcff\u202e'"
    assert len(shown("x" * 10**6)) < 70
    assert shown(None) == "None"


@pytest.mark.parametrize("count", [MANY // 4, MANY + 50], ids=["the fast path", "the slow path"])
def test_a_long_case_is_audited_in_one_pass(count: int) -> None:
    """Four times as many events take about four times as long: no event looks through the history before it."""
    short, long = (min(_seconds(rows) for _ in range(3)) for rows in (_calls(count), _calls(4 * count)))

    assert long < 8 * short


def _calls(count: int) -> Rows:
    story = [LAWFUL[0]]
    call = row_of(Story().do(c.LogCall(note="x")))
    return [*story, *(forged(call, version=n, command_id=f"x{n}") for n in range(2, count))]


def _seconds(rows: Rows) -> float:
    begin = time.process_time()
    assert audit_case(rows) == []
    return time.process_time() - begin


def test_an_actor_that_no_vocabulary_knows_is_found_and_shown_on_one_line() -> None:
    findings = audit_case(forge(9, by={"role": "emperor\n", "id": "Q"}))

    assert [f.code for f in findings] == ["payload_not_canonical", "role_may_not"]
    assert findings[1].what.en == r"rule by emperor\n:Q"


@pytest.mark.parametrize(("later", "noted"), [(timedelta(0), False), (timedelta(hours=47), False), (timedelta(hours=49), True)])
def test_what_is_said_to_have_been_in_time_and_was_recorded_after_it_is_noted_and_nothing_wrong(
        later: timedelta, noted: bool) -> None:
    """The merchant answers within his 48 hours, as somebody says who records it ``later``."""
    answered = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    order = {"id": "ORD-1", "item": "榨汁机", "category": "home", "merchant": "M-1", "paid": "89.00",
             "ordered_at": "2026-03-01T10:00:00+08:00"}
    with open_store(":memory:") as store:
        open_case(store, "K-1", {"order": order, "consumer": "C-1", "ground": "malfunction"}, by="consumer",
                  clock=lambda: answered, command_id="open")
        carry_on(store, "K-1", "contact_merchant", {"message": "异响"}, by="consumer", clock=lambda: answered, command_id="ask")
        carry_on(store, "K-1", "refuse_claim", {"excuse": "misuse"}, by="merchant", at=answered, command_id="refuse",
                 clock=lambda: answered + later)
        found = list(audit(store.rows()))
    assert [(f.code, f.version, f.severity) for f in found] == ([("recorded_late", 3, "note")] if noted else [])
