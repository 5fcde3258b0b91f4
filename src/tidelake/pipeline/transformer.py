"""Silver and gold of one home, cycle by cycle: what the running part and the commands share.

A cycle makes one window of silver, then brings gold to silver's watermark and publishes it. It
works alone; whoever else wants to, by hand or on another machine, has its turn between two.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tidelake import files
from tidelake.errors import TidelakeError, TransientError
from tidelake.pipeline.alone import LEASE_S, alone, leased
from tidelake.pipeline.beside import beside
from tidelake.pipeline.gold import GoldMaker
from tidelake.pipeline.silver import SilverMaker
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.warehouse import Warehouse
from tidelake.transform.dbt import DbtTarget, ModelError, NodeResult, Progress, Target, Value
from tidelake.transform.environment import profile_environment
from tidelake.transform.gold import GoldFolder
from tidelake.transform.project import project_folder
from tidelake.transform.workfile import Standing
from tidelake.warehouse.change_logs import ChangeLogs
from tidelake.warehouse.data_tests import DataTest, DataTests
from tidelake.warehouse.lease import Lease
from tidelake.warehouse.session import connect
from tidelake.warehouse.windows import Window

log = logging.getLogger("tidelake.transform")

WORK = "transform"

#: Single windows and publications are shown for 30 days.
KEPT = timedelta(days=31)

BREAK_OFF = """
select pg_terminate_backend(pid)
from pg_stat_activity
where application_name = %s and usename = current_user and state <> 'idle'
"""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a cycle did: the window of silver and the gold that it published, where there were."""

    window: Window | None
    published: Standing | None

    def __str__(self) -> str:
        said = []
        if self.window:
            counts = f"{self.window.new_events:,} new events, {self.window.repeats:,} repeats"
            said.append(f"window {self.window}: {counts}")
        if self.published:
            at = self.published.to_load_id
            said.append(f"gold version {self.published.version} at load {at}")
        return "; ".join(said) or "nothing new"


class Transformer:
    """Makes silver and gold; within a `turn` it is the only one that does."""

    def __init__(self, warehouse: Warehouse, stop: Stop, progress: Progress = lambda *_: None):
        self.warehouse = warehouse
        self._stop = stop
        self._progress = progress
        self._broken_off = threading.Event()
        # Of a rebuild for other models that failed: why, and when it is tried again.
        self.rebuild_failed, self.rebuild_wait_s, self.rebuild_after = "", 0.0, 0.0
        self._tests = DataTests(warehouse.database_url)
        self._logs = ChangeLogs(warehouse.database_url)
        # 63 characters are kept of it.
        self._application = f"tidelake transform {socket.gethostname()[:24]} {os.getpid()}"
        url, transform = warehouse.database_url, warehouse.settings.transform
        self.folder = GoldFolder(warehouse.settings.home, files.open_disk())
        self.silver = SilverMaker(url, self.target("silver"), transform)
        self.gold = GoldMaker(url, self.target("gold"), transform, self.folder)

    def target(self, target: Target, suffix: str = "") -> DbtTarget:
        """A target of the project; `suffix` is that of the schemas of a silver beside this one."""
        fixed: dict[str, Value] = {"schema_suffix": suffix} if suffix else {}
        home, url = self.warehouse.settings.home, self.warehouse.database_url
        memory = self.warehouse.settings.transform.memory_bytes
        environment = profile_environment(url, self.folder.work, self._application, memory)
        return DbtTarget(
            project_folder(),
            home / "dbt",
            target,
            environment,
            fixed,
            progress=self._progress,
            broken_off=self._broken_off.is_set,
        )

    def news(self) -> bool:
        """Whether raw is ahead of silver, or silver of gold, whoever made either."""
        return self.silver.windows.news() or self.gold.behind()

    def cycle(self, silver: bool = True, gold: bool = True) -> Cycle:
        """Makes one window and publishes. Raises `ModelError`; readers then see its message.

        Either layer can be left out. Nothing is done where it was told to stop before its turn.
        """
        with self.turn() as ours:
            window = self._window() if ours and silver else None
            return Cycle(window, self._published() if ours and gold else None)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Waits until nobody else transforms; False where it was told to stop meanwhile."""
        home, url = self.warehouse.settings.home, self.warehouse.database_url
        with alone(home, WORK, self._stop) as ours:
            if not ours:
                yield False
                return
            with leased(url, WORK, home, self._stop) as lease, _renewed(lease):
                yield not self._stop

    def pause(self, seconds: float) -> bool:
        """Waits; True, at once, where it is told to stop."""
        return self._stop.wait(seconds)

    def test(self, after: int = 0) -> list[DataTest]:
        """Runs the data tests of both layers and keeps what they said.

        In silver those that look at single rows look at rows of loads beyond `after`.
        """
        with self.turn() as ours:
            last = self.silver.windows.last_done() if ours else None
            if last is None:
                return []
            found = self._judged("silver", self.silver.test(last, after))
            return found + self._judged("gold", self.gold.test())

    def tidy(self, now: datetime) -> None:
        """Keeps the ledgers of windows and publications short."""
        rows = self.warehouse.settings.transform.window_rows
        with self.turn() as ours:
            if ours:
                self.silver.windows.merge(now - KEPT, rows)
                self.gold.forget(now - KEPT)

    def compact(self) -> bool:
        """Shortens silver's logs of changes by some windows; False where there is nothing to do."""
        with self.turn() as ours:
            rows = self.warehouse.settings.transform.window_rows
            gone = self._logs.compact(self.folder.versions(), rows) if ours else None
        if gone:
            log.info("%d rows of silver's logs took each other back, and are gone", gone)
        return gone is not None

    def tell_readers(self, trouble: str) -> None:
        """Shows readers of gold what keeps news from them."""
        with self.turn() as ours:
            if ours:
                self._said(self.gold.say, " ".join(trouble.split()))

    def tested(self) -> list[DataTest]:
        """What the data tests said when they ran last."""
        return self._tests.all()

    def break_off(self) -> None:
        """Ends the queries of this process in PostgreSQL; for a thread beside the one that waits.

        What fails from now on counts as `Interrupted`, since it will be made again.

        dbt tries so too, but as silver_owner, who may not end those of its own login.
        """
        self._broken_off.set()
        with connect(self.warehouse.database_url) as connection:
            connection.execute(BREAK_OFF, (self._application,))

    def close(self) -> None:
        self.silver.close()
        self.gold.close()
        self._tests.close()
        self._logs.close()

    def _window(self) -> Window | None:
        try:
            return self.silver.make_window()
        except ModelError as exc:
            self._said(self.gold.catch_up, _trouble(exc))
            raise

    def _published(self) -> Standing | None:
        try:
            return self.gold.catch_up()
        except ModelError as exc:
            self._said(self.gold.say, _trouble(exc))
            raise

    def _said(self, publish: Callable[[str], object], trouble: str) -> None:
        """Shows readers the trouble; what goes wrong with that must not hide the trouble."""
        try:
            publish(trouble)
        except TidelakeError as exc:
            log.warning("readers can not be told of it: %s", exc)

    def _judged(self, layer: Target, results: list[NodeResult]) -> list[DataTest]:
        now = datetime.now(UTC)
        tests = [
            DataTest(layer, one.name, one.status, one.failures, one.message, now) for one in results
        ]
        self._tests.replace(layer, tests)
        return tests


@contextmanager
def transformer(
    warehouse: Warehouse, stop: Stop, progress: Progress = lambda *_: None
) -> Iterator[Transformer]:
    """A transformer whose connections are closed at the end."""
    with closing(Transformer(warehouse, stop, progress)) as made:
        yield made


def _trouble(exc: ModelError) -> str:
    """One line for readers; dbt says where it happened first, and then what."""
    lines = [line.strip() for line in exc.said.splitlines() if line.strip()]
    what = lines[min(1, len(lines) - 1)] if lines else "no message"
    return f"the model {exc.model} of {exc.target} fails: {what}"


@contextmanager
def _renewed(lease: Lease) -> Iterator[None]:
    """Renews the lease while a long cycle runs. One that is lost costs work in vain, no more."""

    def renew(ended: threading.Event) -> None:
        while not ended.wait(LEASE_S / 3):
            try:
                lease.renew()
            except TransientError as exc:
                log.warning("the lease of %s can not be renewed: %s", WORK, exc.message)

    with beside("lease", renew):
        yield
