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
from tidelake.pipeline.caution import Caution
from tidelake.pipeline.encode import Encoder
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings

POISON = b"poison"


@given(records=st.integers(1, 100_000), poison=st.integers(0, 99_999))
def test_the_record_at_fault_is_found_within_a_few_failures(records: int, poison: int) -> None:
    poison %= records
    caution, first, failures = Caution(), 0, 0
    while caution.refused is None:
        last = min(first + (caution.rows or records), records) - 1
        if first <= poison <= last:
            caution.failed(FailedTakeError("s", first, last, "it died"))
            failures += 1
            assert failures <= 5
        else:
            first = last + 1
    assert caution.refused == ("s", poison)


def test_takes_grow_again_until_all_is_well() -> None:
    caution = Caution(rows=1, refused=("s", 5))
    sizes = []
    while caution.rows is not None:
        caution.worked()
        sizes.append(caution.rows)

    assert sizes == [16, 256, 4096, None]
    assert caution.refused is None


class FailingWorkers:
    """Encodes in this process, but dies of one record as a worker would that ran out of memory."""

    count = 1

    def __init__(self, encoder: Encoder, _count: int) -> None:
        self._encoder = encoder

    def submit(self, take: Take, judged: frozenset[int]) -> Future[StoredRange]:
        future: Future[StoredRange] = Future()
        unread = self._encoder.refused == (take.stream, take.first) and take.first == take.last
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
    lane = LaneWriter.claim(home_settings.home, open_disk())
    bodies = [event(number) for number in range(40)]
    bodies[17] = POISON
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
    assert (books.events, books.rejected, books.wrong()) == (39, 1, [])
    assert [(row["reason"], row["body"]) for row in rejected] == [("unprocessable", POISON)]
    assert rejected[0]["source_position"].endswith("/18")
