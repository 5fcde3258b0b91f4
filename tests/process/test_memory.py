"""What `process` gave back is all that it holds: a worker runs for months."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter

from tidelake.event.contract import EVENTS
from tidelake.process import process
from tidelake.process.envelope import read_envelope

from .batches import EVENT, RULES, batch_of, body_of


def test_a_batch_that_was_processed_leaves_no_objects_behind() -> None:
    bodies = [body_of({**EVENT, "event_id": f"e{n}", "_doc": {"n": n}}) for n in range(100)]
    batch = batch_of([*bodies, b"{"])
    process(batch, EVENTS, RULES)
    before = objects()
    for _ in range(3):
        process(batch, EVENTS, RULES)

    grown = {kind: count for kind, count in (objects() - before).items() if count >= 100}
    assert grown == {}


def test_large_contexts_that_were_read_are_not_kept() -> None:
    tracemalloc.start()
    try:
        for n in range(50):
            read_envelope(b'{"context":{"n":%d,"a":[' % n + b"[]," * 20_000 + b"1]}}")
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert kept < 5 << 20


def objects() -> Counter[str]:
    gc.collect()
    return Counter(type(one).__name__ for one in gc.get_objects())
