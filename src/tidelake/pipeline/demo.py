"""`tidelake demo`: the whole pipeline on this machine, with traffic, and its books."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tidelake.errors import UnavailableError
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.lake import query
from tidelake.lake.positions import RAW_BYTES, REASON
from tidelake.observe import heartbeat
from tidelake.pipeline import demo_measure as measure
from tidelake.pipeline.books import Look, look
from tidelake.pipeline.demo_gold import Gold, look_at_gold, wait_for_gold
from tidelake.pipeline.demo_traffic import Traffic, send_history, send_live, send_through_sdk
from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.pipeline.query import Answer, queries
from tidelake.pipeline.up import Running, running
from tidelake.pipeline.waiting import waiting_in
from tidelake.settings import Settings

SDK_MESSAGES = 300
LAKE_WITHIN_S = 180.0
MOST_ROWS = 10

# Beside whatever listens on this machine, and without the inbox that it was all read from: a demo
# should not leave 350 MB behind that nobody will replay.
ENVIRONMENT = {
    "TIDELAKE_COLLECT_PORT": "0",
    "TIDELAKE_DASHBOARD_PORT": "0",
    "TIDELAKE_INBOX_KEEP_H": "0",
}

QUESTIONS = {
    "events by type": """
        select event_type, count(*) as events,
               count(distinct coalesce(user_id, anonymous_id)) as users
        from events group by event_type order by events desc limit 10
    """,
    "top pages": """
        select page_path, count(*) as views, round(avg(performance_page_load_time))::int as load_ms
        from events where event_type = 'page_view' and page_path is not null
        group by page_path order by views desc limit 8
    """,
    "revenue by day": """
        select event_day as day, order_currency as currency, count(*) as orders,
               round(sum(order_total), 2) as revenue
        from (select distinct on (event_key) * from events where event_type = 'purchase')
        where order_currency = (select mode(order_currency) from events)
        group by all order by day desc limit 8
    """,
}


@dataclass(frozen=True)
class Plan:
    """How much traffic."""

    history: int
    rate: float
    seconds: float
    sdk: int = SDK_MESSAGES


@dataclass(frozen=True)
class Summary:
    """What came of it: the content of `demo.json`."""

    sent: int
    accepted: int
    refused: int
    events: int
    rejected: Mapping[str, int]
    repeats: int
    balanced: bool
    wrong: list[str]
    events_per_s: float
    memory_mb_per_100_events: float
    compression_ratio: float
    latency_s: Mapping[str, float]  # live traffic
    latency_history_s: Mapping[str, float]  # while the history was worked off
    latency_gold_s: Mapping[str, float]  # live traffic, from the 2xx until gold showed it
    gold_events: int  # distinct events that gold counts, of this run and all before
    gold_version: int
    commits: int
    files: int


class Screen(Protocol):
    """Told what happens; the command shows it."""

    def say(self, line: str) -> None: ...
    def begin(self, what: str, total: int) -> None: ...
    def advance(self, done: int) -> None: ...
    def follow(self, line: str) -> None: ...


def demo(settings: Settings, screen: Screen, plan: Plan) -> tuple[Summary, dict[str, Answer]]:
    """Runs the pipeline, sends traffic, waits until the lake holds it; leaves `demo.json`.

    Whether the books balance is in the summary: whoever calls decides what follows. Raises what
    the parts raise where they do not start.
    """
    with running(settings, screen.say, ENVIRONMENT) as pipeline:
        lakehouse = attach(settings, pipeline.database_url)
        show = _Show(pipeline, lakehouse, screen)
        try:
            before, began = look(lakehouse), time.time()
            history = show.history(plan, seed := _seed(before))
            live = show.live(plan, seed + 1)
            sdk = show.sdk(plan)
            gold = show.gold(live)
            summary = _summary(lakehouse, before, began, history, live, sdk, gold)
            answers = {**_answers(lakehouse), **gold.answers}
        finally:
            lakehouse.catalog.close()
    _write(settings.home / "demo.json", summary)
    return summary, answers


@dataclass(frozen=True)
class _Show:
    """Three acts, each of which ends when the lake holds what was sent, and then gold."""

    pipeline: Running
    lakehouse: Lakehouse
    screen: Screen

    def history(self, plan: Plan, seed: int) -> _Act:
        self.screen.begin("sending a history of 14 days", plan.history)
        return self._until_committed(
            lambda: send_history(self.pipeline.collector, seed, plan.history, self._advance)
        )

    def live(self, plan: Plan, seed: int) -> _Act:
        total = round(plan.rate * plan.seconds)
        self.screen.begin(f"live traffic, {plan.rate:,.0f} events a second", total)
        return self._until_committed(
            lambda: send_live(self.pipeline.collector, seed, plan.rate, plan.seconds, self._advance)
        )

    def sdk(self, plan: Plan) -> _Act:
        self.screen.begin("the Segment SDK for Python", plan.sdk)
        return self._until_committed(lambda: send_through_sdk(self.pipeline.collector, plan.sdk))

    def gold(self, live: _Act) -> Gold:
        self.screen.say("waiting until gold shows it all …")
        books = look(self.lakehouse).books
        rows = books.events + books.rejected + books.damaged
        wait_for_gold(self.lakehouse, rows, self._told)
        return look_at_gold(self.lakehouse, live.began, live.ended)

    def _until_committed(self, send: Callable[[], Traffic]) -> _Act:
        began, began_at = time.monotonic(), time.time()
        traffic = send()
        ended_at = time.time()
        deadline = time.monotonic() + LAKE_WITHIN_S
        inbox = Inbox(self.lakehouse.settings.home, open_disk())
        while left := waiting_in(self.lakehouse.catalog, inbox):
            self.pipeline.supervisor.watch()
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{left:,} records are not in the lake after {LAKE_WITHIN_S:.0f} s",
                    hint="The end of logs/ingest.log in the home says why.",
                )
            time.sleep(0.05)
        return _Act(traffic, time.monotonic() - began, began_at, ended_at)

    def _told(self, how_far: str) -> None:
        self.pipeline.supervisor.watch()
        self.screen.follow(f"gold shows {how_far}")

    def _advance(self, done: int) -> None:
        self.pipeline.supervisor.watch()
        self.screen.advance(done)


@dataclass(frozen=True, slots=True)
class _Act:
    traffic: Traffic
    seconds: float  # from the first request until the lake held everything
    began: float  # epoch seconds of the first and the last request
    ended: float


def _summary(
    lakehouse: Lakehouse,
    before: Look,
    began: float,
    history: _Act,
    live: _Act,
    sdk: _Act,
    gold: Gold,
) -> Summary:
    after = look(lakehouse)
    traffics = [act.traffic for act in (history, live, sdk)]
    accepted = after.books.total_accepted - before.books.total_accepted
    sent, refused = sum(t.sent for t in traffics), sum(t.refused for t in traffics)
    wrong = [finding.sentence for finding in after.books.wrong()]
    if sent != accepted + refused:
        wrong.append(f"{sent:,} were sent, {accepted:,} accepted and {refused:,} refused")
    memory, in_flight = _memory(lakehouse.settings.home)
    with contextlib.closing(query.connect(lakehouse.catalog)) as lake:
        repeats = measure.repeats(lake, began)
        commits = measure.commits(lakehouse.database_url, began)
        history_s = measure.latency(lake, commits, began, history.traffic)
        live_s = measure.latency(lake, commits, began, live.traffic)
    raw = after.events.counts[RAW_BYTES]
    return Summary(
        sent=sent,
        accepted=accepted,
        refused=refused,
        events=after.books.events - before.books.events,
        rejected=_by_reason(before, after),
        repeats=repeats,
        balanced=not wrong,
        wrong=wrong,
        events_per_s=round(history.traffic.accepted / history.seconds, 1),
        memory_mb_per_100_events=round(memory / 1e6 / max(in_flight / 100, 1), 4),
        compression_ratio=round(raw / (after.events.bytes + after.rejects.bytes), 2),
        latency_s=live_s,
        latency_history_s=history_s,
        latency_gold_s=gold.latency_s,
        gold_events=gold.events,
        gold_version=gold.version,
        commits=len(commits),
        files=len(after.events.files) + len(after.rejects.files),
    )


def _memory(home: Path) -> tuple[int, int]:
    """Peak bytes of the ingest processes above idle, and the most records in flight."""
    said = heartbeat.read(home)["ingest"].values
    return said["memory_peak_bytes"] - said["memory_idle_bytes"], said["most_in_flight"]


def _by_reason(before: Look, after: Look) -> dict[str, int]:
    """Rejects of this run, the most frequent reason first."""
    counted = {
        name.removeprefix(REASON): number - before.rejects.counts.get(name, 0)
        for name, number in after.rejects.counts.items()
        if name.startswith(REASON)
    }
    return dict(sorted(counted.items(), key=lambda item: -item[1]))


def _seed(before: Look) -> int:
    """Another seed for every run on a lake, so that a second demo sends other events."""
    return 1 + before.books.total_accepted


def _answers(lakehouse: Lakehouse) -> dict[str, Answer]:
    """The answers by their questions."""
    with queries(lakehouse, "", datetime.now(UTC)) as lake:
        return {question: lake.answer(sql, MOST_ROWS) for question, sql in QUESTIONS.items()}


def _write(path: Path, summary: Summary) -> None:
    path.write_text(json.dumps(asdict(summary), indent=2) + "\n", "utf-8")
