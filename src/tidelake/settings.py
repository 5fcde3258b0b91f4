"""One frozen settings object, read once at the edge.

A setting is a field of a section. Its environment variable is `TIDELAKE_<SECTION>_<FIELD>`; in
`tidelake.toml` it stands as `field` under `[section]`. The environment wins over the file, the file
over the default. `docs/settings.md` is made from this module.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tidelake.errors import SetupError

MB = 1024 * 1024
GB = 1024 * MB

# Upper bounds far beyond any use keep sums of them within what clocks and files can hold.
Positive = Annotated[int, Field(gt=0, le=2**62)]
Count = Annotated[int, Field(ge=0, le=2**62)]
Processes = Annotated[int, Field(ge=0, le=1024)]
Seconds = Annotated[float, Field(gt=0, le=1_000_000)]
Hours = Annotated[float, Field(ge=0, le=24_000_000)]
Days = Annotated[float, Field(ge=0, le=1_000_000)]
Rate = Annotated[float, Field(ge=0, le=1e9)]


class Section(BaseModel):
    """A group of settings; unknown names are refused, so that a typo does not pass in silence."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )


class WriteKey(Section):
    """A key that clients send with, kept as its SHA-256: `[collect.keys.<project>]`."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the write key, hexadecimal (`printf %s KEY | sha256sum`)."""
    origins: tuple[str, ...] = ("*",)
    """Origins from which browsers may send with this key."""
    requests_per_s: Rate = 0
    """Requests a second that this key may make; 0 is no limit."""


class Collect(Section):
    """The collector: HTTP requests become durable records."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for every network."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8765
    """Port to listen on; 0 takes a free one."""
    workers: Annotated[Processes, Field(gt=0)] = 1
    """Server processes; each owns one lane of the inbox."""
    keys: Mapping[str, WriteKey] = {}
    """Write keys by project name; none: every client may send, without a project."""
    max_event_bytes: Positive = 32 * 1024
    """Largest event; a larger one in a batch is stored and rejected as too_large."""
    max_segment_bytes: Positive = 500 * 1024
    """Largest Segment batch, decompressed."""
    max_batch_bytes: Positive = 10 * MB
    """Largest native or CloudEvents batch, decompressed."""
    max_held_bytes: Positive = 64 * MB
    """Most bytes of requests that a server process keeps in memory; beyond it answers 503."""
    request_timeout_s: Seconds = 30
    """How long a client may take to send a request."""
    trusted_proxies: Count = 0
    """Proxies in front whose X-Forwarded-For is believed; 0 takes the peer's address."""


class Inbox(Section):
    """The inbox: durable segments of records between the collector and the lake."""

    max_bytes: Positive = 4 * GB
    """Unread bytes at which the collector answers 503."""
    min_free_bytes: Count = 512 * MB
    """Free disk space below which the collector answers 503."""
    segment_bytes: Positive = 64 * MB
    """Size at which a segment is sealed and the next one begun."""
    segment_age_s: Seconds = 60
    """Age at which a segment is sealed."""
    keep_h: Hours = 24
    """Hours that a sealed segment stays for replay after its last write, once the lake holds it."""


class Process(Section):
    """Judging records: limits and registries."""

    workers: Processes = 0
    """Processes that decode and write Parquet; 0 is one a core, two at most."""
    max_ahead_h: Hours = 24
    """Hours after received_at beyond which an event's time is too_late."""
    max_age_days: Days = 3 * 366
    """Days before received_at beyond which an event's time is too_early."""
    event_types: Path | None = None
    """YAML file with event types of your own, read on top of those that come with tidelake."""
    geo_database: Path | None = None
    """MaxMind .mmdb file that gives the country of an IP address; none: no look-up."""


class Lake(Section):
    """The Iceberg tables."""

    warehouse: str = ""
    """Folder or s3:// address of the tables; empty is `lake` in the home."""
    catalog: Literal["sql", "glue", "rest"] = "sql"
    """Catalog: sql (the pipeline's PostgreSQL), glue (AWS) or rest."""
    catalog_uri: str = ""
    """Address of a REST catalog; the others need none."""
    commit_interval_s: Seconds = 1.0
    """Shortest time between two commits under load."""
    quiet_interval_s: Seconds = 5.0
    """Longest time that a record waits for a commit when traffic is low."""
    batch_bytes: Positive = 16 * MB
    """Most raw bytes that one worker takes at a time."""
    reject_alert_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Share of rejected records in a batch above which an alert is raised."""


class Care(Section):
    """Looking after the tables: compaction, tags, expiry, orphans."""

    interval_s: Seconds = 20
    """Time between two looks."""
    small_file_bytes: Positive = 16 * MB
    """Size below which `tidelake lake status` calls a file small; care goes by rows."""
    min_files: Annotated[Positive, Field(ge=2)] = 12
    """Small files of one tier in a day that make a compaction worth it."""
    target_file_bytes: Positive = 256 * MB
    """Size that compaction aims for."""
    keep_snapshots: Positive = 100
    """Snapshots kept besides the tagged ones."""
    hourly_tags_h: Count = 24
    """Hours that hourly tags stay."""
    daily_tags_days: Count = 30
    """Days that daily tags stay."""
    orphan_age_h: Annotated[Hours, Field(ge=1)] = 72
    """Age beyond which a file that no table knows is removed; longer than any queue."""


class Postgres(Section):
    """PostgreSQL: the embedded server, or one of your own."""

    url: str = ""
    """postgresql://… of a server of your own; empty starts the embedded one."""


class Load(Section):
    """Loading the lake's files into the PostgreSQL raw layer."""

    interval_s: Seconds = 0.5
    """Time between two looks for news in the lake."""
    retention_days: Days = 0
    """Days of load after which raw partitions are dropped; 0 keeps all. Silver and the lake stay."""


class Transform(Section):
    """Silver in PostgreSQL and gold in DuckDB, made by dbt."""

    interval_s: Seconds = 5
    """Shortest time from the start of one cycle to the start of the next."""
    test_interval_s: Seconds = 3600
    """Time between two runs of the data tests."""
    window_rows: Positive = 200_000
    """Most raw rows that one cycle takes; a backlog is worked off in several."""
    timezone: str = "UTC"
    """IANA time zone in which gold's days, weeks and hours are reckoned."""
    keep_versions: Positive = 5
    """Published gold files that are kept besides those of the last minutes."""
    keep_min: Seconds = 10
    """Minutes that a published gold file stays, however many came after it."""


class Dashboard(Section):
    """The dashboard over the published gold."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for every network."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8501
    """Port to listen on; 0 takes a free one."""

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}"


class Alerts(Section):
    """Rules that are looked at while the pipeline runs."""

    rules: Path | None = None
    """YAML file with alert rules of your own, instead of those that come with tidelake."""
    webhook_url: str = ""
    """Address that gets a JSON POST when an alert begins or ends; empty sends none."""
    interval_s: Seconds = 15
    """Time between two looks at the rules."""


class Aws(Section):
    """AWS, for warehouses on S3 and the Glue catalog. Credentials come from AWS's own variables."""

    endpoint_url: str = ""
    """Address of an emulator; empty is AWS itself. AWS_ENDPOINT_URL is read where this is empty."""
    region: str = "us-east-1"
    """Region of the bucket and of Glue."""


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
    value = masked(repr(first["input"]))
    rule = first["msg"].removeprefix("Value error, ")
    return SetupError(f"{'.'.join(path)} = {value}: {rule}", hint=hint)
