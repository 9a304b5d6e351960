"""Run the scripts of ``bench/``, one after the other; each writes its part of bench/RESULTS.md.

    make bench                         all of them; takes an hour
    make bench ONLY=startup,replay     some of them
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FRAME = ("page", "run")


def scripts() -> list[str]:
    """The names of the scripts, without ``.py``."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in FRAME)


def main() -> int:
    """Run them; 1 if one of them failed, which does not stop the others."""
    parser = argparse.ArgumentParser(description="run the scripts of bench/")
    parser.add_argument("--only", metavar="NAMES", help="these, with commas between them")
    asked = parser.parse_args().only
    names = asked.split(",") if asked else scripts()
    if unknown := sorted(set(names) - set(scripts())):
        parser.error(f"no script {', '.join(unknown)}; there are {', '.join(scripts())}")
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, HERE / f"{name}.py", "--write", HERE / "RESULTS.md"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
