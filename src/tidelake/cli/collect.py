"""`tidelake collect`: the collector alone."""

from __future__ import annotations

from typing import Annotated

import typer

from tidelake.cli.context import settings_of


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
    from pydantic import ValidationError

    from tidelake.errors import UsageError
    from tidelake.pipeline.collect import serve

    given = {"host": host, "port": port, "workers": workers}
    changes = {name: value for name, value in given.items() if value is not None}
    settings = settings_of(ctx)
    try:
        collecting = settings.collect.model_validate(settings.collect.model_dump() | changes)
    except ValidationError as exc:
        wrong = exc.errors()[0]
        raise UsageError(
            f"--{'.'.join(map(str, wrong['loc']))} {wrong['input']!r}: {wrong['msg']}",
            hint="tidelake collect --help says what may be given.",
        ) from exc
    serve(settings.model_copy(update={"collect": collecting}), typer.echo)
