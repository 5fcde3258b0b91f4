"""A cycle runs the models of silver that its window has something for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.parsed_once import ParsedOnce
from tests.silver.stand import event, processed
from tests.transform.whole import Whole, whole

from tidelake.pipeline import transformer as joined
from tidelake.pipeline.warehouse import Warehouse
from tidelake.transform.dbt import ModelError


@pytest.fixture
def site(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Whole]:
    monkeypatch.setattr(joined, "DbtTarget", ParsedOnce)
    yield from whole(warehouse)


#: Made where they are missing, by the first run of a process.
MADE_ONCE = {"events", "identities", "locations", "sessions", "users"} | {
    "pii_events",
    "pii_sessions",
    "visitor_weeks",
}


def ran_for(site: Whole, *records: object) -> set[str]:
    site.load(processed([r for r in records if isinstance(r, dict | bytes)]))
    site.ran.clear()
    site.cycle(gold=False)
    return set(site.ran)


def test_models_run_for_events_for_rejects_or_for_both(site: Whole) -> None:
    everything = ran_for(site, event("a", "page_view", "10:00", user_id="ann"))
    for_events = ran_for(site, event("b", "page_view", "10:01", user_id="ann"))
    for_rejects = ran_for(site, b"no JSON")
    for_both = ran_for(site, event("c", "page_view", "10:02", user_id="ann"), b"no JSON either")

    assert everything > MADE_ONCE
    assert for_rejects == {"rejected_events"}
    assert for_events == everything - MADE_ONCE - for_rejects
    assert for_both == everything - MADE_ONCE
    assert site.asked("select count(*) from silver.events") == [(3,)]
    assert site.asked("select count(*) from silver.rejected_events") == [(2,)]
    assert site.asked("select to_load_id, new_events, rejected from tidelake.windows") == [
        (1, 1, 0),
        (2, 1, 0),
        (3, 0, 1),
        (5, 1, 1),
    ]
    assert [one for one in site.test() if not one.passed and one.layer == "silver"] == []


def test_every_model_runs_after_one_failed(site: Whole) -> None:
    everything = ran_for(site, event("a", "page_view", "10:00", user_id="ann"))
    site.do("drop view silver.events")
    site.do("alter table silver.page_views add constraint full_up check (false) not valid")
    with pytest.raises(ModelError):
        ran_for(site, event("b", "page_view", "10:01", user_id="ann"))
    site.do("alter table silver.page_views drop constraint full_up")

    site.ran.clear()
    site.cycle(gold=False)

    assert set(site.ran) == everything
    assert site.asked("select count(*) from silver.events") == [(2,)]


def test_chosen_models_run_again_though_a_crash_of_postgresql_emptied_what_they_read(
    site: Whole,
) -> None:
    ran_for(site, event("a", "page_view", "10:00", user_id="ann"))
    ran_for(site, *(event(one, "page_view", "10:00", user_id="ann") for one in "bc"))
    counted = "select new_events, repeats from tidelake.windows order by to_load_id"
    site.do("truncate silver_pii.new_events")

    site.silver.run_again(["repeats"])

    assert site.asked(counted) == [(1, 0), (2, 0)]
    assert site.asked("select * from silver.repeats") == []
