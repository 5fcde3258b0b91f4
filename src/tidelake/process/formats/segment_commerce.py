"""Segment's e-commerce events: orders, products, searches.

https://segment.com/docs/connections/spec/ecommerce/v2/. Properties have these meanings in these
events only: the `total` of a quiz is no order's.
"""

from __future__ import annotations

from typing import Any

from tidelake.process.columns import Path, lookup

ORDER_TYPES = frozenset(
    {"checkout_start", "checkout_step", "payment_info", "purchase", "order_update", "refund"}
)
PRODUCT_TYPES = frozenset(
    {
        "product_view",
        "product_click",
        "cart_update",
        "wishlist_update",
        "product_review",
        "product_share",
    }
)
LIST_TYPES = frozenset({"product_list_view", "cart_view"})
# `revenue` stands in where a shop sends no total (what the customer pays) or no subtotal.
ORDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("order_id", ("order_id", "orderId")),
    ("order_total", ("total", "revenue")),
    ("order_subtotal", ("subtotal", "revenue")),
    ("order_shipping", ("shipping",)),
    ("order_tax", ("tax",)),
    ("order_discount", ("discount",)),
    ("order_coupon", ("coupon",)),
    ("order_currency", ("currency",)),
)
PRODUCT = ("product_id", "sku", "name", "category", "price", "quantity")


def commerce_columns(view: dict[str, Any], event_type: str, flags: set[str]) -> dict[str, Any]:
    """Columns of an order or a search."""
    properties = _properties(view, flags)
    if event_type == "search":
        return {"search_query": properties.get("query")}
    if event_type not in ORDER_TYPES:
        return {}
    return {
        column: next((value for name in names if (value := properties.get(name)) is not None), None)
        for column, names in ORDER
    }


def products(view: dict[str, Any], event_type: str, flags: set[str]) -> Any:
    """The list of products, as sent; an event about one product has a list of one."""
    properties = _properties(view, flags)
    if (listed := properties.get("products")) is not None:
        meant = isinstance(listed, list) or event_type in ORDER_TYPES | LIST_TYPES
        return listed if meant else None
    if event_type not in PRODUCT_TYPES or not any(properties.get(name) for name in PRODUCT):
        return None
    return [properties]


def _properties(view: dict[str, Any], flags: set[str]) -> dict[str, Any]:
    path: Path = ("properties",)
    found = lookup(view, path, flags)
    return found if isinstance(found, dict) else {}
