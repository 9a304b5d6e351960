"""A witness cosigns one history and no other, and whoever trusts it can hold a checkpoint against it; a time stamp says when."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import ledger_helpers as spec
import pytest
from cli_helpers import GIVEN, casework, given_case, pairs
from ledger_helpers import Signer, consistency, root_of

from casework import verifier

LEAVES = [spec.leaf_of(b"%d" % n) for n in range(9)]
OTHER = [*LEAVES[:2], *(spec.leaf_of(b"other %d" % n) for n in range(7))]
WITNESS = ("--key", spec.LOG.vkey, "--state", "state", "--name", "witness.example")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def request(old: int, new: int, leaves: list[bytes] = LEAVES, signer: Signer = spec.LOG, proof: list[bytes] | None = None) -> str:
    """An add-checkpoint request in a file; the proof is that of these leaves unless given."""
    lines = consistency(leaves[:new], old) if proof is None and 0 < old < new else proof or []
    text = "".join(f"{line}\n" for line in (f"old {old}", *map(spec.b64, lines), ""))
    Path("request").write_bytes(text.encode() + spec.checkpoint(new, root_of(leaves[:new]), signer))
    return "request"


def cosigned(old: int, new: int, *more: str) -> str:
    ran = casework("witness", request(old, new), *WITNESS, *more)
    assert ran.status == 0, ran
    return ran.out


def seen() -> list[bytes]:
    return sorted(p.read_bytes() for p in Path("state").iterdir() if len(p.name) == 64)


def vkey() -> str:
    return str(casework("witness", request(9, 9), *WITNESS, "--json").document()["witness"])


def test_a_ledger_that_only_grows_is_cosigned_and_the_verifier_accepts_it() -> None:
    lines = [cosigned(old, new) for old, new in ((0, 1), (1, 4), (4, 4), (4, 9))]
    assert all(line.startswith("— witness.example ") for line in lines)
    noted = spec.checkpoint(9, root_of(LEAVES)) + lines[-1].encode()
    Path("checkpoint").write_bytes(noted)
    assert verifier.verify_checkpoint(noted, verifier.Trust.of(spec.LOG.vkey, witnesses=[vkey()])).size == 9
    told = casework("verify", "checkpoint", "--key", spec.LOG.vkey, "--witness", vkey()).ok().out
    assert "The witness witness.example cosigned it at 2" in told
    Path("checkpoint").write_bytes(spec.checkpoint(9, root_of(LEAVES)))
    refused = casework("verify", "checkpoint", "--key", spec.LOG.vkey, "--witness", vkey())
    assert refused.status == 1 and "NOT verified" in refused.out


def test_the_whole_cosigned_checkpoint_is_the_note_and_the_line() -> None:
    whole = cosigned(0, 3, "--whole").encode()
    assert whole.startswith(spec.checkpoint(3, root_of(LEAVES[:3])))
    assert [note.count(b"\n") for note in seen()] == [5], "what is remembered is the note as the ledger signed it"


def test_the_key_is_made_once_for_its_owner_alone_and_told() -> None:
    first = casework("witness", request(0, 1), *WITNESS)
    assert first.status == 0 and "made the witness's key state/key" in first.err and "witness.example+" in first.err
    assert Path("state/key").stat().st_mode & 0o777 == 0o600
    again = casework("witness", request(1, 2), *WITNESS)
    assert (again.status, again.err) == (0, "")
    casework("witness", request(2, 2), *WITNESS[:4], "--name", "other.example").fails("--name", "witness.example")
    Path("state/key").write_text("nonsense")
    casework("witness", request(2, 2), *WITNESS).fails("no key of a witness")


@pytest.mark.parametrize(("made", "word"), [
    (lambda: request(4, 9, OTHER), "another history"),
    (lambda: request(4, 4, OTHER), "another history"),
    (lambda: request(2, 3), "goes back from 4 commits"),
    (lambda: request(4, 3, proof=[b"x" * 32]), "goes back from 4 commits"),
    (lambda: request(2, 9), "begins at 2 commits, and this witness last saw 4"),
    (lambda: request(0, 9), "casework checkpoint --old 4"),
    (lambda: request(4, 9, proof=[b"x" * 32]), "another history"),
    (lambda: request(4, 9, signer=Signer(seed=2)), "no signature"),
    (lambda: request(4, 9, signer=Signer(name="other.example")), "no signature"),
    (lambda: str(Path("request").write_text("hello") and "request"), "no request"),
    (lambda: str(Path("request").write_text("old 04\n\nx\n") and "request"), "no request"),
    (lambda: str(Path("request").write_bytes(b"old 4\n\n\xff\n") and "request"), "UTF-8"),
], ids=["fork", "fork at one size", "step back", "step back from what was seen", "other size", "from nothing", "false proof",
        "other key", "other origin", "no request", "zero before", "not text"])
def test_what_does_not_continue_what_was_seen_is_refused_and_nothing_is_remembered(made: object, word: str) -> None:
    cosigned(0, 4)
    before = seen()
    ran = casework("witness", made(), *WITNESS)  # type: ignore[operator]
    assert (ran.status, ran.out) == (1, "")
    ran.says("not cosigned", word)
    assert seen() == before
    cosigned(4, 9)


def test_a_first_request_has_no_proof() -> None:
    assert casework("witness", request(0, 3, proof=[b"x" * 32]), *WITNESS).status == 1


def test_a_memory_that_was_altered_is_not_begun_anew() -> None:
    cosigned(0, 4)
    [remembered] = [p for p in Path("state").iterdir() if len(p.name) == 64]
    for bad in (b"", b"\xff", spec.checkpoint(4, root_of(LEAVES[:4]), origin="other.example")):
        remembered.write_bytes(bad)
        casework("witness", request(0, 4), *WITNESS).fails("restore it")


def test_successors_of_the_key_are_followed_by_the_file_of_keys() -> None:
    new = Signer(seed=7)
    cosigned(0, 4)
    Path("keys").write_bytes(spec.key_note(spec.LOG, 0, spec.LOG) + b"\n" + spec.key_note(new, 5, spec.LOG, new))
    assert casework("witness", request(4, 9, signer=new), *WITNESS).status == 1
    assert casework("witness", request(4, 9, signer=new), *WITNESS, "--keys", "keys").status == 0
    Path("keys").write_bytes(b"nonsense")
    casework("witness", request(9, 9, signer=new), *WITNESS, "--keys", "keys").fails("--keys")


def test_of_two_ledgers_that_part_under_one_key_only_the_first_is_cosigned() -> None:
    casework("init", "--journal", "journal").ok()
    casework("open", "K-1", "--by", "consumer", *pairs(GIVEN), "--journal", "journal").ok()
    key = casework("checkpoint", "--key", "--journal", "journal").ok().out.strip()
    shutil.copytree("journal", "other-journal")
    shutil.copy("casework.db", "other.db")
    asked = ("witness", "request", "--key", key, "--state", "state")

    def shown(old: int, *where: str) -> int:
        Path("request").write_text(casework("checkpoint", "--old", str(old), *where).ok().out)
        return casework(*asked).status

    here, there = ("--journal", "journal"), ("--journal", "other-journal", "--store", "other.db")
    assert shown(0, *here) == 0
    for case, where in (("K-2", here), ("K-3", there)):
        casework("open", case, "--by", "consumer", *pairs(GIVEN), *where).ok()
    assert shown(1, *here) == 0
    assert shown(2, *there) == 1
    casework(*asked).says("another history", "keep the request")


def test_nonsense_for_a_key_or_a_file_is_one_line() -> None:
    casework("witness", request(0, 1), "--key", "a+b+c", "--state", "state").fails("--key", "no verification key")
    casework("witness", "none", *WITNESS).fails("none", "no file")
    casework("witness", request(0, 1), *WITNESS[:4], "--name", "A B").fails("cannot name")
    Path("taken").touch()
    casework("witness", request(0, 1), *WITNESS[:2], "--state", "taken").fails("--state")


# --- verify as a command -----------------------------------------------------------------------------------------------------


def test_verify_says_what_the_verifier_says_in_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    given_case(steps=2)
    key = casework("checkpoint", "--key").ok().out.strip()
    casework("receipt", "K-1", "--with-event", "--out", "r").ok()
    for argv in (["r", "--key", key], ["r", "--key", spec.LOG.vkey]):
        for more in ([], ["--json"]):
            ran = casework("verify", *argv, *more)
            status = verifier.main([*argv, *more, "--lang", "en"])
            found = capsys.readouterr().out
            assert ran.status == status == (0 if key in argv else 1)
            assert (json.loads(ran.out) == json.loads(found)) if more else (ran.out == found)
    casework("verify", "casework.db", "--key", key).fails("--checkpoint")
    casework("verify", "none", "--key", key).fails("no file")


@pytest.mark.stores
def test_a_receipt_with_any_byte_changed_is_not_verified() -> None:
    given_case()
    key = casework("checkpoint", "--key").ok().out.strip()
    Path("r").write_text(casework("receipt", "K-1").ok().out)
    assert casework("verify", "r", "--key", key).status == 0
    whole = Path("r").read_bytes()
    for place in range(0, len(whole), 29):
        Path("r").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        assert casework("verify", "r", "--key", key).status == 1, place


# --- time stamps -------------------------------------------------------------------------------------------------------------

TSA = """\
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[leaf]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = here
[here]
serial = serial
crypto_device = builtin
signer_cert = leaf.pem
signer_key = leaf.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)


@pytest.fixture
def authority() -> None:
    """A time stamp authority of our own, in this folder: ``ca.pem`` is its root."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pytest.importorskip("rfc3161_client", reason="the extra 'stamp' is not installed")
    Path("tsa.cnf").write_text(TSA)
    for name, parent in (("ca", ""), ("leaf", "ca"), ("other", "")):
        openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", f"{name}.key")
        openssl("req", "-new", "-config", "tsa.cnf", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        signing = ["-CA", f"{parent}.pem", "-CAkey", f"{parent}.key", "-CAcreateserial"] if parent else ["-key", f"{name}.key"]
        openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-days", "30", "-extfile", "tsa.cnf", "-extensions",
                "leaf" if parent else "ca", "-out", f"{name}.pem")
    Path("serial").write_text("01\n")


@pytest.mark.stores
@pytest.mark.usefixtures("authority")
def test_a_time_stamp_over_the_checkpoint_is_verified_with_the_checkpoint_and_its_receipts() -> None:
    given_case()
    key = casework("checkpoint", "--key").ok().out.strip()
    Path("checkpoint").write_text(casework("checkpoint", "--stamp-request", "query").ok().out)
    openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "response")
    Path("receipt").write_text(casework("receipt", "K-1").ok().out)
    stamp = ("--stamp", "response", "--tsa", "ca.pem")
    for file in ("checkpoint", "receipt"):
        assert "stamped the checkpoint at 20" in casework("verify", file, "--key", key, *stamp).ok().out
    Path("request").write_text(casework("checkpoint", "--old", "0").ok().out)
    with Path("checkpoint").open("a") as file:
        file.write(casework("witness", "request", "--key", key, "--state", "state").out)
    assert "stamped_at" in casework("verify", "checkpoint", "--key", key, *stamp, "--json").document(), "cosigned since"
    for wrong in (("response", "other.pem"), ("query", "ca.pem")):
        ran = casework("verify", "receipt", "--key", key, "--stamp", wrong[0], "--tsa", wrong[1])
        assert ran.status == 1 and "NOT verified" in ran.out
    altered = bytearray(Path("response").read_bytes())
    altered[-5] ^= 1
    Path("altered").write_bytes(altered)
    assert casework("verify", "receipt", "--key", key, "--stamp", "altered", "--tsa", "ca.pem").status == 1
    given_case("K-2")
    Path("later").write_text(casework("checkpoint").ok().out)
    assert casework("verify", "later", "--key", key, *stamp).status == 1, "another checkpoint was stamped"
    casework("verify", "later", "--key", key, "--stamp", "response").fails("--tsa")
    casework("verify", "later", "--key", key, "--stamp", "response", "--tsa", "leaf.pem").fails("no root certificate")
    casework("verify", "later", "--key", key, "--stamp", "response", "--tsa", "query").fails("no root certificate")
