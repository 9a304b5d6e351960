"""The index of running duties, held against the events that it was made from.

The index decides nothing, but what it lacks nobody is told of: a duty that is not in it neither comes up in ``due`` nor falls
due by ``tick``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from casework.audit.findings import Finding, Line, digest, shown
from casework.store.dues import Index, running
from casework.store.row import DueRow, Row

#: How often a case that seems to differ is looked at again: somebody may have written between two looks.
LOOKS = 3
_MANY = 100


class Indexed(Protocol):
    """A store, or a reader of one, with its index."""

    def dues(self) -> list[DueRow]:
        """The index, whole."""
        ...

    def rows(self, case: str | None = None) -> Iterator[Row]:
        """The rows of a case, or of all."""
        ...


def compared(yielded: Index, store: Indexed) -> Iterator[Finding]:
    """A finding for each case of which the index of the store does not say what its events yielded as they were audited."""
    index = {(row.case, row.duty): row for row in store.dues()}
    differ = {key[0] for key in yielded.keys() | index.keys() if yielded.get(key) != index.get(key)}
    have: dict[str, set[DueRow]] = {}
    due: dict[str, set[DueRow]] = {}
    for _ in range(LOOKS):
        if not differ:
            return
        have = _by_case(store.dues())
        # No case has an id that is no text, and of a great many all are read at once.
        due = (_by_case(running(store.rows())) if len(differ) > _MANY else
               {case: set(running(store.rows(case))) for case in differ if isinstance(case, str)})
        differ = {case for case in differ if have.get(case, set()) != due.get(case, set())}
    for case in sorted(differ, key=str):
        yield _finding(case, have.get(case, set()), due.get(case, set()))


def _by_case(rows: Iterable[DueRow]) -> dict[str, set[DueRow]]:
    found: dict[str, set[DueRow]] = {}
    for row in rows:
        found.setdefault(row.case, set()).add(row)
    return found


def _finding(case: str, have: set[DueRow], due: set[DueRow]) -> Finding:
    lost, false = sorted(str(d.duty) for d in due - have), sorted(str(d.duty) for d in have - due)
    what = Line(f"期限索引中缺少 {shown(', '.join(lost) or '—')}，多出 {shown(', '.join(false) or '—')}",
                f"the index of duties lacks {shown(', '.join(lost) or '—')}, has too many {shown(', '.join(false) or '—')}")
    why = Line("案件的事件得出另外的期限", "the events of the case yield other duties")
    return Finding("index_differs", case, 0, what, why, digest((sorted(have - due), sorted(due - have))))
