"""The command behind `scripts/data/backfill.py`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tidelake.errors import TidelakeError


def backfill(
    files: Annotated[
        list[str] | None, typer.Argument(help="NDJSON, JSON array, gzip, zstd or Parquet")
    ] = None,
    home: Annotated[
        str | None, typer.Option("--home", help="folder that holds all state (default: .tidelake)")
    ] = None,
) -> None:
    """Brings files, or without any all that the lake holds, to raw, silver and gold, once.

    Works alone or beside a running `tidelake up`. May be run again: what is there is not doubled.
    """
    from tidelake import settings
    from tidelake.pipeline.backfill import backfill as run
    from tidelake.pipeline.stopping import Stop

    run(settings.load(home=home), files or [], Stop().on_signals(), typer.echo)


def main() -> None:
    """The command on its own, for `scripts/data`."""
    try:
        typer.run(backfill)
    except TidelakeError as exc:
        print(f"error: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)
