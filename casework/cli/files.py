"""Write a file that is whole or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from casework.errors import InputError


def write_whole(path: Path, text: str | bytes, where: str, *, replace: bool = False) -> None:
    """Write ``text`` (in UTF-8) to ``path``, whole or not at all. Raises as :func:`whole`."""
    with whole(path, where, replace=replace) as beside, open(beside, "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)


@contextmanager
def whole(path: Path, where: str, *, replace: bool = False) -> Iterator[Path]:
    """A new file beside ``path``, to be written; it takes the place of ``path`` once it is on disk.

    An existing file is left as it is unless it is to be replaced: :class:`~casework.errors.InputError`, said of the option
    ``where``, which also names every failure of the disk.
    """
    try:
        if not replace and os.path.lexists(path):
            raise FileExistsError
        path = Path(os.path.realpath(path)) if replace else path  # what a link leads to, not the link
        if replace and path.exists() and not path.is_file():
            raise InputError(f"{path} is no regular file; name one, or - for stdout where that is taken",
                             f"{path} 不是普通文件；请指定普通文件，或在允许时用 - 表示标准输出", where)
        beside = path.with_name(f".casework-{secrets.token_hex(8)}")
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        try:
            yield beside
            handle = os.open(beside, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
            if replace:
                os.replace(beside, path)
            else:
                # Unlike a rename, a link never takes the place of a file that came in between.
                os.link(beside, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(beside)
    except FileExistsError:
        raise there_already(path, where) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot write {path} ({why}); check the path, its folder and the disk",
                         f"无法写入 {path}（{why}）；请检查路径、目录和磁盘", where) from None


def there_already(path: Path, where: str) -> InputError:
    """That a file is there, and stays as it is."""
    return InputError(f"{path} is there already; name another file, or add --overwrite",
                      f"{path} 已存在；请换一个文件名，或加上 --overwrite", where)
