"""The lifecycle as it runs: a table for reading, Mermaid and dot for drawing, JSON for programs.

All of it comes from the compiled map, which comes from the machine. `transitions` has a diagram extension; it was not taken
because it needs a second machine of another class and can group states by stage only by making them nested states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from casework.domain.facts import INITIAL
from casework.domain.lifecycle import STAGE_OF
from casework.domain.machine import Lifecycle
from casework.domain.vocabulary import label
from casework.report.text import columns

#: Steps that leave nearly every open state; drawn as a note, or the picture would be nothing but them.
COMMON = ("accept_offer", "withdraw", "give_up", "lapse")


def as_data(process: Lifecycle) -> dict[str, Any]:
    """States with their stages, every edge, and the commands beside the states, which move nothing."""
    return {
        "version": process.version,
        "digest": process.digest,
        "initial": INITIAL,
        "states": [{"state": s, "stage": stage, "final": stage == "closed"} for s, stage in STAGE_OF.items()],
        "edges": [
            {"from": source, "trigger": name, "to": step.to, "roles": list(step.roles), "guards": list(step.guards)}
            for source, name, step in _edges(process)
        ],
        "beside": ["open_case", *process.acts],
    }


def as_table(process: Lifecycle, lang: str) -> list[str]:
    """One line an edge."""
    head = ("从", "步骤", "到", "由", "条件") if lang == "zh" else ("from", "trigger", "to", "by", "under")
    return columns([head, *(
        (label("state", source, lang), name, label("state", step.to, lang),
         ("、" if lang == "zh" else ", ").join(label("role", r, lang) for r in step.roles), ", ".join(step.guards))
        for source, name, step in _edges(process)
    )])


def as_mermaid(process: Lifecycle, lang: str) -> list[str]:
    """A Mermaid state diagram: states in their stages, an arrow from the stage where every state of it has the same one.

    Steps that do not move the case are left out, and the common ways out stand in a note.
    """
    lines = ["stateDiagram-v2", "    direction LR", "    [*] --> discovered"]
    for stage, members in _stages().items():
        lines.append(f'    state "{label("stage", stage, lang)}" as {stage}_stage {{')
        lines += [f'        state "{label("state", s, lang)}" as {s}' for s in members]
        lines.append("    }")
    arrows: dict[tuple[str, str], list[str]] = {}
    for source, name, to in _drawn(process):
        arrows.setdefault((source, to), []).append(name)
    lines += [f"    {a} --> {b}: {', '.join(names)}" for (a, b), names in arrows.items()]
    note = "几乎每个未结案状态都可以" if lang == "zh" else "from nearly every open state"
    return [*lines, f"    note right of closed_stage: {note} - {', '.join(COMMON)}"]


def as_dot(process: Lifecycle, lang: str) -> list[str]:
    """A Graphviz digraph of every edge, states clustered by stage."""
    lines = ["digraph lifecycle {", "  rankdir=LR; node [shape=box, style=rounded];"]
    for stage, members in _stages().items():
        lines.append(f'  subgraph cluster_{stage} {{ label="{label("stage", stage, lang)}";')
        extra = ", peripheries=2" if stage == "closed" else ""
        lines += [f'    {state} [label="{label("state", state, lang)}"{extra}];' for state in members]
        lines.append("  }")
    lines += [f'  {source} -> {step.to} [label="{name}"];' for source, name, step in _edges(process)]
    return [*lines, "}"]


def _stages() -> dict[str, list[str]]:
    stages: dict[str, list[str]] = {}
    for state, stage in STAGE_OF.items():
        stages.setdefault(stage, []).append(state)
    return stages


def _drawn(process: Lifecycle) -> Iterator[tuple[str, str, str]]:
    """The arrows of the picture: source (a state, or a stage as ``NAME_stage``), trigger, target."""
    for stage, members in _stages().items():
        moves = {state: {(n, s.to) for n, s in process.steps_from(state).items() if s.to != state and n not in COMMON}
                 for state in members}
        shared = set.intersection(*moves.values()) if len(members) > 1 else set()
        yield from ((f"{stage}_stage", name, to) for name, to in sorted(shared))
        for state in members:
            yield from ((state, name, to) for name, to in sorted(moves[state] - shared))


def _edges(process: Lifecycle) -> Iterator[tuple[str, str, Any]]:
    for state in STAGE_OF:
        for name, step in process.steps_from(state).items():
            yield state, name, step
