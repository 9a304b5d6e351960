"""Verify, offline, what a casework ledger has signed: a receipt, checkpoints, the growth of the ledger, or a whole store.

    python verifier.py FILE --key VKEY

This one file needs Python 3.11 and ``cryptography`` and nothing else: copy it, read it, run it. It believes nothing but the key
that you give it; get that key from somewhere other than the file. Statuses: 0 verified, 1 not verified, 2 could not run.
本文件只依赖 Python 3.11 与 cryptography，可单独复制、阅读、运行。它只相信你给出的公钥；请从别处取得该公钥。

The forms: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-proof,
https://c2sp.org/tlog-cosignature, the tree of RFC 9162, and docs/ledger.md of casework for the entry of a commit.
"""

from __future__ import annotations

import argparse
import binascii
import io
import json
import locale
import re
import sqlite3
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

MAX_BYTES = 1 << 20  # of a receipt, an event, a file of keys
MAX_LINE = 1 << 14  # of a line of a note, and of an entry
MAX_LINES = 80  # of a note; a signed note has to take 16 signatures, this takes more
MAX_PROBLEMS = 20  # of a store, that are named
LIMIT = 1 << 63  # sizes, indexes and numbers lie below it
PROOF = "c2sp.org/tlog-proof@v1"
LOG, WITNESS = 1, 4  # types of Ed25519 keys: of a log, of a witness that cosigns


class NotVerified(ValueError):
    """What was given is not what the key signed, or does not have the form that it must have; ``en`` and ``zh`` say what."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


class CannotRun(Exception):
    """Nothing could be found out: a file, a key or a library is missing or unusable; ``en`` and ``zh`` say what to do."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


# --- numbers and base64, of which only one spelling is allowed ---------------------------------------------------------------


def number(text: str) -> int:
    """A size or an index. NotVerified for another spelling, or what is 2^63 or more."""
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text) or int(text) >= LIMIT:
        raise NotVerified(f"{shown(text, 40)} is no number from 0 to 2^63-1", f"{shown(text, 40)} 不是 0 到 2^63-1 之间的数字")
    return int(text)


def unbase64(text: str, length: int | None = None) -> bytes:
    """Bytes in base64, of that length. NotVerified for another spelling."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or b64encode(data).decode() != text or length not in (None, len(data)):
        what = "base64" if length is None else f"the base64 of {length} bytes"
        raise NotVerified(f"{shown(text, 60)} is not {what}", f"{shown(text, 60)} 不是规范的 base64 或长度不符")
    return data


# --- keys and signed notes (c2sp.org/signed-note) ----------------------------------------------------------------------------

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
# The y of the points under which anybody could sign anything.
_WEAK = {0, 1, _P - 1, *(int.from_bytes(bytes.fromhex(y), "little") for y in (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))}


@dataclass(frozen=True)
class Key:
    """A verification key. It signs trees of ``first`` to ``last`` commits."""

    name: str
    id: bytes
    public: bytes
    first: int = 0
    last: int = LIMIT - 1

    @classmethod
    def read(cls, vkey: str, kind: int = LOG) -> Key:
        """A *vkey*, ``NAME+HASH+BASE64``; NotVerified where it is none, or a key that protects nothing."""
        found = re.fullmatch(r"([^\s+]{1,255})\+([0-9a-f]{8})\+(\S{44})", vkey)
        if not found:
            raise NotVerified(f"{shown(vkey, 80)} is no verification key", f"{shown(vkey, 80)} 不是验证公钥")
        name, hashed, data = found[1], bytes.fromhex(found[2]), unbase64(found[3], 33)
        public, y = data[1:], int.from_bytes(data[1:], "little") % 2**255
        if data[0] != kind or y >= _P or y in _WEAK or hashed != sha256(f"{name}\n".encode() + data).digest()[:4]:
            raise NotVerified(f"{shown(vkey, 80)} is not a sound Ed25519 key of type {kind}",
                              f"{shown(vkey, 80)} 不是类型 {kind} 的有效 Ed25519 公钥")
        return cls(name, hashed, public)

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this key signed that message, as RFC 8032 says and with no second spelling of a signature."""
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ImportError:
            raise CannotRun("the library is missing; run: pip install cryptography",
                            "缺少所需的库；请运行 pip install cryptography") from None
        if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= _ORDER:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Note:
    """A text and its signatures: name and id of the key, and the bytes."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @classmethod
    def read(cls, data: bytes) -> Note:
        """A signed note as c2sp.org/signed-note says; nothing in it is believed yet."""
        try:
            text, blank, signatures = data.decode().rpartition("\n\n")
        except UnicodeDecodeError:
            raise NotVerified("the note is not UTF-8", "签名文本不是 UTF-8") from None
        lines = signatures.split("\n")
        if not blank or lines.pop() or not 0 < len(lines) <= MAX_LINES or re.search(b"[\0-\x09\x0b-\x1f]", data):
            raise NotVerified("this is no signed note: a text, an empty line, signatures, each line ended by a line feed",
                              "这不是签名文本：应为正文、空行、签名，每行以换行符结束")
        return cls(text + "\n", tuple(cls._signature(line) for line in lines))

    @staticmethod
    def _signature(line: str) -> tuple[str, bytes, bytes]:
        found = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
        data = unbase64(found[2]) if found else b""
        if not found or len(data) < 5:
            raise NotVerified(f"{shown(line, 60)} is no signature line", f"{shown(line, 60)} 不是签名行")
        return found[1], data[:4], data[4:]

    def by(self, key: Key) -> list[bytes]:
        """The signatures that say they are of that key."""
        return [signature for name, id, signature in self.signatures if (name, id) == (key.name, key.id)]

    def signed_by(self, key: Key) -> bool:
        """Whether the key signed the text; NotVerified where a signature says so and is false."""
        signatures = self.by(key)
        if not all(key.signed(self.text.encode(), signature) for signature in signatures):
            raise NotVerified(f"the signature of {shown(key.name)} is false", f"{shown(key.name)} 的签名不成立")
        return bool(signatures)

    def cosigned_by(self, key: Key) -> int | None:
        """When the witness cosigned the text (POSIX seconds), or None; NotVerified where a cosignature is false."""
        times = []
        for data in self.by(key):
            time = int.from_bytes(data[:8], "big")
            if not 0 < time < LIMIT or not key.signed(f"cosignature/v1\ntime {time}\n{self.text}".encode(), data[8:]):
                raise NotVerified(f"the cosignature of {shown(key.name)} is false", f"{shown(key.name)} 的见证签名不成立")
            times.append(time)
        return max(times, default=None)


def notes(lines: Iterable[bytes]) -> Iterator[bytes | None]:
    """The notes of a file that has an empty line between two; None at the end for a last one that is cut off."""
    note: list[bytes] = []
    blank = 0
    for line in lines:
        if len(line) > MAX_LINE or len(note) > MAX_LINES:
            raise NotVerified("a line or a note is too long", "某一行或某一签名文本过长")
        blank += line == b"\n"
        if blank == 2:
            yield b"".join(note)
            note, blank = [], 0
        else:
            note.append(line)
    if note:
        whole = blank == 1 and note[-1] != b"\n" and note[-1].endswith(b"\n")
        yield b"".join(note) if whole else None


# --- whom to trust -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trust:
    """The keys of the log, in the order in which they signed; the witnesses, and how many of them must have cosigned."""

    keys: tuple[Key, ...]
    witnesses: tuple[Key, ...] = ()
    quorum: int = 0

    @classmethod
    def of(cls, vkey: str, keys: bytes | None = None, witnesses: Sequence[str] = (), quorum: int | None = None) -> Trust:
        """Trust in the key, and in those that follow it in ``keys``, the content of a file of keys.

        Without ``quorum``, every witness must have cosigned. CannotRun for a bad key of yours, NotVerified for the file.
        """
        try:
            key, watching = Key.read(vkey), tuple(Key.read(witness, WITNESS) for witness in witnesses)
        except NotVerified as error:
            raise CannotRun(error.en, error.zh) from None
        wanted = len(watching) if quorum is None else quorum
        if len({k.public for k in (key, *watching)}) <= len(watching) or not bool(watching) <= wanted <= len(watching):
            raise CannotRun("the witnesses must be different keys, and the quorum from 1 to their number",
                            "见证人公钥必须各不相同，且所需见证数须在 1 与见证人数之间")
        return cls((key,) if keys is None else follow(key, keys), watching, wanted)


def follow(key: Key, data: bytes) -> tuple[Key, ...]:
    """The key and its successors in a file of keys; each must be signed by itself and by the one before it."""
    chain: list[Key] = []
    for note in (Note.read(note) for note in notes(io.BytesIO(data)) if note is not None):
        lines = note.text.split("\n")
        if len(lines) != 5 or lines[1] != "casework/key/1":
            raise NotVerified("the file of keys holds something else", "公钥文件中有其他内容")
        found, first = Key.read(lines[2]), number(lines[3])
        if not chain and found != key:
            continue
        if not all(note.signed_by(signer) for signer in (*chain[-1:], found)):
            raise NotVerified(f"the key from commit {first} on is not signed by itself and the one before it",
                              f"自第 {first} 次提交起的公钥未由其自身及前一公钥签名")
        if {found.name, lines[0]} != {key.name} or any(found.public == k.public or first < k.first for k in chain):
            raise NotVerified("the keys are of another origin, repeated or out of order", "公钥来源不同、重复或次序有误")
        # The old key may have signed the tree at which it was replaced.
        chain[-1:] = [replace(k, last=first) for k in chain[-1:]]
        chain.append(replace(found, first=first))
    if not chain:
        raise NotVerified("the file of keys does not name the key that you trust", "公钥文件中没有你信任的公钥")
    return tuple(chain)


def _trust(trust: str | Trust) -> Trust:
    return Trust.of(trust) if isinstance(trust, str) else trust


# --- the tree (RFC 9162, 2.1) ------------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\0" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """The root over the hashes of leaves."""
    peaks: list[bytes] = []
    for number, node in enumerate(leaves, 1):
        while number % 2 == 0:
            node, number = _node(peaks.pop(), node), number >> 1
        peaks.append(node)
    root = peaks.pop() if peaks else sha256(b"").digest()
    while peaks:
        root = _node(peaks.pop(), root)
    return root


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """That the tree of that size and root has the leaf hash at that index (2.1.3.2); NotVerified if not."""
    if not 0 <= index < size:
        raise NotVerified(f"index {index} does not lie in a tree of {size}", f"序号 {index} 不在 {size} 个叶子的树中")
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise NotVerified("the inclusion proof is too long", "包含证明过长")
        if at % 2 or at == last:
            node = _node(sibling, node)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            node = _node(node, sibling)
        at, last = at >> 1, last >> 1
    if last or node != root or len(root) != 32:
        raise NotVerified("the inclusion proof does not lead to the signed root", "包含证明推不出已签名的树根")


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """That the newer tree only adds to the older one (2.1.4.2); NotVerified if not, or if there is no older one."""
    broken = NotVerified("the newer tree does not continue the older one", "新树不是旧树的延续")
    if not 0 < old_size <= new_size:
        raise NotVerified(f"a tree of {old_size} cannot grow to {new_size}", f"{old_size} 个叶子的树不能增长为 {new_size} 个")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise broken
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    at, last = old_size - 1, new_size - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    if not path:
        raise broken
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise broken
        if at % 2 or at == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            new = _node(new, sibling)
        at, last = at >> 1, last >> 1
    if last or old != old_root or new != new_root:
        raise broken


# --- checkpoints (c2sp.org/tlog-checkpoint) ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Checkpoint:
    """A signed tree: how many commits, under which root; and which witnesses saw it when (POSIX seconds)."""

    origin: str
    size: int
    root: bytes
    witnesses: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Checkpoints:
    """A file of checkpoints: the last, how many were verified, how many of earlier keys come before, whether one is cut off."""

    last: Checkpoint
    count: int
    earlier: int
    cut: bool


def verify_checkpoint(data: bytes, trust: str | Trust) -> Checkpoint:
    """One checkpoint, signed by the log and by as many witnesses as are asked for; NotVerified or CannotRun."""
    note, trust = Note.read(data), _trust(trust)
    return _cosigned(note, _signed_checkpoint(note, trust), trust)


def _signed_checkpoint(note: Note, trust: Trust) -> Checkpoint:
    signers = [key for key in trust.keys if note.signed_by(key)]
    if not signers:
        name = shown(trust.keys[0].name)
        raise NotVerified(f"there is no signature by the key of {name} that you trust; if it was replaced, give --keys FILE",
                          f"没有你信任的 {name} 公钥的签名；若公钥已更换，请给出 --keys FILE")
    lines = note.text.split("\n")
    if len(lines) != 4 or lines[0] != signers[0].name:
        raise NotVerified("the signed text is no checkpoint of this origin", "已签名的文本不是该来源的检查点")
    size, root = number(lines[1]), unbase64(lines[2], 32)
    if not any(key.first <= size <= key.last for key in signers):
        raise NotVerified(f"the key did not sign trees of {size} commits", f"该公钥不用于签署 {size} 次提交的树")
    if size == 0 and root != tree_root(()):
        raise NotVerified("an empty tree has another root", "空树的树根有误")
    return Checkpoint(lines[0], size, root)


def _cosigned(note: Note, checkpoint: Checkpoint, trust: Trust) -> Checkpoint:
    seen = tuple((key.name, at) for key in trust.witnesses if (at := note.cosigned_by(key)) is not None)
    if len(seen) < trust.quorum:
        raise NotVerified(f"{len(seen)} of the witnesses cosigned, {trust.quorum} must have",
                          f"只有 {len(seen)} 个见证人签名，需要 {trust.quorum} 个")
    return replace(checkpoint, witnesses=seen)


def verify_checkpoints(file: BinaryIO, trust: str | Trust) -> Checkpoints:
    """A file of checkpoints, in order: each is signed, and none has fewer commits than the one before it, or another root.

    Those before the first that a trusted key signed are passed over, and counted; so is a last one that is cut off. Witnesses
    are asked for of the last. NotVerified or CannotRun.
    """
    trust = _trust(trust)
    last: Checkpoint | None = None
    count = earlier = 0
    cut = False
    for data in notes(iter(lambda: file.readline(MAX_LINE + 1), b"")):
        if data is None:
            cut = True
            break  # nothing comes after it
        note = Note.read(data)
        if last is None and not any(note.by(key) for key in trust.keys):
            earlier += 1
            continue
        found = _signed_checkpoint(note, trust)
        if last and (found.size < last.size or (found.size == last.size and found.root != last.root)):
            raise NotVerified(f"after a checkpoint of {last.size} commits comes one of {found.size} that does not continue it",
                              f"{last.size} 次提交的检查点之后是不能衔接的 {found.size} 次提交的检查点")
        last, ended, count = found, note, count + 1
    if last is None:
        raise NotVerified("there is no whole checkpoint signed by the key that you trust", "没有你信任的公钥所签的完整检查点")
    return Checkpoints(_cosigned(ended, last, trust), count, earlier, cut)


@dataclass(frozen=True)
class Growth:
    """A checkpoint that only adds to an older one, and how many commits that had."""

    checkpoint: Checkpoint
    old_size: int


def verify_growth(data: bytes, trust: str | Trust, old: Checkpoint) -> Growth:
    """An add-checkpoint request (c2sp.org/tlog-witness): that its checkpoint only adds to the older one."""
    head, _, note = data.partition(b"\n\n")
    first, *proof = _ascii_lines(head)
    if not first.startswith("old ") or number(first[4:]) != old.size:
        raise NotVerified(f"the request does not begin at {old.size} commits", f"该请求不是从 {old.size} 次提交开始")
    new = verify_checkpoint(note, trust)
    verify_consistency(old.size, new.size, old.root, new.root, _hashes(proof))
    return Growth(new, old.size)


def _ascii_lines(head: bytes) -> list[str]:
    if not head.isascii():
        raise NotVerified("the lines before the checkpoint are not ASCII", "检查点之前的内容含非 ASCII 字符")
    return head.decode().split("\n")


def _hashes(lines: Sequence[str]) -> list[bytes]:
    if len(lines) > 63:
        raise NotVerified("the proof is too long", "证明过长")
    return [unbase64(line, 32) for line in lines]


# --- the entry of a commit (docs/ledger.md) ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """What the ledger says of a commit: a stream (a case or ``merchant:ID``), the versions it adds, and its last event.

    Times are microseconds since 1970-01-01T00:00Z. ``previous`` is the leaf of the stream's commit before this one.
    """

    stream: str
    first_version: int
    last_version: int
    previous: bytes | None
    events: bytes
    topic: str
    trigger: str | None
    state: str | None
    at: int
    recorded_at: int
    payload_sha256: bytes

    @classmethod
    def read(cls, data: bytes) -> Entry:
        """The entry in those bytes, all of them; NotVerified where it has another form."""
        values = list(_fields(data, ("t", "t", "i", "i", "bn", "b", "t", "tn", "tn", "i", "i", "b")))
        entry = cls(*values[1:])
        sizes = {len(hashed) for hashed in (entry.previous, entry.events, entry.payload_sha256) if hashed is not None}
        if (values[0] != "casework/entry/1" or sizes != {32} or not 1 <= entry.first_version <= entry.last_version
                or (entry.first_version == 1) != (entry.previous is None)):
            raise NotVerified("the receipt holds no sound entry of a commit", "回执中的提交条目无效")
        return entry


def _fields(data: bytes, kinds: Sequence[str]) -> Iterator[Any]:
    at = 0
    for allowed in kinds:
        kind, end = data[at:at + 1].decode("latin-1"), at + 5 + int.from_bytes(data[at + 1:at + 5], "big")
        value = data[at + 5:end]
        if kind not in tuple(allowed) or end > len(data) or (kind == "n" and value):
            raise NotVerified("the fields of the entry are not as they must be", "条目的字段不符合规定")
        if kind == "i" and (not re.fullmatch(b"0|-?[1-9][0-9]{0,18}", value) or not -LIMIT <= int(value) < LIMIT):
            raise NotVerified("a number of the entry is not as it must be", "条目中的数字不符合规定")
        try:
            yield None if kind == "n" else int(value) if kind == "i" else value if kind == "b" else value.decode()
        except UnicodeDecodeError:
            raise NotVerified("a text of the entry is not UTF-8", "条目中的文字不是 UTF-8") from None
        at = end
    if at != len(data):
        raise NotVerified("something follows the entry", "条目之后还有内容")


# --- receipts (c2sp.org/tlog-proof) ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Receipt:
    """What a receipt proves: that the signed tree has this entry at this index; with the payload of its last event, if given."""

    checkpoint: Checkpoint
    index: int
    entry: Entry
    payload: bytes | None


def verify_receipt(data: bytes, trust: str | Trust, event: bytes | None = None) -> Receipt:
    """A receipt, under a vkey or what ``Trust.of`` made; ``event`` is the payload where the receipt lacks it.

    NotVerified says what is wrong with it, CannotRun that the key is none.
    """
    trust = _trust(trust)
    if len(data) > MAX_BYTES:
        raise NotVerified("a receipt is at most 1 MiB long", "回执最长为 1 MiB")
    head, _, note = data.partition(b"\n\n")
    lines = _ascii_lines(head)
    if len(lines) < 3 or lines[0] != PROOF or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise NotVerified("this is no receipt: the lines of a tlog-proof with an entry are not there", "这不是回执：缺少应有的行")
    checkpoint = verify_checkpoint(note, trust)
    hashed, payload = _extra(unbase64(lines[1][6:]))
    index = number(lines[2][6:])
    verify_inclusion(leaf_hash(hashed), index, checkpoint.size, _hashes(lines[3:]), checkpoint.root)
    entry = Entry.read(hashed)
    for given in (payload, event):
        if given is not None and sha256(given).digest() != entry.payload_sha256:
            raise NotVerified("the event is not the one that was recorded", "该事件不是所记录的事件")
    return Receipt(checkpoint, index, entry, payload if event is None else event)


def _extra(data: bytes) -> tuple[bytes, bytes | None]:
    end = 5 + int.from_bytes(data[1:5], "big")
    if data[0] != 1 or not 5 < end <= min(len(data), MAX_LINE):
        raise NotVerified("the receipt holds no entry in the form of version 1", "回执中没有第 1 版格式的条目")
    return data[5:end], data[end:] or None


# --- a store -----------------------------------------------------------------------------------------------------------------


class _Text(bytes):
    """Stored text as its bytes, told apart from a blob."""


@dataclass(frozen=True)
class Store:
    """What a store proves: that its first commits are those of the checkpoint, and how many come after it."""

    checkpoint: Checkpoint
    later: int
    streams: int
    events: int


def verify_store(path: str, checkpoint: Checkpoint) -> Store:
    """That the rows of the store (an SQLite file) give the tree of a checkpoint that was verified; the store is only read.

    NotVerified names up to ``MAX_PROBLEMS`` streams that differ; CannotRun where the file cannot be opened.
    """
    try:
        with closing(sqlite3.connect(Path(path).absolute().as_uri() + "?mode=ro", uri=True)) as db:
            db.text_factory = _Text
            db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 16 * MAX_BYTES)
            db.execute("PRAGMA trusted_schema=OFF")
            db.execute("BEGIN")
            return _verify_rows(db, checkpoint)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        code = getattr(error, "sqlite_errorname", "not UTF-8")
        if code.startswith(("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_NOMEM")):
            raise CannotRun(f"the store cannot be read now ({code}); is it in use, or was a write broken off?",
                            f"现在无法读取案件库（{code}）；是否正在使用，或写入曾中断？") from None
        raise NotVerified(f"the store is damaged ({code})", f"案件库已损坏（{code}）") from None


def _verify_rows(db: sqlite3.Connection, checkpoint: Checkpoint) -> Store:
    tables = {bytes(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {b"stored_events", b"ledger_leaves", b"ledger_meta"} <= tables:
        raise NotVerified("the store has no ledger", "案件库中没有账本")
    [origin] = [*db.execute("SELECT value FROM ledger_meta WHERE name = 'origin'"), (None,)][:1]
    if origin != (checkpoint.origin.encode(),):
        raise NotVerified("the store says that it is of another origin", "案件库自称属于其他来源")
    leaves: dict[bytes, list[tuple[Any, ...]]] = {}
    size = 0
    for number, stream, *rest in db.execute(
            "SELECT number, originator_id, first_version, last_version, leaf FROM ledger_leaves ORDER BY number"):
        if number != size:
            raise NotVerified(f"commit {size} is missing in the ledger", f"账本中缺少第 {size} 次提交")
        leaves.setdefault(_field(stream), []).append((number, *rest))
        size += 1
    computed: dict[int, bytes] = {}
    streams, problems, events = len(leaves), [], 0
    # The table itself is read: an index could hide a row, or what was altered in it.
    rows = db.execute("SELECT originator_id, originator_version, topic, state, trigger_name, from_state, to_state, at, "
                      "recorded_at FROM stored_events NOT INDEXED ORDER BY originator_id, originator_version")
    for stream, group in groupby(rows, key=lambda row: _field(row[0])):
        try:
            for number, leaf, count in _recomputed(group, leaves.pop(stream, [])):
                computed[number], events = leaf, events + count
        except NotVerified as problem:
            problems.append(f"{_name(stream)}: {problem.en}\n{_name(stream)}：{problem.zh}")
    problems += [f"{_name(stream)}: all its rows are missing\n{_name(stream)}：全部记录缺失" for stream in leaves]
    if problems:
        both = [problem.split("\n") for problem in problems[:MAX_PROBLEMS]]
        more = [f" (and {len(problems) - MAX_PROBLEMS} more)", f"（另有 {len(problems) - MAX_PROBLEMS} 处）"]
        en, zh = more if len(problems) > MAX_PROBLEMS else ["", ""]
        raise NotVerified("; ".join(en for en, _ in both) + en, "；".join(zh for _, zh in both) + zh)
    if size < checkpoint.size:
        raise NotVerified(f"the store has lost commits: the checkpoint has {checkpoint.size}, the store {size}",
                          f"案件库丢失了提交：检查点有 {checkpoint.size} 次，案件库只有 {size} 次")
    if tree_root(computed[number] for number in range(checkpoint.size)) != checkpoint.root:
        raise NotVerified("the history was rewritten: rows and leaves fit each other, but not the checkpoint",
                          "历史被改写：记录与叶子相符，但与检查点不符")
    return Store(checkpoint, size - checkpoint.size, streams, events)


def _recomputed(rows: Iterator[tuple[Any, ...]], leaves: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, bytes, int]]:
    """Of each leaf of one stream its number, its hash as its rows give it, how many rows; NotVerified at one that differs."""
    version, previous = 0, None
    row: tuple[Any, ...] | None
    for number, first, last, stored in leaves:
        begun, events = version, sha256()
        if not isinstance(last, int) or first != version + 1 or last < first:
            raise NotVerified(f"commit {number} does not follow version {version}", f"第 {number} 次提交与版本 {version} 不衔接")
        while version < last:
            row = next(rows, None)
            version += 1
            if row is None or row[1] != version:
                raise NotVerified(f"version {version} is missing, or there twice", f"版本 {version} 缺失或重复")
            events.update(b"".join(map(_field, row)))
        assert row is not None
        stream, _, topic, payload, trigger, _, state, at, recorded_at = row
        entry = (_Text(b"casework/entry/1"), stream, first, last, previous, events.digest(), topic, trigger, state, at,
                 recorded_at, sha256(_field(payload)[5:]).digest())
        previous = leaf_hash(b"".join(map(_field, entry)))
        if _field(previous) != _field(stored):
            raise NotVerified(f"versions {first} to {last} are not what commit {number} recorded",
                              f"版本 {first} 至 {last} 与第 {number} 次提交的记录不符")
        yield number, previous, version - begun
    if next(rows, None) is not None:
        raise NotVerified(f"after version {version} come rows that no commit recorded", f"版本 {version} 之后有未经提交的记录")


def _field(value: Any) -> bytes:
    kind = {type(None): b"n", int: b"i", float: b"f", _Text: b"t", bytes: b"b"}[type(value)]
    data = b"" if value is None else bytes(value) if isinstance(value, bytes) else repr(value).encode()
    return kind + len(data).to_bytes(4, "big") + data


def _name(field: bytes) -> str:
    return shown(field[5:].decode(errors="replace"), 80)


Proved = Receipt | Checkpoint | Checkpoints | Growth | Store


# --- what is said ------------------------------------------------------------------------------------------------------------


def shown(text: str, most: int | None = None) -> str:
    """The text with nothing in it that a terminal obeys or hides, cut to at most so many characters of it."""
    kept = text if most is None or len(text) <= most else text[:most] + "…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in kept)


def when(micros: int) -> str:
    """A time, in microseconds since 1970, as read on a clock in Shanghai, with its offset."""
    try:
        zone: tzinfo = ZoneInfo("Asia/Shanghai")
    except (OSError, KeyError):
        zone = timezone(timedelta(hours=8))
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).astimezone(zone).isoformat(sep=" ")
    except OverflowError:
        return f"{micros} µs (1970)"


def told(proved: Proved) -> Iterator[tuple[str, str]]:
    """What is proved, in sentences, English and 中文."""
    checkpoint = (proved if isinstance(proved, Checkpoint) else proved.last if isinstance(proved, Checkpoints)
                  else proved.checkpoint)
    name, size = shown(checkpoint.origin), checkpoint.size
    yield (f"Verified. The key of {name} signed a ledger of {size} commits, root {checkpoint.root.hex()}.",
           f"验证通过。{name} 的公钥签署了含 {size} 次提交的账本，树根 {checkpoint.root.hex()}。")
    for witness, at in checkpoint.witnesses:
        yield (f"The witness {shown(witness)} cosigned it at {when(at * 1_000_000)}.",
               f"见证人 {shown(witness)} 于 {when(at * 1_000_000)} 签署见证。")
    if isinstance(proved, Receipt):
        yield from _told_of(proved)
    elif isinstance(proved, Checkpoints):
        yield (f"Checkpoints verified: {proved.count}, none smaller than the one before it.",
               f"已验证 {proved.count} 个检查点，提交数从未减少。")
        if proved.earlier:
            yield f"Passed over: {proved.earlier} earlier ones of other keys.", f"略过此前由其他公钥签署的 {proved.earlier} 个。"
        if proved.cut:
            yield "Passed over: a last one that is cut off.", "略过最后一个不完整的检查点。"
    elif isinstance(proved, Growth):
        yield (f"It only adds to the ledger of {proved.old_size} commits: nothing in that was changed.",
               f"它只是在原有 {proved.old_size} 次提交之后追加，此前内容未被改动。")
    elif isinstance(proved, Store):
        yield (f"All {proved.events} events of {proved.streams} streams fit it: nothing recorded up to it was changed.",
               f"案件库中 {proved.streams} 个流的 {proved.events} 个事件均与之相符：此前的记录未被改动。")
        if proved.later:
            yield (f"The last {proved.later} commits came after this checkpoint, which does not cover them.",
                   f"最后 {proved.later} 次提交晚于此检查点，不在其证明范围内。")


def _told_of(receipt: Receipt) -> Iterator[tuple[str, str]]:
    entry, merchant = receipt.entry, receipt.entry.stream.startswith("merchant:")
    name = shown(entry.stream.removeprefix("merchant:"))
    first, last = entry.first_version, entry.last_version
    en, zh = (f"version {last}", f"版本 {last}") if first == last else (f"versions {first} to {last}", f"版本 {first} 至 {last}")
    yield (f"Its commit number {receipt.index} (from 0) added {en} of the {'merchant' if merchant else 'case'} {name}.",
           f"其中第 {receipt.index} 次提交（自 0 起）记录了{'商家' if merchant else '案件'} {name} 的{zh}。")
    yield f"The record is complete up to version {last}.", f"该记录截至版本 {last} 完整。"
    yield f"The last event: {shown(entry.topic)}", f"最后一个事件：{shown(entry.topic)}"
    yield f"  trigger: {shown(entry.trigger or '-')}", f"  触发：{shown(entry.trigger or '-')}"
    yield f"  leads to state: {shown(entry.state or '-')}", f"  进入状态：{shown(entry.state or '-')}"
    yield f"  happened: {when(entry.at)}", f"  发生时间：{when(entry.at)}"
    yield f"  recorded: {when(entry.recorded_at)}", f"  记录时间：{when(entry.recorded_at)}"
    yield f"  SHA-256 of what it says: {entry.payload_sha256.hex()}", f"  内容的 SHA-256：{entry.payload_sha256.hex()}"
    if receipt.payload is None:
        yield "What it says is not in the receipt; --event FILE compares it.", "回执不含事件内容；可用 --event FILE 核对。"
    else:
        yield "It says:", "其内容："
        yield from ((f"  {line}", f"  {line}") for line in _said(receipt.payload))


def _said(payload: bytes) -> Iterator[str]:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(found)) != len(found):
            raise ValueError("a name twice")
        return dict(found)

    def flat(path: str, value: Any) -> Iterator[str]:
        inner = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
        if not inner:
            yield f"{shown(path, 200)}: {shown(value if isinstance(value, str) else json.dumps(value))}"
        for name, item in inner:
            yield from flat(f"{path}.{name}" if path else str(name), item)

    try:
        # Numbers stay as they are written; whatever is not plain JSON is shown as it stands.
        yield from list(flat("", json.loads(payload.decode(), object_pairs_hook=pairs, parse_int=str, parse_float=str)))
    except (ValueError, RecursionError):
        yield shown(payload.decode(errors="backslashreplace"))


def facts(proved: Proved) -> dict[str, Any]:
    """What is proved, for programs: bytes in hexadecimal, times in microseconds since 1970 (of witnesses: seconds)."""
    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.hex()
        if hasattr(value, "__dataclass_fields__"):
            return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
        return [plain(item) for item in value] if isinstance(value, tuple) else value

    return {"verified": True, "kind": type(proved).__name__.lower(), **plain(proved)}


# --- the command line --------------------------------------------------------------------------------------------------------


def verify_file(path: str, trust: Trust, *, checkpoint: str | None = None, event: bytes | None = None) -> Proved:
    """Whatever the file is, by how it begins; ``checkpoint`` is the file of one outside a store. NotVerified or CannotRun."""
    with _opened(path) as file:
        start = file.read(64)
        if start.startswith(b"SQLite format 3\0") or start.startswith(b"old "):
            if checkpoint is None:
                raise CannotRun("this is compared with a checkpoint that was kept elsewhere: give --checkpoint FILE",
                                "须与另存的检查点比对：请给出 --checkpoint FILE")
            with _opened(checkpoint) as other:
                if not start.startswith(b"old "):
                    return verify_store(path, verify_checkpoints(other, trust).last)
                old = verify_checkpoints(other, replace(trust, quorum=0)).last
            return verify_growth(start + file.read(MAX_BYTES), trust, old)
        if start.startswith(b"c2sp.org/tlog-proof"):
            return verify_receipt(start + file.read(MAX_BYTES), trust, event)
        file.seek(0)
        return verify_checkpoints(file, trust)


def _opened(path: str) -> BinaryIO:
    if not Path(path).is_file():
        raise CannotRun(f"{shown(path)} is no file; name one that is there", f"{shown(path)} 不是文件；请指定存在的文件")
    return open(path, "rb")


def _content(path: str) -> bytes:
    with _opened(path) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise CannotRun(f"{shown(path)} is longer than 1 MiB", f"{shown(path)} 超过 1 MiB")
    return data


def _vkey(given: str) -> str:
    return given if given.count("+") > 1 else _content(given).decode("utf-8", "replace").removesuffix("\n")


def _language() -> str:
    try:
        return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"
    except ValueError:
        return "en"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; the status."""
    parser = argparse.ArgumentParser(prog="verifier", description="verify what a ledger signed / 验证账本所签署的内容")
    add = parser.add_argument
    add("file", help="receipt, checkpoints, add-checkpoint request or store / 回执、检查点、见证请求或案件库")
    add("--key", required=True, help="the verification key that you trust, or a file with it / 你信任的公钥或其文件")
    add("--keys", metavar="FILE", help="the log's keys: follow the successors of yours / 公钥文件：沿你的公钥向后追踪")
    add("--checkpoint", metavar="FILE", help="a checkpoint kept elsewhere, for a store / 另存的检查点，用于案件库")
    add("--event", metavar="FILE", help="what the event says, for a receipt without it / 事件内容，用于不含内容的回执")
    add("--witness", action="append", default=[], metavar="VKEY", help="a witness that must have cosigned / 见证人公钥")
    add("--quorum", type=int, metavar="N", help="how many of them; all, if not given / 所需见证数，默认全部")
    add("--json", action="store_true", help="for programs / 供程序使用")
    add("--lang", choices=["zh", "en"], default=_language(), help="语言 / language")
    chosen = parser.parse_args(arguments)
    answer: dict[str, Any] = {}
    try:
        trust = Trust.of(_vkey(chosen.key), _content(chosen.keys) if chosen.keys else None, chosen.witness, chosen.quorum)
        event = _content(chosen.event) if chosen.event else None
        proved = verify_file(chosen.file, trust, checkpoint=chosen.checkpoint, event=event)
        status, said, answer = 0, list(told(proved)), facts(proved)
    except NotVerified as error:
        status, said = 1, [(f"NOT verified: {error.en}", f"验证不通过：{error.zh}")]
    except CannotRun as error:
        status, said = 2, [(f"Could not verify: {error.en}", f"无法验证：{error.zh}")]
    except OSError as error:
        status, said = 2, [(f"Could not verify: {shown(str(error))}", f"无法验证：{shown(str(error))}")]
    if chosen.json:
        lines = [json.dumps(answer or {"verified": None if status == 2 else False, "en": said[0][0], "zh": said[0][1]})]
    else:
        lines = [zh if chosen.lang == "zh" else en for en, zh in said]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
