"""Connections to PostgreSQL, and psycopg's errors made ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tidelake.errors import SetupError, TidelakeError, UnavailableError
from tidelake.warehouse.server_log import NO_SPACE

Connection: TypeAlias = psycopg.Connection[Any]
T = TypeVar("T")

#: libpq gives no SQLSTATE for a refused connection, only words, in the server's language; what is
#: not recognised counts as passing trouble.
REFUSALS = (
    ("password authentication failed", "check user and password in TIDELAKE_POSTGRES_URL"),
    ("no password supplied", "put user:password@ into TIDELAKE_POSTGRES_URL"),
    ("pg_hba.conf", "let this address and user in, in the server's pg_hba.conf"),
    ("does not exist", "create the database or role, or correct TIDELAKE_POSTGRES_URL"),
    ("permission denied for database", "grant connect on the database to this user"),
    ("server does not support SSL", "use sslmode=prefer, or switch SSL on in the server"),
    ("certificate", "check sslmode and sslrootcert"),
)


class Session:
    """Runs work on PostgreSQL.

    Given a URL, each piece of work is one transaction on a connection of our own, which is opened
    when first needed and once more when it turns out broken: work must bear being done twice,
    since a commit may have landed without an answer. Given a connection, work is part of its
    owner's transaction, and nothing is repeated. Not for several threads at once.
    """

    def __init__(self, target: str | Connection) -> None:
        self._url = target if isinstance(target, str) else None
        self._connection = None if isinstance(target, str) else target

    def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives. Raises SetupError when refused, UnavailableError when broken."""
        if self._url is None:
            assert self._connection is not None
            with translated(None):
                return work(self._connection)
        if self._connection is not None:
            try:
                with translated(self._url):
                    return _in_transaction(self._connection, work)
            except UnavailableError:
                if not self._connection.broken:
                    raise
                self.close()
        self._connection = open_connection(self._url)
        with translated(self._url):
            return _in_transaction(self._connection, work)

    def close(self) -> None:
        """Close the connection that this session opened; a connection it was given stays open."""
        if self._url is not None and self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def connect(url: str, timeout_s: int = 10) -> Iterator[Connection]:
    """A connection in autocommit, closed at the end. Errors inside come out as ours."""
    with translated(url), open_connection(url, timeout_s) as connection:
        yield connection


def open_connection(url: str, timeout_s: int = 10) -> Connection:
    """A connection in autocommit. Raises SetupError when refused, UnavailableError when absent."""
    with translated(url):
        return psycopg.connect(
            url, autocommit=True, connect_timeout=timeout_s, application_name="tidelake"
        )


@contextmanager
def translated(url: str | None) -> Iterator[None]:
    """Raise psycopg's errors as ours; `url` says in them where it happened."""
    try:
        yield
    except psycopg.Error as exc:
        raise as_ours(exc, url) from exc


def as_ours(exc: psycopg.Error, url: str | None) -> TidelakeError:
    """The error of ours that says what psycopg's says: where, why, and what to do."""
    if isinstance(exc, psycopg.ProgrammingError) and exc.sqlstate is None:
        # Its text may quote the URL, and with it the password.
        return SetupError(
            "the PostgreSQL URL cannot be read",
            hint="TIDELAKE_POSTGRES_URL looks like postgresql://user:password@host:5432/database",
        )
    said, place = _in_a_line(exc), describe(url)
    if isinstance(exc, psycopg.errors.DiskFull) or NO_SPACE in said:
        return UnavailableError(f"{place} has no disk space: {said}", hint="free some there")
    if isinstance(exc, psycopg.OperationalError | psycopg.InterfaceError):
        for words, hint in REFUSALS:
            if words in said:
                return SetupError(f"{place} refuses: {said}", hint=hint)
        return UnavailableError(f"{place} does not answer: {said}", hint="is it running?")
    if isinstance(exc, psycopg.errors.InsufficientPrivilege):
        return SetupError(f"{place} refuses: {said}", hint="grant this to the user")
    if isinstance(exc, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
        return SetupError(f"{place} is not set up: {said}", hint="run `tidelake init`")
    return SetupError(f"{place} refuses: {said}")


def _in_a_line(exc: psycopg.Error) -> str:
    """What it says, without the details in which PostgreSQL quotes rows and statements."""
    return " ".join((exc.diag.message_primary or str(exc)).split())


def describe(url: str | None) -> str:
    """Where `url` points, without its password."""
    if url is None:
        return "PostgreSQL"
    parts = conninfo_to_dict(url)
    host, port = parts.get("host", "localhost"), parts.get("port", 5432)
    return f"PostgreSQL at {host}:{port}/{parts.get('dbname', '')}"


def _in_transaction(connection: Connection, work: Callable[[Connection], T]) -> T:
    with connection.transaction():
        return work(connection)
