"""What a requirement comes to in a case: met, not met, or not to be known from the file."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Literal, NamedTuple

#: Where the days of the law are counted; it has had no other offset since 1991.
SHANGHAI = timezone(timedelta(hours=8))

State = Literal["met", "not_met", "unknown"]


class Line(NamedTuple):
    """A sentence in each language."""

    zh: str
    en: str

    def text(self, lang: str) -> str:
        """The sentence in ``lang`` (``"zh"`` or ``"en"``)."""
        return self.zh if lang == "zh" else self.en


class Check(NamedTuple):
    """A requirement by name, what the file says to it, the sentence, the clause it rests on and how certain that is."""

    name: str
    state: State
    said: Line
    clause: str
    certainty: str
