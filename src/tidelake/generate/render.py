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
_SALT_COOKIE, _SALT_HOME, _SALT_TRAITS, _SALT_VIEW = 1, 2, 3, 7


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
            *self._properties(events),
            *self._detail(events, rng),
        ]
        numbers, starts = self._arrange(events, columns)
        taken = pc.take(self._pool, pa.array(numbers), boundscheck=False)
        _, offsets, data = taken.buffers()
        begins = np.frombuffer(offsets, dtype=np.int32)[starts]
        return Lines(memoryview(data)[: begins[-1]], begins)

    def _arrange(self, events: Events, columns: list[Index]) -> tuple[Index, NDArray[np.int64]]:
        """Lays the pieces out line by line; carts and orders make some lines longer."""
        tails = self._commerce.tails(events)
        width = np.full(len(events), len(columns) + 1)
        for at, tail in tails:
            width[at] += tail.shape[1]
        starts = np.concatenate([[0], np.cumsum(width)])
        numbers = np.empty(starts[-1], dtype=np.int32)
        first = starts[:-1]
        for position, column in enumerate(columns):
            numbers[first + position] = column
        for at, tail in tails:
            numbers[first[at][:, None] + len(columns) + np.arange(tail.shape[1])] = tail
        numbers[starts[1:] - 1] = self._pieces.close
        return numbers, starts

    def _identity(self, events: Events, rng: draw.Rng) -> list[Index]:
        p = self._pieces
        ids = draw.uniform_u16(rng, 8, len(events)).astype(np.int32)
        known = events["known"]
        cookie = draw.scramble(seats_of(events["user"], events["seat"]), _SALT_COOKIE)
        anonymous = known != Known.SIGNED_IN
        day, moment = np.divmod(events["time"], _DAY_MS)
        minute, rest = np.divmod(moment, 60_000)
        return [
            np.full(len(events), p.open, dtype=np.int32),
            p.hex4 + ids[0],
            p.hex4 + ids[1],
            p.dash_hex4 + ids[2],
            p.uuid_version + (ids[3] & 0xFFF),
            p.uuid_variant + (ids[4] & 0x3FFF),
            p.dash_hex4 + ids[5],
            p.hex4 + ids[6],
            p.hex4 + ids[7],
            p.kind + events["kind"],
            np.where(known > 0, p.user + events["user"], 0).astype(np.int32),
            np.where(anonymous, p.anonymous, 0).astype(np.int32),
            *[np.where(anonymous, piece, 0).astype(np.int32) for piece in p.hash(cookie)],
            (p.day + day).astype(np.int32),
            (p.minute + minute).astype(np.int32),
            (p.millisecond + rest).astype(np.int32),
        ]

    def _device(self, events: Events) -> Index:
        return self._people.device_at[events["user"], events["seat"]]

    def _session(self, events: Events) -> list[Index]:
        p = self._pieces
        device = self._device(events)
        return [
            p.metadata + device,
            *p.hash(events["session"]),
            p.duration + events["elapsed"] // 1000,
            p.visited + events["visited"],
            p.entry + events["entry"],
            p.exit + events["page"],
            p.referrer + events["channel"] * 2 + events["first"],
            p.agent + device,
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

    def _properties(self, events: Events) -> list[Index]:
        """The app's own: an id for the page view, which its events share, and the user's traits."""
        p = self._pieces
        view = draw.scramble(events["session"] + events["visited"].astype(np.uint64), _SALT_VIEW)
        return [
            np.full(len(events), p.view, dtype=np.int32),
            *p.hash(view),
            (p.traits + self._traits(events) % p.trait_count).astype(np.int32),
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
        detail[:, at] = self._commerce.product(events[at])
        at = np.flatnonzero(kind == Kind.SEARCH)
        detail[0, at] = p.search + events["query"][at]
        at = np.flatnonzero(kind == Kind.CLICK)
        detail[0, at] = p.click + rng.integers(0, p.clicks, len(at))
        at = np.flatnonzero(kind == Kind.FORM_SUBMISSION)
        detail[0, at] = p.form_of_page[events["page"][at]]
        at = np.flatnonzero(kind == Kind.USER_LOGIN)
        detail[0, at] = p.login + self._traits(events[at]) % p.logins
        return list(detail)
