"""Who owes what to whom until when: one row a kind of duty, with what meets it, what stops its clock, what follows its miss.

What opens a duty and by which rule of the rulebook it ends is in :mod:`casework.domain.clocks`, which reads these rows. A
duty lives only in its states: leaving them cancels it, and no end of a case is among them.
"""

from __future__ import annotations

from typing import NamedTuple

from casework.domain.beside import HEARING
from casework.domain.lifecycle import MERCHANT, OPEN

#: Where a case lapses when the limitation period is over.
LAPSING = ("discovered", *MERCHANT, "not_accepted")


class DutyRow(NamedTuple):
    """``owes`` and ``to`` are roles; ``party`` is the one that the command names, ``body`` the outside body.

    ``meets`` are the commands that fulfil it. ``stops`` are states in which its clock stands still. ``ended_by`` are commands
    that cancel it though its states go on. ``follows`` are the commands that :func:`tick <casework.application.clockwork.tick>`
    gives in the name of the system when the time is over: the first that is allowed. ``decides`` says that whoever owes it
    decides the matter, so that a late step is a fault of the procedure and not of a party.
    """

    name: str
    owes: str
    to: str
    meets: tuple[str, ...]
    states: tuple[str, ...]
    stops: tuple[str, ...] = ()
    ended_by: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    decides: bool = False


#: A new round of hearing: what was asked of the parties before is asked anew.
_NEW_ROUND = ("escalate", "file", "reopen_filed", "report_default")

DUTIES = (
    DutyRow("limitation", "consumer", "merchant", ("file", "accept_offer", "escalate"), LAPSING, follows=("lapse",)),
    DutyRow("merchant_answer", "merchant", "consumer", ("ask_for_evidence", "make_offer", "refuse_claim"),
            ("awaiting_merchant",), follows=("deem_agreed",)),
    DutyRow("platform_reply", "agent", "consumer", ("reject_complaint", "request_evidence", "accept_complaint", "notify"),
            ("filed",), decides=True),
    DutyRow("evidence", "consumer", "agent", ("supply_evidence",), ("more_evidence_needed",), follows=("lapse",)),
    DutyRow("proof", "party", "agent", ("submit_proof",), ("awaiting_proof",), follows=("close_proof",)),
    DutyRow("answer", "party", "agent", ("answer", "submit_proof"), HEARING, stops=("suspended",), ended_by=_NEW_ROUND),
    DutyRow("call_promise", "agent", "consumer", ("log_call",), HEARING, stops=("suspended",)),
    DutyRow("acceptance_proof", "party", "agent", ("show_acceptance",), ("suspended",), follows=("resume",)),
    DutyRow("suspension", "agent", "consumer", ("resume",), ("suspended",), follows=("resume",)),
    DutyRow("objection", "consumer", "agent", ("escalate",), ("ruled",), follows=("dismiss",)),
    DutyRow("performance", "merchant", "consumer", ("perform_remedy", "pay_advance", "confirm_remedy"), ("remedy_due",),
            follows=("apply_advance",)),
    DutyRow("return_shipping", "consumer", "merchant", ("ship_return",), ("remedy_due",), follows=("lapse",)),
    DutyRow("return_confirmation", "merchant", "consumer", ("receive_return", "contest_return"), ("remedy_due",),
            follows=("receive_return",)),
    DutyRow("referral_acceptance", "body", "consumer", ("accept_referral", "refuse_referral"), OPEN,
            ended_by=("withdraw_referral",), decides=True),
    DutyRow("referral_result", "body", "consumer", ("settle_referral", "end_referral"), OPEN,
            ended_by=("withdraw_referral",), decides=True),
    DutyRow("tip_off_check", "body", "consumer", ("answer_tip_off",), OPEN, decides=True),
    DutyRow("courier_answer", "courier", "consumer", ("log_call",), OPEN),
)


class Opening(NamedTuple):
    """How a duty begins: the commands that open it or set its time anew, and whose figure its end is.

    ``rules`` are records of the rulebook; where there are none, the command names the time. A duty is opened only in its states.
    """

    by: tuple[str, ...]
    rules: tuple[str, ...] = ()


_INTO_PERFORMANCE = ("accept_offer", "deem_agreed", "execute_ruling", "external_award")

#: What :mod:`casework.domain.clocks` opens duties by, as a table; a test holds that what the stories record agrees with it.
OPENINGS = {
    "limitation": Opening(("open_case", "contact_merchant", "refer", "reject_complaint", "refuse_escalation", "reopen"),
                          ("suit.limitation",)),
    "merchant_answer": Opening(("contact_merchant", "answer_merchant", "decline_offer"), ("merchant.response",)),
    "platform_reply": Opening(("file", "supply_evidence", "report_default", "reopen_filed"), ("platform.reply",)),
    "evidence": Opening(("request_evidence",)),
    "proof": Opening(("ask_proof",)),
    "answer": Opening(("notify",)),
    "call_promise": Opening(("log_call",)),
    "acceptance_proof": Opening(("suspend",), ("dispute.suspend.court_proof",)),
    "suspension": Opening(("suspend", "show_acceptance", "settle_referral", "examine_evidence", "end_referral",
                           "withdraw_referral", "refuse_referral"),
                          ("dispute.suspend.self_settle", "dispute.suspend.police", "court.appeal")),
    "objection": Opening(("rule",), ("ruling.objection",)),
    "performance": Opening((*_INTO_PERFORMANCE, "receive_return", "settle_return"),
                           ("unreasonable_refusal", "refund.after_goods_back")),
    "return_shipping": Opening((*_INTO_PERFORMANCE, "settle_return"), ("return.shipping",)),
    "return_confirmation": Opening(("ship_return",), ("return.confirm",)),
    "referral_acceptance": Opening(("refer",), ("mr12315.accept", "consumer_assoc.accept.{province}")),
    "referral_result": Opening(("accept_referral",), ("mr12315.mediate", "consumer_assoc.mediate.{province}", "postal.answer")),
    "tip_off_check": Opening(("tip_off",), ("tipoff.check",)),
    "courier_answer": Opening(("log_call",), ("courier.complaint",)),
}

#: Whoever can owe something.
OWE = ("consumer", "merchant", "agent", "external", "courier")
