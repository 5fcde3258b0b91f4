"""Pin every package, with hashes, for all platforms and Python 3.11+: `make lock`.

The files name no package index and no folder of the machine that made them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made from {name}.in by `make lock`; edit that file, not this one.\n"


def main() -> None:
    for name in ("requirements", "requirements-check", "requirements-spark"):
        pins = compile_pins(f"{name}.in")
        (ROOT / f"{name}.txt").write_text(HEADER.format(name=name) + pins)


def compile_pins(source: str) -> str:
    command = [sys.executable, "-m", "uv", "pip", "compile", source, "--quiet"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes"]
    # pip in hash mode refuses `name[extra]` of a dependency whose pin does not name the extra.
    command += ["--no-header", "--no-emit-index-url", "--no-strip-extras"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
