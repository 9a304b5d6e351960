"""What replaying a story costs, parsing included, beside parsing its YAML with the C loader.

    make bench ONLY=replay
    python bench/replay.py --rounds 20
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import page
import yaml

from casework.audit.check import audit_case
from casework.scenario.replay import replay
from casework.scenario.schema import read
from casework.yamlfile import load

SCENARIOS = Path(__file__).parent.parent / "scenarios"
#: As near to ten steps as the shipped stories come.
STEPS = range(9, 12)
LEAST = "yaml.load, C loader"
WHOLE = "casework.replay, with its audit"
LIMIT = 2.0


def stories() -> list[Path]:
    """The shipped stories of about ten steps."""
    return [path for path in sorted(SCENARIOS.glob("*.yaml")) if len(read(path).steps) in STEPS]


def _audited(path: Path) -> object:
    return replay(path, lambda rows: [finding.code for finding in audit_case(rows)])


VARIANTS: dict[str, Callable[[Path], object]] = {
    LEAST: lambda path: yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader),
    "casework's YAML, with line numbers": load,
    "the scenario, checked": read,
    "replayed on a fresh store, without its audit": lambda path: replay(path, lambda rows: []),
    WHOLE: _audited,
}


def measure(rounds: int, paths: list[Path]) -> dict[str, float]:
    """Median CPU seconds of a story, all variants in every round."""
    took: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for number in range(rounds + 1):
        for path in paths:
            for name, work in VARIANTS.items():
                begun = time.process_time()
                work(path)
                if number:  # the first round fills what is kept between stories
                    took[name].append(time.process_time() - begun)
    return {name: statistics.median(found) for name, found in took.items()}


def profile(paths: list[Path]) -> list[list[str]]:
    """Where the time of a replay goes, by what casework calls for it."""
    watched = {("schema.py", "read"): "reading the file", ("replay.py", "_play"): "the steps",
               ("decide.py", "decide"): "of them deciding", ("store.py", "get"): "of them loading",
               ("store.py", "save"): "of them saving", ("check.py", "audit_case"): "the audit"}
    watch = cProfile.Profile()
    watch.enable()
    for path in paths:
        _audited(path)
    watch.disable()
    stats = pstats.Stats(watch)
    total: float = getattr(stats, "total_tt")  # noqa: B009  # typeshed does not know it
    found = {(Path(file).name, name): taken[3] for (file, _, name), taken in getattr(stats, "stats").items()  # noqa: B009
             if "casework" in file}
    return [["of a replay", "share"], *([said, f"{found[key] / total:.0%}"] for key, said in watched.items())]


PROSE = """\
Each story is replayed on a store in memory of its own: read, checked, every step asked, decided, encoded, proved to be readable
again and stored, every expectation compared, then the case audited by both derivations. Medians of CPU time over the shipped
stories of nine to eleven steps. To read and check the file takes more than half of what the goal allows; one step asked of the
shared machine is 20 µs, and it is decided, recorded and audited besides."""


def main() -> None:
    """A row a variant, against the C loader; then where the time goes."""
    parser = argparse.ArgumentParser(description="what replaying a story costs")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there")
    chosen = parser.parse_args()
    paths = stories()
    found = measure(chosen.rounds, paths)
    rows = [[f"a story, of {len(paths)}", "CPU", "ratio"],
            *([name, f"{seconds * 1e3:.2f} ms", f"{seconds / found[LEAST]:.2f}×"] for name, seconds in found.items())]
    shares = profile(paths)
    page.shown([*rows, *shares])
    if chosen.write:
        figures = [page.Figure(9, WHOLE, found[WHOLE] / found[LEAST], LIMIT)]
        page.keep(chosen.write, "replay.py", "What replaying a story costs",
                  f"{PROSE}\n\n{page.table(rows)}\n\n{page.table(shares)}", figures, ["PyYAML", "transitions"])


if __name__ == "__main__":
    main()
