"""Who visits: users with a home, a language, devices and networks, and how active they are.

Everything about a user is a number in a column, so that a million users cost no loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidelake.generate import draw
from tidelake.generate.devices import DESKTOP, Device
from tidelake.generate.places import CITIES, CURRENCIES, ISPS, LOCALES, NETWORKS, city_weights

SEATS = 3  # devices a user may have
_STREAM = 12  # this room's path below a seed, see draw.generator
_BUSIEST = 60.0  # the most active user, in average users


@dataclass(frozen=True, slots=True)
class Population:
    """One row a user; `_at` columns have one more axis, over the user's devices.

    `home` and `roaming` are indices into `NETWORKS`: the fixed line and the mobile network.
    `activity` is cumulative, for `draw.pick`.
    """

    city: NDArray[np.int32]
    currency: NDArray[np.int32]
    tax: NDArray[np.int32]  # hundredths of a percent
    utc_offset: NDArray[np.int32]  # minutes
    locale: NDArray[np.int32]
    home: NDArray[np.int32]
    roaming: NDArray[np.int32]
    device_at: NDArray[np.int32]  # [user, seat]
    activity: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.city)


def _locales(city: NDArray[np.int32], rng: draw.Rng) -> NDArray[np.int32]:
    """A language that people speak there, joined with the city's time zone."""
    at = {locale: i for i, locale in enumerate(LOCALES)}
    tables = [
        [
            at[country.languages[pick][0], place.timezone]
            for pick in draw.quantiles([share for _, share in country.languages], 256).tolist()
        ]
        for country, place in CITIES
    ]
    chance = rng.integers(0, 256, len(city))
    return np.array(tables, dtype=np.int32)[city, chance]


def _networks(city: NDArray[np.int32], rng: draw.Rng, *, mobile: bool) -> NDArray[np.int32]:
    """A network of one of the country's providers; the first named has the most customers."""
    at = {network: i for i, network in enumerate(NETWORKS)}
    tables = []
    for country, _ in CITIES:
        isps = country.mobile if mobile else country.fixed
        chosen = draw.quantiles(draw.zipf(len(isps), 0.5), 256).tolist()
        networks = [isps[i].networks for i in chosen]
        tables.append([at[names[k % len(names)]] for k, names in enumerate(networks)])
    chance = rng.integers(0, 256, len(city))
    return np.array(tables, dtype=np.int32)[city, chance]


def _devices(devices: tuple[Device, ...], users: int, rng: draw.Rng) -> NDArray[np.int32]:
    """Seat 0 is what the user has in the hand or on the desk, the others may be the same again."""
    weights = np.cumsum([device.weight for device in devices])
    held = draw.pick(rng, weights, users * SEATS).reshape(users, SEATS)
    owned = rng.random((users, SEATS)) < (1.0, 0.55, 0.15)
    return np.where(owned, held, held[:, :1]).astype(np.int32)


def build(seed: int, users: int, devices: tuple[Device, ...]) -> Population:
    """The same people for the same seed and number; user 17 of 50,000 is not user 17 of 60,000."""
    rng = draw.generator(seed, _STREAM)
    city = draw.pick(rng, np.cumsum(city_weights()), users)
    codes = list(CURRENCIES)
    currency = np.array([codes.index(country.currency) for country, _ in CITIES], dtype=np.int32)
    activity = np.minimum(rng.lognormal(0.0, 1.25, users), _BUSIEST * np.exp(1.25**2 / 2))
    return Population(
        city=city,
        currency=currency[city],
        tax=np.array([country.tax for country, _ in CITIES], dtype=np.int32)[city],
        utc_offset=np.array([place.utc_offset for _, place in CITIES], dtype=np.int32)[city],
        locale=_locales(city, rng),
        home=_networks(city, rng, mobile=False),
        roaming=_networks(city, rng, mobile=True),
        device_at=_devices(devices, users, rng),
        activity=np.cumsum(activity),
    )


def isp_of_network() -> NDArray[np.int32]:
    """The provider (index into `ISPS`) of each of `NETWORKS`."""
    owners = {network: i for i, isp in enumerate(ISPS) for network in isp.networks}
    return np.array([owners[network] for network in NETWORKS], dtype=np.int32)


def is_desktop(devices: tuple[Device, ...]) -> NDArray[np.bool_]:
    """Whether each device stands on a desk: it never roams."""
    return np.array([device.type == DESKTOP for device in devices])
