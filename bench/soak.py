"""Half an hour of `tidelake up --generate RATE` on a fresh home: does anything grow?"""

from __future__ import annotations

import statistics as numbers
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench import processes
from bench.home import fresh_home
from bench.running import drain, parts_of, running
from tidelake.lake.statistics import statistics
from tidelake.lake.tables import load_table
from tidelake.pipeline.books import look
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.settings import Settings

SAMPLE_S = 30.0
SETTLED_MIN = 5.0  # memory is compared with what it was then
COMPARED = 5  # samples whose median is a figure: one alone may fall into a compaction

MOST_SNAPSHOTS = 160
MOST_METADATA_BYTES = 20_000_000
MOST_DAY_FILES = 60
MOST_GROWTH = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment; memory is in bytes, by part."""

    minute: float
    accepted: int
    waiting: int
    wrong: list[str]
    snapshots: int  # of the table that has more
    metadata_bytes: int  # of both tables
    day_files: int  # live files of the day partition that has most
    rss: Mapping[str, int]
    pss: Mapping[str, int]
    cpu_s: Mapping[str, float]

    @property
    def resident(self) -> int:
        """Bytes in all parts, each shared page once."""
        return sum(self.pss.values())


@dataclass(frozen=True, slots=True)
class Soak:
    """A whole run; `drained` are the books after the pipeline was told to stop."""

    rate: float
    samples: list[Sample]
    drained: Mapping[str, int]

    def growth(self, of: Callable[[Sample], float] = lambda sample: sample.resident) -> float:
        """Share by which something grew from minute 5 to the end."""
        settled = [of(s) for s in self.samples if s.minute >= SETTLED_MIN]
        before = numbers.median(settled[:COMPARED])
        return numbers.median(settled[-COMPARED:]) / before - 1

    def verdicts(self) -> Iterator[tuple[str, float, float, bool]]:
        """Name, figure, bound and whether it is kept, of everything that must not grow."""
        settled = [s for s in self.samples if s.minute >= SETTLED_MIN]
        for name, figure, bound in (
            ("snapshots", max(s.snapshots for s in settled), MOST_SNAPSHOTS),
            ("metadata_bytes", max(s.metadata_bytes for s in settled), MOST_METADATA_BYTES),
            ("files_a_day", max(s.day_files for s in settled), MOST_DAY_FILES),
            ("memory_growth", self.growth(), MOST_GROWTH),
            ("wrong_books", sum(bool(s.wrong) for s in self.samples), 0),
            ("not_in_the_lake", self.drained["accepted"] - self.drained["in_lake"], 0),
        ):
            yield name, figure, bound, figure <= bound

    def figures(self) -> dict[str, float]:
        found = {f"soak.{name}": figure for name, figure, _, _ in self.verdicts()}
        last = self.samples[-1]
        found |= {"soak.minutes": last.minute, "soak.rate": self.rate}
        found |= {f"soak.memory_mb.{part}": size / 1e6 for part, size in last.pss.items()}
        found["soak.memory_mb"] = last.resident / 1e6
        found["soak.accepted"] = last.accepted
        seconds = last.minute * 60
        cores = {f"soak.cores.{part}": used / seconds for part, used in last.cpu_s.items()}
        return found | cores

    def document(self) -> dict[str, Any]:
        return {"samples": [asdict(sample) for sample in self.samples]}


def soak(minutes: float, rate: float, say: Callable[[str], None]) -> Soak:
    """Runs the pipeline for so long at `rate` events a second, and looks every half minute."""
    with fresh_home() as home:
        settings = Settings(home=home)
        with running(home, rate) as pipeline:
            with opened(settings) as lakehouse:
                samples = list(_watched(pipeline, lakehouse, minutes, say))
            drain(pipeline)
        with opened(settings) as lakehouse:
            books = look(lakehouse).books
        return Soak(rate, samples, {"accepted": books.total_accepted, "in_lake": books.accounted})


def _watched(
    pipeline: subprocess.Popen[bytes],
    lakehouse: Lakehouse,
    minutes: float,
    say: Callable[[str], None],
) -> Iterator[Sample]:
    began = time.monotonic()
    say(HEADER)
    for number in range(1, round(minutes * 60 / SAMPLE_S) + 1):
        time.sleep(max(began + number * SAMPLE_S - time.monotonic(), 0))
        if pipeline.poll() is not None:
            raise RuntimeError(f"tidelake up ended with {pipeline.returncode}; see its log")
        found = sample(pipeline.pid, lakehouse, number * SAMPLE_S / 60)
        say(line(found))
        yield found


def sample(pid: int, lakehouse: Lakehouse, minute: float) -> Sample:
    """A look at the lake and at the processes below `pid`, a running `tidelake up`."""
    books = look(lakehouse).books
    names = ("events", "rejected_events")
    tables = [statistics(load_table(lakehouse.catalog, name)) for name in names]
    parts = parts_of(pid)
    memory = {name: processes.memory(part) for name, part in parts.items()}
    return Sample(
        minute=minute,
        accepted=books.total_accepted,
        waiting=books.waiting,
        wrong=[finding.sentence for finding in books.wrong()],
        snapshots=max(table.snapshots for table in tables),
        metadata_bytes=sum(table.metadata_bytes for table in tables),
        day_files=max((day.files for table in tables for day in table.days), default=0),
        rss={name: found.rss for name, found in memory.items()},
        pss={name: found.pss for name, found in memory.items()},
        cpu_s={name: processes.cpu_s(part) for name, part in parts.items()},
    )


HEADER = (
    "minute   accepted  waiting  snapshots  metadata MB  files a day  memory MB (PSS): all, by part"
)


def line(found: Sample) -> str:
    parts = "  ".join(f"{name} {size / 1e6:.0f}" for name, size in sorted(found.pss.items()))
    return (
        f"{found.minute:6.1f} {found.accepted:10,} {found.waiting:8,} {found.snapshots:10} "
        f"{found.metadata_bytes / 1e6:12.1f} {found.day_files:12}  {found.resident / 1e6:.0f}: "
        f"{parts}{'  WRONG: ' + found.wrong[0] if found.wrong else ''}"
    )
