"""Records to send, good and bad, no two alike: the bytes of a record say which one it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice

from tidelake.generate import GeneratorSpec, generate, spread_bad

DAYS = 2
BAD = 0.15  # so that nearly every commit has rejects
MOST = 1_000_000


class Supply:
    """A long run of records of the last days."""

    def __init__(self, seed: int) -> None:
        now = datetime.now(UTC)
        # Side by side, so that every few records are of several day partitions.
        days = [_day(seed + ago, now - timedelta(days=ago)) for ago in range(DAYS)]
        self._records = chain.from_iterable(zip(*days, strict=True))
        self._seen: dict[bytes, int] = {}

    def take(self, count: int) -> list[bytes]:
        """The next `count` records."""
        return list(islice(self._unique(), count))

    def _unique(self) -> Iterator[bytes]:
        for record in self._records:
            # Some bad ones are as short as `null`: spaces keep what is wrong, and tell them apart.
            times = self._seen.get(record, 0)
            self._seen[record] = times + 1
            yield record + b" " * times


def _day(seed: int, end: datetime) -> Iterator[bytes]:
    spec = GeneratorSpec(
        seed=seed,
        users=200,
        start=end - timedelta(hours=1),
        end=end,
        count=MOST,
        bad=spread_bad(BAD),
    )
    return chain.from_iterable(chunk.records.to_pylist() for chunk in generate(spec))
