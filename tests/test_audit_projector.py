"""The audit's own reading of the events agrees with the domain's, on cases that were walked at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from domain_helpers import decided_late
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from casework.audit.check import audit_case
from casework.audit.columns import microseconds
from casework.audit.projector import _CONCERNS, project, project_all
from casework.domain import commands as c
from casework.domain import events as e
from casework.domain.case import Case
from casework.domain.decide import Context, actor_for, options
from casework.domain.facts import Facts
from casework.domain.fold import fold
from casework.domain.grounds import GROUNDS
from casework.domain.values import Actor, Order, Penalty, Remedy
from casework.domain.vocabulary import VOCABULARY
from casework.errors import Refused
from casework.rulebook.edition import CURRENT, EDITIONS, Edition, edition, pinned
from casework.store.codec import decode, encode
from casework.store.row import Row

START = datetime(2026, 3, 1, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def row_of(event: e.Event) -> Row:
    """The row under which a store keeps an event."""
    return Row(event.originator_id, event.originator_version, e.topic_of(type(event)), encode(event), event.trigger,
               event.from_state, event.to_state, microseconds(event.at), microseconds(event.recorded_at))


class Story:
    """A case on its way: its events so far, and a clock that each command moves on."""

    def __init__(self, *, ground: str = "malfunction", services: tuple[str, ...] = (), case: str = "k",
                 by: Actor | None = None, rules: Edition = CURRENT) -> None:
        self.now = START
        self.count = 0
        order = Order(id="O1", item="榨汁机", category="small_appliance", merchant="M-1", paid=Decimal("899"),
                      ordered_at=START, services=services)
        command = c.OpenCase(order=order, consumer="C-1", ground=ground)
        self.case = Case.open(case, command, self._context(by or Actor(role="consumer", id="C-1"), HOUR, HOUR * 0, rules))

    def do(self, command: c.Command, by: str = "consumer", *, after: timedelta = HOUR,
           lag: timedelta = HOUR * 0) -> e.Event:
        """Carry the case on; ``by`` is a role, or ``role:identity``."""
        role, _, name = by.partition(":")
        actor = Actor(role=role, id=name) if name else actor_for(role, self.case.facts)
        return self.case.do(command, self._context(actor, after, lag, self.edition, command))

    @property
    def edition(self) -> Edition:
        """The edition that the case goes by now."""
        return pinned(self.case.facts.edition)

    @property
    def events(self) -> list[e.Event]:
        return [event for event in self.case.pending_events if isinstance(event, e.Event)]

    @property
    def rows(self) -> list[Row]:
        return [row_of(event) for event in self.events]

    def _context(self, by: Actor, after: timedelta, lag: timedelta, rules: Edition, command: c.Command | None = None) -> Context:
        self.now += after
        self.count += 1
        at = self.now
        self.now += lag
        adopts = edition(command.edition) if isinstance(command, c.AdoptEdition) else None
        return Context(by, at, self.now, f"c{self.count}", rules, adopts)


# --- commands with plausible data ------------------------------------------------------------------------------------


def _remedy(pick: Random) -> Remedy:
    kind = pick.choice(["refund", "return_refund", "exchange", "repair", "compensation", "return_refund"])
    return Remedy(kind=kind, amount=Decimal(pick.choice(["10.00", "899.00"])) if pick.random() < 0.8 else None)


def _rule(facts: Facts, now: datetime, pick: Random) -> c.Rule:
    outcome = pick.choice(["for_consumer", "partly_for_consumer", "for_merchant"])
    lost = outcome == "for_merchant"
    penalties = () if lost or pick.random() < 0.5 else (Penalty(kind="warning", points=pick.randint(1, 48)),)
    return c.Rule(outcome=outcome, findings="经查", clause="争议规则 66", penalties=penalties,
                  remedy=None if lost else _remedy(pick))


def _evidence(facts: Facts, now: datetime, pick: Random) -> c.AddEvidence:
    wanted = [kind for group in GROUNDS[facts.given.ground].required for kind in group]
    return c.AddEvidence(kind=pick.choice(wanted), description="异响", sha256=pick.choice([None, "0f" * 32]))


def _any(pick: Random, things: Any, otherwise: str) -> str:
    return str(pick.choice(sorted(things) or [otherwise]))


def _later(now: datetime, pick: Random) -> datetime:
    return now + pick.choice([2 * HOUR, DAY, 3 * DAY])


def _duty(facts: Facts, pick: Random, *states: str) -> str:
    """A duty in one of these states, rather one of a party or of an outside body, whose clock somebody may move."""
    pool = [d for d in facts.duties.values() if d.state in states and d.kind != "limitation"]
    return _any(pick, [d.id for d in pool], "D-1")


def _extended(facts: Facts, now: datetime, pick: Random) -> c.ExtendDuty:
    duty = _duty(facts, pick, "running")
    last = facts.duties[duty].due.at if duty in facts.duties else now
    return c.ExtendDuty(duty=duty, until=max(now, last) + DAY, reason="节假日")


def _overdue(facts: Facts, now: datetime, pick: Random) -> str:
    return _any(pick, [d.id for d in facts.duties.values() if d.is_late(now)], "D-1")


_Make = Callable[[Facts, datetime, Random], c.Command]
_MAKE: dict[str, _Make] = {
    "contact_merchant": lambda f, t, r: c.ContactMerchant(message="请处理", remedy=r.choice([None, *[_remedy(r)] * 2])),
    "ask_for_evidence": lambda f, t, r: c.AskForEvidence(message="请举证", kinds=("goods_photo",)),
    "make_offer": lambda f, t, r: c.MakeOffer(remedy=_remedy(r)),
    "refuse_claim": lambda f, t, r: c.RefuseClaim(excuse=r.choice(["misuse", "stalling"])),
    "instant_refund": lambda f, t, r: c.InstantRefund(amount=Decimal("100.00")),
    "file": lambda f, t, r: c.File(claim="refund", statement="诉求", without_contact=r.choice([None, "unreachable"])),
    "reject_complaint": lambda f, t, r: c.RejectComplaint(ground="evidence_insufficient", explanation="不足"),
    "request_evidence": lambda f, t, r: c.RequestEvidence(kinds=("fault_video",), answer_by=_later(t, r)),
    "ask_proof": lambda f, t, r: c.AskProof(party=r.choice(["merchant", "consumer"]), answer_by=_later(t, r),
                                            kinds=("purchase_voucher", "test_certificate")[:r.randint(1, 2)]),
    "submit_proof": lambda f, t, r: c.SubmitProof(kinds=f.proof_term.kinds[:1] if f.proof_term else ()),
    "suspend": lambda f, t, r: c.Suspend(ground=r.choice(["court", "police", "both_ask"]),
                                         party=r.choice(["consumer", "merchant"])),
    "rule": _rule,
    "escalate": lambda f, t, r: c.Escalate(statement="不服"),
    "remit": lambda f, t, r: c.Remit(explanation="重审"),
    "refuse_escalation": lambda f, t, r: c.RefuseEscalation(explanation="维持"),
    "external_award": lambda f, t, r: c.ExternalAward(remedy=_remedy(r), document="调解书"),
    "perform_remedy": lambda f, t, r: c.PerformRemedy(amount=r.choice([None, Decimal("899.00")])),
    "report_default": lambda f, t, r: c.ReportDefault(statement="未履行"),
    "reopen_filed": lambda f, t, r: c.ReopenFiled(statement="再诉", claim=r.choice([None, "exchange"]),
                                                  new_evidence="court_judgment", without_contact="safety"),
    "add_evidence": _evidence,
    "dispute_evidence": lambda f, t, r: c.DisputeEvidence(evidence=_any(r, f.evidence, "E-1"), statement="不实"),
    "examine_evidence": lambda f, t, r: c.ExamineEvidence(evidence=_any(r, f.evidence, "E-1"),
                                                          result=r.choice(["authentic", "authentic", "forged"])),
    "examine_proof": lambda f, t, r: c.ExamineProof(kind="purchase_voucher", result=r.choice(["accepted", "forged"])),
    "notify": lambda f, t, r: c.Notify(party=r.choice(["consumer", "merchant"]), answer_by=_later(t, r)),
    "answer": lambda f, t, r: c.Answer(statement="答复"),
    "assign": lambda f, t, r: c.Assign(to=r.choice(["agent:A-1", "agent:A-2", "supervisor:S-1", "supervisor:S-2"])),
    "log_call": lambda f, t, r: c.LogCall(note="通话", promised_by=r.choice([None, _later(t, r)]), transferred=r.random() < 0.5,
                                          channel=r.choice(["hotline", "carrier_service"]), answered=r.random() < 0.5),
    "refer": lambda f, t, r: c.Refer(body=r.choice(["market_regulator", "court", "arbitration", "consumer_association",
                                                    "postal_authority"]), statement="申诉", province=r.choice([None, "zj"])),
    "accept_referral": lambda f, t, r: c.AcceptReferral(referral=_any(r, f.referrals, "R-1")),
    "refuse_referral": lambda f, t, r: c.RefuseReferral(referral=_any(r, f.referrals, "R-1"), explanation="不予"),
    "settle_referral": lambda f, t, r: c.SettleReferral(referral=_any(r, f.referrals, "R-1"), remedy=_remedy(r)),
    "end_referral": lambda f, t, r: c.EndReferral(referral=_any(r, f.referrals, "R-1"), explanation="终止"),
    "withdraw_referral": lambda f, t, r: c.WithdrawReferral(referral=_any(r, f.referrals, "R-1")),
    "tip_off": lambda f, t, r: c.TipOff(to=r.choice(["platform", "market_regulator"]), about="counterfeit", statement="举报"),
    "answer_tip_off": lambda f, t, r: c.AnswerTipOff(tip_off=_any(r, f.tip_offs, "T-1"),
                                                     result=r.choice(["case_opened", "not_pursued"])),
    "publicise": lambda f, t, r: c.Publicise(channel="social_media", statement="曝光"),
    "give_feedback": lambda f, t, r: c.GiveFeedback(score=r.randint(1, 5)),
    "ship_return": lambda f, t, r: c.ShipReturn(carrier="顺丰", waybill="SF1"),
    "contest_return": lambda f, t, r: c.ContestReturn(statement="有损"),
    "settle_return": lambda f, t, r: c.SettleReturn(received=r.random() < 0.7, explanation="裁定"),
    "pay_advance": lambda f, t, r: c.PayAdvance(amount=Decimal("10.00")),
    "authorise_adviser": lambda f, t, r: c.AuthoriseAdviser(adviser="D-1"),
    "pause_duty": lambda f, t, r: c.PauseDuty(duty=_duty(f, r, "running"), reason="检测"),
    "resume_duty": lambda f, t, r: c.ResumeDuty(duty=_duty(f, r, "paused")),
    "correct_ruling": lambda f, t, r: c.CorrectRuling(reason="笔误", clause=f"规则 {r.randint(1, 10**6)}"),
    "extend_duty": _extended,
    "miss_duty": lambda f, t, r: c.MissDuty(duty=_overdue(f, t, r)),
    "recompute_duty": lambda f, t, r: c.RecomputeDuty(
        duty=_any(r, [d.id for d in f.duties.values() if d.due.provisional], "D-1")),
    "adopt_edition": lambda f, t, r: c.AdoptEdition(edition=CURRENT.id, reason="新规施行"),
}
#: What ends a case, or the platform's hearing, is pulled less often, so that walks get deep; what is rarely open, more.
_WEIGHTS = dict.fromkeys(
    ("give_up", "withdraw", "lapse", "go_external", "accept_offer", "instant_refund", "reject_complaint", "escalate"), 0.03,
) | dict.fromkeys(("answer_merchant", "ship_return", "contest_return", "settle_return", "examine_proof", "resume_duty"), 9,
) | dict.fromkeys(("recompute_duty", "rule", "dismiss", "execute_ruling", "pay_advance", "refuse_escalation", "remit"), 30)


def plausible(name: str, facts: Facts, now: datetime, pick: Random) -> c.Command:
    """A command of that name whose values suit the case; it may be refused all the same."""
    make = _MAKE.get(name)
    if make is not None:
        return make(facts, now, pick)
    kind: Callable[..., c.Command] = c.COMMANDS[name]
    # What needs no more than words.
    return kind(**{f.name: "您好" for f in msgspec.structs.fields(c.COMMANDS[name]) if f.required})


def walked(pick: Random, steps: int, uses: Counter[str] | None = None) -> Story:
    """A lawful case, carried on by whatever is allowed, chosen by ``pick``.

    What was done often (in ``uses``, where walks share it) is done less and less, and each walk likes other commands
    than the next, so that together they get into every corner.
    """
    uses = Counter() if uses is None else uses
    services = pick.choice([(), ("instant_refund",), ("advance_compensation",)])
    story = Story(ground=pick.choice(sorted(GROUNDS)), services=services, rules=pick.choice(list(EDITIONS.values())))
    liked = {name: pick.choice((0.2, 1, 2)) * _WEIGHTS.get(name, 1) for name in c.COMMANDS}
    for _ in range(steps):
        _step(story, pick, {name: weight / (1 + uses[name]) ** 2 for name, weight in liked.items()}, uses)
    return story


def _step(story: Story, pick: Random, liked: dict[str, float], uses: Counter[str]) -> None:
    facts = story.case.facts
    after = pick.choice([HOUR, HOUR, 5 * HOUR, DAY, 4 * DAY] + [1200 * DAY] * (pick.random() < 0.04))
    allowed = [option for option in options(facts, story.now + after, story.edition, newest=CURRENT) if option.allowed]
    steps = [o for o in allowed if o.to is not None]
    # Steps of the lifecycle as often as acts, for there are far more acts beside it.
    pool = steps if steps and pick.random() < 0.5 else allowed
    [option] = pick.choices(pool, [liked[o.name] for o in pool])
    uses[option.name] += 1
    command = plausible(option.name, facts, story.now + after, pick)
    for by in sorted(_actors(facts, option.roles), key=lambda _: pick.random()):
        try:
            story.do(command, str(by), after=after, lag=pick.choice([HOUR * 0, HOUR]))
        except Refused:
            continue
        return


def _actors(facts: Facts, roles: tuple[str, ...]) -> list[Actor]:
    bodies = [Actor(role="external", id=r.body) for r in facts.referrals.values()]
    return [actor for role in roles for actor in (bodies if role == "external" else [actor_for(role, facts)])]


#: By number, so that a walk that fails can be walked again, and shrinks fast.
WALKS = st.builds(lambda number, steps: walked(Random(number), steps), st.integers(0, 2**32), st.integers(1, 60))


# --- the tests -------------------------------------------------------------------------------------------------------


@seed(20261122)
@settings(max_examples=80, deadline=None)
@given(WALKS)
def test_both_readings_of_a_lawful_case_are_equal_and_its_audit_tells_of_late_decisions_alone(story: Story) -> None:
    events = [decode(row.topic, row.payload) for row in story.rows]

    assert events == story.events
    assert project_all(events) == fold(events) == story.case.facts
    assert [(f.code, f.version) for f in audit_case(story.rows) if f.severity != "note"] == decided_late(events)


def test_the_two_readings_agree_after_every_single_event_of_many_deep_walks() -> None:
    seen: set[type[e.Event]] = set()
    moves: set[str] = set()
    uses: Counter[str] = Counter()
    for number in range(120):
        events = walked(Random(number), 80, uses).events
        moves.update(change.change for event in events for change in event.duties)
        facts: Facts | None = None
        for count, event in enumerate(events, 1):
            facts = project(facts, event)
            if count % 7 == 0 or count == len(events):
                assert facts == fold(events[:count])
        seen.update(map(type, events))

    # Every kind of event that changes more than the state was walked through, and every change of a duty.
    assert set(_CONCERNS) - seen == set()
    # A calendar that is not published does not come during a walk; tests/test_duties.py computes again.
    assert moves >= set(VOCABULARY["duty_change"]) - {"recomputed"}


@pytest.mark.parametrize("topic", sorted(set(e.TOPICS) - {e.topic_of(e.CaseOpened)}))
def test_an_event_without_what_it_refers_to_changes_no_more_than_it_can(topic: str) -> None:
    story = Story()
    facts = project_all(story.events)
    event = _bare(e.TOPICS[topic])

    after = project(facts, event)

    assert after is facts
    assert facts is not None
    assert facts.version == 2
    assert project(None, event) is None


def test_nothing_is_made_up_for_a_case_that_nobody_opened() -> None:
    assert project_all([]) is None
    assert {*Facts.__struct_fields__} >= {"case", "given", "state"}


def _bare(kind: type[e.Event]) -> e.Event:
    """An event of that kind whose references lead nowhere."""
    [command] = [f.type for f in msgspec.structs.fields(kind) if f.name == "data"]
    story = Story()
    data = plausible(c.name_of(command), story.case.facts, START, Random(1))
    due = e.Due(at=START, rule="platform.reply", clause="x", certainty="C")
    derived = {"id": "E-1", "offer": "O-9", "reply_by": due, "edition_digest": "0" * 64}
    names = {f.name for f in msgspec.structs.fields(kind)}
    make: Callable[..., e.Event] = kind
    return make(originator_id="k", originator_version=2, at=START, recorded_at=START, command_id="x",
                by=Actor(role="agent", id="A-1"), data=data, **{k: v for k, v in derived.items() if k in names})
