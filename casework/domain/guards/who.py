"""Who acts: role, party and assignment, and nobody in his own case."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from casework.domain.facts import Facts
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.vocabulary import ROLES, Term
from casework.errors import Reason


def same_identity(one: str, other: str) -> bool:
    """Whether two identities are the same person's however they are written (case, full width)."""
    return unicodedata.normalize("NFKC", one).casefold() == unicodedata.normalize("NFKC", other).casefold()


def who_may(facts: Facts, request: Request, roles: Iterable[str]) -> list[Reason]:
    """Role and party: asked of every command, whether there is an edge or not."""
    allowed = tuple(roles)
    found = []
    if request.by.role not in allowed:
        zh = "、".join(ROLES[r].zh for r in allowed)
        en = ", ".join(ROLES[r].en for r in allowed)
        who = ROLES.get(request.by.role, Term(request.by.role, request.by.role))
        found.append(reason("role_not_allowed", {"role": who, "roles": (zh, en)}))
    party = {"consumer": facts.given.consumer, "merchant": facts.given.order.merchant}.get(request.by.role)
    if party is not None and request.by.id != party:
        found.append(reason("not_a_party", who=request.by))
    if request.by.role == "adviser" and request.by.id not in facts.advisers:
        found.append(reason("not_authorised", who=request.by))
    return found


def actor_is_assigned(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only whoever is assigned acts on the review."""
    if request.by.role in ("agent", "supervisor") and request.by != facts.assigned:
        yield reason("not_assigned", who=request.by)


def actor_did_not_rule_before(facts: Facts, request: Request) -> Iterator[Reason]:
    """Nobody reviews his own ruling."""
    if any(same_identity(r.by.id, request.by.id) for r in facts.rulings):
        yield reason("ruled_before", who=request.by)


def judge_is_no_party(facts: Facts, request: Request) -> Iterator[Reason]:
    """Nobody judges in his own case, under whatever role."""
    judge = str(request.said("to") or request.by).partition(":")[2]
    judges = request.said("to") is not None or request.by.role in ("agent", "supervisor")
    parties = (facts.given.consumer, facts.given.order.merchant, *facts.advisers)
    if judges and any(same_identity(judge, party) for party in parties):
        yield reason("party_may_not_judge", who=judge)


def nobody_else_is_assigned(facts: Facts, request: Request) -> Iterator[Reason]:
    """A case that is in somebody's hands is not taken over in passing; a supervisor assigns it anew."""
    if facts.assigned is not None and facts.assigned != request.by:
        yield reason("not_assigned", who=request.by)


def assignee_did_not_rule_before(facts: Facts, request: Request) -> Iterator[Reason]:
    """The one who ruled is not assigned to the review of the ruling."""
    identity = str(request.said("to") or "").partition(":")[2]
    if facts.in_review and any(same_identity(r.by.id, identity) for r in facts.rulings):
        yield reason("ruled_before", who=request.said("to"))
