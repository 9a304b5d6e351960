"""Which bodies outside the platform a case can go to now, why or why not, and what is still to be brought."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from casework.domain.bodies import MATERIAL, NODES, Clock, Document, Node, Regime, in_the_way, regime
from casework.domain.burden import TESTS, stands
from casework.domain.check import Check, Line, State
from casework.domain.facts import Facts
from casework.domain.request import Deadline, Edition
from casework.domain.vocabulary import BODIES

#: ``depends``: nothing stands against it, and something decisive is not known from the file.
Openness = Literal["open", "depends", "closed"]


class Due(NamedTuple):
    """A clock of the body's, and until when it runs: from the referral, or were it lodged now; None where that is not known."""

    clock: Clock
    at: datetime | None
    clause: str
    certainty: str
    provisional: bool


class Way(NamedTuple):
    """A way out of the platform for this case."""

    id: str
    node: Node
    status: Openness
    checks: tuple[Check, ...]
    missing: tuple[Document, ...]
    bring: tuple[Document, ...]
    clocks: tuple[Due, ...]
    regime: Regime | None
    referral: str | None


def ways(facts: Facts, edition: Edition, at: datetime) -> tuple[Way, ...]:
    """Every way out, in the order of :data:`~casework.domain.bodies.NODES`, with what stands for and against it ``at``."""
    return tuple(_way(name, node, facts, edition, at) for name, node in NODES.items())


def limitation_end(facts: Facts, edition: Edition, rule: str = "suit.limitation") -> Deadline:
    """When the limitation period ends: a demand starts it anew while it runs (民法典 188, 195)."""
    first, *later = facts.demands
    due = edition.due(rule, first)
    for demand in later:
        if demand <= due.at:
            due = edition.due(rule, demand)
    return due


def _way(name: str, node: Node, facts: Facts, edition: Edition, at: datetime) -> Way:
    checks = tuple(_CHECKS[check](facts, edition, at, node) for check in node.checks)
    states = {c.state for c in checks}
    status: Openness = "closed" if "not_met" in states else "depends" if "unknown" in states else "open"
    held = {e.kind for e in facts.consumer_evidence}
    law = regime(at) if node.body == "market_regulator" else None
    documents = _documents(node, facts, law)
    running = next((r for r in facts.referrals.values() if r.body == node.body and r.state in ("lodged", "accepted")), None)
    lodged = running.at if running else at
    return Way(name, node, status, checks, tuple(d for d in documents if d.kinds and not held.intersection(d.kinds)),
               tuple(d for d in documents if not d.kinds), tuple(_due(c, edition, lodged, law) for c in node.clocks), law,
               running.id if running else None)


def _documents(node: Node, facts: Facts, law: Regime | None) -> Iterable[Document]:
    agent = (Document("power_of_attorney", Line("授权委托书原件和代理人身份证明",
    "the original power of attorney and the adviser's identity"),
                      law.agent),) if facts.advisers and law else ()
    # The table names the articles of the law in force now; on an earlier day they stood elsewhere.
    own = (d if law is None else d._replace(clause=law.material) if d.id in MATERIAL
           else d._replace(clause=law.refusal + "(3)") if d.id == "purchase" else d for d in node.documents)
    return (*own, *agent)


def _due(clock: Clock, edition: Edition, lodged: datetime, law: Regime | None) -> Due:
    if not clock.rule or not edition.has(clock.rule):
        return Due(clock, None, law.end if law else clock.clause, clock.certainty, False)
    due = edition.due(clock.rule, lodged)
    return Due(clock, due.at if clock.from_lodging else None, due.clause, due.certainty, due.provisional)


# --- the conditions, by name -----------------------------------------------------------------------------------------


def _merchant_contacted(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    met = facts.contacted_at is not None or facts.no_contact is not None
    return _check("merchant_contacted", met, "已先与商家协商，或者写明了不联系的理由。",
                  "The merchant was contacted first, or it is stated why not.", "消费者权益保护法 39(1)")


def _not_there_already(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    there = any(r.body == node.body and r.state in ("lodged", "accepted", "settled") for r in facts.referrals.values())
    body = BODIES[node.body]
    return _check("not_there_already", not there, f"尚未交给{body.zh}。", f"It is not there already: {body.en}.",
                  node.clause)


def _not_settled_already(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    return _check("not_settled_already", facts.state != "resolved", "没有和解并履行完毕。",
                  "It was not settled and performed already.", "消协受理材料清单（省级）", "B")


def _not_shut_out(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    taken = in_the_way(facts, node.body, at)
    regulator = node.body == "market_regulator"
    clause = regime(at).refusal + "(2)" if regulator else "消协受理材料清单（省级）"
    if not taken:
        return Check("not_shut_out", "met", Line("没有别的机构受理或者处理过；平台调解不算。",
                     "No other body has or had it; the platform's mediation does not count."), clause, "A" if regulator else "B")
    names = [BODIES[r.body] for r in taken]
    return Check("not_shut_out", "not_met", Line("、".join(t.zh for t in names) + "已经受理或者处理过，必须不予受理。",
                 f"The {', the '.join(t.en for t in names)} has or had it: it has to be refused."), clause,
                 "A" if regulator else "B")


def _not_shut_out_from_tip_off(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    return Check("not_shut_out_from_tip_off", "met", Line("举报不受其他机构处理的影响，与投诉分开。",
                 "A tip-off is shut out by nobody and is split from the complaint."), regime(at).split, "A")


def _within_three_years(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    due = edition.due("complaint.limitation", facts.opened_at)
    end = due.at.isoformat(timespec="minutes")
    return Check("within_three_years", "met" if at <= due.at else "not_met", Line(
        f"自知道权益受损起三年内，即 {end} 之前。", f"Within three years of knowing of the harm, that is by {end}."),
        regime(at).refusal + "(4)", due.certainty)


def _limitation_runs(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    due = limitation_end(facts, edition)
    end = due.at.isoformat(timespec="minutes")
    return Check("limitation_runs", "met" if at <= due.at else "not_met", Line(
        f"诉讼时效至 {end}，每次主张后重新计算。", f"The limitation period runs until {end}; each demand starts it anew."),
        due.clause, due.certainty)


def _for_living_needs(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    has_order = any(e.kind in ("order_record", "order_screenshot", "payment_proof", "purchase_proof")
                    for e in facts.consumer_evidence)
    state: State = "met" if has_order else "unknown"
    return Check("for_living_needs", state, Line("为生活消费购买，能证明存在消费争议。",
                 "Bought for living needs, with something that shows the dispute."), regime(at).refusal + "(3)", "A")


def _something_to_show(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    return Check("something_to_show", "met" if facts.consumer_evidence else "unknown", Line(
        "有凭证；没有凭证、无法证实的不受理。", "There is something to show; what cannot be shown is not taken."),
        "消协受理材料清单（省级）", "B")


def _about_a_parcel(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    return _check("about_a_parcel", facts.given.ground in node.grounds, "争议涉及快递服务。",
    "It is about the courier's service.",
                  "快递市场管理办法 42")


def _courier_asked_first(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    said = Line("先向快递企业投诉，满七日未处理或者对处理不满意。",
    "The courier was asked first: seven days passed, or his answer does not satisfy.")
    asked = min((c.at for c in facts.calls if c.channel == "carrier_service"), default=None)
    state: State = "not_met"
    if asked is not None:
        over = edition.has("courier.complaint") and at > edition.due("courier.complaint", asked).at
        state = "met" if over else "unknown"
    return Check("courier_asked_first", state, said, "快递暂行条例 28（现 29）；邮政业用户申诉处理办法", "B")


def _arbitration_agreed(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    return Check("arbitration_agreed", "unknown", Line("双方订有仲裁协议；网购通常没有。",
                 "There is an arbitration agreement; online purchases seldom have one."), "消费者权益保护法 39(4)", "A")


def _no_arbitration_clause(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    taken = any(r.body == "arbitration" and r.was_accepted for r in facts.referrals.values())
    return _check("no_arbitration_clause", not taken, "没有约定仲裁，仲裁机构也没有受理。",
                  "No arbitration was agreed on, and no arbitrator has it.", "民事诉讼法 122–128")


def _simple_money_claim(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    paid = facts.given.order.paid
    return Check("simple_money_claim", "unknown", Line(
        f"简单的金钱给付；实付 {paid:.2f} 元，加上主张的赔偿，不超过本省上年平均工资的一半。",
        f"A simple claim for money; the {paid:.2f} paid and the damages claimed are at most half the province's average wage."),
        "民事诉讼法 165–168", "A")


def _no_appraisal_needed(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    tested = any(e.kind in TESTS for e in facts.consumer_evidence)
    doubtful = stands(facts, at, edition).burden.situation in ("hidden_defect", "genuineness", "durable_six_months")
    return Check("no_appraisal_needed", "met" if tested or not doubtful else "unknown", Line(
        "不需要鉴定、评估就能判明。", "It can be decided without an appraisal."), "民事诉讼法 166(3)", "A")


def _crime_suspected(facts: Facts, edition: Edition, at: datetime, node: Node) -> Check:
    forged = any(e.authenticity == "forged" for e in facts.evidence.values()) or any(
        p.result == "forged" for p in facts.proofs.values())
    return Check("crime_suspected", "met" if forged else "unknown", Line("有犯罪嫌疑，例如售假、诈骗、伪造证据。",
                 "A crime is suspected, such as fakes, fraud or forged evidence."), node.clause, "I")


def _check(name: str, met: bool, zh: str, en: str, clause: str, certainty: str = "A") -> Check:
    return Check(name, "met" if met else "not_met", Line(zh, en), clause, certainty)


#: By name, as the nodes use them; a name that is not here fails when a node is asked.
_CHECKS: dict[str, Callable[[Facts, Edition, datetime, Node], Check]] = {
    f.__name__.removeprefix("_"): f
    for f in (_merchant_contacted, _not_there_already, _not_settled_already, _not_shut_out, _not_shut_out_from_tip_off,
              _within_three_years, _limitation_runs, _for_living_needs, _something_to_show, _about_a_parcel,
              _courier_asked_first, _arbitration_agreed, _no_arbitration_clause, _simple_money_claim, _no_appraisal_needed,
              _crime_suspected)
}
