"""Times of many records at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tidelake.process.clock import instant

MICROSECONDS = pa.timestamp("us")
# What nearly all clients send; Arrow reads it as `instant` does. Other forms go to `instant`.
USUAL = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$"


def instants(values: Sequence[Any]) -> pa.Int64Array:
    """`instant` of each value: microseconds since 1970, null where the value is no time."""
    try:
        texts = pa.array(values, pa.string())
        if pc.all(pc.match_substring_regex(texts, USUAL), min_count=0).as_py():
            return pc.utf8_slice_codeunits(texts, 0, -1).cast(MICROSECONDS).cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass  # numbers among them, or a 31st of February: one by one
    return pa.array([None if value is None else instant(value) for value in values], pa.int64())
