"""What is clean at a glance is what cleaning leaves as it is: a glance may fail to see that, and is never wrong where it does."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from random import Random
from typing import Any

import msgspec
from recorded import NAMES, replayed

from casework.domain import values
from casework.domain.topics import TOPICS
from casework.domain.values import clean, is_clean
from casework.errors import InputError
from casework.yamlfile import overstacked

ROWS = [row for name in NAMES for row in replayed(name).rows]
ENCODER = msgspec.json.Encoder(order="sorted")
#: What is put in the place of a value somewhere in a payload.
ODD: list[Any] = [
    "", "e\u0301", "=\u0338", "\u1112\u1161\u11ab", "a\u0301" * 40, "が", "か\u3099", "\u212b", "\uf900",
    "\x00", "\x07", "\x7f", "\n", "\t", '"', "\\", "é", "😀", "·", "！", "consumer", "no_such_term", "x" * 70_000,
    "0.00", "-0.00", "-1.00", "899.0", "899", "8.99E+2", "1e3", "1000000000.00", "1000000000.01", "0000.10", "1" * 40 + ".00",
    "NaN", "2026-03-01T10:00:00+08:00", "2026-03-01T02:00:00Z", "1899-12-31T23:59:59Z", "2201-01-01T00:00:00Z",
    "2026-03-01T02:00:00", ["x"] * 201, [], {}, 7, True, None,
]


def test_every_character_that_is_plain_stands_for_itself_whatever_stands_beside_it() -> None:
    plain = [chr(n) for n in range(sys.maxunicode + 1) if values._PLAIN.fullmatch(chr(n))]
    parts = [unicodedata.decomposition(chr(n)).split() for n in range(sys.maxunicode + 1)]
    seconds = {chr(int(part, 16)) for found in parts if found and not found[0].startswith("<") for part in found[1:]}

    assert len(plain) > 20_000
    assert all(unicodedata.is_normalized("NFC", char) and not unicodedata.combining(char) for char in plain)
    assert seconds.isdisjoint(plain)
    assert not overstacked("".join(plain))


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    return [path, *(place for key, value in items for place in _places(value, (*path, key)))]


def altered(random: Random, payload: bytes) -> bytes:
    """The payload with one of its values replaced by something odd."""
    document = json.loads(payload)
    *above, last = random.choice(_places(document)[1:])
    holder = document
    for key in above:
        holder = holder[key]
    value = random.choice(ODD)
    if isinstance(holder[last], str) and isinstance(value, str) and random.random() < 0.5:
        value = holder[last] + value
    holder[last] = value
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def test_what_is_clean_at_a_glance_is_left_as_it_is_by_cleaning() -> None:
    random = Random(6)
    clean_ones = unclean = 0
    for _ in range(6000):
        row = random.choice(ROWS)
        try:
            event = msgspec.json.decode(altered(random, row.payload), type=TOPICS[row.topic])
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
            continue
        payload = ENCODER.encode(event)
        try:
            same = clean(event) == event and ENCODER.encode(clean(event)) == payload
        except InputError:
            same = False
        if is_clean(event, payload):
            assert same, payload
            assert values.absurd(event) == ""
            clean_ones += 1
        else:
            unclean += not same
    assert clean_ones > 400
    assert unclean > 400


def test_every_event_of_every_scenario_is_clean_at_a_glance() -> None:
    assert [row for row in ROWS if not is_clean(msgspec.json.decode(row.payload, type=TOPICS[row.topic]), row.payload)] == []


def test_a_text_that_is_too_long_is_not_clean_at_a_glance_nor_one_that_needs_an_escape() -> None:
    row = next(row for row in ROWS if re.search(rb'"message":"', row.payload))
    for text in ("x" * values.TEXT_BYTES, '"', "\\", "\x7f"):
        document = json.loads(row.payload) | {"data": json.loads(row.payload)["data"] | {"message": text}}
        event = msgspec.json.decode(json.dumps(document), type=TOPICS[row.topic])
        assert not is_clean(event, ENCODER.encode(event))
