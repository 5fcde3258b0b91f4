"""What a gold file says of itself: which version it is, up to which load it stands, its events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tidelake.errors import DamagedError, UnavailableError

if TYPE_CHECKING:
    import duckdb

PUBLICATION = """
create schema if not exists gold;
create or replace table gold.publication (
    version bigint,
    from_load_id bigint,
    to_load_id bigint,
    published_at timestamptz,
    timezone text,
    trouble text
);
insert into gold.publication values
($version, $from_load_id, $to_load_id, $published_at, $timezone, $trouble)
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """The row of `gold.publication`; `trouble` says what failed when it was published, or ''."""

    version: int
    from_load_id: int
    to_load_id: int
    published_at: datetime
    timezone: str
    trouble: str


def standing(path: Path) -> Standing | None:
    """What the file says of itself; None where it is no gold file that can be read."""
    import duckdb

    try:
        with opened(path, read_only=True) as connection:
            row = connection.execute(
                "select version, from_load_id, to_load_id, published_at, timezone, trouble "
                "from gold.publication"
            ).fetchone()
    except (duckdb.Error, OSError):
        return None
    if row is None:
        return None
    version, from_load_id, to_load_id, published_at, timezone, trouble = row
    return Standing(version, from_load_id, to_load_id, published_at, timezone, trouble or "")


def stamp(path: Path, said: Standing) -> int:
    """Writes into the file what it says of itself; gives the events that it counts.

    Raises `DamagedError` where it holds no table of events by day, or a view that no reader could
    use, since it names the private file.
    """
    import duckdb

    values = {name: getattr(said, name) for name in said.__slots__}
    try:
        with opened(path) as connection:
            create, insert = PUBLICATION.rsplit("insert", 1)
            connection.execute(create)
            connection.execute(f"insert{insert}", values)
            events = connection.execute(
                "select coalesce(sum(events), 0)::bigint from gold.daily_traffic"
            ).fetchone()
            bound = connection.execute(
                "select view_name from duckdb_views() "
                "where not internal and sql ilike '%work.%' or sql ilike '%\"work\"%'"
            ).fetchall()
    except duckdb.Error as exc:
        raise DamagedError(f"the new gold can not be published: {exc}") from exc
    if bound:
        raise DamagedError(
            f"the view {bound[0][0]} of gold names the private file, which no reader has",
            hint="In its model write ref('…').include(database=false).",
        )
    return int(events[0]) if events else 0


def compact(path: Path) -> None:
    """Writes the file anew: after a hundred changes it is twice as large as it must be.

    Raises `UnavailableError` where that does not work, such as on a full disk.
    """
    import duckdb

    fresh = path.with_name(f"{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    quoted = str(fresh).replace("'", "''")
    try:
        with opened(path) as connection:
            connection.execute(f"attach '{quoted}' as fresh")
            connection.execute(f'copy from database "{path.stem}" to fresh')
            connection.execute("detach fresh")
    except duckdb.Error as exc:
        raise UnavailableError(
            f"{path} can not be written anew: {exc}", hint="Is there room on its disk?"
        ) from exc
    fresh.replace(path)


@contextmanager
def opened(path: Path, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file alone; at the end it is closed, and holds all that was written."""
    import duckdb

    connection = duckdb.connect(
        str(path),
        read_only=read_only,
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()
