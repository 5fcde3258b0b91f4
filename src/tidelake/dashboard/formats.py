"""Figures as people read them. None is an en dash everywhere."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

NONE = "–"
COMPACT_FROM = 10_000_000
LONGEST_CODE = 8
LONGEST_NAME = 60
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "BRL": "R$"}
WITHOUT_CENTS = {"JPY", "KRW", "VND", "CLP", "ISK", "HUF"}
MINUTE, HOUR, DAY = 60, 3600, 86_400


def number(value: float | None, digits: int = 0) -> str:
    """12,345; 12.3 M from ten millions on."""
    if value is None:
        return NONE
    if abs(value) >= COMPACT_FROM:
        return compact(value)
    return f"{value:,.{digits}f}"


def compact(value: float) -> str:
    """Three digits and a unit: 8.2 k, 12.3 M, 1.2 bn."""
    for size, unit in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            scaled = value / size
            return f"{scaled:,.{0 if abs(scaled) >= 100 else 1}f} {unit}"
    return f"{value:,.0f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 as percent; what is there and too small to be seen is not shown as nothing."""
    if share is None:
        return NONE
    smallest = 10**-digits
    if 0 < abs(share * 100) < smallest:
        return f"<{smallest:.{digits}f}%"
    return f"{share * 100:,.{digits}f}%"


def money(amount: float | None, currency: str) -> str:
    """€1,234.50; whole units from ten thousand on; CHF 20.00 for currencies without a sign."""
    if amount is None:
        return NONE
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    digits = 0 if currency in WITHOUT_CENTS or amount >= 10_000 else 2
    text = compact(amount) if amount >= COMPACT_FROM else f"{amount:,.{digits}f}"
    symbol = SYMBOLS.get(currency)
    if symbol:
        return f"{sign}{symbol}{text}"
    return (
        f"{sign}{text}"
        if currency == "unknown"
        else f"{code(currency)}\N{NO-BREAK SPACE}{sign}{text}"
    )


def code(currency: str) -> str:
    """A currency as it stands in labels: clients send what they like for one."""
    return currency if len(currency) <= LONGEST_CODE else f"{currency[: LONGEST_CODE - 1]}…"


def name(text: str) -> str:
    """A name as it stands at every point of a chart: clients send names of any length."""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def milliseconds(value: float | None) -> str:
    """850 ms, 1.85 s."""
    if value is None:
        return NONE
    return f"{value:,.0f} ms" if value < 1000 else f"{value / 1000:,.2f} s"


def duration(seconds: float | None) -> str:
    """0.4 s, 42 s, 3 min 42 s, 1 h 04 min, 2 d 3 h."""
    if seconds is None:
        return NONE
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02d} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def size(count: float | None) -> str:
    """Bytes in decimal units: 812 B, 7.6 MB."""
    if count is None:
        return NONE
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 1000 or unit == "TB":
            break
        count /= 1000
    return f"{count:,.{0 if unit == 'B' or count >= 100 else 1}f} {unit}"


def day(value: date) -> str:
    """24 Nov 2026."""
    return f"{value.day} {value:%b %Y}"


def days(first: date, last: date) -> str:
    """28 Oct – 24 Nov 2026; a year is said once where it is the same."""
    if (first.year, first.month, first.day) == (last.year, last.month, last.day):
        return day(last)
    start = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return f"{start} – {day(last)}"


def counted(count: int, what: str) -> str:
    """1 day, 1,200 days."""
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def clock(moment: datetime | None) -> str:
    """14:03:07.120, in the zone that the moment has."""
    return NONE if moment is None else f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def moment(at: datetime | None, zone: str, now: datetime) -> str:
    """A clock in the zone, with its day where that is not today: 23 Nov, 14:03:07.120."""
    if at is None:
        return NONE
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    return clock(local) if local.date() == today else f"{local.day} {local:%b}, {clock(local)}"


def change(now: float | None, before: float | None) -> float | None:
    """Relative change; none where there is nothing to compare with."""
    if now is None or before is None or before == 0:
        return None
    return (now - before) / abs(before)


def ratio(part: float | None, whole: float | None) -> float | None:
    """Share of a whole; none of nothing."""
    return part / whole if part is not None and whole else None
