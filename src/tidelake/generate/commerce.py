"""Carts and orders: items with prices, and totals that add up to the hundredth.

All amounts are whole hundredths of the currency's unit, so nothing is ever rounded twice:
subtotal = items - discount, total = subtotal + shipping + tax (the terms of Segment's e-commerce
spec: https://segment.com/docs/connections/spec/ecommerce/v2/).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidelake.generate import draw
from tidelake.generate.catalogue import Catalogue
from tidelake.generate.draw import Index
from tidelake.generate.fragments import Fragments, members, text
from tidelake.generate.places import CURRENCIES
from tidelake.generate.population import Population
from tidelake.generate.sessions import CART_SLOTS, Events, Kind

Amount = NDArray[np.int64]
_SALT_ORDER, _SALT_COUPON = 5, 6
_COUPONS = (("WELCOME10", 10), ("AUTUMN15", 15), ("VIP20", 20))  # percent off
_COUPON_ODDS = 22  # one order in so many has the first coupon, one the second, ...
_FREE_SHIPPING, _SHIPPING = 75_00, 4_90  # euro hundredths
_WHOLE_UNITS = ("JPY", "KRW")


class Commerce:
    """Gives the pieces of products, carts and orders."""

    def __init__(self, add: Fragments, catalogue: Catalogue, people: Population) -> None:
        self._people = people
        self._prices = catalogue.prices
        self._product_count = len(catalogue.products)
        self._steps = np.array([100 if code in _WHOLE_UNITS else 1 for code in CURRENCIES])
        rates = np.array([rate for rate, _ in CURRENCIES.values()])
        self._free_from = (_FREE_SHIPPING * rates).astype(np.int64)
        self._shipping = np.round(_SHIPPING * rates / self._steps).astype(np.int64) * self._steps
        self._add_pieces(add, catalogue)

    def _add_pieces(self, add: Fragments, catalogue: Catalogue) -> None:
        things = [
            f"{{{members({'product_id': item.id, 'sku': item.sku, 'name': item.name})}"
            f',"category":{text(item.category)},"price":'
            for item in catalogue.products
        ]
        self._money = add.money()
        self._hex = add.hexadecimal()
        self._product = add.add(f',"product":{thing}' for thing in things)
        self._item = add.add(things)
        self._next_item = add.add(f",{thing}" for thing in things)
        amounts = catalogue.prices.ravel().tolist()
        self._price = add.add(f"{amount // 100}.{amount % 100:02d}" for amount in amounts)
        self._quantity = add.numbers(',"quantity":', 10, "}")
        self._currency_end = add.add(f',"currency":"{code}"}}' for code in CURRENCIES)
        self._cart = add.add([',"cart":{"items":['])
        self._cart_total = add.add(['],"total":'])
        self._order = add.add([',"order":{"id":"ord_'])
        self._labels = {
            name: add.add([f',"{name}":']) for name in ("total", "shipping", "tax", "discount")
        }
        self._subtotal = add.add(['","subtotal":'])
        codes = [None, *(code for code, _ in _COUPONS)]
        self._coupon = add.add(f',"coupon":{text(code)}' for code in codes)
        self._order_items = add.add(f',"currency":"{code}","items":[' for code in CURRENCIES)
        self._order_end = add.add(["]}"])

    def product(self, events: Events) -> NDArray[np.int32]:
        """[3, events]: the product on the page, its price, the currency."""
        currency = self._people.currency[events["user"]]
        product = events["product"]
        return np.stack(
            [
                self._product + product,
                self._price + currency * self._product_count + product,
                self._currency_end + currency,
            ]
        )

    def tails(self, events: Events) -> list[tuple[NDArray[np.int64], NDArray[np.int32]]]:
        """For carts, then orders: which events, and the pieces [events, width] at their end."""
        carts = np.flatnonzero(events["kind"] == Kind.CART_UPDATE)
        orders = np.flatnonzero(events["kind"] == Kind.PURCHASE)
        return [
            (carts, self._cart_tail(events.take(carts))),
            (orders, self._order_tail(events.take(orders))),
        ]

    def _cart_tail(self, events: Events) -> NDArray[np.int32]:
        currency = self._people.currency[events["user"]]
        return _table(
            len(events),
            self._cart,
            *self._items(events, currency),
            self._cart_total,
            *self._money.pieces(self._sum(events, currency)),
            self._currency_end + currency,
        )

    def _order_tail(self, events: Events) -> NDArray[np.int32]:
        currency = self._people.currency[events["user"]]
        chance = draw.scramble(
            events["session"] + events["visited"].astype(np.uint64), _SALT_COUPON
        )
        coupon = (chance >> np.uint64(8)).astype(np.int64) % _COUPON_ODDS
        coupon = np.where(coupon < len(_COUPONS), coupon + 1, 0)
        amounts = self._amounts(events, currency, coupon)
        number = draw.scramble(events["time"] + events["user"], _SALT_ORDER)
        return _table(
            len(events),
            self._order,
            *self._hex.sixteen(number)[:4],
            self._subtotal,
            *self._money.pieces(amounts["subtotal"]),
            *self._labelled(amounts),
            self._coupon + coupon,
            self._order_items + currency,
            *self._items(events, currency),
            self._order_end,
        )

    def _labelled(self, amounts: dict[str, Amount]) -> list[int | Index]:
        pieces: list[int | Index] = []
        for name, label in self._labels.items():
            pieces += [label, *self._money.pieces(amounts[name])]
        return pieces

    def _amounts(self, events: Events, currency: Index, coupon: Amount) -> dict[str, Amount]:
        goods = self._sum(events, currency)
        step = self._steps[currency]
        percent = np.array([0, *(percent for _, percent in _COUPONS)])[coupon]
        discount = _rounded(goods * percent, 100 * step) * step
        subtotal = goods - discount
        shipping = np.where(goods >= self._free_from[currency], 0, self._shipping[currency])
        rate = self._people.tax[events["user"]].astype(np.int64)
        tax = _rounded(subtotal * rate, 10_000 * step) * step
        total = subtotal + shipping + tax
        return {
            "total": total,
            "subtotal": subtotal,
            "shipping": shipping,
            "tax": tax,
            "discount": discount,
        }

    def _sum(self, events: Events, currency: Index) -> Amount:
        prices = self._prices[currency[:, None], events["items"]]
        return np.asarray((prices * events["quantities"]).sum(1))

    def _items(self, events: Events, currency: Index) -> list[Index]:
        """Three pieces for each slot of the cart; slots fill from the left."""
        pieces = []
        for slot in range(CART_SLOTS):
            product = events["items"][:, slot]
            quantity = events["quantities"][:, slot]
            thing = (self._next_item if slot else self._item) + product
            price = self._price + currency * self._product_count + product
            there = quantity > 0
            pieces += [
                np.where(there, piece, 0) for piece in (thing, price, self._quantity + quantity)
            ]
        return pieces


def _rounded(numerator: Amount, denominator: Amount | int) -> Amount:
    """Half up, in whole numbers."""
    return (2 * numerator + denominator) // (2 * denominator)


def _table(rows: int, *pieces: int | Index | Amount) -> NDArray[np.int32]:
    table = np.empty((rows, len(pieces)), dtype=np.int32)
    for position, piece in enumerate(pieces):
        table[:, position] = piece
    return table
