"""Copy a store into another."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from casework.cli.base import Command, Settings, common, complain, say
from casework.cli.journals import journaled, writing
from casework.errors import CaseworkError, InputError
from casework.report.text import escape

if TYPE_CHECKING:
    from casework.store.copying import Copied


@click.command("copy", cls=Command, zh="把一个案件库复制到另一个：逐字节、逐叶子相同；中断后可继续，旧副本会补上其后的提交。")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@journaled
@common
def copy(settings: Settings, source: str, target: str, journal: str | None) -> int:
    """Copy a store into another: the same bytes under the same leaves, and so the same root; signed under a name of its own.

    A copy that was broken off goes on, and an older one takes what was recorded since. In the end every leaf of the copy is made
    anew from its rows and held against FROM.
    """
    from casework.store import copying
    from casework.store.opening import open_reader
    from casework.store.url import parse, shown

    if parse(target).kind == "memory":
        raise InputError("a store in memory keeps no copy; name a file", "内存案件库无法保存副本；请指定文件", "TO")
    if click.get_current_context().get_parameter_source("store") is ParameterSource.COMMANDLINE:
        raise InputError("is not for copy, which takes FROM and TO; leave it out", "不用于 copy，请只给出 FROM 和 TO", "--store")
    if parse(source).place == parse(target).place:
        raise InputError("is the store that FROM is; name another", "与 FROM 是同一案件库；请指定其他案件库", "TO")
    with open_reader(source) as reader:
        copying.refuse_unsound(reader)  # before anything is made in the place of the copy
    with open_reader(source) as reader, writing(settings._replace(store=target), journal, create=True) as store:
        origin = store.journal.origin if store.journal else None
        try:
            # Each leaf twice: copied, and compared.
            with click.progressbar(length=2 * reader.ledger().size() if reader.format() > 1 else 0, file=sys.stderr,
                                   label=say("复制", "copy"), hidden=not sys.stderr.isatty()) as bar:
                done = copying.copy(reader, store, bar.update)
        except CaseworkError as error:
            with store.reader() as held:
                if not held.totals().leaves:
                    raise
            raise type(error)(f"{error.en}; what {shown(target)} holds now is no copy of FROM",
                              f"{error.zh}；{shown(target)} 现有的内容不是来源的副本") from error
        except KeyboardInterrupt:
            complain(say("已中断；再次执行同一命令即可继续", "broken off; give the same command again to go on"))
            raise
    settings.answer(
        {"copy": shown(target), "commits": done.head.size, "root": done.head.root.hex(), "added": done.leaves,
         "events": done.events, "there": done.there, "origin": origin}, lambda: map(escape, _lines(shown(target), done, origin)))
    return 0


def _lines(target: str, done: Copied, origin: str | None) -> list[str]:
    root = done.head.root.hex()[:16]
    signed = (say(f"以账本 {origin} 之名签名", f"signed as {origin}") if origin else
              say("没有库外日志", "without a journal outside"))
    size = done.head.size
    return [say(f"{target}：与来源相同的 {size} 次提交（树根 {root}…），新增 {done.leaves} 次，事件 {done.events}；{signed}",
                f"{target}: the same {size} commits (root {root}…), {done.leaves} of them new, {done.events} events; {signed}")]
