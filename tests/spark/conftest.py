"""One lake, filled by the pipeline's own parts, for every engine to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from tidelake.batch import RAW_SCHEMA, RawBatch
from tidelake.generate import Chunk, GeneratorSpec, generate, spread_bad
from tidelake.lake.commit import Committer
from tidelake.pipeline.ingest import encoder_of
from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.settings import Settings
from tidelake.warehouse.databases import fresh_database

if TYPE_CHECKING:
    from tidelake.warehouse.server import EmbeddedPostgres

LINES = 20_000
COMMITS = 8
STREAM = "file/spark/0"
SPEC = GeneratorSpec(seed=7, users=2_000, count=LINES, bad=spread_bad(0.05), repeat=0.01)


@dataclass(frozen=True)
class Filled:
    """A lake and how many records were accepted into it."""

    lakehouse: Lakehouse
    lines: int


@pytest.fixture(scope="session")
def lake(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """Generated lines, bad ones among them, in several commits over two weeks of partitions."""
    url = fresh_database(postgres_server.admin_url, "spark", postgres_server.url)
    lakehouse = attach(Settings(home=tmp_path_factory.mktemp("lake")), url)
    encoder, committer = encoder_of(lakehouse), Committer(lakehouse.catalog)
    committer.start_positions()
    first = 1
    for lines in batches(list(generate(SPEC))):
        encoded = encoder.encode(RawBatch.contiguous(STREAM, first, records(lines)))
        committer.commit([encoder.writer.store(encoded)])
        first += len(lines)
    yield Filled(lakehouse, first - 1)
    lakehouse.catalog.close()


def batches(chunks: list[Chunk]) -> Iterator[list[bytes]]:
    lines = [line for chunk in chunks for line in bytes(chunk.data).splitlines()]
    size = -(-len(lines) // COMMITS)
    yield from (lines[at : at + size] for at in range(0, len(lines), size))


def records(lines: list[bytes]) -> pa.RecordBatch:
    """The lines as the collector would hand them on, received just after the last event."""
    received_at = SPEC.end + timedelta(seconds=1)
    row = {"envelope": b"{}", "received_at": received_at, "source": "file", "format": "native"}
    rows = [{"body": line, **row} for line in lines]
    return pa.RecordBatch.from_pylist(rows, schema=RAW_SCHEMA)


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parents[2]
