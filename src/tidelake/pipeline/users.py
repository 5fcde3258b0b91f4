"""People who log in to the warehouse's PostgreSQL: added, listed, removed, given new passwords."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidelake.errors import SetupError
from tidelake.pipeline.home import make_home
from tidelake.settings import Settings
from tidelake.warehouse import users as warehouse
from tidelake.warehouse.connect import borrowed
from tidelake.warehouse.migrate import migrate
from tidelake.warehouse.roles import as_login, login_of
from tidelake.warehouse.session import connect
from tidelake.warehouse.users import User

if TYPE_CHECKING:
    from tidelake.warehouse.session import Connection


@dataclass(frozen=True, slots=True)
class Access:
    """How a user logs in; `url` holds the password where it was made here, to be shown once."""

    name: str
    password: str
    url: str


def add(settings: Settings, name: str, role: str, password: str = "") -> Access:
    """Adds a user to the group `role`; without `password` one is made.

    Raises `UsageError` where name, role or password can not be.
    """
    with _owner(settings) as (url, owner):
        warehouse.add_user(owner, name, role, chosen := password or _new_password())
        return Access(name, chosen, as_login(url, name, "" if password else chosen))


def change_password(settings: Settings, name: str, password: str = "") -> Access:
    """Gives a user another password; raises as `add` does."""
    with _owner(settings) as (url, owner):
        warehouse.change_password(owner, name, chosen := password or _new_password())
        return Access(name, chosen, as_login(url, name, "" if password else chosen))


def listed(settings: Settings) -> list[User]:
    """Everybody that was added, by name."""
    with _owner(settings) as (_, owner):
        return warehouse.users(owner)


def remove(settings: Settings, name: str, *, drop_schema: bool) -> None:
    """Removes a user, with `drop_schema` also what the user owns; raises `UsageError` without."""
    with _owner(settings) as (_, owner):
        warehouse.remove_user(owner, name, drop_schema=drop_schema)


@contextmanager
def _owner(settings: Settings) -> Iterator[tuple[str, Connection]]:
    """URL and connection of the database's owner, the roles made."""
    make_home(settings.home)
    with borrowed(settings.home, settings.postgres.url or None) as database:
        login = login_of(database.url)
        if not login.owner:
            raise SetupError(
                f"TIDELAKE_POSTGRES_URL names {login.name}, who may not make users",
                hint="let it name the database's owner for this command",
            )
        migrate(database.url)
        with connect(database.url) as connection:
            yield database.url, connection


def _new_password() -> str:
    return secrets.token_urlsafe(24)  # stands in a URL, and needs no escaping there
