"""What to report: findings by their codes, their families and their severities."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from casework.audit.codes import FAMILIES, FINDINGS, SEVERITIES
from casework.audit.findings import shown
from casework.errors import InputError


def named(names: Iterable[str]) -> frozenset[str]:
    """The codes that are meant: each name is a code, a family or a severity.

    :class:`~casework.errors.InputError`, with the nearest known name, for one that is none of these.
    """
    codes: set[str] = set()
    for name in names:
        meant = {code for code, text in FINDINGS.items() if name in (code, text.family, text.severity)}
        if not meant:
            raise unknown(name)
        codes |= meant
    return frozenset(codes)


def unknown(name: str, known: Iterable[str] = (*FINDINGS, *FAMILIES, *SEVERITIES)) -> InputError:
    """That there is no such code, family or severity; with what may have been meant."""
    known = list(known)
    near = get_close_matches(name, known, n=1) or [one for one in known if name and one.startswith(name)]
    guess_en = f"did you mean '{near[0]}'?" if near else f"casework explain FAMILY lists the codes of: {', '.join(FAMILIES)}"
    guess_zh = f"是否指“{near[0]}”？" if near else f"可用 casework explain 列出这些类别的代码：{'、'.join(FAMILIES)}"
    return InputError(f"unknown finding {shown(name)}; {guess_en}", f"未知的问题代码 {shown(name)}；{guess_zh}")
