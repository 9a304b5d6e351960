"""What an audit found as SARIF 2.1.0 (OASIS), for viewers and services that read findings of any tool.

A case and a version are a logical location: there is no file and no line to point at. An entry of a baseline is an external
suppression with its reason as the justification.
"""

from __future__ import annotations

from typing import Any

from casework import __version__
from casework.audit.baseline import Entry
from casework.audit.codes import FAMILIES, FINDINGS
from casework.audit.findings import Finding
from casework.report.audit import Report, counts
from casework.report.text import escape

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_PLACE = {code: place for place, code in enumerate(FINDINGS)}


def as_sarif(made: Report, lang: str) -> dict[str, Any]:
    """The log: one run, with a rule for every code that the audit knows."""
    results = [*(_result(f, lang) for f in made.findings),
               *(_result(f, lang, entry) for f, entry in made.acknowledged),
               *(_result(f, lang) for f in made.notes)]
    if made.acknowledged:
        # By 3.27.23 either every result of a run says whether it is suppressed, or none does.
        for result in results:
            result.setdefault("suppressions", [])
    driver = {
        "name": "casework audit", "version": __version__, "language": "zh-CN" if lang == "zh" else "en-US",
        "rules": [_rule(code, lang) for code in FINDINGS],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "language": driver["language"],
            "invocations": [{"executionSuccessful": True, "exitCode": made.status}],
            "results": results,
            "columnKind": "unicodeCodePoints",
            "properties": {"store": escape(made.store), "summary": counts(made)},
        }],
    }


def _rule(code: str, lang: str) -> dict[str, Any]:
    text = FINDINGS[code]
    means, mend = (text.zh, text.mend_zh) if lang == "zh" else (text.en, text.mend_en)
    rests = f"（依据：{text.clause}）" if lang == "zh" else f" (rests on: {text.clause})"
    family = FAMILIES[text.family].text(lang)
    return {
        "id": code,
        "shortDescription": {"text": means},
        "fullDescription": {"text": means + (rests if text.clause else "")},
        "help": {"text": mend},
        "defaultConfiguration": {"level": text.severity},
        "properties": {"tags": [text.family], "family": family} | ({"clause": text.clause} if text.clause else {}),
    }


def _result(finding: Finding, lang: str, entry: Entry | None = None) -> dict[str, Any]:
    colon = "：" if lang == "zh" else ": "
    where = ({"name": f"v{finding.version}", "fullyQualifiedName": f"{finding.case}/v{finding.version}", "kind": "event"}
             if finding.case else {"name": "store", "fullyQualifiedName": "store", "kind": "store"})
    made: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": _PLACE[finding.code],
        "level": finding.severity,
        "message": {"text": escape(finding.what.text(lang) + colon + finding.why.text(lang))},
        "locations": [{"logicalLocations": [where]}],
        "partialFingerprints": {"caseworkFinding/v1": finding.fingerprint},
        "properties": {"case": finding.case, "version": finding.version},
    }
    if entry:
        made["suppressions"] = [{"kind": "external", "status": "accepted", "justification": entry.reason}]
    return made
