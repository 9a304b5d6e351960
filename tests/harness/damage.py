"""A store damaged at rest: random bytes of its file (G2), and every bit of every stored field in turn (G3)."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from standing_helpers import Market

from casework.audit.check import audit
from casework.audit.integrity import Cover, Integrity
from casework.audit.signed import Signed
from casework.errors import CaseworkError
from casework.store.ledger.journal import Journal
from casework.store.ledger.ledger import Leaf
from casework.store.ledger.note import Signer
from casework.store.opening import open_reader, open_store
from casework.store.row import Row
from harness.attacks import COLUMNS
from harness.result import Result

#: What history is: the rows, and the ledger that proves them. The index of duties is made anew from the rows.
HISTORY = ("stored_events", "ledger_leaves", "ledger_nodes", "ledger_meta")


def victim(folder: Path, cases: int) -> tuple[Path, Path]:
    """A store of so many cases, every second one ruled, and its journal."""
    store, journal = folder / "t.db", folder / "journal"
    made = Journal.found(journal, Signer("local/victim", b"\x01" * 32))
    with Market(open_store(str(store), create=True, journal=made)) as market:
        for number in range(cases):
            if number % 2:
                market.ruled(f"K-{number}", 1 + number)
            else:
                market.open(f"K-{number}")
                market.do(f"K-{number}", "log_call", note="客服称三天内答复")
    return store, journal


def told(store: Path, journal: Path) -> set[str]:
    """What the audit says of it, or why it cannot run; notes are not wrong."""
    try:
        with open_reader(str(store)) as reader:
            seen = reader.snapshot()
            integrity = Integrity.of(reader, seen.leaves, Signed(journal), whole=True)
            return {f.code for f in audit(seen.rows, indexed=reader, integrity=integrity) if f.severity != "note"}
    except CaseworkError as error:
        return {type(error).__name__}


def history(store: Path) -> list[list[tuple[Any, ...]]] | None:
    """All that the tables of the history hold; None where SQLite cannot read them all."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes
            return [connection.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY rowid" if table in HISTORY[:2] else
                                       f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in HISTORY]
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def mutations(folder: Path, count: int = 10_000, seed: int = 0) -> Result:
    """G2: ``count`` times one to four random bytes of a store's file are changed.

    A change of history that the audit does not tell is a problem; so is anything but a finding or a casework error.
    """
    done, begun = Result("G2", count, seed), time.monotonic()
    store, journal = victim(folder, 6)
    whole, before = store.read_bytes(), history(store)
    target, choose = folder / "mutated.db", random.Random(seed)
    for number in range(count):
        damaged = bytearray(whole)
        for _ in range(choose.choice((1, 1, 1, 4))):
            place = choose.randrange(len(damaged))
            damaged[place] ^= choose.randrange(1, 256)
        target.write_bytes(damaged)
        try:
            found = told(target, journal)
        except Exception as error:
            done.problems.append(f"mutation {number}: {type(error).__name__}: {error}")
            continue
        changed = history(target) != before
        done.count += 1
        done.add(found=bool(found), unchanged=not changed and not found, harmless_but_told=not changed and bool(found))
        if changed and not found:
            done.problems.append(f"mutation {number} changed the history and is not told")
    done.seconds = time.monotonic() - begun
    return done


def bit_flips(folder: Path, events: int = 150, through_file: int = 2_000, seed: int = 0) -> Result:
    """G3: every bit of every field of ``events`` stored events is flipped in turn, and held against the event's leaf by what
    the audit uses; every so many, ``through_file`` in all, also in the file and by the whole audit.
    """
    done, begun = Result("G3", 1, seed), time.monotonic()
    store, journal = victim(folder, max(2, events // 6))
    with open_reader(str(store)) as reader:
        rows = list(reader.rows())[:events]
        ledger = reader.ledger()
        leaves = {row: (ledger.covering(row.case, row.version), ledger.last(row.case, 0)) for row in rows}
        before = {row: ledger.last(row.case, leaf[0].number) for row, leaf in leaves.items() if leaf[0]}
    done.add(events=len(rows))
    total = sum(8 * width(value) for row in rows for value in row)
    step, choose = max(1, total // max(1, through_file)), random.Random(seed)
    offset = choose.randrange(step)
    fields: Counter[str] = Counter()
    for row in rows:
        leaf = leaves[row][0]
        assert leaf is not None
        for name, flipped in flips(row):
            fields[name] += 1
            done.count += 1
            if not _told_by_leaf(leaf, before.get(row), rows, row, flipped):
                done.problems.append(f"{row.case} v{row.version} {name}: {flipped!r:.80} is not told")
            if done.count % step == offset and not _told_by_file(store, journal, row, flipped, folder / "flipped.db"):
                done.problems.append(f"{row.case} v{row.version} {name}: not told of the file")
    done.wanted = total
    done.add(**fields)
    done.seconds = time.monotonic() - begun
    return done


def width(value: object) -> int:
    """How many bytes a value is stored in, an integer taken as eight."""
    return 0 if value is None else 8 if isinstance(value, int) else len(value.encode() if isinstance(value, str) else value)  # type: ignore[arg-type]


def flips(row: Row) -> Iterator[tuple[str, Row]]:
    """The row with one bit of one of its fields changed, for every bit; what SQLite keeps of it then."""
    for name, value in zip(Row._fields, row, strict=True):
        if isinstance(value, int):
            for bit in range(64):
                number = (value ^ (1 << bit)) & (2**64 - 1)
                yield name, row._replace(**{name: number - 2**64 if number >= 2**63 else number})
        elif value is not None:
            held = value.encode() if isinstance(value, str) else value
            for bit in range(8 * len(held)):
                changed = bytearray(held)
                changed[bit >> 3] ^= 1 << (bit & 7)
                yield name, row._replace(**{name: bytes(changed) if isinstance(value, bytes) else
                                            changed.decode("utf-8", "surrogateescape")})


def _told_by_leaf(leaf: Leaf, before: Leaf | None, rows: list[Row], row: Row, flipped: Row) -> bool:
    """Whether the leaf tells of it, as the audit would go through the stream from that leaf on."""
    if flipped.case != row.case:
        return True  # the row is gone from its stream, whose leaf lacks it; the file says the same
    cover = Cover([leaf], before)
    commit = [flipped if r is row else r for r in rows if r.case == row.case and leaf.first <= r.version <= leaf.last]
    faults = [fault for r in sorted(commit, key=lambda r: r.version) for fault in cover.take(r)]
    return bool(faults or list(cover.end()))


def _told_by_file(store: Path, journal: Path, row: Row, flipped: Row, target: Path) -> bool:
    shutil.copy(store, target)
    with closing(sqlite3.connect(target)) as connection, connection:
        values = [v.encode("utf-8", "surrogateescape") if isinstance(v, str) else v for v in flipped]
        casts = ["CAST(? AS TEXT)" if isinstance(v, str) else "?" for v in flipped]
        changes = ", ".join(f"{column} = {cast}" for column, cast in zip(COLUMNS, casts, strict=True))
        try:
            connection.execute(f"UPDATE stored_events SET {changes} WHERE originator_id = ? AND originator_version = ?",
                               (*values, row.case, row.version))
        except sqlite3.IntegrityError:
            return True  # another event has that case and version
    return bool(told(target, journal))
