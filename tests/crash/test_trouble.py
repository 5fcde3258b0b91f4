"""Trouble from outside: damaged bytes, a full disk, a database that is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tidelake.inbox.frame import FRAME_MAGIC, HEADER_BYTES
from tidelake.pipeline.status import status

from .site import Site, until

pytestmark = [pytest.mark.crash]

FRAME = 10  # records
MB = 1024 * 1024


def frames_of(site: Site) -> list[tuple[Path, int]]:
    """File and offset of every frame of the inbox, in order."""
    found = []
    for path in sorted(site.home.rglob("*.seg")):
        content, at = path.read_bytes(), -1
        while (at := content.find(FRAME_MAGIC, at + 1)) >= 0:
            found.append((path, at))
    return found


def change_byte(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0xFF]))


@pytest.mark.parametrize("part", ["header", "payload"])
@pytest.mark.parametrize("number", [0, 3, 8], ids=["first", "middle", "last"])
def test_a_damaged_frame_is_named_and_set_aside_and_the_rest_goes_on(
    site: Site, part: str, number: int
) -> None:
    site.accept(site.clients.take(9 * FRAME), a_frame=FRAME)
    path, offset = frames_of(site)[number]
    change_byte(path, offset + (8 if part == "header" else HEADER_BYTES + 200))
    site.drain()
    site.accept(site.clients.take(FRAME), a_frame=FRAME)
    site.drain()

    found = site.compare(damaged=FRAME)
    damaged = site.lake().damaged
    assert found.trouble == []
    assert [(row.number, row.records) for row in damaged] == [(number * FRAME + 1, FRAME)]
    told = status(site.settings, count=True)
    assert told.findings == ()
    assert told.look.books.damaged == FRAME
    assert told.look.books.total_accepted == 10 * FRAME


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0755", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that leaves next to nothing free."""
    ballast = folder / "ballast"
    free = shutil.disk_usage(folder).free
    ballast.write_bytes(bytes(free - 64 * 1024))
    return ballast


@pytest.mark.slow
def test_a_full_disk_under_the_inbox_is_answered_503_until_there_is_space(
    new_site: Callable[..., Site], small_disk: Path, tmp_path: Path
) -> None:
    site = new_site(
        home=small_disk / "home",
        warehouse=tmp_path / "lake",
        also={"TIDELAKE_TEST_DISK": "", "TIDELAKE_INBOX_SEGMENT_BYTES": "1000000"},
        logs=tmp_path,
    )
    with site.collector() as url:
        site.clients.send(url, 50)
        ballast = fill(small_disk)
        answers = [site.clients.send_once(url, 40) for _ in range(8)]
        refused = [headers for status, headers in answers if status == 503]
        assert {status for status, _ in answers} == {200, 503} or len(refused) == len(answers)
        assert all(int(headers["retry-after"]) > 0 for headers in refused)
        ballast.unlink()
        until(lambda: site.clients.send_once(url, 5)[0] == 200, "it takes events again")
        site.clients.send(url, 50)

    site.drain()
    assert site.compare().trouble == []


@pytest.mark.slow
def test_a_full_disk_under_the_lake_is_waited_out(
    new_site: Callable[..., Site], small_disk: Path
) -> None:
    site = new_site(warehouse=small_disk / "lake", also={"TIDELAKE_TEST_DISK": ""})
    with site.lakehouse():
        site.accept(site.clients.take(30))
    ingest = site.start_ingest()
    until(lambda: site.position() == 30, "the first records are committed", ingest)
    ballast = fill(small_disk)
    site.accept(site.clients.take(200))
    until(lambda: "the disk is full" in ingest.said(), "it tells that the disk is full", ingest)
    assert not ingest.ended()
    ballast.unlink()
    until(lambda: site.position() == 230, "it goes on by itself", ingest)
    assert ingest.stop() == 0, ingest.said()

    assert site.compare().trouble == []


def test_the_lake_is_found_again_after_the_database_was_lost(site: Site) -> None:
    for _ in range(3):
        site.accept(site.clients.take(40))
        site.drain()
    site.accept(site.clients.take(20))
    before = {row.original for row in site.lake().rows}
    site.lose_the_database()
    after = {row.original for row in site.lake().rows}
    site.drain()

    assert after == before
    assert site.compare().trouble == []
