"""What happened to a case: one past-tense type an event, under one envelope.

The envelope says when and by whom (the context attributes of CloudEvents, in our terms), ``data`` is the command as it was
allowed, and what stands beside ``data`` was decided: identifiers, deadlines. Marks on a
command's fields (personal, money, term) are thereby marks of the event. Fields are only ever added, with defaults;
anything else is a new topic. The list of topics and their fields is frozen by a test.
"""

# Without postponed annotations: whoever decodes a type would compile each of its own and of its parents' again.
from functools import cache
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from casework.domain import commands as c
from casework.domain import values as v

TOPIC_PREFIX = "casework.case."


@cache
def _topic(name: str) -> str:
    return TOPIC_PREFIX + c.name_in_words(name)


class Due(v.Value, frozen=True):
    """A deadline with the rule it rests on. ``certainty`` as in the rulebook: C is unverified.

    ``unit`` is what the rule counts, None for a time that somebody set; ``overrides`` names the lower rules that gave way.
    """

    at: v.Moment
    rule: str
    clause: str
    certainty: str
    provisional: bool = False
    rank: str | None = None
    unit: str | None = None
    overrides: tuple[str, ...] = ()


class DutyChange(v.Value, frozen=True):
    """What an event does to one duty. ``owes`` is a role, ``external:BODY`` or ``courier``; ``due`` is there when it is new.

    ``about`` names the thing that the duty concerns, such as a referral.
    """

    id: v.Identity
    change: v.DutyMove
    duty: v.DutyKind
    owes: Annotated[str, Meta(max_length=64)]
    due: Due | None = None
    about: v.Identity | None = None


class Basis(v.Value, frozen=True):
    """Something that a ruling rests on: about what, by which row or rule, on which inputs, with which result.

    ``inputs`` are ``name=value``, identifiers and figures alone, so that no sentence is stored. ``elsewhere`` is what might have
    been claimed and was not granted, with who may grant it.
    """

    about: Literal["burden", "granted", "elsewhere"]
    row: v.Identity
    clause: str
    certainty: str
    rule: str | None = None
    rank: str | None = None
    inputs: tuple[str, ...] = ()
    result: str | None = None


class Event(v.Value, frozen=True, tag_field="type", tag=_topic):
    """The envelope. ``at`` is when it happened, ``recorded_at`` when it was recorded, both UTC and never running backwards
    within a case; ``trigger``, ``from`` and ``to`` are there for a step of the lifecycle and for no other event; ``duties`` is
    what the event does to the deadlines of the case.
    The case, its version and the topic (as ``type``) stand in the payload as well as in the store's columns, so that none of
    them can be altered alone; the event-sourcing library knows them as ``originator_id`` and ``originator_version``.
    """

    originator_id: v.Identity = msgspec.field(name="case")
    originator_version: int = msgspec.field(name="version")
    at: v.Moment
    recorded_at: v.Moment
    by: v.Actor
    command_id: Annotated[str, Meta(max_length=128, pattern=v.COMMAND_ID_PATTERN)]
    trigger: str | None = None
    from_state: str | None = msgspec.field(name="from", default=None)
    to_state: str | None = msgspec.field(name="to", default=None)
    duties: tuple[DutyChange, ...] = ()

    @property
    def data(self) -> Any:
        """What was asked for and allowed; each type of event narrows it to its command."""
        raise NotImplementedError


class CaseOpened(Event, frozen=True, kw_only=True):
    """The first event; it pins the lifecycle's and the rulebook's version and digest for the case's whole life."""

    data: c.OpenCase
    lifecycle: int
    lifecycle_digest: v.Sha256
    edition: str
    edition_digest: v.Sha256


class MerchantContacted(Event, frozen=True, kw_only=True):
    data: c.ContactMerchant


class EvidenceAskedByMerchant(Event, frozen=True, kw_only=True):
    data: c.AskForEvidence


class MerchantAnswered(Event, frozen=True, kw_only=True):
    data: c.AnswerMerchant


class ClaimDeemedAgreed(Event, frozen=True, kw_only=True):
    data: c.DeemAgreed


class OfferMade(Event, frozen=True, kw_only=True):
    data: c.MakeOffer
    id: v.Identity


class OfferDeclined(Event, frozen=True, kw_only=True):
    data: c.DeclineOffer
    offer: v.Identity


class OfferAccepted(Event, frozen=True, kw_only=True):
    data: c.AcceptOffer
    offer: v.Identity


class ClaimRefused(Event, frozen=True, kw_only=True):
    data: c.RefuseClaim


class InstantlyRefunded(Event, frozen=True, kw_only=True):
    data: c.InstantRefund


class ComplaintFiled(Event, frozen=True, kw_only=True):
    data: c.File
    reply_by: Due


class ComplaintRejected(Event, frozen=True, kw_only=True):
    data: c.RejectComplaint


class EvidenceRequested(Event, frozen=True, kw_only=True):
    data: c.RequestEvidence


class EvidenceSupplied(Event, frozen=True, kw_only=True):
    data: c.SupplyEvidence
    reply_by: Due


class ComplaintAccepted(Event, frozen=True, kw_only=True):
    data: c.AcceptComplaint


class ProofAsked(Event, frozen=True, kw_only=True):
    data: c.AskProof


class ProofSubmitted(Event, frozen=True, kw_only=True):
    data: c.SubmitProof


class ProofClosed(Event, frozen=True, kw_only=True):
    data: c.CloseProof


class ReviewSuspended(Event, frozen=True, kw_only=True):
    data: c.Suspend


class ReviewResumed(Event, frozen=True, kw_only=True):
    data: c.Resume


class CaseRuled(Event, frozen=True, kw_only=True):
    data: c.Rule
    basis: tuple[Basis, ...] = ()


class RulingExecuted(Event, frozen=True, kw_only=True):
    data: c.ExecuteRuling


class CaseDismissed(Event, frozen=True, kw_only=True):
    data: c.Dismiss


class CaseEscalated(Event, frozen=True, kw_only=True):
    data: c.Escalate


class EscalationRemitted(Event, frozen=True, kw_only=True):
    data: c.Remit


class EscalationRefused(Event, frozen=True, kw_only=True):
    data: c.RefuseEscalation


class ComplaintWithdrawn(Event, frozen=True, kw_only=True):
    data: c.Withdraw


class CaseGivenUp(Event, frozen=True, kw_only=True):
    data: c.GiveUp


class CaseLapsed(Event, frozen=True, kw_only=True):
    data: c.Lapse


class WentExternal(Event, frozen=True, kw_only=True):
    data: c.GoExternal


class ExternallyAwarded(Event, frozen=True, kw_only=True):
    data: c.ExternalAward


class ExternalEnded(Event, frozen=True, kw_only=True):
    data: c.EndExternal


class RemedyPerformed(Event, frozen=True, kw_only=True):
    data: c.PerformRemedy


class RemedyConfirmed(Event, frozen=True, kw_only=True):
    data: c.ConfirmRemedy


class DefaultReported(Event, frozen=True, kw_only=True):
    data: c.ReportDefault
    reply_by: Due


class CaseReopened(Event, frozen=True, kw_only=True):
    data: c.Reopen


class FiledCaseReopened(Event, frozen=True, kw_only=True):
    data: c.ReopenFiled
    reply_by: Due


class EvidenceAdded(Event, frozen=True, kw_only=True):
    data: c.AddEvidence
    id: v.Identity


class EvidenceDisputed(Event, frozen=True, kw_only=True):
    data: c.DisputeEvidence


class EvidenceExamined(Event, frozen=True, kw_only=True):
    data: c.ExamineEvidence


class ProofExamined(Event, frozen=True, kw_only=True):
    data: c.ExamineProof


class PartyNotified(Event, frozen=True, kw_only=True):
    data: c.Notify


class PartyAnswered(Event, frozen=True, kw_only=True):
    data: c.Answer


class CaseAssigned(Event, frozen=True, kw_only=True):
    data: c.Assign


class CallLogged(Event, frozen=True, kw_only=True):
    data: c.LogCall


class MatterReferred(Event, frozen=True, kw_only=True):
    data: c.Refer
    id: v.Identity


class ReferralAccepted(Event, frozen=True, kw_only=True):
    data: c.AcceptReferral


class ReferralRefused(Event, frozen=True, kw_only=True):
    data: c.RefuseReferral


class ReferralSettled(Event, frozen=True, kw_only=True):
    data: c.SettleReferral


class ReferralEnded(Event, frozen=True, kw_only=True):
    data: c.EndReferral


class ReferralWithdrawn(Event, frozen=True, kw_only=True):
    data: c.WithdrawReferral


class TippedOff(Event, frozen=True, kw_only=True):
    data: c.TipOff
    id: v.Identity


class TipOffAnswered(Event, frozen=True, kw_only=True):
    data: c.AnswerTipOff


class CasePublicised(Event, frozen=True, kw_only=True):
    data: c.Publicise


class FeedbackGiven(Event, frozen=True, kw_only=True):
    data: c.GiveFeedback


class ReturnShipped(Event, frozen=True, kw_only=True):
    data: c.ShipReturn


class ReturnReceived(Event, frozen=True, kw_only=True):
    data: c.ReceiveReturn


class ReturnContested(Event, frozen=True, kw_only=True):
    data: c.ContestReturn


class ReturnSettled(Event, frozen=True, kw_only=True):
    data: c.SettleReturn


class WordExchanged(Event, frozen=True, kw_only=True):
    data: c.Reply


class AdvanceApplied(Event, frozen=True, kw_only=True):
    data: c.ApplyAdvance


class AdvancePaid(Event, frozen=True, kw_only=True):
    data: c.PayAdvance


class AdvanceClosed(Event, frozen=True, kw_only=True):
    data: c.CloseAdvance


class AdvanceRecovered(Event, frozen=True, kw_only=True):
    data: c.RecoverAdvance


class AdviserAuthorised(Event, frozen=True, kw_only=True):
    data: c.AuthoriseAdviser


class AcceptanceShown(Event, frozen=True, kw_only=True):
    data: c.ShowAcceptance


class DutyPaused(Event, frozen=True, kw_only=True):
    data: c.PauseDuty


class DutyResumed(Event, frozen=True, kw_only=True):
    data: c.ResumeDuty


class DutyExtended(Event, frozen=True, kw_only=True):
    data: c.ExtendDuty


class DutyMissed(Event, frozen=True, kw_only=True):
    data: c.MissDuty


class DutyRecomputed(Event, frozen=True, kw_only=True):
    data: c.RecomputeDuty


class RulingCorrected(Event, frozen=True, kw_only=True):
    data: c.CorrectRuling


class EditionAdopted(Event, frozen=True, kw_only=True):
    data: c.AdoptEdition
    edition_digest: v.Sha256


def topic_of(event: type[Event]) -> str:
    """The stable name under which an event is stored: ``casework.case.complaint_filed``."""
    return _topic(event.__name__)


def _command_of(event: type[Event]) -> type[c.Command]:
    # Not by msgspec, which would look into every field of every event at every start.
    return cast(type[c.Command], event.__annotations__["data"])


#: The topics of cases; all that a store may hold are in :mod:`~casework.domain.topics`.
TOPICS: dict[str, type[Event]] = {topic_of(kind): kind for kind in Event.__subclasses__()}
#: Which event records which command.
EVENT_OF: dict[type[c.Command], type[Event]] = {_command_of(kind): kind for kind in Event.__subclasses__()}
