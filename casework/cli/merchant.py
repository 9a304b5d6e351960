"""Look at a merchant."""

from __future__ import annotations

import click

from casework.cli.base import Command, Settings, common, complain, lang, moment, now, option, say
from casework.cli.journals import views_of


@click.command("merchant", cls=Command,
               zh="查看商家：各类扣分、措施、处罚与公示、垫付欠款、申诉，以及由案件记录得出的记分卡（须通读案件库）。")
@click.argument("merchant", metavar="ID")
@option("--as-of", metavar="TIME", help="As it was recorded up to that time.", zh="截至该时间已记录的内容")
@common
def merchant(settings: Settings, merchant: str, as_of: str | None) -> int:
    """How a merchant stands: points, measures, penalties, advances, appeals, and a scorecard of his recorded cases."""
    from casework.application.kept import Kept
    from casework.application.merchant import merchant_view
    from casework.domain.standing.events import merchant_of, stream_of
    from casework.report.merchant import merchant_lines
    from casework.store.opening import open_reader

    at = moment(as_of, "--as-of")
    who = merchant_of(merchant)
    with open_reader(settings.store) as reader, Kept(reader, views_of(reader.place)) as kept:
        view = merchant_view(kept.rows_of(who, stream_of(who)), who, at or now(), as_of=at)
    settings.answer(view, lambda: merchant_lines(view, lang(), settings.zone))
    for case in view["unreadable"]:
        complain(say(f"案件“{case}”无法读取，未计入；请运行 casework audit",
                     f"case '{case}' cannot be read and is not counted; run: casework audit"))
    return 1 if view["unreadable"] else 0
