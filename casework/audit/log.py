"""The audit of a log of events: any list of case, step and time, held against a lifecycle.

A log has no payloads, parties or facts: what is asked is whether a case's events follow one another in number and time, whether
each step is one that the lifecycle has there, and whether ``from`` and ``to``, where the log has them, are what the steps yield.
Codes that the audit of a store has mean here what they mean there. How a file becomes entries is in
:mod:`casework.audit.logfile`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from casework.audit.check import Summary
from casework.audit.findings import Fault, Finding, Line, findings_of, shown
from casework.audit.process import OPENING, Process

#: An event: its line (or row) from 1, case, version, trigger, from, to, at, recorded_at, as text or as a typed file holds them;
#: empty or None where there is nothing. An event without a trigger is one beside the lifecycle.
Entry = tuple[int, Any, Any, Any, Any, Any, Any, Any]
#: A line that is no event, and why.
Unreadable = tuple[int, Line]
#: Where a case stands: how many events it had (or the last version), its state, and the times of the last one.
Place = tuple[int, str, datetime, datetime]

_BEFORE = datetime.min.replace(tzinfo=UTC)
LINE = Line("行", "line")
ROW = Line("数据行", "row")


class LogAudit:
    """Audits a log, entry by entry, in whatever order its cases come; what it keeps of each case is its place."""

    def __init__(self, process: Process, summary: Summary, *, with_states: bool, unit: Line = LINE, fast: bool = True) -> None:
        """``with_states`` says whether the log says ``from`` and ``to``; ``unit`` what its entries are counted by.

        ``fast`` passes an event of which nothing can be wrong without judging it, which is what tests hold it against.
        """
        self._process = process
        self._summary = summary
        self._with_states = with_states
        self._unit = unit
        self._fast = fast
        self._states = process.states
        self._triggers = process.triggers

    def findings(self, entries: Iterable[Entry | Unreadable]) -> Iterator[Finding]:
        """What is wrong with the entries, in their order."""
        places: dict[str, Place] = {}
        start: Place = (0, self._process.initial, _BEFORE, _BEFORE)
        steps, beside, with_states, fast = self._process.steps, self._process.beside, self._with_states, self._fast
        events, parse = 0, datetime.fromisoformat
        for entry in entries:
            if len(entry) == 2:
                yield from findings_of("", 0, [Fault("unreadable_line", self._at(entry[0]), entry[1])], entry)
                continue
            _, case, version, trigger, source, to, at, recorded_at = entry
            place = places.get(case, start)
            events += 1
            if fast:
                number, state, before, written = place
                try:
                    now = at if type(at) is datetime else parse(at)
                    if now.tzinfo is None:
                        now = now.replace(tzinfo=UTC)
                    if recorded_at:
                        record = recorded_at if type(recorded_at) is datetime else parse(recorded_at)
                        if record.tzinfo is None:
                            record = record.replace(tzinfo=UTC)
                    else:
                        record = written
                    number += 1
                    if with_states:
                        after = steps[state][trigger] if trigger else state
                        lawful = source == state and to == after if trigger else not (source or to)
                    elif trigger in beside:
                        after, lawful = state, trigger != OPENING or number == 1
                    else:
                        after, lawful = steps[state][trigger], True
                    if (lawful and now >= before and record >= written and (now <= record or not recorded_at)
                            and (version is None or version == "" or int(version) == number) and case):
                        places[case] = number, after, now, record
                        continue
                except (KeyError, ValueError, TypeError):
                    pass  # whatever that was, it is found again where it is judged
            faults, place = self._judge(place, entry)
            if case:
                places[case] = place
            yield from findings_of(case or "", place[0] if case else 0, faults, entry)
        self._summary.events += events
        self._summary.cases += len(places)

    def _judge(self, place: Place, entry: Entry) -> tuple[list[Fault], Place]:
        """Everything that is wrong with one event, and where its case stands behind it: one fault hides no other."""
        line, case, version, trigger, source, to, at, recorded_at = entry
        if not case:
            return [Fault("unreadable_line", self._at(line), Line("没有案件编号", "it names no case"))], place
        faults: list[Fault] = []
        number, state, before, written = place
        number = self._number(faults, line, version, number)
        now = self._time(faults, line, "at", at, before)
        record = self._time(faults, line, "recorded_at", recorded_at, written) if recorded_at else written
        if recorded_at and now > record:
            faults.append(Fault("at_after_recorded", self._at(line, f"at {now.isoformat()}"),
                                Line(*2 * (f"recorded_at {record.isoformat()}",))))
        if not self._with_states and trigger in self._process.beside:
            if trigger == OPENING and place[0]:
                faults.append(Fault("opened_twice", self._at(line, trigger),
                                    Line("案件此前已有事件", "the case had events before")))
        elif trigger or source or to or not self._with_states:
            state = self._step(faults, line, state, trigger or None, source or None, to or None)
        return faults, (number, state, now, record)

    def _step(self, faults: list[Fault], line: int, state: str, trigger: str | None, source: str | None, to: str | None) -> str:
        """Where a step leads: where it says, if there is such a state, else where the lifecycle has it lead."""
        said = f"{shown(trigger)}: {shown(source)} → {shown(to)}" if self._with_states else shown(trigger)
        what = self._at(line, said)
        if trigger is None or (self._with_states and None in (source, to)):
            faults.append(Fault("unlawful_edge", what, Line("流程步骤缺少 trigger、from 或 to",
                                                            "a step without its trigger, from or to")))
        origin = source or state
        due = self._process.steps.get(origin, {}).get(trigger or "")
        if due is None and trigger is not None:
            why = (Line(f"{shown(origin)} 没有 {trigger}", f"no {trigger} leaves {shown(origin)}")
                   if trigger in self._triggers else
                   Line(f"流程没有步骤 {shown(trigger)}", f"the lifecycle has no step {shown(trigger)}"))
            faults.append(Fault("unlawful_edge", what, why))
        elif due is not None and to not in (None, due):
            faults.append(Fault("unlawful_edge", what, Line(f"{trigger} 应到 {due}", f"{trigger} leads to {due}")))
        if source not in (None, state):
            faults.append(Fault("state_not_yielded", self._at(line, f"from {shown(source)}"),
                                Line(f"此前事件得出 {state}", f"the events before yield {state}")))
        return to if to is not None and to in self._states else due or state

    def _number(self, faults: list[Fault], line: int, version: Any, last: int) -> int:
        if version in (None, ""):
            return last + 1
        try:
            number = int(version)
        except (ValueError, TypeError):
            faults.append(Fault("unreadable_line", self._at(line, f"version {shown(version)}"),
                                Line("版本号不是整数", "the version is no whole number")))
            return last + 1
        if number != last + 1:
            faults.append(Fault("version_gap", self._at(line, f"version {number}"),
                                Line(f"应为版本 {last + 1}", f"version {last + 1} was due")))
        return number

    def _time(self, faults: list[Fault], line: int, name: str, said: Any, before: datetime) -> datetime:
        """The time, in UTC where it has no offset; of one that is none, that of the event before."""
        try:
            now = said if isinstance(said, datetime) else datetime.fromisoformat(said)
        except (ValueError, TypeError):
            faults.append(Fault("unreadable_line", self._at(line, f"{name} {shown(said or None)}"),
                                Line("不是 ISO 8601 时间", "that is no ISO 8601 time")))
            return before
        if now.tzinfo is None:
            now = now.replace(tzinfo=UTC)
        if now < before:
            faults.append(Fault("time_backwards", self._at(line, f"{name} {now.isoformat()}"),
                                Line(f"上一事件为 {before.isoformat()}", f"the event before has {before.isoformat()}")))
        return now

    def _at(self, line: int, said: str = "") -> Line:
        zh, en = f"第 {line} {self._unit.zh}", f"{self._unit.en} {line}"
        return Line(f"{zh}：{said}", f"{en}: {said}") if said else Line(zh, en)
