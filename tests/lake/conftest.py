"""Lakes in a temporary folder, and ranges of made-up records to commit to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from tests.records import NOON, STREAM, event, reject, rows_of

from tidelake.batch import Encoded
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.lake.catalog import open_catalog
from tidelake.lake.commit import Committer
from tidelake.lake.parquet import encode
from tidelake.lake.tables import create_tables, load_table
from tidelake.lake.writer import StoredRange, Writer


def stored_range(
    events: Table,
    rejects: Table,
    first: int,
    last: int,
    *,
    stream: str = STREAM,
    bad: Iterable[int] = (),
    judged: Iterable[int] = (),
    at: datetime = NOON,
) -> StoredRange:
    """Records `first..last`, stored: `bad` ones as rejects, those in `judged` not at all."""
    numbers = set(range(first, last + 1)) - set(judged)
    rejected = sorted(numbers & set(bad))
    good = sorted(numbers - set(bad))
    files = encode(rows_of(EVENTS, [event(stream, n, at) for n in good]), EVENTS)
    files += encode(rows_of(REJECTED, [reject(stream, n) for n in rejected]), REJECTED)
    encoded = Encoded(
        stream=stream,
        first=first,
        last=last,
        files=files,
        events=len(good),
        rejected={"not_json": len(rejected)} if rejected else {},
        damaged=0,
        raw_bytes=100 * (last - first + 1),
    )
    return Writer.for_tables(events, rejects).store(encoded)


@dataclass
class Lake:
    """A lake with both tables, and what a test does with it."""

    url: str
    warehouse: Path
    catalog: Catalog = field(init=False)
    opened: list[Catalog] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.catalog = self.open()
        create_tables(self.catalog)

    def open(self) -> Catalog:
        self.opened.append(open_catalog("sql", self.warehouse.as_uri(), self.url))
        return self.opened[-1]

    def close(self) -> None:
        for catalog in self.opened:
            catalog.close()

    def committer(self, **options: Any) -> Committer:
        made = Committer(self.open(), **{"sleep": lambda _: None, **options})
        made.start_positions()
        return made

    @property
    def events(self) -> Table:
        return load_table(self.catalog, "events")

    @property
    def rejects(self) -> Table:
        return load_table(self.catalog, "rejected_events")

    def numbers(self, table: str = "events", stream: str = STREAM) -> list[int]:
        """Record numbers of a stream in a table, sorted, repeats kept."""
        rows = load_table(self.catalog, table).scan(selected_fields=("source_position",)).to_arrow()
        split = (p.rpartition("/") for p in rows.column("source_position").to_pylist())
        return sorted(int(number) for of, _, number in split if of == stream)

    def range(self, first: int, last: int, **options: Any) -> StoredRange:
        return stored_range(self.events, self.rejects, first, last, **options)

    @staticmethod
    def as_stream(one: StoredRange, stream: str, first: int) -> StoredRange:
        """The same files as a range of another stream, as a replay gives them."""
        last = first + one.last - one.first
        return replace(one, stream=stream, first=first, last=last)

    def store_and_commit(
        self, contract: Contract, rows: pa.Table, last: int, stream: str = STREAM
    ) -> None:
        """Commits rows as they are, as the records `1..last` of a stream."""
        files = encode(rows, contract)
        encoded = Encoded(stream, 1, last, files, rows.num_rows, {}, 0, 100 * last)
        stored = Writer.for_tables(self.events, self.rejects).store(encoded)
        self.committer().commit([stored])


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """A lake whose catalog is SQLite: the same code, and a start that costs nothing."""
    made = Lake(f"sqlite:///{tmp_path}/catalog.db", tmp_path / "lake")
    yield made
    made.close()


@pytest.fixture
def postgres_lake(tmp_path: Path, database_url: str) -> Iterator[Lake]:
    made = Lake(database_url, tmp_path / "lake")
    yield made
    made.close()


@pytest.fixture
def make_lake(tmp_path: Path) -> Iterator[Callable[[str], Lake]]:
    """Makes a lake whose catalog is at a URL."""
    made: list[Lake] = []

    def of(url: str) -> Lake:
        made.append(Lake(url, tmp_path / "lake"))
        return made[-1]

    yield of
    for lake in made:
        lake.close()


@pytest.fixture
def make_range() -> Callable[..., StoredRange]:
    return stored_range


@pytest.fixture
def make_rows() -> Callable[[Contract, Sequence[dict[str, Any]]], pa.Table]:
    return rows_of


@pytest.fixture
def make_event() -> Callable[..., dict[str, Any]]:
    return event


@pytest.fixture
def today() -> date:
    return NOON.date()
