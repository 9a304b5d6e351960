"""What the audit can say: the value it reports, and one row a code with what it means and how to mend it.

Codes are stable; scenarios, ``--select`` and programs rely on them. None is also the code of a refusal, so that
``casework explain CODE`` always means one thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

#: How much of a stored value a finding shows.
SHOWN = 60
#: How long a case's identifier is when it is shown whole.
LONGEST_ID = 200


class Line(NamedTuple):
    """One line of text in each language."""

    zh: str
    en: str

    def text(self, lang: str) -> str:
        """The line in ``lang`` (``"zh"`` or ``"en"``)."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with one recorded event: ``what`` was found, and ``why`` that cannot be.

    ``case`` and ``version`` are those of the row's columns; a case that is no printable text is shown escaped and cut, and a
    version that is no number is the one that the row's place calls for.
    """

    code: str
    case: str
    version: int
    what: Line
    why: Line


class FindingText(NamedTuple):
    """The wording of a code: what it means, and what whoever looks after the store can do."""

    zh: str
    en: str
    mend_zh: str
    mend_en: str


_RESTORE_ZH = "不要改写；从备份恢复该案件，并与库外检查点核对"
_RESTORE_EN = "do not rewrite it; restore the case from a backup and verify that against a checkpoint outside the store"
_LAW_ZH = "查明该事件如何绕过命令写入；记录不改，用新的事件纠正其后果"
_LAW_EN = "find out how the event was written past the commands; leave it, and set its consequences right by new events"
_UPGRADE_ZH = "用支持该版本的 casework 再次审计；若无此版本，则记录被改动，从备份恢复"
_UPGRADE_EN = "audit again with a casework that knows it; if none does, it was altered: restore the case from a backup"

FINDINGS: dict[str, FindingText] = {
    # --- the bytes ---------------------------------------------------------------------------------------------------
    "unreadable_event": FindingText(
        "存储的内容不是其主题的事件", "the stored bytes are no event of their topic", _RESTORE_ZH, _RESTORE_EN),
    "unknown_topic": FindingText(
        "事件主题不在许可名单上", "the event's topic is not on the allow-list", _UPGRADE_ZH, _UPGRADE_EN),
    "payload_not_canonical": FindingText(
        "存储的内容可读，但不是命令会写下的字节或值",
        "the stored bytes are readable, but are not the bytes or the values that a command writes",
        _RESTORE_ZH, _RESTORE_EN),
    "version_gap": FindingText(
        "案件的版本号不连续：有事件缺失、重复或移位",
        "the case's versions do not follow one another: an event is missing, doubled or out of its place",
        _RESTORE_ZH, _RESTORE_EN),
    "not_opened": FindingText(
        "案件的第一个事件不是立案", "the case's first event is not the one that opens a case",
        _RESTORE_ZH, _RESTORE_EN),
    "opened_twice": FindingText(
        "已立案的案件又出现立案事件", "the case is opened again after it was opened", _LAW_ZH, _LAW_EN),
    "column_mismatch": FindingText(
        "事件表的列与事件内容不一致", "a column of the table of events contradicts the event's own bytes",
        _RESTORE_ZH, _RESTORE_EN),
    # --- times -------------------------------------------------------------------------------------------------------
    "time_backwards": FindingText(
        "时间早于本案的上一事件", "a time is before that of the case's event before it", _LAW_ZH, _LAW_EN),
    "at_after_recorded": FindingText(
        "发生时间晚于记录时间", "the event happened after it was recorded", _LAW_ZH, _LAW_EN),
    # --- what the case pinned ----------------------------------------------------------------------------------------
    "unknown_lifecycle": FindingText(
        "案件所定的流程版本未知", "the case pins a lifecycle that this release does not know",
        _UPGRADE_ZH, _UPGRADE_EN),
    "lifecycle_differs": FindingText(
        "案件所定的流程摘要与该版本不符", "the case pins another lifecycle than the one published under that version",
        _UPGRADE_ZH, _UPGRADE_EN),
    "unknown_edition": FindingText(
        "案件所定的规则版本未知", "the case pins an edition of the rulebook that this release does not know",
        _UPGRADE_ZH, _UPGRADE_EN),
    "edition_differs": FindingText(
        "案件所定的规则摘要与该版本不符", "the case pins other rules than those published as that edition",
        _UPGRADE_ZH, _UPGRADE_EN),
    # --- law and authority -------------------------------------------------------------------------------------------
    "unlawful_edge": FindingText(
        "流程中没有这一步", "the lifecycle has no such step", _LAW_ZH, _LAW_EN),
    "state_not_yielded": FindingText(
        "事件的起始状态不是此前事件得出的状态", "the event leaves a state that the events before it do not yield",
        _LAW_ZH, _LAW_EN),
    "role_may_not": FindingText(
        "行为人无权做这一步", "the one who acted may not do this", _LAW_ZH, _LAW_EN),
    "guard_refuses": FindingText(
        "按当时的事实和规则，这一步应被拒绝", "the rules refuse the step on what was known at that event",
        _LAW_ZH, _LAW_EN),
    "command_repeated": FindingText(
        "同一命令编号在本案中出现两次", "the same command is recorded twice in the case", _LAW_ZH, _LAW_EN),
    "derived_differs": FindingText(
        "由系统得出的编号、方案或期限与重新计算的不同",
        "an identifier, offer or deadline that the system derives is not what it derives again", _LAW_ZH, _LAW_EN),
    "derivations_differ": FindingText(
        "审计的两次独立推导结果不同：是否允许这一步、进入的状态，或事件之后的事实",
        "the audit's two independent derivations differ: on whether the step was allowed, where it led, or the facts after it",
        "软件有误而非记录有误：保留该库与版本号并报告；在修正前，两次推导都不能作为依据",
        "an error of the software and not of the record: keep the store and the release's number and report it; until it is "
        "mended neither derivation proves the step"),
    "decided_late": FindingText(
        "有权决定的一方在规则规定的期限之后才作出决定",
        "whoever had to decide did so after the limit that the rules set",
        "向作出决定的机构提出；逾期本身不使决定无效", "raise it with whoever decided; lateness alone does not undo a decision"),
    # --- the merchant's standing -------------------------------------------------------------------------------------
    "standing_missing": FindingText(
        "裁决的处罚、垫付或扣分引起的措施没有记入商家记录",
        "a penalty of a ruling, an advance, or a measure that points bring is not in the merchant's stream",
        _RESTORE_ZH, _RESTORE_EN),
    "standing_unfounded": FindingText(
        "商家记录中有案件或扣分没有引起的内容", "the merchant's stream holds what no ruling, advance or points bring",
        _LAW_ZH, _LAW_EN),
    "standing_differs": FindingText(
        "商家记录的处罚、扣分、类别、措施、期限或金额与案件或重新计算的不同",
        "a penalty, points, a track, a measure, a deadline or an amount in the merchant's stream is not what the case or a new "
        "reckoning yields", _LAW_ZH, _LAW_EN),
    "index_differs": FindingText(
        "期限索引与事件不一致：缺少的期限不会到期提醒，也不会由 tick 办理",
        "the index of duties is not what the events yield: a duty that it lacks is neither listed nor falls due by tick",
        "不影响案件本身；运行 casework tick --rebuild 重建索引，再审计一次",
        "the case itself is unharmed; make the index anew with casework tick --rebuild, then audit again"),
    # --- the audit itself --------------------------------------------------------------------------------------------
    "not_checked": FindingText(
        "有内容无法检查", "something could not be checked",
        "先处理本案的其他发现，再审计一次", "mend what else is found in the case, then audit again"),
}


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


def findings_of(case: object, version: int, faults: Iterable[Fault]) -> list[Finding]:
    """One event's findings: faults of one code become one finding, each with its lines joined, in order of code."""
    by_code: dict[str, list[Fault]] = {}
    for fault in faults:
        by_code.setdefault(fault.code, []).append(fault)
    name = case if isinstance(case, str) and case.isprintable() and len(case) <= LONGEST_ID else shown(case)
    return [
        Finding(code, name, version, _joined(f.what for f in same), _joined(f.why for f in same))
        for code, same in sorted(by_code.items())
    ]


def _joined(lines: Iterable[Line]) -> Line:
    once = list(dict.fromkeys(lines))
    return Line(one_line("；".join(x.zh for x in once)), one_line("; ".join(x.en for x in once)))
