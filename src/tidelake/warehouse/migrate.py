"""Plain SQL migrations: the files of `migrations/`, applied in order, recorded, never edited.

Each runs in one transaction together with its record in `tidelake.migrations`, so a failing or
killed one leaves nothing, and under an advisory lock, so two starters are safe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources

import psycopg

from tidelake.errors import IncompatibleError, SetupError
from tidelake.warehouse.session import Connection, connect, describe

#: Any number works that every tidelake agrees on: "tidelake" in ASCII.
LOCK = int.from_bytes(b"tidelake", "big")

#: Held while a process makes what is missing outside the migrations, such as the catalog's tables.
SETUP_LOCK = LOCK + 1

RECORD_TABLE = """
create schema if not exists tidelake;
create table if not exists tidelake.migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
"""


@dataclass(frozen=True)
class Migration:
    """One file: its name without the ending, by which they are ordered, and its SQL."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        # Git may have changed the line ends on the way here.
        return hashlib.sha256("\n".join(self.sql.splitlines()).encode()).hexdigest()


def shipped_migrations() -> list[Migration]:
    """The migrations of this tidelake, in order."""
    folder = resources.files("tidelake.warehouse") / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted(
        (Migration(file.name.removesuffix(".sql"), file.read_text("utf-8")) for file in files),
        key=lambda migration: migration.name,
    )


def migrate(url: str, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Bring the database at `url` up to date; gives the names applied now, in order.

    Raises IncompatibleError when the database is newer, or an applied file was edited, and
    SetupError when a migration fails; those before it stay applied.
    """
    wanted = shipped_migrations() if migrations is None else migrations
    applied: list[str] = []
    with connect(url) as connection:
        while name := _apply_next(connection, wanted, describe(url)):
            applied.append(name)
    return applied


def require_migrated(url: str) -> None:
    """For a login that may not migrate: raises SetupError while a migration is missing."""
    with connect(url) as connection:
        rows = connection.execute("select name, checksum from tidelake.migrations").fetchall()
    left = pending_migrations(shipped_migrations(), dict(rows), describe(url))
    if left:
        raise SetupError(
            f"{describe(url)} lacks the migration {left[0].name}, and this login may not apply it",
            hint="run `tidelake init` with the URL of the database's owner, then start again",
        )


@contextmanager
def one_at_a_time(url: str) -> Iterator[None]:
    """Of the processes that set up the database at `url`, one is in the block; the others wait.

    For what looks and then makes, as PyIceberg does with its catalog's tables and namespaces.
    """
    with connect(url) as connection:
        connection.execute("select pg_advisory_lock(%s)", (SETUP_LOCK,))
        yield


def pending_migrations(
    wanted: Sequence[Migration], recorded: Mapping[str, str], place: str
) -> list[Migration]:
    """Those of `wanted` that are not in `recorded` (name to checksum), in order.

    Raises IncompatibleError unless `recorded` is how `wanted` begins.
    """
    unknown = sorted(set(recorded) - {migration.name for migration in wanted})
    if unknown:
        raise IncompatibleError(
            f"the database is newer than this tidelake: {place} has the migration {unknown[-1]}",
            hint="upgrade tidelake, or use another database",
        )
    for migration in wanted:
        if recorded.get(migration.name, migration.checksum) != migration.checksum:
            raise IncompatibleError(
                f"the migration {migration.name} was edited after {place} had applied it",
                hint="put the file back as it was and add a new migration for the change",
            )
    left = [migration for migration in wanted if migration.name not in recorded]
    if left and recorded and left[0].name < max(recorded):
        raise IncompatibleError(
            f"the migration {left[0].name} comes before {max(recorded)}, which {place} already has",
            hint=f"give {left[0].name} the next free number",
        )
    return left


def _apply_next(connection: Connection, wanted: Sequence[Migration], place: str) -> str | None:
    """Apply the first migration that is missing; gives its name, None when all are there."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute(RECORD_TABLE)
        rows = connection.execute("select name, checksum from tidelake.migrations").fetchall()
        left = pending_migrations(wanted, dict(rows), place)
        if not left:
            return None
        _run(connection, left[0], place)
        connection.execute(
            "insert into tidelake.migrations (name, checksum) values (%s, %s)",
            (left[0].name, left[0].checksum),
        )
        return left[0].name


def _run(connection: Connection, migration: Migration, place: str) -> None:
    try:
        connection.execute(migration.sql.encode())
    except psycopg.OperationalError:
        raise
    except psycopg.Error as exc:
        raise SetupError(
            f"the migration {migration.name} failed on {place}: {str(exc).strip()}",
            hint="nothing of it was kept; correct what it names and run `tidelake init`",
        ) from exc
