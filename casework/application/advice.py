"""What a case can be advised: what may be claimed, who proves what, where else it can go. Plain data with stable keys.

Times are aware datetimes, amounts text in yuan; the floors above put them in a language and a time zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.application.views import money
from casework.domain.answers import ANSWERS
from casework.domain.burden import delivery_note, stands
from casework.domain.categories import CategoryRule, category_of, rules_of, window_end
from casework.domain.check import Check, Line
from casework.domain.facts import Facts
from casework.domain.grounds import missing
from casework.domain.remedies import Claim, claims
from casework.domain.returns import RETURN_GROUND, instant_refund_requirements, return_requirements
from casework.domain.ways import Way, ways
from casework.rulebook.edition import pinned

View = dict[str, Any]


def claims_view(facts: Facts, at: datetime) -> View:
    """What may be claimed: amounts, steps, from whom, under which conditions."""
    return _head(facts) | {
        "paid": money(facts.given.order.paid),
        "claims": [
            {"id": c.id, "kind": c.kind, **_line(c.said), "amount": money(c.amount), "venues": _venues(c, facts), "rule": c.rule,
             "clause": c.clause, "certainty": c.certainty, "steps": [_line(s) for s in c.steps],
             "conditions": [_line(s) for s in c.conditions]}
            for c in claims(facts, pinned(facts.edition), at)
        ],
    }


def burden_view(facts: Facts, at: datetime) -> View:
    """Who must prove what, what is shown, what is missing, and what answers the merchant's excuses."""
    edition = pinned(facts.edition)
    stand = stands(facts, at, edition)
    row, category = stand.burden.row, category_of(facts.given.order.category)
    said = delivery_note(stand, facts.given.ground)
    held = [e.kind for e in facts.consumer_evidence]
    return _head(facts) | {
        "category": category,
        "situation": stand.burden.situation,
        "rule": {**_line(row.said), "why": _line(stand.burden.why), "clause": row.clause, "certainty": row.certainty},
        "steps": [
            {"party": s.party, **_line(s.said), "done": stand.step is None or n < stand.step, "now": n == stand.step}
            for n, s in enumerate(row.steps)
        ],
        "party": stand.party,
        "loses": None if said is not None and said.open else stand.loses,
        "note": {**_line(said.said), "clause": said.clause} if said is not None else None,
        "missing": [list(group) for group in stand.missing],
        "pending": list(stand.pending),
        "forged": list(stand.forged),
        "shown": [{"party": s.party, "kind": s.kind, "source": s.source, "standing": s.standing} for s in stand.shown],
        "file_lacks": [list(group) for group in missing(facts.given.ground, held)],
        "category_rules": [_category_rule(r, facts) for r in rules_of(category, facts.given.ground)],
        "requirements": [_check(c) for c in (return_requirements(facts, edition,
        at) if facts.given.ground == RETURN_GROUND else ())],
        "instant_refund": [_check(c) for c in instant_refund_requirements(facts)],
        "answers": [{"excuse": x, **_line(Line(ANSWERS[x].zh, ANSWERS[x].en)), "clause": ANSWERS[x].clause,
                     "evidence": list(ANSWERS[x].evidence)} for x in dict.fromkeys(facts.excuses) if x in ANSWERS],
    }


def ways_view(facts: Facts, at: datetime) -> View:
    """The outside bodies: open or not and why, what to bring, until when."""
    held = [e.kind for e in facts.consumer_evidence]
    return _head(facts) | {"at": at, "evidence_lacks": [list(group) for group in missing(facts.given.ground, held)],
    "ways": [_way(w) for w in ways(facts, pinned(facts.edition), at)]}


def _venues(claim: Claim, facts: Facts) -> list[str]:
    """Who may grant it: as the rulebook says where it gives the figure, so that both say the same. The table of claims says of
    what the platform pays itself that the platform pays it; what its rules promise is also a term of the contract."""
    held = pinned(facts.edition)
    of_rule = [r for r in held.of(claim.rule) if r.rank == claim.rank] if claim.rule and held.has(claim.rule) else []
    return list(of_rule[-1].awarded_by) if of_rule and of_rule[-1].awarded_by else list(claim.venues)


def _head(facts: Facts) -> View:
    return {"case": facts.case, "state": facts.state, "ground": facts.given.ground}


def _way(way: Way) -> View:
    node = way.node
    return {
        "id": way.id, "body": node.body, **_line(node.said), "clause": node.clause, "certainty": node.certainty,
        "status": way.status, "referral": way.referral,
        "reasons": [_check(c) for c in way.checks],
        "missing": [{"id": d.id, **_line(d.said), "kinds": list(d.kinds), "clause": d.clause, "certainty": d.certainty}
                    for d in way.missing],
        "bring": [{"id": d.id, **_line(d.said), "clause": d.clause, "certainty": d.certainty} for d in way.bring],
        "clocks": [{"rule": d.clock.rule, **_line(d.clock.said), "due": d.at, "clause": d.clause, "certainty": d.certainty,
                    "provisional": d.provisional} for d in way.clocks],
        "outcome": _line(node.outcome), "effect": _line(node.effect), "limits": _line(node.limits),
        "regime": {"id": way.regime.id, **_line(way.regime.said)} if way.regime else None,
    }


def _category_rule(row: CategoryRule, facts: Facts) -> View:
    return {"id": row.id, "kind": row.kind, **_line(row.said), "clause": row.clause, "certainty": row.certainty,
            "until": window_end(facts, row)}


def _check(check: Check) -> View:
    return {"name": check.name, "state": check.state, **_line(check.said), "clause": check.clause, "certainty": check.certainty}


def _line(line: Line) -> dict[str, str]:
    return {"zh": line.zh, "en": line.en}
