"""Logins of people: each is a member of one group, and a developer has a schema of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from psycopg import sql

from tidelake.errors import SetupError, UsageError
from tidelake.warehouse.roles import MADE_BY_US, set_password
from tidelake.warehouse.session import Connection

NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}")  # 63 bytes: PostgreSQL cuts what is longer
SHORTEST_PASSWORD = 8

#: A developer's schema has the developer's name.
TAKEN = {"raw", "silver", "silver_pii", "gold", "tidelake", "public", "information_schema", "none"}


@dataclass(frozen=True, slots=True)
class Group:
    """What a login of the group gets; the limits save the server, a user may lift them."""

    statement_timeout: str
    connections: int
    read_only: bool


GROUPS = {
    "analyst": Group("60s", 5, read_only=True),
    "developer": Group("5min", 10, read_only=False),
    "pii_reader": Group("60s", 5, read_only=True),
}
IDLE_IN_TRANSACTION = "60s"  # it would hold up whoever makes tables anew

ALL = """
select rolname, groups.name, to_regnamespace(quote_ident(rolname)) is not null
from pg_roles
inner join lateral (
    select string_agg(granted.rolname, ', ' order by granted.rolname) as name
    from pg_auth_members
    inner join pg_roles as granted on granted.oid = pg_auth_members.roleid
    where pg_auth_members.member = pg_roles.oid and granted.rolname = any(%s)
) as groups on groups.name is not null
where pg_roles.rolname <> all(%s) and shobj_description(pg_roles.oid, 'pg_authid') = %s
order by rolname
"""

OWNED = """
select format('%%I.%%I', nspname, relname)
from pg_class
inner join pg_namespace on pg_namespace.oid = relnamespace
where relowner = %(name)s::regrole and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
union all
select format('%%I.%%I()', nspname, proname)
from pg_proc
inner join pg_namespace on pg_namespace.oid = pronamespace
where proowner = %(name)s::regrole
order by 1
"""


class User(NamedTuple):
    """A person's login; `schema` is the name of the developer's own one."""

    name: str
    role: str
    schema: str | None


def add_user(owner: Connection, name: str, role: str, password: str) -> None:
    """Makes the login `name` in the group `role`, with a schema where it is a developer.

    Raises UsageError for a name, role or password that can not be, or a name that is taken.
    """
    group = _group(role)
    _check_name(owner, name)
    _check_password(password)
    who = sql.Identifier(name)
    with owner.transaction():
        owner.execute(
            sql.SQL("create role {} login connection limit {} in role {}").format(
                who, sql.Literal(group.connections), sql.Identifier(role)
            )
        )
        owner.execute(sql.SQL("comment on role {} is {}").format(who, sql.Literal(MADE_BY_US)))
        # Needed to make, and one day to drop, what belongs to the user.
        owner.execute(sql.SQL("grant {} to current_user").format(who))
        _set(owner, name, "statement_timeout", group.statement_timeout)
        _set(owner, name, "idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION)
        if group.read_only:
            _set(owner, name, "default_transaction_read_only", "on")
            _set(owner, name, "search_path", "silver")
        else:
            owner.execute(sql.SQL("create schema {} authorization {}").format(who, who))
            _set(owner, name, "search_path", name, "silver")
        set_password(owner, name, password)


def users(owner: Connection) -> list[User]:
    """Everybody that `add_user` has added, by name."""
    rows = owner.execute(ALL, (list(GROUPS), list(GROUPS), MADE_BY_US)).fetchall()
    return [User(name, role, name if schema else None) for name, role, schema in rows]


def change_password(owner: Connection, name: str, password: str) -> None:
    """Raises UsageError for an unknown name."""
    _known(owner, name)
    _check_password(password)
    set_password(owner, name, password)


def remove_user(owner: Connection, name: str, *, drop_schema: bool = False) -> None:
    """Ends the user's sessions and removes the login; with `drop_schema` also what it owns.

    Raises UsageError for an unknown name or one that owns something, SetupError where something
    of others stands on what it owns.
    """
    _known(owner, name)
    owned = [thing for (thing,) in owner.execute(OWNED, {"name": _quoted(name)}).fetchall()]
    if owned and not drop_schema:
        raise UsageError(
            f"{name} owns {len(owned)} tables, views or functions: {', '.join(owned[:5])}"
            + (", …" if len(owned) > 5 else ""),
            hint="Copy what should stay, then remove the user with --drop-schema.",
        )
    who = sql.Identifier(name)
    owner.execute(sql.SQL("alter role {} nologin").format(who))
    owner.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (name,)
    )
    try:
        with owner.transaction():
            owner.execute(sql.SQL("drop owned by {}").format(who))
            owner.execute(sql.SQL("drop role {}").format(who))
    except psycopg.errors.DependentObjectsStillExist as exc:
        raise SetupError(
            f"{name} can not log in any more, and is not removed: {str(exc).strip()}",
            hint="remove what stands on it, then remove the user again",
        ) from exc


def _group(role: str) -> Group:
    if role not in GROUPS:
        raise UsageError(f"{role!r} is no role for people", hint=f"Choose {', '.join(GROUPS)}.")
    return GROUPS[role]


def _check_name(owner: Connection, name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} can not be a user's name",
            hint="Begin with a small letter; small letters, digits, _ . and - may follow, 63 in "
            "all.",
        )
    taken = "select to_regrole(%(name)s) is not null or to_regnamespace(%(name)s) is not null"
    if (
        name in TAKEN
        or name.startswith("pg_")
        or owner.execute(taken, {"name": _quoted(name)}).fetchone() == (True,)
    ):
        raise UsageError(
            f"the name {name} is taken",
            hint="`tidelake user list` shows the users; choose another.",
        )


def _check_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD or not password.isprintable():
        raise UsageError(
            f"the password has less than {SHORTEST_PASSWORD} characters, or one that can not be "
            "printed",
            hint="Give a longer one, or none to have one made.",
        )


def _known(owner: Connection, name: str) -> None:
    if any(user.name == name for user in users(owner)):
        return
    raise UsageError(
        f"tidelake has made no user {name!r}", hint="`tidelake user list` shows the users."
    )


def _set(owner: Connection, name: str, setting: str, *values: str) -> None:
    owner.execute(
        sql.SQL("alter role {} set {} = {}").format(
            sql.Identifier(name),
            sql.Identifier(setting),
            sql.SQL(", ").join(map(sql.Literal, values)),
        )
    )


def _quoted(name: str) -> str:
    """For `to_regrole` and the like, which read a name as SQL does."""
    return '"' + name.replace('"', '""') + '"'
