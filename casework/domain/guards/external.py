"""Outside bodies: what was taken to them, and what excludes one beside another."""

from __future__ import annotations

from collections.abc import Iterator

from casework.domain.bodies import shut_out_by
from casework.domain.facts import Facts
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.values import Remedy
from casework.domain.vocabulary import BODIES
from casework.errors import Reason

#: Bodies that must not take what another has or had (121号令 art. 16(2); the associations likewise).
EXCLUSIVE = ("market_regulator", "consumer_association")
#: Bodies whose having the matter shuts the exclusive ones out. A court is shut out by none of them.
SHUTS_OUT = ("market_regulator", "consumer_association", "court", "arbitration", "postal_authority")


def referral_is_pending(facts: Facts, request: Request) -> Iterator[Reason]:
    """The matter was taken to an outside body that has not ended with it."""
    if not any(r.state in ("lodged", "accepted", "settled") for r in facts.referrals.values()):
        yield reason("no_referral", missing=("refer",))


def no_referral_is_pending(facts: Facts, request: Request) -> Iterator[Reason]:
    """No outside body has the matter any more."""
    bodies = [r.body for r in facts.referrals.values() if r.state in ("lodged", "accepted", "settled")]
    if bodies:
        zh = "、".join(BODIES[b].zh for b in bodies)
        en = ", ".join(BODIES[b].en for b in bodies)
        yield reason("referral_open", {"bodies": (zh, en)})


def body_has_the_matter(facts: Facts, request: Request) -> Iterator[Reason]:
    """An award comes from a body that took the matter."""
    if not any(r.body == request.by.id and r.state in ("accepted", "settled") for r in facts.referrals.values()):
        yield reason("not_this_body", who=request.by)


def award_is_what_was_settled(facts: Facts, request: Request) -> Iterator[Reason]:
    """What a body settled is what falls due."""
    settled = [r.remedy for r in facts.referrals.values() if r.body == request.by.id and r.state == "settled"]
    remedy = request.said("remedy")
    if remedy is not None and settled and not any(_carries_out(remedy, what) for what in settled if what):
        yield reason("award_differs")


def tip_off_went_to_actor(facts: Facts, request: Request) -> Iterator[Reason]:
    """A tip-off is answered by whom it went to: the platform's people, or the body."""
    named = facts.tip_offs.get(request.said("tip_off"))
    addressee = request.by.id if request.by.role == "external" else "platform"
    if named is not None and named.to != addressee:
        yield reason("not_this_body", who=request.by)


def body_had_the_matter(facts: Facts, request: Request) -> Iterator[Reason]:
    """A body speaks only of a matter that was referred to it."""
    if request.by.role == "external" and not any(r.body == request.by.id for r in facts.referrals.values()):
        yield reason("not_this_body", who=request.by)


def body_was_not_asked_yet(facts: Facts, request: Request) -> Iterator[Reason]:
    """One referral a body at a time."""
    body = request.said("body")
    if any(r.body == body and r.state in ("lodged", "accepted") for r in facts.referrals.values()):
        yield reason("referral_open", {"bodies": BODIES[body]})


def referral_is_of_actor(facts: Facts, request: Request) -> Iterator[Reason]:
    """A body answers only for what was referred to it."""
    named = facts.referrals.get(request.said("referral"))
    if named is not None and named.body != request.by.id:
        yield reason("not_this_body", who=request.by)


def no_other_body_has_it(facts: Facts, request: Request) -> Iterator[Reason]:
    """12315, and likewise a 消协, must refuse what a court or another body has or had (121号令 16(2); 20号令 15(2) before).

    Until 2026-04-14 another mediation body's having it was such a ground too (:func:`~casework.domain.bodies.shut_out_by`).
    """
    if request.by.id not in EXCLUSIVE:
        return
    excluding = {*SHUTS_OUT, *shut_out_by(request.by.id, request.at)}
    others = [r.body for r in facts.referrals.values() if r.body in excluding and r.was_accepted]
    if others:
        body = BODIES[request.by.id]
        yield reason("body_excluded", {"body": body, "other": BODIES[others[0]]})


def _carries_out(award: Remedy, settled: Remedy) -> bool:
    # A settlement may leave an amount open and an award may not: held to it word for word, nothing could be awarded.
    return len(award.parts) == len(settled.parts) and all(
        one.kind == other.kind and (one.amount == other.amount or not other.amount)
        for one, other in zip(award.parts, settled.parts, strict=True))
