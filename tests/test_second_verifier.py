"""Two verifiers of receipts, written apart, agree on what is changed, and neither takes what was not signed."""

from __future__ import annotations

import pytest
import second_verifier
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from harness import receipts
from ledger_helpers import LOG

# RFC 8032, 7.1: public key, message, signature.
PUBLISHED = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
]


@pytest.mark.parametrize(("public", "message", "signature"), PUBLISHED)
def test_the_second_verifier_knows_the_published_signatures(public: str, message: str, signature: str) -> None:
    key, said, signed = map(bytes.fromhex, (public, message, signature))
    assert second_verifier.verified(key, said, signed)
    assert not second_verifier.verified(key, said + b"x", signed)
    s = int.from_bytes(signed[32:], "little") + second_verifier.L
    assert not second_verifier.verified(key, said, signed[:32] + s.to_bytes(32, "little"))


def test_the_second_verifier_takes_what_the_library_signs() -> None:
    for seed in range(5):
        private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        assert second_verifier.verified(private.public_key().public_bytes_raw(), b"said", private.sign(b"said"))


def test_both_verifiers_give_every_true_receipt_the_same_meaning() -> None:
    for data in receipts.originals():
        meaning = receipts.by_first(data)
        assert meaning is not None
        assert meaning == receipts.by_second(data)
        assert meaning.origin == LOG.name


def test_no_changed_receipt_is_taken_and_the_two_agree_on_each() -> None:
    outcome = receipts.mutations(2_000, seed=2)
    assert (outcome.disagreed, outcome.accepted) == ([], [])
    assert {kind.__name__ for kind in receipts.KINDS} | {"event"} == set(outcome.tried)
    assert sum(outcome.same.values()) < 60


def test_a_receipt_that_says_something_else_would_be_reported() -> None:
    """The control: the judge, given another true receipt in place of a changed one, sees that it was taken."""
    one, other = receipts.originals()[:2], receipts.impostor(receipts.Random(1), b"")
    outcome = receipts.Outcome()
    receipts._judge(outcome, "control", "1", one[0], receipts.sample(9, 3).receipt(1), None)
    receipts._judge(outcome, "control", "2", one[0], other, None)
    assert [line[:9] for line in outcome.accepted] == ["1 control"]


def test_the_two_agree_on_entries_of_every_shape_that_the_key_itself_signed() -> None:
    outcome = receipts.forms(500, seed=2)
    assert outcome.disagreed == []
    assert min(outcome.tried["taken"], outcome.tried["refused"]) > 50


def test_a_receipt_is_short_and_fast_at_a_million_commits() -> None:
    found = receipts.figures(times=20)
    assert found.usual <= found.longest <= 2_048
    assert found.median_ms < 5
