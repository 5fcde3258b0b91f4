"""The tables are created any number of times, with the contract's ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tidelake.errors import SetupError, UnavailableError, UsageError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.catalog import open_catalog
from tidelake.lake.tables import create_tables


def test_tables_have_the_field_ids_of_the_contract(lake: Any) -> None:
    for table, contract in ((lake.events, EVENTS), (lake.rejects, REJECTED)):
        assert {f.name: f.field_id for f in table.schema().fields} == {
            f.name: f.id for f in contract
        }


def test_tables_are_partitioned_by_day_in_format_v2(lake: Any) -> None:
    assert [f.name for f in lake.events.spec().fields] == ["event_time_day"]
    assert [f.name for f in lake.rejects.spec().fields] == ["received_at_day"]
    assert lake.events.format_version == 2


def test_creating_them_again_changes_nothing(lake: Any) -> None:
    before = lake.events.metadata_location
    create_tables(lake.open())

    assert lake.events.metadata_location == before


def test_they_lie_where_a_reader_without_a_catalog_looks(lake: Any) -> None:
    hint = lake.warehouse / "events_db/events/metadata/version-hint.text"

    assert lake.events.metadata_location.endswith(f"{hint.read_text()}.metadata.json")


def test_properties_keep_commits_flat_and_statistics_small(lake: Any) -> None:
    properties = lake.events.properties

    assert properties["commit.manifest.target-size-bytes"] == "131072"
    assert properties["write.metadata.metrics.column._doc"] == "none"
    assert "py-io-impl" not in properties


def test_a_new_catalog_over_an_old_warehouse_asks_for_recover(lake: Any, tmp_path: Path) -> None:
    other = open_catalog("sql", lake.warehouse.as_uri(), f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(SetupError, match="tidelake recover"):
        create_tables(other)
    other.close()


def test_an_unknown_catalog_is_a_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'hive' is no catalog"):
        open_catalog("hive", tmp_path.as_uri())


def test_a_catalog_that_does_not_answer_is_unavailable_and_its_password_is_not_told(
    tmp_path: Path,
) -> None:
    with pytest.raises(UnavailableError) as caught:
        open_catalog("sql", tmp_path.as_uri(), "postgresql://me:secret@127.0.0.1:1/lake")

    assert "secret" not in str(caught.value)


def test_a_lake_that_was_moved_or_copied_is_not_written_to(lake: Any, tmp_path: Path) -> None:
    moved = open_catalog("sql", (tmp_path / "copy").as_uri(), lake.url)

    with pytest.raises(SetupError, match="it was moved"):
        create_tables(moved)
    moved.close()
