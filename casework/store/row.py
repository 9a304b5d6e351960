"""One recorded event as the table of events holds it: what views, exports and the audit read.

Nothing is imported here but the standard library, so that whoever only reads starts fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Row(NamedTuple):
    """One row of ``stored_events``; times are integer microseconds since the epoch, UTC.

    The types are those of a store that nobody altered. A row read from a file may hold any SQLite value in
    any field (``None``, ``int``, ``float``, ``str`` with escaped bytes, ``bytes``): whoever judges it looks first.
    """

    case: str
    version: int
    topic: str
    payload: bytes
    trigger: str | None
    from_state: str | None
    to_state: str | None
    at: int
    recorded_at: int


class DueRow(NamedTuple):
    """A duty whose clock runs: whose case, which, of what kind, who owes it, and until when.

    ``due`` is integer microseconds since the epoch, UTC; ``provisional`` that it waits for a calendar. These rows are an index
    over the events, written with them: whatever they say, the case decides.
    """

    case: str
    duty: str
    kind: str
    owes: str
    due: int
    provisional: int


class Totals(NamedTuple):
    """How many events and leaves a store holds at one moment, and over how many events the leaves are."""

    events: int
    leaves: int
    covered: int


class Snapshot(NamedTuple):
    """What a store held at one moment: its rows, drawn as they are wanted, how many, and the size of its ledger."""

    rows: Iterator[Row]
    events: int
    leaves: int


class Part(NamedTuple):
    """A range of streams, from ``low`` to before ``high`` in the store's own order (None: no bound), with what it held at one
    moment: ``held`` is for a reader's ``part`` alone.
    """

    low: object
    high: object
    held: bytes


class Parts(NamedTuple):
    """A store cut into ranges of streams as of one moment, and how many leaves its ledger had then."""

    ranges: list[Part]
    leaves: int
