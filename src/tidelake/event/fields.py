"""The event contract: one list of fields for each table, from which every schema is made.

A column's name is mechanical: its path in the native record below `_doc` (or from the top), joined
by `_`. The `id` is the Iceberg field id: it stands for ever and is never given to another field.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tidelake.errors import UsageError


class Type(Enum):
    """The types that Arrow, Iceberg, Parquet, PostgreSQL (through pgpq) and Prisma all hold."""

    STRING = "string"
    LONG = "long"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"  # microseconds, UTC
    DATE = "date"
    BINARY = "binary"
    KEY = "key"  # 16 bytes
    STRINGS = "strings"  # list of string


@dataclass(frozen=True, slots=True)
class Field:
    """One column: where it comes from in a native record (`path`), and what it means."""

    id: int
    name: str
    type: Type
    meaning: str
    path: tuple[str, ...] = ()  # empty: added by tidelake
    unit: str = ""
    personal: bool = False
    required: bool = False
    # Written without dictionary and statistics: nearly every value is long and stands once.
    bulky: bool = False

    @property
    def element_id(self) -> int:
        """Iceberg id of a list's element."""
        return 10_000 + self.id


def column_name(path: tuple[str, ...]) -> str:
    """`("_doc", "session_info", "session_id")` is `session_info_session_id`."""
    steps = path[1:] if path[0] == "_doc" and len(path) > 1 else path
    return "_".join(steps)


def sent(
    id: int,
    path: str,
    type: Type,
    meaning: str,
    *,
    unit: str = "",
    personal: bool = False,
) -> Field:
    """A field that clients send: `path` is dotted, `.` for `_doc.` (`.page.url`)."""
    steps = tuple((f"_doc{path}" if path.startswith(".") else path).split("."))
    if not all(steps):
        raise UsageError(f"the path {path!r} has an empty step", hint="Write it as a.b.c or .a.b")
    return Field(id, column_name(steps), type, meaning, steps, unit, personal)


S, L, D, B, T = Type.STRING, Type.LONG, Type.DOUBLE, Type.BOOLEAN, Type.TIMESTAMP

EVENT_FIELDS: tuple[Field, ...] = (
    # ---- identity and time
    Field(1, "event_key", Type.KEY, "Identity of the event: equal for every retry of it", required=True),
    Field(2, "event_id", S, "Id that the client gave the event", ("event_id",), required=True),
    Field(3, "event_type", S, "Type in snake_case, one of the registry where it is known", required=True),
    Field(4, "event_name", S, "Type or name as the client sent it", ("event_type",), required=True),
    Field(5, "event_time", T, "When it happened, corrected for the client's clock where it can be", ("timestamp",), required=True),
    Field(6, "event_day", Type.DATE, "UTC day as the client stated it; 1970-01-01 where it stated none", required=True),
    Field(7, "received_at", T, "When the collector received it", required=True),
    # ---- who
    Field(8, "user_id", S, "Known user", ("user_id",), personal=True),
    Field(9, "anonymous_id", S, "Device or browser of a user who may not be known yet", ("anonymous_id",), personal=True),
    Field(10, "previous_id", S, "Id that this user had before (alias)", ("previous_id",), personal=True),
    Field(11, "group_id", S, "Account or organisation of the user", ("group_id",)),
    # ---- how it came
    Field(12, "source", S, "api, kinesis, cdc or file", required=True),
    Field(13, "source_position", S, "Stream and number of the record in it", required=True),
    Field(14, "format", S, "native, segment, cloudevents or cdc", required=True),
    Field(15, "project", S, "Name behind the write key"),
    Field(16, "quality_flags", Type.STRINGS, "What was not as it should be, e.g. wrong_type:order_total", required=True),
    # ---- metadata
    sent(20, "metadata.browser", S, "Browser name"),
    sent(21, "metadata.os", S, "Operating system name"),
    sent(22, "metadata.device", S, "Device name or class"),
    # ---- session
    sent(30, ".session_info.session_id", S, "The client's own session", personal=True),
    sent(31, ".session_info.duration", D, "Time since the session began", unit="seconds"),
    sent(32, ".session_info.pages_visited", L, "Pages seen in the session so far", unit="pages"),
    sent(33, ".session_info.entry_page", S, "First page of the session"),
    sent(34, ".session_info.exit_page", S, "Last page of the session so far"),
    sent(35, ".session_info.referrer", S, "Where the session came from"),
    sent(36, ".session_info.is_new_session", B, "True for the first event of a session"),
    # ---- user agent
    sent(40, ".user_agent.browser_version", S, "Browser version"),
    sent(41, ".user_agent.platform_version", S, "Operating system version"),
    sent(42, ".user_agent.device_type", S, "desktop, mobile, tablet, bot, other"),
    sent(43, ".user_agent.screen_resolution", S, "Width x height", unit="pixels"),
    sent(44, ".user_agent.language", S, "BCP 47 language tag"),
    sent(45, ".user_agent.timezone", S, "IANA time zone"),
    # ---- location
    sent(50, ".location.country", S, "ISO 3166-1 alpha-2 code, or the name as sent"),
    sent(51, ".location.region", S, "Region or state"),
    sent(52, ".location.city", S, "City", personal=True),
    sent(53, ".location.ip_address", S, "IP address of the client", personal=True),
    sent(54, ".location.isp", S, "Internet provider"),
    sent(55, ".location.connection_type", S, "wifi, 4g, ethernet, …"),
    # ---- engagement
    sent(60, ".engagement.scroll_depth", D, "How far the page was scrolled", unit="percent"),
    sent(61, ".engagement.time_on_page", D, "Time on the page", unit="seconds"),
    sent(62, ".engagement.interactions", L, "Clicks and key presses", unit="count"),
    sent(63, ".engagement.form_submissions", L, "Forms sent", unit="count"),
    sent(64, ".engagement.video_views", L, "Videos played", unit="count"),
    sent(65, ".engagement.downloads", L, "Files downloaded", unit="count"),
    # ---- performance
    sent(70, ".performance.page_load_time", D, "Navigation start to load event", unit="milliseconds"),
    sent(71, ".performance.first_contentful_paint", D, "First contentful paint", unit="milliseconds"),
    sent(72, ".performance.dom_interactive", D, "DOM interactive", unit="milliseconds"),
    sent(73, ".performance.network_latency", D, "Round trip to the server", unit="milliseconds"),
    # ---- page and campaign
    sent(80, ".page.url", S, "Full address of the page", personal=True),
    sent(81, ".page.path", S, "Path of the page"),
    sent(82, ".page.title", S, "Title of the page"),
    sent(83, ".page.referrer", S, "Page before this one", personal=True),
    sent(84, ".page.search", S, "Query string of the page", personal=True),
    sent(90, ".campaign.source", S, "utm_source"),
    sent(91, ".campaign.medium", S, "utm_medium"),
    sent(92, ".campaign.name", S, "utm_campaign"),
    sent(93, ".campaign.term", S, "utm_term"),
    sent(94, ".campaign.content", S, "utm_content"),
    # ---- commerce
    sent(100, ".order.id", S, "Order number"),
    sent(101, ".order.total", D, "What the customer pays", unit="currency"),
    sent(102, ".order.subtotal", D, "Items less discount", unit="currency"),
    sent(103, ".order.shipping", D, "Shipping", unit="currency"),
    sent(104, ".order.tax", D, "Tax", unit="currency"),
    sent(105, ".order.discount", D, "Discount", unit="currency"),
    sent(106, ".order.coupon", S, "Coupon code"),
    sent(107, ".order.currency", S, "ISO 4217 code"),
    sent(110, ".search.query", S, "What was searched for"),
    Field(111, "items", S, "JSON list of {product_id, sku, name, category, price, quantity}", bulky=True),
    Field(112, "traits", S, "JSON object of what is known of the user or group", personal=True, bulky=True),
    # ---- the record itself
    Field(120, "envelope", S, "JSON object: what the request knew and the record does not", personal=True),
    Field(121, "_doc", S, "The nested document, byte for byte as sent", ("_doc",), personal=True, bulky=True),
    Field(122, "_rest", S, "The native record with the value of _doc replaced by null", personal=True, bulky=True),
    Field(123, "_doc_at", L, "rest[:at] + doc + rest[at+4:] is the record as sent", unit="bytes"),
)  # fmt: skip

REJECTED_FIELDS: tuple[Field, ...] = (
    Field(1, "reason", S, "Why it was rejected, one of the closed list", required=True),
    Field(2, "field", S, "Column at fault, where one is"),
    Field(3, "detail", S, "What was found, in a sentence"),
    Field(4, "body", Type.BINARY, "The record, byte for byte as received", personal=True, bulky=True),
    Field(5, "envelope", S, "JSON object: what the request knew", personal=True),
    Field(6, "source", S, "api, kinesis, cdc or file", required=True),
    Field(7, "source_position", S, "Stream and number of the record in it", required=True),
    Field(8, "format", S, "native, segment, cloudevents or cdc", required=True),
    Field(9, "project", S, "Name behind the write key"),
    Field(10, "received_at", T, "When it was received", required=True),
    Field(11, "records", L, "Records this row stands for: 1, or those lost in a damaged frame", required=True),
)  # fmt: skip
