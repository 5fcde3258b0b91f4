"""Orders and their lines: one order a purchase, however often it is reported."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.process.batches import NOON
from tests.silver.stand import Stand, event

LINE = {
    "product_id": "p1",
    "sku": "s1",
    "name": "Shoe",
    "category": "Shoes",
    "price": 20.5,
    "quantity": 2,
}


def purchase(id: str, order: dict[str, Any] | None, *items: dict[str, Any]) -> dict[str, Any]:
    whole = None if order is None else {**order, "items": list(items)}
    return event(id, "purchase", "10:00", user_id="ada", order=whole)


def test_the_purchase_that_was_received_first_is_the_order(silver: Stand) -> None:
    silver.send(
        purchase("late", {"id": "o1", "total": 99}, {**LINE, "product_id": "other"}),
        project="orders",
    )
    silver.send(
        purchase("first", {"id": "o1", "total": 46, "tax": 5, "currency": "CHF"}, LINE),
        received_at=NOON - timedelta(hours=1),
        project="orders",
    )
    silver.take()
    silver.send(purchase("later", {"id": "o1", "total": 1}, LINE, LINE), project="orders")
    silver.take()
    assert silver.rows(
        "select order_id, total, tax, shipping, currency, item_lines, items from silver.orders"
        " where project = 'orders'"
    ) == [("o1", 46, 5, None, "CHF", 1, 2)]
    assert silver.rows(
        "select line_number, product_id, sku, product_name, category, price, quantity, revenue,"
        " currency from silver.order_items where project = 'orders'"
    ) == [(1, "p1", "s1", "Shoe", "Shoes", 20.5, 2, 41, "CHF")]


def test_a_purchase_without_order_id_is_an_order_of_its_own(silver: Stand) -> None:
    silver.send(
        purchase("1", {"total": 10}),
        purchase("2", {"total": 10}),
        purchase("3", {"id": "", "total": 10}),
        purchase("4", None),
        project="no_id",
    )
    silver.take()
    assert silver.rows(
        "select count(*), count(total), sum(items) from silver.orders where project = 'no_id'"
    ) == [(4, 3, 0)]


def test_lines_keep_what_is_right_in_them(silver: Stand) -> None:
    silver.send(
        purchase(
            "1",
            {"id": "o1"},
            {**LINE, "price": "20", "quantity": 2.5},
            {"sku": "only"},
            {**LINE, "quantity": 10**12},
            {**LINE, "price": 1e16},
        ),
        project="lines",
    )
    silver.take()
    assert silver.rows(
        "select line_number, sku, price, quantity, revenue from silver.order_items"
        " where project = 'lines' order by 1"
    ) == [
        (1, "s1", None, None, None),
        (2, "only", None, None, None),
        (3, "s1", 20.5, None, None),
        (4, "s1", None, 2, None),
    ]


def test_an_order_may_be_paid_back_in_parts(silver: Stand) -> None:
    silver.send(purchase("1", {"id": "o1", "total": 50}, LINE), project="refunds")
    for id, amount in (("2", 10), ("3", 15)):
        order = {"id": "o1", "total": amount, "currency": "CHF"}
        silver.send(event(id, "refund", "11:00", user_id="ada", order=order), project="refunds")
    silver.take()
    assert silver.rows(
        "select count(*), sum(refunded), min(refunds.currency),"
        " bool_and(refunds.order_key = orders.order_key)"
        " from silver.refunds as refunds cross join silver.orders as orders"
        " where refunds.project = 'refunds' and orders.project = 'refunds'"
    ) == [(2, 25, "CHF", True)]
