"""The events that everything is measured on: made once from a seed, kept in `.cache/bench`.

Ids are random, users and devices many, so that neither speed nor size is the generator's doing:
what gzip makes of the text is the check.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import tidelake.generate
from tidelake.pipeline.generate import GeneratorSpec, run, spread_bad

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "bench"
EVENTS, QUICK_EVENTS = 1_000_000, 200_000
USERS = 200_000  # who may visit; those who did are counted
START = datetime(2026, 1, 1, tzinfo=UTC)
DECADES = 36_500.0  # days: as the oldest age, the events stay in bounds whenever this runs
BAD_SHARE = 0.01
SAMPLE_BYTES = 64 * 1024 * 1024

LEAST_USERS, LEAST_AGENTS, MOST_GZIP = 50_000, 2_000, 8.0

_USER = re.compile(rb'"(?:user_id|anonymous_id)":"([^"]+)"')
_AGENT = re.compile(rb'"metadata":(\{[^}]*\})|"user_agent":\{(.*?),"language"')


@dataclass(frozen=True, slots=True)
class Corpus:
    """One file of NDJSON; `agents` are different browsers on different devices."""

    path: Path
    events: int  # lines, bad ones included
    bad: int
    size: int  # bytes
    users: int
    agents: int
    gzip_ratio: float  # of gzip -6, over the first 64 MB

    def bodies(self, count: int) -> list[bytes]:
        """The first lines, without their ends."""
        with self.path.open("rb") as file:
            return [line[:-1] for line in islice(file, count)]

    def troubles(self) -> Iterator[str]:
        """What makes it too easy; a short one has fewer users, in proportion."""
        users = LEAST_USERS * min(self.events / EVENTS, 1)
        if self.users < users:
            yield f"{self.users:,} users, fewer than {users:,.0f}"
        if self.agents < LEAST_AGENTS:
            yield f"{self.agents:,} user agents, fewer than {LEAST_AGENTS:,}"
        if self.gzip_ratio > MOST_GZIP:
            yield f"gzip -6 makes it {self.gzip_ratio:.1f}:1, more than {MOST_GZIP:g}:1"


def corpus(events: int, bad_share: float = 0.0) -> Corpus:
    """The corpus of that many events, from the cache where it was made by the same code."""
    name = f"{events}-{'bad' if bad_share else 'good'}-{_code()}"
    path, facts = CACHE / f"{name}.ndjson", CACHE / f"{name}.json"
    if not facts.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        made = run(spec(events, bad_share), str(path))
        found = _described(path, events, made.tally.bad.total())
        facts.write_text(json.dumps({**asdict(found), "path": None}), "utf-8")
    found = Corpus(**{**json.loads(facts.read_text("utf-8")), "path": path})
    if troubles := list(found.troubles()):
        raise ValueError(f"the corpus is too easy: {'; '.join(troubles)}")
    return found


def spec(events: int, bad_share: float = 0.0) -> GeneratorSpec:
    return GeneratorSpec(
        seed=7,
        users=USERS,
        start=START,
        end=START + timedelta(days=3),
        count=events,
        bad=spread_bad(bad_share),
    )


def describe(found: Corpus, say: Callable[[str], None]) -> None:
    say(
        f"corpus: {found.events:,} events, {found.size / found.events:,.0f} bytes each, "
        f"{found.users:,} users, {found.agents:,} user agents, {found.bad:,} bad; "
        f"gzip -6 makes it {found.gzip_ratio:.1f}:1"
    )


def _described(path: Path, events: int, bad: int) -> Corpus:
    users, agents = set[bytes](), set[tuple[bytes, ...]]()
    with path.open("rb") as file:
        for line in file:
            users.update(_USER.findall(line))
            agents.add(tuple(part for pair in _AGENT.findall(line) for part in pair))
        file.seek(0)
        sample = file.read(SAMPLE_BYTES)
    packed = len(zlib.compress(sample, 6))
    return Corpus(
        path, events, bad, path.stat().st_size, len(users), len(agents), len(sample) / packed
    )


def _code() -> str:
    """Changes with the generator and with the corpus."""
    digest = hashlib.sha256()
    folder = Path(tidelake.generate.__file__).parent
    for path in (*sorted(folder.glob("*.py")), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
