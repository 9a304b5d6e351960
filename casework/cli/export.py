"""Write a store's columns for other programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click

from casework.cli.base import Command, Settings, common, option, say
from casework.cli.files import whole
from casework.cli.read import known
from casework.errors import InputError
from casework.store.row import Row


@click.command("export", cls=Command,
               zh="把案件的事件列写成 CSV 或 Parquet：案件、版本、主题、步骤、状态、时间；不含内容，也不含商家记录。")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("cases", metavar="[CASE]...", nargs=-1)
@option("--format", "form", type=click.Choice(["csv", "parquet"]), help="csv or parquet [by the ending of FILE, else csv].",
        zh="csv 或 parquet [按 FILE 的后缀，否则 csv]")
@option("--overwrite", is_flag=True, help="Replace a file that is there.", zh="允许替换已有的文件")
@common
def export(settings: Settings, file: Path, cases: tuple[str, ...], form: str | None, overwrite: bool) -> int:
    """Write the events' columns (case, version, topic, trigger, states, times) to a file, or as CSV to - (stdout).

    The texts that were said are not among them, nor are merchants' streams: they are no cases. audit --log reads the file.
    """
    from casework.exchange.columns import write_csv, write_parquet
    from casework.store.opening import open_reader

    form = form or ("parquet" if file.suffix == ".parquet" else "csv")
    with open_reader(settings.store) as reader:
        rows: Iterator[Row] = reader.rows() if not cases else chain.from_iterable(
            [known(reader.rows(case), case) for case in dict.fromkeys(cases)])
        if str(file) == "-":
            if form == "parquet" or settings.json:
                raise InputError("on stdout only CSV is written; name a file", "标准输出只能写 CSV；请给出文件名", "FILE")
            write_csv(rows, sys.stdout)
            return 0
        if overwrite:
            _require_own(file)
        with whole(file, "FILE", replace=overwrite) as beside:
            if form == "parquet":
                try:
                    count = write_parquet(rows, beside)
                except ModuleNotFoundError:
                    raise InputError("Parquet takes pyarrow; install it with: pip install 'casework[columns]'",
                                     "Parquet 需要 pyarrow；请安装：pip install 'casework[columns]'", "--format") from None
            else:
                with beside.open("w", encoding="utf-8", newline="") as out:
                    count = write_csv(rows, out)
    settings.answer({"file": str(file), "format": form, "events": count},
                    lambda: [say(f"{file}：{count} 个事件", f"{file}: {count} events")])
    return 0


def _require_own(file: Path) -> None:
    """Only what this command writes is ever replaced: not the store, nor anything else that a wrong name may hit."""
    from casework.exchange.columns import HEAD

    if not file.is_file():
        return
    with file.open("rb") as there:
        held = there.read(len(HEAD))
    if held and held != HEAD and held[:4] != b"PAR1":
        raise InputError(f"only an export is overwritten, and {file} is none; name another file",
                         f"只能替换导出的文件，而 {file} 不是；请换一个文件名", "FILE")
