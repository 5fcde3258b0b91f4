"""Each thing that keeps records safe is taken away, and the comparison must notice."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tidelake.errors import TidelakeError
from tidelake.files import SYNCS, Disk
from tidelake.inbox.frame import FRAME_MAGIC

from .mutants import FAULTS, PROGRAM
from .scenarios import wait_for_the_kill, write_files
from .site import Site, until
from .tables import Tables

pytestmark = [pytest.mark.crash, pytest.mark.slow]

NewSite = Callable[..., Site]
SKIP = "TIDELAKE_TEST_SKIP_SYNC"


def killed_before_an_answer(site: Site) -> None:
    """A collector that has acknowledged some requests."""
    child = site.launch_collector(crash_at="collect.before_answer:4")
    with site.clients.traffic(lambda: site.url, pause_s=0.0):
        wait_for_the_kill(child)
    site.drain()


def killed_after_a_release(site: Site) -> None:
    """An ingest after its first commit."""
    _lake_with_records(site)
    wait_for_the_kill(site.start_ingest("commit.after_release:1"))
    site.drain()


def killed_after_a_release_and_the_database_lost(site: Site) -> None:
    """What the inbox was told to forget is in the lake only, which is known by its pointers."""
    _lake_with_records(site)
    wait_for_the_kill(site.start_ingest("commit.after_release:1"))
    site.sweep()
    site.lose_the_database()
    site.drain()


def killed_before_a_commit_of_events(site: Site) -> None:
    """What the lake does not hold yet, the inbox must, even when its time has come."""
    _lake_with_records(site)
    wait_for_the_kill(site.start_ingest("commit.before_events:1"))
    site.sweep()
    site.drain()


def killed_after_a_commit_of_events(site: Site) -> None:
    _lake_with_records(site)
    wait_for_the_kill(site.start_ingest("commit.after_events:1"))
    site.drain()


def asleep_before_an_empty_commit(site: Site) -> None:
    """It stops with a batch whose records are all judged; its successor writes rows; it wakes."""
    with site.lakehouse():
        site.accept([b"no event %d" % number for number in range(10)])
    wait_for_the_kill(site.start_ingest("commit.before_events:1"))
    site.program = _program("asleep before an empty commit", site)
    sleeper = site.start_ingest()
    until(lambda: sleeper.stopped() or sleeper.ended(), "it stops", sleeper)
    site.drain()
    site.accept(site.clients.take(30))
    site.drain()
    sleeper.go_on()
    assert sleeper.stop() == 0, sleeper.said()
    site.drain()


def files_killed_between_rejects_and_events(site: Site) -> None:
    files = write_files(site, 2)
    wait_for_the_kill(site.start("ingest", *files, crash_at="commit.before_events:1"))
    site.ingest(files)


def files_ingested_twice(site: Site) -> None:
    """Once it ends well; all that was not synced is lost then as well."""
    files = write_files(site, 2)
    child = site.start("ingest", *files)
    assert child.wait() == 0, child.said()
    site.ingest(files)


Scenario = Callable[[Site], None]
SCENARIOS: dict[str, Scenario] = {
    "inbox.folder": killed_before_an_answer,
    "inbox.incarnation": killed_before_an_answer,
    "inbox.lane": killed_before_an_answer,
    "inbox.segment": killed_before_an_answer,
    "source.seen": files_killed_between_rejects_and_events,
    "source.done": files_ingested_twice,
    "lake.file": killed_after_a_release,
    "lake.hint": killed_after_a_release_and_the_database_lost,
    "rejects after events": killed_after_a_commit_of_events,
    "release before commit": killed_before_a_commit_of_events,
    "empty append as a property-only move": asleep_before_an_empty_commit,
    "pointer dropped": killed_after_a_release_and_the_database_lost,
}
RECOVERY = "inbox.recovery/bytes"  # needs two ends: a process dies, later the power fails


def _lake_with_records(site: Site) -> None:
    with site.lakehouse():
        site.accept(site.clients.take(60))


def _program(fault: str, site: Site) -> tuple[str, ...]:
    """`fault` on top of what is built into the site's program."""
    if site.program[:2] == PROGRAM:
        return (*PROGRAM, f"{site.program[2]}+{fault}")
    return (*PROGRAM, fault)


def _noticed(site: Site, scenario: Scenario) -> str:
    """What the comparison says after the scenario; empty where all is well."""
    try:
        scenario(site)
        return "; ".join(site.compare().trouble)
    except (TidelakeError, AssertionError, OSError, ValueError) as exc:
        return f"{type(exc).__name__}: {exc}"


@pytest.mark.parametrize(
    "scenario", list(dict.fromkeys(SCENARIOS.values())), ids=lambda of: of.__name__
)
def test_nothing_is_noticed_where_nothing_was_taken_away(site: Site, scenario: Scenario) -> None:
    assert _noticed(site, scenario) == ""


# Those of gold are left out one by one in tests/transform/test_syncs.py.
@pytest.mark.parametrize(
    "sync", [sync for sync in SYNCS if sync != RECOVERY and not sync.startswith("gold.")]
)
def test_a_sync_left_out_is_noticed(sync: str, new_site: NewSite, tables: Tables) -> None:
    scenario = SCENARIOS[sync.partition("/")[0]]
    site = new_site(also={SKIP: sync})
    if sync.startswith("lake.file"):
        site.program = (*PROGRAM, "syncs left out by encoders alone")

    noticed = _noticed(site, scenario)

    tables.add_mutation(f"without the sync {sync}", _told(scenario, noticed))
    assert noticed


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault in SCENARIOS])
def test_a_fault_built_in_is_noticed(fault: str, new_site: NewSite, tables: Tables) -> None:
    scenario = SCENARIOS[fault]

    noticed = _noticed(new_site(program=(*PROGRAM, fault)), scenario)

    tables.add_mutation(fault, _told(scenario, noticed))
    assert noticed


class PowerFails(Disk):
    """Knows which files of a dead process were synced; the others lose what it had not."""

    def __init__(self, skip: str = "") -> None:
        super().__init__()
        self.synced: set[Path] = set()
        self._skip = skip

    def sync_file(self, path: Path, kind: str) -> None:
        if f"{kind}/bytes" != self._skip:
            self.synced.add(path)


def written_unsynced_and_read(site: Site, skip: str = "") -> None:
    """A collector dies before a sync; the ingest finds its frame in the page cache and takes it;
    then the power fails.
    """
    child = site.launch_collector("inbox.after_write:4", TIDELAKE_TEST_DISK="")
    with site.clients.traffic(lambda: site.url, pause_s=0.0):
        wait_for_the_kill(child)
    lost_from = {path: _last_frame(path) for path in site.home.rglob("*.seg")}
    disk = PowerFails(skip)
    site.drain(disk=disk)
    for path in lost_from.keys() - disk.synced:
        os.truncate(path, lost_from[path])
    shutil.rmtree(site.home / "run")
    site.accept(site.clients.take(20))
    site.drain()


def _last_frame(path: Path) -> int:
    return path.read_bytes().rindex(FRAME_MAGIC)


def test_what_is_read_from_the_page_cache_is_synced_first(site: Site, tables: Tables) -> None:
    assert _noticed(site, written_unsynced_and_read) == ""


def test_the_sync_of_a_recovery_left_out_is_noticed(site: Site, tables: Tables) -> None:
    noticed = _noticed(site, partial(written_unsynced_and_read, skip=RECOVERY))

    tables.add_mutation(f"without the sync {RECOVERY}", _told(written_unsynced_and_read, noticed))
    assert noticed


def _told(scenario: Scenario, noticed: str) -> str:
    first = noticed.splitlines()[0] if noticed else "NOTHING"
    said = re.sub(r": \[b['\"].*?['\"]\](?=;|$)", "", first)
    said = re.sub(r"/\S*/|[0-9a-f]{32,}|\S{36}/", "…", said)
    return f"{scenario.__name__.replace('_', ' ')}: {said[:100]}"
