"""A store audited in parts: each range of streams by itself, wherever that is done, and then what they say of each other.

A range is judged by :func:`judge` from the store and a value that can be sent anywhere; the very checks are those of an audit in
one piece, and so are the findings and their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from casework.audit import index
from casework.audit.books import Books
from casework.audit.check import Summary, of_whole, streams
from casework.audit.findings import Finding
from casework.audit.integrity import Drawn, Integrity
from casework.store.ledger.note import Checkpoint
from casework.store.opening import open_reader
from casework.store.row import Part, Parts


class Job(NamedTuple):
    """What a range is judged by: the store's URL, the range, the size of the ledger, and a kept checkpoint that it contains."""

    store: str
    part: Part
    leaves: int
    since: Checkpoint | None


class Judged(NamedTuple):
    """What came of a range."""

    findings: list[Finding]
    summary: Summary
    books: Books
    drawn: Drawn | None


def jobs(store: str, parts: Parts, since: Checkpoint | None) -> list[Job]:
    """A job for each range of the store."""
    return [Job(store, part, parts.leaves, since) for part in parts.ranges]


def judge(job: Job) -> Judged:
    """Audit one range of streams. Raises what reading a store raises."""
    summary, books = Summary(), Books()
    with open_reader(job.store) as reader:
        integrity = Integrity.of_part(reader, job.leaves, job.since, job.part.low, job.part.high)
        found = list(streams(reader.part(job.part), summary, books, integrity))
        return Judged(found, summary, books, integrity.finished())


def audit_parts(judged: Iterable[Judged], select: Collection[str] | None = None, ignore: Collection[str] = (),
                summary: Summary | None = None, *, indexed: index.Indexed | None = None,
                integrity: Integrity) -> Iterator[Finding]:
    """As :func:`casework.audit.check.audit` of a whole store, of its ranges in their order, as they were judged.

    ``integrity`` is that of the store, of which no leaf was read by stream. Raises what it raises.
    """
    def found(summary: Summary, books: Books) -> Iterator[Finding]:
        for part in judged:
            summary.add(part.summary)
            books.add(part.books)
            if part.drawn is not None:
                integrity.finished((part.drawn,))
            yield from part.findings

    return of_whole(found, select, ignore, summary, indexed, integrity)
