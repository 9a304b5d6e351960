"""What an event costs as a store grows: made, audited, exported, audited as a log; as a picture; and where the time goes.

    make bench ONLY=growth
    python bench/growth.py --cases 1000 10000 100000
"""

from __future__ import annotations

import argparse
import cProfile
import math
import pstats
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import page

from casework.audit.check import audit
from casework.store.opening import open_reader

PICTURE = Path(__file__).parent / "growth.svg"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")
MADE, AUDITED, COPIED = "made up and recorded", "audited, one process", "copied into another store"
#: What the fifth and the tenth goal compare, in events: at least so many, and the next size above that.
SMALL, LARGE = 100_000, 10_000_000
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 360, 70, 50, 20, 190


class Point(NamedTuple):
    """What a process took for a store of so many events: CPU seconds and the most memory, in MiB."""

    events: int
    seconds: float
    mebibytes: float

    @property
    def each(self) -> float:
        """Microseconds an event."""
        return self.seconds / self.events * 1e6


def took(*args: str) -> tuple[float, float]:
    """CPU seconds of a process of casework and its own, and its most memory in MiB, as a process that only waits tells them."""
    code = ("import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
            "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
            "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024); sys.exit(done.returncode)")
    done = subprocess.run([sys.executable, "-c", code, sys.executable, "-m", "casework", *args], check=True, text=True,
                          stdout=subprocess.PIPE)
    seconds, mebibytes = done.stdout.split()
    return float(seconds), float(mebibytes)


def measure(folder: Path, cases: int) -> dict[str, Point]:
    """Every step for a store of so many cases."""
    store, log, copy = (str(folder / f"{cases}.{ending}") for ending in ("db", "parquet", "copy.db"))
    steps = {
        MADE: ("simulate", "--cases", str(cases), "--seed", "6", "--journal", "none", "--store", store),
        AUDITED: ("audit", "--jobs", "1", "--store", store),
        COPIED: ("copy", store, copy, "--journal", "none"),
        "exported as Parquet": ("export", log, "--store", store),
        "audited as a log": ("audit", "--log", log),
    }
    found = {name: took(*args) for name, args in steps.items()}
    with open_reader(store) as reader:
        events = reader.snapshot().events
    return {name: Point(events, *used) for name, used in found.items()}


def picture(curves: dict[str, list[Point]]) -> str:
    """Microseconds an event by number of events, both on logarithmic axes, as SVG."""
    points = [p for curve in curves.values() for p in curve]
    low, high = (f(math.log10(p.events) for p in points) for f in (min, max))
    bottom, top = math.floor(min(math.log10(p.each) for p in points)), math.ceil(max(math.log10(p.each) for p in points))

    def x(events: float) -> float:
        return LEFT + (math.log10(events) - low) / max(high - low, 0.01) * (WIDTH - LEFT - RIGHT)

    def y(each: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(each) - bottom) / (top - bottom) * (HEIGHT - BOTTOM - TOP)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for power in range(bottom, top + 1):
        at = y(10.0 ** power)
        parts += [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>',
                  f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>']
    for events in sorted({p.events for p in points}):
        parts.append(f'<text x="{x(events):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{events:,}</text>')
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        line = " ".join(f"{x(p.events):.1f},{y(p.each):.1f}" for p in curve)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(p.events):.1f}" cy="{y(p.each):.1f}" r="3" fill="{colour}"/>' for p in curve]
        parts.append(f'<text x="{WIDTH - RIGHT + 10}" y="{y(curve[-1].each) + 4:.1f}" fill="{colour}">{name}</text>')
    parts += [f'<text x="{(WIDTH - RIGHT + LEFT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">events in the store</text>',
              f'<text x="16" y="{HEIGHT / 2}" transform="rotate(-90 16 {HEIGHT / 2})" text-anchor="middle">'
              "µs of CPU an event</text>", "</svg>\n"]
    return "\n".join(parts)


def profile(store: str, top: int = 12) -> list[list[str]]:
    """The functions in which an audit spends most of its own time."""
    watch = cProfile.Profile()
    with open_reader(store) as reader:
        watch.enable()
        assert not [f for f in audit(reader.rows(), indexed=reader) if f.severity != "note"]
        watch.disable()
    stats = getattr(pstats.Stats(watch), "stats")  # noqa: B009  # typeshed does not know it
    total = sum(own for _, _, own, _, _ in stats.values())
    most = sorted(stats.items(), key=lambda item: -item[1][2])[:top]
    return [["of an audit, in the function itself", "calls", "share"],
            *([f"`{Path(file).name if file != '~' else 'built in'} {name.strip('<>')}`", f"{calls:,}", f"{own / total:.0%}"]
              for (file, _, name), (_, calls, own, _, _) in most)]


def rows_of(curves: dict[str, list[Point]]) -> list[list[str]]:
    """A row a curve: what an event costs at each size, and by how much it grew; the most memory likewise."""
    sizes = [p.events for p in next(iter(curves.values()))]
    rows = [["CPU an event; most memory", *(f"{events:,} events" for events in sizes), "last over first"]]
    for name, curve in curves.items():
        rows.append([name, *(f"{p.each:,.1f} µs; {p.mebibytes:,.0f} MiB" for p in curve),
                     f"{curve[-1].each / curve[0].each:.2f}×; {curve[-1].mebibytes / curve[0].mebibytes:.2f}×"])
    return rows


def figures(curves: dict[str, list[Point]]) -> list[page.Figure]:
    """The fifth and the tenth goal, where the run was large enough to tell."""
    small, large = ({name: next((p for p in curve if p.events >= least), None) for name, curve in curves.items()}
                    for least in (SMALL, LARGE))
    memory = [("of the whole audit, one process", small[AUDITED], large[AUDITED])]
    cost = [(f"{name}, CPU", small[name], large[name]) for name in (AUDITED, COPIED, MADE)]
    return [*(page.Figure(5, what, b.mebibytes / a.mebibytes, 1.5) for what, a, b in memory if a and b),
            *(page.Figure(10, what, b.each / a.each, 1.2) for what, a, b in cost if a and b)]


PROSE = """\
Stores as `casework simulate` makes them, each step a process of its own from start to end, so that for the smallest the start
weighs. Both axes of the picture are logarithmic: a flat line costs the same an event at every size.

![µs of CPU an event by events in the store](growth.svg)"""


def main(argv: Sequence[str] | None = None) -> None:
    """The table, the picture, and the profile of the smallest store's audit."""
    parser = argparse.ArgumentParser(description="what an event costs as a store grows")
    parser.add_argument("--cases", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there, the picture beside it")
    chosen = parser.parse_args(argv)
    curves: dict[str, list[Point]] = {}
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as folder:
        for cases in sorted(chosen.cases):
            for name, point in measure(Path(folder), cases).items():
                curves.setdefault(name, []).append(point)
        shares = profile(str(Path(folder) / f"{min(chosen.cases)}.db"))
    rows = rows_of(curves)
    page.shown([*rows, *shares])
    if chosen.write:
        (chosen.write.parent / PICTURE.name).write_text(picture(curves), encoding="utf-8")
        page.keep(chosen.write, "growth.py", "What an event costs as a store grows",
                  f"{PROSE}\n\n{page.table(rows)}\n\n{page.table(shares)}", figures(curves), packages=["pyarrow"])


if __name__ == "__main__":
    main()
