"""Walks: what somebody might say to a case next, likely and unlikely, and a world of cases that holds every answer to account.

:func:`fillings` are the values that suit a case as it stands, for whoever has to know whether a command *can* succeed;
:class:`World` gives commands through the public service and checks, after each one, everything that has to be true. Nothing here
draws at random: a :data:`Pick` is handed in, hypothesis's or a seeded one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, TypeVar
from unittest.mock import patch

import msgspec
from domain_helpers import decided_late, sample
from msgspec import inspect

from casework.application import service, views
from casework.application.clockwork import tick
from casework.audit.check import audit, audit_case
from casework.audit.projector import project
from casework.domain.case import Case
from casework.domain.commands import COMMANDS, AdoptEdition, Command, name_of
from casework.domain.decide import actor_for, judge, process_of, roles_of
from casework.domain.facts import Facts
from casework.domain.fold import fold
from casework.domain.grounds import GROUNDS, missing
from casework.domain.guards import MONEY, PROMISES
from casework.domain.lifecycle import CLOSED, STAGE_OF
from casework.domain.reasons import REASONS
from casework.domain.request import Request
from casework.domain.standing.events import is_standing
from casework.domain.values import Actor, Remedy
from casework.domain.vocabulary import BODIES, EVIDENCE_KINDS, PROOF_KINDS, ROLES, SERVICES
from casework.errors import CaseworkError, Refused
from casework.rulebook.edition import CURRENT, EDITIONS, edition, pinned
from casework.store import codec
from casework.store.dues import running
from casework.store.row import Row
from casework.store.store import Store, stored
from casework.store.stored import to_row

T = TypeVar("T")
#: ``pick(n)`` is a number from 0 to n - 1.
Pick = Callable[[int], int]
Said = dict[str, Any]

#: What no walk can come to, and why.
BEYOND = {
    "adopt_edition": "a case opened now has pinned the latest edition already",
    "recompute_duty": "the calendar that is not published does not come during a walk",
    "unknown_edition_named": "walks name editions that there are",
    "compensation_not_provided": "a compensation takes a ruling on a ground that knows none; tests/test_guards_of_duties.py",
    "amount_exceeds_rule": "a compensation above a fixed sum takes a shipping case and a ruling; tests/test_figures.py",
    "not_a_correction": "walks change the clause, which is always a correction; tests/test_corrections.py",
    **dict.fromkeys(("appeal_too_late", "blacklisted", "closed_for_good", "forged_in_case", "more_than_owed", "not_on_record",
                     "not_removed", "not_the_merchant", "published_already"), "said of merchants' standings; tests/test_standing.py"),
}
BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
#: From here on there is no later day to give anybody.
LAST_YEARS = 9990
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def one(pick: Pick, things: Iterable[T]) -> T:
    """One of them."""
    pool = things if isinstance(things, Sequence) else list(things)
    return pool[pick(len(pool))]


def weighed(pick: Pick, weights: Mapping[T, int]) -> T:
    """One of them, as often as it weighs."""
    number = pick(sum(weights.values()))
    for thing, weight in weights.items():
        number -= weight
        if number < 0:
            return thing
    raise AssertionError("a number beyond its end")


def shuffled(pick: Pick, things: Iterable[T]) -> Iterator[T]:
    """All of them, in any order."""
    pool = list(things)
    while pool:
        yield pool.pop(pick(len(pool)))


# --- what suits a case -----------------------------------------------------------------------------------------------

_Suits = Callable[[Facts, datetime], list[Said]]


def fillings(name: str, facts: Facts, at: datetime) -> list[Said]:
    """Every way to fill a command's required fields that suits the case, optional ones left out.

    ``rule`` is the one command of which an optional field is required by a value beside it: a ruling for the consumer says its
    remedy.
    """
    base = _base(name)
    suits = _SUITS.get(name)
    return [base | said for said in suits(facts, at)] if suits else [base]


@cache
def _base(name: str) -> Said:
    """A value for every required field; a time, which is right only for a moment, is given by :data:`_SUITS`."""
    return sample(name, BEGIN)


def candidates(facts: Facts, roles: Iterable[str]) -> list[Actor]:
    """Who there is of these roles; of outside bodies, those that were asked, or else any one."""
    bodies = list(dict.fromkeys(r.body for r in facts.referrals.values())) or ["market_regulator"]
    return [actor for role in roles for actor in (
        [Actor(role=role, id=body) for body in bodies] if role == "external" else [actor_for(role, facts)])]


def codes_of(name: str, by: Actor, at: datetime, facts: Facts, said: Said | Command) -> list[str]:
    """What is said against it."""
    command = said if isinstance(said, Command) else msgspec.convert(said, COMMANDS[name], strict=False)
    adopts = edition(command.edition) if isinstance(command, AdoptEdition) else None
    return sorted({r.code for r in judge(facts, Request(name, by, at, pinned(facts.edition), command, adopts=adopts))[1]})


def can(name: str, by: Actor, at: datetime, facts: Facts) -> bool:
    """Whether there is anything that the actor could say so that it is allowed."""
    return any(not codes_of(name, by, at, facts, said) for said in fillings(name, facts, at))


def _remedies(facts: Facts) -> list[Said]:
    paid = str(facts.given.order.paid)
    return [{"kind": "refund", "amount": paid}, {"kind": "return_refund", "amount": paid}, {"kind": "exchange"},
            {"kind": "repair"}, {"kind": "refund", "amount": "1.00", "extra": [{"kind": "compensation", "amount": "20.00"}]}]


def _of_the_ground(facts: Facts) -> list[str]:
    return [kind for group in GROUNDS[facts.given.ground].required for kind in group]


def _named(field_: str, held: Callable[[Facts], Iterable[str]], otherwise: str) -> _Suits:
    return lambda f, t: [{field_: thing} for thing in held(f)] or [{field_: otherwise}]


def _rulings(facts: Facts, at: datetime) -> list[Said]:
    said = {"findings": "经查", "clause": "淘宝平台争议处理规则 66"}
    for_consumer = [said | {"outcome": outcome, "remedy": remedy} for outcome in ("for_consumer", "partly_for_consumer")
                    for remedy in _remedies(facts)[:3]]
    return [*for_consumer, said | {"outcome": "for_merchant"}]


def _awards(facts: Facts, at: datetime) -> list[Said]:
    settled = [r.remedy for r in facts.referrals.values() if r.remedy is not None]
    return [{"remedy": _in_full(remedy)} for remedy in settled] + [{"remedy": r} for r in _remedies(facts)[:2]]


def _in_full(remedy: Remedy) -> Said:
    """With the amounts that were left open."""
    found: Said = msgspec.to_builtins(remedy)
    for part in (found, *found.get("extra", ())):
        if part["kind"] in MONEY and not Decimal(part.get("amount", 0)):
            part["amount"] = "1.00"
    return found


def _proofs(facts: Facts, at: datetime) -> list[Said]:
    """``party`` is left out where it is the merchant, whom it means unless it is said."""
    term = facts.proof_term
    known = [*facts.proofs, *((term.party, kind) for kind in (term.kinds if term else ()))] or [("merchant", next(iter(PROOF_KINDS)))]
    return [{"kind": kind, "result": result} | ({} if party == "merchant" else {"party": party})
            for party, kind in dict.fromkeys(known) for result in ("accepted", "missing", "forged")]


def _advances(facts: Facts, at: datetime) -> list[Said]:
    due = facts.remedy.total if facts.remedy else None
    left = Decimal(10) if due is None else due - sum((a for a in facts.performed if a is not None), Decimal(0))
    return [{"amount": str(amount)} for amount in (min(left, Decimal(10)), left) if amount > 0] or [{"amount": "10.00"}]


_REFERRALS = _named("referral", lambda f: f.referrals, "R-1")
_DUTIES = _named("duty", lambda f: f.duties, "D-1")


def _extensions(facts: Facts, at: datetime) -> list[Said]:
    """A day more for each duty, reckoned from its end or from now, whichever is later."""
    return [{"duty": d.id, "until": max(at, d.due.at) + DAY} for d in facts.duties.values()] or [{"duty": "D-1", "until": at + DAY}]


_SUITS: dict[str, _Suits] = {
    "make_offer": lambda f, t: [{"remedy": remedy} for remedy in _remedies(f)],
    "refuse_claim": lambda f, t: [{"excuse": excuse} for excuse in ("misuse", "stalling", "denies_counterfeit")],
    "instant_refund": lambda f, t: [{"amount": str(f.given.order.paid)}, {"amount": "1.00"}],
    "request_evidence": lambda f, t: [{"kinds": [kind], "answer_by": t + 2 * DAY} for kind in _of_the_ground(f)],
    "ask_proof": lambda f, t: [{"party": party, "kinds": kinds, "answer_by": t + 2 * DAY} for party in ("merchant", "consumer")
                               for kinds in (["purchase_voucher"], ["test_certificate", "shipping_proof"])],
    "submit_proof": lambda f, t: [{"kinds": [kind]} for kind in (f.proof_term.kinds if f.proof_term else PROOF_KINDS)],
    "suspend": lambda f, t: [{"ground": ground} for ground in ("both_ask", "court", "police")],
    "rule": _rulings,
    "external_award": _awards,
    "add_evidence": lambda f, t: [{"kind": kind} for kind in _of_the_ground(f)],
    "dispute_evidence": _named("evidence", lambda f: f.evidence, "E-1"),
    "examine_evidence": lambda f, t: [{"evidence": item, "result": result} for item in f.evidence or ("E-1",)
                                      for result in ("authentic", "forged")],
    "examine_proof": _proofs,
    "notify": lambda f, t: [{"party": party, "answer_by": t + DAY} for party in ("consumer", "merchant")],
    "assign": lambda f, t: [{"to": to} for to in ("agent:A-1", "agent:A-2", "supervisor:S-1", "supervisor:S-2")],
    "refer": lambda f, t: [{"body": body} for body in BODIES],
    "accept_referral": _REFERRALS,
    "refuse_referral": _REFERRALS,
    "settle_referral": lambda f, t: [r | {"remedy": remedy} for r in _REFERRALS(f, t) for remedy in _remedies(f)[:3]],
    "end_referral": _REFERRALS,
    "withdraw_referral": _REFERRALS,
    "tip_off": lambda f, t: [{"to": to, "about": f.given.ground} for to in (
        "platform", "market_regulator", "police", "postal_authority")],
    "answer_tip_off": lambda f, t: [{"tip_off": item, "result": result} for item in f.tip_offs or ("T-1",)
                                    for result in ("case_opened", "not_pursued")],
    "settle_return": lambda f, t: [{"received": True}, {"received": False}],
    "pay_advance": _advances,
    "authorise_adviser": lambda f, t: [{"adviser": "V-1"}, {"adviser": "V-2"}],
    "pause_duty": _DUTIES,
    "resume_duty": _DUTIES,
    "extend_duty": _extensions,
    "correct_ruling": lambda f, t: [{"clause": f"{f.rulings[-1].clause if f.rulings else 1}（更正）"}],
    "miss_duty": _DUTIES,
    "recompute_duty": _DUTIES,
    "adopt_edition": lambda f, t: [{"edition": name} for name in EDITIONS],
}

#: Optional fields that somebody may add, where they change what a guard answers or what is known afterwards.
_MORE: dict[str, Callable[[Facts, datetime], list[Said]]] = {
    "contact_merchant": lambda f, t: [{"channel": "app_service"}, *({"remedy": remedy} for remedy in _remedies(f))],
    "suspend": lambda f, t: [{"party": "merchant"}],
    "refer": lambda f, t: [{"body": "consumer_association", "province": "zj"}],
    "perform_remedy": lambda f, t: [{"amount": str(_due(f))}, {"amount": "1.00", "reference": "转账"}],
    "file": lambda f, t: [{"without_contact": "unreachable"}, {"channel": "fast_track"}, {"new_evidence": "test_report"}],
    "rule": lambda f, t: [{"outcome": "for_merchant", "remedy": None}, {"penalties": [{"kind": "warning", "points": 6}, {"kind": "blacklist", "clause": "规则 1"}]}],
    "reopen_filed": lambda f, t: [{"new_evidence": "court_judgment", "claim": "exchange"}, {"without_contact": "safety"}],
    "add_evidence": lambda f, t: [{"sha256": "0f" * 32, "name": "证据.mp4"}],
    "log_call": lambda f, t: [{"promised": "回电", "promised_by": t + DAY}, {"transferred": True}, {"channel": "carrier_service"},
                              {"channel": "carrier_service", "answered": True}, {"answered": True}],
    "notify": lambda f, t: [{"channel": "hotline", "answer_by": t + HOUR}],
    "external_award": lambda f, t: [{"document": "调解书"}],
}


def _due(facts: Facts) -> Decimal:
    return (facts.remedy.total if facts.remedy else None) or Decimal(1)


# --- what suits nothing ----------------------------------------------------------------------------------------------

#: Half a character. Given where no text is wanted, it is no error of ours yet; see the test that says so.
HALF = "\ud800"
NONSENSE: tuple[Any, ...] = (
    None, "", " ", "无此值", "refundd", "x" * 66_000, "\x00", HALF, "e\u0301", 0, -1, 10**30, True, 1.5, float("nan"), float("inf"),
    Decimal("NaN"), Decimal("-0.01"), Decimal("0.001"), Decimal("1E+30"), "1e9", "-5", [], {}, [[]], ["x"] * 300, {"kind": "refund"},
    {"kind": {"kind": "refund"}}, "2026-13-01", datetime(2026, 3, 1), datetime.max, datetime.max.replace(tzinfo=UTC), b"x", ("a",),
)
WRONG_ACTORS = ("", "nobody", "Consumer", "external", "external:nobody", "external:", "consumer:", "consumer:C-2", "merchant:M-2",
                "agent:A-9", "supervisor:S-9", "adviser:V-9", "auditor:U-1", "agent:\x00", "consumer:C-1:x", "agent:" + "x" * 90)
WRONG_NAMES = ("", "rulle", "open_case", "OpenCase", "__class__", "裁决")
WRONG_IDS = ("", "x" * 129, "a\nb", "\ud800")
#: Not wrong, yet seldom right.
STRANGE: dict[str, tuple[Said, ...]] = {
    "make_offer": ({"remedy": {"kind": "refund"}}, {"remedy": {"kind": "refund", "amount": "1000000.00"}}),
    "instant_refund": ({"amount": "1000000.00"}, {"amount": "0"}),
    "request_evidence": ({"answer_by": BEGIN},),
    "ask_proof": ({"answer_by": BEGIN},),
    "notify": ({"answer_by": BEGIN},),
    "log_call": ({"promised_by": BEGIN},),
    "submit_proof": ({"kinds": ["customs_declaration"]},),
    "rule": ({"outcome": "for_merchant", "remedy": {"kind": "repair"}}, {"outcome": "for_consumer", "remedy": {"kind": "refund"}},
             {"outcome": "for_consumer", "remedy": None}, {"outcome": "for_merchant", "remedy": None},
             {"outcome": "for_merchant", "penalties": [{"kind": "warning"}]},
             {"outcome": "for_consumer", "remedy": {"kind": "statutory_damages", "amount": "3.00"}},
             {"outcome": "for_consumer", "remedy": {"kind": "promised_multiple", "amount": "3.00"}},
             {"outcome": "for_consumer", "remedy": {"kind": "promised_multiple", "amount": "9000.00"}},
             {"outcome": "for_consumer", "remedy": {"kind": "refund", "amount": "1000000.00"}}),
    "file": ({"channel": "forum"}, {"new_evidence": "goods_photo"}),
    "assign": ({"to": "agent:C-1"}, {"to": "supervisor:m-1"}, {"to": "agent:V-1"}),
    "escalate": ({"channel": "news_media"},),
    "external_award": ({"remedy": {"kind": "refund", "amount": "7.77"}}, {"remedy": {"kind": "refund"}}),
    "settle_referral": ({"remedy": {"kind": "refund"}}, {"referral": "R-9"}),
    "pay_advance": ({"amount": "1000000.00"}, {"amount": "0"}),
    "dispute_evidence": ({"evidence": "E-9"},),
    "examine_evidence": ({"evidence": "E-9"},),
    "accept_referral": ({"referral": "R-9"},),
    "answer_tip_off": ({"tip_off": "T-9"},),
    "reopen_filed": ({"new_evidence": "goods_photo"},),
    "contact_merchant": ({"remedy": {"kind": "refund"}}, {"remedy": {"kind": "refund", "amount": "1000000.00"}}),
    "suspend": ({"party": "agent"},),
    "refer": ({"body": "postal_authority"},),
    "pause_duty": ({"duty": "D-99"}, {"duty": "D-1"}),
    "resume_duty": ({"duty": "D-99"}, {"duty": "D-1"}),
    "extend_duty": ({"until": BEGIN}, {"duty": "D-99"}, {"duty": "D-1"}),
    "miss_duty": ({"duty": "D-99"},),
    "recompute_duty": ({"duty": "D-99"},),
    "adopt_edition": ({"edition": "2099-01"}, {"edition": "2026-11"}),
    "add_evidence": tuple({"kind": kind} for kind in EVIDENCE_KINDS),
}


def spoiled(pick: Pick, name: str, said: Said) -> Said:
    """The same with one thing that cannot be, or is not at all likely to be."""
    how = pick(5)
    if how == 0 and said:
        lost = one(pick, list(said))
        return {k: v for k, v in said.items() if k != lost}
    if how == 1:
        return said | {one(pick, ("amuont", "by", "", "kind", "内容")): "x"}
    if how <= 3 and name in STRANGE:
        return said | one(pick, STRANGE[name])
    nonsense = one(pick, NONSENSE)
    fields = [field for field in msgspec.structs.fields(COMMANDS[name])
              if nonsense != HALF or takes_text(inspect.type_info(field.type))]
    return said | {one(pick, fields).encode_name: nonsense} if fields else said


def takes_text(kind: inspect.Type) -> bool:
    """Whether a text fits that type, or a list of texts."""
    if isinstance(kind, inspect.UnionType):
        return any(takes_text(part) for part in kind.types)
    if isinstance(kind, inspect.Metadata):
        return takes_text(kind.type)
    if isinstance(kind, inspect.VarTupleType):
        return takes_text(kind.item_type)
    return isinstance(kind, inspect.StrType)


# --- a world of cases ------------------------------------------------------------------------------------------------


@dataclass
class Figures:
    """What walks came through, over all of them."""

    walks: int = 0
    steps: int = 0
    recorded: int = 0
    refused: int = 0
    unusable: int = 0
    repeated: int = 0
    longest: int = 0
    states: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        """Count the other's as well."""
        for name in ("walks", "steps", "recorded", "refused", "unusable", "repeated"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.longest = max(self.longest, other.longest)
        for name in ("states", "commands", "codes"):
            getattr(self, name).update(getattr(other, name))

    def unseen(self) -> list[str]:
        """The states, commands and codes that no walk has come to, but for what lies beyond walking; what is too rare gets a path."""
        seen = {*self.states, *self.commands, *self.codes}
        return sorted({*STAGE_OF, *COMMANDS, *REASONS} - seen - set(BEYOND))

    def lines(self) -> list[str]:
        """For people."""
        share = 100 / max(self.steps, 1)
        return [
            f"{self.walks} walks, {self.steps} steps, the longest case {self.longest} events",
            f"recorded {self.recorded} ({self.recorded * share:.1f} %), refused {self.refused} ({self.refused * share:.1f} %), "
            f"unusable {self.unusable} ({self.unusable * share:.1f} %), repeated {self.repeated} ({self.repeated * share:.1f} %)",
            f"states {len(self.states)} of {len(STAGE_OF)}, rarest {_rarest(self.states)}",
            f"commands {len(self.commands)} of {len(COMMANDS)}, rarest {_rarest(self.commands)}",
            f"refusal codes {len(self.codes)} of {len(REASONS)}, rarest {_rarest(self.codes)}, "
            f"never {sorted(set(REASONS) - set(self.codes))}",
        ]


def _rarest(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common()[:-4:-1])


@dataclass(frozen=True)
class Call:
    """A command as it was given."""

    name: str
    said: Said | Command
    by: str
    at: datetime | None
    command_id: str
    version: int


@dataclass
class Tale:
    """What is known of one case from what its commands were answered, never from reading it."""

    case: str
    live: Case
    audited: Facts | None
    rows: list[Row]
    seen: list[tuple[datetime, views.View]]
    calls: list[Call] = field(default_factory=list)

    @property
    def facts(self) -> Facts:
        return self.live.facts


def _heard_of(name: str, by: Actor, at: datetime, facts: Facts, said: Said) -> list[str]:
    """What is said against it; nothing of what is no command at all."""
    try:
        return codes_of(name, by, at, facts, said)
    except msgspec.ValidationError:
        return []


def _is_of_a_case(row: Row) -> bool:
    """Whether it is a row of a case; a ruling with penalties also moves its merchant's standing."""
    return not is_standing(row.case)


class Watched:
    """A store of which the facts that the service carried are kept when it saves them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.carried: Facts | None = None
        save = store.save

        def watch(case: Case, *standings: Any) -> None:
            save(case, *standings)
            self.carried = case.facts

        store.save = watch  # type: ignore[method-assign]


#: How often what is open is tried: what ends a case rarely, so that walks get deep, and what is seldom open often.
_WEIGHTS: dict[str, int] = {name: weight for weight, names in {
    1: "give_feedback publicise tip_off authorise_adviser",
    2: "give_up withdraw lapse reply log_call pause_duty extend_duty",
    4: "answer_tip_off instant_refund refer dispute_evidence accept_offer",
    8: "assign make_offer refuse_claim",
    16: "contact_merchant decline_offer reject_complaint request_evidence report_default go_external escalate suspend add_evidence notify "
        "refuse_referral withdraw_referral",
    64: "ship_return receive_return contest_return settle_return apply_advance pay_advance close_advance "
        "recover_advance accept_referral settle_referral end_referral external_award end_external dismiss remit "
        "refuse_escalation resume close_proof deem_agreed show_acceptance resume_duty recompute_duty submit_proof execute_ruling answer reopen reopen_filed supply_evidence confirm_remedy perform_remedy",
    200: "accept_complaint rule end_external answer_merchant",
}.items() for name in names.split()}
_COMMON = 24
#: Where chance alone seldom gets: what leads there, ``name=value`` for a value to be said, ``evidence`` for all that the ground
#: needs, ``heard`` for both parties' answers, ``sought`` for what would be refused on the way, ``later`` for the time that a term takes.
PATHS = tuple(path.split() for path in (
    "contact_merchant make_offer accept_offer apply_advance pay_advance perform_remedy pay_advance",
    "contact_merchant ask_for_evidence evidence answer_merchant",
    "contact_merchant file request_evidence evidence supply_evidence",
    "contact_merchant file evidence accept_complaint ask_proof sought submit_proof examine_proof heard rule",
    "contact_merchant file evidence accept_complaint heard rule sought escalate assign sought heard rule",
    "contact_merchant file request_evidence later lapse",
    "contact_merchant refer file reject_complaint go_external refuse_referral end_external",
    "contact_merchant file reject_complaint refer accept_referral settle_referral go_external",
    "contact_merchant file reject_complaint escalate assign sought refuse_escalation",
    "contact_merchant refer=court accept_referral refer=market_regulator accept_referral",
    "contact_merchant contact_merchant contact_merchant sought later deem_agreed",
    "contact_merchant later miss_duty refuse_claim",
    "contact_merchant file evidence accept_complaint notify sought pause_duty resume_duty sought extend_duty sought heard rule sought correct_ruling",
    "contact_merchant file evidence accept_complaint suspend=court sought show_acceptance show_acceptance resume",
    "contact_merchant file evidence accept_complaint refer=court suspend=court accept_referral show_acceptance settle_referral sought later resume",
    "contact_merchant file accept_complaint notify log_call log_call log_call suspend=both_ask notify notify log_call log_call log_call resume",
    "contact_merchant refer tip_off later miss_duty",
))
#: How long until the next step: mostly hours and days, seldom years.
_SPANS = {timedelta(0): 4, HOUR: 24, 5 * HOUR: 12, DAY: 12, 3 * DAY: 12, 10 * DAY: 3, 100 * DAY: 1}
YEARS = 1200 * DAY
#: Whom one has to reckon with beside those whom a case knows.
OTHERS = (Actor(role="agent", id="A-1"), Actor(role="agent", id="A-2"), Actor(role="supervisor", id="S-1"),
          Actor(role="supervisor", id="S-2"), Actor(role="external", id="court"))


class World:
    """Some cases in one store, carried on through the public service alone; every answer is checked."""

    def __init__(self, store: Store, figures: Figures, note: Callable[[str], None] = lambda line: None) -> None:
        self.watched, self.store, self.figures, self.note = Watched(store), store, figures, note
        self.now = BEGIN
        self.tales: list[Tale] = []
        self.count = 0
        self.heard: Counter[str] = Counter()
        figures.walks += 1

    # --- what can be done ---

    def open(self, pick: Pick) -> None:
        """A new case of any ground."""
        services = one(pick, ([], [], *([service] for service in SERVICES), ["advance_compensation", "fake_one_pay_three"]))
        meant = [ground for service in services if service in PROMISES for ground in PROMISES[service][1]]
        order = {"id": "ORD-1", "item": "榨汁机", "category": "small_appliance", "merchant": "M-1", "paid": "899.00",
                 "ordered_at": BEGIN - 20 * DAY, "services": services}
        given: dict[str, Any] = {"order": order, "consumer": "C-1", "ground": one(pick, meant if meant and pick(4) else list(GROUNDS))}
        by = one(pick, ("consumer", "consumer", "agent", "system", "adviser", "merchant", "auditor", "consumer:C-9"))
        if pick(10) == 0:
            given["order"] |= one(pick, ({"paid": "0"}, {"merchant": "c-1"}, {"received_at": BEGIN - 30 * DAY}, {"paid": "-1"}))
        case = f"K-{len(self.tales) + 1}"
        command_id = self._id()
        before = self._all()
        self.figures.steps += 1
        rules = one(pick, (CURRENT, CURRENT, *EDITIONS.values()))
        self.note(f"{self.now:%Y-%m-%d %H:%M} {case} open_case by {by!r} as {command_id!r} under {rules.id}: {given}")
        try:
            with patch.object(service, "current", lambda: rules):
                done = service.open_case(self.store, case, given, by=by, clock=lambda: self.now, command_id=command_id)
        except CaseworkError as error:
            self._refused(None, error, Actor(role="system", id="system"), before, self.now)
            return
        [row] = self.store.rows(case)
        live = Case.from_events(None, [done.event])
        assert live is not None
        tale = Tale(case, live, project(None, done.event), [row], [(self.now, views.full(live.facts, self.now))])
        self.tales.append(tale)
        self.figures.recorded += 1
        self._sound(tale, done.event, row)
        again = service.open_case(self.store, case, given, by=by, clock=lambda: self.now + HOUR, command_id=command_id)
        assert (again.repeated, again.event, self._cases()) == (True, done.event, [*filter(_is_of_a_case, before), row])

    def tale(self, pick: Pick) -> Tale:
        """One of the cases, rather an open one; a new one where none is left open."""
        while not self.tales or (len(self.tales) < 4 and all(t.facts.state in CLOSED for t in self.tales) and pick(4) == 0):
            self.open(pick)
        still = [tale for tale in self.tales if tale.facts.state not in CLOSED]
        return one(pick, still if still and pick(8) else self.tales)

    def carry(self, pick: Pick, tale: Tale) -> None:
        """Something that is allowed."""
        self.now += weighed(pick, _SPANS)
        facts = tale.facts
        done = Counter(call.name for call in tale.calls)
        allowed = {name: 1 + 16 * weight // (1 + done[name])
                   for name, weight in self._open_to(facts).items() if self._options(facts, name)}
        while allowed:
            name = weighed(pick, allowed)
            del allowed[name]
            if self._carried(pick, tale, name):
                return

    def towards(self, pick: Pick, tale: Tale) -> None:
        """Along one of :data:`PATHS`, as far as it goes."""
        for step in one(pick, PATHS):
            name, _, value = step.partition("=")
            facts = tale.facts
            self.now += one(pick, (HOUR, DAY, 2 * DAY))
            if name == "later":
                self.now += 10 * DAY
            elif name == "evidence":
                for kinds in missing(facts.given.ground, (e.kind for e in facts.consumer_evidence)):
                    self.give(tale, "add_evidence", {"kind": one(pick, kinds), "description": "见附件"}, by="consumer")
            elif name == "heard":
                for party in ("consumer", "merchant"):
                    self.give(tale, "answer", {"statement": "已陈述"}, by=party)
            elif name == "sought":
                self.sought(pick, tale)
            elif not self._carried(pick, tale, name, value):
                by = one(pick, candidates(facts, roles_of(name, facts)))
                self.give(tale, name, self._plausible(pick, facts, name, value), by=str(by))
        self.sought(pick, tale)

    def _carried(self, pick: Pick, tale: Tale, name: str, value: str = "") -> bool:
        """By whoever can, with something that suits; False if that is not found."""
        facts = tale.facts
        for by in shuffled(pick, self._options(facts, name)):
            for _ in range(3):
                said = self._plausible(pick, facts, name, value)
                if not codes_of(name, by, self.now, facts, said):
                    self.give(tale, name, said, by=self._called(pick, facts, by), at=self._at(pick, facts))
                    return True
        return False

    def anything(self, pick: Pick, tale: Tale) -> None:
        """Any command by anybody, with values that suit the case."""
        self.now += weighed(pick, _SPANS)
        name = one(pick, list(COMMANDS))
        by = one(pick, (*candidates(tale.facts, ROLES), *candidates(tale.facts, roles_of(name, tale.facts))))
        self.give(tale, name, self._plausible(pick, tale.facts, name), by=str(by), at=self._at(pick, tale.facts))

    def refused(self, pick: Pick, tale: Tale) -> None:
        """What there is in this state, by whom it is for, yet something stands against it; seldom years later."""
        self.now += YEARS if pick(20) == 0 else weighed(pick, _SPANS)
        facts = tale.facts
        here = self._open_to(facts)
        steps = process_of(facts).steps_from(facts.state)
        name = weighed(pick, {name: 8 if name in steps else 1 for name in here if not self._options(facts, name)} or here)
        by = one(pick, candidates(facts, roles_of(name, facts)))
        self.give(tale, name, self._plausible(pick, facts, name), by=str(by))

    def strange(self, pick: Pick, tale: Tale) -> None:
        """What could be done now, said in a way that can seldom be right."""
        self.now += weighed(pick, _SPANS)
        facts = tale.facts
        here = self._open_to(facts)
        name = weighed(pick, {name: len(STRANGE[name]) ** 2 for name in here
                              if name in STRANGE and name != "add_evidence" and self._options(facts, name)} or here)
        by = one(pick, self._options(facts, name) or candidates(facts, roles_of(name, facts)))
        said = self._plausible(pick, facts, name)
        self.give(tale, name, said | one(pick, STRANGE[name]) if name in STRANGE else said, by=str(by))

    def sought(self, pick: Pick, tale: Tale) -> None:
        """Of what would be refused here and now, something for each of the reasons that this walk has heard least."""
        self.now += weighed(pick, _SPANS)
        facts = tale.facts
        found: dict[str, list[tuple[str, Actor, Said]]] = {}
        here, steps = self._open_to(facts), process_of(facts).steps_from(facts.state)
        for name in (*steps, *islice(shuffled(pick, (name for name in here if name not in steps)), 5)):
            base = self._plausible(pick, facts, name)
            for said in (*fillings(name, facts, self.now), *(base | odd for odd in STRANGE.get(name, ()))):
                by = one(pick, (*candidates(facts, roles_of(name, facts)), *OTHERS))
                for code in _heard_of(name, by, self.now, facts, said):
                    found.setdefault(code, []).append((name, by, said))
        for code in sorted(shuffled(pick, found), key=lambda code: self.heard[code])[:5]:
            name, by, said = one(pick, found[code])
            self.give(tale, name, said, by=str(by))

    def tick(self, pick: Pick, tale: Tale) -> None:
        """Time passes until something is over, rarely for years; what follows is done, once, in every case that it concerns."""
        ends = sorted(d.due.at for d in tale.facts.duties.values() if d.state == "running" and d.due.at.year < LAST_YEARS)
        if ends:
            self.now = max(self.now, (ends[-1] if pick(12) == 0 else ends[0]) + timedelta(seconds=1))
        self.figures.steps += 1
        self.note(f"{self.now:%Y-%m-%d %H:%M} tick")
        done = list(tick(self.store, self.now, lambda: self.now))
        assert not [ticked for ticked in done if ticked.error is not None]
        for each in self.tales:
            for row in list(self.store.rows(each.case))[len(each.rows):]:
                event = codec.decode(row.topic, row.payload)
                each.rows.append(row)
                Case.from_events(each.live, [event])
                each.audited = project(each.audited, event)
                self._sound(each, event, row)
                each.seen.append((self.now, views.full(each.facts, self.now)))
                assert (each.case, str(event.by)) in [(ticked.case, "system:system") for ticked in done]
                self.figures.recorded += 1
                self.figures.commands[name_of(type(event.data))] += 1
            assert not [d for d in each.facts.duties.values() if d.is_late(max(self.now, each.facts.at)) and self.now > d.due.at]
        before = self._all()
        assert list(tick(self.store, self.now, lambda: self.now)) == []
        assert self._all() == before

    def nonsense(self, pick: Pick, tale: Tale) -> None:
        """A command with something wrong in it: what is said, who, when, its name or its id."""
        names = list(COMMANDS)
        here = [name for name in self._open_to(tale.facts) if pick(2)] or names
        name = one(pick, one(pick, (names, here, here)))
        by = str(one(pick, candidates(tale.facts, roles_of(name, tale.facts))))
        said = self._plausible(pick, tale.facts, name)
        at: datetime | None = None
        command_id = None
        what = pick(9)
        if what == 8:
            self._clock_behind(pick, tale)
            return
        if what < 4:
            said = spoiled(pick, name, said)
        elif what == 4:
            by = one(pick, WRONG_ACTORS)
        elif what == 5:
            at = one(pick, (self.now - 4000 * DAY, self.now + HOUR, datetime(2026, 3, 1), datetime.max, datetime.max.replace(tzinfo=UTC),
                            datetime.min.replace(tzinfo=UTC)))
        elif what == 6:
            name = one(pick, WRONG_NAMES)
        else:
            command_id = one(pick, WRONG_IDS)
        self.give(tale, name, said, by=by, at=at, command_id=command_id)

    def again(self, pick: Pick, tale: Tale) -> None:
        """A command that was recorded before, under its id: once more the same, or something else."""
        if not tale.calls:
            return
        call = one(pick, tale.calls)
        changed = pick(3)
        if changed == 0:
            self.retry(tale, call)
        elif changed == 1:
            self.give(tale, "give_feedback", {"score": 1, "comment": "又一条"}, by="consumer", command_id=call.command_id,
                      reused=True)
        else:
            self.give(tale, call.name, call.said, by=call.by, at=self.now + 7 * DAY, command_id=call.command_id, reused=True)

    # --- giving a command, and what has to hold of the answer ---

    def give(self, tale: Tale, name: str, said: Said | Command, *, by: str, at: datetime | None = None,
             command_id: str | None = None, clock: datetime | None = None, reused: bool = False) -> None:
        """Give it. Only an error of ours may come of it, and then nothing has changed."""
        before = self._all()
        command_id = self._id() if command_id is None else command_id
        self.figures.steps += 1
        now = clock or self.now
        self.note(f"{now:%Y-%m-%d %H:%M} {tale.case} {name} by {by!r} at {at} as {command_id!r}: {str(said)[:300]}")
        try:
            done = service.carry_on(self.store, tale.case, name, said, by=by, at=at, clock=lambda: now, command_id=command_id)
        except CaseworkError as error:
            if reused and isinstance(error, Refused):
                assert error.codes == ["command_id_reused"]
            self._refused(tale, error, self._actor(by, tale.facts), before, at or now)
            return
        assert not reused
        assert not done.repeated
        *old, row = self.store.rows(tale.case)
        assert old == tale.rows
        assert len(self._cases()) == len([*filter(_is_of_a_case, before)]) + 1
        tale.rows.append(row)
        Case.from_events(tale.live, [done.event])
        tale.audited = project(tale.audited, done.event)
        assert done.version == tale.facts.version == len(tale.rows)
        assert done.state == tale.facts.state
        # What the service held when it saved, what was never read back, and what a reader makes of the bytes.
        assert self.watched.carried == tale.facts
        self._sound(tale, done.event, row)
        tale.seen.append((now, views.full(tale.facts, now)))
        tale.calls.append(Call(name, said, by, at, command_id, done.version))
        self.figures.recorded += 1
        self.figures.commands[name] += 1
        self.figures.longest = max(self.figures.longest, len(tale.rows))

    def retry(self, tale: Tale, call: Call) -> None:
        """The same command once more is answered as it was and records nothing."""
        before = self._all()
        self.figures.steps += 1
        self.figures.repeated += 1
        done = service.carry_on(self.store, tale.case, call.name, call.said, by=call.by, at=call.at, clock=lambda: self.now,
                                command_id=call.command_id)
        assert done.repeated
        assert (done.version, done.state) == (call.version, tale.seen[call.version - 1][1]["state"])
        assert stored(done.event).state == tale.rows[call.version - 1].payload
        assert self._all() == before

    def end(self) -> None:
        """What has to hold of every case when its walk is over."""
        assert self._cases() == [row for tale in self.tales for row in tale.rows]
        assert {f.code for f in audit(self._all()) if f.severity != "note"} <= {"decided_late"}
        assert sorted(self.store.dues()) == sorted(running(self._all()))
        for tale in self.tales:
            assert [(f.code, f.version) for f in audit_case(tale.rows) if f.severity != "note"] == decided_late(views.events_of(tale.rows))
            for version, (now, seen) in enumerate(tale.seen, 1):
                facts = views.facts_of(tale.rows, version=version)
                assert facts is not None
                assert views.full(facts, now) == seen

    def _sound(self, tale: Tale, event: Any, row: Row) -> None:
        events = list(views.events_of(tale.rows))
        assert events[-1] == event
        assert fold(events) == tale.audited == tale.facts
        assert codec.is_canonical(event, row.payload)
        assert row == to_row(stored(event))
        if tale.facts.state in CLOSED:
            assert views.duties(tale.facts, self.now + 4000 * DAY) == []
            assert not [d for d in tale.facts.duties.values() if d.is_owed]
            assert tale.facts.closed_at is not None
        self.figures.states[tale.facts.state] += 1

    def _refused(self, tale: Tale | None, error: CaseworkError, by: Actor, before: list[Row], at: datetime) -> None:
        assert error.zh
        assert error.en
        assert self._all() == before
        if not isinstance(error, Refused):
            self.figures.unusable += 1
            return
        self.figures.refused += 1
        assert error.codes
        assert error.codes == sorted(set(error.codes))
        for reason in error.reasons:
            assert reason.code in REASONS
            assert reason.zh.strip() and reason.en.strip()
            assert "{" not in reason.zh + reason.en
            self.figures.codes[reason.code] += 1
            self.heard[reason.code] += 1
        if tale is not None and error.codes != ["command_id_reused"] and at.year < LAST_YEARS:
            self._permitted(tale.facts, error, by, max(at, tale.facts.at))

    def _permitted(self, facts: Facts, error: Refused, by: Actor, at: datetime) -> None:
        """What is offered instead can be done: by the one who asked, or by somebody."""
        for name in error.permitted.yours:
            assert can(name, by, at, facts), f"{name} is said to be permitted to {by}"
        for name in error.permitted.others:
            assert any(can(name, who, at, facts) for who in candidates(facts, roles_of(name, facts))), f"{name} is said to be permitted"
        assert not set(error.permitted.yours) & set(error.permitted.others)

    # --- small things ---

    def _clock_behind(self, pick: Pick, tale: Tale) -> None:
        """A command from a machine whose clock is behind: a little is let pass, much is refused."""
        name, said = one(pick, (("add_evidence", {"kind": "goods_photo", "description": "图"}), ("give_feedback", {"score": 3})))
        self.give(tale, name, said, by="consumer", clock=tale.facts.recorded_at - one(pick, (timedelta(seconds=30), HOUR, 900 * DAY)))

    def _all(self) -> list[Row]:
        return list(self.store.rows())

    def _cases(self) -> list[Row]:
        return [*filter(_is_of_a_case, self._all())]

    def _id(self) -> str:
        self.count += 1
        return f"c-{self.count}"

    def _open_to(self, facts: Facts) -> dict[str, int]:
        """What the tables let be done in this state, by weight."""
        process = process_of(facts)
        acts = (name for name, act in process.acts.items() if facts.state in act.states)
        return {name: _WEIGHTS.get(name, _COMMON) for name in (*process.steps_from(facts.state), *acts)}

    def _options(self, facts: Facts, name: str) -> list[Actor]:
        """Who could give it now."""
        roles = roles_of(name, facts)
        others = [Actor(role=role, id=f"{role[0].upper()}-2") for role in ("agent", "supervisor") if role in roles]
        return [by for by in (*candidates(facts, roles), *others)
                if not judge(facts, Request(name, by, self.now, pinned(facts.edition), adopts=CURRENT))[1]]

    def _plausible(self, pick: Pick, facts: Facts, name: str, value: str = "") -> Said:
        said = one(pick, [said for said in fillings(name, facts, self.now) if not value or value in said.values()])
        more = _MORE.get(name)
        return said | one(pick, more(facts, self.now)) if more and pick(2) else said

    def _called(self, pick: Pick, facts: Facts, by: Actor) -> str:
        """A bare role where that means the same."""
        bare = by.role != "external" and actor_for(by.role, facts) == by
        return by.role if bare and pick(2) else str(by)

    def _at(self, pick: Pick, facts: Facts) -> datetime | None:
        """Now, said or not; seldom a while ago."""
        return one(pick, (None, None, self.now, max(facts.at, self.now - HOUR)))

    def _actor(self, by: str, facts: Facts) -> Actor:
        role, _, identity = by.partition(":")
        return Actor(role=role, id=identity) if identity else actor_for(role, facts)
