"""Known findings, each acknowledged with a reason: a file that is kept beside a store and given to its audits.

An entry holds for one finding of one case and version, by its fingerprint; whatever else is found at the same place is reported.
An entry that holds for nothing any more is told of.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from casework.audit.findings import FINDINGS, Finding, Line, one_line
from casework.audit.select import unknown
from casework.errors import InputError
from casework.yamlfile import MAX_BYTES, Document, compose, load

#: How many findings a baseline holds; whoever has more has no known findings, but a store to mend.
MOST = 4000
_HEAD = """\
# Findings of `casework audit` that are known, each with the reason why it is let stand.
# An entry holds for this one finding only: its fingerprint changes with what was found and with what is stored there.
"""
_VERSION = re.compile(r"-?[0-9]{1,19}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class Entry(NamedTuple):
    """A finding that is known, and why it is let stand. ``line`` is that of the file, 0 where it was read from none."""

    code: str
    case: str
    version: int
    reason: str
    fingerprint: str
    line: int = 0


class Acknowledged(NamedTuple):
    """A finding, and the entry that acknowledges it."""

    finding: Finding
    entry: Entry


class Baseline(NamedTuple):
    """The entries of a file, by fingerprint. ``name`` is what messages call the file."""

    name: str
    entries: dict[str, Entry]

    def of(self, finding: Finding) -> Entry | None:
        """The entry that acknowledges a finding; never one of another code, case or version."""
        entry = self.entries.get(finding.fingerprint)
        return entry if entry and entry[:3] == (finding.code, written(finding.case), finding.version) else None

    def unused(self, acknowledged: Iterable[Acknowledged], codes: frozenset[str]) -> Iterator[Finding]:
        """A note for each entry of one of these codes that acknowledged nothing."""
        used = {known.entry.fingerprint for known in acknowledged}
        for entry in self.entries.values():
            if entry.fingerprint not in used and entry.code in codes:
                place = one_line(f"{self.name}:{entry.line}")
                yield Finding("baseline_unused", entry.case, entry.version,
                              Line(f"{entry.code}（{place}）", f"{entry.code} ({place})"),
                              Line("没有这样的发现", "nothing like it is found"))


def acknowledge(finding: Finding, reason: str) -> Entry:
    """The entry for a finding."""
    return Entry(finding.code, written(finding.case), finding.version, reason, finding.fingerprint)


def written(case: str) -> str:
    """A case as the file writes it; what reading would change, such as loose combining marks, is escaped."""
    plain = unicodedata.is_normalized("NFC", case) and not any(map(unicodedata.combining, case))
    return case if plain else ascii(case)[1:-1]


def read(path: Path, name: str | None = None) -> Baseline:
    """The baseline in a file. :class:`~casework.errors.InputError` naming file, line and remedy."""
    return _entries(load(path, name))


def text(entries: Iterable[Entry]) -> str:
    """The file that holds these entries, none twice, in their order.

    :class:`~casework.errors.InputError` where there are too many, or where they could not be read again.
    """
    import yaml

    once = list({entry.fingerprint: entry._replace(line=0) for entry in entries}.values())
    fields = Entry._fields[:-1]
    rows = [dict(zip(fields, entry, strict=False)) for entry in once]
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    made: str = _HEAD + yaml.dump(rows, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1000)
    if len(once) > MOST or len(made.encode()) > MAX_BYTES:
        raise InputError(
            f"{len(once)} findings are more than a baseline holds ({MOST}, or 1 MiB); mend them, or narrow it with --select",
            f"{len(once)} 个问题超过基线的上限（{MOST} 项或 1 MiB）；请先处理，或用 --select 缩小范围")
    with suppress(InputError):
        if once == [entry._replace(line=0) for entry in _entries(compose(made, "baseline")).entries.values()]:
            return made
    raise InputError("the reason cannot be written as it is; use plain words", "理由无法照样写入；请使用普通文字")


def _entries(document: Document) -> Baseline:
    if not isinstance(document.data, list):
        raise _error(document, (), f"is no baseline: a list of entries with {', '.join(Entry._fields[:-1])} was expected",
                     f"不是基线：应为条目列表，每项含 {'、'.join(Entry._fields[:-1])}")
    entries: dict[str, Entry] = {}
    for number, said in enumerate(document.data):
        entry = _entry(document, number, said)
        first = entries.setdefault(entry.fingerprint, entry)
        if first is not entry:
            raise _error(document, (number,), f"the finding is acknowledged on line {first.line} already; keep one of the two",
                         f"该发现在第 {first.line} 行已被确认；请只保留一项")
    return Baseline(document.name, entries)


def _entry(document: Document, number: int, said: Any) -> Entry:
    fields = Entry._fields[:-1]
    if not isinstance(said, dict):
        raise _error(document, (number,), f"an entry has {', '.join(fields)}; write them, or let --write-baseline do it",
                     f"每项应含 {'、'.join(fields)}；请写全，或用 --write-baseline 生成")
    for key in said:
        if key not in fields:
            raise _error(document, (number, key), f"unknown key '{one_line(key[:40])}'; an entry has {', '.join(fields)}",
                         f"未知的键“{one_line(key[:40])}”；每项含 {'、'.join(fields)}")
    for key in fields:
        if not isinstance(said.get(key), str) or (key != "case" and not said[key].strip()):
            what, remedy = _MISSING.get(key, _COPY)
            raise _error(document, (number, key), f"'{key}' is missing or no text; {remedy}", f"缺少“{key}”或不是文字；{what}")
    if said["code"] not in FINDINGS:
        raise unknown(said["code"], FINDINGS).at(_place(document, (number, "code")))
    if FINDINGS[said["code"]].severity == "note":
        raise _error(document, (number, "code"), f"'{said['code']}' is a note and counts for nothing; leave it out with --ignore",
                     f"“{said['code']}”是说明，不计为问题；请用 --ignore 排除")
    if not _VERSION.fullmatch(said["version"]):
        raise _error(document, (number, "version"), "'version' is no whole number; write the one that the audit shows",
                     "“version”不是整数；请照审计输出填写")
    if not _FINGERPRINT.fullmatch(said["fingerprint"]):
        raise _error(document, (number, "fingerprint"), "'fingerprint' is no SHA-256 in hex; let --write-baseline write it",
                     "“fingerprint”不是十六进制的 SHA-256；请用 --write-baseline 生成")
    return Entry(said["code"], said["case"], int(said["version"]), said["reason"], said["fingerprint"],
                 document.line((number,)))


_COPY = ("请用 --write-baseline 生成该项", "let --write-baseline write the entry")
_MISSING = {"reason": ("请写明为何接受这一发现", "say why the finding is let stand")}


def _place(document: Document, path: tuple[str | int, ...]) -> str:
    return f"{document.name}:{document.line(path)}"


def _error(document: Document, path: tuple[str | int, ...], en: str, zh: str) -> InputError:
    return InputError(en, zh, _place(document, path))
