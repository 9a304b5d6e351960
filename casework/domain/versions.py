"""Which tables make up which version of the lifecycle.

A case pins a version and its digest in its first event and keeps both for life. Once a version was released its tables are not
edited: a change is a new version beside it, made of the old rows and the new ones.
"""

from __future__ import annotations

from typing import NamedTuple

from casework.domain.amendments import ACTS_2, TRIGGERS_2
from casework.domain.beside import ACTS, TRACKS, Act, TrackRow
from casework.domain.duties import DUTIES, DutyRow
from casework.domain.lifecycle import TRIGGERS, Trigger
from casework.domain.vocabulary import Term


class Tables(NamedTuple):
    """The rows of one version: the triggers, the acts beside them, the tracks that acts move, the duties that are recorded."""

    triggers: tuple[Trigger, ...]
    acts: tuple[Act, ...]
    tracks: dict[str, tuple[TrackRow, ...]]
    duties: tuple[DutyRow, ...] = ()

    @property
    def labels(self) -> dict[str, Term]:
        """What every command of the version is called."""
        rows: tuple[Trigger | Act, ...] = (*self.triggers, *self.acts)
        return {row.name: Term(row.zh, row.en) for row in rows}


TABLES: dict[int, Tables] = {
    1: Tables(TRIGGERS, ACTS, TRACKS),
    2: Tables(TRIGGERS_2, ACTS_2, TRACKS, DUTIES),
}
#: The version that a new case pins.
VERSION = 2
#: Its tables.
CURRENT = TABLES[VERSION]
