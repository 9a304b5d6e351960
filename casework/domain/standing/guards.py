"""The rules of what may be asked of a standing: pure questions, no reason means yes. The audit puts them again.

Each is given the thing that the command is about, or would be (a penalty, a debt), and the command where it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from casework.domain.check import SHANGHAI
from casework.domain.guards import same_identity
from casework.domain.reasons import reason
from casework.domain.standing.commands import STANDING_ACTS
from casework.domain.standing.facts import Penalty, StandingFacts
from casework.domain.values import Actor
from casework.domain.vocabulary import ROLES, VOCABULARY, Term
from casework.errors import Reason


def who_may(facts: StandingFacts, name: str, by: Actor) -> list[Reason]:
    """Role and party: a merchant acts for himself alone, and nobody judges under his own name."""
    roles = STANDING_ACTS[name].roles
    found = []
    if by.role not in roles:
        zh, en = "、".join(ROLES[r].zh for r in roles), ", ".join(ROLES[r].en for r in roles)
        found.append(reason("role_not_allowed", {"role": ROLES.get(by.role, Term(by.role, by.role)), "roles": (zh, en)}))
    if by.role == "merchant" and by.id != facts.merchant:
        found.append(reason("not_the_merchant", who=by))
    if by.role in ("agent", "supervisor") and same_identity(by.id, facts.merchant):
        found.append(reason("party_may_not_judge", who=by))
    return found


def may_appeal(facts: StandingFacts, by: Actor, at: datetime, penalty: Penalty, command: Any) -> Iterator[Reason]:
    """A penalty that stands is appealed once, in time, and not by whoever forged proof in its case."""
    yield from _comes_after(at, penalty.at)
    if penalty.state != "imposed":
        yield _wrong_point(penalty)
    if penalty.forged:
        yield reason("forged_in_case", case=penalty.case)
    if penalty.appeal_by is not None and at > penalty.appeal_by.at:
        unverified = ("，未经核实", ", unverified") if penalty.appeal_by.certainty == "C" else ("", "")
        yield reason("appeal_too_late", {"unverified": unverified}, due=iso(penalty.appeal_by.at), rule=penalty.appeal_by.clause)


def may_decide(facts: StandingFacts, by: Actor, at: datetime, penalty: Penalty, command: Any) -> Iterator[Reason]:
    """A pending appeal is decided by somebody who did not rule in the case."""
    yield from _comes_after(at, penalty.appealed_at or penalty.at)
    if penalty.state != "appealed":
        yield _wrong_point(penalty)
    if any(same_identity(by.id, judge) for judge in penalty.judges):
        yield reason("ruled_before", who=by)


def may_publish(facts: StandingFacts, by: Actor, at: datetime, penalty: Penalty, command: Any) -> Iterator[Reason]:
    """A penalty that stands is published once; late is better than never."""
    yield from _comes_after(at, penalty.at)
    if not penalty.counts:
        yield _wrong_point(penalty)
    if penalty.published_at is not None:
        yield reason("published_already", item=penalty.id, at=iso(penalty.published_at))


def may_readmit(facts: StandingFacts, by: Actor, at: datetime, thing: Any, command: Any) -> Iterator[Reason]:
    """Whoever was removed may come back, but not who is blacklisted or whose shop is closed for good."""
    if facts.in_force("blacklist", at):
        yield reason("blacklisted", who=facts.merchant)
    if facts.in_force("permanent_closure", at):
        yield reason("closed_for_good", who=facts.merchant)
    if facts.status(at) in ("good", "restricted"):
        yield reason("not_removed", who=facts.merchant)


def may_repay(facts: StandingFacts, by: Actor, at: datetime, debt: Any, command: Any) -> Iterator[Reason]:
    """At most what is still owed is repaid."""
    yield from _comes_after(at, debt.at)
    if not debt.open or (command is not None and command.amount > debt.open):
        yield reason("more_than_owed", due=debt.open)
    if command is not None and not command.amount:
        yield reason("amount_missing", missing=("amount",))


STANDING_GUARDS: dict[str, Callable[[StandingFacts, Actor, datetime, Any, Any], Iterator[Reason]]] = {
    "appeal": may_appeal, "decide_appeal": may_decide, "publish": may_publish, "readmit": may_readmit,
    "repay_advance": may_repay,
}


def _comes_after(at: datetime, last: datetime) -> Iterator[Reason]:
    """Nothing is done about a thing before it was there."""
    if at < last:
        yield reason("time_runs_backwards", at=iso(at), last=iso(last))


def _wrong_point(penalty: Penalty) -> Reason:
    return reason("wrong_point", {"item": (penalty.id, penalty.id), "state": VOCABULARY["penalty_state"][penalty.state]})


def iso(moment: datetime) -> str:
    """A time as a refusal shows it, to the second."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
