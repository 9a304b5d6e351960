"""Who loses for want of proof: the whole matrix of the burden of proof, put to a ruling."""

from __future__ import annotations

from collections.abc import Iterator

from casework.domain.burden import stands
from casework.domain.facts import Facts
from casework.domain.guards.evidence import evidence_is_enough
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.errors import Reason


def burden_is_met(facts: Facts, request: Request) -> Iterator[Reason]:
    """Nobody wins whose turn it was to prove and who did not (争议规则 65, 66, 73–81; 消法 23(3)).

    Against the buyer this is asked of his first evidence and of forgery alone: what a test would have shown the agent weighs,
    and may relieve him of (争议规则 9, 24).
    """
    outcome = request.said("outcome")
    stand = stands(facts, request.at, request.edition)
    if outcome is None and stand.loses == "merchant":
        # Nothing is said yet: there has to be one side at least for whom it could be said.
        yield from evidence_is_enough(facts, request)
    if outcome == "for_merchant" and stand.loses == "merchant":
        yield reason("merchant_proof_missing", missing=("examine_proof",))
    if outcome in ("for_consumer", "partly_for_consumer"):
        yield from evidence_is_enough(facts, request)
