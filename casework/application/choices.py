"""What may be done now: the answer to ``casework options``, with stable keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.domain.decide import options
from casework.domain.facts import Facts
from casework.domain.standing.commands import STANDING_ACTS
from casework.domain.standing.decide import actor_for, judge
from casework.domain.standing.events import stream_of
from casework.domain.standing.facts import StandingFacts
from casework.errors import Reason
from casework.rulebook.edition import current, pinned


def choices(facts: Facts, at: datetime, role: str | None = None) -> dict[str, Any]:
    """Every command: allowed or not, by whom, where it leads, every reason against it, what is missing, until when."""
    return {
        "case": facts.case,
        "state": facts.state,
        "triggers": [
            {
                "trigger": o.name,
                "allowed": o.allowed,
                "roles": list(o.roles),
                "to": o.to,
                "reasons": [_reason(r) for r in o.reasons],
                "missing": list(o.missing),
                "until": o.until,
            }
            for o in options(facts, at, pinned(facts.edition), role, current())
        ],
    }


def standing_choices(facts: StandingFacts, at: datetime, role: str | None = None) -> dict[str, Any]:
    """The same of a merchant's standing; a command about some penalty is allowed where there is one for which it is."""
    triggers = []
    for name, act in STANDING_ACTS.items():
        answers = [judge(facts, name, actor_for(r, facts), at) for r in (act.roles if role is None else (role,))]
        reasons = {r.code: r for r in min(answers, key=len)}
        triggers.append({
            "trigger": name, "allowed": not reasons, "roles": list(act.roles), "to": None,
            "reasons": [_reason(reasons[code]) for code in sorted(reasons)],
            "missing": list(dict.fromkeys(m for r in reasons.values() for m in r.missing)), "until": None,
        })
    return {"case": stream_of(facts.merchant), "state": facts.status(at), "triggers": triggers}


def _reason(r: Reason) -> dict[str, Any]:
    return {"code": r.code, "zh": r.zh, "en": r.en, "clause": r.clause}
