"""Decide: put a command to the lifecycle and the rules; refuse with every reason, or make exactly the event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from msgspec.structs import replace as replace_struct

from casework.domain import events as e
from casework.domain.basis import basis_of
from casework.domain.beside import TRACK_LABELS, Act, Track
from casework.domain.check import SHANGHAI
from casework.domain.clocks import changes
from casework.domain.commands import COMMANDS, Command, OpenCase, Rule, name_of
from casework.domain.facts import Facts
from casework.domain.guards import GUARDS, limitation, order_is_consistent, who_may
from casework.domain.lifecycle import REOPENING
from casework.domain.machine import Lifecycle, lifecycle, pinned
from casework.domain.reasons import reason
from casework.domain.request import Edition, Request
from casework.domain.values import Actor, clean
from casework.domain.versions import VERSION
from casework.domain.vocabulary import VOCABULARY, Term
from casework.errors import InputError, Permitted, Reason, Refused


@dataclass(frozen=True, slots=True)
class Context:
    """Under which circumstances a command is given: who, when it happened, when it is recorded, under which id and edition.

    Both times carry their offset. The command id makes a retry the same command. ``adopts`` is the edition that the command
    names, where it names one that there is; of any other command, the newest edition.
    """

    by: Actor
    at: datetime
    recorded_at: datetime
    command_id: str
    edition: Edition
    adopts: Edition | None = None

    def __post_init__(self) -> None:
        """:class:`~casework.errors.InputError` for a time without its offset: nobody could say when that was."""
        for name in ("at", "recorded_at"):
            if getattr(self, name).tzinfo is None:
                raise InputError("is a time without its offset", "时间缺少时区", name)


@dataclass(frozen=True, slots=True)
class Option:
    """Whether a command could be given now, by whom, where it leads, why not, and until when."""

    name: str
    allowed: bool
    roles: tuple[str, ...]
    to: str | None
    reasons: tuple[Reason, ...]
    until: datetime | None

    @property
    def missing(self) -> tuple[str, ...]:
        """What is missing, over all reasons."""
        return tuple(dict.fromkeys(m for r in self.reasons for m in r.missing))


def open_event(case: str, command: OpenCase, context: Context) -> e.CaseOpened:
    """The event that opens a case; anybody but an auditor may open one for the parties it names."""
    command, now = clean(command), context
    clean(context.by)
    process = lifecycle(VERSION)
    assert process is not None
    found = against_opening(command, now)
    if found:
        raise Refused("open_case", "—", found, Permitted())
    event = clean(e.CaseOpened(
        originator_id=case, originator_version=1, at=now.at, recorded_at=now.recorded_at, by=now.by, command_id=now.command_id,
        data=command, lifecycle=process.version, lifecycle_digest=process.digest, edition=now.edition.id,
        edition_digest=now.edition.digest,
    ))
    return clean(replace_struct(event, duties=changes(process.duties, None, event, now.edition)))


def against_opening(command: OpenCase, context: Context) -> list[Reason]:
    """Every reason why the case may not be opened; none: it may. What is asked for is clean."""
    found = [*_times(None, context), *order_is_consistent(command, context.at)]
    if context.by.role not in ("consumer", "adviser", "agent", "supervisor", "system"):
        roles = ("消费者、顾问、平台", "consumer, adviser, platform")
        found.append(reason("role_not_allowed", {"role": VOCABULARY["role"][context.by.role], "roles": roles}))
    elif context.by.role == "consumer" and context.by.id != command.consumer:
        found.append(reason("not_a_party", who=context.by))
    return found


def decide(facts: Facts, command: Command, context: Context) -> e.Event:
    """The event that the command makes; :class:`~casework.errors.Refused` with every reason if it may not be.

    :class:`~casework.errors.InputError` if a value in it cannot be used.
    """
    command = clean(command)
    clean(context.by)
    request = Request(name_of(type(command)), context.by, context.at, context.edition, command, adopts=context.adopts)
    to, found = judge(facts, request)
    found = [*found, *_times(facts, context)]
    if found:
        raise Refused(request.name, facts.state, found, partial(_permitted, facts, request))
    step = {"trigger": request.name, "from_state": facts.state, "to_state": to} if to else {}
    kind: Callable[..., e.Event] = e.EVENT_OF[type(command)]
    event = clean(kind(
        originator_id=facts.case, originator_version=facts.version + 1, at=context.at, recorded_at=context.recorded_at,
        by=context.by, command_id=context.command_id, data=command, **step, **_derived(facts, request, kind),
    ))
    moved = changes(process_of(facts).duties, facts, event, context.edition, context.adopts)
    return clean(replace_struct(event, duties=moved)) if moved else event


def ask(facts: Facts, name: str, context: Context) -> None:
    """Whether the command could be given at all, before it is known what it would say; else :class:`~casework.errors.Refused`."""
    request = Request(name, context.by, context.at, context.edition, adopts=context.adopts)
    _, found = judge(facts, request)
    if found := [*found, *_times(facts, context)]:
        raise Refused(name, facts.state, found, partial(_permitted, facts, request))


def judge(facts: Facts, request: Request) -> tuple[str | None, list[Reason]]:
    """Where a command leads (None beside the lifecycle) and every reason against it (none: it is allowed)."""
    process = process_of(facts)
    act = process.acts.get(request.name)
    if act is not None:
        return None, _judge_beside(facts, request, act)
    if request.name not in process.triggers:
        raise InputError(f"'{request.name}' is nothing that can be done to a case", f"“{request.name}”不是案件的步骤")
    return process.ask(facts, request)


def options(facts: Facts, at: datetime, edition: Edition, role: str | None = None, newest: Edition | None = None) -> list[Option]:
    """Every command: whether it could be given now, by ``role`` or by any role that may, and if not, why not.

    ``edition`` is the one that the case pinned, ``newest`` the one that it could go over to.
    """
    at = max(at, facts.at)
    process = process_of(facts)
    return [_option(facts, name, at, edition, role, newest)
            for name in COMMANDS if name in process.acts or name in process.triggers]


def process_of(facts: Facts) -> Lifecycle:
    """The lifecycle that the case pinned; :class:`~casework.errors.CaseworkError` where this release does not have it."""
    return pinned(facts.lifecycle)


def actor_for(role: str, facts: Facts) -> Actor:
    """Who a bare role is: the party of the case, the one assigned, or the first of that role."""
    if role == "consumer":
        return Actor(role=role, id=facts.given.consumer)
    if role == "merchant":
        return Actor(role=role, id=facts.given.order.merchant)
    if role in ("agent", "supervisor"):
        if facts.assigned and facts.assigned.role == role:
            return facts.assigned
        return Actor(role=role, id="A-1" if role == "agent" else "S-1")
    if role == "adviser" and facts.advisers:
        return Actor(role=role, id=min(facts.advisers))
    return Actor(role=role, id=role)


def roles_of(name: str, facts: Facts) -> tuple[str, ...]:
    """The roles that may give a command in this state, or anywhere if the state has no such step."""
    process = process_of(facts)
    if name in process.acts:
        return process.acts[name].roles
    step = process.steps_from(facts.state).get(name)
    return step.roles if step else process.triggers[name].roles


def _option(facts: Facts, name: str, at: datetime, edition: Edition, role: str | None, newest: Edition | None) -> Option:
    roles = roles_of(name, facts)
    answers = []
    for by in _candidates(roles if role is None else (role,), facts):
        to, found = judge(facts, Request(name, by, at, edition, adopts=newest))
        answers.append((to, found))
    to, found = min(answers, key=lambda a: len(a[1]))
    reasons = tuple(sorted({r.code: r for r in found}.values(), key=lambda r: r.code))
    return Option(name, not found, roles, to, reasons, None if found else _until(facts, name, at, edition))


def _until(facts: Facts, name: str, at: datetime, edition: Edition) -> datetime | None:
    """Until when it can be done in time: the end of the duty that it meets, or of the limitation period."""
    rows = process_of(facts).duties
    ends = [d.due.at for d in facts.duties.values()
            if d.state == "running" and not d.is_late(at) and name in rows[d.kind].meets]
    if name in (*REOPENING, "file"):
        ends.append(limitation(facts, Request(name, Actor(role="consumer", id=facts.given.consumer), at, edition)).at)
    return min(ends, default=None)


def _candidates(roles: Iterable[str], facts: Facts) -> list[Actor]:
    found = []
    for role in roles:
        if role == "external":
            bodies = dict.fromkeys(r.body for r in facts.referrals.values()) or {"market_regulator": None}
            found += [Actor(role=role, id=body) for body in bodies]
        else:
            found.append(actor_for(role, facts))
    return found


def _permitted(facts: Facts, request: Request) -> Permitted:
    yours: list[str] = []
    others: list[str] = []
    at = max(request.at, facts.at)
    for option in options(facts, at, request.edition, newest=request.adopts):
        if option.allowed:
            mine = request.by.role in option.roles and not judge(
                facts, Request(option.name, request.by, at, request.edition, adopts=request.adopts))[1]
            (yours if mine else others).append(option.name)
    return Permitted(tuple(yours), tuple(others))


def _judge_beside(facts: Facts, request: Request, act: Act) -> list[Reason]:
    found = who_may(facts, request, act.roles)
    if facts.state not in act.states:
        found.append(reason("not_in_this_state", {"state": VOCABULARY["state"][facts.state]}))
        return found
    field = _names(act)
    if request.is_blank and request.about is None and field:
        # It would name one thing: what is asked is whether there is any for which nothing speaks against it.
        things = _things(facts, act.track.name) if act.track else facts.duties
        tried = [_judge_beside(facts, replace(request, about=(field, thing)), act) for thing in things]
        if tried:
            return min(tried, key=len)
    for name in act.guards:
        found.extend(GUARDS[name](facts, request))
    if act.track:
        found.extend(_judge_track(facts, request, act.track))
    return found


def _names(act: Act) -> str | None:
    """The field by which a command names the one thing that it is about; None where there is but one, or none."""
    if act.track:
        return act.track.field
    return "duty" if "duty" in COMMANDS[act.name].__struct_fields__ else None


def _judge_track(facts: Facts, request: Request, track: Track) -> Iterable[Reason]:
    """Whether the thing named (or, where none is named yet, any) is at a point where the command can be."""
    things = _things(facts, track.name)
    named = request.said(track.field) if track.field else None
    if named is not None and named not in things:
        yield reason("unknown_item", {"item": (named, named)})
        return
    if not things:
        yield reason("unknown_item", {"item": TRACK_LABELS[track.name]})
        return
    pool = {named: things[named]} if named is not None else things
    process = process_of(facts)
    if not any(process.moves(track.name, state, t) for state in pool.values() for t in _triggers(request, track)):
        item, state = next(iter(pool.items()))
        name = TRACK_LABELS[track.name] if track.field is None else Term(item, item)
        yield reason("wrong_point", {"item": name, "state": VOCABULARY[track.name][state]})


#: Which of a track's triggers a command pulls, where it can pull more than one: by what it says.
_CHOICES: dict[str, tuple[str, dict[Any, str]]] = {
    "examine_evidence": ("result", {"authentic": "find_authentic", "forged": "find_forged"}),
    "settle_return": ("received", {True: "settle_received", False: "settle_again"}),
    "answer_tip_off": ("result", {"case_opened": "open_case", "not_pursued": "drop"}),
}


def _triggers(request: Request, track: Track) -> tuple[str, ...]:
    if request.is_blank or request.name not in _CHOICES:
        return track.triggers
    field, choice = _CHOICES[request.name]
    chosen = choice.get(request.said(field))
    return (chosen,) if chosen else ()


def _things(facts: Facts, track: str) -> dict[Any, str]:
    if track == "authenticity":
        return {e.id: e.authenticity for e in facts.evidence.values()}
    if track == "referral":
        return {r.id: r.state for r in facts.referrals.values()}
    if track == "tip_off":
        return {t.id: t.state for t in facts.tip_offs.values()}
    return {track: facts.advance if track == "advance" else facts.goods}


def _times(facts: Facts | None, context: Context) -> list[Reason]:
    found = []
    if context.at > context.recorded_at:
        found.append(reason("in_the_future", at=_iso(context.at), recorded=_iso(context.recorded_at)))
    if facts is not None and (context.at < facts.at or context.recorded_at < facts.recorded_at):
        last = facts.at if context.at < facts.at else facts.recorded_at
        found.append(reason("time_runs_backwards", at=_iso(context.at), last=_iso(last)))
    return found


def _derived(facts: Facts, request: Request, kind: Any) -> dict[str, Any]:
    """What the event holds beside what was said: the next identifier of its kind, the offer meant, the platform's deadline."""
    if kind in _NUMBERED:
        prefix, held = _NUMBERED[kind]
        return {"id": f"{prefix}-{len(held(facts)) + 1}"}
    if kind in (e.OfferAccepted, e.OfferDeclined):
        assert facts.open_offer is not None
        return {"offer": facts.open_offer.id}
    if kind in (e.ComplaintFiled, e.DefaultReported, e.FiledCaseReopened, e.EvidenceSupplied):
        due = request.edition.due("platform.reply", request.at)
        return {"reply_by": e.Due(at=due.at, rule=due.rule, clause=due.clause, certainty=due.certainty,
                                  provisional=due.provisional)}
    if kind is e.CaseRuled and process_of(facts).explains:
        assert isinstance(request.command, Rule)
        return {"basis": basis_of(facts, request.command, request.edition, request.at)}
    if kind is e.EditionAdopted:
        assert request.adopts is not None
        return {"edition_digest": request.adopts.digest}
    return {}


_NUMBERED: dict[Any, tuple[str, Callable[[Facts], Any]]] = {
    e.EvidenceAdded: ("E", lambda f: f.evidence),
    e.OfferMade: ("O", lambda f: f.offers),
    e.MatterReferred: ("R", lambda f: f.referrals),
    e.TippedOff: ("T", lambda f: f.tip_offs),
}


def _iso(moment: datetime) -> str:
    try:
        return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
    except OverflowError:
        return moment.isoformat(timespec="seconds")
