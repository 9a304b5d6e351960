"""What an audit found, for people and for programs: lines and JSON. SARIF and the page are in modules of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.audit.baseline import Acknowledged, Baseline
from casework.audit.check import Summary
from casework.audit.codes import SEVERITIES
from casework.audit.findings import Finding
from casework.report.text import escape


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, apart: what counts, what is acknowledged, and notes. ``at`` is when the audit ran, with its offset."""

    store: str
    at: datetime
    summary: Summary
    findings: tuple[Finding, ...]
    acknowledged: tuple[Acknowledged, ...] = ()
    notes: tuple[Finding, ...] = ()
    baseline: Baseline | None = None

    @property
    def status(self) -> int:
        """The exit status: 1 where anything was found that is not acknowledged."""
        return 1 if self.findings else 0


def report(store: str, at: datetime, summary: Summary, found: Iterable[Finding], baseline: Baseline | None = None) -> Report:
    """Part what was found, in its order, by a baseline."""
    findings: list[Finding] = []
    notes: list[Finding] = []
    acknowledged: list[Acknowledged] = []
    for finding in found:
        entry = baseline.of(finding) if baseline else None
        if finding.severity == "note":
            notes.append(finding)
        elif entry:
            acknowledged.append(Acknowledged(finding, entry))
        else:
            findings.append(finding)
    return Report(store, at, summary, tuple(findings), tuple(acknowledged), tuple(notes), baseline)


def record(finding: Finding, lang: str) -> dict[str, Any]:
    """A finding or a note as JSON; the keys are stable."""
    return {"code": finding.code, "case": finding.case, "version": finding.version, "what": finding.what.text(lang),
            "why": finding.why.text(lang), "family": finding.family, "severity": finding.severity, "clause": finding.clause}


def as_data(made: Report, lang: str) -> dict[str, Any]:
    """All of it as one JSON document; what is acknowledged stands apart with its reason."""
    return {
        "findings": [record(f, lang) for f in made.findings],
        "notes": [record(f, lang) for f in made.notes],
        "acknowledged": [record(f, lang) | {"reason": entry.reason} for f, entry in made.acknowledged],
        "summary": counts(made),
    }


def counts(made: Report) -> dict[str, Any]:
    """How much was audited, and how much of what was found."""
    def by(name: str) -> dict[str, int]:
        return dict(sorted(Counter(getattr(f, name) for f in made.findings).items()))

    return {
        "whole": made.summary.whole, "proved": made.summary.proved,
        "cases": made.summary.cases, "merchants": made.summary.merchants, "events": made.summary.events,
        "findings": len(made.findings), "by_code": by("code"), "by_family": by("family"), "by_severity": by("severity"),
        "acknowledged": len(made.acknowledged), "notes": len(made.notes),
    }


def records(made: Report, lang: str) -> Iterator[dict[str, Any]]:
    """The findings, then the notes, which say of themselves that they are notes."""
    return (record(f, lang) for f in (*made.findings, *made.notes))


def lines(made: Report, lang: str) -> Iterator[str]:
    """For people: a line each, then a summary."""
    colon = "：" if lang == "zh" else ": "
    for finding in made.findings:
        yield _line(finding, lang)
    for note in made.notes:
        yield SEVERITIES["note"].text(lang) + colon + _line(note, lang)
    yield ("，" if lang == "zh" else ", ").join(_summed(made, lang))
    if made.summary.proved:
        yield (f"检查点所含的 {made.summary.proved} 次提交与当时相同，未再审；只审了其后的" if lang == "zh" else
               f"the {made.summary.proved} commits of the checkpoint are as they were, and were not judged again; only what came "
               "after was")
    elif not made.summary.whole:
        yield ("只核查了一部分；案件、商家记录与期限索引是否相符，须核查整个案件库：casework audit" if lang == "zh" else
               "only a part was checked; whether cases, merchants' standings and the index of duties agree takes an audit of the "
               "whole store: casework audit")


def _line(f: Finding, lang: str) -> str:
    return escape(f"{f.code}  {f.case or '-'}  v{f.version}  {f.what.text(lang)}: {f.why.text(lang)}")


def _summed(made: Report, lang: str) -> Iterator[str]:
    told = [
        (True, "案件", "cases", made.summary.cases), (False, "商家", "merchants", made.summary.merchants),
        (True, "事件", "events", made.summary.events), (True, "问题", "findings", len(made.findings)),
        (made.baseline is not None, "已确认", "acknowledged", len(made.acknowledged)), (False, "说明", "notes", len(made.notes)),
    ]
    for always, zh, en, number in told:
        if always or number:
            yield f"{zh} {number}" if lang == "zh" else f"{en}: {number}"
