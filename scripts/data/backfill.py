"""Files of events, or all that is in the lake, to raw, silver and gold: the whole way, once."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

if __name__ == "__main__":
    from tidelake import errors, settings
    from tidelake.pipeline.backfill import backfill
    from tidelake.pipeline.stopping import Stop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="NDJSON, JSON array, gzip, zstd or Parquet")
    parser.add_argument("--home", help="folder that holds all state (default: .tidelake)")
    given = parser.parse_args()
    try:
        backfill(settings.load(home=given.home), given.files, Stop().on_signals(), print)
    except errors.TidelakeError as exc:
        sys.exit(f"error: {exc}")
