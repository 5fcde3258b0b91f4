"""The operating system user that PostgreSQL runs as; it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tidelake.errors import SetupError

#: Tried in this order when we are root. Users are never created: that is the administrator's call.
UNPRIVILEGED = ("postgres", "nobody")


class AsUser(TypedDict, total=False):
    """The arguments of `subprocess` that change the user of a child."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user by name and numbers; `ourselves` when the child needs no other user than ours."""

    name: str
    uid: int
    gid: int

    @property
    def ourselves(self) -> bool:
        return self.uid == os.geteuid()

    def as_user(self) -> AsUser:
        if self.ourselves:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def owns(self, path: Path) -> None:
        """Give `path` to this account."""
        if not self.ourselves:
            os.chown(path, self.uid, self.gid)

    def can_work_in(self, folder: Path) -> bool:
        """Whether the account can enter `folder` and write there.

        Tried rather than computed from the modes of the parents: access lists, read-only mounts
        and security modules decide too.
        """
        script = 'cd "$1" && test -w .'
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", script, "sh", str(folder)],
                cwd="/",
                capture_output=True,
                check=False,
                **self.as_user(),
            )
        except PermissionError as exc:
            raise SetupError(
                f"cannot start a program as the user {self.name!r}: {exc}",
                hint="run tidelake as a normal user, or set TIDELAKE_POSTGRES_URL",
            ) from exc
        return done.returncode == 0


def unprivileged_account(data: Path | None) -> Account:
    """The account for the server whose data folder is `data`, None while there is none.

    Ourselves, unless we are root. Existing data stays with the user that owns it: a `postgres`
    user that was installed later must not change hands. Raises SetupError when there is none.
    """
    if data is not None:
        return _owner(data)
    if os.geteuid() != 0:
        return _ourselves()
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise SetupError(
        f"PostgreSQL does not run as root, and none of the users {', '.join(UNPRIVILEGED)} exists",
        hint="run tidelake as a normal user, or set TIDELAKE_POSTGRES_URL to a server of yours",
    )


def _ourselves() -> Account:
    return Account(_name(os.geteuid()), os.geteuid(), os.getegid())


def _owner(data: Path) -> Account:
    found = data.stat()
    owner = Account(_name(found.st_uid), found.st_uid, found.st_gid)
    if owner.uid == 0:
        raise SetupError(
            f"the PostgreSQL data in {data} belongs to root, and PostgreSQL does not run as root",
            hint=f"chown -R {UNPRIVILEGED[0]} {data}",
        )
    if os.geteuid() not in (0, owner.uid):
        raise SetupError(
            f"the PostgreSQL data in {data} belongs to {owner.name!r}, and we are "
            f"{_name(os.geteuid())!r}",
            hint="run tidelake as the user that created this home, or choose another --home",
        )
    return owner


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
