"""The published gold file: found by its pointer, opened read-only, kept until a newer one is there.

The transform publishes a new file and moves the pointer, and removes old files. A reader therefore
opens what the pointer names, asks the pointer again when that file is gone, and keeps the file that
it has when the new one can not be read.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidelake.errors import DamagedError, IncompatibleError, TidelakeError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = Mapping[str, Any]
HINT = "The next publication replaces it; `tidelake rebuild gold` makes it anew."
MEMORY = "128MB"  # of a version: what it keeps of the file and what questions need, then the disk
TRIES = 5  # a version may be published and the one before removed between pointer and opening


@dataclass(frozen=True, slots=True)
class GoldVersion:
    """What a gold file says of itself."""

    version: int
    to_load_id: int
    published_at: datetime
    timezone: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Gold:
    """One version of gold, open. Several threads may ask it at the same time."""

    path: Path
    publication: GoldVersion
    first_day: date | None  # of what was received; none: not one event
    last_day: date | None
    _connection: DuckDBPyConnection = field(repr=False)

    def rows(self, sql: str, given: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a query with named parameters (`$project`).

        Raises `DamagedError` where the file can not be read or has other tables.
        """
        import duckdb

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_with_literals(sql, given or {}))
                names = [column[0] for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except duckdb.Error as exc:
            raise DamagedError(
                f"the gold file {self.path.name} can not be asked: {exc}", hint=HINT
            ) from exc

    def one(self, sql: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The only row of a query that always has one, such as a sum."""
        return self.rows(sql, given)[0]


@dataclass(slots=True)
class GoldReader:
    """The gold of one home: gives the newest version that can be read."""

    home: Path
    trouble: str = ""  # why the version that the pointer names is not the one shown
    _open: Gold | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def named(self) -> str | None:
        """File name in the pointer; none where nothing was published yet."""
        try:
            return (self.home / "gold" / "current").read_text("utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def newest(self) -> Gold | None:
        """The version that the pointer names, or the last one that could be read; none: no gold.

        Raises `DamagedError` or `IncompatibleError` where there is a version and none can be read.
        """
        with self._lock:
            for _ in range(TRIES):
                name = self.named()
                if name is None:
                    return self._open
                if self._open is not None and self._open.path.name == name:
                    self.trouble = ""
                    return self._open
                if self._replaced(self.home / "gold" / name, last=name == self.named()):
                    return self._open
            return self._open

    def _replaced(self, path: Path, last: bool) -> bool:
        """Opens the file in place of the open one; false where the pointer must be asked again."""
        try:
            fresh = open_gold(path)
        except TidelakeError as exc:
            if not last:
                return False
            if self._open is None:
                raise
            self.trouble = exc.message
            return True
        # The one before is closed when the last page that is drawn from it lets go of it.
        self._open, self.trouble = fresh, ""
        return True


def open_gold(path: Path) -> Gold:
    """Opens a gold file. Raises `DamagedError` where it is none, `IncompatibleError` where its
    tables are those of another version of tidelake."""
    import duckdb

    try:
        connection = duckdb.connect(
            str(path),
            read_only=True,
            config={
                "threads": 2,
                "memory_limit": MEMORY,
                # DuckDB makes it when it must and removes it. Its own choice is the same folder in
                # every process, where two dashboards of a home would write over each other.
                "temp_directory": f"{path}.{os.getpid()}.tmp",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        # Not among the options: beside them it refuses the folder.
        connection.execute("set enable_external_access = false")
    except (duckdb.Error, OSError) as exc:
        raise DamagedError(f"the gold file {path.name} can not be read: {exc}", hint=HINT) from exc
    try:
        said = connection.execute(
            "select version, to_load_id, published_at, timezone, coalesce(trouble, '')"
            " from gold.publication"
        ).fetchall()
        days = connection.execute("select min(day), max(day) from gold.daily_traffic").fetchall()
        return Gold(path, GoldVersion(*said[0]), days[0][0], days[0][1], connection)
    except (duckdb.Error, IndexError) as exc:
        connection.close()
        raise IncompatibleError(
            f"the gold file {path.name} was made by another version of tidelake: {exc}", hint=HINT
        ) from exc


def _with_literals(sql: str, given: Mapping[str, Any]) -> str:
    """`$name` as a literal. DuckDB's own parameters import pandas: a second of CPU and 60 MB."""
    return re.sub(r"\$(\w+)", lambda found: _literal(given[found[1]]), sql)


def _literal(value: str | int | date) -> str:
    if isinstance(value, int):
        return str(value)
    kind = "date " if isinstance(value, date) else ""
    # A quote is the only sign that has a meaning within a literal.
    return kind + "'" + str(value).replace("'", "''") + "'"
