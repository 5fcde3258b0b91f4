"""Random parts killed at random moments: `python -m tests.crash.storm --kills 200`.

Every fifth kill on average is a power loss: everything dies at once. The pipeline runs on the disk
that forgets what was not synced, so each kill loses that as well.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable

from .compare import Comparison
from .pipeline import VICTIMS, Pipeline, pipeline
from .supply import Supply
from .tables import table

POWER_LOSS = "everything"
SHARE_OF_POWER_LOSSES = 0.2
LONGEST_PEACE_S = 2.0


def storm(
    running: Pipeline, kills: int, chance: random.Random, say: Callable[[str], None]
) -> tuple[Counter[str], Comparison]:
    """What was killed how often, and what the comparison found after Ctrl-C."""
    killed: Counter[str] = Counter()
    running.start()
    site = running.site
    with site.clients.traffic(lambda: site.url, threads=2):
        while killed.total() < kills:
            time.sleep(chance.uniform(0.05, LONGEST_PEACE_S))  # a moment that nobody chose
            if chance.random() < SHARE_OF_POWER_LOSSES:
                running.kill_everything()
                killed[POWER_LOSS] += 1
                running.start()
            else:
                victim = chance.choice(VICTIMS)
                killed[victim] += running.kill(victim) is not None
            say(f"{killed.total()} of {kills} kills, {len(site.sent.acknowledged):,} acknowledged")
    running.stop()
    return killed, running.compare()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with pipeline(Supply(given.seed)) as running:
        killed, found = storm(
            running, given.kills, random.Random(given.seed), lambda said: print(said, flush=True)
        )
    for line in table(("killed", "times"), [*sorted(killed.items()), ("all", killed.total())]):
        print(line)
    print(f"acknowledged {found.acknowledged:,}, lost {len(found.lost)}, ", end="")
    print(f"doubled {len(found.doubled)}")
    for trouble in found.trouble:
        print(trouble)
    sys.exit(1 if found.trouble else 0)


if __name__ == "__main__":
    main()
