"""Traffic as no generator of ours would send it: everything that gold's definitions speak of.

People with and without session ids, silences of about thirty minutes, bots, empty and missing
values, repeats, late and early deliveries, order ids that come twice, refunds, unknown types,
rejects; three projects, three wire formats; five weeks around the night the clocks go back. The
same seed gives the same bytes, times of reception included.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tidelake.generate import GeneratorSpec, generate, spread_bad
from tidelake.inbox import Records

START = datetime(2026, 10, 12, tzinfo=UTC)
DAYS = 35
PROJECTS = (None, "shop", "blog")
COUNTRIES = ("DE", "FR", "US", "Österreich", "", None)
DEVICES = ("desktop", "mobile", "tablet", "", None)
PATHS = ("/", "/p/cup", "/p/mug/blue", "/c/kitchen", "/checkout", "p/cup", "//odd", "", None)
REFERRERS = (
    "https://www.google.com/search?q=cup",
    "https://l.Instagram.com/",
    "http://me@Shop.example:8080/p/cup",
    "android-app://com.google.android.gm/",
    "Newsletter",
    "",
    None,
    None,
    None,
)
CAMPAIGNS = (
    {"source": "google", "medium": "cpc", "name": "autumn"},
    {"source": "mail"},
    {"medium": "social", "name": ""},
    {"source": ""},
    None,
    None,
    None,
)
CURRENCIES = ("EUR", "USD", "JPY", "", None)
PRODUCTS = (
    {"product_id": "cup", "name": "Cup", "category": "Kitchen", "price": 9.9},
    {"product_id": "mug", "name": "Mug, blue", "category": "Kitchen", "price": 12.35},
    {"product_id": "mug", "name": "Mug", "category": "Sale", "price": 0},
    {"product_id": "", "name": "Gift", "price": 3.33},
    {"product_id": "odd", "sku": "X-1", "category": "Odds", "price": "free"},
)
QUERIES = ("cup", "Cup", "tea  cup", "ünïcode", "", None)
TYPES = (
    *("page_view",) * 8,
    *("product_view",) * 6,
    *("cart_update", "click", "search") * 3,
    *("checkout_start", "purchase") * 2,
    *("screen_view", "refund", "form_submission", "Sent A Postcard", "ufo_seen", "product_click"),
)
# Seconds from one event to the next: within a visit, about thirty minutes, and beyond.
STEPS_S = (0.0, 0.001, 20.0, 900.0, 1200.0, 1799.999, 1800.0, 1800.001, 2400.0, 40_000.0)
# From the event to its reception; a clock may be fast, and phones are offline for weeks.
DELAYS_S = (0.2, 0.2, 5.0, -3000.0, 3600.0, 3600.001, 90_000.0, 700_000.0, 1_500_000.0)
SPIDER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
TIME = re.compile(rb'"timestamp":"(2026-[-0-9T:.]+Z)"')
REJECTS = (b"{", b"[]", b'{"event_id":"x"}', b"\xff", b'{"event_type":7,"user_id":"u"}', b"null")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who visits: the members of a record that say who and where it is."""

    project: str | None
    ids: dict[str, str]
    country: str | None
    device: str | None


@dataclass
class Traffic:
    """Draws people and what they do; `sent` holds a request per record.

    `empty` stands where a client sends a text without a character as device type, path, currency,
    product or campaign; `apart_s` lies between the receptions of two purchases of one order.
    """

    seed: int
    empty: str | None = ""
    apart_s: float = 0.0
    sent: list[Records] = field(default_factory=list)
    _orders: int = 0

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)

    def of(self, people: int) -> Traffic:
        for number in range(people):
            self._visits(self._person(number))
        for _ in range(people * 2):
            self._reject()
            self._of_nobody()
        self._repeat()
        return self

    def _person(self, number: int) -> Person:
        draw = self._draw
        names = draw.choice((("user_id",), ("anonymous_id",), ("user_id", "anonymous_id")))
        # The same ids in several projects are several people.
        ids = {name: f"{name[:4]}-{number // 3}" for name in names}
        device = "bot" if draw.random() < 0.1 else self._one_of(DEVICES)
        return Person(draw.choice(PROJECTS), ids, draw.choice(COUNTRIES), device)

    def _visits(self, person: Person) -> None:
        draw = self._draw
        for _ in range(draw.randint(1, 6)):
            time = START + timedelta(seconds=draw.uniform(0, DAYS * 86_400))
            session = f"s{draw.randint(0, 60)}" if draw.random() < 0.5 else None
            for _ in range(draw.randint(1, 12)):
                own = session if draw.random() < 0.9 else draw.choice(("", None))
                self._act(person, time, own)
                time += timedelta(seconds=draw.choice(STEPS_S))

    def _act(self, person: Person, time: datetime, session: str | None) -> None:
        draw = self._draw
        kind = draw.choice(TYPES)
        doc = self._doc(person, kind, session)
        ids = person.ids
        if len(ids) > 1 and draw.random() < 0.3:  # not known yet
            ids = {"anonymous_id": ids["anonymous_id"]}
        record = {
            "event_id": f"{draw.getrandbits(64):x}",
            "event_type": kind,
            "timestamp": time.isoformat(),
            **ids,
            "_doc": doc,
        }
        spider = person.device is None and draw.random() < 0.1
        envelope = {"project": person.project, "ua": SPIDER if spider else None}
        self._send(record, envelope, time)
        if kind in ("purchase", "refund") and draw.random() < 0.3:
            self._send_by_segment(record, person, time)

    def _doc(self, person: Person, kind: str, session: str | None) -> dict[str, Any]:
        draw = self._draw
        doc: dict[str, Any] = {
            "session_info": {"session_id": session, "referrer": draw.choice(REFERRERS)},
            "user_agent": {"device_type": person.device},
            "location": {"country": person.country if draw.random() < 0.9 else "IT"},
            "page": {"path": self._one_of(PATHS), "referrer": draw.choice(REFERRERS)},
            "campaign": self._campaign() if draw.random() < 0.3 else None,
            "engagement": {
                "scroll_depth": draw.choice((None, 12.5, 100, round(draw.uniform(0, 100), 2))),
                "time_on_page": draw.choice((None, 0, round(draw.expovariate(1 / 40), 3))),
                "interactions": draw.choice((None, 0, 3, "many")),
                "downloads": draw.choice((None, 1)),
            },
            "performance": {
                "page_load_time": draw.choice((None, "fast", round(draw.lognormvariate(7, 1), 2))),
                "first_contentful_paint": draw.choice((None, 0, -1, 0.4, 700)),
                "network_latency": round(draw.lognormvariate(3, 1), 2),
            },
        }
        if kind == "search":
            doc["search"] = {"query": draw.choice(QUERIES)}
        if kind in ("purchase", "refund", "checkout_start"):
            doc["order"] = self._order()
        if kind == "cart_update":
            doc["cart"] = {"items": self._items()}
        return doc

    def _order(self) -> dict[str, Any]:
        draw = self._draw
        self._orders += 1
        return {
            "id": draw.choice((f"o{self._orders}", f"o{self._orders}", "", None)),
            "total": draw.choice((round(draw.uniform(1, 900), 2), 0, None, "9.90")),
            "shipping": draw.choice((4.9, 0, None)),
            "tax": round(draw.uniform(0, 90), 2),
            "discount": draw.choice((None, 10)),
            "currency": self._one_of(CURRENCIES),
            "items": self._items() if draw.random() < 0.9 else None,
        }

    def _items(self) -> list[dict[str, Any]]:
        draw = self._draw
        several = draw.choices(PRODUCTS, k=draw.randint(0, 4))
        return [
            {
                **product,
                "product_id": product["product_id"] or self.empty,
                "quantity": draw.choice((1, 2, 5, None)),
            }
            for product in several
        ]

    def _campaign(self) -> dict[str, Any] | None:
        drawn = self._draw.choice(CAMPAIGNS)
        return drawn and {name: value or self.empty for name, value in drawn.items()}

    def _one_of(self, values: Sequence[str | None]) -> str | None:
        value = self._draw.choice(values)
        return self.empty if value == "" else value

    def _send_by_segment(self, record: dict[str, Any], person: Person, time: datetime) -> None:
        """The same order once more, told by a server on the same day with other figures."""
        draw = self._draw
        received_at = self.sent[-1].received_at + round(self.apart_s * 1_000_000)
        order = record["_doc"]["order"]
        name = "Order Completed" if record["event_type"] == "purchase" else "Order Refunded"
        message = {
            "type": "track",
            "event": name,
            "messageId": f"m{draw.getrandbits(32)}",
            "timestamp": time.isoformat(),
            "userId": f"user-{draw.randint(0, 20)}",
            "context": {"location": {"country": "NL"}, "userAgent": draw.choice((SPIDER, None))},
            "properties": {
                "order_id": order["id"],
                "total": 1.25,
                "currency": "EUR",
                "products": order["items"],
            },
        }
        said = json.dumps({"project": person.project} if person.project else {})
        self.sent.append(
            Records([json.dumps(message).encode()], said.encode(), received_at, "api", "segment")
        )

    def _of_nobody(self) -> None:
        draw = self._draw
        time = START + timedelta(seconds=draw.uniform(0, DAYS * 86_400))
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"{draw.getrandbits(64):x}",
            "source": "/stock",
            "type": draw.choice(("com.example.stock.counted", "com.example.page.view")),
            "time": draw.choice((time.isoformat(), None)),
            "data": {"page": {"path": "/nobody"}, "session_info": {"session_id": "s1"}}
            if draw.random() < 0.2
            else {"performance": {"dom_interactive": draw.uniform(0, 5)}},
        }
        self._send(event, {"project": draw.choice(PROJECTS)}, time, "cloudevents")

    def _reject(self) -> None:
        time = START + timedelta(seconds=self._draw.uniform(0, DAYS * 86_400))
        envelope = {"project": self._draw.choice(PROJECTS)}
        self._deliver(self._draw.choice(REJECTS), envelope, time, "native")

    def _repeat(self) -> None:
        """Some requests come again, minutes or days later; some even twice."""
        for again in self._draw.choices(self.sent, k=len(self.sent) // 15):
            later = int(self._draw.choice((1e6, 6e8, 4e9, 9e10, 9e11)))
            self.sent.append(
                Records(
                    again.bodies, again.envelope, again.received_at + later, "api", again.format
                )
            )

    def _send(
        self,
        record: dict[str, Any],
        envelope: dict[str, Any],
        time: datetime,
        format: str = "native",
    ) -> None:
        self._deliver(json.dumps(record, ensure_ascii=False).encode(), envelope, time, format)

    def _deliver(self, body: bytes, envelope: dict[str, Any], time: datetime, format: str) -> None:
        received = time + timedelta(seconds=self._draw.choice(DELAYS_S))
        said = json.dumps({name: value for name, value in envelope.items() if value})
        self.sent.append(Records([body], said.encode(), _micros(received), "api", format))


def of_the_shop(lines: int) -> list[Records]:
    """What `tidelake generate` makes, 50 lines a request, received as the last of them happens."""
    end = START + timedelta(days=DAYS)
    spec = GeneratorSpec(
        users=200, start=START, end=end, count=lines, bad=spread_bad(0.02), repeat=0.02
    )
    bodies = b"".join(chunk.lines() for chunk in generate(spec)).splitlines()
    groups = [bodies[at : at + 50] for at in range(0, len(bodies), 50)]
    return [Records(group, b'{"project":"shop"}', _micros(_last_time(group))) for group in groups]


def _last_time(bodies: Sequence[bytes]) -> datetime:
    """The greatest time that is stated; a bad record may state one of another age."""
    stated = (TIME.search(body) for body in bodies)
    times = [datetime.fromisoformat(found[1].decode()) for found in stated if found]
    return max(time for time in times if START <= time <= START + timedelta(days=DAYS))


def _micros(time: datetime) -> int:
    return round(time.timestamp() * 1_000_000)


def in_parts(requests: Sequence[Records], parts: int) -> Iterator[list[Records]]:
    """The requests in the order of their reception, in so many parts of about equal size."""
    ordered = sorted(requests, key=lambda records: records.received_at)
    for part in range(parts):
        yield ordered[len(ordered) * part // parts : len(ordered) * (part + 1) // parts]
