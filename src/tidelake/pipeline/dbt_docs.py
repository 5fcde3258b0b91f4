"""`tidelake docs`: dbt's documentation of silver and gold, as one folder of pages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tidelake.errors import SetupError
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transformer import Transformer, transformer
from tidelake.pipeline.warehouse import opened_warehouse
from tidelake.settings import Settings
from tidelake.transform.dbt import Target

HOST = "127.0.0.1"
TARGETS: tuple[Target, ...] = ("silver", "gold")

INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>tidelake: silver and gold</title>
<style>body { font: 1rem/1.6 system-ui, sans-serif; margin: 4rem auto; max-width: 36rem }</style>
<h1>Silver and gold</h1>
<p>Every model with its grain, its columns and tests, and the lineage from raw to the charts.</p>
<ul>
<li><a href="silver.html">Silver</a>, in PostgreSQL: one row for each thing that happened</li>
<li><a href="gold.html">Gold</a>, in DuckDB: what is asked of it, counted</li>
</ul>
</html>
"""


def write(settings: Settings, into: Path, report: Callable[[str], None]) -> None:
    """Writes `index.html`, `silver.html` and `gold.html` into the folder; they need no server."""
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise SetupError(f"{into} can not be made: {exc}", hint="Choose another --into.") from exc
    with (
        opened_warehouse(settings, "transform") as warehouse,
        transformer(warehouse, Stop()) as ours,
    ):
        for target in TARGETS:
            report(f"reading {target} …")
            page = _page(ours, target, settings.home / "dbt" / f"docs-{target}")
            (into / f"{target}.html").write_bytes(page.read_bytes())
    (into / "index.html").write_text(INDEX, "utf-8")


def serve(folder: Path, port: int, stop: Stop, report: Callable[[str], None]) -> None:
    """Serves the folder on 127.0.0.1 until `stop`; port 0 takes a free one."""
    handler = partial(_Quiet, directory=str(folder))
    try:
        server = ThreadingHTTPServer((HOST, port), handler)
    except OSError as exc:
        raise SetupError(
            f"port {port} of {HOST} can not be used: {exc.strerror}",
            hint="Give another --port; 0 takes a free one.",
        ) from exc
    with server:
        thread = threading.Thread(target=server.serve_forever, name="docs", daemon=True)
        thread.start()
        report(f"http://{HOST}:{server.server_address[1]}/   (Ctrl-C ends it)")
        while not stop.wait(1.0):
            pass
        server.shutdown()
        thread.join()


def _page(ours: Transformer, target: Target, state: Path) -> Path:
    """dbt's one page of a target. Gold's tables are looked up in a copy of what is published."""
    with ours.turn():
        if target == "gold":
            ours.gold.take_copy()
        try:
            ours.target(target).docs(state)
        finally:
            ours.folder.discard_work()
    return state / "static_index.html"


class _Quiet(SimpleHTTPRequestHandler):
    """Without a line on stderr for every request."""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
