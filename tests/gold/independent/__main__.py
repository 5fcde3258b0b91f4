"""Compares the published gold of a home with its lake: `python -m tests.gold.independent --home H`.

For a home whose transform has taken all that the lake holds; prints a line a question and, below,
the first differences. Ends with 1 where there are any.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tests.gold.independent.compare import Comparison, compare

from tidelake import settings
from tidelake.lake.query import connect
from tidelake.pipeline.lakehouse import opened


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".tidelake"))
    parser.add_argument("--timezone", help="the zone that gold is reckoned in (default: its own)")
    asked = parser.parse_args(arguments)
    gold_file = published(asked.home)
    with (
        opened(settings.load(home=asked.home)) as lakehouse,
        closing(connect(lakehouse.catalog)) as lake,
    ):
        found = compare(lake, gold_file, asked.timezone or zone_of(gold_file))
    sys.stdout.write(table(found))
    return int(any(one.differences for one in found))


def published(home: Path) -> Path:
    """The gold file that the pointer of the home names."""
    folder = home / "gold"
    return folder / (folder / "current").read_text().strip()


def zone_of(gold_file: Path) -> str:
    """The reporting time zone that a gold file says it was made for."""
    import duckdb

    with duckdb.connect(str(gold_file), read_only=True) as gold:
        ((timezone,),) = gold.execute("select timezone from gold.publication").fetchall()
    return str(timezone)


def table(found: Sequence[Comparison]) -> str:
    """A line a question, then the first differences of each."""
    lines = [f"{'question':<26}{'rows':>9}{'differences':>13}"]
    lines += [f"{one.question:<26}{one.rows:>9,}{one.differences:>13,}" for one in found]
    for one in found:
        lines += [f"{one.question}: {text}" for text in one.shown]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
