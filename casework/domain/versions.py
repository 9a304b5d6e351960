"""Which tables make up which version of the lifecycle.

A case pins a version and its digest in its first event and keeps both for life. Once a version was released its tables are not
edited: a change is a new version beside it, made of the old rows and the new ones.
"""

from __future__ import annotations

from typing import NamedTuple

from casework.domain.beside import ACTS, TRACKS, Act, TrackRow
from casework.domain.lifecycle import TRIGGERS, Trigger


class Tables(NamedTuple):
    """The rows of one version: the triggers, the acts beside them, the tracks that acts move."""

    triggers: tuple[Trigger, ...]
    acts: tuple[Act, ...]
    tracks: dict[str, tuple[TrackRow, ...]]


TABLES: dict[int, Tables] = {1: Tables(TRIGGERS, ACTS, TRACKS)}
TABLES[2] = TABLES[1]
#: The version that a new case pins.
VERSION = 2
