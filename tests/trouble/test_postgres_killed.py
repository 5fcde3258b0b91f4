"""PostgreSQL, the loader and the transform are killed while events come, in the middle of work."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from tests.trouble.running import WITHIN_S, Running, home, require_all_in_gold

pytestmark = [pytest.mark.crash, pytest.mark.slow]

# How PostgreSQL knows them while they write: the loader by its role, dbt by its session's name.
AT_WORK = {
    "load": "usename = 'ingest' and query ilike 'copy%'",
    "transform": "application_name like 'tidelake transform%'",
}


def wait_for_work(pipeline: Running, of: str) -> None:
    """Until the part has a transaction open in PostgreSQL that has written something."""
    query = (
        "select from pg_stat_activity where backend_xid is not null "
        f"and datname = 'tidelake' and {AT_WORK[of]}"
    )
    deadline = time.monotonic() + WITHIN_S
    with pipeline.administrator() as connection:
        while connection.execute(query.encode()).fetchone() is None:
            assert time.monotonic() < deadline, f"{of} is never at work"


def kill(pipeline: Running, victim: str) -> None:
    """SIGKILL, as the kernel does when memory is short; returns once it runs anew."""
    killed = pipeline.process(victim)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    pipeline.until(lambda: pipeline.process(victim) not in (None, killed), f"{victim} runs again")


@contextmanager
def held_up(pipeline: Running) -> Iterator[None]:
    """A stranger's lock keeps the transform in the middle of a window."""
    with closing(pipeline.administrator()) as stranger:
        stranger.execute("begin")
        stranger.execute("lock table silver_pii.events in share mode")
        waits = (
            b"select from pg_locks where not granted and relation = 'silver_pii.events'::regclass"
        )
        pipeline.until(lambda: stranger.execute(waits).fetchone() is not None, "it waits")
        yield


def test_kills_and_ctrl_c_in_mid_stream_leave_every_layer_whole() -> None:
    with home() as pipeline:
        pipeline.start()
        for victim, at_work in (
            ("postgres", "load"),
            ("postgres", "transform"),
            ("load", "load"),
            ("transform", "transform"),
        ):
            pipeline.wait_for_newer_gold()
            wait_for_work(pipeline, at_work)
            kill(pipeline, victim)
        pipeline.wait_for_newer_gold()
        with held_up(pipeline):
            version = pipeline.gold_version()
            said = pipeline.stop()

        assert said.count("postgres died (signal SIGKILL)") == 2
        assert said.endswith("stopped; everything is in the lake\n")
        assert pipeline.gold_version() == version, "the last good one stays"
        require_all_in_gold(pipeline)
