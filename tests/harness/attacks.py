"""Attacks on a recorded history, each by somebody who holds the store, some also by who holds the journal or the key (G4).

Every attack begins with a fresh copy of one victim: cases of several streams,
a merchant's standing among them. What the audit then
says is asked twice: with the journal outside, or a checkpoint that somebody kept, and without either.
"""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from standing_helpers import Market

from casework.audit.check import audit
from casework.audit.integrity import Integrity
from casework.audit.signed import Signed
from casework.errors import CaseworkError
from casework.store.ledger import tree
from casework.store.ledger.entry import leaf
from casework.store.ledger.journal import Journal
from casework.store.ledger.ledger import Head, Ledger
from casework.store.ledger.note import Checkpoint, Signer, signed
from casework.store.opening import open_reader, open_store
from casework.store.row import Row
from harness import engines
from harness.result import Result

#: The key of the victim's ledger, as somebody wrote it down who trusts it.
KEY = Signer("local/victim", bytes([1]) * 32).vkey
COLUMNS = ("originator_id", "originator_version", "topic", "state", "trigger_name", "from_state", "to_state", "at", "recorded_at")


class Victim(NamedTuple):
    """A store, its journal's folder, and a checkpoint of half of it that somebody kept elsewhere."""

    store: Path
    journal: Path
    kept: Path


def victim(folder: Path, seed: int = 1) -> Victim:
    """Two cases that were ruled, one that is open, and their merchant's standing."""
    folder.mkdir(parents=True)
    store, journal, kept = folder / "t.db", folder / "journal", folder / "kept"
    made = Journal.found(journal, Signer("local/victim", bytes([seed]) * 32))
    with Market(open_store(str(store), create=True, journal=made)) as market:
        market.ruled("K-1", 12).reviewed("K-2")
        end = made.end()
        assert end is not None
        kept.write_text(end[1], encoding="utf-8")
        market.rule("K-2", 1)
        market.open("K-3")
        market.do("K-3", "log_call", note="客服称三天内答复")
    return Victim(store, journal, kept)


def copied(of: Victim, to: Path) -> Victim:
    """A copy to attack."""
    shutil.copytree(of.store.parent, to)
    engines.copied(of.store, to / of.store.name)
    return Victim(to / of.store.name, to / of.journal.name, to / of.kept.name)


# --- the hands of an attacker ------------------------------------------------------------------------------------------------


def sql(store: Path, script: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run one statement on the store, or several."""
    with engines.connect(store) as connection:
        if values or script.lstrip().upper().startswith("SELECT"):
            found: list[tuple[Any, ...]] = connection.execute(script, values).fetchall()
            return found
        connection.executescript(script)
    return []


def rows(store: Path) -> list[Row]:
    """All rows, in the order in which they were recorded."""
    return [Row(*r) for r in sql(store, f"SELECT {', '.join(COLUMNS)} FROM stored_events ORDER BY rowid")]


def put(store: Path, row: Row) -> None:
    """Put a row in the place of that of its case and version."""
    sql(store, "DELETE FROM stored_events WHERE originator_id = ? AND originator_version = ?", row.case, row.version)
    sql(store, f"INSERT INTO stored_events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})", *row)


def say(row: Row, **changes: Any) -> Row:
    """The row with its payload changed and written as casework would write it, columns and all."""
    said = json.loads(row.payload)
    for name, value in changes.items():
        place = said
        *outer, last = name.split("__")
        for part in outer:
            place = place[part]
        place[last] = value
    payload = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return row._replace(payload=payload)


def of(store: Path, case: str, version: int) -> Row:
    """One row."""
    return next(r for r in rows(store) if (r.case, r.version) == (case, version))


def rebuilt(store: Path) -> Head:
    """The whole ledger made again over what is there now, commit by commit, as an administrator could."""
    with engines.connect(store) as connection:
        kept = Ledger(_asking(connection))
        meta, here = kept.meta(), rows(store)
        commits = []
        for each in kept.leaves(0, kept.size()):
            of_it = [r for r in here if r.case == each.stream and each.first <= r.version <= each.last]
            if of_it:
                commits.append(of_it)
        covered = {(r.case, r.version) for commit in commits for r in commit}
        commits += [[r] for r in here if (r.case, r.version) not in covered]
        with closing(sqlite3.connect(":memory:")) as elsewhere:
            made = Ledger(_asking(elsewhere))
            head = made.found(meta, commits)
            connection.execute("BEGIN")
            for table in ("ledger_leaves", "ledger_nodes"):
                connection.execute(f"DELETE FROM {table}")
                for values in elsewhere.execute(f"SELECT * FROM {table}"):
                    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
            engines.put_head(connection, head.size, b"".join(made.node(*peak) for peak in tree.peaks(head.size)))
            connection.execute("COMMIT")
    return head


def _asking(connection: Any) -> Callable[..., list[Any]]:
    def ask(statement: str, *values: Any) -> list[Any]:
        found: list[Any] = connection.execute(statement, values).fetchall()
        return found

    return ask


def cut(store: Path, leaves: int) -> None:
    """Take the last leaves away, and their rows and nodes, as if they had never been."""
    with engines.connect(store) as connection:
        size = connection.execute("SELECT max(number) + 1 FROM ledger_leaves").fetchone()[0] - leaves
        for stream, first in connection.execute("SELECT originator_id, first_version FROM ledger_leaves WHERE number >= ?",
                                                (size,)).fetchall():
            connection.execute("DELETE FROM stored_events WHERE originator_id = ? AND originator_version >= ?", (stream, first))
            connection.execute("DELETE FROM duties WHERE case_id = ?", (stream,))
        connection.execute("DELETE FROM ledger_leaves WHERE number >= ?", (size,))
        connection.execute("DELETE FROM ledger_nodes WHERE ((number + 1) << CAST(level AS INTEGER)) > ?", (size,))


def resigned(at: Victim, head: Head, signer: Signer, whole: bool = False) -> None:
    """Write a checkpoint of that head into the journal; ``whole``: in the place of all that it holds."""
    note = signed(Checkpoint(signer.origin, head.size, head.root).text(), signer)
    file = at.journal / "checkpoints"
    file.write_text(note if whole else file.read_text(encoding="utf-8") + "\n" + note, encoding="utf-8")


def signer(at: Victim) -> Signer:
    """The ledger's own key."""
    return Journal(at.journal).signer


# --- the attacks -------------------------------------------------------------------------------------------------------------


def _edit_text(at: Victim) -> None:
    put(at.store, say(of(at.store, "K-1", 3), data__description="没有证据"))


def _edit_byte(at: Victim) -> None:
    row = of(at.store, "K-1", 3)
    put(at.store, row._replace(payload=row.payload.replace("证据".encode(), "证剧".encode())))


def _edit_and_rebuild(at: Victim) -> None:
    _edit_text(at)
    rebuilt(at.store)


def _edit_and_sign(at: Victim) -> None:
    _edit_text(at)
    resigned(at, rebuilt(at.store), signer(at), whole=True)


def _edit_and_sign_after(at: Victim) -> None:
    _edit_text(at)
    resigned(at, rebuilt(at.store), signer(at))


def _foreign_signature(at: Victim) -> None:
    _edit_text(at)
    resigned(at, rebuilt(at.store), Signer("local/victim", b"\x63" * 32), whole=True)


def _insert_at_the_end(at: Victim, ledger: bool = False) -> None:
    row = of(at.store, "K-3", 2)
    put(at.store, say(row, command_id="forged", version=3)._replace(version=3))
    if ledger:
        rebuilt(at.store)


def _insert_leaf_only(at: Victim) -> None:
    _insert_at_the_end(at)
    row = of(at.store, "K-3", 3)
    [(before,)] = sql(at.store, "SELECT leaf FROM ledger_leaves WHERE originator_id = 'K-3' ORDER BY number DESC LIMIT 1")
    [(size,)] = sql(at.store, "SELECT max(number) + 1 FROM ledger_leaves")
    sql(at.store, "INSERT INTO ledger_leaves VALUES (?, 'K-3', 3, 3, ?)", size, leaf(before, [row]))


def _swap_versions(at: Victim) -> None:
    sql(at.store, "UPDATE stored_events SET originator_version = -1 WHERE originator_id = 'K-1' AND originator_version = 3;"
                  "UPDATE stored_events SET originator_version = 3 WHERE originator_id = 'K-1' AND originator_version = 4;"
                  "UPDATE stored_events SET originator_version = 4 WHERE originator_id = 'K-1' AND originator_version = -1")


def _swap_lawfully(at: Victim) -> None:
    """Two pieces of evidence change places, payloads and all, as if the second had come first."""
    one, two = of(at.store, "K-1", 3), of(at.store, "K-1", 4)
    put(at.store, two._replace(version=3, payload=say(two, version=3, id=json.loads(one.payload)["id"]).payload))
    put(at.store, one._replace(version=4, payload=say(one, version=4, id=json.loads(two.payload)["id"]).payload))


def _move_between_cases(at: Victim) -> None:
    sql(at.store, "UPDATE stored_events SET originator_id = 'K-9' WHERE originator_id = 'K-3'")


def _copy_case(at: Victim) -> None:
    for row in [r for r in rows(at.store) if r.case == "K-3"]:
        put(at.store, say(row, case="K-8")._replace(case="K-8"))


def _backdate(at: Victim) -> None:
    row = of(at.store, "K-3", 2)
    said = json.loads(row.payload)
    earlier = said["at"].replace("2026-", "2025-")
    moved = say(row, at=earlier, recorded_at=earlier)
    put(at.store, moved._replace(at=row.at - 365 * 86400 * 10**6, recorded_at=row.recorded_at - 365 * 86400 * 10**6))


def _deny_ledger(at: Victim) -> None:
    sql(at.store, "DROP TABLE ledger_leaves; DROP TABLE ledger_nodes; DROP TABLE ledger_meta; PRAGMA user_version=1")


def _deny_journal(at: Victim) -> None:
    _edit_text(at)
    rebuilt(at.store)
    sql(at.store, "UPDATE ledger_meta SET value = 'none' WHERE name = 'journal'")


def _other_store(at: Victim) -> None:
    other = victim(at.store.parent / "other", seed=2)
    _edit_text(other)
    rebuilt(other.store)
    engines.copied(other.store, at.store)


def _roll_back_both(at: Victim) -> None:
    cut(at.store, 12)
    notes = (at.journal / "checkpoints").read_text(encoding="utf-8").split("\n\n")
    pairs = ["\n\n".join(p) for p in itertools.batched(notes, 2)] if hasattr(itertools, "batched") else [
        "\n\n".join(notes[i:i + 2]) for i in range(0, len(notes), 2)]
    [(size,)] = sql(at.store, "SELECT max(number) + 1 FROM ledger_leaves")
    kept = [p for p in pairs if int(p.split("\n")[1]) <= size]
    (at.journal / "checkpoints").write_text("\n\n".join(p.rstrip("\n") for p in kept) + "\n", encoding="utf-8")
    resigned(at, Head(size, _root(at.store, size)), signer(at))


def _root(store: Path, size: int) -> bytes:
    with engines.connect(store) as connection:
        return Ledger(_asking(connection)).root(size)


def _damage_checkpoint(at: Victim) -> None:
    """A root in the middle of the journal becomes another."""
    file = at.journal / "checkpoints"
    notes = file.read_text(encoding="utf-8").split("\n")
    index = next(i for i, line in enumerate(notes) if line == "5") + 1
    notes[index] = base64.b64encode(tree.EMPTY).decode()
    file.write_text("\n".join(notes), encoding="utf-8")


def _swap_keys(at: Victim) -> None:
    """The journal's keys and its last checkpoint become an attacker's, who has rewritten the store; the kept checkpoint tells."""
    _edit_text(at)
    head = rebuilt(at.store)
    shutil.rmtree(at.journal)
    made = Journal.found(at.journal, Signer("local/victim", b"\x64" * 32))
    made.acknowledge(head)


def _sql(script: str) -> Callable[[Victim], None]:
    return lambda at: void(sql(at.store, script))


def void(_: object) -> None:
    """Nothing."""


@dataclass(frozen=True)
class Attack:
    """What is done; whether the store alone tells of it, whether its journal does, and whether a kept checkpoint does."""

    name: str
    do: Callable[[Victim], None]
    alone: bool = True
    journal: bool = True
    kept: bool = True
    #: Puts into a column what is not of its type, which only SQLite takes.
    untyped: bool = False


ATTACKS: tuple[Attack, ...] = (
    Attack("edit the text of an event", _edit_text),
    Attack("edit a byte of a payload", _edit_byte),
    Attack("edit a column that can be asked", _sql("UPDATE stored_events SET to_state = 'resolved' WHERE originator_id = 'K-3'")),
    Attack("edit a time", _sql("UPDATE stored_events SET at = at - 1 WHERE originator_id = 'K-3'")),
    Attack("backdate an event, payload and columns", _backdate),
    Attack("name a module as topic", _sql("UPDATE stored_events SET topic = 'antigravity:fly' WHERE originator_id = 'K-3'")),
    Attack("turn a payload into text",
           _sql("UPDATE stored_events SET state = CAST(state AS TEXT) WHERE originator_id = 'K-3'"), untyped=True),
    Attack("delete the last event", _sql("DELETE FROM stored_events WHERE originator_id = 'K-3' AND originator_version = 2")),
    Attack("delete an event in the middle",
           _sql("DELETE FROM stored_events WHERE originator_id = 'K-1' AND originator_version = 3")),
    Attack("delete the first event", _sql("DELETE FROM stored_events WHERE originator_id = 'K-3' AND originator_version = 1")),
    Attack("delete a case", _sql("DELETE FROM stored_events WHERE originator_id = 'K-3'")),
    Attack("delete a merchant's standing", _sql("DELETE FROM stored_events WHERE originator_id = 'merchant:M-1'")),
    Attack("delete a case and its leaves", _sql("DELETE FROM stored_events WHERE originator_id = 'K-3';"
                                                "DELETE FROM ledger_leaves WHERE originator_id = 'K-3'")),
    Attack("cut the last commit off cleanly", lambda at: cut(at.store, 1), alone=False),
    Attack("cut the last three commits off cleanly", lambda at: cut(at.store, 3), alone=False),
    Attack("insert an event", _insert_at_the_end),
    Attack("insert an event and a leaf", _insert_leaf_only, alone=False),
    Attack("insert an event and rebuild the tree", lambda at: _insert_at_the_end(at, ledger=True), alone=False),
    Attack("let two events change their versions", _swap_versions),
    Attack("let two events change places lawfully", _swap_lawfully),
    Attack("give a case another id", _move_between_cases),
    Attack("copy a case under another id", _copy_case),
    Attack("make a case's id no UTF-8",
           _sql("UPDATE stored_events SET originator_id = CAST(x'ff' AS TEXT) WHERE originator_id = 'K-2'"), untyped=True),
    Attack("make the stream of leaves no UTF-8",
           _sql("UPDATE ledger_leaves SET originator_id = CAST(x'ff' AS TEXT) WHERE originator_id = 'K-2'"), untyped=True),
    Attack("edit and rebuild the tree", _edit_and_rebuild, alone=False),
    Attack("edit, rebuild and sign with another key", _foreign_signature, alone=False),
    Attack("edit, rebuild and sign after what was signed", _edit_and_sign_after, alone=False),
    Attack("edit, rebuild and sign anew with the ledger's own key", _edit_and_sign, alone=False, journal=False),
    Attack("roll store and journal back, and sign", _roll_back_both, alone=False, journal=False),
    Attack("replace journal, keys and history", _swap_keys, alone=False, journal=False),
    Attack("put another store in its place", _other_store, alone=False),
    Attack("alter a leaf", _sql("UPDATE ledger_leaves SET leaf = zeroblob(32) WHERE number = 4")),
    Attack("alter the versions of a leaf", _sql("UPDATE ledger_leaves SET first_version = 1 WHERE number = 4")),
    Attack("move a leaf to another stream", _sql("UPDATE ledger_leaves SET originator_id = 'K-2' WHERE number = 4")),
    Attack("make a leaf no number", _sql("UPDATE ledger_leaves SET last_version = 'x' WHERE number = 4"), untyped=True),
    Attack("alter a node", _sql("UPDATE ledger_nodes SET hash = zeroblob(32) WHERE level = 2 AND number = 1")),
    Attack("take a node away", _sql("DELETE FROM ledger_nodes WHERE level = 1 AND number = 2")),
    Attack("take the ledger away", _sql("DROP TABLE ledger_leaves")),
    Attack("deny that there was a ledger", _deny_ledger, alone=False),
    Attack("deny that there is a journal, and edit", _deny_journal, alone=False),
    Attack("damage a checkpoint of the journal", _damage_checkpoint, alone=False),
    Attack("take a duty from its index", _sql("DELETE FROM duties"), kept=False),
)


@dataclass
class Siege(Result):
    """What became of the attacks; those missed without anything outside are named in ``docs/enforcement.md``."""

    missed_alone: list[str] = field(default_factory=list)
    missed_by_journal: list[str] = field(default_factory=list)


def codes_of(at: Victim, held: str) -> set[str]:
    """What the audit says to whoever holds the store ``alone``, its ``journal`` too, or a checkpoint that was ``kept``."""
    outside = Signed(at.journal) if held != "alone" else None
    with open_reader(str(at.store)) as reader:
        seen = reader.snapshot()
        kept = None
        if held == "kept":
            try:
                kept = Signed(at.kept, KEY).last()
            except CaseworkError as error:
                return {type(error).__name__}
        integrity = Integrity.of(reader, seen.leaves, outside, kept, whole=True)
        found = list(audit(seen.rows, indexed=reader, integrity=integrity))
    return {finding.code for finding in found if finding.severity != "note"} - (set() if outside else {"journal_missing"})


def siege(folder: Path, codes: Callable[[Victim, str], set[str]] = codes_of) -> Siege:
    """Every attack. ``codes`` audits a victim with what is held ``alone``, the ``journal``, or a checkpoint that was ``kept``."""
    done = Siege("G4", 25, 0)
    whole = victim(folder / "whole")
    for held in ("alone", "journal", "kept"):
        if found := codes(whole, held):
            done.problems.append(f"{held}: a store that nobody touched gives {sorted(found)}")
    for number, attack in enumerate(a for a in ATTACKS if engines.takes_anything(whole.store) or not a.untyped):
        at = copied(whole, folder / f"a{number}")
        attack.do(at)
        done.count += 1
        done.problems += _held_to(attack, at, codes, done)
        shutil.rmtree(at.store.parent)
    return done


def _held_to(attack: Attack, at: Victim, codes: Callable[[Victim, str], set[str]], done: Siege) -> Iterator[str]:
    for held, due, missed in (("alone", attack.alone, done.missed_alone), ("journal", attack.journal, done.missed_by_journal),
                              ("kept", attack.kept, [])):
        try:
            found = codes(at, held)
        except CaseworkError as error:  # it cannot even be opened, which is told
            found = {type(error).__name__}
        if due and not found:
            yield f"{held}: '{attack.name}' is not found"
        if not found:
            missed.append(attack.name)
