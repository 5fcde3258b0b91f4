"""How many records are durable in the inbox and not in the lake yet."""

from __future__ import annotations

from tidelake.event.contract import EVENTS
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.lake.positions import positions
from tidelake.lake.tables import load_table
from tidelake.pipeline.lakehouse import catalog_of
from tidelake.settings import Settings


def records_waiting(settings: Settings, database_url: str) -> int:
    """Costs a load of the table; exact while no collector runs.

    Raises `UnavailableError` where the catalog does not answer, `DamagedError` on a bad lane.
    """
    catalog = catalog_of(settings, database_url)
    try:
        held = positions(load_table(catalog, EVENTS.table).properties)
    finally:
        catalog.close()
    inbox = Inbox(settings.home, open_disk())
    inbox.recover()  # a collector that was killed leaves marks that are lost or old
    return sum(max(mark - held.get(stream, 0), 0) for stream, mark in inbox.marks().items())
