"""`make` on a machine that lacks something says so, and says what to do."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

OLD_PYTHON = """\
#!/bin/sh
case "$1" in
    --version) echo "Python 3.9.18" ;;
    *) exit 1 ;;
esac
"""
# What Debian's python3 without python3-venv answers.
NO_ENSUREPIP = """\
#!/bin/sh
echo "The virtual environment was not created successfully because ensurepip is not available."
exit 1
"""


def test_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)

    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)

    assert re.findall(r"make ([a-z-]+) +\S", shown.stdout) == phony.split()


def test_an_old_python_is_named_with_what_to_install(tmp_path: Path) -> None:
    program(tmp_path / "python3", OLD_PYTHON)

    done = setup_sh(path=tmp_path)

    assert done.returncode == 1
    assert "tidelake needs Python 3.11 or newer; found: Python 3.9.18" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_no_python_at_all_is_named_with_what_to_install(tmp_path: Path) -> None:
    done = setup_sh(path=tmp_path)

    assert done.returncode == 1
    assert "found: no python3 at all" in done.stderr


def test_a_newer_python_beside_an_old_one_is_found(tmp_path: Path) -> None:
    program(tmp_path / "python3", OLD_PYTHON)
    program(tmp_path / "python3.12", '#!/bin/sh\n[ "$1" = -c ] || echo "ran $1"\n')

    done = setup_sh(path=tmp_path)

    assert (done.returncode, done.stdout) == (0, f"ran {ROOT}/tools/setup.py\n")


def test_a_python_without_ensurepip_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = load_setup()
    program(tmp_path / "python3", NO_ENSUREPIP)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SystemExit, match="ensurepip is not available") as caught:
        setup.create(tmp_path / "venv")

    assert f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in str(
        caught.value
    )
    assert not (tmp_path / "venv").exists()


def test_a_failed_install_shows_what_pip_said(tmp_path: Path) -> None:
    setup = load_setup()
    program(tmp_path / "pip", "#!/bin/sh\necho 'No space left on device'\nexit 2\n")

    with pytest.raises(SystemExit, match="No space left on device") as caught:
        setup.run([str(tmp_path / "pip")], quiet=True)

    assert "the disk is full (1.5 GB are needed)" in str(caught.value)


def test_an_environment_is_kept_while_pins_python_and_folder_stay(tmp_path: Path) -> None:
    setup = load_setup()
    place = setup.fingerprint(sys.version, str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    assert setup.stamp_of(tmp_path, setup.STAMP) == ("", "")

    (tmp_path / setup.STAMP).write_text(f"{place}\npins\n")
    assert setup.stamp_of(tmp_path, setup.STAMP) == (place, "pins")

    (tmp_path / "bin" / "python").unlink()
    assert setup.stamp_of(tmp_path, setup.STAMP) == ("", "")


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def setup_sh(*, path: Path) -> subprocess.CompletedProcess[str]:
    """tools/setup.sh where only the programs in `path`, `cat` and `dirname` can be found."""
    for tool in ("cat", "dirname"):
        [found] = [p for p in (Path("/bin", tool), Path("/usr/bin", tool)) if p.exists()][:1]
        (path / tool).symlink_to(found)
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools/setup.sh")],
        env={"PATH": str(path), "HOME": os.environ["HOME"]},
        check=False,
        capture_output=True,
        text=True,
    )


def load_setup() -> ModuleType:
    """tools/setup.py as a module; it lies outside every package."""
    spec = importlib.util.spec_from_file_location("setup_tool", ROOT / "tools/setup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
