"""The lifecycle of a complaint case, as one table that a domain expert can read.

A row is a trigger: its name, its labels, the roles that may pull it, and its edges: from which states, to which state,
under which guards (named; what a guard asks is in :mod:`casework.domain.guards`). At most one edge leaves a state by the
same trigger, so the table is a plain map and replay is deterministic. An edge without a target leaves the state as it is.

The machine that enforces the table is made from it in :mod:`casework.domain.machine`.
"""

from __future__ import annotations

from typing import NamedTuple

#: The stage each state belongs to, in the order of a case's life.
STAGE_OF = {
    "discovered": "discovery",
    "awaiting_merchant": "merchant",
    "merchant_needs_evidence": "merchant",
    "offer_made": "merchant",
    "merchant_refused": "merchant",
    "filed": "platform",
    "more_evidence_needed": "platform",
    "not_accepted": "platform",
    "under_review": "platform",
    "awaiting_proof": "platform",
    "suspended": "platform",
    "ruled": "ruling",
    "escalated": "escalation",
    "with_external_body": "external",
    "remedy_due": "performance",
    "resolved": "closed",
    "dismissed": "closed",
    "withdrawn": "closed",
    "abandoned": "closed",
    "lapsed": "closed",
}

MERCHANT = ("awaiting_merchant", "merchant_needs_evidence", "offer_made", "merchant_refused")
PLATFORM = ("filed", "more_evidence_needed", "not_accepted", "under_review", "awaiting_proof", "suspended")
BEYOND = ("ruled", "escalated", "with_external_body")
OPEN = ("discovered", *MERCHANT, *PLATFORM, *BEYOND, "remedy_due")
CLOSED = frozenset(state for state, stage in STAGE_OF.items() if stage == "closed")

AGENTS = ("agent", "supervisor")
PLATFORM_ROLES = (*AGENTS, "system")
RULING_GUARDS = ("parties_were_heard", "ruling_is_consistent", "remedy_has_amount", "refund_is_within_paid",
                 "multiple_was_promised", "evidence_carries_the_ruling")


class Edge(NamedTuple):
    """From each of ``sources`` to ``to`` (or back to the same state) under ``guards``; ``roles`` narrows the trigger's."""

    sources: tuple[str, ...]
    to: str | None
    guards: tuple[str, ...] = ()
    roles: tuple[str, ...] | None = None


class Trigger(NamedTuple):
    """A step of the lifecycle: its name, its labels, who may, and its edges."""

    name: str
    zh: str
    en: str
    roles: tuple[str, ...]
    edges: tuple[Edge, ...]


TRIGGERS = (
    # --- with the merchant -------------------------------------------------------------------------------------------
    Trigger("contact_merchant", "联系商家", "contact the merchant", ("consumer",), (
        Edge(("discovered", "awaiting_merchant", "merchant_refused"), "awaiting_merchant"),
    )),
    Trigger("ask_for_evidence", "商家要求提供证据", "ask the consumer for evidence", ("merchant",), (
        Edge(("awaiting_merchant",), "merchant_needs_evidence"),
    )),
    Trigger("answer_merchant", "向商家补充证据", "answer the merchant's request", ("consumer",), (
        Edge(("merchant_needs_evidence",), "awaiting_merchant", ("evidence_is_new",)),
    )),
    Trigger("make_offer", "提出方案", "offer a remedy", ("merchant",), (
        Edge(MERCHANT, "offer_made", ("remedy_has_amount", "refund_is_within_paid")),
        Edge((*PLATFORM, *BEYOND), None, ("remedy_has_amount", "refund_is_within_paid")),
    )),
    Trigger("decline_offer", "拒绝方案", "decline the offer", ("consumer",), (
        Edge(("offer_made",), "awaiting_merchant", ("offer_is_open",)),
        Edge((*PLATFORM, *BEYOND), None, ("offer_is_open",)),
    )),
    Trigger("accept_offer", "接受方案", "accept the offer", ("consumer",), (
        Edge((*MERCHANT, *PLATFORM, *BEYOND), "remedy_due", ("offer_is_open",)),
    )),
    Trigger("refuse_claim", "拒绝诉求", "refuse the claim", ("merchant",), (
        Edge(("awaiting_merchant", "merchant_needs_evidence", "offer_made"), "merchant_refused"),
    )),
    Trigger("instant_refund", "极速退款", "refund instantly", ("system", "agent"), (
        Edge(("discovered", "awaiting_merchant"), "resolved", ("order_qualifies", "amount_is_within_paid")),
    )),
    # --- with the platform -------------------------------------------------------------------------------------------
    Trigger("file", "申请平台介入", "ask the platform to step in", ("consumer",), (
        Edge(("discovered", *MERCHANT, "not_accepted", "with_external_body"), "filed",
             ("merchant_was_contacted", "limitation_runs", "channel_reaches_platform", "evidence_is_newer_than_ruling")),
    )),
    Trigger("reject_complaint", "不予受理", "do not accept the complaint", PLATFORM_ROLES, (
        Edge(("filed", "more_evidence_needed"), "not_accepted"),
    )),
    Trigger("request_evidence", "要求补充证据", "request more evidence", AGENTS, (
        Edge(("filed",), "more_evidence_needed", ("deadline_is_ahead",)),
    )),
    Trigger("supply_evidence", "补充证据完毕", "supply the evidence", ("consumer",), (
        Edge(("more_evidence_needed",), "filed", ("evidence_is_new",)),
    )),
    Trigger("accept_complaint", "受理", "accept the complaint", AGENTS, (
        Edge(("filed",), "under_review",
             ("nobody_else_is_assigned", "judge_is_no_party", "evidence_is_enough", "promised_evidence_is_in_file")),
    )),
    Trigger("ask_proof", "要求举证", "ask a party for proof", AGENTS, (
        Edge(("under_review",), "awaiting_proof", ("actor_is_assigned", "deadline_is_ahead")),
    )),
    Trigger("submit_proof", "提交证明材料", "submit proof", ("merchant", "consumer"), (
        Edge(("awaiting_proof",), "under_review", ("proof_was_asked",)),
    )),
    Trigger("close_proof", "举证期满", "close the time for proof", PLATFORM_ROLES, (
        Edge(("awaiting_proof",), "under_review", ("proof_term_is_past",)),
    )),
    Trigger("suspend", "中止处理", "suspend the review", AGENTS, (
        Edge(("under_review",), "suspended", ("actor_is_assigned",)),
    )),
    Trigger("resume", "恢复处理", "resume the review", AGENTS, (
        Edge(("suspended",), "under_review", ("actor_is_assigned",)),
    )),
    # --- ruling and escalation ---------------------------------------------------------------------------------------
    Trigger("rule", "裁决", "rule", AGENTS, (
        Edge(("under_review", "escalated"), "ruled",
             ("actor_is_assigned", "judge_is_no_party", "actor_did_not_rule_before", *RULING_GUARDS)),
    )),
    Trigger("execute_ruling", "执行裁决", "execute the ruling", PLATFORM_ROLES, (
        Edge(("ruled",), "remedy_due", ("actor_is_assigned", "ruling_grants_remedy")),
    )),
    Trigger("dismiss", "驳回结案", "close on a ruling that grants nothing", PLATFORM_ROLES, (
        Edge(("ruled",), "dismissed", ("actor_is_assigned", "ruling_grants_nothing", "objection_term_is_past")),
    )),
    Trigger("escalate", "升级投诉", "take it a level up", ("consumer", "merchant"), (
        Edge(("ruled",), "escalated", ("higher_level_exists", "channel_reaches_platform")),
        Edge(("not_accepted",), "escalated", ("channel_reaches_platform",), ("consumer",)),
        Edge(("filed", "under_review"), "escalated", ("platform_is_overdue_or_passed_it_up", "channel_reaches_platform"),
             ("consumer",)),
    )),
    Trigger("remit", "发回重审", "send it back for review", ("supervisor",), (
        Edge(("escalated",), "under_review", ("actor_is_assigned", "actor_did_not_rule_before")),
    )),
    Trigger("refuse_escalation", "驳回升级申请", "refuse the escalation", ("supervisor",), (
        Edge(("escalated",), "not_accepted", ("actor_is_assigned", "nothing_was_ruled")),
    )),
    # --- outside bodies ----------------------------------------------------------------------------------------------
    Trigger("go_external", "转外部途径", "leave it to an outside body", ("consumer",), (
        Edge(("merchant_refused", "filed", "not_accepted", "under_review", "ruled", "escalated"), "with_external_body",
             ("referral_is_pending",)),
    )),
    Trigger("external_award", "外部机构支持", "award by an outside body", ("external",), (
        Edge(("with_external_body",), "remedy_due", ("body_has_the_matter", "remedy_has_amount", "award_is_what_was_settled")),
    )),
    Trigger("end_external", "外部途径终结", "close as the outside bodies ended", ("consumer", "external", "system"), (
        Edge(("with_external_body",), "dismissed", ("body_had_the_matter", "no_referral_is_pending")),
    )),
    # --- performance -------------------------------------------------------------------------------------------------
    Trigger("perform_remedy", "履行", "perform the remedy", ("merchant", *PLATFORM_ROLES), (
        Edge(("remedy_due",), None),
    )),
    Trigger("confirm_remedy", "确认履行完毕", "confirm the remedy", ("consumer", *PLATFORM_ROLES), (
        Edge(("remedy_due",), "resolved", ("remedy_is_performed", "goods_are_back")),
    )),
    Trigger("report_default", "报告未履行", "report that the remedy is not performed", ("consumer",), (
        Edge(("remedy_due",), "filed", ("remedy_is_still_owed",)),
    )),
    # --- ends and reopening ------------------------------------------------------------------------------------------
    Trigger("withdraw", "撤销投诉", "withdraw the complaint", ("consumer",), (
        Edge((*MERCHANT, *PLATFORM, *BEYOND), "withdrawn"),
    )),
    Trigger("give_up", "放弃维权", "give up", ("consumer",), (
        Edge(OPEN, "abandoned"),
    )),
    Trigger("lapse", "逾期关闭", "close as the time ran out", ("system", "agent"), (
        Edge(("more_evidence_needed",), "lapsed", ("evidence_term_is_past",)),
        Edge(("discovered", *MERCHANT, "not_accepted"), "lapsed", ("limitation_is_past",)),
    )),
    Trigger("reopen", "重新开始", "start again", ("consumer",), (
        Edge(("abandoned", "withdrawn", "lapsed"), "discovered", ("limitation_runs",)),
    )),
    Trigger("reopen_filed", "重新申请平台介入", "take it back to the platform", ("consumer",), (
        Edge(("abandoned", "withdrawn", "lapsed"), "filed",
             ("merchant_was_contacted", "limitation_runs", "evidence_is_newer_than_ruling")),
        Edge(("dismissed",), "filed", ("limitation_runs", "evidence_is_newer_than_ruling")),
    )),
)

#: The only triggers that leave an end.
REOPENING = ("reopen", "reopen_filed")
