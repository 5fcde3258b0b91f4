"""The folder of the published gold: how versions come, stay and go."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from tidelake.files import Disk
from tidelake.transform.gold import GoldFolder

NOW = 1_800_000_000.0
MINUTE = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> GoldFolder:
    return GoldFolder(tmp_path, Disk())


def publish(folder: GoldFolder, version: int, size: int, ago_s: float = 0.0) -> None:
    folder.take_copy(None)
    folder.work.write_bytes(b"x" * size)
    os.utime(folder.work, (NOW - ago_s, NOW - ago_s))
    folder.store(version)
    folder.point_at(version)


def test_young_versions_go_where_all_together_are_too_large(folder: GoldFolder) -> None:
    for version in range(1, 7):
        publish(folder, version, 100)

    assert folder.prune(keep=5, keep_s=10 * MINUTE, keep_bytes=400, now=NOW) == [1, 2]
    assert sorted(folder.versions()) == [3, 4, 5, 6]


def test_the_newest_two_stay_however_large_they_are(folder: GoldFolder) -> None:
    for version in range(1, 4):
        publish(folder, version, 1000)

    assert folder.prune(keep=5, keep_s=10 * MINUTE, keep_bytes=1, now=NOW) == [1]
    assert sorted(folder.versions()) == [2, 3]


def test_old_versions_go_beyond_those_that_are_kept_in_any_case(folder: GoldFolder) -> None:
    for version, minutes in enumerate((40, 30, 20, 5, 0), start=1):
        publish(folder, version, 1, ago_s=minutes * MINUTE)

    assert folder.prune(keep=2, keep_s=10 * MINUTE, keep_bytes=1000, now=NOW) == [1, 2]


def test_a_reader_keeps_a_version_that_is_removed_under_it(folder: GoldFolder) -> None:
    for version in (1, 2, 3):
        folder.take_copy(None)
        with duckdb.connect(str(folder.work)) as connection:
            connection.execute(f"create table said as select {version} as version from range(9999)")
        folder.store(version)
        folder.point_at(version)
        if version == 1:
            reader = duckdb.connect(str(folder.file(1)), read_only=True)

    assert folder.prune(keep=5, keep_s=0.0, keep_bytes=1, now=NOW) == [1]
    with reader:
        assert reader.execute("select sum(version)::int from said").fetchone() == (9999,)


def test_a_copy_is_whole_and_what_is_done_to_it_is_not_done_to_the_version(
    folder: GoldFolder,
) -> None:
    publish(folder, 1, 5_000_001)
    folder.take_copy(1)
    assert folder.work.read_bytes() == b"x" * 5_000_001

    folder.work.write_bytes(b"y")
    assert folder.file(1).stat().st_size == 5_000_001


def test_what_a_killed_run_left_beside_the_private_file_is_in_nobodys_way(
    folder: GoldFolder,
) -> None:
    publish(folder, 1, 10)
    spilled = folder.work.with_name(f"{folder.work.name}.tmp")
    spilled.mkdir()
    (spilled / "duckdb_temp_block-1.block").write_bytes(b"rest")
    folder.work.with_name(f"{folder.work.name}.wal").write_bytes(b"rest")

    folder.take_copy(1)

    assert os.listdir(folder.work.parent) == [folder.work.name]
