"""Why a case stands as it does: each ruling with what it rested on, each deadline with the rule that gave it.

Everything is told from the events alone; nothing is decided again. The figure of a deadline is looked up in the edition of the
rulebook, and told where it gives the end that is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from casework.application import views
from casework.domain.events import (
    Basis,
    CaseOpened,
    CaseRuled,
    ClaimDeemedAgreed,
    Event,
    ExternallyAwarded,
    MerchantContacted,
    RulingCorrected,
)
from casework.domain.facts import Duty, Facts
from casework.rulebook.edition import edition

View = dict[str, Any]


def why(events: Sequence[Event], facts: Facts) -> View:
    """What the rulings, the remedy and the deadlines of a case rest on: clause, rule, rank, certainty, inputs, alternatives."""
    opening = events[0]
    assert isinstance(opening, CaseOpened), opening
    return {
        "case": facts.case,
        "state": facts.state,
        "lifecycle": facts.lifecycle,
        "edition": facts.edition,
        "edition_digest": opening.edition_digest if facts.edition == opening.edition else _digest(facts.edition),
        "rulings": [_ruling(e) for e in events if isinstance(e, CaseRuled)],
        "corrections": [{"version": e.originator_version, "at": e.at, "by": str(e.by), "reason": e.data.reason,
                         "findings": e.data.findings, "clause": e.data.clause, "remedy": views.remedy(e.data.remedy)}
                        for e in events if isinstance(e, RulingCorrected)],
        "agreed": list(_agreed(events)),
        "awards": [{"version": e.originator_version, "at": e.at, "by": str(e.by), "remedy": views.remedy(e.data.remedy),
                    "document": e.data.document} for e in events if isinstance(e, ExternallyAwarded)],
        "duties": list(_duties(facts, events)),
    }


def _agreed(events: Sequence[Event]) -> Iterable[View]:
    """What silence agreed to: what was asked for by then, whatever is asked for later."""
    asked = None
    for event in events:
        if isinstance(event, MerchantContacted):
            asked = event.data.remedy or asked
        elif isinstance(event, ClaimDeemedAgreed):
            yield {"version": event.originator_version, "at": event.at, "remedy": views.remedy(asked)}


def _ruling(event: CaseRuled) -> View:
    said = event.data
    return {
        "version": event.originator_version, "at": event.at, "by": str(event.by), "outcome": said.outcome,
        "findings": said.findings, "clause": said.clause, "remedy": views.remedy(said.remedy),
        "penalties": [{"kind": p.kind, "clause": p.clause, "points": p.points} for p in said.penalties],
        "basis": [_basis(b) for b in event.basis],
    }


def _basis(basis: Basis) -> View:
    return {"about": basis.about, "row": basis.row, "rule": basis.rule, "rank": basis.rank, "clause": basis.clause,
            "certainty": basis.certainty, "inputs": list(basis.inputs), "result": basis.result}


def _duties(facts: Facts, events: Sequence[Event]) -> Iterable[View]:
    moved: dict[str, list[View]] = {}
    for event in events:
        for change in event.duties:
            moved.setdefault(change.id, []).append(
                {"version": event.originator_version, "at": event.at, "change": change.change,
                 "due": change.due.at if change.due else None})
    for duty in facts.duties.values():
        due = duty.due
        value, begun = _figure(duty, moved.get(duty.id, []), facts)
        yield {
            "id": duty.id, "duty": duty.kind, "who": duty.owes, "about": duty.about, "state": duty.state, "since": duty.since,
            "due": due.at, "rule": due.rule, "rank": due.rank, "unit": due.unit, "clause": due.clause, "certainty": due.certainty,
            "provisional": due.provisional, "overrides": list(due.overrides), "changes": moved.get(duty.id, []),
            "value": value, "from": begun,
        }


def _figure(duty: Duty, moved: Sequence[View], facts: Facts) -> tuple[int | None, datetime | None]:
    """So many of the unit, and from when: the last beginning from which the rule gives the recorded end. Of a duty that stood
    still it is where it last began, since its end is a later one. Nones where the time was set, or the edition lacks it."""
    held, due = edition(facts.edition), duty.due
    if due.unit is None or held is None or not held.has(due.rule):
        return None, None
    begun = [change["at"] for change in reversed(moved) if change["change"] in ("opened", "extended")]
    for at in (*begun, *reversed(facts.demands)):
        try:
            found = held.due(due.rule, at)
        except (KeyError, ValueError, OverflowError):  # the rule ended, or no calendar reaches that far
            continue
        if duty.was_paused or found.at == due.at:
            return found.value, at
    return None, None


def _digest(edition_id: str) -> str | None:
    found = edition(edition_id)
    return found.digest if found else None
