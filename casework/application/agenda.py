"""What is coming: the duties whose time runs, found by what is due and not by reading every case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

from casework.application.views import UnreadableCase, duties, facts_of
from casework.errors import CaseworkError
from casework.store.dues import moment
from casework.store.row import DueRow, Row


class HasDues(Protocol):
    """What knows the running duties and the cases: a store, or a reader of one."""

    def dues(self) -> list[DueRow]:
        """All of them, by due time."""
        ...

    def rows(self, case: str) -> Iterator[Row]:
        """The rows of a case."""
        ...


def due(reader: HasDues, now: datetime, within: timedelta | None = None, by: str | None = None, *,
        broken: list[CaseworkError]) -> Iterator[dict[str, Any]]:
    """The duties whose clock runs, by due time: all, or those due ``within`` that time of ``now``; all, or ``by`` one role.

    A duty that is over stays until :func:`~casework.application.clockwork.tick` has dealt with it. Cases that cannot be read
    are told in ``broken``.
    """
    seen: dict[str, dict[str, Any]] = {}
    for row in reader.dues():
        if not isinstance(row.case, str):  # nor has any case such an id: the audit says so
            continue
        at, owes = moment(row.due), str(row.owes)
        if (within is not None and at - now > within) or by not in (None, owes, owes.partition(":")[0]):
            continue
        if row.case not in seen:
            seen[row.case] = {}
            try:
                facts = facts_of(reader.rows(row.case))
            except UnreadableCase as error:
                broken.append(error)
            else:
                seen[row.case] = {d["id"]: d for d in duties(facts, now)} if facts else {}
        if row.duty in seen[row.case]:
            yield {"case": row.case} | seen[row.case][row.duty]
