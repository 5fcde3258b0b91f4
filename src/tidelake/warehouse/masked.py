"""The view of raw.events for those who may not see personal fields."""

from __future__ import annotations

import hashlib

import psycopg
from psycopg import sql

from tidelake.event.contract import EVENTS, Contract
from tidelake.warehouse.roles import acting_as
from tidelake.warehouse.session import Connection

VIEW = "silver.raw_events"

#: Personal ids that stay comparable: column of the view and kind in its hash, as in silver.
KEYS = {
    "user_id": ("user_key", "user"),
    "anonymous_id": ("anonymous_key", "anonymous"),
    "previous_id": ("previous_key", "user"),
    "session_info_session_id": ("session_key", "session"),
}

STATE = f"""
select to_regclass('raw.events')::oid, obj_description(to_regclass('{VIEW}'), 'pg_class')
"""


def masked_view_sql(contract: Contract = EVENTS) -> str:
    """The query of the view: ids as keyed hashes, other personal fields left out.

    Columns that a user evolved are left out too: nobody said that they are not personal.
    """
    columns = ["events.load_id", "events.row_number", "events.load_day"]
    for field in contract:
        if field.name in KEYS:
            columns.append(_key(field.name, *KEYS[field.name]))
        elif not field.personal and field.name in EVENTS.by_name:
            columns.append(f'events."{field.name}"')
    body = ",\n".join(f"    {column}" for column in columns)
    return f"select\n{body}\nfrom raw.events\ncross join silver_pii.masking_key"


def ensure_masked_raw(connection: Connection, contract: Contract = EVENTS) -> None:
    """Makes the view silver.raw_events where it is missing, of another definition or another table.

    `connection` is the owner's; raw.events is there. After another table took its place, call it
    again: a view knows its table by number, not by name. Raises psycopg's error where somebody's
    view stands on one that must go.
    """
    query = masked_view_sql(contract)
    found = connection.execute(STATE.encode()).fetchone()
    assert found is not None  # one row, always
    table, comment = found
    made_of = hashlib.sha256(f"{table} {query}".encode()).hexdigest()[:16]
    if comment == (mark := f"raw.events without personal fields ({made_of})"):
        return
    with acting_as(connection, "silver_owner"):
        try:
            with connection.transaction():
                connection.execute(f"create or replace view {VIEW} as {query}".encode())
        except psycopg.errors.InvalidTableDefinition:  # columns have come between or gone
            connection.execute(f"drop view {VIEW}".encode())
            connection.execute(f"create view {VIEW} as {query}".encode())
        connection.execute(
            sql.SQL("comment on view {} is {}").format(
                sql.Identifier(*VIEW.split(".")), sql.Literal(mark)
            )
        )


def _key(column: str, name: str, kind: str) -> str:
    framed = f"coalesce(events.project, 'default') || chr(31) || '{kind}' || chr(31)"
    return (
        f"silver_pii.keyed_hash({framed} || events.{column}, "
        f"masking_key.inner_pad, masking_key.outer_pad) as {name}"
    )
