"""What is in the file: evidence and proof."""

from __future__ import annotations

from collections.abc import Iterator

from casework.domain import grounds
from casework.domain.facts import Facts
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.vocabulary import EVIDENCE_KINDS, PROOF_KINDS, ROLES, Term
from casework.errors import Reason


def evidence_is_enough(facts: Facts, request: Request) -> Iterator[Reason]:
    """The file holds what the ground needs; what was found forged does not count."""
    groups = grounds.missing(facts.given.ground, (e.kind for e in facts.consumer_evidence))
    if groups:
        zh = "；".join(" 或 ".join(EVIDENCE_KINDS[k].zh for k in group) for group in groups)
        en = "; ".join(" or ".join(EVIDENCE_KINDS[k].en for k in group) for group in groups)
        yield reason("evidence_missing", {"kinds": (zh, en)}, missing=tuple("|".join(group) for group in groups))


def promised_evidence_is_in_file(facts: Facts, request: Request) -> Iterator[Reason]:
    """Whoever came back for new evidence has put it in the file by now."""
    named = facts.new_evidence
    if named and not any(e.version > named.version and e.kind in named.kinds for e in facts.consumer_evidence):
        kinds = (", ".join(EVIDENCE_KINDS[k].zh for k in named.kinds), ", ".join(EVIDENCE_KINDS[k].en for k in named.kinds))
        yield reason("evidence_missing", {"kinds": kinds}, missing=named.kinds)


def evidence_is_of_the_other_side(facts: Facts, request: Request) -> Iterator[Reason]:
    """One disputes what the other side put in."""
    item = facts.evidence.get(request.said("evidence"))
    if item is not None and item.by.role == request.by.role:
        yield reason("own_evidence")


def proof_was_asked(facts: Facts, request: Request) -> Iterator[Reason]:
    """Proof comes from the party that was asked, and is of the kinds asked for."""
    term = facts.proof_term
    kinds = request.said("kinds") or ()
    wrong = tuple(k for k in kinds if term is None or k not in term.kinds)
    if term is None or request.by.role != term.party or wrong:
        shown = wrong or kinds
        zh = "、".join(PROOF_KINDS[k].zh for k in shown if k in PROOF_KINDS)
        en = ", ".join(PROOF_KINDS[k].en for k in shown if k in PROOF_KINDS)
        who = ROLES.get(request.by.role, Term(request.by.role, request.by.role))
        yield reason("not_asked", {"role": who, "kinds": (zh, en)})


def proof_is_in_file(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only what was handed in can be accepted or found forged, and only what was asked for can be missing."""
    kind, result, party = request.said("kind"), request.said("result"), request.said("party")
    held = {p.kind for p in facts.proofs.values()
            if p.party == party and (p.result != "missing" or result == "missing")}
    term = facts.proof_term
    asked = set(term.kinds) if term and term.party == party and result == "missing" else set()
    if not (facts.proofs or term) if request.is_blank else kind not in held | asked:
        item = PROOF_KINDS.get(kind or "", Term("证明材料", "proof"))
        yield reason("unknown_item", {"item": item}, missing=("submit_proof",))
