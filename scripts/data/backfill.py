"""Files of events, or all that is in the lake, to raw, silver and gold: the whole way, once."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

if __name__ == "__main__":
    from tidelake.cli.backfill import main

    main()
