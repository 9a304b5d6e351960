"""Proofs over the whole lifecycle, every version of it: every state, every trigger, every role. Nothing here is an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from domain_helpers import ACTORS, IN_STATE, START, Story, actor, case_in, given_case, roles_of, sample

from casework.domain import machine
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
    Edge,
    Trigger,
)
from casework.domain.machine import Lifecycle, lifecycle
from casework.domain.reasons import REASONS, reason
from casework.domain.request import Request
from casework.domain.versions import TABLES, VERSION, Tables
from casework.domain.vocabulary import VOCABULARY
from casework.errors import InputError, Reason

STATES = tuple(STAGE_OF)
GOLDEN = Path(__file__).parent / "golden"
#: The commands that came with a version; every other one is as old as the first.
CAME_WITH = {
    2: {"deem_agreed", "show_acceptance", "pause_duty", "resume_duty", "extend_duty", "miss_duty", "recompute_duty",
        "adopt_edition", "correct_ruling"},
}


class Version:
    """A version of the lifecycle: its tables, and what was made of them."""

    def __init__(self, number: int) -> None:
        process = lifecycle(number)
        assert process is not None
        self.number, self.tables, self.process = number, TABLES[number], process
        self.triggers = tuple(t.name for t in self.tables.triggers)
        self.commands = tuple(row.name for row in (*self.tables.triggers, *self.tables.acts))
        self.pairs = tuple(product(STATES, self.triggers))

    def __str__(self) -> str:
        return f"lifecycle {self.number}"

    def edges(self) -> Iterator[tuple[str, str, str]]:
        for state, row in self.process.map.items():
            for name, step in row.items():
                yield state, name, step.to

    def reachable(self, start: str, forward: bool = True, without: tuple[str, ...] = ()) -> set[str]:
        found, fresh = {start}, [start]
        while fresh:
            state = fresh.pop()
            for one, name, other in self.edges():
                source, target = (one, other) if forward else (other, one)
                if source == state and name not in without and target not in found:
                    found.add(target)
                    fresh.append(target)
        return found

    def case_in(self, state: str) -> Story:
        return case_in(state, lifecycle=self.number)


VERSIONS = tuple(map(Version, TABLES))
ROWS = [pytest.param(row, id=f"{v.number}-{row.name}") for v in VERSIONS for row in (*v.tables.triggers, *v.tables.acts)]
TRACKS = [pytest.param(v, name, id=f"{v.number}-{name}") for v in VERSIONS for name in v.tables.tracks]


@pytest.fixture(scope="module", params=VERSIONS, ids=str)
def v(request: pytest.FixtureRequest) -> Version:
    version: Version = request.param
    return version


@pytest.fixture(scope="module")
def stories(v: Version) -> dict[str, Story]:
    return {state: v.case_in(state) for state in STATES}


# --- the graph -------------------------------------------------------------------------------------------------------


def test_every_state_can_be_reached_from_discovered(v: Version) -> None:
    assert v.reachable("discovered") == set(STATES)


def test_every_state_can_be_reached_without_closing_and_reopening_the_case(v: Version) -> None:
    assert v.reachable("discovered", without=REOPENING) == set(STATES)


def test_every_state_is_reached_by_a_real_case_under_all_guards(v: Version) -> None:
    assert set(IN_STATE) == set(STATES)
    for state in STATES:
        assert v.case_in(state).facts.state == state


def test_every_open_state_can_reach_every_kind_of_good_end_and_the_platform_can_dismiss(v: Version) -> None:
    for state in set(STATES) - CLOSED:
        ends = v.reachable(state, without=REOPENING) & CLOSED
        assert {"resolved", "abandoned", "withdrawn", "dismissed"} <= ends, state


def test_every_open_state_can_reach_resolved(v: Version) -> None:
    assert set(STATES) - CLOSED <= v.reachable("resolved", forward=False)


def test_every_open_state_has_an_edge_straight_to_an_end(v: Version) -> None:
    for state in set(STATES) - CLOSED:
        assert any(step.to in CLOSED for step in v.process.steps_from(state).values()), state


def test_only_reopening_leaves_an_end_and_it_leaves_no_other_state(v: Version) -> None:
    left = {(state, name) for state, name, _ in v.edges() if state in CLOSED}
    assert {name for _, name in left} == set(REOPENING)
    assert not [edge for edge in v.edges() if edge[1] in REOPENING and edge[0] not in CLOSED]


def test_a_resolved_case_stays_resolved_and_every_other_end_can_be_reopened(v: Version) -> None:
    assert {state for state in CLOSED if not v.process.steps_from(state)} == {"resolved"}


def test_reopening_leads_to_the_start_or_to_the_platform(v: Version) -> None:
    assert {(name, to) for _, name, to in v.edges() if name in REOPENING} == {
        ("reopen", "discovered"), ("reopen_filed", "filed")}


def test_correction_appeal_and_reopening_are_three_different_acts(v: Version) -> None:
    def where(name: str) -> set[str]:
        return {state for state, trigger, _ in v.edges() if trigger == name}

    assert where("escalate") == {"ruled", "not_accepted", "filed", "under_review"}
    assert where("report_default") == {"remedy_due"}
    assert not where("escalate") & where("report_default")
    assert not where("escalate") & CLOSED
    assert where("reopen") | where("reopen_filed") == CLOSED - {"resolved"}


def test_a_rejected_complaint_can_be_filed_again_and_a_merchants_refusal_is_not_final(v: Version) -> None:
    assert v.process.map["not_accepted"]["file"].to == "filed"
    assert {"file", "contact_merchant", "accept_offer", "make_offer"} <= set(v.process.map["merchant_refused"])


def test_people_can_settle_in_every_state_between_first_contact_and_performance(v: Version) -> None:
    settled = {state for state, name, to in v.edges() if name == "accept_offer" and to == "remedy_due"}
    assert settled == {*MERCHANT, *PLATFORM, *BEYOND}
    assert settled == {state for state, name, _ in v.edges() if name == "make_offer"}


def test_the_consumer_can_give_up_in_every_open_state_and_in_no_other(v: Version) -> None:
    assert {state for state, name, _ in v.edges() if name == "give_up"} == set(OPEN) == set(STATES) - CLOSED


def test_suspension_is_entered_from_review_and_resumed_to_it(v: Version) -> None:
    assert [(one, name) for one, name, other in v.edges() if other == "suspended" and one != other] == [
        ("under_review", "suspend")]
    assert v.process.map["suspended"]["resume"].to == "under_review"


def test_instant_refund_resolves_before_the_merchant_answered_and_at_no_other_time(v: Version) -> None:
    assert {(state, to) for state, name, to in v.edges() if name == "instant_refund"} == {
        ("discovered", "resolved"), ("awaiting_merchant", "resolved")}


# --- what the second version changes ---------------------------------------------------------------------------------


def test_version_2_has_every_edge_of_version_1_and_two_more() -> None:
    one, two = (set(version.edges()) for version in VERSIONS[:2])
    assert two - one == {("awaiting_merchant", "deem_agreed", "remedy_due"), ("remedy_due", "lapse", "lapsed")}
    assert one - two == set()


def test_version_2_asks_more_of_these_steps_and_the_same_of_all_others() -> None:
    one, two = (version.process.map for version in VERSIONS[:2])
    asked = ("remedy_has_amount", "refund_is_within_paid")
    # By names of their own, for they ask more: the whole matrix of proof, the figures of the rulebook.
    stricter = {"evidence_carries_the_ruling": "burden_is_met", "multiple_was_promised": "promise_gives_as_much"}
    waits = ("actor_is_assigned", "system_waits_for_the_term")
    more = {(state, name): (two[state][name].guards, two[state][name].roles)
            for state, row in one.items() for name, step in row.items() if two[state][name] != step}
    assert more == {
        **{(state, "contact_merchant"): (asked, ("consumer",))
           for state in ("discovered", "awaiting_merchant", "merchant_refused")},
        ("suspended", "resume"): (waits, ("agent", "supervisor", "system")),
        **{(state, "rule"): ((*(stricter.get(g, g) for g in one[state]["rule"].guards), "compensation_is_within_the_rules"),
                             ("agent", "supervisor")) for state in ("under_review", "escalated")},
    }
    assert all({stricter.get(g, g) for g in step.guards} <= set(two[state][name].guards)
               and set(step.roles) <= set(two[state][name].roles) for state, row in one.items() for name, step in row.items())


def test_version_2_asks_more_of_these_acts_and_the_same_of_all_others() -> None:
    one, two = (version.process.acts for version in VERSIONS[:2])
    assert {name for name, act in one.items() if two[name] != act} == {"receive_return", "apply_advance", "refer"}
    for name, act in one.items():
        assert set(act.guards) <= set(two[name].guards), name
        assert (act.states, act.track) == (two[name].states, two[name].track), name
    assert set(two["apply_advance"].roles) - set(one["apply_advance"].roles) == {"system"}


def test_version_1_records_no_duties_and_version_2_does() -> None:
    assert [bool(v.process.duties) for v in VERSIONS] == [number >= 2 for number in TABLES]


@pytest.mark.parametrize("name", sorted(CAME_WITH[2]))
def test_a_command_that_came_later_is_no_step_of_an_earlier_version_whoever_asks_in_whatever_state(name: str) -> None:
    for state in STATES:
        story = case_in(state, lifecycle=1)
        for who in ACTORS.values():
            with pytest.raises(InputError, match=f"'{name}' is nothing that can be done"):
                story.ask(name, who, **sample(name, story.clock))
            with pytest.raises(InputError, match=f"'{name}' is nothing that can be done"):
                story.ask_blank(name, who)


# --- the names -------------------------------------------------------------------------------------------------------


def test_every_state_has_a_stage_and_labels_in_both_languages() -> None:
    assert set(STAGE_OF) == set(VOCABULARY["state"])
    assert set(STAGE_OF.values()) == set(VOCABULARY["stage"])
    assert list(dict.fromkeys(STAGE_OF.values())) == list(VOCABULARY["stage"]), "in the order of a case's life"
    assert len(STATES) == 20


@pytest.mark.parametrize("row", ROWS)
def test_every_step_has_a_command_an_event_labels_and_known_roles(row: Trigger) -> None:
    assert EVENT_OF[COMMANDS[row.name]]
    assert row.en.strip()
    assert row.en.isascii()
    assert any("\u4e00" <= char <= "\u9fff" for char in row.zh)
    assert row.roles
    assert len(set(row.roles)) == len(row.roles)
    assert set(row.roles) <= set(VOCABULARY["role"])


def test_every_command_of_a_version_stands_in_exactly_one_of_its_two_tables(v: Version) -> None:
    later = {name for number, names in CAME_WITH.items() if number > v.number for name in names}
    assert len(v.commands) == len(set(v.commands))
    assert set(v.commands) == set(COMMANDS) - later


def test_every_edge_narrows_the_roles_of_its_trigger_and_never_widens_them(v: Version) -> None:
    for trigger in v.tables.triggers:
        for edge in trigger.edges:
            assert edge.roles is None or set(edge.roles) <= set(trigger.roles), trigger.name


def test_an_auditor_takes_no_step_at_all(v: Version) -> None:
    assert not [row.name for row in (*v.tables.triggers, *v.tables.acts) if "auditor" in row.roles]


def test_every_guard_that_is_used_exists_and_all_but_those_made_stricter_are_used_by_the_newest_version() -> None:
    used = {v.number: {g for t in v.tables.triggers for e in t.edges for g in e.guards}
            | {g for act in v.tables.acts for g in act.guards} for v in VERSIONS}
    assert all(guards <= set(GUARDS) for guards in used.values())
    assert used[VERSION] == set(GUARDS) - {"evidence_carries_the_ruling", "multiple_was_promised"}


# --- every state, trigger and role -----------------------------------------------------------------------------------


def answer(story: Story, name: str, role: str, said: bool) -> tuple[str | None, list[Reason]]:
    by = actor(ACTORS[role])
    if said:
        asked = story.ask(name, ACTORS[role], **sample(name, story.clock))
        return asked.to, asked.reasons
    return judge(story.facts, Request(name, by, story.clock, story.edition))


@pytest.mark.parametrize("said", [False, True], ids=["blank", "said"])
@pytest.mark.parametrize("state", STATES)
def test_every_command_of_every_role_is_allowed_or_refused_with_coded_reasons(
        state: str, said: bool, v: Version, stories: dict[str, Story]) -> None:
    story = stories[state]
    before = repr(story.facts)
    for name, role in product(v.commands, ACTORS):
        to, reasons = answer(story, name, role, said)
        if name in v.process.acts:
            assert to is None
        else:
            assert (to is not None) == (not reasons), (name, role)
            assert to in (None, v.process.steps_from(state).get(name, (None,))[0])
        for found in reasons:
            assert found.code in REASONS, (name, role)
            assert found.zh.strip()
            assert found.en.strip()
            assert "{" not in found.zh + found.en
        assert answer(story, name, role, said) == (to, reasons), "asking twice gives the same answer"
    assert repr(story.facts) == before, "asking changes nothing"


@pytest.mark.parametrize("state", STATES)
def test_where_there_is_no_step_that_is_said_and_where_there_is_one_it_is_not(
        state: str, v: Version, stories: dict[str, Story]) -> None:
    for name, role in product(v.commands, ACTORS):
        codes = {r.code for r in answer(stories[state], name, role, said=False)[1]}
        acts = v.process.acts
        there = state in acts[name].states if name in acts else name in v.process.steps_from(state)
        assert ("not_in_this_state" in codes) == (not there), (name, role)
        assert ("role_not_allowed" in codes) == (role not in roles_of(name, stories[state])), (name, role)


@pytest.mark.parametrize("state", STATES)
def test_another_identity_of_a_partys_role_is_not_a_party_whatever_it_asks(
        state: str, v: Version, stories: dict[str, Story]) -> None:
    story = stories[state]
    for name, by in product(v.commands, ("consumer:C-2", "merchant:M-2")):
        _, reasons = judge(story.facts, Request(name, actor(by), story.clock, story.edition))
        assert "not_a_party" in [r.code for r in reasons], (name, by)


@pytest.mark.parametrize("state", STATES)
def test_every_refusal_has_its_reasons_sorted_and_none_twice(state: str, v: Version, stories: dict[str, Story]) -> None:
    story = stories[state].fork()
    refused = {name for name in v.commands if answer(story, name, "auditor", said=True)[1]}
    assert refused == set(v.commands)
    permitted = set()
    for name in v.commands:
        one = story.refusal(name, ACTORS["auditor"], 0, **sample(name, story.clock))
        codes = [r.code for r in answer(story, name, "auditor", said=True)[1]]
        assert one.codes == sorted(set(codes)) == sorted(set(one.codes))
        assert (one.state, one.trigger) == (state, name)
        permitted.add(one.permitted)
    assert len(permitted) == 1, "what may be done instead depends on who asks and when, not on what was asked for"
    assert permitted.pop().yours == ()


@pytest.mark.parametrize("state", STATES)
def test_options_say_of_every_command_whether_and_why_not(state: str, v: Version, stories: dict[str, Story]) -> None:
    story = stories[state]
    found = {option.name: option for option in options(story.facts, story.clock, story.edition)}
    assert set(found) == set(v.commands)
    for option in found.values():
        codes = [r.code for r in option.reasons]
        assert option.allowed == (not codes)
        assert codes == sorted(set(codes))
        assert option.roles
        assert (option.until is not None) <= option.allowed


@pytest.mark.parametrize("state", STATES)
def test_in_every_state_somebody_can_do_something(state: str, v: Version, stories: dict[str, Story]) -> None:
    story = stories[state]
    allowed = {o.name for o in options(story.facts, story.clock, story.edition) if o.allowed}
    assert allowed & set(v.triggers) if state not in ("resolved", "dismissed") else "tip_off" in allowed


# --- table, machine and map ------------------------------------------------------------------------------------------


def test_the_map_says_what_the_table_says(v: Version) -> None:
    read: dict[tuple[str, str], object] = {}
    for trigger in v.tables.triggers:
        for edge in trigger.edges:
            for source in edge.sources:
                assert (source, trigger.name) not in read, "at most one edge leaves a state by a trigger"
                read[source, trigger.name] = (edge.to or source, edge.roles or trigger.roles, edge.guards)
    assert read == {(state, name): tuple(step) for state, row in v.process.map.items() for name, step in row.items()}


def spying(v: Version, monkeypatch: pytest.MonkeyPatch, refuses: bool) -> tuple[Lifecycle, list[str]]:
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
        process = Lifecycle(v.number, v.tables)
    assert process.digest == v.process.digest, "the same table but for what its guards answer"
    return process, asked


@pytest.mark.parametrize("refuses", [False, True], ids=["all guards pass", "all guards refuse"])
def test_machine_and_map_agree_on_target_roles_and_guards_of_every_state_and_trigger(
        refuses: bool, v: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    process, asked = spying(v, monkeypatch, refuses)
    story = given_case(lifecycle=v.number)
    facts = story.facts
    for state, name in v.pairs:
        facts.state = state
        facts.advisers = {actor(ACTORS["adviser"]).id}
        step = v.process.steps_from(state).get(name)
        for role, who in ACTORS.items():
            asked.clear()
            request = Request(name, actor(who), START, story.edition)
            answered, asked_there = process.answer(facts, request), tuple(asked)
            asked.clear()
            to, reasons = process.ask(facts, request)
            codes = [r.code for r in reasons]
            assert (answered, asked_there) == ((to, reasons), tuple(asked)), "what is read out of the machine answers as it does"
            if step is None:
                assert (to, asked) == (None, []), (state, name, role)
                assert "not_in_this_state" in codes, (state, name, role)
                continue
            assert tuple(asked) == step.guards, "every guard of the edge is asked, in order, whoever asks"
            allowed = role in step.roles and not (refuses and step.guards)
            assert to == (step.to if allowed else None), (state, name, role)
            assert codes == [*(["role_not_allowed"] if role not in step.roles else []),
                             *(step.guards if refuses else ())], (state, name, role)


def test_the_machine_that_runs_holds_the_registered_guards_and_no_others(v: Version) -> None:
    events = v.process.machine.events
    assert set(events) == set(v.triggers)
    for name, event in events.items():
        for state, [transition] in event.transitions.items():
            who, *guards, last = (condition.func for condition in transition.conditions)
            step = v.process.map[state][name]
            assert guards == [GUARDS[g] for g in step.guards]
            assert who.roles == step.roles
            assert last is machine.nothing_refused
            assert all(condition.target is True for condition in transition.conditions)


def test_the_machine_holds_no_model_and_has_neither_automatic_transitions_nor_callbacks(v: Version) -> None:
    v.case_in("resolved")
    shared = v.process.machine
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


def test_asking_never_adds_a_transition_to_the_machine(v: Version, stories: dict[str, Story]) -> None:
    def count() -> int:
        return sum(len(t) for event in v.process.machine.events.values() for t in event.transitions.values())

    before = count()
    for state, name in v.pairs:
        answer(stories[state], name, "auditor", said=False)
    assert count() == before == sum(len(row) for row in v.process.map.values())
    assert machine._compile(v.process.machine) == v.process.map


def test_one_machine_is_shared_by_all_cases_and_an_unknown_version_has_none() -> None:
    for number in TABLES:
        assert lifecycle(number) is lifecycle(number)
    assert set(TABLES) == set(range(1, VERSION + 1))
    assert lifecycle(VERSION + 1) is None
    assert lifecycle(0) is None


def test_the_digest_does_not_depend_on_the_order_of_the_rows(v: Version) -> None:
    rows = v.tables.triggers, v.tables.acts
    turned = v.tables._replace(triggers=tuple(reversed(rows[0])), acts=tuple(reversed(rows[1])))
    assert Lifecycle(v.number, turned).digest == v.process.digest


def test_every_change_of_an_edge_changes_the_digest(v: Version) -> None:
    triggers = v.tables.triggers
    digests = {v.process.digest}
    changed = 0
    for i, trigger in enumerate(triggers):
        for j, edge in enumerate(trigger.edges):
            for other in (edge._replace(roles=("auditor",)), edge._replace(guards=(*edge.guards, "offer_is_open")),
                          edge._replace(to="lapsed" if edge.to != "lapsed" else "dismissed"),
                          *([edge._replace(sources=edge.sources[1:])] if len(edge.sources) > 1 else [])):
                row = trigger._replace(edges=(*trigger.edges[:j], other, *trigger.edges[j + 1:]))
                other_rows = v.tables._replace(triggers=(*triggers[:i], row, *triggers[i + 1:]))
                digests.add(Lifecycle(v.number, other_rows).digest)
                changed += 1
    assert len(digests) == changed + 1


def test_every_change_of_an_act_or_a_duty_changes_the_digest(v: Version) -> None:
    acts, duties = v.tables.acts, v.tables.duties
    digests = {v.process.digest}
    changed = 0
    for i, act in enumerate(acts):
        for other in (act._replace(roles=("auditor",)), act._replace(guards=(*act.guards, "offer_is_open")),
                      act._replace(states=act.states[1:])):
            digests.add(Lifecycle(v.number, v.tables._replace(acts=(*acts[:i], other, *acts[i + 1:]))).digest)
            changed += 1
    for i, duty in enumerate(duties):
        lists = ("meets", "states", "stops", "ended_by", "follows")
        for field, value in (("name", "other"), ("owes", "auditor"), ("to", "auditor"), ("decides", not duty.decides),
                             *((name, (*getattr(duty, name), "x")) for name in lists)):
            row = duty._replace(**{field: value})
            digests.add(Lifecycle(v.number, v.tables._replace(duties=(*duties[:i], row, *duties[i + 1:]))).digest)
            changed += 1
    assert len(digests) == changed + 1


@pytest.mark.parametrize("number", TABLES)
def test_the_digest_of_each_lifecycle_is_the_one_that_cases_have_pinned(number: int) -> None:
    # A case pins version and digest for life: after the first release a changed table is a new version beside the old
    # one, with a golden file of its own, and a file of a released version is never edited again.
    golden = GOLDEN / f"lifecycle_{number}.sha256"
    process = lifecycle(number)
    assert process is not None
    assert golden.exists() and process.digest == golden.read_text().strip(), (
        f"the table of lifecycle {number} changed. Released: leave it and add version {VERSION + 1} to TABLES. "
        f"Not released yet: write {process.digest} into {golden.name}"
    )


def test_there_is_a_golden_digest_for_every_version_and_for_nothing_else() -> None:
    assert {path.name for path in GOLDEN.glob("lifecycle_*")} == {f"lifecycle_{number}.sha256" for number in TABLES}


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
        Lifecycle(1, Tables((), (TABLES[1].acts[0]._replace(guards=("no_such_guard",)),), {}))


def test_a_reason_code_that_is_not_in_the_table_is_an_error_where_it_is_made() -> None:
    with pytest.raises(KeyError):
        reason("no_such_code")


# --- the tracks beside the state -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "name"), TRACKS)
def test_every_track_is_a_plain_map_and_its_machine_says_the_same(version: Version, name: str) -> None:
    rows = version.tables.tracks[name]
    read = {(source, trigger): to for trigger, sources, to in rows for source in sources}
    assert len(read) == sum(len(sources) for _, sources, _ in rows)
    assert version.process.tracks[name].models == []
    for state, trigger in product(VOCABULARY[name], (row[0] for row in rows)):
        assert version.process.moves(name, state, trigger) == read.get((state, trigger)), (state, trigger)


@pytest.mark.parametrize(("version", "name"), TRACKS)
def test_every_state_of_a_track_is_in_the_vocabulary_and_the_other_way_round(version: Version, name: str) -> None:
    states = {s for _, sources, to in version.tables.tracks[name] for s in (*sources, to)}
    assert states == set(VOCABULARY[name]) - {"not_due"}


def test_every_track_that_a_command_moves_exists_with_those_triggers(v: Version) -> None:
    for act in v.tables.acts:
        if act.track:
            assert set(act.track.triggers) <= {row[0] for row in v.tables.tracks[act.track.name]}
            assert act.track.field is None or act.track.field in COMMANDS[act.name].__struct_fields__
        assert set(act.states) <= set(STATES)
