"""Whether a recorded history is lawful, told by an independent checker: the tables of the published pages and plain JSON.

Edges, roles, guards, acts and tracks are read from docs/lifecycle.md, the topics of commands from docs/commands.md, the lives of
duties from docs/duties.md. Nothing of the audit, of the machine, of deciding or of the guards is imported; no event is decoded.
What a guard asks is stated again below, in data as far as it goes; :data:`NOT_RESTATED` are the guards of which nothing is said.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from casework.store.row import Row

DOCS = Path(__file__).parents[2] / "docs"
Json = dict[str, Any]
#: Of these guards the checker knows nothing: they take figures, a calendar, the matrix of proof, or much history.
NOT_RESTATED = {
    "limitation_runs", "limitation_is_past", "evidence_is_enough", "evidence_is_newer_than_ruling",
    "promised_evidence_is_in_file",
    "platform_is_overdue_or_passed_it_up", "promise_gives_as_much", "burden_is_met", "compensation_is_within_the_rules",
    "objection_term_is_past", "return_term_is_past", "evidence_term_is_past", "proof_term_is_past", "carrier_was_asked",
    "suspension_needs_proof", "edition_is_later", "duty_is_provisional", "remedy_is_still_owed", "no_other_body_has_it",
    "correction_keeps_the_outcome", "nothing_is_performed_yet", "proof_is_in_file", "award_is_what_was_settled",
    "system_waits_for_the_term", "evidence_is_of_the_other_side", "duty_is_overdue",
}
MONEY = {"refund", "return_refund", "price_difference", "compensation", "promised_multiple", "statutory_damages"}
REFUNDS = {"refund", "return_refund", "price_difference"}
PENDING = {"lodged", "accepted", "settled"}
OPENERS = {"consumer", "adviser", "agent", "supervisor", "system"}
#: Of a party, the moves of a duty that change what it is: what state it may come from.
MOVES = {"met": {"running", "paused", "missed"}, "missed": {"running"}, "cancelled": {"running", "paused", "missed"},
         "paused": {"running"}, "resumed": {"paused"}, "extended": {"running"}, "recomputed": {"running"}}
#: Which duty stands for a day that a command names.
DAYS = {"request_evidence": ("evidence", "answer_by"), "ask_proof": ("proof", "answer_by"), "notify": ("answer", "answer_by")}
#: These begin a duty of this kind whenever they are given in its states and none of the kind is owed already.
BEGINS = {"contact_merchant": "merchant_answer", "answer_merchant": "merchant_answer", "decline_offer": "merchant_answer",
          "file": "platform_reply", "supply_evidence": "platform_reply", "report_default": "platform_reply",
          "reopen_filed": "platform_reply", "request_evidence": "evidence", "ask_proof": "proof"}
#: Editions that lack a duty's rule, which is then not begun: by the duty, or by the rule where the duty has several.
LACKING = {("2026-11", "merchant_answer"), ("2026-11", "court.appeal")}
#: Where the platform hears a complaint.
TO_PLATFORM = ("app_service", "help_centre", "after_sales", "return_exchange", "complain_about_merchant", "agent_intervention",
               "hotline", "online_service", "fast_track", "superior", "supervisor_review", "user_feedback", "my_taobao",
               "my_tmall")
RETURNS = {"ship_return": "sent", "receive_return": "received", "contest_return": "contested"}
ADVANCES = {"apply_advance": "applied", "pay_advance": "paid", "close_advance": "closed", "recover_advance": "recovered"}
REFERRALS = {"accept_referral": "accepted", "refuse_referral": "refused", "settle_referral": "settled", "end_referral": "ended",
             "withdraw_referral": "withdrawn"}


# --- the published tables --------------------------------------------------------------------------------------------


class Edge(NamedTuple):
    to: str | None
    roles: tuple[str, ...]
    guards: tuple[str, ...]


class Tables(NamedTuple):
    """What the pages publish. ``moves`` are track, trigger and state; ``lives`` of a duty its states, the commands that
    meet it, and the states in which its clock stands still."""

    commands: dict[str, str]
    edges: dict[tuple[str, str], Edge]
    acts: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str]]
    moves: dict[tuple[str, str], tuple[str, ...]]
    lives: dict[str, tuple[set[str], set[str], set[str]]]
    closed: set[str]
    guards: set[str]


@cache
def tables() -> Tables:
    """The tables of the pages, read once."""
    page, duties = (DOCS / "lifecycle.md").read_text("utf-8"), (DOCS / "duties.md").read_text("utf-8")
    stages = {row[0]: row[3] for row in _table(page, "## States")}
    states = {_names(name)[0]: stage for name, stage in stages.items()}
    closed = {name for name, stage in states.items() if stage.startswith("closed")}
    everywhere = [name for name in states if name not in closed]

    def in_states(cell: str) -> list[str]:
        if cell == "every state":
            return list(states)
        if cell.startswith("every open state"):
            return [name for name in everywhere if name not in _names(cell)]
        return _names(cell)

    edges: dict[tuple[str, str], Edge] = {}
    for name, _, _, roles, sources, to, guards in _table(page, "## Triggers"):
        for source in in_states(sources):
            target = source if to == "stays" else _names(to)[0]
            edges[source, _names(name)[0]] = Edge(target, tuple(_names(roles)), tuple(_names(guards)))
    acts = {_names(name)[0]: (tuple(_names(roles)), tuple(in_states(where)), tuple(_names(guards)), "".join(_names(track)))
            for name, _, _, roles, where, guards, track in _table(page, "## Beside the state")}
    moves = {(_names(track)[0], _names(trigger)[0]): tuple(_names(sources))
             for track, _, _, trigger, sources, _, _ in _table(page, "## Tracks")}
    lives = {_names(row[0])[0]: (set(in_states(row[2])), set(_names(row[1])), set(_names(row[4])))
             for row in _table(duties, "## Lives")}
    guards = {g for edge in edges.values() for g in edge.guards} | {g for act in acts.values() for g in act[2]}
    return Tables(_commands(), edges, acts, moves, lives, closed, guards)


def _commands() -> dict[str, str]:
    """Which command is recorded under which topic."""
    found, name = {}, ""
    for line in (DOCS / "commands.md").read_text("utf-8").splitlines():
        if line.startswith("### "):
            name = line.removeprefix("### ").strip("` ")
        if topic := re.search(r"^Recorded by .* under `(casework\.case\.\w+)`", line):
            found[topic[1]] = name
    return found


def _table(page: str, heading: str) -> Iterator[list[str]]:
    """The rows of the first table under a heading, without its head."""
    body = page.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in body.splitlines() if line.startswith("|")]
    for line in rows[2:]:
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# --- a history -------------------------------------------------------------------------------------------------------


class Known:
    """What the checker keeps of a case: plain values, taken from what the events say."""

    def __init__(self, opening: Json) -> None:
        given = opening["data"]
        self.edition = opening["edition"]
        self.consumer, self.merchant = given["consumer"], given["order"]["merchant"]
        self.paid, self.services = Decimal(str(given["order"]["paid"])), given["order"].get("services", [])
        self.state, self.at, self.recorded = "discovered", opening["at"], opening["recorded_at"]
        self.commands = {opening["command_id"]}
        self.advisers: set[str] = set()
        self.counts: dict[str, int] = defaultdict(int)
        self.evidence: dict[str, Json] = {}
        self.offers: dict[str, Json] = {}
        self.referrals: dict[str, Json] = {}
        self.tip_offs: dict[str, Json] = {}
        self.duties: dict[str, Json] = {}
        self.assigned: tuple[str, str] | None = None
        self.rulings: list[Json] = []
        self.before_round, self.in_review = 0, False
        self.heard: dict[str, Any] = {}
        self.contacted, self.without_contact, self.asked = False, False, None
        self.evidence_asked = 0
        self.proof: Json | None = None
        self.remedy: Json | None = None
        self.performed: list[Decimal] = []
        self.goods, self.advance = "not_due", "not_applied"


def unlawful(rows: Iterable[Row]) -> list[tuple[int, str]]:
    """Why a case is not lawful, by version; nothing where the checker finds nothing against it.

    The case has to be one of the lifecycle's version that the pages publish.
    """
    found: list[tuple[int, str]] = []
    known: Known | None = None
    for due, row in enumerate(rows, 1):
        event: Json = json.loads(row.payload, parse_float=Decimal)
        told = [*_shape(row, event, due)]
        if (known is None) != (row.topic == "casework.case.case_opened"):
            told.append("opens once, and first")
        elif known is None:
            told += _opening(event)
            known = Known(event)
            told += _duties(known, event, "open_case")
        else:
            told += _step(known, event)
        found += [(row.version, what) for what in told]
        if known is None:
            break
    return found


def _shape(row: Row, event: Json, due: int) -> Iterator[str]:
    if (row.version, event["version"]) != (due, due):
        yield f"version {row.version} where {due} is due"
    told = (event["case"], event["type"], event.get("trigger"), event.get("from"), event.get("to"))
    if told != (row.case, row.topic, row.trigger, row.from_state, row.to_state):
        yield "a column differs"
    if (_micro(event["at"]), _micro(event["recorded_at"])) != (row.at, row.recorded_at):
        yield "a column's time differs"
    if _time(event["at"]) > _time(event["recorded_at"]):
        yield "it happened after it was recorded"


def _opening(event: Json) -> Iterator[str]:
    by, given = event["by"], event["data"]
    order = given["order"]
    if by["role"] not in OPENERS or (by["role"] == "consumer" and by["id"] != given["consumer"]):
        yield "who opened it may not"
    times = [_time(order["ordered_at"]), _time(order.get("received_at") or order["ordered_at"]), _time(event["at"])]
    if times != sorted(times) or not Decimal(str(order["paid"])) or _same(order["merchant"], given["consumer"]):
        yield "an order that cannot be"
    if event.get("trigger") or event.get("from") or event.get("to"):
        yield "an opening is no step"


def _step(known: Known, event: Json) -> list[str]:
    law, name = tables(), tables().commands[event["type"]]
    told: list[str] = []
    if _time(event["at"]) < _time(known.at) or _time(event["recorded_at"]) < _time(known.recorded):
        told.append("time runs backwards")
    if event["command_id"] in known.commands:
        told.append("a command recorded twice")
    step = (event.get("trigger"), event.get("from"), event.get("to"))
    guards: tuple[str, ...] = ()
    if name in law.acts:
        roles, where, guards, track = law.acts[name]
        if step != (None, None, None):
            told.append("an act that carries a step")
        if known.state not in where:
            told.append(f"no {name} in {known.state}")
        told += _track(known, event, name, track)
    else:
        edge = law.edges.get((known.state, name))
        roles = edge.roles if edge else ()
        guards = edge.guards if edge else ()
        if edge is None:
            told.append(f"no {name} leaves {known.state}")
        elif step != (name, known.state, edge.to):
            told.append(f"{step} is not {name} from {known.state} to {edge.to}")
    told += _who(known, event, roles)
    told += [guard for guard in guards if guard in GUARDS and not GUARDS[guard](known, event)]
    told += _ids(known, event, name)
    told += _duties(known, event, name)
    _learn(known, event, name)
    return told


def _who(known: Known, event: Json, roles: tuple[str, ...]) -> Iterator[str]:
    role, name = event["by"]["role"], event["by"]["id"]
    if roles and role not in roles:
        yield f"{role} may not"
    party = {"consumer": known.consumer, "merchant": known.merchant}.get(role, name)
    if name != party or (role == "adviser" and name not in known.advisers):
        yield f"{role}:{name} is not of the case"


def _track(known: Known, event: Json, name: str, track: str) -> Iterator[str]:
    data = event["data"]
    trigger = {"dispute_evidence": "dispute", "examine_evidence": f"find_{data.get('result')}", "ship_return": "ship",
               "receive_return": "receive", "contest_return": "contest",
               "settle_return": "settle_received" if data.get("received") else "settle_again",
               "answer_tip_off": "open_case" if data.get("result") == "case_opened" else "drop"}.get(name, name.split("_")[0])
    if not track:
        return
    things: Json = {"authenticity": known.evidence, "referral": known.referrals, "tip_off": known.tip_offs}.get(track, {})
    field = {"authenticity": "evidence", "referral": "referral", "tip_off": "tip_off"}.get(track)
    if field is not None and data[field] not in things:
        yield f"there is no {data[field]}"
        return
    state = things[data[field]]["state"] if field else known.goods if track == "return" else known.advance
    if state not in tables().moves[track, trigger]:
        yield f"the {track} is {state}"


def _ids(known: Known, event: Json, name: str) -> Iterator[str]:
    prefix = {"add_evidence": "E", "make_offer": "O", "refer": "R", "tip_off": "T"}.get(name)
    if prefix:
        known.counts[prefix] += 1
        if event["id"] != f"{prefix}-{known.counts[prefix]}":
            yield f"{event['id']} is not the next identifier"
    if name in ("accept_offer", "decline_offer") and _open_offer(known) not in (None, event["offer"]):
        yield "another offer than the open one"


# --- guards ----------------------------------------------------------------------------------------------------------


def _parts(event: Json) -> list[Json]:
    remedy = event["data"].get("remedy")
    return [remedy, *remedy.get("extra", [])] if remedy else []


def _money(part: Json) -> Decimal:
    return Decimal(str(part.get("amount") or 0))


def _open_offer(known: Known) -> str | None:
    return next((name for name, offer in known.offers.items() if offer["state"] == "open"), None)


def _by(event: Json) -> tuple[str, str]:
    return event["by"]["role"], event["by"]["id"]


def _assigned(known: Known, event: Json) -> bool:
    return event["by"]["role"] not in ("agent", "supervisor") or _by(event) == known.assigned


def _no_party(known: Known, event: Json) -> bool:
    role, judge = str(event["data"]["to"]).split(":") if "to" in event["data"] else _by(event)
    parties = [known.consumer, known.merchant, *known.advisers]
    return role not in ("agent", "supervisor") or not any(_same(judge, party) for party in parties)


def _new_judge(known: Known, event: Json) -> bool:
    return not any(_same(ruling["by"]["id"], event["by"]["id"]) for ruling in known.rulings)


def _heard(known: Known, event: Json) -> bool:
    """Each side answered, or was given a day that is past and did not stand still."""
    for role in ("consumer", "merchant"):
        until = known.heard.get(role)
        stopped = any(d["state"] == "paused" and d["duty"] in ("answer", "proof") and d["owes"] == role
                      for d in known.duties.values())
        if until is None or (until is not True and (stopped or _time(until) >= _time(event["at"]))):
            return False
    return True


def _consistent(known: Known, event: Json) -> bool:
    data = event["data"]
    for_merchant = data["outcome"] == "for_merchant"
    return for_merchant == (data.get("remedy") is None) and not (for_merchant and data.get("penalties")) and not any(
        part["kind"] == "statutory_damages" for part in _parts(event))


def _new_evidence(known: Known, event: Json) -> bool:
    return any(x["version"] > known.evidence_asked and x["role"] in ("consumer", "adviser") and x["state"] != "forged"
               for x in known.evidence.values())


def _body_asked(known: Known, event: Json) -> bool:
    return not any(r["body"] == event["data"]["body"] and r["state"] in ("lodged", "accepted") for r in known.referrals.values())


def _total(known: Known) -> Decimal | None:
    parts = [known.remedy, *known.remedy.get("extra", [])] if known.remedy else []
    amounts = [_money(part) for part in parts if part.get("amount") is not None and part["kind"] != "points"]
    return sum(amounts, Decimal(0)) if amounts else None


def _performed(known: Known, event: Json) -> bool:
    due = _total(known)
    return bool(known.performed) and (due is None or sum(known.performed) >= due)


def _within_due(known: Known, event: Json) -> bool:
    due = _total(known)
    left = None if due is None else due - sum(known.performed)
    return left is None or (left > 0 and _money(event["data"]) <= left)


def _ahead(known: Known, event: Json) -> bool:
    day = event["data"].get("answer_by") or event["data"].get("promised_by")
    return day is None or _time(day) > _time(event["at"])


def _duty(known: Known, event: Json) -> Json:
    return known.duties.get(event["data"]["duty"], {})


def _of_body(known: Known, event: Json) -> bool:
    named = known.referrals.get(event["data"]["referral"])
    return named is None or named["body"] == event["by"]["id"]


def _tipped(known: Known, event: Json) -> bool:
    named = known.tip_offs.get(event["data"]["tip_off"])
    to = event["by"]["id"] if event["by"]["role"] == "external" else "platform"
    return named is None or named["to"] == to


def _mine(known: Known, event: Json) -> bool:
    duty, (role, name) = _duty(known, event), _by(event)
    parties = {"merchant_answer", "evidence", "proof", "answer", "return_shipping", "return_confirmation", "performance"}
    return not duty or (duty["owes"] == f"external:{name}" if role == "external" else duty["duty"] in parties)


def _later(known: Known, event: Json) -> bool:
    duty, until = _duty(known, event), _time(event["data"]["until"])
    return not duty or max(_time(duty["at"]), _time(event["at"])) < until <= _time(event["at"]) + timedelta(days=3660)


def _asked_for(known: Known, event: Json) -> bool:
    asked = known.proof
    return asked is not None and event["by"]["role"] == asked["party"] and set(event["data"]["kinds"]) <= set(asked["kinds"])


GUARDS: dict[str, Callable[[Known, Json], bool]] = {
    "remedy_has_amount": lambda k, e: all(p["kind"] not in MONEY or _money(p) > 0 for p in _parts(e)),
    "refund_is_within_paid": lambda k, e: sum(_money(p) for p in _parts(e) if p["kind"] in REFUNDS) <= k.paid,
    "amount_is_within_paid": lambda k, e: 0 < _money(e["data"]) <= k.paid,
    "order_qualifies": lambda k, e: "instant_refund" in k.services,
    "evidence_is_new": _new_evidence,
    "offer_is_open": lambda k, e: _open_offer(k) is not None,
    "merchant_was_contacted": lambda k, e: k.contacted or k.without_contact or bool(e["data"].get("without_contact")),
    "channel_reaches_platform": lambda k, e: e["data"].get("channel") in (None, *TO_PLATFORM),
    "deadline_is_ahead": _ahead,
    "nobody_else_is_assigned": lambda k, e: k.assigned in (None, _by(e)),
    "judge_is_no_party": _no_party,
    "actor_is_assigned": _assigned,
    "actor_did_not_rule_before": _new_judge,
    "assignee_did_not_rule_before": lambda k, e: not (k.in_review and any(
        _same(r["by"]["id"], e["data"]["to"].split(":")[1]) for r in k.rulings)),
    "parties_were_heard": _heard,
    "ruling_is_consistent": _consistent,
    "ruling_grants_remedy": lambda k, e: bool(k.rulings) and k.rulings[-1]["remedy"] is not None,
    "ruling_grants_nothing": lambda k, e: not k.rulings or k.rulings[-1]["remedy"] is None,
    "ruling_is_the_actors": lambda k, e: bool(k.rulings) and k.rulings[-1]["by"] == e["by"],
    "higher_level_exists": lambda k, e: not (k.rulings and k.rulings[-1]["review"]),
    "nothing_was_ruled": lambda k, e: not k.rulings,
    "proof_was_asked": _asked_for,
    "referral_is_pending": lambda k, e: any(r["state"] in PENDING for r in k.referrals.values()),
    "no_referral_is_pending": lambda k, e: not any(r["state"] in PENDING for r in k.referrals.values()),
    "body_has_the_matter": lambda k, e: any(r["body"] == e["by"]["id"] and r["state"] in ("accepted", "settled")
                                            for r in k.referrals.values()),
    "body_had_the_matter": lambda k, e: e["by"]["role"] != "external" or any(
        r["body"] == e["by"]["id"] for r in k.referrals.values()),
    "body_was_not_asked_yet": _body_asked,
    "referral_is_of_actor": _of_body,
    "tip_off_went_to_actor": _tipped,
    "remedy_is_performed": _performed,
    "goods_are_back": lambda k, e: k.goods in ("not_due", "received"),
    "advance_was_promised": lambda k, e: "advance_compensation" in k.services or bool(k.rulings),
    "advance_is_within_due": _within_due,
    "claim_was_put": lambda k, e: k.asked is not None,
    "duty_is_known": lambda k, e: e["data"]["duty"] in k.duties,
    "duty_is_running": lambda k, e: _duty(k, e).get("state", "running") == "running",
    "duty_is_paused": lambda k, e: _duty(k, e).get("state", "paused") == "paused",
    "duty_is_the_actors_to_move": _mine,
    "new_time_is_later": _later,
}


# --- duties ----------------------------------------------------------------------------------------------------------


def _duties(known: Known, event: Json, name: str) -> list[str]:
    """Whether what the event does to duties can be, by the lives that are published; and the day that a command names."""
    told: list[str] = []
    state, lives = event.get("to") or known.state, tables().lives
    owed_before = {d["duty"] for d in known.duties.values() if d["state"] in ("running", "paused")}
    changes = event.get("duties", [])
    told += [*_promises(known, event, name), *_court(known, event, name)]
    for change in changes:
        kind, what, at = change["duty"], change["change"], _time(event["at"])
        if what == "opened":
            if change["id"] != f"D-{len(known.duties) + 1}" or state not in lives[kind][0]:
                told.append(f"{change['id']} {kind} cannot begin here")
            known.duties[change["id"]] = {"duty": kind, "owes": change["owes"], "state": "running", "at": change["due"]["at"],
                                          "sure": not change["due"].get("provisional"), "about": change.get("about"),
                                          "since": event["at"]}
            continue
        duty = known.duties.get(change["id"])
        if duty is None or (duty["duty"], duty["owes"], duty["about"]) != (kind, change["owes"], change.get("about")):
            told.append(f"{change['id']} {kind} is no duty of the case")
            continue
        if duty["state"] not in MOVES[what]:
            told.append(f"{change['id']} is {duty['state']} and cannot be {what}")
        if what == "met" and name not in lives[kind][1]:
            told.append(f"{name} does not meet {kind}")
        if what == "missed" and _time(duty["at"]) >= at:
            told.append(f"{change['id']} is not over yet")
        if what == "met" and duty["state"] == "running" and duty["sure"] and _time(duty["at"]) < at:
            told.append(f"{change['id']} was over and is not said to be missed")
        if "due" in change:
            duty["at"], duty["sure"] = change["due"]["at"], not change["due"].get("provisional")
        duty["state"] = {"met": "met" if duty["state"] != "missed" else "late", "missed": "missed", "cancelled": "cancelled",
                         "paused": "paused"}.get(what, "running")
    stale = [key for key, d in known.duties.items()
             if d["state"] in ("running", "paused", "missed") and state not in lives[d["duty"]][0]]
    told += [f"{key} has no place in {state}" for key in stale]
    if name in DAYS:
        kind, field = DAYS[name]
        halted = state in lives[kind][2]
        named = [d for d in known.duties.values() if d["duty"] == kind and d["state"] == ("paused" if halted else "running")]
        if not any(_time(d["at"]) == _time(event["data"][field]) for d in named):
            told.append(f"no {kind} until the day that is named")
        asked = [d for d in known.duties.values() if d["state"] in ("running", "paused") and (
            (d["duty"], d["owes"]) == (kind, event["data"].get("party")))]
        if halted and len(asked) != 1:
            told.append(f"{len(asked)} of {kind} wait for the review to go on")
    begun = BEGINS.get(name)
    if begun is not None and (known.edition, begun) not in LACKING and state in lives[begun][0] and begun not in owed_before:
        if not any(c["change"] == "opened" and c["duty"] == begun for c in changes):
            told.append(f"no {begun} begins")
    for key in stale:  # told once
        known.duties[key]["state"] = "cancelled"
    return told


def _promises(known: Known, event: Json, name: str) -> Iterator[str]:
    """A call keeps the promise that is due first where it says that it gives what was promised; what it promises is one more."""
    data, kind = event["data"], "call_promise"
    changes = [c for c in event.get("duties", []) if c["duty"] == kind]
    heard = name == "log_call" and data.get("channel", "hotline") in TO_PLATFORM
    owed = [key for key, d in known.duties.items() if d["duty"] == kind and d["state"] in ("running", "paused", "missed")]
    first = sorted(owed, key=lambda key: _time(known.duties[key]["at"]))[:1] if heard and data.get("answered") else []
    if [c["id"] for c in changes if c["change"] == "met"] != first:
        yield "it keeps another promise than the first, or none" if first else "it keeps no promise"
    promises = heard and data.get("promised_by") and known.state in tables().lives[kind][0]
    until = [data["promised_by"]] if promises else []
    if [_time(c["due"]["at"]) for c in changes if c["change"] == "opened"] != [_time(day) for day in until]:
        yield "a promise is one of its own, until the day that is named"


def _court(known: Known, event: Json, name: str) -> Iterator[str]:
    """A suspension for a court that took the matter ends by what is first heard of its end, and by nothing else."""
    data, ends = event["data"], [d for d in known.duties.values() if d["duty"] in ("acceptance_proof", "suspension")]
    waits = known.state == "suspended" and ends and (ends[-1]["duty"], ends[-1]["about"]) == ("acceptance_proof", "court")
    if waits and name == "show_acceptance":
        # What is heard of the suit before its acceptance is shown counts from then on.
        suit: Json = ([{}] + [r for r in known.referrals.values() if r["body"] == "court"])[-1]
        over = suit.get("state") in ("refused", "ended", "withdrawn") and _time(suit["over"]) >= _time(ends[-1]["since"])
        judged = not over and (suit.get("state") == "settled" or any(
            (x["kind"], x["state"]) == ("court_judgment", "authentic") for x in known.evidence.values()))
    else:
        waits = waits and ends[-1]["state"] in ("met", "late")
        of_court = known.referrals.get(data.get("referral", ""), {}).get("body") == "court"
        found = name == "examine_evidence" and data["result"] == "authentic" and (
            known.evidence.get(data["evidence"], {}).get("kind") == "court_judgment")
        judged = found or (name == "settle_referral" and of_court)
        over = name in ("refuse_referral", "end_referral", "withdraw_referral") and of_court
    begun = [c for c in event.get("duties", []) if (c["change"], c["duty"], c.get("about")) == ("opened", "suspension", "court")]
    if not waits or not (over or (judged and (known.edition, "court.appeal") not in LACKING)):
        if begun:
            yield "nothing ends the suspension for the court"
    elif len(begun) != 1 or (_time(begun[0]["due"]["at"]) == _time(event["at"])) is not over:
        yield "the suspension for the court does not end as the suit does"


# --- what an event teaches -------------------------------------------------------------------------------------------


def _learn(known: Known, event: Json, name: str) -> None:
    data, by = event["data"], event["by"]
    known.state, known.at, known.recorded = event.get("to") or known.state, event["at"], event["recorded_at"]
    known.commands.add(event["command_id"])
    if name in ("file", "reopen_filed", "report_default", "escalate"):
        known.assigned, known.proof = None, None
        known.heard = {by["role"]: True}
        known.in_review = name == "escalate"
        known.before_round = known.before_round if known.in_review else len(known.rulings)
        known.without_contact = known.without_contact or bool(data.get("without_contact"))
    elif name == "reopen":
        known.assigned, known.heard, known.in_review, known.proof = None, {}, False, None
    elif name == "contact_merchant":
        known.contacted, known.asked = True, data.get("remedy") or known.asked
    elif name == "add_evidence":
        known.evidence[event["id"]] = {"version": event["version"], "role": by["role"], "state": "unexamined",
                                       "kind": data["kind"]}
    elif name in ("ask_for_evidence", "request_evidence"):
        known.evidence_asked = event["version"]
    elif name in ("dispute_evidence", "examine_evidence") and data["evidence"] in known.evidence:
        known.evidence[data["evidence"]]["state"] = data.get("result", "disputed")
    elif name == "make_offer":
        _close_offers(known, "superseded")
        known.offers[event["id"]] = {"state": "open", "remedy": data["remedy"]}
    elif name == "refuse_claim":
        _close_offers(known, "lapsed")
    elif name in ("decline_offer", "accept_offer") and event["offer"] in known.offers:
        known.offers[event["offer"]]["state"] = "declined" if name == "decline_offer" else "accepted"
    elif name == "accept_complaint":
        known.assigned = _by(event)
    elif name == "assign":
        role, _, identity = data["to"].partition(":")
        known.assigned = role, identity
    elif name == "remit":
        known.assigned = None
        known.in_review = known.in_review and len(known.rulings) > known.before_round
    elif name == "answer":
        known.heard[by["role"]] = True
    elif name == "notify" and known.heard.get(data["party"]) is not True:
        known.heard[data["party"]] = data["answer_by"]
    elif name == "ask_proof":
        known.proof = data
        if known.heard.get(data["party"]) is not True:
            known.heard[data["party"]] = data["answer_by"]
    elif name == "submit_proof":
        known.heard[by["role"]], known.proof = True, None
    elif name == "close_proof":
        known.proof = None
    elif name == "rule":
        review = known.in_review and len(known.rulings) > known.before_round
        known.rulings.append({"by": by, "remedy": data.get("remedy"), "review": review})
        known.in_review = False
        _close_offers(known, "lapsed")
    elif name == "correct_ruling" and known.rulings and data.get("remedy"):
        known.rulings[-1]["remedy"] = data["remedy"]
        known.remedy = data["remedy"] if known.state == "remedy_due" else known.remedy
    elif name == "refer":
        known.referrals[event["id"]] = {"body": data["body"], "state": "lodged"}
    elif name in REFERRALS and data["referral"] in known.referrals:
        known.referrals[data["referral"]] |= {"state": REFERRALS[name], "over": event["at"]}
    elif name == "tip_off":
        known.tip_offs[event["id"]] = {"to": data["to"], "state": "lodged"}
    elif name == "answer_tip_off" and data["tip_off"] in known.tip_offs:
        known.tip_offs[data["tip_off"]]["state"] = data["result"]
    elif name == "adopt_edition":
        known.edition = data["edition"]
    elif name == "authorise_adviser":
        known.advisers.add(data["adviser"])
    elif name == "perform_remedy":
        known.performed.append(_money(data))
    elif name in RETURNS or name == "settle_return":
        known.goods = RETURNS.get(name) or ("received" if data["received"] else "due")
    elif name in ADVANCES:
        known.advance = ADVANCES[name]
        known.performed += [_money(data)] if name == "pay_advance" else []
    elif name == "instant_refund":
        known.remedy, known.performed = {"kind": "refund", "amount": data["amount"]}, [_money(data)]
    if event.get("to") == "remedy_due" != event.get("from"):
        _falls_due(known, event, name)
    if known.state in tables().closed and event.get("to"):
        _close_offers(known, "lapsed")
    # A day that was moved moves what is waited for.
    for change in event.get("duties", []):
        if change["duty"] in ("answer", "proof") and change["change"] != "opened" and "due" in change and (
                change["duty"] == "answer" or known.proof) and known.heard.get(change["owes"]) is not True:
            known.heard[change["owes"]] = change["due"]["at"]


def _falls_due(known: Known, event: Json, name: str) -> None:
    remedy = {"accept_offer": lambda: known.offers.get(event.get("offer", ""), {}).get("remedy"),
              "deem_agreed": lambda: known.asked, "external_award": lambda: event["data"]["remedy"],
              "execute_ruling": lambda: known.rulings[-1]["remedy"] if known.rulings else None}.get(name, lambda: None)()
    if remedy is None:
        return
    known.remedy, known.performed = remedy, []
    kinds = {remedy["kind"], *(part["kind"] for part in remedy.get("extra", []))}
    if not kinds & {"return_refund", "exchange"}:
        known.goods = "not_due"
    elif known.goods == "not_due":
        known.goods = "due"


def _close_offers(known: Known, state: str) -> None:
    for offer in known.offers.values():
        offer["state"] = state if offer["state"] == "open" else offer["state"]


def _same(one: str, other: str) -> bool:
    return unicodedata.normalize("NFKC", one).casefold() == unicodedata.normalize("NFKC", other).casefold()


@cache
def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _micro(text: str) -> int:
    return (_time(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
