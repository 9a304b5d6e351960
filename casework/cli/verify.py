"""Verify what a ledger signed: :mod:`casework.verifier` as a command, and time stamps beside it."""

from __future__ import annotations

import base64
from typing import Any

import click

from casework import verifier
from casework.cli import inputs
from casework.cli.base import Command, Settings, common, option, say
from casework.errors import Conflict, InputError
from casework.report.text import escape, moment

#: How much of a file of checkpoints is looked through for the one that is stamped.
_MOST = 256 * verifier.MAX_BYTES


@click.command("verify", cls=Command,
               zh="离线验证账本签署的内容：回执、检查点、见证请求或案件库。只相信你给出的公钥；状态码 1 表示验证不通过。")
@click.argument("file")
@option("--key", required=True, metavar="VKEY", help="The verification key that you trust, or a file with it.",
        zh="你信任的验证公钥，或含它的文件")
@option("--keys", metavar="FILE", help="The ledger's keys: follow the successors of yours.",
        zh="账本的公钥文件：沿你的公钥向后追踪")
@option("--checkpoint", metavar="FILE", help="A checkpoint kept elsewhere, for a store or a request.",
        zh="另存的检查点，用于案件库或见证请求")
@option("--event", metavar="FILE", help="What the event says, for a receipt without it.", zh="事件内容，用于不含内容的回执")
@option("--witness", "witnesses", metavar="VKEY", multiple=True, help="A witness that must have cosigned.",
        zh="须已签名的见证人公钥")
@option("--quorum", metavar="N", type=click.IntRange(min=1), help="How many of the witnesses must have [all].",
        zh="所需见证数 [全部]")
@option("--stamp", metavar="FILE", help="A time stamp response (RFC 3161) over the checkpoint.",
        zh="对检查点的时间戳响应（RFC 3161）")
@option("--tsa", metavar="FILE", help="The root certificate that you trust for it, PEM; with those between, if any.",
        zh="你为此信任的根证书（PEM），可连同中间证书")
@common
def verify(settings: Settings, file: str, key: str, keys: str | None, checkpoint: str | None, event: str | None,
           witnesses: tuple[str, ...], quorum: int | None, stamp: str | None, tsa: str | None) -> int:
    """Verify offline what a ledger signed: a receipt, checkpoints, a request to a witness, or a store.

    It believes nothing but the key that you give it. Status 1 says that it is not verified.
    """
    if (stamp is None) != (tsa is None):
        raise InputError("a time stamp is verified by a certificate: give --stamp and --tsa",
                         "时间戳须以证书验证：请同时给出 --stamp 和 --tsa", "--stamp")
    given = None if event is None else inputs.read(event, "--event")
    try:
        trust = inputs.trust(key, keys, witnesses, quorum)
        proved = verifier.verify_file(file, trust, checkpoint=checkpoint, event=given)
        said, answer = list(verifier.told(proved)), verifier.facts(proved)
        if stamp is not None and tsa is not None:
            stamped = _stamped(proved, checkpoint if isinstance(proved, verifier.Store) and checkpoint else file, stamp, tsa)
            answer["stamped_at"] = stamped
            at = moment(stamped, settings.zone)
            said.append((f"The time stamp authority stamped the checkpoint at {at}.",
                         f"时间戳机构于 {at} 为该检查点加盖时间戳。"))
    except verifier.NotVerified as error:
        en, zh = f"NOT verified: {error.en}", f"验证不通过：{error.zh}"
        settings.answer({"verified": False, "en": en, "zh": zh}, lambda: [escape(say(zh, en))])
        return 1
    except verifier.CannotRun as error:
        raise InputError(error.en, error.zh) from None
    settings.answer(answer, lambda: [escape(say(zh, en)) for en, zh in said])
    return 0


def _stamped(proved: verifier.Proved, file: str, stamp: str, tsa: str) -> Any:
    """When the verified checkpoint was stamped. NotVerified."""
    try:
        from cryptography import x509
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
    except ImportError:
        raise InputError("time stamps need the extra: pip install 'casework[stamp]'",
                         "时间戳需要附加组件：pip install 'casework[stamp]'", "--stamp") from None
    try:
        certificates = x509.load_pem_x509_certificates(inputs.read(tsa, "--tsa"))
    except ValueError:
        certificates = []
    if not any(c.issuer == c.subject for c in certificates):
        raise InputError("holds no root certificate in PEM", "没有 PEM 格式的根证书", "--tsa")
    builder = VerifierBuilder()
    for certificate in dict.fromkeys(certificates):
        builder = (builder.add_root_certificate if certificate.issuer == certificate.subject
                   else builder.add_intermediate_certificate)(certificate)
    try:
        response = decode_timestamp_response(inputs.read(stamp, "--stamp"))
    except ValueError:
        raise verifier.NotVerified("this is no time stamp response", "这不是时间戳响应") from None
    why = ""
    for note in _notes(proved, file):
        try:
            builder.build().verify_message(response, note)
            return response.tst_info.gen_time
        except (VerificationError, ValueError) as error:
            why = verifier.shown(str(error), 200)
    raise verifier.NotVerified(f"the time stamp does not stamp this checkpoint under that certificate ({why})",
                               f"该时间戳未按此证书为该检查点加盖（{why}）")


def _notes(proved: verifier.Proved, file: str) -> list[bytes]:
    """The verified checkpoint's note as it may have been stamped: cosignatures may have been appended since."""
    checkpoint = (proved if isinstance(proved, verifier.Checkpoint) else
                  proved.last if isinstance(proved, verifier.Checkpoints) else proved.checkpoint)
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{base64.b64encode(checkpoint.root).decode()}\n\n".encode()
    data = inputs.read(file, most=_MOST)
    note, found = text, []
    for line in data[data.rfind(text) + len(text):].splitlines(keepends=True):
        if not line.startswith("— ".encode()):
            break
        note += line
        found.append(note)
    if not found:
        raise Conflict("the checkpoint is not in the file any more", "文件中已没有该检查点")
    return found
