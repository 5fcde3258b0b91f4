"""The disk: durable files and folders, and what only lives while we run (locks, scratch)."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import shutil
from contextlib import suppress
from pathlib import Path

from tidelake.errors import TidelakeError
from tidelake.files.appender import Appender, Bytes, Output, RealAppender
from tidelake.files.syncs import sync_name
from tidelake.files.trouble import translated

COPIED_BYTES = 4 * 1024 * 1024  # at a time

_attempts = itertools.count()


class FileLock:
    """An exclusive lock on a file, held until `release` or the end of the process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


class Scratch:
    """A few bytes that other processes read while we run; a power loss may take or keep them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with translated("open", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, data: Bytes) -> None:
        """Replace the first bytes."""
        with translated("write to", self.path):
            os.pwrite(self._descriptor, data, 0)

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


class Disk:
    """The real disk. Every method raises `OverloadedError` (full), `SetupError` (refused) or
    `UnavailableError` (failed), each with the path.

    `kind` names what is written and with it the sync (`tidelake.files.SYNCS`).
    """

    def __init__(self) -> None:
        self._durable_folders: set[Path] = set()

    def create(self, path: Path, kind: str) -> Appender:
        """A new, empty file; `SetupError` where it exists. Its name is not durable yet."""
        sync_name(kind, "bytes")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        with translated("create", path):
            return RealAppender(path, os.open(path, flags, 0o666))

    def output(self, path: Path, kind: str) -> Output:
        """A new file as a file object that is durable, with its folders, once it is closed."""
        self.make_folder(path.parent, kind)
        return Output(self, self.create(path, kind), kind)

    def write_atomically(self, path: Path, data: Bytes, kind: str) -> None:
        """Give `path` this content, durably: a crash leaves the old content or all the new."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{next(_attempts)}.tmp")
        appender = self.create(temporary, kind)
        try:
            appender.write(data)
            appender.sync()
            appender.close()
            self.replace(temporary, path)
        except BaseException:
            with suppress(TidelakeError):  # the first error is the one to tell
                appender.close()
                self.remove(temporary)
            raise
        self.sync_folder(path.parent, kind)

    def adopt(self, source: Path, target: Path, kind: str) -> None:
        """Make a file that another program wrote and closed ours: durable, its name is `target`.

        What lies there is replaced. Between two mounts it is copied, else renamed.
        """
        self.make_folder(target.parent, kind)
        self.sync_file(source, kind)
        if self._renamed(source, target):
            self.sync_folder(target.parent, kind)
            return
        self.remove(target)
        with translated("read", source), source.open("rb") as read:
            with self.output(target, kind) as written:
                shutil.copyfileobj(read, written, COPIED_BYTES)
            source.unlink()

    def _renamed(self, source: Path, target: Path) -> bool:
        with translated("replace", target):
            try:
                source.replace(target)
            except OSError as exc:
                if exc.errno != errno.EXDEV:
                    raise
                return False
            return True

    def make_folder(self, path: Path, kind: str) -> None:
        """Make the folder and those above it that are missing, all of them durable.

        Folders found in place are synced too, once a process: their maker may have died before.
        """
        name = sync_name(kind, "folder")
        missing = []
        folder = path.absolute()
        # A folder that was made may have been moved away since: asked each time.
        while folder != folder.parent and not self._is_known(folder):
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            made = self._make_one(folder)
            if made or self._is_ours(folder.parent):
                self._sync_entries(folder.parent, name)
            self._durable_folders.add(folder)

    def _is_known(self, folder: Path) -> bool:
        return folder in self._durable_folders and self._is_folder(folder)

    def _is_folder(self, folder: Path) -> bool:
        return folder.is_dir()

    def _make_one(self, folder: Path) -> bool:
        with translated("create the folder", folder):
            if self._is_folder(folder):
                return False
            with suppress(FileExistsError):  # another process was faster: as good
                folder.mkdir()
            return True

    def _is_ours(self, folder: Path) -> bool:
        """Whether folders in here may be of our making; a mount point above us, say, is not."""
        return os.access(folder, os.R_OK | os.W_OK)

    def sync_folder(self, path: Path, kind: str) -> None:
        """Make the names in a folder durable: created, replaced and removed ones."""
        self._sync_entries(path, sync_name(kind, "name"))

    def _sync_entries(self, folder: Path, name: str) -> None:
        with translated("sync the folder", folder):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def sync_file(self, path: Path, kind: str) -> None:
        """Make the bytes of a file durable that another process wrote."""
        sync_name(kind, "bytes")
        with translated("sync", path):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename within a folder, over what may be there; not durable before `sync_folder`."""
        with translated("replace", target):
            source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there; not durable before `sync_folder`."""
        with translated("remove", path):
            path.unlink(missing_ok=True)

    def exists(self, path: Path) -> bool:
        return path.exists()

    def read(self, path: Path) -> bytes:
        """The whole content."""
        with translated("read", path):
            return path.read_bytes()

    def names(self, folder: Path) -> list[str]:
        """Names of the files and folders in a folder, sorted; none where there is no folder."""
        with translated("list", folder):
            try:
                return sorted(os.listdir(folder))
            except FileNotFoundError:
                return []

    def free_bytes(self, folder: Path) -> int:
        """Bytes that we may still write on the file system of `folder`."""
        with translated("look at", folder):
            return shutil.disk_usage(folder).free

    def scratch(self, path: Path) -> Scratch:
        return Scratch(path)

    def lock(self, path: Path, *, wait: bool = False) -> FileLock | None:
        """The lock on `path` (made if missing); None where somebody has it and we do not wait.

        Locks are of this run, not of the data: they are kept in files of their own.
        """
        with translated("lock", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                os.close(descriptor)
                return None
            except BaseException:
                os.close(descriptor)
                raise
        return FileLock(path, descriptor)
