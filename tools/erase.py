"""Delete a home with all data in it: the lake, the inbox, and PostgreSQL wherever its data lie.

    python tools/erase.py [--yes] [HOME]

As root, PostgreSQL's data may lie below /var/lib/tidelake: removing the home alone leaves them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tidelake.warehouse.server import EmbeddedPostgres

DEFAULT = Path(__file__).resolve().parent.parent / ".tidelake"


def main(words: list[str]) -> str:
    """Erases the home; gives what to say."""
    home = next((Path(word) for word in words if word != "--yes"), DEFAULT)
    if not home.is_dir():
        return f"there is no {home}"
    if not any((home / part).is_dir() for part in ("postgres", "lake", "inbox")):
        sys.exit(f"{home} is no home of tidelake: nothing was removed")
    if "--yes" not in words and input(f"Delete {home} and all data in it? [y/N] ") != "y":
        return "nothing was removed"
    EmbeddedPostgres(home).erase()
    shutil.rmtree(home)
    return f"{home} is gone"


if __name__ == "__main__":
    print(main(sys.argv[1:]))
