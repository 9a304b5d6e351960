"""The index of running duties, held against the events that it was made from.

The index decides nothing, but what it lacks nobody is told of: a duty that is not in it neither comes up in ``due`` nor falls
due by ``tick``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from casework.audit.findings import Finding, Line, shown
from casework.store.dues import moves, running
from casework.store.row import DueRow, Row

#: How often a case that seems to differ is looked at again: somebody may have written between two looks.
LOOKS = 3


class Indexed(Protocol):
    """A store, or a reader of one, with its index."""

    def dues(self) -> list[DueRow]:
        """The index, whole."""
        ...

    def rows(self, case: str) -> Iterator[Row]:
        """The rows of a case."""
        ...


class Running:
    """The running duties as the rows yield them, drawn along while these are audited."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], DueRow] = {}

    def take(self, row: Row) -> None:
        """One more row; one that is no row of an event yields nothing."""
        if not isinstance(row.case, str) or not isinstance(row.payload, bytes):
            return
        for case, duty, due in moves(row.case, row.payload):
            if due is None:
                self._found.pop((case, duty), None)
            else:
                self._found[case, duty] = due

    def compared(self, store: Indexed) -> Iterator[Finding]:
        """A finding for each case of which the index does not say what its events yield."""
        index = {(row.case, row.duty): row for row in store.dues()}
        differ = {key[0] for key in self._found.keys() | index.keys() if self._found.get(key) != index.get(key)}
        for case in sorted(differ):
            for _ in range(LOOKS):
                have = {row for row in store.dues() if row.case == case}
                due = set(running(store.rows(case)))
                if have == due:
                    break
            else:
                yield _finding(case, have, due)


def _finding(case: str, have: set[DueRow], due: set[DueRow]) -> Finding:
    lost, false = sorted(d.duty for d in due - have), sorted(d.duty for d in have - due)
    what = Line(f"期限索引中缺少 {shown(', '.join(lost) or '—')}，多出 {shown(', '.join(false) or '—')}",
                f"the index of duties lacks {shown(', '.join(lost) or '—')}, has too many {shown(', '.join(false) or '—')}")
    return Finding("index_differs", case, 0, what, Line("案件的事件得出另外的期限", "the events of the case yield other duties"))
