"""A second verifier of receipts, written another way than ``casework/verifier.py``, so that the two can be compared.

The tree goes down by recursion and not up by bits, the text is cut from the front and not matched by patterns, Ed25519 is the
plain arithmetic of RFC 8032 and not a library. It is slow and takes no short cut. ``accepts`` says what the receipt means, or
raises ``Rejected``.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple


class Rejected(ValueError):
    """Not a receipt that the key signed."""


def need(truth: object, why: str) -> None:
    if not truth:
        raise Rejected(why)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# --- Ed25519, RFC 8032 5.1 and its appendix, in extended coordinates ---------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
ZERO: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n: int, point: Point) -> Point:
    result = ZERO
    while n:
        if n & 1:
            result = add(result, point)
        point, n = add(point, point), n >> 1
    return result


def same(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def point(data: bytes) -> Point:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    need(y < P, "a point has a second spelling")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    need((x * x - square) % P == 0, "not on the curve")
    need(x or not sign, "a zero with a sign")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


@lru_cache(maxsize=4096)
def verified(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether that is the signature of the message."""
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    try:
        a, r = point(public), point(signature[:32])
    except Rejected:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(h, a)))


# --- text --------------------------------------------------------------------------------------------------------------------

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"


def unbase64(text: str) -> bytes:
    """Base 64 by hand: whole groups, padding only at the end, no spare bits."""
    need(text and len(text) % 4 == 0, "base64 comes in fours")
    bare = text[:-2] if text.endswith("==") else text[:-1] if text.endswith("=") else text
    need(all(c in ALPHABET for c in bare), "not base64")
    bits = 0
    for c in bare:
        bits = bits << 6 | ALPHABET.index(c)
    spare = len(bare) * 6 % 8
    need(not bits & (1 << spare) - 1, "spare bits")
    return (bits >> spare).to_bytes(len(bare) * 6 // 8, "big")


def natural(text: str) -> int:
    need(text and all(c in string.digits for c in text), "not a number")
    need(text == "0" or text[0] != "0", "a leading zero")
    need(len(text) < 20 and int(text) < 2**63, "too large a number")
    return int(text)


class Key(NamedTuple):
    name: str
    id: bytes
    public: bytes


def key_of(vkey: str, kind: int = 1) -> Key:
    name, id, material = vkey.split("+", 2)
    data = unbase64(material)
    need(len(data) == 33 and data[0] == kind, "another kind of key")
    need(sha(name.encode() + b"\n" + data)[:4].hex() == id, "the id of another key")
    need(not same(times(8, point(data[1:])), ZERO), "a key that protects nothing")
    return Key(name, bytes.fromhex(id), data[1:])


# --- the tree, from the root down --------------------------------------------------------------------------------------------


def power_below(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """RFC 9162 2.1.3.1 turned round: the root that the path gives; its last hash is the child of the root."""
    if size == 1:
        need(not proof, "the path is too long")
        return leaf
    need(proof, "the path is too short")
    k = power_below(size)
    if index < k:
        return sha(b"\1" + root_by_inclusion(leaf, index, k, proof[:-1]) + proof[-1])
    return sha(b"\1" + proof[-1] + root_by_inclusion(leaf, index - k, size - k, proof[:-1]))


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    need(0 <= index < size and len(leaf) == 32, "outside the tree, or no hash")
    need(root_by_inclusion(leaf, index, size, proof) == root, "another root")


def roots_by_consistency(old: int, new: int, old_root: bytes, proof: Sequence[bytes], whole: bool) -> tuple[bytes, bytes]:
    """RFC 9162 2.1.4.1 turned round: what the proof gives as older and newer root of a subtree."""
    if old == new:
        if whole:
            need(not proof, "the proof is too long")
            return old_root, old_root
        need(len(proof) == 1, "the proof is too long or too short")
        return proof[0], proof[0]
    need(proof, "the proof is too short")
    k = power_below(new)
    if old <= k:
        before, after = roots_by_consistency(old, k, old_root, proof[:-1], whole)
        return before, sha(b"\1" + after + proof[-1])
    before, after = roots_by_consistency(old - k, new - k, old_root, proof[:-1], False)
    return sha(b"\1" + proof[-1] + before), sha(b"\1" + proof[-1] + after)


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    need(0 < old <= new, "no older tree")
    need(roots_by_consistency(old, new, old_root, proof, True) == (old_root, new_root), "another root")


# --- the receipt -------------------------------------------------------------------------------------------------------------


class Meaning(NamedTuple):
    """All that a receipt says: two with equal meanings prove the same."""

    origin: str
    size: int
    root: bytes
    index: int
    entry: tuple[Any, ...]
    payload: bytes | None


def take(data: bytes, prefix: bytes) -> tuple[str, bytes]:
    """The rest of a line that begins so, and what follows it."""
    line, end, rest = data.partition(b"\n")
    need(end and line.startswith(prefix), f"no line {prefix!r}")
    rest_of_line = line[len(prefix):]
    need(rest_of_line.isascii(), "not ASCII")
    return rest_of_line.decode(), rest


def entry_values(data: bytes) -> tuple[Any, ...]:
    values: list[Any] = []
    while data:
        need(len(data) >= 5, "half a field")
        kind, length = data[:1], int.from_bytes(data[1:5], "big")
        value, data = data[5:5 + length], data[5 + length:]
        need(len(value) == length, "half a value")
        if kind == b"n":
            need(not length, "a value of nothing")
            values.append(None)
        elif kind == b"i":
            digits = value.removeprefix(b"-")
            need(digits.isdigit() and value != b"-0" and (digits == b"0" or not digits.startswith(b"0")), "not a number")
            need(len(digits) < 20 and -2**63 <= int(value) < 2**63, "too large a number")
            values.append(int(value))
        elif kind == b"t":
            try:
                values.append(value.decode("utf-8"))
            except UnicodeDecodeError:
                raise Rejected("not UTF-8") from None
        else:
            need(kind == b"b", "a field of another type")
            values.append(value)
    types = [type(value) for value in values]
    nothing = type(None)
    need(len(types) == 12, "another number of fields")
    for found, allowed in zip(types, [(str,), (str,), (int,), (int,), (bytes, nothing), (bytes,), (str,), (str, nothing),
                                      (str, nothing), (int,), (int,), (bytes,)], strict=True):
        need(found in allowed, "a value of another type")
    label, _, first, last, previous, events, *_, payload = values
    need(label == "casework/entry/1", "another entry")
    need(0 < first <= last, "no versions")
    need((previous is None) is (first == 1), "a first commit with one before it, or the reverse")
    need(len(events) == len(payload) == 32 and (previous is None or len(previous) == 32), "no hash")
    return tuple(values)


def accepts(data: bytes, vkey: str, event: bytes | None = None) -> Meaning:
    """What the receipt means under that key; Rejected if anything about it is not as it must be."""
    key = key_of(vkey)
    need(len(data) <= 2**20, "too long")
    magic, rest = take(data, b"c2sp.org/tlog-proof@v1")
    need(not magic, "another magic")
    extra, rest = take(rest, b"extra ")
    index_text, rest = take(rest, b"index ")
    index, proof = natural(index_text), []
    while True:
        line, rest = take(rest, b"")
        if not line:
            break
        proof.append(unbase64(line))
        need(len(proof[-1]) == 32 and len(proof) < 64, "no hash of a proof")
    body = unbase64(extra)
    need(body[0] == 1 and len(body) > 5, "another version")
    length = int.from_bytes(body[1:5], "big")
    need(0 < length <= len(body) - 5 and length <= 16379, "half an entry")
    entry, payload = body[5:5 + length], body[5 + length:] or None
    values = entry_values(entry)
    for given in (payload, event):
        need(given is None or sha(given) == values[11], "another event")
    origin, size, root = signed_tree(rest, key)
    check_inclusion(sha(b"\0" + entry), index, size, proof, root)
    return Meaning(origin, size, root, index, values, payload if event is None else event)


def signed_tree(data: bytes, key: Key) -> tuple[str, int, bytes]:
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected("not UTF-8") from None
    need(all(ord(c) >= 32 or c == "\n" for c in note), "a control character")
    cut = note.rfind("\n\n")
    need(cut > 0 and note.endswith("\n"), "no signatures")
    text, lines = note[:cut + 1], note[cut + 2:-1].split("\n")
    need(len(lines) <= 80, "too many signatures")
    mine = []
    for line in lines:
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014" and parts[1], "no signature line")
        need(not any(c.isspace() or c == "+" for c in parts[1]), "no name of a key")
        signature = unbase64(parts[2])
        need(len(signature) > 4, "no signature")
        if parts[1] == key.name and signature[:4] == key.id:
            mine.append(signature[4:])
    parts = text.split("\n")
    need(len(parts) == 4 and not parts[3], "not three lines")
    root = unbase64(parts[2])
    need(parts[0] == key.name and len(root) == 32, "another origin, or no root")
    need(mine and all(verified(key.public, text.encode(), signature) for signature in mine), "not signed by the key")
    return parts[0], natural(parts[1]), root
