"""How a merchant stands: plain data with stable keys, from his own stream and the rows of his cases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import cast

from casework.application.scorecard import Scorecard
from casework.application.views import UnreadableCase, View, events_of, facts_of, money, unreadable
from casework.domain.events import CaseOpened, Due, Event
from casework.domain.standing import events as e
from casework.domain.standing.facts import Measure, Penalty, StandingFacts, apply
from casework.domain.standing.rules import CURRENT_RULES, RULES, year_of
from casework.errors import UnknownCase
from casework.store.row import Row


def merchant_view(rows: Iterable[Row], merchant: str, now: datetime, *, as_of: datetime | None = None) -> View:
    """Everything known of a merchant, from all rows of a store; deadlines are judged at ``now``.

    :class:`~casework.errors.UnknownCase` where the store holds neither a case of his nor a stream.
    """
    card, facts, held = Scorecard(), None, False
    unreadable_cases: list[str] = []
    for stream, group in groupby(rows, key=lambda row: row.case):
        if stream == e.stream_of(merchant):
            facts, held = standing_of(merchant, group, as_of), True
        elif not e.is_standing(stream):
            try:
                held = _count(card, group, merchant, now, as_of) or held
            except UnreadableCase:
                # Whose it is may not be known either: it is named, and the rest is shown.
                unreadable_cases.append(str(stream))
    if not held:
        raise UnknownCase(f"no merchant '{merchant}' in the store; see the cases with: casework list",
                          f"案件库中没有商家“{merchant}”；用 casework list 查看案件")
    return standing_view(facts or StandingFacts(merchant), now) | {"unreadable": unreadable_cases, "scorecard": card.view()}


def standing_of(merchant: str, rows: Iterable[Row], as_of: datetime | None = None) -> StandingFacts:
    """The standing that the rows of a merchant's stream yield. :class:`~casework.application.views.UnreadableCase`."""
    facts = StandingFacts(merchant)
    for row in rows:
        [event] = events_of([row])
        if as_of is not None and event.recorded_at > as_of:
            break
        try:
            apply(facts, cast(e.StandingEvent, event))
        except (KeyError, AttributeError, TypeError) as error:
            raise unreadable(row, error) from None
    return facts


def standing_view(facts: StandingFacts, now: datetime) -> View:
    """The standing alone."""
    year = year_of(now)
    rules = RULES[CURRENT_RULES]
    penalties = [_penalty(p, now) for p in facts.penalties.values()]
    return {
        "merchant": facts.merchant,
        "status": facts.status(now),
        "version": facts.version,
        "points": {
            name: {"points": facts.points(name, year), "own": facts.own_points(name, year),
                   "carried": facts.carried(name, year), "year": year,
                   "next_node": next((n.points for n in track.nodes if n.points > facts.points(name, year)), None),
                   "clause": track.clause, "certainty": track.certainty}
            for name, track in rules.tracks.items()
        },
        "clearing": {"clause": rules.clearing, "certainty": rules.clearing_certainty},
        "measures": [_measure(m, now) for m in facts.measures],
        "penalties": penalties,
        "appeals": [{"penalty": p.id, "at": p.appealed_at, "decided_at": p.decided_at, "state": p.state}
                    for p in facts.penalties.values() if p.appealed_at],
        "unpublished": [p["id"] for p in penalties if p["publication"] in ("due", "overdue")],
        "published_late": [p["id"] for p in penalties if p["publication"] == "late"],
        "advances": [{"case": d.case, "owed": money(d.owed), "repaid": money(d.repaid), "open": money(d.open)}
                     for d in facts.debts.values()],
        "readmitted": list(facts.readmitted),
    }


def _count(card: Scorecard, group: Iterable[Row], merchant: str, now: datetime, as_of: datetime | None) -> bool:
    """Whether that is a case of his; then it is counted."""
    first, *rest = group
    [opening] = events_of([first])
    if not isinstance(opening, CaseOpened) or opening.data.order.merchant != merchant:
        return False
    rows = [first, *rest]
    facts = facts_of(rows, as_of=as_of)
    if facts is not None:
        events = [event for event in events_of(rows) if as_of is None or event.recorded_at <= as_of]
        card.add(facts, cast(list[Event], events), now)
    return True


def _penalty(p: Penalty, now: datetime) -> View:
    return {
        "id": p.id, "kind": p.kind, "case": p.case, "ruling": p.ruling, "track": p.track, "points": p.points,
        "clause": p.clause, "at": p.at, "by": str(p.by), "state": p.state, "publication": _publication(p, now),
        "publish_by": _due(p.publish_by), "published_at": p.published_at, "appeal_by": _due(p.appeal_by), "ended_at": p.ended_at,
    }


def _publication(p: Penalty, now: datetime) -> str:
    """Where the publication stands; what was annulled unpublished need not be published any more."""
    if p.published_at is not None:
        return "late" if p.published_at > p.publish_by.at else "published"
    if not p.counts:
        return "not_due"
    return "overdue" if now > p.publish_by.at else "due"


def _measure(m: Measure, now: datetime) -> View:
    status = "lifted" if m.lifted_at else "ended" if m.ended_at else "in_force" if m.stands(now) else "over"
    return {"track": m.track, "year": m.year, "node": m.node, "measure": m.kind, "at": m.at, "until": m.until, "status": status,
            "clause": m.clause, "certainty": m.certainty}


def _due(due: Due | None) -> View | None:
    if due is None:
        return None
    return {"at": due.at, "clause": due.clause, "certainty": due.certainty, "provisional": due.provisional}
