"""Every table of gold, made window by window, is what the whole lake says at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.gold.independent.compare import Comparison
from tests.gold.independent.site import open_site
from tests.gold.independent.traffic import Traffic, in_parts, of_the_shop

from tidelake import settings
from tidelake.inbox import Records
from tidelake.settings import Settings

pytestmark = pytest.mark.slow


def settings_of(home: Path, database_url: str, **also: str) -> Settings:
    named = {"TIDELAKE_POSTGRES_URL": database_url, "TIDELAKE_PROCESS_WORKERS": "1"}
    return settings.load(named | also, home=home)


def differences(found: Iterable[Comparison]) -> dict[str, tuple[str, ...]]:
    return {one.question: one.shown for one in found if one.differences}


@pytest.mark.parametrize(("zone", "rows"), [("UTC", 100_000), ("Europe/Berlin", 900)])
def test_gold_says_what_the_lake_says_after_every_window(
    tmp_path: Path, database_url: str, zone: str, rows: int
) -> None:
    also = {"TIDELAKE_TRANSFORM_TIMEZONE": zone, "TIDELAKE_TRANSFORM_WINDOW_ROWS": str(rows)}
    rough = Traffic(seed=7, empty=None, apart_s=0.001).of(people=60).sent
    requests = rough + of_the_shop(lines=1500)

    with open_site(settings_of(tmp_path / "home", database_url, **also)) as site:
        for part in in_parts(requests, 3):
            site.send(part)
            assert site.transform() >= 1
            found = site.compared()
            assert differences(found) == {}

        assert [one.question for one in found if one.rows == 0] == []
        assert site.chosen_otherwise() == []


def test_another_copy_may_be_loaded_first_where_one_commit_has_files_of_two_days(
    tmp_path: Path, database_url: str
) -> None:
    """What `chosen_otherwise` is there to see; the traffic above has no such copies."""
    days = ("2026-11-03", "2026-11-02")  # as they arrive; the folder of the second sorts first
    bodies = [
        b'{"messageId":"m%d","type":"track","event":"Order Completed","userId":"u",'
        b'"timestamp":"%sT10:00:00Z","properties":{"order_id":"o1"}}' % (number, day.encode())
        for number, day in enumerate(days)
    ]
    again = bodies[0].replace(b"11-03", b"11-01")
    received_at = round(datetime(2026, 11, 3, 12, tzinfo=UTC).timestamp() * 1_000_000)

    with open_site(settings_of(tmp_path / "home", database_url)) as site:
        site.send([Records([*bodies, again], b"{}", received_at, "api", "segment")])

        event, order = site.chosen_otherwise()
        assert (event.split()[0], order) == ("event", "order default o1")


def test_an_empty_text_is_no_value(tmp_path: Path, database_url: str) -> None:
    with open_site(settings_of(tmp_path / "home", database_url)) as site:
        site.send(next(in_parts(Traffic(seed=8, empty="", apart_s=0.001).of(people=30).sent, 1)))
        site.transform()

        assert differences(site.compared()) == {}


def test_an_order_is_the_first_of_the_purchases_that_were_received_together(
    tmp_path: Path, database_url: str
) -> None:
    with open_site(settings_of(tmp_path / "home", database_url)) as site:
        site.send(next(in_parts(Traffic(seed=8, empty=None).of(people=30).sent, 1)))
        site.transform()

        assert differences(site.compared()) == {}
