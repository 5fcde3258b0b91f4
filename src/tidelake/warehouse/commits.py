"""One row per commit to the lake: what status, latency and the monitor are answered from.

The lake is the authority. A row may be missing after a crash; writing one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from tidelake.warehouse.session import Connection, Session


@dataclass(frozen=True)
class Commit:
    """One commit. Sizes in bytes: `bytes` of Parquet added, `raw_bytes` received behind it.

    `positions` maps a stream to the first and last row that the commit moved, inclusive.
    """

    commit_id: UUID
    table_name: str
    snapshot_id: int
    sequence_number: int
    operation: str
    committed_at: datetime
    prepared_at: datetime | None = None
    records: int = 0
    files: int = 0
    bytes: int = 0
    raw_bytes: int = 0
    positions: Mapping[str, tuple[int, int]] = field(default_factory=dict)


COLUMNS = [column.name for column in fields(Commit)]
INSERT = f"""
insert into tidelake.commits ({", ".join(COLUMNS)})
values ({", ".join(f"%({name})s" for name in COLUMNS)})
on conflict (commit_id) do nothing
returning commit_id
"""

SINCE = f"""
select {", ".join(COLUMNS)}
from tidelake.commits
where committed_at > %(since)s and (%(table)s::text is null or table_name = %(table)s)
order by committed_at, table_name, sequence_number
limit %(limit)s
"""

PRUNE = "delete from tidelake.commits where committed_at < %s"

#: Whoever reads the ledger looks back hours; for longer the snapshots' own summaries are kept.
KEPT = timedelta(days=30)


class CommitLedger:
    """The table `tidelake.commits`.

    `target` is a URL, or a connection whose transaction it joins. Raises UnavailableError when
    the database does not answer.
    """

    def __init__(self, target: str | Connection) -> None:
        self._session = Session(target)

    def insert(self, commit: Commit) -> bool:
        """Write one commit down; False when its id is already there, which is then kept."""
        row = asdict(commit) | {"positions": Jsonb(dict(commit.positions))}
        return self._session.run(
            lambda connection: connection.execute(INSERT.encode(), row).fetchone() is not None
        )

    def since(
        self, moment: datetime, table: str | None = None, limit: int | None = None
    ) -> list[Commit]:
        """Commits after `moment`, oldest first, of one table or of all, at most `limit`."""
        values = {"since": moment, "table": table, "limit": limit}
        rows = self._session.run(
            lambda connection: connection.execute(SINCE.encode(), values).fetchall()
        )
        return [_commit(row) for row in rows]

    def prune(self, now: datetime) -> int:
        """Remove the commits that are older than `KEPT` at `now`; gives their number."""
        return self._session.run(
            lambda connection: connection.execute(PRUNE, (now - KEPT,)).rowcount
        )

    def close(self) -> None:
        """Close the connection, if this object opened it."""
        self._session.close()


def _commit(row: tuple[Any, ...]) -> Commit:
    commit = dict(zip(COLUMNS, row, strict=True))
    positions = {stream: (first, last) for stream, (first, last) in commit["positions"].items()}
    return Commit(**commit | {"positions": positions})
