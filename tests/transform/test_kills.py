"""A real process is killed at a point, or in the middle of a model; then another one goes on."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from tests.transform.conftest import WITHIN_S, Raw
from tests.transform.reading import counted_days, until, windows

from tidelake.crash import POINTS
from tidelake.pipeline.transformer import Transformer
from tidelake.warehouse.session import connect


@pytest.mark.slow
@pytest.mark.parametrize("point", [point for point in POINTS if point.startswith("transform.")])
def test_a_kill_at_any_point_loses_and_doubles_nothing(
    point: str, transformer: Transformer, raw: Raw, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    raw.load("a", "b")
    transformer.cycle()
    raw.load("b", "c")

    assert start("transform", crash_at=point).wait(WITHIN_S) == -signal.SIGKILL
    counted_between = counted_days(transformer)
    live = start("run", "transform")
    until(lambda: counted_days(transformer) == 3, live)  # though nothing more is loaded
    raw.load("d")
    until(lambda: counted_days(transformer) == 4, live)

    assert counted_between in (2, 3)
    assert sum(int(str(row[4])) for row in windows(raw)) == 4
    assert {row[2] for row in windows(raw)} == {"done"}


@pytest.mark.slow
def test_a_kill_in_mid_model_leaves_the_window_to_the_next_run(
    transformer: Transformer, raw: Raw, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    raw.load("a", command="sleep 600")
    process = start("run", "transform")
    until(lambda: querying(raw), process)
    raw.load("b")

    process.kill()
    process.wait(WITHIN_S)
    raw.obey_no_more()
    ended_within(raw)
    transformer.cycle()

    assert windows(raw) == [(0, 1, "done", 1, 1, 0)]
    assert counted_days(transformer) == 1


@pytest.mark.slow
def test_a_part_that_is_told_to_stop_in_a_long_model_breaks_it_off(
    raw: Raw, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    raw.load("a", command="sleep 600")
    process = start("run", "transform")
    until(lambda: querying(raw), process)

    process.terminate()

    assert process.wait(WITHIN_S) == 0
    ended_within(raw)
    assert [row[:3] for row in windows(raw)] == [(0, 1, "running")]


def querying(raw: Raw) -> bool:
    """Whether a model sleeps as it was told to."""
    query = "select from pg_stat_activity where wait_event = 'PgSleep'"
    with connect(raw.admin_url) as connection:
        return connection.execute(query).fetchone() is not None


def ended_within(raw: Raw) -> None:
    """The server notices by itself that whoever asked is gone."""
    deadline = time.monotonic() + WITHIN_S
    while querying(raw):
        assert time.monotonic() < deadline, "the query of a dead process goes on"
        time.sleep(0.1)
