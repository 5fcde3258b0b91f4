"""The dashboard on its own, without an installation: takes the options of `tidelake dashboard`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

if __name__ == "__main__":
    from tidelake.cli import main

    sys.argv[1:1] = ["dashboard"]
    main()
