"""Proofs over the whole lifecycle: every state, every trigger, every role. Nothing here is an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from domain_helpers import ACTORS, IN_STATE, START, Story, actor, case_in, given_case, roles_of, sample

from casework.domain import machine
from casework.domain.beside import ACTS, TRACKS
from casework.domain.commands import COMMANDS
from casework.domain.decide import judge, options
from casework.domain.events import EVENT_OF
from casework.domain.facts import INITIAL, Facts
from casework.domain.guards import GUARDS
from casework.domain.lifecycle import (
    BEYOND,
    CLOSED,
    MERCHANT,
    OPEN,
    PLATFORM,
    REOPENING,
    STAGE_OF,
    TRIGGERS,
    Edge,
    Trigger,
)
from casework.domain.machine import Lifecycle, lifecycle
from casework.domain.reasons import REASONS, reason
from casework.domain.request import Request
from casework.domain.versions import TABLES, VERSION, Tables
from casework.domain.vocabulary import VOCABULARY
from casework.errors import Reason
from casework.rulebook.edition import CURRENT

STATES = tuple(STAGE_OF)
NAMES = tuple(t.name for t in TRIGGERS)
PAIRS = tuple(product(STATES, NAMES))
GOLDEN = Path(__file__).parent / "golden" / f"lifecycle_{VERSION}.sha256"


def current() -> Lifecycle:
    process = lifecycle(VERSION)
    assert process is not None
    return process


def edges() -> Iterator[tuple[str, str, str]]:
    for state, row in current().map.items():
        for name, step in row.items():
            yield state, name, step.to


def reachable(start: str, forward: bool = True, without: tuple[str, ...] = ()) -> set[str]:
    found, fresh = {start}, [start]
    while fresh:
        state = fresh.pop()
        for one, name, other in edges():
            source, target = (one, other) if forward else (other, one)
            if source == state and name not in without and target not in found:
                found.add(target)
                fresh.append(target)
    return found


@pytest.fixture(scope="module")
def stories() -> dict[str, Story]:
    return {state: case_in(state) for state in STATES}


# --- the graph -------------------------------------------------------------------------------------------------------


def test_every_state_can_be_reached_from_discovered() -> None:
    assert reachable("discovered") == set(STATES)


def test_every_state_can_be_reached_without_closing_and_reopening_the_case() -> None:
    assert reachable("discovered", without=REOPENING) == set(STATES)


def test_every_state_is_reached_by_a_real_case_under_all_guards() -> None:
    assert set(IN_STATE) == set(STATES)
    for state in STATES:
        assert case_in(state).facts.state == state


def test_every_open_state_can_reach_every_kind_of_good_end_and_the_platform_can_dismiss() -> None:
    for state in set(STATES) - CLOSED:
        ends = reachable(state, without=REOPENING) & CLOSED
        assert {"resolved", "abandoned", "withdrawn", "dismissed"} <= ends, state


def test_every_open_state_can_reach_resolved() -> None:
    assert set(STATES) - CLOSED <= reachable("resolved", forward=False)


def test_every_open_state_has_an_edge_straight_to_an_end() -> None:
    for state in set(STATES) - CLOSED:
        assert any(step.to in CLOSED for step in current().steps_from(state).values()), state


def test_only_reopening_leaves_an_end_and_it_leaves_no_other_state() -> None:
    left = {(state, name) for state, name, _ in edges() if state in CLOSED}
    assert {name for _, name in left} == set(REOPENING)
    assert not [edge for edge in edges() if edge[1] in REOPENING and edge[0] not in CLOSED]


def test_a_resolved_case_stays_resolved_and_every_other_end_can_be_reopened() -> None:
    assert {state for state in CLOSED if not current().steps_from(state)} == {"resolved"}


def test_reopening_leads_to_the_start_or_to_the_platform() -> None:
    assert {(name, to) for _, name, to in edges() if name in REOPENING} == {
        ("reopen", "discovered"), ("reopen_filed", "filed")}


def test_correction_appeal_and_reopening_are_three_different_acts() -> None:
    def where(name: str) -> set[str]:
        return {state for state, trigger, _ in edges() if trigger == name}

    assert where("escalate") == {"ruled", "not_accepted", "filed", "under_review"}
    assert where("report_default") == {"remedy_due"}
    assert not where("escalate") & where("report_default")
    assert not where("escalate") & CLOSED
    assert where("reopen") | where("reopen_filed") == CLOSED - {"resolved"}


def test_a_rejected_complaint_can_be_filed_again_and_a_merchants_refusal_is_not_final() -> None:
    assert current().map["not_accepted"]["file"].to == "filed"
    assert {"file", "contact_merchant", "accept_offer", "make_offer"} <= set(current().map["merchant_refused"])


def test_people_can_settle_in_every_state_between_first_contact_and_performance() -> None:
    settled = {state for state, name, to in edges() if name == "accept_offer" and to == "remedy_due"}
    assert settled == {*MERCHANT, *PLATFORM, *BEYOND}
    assert settled == {state for state, name, _ in edges() if name == "make_offer"}


def test_the_consumer_can_give_up_in_every_open_state_and_in_no_other() -> None:
    assert {state for state, name, _ in edges() if name == "give_up"} == set(OPEN) == set(STATES) - CLOSED


def test_suspension_is_entered_from_review_and_resumed_to_it() -> None:
    assert [(one, name) for one, name, other in edges() if other == "suspended" and one != other] == [
        ("under_review", "suspend")]
    assert current().map["suspended"]["resume"].to == "under_review"


def test_instant_refund_resolves_before_the_merchant_answered_and_at_no_other_time() -> None:
    assert {(state, to) for state, name, to in edges() if name == "instant_refund"} == {
        ("discovered", "resolved"), ("awaiting_merchant", "resolved")}


# --- the names -------------------------------------------------------------------------------------------------------


def test_every_state_has_a_stage_and_labels_in_both_languages() -> None:
    assert set(STAGE_OF) == set(VOCABULARY["state"])
    assert set(STAGE_OF.values()) == set(VOCABULARY["stage"])
    assert list(dict.fromkeys(STAGE_OF.values())) == list(VOCABULARY["stage"]), "in the order of a case's life"
    assert len(STATES) == 20


@pytest.mark.parametrize("row", [*TRIGGERS, *ACTS], ids=lambda row: row.name)
def test_every_step_has_a_command_an_event_labels_and_known_roles(row: Trigger) -> None:
    assert EVENT_OF[COMMANDS[row.name]]
    assert row.en.strip()
    assert row.en.isascii()
    assert any("\u4e00" <= char <= "\u9fff" for char in row.zh)
    assert row.roles
    assert len(set(row.roles)) == len(row.roles)
    assert set(row.roles) <= set(VOCABULARY["role"])


def test_every_command_stands_in_exactly_one_of_the_two_tables() -> None:
    rows = [row.name for row in (*TRIGGERS, *ACTS)]
    assert len(rows) == len(set(rows))
    assert set(rows) == set(COMMANDS)


def test_every_edge_narrows_the_roles_of_its_trigger_and_never_widens_them() -> None:
    for trigger in TRIGGERS:
        for edge in trigger.edges:
            assert edge.roles is None or set(edge.roles) <= set(trigger.roles), trigger.name


def test_an_auditor_takes_no_step_at_all() -> None:
    assert not [row.name for row in (*TRIGGERS, *ACTS) if "auditor" in row.roles]


def test_every_guard_is_used_and_every_guard_that_is_used_exists() -> None:
    used = {g for t in TRIGGERS for e in t.edges for g in e.guards} | {g for act in ACTS for g in act.guards}
    assert used == set(GUARDS)


# --- every state, trigger and role -----------------------------------------------------------------------------------


def answer(story: Story, name: str, role: str, said: bool) -> tuple[str | None, list[Reason]]:
    by = actor(ACTORS[role])
    if said:
        asked = story.ask(name, ACTORS[role], **sample(name, story.clock))
        return asked.to, asked.reasons
    return judge(story.facts, Request(name, by, story.clock, CURRENT))


@pytest.mark.parametrize("said", [False, True], ids=["blank", "said"])
@pytest.mark.parametrize("state", STATES)
def test_every_command_of_every_role_is_allowed_or_refused_with_coded_reasons(
        state: str, said: bool, stories: dict[str, Story]) -> None:
    story = stories[state]
    before = repr(story.facts)
    for name, role in product(COMMANDS, ACTORS):
        to, reasons = answer(story, name, role, said)
        if name in current().acts:
            assert to is None
        else:
            assert (to is not None) == (not reasons), (name, role)
            assert to in (None, current().steps_from(state).get(name, (None,))[0])
        for found in reasons:
            assert found.code in REASONS, (name, role)
            assert found.zh.strip()
            assert found.en.strip()
            assert "{" not in found.zh + found.en
        assert answer(story, name, role, said) == (to, reasons), "asking twice gives the same answer"
    assert repr(story.facts) == before, "asking changes nothing"


@pytest.mark.parametrize("state", STATES)
def test_where_there_is_no_step_that_is_said_and_where_there_is_one_it_is_not(
        state: str, stories: dict[str, Story]) -> None:
    for name, role in product(COMMANDS, ACTORS):
        codes = {r.code for r in answer(stories[state], name, role, said=False)[1]}
        there = state in current().acts[name].states if name in current().acts else name in current().steps_from(state)
        assert ("not_in_this_state" in codes) == (not there), (name, role)
        assert ("role_not_allowed" in codes) == (role not in roles_of(name, stories[state])), (name, role)


@pytest.mark.parametrize("state", STATES)
def test_another_identity_of_a_partys_role_is_not_a_party_whatever_it_asks(
        state: str, stories: dict[str, Story]) -> None:
    for name, by in product(COMMANDS, ("consumer:C-2", "merchant:M-2")):
        _, reasons = judge(stories[state].facts, Request(name, actor(by), stories[state].clock, CURRENT))
        assert "not_a_party" in [r.code for r in reasons], (name, by)


@pytest.mark.parametrize("state", STATES)
def test_every_refusal_has_its_reasons_sorted_and_none_twice(state: str, stories: dict[str, Story]) -> None:
    story = stories[state].fork()
    refused = {name for name in COMMANDS if answer(story, name, "auditor", said=True)[1]}
    assert refused == set(COMMANDS)
    permitted = set()
    for name in COMMANDS:
        one = story.refusal(name, ACTORS["auditor"], 0, **sample(name, story.clock))
        codes = [r.code for r in answer(story, name, "auditor", said=True)[1]]
        assert one.codes == sorted(set(codes)) == sorted(set(one.codes))
        assert (one.state, one.trigger) == (state, name)
        permitted.add(one.permitted)
    assert len(permitted) == 1, "what may be done instead depends on who asks and when, not on what was asked for"
    assert permitted.pop().yours == ()


@pytest.mark.parametrize("state", STATES)
def test_options_say_of_every_command_whether_and_why_not(state: str, stories: dict[str, Story]) -> None:
    story = stories[state]
    found = {option.name: option for option in options(story.facts, story.clock, CURRENT)}
    assert set(found) == set(COMMANDS)
    for option in found.values():
        codes = [r.code for r in option.reasons]
        assert option.allowed == (not codes)
        assert codes == sorted(set(codes))
        assert option.roles
        assert (option.until is not None) <= option.allowed


@pytest.mark.parametrize("state", STATES)
def test_in_every_state_somebody_can_do_something(state: str, stories: dict[str, Story]) -> None:
    story = stories[state]
    allowed = {o.name for o in options(story.facts, story.clock, CURRENT) if o.allowed}
    assert allowed & set(NAMES) if state not in ("resolved", "dismissed") else "tip_off" in allowed


# --- table, machine and map ------------------------------------------------------------------------------------------


def test_the_map_says_what_the_table_says() -> None:
    read: dict[tuple[str, str], object] = {}
    for trigger in TRIGGERS:
        for edge in trigger.edges:
            for source in edge.sources:
                assert (source, trigger.name) not in read, "at most one edge leaves a state by a trigger"
                read[source, trigger.name] = (edge.to or source, edge.roles or trigger.roles, edge.guards)
    assert read == {(state, name): tuple(step) for state, row in current().map.items() for name, step in row.items()}


def spying(monkeypatch: pytest.MonkeyPatch, refuses: bool) -> tuple[Lifecycle, list[str]]:
    """The same table on a machine whose guards note that they were asked, and all pass or all refuse."""
    asked: list[str] = []

    def spy(name: str) -> Callable[[Facts, Request], list[Reason]]:
        def guard(facts: Facts, request: Request) -> list[Reason]:
            asked.append(name)
            return [Reason(name, name, name)] if refuses else []

        guard.__name__ = name
        return guard

    with monkeypatch.context() as patch:
        patch.setattr(machine, "GUARDS", {name: spy(name) for name in GUARDS})
        process = Lifecycle(VERSION, Tables(TRIGGERS, ACTS, TRACKS))
    assert process.digest == current().digest, "the same table but for what its guards answer"
    return process, asked


@pytest.mark.parametrize("refuses", [False, True], ids=["all guards pass", "all guards refuse"])
def test_machine_and_map_agree_on_target_roles_and_guards_of_every_state_and_trigger(
        refuses: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    process, asked = spying(monkeypatch, refuses)
    facts = given_case().facts
    for state, name in PAIRS:
        facts.state = state
        facts.advisers = {actor(ACTORS["adviser"]).id}
        step = current().steps_from(state).get(name)
        for role, who in ACTORS.items():
            asked.clear()
            to, reasons = process.ask(facts, Request(name, actor(who), START, CURRENT))
            codes = [r.code for r in reasons]
            if step is None:
                assert (to, asked) == (None, []), (state, name, role)
                assert "not_in_this_state" in codes, (state, name, role)
                continue
            assert tuple(asked) == step.guards, "every guard of the edge is asked, in order, whoever asks"
            allowed = role in step.roles and not (refuses and step.guards)
            assert to == (step.to if allowed else None), (state, name, role)
            assert codes == [*(["role_not_allowed"] if role not in step.roles else []),
                             *(step.guards if refuses else ())], (state, name, role)


def test_the_machine_that_runs_holds_the_registered_guards_and_no_others() -> None:
    events = current().machine.events
    assert set(events) == set(NAMES)
    for name, event in events.items():
        for state, [transition] in event.transitions.items():
            who, *guards, last = (condition.func for condition in transition.conditions)
            step = current().map[state][name]
            assert guards == [GUARDS[g] for g in step.guards]
            assert who.roles == step.roles
            assert last is machine.nothing_refused
            assert all(condition.target is True for condition in transition.conditions)


def test_the_machine_holds_no_model_and_has_neither_automatic_transitions_nor_callbacks() -> None:
    case_in("resolved")
    shared = current().machine
    assert shared.models == []
    assert not shared.has_queue
    assert shared.auto_transitions is False
    assert not [name for name in shared.events if name.startswith("to_")]
    assert set(shared.states) == set(STATES)
    assert shared.initial == INITIAL == "discovered"
    for hook in ("before_state_change", "after_state_change", "prepare_event", "finalize_event", "on_exception",
                 "on_final"):
        assert getattr(shared, hook) == [], hook
    for state in shared.states.values():
        assert state.on_enter == []
        assert state.on_exit == []
    for event in shared.events.values():
        for [transition] in event.transitions.values():
            assert transition.before == transition.after == transition.prepare == []


def test_asking_never_adds_a_transition_to_the_machine(stories: dict[str, Story]) -> None:
    def count() -> int:
        return sum(len(t) for event in current().machine.events.values() for t in event.transitions.values())

    before = count()
    for state, name in PAIRS:
        answer(stories[state], name, "auditor", said=False)
    assert count() == before == sum(len(row) for row in current().map.values())
    assert machine._compile(current().machine) == current().map


def test_one_machine_is_shared_by_all_cases_and_an_unknown_version_has_none() -> None:
    assert lifecycle(VERSION) is lifecycle(VERSION)
    assert set(TABLES) == set(range(1, VERSION + 1))
    assert lifecycle(VERSION + 1) is None
    assert lifecycle(0) is None


def test_the_digest_does_not_depend_on_the_order_of_the_rows() -> None:
    assert Lifecycle(VERSION, Tables(tuple(reversed(TRIGGERS)), ACTS, TRACKS)).digest == current().digest


def test_every_change_of_an_edge_changes_the_digest() -> None:
    digests = {current().digest}
    changed = 0
    for i, trigger in enumerate(TRIGGERS):
        for j, edge in enumerate(trigger.edges):
            for other in (edge._replace(roles=("auditor",)), edge._replace(guards=(*edge.guards, "offer_is_open")),
                          edge._replace(to="lapsed" if edge.to != "lapsed" else "dismissed"),
                          *([edge._replace(sources=edge.sources[1:])] if len(edge.sources) > 1 else [])):
                rows = trigger._replace(edges=(*trigger.edges[:j], other, *trigger.edges[j + 1:]))
                digests.add(Lifecycle(VERSION, Tables((*TRIGGERS[:i], rows, *TRIGGERS[i + 1:]), ACTS, TRACKS)).digest)
                changed += 1
    assert len(digests) == changed + 1


def test_the_digest_of_the_lifecycle_is_the_one_that_cases_have_pinned() -> None:
    # A case pins version and digest for life: after the first release a changed table is a new version beside the old
    # one, with a golden file of its own, and this file is never edited again.
    assert current().digest == GOLDEN.read_text().strip(), (
        f"the table of lifecycle {VERSION} changed. Released: leave it and add version {VERSION + 1} to TABLES. "
        f"Not released yet: write {current().digest} into {GOLDEN.name}"
    )


# --- tables that cannot be -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("edge", "said"), [
    (Edge(("discovered",), "filed", ("offer_is_opne",)), "unknown guard"),
    (Edge(("discovered",), "filed", ("os.system",)), "unknown guard"),
    (Edge(("discovred",), "filed"), "unknown state"),
    (Edge(("discovered",), "field"), "unknown state"),
    (Edge(("*",), "filed"), "unknown state"),
    (Edge(("discovered", "discovered"), "filed"), "two edges"),
])
def test_a_table_that_names_the_unknown_or_forks_fails_when_it_is_read(edge: Edge, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Lifecycle(1, Tables((Trigger("step", "步", "step", ("consumer",), (edge,)),), (), {}))


def test_two_edges_for_one_state_and_trigger_fail_even_in_different_rows() -> None:
    one = Edge(("discovered",), "filed")
    two = Edge(("discovered",), "resolved")
    with pytest.raises(ValueError, match="two edges"):
        Lifecycle(1, Tables((Trigger("step", "步", "step", ("consumer",), (one, two)),), (), {}))


def test_a_role_that_nobody_has_or_a_name_that_stands_twice_fails() -> None:
    edge = Edge(("discovered",), "filed")
    step = Trigger("step", "步", "step", ("consumer",), (edge,))
    with pytest.raises(ValueError, match="unknown role"):
        Lifecycle(1, Tables((step._replace(roles=("consumre",)),), (), {}))
    with pytest.raises(ValueError, match="unknown role"):
        Lifecycle(1, Tables((step._replace(edges=(edge._replace(roles=("nobody",)),)),), (), {}))
    with pytest.raises(ValueError, match="called step"):
        Lifecycle(1, Tables((step, step), (), {}))
    with pytest.raises(ValueError, match="unknown guard"):
        Lifecycle(1, Tables((), (ACTS[0]._replace(guards=("no_such_guard",)),), {}))


def test_a_reason_code_that_is_not_in_the_table_is_an_error_where_it_is_made() -> None:
    with pytest.raises(KeyError):
        reason("no_such_code")


# --- the tracks beside the state -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRACKS)
def test_every_track_is_a_plain_map_and_its_machine_says_the_same(name: str) -> None:
    read = {(source, trigger): to for trigger, sources, to in TRACKS[name] for source in sources}
    assert len(read) == sum(len(sources) for _, sources, _ in TRACKS[name])
    assert current().tracks[name].models == []
    for state, trigger in product(VOCABULARY[name], (row[0] for row in TRACKS[name])):
        assert current().moves(name, state, trigger) == read.get((state, trigger)), (state, trigger)


@pytest.mark.parametrize("name", TRACKS)
def test_every_state_of_a_track_is_in_the_vocabulary_and_the_other_way_round(name: str) -> None:
    states = {s for _, sources, to in TRACKS[name] for s in (*sources, to)}
    assert states == set(VOCABULARY[name]) - {"not_due"}


def test_every_track_that_a_command_moves_exists_with_those_triggers() -> None:
    for act in ACTS:
        if act.track:
            assert set(act.track.triggers) <= {row[0] for row in TRACKS[act.track.name]}
            assert act.track.field is None or act.track.field in COMMANDS[act.name].__struct_fields__
        assert set(act.states) <= set(STATES)
