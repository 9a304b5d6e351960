"""Hostile input, answered in one line within a second and 200 MB, and nothing of it steers a terminal (TRUST.md: G14)."""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest
from cli_helpers import GIVEN, alter, casework, given_case, pairs
from harness.fuzz import TARGETS, Fuzzed, shaken, shows_nothing_else
from hostile.corpus import CORPUS, Hostile, journal, store
from hostile.run import SECONDS, corpus, wrong
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.cli.main import run
from casework.domain.values import absurd
from casework.errors import NotAStore, StoreError
from casework.report.text import clipped, document, escape
from casework.store import codec
from casework.store.opening import open_reader, open_store

ANY = st.text(st.characters(exclude_categories=()), max_size=60)
#: What only a process of its own shows: what would hang, or take the memory before anything can be said.
ALONE = ("a_pipe_in_place_of_the_journal", "a_generated_column_of_a_gigabyte", "a_completion_without_words",
         "an_environment_that_switches_the_library", "a_stored_amount_with_an_absurd_exponent")
#: What takes long to make; ``python -m hostile.run`` takes all.
LARGE = ("a_payload_of_300_mib", "a_payload_of_300_mib_in_a_case_that_is_shown", "an_id_of_300_mib",
         "ids_of_half_a_gigabyte_together", "a_topic_of_40_mib", "an_index_of_duties_with_a_duty_of_100_mib")


def test_the_corpus_holds_sixty_inputs_or_more_of_different_names() -> None:
    assert len({one.name for one in CORPUS}) == len(CORPUS) >= 60


@pytest.mark.parametrize("one", [h for h in CORPUS if h.name not in ALONE + LARGE], ids=lambda h: h.name)
def test_a_hostile_input_is_answered_in_one_line_within_a_second(one: Hostile, tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    argv = [*one.make(tmp_path)]
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            status = run(["--lang", "en", *argv] if argv and argv[0] != "--lang" else argv)
        except SystemExit as left:  # click leaves so from a completion
            status = int(left.code or 0)
    assert time.process_time() - start < SECONDS + 1  # imports are not beyond start-up here
    said = [text.getvalue().encode("utf-8", "surrogatepass") for text in (out, err)]
    assert wrong(one.name, one.says, one.status, status, *said) == []
    assert not (tmp_path / "owned").exists()
    assert not one.name.endswith("deletes_a_file") or (tmp_path / "precious").exists()


def test_what_would_hang_or_fill_the_memory_is_answered_in_a_process_of_its_own() -> None:
    found = corpus([h for h in CORPUS if h.name in ALONE])
    assert (found.inputs, found.problems) == (len(ALONE), [])


@pytest.mark.parametrize("target", TARGETS)
def test_no_mutation_of_what_a_parser_takes_brings_out_anything_but_an_error_of_ours(target: str) -> None:
    found: Fuzzed = shaken(target, 0.6, seed=5, most=2_000)
    assert found.executions > 20
    assert found.problems == []


@given(ANY)
@settings(deadline=None)
def test_whatever_is_shown_only_shows_and_json_keeps_it_exactly(text: str) -> None:
    assert shows_nothing_else(escape(text)) and "\n" not in escape(text)
    assert shows_nothing_else(clipped(text * 40)) and len(clipped(text * 40)) < 2_000
    shown = document({text: [text]}, UTC)
    assert shows_nothing_else(shown.replace("\n", ""))
    said = json.loads(shown)
    # Two halves of a character that stand side by side are that character to every reader of JSON.
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert said == {joined: [joined]}


COMMANDS = (("show", "K-1"), ("show", "K-1", "--json"), ("history", "K-1"), ("history", "K-1", "--jsonl"), ("list",),
            ("list", "--json"), ("options", "K-1"), ("why", "K-1"), ("audit",), ("audit", "--jsonl"), ("due",),
            ("merchant", "M-3"), ("call-sheet", "K-1"))


@given(text=ANY)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_command_steers_a_terminal_by_what_a_store_holds(text: str, tmp_path: Path) -> None:
    path = store(tmp_path)
    quoted = json.dumps(text)[1:-1].replace("'", "''")
    for told in ("榨汁机", "电机异响"):
        alter(f"UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '{told}', '{quoted}') AS BLOB)", path)
    for command in COMMANDS:
        out = casework(*command, "--store", path)
        assert shows_nothing_else((out.out + out.err).replace("\n", "")), command


def test_an_amount_or_a_time_that_nothing_can_reckon_with_is_no_event_and_is_found(tmp_path: Path) -> None:
    for amount in ("NaN", "Infinity", "1E+999999", "1E-999999"):
        path = store(tmp_path)
        alter(f"UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '\"899.00\"', '\"{amount}\"') AS BLOB)", path)
        casework("show", "K-1", "--store", path).fails("cannot be read", "data.order.paid")
        assert "unreadable_event" in casework("audit", "--store", path).out


def test_an_event_of_sound_amounts_and_times_has_nothing_absurd(tmp_path: Path) -> None:
    with open_reader(store(tmp_path)) as reader:
        for row in reader.rows():
            assert absurd(codec.decode(row.topic, row.payload)) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("clause", ["ON CONFLICT REPLACE", "ON CONFLICT IGNORE"])
def test_a_store_whose_table_would_replace_or_swallow_is_read_but_not_written(clause: str, tmp_path: Path) -> None:
    path = store(tmp_path, f"UPDATE sqlite_master SET sql = replace(sql, 'originator_version)', 'originator_version) {clause}') "
                 "WHERE name = 'stored_events'", writable_schema=True)
    assert casework("audit", "--store", path).status == 0
    with open_store(path) as mine, pytest.raises((NotAStore, StoreError)), mine.writing():
        mine.get("K-1")


def test_a_journal_that_names_another_file_is_not_rolled_back_and_the_file_stays(tmp_path: Path) -> None:
    path = store(tmp_path)
    (tmp_path / "precious").write_text("precious")
    Path(path + "-journal").write_bytes(journal(os.fsencode(tmp_path / "precious")))
    before = Path(path).read_bytes()
    for words in (("list",), ("do", "K-1", "log_call", "--by", "consumer", "-d", "note=x")):
        casework(*words, "--store", path).fails("journal", "move it away")
    assert (tmp_path / "precious").exists() and Path(path).read_bytes() == before


def test_a_row_too_large_hides_none_of_the_others(tmp_path: Path) -> None:
    path = store(tmp_path, "UPDATE stored_events SET state = zeroblob(2000000) "
                 "WHERE originator_id = 'K-1' AND originator_version = 3")
    with open_reader(path) as reader:
        rows = list(reader.rows("K-1"))
    assert [row.version for row in rows] == list(range(1, 15))
    assert [row.version for row in rows if row.payload is None] == [3]
    assert rows[2].to_state is not None or rows[2].trigger is not None  # what stands behind it is read


def test_a_field_that_is_taken_is_in_nfc_and_a_year_beyond_reason_is_not_taken(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given_case()
    casework("do", "K-1", "log_call", "--by", "consumer", "-d", "note=e\u0301").ok()
    assert "é" in casework("history", "K-1").out
    for year in ("1899", "2201"):
        late = GIVEN["order"] | {"ordered_at": f"{year}-06-01T00:00:00Z"}
        casework("open", "K-2", "--by", "consumer", *pairs(GIVEN | {"order": late})).fails("ordered_at", "1900 to 2200")
    assert Decimal(GIVEN["order"]["paid"]) == 899
