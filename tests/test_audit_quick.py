"""The audit's two paths over a case: the fast one is silent only where the slow one is, and both keep the same of it.

    python tests/test_audit_quick.py 20000 [SEED]     tries so many altered histories instead of some hundreds
"""

from __future__ import annotations

import copy
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from random import Random
from typing import Any

import pytest
from domain_helpers import case_in
from harness import corners
from harness.unlawful import MUTATIONS, History
from recorded import GOLDEN, NAMES, replayed, row_of
from test_audit import LAWFUL
from test_audit_walked import walked
from test_clean_at_a_glance import altered as with_a_value_replaced

from casework.audit import quick
from casework.audit.books import Books
from casework.audit.check import MANY, audit, audit_case, judged
from casework.audit.findings import Finding
from casework.audit.integrity import Cover, is_covered
from casework.audit.quick import nothing_against
from casework.domain import fold
from casework.domain.facts import Facts
from casework.domain.guards import GUARDS
from casework.domain.machine import Lifecycle
from casework.domain.standing.events import is_standing
from casework.errors import CaseworkError
from casework.store.dues import moment
from casework.store.ledger.entry import leaf
from casework.store.ledger.ledger import Leaf
from casework.store.opening import open_reader
from casework.store.row import Row

Rows = list[Row]
#: What a column of a store may come to hold.
VALUES: tuple[Any, ...] = (None, 0, 1, -1, 2**62, 1.0, 2.5, True, "", "filed", "ruled", "K-1", "merchant:M-1", b"", b"filed",
                           "casework.case.case_opened")


#: Guards that no kept case which is in order comes to.
NOT_MET = {"duty_is_provisional", "edition_is_later"}


@cache
def stores() -> list[Rows]:
    """Stores as rows: every scenario, the stories that no scenario tells, walks, and what older releases recorded."""
    found = [[*replayed(name).rows, *replayed(name).standing] for name in NAMES]
    found += [[row_of(event) for event in corners.events_of(name)] for name in corners.STORIES]
    found += [list(rows) for rows in walked().values()]
    for path in GOLDEN.values():
        with open_reader(str(path)) as reader:
            found += [list(rows) for _, rows in groupby(list(reader.rows()), key=lambda row: row.case)]
    return [sorted(rows, key=lambda row: (row.case, row.version)) for rows in found]


# --- what is done to a store -----------------------------------------------------------------------------------------


def _unlawfully(random: Random, rows: Rows) -> Rows:
    """By one of the kinds of unlawful histories: well formed, canonical, consistent, and wrong in one thing."""
    history = History.of(copy.deepcopy(rows))
    MUTATIONS[random.choice(sorted(MUTATIONS))](history, random)
    return history.rows()


def _in_a_value(random: Random, rows: Rows) -> Rows:
    at = random.randrange(len(rows))
    return [*rows[:at], rows[at]._replace(payload=with_a_value_replaced(random, rows[at].payload)), *rows[at + 1:]]


def _in_a_time(random: Random, rows: Rows) -> Rows:
    """An event happened, or was recorded, somewhat earlier or later, in its columns as well."""
    at = random.randrange(len(rows))
    document, row = json.loads(rows[at].payload), rows[at]
    name = random.choice(("at", "recorded_at"))
    moved = getattr(row, name) + random.choice((-1, 1)) * random.choice((1, 60_000_000, 3_600_000_000, 86_400_000_000, 10**13))
    document[name] = moment(moved).isoformat().replace("+00:00", "Z")
    payload = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return [*rows[:at], row._replace(payload=payload, **{name: moved}), *rows[at + 1:]]


def _in_a_byte(random: Random, rows: Rows) -> Rows:
    at = random.randrange(len(rows))
    payload = bytearray(rows[at].payload)
    place = random.randrange(len(payload))
    match random.randrange(3):
        case 0:
            payload[place] ^= 1 << random.randrange(8)
        case 1:
            del payload[place]
        case _:
            payload.insert(place, random.randrange(256))
    return [*rows[:at], rows[at]._replace(payload=bytes(payload)), *rows[at + 1:]]


def _in_a_column(random: Random, rows: Rows) -> Rows:
    at, column = random.randrange(len(rows)), random.choice([name for name in Row._fields if name != "case"])
    return [*rows[:at], rows[at]._replace(**{column: random.choice(VALUES)}), *rows[at + 1:]]


def _without_a_row(random: Random, rows: Rows) -> Rows:
    at = random.randrange(len(rows))
    return [*rows[:at], *rows[at + 1:]]


def _with_a_row_twice(random: Random, rows: Rows) -> Rows:
    at = random.randrange(len(rows))
    return [*rows[:at], rows[at], *rows[at:]]


def _with_two_rows_exchanged(random: Random, rows: Rows) -> Rows:
    if len(rows) < 2:
        return rows
    at = random.randrange(len(rows) - 1)
    return [*rows[:at], rows[at + 1], rows[at], *rows[at + 2:]]


def _with_a_row_of_another(random: Random, rows: Rows) -> Rows:
    row = random.choice(random.choice(stores()))
    at = random.randrange(len(rows))
    return [*rows[:at], row._replace(case=rows[at].case, version=rows[at].version), *rows[at + 1:]]


CHANGES: tuple[Callable[[Random, Rows], Rows], ...] = (
    _unlawfully, _unlawfully, _unlawfully, _in_a_value, _in_a_value, _in_a_time, _in_a_time, _in_a_byte, _in_a_column,
    _without_a_row, _with_a_row_twice, _with_two_rows_exchanged, _with_a_row_of_another)


# --- the two paths ---------------------------------------------------------------------------------------------------


@dataclass
class Tried:
    """How many cases were put to both paths, of how many the fast one said that nothing is wrong, and where they differed."""

    cases: int = 0
    silent: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def both(rows: Rows, tried: Tried) -> None:
    """Put the rows of a store to both paths."""
    fast, slow = Books(), Books()
    said: list[Finding] = []
    for stream, group in groupby(rows, key=lambda row: row.case):
        case = list(group)
        if is_standing(stream):
            audit_case(case, fast), audit_case(case, slow)
            continue
        tried.cases += 1
        silent, before = nothing_against(case, Books()), len(said)
        tried.silent += silent
        said += judged(case, slow)
        mine = audit_case(case, fast)
        if [f.fingerprint for f in mine] != [f.fingerprint for f in said[before:]] or (silent and mine):
            tried.problems.append(f"{stream}: {mine} is not {said[before:]}")
    tried.codes.update({f.code for f in said})
    if (fast.duties, entries(fast), fast.broken) != (slow.duties, entries(slow), slow.broken) or fast.running or slow.running:
        tried.problems.append(f"{rows[0].case}: what is kept for the end differs")
    if [f.fingerprint for f in fast.compared()] != [f.fingerprint for f in slow.compared()]:
        tried.problems.append(f"{rows[0].case}: the books differ")


def entries(books: Books) -> list[object]:
    return [(merchant, books.entries(merchant)) for merchant in sorted(books.owed)]


def trial(count: int, seed: int) -> Tried:
    """So many altered stores, put to both paths; always the same for a seed."""
    tried = Tried()
    for number in range(count):
        random = Random(seed * 1_000_003 + number)
        rows = random.choice(stores())
        for _ in range(random.choice((1, 1, 1, 2))):
            try:
                rows = random.choice(CHANGES)(random, rows) or rows
            except (CaseworkError, ValueError, TypeError, KeyError, AttributeError, IndexError):
                continue  # what was altered before is no history that can be altered so
        both(rows, tried)
    return tried


def _names() -> Iterator[Any]:
    for rows in stores():
        yield pytest.param(rows, id=rows[0].case)


@pytest.mark.parametrize("rows", list(_names()))
def test_of_a_store_as_it_was_recorded_both_paths_say_and_keep_the_same(rows: Rows) -> None:
    tried = Tried()

    both(rows, tried)

    assert tried.problems == []


def test_the_fast_path_is_silent_on_nearly_every_case_that_is_in_order() -> None:
    tried = Tried()
    for rows in stores():
        both(rows, tried)

    assert tried.silent > 0.7 * tried.cases > 70


def test_of_altered_stores_both_paths_say_and_keep_the_same() -> None:
    tried = trial(600, 6)

    assert tried.problems == []
    assert 30 < tried.silent < 0.5 * tried.cases
    assert len(tried.codes) > 15


@pytest.mark.parametrize("version", range(1, len(LAWFUL) + 1))
def test_a_column_of_any_event_that_is_not_what_it_says_is_not_passed_over(version: int) -> None:
    rows = [row if row.version != version else row._replace(at=row.at + 1) for row in LAWFUL]

    assert nothing_against(LAWFUL, None)
    assert not nothing_against(rows, None)


@pytest.mark.parametrize("change", [
    {"by": {"role": "merchant", "id": "M-1"}}, {"lifecycle_digest": "0" * 64}, {"edition_digest": "0" * 64},
], ids=["by somebody who may not open", "another lifecycle", "another edition"])
def test_an_opening_that_pins_or_names_something_else_is_not_passed_over(change: dict[str, Any]) -> None:
    history = History.of(LAWFUL)
    assert nothing_against(history.rows(), None)
    assert change.keys() <= history.docs[0].keys()
    history.docs[0] |= change
    assert not nothing_against(history.rows(), None)


def test_what_was_met_in_time_and_recorded_when_that_was_over_is_not_passed_over() -> None:
    history, ends = History.of(LAWFUL), dict[str, str]()
    for doc in history.docs:
        ends |= {change["id"]: change["due"]["at"] for change in doc.get("duties", []) if "due" in change}
        met = [ends[change["id"]] for change in doc.get("duties", []) if change["change"] == "met"]
        if met and doc["at"] < met[0]:
            break
    late = f"{int(met[0][:4]) + 1}{met[0][4:]}"
    for each in history.docs[history.docs.index(doc):]:
        each["recorded_at"] = late
    assert [f.code for f in judged(history.rows())][:1] == ["recorded_late"]
    assert not nothing_against(history.rows(), None)


@pytest.fixture(scope="module")
def in_order() -> list[Rows]:
    """The cases that the fast path passes; what it keeps of the machine is that of the guards as they are."""
    cases = [[row for row in rows if not is_standing(row.case)] for rows in stores()]
    return [case for case in cases if nothing_against(case, None)]


@pytest.mark.parametrize("name", sorted(GUARDS.keys() - NOT_MET))
def test_a_guard_that_refuses_is_heard_by_the_fast_path_wherever_it_is_asked(
        name: str, in_order: list[Rows], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    guard = GUARDS[name]

    def counts(facts: Any, request: Any) -> Any:
        asked.append(request.name)
        return guard(facts, request)

    monkeypatch.setitem(GUARDS, name, counts)
    case = next(case for case in in_order if nothing_against(case, None) and asked)
    monkeypatch.setitem(GUARDS, name, lambda facts, request: [object()])
    assert not nothing_against(case, None)


@pytest.mark.parametrize("spoils", ["casework.audit.second.fold.apply", "casework.audit.quick.project"])
def test_where_either_derivation_errs_the_fast_path_is_not_silent(spoils: str, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = fold.apply if "fold" in spoils else quick.project

    def forgets(facts: Facts | None, event: Any) -> Any:
        after = apply(facts, event)  # type: ignore[arg-type,func-returns-value]
        known = facts if after is None else after
        if known is not None and known.version == 5:
            known.contacted_at = None
        return after

    monkeypatch.setattr(spoils, forgets)

    assert not nothing_against(LAWFUL, None)


def test_where_the_machine_asks_or_leads_otherwise_than_the_map_says_the_fast_path_is_not_silent(
        monkeypatch: pytest.MonkeyPatch) -> None:
    asks = Lifecycle.asks
    for otherwise in (lambda to, what: ("lapsed", what), lambda to, what: (to, what[:-1]), lambda to, what: (to, what[1:])):
        with monkeypatch.context() as patched:
            patched.setattr(Lifecycle, "asks", lambda self, state, name, otherwise=otherwise: otherwise(*asks(self, state, name)))
            quick._way.cache_clear()
            assert not nothing_against(LAWFUL, None)
        quick._way.cache_clear()
        assert nothing_against(LAWFUL, None)


def _leaves(random: Random, rows: Rows) -> list[Leaf]:
    """The leaves over the rows of a stream, recorded in commits of any size."""
    found: list[Leaf] = []
    while (begin := found[-1].last if found else 0) < len(rows):
        end = min(len(rows), begin + random.randrange(1, 6))
        before = found[-1].hash if found else None
        found.append(Leaf(len(found), rows[0].case, begin + 1, end, leaf(before, rows[begin:end])))
    return found


def _with_a_leaf_changed(random: Random, leaves: list[Leaf]) -> list[Leaf]:
    at = random.randrange(len(leaves))
    here = leaves[at]
    return random.choice((
        [*leaves[:at], *leaves[at + 1:]], [*leaves[:at], here, *leaves[at:]], [*leaves, here],
        [*leaves[:at], here._replace(first=here.first + random.choice((-1, 1))), *leaves[at + 1:]],
        [*leaves[:at], here._replace(last=here.last + random.choice((-1, 1, 9))), *leaves[at + 1:]],
        [*leaves[:at], here._replace(hash=bytes(32)), *leaves[at + 1:]]))


def test_rows_are_covered_at_a_glance_where_the_cover_of_leaves_finds_nothing_row_by_row() -> None:
    covered = 0
    for number in range(1500):
        random = Random(number)
        rows = [row for row in random.choice(stores()) if not is_standing(row.case)]
        leaves = _leaves(random, rows)
        if random.random() < 0.5:
            leaves = _with_a_leaf_changed(random, leaves)
        elif random.random() < 0.8:
            rows = random.choice(CHANGES[3:])(random, rows)
        cover = Cover(leaves)
        faults = [fault for row in rows for fault in cover.take(row)] + [fault for _, fault in cover.end()]
        # No store gives a version that is True; the glance takes none.
        assert is_covered(rows, leaves) == (not faults and all(type(row.version) is int for row in rows)), number
        covered += not faults
    assert 100 < covered < 1400


def test_a_case_longer_than_is_held_at_once_is_told_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.audit.check.MANY", 3)
    asked: list[int] = []
    monkeypatch.setattr("casework.audit.check.nothing_against", lambda rows, books: asked.append(len(rows)))

    assert audit_case(LAWFUL) == [] == list(audit(LAWFUL))
    assert asked == []
    assert MANY > 100


def test_a_case_whose_opening_alone_is_recorded_is_in_order() -> None:
    assert nothing_against([row_of(event) for event in case_in("discovered").case.pending_events], None)  # type: ignore[arg-type]


if __name__ == "__main__":
    done = trial(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 6)
    print(f"{done.cases} cases, {done.silent} of them in order by the fast path, {len(done.codes)} codes")
    for problem in done.problems:
        print(problem)
    sys.exit(bool(done.problems))
