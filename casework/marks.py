"""How many combining marks a text may stack on one character."""

from __future__ import annotations

import unicodedata

MAX_MARKS = 30
# These three count as base characters but decompose into combining marks.
_HIDDEN_MARKS = "\u0f73\u0f75\u0f81"


def overstacked(text: str) -> bool:
    """Whether more than 30 combining marks stand on one character.

    Sorting marks takes time that grows with the square of their number: to normalise half a million would take minutes.
    """
    if text.isascii():
        return False
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) or char in _HIDDEN_MARKS else 0
        if run > MAX_MARKS:
            return True
    return False
