"""What it costs, an event, to go through a case's history again: casework, and what others use for the like.

    make bench ONLY=peers
    python bench/peers.py --cases 100

The others do other things: Temporal runs the workflow's code again against its history, SpiffWorkflow runs a process of ten
tasks, stock eventsourcing rebuilds the aggregate and a `transitions` machine is asked each step anew. None re-derives rules.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import page
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from log import STEPS, Walk, walks
from transitions import Machine

from casework.application.views import facts_of
from casework.audit.check import Summary, audit_case
from casework.audit.log import Entry, LogAudit
from casework.audit.process import own
from casework.scenario.replay import replay
from casework.store.row import Row

SCENARIOS = Path(__file__).parent.parent / "scenarios"
STORY = "objection_unused"
PEERS = ["transitions", "SpiffWorkflow", "temporalio"]
#: What is held against what the others take: a log of steps, judged.
OURS = "casework: audit of a log"
Work = Callable[[], object]


class Stock(Aggregate):
    """A case as a user of eventsourcing alone writes one."""

    @event("Opened")
    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []

    @event("Stepped")
    def step(self, trigger: str, to: str) -> None:
        """Record a step."""
        self.steps.append((trigger, to))


class Probe:
    """What a machine is asked with."""

    state = ""


def machine() -> Machine:
    """Casework's lifecycle as a stock machine."""
    rows = [{"trigger": name, "source": source, "dest": to} for source, row in own().steps.items() for name, to in row.items()]
    return Machine(model=None, states=sorted(own().states), initial=own().initial, transitions=rows, auto_transitions=False)


def stock(made: list[Walk], *, shared: bool) -> Work:
    """Rebuild each case and ask a machine each step: one for all, or one a case."""
    app: Application[Any] = Application()
    ids = []
    for walk in made:
        case = Stock()
        for trigger, _, to in walk:
            case.step(trigger, to)
        app.save(case)
        ids.append(case.id)
    everybodys = machine()

    def work() -> None:
        for id_ in ids:
            case = app.repository.get(id_)
            asked, probe = everybodys if shared else machine(), Probe()
            probe.state = own_initial
            for trigger, to in case.steps:
                asked.events[trigger].trigger(probe)
                assert probe.state == to

    own_initial = own().initial
    return work


def log_of(made: list[Walk]) -> Work:
    """Judge the steps of every case."""
    entries: list[Entry] = [(0, f"K-{number}", "", trigger, source, to, f"2026-03-02T10:00:{place:02}+08:00", "")
                            for number, walk in enumerate(made) for place, (trigger, source, to) in enumerate(walk)]
    process = own()

    def work() -> None:
        assert not list(LogAudit(process, Summary(), with_states=True).findings(entries))

    return work


def recorded() -> list[Row]:
    """A story as it is recorded, payloads and all."""
    return replay(SCENARIOS / f"{STORY}.yaml", lambda rows: []).rows


def spiff() -> Work:
    """A process of ten manual tasks, run to its end."""
    from lxml import etree
    from SpiffWorkflow import TaskState
    from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

    nodes = [("startEvent", "begin"), *(("manualTask", f"task{n}") for n in range(STEPS)), ("endEvent", "end")]
    flows = [(a[1], b[1]) for a, b in pairwise(nodes)]
    name = "http://www.omg.org/spec/BPMN/20100524/MODEL"
    body = "".join(f"<{tag} id='{id_}'>" + "".join(f"<incoming>f-{a}</incoming>" for a, b in flows if b == id_)
                   + "".join(f"<outgoing>f-{a}</outgoing>" for a, b in flows if a == id_) + f"</{tag}>" for tag, id_ in nodes)
    arrows = "".join(f"<sequenceFlow id='f-{a}' sourceRef='{a}' targetRef='{b}'/>" for a, b in flows)
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(
        f"<definitions xmlns='{name}' id='d' targetNamespace='t'><process id='case' isExecutable='true'>{body}{arrows}"
        "</process></definitions>"))
    spec = parser.get_spec("case")

    def work() -> None:
        made = BpmnWorkflow(spec)
        made.do_engine_steps()
        for _ in range(STEPS):
            [task] = made.get_tasks(state=TaskState.READY, manual=True)
            task.run()
            made.do_engine_steps()
        assert made.completed

    return work


def temporal(cases: int) -> Work:
    """Histories of ten signals, replayed by Temporal's Replayer without its sandbox."""
    from peer.temporal_case import CaseOfSignals, history
    from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

    replayer = Replayer(workflows=[CaseOfSignals], workflow_runner=UnsandboxedWorkflowRunner())
    histories = [history(STEPS) for _ in range(cases)]

    async def all_() -> None:
        for each in histories:
            await replayer.replay_workflow(each)

    return lambda: asyncio.run(all_())


def measure(cases: int, rounds: int) -> dict[str, float]:
    """Median CPU seconds an event of each, all of them in every round."""
    made = walks(Random(6), cases)
    rows = recorded()
    few = max(cases // 10, 1)
    variants: dict[str, tuple[Work, int]] = {
        OURS: (log_of(made), STEPS * cases),
        "casework: a case rebuilt from its rows": (lambda: [facts_of(rows) for _ in range(few)], len(rows) * few),
        "casework: a case audited whole": (lambda: [audit_case(rows) for _ in range(few)], len(rows) * few),
        "eventsourcing, one transitions machine": (stock(made, shared=True), STEPS * cases),
        "eventsourcing, a machine a case": (stock(made[:few], shared=False), STEPS * few),
        "SpiffWorkflow, a task": (spiff(), STEPS),
        "temporalio Replayer": (temporal(few), STEPS * few),
    }
    took: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, (work, size) in variants.items():
            begun = time.process_time()
            work()
            if number:
                took[name].append((time.process_time() - begun) / size)
    return {name: statistics.median(found) for name, found in took.items()}


PROSE = """\
The like of it by others: the history of a case of ten steps gone through again. Temporal runs the workflow's code against its
history (ten signals, no sandbox), SpiffWorkflow runs a process of ten tasks, stock eventsourcing rebuilds the aggregate in memory
and a `transitions` machine is asked every step. The audit of a log asks as much as they do; the whole audit also proves bytes,
authority, guards, duties and figures, twice. Medians of CPU time."""


def main() -> None:
    """A row a way, against the audit of a log."""
    parser = argparse.ArgumentParser(description="what others take for the like")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there")
    chosen = parser.parse_args()
    found = measure(chosen.cases, chosen.rounds)
    rows = [["an event", "CPU", "ratio"],
            *([name, f"{seconds * 1e6:,.1f} µs", f"{seconds / found[OURS]:,.0f}×"] for name, seconds in found.items())]
    page.shown(rows)
    if chosen.write:
        page.keep(chosen.write, "peers.py", "What others take for the like", f"{PROSE}\n\n{page.table(rows)}", packages=PEERS)


if __name__ == "__main__":
    main()
