"""Authority and rules, asked again as of an event: role and party, the guards by name, the track of an act.

The guards and the table of tracks are the domain's, for they are the law; how they are put together is told here a
second time. What rests on the events before is asked only where all of them could be read, so that one lost event
is one finding and not a flood of false ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import NoReturn

from casework.audit.findings import Fault, Line
from casework.audit.walk import Walk
from casework.domain.beside import TRACK_LABELS, Act
from casework.domain.facts import Facts
from casework.domain.guards import GUARDS, who_may
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.versions import TABLES
from casework.domain.vocabulary import STATES, VOCABULARY, Term
from casework.errors import Reason


class UnknownEdition(Exception):
    """A rule asks for a limit of an edition that is not known."""


class NoEdition:
    """Stands for an edition that is not known: whatever needs a figure of it cannot be checked."""

    id = ""
    digest = ""

    def has(self, rule_id: str) -> NoReturn:
        """Raises :class:`UnknownEdition`."""
        raise UnknownEdition(rule_id)

    def due(self, rule_id: str, start: datetime) -> NoReturn:
        """Raises :class:`UnknownEdition`."""
        raise UnknownEdition(rule_id)

    def after_pause(self, unit: str, end: datetime, paused_at: datetime, resumed_at: datetime) -> NoReturn:
        """Raises :class:`UnknownEdition`."""
        raise UnknownEdition(unit)

    def amount(self, rule_id: str, price: Decimal, on: datetime) -> NoReturn:
        """Raises :class:`UnknownEdition`."""
        raise UnknownEdition(rule_id)


def authority(walk: Walk, request: Request, roles: tuple[str, ...]) -> Iterator[Fault]:
    """Whether the one who acted holds one of the roles, and is the party, or the adviser, that the case knows."""
    if walk.facts is not None:
        found = who_may(walk.facts, request, roles)
    else:
        found = [] if request.by.role in roles else [_role_alone(request, roles)]
    if walk.broken and any(r.code == "not_authorised" for r in found):
        # An event that could not be read may have authorised the adviser.
        found = [r for r in found if r.code != "not_authorised"]
        yield from no_history(walk)
    if found:
        yield Fault("role_may_not", _who_did(request), _reasons(found))


def guards_refuse(walk: Walk, request: Request, names: tuple[str, ...]) -> Iterator[Fault]:
    """What the guards of a step say on the facts before it."""
    if names:
        yield from _with_history(walk, lambda facts: _asked(walk, facts, request, names))


def act_refused(walk: Walk, request: Request, act: Act) -> Iterator[Fault]:
    """Whether an act beside the lifecycle could be in the state, and what its guards and its track say."""
    if not walk.processes:
        yield from no_lifecycle(walk)
    elif walk.state is not None and walk.state not in act.states:
        yield _refused(request, [reason("not_in_this_state", {"state": STATES[walk.state]})])
    elif act.guards or act.track:
        yield from _with_history(
            walk, lambda facts: _asked(walk, facts, request, act.guards, off_track(walk, facts, request, act)))


def no_edition(walk: Walk) -> Iterator[Fault]:
    """A limit of time cannot be checked; told once a case."""
    yield from walk.unchecked(Line("期限", "limits of time"),
                              Line("案件所定的规则版本未知", "the edition that the case pins is unknown"))


def no_lifecycle(walk: Walk) -> Iterator[Fault]:
    """Neither steps nor acts can be checked; told once a case."""
    yield from walk.unchecked(Line("流程步骤、角色与规则", "steps and acts, their roles and rules"),
                              Line("案件所定的流程未知", "the lifecycle that the case pins is unknown"))


def no_history(walk: Walk) -> Iterator[Fault]:
    """What rests on the events before cannot be checked; told once a case."""
    what = Line("此后依赖先前事件的规则与编号", "from here on, rules and identifiers that rest on the events before")
    why = walk.broken or Line("没有可读的立案事件", "there is no readable event that opens the case")
    yield from walk.unchecked(what, why)


def _with_history(walk: Walk, check: Callable[[Facts], Iterator[Fault]]) -> Iterator[Fault]:
    if walk.facts is not None and not walk.broken:
        yield from check(walk.facts)
    else:
        yield from no_history(walk)


def _asked(walk: Walk, facts: Facts, request: Request, guards: Iterable[str],
           more: Iterable[Reason] = ()) -> Iterator[Fault]:
    found: list[Reason] = []
    for name in guards:
        try:
            found.extend(GUARDS[name](facts, request))
        except UnknownEdition:
            yield from no_edition(walk)
        except Exception as error:  # values that no command lets in: whatever a guard makes of them, the audit goes on
            yield from walk.unchecked(Line(f"规则 {name}", f"the rule {name}"),
                                      Line(f"出错：{type(error).__name__}", f"it failed with {type(error).__name__}"))
    found.extend(more)
    if any(r.code == "calendar_not_published" for r in found):
        # The machine that recorded it may have had a later calendar than this one.
        found = [r for r in found if r.code != "calendar_not_published"]
        yield from walk.unchecked(Line("期限", "duties"), Line(
            "所装的工作日历不含该期限", "the installed working-day calendar does not cover it"))
    if found:
        yield _refused(request, found)


@cache
def _moves(version: int) -> frozenset[tuple[str, str, str | None]]:
    """Every track, state and trigger that leaves it, by that version of the lifecycle."""
    return frozenset(
        (track, source, trigger)
        for track, rows in TABLES[version].tracks.items() for trigger, sources, _ in rows for source in sources)


def off_track(walk: Walk, facts: Facts, request: Request, act: Act) -> Iterator[Reason]:
    """Whether the thing that the act is about stands at a point that the act's trigger leaves."""
    if act.track is None:
        return
    name = request.said(act.track.field) if act.track.field else act.track.name
    state = _point(facts, act.track.name, name)
    if state is None:
        yield reason("unknown_item", {"item": (str(name), str(name))})
        return
    move = (act.track.name, state, _pulled(request, act.track.triggers))
    if not any(move in _moves(process.version) for process in walk.processes):
        label = VOCABULARY[act.track.name].get(state, Term(state, state))
        thing = Term(name, name) if act.track.field else TRACK_LABELS[act.track.name]
        yield reason("wrong_point", {"item": thing, "state": label})


def _point(facts: Facts, track: str, name: str) -> str | None:
    if track == "authenticity":
        return facts.evidence[name].authenticity if name in facts.evidence else None
    if track == "referral":
        return facts.referrals[name].state if name in facts.referrals else None
    if track == "tip_off":
        return facts.tip_offs[name].state if name in facts.tip_offs else None
    return facts.advance if track == "advance" else facts.goods


def _pulled(request: Request, triggers: tuple[str, ...]) -> str | None:
    """Which of its triggers an act pulls: the one that leads to what it says, or the only one it has."""
    match request.name, request.said("result"), request.said("received"):
        case "examine_evidence", "authentic" | "forged" as result, _:
            return f"find_{result}"
        case "answer_tip_off", "case_opened", _:
            return "open_case"
        case "answer_tip_off", "not_pursued", _:
            return "drop"
        case "settle_return", _, bool(received):
            return "settle_received" if received else "settle_again"
    return triggers[0] if len(triggers) == 1 else None


def _role_alone(request: Request, roles: tuple[str, ...]) -> Reason:
    label = VOCABULARY["role"].get(request.by.role, Term(request.by.role, request.by.role))
    return reason("role_not_allowed", {"role": label, "roles": ("、".join(roles), ", ".join(roles))})


def _refused(request: Request, found: list[Reason]) -> Fault:
    return Fault("guard_refuses", _who_did(request), _reasons(found))


def _who_did(request: Request) -> Line:
    return Line(f"{request.by} 的 {request.name}", f"{request.name} by {request.by}")


def _reasons(found: Iterable[Reason]) -> Line:
    once = [r for _, r in sorted({r.code: r for r in found}.items())]
    return Line("；".join(f"[{r.code}] {r.zh}" for r in once), "; ".join(f"[{r.code}] {r.en}" for r in once))


