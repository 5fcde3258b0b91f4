"""The numbers of a table are those of its folder."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tidelake.lake.statistics import statistics


def test_statistics_count_what_lies_in_the_folder(lake: Any, today: Any) -> None:
    from datetime import UTC, datetime, time

    noon = datetime.combine(today, time(12), UTC)
    committer = lake.committer()
    committer.commit([lake.range(1, 10, at=noon)])
    committer.commit([lake.range(11, 14, at=noon + timedelta(days=1), bad={12})])
    found = statistics(lake.events)
    folder = lake.warehouse / "events_db/events"
    data = [path.stat().st_size for path in (folder / "data").rglob("*.parquet")]
    metadata = [path.stat().st_size for path in (folder / "metadata").iterdir()]

    assert (found.rows, found.files, found.bytes) == (13, 2, sum(data))
    assert (found.small_files, found.snapshots, found.tags) == (2, 2, 0)
    assert (found.metadata_files, found.metadata_bytes) == (len(metadata), sum(metadata))
    assert found.manifests == 2
    assert [(day.day, day.rows, day.files) for day in found.days] == [
        (today, 10, 1),
        (today + timedelta(days=1), 3, 1),
    ]
    assert found.counts["events"] == found.rows
