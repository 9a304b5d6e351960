"""Back a store up, and prove the copy."""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework import verifier
from casework.cli.base import Command, Settings, common, option, say
from casework.cli.journals import folder_of, journaled
from casework.errors import InputError
from casework.report.text import escape

if TYPE_CHECKING:
    from casework.store.sqlite.backup import Proof


@click.command("backup", cls=Command,
               zh="备份案件库及其日志，并审计副本：未经审计的备份不是备份。从不覆盖；副本不能证明时留作 TO.unproved，状态 1。"
                  "PostgreSQL 案件库也备份成一个 SQLite 文件。")
@click.argument("to", metavar="TO")
@option("--audit/--no-audit", "audited", default=True, help="Prove and audit the copy [--audit].", zh="证明并审计副本 [--audit]")
@option("--with-key", is_flag=True, help="Copy the signing key too; whoever has it can sign for this ledger.",
        zh="同时复制签名密钥；持有者可以此账本之名签名")
@journaled
@common
def backup(settings: Settings, to: str, audited: bool, with_key: bool, journal: str | None) -> int:
    """Copy the store and its journal, and audit the copy: a backup not audited is not a backup.

    The copy is a store in one SQLite file, also where the original is in PostgreSQL.

    Checkpoints and keys lie in TO.journal, so that the copy can be proved elsewhere. Nothing is overwritten; a copy that cannot
    be proved is kept as TO.unproved, and the status is 1. It is 1 too where the audit has findings, which the store then has as
    well.
    """
    from casework.store.opening import copy_store, open_reader
    from casework.store.sqlite import backup as work
    from casework.store.url import parse

    if parse(to).kind != "sqlite":
        raise InputError("a backup is one file; into a server goes casework copy",
                         "备份是一个文件；复制到服务器请用 casework copy", "TO")
    place = Path(parse(to).path).absolute()
    work.refuse_taken(place)
    beside = work.journal_beside(place)
    made: list[Path] = []
    fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        with open_reader(settings.store) as reader:
            folder = folder_of(reader, journal)

        def copy_journal() -> None:
            if folder is not None and (folder / "checkpoints").is_file():
                work.copy_journal(folder, beside, with_key=with_key)
                made.append(beside)

        copy_store(settings.store, fresh, copy_journal)
        if not audited:
            work.publish(fresh, place)
            made.clear()
            settings.answer({"backup": str(place), "journal": str(beside) if beside.is_dir() else None, "proved": None},
                            lambda: [escape(say(f"{place}：未经审计，因而不是备份；请运行 casework audit --store {place}",
                                                f"{place}: not audited, and so no backup; run: casework audit --store {place}"))])
            return 0
        try:
            proof = work.prove(fresh, beside if beside.is_dir() else None)
        except verifier.NotVerified as error:
            kept, en, zh = work.unproved(place), error.en, error.zh
            work.publish(fresh, work.unproved(place))
            made.clear()
            settings.answer(
                {"backup": str(kept), "journal": str(beside) if beside.is_dir() else None, "proved": False, "en": en, "zh": zh},
                lambda: [escape(say(f"{kept}：未能证明，不是备份（{zh}）；请审计案件库本身：casework audit",
                                    f"{kept}: NOT proved, no backup ({en}); audit the store itself: casework audit"))])
            return 1
        events, findings = _audit(fresh, beside if beside.is_dir() else None)
        work.publish(fresh, place)
    except BaseException:
        # Without a store of that name it proves nothing, and keeps the next attempt from it.
        for each in made:
            shutil.rmtree(each, ignore_errors=True)
        raise
    finally:
        work.drop(fresh)
    settings.answer(
        {"backup": str(place), "journal": str(beside) if beside.is_dir() else None, "proved": True, "by": proof.by,
         "size": proof.size, "root": proof.root.hex(), "later": proof.later, "events": events,
         "findings": sum(findings.values()), "by_code": dict(sorted(findings.items()))},
        lambda: map(escape, _lines(place, beside, proof, events, findings)))
    return 1 if findings else 0


def _audit(fresh: Path, journal: Path | None) -> tuple[int, Counter[str]]:
    """How many events the copy has, and what the audit finds in it, held against the journal that was copied with it."""
    from casework.audit.check import Summary, audit
    from casework.audit.integrity import Integrity
    from casework.audit.signed import Signed
    from casework.store.sqlite.reader import Reader

    counted = Summary()
    with Reader(fresh) as reader:
        seen = reader.snapshot()
        integrity = Integrity.of(reader, seen.leaves, Signed(journal) if journal else None, whole=True)
        for _ in audit(seen.rows, summary=counted, indexed=reader, integrity=integrity):
            pass
    return counted.events, counted.findings


def _lines(to: Path, beside: Path, proof: Proof, events: int, findings: Counter[str]) -> list[str]:
    root = proof.root.hex()[:16]
    said = {
        "journal": say(f"{to}：截至检查点 {proof.size}（树根 {root}…）完整，其后的提交 {proof.later}；检查点与公钥在 {beside}",
                       f"{to}: complete up to checkpoint {proof.size} (root {root}…), commits after it: {proof.later}; "
                       f"checkpoints and keys in {beside}"),
        "ledger": say(f"{to}：{proof.size} 次提交的记录、叶子与树相符；没有库外检查点，因而不能证明没有缺失",
                      f"{to}: rows, leaves and tree of {proof.size} commits fit each other; there is no checkpoint outside, so "
                      "that nothing is missing is not proved"),
        "nothing": say(f"{to}：此案件库没有账本，不能证明副本完整；可用 casework init --renew-ledger 开始",
                       f"{to}: this store has no ledger, so the copy is not proved complete; begin one: casework init "
                       "--renew-ledger"),
    }[proof.by]
    codes = ", ".join(f"{code} {count}" for code, count in sorted(findings.items()))
    found = say(f"事件 {events}，问题 {sum(findings.values())}", f"events: {events}, findings: {sum(findings.values())}")
    more = say(f"（{codes}）；案件库本身也有：casework audit", f" ({codes}); the store has them too: casework audit")
    return [said, found + (more if findings else "")]
