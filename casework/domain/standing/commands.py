"""What can be asked of a merchant's standing, one type a command, as :mod:`~casework.domain.commands` is for a case."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from casework.domain import values as v
from casework.domain.commands import name_in_words
from casework.domain.vocabulary import Term

PENALTY_ID_PATTERN = r"\A\w[\w.\-]{0,63}/[0-9]{1,9}\.[0-9]{1,3}\Z"
#: ``CASE/VERSION.NUMBER``: the case, the version of the ruling, the place within it. So a penalty is called the same wherever
#: it is recorded, whatever else its merchant met before.
PenaltyId = Annotated[str, Meta(pattern=PENALTY_ID_PATTERN)]


class StandingCommand(v.Value, frozen=True):
    """Something that somebody asks of a merchant's standing."""


class Appeal(StandingCommand, frozen=True):
    """The merchant appeals a penalty (卖家申诉); the penalty is not suspended by it."""

    penalty: PenaltyId
    statement: v.Text


class DecideAppeal(StandingCommand, frozen=True):
    """A supervisor who did not rule in the case decides the appeal: ``upheld`` annuls the penalty."""

    penalty: PenaltyId
    result: Literal["upheld", "rejected"]
    explanation: v.Text


class Publish(StandingCommand, frozen=True):
    """The platform publishes the penalty: the shop, the offence and the measure (网络交易监督管理办法 30)."""

    penalty: PenaltyId
    offence: v.Text
    place: v.Text | None = None


class Readmit(StandingCommand, frozen=True):
    """The platform lets a merchant come back who was removed; one who is blacklisted cannot."""

    explanation: v.Text


class RepayAdvance(StandingCommand, frozen=True):
    """The merchant pays back, in yuan, what the platform paid first in a case of his (消法 44)."""

    case: v.Identity
    amount: v.Money
    reference: v.Text | None = None


class Row(NamedTuple):
    """A command's labels and the roles that may give it."""

    zh: str
    en: str
    roles: tuple[str, ...]


_PLATFORM = ("agent", "supervisor", "system")
#: Every command that a merchant's standing takes, by name.
STANDING_COMMANDS: dict[str, type[StandingCommand]] = {
    name_in_words(kind.__name__): kind for kind in StandingCommand.__subclasses__()
}
#: The labels, and who may.
STANDING_ACTS: dict[str, Row] = {
    "appeal": Row("申诉", "appeal a penalty", ("merchant",)),
    "decide_appeal": Row("决定申诉", "decide an appeal", ("supervisor",)),
    "publish": Row("公示处罚", "publish a penalty", _PLATFORM),
    "readmit": Row("准许重新入驻", "readmit the merchant", ("supervisor", "system")),
    "repay_advance": Row("偿还垫付", "repay an advance", ("merchant", *_PLATFORM)),
}
#: What the things are called that a command is about.
THINGS = {"penalty": Term("处罚", "penalty"), "debt": Term("垫付欠款", "advance owed")}


def standing_name_of(command: type[StandingCommand]) -> str:
    """The name under which a command is asked for."""
    return name_in_words(command.__name__)
