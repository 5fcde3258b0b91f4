"""When a file was first seen.

This is the `received_at` of its records, and it must be the same when an ingest is resumed or
repeated, since events without a time of their own take it. The file's own time would not do: a copy
of the same bytes has another one, `tar` and `git` set any, and none says when *we* received it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tidelake.errors import DamagedError
from tidelake.files import Disk


@dataclass(frozen=True, slots=True)
class Seen:
    """Time in microseconds since 1970, and the name that the file had then."""

    at_us: int
    name: str


def first_seen(home: Path, disk: Disk, sha256: str, name: str, now_us: int) -> Seen:
    """The note about the file with this content, which is made now if there is none.

    Raises `DamagedError` where the note can not be read.
    """
    path = home / "sources" / f"{sha256}.json"
    if not disk.exists(path):
        disk.make_folder(path.parent, "source.seen")
        note = json.dumps({"first_seen_us": now_us, "name": name}) + "\n"
        disk.write_atomically(path, note.encode(), "source.seen")
    try:
        found = json.loads(disk.read(path))
        return Seen(int(found["first_seen_us"]), str(found["name"]))
    except (ValueError, KeyError, TypeError) as exc:
        raise DamagedError(
            f"{path} does not say when the file was first seen: {exc}",
            hint="Remove it if no ingest of this file was begun; else write the received_at of its"
            ' rows: {"first_seen_us": …, "name": …}.',
        ) from exc
