"""A silver that is built beside the one in use, and takes its place in one transaction."""

from __future__ import annotations

import psycopg
from psycopg import sql

from tidelake.errors import SetupError, UnavailableError
from tidelake.warehouse.session import Connection, connect

#: Schema in use, its kind, and the schema beside it.
SCHEMAS = (("silver", "silver", "silver_next"), ("silver_pii", "silver_pii", "silver_pii_next"))

#: Readers hold the old tables; beyond this the exchange gives up, since all others would queue.
LOCK_TIMEOUT = "10s"

RELATIONS = """
select relname, relkind in ('v', 'm') as is_view
from pg_class
where
    relnamespace = to_regnamespace(%s)
    and relkind in ('r', 'p', 'v', 'm')
    and not relispartition
order by relname
"""

BEHIND = """
select coalesce((select max(to_load_id) from tidelake.windows where status = 'done'), 0)
    > coalesce((select max(to_load_id) from tidelake.windows_next where status = 'done'), 0)
"""

DROPPED_LOADS = """
select exists (
    select from tidelake.loads where dropped_at is not null and rows > 0 and table_name = 'events'
)
"""


def begin(owner_url: str) -> None:
    """Makes empty schemas for the next silver; what an earlier attempt left is dropped.

    Raises `SetupError` where raw no longer holds all that silver was made from.
    """
    with connect(owner_url) as connection, connection.transaction():
        if _is_so(connection, DROPPED_LOADS):
            raise SetupError(
                "silver can not be made anew: raw lacks days that its retention has dropped",
                hint="Bring them back from the lake: set TIDELAKE_LOAD_RETENTION_DAYS=0, run "
                "`tidelake rebuild raw --all`, then rebuild silver.",
            )
        discard(connection)
        for _, kind, schema in SCHEMAS:
            connection.execute("call tidelake.make_schema(%s, %s)", (schema, kind))


def give_up(owner_url: str) -> None:
    """Drops the next silver, which takes room and holds back the retention of raw."""
    with connect(owner_url) as connection, connection.transaction():
        discard(connection)


def discard(connection: Connection) -> None:
    """Drops the next silver, and what is known of its windows."""
    for _, _, schema in SCHEMAS:
        drop = sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema))
        connection.execute(drop)
    connection.execute("delete from tidelake.windows_next")


def exchange(owner_url: str) -> bool:
    """Puts the next silver and its windows in the place of those in use, all at once.

    False where the one in use has windows that the next one lacks: make them and come again.
    Raises `UnavailableError` where readers hold the old tables for long, and `SetupError` where
    something that is not silver's own depends on them. Nothing has changed then.
    """
    try:
        with connect(owner_url) as connection, connection.transaction():
            connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'".encode())
            connection.execute("lock table tidelake.windows in exclusive mode")
            if _is_so(connection, BEHIND):
                return False
            _move_tables(connection)
            connection.execute("delete from tidelake.windows")
            connection.execute("insert into tidelake.windows select * from tidelake.windows_next")
            discard(connection)
            return True
    except UnavailableError as exc:
        if isinstance(exc.__cause__, psycopg.errors.LockNotAvailable):
            raise UnavailableError(
                f"readers held silver's tables for more than {LOCK_TIMEOUT}",
                hint="What is in use stays as it was; end long queries, then rebuild silver again.",
            ) from exc
        raise
    except SetupError as exc:
        if isinstance(exc.__cause__, psycopg.errors.DependentObjectsStillExist):
            detail = exc.__cause__.diag.message_detail or ""
            raise SetupError(
                f"silver can not be exchanged, since others depend on it: {detail}",
                hint="Drop those objects, rebuild silver, and make them again.",
            ) from exc
        raise


def _move_tables(connection: Connection) -> None:
    """Views go first, since they stand on tables, and those of one schema on those of the other."""
    found = [
        (old, new, name, is_view)
        for old, _, new in SCHEMAS
        for name, is_view in connection.execute(RELATIONS, (new,)).fetchall()
    ]
    for views in (True, False):
        kind = sql.SQL("view" if views else "table")
        for old, _, name, is_view in found:
            if is_view == views:
                drop = sql.SQL("drop {} if exists {}.{}")
                connection.execute(drop.format(kind, sql.Identifier(old), sql.Identifier(name)))
    for old, new, name, is_view in found:
        move = sql.SQL("alter {} {}.{} set schema {}").format(
            sql.SQL("view" if is_view else "table"),
            sql.Identifier(new),
            sql.Identifier(name),
            sql.Identifier(old),
        )
        connection.execute(move)


def _is_so(connection: Connection, query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return row is not None and row[0] is True
