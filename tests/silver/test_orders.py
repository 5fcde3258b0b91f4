"""Orders and their lines: one order a purchase, however often it is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from tests.process.batches import NOON
from tests.silver.stand import Script, Stand, event, processed

from tidelake.batch import Processed

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


def refund(id: str, total: float) -> dict[str, Any]:
    order = {"id": "o1", "total": total, "currency": "CHF"}
    return event(id, "refund", "11:00", user_id="ada", order=order)


def purchases_with(items: list[str]) -> Processed:
    """Purchases whose items are texts that no decoder of ours writes."""
    done = processed([purchase(str(at), None) for at, _ in enumerate(items)], project="odd")
    events = done.events.drop_columns("items").append_column("items", pa.array(items))
    return replace(done, events=events.select(done.events.schema.names))


SENT: Script = {
    "orders": [
        [
            processed(
                [purchase("late", {"id": "o1", "total": 99}, {**LINE, "product_id": "other"})],
                project="orders",
            ),
            processed(
                [purchase("first", {"id": "o1", "total": 46, "tax": 5, "currency": "CHF"}, LINE)],
                received_at=NOON - timedelta(hours=1),
                project="orders",
            ),
        ],
        [purchase("later", {"id": "o1", "total": 1}, LINE, LINE)],
    ],
    "no_id": [
        [
            purchase("1", {"total": 10}),
            purchase("2", {"total": 10}),
            purchase("3", {"id": "", "total": 10}),
            purchase("4", None),
        ]
    ],
    "lines": [
        [
            purchase(
                "1",
                {"id": "o1"},
                {**LINE, "price": "20", "quantity": 2.5},
                {"sku": "only"},
                {**LINE, "quantity": 10**12},
                {**LINE, "price": 1e16},
            )
        ]
    ],
    "odd": [
        [
            purchases_with(
                [
                    "[",
                    "{}",
                    '[{"price": 1e999999}]',
                    '[1, null, {"price": 1e999}]',
                    '[{"price": 1e-999, "quantity": 1e30}]',
                    '["\\u0000"]',
                    '[{"sku": 5, "quantity": 1.5, "name": {"a": 1}}]',
                ]
            )
        ]
    ],
    "refunds": [
        [purchase("1", {"id": "o1", "total": 50}, LINE), refund("2", 10)],
        [refund("3", 15)],
    ],
}


@pytest.fixture(scope="module", autouse=True)
def loads(silver: Stand) -> dict[str, list[int]]:
    return silver.play(SENT)


def test_the_purchase_that_was_received_first_is_the_order(silver: Stand) -> None:
    assert silver.rows(
        "select order_id, total, tax, shipping, currency, item_lines, items from silver.orders"
        " where project = 'orders'"
    ) == [("o1", 46, 5, None, "CHF", 1, 2)]
    assert silver.rows(
        "select line_number, product_id, sku, product_name, category, price, quantity, revenue,"
        " currency from silver.order_items where project = 'orders'"
    ) == [(1, "p1", "s1", "Shoe", "Shoes", 20.5, 2, 41, "CHF")]


def test_a_purchase_without_order_id_is_an_order_of_its_own(silver: Stand) -> None:
    assert silver.rows(
        "select count(*), count(total), sum(items) from silver.orders where project = 'no_id'"
    ) == [(4, 3, 0)]


def test_lines_keep_what_is_right_in_them(silver: Stand) -> None:
    assert silver.rows(
        "select line_number, sku, price, quantity, revenue from silver.order_items"
        " where project = 'lines' order by 1"
    ) == [
        (1, "s1", None, None, None),
        (2, "only", None, None, None),
        (3, "s1", 20.5, None, None),
        (4, "s1", None, 2, None),
    ]


def test_items_that_no_decoder_wrote_stop_no_window(silver: Stand) -> None:
    assert silver.rows(
        "select line_number, sku, product_name, price, quantity from silver.order_items"
        " where project = 'odd' order by 1, 4"
    ) == [(1, None, None, 0, None), (1, None, None, None, None), (3, None, None, None, None)]
    assert silver.rows("select count(*) from silver.orders where project = 'odd'") == [7]


def test_an_order_may_be_paid_back_in_parts(silver: Stand) -> None:
    assert silver.rows(
        "select count(*), sum(refunded), min(refunds.currency),"
        " bool_and(refunds.order_key = orders.order_key)"
        " from silver.refunds as refunds cross join silver.orders as orders"
        " where refunds.project = 'refunds' and orders.project = 'refunds'"
    ) == [(2, 25, "CHF", True)]
