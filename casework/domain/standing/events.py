"""What happened to a merchant's standing, under the envelope that a case's events have.

Some record what was asked of the standing itself (an appeal, a publication); the others follow from an event of a case and
are recorded in the same transaction as it: their ``by``, ``at`` and ``command_id`` are those of that event. ``recorded_at``
never runs backwards; ``at`` may, for two cases of one merchant are each told in their own order. The stream is called
``merchant:ID``: no case can be, for a case's id holds no colon.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from casework.domain import values as v
from casework.domain.commands import name_in_words
from casework.domain.events import Due
from casework.domain.standing import commands as c

TOPIC_PREFIX = "casework.merchant."
STREAM_PREFIX = "merchant:"

Version = Annotated[int, Meta(ge=1)]
Track = Annotated[str, Meta(extra={"term": "points_track"})]


@cache
def _topic(name: str) -> str:
    return TOPIC_PREFIX + name_in_words(name)


def stream_of(merchant: str) -> str:
    """The id of the stream that holds a merchant's standing."""
    return STREAM_PREFIX + merchant


def is_standing(stream: object) -> bool:
    """Whether an id is that of a merchant's stream, and not of a case."""
    return isinstance(stream, str) and stream.startswith(STREAM_PREFIX)


def merchant_of(stream: str) -> str:
    """The merchant whose stream that is."""
    return stream.removeprefix(STREAM_PREFIX)


class StandingEvent(v.Value, frozen=True, tag_field="type", tag=_topic):
    """The envelope; no event of a standing is a step of a lifecycle, so there is no ``trigger``, ``from`` or ``to``."""

    originator_id: Annotated[str, Meta(pattern=r"\Amerchant:\w[\w.\-]{0,63}\Z")] = msgspec.field(name="stream")
    originator_version: int = msgspec.field(name="version")
    at: v.Moment
    recorded_at: v.Moment
    by: v.Actor
    command_id: Annotated[str, Meta(max_length=128, pattern=v.COMMAND_ID_PATTERN)]

    @property
    def trigger(self) -> None:
        """None, as in the store's column."""

    @property
    def from_state(self) -> None:
        """None, as in the store's column."""

    @property
    def to_state(self) -> None:
        """None, as in the store's column."""

    @property
    def data(self) -> Any:
        """What was asked for, or what of a case it follows from; each type narrows it."""
        raise NotImplementedError


class Imposed(v.Value, frozen=True):
    """A penalty of a ruling. ``ruling`` is the version of the case at which it stands, ``rules`` that of the table of tracks.

    ``judges`` are all who had ruled in the case by then, ``forged`` whether proof or evidence of the merchant's was found
    forged in it: what an appeal is judged by later, without opening the case again.
    """

    case: v.Identity
    ruling: Version
    kind: v.PenaltyKind
    track: Track
    rules: Version
    points: v.Points | None = None
    clause: v.Clause | None = None
    judges: tuple[v.Identity, ...] = ()
    forged: bool = False


class Annulled(v.Value, frozen=True):
    """A penalty that a review took away, with the version of the case at which the review stands."""

    penalty: c.PenaltyId
    case: v.Identity
    ruling: Version


class Reached(v.Value, frozen=True):
    """A node that a year's points reached on a track, and the measure it brings, until when (for good where none is said)."""

    track: Track
    year: int
    node: int
    points: int
    measure: v.PenaltyKind
    rules: Version
    clause: str
    certainty: str
    until: v.Moment | None = None


class Receded(v.Value, frozen=True):
    """A node below which the points of a year fell again, because a penalty was annulled."""

    track: Track
    year: int
    node: int
    points: int


class Owed(v.Value, frozen=True):
    """What the platform paid first in a case, in yuan, at that version of the case."""

    case: v.Identity
    version: Version
    amount: v.Money


class PenaltyImposed(StandingEvent, frozen=True, kw_only=True):
    data: Imposed
    id: c.PenaltyId
    publish_by: Due
    appeal_by: Due | None = None


class PenaltyAnnulled(StandingEvent, frozen=True, kw_only=True):
    data: Annulled


class MeasureTaken(StandingEvent, frozen=True, kw_only=True):
    data: Reached


class MeasureLifted(StandingEvent, frozen=True, kw_only=True):
    data: Receded


class AdvanceOwed(StandingEvent, frozen=True, kw_only=True):
    data: Owed


class AdvanceRecovered(StandingEvent, frozen=True, kw_only=True):
    """The platform got back in a case what was still owed there; ``amount`` is that rest."""

    data: Owed


class AdvanceRepaid(StandingEvent, frozen=True, kw_only=True):
    data: c.RepayAdvance


class AppealLodged(StandingEvent, frozen=True, kw_only=True):
    data: c.Appeal


class AppealDecided(StandingEvent, frozen=True, kw_only=True):
    data: c.DecideAppeal


class PenaltyPublished(StandingEvent, frozen=True, kw_only=True):
    data: c.Publish


class MerchantReadmitted(StandingEvent, frozen=True, kw_only=True):
    data: c.Readmit


def standing_topic_of(event: type[StandingEvent]) -> str:
    """The stable name under which an event is stored: ``casework.merchant.penalty_imposed``."""
    return _topic(event.__name__)


STANDING_TOPICS: dict[str, type[StandingEvent]] = {standing_topic_of(kind): kind for kind in StandingEvent.__subclasses__()}
#: Which event records which command.
STANDING_EVENT_OF: dict[type[c.StandingCommand], type[StandingEvent]] = {
    c.Appeal: AppealLodged, c.DecideAppeal: AppealDecided, c.Publish: PenaltyPublished, c.Readmit: MerchantReadmitted,
    c.RepayAdvance: AdvanceRepaid,
}
