"""`docs/benchmarks.md` from `bench/results/*.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Figure
from bench.results import Results

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

INTRODUCTION = """\
<!-- Made from bench/results/*.json by `make bench`; do not edit. -->

# Benchmarks

What tidelake costs, by `make bench`. Costs are CPU-seconds, user and system, of every process that
took part, and rates are reckoned from them; other work on the machine slows them down less than it
does wall time, but it does: the same piece of work was seen to take twice as many CPU-seconds while
others used the cores. Each figure is the median of its rounds with the lowest and the highest; of
variants that are compared the rounds take turns.

`make bench ARGS=--quick` looks at everything in some minutes and keeps nothing;
`make bench ARGS="--only freshness"` and `ARGS="--only soak --minutes 30"` are the long ones.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of costs, with the name that its figures begin with."""

    name: str
    what: str


COSTS = {
    "stages": (
        Row("generate", "generator, from seed to a file"),
        Row("decode", "decode: raw records to rows (fast decoder)"),
        Row("decode_slow", "decode by the slow decoder alone"),
        Row("write", "write: rows to Parquet files"),
    ),
    "ingest": (
        Row("ingest", "`tidelake ingest FILE`, two workers, with its start"),
        Row("ingest_without_start", "the same without its start"),
        Row("ingest_one_worker", "one worker, with its start"),
        Row("ingest_bad", "two workers, 1 % bad records, with its start"),
        Row("inbox", "inbox to committed snapshot, two workers running"),
    ),
    "raw_load": (
        Row("raw_load", "lake to raw, PostgreSQL included, into an empty table"),
        Row("raw_load_full", "the same into a table of many millions of rows"),
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure in words; `form` shows a number, `target` is what it must reach."""

    figure: str
    what: str
    form: str = "{:,.2f}"
    target: str = ""


def _freshness(rate: str) -> tuple[Line, ...]:
    def line(figure: str, what: str, target: str = "", form: str = "{:,.2f}") -> Line:
        return Line(f"freshness.{rate}.{figure}", f"{int(rate):,}/s: {what}", form, target)

    return (
        line("minutes", "minutes", form="{:,.0f}"),
        line("events_a_second", "events a second that arrived", form="{:,.0f}"),
        line("lake_p50_s", "seconds until committed to Iceberg, p50"),
        line("lake_p99_s", "the same, p99", "at most 2"),
        line("gold_p50_s", "seconds until shown by a published gold, p50"),
        line("gold_p99_s", "the same, p99", "at most 20"),
        line("cores", "cores of all parts, the mock sender's included"),
        line("wrong_books", "books that were wrong at the end", "0", "{:,.0f}"),
    )


FIGURES = {
    "ingest": (
        Line("storage.ratio", "bytes received for each byte stored, as committed", target="2"),
        Line("storage.ratio_sorted", "the same after care has sorted the finished days"),
        Line(
            "inbox.memory_mb_per_100_events",
            "MB above idle for each 100 events in flight",
            target="at most 50",
        ),
        Line("inbox.idle_memory_mb", "MB of the ingest part while idle", "{:,.0f}"),
        Line("ingest_start.cpu_s", "CPU-seconds of `tidelake ingest` with one event"),
        Line("ingest.commits", "commits of `tidelake ingest FILE`", "{:,.0f}"),
    ),
    "commits": (
        Line("commits.slowest_cpu_ms.at_50", "slowest of 50 commits at 50 files, ms", "{:,.0f}"),
        Line("commits.slowest_cpu_ms.at_5000", "slowest at 5,000 files, ms", "{:,.0f}"),
        Line("commits.slowest_ratio", "ratio of the two", target="at most 1.5"),
        Line("commits.median_cpu_ms.at_50", "median at 50 files, ms", "{:,.0f}"),
        Line("commits.median_cpu_ms.at_5000", "median at 5,000 files, ms", "{:,.0f}"),
        Line("commits.median_ratio", "ratio of the two"),
    ),
    "refresh": (
        Line("refresh.cycle_cpu_s.short", "CPU-s of a cycle with 5,000 news at 1M of history"),
        Line("refresh.silver_cpu_s.short", "of them in silver"),
        Line("refresh.gold_cpu_s.short", "of them in gold"),
        Line("refresh.cycle_cpu_s.long", "CPU-s of the same cycle at 10M of history"),
        Line("refresh.silver_cpu_s.long", "of them in silver"),
        Line("refresh.gold_cpu_s.long", "of them in gold"),
        Line("refresh.ratio", "cost of a cycle at 10M to that at 1M", target="at most 1.5"),
        Line("refresh.gold_rows_read.short", "rows gold read in PostgreSQL at 1M", "{:,.0f}"),
        Line("refresh.gold_rows_read.long", "rows gold read in PostgreSQL at 10M", "{:,.0f}"),
        Line("refresh.idle_cpu_ms", "ms CPU of a look that finds nothing"),
        Line("refresh.history_cpu_s_per_million.short", "CPU-s a million of history, to 1M"),
        Line("refresh.history_cpu_s_per_million.long", "CPU-s a million of history, 1M to 10M"),
    ),
    "raw_load": (
        Line("raw_load.rows_at_end", "rows in the table at the end", "{:,.0f}"),
        Line("raw_load.ratio", "cost at the end to that at the start"),
        Line("raw_load.small_file_cpu_ms", "ms CPU of a file with ten rows"),
        Line("raw_load.idle_cpu_s_an_hour", "CPU-seconds an hour while nothing comes"),
    ),
    "freshness": (
        *_freshness("500"),
        *_freshness("2000"),
        Line(
            "freshness.idle_cores",
            "cores of all parts while nothing comes",
            "{:,.3f}",
            "at most 0.05",
        ),
    ),
    "soak": (
        Line("soak.minutes", "minutes", "{:,.0f}"),
        Line("soak.rate", "events a second", "{:,.0f}"),
        Line("soak.accepted", "events accepted", "{:,.0f}"),
        Line("soak.not_in_the_lake", "of them not in the lake at the end", "{:,.0f}", "0"),
        Line("soak.wrong_books", "looks at which the books were wrong", "{:,.0f}", "0"),
        Line("soak.snapshots", "most snapshots", "{:,.0f}", "at most 160"),
        Line("soak.metadata_bytes", "most bytes of metadata", "{:,.0f}", "at most 20,000,000"),
        Line("soak.files_a_day", "most live files in a day partition", "{:,.0f}", "at most 60"),
        Line("soak.memory_mb", "MB resident in all parts at the end", "{:,.0f}"),
        Line("soak.memory_growth", "memory grown since minute 5", "{:+.1%}", "at most +5 %"),
    ),
}

HTTP_CELLS = {"1": "1", "10": "10", "100": "100", "500": "500", "100_gzip": "100, gzip"}


def page(found: Mapping[str, Results]) -> str:
    """The whole document; a benchmark that was never kept has no section."""
    parts = [INTRODUCTION]
    for name, section in SECTIONS.items():
        if name in found:
            parts.append(f"## {section}\n\n{_made(found[name])}\n")
            parts.append("\n".join(_tables(found[name])) + "\n")
    return "\n".join(parts)


SECTIONS = {
    "ingest": "From bytes to a committed snapshot",
    "stages": "The stages one by one",
    "http": "Durable over HTTP",
    "commits": "Commits of a large table",
    "raw_load": "From the lake to PostgreSQL",
    "refresh": "From raw to gold",
    "freshness": "How soon an event is seen, with everything running",
    "soak": "Half an hour of `tidelake up`",
}


def _made(found: Results) -> str:
    what = found.with_what
    versions = ", ".join(f"{k} {v}" for k, v in what.items() if k not in ("cores", "system"))
    return f"{found.date}, {what['cores']} cores, {what['system']}; {versions}."


def _tables(found: Results) -> Iterator[str]:
    if found.name in COSTS:
        yield from _costs(found)
        yield ""
    if found.name == "http":
        yield from _http(found)
        yield ""
    if found.name in FIGURES:
        yield from _lines(found)


def _costs(found: Results) -> Iterator[str]:
    yield "| what | CPU-s a million events | events a CPU-s | peak MB | events a second (wall) |"
    yield "|---|---|---|---|---|"
    for row in COSTS[found.name]:
        cells = [
            _cell(found[f"{row.name}.{figure}"], form)
            for figure, form in (
                ("cpu_s_per_million", "{:,.1f}"),
                ("events_per_cpu_s", "{:,.0f}"),
                ("peak_rss_mb", "{:,.0f}"),
                ("events_per_wall_s", "{:,.0f}"),
            )
        ]
        yield f"| {row.what} | {' | '.join(cells)} |"


def _http(found: Results) -> Iterator[str]:
    yield "| events a request | events a server CPU-s | peak MB | events a second (wall) |"
    yield "|---|---|---|---|"
    for name, what in HTTP_CELLS.items():
        rates = _cell(found[f"http.events_per_server_cpu_s.{name}"], "{:,.0f}")
        memory = _cell(found[f"http.peak_rss_mb.{name}"], "{:,.0f}")
        wall = _cell(found[f"http.events_per_wall_s.{name}"], "{:,.0f}")
        yield f"| {what} | {rates} | {memory} | {wall} |"


def _lines(found: Results) -> Iterator[str]:
    yield "| what | figure | must be |"
    yield "|---|---|---|"
    for line in FIGURES[found.name]:
        yield f"| {line.what} | {_cell(found[line.figure], line.form)} | {line.target} |"


def _cell(figure: Figure, form: str) -> str:
    """The median, and the range where there was more than one round."""
    median = form.format(figure.median)
    if figure.rounds == 1:
        return median
    return f"{median} ({form.format(figure.low)} – {form.format(figure.high)})"
