"""The stages one by one, each in a process of its own: `python -m bench.stages STAGE FILE EVENTS`.

generate, decode (fast and slow) and write; what is read and prepared for them is not counted.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from bench.corpus import DECADES, Corpus, spec
from bench.measure import Cost, Figure, Stopwatch, figures, in_child, in_turns
from tidelake import files
from tidelake.batch import RawBatch
from tidelake.event.contract import EVENTS
from tidelake.event.schemas.arrow import arrow_schema
from tidelake.lake.parquet import encode
from tidelake.pipeline.generate import run
from tidelake.pipeline.rules import rules_of
from tidelake.process import process
from tidelake.settings import Settings
from tidelake.sources import FileSource

MOST = {"generate": 1_000_000, "decode": 200_000, "decode_slow": 20_000, "write": 200_000}


def measure(corpus: Corpus, rounds: int, say: Callable[[str], None]) -> dict[str, Figure]:
    """Every stage, in turns."""
    variants = {
        stage: _child(stage, corpus, min(corpus.events, most)) for stage, most in MOST.items()
    }
    found: dict[str, Figure] = {}
    for stage, costs in in_turns(variants, rounds, say).items():
        found |= figures(stage, costs)
    return found


def _child(stage: str, corpus: Corpus, events: int) -> Callable[[], Cost]:
    return lambda: in_child("bench.stages", stage, str(corpus.path), str(events))


def generate(watch: Stopwatch, _: Path, events: int) -> int:
    """Everything from the seed to the last byte in a file."""
    with tempfile.TemporaryDirectory(prefix="tidelake-bench-") as folder, watch:
        run(spec(events), str(Path(folder) / "events.ndjson"))
    return events


def decode(watch: Stopwatch, path: Path, events: int) -> int:
    """Raw records to the rows of both tables, by the fast decoder and what it leaves."""
    done, rules = 0, rules_of(Settings(), DECADES)
    process(next(batches(path, 1)), EVENTS, rules)
    for batch in batches(path, events):
        with watch:
            process(batch, EVENTS, rules)
        done += batch.records.num_rows
    return done


def decode_slow(watch: Stopwatch, path: Path, events: int) -> int:
    """The same by the slow decoder alone, which gives every verdict."""
    nothing = arrow_schema(EVENTS).empty_table()
    with patch("tidelake.process.stage.accept", lambda *_: (nothing, [])):
        return decode(watch, path, events)


def write(watch: Stopwatch, path: Path, events: int) -> int:
    """Rows to finished Parquet files with statistics, in memory."""
    done, rules = 0, rules_of(Settings(), DECADES)
    for batch in batches(path, events):
        table = process(batch, EVENTS, rules).events
        with watch:
            encode(table, EVENTS)
        done += table.num_rows
    return done


def batches(path: Path, events: int) -> Iterator[RawBatch]:
    """The first records of a file, as `tidelake ingest` takes them."""
    with (
        tempfile.TemporaryDirectory(prefix="tidelake-bench-") as home,
        closing(FileSource([str(path)], Path(home), files.open_disk())) as source,
    ):
        (stream,) = source.streams()
        for take in source.takes(stream, 0):
            if take.first > events:
                return
            yield take.read()


STAGES: dict[str, Callable[[Stopwatch, Path, int], int]] = {
    "generate": generate,
    "decode": decode,
    "decode_slow": decode_slow,
    "write": write,
}

if __name__ == "__main__":
    stage, path, events = sys.argv[1:]
    watch = Stopwatch()
    watch.tell(STAGES[stage](watch, Path(path), int(events)))
