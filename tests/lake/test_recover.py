"""The catalog is lost; the warehouse knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tidelake.errors import SetupError
from tidelake.lake.catalog import open_catalog
from tidelake.lake.commit import Committer
from tidelake.lake.recover import recover

STREAM = "inbox/7d0c/0"


def test_tables_come_back_with_rows_and_positions(lake: Any, tmp_path: Path) -> None:
    lake.committer().commit([lake.range(1, 9, bad={3})])
    other = open_catalog("sql", lake.warehouse.as_uri(), f"sqlite:///{tmp_path}/other.db")
    events, rejects = recover(other)

    assert events.scan().to_arrow().num_rows == 8
    assert rejects.scan().to_arrow().num_rows == 1
    committer = Committer(other)
    assert committer.start_positions() == {STREAM: (9, 9)}
    committer.commit([lake.range(10, 12)])
    assert events.refresh().scan().to_arrow().num_rows == 11
    other.close()


def test_metadata_that_was_written_and_not_committed_is_not_recovered(
    lake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = lake.committer()
    committer.commit([lake.range(1, 3)])

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    # The metadata file is there, the catalog never heard of it.
    with monkeypatch.context() as patch:
        patch.setattr("pyiceberg.catalog.sql.update", dies)
        with pytest.raises(KeyboardInterrupt):
            committer.commit([lake.range(4, 6)])
    newest = max((lake.warehouse / "events_db/events/metadata").glob("*.metadata.json"))
    assert newest.name.startswith("00002-")

    other = open_catalog("sql", lake.warehouse.as_uri(), f"sqlite:///{tmp_path}/other.db")
    events, _ = recover(other)
    assert events.scan().to_arrow().num_rows == 3
    other.close()


def test_a_warehouse_without_tables_is_told(tmp_path: Path) -> None:
    catalog = open_catalog("sql", (tmp_path / "x").as_uri(), f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(SetupError, match=r"no metadata/version-hint\.text"):
        recover(catalog)
    catalog.close()
