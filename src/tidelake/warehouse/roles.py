"""The logins of the pipeline's parts, each with the rights that it needs and no more.

The roles are made by the migration 0004; docs/permissions.md shows what each may do. Their
passwords derive from the owner's, so that there is no file to keep and every machine that knows
the owner's URL finds the same ones.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tidelake.errors import SetupError, UnavailableError
from tidelake.warehouse.session import Connection, connect, describe

#: Logins whose passwords are derived.
LOGINS = ("ingest", "transform", "dashboard")

#: The comment of every role that tidelake has made.
MADE_BY_US = "made by tidelake"

#: Two databases of one server may set a password at once; PostgreSQL then refuses one of them.
TRIES = 5

LOOK = """
select
    current_user,
    coalesce(
        (
            select pg_has_role(nspowner, 'usage')
            from pg_namespace
            where nspname = 'tidelake'
        ),
        has_database_privilege(current_database(), 'create')
    )
"""


#: The tables of PyIceberg's catalog that `ingest` may not write yet.
UNGRANTED = """
select oid::regclass::text
from unnest(array['iceberg_tables', 'iceberg_namespace_properties']) as wanted (name)
join pg_class on oid = to_regclass(wanted.name)
where not has_table_privilege('ingest', oid, 'delete')
"""


class Login(NamedTuple):
    """Who logs in with a URL; an owner may migrate the database and make what is missing."""

    name: str
    owner: bool


def login_of(url: str) -> Login:
    """Asks the server. Raises SetupError when it refuses, UnavailableError when it is absent."""
    with connect(url) as connection:
        found = connection.execute(LOOK).fetchone()
    assert found is not None  # one row, always
    return Login(*found)


def login_url(owner_url: str, role: str) -> str:
    """`owner_url` with the login `role` and its password. SetupError without an owner's password.

    The password is HMAC-SHA256 of the role's name under the owner's password, in hexadecimal.
    """
    secret = conninfo_to_dict(owner_url).get("password")
    if not secret:
        raise SetupError(
            f"the URL of {describe(owner_url)} has no password, and the password of the login "
            f"{role} derives from it",
            hint="put it into TIDELAKE_POSTGRES_URL: postgresql://user:password@host/database",
        )
    derived = hmac.new(str(secret).encode(), role.encode(), hashlib.sha256).hexdigest()
    return as_login(owner_url, role, derived)


def as_login(url: str, name: str, password: str = "") -> str:
    """`url`, a libpq URL or connection string, with another user and password (none if empty)."""
    if "://" not in url:
        said = {key: value for key, value in conninfo_to_dict(url).items() if key != "password"}
        said["user"] = name
        return make_conninfo("", **said, **({"password": password} if password else {}))
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    user = quote(name, safe="") + (f":{quote(password, safe='')}" if password else "")
    # libpq takes them from here as well.
    kept = [item for item in parse_qsl(parts.query) if item[0] not in ("user", "password")]
    return parts._replace(netloc=f"{user}@{place}", query=urlencode(kept, quote_via=quote)).geturl()


def open_login(owner_url: str, role: str) -> str:
    """The URL of `role`, with which the server lets it in: if not at once, its password is set.

    So a changed password of the owner heals itself. Raises SetupError when it is still refused,
    or when the owner may not set passwords.
    """
    url = login_url(owner_url, role)
    try:
        with connect(url):
            return url
    except (SetupError, UnavailableError):  # libpq says why in words, in the server's language
        set_passwords(owner_url, (role,))
    with connect(url):
        return url


def grant_catalog(owner_url: str) -> None:
    """Lets the logins use the tables of PyIceberg's catalog, where there are any."""
    with connect(owner_url) as owner:
        for (table,) in owner.execute(UNGRANTED).fetchall():  # quoted by regclass
            owner.execute(f"grant select on {table} to transform, dashboard".encode())
            owner.execute(f"grant select, insert, update, delete on {table} to ingest".encode())


def set_passwords(owner_url: str, roles: Sequence[str] = LOGINS) -> None:
    """Gives `roles` their derived passwords. Raises SetupError where the owner may not."""
    with connect(owner_url) as owner:
        for role in roles:
            password = conninfo_to_dict(login_url(owner_url, role))["password"]
            set_password(owner, role, unquote(str(password)))


def set_password(owner: Connection, role: str, password: str) -> None:
    """Sends the password's verifier, not the password, which could end up in the server's log."""
    encrypted = owner.pgconn.encrypt_password(password.encode(), role.encode()).decode()
    change = sql.SQL("alter role {} password {}").format(
        sql.Identifier(role), sql.Literal(encrypted)
    )
    for left in reversed(range(TRIES)):
        try:
            owner.execute(change)
            return
        except psycopg.errors.InternalError_:  # "tuple concurrently updated"
            if not left:
                raise


@contextmanager
def acting_as(connection: Connection, role: str) -> Iterator[None]:
    """In one transaction `connection` is `role`, so that what is made in it belongs to that role.

    The login must be a member of it: ingest of raw_owner, transform of silver_owner, the owner of
    both.
    """
    with connection.transaction():
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        yield
        # The transaction may be one within the caller's, whose end would come later.
        connection.execute("set local role none")
