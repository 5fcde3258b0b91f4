"""Which days a choice means, and which are compared with them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tidelake.dashboard.period import CUSTOM, Filters, Period, period_of

FIRST, LAST = date(2026, 9, 26), date(2026, 11, 24)
NOON, TOMORROW = datetime(2026, 11, 24, 12, 40), datetime(2026, 11, 25, 0, 5)


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("Today", 1),
        ("Last 7 days", 7),
        ("Last 28 days", 28),
        ("Last 90 days", 60),
        ("All time", 60),
    ],
)
def test_a_period_ends_today_and_begins_with_the_first_event_at_the_earliest(
    name: str, days: int
) -> None:
    found = period_of(name, FIRST, LAST, LAST)

    assert found == Period(LAST - timedelta(days=days - 1), LAST)


def test_a_period_ends_on_the_last_day_with_an_event_where_that_lies_back() -> None:
    found = period_of("Last 7 days", FIRST, LAST, date(2027, 5, 1))

    assert found == Period(date(2026, 11, 18), LAST)


def test_an_event_of_a_client_whose_clock_is_ahead_moves_no_period_into_the_future() -> None:
    today = LAST - timedelta(days=1)

    assert period_of("Today", FIRST, LAST, today) == Period(today, today)


def test_a_custom_range_that_is_half_chosen_is_its_first_day() -> None:
    assert period_of(CUSTOM, FIRST, LAST, LAST, (FIRST,)) == Period(FIRST, FIRST)
    assert period_of(CUSTOM, FIRST, LAST, LAST, (FIRST, LAST)) == Period(FIRST, LAST)


def test_the_period_before_is_as_long_and_ends_the_day_before() -> None:
    assert Period(date(2026, 11, 18), LAST).before() == Period(
        date(2026, 11, 11), date(2026, 11, 17)
    )


@pytest.mark.parametrize(
    ("days", "compare", "compared"), [(28, True, True), (31, True, False), (28, False, False)]
)
def test_nothing_is_compared_with_days_before_the_first_event(
    days: int, compare: bool, compared: bool
) -> None:
    period = Period(LAST - timedelta(days=days - 1), LAST)

    found = Filters(period, TOMORROW, "shop", "DE", compare, FIRST).before

    assert (found is not None) == compared
    if found is not None:
        assert (found.period, found.project, found.country) == (period.before(), "shop", "DE")


def test_a_period_that_is_over_is_compared_whole_with_the_whole_one_before() -> None:
    week = Filters(Period(date(2026, 11, 18), LAST), TOMORROW, known_from=FIRST)

    assert not week.unfinished
    assert week.over == week
    assert week.before == week.previous
    assert week.before is not None
    assert week.before.period == Period(date(2026, 11, 11), date(2026, 11, 17))


def test_an_unfinished_day_is_left_out_and_so_is_its_counterpart_in_the_period_before() -> None:
    week = Filters(Period(date(2026, 11, 18), LAST), NOON, known_from=FIRST)

    assert week.unfinished
    assert week.over is not None
    assert week.over.period == Period(date(2026, 11, 18), date(2026, 11, 23))
    assert week.before is not None
    assert week.before.period == Period(date(2026, 11, 11), date(2026, 11, 16))


def test_of_today_alone_only_the_hours_that_are_over_can_be_compared() -> None:
    today = Filters(Period(LAST, LAST), NOON, known_from=FIRST)

    assert today.over is None
    assert today.before is None
    assert today.previous is not None
    assert today.previous.period == Period(date(2026, 11, 23), date(2026, 11, 23))
    assert today.hours_over == 12
    assert Filters(Period(LAST, LAST), TOMORROW, known_from=FIRST).hours_over == 24


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [("2026-11-18", "2026-11-23", 6), ("2026-11-18", "2026-11-30", 7), ("2026-09-01", None, None)],
)
def test_days_count_by_the_calendar_as_far_as_gold_knows_them(
    first: str, last: str | None, days: int | None
) -> None:
    period = Period(date.fromisoformat(first), date.fromisoformat(last) if last else FIRST)

    found = Filters(period, NOON, known_from=FIRST).known_days

    assert found == (1 if days is None else days)
