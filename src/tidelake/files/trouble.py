"""Errors of the operating system, as ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidelake.errors import OverloadedError, SetupError, TidelakeError, UnavailableError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
REFUSED = {
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.ENOENT: "it or its folder does not exist",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.EISDIR: "it is a folder",
    errno.EEXIST: "it exists already",
    errno.ENOTEMPTY: "the folder is not empty",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "its links go in circles",
}
RETRY_WHEN_FULL_S = 30


def ours(trouble: OSError, action: str, path: Path) -> TidelakeError:
    """What `trouble` means: a full disk, a refusal that stays, or a failure that may pass."""
    said = trouble.strerror or str(trouble)
    if trouble.errno in FULL:
        return OverloadedError(
            f"cannot {action} {path}: the disk is full ({said})",
            hint="Free space on that file system; tidelake goes on by itself.",
            retry_after=RETRY_WHEN_FULL_S,
        )
    if trouble.errno in REFUSED:
        return SetupError(
            f"cannot {action} {path}: {REFUSED[trouble.errno]} ({said})",
            hint="Check the path, its owner and its mount, then start again.",
        )
    return UnavailableError(
        f"cannot {action} {path}: {said}",
        hint="The disk did not do what it was asked; look at the system's log for its state.",
    )


@contextmanager
def translated(action: str, path: Path) -> Iterator[None]:
    """Run a block whose `OSError`s are about doing `action` to `path`."""
    try:
        yield
    except OSError as exc:
        raise ours(exc, action, path) from exc
