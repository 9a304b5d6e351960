"""Files that a command is given to verify: read whole, up to what the verifier takes, or refused in one line."""

from __future__ import annotations

import sys
from pathlib import Path

from casework import verifier
from casework.errors import InputError


def read(path: str | Path, where: str = "", *, most: int = verifier.MAX_BYTES) -> bytes:
    """The content of a regular file, or of standard input for ``-``. :class:`~casework.errors.InputError`."""
    name = where or str(path)
    try:
        if str(path) == "-":
            data = b"" if sys.stdin is None else sys.stdin.buffer.read(most + 1)
        else:
            if not Path(path).is_file():
                raise InputError(f"{path} is no file; name one that is there", f"{path} 不是文件；请指定存在的文件", where)
            with open(path, "rb") as file:
                data = file.read(most + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({error}); check path and permissions", f"无法读取（{error}）；请检查路径与权限",
                         name) from error
    if len(data) > most:
        raise InputError(f"is longer than {most // 1024} KiB", f"超过 {most // 1024} KiB", name)
    return data


def trust(key: str, keys: str | None, witnesses: tuple[str, ...] = (), quorum: int | None = None) -> verifier.Trust:
    """Whom to trust: a verification key, or a file with it, and its successors in a file of keys.

    :class:`~casework.errors.InputError` for a key that is none, NotVerified for a file of keys that does not lead on from it.
    """
    vkey = key if key.count("+") > 1 else read(key, "--key").decode("utf-8", "replace").removesuffix("\n")
    successors = None if keys is None else read(keys, "--keys")
    try:
        return verifier.Trust.of(vkey, successors, witnesses, quorum)
    except verifier.CannotRun as error:
        raise InputError(error.en, error.zh, "--key") from None
