"""What the real disk promises, and how it says no."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidelake import crash
from tidelake.errors import OverloadedError, SetupError, UnavailableError, UsageError
from tidelake.files import Disk, VolatileDisk, open_disk
from tidelake.files.trouble import ours


@pytest.fixture(params=[Disk, VolatileDisk])
def disk(request: pytest.FixtureRequest) -> Disk:
    made: Disk = request.param()
    return made


def test_what_was_written_in_parts_is_read_whole(disk: Disk, tmp_path: Path) -> None:
    file = disk.create(tmp_path / "a", "source.done")
    file.write(b"one ", memoryview(b"two "), bytearray(b"three "))
    file.sync()
    file.write(b"four")
    file.close()

    assert disk.read(tmp_path / "a") == b"one two three four"
    assert file.tell() == 18


def test_a_file_is_never_created_over_another(disk: Disk, tmp_path: Path) -> None:
    disk.write_atomically(tmp_path / "a", b"first", "source.done")

    with pytest.raises(SetupError, match="exists"):
        disk.create(tmp_path / "a", "source.done")
    assert disk.read(tmp_path / "a") == b"first"


def test_a_file_written_atomically_replaces_the_old_one_and_leaves_no_other(
    disk: Disk, tmp_path: Path
) -> None:
    disk.write_atomically(tmp_path / "a", b"old", "source.done")
    disk.write_atomically(tmp_path / "a", b"new", "source.done")

    assert disk.read(tmp_path / "a") == b"new"
    assert disk.names(tmp_path) == ["a"]
    assert os.listdir(tmp_path) == ["a"]


def test_folders_are_made_with_their_parents_and_may_exist(disk: Disk, tmp_path: Path) -> None:
    disk.make_folder(tmp_path / "a" / "b" / "c", "source.done")
    disk.make_folder(tmp_path / "a" / "b" / "c", "source.done")

    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_a_file_in_place_of_a_folder_is_refused(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")

    with pytest.raises(SetupError):
        disk.make_folder(tmp_path / "a" / "b", "source.done")


def test_an_output_is_durable_once_closed(disk: Disk, tmp_path: Path) -> None:
    with disk.output(tmp_path / "day=1" / "x.parquet", "lake.file") as out:
        for _ in range(300):
            out.write(b"x" * 10_000)
        assert out.tell() == 3_000_000

    assert (tmp_path / "day=1" / "x.parquet").stat().st_size == 3_000_000


def test_an_output_left_by_an_error_leaves_no_file(disk: Disk, tmp_path: Path) -> None:
    def write_half() -> None:
        with disk.output(tmp_path / "x", "lake.file") as out:
            out.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()

    assert disk.names(tmp_path) == []


def test_a_file_of_another_program_takes_the_place_of_what_is_there(
    disk: Disk, tmp_path: Path
) -> None:
    target = tmp_path / "gold" / "a"
    for content in (b"one", b"another"):
        (tmp_path / "made").write_bytes(content)
        disk.adopt(tmp_path / "made", target, "gold.file")

        assert target.read_bytes() == content
        assert not (tmp_path / "made").exists()


def test_a_file_on_another_mount_is_copied(disk: Disk, tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("NOT TESTED: a file from another mount; all is one file system here")
    made = memory / f"tidelake-test-{os.getpid()}"
    made.write_bytes(b"made elsewhere")
    disk.adopt(made, tmp_path / "a", "gold.file")

    assert (tmp_path / "a").read_bytes() == b"made elsewhere"
    assert not made.exists()


def test_a_removed_file_is_gone_and_removing_it_again_is_fine(disk: Disk, tmp_path: Path) -> None:
    disk.write_atomically(tmp_path / "a", b"x", "source.done")
    disk.remove(tmp_path / "a")
    disk.remove(tmp_path / "a")

    assert not disk.exists(tmp_path / "a")
    with pytest.raises(SetupError, match="does not exist"):
        disk.read(tmp_path / "a")


def test_a_sync_without_a_registered_name_is_refused(disk: Disk, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mystery/bytes is not registered"):
        disk.create(tmp_path / "a", "mystery")


def test_a_lock_is_held_by_one_and_free_after_release(disk: Disk, tmp_path: Path) -> None:
    lock = disk.lock(tmp_path / "run" / "a.lock")

    assert lock is not None
    assert disk.lock(tmp_path / "run" / "a.lock") is None
    lock.release()
    again = disk.lock(tmp_path / "run" / "a.lock", wait=True)
    assert again is not None
    again.release()


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (errno.ENOSPC, OverloadedError, "the disk is full"),
        (errno.EDQUOT, OverloadedError, "the disk is full"),
        (errno.EROFS, SetupError, "the file system is read-only"),
        (errno.EACCES, SetupError, "permission is denied"),
        (errno.EIO, UnavailableError, "Input/output error"),
        (errno.ESTALE, UnavailableError, "Stale file handle"),
    ],
)
def test_errors_of_the_system_say_what_they_mean(
    number: int, kind: type[Exception], says: str
) -> None:
    error = ours(OSError(number, os.strerror(number)), "write to", Path("/data/x"))

    assert type(error) is kind
    assert "cannot write to /data/x" in str(error)
    assert says in str(error)


@pytest.fixture
def small_files() -> Iterator[None]:
    """The system refuses files over 64 kB: a real disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_is_told_also_where_a_part_was_written(tmp_path: Path) -> None:
    file = Disk().create(tmp_path / "a", "source.done")

    with pytest.raises(OverloadedError, match="full") as told:
        file.write(b"x" * 40_000, b"y" * 40_000)
    assert told.value.retry_after > 0
    file.close()


@pytest.mark.usefixtures("small_files")
def test_a_failed_replacement_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    disk = Disk()
    disk.write_atomically(tmp_path / "a", b"old", "source.done")

    with pytest.raises(OverloadedError):
        disk.write_atomically(tmp_path / "a", b"x" * 100_000, "source.done")

    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_the_disk_is_chosen_by_the_environment() -> None:
    assert type(open_disk({})) is Disk
    assert type(open_disk({"TIDELAKE_TEST_DISK": "volatile"})) is VolatileDisk
    with pytest.raises(SetupError, match="no disk"):
        open_disk({"TIDELAKE_TEST_DISK": "floppy"})
    with pytest.raises(SetupError, match="names no sync"):
        open_disk({"TIDELAKE_TEST_DISK": "volatile", "TIDELAKE_TEST_SKIP_SYNC": "nothing/bytes"})


def run(code: str, crash_at: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TIDELAKE_CRASH_AT": crash_at}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


PASSES = """
from tidelake import crash
for n in range(1, 5):
    crash.point("inbox.before_write")
    crash.point("inbox.after_write")
    print(n, flush=True)
"""


def test_a_process_kills_itself_at_the_wanted_pass_of_the_wanted_point() -> None:
    done = run(PASSES, "inbox.after_write:3")

    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "1\n2\n")


def test_without_the_variable_no_point_kills() -> None:
    assert run(PASSES, "").stdout == "1\n2\n3\n4\n"


def test_a_crash_point_that_is_not_registered_is_an_error() -> None:
    assert "names no crash point" in run(PASSES, "nowhere").stderr
    undeclared = "from tidelake import crash; crash.point('nowhere')"
    assert "not registered" in run(undeclared, "inbox.after_write").stderr


def test_every_crash_point_in_the_code_is_registered() -> None:
    import re

    source = Path(crash.__file__).parent
    code = "".join(path.read_text() for path in source.rglob("*.py"))
    used = set(re.findall(r'crash\.point\(\s*"([^"]+)"', code))

    assert used <= crash.POINTS.keys()
    assert {name for name in crash.POINTS if name.startswith("inbox.")} <= used
