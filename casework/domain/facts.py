"""What is known of a case as of a version: the facts that its guards read.

Facts hold no behaviour and no history beyond what a rule or a view needs. They come from events alone:
:mod:`casework.domain.fold` makes them for the living case, and the audit makes them a second time with a projector of
its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct, field

from casework.domain.commands import OpenCase
from casework.domain.events import Due
from casework.domain.values import Actor, Penalty, Remedy
from casework.domain.vocabulary import PLATFORM_CHANNELS

INITIAL = "discovered"
NEVER = datetime.min.replace(tzinfo=UTC)


class Evidence(Struct):
    """A piece of evidence and what was found about its authenticity."""

    id: str
    kind: str
    by: Actor
    at: datetime
    version: int
    description: str
    sha256: str | None = None
    authenticity: str = "unexamined"


class Offer(Struct):
    """An offer of the merchant's: open, accepted, declined or superseded."""

    id: str
    remedy: Remedy
    at: datetime
    state: str = "open"


class Term(Struct):
    """Something asked of a party with a day: of whom, of which kinds, asked when, until when."""

    party: str
    kinds: tuple[str, ...]
    asked_at: datetime
    answer_by: datetime
    version: int


class Proof(Struct):
    """A document that a party was asked for, and what was found of it. Facts hold one a party and kind."""

    party: str
    kind: str
    result: str


class Hearing(Struct):
    """Whether a party was heard in the present round: it answered, or it was notified and has until ``answer_by``."""

    answered_at: datetime | None = None
    answer_by: datetime | None = None


class Ruling(Struct):
    """A ruling as it was made. ``review`` is true for one that decides an escalation."""

    version: int
    at: datetime
    by: Actor
    outcome: str
    findings: str
    clause: str
    remedy: Remedy | None
    penalties: tuple[Penalty, ...]
    review: bool


class Referral(Struct):
    """A matter taken to an outside body. ``over_at`` is when it was refused, settled, ended or withdrawn."""

    id: str
    body: str
    at: datetime
    state: str = "lodged"
    remedy: Remedy | None = None
    was_accepted: bool = False
    province: str | None = None
    over_at: datetime | None = None


class TipOff(Struct):
    """A report of an offence, on a track of its own."""

    id: str
    to: str
    about: str
    by: Actor
    state: str = "lodged"


class Call(Struct):
    """A phone call. ``promised_by`` is until when something was promised."""

    at: datetime
    channel: str
    note: str
    staff: str | None
    promised: str | None
    promised_by: datetime | None
    transferred: bool


class Duty(Struct):
    """What somebody owes until a time. ``state``: running, paused, met, late (met after its time), missed, cancelled.

    ``since`` is when it began to run, ``settled_at`` when it was met, missed or cancelled; ``was_paused`` that its time is
    not the one that the rule gives from ``since``; ``is_over`` that a missed one can no longer be made good.
    """

    id: str
    kind: str
    owes: str
    due: Due
    since: datetime
    about: str | None = None
    state: str = "running"
    paused_at: datetime | None = None
    was_paused: bool = False
    missed_at: datetime | None = None
    settled_at: datetime | None = None
    is_over: bool = False

    @property
    def is_owed(self) -> bool:
        """Whether it can still be met, in time or late."""
        return self.state in ("running", "paused") or (self.state == "missed" and not self.is_over)

    def is_late(self, at: datetime) -> bool:
        """Whether its time is over and it is not met. A provisional time is no time to be late by until it is computed again."""
        return self.state == "running" and at > self.due.at and (self.was_paused or not self.due.provisional)


class Facts(Struct):
    """Everything known of one case as of one version."""

    case: str
    given: OpenCase
    opened_at: datetime
    lifecycle: int
    edition: str
    version: int = 1
    state: str = INITIAL
    at: datetime = NEVER
    recorded_at: datetime = NEVER
    commands: dict[str, int] = field(default_factory=dict)
    duties: dict[str, Duty] = field(default_factory=dict)

    demands: list[datetime] = field(default_factory=list)
    contacted_at: datetime | None = None
    asked: Remedy | None = None
    no_contact: str | None = None
    excuses: list[str] = field(default_factory=list)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    evidence_asked_version: int = 0
    evidence_term: Term | None = None
    offers: dict[str, Offer] = field(default_factory=dict)
    advisers: set[str] = field(default_factory=set)

    claim: str | None = None
    filed_at: datetime | None = None
    new_evidence: Term | None = None
    reply_by: Due | None = None
    replied: bool = False
    round_opened_by: str | None = None
    hearings: dict[str, Hearing] = field(default_factory=dict)
    assigned: Actor | None = None
    proof_term: Term | None = None
    proofs: dict[tuple[str, str], Proof] = field(default_factory=dict)
    rulings: list[Ruling] = field(default_factory=list)
    in_review: bool = False
    rulings_before_round: int = 0
    calls: list[Call] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)

    remedy: Remedy | None = None
    performed: list[Decimal | None] = field(default_factory=list)
    paid_by_platform: Decimal = Decimal(0)
    goods: str = "not_due"
    advance: str = "not_applied"
    closed_at: datetime | None = None

    referrals: dict[str, Referral] = field(default_factory=dict)
    tip_offs: dict[str, TipOff] = field(default_factory=dict)
    publicity: list[str] = field(default_factory=list)
    feedback: list[int] = field(default_factory=list)

    @property
    def open_offer(self) -> Offer | None:
        """The offer that can be accepted now."""
        return next((o for o in self.offers.values() if o.state == "open"), None)

    @property
    def transferred(self) -> bool:
        """Whether a call was passed up to a higher level since the complaint was filed."""
        return any(c.transferred for c in self.platform_calls)

    @property
    def platform_calls(self) -> list[Call]:
        """The calls with the platform since the complaint was filed."""
        since = self.filed_at
        return [c for c in self.calls if since is not None and c.at >= since and c.channel in PLATFORM_CHANNELS]

    @property
    def consumer_evidence(self) -> list[Evidence]:
        """The consumer's evidence that counts: what was found forged does not."""
        return [e for e in self.evidence.values() if e.by.role in ("consumer", "adviser") and e.authenticity != "forged"]
