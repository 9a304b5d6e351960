"""What the audit can say: one row a code with what it means, what it rests on, how bad it is, and how to mend it.

Codes, families and severities are stable; scenarios, ``--select``, baselines and programs rely on them. None is also the code of
a refusal, so that ``casework explain CODE`` always means one thing.
"""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """One line of text in each language."""

    zh: str
    en: str

    def text(self, lang: str) -> str:
        """The line in ``lang`` (``"zh"`` or ``"en"``)."""
        return self.zh if lang == "zh" else self.en


class FindingText(NamedTuple):
    """The wording of a code: what it means, what whoever looks after the store can do, its family, severity and clause."""

    zh: str
    en: str
    mend_zh: str
    mend_en: str
    family: str
    severity: str = "error"
    clause: str = ""


#: How bad a finding is. Errors and warnings make the audit's exit status 1.
SEVERITIES: dict[str, Line] = {
    "error": Line("错误", "error"),
    "warning": Line("警告", "warning"),
    "note": Line("说明", "note"),
}
#: What is wrong, at large, in the order in which the audit looks.
FAMILIES: dict[str, Line] = {
    "bytes": Line("存储的字节、主题和列", "the stored bytes, their topic, and the columns beside them"),
    "sequence": Line("事件的顺序：版本号、立案、重复的命令", "how events follow: versions, the opening, repeated commands"),
    "times": Line("发生时间与记录时间", "when events happened and when they were recorded"),
    "pins": Line("案件所定的流程和规则版本", "the lifecycle and the edition of the rulebook that a case pins"),
    "law": Line("每一步是否合法：流程、角色、条件", "whether each step was lawful: the lifecycle, roles, guards"),
    "rules": Line("由规则得出的编号、方案、期限和理由", "what the rules yield: identifiers, offers, deadlines, reasons"),
    "duties": Line("期限的履行及其索引", "duties met or missed, and their index"),
    "standing": Line("商家记录", "the merchant's standing"),
    "ledger": Line("账本及库外日志", "the ledger, and its journal outside the store"),
    "audit": Line("审计本身：未能检查的，以及基线", "the audit itself: what it could not check, and its baseline"),
}


_RESTORE_ZH = "不要改写；从备份恢复该案件，并与库外检查点核对"
_RESTORE_EN = "do not rewrite it; restore the case from a backup and verify that against a checkpoint outside the store"
_LAW_ZH = "查明该事件如何绕过命令写入；记录不改，用新的事件纠正其后果"
_LAW_EN = "find out how the event was written past the commands; leave it, and set its consequences right by new events"
_UPGRADE_ZH = "用支持该版本的 casework 再次审计；若无此版本，则记录被改动，从备份恢复"
_UPGRADE_EN = "audit again with a casework that knows it; if none does, it was altered: restore the case from a backup"

_WHOLE = "电子商务法 31；电子签名法 5(2)"
_TREE = "电子签名法 5(2)；RFC 9162"
_NOTE = "电子签名法 13；C2SP signed-note"
_ENVELOPE = "docs/decisions/0001"
_RULEBOOK = "docs/decisions/0007"
_STANDING = "docs/decisions/0008"
_DUTIES = "docs/decisions/0010"
_LIFECYCLE = "docs/decisions/0011"

FINDINGS: dict[str, FindingText] = {
    # --- the bytes ---------------------------------------------------------------------------------------------------
    "unreadable_event": FindingText(
        "存储的内容不是其主题的事件", "the stored bytes are no event of their topic", _RESTORE_ZH, _RESTORE_EN,
        "bytes", clause=_WHOLE),
    "unknown_topic": FindingText(
        "事件主题不在许可名单上", "the event's topic is not on the allow-list", _UPGRADE_ZH, _UPGRADE_EN,
        "bytes", clause=_ENVELOPE),
    "unreadable_line": FindingText(
        "日志的一行无法读取", "a line of a log cannot be read, or a value in it",
        "在导出日志的系统中查明该行，改正导出后再审计",
        "look it up where the log comes from, mend what writes the log, and audit again",
        "bytes"),
    "payload_not_canonical": FindingText(
        "存储的内容可读，但不是命令会写下的字节或值",
        "the stored bytes are readable, but are not the bytes or the values that a command writes",
        _RESTORE_ZH, _RESTORE_EN, "bytes", clause=_WHOLE),
    "column_mismatch": FindingText(
        "事件表的列与事件内容不一致", "a column of the table of events contradicts the event's own bytes",
        _RESTORE_ZH, _RESTORE_EN, "bytes", clause=_ENVELOPE),
    # --- their sequence ----------------------------------------------------------------------------------------------
    "version_gap": FindingText(
        "案件的版本号不连续：有事件缺失、重复或移位",
        "the case's versions do not follow one another: an event is missing, doubled or out of its place",
        _RESTORE_ZH, _RESTORE_EN, "sequence", clause=_WHOLE),
    "not_opened": FindingText(
        "案件的第一个事件不是立案", "the case's first event is not the one that opens a case",
        _RESTORE_ZH, _RESTORE_EN, "sequence", clause=_WHOLE),
    "opened_twice": FindingText(
        "已立案的案件又出现立案事件", "the case is opened again after it was opened", _LAW_ZH, _LAW_EN, "sequence"),
    "command_repeated": FindingText(
        "同一命令编号在本案中出现两次", "the same command is recorded twice in the case", _LAW_ZH, _LAW_EN, "sequence"),
    # --- times -------------------------------------------------------------------------------------------------------
    "time_backwards": FindingText(
        "时间早于本案的上一事件", "a time is before that of the case's event before it", _LAW_ZH, _LAW_EN, "times"),
    "at_after_recorded": FindingText(
        "发生时间晚于记录时间", "the event happened after it was recorded", _LAW_ZH, _LAW_EN, "times"),
    "recorded_late": FindingText(
        "称在期限内完成的一步，期限过后才记录", "a step that is said to have been in time was recorded when the time was over",
        "核对当时的凭据（聊天记录、物流、通话）；仅凭记录不能证明它在期限内",
        "look at what shows it (chats, the carrier's record, calls); the record alone does not show that it was in time",
        "times", "note"),
    # --- what the case pinned ----------------------------------------------------------------------------------------
    "unknown_lifecycle": FindingText(
        "案件所定的流程版本未知", "the case pins a lifecycle that this release does not know",
        _UPGRADE_ZH, _UPGRADE_EN, "pins", clause=_LIFECYCLE),
    "lifecycle_differs": FindingText(
        "案件所定的流程摘要与该版本不符", "the case pins another lifecycle than the one published under that version",
        _UPGRADE_ZH, _UPGRADE_EN, "pins", clause=_LIFECYCLE),
    "unknown_edition": FindingText(
        "案件所定的规则版本未知", "the case pins an edition of the rulebook that this release does not know",
        _UPGRADE_ZH, _UPGRADE_EN, "pins", clause=_RULEBOOK),
    "edition_differs": FindingText(
        "案件所定的规则摘要与该版本不符", "the case pins other rules than those published as that edition",
        _UPGRADE_ZH, _UPGRADE_EN, "pins", clause=_RULEBOOK),
    # --- law and authority -------------------------------------------------------------------------------------------
    "unlawful_edge": FindingText(
        "流程中没有这一步", "the lifecycle has no such step", _LAW_ZH, _LAW_EN, "law", clause=_LIFECYCLE),
    "state_not_yielded": FindingText(
        "事件的起始状态不是此前事件得出的状态", "the event leaves a state that the events before it do not yield",
        _LAW_ZH, _LAW_EN, "law", clause="docs/decisions/0005"),
    "role_may_not": FindingText(
        "行为人无权做这一步", "the one who acted may not do this", _LAW_ZH, _LAW_EN, "law"),
    "guard_refuses": FindingText(
        "按当时的事实和规则，这一步应被拒绝", "the rules refuse the step on what was known at that event",
        _LAW_ZH, _LAW_EN, "law"),
    "derivations_differ": FindingText(
        "审计的两次独立推导结果不同：是否允许这一步、进入的状态，或事件之后的事实",
        "the audit's two independent derivations differ: on whether the step was allowed, where it led, or the facts after it",
        "软件有误而非记录有误：保留该库与版本号并报告；在修正前，两次推导都不能作为依据",
        "an error of the software and not of the record: keep the store and the release's number and report it; until it is "
        "mended neither derivation proves the step",
        "law", clause="docs/decisions/0014"),
    "derived_differs": FindingText(
        "由系统得出的编号、方案或期限与重新计算的不同",
        "an identifier, offer or deadline that the system derives is not what it derives again", _LAW_ZH, _LAW_EN,
        "rules", clause="docs/decisions/0010；docs/decisions/0012"),
    # --- duties ------------------------------------------------------------------------------------------------------
    "decided_late": FindingText(
        "有权决定的一方在规则规定的期限之后才作出决定",
        "whoever had to decide did so after the limit that the rules set",
        "向作出决定的机构提出；逾期本身不使决定无效", "raise it with whoever decided; lateness alone does not undo a decision",
        "duties", "warning", _DUTIES),
    "index_differs": FindingText(
        "期限索引与事件不一致：缺少的期限不会到期提醒，也不会由 tick 办理",
        "the index of duties is not what the events yield: a duty that it lacks is neither listed nor falls due by tick",
        "不影响案件本身；运行 casework tick --rebuild 重建索引，再审计一次",
        "the case itself is unharmed; make the index anew with casework tick --rebuild, then audit again",
        "duties", "warning", _DUTIES),
    # --- the merchant's standing -------------------------------------------------------------------------------------
    "standing_missing": FindingText(
        "裁决的处罚、垫付或扣分引起的措施没有记入商家记录",
        "a penalty of a ruling, an advance, or a measure that points bring is not in the merchant's stream",
        _RESTORE_ZH, _RESTORE_EN, "standing", clause=_STANDING),
    "standing_unfounded": FindingText(
        "商家记录中有案件或扣分没有引起的内容", "the merchant's stream holds what no ruling, advance or points bring",
        _LAW_ZH, _LAW_EN, "standing", clause=_STANDING),
    "standing_differs": FindingText(
        "商家记录的处罚、扣分、类别、措施、期限或金额与案件或重新计算的不同",
        "a penalty, points, a track, a measure, a deadline or an amount in the merchant's stream is not what the case or a new "
        "reckoning yields", _LAW_ZH, _LAW_EN, "standing", clause=_STANDING),
    # --- the ledger --------------------------------------------------------------------------------------------------
    "leaf_differs": FindingText(
        "存储的字节不是提交时账本所记录的字节", "the stored bytes are not those over which the ledger's leaf was made",
        _RESTORE_ZH, _RESTORE_EN, "ledger", clause=_TREE),
    "rows_missing": FindingText(
        "账本记录过的事件不在了", "events that the ledger has a leaf for are not there any more", _RESTORE_ZH, _RESTORE_EN,
        "ledger", clause=_TREE),
    "row_unledgered": FindingText(
        "有事件不在账本里：不是由命令写入的", "an event is in no leaf of the ledger: it was not written by a command", _LAW_ZH,
        _LAW_EN,
        "ledger", clause=_TREE),
    "leaf_misplaced": FindingText(
        "账本的叶子缺失、移位或无法使用", "leaves of the ledger are missing, out of their place, or unusable", _RESTORE_ZH,
        _RESTORE_EN,
        "ledger", clause=_TREE),
    "tree_differs": FindingText(
        "存储的树节点不是由叶子得出的；由它们出具的回执不成立",
        "stored nodes of the tree are not what its leaves give; receipts made from them would not hold",
        _RESTORE_ZH, _RESTORE_EN, "ledger", clause=_TREE),
    "ledger_missing": FindingText(
        "账本的表不见了", "the tables of the ledger are gone", _RESTORE_ZH, _RESTORE_EN, "ledger", clause=_TREE),
    "checkpoint_differs": FindingText(
        "签名的检查点与案件库不符：历史被改写，或账本不是同一本",
        "a signed checkpoint is not of this store: its history was rewritten, or it is another ledger",
        "把检查点和案件库都留作证据；从与检查点相符的备份恢复",
        "keep both as evidence; restore a backup that fits the checkpoint", "ledger", clause=_TREE),
    "checkpoint_invalid": FindingText(
        "库外日志中有不成立的检查点：不完整、次序有误或签名不成立",
        "the journal outside holds a checkpoint that does not stand: not whole, out of order, or not signed by the ledger's key",
        "从副本恢复日志；见证人和持有回执者手中有签名的检查点",
        "restore the journal from a copy; witnesses and whoever holds receipts have signed checkpoints", "ledger", clause=_NOTE),
    "keys_broken": FindingText(
        "账本的公钥不成立：前后没有互相签名，或不是所信任的公钥",
        "the keys of the ledger do not stand: one is not signed by the one before it, or none is the one that is trusted",
        "从副本恢复日志的 keys 文件，或用 --key 指定所信任的公钥",
        "restore the journal's file keys from a copy, or name the key that you trust",
        "ledger", clause=_NOTE),
    "tail_lost": FindingText(
        "库外签名的提交多于案件库所有：末尾丢失，或换成了旧副本",
        "more commits were signed outside than the store has: its end is lost, or an old copy was put back",
        "恢复最新的备份；若没有，casework init --renew-ledger 说明缘由后继续",
        "restore the newest backup; if there is none, casework init --renew-ledger says why and goes on", "ledger", clause=_TREE),
    "journal_behind": FindingText(
        "案件库有库外没有签名的提交：命令中断而未确认，或日志被截断，或由他人写入",
        "the store has commits that nothing outside signs: a command cut off before it was done, a journal that was cut, or "
        "somebody else's",
        "查看其后的事件；若属实，重发该命令或运行 casework checkpoint 补签",
        "look at what came after; if it is right, give the command again or run casework checkpoint, which signs it",
        "ledger", "warning", _TREE),
    "tail_unsigned": FindingText(
        "案件库有提交，没有任何命令准备在库外为其签名：绕过命令写入，或日志是旧副本",
        "the store has commits that no command was about to have signed outside: written past the commands, or the journal is an "
        "old copy",
        "不要补签；查明来历，恢复案件库或日志", "sign nothing; find out where they come from, and restore store or journal",
        "ledger",
        clause=_TREE),
    "journal_denied": FindingText(
        "案件库不再承认为它建立的库外日志", "the store no longer says that it keeps the journal that was begun for it",
        _RESTORE_ZH, _RESTORE_EN, "ledger", clause=_TREE),
    "renewal_denied": FindingText(
        "账本另起过，日志已签名说明，而案件库不再说或说法不同",
        "the ledger was begun anew, as its journal has signed, and the store no longer says so, or says otherwise",
        _RESTORE_ZH, _RESTORE_EN, "ledger", clause=_TREE),
    "journal_missing": FindingText(
        "案件库的库外日志找不到或无法读取，未能核对",
        "the journal outside was not found or cannot be read: nothing was held against it",
        "用 --journal 指定；若已丢失，casework init --renew-ledger",
        "name it by --journal; if it is lost, casework init --renew-ledger",
        "ledger", "warning", _TREE),
    "ledger_renewed": FindingText(
        "账本曾另起：此前的记录自那时起才有证明", "the ledger was begun anew: what is older is proved from then on only",
        "核对所述缘由；此前的检查点和回执仍属于旧账本",
        "check the reason given; older checkpoints and receipts are of the old ledger",
        "ledger", "note", _TREE),
    "no_ledger": FindingText(
        "案件库建于有账本之前，没有账本", "the store was made before there was a ledger, and has none",
        "改动已合法的历史或丢失末尾无从发现；casework init --renew-ledger 从此开始一本",
        "a history that is altered lawfully, or loses its end, cannot be told; casework init --renew-ledger begins one",
        "ledger", "note", _TREE),
    "no_journal": FindingText(
        "案件库写明不在库外保存日志", "the store says of itself that it keeps no journal outside",
        "库外没有检查点，重写整个案件库便无从发现；casework init --renew-ledger 开始一个",
        "with no checkpoint outside, a store that is rewritten whole cannot be told; casework init --renew-ledger begins one",
        "ledger", "note", _TREE),
    # --- the audit itself --------------------------------------------------------------------------------------------
    "not_checked": FindingText(
        "有内容无法检查", "something could not be checked",
        "先处理本案的其他发现，再审计一次", "mend what else is found in the case, then audit again", "audit", "warning"),
    "baseline_unused": FindingText(
        "基线中的一项不再对应任何发现", "an entry of the baseline no longer matches anything that is found",
        "从基线文件中删除该项，或用 --write-baseline 重写",
        "delete the entry from the file, or write the baseline anew with --write-baseline",
        "audit", "note"),
}
