"""What may be done now: the answer to ``casework options``, with stable keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.domain.decide import options
from casework.domain.facts import Facts
from casework.rulebook.edition import CURRENT, pinned


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
                "reasons": [{"code": r.code, "zh": r.zh, "en": r.en, "clause": r.clause} for r in o.reasons],
                "missing": list(o.missing),
                "until": o.until,
            }
            for o in options(facts, at, pinned(facts.edition), role, CURRENT)
        ],
    }
