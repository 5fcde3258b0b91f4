"""One frozen settings object, read once at the edge.

A setting is a field of a section. Its environment variable is `TIDELAKE_<SECTION>_<FIELD>`; in
`tidelake.toml` it stands as `field` under `[section]`. The environment wins over the file, the file
over the default. `docs/settings.md` is made from it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from pydantic import ValidationError, field_validator

from tidelake.errors import SetupError
from tidelake.settings.sections import (
    Alerts,
    Aws,
    Care,
    Collect,
    Dashboard,
    Inbox,
    Lake,
    Load,
    Postgres,
    Process,
    Section,
    Transform,
    WriteKey,
)

__all__ = [
    "NOT_SETTINGS",
    "Alerts",
    "Aws",
    "Care",
    "Collect",
    "Dashboard",
    "Inbox",
    "Lake",
    "Load",
    "Postgres",
    "Process",
    "Section",
    "Settings",
    "Transform",
    "WriteKey",
    "load",
    "masked",
    "names",
    "origins",
]


class Settings(Section):
    """Everything that can be set, and where state lives."""

    home: Path = Path(".tidelake")
    """Folder that holds all state; made for its owner alone."""
    collect: Collect = Collect()
    inbox: Inbox = Inbox()
    process: Process = Process()
    lake: Lake = Lake()
    care: Care = Care()
    postgres: Postgres = Postgres()
    load: Load = Load()
    transform: Transform = Transform()
    dashboard: Dashboard = Dashboard()
    alerts: Alerts = Alerts()
    aws: Aws = Aws()

    @field_validator("home", mode="before")
    @classmethod
    def _named(cls, home: Any) -> Any:
        # Path("") is the working folder, which nobody meant who wrote an empty name.
        if isinstance(home, str) and not home.strip():
            raise ValueError("it names no folder; `.` is the working folder")
        return home

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("transform")
    @classmethod
    def _zone(cls, transform: Transform) -> Transform:
        if transform.timezone not in available_timezones():
            raise ValueError(f"{transform.timezone!r} is no IANA time zone, such as Europe/Berlin")
        return transform

    @property
    def warehouse(self) -> str:
        """Location of the tables: `file://…` or `s3://…`, without a slash at the end."""
        given = self.lake.warehouse.rstrip("/")
        if "://" in given:
            return given
        path = Path(given).absolute() if given else self.home / "lake"
        # Not `as_uri`: Iceberg's readers take the path as it stands, and decode no %20.
        return f"file://{path}"


def load(
    environ: Mapping[str, str] = os.environ,
    file: Path | None = None,
    home: Path | str | None = None,
) -> Settings:
    """The settings from `tidelake.toml` and `TIDELAKE_*`; `home` (from `--home`) wins over both.

    `file` defaults to `$TIDELAKE_CONFIG`, else `tidelake.toml` in the working folder where it
    exists. Raises `SetupError` naming variable, rule and value.
    """
    document = _read_file(environ, file)
    for variable, value in _variables(environ):
        _place(document, variable, value)
    if home is not None:
        document["home"] = str(home)
    if "AWS_ENDPOINT_URL" in environ:
        _section(document, "aws").setdefault("endpoint_url", environ["AWS_ENDPOINT_URL"])
    try:
        settings = Settings.model_validate(document)
    except ValidationError as exc:
        raise _explained(exc) from exc
    _require_plain_path(settings.warehouse)
    return settings


def origins(
    environ: Mapping[str, str] = os.environ,
    file: Path | None = None,
    home: Path | str | None = None,
) -> dict[str, str]:
    """Where each variable's value comes from, by the arguments that `load` got.

    One of `--home`, `environment`, `file` and `default`.
    """
    document, found = _read_file(environ, file), dict[str, str]()
    for variable, path in names().items():
        holder = document if len(path) == 1 else document.get(path[0], {})
        in_file = isinstance(holder, dict) and path[-1] in holder
        found[variable] = "environment" if variable in environ else "file" if in_file else "default"
    if home is not None:
        found["TIDELAKE_HOME"] = "--home"
    if "AWS_ENDPOINT_URL" in environ and found["TIDELAKE_AWS_ENDPOINT_URL"] == "default":
        found["TIDELAKE_AWS_ENDPOINT_URL"] = "environment"
    return found


def masked(text: str) -> str:
    """`text` without the passwords of the URLs and connection strings in it."""
    # To the last @: a password may hold one that should have been escaped.
    text = re.sub(r"(://[^:/?#@\s]*):[^\s]*@", r"\1:***@", text)
    return re.sub(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&']+)", r"\1***", text)


def names() -> dict[str, tuple[str, ...]]:
    """Every environment variable and the path of its setting."""
    found: dict[str, tuple[str, ...]] = {"TIDELAKE_HOME": ("home",)}
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            for name in kind.model_fields:
                found[f"TIDELAKE_{section}_{name}".upper()] = (section, name)
    del found["TIDELAKE_COLLECT_KEYS"]  # a table of tables: only in tidelake.toml
    return found


# Read elsewhere at the edge: the settings file, what dbt's profiles read, what the tests switch on.
NOT_SETTINGS = ("TIDELAKE_CONFIG", "TIDELAKE_CRASH_AT", "TIDELAKE_DBT_", "TIDELAKE_TEST_")


def _read_file(environ: Mapping[str, str], file: Path | None) -> dict[str, Any]:
    named = file or (Path(environ["TIDELAKE_CONFIG"]) if environ.get("TIDELAKE_CONFIG") else None)
    path = named or Path("tidelake.toml")
    if named is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SetupError(
            f"the settings file {path} can not be read: {exc}",
            hint="Mend it, or name another with TIDELAKE_CONFIG.",
        ) from exc


def _variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in environ.items()
        if name.startswith("TIDELAKE_") and not name.startswith(NOT_SETTINGS)
    ]


def _place(document: dict[str, Any], variable: str, value: str) -> None:
    path = names().get(variable)
    if path is None:
        raise SetupError(
            f"{variable} is no setting of tidelake",
            hint="`tidelake settings` lists them all; unset the variable or mend its name.",
        )
    holder = document if len(path) == 1 else _section(document, path[0])
    holder[path[-1]] = value


def _section(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.setdefault(name, {})
    if not isinstance(found, dict):
        raise SetupError(
            f"{name} = {found!r}: it is a section, not a value",
            hint=f"In tidelake.toml write [{name}], and its settings below it.",
        )
    return found


def _require_plain_path(warehouse: str) -> None:
    found = [character for character in "#?%" if character in warehouse]
    if found and warehouse.startswith("file://"):
        raise SetupError(
            f"the lake can not lie at {warehouse}: Iceberg's readers read {found[0]!r} as a sign",
            hint="Choose another folder with --home, or set TIDELAKE_LAKE_WAREHOUSE.",
        )


def _explained(exc: ValidationError) -> SetupError:
    first = exc.errors()[0]
    path = tuple(str(step) for step in first["loc"])
    variable = "TIDELAKE_" + "_".join(path).upper()
    place = f"`{path[-1]}` in tidelake.toml"
    if first["type"] == "extra_forbidden":
        hint = f"tidelake.toml has no such name: mend or remove `{path[-1]}`; `tidelake settings` "
        hint += "lists all."
    elif variable in names():
        hint = f"Set {variable} or {place}; `tidelake settings` explains it."
    else:
        hint = f"Mend {place}; docs/settings.md explains it."
    value = "***" if path[-1] == "password" else masked(repr(first["input"]))
    rule = first["msg"].removeprefix("Value error, ")
    return SetupError(f"{'.'.join(path)} = {value}: {rule}", hint=hint)
