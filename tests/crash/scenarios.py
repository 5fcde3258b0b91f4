"""A process of the pipeline is killed at a point, again and again, while records come in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .site import Child, Site, until

A_FILE = 30  # records
ENCODER_KILLED = "a worker failed on the records"


def killed_collector(site: Site, point: str, passes: Sequence[int]) -> None:
    """Four clients send at once; each start of the collector is the recovery from the last kill."""
    with site.clients.traffic(lambda: site.url, threads=4, pause_s=0.0):
        for number in passes:
            wait_for_the_kill(site.launch_collector(f"{point}:{number}"))
    with site.collector() as url:
        site.clients.send(url, 100)
    site.drain()


def killed_ingest(site: Site, point: str, passes: Sequence[int]) -> None:
    """Records come in all the time; each start of the ingest is the recovery from the last kill."""
    with site.collector() as url:
        site.clients.send(url, 100)
        with site.clients.traffic(lambda: url):
            for number in passes:
                wait_for_the_kill(site.start_ingest(crash_at=f"{point}:{number}"))
    site.drain()


def killed_file_ingest(site: Site, point: str, passes: Sequence[int]) -> None:
    """`tidelake ingest` of more files each time; the last call brings all of them to the lake."""
    files: list[str] = []
    for start, number in enumerate(passes):
        files += write_files(site, max(number, start))
        wait_for_the_kill(site.start("ingest", *files, crash_at=f"{point}:{number}"))
    site.ingest(files)
    site.ingest(files)  # once more adds nothing


def write_files(site: Site, count: int) -> list[str]:
    """Files of records that count as sent: an ingest that ends well acknowledges them."""
    folder = site.home.parent / "files"
    folder.mkdir(exist_ok=True)
    paths = []
    for _ in range(count):
        records = site.clients.take(A_FILE)
        path = folder / f"{len(list(folder.iterdir()))}.ndjson"
        path.write_bytes(b"\n".join(records) + b"\n")
        site.sent.acknowledge(records)
        paths.append(path)
    return [str(path) for path in paths]


def killed_care(site: Site, point: str, passes: Sequence[int]) -> None:
    """Before each start the lake gets small files that are worth a rewrite."""
    with site.collector() as url:
        for number in passes:
            for _ in range(3):
                site.clients.send(url, 30)
                site.drain()
            wait_for_the_kill(site.start("run", "care", crash_at=f"{point}:{number}"))
        site.clients.send(url, 20)
    site.drain()
    files = {Path(path).name for path in site.home.rglob("*.parquet")}
    assert any(name.startswith("c-") for name in files), "nothing was rewritten"


def wait_for_the_kill(child: Child) -> None:
    """Ends with it; an ingest whose encoding process was killed goes on with another one."""
    until(lambda: child.ended() or ENCODER_KILLED in child.said(), "the point is passed", child)
    if child.ended():
        assert child.wait() != 0, child.said()
    child.kill()  # what it started ends by itself; not to be waited for
