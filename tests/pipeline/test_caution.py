"""A record on which workers fail is found, rejected unread, and costs no neighbour its place."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidelake.batch import Take
from tidelake.errors import FailedTakeError
from tidelake.files import open_disk
from tidelake.inbox import LaneWriter, Records
from tidelake.lake.tables import load_table
from tidelake.lake.writer import StoredRange
from tidelake.pipeline import ingest
from tidelake.pipeline.books import read_books
from tidelake.pipeline.caution import Caution, Narrowed
from tidelake.pipeline.encode import Encoder
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings

POISON = b"poison"


STREAM, OTHER = "inbox/i/0", "inbox/i/1"


@given(records=st.integers(1, 100_000), poison=st.integers(0, 99_999))
def test_the_record_at_fault_is_found_within_a_few_failures(records: int, poison: int) -> None:
    poison %= records
    caution, first, failures = Caution(), 0, 0
    while not caution.refused:
        last = min(first + (caution.rows(STREAM) or records), records) - 1
        if first <= poison <= last:
            caution.failed(FailedTakeError(STREAM, first, last, "it died"))
            failures += 1
            assert failures <= 6
        else:
            first = last + 1
    assert caution.refused == {(STREAM, poison)}


def test_a_single_record_is_not_refused_where_another_take_may_be_to_blame() -> None:
    caution = Caution()

    caution.failed(FailedTakeError(STREAM, 7, 7, "the pool broke"))
    assert caution.refused == frozenset()
    caution.failed(FailedTakeError(STREAM, 7, 7, "it died alone"))

    assert caution.refused == {(STREAM, 7)}


def test_takes_grow_again_until_all_is_well_and_other_streams_do_not_count() -> None:
    caution = Caution({STREAM: Narrowed(rows=1, refused=5)})
    caution.committed({OTHER: 100})
    assert caution.refused == {(STREAM, 5)}
    sizes = []
    for position in range(5, 100):
        caution.committed({STREAM: position})
        sizes.append(caution.rows(STREAM))
        if not caution.streams:
            break

    assert list(dict.fromkeys(sizes)) == [16, 256, 4096, None]


class FailingWorkers:
    """Encodes in this process, but dies of one record as a worker would that ran out of memory."""

    count = 1

    def __init__(self, encoder: Encoder, _count: int) -> None:
        self._encoder = encoder

    def submit(self, take: Take, judged: frozenset[int]) -> Future[StoredRange]:
        future: Future[StoredRange] = Future()
        unread = (take.stream, take.first) in self._encoder.refused and take.first == take.last
        if not unread and POISON in take.read().records["body"].to_pylist():
            future.set_exception(MemoryError("no room"))
        else:
            future.set_result(self._encoder(take, judged))
        return future

    def warm_up(self) -> None:
        """Nothing to load."""

    def pids(self) -> list[int]:
        return []

    def __enter__(self) -> FailingWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


def event(number: int) -> bytes:
    fields = {"event_id": str(number), "event_type": "click", "user_id": "u"}
    return json.dumps({**fields, "timestamp": time.time()}).encode()


def test_a_record_that_kills_workers_is_rejected_and_the_pipeline_goes_on(
    lakehouse: Lakehouse, home_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "ProcessWorkers", FailingWorkers)
    monkeypatch.setattr(ingest, "FIRST_WAIT_S", 0.01)
    lanes = [LaneWriter.claim(home_settings.home, open_disk()) for _ in range(2)]
    for lane, poison in zip(lanes, (None, 17), strict=True):
        bodies = [event(number) for number in range(40)]
        if poison is not None:
            bodies[poison] = POISON
        lane.append_and_wait(Records(bodies, b"{}", int(time.time() * 1e6), "api", "native"))
        lane.close()

    class Until(Stop):
        """Stops once everything is in the lake."""

        def wait(self, seconds: float) -> bool:
            if read_books(lakehouse).waiting == 0:
                self.set()
            return super().wait(seconds)

    stop = Until()
    ingest.run(home_settings, stop)

    books = read_books(lakehouse)
    rejected = load_table(lakehouse.catalog, "rejected_events").scan().to_arrow().to_pylist()
    assert (books.events, books.rejected, books.wrong()) == (79, 1, [])
    assert [(row["reason"], row["body"]) for row in rejected] == [("unprocessable", POISON)]
    assert rejected[0]["source_position"].endswith("/1/18")
