"""Receipts changed in every way we could think of, read by two verifiers; how long a receipt is, and how long it takes.

``mutations`` holds: the two agree on each, and none is accepted that says anything the true receipt does not say. What does not
count as changed: the very bytes of the true receipt (tried again), and a receipt that is accepted with the same meaning: origin,
size, root, index and every field of the entry are the same, and the event is the recorded one (its SHA-256 is a field of the
entry) or is not there. Where parts of two true receipts were put together, the meaning may be that of either. What changes so is
a line that a verifier has to ignore or may see twice (a cosignature of a witness it does not know, a signature repeated), and
whether the event is there. These are counted as ``same`` and named by kind.

``forms`` holds: entries of every wrong shape, but in a tree that the true key signed, are taken or refused by both alike.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random

import second_verifier
from ledger_helpers import (
    LOG,
    NOON,
    Signer,
    b64,
    checkpoint,
    entry_of,
    extra_of,
    leaf_of,
    note,
    receipt,
    row,
    sample,
    tall,
)
from ledger_helpers import field as field_of

from casework import verifier

ORDER = 2**252 + 27742317777372353535851937790883648493
WITNESS = Signer("witness.example/w1", 7, 4)
IMPOSTOR = Signer(LOG.name, 99)
LOOKALIKES = {"—": "–-―", "e": "е", "o": "о", "a": "а", "c": "с", "p": "р", "0": "０", "1": "１", "/": "∕", "=": "＝",
              " ": "\u00a0\u2003\t"}


@dataclass
class Outcome:
    """How many were tried, by kind; what went wrong, with the seed of the trial; what meant the same."""

    tried: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    disagreed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (f"{sum(self.tried.values())} receipts of {len(self.tried)} kinds: {len(self.disagreed)} disagreements, "
                f"{len(self.accepted)} accepted that say something else, {sum(self.same.values())} that say the same "
                f"({', '.join(f'{kind} {n}' for kind, n in sorted(self.same.items()))})")


def by_first(data: bytes, event: bytes | None = None) -> second_verifier.Meaning | None:
    """What the verifier of the package makes of it, in the words of the second; None where it refuses."""
    try:
        found = verifier.verify_receipt(data, _trust(), event)
    except verifier.NotVerified:
        return None
    e = found.entry
    entry = ("casework/entry/1", e.stream, e.first_version, e.last_version, e.previous, e.events, e.topic, e.trigger, e.state,
             e.at, e.recorded_at, e.payload_sha256)
    c = found.checkpoint
    return second_verifier.Meaning(c.origin, c.size, c.root, found.index, entry, found.payload)


def by_second(data: bytes, event: bytes | None = None) -> second_verifier.Meaning | None:
    """What the second verifier makes of it; None where it refuses."""
    try:
        return second_verifier.accepts(data, LOG.vkey, event)
    except second_verifier.Rejected:
        return None


@cache
def _trust() -> verifier.Trust:
    return verifier.Trust.of(LOG.vkey)


@cache
def originals() -> list[bytes]:
    """True receipts: of small and larger trees, with and without the event, cosigned or not."""
    made = []
    for seed, commits in ((1, 1), (2, 2), (3, 7), (4, 40), (5, 33)):
        ledger = sample(seed, commits)
        for index in range(0, commits, max(1, commits // 6)):
            made.append(ledger.receipt(index, payload=index % 2 == 0))
            made.append(ledger.receipt(index, *([WITNESS] if index % 3 else []), size=index + 1))
    return made


# --- the changes -------------------------------------------------------------------------------------------------------------

Change = Callable[[Random, bytes], bytes]


def _at(chance: Random, data: bytes) -> int:
    return chance.randrange(len(data))


def bit(chance: Random, data: bytes) -> bytes:
    at = _at(chance, data)
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]


def byte_replaced(chance: Random, data: bytes) -> bytes:
    at = _at(chance, data)
    return data[:at] + chance.choice((chance.randbytes(1), b"\n", b" ", b"=", b"A", b"0")) + data[at + 1:]


def byte_removed(chance: Random, data: bytes) -> bytes:
    at = _at(chance, data)
    return data[:at] + data[at + chance.randint(1, 3):]


def byte_added(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    added = chance.choice((chance.randbytes(1), b"\n", b" ", b"\r", b"\t", b"\0", b"\xe2\x80\xae", b"\x1b", b"\x85"))
    return data[:at] + added + data[at:]


def cut(chance: Random, data: bytes) -> bytes:
    at = _at(chance, data)
    return data[:at] if chance.random() < 0.7 else data[at:]


def tail(chance: Random, data: bytes) -> bytes:
    return data + chance.choice((b"\n", b" ", b"\0", b"\r\n", b"x", b"\n\n", data, "— x y\n".encode(), chance.randbytes(9)))


def lines(chance: Random, data: bytes) -> bytes:
    all_lines = data.split(b"\n")
    a, b = chance.randrange(len(all_lines)), chance.randrange(len(all_lines))
    match chance.randrange(4):
        case 0:
            del all_lines[a]
        case 1:
            all_lines.insert(b, all_lines[a])
        case 2:
            all_lines[a], all_lines[b] = all_lines[b], all_lines[a]
        case _:
            all_lines.insert(a, all_lines[a])
    return b"\n".join(all_lines)


def spliced(chance: Random, data: bytes) -> bytes:
    """A line of this one replaced by the like line of another true receipt."""
    mine, other = data.split(b"\n"), chance.choice(originals()).split(b"\n")
    at = chance.randrange(1, len(mine))
    like = [line for line in other if line[:6] == mine[at][:6]] if mine[at][:6] in (b"extra ", b"index ") else other
    return b"\n".join([*mine[:at], chance.choice(like), *mine[at + 1:]])


def halves(chance: Random, data: bytes) -> bytes:
    """The head of this one, the checkpoint of another."""
    return data.partition(b"\n\n")[0] + b"\n\n" + chance.choice(originals()).partition(b"\n\n")[2]


def _head(data: bytes) -> tuple[list[bytes], bytes]:
    head, _, rest = data.partition(b"\n\n")
    return head.split(b"\n"), rest


def proof(chance: Random, data: bytes) -> bytes:
    head, rest = _head(data)
    hashes = head[3:]
    match chance.randrange(6):
        case 0:
            hashes.reverse()
        case 1:
            chance.shuffle(hashes)
        case 2:
            hashes = hashes[1:]
        case 3:
            hashes = hashes[:-1]
        case 4:
            hashes.insert(chance.randint(0, len(hashes)), b64(chance.randbytes(chance.choice((31, 32, 32, 33)))).encode())
        case _:
            hashes += [b64(bytes(32)).encode()] * chance.choice((1, 62, 64))
    return b"\n".join([*head[:3], *hashes]) + b"\n\n" + rest


def _number(chance: Random, number: int) -> str:
    return chance.choice((
        str(number + chance.choice((1, -1, 2, 4, 8))), str(number ^ 1 << chance.randrange(6)), f"0{number}", f"+{number}",
        f"-{number}", f" {number}", f"{number} ", f"{number}.0", str(number + 2**63), str(number + 2**64), str(2**63 - 1), "",
        f"{number:x}h", f"{number}_0",
        "".join(chr(0xFF10 + int(c)) for c in str(number)), "".join(chr(0x660 + int(c)) for c in str(number))))


def index(chance: Random, data: bytes) -> bytes:
    return re.sub(rb"index (\d+)", lambda m: f"index {_number(chance, int(m[1]))}".encode(), data, count=1)


def size(chance: Random, data: bytes) -> bytes:
    return re.sub(rb"\n(\d+)\n", lambda m: f"\n{_number(chance, int(m[1]))}\n".encode(), data, count=1)


def ends(chance: Random, data: bytes) -> bytes:
    other = chance.choice((b"\r\n", b"\r", b"\n\r", b"\x0b", b"\x0c", "\u2028".encode(), "\x85".encode()))
    if chance.random() < 0.3:
        return data.replace(b"\n", other)
    at = chance.choice([m.start() for m in re.finditer(b"\n", data)])
    return data[:at] + other + data[at + 1:]


def lookalike(chance: Random, data: bytes) -> bytes:
    text = data.decode()
    places = [i for i, c in enumerate(text) if c in LOOKALIKES]
    at = chance.choice(places)
    return (text[:at] + chance.choice(LOOKALIKES[text[at]]) + text[at + 1:]).encode()


def base64_spelling(chance: Random, data: bytes) -> bytes:
    """The same bytes in another spelling: spare bits, padding, the alphabet for addresses, white space within."""
    found = chance.choice(list(re.finditer(rb"(?m)[A-Za-z0-9+/]{20,}={0,2}$", data)))
    text = found[0]
    bare = text.rstrip(b"=")
    alphabet = second_verifier.ALPHABET.encode()
    other = chance.choice((
        bare, text + b"=", text + b"====", text.translate(bytes.maketrans(b"+/", b"-_")), text[:20] + b" " + text[20:],
        text[:16] + b"\n" + text[16:], bare[:-1] + alphabet[alphabet.index(bare[-1]) ^ 1:][:1] + text[len(bare):], b"=" + text))
    return data[:found.start()] + other + data[found.end():]


def signature(chance: Random, data: bytes) -> bytes:
    """The signature of the log: another s, another R, another key's, another text's."""
    text, _, _ = data.rpartition(b"\n\n")
    body = (text.rpartition(b"\n\n")[2] + b"\n").decode()
    found = re.search(f"— {re.escape(LOG.name)} (\\S+)\n", data.decode())
    assert found is not None
    raw = b64decode(found[1])
    id, r, s = raw[:4], raw[4:36], int.from_bytes(raw[36:], "little")
    zero = (1).to_bytes(32, "little")
    other = chance.choice((
        id + r + (s + ORDER).to_bytes(32, "little"), id + r + (ORDER - s).to_bytes(32, "little"), id + zero + bytes(32),
        id + bytes(64), id + r[:31] + bytes([r[31] ^ 0x80]) + raw[36:], raw[:-1], raw + b"\0", id, id + raw[36:] + r,
        bytes([id[0] ^ 1]) + raw[1:], id + IMPOSTOR.private.sign(body.encode()),
        IMPOSTOR.id + IMPOSTOR.private.sign(body.encode()),
        id + LOG.private.sign(body.encode() + b"\n"), id + LOG.private.sign(body.encode()[:-1]),
        id + LOG.private.sign(f"cosignature/v1\ntime 1\n{body}".encode())))
    return data.replace(found[1].encode(), b64(other).encode())


def impostor(chance: Random, data: bytes) -> bytes:
    """The whole receipt made anew by somebody else, under the name of the log or another."""
    signer = chance.choice((IMPOSTOR, Signer(LOG.name + chance.choice("2/.x"), 1), Signer("other.example", 1)))
    ledger = sample(chance.randrange(3), chance.choice((1, 3, 5)), signer)
    return ledger.receipt(chance.randrange(len(ledger.leaves)))


def extra(chance: Random, data: bytes) -> bytes:
    """What the receipt says of the entry and of the event, changed and spelt well."""
    head, rest = _head(data)
    body = b64decode(head[1][6:])
    end = 5 + int.from_bytes(body[1:5], "big")
    entry, payload = body[5:end], body[end:]
    mutant = bytearray(entry)
    mutant[chance.randrange(len(mutant))] ^= 1 << chance.randrange(8)
    other = chance.choice((
        extra_of(entry, payload + b" "), extra_of(entry, b'{"n":-1}'), extra_of(entry, payload[:-1] or b"{}"),
        extra_of(entry + payload),
        extra_of(bytes(mutant), payload), extra_of(entry[:-1], entry[-1:] + payload), b"\2" + body[1:], b"\0" + body[1:],
        body[:end - 1], body[:5], body[:1], b"\1\xff\xff\xff\xff" + body[5:], extra_of(b"", body[5:]),
        extra_of(entry + b"n\0\0\0\0", payload), extra_of(entry),
        extra_of(entry.replace(b"contact_merchant", b"contact_Merchant"), payload), entry + payload))
    head[1] = b"extra " + b64(other).encode()
    return b"\n".join(head) + b"\n\n" + rest


def extension(chance: Random, data: bytes) -> bytes:
    """A line more or less within the signed text, or before the checkpoint."""
    head, rest = _head(data)
    parts = rest.split(b"\n")
    parts.insert(chance.randrange(5), chance.choice((b"extension", b"", b"0", b"index 0", b"extra AA==")))
    return b"\n".join(head) + b"\n\n" + b"\n".join(parts)


KINDS: tuple[Change, ...] = (bit, byte_replaced, byte_removed, byte_added, cut, tail, lines, spliced, halves, proof, index, size,
                             ends, lookalike, base64_spelling, signature, impostor, extra, extension)
EVENTS = (b"", b"{}", b'{"n":0} ', b'{"n":0', b'{"n":00}', b"\xff")


def mutations(count: int, seed: int = 1) -> Outcome:
    """``count`` changed receipts, by seed; a third of them changed by bits, the rest by each kind in turn."""
    outcome = Outcome()
    for number in range(count):
        chance = Random(f"{seed}:{number}")
        original = chance.choice(originals())
        event = chance.choice(EVENTS) if number % 23 == 0 else None
        kind = "event" if event is not None else "bit" if number % 3 == 0 else ""
        change = bit if kind == "bit" else KINDS[number % len(KINDS)]
        changed = original
        while event is None and changed == original:
            changed = change(chance, original)
        _judge(outcome, kind or change.__name__, f"{seed}:{number}", original, changed, event)
    return outcome


def _judge(outcome: Outcome, kind: str, trial: str, original: bytes, changed: bytes, event: bytes | None) -> None:
    first, second = by_first(changed, event), by_second(changed, event)
    outcome.tried[kind] += 1
    if first != second:
        outcome.disagreed.append(f"{trial} {kind}: {first} and {second}")
    truths = _truths() if kind in ("spliced", "halves") else {_bare(original)}
    for found in {first, second} - {None}:
        assert found is not None
        recorded = found.payload is None or sha256(found.payload).digest() == found.entry[-1]
        if recorded and found._replace(payload=None) in truths:
            outcome.same[kind] += 1
        else:
            outcome.accepted.append(f"{trial} {kind}: {found}")


def _bare(original: bytes) -> second_verifier.Meaning:
    meaning = by_second(original)
    assert meaning is not None
    return meaning._replace(payload=None)


@cache
def _truths() -> set[second_verifier.Meaning]:
    return {_bare(data) for data in originals()}


def forms(count: int, seed: int = 1) -> Outcome:
    """``count`` entries of wrong and odd shapes, each in a tree of one that the true key signed: do both take or refuse it?"""
    outcome = Outcome()
    for number in range(count):
        chance = Random(f"{seed}:form:{number}")
        rows = [row(chance.choice(("K-1", "案件", "")), chance.choice((1, 1, 2)))]
        entry = entry_of(rows, None if rows[0][1] == 1 else bytes(32))
        entry = chance.choice((bit, byte_removed, byte_added, _retyped, _respelt))(chance, entry)
        root = leaf_of(entry)
        data = receipt(extra_of(entry), 0, [], checkpoint(1, root))
        first, second = by_first(data), by_second(data)
        outcome.tried["taken" if first else "refused"] += 1
        if first != second:
            outcome.disagreed.append(f"{seed}:form:{number}: {first} and {second}")
    return outcome


def _fields(entry: bytes) -> list[bytes]:
    found = []
    while entry:
        end = 5 + int.from_bytes(entry[1:5], "big")
        found.append(entry[:end])
        entry = entry[end:]
    return found


def _retyped(chance: Random, entry: bytes) -> bytes:
    fields = _fields(entry)
    at = chance.randrange(len(fields))
    fields[at] = chance.choice((b"n", b"i", b"f", b"t", b"b", b"x", b"\0")) + fields[at][1:]
    return b"".join(fields)


def _respelt(chance: Random, entry: bytes) -> bytes:
    fields, at = _fields(entry), chance.randrange(12)
    values = (b"0", b"-0", b"00", b"01", b"-1", b"+1", b"", b" 1", b"1 ", b"1e3", b"1_0", b"9223372036854775807",
              b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", "１".encode(),
              b"99999999999999999999", b"1", b"2", b"-")
    value = chance.choice(values)
    fields[at] = chance.choice((b"i" + len(value).to_bytes(4, "big") + value,
                                field_of(chance.choice((None, "", b"", "\x1b[2J", bytes(32))))))
    return b"".join(fields)


# --- how long ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """Bytes of a receipt in a ledger of that many commits, for a usual and for the longest id; and CPU time to verify one."""

    commits: int
    usual: int
    longest: int
    median_ms: float
    worst_ms: float

    def __str__(self) -> str:
        return (f"at {self.commits} commits a receipt of one event is {self.usual} bytes, with the longest id and names "
                f"{self.longest}; verified in {self.median_ms:.2f} ms (median; worst {self.worst_ms:.2f}) of the process's CPU")


def figures(commits: int = 1_000_000, times: int = 200) -> Figures:
    """Measured on receipts without the event, in a tree of that size whose siblings are made by chance."""
    usual = _long("juicer", "casework.case.merchant_contacted", "contact_merchant", "awaiting_merchant", commits)
    longest = _long(chr(0x20000) * 64, *_longest_names(), commits)
    took = []
    for _ in range(times):
        begun = time.process_time_ns()
        verifier.verify_receipt(usual, LOG.vkey)
        took.append((time.process_time_ns() - begun) / 1e6)
    return Figures(commits, len(usual), len(longest), statistics.median(took), max(took))


def _longest_names() -> tuple[str, str, str]:
    from casework.domain.lifecycle import TRIGGERS

    topics = json.loads((Path(__file__).parents[1] / "golden" / "topics.json").read_text(encoding="utf-8"))
    return (max(topics, key=len), max((t.name for t in TRIGGERS), key=len),
            max((e.to or "" for t in TRIGGERS for e in t.edges), key=len))


def _long(case: str, topic: str, trigger: str, state: str, commits: int) -> bytes:
    """The receipt of version 12 of a case as the last but one commit."""
    entry = entry_of([row(case, 12, topic=topic, trigger_name=trigger, to_state=state, at=NOON)], bytes(range(32)))
    path, root = tall(commits, commits - 2, leaf_of(entry))
    # A path in the middle of the tree is the longest there is.
    middle, middle_root = tall(commits, commits // 2 - 1, leaf_of(entry))
    index_, path, root = (commits // 2 - 1, middle, middle_root) if len(middle) > len(path) else (commits - 2, path, root)
    return receipt(extra_of(entry), index_, path, note(f"{LOG.name}\n{commits}\n{b64(root)}\n", LOG))


def main() -> None:
    """The full form, as ``python -m harness.receipts``."""
    begun = time.process_time()
    print(mutations(100_000), forms(10_000), figures(), f"{time.process_time() - begun:.0f} s", sep="\n")


if __name__ == "__main__":
    main()
