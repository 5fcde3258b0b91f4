"""What a part said last, as all who look at it show it."""

from __future__ import annotations

import time
from pathlib import Path

from tidelake.observe import heartbeat
from tidelake.pipeline.status import parts


def test_trouble_is_shown_before_what_is_to_be_known_though_the_part_works(tmp_path: Path) -> None:
    both = {"alert": "silver is of older models", "trouble": "PostgreSQL does not answer"}
    for part, values in {"a": both, "b": {**both, "trouble": ""}, "c": {}}.items():
        heartbeat.beat(tmp_path, part, time.time(), values)

    shown = [part.alert for part in parts(tmp_path, time.time())]

    assert shown == ["PostgreSQL does not answer", "silver is of older models", ""]
