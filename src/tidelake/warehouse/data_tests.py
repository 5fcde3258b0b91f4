"""What the data tests of silver and gold said when they ran last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tidelake.warehouse.session import Connection, Session

PUT = """
insert into tidelake.data_tests (layer, test, status, failures, message, tested_at)
values (%s, %s, %s, %s, %s, %s)
"""

ALL = """
select layer, test, status, failures, message, tested_at
from tidelake.data_tests
order by layer desc, status = 'pass', test
"""


@dataclass(frozen=True, slots=True)
class DataTest:
    """One test: its status in dbt's words (`pass`, `fail`, `error`, `warn`), the rows it found."""

    layer: Literal["silver", "gold"]
    test: str
    status: str
    failures: int
    message: str
    tested_at: datetime

    @property
    def passed(self) -> bool:
        return self.status in ("pass", "warn")


class DataTests:
    """The table `tidelake.data_tests`.

    `target` is a URL, or a connection whose transaction it joins. Raises UnavailableError when
    the database does not answer.
    """

    def __init__(self, target: str | Connection) -> None:
        self._session = Session(target)

    def replace(self, layer: str, tests: Sequence[DataTest]) -> None:
        """Puts the results of a layer in the place of the last ones."""

        def put(connection: Connection) -> None:
            connection.execute("delete from tidelake.data_tests where layer = %s", (layer,))
            with connection.cursor() as cursor:
                cursor.executemany(
                    PUT,
                    [
                        (one.layer, one.test, one.status, one.failures, one.message, one.tested_at)
                        for one in tests
                    ],
                )

        self._session.run(put)

    def all(self) -> list[DataTest]:
        """Silver first, and in a layer first what did not pass."""
        rows = self._session.run(lambda connection: connection.execute(ALL).fetchall())
        return [DataTest(*row) for row in rows]

    def close(self) -> None:
        """Close the connection, if this object opened it."""
        self._session.close()
