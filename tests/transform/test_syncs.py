"""Each sync of a publication is left out, and what is read after a kill must show it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import duckdb
import pytest
from tests.transform.conftest import WITHIN_S, Raw

from tidelake.files import SYNCS

Start = Callable[..., Popen[bytes]]


@pytest.mark.slow
@pytest.mark.parametrize("left_out", ["", *(sync for sync in SYNCS if sync.startswith("gold."))])
def test_a_sync_left_out_of_a_publication_is_noticed(
    left_out: str, raw: Raw, start: Start, home: Path
) -> None:
    raw.load("a")
    volatile = {"TIDELAKE_TEST_DISK": "volatile", "TIDELAKE_TEST_SKIP_SYNC": left_out}

    ended = start("transform", crash_at="transform.after_pointer", **volatile).wait(WITHIN_S)

    assert (readable(home) and ended == -signal.SIGKILL) is (left_out == "")


def readable(home: Path) -> bool:
    """Whether the pointer names a file that shows what was published."""
    try:
        path = home / "gold" / (home / "gold" / "current").read_text("utf-8")
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute("select count(*) from gold.daily_traffic").fetchone() == (1,)
    except (OSError, duckdb.Error):
        return False
