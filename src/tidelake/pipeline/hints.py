"""Whether `version-hint.text` names the metadata that the catalog has.

Readers without a catalog and `tidelake recover` go by it. A commit replaces it a moment after its
swap, and opening a lake mends it, so what it said before and for how long decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake import pointer
from tidelake.lake.file_io import local_path
from tidelake.lake.tables import NAMESPACE, load_table
from tidelake.observe.books import Finding
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.table_facts import metadata_name
from tidelake.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.table import Table

GRACE_S = 2.0  # between a commit's swap and its hint
LOOKS = 20


@dataclass(frozen=True, slots=True)
class Hints:
    """What the hints of both tables said at a moment (epoch seconds); None: there was none."""

    said: Mapping[str, str | None]
    at: float


def read_before(settings: Settings, now: float) -> Hints | None:
    """The hints of a local warehouse, without opening it; None where it is elsewhere or not made.

    A lake that does not exist yet has no hints, which is no fault.
    """
    said: dict[str, str | None] = {}
    for table in (EVENTS.table, REJECTED.table):
        folder = local_path(f"{settings.warehouse}/{NAMESPACE}/{table}/metadata")
        if folder is None:
            return None
        if folder.is_dir():
            hint = folder / "version-hint.text"
            said[table] = hint.read_text("ascii", "replace").strip() if hint.exists() else None
    return Hints(said, now)


def wrong(
    lakehouse: Lakehouse, before: Hints | None, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Finding]:
    """What the hints say now, and what they said before the lake was opened, where it is wrong."""
    for name in (EVENTS.table, REJECTED.table):
        table = load_table(lakehouse.catalog, name)
        if before is not None and name in before.said:
            yield from _was_wrong(table, before.said[name], before.at)
        yield from _is_wrong(lakehouse, table, sleep)


def _was_wrong(table: Table, said: str | None, at: float) -> Iterator[Finding]:
    """A hint that was behind for longer than a commit takes, or names what never was."""
    written = _written(table)
    if said in written:
        following = _successor(said, written)
        late = following is not None and written[following] < at - GRACE_S
    else:
        late = min(written.values()) < at - GRACE_S
    if late:
        yield _finding(table, said, "; opening the lake mended it")


def _is_wrong(
    lakehouse: Lakehouse, table: Table, sleep: Callable[[float], None]
) -> Iterator[Finding]:
    for _ in range(LOOKS):
        said = pointer.read(table.io, table.metadata.location)
        if said == metadata_name(table):
            return
        sleep(GRACE_S / LOOKS)  # a commit is between its swap and its hint
        table = load_table(lakehouse.catalog, table.name()[-1])
    yield _finding(table, said)


def _written(table: Table) -> dict[str, float]:
    """Names of the remembered metadata files and of the current one, oldest first, with times."""
    past = {
        entry.metadata_file.rpartition("/")[2].removesuffix(pointer.SUFFIX): entry.timestamp_ms
        for entry in table.metadata.metadata_log
    }
    past[metadata_name(table)] = table.metadata.last_updated_ms
    return {name: at / 1000 for name, at in past.items()}


def _successor(name: str, written: Mapping[str, float]) -> str | None:
    later = list(written)[list(written).index(name) + 1 :]
    return later[0] if later else None


def _finding(table: Table, said: str | None, more: str = "") -> Finding:
    name = table.name()[-1]
    shown = f"names {said!r}" if said is not None else "is missing"
    return Finding(
        name,
        f"version-hint.text of {name} {shown}, the catalog has {metadata_name(table)!r}{more}",
    )
