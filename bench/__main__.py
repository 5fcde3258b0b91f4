"""`python -m bench [--quick] [--only NAME]`: measures, keeps the results, writes the page."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench import commits, freshness, http, raw_load, refresh, report, soak, stages, whole_path
from bench.corpus import BAD_SHARE, CACHE, EVENTS, QUICK_EVENTS, Corpus, corpus, describe
from bench.measure import Figure
from bench.results import Results, read, results

ROUNDS = 3
SOAK_MINUTES, SOAK_RATE = 30.0, 500.0
FRESHNESS_MINUTES = 10.0
LONG = ("freshness", "soak")  # never among all: they take half an hour


@dataclass(frozen=True)
class Session:
    """What was asked for; corpora are made when they are first needed."""

    quick: bool
    minutes: float
    rate: float

    @property
    def rounds(self) -> int:
        return 1 if self.quick else ROUNDS

    @cached_property
    def good(self) -> Corpus:
        return self._corpus(0.0)

    @cached_property
    def bad(self) -> Corpus:
        return self._corpus(BAD_SHARE)

    def _corpus(self, bad_share: float) -> Corpus:
        made = corpus(QUICK_EVENTS if self.quick else EVENTS, bad_share)
        describe(made, say)
        return made

    def stages(self) -> Mapping[str, Figure]:
        return stages.measure(self.good, self.rounds, say)

    def ingest(self) -> Mapping[str, Figure]:
        return whole_path.measure(self.good, self.bad, self.rounds, say)

    def http(self) -> Mapping[str, Figure]:
        return http.measure(self.good, self.rounds, say, 0.25 if self.quick else 1.0)

    def commits(self) -> Mapping[str, Figure]:
        many = commits.QUICK_MANY if self.quick else commits.MANY
        return commits.measure(self.good, self.rounds, many, say)

    def raw_load(self) -> Mapping[str, Figure]:
        rows = raw_load.QUICK_ROWS if self.quick else raw_load.ROWS
        return raw_load.measure(self.good, rows, say)

    def refresh(self) -> Mapping[str, Figure]:
        histories = refresh.QUICK_HISTORIES if self.quick else refresh.HISTORIES
        return refresh.measure(histories, self.rounds, say)

    def freshness(self) -> Mapping[str, Figure]:
        return freshness.measure(0.5 if self.quick else FRESHNESS_MINUTES, say)

    def soak(self) -> Mapping[str, Figure]:
        found = soak.soak(self.minutes, self.rate, say)
        for name, figure, bound, kept in found.verdicts():
            say(f"  {'kept' if kept else 'BROKEN':7} {name}: {figure:,.3g}, at most {bound:,.3g}")
        path = CACHE / "soak-samples.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found.document()), "utf-8")
        return {name: Figure.of([figure]) for name, figure in found.figures().items()}


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


BENCHMARKS: dict[str, Callable[[Session], Mapping[str, Figure]]] = {
    "ingest": Session.ingest,
    "stages": Session.stages,
    "http": Session.http,
    "commits": Session.commits,
    "raw_load": Session.raw_load,
    "refresh": Session.refresh,
    "freshness": Session.freshness,
    "soak": Session.soak,
}


def main() -> None:
    asked = _arguments()
    # Where it is set every process compiles every module anew: that is no cost of ours.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    session = Session(asked.quick, asked.minutes, asked.rate)
    names = [asked.only] if asked.only else [name for name in BENCHMARKS if name not in LONG]
    found: dict[str, Results] = {}
    for name in names:
        say(f"{name} …")
        found[name] = results(name, BENCHMARKS[name](session))
        # A quick look is no result: it is printed, and the page stays as it is.
        found[name].write(*([CACHE / "quick"] if asked.quick else []))
    print(report.page(found))
    if not asked.quick:
        write_page(report.PAGE)


def write_page(path: Path) -> None:
    path.write_text(report.page(read()), "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of a fifth; kept nowhere")
    parser.add_argument(
        "--only", choices=BENCHMARKS, help="one of them; soak and freshness only so"
    )
    parser.add_argument("--minutes", type=float, default=SOAK_MINUTES, help="length of the soak")
    parser.add_argument("--rate", type=float, default=SOAK_RATE, help="events a second in it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
