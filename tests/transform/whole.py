"""The whole project over raw tables that a test fills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from tests.silver.stand import LOAD_DAY

from tidelake.batch import Processed
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transformer import Transformer
from tidelake.pipeline.warehouse import Warehouse
from tidelake.warehouse.raw.copying import as_loaded, copy_into
from tidelake.warehouse.raw.tables import ensure_partition, ensure_raw
from tidelake.warehouse.session import connect


class Whole(Transformer):
    """Silver and gold of the real models; `ran` are those that ran since it was emptied."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.ran: list[str] = []
        super().__init__(warehouse, Stop(), lambda model, *_: self.ran.append(model))
        self.url = warehouse.owner_url or ""

    def load(self, done: Processed) -> None:
        """The rows of both tables, each as a load with its row in the ledger."""
        for name, table in (("rejected_events", done.rejected), ("events", done.events)):
            for batch in table.combine_chunks().to_batches():
                with connect(self.url) as connection, connection.transaction():
                    row = connection.execute(
                        "update tidelake.load_counter set last = last + 1 returning last"
                    ).fetchone()
                    assert row is not None
                    connection.execute(
                        "insert into tidelake.loads (load_id, table_name, file_path,"
                        " sequence_number, rows, load_day) values (%s, %s, %s, %s, %s, %s)",
                        (row[0], name, f"file-{row[0]}", row[0], batch.num_rows, LOAD_DAY),
                    )
                    copy_into(connection, name, [as_loaded(batch, row[0], 1, LOAD_DAY)])

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def do(self, statement: str) -> None:
        with connect(self.url) as connection:
            connection.execute(statement.encode())


def whole(warehouse: Warehouse) -> Iterator[Whole]:
    with connect(warehouse.owner_url or "") as connection:
        for contract in (EVENTS, REJECTED):
            ensure_raw(connection, contract)
            ensure_partition(connection, contract.table, LOAD_DAY)
    with closing(Whole(warehouse)) as made:
        yield made
