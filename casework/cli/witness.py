"""Be a witness: cosign what a ledger shows, if it shows one history only."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework import verifier
from casework.cli import inputs
from casework.cli.base import Command, Settings, common, now, option, say
from casework.cli.journals import state_folder
from casework.errors import InputError, StoreError
from casework.report.text import escape

if TYPE_CHECKING:
    from casework.store.ledger.note import Cosigner


@click.command("witness", cls=Command,
               zh="作为见证人：记住账本最后出示的检查点，只有当新的检查点延续它时才签名见证。分叉、回退或起点不符一律拒绝。")
@click.argument("request")
@option("--key", required=True, metavar="VKEY", help="The ledger's verification key, or a file with it.",
        zh="账本的验证公钥，或含它的文件")
@option("--keys", metavar="FILE", help="The ledger's keys: follow the successors of that one.",
        zh="账本的公钥文件：沿该公钥向后追踪")
@option("--state", metavar="FOLDER", help="What this witness remembers [~/.local/state/casework-witness].",
        zh="此见证人的记录 [~/.local/state/casework-witness]")
@option("--witness-key", "key_file", metavar="FILE", help="Its signing key, made where there is none [FOLDER/key].",
        zh="见证人的签名密钥，没有则生成 [FOLDER/key]")
@option("--name", metavar="NAME", help="The name of a key that is made, such as witness.example [a random one].",
        zh="新建密钥的名称，例如 witness.example [随机名]")
@option("--whole", is_flag=True, help="The whole cosigned checkpoint, and not only the line to append.",
        zh="输出完整的见证检查点，而不只是待追加的一行")
@common
def witness(settings: Settings, request: str, key: str, keys: str | None, state: str | None, key_file: str | None,
            name: str | None, whole: bool) -> int:
    """Cosign a ledger's checkpoint if it adds to the last one seen of it; a fork, a step back or another start is refused.

    REQUEST is what `casework checkpoint --old SIZE` prints; `-` reads it from standard input.
    """
    from casework.store.ledger.witness import Witness

    try:
        trust = inputs.trust(key, keys)
    except verifier.NotVerified as error:
        raise InputError(error.en, error.zh, "--keys") from None
    folder = Path(state) if state else state_folder().with_name("casework-witness")
    asked = inputs.read(request)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be made ({error.strerror}); name another",
                         f"无法建立目录 {folder}（{error.strerror}）；请指定其他目录", "--state") from error
    signer = _key(Path(key_file) if key_file else folder / "key", name)
    at = now()
    done = Witness(folder, signer).cosign(asked, trust, int(at.timestamp()))
    settings.answer_exactly(
        {"origin": done.checkpoint.origin, "size": done.checkpoint.size, "root": done.checkpoint.root.hex(),
         "witness": signer.vkey, "at": at.replace(microsecond=0), "cosignature": done.line.rstrip("\n"),
         "checkpoint": done.whole},
        done.whole if whole else done.line)
    return 0


def _key(place: Path, name: str | None) -> Cosigner:
    """The key in that file; made there on first use, which is told together with what verifies it."""
    from casework.store.ledger.journal import sync_folder, write_new
    from casework.store.ledger.note import Cosigner, refuse_origin

    try:
        if not place.exists():
            made = name or f"local-witness/{secrets.token_hex(8)}"
            refuse_origin(made)
            key = Cosigner(made, secrets.token_bytes(32))
            write_new(place, key.private(), 0o600)
            sync_folder(place.parent)
            click.echo(escape(say(f"已生成见证人密钥 {place}；验证公钥：{key.vkey}",
                                  f"made the witness's key {place}; it is verified by: {key.vkey}")), err=True)
        found = Cosigner.read(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{place}: the witness's key cannot be used ({error.strerror}); check folder and permissions",
                         f"{place}：见证人密钥不可用（{error.strerror}）；请检查目录与权限") from error
    except ValueError:
        raise StoreError(f"{place} is no key of a witness; restore it, or name another with --witness-key",
                         f"{place} 不是见证人密钥；请恢复，或用 --witness-key 指定其他文件") from None
    if name not in (None, found.origin):
        raise InputError(f"the key in {place} is that of {found.origin}", f"{place} 中的密钥属于 {found.origin}", "--name")
    return found
