"""Carts and orders add up to the hundredth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from tidelake.generate.places import COUNTRIES, CURRENCIES

CURRENCY_OF = {country.code: country.currency for country in COUNTRIES}
TAX_OF = {country.code: Decimal(country.tax) / 10_000 for country in COUNTRIES}


def _documents(path: Path, type: str) -> Iterator[dict[str, Any]]:
    wanted = f'"event_type":"{type}"'.encode()
    with path.open("rb") as lines:
        for line in lines:
            if wanted in line:
                yield json.loads(line, parse_float=Decimal)["_doc"]


def _sum(items: list[dict[str, Any]]) -> Decimal:
    return sum((item["price"] * item["quantity"] for item in items), Decimal(0))


def test_orders_add_up_exactly(fortnight_file: Path) -> None:
    orders = [doc["order"] for doc in _documents(fortnight_file, "purchase")]

    assert len(orders) > 500
    for order in orders:
        assert order["subtotal"] == _sum(order["items"]) - order["discount"], order
        assert order["total"] == order["subtotal"] + order["shipping"] + order["tax"], order


def test_amounts_have_two_decimals_and_order_numbers_are_unique(fortnight_file: Path) -> None:
    orders = [doc["order"] for doc in _documents(fortnight_file, "purchase")]
    names = ("total", "subtotal", "shipping", "tax", "discount")

    assert {order[name].as_tuple().exponent for order in orders for name in names} == {-2}
    assert len({order["id"] for order in orders}) == len(orders)


def test_tax_is_the_country_s_share_of_what_is_sold(fortnight_file: Path) -> None:
    for doc in _documents(fortnight_file, "purchase"):
        order = doc["order"]
        step = Decimal(1) if order["currency"] in ("JPY", "KRW") else Decimal("0.01")
        exact = order["subtotal"] * TAX_OF[doc["location"]["country"]]
        assert abs(order["tax"] - exact) <= step / 2


def test_a_discount_comes_with_a_coupon(fortnight_file: Path) -> None:
    orders = [doc["order"] for doc in _documents(fortnight_file, "purchase")]
    used = sum(order["coupon"] is not None for order in orders)

    assert all((order["discount"] > 0) == (order["coupon"] is not None) for order in orders)
    assert 0.05 < used / len(orders) < 0.25


def test_shipping_is_free_for_large_orders_only(fortnight_file: Path) -> None:
    orders = [
        doc["order"]
        for doc in _documents(fortnight_file, "purchase")
        if doc["order"]["currency"] == "EUR"
    ]

    for order in orders:
        free = _sum(order["items"]) >= 75
        assert order["shipping"] == (Decimal(0) if free else Decimal("4.90"))


def test_carts_add_up_and_hold_what_they_say(fortnight_file: Path) -> None:
    carts = [doc["cart"] for doc in _documents(fortnight_file, "cart_update")]

    assert len(carts) > 2000
    for cart in carts:
        products = [item["product_id"] for item in cart["items"]]
        assert cart["total"] == _sum(cart["items"])
        assert 1 <= len(products) <= 5
        assert len(set(products)) == len(products)
        assert all(1 <= item["quantity"] <= 9 for item in cart["items"])


def test_items_have_the_members_of_the_contract(fortnight_file: Path) -> None:
    item = next(_documents(fortnight_file, "purchase"))["order"]["items"][0]

    assert set(item) == {"product_id", "sku", "name", "category", "price", "quantity"}


def test_prices_are_in_the_currency_of_the_country(fortnight_file: Path) -> None:
    for type, member in (
        ("purchase", "order"),
        ("cart_update", "cart"),
        ("product_view", "product"),
    ):
        for doc in _documents(fortnight_file, type):
            assert doc[member]["currency"] == CURRENCY_OF[doc["location"]["country"]]


def test_whole_currencies_have_no_fractions(fortnight_file: Path) -> None:
    yen = [
        doc["order"]
        for doc in _documents(fortnight_file, "purchase")
        if doc["order"]["currency"] in ("JPY", "KRW")
    ]

    assert yen
    for order in yen:
        assert all(order[name] % 1 == 0 for name in ("total", "tax", "shipping", "discount"))


def test_a_product_has_one_price_in_a_currency(fortnight_file: Path) -> None:
    prices: dict[tuple[str, str], set[Decimal]] = {}
    for doc in _documents(fortnight_file, "product_view"):
        product = doc["product"]
        key = product["product_id"], product["currency"]
        prices.setdefault(key, set()).add(product["price"])
    currencies = {currency for _, currency in prices}

    assert {len(seen) for seen in prices.values()} == {1}
    assert currencies == set(CURRENCIES)
