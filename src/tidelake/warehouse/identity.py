"""What a home knows of its PostgreSQL: an id, the port that it keeps, and two passwords."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tidelake.errors import SetupError

HOST = "127.0.0.1"
DATABASE = "tidelake"
OWNER = "tidelake"
ADMIN = "postgres"


@dataclass(frozen=True)
class Identity:
    """Kept as `server.json`, readable by its owner alone."""

    id: str
    port: int
    password: str
    admin_password: str

    @property
    def url(self) -> str:
        """The database `tidelake`, as its owner: makes tables and roles, is no superuser."""
        return f"postgresql://{OWNER}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    @property
    def admin_url(self) -> str:
        """The database `tidelake`, as the superuser; for databases and their owner."""
        return f"postgresql://{ADMIN}:{self.admin_password}@{HOST}:{self.port}/{DATABASE}"

    def on_port(self, port: int) -> Identity:
        return replace(self, port=port)


def new_identity() -> Identity:
    # token_urlsafe: the passwords stand in URLs and need no escaping there.
    return Identity(
        id=secrets.token_hex(8),
        port=free_port(),
        password=secrets.token_urlsafe(24),
        admin_password=secrets.token_urlsafe(24),
    )


def load_identity(path: Path) -> Identity | None:
    """The identity at `path`, None when there is none. SetupError when it cannot be read."""
    try:
        return Identity(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except PermissionError as exc:
        raise SetupError(
            f"cannot read {path}: {exc.strerror}",
            hint="run tidelake as the user that created this home, or choose another --home",
        ) from exc
    except (ValueError, TypeError) as exc:
        raise SetupError(
            f"{path} is not what tidelake wrote: {exc}",
            hint="restore it, or move its folder away: the lake is not in it, "
            "`tidelake recover` registers the tables again",
        ) from exc


def save_identity(path: Path, identity: Identity) -> None:
    """Replace `path` as a whole, durably: half of it would lock us out of our own data."""
    attempt = path.with_suffix(".tmp")
    attempt.unlink(missing_ok=True)
    handle = os.open(attempt, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w") as file:
        file.write(json.dumps(asdict(identity), indent=2) + "\n")
        file.flush()
        os.fsync(handle)
    os.replace(attempt, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does; else our own closed connections of a minute ago count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
