"""What cases owe to the standing of their merchants, held against what the merchants' streams say.

An entry a ruling with penalties and an advance is kept while a store is read, packed, until the merchant's stream was read too.
Where the two sides are of one mind then, both are forgotten; what is left at the end is compared then, for cases may come after
their merchant.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from casework.audit.deadlines import is_near
from casework.audit.findings import Digest, Fault, Finding, Line, digest, findings_of, shown
from casework.audit.index import Tally
from casework.audit.standing import StandingWalk
from casework.audit.walk import Walk
from casework.domain import events as c
from casework.domain.facts import Facts
from casework.domain.standing import events as e
from casework.domain.standing.rules import RULES, STANDING_SINCE
from casework.domain.values import Actor
from casework.rulebook.standing import appeal, publication
from casework.store.dues import Index, follow


class Origin(NamedTuple):
    """What of an event of a case the merchant's stream has to say again; ``stored`` is the digest to which findings are bound."""

    case: str
    version: int
    at: datetime
    recorded_at: datetime
    by: Actor
    command_id: str
    stored: Digest


class Entry(NamedTuple):
    """What an event of a case owes: penalties by id, the ids that a review takes away, or an advance paid or recovered."""

    origin: Origin
    penalties: dict[str, dict[str, object]]
    replaced: tuple[str, ...]
    advance: tuple[type[e.StandingEvent], Decimal | None] | None


@dataclass(slots=True)
class Books:
    """Both sides of the books, by merchant; and a tally of the duties that run on, against which the index of the store is held.

    ``running`` are those of the case that is being judged, until it is :meth:`closed`.
    """

    running: Index = field(default_factory=dict)
    duties: Tally = field(default_factory=Tally)
    owed: dict[str, list[bytes]] = field(default_factory=dict)
    streams: dict[str, StandingWalk] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def note(self, walk: Walk, case: str, event: c.Event) -> None:
        """Keep what an event of that case owes, and what it does to duties; ``walk`` stands behind it.

        One that says it is of another case owes nothing: that case may have said the same, and have been told of.
        """
        follow(self.running, event.originator_id, event.duties)
        entry = owed(walk, event) if event.originator_id == case else None
        if entry is not None and walk.facts is not None:
            self.owe(walk.facts.given.order.merchant, entry)

    def closed(self) -> None:
        """The case that was judged has no more events."""
        for due in self.running.values():
            self.duties.add(due)
        self.running.clear()

    def owe(self, merchant: str, entry: Entry) -> None:
        """Keep what an event of a case owes to the standing of that merchant."""
        self.owed.setdefault(merchant, []).append(zlib.compress(pickle.dumps(entry), 1))

    def entries(self, merchant: str) -> dict[tuple[str, int], Entry]:
        """What is owed to the standing of that merchant, by case and version."""
        found: list[Entry] = [pickle.loads(zlib.decompress(packed)) for packed in self.owed.get(merchant, ())]
        return {(entry.origin.case, entry.origin.version): entry for entry in found}

    def told(self, merchant: str, walk: StandingWalk) -> None:
        """Keep what the merchant's stream says, unless it is what is owed, no more and no less.

        Nothing of that stream is lost then: each event of it was found owed, so that of a case which comes later it has nothing.
        """
        self.streams[merchant] = walk
        if not walk.broken and not _upheld(walk) and next(self._merchant(merchant), None) is None:
            self.streams.pop(merchant)
            self.owed.pop(merchant, None)

    def add(self, other: Books) -> None:
        """Take in the books of other streams, which come behind these in the store's order."""
        self.duties.take(other.duties)
        for merchant, owed in other.owed.items():
            self.owed.setdefault(merchant, []).extend(owed)
        for merchant, walk in other.streams.items():
            self.told(merchant, walk)
        self.broken.update(other.broken)

    def compared(self) -> Iterator[Finding]:
        """What one side has and the other has not, and where they differ."""
        for merchant in sorted({*self.owed, *self.streams}):
            yield from self._merchant(merchant)

    def _merchant(self, merchant: str) -> Iterator[Finding]:
        stream, walk = e.stream_of(merchant), self.streams.get(merchant)
        recorded = {_key(event): event for event in walk.followed if _key(event)} if walk else {}
        upheld = _upheld(walk) if walk else set()
        for (case, version), entry in self.entries(merchant).items():
            missing = []
            for key, derived in _wanted(entry, case, version):
                event = recorded.pop(key, None)
                if event is not None:
                    yield from findings_of(stream, event.originator_version, _differences(event, entry, derived), event)
                elif not (key[0] is e.PenaltyAnnulled and key[1] in upheld):
                    missing.append(_missing(key, walk))
            yield from findings_of(case, version, missing, entry.origin.stored)
        for event in recorded.values():
            case = event.data.case
            fault = Line("案件不完整", "the case is incomplete") if case in self.broken else None
            what = Line(f"案件 {case}", f"case {case}")
            yield from findings_of(stream, event.originator_version, [
                Fault("not_checked", what, fault) if fault else
                Fault("standing_unfounded", what, Line("该案没有这样的裁决或垫付", "no ruling or advance of it brings that"))],
                event)


def _upheld(walk: StandingWalk) -> set[str]:
    return {p.id for p in walk.facts.penalties.values() if p.decided_at and p.state == "annulled"}


def owed(walk: Walk, event: c.Event) -> Entry | None:
    """What an event of a case owes to its merchant's standing, if anything; ``walk`` stands behind it."""
    facts = walk.facts
    if facts is None or facts.lifecycle < STANDING_SINCE:
        return None
    if isinstance(event, c.CaseRuled):
        return _ruled(walk, facts, event)
    if isinstance(event, c.AdvancePaid | c.AdvanceRecovered):
        kind = (e.AdvanceOwed, event.data.amount) if isinstance(event, c.AdvancePaid) else (e.AdvanceRecovered, None)
        return Entry(_origin(event), {}, (), kind)
    return None


def _ruled(walk: Walk, facts: Facts, event: c.CaseRuled) -> Entry | None:
    *before, ruling = facts.rulings
    replaced: tuple[str, ...] = ()
    if ruling.review and before:
        replaced = tuple(f"{facts.case}/{before[-1].version}.{n + 1}" for n in range(len(before[-1].penalties)))
    if not ruling.penalties and not replaced:
        return None
    judges: list[str] = []
    for one in facts.rulings:
        if one.by.id not in judges:
            judges.append(one.by.id)
    forged = "forged" in [p.result for p in facts.proofs.values() if p.party == "merchant"] or "forged" in [
        x.authenticity for x in facts.evidence.values() if x.by.role == "merchant"]
    common = {"judges": tuple(judges), "forged": forged, "ground": facts.given.ground} | _deadlines(walk, event)
    penalties = {
        f"{facts.case}/{event.originator_version}.{number}": {"kind": p.kind, "points": p.points, "clause": p.clause} | common
        for number, p in enumerate(event.data.penalties, 1)
    }
    return Entry(_origin(event), penalties, replaced, None)


def _origin(event: c.Event) -> Origin:
    return Origin(event.originator_id, event.originator_version, event.at, event.recorded_at, event.by, event.command_id,
                  digest(event))


def _deadlines(walk: Walk, event: c.CaseRuled) -> dict[str, object]:
    if walk.edition is None:
        return {}
    try:
        return {"publish_by": publication(walk.edition, event.at), "appeal_by": appeal(walk.edition, event.at)}
    except Exception:  # a time that no command lets in
        return {}


_Key = tuple[Any, ...]


def _key(event: e.StandingEvent) -> _Key:
    """By what an event of a stream is found again; empty for one that follows from no case alone."""
    match event:
        case e.PenaltyImposed():
            return (e.PenaltyImposed, event.id)
        case e.PenaltyAnnulled(data=said):
            return (e.PenaltyAnnulled, said.penalty, said.ruling)
        case e.AdvanceOwed(data=said) | e.AdvanceRecovered(data=said):
            return (type(event), said.case, said.version)
    return ()


def _wanted(entry: Entry, case: str, version: int) -> Iterator[tuple[_Key, dict[str, object]]]:
    for name in entry.replaced:
        yield (e.PenaltyAnnulled, name, version), {}
    for name, derived in entry.penalties.items():
        yield (e.PenaltyImposed, name), derived
    if entry.advance is not None:
        kind, amount = entry.advance
        yield (kind, case, version), {} if amount is None else {"amount": amount}


def _differences(event: e.StandingEvent, entry: Entry, derived: dict[str, Any]) -> Iterable[Fault]:
    for name in ("at", "by", "command_id"):
        if getattr(event, name) != getattr(entry.origin, name):
            yield _differs(name, getattr(event, name), getattr(entry.origin, name))
    if event.recorded_at < entry.origin.recorded_at:
        yield _differs("recorded_at", event.recorded_at, entry.origin.recorded_at)
    for name, value in derived.items():
        if name == "ground":
            rules = RULES.get(event.data.rules)
            named = [t for t, law in rules.tracks.items() if value in law.grounds] if rules else [event.data.track]
            named = named or [t for t, law in (rules.tracks.items() if rules else ()) if not law.grounds]
            if event.data.track != named[0]:
                yield _differs("track", event.data.track, named[0])
        elif name in ("publish_by", "appeal_by"):
            yield from _due(name, getattr(event, name), value)
        elif getattr(event.data, name) != value:
            yield _differs(name, getattr(event.data, name), value)


def _due(name: str, told: c.Due | None, derived: Any) -> Iterator[Fault]:
    if told is None or derived is None:
        if (told is None) != (derived is None):
            yield _differs(name, told, derived)
        return
    for part in ("rule", "clause", "certainty"):
        if getattr(told, part) != getattr(derived, part):
            yield _differs(f"{name}.{part}", getattr(told, part), getattr(derived, part))
    # A calendar that was not published then may be by now.
    same = is_near(told.at, derived.at) if told.provisional or derived.provisional else told.at == derived.at
    if not same:
        yield _differs(f"{name}.at", told.at, derived.at)


def _differs(name: str, told: object, derived: object) -> Fault:
    return Fault("standing_differs", Line(f"{name} 为 {shown(str(told))}", f"{name} is {shown(str(told))}"),
                 Line(f"案件得出 {shown(str(derived))}", f"by the case it is {shown(str(derived))}"))


def _missing(key: _Key, walk: StandingWalk | None) -> Fault:
    name = e.standing_topic_of(key[0]).rpartition(".")[2]
    what = Line(f"{name} {key[1]}", f"{name} {key[1]}")
    if walk is not None and walk.broken:
        return Fault("not_checked", what, Line(f"商家记录不完整：{walk.broken.zh}", f"the merchant's stream: {walk.broken.en}"))
    return Fault("standing_missing", what, Line("商家记录中没有", "the merchant's stream does not have it"))
