"""Mutation testing of what guards a case: ``make mutate`` prints ``killed X of Y (Z %)`` and what survived, by file and line.

The guards have two parts. The code of the guards and of what decides is mutated by mutmut, on a copy in a temporary folder,
because it leaves its own copy of the sources where it runs. The tables (edges, roles, guards and tracks as data) lie outside
functions, where mutmut mutates nothing: for them, one entry at a time is taken out or turned elsewhere, each in a forked
process that imports the package afresh. Tests that only compare the tables with a digest or a page made from them would kill
every one of those and are left out.

What signs and proves, and the audit, are rooms of their own (``mutate_rooms.py``)::

    python tests/mutate.py [--room ledger|audit|guards] [--sample N] [--seed N] [--names FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from mutate_rooms import ROOMS, SEED, facts, score
from mutate_rooms import scores as scores

ROOT = Path(__file__).resolve().parents[1]
CODE = {
    **{f"casework/domain/guards/{room}.py": None for room in (
        "who", "merchant", "amounts", "terms", "evidence", "ruling", "external", "performance")},
    "casework/domain/decide.py": ("_judge_track", "_judge_beside", "_times", "_triggers", "_things"),
}
TESTS = ("test_refusal_wording.py", "test_guard_corners.py", "test_who_may_where.py", "test_guards.py", "test_lifecycle.py")
TABLE_TESTS = (*TESTS, "test_scenarios.py")
#: Change detectors: they compare the tables with themselves.
DETECTORS = "digest or pinned or the_map_says or machine_and_map or earlier_release or golden"
#: After which a trial counts as killed, as it hangs; far more than the tests take on a busy machine.
SECONDS = 600
#: Lines that word a refusal and decide nothing.
_WORDING = re.compile(r"^\s*((zh|en|who|name|shown) = |item = PROOF_KINDS|kinds = \()|^\s*last = facts\.at|missing=|\breason\(")


class Mutant(NamedTuple):
    """A change, where, and whether it changes only what a refusal says."""

    place: str
    change: str
    wording: bool = False


# --- the code, by mutmut -----------------------------------------------------------------------------------------------


def code(folder: Path, jobs: int) -> tuple[int, list[Mutant]]:
    """How many mutants of the code there are, and those that survived."""
    for name in ("casework", "tests", "scenarios", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, folder / name)
    settings = (ROOT / "setup.cfg").read_text(encoding="utf-8").replace("-n 2 --dist worksteal", "")
    lines = "".join(f"\n    {name}" for name in CODE)
    tests = "".join(f"\n    tests/{name}" for name in TESTS)
    (folder / "setup.cfg").write_text(
        f"{settings}\n[mutmut]\nsource_paths = casework\nonly_mutate ={lines}\npytest_add_cli_args_test_selection ={tests}\n"
        "also_copy =\n    scenarios\n    docs\n    README.md\n    pyproject.toml\n    setup.cfg\n", encoding="utf-8")
    mutmut = [sys.executable, "-m", "mutmut"]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    names = [f"{name.removesuffix('.py').replace('/', '.')}.{function}" for name, functions in CODE.items()
             for function in (("*",) if functions is None else (f"x_{f}__mutmut_*" for f in functions))]
    ran = subprocess.run([*mutmut, "run", "--max-children", str(jobs), *names], cwd=folder, env=environment, capture_output=True,
                         text=True)
    results = subprocess.run([*mutmut, "results", "--all", "true"], cwd=folder, env=environment, capture_output=True, text=True)
    found = re.findall(r"^\s*(\S+): (.+)$", results.stdout, re.M)
    if ran.returncode or not found:
        raise SystemExit(f"mutmut failed:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    counted = [(name, status) for name, status in found if _counts(name)]
    if any(status == "not checked" for _, status in counted):
        raise SystemExit("mutmut did not check every mutant")
    if late := sum(status == "timeout" for _, status in counted):
        print(f"{late} mutants of the code counted as killed because the tests did not end", file=sys.stderr)
    survivors = [name for name, status in counted if status not in ("killed", "timeout", "caught by type check")]
    return len(counted), sorted(_shown(name, folder, environment) for name in survivors)


def _counts(mutant: str) -> bool:
    file, function = _function(mutant)
    chosen = CODE[file]
    return chosen is None or function in chosen


def _function(mutant: str) -> tuple[str, str]:
    """The file and the function of a mutant, from the name that mutmut gives it."""
    module, _, name = mutant.rpartition(".")
    return module.replace(".", "/") + ".py", name.removeprefix("x_").partition("__mutmut")[0]


def _shown(mutant: str, folder: Path, environment: dict[str, str]) -> Mutant:
    shown = subprocess.run([sys.executable, "-m", "mutmut", "show", mutant], cwd=folder, env=environment, capture_output=True,
                           text=True).stdout.splitlines()
    file, function = _function(mutant)
    old = next((line[1:] for line in shown if line.startswith("-") and not line.startswith("---")), "")
    new = next((line[1:] for line in shown if line.startswith("+") and not line.startswith("+++")), "")
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith(f"def {function}(")), 0)
    number = next((i for i, line in enumerate(lines[start:], start + 1) if line == old), start + 1)
    return Mutant(f"{file}:{number}", _difference(old, new), bool(_WORDING.search(old)))


def _difference(old: str, new: str) -> str:
    parts = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old.strip(), new.strip(), autojunk=False).get_opcodes():
        if what != "equal":
            parts.append(f"{old.strip()[max(a - 25, 0):b + 10]!r} -> {new.strip()[max(c - 25, 0):d + 10]!r}")
    return "; ".join(parts[:2])


# --- the tables, as data ---------------------------------------------------------------------------------------------


class Change(NamedTuple):
    """One entry of the tables changed: which row, and what becomes of it."""

    table: str
    row: str
    said: str
    path: tuple[Any, ...]
    value: Any


def changes() -> Iterator[Change]:
    """Every entry of the tables taken out or turned elsewhere, one at a time."""
    from casework.domain import beside, lifecycle

    for place, trigger in enumerate(lifecycle.TRIGGERS):
        yield from _drops("lifecycle", trigger.name, "role", trigger.roles, (place, "roles"))
        for number, edge in enumerate(trigger.edges):
            here: tuple[Any, ...] = (place, "edges", number)
            yield from _drops("lifecycle", trigger.name, "source", edge.sources, (*here, "sources"))
            yield from _drops("lifecycle", trigger.name, "guard", edge.guards, (*here, "guards"))
            other = "withdrawn" if edge.to != "withdrawn" else "abandoned"
            yield Change("lifecycle", trigger.name, f"leads to {other}, not {edge.to}", (*here, "to"), other)
            if edge.roles:
                yield Change("lifecycle", trigger.name, "roles of the edge not narrowed", (*here, "roles"), None)
    for place, act in enumerate(beside.ACTS):
        yield from _drops("beside", act.name, "role", act.roles, (place, "roles"))
        yield from _drops("beside", act.name, "guard", act.guards, (place, "guards"))
        yield from _drops("beside", act.name, "state", act.states, (place, "states"))
        if act.track:
            yield Change("beside", act.name, f"no track {act.track.name}", (place, "track"), None)
    for name, rows in beside.TRACKS.items():
        for number, (trigger_name, sources, _) in enumerate(rows):
            yield from _drops("tracks", f"{name}.{trigger_name}", "source", sources, (name, number, 1))


def _drops(table: str, row: str, kind: str, values: tuple[str, ...], path: tuple[Any, ...]) -> Iterator[Change]:
    for value in values:
        kept = tuple(v for v in values if v != value)
        if kept or kind in ("guard",):
            yield Change(table, row, f"{kind} {value} taken out", path, kept)


def _changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    step, *rest = path
    if isinstance(step, str) and hasattr(tree, "_replace"):
        return tree._replace(**{step: _changed(getattr(tree, step), tuple(rest), value)})
    if isinstance(tree, dict):
        return tree | {step: _changed(tree[step], tuple(rest), value)}
    return tree[:step] + (_changed(tree[step], tuple(rest), value),) + tree[step + 1:]


def _is_killed(change: Change) -> bool:
    """Whether the tests fail, in a process of its own in which the package is imported with the change in it."""
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            status = _trial(change)
        os._exit(status)
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _trial(change: Change) -> int:
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for name in [name for name in sys.modules if name.partition(".")[0] == "casework"]:
        del sys.modules[name]
    from casework.domain import beside, lifecycle

    if change.table == "lifecycle":
        lifecycle.TRIGGERS = _changed(lifecycle.TRIGGERS, change.path, change.value)
    elif change.table == "beside":
        beside.ACTS = _changed(beside.ACTS, change.path, change.value)
    else:
        beside.TRACKS = _changed(beside.TRACKS, change.path, change.value)
    import pytest

    os.chdir(ROOT)
    tests = [str(ROOT / "tests" / name) for name in TABLE_TESTS]
    return int(pytest.main(["-x", "-q", "-n0", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-k", f"not ({DETECTORS})",
                            *tests]))


def tables(sample: int, seed: int) -> tuple[int, int, list[Mutant]]:
    """How many changes were tried, of how many, and those that survived."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    every = list(changes())
    chosen = every if sample <= 0 or sample >= len(every) else Random(seed).sample(every, sample)
    import pytest  # noqa: F401  imported before the fork, so that every trial starts with it

    name = every[0].row
    if _is_killed(Change("lifecycle", name, "nothing changed", (0, "name"), name)):
        raise SystemExit(f"the tests fail without any change: pytest -n0 -k 'not ({DETECTORS})' {' '.join(TABLE_TESTS)}")
    survivors = []
    for number, change in enumerate(chosen, 1):
        if not _is_killed(change):
            survivors.append(Mutant(_place(change), f"{change.row}: {change.said}"))
        if number % 50 == 0:
            print(f"{number} of {len(chosen)} tables", file=sys.stderr, flush=True)
    return len(chosen), len(every), sorted(survivors)


def _place(change: Change) -> str:
    file = "casework/domain/" + ("lifecycle.py" if change.table == "lifecycle" else "beside.py")
    name = change.row.partition(".")[2] if change.table == "tracks" else change.row
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    row = f'("{name}"'
    return f"{file}:{next((i for i, line in enumerate(lines, 1) if row in line), 1)}"


def _guards(only: str | None, jobs: int, sample: int, seed: int) -> None:
    begun, mutants, survivors = time.monotonic(), 0, []
    if only != "tables":
        with tempfile.TemporaryDirectory(prefix="casework-mutate-") as folder:
            count, found = code(Path(folder), jobs)
        words = [m for m in found if m.wording]
        print(f"code: killed {count - len(found)} of {count} ({100 * (1 - len(found) / count):.1f} %); "
              f"of the survivors {len(words)} change no decision, only what a refusal says")
        mutants, survivors = mutants + count, survivors + found
    if only != "code":
        count, every, found = tables(sample, seed)
        print(f"tables: killed {count - len(found)} of {count} ({100 * (1 - len(found) / count):.1f} %), "
              f"{count} of {every} changes tried, seed {seed}")
        mutants, survivors = mutants + count, survivors + found
    for mutant in survivors:
        print(f"  {mutant.place}: {mutant.change}{' (wording)' if mutant.wording else ''}")
    print(f"killed {mutants - len(survivors)} of {mutants} ({100 * (1 - len(survivors) / mutants):.1f} %) "
          f"in {time.monotonic() - begun:.0f} s")


def main() -> int:
    """What was asked for, and its score; 1 where a room is below its goal."""
    parser = argparse.ArgumentParser(description="mutation testing of the guards, of what signs and proves, and of the audit")
    parser.add_argument("--room", choices=["guards", *(room.name for room in ROOMS)], default="guards")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--sample", type=int, help="how many mutants, by seed (of guards: of the tables); 0: all")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--names", metavar="FILE", help="only the mutants that this file names, such as survivors of a run")
    parser.add_argument("--only", choices=["code", "tables"], help="a part of the guards")
    chosen = parser.parse_args()
    if chosen.room == "guards":
        _guards(chosen.only, chosen.jobs or 2, 150 if chosen.sample is None else chosen.sample, chosen.seed or 1)
        return 0
    [room] = [room for room in ROOMS if room.name == chosen.room]
    names = Path(chosen.names).read_text(encoding="utf-8").split() if chosen.names else ()
    done = score(room, 1.0, room.sample if chosen.sample is None else chosen.sample, chosen.seed or SEED, jobs=chosen.jobs or 1,
                 only=names)
    for name, value in facts(done).items():
        print(f"{name}: {value}")
    print(f"of the killed {done.late} because the tests did not end; {done.seconds:.0f} s; survivors:")
    for mutant in done.survivors:
        print(f"{mutant.name}\n    {mutant.shown}")
    return int(done.percent < room.goal)


if __name__ == "__main__":
    sys.exit(main())
