"""The figures of a merchant's standing: tracks of points, nodes and what a node brings.

No text of the platform's rule on points was found: the three tracks and the yearly clearing were seen quoted, the nodes and
the days are remembered by several and proved by none. So all of it stands in one dated table with its certainty, is shown as
unverified where it decides anything, and every event says by which version of the table it was made.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

#: From which version of the lifecycle on a case's rulings move the merchant's standing; older cases keep what they did.
STANDING_SINCE = 2

_SHANGHAI = ZoneInfo("Asia/Shanghai")


class Node(NamedTuple):
    """What a merchant meets when a year's points on a track reach ``points``: a measure, for ``days`` (None: for good)."""

    points: int
    measure: str
    days: int | None


class Track(NamedTuple):
    """A track: the grounds whose penalties count on it (empty: all others), its nodes, and what outlives the year's end.

    ``carries`` is the range, the upper end excluded, within which a year's own points count through the next year too.
    """

    grounds: tuple[str, ...]
    nodes: tuple[Node, ...]
    carries: tuple[int, int] | None
    clause: str
    certainty: str


class Rules(NamedTuple):
    """One version of the table. ``clearing`` says when points are cleared, and where that is said."""

    tracks: dict[str, Track]
    clearing: str
    clearing_certainty: str


_SEEN = "违规扣分规则，原文未见；第三方转述（no text of the rule was found; as told by others）"
_STEPS = (Node(12, "shop_restriction", 7), Node(24, "shop_restriction", 14), Node(36, "shop_restriction", 21),
          Node(48, "removal", None))

RULES: dict[int, Rules] = {
    1: Rules(
        {
            "counterfeit": Track(("counterfeit",), _STEPS, (24, 48), _SEEN, "C"),
            "serious": Track(("false_advertising", "price_fraud", "substandard", "material_mismatch", "review_manipulation"),
                             _STEPS, None, _SEEN, "C"),
            "general": Track((), (Node(12, "shop_restriction", 7),), None, _SEEN, "C"),
        },
        "每年12月31日24:00清零；售假扣分满24分不满48分的当年不清零（as told by others: cleared at the end of each year, but "
        "24 to 47 points for counterfeits are not in that year）", "B"),
}
#: The version of the table by which new events are made.
CURRENT_RULES = 1


def track_of(rules: Rules, ground: str) -> str:
    """On which track a penalty counts, by the ground of the case that it was imposed in."""
    named = (name for name, track in rules.tracks.items() if ground in track.grounds)
    return next(named, next(name for name, track in rules.tracks.items() if not track.grounds))


def year_of(moment: datetime) -> int:
    """The year whose points a moment belongs to: local in Asia/Shanghai, so that it ends on 31 December at 24:00."""
    return moment.astimezone(_SHANGHAI).year
