"""The ruling, its review, and the way up before there is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from casework.domain import grounds
from casework.domain.facts import Call, Facts
from casework.domain.guards.amounts import parts
from casework.domain.guards.evidence import evidence_is_enough
from casework.domain.guards.terms import stands_still
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.vocabulary import ROLES
from casework.errors import Reason

#: What lets a dismissed case be taken up again (争议规则 4 and 5).
NEW_GROUNDS = ("authority_decision", "court_judgment", "test_report", "appraisal_report")


def parties_were_heard(facts: Facts, request: Request) -> Iterator[Reason]:
    """Each side answered in this round, or was notified with an ``answer_by`` that is past."""
    unheard = [role for role in ("consumer", "merchant") if not _was_heard(facts, role, request.at)]
    if unheard:
        zh = "、".join(ROLES[r].zh for r in unheard)
        en = ", ".join(ROLES[r].en for r in unheard)
        yield reason("not_heard", {"parties": (zh, en)}, missing=tuple(f"answer:{r}" for r in unheard))


def ruling_is_consistent(facts: Facts, request: Request) -> Iterator[Reason]:
    """Outcome, remedy and penalties agree, and the platform stays within its intake (争议规则 6(6))."""
    outcome, remedy = request.said("outcome"), request.said("remedy")
    if outcome is None:
        return
    if outcome == "for_merchant":
        if remedy is not None:
            yield reason("remedy_not_due")
        if request.said("penalties"):
            yield reason("penalty_without_finding")
    elif remedy is None:
        yield reason("remedy_missing", missing=("remedy",))
    if any(part.kind == "statutory_damages" for part in parts(request)):
        yield reason("outside_platform_intake")


def evidence_carries_the_ruling(facts: Facts, request: Request) -> Iterator[Reason]:
    """Who has to prove and did not, loses (争议规则 65, 66)."""
    outcome = request.said("outcome")
    merchant_proves = grounds.GROUNDS[facts.given.ground].merchant_proves
    merchant_loses = merchant_proves and not _merchant_may_win(facts)
    if outcome is None and merchant_loses:
        # Nothing is said yet: there has to be one side at least for whom it could be said.
        yield from evidence_is_enough(facts, request)
    if outcome == "for_merchant" and merchant_loses:
        yield reason("merchant_proof_missing", missing=("examine_proof",))
    if outcome in ("for_consumer", "partly_for_consumer"):
        yield from evidence_is_enough(facts, request)


def ruling_grants_remedy(facts: Facts, request: Request) -> Iterator[Reason]:
    """Only a ruling that grants a remedy can be executed."""
    if not facts.rulings or facts.rulings[-1].remedy is None:
        yield reason("nothing_granted")


def ruling_grants_nothing(facts: Facts, request: Request) -> Iterator[Reason]:
    """A case with a remedy granted is not dismissed."""
    if facts.rulings and facts.rulings[-1].remedy is not None:
        yield reason("remedy_granted")


def higher_level_exists(facts: Facts, request: Request) -> Iterator[Reason]:
    """There is one review and no second (争议规则 93 names the court next)."""
    if facts.rulings and facts.rulings[-1].review:
        yield reason("no_higher_level")


def platform_is_overdue_or_passed_it_up(facts: Facts, request: Request) -> Iterator[Reason]:
    """Before a ruling one escalates when the platform is late, broke a promise, or passed the call up."""
    late = facts.reply_by is not None and not facts.replied and request.at > facts.reply_by.at
    broken = any(_was_broken(facts, call, request.at) for call in facts.platform_calls)
    if not (late or broken or facts.transferred):
        yield reason("not_overdue", missing=("log_call",))


def ruling_is_the_actors(facts: Facts, request: Request) -> Iterator[Reason]:
    """A slip is mended by whoever made it; what another thinks wrong is a matter for review."""
    if not facts.rulings or facts.rulings[-1].by != request.by:
        yield reason("not_your_ruling", who=request.by)


def correction_keeps_the_outcome(facts: Facts, request: Request) -> Iterator[Reason]:
    """A correction changes a text or a sum, and something; not what is granted."""
    if request.is_blank or not facts.rulings:
        return
    remedy, last = request.said("remedy"), facts.rulings[-1]
    kinds = [[part.kind for part in r.parts] if r else [] for r in (remedy, last.remedy)]
    if remedy is not None and kinds[0] != kinds[1]:
        yield reason("not_a_correction")
    if all(request.said(field) in (None, getattr(last, field)) for field in ("findings", "clause", "remedy")):
        yield reason("not_a_correction", missing=("findings", "clause", "remedy"))


def nothing_is_performed_yet(facts: Facts, request: Request) -> Iterator[Reason]:
    """What was paid already is not corrected but set right by a new round."""
    if facts.state == "remedy_due" and (facts.performed or (facts.rulings and facts.remedy != facts.rulings[-1].remedy)):
        yield reason("performed_already")


def nothing_was_ruled(facts: Facts, request: Request) -> Iterator[Reason]:
    """What was ruled on is reviewed by a ruling, not by refusing to look."""
    if facts.rulings:
        yield reason("already_ruled")


def evidence_is_newer_than_ruling(facts: Facts, request: Request) -> Iterator[Reason]:
    """A dismissed case is taken up again only for a judgment, an authority's finding, or a test or appraisal report.

    争议规则 4 and 5 lift the time limit for these; nothing can be put in the file of a closed case, so the command
    names what there is and the file gets it afterwards.
    """
    if facts.rulings and request.said("new_evidence") not in NEW_GROUNDS:
        yield reason("nothing_new", missing=("new_evidence",))


def _was_broken(facts: Facts, call: Call, at: datetime) -> bool:
    """Whether what was promised in the call was not done in time. Where that is recorded as a duty, the duty knows: a
    suspension moves its time, and a promise that was kept gives no right."""
    if call.promised_by is None:
        return False
    recorded = [d for d in facts.duties.values() if d.kind == "call_promise" and d.since == call.at]
    if not recorded:
        return at > call.promised_by
    return any(d.missed_at is not None or d.is_late(at) for d in recorded)


def _was_heard(facts: Facts, role: str, at: datetime) -> bool:
    hearing = facts.hearings.get(role)
    if hearing is None:
        return False
    if hearing.answered_at is not None:
        return True
    still = any(stands_still(facts, kind, role) for kind in ("answer", "proof"))
    return hearing.answer_by is not None and hearing.answer_by < at and not still


def _merchant_may_win(facts: Facts) -> bool:
    forged = any(e.authenticity == "forged" and e.by.role in ("consumer", "adviser") for e in facts.evidence.values())
    results = [p.result for p in facts.proofs.values() if p.party == "merchant"]
    return forged or ("accepted" in results and not {"forged", "missing"}.intersection(results))
