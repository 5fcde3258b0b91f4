"""The published gold as those see it who only read it: which versions there are, and one attached.

`transform.gold` says where they lie and how they come and go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tidelake.errors import UnavailableError, UsageError
from tidelake.files import open_disk
from tidelake.transform.gold import GoldFolder
from tidelake.transform.workfile import Standing, standing

if TYPE_CHECKING:
    import duckdb

TRIES = 5  # a version is removed only long after another was named: twice in a row is no chance
KEEPING = "TIDELAKE_TRANSFORM_KEEP_VERSIONS, _KEEP_MIN and _KEEP_BYTES say which are."


@dataclass(frozen=True, slots=True)
class PublishedGold:
    """One version of gold: its file, and what it says of itself."""

    path: Path
    said: Standing


def newest(home: Path) -> PublishedGold | None:
    """The version that the pointer names; None where none was published, or it can not be read."""
    folder = GoldFolder(home, open_disk())
    for _ in range(TRIES):
        version = folder.current()
        if version is None:
            return None
        if (said := standing(folder.file(version))) is not None:
            return PublishedGold(folder.file(version), said)
    return None


def as_of(home: Path, at: datetime) -> PublishedGold:
    """The newest version that was published by `at` and is kept; raises `UsageError` for none."""
    found = _kept(home)
    before = [one for one in found.values() if one.said.published_at <= at]
    if not before:
        oldest = min((one.said.published_at for one in found.values()), default=None)
        said = f"the oldest kept is of {oldest.isoformat()}" if oldest else "none is kept"
        raise UsageError(f"no gold of {at.isoformat()} is kept: {said}", hint=KEEPING)
    return before[-1]


def version(home: Path, number: int) -> PublishedGold:
    """A version by its number; raises `UsageError` where it is not kept."""
    found = _kept(home)
    if number not in found:
        known = f"{min(found)} to {max(found)} are" if found else "none is"
        raise UsageError(f"gold version {number} is not kept, {known}", hint=KEEPING)
    return found[number]


@contextmanager
def opened(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the newest version, read-only, its tables in schema `gold`.

    Raises `UsageError` where none was published, `UnavailableError` where it can not be read.
    """
    import duckdb

    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        attach(connection, home)
        connection.execute("set timezone = 'UTC'")
        connection.execute("use published.gold")
        yield connection


def said(connection: duckdb.DuckDBPyConnection) -> Standing:
    """What the file that `opened` gave says of itself."""
    row = connection.execute(
        "select version, from_load_id, to_load_id, published_at, timezone, coalesce(trouble, '') "
        "from publication"
    ).fetchone()
    if row is None:
        raise UnavailableError(
            "the published gold does not say which version it is",
            hint="`tidelake transform` publishes a new version.",
        )
    return Standing(*row)


def attach(connection: duckdb.DuckDBPyConnection, home: Path, path: Path | None = None) -> None:
    """Attaches a version (default: the newest) as `published`, read-only; raises as `opened`."""
    import duckdb

    folder, trouble = GoldFolder(home, open_disk()), ""
    for _ in range(TRIES):
        current = folder.current()
        if path is None and current is None:
            break
        file = path or folder.file(current or 0)
        quoted = str(file).replace("'", "''")
        try:
            connection.execute(f"attach '{quoted}' as published (read_only)")
            return
        except duckdb.Error as exc:  # removed since the pointer was read: it names another now
            trouble = f"{file.name}: {exc}"
    if trouble:
        raise UnavailableError(
            f"the published gold can not be read: {trouble}",
            hint="`tidelake transform` publishes a new version.",
        )
    raise UsageError(
        "no gold is published yet",
        hint="`tidelake up` makes it from what comes in; `tidelake transform` makes it once.",
    )


def _kept(home: Path) -> dict[int, PublishedGold]:
    """The published versions that can be read, oldest first."""
    folder = GoldFolder(home, open_disk())
    last = folder.current() or 0  # a version beyond the pointer is not published yet
    files = {number: path for number, path in folder.versions().items() if number <= last}
    said = {number: standing(path) for number, path in files.items()}
    return {number: PublishedGold(files[number], one) for number, one in said.items() if one}
