"""Every sync of the project by name, with what would be lost without it.

A name is `kind/part`: the *kind* says what is written, the *part* is `bytes` (the file's content),
`name` (its entry in the folder) or `folder` (the folders made for it). The test disk can leave one
out (`TIDELAKE_TEST_SKIP_SYNC=inbox.segment/bytes`), and a test must then lose data: a sync that no
test misses is not known to be needed.
"""

from __future__ import annotations

from typing import Final

from tidelake.errors import UsageError

SYNCS: Final = {
    "inbox.folder/folder": "the inbox itself, with all its records",
    "inbox.incarnation/bytes": "which inbox this is, so that positions in the lake mean nothing",
    "inbox.incarnation/name": "which inbox this is, so that positions in the lake mean nothing",
    "inbox.lane/folder": "a lane with all its segments",
    "inbox.segment/bytes": "acknowledged records",
    "inbox.segment/name": "a segment with its acknowledged records",
    "inbox.recovery/bytes": "records found after a crash and handed to the lake",
    "source.seen/folder": "when a file was first seen",
    "source.seen/bytes": "when a file was first seen: a resumed ingest would give other rows",
    "source.seen/name": "when a file was first seen: a resumed ingest would give other rows",
    "source.done/folder": "the folder of the files that were taken in whole",
    "source.done/bytes": "that a file was taken in whole: it would be taken again",
    "source.done/name": "that a file was taken in whole: it would be taken again",
    "lake.file/folder": "a folder of committed files",
    "lake.file/bytes": "rows or metadata of a committed snapshot",
    "lake.file/name": "a file of a committed snapshot",
    "lake.hint/bytes": "the pointer to the newest metadata",
    "lake.hint/name": "the pointer to the newest metadata",
    "gold.file/folder": "the folder of the published files",
    "gold.file/bytes": "figures of a published file",
    "gold.file/name": "a published file",
    "gold.pointer/bytes": "the pointer to the newest published file",
    "gold.pointer/name": "the pointer to the newest published file",
}


def sync_name(kind: str, part: str) -> str:
    """`kind/part`; raises `UsageError` where it is not registered."""
    name = f"{kind}/{part}"
    if name not in SYNCS:
        raise UsageError(
            f"the sync {name} is not registered",
            hint="Add it to tidelake.files.syncs.SYNCS, with what would be lost without it.",
        )
    return name
