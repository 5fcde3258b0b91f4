"""Make the environment that everything runs in: `.venv` from requirements.txt.

Runs before anything is installed, so it uses the standard library alone. It compares what is
there with what is asked for and does nothing when they agree; so every make target may call it.

    python3 tools/setup.py            .venv, for running and testing
    python3 tools/setup.py --check    the same with what `make check` needs
    python3 tools/setup.py --spark    .venv-spark and its jars, for `make test-spark`
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = "tidelake-installed"

NO_VENV = """\
This Python cannot create virtual environments ({python}: {reason}).
  Debian, Ubuntu:  apt-get install python{version}-venv
  Fedora:          dnf install python3-pip
  anything:        install uv and put it on the PATH; it needs neither."""

FAILED = """\
{said}Installing failed: {command}
  The lines above say why. Most often the package index cannot be reached (behind a proxy: set
  HTTPS_PROXY, or pip's index-url) or the disk is full (1.5 GB are needed). Then run the same
  make command again."""


def main(arguments: list[str]) -> int:
    if "--spark" in arguments:
        set_up(ROOT / ".venv-spark", "requirements-spark.txt", STAMP)
        return 0
    if set_up(ROOT / ".venv", "requirements.txt", STAMP):
        link_source(ROOT / ".venv")
    if "--check" in arguments:
        set_up(ROOT / ".venv", "requirements-check.txt", f"{STAMP}-check")
    return 0


def set_up(venv: Path, requirements: str, stamp: str) -> bool:
    """Install what is asked for into `venv`, made if need be; False where it is there already."""
    pinned = ROOT / requirements
    place, pins = fingerprint(sys.version, str(ROOT)), fingerprint(pinned.read_text())
    made_at, made_with = stamp_of(venv, stamp)
    if (made_at, made_with) == (place, pins):
        return False
    began = time.monotonic()
    say(f"Setting up {venv.name} with Python {sys.version.split()[0]} from {requirements} (once) …")
    if made_at != place and stamp == STAMP:
        create(venv)
    install(venv, pinned)
    (venv / stamp).write_text(f"{place}\n{pins}\n")
    say(f"{venv.name} is ready after {time.monotonic() - began:.0f} s.")
    return True


def fingerprint(*facts: str) -> str:
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def stamp_of(venv: Path, stamp: str) -> tuple[str, str]:
    """Where and with what pins `venv` was made; empty where it is missing or does not start.

    The place counts (interpreter and folder), since a moved environment points to where it was.
    """
    try:
        subprocess.run([python_of(venv), "-c", ""], check=True, capture_output=True)
        place, pins = (venv / stamp).read_text().split()
    except (OSError, subprocess.CalledProcessError, ValueError):
        return "", ""
    return place, pins


def python_of(venv: Path) -> str:
    return str(venv / "bin" / "python")


def create(venv: Path) -> None:
    """An empty environment in place of whatever is there."""
    shutil.rmtree(venv, ignore_errors=True)
    uv = shutil.which("uv")
    command = (
        [uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(venv)]
        if uv
        else [sys.executable, "-m", "venv", str(venv)]
    )
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        lines = (made.stderr or made.stdout).strip().splitlines() or ["no reason given"]
        version = "{}.{}".format(*sys.version_info)
        raise SystemExit(NO_VENV.format(python=sys.executable, reason=lines[0], version=version))


def install(venv: Path, requirements: Path) -> None:
    """Exactly the pinned packages, each checked against its hash."""
    uv = shutil.which("uv")
    pip = [uv, "pip", "install", "--python", python_of(venv)] if uv else pip_of(venv)
    # Python compiles what it imports; compiling all that is installed takes 190 MB and 20 s.
    lazy = [] if uv else ["--no-compile"]
    run([*pip, *lazy, "--require-hashes", "--requirement", str(requirements)], quiet=not uv)


def link_source(venv: Path) -> None:
    """Put `src` on the environment's path and the `tidelake` command into its bin.

    Without build isolation, because the build backend is pinned and installed already.
    """
    run([*pip_of(venv), "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], quiet=True)


def pip_of(venv: Path) -> list[str]:
    return [python_of(venv), "-m", "pip", "install", "--disable-pip-version-check"]


def run(command: list[str], *, quiet: bool) -> None:
    """Run an installer. `quiet` turns pip's some 400 lines into one that counts packages,
    and gives the last of them only where it fails; uv draws its own progress.
    """
    lines: list[str] = []
    out, err = (subprocess.PIPE, subprocess.STDOUT) if quiet else (None, None)
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=out, stderr=err) as process:
        for line in process.stdout or ():
            lines.append(line)
            show_progress(line, sum(line.startswith("Collecting ") for line in lines))
    if process.returncode:
        raise SystemExit(FAILED.format(command=" ".join(command), said="".join(lines[-25:])))


def show_progress(line: str, collected: int) -> None:
    """One line, written over on a terminal; elsewhere every 20th package, to keep logs short."""
    terminal = sys.stdout.isatty()
    if line.startswith("Collecting ") and (terminal or collected % 20 == 0):
        package = line.split()[1]
        text = f"  {collected} packages, now {package}"
        print(f"\r{text:<70}" if terminal else text, end="" if terminal else "\n", flush=True)
    elif collected and line.startswith("Installing collected packages"):
        print("\r" * terminal + f"{'  unpacking them …':<70}", flush=True)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
