"""The data folder: where it may lie, made once by initdb, and the files around it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tidelake.errors import IncompatibleError, SetupError
from tidelake.warehouse.account import Account
from tidelake.warehouse.identity import ADMIN
from tidelake.warehouse.install import Install, make_shelter

#: Written into postgresql.conf once, where the user may change them. A laptop's share: the lake's
#: processes need the memory more. What tidelake relies on is given at each start instead.
FIRST_SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def find_data(folder: Path) -> Path | None:
    """The real data folder behind `folder/data`, None when no cluster was made yet."""
    data = (folder / "data").resolve()
    try:
        if not data.exists():
            return None
        if (data / "PG_VERSION").exists():
            return data
        empty = not any(data.iterdir())
    except PermissionError as exc:
        raise SetupError(
            f"cannot look into {data}: it belongs to another user",
            hint="run tidelake as the user that created this home, or choose another --home",
        ) from exc
    if not empty:
        raise SetupError(
            f"{data} is not empty and holds no PostgreSQL cluster",
            hint="move it away, then start again",
        )
    return None


def link_again(folder: Path, sheltered: Path) -> None:
    """Link the cluster in `sheltered` where a kill came between making it and linking it."""
    link, data = folder / "data", sheltered / "data"
    if not os.path.lexists(link) and (data / "PG_VERSION").exists():
        link.symlink_to(data)


def check_major(data: Path, install: Install) -> None:
    """Raises IncompatibleError when another major version of PostgreSQL made `data`."""
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != str(install.major):
        raise IncompatibleError(
            f"the data in {data} was made by PostgreSQL {made_by}, this is {install.version}",
            hint="move the folder away and run `tidelake recover` (the lake is not in it), "
            f"or serve it with PostgreSQL {made_by} and set TIDELAKE_POSTGRES_URL",
        )


def create_data(
    folder: Path, sheltered: Path, account: Account, install: Install, password: str
) -> Path:
    """Make a cluster and link it as `folder/data`; gives its real folder.

    It lies in `folder` where `account` can work there, else in `sheltered`. A kill on the way
    leaves nothing that looks like a cluster: initdb works on `data.new`, renamed when complete.
    """
    link = folder / "data"
    if link.is_symlink():
        link.unlink()
    elif link.exists():
        link.rmdir()
    for place in _places(folder, sheltered, account):
        attempt = place / "data.new"
        _initdb(attempt, account, install, password)
        data = place / "data"
        os.rename(attempt, data)
        if place != folder:
            link.symlink_to(data)
        return data.resolve()
    raise SetupError(
        f"the user {account.name!r} can work neither in {folder} nor in {sheltered}",
        hint=f"let {account.name!r} enter {sheltered.parent}, or set TIDELAKE_POSTGRES_URL",
    )


def _places(folder: Path, sheltered: Path, account: Account) -> Iterator[Path]:
    """Each place with an empty `data.new` in which the account can work."""
    for place in (folder, sheltered):
        if place == sheltered:
            make_shelter(place.parent)
            place.mkdir(exist_ok=True)
            place.chmod(0o755)
        attempt = place / "data.new"
        shutil.rmtree(attempt, ignore_errors=True)
        attempt.mkdir(mode=0o700)
        account.owns(attempt)
        if account.can_work_in(attempt):
            yield place
        attempt.rmdir()


def _initdb(data: Path, account: Account, install: Install, password: str) -> None:
    password_file = data.with_name("password.new")
    password_file.unlink(missing_ok=True)
    handle = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w") as file:
        file.write(password)
    account.owns(password_file)
    settings = [f"--set={name}={value}" for name, value in FIRST_SETTINGS.items()]
    try:
        done = subprocess.run(
            [
                install.program("initdb"),
                f"--pgdata={data}",
                f"--username={ADMIN}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                *settings,
            ],
            cwd=data,
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **account.as_user(),
        )
    finally:
        password_file.unlink()
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise initdb_error(data, done.stdout)


def initdb_error(data: Path, output: str) -> SetupError:
    """What to say when initdb failed with `output`."""
    said = "\n".join(output.strip().splitlines()[-5:])
    if "No space left on device" in output:
        return SetupError(
            f"the disk under {data.parent} is full: initdb said {said}",
            hint="free 100 MB there, or choose another --home",
        )
    return SetupError(
        f"initdb could not create the PostgreSQL data in {data}: {said}",
        hint="see docs/troubleshooting.md, or set TIDELAKE_POSTGRES_URL to a server of yours",
    )


def server_environment() -> dict[str, str]:
    """The environment of the server: ours may hold secrets and PG* variables meant for clients."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
