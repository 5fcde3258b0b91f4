"""The command line: `tidelake …`, each command a few lines over `pipeline`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the command; an error of ours is one sentence and what to do, never a traceback."""
    from tidelake.cli.app import app
    from tidelake.errors import TidelakeError

    os.umask(0o077)  # events and addresses of clients are for the eyes of this user alone
    try:
        app(home_first(sys.argv[1:]), prog_name="tidelake")
    except TidelakeError as exc:
        print(f"error: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def home_first(words: list[str]) -> list[str]:
    """The command line with `--home` before the command: it may stand after it too."""
    end = words.index("--") if "--" in words else len(words)
    for at, word in enumerate(words[:end]):
        after = at + (1 if word.startswith("--home=") else 2)
        if word.partition("=")[0] == "--home" and after <= end:
            return words[at:after] + words[:at] + words[after:]
    return words
