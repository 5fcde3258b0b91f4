"""Users come back, at hours of their own, and everything about them fits together."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

import pytest
from tests.generate.fortnight import START, Questions

from tidelake.generate.devices import all_devices
from tidelake.generate.places import CITIES, COUNTRIES, CURRENCIES, NETWORKS


def _slope(counts: list[int]) -> float:
    """The exponent of counts by rank, by least squares over the first hundred ranks."""
    points = [(math.log(rank + 1), math.log(count)) for rank, count in enumerate(counts[:100])]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return over / sum((x - mean_x) ** 2 for x, _ in points)


def test_users_come_back_and_some_far_more_often(fortnight: Questions) -> None:
    visits = [
        count
        for (count,) in fortnight.rows(
            "select count(distinct session_id) as n from events where user_id is not null"
            " group by user_id order by n desc"
        )
    ]
    returning = sum(count > 1 for count in visits) / len(visits)
    by_the_top_tenth = sum(visits[: len(visits) // 10]) / sum(visits)

    assert 0.2 < returning < 0.6
    assert 0.2 < by_the_top_tenth < 0.6


def test_a_cookie_belongs_to_one_device_of_one_user(fortnight: Questions) -> None:
    ((users, devices),) = fortnight.rows(
        "select max(u), max(d) from (select count(distinct user_id) as u,"
        " count(distinct (metadata, agent.screen_resolution)) as d from events"
        " where anonymous_id is not null group by anonymous_id)"
    )

    assert (users, devices) == (1, 1)


def test_a_user_lives_in_one_city_and_has_few_devices(fortnight: Questions) -> None:
    ((cities, devices, languages),) = fortnight.rows(
        "select max(c), max(d), max(l) from (select count(distinct location.city) as c,"
        " count(distinct (metadata, agent.browser_version, agent.screen_resolution)) as d,"
        " count(distinct agent.language) as l from events group by user_id"
        " having user_id is not null)"
    )

    assert (cities, languages) == (1, 1)
    assert 1 < devices <= 3


@pytest.mark.parametrize("what", ["product_view", "page_view"])
def test_few_things_are_popular_and_many_are_rare(fortnight: Questions, what: str) -> None:
    counts = [
        count
        for (count,) in fortnight.rows(
            f"select count(*) as n from events where event_type = '{what}'"
            " group by page.path order by n desc"
        )
    ]

    assert -1.3 < _slope(counts) < -0.7
    assert len(counts) > 500
    assert sum(counts[:10]) > 0.2 * sum(counts)


def test_people_browse_in_the_evening_and_sleep_at_night_where_they_live(
    fortnight: Questions,
) -> None:
    for country, offset in (("DE", 1), ("US", -6), ("JP", 9), ("IN", 5)):
        ((night, evening),) = fortnight.rows(
            f"select count(*) filter (hour(time + interval ({offset}) hour) in (2, 3, 4)),"
            f" count(*) filter (hour(time + interval ({offset}) hour) in (19, 20, 21))"
            f" from events where location.country = '{country}'"
        )
        assert evening > 6 * night, country


def test_weekends_are_busier_than_weekdays(fortnight: Questions) -> None:
    ((weekday, weekend),) = fortnight.rows(
        "select count(*) filter (isodow(time) in (2, 3, 4)) / 3,"
        " count(*) filter (isodow(time) in (6, 7)) / 2 from events"
    )

    assert 1.08 < weekend / weekday < 1.5


def test_country_region_city_and_time_zone_fit(fortnight: Questions) -> None:
    places = {(c.code, p.region, p.name, p.timezone) for c, p in CITIES}
    seen = fortnight.rows(
        "select distinct location.country, location.region, location.city, agent.timezone"
        " from events"
    )

    assert set(seen) <= places
    assert len(seen) == len(places)


def test_languages_are_spoken_in_the_country(fortnight: Questions) -> None:
    spoken = {(c.code, tag) for c in COUNTRIES for tag, _ in c.languages}

    assert set(fortnight.rows("select distinct location.country, agent.language from events")) <= (
        spoken
    )


def test_addresses_belong_to_the_provider_and_providers_to_the_country(
    fortnight: Questions,
) -> None:
    owned = {
        (c.code, isp.name, network)
        for c in COUNTRIES
        for isp in (*c.fixed, *c.mobile)
        for network in isp.networks
    }
    seen = set(
        fortnight.rows(
            "select distinct location.country, location.isp,"
            " regexp_extract(location.ip_address, '^[0-9]+[.][0-9]+') from events"
        )
    )

    assert seen <= owned
    assert len(NETWORKS) == len(set(NETWORKS))


def test_mobile_connections_are_of_mobile_providers_and_never_at_a_desk(
    fortnight: Questions,
) -> None:
    mobile = {isp.name for country in COUNTRIES for isp in country.mobile}
    seen = fortnight.rows(
        "select distinct location.connection_type, location.isp, agent.device_type from events"
    )

    for connection, isp, device in seen:
        assert (isp in mobile) == (connection in {"3g", "4g", "5g"})
        assert device != "desktop" or connection in {"wifi", "ethernet"}
        assert device == "desktop" or connection != "ethernet"


def test_browser_system_device_and_screen_fit(fortnight: Questions) -> None:
    devices = {
        (d.browser, d.browser_version, d.os, d.os_version, d.type, d.model, d.screen)
        for d in all_devices()
    }
    seen = set(
        fortnight.rows(
            "select distinct metadata.browser, agent.browser_version, metadata.os,"
            " agent.platform_version, agent.device_type, metadata.device, agent.screen_resolution"
            " from events"
        )
    )
    apple = {os for browser, _, os, *_ in seen if "Safari" in browser or os.startswith("i")}

    assert seen <= devices
    assert apple == {"iOS", "iPadOS", "macOS"}


def test_an_independent_parser_finds_the_stated_browser_and_system_in_the_user_agent() -> None:
    from ua_parser import parse

    names = {"macOS": "Mac OS X", "iPadOS": "iOS"}
    for device in all_devices()[::7]:
        found = parse(device.user_agent)
        assert found.user_agent is not None
        assert found.os is not None
        assert found.user_agent.family == device.browser
        assert found.os.family == names.get(device.os, device.os)


def test_page_timings_are_in_order_and_log_normal(fortnight: Questions) -> None:
    disorder = fortnight.one(
        "select count(*) from events where not (0 < performance.network_latency"
        " and performance.network_latency < performance.first_contentful_paint"
        " and performance.first_contentful_paint < performance.dom_interactive"
        " and performance.dom_interactive < performance.page_load_time)"
    )
    ((median, mean, skewness_of_log),) = fortnight.rows(
        "select median(x), avg(x), skewness(ln(x)) from (select performance.page_load_time as x"
        " from events where session.is_new_session)"
    )

    assert disorder == 0
    assert 1000 < median < 4000
    assert mean > 1.04 * median
    assert abs(skewness_of_log) < 0.6


def test_a_page_has_the_same_timings_for_all_its_events(fortnight: Questions) -> None:
    most = fortnight.one(
        "select max(n) from (select count(distinct performance) as n from events"
        " group by session_id, session.pages_visited)"
    )

    assert most == 1


def test_slower_connections_make_slower_pages(fortnight: Questions) -> None:
    latency = dict(
        fortnight.rows(
            "select location.connection_type, median(performance.network_latency) from events"
            " group by 1"
        )
    )

    assert latency["ethernet"] < latency["wifi"] < latency["5g"] < latency["4g"] < latency["3g"]


def test_offsets_from_utc_are_those_of_the_time_zone_database() -> None:
    # Standard time is the smaller of both: Dublin's negative summer time is not in the table.
    for _, city in CITIES:
        zone = ZoneInfo(city.timezone)
        offsets = [zone.utcoffset(START.replace(tzinfo=None, month=month)) for month in (1, 7)]
        standard = min(offset for offset in offsets if offset is not None)
        assert standard.total_seconds() / 60 == city.utc_offset, city.timezone


def test_every_currency_has_a_price() -> None:
    assert {country.currency for country in COUNTRIES} == set(CURRENCIES)
