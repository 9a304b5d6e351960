"""Lawful histories, and unlawful ones made of them: well formed, canonical, consistent in every column, and wrong in one thing.

:func:`trial` is figure G9: so many of either by a seed, each put to the audit and to the checker of :mod:`harness.lawful`. A
lawful history is walked through the public commands. An unlawful one is a lawful one with one mutation. Whether a mutation is
unlawful is decided by its own precondition, which is stated with it and holds of the recorded history alone, by the published
pages; never by what the audit says of the outcome. A mutation whose precondition holds nowhere in a history does not apply to it.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from domain_helpers import decided_late
from recorded import row_of
from walks import Figures, Tale, World

from casework.application.views import events_of
from casework.audit.check import audit
from casework.store import codec
from casework.store.opening import open_store
from casework.store.row import Row
from harness.lawful import tables, unlawful

Json = dict[str, Any]
Docs = list[Json]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: What the audit says beside unlawfulness.
ASIDE = {"decided_late", "not_checked"}
ROLES = ("consumer", "merchant", "adviser", "agent", "supervisor", "system", "external", "auditor")
REFUNDS = ("refund", "return_refund", "price_difference")


class Walked(World):
    """A world that is only walked: what has to hold at every step is held by tests/test_walks.py."""

    def _sound(self, tale: Tale, event: Any, row: Row) -> None:
        pass

    def _permitted(self, *args: Any) -> None:
        pass


def lawful_history(seed: int, depth: int) -> list[Row]:
    """A store's rows: one case walked at random by the seed through the public commands, and its merchant's stream."""
    pick = Random(seed).randrange
    with open_store(":memory:") as store:
        world = Walked(store, Figures())
        while not world.tales:
            world.open(pick)
        tale = world.tales[0]
        for _ in range(1 + depth // 6):
            world.towards(pick, tale)
            for _ in range(3):
                (world.carry if pick(6) else world.tick)(pick, tale)
        return list(store.rows())


# --- what is made of a history ---------------------------------------------------------------------------------------


@dataclass
class History:
    """The documents of a case's payloads, and the rows of its merchant's stream."""

    docs: Docs
    streams: Docs

    @classmethod
    def of(cls, rows: Iterable[Row]) -> History:
        docs = [json.loads(row.payload) for row in rows]
        return cls([d for d in docs if d["type"].startswith("casework.case.")],
                   [d for d in docs if not d["type"].startswith("casework.case.")])

    def rows(self) -> list[Row]:
        """As a store would keep them: versions in order, canonical bytes, columns that say what the payloads say."""
        found = []
        for docs in (self.docs, self.streams):
            counts: Counter[str] = Counter()
            for doc in docs:
                whose = doc.get("case") or doc["stream"]
                counts[whose] += 1
                event = codec.decode(doc["type"], json.dumps(doc | {"version": counts[whose]}).encode())
                found.append(row_of(event) if doc["type"].startswith("casework.case.") else _standing_row(event))
        return sorted(found, key=lambda row: (row.case, row.version))


def _standing_row(event: Any) -> Row:
    from casework.audit.columns import microseconds
    from casework.domain.topics import any_topic_of

    return Row(event.originator_id, event.originator_version, any_topic_of(type(event)), codec.encode(event), None, None, None,
               microseconds(event.at), microseconds(event.recorded_at))


Mutation = Callable[[History, Random], int | None]
MUTATIONS: dict[str, Mutation] = {}
#: The kinds that the checker claims to know.
KNOWN: set[str] = set()


def kind(*, known: bool = True) -> Callable[[Mutation], Mutation]:
    """A kind of unlawful history, by its function's name: it changes the history, and gives the version at which it is wrong."""
    def register(mutation: Mutation) -> Mutation:
        name = mutation.__name__.removeprefix("_").replace("_", " ")
        MUTATIONS[name] = mutation
        if known:
            KNOWN.add(name)
        return mutation
    return register


def _name(doc: Json) -> str:
    return tables().commands.get(doc["type"], "")


def _any(history: History, random: Random, fits: Callable[[Json], Any], since: int = 1) -> int | None:
    """The place of one of the events that fit, behind the opening."""
    places = [n for n, doc in enumerate(history.docs) if n >= since and fits(doc)]
    return random.choice(places) if places else None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _roles(doc: Json) -> tuple[str, ...]:
    law, name = tables(), _name(doc)
    if name in law.acts:
        return law.acts[name][0]
    return law.edges[doc["from"], name].roles


def _moves(doc: Json) -> bool:
    return doc.get("to") is not None and doc["to"] != doc["from"]


def _change(history: History, random: Random, fits: Callable[[Json], Any], since: int = 0) -> tuple[int, int] | None:
    """An event and the place in it of a change of a duty that fits."""
    places = [(n, m) for n, doc in enumerate(history.docs) if n >= since for m, change in enumerate(doc.get("duties", []))
              if fits(change)]
    return random.choice(places) if places else None


# --- who -------------------------------------------------------------------------------------------------------------


@kind()
def _wrong_role(history: History, random: Random) -> int | None:
    """By a role that the row of the step does not name."""
    at = _any(history, random, lambda d: True)
    if at is None:
        return None
    role = random.choice([role for role in ROLES if role not in _roles(history.docs[at])])
    history.docs[at]["by"] = {"role": role, "id": "X-1"}
    return at + 1


def _stranger(role: str) -> Mutation:
    def by_stranger(history: History, random: Random) -> int | None:
        at = _any(history, random, lambda d: d["by"]["role"] == role)
        if at is not None:
            history.docs[at]["by"]["id"] = "C-9" if role == "consumer" else "M-9"
        return None if at is None else at + 1
    by_stranger.__name__ = f"another_{role}"
    return by_stranger


for _role in ("consumer", "merchant"):
    kind()(_stranger(_role))


@kind()
def _adviser_whom_nobody_authorised(history: History, random: Random) -> int | None:
    """By an adviser of an id that no event names."""
    at = _any(history, random, lambda d: "adviser" in _roles(d))
    if at is not None:
        history.docs[at]["by"] = {"role": "adviser", "id": "V-99"}
    return None if at is None else at + 1


@kind()
def _opened_by_another(history: History, random: Random) -> int | None:
    """A case is opened by a consumer who is not the one that it names."""
    history.docs[0]["by"] = {"role": "consumer", "id": "C-9"}
    return 1


@kind()
def _ruling_by_unassigned(history: History, random: Random) -> int | None:
    """By an agent whom nobody assigned."""
    return _by_other(history, random, ("rule",), "A-99")


@kind()
def _step_by_unassigned(history: History, random: Random) -> int | None:
    """What only the one assigned may do, by an agent whom nobody assigned."""
    return _by_other(history, random, ("ask_proof", "suspend", "examine_evidence", "examine_proof", "execute_ruling", "dismiss"),
                     "A-99")


def _by_other(history: History, random: Random, names: tuple[str, ...], who: str) -> int | None:
    at = _any(history, random, lambda d: _name(d) in names)
    if at is not None:
        history.docs[at]["by"] = {"role": "agent", "id": who}
    return None if at is None else at + 1


@kind()
def _review_by_whoever_ruled(history: History, random: Random) -> int | None:
    """The second ruling by the one who gave the first."""
    rulings = [n for n, d in enumerate(history.docs) if _name(d) == "rule"]
    if len(rulings) < 2:
        return None
    history.docs[rulings[1]]["by"] = dict(history.docs[rulings[0]]["by"])
    return rulings[1] + 1


@kind()
def _party_judges(history: History, random: Random) -> int | None:
    """An assignment to somebody of the consumer's identity, written another way."""
    at = _any(history, random, lambda d: _name(d) == "assign")
    if at is not None:
        history.docs[at]["data"]["to"] = f"agent:{history.docs[0]['data']['consumer'].lower()}"
    return None if at is None else at + 1


@kind()
def _referral_answered_by_another_body(history: History, random: Random) -> int | None:
    """A body answers for what was referred to another."""
    at = _any(history, random, lambda d: _name(d) in ("accept_referral", "refuse_referral", "settle_referral", "end_referral"))
    if at is not None:
        by = history.docs[at]["by"]
        by["id"] = "court" if by["id"] != "court" else "police"
    return None if at is None else at + 1


@kind()
def _tip_off_answered_by_another(history: History, random: Random) -> int | None:
    """A tip-off is answered by a body that it did not go to."""
    at = _any(history, random, lambda d: _name(d) == "answer_tip_off")
    if at is not None:
        history.docs[at]["by"] = {"role": "external", "id": "court"}
    return None if at is None else at + 1


# --- steps -----------------------------------------------------------------------------------------------------------


@kind()
def _skipped_step(history: History, random: Random) -> int | None:
    """A step that moved the state is left out, and another step follows it: that leaves a state that nothing led to."""
    later = [n for n, d in enumerate(history.docs) if d.get("to") is not None]
    at = _any(history, random, lambda d: _moves(d) and history.docs.index(d) < later[-1]) if later else None
    if at is None:
        return None
    del history.docs[at]
    return next(n for n, d in enumerate(history.docs) if n >= at and d.get("to") is not None) + 1


@kind()
def _forbidden_edge(history: History, random: Random) -> int | None:
    """A step leads to another state than its one edge does."""
    at = _any(history, random, lambda d: d.get("to"))
    if at is not None:
        doc = history.docs[at]
        doc["to"] = random.choice([s for s in ("filed", "resolved", "ruled", "remedy_due", "dismissed") if s != doc["to"]])
    return None if at is None else at + 1


@kind()
def _wrong_origin(history: History, random: Random) -> int | None:
    """A step says that it left another state than the events before it yield."""
    at = _any(history, random, lambda d: d.get("from"))
    if at is not None:
        doc = history.docs[at]
        doc["from"] = random.choice([s for s in ("discovered", "filed", "under_review", "ruled", "resolved") if s != doc["from"]])
    return None if at is None else at + 1


@kind()
def _another_trigger(history: History, random: Random) -> int | None:
    """A step carries the name of another."""
    at = _any(history, random, lambda d: d.get("trigger"))
    if at is not None:
        doc = history.docs[at]
        doc["trigger"] = random.choice([t for t in ("file", "rule", "withdraw") if t != doc["trigger"]])
    return None if at is None else at + 1


@kind()
def _step_without_its_step(history: History, random: Random) -> int | None:
    """A step carries no trigger, no from and no to."""
    at = _any(history, random, lambda d: d.get("to"))
    if at is not None:
        for name in ("trigger", "from", "to"):
            del history.docs[at][name]
    return None if at is None else at + 1


@kind()
def _act_that_moves(history: History, random: Random) -> int | None:
    """What stands beside the state carries a step."""
    at = _any(history, random, lambda d: d.get("to") is None)
    if at is not None:
        history.docs[at] |= {"trigger": _name(history.docs[at]), "from": "filed", "to": "ruled"}
    return None if at is None else at + 1


@kind()
def _after_the_end(history: History, random: Random) -> int | None:
    """A step that is no reopening comes once more after the case has ended, with its own from and to."""
    closed = tables().closed
    last = next((d for d in reversed(history.docs) if d.get("to")), None)
    at = _any(history, random, lambda d: d.get("from") and d["from"] not in closed)
    if last is None or at is None or last["to"] not in closed:
        return None
    end = history.docs[-1]
    now = {"at": end["at"], "recorded_at": end["recorded_at"], "command_id": "again"}
    history.docs.append(copy.deepcopy(history.docs[at]) | now)
    return len(history.docs)


@kind()
def _opened_twice(history: History, random: Random) -> int | None:
    """The opening comes a second time."""
    history.docs.insert(1, copy.deepcopy(history.docs[0]) | {"command_id": "again"})
    return 2


@kind()
def _opening_left_out(history: History, random: Random) -> int | None:
    """The case begins with its second event."""
    if len(history.docs) < 2:
        return None
    del history.docs[0]
    return 1


@kind()
def _command_repeated(history: History, random: Random) -> int | None:
    """A command has the id of an earlier one."""
    at = _any(history, random, lambda d: True)
    if at is not None:
        history.docs[at]["command_id"] = history.docs[random.randrange(at)]["command_id"]
    return None if at is None else at + 1


# --- times -----------------------------------------------------------------------------------------------------------


@kind()
def _time_backwards(history: History, random: Random) -> int | None:
    """An event happens an hour before the one before it."""
    at = _any(history, random, lambda d: True)
    if at is not None:
        history.docs[at]["at"] = _text(_time(history.docs[at - 1]["at"]) - HOUR)
    return None if at is None else at + 1


@kind()
def _recorded_backwards(history: History, random: Random) -> int | None:
    """An event is recorded an hour before the one before it."""
    at = _any(history, random, lambda d: True)
    if at is not None:
        history.docs[at]["recorded_at"] = _text(_time(history.docs[at - 1]["recorded_at"]) - HOUR)
    return None if at is None else at + 1


@kind()
def _before_it_happened(history: History, random: Random) -> int | None:
    """The last event happens an hour after it was recorded."""
    last = history.docs[-1]
    last["at"] = _text(_time(last["recorded_at"]) + HOUR)
    return len(history.docs)


@kind()
def _day_that_is_past(history: History, random: Random) -> int | None:
    """A party is given a day that lies before the event."""
    at = _any(history, random, lambda d: _name(d) in ("request_evidence", "ask_proof", "notify"))
    if at is not None:
        history.docs[at]["data"]["answer_by"] = _text(_time(history.docs[at]["at"]) - HOUR)
    return None if at is None else at + 1


def _too_early(history: History, random: Random, name: str, duty: str) -> int | None:
    """What the end of a duty allows comes at the time of the event before it, which lies before that end."""
    ends: dict[str, tuple[str, str]] = {}
    places = []
    for n, doc in enumerate(history.docs):
        running = [end for what, end in ends.values() if what == duty]
        if n and _name(doc) == name and running and _time(min(running)) > _time(history.docs[n - 1]["at"]):
            places.append(n)
        for change in doc.get("duties", []):
            if "due" in change:
                ends[change["id"]] = change["duty"], change["due"]["at"]
            if change["change"] in ("met", "missed", "cancelled"):
                ends.pop(change["id"], None)
    if not places:
        return None
    at = random.choice(places)
    history.docs[at]["at"] = history.docs[at - 1]["at"]
    return at + 1


def _early(name: str, duty: str) -> None:
    def too_early(history: History, random: Random) -> int | None:
        return _too_early(history, random, name, duty)
    too_early.__name__ = f"{name}_too_early"
    kind()(too_early)


# The checker tells each of these by the duty, which would have to be missed before its end.
_early("deem_agreed", "merchant_answer")
_early("close_proof", "proof")
_early("lapse", "evidence")
_early("dismiss", "objection")
_early("miss_duty", "platform_reply")


@kind(known=False)
def _resumed_too_early(history: History, random: Random) -> int | None:
    """The system resumes a suspended review though no duty of the suspension is over."""
    def waits(doc: Json) -> bool:
        return _name(doc) == "resume" and doc["by"]["role"] != "system" and not any(
            change["change"] == "missed" for change in doc.get("duties", [])) and any(
            change["duty"] in ("suspension", "acceptance_proof") and change["change"] in ("met", "cancelled")
            for change in doc.get("duties", []))
    at = _any(history, random, waits)
    if at is None or any(change["change"] == "missed" and change["duty"] in ("suspension", "acceptance_proof")
                         for doc in history.docs[:at] for change in doc.get("duties", [])):
        return None
    history.docs[at]["by"] = {"role": "system", "id": "system"}
    return at + 1


# --- duties ----------------------------------------------------------------------------------------------------------


@kind(known=False)
def _duty_left_out(history: History, random: Random) -> int | None:
    """A change of a duty is left out."""
    found = _change(history, random, lambda c: True)
    if found is None:
        return None
    at, place = found
    del history.docs[at]["duties"][place]
    if not history.docs[at]["duties"]:
        del history.docs[at]["duties"]
    return at + 1


@kind(known=False)
def _miss_left_out(history: History, random: Random) -> int | None:
    """That a duty was missed is left out."""
    found = _change(history, random, lambda c: c["change"] == "missed")
    if found is None:
        return None
    at, place = found
    del history.docs[at]["duties"][place]
    if not history.docs[at]["duties"]:
        del history.docs[at]["duties"]
    return at + 1


@kind(known=False)
def _duty_given_more_time(history: History, random: Random) -> int | None:
    """A duty ends a day later than its rule says, or the command."""
    found = _change(history, random, lambda c: c.get("due") and not c["due"].get("provisional"))
    if found is None:
        return None
    due = history.docs[found[0]]["duties"][found[1]]["due"]
    due["at"] = _text(_time(due["at"]) + DAY)
    return found[0] + 1


@kind(known=False)
def _duty_by_another_figure(history: History, random: Random) -> int | None:
    """A duty rests on another clause, or is called more certain than its record is."""
    found = _change(history, random, lambda c: c.get("due"))
    if found is None:
        return None
    due = history.docs[found[0]]["duties"][found[1]]["due"]
    if random.randrange(2):
        due["clause"] = due["clause"] + "之一"
    else:
        due["certainty"] = "B" if due["certainty"] != "B" else "C"
    return found[0] + 1


@kind()
def _duty_invented(history: History, random: Random) -> int | None:
    """A duty that was met is met once more by the same event."""
    found = _change(history, random, lambda c: c["change"] in ("met", "cancelled"))
    if found is None:
        return None
    at, place = found
    change = history.docs[at]["duties"][place]
    if change["change"] == "cancelled" and any(d["id"] == change["id"] and d["change"] == "missed"
                                               for doc in history.docs for d in doc.get("duties", [])):
        return None  # what was missed and is over could not be told by the checker from what is owed still
    history.docs[at]["duties"].append(dict(change))
    return at + 1


@kind(known=False)
def _duty_owed_by_another(history: History, random: Random) -> int | None:
    """A duty begins for somebody who does not owe it."""
    found = _change(history, random, lambda c: c["change"] == "opened")
    if found is None:
        return None
    change = history.docs[found[0]]["duties"][found[1]]
    change["owes"] = "consumer" if change["owes"] != "consumer" else "merchant"
    return found[0] + 1


@kind(known=False)
def _met_for_missed(history: History, random: Random) -> int | None:
    """A duty that was not met is said to be met by what left its states."""
    found = _change(history, random, lambda c: c["change"] == "cancelled")
    if found is None:
        return None
    history.docs[found[0]]["duties"][found[1]]["change"] = "met"
    return found[0] + 1


def _where(history: History, random: Random, what: str, duty: str, fits: Callable[[Json, Json], Any]) -> tuple[Json, Json] | None:
    """An event and a change in it of that kind of duty."""
    places = [(doc, change) for doc in history.docs for change in doc.get("duties", [])
              if (change["change"], change["duty"]) == (what, duty) and fits(doc, change)]
    return random.choice(places) if places else None


def _without(history: History, found: tuple[Json, Json] | None) -> int | None:
    """The change is left out."""
    if found is None:
        return None
    doc, change = found
    doc["duties"] = [c for c in doc["duties"] if c is not change]
    return history.docs.index(doc) + 1


@kind()
def _promise_kept_by_a_call_that_gave_nothing(history: History, random: Random) -> int | None:
    """A call that met a promise does not say that it gave what was promised."""
    found = _where(history, random, "met", "call_promise", lambda doc, change: True)
    if found is None:
        return None
    del found[0]["data"]["answered"]
    return history.docs.index(found[0]) + 1


@kind()
def _later_promise_kept_first(history: History, random: Random) -> int | None:
    """A call keeps a promise that is due after another, which is owed as well."""
    def later(doc: Json, change: Json) -> list[str]:
        ends: dict[str, str] = {}
        for before in history.docs[:history.docs.index(doc)]:
            for c in before.get("duties", []):
                if c["duty"] == "call_promise":
                    ends[c["id"]] = c.get("due", {}).get("at") or ends[c["id"]]
                    if c["change"] in ("met", "cancelled"):
                        del ends[c["id"]]
        return [name for name, end in ends.items() if _time(end) > _time(ends[change["id"]])]
    found = _where(history, random, "met", "call_promise", later)
    if found is None:
        return None
    found[1]["id"] = random.choice(later(*found))
    return history.docs.index(found[0]) + 1


@kind()
def _promise_lost_in_another(history: History, random: Random) -> int | None:
    """A second promise is said to move the time of the first, which runs still."""
    def second(doc: Json, change: Json) -> list[str]:
        running: dict[str, bool] = {}
        for before in history.docs[:history.docs.index(doc)]:
            for c in before.get("duties", []):
                if c["duty"] == "call_promise":
                    running[c["id"]] = c["change"] in ("opened", "resumed", "extended")
        return [name for name, runs in running.items() if runs]
    found = _where(history, random, "opened", "call_promise", second)
    if found is None:
        return None
    found[1].update(id=random.choice(second(*found)), change="extended")
    return history.docs.index(found[0]) + 1


@kind()
def _earlier_notice_left_standing(history: History, random: Random) -> int | None:
    """A notice during a suspension leaves the one before it as it is."""
    return _without(history, _where(history, random, "cancelled", "answer", lambda doc, change: _name(doc) == "notify"))


@kind()
def _notice_that_does_not_wait(history: History, random: Random) -> int | None:
    """The clock of a notice during a suspension is not said to stand still."""
    return _without(history, _where(history, random, "paused", "answer", lambda doc, change: _name(doc) == "notify"))


@kind()
def _suit_over_and_no_end_of_the_suspension(history: History, random: Random) -> int | None:
    """What is heard of the end of a suit ends no suspension."""
    return _without(history, _where(history, random, "opened", "suspension", lambda doc, change: change.get("about") == "court"))


@kind()
def _suspension_ended_by_a_suit_that_is_not_over(history: History, random: Random) -> int | None:
    """The end of a suspension for a court stands in an event before the one that tells of it."""
    found = _where(history, random, "opened", "suspension", lambda doc, change: change.get("about") == "court" and _name(
        history.docs[history.docs.index(doc) - 1]) not in ("suspend", "settle_referral", "add_evidence"))
    if found is None:
        return None
    version = _without(history, found)
    assert version is not None
    history.docs[version - 2].setdefault("duties", []).append(found[1])
    return version - 1


@kind(known=False)
def _platform_given_more_time(history: History, random: Random) -> int | None:
    """The platform's own time to reply ends an hour later."""
    at = _any(history, random, lambda d: "reply_by" in d)
    if at is not None:
        due = history.docs[at]["reply_by"]
        due["at"] = _text(_time(due["at"]) + HOUR)
    return None if at is None else at + 1


# --- rulings and amounts ---------------------------------------------------------------------------------------------


def _refund(doc: Json) -> Any:
    return (doc["data"].get("remedy") or {}).get("kind") in REFUNDS


def _raise(history: History, random: Random, name: str) -> int | None:
    at = _any(history, random, lambda d: _name(d) == name and _refund(d))
    if at is not None:
        paid = Decimal(str(history.docs[0]["data"]["order"]["paid"]))
        history.docs[at]["data"]["remedy"]["amount"] = str(paid + 1)
    return None if at is None else at + 1


@kind()
def _unlawful_amount(history: History, random: Random) -> int | None:
    """A ruling refunds a yuan more than was paid."""
    return _raise(history, random, "rule")


@kind()
def _offer_above_the_price(history: History, random: Random) -> int | None:
    """An offer refunds a yuan more than was paid."""
    return _raise(history, random, "make_offer")


@kind()
def _ruling_without_remedy(history: History, random: Random) -> int | None:
    """A ruling for the consumer grants nothing."""
    at = _any(history, random, lambda d: _name(d) == "rule" and d["data"]["outcome"] != "for_merchant")
    if at is not None:
        del history.docs[at]["data"]["remedy"]
    return None if at is None else at + 1


@kind()
def _ruling_turned_round(history: History, random: Random) -> int | None:
    """A ruling that grants something is called one for the merchant."""
    at = _any(history, random, lambda d: _name(d) == "rule" and d["data"].get("remedy"))
    if at is not None:
        history.docs[at]["data"]["outcome"] = "for_merchant"
    return None if at is None else at + 1


@kind()
def _nobody_heard(history: History, random: Random) -> int | None:
    """The merchant's answers before the first ruling are left out, where nothing else heard him in any round."""
    ruling = next((n for n, d in enumerate(history.docs) if _name(d) == "rule"), None)
    before = history.docs[:ruling] if ruling is not None else []
    otherwise = any(_name(d) in ("ask_proof", "notify", "submit_proof") or (
        _name(d) == "escalate" and d["by"]["role"] == "merchant") for d in before)
    answers = [d for d in before if _name(d) == "answer" and d["by"]["role"] == "merchant"]
    if ruling is None or otherwise or not answers:
        return None
    history.docs = [d for d in history.docs if not any(d is a for a in answers)]
    return ruling + 1 - len(answers)


@kind(known=False)
def _basis_left_out(history: History, random: Random) -> int | None:
    """A ruling does not say what it rests on."""
    at = _any(history, random, lambda d: d.get("basis"))
    if at is not None:
        del history.docs[at]["basis"]
    return None if at is None else at + 1


@kind(known=False)
def _wrong_figure(history: History, random: Random) -> int | None:
    """A part of a ruling's basis gives another sum, clause, rank or certainty than the record that governs."""
    at = _any(history, random, lambda d: any(b["about"] != "burden" for b in d.get("basis", [])))
    if at is None:
        return None
    basis = random.choice([b for b in history.docs[at]["basis"] if b["about"] != "burden"])
    how = random.choice(("clause", "certainty", "result"))
    basis[how] = {"certainty": "B" if basis["certainty"] != "B" else "C"}.get(how, f"{basis.get(how) or ''}9")
    return at + 1


@kind(known=False)
def _burden_turned_round(history: History, random: Random) -> int | None:
    """A ruling's basis has the other side lose for want of proof."""
    at = _any(history, random, lambda d: d.get("basis"))
    if at is None:
        return None
    burden = history.docs[at]["basis"][0]
    burden["result"] = "loses=merchant" if burden["result"] != "loses=merchant" else "loses=consumer"
    return at + 1


@kind(known=False)
def _penalty_doubled(history: History, random: Random) -> int | None:
    """A ruling lays its penalties on the merchant twice, and his stream once."""
    at = _any(history, random, lambda d: _name(d) == "rule" and d["data"].get("penalties"))
    if at is not None:
        history.docs[at]["data"]["penalties"] *= 2
    return None if at is None else at + 1


@kind(known=False)
def _penalty_imposed_twice(history: History, random: Random) -> int | None:
    """The merchant's stream holds a penalty of a ruling once more."""
    imposed = [d for d in history.streams if d["type"].endswith("penalty_imposed")]
    if not imposed:
        return None
    once = random.choice(imposed)
    place = history.streams.index(once)
    history.streams.insert(place + 1, copy.deepcopy(once))
    return 0


@kind(known=False)
def _penalty_kept_from_the_stream(history: History, random: Random) -> int | None:
    """A ruling with a penalty, and no word of it in the merchant's stream."""
    if not any(d["type"].endswith("penalty_imposed") for d in history.streams):
        return None
    history.streams = []
    return 0


@kind()
def _advance_above_what_is_due(history: History, random: Random) -> int | None:
    """The platform pays a million in advance, where what fell due last is a sum; of an exchange no page says how much that is."""
    at = _any(history, random, lambda d: _name(d) == "pay_advance")
    if at is None or not any(part.get("amount") for part in _due(history.docs[:at])):
        return None
    history.docs[at]["data"]["amount"] = "1000000.00"
    return at + 1


def _due(docs: Docs) -> list[Json]:
    """The parts of the remedy that fell due last."""
    place = max(n for n, d in enumerate(docs) if d.get("to") == "remedy_due" and d["from"] != "remedy_due")
    entry, name = docs[place], _name(docs[place])
    source = {"accept_offer": "make_offer", "deem_agreed": "contact_merchant", "execute_ruling": "rule"}.get(name)
    if source is None:
        remedy = entry["data"]["remedy"]
    else:
        remedy = next(d["data"]["remedy"] for d in reversed(docs[:place]) if _name(d) == source and d["data"].get("remedy") and (
            name != "accept_offer" or d["id"] == entry["offer"]))
    return [remedy, *remedy.get("extra", [])]


@kind()
def _confirmed_unperformed(history: History, random: Random) -> int | None:
    """All performance is left out and the remedy is confirmed as before."""
    confirmed = next((n for n, d in enumerate(history.docs) if _name(d) == "confirm_remedy"), None)
    if confirmed is None:
        return None
    before = history.docs[:confirmed]
    paid = [d for d in before if _name(d) in ("perform_remedy", "pay_advance")]
    history.docs = [d for d in history.docs if not any(d is p for p in paid)]
    return confirmed + 1 - len(paid)


@kind()
def _identifier_out_of_turn(history: History, random: Random) -> int | None:
    """A thing has an identifier that is not the next."""
    at = _any(history, random, lambda d: "id" in d)
    if at is not None:
        history.docs[at]["id"] = history.docs[at]["id"] + "7"
    return None if at is None else at + 1


# --- what a case pins ------------------------------------------------------------------------------------------------


@kind(known=False)
def _another_law_pinned(history: History, random: Random) -> int | None:
    """The opening pins a digest of the lifecycle, or of the rules, that was never published."""
    history.docs[0][random.choice(("lifecycle_digest", "edition_digest"))] = "0" * 64
    return 1


@kind(known=False)
def _future_law_pinned(history: History, random: Random) -> int | None:
    """The opening pins a lifecycle or an edition that there is not."""
    history.docs[0] |= random.choice(({"lifecycle": 99}, {"edition": "2199-01"}))
    return 1


@kind()
def _order_that_cannot_be(history: History, random: Random) -> int | None:
    """The consumer bought from himself, or what was ordered after the complaint."""
    order = history.docs[0]["data"]["order"]
    if random.randrange(2):
        order["paid"] = "0.00"
    else:
        order["ordered_at"] = _text(_time(history.docs[0]["at"]) + DAY)
    return 1


# --- the trial -------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What so many histories came to. ``problems`` are whatever is not as it has to be; there are none in a good trial."""

    seed: int
    lawful: int = 0
    late: int = 0
    events: int = 0
    unlawful: int = 0
    flagged: int = 0
    named: int = 0
    claimed: int = 0
    told: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"seed {self.seed}: {self.lawful} lawful histories of {self.events} events, in {self.late} a body decided late",
            f"{self.unlawful} unlawful ones of {len(self.kinds)} kinds: {self.flagged} flagged by the audit, {self.named} "
            f"at the very event; the checker knows {self.claimed} of them and tells {self.told}",
            f"problems: {len(self.problems)}",
        ]


def trial(count: int, seed: int, depth: int = 24, say: Callable[[str], None] = lambda line: None) -> Tally:
    """``count`` lawful histories and as many unlawful ones, always the same for a seed; what audit and checker said of them.

    A history is at most some ``depth`` steps and paths long. Of each lawful one an unlawful one is made, by whichever of the
    kinds that apply to it was had least.
    """
    tally = Tally(seed)
    for number in range(count):
        random = Random(seed * 1_000_003 + number)
        rows = lawful_history(random.randrange(2**32), 1 + random.randrange(depth))
        _lawful(tally, number, rows)
        _unlawful(tally, number, rows, random)
        if (number + 1) % 100 == 0:
            say(f"{number + 1} of {count}")
    return tally


def _lawful(tally: Tally, number: int, rows: list[Row]) -> None:
    case = _case(rows)
    late = decided_late(events_of(case))
    tally.lawful, tally.events, tally.late = tally.lawful + 1, tally.events + len(case), tally.late + bool(late)
    found = [(f.code, f.version) for f in audit(rows) if f.severity != "note"]
    if sorted(found) != sorted(late):
        tally.problems.append(f"{number}: lawful, and the audit finds {found}")
    if told := unlawful(case):
        tally.problems.append(f"{number}: lawful, and the checker says {told[:3]}")


def _unlawful(tally: Tally, number: int, rows: list[Row], random: Random) -> None:
    for name in sorted(MUTATIONS, key=lambda name: (tally.kinds[name], random.random())):
        history = History.of(copy.deepcopy(rows))
        version = MUTATIONS[name](history, random)
        if version is not None:
            break
    else:
        tally.problems.append(f"{number}: nothing applies")
        return
    altered = history.rows()
    tally.unlawful += 1
    tally.kinds[name] += 1
    found = [f for f in audit(altered) if f.code not in ASIDE and f.severity != "note"]
    tally.codes.update({f.code for f in found})
    tally.flagged += bool(found)
    tally.named += any(f.version == version or not version for f in found)
    if not found:
        tally.problems.append(f"{number}: {name} at {version} is not found")
    if any(f.code == "derivations_differ" for f in found):
        tally.problems.append(f"{number}: {name} at {version}: the derivations differ")
    if name in KNOWN:
        tally.claimed += 1
        told = unlawful(_case(altered))
        tally.told += bool(told)
        if not told:
            tally.problems.append(f"{number}: {name} at {version} is not told by the checker")


def _case(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.topic.startswith("casework.case.")]
