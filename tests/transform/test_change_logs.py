"""Silver's logs of changes stay as short as what they tell of, and gold is the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.silver.stand import LOAD_DAY, processed
from tests.silver.test_windows import lines

from tidelake.batch import Processed
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transform_once import rebuild_gold
from tidelake.pipeline.transformer import Transformer
from tidelake.pipeline.warehouse import Warehouse
from tidelake.warehouse.raw.copying import as_loaded, copy_into
from tidelake.warehouse.raw.tables import ensure_partition, ensure_raw
from tidelake.warehouse.session import connect

LOADS = 6

#: What says when a version was made, or of what the ledgers hold besides events.
OF_THE_MAKING = ("publication", "pipeline_health", "books")


def load(url: str, done: Processed) -> None:
    """The rows of events as the next load, with its row in the ledger."""
    (batch,) = done.events.combine_chunks().to_batches()
    with connect(url) as connection, connection.transaction():
        row = connection.execute(
            "update tidelake.load_counter set last = last + 1 returning last"
        ).fetchone()
        assert row is not None
        connection.execute(
            "insert into tidelake.loads (load_id, table_name, file_path, sequence_number, rows,"
            " load_day) values (%s, 'events', %s, %s, %s, %s)",
            (row[0], f"file-{row[0]}", row[0], batch.num_rows, LOAD_DAY),
        )
        copy_into(connection, "events", [as_loaded(batch, row[0], 1, LOAD_DAY)])


def everything(transformer: Transformer) -> dict[str, list[str]]:
    """All that the published gold answers with."""
    version = transformer.folder.current()
    assert version is not None
    with duckdb.connect(str(transformer.folder.file(version)), read_only=True) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'gold'"
        ).fetchall()
        return {
            name: sorted(
                repr(tuple(round(v, 6) if isinstance(v, float) else v for v in row))
                for row in connection.execute(f"from gold.{name}").fetchall()
            )
            for (name,) in names
            if name not in OF_THE_MAKING
        }


def asked(url: str, query: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def site(warehouse: Warehouse) -> Iterator[Transformer]:
    """The whole project over raw tables."""
    with connect(warehouse.owner_url or "") as connection:
        for contract in (EVENTS, REJECTED):
            ensure_raw(connection, contract)
            ensure_partition(connection, contract.table, LOAD_DAY)
    with closing(Transformer(warehouse, Stop())) as made:
        yield made


def test_gold_made_anew_of_shortened_logs_is_the_same(site: Transformer, tmp_path: Path) -> None:
    url = site.warehouse.owner_url or ""
    made = lines(seed=11)[:900]
    random.Random(11).shuffle(made)
    parts = [processed(made[at :: LOADS + 1]) for at in range(LOADS + 1)]
    for part in parts[:LOADS]:
        load(url, part)
        site.cycle()
    (before,) = asked(url, "select count(*), max(load_id) from silver.session_changes")
    sums = (
        "select (select sum(sign) from silver.session_changes),"
        " (select sum(sign * events) from silver.session_changes),"
        " (select sum(sign) from silver.visitor_week_changes)"
    )
    summed, gold = asked(url, sums), everything(site)

    # What the oldest version that is kept still has to take must stay.
    site.folder.remove_version(1)
    assert site.compact()
    assert not site.compact()
    assert asked(url, "select to_load_id from tidelake.windows where compacted") == [(1,), (2,)]
    oldest = Path(shutil.copy(site.folder.file(2), tmp_path / "oldest"))
    for version in range(2, LOADS):
        site.folder.remove_version(version)
    while site.compact():
        pass

    assert asked(url, sums) == summed
    (after,) = asked(url, "select count(*), max(load_id) from silver.session_changes")
    assert after[1] == before[1]
    assert after[0] == asked(url, "select count(*) from silver_pii.sessions")[0][0] < before[0]
    assert asked(url, "select distinct sign from silver.visitor_week_changes") == [(1,)]
    rebuild_gold(site, lambda _: None)
    assert everything(site) == gold

    # What comes after goes on from it, also where no version is left but one of before.
    load(url, parts[LOADS])
    site.cycle()
    gold = everything(site)
    assert [one for one in site.test(after=3) if not one.passed] == []
    for version in site.folder.versions():
        site.folder.remove_version(version)
    shutil.copy(oldest, site.folder.file(2))
    site.cycle()
    assert everything(site) == gold
