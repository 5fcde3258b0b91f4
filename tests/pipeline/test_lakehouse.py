"""What every command stands on is made once, however many commands start at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tidelake.pipeline.lakehouse import attach
from tidelake.settings import Settings

STARTERS = 6


def test_commands_that_start_at_once_on_an_empty_home_all_find_one_lake(
    home_settings: Settings,
) -> None:
    together = Barrier(STARTERS)

    def start(_: int) -> str:
        together.wait()
        lakehouse = attach(home_settings, home_settings.postgres.url)
        try:
            return lakehouse.catalog.load_table(("events_db", "events")).metadata_location
        finally:
            lakehouse.catalog.close()

    with ThreadPoolExecutor(STARTERS) as starters:
        found = set(starters.map(start, range(STARTERS)))

    assert len(found) == 1
