"""Commits whose answer is wrong, and committers that meet."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from pyiceberg.exceptions import CommitStateUnknownException

from .mutants import PROGRAM
from .site import Site, until

pytestmark = [pytest.mark.crash]

ANSWERS = {
    "an error": CommitStateUnknownException("504 Gateway Time-out"),
    "a time-out": TimeoutError("no answer within 60 s"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_commits_that_landed_and_answered_otherwise_are_made_once(
    site: Site, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyiceberg.catalog.sql import SqlCatalog

    real, landed = SqlCatalog.commit_table, itertools.count()

    def commit_table(*args: Any, **kwargs: Any) -> Any:
        done = real(*args, **kwargs)
        if next(landed) % 2 == 0:
            raise ANSWERS[answer]
        return done

    monkeypatch.setattr(SqlCatalog, "commit_table", commit_table)
    for _ in range(4):
        site.accept(site.clients.take(30))
        site.drain()

    assert next(landed) >= 8
    assert site.compare().trouble == []


@pytest.mark.slow
def test_a_second_ingest_waits_until_the_first_is_killed(site: Site) -> None:
    with site.collector() as url, site.clients.traffic(lambda: url):
        first = site.start_ingest()
        until(lambda: "ingesting" in first.said(), "the first ingests", first)
        second = site.start_ingest()
        until(lambda: "waiting" in second.said(), "the second waits", first, second)
        third = site.start_ingest()
        until(lambda: "waiting" in third.said(), "the third waits", third)
        assert third.stop() == 0, third.said()
        assert not any("ingesting" in other.said() for other in (second, third))
        first.kill()
        until(lambda: "ingesting" in second.said(), "the second takes over", second)
    assert second.stop() == 0, second.said()

    assert site.compare().trouble == []


@pytest.mark.slow
def test_two_committers_at_once_lose_and_double_nothing(new_site: Callable[..., Site]) -> None:
    site = new_site(program=(*PROGRAM, "nobody waits"))
    with ExitStack() as running, site.collector() as url:
        running.enter_context(site.clients.traffic(lambda: url))
        both = [site.start_ingest(), site.start_ingest()]
        until(lambda: all("ingesting" in one.said() for one in both), "both ingest", *both)
        until(lambda: any("another committer" in one.said() for one in both), "they meet", *both)
        site.clients.send(url, 100)
    for one in both:
        assert one.stop() == 0, one.said()

    site.drain()
    assert site.compare().trouble == []
