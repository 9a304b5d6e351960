"""What cases do to a merchant's standing, and what is asked of it: load, ask, save."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from casework.application.intake import FieldMissing, actor, standing_command
from casework.application.views import events_of
from casework.domain.decide import Context
from casework.domain.events import CaseOpened, Due, Event
from casework.domain.facts import Facts
from casework.domain.fold import apply, opened
from casework.domain.reasons import reason
from casework.domain.standing import commands as c
from casework.domain.standing import events as e
from casework.domain.standing.aggregate import Standing
from casework.domain.standing.decide import Deadlines, actor_for, ask
from casework.domain.standing.effects import Effect, effect_of
from casework.domain.standing.facts import fold
from casework.domain.values import Actor
from casework.errors import Conflict, Permitted, Refused, UnknownCase
from casework.rulebook.edition import CURRENT, pinned
from casework.rulebook.standing import Term, appeal, publication
from casework.store.store import Store, VersionTaken


def followed(store: Store, facts: Facts, event: Event) -> tuple[Standing, ...]:
    """The standing that an event of a case moves, having followed it and not saved yet; none where it moves nothing."""
    effect = effect_of(facts, event)
    if effect is None:
        return ()
    standing = store.standing(facts.given.order.merchant)
    follow(standing, facts.edition, event, effect)
    return (standing,)


def follow(standing: Standing, edition: str, event: Event, effect: Effect) -> None:
    """Let a standing follow an event of a case that goes by that edition of the rulebook."""
    rules = pinned(edition)
    until = appeal(rules, event.at)
    deadlines = Deadlines(_due(publication(rules, event.at)), _due(until) if until else None)
    standing.follow(effect, Context(event.by, event.at, event.recorded_at, event.command_id, rules), deadlines)


def carry_standing(store: Store, merchant: str, name: str, said: Mapping[str, Any] | c.StandingCommand, *, by: str,
                   clock: Callable[[], datetime], command_id: str, at: datetime | None,
                   ) -> tuple[Standing, e.StandingEvent, bool]:
    """Give a merchant's standing a command and record it exactly once; the event, and whether it was recorded before.

    Raises as :func:`casework.application.service.carry_on` does.
    """
    command, incomplete = _command(name, said)
    if command is not None:
        name = c.standing_name_of(type(command))
    merchant = unicodedata.normalize("NFC", merchant)
    with store.writing():
        for attempt in range(store.attempts):
            standing = store.standing(merchant)
            if not standing.facts.version and not _has_cases(store, merchant):
                raise unknown_merchant(merchant)
            facts = standing.facts
            who = _actor(by, standing)
            if command is not None and command_id in facts.commands:
                return _repeated(store, standing, command, command_id, who if ":" in by else None, who.role, at)
            now = clock()
            context = Context(who, at or now, max(now, facts.recorded_at), command_id, CURRENT)
            if command is None:
                ask(facts, name, context)
                raise incomplete or AssertionError("either complete or not")
            [event, *_] = standing.do(command, context)
            try:
                store.save(standing)
            except VersionTaken:
                if attempt == store.attempts - 1:
                    raise
            else:
                return standing, event, False
    raise AssertionError("unreachable")


def retold(store: Store, file: str, events: Iterable[Event], standing_events: Iterable[e.StandingEvent]) -> tuple[Standing, ...]:
    """The standing in a store after a story that was told elsewhere, decided anew on what the store knows, and not saved.

    What followed from the story's case follows here too, in the order in which it was told; what was asked of the standing
    is asked again. :class:`~casework.errors.Conflict` where this merchant's standing does not allow it.
    """
    told = list(standing_events)
    if not told:
        return ()
    moments = dict(_effects(events))
    standing = store.standing(e.merchant_of(told[0].originator_id))
    done: set[int] = set()
    for event in told:
        data = event.data
        if isinstance(data, c.StandingCommand):
            now = max(event.recorded_at, standing.facts.recorded_at)
            try:
                standing.do(data, Context(event.by, event.at, now, event.command_id, CURRENT))
            except Refused as error:
                raise _stands_otherwise(file, standing.facts.merchant, error) from None
        elif (version := _version_in_case(data)) is not None and version not in done:
            done.add(version)
            follow(standing, *moments[version])
    return (standing,)


def _stands_otherwise(file: str, merchant: str, error: Refused) -> Conflict:
    return Conflict(f"{file}: merchant '{merchant}' stands differently in the store: {error.en}; use a fresh store or give "
                    "the merchant another id",
                    f"{file}：案件库中商家“{merchant}”的状态不同：{error.zh}；请使用新的案件库或更换商家编号")


def _effects(events: Iterable[Event]) -> Iterable[tuple[int, tuple[str, Event, Effect]]]:
    facts: Facts | None = None
    for event in events:
        if facts is None:
            facts = opened(cast(CaseOpened, event))
            continue
        apply(facts, event)
        if (effect := effect_of(facts, event)) is not None:
            yield event.originator_version, (facts.edition, event, effect)


def _version_in_case(data: Any) -> int | None:
    match data:
        case e.Imposed() | e.Annulled():
            return data.ruling
        case e.Owed():
            return data.version
    return None


def _command(name: str, said: Mapping[str, Any] | c.StandingCommand) -> tuple[c.StandingCommand | None, FieldMissing | None]:
    if isinstance(said, c.StandingCommand):
        return said, None
    try:
        return standing_command(name, said), None
    except FieldMissing as error:
        return None, error


def unknown_merchant(merchant: str) -> UnknownCase:
    return UnknownCase(f"no merchant '{merchant}' in the store; see the cases with: casework list",
                       f"案件库中没有商家“{merchant}”；用 casework list 查看案件")


def _has_cases(store: Store, merchant: str) -> bool:
    first = (events_of([row]) for row in store.rows() if row.version == 1)
    return any(isinstance(event, CaseOpened) and event.data.order.merchant == merchant for [event] in first)


def _actor(by: str, standing: Standing) -> Actor:
    who = actor(by, None)
    return who if ":" in by else actor_for(who.role, standing.facts)


def _repeated(store: Store, standing: Standing, command: c.StandingCommand, command_id: str, who: Actor | None, role: str,
              at: datetime | None) -> tuple[Standing, e.StandingEvent, bool]:
    facts = standing.facts
    version = facts.commands[command_id]
    events = [cast(e.StandingEvent, x) for x in store.events(e.stream_of(facts.merchant)) if x.originator_version <= version]
    event = events[-1]
    same = event.data == command and at in (None, event.at) and (who == event.by if who else role == event.by.role)
    if not same:
        name = c.standing_name_of(type(command))
        raise Refused(name, facts.status(event.at), [reason("command_id_reused", command_id=command_id)], Permitted())
    store.settle()
    standing.facts = fold(facts.merchant, events)
    return standing, event, True


def _due(term: Term) -> Due:
    return Due(at=term.at, rule=term.rule, clause=term.clause, certainty=term.certainty, provisional=term.provisional)
