"""The home: the one folder that holds all state, for the eyes of its owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from tidelake.errors import SetupError, UsageError

MADE = ("inbox", "lake", "postgres", "gold", "run")  # any of them makes a folder a home
PRIVATE = 0o700
PASSABLE = 0o711  # as root: the embedded PostgreSQL is another user, and its data lie inside


def make_home(home: Path) -> None:
    """Makes the folder where it is missing, private; one that exists keeps its mode.

    Raises `SetupError` where it can not be a folder of ours.
    """
    mode = PASSABLE if os.geteuid() == 0 else PRIVATE
    missing = [folder for folder in (home, *home.parents) if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)  # another process may be faster: as good
            folder.chmod(mode)
        if not home.is_dir():
            raise NotADirectoryError(f"{home} is no folder")
    except OSError as exc:
        raise SetupError(
            f"the home {home} can not be made: {exc.strerror or exc}",
            hint="Choose a folder that you may write to, with --home or TIDELAKE_HOME.",
        ) from exc
    if not os.access(home, os.W_OK | os.X_OK):
        raise SetupError(
            f"the home {home} can not be written to",
            hint="Run tidelake as the user that created it, or choose another with --home.",
        )


def require_home(home: Path) -> None:
    """For commands that only look: they make nothing where there is nothing to be seen.

    Raises `UsageError` where it is not the home of a pipeline.
    """
    if not any((home / name).is_dir() for name in MADE):
        raise UsageError(
            f"no such home: {home}",
            hint="Name that of a pipeline with --home or TIDELAKE_HOME; `tidelake up` makes one.",
        )
