"""What version 2 of the lifecycle changes: duties that are recorded, and what follows when their time is over.

The rows here replace those of the same name of version 1, and add to them. Version 1 stays as it is for the cases that pinned it.
"""

from __future__ import annotations

from casework.domain.beside import ACTS, Act, Track
from casework.domain.lifecycle import AGENTS, OPEN, PLATFORM_ROLES, RULING_GUARDS, TRIGGERS, Edge, Trigger

_ASKED = ("remedy_has_amount", "refund_is_within_paid")

#: The burden of proof is the whole matrix now, not a mark on the ground; what was promised is what the rulebook makes of it.
_STRICTER = {"evidence_carries_the_ruling": "burden_is_met", "multiple_was_promised": "promise_gives_as_much"}
_RULING_GUARDS = (*(_STRICTER.get(g, g) for g in RULING_GUARDS), "compensation_is_within_the_rules")

_TRIGGERS = (
    Trigger("contact_merchant", "联系商家", "contact the merchant", ("consumer",), (
        Edge(("discovered", "awaiting_merchant", "merchant_refused"), "awaiting_merchant", _ASKED),
    )),
    Trigger("deem_agreed", "逾期视为同意", "take silence as agreement", ("system",), (
        Edge(("awaiting_merchant",), "remedy_due", ("claim_was_put", "system_waits_for_the_term")),
    )),
    Trigger("resume", "恢复处理", "resume the review", (*AGENTS, "system"), (
        Edge(("suspended",), "under_review", ("actor_is_assigned", "system_waits_for_the_term")),
    )),
    Trigger("rule", "裁决", "rule", AGENTS, (
        Edge(("under_review", "escalated"), "ruled",
             ("actor_is_assigned", "judge_is_no_party", "actor_did_not_rule_before", *_RULING_GUARDS)),
    )),
    Trigger("lapse", "逾期关闭", "close as the time ran out", ("system", "agent"), (
        Edge(("more_evidence_needed",), "lapsed", ("evidence_term_is_past",)),
        Edge(("discovered", "awaiting_merchant", "merchant_needs_evidence", "offer_made", "merchant_refused", "not_accepted"),
             "lapsed", ("limitation_is_past",)),
        Edge(("remedy_due",), "lapsed", ("return_term_is_past",)),
    )),
)

_DUTY_GUARDS = ("duty_is_known", "duty_is_the_actors_to_move")
_ACTS = (
    Act("receive_return", "确认收到退货", "confirm the return", ("merchant", *PLATFORM_ROLES), ("remedy_due",),
        ("system_waits_for_the_term",), Track("return", ("receive",))),
    Act("apply_advance", "申请先行赔付", "apply for advance compensation", ("consumer", "system"), ("remedy_due",),
        ("advance_was_promised", "system_waits_for_the_term"), Track("advance", ("apply",))),
    Act("refer", "提交外部机构", "refer to an outside body", ("consumer",), OPEN,
        ("merchant_was_contacted", "body_was_not_asked_yet", "carrier_was_asked")),
    # A correction mends how the ruling is written, an appeal (escalate) has another decide it, a reopening starts another round.
    Act("correct_ruling", "更正裁决", "correct the ruling", AGENTS, ("ruled", "remedy_due"),
        ("ruling_is_the_actors", "correction_keeps_the_outcome", "nothing_is_performed_yet", "remedy_has_amount",
         "refund_is_within_paid", "promise_gives_as_much", "compensation_is_within_the_rules")),
    Act("show_acceptance", "提交受理凭证", "show that court or police took it", ("consumer", "merchant"), ("suspended",),
        ("suspension_needs_proof",)),
    Act("pause_duty", "中止期限", "stop a deadline", (*AGENTS, "external"), OPEN, (*_DUTY_GUARDS, "duty_is_running")),
    Act("resume_duty", "恢复期限", "let a deadline run on", (*AGENTS, "external"), OPEN, (*_DUTY_GUARDS, "duty_is_paused")),
    Act("extend_duty", "延长期限", "extend a deadline", (*AGENTS, "external"), OPEN,
        (*_DUTY_GUARDS, "duty_is_running", "new_time_is_later")),
    Act("miss_duty", "记录逾期", "record a missed deadline", ("system",), OPEN, ("duty_is_known", "duty_is_overdue")),
    Act("recompute_duty", "重算期限", "compute a deadline again", ("system",), OPEN,
        ("duty_is_known", "duty_is_running", "duty_is_provisional")),
    Act("adopt_edition", "改用新版规则", "go over to a later edition", ("supervisor", "system"), OPEN, ("edition_is_later",)),
)


def _amended(old: tuple[Trigger, ...], new: tuple[Trigger, ...]) -> tuple[Trigger, ...]:
    by_name = {t.name: t for t in new}
    return (*(by_name.pop(t.name, t) for t in old), *by_name.values())


TRIGGERS_2 = _amended(TRIGGERS, _TRIGGERS)
_NEW_ACTS = {a.name: a for a in _ACTS}
ACTS_2 = (*(_NEW_ACTS.get(a.name, a) for a in ACTS), *(a for a in _ACTS if a.name not in {old.name for old in ACTS}))
