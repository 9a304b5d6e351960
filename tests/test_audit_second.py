"""The audit's two derivations of legality: they agree on what was recorded, and where one errs the audit says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from harness import corners
from recorded import NAMES, recorded, row_of
from test_audit import LAWFUL, forge, found, with_examined_evidence, with_referral, with_return, with_tip_off

from casework.audit import basis, deadlines, derived, duties, limits
from casework.audit.check import judged
from casework.audit.projector import project
from casework.domain import clocks, fold
from casework.domain import events as e
from casework.domain.basis import basis_of
from casework.domain.decide import judge
from casework.domain.facts import Facts
from casework.domain.guards import GUARDS
from casework.domain.request import Request
from casework.rulebook.edition import EDITIONS

_BEGIN = datetime(2026, 1, 3, 9, 30, tzinfo=UTC)
_PRICES = tuple(map(Decimal, ("0.01", "3.33", "99.99", "899.00", "123456.78")))
#: What each derivation has to itself, spoiled one at a time on a lawful history: where, by what, and what has to be said.
SPOILED: dict[str, tuple[str, Callable[..., Any], int]] = {
    "the living case refuses a ruling": (
        "casework.audit.second.judge", lambda facts, request: _refuses(facts, request), 9),
    "the living case leads elsewhere": (
        "casework.audit.second.judge", lambda facts, request: _strays(facts, request), 6),
    "the living case forgets who is assigned": (
        "casework.audit.second.fold.apply", lambda facts, event: _forgets(facts, event), 7),
    "the living case cannot read an answer": (
        "casework.audit.second.fold.apply", lambda facts, event: _fails(facts, event), 8),
    "the audit projects no evidence": (
        "casework.audit.walk.project", lambda facts, event: _without_evidence(facts, event), 3),
}


class _Reason:
    code = "not_heard"


_apply, _judge, _project = fold.apply, judge, project


def _refuses(facts: Facts, request: Request) -> Any:
    return ("ruled", [_Reason()]) if request.name == "rule" else _judge(facts, request)


def _strays(facts: Facts, request: Request) -> Any:
    return ("lapsed", []) if request.name == "file" else _judge(facts, request)


def _forgets(facts: Facts, event: e.Event) -> None:
    _apply(facts, event)
    if isinstance(event, e.ComplaintAccepted):
        facts.assigned = None


def _fails(facts: Facts, event: e.Event) -> None:
    if isinstance(event, e.PartyAnswered):
        raise ZeroDivisionError
    _apply(facts, event)


def _without_evidence(facts: Facts | None, event: e.Event) -> Facts | None:
    after = _project(facts, event)
    if after is not None and isinstance(event, e.EvidenceAdded) and event.originator_version == 3:
        after.evidence.clear()
    return after


@pytest.mark.parametrize("what", SPOILED)
def test_where_one_derivation_errs_the_audit_says_that_they_differ_there_and_once(
        what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, does, version = SPOILED[what]
    monkeypatch.setattr(where, does)

    said = [f for f in judged(LAWFUL) if f.code == "derivations_differ"]

    assert [f.version for f in said] == [version]
    assert said[0].what.zh and said[0].why.en


def test_an_opening_that_only_the_living_case_refuses_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    order = json.loads(LAWFUL[0].payload)["data"]["order"] | {"ordered_at": "2031-01-01T00:00:00Z"}
    rows = forge(1, data={"order": order})
    assert ("guard_refuses", 1) in found(rows) and ("derivations_differ", 1) not in found(rows)

    monkeypatch.setattr("casework.audit.law.order_is_consistent", lambda given, at: [])

    [told] = [f for f in judged(rows) if f.code == "derivations_differ"]
    assert (told.version, told.what.en) == (1, "whether case_opened was allowed")
    assert told.why.en.startswith("the audit's: allowed; the living case's: not allowed (")


def test_after_a_difference_the_two_go_on_together_and_the_next_one_is_told_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoils(facts: Facts, event: e.Event) -> None:
        _forgets(facts, event)
        if isinstance(event, e.ClaimRefused):
            facts.excuses.clear()

    monkeypatch.setattr("casework.audit.second.fold.apply", spoils)

    assert found(LAWFUL) == [("derivations_differ", 5), ("derivations_differ", 7)]


def test_a_fact_that_no_event_names_is_still_compared_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoils(facts: Facts, event: e.Event) -> None:
        _apply(facts, event)
        if isinstance(event, e.ComplaintFiled):
            facts.evidence["E-1"].authenticity = "forged"

    monkeypatch.setattr("casework.audit.second.fold.apply", spoils)

    assert ("derivations_differ", 12) in found(LAWFUL)


#: Stories, the event of each that names something, where the facts keep that, and a field of it.
NAMED = {
    "evidence that is added": (with_examined_evidence, 3, "evidence", "description"),
    "evidence that is disputed": (with_examined_evidence, 7, "evidence", "authenticity"),
    "evidence that is examined": (with_examined_evidence, 8, "evidence", "authenticity"),
    "an offer that is made": (with_return, 3, "offers", "remedy"),
    "an offer that is accepted": (with_return, 4, "offers", "state"),
    "a referral that is begun": (with_referral, 3, "referrals", "body"),
    "a referral that is accepted": (with_referral, 4, "referrals", "state"),
    "a tip-off that is given": (with_tip_off, 2, "tip_offs", "about"),
    "a tip-off that is answered": (with_tip_off, 3, "tip_offs", "state"),
    "a duty that is begun": (with_referral, 2, "duties", "owes"),
}


@pytest.mark.parametrize("what", NAMED)
def test_what_an_event_names_is_compared_at_that_event_and_not_only_in_the_end(
        what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story, version, held, field = NAMED[what]
    rows = story()
    assert found(rows) == []

    def spoils(facts: Facts, event: e.Event) -> None:
        _apply(facts, event)
        if event.originator_version == version:
            setattr(list(getattr(facts, held).values())[0 if held == "evidence" else -1], field, "something else")

    monkeypatch.setattr("casework.audit.second.fold.apply", spoils)

    assert found(rows) == [("derivations_differ", version)]


@pytest.mark.parametrize("what", ["role", "state", "duty", "amount"])
def test_what_both_find_is_told_once(what: str) -> None:
    rows = {"role": forge(9, by={"role": "merchant", "id": "M-1"}), "state": forge(7, to="ruled"), "duty": forge(6, duties=[]),
            "amount": forge(9, data={"remedy": {"kind": "refund", "amount": "9000.00"}})}[what]

    codes = {code for code, _ in found(rows)}

    assert codes and "derivations_differ" not in codes


def test_a_guard_that_fails_or_an_edition_that_is_unknown_makes_no_difference_of_the_derivations(
        monkeypatch: pytest.MonkeyPatch) -> None:
    assert {code for code, _ in found(forge(1, edition="2199-01"))} == {"unknown_edition", "not_checked"}

    def fails(facts: object, request: object) -> list[Any]:
        raise ZeroDivisionError

    monkeypatch.setitem(GUARDS, "parties_were_heard", fails)
    assert found(LAWFUL) == [("not_checked", 9)]


# --- duties and the basis of a ruling, each by two procedures --------------------------------------------------------


def test_the_audits_duties_and_bases_are_those_of_deciding_for_every_recorded_event(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"duties": 0, "basis": 0}

    def of_duties(*given: Any) -> Any:
        asked["duties"] += 1
        mine = duties.duties_of(*given)
        assert mine == clocks.changes(*given)
        return mine

    def of_basis(*given: Any) -> Any:
        asked["basis"] += 1
        mine = basis.basis_again(*given)
        assert mine == basis_of(*given)
        return mine

    monkeypatch.setattr(deadlines, "duties_of", of_duties)
    monkeypatch.setattr(derived, "basis_again", of_basis)
    told = {name: recorded(name) for name in NAMES} | {name: corners.events_of(name) for name in corners.STORIES}
    for name, events in told.items():
        findings = judged(map(row_of, events))
        assert not [f for f in findings if f.code in ("not_checked", "derived_differs")], (name, findings)

    assert asked["duties"] > 700
    assert asked["basis"] >= 20


def test_every_limit_of_every_edition_ends_where_the_rulebook_ends_it() -> None:
    held = 0
    for rules in EDITIONS.values():
        for rule in rules.rules():
            for days in range(0, 500, 23):
                moment = _BEGIN + timedelta(days=days, hours=days % 24)
                try:
                    due: Any = rules.due(rule, moment)
                except KeyError:
                    with pytest.raises(KeyError):
                        limits.limit(rules, rule, moment)
                    continue
                except ValueError:  # money
                    break
                mine = limits.limit(rules, rule, moment)
                assert mine == clocks.rule_due(rules, rule, moment), (rules.id, rule, moment)
                held += due.at == mine.at
    assert held > 1000


def test_every_sum_of_every_edition_is_what_the_rulebook_makes_of_the_price() -> None:
    held = 0
    for rules in EDITIONS.values():
        for rule in rules.rules():
            for price in _PRICES:
                record, _ = limits.governing(rules, rule, _BEGIN) if _governs(rules, rule) else (None, ())
                if record is None or record.counts_time:
                    break
                assert limits.sum_of(record, price) == rules.amount(rule, price, _BEGIN).amount, (rules.id, rule, price)
                held += 1
    assert held > 20


def _governs(rules: Any, rule: str) -> bool:
    try:
        limits.governing(rules, rule, _BEGIN)
    except KeyError:
        with pytest.raises(KeyError):
            rules.governing(rule, _BEGIN)
        return False
    return True
