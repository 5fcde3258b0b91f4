"""The page of a report: one HTML file that needs nothing else, on a screen and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from tidelake import __version__
from tidelake.dashboard import formats
from tidelake.dashboard.countries import country_name
from tidelake.dashboard.theme import LOGO
from tidelake.pipeline.report_charts import Bar, bars, share, sparse
from tidelake.pipeline.report_figures import LONGEST, Figures

METRICS = {
    "first_contentful_paint": "First contentful paint",
    "dom_interactive": "DOM interactive",
    "page_load_time": "Page load",
    "network_latency": "Network latency",
}
STEPS = ("Session", "Product view", "Cart", "Checkout", "Purchase")
KINDS = {
    "accepted": "Accepted events",
    "repeat": "Sent again, counted once",
    "late": "Later than an hour",
    "bot": "From bots",
    "unknown_type": "Of an unknown type",
}
LOWER_IS_BETTER = True
FEW_DAYS = 21  # of which as many get a label as fit
CURRENCIES = 2  # that a line of products names


Figure = Callable[[Mapping[str, float]], float | None]
Form = Callable[[float | None], str]


def page(found: Figures) -> str:
    """The whole document."""
    title = f"{found.period.kind.capitalize()} report, {found.title}"
    sections = "".join(_sections(found))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_style()}</style></head><body>"
        f"<main>{_head(found)}{sections}{_foot(found)}</main></body></html>\n"
    )


def _style() -> str:
    return (files(__package__ or "") / "report.css").read_text("utf-8")


def _head(found: Figures) -> str:
    project = f" · project {found.project}" if found.project else ""
    compared = found.filters.compared or found.filters.uncompared
    return (
        f"<header><div class='brand'>{LOGO}</div>"
        f"<p class='kind'>{found.period.kind.capitalize()} report{escape(project)}</p>"
        f"<h1>{escape(found.title)}</h1><p class='note'>{escape(compared)}</p></header>"
    )


def _foot(found: Figures) -> str:
    zone = found.gold.timezone
    at = found.gold.published_at.astimezone(ZoneInfo(zone))
    return (
        f"<footer>Gold version {found.gold.version:,} of {at:%Y-%m-%d %H:%M} {escape(zone)} · days "
        f"and hours in {escape(zone)} · tidelake {escape(__version__)}</footer>"
    )


def _sections(found: Figures) -> Iterator[str]:
    yield f"<section class='cards'>{''.join(_cards(found))}</section>"
    if trouble := found.gold.trouble:
        yield f"<p class='warning'>Figures may be old: {escape(trouble)}</p>"
    yield _section("Traffic", _traffic(found))
    yield _section("Funnel", _funnel(found))
    yield _section("Revenue", _revenue(found))
    yield _pair(_section("Top pages", _pages(found)), _section("Countries", _countries(found)))
    yield _section("Where sessions come from", _acquisition(found))
    yield _section("Web performance", _performance(found))
    yield _pair(
        _section("Data quality", _quality(found)), _section("Rejected records", _rejected(found))
    )
    yield _section("The books", _books(found))


def _cards(found: Figures) -> Iterator[str]:
    def card(label: str, of: Figure, form: Form, *, lower: bool = False) -> str:
        over, before = of(found.over.sums), of(found.before.sums)
        return _card(label, form(of(found.sums)), over, before, lower=lower)

    label = "Visitors" if found.period.kind == "daily" else "Visitors a day"
    yield card(label, _ratio("visitor_days", "days"), formats.number)
    for label, name in (
        ("New visitors", "new_visitors"),
        ("Sessions", "sessions"),
        ("Page views", "page_views"),
        ("Events", "events"),
    ):
        yield card(label, _sum(name), formats.number)
    yield card("Conversion", _ratio("converted", "sessions"), formats.percent)
    yield card("Bounce rate", _ratio("bounces", "sessions"), formats.percent, lower=LOWER_IS_BETTER)
    yield card("Session length", _ratio("duration_s", "sessions"), formats.duration)
    for row in found.rows("revenue", 4):
        money = formats.money(row["revenue"], row["currency"])
        over, before = _revenue_of(found, row["currency"])
        yield _card(f"Revenue, {row['currency']}", money, over, before)


def _sum(name: str) -> Figure:
    return lambda sums: sums.get(name)


def _ratio(part: str, whole: str) -> Figure:
    return lambda sums: formats.ratio(sums.get(part), sums.get(whole))


def _revenue_of(found: Figures, currency: str) -> tuple[float | None, float | None]:
    """Of the days that are over, and of those that they are compared with."""
    return found.over.revenue.get(currency), found.before.revenue.get(currency)


def _card(
    label: str, text: str, now: float | None, before: float | None, *, lower: bool = False
) -> str:
    return (
        f"<div class='card'><span class='label'>{escape(label)}</span>"
        f"<span class='value'>{escape(text)}</span>{_change(now, before, lower=lower)}</div>"
    )


def _change(now: float | None, before: float | None, *, lower: bool = False) -> str:
    """The change to the period before, with an arrow: the colour alone would not say it."""
    moved = formats.change(now, before)
    if moved is None:
        return "<span class='change none'>–</span>"
    if abs(moved) < 0.0005:
        return "<span class='change none'>unchanged</span>"
    good = (moved < 0) if lower else (moved > 0)
    arrow, name = ("▲" if moved > 0 else "▼"), ("good" if good else "bad")
    return f"<span class='change {name}'>{arrow} {formats.percent(abs(moved))}</span>"


def _traffic(found: Figures) -> str:
    hours, parts = found.rows("events_by_hour", None), []
    if found.period.kind == "daily":
        by_hour = {row["hour"].hour: row["events"] for row in hours}
        labels = sparse([f"{hour:02d}" for hour in range(24)])
        columns = [
            Bar(
                by_hour.get(hour, 0),
                labels[hour],
                f"{hour:02d}:00: {by_hour.get(hour, 0):,} events",
            )
            for hour in range(24)
        ]
        parts.append("<h3>Events by hour</h3>" + bars(columns, "Events by hour of the day"))
    labels = _day_labels(found)
    columns = [
        Bar(
            visitors,
            labels[i],
            f"{formats.day(day)}: {visitors:,} visitors",
            found.period.first <= day <= found.period.last,
        )
        for i, (day, visitors) in enumerate(found.trend)
    ]
    return "".join(parts) + "<h3>Visitors a day</h3>" + bars(columns, "Visitors of each day")


def _day_labels(found: Figures) -> list[str]:
    """Of a trend of many weeks the Mondays."""
    labels = [f"{day.day} {day:%b}" for day, _ in found.trend]
    if len(labels) <= FEW_DAYS:
        return sparse(labels)
    return [
        label if day.weekday() == 0 else ""
        for label, (day, _) in zip(labels, found.trend, strict=True)
    ]


def _funnel(found: Figures) -> str:
    reached = {row["step"]: row["sessions"] for row in found.rows("funnel", None)}
    most = reached.get(1, 0)
    if not most:
        return _table(("Step",), ())
    lines, before = [], most
    for step, name in enumerate(STEPS, 1):
        sessions = reached.get(step, 0)
        kept = "" if step == 1 else formats.percent(formats.ratio(sessions, before))
        of_all = formats.percent(formats.ratio(sessions, most))
        lines.append((name, share(sessions, most), formats.number(sessions), of_all, kept))
        before = sessions
    return _table(("Step", "", "#Sessions", "#Of all", "#Of the step before"), lines)


def _revenue(found: Figures) -> str:
    lines = [
        (
            escape(row["currency"]),
            formats.number(row["orders"]),
            formats.money(row["revenue"], row["currency"]),
            _change(*_revenue_of(found, row["currency"])),
            formats.money(formats.ratio(row["revenue"], row["orders"]), row["currency"]),
            formats.number(row["items"]),
            formats.money(row["refunded"], row["currency"]) if row["refunds"] else "–",
        )
        for row in found.rows("revenue")
    ]
    columns = ("Currency", "#Orders", "#Revenue", "#Change", "#Average", "#Items", "#Refunded")
    products = list(_products(found.rows("products", None)))[:LONGEST]
    listed = _table(("Product", "Category", "#Sold", "#Revenue"), products)
    return _table(columns, lines) + (f"<h3>Most sold products</h3>{listed}" if products else "")


def _products(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    """Products by pieces sold, for money of several currencies has no order."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row["product_id"], []).append(row)

    def sold(product: list[dict[str, Any]]) -> int:
        return sum(row["quantity"] for row in product)

    for product in sorted(grouped.values(), key=sold, reverse=True):
        product.sort(key=lambda row: row["quantity"], reverse=True)
        first = product[0]
        money = [formats.money(row["revenue"], row["currency"]) for row in product[:CURRENCIES]]
        more = ["…"] if len(product) > CURRENCIES else []
        yield (
            escape(first["product_name"] or first["product_id"] or "–"),
            escape(first["category"] or "–"),
            formats.number(sold(product)),
            escape(" + ".join(money + more)),
        )


def _pages(found: Figures) -> str:
    rows = found.rows("pages")
    most = max((row["views"] for row in rows), default=0)
    lines = [
        (
            f"<span class='path'>{escape(row['page_path'] or '–')}</span>",
            share(row["views"], most),
            formats.number(row["views"]),
        )
        for row in rows
    ]
    return _table(("Path", "", "#Views"), lines)


def _countries(found: Figures) -> str:
    rows = found.rows("countries")
    most = max((row["visitor_days"] for row in rows), default=0)
    lines = [
        (
            escape(country_name(row["country"])),
            share(row["visitor_days"], most, "second"),
            formats.number(row["visitor_days"]),
        )
        for row in rows
    ]
    counted = "#Visitors" if found.period.kind == "daily" else "#Visitor days"
    return _table(("Country", "", counted), lines)


def _acquisition(found: Figures) -> str:
    lines = [
        (
            escape(row["referrer"] or "–"),
            escape(" / ".join(filter(None, _campaign(row))) or "–"),
            formats.number(row["sessions"]),
            formats.percent(formats.ratio(row["bounces"], row["sessions"])),
            formats.percent(formats.ratio(row["converted"], row["sessions"])),
        )
        for row in found.rows("acquisition")
    ]
    return _table(("Referrer", "Campaign", "#Sessions", "#Bounce rate", "#Conversion"), lines)


def _campaign(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["campaign_source"], row["campaign_medium"], row["campaign_name"]


def _performance(found: Figures) -> str:
    rows = {row["metric"]: row for row in found.rows("performance", None)}
    lines = [
        (
            escape(label),
            formats.milliseconds(row["p50_ms"]),
            formats.milliseconds(row["p75_ms"]),
            _change(
                found.over.p75_ms.get(metric),
                found.before.p75_ms.get(metric),
                lower=LOWER_IS_BETTER,
            ),
            formats.milliseconds(row["p95_ms"]),
            formats.number(row["samples"]),
        )
        for metric, label in METRICS.items()
        if (row := rows.get(metric))
    ]
    columns = ("Metric", "#Half under", "#75% under", "#Change", "#95% under", "#Samples")
    return _table(columns, lines)


def _quality(found: Figures) -> str:
    rows = {row["kind"]: row["records"] for row in found.rows("data_quality", None)}
    accepted = rows.get("accepted", 0)
    lines = [
        (escape(label), formats.number(rows.get(kind, 0)), _of(rows.get(kind, 0), accepted, kind))
        for kind, label in KINDS.items()
    ]
    note = "<p class='note'>By the day on which they were received.</p>"
    return note + _table(("Records", "#", "#Of accepted"), lines)


def _of(records: int, accepted: int, kind: str) -> str:
    return "" if kind == "accepted" else formats.percent(formats.ratio(records, accepted))


def _rejected(found: Figures) -> str:
    lines = [
        (escape(row["name"].replace("_", " ")), formats.number(row["records"]))
        for row in found.rows("data_quality", None)
        if row["kind"] == "rejected"
    ]
    if not lines:
        return "<p class='empty'>No record was rejected.</p>"
    return _table(("Reason", "#Records"), lines[:LONGEST])


def _books(found: Figures) -> str:
    rows = found.rows("books", None)
    lines = [
        (
            escape(row["layer"]),
            escape(row["measure"]),
            formats.number(row["expected"]),
            formats.number(row["found"]),
            _balance(row["difference"]),
        )
        for row in rows
    ]
    wrong = any(row["difference"] for row in rows)
    verdict = (
        "<p class='warning'>The books do not balance: `tidelake status --recount` says where.</p>"
        if wrong
        else "<p class='note'>Every record that was accepted is accounted for in every layer, by "
        "this version of gold and not in this period alone.</p>"
    )
    return verdict + _table(("Layer", "What", "#Came", "#Is there", "#Difference"), lines)


def _balance(difference: int | None) -> str:
    if difference is None:
        return "–"
    return "✓ 0" if difference == 0 else f"<strong class='bad'>✗ {difference:+,}</strong>"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _pair(left: str, right: str) -> str:
    return f"<div class='pair'>{left}{right}</div>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML; a column whose name begins with # holds numbers."""
    lines = list(rows)
    if not lines:
        return "<p class='empty'>Nothing in this period.</p>"
    kinds = [" class='number'" if name.startswith("#") else "" for name in columns]
    head = "".join(
        f"<th{kind}>{escape(name.removeprefix('#'))}</th>"
        for name, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in lines
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='table'>{table}</div>"
