"""The transform part: a cycle when there is news, the data tests once in a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tidelake.errors import SetupError, TidelakeError
from tidelake.observe import heartbeat
from tidelake.pipeline.beating import beating
from tidelake.pipeline.break_off import broken_off_by
from tidelake.pipeline.rebuild_silver import clear_left_over, rebuild_where_needed
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transformer import Cycle, Transformer, transformer
from tidelake.pipeline.warehouse import opened_warehouse
from tidelake.settings import Settings
from tidelake.transform.dbt import Interrupted, ModelError
from tidelake.warehouse.data_tests import DataTest

log = logging.getLogger("tidelake.transform")

PART = "transform"
LOOK_EVERY_S = 0.25  # between two looks for news: one query of an index each
# After trouble: a try that fails costs a second or two, and what waits for it is all the news.
LONGEST_WAIT_S = 60.0
UPKEEP_EVERY_S = 600.0


@dataclass
class Said:
    """What the heartbeat says."""

    values: dict[str, object] = field(
        default_factory=lambda: {
            "version": 0,
            "to_load_id": 0,
            "windows": 0,
            "cycle_s": 0.0,
            "trouble": "",
            "alert": "",
            "failed_model": "",
            "failed_tests": [],
        }
    )

    def now(self) -> dict[str, object]:
        return dict(self.values)

    def done(self, cycle: Cycle, seconds: float) -> None:
        windows = int(str(self.values["windows"])) + (cycle.window is not None)
        self.values |= {"windows": windows, "trouble": "", "failed_model": ""}
        if cycle.window or cycle.published:
            self.values["cycle_s"] = round(seconds, 2)
        if cycle.published:
            self.values["version"] = cycle.published.version
            self.values["to_load_id"] = cycle.published.to_load_id

    def alert(self, said: str) -> None:
        """What is to be known though cycles run; empty for nothing."""
        self.values["alert"] = said

    def failed(self, exc: TidelakeError) -> None:
        model = exc.model if isinstance(exc, ModelError) else ""
        self.values |= {"trouble": " ".join(exc.message.split()), "failed_model": model}

    def tested(self, tests: list[DataTest]) -> None:
        self.values["failed_tests"] = [one.test for one in tests if not one.passed]


def run(settings: Settings, stop: Stop) -> None:
    """Transforms until `stop`. Trouble is tried again, further and further apart.

    Raises `SetupError` where it can not even begin.
    """
    said = Said()
    try:
        with (
            beating(settings.home, PART, said.now),
            opened_warehouse(settings, "transform") as warehouse,
            transformer(warehouse, stop) as ours,
            broken_off_by(stop, ours.break_off),
        ):
            Live(ours, stop, said).run()
    except (Interrupted, KeyboardInterrupt):
        if not stop:
            raise
        log.info("the cycle under way was broken off; the next start makes it again")
    heartbeat.forget(settings.home, PART)


class Live:
    """The loop of the part: when to make a cycle, when to test, how long to wait after trouble."""

    def __init__(self, ours: Transformer, stop: Stop, said: Said) -> None:
        self._ours = ours
        self._stop = stop
        self._said = said
        self._interval_s = ours.warehouse.settings.transform.interval_s
        self._test_interval_s = ours.warehouse.settings.transform.test_interval_s
        self._next = self._began = time.monotonic()
        self._wait_s = 0.0  # after the trouble that is not over; 0: there is none
        self._began_well = False  # whether a cycle of this process came to its end
        self._tests_due = time.monotonic() + self._test_interval_s
        self._upkeep_due = time.monotonic()
        self._did_chore = True  # and no cycle since; so the first thing is a cycle
        self._tested_to = 0
        self._alert = ""  # what was said of silver last

    def run(self) -> None:
        self._parse()
        while not self._stop:
            try:
                self._turn()
            except Interrupted:
                raise
            except TidelakeError as exc:
                self._failed(exc)
            self._stop.wait(
                max(0.0, min(LOOK_EVERY_S, self._next - time.monotonic())) or LOOK_EVERY_S
            )

    def _turn(self) -> None:
        """A cycle, or what is overdue: one after the other where each would always find more."""
        chore = self._overdue()
        if chore and not (self._did_chore and self._cycle_due()):
            self._did_chore = True
            chore()
        elif self._cycle_due():
            self._did_chore = False
            self._cycle()

    def _overdue(self) -> Callable[[], None] | None:
        """What waits longest, so that neither keeps the other from its turn."""
        upkeep_first = self._upkeep_due < self._tests_due
        due = min(self._upkeep_due, self._tests_due)
        if time.monotonic() < due:
            return None
        return self._upkeep if upkeep_first else self._test

    def _cycle_due(self) -> bool:
        """The first one always: what a killed run left, or other settings, may be no news."""
        if time.monotonic() < self._next:
            return False
        return not self._began_well or self._wait_s > 0 or self._ours.news()

    def _parse(self) -> None:
        """Before the first news, so that they need not wait for it."""
        self._ours.silver.parse()
        self._ours.gold.parse()

    def _cycle(self) -> None:
        began = time.monotonic()
        self._require_sound_silver()
        cycle = self._ours.cycle()
        took = time.monotonic() - began
        self._said.done(cycle, took)
        if self._wait_s:
            log.info("the trouble is over")
        self._wait_s, self._began_well = 0.0, True
        # A window that is cut off at its limit has another one behind it.
        self._next = time.monotonic() if self._is_backlog(cycle) else began + self._interval_s
        if cycle.window or cycle.published:
            log.info("%s in %.1f s", cycle, took)

    def _require_sound_silver(self) -> None:
        def report(said: str) -> None:
            log.info("%s", said)
            self._said.alert(said)

        try:
            alert = rebuild_where_needed(self._ours, report, self._stop.__bool__)
            if alert and alert != self._alert:
                log.warning("%s", alert)
            self._alert = alert
        finally:
            self._said.alert(self._alert)  # how far a rebuild came is over with it

    def _is_backlog(self, cycle: Cycle) -> bool:
        if cycle.window is None:
            return False
        rows = (cycle.window.raw_rows or 0) + (cycle.window.rejected or 0)
        return 2 * rows >= self._ours.warehouse.settings.transform.window_rows

    def _test(self) -> None:
        self._tests_due = time.monotonic() + self._test_interval_s
        last = self._ours.silver.windows.last_done()
        tests = self._ours.test(self._tested_to)
        # The first tests of a process look at everything, those after them at what is new.
        self._tested_to = last.to_load_id if last else 0
        self._said.tested(tests)
        self._ours.tidy(datetime.now(UTC))
        for one in tests:
            if not one.passed:
                log.error("the data test %s of %s: %s", one.test, one.layer, one.message)

    def _upkeep(self) -> None:
        """A piece of what keeps silver small; the next one soon, but news come between."""
        self._upkeep_due = time.monotonic() + UPKEEP_EVERY_S
        clear_left_over(self._ours)
        if self._ours.compact():
            self._upkeep_due = time.monotonic()

    def _failed(self, exc: TidelakeError) -> None:
        """Says so and waits, twice as long each time; a setup may be mended meanwhile."""
        self._wait_s = min(max(self._interval_s, self._wait_s * 2), LONGEST_WAIT_S)
        self._next = time.monotonic() + self._wait_s
        self._said.failed(exc)
        level = logging.ERROR if isinstance(exc, ModelError | SetupError) else logging.WARNING
        log.log(level, "%s; trying again in %.0f s", exc, self._wait_s)
