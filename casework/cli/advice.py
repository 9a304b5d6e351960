"""Advise: what may be claimed, who proves what, where else to go. Nothing here records anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import Any

import click

from casework.cli.base import Command, Settings, common, lang
from casework.cli.read import AS_OF, VERSION, facts_of_case, seen_from
from casework.report import advice as report


@click.command("claims", cls=Command, zh="可以主张什么、多少、依据什么、由谁支持，以及计算过程和条件。")
@click.argument("case")
@AS_OF
@VERSION
@common
def claims(settings: Settings, case: str, as_of: str | None, version: int | None) -> int:
    """What may be claimed, how much, by which rule and from whom, with the reckoning and the conditions."""
    from casework.application.advice import claims_view

    return _advise(settings, case, as_of, version, claims_view, report.claims_lines)


@click.command("burden", cls=Command, zh="谁要先证明什么、已经提供什么、还缺什么，以及怎样回应商家的理由。")
@click.argument("case")
@AS_OF
@VERSION
@common
def burden(settings: Settings, case: str, as_of: str | None, version: int | None) -> int:
    """Who must prove what first, what is shown, what is missing, and what answers the merchant's excuse."""
    from casework.application.advice import burden_view

    return _advise(settings, case, as_of, version, burden_view, report.burden_lines)


@click.command("ways", cls=Command, zh="平台以外可以找谁：能不能、为什么、带什么材料、到何时。")
@click.argument("case")
@AS_OF
@VERSION
@common
def ways(settings: Settings, case: str, as_of: str | None, version: int | None) -> int:
    """The bodies outside the platform: open or not and why, what to bring, until when."""
    from casework.application.advice import ways_view

    return _advise(settings, case, as_of, version, ways_view, report.ways_lines)


def _advise(settings: Settings, case: str, as_of: str | None, version: int | None,
            look: Callable[..., dict[str, Any]], lines: Callable[[dict[str, Any], str, tzinfo], Iterable[str]]) -> int:
    facts = facts_of_case(settings, case, as_of, version)
    at: datetime = seen_from(facts, as_of, version)
    view = look(facts, at)
    settings.answer(view, lambda: lines(view, lang(), settings.zone))
    return 0
