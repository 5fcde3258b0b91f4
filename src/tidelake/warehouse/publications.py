"""The published gold files, each a row before any reader is led to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from tidelake.warehouse.session import Connection, Session

COLUMNS = "version, to_load_id, generation, published_at, events, bytes, file, models"

INSERT = """
insert into tidelake.publications
(version, to_load_id, generation, published_at, events, bytes, file, models)
values
(
    %(version)s, %(to_load_id)s, %(generation)s, %(published_at)s, %(events)s, %(bytes)s, %(file)s,
    %(models)s
)
on conflict (version) do nothing
returning version
"""


@dataclass(frozen=True, slots=True)
class Publication:
    """One gold file: up to which load it stands, from which generation of silver it was made.

    `events` are the events counted in it, `file` its name in the gold folder, `models` the
    fingerprint of the models that made it, None where an older tidelake published it.
    """

    version: int
    to_load_id: int
    generation: int
    published_at: datetime
    events: int
    bytes: int
    file: str
    models: str | None = None


class Publications:
    """The table `tidelake.publications`.

    `target` is a URL, or a connection whose transaction it joins. Raises UnavailableError when
    the database does not answer.
    """

    def __init__(self, target: str | Connection) -> None:
        self._session = Session(target)

    def insert(self, publication: Publication) -> bool:
        """Claims the version; False where another run has published one of that number."""
        row = asdict(publication)
        return self._session.run(
            lambda connection: connection.execute(INSERT, row).fetchone() is not None
        )

    def get(self, version: int) -> Publication | None:
        query = f"select {COLUMNS} from tidelake.publications where version = %s"
        return self._find(query, (version,))

    def latest(self) -> Publication | None:
        query = f"select {COLUMNS} from tidelake.publications order by version desc limit 1"
        return self._find(query, ())

    def prune(self, before: datetime) -> int:
        """Forgets publications before then, but for the latest; gives their number."""
        query = (
            "delete from tidelake.publications where published_at < %s "
            "and version < (select max(version) from tidelake.publications)"
        )
        return self._session.run(lambda connection: connection.execute(query, (before,)).rowcount)

    def close(self) -> None:
        """Close the connection, if this object opened it."""
        self._session.close()

    def _find(self, query: str, values: tuple[int, ...]) -> Publication | None:
        row = self._session.run(
            lambda connection: connection.execute(query.encode(), values).fetchone()
        )
        return None if row is None else Publication(*row)
