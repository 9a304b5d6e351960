"""Signing: keys, signed notes and checkpoints in the forms of C2SP (``docs/ledger.md``).

Verifying is :mod:`casework.verifier`'s.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from casework.errors import StoreError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: The types of Ed25519 keys in signed notes: that of a log, and that of a witness, which cosigns.
ED25519, COSIGNATURE = b"\x01", b"\x04"
_ORIGIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}(/[a-z0-9][a-z0-9.-]{0,62}){0,3}")
_PRIVATE = "PRIVATE+KEY+"


def is_origin(text: str) -> bool:
    """Whether that may name a ledger: a name like ``shop.example/cases``, which is also a folder's."""
    return _ORIGIN.fullmatch(text) is not None and ".." not in text


class Checkpoint(NamedTuple):
    """The state of a ledger: whose, how many leaves, and their root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text of its note."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class Signer:
    """A ledger's signing key. ``seed`` is its 32 random bytes."""

    kind: ClassVar[bytes] = ED25519

    def __init__(self, origin: str, seed: bytes) -> None:
        # cryptography takes as long to import as all the rest of a command, and only what signs needs it.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self.origin = origin
        self._seed = seed
        self._key: Ed25519PrivateKey = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self._hash = hashlib.sha256(f"{origin}\n".encode() + self.kind + public).digest()[:4]
        #: What verifies its signatures.
        self.vkey = f"{origin}+{self._hash.hex()}+{base64.b64encode(self.kind + public).decode()}"

    @classmethod
    def read(cls, text: str) -> Self:
        """The key of a key file. ValueError for what is none."""
        origin, mark, secret = text.strip().removeprefix(_PRIVATE).split("+", 2)
        raw = base64.b64decode(secret, validate=True)
        if not text.startswith(_PRIVATE) or raw[:1] != cls.kind or len(raw) != 33 or not is_origin(origin):
            raise ValueError("no Ed25519 signing key")
        made = cls(origin, raw[1:])
        if made._hash.hex() != mark:
            raise ValueError("the key's hash is not that of the key")
        return made

    def private(self) -> str:
        """The key as its file holds it."""
        secret = base64.b64encode(self.kind + self._seed).decode()
        return f"{_PRIVATE}{self.origin}+{self._hash.hex()}+{secret}\n"

    def signature(self, text: str) -> str:
        """The line that signs the text."""
        return self._line(self._key.sign(text.encode()))

    def _line(self, signature: bytes) -> str:
        return f"— {self.origin} {base64.b64encode(self._hash + signature).decode()}\n"


class Cosigner(Signer):
    """A witness's key, which says when it saw a checkpoint (https://c2sp.org/tlog-cosignature, cosignature/v1)."""

    kind = COSIGNATURE

    def cosignature(self, text: str, time: int) -> str:
        """The line that cosigns a checkpoint's text at that time (POSIX seconds)."""
        return self._line(time.to_bytes(8, "big") + self._key.sign(f"cosignature/v1\ntime {time}\n{text}".encode()))


def signed(text: str, *signers: Signer) -> str:
    """The text as a note signed by these."""
    return text + "\n" + "".join(signer.signature(text) for signer in signers)


def key_note(signer: Signer, size: int, before: Signer | None = None) -> str:
    """The note by which a key begins to sign at ``size`` leaves, signed by the key before it, and by itself."""
    text = f"{signer.origin}\ncasework/key/1\n{signer.vkey}\n{size}\n"
    return signed(text, before, signer) if before else signed(text, signer)


def refuse_origin(origin: str) -> None:
    """Raise :class:`~casework.errors.StoreError` for what may not name a ledger."""
    if not is_origin(origin):
        raise StoreError(
            f"'{origin[:60]}' cannot name a ledger; write lower-case letters, digits, '.' and '-', in up to four parts with '/' "
            "between, such as shop.example/cases",
            f"“{origin[:60]}”不能作为账本名；请用小写字母、数字、“.”“-”，最多四段，以“/”分隔，例如 shop.example/cases")
