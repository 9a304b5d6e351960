"""Given, when, then for the domain: cases are carried only through ``Case``, so what a test stands on is lawful itself.

    given_case(ground="counterfeit").when("contact_merchant", message="假的").then_state("awaiting_merchant")

``after`` counts from the step before, refused or not: a number of hours or a ``timedelta``. A ``timedelta`` given for a
field that is a time counts from the step itself. ``case_in(state)`` takes a case lawfully to any of the twenty states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec import inspect

from casework.domain import decide
from casework.domain.case import Case
from casework.domain.commands import COMMANDS, AdoptEdition, Command, OpenCase
from casework.domain.decide import Context, actor_for, judge, open_event
from casework.domain.events import CaseOpened, Due, Event
from casework.domain.facts import Duty, Facts
from casework.domain.grounds import GROUNDS
from casework.domain.guards import GUARDS
from casework.domain.machine import lifecycle as process
from casework.domain.request import Request
from casework.domain.values import Actor
from casework.domain.versions import VERSION
from casework.domain.vocabulary import VOCABULARY
from casework.errors import Reason, Refused
from casework.rulebook.edition import CURRENT, Edition, edition, pinned

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FULL = {"kind": "refund", "amount": "899.00"}
RETURN = {"kind": "return_refund", "amount": "899.00"}
#: A party takes part in every case; the rest is whoever comes along.
ACTORS = {
    "consumer": "consumer:C-1", "merchant": "merchant:M-1", "agent": "agent:A-1", "supervisor": "supervisor:S-1",
    "system": "system:system", "adviser": "adviser:V-1", "external": "external:market_regulator",
    "auditor": "auditor:U-1",
}
PATTERNS = {"market_regulator": "platform", "agent|": "agent:A-1", "0-9a-f": "ab" * 32}


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def days(n: float) -> timedelta:
    return timedelta(days=n)


def actor(text: str, facts: Facts | None = None) -> Actor:
    """``role:id``; of a bare role, the one that the case knows."""
    role, _, identity = text.partition(":")
    if identity:
        return Actor(role=role, id=identity)
    assert facts is not None
    return actor_for(role, facts)


def command(name: str, at: datetime = START, /, **data: Any) -> Command:
    """A command from plain data, as a file would give it."""
    said = {key: at + value if isinstance(value, timedelta) else value for key, value in data.items()}
    return msgspec.convert(said, COMMANDS[name])


class Asked:
    """A command put to a case, without carrying the case on."""

    def __init__(self, facts: Facts, request: Request) -> None:
        self.facts, self.request = facts, request
        self.to, self.reasons = judge(facts, request)

    @property
    def codes(self) -> list[str]:
        return sorted({r.code for r in self.reasons})

    def of(self, guard: str) -> list[str]:
        """The codes that one guard alone gives."""
        return [r.code for r in GUARDS[guard](self.facts, self.request)]

    def __getitem__(self, code: str) -> Reason:
        [found] = [r for r in self.reasons if r.code == code]
        return found


class Story:
    """A case, and the clock of its story."""

    def __init__(self, case: Case, clock: datetime) -> None:
        self.case, self.clock = case, clock

    @property
    def facts(self) -> Facts:
        return self.case.facts

    @property
    def last(self) -> Event:
        return self.case.pending_events[-1]  # type: ignore[return-value]

    def when(self, name: str, /, by: str = "consumer", after: float | timedelta = 1, **data: Any) -> Story:
        """The step is taken, and is recorded as what it is."""
        self._wait(after)
        said = command(name, self.clock, **data)
        self.case.do(said, self.context(by, said=said))
        return self

    def then_state(self, state: str) -> Story:
        assert self.facts.state == state
        return self

    def refused(self, name: str, /, by: str = "consumer", codes: str | Iterable[str] = (),
                after: float | timedelta = 1, **data: Any) -> Story:
        """The step is refused for exactly these reasons, in any order, and nothing changes."""
        assert self.refusal(name, by, after, **data).codes == sorted([codes] if isinstance(codes, str) else codes)
        return self

    def refusal(self, name: str, /, by: str = "consumer", after: float | timedelta = 1, **data: Any) -> Refused:
        self._wait(after)
        before, version, kept = repr(self.facts), self.case.version, len(self.case.pending_events)
        said = command(name, self.clock, **data)
        with pytest.raises(Refused) as caught:
            self.case.do(said, self.context(by, said=said))
        assert (before, version, kept) == (repr(self.facts), self.case.version, len(self.case.pending_events))
        return caught.value

    def ask(self, name: str, /, by: str = "consumer", after: float | timedelta = 1, **data: Any) -> Asked:
        at = self.clock + _span(after)
        said = command(name, at, **data)
        return Asked(self.facts, Request(name, actor(by, self.facts), at, self.edition, said, adopts=adopted(said)))

    def ask_blank(self, name: str, by: str, after: float | timedelta = 1) -> Asked:
        """As ``options`` asks: nothing is said yet."""
        return Asked(self.facts, Request(name, actor(by, self.facts), self.clock + _span(after), self.edition))

    def fork(self) -> Story:
        """Another case with the same past, read back from the same events."""
        again = Case.from_events(None, list(self.case.pending_events))  # type: ignore[arg-type]
        assert again is not None
        again.pending_events.extend(self.case.pending_events)
        return Story(again, self.clock)

    def context(self, by: str, at: datetime | None = None, recorded_at: datetime | None = None,
                said: Command | None = None) -> Context:
        at = at or self.clock
        return Context(actor(by, self.facts), at, recorded_at or at, f"c{self.case.version + 1}", self.edition, adopted(said))

    @property
    def edition(self) -> Edition:
        """The edition that the case goes by now."""
        return pinned(self.facts.edition)

    def evidence(self, *kinds: str, by: str = "consumer") -> Story:
        for kind in kinds:
            self.when("add_evidence", by, kind=kind, description="见附件")
        return self

    def heard(self, *parties: str) -> Story:
        for party in parties or ("consumer", "merchant"):
            self.when("answer", party, statement="意见")
        return self

    def refer(self, body: str, /, **data: Any) -> Story:
        """The matter is taken to the body: to the postal authority once the carrier's seven days to answer are over."""
        if body != "postal_authority":
            return self.when("refer", body=body, statement="请求处理", **data)
        self.when("log_call", channel="carrier_service", note="向快递企业投诉")
        return self.when("refer", after=days(8) + hours(1), body=body, statement="快递企业逾期没有答复", **data)

    def duty(self, kind: str) -> Duty:
        """The latest duty of that kind."""
        return [d for d in self.facts.duties.values() if d.kind == kind][-1]

    def until(self, kind: str) -> Story:
        """The clock stands at the very end of the latest duty of that kind: the last moment at which it is in time."""
        self.clock = self.duty(kind).due.at
        return self

    def _wait(self, after: float | timedelta) -> None:
        self.clock += _span(after)


def _span(after: float | timedelta) -> timedelta:
    return after if isinstance(after, timedelta) else timedelta(hours=after)


def adopted(said: Command | None) -> Edition | None:
    """The edition that a command names, where it names one that there is."""
    return edition(said.edition) if isinstance(said, AdoptEdition) else None


def given_case(ground: str = "malfunction", services: Iterable[str] = (), lifecycle: int = VERSION,
               rules: Edition = CURRENT, **given: Any) -> Story:
    """A case that its consumer C-1 has just opened, against M-1, over 899 yuan.

    ``lifecycle`` and ``rules`` are what it pins: of an earlier lifecycle, as the release that had it opened the case.
    """
    order = {"id": "ORD-1", "item": "榨汁机", "category": "small_appliance", "merchant": "M-1", "paid": "899.00",
             "ordered_at": START - days(20), "services": tuple(services), **given.pop("order", {})}
    opening = msgspec.convert({"order": order, "consumer": "C-1", "ground": ground, **given}, OpenCase)
    context = Context(Actor(role="consumer", id="C-1"), START, START, "c1", rules)
    if lifecycle == VERSION:
        return Story(Case.open("K-1", opening, context), START)
    return Story(_opened_before(open_event("K-1", opening, context), lifecycle), START)


def _opened_before(event: CaseOpened, version: int) -> Case:
    """The case as a release with that lifecycle opened it; the first recorded no duties."""
    pins = process(version)
    assert pins is not None
    duties = event.duties if pins.duties else ()
    first = msgspec.structs.replace(event, lifecycle=version, lifecycle_digest=pins.digest, duties=duties)
    case = Case.from_events(None, [first])
    assert case is not None
    case.pending_events.append(first)  # type: ignore[arg-type]
    return case


def enough(ground: str) -> tuple[str, ...]:
    """The first kind of every group that the ground needs."""
    return tuple(dict.fromkeys(group[0] for group in GROUNDS[ground].required))


def ruling(outcome: str = "for_consumer", **data: Any) -> dict[str, Any]:
    """What a ruling says: a full refund, unless it is for the merchant."""
    remedy = {} if outcome == "for_merchant" else {"remedy": FULL}
    return {"outcome": outcome, "findings": "经核实", "clause": "淘宝平台争议处理规则 66", **remedy, **data}


# --- a case in each state --------------------------------------------------------------------------------------------


def _contacted(**given: Any) -> Story:
    return given_case(**given).when("contact_merchant", message="电机异响")


def _offered(**given: Any) -> Story:
    return _contacted(**given).when("make_offer", "merchant", remedy={"kind": "refund", "amount": "100.00"})


def _filed(**given: Any) -> Story:
    return _contacted(**given).when("file", claim="refund", statement="商家不处理")


def _reviewed(**given: Any) -> Story:
    story = _filed(**given)
    return story.evidence(*enough(story.facts.given.ground)).when("accept_complaint", "agent:A-1")


def _awaiting_proof(**given: Any) -> Story:
    return _reviewed(**given).when("ask_proof", "agent", party="merchant", answer_by=days(3),
                                   kinds=("test_certificate", "purchase_voucher"))


def _proven(**given: Any) -> Story:
    return _awaiting_proof(**given).when(
        "submit_proof", "merchant", kinds=("test_certificate", "purchase_voucher")).when(
        "examine_proof", "agent", kind="test_certificate", result="accepted")


def _ruled(outcome: str = "for_consumer", remedy: dict[str, str] | None = None, **given: Any) -> Story:
    story = _proven(**given) if outcome == "for_merchant" else _reviewed(**given)
    return story.heard().when("rule", "agent", **ruling(outcome, **({"remedy": remedy} if remedy else {})))


def _external(body: str = "market_regulator", **given: Any) -> Story:
    return _filed(**given).refer(body).when("go_external")


def _due(**given: Any) -> Story:
    return _ruled(**given).when("execute_ruling", "system")


IN_STATE: dict[str, Callable[..., Story]] = {
    "discovered": given_case,
    "awaiting_merchant": _contacted,
    "merchant_needs_evidence": lambda **g: _contacted(**g).when("ask_for_evidence", "merchant", message="请提供视频"),
    "offer_made": _offered,
    "merchant_refused": lambda **g: _contacted(**g).when("refuse_claim", "merchant", excuse="misuse"),
    "filed": _filed,
    "more_evidence_needed": lambda **g: _filed(**g).when(
        "request_evidence", "agent", kinds=("fault_video",), answer_by=days(3)),
    "not_accepted": lambda **g: _filed(**g).when(
        "reject_complaint", "agent", ground="evidence_insufficient", explanation="证据不足"),
    "under_review": _reviewed,
    "awaiting_proof": _awaiting_proof,
    "suspended": lambda **g: _reviewed(**g).when("suspend", "agent", ground="both_ask"),
    "ruled": _ruled,
    "escalated": lambda **g: _ruled(**g).when("escalate", statement="不服"),
    "with_external_body": _external,
    "remedy_due": _due,
    "resolved": lambda **g: _due(**g).when("perform_remedy", "merchant", amount="899.00").when("confirm_remedy"),
    "dismissed": lambda **g: _ruled("for_merchant", **g).when("dismiss", "agent", after=days(8)),
    "withdrawn": lambda **g: _filed(**g).when("withdraw"),
    "abandoned": lambda **g: _contacted(**g).when("give_up"),
    "lapsed": lambda **g: IN_STATE["more_evidence_needed"](**g).when("lapse", "system", after=days(5)),
}


def case_in(state: str, **given: Any) -> Story:
    """A case that came lawfully to the state; ``given`` as for :func:`given_case`."""
    return IN_STATE[state](**given).then_state(state)


# --- who decided too late ---------------------------------------------------------------------------------------------

#: What an outside body has to decide in time, and by which the audit tells that it did not (platform.reply is unverified).
DECIDED_IN_TIME = ("referral_acceptance", "referral_result", "tip_off_check")


def decided_late(events: Iterable[Event]) -> list[tuple[str, int]]:
    """What the audit has to say of a lawful case: who decided after the time that the events themselves give."""
    dues: dict[str, Due] = {}
    clocks: dict[str, str] = {}
    found = []
    for event in events:
        for change in event.duties:
            dues[change.id] = due = change.due or dues[change.id]
            # An estimate convicts nobody until a pause has set the time anew, and a clock that stands still never does.
            clock = clocks.get(change.id)
            late = event.at > due.at and clock != "paused" and (not due.provisional or clock == "resumed")
            if change.change == "met" and change.duty in DECIDED_IN_TIME and due.certainty != "C" and late:
                found.append(("decided_late", event.originator_version))
            if change.change in ("paused", "resumed"):
                clocks[change.id] = change.change
    return list(dict.fromkeys(found))


# --- the shapes of commands ------------------------------------------------------------------------------------------


def sample(name: str, at: datetime = START) -> dict[str, Any]:
    """Plain data that is well formed for the command, optional fields left out."""
    return {f.name: _sample(f.type, {}, at) for f in _fields(COMMANDS[name]) if f.required}


class Leaf(NamedTuple):
    """A value that a struct holds: its dotted name as stored, its type, the marks on it, the fields that lead to it."""

    path: str
    kind: inspect.Type
    marks: dict[str, Any]
    way: tuple[tuple[str, bool], ...]
    """The dotted name of every field on the way to it, itself included, and whether that field is required."""


def leaves(kind: type[msgspec.Struct]) -> Iterator[Leaf]:
    """Every value that a struct holds, however deep."""
    info = inspect.type_info(kind)
    return _leaves("", info, {}, ())


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _leaves(path: str, kind: inspect.Type, marks: dict[str, Any], way: tuple[tuple[str, bool], ...]) -> Iterator[Leaf]:
    if isinstance(kind, inspect.Metadata):
        yield from _leaves(path, kind.type, kind.extra or {}, way)
    elif isinstance(kind, inspect.UnionType):
        [part] = [p for p in kind.types if not isinstance(p, inspect.NoneType)]
        yield from _leaves(path, part, marks, way)
    elif isinstance(kind, inspect.VarTupleType):
        yield from _leaves(f"{path}[]", kind.item_type, marks, way)
    elif isinstance(kind, inspect.StructType):
        for f in kind.fields:
            name = f"{path}.{f.encode_name}" if path else f.encode_name
            yield from _leaves(name, f.type, {}, (*way, (name, f.required)))
    else:
        yield Leaf(path, kind, marks, way)


def _sample(kind: inspect.Type, marks: dict[str, Any], at: datetime) -> Any:
    if isinstance(kind, inspect.Metadata):
        return _sample(kind.type, kind.extra or {}, at)
    if isinstance(kind, inspect.UnionType):
        return None
    if isinstance(kind, inspect.VarTupleType):
        return (_sample(kind.item_type, {}, at),)
    if isinstance(kind, inspect.StructType):
        if kind.cls.__name__ == "Remedy":
            return FULL
        return {f.name: _sample(f.type, {}, at) for f in kind.fields if f.required}
    if isinstance(kind, inspect.StrType):
        if "term" in marks:
            return next(iter(VOCABULARY[marks["term"]]))
        return next((v for k, v in PATTERNS.items() if k in (kind.pattern or "")), "X-1")
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.DateTimeType):
        return at + days(1)
    if isinstance(kind, inspect.DecimalType):
        return "10.00"
    return True if isinstance(kind, inspect.BoolType) else 1


def roles_of(name: str, story: Story) -> tuple[str, ...]:
    """The roles that a row of the tables lets do it in this state, or else anywhere."""
    return decide.roles_of(name, story.facts)
