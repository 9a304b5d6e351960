"""The audit: re-check what is recorded, row by row, and report everything that cannot be, as values.

The order is the ledger's hashes, bytes, columns, times, what the case pinned, law, authority. Nothing is written, nothing is
asked of the living case, and no finding ends the audit of an event or of a case. What a store cannot show by itself, a lost
tail or a history that was rewritten whole, is found against what was signed outside it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby, islice

from casework.audit import index
from casework.audit.books import Books
from casework.audit.codes import FINDINGS
from casework.audit.columns import contradictions, form, read
from casework.audit.deadlines import recorded_late
from casework.audit.findings import Fault, Finding, Line, findings_of, shown
from casework.audit.integrity import Integrity
from casework.audit.law import judge
from casework.audit.quick import nothing_against
from casework.audit.second import Second
from casework.audit.select import named
from casework.audit.standing import audit_standing
from casework.audit.walk import Walk
from casework.domain.events import CaseOpened, Event, topic_of
from casework.domain.standing.events import is_standing, merchant_of
from casework.store.row import Row

#: How many rows of one case are held at once; a longer one is told row by row.
MANY = 500


@dataclass(slots=True)
class Summary:
    """How much was audited, and how many findings, and notes, of each code were reported. A merchant's stream is no case.

    ``whole`` says whether all of the store was, so that cases, standings and the index of duties were held against each other;
    ``proved`` how many commits were shown to be what a kept checkpoint says, and were not judged again.
    """

    whole: bool = True
    proved: int = 0
    cases: int = 0
    events: int = 0
    merchants: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Summary) -> None:
        """Count what another part of the store holds as well; its findings are counted as they are reported."""
        self.cases, self.events, self.merchants = (
            self.cases + other.cases, self.events + other.events, self.merchants + other.merchants)

    @property
    def clean(self) -> bool:
        """Whether nothing was found; a note is nothing wrong."""
        return not self.findings


def audit_case(rows: Iterable[Row], books: Books | None = None) -> list[Finding]:
    """Everything wrong with one case, or one merchant's stream, by version and code. Raises nothing.

    ``rows`` are all its rows, by version. What case and stream say of each other is kept in ``books``, to be compared when
    both were read.
    """
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return []
    if is_standing(first.case):
        standing, stream = audit_standing(chain((first,), rows))
        if books is not None:
            books.told(merchant_of(first.case), stream)
        return standing
    held = [first, *islice(rows, MANY)]
    if len(held) <= MANY and nothing_against(held, books):
        return []
    return judged(chain(held, rows), books)


def judged(rows: Iterable[Row], books: Books | None = None) -> list[Finding]:
    """What :func:`audit_case` finds in a case, told row by row: the slow path, of which the fast one is an abridgement."""
    rows = iter(rows)
    first = next(rows)
    rows = chain((first,), rows)
    walk, second = Walk(), Second()
    found: list[Finding] = []
    for row in rows:
        number: object = row.version
        version = number if type(number) is int else walk.version + 1
        found.extend(findings_of(row.case, version, _faults(walk, second, row, version, books), row))
    found.extend(findings_of(first.case, walk.version, second.end(walk)))
    if books is not None:
        books.closed()
        if walk.broken:
            books.broken.add(first.case)
    return sorted(found, key=_place_of)


def audit(rows: Iterable[Row], select: Collection[str] | None = None, ignore: Collection[str] = (),
          summary: Summary | None = None, *, whole: bool = True, indexed: index.Indexed | None = None,
          integrity: Integrity | None = None) -> Iterator[Finding]:
    """The findings of a store, a case at a time. ``rows`` come ordered by case, then version.

    Where they are those of a ``whole`` store, cases and merchants' standings are held against each other in the end, and the
    index of duties of the store ``indexed`` against the events. ``integrity`` holds all of it against the ledger and what was
    signed outside; where that knows of a checkpoint that the store still contains, what was recorded before is proved
    unchanged, and only what came after is judged.
    Only what ``select`` names (codes, families, severities; None: all) and ``ignore`` does not is reported. ``summary`` is filled
    as the findings are drawn. :class:`~casework.errors.InputError`, before any row is read, for a name that there is not.
    """
    def found(summary: Summary, books: Books | None) -> Iterator[Finding]:
        return streams(rows, summary, books, integrity)

    return _asked(found, select, ignore, summary, Books() if whole else None, indexed, integrity)


def of_whole(found: Callable[[Summary, Books], Iterator[Finding]], select: Collection[str] | None, ignore: Collection[str],
             summary: Summary | None, indexed: index.Indexed | None, integrity: Integrity | None) -> Iterator[Finding]:
    """An audit of a whole store, wherever its streams are judged: ``found`` gives their findings, and fills what it is given."""
    books = Books()
    return _asked(lambda counted, _: found(counted, books), select, ignore, summary, books, indexed, integrity)


def _asked(found: Callable[[Summary, Books | None], Iterator[Finding]], select: Collection[str] | None, ignore: Collection[str],
           summary: Summary | None, books: Books | None, indexed: index.Indexed | None, integrity: Integrity | None
           ) -> Iterator[Finding]:
    wanted = named(FINDINGS if select is None else select) - named(ignore)
    summary = Summary() if summary is None else summary
    since = integrity.since if integrity else None
    summary.whole, summary.proved = books is not None and since is None, since.size if since else 0
    return _wanted(chain(found(summary, books), _store(summary, books, indexed, integrity)), wanted, summary)


def _wanted(found: Iterable[Finding], wanted: Collection[str], summary: Summary) -> Iterator[Finding]:
    for finding in found:
        if finding.code in wanted:
            (summary.notes if finding.severity == "note" else summary.findings)[finding.code] += 1
            yield finding


def streams(rows: Iterable[Row], summary: Summary, books: Books | None, integrity: Integrity | None) -> Iterator[Finding]:
    """The findings of each case and standing by itself; what is asked of the store as a whole is left to the end of an audit."""
    for (_, name), case in groupby(rows, key=_stream_of):
        if is_standing(name):
            summary.merchants += 1
        else:
            summary.cases += 1
        rest = _counted(case, summary)
        held = list(islice(rest, MANY + 1))
        yield from _stream(name, held if len(held) <= MANY else chain(held, rest), books, integrity)


def _stream_of(row: Row) -> tuple[type, str]:
    # By type as well, for a key may be of any type, and text must not be compared with bytes.
    return type(row.case), row.case


def _store(summary: Summary, books: Books | None, indexed: index.Indexed | None,
           integrity: Integrity | None) -> Iterator[Finding]:
    if integrity is not None:
        yield from integrity.rest()
    if books is not None and summary.whole:
        yield from books.compared()
        if indexed is not None:
            yield from index.compared(books.duties, indexed)


def _stream(name: str, rows: Iterable[Row], books: Books | None, integrity: Integrity | None) -> Iterator[Finding]:
    """One case or standing: its bytes against the ledger, and what they say against the law."""
    if integrity is None:
        yield from audit_case(rows, books)
        return
    held: list[Finding] = []
    known, last = integrity.proved(name)
    rows = integrity.held(name, rows, held)
    if known and known == last:
        deque(rows, maxlen=0)  # nothing was recorded since: that it is what it was is all there is to say
        judged = []
    else:
        judged = [f for f in audit_case(rows, books) if f.version > known]
    yield from sorted((*held, *judged), key=_place_of)


def _place_of(finding: Finding) -> tuple[int, str]:
    return finding.version, finding.code


def _counted(rows: Iterable[Row], summary: Summary) -> Iterator[Row]:
    for row in rows:
        summary.events += 1
        yield row


def _faults(walk: Walk, second: Second, row: Row, version: int, books: Books | None) -> Iterator[Fault]:
    yield from _place(walk, version)
    first, walk.version = walk.version == 0, version
    event = read(row)
    if not isinstance(event, Event):
        yield event if isinstance(event, Fault) else Fault(
            "unreadable_event", Line(f"主题 {shown(row.topic)}", f"topic {shown(row.topic)}"),
            Line("案件中不能有商家记录的事件", "an event of a merchant's standing has no place in a case"))
        yield from contradictions(row, None)
        walk.pass_over(row)
        return
    yield from form(row, event)
    yield from contradictions(row, event)
    yield from _times(walk, event)
    if first and not isinstance(event, CaseOpened):
        yield _not_opened(walk, event)
    yield from recorded_late(walk, event)
    verdict = second.verdict(walk, event)
    found = list(judge(walk, event))
    yield from found
    yield from second.compared(walk, event, verdict, {fault.code for fault in found})
    if books is not None:
        books.note(walk, row.case, event)


def _place(walk: Walk, version: int) -> Iterator[Fault]:
    due = walk.version + 1
    if version != due:
        why = Line(f"应为版本 {due}", f"version {due} was due")
        walk.break_off(Line(f"缺少版本 {due} 或顺序有误", f"version {due} is missing or out of its place"))
        yield Fault("version_gap", Line(f"版本 {version}", f"version {version}"), why)


def _times(walk: Walk, event: Event) -> Iterator[Fault]:
    for name, now, last in (("at", event.at, walk.at), ("recorded_at", event.recorded_at, walk.recorded_at)):
        if last is not None and now < last:
            yield Fault("time_backwards", Line(f"{name} {now.isoformat()}", f"{name} {now.isoformat()}"),
                        Line(f"上一事件为 {last.isoformat()}", f"the event before has {last.isoformat()}"))
    if event.at > event.recorded_at:
        at, recorded = f"at {event.at.isoformat()}", f"recorded_at {event.recorded_at.isoformat()}"
        yield Fault("at_after_recorded", Line(at, at), Line(recorded, recorded))


def _not_opened(walk: Walk, event: Event) -> Fault:
    name = topic_of(type(event))
    walk.break_off(Line("案件没有以立案开始", "the case does not begin with its opening"))
    return Fault("not_opened", Line(f"首个事件是 {name}", f"the first event is {name}"),
                 Line("案件以立案事件开始", "a case begins with the event that opens it"))
