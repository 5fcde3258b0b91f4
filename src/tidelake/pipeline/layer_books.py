"""The books of raw, silver and gold, from their ledgers."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.observe.layer_books import GoldBooks, LayerBooks, RawBooks, SilverBooks
from tidelake.warehouse.layer_sums import Published, Sums, Windows, read_sums
from tidelake.warehouse.session import Connection


@dataclass
class LedgerBooks:
    """Reads the books again and again; each time only what came since."""

    _windows: Windows = field(default_factory=Windows)

    def read(self, connection: Connection) -> LayerBooks:
        """Raises psycopg's errors."""
        sums = read_sums(connection, self._windows)
        self._windows = sums.windows
        return books_of(sums)


def books_of(sums: Sums) -> LayerBooks:
    events = RawBooks(EVENTS.table, *sums.totals.get(EVENTS.table, ()))
    rejects = RawBooks(REJECTED.table, *sums.totals.get(REJECTED.table, ()))
    windows = sums.windows
    silver = SilverBooks(
        to_load_id=windows.to_load_id,
        loaded=events.loaded - sums.events_ahead,
        raw_rows=windows.raw_rows,
        new_events=windows.new_events,
        repeats=windows.repeats,
        rejects_loaded=rejects.loaded - sums.rejects_ahead,
        rejects=windows.rejected,
        uneven_windows=windows.uneven,
        removed=sums.removed,
    )
    gold = _gold(sums, sums.published) if sums.published else None
    return LayerBooks(events, rejects, silver, gold)


def _gold(sums: Sums, published: Published) -> GoldBooks:
    same = published.generation == sums.windows.generation
    expected = sums.windows.new_events - sums.unpublished if same else None
    return GoldBooks(published.version, published.to_load_id, published.events, expected)
