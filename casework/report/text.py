"""Text for terminals: escaped, aligned (a Chinese character is two columns wide), times in a zone, JSON with stable keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

#: C0 but for line feed and tab, DEL, C1, what reorders text, what is not seen (format characters, fillers, tags, selectors
#: but for the two of emoji), lone surrogates, and what Unicode says is no character: a stored byte never steers a terminal.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane + 0xfffe)}{chr(plane + 0xffff)}" for plane in range(0x10000, 0x110000, 0x10000)) + "]")
_LINE_BREAKS = re.compile(r"[\n\t]")


def escape(text: object) -> str:
    """``text`` on one line with every character that a terminal might obey, or nobody would see, written as ``\\uXXXX``."""
    return _LINE_BREAKS.sub(" ", visible(str(text)))


def visible(text: str) -> str:
    """``text`` with its line breaks, and nothing in it that a terminal obeys."""
    return _UNSAFE.sub(_escaped, text)


def clipped(text: str, most: int = 1_000) -> str:
    """One line of at most about ``most`` characters: the beginning and the end of the text, escaped."""
    shown = escape(text if len(text) <= 4 * most else f"{text[:2 * most]}{text[-2 * most:]}")
    return shown if len(shown) <= most else f"{shown[:most * 2 // 3]} … {shown[-most // 3:]}"


def _escaped(found: re.Match[str]) -> str:
    """As JSON escapes it: beyond the first 65,536 characters by a pair."""
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xd800 + high:04x}\\u{0xdc00 + low:04x}"


def width(text: str) -> int:
    """How many columns a terminal needs for the text."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def columns(rows: Iterable[Sequence[object]]) -> list[str]:
    """The rows as lines with aligned columns."""
    cells = [[escape(c) for c in row] for row in rows]
    if not cells:
        return []
    widths = [max(width(row[i]) for row in cells) for i in range(len(cells[0]))]
    return ["  ".join(c + " " * (w - width(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]


def moment(at: datetime | None, zone: tzinfo) -> str:
    """A time in the zone with its offset, to the second; empty for none."""
    return _in(at, zone).isoformat(sep=" ", timespec="seconds") if at else ""


def document(value: Any, zone: tzinfo, *, indent: int | None = 2) -> str:
    """One JSON document: UTF-8 text, times in the zone with their offset, amounts as text, unsafe characters escaped."""
    def plain(item: Any) -> Any:
        if isinstance(item, datetime):
            return _in(item, zone).isoformat()
        if isinstance(item, Decimal):
            return f"{item:.2f}"
        raise TypeError(type(item).__name__)

    import json

    return visible_json(json.dumps(value, ensure_ascii=False, indent=indent, default=plain))


def _in(at: datetime, zone: tzinfo) -> datetime:
    """The time in the zone; as it is where the zone would take it past the year 9999 or before the year 1."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def visible_json(text: str) -> str:
    """JSON in which C1, bidi and invisible characters stand as escapes, which JSON readers turn back."""
    return _UNSAFE.sub(_escaped, text)
