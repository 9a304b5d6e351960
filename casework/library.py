"""The few things that a program does with cases: open one, carry it on, look, replay, audit.

Thin functions over an open store. Who acts, when and under which id are arguments; ``clock`` is a function, because the time
of recording is read while the writer's lock is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casework.application import service, views
from casework.application.choices import choices, standing_choices
from casework.application.merchant import merchant_view, standing_of
from casework.audit.check import audit, audit_case
from casework.audit.findings import Finding
from casework.audit.integrity import Integrity
from casework.audit.signed import Signed
from casework.domain.commands import Command, OpenCase
from casework.domain.standing.commands import StandingCommand
from casework.domain.standing.events import is_standing, merchant_of
from casework.errors import UnknownCase
from casework.scenario.replay import Replay
from casework.scenario.replay import replay as replay_file
from casework.store.store import Store, unknown_case

if TYPE_CHECKING:
    from casework.domain.facts import Facts


def open_case(store: Store, case: str, given: OpenCase | Mapping[str, Any], *, by: str = "consumer", clock: service.Clock,
              command_id: str, at: datetime | None = None) -> service.Done:
    """Open a case. See :func:`casework.application.service.open_case` for what it raises."""
    return service.open_case(store, case, given, by=by, clock=clock, command_id=command_id, at=at)


def carry_on(store: Store, case: str, command: str | Command | StandingCommand, said: Mapping[str, Any] | None = None, *, by: str,
             clock: service.Clock, command_id: str, at: datetime | None = None) -> service.Done:
    """Give a case, or ``merchant:ID``, a command, by name with its fields or as a value.

    See :func:`casework.application.service.carry_on`.
    """
    if isinstance(command, Command | StandingCommand):
        return service.carry_on(store, case, "", command, by=by, clock=clock, command_id=command_id, at=at)
    return service.carry_on(store, case, command, said or {}, by=by, clock=clock, command_id=command_id, at=at)


def options(store: Store, case: str, at: datetime, role: str | None = None) -> dict[str, Any]:
    """What may be done at that time, and what may not and why; to a case, or to ``merchant:ID``.

    :class:`~casework.errors.UnknownCase`.
    """
    if is_standing(case):
        if not store.has(case):
            raise unknown_case(case)
        return standing_choices(standing_of(merchant_of(case), store.rows(case)), at, role)
    return choices(_facts(store, case), at, role)


def show(store: Store, case: str, at: datetime, *, as_of: datetime | None = None, version: int | None = None) -> dict[str, Any]:
    """Everything known of a case; deadlines are judged at ``at``. :class:`~casework.errors.UnknownCase`."""
    return views.full(_facts(store, case, as_of, version), at)


def merchant(store: Store, merchant: str, at: datetime, *, as_of: datetime | None = None) -> dict[str, Any]:
    """How a merchant stands, with a scorecard of his recorded cases. :class:`~casework.errors.UnknownCase`."""
    return merchant_view(store.rows(), merchant_of(merchant), at, as_of=as_of)


def history(store: Store, case: str) -> list[dict[str, Any]]:
    """Every event of a case, or of ``merchant:ID``, in order."""
    return list(views.history(store.rows(case)))


def replay(path: str | PathLike[str]) -> Replay:
    """Replay a scenario file on a store in memory, and audit it. :class:`~casework.errors.InputError` for a bad file."""
    return replay_file(Path(path), lambda rows: sorted(f.code for f in audit_case(rows)))


def audit_store(store: Store, *cases: str) -> list[Finding]:
    """Everything wrong with the cases named, or with all, and with their ledger; notes are not wrong. Nothing is written."""
    if not store.kept:
        found = audit(store.rows()) if not cases else chain.from_iterable(audit_case(store.rows(case)) for case in cases)
        return [finding for finding in found if finding.severity != "note"]
    with store.reader() as reader:
        at = reader.snapshot(cases or None)
        outside = Signed(store.journal.folder) if store.journal else None
        integrity = Integrity.of(reader, at.leaves, outside, whole=not cases)
        return [finding for finding in audit(at.rows, whole=not cases, indexed=reader, integrity=integrity)
                if finding.severity != "note"]


def _facts(store: Store, case: str, as_of: datetime | None = None, version: int | None = None) -> Facts:
    facts = views.facts_of(store.rows(case), as_of=as_of, version=version)
    if facts is None:
        raise unknown_case(case)
    return facts


__all__ = ["Finding", "Replay", "UnknownCase", "audit_store", "carry_on", "history", "merchant", "open_case", "options", "replay",
           "show"]
