"""One thing about a store, or what lies around it, that was looked at: what every doctor of a store gives."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["ok", "note", "warning", "error"]


class Check(NamedTuple):
    """One thing that was looked at: what was found and what to do, each in 中文 and English; nothing to do where it is well."""

    check: str
    state: State
    zh: str
    en: str
    remedy_zh: str = ""
    remedy_en: str = ""
