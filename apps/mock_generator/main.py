"""Mock events to stdout, a file or a collector: `tidelake generate` without an installation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

if __name__ == "__main__":
    from tidelake.cli.generate import main

    main()
