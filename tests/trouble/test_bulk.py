"""Much of one kind at once, all the way to gold: years, one person, names that occur once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.gold.independent.compare import Comparison
from tests.gold.independent.site import Site, open_site

from tidelake import settings
from tidelake.generate import GeneratorSpec, generate
from tidelake.inbox import Records
from tidelake.lake.follow import Follower
from tidelake.lake.tables import load_table
from tidelake.pipeline.published import opened
from tidelake.pipeline.report import report
from tidelake.pipeline.status import status
from tidelake.settings import Settings
from tidelake.warehouse.session import connect

pytestmark = [pytest.mark.slow]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
A_REQUEST = 250  # records


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    with open_site(settings_of(tmp_path / "home", database_url)) as site:
        yield site


def settings_of(home: Path, database_url: str, **also: str) -> Settings:
    named = {"TIDELAKE_POSTGRES_URL": database_url, "TIDELAKE_PROCESS_WORKERS": "1"}
    return settings.load(named | also, home=home)


def send(site: Site, bodies: Iterable[bytes]) -> None:
    """All of them are received now."""
    every, at = list(bodies), round(NOW.timestamp() * 1_000_000)
    starts = range(0, len(every), A_REQUEST)
    site.send([Records(every[start : start + A_REQUEST], b"{}", at) for start in starts])


def require_whole(site: Site) -> None:
    """Gold is what an independent query finds in the lake, and every layer's books balance."""
    assert differences(site.compared()) == {}
    assert status(site.settings, count=True).findings == ()


def differences(found: Iterable[Comparison]) -> dict[str, tuple[str, ...]]:
    return {one.question: one.shown for one in found if one.differences}


def test_two_years_that_come_in_a_day_are_a_partition_a_day_and_one_window(site: Site) -> None:
    """In no order of time: each request has events of many days."""
    spec = GeneratorSpec(users=60, start=NOW - timedelta(days=730), end=NOW, count=1500)
    bodies = b"".join(chunk.lines() for chunk in generate(spec)).splitlines()
    send(site, [body for first in range(10) for body in bodies[first::10]])
    windows = site.transform()

    days = Counter(json.loads(body)["timestamp"][:10] for body in bodies)
    partitions = load_table(site.lakehouse.catalog, "events").inspect.partitions()
    assert len(days) > 180
    assert sorted(partitions["record_count"].to_pylist()) == sorted(days.values())
    assert windows == 1
    (*files,) = Follower(site.lakehouse.catalog, "events").look(0).fresh
    assert [file.entry.lower_bounds for file in files] == [None] * len(days), "held in vain"
    require_whole(site)


def test_news_of_a_person_cost_the_same_after_a_long_history(site: Site) -> None:
    """Sessions of a hundred events, and one that goes on over all of them."""
    send(site, visits(0, 1500))
    site.transform()
    early = rows_touched(site, visits(1500, 1600))
    send(site, visits(1600, 4500))
    site.transform()
    late = rows_touched(site, visits(4500, 4600))

    assert late <= early * 1.2
    require_whole(site)


def visits(begin: int, end: int) -> Iterator[bytes]:
    """Events of one person by their numbers; half an hour of silence after each hundred."""
    for number in range(begin, end):
        at = NOW - timedelta(days=30) + timedelta(seconds=5 * number, hours=number // 100)
        event = {
            "event_id": f"e{number}",
            "event_type": "page_view",
            "user_id": "somebody",
            "anonymous_id": "a device",
            "timestamp": at.isoformat(),
            "_doc": {"page": {"path": f"/{number % 7}"}},
        }
        if number % 10 == 0:
            event["_doc"] = {"session_info": {"session_id": "never ends"}}
        yield json.dumps(event).encode()


def rows_touched(site: Site, bodies: Iterable[bytes]) -> int:
    """Rows of silver that are read by an index or changed, to take these events."""
    with connect(site.settings.postgres.url) as owner:
        # A table of some pages is read as a whole, whatever there is to look up.
        (database,) = owner.execute("select current_database()").fetchone() or ("",)
        owner.execute(f"alter database {database} set enable_seqscan = off".encode())
        owner.execute("vacuum analyze")
    before = touched(site)
    send(site, bodies)
    site.transform()
    return touched(site) - before


def touched(site: Site) -> int:
    query = """
    select sum(idx_tup_fetch + n_tup_ins + n_tup_upd + n_tup_del)::bigint
    from pg_stat_user_tables
    where schemaname in ('silver', 'silver_pii') and relname <> 'new_events'
    """
    with connect(site.settings.postgres.url) as owner:
        (found,) = owner.execute(query.encode()).fetchone() or (0,)
    return int(found)


def test_names_that_occur_once_are_all_counted_and_few_are_kept(
    tmp_path: Path, database_url: str
) -> None:
    names, kept = 1200, 100
    also = {"TIDELAKE_TRANSFORM_NAMES_A_DAY": str(kept)}
    with open_site(settings_of(tmp_path / "home", database_url, **also)) as site:
        send(site, [named(number) for number in range(names)])
        site.transform()
        assert status(site.settings, count=True).findings == ()

    with opened(site.settings.home) as gold:
        found = gold.execute("select count(*), sum(events) from unknown_types").fetchone()
    assert found == (kept + 1, names)
    written = report(site.settings.home, "daily", NOW.date(), "", tmp_path, NOW)
    assert written.page.stat().st_size < 50_000


def named(number: int) -> bytes:
    event = {
        "event_id": f"e{number}",
        "event_type": f"Event number {number}",
        "user_id": f"u{number % 40}",
        "timestamp": (NOW - timedelta(seconds=number)).isoformat(),
    }
    return json.dumps(event).encode()
