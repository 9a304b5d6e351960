"""The duties of a case, derived once more as of each event: what was opened, met, missed; and who decided too late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import zip_longest

from msgspec.structs import replace

from casework.audit.duties import duties_of
from casework.audit.findings import Fault, Line, shown
from casework.audit.rules import no_edition, no_history
from casework.audit.walk import Walk
from casework.domain import events as e
from casework.domain.check import SHANGHAI
from casework.domain.duties import DUTIES
from casework.domain.facts import NEVER
from casework.rulebook.edition import edition

#: How far an estimate may be off: the holidays of a year come to some thirty days.
ESTIMATE = timedelta(days=31)
#: The duties of whoever decides.
DECIDES = {row.name for row in DUTIES if row.decides}


def duties_differ(walk: Walk, event: e.Event, to: str | None) -> Iterator[Fault]:
    """Every change of a duty that is not what the facts, the event and the pinned edition give; the walk goes on with theirs.

    ``to`` is where the event leads by the lifecycle, whatever it says itself: that is another finding.
    """
    rows = walk.processes[0].duties if len(walk.processes) == 1 else {}
    if not rows:
        if event.duties and len(walk.processes) == 1:
            yield _differs(event.duties[0], None)
        return
    opening = isinstance(event, e.CaseOpened)
    if opening and walk.facts is not None:
        return  # opened twice
    if walk.broken or (walk.facts is None) is not opening:
        yield from no_history(walk)
        return
    if walk.edition is None:
        yield from no_edition(walk)
        return
    adopted = edition(event.data.edition) if isinstance(event, e.EditionAdopted) else None
    try:
        meant = event if event.to_state == to else replace(event, from_state=walk.state if to else None, to_state=to)
        derived = duties_of(rows, walk.facts, meant, walk.edition, adopted)
    except Exception as error:  # values that no command lets in: whatever becomes of them, the audit goes on
        yield from walk.unchecked(Line("期限", "duties"),
                                  Line(f"出错：{type(error).__name__}", f"it failed with {type(error).__name__}"))
        return
    for told, due in zip_longest(event.duties, derived):
        if told is None or due is None or not _same(told, due):
            if told is not None and due is not None and _is_beyond_calendar(told, due):
                yield from walk.unchecked(Line("期限", "duties"), Line(
                    "所装的工作日历不含该期限", "the installed working-day calendar does not cover it"))
                continue
            yield _differs(told, due)
            walk.duties = derived
            break


def decided_late(walk: Walk, event: e.Event) -> Iterator[Fault]:
    """Whoever had to decide did so after the limit that the rules set. A figure that nobody verified convicts nobody."""
    if walk.facts is None or walk.broken:
        return
    missed = {change.id for change in event.duties if change.change == "missed"}
    for change in event.duties:
        duty = walk.facts.duties.get(change.id)
        if duty is None or change.change != "met" or duty.kind not in DECIDES or duty.due.certainty == "C":
            continue
        if duty.state == "missed" or duty.id in missed:
            due, at = (moment.astimezone(SHANGHAI).isoformat(timespec="seconds") for moment in (duty.due.at, event.at))
            yield Fault("decided_late", Line(f"{duty.owes} 于 {at}", f"{duty.owes} at {at}"),
                        Line(f"{duty.id} 的期限为 {due}（{duty.due.clause}）", f"{duty.id} was due by {due} ({duty.due.clause})"))


def recorded_late(walk: Walk, event: e.Event) -> Iterator[Fault]:
    """A duty met in time by the time that was said, and recorded when its time was over: who recorded it vouches for that.

    ``walk`` stands before the event. Nothing is wrong by itself; but whoever backdates would do just this.
    """
    if walk.facts is None or walk.broken:
        return
    for change in event.duties:
        duty = walk.facts.duties.get(change.id)
        if duty is not None and change.change == "met" and event.at <= duty.due.at < event.recorded_at:
            at, due, recorded = (moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
                                 for moment in (event.at, duty.due.at, event.recorded_at))
            yield Fault("recorded_late", Line(f"{duty.id} 称于 {at} 履行", f"{duty.id} was met at {at}, as is said"),
                        Line(f"期限为 {due}，记录于 {recorded}", f"it was due by {due}, and that was recorded at {recorded}"))


def _same(told: e.DutyChange, derived: e.DutyChange) -> bool:
    if told == derived:
        return True
    if told.due is None or derived.due is None or not told.due.provisional:
        return False
    # A provisional time is an estimate: a calendar that came later gives another, but none that is far from it.
    return _bare(told) == _bare(derived) and is_near(told.due.at, derived.due.at)


def is_near(one: datetime, other: datetime) -> bool:
    """Whether two times may be the same limit by a calendar and by an estimate of it."""
    return abs(one - other) <= ESTIMATE


def _is_beyond_calendar(told: e.DutyChange, derived: e.DutyChange) -> bool:
    return (derived.due is not None and derived.due.provisional and told.due is not None and _bare(told) == _bare(derived)
            and is_near(told.due.at, derived.due.at))


def _bare(change: e.DutyChange) -> e.DutyChange:
    """The change but for its time."""
    return replace(change, due=change.due and replace(change.due, at=NEVER, provisional=False))


def _differs(told: e.DutyChange | None, derived: e.DutyChange | None) -> Fault:
    """The fault, naming the fields in which the two differ."""
    one, other = _fields(told), _fields(derived)
    names = [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
    which = (told or derived)
    what = f"{which.id} {which.duty}" if which else "—"
    zh, en = f"期限变动 {shown(what)}：{_told(one, names)}", f"the change of {shown(what)}: {_told(one, names)}"
    return Fault("derived_differs", Line(zh, en),
                 Line(f"重新得出 {_told(other, names)}", f"derived again it is {_told(other, names)}"))


def _told(fields: dict[str, object], names: list[str]) -> str:
    return ", ".join(f"{name}={shown(str(fields.get(name, '—')))}" for name in names) or "—"


def _fields(change: e.DutyChange | None) -> dict[str, object]:
    """A change as flat fields, times where the days of the law are counted."""
    if change is None:
        return {}
    flat: dict[str, object] = {name: getattr(change, name) for name in ("change", "id", "duty", "owes", "about")}
    if change.due is not None:
        flat |= {f"due.{name}": getattr(change.due, name) for name in change.due.__struct_fields__}
        flat["due.at"] = change.due.at.astimezone(SHANGHAI).isoformat(timespec="seconds")
    return flat
