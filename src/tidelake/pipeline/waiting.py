"""How many records are durable in the inbox and not in the lake yet."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tidelake.event.contract import EVENTS
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.lake.positions import positions
from tidelake.lake.tables import load_table
from tidelake.pipeline.lakehouse import catalog_of
from tidelake.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


def waiting_in(catalog: Catalog, inbox: Inbox) -> int:
    """Costs a load of the table. Raises `UnavailableError` where the catalog does not answer."""
    held = positions(load_table(catalog, EVENTS.table).properties)
    return sum(max(mark - held.get(stream, 0), 0) for stream, mark in inbox.marks().items())


def records_waiting(settings: Settings, database_url: str) -> int:
    """What waits when no collector runs any more, also one that was killed; raises as `waiting_in`.

    `DamagedError` on a bad lane.
    """
    inbox = Inbox(settings.home, open_disk())
    with closing(catalog_of(settings, database_url)) as catalog:
        inbox.recover()  # a collector that was killed leaves marks that are lost or old
        return waiting_in(catalog, inbox)
