"""A column from a path in `_doc`: null in what was, filled in what comes."""

from __future__ import annotations

from typing import Any

import pytest

from tidelake.errors import IncompatibleError, UsageError
from tidelake.event.contract import EVENTS
from tidelake.lake.care import care_once
from tidelake.lake.contract import contract_of, require_known_columns
from tidelake.lake.evolve import add_column
from tidelake.settings import Care

STREAM = "inbox/7d0c/0"


def test_an_added_column_is_null_before_and_filled_after(
    lake: Any, make_rows: Any, make_event: Any
) -> None:
    lake.committer().commit([lake.range(1, 3)])
    field = add_column(lake.catalog, ".page.section", "string")
    contract = contract_of(lake.events)
    rows = [make_event("file/ab/0", 1, page_section="news")]
    lake.store_and_commit(contract, make_rows(contract, rows), last=1, stream="file/ab/0")

    assert (field.id, field.name, field.path) == (2000, "page_section", ("_doc", "page", "section"))
    assert contract["page_section"] == field
    column = lake.events.scan(selected_fields=("page_section",)).to_arrow()["page_section"]
    assert sorted(column.to_pylist(), key=str) == [None, None, None, "news"]


def test_adding_it_again_changes_nothing(lake: Any) -> None:
    add_column(lake.catalog, ".page.section", "string")
    before = lake.events.metadata_location
    add_column(lake.catalog, ".page.section", "string")

    assert lake.events.metadata_location == before


def test_each_added_column_has_an_id_of_its_own(lake: Any) -> None:
    ids = [add_column(lake.catalog, f".page.{n}", "long").id for n in ("a", "b", "c")]

    assert ids == [2000, 2001, 2002]


def test_a_committer_that_held_the_table_writes_the_new_schema(lake: Any) -> None:
    committer = lake.committer()
    committer.commit([lake.range(1, 3)])
    add_column(lake.catalog, ".page.section", "string")
    committer.commit([lake.range(4, 6)])

    assert "page_section" in lake.events.schema().column_names
    assert lake.events.metadata.current_snapshot().schema_id == lake.events.schema().schema_id
    assert lake.numbers() == [1, 2, 3, 4, 5, 6]


def test_compaction_keeps_added_columns(lake: Any, make_rows: Any, make_event: Any) -> None:
    lake.committer().commit([lake.range(1, 3)])
    add_column(lake.catalog, ".page.section", "string")
    contract = contract_of(lake.events)
    rows = [make_event("file/ab/0", 1, page_section="news")]
    lake.store_and_commit(contract, make_rows(contract, rows), last=1, stream="file/ab/0")
    before = lake.events.scan().to_arrow().sort_by("source_position").to_pylist()
    from datetime import UTC, datetime

    care_once(lake.catalog, Care(), datetime(2026, 12, 1, tzinfo=UTC), lambda _: None)

    after = lake.events.scan().to_arrow().sort_by("source_position").to_pylist()
    assert after == before


@pytest.mark.parametrize(
    ("path", "type", "name"),
    [
        ("page.section", "string", ""),
        (".page..section", "string", ""),
        (".page.section", "map", ""),
        (".page.section", "string", "user_id"),
        (".page.url", "string", ""),
    ],
)
def test_what_can_not_be_a_column_is_refused(lake: Any, path: str, type: str, name: str) -> None:
    with pytest.raises(UsageError):
        add_column(lake.catalog, path, type, name)
    assert len(lake.events.schema().fields) == len(EVENTS.fields)


def test_a_column_of_another_engine_is_not_rewritten_away(lake: Any) -> None:
    from pyiceberg.types import StringType

    with lake.events.update_schema() as update:
        update.add_column("theirs", StringType())

    with pytest.raises(IncompatibleError, match="theirs"):
        require_known_columns(lake.events, contract_of(lake.events))
