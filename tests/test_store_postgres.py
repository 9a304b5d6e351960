"""The store in PostgreSQL: what only a server can do to it, or many machines at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cli_helpers import casework
from harness import postgres
from harness.commands import Answers, Planned, give, opened, outside, store_at
from harness.nursery import Nursery
from harness.races import prepare, race
from harness.servers import fail_over, kill_servers
from harness.verdict import problems, recorded, rows_of, unproved
from test_store import note

from casework.audit.check import audit
from casework.audit.integrity import Integrity
from casework.audit.signed import Signed
from casework.cli.journals import remember
from casework.errors import InputError, JournalError, NotAStore, StoreBusy, StoreError, StoreMissing
from casework.store.ledger.journal import Journal
from casework.store.ledger.ledger import Head
from casework.store.opening import make_store, open_reader, open_recorder, open_store
from casework.store.postgres import recorder as module
from casework.store.postgres import schema, server
from casework.store.postgres.recorder import PostgresRecorder
from casework.store.store import Store
from casework.store.url import parse

CALL = Planned("call", "log_call", "consumer", {"note": "客服称三天内答复"})
own_server = pytest.mark.skipif(bool(postgres.NAMED), reason="needs power over the server")


@pytest.fixture
def url() -> str:
    return postgres.fresh_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store with a journal and a case of two events."""
    with store_at(url, create=True) as made:
        opened(made, "K-1")
        give(made, "K-1", CALL)
        yield made


def ask(url: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What somebody with psql might ask or do."""
    place = parse(url)
    with psycopg.connect(place.path, autocommit=True) as connection:
        connection.execute(f"SET search_path = {place.schema}")
        cursor = connection.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def codes(url: str, journal: Path | None) -> list[str]:
    with open_reader(url) as reader:
        seen = reader.snapshot()
        integrity = Integrity.of(reader, seen.leaves, Signed(journal) if journal else None, whole=True)
        return [f.code for f in audit(seen.rows, indexed=reader, integrity=integrity)]


# --- many at once ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sixteen_processes_on_cases_of_their_own_and_eight_on_one_lose_and_double_nothing(url: str, tmp_path: Path) -> None:
    mine = [f"C-{n}" for n in range(16)]
    with store_at(url, create=True) as made:
        for case in (*mine, "K-1"):
            opened(made, case)
    go, share = tmp_path / "go", {case: tmp_path / f"{case}.own" for case in mine}
    with Nursery() as nursery:
        common = {"store": url, "count": 15, "steps": 0.4, "go": go}
        started = [nursery.start("harness.races:carry", case=case, seed=case, journal=journal, **common)
                   for case, journal in share.items()]
        crowd = [tmp_path / f"crowd-{n}" for n in range(8)]
        started += [nursery.start("harness.races:carry", case="K-1", seed=f"w{n}", journal=journal, **common)
                    for n, journal in enumerate(crowd)]
        go.touch()
        assert [worker.wait() for worker in started] == [0] * 24
    for case, journals in [*((case, [journal]) for case, journal in share.items()), ("K-1", crowd)]:
        answers = Answers().read(*journals)
        assert answers.errors == {}
        assert problems(rows_of(url, case), answers) == []
        assert len(answers.acknowledged) + len(answers.refused) == 15 * len(journals)
        assert len(rows_of(url, case)) == 1 + len(answers.acknowledged)
    assert unproved(url, outside(url)) == []


def test_whoever_holds_the_turn_too_long_is_thrown_off_and_the_others_are_told(store: Store, url: str) -> None:
    place = parse(url)
    with open_store(url, journal=Journal(outside(url)), lock_timeout=0.2) as hasty, psycopg.connect(place.path) as holder:
        holder.execute(f"SELECT FROM {place.schema}.ledger_head FOR UPDATE")
        with pytest.raises(StoreBusy, match="try again"):
            give(hasty, "K-1", CALL._replace(id="waited"))
        holder.rollback()
        give(hasty, "K-1", CALL._replace(id="waited"))
    assert list(recorded(rows_of(url, "K-1"))) == ["open", "call", "waited"]


def test_a_session_that_holds_something_and_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(server, "_IDLE", 1)
    make_store(parse(url), None)
    with closing(server.Server(parse(url)).connect()) as idle:
        idle.execute("BEGIN")
        idle.execute("SELECT FROM ledger_head FOR UPDATE")
        ask(url, "SET lock_timeout = '20s'; SELECT FROM ledger_head FOR UPDATE")
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            idle.execute("SELECT 1")


# --- what is lost and found again --------------------------------------------------------------------------------------------


class Faulty(PostgresRecorder):
    """Loses its connection before, or behind, the commit of the next commands."""

    faults: list[str]

    def _grow(self, connection: Any, *rest: Any) -> Head:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            connection.close()
        head = super()._grow(connection, *rest)
        if fault == "behind":
            connection.close()
            raise psycopg.OperationalError("the connection is lost")
        return head


def faulty(url: str, *faults: str) -> Store:
    made = Faulty(parse(url), Journal(outside(url)))
    made.faults = list(faults)
    return Store(made)


@pytest.mark.parametrize("faults", [("before",), ("behind",), ("before", "behind"), ("behind", "behind", "before")],
                         ids="-".join)
def test_a_command_whose_connection_is_lost_is_recorded_once_and_acknowledged(store: Store, url: str,
                                                                              faults: tuple[str, ...]) -> None:
    with faulty(url, *faults) as mine:
        done = give(mine, "K-1", CALL._replace(id="lost"))
        assert (done.version, done.repeated) == (3, False)
        assert give(mine, "K-1", CALL._replace(id="lost")).repeated
    assert list(recorded(rows_of(url, "K-1"))) == ["open", "call", "lost"]
    assert codes(url, outside(url)) == []
    last = Journal(outside(url)).last()
    assert last is not None and last.size == 3


def test_what_somebody_else_recorded_while_the_connection_was_lost_is_no_acknowledgement(store: Store, url: str) -> None:
    class Overtaken(Faulty):
        def _grow(self, connection: Any, *rest: Any) -> Head:
            if self.faults:
                self.faults.clear()
                connection.close()
                give(store, "K-1", CALL._replace(id="faster"))
                raise psycopg.OperationalError("the connection is lost")
            return super()._grow(connection, *rest)

    made = Overtaken(parse(url), Journal(outside(url)))
    made.faults = ["lost"]
    with Store(made) as mine:
        slow = mine.get("K-1")
        slow.do(*note(slow))
        with pytest.raises(StoreBusy, match="same moment"):
            mine.save(slow)
    assert list(recorded(rows_of(url, "K-1"))) == ["open", "call", "faster"]


def test_what_was_decided_upon_an_event_that_a_killed_server_lost_is_decided_anew(store: Store, url: str) -> None:
    slow = store.get("K-1")
    slow.do(*note(slow))
    # As after the crash of a server that had shown what was not acknowledged: the events of the last commit are gone.
    before = Journal(outside(url)).last()
    assert before is not None
    ask(url, "DELETE FROM stored_events WHERE originator_version = 2")
    ask(url, "DELETE FROM ledger_leaves WHERE number = 1")
    with pytest.raises((StoreBusy, JournalError)):
        store.save(slow)
    assert list(recorded(rows_of(url, "K-1"))) == ["open"]


def test_a_wait_for_the_standby_that_somebody_ended_is_no_acknowledgement(store: Store, url: str,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    warning = "DO $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication due to user request'; END $$"
    monkeypatch.setattr(module, "_SURVIVE", warning)
    with pytest.raises(StoreBusy, match="same --command-id"):
        give(store, "K-1", CALL._replace(id="unsure"))
    monkeypatch.undo()
    assert give(store, "K-1", CALL._replace(id="unsure")).repeated
    assert codes(url, outside(url)) == []


@pytest.mark.slow
@own_server
def test_a_server_killed_under_load_loses_nothing_acknowledged_and_the_clients_go_on(tmp_path: Path) -> None:
    with postgres.server() as mine:
        toll = kill_servers(tmp_path, mine, kills=3, seed=1)
    assert toll.problems == []
    assert toll.kills == 3 and toll.acknowledged >= 12


@pytest.mark.slow
@own_server
def test_a_standby_that_is_promoted_has_all_that_was_acknowledged_and_the_clients_go_on_there(tmp_path: Path) -> None:
    with postgres.server() as mine:
        toll = fail_over(tmp_path, mine, seed=1)
    assert toll.problems == []
    assert toll.acknowledged >= 40


@own_server
def test_a_client_goes_on_when_its_server_is_started_again_and_whoever_comes_new_meanwhile_is_told(tmp_path: Path) -> None:
    with postgres.server() as mine:
        url = mine.url(schema="again")
        with store_at(url, create=True) as made, open_reader(url) as reader:
            opened(made, "K-1")
            mine.kill()
            with pytest.raises(StoreBusy, match="cannot be reached"):
                open_reader(url)
            mine.start()
            assert give(made, "K-1", CALL).version == 2
            assert len(list(reader.rows("K-1"))) == 2


# --- journals of several machines --------------------------------------------------------------------------------------------


def machine(url: str, folder: Path) -> Journal:
    """The journal of another machine: a copy of the first."""
    shutil.copytree(outside(url), folder)
    return Journal(folder)


def test_machines_sign_in_journals_of_their_own_and_each_audits_clean_by_its_own(store: Store, url: str, tmp_path: Path) -> None:
    with open_store(url, journal=machine(url, tmp_path / "second")) as second:
        give(second, "K-1", CALL._replace(id="by the second"))
        assert codes(url, tmp_path / "second") == codes(url, outside(url)) == []  # the first has not signed it, and need not
        give(store, "K-1", CALL._replace(id="by the first"))
        give(second, "K-1", CALL._replace(id="by the second again"))
    assert len(rows_of(url, "K-1")) == 5
    assert codes(url, tmp_path / "second") == codes(url, outside(url)) == []


def test_a_database_set_back_is_found_by_the_machine_that_signed_what_is_gone(store: Store, url: str, tmp_path: Path) -> None:
    other = machine(url, tmp_path / "second")
    with open_reader(url) as reader:
        [note] = [reader.ledger().signed()]
    head = ask(url, "SELECT size, peaks FROM ledger_head")[0]
    give(store, "K-1", CALL._replace(id="gone"))
    ask(url, "DELETE FROM stored_events WHERE originator_version = 3; DELETE FROM ledger_leaves WHERE number = 2")
    ask(url, "DELETE FROM ledger_nodes WHERE (level, number) = (1, 1)")
    ask(url, "UPDATE ledger_head SET size = %s, peaks = %s, note = %s", *head, note)
    assert "tail_lost" in codes(url, outside(url))
    with open_store(url, journal=other) as second:  # whose journal signed nothing of what is gone
        give(second, "K-1", CALL._replace(id="instead"))
    assert codes(url, tmp_path / "second") == []
    assert "checkpoint_differs" in codes(url, outside(url))
    with open_store(url, journal=Journal(outside(url))) as first, pytest.raises(JournalError, match=r"rewritten|lacks"):
        give(first, "K-1", CALL._replace(id="on top"))


def test_what_is_written_past_the_commands_is_built_on_by_nobody_and_told_by_the_audit(store: Store, url: str) -> None:
    """Lawful, with its leaf, its node and the new head: but whoever did it has no key."""
    from casework.store.ledger.entry import leaf
    from casework.store.ledger.tree import Frontier

    row = rows_of(url, "K-1")[-1]
    payload = row.payload.replace(b'"version":2', b'"version":3').replace(b'"command_id":"call"', b'"command_id":"forged"')
    forged = row._replace(version=3, payload=payload)
    with open_reader(url) as reader:
        book = reader.ledger()
        last = book.last("K-1")
        assert last is not None
        frontier = Frontier(2, [book.node(1, 0)])
    made = leaf(last.hash, [forged])
    nodes = frontier.add(made)
    ask(url, f"INSERT INTO stored_events VALUES ({', '.join(['%s'] * 9)})", *forged)
    ask(url, "INSERT INTO ledger_leaves VALUES (2, 'K-1', 3, 3, %s)", made)
    assert len(nodes) == 1
    ask(url, "UPDATE ledger_head SET size = 3, peaks = %s", b"".join(frontier.peaks))
    assert "tail_unsigned" in codes(url, outside(url))
    with open_store(url, journal=Journal(outside(url))) as again:
        for attempt in (lambda: give(again, "K-1", CALL._replace(id="on top")), again.settle):
            with pytest.raises(JournalError, match="past the commands"):
                attempt()
    last_signed = Journal(outside(url)).last()
    assert last_signed is not None and last_signed.size == 2


def test_a_ledger_whose_nodes_were_altered_takes_nothing_more(store: Store, url: str) -> None:
    ask(url, "UPDATE ledger_nodes SET hash = sha256('x')")
    with open_store(url, journal=Journal(outside(url))) as again, pytest.raises(JournalError, match="rewritten"):
        give(again, "K-1", CALL._replace(id="next"))
    ask(url, "UPDATE ledger_head SET peaks = peaks || peaks")
    with open_store(url, journal=None) as again, pytest.raises(StoreError, match="head of the ledger"):
        give(again, "K-1", CALL._replace(id="next"))


def test_a_key_that_was_changed_is_taken_up_on_its_machine_and_asked_for_on_another(store: Store, url: str,
                                                                                    tmp_path: Path) -> None:
    other = machine(url, tmp_path / "second")
    with open_store(url, journal=Journal(outside(url))) as also_here, open_store(url, journal=other) as second:
        new = store.rotate_key(b"\x0b" * 32)
        give(also_here, "K-1", CALL._replace(id="new key"))
        assert also_here.journal is not None and also_here.journal.signer.vkey == new.vkey
        with pytest.raises(JournalError, match="copy key and keys"):
            give(second, "K-1", CALL._replace(id="old key"))
        for name in ("key", "keys"):
            shutil.copy(outside(url) / name, tmp_path / "second" / name)
        give(second, "K-1", CALL._replace(id="copied key"))
    assert codes(url, outside(url)) == codes(url, tmp_path / "second") == []


def test_a_new_key_signs_no_head_that_may_not_survive_yet(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def noting(kind: type, name: str) -> None:
        plain = getattr(kind, name)
        monkeypatch.setattr(kind, name, lambda self, *given: (done.append(name), plain(self, *given))[1])

    noting(PostgresRecorder, "_survive")
    noting(Journal, "acknowledge")
    noting(Journal, "rotate")
    store.rotate_key(b"\x0b" * 32)
    assert done[:3] == ["_survive", "acknowledge", "rotate"]


@pytest.mark.usefixtures("store")
def test_a_store_that_denies_its_journal_is_not_written_to_from_any_folder(url: str, tmp_path: Path,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    remember(parse(url).place, Journal(outside(url)).origin)
    ask(url, "UPDATE ledger_meta SET value = 'none' WHERE name = 'journal'")
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        casework("do", "K-1", "log_call", "--by", "consumer", "--at", "2026-07-01T10:00:00+08:00", "-d", "note=x",
                 "--store", url).fails("journal")


def test_without_its_journal_nothing_is_recorded_and_a_ledger_begun_anew_is_told(store: Store, url: str, tmp_path: Path) -> None:
    with open_store(url) as bare, pytest.raises(JournalError, match="without which nothing is recorded"):
        give(bare, "K-1", CALL._replace(id="bare"))
    from casework.store.ledger.note import Signer

    fresh = Journal.found(tmp_path / "fresh", Signer("local/fresh", b"\x0c" * 32))
    with open_store(url) as bare:
        bare.renew_ledger("local/fresh", fresh, '{"reason": "key lost"}')
        give(bare, "K-1", CALL._replace(id="renewed"))
    assert codes(url, tmp_path / "fresh") == ["ledger_renewed"]


# --- schema, roles, errors ---------------------------------------------------------------------------------------------------


def test_a_newer_schema_is_refused_and_an_older_one_is_upgraded_by_init_alone(store: Store, url: str,
                                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    known = schema.steps()
    further = (*known, (len(known) + 1, "0002_more.sql", "ALTER TABLE duties ADD COLUMN more text"))
    monkeypatch.setattr(schema, "steps", lambda: list(further))
    for look in (open_reader, open_store):
        with pytest.raises(StoreError, match=r"older casework.*casework init"):
            look(url)
    make_store(parse(url), None)
    with open_reader(url) as reader:
        assert len(list(reader.rows())) == 2
    monkeypatch.undo()
    for refused in (open_reader, open_store, lambda u: make_store(parse(u), None)):
        with pytest.raises(NotAStore, match=r"newer casework.*update casework"):
            refused(url)


def test_a_step_that_fails_leaves_the_store_as_it_was(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = schema.steps()
    monkeypatch.setattr(schema, "steps", lambda: [*known, (2, "0002.sql", "ALTER TABLE duties ADD COLUMN a int; SELECT 1/0")])
    with pytest.raises(StoreError):
        make_store(parse(url), None)
    monkeypatch.undo()
    give(store, "K-1", CALL._replace(id="still here"))


@pytest.mark.parametrize("odd", [
    "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    "CREATE TRIGGER t BEFORE INSERT ON stored_events FOR EACH ROW EXECUTE FUNCTION swallow()",
    "CREATE RULE r AS ON INSERT TO stored_events DO INSTEAD NOTHING",
    "ALTER TABLE stored_events ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE stored_events RENAME TO hidden; CREATE VIEW stored_events AS SELECT * FROM hidden",
    "ALTER TABLE ledger_head SET UNLOGGED",
], ids=["trigger", "rule", "row security", "view", "unlogged"])
def test_what_could_swallow_a_record_keeps_everybody_from_recording(store: Store, url: str, odd: str) -> None:
    ask(url, odd)
    with pytest.raises(NotAStore, match="stands before"):
        open_store(url)


def test_a_schema_with_tables_of_somebody_else_is_left_alone(url: str) -> None:
    name = parse(url).schema
    ask(url, f"CREATE SCHEMA {name}; CREATE TABLE {name}.duties (mine int)")
    with pytest.raises(NotAStore, match="did not make"):
        make_store(parse(url), None)
    assert ask(url, "SELECT count(*) FROM duties") == [(0,)]


def test_a_writer_may_add_and_neither_change_nor_remove_and_a_reader_only_reads(store: Store, url: str) -> None:
    suffix = parse(url).schema
    roles = {role: f"{role}_{suffix}" for role in ("w", "r")}
    schema.grant(parse(url), roles["w"], writes=True)
    schema.grant(parse(url), roles["r"], writes=False)
    schema.grant(parse(url), roles["r"], writes=False)  # twice is once
    for role in roles.values():
        ask(url, f"CREATE ROLE {role}_login LOGIN IN ROLE {role}")
    as_writer, as_reader = (url.replace("casework@", f"{roles[r]}_login@") for r in ("w", "r"))
    if as_writer == url:
        pytest.skip("the named server has another user")
    with open_store(as_writer, journal=Journal(outside(url))) as mine:
        give(mine, "K-1", CALL._replace(id="by the writer"))
        mine.settle()
    for statement in ("UPDATE stored_events SET at = 0", "DELETE FROM stored_events", "TRUNCATE stored_events",
                      "UPDATE ledger_leaves SET leaf = ''", "DELETE FROM ledger_nodes", "UPDATE ledger_meta SET value = ''",
                      "DROP TABLE duties", "DELETE FROM ledger_head"):
        for user in (as_writer, as_reader):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ask(user, statement)
    with open_reader(as_reader) as reader:
        assert len(list(reader.rows("K-1"))) == 3
    with open_store(as_reader, journal=Journal(outside(url))) as mine, pytest.raises(StoreError, match="may not do that"):
        give(mine, "K-1", CALL._replace(id="by the reader"))
    assert codes(url, outside(url)) == []


@pytest.mark.parametrize(("change", "error", "words"), [
    (("casework@", "casework:s3cret@"), None, ""),
    (("casework@", "nobody_here:s3cret@"), StoreError, "check user and password"),
    (("/postgres?", "/no_such_db?"), StoreMissing, "createdb"),
    (("host=/", "port=1&host=/"), StoreBusy, "cannot be reached"),
    (("casework@", "casework:s3cret%zz@"), InputError, "no URL that PostgreSQL's client takes"),
    (("casework@", "casework:p@s3cret@"), InputError, "what is special in a password"),
    (("schema=", "nonsense=s3cret&schema="), InputError, "no URL that PostgreSQL's client takes"),
], ids=["password not needed", "user", "database", "server", "URL", "at sign", "option"])
@own_server
def test_what_goes_wrong_is_one_line_in_two_languages_and_never_says_the_password(
        store: Store, url: str, change: tuple[str, str], error: type[StoreError] | None, words: str) -> None:
    changed = url.replace(*change)
    assert changed != url
    if error is None:
        open_reader(changed).close()
        return
    for look in (open_reader, open_store, lambda u: make_store(parse(u), None)):
        with pytest.raises(error, match=words) as caught:
            look(changed)
        said = caught.value.en + caught.value.zh
        assert "s3cret" not in said and "\n" not in said and caught.value.zh != caught.value.en


def test_a_database_in_another_encoding_is_refused(url: str) -> None:
    name = f"latin_{parse(url).schema}"
    ask(url, f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    other = url.replace("/postgres?", f"/{name}?")
    try:
        with pytest.raises(StoreError, match=r"LATIN1.*UTF"):
            make_store(parse(other), None)
    finally:
        ask(url, f"DROP DATABASE {name}")


def test_without_the_extra_it_is_said_how_to_install_it() -> None:
    code = ("import sys; sys.modules['psycopg'] = None\nfrom casework.cli.main import run\n"
            "sys.exit(run(['list', '--store', 'postgresql://u:s3cret@h/d']))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert "pip install 'casework[postgres]'" in done.stderr and "s3cret" not in done.stderr and done.stderr.count("\n") == 1


def test_a_store_in_a_file_does_not_load_the_client(tmp_path: Path) -> None:
    code = ("import sys\nfrom casework.store.opening import open_store\nopen_store(sys.argv[1], create=True).close()\n"
            "print([m for m in sys.modules if m.startswith('psycopg')])")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "t.db")], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_environment_switches_no_store(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.popo")
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    prepare(postgres_store := url, "K-1")
    assert len(rows_of(postgres_store, "K-1")) == 1


# --- the command line --------------------------------------------------------------------------------------------------------


def test_from_init_to_backup_the_command_line_works_on_a_team_store(url: str, tmp_path: Path,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    secret = url.replace("casework@", "casework:s3cret@")
    casework("open", "K-1", "--by", "consumer", "-d", "ground=malfunction", "--store", url, "-d", "consumer=C",
             "-d", "order.id=O", "-d", "order.item=x", "-d", "order.category=appliance", "-d", "order.merchant=M",
             "-d", "order.paid=1", "-d", "order.ordered_at=2026-03-01T10:00:00+08:00").fails("there is no store", "casework init")
    made = casework("init", secret, "--origin", "team/cases").ok()
    assert "s3cret" not in made.out and "team/cases" in made.out
    assert casework("init", url).ok().out == made.out
    monkeypatch.setenv("CASEWORK_STORE", secret)
    casework("replay", "scenarios/juicer.yaml", "--quiet", "--store", secret).ok()
    assert "juicer" in casework("list").ok().out
    casework("show", "juicer").ok()
    said = casework("audit", "--json")
    assert said.status == 0 and "s3cret" not in said.out
    assert casework("audit", "--jobs", "2", "--json").document()["findings"] == []
    casework("checkpoint").ok()
    casework("receipt", "juicer").ok()
    backup = casework("backup", str(tmp_path / "copy.db")).ok()
    assert "complete up to checkpoint" in backup.out and "findings: 0" in backup.out
    keys = (tmp_path / "copy.db.journal" / "keys").read_text(encoding="utf-8").split("\n")
    casework("verify", str(tmp_path / "copy.db"), "--key", keys[2], "--checkpoint",
             str(tmp_path / "copy.db.journal" / "checkpoints")).ok()
    assert rows_of(tmp_path / "copy.db", "juicer") == rows_of(url, "juicer")
    found = casework("doctor", "--thorough", "--json")
    checks = {check["check"]: check["state"] for check in found.document(found.status)["checks"]}
    assert {checks[name] for name in ("server", "durability", "store", "shape", "journal", "key", "keys")} == {"ok"}
    assert "s3cret" not in found.out


def test_doctor_tells_what_is_wrong_with_server_and_store(url: str) -> None:
    casework("doctor", "--store", url, "--json")
    missing = {c["check"]: c["state"] for c in casework("doctor", "--store", url, "--json").document(1)["checks"]}
    assert missing["store"] == "error"
    make_store(parse(url), None)
    ask(url, "CREATE RULE r AS ON INSERT TO duties DO INSTEAD NOTHING")
    odd = {c["check"]: c["state"] for c in casework("doctor", "--store", url, "--json").document(1)["checks"]}
    assert odd["shape"] == "error"
    gone = casework("doctor", "--store", "postgresql://u@127.0.0.1:1/d", "--json").document(1)["checks"]
    assert [c["state"] for c in gone if c["check"] == "store"] == ["error"]


def test_of_two_who_make_one_store_at_once_the_second_takes_the_journal_of_the_first(url: str, tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-m", "casework", "init", url, "--json"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, env=os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")})
                 for _ in range(3)]
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, said
    assert len({out for out, _ in said}) == 1
    assert len(list((tmp_path / "state" / "casework" / "local").iterdir())) == 1


def test_a_race_for_one_case_is_decided_without_a_lock(url: str, tmp_path: Path) -> None:
    prepare(url, "K-1", journal=True)
    done = race(tmp_path, url, "K-1", workers=4, commands=40, seed=3)
    assert done.statuses == [0] * 4 and done.answers.errors == {}
    assert problems(rows_of(url, "K-1"), done.answers) == []
    assert unproved(url, outside(url)) == []


def test_the_recorder_of_a_store_that_is_missing_leaves_no_connection_open(url: str) -> None:
    for _ in range(3):
        with pytest.raises(StoreMissing):
            open_recorder(parse(url))
