"""A disk that forgets at a kill what was not synced: the strictest file system that POSIX allows.

What lies on the real disk is what survives. Unsynced bytes and unsynced names (created, replaced
and removed files, new folders) are held in memory and die with the process, by `kill -9` or any
other end. Who wrote them sees them through this object; other processes see what survives.
Part of the product because the whole pipeline must be able to run on it (`TIDELAKE_TEST_DISK`).
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from tidelake.errors import SetupError, UsageError
from tidelake.files.appender import Appender, Bytes
from tidelake.files.disk import Disk
from tidelake.files.syncs import sync_name
from tidelake.files.trouble import translated


@dataclass(eq=False)
class _File:
    """A file that was written here."""

    durable: bytearray = field(default_factory=bytearray)  # synced bytes, while it has no real name
    pending: bytearray = field(default_factory=bytearray)  # bytes that were never synced
    real: Path | None = None  # its durable name, if it has one: there lie its synced bytes

    def sync(self) -> None:
        if self.real is None:
            self.durable += self.pending
        else:
            with translated("write to", self.real), self.real.open("ab") as real:
                real.write(self.pending)
        self.pending.clear()


@dataclass(eq=False)
class _Folder:
    """A new folder whose own name is not durable, with the names in it that were synced."""

    synced: dict[Path, _Node] = field(default_factory=dict)


_Node = _File | _Folder | None  # None: the name was removed


class VolatileAppender:
    """An `Appender` whose bytes are in memory until `sync`."""

    def __init__(self, disk: VolatileDisk, path: Path, node: _File, sync: str) -> None:
        self.path = path
        self._disk = disk
        self._node = node
        self._sync = sync
        self._written = 0

    def write(self, *parts: Bytes) -> int:
        data = b"".join(parts)
        self._node.pending += data
        self._written += len(data)
        return len(data)

    def sync(self) -> None:
        self._disk.sync_node(self._node, self._sync)

    def tell(self) -> int:
        return self._written

    def close(self) -> None:
        """Nothing: as with a real file, closing makes nothing durable."""


class VolatileDisk(Disk):
    """The test disk. `skip` names syncs that do nothing (`tidelake.files.SYNCS`)."""

    def __init__(self, skip: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._skip = skip
        self._guard = threading.RLock()
        self._names: dict[Path, _Node] = {}  # names that are not durable
        self._written: dict[Path, _File] = {}  # files with a durable name that were written here

    def create(self, path: Path, kind: str) -> Appender:
        path = path.absolute()
        sync = sync_name(kind, "bytes")
        with self._guard:
            if self.exists(path) or not self._is_folder(path.parent):
                raise SetupError(f"cannot create {path}: it exists, or its folder does not")
            node = self._names[path] = _File()
        return VolatileAppender(self, path, node, sync)

    def sync_node(self, node: _File, name: str) -> None:
        with self._guard:
            if name not in self._skip:
                node.sync()

    def sync_file(self, path: Path, kind: str) -> None:
        with self._guard:
            node = self._look_up(path.absolute())
            if isinstance(node, _File):
                self.sync_node(node, sync_name(kind, "bytes"))

    def _make_one(self, folder: Path) -> bool:
        with self._guard:
            if self._is_folder(folder):
                return False
            if self.exists(folder):
                raise SetupError(f"cannot create the folder {folder}: a file is in its place")
            self._names[folder] = _Folder()
            return True

    def _sync_entries(self, folder: Path, name: str) -> None:
        if name in self._skip:
            return
        folder = folder.absolute()
        with self._guard:
            inside = {path: self._names[path] for path in self._names if path.parent == folder}
            home = self._names.get(folder)
            if isinstance(home, _Folder):
                home.synced |= inside  # durable once the folder is
            else:
                # Removals last: the old name of a renamed file is needed for the rename.
                for path, node in sorted(inside.items(), key=lambda item: item[1] is None):
                    self._publish(path, node)

    def _publish(self, path: Path, node: _Node) -> None:
        """Make a name real, with what of its content survives."""
        self._names.pop(path, None)
        with translated("publish", path):
            if node is None:
                self._written.pop(path, None)
                path.unlink(missing_ok=True)
            elif isinstance(node, _Folder):
                path.mkdir(exist_ok=True)
                for inner, content in node.synced.items():
                    self._publish(inner, content)
            else:
                self._publish_file(path, node)

    def _publish_file(self, path: Path, node: _File) -> None:
        if node.real is None:
            hidden = path.with_name(f".{path.name}.{os.getpid()}.unnamed")
            hidden.write_bytes(node.durable)
            hidden.replace(path)
            node.durable.clear()
        else:
            self._written.pop(node.real, None)
            node.real.replace(path)
        node.real = path
        self._written[path] = node

    def replace(self, source: Path, target: Path) -> None:
        source, target = source.absolute(), target.absolute()
        if source.parent != target.parent:
            raise UsageError(f"{source} and {target} lie in different folders")
        with self._guard:
            node = self._look_up(source)
            if not isinstance(node, _File):
                raise SetupError(f"cannot replace {target}: {source} was not written here")
            # The source's removal becomes durable with the target: it is one rename.
            self._names.pop(source, None)
            if node.real is not None:
                self._names[source] = None
            self._names[target] = node

    def _renamed(self, source: Path, target: Path) -> bool:
        """No: nobody here knows which bytes of another program's file are synced, so none are."""
        return False

    def remove(self, path: Path) -> None:
        path = path.absolute()
        with self._guard:
            if self.exists(path):
                self._names[path] = None

    def exists(self, path: Path) -> bool:
        path = path.absolute()
        with self._guard:
            return self._names[path] is not None if path in self._names else path.exists()

    def read(self, path: Path) -> bytes:
        path = path.absolute()
        with self._guard:
            node = self._look_up(path)
            if not isinstance(node, _File):
                if path in self._names:
                    raise SetupError(f"cannot read {path}: it or its folder does not exist")
                return super().read(path)
            durable = bytes(node.durable) if node.real is None else super().read(node.real)
            return durable + bytes(node.pending)

    def names(self, folder: Path) -> list[str]:
        folder = folder.absolute()
        with self._guard:
            found = set(super().names(folder))
            for path, node in self._names.items():
                if path.parent == folder:
                    (found.discard if node is None else found.add)(path.name)
            return sorted(found)

    def _look_up(self, path: Path) -> _Node:
        return self._names[path] if path in self._names else self._written.get(path)

    def _is_folder(self, folder: Path) -> bool:
        return isinstance(self._names.get(folder), _Folder) or folder.is_dir()
