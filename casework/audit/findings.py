"""The value that the audit reports, and how the faults of single checks become it. What the codes mean stands in
:mod:`casework.audit.codes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from casework.audit.codes import FINDINGS as FINDINGS
from casework.audit.codes import Line as Line

#: How much of a stored value a finding shows.
SHOWN = 60
#: How long a case's identifier is when it is shown whole.
LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with one recorded event: ``what`` was found, and ``why`` that cannot be.

    ``case`` and ``version`` are those of the row's columns; a case that is no printable text is shown escaped and cut, and a
    version that is no number is the one that the row's place calls for. What is found of the store as a whole has no case and
    version 0. ``stored`` is the SHA-256 of the row or the event in which it was found; empty where it was found in none.
    """

    code: str
    case: str
    version: int
    what: Line
    why: Line
    stored: str = field(default="", compare=False)

    @property
    def family(self) -> str:
        """What is wrong, at large: one of :data:`FAMILIES`."""
        return FINDINGS[self.code].family

    @property
    def severity(self) -> str:
        """How bad it is: one of :data:`SEVERITIES`. A note is nothing wrong and moves no exit status."""
        return FINDINGS[self.code].severity

    @property
    def clause(self) -> str:
        """The law, the RFC or the decision of the project that the code rests on; empty where there is none."""
        return FINDINGS[self.code].clause

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of all that makes this finding this one: also of the stored bytes, for ``what`` shows them cut.

        It changes with the wording of a release; then what was acknowledged under the old one comes up again, and is not hidden.
        """
        said = ["casework-finding/1", self.code, self.case, self.version, self.what.en, self.why.en, self.stored]
        return sha256(json.dumps(said).encode()).hexdigest()


def one_line(text: str) -> str:
    """The text with every character that does not print escaped: no line break, escape or bidi mark gets through."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shown(value: object) -> str:
    """A stored value of any type as a finding shows it: quoted, escaped, and cut."""
    text = one_line(repr(value[:SHOWN] if isinstance(value, str | bytes) else value))
    return text if len(text) <= SHOWN + 3 else text[:SHOWN] + "…"


class Fault(NamedTuple):
    """What a single check found, before it is known as a finding of a case and a version."""

    code: str
    what: Line
    why: Line


def findings_of(case: object, version: int, faults: Iterable[Fault], within: object = None) -> list[Finding]:
    """One event's findings: faults of one code become one finding, each with its lines joined, in order of code.

    ``within`` is the row or the event in which they were found, and to which their findings are bound.
    """
    by_code: dict[str, list[Fault]] = {}
    for fault in faults:
        by_code.setdefault(fault.code, []).append(fault)
    name = case if isinstance(case, str) and case.isprintable() and len(case) <= LONGEST_ID else shown(case)
    stored = digest(within) if by_code and within is not None else ""
    return [
        Finding(code, name, version, _joined(f.what for f in same), _joined(f.why for f in same), stored)
        for code, same in sorted(by_code.items())
    ]


class Digest(str):
    """What :func:`digest` made of a row or an event that is not kept."""

    __slots__ = ()


def digest(within: object) -> Digest:
    """SHA-256, in hex, of a row or an event, by all that it holds."""
    return within if isinstance(within, Digest) else Digest(sha256(repr(within).encode()).hexdigest())


def of_store(code: str, what: Line, why: Line) -> Finding:
    """What is found of the store as a whole, such as a note that it has no ledger."""
    return Finding(code, "", 0, what, why)


def _joined(lines: Iterable[Line]) -> Line:
    once = list(dict.fromkeys(lines))
    return Line(one_line("；".join(x.zh for x in once)), one_line("; ".join(x.en for x in once)))
