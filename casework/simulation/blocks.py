"""Made-up cases by the block: every block is drawn by its own number, so that any process can make any of them, in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from casework.application.standing import follow
from casework.domain.check import SHANGHAI
from casework.domain.events import Event
from casework.domain.standing.aggregate import Standing
from casework.domain.standing.effects import Effect
from casework.errors import InputError, Refused
from casework.rulebook.edition import current
from casework.simulation.faults import Change, Kind, Planted, lateness, of_family
from casework.simulation.stories import walked
from casework.simulation.telling import NOBODY, Tale
from casework.simulation.walk import Names
from casework.store import codec
from casework.store.row import Row
from casework.store.store import stored
from casework.store.stored import to_row

#: Cases a block, and so a commit.
BLOCK = 1000
MERCHANTS = 40  # of a block
WALKS = 20_000
#: Between which days cases are opened where nothing else is said.
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
_TRIES = 20_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made up. The same plan makes the same bytes, whoever makes which block.

    ``cases`` from ``first`` to ``last`` day; ``walks`` is how many different walks are decided, which are told of several people
    each where there are more cases; of the cases, so many are unlawful, late and tampered with. Raises
    :class:`~casework.errors.InputError` for what cannot be.
    """

    cases: int
    seed: int
    first: date = FIRST
    last: date = LAST
    walks: int = WALKS
    unlawful: int = 0
    late: int = 0
    tampered: int = 0

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InputError("the last day is before the first", "结束日期早于开始日期", "--to")
        if self.unlawful + self.late + self.tampered > self.cases:
            raise InputError("more faults are asked for than there are cases", "要求的问题数多于案件数", "--cases")

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.cases // BLOCK)

    @property
    def alike(self) -> int:
        """Of how many people each walk is told."""
        return max(1, -(-self.cases // self.walks))

    @property
    def prefix(self) -> str:
        """With what the name of each of the cases begins."""
        return f"SIM{self.seed}-"

    @property
    def merchants(self) -> str:
        """With what the name of each merchant begins."""
        return f"M{self.seed}-"

    def case(self, number: int) -> str:
        """What the case of that number is called, from 0; in the order of their numbers."""
        return f"{self.prefix}{number:08}"

    def faults_of(self, block: int) -> dict[int, Kind | None]:
        """The numbers of the cases of a block that are wrong, and of which kind; None: a body decided late."""
        begin = block * BLOCK
        return {number: kind for number, kind in _faults(self).items() if begin <= number < begin + BLOCK}


_known: dict[Plan, dict[int, Kind | None]] = {}


def _faults(plan: Plan) -> dict[int, Kind | None]:
    """Which cases are wrong, and of which kind: the kinds of a family in turn, so that all come up."""
    if plan not in _known:
        wanted: list[Kind | None] = [None] * plan.late
        for family, count in (("unlawful", plan.unlawful), ("tampered", plan.tampered)):
            kinds = of_family(family)  # type: ignore[arg-type]  # one of the three
            wanted += [kinds[n % len(kinds)] for n in range(count)]
        numbers = Random(f"{plan.seed} faults").sample(range(plan.cases), len(wanted))
        _known.clear()
        _known[plan] = dict(zip(numbers, wanted, strict=True))
    return _known[plan]


@dataclass(slots=True)
class Block:
    """So many cases and their merchants' streams, as they are recorded in one commit; and what is done to the file afterwards."""

    number: int
    cases: int = 0
    rows: list[Row] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)


def block(plan: Plan, number: int) -> Block:
    """The block of that number, from 0."""
    made = Block(number)
    wrong = plan.faults_of(number)
    said: list[_Said] = []
    tale, left = None, 0
    for at in range(number * BLOCK, min((number + 1) * BLOCK, plan.cases)):
        draw = Random(f"{plan.seed} {at}")
        names = _names(plan, number, at, draw)
        if at in wrong:
            here, effects = _planted(plan, made, at, names, wrong[at])
        else:
            if not left:
                tale, left = _tale(plan, at, once=plan.alike == 1), plan.alike
            left -= 1
            assert tale is not None
            here = tale.told(names, draw.randrange(tale.stretch + 1))
            effects = tale.effects(names)
            made.states[tale.state] = made.states.get(tale.state, 0) + 1
        made.cases += 1
        made.rows += here
        said += [_Said(here[version - 1], effect, names.merchant) for version, effect in effects]
    made.rows += _streams(said)
    return made


def wrong_of(plan: Plan, number: int) -> Block:
    """Of the block of that number the cases alone that are wrong, without the streams: to say again what was planted in it."""
    made = Block(number)
    for at, kind in plan.faults_of(number).items():
        _planted(plan, made, at, _names(plan, number, at, Random(f"{plan.seed} {at}")), kind)
    return made


@dataclass(frozen=True, slots=True)
class _Said:
    """What a row says to its merchant's standing."""

    row: Row
    effect: Effect
    merchant: str


def _tale(plan: Plan, number: int, *, once: bool) -> Tale:
    """A walk that begins with the case of that number. One that its rules refuse somewhere is drawn again."""
    for attempt in range(_TRIES):
        draw = Random(f"{plan.seed} {number} walk {attempt}")
        try:
            return Tale.of(walked(draw, NOBODY, _day(plan, draw)), once=once)
        except Refused:
            continue
    raise AssertionError("every story is refused")


def _planted(plan: Plan, made: Block, number: int, names: Names, kind: Kind | None) -> tuple[list[Row], list[tuple[int, Effect]]]:
    """A case that is wrong: walked until that kind of fault applies to it."""
    for attempt in range(_TRIES):
        draw = Random(f"{plan.seed} {number} fault {attempt}")
        try:
            tale = Tale.of(walked(draw, NOBODY, _day(plan, draw), late=kind is None, ground=kind and kind.ground), once=True)
        except Refused:
            continue
        rows = tale.told(names)
        effects = tale.effects(names)
        if kind is None:
            if (late := lateness(rows)) is None:
                continue
            made.planted.append(Planted(names.case, late[0], "decided_late", "late", (late,)))
        else:
            if (wrong := kind.make(rows, draw)) is None:
                continue
            made.planted.append(Planted(names.case, wrong.version, kind.name, kind.family, wrong.findings))
            made.changes += wrong.changes
            rows, effects = wrong.rows, effects if wrong.tells else []
        made.states[tale.state] = made.states.get(tale.state, 0) + 1
        return rows, effects
    raise AssertionError(f"nothing to which {kind} applies")


def _names(plan: Plan, block: int, number: int, draw: Random) -> Names:
    # A merchant's cases lie within one block, so that his stream is recorded with them; few merchants have most of them.
    merchant = int(MERCHANTS * draw.random() ** 2)
    return Names(plan.case(number), f"T{draw.randrange(10**12):012}", f"C{draw.randrange(10**9):09}",
                 f"{plan.merchants}{block:05}-{merchant:02}")


def _day(plan: Plan, draw: Random) -> datetime:
    days = (plan.last - plan.first).days + 1
    day = plan.first + timedelta(days=draw.randrange(days))
    return datetime.combine(day, time(12), SHANGHAI).astimezone(UTC)


def _streams(said: list[_Said]) -> list[Row]:
    """The merchants' streams, each following its cases in the order of time."""
    standings: dict[str, Standing] = {}
    for each in sorted(said, key=lambda s: (s.row.at, s.row.case, s.row.version)):
        event = codec.decode(each.row.topic, each.row.payload)
        assert isinstance(event, Event)
        standing = standings.setdefault(each.merchant, Standing.of(each.merchant))
        follow(standing, current().id, event, each.effect)
    return [to_row(stored(event)) for _, standing in sorted(standings.items()) for event in standing.pending_events]  # type: ignore[arg-type]
