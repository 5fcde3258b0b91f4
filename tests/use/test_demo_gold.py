"""The demo waits for gold as long as something moves."""

from __future__ import annotations

from typing import Any

import pytest

from tidelake.errors import UnavailableError
from tidelake.pipeline.demo_gold import wait_for_gold


def test_waiting_for_gold_says_how_far_it_is_and_ends_where_nothing_moves(layered: Any) -> None:
    rows = layered.one("select sum(rows + set_aside)::bigint from tidelake.load_totals")
    told: list[str] = []

    wait_for_gold(layered.lakehouse, rows, told.append)
    assert told == []

    with pytest.raises(UnavailableError, match="nothing has moved for 0 s"):
        wait_for_gold(layered.lakehouse, rows + 1, told.append, stands_for_s=0.3)
    assert told[0].endswith(f"{rows:,} of {rows + 1:,} rows in raw")
