"""The audit on histories that were walked at random through the public commands, and kept: what it derives for itself is what
deciding derived, after every event. They were chosen because between them they reach nearly every line of the audit.

    python tests/test_audit_walked.py 17 13 9 ...    walks these seeds again, and keeps them
"""

from __future__ import annotations

import gzip
import itertools
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from domain_helpers import decided_late
from harness.unlawful import ASIDE, History, lawful_history
from recorded import NAMES, golden, recorded

from casework.application.views import events_of
from casework.audit import basis, deadlines, derived, duties
from casework.audit.check import audit, judged
from casework.audit.projector import project
from casework.domain import clocks, fold
from casework.domain import events as e
from casework.domain.basis import basis_of
from casework.domain.burden import SITUATIONS
from casework.domain.categories import ALIASES
from casework.domain.facts import Facts
from casework.domain.remedies import ENTITLEMENTS
from casework.domain.standing.events import is_standing
from casework.domain.values import Extra, Remedy
from casework.domain.vocabulary import REMEDIES
from casework.rulebook.edition import EDITIONS
from casework.store.row import Row

KEPT = Path(__file__).parent / "golden" / "walked.jsonl.gz"
DEPTH = 60


@cache
def walked() -> dict[int, list[Row]]:
    """By seed: the rows of a store with one case, and its merchant's stream."""
    with gzip.open(KEPT, "rt", encoding="utf-8") as lines:
        kept = [json.loads(line) for line in lines]
    return {one["seed"]: History(one["case"], one["stream"]).rows() for one in kept}


def events(rows: list[Row]) -> list[e.Event]:
    """Those of the case."""
    return [event for event in cast(Iterator[e.Event], events_of(rows)) if isinstance(event, e.Event)]


SEEDS = sorted(walked()) if KEPT.exists() else []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kept_walk_is_lawful_but_for_what_was_decided_late(seed: int) -> None:
    rows = walked()[seed]
    found = [(f.code, f.version) for f in audit(rows)]
    assert {code for code, _ in found} <= ASIDE
    assert [(code, version) for code, version in found if code == "decided_late"] == decided_late(events(rows))


@pytest.mark.parametrize("seed", SEEDS)
def test_after_every_event_the_two_readings_hold_the_same(seed: int) -> None:
    mine: Facts | None = None
    theirs: Facts | None = None
    for event in events(walked()[seed]):
        mine = project(mine, event)
        if theirs is None:
            theirs = fold.fold([event])
        else:
            fold.apply(theirs, event)
        assert mine == theirs, event


@pytest.mark.parametrize("seed", SEEDS)
def test_duties_and_bases_are_those_of_deciding_after_every_event(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[tuple[Any, Any]] = []  # to be compared in the end: within the audit a failure would be one of its own

    def of_duties(*given: Any) -> Any:
        held.append((duties.duties_of(*given), clocks.changes(*given)))
        return held[-1][0]

    def of_basis(*given: Any) -> Any:
        held.append((basis.basis_again(*given), basis_of(*given)))
        return held[-1][0]

    monkeypatch.setattr(deadlines, "duties_of", of_duties)
    monkeypatch.setattr(derived, "basis_again", of_basis)
    for stream, rows in groupby(walked()[seed], key=lambda row: row.case):
        if not is_standing(stream):
            judged(rows)
    assert len(held) >= len(events(walked()[seed]))
    for mine, theirs in held:
        assert mine == theirs


# --- the basis of a ruling, by every ground and category ---------------------------------------------------------------------


@cache
def rulings() -> list[tuple[Facts, Any, datetime]]:
    """The facts before each recorded ruling, the ruling, and when."""
    found = []
    cases = [events(rows) for rows in walked().values()] + [list(recorded(name)) for name in NAMES] + [
        list(case) for case in golden().values()]
    for case in cases:
        for number, event in enumerate(case):
            if isinstance(event, e.CaseRuled):
                found.append((fold.fold(case[:number]), event.data, event.at))
    return found


GROUNDS = sorted({ground for row in SITUATIONS.values() for ground in row.grounds})
CATEGORIES = (*sorted(set(ALIASES.values())), "榨汁机", "Something Else")


@pytest.mark.parametrize("edition", sorted(EDITIONS))
def test_the_basis_of_a_ruling_is_that_of_deciding_for_every_ground_and_category(edition: str) -> None:
    """Received half a year before the case was opened, to the day; confirmed before or after; with proofs of every standing."""
    shapes = itertools.cycle(itertools.product(
        (None, 0, 30, 181, 182, 183, 184, 185, 400), (None, 1, -1), (None, Decimal("50.00")), range(5)))
    rows, held = itertools.cycle(rulings()), 0
    for ground, category in itertools.product(GROUNDS, CATEGORIES):
        for _ in range(4):
            (facts, ruling, at), (received, confirmed, agreed, mixed) = next(rows), next(shapes)
            order = msgspec.structs.replace(
                facts.given.order, category=category, liquidated_damages=agreed,
                received_at=None if received is None else facts.opened_at - timedelta(days=received),
                confirmed_at=None if confirmed is None else facts.opened_at - timedelta(days=confirmed))
            evidence = _mixed(facts.evidence, "authenticity", mixed, ("authentic", "forged", "unexamined", "disputed"))
            proofs = _mixed(facts.proofs, "result", mixed, ("accepted", "forged", "missing", "rejected"))
            opening = msgspec.structs.replace(facts.given, ground=ground, order=order)
            changed = msgspec.structs.replace(facts, given=opening, evidence=evidence, proofs=proofs)
            assert basis.basis_again(changed, ruling, EDITIONS[edition], at) == basis_of(changed, ruling, EDITIONS[edition], at)
            held += 1
    assert held > 500


SERVICES = sorted({service for row in ENTITLEMENTS for service in row.services})
#: Below, at and above what is paid, and what multiples of it come to.
AMOUNTS = tuple(map(Decimal, ("0.01", "1.00", "50.00", "100.00", "300.00", "400.00", "500.00", "899.00", "2697.00", "99999.00")))


@pytest.mark.parametrize("edition", sorted(EDITIONS))
def test_the_basis_of_a_ruling_is_that_of_deciding_for_every_remedy_sum_and_service(edition: str) -> None:
    """Granted alone and on top of another, with and without a sum; ordered under older rules and under newer ones."""
    shapes = itertools.cycle(itertools.product(
        GROUNDS, (None, Decimal("50.00"), Decimal("300.00")), (0, 200, 4000), range(len(SERVICES) + 1)))
    rows, held, carried = itertools.cycle(rulings()), 0, set()
    for kind, other, amount in itertools.product(sorted(REMEDIES), (None, *sorted(REMEDIES)), (None, *AMOUNTS)):
        (facts, ruling, at), (ground, agreed, days, services) = next(rows), next(shapes)
        order = msgspec.structs.replace(
            facts.given.order, liquidated_damages=agreed, ordered_at=facts.given.order.ordered_at - timedelta(days=days),
            services=tuple(SERVICES[services:] + SERVICES[:services // 2]))
        extra = () if other is None else (Extra(kind=other, amount=amount),)
        granted = msgspec.structs.replace(ruling, remedy=Remedy(kind=kind, amount=amount, extra=extra))
        changed = msgspec.structs.replace(facts, given=msgspec.structs.replace(facts.given, ground=ground, order=order))
        mine = basis.basis_again(changed, granted, EDITIONS[edition], at)
        assert mine == basis_of(changed, granted, EDITIONS[edition], at)
        carried |= {row.row for row in mine if row.about == "granted"}
        held += 1
    assert held > 1000 and len(carried) > 15


def _mixed(things: dict[Any, Any], name: str, start: int, values: tuple[str, ...]) -> dict[Any, Any]:
    return {key: msgspec.structs.replace(thing, **{name: values[(start + n) % len(values)]})
            for n, (key, thing) in enumerate(things.items())}


if __name__ == "__main__":
    with gzip.GzipFile(KEPT, "w", mtime=0) as file:
        for number in map(int, sys.argv[1:]):
            history = History.of(lawful_history(number, DEPTH))
            file.write((json.dumps({"seed": number, "case": history.docs, "stream": history.streams}, ensure_ascii=False,
                                   sort_keys=True) + "\n").encode())
