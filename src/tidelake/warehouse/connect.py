"""Which database this home uses: the embedded server's, or the one the user names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tidelake.errors import SetupError, UnavailableError
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.session import connect, describe

OLDEST_SUPPORTED = 14


@dataclass(frozen=True)
class Database:
    """A database that answered; `server` is the embedded one behind it, None for the user's own.

    `url` is of the database's owner, `admin_url` of the superuser; one and the same for a server of
    the user's own.
    """

    url: str
    admin_url: str
    server: EmbeddedPostgres | None

    @property
    def embedded(self) -> bool:
        return self.server is not None


def resolve(home: Path, configured_url: str | None, timeout_s: float = 60) -> Database:
    """The database of `home`: at `configured_url` if given, else embedded, started if need be.

    Raises SetupError when it is refused or too old, UnavailableError when it does not answer.
    """
    if configured_url:
        check_server(configured_url)
        return Database(configured_url, configured_url, None)
    server = EmbeddedPostgres(home)
    url = server.start(timeout_s)
    return Database(url, server.admin_url, server)


@contextmanager
def borrowed(home: Path, configured_url: str | None) -> Iterator[Database]:
    """As `resolve`, for a command that ends: see `EmbeddedPostgres.borrowed`."""
    if configured_url:
        yield resolve(home, configured_url)
        return
    server = EmbeddedPostgres(home)
    with server.borrowed() as url:
        yield Database(url, server.admin_url, server)


def check_server(url: str) -> None:
    """Raises SetupError unless a PostgreSQL that we support answers at `url`."""
    try:
        with connect(url) as connection:
            version = connection.info.server_version
    except UnavailableError as exc:
        raise UnavailableError(
            exc.message,
            hint="start that server, correct TIDELAKE_POSTGRES_URL, or unset it for the embedded "
            "PostgreSQL",
        ) from exc
    if version // 10000 < OLDEST_SUPPORTED:
        raise SetupError(
            f"{describe(url)} is PostgreSQL {version // 10000}, and tidelake needs "
            f"{OLDEST_SUPPORTED} or newer",
            hint="upgrade it, or unset TIDELAKE_POSTGRES_URL for the embedded PostgreSQL 18",
        )
