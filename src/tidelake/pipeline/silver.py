"""Silver, window by window: freezes one, runs its models, writes down what came of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from tidelake import crash
from tidelake.settings import Transform
from tidelake.transform.dbt import DbtTarget, ModelError, NodeResult, Value
from tidelake.transform.project import fingerprint
from tidelake.warehouse.session import Session
from tidelake.warehouse.windows import Silver, Window, Windows

log = logging.getLogger("tidelake.transform")

SILVER = "path:models/silver"

#: Tags of models: tables and views that a run only makes where they are missing, and what reads
#: rejected records and no event.
MADE_ONCE, OF_REJECTS = "tag:made_once", "tag:of_rejects"

#: Work tables that others read. PostgreSQL empties them when it comes up after a crash.
UNLOGGED = "config.unlogged:true"

#: What a window's loads became: events seen for the first time, and repeats of known ones.
MADE = """
select
    (
        select count(*) from silver_pii{suffix}.events
        where load_id > %(from_load_id)s and load_id <= %(to_load_id)s
    ),
    (
        select coalesce(sum(repeats), 0)::bigint from silver{suffix}.repeats
        where load_id > %(from_load_id)s and load_id <= %(to_load_id)s
    )
"""


class SilverMaker:
    """Makes silver from raw; `silver` is the one in use, or the next one that is built beside it.

    `dbt` is the target silver, parsed for the schemas of that silver. Not for several threads.
    """

    def __init__(
        self, database_url: str, dbt: DbtTarget, settings: Transform, silver: Silver = "in use"
    ) -> None:
        self._dbt = dbt
        self._settings = settings
        self._suffix = "" if silver == "in use" else "_next"
        self._session = Session(database_url)
        self._complete = False  # whether this process has run every model, and none failed since
        self.windows = Windows(database_url, silver)
        # Of now: dbt parses the project once, so what is edited later is not what runs.
        self.models = fingerprint(dbt.project, "silver")

    def parse(self) -> None:
        """Parses the project ahead of the first run. Raises `SetupError`."""
        self._dbt.parse()

    def make_window(self, generation: int = 1) -> Window | None:
        """Makes the next window, or the one that was not finished; None where there is no news.

        Raises `ModelError` where a model failed: the window then keeps its bounds and is made
        again by the next call. `generation` is that of a silver which has no window yet.
        """
        window = self.windows.begin(
            self._settings.window_rows, self._settings.timezone, generation, self.models
        )
        if window is None:
            return None
        crash.point("transform.window_begun")
        try:
            self._run(window)
        except ModelError as exc:
            self.windows.failed(window, exc.model, exc.said)
            raise
        crash.point("transform.silver_made")
        return self._done(window)

    def run_again(self, select: Sequence[str]) -> list[NodeResult]:
        """Runs chosen models, in dbt's words, once more for the last window: as good as before.

        Raises `ModelError`: the whole window is then made again by the next cycle.
        """
        window = self.windows.reopen()
        if window is None:
            return []
        try:
            found = self._dbt.run(self.values(window), (*select, UNLOGGED))
        except ModelError as exc:
            self.windows.failed(window, exc.model, exc.said)
            raise
        self._done(window)
        return found

    def test(self, window: Window, after: int = 0) -> list[NodeResult]:
        """Runs the data tests of silver, as it stands at the end of `window`.

        Those that look at single rows look at rows of loads beyond `after`.
        """
        return self._dbt.test({**self.values(window), "test_from_load_id": after})

    def values(self, window: Window) -> Mapping[str, Value]:
        """The vars of a run for `window`."""
        return {
            "from_load_id": window.from_load_id,
            "to_load_id": window.to_load_id,
            "timezone": window.timezone,
        }

    def close(self) -> None:
        self._session.close()
        self.windows.close()

    def _run(self, window: Window) -> None:
        """Runs the models that the window has something for.

        The first run of a process, and the one after a failure, are of every model: tables that a
        newer version adds, or that somebody has dropped, are made then.
        """
        complete, self._complete = self._complete, False
        events, rejects = self.windows.rows_of(window)
        if not complete:
            self._dbt.run(self.values(window))
        elif events:
            others = (MADE_ONCE,) if rejects else (MADE_ONCE, OF_REJECTS)
            # Whoever excludes names all that is to run: dbt forgets its default selector then.
            self._dbt.run(self.values(window), (SILVER,), exclude=others)
        elif rejects:
            self._dbt.run(self.values(window), (f"{OF_REJECTS},{SILVER}",))
        self._complete = True

    def _done(self, window: Window) -> Window:
        bounds = {"from_load_id": window.from_load_id, "to_load_id": window.to_load_id}
        query = MADE.format(suffix=self._suffix).encode()
        row = self._session.run(lambda connection: connection.execute(query, bounds).fetchone())
        new_events, repeats = row or (0, 0)
        done = self.windows.done(window, new_events, repeats)
        if done.raw_rows != new_events + repeats:
            log.error(
                "window %s: the loads brought %s rows, and silver has %d new events and %d "
                "repeats of them; `tidelake status --recount` names the layer at fault",
                done,
                done.raw_rows,
                new_events,
                repeats,
            )
        return done
