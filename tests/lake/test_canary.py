"""The private and unwritten parts of PyIceberg that the committer stands on.

When a release changes one of them, this says which, before a commit goes wrong. See
docs/decisions/0005-our-own-commit-loop.md.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Transaction
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update import AddSnapshotUpdate, AssertRefSnapshotId, SetSnapshotRefUpdate
from pyiceberg.table.update.snapshot import _MergeAppendFiles, _OverwriteFiles, _SnapshotProducer

from tidelake.lake.producers import Unchanged, merge_append


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("pyiceberg") == "0.12.0"


def test_a_producer_gives_its_updates_without_committing_them(lake: Any) -> None:
    updates, requirements = merge_append(lake.events, {"a": "b"})._commit()

    assert [type(update) for update in updates] == [AddSnapshotUpdate, SetSnapshotRefUpdate]
    assert [type(one) for one in requirements] == [AssertRefSnapshotId]
    assert lake.events.metadata.snapshots == []


def test_a_producer_takes_its_parent_from_an_attribute(lake: Any) -> None:
    lake.committer().commit([lake.range(1, 2)])
    first = lake.events.metadata.current_snapshot_id
    lake.committer().commit([lake.range(3, 4)])
    producer = merge_append(lake.events, {})
    producer._parent_snapshot_id = first
    updates, requirements = producer._commit()

    assert updates[0].snapshot.parent_snapshot_id == first
    assert requirements[0].snapshot_id == lake.events.metadata.current_snapshot_id


def test_a_catalog_commits_updates_and_requirements_as_they_are(lake: Any) -> None:
    for catalog in (SqlCatalog, GlueCatalog, RestCatalog):
        assert parameters(catalog.commit_table) == ["self", "table", "requirements", "updates"]
    head = lake.events.metadata_location
    response = lake.catalog.commit_table(lake.events, (), ())

    assert response.metadata_location == head


def test_a_transaction_reads_metadata_by_one_property() -> None:
    assert isinstance(inspect.getattr_static(Transaction, "table_metadata"), property)
    assert issubclass(Unchanged, Transaction)
    assert parameters(Transaction) == ["table", "autocommit"]


def test_producers_are_the_ones_we_know() -> None:
    assert issubclass(_MergeAppendFiles, _SnapshotProducer)
    assert issubclass(_OverwriteFiles, _SnapshotProducer)
    assert {"append_data_file", "delete_data_file"} <= set(dir(_SnapshotProducer))
    assert parameters(_MergeAppendFiles._process_manifests) == ["self", "manifests"]
    assert "_written_manifests" in _SnapshotProducer.__annotations__


def test_a_replace_has_to_be_made_from_an_overwrite() -> None:
    assert Summary(Operation.REPLACE, a="b").additional_properties == {"a": "b"}
    assert "replace" not in dir(Transaction(None).update_snapshot)  # type: ignore[arg-type]


def test_a_catalog_makes_the_file_io_of_its_properties() -> None:
    assert parameters(Catalog._load_file_io) == ["self", "properties", "location"]
