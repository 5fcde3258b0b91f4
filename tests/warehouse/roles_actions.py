"""What each login may do: every action is tried by every login, for docs/permissions.md too."""

from __future__ import annotations

from dataclasses import dataclass

LOGINS = (
    "owner",
    "ingest",
    "transform",
    "dashboard",
    "analyst",
    "developer",
    "pii_reader",
)

OWNER = frozenset({"owner"})
NOBODY: frozenset[str] = frozenset()
PARTS = frozenset({"ingest", "transform", "dashboard"})
RAW = OWNER | {"ingest", "transform"}
RAW_WRITERS = OWNER | {"ingest"}
SILVER_WRITERS = OWNER | {"transform"}
PERSONAL = SILVER_WRITERS | {"pii_reader"}
READERS = frozenset({"dashboard", "analyst", "developer", "pii_reader"})
ALL = frozenset(LOGINS)


@dataclass(frozen=True, slots=True)
class Action:
    """Statements tried in one transaction that is rolled back; all pass, or one is refused."""

    group: str
    what: str  # within the group
    statements: tuple[str, ...]
    allowed: frozenset[str]
    duckdb: str = ""  # the same through DuckDB, which has attached the database as pg

    @property
    def key(self) -> str:
        return f"{self.group.lower()} {self.what}"


def action(group: str, what: str, allowed: frozenset[str], *sql: str, duckdb: str = "") -> Action:
    return Action(group, what, sql, allowed, duckdb)


# Read only is a default that a login may switch off: a missing right must stop the write.
READ_WRITE = "set transaction read write"
LEAK = (
    "create function {schema}.leak() returns bytea language sql security definer "
    "as 'select key from silver_pii.masking_key'"
)

READ, WRITE, MAKE, CLIMB = "Read", "Write", "Make and change", "Climb"

ACTIONS = (
    action(
        READ,
        "`raw.events`, with personal fields",
        RAW,
        "select * from raw.events",
        duckdb="select * from pg.raw.events",
    ),
    action(READ, "a partition of it", RAW, "select * from raw.{partition}"),
    action(READ, "`raw.rejected_events`", RAW, "select * from raw.rejected_events"),
    action(
        READ,
        "`silver.raw_events`, the masked view of raw",
        READERS | SILVER_WRITERS,
        "select * from silver.raw_events",
        duckdb="select * from pg.silver.raw_events",
    ),
    action(
        READ,
        "tables and views of `silver`",
        READERS | SILVER_WRITERS,
        "select * from silver.sessions",
        "select * from silver.users",
        duckdb="select * from pg.silver.sessions",
    ),
    action(
        READ,
        "tables of `silver_pii`, with personal fields",
        PERSONAL,
        "select * from silver_pii.users",
        duckdb="select * from pg.silver_pii.users",
    ),
    action(
        READ,
        "the key behind masked ids",
        SILVER_WRITERS,
        "select * from silver_pii.masking_key",
        duckdb="select * from pg.silver_pii.masking_key",
    ),
    action(
        READ,
        "the masked id of a chosen value",
        SILVER_WRITERS,
        "select silver_pii.keyed_hash('ana')",
        duckdb="select * from postgres_query('pg', 'select silver_pii.keyed_hash(''ana'')')",
    ),
    action(
        READ,
        "the tables of operation (`tidelake.loads`, `commits`, `windows`, …)",
        OWNER | PARTS,
        "select * from tidelake.loads",
        "select * from tidelake.commits",
        "select * from tidelake.windows",
        "select * from tidelake.migrations",
        duckdb="select * from pg.tidelake.loads",
    ),
    action(
        READ,
        "records that were set aside, with personal fields",
        RAW,
        "select record from tidelake.set_aside",
    ),
    action(READ, "the lake's catalog", OWNER | PARTS, "select * from {catalog}"),
    action(
        READ,
        "another developer's schema",
        OWNER,
        "select * from {neighbour}.notes",
        duckdb="select * from pg.{neighbour}.notes",
    ),
    action(
        WRITE,
        "rows of `raw`",
        RAW_WRITERS,
        READ_WRITE,
        "delete from raw.events",
        "truncate raw.events",
        duckdb="delete from pg.raw.events",
    ),
    action(
        WRITE,
        "rows of `silver`",
        SILVER_WRITERS,
        READ_WRITE,
        "insert into silver.sessions values (2)",
        "update silver.sessions set n = 3",
        duckdb="insert into pg.silver.sessions values (2)",
    ),
    action(
        WRITE,
        "rows of `silver_pii`",
        SILVER_WRITERS,
        READ_WRITE,
        "delete from silver_pii.users",
        duckdb="delete from pg.silver_pii.users",
    ),
    action(
        WRITE,
        "through a view of `silver`",
        SILVER_WRITERS,
        READ_WRITE,
        "delete from silver.users",
    ),
    action(
        WRITE,
        "the key behind masked ids",
        SILVER_WRITERS,
        READ_WRITE,
        "delete from silver_pii.masking_key",
    ),
    action(
        WRITE,
        "leases, watermarks, commits, loads",
        RAW_WRITERS,
        READ_WRITE,
        "delete from tidelake.lease",
        "delete from tidelake.consumers",
        "delete from tidelake.commits",
        "update tidelake.loads set rows = 0",
    ),
    action(
        WRITE,
        "windows and publications",
        SILVER_WRITERS,
        READ_WRITE,
        "delete from tidelake.windows",
        "delete from tidelake.publications",
    ),
    action(WRITE, "the lake's catalog", RAW_WRITERS, READ_WRITE, "delete from {catalog}"),
    action(WRITE, "the record of migrations", OWNER, READ_WRITE, "delete from tidelake.migrations"),
    action(
        WRITE,
        "another developer's tables",
        OWNER,
        READ_WRITE,
        "insert into {neighbour}.notes values (2)",
    ),
    action(
        MAKE,
        "tables in `raw`, and drop one",
        RAW_WRITERS,
        READ_WRITE,
        "create table raw.mine (n int)",
        "drop table raw.{partition}",
    ),
    action(
        MAKE,
        "tables in `silver`, and drop one",
        SILVER_WRITERS,
        READ_WRITE,
        "create table silver.mine (n int)",
        "drop table silver.sessions",
        duckdb="create table pg.silver.mine (n int)",
    ),
    action(
        MAKE,
        "the masked view anew",
        SILVER_WRITERS,
        READ_WRITE,
        "set role silver_owner",
        "drop view silver.raw_events",
        "create view silver.raw_events as select * from raw.events",
    ),
    action(
        MAKE,
        "tables, views and functions in the developer's own schema",
        OWNER | {"developer"},
        READ_WRITE,
        "create table {own}.mine as select * from silver.sessions",
        "create view {own}.my_view as select * from silver.raw_events",
        "select * from {own}.my_view",
        "create function {own}.one() returns int language sql as 'select 1'",
        duckdb="create table pg.{own}.mine as select * from pg.silver.sessions",
    ),
    action(
        MAKE,
        "tables in another developer's schema",
        OWNER,
        READ_WRITE,
        "create table {neighbour}.mine (n int)",
    ),
    action(
        MAKE,
        "temporary tables",
        RAW | {"developer"},
        READ_WRITE,
        "create temporary table mine (n int)",
    ),
    action(
        MAKE,
        "tables in `public`",
        OWNER,
        READ_WRITE,
        "create table public.mine (n int)",
        duckdb="create table pg.public.mine (n int)",
    ),
    action(MAKE, "tables in `tidelake`", OWNER, READ_WRITE, "create table tidelake.mine (n int)"),
    action(MAKE, "schemas", OWNER, READ_WRITE, "create schema mine"),
    action(
        MAKE,
        "schemas like raw and silver",
        OWNER,
        READ_WRITE,
        "call tidelake.make_schema('raw_next', 'raw')",
    ),
    action(
        MAKE,
        "default privileges of `silver_pii`",
        SILVER_WRITERS,
        READ_WRITE,
        "alter default privileges for role silver_owner in schema silver_pii "
        "grant select on tables to analyst",
    ),
    action(
        MAKE,
        "a lock that stops all readers of `silver`",
        SILVER_WRITERS,
        READ_WRITE,
        "lock table silver.sessions in access exclusive mode",
    ),
    action(
        CLIMB, "become `raw_owner`", RAW_WRITERS, "set role raw_owner", "select * from raw.events"
    ),
    action(
        CLIMB,
        "become `silver_owner`",
        SILVER_WRITERS,
        "set role silver_owner",
        "select * from silver_pii.masking_key",
        duckdb="select * from postgres_query('pg', "
        "'select set_config(''role'', ''silver_owner'', true)')",
    ),
    action(CLIMB, "become the owner", OWNER, "set role {owner}"),
    action(CLIMB, "become another developer", OWNER, "set role {neighbour}"),
    action(CLIMB, "become a superuser", NOBODY, "set role postgres"),
    action(CLIMB, "another session's user", NOBODY, "set session authorization postgres"),
    action(
        CLIMB, "make oneself superuser", NOBODY, READ_WRITE, "alter role current_user superuser"
    ),
    action(
        CLIMB,
        "be let through row security",
        NOBODY,
        READ_WRITE,
        "alter role current_user bypassrls",
    ),
    action(
        CLIMB,
        "grant oneself `pii_reader`",
        OWNER,
        READ_WRITE,
        "grant pii_reader to current_user",
    ),
    action(
        CLIMB,
        "set another login's password",
        OWNER,
        READ_WRITE,
        "alter role {neighbour} password 'mine'",
    ),
    action(
        CLIMB,
        "lift one's connection limit",
        NOBODY,
        READ_WRITE,
        "alter role {me} connection limit -1",
    ),
    action(CLIMB, "make logins", OWNER, READ_WRITE, "create role intruder login"),
    action(CLIMB, "read passwords (`pg_authid`)", NOBODY, "select * from pg_authid"),
    action(
        CLIMB,
        "the key through a function with its maker's rights",
        SILVER_WRITERS,
        READ_WRITE,
        LEAK.format(schema="pg_temp"),
        "select pg_temp.leak()",
    ),
    action(
        CLIMB,
        "the key through such a function in the own schema",
        OWNER,
        READ_WRITE,
        LEAK.format(schema="{own}"),
        "select {own}.leak()",
    ),
    action(
        CLIMB,
        "such a function for others, in `silver`",
        SILVER_WRITERS,
        READ_WRITE,
        LEAK.format(schema="silver"),
    ),
    action(CLIMB, "files of the server", NOBODY, "select pg_read_file('postgresql.conf')"),
    action(CLIMB, "programs on the server", NOBODY, "copy (select 1) to program 'true'"),
    action(
        CLIMB,
        "other people's sessions",
        NOBODY,
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
    ),
    action(CLIMB, "switch off triggers", NOBODY, "set session_replication_role = replica"),
)
