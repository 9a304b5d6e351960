"""The index of running duties, held against the events that it was made from.

The index decides nothing, but what it lacks nobody is told of: a duty that is not in it neither comes up in ``due`` nor falls
due by ``tick``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import shake_256
from typing import Protocol

from casework.audit.findings import Finding, Line, digest, shown
from casework.store.dues import running
from casework.store.row import DueRow, Row

#: How often a case that seems to differ is looked at again: somebody may have written between two looks.
LOOKS = 3
#: Of more cases than this, all events are read at once.
_MANY = 1000
#: So many sums are kept, each of the cases that fall to it.
_SUMS = 8192
_BYTES = 512
_MASK = 2**(8 * _BYTES) - 1


class Indexed(Protocol):
    """A store, or a reader of one, with its index."""

    def index(self) -> Iterator[DueRow]:
        """The index, whole, row by row."""
        ...

    def rows(self, case: str | None = None) -> Iterator[Row]:
        """The rows of a case, or of all."""
        ...

    def case_ids(self) -> list[str]:
        """The ids of all streams."""
        ...


class Tally:
    """Sums over running duties, each duty by its SHAKE256 and so in any order, apart by case: two that are equal are of the same
    duties, and where they are not, the cases are known among which to look. The duties themselves are not kept.

    The sums are so wide because whoever alters an index may put into it what he likes: for sums of 128 bits he finds rows that
    make up for one that he took away in minutes (Wagner, A Generalized Birthday Problem, 2002), for these in 2**127 steps.
    """

    __slots__ = ("sums",)

    def __init__(self, rows: Iterable[DueRow] = ()) -> None:
        self.sums: dict[int, int] = {}
        for row in rows:
            self.add(row)

    def add(self, row: DueRow) -> None:
        """One more duty that runs."""
        place = _place(row.case)
        self.sums[place] = (self.sums.get(place, 0) + _number(tuple(row))) & _MASK

    def take(self, other: Tally) -> None:
        """The duties of both."""
        for place, total in other.sums.items():
            self.sums[place] = (self.sums.get(place, 0) + total) & _MASK

    def differing(self, other: Tally) -> set[int]:
        """The sums that the two do not have in common."""
        return {place for place in self.sums.keys() | other.sums.keys() if self.sums.get(place, 0) != other.sums.get(place, 0)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and not self.differing(other)


def _number(value: object, size: int = _BYTES) -> int:
    return int.from_bytes(shake_256(repr(value).encode("utf-8", "backslashreplace")).digest(size), "big")


def _place(case: object) -> int:
    return _number(case, 16) % _SUMS


def compared(yielded: Tally, store: Indexed) -> Iterator[Finding]:
    """A finding for each case of which the index of the store does not say what its events yielded as they were audited."""
    odd = yielded.differing(Tally(store.index()))
    if not odd:
        return
    differ: set[str] = {case for case in (*store.case_ids(), *(row.case for row in store.index())) if _place(case) in odd}
    have: dict[str, set[DueRow]] = {}
    due: dict[str, set[DueRow]] = {}
    for _ in range(LOOKS):
        if not differ:
            return
        have = _by_case(row for row in store.index() if row.case in differ)
        # No case has an id that is no text, and of a great many all are read at once.
        due = (_by_case(running(row for row in store.rows() if row.case in differ)) if len(differ) > _MANY else
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
