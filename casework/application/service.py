"""Load, ask, save: the one way in which a case is opened and carried on.

Who, when and under which id come in as arguments. The clock is an argument too (a function), because the time of
recording has to be read while the writer's lock is held.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from casework.application.intake import FieldMissing, actor, command_named, opener, opening
from casework.application.standing import carry_standing, followed
from casework.domain.case import Case
from casework.domain.commands import AdoptEdition, Command, OpenCase, name_of
from casework.domain.decide import Context, ask
from casework.domain.events import EVENT_OF, Event
from casework.domain.facts import Facts
from casework.domain.fold import fold
from casework.domain.reasons import reason
from casework.domain.standing.commands import StandingCommand
from casework.domain.standing.events import is_standing, merchant_of
from casework.domain.topics import AnyEvent
from casework.domain.values import COMMAND_ID_PATTERN, IDENTITY_PATTERN, Actor, clean
from casework.errors import Conflict, InputError, Permitted, Refused
from casework.rulebook.edition import current, edition, pinned
from casework.store.store import Store, VersionTaken

Clock = Callable[[], datetime]
#: How far a clock may lag behind the case's last record and still be taken for it (two machines never agree exactly).
CLOCK_SLACK = timedelta(seconds=60)
_COMMAND_ID = re.compile(COMMAND_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command: the version and the event that record it, the state after it (as it was then, also when it
    had been recorded before).
    """

    case: str
    version: int
    state: str
    event: AnyEvent
    repeated: bool


def open_case(store: Store, case_id: str, given: OpenCase | Mapping[str, Any], *, by: str, clock: Clock, command_id: str,
              at: datetime | None = None) -> Done:
    """Open a case under that id and record it.

    Opening it again under the same command id changes nothing; :class:`~casework.errors.Conflict` if another case
    has the id. Raises :class:`~casework.errors.Refused` and :class:`~casework.errors.InputError` as the case does.
    """
    command = clean(given) if isinstance(given, OpenCase) else opening(given)
    case_id, command_id = _identity(case_id), _stored_id(command_id)
    who = opener(by, command)
    with store.writing():
        for attempt in range(store.attempts):
            if store.has(case_id):
                return _opened_before(store, next(store.events(case_id)), command, who, command_id, at)
            now = clock()
            case = Case.open(case_id, command, Context(who, at or now, now, command_id, current()))
            event = cast(Event, case.pending_events[0])
            try:
                store.save(case)
            except VersionTaken:
                if attempt == store.attempts - 1:
                    raise
            else:
                return Done(case_id, 1, case.facts.state, event, repeated=False)
    raise AssertionError("unreachable")


def carry_on(store: Store, case_id: str, name: str, said: Mapping[str, Any] | Command | StandingCommand, *, by: str,
             clock: Clock, command_id: str, at: datetime | None = None) -> Done:
    """Give a case a command and record what it decides, exactly once; and with it what follows for its merchant's standing.

    ``merchant:ID`` in place of a case names a merchant's standing, which takes commands of its own.
    Where a required field is missing, it is first asked whether the command could be given at all.
    A command id that the case has seen returns what was recorded then, if it is the same command: what is said, who
    says it and, where it is given, when it happened. Raises :class:`~casework.errors.Refused` with every reason,
    :class:`~casework.errors.UnknownCase`, :class:`~casework.errors.InputError`, :class:`~casework.errors.StoreError`.
    """
    command_id = _stored_id(command_id)
    if is_standing(case_id):
        return _carry_standing(store, case_id, name, said, by=by, clock=clock, command_id=command_id, at=at)
    if isinstance(said, StandingCommand):
        raise InputError(f"that is done to a merchant, not to case '{case_id}'; name merchant:ID",
                         f"这是对商家的步骤，不是对案件“{case_id}”的；请写 merchant:商家编号")
    command, incomplete = _command(name, said)
    with store.writing():
        for attempt in range(store.attempts):
            case = store.get(case_id)
            if command is not None and command_id in case.facts.commands:
                return _repeated(store, case.facts, command, command_id, by, at)
            context = _context(case.facts, by, at, clock(), command_id, command)
            if command is None:
                ask(case.facts, name, context)
                raise incomplete or AssertionError("either complete or not")
            event = case.do(command, context)
            try:
                store.save(case, *followed(store, case.facts, event))
            except VersionTaken:
                if attempt == store.attempts - 1:
                    raise
            else:
                return Done(case_id, event.originator_version, case.facts.state, event, repeated=False)
    raise AssertionError("unreachable")


def _carry_standing(store: Store, stream: str, name: str, said: Mapping[str, Any] | Command | StandingCommand, *, by: str,
                    clock: Clock, command_id: str, at: datetime | None) -> Done:
    if isinstance(said, Command):
        raise InputError(f"that is done to a case, not to {stream}", f"这是对案件的步骤，不是对 {stream} 的")
    standing, event, repeated = carry_standing(store, merchant_of(stream), name, said, by=by, clock=clock,
                                               command_id=command_id, at=at)
    return Done(stream, event.originator_version, standing.facts.status(event.at), event, repeated)


def _command(name: str, said: Mapping[str, Any] | Command) -> tuple[Command | None, FieldMissing | None]:
    """The command, or what it lacks: who may not do a thing at all is told so before he is asked for its details."""
    if isinstance(said, Command):
        return clean(said), None
    try:
        return command_named(name, said), None
    except FieldMissing as error:
        return None, error


def _context(facts: Facts, by: str, at: datetime | None, now: datetime, command_id: str, command: Command | None) -> Context:
    recorded_at = facts.recorded_at if now < facts.recorded_at <= now + CLOCK_SLACK else now
    adopts = edition(command.edition) if isinstance(command, AdoptEdition) else current()
    return Context(actor(by, facts), at or recorded_at, recorded_at, command_id, pinned(facts.edition), adopts)


def _opened_before(store: Store, first: Event, command: OpenCase, who: Actor, command_id: str,
                   at: datetime | None) -> Done:
    case_id = first.originator_id
    if (first.command_id, first.data, first.by) != (command_id, command, who) or at not in (None, first.at):
        raise Conflict(f"there is a case '{case_id}' already; choose another id", f"已有案件“{case_id}”，请换一个编号")
    store.settle()
    return Done(case_id, 1, fold([first]).state, first, repeated=True)


def _repeated(store: Store, facts: Facts, command: Command, command_id: str, by: str, at: datetime | None) -> Done:
    version = facts.commands[command_id]
    events = [e for e in store.events(facts.case) if e.originator_version <= version]
    event = events[-1]
    same = type(event) is EVENT_OF[type(command)] and event.data == command and at in (None, event.at)
    if not same or not _is_actor(by, event.by, facts):
        raise Refused(name_of(type(command)), facts.state, [reason("command_id_reused", command_id=command_id)], Permitted())
    store.settle()
    return Done(facts.case, version, fold(events).state, event, repeated=True)


def _is_actor(by: str, recorded: Actor, facts: Facts) -> bool:
    """Whether that is who acted then; whom a bare role means may have changed since."""
    now = actor(by, facts)
    return now == recorded if ":" in by else now.role == recorded.role


def _stored_id(command_id: str) -> str:
    """The command id as it is stored: written in two ways that look the same, it still is one command."""
    # Long ones are not even normalised, which takes time that grows with the square of their marks.
    normal = unicodedata.normalize("NFC", command_id) if len(command_id) <= 512 else command_id
    if len(normal) > 128 or not _COMMAND_ID.fullmatch(normal):
        raise InputError("a command id is 1 to 128 characters, none of them a control character",
                         "命令编号须为 1 至 128 个字符，不含控制字符", "--command-id")
    return normal


def _identity(case_id: str) -> str:
    """The id of a new case as it is stored."""
    normal = unicodedata.normalize("NFC", case_id) if len(case_id) <= 512 else case_id
    if not re.fullmatch(IDENTITY_PATTERN, normal):
        raise InputError("a case id is letters, digits, '.', '_' and '-', at most 64",
                         "案件编号只能含字母、数字、“.”“_”“-”，最多 64 个字符", "ID")
    return normal
