"""A process that commits records and may be killed: `python committing.py URL WAREHOUSE RELEASED`.

It takes the records 1 to 20 of one file in ranges of five, every seventh bad; notes in RELEASED
what its source was told to forget; looks after the tables once; and finishes the source.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tidelake import crash
from tidelake.lake.care import care_once
from tidelake.lake.commit import Committer
from tidelake.settings import Care

STREAM = "file/ab12/0"
RECORDS = 20
BAD = {n for n in range(1, RECORDS + 1) if n % 7 == 3}


def take(lake: Any, committer: Committer, released: Path, step: int) -> None:
    """Commits what is not committed yet, in ranges of `step`, and finishes the source."""
    if committer.finished(STREAM) is None:
        done, judged_until = committer.start_positions().get(STREAM, (0, 0))
        judged = committer.judged(STREAM, done, judged_until)
        for first in range(done + 1, RECORDS + 1, step):
            last = min(first + step - 1, RECORDS)
            one = lake.range(first, last, stream=STREAM, bad=BAD, judged=judged)
            committer.commit([one])
            released.write_text(str(last))
            crash.point("commit.after_release")
        care_once(lake.catalog, Care(min_files=3), later(), lambda _: None)
    committer.finish_source(STREAM, RECORDS)


def later() -> datetime:
    return datetime.now(UTC) + timedelta(days=30)


def main(url: str, warehouse: str, released: str) -> None:
    from tests.lake.conftest import Lake

    lake = Lake(url, Path(warehouse))
    take(lake, lake.committer(), Path(released), step=5)


if __name__ == "__main__":
    main(*sys.argv[1:])
