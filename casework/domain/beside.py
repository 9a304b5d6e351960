"""What is recorded beside the state: one row a command, with the roles that may, the states in which it can be, and its guards.

Things that have a small life of their own (a referral, the goods' return, a piece of evidence's authenticity, an offer) have
a small lifecycle each, a *track*: rows of trigger, from, to, made into a machine like the large one. A row's ``track`` says which
track's trigger the command pulls and which field names the thing.
"""

from __future__ import annotations

from typing import NamedTuple

from casework.domain.lifecycle import AGENTS, CLOSED, MERCHANT, OPEN, PLATFORM, PLATFORM_ROLES
from casework.domain.vocabulary import Term

EVERYWHERE = (*OPEN, *sorted(CLOSED))
#: Where the platform hears the parties, assigns and examines.
HEARING = ("filed", "more_evidence_needed", "under_review", "awaiting_proof", "suspended", "escalated")

#: A track's trigger, the states that it leaves, the state that it leads to.
TrackRow = tuple[str, tuple[str, ...], str]
TRACKS: dict[str, tuple[TrackRow, ...]] = {
    "offer": (
        ("accept", ("open",), "accepted"),
        ("decline", ("open",), "declined"),
        ("supersede", ("open",), "superseded"),
        ("lapse", ("open",), "lapsed"),
    ),
    "authenticity": (
        ("dispute", ("unexamined",), "disputed"),
        ("find_authentic", ("unexamined", "disputed"), "authentic"),
        ("find_forged", ("unexamined", "disputed", "authentic"), "forged"),
    ),
    "referral": (
        ("accept", ("lodged",), "accepted"),
        ("refuse", ("lodged",), "refused"),
        ("settle", ("accepted",), "settled"),
        ("end", ("accepted",), "ended"),
        ("withdraw", ("lodged", "accepted"), "withdrawn"),
    ),
    "return": (
        ("ship", ("due",), "sent"),
        ("receive", ("sent",), "received"),
        ("contest", ("sent",), "contested"),
        ("settle_received", ("contested",), "received"),
        ("settle_again", ("contested",), "due"),
    ),
    "advance": (
        ("apply", ("not_applied", "closed"), "applied"),
        ("pay", ("applied",), "paid"),
        ("close", ("applied",), "closed"),
        ("recover", ("paid",), "recovered"),
    ),
    "tip_off": (
        ("open_case", ("lodged",), "case_opened"),
        ("drop", ("lodged",), "not_pursued"),
    ),
}


#: What a track's thing is called.
TRACK_LABELS = {
    "offer": Term("方案", "offer"),
    "authenticity": Term("证据", "evidence"),
    "referral": Term("外部投诉", "referral"),
    "return": Term("退货", "return of goods"),
    "advance": Term("先行赔付", "advance compensation"),
    "tip_off": Term("举报", "tip-off"),
}


class Track(NamedTuple):
    """Which track a command moves, by which triggers, and the field that names the thing (None: there is but one)."""

    name: str
    triggers: tuple[str, ...]
    field: str | None = None


class Act(NamedTuple):
    """A command beside the lifecycle."""

    name: str
    zh: str
    en: str
    roles: tuple[str, ...]
    states: tuple[str, ...]
    guards: tuple[str, ...] = ()
    track: Track | None = None


_REFERRAL_GUARDS = ("referral_is_of_actor",)

ACTS = (
    Act("add_evidence", "提交证据", "add evidence", ("consumer", "merchant", "adviser", *AGENTS), OPEN),
    Act("dispute_evidence", "对证据提出异议", "dispute evidence", ("consumer", "merchant"), OPEN,
        ("evidence_is_of_the_other_side",), Track("authenticity", ("dispute",), "evidence")),
    Act("examine_evidence", "审查证据", "examine evidence", AGENTS, HEARING, ("actor_is_assigned",),
        Track("authenticity", ("find_authentic", "find_forged"), "evidence")),
    Act("examine_proof", "审查证明材料", "examine proof", AGENTS, HEARING, ("actor_is_assigned", "proof_is_in_file")),
    Act("notify", "通知当事人", "notify a party", PLATFORM_ROLES, HEARING, ("deadline_is_ahead",)),
    Act("answer", "陈述意见", "answer", ("consumer", "merchant"), HEARING),
    Act("assign", "指派", "assign", ("supervisor", "system"), HEARING,
        ("assignee_did_not_rule_before", "judge_is_no_party")),
    Act("log_call", "记录通话", "log a call", ("consumer", "adviser", *AGENTS), OPEN, ("deadline_is_ahead",)),
    Act("refer", "提交外部机构", "refer to an outside body", ("consumer",), OPEN,
        ("merchant_was_contacted", "body_was_not_asked_yet")),
    Act("accept_referral", "外部机构受理", "accept the referral", ("external",), OPEN,
        (*_REFERRAL_GUARDS, "no_other_body_has_it"), Track("referral", ("accept",), "referral")),
    Act("refuse_referral", "外部机构不予受理", "refuse the referral", ("external",), EVERYWHERE, _REFERRAL_GUARDS,
        Track("referral", ("refuse",), "referral")),
    Act("settle_referral", "外部机构调解成功", "settle the referral", ("external",), OPEN, _REFERRAL_GUARDS,
        Track("referral", ("settle",), "referral")),
    Act("end_referral", "外部机构终止", "end the referral", ("external",), EVERYWHERE, _REFERRAL_GUARDS,
        Track("referral", ("end",), "referral")),
    Act("withdraw_referral", "撤回外部投诉", "withdraw the referral", ("consumer",), EVERYWHERE, (),
        Track("referral", ("withdraw",), "referral")),
    # 举报, publicity and feedback are tracks apart from the complaint (办法 art. 27) and outlive it.
    Act("tip_off", "举报", "tip off", ("consumer", *AGENTS), EVERYWHERE),
    Act("answer_tip_off", "答复举报", "answer a tip-off", (*AGENTS, "external"), EVERYWHERE,
        ("tip_off_went_to_actor",),
        Track("tip_off", ("open_case", "drop"), "tip_off")),
    Act("publicise", "媒体监督", "turn to the public", ("consumer",), EVERYWHERE),
    Act("give_feedback", "用户反馈", "give feedback", ("consumer",), EVERYWHERE),
    Act("ship_return", "寄回商品", "send the goods back", ("consumer",), ("remedy_due",), (), Track("return", ("ship",))),
    Act("receive_return", "确认收到退货", "confirm the return", ("merchant", *PLATFORM_ROLES), ("remedy_due",), (),
        Track("return", ("receive",))),
    Act("contest_return", "对退货提出异议", "contest the return", ("merchant",), ("remedy_due",), (),
        Track("return", ("contest",))),
    Act("settle_return", "处理退货争议", "settle a contested return", AGENTS, ("remedy_due",), (),
        Track("return", ("settle_received", "settle_again"))),
    Act("reply", "沟通", "exchange a word", ("consumer", "merchant"), (*MERCHANT, *PLATFORM)),
    Act("apply_advance", "申请先行赔付", "apply for advance compensation", ("consumer",), ("remedy_due",),
        ("advance_was_promised",), Track("advance", ("apply",))),
    Act("pay_advance", "平台先行赔付", "pay in advance", PLATFORM_ROLES, ("remedy_due",), ("advance_is_within_due",),
        Track("advance", ("pay",))),
    Act("close_advance", "关闭先行赔付", "close the application for an advance", PLATFORM_ROLES, EVERYWHERE, (),
        Track("advance", ("close",))),
    # Between platform and merchant: it may come after the consumer's case is resolved. What runs beside a case can be
    # wound up after it has ended: a referral withdrawn, refused or ended, an application for an advance closed.
    Act("recover_advance", "向商家追偿", "recover the advance from the merchant", PLATFORM_ROLES, EVERYWHERE, (),
        Track("advance", ("recover",))),
    Act("authorise_adviser", "授权顾问", "authorise an adviser", ("consumer",), OPEN),
)
