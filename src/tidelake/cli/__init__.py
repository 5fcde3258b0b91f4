"""The command line: `tidelake …`, each command a few lines over `pipeline`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command; an error of ours is one sentence and what to do, never a traceback."""
    from tidelake.cli.app import app
    from tidelake.errors import TidelakeError

    try:
        app(prog_name="tidelake")
    except TidelakeError as exc:
        print(f"error: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
