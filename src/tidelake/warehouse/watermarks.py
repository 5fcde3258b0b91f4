"""How far each consumer of a lake table has read.

Care may rewrite only what every registered consumer has passed, so a consumer must be registered
before it reads and forgotten when it is given up, else it holds care back for ever.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from tidelake.warehouse.session import Connection, Session

REGISTER = """
insert into tidelake.consumers (table_name, consumer, sequence_number)
values (%s, %s, %s)
on conflict (table_name, consumer) do update
set
    sequence_number = excluded.sequence_number,
    updated_at = now()
"""

ALL = """
select table_name, consumer, sequence_number, updated_at
from tidelake.consumers
order by table_name, consumer
"""

LOWEST = "select min(sequence_number) from tidelake.consumers where table_name = %s"


class Watermark(NamedTuple):
    """One consumer of one table: every file at or below `sequence_number` has been read."""

    table: str
    consumer: str
    sequence_number: int
    updated_at: datetime


class Watermarks:
    """The table `tidelake.consumers`.

    `target` is a URL, or a connection whose transaction it joins: a loader moves its watermark
    in the transaction of its rows. Raises UnavailableError when the database does not answer.
    """

    def __init__(self, target: str | Connection) -> None:
        self._session = Session(target)

    def register(self, consumer: str, table: str, sequence_number: int) -> None:
        """Set the watermark, forwards or, for a consumer that starts over, backwards."""
        row = (table, consumer, sequence_number)
        self._session.run(lambda connection: connection.execute(REGISTER, row))

    def all(self) -> list[Watermark]:
        """Every watermark, by table and consumer."""
        rows = self._session.run(lambda connection: connection.execute(ALL).fetchall())
        return [Watermark(*row) for row in rows]

    def lowest(self, table: str) -> int | None:
        """The sequence number that every consumer of `table` has passed; None without any."""
        rows = self._session.run(lambda connection: connection.execute(LOWEST, (table,)).fetchall())
        lowest: int | None = rows[0][0]
        return lowest

    def forget(self, consumer: str) -> None:
        """Remove `consumer` from every table; nothing happens when it is unknown."""
        self._session.run(
            lambda connection: connection.execute(
                "delete from tidelake.consumers where consumer = %s", (consumer,)
            )
        )

    def close(self) -> None:
        """Close the connection, if this object opened it."""
        self._session.close()
