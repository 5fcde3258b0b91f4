"""The whole way for files, once: to the lake, raw, silver and gold; beside a pipeline or alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from tidelake.errors import FencedError
from tidelake.pipeline.ingest_files import ingest_files
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.load import loaders_of
from tidelake.pipeline.loader import Progress
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transform_once import Wish, transform_once
from tidelake.settings import Settings
from tidelake.warehouse.session import open_connection, translated

ANOTHER_LOADS_S = 1.0


def backfill(
    settings: Settings, paths: Sequence[str], stop: Stop, report: Callable[[str], None]
) -> None:
    """Brings the files, or without any what the lake holds, up to gold. May be run again."""
    with opened(settings, role="ingest") as lakehouse:
        if paths:
            for one in ingest_files(lakehouse, paths, stop):
                report(
                    f"{one.name}: {one.events:,} events and {one.rejected:,} rejects in the lake"
                )
        if not stop:
            report(f"{_load(lakehouse, stop):,} rows loaded into raw")
    if not stop:
        transform_once(settings, Wish(), stop, report, lambda *_: None)


def _load(lakehouse: Lakehouse, stop: Stop) -> int:
    """Loads what the lake has and raw has not; gives the rows."""
    progress, url = Progress(), lakehouse.database_url
    while not stop:
        try:
            with translated(url), closing(open_connection(url)) as connection:
                for loader in loaders_of(lakehouse, connection, progress):
                    loader.turn(stop.__bool__)
            break
        except FencedError:
            stop.wait(ANOTHER_LOADS_S)  # the loader of a running pipeline is at the same file
    return progress.rows
