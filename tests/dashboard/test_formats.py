"""Figures as text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tidelake.dashboard import formats


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (999, "999"), (12345, "12,345"), (9_999_999, "9,999,999"), (12_345_678, "12.3 M"),
     (2_500_000_000, "2.5 bn"), (None, "–")],
)  # fmt: skip
def test_a_count_has_thousands_separators_and_is_short_from_ten_millions_on(
    value: int | None, shown: str
) -> None:
    assert formats.number(value) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(1234.5, "EUR", "€1,234.50"), (12345.6, "USD", "$12,346"), (-3, "GBP", "-£3.00"),
     (5000, "JPY", "¥5,000"), (20, "CHF", "CHF\u00a020.00"), (7, "unknown", "7.00"),
     (None, "EUR", "–")],
)  # fmt: skip
def test_an_amount_has_the_sign_or_code_of_its_currency(
    amount: float | None, currency: str, shown: str
) -> None:
    assert formats.money(amount, currency) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0.0%"), (0.0004, "<0.1%"), (0.123, "12.3%"), (1, "100.0%"), (None, "–")],
)
def test_a_share_that_is_there_is_not_shown_as_nothing(share: float | None, shown: str) -> None:
    assert formats.percent(share) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.42, "0.4 s"), (42, "42 s"), (222, "3 min 42 s"), (59.6, "1 min 00 s"),
     (3840, "1 h 04 min"), (200_000, "2 d 7 h"), (None, "–")],
)  # fmt: skip
def test_a_duration_has_the_units_that_fit_it(seconds: float | None, shown: str) -> None:
    assert formats.duration(seconds) == shown


@pytest.mark.parametrize(("value", "shown"), [(850, "850 ms"), (1850, "1.85 s"), (None, "–")])
def test_a_timing_is_in_seconds_from_one_second_on(value: float | None, shown: str) -> None:
    assert formats.milliseconds(value) == shown


@pytest.mark.parametrize(("count", "shown"), [(812, "812 B"), (7_614_464, "7.6 MB"), (None, "–")])
def test_a_size_has_a_decimal_unit(count: int | None, shown: str) -> None:
    assert formats.size(count) == shown


def test_days_say_the_year_once_where_it_is_the_same() -> None:
    first, last = date(2026, 10, 28), date(2026, 11, 24)

    assert formats.days(first, last) == "28 Oct – 24 Nov 2026"
    assert formats.days(last, last) == "24 Nov 2026"
    assert formats.days(date(2025, 12, 30), date(2026, 1, 2)) == "30 Dec 2025 – 2 Jan 2026"


def test_a_change_needs_something_to_compare_with() -> None:
    assert formats.change(120, 100) == pytest.approx(0.2)
    assert formats.change(120, 0) is None
    assert formats.change(120, None) is None
    assert formats.ratio(1, 0) is None


def test_a_moment_says_its_day_where_that_is_not_today_in_the_zone() -> None:
    now = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
    before = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)

    assert formats.moment(before, "UTC", now) == "23 Nov, 23:30:00.000"
    assert formats.moment(before, "Europe/Berlin", now) == "00:30:00.000"
