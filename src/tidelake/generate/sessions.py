"""What happens within a session: a walk through the shop, event after event, until it is left.

Thousands of sessions walk side by side, one step at a time, as columns. A walk knows neither its
user nor its hour; `visits` gives it both.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tidelake.generate import draw
from tidelake.generate.catalogue import Catalogue
from tidelake.generate.channels import CHANNELS

CART_SLOTS = 5
MOST_STEPS = 90
_BATCH = 16384  # fewer than 65,536, so that numpy sorts them by radix


class Kind(IntEnum):
    """Event types, in the order of the template list in `render`."""

    USER_LOGIN = 0
    PAGE_VIEW = 1
    PRODUCT_VIEW = 2
    SEARCH = 3
    CLICK = 4
    FORM_SUBMISSION = 5
    CART_UPDATE = 6
    PURCHASE = 7
    CHECKOUT_START = 8


class Known(IntEnum):
    """What the client knows of the user: nobody yet, signed in before, signed in just now."""

    ANONYMOUS = 0
    SIGNED_IN = 1
    SINCE_LOGIN = 2


EVENT = np.dtype(
    [
        ("time", "i8"),  # ms since 1970; within a walk: since its session began
        ("session", "u8"),
        ("user", "i4"),
        ("elapsed", "i4"),  # ms since the session began
        ("dwell", "i4"),  # ms until the next event, or until the user left
        ("kind", "i4"),
        ("seat", "i4"),
        ("roaming", "?"),
        ("known", "i4"),
        ("channel", "i4"),
        ("first", "?"),
        ("visited", "i4"),  # pages so far
        ("page", "i4"),
        ("before", "i4"),  # the page before this one
        ("entry", "i4"),
        ("product", "i4"),
        ("query", "i4"),
        ("items", "i4", (CART_SLOTS,)),
        ("quantities", "i4", (CART_SLOTS,)),
    ]
)
Events = NDArray[np.void]
_WHOLE = np.dtype((np.void, EVENT.itemsize))


def joined(parts: list[Events]) -> Events:
    """One table of several. As opaque rows: field by field numpy takes ten times as long."""
    return np.concatenate([part.view(_WHOLE) for part in parts]).view(EVENT)


# The states of a walk. One more than there are types: the address at the checkout is a form.
_STATES = (
    "login", "page", "product", "search", "click", "form", "cart", "checkout", "address",
    "purchase", "leave",
)  # fmt: skip
_KIND = np.array([0, 1, 2, 3, 4, 5, 6, 8, 5, 7], dtype=np.int32)
_LOGIN, _PAGE, _PRODUCT, _SEARCH, _CART, _CHECKOUT, _PURCHASE, _LEAVE = 0, 1, 2, 3, 6, 7, 9, 10
_START: dict[str, float] = {"login": 6, "page": 56, "product": 26, "search": 12}
_NEXT: dict[str, dict[str, float]] = {
    "login": {"page": 52, "product": 24, "search": 18, "leave": 6},
    "page": {
        "page": 26, "product": 28, "search": 11, "click": 14, "form": 2, "login": 4, "leave": 15,
    },
    "product": {
        "product": 31, "page": 14, "search": 9, "click": 16, "cart": 10, "form": 1, "leave": 19,
    },
    "search": {"product": 54, "search": 17, "page": 9, "click": 8, "leave": 12},
    "click": {"product": 36, "page": 28, "click": 12, "search": 6, "cart": 6, "leave": 12},
    "form": {"page": 46, "product": 18, "leave": 36},
    "cart": {"checkout": 31, "product": 27, "page": 11, "cart": 13, "leave": 18},
    "checkout": {"address": 72, "page": 6, "leave": 22},
    "address": {"purchase": 75, "checkout": 6, "leave": 19},
    "purchase": {"page": 36, "product": 12, "leave": 52},
}  # fmt: skip
# Seconds until the next event: median and sigma of a log-normal. Under 25 minutes, so that 30
# minutes of silence end a session for whoever cuts sessions by time.
_DWELL = {
    "login": (17, 0.7), "page": (32, 1.0), "product": (40, 1.0), "search": (16, 0.8),
    "click": (9, 0.9), "form": (22, 0.8), "cart": (14, 0.8), "checkout": (35, 0.6),
    "address": (55, 0.6), "purchase": (30, 0.8),
}  # fmt: skip
LONGEST_DWELL = 25 * 60
_LONGEST_SESSION = 4 * 3600 * 1000  # ms; then nothing new begins
LONGEST_DURATION = _LONGEST_SESSION // 1000 + LONGEST_DWELL  # seconds


def _cumulative(row: dict[str, float]) -> NDArray[np.float64]:
    weights = np.array([row.get(state, 0.0) for state in _STATES])
    cumulative: NDArray[np.float64] = np.cumsum(weights) / weights.sum()
    return cumulative


class Walks:
    """An endless supply of finished walks, drawn in batches that depend on the seed alone."""

    def __init__(self, seed: int, catalogue: Catalogue) -> None:
        self._seed = seed
        self._catalogue = catalogue
        self._batches = 0
        self._events = np.empty(0, dtype=EVENT)
        self._ends = np.zeros(1, dtype=np.int64)
        self._tables = _Tables(catalogue)

    def take(self, sessions: int) -> tuple[Events, NDArray[np.int64]]:
        """The events of that many sessions, one after the other, and how many each has."""
        while len(self._ends) <= sessions:
            self._refill()
        cut = self._ends[sessions]
        taken, self._events = self._events[:cut], self._events[cut:]
        lengths = np.diff(self._ends[: sessions + 1])
        self._ends = self._ends[sessions:] - cut
        return taken, lengths

    def mean_length(self) -> float:
        """Events in an average session."""
        while len(self._ends) <= 1:
            self._refill()
        return float(self._ends[-1] / (len(self._ends) - 1))

    def _refill(self) -> None:
        rng = draw.generator(self._seed, 13, self._batches)
        self._batches += 1
        events, lengths = walk(self._tables, self._catalogue, _BATCH, rng)
        ends = self._ends[-1] + np.cumsum(lengths)
        self._events = joined([self._events, events])
        self._ends = np.concatenate([self._ends, ends])


class _Tables:
    """Everything a step looks up, made once."""

    def __init__(self, catalogue: Catalogue) -> None:
        rows = [_cumulative(_NEXT[state]) + i for i, state in enumerate(_STATES[:-1])]
        self.next = np.concatenate(rows)
        self.start = _cumulative(_START)
        self.dwell = np.stack(
            [
                draw.lognormal(median * 1000, sigma, 400, LONGEST_DWELL * 1000).astype(np.int32)
                for median, sigma in (_DWELL[state] for state in _STATES[:-1])
            ]
        )
        self.product = draw.quantiles(draw.zipf(len(catalogue.products), 1.0))
        self.landing = catalogue.landing[draw.quantiles(draw.zipf(len(catalogue.landing), 1.1))]
        self.browsing = catalogue.browsing[draw.quantiles(draw.zipf(len(catalogue.browsing), 0.9))]
        self.query = draw.quantiles(draw.zipf(len(catalogue.queries), 0.9))
        self.channel = draw.quantiles([channel.weight for channel in CHANNELS])
        self.fixed_page = np.zeros(len(_STATES), dtype=np.int32)
        for state, path in (
            ("login", "/login"), ("search", "/search"), ("checkout", "/checkout"),
            ("purchase", "/checkout/confirmation"),
        ):  # fmt: skip
            self.fixed_page[_STATES.index(state)] = catalogue.page(path)


def walk(
    tables: _Tables, catalogue: Catalogue, sessions: int, rng: draw.Rng
) -> tuple[Events, NDArray[np.int64]]:
    """`sessions` walks from entry to leaving, and the number of events of each."""
    now, state = _enter(tables, sessions, rng)
    alive = np.arange(sessions, dtype=np.uint16)
    steps: list[Events] = []
    owners: list[NDArray[np.uint16]] = []
    while len(alive) and len(steps) < MOST_STEPS:
        _arrive(tables, catalogue, now, state, rng)
        now["dwell"] = tables.dwell[state, rng.integers(0, draw.STEPS, len(now))]
        steps.append(joined([now]))
        owners.append(alive)
        now, state, staying = _leave_or_go_on(tables, now, state, rng)
        alive = alive[staying]
    owner = np.concatenate(owners)
    events = joined(steps).take(np.argsort(owner, kind="stable"))
    return events, np.bincount(owner, minlength=sessions)


def _enter(tables: _Tables, sessions: int, rng: draw.Rng) -> tuple[Events, NDArray[np.int64]]:
    now = np.zeros(sessions, dtype=EVENT)
    now["first"] = True
    now["known"] = rng.random(sessions) < 0.45
    now["channel"] = tables.channel[rng.integers(0, draw.STEPS, sessions)]
    now["entry"] = now["product"] = -1  # none yet
    return now, np.searchsorted(tables.start, rng.random(sessions), side="right")


def _leave_or_go_on(
    tables: _Tables, now: Events, state: NDArray[np.int64], rng: draw.Rng
) -> tuple[Events, NDArray[np.int64], NDArray[np.bool_]]:
    """Whoever stays, with the state that comes next."""
    drawn = np.searchsorted(tables.next, state + rng.random(len(state)), side="right")
    following = drawn - state * len(_STATES)
    staying = (following != _LEAVE) & (now["elapsed"] < _LONGEST_SESSION)
    bought = now["kind"] == Kind.PURCHASE
    now["quantities"][bought] = 0
    now, following = now.compress(staying), following[staying]
    now["elapsed"] += now["dwell"]
    now["first"] = False
    following[(following == _LOGIN) & (now["known"] > 0)] = _PAGE
    nothing_seen = now["product"] == -1
    following[(following == _CART) & nothing_seen] = _PRODUCT
    return now, following, staying


def _arrive(
    tables: _Tables, catalogue: Catalogue, now: Events, state: NDArray[np.int64], rng: draw.Rng
) -> None:
    """What the event is and what page it is on, for every session at once."""
    now["kind"] = _KIND[state]
    chance = rng.integers(0, draw.STEPS, len(now))
    _see_product(tables, catalogue, now, np.flatnonzero(state == _PRODUCT), chance)
    _fill_cart(now, np.flatnonzero(state == _CART), chance)
    at = np.flatnonzero(state == _SEARCH)
    now["query"][at] = tables.query[chance[at]]
    now["known"][state == _LOGIN] = Known.SINCE_LOGIN
    _load_page(tables, catalogue, now, state, chance)


def _load_page(
    tables: _Tables,
    catalogue: Catalogue,
    now: Events,
    state: NDArray[np.int64],
    chance: NDArray[np.int64],
) -> None:
    """The page of the event; clicks, forms and cart changes stay where the user is."""
    page = tables.fixed_page[state]
    at = np.flatnonzero(state == _PAGE)
    page[at] = np.where(now["first"][at], tables.landing[chance[at]], tables.browsing[chance[at]])
    at = np.flatnonzero(state == _PRODUCT)
    page[at] = catalogue.first_product + now["product"][at]
    loads = np.isin(state, (_LOGIN, _PAGE, _PRODUCT, _SEARCH, _CHECKOUT, _PURCHASE))
    now["before"] = np.where(loads, now["page"], now["before"])
    now["page"] = np.where(loads, page, now["page"])
    now["visited"] += loads
    first = now["first"]
    now["entry"] = np.where(first, now["page"], now["entry"])


def _see_product(
    tables: _Tables,
    catalogue: Catalogue,
    now: Events,
    at: NDArray[np.int64],
    chance: NDArray[np.int64],
) -> None:
    """A popular product, or, half of the time after one was seen, one like it."""
    seen = now["product"][at]
    again = (seen >= 0) & (chance[at] % 2 == 1)
    like = catalogue.related[np.where(again, seen, 0), chance[at] // 2 % 8]
    # Where the odd numbers went to `like`, the even ones still lie evenly over the whole table.
    popular = tables.product[chance[at]]
    now["product"][at] = np.where(again, like, popular)


def _fill_cart(now: Events, at: NDArray[np.int64], chance: NDArray[np.int64]) -> None:
    """One more of the product last seen: in its own slot, or a free one, or the last."""
    items, quantities = now["items"][at], now["quantities"][at]
    product = now["product"][at]
    same = (items == product[:, None]) & (quantities > 0)
    room = quantities == 0
    last = np.full(len(at), CART_SLOTS - 1)
    slot = np.where(same.any(1), same.argmax(1), np.where(room.any(1), room.argmax(1), last))
    rows = np.arange(len(at))
    fresh = quantities[rows, slot] == 0
    items[rows[fresh], slot[fresh]] = product[fresh]
    more = 1 + (chance[at] % 8 == 0)
    quantities[rows, slot] = np.minimum(quantities[rows, slot] + more, 9)
    now["items"][at], now["quantities"][at] = items, quantities
