"""The one file with which a stranger verifies: what it proves, and everything that it refuses."""

from __future__ import annotations

import ast
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ledger_helpers import (
    EMPTY,
    LOG,
    NOON,
    ORIGIN,
    Ledger,
    Signer,
    b64,
    checkpoint,
    consistency,
    digest,
    entry_of,
    extra_of,
    field,
    inclusion,
    key_note,
    leaf_of,
    note,
    receipt,
    root_of,
    row,
    sample,
)

from casework import verifier
from casework.verifier import CannotRun, Checkpoint, Key, Note, NotVerified, Trust

LEDGER = sample()
ROOT = root_of(LEDGER.leaves)
ONE, TWO, THREE = (Signer(f"witness.example/w{n}", 10 + n, 4) for n in (1, 2, 3))
ORDER = 2**252 + 27742317777372353535851937790883648493


def refused(why: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """The call says that this is not verified, and why, in two languages."""
    with pytest.raises(NotVerified) as caught:
        call(*args, **kwargs)
    assert why in caught.value.en
    assert caught.value.zh and caught.value.zh != caught.value.en


def signed(entry: bytes, payload: bytes | None = None) -> bytes:
    """A receipt of that entry, in a tree of one."""
    return receipt(extra_of(entry, payload), 0, [], checkpoint(1, leaf_of(entry)))


# --- receipts ----------------------------------------------------------------------------------------------------------------


def test_a_receipt_proves_what_a_commit_recorded() -> None:
    for index, rows in enumerate(LEDGER.commits):
        proved = verifier.verify_receipt(LEDGER.receipt(index), LOG.vkey)
        last = rows[-1]
        assert proved.checkpoint == Checkpoint(ORIGIN, len(LEDGER.leaves), ROOT)
        assert (proved.index, proved.entry.stream, proved.entry.first_version, proved.entry.last_version) == (
            index, last[0], rows[0][1], last[1])
        assert (proved.entry.topic, proved.entry.trigger, proved.entry.state) == (last[2], last[4], last[6])
        assert (proved.entry.at, proved.entry.recorded_at, proved.payload) == (last[7], last[8], last[3])
        assert proved.entry.payload_sha256 == digest(last[3])
        assert (proved.entry.previous is None) == (proved.entry.first_version == 1)


def test_no_byte_of_a_receipt_can_be_changed() -> None:
    true = LEDGER.receipt(5)
    verifier.verify_receipt(true, LOG.vkey)
    for at in range(len(true)):
        for bit in (1, 32):
            with pytest.raises(NotVerified):
                verifier.verify_receipt(true[:at] + bytes([true[at] ^ bit]) + true[at + 1:], LOG.vkey)


def test_the_event_may_come_beside_the_receipt_and_must_be_the_one() -> None:
    payload = LEDGER.commits[5][-1][3]
    assert verifier.verify_receipt(LEDGER.receipt(5, payload=False), LOG.vkey).payload is None
    assert verifier.verify_receipt(LEDGER.receipt(5, payload=False), LOG.vkey, payload).payload == payload
    assert verifier.verify_receipt(LEDGER.receipt(5), LOG.vkey, payload).payload == payload
    for data in (LEDGER.receipt(5), LEDGER.receipt(5, payload=False)):
        refused("the event is not the one", verifier.verify_receipt, data, LOG.vkey, payload + b" ")
        refused("the event is not the one", verifier.verify_receipt, data, LOG.vkey, b"")
    other = receipt(extra_of(LEDGER.entries[5], b"{}"), 5, inclusion(LEDGER.leaves, 5), LEDGER.checkpoint())
    refused("the event is not the one", verifier.verify_receipt, other, LOG.vkey)
    refused("the event is not the one", verifier.verify_receipt, other, LOG.vkey, payload)


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)
    return change


NO_RECEIPT = "this is no receipt"
TEXTS = [
    ("nothing", lambda d: b"", NO_RECEIPT),
    ("another version", swap(b"@v1", b"@v2"), NO_RECEIPT),
    ("something before", lambda d: b"\n" + d, NO_RECEIPT),
    ("byte order mark", lambda d: b"\xef\xbb\xbf" + d, "not ASCII"),
    ("no extra", lambda d: re.sub(b"extra .*\n", b"", d), NO_RECEIPT),
    ("only two lines", lambda d: b"\n".join(d.split(b"\n\n")[0].split(b"\n")[:2]) + b"\n\n" + d.split(b"\n\n", 1)[1], NO_RECEIPT),
    ("no index", lambda d: re.sub(b"index .*\n", b"", d), NO_RECEIPT),
    ("index in capitals", swap(b"index ", b"INDEX "), NO_RECEIPT),
    ("carriage returns", lambda d: d.replace(b"\n", b"\r\n"), "not ASCII"),
    ("one carriage return", swap(b"\n", b"\r\n"), NO_RECEIPT),
    ("an empty extra", lambda d: re.sub(b"extra .*\n", b"extra \n", d), "is not base64"),
    ("extra without padding", lambda d: re.sub(b"extra (.*?)=+\n", rb"extra \1\n", d), "is not base64"),
    ("an index with a zero before it", swap(b"index 5", b"index 05"), "is no number"),
    ("an index with a sign", swap(b"index 5", b"index +5"), "is no number"),
    ("an index with a space after it", swap(b"index 5\n", b"index 5 \n"), "is no number"),
    ("an index too large", swap(b"index 5", b"index 9223372036854775808"), "is no number"),
    ("the largest index", swap(b"index 5", b"index 9223372036854775807"), "does not lie in a tree of 40"),
    ("the size as an index", swap(b"index 5", b"index 40"), "does not lie in a tree of 40"),
    ("the index of another", swap(b"index 5", b"index 4"), "does not lead to the signed root"),
    ("a path too long", lambda d: d.replace(b"\n\n", b"\n" + b64(EMPTY).encode() + b"\n\n", 1), "too long"),
    ("a path of 64",
     lambda d: d.replace(b"\n\n", b"\n" + b"\n".join([b64(EMPTY).encode()] * 64) + b"\n\n", 1), "the proof is too long"),
    ("a hash of 31 bytes", lambda d: d.replace(b"\n\n", b"\n" + b64(bytes(31)).encode() + b"\n\n", 1), "the base64 of 32 bytes"),
    ("no checkpoint", lambda d: d.split(b"\n\n")[0], "no signed note"),
    ("an empty checkpoint", lambda d: d.split(b"\n\n")[0] + b"\n\n", "no signed note"),
    ("no signature", lambda d: d.rpartition(b"\n\n")[0] + b"\n\n", "no signed note"),
    ("no line feed at the end", lambda d: d[:-1], "no signed note"),
    ("an empty line at the end", lambda d: d + b"\n", "no signed note"),
    ("something at the end", lambda d: d + b"x\n", "is no signature line"),
    ("white space at the end", lambda d: d[:-1] + b" \n", "is no signature line"),
    ("a long one", lambda d: d + b" " * (1 << 20), "at most 1 MiB"),
]


@pytest.mark.parametrize(("change", "why"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_a_receipt_has_one_form_and_no_other(change: Callable[[bytes], bytes], why: str) -> None:
    refused(why, verifier.verify_receipt, change(LEDGER.receipt(5)), LOG.vkey)


def test_a_receipt_of_the_largest_size_is_read() -> None:
    data = LEDGER.receipt(5)
    refused("no signed note", verifier.verify_receipt, data + b" " * ((1 << 20) - len(data)), LOG.vkey)
    refused("at most 1 MiB", verifier.verify_receipt, data + b" " * ((1 << 20) - len(data) + 1), LOG.vkey)


def test_a_path_of_64_is_refused_by_its_length_alone() -> None:
    data = receipt(extra_of(LEDGER.entries[0]), 1, [EMPTY] * 64, checkpoint(2**63 - 1, ROOT))
    refused("the proof is too long", verifier.verify_receipt, data, LOG.vkey)


def test_a_path_of_63_is_the_longest() -> None:
    from ledger_helpers import tall

    size, entry = 2**63 - 1, LEDGER.entries[0]
    path, root = tall(size, 1, leaf_of(entry))
    assert len(path) == 63
    verifier.verify_receipt(receipt(extra_of(entry), 1, path, checkpoint(size, root)), LOG.vkey)


@pytest.mark.parametrize(("extra", "why"), [
    (b"\2" + extra_of(LEDGER.entries[0])[1:], "form of version 1"),
    (b"\0" + extra_of(LEDGER.entries[0])[1:], "form of version 1"),
    (b"\1", "form of version 1"),
    (b"\1\0\0\0", "form of version 1"),
    (b"\1\0\0\0\0", "form of version 1"),
    (b"\1\0\0\0\0x", "form of version 1"),
    (b"\1\xff\xff\xff\xff" + LEDGER.entries[0], "form of version 1"),
    (extra_of(LEDGER.entries[0])[:-1], "form of version 1"),
    (b"\1\1" + extra_of(LEDGER.entries[0])[2:], "form of version 1"),
    (extra_of(bytes((1 << 14) - 4)), "form of version 1"),
    (extra_of(bytes((1 << 14) - 5)), "does not lead"),
    (b"\1\0\0\0\1\0", "does not lead"),
])
def test_what_comes_with_a_receipt_has_one_form(extra: bytes, why: str) -> None:
    refused(why, verifier.verify_receipt, receipt(extra, 0, inclusion(LEDGER.leaves, 0), LEDGER.checkpoint()), LOG.vkey)


VALUES: list[Any] = ["casework/entry/1", "K-1", 2, 3, bytes(32), bytes(32), "topic", "trigger", "state", 1, 2, bytes(32)]
SOUND, FORM, NUMBER = "no sound entry", "fields of the entry", "a number of the entry"


def entry(at: int | None = None, value: bytes = b"") -> bytes:
    """The encoded values, with one of them (from 1, as the page counts) put in another way."""
    fields = [field(v) for v in VALUES]
    if at is not None:
        fields[at - 1] = value
    return b"".join(fields)


def integer(said: bytes) -> bytes:
    return b"i" + len(said).to_bytes(4, "big") + said


@pytest.mark.parametrize(("at", "value"), [
    (None, b""), (4, field(2)), (3, field(3)), (8, field(None)), (9, field(None)), (2, field("")), (10, integer(b"0")),
    (10, integer(b"-1")), (10, integer(b"-9223372036854775808")), (11, integer(b"9223372036854775807")), (7, field("案\u202e\0")),
])
def test_entries_that_are_sound(at: int | None, value: bytes) -> None:
    assert verifier.verify_receipt(signed(entry(at, value)), LOG.vkey).entry.last_version in (2, 3)


@pytest.mark.parametrize(("at", "value", "why"), [
    (1, field("casework/entry/2"), SOUND), (1, field("casework/key/1"), SOUND), (1, field(b"casework/entry/1"), FORM),
    (2, field(b"K-1"), FORM), (2, field(None), FORM), (2, b"t\0\0\0\1\xff", "not UTF-8"),
    (3, field(0), SOUND), (3, field(-1), SOUND), (3, field(4), SOUND), (3, field(1), SOUND), (3, field("2"), FORM),
    (4, field(1), SOUND), (4, field(None), FORM), (4, field(3.0), FORM),
    (5, field(None), SOUND), (5, field(b""), SOUND), (5, field(bytes(31)), SOUND), (5, field(bytes(33)), SOUND),
    (5, field("x" * 32), FORM),
    (6, field(bytes(31)), SOUND), (6, field(None), FORM), (12, field(bytes(33)), SOUND), (12, field(b""), SOUND),
    (7, field(None), FORM), (8, field(b"trigger"), FORM), (9, field(1), FORM), (8, b"n\0\0\0\1x", FORM), (8, b"", FORM),
    (10, field(None), FORM), (10, integer(b""), NUMBER), (10, integer(b"-"), NUMBER), (10, integer(b"-0"), NUMBER),
    (10, integer(b"00"), NUMBER), (10, integer(b"01"), NUMBER), (10, integer(b"-01"), NUMBER), (10, integer(b"+1"), NUMBER),
    (10, integer(b" 1"), NUMBER), (10, integer(b"1\n"), NUMBER), (10, integer(b"1_0"), NUMBER),
    (10, integer("１".encode()), NUMBER),
    (10, integer(b"9223372036854775808"), NUMBER), (10, integer(b"-9223372036854775809"), NUMBER),
    (11, integer(b"1" * 20), NUMBER),
    (12, field(bytes(32)) + field(None), "something follows"), (12, field(bytes(32)) + b"\0", "something follows"),
    (12, b"", FORM),
    (12, field(bytes(32))[:-1], FORM), (12, b"b\0\0\0\x20", FORM), (12, b"b\0\0", FORM),
    (12, b"b\xff\xff\xff\xff" + bytes(32), FORM),
    (11, b"\xe9" + field(2)[1:], FORM), (12, b"b\1\0\0\x20" + bytes(32), FORM), (12, b"b\0\1\0\x20" + bytes(32), FORM),
])
def test_an_entry_has_one_form_even_when_the_key_signed_another(at: int, value: bytes, why: str) -> None:
    refused(why, verifier.verify_receipt, signed(entry(at, value)), LOG.vkey)


def test_a_first_commit_has_none_before_it() -> None:
    first = entry_of([row("K-1", 1)], None)
    assert verifier.verify_receipt(signed(first), LOG.vkey).entry.previous is None
    refused(SOUND, verifier.verify_receipt, signed(entry_of([row("K-1", 1)], bytes(32))), LOG.vkey)


# --- keys and signatures -----------------------------------------------------------------------------------------------------


def vkey_of(public: bytes, name: str = ORIGIN, kind: int = 1) -> str:
    material = bytes([kind]) + public
    id = digest(f"{name}\n".encode(), material)[:4]
    return f"{name}+{id.hex()}+{b64(material)}"


WEAK = ["00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "01" + "00" * 30 + "80", "ec" + "ff" * 31, "00" * 31 + "80",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f", "f0" + "ff" * 30 + "7f", "ff" * 32]


@pytest.mark.parametrize("public", WEAK)
def test_a_key_under_which_anybody_can_sign_or_that_has_two_spellings_is_none(public: str) -> None:
    refused("not a sound Ed25519 key", Key.read, vkey_of(bytes.fromhex(public)))


@pytest.mark.parametrize("vkey", [
    "", "x", LOG.vkey + "\n", " " + LOG.vkey, LOG.vkey.replace("+", " ", 1), LOG.vkey.upper(), LOG.vkey[:-1], LOG.vkey + "=",
    LOG.vkey.replace(LOG.id.hex(), "00000000"), "x" + LOG.vkey, vkey_of(LOG.material[1:], "a b"), vkey_of(LOG.material[1:], ""),
    vkey_of(LOG.material[1:], "a\u00a0b"), vkey_of(LOG.material[1:], "a" * 256), vkey_of(LOG.material[1:], kind=2), ONE.vkey,
    vkey_of(LOG.material[1:] + b"x"), vkey_of(LOG.material[2:]), f"{ORIGIN}+{LOG.id.hex()}+{'=' * 44}",
])
def test_a_verification_key_has_one_form(vkey: str) -> None:
    refused("", Key.read, vkey)
    with pytest.raises(CannotRun, match=r"key|is not"):
        verifier.verify_receipt(LEDGER.receipt(0), vkey)


def test_a_key_may_have_a_long_name_in_any_script() -> None:
    assert Key.read(vkey_of(LOG.material[1:], "投诉" * 127)).name == "投诉" * 127
    assert Key.read(ONE.vkey, 4) == Key(ONE.name, ONE.id, ONE.material[1:])


def test_the_published_example_of_a_signed_note_is_verified() -> None:
    key = Key.read("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    data = ("This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYj"
            "OBH3mFXmRKuwHjG1Yu72IneyaQM=\n").encode()
    assert Note.read(data).signed_by(key)
    refused("is false", Note.read(data.replace(b"an ex", b"no ex")).signed_by, key)
    verse = ("Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/"
             "salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n").encode()
    assert Note.read(verse).text == verse.decode().rpartition("\n\n")[0] + "\n"
    assert not Note.read(verse).signed_by(key)


@pytest.mark.parametrize(("data", "why"), [
    (b"", "no signed note"), (b"\n", "no signed note"), (b"a\n\n", "no signed note"), (b"a\nb\n", "no signed note"),
    ("a\n\n— x AAAAAAA=".encode(), "no signed note"), ("a\x00\n\n— x AAAAAAA=\n".encode(), "no signed note"),
    ("a\t\n\n— x AAAAAAA=\n".encode(), "no signed note"), ("a\x1f\n\n— x AAAAAAA=\n".encode(), "no signed note"),
    ("a\n\n— x\x01 AAAAAAA=\n".encode(), "no signed note"), ("a\r\n\n— x AAAAAAA=\n".encode(), "no signed note"),
    (b"\xff\n\n\xe2\x80\x94 x AAAAAAA=\n", "not UTF-8"), (b"a\n\n- x AAAAAAA=\n", "no signature line"),
    ("a\n\n—  x AAAAAAA=\n".encode(), "no signature line"), ("a\n\n— x  AAAAAAA=\n".encode(), "no signature line"),
    ("a\n\n— x+y AAAAAAA=\n".encode(), "no signature line"), ("a\n\n— x AAAAAAA= \n".encode(), "no signature line"),
    ("a\n\n— x\u00a0 AAAAAAA=\n".encode(), "no signature line"), ("a\n\n— AAAAAAA=\n".encode(), "no signature line"),
    ("a\n\n— x AAAAAA==\n".encode(), "no signature line"), ("a\n\n— x AAAAAAB=\n".encode(), "not base64"),
    ("a\n\n— x AAAAAAA\n".encode(), "not base64"), ("a\n\n— x é\n".encode(), "not base64"),
    ("a\n\n— x ====\n".encode(), "not base64"),
    ("a\n\n" + "— x AAAAAAA=\n" * 81, "no signed note"),
])
def test_a_signed_note_has_one_form(data: bytes | str, why: str) -> None:
    refused(why, Note.read, data.encode() if isinstance(data, str) else data)


def test_a_signed_note_of_sixteen_signatures_and_more_is_read() -> None:
    assert len(Note.read(("a\n\n" + "— x AAAAAAA=\n" * 80).encode()).signatures) == 80
    assert Note.read("a\x7f\u202e\n\n— x AAAAAAA=\n".encode()) == Note("a\x7f\u202e\n", (("x", bytes(4), b"\0"),))


def test_signatures_of_others_are_passed_over_and_of_ours_all_must_be_true() -> None:
    data = LEDGER.checkpoint()
    text = data.rpartition(b"\n\n")[0].decode() + "\n"
    same_name = Signer(ORIGIN, 77)
    false = f"— {ORIGIN} {b64(LOG.id + bytes(64))}\n"
    assert verifier.verify_checkpoint(note(text, same_name, LOG, ONE, LOG), LOG.vkey).root == ROOT
    refused("is false", verifier.verify_checkpoint, note(text, LOG) + false.encode(), LOG.vkey)
    refused("is false", verifier.verify_checkpoint, f"{text}\n{false}{LOG.line(text)}".encode(), LOG.vkey)
    refused("no signature by the key", verifier.verify_checkpoint, note(text, same_name, ONE), LOG.vkey)
    other = f"— other {b64(LOG.id + LOG.private.sign(text.encode()))}\n".encode()
    refused("no signature by the key", verifier.verify_checkpoint, text.encode() + b"\n" + other, LOG.vkey)


def test_a_signature_has_no_second_spelling() -> None:
    text = LEDGER.checkpoint().rpartition(b"\n\n")[0].decode() + "\n"
    raw = LOG.private.sign(text.encode())
    s = int.from_bytes(raw[32:], "little")
    key = Key.read(LOG.vkey)
    assert key.signed(text.encode(), raw)
    for other in (raw[:32] + (s + ORDER).to_bytes(32, "little"), raw + b"\0", raw[:-1], b"", bytes(64), raw[32:] + raw[:32],
                  raw[:32] + ORDER.to_bytes(32, "little"), raw[:32] + b"\xff" * 32):
        assert not key.signed(text.encode(), other)


def test_the_order_is_refused_before_any_library_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that takes every signature would still not make a second spelling of one good."""
    from cryptography.hazmat.primitives.asymmetric import ed25519

    class Lax:
        @classmethod
        def from_public_bytes(cls, _: bytes) -> Lax:
            return cls()

        def verify(self, signature: bytes, message: bytes) -> None:
            """Take it."""

    monkeypatch.setattr(ed25519, "Ed25519PublicKey", Lax)
    key = Key.read(LOG.vkey)
    assert key.signed(b"", bytes(32) + (ORDER - 1).to_bytes(32, "little"))
    assert not key.signed(b"", bytes(32) + ORDER.to_bytes(32, "little"))
    assert not key.signed(b"", bytes(63))
    assert not key.signed(b"", bytes(65))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(CannotRun, match="pip install cryptography"):
        verifier.verify_receipt(LEDGER.receipt(0), LOG.vkey)


# --- checkpoints and witnesses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "why"), [
    (f"{ORIGIN}\n40\n{b64(ROOT)}\nextension\n", "no checkpoint of this origin"),
    (f"{ORIGIN}\n40\n", "no checkpoint of this origin"),
    (f"\n{ORIGIN}\n40\n{b64(ROOT)}\n", "no checkpoint of this origin"),
    (f"{ORIGIN}2\n40\n{b64(ROOT)}\n", "no checkpoint of this origin"),
    (f"{ORIGIN} \n40\n{b64(ROOT)}\n", "no checkpoint of this origin"),
    (f"{ORIGIN}\ncasework/key/1\nx\n0\n", "no checkpoint of this origin"),
    (f"{ORIGIN}\n040\n{b64(ROOT)}\n", "is no number"), (f"{ORIGIN}\n-1\n{b64(ROOT)}\n", "is no number"),
    (f"{ORIGIN}\n\n{b64(ROOT)}\n", "is no number"), (f"{ORIGIN}\n{2**63}\n{b64(ROOT)}\n", "is no number"),
    (f"{ORIGIN}\n40\n{b64(ROOT)} \n", "the base64 of 32"), (f"{ORIGIN}\n40\n{b64(ROOT[:31])}\n", "the base64 of 32"),
    (f"{ORIGIN}\n40\n{ROOT.hex()}\n", "the base64 of 32"), (f"{ORIGIN}\n0\n{b64(ROOT)}\n", "an empty tree"),
])
def test_a_checkpoint_has_one_form_even_when_the_key_signed_another(text: str, why: str) -> None:
    refused(why, verifier.verify_checkpoint, note(text, LOG), LOG.vkey)


def test_checkpoints_of_the_smallest_and_the_largest_size() -> None:
    assert verifier.verify_checkpoint(checkpoint(0, EMPTY), LOG.vkey) == Checkpoint(ORIGIN, 0, EMPTY)
    assert verifier.verify_checkpoint(checkpoint(2**63 - 1, ROOT), Trust.of(LOG.vkey)).size == 2**63 - 1
    data = receipt(extra_of(LEDGER.entries[0]), 0, [], checkpoint(0, EMPTY))
    refused("does not lie in a tree of 0", verifier.verify_receipt, data, LOG.vkey)


def test_as_many_witnesses_as_are_asked_for_must_have_cosigned() -> None:
    witnesses = [ONE.vkey, TWO.vkey, THREE.vkey]
    both = LEDGER.checkpoint(None, ONE, TWO)
    assert verifier.verify_checkpoint(both, Trust.of(LOG.vkey, None, witnesses, 2)).witnesses == (
        (ONE.name, 1_795_656_700), (TWO.name, 1_795_656_700))
    assert verifier.verify_checkpoint(both, Trust.of(LOG.vkey, None, witnesses[:2])).size == 40
    assert verifier.verify_checkpoint(both, LOG.vkey).witnesses == ()
    refused("2 of the witnesses cosigned, 3 must", verifier.verify_checkpoint, both, Trust.of(LOG.vkey, None, witnesses))
    refused("0 of the witnesses cosigned, 1 must", verifier.verify_checkpoint, LEDGER.checkpoint(),
            Trust.of(LOG.vkey, None, witnesses, 1))
    twice = LEDGER.checkpoint(None, ONE, ONE)
    refused("1 of the witnesses cosigned, 2 must", verifier.verify_receipt, LEDGER.receipt(3, ONE, ONE),
            Trust.of(LOG.vkey, None, witnesses, 2))
    assert len(verifier.verify_checkpoint(twice, Trust.of(LOG.vkey, None, witnesses, 1)).witnesses) == 1


def test_the_latest_of_several_cosignatures_counts() -> None:
    data = LEDGER.checkpoint()
    text = data.rpartition(b"\n\n")[0].decode() + "\n"
    more = data + "".join(ONE.line(text, time) for time in (5, 9, 7)).encode()
    assert verifier.verify_checkpoint(more, Trust.of(LOG.vkey, None, [ONE.vkey])).witnesses == ((ONE.name, 9),)
    largest = data + ONE.line(text, 2**63 - 1).encode()
    assert verifier.verify_checkpoint(largest, Trust.of(LOG.vkey, None, [ONE.vkey])).witnesses == ((ONE.name, 2**63 - 1),)
    first = data + ONE.line(text, 1).encode()
    assert verifier.verify_checkpoint(first, Trust.of(LOG.vkey, None, [ONE.vkey])).witnesses == ((ONE.name, 1),)


@pytest.mark.parametrize("line", [
    lambda text: ONE.line(text, 0), lambda text: ONE.line(text, 2**63), lambda text: ONE.line(text + "x"),
    lambda text: f"— {ONE.name} {b64(ONE.id + bytes(72))}\n", lambda text: f"— {ONE.name} {b64(ONE.id + b'x')}\n",
    lambda text: f"— {ONE.name} {b64(ONE.id + ONE.private.sign(text.encode()))}\n",
    lambda text: ONE.line(text) + f"— {ONE.name} {b64(ONE.id + bytes(72))}\n",
])
def test_a_false_cosignature_of_a_known_witness_spoils_the_checkpoint(line: Callable[[str], str]) -> None:
    data = LEDGER.checkpoint(None, TWO)
    text = data.rpartition(b"\n\n")[0].decode() + "\n"
    refused("the cosignature of witness.example/w1 is false", verifier.verify_checkpoint, data + line(text).encode(),
            Trust.of(LOG.vkey, None, [ONE.vkey, TWO.vkey], 1))


@pytest.mark.parametrize(("witnesses", "quorum"), [
    ([ONE.vkey], 2), ([ONE.vkey], 0), ([ONE.vkey], -1), ([], 1), ([], -1), ([ONE.vkey, ONE.vkey], 1),
    ([ONE.vkey, vkey_of(ONE.material[1:], "another.name", 4)], 2), ([vkey_of(LOG.material[1:], "witness", 4)], 1),
    ([LOG.vkey], 1), (["x"], 1),
])
def test_witnesses_are_different_keys_and_the_quorum_is_within_their_number(witnesses: list[str], quorum: int) -> None:
    with pytest.raises(CannotRun) as caught:
        Trust.of(LOG.vkey, None, witnesses, quorum)
    assert caught.value.en != caught.value.zh


# --- files of checkpoints ----------------------------------------------------------------------------------------------------


def journal(*notes: bytes) -> io.BytesIO:
    return io.BytesIO(b"\n".join(notes))


def test_a_journal_is_verified_to_its_last_checkpoint() -> None:
    sizes = [0, 1, 2, 2, 3, 17, 40]
    found = verifier.verify_checkpoints(journal(*(LEDGER.checkpoint(size) for size in sizes)), LOG.vkey)
    assert found == verifier.Checkpoints(Checkpoint(ORIGIN, 40, ROOT), 7, 0, False)
    assert verifier.verify_checkpoints(journal(LEDGER.checkpoint()), LOG.vkey).count == 1


def test_a_journal_that_shrinks_or_forks_is_not_verified() -> None:
    a, b, fork = LEDGER.checkpoint(5), LEDGER.checkpoint(4), checkpoint(5, EMPTY)
    refused("after a checkpoint of 5 commits comes one of 4", verifier.verify_checkpoints, journal(a, b), LOG.vkey)
    refused("after a checkpoint of 5 commits comes one of 5", verifier.verify_checkpoints, journal(b, a, fork), LOG.vkey)
    refused("no signature by the key", verifier.verify_checkpoints, journal(b, checkpoint(5, EMPTY, Signer(ORIGIN, 3))), LOG.vkey)
    refused("is false", verifier.verify_checkpoints, journal(b, LEDGER.checkpoint(5).replace(b"\n5\n", b"\n6\n")), LOG.vkey)
    refused("no signed note", verifier.verify_checkpoints, journal(b, b"\n" + a), LOG.vkey)


def test_a_last_checkpoint_that_is_cut_off_is_passed_over_and_a_cut_one_before_it_is_not() -> None:
    whole, last = LEDGER.checkpoint(4), LEDGER.checkpoint(5)
    for end in range(1, len(last)):
        found = verifier.verify_checkpoints(journal(whole, last[:end]), LOG.vkey)
        assert (found.last.size, found.count, found.cut) == (4, 1, True), last[:end]
    for end in (10, len(last) - 1):
        with pytest.raises(NotVerified):
            verifier.verify_checkpoints(journal(last[:end], whole), LOG.vkey)
    assert verifier.verify_checkpoints(journal(whole, b""), LOG.vkey).cut is False
    for data in (b"", last[:-1], last.replace(b"\n", b"\r\n")):
        refused("no whole checkpoint", verifier.verify_checkpoints, io.BytesIO(data), LOG.vkey)


def test_the_checkpoints_of_earlier_keys_are_passed_over_and_counted() -> None:
    old = Signer(ORIGIN, 50)
    notes = [checkpoint(n, root_of(LEDGER.leaves[:n]), old) for n in (9, 2)] + [LEDGER.checkpoint(3)]
    found = verifier.verify_checkpoints(journal(*notes), LOG.vkey)
    assert (found.last.size, found.count, found.earlier) == (3, 1, 2)
    refused("no whole checkpoint", verifier.verify_checkpoints, journal(*notes[:2]), LOG.vkey)


def test_a_line_or_a_note_without_end_is_refused_before_it_fills_the_memory() -> None:
    refused("too long", verifier.verify_checkpoints, io.BytesIO(b"x" * 20_000), LOG.vkey)
    refused("too long", verifier.verify_checkpoints, io.BytesIO(b"x\n" * 90), LOG.vkey)

    class Metered(io.BytesIO):
        def readline(self, size: int | None = -1) -> bytes:
            assert size == (1 << 14) + 1
            return super().readline(size)

    refused("too long", verifier.verify_checkpoints, Metered(b"x" * 20_000), LOG.vkey)
    exact = b"x" * ((1 << 14) - 1) + b"\n"
    refused("no whole checkpoint", verifier.verify_checkpoints, io.BytesIO(exact * 81), LOG.vkey)
    refused("too long", verifier.verify_checkpoints, io.BytesIO(b"x" + exact), LOG.vkey)


def test_of_a_journal_the_last_checkpoint_is_the_one_that_witnesses_must_have_cosigned() -> None:
    trust = Trust.of(LOG.vkey, None, [ONE.vkey])
    good = journal(LEDGER.checkpoint(3), LEDGER.checkpoint(4, ONE))
    assert verifier.verify_checkpoints(good, trust).last.witnesses == ((ONE.name, 1_795_656_700),)
    refused("0 of the witnesses", verifier.verify_checkpoints, journal(LEDGER.checkpoint(3, ONE), LEDGER.checkpoint(4)), trust)


# --- keys that follow each other ---------------------------------------------------------------------------------------------

K1, K2, K3 = LOG, Signer(ORIGIN, 2), Signer(ORIGIN, 3)
KEYS = b"\n".join([key_note(K1, 0, K1), key_note(K2, 10, K1, K2), key_note(K3, 20, K2, K3)])


def at(size: int, signer: Signer) -> bytes:
    return checkpoint(size, root_of(LEDGER.leaves[:size]), signer)


@pytest.mark.parametrize(("size", "signer", "good"), [
    (0, K1, True), (9, K1, True), (10, K1, True), (11, K1, False), (9, K2, False), (10, K2, True), (20, K2, True),
    (21, K2, False), (19, K3, False), (20, K3, True), (40, K3, True),
])
def test_each_key_of_a_sequence_signs_from_its_size_to_that_of_the_next(size: int, signer: Signer, good: bool) -> None:
    trust = Trust.of(K1.vkey, KEYS)
    if good:
        assert verifier.verify_checkpoint(at(size, signer), trust).size == size
    else:
        refused(f"did not sign trees of {size} commits", verifier.verify_checkpoint, at(size, signer), trust)


def test_trust_goes_forward_from_the_key_that_is_trusted_and_not_back() -> None:
    trust = Trust.of(K2.vkey, KEYS)
    assert [key.id for key in trust.keys] == [K2.id, K3.id]
    assert [(key.first, key.last) for key in trust.keys] == [(10, 20), (20, 2**63 - 1)]
    refused("no signature by the key", verifier.verify_checkpoint, at(5, K1), trust)
    notes = (at(5, K1), at(10, K1), at(10, K2), at(20, K3), at(30, K3))
    whole = verifier.verify_checkpoints(journal(*notes), Trust.of(K1.vkey, KEYS))
    assert (whole.count, whole.earlier) == (5, 0)
    assert verifier.verify_checkpoints(journal(at(5, K1), at(12, K2), at(30, K3)), trust).earlier == 1


def test_a_key_may_be_replaced_twice_at_one_size() -> None:
    keys = b"\n".join([key_note(K1, 5, K1), key_note(K2, 5, K1, K2), key_note(K3, 5, K2, K3)])
    assert [(key.first, key.last) for key in Trust.of(K1.vkey, keys).keys] == [(5, 5), (5, 5), (5, 2**63 - 1)]


def test_a_key_that_was_cut_off_when_it_was_added_is_passed_over() -> None:
    assert len(Trust.of(K1.vkey, KEYS[:-1]).keys) == 2


@pytest.mark.parametrize(("keys", "why"), [
    ([key_note(K2, 0, K2)], "does not name the key that you trust"),
    ([], "does not name the key that you trust"),
    ([key_note(K1, 0, K1), key_note(K2, 10, K1)], "not signed by itself and the one before it"),
    ([key_note(K1, 0, K1), key_note(K2, 10, K2)], "not signed by itself and the one before it"),
    ([key_note(K1, 0, K1), key_note(K2, 10, K1, K2), key_note(K3, 20, K1, K3)], "not signed by itself and the one before it"),
    ([key_note(K1, 0, K2)], "not signed by itself"),
    ([key_note(K1, 5, K1), key_note(K2, 4, K1, K2)], "out of order"),
    ([key_note(K1, 0, K1), key_note(K1, 4, K1)], "repeated"),
    ([key_note(K1, 0, K1), key_note(K2, 4, K1, K2), key_note(K1, 5, K2, K1)], "repeated"),
    ([key_note(K1, 0, K1, origin="x.example")], "another origin"),
    ([key_note(K1, 0, K1), key_note(Signer("x", 2), 4, K1, Signer("x", 2))], "another origin"),
    ([LEDGER.checkpoint()], "holds something else"),
    ([note(f"{ORIGIN}\ncasework/key/2\n{K1.vkey}\n0\n", K1)], "holds something else"),
    ([note(f"{ORIGIN}\ncasework/key/1\n{K1.vkey}\n0\nmore\n", K1)], "holds something else"),
    ([note(f"{ORIGIN}\ncasework/key/1\n{K1.vkey}\n00\n", K1)], "is no number"),
    ([note(f"{ORIGIN}\ncasework/key/1\n{ONE.vkey}\n0\n", K1)], "not a sound"),
    ([key_note(K1, 0, K1).replace(b"\n0\n", b"\n1\n")], "is false"),
    ([key_note(K1, 0, K1), b"\n"], "signed note"),
])
def test_a_sequence_of_keys_with_a_break_is_refused(keys: list[bytes], why: str) -> None:
    if keys[1:] == [b"\n"]:
        keys = [keys[0], b"\nx\n\n\n"]
    refused(why, Trust.of, K1.vkey, b"\n".join(keys))


# --- growth ------------------------------------------------------------------------------------------------------------------


def request(old: int, new: int, head: str = "") -> bytes:
    lines = [head or f"old {old}", *map(b64, consistency(LEDGER.leaves[:new], old))]
    return "\n".join(lines).encode() + b"\n\n" + LEDGER.checkpoint(new)


def test_a_request_to_a_witness_proves_that_the_ledger_only_grew() -> None:
    for old in (1, 8, 13, 39, 40):
        before = Checkpoint(ORIGIN, old, root_of(LEDGER.leaves[:old]))
        assert verifier.verify_growth(request(old, 40), LOG.vkey, before) == verifier.Growth(FULL, old)
        refused("does not continue", verifier.verify_growth, request(old, 40), LOG.vkey, Checkpoint(ORIGIN, old, EMPTY))
    before = Checkpoint(ORIGIN, 8, root_of(LEDGER.leaves[:8]))
    for head, why in (("old 9", "does not begin at 8"), ("old 08", "is no number"), ("new 8", "does not begin"),
                      ("old  8", "is no number"), ("old é", "not ASCII")):
        refused(why, verifier.verify_growth, request(8, 40, head), LOG.vkey, before)
    refused("a tree of 0 cannot grow", verifier.verify_growth, b"old 0\n\n" + LEDGER.checkpoint(), LOG.vkey,
            Checkpoint(ORIGIN, 0, EMPTY))
    refused("a tree of 40 cannot grow to 8", verifier.verify_growth, b"old 40\n\n" + LEDGER.checkpoint(8), LOG.vkey,
            Checkpoint(ORIGIN, 40, ROOT))


def test_of_growth_the_witnesses_are_asked_for_the_newer_checkpoint_alone(tmp_path: Path) -> None:
    older, asked = tmp_path / "older", tmp_path / "request"
    older.write_bytes(LEDGER.checkpoint(8))
    asked.write_bytes(request(8, 40).replace(LEDGER.checkpoint(40), LEDGER.checkpoint(40, ONE)))
    trust = Trust.of(LOG.vkey, None, [ONE.vkey])
    proved = verifier.verify_file(str(asked), trust, checkpoint=str(older))
    assert isinstance(proved, verifier.Growth) and proved.old_size == 8
    asked.write_bytes(request(8, 40))
    refused("0 of the witnesses cosigned, 1 must", verifier.verify_file, str(asked), trust, checkpoint=str(older))


@pytest.mark.parametrize("start", [b"c2sp.org/tlog-proof@v1\n", b"old 8\n", b"complaints.example/ledger\n"])
def test_of_a_file_that_does_not_end_no_more_than_a_mebibyte_is_read(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    class Endless(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None and size >= 0, "all of it would be held in memory"
            self.taken += size
            assert self.taken <= (1 << 20) + 100
            return super().read(size).ljust(size, b"x")

        def readline(self, size: int | None = -1) -> bytes:
            return super().readline() or self.read(size)

    older = tmp_path / "older"
    older.write_bytes(LEDGER.checkpoint(8))
    real = verifier._opened
    monkeypatch.setattr(verifier, "_opened", lambda path: real(path) if path == str(older) else Endless(start))
    with pytest.raises(NotVerified):
        verifier.verify_file("endless", Trust.of(LOG.vkey), checkpoint=str(older))


# --- stores ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return LEDGER.store(tmp_path_factory.mktemp("store") / "kept?#.db")


@pytest.fixture
def store(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(kept, tmp_path / "store.db"))


EVENTS = sum(map(len, LEDGER.commits))
FULL = Checkpoint(ORIGIN, 40, ROOT)


def test_a_store_gives_the_tree_of_its_checkpoint(kept: Path) -> None:
    before = kept.read_bytes()
    assert verifier.verify_store(str(kept), FULL) == verifier.Store(FULL, 0, 4, EVENTS)
    earlier = Checkpoint(ORIGIN, 17, root_of(LEDGER.leaves[:17]))
    assert verifier.verify_store(str(kept), earlier).later == 23
    assert verifier.verify_store(str(kept), Checkpoint(ORIGIN, 0, EMPTY)).later == 40
    assert kept.read_bytes() == before
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


FIRST = "originator_id = 'K-1' AND originator_version = 1"
NULLABLE = "CREATE TABLE loose AS SELECT * FROM stored_events;"
RENAMED = "DROP TABLE stored_events; ALTER TABLE loose RENAME TO stored_events"
LAST_FROM = LEDGER.commits[-1][0]
ATTACKS = [
    *((f"UPDATE stored_events SET {column} = {value} WHERE {FIRST}", "K-1: versions 1 to") for column, value in [
        ("topic", "'os.system'"), ("state", "x'7b7d'"), ("state", "CAST(state AS TEXT)"), ("trigger_name", "'withdraw'"),
        ("trigger_name", "NULL"), ("trigger_name", "''"), ("from_state", "'closed'"), ("to_state", "'closed'"), ("at", "at + 1"),
        ("at", "at + 0.5"), ("at", "'x' || at"), ("recorded_at", "recorded_at - 1"), ("at", "x'31'")]),
    (f"{NULLABLE} UPDATE loose SET state = NULL WHERE {FIRST}; {RENAMED}", "K-1: versions 1 to"),
    (f"DELETE FROM stored_events WHERE {FIRST}", "K-1: version 1 is missing"),
    ("DELETE FROM stored_events WHERE originator_id = 'K-1'", "K-1: all its rows are missing"),
    ("UPDATE stored_events SET originator_id = 'K-9' WHERE originator_id = 'K-1'", "K-9: after version 0 come rows"),
    ("UPDATE stored_events SET originator_id = 'K-9' WHERE originator_id = 'K-1'", "K-1: all its rows are missing"),
    ("UPDATE stored_events SET originator_id = CAST(originator_id AS BLOB) WHERE originator_id = 'K-1'",
     "K-1: all its rows are missing"),
    ("UPDATE stored_events SET originator_version = 1000 WHERE originator_version = 1", "version 1 is missing"),
    ("UPDATE stored_events SET originator_version = 1.5 WHERE originator_version = 1", "version 1 is missing"),
    ("INSERT INTO stored_events SELECT originator_id, 1000, topic, state, trigger_name, from_state, to_state, at, recorded_at "
     f"FROM stored_events WHERE {FIRST}", "come rows that no commit recorded"),
    ("INSERT INTO stored_events VALUES ('K-8', 1, 't', x'7b7d', NULL, NULL, NULL, 1, 1)", "K-8: after version 0 come rows"),
    ("UPDATE ledger_leaves SET leaf = zeroblob(32) WHERE number = 7", "are not what commit 7 recorded"),
    ("UPDATE ledger_leaves SET leaf = CAST(leaf AS TEXT) WHERE number = 7", "are not what commit 7 recorded"),
    ("UPDATE ledger_leaves SET leaf = NULL WHERE number = 7", "are not what commit 7 recorded"),
    ("UPDATE ledger_leaves SET first_version = first_version + 1 WHERE number = 7", "commit 7 does not follow version"),
    ("UPDATE ledger_leaves SET last_version = first_version - 1 WHERE number = 7", "commit 7 does not follow version"),
    ("UPDATE ledger_leaves SET last_version = 'x' WHERE number = 7", "commit 7 does not follow version"),
    ("UPDATE ledger_leaves SET last_version = 9223372036854775807 WHERE number = 7", "is missing, or there twice"),
    ("UPDATE ledger_leaves SET originator_id = 'K-2' WHERE originator_id = 'K-1'", "K-2: versions 1 to"),
    ("DELETE FROM ledger_leaves WHERE number = 7", "commit 7 is missing in the ledger"),
    ("DELETE FROM ledger_leaves WHERE number = 0", "commit 0 is missing in the ledger"),
    ("UPDATE ledger_leaves SET number = -1 WHERE number = 0", "commit 0 is missing in the ledger"),
    ("UPDATE ledger_leaves SET number = 41 WHERE number = 39", "commit 39 is missing in the ledger"),
    ("DELETE FROM ledger_leaves WHERE number = 39", "come rows that no commit recorded"),
    (f"DELETE FROM stored_events WHERE originator_id = '{LAST_FROM[0]}' AND originator_version >= {LAST_FROM[1]}; "
     "DELETE FROM ledger_leaves WHERE number = 39", "the store has lost commits: the checkpoint has 40, the store 39"),
    ("DELETE FROM stored_events; DELETE FROM ledger_leaves", "has lost commits: the checkpoint has 40, the store 0"),
    ("DROP TABLE ledger_leaves", "the store has no ledger"), ("DROP TABLE ledger_meta", "the store has no ledger"),
    ("DROP TABLE stored_events", "the store has no ledger"),
    ("ALTER TABLE stored_events RENAME TO hidden; CREATE VIEW stored_events AS SELECT * FROM hidden", "the store has no ledger"),
    ("DELETE FROM ledger_meta", "another origin"), ("UPDATE ledger_meta SET value = 'x' WHERE name = 'origin'", "another origin"),
    ("ALTER TABLE stored_events RENAME COLUMN at TO moment", "the store is damaged"),
    (f"UPDATE stored_events SET state = zeroblob({(16 << 20) + 1}) WHERE originator_version = 1", "the store is damaged"),
]


@pytest.mark.parametrize(("sql", "why"), ATTACKS, ids=[sql[:60] for sql, _ in ATTACKS])
def test_an_altered_store_is_not_verified(store: Path, sql: str, why: str) -> None:
    with sqlite3.connect(store) as db:
        db.executescript(sql)
    db.close()
    refused(why, verifier.verify_store, str(store), FULL)


def test_a_history_rewritten_whole_fits_itself_and_not_the_checkpoint(tmp_path: Path) -> None:
    forged = sample(1, 40)
    forged.commits[3][-1] = (*forged.commits[3][-1][:3], b'{"n":"other"}', *forged.commits[3][-1][4:])
    again = Ledger()
    for rows in forged.commits:
        again.commits.append(rows)
        stream = rows[0][0]
        before = [n for n, other in enumerate(again.commits[:-1]) if other[0][0] == stream]
        again.entries.append(entry_of(rows, again.leaves[before[-1]] if before else None))
        again.leaves.append(leaf_of(again.entries[-1]))
    path = again.store(tmp_path / "forged.db")
    refused("the history was rewritten", verifier.verify_store, str(path), FULL)
    assert verifier.verify_store(str(path), Checkpoint(ORIGIN, 40, root_of(again.leaves))).events == EVENTS


def test_a_row_that_an_index_hides_is_seen(store: Path) -> None:
    """The table is read and not the index over it."""
    with sqlite3.connect(store) as db:
        db.executescript(f"{NULLABLE} {RENAMED}; CREATE INDEX i ON stored_events (originator_id, originator_version);"
                         "PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql = sql || ' WHERE originator_version < 3' "
                         "WHERE name = 'i'; PRAGMA writable_schema=OFF")
    db.close()
    assert verifier.verify_store(str(store), FULL).events == EVENTS
    with sqlite3.connect(store) as db:
        db.execute("INSERT INTO stored_events VALUES ('K-1', 1000, 't', x'7b7d', NULL, NULL, NULL, 1, 1)")
    db.close()
    refused("K-1: after version", verifier.verify_store, str(store), FULL)


def test_many_problems_are_named_up_to_twenty(tmp_path: Path) -> None:
    ledger = Ledger()
    for number in range(25):
        ledger.commit(f"K-{number:02}")
    path = ledger.store(tmp_path / "s.db")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE stored_events SET at = at + 1 WHERE originator_id < 'K-20'")
    good = Checkpoint(ORIGIN, 25, root_of(ledger.leaves))
    with pytest.raises(NotVerified) as caught:
        verifier.verify_store(str(path), good)
    assert caught.value.en.count("; ") == 19 and "more" not in caught.value.en
    with sqlite3.connect(path) as db:
        db.execute("UPDATE stored_events SET at = at + 1")
    with pytest.raises(NotVerified) as caught:
        verifier.verify_store(str(path), good)
    assert caught.value.en.endswith("commit 19 recorded (and 5 more)")
    assert caught.value.zh.endswith("（另有 5 处）")


def test_a_damaged_store_is_not_verified_and_one_in_use_could_not_be(store: Path, tmp_path: Path) -> None:
    busy = sqlite3.connect(store, isolation_level=None)
    busy.execute("BEGIN EXCLUSIVE")
    real = sqlite3.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **k, timeout=0))
        with pytest.raises(CannotRun, match="is it in use"):
            verifier.verify_store(str(store), FULL)
    busy.close()
    with pytest.raises(CannotRun, match="SQLITE_CANTOPEN"):
        verifier.verify_store(str(tmp_path / "nowhere.db"), FULL)
    data = store.read_bytes()
    for damaged in (data[:100] + bytes(4000) + data[4100:], data[: len(data) // 2], data[:16] + bytes(84) + data[100:]):
        store.write_bytes(damaged)
        with pytest.raises(NotVerified):
            verifier.verify_store(str(store), FULL)


@pytest.mark.parametrize("code", ["SQLITE_BUSY_SNAPSHOT", "SQLITE_READONLY_ROLLBACK", "SQLITE_IOERR_READ", "SQLITE_NOMEM"])
def test_what_the_machine_fails_to_read_is_no_verdict_on_the_store(
        store: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    class Failing(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.startswith("SELECT number"):
                error = sqlite3.OperationalError("as the machine has it")
                error.sqlite_errorname = code
                raise error
            return super().execute(sql, *values)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **k, factory=Failing))
    with pytest.raises(CannotRun, match=code):
        verifier.verify_store(str(store), FULL)


def test_a_store_is_opened_to_be_read_also_where_sqlite_takes_uris_only_if_asked(
        store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some builds take them anyway; on the others the name would be that of a file, which would be made."""
    real = sqlite3.connect

    def elsewhere(name: str, *, uri: bool = False, **given: Any) -> sqlite3.Connection:
        return real(name if uri else f"{store}.{len(name)}", uri=uri, **given)

    monkeypatch.setattr(sqlite3, "connect", elsewhere)
    assert verifier.verify_store(str(store), FULL).events == EVENTS
    assert [path.name for path in store.parent.iterdir()] == [store.name]


def test_a_long_name_of_a_stream_is_named_up_to_eighty_characters(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.commit("K" * 80)
    ledger.commit("L" * 81)
    path = ledger.store(tmp_path / "s.db")
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM stored_events")
    with pytest.raises(NotVerified) as caught:
        verifier.verify_store(str(path), Checkpoint(ORIGIN, 2, root_of(ledger.leaves)))
    assert [said.partition(":")[0] for said in caught.value.en.split("; ")] == ["K" * 80, "L" * 80 + "…"]


def test_a_store_whose_schema_is_no_text_is_damaged_and_no_traceback(store: Path) -> None:
    """SQLite quotes the broken name in its complaint, which Python then cannot read."""
    with sqlite3.connect(store) as db:
        db.executescript("PRAGMA writable_schema=ON; INSERT INTO sqlite_master VALUES ('table', CAST(x'41ff' AS TEXT), "
                         "CAST(x'41ff' AS TEXT), 99999, 'nonsense'); PRAGMA writable_schema=OFF")
    db.close()
    with pytest.raises(NotVerified) as refused:
        verifier.verify_store(str(store), FULL)
    assert (refused.value.en, refused.value.zh) == ("the store is damaged (not UTF-8)", "案件库已损坏（not UTF-8）")


def test_floating_point_in_an_altered_column_is_hashed_as_the_page_says() -> None:
    assert verifier._field(0.1) == b"f\0\0\0\x030.1"
    assert verifier._field(None) == b"n\0\0\0\0"
    assert verifier._field(-5) == b"i\0\0\0\x02-5"
    assert verifier._field(verifier._Text(b"\xff")) == b"t\0\0\0\1\xff"
    assert verifier._field(b"\xff") == b"b\0\0\0\1\xff"


# --- what is said ------------------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    status = verifier.main([str(argument) for argument in arguments])
    return status, capsys.readouterr().out


@pytest.fixture
def files(tmp_path: Path, kept: Path) -> Path:
    ledger = Ledger()
    ledger.commit("K-1", 2, '{"by":{"role":"consumer"},"paid":"899.00","n":1e2,"list":[1,true,null],"empty":{}}')
    ledger.commit("merchant:M-\x1b[2J\u202e", said="\x1b]0;no json\x07", trigger_name=None, to_state=None)
    for name, data in {
        "r": ledger.receipt(0, ONE), "bare": ledger.receipt(0, payload=False), "merchant": ledger.receipt(1),
        "key": LOG.vkey.encode() + b"\n", "event": ledger.commits[0][-1][3], "c": LEDGER.checkpoint(), "c8": LEDGER.checkpoint(8),
        "j": journal(at(1, K1), at(3, K1), b"x").getvalue(), "keys": KEYS, "request": request(8, 40),
        "c2": at(30, K3), "big": bytes(2 << 20),
    }.items():
        (tmp_path / name).write_bytes(data)
    shutil.copy(kept, tmp_path / "s.db")
    return tmp_path


def test_a_receipt_is_told_in_english(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, files / "r", "--key", LOG.vkey, "--lang", "en", "--witness", ONE.vkey)
    payload = (files / "event").read_bytes()
    root = verifier.verify_receipt((files / "r").read_bytes(), LOG.vkey).checkpoint.root.hex()
    assert status == 0
    assert said == f"""\
Verified. The key of complaints.example/ledger signed a ledger of 2 commits, root {root}.
The witness witness.example/w1 cosigned it at 2026-11-26 09:31:40+08:00.
Its commit number 0 (from 0) added versions 1 to 2 of the case K-1.
The record is complete up to version 2.
The last event: casework.case.merchant_contacted
  trigger: contact_merchant
  leads to state: awaiting_merchant
  happened: 2026-11-26 09:30:00.000002+08:00
  recorded: 2026-11-26 09:30:01.000002+08:00
  SHA-256 of what it says: {digest(payload).hex()}
It says:
  by.role: consumer
  paid: 899.00
  n: 1e2
  list.0: 1
  list.1: true
  list.2: null
  empty: {{}}
"""


def test_a_receipt_is_told_in_chinese(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, files / "bare", "--key", files / "key", "--lang", "zh")
    root = verifier.verify_receipt((files / "bare").read_bytes(), LOG.vkey).checkpoint.root.hex()
    assert status == 0
    assert said == f"""\
验证通过。complaints.example/ledger 的公钥签署了含 2 次提交的账本，树根 {root}。
其中第 0 次提交（自 0 起）记录了案件 K-1 的版本 1 至 2。
该记录截至版本 2 完整。
最后一个事件：casework.case.merchant_contacted
  触发：contact_merchant
  进入状态：awaiting_merchant
  发生时间：2026-11-26 09:30:00.000002+08:00
  记录时间：2026-11-26 09:30:01.000002+08:00
  内容的 SHA-256：{digest((files / 'event').read_bytes()).hex()}
回执不含事件内容；可用 --event FILE 核对。
"""


def test_the_receipt_of_a_merchants_stream_is_told_in_both_languages() -> None:
    ledger = Ledger()
    ledger.commit("merchant:M-1", said='{"score":4.8}', topic="casework.merchant.scored", trigger_name=None, to_state=None)
    trust = Trust.of(LOG.vkey, None, [ONE.vkey])
    en, zh = zip(*verifier.told(verifier.verify_receipt(ledger.receipt(0, ONE), trust)), strict=True)
    assert en[1:] == (
        "The witness witness.example/w1 cosigned it at 2026-11-26 09:31:40+08:00.",
        "Its commit number 0 (from 0) added version 1 of the merchant M-1.", "The record is complete up to version 1.",
        "The last event: casework.merchant.scored", "  trigger: -", "  leads to state: -",
        "  happened: 2026-11-26 09:30:00.000001+08:00", "  recorded: 2026-11-26 09:30:01.000001+08:00",
        f"  SHA-256 of what it says: {digest(ledger.commits[0][0][3]).hex()}", "It says:", "  score: 4.8")
    assert zh[1:] == (
        "见证人 witness.example/w1 于 2026-11-26 09:31:40+08:00 签署见证。",
        "其中第 0 次提交（自 0 起）记录了商家 M-1 的版本 1。",
        "该记录截至版本 1 完整。", "最后一个事件：casework.merchant.scored", "  触发：-", "  进入状态：-",
        "  发生时间：2026-11-26 09:30:00.000001+08:00", "  记录时间：2026-11-26 09:30:01.000001+08:00",
        f"  内容的 SHA-256：{digest(ledger.commits[0][0][3]).hex()}", "其内容：", "  score: 4.8")
    bare = list(verifier.told(verifier.verify_receipt(ledger.receipt(0, payload=False), LOG.vkey)))
    assert bare[-1] == ("What it says is not in the receipt; --event FILE compares it.",
                        "回执不含事件内容；可用 --event FILE 核对。")


def test_stores_journals_and_growth_are_told_in_both_languages() -> None:
    at_eight = Checkpoint(ORIGIN, 8, EMPTY)
    head = (f"Verified. The key of {ORIGIN} signed a ledger of 8 commits, root {EMPTY.hex()}.",
            f"验证通过。{ORIGIN} 的公钥签署了含 8 次提交的账本，树根 {EMPTY.hex()}。")
    for proved, rest in (
        (at_eight, []),
        (verifier.Checkpoints(at_eight, 3, 0, False),
         [("Checkpoints verified: 3, none smaller than the one before it.", "已验证 3 个检查点，提交数从未减少。")]),
        (verifier.Checkpoints(at_eight, 1, 2, True),
         [("Checkpoints verified: 1, none smaller than the one before it.", "已验证 1 个检查点，提交数从未减少。"),
          ("Passed over: 2 earlier ones of other keys.", "略过此前由其他公钥签署的 2 个。"),
          ("Passed over: a last one that is cut off.", "略过最后一个不完整的检查点。")]),
        (verifier.Growth(at_eight, 5), [("It only adds to the ledger of 5 commits: nothing in that was changed.",
                                         "它只是在原有 5 次提交之后追加，此前内容未被改动。")]),
        (verifier.Store(at_eight, 0, 2, 9), [("All 9 events of 2 streams fit it: nothing recorded up to it was changed.",
                                              "案件库中 2 个流的 9 个事件均与之相符：此前的记录未被改动。")]),
        (verifier.Store(at_eight, 4, 2, 9), [("All 9 events of 2 streams fit it: nothing recorded up to it was changed.",
                                              "案件库中 2 个流的 9 个事件均与之相符：此前的记录未被改动。"),
                                             ("The last 4 commits came after this checkpoint, which does not cover them.",
                                              "最后 4 次提交晚于此检查点，不在其证明范围内。")]),
    ):
        assert list(verifier.told(proved)) == [head, *rest]


def test_nothing_of_a_receipt_reaches_the_terminal_as_a_command(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for lang in ("zh", "en"):
        status, said = run(capsys, files / "merchant", "--key", LOG.vkey, "--lang", lang)
        assert status == 0
        assert "M-\\u001b[2J\\u202e" in said and "\\u001b]0;no json\\u0007" in said
        assert all(c.isprintable() or c == "\n" for c in said)
    assert "Its commit number 1 (from 0) added version 1 of the merchant M-\\u001b[2J\\u202e.\n" in run(
        capsys, files / "merchant", "--key", LOG.vkey, "--lang", "en")[1]
    assert run(capsys, files / "merchant", "--key", LOG.vkey, "--lang", "en")[1].count("trigger: -\n  leads to state: -\n") == 1
    status, said = run(capsys, files / "merchant", "--key", LOG.vkey, "--json")
    assert said.isascii() and said.count("\n") == 1
    assert json.loads(said)["entry"]["stream"] == "merchant:M-\x1b[2J\u202e"


@pytest.mark.parametrize(("payload", "lines"), [
    (b'{"a":1,"a":2}', ['{"a":1,"a":2}']), (b"\xff", ["\\xff"]), (b'"x\\ny"', [": x\\u000ay"]), (b"[" * 100_000, ["[" * 100_000]),
    (b'{"a\\u0000b":{"c":-0.0}}', ["a\\u0000b.c: -0.0"]), (b"[]", [": []"]), (b"NaN", [": NaN"]), (b'{"a":[[],{"b":"c"}]}', [
        "a.0: []", "a.1.b: c"]), (b'{"' + b"k" * 300 + b'":0}', ["k" * 200 + "…: 0"]), (b"1" * 5000, [": " + "1" * 5000]),
])
def test_an_event_is_shown_field_by_field_and_as_it_stands_where_it_is_no_plain_json(payload: bytes, lines: list[str]) -> None:
    assert list(verifier._said(payload)) == lines


@pytest.mark.parametrize(("micros", "said"), [
    (0, "1970-01-01 08:00:00+08:00"), (NOON, "2026-11-26 09:30:00+08:00"), (-1, "1970-01-01 07:59:59.999999+08:00"),
    (int(datetime(1988, 7, 1, tzinfo=UTC).timestamp()) * 1_000_000, "1988-07-01 09:00:00+09:00"),
    (2**63 - 1, "9223372036854775807 µs (1970)"), (-(2**63), "-9223372036854775808 µs (1970)"),
    (253_402_300_799_000_000, "253402300799000000 µs (1970)"),
])
def test_times_are_those_of_shanghai_with_their_offset(micros: int, said: str) -> None:
    assert verifier.when(micros) == said


def test_the_time_zone_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        assert verifier.when(NOON) == "2026-11-26 09:30:00+08:00"
    time.tzset()


def test_where_there_is_no_time_zone_database_the_offset_is_eight_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(verifier, "ZoneInfo", missing)
    assert verifier.when(NOON) == "2026-11-26 09:30:00+08:00"


def test_what_is_shown_is_cut_and_escaped() -> None:
    assert verifier.shown("案 件") == "案 件"
    assert verifier.shown("a" * 41, 40) == "a" * 40 + "…"
    assert verifier.shown("a" * 40, 40) == "a" * 40
    assert verifier.shown("\r\u2028\U000e0041\x9b") == "\\u000d\\u2028\\ue0041\\u009b"


def test_a_store_and_checkpoints_are_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = ("--key", LOG.vkey, "--lang", "en")
    head = f"Verified. The key of {ORIGIN} signed a ledger of"
    assert run(capsys, files / "s.db", *key, "--checkpoint", files / "c") == (
        0, f"{head} 40 commits, root {ROOT.hex()}.\n"
           f"All {EVENTS} events of 4 streams fit it: nothing recorded up to it was changed.\n")
    status, said = run(capsys, files / "s.db", *key, "--checkpoint", files / "c8")
    assert status == 0 and "The last 32 commits came after this checkpoint, which does not cover them.\n" in said
    status, said = run(capsys, files / "j", *key)
    assert (status, said.splitlines()[1:]) == (0, ["Checkpoints verified: 2, none smaller than the one before it.",
                                                   "Passed over: a last one that is cut off."])
    status, said = run(capsys, files / "request", *key, "--checkpoint", files / "c8")
    assert (status, said) == (0, f"{head} 40 commits, root {ROOT.hex()}.\n"
                                 "It only adds to the ledger of 8 commits: nothing in that was changed.\n")
    status, said = run(capsys, files / "c2", *key, "--keys", files / "keys")
    assert status == 0 and said.startswith(f"{head} 30 commits")
    assert run(capsys, files / "c2", *key)[0] == 1
    (files / "old").write_bytes(journal(at(5, K1), at(12, K2)).getvalue())
    status, said = run(capsys, files / "old", "--key", K2.vkey, "--lang", "zh")
    assert (status, said.splitlines()[1:]) == (0, ["已验证 1 个检查点，提交数从未减少。", "略过此前由其他公钥签署的 1 个。"])


def test_facts_for_programs(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = ("--key", LOG.vkey, "--json")
    _, said = run(capsys, files / "s.db", *key, "--checkpoint", files / "c8")
    root = root_of(LEDGER.leaves[:8]).hex()
    assert json.loads(said) == {"verified": True, "kind": "store", "later": 32, "streams": 4, "events": EVENTS, "checkpoint": {
        "origin": ORIGIN, "size": 8, "root": root, "witnesses": []}}
    assert json.loads(run(capsys, files / "c8", *key)[1]) == {"verified": True, "kind": "checkpoints", "count": 1, "earlier": 0,
        "cut": False, "last": {"origin": ORIGIN, "size": 8, "root": root, "witnesses": []}}
    found = json.loads(run(capsys, files / "r", *key, "--witness", ONE.vkey)[1])
    assert (found["kind"], found["index"], found["checkpoint"]["witnesses"]) == ("receipt", 0, [[ONE.name, 1_795_656_700]])
    assert bytes.fromhex(found["payload"]) == (files / "event").read_bytes()
    assert found["entry"]["previous"] is None and found["entry"]["recorded_at"] == NOON + 1_000_002
    status, said = run(capsys, files / "r", "--key", K2.vkey, "--json")
    assert (status, json.loads(said)["verified"]) == (1, False)
    assert json.loads(said)["en"].startswith("NOT verified: ") and json.loads(said)["zh"].startswith("验证不通过：")
    status, said = run(capsys, files / "none", *key)
    assert (status, json.loads(said)["verified"]) == (2, None)


@pytest.mark.parametrize(("arguments", "status", "said"), [
    (["r", "--event", "event"], 0, "Verified."), (["bare", "--event", "event"], 0, "  paid: 899.00"),
    (["bare", "--event", "key"], 1, "NOT verified: the event is not the one that was recorded"),
    (["r", "--witness", TWO.vkey], 1, "NOT verified: 0 of the witnesses cosigned, 1 must have"),
    (["r", "--witness", ONE.vkey, "--witness", TWO.vkey, "--quorum", "1"], 0, "The witness witness.example/w1 cosigned it"),
    (["r", "--witness", ONE.vkey, "--quorum", "2"], 2, "Could not verify: the witnesses must be different keys"),
    (["r", "--keys", "c"], 1, "NOT verified: the file of keys holds something else"),
    (["none"], 2, "none is no file"), (["."], 2, "is no file"), (["r", "--event", "none"], 2, "none is no file"),
    (["r", "--event", "big"], 2, "is longer than 1 MiB"), (["big"], 1, "NOT verified: a line or a note is too long"),
    (["s.db"], 2, "give --checkpoint FILE"), (["request"], 2, "give --checkpoint FILE"),
    (["s.db", "--checkpoint", "none"], 2, "none is no file"), (["s.db", "--checkpoint", "r"], 1, "NOT verified"),
    (["s.db", "--checkpoint", "c", "--witness", ONE.vkey], 1, "0 of the witnesses"),
    (["request", "--checkpoint", "c8", "--witness", ONE.vkey], 1, "0 of the witnesses"),
    (["request", "--checkpoint", "c"], 1, "does not begin at 40 commits"), (["key"], 1, "no whole checkpoint"),
    (["event"], 1, "no whole checkpoint"), (["keys"], 1, "no checkpoint of this origin"),
])
def test_the_command_line(files: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, said: str) -> None:
    names = {path.name for path in files.iterdir()} | {"none", "."}
    full = [str(files / word) if word in names else word for word in arguments]
    found, out = run(capsys, *full, "--key", LOG.vkey, "--lang", "en")
    assert found == status
    assert said in out


@pytest.mark.parametrize(("key", "said"), [
    ("nowhere", "无法验证：nowhere 不是文件"), ("a+b+c", "无法验证：a+b+c 不是验证公钥"),
    (ONE.vkey, "不是类型 1 的有效 Ed25519 公钥"),
])
def test_a_key_that_cannot_be_used(files: Path, capsys: pytest.CaptureFixture[str], key: str, said: str) -> None:
    status, out = run(capsys, files / "r", "--key", key, "--lang", "zh")
    assert (status, out.count("\n")) == (2, 1)
    assert said in out


def test_a_file_beside_may_be_a_mebibyte_long_and_no_longer(tmp_path: Path) -> None:
    (tmp_path / "event").write_bytes(bytes(1 << 20))
    assert len(verifier._content(str(tmp_path / "event"))) == 1 << 20
    (tmp_path / "event").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(CannotRun, match="longer than 1 MiB"):
        verifier._content(str(tmp_path / "event"))


def test_a_file_that_may_not_be_read_is_no_traceback(
        files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: str) -> None:
        raise PermissionError(13, "Permission denied", "x\x1b")

    monkeypatch.setattr(verifier, "_opened", denied)
    status, out = run(capsys, files / "r", "--key", LOG.vkey, "--lang", "en")
    assert (status, out) == (2, "Could not verify: [Errno 13] Permission denied: 'x\\x1b'\n")


@pytest.mark.parametrize(("locale", "lang"), [(("zh_CN", "UTF-8"), "zh"), (("Chinese (Simplified)_China", "936"), "zh"),
                                              (("en_US", "UTF-8"), "en"), ((None, None), "en"), (None, "en")])
def test_the_language_is_that_of_the_locale(locale: Any, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> Any:
        if locale is None:
            raise ValueError("unknown locale: UTF-8")
        return locale

    monkeypatch.setattr(verifier.locale, "getlocale", found)
    assert verifier._language() == lang


# --- one file, alone ---------------------------------------------------------------------------------------------------------


def test_the_file_needs_nothing_but_the_standard_library_and_cryptography() -> None:
    source = Path(verifier.__file__).read_text(encoding="utf-8")
    names = {name.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for name in node.names}
    names |= {node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.module}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names == {"cryptography"}


def test_it_is_read_without_the_library_until_a_signature_is() -> None:
    command = "import sys, casework.verifier; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=60, check=True,
                          cwd=Path(verifier.__file__).parents[1])
    assert done.stdout == "False\n"


def test_a_copy_of_it_verifies_in_an_empty_folder(files: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(verifier.__file__, alone / "verifier.py")
    shutil.copy(files / "r", alone / "r")
    command = [sys.executable, "-I", "verifier.py", "r", "--key", LOG.vkey, "--lang", "en"]
    done = subprocess.run(command, cwd=alone, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Verified.")
    (alone / "r").write_bytes((alone / "r").read_bytes().replace(b"index 0", b"index 1"))
    done = subprocess.run(command, cwd=alone, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "NOT verified: the inclusion proof does not lead to the signed root\n"


def test_a_terminal_that_knows_no_chinese_gets_escapes_and_no_traceback(files: Path) -> None:
    done = subprocess.run([sys.executable, verifier.__file__, files / "r", "--key", LOG.vkey, "--lang", "zh"],
                          capture_output=True, timeout=60, env={"PYTHONIOENCODING": "ascii", "PATH": "/bin"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(rb"\u9a8c\u8bc1\u901a\u8fc7")


def test_base64_of_the_published_form_only() -> None:
    assert verifier.unbase64(b64(b"x" * 9), 9) == b"x" * 9
    for text in ("", "=", "AA", "AA=", "AB==", "A A=", "AA==\n", "AAA_", "é", "AAAA="):
        refused("is not base64", verifier.unbase64, text)
    refused("is not the base64 of 8 bytes", verifier.unbase64, b64(b"x" * 9), 8)
    assert b64decode("AB==") == b"\0"
