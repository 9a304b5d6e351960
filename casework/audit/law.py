"""Whether an event was lawful when it happened: what the case pinned, the edge, the state, and all that follows.

Nothing is taken from how commands are decided: the map compiled from the pinned lifecycle is walked.
"""

from __future__ import annotations

from collections.abc import Iterator

from casework.audit.deadlines import decided_late, duties_differ
from casework.audit.derived import derived_differs
from casework.audit.findings import Fault, Line, shown
from casework.audit.rules import NoEdition, act_refused, authority, guards_refuse, no_lifecycle
from casework.audit.walk import Walk, known_lifecycles
from casework.domain import events as e
from casework.domain.commands import Command, name_of
from casework.domain.facts import INITIAL
from casework.domain.guards import order_is_consistent
from casework.domain.lifecycle import STAGE_OF
from casework.domain.machine import Step, lifecycle
from casework.domain.request import Request
from casework.rulebook.edition import edition

#: A party opens its own case; an outside body, a merchant or an auditor opens none.
OPENERS = ("consumer", "adviser", "agent", "supervisor", "system")


def judge(walk: Walk, event: e.Event) -> Iterator[Fault]:
    """Every fault of an event, as of that event; the walk then stands behind it."""
    if isinstance(event, e.CaseOpened):
        yield from _opening(walk, event)
        yield from _repeated(walk, event)
        yield from duties_differ(walk, event, None)
        walk.take(event, INITIAL if walk.facts is None else walk.state)
        return
    command: type[Command] = type(event.data)
    adopts = edition(event.data.edition) if isinstance(event, e.EditionAdopted) else None
    request = Request(name_of(command), event.by, event.at, walk.edition or NoEdition(), event.data, adopts=adopts)
    processes = walk.processes or known_lifecycles()
    act = next((process.acts[request.name] for process in processes if request.name in process.acts), None)
    step = None if act else _step_of(walk, event, request.name)
    if act:
        yield from _carries_no_step(event, act.name)
        yield from authority(walk, request, act.roles if walk.processes else (request.by.role,))
        yield from act_refused(walk, request, act)
    else:
        yield from _edge(walk, event, request.name, step)
        yield from authority(walk, request, _roles(walk, request, step))
        yield from guards_refuse(walk, request, step.guards if step else ())
    yield from _repeated(walk, event)
    yield from derived_differs(walk, event)
    # Where it says no state it goes on as it should have, so that one wrong name is one finding.
    said = event.to_state if event.to_state in STAGE_OF else None
    yield from duties_differ(walk, event, None if act else step.to if step else said)
    yield from decided_late(walk, event)
    if isinstance(event, e.EditionAdopted):
        yield from _adoption(walk, event)
    walk.take(event, said or (step.to if step else walk.state))


# --- opening ---------------------------------------------------------------------------------------------------------


def _pins(walk: Walk, event: e.CaseOpened) -> Iterator[Fault]:
    process, rules = lifecycle(event.lifecycle), edition(event.edition)
    walk.processes, walk.edition = (process,) if process else (), rules
    what = Line(f"流程版本 {shown(event.lifecycle)}", f"lifecycle {shown(event.lifecycle)}")
    if process is None:
        yield Fault("unknown_lifecycle", what, Line("本版软件没有该流程", "this release has no such lifecycle"))
    elif process.digest != event.lifecycle_digest:
        yield Fault("lifecycle_differs", what, _other_digest(event.lifecycle_digest, process.digest))
    what = Line(f"规则版本 {shown(event.edition)}", f"edition {shown(event.edition)}")
    if rules is None:
        yield Fault("unknown_edition", what, Line("本版软件没有该规则版本", "this release has no such edition"))
    elif rules.digest != event.edition_digest:
        yield Fault("edition_differs", what, _other_digest(event.edition_digest, rules.digest))


def _adoption(walk: Walk, event: e.EditionAdopted) -> Iterator[Fault]:
    """The case goes by another edition from here on."""
    walk.edition = rules = edition(event.data.edition)
    what = Line(f"规则版本 {shown(event.data.edition)}", f"edition {shown(event.data.edition)}")
    if rules is None:
        yield Fault("unknown_edition", what, Line("本版软件没有该规则版本", "this release has no such edition"))
    elif rules.digest != event.edition_digest:
        yield Fault("edition_differs", what, _other_digest(event.edition_digest, rules.digest))


def _opening(walk: Walk, event: e.CaseOpened) -> Iterator[Fault]:
    if walk.facts is not None:
        yield Fault("opened_twice", Line("又一个立案事件", "another event that opens the case"),
                    Line("案件此前已经立案", "the case was opened before"))
        return
    yield from _pins(walk, event)
    yield from _carries_no_step(event, "open_case")
    if found := list(order_is_consistent(event.data, event.at)):
        yield Fault("guard_refuses", Line("立案", "the opening"), Line(f"[{found[0].code}] {found[0].zh}",
                                                                     f"[{found[0].code}] {found[0].en}"))
    what = Line(f"由 {event.by} 立案", f"opened by {event.by}")
    if event.by.role not in OPENERS:
        why = Line("[role_not_allowed] 该角色不能立案", "[role_not_allowed] that role opens no case")
        yield Fault("role_may_not", what, why)
    elif event.by.role == "consumer" and event.by.id != event.data.consumer:
        yield Fault("role_may_not", what, Line(f"[not_a_party] 消费者是 {event.data.consumer}",
                                               f"[not_a_party] the consumer is {event.data.consumer}"))


def _other_digest(pinned: str, published: str) -> Line:
    return Line(f"案件所定为 {pinned[:16]}…，公布的为 {published[:16]}…",
                f"the case pins {pinned[:16]}…, published is {published[:16]}…")


# --- a step of the lifecycle -----------------------------------------------------------------------------------------


def _step_of(walk: Walk, event: e.Event, name: str) -> Step | None:
    """The step that the event is: from its own ``from`` where it has one, so that a wrong one hides nothing else."""
    origin = event.from_state if event.from_state is not None else walk.state
    steps = [step for process in walk.processes if (step := process.steps_from(origin or "").get(name))]
    return next((step for step in steps if step.to == event.to_state), steps[0] if steps else None)


def _edge(walk: Walk, event: e.Event, name: str, step: Step | None) -> Iterator[Fault]:
    said = f"{shown(event.trigger)}: {shown(event.from_state)} → {shown(event.to_state)}"
    what = Line(said, said)
    if None in (event.trigger, event.from_state, event.to_state):
        why = Line("流程步骤缺少 trigger、from 或 to", "a step without its trigger, from or to")
        yield Fault("unlawful_edge", what, why)
    if event.trigger not in (None, name):
        yield Fault("unlawful_edge", what, Line(f"该命令是 {name}", f"the command is {name}"))
    if not walk.processes:
        yield from no_lifecycle(walk)
    elif step is None and (event.from_state is not None or walk.state is not None):
        origin = shown(event.from_state if event.from_state is not None else walk.state)
        yield Fault("unlawful_edge", what, Line(f"{origin} 没有 {name}", f"no {name} leaves {origin}"))
    elif step is not None and event.to_state not in (None, step.to):
        yield Fault("unlawful_edge", what, Line(f"{name} 应到 {step.to}", f"{name} leads to {step.to}"))
    if event.from_state is not None and walk.state not in (None, event.from_state):
        what = Line(f"from 为 {shown(event.from_state)}", f"from is {shown(event.from_state)}")
        why = Line(f"此前事件得出 {walk.state}", f"the events before yield {walk.state}")
        yield Fault("state_not_yielded", what, why)


def _roles(walk: Walk, request: Request, step: Step | None) -> tuple[str, ...]:
    """Who may take the step; where the lifecycle is unknown nobody is barred by his role."""
    if step is not None:
        return step.roles
    named = [process.triggers[request.name].roles for process in walk.processes if request.name in process.triggers]
    return tuple(dict.fromkeys(role for roles in named for role in roles)) or (request.by.role,)


def _carries_no_step(event: e.Event, name: str) -> Iterator[Fault]:
    if (event.trigger, event.from_state, event.to_state) != (None, None, None):
        said = f"{name}: {shown(event.trigger)}: {shown(event.from_state)} → {shown(event.to_state)}"
        why = Line("不是流程步骤的事件不能带 trigger、from、to", "an event that is no step carries trigger, from or to")
        yield Fault("unlawful_edge", Line(said, said), why)


def _repeated(walk: Walk, event: e.Event) -> Iterator[Fault]:
    first = walk.commands.get(event.command_id)
    if first is not None:
        yield Fault("command_repeated", Line(f"命令 {shown(event.command_id)}", f"command {shown(event.command_id)}"),
                    Line(f"版本 {first} 已记录", f"version {first} records it already"))
