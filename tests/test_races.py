"""Many at once on one case: nothing acknowledged is lost, nothing is recorded twice (TRUST.md, G8 and T18)."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from harness.commands import Answers, Journal, Planned, give, opened, store_at
from harness.nursery import Nursery
from harness.races import prepare, race, race_of_threads
from harness.verdict import problems, recorded, rows_of

from casework.application.service import Done, carry_on
from casework.cli.main import run
from casework.errors import Refused, StoreBusy, StoreError
from casework.store import opening
from casework.store.lock import WriterLock
from casework.store.opening import open_store


@pytest.fixture
def store(store_url: str) -> str:
    """A store with a case, on each engine."""
    prepare(store_url, "K-1")
    return store_url


@pytest.fixture
def in_a_file(tmp_path: Path) -> Path:
    """One in a file, where one writer at a time has the lock."""
    path = tmp_path / "t.db"
    prepare(path, "K-1")
    return path


CALL = Planned("call", "log_call", "consumer", {"note": "客服称三天内答复"})


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_eight_processes_carry_one_case_and_every_acknowledged_command_is_there_once(
        store: str, tmp_path: Path, seed: int) -> None:
    done = race(tmp_path, store, "K-1", workers=8, commands=200, seed=seed)
    rows = rows_of(store, "K-1")
    answers = done.answers
    assert done.statuses == [0] * 8
    assert answers.errors == {}
    assert problems(rows, answers) == []
    assert len(answers.acknowledged) + len(answers.refused) == done.given == 200
    assert len(rows) == 1 + len(answers.acknowledged)
    assert len(answers.refused) >= 10  # the steps did stand in each other's way
    assert len(answers.acknowledged) >= 100
    assert answers.repeated >= 1
    assert {code for codes in answers.refused.values() for code in codes} == {"not_in_this_state"}


def test_of_processes_that_open_one_new_case_in_a_new_store_one_wins(store_url: str, tmp_path: Path) -> None:
    path, go = store_url, tmp_path / "go"
    journals = [tmp_path / f"{n}.journal" for n in range(6)]
    with Nursery() as nursery:
        # Workers 0 to 2 are one client that asks three times; the others are clients of their own.
        workers = [nursery.start("harness.races:open_at_once", store=path, case="K-1", command_id=f"open-{max(0, n - 2)}",
                                 journal=journals[n], go=go) for n in range(6)]
        go.touch()
        assert [worker.wait() for worker in workers] == [0] * 6
    rows = rows_of(path, "K-1")
    [winner] = recorded(rows)
    answers = Answers().read(*journals)
    assert answers.errors == {}
    assert answers.acknowledged == {winner: 1}
    assert answers.repeated == (2 if winner == "open-0" else 0)
    assert set(answers.refused) == {f"open-{n}" for n in range(4)} - {winner}
    assert problems(rows, answers, opening=winner) == []


@pytest.mark.parametrize("shared", [True, False], ids=["one_store", "a_store_each"])
def test_threads_carry_one_case(store: str, tmp_path: Path, shared: bool) -> None:
    stores = [store_at(store)] * 8 if shared else [store_at(store) for _ in range(8)]
    answers = race_of_threads(stores, tmp_path, "K-1", commands=80)
    for each in stores:
        each.close()
    assert answers.errors == {}
    assert len(answers.acknowledged) + len(answers.refused) == 80
    assert problems(rows_of(store, "K-1"), answers) == []


def test_threads_carry_one_case_in_memory(tmp_path: Path) -> None:
    with open_store(":memory:") as memory:
        opened(memory, "K-1")
        answers = race_of_threads([memory] * 8, tmp_path, "K-1", commands=400)
        assert answers.errors == {}
        assert problems(list(memory.rows("K-1")), answers) == []


# the lock held too long


def test_a_writer_that_waits_too_long_says_so_and_records_nothing(in_a_file: Path) -> None:
    with store_at(in_a_file, lock_timeout=0.1) as mine, WriterLock(in_a_file, 1):
        with pytest.raises(StoreBusy, match="try again") as caught:
            give(mine, "K-1", CALL)
        assert caught.value.status == 2
    assert len(rows_of(in_a_file, "K-1")) == 1


def test_the_command_line_ends_with_2_when_the_store_is_busy(
        in_a_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(opening.open_store.__kwdefaults__, "lock_timeout", 0.1)
    with WriterLock(in_a_file, 1):
        assert run(["do", "K-1", "give_feedback", "--by", "consumer", "-d", "score=1", "--store", str(in_a_file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "try again" in said.err


def test_readers_do_not_wait_for_the_writers_lock(in_a_file: Path) -> None:
    with WriterLock(in_a_file, 1):
        assert len(rows_of(in_a_file, "K-1")) == 1


# after a fork


def in_child(work: object) -> int:
    """The exit status of a forked child that ran ``work``: 0, or 1 if it raised."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()  # type: ignore[operator]
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_store_opened_before_a_fork_is_refused_in_the_child_and_goes_on_in_the_parent(in_a_file: Path) -> None:
    with store_at(in_a_file) as mine:
        give(mine, "K-1", CALL)

        def use_it() -> None:
            with pytest.raises(StoreError, match="fork"):
                give(mine, "K-1", CALL._replace(id="child"))
            mine.close()
            with store_at(in_a_file) as own:
                give(own, "K-1", CALL._replace(id="own"))

        assert in_child(use_it) == 0
        give(mine, "K-1", CALL._replace(id="parent"))
    assert list(recorded(rows_of(in_a_file, "K-1"))) == ["open", "call", "own", "parent"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_leaves_the_block_of_its_parents_lock_does_not_unlock_it(in_a_file: Path) -> None:
    lock = WriterLock(in_a_file, 1)
    lock.__enter__()
    assert in_child(lambda: lock.__exit__(None, None, None)) == 0
    busy: list[BaseException] = []

    def try_it() -> None:
        def enter() -> None:
            with pytest.raises(StoreBusy), WriterLock(in_a_file, 0.1):
                pass
        if in_child(enter):
            busy.append(AssertionError())

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    lock.__exit__(None, None, None)
    assert not busy


# a command id is one command


def again(store: str, **changes: object) -> Done:
    arguments = {"by": "consumer", "command_id": "call", "at": None} | changes
    said = arguments.pop("said", CALL.said)
    name = arguments.pop("name", CALL.name)
    with store_at(store) as mine:
        from harness.commands import now

        return carry_on(mine, "K-1", name, said, clock=now, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [{"said": {"note": "另一通"}}, {"name": "give_feedback", "said": {"score": 1}},
                                     {"by": "agent:A-1"}, {"command_id": "open"}],
                         ids=["other_words", "other_command", "other_actor", "id_of_the_opening"])
def test_a_command_id_used_for_another_command_is_refused(store: str, changes: dict[str, object]) -> None:
    again(store)
    with pytest.raises(Refused) as caught:
        again(store, **changes)
    assert caught.value.codes == ["command_id_reused"]
    assert len(rows_of(store, "K-1")) == 2


def test_a_repeated_command_gives_the_state_as_it_was_then(store: str) -> None:
    first = again(store)
    again(store, name="contact_merchant", said={"message": "请处理"}, command_id="later")
    second = again(store)
    assert (first.repeated, second.repeated) == (False, True)
    assert (first.state, first.version, first.event) == (second.state, second.version, second.event)
    assert second.state == "discovered"
    with store_at(store) as mine:
        assert (opened(mine, "K-1").state, opened(mine, "K-1").repeated) == ("discovered", True)


def test_an_id_written_in_two_unicode_forms_is_one_command(store: str) -> None:
    assert not again(store, command_id="caf\u00e9").repeated
    assert again(store, command_id="cafe\u0301").repeated
    assert len(rows_of(store, "K-1")) == 2


def test_a_journal_that_contradicts_itself_is_a_problem(tmp_path: Path, store: str) -> None:
    """The harness itself: what it is there to find, it finds."""
    rows = rows_of(store, "K-1")
    with Journal(tmp_path / "j") as book:
        for line in (("ack", "a", 2), ("ack", "a", 3), ("again", "b", 2), ("refused", "c", "")):
            book.write(*line)
    found = problems([*rows, rows[0]], Answers().read(tmp_path / "j"))
    assert [p for p in found if not p.startswith("audit")] == [
        "a acknowledged as new twice", "a acknowledged at 2 and at 3", "versions are not contiguous: [1, 1]",
        "open is recorded 2 times", "a was acknowledged at 2 and is at None", "b was acknowledged at 2 and is at None",
        "c was refused without a code"]
    assert any(p.startswith("audit") for p in found)
