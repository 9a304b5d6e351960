"""A workflow of Temporal's that waits for so many signals, and the history of one that had them.

In a module of its own, because a workflow's class is looked up by its module.
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import WorkflowHistory

STEPS = 10
QUEUE = TaskQueue(name="q")


@workflow.defn
class CaseOfSignals:
    """A case whose steps are signals."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    @workflow.signal
    def step(self, trigger: str) -> None:
        """A step is taken."""
        self.waiting.append(trigger)

    @workflow.run
    async def run(self) -> int:
        """Take so many steps."""
        for _ in range(STEPS):
            await workflow.wait_condition(lambda: bool(self.waiting))
            self.waiting.pop(0)
        return STEPS


def history(steps: int) -> WorkflowHistory:
    """The history of a case that had so many steps and is done."""
    events: list[HistoryEvent] = []

    def add(kind: str, **said: Any) -> int:
        made = HistoryEvent(event_id=len(events) + 1, event_type=getattr(EventType, f"EVENT_TYPE_{kind}"))
        made.event_time.FromSeconds(1_700_000_000 + len(events))
        attributes = getattr(made, f"{kind.lower()}_event_attributes")
        attributes.SetInParent()
        for name, value in said.items():
            if hasattr(value, "SerializeToString"):
                getattr(attributes, name).CopyFrom(value)
            else:
                setattr(attributes, name, value)
        events.append(made)
        return len(events)

    def task() -> int:
        scheduled = add("WORKFLOW_TASK_SCHEDULED", task_queue=QUEUE)
        started = add("WORKFLOW_TASK_STARTED", scheduled_event_id=scheduled)
        return add("WORKFLOW_TASK_COMPLETED", scheduled_event_id=scheduled, started_event_id=started)

    add("WORKFLOW_EXECUTION_STARTED", workflow_type=WorkflowType(name=CaseOfSignals.__name__), task_queue=QUEUE,
        original_execution_run_id="r", first_execution_run_id="r", workflow_id="w", attempt=1)
    done = task()
    for _ in range(steps):
        add("WORKFLOW_EXECUTION_SIGNALED", signal_name="step", input=_json(b'"go"'))
        done = task()
    add("WORKFLOW_EXECUTION_COMPLETED", workflow_task_completed_event_id=done, result=_json(b"10"))
    return WorkflowHistory("w", events)


def _json(data: bytes) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=data)])
