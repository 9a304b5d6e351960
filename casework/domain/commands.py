"""What can be asked of a case: one type a command, its fields what has to be said.

The first part are the triggers of the lifecycle, in the order of a case's life; the second part what is recorded
beside the state. A command's name is its type's name in lower case (``ContactMerchant``: ``contact_merchant``); that name is what
scenarios and ``casework do`` use. Who may, and when, is not here but in the tables of
:mod:`~casework.domain.lifecycle` and :mod:`~casework.domain.beside`.
"""

# Without postponed annotations: whoever decodes a type would compile each of its own and of its parents' again.
import re
from functools import cache
from typing import Annotated, Literal

from msgspec import Meta

from casework.domain import values as v


class Command(v.Value, frozen=True):
    """Something that somebody asks of a case."""


class OpenCase(Command, frozen=True):
    """A consumer notices a problem: the order, the parties and the ground, as known on discovery."""

    order: v.Order
    consumer: v.Identity
    ground: v.Ground
    description: v.Text | None = None


# --- the triggers of the lifecycle -----------------------------------------------------------------------------------


class ContactMerchant(Command, frozen=True):
    """The consumer puts the problem to the merchant (消法 39(1), 协商和解).

    ``remedy`` is what she asks for; where it is said, a merchant who stays silent is taken to agree to it.
    """

    message: v.Text
    channel: v.Channel = "merchant_chat"
    remedy: v.Remedy | None = None


class AskForEvidence(Command, frozen=True):
    """The merchant asks the consumer for evidence before he takes a position."""

    message: v.Text
    kinds: tuple[v.EvidenceKind, ...] = ()


class AnswerMerchant(Command, frozen=True):
    """The consumer answers that request, with the evidence added since."""

    message: v.Text | None = None


class DeemAgreed(Command, frozen=True):
    """The merchant let the time to answer go by: what was asked of him is taken as agreed."""

    message: v.Text | None = None


class MakeOffer(Command, frozen=True):
    """The merchant offers a remedy; people may settle at any time."""

    remedy: v.Remedy
    message: v.Text | None = None


class DeclineOffer(Command, frozen=True):
    """The consumer declines the open offer."""

    message: v.Text | None = None


class AcceptOffer(Command, frozen=True):
    """The consumer accepts the open offer: its remedy falls due."""

    message: v.Text | None = None


class RefuseClaim(Command, frozen=True):
    """The merchant refuses; the excuse is coded, so that what answers it can be told."""

    excuse: v.Excuse
    message: v.Text | None = None


class InstantRefund(Command, frozen=True):
    """极速退款: a qualifying order is refunded without waiting for the merchant."""

    amount: v.Money


class File(Command, frozen=True):
    """The consumer asks the platform to step in, with a claim and the facts; after a ruling only for ``new_evidence``."""

    claim: v.RemedyKind
    statement: v.Text
    channel: v.Channel = "agent_intervention"
    new_evidence: v.EvidenceKind | None = None
    without_contact: v.NoContact | None = None


class RejectComplaint(Command, frozen=True):
    """The platform does not take the complaint (淘宝平台争议处理规则 art. 6); it may be filed again."""

    ground: v.Rejection
    explanation: v.Text


class RequestEvidence(Command, frozen=True):
    """The platform asks the consumer for more before it takes the complaint."""

    kinds: Annotated[tuple[v.EvidenceKind, ...], Meta(min_length=1)]
    answer_by: v.Moment
    message: v.Text | None = None


class SupplyEvidence(Command, frozen=True):
    """The consumer says that what was asked for is now in the file."""

    message: v.Text | None = None


class AcceptComplaint(Command, frozen=True):
    """An agent takes the complaint and is assigned to it by that."""

    message: v.Text | None = None


class AskProof(Command, frozen=True):
    """The agent asks a party for proof, by a day (争议规则 65 and 66: which party has to prove what)."""

    party: v.Party
    kinds: Annotated[tuple[v.ProofKind, ...], Meta(min_length=1)]
    answer_by: v.Moment


class SubmitProof(Command, frozen=True):
    """The party asked hands in documents."""

    kinds: Annotated[tuple[v.ProofKind, ...], Meta(min_length=1)]
    statement: v.Text | None = None


class CloseProof(Command, frozen=True):
    """The time for proof is over: what was asked for and not given counts as missing."""

    message: v.Text | None = None


class Suspend(Command, frozen=True):
    """The review is suspended (争议规则 82). ``party`` is the one who turned to court or police, and has to show it."""

    ground: v.Suspension
    message: v.Text | None = None
    party: v.Party = "consumer"


class Resume(Command, frozen=True):
    """The review goes on (争议规则 83)."""

    message: v.Text | None = None


class Rule(Command, frozen=True):
    """小二裁决: outcome, findings of fact, the clause, and what follows for both sides."""

    outcome: v.Outcome
    findings: v.Text
    clause: v.Clause
    remedy: v.Remedy | None = None
    penalties: tuple[v.Penalty, ...] = ()


class ExecuteRuling(Command, frozen=True):
    """The ruling's remedy falls due."""

    message: v.Text | None = None


class Dismiss(Command, frozen=True):
    """The case is closed on a ruling that grants nothing."""

    message: v.Text | None = None


class Escalate(Command, frozen=True):
    """The matter is taken a level up: 投诉直通车, 上级部门, 主管复核."""

    statement: v.Text
    channel: v.Channel = "supervisor_review"


class Remit(Command, frozen=True):
    """The supervisor sends the matter back for review."""

    explanation: v.Text


class RefuseEscalation(Command, frozen=True):
    """The supervisor finds that the complaint was rightly not taken."""

    explanation: v.Text


class Withdraw(Command, frozen=True):
    """The consumer formally withdraws the complaint."""

    message: v.Text | None = None


class GiveUp(Command, frozen=True):
    """The consumer stops pursuing the case, without withdrawing it."""

    message: v.Text | None = None


class Lapse(Command, frozen=True):
    """The case closes because a time ran out."""

    message: v.Text | None = None


class GoExternal(Command, frozen=True):
    """The platform's track is finished; an outside body has the matter now."""

    message: v.Text | None = None


class ExternalAward(Command, frozen=True):
    """An outside body brought a settlement about or decided: a remedy falls due."""

    remedy: v.Remedy
    document: v.Text


class EndExternal(Command, frozen=True):
    """No outside body has the matter any more, and none granted anything."""

    message: v.Text | None = None


class PerformRemedy(Command, frozen=True):
    """The remedy, or part of it, is performed. Amount in yuan."""

    amount: v.Money | None = None
    reference: v.Text | None = None


class ConfirmRemedy(Command, frozen=True):
    """The remedy is complete: the case is resolved."""

    message: v.Text | None = None


class ReportDefault(Command, frozen=True):
    """The consumer reports that the remedy is not being performed."""

    statement: v.Text


class Reopen(Command, frozen=True):
    """A case that was given up, withdrawn or had lapsed is taken up again from the start."""

    message: v.Text | None = None


class ReopenFiled(Command, frozen=True):
    """A closed case is taken up again before the platform; one that was ruled on only for ``new_evidence``."""

    statement: v.Text
    claim: v.RemedyKind | None = None
    without_contact: v.NoContact | None = None
    new_evidence: v.EvidenceKind | None = None


# --- beside the state ------------------------------------------------------------------------------------------------


class AddEvidence(Command, frozen=True):
    """Evidence is put in the file: its kind, what it shows, the SHA-256 of a file where there is one."""

    kind: v.EvidenceKind
    description: v.Text
    sha256: v.Sha256 | None = None
    name: v.Text | None = None


class DisputeEvidence(Command, frozen=True):
    """The other side contests a piece of evidence."""

    evidence: v.Identity
    statement: v.Text


class ExamineEvidence(Command, frozen=True):
    """An agent finds a piece of evidence authentic or forged (争议规则 9)."""

    evidence: v.Identity
    result: Literal["authentic", "forged"]
    explanation: v.Text | None = None


class ExamineProof(Command, frozen=True):
    """An agent judges a document that was asked for: accepted, missing or forged."""

    kind: v.ProofKind
    result: Literal["accepted", "missing", "forged"]
    party: v.Party = "merchant"
    explanation: v.Text | None = None


class Notify(Command, frozen=True):
    """A party is notified and given until ``answer_by`` to answer (争议规则 3)."""

    party: v.Party
    answer_by: v.Moment
    channel: v.Channel = "system"
    message: v.Text | None = None


class Answer(Command, frozen=True):
    """A party states its position to the platform."""

    statement: v.Text


class Assign(Command, frozen=True):
    """An agent or supervisor is made responsible for the case: ``agent:A-1``, ``supervisor:S-1``."""

    to: Annotated[str, Meta(pattern=r"^(agent|supervisor):\w[\w.\-]{0,63}\Z")]


class LogCall(Command, frozen=True):
    """A call or a chat with customer service: with whom, what was promised and by when, whether it was passed up.

    ``answered`` says that the call gave what was waited for: of one with the carrier, the answer to the complaint put to it
    (快递暂行条例 28); of one with the platform, what was promised in a call before.
    """

    note: v.Text
    staff: v.Text | None = None
    promised: v.Text | None = None
    promised_by: v.Moment | None = None
    transferred: bool = False
    channel: v.Channel = "hotline"
    answered: bool = False


class Refer(Command, frozen=True):
    """The consumer takes the matter to an outside body (消法 39).

    ``province`` (the two letters of ISO 3166-2:CN, such as ``zj``) is whose rules bind a consumer association.
    """

    body: v.Body
    statement: v.Text
    province: Annotated[str, Meta(pattern=r"^[a-z]{2}\Z")] | None = None


class AcceptReferral(Command, frozen=True):
    """The outside body takes the matter."""

    referral: v.Identity
    document: v.Text | None = None


class RefuseReferral(Command, frozen=True):
    """The outside body does not take the matter, and says why."""

    referral: v.Identity
    explanation: v.Text


class SettleReferral(Command, frozen=True):
    """The outside body brought an agreement about, or decided for the consumer."""

    referral: v.Identity
    remedy: v.Remedy
    document: v.Text | None = None


class EndReferral(Command, frozen=True):
    """The outside body ends its work without a result."""

    referral: v.Identity
    explanation: v.Text


class WithdrawReferral(Command, frozen=True):
    """The consumer takes the matter back from the outside body."""

    referral: v.Identity


class TipOff(Command, frozen=True):
    """举报: a report of an offence, apart from the complaint. ``to`` is ``platform`` or an outside body."""

    to: Annotated[str, Meta(pattern=r"^(platform|market_regulator|police|postal_authority)\Z")]
    about: v.Ground
    statement: v.Text


class AnswerTipOff(Command, frozen=True):
    """Whoever received the tip-off says what became of it."""

    tip_off: v.Identity
    result: Literal["case_opened", "not_pursued"]


class Publicise(Command, frozen=True):
    """The consumer turns to the public: social or news media."""

    channel: v.Channel
    statement: v.Text


class GiveFeedback(Command, frozen=True):
    """用户反馈: how the consumer rates the handling, 1 (bad) to 5 (good)."""

    score: Annotated[int, Meta(ge=1, le=5)]
    comment: v.Text | None = None


class ShipReturn(Command, frozen=True):
    """The consumer sends the goods back: carrier and waybill number (争议规则 41 to 48)."""

    carrier: v.Text
    waybill: v.Text


class ReceiveReturn(Command, frozen=True):
    """The goods are back with the merchant."""

    message: v.Text | None = None


class ContestReturn(Command, frozen=True):
    """The merchant says that what came back is not what was sold, or not intact."""

    statement: v.Text


class SettleReturn(Command, frozen=True):
    """An agent settles a contested return: it counts as received, or the goods have to be sent again."""

    received: bool
    explanation: v.Text


class Reply(Command, frozen=True):
    """A word between consumer and merchant that moves nothing: a courteous reply, a follow-up, a refusal to be put off."""

    message: v.Text


class ApplyAdvance(Command, frozen=True):
    """先行赔付: the consumer asks the platform to pay first, because the merchant does not perform (消法 44, 电商法 58)."""

    statement: v.Text


class PayAdvance(Command, frozen=True):
    """The platform pays first, in yuan; it counts as performance of the remedy."""

    amount: v.Money
    reference: v.Text | None = None


class CloseAdvance(Command, frozen=True):
    """The platform does not pay first."""

    explanation: v.Text


class RecoverAdvance(Command, frozen=True):
    """The platform gets back from the merchant what it paid first (消法 44: 有权向销售者追偿)."""

    reference: v.Text | None = None


class ShowAcceptance(Command, frozen=True):
    """A party shows that court or police took the matter, so that the review stays suspended (争议规则 83)."""

    document: v.Text


class PauseDuty(Command, frozen=True):
    """A deadline stands still, with the reason: testing, for one, is not counted (条例 46)."""

    duty: v.Identity
    reason: v.Text


class ResumeDuty(Command, frozen=True):
    """A deadline that stood still runs on, with the time that was left."""

    duty: v.Identity


class ExtendDuty(Command, frozen=True):
    """A deadline is moved to a later time, with the reason."""

    duty: v.Identity
    until: v.Moment
    reason: v.Text


class MissDuty(Command, frozen=True):
    """A deadline went by and nothing more follows from it than that this is on record."""

    duty: v.Identity


class RecomputeDuty(Command, frozen=True):
    """A provisional deadline is computed again, now that the calendar of its days is known."""

    duty: v.Identity


class AdoptEdition(Command, frozen=True):
    """A pending case goes over to a later edition of the rulebook, with the reason (争议规则 92)."""

    edition: Annotated[str, Meta(min_length=1, max_length=64)]
    reason: v.Text


class CorrectRuling(Command, frozen=True):
    """Whoever ruled mends a slip in the ruling: the findings as written, the clause, a sum. Outcome and kind of remedy stay."""

    reason: v.Text
    findings: v.Text | None = None
    clause: v.Clause | None = None
    remedy: v.Remedy | None = None


class AuthoriseAdviser(Command, frozen=True):
    """The consumer lets an adviser put evidence and calls in the file for her."""

    adviser: v.Identity


@cache
def name_of(command: type[Command]) -> str:
    """The name under which a command is asked for: ``ContactMerchant`` is ``contact_merchant``."""
    return name_in_words(command.__name__)


def name_in_words(name: str) -> str:
    """``ContactMerchant`` as ``contact_merchant``: how types become names of commands and topics."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


#: Every command that a case takes after it was opened, by name, in the order of this module.
COMMANDS: dict[str, type[Command]] = {
    name_of(kind): kind for kind in Command.__subclasses__() if kind is not OpenCase
}
