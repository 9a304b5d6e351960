"""What an event does to the duties of a case, derived by a procedure of the audit's own.

:mod:`casework.domain.clocks` goes through an event in turns and asks in each turn about every duty. Here each duty is followed
alone through the event, as an automaton of its row: whether it was late, whether it is fulfilled, whether it is outlived, what
becomes of its clock; the answers are then put in the order in which an event records them. Only the published rows are
shared (:mod:`casework.domain.duties`), which are the law, and the types. Which record governs and when its limit ends is the
audit's own as well (:mod:`casework.audit.limits`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

from msgspec.structs import replace

from casework.audit.limits import limit
from casework.domain import events as e
from casework.domain.commands import Command, name_of
from casework.domain.duties import DutyRow
from casework.domain.facts import INITIAL, Duty, Facts, Referral
from casework.domain.values import Remedy
from casework.domain.vocabulary import PLATFORM_CHANNELS
from casework.rulebook.edition import Edition

#: The order in which an event records what it does to duties.
_MISSED, _MET, _CANCELLED, _CLOCK, _BEGUN = range(5)
_turn = itemgetter(0)
#: The states of a duty in which it can be owed.
_OWED = ("running", "paused", "missed")
#: A demand, an application or a suit starts the limitation period anew (民法典 195).
_DEMANDING = ("contact_merchant", "file", "reopen_filed", "escalate", "report_default", "refer")
_BY_HAND = {"request_evidence": ("evidence", "answer_by"), "ask_proof": ("proof", "answer_by"), "notify": ("answer", "answer_by"),
            "log_call": ("call_promise", "promised_by")}
_TO_MERCHANT = ("contact_merchant", "answer_merchant", "decline_offer")
_TO_PLATFORM = ("file", "supply_evidence", "report_default", "reopen_filed")
#: All that may begin a duty which a rule limits; but for these, what leads to performance.
_LIMITED = frozenset((
    *_TO_MERCHANT, *_TO_PLATFORM, "log_call", "suspend", "show_acceptance", "settle_referral", "examine_evidence", "rule",
    "refer", "accept_referral", "tip_off", "ship_return", "receive_return", "settle_return"))
#: What is waited for while a case is suspended; the last one begun tells which.
_SUSPENSIONS = ("acceptance_proof", "suspension")
#: A suit is over without a judgment: refused, given up or ended.
_SUIT_OVER = ("refuse_referral", "withdraw_referral", "end_referral")
#: By which rule an outside body answers, whether it takes a matter and what comes of it.
_TAKES = {"market_regulator": "mr12315.accept", "consumer_association": "consumer_assoc.accept."}
_ANSWERS = {"market_regulator": "mr12315.mediate", "consumer_association": "consumer_assoc.mediate.",
            "postal_authority": "postal.answer"}


@dataclass(slots=True)
class _Now:
    """Where a duty stands while the event is followed."""

    id: str
    kind: str
    owes: str
    about: str | None
    state: str
    due: e.Due
    over: bool = False
    steady: bool = False
    """Whether its time, though estimated, is one to be late by, since it was moved by a pause."""

    @property
    def owed(self) -> bool:
        return self.state in ("running", "paused") or (self.state == "missed" and not self.over)

    def late(self, at: datetime) -> bool:
        return self.state == "running" and self.due.at < at and (self.steady or not self.due.provisional)


class _Follow:
    """One event, followed through the duties that it finds and those that it begins."""

    def __init__(self, rows: Mapping[str, DutyRow], facts: Facts | None, event: e.Event, edition: Edition,
                 adopted: Edition | None) -> None:
        self.rows, self.facts, self.event, self.edition, self.adopted = rows, facts, event, edition, adopted
        kind: type[Command] = type(event.data)
        self.name, self.said = name_of(kind), event.data
        self.before = facts.state if facts else INITIAL
        self.after = event.to_state or self.before
        self.told: list[tuple[int, e.DutyChange]] = []
        self.count = len(facts.duties) if facts else 0
        #: Those that are owed still; what is settled stays as it is.
        self.held = [_Now(d.id, d.kind, d.owes, d.about, d.state, d.due, d.is_over, d.was_paused)
                     for d in facts.duties.values() if d.state in _OWED] if facts else []

    def result(self) -> tuple[e.DutyChange, ...]:
        if self.facts is not None:
            for now in list(self.held):
                if now.owed:
                    self._follow(self.facts.duties[now.id], now)
        for kind, owes, due, about in self._begins():
            if kind in self.rows and self.after in self.rows[kind].states:
                self._begin(kind, owes, due, about)
        if not self.told:
            return ()
        # Sorting is stable: within a turn it stays the order of the duties.
        return tuple([change for _, change in sorted(self.told, key=_turn)])

    @property
    def first_promise(self) -> str | None:
        """Of several promises that are owed, the one that is due first, as it stood before the event."""
        assert self.facts is not None
        promises = [d for d in self.facts.duties.values() if d.kind == "call_promise" and d.is_owed]
        return min(promises, key=lambda d: d.due.at).id if promises else None

    # --- a duty that there is ---

    def _follow(self, duty: Duty, now: _Now) -> None:
        row, at = self.rows[now.kind], self.event.at
        fulfilled = self.name in row.meets and _FULFILS.get(now.kind, _always)(self, now)
        named = getattr(self.said, "referral", None)
        outlived = self.after not in row.states or (self.name in row.ended_by and named in (None, now.about))
        noted = not row.follows or self.name in row.follows or (
            self.name == "miss_duty" and self.said.duty == now.id)
        if now.late(at) and (fulfilled or outlived or noted):
            self._tell(_MISSED, now, "missed")
            now.state = "missed"
        if fulfilled:
            self._tell(_MET, now, "met")
            now.state = "late" if now.state == "missed" else "met"
        elif outlived:
            self._tell(_CANCELLED, now, "cancelled")
            now.over, now.state = now.state == "missed", "missed" if now.state == "missed" else "cancelled"
        elif now.state == "paused":
            self._stopped(duty, now, row)
        elif now.state == "running":
            self._running(duty, now, row)

    def _stopped(self, duty: Duty, now: _Now, row: DutyRow) -> None:
        leaves = self.before in row.stops and self.after not in row.stops
        if leaves or (self.name == "resume_duty" and self.said.duty == now.id):
            assert duty.paused_at is not None
            at, estimated = self.edition.after_pause(now.due.unit or "hour", now.due.at, duty.paused_at, self.event.at)
            self._set(_CLOCK, now, "resumed", replace(now.due, at=at, provisional=estimated))

    def _running(self, duty: Duty, now: _Now, row: DutyRow) -> None:
        mine = getattr(self.said, "duty", None) == now.id
        if (mine and self.name == "pause_duty") or (self.after in row.stops and self.before not in row.stops):
            self._tell(_CLOCK, now, "paused")
        elif mine and self.name == "extend_duty":
            self._set(_CLOCK, now, "extended", replace(now.due, at=self.said.until, provisional=False, unit=None))
        elif mine and self.name == "recompute_duty":
            self._set(_CLOCK, now, "recomputed", self._again(duty, self.edition))
        elif self.name == "adopt_edition" and self.adopted is not None:
            self._goes_over(duty, now, self.adopted)

    def _goes_over(self, duty: Duty, now: _Now, adopted: Edition) -> None:
        """争议规则 92: what is pending goes by the new rule; but not limitation, nor what somebody set, moved or let pass."""
        by_rule = now.due.unit is not None and adopted.has(now.due.rule) and now.kind != "limitation" and not now.steady
        if by_rule and not now.late(self.event.at):
            due = self._again(duty, adopted)
            if now.due.provisional or due.at != now.due.at:
                self._set(_CLOCK, now, "recomputed", due)

    def _again(self, duty: Duty, edition: Edition) -> e.Due:
        assert self.facts is not None
        return self._limitation(edition) if duty.kind == "limitation" else limit(edition, duty.due.rule, duty.since)

    # --- a duty that begins ---

    def _begin(self, kind: str, owes: str, due: e.Due, about: str | None) -> None:
        same = [d for d in self.held if d.owed and (d.kind, d.owes, d.about) == (kind, owes, about)]
        if kind == "merchant_answer":
            asked = self.said.remedy if self.name == "contact_merchant" else None
            anew = asked is not None and (self.facts is None or asked != self.facts.asked)
            if not anew and any(d.state != "missed" for d in same):
                return
            for old in same:
                if old.late(self.event.at):
                    self._tell(_BEGUN, old, "missed")
                    old.state = "missed"
                if old.state != "running":
                    self._tell(_BEGUN, old, "cancelled")
        halted = kind == "answer" and self.after in self.rows[kind].stops
        for old in same:
            if halted and old.state != "missed":
                # Of what is asked in a suspension the last notice stands.
                self._tell(_BEGUN, old, "cancelled")
            elif old.state == "running" and kind != "call_promise":
                if old.due.at != due.at:
                    self._set(_BEGUN, old, "extended", due)
                return
        self.count += 1
        new = _Now(f"D-{self.count}", kind, owes, about, "running", due)
        self.held.append(new)
        self._set(_BEGUN, new, "opened", due)
        if halted:
            self._tell(_BEGUN, new, "paused")

    def _begins(self) -> Iterator[tuple[str, str, e.Due, str | None]]:
        """The duties that the event calls for: kind, who owes it, until when, about what."""
        if (self.facts is None or self.name in _DEMANDING or self.event.to_state is not None) and self.edition.has(
                "suit.limitation"):
            due = self._limitation(self.edition)
            if self.event.at <= due.at:
                yield "limitation", "consumer", due, None
        if self.facts is None:
            return
        if self.name in _BY_HAND and (self.name != "log_call" or self._was_promised()):
            kind, field = _BY_HAND[self.name]
            at: datetime = getattr(self.said, field)
            owes = {"evidence": "consumer", "call_promise": "agent"}.get(kind) or self.said.party
            yield kind, owes, e.Due(at=at, rule=self.name, clause="淘宝平台争议处理规则 8", certainty="A"), None
        elif (self.name in _SUIT_OVER and self._names_court() and self._awaits_court()) or self._outlives_suit():
            yield "suspension", "agent", e.Due(at=self.event.at, rule=self.name, clause="《淘宝平台争议处理规则》第83条",
                                               certainty="A"), "court"
        elif (self.name in _LIMITED or self.event.to_state == "remedy_due") and (found := self._called_for()) is not None:
            kind, owes, rule, about = found
            if self.edition.has(rule):
                yield kind, owes, limit(self.edition, rule, self.event.at), about

    def _was_promised(self) -> bool:
        return self.said.promised_by is not None and self.said.channel in PLATFORM_CHANNELS

    def _awaits_court(self) -> bool:
        """争议规则 82, 83: suspended for a suit of which it was shown that the court took it, and no end of it is known."""
        assert self.facts is not None
        last = next((d for d in reversed(self.facts.duties.values()) if d.kind in _SUSPENSIONS), None)
        return self.before == "suspended" and last is not None and last.kind == "acceptance_proof" and (
            last.about == "court" and last.state in ("met", "late"))

    def _shows(self) -> Duty | None:
        """The proof that is asked for and given by this event."""
        assert self.facts is not None
        if self.name != "show_acceptance":
            return None
        limits = [d for d in self.facts.duties.values() if d.kind in _SUSPENSIONS]
        asked = bool(limits) and limits[-1].kind == "acceptance_proof" and limits[-1].is_owed
        return limits[-1] if asked else None

    def _suit_is(self, *states: str) -> Referral | None:
        """The suit that is in the file, the last one, where it is in one of the states."""
        assert self.facts is not None
        suits = [r for r in self.facts.referrals.values() if r.body == "court"]
        return suits[-1] if suits and suits[-1].state in states else None

    def _outlives_suit(self) -> bool:
        """Whether a court's acceptance is shown of a suit that was over without a judgment since the suspension began."""
        proof, suit = self._shows(), self._suit_is("refused", "withdrawn", "ended")
        return proof is not None and suit is not None and proof.about == "court" and (
            suit.over_at is not None and not suit.over_at < proof.since)

    def _judged(self, evidence: str | None = None) -> bool:
        """Whether there is a judgment: that of the suit or one that was found authentic; or whether that piece is one."""
        assert self.facts is not None
        if evidence is not None:
            held = self.facts.evidence.get(evidence)
            return held is not None and held.kind == "court_judgment"
        found = {(x.kind, x.authenticity) for x in self.facts.evidence.values()}
        return self._suit_is("settled") is not None or ("court_judgment", "authentic") in found

    def _names_court(self) -> bool:
        assert self.facts is not None
        at = self.facts.referrals.get(self.said.referral)
        return at is not None and at.body == "court"

    def _called_for(self) -> tuple[str, str, str, str | None] | None:
        """Of what a rule limits: the kind, who owes it, the rule, about what."""
        assert self.facts is not None
        facts, event, said = self.facts, self.event, self.said
        if self.name in _TO_MERCHANT:
            return "merchant_answer", "merchant", "merchant.response", None
        if self.name in _TO_PLATFORM:
            return "platform_reply", "agent", "platform.reply", None
        if self.name == "log_call" and said.channel == "carrier_service" and not said.answered:
            return "courier_answer", "courier", "courier.complaint", None
        if self.name == "suspend":
            if said.ground == "both_ask":
                return "suspension", "agent", "dispute.suspend.self_settle", None
            return "acceptance_proof", said.party, "dispute.suspend.court_proof", said.ground
        if self.name == "show_acceptance":
            proof = self._shows()
            if proof is not None and proof.about == "police":
                return "suspension", "agent", "dispute.suspend.police", None
            appeal = proof is not None and proof.about == "court" and self._judged()
            return ("suspension", "agent", "court.appeal", "court") if appeal else None
        if (self.name == "settle_referral" and self._names_court()) or (
                self.name == "examine_evidence" and said.result == "authentic" and self._judged(said.evidence)):
            # 民诉法 171, 争议规则 83: a judgment is in force when the time to appeal is over.
            return ("suspension", "agent", "court.appeal", "court") if self._awaits_court() else None
        if self.name == "rule" and said.remedy is None:
            reviews = facts.in_review and bool(facts.rulings[facts.rulings_before_round:])
            return None if reviews else ("objection", "consumer", "ruling.objection", None)
        if isinstance(event, e.MatterReferred) and said.body in _TAKES:
            return "referral_acceptance", f"external:{said.body}", _in(_TAKES[said.body], said.province), event.id
        if self.name == "accept_referral" and (at := facts.referrals.get(said.referral)) is not None and at.body in _ANSWERS:
            return "referral_result", f"external:{at.body}", _in(_ANSWERS[at.body], at.province), at.id
        if isinstance(event, e.TippedOff) and said.to == "market_regulator":
            return "tip_off_check", "external:market_regulator", "tipoff.check", event.id
        return self._performance(facts)

    def _performance(self, facts: Facts) -> tuple[str, str, str, str | None] | None:
        """消法 25, 处罚办法 8: where goods go back they go first, and the remedy follows."""
        shipping = ("return_shipping", "consumer", "return.shipping", None)
        event = self.event
        if self.name == "ship_return":
            return "return_confirmation", "merchant", "return.confirm", None
        if self.name == "receive_return" or (self.name == "settle_return" and self.said.received):
            done = bool(facts.performed) and _is_paid_up(facts, None)
            return None if done else ("performance", "merchant", "refund.after_goods_back", None)
        if self.name == "settle_return":
            return shipping
        if event.to_state != "remedy_due" or event.from_state == "remedy_due":
            return None
        remedy = self._granted(facts)
        if remedy is not None and {part.kind for part in remedy.parts} & {"return_refund", "exchange"}:
            return {"not_due": shipping, "due": shipping, "sent": ("return_confirmation", "merchant", "return.confirm", None),
                    "received": ("performance", "merchant", "refund.after_goods_back", None)}.get(facts.goods)
        # A judgment or an award names its own day.
        judged = self.name == "external_award" and event.by.id in ("court", "arbitration")
        return None if judged else ("performance", "merchant", "unreasonable_refusal", None)

    def _granted(self, facts: Facts) -> Remedy | None:
        if isinstance(self.event, e.OfferAccepted):
            offer = facts.offers.get(self.event.offer)
            return offer.remedy if offer else None
        if self.name == "execute_ruling":
            return facts.rulings[-1].remedy if facts.rulings else None
        if self.name == "deem_agreed":
            return facts.asked
        found: Remedy | None = getattr(self.said, "remedy", None)
        return found

    def _limitation(self, edition: Edition) -> e.Due:
        """民法典 188, 192, 195: three years from knowing, anew from each demand made before they were over."""
        demands = list(self.facts.demands) if self.facts else [self.event.at]
        if self.facts is not None and self.name in _DEMANDING:
            demands.append(self.event.at)
        due = limit(edition, "suit.limitation", demands[0])
        for demand in demands[1:]:
            due = limit(edition, "suit.limitation", demand) if demand <= due.at else due
        return due

    # --- telling ---

    def _set(self, turn: int, now: _Now, what: str, due: e.Due) -> None:
        now.due = due
        self._tell(turn, now, what, due)

    def _tell(self, turn: int, now: _Now, what: str, due: e.Due | None = None) -> None:
        self.told.append((turn, e.DutyChange(id=now.id, change=what, duty=now.kind, owes=now.owes, due=due, about=now.about)))


def duties_of(rows: Mapping[str, DutyRow], facts: Facts | None, event: e.Event, edition: Edition,
              adopted: Edition | None = None) -> tuple[e.DutyChange, ...]:
    """What the event does to duties on the facts before it (None: it opens the case), in the order in which it is recorded.

    Raises ``KeyError`` and the like on values that no command lets in.
    """
    return _Follow(rows, facts, event, edition, adopted).result()


def _always(follow: _Follow, now: _Now) -> bool:
    return True


def _by_the_one_who_owes(follow: _Follow, now: _Now) -> bool:
    return follow.event.by.role == now.owes


def _about_it(field: str) -> Callable[[_Follow, _Now], bool]:
    return lambda follow, now: getattr(follow.said, field) == now.about


def _performs(follow: _Follow, now: _Now) -> bool:
    assert follow.facts is not None
    return follow.name == "confirm_remedy" or _is_paid_up(follow.facts, follow.said.amount)


def _is_paid_up(facts: Facts, more: Decimal | None) -> bool:
    due: Any = facts.remedy.total if facts.remedy else None
    return due is None or sum((paid or Decimal(0) for paid in facts.performed), more or Decimal(0)) >= due


def _in(rule: str, province: str | None) -> str:
    return f"{rule}{province}" if rule.endswith(".") else rule


#: Of a command that meets a kind of duty, when it does; one that is not here is met by whatever its row names.
_FULFILS: dict[str, Callable[[_Follow, _Now], bool]] = {
    "proof": _by_the_one_who_owes,
    "answer": _by_the_one_who_owes,
    # A notice that goes out by itself is no reply of the platform's people.
    "platform_reply": lambda follow, now: follow.name != "notify" or follow.event.by.role in ("agent", "supervisor"),
    "courier_answer": lambda follow, now: follow.said.channel == "carrier_service" and follow.said.answered,
    # A call in which nothing was answered keeps no promise, and one that was answered keeps the one that is due first.
    "call_promise": lambda follow, now: (
        follow.said.answered and follow.said.channel in PLATFORM_CHANNELS and now.id == follow.first_promise),
    "performance": _performs,
    "referral_acceptance": _about_it("referral"),
    "referral_result": _about_it("referral"),
    "tip_off_check": _about_it("tip_off"),
}
