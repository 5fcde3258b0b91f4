"""The published gold files of a home: versions that never change, and a pointer to the newest.

    gold/gold-00000012.duckdb   one version
    gold/current                the name of the newest, replaced atomically
    dbt/private/                the private file in which the next version is made

DuckDB lets nobody read a file that it writes, so the next version is made in a copy of the newest
one, synced, and renamed before the pointer names it.

Readers keep the version that they opened: a removed one takes its space until the last of them has
closed it. Who read the pointer and comes to find that version removed reads the pointer again.
"""

from __future__ import annotations

import os
import re
import shutil
from itertools import accumulate, pairwise
from pathlib import Path

from tidelake import crash
from tidelake.errors import OverloadedError
from tidelake.files import Disk
from tidelake.files.trouble import translated

NAME = re.compile(r"gold-(\d{8,})\.duckdb")
SPARE = 64 * 1024 * 1024  # bytes that must stay free beyond a copy and what is changed in it
ALWAYS = 2  # newest versions that stay: the one that readers have, and the one to go back to


class GoldFolder:
    """The folder `gold` of a home, for one process at a time; reading it needs no leave."""

    def __init__(self, home: Path, disk: Disk) -> None:
        self.path = home / "gold"
        self.work = home / "dbt" / "private" / "work.duckdb"
        self._disk = disk

    def current(self) -> int | None:
        """The version that the pointer names; None where there is none that is to be had."""
        pointer = self.path / "current"
        if not self._disk.exists(pointer):
            return None
        found = NAME.fullmatch(self._disk.read(pointer).decode("utf-8", "replace").strip())
        return int(found[1]) if found and self._disk.exists(self.path / found[0]) else None

    def versions(self) -> dict[int, Path]:
        """Every version whose file is there, also such that were never pointed at; oldest first."""
        found = (NAME.fullmatch(name) for name in self._disk.names(self.path))
        return dict(sorted((int(one[1]), self.path / one[0]) for one in found if one))

    def take_copy(self, version: int | None) -> None:
        """Makes the private file a copy of a version, or removes it for None.

        Raises `OverloadedError` where the disk has no room for it and for what is changed in it.
        """
        self.discard_work()
        if version is None:
            return
        source = self.file(version)
        self._require_room(2 * source.stat().st_size)
        # Not through the disk: it is worth nothing after a crash, so nothing is synced.
        with translated("copy to", self.work):
            _copy(source, self.work)

    def discard_work(self) -> None:
        """Removes the private file with what DuckDB keeps beside it."""
        with translated("make anew", self.work):
            self.work.parent.mkdir(parents=True, exist_ok=True)
            for left in self.work.parent.glob(f"{self.work.name}*"):
                # A folder is what found no room in memory, of a run that was killed.
                shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)

    def store(self, version: int) -> Path:
        """Makes the private file, which nobody has open, a new version; durable at the end.

        What lies there is from a run that was killed before it published, and is replaced.
        """
        path = self.file(version)
        self._disk.adopt(self.work, path, "gold.file")
        crash.point("transform.after_store")
        return path

    def point_at(self, version: int) -> None:
        """Leads readers to a stored version, atomically and durably."""
        crash.point("transform.before_pointer")
        name = self.file(version).name
        self._disk.write_atomically(self.path / "current", name.encode(), "gold.pointer")
        crash.point("transform.after_pointer")

    def remove_version(self, version: int) -> None:
        self._disk.remove(self.file(version))

    def prune(self, keep: int, keep_s: float, keep_bytes: int, now: float) -> list[int]:
        """Removes old versions: not one of the `keep` newest, and replaced `keep_s` seconds ago.

        Of those that stay the older ones go where all together have more than `keep_bytes`; the
        newest two never do. Versions beyond the pointer were never published and go at once.
        Gives what was removed.
        """
        current = self.current() or 0
        files = self.versions()
        published = [version for version in files if version <= current]
        gone = {version for version in files if version > current}
        for version, successor in list(pairwise(published))[: max(0, len(published) - keep)]:
            if files[successor].stat().st_mtime < now - keep_s:
                gone.add(version)
        sizes = accumulate(files[version].stat().st_size for version in reversed(published))
        for version, total in list(zip(reversed(published), sizes, strict=True))[ALWAYS:]:
            if total > keep_bytes:
                gone.add(version)
        for version in sorted(gone):
            self._disk.remove(files[version])
        return sorted(gone)

    def file(self, version: int) -> Path:
        return self.path / f"gold-{version:08d}.duckdb"

    def _require_room(self, wanted: int) -> None:
        free = self._disk.free_bytes(self.path)
        if free < wanted + SPARE:
            raise OverloadedError(
                f"gold needs {wanted:,} bytes in {self.path}, and {free:,} are free",
                hint="Free space there, or lower TIDELAKE_TRANSFORM_KEEP_BYTES.",
            )


def _copy(source: Path, target: Path) -> None:
    """Copies a file. A file system that can (XFS, Btrfs) shares its blocks instead, at no cost."""
    if hasattr(os, "copy_file_range") and _shared(source, target):
        return
    shutil.copyfile(source, target)


def _shared(source: Path, target: Path) -> bool:
    """Lets the system copy; False where it can not, between these two, or did not to the end."""
    with source.open("rb") as read, target.open("wb") as written:
        left = os.fstat(read.fileno()).st_size
        try:
            while left > 0 and (done := os.copy_file_range(read.fileno(), written.fileno(), left)):
                left -= done
        except OSError:
            return False
    return left == 0
