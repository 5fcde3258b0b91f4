"""Tries every action of `roles_actions` as every login, on a real server.

python -m tests.warehouse.roles_table            prints what was allowed and refused
python -m tests.warehouse.roles_table --markdown prints the table of docs/permissions.md
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import psycopg
from tests.warehouse.roles_actions import ACTIONS, LOGINS, Action

from tidelake.event.contract import EVENTS
from tidelake.extensions import load_extensions
from tidelake.pipeline.lakehouse import attach
from tidelake.settings import Postgres, Settings
from tidelake.warehouse.databases import fresh_database
from tidelake.warehouse.raw.tables import ensure_partition
from tidelake.warehouse.roles import acting_as, as_login, open_login
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.session import connect
from tidelake.warehouse.users import add_user, remove_user

DAY = date(2026, 11, 24)
PERSONAL = "ana@example.org"

REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
#: DuckDB gives the server's words and no SQLSTATE.
WORDS_OF_REFUSAL = ("permission denied", "must be owner", "read-only transaction")

MODELS = """
create table silver.sessions (n int);
insert into silver.sessions values (1);
create table silver_pii.users (user_key uuid, user_id text);
insert into silver_pii.users values (silver_pii.keyed_hash('ana'), 'ana@example.org');
create view silver.users as select user_key from silver_pii.users;
"""


@dataclass(frozen=True)
class Stage:
    """A database with everything in it that actions are tried on, and a URL for every login."""

    urls: Mapping[str, str]
    names: Mapping[str, str]  # what stands for {own}, {neighbour}, … in statements

    def sql(self, text: str, login: str) -> str:
        me = {"owner": self.names["owner"]}.get(login, self.names.get(login, login))
        return text.format(**self.names, me=f'"{me}"')


@contextmanager
def staged(server: EmbeddedPostgres, home: Path) -> Iterator[Stage]:
    """A stage in a database of its own; the people on it are removed at the end."""
    url = fresh_database(server.admin_url, "stage", server.url)
    attach(Settings(home=home, postgres=Postgres(url=url)), url, "ingest").catalog.close()
    people = {role: f"{role}_{secrets.token_hex(3)}" for role in LOGINS[4:]}
    neighbour = f"neighbour_{secrets.token_hex(3)}"
    urls = {"owner": url} | {part: open_login(url, part) for part in LOGINS[1:4]}
    with connect(url) as owner:
        for role, name in people.items():
            add_user(owner, name, role, secret := secrets.token_hex(8))
            urls[role] = as_login(url, name, secret)
        add_user(owner, neighbour, "developer", secrets.token_hex(8))
        with acting_as(owner, neighbour):
            owner.execute(f"create table {neighbour}.notes (n int)".encode())
        names = {
            **people,
            "owner": owner.info.user,
            "own": people["developer"],
            "neighbour": neighbour,
            "partition": f"events_{DAY:%Y%m%d}",
            "catalog": "tidelake.iceberg_tables",
        }
    _fill(urls)
    try:
        with connect(server.admin_url):  # somebody whose session others might want to end
            yield Stage(urls, names)
    finally:
        with connect(url) as owner:
            for name in (*people.values(), neighbour):
                remove_user(owner, name, drop_schema=True)


def tried(stage: Stage, actions: Sequence[Action] = ACTIONS) -> dict[tuple[str, str], bool]:
    """Whether (action, login) was allowed. An error that is no refusal is raised."""
    found = {}
    for login, url in stage.urls.items():
        with psycopg.connect(url) as connection:
            for action in actions:
                statements = [stage.sql(text, login) for text in action.statements]
                found[action.key, login] = _passes(connection, statements)
    return found


def tried_through_duckdb(stage: Stage) -> dict[tuple[str, str], bool]:
    """The same for the actions that DuckDB can do on the database that it has attached."""
    found = {}
    for login, url in stage.urls.items():
        with _attached(url) as connection:
            for action in ACTIONS:
                if action.duckdb:
                    statement = stage.sql(action.duckdb, login)
                    found[action.key, login] = _passes_duckdb(connection, statement)
    return found


def expected(through_duckdb: bool = False) -> dict[tuple[str, str], bool]:
    return {
        (action.key, login): login in action.allowed
        for action in ACTIONS
        for login in LOGINS
        if action.duckdb or not through_duckdb
    }


def markdown() -> str:
    """The table of docs/permissions.md, from what is expected; tests hold the two together."""
    lines = []
    for group in dict.fromkeys(action.group for action in ACTIONS):
        lines += ["", f"| {group} | {' | '.join(LOGINS)} |", "|---|" + ":-:|" * len(LOGINS)]
        for action in ACTIONS:
            if action.group == group:
                marks = " | ".join("yes" if login in action.allowed else "–" for login in LOGINS)
                lines.append(f"| {action.what} | {marks} |")
    return "\n".join(lines[1:]) + "\n"


def _fill(urls: Mapping[str, str]) -> None:
    """Each as the part that does it when the pipeline runs."""
    required = {field.name: f"'{field.name}'" for field in EVENTS if field.required}
    required |= {
        "event_key": r"'\x00'",
        "event_time": "now()",
        "received_at": "now()",
        "event_day": "current_date",
        "quality_flags": "'{}'",
    }
    row = {
        "load_id": "1",
        "row_number": "0",
        "load_day": f"'{DAY}'",
        "project": "'shop'",
        **required,
        **{f.name: f"'{PERSONAL}'" for f in EVENTS if f.personal},
    }
    with connect(urls["ingest"]) as ingest:
        ensure_partition(ingest, "events", DAY)
        columns = ", ".join(f'"{name}"' for name in row)
        insert = f"insert into raw.events ({columns}) values ({', '.join(row.values())})"
        ingest.execute(insert.encode())
    with connect(urls["transform"]) as transform, acting_as(transform, "silver_owner"):
        transform.execute(MODELS.encode())


def _passes(connection: psycopg.Connection, statements: Sequence[str]) -> bool:
    try:
        for statement in statements:
            connection.execute(statement.encode())
    except REFUSED:
        return False
    finally:
        connection.rollback()
    return True


@contextmanager
def _attached(url: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the database as pg, its sessions not read only, whatever the login's default."""
    with duckdb.connect() as connection:
        load_extensions(connection, "postgres_scanner")
        writable = f"{url}?options=-c%20default_transaction_read_only%3Doff"
        connection.execute(f"attach '{writable}' as pg (type postgres)")
        yield connection


def _passes_duckdb(connection: duckdb.DuckDBPyConnection, statement: str) -> bool:
    try:
        connection.execute("begin")
        connection.execute(statement).fetchall()
    except duckdb.Error as error:
        if not any(words in str(error) for words in WORDS_OF_REFUSAL):
            raise
        return False
    finally:
        connection.execute("rollback")
    return True


def _print(found: Mapping[tuple[str, str], bool], title: str) -> None:
    print(f"\n{title}")
    print(f"{'':58}" + " ".join(f"{login:>10}" for login in LOGINS))
    for what in dict.fromkeys(what for what, _ in found):
        marks = " ".join(f"{'allowed' if found[what, login] else '-':>10}" for login in LOGINS)
        print(f"{what[:57]:58}{marks}")
    allowed = sum(found.values())
    print(f"tried {len(found)}, allowed {allowed}, refused {len(found) - allowed}")


def main() -> int:
    if "--markdown" in sys.argv:
        print(markdown(), end="")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="tidelake-roles-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder)
    try:
        server.start()
        with staged(server, folder / "home") as stage:
            by_psycopg, by_duckdb = tried(stage), tried_through_duckdb(stage)
    finally:
        server.erase()
        shutil.rmtree(folder)
    _print(by_psycopg, "through psycopg")
    _print(by_duckdb, "through DuckDB's attach")
    agrees = by_psycopg == expected() and by_duckdb == expected(through_duckdb=True)
    print("\nas docs/permissions.md says" if agrees else "\nNOT as docs/permissions.md says")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
