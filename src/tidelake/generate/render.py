"""Events become NDJSON: for each event the numbers of its pieces, then one take for all.

The text is the native event of the contract. What is not in an event already is derived here: the
address from the user's network, page timings from the connection, orders from the cart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tidelake.generate import draw, population
from tidelake.generate.catalogue import Catalogue
from tidelake.generate.commerce import Commerce
from tidelake.generate.devices import Device
from tidelake.generate.draw import Index
from tidelake.generate.fragments import Fragments
from tidelake.generate.pieces import Pieces
from tidelake.generate.population import Population
from tidelake.generate.sessions import Events, Kind, Known
from tidelake.generate.timings import Timings
from tidelake.generate.visits import seats_of

_DAY_MS = 86_400_000
_SALT_COOKIE, _SALT_HOME, _SALT_TRAITS = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Lines:
    """NDJSON text and where its lines begin: line i is `data[offsets[i]:offsets[i + 1]]`."""

    data: memoryview
    offsets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.offsets) - 1


class Renderer:
    """Holds the pieces of one world; `render` is a pure function of events and chance."""

    def __init__(
        self, catalogue: Catalogue, people: Population, devices: tuple[Device, ...]
    ) -> None:
        fragments = Fragments()
        self._people = people
        self._catalogue = catalogue
        self._pieces = Pieces.build(fragments, catalogue, devices, len(people))
        self._commerce = Commerce(fragments, catalogue, people)
        self._timings = Timings(devices)
        self._isp = population.isp_of_network()
        self._desktop = population.is_desktop(devices)
        self._pool = fragments.finish()

    def render(self, events: Events, rng: draw.Rng) -> Lines:
        """One line per event, in the order given."""
        columns = [
            *self._identity(events, rng),
            *self._session(events),
            *self._place(events),
            *self._timings.pieces(
                self._pieces, events, self._connection(events), self._device(events), rng
            ),
            *self._page(events),
            *self._properties(len(events), rng),
            *self._detail(events, rng),
        ]
        numbers, starts = self._arrange(events, columns)
        taken = pc.take(self._pool, pa.array(numbers), boundscheck=False)
        _, offsets, data = taken.buffers()
        begins = np.frombuffer(offsets, dtype=np.int32)[starts]
        return Lines(memoryview(data)[: begins[-1]], begins)

    def _arrange(self, events: Events, columns: list[Index]) -> tuple[Index, NDArray[np.int64]]:
        """Lays the pieces out line by line, and tells where each line begins.

        Carts and orders make some lines longer: their pieces are put in before the last.
        """
        columns.append(np.full(len(events), self._pieces.close, dtype=np.int32))
        table = np.empty((len(events), len(columns)), dtype=np.int32)
        for position, column in enumerate(columns):
            table[:, position] = column
        flat, width = table.ravel(), len(columns)
        begins = np.arange(len(events) + 1) * width
        longer: dict[int, NDArray[np.int32]] = {}
        for at, tail in self._commerce.tails(events):
            begins[1:] += np.cumsum(np.bincount(at, minlength=len(events)) * tail.shape[1])
            longer.update(zip(at.tolist(), tail, strict=True))
        parts, done = [], 0
        for line in sorted(longer):
            parts += [flat[done : (line + 1) * width - 1], longer[line]]
            done = (line + 1) * width - 1
        return np.concatenate([*parts, flat[done:]]), begins

    def _identity(self, events: Events, rng: draw.Rng) -> list[Index]:
        p = self._pieces
        known, user = events["known"], events["user"]
        cookie = draw.scramble(seats_of(user, events["seat"]), _SALT_COOKIE)
        anonymous = known != Known.SIGNED_IN
        thousands, rest = np.divmod(user, 1000)
        rest += np.where(thousands > 0, p.user_padded, p.user_rest)
        parts: list[int | Index] = [p.anonymous, *p.hex.sixteen(cookie), p.quote]
        return [
            *self._event_id(len(events), rng),
            p.kind + events["kind"],
            np.where(known > 0, p.user_thousands + thousands, 0),
            np.where(known > 0, rest, 0),
            *(np.where(anonymous, part, 0).astype(np.int32) for part in parts),
            *self._time(events),
        ]

    def _event_id(self, events: int, rng: draw.Rng) -> list[Index]:
        """A random UUID (RFC 9562, version 4)."""
        p = self._pieces
        bits = draw.uniform_u16(rng, 11, events).astype(np.int32)
        three = bits & 0xFFF
        return [
            np.full(events, p.open, dtype=np.int32),
            p.hex.three + three[0],
            p.hex.three + three[1],
            p.hex.two + (bits[2] & 0xFF),
            p.dash + three[3],
            p.hex.one + (bits[2] >> 12),
            p.version + three[4],
            p.variant + (bits[5] & 0x3F),
            p.hex.two + (bits[5] >> 8),
            p.dash + three[6],
            p.hex.three + three[7],
            p.hex.three + three[8],
            p.hex.three + three[9],
        ]

    def _time(self, events: Events) -> list[Index]:
        p = self._pieces
        day, moment = np.divmod(events["time"], _DAY_MS)
        seconds, millisecond = np.divmod(moment.astype(np.int32), 1000)
        minute, second = np.divmod(seconds, 60)
        return [
            p.day + day.astype(np.int32),
            p.minute + minute,
            p.second + second,
            p.millisecond + millisecond,
        ]

    def _device(self, events: Events) -> Index:
        device: Index = self._people.device_at[events["user"], events["seat"]]
        return device

    def _session(self, events: Events) -> list[Index]:
        p = self._pieces
        device = self._device(events)
        return [
            p.metadata[device],
            *p.hex.sixteen(events["session"]),
            p.duration + events["elapsed"] // 1000,
            p.visited + events["visited"],
            p.entry + events["entry"],
            p.exit + events["page"],
            p.referrer + events["channel"] * 2 + events["first"],
            # The string itself is sent once a session: it is long, and does not change.
            np.where(events["first"], p.full_agent + device, p.agent[device]),
            p.locale + self._people.locale[events["user"]],
        ]

    def _connection(self, events: Events) -> Index:
        """Ethernet or wifi at a desk, wifi at home, 5g to 3g on the way."""
        on_the_way = (
            2 + (events["session"] % np.uint64(10) > 5) + (events["session"] % np.uint64(40) > 38)
        )
        wired = self._desktop[self._device(events)] & (events["user"] % 3 == 0)
        return np.where(events["roaming"], on_the_way, np.where(wired, 0, 1)).astype(np.int32)

    def _place(self, events: Events) -> list[Index]:
        p = self._pieces
        user, roaming = events["user"], events["roaming"]
        network = np.where(roaming, self._people.roaming[user], self._people.home[user])
        home = draw.scramble(user, _SALT_HOME)
        address = np.where(roaming, events["session"], home)
        third = (address >> np.uint64(8)).astype(np.int32) & 0xFF
        fourth = (address >> np.uint64(16)).astype(np.int32) & 0xFF
        return [
            p.city + self._people.city[user],
            p.network + network,
            p.third + third,
            p.fourth + np.clip(fourth, 1, 254),
            p.isp + self._isp[network] * p.connections + self._connection(events),
        ]

    def _page(self, events: Events) -> list[Index]:
        p = self._pieces
        landed = events["visited"] <= 1
        came_from = np.where(
            landed,
            p.from_channel + events["channel"],
            p.from_page + events["before"],
        )
        return [
            p.page + events["page"],
            came_from.astype(np.int32),
            np.where(landed, p.campaign + events["channel"], 0).astype(np.int32),
        ]

    def _properties(self, events: int, rng: draw.Rng) -> list[Index]:
        """The trace that the client's monitoring ties the event to: a W3C traceparent.

        https://www.w3.org/TR/trace-context/#traceparent-header
        """
        p = self._pieces
        bits = rng.integers(0, 1 << 64, (3, events), dtype=np.uint64)
        span = p.hex.sixteen(bits[2])
        return [
            np.full(events, p.trace, dtype=np.int32),
            *p.hex.sixteen(bits[0]),
            *p.hex.sixteen(bits[1]),
            span[0] + (p.dash - p.hex.three),
            *span[1:],
            np.full(events, p.dash_end, dtype=np.int32),
        ]

    def _traits(self, events: Events) -> NDArray[np.int64]:
        """A number that stays with a user: the experiment, the app release, how they sign in."""
        return (draw.scramble(events["user"], _SALT_TRAITS) >> np.uint64(20)).astype(np.int64)

    def _detail(self, events: Events, rng: draw.Rng) -> list[Index]:
        """What only this type of event says, in three pieces."""
        p = self._pieces
        kind = events["kind"]
        detail = np.zeros((3, len(events)), dtype=np.int32)
        at = np.flatnonzero(kind == Kind.PRODUCT_VIEW)
        detail[:, at] = self._commerce.product(events.take(at))
        at = np.flatnonzero(kind == Kind.SEARCH)
        detail[0, at] = p.search + events["query"][at]
        at = np.flatnonzero(kind == Kind.CLICK)
        detail[0, at] = p.click + rng.integers(0, p.clicks, len(at))
        at = np.flatnonzero(kind == Kind.FORM_SUBMISSION)
        detail[0, at] = p.form_of_page[events["page"][at]]
        at = np.flatnonzero(kind == Kind.USER_LOGIN)
        detail[0, at] = p.login + self._traits(events.take(at)) % p.logins
        return list(detail)
