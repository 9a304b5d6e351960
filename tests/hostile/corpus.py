"""Hostile inputs, each made when it is wanted (TRUST.md: G14, T9, T10, T20 to T24).

An input is a function that puts what it needs into an empty folder and returns the words of the command line.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cli_helpers import STORY, casework, given_case

MIB = 1 << 20


@dataclass(frozen=True)
class Hostile:
    """One input: where it comes in, what it does to a folder, which statuses and words are an answer to it."""

    name: str
    make: Callable[[Path], Sequence[str]]
    status: int
    says: str
    env: dict[str, str] = field(default_factory=dict)


CORPUS: list[Hostile] = []


Make = Callable[[Path], Sequence[str]]


def hostile(says: str, status: int = 2, **env: str) -> Callable[[Make], Make]:
    """Put a function into the corpus under its own name."""
    def keep(make: Make) -> Make:
        CORPUS.append(Hostile(make.__name__, make, status, says, env))
        return make
    return keep


@cache
def _sound() -> bytes:
    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.db")
        # Without a journal: it is copied, and copies do not sign in one.
        casework("init", "--journal", "none", "--store", path).ok()
        given_case(steps=13, store=path)
        return Path(path).read_bytes()


def store(folder: Path, *statements: str, writable_schema: bool = False) -> str:
    """A sound store, and what somebody did to it with the sqlite3 shell."""
    path = folder / "t.db"
    path.write_bytes(_sound())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        if writable_schema:
            connection.execute("PRAGMA writable_schema=1")
        for statement in statements:
            connection.execute(statement)
    return str(path)


def scenario(folder: Path, text: str | bytes) -> list[str]:
    """``replay`` of a file with that in it."""
    (folder / "story.yaml").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return ["replay", str(folder / "story.yaml")]


def story(old: str, new: str) -> str:
    """The short story with one place changed."""
    assert STORY.count(old) == 1, old
    return STORY.replace(old, new)


def data(folder: Path, text: str | bytes) -> list[str]:
    """``open --data`` of a file with that in it."""
    (folder / "data.yaml").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return ["open", "K-9", "--by", "consumer", "--data", str(folder / "data.yaml"), "--store", str(folder / "new.db")]


def rules(folder: Path, text: str | bytes) -> list[str]:
    """``rules check`` of a file with that in it."""
    (folder / "own.yaml").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return ["rules", "check", str(folder / "own.yaml")]


RECORD = """records:
  - id: own.limit
    value: 7
    unit: day
    from: 2026-01-01
    rank: platform
    applies_by: act
    clause: own rule 1
    certainty: A
    zh: 自定
    en: own
"""


def say(folder: Path, *pairs: str) -> list[str]:
    """``do K-1 log_call`` with these fields."""
    return ["do", "K-1", "log_call", "--by", "consumer", "--store", store(folder), *(w for p in pairs for w in ("-d", p))]


# --- scenario files


@hostile("1 MiB")
def a_scenario_of_64_mib(folder: Path) -> Sequence[str]:
    return scenario(folder, b"# x\n" * (16 * MIB))


@hostile("1 MiB")
def a_sparse_scenario_of_a_tebibyte(folder: Path) -> Sequence[str]:
    words = scenario(folder, b"")
    os.truncate(folder / "story.yaml", 1 << 40)
    return words


@hostile("nested deeper")
def a_hundred_thousand_brackets(folder: Path) -> Sequence[str]:
    return scenario(folder, "[" * 100_000)


@hostile("nested deeper")
def a_deep_block(folder: Path) -> Sequence[str]:
    return scenario(folder, "".join(" " * i + "a:\n" for i in range(1_000)))


@hostile("aliases|alias|values")
def a_billion_laughs(folder: Path) -> Sequence[str]:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"] + [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return scenario(folder, "\n".join(lines))


@hostile("over 1 MiB of text")
def a_long_text_used_many_times(folder: Path) -> Sequence[str]:
    return scenario(folder, f"a: &a {'x' * 60_000}\nb: [{','.join(['*a'] * 200)}]\n")


@hostile("tag")
def a_tag_that_makes_an_object(folder: Path) -> Sequence[str]:
    return scenario(folder, 'a: !!python/object/apply:os.system ["touch owned"]\n')


@hostile("%TAG")
def a_file_of_tag_directives(folder: Path) -> Sequence[str]:
    return scenario(folder, "".join(f"%TAG !{i}! tag:x\n" for i in range(40_000)) + "---\na: b\n")


@hostile("already on line")
def two_equal_keys(folder: Path) -> Sequence[str]:
    return scenario(folder, story("title: 短故事", "title: 短故事\ntitle: 长故事"))


@hostile("merge keys")
def a_merge_key(folder: Path) -> Sequence[str]:
    return scenario(folder, "a: &a {x: y}\nb:\n  <<: *a\n")


@hostile("second document")
def two_documents(folder: Path) -> Sequence[str]:
    return scenario(folder, STORY + "---\na: b\n")


@hostile("not UTF-8")
def a_scenario_in_gbk(folder: Path) -> Sequence[str]:
    return scenario(folder, STORY.encode("gbk"))


@hostile("not UTF-8")
def a_scenario_in_utf_16(folder: Path) -> Sequence[str]:
    return scenario(folder, STORY.encode("utf-16"))


@hostile("not UTF-8")
def a_lone_surrogate_in_bytes(folder: Path) -> Sequence[str]:
    return scenario(folder, "a: \ud800\n")


@hostile("no character|invalid Unicode")
def a_lone_surrogate_by_escape(folder: Path) -> Sequence[str]:
    return scenario(folder, 'a: "\\ud800"\n')


@hostile("U.0000")
def a_nul(folder: Path) -> Sequence[str]:
    return scenario(folder, "a: \0\n")


@hostile("U.001B")
def an_escape_that_clears_the_screen(folder: Path) -> Sequence[str]:
    return scenario(folder, "a: \x1b[2J\n")


@hostile("control character")
def an_escape_by_escape(folder: Path) -> Sequence[str]:
    return scenario(folder, story("message: 电机异响", 'message: "\\e[2J\\x9b31m"'))


@hostile("U.009B")
def a_c1_control(folder: Path) -> Sequence[str]:
    return scenario(folder, "a: \u009b31m\n")


@hostile("combining marks")
def half_a_million_combining_marks(folder: Path) -> Sequence[str]:
    return scenario(folder, "a: a" + "\u0301\u0323" * 120_000)


@hostile("not a number")
def a_number_that_is_none(folder: Path) -> Sequence[str]:
    return scenario(folder, story('paid: "899.00"', "paid: .nan"))


@hostile("amount")
def an_amount_with_an_absurd_exponent(folder: Path) -> Sequence[str]:
    return scenario(folder, story('paid: "899.00"', "paid: 1e999999999"))


@hostile("amount")
def an_amount_of_a_hundred_thousand_digits(folder: Path) -> Sequence[str]:
    return scenario(folder, story('paid: "899.00"', "paid: " + "9" * 100_000))


@hostile("span|time|write")
def a_step_after_aeons(folder: Path) -> Sequence[str]:
    return scenario(folder, story("after: 1h", "after: 99999999999999999999d"))


@hostile("1900|time|year")
def a_step_in_the_year_one(folder: Path) -> Sequence[str]:
    return scenario(folder, story("at: 2026-03-28T10:00:00+08:00", "at: 0001-01-01T00:00:00+08:00"))


@hostile("1900|time|year")
def a_step_in_the_last_year(folder: Path) -> Sequence[str]:
    return scenario(folder, story("at: 2026-03-28T10:00:00+08:00", "at: 9999-12-31T23:59:59-08:00"))


@hostile("unknown key")
def a_key_of_a_megabyte(folder: Path) -> Sequence[str]:
    return scenario(folder, f"? '{'k' * 1_000_000}'\n: x\n")


@hostile("unknown ground")
def a_term_of_a_megabyte(folder: Path) -> Sequence[str]:
    return scenario(folder, story("ground: malfunction", f"ground: {'malfunction' * 80_000}"))


@hostile("unknown")
def twenty_thousand_unknown_keys(folder: Path) -> Sequence[str]:
    return scenario(folder, "".join(f"key{i}: x\n" for i in range(20_000)))


@hostile("items|more than 200")
def a_list_of_forty_thousand_services(folder: Path) -> Sequence[str]:
    return scenario(folder, story("category: small_appliance", f"category: small_appliance, services: [{'x,' * 40_000}]"))


@hostile("at most 200 steps")
def a_scenario_of_three_thousand_steps(folder: Path) -> Sequence[str]:
    step = "  - {do: log_call, by: consumer, after: 1h, with: {note: x}}\n"
    return scenario(folder, STORY.replace("then:\n  state: awaiting_merchant\n  findings: []\n", step * 3_000))


@hostile("64 KiB")
def a_text_of_a_megabyte(folder: Path) -> Sequence[str]:
    return scenario(folder, story("message: 电机异响", f"message: {'x' * 1_000_000}"))


@hostile("expected", status=1)
def an_expectation_that_steers(folder: Path) -> Sequence[str]:
    return scenario(folder, story("  state: awaiting_merchant\n  findings", '  state: "\\e]0;owned\\a\\u202e"\n  findings'))


@hostile("expected", status=1)
def an_expectation_of_a_megabyte(folder: Path) -> Sequence[str]:
    return scenario(folder, story("  state: awaiting_merchant\n  findings", f"  state: {'x' * 900_000}\n  findings"))


@hostile("not a regular file")
def a_pipe_in_place_of_a_scenario(folder: Path) -> Sequence[str]:
    os.mkfifo(folder / "story.yaml")
    return ["replay", str(folder / "story.yaml")]


@hostile("not a regular file")
def an_endless_device(folder: Path) -> Sequence[str]:
    (folder / "story.yaml").symlink_to("/dev/zero")
    return ["replay", str(folder / "story.yaml")]


@hostile("cannot be read|too many levels|no such file")
def a_link_to_itself(folder: Path) -> Sequence[str]:
    (folder / "story.yaml").symlink_to(folder / "story.yaml")
    return ["replay", str(folder / "story.yaml")]


@hostile("no such file")
def a_name_that_steers(folder: Path) -> Sequence[str]:
    return ["replay", str(folder / "\x1b[2J\u202e\u200b.yaml")]


@hostile("holds no scenario")
def a_folder_of_links_in_a_circle(folder: Path) -> Sequence[str]:
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to(folder / "a")
    return ["replay", str(folder / "a")]


@hostile("is empty")
def a_folder_of_many_files(folder: Path) -> Sequence[str]:
    for i in range(500):
        (folder / f"{i}.yaml").touch()
    return ["replay", str(folder)]


# --- fields from a file and from the command line


@hostile("1 MiB")
def fields_of_two_mib(folder: Path) -> Sequence[str]:
    return data(folder, "{" + '"a": "' + "x" * 2 * MIB + '"}')


@hostile("nested deeper")
def deep_json(folder: Path) -> Sequence[str]:
    return data(folder, '{"a":' * 50_000)


@hostile("mapping")
def fields_that_are_a_list(folder: Path) -> Sequence[str]:
    return data(folder, "[1, 2]")


@hostile("unknown field")
def a_field_of_python(folder: Path) -> Sequence[str]:
    return data(folder, '{"__class__": "os.system"}')


@hostile("not a regular file")
def fields_from_a_pipe(folder: Path) -> Sequence[str]:
    os.mkfifo(folder / "f")
    return ["open", "--by", "consumer", "--data", str(folder / "f"), "--store", str(folder / "new.db")]


@hostile("directory")
def fields_from_a_directory(folder: Path) -> Sequence[str]:
    return ["open", "--by", "consumer", "--data", str(folder), "--store", str(folder / "new.db")]


@hostile("")
def fields_from_the_system(folder: Path) -> Sequence[str]:
    return ["open", "--by", "consumer", "--data", "/proc/self/environ", "--store", str(folder / "new.db")]


@hostile("control character")
def a_field_that_steers(folder: Path) -> Sequence[str]:
    return say(folder, "note=\x1b]52;c;b3duZWQ=\x07")


@hostile("combining marks")
def a_field_of_combining_marks(folder: Path) -> Sequence[str]:
    return say(folder, "note=a" + "\u0323\u0301" * 16_000)


@hostile("lone surrogate")
def a_field_of_half_a_character(folder: Path) -> Sequence[str]:
    return say(folder, "note=\udc80")


@hostile("64 KiB")
def a_field_of_120_kib(folder: Path) -> Sequence[str]:
    return say(folder, "note=" + "x" * 120_000)


@hostile("given twice")
def fields_that_nest_and_do_not(folder: Path) -> Sequence[str]:
    return say(folder, "a=1", "a.b=2")


@hostile("unknown field")
def a_field_forty_thousand_deep(folder: Path) -> Sequence[str]:
    return say(folder, "a." * 40_000 + "b=1")


@hostile("--data FILE")
def twenty_thousand_fields(folder: Path) -> Sequence[str]:
    return say(folder, *(f"f{i}=x" for i in range(20_000)))


@hostile("not KEY=VALUE")
def a_field_without_a_value(folder: Path) -> Sequence[str]:
    return say(folder, "\u202e" * 30_000)


@hostile("unknown trigger")
def a_trigger_of_100_kib(folder: Path) -> Sequence[str]:
    return ["do", "K-1", "rule" * 25_000, "--by", "agent", "--store", store(folder)]


@hostile("no case")
def a_case_of_100_kib(folder: Path) -> Sequence[str]:
    return ["show", "K" * 100_000, "--store", store(folder)]


@hostile("no case")
def a_case_that_steers(folder: Path) -> Sequence[str]:
    return ["show", "\x1b[31m\u202eK-1\u200b\u00ad\U000e0041", "--store", store(folder)]


@hostile("case id")
def a_case_of_another_alphabet_and_an_invisible_mark(folder: Path) -> Sequence[str]:
    return ["open", "К-1\u200b", "--by", "consumer", "--store", store(folder)]


@hostile("command id")
def a_command_id_that_steers(folder: Path) -> Sequence[str]:
    return [*say(folder, "note=x"), "--command-id", "\x1b[2J"]


@hostile("command id")
def a_command_id_of_combining_marks(folder: Path) -> Sequence[str]:
    return [*say(folder, "note=x"), "--command-id", "a" + "\u0323\u0301" * 16_000]


@hostile("time|year")
def a_time_in_the_year_one(folder: Path) -> Sequence[str]:
    return [*say(folder, "note=x"), "--at", "0001-01-01T00:00:00+00:00"]


@hostile("time|year")
def a_time_with_an_absurd_offset(folder: Path) -> Sequence[str]:
    return [*say(folder, "note=x"), "--at", "0001-01-01T00:00:00+23:59"]


@hostile("time")
def a_time_of_100_kib(folder: Path) -> Sequence[str]:
    return [*say(folder, "note=x"), "--at", "2026-03-28T09:00:00." + "0" * 100_000 + "+08:00"]


@hostile("time|year")
def a_look_back_from_the_last_year(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(folder), "--as-of", "9999-12-31T23:59:59-23:59"]


@hostile("unknown time zone")
def a_zone_that_climbs(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(folder), "--tz", "../../../../etc/passwd"]


@hostile("unknown time zone")
def a_zone_of_100_kib(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(folder), "--tz", "x" * 100_000]


@hostile("unknown time zone")
def a_zone_of_a_thousand_packages(folder: Path) -> Sequence[str]:
    return ["list", "--tz", "a." * 1_000]


@hostile("unknown time zone")
def a_zone_that_is_a_folder(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(folder), "--tz", "Asia"]


@hostile("not one of|Choice|choice")
def a_language_that_steers(folder: Path) -> Sequence[str]:
    return ["--lang", "\x1b[2J", "list"]


@hostile("integer|version")
def a_version_of_100_kib(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(folder), "--version", "9" * 100_000]


@hostile("no such option|No such option")
def an_option_that_steers(folder: Path) -> Sequence[str]:
    return ["list", "--\x1b[2J\u202e"]


@hostile("no step")
def a_step_of_open_quotes(folder: Path) -> Sequence[str]:
    return ["what-if", "K-1", "--store", store(folder), "--do", "'" * 99_999]


# --- rulebook files


@hostile("cannot be|write")
def a_rule_of_a_hundred_thousand_digits(folder: Path) -> Sequence[str]:
    return rules(folder, RECORD.replace("value: 7", "value: " + "9" * 100_000))


@hostile("u001b", status=0)
def a_rule_that_steers(folder: Path) -> Sequence[str]:
    return ["rules", "own.limit", "--rules", rules(folder, RECORD.replace("en: own", 'en: "\\e[2J\\x9b"'))[-1]]


@hostile("unknown key")
def a_rule_with_five_thousand_odd_keys(folder: Path) -> Sequence[str]:
    return rules(folder, RECORD + "".join(f"    odd_{i}_{'x' * 150}: x\n" for i in range(5_000)))


@hostile("is there twice|overlaps")
def two_thousand_equal_rules(folder: Path) -> Sequence[str]:
    return rules(folder, "records:\n" + RECORD.removeprefix("records:\n") * 2_000)


@hostile("cannot be|write")
def a_rule_from_before_time(folder: Path) -> Sequence[str]:
    return rules(folder, RECORD.replace("2026-01-01", "0000-00-00"))


@hostile("not a regular file")
def a_folder_with_a_pipe_for_a_rule(folder: Path) -> Sequence[str]:
    os.mkfifo(folder / "own.yaml")
    return ["rules", "--rules", str(folder)]


@hostile("limit|year|time|calendar|date")
def a_limit_from_the_last_day(folder: Path) -> Sequence[str]:
    return ["rules", "due", "mr12315.accept", "--from", "9999-12-31T23:59:59-12:00"]


@hostile("yuan")
def a_price_with_an_exponent(folder: Path) -> Sequence[str]:
    return ["rules", "amount", "fraud.multiple", "--price", "1e99999"]


# --- names of stores and the environment


@hostile("no regular file")
def a_pipe_in_place_of_a_store(folder: Path) -> Sequence[str]:
    os.mkfifo(folder / "t.db")
    return ["list", "--store", str(folder / "t.db")]


@hostile("no regular file")
def a_device_in_place_of_a_store(folder: Path) -> Sequence[str]:
    return ["audit", "--store", "/dev/zero"]


@hostile("cannot be looked at")
def a_store_with_a_name_of_100_kib(folder: Path) -> Sequence[str]:
    return ["list", "--store", "x" * 100_000]


@hostile("no kind of store")
def a_store_of_another_kind(folder: Path) -> Sequence[str]:
    return ["list", "--store", "http://user:secret@host/"]


@hostile("no option of a store")
def a_store_with_options_of_sqlite(folder: Path) -> Sequence[str]:
    return ["list", "--store", "sqlite:///t.db?vfs=unix-none"]


@hostile("no store", PERSISTENCE_MODULE="canary", SQLITE_DBNAME="owned.db", AGGREGATE_SNAPSHOTTING="y",
         COMPRESSOR_TOPIC="canary", CIPHER_TOPIC="canary")
def an_environment_that_switches_the_library(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", str(folder / "none.db")]


@hostile("there is no store|cannot be looked at", CASEWORK_STORE="\x1b[2J\u202e.db")
def an_environment_that_names_a_store_that_steers(folder: Path) -> Sequence[str]:
    return ["list"]


@hostile("there is no store", CASEWORK_LANG="\x1b[2J", LC_ALL="x" * 50_000, COLUMNS="-99999999999999999999", LINES="x")
def an_environment_that_makes_no_sense(folder: Path) -> Sequence[str]:
    return ["list"]


@hostile("shell|complet", _CASEWORK_COMPLETE="bash_complete", COMP_WORDS="casework sh", COMP_CWORD="x")
def a_completion_that_counts_no_words(folder: Path) -> Sequence[str]:
    return []


@hostile("shell|complet", _CASEWORK_COMPLETE="bash_complete")
def a_completion_without_words(folder: Path) -> Sequence[str]:
    return []


@hostile("")
def a_completion_of_a_shell_that_is_none(folder: Path) -> Sequence[str]:
    return ["completion", "\x1b[2J"]


# --- stores


@hostile("not an SQLite database")
def random_bytes_in_place_of_a_store(folder: Path) -> Sequence[str]:
    (folder / "t.db").write_bytes(b"\x1b[2J" * 1_000)
    return ["list", "--store", str(folder / "t.db")]


@hostile("damaged|not an SQLite|cannot be used")
def a_store_cut_short(folder: Path) -> Sequence[str]:
    path = store(folder)
    os.truncate(path, 5_000)
    return ["audit", "--store", path]


@hostile("no casework store")
def another_database(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(folder, "PRAGMA application_id=1")]


@hostile("newer casework")
def a_store_of_the_future(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(folder, "PRAGMA user_version=2147483647")]


@hostile("missing or altered")
def a_view_in_place_of_the_events(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(folder, "ALTER TABLE stored_events RENAME TO t",
                                      "CREATE VIEW stored_events AS SELECT * FROM t")]


@hostile("missing or altered")
def a_trigger_that_swallows(folder: Path) -> Sequence[str]:
    return ["do", "K-1", "log_call", "--by", "consumer", "-d", "note=x", "--store",
            store(folder, "CREATE TRIGGER swallow BEFORE INSERT ON stored_events BEGIN SELECT RAISE(IGNORE); END")]


COLUMNS = "originator_id, originator_version, topic, trigger_name, from_state, to_state, at, recorded_at"


@hostile("missing or altered")
def a_generated_column_of_a_gigabyte(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(
        folder, "ALTER TABLE stored_events RENAME TO t",
        f"CREATE TABLE stored_events ({COLUMNS}, state BLOB AS (zeroblob(900000000)))",
        f"INSERT INTO stored_events ({COLUMNS}) SELECT {COLUMNS} FROM t", "DROP TABLE t")]


@hostile("altered")
def a_table_that_replaces_what_is_there(folder: Path) -> Sequence[str]:
    path = store(folder, "UPDATE sqlite_master SET sql = replace(sql, 'originator_version)', "
                 "'originator_version) ON CONFLICT REPLACE') WHERE name = 'stored_events'", writable_schema=True)
    return ["do", "K-1", "log_call", "--by", "consumer", "-d", "note=x", "--store", path]


@hostile("altered")
def an_index_that_costs_a_gigabyte(folder: Path) -> Sequence[str]:
    path = store(folder, "CREATE INDEX bomb ON stored_events (length(hex(zeroblob(originator_version / 15 * 450000000))))")
    return ["do", "K-1", "log_call", "--by", "consumer", "-d", "note=x", "--store", path]


@hostile("unreadable", status=1)
def a_payload_of_300_mib(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(folder, f"UPDATE stored_events SET state = zeroblob({300 * MIB}) "
                                      "WHERE originator_version = 3")]


@hostile("cannot be read")
def a_payload_of_300_mib_in_a_case_that_is_shown(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(folder, f"UPDATE stored_events SET state = zeroblob({300 * MIB}) "
                                            "WHERE originator_version = 3")]


@hostile("larger|large|too big")
def an_id_of_300_mib(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(folder, f"UPDATE stored_events SET originator_id = hex(zeroblob({150 * MIB})) "
                                      "WHERE originator_version = 3")]


@hostile("larger|large|too big")
def ids_of_half_a_gigabyte_together(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(
        folder, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) "
        "INSERT INTO stored_events SELECT hex(zeroblob(400000)) || i, 1, 't', x'', NULL, NULL, NULL, 1, 1 FROM n")]


@hostile("unknown_topic", status=1)
def a_topic_that_names_a_module(folder: Path) -> Sequence[str]:
    (folder / "canary.py").write_text("open('owned', 'w')\n")
    return ["audit", "--store", store(folder, "UPDATE stored_events SET topic = 'canary:Owned' WHERE originator_version = 3")]


@hostile("K-1", status=1)
def a_topic_of_40_mib(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(folder, f"UPDATE stored_events SET topic = hex(zeroblob({20 * MIB})) "
                                      "WHERE originator_version = 3")]


@hostile("unreadable", status=1)
def a_deep_payload(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(folder, "UPDATE stored_events SET state = CAST(replace(hex(zeroblob(100000)), '0', '[') "
                                      "AS BLOB) WHERE originator_version = 3")]


@hostile("cannot be read")
def a_stored_amount_with_an_absurd_exponent(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--json", "--store", store(
        folder, "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '\"899.00\"', '\"1E+999999999\"') AS BLOB)")]


@hostile("unreadable|not_canonical", status=1)
def a_stored_amount_with_an_absurd_exponent_audited(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(
        folder, "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '\"899.00\"', '\"1E+999999999\"') AS BLOB)")]


@hostile("cannot be read")
def a_stored_time_in_the_year_one(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(
        folder, "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '2026-03', '0001-01') AS BLOB)")]


@hostile("cannot be read")
def a_stored_time_in_the_last_year(folder: Path) -> Sequence[str]:
    return ["why", "K-1", "--store", store(
        folder, "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '2026-04', '9999-12') AS BLOB)")]


@hostile("", status=0)
def stored_text_that_steers(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(
        folder, "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '榨汁机', "
        "'\\u001b[2J' || char(0x9b, 0x202e, 0x200b, 0xad, 0xe0041)) AS BLOB) WHERE originator_version = 1")]


@hostile("damaged|no case|cannot be used", status=2)
def a_stored_id_that_is_no_text(folder: Path) -> Sequence[str]:
    return ["show", "K-1", "--store", store(
        folder, "UPDATE stored_events SET originator_id = CAST(x'ff1b5b324a' AS TEXT) WHERE originator_id = 'K-1'")]


@hostile("K-1", status=0)
def a_schema_of_20_mib(folder: Path) -> Sequence[str]:
    wide = ", ".join(f"c{i} DEFAULT '{'x' * 500}'" for i in range(1_900))
    return ["list", "--store", store(folder, *(f"CREATE TABLE t{i} ({wide})" for i in range(20)))]


@hostile("altered|index|duties", status=1)
def an_index_of_duties_that_says_nonsense(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(
        folder, "INSERT INTO duties VALUES ('K-1', 'x', 'y', 'merchant', 9223372036854775807, 1)",
        "INSERT INTO duties VALUES (x'1b5b324a', 'x', 3, 4.5, 'never', 'maybe')")]


@hostile("", status=0)
def an_index_of_duties_that_is_listed(folder: Path) -> Sequence[str]:
    return ["due", "--within", "9999d", "--store", store(
        folder, "INSERT INTO duties VALUES ('K-1', 'x', 'y', 'merchant', -9223372036854775807, 1)",
        "INSERT INTO duties VALUES (x'1b5b324a', 'x', 3, 4.5, -3.5, 'maybe')")]


@hostile("no case", status=2)
def an_index_of_duties_that_ticks(folder: Path) -> Sequence[str]:
    return ["tick", "--store", store(
        folder, "INSERT INTO duties VALUES ('K-1', 'x', 'y', 'merchant', -9223372036854775807, 1)",
        "INSERT INTO duties VALUES (CAST(x'ff1b' AS TEXT), 'x', 3, 4.5, -3.5, 'maybe')")]


@hostile("larger|altered", status=2)
def an_index_of_duties_with_a_duty_of_100_mib(folder: Path) -> Sequence[str]:
    return ["due", "--store", store(
        folder, f"INSERT INTO duties VALUES ('K-1', hex(zeroblob({50 * MIB})), 'y', 'merchant', 1, 1)")]


@hostile("", status=1)
def five_thousand_duties_that_no_case_has(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(
        folder, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "INSERT INTO duties SELECT 'C-' || i, 'x', 'y', 'merchant', 1, 0 FROM n")]


@hostile("WAL")
def a_store_in_wal_mode(folder: Path) -> Sequence[str]:
    return ["audit", "--store", store(folder, "PRAGMA journal_mode=WAL")]


def journal(super_journal: bytes, page: bytes = b"") -> bytes:
    """A rollback journal that SQLite takes for hot; with a super-journal named, it deletes that file after the rollback."""
    head = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + struct.pack(">IIIII", 0, 0, 1, 512, 4096)
    tail = struct.pack(">I", 0x40000000 // 4096 + 1) + super_journal + struct.pack(
        ">II", len(super_journal), sum(struct.unpack(f"{len(super_journal)}b", super_journal)) & 0xFFFFFFFF)
    return head.ljust(512, b"\0") + page + tail + b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"


@hostile("journal")
def a_journal_that_deletes_a_file(folder: Path) -> Sequence[str]:
    path = store(folder)
    (folder / "precious").write_text("precious")
    Path(path + "-journal").write_bytes(journal(os.fsencode(folder / "precious")))
    return ["do", "K-1", "log_call", "--by", "consumer", "-d", "note=x", "--store", path]


@hostile("journal")
def a_pipe_in_place_of_the_journal(folder: Path) -> Sequence[str]:
    path = store(folder)
    os.mkfifo(path + "-journal")
    return ["list", "--store", path]


@hostile("journal")
def a_device_in_place_of_the_journal(folder: Path) -> Sequence[str]:
    path = store(folder)
    os.symlink("/dev/zero", path + "-journal")
    return ["list", "--store", path]


@hostile("wal")
def a_pipe_in_place_of_the_wal(folder: Path) -> Sequence[str]:
    path = store(folder)
    os.mkfifo(path + "-wal")
    return ["list", "--store", path]


@hostile("lock")
def a_link_in_place_of_the_lock(folder: Path) -> Sequence[str]:
    path = store(folder)
    os.symlink(folder / "elsewhere", path + ".lock")
    return ["do", "K-1", "log_call", "--by", "consumer", "-d", "note=x", "--store", path]


def each() -> Iterator[Hostile]:
    """The corpus."""
    return iter(CORPUS)
