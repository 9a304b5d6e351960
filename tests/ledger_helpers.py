"""A ledger made from its specification alone (docs/ledger.md and the C2SP pages), by seed, for the tests of those who verify it.

Nothing here is shared with the package: what both get right, they get right from the pages.
"""

from __future__ import annotations

import hashlib
import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "complaints.example/ledger"
EMPTY = hashlib.sha256(b"").digest()
COLUMNS = ("originator_id", "originator_version", "topic", "state", "trigger_name", "from_state", "to_state", "at", "recorded_at")
#: 2026-11-26T09:30:00+08:00
NOON = 1_795_656_600_000_000


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


# --- the tree, as RFC 9162 2.1 defines it: recursive, nothing cached ---------------------------------------------------------


def leaf_of(entry: bytes) -> bytes:
    return digest(b"\0", entry)


def split(size: int) -> int:
    """The largest power of two below ``size``."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def root_of(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    k = split(len(leaves))
    return digest(b"\1", root_of(leaves[:k]), root_of(leaves[k:]))


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*inclusion(leaves[:k], index), root_of(leaves[k:])]
    return [*inclusion(leaves[k:], index - k), root_of(leaves[:k])]


def consistency(leaves: Sequence[bytes], old: int, whole: bool = True) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*consistency(leaves[:k], old, whole), root_of(leaves[k:])]
    return [*consistency(leaves[k:], old - k, False), root_of(leaves[:k])]


# --- keys and notes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signer:
    """A key pair, by seed; ``kind`` 1 signs checkpoints, 4 cosigns them."""

    name: str = ORIGIN
    seed: int = 1
    kind: int = 1

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(digest(b"seed %d" % self.seed))

    @property
    def material(self) -> bytes:
        return bytes([self.kind]) + self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> bytes:
        return digest(self.name.encode(), b"\n", self.material)[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64(self.material)}"

    def line(self, text: str, time: int = 1_795_656_700) -> str:
        """The signature line for the text."""
        if self.kind == 1:
            signature = self.private.sign(text.encode())
        else:
            signature = time.to_bytes(8, "big") + self.private.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        return f"— {self.name} {b64(self.id + signature)}\n"


LOG = Signer()


def note(text: str, *signers: Signer) -> bytes:
    return (text + "\n" + "".join(signer.line(text) for signer in signers)).encode()


def checkpoint(size: int, root: bytes, *signers: Signer, origin: str = ORIGIN) -> bytes:
    return note(f"{origin}\n{size}\n{b64(root)}\n", *(signers or (LOG,)))


def key_note(signer: Signer, size: int, *signers: Signer, origin: str = ORIGIN) -> bytes:
    return note(f"{origin}\ncasework/key/1\n{signer.vkey}\n{size}\n", *signers)


# --- entries and receipts ----------------------------------------------------------------------------------------------------


def field(value: Any) -> bytes:
    match value:
        case None:
            kind, data = "n", b""
        case int():
            kind, data = "i", str(value).encode()
        case float():
            kind, data = "f", repr(value).encode()
        case str():
            kind, data = "t", value.encode()
        case bytes():
            kind, data = "b", value
        case _:
            raise TypeError(value)
    return kind.encode() + len(data).to_bytes(4, "big") + data


def entry_of(rows: Sequence[tuple[Any, ...]], previous: bytes | None) -> bytes:
    """The entry of a commit that adds these rows of one stream."""
    last = dict(zip(COLUMNS, rows[-1], strict=True))
    events = digest(*(field(value) for row in rows for value in row))
    values = ("casework/entry/1", last["originator_id"], rows[0][1], last["originator_version"], previous, events, last["topic"],
              last["trigger_name"], last["to_state"], last["at"], last["recorded_at"], digest(last["state"]))
    return b"".join(map(field, values))


def extra_of(entry: bytes, payload: bytes | None = None) -> bytes:
    return b"\1" + len(entry).to_bytes(4, "big") + entry + (payload or b"")


def receipt(extra: bytes, index: int, proof: Iterable[bytes], signed: bytes) -> bytes:
    lines = ["c2sp.org/tlog-proof@v1", f"extra {b64(extra)}", f"index {index}", *map(b64, proof)]
    return "\n".join(lines).encode() + b"\n\n" + signed


def row(stream: str, version: int, said: str = '{"note":"榨汁机异响"}', **other: Any) -> tuple[Any, ...]:
    """A row of the table of events."""
    values = {"topic": "casework.case.merchant_contacted", "trigger_name": "contact_merchant", "from_state": "discovered",
              "to_state": "awaiting_merchant", "at": NOON + version, "recorded_at": NOON + 1_000_000 + version, **other}
    return (stream, version, values["topic"], said.encode(), *(values[name] for name in COLUMNS[4:]))


class Ledger:
    """Commits in order: rows, entries and leaves."""

    def __init__(self, signer: Signer = LOG) -> None:
        self.signer = signer
        self.commits: list[list[tuple[Any, ...]]] = []
        self.entries: list[bytes] = []
        self.leaves: list[bytes] = []
        self._last: dict[str, tuple[int, bytes]] = {}

    def commit(self, stream: str, count: int = 1, said: str = '{"note":"榨汁机异响"}', **other: Any) -> int:
        """Add ``count`` events to the stream; the number of the leaf."""
        version, previous = self._last.get(stream, (0, None))
        rows = [row(stream, version + i, said, **other) for i in range(1, count + 1)]
        self.commits.append(rows)
        self.entries.append(entry_of(rows, previous))
        self.leaves.append(leaf_of(self.entries[-1]))
        self._last[stream] = (version + count, self.leaves[-1])
        return len(self.leaves) - 1

    def checkpoint(self, size: int | None = None, *cosigners: Signer) -> bytes:
        size = len(self.leaves) if size is None else size
        return checkpoint(size, root_of(self.leaves[:size]), self.signer, *cosigners, origin=self.signer.name)

    def receipt(self, index: int, *cosigners: Signer, payload: bool = True, size: int | None = None) -> bytes:
        size = len(self.leaves) if size is None else size
        extra = extra_of(self.entries[index], self.commits[index][-1][3] if payload else None)
        return receipt(extra, index, inclusion(self.leaves[:size], index), self.checkpoint(size, *cosigners))

    def store(self, path: Path) -> Path:
        """An SQLite store with these commits."""
        db = sqlite3.connect(path)
        db.executescript(
            "CREATE TABLE stored_events (originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL, topic TEXT NOT NULL,"
            " state BLOB NOT NULL, trigger_name TEXT, from_state TEXT, to_state TEXT, at INTEGER NOT NULL,"
            " recorded_at INTEGER NOT NULL, PRIMARY KEY (originator_id, originator_version));"
            "CREATE TABLE ledger_leaves (number INTEGER PRIMARY KEY, originator_id TEXT, first_version INTEGER,"
            " last_version INTEGER, leaf BLOB); CREATE TABLE ledger_meta (name TEXT PRIMARY KEY, value TEXT);")
        db.executemany("INSERT INTO ledger_meta VALUES (?, ?)", [("origin", self.signer.name), ("journal", "/elsewhere")])
        for number, (rows, leaf) in enumerate(zip(self.commits, self.leaves, strict=True)):
            db.executemany(f"INSERT INTO stored_events VALUES ({', '.join('?' * 9)})", rows)
            db.execute("INSERT INTO ledger_leaves VALUES (?, ?, ?, ?, ?)", (number, rows[0][0], rows[0][1], rows[-1][1], leaf))
        db.commit()
        db.close()
        return path


def sample(seed: int = 1, commits: int = 40, signer: Signer = LOG) -> Ledger:
    """A ledger of several cases and a merchant, their commits interleaved."""
    chance, ledger = Random(seed), Ledger(signer)
    for number in range(commits):
        if number % 9 == 8:
            ledger.commit("merchant:M-1", said='{"score":"4.8"}', topic="casework.merchant.scored", trigger_name=None,
                          from_state=None, to_state=None)
        else:
            ledger.commit(chance.choice(["K-1", "K-2", "榨汁机-3"]), chance.choice([1, 1, 1, 2, 3]), f'{{"n":{number}}}')
    return ledger


def tall(size: int, index: int, leaf: bytes, seed: int = 1) -> tuple[list[bytes], bytes]:
    """A proof in a tree too large to build: the siblings by chance, and the root that they give."""
    chance, proof = Random(seed), []

    def climb(index: int, size: int) -> bytes:
        if size == 1:
            return leaf
        k = split(size)
        node = climb(index, k) if index < k else climb(index - k, size - k)
        proof.append(chance.randbytes(32))
        return digest(b"\1", node, proof[-1]) if index < k else digest(b"\1", proof[-1], node)

    root = climb(index, size)
    return proof, root
