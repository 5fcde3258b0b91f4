"""`tidelake collect`: the collector alone."""

from __future__ import annotations

from typing import Annotated

import typer

from tidelake.cli.context import overridden, settings_of


def collect(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; 0 takes a free one")] = None,
    workers: Annotated[int | None, typer.Option(help="server processes")] = None,
) -> None:
    """Runs the collector alone: HTTP requests become durable records in the inbox.

    `tidelake up` runs it together with all else. Try it:

    `curl -d '{"event_id":"1","event_type":"click","user_id":"u","timestamp":"2026-11-23"}'
    http://127.0.0.1:8765/v1/events`
    """
    from tidelake.pipeline.collect import serve

    settings = settings_of(ctx)
    given = {"host": host, "port": port, "workers": workers}
    collecting = overridden(settings.collect, given, "collect")
    serve(settings.model_copy(update={"collect": collecting}), typer.echo)
