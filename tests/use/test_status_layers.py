"""The books hold over all layers; what a hand changes in one of them is found there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tidelake.lake.entries import live_files
from tidelake.pipeline.recount_gold import recount_gold
from tidelake.pipeline.recount_silver import recount_raw, recount_silver
from tidelake.pipeline.status import status
from tidelake.warehouse.session import connect

from .layered import load, transform


def first_file(layered: Any) -> Path:
    (first, *_) = live_files(layered.lake.events)
    return Path(first.location.removeprefix("file://"))


DAMAGE = {
    "lake": lambda layered: layered.without_file(first_file(layered)),
    "raw": lambda layered: layered.without_one("raw.events"),
    "silver": lambda layered: layered.without_one("silver_pii.events"),
    "gold": lambda layered: layered.with_gold(
        "update gold.revenue_by_day set revenue = revenue + 0.01 where day = "
        "(select min(day) from gold.revenue_by_day)"
    ),
}


@pytest.mark.parametrize("layer", DAMAGE)
def test_a_recount_exits_with_1_and_names_the_layer(
    layered: Any, run_layered: Any, layer: str
) -> None:
    damage: AbstractContextManager[None] = DAMAGE[layer](layered)
    with damage:
        done = run_layered("status", "--recount")

    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert done.exit_code == 1
    assert {line.split()[1].rstrip(":,") for line in wrong} == {layer}
    assert "the books balance" not in done.stdout


def test_the_books_of_all_layers_balance_counted_for_real(layered: Any, run_layered: Any) -> None:
    done = run_layered("status", "--recount", "--json")

    said = json.loads(done.stdout)
    assert (done.exit_code, said["findings"]) == (0, [])
    assert said["counted"]["raw.events"] == 245
    assert said["counted"]["silver.events"] == 240
    assert said["counted"]["silver.orders"] == 60
    assert said["counted"]["gold.daily_traffic"] > 0
    assert said["layer_books"]["silver"]["repeats"] == 5
    assert said["layer_books"]["gold"]["events"] == 240
    assert said["gold"]["version"] == 1
    assert said["books"]["accepted"] == 249


def test_people_see_the_lag_and_the_books_of_every_layer(layered: Any, run_layered: Any) -> None:
    done = run_layered("status")

    assert done.exit_code == 0
    for line in (
        "lake nothing",
        "gold nothing",
        "gold is version 1, up to load",
        "rows of the lake's events = loaded + set aside + waiting 245 245 + 0 + 0",
        "= new events + repeats",
        "240 + 5",
    ):
        assert line in " ".join(done.stdout.split())


SILVER = (
    "silver_pii.sessions",
    "silver_pii.users",
    "silver.page_views",
    "silver.orders",
    "silver.searches",
    "silver.visitor_days",
    "silver.visitor_weeks",
    "silver.visitor_week_changes",
    "silver.session_changes",
    "silver.rejected_events",
    "silver.repeats",
)


@pytest.mark.parametrize("table", SILVER)
def test_a_row_less_in_any_table_of_silver_is_found(layered: Any, table: str) -> None:
    with layered.without_one(table), connect(layered.url) as connection:
        found = recount_silver(connection).findings

    assert {finding.layer for finding in found} == {"silver"}
    assert f"silver.{table.partition('.')[2]} has" in found[0].sentence or len(found) > 1


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("delete from gold.searches", "searches"),
        ("update gold.retention set visitors = visitors + 1", "retention"),
        ("insert into gold.funnel select * replace (9 as step) from gold.funnel limit 1", "funnel"),
        ("drop view gold.web_performance; drop table gold.top_pages", "top_pages"),
    ],
)
def test_any_figure_of_gold_that_silver_does_not_give_is_found(
    layered: Any, statement: str, table: str
) -> None:
    with layered.with_gold(statement):
        found = recount_gold(layered.lakehouse).findings

    assert {finding.layer for finding in found} == {"gold"}
    assert f"gold.{table} " in found[0].sentence


@pytest.mark.parametrize(("one_more", "tables"), [(0, set()), (1, {"searches"})])
def test_names_of_a_full_day_may_be_others_but_not_more(
    layered: Any, one_more: int, tables: set[str]
) -> None:
    """Which of them are depends on how the windows were cut, and a recount cuts them anew."""
    others = f"""
        create or replace table gold.searches as
        select day, project, country, '(other)' as query, sum(searches)::bigint + {one_more}
            as searches
        from gold.searches group by all
    """
    with layered.with_gold(others):
        found = recount_gold(layered.lakehouse).findings

    assert {finding.sentence.split("gold.")[1].split()[0] for finding in found} == tables


@contextmanager
def changed(layered: Any, statement: str, back: str) -> Iterator[None]:
    layered.ask(statement)
    try:
        yield
    finally:
        layered.ask(back)


@pytest.mark.parametrize(
    ("statement", "back", "layer"),
    [
        (
            "update tidelake.load_totals set rows = rows - 1 where table_name = 'events'",
            "update tidelake.load_totals set rows = rows + 1 where table_name = 'events'",
            "raw",
        ),
        (
            "update tidelake.windows set new_events = new_events - 1",
            "update tidelake.windows set new_events = new_events + 1",
            "silver",
        ),
        (
            "update tidelake.publications set events = events - 1",
            "update tidelake.publications set events = events + 1",
            "gold",
        ),
    ],
)
def test_ledgers_that_do_not_add_up_are_found_without_a_recount(
    layered: Any, statement: str, back: str, layer: str
) -> None:
    with changed(layered, statement, back):
        found = status(layered.settings).findings

    assert layer in {finding.layer for finding in found}


def test_days_of_load_that_retention_dropped_keep_their_counts(layered: Any) -> None:
    layered.ask("create table kept_raw as select * from raw.events")
    layered.ask("update tidelake.loads set dropped_at = now() where table_name = 'events'")
    layered.ask("delete from raw.events")
    try:
        found = status(layered.settings, count=True)
    finally:
        layered.ask("insert into raw.events select * from kept_raw")
        layered.ask("update tidelake.loads set dropped_at = null")
        layered.ask("drop table kept_raw")

    assert found.findings == ()
    assert found.rows["raw.events"] == 0
    assert found.rows["silver.events"] == 240


def test_each_layer_says_what_waits_for_it_until_it_has_it(layered: Any) -> None:
    def lags() -> dict[str, int | None]:
        return {lag.layer: lag.waiting for lag in status(layered.settings).layers.lags}

    def balanced() -> bool:
        return status(layered.settings, count=True).findings == ()

    layered.lake.accept([b"{}", *[b'{"event_id":"w","event_type":"click"}'] * 2])
    waits = status(layered.settings).layers.lags[0]
    assert (waits.layer, waits.waiting) == ("lake", 3)
    assert (waits.seconds or 0) > 3600  # it was received on 2026-11-20

    layered.lake.ingest()
    found = status(layered.settings, count=True)
    assert found.findings == ()
    assert found.layers.rows_waiting == {"events": 0, "rejected_events": 3}

    load(layered.lakehouse)
    assert lags() == {"lake": 0, "raw": 0, "silver": 1, "gold": 1}
    assert balanced()

    transform(layered.settings)
    assert lags() == {"lake": 0, "raw": 0, "silver": 0, "gold": 0}
    assert balanced()


def test_a_recount_of_raw_names_the_file_of_the_load(layered: Any) -> None:
    with layered.without_one("raw.events"), connect(layered.url) as connection:
        (found,) = recount_raw(connection).findings

    assert "rows in raw.events, its ledger says" in found.sentence
    assert ".parquet" in found.sentence
