"""Reckon the sums of a settlement that no record of the rulebook fixes. Nothing here reads a store."""

from __future__ import annotations

from typing import Any

import click

from casework.cli.base import Command, Settings, common, lang, option
from casework.cli.rules import yuan
from casework.errors import InputError

#: Which options each kind of sum needs, and which it may have.
NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "difference": (("paid", "lower"), ()),
    "bundle": (("paid", "part", "returned"), ()),
    "repriced": (("paid", "kept"), ()),
    "recovery": (("advance", "deposit"), ()),
    "freight": (("fault",), ("free_shipping",)),
}


@click.command("sum", cls=Command, zh="计算没有固定数额的款项：差价、套装部分退货、按单价重算的退款、垫付追偿、运费由谁承担。")
@click.argument("kind", type=click.Choice(list(NEEDS)))
@option("--paid", metavar="YUAN", help="What was paid, in all.", zh="实付总额（元）")
@option("--lower", metavar="YUAN", help="The lower price that was due.", zh="应付的较低价格（元）")
@option("--part", metavar="YUAN", multiple=True, help="The price of a part of the bundle; once for each, in order.",
        zh="套装中一件的单价（元）；按顺序每件一次")
@option("--returned", metavar="N", type=click.IntRange(min=1), multiple=True, help="The part that goes back, from 1 on.",
        zh="退回的是第几件（从 1 起）")
@option("--kept", metavar="YUAN", multiple=True, help="The own price of a part that is kept.", zh="留下的一件的单价（元）")
@option("--advance", metavar="YUAN", help="What the platform paid first.", zh="平台先行赔付的金额（元）")
@option("--deposit", metavar="YUAN", help="What the merchant's deposit holds.", zh="商家保证金余额（元）")
@option("--fault", type=click.Choice(["merchant", "consumer", "none", "unclear"]), help="Whose fault sends the goods back.",
        zh="退货因谁的过错：merchant 商家、consumer 消费者、none 无理由、unclear 无法查明")
@option("--free-shipping", is_flag=True, help="The price included the first delivery.", zh="包邮")
@common
def sum_(settings: Settings, kind: str, **given: Any) -> int:
    """What is given back or borne: a price difference, part of a bundle, an advance recovered, freight; with its reckoning."""
    from casework.domain import sums
    from casework.report import sums as report

    said = {name: value for name, value in given.items() if value not in (None, (), False)}
    needed, more = NEEDS[kind]
    for name in (n for n in needed if n not in said):
        raise InputError(f"{kind} needs --{name}; add it", f"{kind} 需要 --{name}；请加上")
    for name in (n for n in said if n not in (*needed, *more)):
        option_ = f"--{name.replace('_', '-')}"
        raise InputError(f"has no place in {kind}; leave it out", f"不用于 {kind}；请去掉", option_)
    if kind != "freight":
        said = {name: value if name == "returned" else tuple(yuan(v, f"--{name}") for v in value) if isinstance(value, tuple)
                else yuan(value, f"--{name}") for name, value in said.items()}
    try:
        view = {
            "difference": lambda: report.difference(said["paid"], said["lower"]),
            "bundle": lambda: report.bundle(said["paid"], said["part"], [n - 1 for n in said["returned"]]),
            "repriced": lambda: report.repriced(said["paid"], said["kept"]),
            "recovery": lambda: report.recovery(sums.recover(said["advance"], said["deposit"])),
            "freight": lambda: report.freight(said["fault"], free_shipping="free_shipping" in said),
        }[kind]()
    except ValueError:
        if kind == "difference":
            raise InputError("is more than what was paid; give the price that was due", "高于实付；请给出应付的较低价格",
                             "--lower") from None
        raise InputError("are all nothing; give the price of each part", "不能全为零；请给出每件的单价", "--part") from None
    except IndexError:
        raise InputError(f"the parts are 1 to {len(said['part'])}; name one of them",
                         f"只有第 1 至 {len(said['part'])} 件；请给出其中之一",
                         "--returned") from None
    settings.answer(view, lambda: report.lines(view, lang()))
    return 0
