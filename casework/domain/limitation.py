"""The limitation period: three years from knowing, and anew from each demand while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from casework.domain.request import Deadline, Edition


def limitation_due(demands: Iterable[datetime], edition: Edition) -> Deadline:
    """When the limitation period ends. A demand starts it anew while it runs, and no longer once it is over (民法典 192, 195)."""
    first, *later = demands
    due = edition.due("suit.limitation", first)
    for demand in later:
        if demand <= due.at:
            due = edition.due("suit.limitation", demand)
    return due
