"""Why a case stands as it does: each ruling with what it rested on, each deadline with the rule that gave it.

Everything is told from the events alone; nothing is decided again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from casework.domain.facts import Facts
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
        yield {
            "id": duty.id, "duty": duty.kind, "who": duty.owes, "about": duty.about, "state": duty.state, "since": duty.since,
            "due": due.at, "rule": due.rule, "rank": due.rank, "unit": due.unit, "clause": due.clause, "certainty": due.certainty,
            "provisional": due.provisional, "overrides": list(due.overrides), "changes": moved.get(duty.id, []),
        }


def _digest(edition_id: str) -> str | None:
    found = edition(edition_id)
    return found.digest if found else None
