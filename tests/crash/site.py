"""One home with the pipeline's real processes: started, killed at a named point, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock
from urllib.request import urlopen

import psutil

from tidelake.batch import Take
from tidelake.files import Disk
from tidelake.inbox import Inbox, LaneWriter, Records, SegmentLimits
from tidelake.lake.commit import Committer
from tidelake.lake.writer import StoredRange
from tidelake.pipeline import ingest_files
from tidelake.pipeline.collect import collector_url, run_folder
from tidelake.pipeline.encode import Encoder
from tidelake.pipeline.ingest import encoder_of
from tidelake.pipeline.lake import recover
from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.pipeline.loop import Loop, Pace
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Lake as LakeSettings
from tidelake.settings import Postgres, Settings
from tidelake.sources.inbox import InboxSource
from tidelake.warehouse.databases import fresh_database

from .clients import Clients
from .compare import Comparison, Lake, Sent, compare, read_lake
from .supply import Supply

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60.0
POLL_S = 0.02
DAY_S = 86_400.0

# A small pipeline: many segments, takes, files and commits of few records.
SMALL = {
    "TIDELAKE_COLLECT_PORT": "0",
    "TIDELAKE_PROCESS_WORKERS": "1",
    "TIDELAKE_INBOX_SEGMENT_BYTES": "30000",
    "TIDELAKE_INBOX_MIN_FREE_BYTES": "0",
    "TIDELAKE_LAKE_COMMIT_INTERVAL_S": "0.05",
    "TIDELAKE_LAKE_QUIET_INTERVAL_S": "0.05",
    "TIDELAKE_LAKE_BATCH_BYTES": "60000",
    "TIDELAKE_CARE_INTERVAL_S": "0.2",
    "TIDELAKE_CARE_MIN_FILES": "2",
}


class NeverHappened(Exception):
    """Something that a scenario waits for did not come: it shows nothing either way."""


def until(true: Callable[[], object], what: str, *told_by: Child, within_s: float = WAIT_S) -> None:
    """Waits until something is so; where it does not become so, tells what the processes said."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            logs = [f"not within {within_s:.0f} s: {what}", *(child.said() for child in told_by)]
            raise NeverHappened("\n".join(logs))
        time.sleep(POLL_S)


@dataclass
class Child:
    """A process of ours and all that it started, in a group of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self, within_s: float = WAIT_S) -> int:
        """Exit code, once it has ended by itself."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise NeverHappened(f"still runs after {within_s:.0f} s:\n{self.said()}") from None

    def stopped(self) -> bool:
        """Whether it has stopped itself (SIGSTOP)."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        return False

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        if not self.ended():
            self.process.send_signal(with_signal)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL to it and to whatever it left behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(WAIT_S)

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")[-3000:]


class Inline:
    """Encodes at once, in this process; the loop around it is the pipeline's own."""

    def __init__(self, encoder: Encoder, _count: int = 1) -> None:
        self._encoder = encoder

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""

    def submit(self, take: Take, judged: frozenset[int]) -> Future[StoredRange]:
        future: Future[StoredRange] = Future()
        future.set_result(self._encoder(take, judged))
        return future


@dataclass
class Site:
    """A home, its database, and everything that was sent to it.

    `also` are environment variables of every process; `program` is what stands for `tidelake`.
    """

    home: Path
    database_url: str
    supply: Supply
    admin_url: str = ""
    warehouse: Path | None = None
    logs: Path | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = ("-m", "tidelake")
    sent: Sent = field(default_factory=Sent)
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clients = Clients(self.supply, self.sent)

    @property
    def settings(self) -> Settings:
        """What this test's process needs of them; the children read their own."""
        lake = LakeSettings(warehouse=str(self.warehouse or ""))
        return Settings(home=self.home, postgres=Postgres(url=self.database_url), lake=lake)

    def environment(self, crash_at: str = "", **more: str) -> dict[str, str]:
        given = {
            # A start costs a third when modules need not be compiled again for each.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(ROOT / ".cache" / "pycache"),
            "TIDELAKE_TEST_DISK": "volatile",
            "TIDELAKE_POSTGRES_URL": self.database_url,
            "TIDELAKE_CRASH_AT": crash_at,
            "TIDELAKE_LAKE_WAREHOUSE": str(self.warehouse or ""),
        }
        return {**os.environ, **SMALL, **given, **self.also, **more}

    def start(self, *arguments: str, crash_at: str = "", **more: str) -> Child:
        """`tidelake --home HOME …`."""
        self.home.mkdir(parents=True, exist_ok=True)
        folder = self.logs or self.home.parent
        log = folder / f"{self.home.name}-{len(self.children)}-{arguments[0]}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *self.program, "--home", str(self.home), *arguments],
                env=self.environment(crash_at, **more),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.children.append(Child(process, log))
        return self.children[-1]

    def start_ingest(self, crash_at: str = "", **more: str) -> Child:
        return self.start("run", "ingest", crash_at=crash_at, **more)

    def launch_collector(self, crash_at: str = "", **more: str) -> Child:
        (run_folder(self.home) / "url").unlink(missing_ok=True)
        return self.start("run", "collect", crash_at=crash_at, **more)

    def start_collector(self, **more: str) -> Child:
        """The collector, once it answers."""
        child = self.launch_collector(**more)
        until(lambda: child.ended() or self.answers(), "the collector answers", child)
        assert not child.ended(), child.said()
        return child

    @contextmanager
    def collector(self) -> Iterator[str]:
        """A collector that is not killed; its URL."""
        child = self.start_collector()
        yield self.url or ""
        assert child.stop() == 0, child.said()

    @property
    def url(self) -> str | None:
        return collector_url(self.home)

    def answers(self) -> bool:
        with suppress(OSError, ValueError), urlopen(f"{self.url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    @contextmanager
    def lakehouse(self) -> Iterator[Lakehouse]:
        opened = attach(self.settings, self.database_url)
        try:
            yield opened
        finally:
            opened.catalog.close()

    def accept(self, records: list[bytes], a_frame: int = 10) -> None:
        """Makes records durable in the inbox without a collector, frame by frame."""
        lane = LaneWriter.claim(self.home, Disk(), SegmentLimits(segment_bytes=20_000))
        for begin in range(0, len(records), a_frame):
            bodies = records[begin : begin + a_frame]
            lane.append_and_wait(Records(bodies, b"{}", time.time_ns() // 1000))
            self.sent.acknowledge(bodies)
        lane.close()

    def sweep(self) -> None:
        """Retention, as if its time had come: segments go that were released."""
        Inbox(self.home, Disk()).sweep(time.time() + DAY_S, 0)

    def lose_the_database(self) -> None:
        """An empty one takes its place; the lake is found again by its version hints."""
        fresh_database(self.admin_url, "test", self.database_url)
        recover(self.settings)

    def drain(self, within_s: float = WAIT_S, disk: Disk | None = None) -> None:
        """Brings what the inbox holds to the lake, by the pipeline's own loop, in this process."""
        with self.lakehouse() as lakehouse:
            loop = Loop(
                InboxSource(self.home, disk or Disk()),
                Committer(lakehouse.catalog),
                Inline(encoder_of(lakehouse)),
                Pace(0, 0),
                time.monotonic,
            )
            loop.drain()
            deadline = time.monotonic() + within_s
            while not loop.idle:
                if time.monotonic() > deadline:
                    raise NeverHappened("the inbox can not be drained")
                loop.turn()

    def ingest(self, files: Sequence[str]) -> None:
        """`tidelake ingest FILE…` to its end, in this process."""
        with (
            mock.patch.object(ingest_files, "ProcessWorkers", Inline),
            self.lakehouse() as lakehouse,
        ):
            results = ingest_files.ingest_files(lakehouse, files, Stop())
        assert all(result.whole for result in results)

    def marks(self) -> dict[str, int]:
        """The last accepted record of each lane, as its segments say."""
        inbox = Inbox(self.home, Disk())
        inbox.recover()
        return dict(inbox.marks())

    def lake(self) -> Lake:
        return read_lake(self.database_url, self.warehouse or self.home / "lake")

    def position(self) -> int:
        """Records of the inbox that the lake holds."""
        return sum(self.lake().position(stream) for stream in self.marks())

    def compare(self, damaged: int = 0, marks: Mapping[str, int] | None = None) -> Comparison:
        """The lake against what was sent; the inbox must be drained."""
        return compare(self.lake(), self.sent, self.marks() if marks is None else marks, damaged)

    def stop(self) -> None:
        """Nothing of ours runs any more."""
        for child in self.children:
            child.kill()
