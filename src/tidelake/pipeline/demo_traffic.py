"""The traffic of the demo: a history and live events over HTTP, and a real Segment SDK."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tidelake.errors import UnavailableError
from tidelake.generate import GeneratorSpec, spread_bad
from tidelake.generate.http_sender import Answer
from tidelake.pipeline.generate import Delivery, Made, Pace, run

HISTORY_DAYS = 14
BAD = REPEATED = 0.01
_EVENT_ID = re.compile(rb'"event_id":"([^"]+)"')

Progress = Callable[[int], None]  # records sent so far


@dataclass(slots=True)
class Traffic:
    """What was sent and what came back; `answers` holds event ids with the time of their 2xx."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    answers: list[tuple[float, list[bytes]]] = field(default_factory=list)

    def add(self, made: Made) -> None:
        assert made.sent is not None, "the target was a collector"
        self.sent += made.sent.sent
        self.accepted += made.sent.accepted
        self.refused += made.sent.refused

    def answered(self, answer: Answer) -> None:
        self.answers.append((answer.answered_at, _EVENT_ID.findall(answer.body)))


def send_history(url: str, seed: int, events: int, progress: Progress) -> Traffic:
    """`events` lines of the last two weeks, as fast as the collector takes them."""
    now = datetime.now(UTC)
    spec = GeneratorSpec(
        seed=seed,
        start=now - timedelta(days=HISTORY_DAYS),
        end=now,
        count=events,
        bad=spread_bad(BAD),
        repeat=REPEATED,
    )
    return _send(spec, url, Pace(), progress)


def send_live(url: str, seed: int, rate: float, seconds: float, progress: Progress) -> Traffic:
    """Events of now, `rate` a second."""
    spec = GeneratorSpec(seed=seed, bad=spread_bad(BAD), repeat=REPEATED)
    return _send(spec, url, Pace(rate, live=True, lines=round(rate * seconds)), progress)


def send_through_sdk(url: str, messages: int) -> Traffic:
    """Messages of every kind through `segment-analytics-python`, as an application sends them."""
    from segment.analytics.client import Client

    trouble: list[Exception] = []
    client = Client("demo", host=url, gzip=True, on_error=lambda error, _: trouble.append(error))
    for number in range(messages):
        user = f"sdk_user_{number % 25}"
        kind = number % 5
        if kind == 0:
            client.identify(user, {"plan": "pro", "email": f"{user}@example.com"})
        elif kind == 1:
            client.page(user, "Docs", "Getting started", {"url": "https://example.com/docs"})
        elif kind == 2:
            client.group(user, "acme", {"employees": 42})
        elif kind == 3:
            client.track(user, "Product Viewed", {"product_id": "p-1", "price": 19.9})
        else:
            client.track(user, "Order Completed", _order(number))
    client.flush()
    client.join()
    if trouble:
        raise UnavailableError(
            f"the Segment SDK could not send: {trouble[0]}",
            hint="The end of logs/collect.log in the home says why.",
        )
    return Traffic(sent=messages, accepted=messages)


def _order(number: int) -> dict[str, object]:
    products = [{"product_id": "p-1", "name": "Lamp", "price": 19.9, "quantity": 2}]
    return {
        "order_id": f"sdk-{number}",
        "total": 44.8,
        "revenue": 39.8,
        "shipping": 5.0,
        "currency": "EUR",
        "products": products,
    }


def _send(spec: GeneratorSpec, url: str, pace: Pace, progress: Progress) -> Traffic:
    traffic = Traffic()
    made = run(
        spec,
        url,
        pace=pace,
        delivery=Delivery(on_answer=traffic.answered),
        stop=threading.Event(),
        progress=lambda so_far: progress(so_far.tally.sent),
    )
    traffic.add(made)
    return traffic
