"""The sections of the settings: names, types, defaults and what each means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

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
    """Days of load after which raw partitions go; 0 keeps all. Silver and the lake stay."""


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
    keep_bytes: Positive = 2 * GB
    """Most bytes of published gold files: older ones then go at once, the newest two stay."""
    names_a_day: Positive = 2_000
    """Most paths, searches, types … that gold holds of a project's day; the rest is "(other)"."""
    memory_bytes: Annotated[Positive, Field(ge=256 * MB)] = 512 * MB
    """Memory that DuckDB takes to make gold; what needs more waits on the disk."""


class Dashboard(Section):
    """The dashboard over the published gold."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for every network, which needs a password."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8501
    """Port to listen on; 0 takes a free one."""
    password: SecretStr = SecretStr("")
    """Asked for before every page; empty asks for none, on this machine alone."""
    open_to_all: bool = False
    """Listens on other addresses without a password: something before it asks who comes."""

    def address(self, port: int) -> str:
        """Where a browser on this machine finds it, should it listen on `port`."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{port}"


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
