"""``python -m casework`` and the ``casework`` command. ``--version`` is answered before anything is imported."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its status: 0 done and clean, 1 refused or findings, 2 could not run."""
    if sys.argv[1:] == ["--version"]:
        from casework import __version__

        try:
            print(f"casework {__version__}", flush=True)
        except BrokenPipeError:  # whoever read us has gone: no error, and none at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.write(2, f"casework: cannot write the result: {error.strerror}\n".encode())
            sys.exit(2)
        sys.exit(0)
    import gc

    # What is imported stays: to look through it again and again while it comes in finds nothing and takes a tenth of a start.
    gc.set_threshold(50_000, 20, 20)
    from casework.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
