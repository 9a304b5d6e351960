"""A merchant's stream, derived a second time: what it says by itself, event by event.

The guards and the table of tracks are the domain's, for they are the law; the facts, the sums of points and what a node
brings are worked out here anew. Whether the cases bear it out is asked in :mod:`casework.audit.books`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from casework.audit.columns import contradictions, form, read
from casework.audit.findings import Fault, Finding, Line, findings_of, shown
from casework.domain.standing import events as e
from casework.domain.standing.commands import StandingCommand, standing_name_of
from casework.domain.standing.facts import Debt, Measure, Penalty, StandingFacts
from casework.domain.standing.guards import STANDING_GUARDS, who_may
from casework.domain.standing.rules import RULES, year_of
from casework.errors import Reason
from casework.store.row import Row


@dataclass(slots=True)
class StandingWalk:
    """What is known between two rows. ``awaited`` are the measures that have to follow, as node, lifted or taken."""

    facts: StandingFacts
    version: int = 0
    recorded_at: datetime | None = None
    broken: Line | None = None
    awaited: list[tuple[str, int, int, bool]] = field(default_factory=list)
    followed: list[e.StandingEvent] = field(default_factory=list)
    meant: e.StandingEvent | None = None
    _told: set[str] = field(default_factory=set)

    def break_off(self, why: Line) -> None:
        """From here on the facts are incomplete; the first cause is the one that is told."""
        self.broken = self.broken or why
        self.awaited = []

    def unchecked(self, what: Line, why: Line) -> Iterator[Fault]:
        """The same thing that cannot be checked is told once."""
        if what.en not in self._told:
            self._told.add(what.en)
            yield Fault("not_checked", what, why)


def audit_standing(rows: Iterable[Row]) -> tuple[list[Finding], StandingWalk]:
    """Everything wrong with one merchant's stream by itself, and what it recorded of cases. Raises nothing."""
    walk, found, last = StandingWalk(StandingFacts("")), [], ""
    for row in rows:
        number: object = row.version
        version = number if type(number) is int else walk.version + 1
        last = row.case
        found += findings_of(row.case, version, _faults(walk, row, version), row)
    if walk.awaited:
        found += findings_of(last, walk.version, [_not_taken(walk)])
    return sorted(found, key=lambda f: (f.version, f.code)), walk


def _faults(walk: StandingWalk, row: Row, version: int) -> Iterator[Fault]:
    due = walk.version + 1
    if version != due:
        walk.break_off(Line(f"缺少版本 {due} 或顺序有误", f"version {due} is missing or out of its place"))
        yield Fault("version_gap", Line(f"版本 {version}", f"version {version}"),
                    Line(f"应为版本 {due}", f"version {due} was due"))
    walk.version = version
    event = read(row)
    if not isinstance(event, e.StandingEvent):
        yield event if isinstance(event, Fault) else Fault(
            "unreadable_event", Line(f"主题 {shown(row.topic)}", f"topic {shown(row.topic)}"),
            Line("商家记录中不能有案件事件", "an event of a case has no place in a merchant's stream"))
        yield from contradictions(row, None)
        walk.break_off(Line(f"版本 {version} 无法读取", f"version {version} could not be read"))
        return
    yield from form(row, event)
    yield from contradictions(row, event)
    yield from _times(walk, event)
    walk.facts.merchant = walk.facts.merchant or e.merchant_of(event.originator_id)
    if walk.broken:
        yield from walk.unchecked(Line("此后依赖先前事件的规则", "from here on, what rests on the events before"), walk.broken)
    else:
        yield from _judge(walk, event)
    if isinstance(event.data, StandingCommand):
        walk.facts.commands.setdefault(event.command_id, version)
    else:
        walk.followed.append(event)
    project(walk.facts, walk.meant or event)
    walk.meant = None


def _times(walk: StandingWalk, event: e.StandingEvent) -> Iterator[Fault]:
    if walk.recorded_at is not None and event.recorded_at < walk.recorded_at:
        now, last = event.recorded_at.isoformat(), walk.recorded_at.isoformat()
        yield Fault("time_backwards", Line(f"recorded_at {now}", f"recorded_at {now}"),
                    Line(f"上一事件为 {last}", f"the event before has {last}"))
    if event.at > event.recorded_at:
        at, recorded = f"at {event.at.isoformat()}", f"recorded_at {event.recorded_at.isoformat()}"
        yield Fault("at_after_recorded", Line(at, at), Line(recorded, recorded))
    walk.recorded_at = event.recorded_at


def _judge(walk: StandingWalk, event: e.StandingEvent) -> Iterator[Fault]:
    facts = walk.facts
    if walk.awaited and not isinstance(event, e.MeasureTaken | e.MeasureLifted):
        yield _not_taken(walk)
        walk.awaited = []
    match event:
        case e.MeasureTaken(data=said) | e.MeasureLifted(data=said):
            yield from _measure(walk, event, said)
        case e.PenaltyImposed(data=said):
            if event.id in facts.penalties or not event.id.startswith(f"{said.case}/{said.ruling}."):
                yield _differs("id", event.id, f"{said.case}/{said.ruling}.N")
            if said.rules not in RULES:
                yield from walk.unchecked(Line(f"扣分规则版本 {said.rules}", f"version {said.rules} of the points table"),
                                          Line("本版软件没有", "this release does not have it"))
            walk.awaited = _measures_due(facts, said.track, event.at, plus=(year_of(event.at), said.points or 0))
        case e.PenaltyAnnulled(data=said):
            penalty = facts.penalties.get(said.penalty)
            if penalty is None or penalty.state == "annulled" or penalty.case != said.case:
                yield Fault("standing_unfounded", Line(f"撤销 {said.penalty}", f"{said.penalty} is annulled"),
                            Line("没有这样一项有效的处罚", "there is no such penalty in force"))
            else:
                walk.awaited = _measures_due(facts, penalty.track, penalty.at, plus=(year_of(penalty.at), -penalty.points))
        case e.AdvanceRecovered(data=said):
            debt = facts.debts.get(said.case)
            rest = debt.owed - debt.repaid if debt else Decimal(0)
            if said.amount != rest:
                yield _differs("amount", said.amount, rest)
        case e.AdvanceOwed():
            pass
        case _:
            yield from _act(walk, event)


def _act(walk: StandingWalk, event: e.StandingEvent) -> Iterator[Fault]:
    facts, command = walk.facts, event.data
    name = standing_name_of(type(command))
    what = Line(f"{event.by} 的 {name}", f"{name} by {event.by}")
    if found := who_may(facts, name, event.by):
        yield Fault("role_may_not", what, _reasons(found))
    thing: Any = None
    if name == "repay_advance":
        thing = facts.debts.get(command.case)
    elif name != "readmit":
        thing = facts.penalties.get(command.penalty)
    if thing is None and name != "readmit":
        yield Fault("guard_refuses", what, Line("[not_on_record] 没有这样一项", "[not_on_record] there is no such thing"))
    elif found := list(STANDING_GUARDS[name](facts, event.by, event.at, thing, command)):
        yield Fault("guard_refuses", what, _reasons(found))
    if thing is not None and name == "decide_appeal" and command.result == "upheld" and thing.state != "annulled":
        walk.awaited = _measures_due(facts, thing.track, thing.at, plus=(year_of(thing.at), -thing.points))
    if (first := facts.commands.get(event.command_id)) is not None:
        yield Fault("command_repeated", Line(f"命令 {shown(event.command_id)}", f"command {shown(event.command_id)}"),
                    Line(f"版本 {first} 已记录", f"version {first} records it already"))


# --- points and measures ---------------------------------------------------------------------------------------------


def _sums(facts: StandingFacts, track: str, plus: tuple[int, int]) -> dict[int, int]:
    """The points of each year on a track, with ``plus`` for the penalty that an event adds or takes away."""
    sums = {plus[0]: plus[1]}
    for p in facts.penalties.values():
        if p.track == track and p.state != "annulled":
            year = year_of(p.at)
            sums[year] = sums.get(year, 0) + p.points
    return sums


def _measures_due(facts: StandingFacts, track: str, at: datetime, plus: tuple[int, int]) -> list[tuple[str, int, int, bool]]:
    """The measures that an event brings or ends: track, year, node, whether it is lifted; in the order of years and nodes."""
    law = RULES[max(RULES)].tracks.get(track)
    if law is None:
        return []
    sums, due = _sums(facts, track, plus), []
    standing = {(m.year, m.node) for m in facts.measures if m.track == track and m.lifted_at is None}
    low, high = law.carries or (0, 0)
    for year in range(year_of(at), year_of(at) + (2 if law.carries else 1)):
        before = sums.get(year - 1, 0)
        carried = before if low <= before < high else 0
        total = carried + sums.get(year, 0)
        for node in law.nodes:
            if (year, node.points) in standing and total < node.points:
                due.append((track, year, node.points, True))
            elif (year, node.points) not in standing and carried < node.points <= total:
                due.append((track, year, node.points, False))
    return due


def _measure(walk: StandingWalk, event: e.StandingEvent, said: Any) -> Iterator[Fault]:
    lifted = isinstance(event, e.MeasureLifted)
    this = (said.track, said.year, said.node, lifted)
    if not walk.awaited or (walk.awaited[0][0], walk.awaited[0][3]) != (said.track, lifted):
        yield Fault("standing_unfounded", _node(this), Line("扣分没有引起这一措施", "the points do not bring that"))
        return
    due = walk.awaited.pop(0)
    if due != this:
        # It is taken for the one that was due, so that one wrong name is one finding.
        yield _differs("node", f"{said.year}: {said.node}", f"{due[1]}: {due[2]}")
        said = replace(said, year=due[1], node=due[2])
        walk.meant = replace(event, data=said)
    sums = _sums(walk.facts, said.track, (0, 0))
    law = RULES[max(RULES)].tracks[said.track]
    low, high = law.carries or (0, 0)
    before = sums.get(said.year - 1, 0)
    points = sums.get(said.year, 0) + (before if low <= before < high else 0)
    if said.points != points:
        yield _differs("points", said.points, points)
    if isinstance(event, e.MeasureTaken):
        node = next(n for n in law.nodes if n.points == said.node)
        until = event.at + timedelta(days=node.days) if node.days else None
        for name, told, derived in (("measure", said.measure, node.measure), ("until", said.until, until),
                                    ("clause", said.clause, law.clause), ("certainty", said.certainty, law.certainty)):
            if told != derived:
                yield _differs(name, told, derived)


def _not_taken(walk: StandingWalk) -> Fault:
    return Fault("standing_missing", _node(walk.awaited[0]),
                 Line("扣分应引起这一措施而未记录", "the points bring it, and it is not there"))


def _node(due: tuple[str, int, int, bool]) -> Line:
    track, year, node, lifted = due
    return Line(f"{track} {year} 年节点 {node} 的措施{'解除' if lifted else ''}",
                f"the measure at node {node} of {track} in {year}{', lifted' if lifted else ''}")


def _differs(name: str, told: object, derived: object) -> Fault:
    return Fault("standing_differs", Line(f"{name} 为 {shown(str(told))}", f"{name} is {shown(str(told))}"),
                 Line(f"重新得出 {shown(str(derived))}", f"derived again it is {shown(str(derived))}"))


def _reasons(found: Iterable[Reason]) -> Line:
    once = [r for _, r in sorted({r.code: r for r in found}.items())]
    return Line("；".join(f"[{r.code}] {r.zh}" for r in once), "; ".join(f"[{r.code}] {r.en}" for r in once))


# --- facts -----------------------------------------------------------------------------------------------------------


def project(facts: StandingFacts, event: e.StandingEvent) -> None:
    """The facts after one more event; what refers to something that is not there is passed over."""
    facts.version, facts.recorded_at = event.originator_version, event.recorded_at
    match event:
        case e.PenaltyImposed(data=said):
            facts.penalties[event.id] = Penalty(
                id=event.id, case=said.case, ruling=said.ruling, kind=said.kind, track=said.track, points=said.points or 0,
                clause=said.clause, at=event.at, by=event.by, judges=said.judges, forged=said.forged,
                publish_by=event.publish_by, appeal_by=event.appeal_by)
        case e.PenaltyAnnulled(data=said) if said.penalty in facts.penalties:
            _annul(facts.penalties[said.penalty], event.at)
        case e.AppealLodged(data=said) if said.penalty in facts.penalties:
            facts.penalties[said.penalty].state, facts.penalties[said.penalty].appealed_at = "appealed", event.at
        case e.AppealDecided(data=said) if said.penalty in facts.penalties:
            penalty = facts.penalties[said.penalty]
            penalty.decided_at = event.at
            if said.result == "upheld":
                _annul(penalty, event.at)
            else:
                penalty.state = "confirmed"
        case e.PenaltyPublished(data=said) if said.penalty in facts.penalties:
            facts.penalties[said.penalty].published_at = event.at
        case e.MeasureTaken(data=said):
            facts.measures.append(Measure(track=said.track, year=said.year, node=said.node, kind=said.measure, at=event.at,
                                          until=said.until, clause=said.clause, certainty=said.certainty))
        case e.MeasureLifted(data=said):
            for measure in facts.measures:
                if (measure.track, measure.year, measure.node, measure.lifted_at) == (said.track, said.year, said.node, None):
                    measure.lifted_at = event.at
        case e.AdvanceOwed(data=said) | e.AdvanceRecovered(data=said):
            if said.case not in facts.debts:
                facts.debts[said.case] = Debt(case=said.case, at=event.at, owed=Decimal(0))
            debt = facts.debts[said.case]
            if isinstance(event, e.AdvanceOwed):
                debt.owed += said.amount
            else:
                debt.repaid += said.amount
        case e.AdvanceRepaid(data=said) if said.case in facts.debts:
            facts.debts[said.case].repaid += said.amount
        case e.MerchantReadmitted():
            facts.readmitted.append(event.at)
            for penalty in facts.penalties.values():
                if penalty.kind == "removal":
                    penalty.ended_at = penalty.ended_at or event.at
            for measure in facts.measures:
                if measure.kind == "removal":
                    measure.ended_at = measure.ended_at or event.at


def _annul(penalty: Penalty, at: datetime) -> None:
    penalty.state, penalty.annulled_at = "annulled", at
