"""What an audit found as one page of HTML that needs nothing else: no script, no network, no file beside it.

Everything that comes from a store is hostile. Jinja escapes each value by itself, so that none can be forgotten, and what could
reorder or hide text stands as ``\\uXXXX``. A browser is told to load nothing and to apply no style but the page's own.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from datetime import tzinfo
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from casework import __version__
from casework.audit.codes import FAMILIES, FINDINGS, SEVERITIES
from casework.audit.findings import Finding, Line
from casework.report.audit import Report
from casework.report.text import escape, moment


class Rule(NamedTuple):
    """What a finding means and what to do about it, in the page's language."""

    meaning: str
    mend: str


def as_page(made: Report, lang: str, zone: tzinfo, scope: str = "") -> str:
    """The page; times in ``zone``. ``scope`` says what was left out of the audit or of the report, if anything was."""
    def say(zh: str, en: str) -> str:
        return zh if lang == "zh" else en

    def text(line: Line) -> str:
        return line.text(lang)

    def rule(finding: Finding) -> Rule:
        row = FINDINGS[finding.code]
        return Rule(row.zh, row.mend_zh) if lang == "zh" else Rule(row.en, row.mend_en)

    by_case: dict[str, list[Finding]] = {}
    for finding in made.findings:
        by_case.setdefault(finding.case, []).append(finding)
    here = Counter(f.family for f in made.findings)
    css = files("casework.report").joinpath("pages", "audit.css").read_text(encoding="utf-8")
    return _environment().get_template("audit.html").render(
        made=made, lang=lang, say=say, text=text, rule=rule, at=moment(made.at, zone), version=__version__, scope=scope,
        # The style is ours and holds nothing from a store; it must stand as it is, or its digest would not be this one.
        css=Markup(css), hash=f"sha256-{b64encode(sha256(css.encode()).digest()).decode()}",
        verdict=_verdict(made, say), numbers=_numbers(made, say), by_case=by_case, counted=("error", "warning"),
        by_family={name: Counter(f.severity for f in made.findings if f.family == name) for name in FAMILIES if name in here},
        families={name: text(line) for name, line in FAMILIES.items()},
        severities={name: text(line) for name, line in SEVERITIES.items()})


def _environment() -> Environment:
    return Environment(loader=PackageLoader("casework.report", "pages"), autoescape=True, undefined=StrictUndefined,
                       keep_trailing_newline=True, finalize=_visible)


def _visible(value: Any) -> Any:
    """A value as the page shows it: nothing in it reorders or hides what stands around it."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else escape(value)


_Say = Callable[[str, str], str]


def _verdict(made: Report, say: _Say) -> str:
    if made.findings:
        cases = len({f.case for f in made.findings})
        return say(f"发现 {len(made.findings)} 个问题，涉及 {cases} 处（案件、商家或案件库）。",
                   f"Findings: {len(made.findings)}, in {cases} places (cases, merchants' standings, the store).")
    if made.acknowledged:
        return say("除已确认的以外，没有发现问题。", "Nothing was found but what is acknowledged.")
    return say("没有发现问题。", "Nothing was found.")


def _numbers(made: Report, say: _Say) -> list[tuple[str, int]]:
    severities = Counter(f.severity for f in made.findings)
    return [
        (say("案件", "cases"), made.summary.cases), (say("商家", "merchants"), made.summary.merchants),
        (say("事件", "events"), made.summary.events), (say("错误", "errors"), severities["error"]),
        (say("警告", "warnings"), severities["warning"]), (say("已确认", "acknowledged"), len(made.acknowledged)),
        (say("说明", "notes"), len(made.notes)),
    ]
