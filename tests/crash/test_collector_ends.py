"""A server process that hangs at its end: it keeps neither its lane nor its port."""

from __future__ import annotations

import psutil
import pytest

from .site import Site

pytestmark = [pytest.mark.crash]

GONE_WITHIN_S = 15


def hanging_server_process(site: Site) -> psutil.Process:
    """It no longer answers signals, as after a deadlock."""
    child = site.start_collector()
    site.clients.send(site.url or "", 50)
    (server,) = psutil.Process(child.pid).children()
    server.suspend()
    return server


def test_it_dies_with_a_collector_that_is_killed(site: Site) -> None:
    server = hanging_server_process(site)
    site.children[-1].process.kill()

    server.wait(GONE_WITHIN_S)
    with site.collector() as url:
        site.clients.send(url, 50)
    site.drain()
    assert site.compare().trouble == []
    assert len(site.marks()) == 1, "the lane was free again"


@pytest.mark.slow
def test_it_does_not_keep_a_collector_from_stopping(site: Site) -> None:
    server = hanging_server_process(site)

    site.children[-1].stop()
    assert not server.is_running()
    site.drain()
    assert site.compare().trouble == []
