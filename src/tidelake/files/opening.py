"""Which disk a process writes to."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tidelake.errors import SetupError
from tidelake.files.disk import Disk
from tidelake.files.syncs import SYNCS
from tidelake.files.volatile import VolatileDisk


def open_disk(environment: Mapping[str, str] = os.environ) -> Disk:
    """The real disk, or the test disk where `TIDELAKE_TEST_DISK=volatile`.

    The environment is read here and not by the settings: the test disk is no choice of a user's,
    and it must be the same in every process of a pipeline. Open one disk a process and hand it on:
    what is unsynced belongs to it.
    """
    wanted = environment.get("TIDELAKE_TEST_DISK", "")
    skipped = {name for name in environment.get("TIDELAKE_TEST_SKIP_SYNC", "").split(",") if name}
    if unknown := skipped - SYNCS.keys():
        raise SetupError(
            f"TIDELAKE_TEST_SKIP_SYNC names no sync: {', '.join(sorted(unknown))}",
            hint=f"Use one of: {', '.join(SYNCS)}.",
        )
    if wanted == "volatile":
        return VolatileDisk(skip=frozenset(skipped))
    if wanted or skipped:
        raise SetupError(
            f"TIDELAKE_TEST_DISK={wanted} is no disk that can be written to",
            hint="Unset it and TIDELAKE_TEST_SKIP_SYNC; tests set TIDELAKE_TEST_DISK=volatile.",
        )
    return Disk()
