"""What the test disk forgets: the files as they are after the process that wrote them has died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tidelake.files import SYNCS, VolatileDisk


@pytest.fixture
def disk() -> VolatileDisk:
    return VolatileDisk()


def survives(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def test_bytes_survive_once_synced_and_named(disk: VolatileDisk, tmp_path: Path) -> None:
    file = disk.create(tmp_path / "a", "source.done")
    file.write(b"synced")
    file.sync()
    assert survives(tmp_path / "a") is None

    disk.sync_folder(tmp_path, "source.done")
    assert survives(tmp_path / "a") == b"synced"

    file.write(b" lost")
    file.close()
    assert survives(tmp_path / "a") == b"synced"
    assert disk.read(tmp_path / "a") == b"synced lost"


def test_a_name_survives_without_the_bytes_that_were_not_synced(
    disk: VolatileDisk, tmp_path: Path
) -> None:
    disk.create(tmp_path / "a", "source.done").write(b"lost")
    disk.sync_folder(tmp_path, "source.done")

    assert survives(tmp_path / "a") == b""


def test_a_replaced_file_is_the_old_one_until_its_folder_is_synced(
    disk: VolatileDisk, tmp_path: Path
) -> None:
    disk.write_atomically(tmp_path / "a", b"old", "source.done")
    new = disk.create(tmp_path / "b", "source.done")
    new.write(b"new")
    new.sync()
    disk.replace(tmp_path / "b", tmp_path / "a")

    assert (survives(tmp_path / "a"), disk.read(tmp_path / "a")) == (b"old", b"new")
    disk.sync_folder(tmp_path, "source.done")
    assert (survives(tmp_path / "a"), survives(tmp_path / "b")) == (b"new", None)


def test_a_durable_file_that_is_renamed_has_one_name_at_any_time(
    disk: VolatileDisk, tmp_path: Path
) -> None:
    disk.write_atomically(tmp_path / "a", b"x", "source.done")
    disk.replace(tmp_path / "a", tmp_path / "b")

    assert (survives(tmp_path / "a"), survives(tmp_path / "b")) == (b"x", None)
    assert disk.names(tmp_path) == ["b"]
    disk.sync_folder(tmp_path, "source.done")
    assert (survives(tmp_path / "a"), survives(tmp_path / "b")) == (None, b"x")


def test_a_removed_file_is_back_if_its_folder_was_not_synced(
    disk: VolatileDisk, tmp_path: Path
) -> None:
    disk.write_atomically(tmp_path / "a", b"x", "source.done")
    disk.remove(tmp_path / "a")

    assert survives(tmp_path / "a") == b"x"
    disk.sync_folder(tmp_path, "source.done")
    assert survives(tmp_path / "a") is None


def test_a_folder_that_was_not_synced_takes_all_in_it_along(tmp_path: Path) -> None:
    disk = VolatileDisk(skip=frozenset({"source.done/folder"}))
    disk.make_folder(tmp_path / "a" / "b", "source.done")
    disk.write_atomically(tmp_path / "a" / "b" / "c", b"x", "source.done")

    assert disk.read(tmp_path / "a" / "b" / "c") == b"x"
    assert not (tmp_path / "a").exists()
    disk.sync_folder(tmp_path / "a", "source.done")
    disk.sync_folder(tmp_path, "source.done")
    assert survives(tmp_path / "a" / "b" / "c") == b"x"


@pytest.mark.parametrize(
    ("skipped", "left"),
    [(None, b"new"), ("source.done/bytes", b""), ("source.done/name", b"old")],
)
def test_a_skipped_sync_loses_what_it_was_for(
    skipped: str | None, left: bytes, tmp_path: Path
) -> None:
    VolatileDisk().write_atomically(tmp_path / "a", b"old", "source.done")
    disk = VolatileDisk(skip=frozenset(filter(None, [skipped])))
    disk.write_atomically(tmp_path / "a", b"new", "source.done")

    assert survives(tmp_path / "a") == left
    assert disk.read(tmp_path / "a") == b"new"


def test_every_sync_says_what_would_be_lost_without_it() -> None:
    assert all(name.count("/") == 1 and meaning for name, meaning in SYNCS.items())


KILLED = """
import os, signal, sys
from pathlib import Path
from tidelake.files import open_disk
disk, folder = open_disk(), Path(sys.argv[1])
disk.write_atomically(folder / "kept", b"kept", "source.done")
lost = disk.create(folder / "lost", "source.done")
lost.write(b"lost")
lost.sync()
half = disk.create(folder / "half", "source.done")
half.write(b"kept")
half.sync()
disk.sync_folder(folder, "source.done")
half.write(b"lost")
disk.remove(folder / "kept")
disk.create(folder / "late", "source.done").sync()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_what_it_had_synced(tmp_path: Path) -> None:
    environment = {**os.environ, "TIDELAKE_TEST_DISK": "volatile"}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, env=environment, timeout=60, check=False)

    assert done.returncode == -signal.SIGKILL
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == {"kept": b"kept", "lost": b"lost", "half": b"kept"}
