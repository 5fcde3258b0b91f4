"""Databases and their owner, made by the superuser."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tidelake.warehouse.identity import DATABASE, OWNER, Identity
from tidelake.warehouse.session import Connection, connect

#: Exists in every server, so that any other database can be made or dropped from it.
MAINTENANCE = "postgres"


def ensure_database(identity: Identity) -> None:
    """Make role and database `tidelake` in an embedded server where they are missing.

    The role may make other roles, and is no superuser. Asked at every start, since a kill between
    initdb and here leaves a server without them.
    """
    with connect(with_database(identity.admin_url, MAINTENANCE)) as admin:
        if not _exists(admin, "pg_roles", "rolname", OWNER):
            create = sql.SQL("create role {} login createrole password {}")
            admin.execute(create.format(sql.Identifier(OWNER), sql.Literal(identity.password)))
        elif not _makes_roles(admin, OWNER):  # made by a tidelake that had no roles
            admin.execute(sql.SQL("alter role {} createrole").format(sql.Identifier(OWNER)))
        if not _exists(admin, "pg_database", "datname", DATABASE):
            _create_database(admin, DATABASE, OWNER)


def fresh_database(admin_url: str, name: str, login_url: str | None = None) -> str:
    """Drop database `name` if it is there, whoever uses it, and make it anew; gives its URL.

    The login in `login_url` (default: that of `admin_url`, which must be allowed to create
    databases) owns it and stands in the URL given back. What other rooms keep of it is gone too.
    """
    url = login_url or admin_url
    with connect(with_database(admin_url, MAINTENANCE)) as admin:
        drop = sql.SQL("drop database if exists {} with (force)")
        admin.execute(drop.format(sql.Identifier(name)))
        owner = conninfo_to_dict(url).get("user") or admin.info.user
        _create_database(admin, name, str(owner))
    return with_database(url, name)


def with_database(url: str, name: str) -> str:
    """`url`, a libpq URL or connection string, with another database name."""
    if "://" not in url:
        return make_conninfo(url, dbname=name)
    return urlsplit(url)._replace(path=f"/{quote(name, safe='')}").geturl()


def _create_database(admin: Connection, name: str, owner: str) -> None:
    create = sql.SQL("create database {} owner {} template template0")
    admin.execute(create.format(sql.Identifier(name), sql.Identifier(owner)))


def _makes_roles(admin: Connection, role: str) -> bool:
    query = "select 1 from pg_roles where rolname = %s and rolcreaterole"
    return admin.execute(query, (role,)).fetchone() is not None


def _exists(admin: Connection, catalog: str, column: str, name: str) -> bool:
    look = sql.SQL("select 1 from {} where {} = {}")
    query = look.format(sql.Identifier(catalog), sql.Identifier(column), sql.Literal(name))
    return admin.execute(query).fetchone() is not None
