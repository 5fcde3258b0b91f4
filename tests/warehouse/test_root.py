"""Root never becomes the server's user, and opens no folder of anybody for it."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tidelake.warehouse.cluster import find_data
from tidelake.warehouse.install import wheel_root
from tidelake.warehouse.postmaster import read_postmaster
from tidelake.warehouse.server import EmbeddedPostgres

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="NOT COVERED: needs root")

SRC = Path(__file__).parents[2] / "src"
ERASE = SRC.parent / "tools" / "erase.py"


@pytest.fixture
def private_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def public_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tidelake-public-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def copy_of_the_wheel(to: Path) -> Path:
    """The programs and libraries of the wheel below `to`, as a private venv would hold them."""
    root = wheel_root()
    copied = to / "site-packages" / root.parent.name / root.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(root / part, copied / part, ignore=shutil.ignore_patterns("*.a"))
    libraries = root.parent.with_name(f"{root.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / "site-packages" / libraries.name)
    return copied


def modes_of_parents(path: Path) -> dict[Path, tuple[int, int, int]]:
    found = {parent: parent.stat() for parent in (path, *path.parents)}
    return {parent: (at.st_mode, at.st_uid, at.st_gid) for parent, at in found.items()}


def user_of_the_postmaster(server: EmbeddedPostgres) -> int:
    data = find_data(server.folder)
    assert data is not None
    postmaster = read_postmaster(data)
    assert postmaster is not None
    return Path(f"/proc/{postmaster.pid}").stat().st_uid


def test_root_starts_it_from_a_private_home_and_wheel_and_opens_neither(
    private_folder: Path, public_folder: Path
) -> None:
    programs = copy_of_the_wheel(private_folder)
    home = private_folder / "home"
    home.mkdir(mode=0o700)
    places = [home, programs / "bin", public_folder]
    before = [modes_of_parents(place) for place in places]
    users = pwd.getpwall()
    server = EmbeddedPostgres(home, install=programs, shelter=public_folder / "tidelake")
    try:
        url = server.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        assert user_of_the_postmaster(server) != 0
        assert [modes_of_parents(place) for place in places] == before
        assert pwd.getpwall() == users
        assert (server.folder / "data").is_symlink()
        assert stat.S_IMODE((server.folder / "data").resolve().stat().st_mode) == 0o700
        server.stop()
        assert server.start() == url
    finally:
        server.erase()
    assert [found.name for found in (public_folder / "tidelake").glob("[!p]*")] == []


def test_a_link_that_is_missing_after_a_kill_is_made_again(
    private_folder: Path, public_folder: Path
) -> None:
    server = EmbeddedPostgres(private_folder / "home", shelter=public_folder / "shelter")
    try:
        with psycopg.connect(server.start()) as connection:
            connection.execute("create table kept (n int)")
        server.stop()
        (server.folder / "data").unlink()
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)
    finally:
        server.erase()


def test_a_private_umask_does_not_lock_the_server_out(
    private_folder: Path, public_folder: Path
) -> None:
    old = os.umask(0o077)
    try:
        programs = copy_of_the_wheel(private_folder)
        home, shelter = private_folder / "home", public_folder / "lib" / "tidelake"
        server = EmbeddedPostgres(home, install=programs, shelter=shelter)
        try:
            server.start()
            assert user_of_the_postmaster(server) != 0
        finally:
            server.erase()
    finally:
        os.umask(old)


def test_with_a_private_umask_the_data_stay_in_a_home_that_tidelake_made(
    public_folder: Path,
) -> None:
    home, shelter = public_folder / "home", public_folder / "unused"
    old = os.umask(0o077)
    try:
        home.mkdir()
        home.chmod(0o711)
        server = EmbeddedPostgres(home, shelter=shelter)
        try:
            server.start()
            assert user_of_the_postmaster(server) != 0
            assert not (server.folder / "data").is_symlink()
            assert stat.S_IMODE((server.folder / "log").stat().st_mode) == 0o700
            assert stat.S_IMODE((server.folder / "data").stat().st_mode) == 0o700
        finally:
            server.erase()
    finally:
        os.umask(old)


def test_root_keeps_data_in_a_home_that_the_server_can_enter(public_folder: Path) -> None:
    server = EmbeddedPostgres(public_folder / "home", shelter=public_folder / "unused")
    try:
        server.start()
        assert user_of_the_postmaster(server) != 0
        assert not (server.folder / "data").is_symlink()
    finally:
        server.erase()


def test_an_erased_home_leaves_nothing_in_the_shelter(private_folder: Path) -> None:
    home = private_folder / "home"
    server = EmbeddedPostgres(home)
    server.start()
    data = (server.folder / "data").resolve()

    done = subprocess.run([sys.executable, str(ERASE), "--yes", str(home)], check=True)

    assert (done.returncode, data.parent.exists(), home.exists()) == (0, False, False)


def test_data_stays_with_the_user_that_owns_it(
    public_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidelake.warehouse.account.UNPRIVILEGED", ("nobody",))
    server = EmbeddedPostgres(public_folder / "home", shelter=public_folder / "shelter")
    try:
        server.start()
        server.stop()
        monkeypatch.undo()
        server.start()
        assert user_of_the_postmaster(server) == pwd.getpwnam("nobody").pw_uid
    finally:
        server.erase()


def test_a_normal_user_runs_it_as_itself(public_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    python = python_for(nobody)
    if python is None:
        pytest.skip("NOT COVERED: no Python with psycopg that the user nobody can reach")
    script = (
        "import sys, pathlib, os\n"
        "from tidelake.warehouse.server import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
        "try:\n"
        "    server.start()\n"
        "    child = server.run_child()\n"
        "    print(os.stat(f'/proc/{child.pid}').st_uid, server.health().ok)\n"
        "    assert not (server.folder / 'data').is_symlink()\n"
        "finally:\n"
        "    server.erase()\n"
    )
    programs = copy_of_the_wheel(public_folder)
    done = run_as(nobody, [python, "-c", script, str(public_folder / "home"), str(programs)])
    assert (done.stdout, done.stderr) == (f"{nobody.pw_uid} True\n", "")


def test_another_user_cannot_use_the_home_of_root_and_is_told_why(public_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    python = python_for(nobody)
    if python is None:
        pytest.skip("NOT COVERED: no Python with psycopg that the user nobody can reach")
    server = EmbeddedPostgres(public_folder / "home", shelter=public_folder / "shelter")
    script = (
        "import sys, pathlib\n"
        "from tidelake.errors import SetupError\n"
        "from tidelake.warehouse.server import EmbeddedPostgres\n"
        "try:\n"
        "    EmbeddedPostgres(pathlib.Path(sys.argv[1])).start()\n"
        "except SetupError as exc:\n"
        "    print(exc.message)\n"
    )
    try:
        server.start()
        done = run_as(nobody, [python, "-c", script, str(public_folder / "home")])
        assert "cannot write in" in done.stdout, done.stderr
    finally:
        server.erase()


def python_for(user: pwd.struct_passwd) -> str | None:
    """A Python of our version that `user` can run with our packages; a venv may be private."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        try:
            if candidate and run_as(user, [candidate, "-c", "import psycopg"]).returncode == 0:
                return candidate
        except PermissionError:
            continue
    return None


def run_as(user: pwd.struct_passwd, argv: list[str]) -> subprocess.CompletedProcess[str]:
    packages = [str(SRC), *(place for place in sys.path if place.endswith("site-packages"))]
    return subprocess.run(
        argv,
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(packages),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
