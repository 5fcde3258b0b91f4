"""The disk of PostgreSQL is really full while events come, until there is room again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.trouble.running import Running, home, require_all_in_gold

pytestmark = [pytest.mark.slow]

SMALL, LARGER = "250m", "600m"


@contextmanager
def on_a_small_disk(pipeline: Running) -> Iterator[Path]:
    """PostgreSQL's folder is a file system of 250 MB, of which it takes 75 at first."""
    folder = pipeline.server.folder
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("NOT TESTED: PostgreSQL on a full disk; only root can mount a small one")
    folder.mkdir(mode=0o711)
    if not mount("-t", "tmpfs", "-o", f"size={SMALL},mode=0711", "tmpfs", str(folder)):
        pytest.skip("NOT TESTED: PostgreSQL on a full disk; no file system can be mounted here")
    try:
        yield folder
    finally:
        pipeline.halt()
        subprocess.run(["umount", "-l", str(folder)], check=True)


def mount(*arguments: str) -> bool:
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True)
    return done.returncode == 0


def fill(folder: Path) -> None:
    """Not a byte is free; a file of another program takes it all."""
    with (folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(2**20))


def write_until_it_ends(administrator: psycopg.Connection[Any]) -> None:
    """Needs room for the log, without which no server can go on."""
    write = b"select pg_logical_emit_message(false, '', repeat('x', 1000000))"
    with administrator, pytest.raises(psycopg.OperationalError):
        administrator.execute(write + b" from generate_series(1, 500)")


def test_a_full_disk_is_told_and_waited_out_and_then_everything_is_there() -> None:
    with home() as pipeline, on_a_small_disk(pipeline) as disk:
        pipeline.start()
        pipeline.wait_for_newer_gold()
        administrator = pipeline.administrator()
        fill(disk)
        pipeline.until(lambda: both_say_why(pipeline), "ingest and loader say why they wait")
        version = pipeline.gold_version()
        told = pipeline.command("status")
        assert "No space left on device" in told.stdout + told.stderr

        write_until_it_ends(administrator)
        words = "postgres could not be started: the disk is full"
        pipeline.until(lambda: words in pipeline.said(), "up says why PostgreSQL is away")
        refused = "Connection refused"
        pipeline.until(lambda: refused in str(pipeline.part("ingest", "trouble")), "ingest as well")
        for command in ("status", "monitor --once", "lake status"):
            told = pipeline.command(*command.split())
            assert (told.returncode, "Traceback" in told.stderr) == (1, False), told.stderr
            assert refused in told.stderr or "the disk is full" in told.stderr, told.stderr
        assert pipeline.gold_version() == version, "the last good one stays"

        assert mount("-o", f"remount,size={LARGER}", str(disk))
        pipeline.wait_for_newer_gold()
        assert pipeline.part("load", "trouble") == ""
        assert pipeline.stop().endswith("stopped; everything is in the lake\n")
        require_all_in_gold(pipeline)


def both_say_why(pipeline: Running) -> bool:
    return all(
        "No space left on device" in str(pipeline.part(part, "trouble"))
        for part in ("ingest", "load")
    )
