"""Finished sources: `<warehouse>/sources/<incarnation>.done` says that a stream was taken in whole.

A file is a source once in its life. Its position would stand in the tables for ever; the mark takes
its place, so that a second `ingest` of the same bytes finds nothing to do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tidelake.errors import DamagedError
from tidelake.lake import file_io
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

KIND = "source.done"


def mark(catalog: Catalog, stream: str, records: int) -> None:
    """Durable when it returns; marking again changes nothing."""
    location = _location(catalog, stream)
    content = json.dumps({"stream": stream, "records": records}).encode()
    with translated(f"mark {stream} as finished"):
        file_io.make_folder(location.rpartition("/")[0], KIND)
        file_io.replace(catalog._load_file_io(location=location), location, content, KIND)


def records(catalog: Catalog, stream: str) -> int | None:
    """Records of a finished stream; none where it is not finished."""
    location = _location(catalog, stream)
    with translated(f"look whether {stream} is finished"):
        content = file_io.read(catalog._load_file_io(location=location), location)
    if content is None:
        return None
    try:
        return int(json.loads(content)["records"])
    except (ValueError, KeyError, TypeError) as exc:
        raise DamagedError(
            f"{location} is no mark of a finished source: {content[:80]!r}",
            hint="Remove it to have the source taken again.",
        ) from exc


def _location(catalog: Catalog, stream: str) -> str:
    incarnation = stream.split("/")[1]
    return f"{catalog.properties['warehouse'].rstrip('/')}/sources/{incarnation}.done"
