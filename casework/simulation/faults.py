"""What can be planted in a made-up history: each kind wrong in one thing, with every finding that the audit has to make of it.

An *unlawful* case is well formed, canonical and in the ledger, and breaks the law in one event. A *tampered* one was lawful when
it was recorded, and its rows in the file were altered since, past the commands. A *late* one is lawful: a body outside decided
too late.
A kind applies to a walked case of which its precondition holds; that precondition is what makes its findings certain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal, NamedTuple

from casework.domain.lifecycle import CLOSED
from casework.store import codec
from casework.store.dues import running
from casework.store.row import DueRow, Row
from casework.store.store import stored
from casework.store.stored import to_row

Json = dict[str, Any]
Family = Literal["unlawful", "late", "tampered"]
#: A version and a code of the audit's.
Said = tuple[int, str]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ELSE = "X-404"


class Change(NamedTuple):
    """What somebody does to the file: sets a column of a row, removes a row, slips one in, or drops a duty from the index."""

    what: Literal["set", "remove", "insert", "drop"]
    case: str
    version: int
    column: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault: in which case and version, of which kind, and every finding that the audit has to make of the case."""

    case: str
    version: int
    kind: str
    family: Family
    findings: tuple[Said, ...]

    def record(self) -> Json:
        """As a list of faults has it."""
        return {"case": self.case, "version": self.version, "kind": self.kind, "family": self.family,
                "codes": sorted({code for _, code in self.findings}),
                "findings": [{"version": version, "code": code} for version, code in self.findings]}


class Wrong(NamedTuple):
    """A case made wrong: the version at which it is, the findings, and its rows as the ledger has them."""

    version: int
    findings: tuple[Said, ...]
    rows: list[Row]
    #: What is done to the file afterwards.
    changes: tuple[Change, ...] = ()
    #: Whether its merchant's stream is told what it says to it.
    tells: bool = True


Make = Callable[[list[Row], Random], Wrong | None]


class Kind(NamedTuple):
    """A kind of fault; ``ground`` is of what a case has to complain for it to be likely."""

    name: str
    family: Family
    make: Make
    ground: str | None = None


KINDS: dict[str, Kind] = {}


def kind(family: Family, ground: str | None = None) -> Callable[[Make], Make]:
    """A kind by its function's name."""
    def register(make: Make) -> Make:
        name = make.__name__.lstrip("_")
        KINDS[name] = Kind(name, family, make, ground)
        return make
    return register


def of_family(family: Family) -> list[Kind]:
    """The kinds of one family, in the order in which they are planted."""
    return [kind for kind in KINDS.values() if kind.family == family]


def lateness(rows: Iterable[Row]) -> Said | None:
    """What the audit says of a case that went to a body which took it too late."""
    taken = next((row for row in rows if row.topic.endswith("referral_accepted")), None)
    late = taken is not None and any(change.change == "missed" for change in codec.duty_changes(taken.payload))
    return (taken.version, "decided_late") if taken is not None and late else None


# --- how a history is altered ----------------------------------------------------------------------------------------


def _name(row: Row) -> str:
    return row.topic.rpartition(".")[2]


def _doc(row: Row) -> Json:
    found: Json = json.loads(row.payload)
    return found


def _row(doc: Json) -> Row:
    """The row of a document, canonical, and its columns with it."""
    return to_row(stored(codec.decode(doc["type"], json.dumps(doc).encode())))


def _where(rows: list[Row], draw: Random, *names: str,
           fits: Callable[[Json, int], Any] = lambda doc, place: True) -> int | None:
    """The place of one of the events of these names that fit."""
    places = [n for n, row in enumerate(rows) if _name(row) in names and fits(_doc(row), n)]
    return draw.choice(places) if places else None


def _with(rows: list[Row], place: int, doc: Json) -> list[Row]:
    return [*rows[:place], _row(doc), *rows[place + 1:]]


def _altered(rows: list[Row], place: int | None, change: Callable[[Json], object], *codes: str) -> Wrong | None:
    """The history with that document changed, and these codes said of it."""
    if place is None:
        return None
    doc = _doc(rows[place])
    change(doc)
    return Wrong(place + 1, tuple((place + 1, code) for code in codes), _with(rows, place, doc))


def _moment(text: str, by: timedelta) -> str:
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) + by).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _added(rows: list[Row], doc: Json) -> Row:
    """One more event at the end, by a command of its own."""
    return _row(doc | {"version": len(rows) + 1, "command_id": f"{rows[0].case}.{len(rows) + 1}"})


# --- unlawful --------------------------------------------------------------------------------------------------------


@kind("unlawful")
def role_that_may_not(rows: list[Row], draw: Random) -> Wrong | None:
    """A step by an auditor, who only reads."""
    place = _where(rows, draw, "offer_made", "claim_refused", "remedy_performed", "remedy_confirmed")
    return _altered(rows, place, lambda d: d["by"].update(role="auditor", id="U-1"), "role_may_not")


@kind("unlawful")
def somebody_elses_case(rows: list[Row], draw: Random) -> Wrong | None:
    """A step by a consumer who is not the one of the case."""
    place = _where(rows, draw, "merchant_contacted", "complaint_filed", "offer_accepted", "case_given_up")
    return _altered(rows, place, lambda d: d["by"].update(id=ELSE), "role_may_not")


@kind("unlawful")
def ruled_by_an_unassigned_agent(rows: list[Row], draw: Random) -> Wrong | None:
    """The only ruling, without penalties, by an agent whom nobody assigned."""
    if sum(_name(row) == "case_ruled" for row in rows) != 1:
        return None
    place = _where(rows, draw, "case_ruled", fits=lambda d, n: not d["data"].get("penalties"))
    return _altered(rows, place, lambda d: d.update(by={"role": "agent", "id": ELSE}), "guard_refuses")


@kind("unlawful")
def offer_above_the_price(rows: list[Row], draw: Random) -> Wrong | None:
    """An offer, declined at once, that gives back more than was paid."""
    paid = Decimal(_doc(rows[0])["data"]["order"]["paid"])
    place = _where(rows, draw, "offer_made", fits=lambda d, n: n + 1 < len(rows) and _name(rows[n + 1]) == "offer_declined")
    return _altered(rows, place, lambda d: d["data"].update(remedy={"kind": "refund", "amount": str(paid + 1)}), "guard_refuses")


@kind("unlawful")
def time_runs_backwards(rows: list[Row], draw: Random) -> Wrong | None:
    """A word at the very end that is dated an hour before what it follows."""
    place = _where(rows, draw, "feedback_given", fits=lambda d, n: n == len(rows) - 1)
    if place is None:
        return None
    before = _moment(_doc(rows[place - 1])["at"], -HOUR)
    return _altered(rows, place, lambda d: d.update(at=before, recorded_at=before), "time_backwards")


@kind("unlawful")
def recorded_before_it_happened(rows: list[Row], draw: Random) -> Wrong | None:
    """A word at the very end that is said to have been given an hour after it was recorded."""
    place = _where(rows, draw, "feedback_given", fits=lambda d, n: n == len(rows) - 1)
    return _altered(rows, place, lambda d: d.update(at=_moment(d["at"], HOUR)), "at_after_recorded")


@kind("unlawful")
def command_given_twice(rows: list[Row], draw: Random) -> Wrong | None:
    """An event under the command id of the one before it."""
    place = _where(rows, draw, "remedy_confirmed", "feedback_given", "word_exchanged", "party_answered")
    return _altered(rows, place, lambda d: d.update(command_id=_doc(rows[place - 1])["command_id"]),  # type: ignore[operator]
                    "command_repeated")


@kind("unlawful")
def step_after_the_end(rows: list[Row], draw: Random) -> Wrong | None:
    """A resolved case is confirmed once more."""
    if _name(rows[-1]) != "remedy_confirmed":
        return None
    doc = _doc(rows[-1])
    doc["from"] = "resolved"
    return Wrong(len(rows) + 1, ((len(rows) + 1, "unlawful_edge"),), [*rows, _added(rows, doc)])


@kind("unlawful")
def opened_a_second_time(rows: list[Row], draw: Random) -> Wrong | None:
    """The opening stands once more at the end of a closed case."""
    if _doc(rows[-1]).get("to") not in CLOSED:
        return None
    last = _doc(rows[-1])
    doc = _doc(rows[0]) | {"at": last["at"], "recorded_at": last["recorded_at"]}
    doc.pop("duties", None)
    return Wrong(len(rows) + 1, ((len(rows) + 1, "opened_twice"),), [*rows, _added(rows, doc)])


@kind("unlawful")
def evidence_out_of_turn(rows: list[Row], draw: Random) -> Wrong | None:
    """A piece of evidence has an identifier that is not the next."""
    return _altered(rows, _where(rows, draw, "evidence_added"), lambda d: d.update(id=d["id"] + "7"), "derived_differs")


@kind("unlawful")
def platform_given_more_time(rows: list[Row], draw: Random) -> Wrong | None:
    """The platform's time to reply is said to end an hour later than the rule gives."""
    place = _where(rows, draw, "complaint_filed")
    return _altered(rows, place, lambda d: d["reply_by"].update(at=_moment(d["reply_by"]["at"], HOUR)), "derived_differs")


@kind("unlawful")
def deadline_moved(rows: list[Row], draw: Random) -> Wrong | None:
    """The merchant's time to answer ends a day before the rule says, without a word why."""
    def fits(doc: Json, place: int) -> bool:
        return any(c["duty"] == "merchant_answer" and c["change"] == "opened" for c in doc.get("duties", ()))

    def change(doc: Json) -> None:
        due = next(c for c in doc["duties"] if c["duty"] == "merchant_answer" and c["change"] == "opened")["due"]
        due["at"] = _moment(due["at"], -DAY)
    return _altered(rows, _where(rows, draw, "merchant_contacted", fits=fits), change, "derived_differs")


@kind("unlawful")
def ruling_without_its_basis(rows: list[Row], draw: Random) -> Wrong | None:
    """A ruling does not say what it rests on."""
    return _altered(rows, _where(rows, draw, "case_ruled"), lambda d: d.pop("basis"), "derived_differs")


@kind("unlawful")
def other_rules_pinned(rows: list[Row], draw: Random) -> Wrong | None:
    """The opening pins a digest of the rules that was never published."""
    return _altered(rows, 0, lambda d: d.update(edition_digest="0" * 64), "edition_differs")


@kind("unlawful")
def other_lifecycle_pinned(rows: list[Row], draw: Random) -> Wrong | None:
    """The opening pins a digest of the lifecycle that was never published."""
    return _altered(rows, 0, lambda d: d.update(lifecycle_digest="0" * 64), "lifecycle_differs")


@kind("unlawful", ground="counterfeit")
def penalty_kept_from_the_merchant(rows: list[Row], draw: Random) -> Wrong | None:
    """A ruling with penalties, the only one, and no word of them in the merchant's stream."""
    if sum(_name(row) == "case_ruled" for row in rows) != 1 or any(_name(row) == "advance_paid" for row in rows):
        return None
    place = _where(rows, draw, "case_ruled", fits=lambda d, n: d["data"].get("penalties"))
    return None if place is None else Wrong(place + 1, ((place + 1, "standing_missing"),), rows, tells=False)


# --- tampered --------------------------------------------------------------------------------------------------------


def _set(rows: list[Row], place: int | None, column: str, value: Callable[[Row], Any], *codes: str) -> Wrong | None:
    """That column of a row altered in the file: these codes at its version, and a leaf that does not fit at the commit's last."""
    if place is None:
        return None
    row, last = rows[place], len(rows)
    said = {(row.version, code) for code in codes} | {(last, "leaf_differs")}
    return Wrong(row.version, tuple(sorted(said)), rows, (Change("set", row.case, row.version, column, value(row)),))


@kind("tampered")
def text_rewritten(rows: list[Row], draw: Random) -> Wrong | None:
    """What somebody said reads otherwise now, in all form: only the ledger can tell."""
    place = _where(rows, draw, "merchant_contacted", "complaint_filed", "party_answered")

    def value(row: Row) -> bytes:
        doc = _doc(row)
        name = "message" if "message" in doc["data"] else "statement"
        doc["data"][name] = "一切正常"
        return _row(doc).payload
    return _set(rows, place, "state", value)


@kind("tampered")
def state_column_altered(rows: list[Row], draw: Random) -> Wrong | None:
    """The column that says where a step led says something else."""
    return _set(rows, _where(rows, draw, "complaint_filed", "claim_refused", "offer_made"), "to_state", lambda row: "resolved",
                "column_mismatch")


@kind("tampered")
def time_column_altered(rows: list[Row], draw: Random) -> Wrong | None:
    """The column of the time of recording is a day earlier."""
    place = draw.randrange(len(rows))
    return _set(rows, place, "recorded_at", lambda row: row.recorded_at - 86_400_000_000, "column_mismatch")


@kind("tampered")
def bytes_of_another_form(rows: list[Row], draw: Random) -> Wrong | None:
    """The payload says the same in other bytes."""
    place = draw.randrange(len(rows))
    return _set(rows, place, "state", lambda row: row.payload.replace(b":", b": ", 1), "payload_not_canonical")


@kind("tampered")
def bytes_cut_off(rows: list[Row], draw: Random) -> Wrong | None:
    """The payload of the last event is cut in the middle."""
    place = _where(rows, draw, "feedback_given", fits=lambda d, n: n == len(rows) - 1)
    return _set(rows, place, "state", lambda row: row.payload[:len(row.payload) // 2], "unreadable_event")


@kind("tampered")
def topic_of_nobody(rows: list[Row], draw: Random) -> Wrong | None:
    """The topic of the last event is one that casework does not have."""
    place = _where(rows, draw, "feedback_given", fits=lambda d, n: n == len(rows) - 1)
    return _set(rows, place, "topic", lambda row: "casework.case.feedback_forged", "unknown_topic")


@kind("tampered")
def end_cut_off(rows: list[Row], draw: Random) -> Wrong | None:
    """The last event, which moves no duty, is gone."""
    place = _where(rows, draw, "feedback_given", fits=lambda d, n: n == len(rows) - 1)
    if place is None:
        return None
    return Wrong(place + 1, ((1, "rows_missing"),), rows, (Change("remove", rows[0].case, place + 1),))


@kind("tampered")
def whole_case_removed(rows: list[Row], draw: Random) -> Wrong | None:
    """A closed case, which said nothing to its merchant's stream, is gone."""
    spoke = any(_name(row) in ("case_ruled", "advance_paid", "advance_recovered") for row in rows)
    if spoke or running(rows):
        return None
    return Wrong(1, ((1, "rows_missing"),), rows, tuple(Change("remove", row.case, row.version) for row in rows))


@kind("tampered")
def event_slipped_in(rows: list[Row], draw: Random) -> Wrong | None:
    """A word of praise at the end that no command recorded."""
    doc = _doc(rows[-1])
    consumer = {"role": "consumer", "id": _doc(rows[0])["data"]["consumer"]}
    slipped = _added(rows, {"at": doc["at"], "recorded_at": doc["recorded_at"], "case": rows[0].case, "by": consumer,
                            "type": "casework.case.feedback_given", "data": {"score": 5}})
    version = len(rows) + 1
    return Wrong(version, ((version, "row_unledgered"),), rows, (Change("insert", slipped.case, version, value=slipped),))


@kind("tampered")
def deadline_dropped_from_the_index(rows: list[Row], draw: Random) -> Wrong | None:
    """A duty that runs is not in the index any more, so that it never falls due by tick."""
    dues: list[DueRow] = running(rows)
    if not dues:
        return None
    return Wrong(0, ((0, "index_differs"),), rows, (Change("drop", rows[0].case, 0, value=draw.choice(dues).duty),))
