"""The running server, as its data folder and the operating system know it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

LINUX = sys.platform == "linux"


@dataclass(frozen=True)
class Postmaster:
    """The contents of `postmaster.pid` (format: PostgreSQL's src/include/utils/pidfile.h)."""

    pid: int
    port: int
    ready: bool


def read_postmaster(data: Path) -> Postmaster | None:
    """What `postmaster.pid` in `data` says, None when there is none or it is only half written."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        status = lines[7].strip() if len(lines) > 7 else "starting"
        return Postmaster(int(lines[0]), int(lines[3]), status == "ready")
    except (OSError, ValueError, IndexError):
        return None


def running_postmaster(data: Path) -> Postmaster | None:
    """The postmaster that serves `data` now; a file left by a dead one is not enough."""
    found = read_postmaster(data)
    return found if found and serves(found.pid, data) else None


def serves(pid: int, data: Path) -> bool:
    """Whether process `pid` is alive and a postmaster of `data`.

    After a reboot or in a new container the recorded number may belong to any other program; a
    postmaster works inside its data folder, which Linux shows. Elsewhere alive is all we know.
    """
    if not alive(pid):
        return False
    if not LINUX:
        return True
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == data
    except PermissionError:
        return True
    except OSError:
        return False


def alive(pid: int) -> bool:
    """Whether `pid` runs. A zombie does not: nobody may ever collect it (a container's PID 1)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    if LINUX:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
    return True
