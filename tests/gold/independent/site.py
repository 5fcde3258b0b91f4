"""A home in which requests go all the way: inbox, lake, raw, silver, published gold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from tests.gold.independent.__main__ import published
from tests.gold.independent.arrival import chosen_otherwise
from tests.gold.independent.compare import Comparison, compare

from tidelake.files import open_disk
from tidelake.inbox import LaneWriter, Records
from tidelake.lake.query import connect
from tidelake.pipeline import ingest, load
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transformer import Transformer, transformer
from tidelake.pipeline.warehouse import opened_warehouse
from tidelake.settings import Settings


@dataclass(frozen=True)
class Site:
    """One home; every step ends when it has nothing left to do."""

    settings: Settings
    lakehouse: Lakehouse
    transformer: Transformer

    def send(self, requests: Sequence[Records]) -> None:
        """The requests, in their order, become rows of the lake."""
        asyncio.run(self._accept(requests))
        ingest.run(self.settings, stopped())

    def transform(self) -> int:
        """Raw, silver and gold take what the lake holds; gives the number of windows."""
        load.run(self.settings, stopped())
        windows = 0
        while self.transformer.news():
            windows += self.transformer.cycle().window is not None
        return windows

    def compared(self) -> list[Comparison]:
        """The published gold against the lake."""
        with closing(connect(self.lakehouse.catalog)) as lake:
            gold_file = published(self.settings.home)
            return compare(lake, gold_file, self.settings.transform.timezone)

    def chosen_otherwise(self) -> list[str]:
        """Events and orders for which the order of loading would choose another copy."""
        with closing(connect(self.lakehouse.catalog)) as lake:
            return chosen_otherwise(self.lakehouse.catalog, lake)

    async def _accept(self, requests: Sequence[Records]) -> None:
        with closing(LaneWriter.claim(self.settings.home, open_disk())) as lane:
            await asyncio.gather(*[lane.append(records) for records in requests])


@contextmanager
def open_site(settings: Settings) -> Iterator[Site]:
    with (
        opened(settings) as lakehouse,
        opened_warehouse(settings, "transform") as warehouse,
        transformer(warehouse, Stop()) as ours,
    ):
        yield Site(settings, lakehouse, ours)


def stopped() -> Stop:
    """What tells a running part to end once it has done what there is to do."""
    stop = Stop()
    stop.set()
    return stop
