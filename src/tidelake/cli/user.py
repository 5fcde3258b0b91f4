"""`tidelake user`: who may log in to PostgreSQL, and as what."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from tidelake.pipeline.users import Access

app = typer.Typer(
    no_args_is_help=True,
    help="People's logins to PostgreSQL, each with the rights of one role (docs/permissions.md).",
)


Name = Annotated[str, typer.Argument(help="the login; small letters, digits, _ . -")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="read the password from stdin; else one is made")
]


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    role: Annotated[
        Literal["analyst", "developer", "pii_reader"],
        typer.Option(
            help="analyst reads silver; developer also has a schema of their own; pii_reader "
            "also reads personal fields"
        ),
    ],
    password_stdin: FromStdin = False,
) -> None:
    """Adds a user, and shows the password and the address to connect to. It is kept nowhere.

    Examples: `tidelake user add ana --role analyst`,
    `pass show bob | tidelake user add bob --role developer --password-stdin`
    """
    from tidelake.pipeline import users

    access = users.add(settings_of(ctx), name, role, _given(password_stdin))
    typer.echo(f"user      {name} ({role})")
    _show(access, password_stdin)


@app.command("list")
def list_(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
) -> None:
    """Lists the users, their roles, and the schemas of developers.

    Example: `tidelake user list`
    """
    from tidelake.pipeline import users

    found = users.listed(settings_of(ctx))
    if as_json:
        typer.echo(json.dumps([user._asdict() for user in found], indent=2))
    elif found:
        screen.console().print(screen.table(("user", "role", "schema"), found))
    else:
        typer.echo("none; `tidelake user add NAME --role analyst` adds one")


@app.command()
def password(ctx: typer.Context, name: Name, password_stdin: FromStdin = False) -> None:
    """Gives a user another password; sessions that are open stay open.

    Example: `tidelake user password ana`
    """
    from tidelake.pipeline import users

    _show(users.change_password(settings_of(ctx), name, _given(password_stdin)), password_stdin)


@app.command()
def remove(
    ctx: typer.Context,
    name: Name,
    drop_schema: Annotated[
        bool, typer.Option("--drop-schema", help="delete what the user owns, too")
    ] = False,
) -> None:
    """Removes a user and ends their sessions. One who owns tables is kept, unless --drop-schema.

    Examples: `tidelake user remove ana`, `tidelake user remove bob --drop-schema`
    """
    from tidelake.pipeline import users

    users.remove(settings_of(ctx), name, drop_schema=drop_schema)
    typer.echo(f"{name} is removed")


def _given(from_stdin: bool) -> str:
    from tidelake.errors import UsageError

    if not from_stdin:
        return ""
    said = sys.stdin.readline().rstrip("\r\n")
    if not said:
        raise UsageError("stdin holds no password", hint="Write it as the first line.")
    return said


def _show(access: Access, given: bool) -> None:
    if not given:
        typer.echo(f"password  {access.password}   (shown once)")
    typer.echo(f"url       {access.url}")
