"""The audit: re-check what is recorded, row by row, and report everything that cannot be, as values.

The order is bytes, columns, times, what the case pinned, law, authority (the ledger's hashes come before all this and
are checked elsewhere). Nothing is written, nothing is asked of the living case, and no finding ends the audit of an
event or of a case. What a row cannot show is not found here: a lost tail, or a text exchanged for another, needs the
checkpoint outside the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain, groupby

from casework.audit import index
from casework.audit.columns import contradictions, form, read
from casework.audit.findings import FINDINGS, Fault, Finding, Line, findings_of, shown
from casework.audit.law import judge
from casework.audit.ledger import Ledger
from casework.audit.second import Second
from casework.audit.standing import audit_standing
from casework.audit.walk import Walk
from casework.domain.events import CaseOpened, Event, topic_of
from casework.domain.standing.events import is_standing, merchant_of
from casework.errors import InputError
from casework.store.row import Row


@dataclass(slots=True)
class Summary:
    """How much was audited, and how many findings of each code were reported. A merchant's stream is no case."""

    cases: int = 0
    events: int = 0
    merchants: int = 0
    findings: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def audit_case(rows: Iterable[Row], ledger: Ledger | None = None) -> list[Finding]:
    """Everything wrong with one case, or one merchant's stream, by version and code. Raises nothing.

    ``rows`` are all its rows, by version. What case and stream say of each other is kept in ``ledger``, to be compared when
    both were read.
    """
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return []
    rows = chain((first,), rows)
    if is_standing(first.case):
        standing, stream = audit_standing(rows)
        if ledger is not None:
            ledger.streams[merchant_of(first.case)] = stream
        return standing
    walk, second = Walk(), Second()
    found: list[Finding] = []
    for row in rows:
        number: object = row.version
        version = number if type(number) is int else walk.version + 1
        found.extend(findings_of(row.case, version, _faults(walk, second, row, version, ledger)))
    found.extend(findings_of(first.case, walk.version, second.end(walk)))
    if ledger is not None and walk.broken:
        ledger.broken.add(first.case)
    return sorted(found, key=lambda f: (f.version, f.code))


def audit(rows: Iterable[Row], select: Collection[str] | None = None, ignore: Collection[str] = (),
          summary: Summary | None = None, *, whole: bool = True, indexed: index.Indexed | None = None) -> Iterator[Finding]:
    """The findings of a store, a case at a time. ``rows`` come ordered by case, then version.

    Where they are those of a ``whole`` store, cases and merchants' standings are held against each other in the end, and the
    index of duties of the store ``indexed`` against the events.
    Only codes in ``select`` (None: all) and not in ``ignore`` are reported. ``summary`` is filled as the findings are
    drawn. :class:`~casework.errors.InputError`, before any row is read, for a code that does not exist.
    """
    wanted = {_known(code) for code in (FINDINGS if select is None else select)} - {_known(code) for code in ignore}
    summary = Summary() if summary is None else summary
    return _wanted(_audit(rows, summary, Ledger() if whole else None, indexed if whole else None), wanted, summary)


def _wanted(found: Iterable[Finding], wanted: Collection[str], summary: Summary) -> Iterator[Finding]:
    for finding in found:
        if finding.code in wanted:
            summary.findings[finding.code] += 1
            yield finding


def _audit(rows: Iterable[Row], summary: Summary, ledger: Ledger | None, indexed: index.Indexed | None) -> Iterator[Finding]:
    # By type as well, for a key may be of any type, and text must not be compared with bytes.
    for (_, name), case in groupby(rows, key=lambda row: (type(row.case), row.case)):
        if is_standing(name):
            summary.merchants += 1
        else:
            summary.cases += 1
        yield from audit_case(_counted(case, summary), ledger)
    if ledger is not None:
        yield from ledger.compared()
        if indexed is not None:
            yield from index.compared(ledger.running, indexed)


def _counted(rows: Iterable[Row], summary: Summary) -> Iterator[Row]:
    for row in rows:
        summary.events += 1
        yield row


def _known(code: str) -> str:
    if code in FINDINGS:
        return code
    near = get_close_matches(code, FINDINGS, n=1)
    guess_en = f"did you mean '{near[0]}'?" if near else f"one of: {', '.join(FINDINGS)}"
    guess_zh = f"是否指“{near[0]}”？" if near else f"可用：{'、'.join(FINDINGS)}"
    raise InputError(f"unknown finding {shown(code)}; {guess_en}", f"未知的发现代码 {shown(code)}；{guess_zh}")


def _faults(walk: Walk, second: Second, row: Row, version: int, ledger: Ledger | None) -> Iterator[Fault]:
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
    verdict = second.verdict(walk, event)
    found = list(judge(walk, event))
    yield from found
    yield from second.compared(walk, event, verdict, {fault.code for fault in found})
    if ledger is not None:
        ledger.note(walk, event)


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
