"""Opens the database alone, for parts that need no lake: PyIceberg would cost them 150 MB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tidelake.errors import SetupError
from tidelake.pipeline.home import make_home
from tidelake.settings import Settings
from tidelake.warehouse.connect import borrowed
from tidelake.warehouse.migrate import migrate, one_at_a_time, require_migrated
from tidelake.warehouse.roles import login_of, open_login


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A migrated database: the login that was asked for, and the owner's, where it is known."""

    settings: Settings
    database_url: str
    owner_url: str | None


@contextmanager
def opened_warehouse(settings: Settings, role: str) -> Iterator[Warehouse]:
    """The database of a home as the login `role`, as `lakehouse.opened` does it for the lake."""
    make_home(settings.home)
    with borrowed(settings.home, settings.postgres.url or None) as database:
        login = login_of(database.url)
        if login.owner:
            migrate(database.url)
            with one_at_a_time(database.url):
                url = open_login(database.url, role)
            yield Warehouse(settings, url, database.url)
            return
        if login.name != role:
            raise SetupError(
                f"this part works as the login {role}, and TIDELAKE_POSTGRES_URL names "
                f"{login.name}",
                hint=f"Let it name {role}, or the database's owner, from whose password that of "
                f"{role} derives.",
            )
        require_migrated(database.url)
        yield Warehouse(settings, database.url, None)
