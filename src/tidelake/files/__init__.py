"""The one way bytes reach a disk: create, write, sync, replace.

A file is durable when its bytes are synced (`sync`) *and* its name is (`sync_name`, or
`Disk.sync_folder` of its folder) *and* so is every folder above it that we made (`make_folder`).
Nothing here writes over bytes in place, except `Scratch`, which promises nothing.

A sync that failed is never tried again: after the first failure the kernel has dropped the
unwritten pages and reports success (https://wiki.postgresql.org/wiki/Fsync_Errors). Whoever owns
the file must leave it behind.
"""

from tidelake.files.appender import Appender, Bytes, Output
from tidelake.files.disk import Disk, FileLock, Scratch
from tidelake.files.opening import open_disk
from tidelake.files.syncs import SYNCS
from tidelake.files.volatile import VolatileDisk

__all__ = [
    "SYNCS",
    "Appender",
    "Bytes",
    "Disk",
    "FileLock",
    "Output",
    "Scratch",
    "VolatileDisk",
    "open_disk",
]
