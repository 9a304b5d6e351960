"""What starting costs: ``casework --version``, ``--help`` and ``show``, beside ``python -c 'import click'``, process by process.

    make bench ONLY=startup
    python bench/startup.py --rounds 40
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sysconfig
import tempfile
import venv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import page

from casework.application import service
from casework.store.opening import open_store

ROOT = Path(__file__).parent.parent
BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
GIVEN = {"order": {"id": "ORD-1", "item": "榨汁机", "category": "small_appliance", "merchant": "M-1", "paid": "899.00",
                   "ordered_at": BEGIN - timedelta(days=20)}, "consumer": "C-1", "ground": "malfunction"}
#: What pip writes for a console script.
SCRIPT = "import sys\nfrom casework.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
LEAST = "python -c 'import click'"
LIMITS = {"casework --version": 0.6, "casework --help": 1.2, "casework show CASE": 2.0}


def installed(folder: Path) -> Path:
    """The interpreter of an environment in which casework is found by a plain path, as when it is installed.

    An editable install imports a finder of its own at every start, click's as well as ours.
    """
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    (site / "bench.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return folder / "bin" / "python"


def store(folder: Path) -> Path:
    """A small store: ten cases, each of which waits for the merchant."""
    path = folder / "cases.db"
    with open_store(str(path), create=True) as made:
        for number in range(10):
            name = f"K-{number}"
            service.open_case(made, name, GIVEN, by="consumer", clock=lambda: BEGIN, command_id="open")
            service.carry_on(made, name, "contact_merchant",
                             {"message": "坏了", "remedy": {"kind": "refund", "amount": "899.00"}},
                             by="consumer", clock=lambda: BEGIN, command_id="contact")
    return path


def cpu(command: list[str], environ: dict[str, str]) -> float:
    """Seconds of CPU that a process takes from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rounds: int) -> dict[str, float]:
    """Median seconds of each, all of them in every round."""
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as name:
        folder = Path(name)
        python = str(installed(folder / "venv"))
        script = folder / "casework"
        script.write_text(SCRIPT, encoding="utf-8")
        kept = store(folder)
        commands = {
            "python -c pass": [python, "-c", "pass"],
            LEAST: [python, "-c", "import click"],
            "casework --version": [python, str(script), "--version"],
            "casework --help": [python, str(script), "--help"],
            "casework show CASE": [python, str(script), "show", "K-3", "--store", str(kept)],
        }
        environ = {"PATH": os.environ.get("PATH", ""), "CASEWORK_LANG": "en", "LC_ALL": "C.UTF-8"}
        took: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(rounds + 2):
            for name, command in commands.items():
                seconds = cpu(command, environ)
                if number >= 2:  # the first have bytecode to write and files to find
                    took[name].append(seconds)
    return {name: statistics.median(found) for name, found in took.items()}


PROSE = """\
Each is a process from its start to its end, in an environment where casework and click lie as pip puts them, run as the console
script runs; medians of CPU time. `show` reads a case of a store of ten."""


def main() -> None:
    """A row a command, against importing click."""
    parser = argparse.ArgumentParser(description="what starting costs")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the section of the run there")
    chosen = parser.parse_args()
    found = measure(chosen.rounds)
    rows = [["a process", "CPU", "ratio"],
            *([name, f"{seconds * 1e3:.1f} ms", f"{seconds / found[LEAST]:.2f}×"] for name, seconds in found.items())]
    page.shown(rows)
    if chosen.write:
        figures = [page.Figure(8, name, found[name] / found[LEAST], limit) for name, limit in LIMITS.items()]
        page.keep(chosen.write, "startup.py", "What starting costs", f"{PROSE}\n\n{page.table(rows)}", figures, ["click"])


if __name__ == "__main__":
    main()
