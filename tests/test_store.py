"""What every store that is kept does, whatever keeps it: the contract of recorder and reader, on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from harness import postgres
from harness.commands import GIVEN, Planned, give, opened, outside, store_at
from harness.verdict import rows_of
from store_helpers import event, finish, line_of, python

from casework.application.intake import actor, command_named
from casework.application.service import open_case
from casework.audit.check import Summary, audit
from casework.audit.engine import in_processes
from casework.audit.integrity import Integrity
from casework.audit.parts import audit_parts, jobs
from casework.audit.signed import Signed
from casework.domain.decide import Context
from casework.errors import Conflict, InputError, StoreMissing, UnknownCase
from casework.rulebook.edition import current
from casework.store.contract import Recorder
from casework.store.copying import copy
from casework.store.memory import MemoryRecorder
from casework.store.opening import make_store, open_reader, open_recorder, open_store
from casework.store.row import DueRow, Row
from casework.store.store import VersionTaken
from casework.store.stored import StoredCaseEvent, from_row, to_row
from casework.store.url import parse

CALL = Planned("call", "log_call", "consumer", {"note": "客服称三天内答复"})


@pytest.fixture
def store(store_url: str) -> str:
    """An empty store without a journal."""
    make_store(parse(store_url), None)
    return store_url


@pytest.fixture
def recorder(store: str) -> Iterator[Recorder]:
    made = open_recorder(parse(store))
    yield made
    made.close()


def fill(store: str, cases: int, versions: int) -> None:
    made = open_recorder(parse(store))
    for version in range(1, versions + 1):
        made.insert_events([event(f"c{n}", version) for n in reversed(range(cases))])
    made.close()


# the recorder


def test_events_come_back_with_their_hot_columns(recorder: Recorder, store: str) -> None:
    first, second = event(), StoredCaseEvent("c1", 2, "casework.case.noted", b"\x00\xff", None, None, None, 5, 6)
    recorder.insert_events([first])
    recorder.insert_events([second])
    with open_reader(store) as read:
        assert [from_row(row) for row in read.rows()] == [first, second]
        assert [to_row(first), to_row(second)] == list(read.rows("c1"))


def test_the_library_reads_what_was_recorded(recorder: Recorder) -> None:
    recorder.insert_events([event("案件", 1), event("案件", 2), event("other", 1)])
    assert recorder.select_events("案件", gt=1) == [StoredEvent("案件", 2, "casework.case.noted", b"{}")]
    assert [e.originator_version for e in recorder.select_events("案件", desc=True, limit=1)] == [2]
    assert [e.originator_version for e in recorder.select_events("案件", lte=1)] == [1]


def test_a_version_taken_already_is_an_integrity_error_and_nothing_of_the_batch_is_kept(recorder: Recorder) -> None:
    recorder.insert_events([event("c1", 1)])
    with pytest.raises(IntegrityError):
        recorder.insert_events([event("c1", 2), event("c1", 1)])
    assert len(recorder.select_events("c1")) == 1
    recorder.insert_events([event("c1", 2)])
    assert len(recorder.select_events("c1")) == 2


def test_a_stored_event_without_hot_columns_is_a_programming_error(recorder: Recorder) -> None:
    plain = StoredEvent("c1", 1, "casework.case.noted", b"{}")
    for keeps in (recorder, MemoryRecorder()):
        with pytest.raises(TypeError):
            keeps.insert_events([plain])
    recorder.insert_events([event()])


def test_many_events_are_recorded_in_one_commit_with_a_leaf_a_stream(recorder: Recorder, store: str) -> None:
    recorder.insert_events([event(f"c{n % 7}", 1 + n // 7, b'{"n": %d}' % n) for n in range(700)])
    with open_reader(store) as read:
        seen = read.snapshot()
        assert (seen.events, seen.leaves) == (700, 7)
        assert [(row.case, row.version) for row in seen.rows] == [(f"c{n}", v) for n in range(7) for v in range(1, 101)]
        book = read.ledger()
        assert [(leaf.first, leaf.last) for leaf in book.leaves(0, 7)] == [(1, 100)] * 7
        assert book.head().size == 7


def test_two_processes_cannot_both_record_the_same_version(store: str) -> None:
    code = """if True:
        import sys
        from casework.store.opening import open_recorder
        from casework.store.stored import StoredCaseEvent
        from casework.store.url import parse
        from eventsourcing.persistence import IntegrityError
        recorder = open_recorder(parse(sys.argv[1]))
        print("ready", flush=True)
        sys.stdin.readline()
        won = 0
        for version in range(1, 51):
            try:
                recorder.insert_events([StoredCaseEvent("c1", version, "t", b"{}", None, None, None, 1, 1)])
                won += 1
            except IntegrityError:
                pass
        print(won, flush=True)"""
    processes = [python(code, store) for _ in range(3)]
    for process in processes:
        assert line_of(process) == "ready"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert sum(int(finish(process)) for process in processes) == 50
    with open_reader(store) as read:
        assert [row.version for row in read.rows()] == list(range(1, 51))


# making and checking


def test_making_a_store_twice_changes_nothing(store: str) -> None:
    fill(store, 1, 1)
    with open_reader(store) as read:
        before = list(read.rows()), read.ledger().head(), read.ledger().meta()
    open_store(store, create=True).close()
    with open_reader(store) as read:
        assert (list(read.rows()), read.ledger().head(), read.ledger().meta()) == before


def test_eight_processes_make_one_store_at_once(store_url: str) -> None:
    code = ("import sys\nfrom casework.store.opening import make_store\nfrom casework.store.url import parse\n"
            "sys.stdin.readline()\nmake_store(parse(sys.argv[1]), None)")
    for process in [python(code, store_url) for _ in range(8)]:
        finish(process)
    with open_reader(store_url) as read:
        assert list(read.rows()) == [] and read.ledger().size() == 0


def test_a_missing_store_is_missing_and_is_not_made_by_looking(store_url: str) -> None:
    for look in (open_reader, open_store):
        with pytest.raises(StoreMissing, match="casework init") as caught:
            look(store_url)
        assert "casework init" in caught.value.zh and "\n" not in caught.value.en + caught.value.zh
    with pytest.raises(StoreMissing):
        open_reader(store_url)


def test_a_store_that_was_closed_twice_is_closed(store: str) -> None:
    made = open_store(store)
    made.close()
    made.close()
    read = open_reader(store)
    read.close()
    read.close()


# reading


def test_rows_come_by_case_and_version(store: str) -> None:
    fill(store, 7, 5)
    expected = [(f"c{n}", v) for n in range(7) for v in range(1, 6)]
    with open_reader(store) as read:
        assert [(row.case, row.version) for row in read.rows()] == expected
        assert [(row.case, row.version) for row in read.rows("c3")] == expected[15:20]
        assert read.case_ids() == [f"c{n}" for n in range(7)]
        assert read.has("c6") and not read.has("c7") and not read.has("\ud800")
        assert list(read.rows("c7")) == [] == list(read.rows("\ud800")) == list(read.rows("c\0"))


def test_of_the_cases_named_the_rows_come_in_the_order_of_their_names(store: str) -> None:
    fill(store, 5, 2)
    with open_reader(store) as read:
        seen = read.snapshot(["c3", "c1", "none", "\ud800"])
        assert [(row.case, row.version) for row in seen.rows] == [("c3", 1), ("c3", 2), ("c1", 1), ("c1", 2)]
        assert (seen.events, seen.leaves) == (4, 10)


def test_streams_are_ordered_by_the_bytes_of_their_ids_whatever_the_locale(recorder: Recorder, store: str) -> None:
    ids = ["a", "B", "b", "A", "案件", "é", "z", "merchant:M-1", "", "a-1", "a.1", "ab", "𝒳"]
    recorder.insert_events([event(case) for case in ids])
    with open_reader(store) as read:
        in_order = sorted(ids, key=lambda case: case.encode())
        assert read.case_ids() == in_order == [row.case for row in read.rows()]
        assert [leaf.stream for leaf in read.ledger().by_stream(len(ids), 3)] == in_order


def test_a_scan_sees_a_fixed_set_while_a_writer_in_another_process_goes_on_unblocked(store: str) -> None:
    fill(store, 20, 3)
    code = """if True:
        import sys
        from casework.store.opening import open_recorder
        from casework.store.stored import StoredCaseEvent
        from casework.store.url import parse
        recorder = open_recorder(parse(sys.argv[1]), lock_timeout=1)
        print("ready", flush=True)
        for line in sys.stdin:
            case, version = line.split()
            recorder.insert_events([StoredCaseEvent(case, int(version), "t", b"{}", None, None, None, 1, 1)])
            print("done", flush=True)"""
    process = python(code, store)
    assert line_of(process) == "ready"
    assert process.stdin is not None
    seen = []
    with open_reader(store) as read:
        rows = read.rows()
        for n in range(60):
            if n % 3 == 0:  # before, in and after what is being read
                case, begun = (("a", 0), ("c1", 3), ("z", 0))[n % 9 // 3]
                process.stdin.write(f"{case} {begun + 1 + n // 9}\n")
                process.stdin.flush()
                assert line_of(process) == "done"
            seen.append(next(rows))
        assert list(rows) == []
    finish(process)
    assert len(seen) == 60 and all(row.version <= 3 for row in seen)
    with open_reader(store) as read:
        assert len(list(read.rows())) == 80


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_ranges_hold_every_stream_whole_and_once_as_of_one_moment_also_for_another_reader(store: str, size: int) -> None:
    fill(store, 9, 3)
    with open_reader(store) as read:
        parts = read.parts(size)
        assert (read.count(), parts.leaves) == (27, 27)
        assert [parts.ranges[0].low, parts.ranges[-1].high] == [None, None]
        assert [part.high for part in parts.ranges[:-1]] == [part.low for part in parts.ranges[1:]]
        made = open_recorder(parse(store))
        made.insert_events([event("c3", 4), event("c35", 1), event("a", 1)])
        made.close()
        held = [sum((1 for leaf in read.ledger().by_stream(parts.leaves, 2, part.low, part.high)), 0) for part in parts.ranges]
        found = []
        for part in parts.ranges:
            with open_reader(store) as other:
                found.append([(row.case, row.version) for row in other.part(part)])
        assert [row for here in found for row in here] == [(f"c{n}", v) for n in range(9) for v in (1, 2, 3)]
        assert held == [len(here) for here in found]
        assert read.count() == 30
    assert (5 <= len(found) <= 9) if size < 1000 else len(found) == 1


def test_commits_are_read_leaf_by_leaf_and_a_store_is_copied_onto_the_other_engine_under_the_same_root(
        store_url: str, tmp_path: Path) -> None:
    with store_at(store_url, create=True) as mine:
        for number in range(3):
            opened(mine, f"K-{number}")
            give(mine, f"K-{number}", CALL)
    other = postgres.fresh_url() if "://" not in store_url else str(tmp_path / "copy.db")
    with open_reader(store_url) as read, open_store(other, create=True) as target:
        assert read.totals() == (6, 6, 6)
        assert [[row.version for row in rows] for rows in read.commits(0, 6)] == [[1], [2]] * 3
        done = copy(read, target)
        assert (done.leaves, done.events, done.head) == (6, 6, read.ledger().head())
        assert copy(read, target).leaves == 0
        with target.reader() as back:
            assert list(back.rows()) == list(read.rows()) and back.dues() == read.dues()


def test_an_audit_in_ranges_says_what_an_audit_in_one_piece_says(store_url: str) -> None:
    with store_at(store_url, create=True) as mine:
        for number in range(6):
            opened(mine, f"K-{number}")
            give(mine, f"K-{number}", CALL)
    signed = Signed(outside(store_url))
    with open_reader(store_url) as read:
        at, whole = read.snapshot(), Summary()
        found = list(audit(at.rows, summary=whole, indexed=read, integrity=Integrity.of(read, at.leaves, signed, whole=True)))
        parts, cut = read.parts(3), Summary()
        integrity = Integrity.of(read, parts.leaves, Signed(outside(store_url)), whole=False)
        assert len(parts.ranges) > 2
        judged = in_processes(jobs(store_url, parts, None), 1)
        assert (list(audit_parts(judged, summary=cut, indexed=read, integrity=integrity)), cut) == (found, whole) == ([], whole)
        assert (whole.cases, whole.events) == (6, 12)


def test_a_store_in_memory_reads_like_one_that_is_kept(store: str, recorder: Recorder) -> None:
    memory = MemoryRecorder()
    events = [event(case, version) for version in (1, 2, 10) for case in ("c2", "案件", "c10", "")]
    memory.insert_events(events)
    recorder.insert_events(events)
    with open_reader(store) as read:
        assert list(memory.rows()) == list(read.rows())
        assert list(memory.rows("案件")) == list(read.rows("案件"))
        assert memory.case_ids() == read.case_ids() == ["", "c10", "c2", "案件"]
        assert memory.has("c2") and not memory.has("c1")
    with pytest.raises(IntegrityError):
        memory.insert_events([event("c2", 2)])
    rows = memory.rows()
    memory.insert_events([event("c1", 1)])
    assert len(list(rows)) == 12


def test_a_row_is_nothing_but_a_tuple_of_nine() -> None:
    assert Row._fields == ("case", "version", "topic", "payload", "trigger", "from_state", "to_state", "at", "recorded_at")
    assert from_row(to_row(event())) == event()


@pytest.mark.parametrize("package", ["sqlite", "postgres"])
def test_the_reader_does_not_load_the_event_library(package: str) -> None:
    code = f"import sys, casework.store.{package}.reader, casework.store.url, casework.store.lock\n"
    code += "print([m for m in sys.modules if m.startswith('eventsourcing')])"
    assert finish(python(code)).strip() == "[]"


# commands


def test_a_command_given_twice_is_recorded_once(store: str) -> None:
    with open_store(store) as mine:
        first, second = opened(mine, "K-1"), opened(mine, "K-1")
        assert (first.repeated, second.repeated) == (False, True)
        once, again = give(mine, "K-1", CALL), give(mine, "K-1", CALL)
        assert (once.version, once.repeated) == (again.version, not again.repeated) == (2, False)
    assert [row.version for row in rows_of(store, "K-1")] == [1, 2]


def test_another_case_under_the_same_id_is_a_conflict(store: str) -> None:
    with open_store(store) as mine:
        opened(mine, "K-1")
        with pytest.raises(Conflict):
            open_case(mine, "K-1", GIVEN | {"ground": "damaged"}, by="consumer", clock=lambda: mine.get("K-1").facts.at,
                      command_id="other")


@pytest.mark.parametrize("case", ["K-9", "nul\0x", "\ud800", "案件"])
def test_a_case_that_is_not_there_is_unknown(store: str, case: str) -> None:
    with open_store(store) as mine:
        assert not mine.has(case)
        with pytest.raises(UnknownCase):
            mine.get(case)


def test_of_two_that_decided_upon_one_version_the_second_is_told(store: str) -> None:
    with open_store(store) as mine, open_store(store) as other:
        opened(mine, "K-1")
        slow = mine.get("K-1")
        give(other, "K-1", CALL)
        slow.do(*note(slow))
        with pytest.raises(VersionTaken, match="same moment"):
            mine.save(slow)
        give(mine, "K-1", CALL._replace(id="later"))
    assert [row.version for row in rows_of(store, "K-1")] == [1, 2, 3]


def test_an_event_that_is_too_large_is_refused_before_the_store_and_one_at_the_limit_is_kept(store: str) -> None:
    with open_store(store) as mine:
        opened(mine, "K-1")
        with pytest.raises(InputError):
            give(mine, "K-1", CALL._replace(said={"note": "长" * 70_000}))
        give(mine, "K-1", CALL._replace(said={"note": "长" * 20_000}))
    assert len(rows_of(store, "K-1")[1].payload) > 60_000


def test_the_index_of_duties_is_kept_with_the_events_and_can_be_made_anew(store: str) -> None:
    with open_store(store) as mine:
        opened(mine, "K-1")
        give(mine, "K-1", Planned("c", "contact_merchant", "consumer", {"message": "请处理"}))
        [answer, limitation] = mine.dues()
        assert isinstance(answer, DueRow) and (answer.kind, limitation.kind) == ("merchant_answer", "limitation")
        give(mine, "K-1", Planned("r", "refuse_claim", "merchant", {"excuse": "misuse"}))
        assert "merchant_answer" not in {due.kind for due in mine.dues()}
        before = mine.dues()
        assert mine.rebuild_dues() == len(before)
        assert mine.dues() == before
        assert mine.dues(before=mine.get("K-1").facts.at) == []


def test_what_is_provisional_comes_up_by_its_own_horizon(recorder: Recorder, store: str) -> None:
    recorder.rebuild_index([DueRow("c1", "D-1", "k", "consumer", 100, 0), DueRow("c2", "D-1", "k", "consumer", 200, 1),
                            DueRow("c3", "D-1", "k", "consumer", 300, 1)])
    with open_reader(store) as read:
        assert [due.case for due in read.dues()] == ["c1", "c2", "c3"]
        assert [due.case for due in read.dues(150)] == ["c1"]
        assert [due.case for due in read.dues(50, 250)] == ["c2"]
        assert [due.case for due in read.dues(150, 1000)] == ["c1", "c2", "c3"]


def test_a_store_with_a_journal_signs_each_command_outside(store_url: str) -> None:
    with store_at(store_url, create=True) as mine:
        opened(mine, "K-1")
        give(mine, "K-1", CALL)
        assert mine.journal is not None
        last = mine.journal.last()
        with mine.reader() as read:
            assert last is not None and read.ledger().head() == (last.size, last.root) == (2, last.root)


def test_a_store_in_a_file_has_no_roles(tmp_path: Path) -> None:
    from casework.store.opening import grant

    open_store(str(tmp_path / "t.db"), create=True).close()
    with pytest.raises(InputError, match="roles"):
        grant(str(tmp_path / "t.db"), "anybody", writes=True)


def note(case: Any) -> tuple[Any, Context]:
    """A command that is always allowed, as it is decided, and what it is decided by."""
    now = datetime.now(UTC)
    return command_named("log_call", {"note": "x"}), Context(actor("consumer", case.facts), now, now, "slow", current())
