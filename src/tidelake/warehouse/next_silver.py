"""A silver that is built beside the one in use, and takes its place in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import psycopg
from psycopg import sql

from tidelake.errors import SetupError, UnavailableError
from tidelake.warehouse.session import Connection, connect
from tidelake.warehouse.windows import Windows

Values: TypeAlias = Mapping[str, object] | Sequence[object] | None

#: Schema in use, its kind, and the schema beside it.
SCHEMAS = (("silver", "silver", "silver_next"), ("silver_pii", "silver_pii", "silver_pii_next"))

#: Readers hold the old tables; beyond this an exchange steps back: all others queue behind it.
LOCK_TIMEOUT = "10s"

#: Of the session that builds: it ends with its process, on whatever machine that was killed.
LOCK = "select pg_try_advisory_lock(hashtextextended('tidelake.rebuild silver', 0))"

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

# An earlier attempt is gone on from where it was made as this one would be.
GOOD = """
select
    to_regnamespace('silver_next') is not null
    and to_regnamespace('silver_pii_next') is not null
    and exists (select from tidelake.windows_next)
    and not exists (
        select from tidelake.windows_next
        where
            models is distinct from %(models)s
            or timezone <> %(timezone)s
            or generation <> 1 + coalesce((select max(generation) from tidelake.windows), 0)
    )
"""

LEFT_OVER = """
select
    (to_regnamespace('silver_next') is not null or exists (select from tidelake.windows_next))
    and coalesce(
        (select max(coalesce(finished_at, started_at)) from tidelake.windows_next), '-infinity'
    ) < now() - make_interval(secs => %s)
"""

HOLDERS = """
select distinct usename, date_trunc('second', clock_timestamp() - xact_start)::text
from pg_locks
inner join pg_class on pg_class.oid = pg_locks.relation
inner join pg_stat_activity using (pid)
where
    relnamespace in (to_regnamespace('silver'), to_regnamespace('silver_pii'))
    and granted and pid <> pg_backend_pid()
order by 2 desc
limit 3
"""


# What people make of silver, in schemas of their own; a rule is a view's, a type that of rows.
DEPENDENTS = """
with silvers as (
    select oid, reltype from pg_class
    where relnamespace in (to_regnamespace('silver'), to_regnamespace('silver_pii'))
)

select distinct coalesce('view ' || seen.oid::regclass::text, object.type || ' ' || object.identity)
from pg_depend
left join pg_rewrite on classid = 'pg_rewrite'::regclass and pg_rewrite.oid = objid
left join pg_class as seen on seen.oid = ev_class
cross join lateral pg_identify_object(classid, objid, 0) as object
where
    (
        (refclassid = 'pg_class'::regclass and refobjid in (select oid from silvers))
        or (refclassid = 'pg_type'::regclass and refobjid in (select reltype from silvers))
    )
    and deptype = 'n'
    and coalesce(seen.relnamespace::regnamespace::text, object.schema)
    not in ('silver', 'silver_pii')
order by 1
limit 10
"""


class HeldByReadersError(UnavailableError):
    """Readers held silver's tables for long; what is in use and what was built stay as they are."""


@contextmanager
def alone(owner_url: str) -> Iterator[bool]:
    """Whether nobody else builds a next silver of this database; none does until the end."""
    with connect(owner_url) as connection:
        yield _is_so(connection, LOCK)


def can_begin(owner_url: str) -> bool:
    """Whether raw still holds all that silver is made from."""
    with connect(owner_url) as connection:
        return not _is_so(connection, DROPPED_LOADS)


def dependents(owner_url: str) -> list[str]:
    """What is not silver's own and stands on it, ten at most: silver can not be exchanged then."""
    with connect(owner_url) as connection:
        return [str(name) for (name,) in connection.execute(DEPENDENTS).fetchall()]


def begin(owner_url: str, models: str, timezone: str) -> bool:
    """Makes empty schemas for the next silver; True where an earlier attempt is gone on from.

    That is one by the same models for the same time zone; any other is dropped. Raises
    `SetupError` where raw no longer holds all that silver was made from.
    """
    with connect(owner_url) as connection, connection.transaction():
        if _is_so(connection, DROPPED_LOADS):
            raise SetupError(
                "silver can not be made anew: raw lacks days that its retention has dropped",
                hint="Bring them back from the lake: `tidelake rebuild raw --all`, "
                "then `tidelake rebuild silver`.",
            )
        made_alike = _is_so(connection, GOOD, {"models": models, "timezone": timezone})
        if made_alike and not Windows(connection, "next").lost_rows():
            return True
        discard(connection)
        for _, kind, schema in SCHEMAS:
            connection.execute("call tidelake.make_schema(%s, %s)", (schema, kind))
        return False


def give_up(owner_url: str) -> None:
    """Drops the next silver, which takes room and holds back the retention of raw."""
    with connect(owner_url) as connection, connection.transaction():
        discard(connection)


def clear_left_over(owner_url: str, untouched_s: float) -> bool:
    """Drops a next silver that nobody has worked at for so long; True where there was one."""
    with alone(owner_url) as nobody_builds, connect(owner_url) as connection:
        if not nobody_builds or not _is_so(connection, LEFT_OVER, (untouched_s,)):
            return False
        with connection.transaction():
            discard(connection)
        return True


def discard(connection: Connection) -> None:
    """Drops the next silver, and what is known of its windows."""
    for _, _, schema in SCHEMAS:
        drop = sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema))
        connection.execute(drop)
    connection.execute("delete from tidelake.windows_next")


def exchange(owner_url: str) -> bool:
    """Puts the next silver and its windows in the place of those in use, all at once.

    False where the one in use has windows that the next one lacks: make them and come again.
    Raises `HeldByReadersError` where readers hold the old tables for long, and `SetupError` where
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
            raise HeldByReadersError(
                f"readers hold silver's tables for more than {LOCK_TIMEOUT}: {_holders(owner_url)}",
                hint="What is in use and what was built stay; end long queries, then rebuild "
                "silver again: it goes on from there.",
            ) from exc
        raise
    except SetupError as exc:
        if isinstance(exc.__cause__, psycopg.errors.DependentObjectsStillExist):
            detail = exc.__cause__.diag.message_detail or ""
            raise SetupError(
                f"silver can not be exchanged, since others depend on it: {detail}",
                hint="Drop them, rebuild silver (it goes on from there), and make them again.",
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


def _holders(owner_url: str) -> str:
    """Who reads silver, and for how long; by now they may have ended."""
    with connect(owner_url) as connection:
        found = connection.execute(HOLDERS).fetchall()
    return ", ".join(f"{login} since {lasting}" for login, lasting in found) or "they just ended"


def _is_so(connection: Connection, query: str, values: Values = None) -> bool:
    row = connection.execute(query.encode(), values).fetchone()
    return row is not None and row[0] is True
