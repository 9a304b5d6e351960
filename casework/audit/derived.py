"""What an event holds beside what was said, derived once more: identifiers, the offer meant, the platform's reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from casework.audit.basis import basis_again
from casework.audit.findings import Fault, Line, shown
from casework.audit.limits import limit
from casework.audit.rules import no_edition, no_history
from casework.audit.walk import Walk
from casework.domain import events as e

#: Identifiers count from 1 within a case, by the kind of thing.
PREFIXES: dict[type[e.Event], str] = {
    e.EvidenceAdded: "E", e.OfferMade: "O", e.MatterReferred: "R", e.TippedOff: "T",
}


def derived_differs(walk: Walk, event: e.Event) -> Iterator[Fault]:
    """Every derived value that is not what the events before, the time and the pinned edition give."""
    match event:
        case e.EvidenceAdded() | e.OfferMade() | e.MatterReferred() | e.TippedOff():
            prefix = PREFIXES[type(event)]
            walk.numbers[prefix] = number = walk.numbers.get(prefix, 0) + 1
            if walk.broken:
                yield from no_history(walk)
            elif event.id != f"{prefix}-{number}":
                yield _differs("id", event.id, f"{prefix}-{number}")
        case e.OfferAccepted() | e.OfferDeclined() if walk.facts is not None and not walk.broken:
            # Without an open offer the guard has said so already.
            if (open_now := walk.facts.open_offer) is not None and event.offer != open_now.id:
                yield _differs("offer", event.offer, open_now.id)
        case e.CaseRuled() if any(process.explains for process in walk.processes):
            yield from _basis(walk, event)
        case e.CaseRuled() if walk.processes and event.basis:
            yield _differs("basis", _rows(event.basis), "—")
        case e.ComplaintFiled() | e.DefaultReported() | e.FiledCaseReopened() | e.EvidenceSupplied():
            yield from _reply_by(walk, event.reply_by, event.at)


def _basis(walk: Walk, event: e.CaseRuled) -> Iterator[Fault]:
    """What the ruling says that it rests on is what the facts and the rules give."""
    if walk.broken or walk.facts is None:
        yield from no_history(walk)
        return
    if walk.edition is None:
        yield from no_edition(walk)
        return
    try:
        derived = basis_again(walk.facts, event.data, walk.edition, event.at)
    except Exception as error:  # values that no command lets in
        yield from walk.unchecked(Line("裁决依据", "the ruling's basis"),
                                  Line(f"出错：{type(error).__name__}", f"it failed with {type(error).__name__}"))
        return
    if event.basis != derived:
        more, lacking = [b for b in event.basis if b not in derived], [b for b in derived if b not in event.basis]
        # Where they differ in nothing but their order, or in how often a row is there, all are told.
        told, due = (more, lacking) if more or lacking else (event.basis, derived)
        yield _differs("basis", _rows(told), _rows(due))


def _rows(basis: Iterable[e.Basis]) -> str:
    return " | ".join(" ".join(filter(None, (b.row, b.result, b.certainty, b.rule, b.clause))) for b in basis) or "—"


def _reply_by(walk: Walk, told: e.Due, start: datetime) -> Iterator[Fault]:
    if walk.edition is None:
        yield from no_history(walk) if walk.facts is None else no_edition(walk)
        return
    try:
        due = limit(walk.edition, "platform.reply", start)
    except Exception as error:  # a time or an edition that no command lets in
        yield from walk.unchecked(Line("reply_by", "reply_by"),
                                  Line(f"出错：{type(error).__name__}", f"it failed with {type(error).__name__}"))
        return
    for name in ("rule", "clause", "certainty"):
        if getattr(told, name) != getattr(due, name):
            yield _differs(f"reply_by.{name}", getattr(told, name), getattr(due, name))
    if due.unit != "working_day" and told.provisional:
        yield _differs("reply_by.provisional", True, False)
    elif due.provisional and not told.provisional:
        yield from walk.unchecked(Line("reply_by", "reply_by"), Line(
            "所装的工作日历不含该期限", "the installed working-day calendar does not cover it"))
    elif not told.provisional and told.at != due.at:
        yield _differs("reply_by.at", told.at.isoformat(), due.at.isoformat())


def _differs(name: str, told: object, derived: object) -> Fault:
    return Fault("derived_differs", Line(f"{name} 为 {shown(told)}", f"{name} is {shown(told)}"),
                 Line(f"重新得出 {shown(derived)}", f"derived again it is {shown(derived)}"))
