"""Revenue: orders, products and refunds of one currency at a time. Currencies are never added."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from tidelake.dashboard import charts, formats, markup
from tidelake.dashboard.countries import country_name
from tidelake.dashboard.formats import change, number, percent, ratio
from tidelake.dashboard.markup import Bar, Card, Column
from tidelake.dashboard.period import Filters, where
from tidelake.dashboard.view import View

MOST_CURRENCIES = 30  # that can be chosen: clients send what they like for one

CURRENCIES = f"""
    select currency, sum(orders)::bigint as orders, sum(revenue) as revenue, sum(items)::bigint
        as items, sum(shipping) as shipping, sum(tax) as tax, sum(discount) as discount,
        sum(refunds)::bigint as refunds, sum(refunded) as refunded
    from gold.revenue_by_day where {where()} group by currency order by orders desc, currency
    limit {MOST_CURRENCIES}
"""
BY_DAY = f"""
    select day, sum(revenue) as value from gold.revenue_by_day
    where {where()} and currency = $currency group by day
"""
PRODUCTS = f"""
    select product_id, any_value(product_name) as product_name, any_value(category) as category,
        sum(quantity)::bigint as quantity, sum(revenue) as revenue, sum(orders)::bigint as orders
    from gold.revenue_by_product where {where()} and currency = $currency
    group by product_id order by revenue desc, product_id limit 12
"""
CATEGORIES = f"""
    select coalesce(category, '') as label, sum(revenue) as value from gold.revenue_by_product
    where {where()} and currency = $currency group by label order by value desc, label limit 8
"""
COUNTRIES = f"""
    select country as label, sum(revenue) as value from gold.revenue_by_day
    where {where()} and currency = $currency group by country order by value desc, label limit 8
"""


def draw(view: View) -> None:
    """Draws the page."""
    found = view.rows(CURRENCIES)
    if not found:
        st.html(markup.nothing("No order in these days for this choice."))
        return
    currency = _currency([row["currency"] for row in found])
    st.html(markup.cards(view.cards(partial(_figures, view, currency)), view.compared))
    unit = charts.money(currency)
    st.html(
        markup.heading(f"Revenue by day, {formats.code(currency)}", "Order totals, before refunds")
    )
    view.trend(BY_DAY, "Revenue", name="Revenue by day", unit=unit, currency=currency)
    _products(view, currency)
    left, right = st.columns(2, gap="large")
    with left:
        _bars(
            view, CATEGORIES, "Categories", "Category", currency, lambda name: name or "No category"
        )
    with right:
        _bars(view, COUNTRIES, "Countries", "Country", currency, country_name)
    _all_currencies(found)


def _currency(names: list[str]) -> str:
    """The one that the visitor chose; the one with most orders first."""
    if st.session_state.get("currency") not in names:
        st.session_state["currency"] = names[0]
    chosen = st.selectbox("Currency", names, key="currency", width=180, bind="query-params",
                          help="Amounts of different currencies are never added.")  # fmt: skip
    return str(chosen)


def _figures(view: View, currency: str, days: Filters, days_before: Filters | None) -> list[Card]:
    now, before = (
        next((r for r in view.rows_of(of, CURRENCIES) if r["currency"] == currency), {})
        for of in (days, days_before)
    )
    return _cards(now, before, currency) if now else []


def _cards(now: dict[str, Any], before: dict[str, Any], currency: str) -> list[Card]:
    def money(key: str, label: str, good: str = "up") -> Card:
        shown = formats.money(now[key], currency)
        return Card(label, shown, change(now[key], before.get(key)), good=good, key=key)

    average = ratio(now["revenue"], now["orders"])
    average_before = ratio(before.get("revenue"), before.get("orders"))
    basket, basket_before = ratio(now["items"], now["orders"]), None
    if before:
        basket_before = ratio(before["items"], before["orders"])
    refunded = ratio(now["refunded"], now["revenue"])
    return [
        money("revenue", "Revenue"),
        Card("Orders", number(now["orders"]), change(now["orders"], before.get("orders")),
             key="orders"),
        Card("Average order", formats.money(average, currency), change(average, average_before),
             key="average_order"),
        Card("Items per order", number(basket, 2), change(basket, basket_before), key="basket"),
        money("discount", "Discounts", "neither"),
        Card("Refunded", formats.money(now["refunded"], currency),
             change(now["refunded"], before.get("refunded")), good="down",
             note=f"{percent(refunded)} of revenue", key="refunded"),
    ]  # fmt: skip


def _products(view: View, currency: str) -> None:
    rows = view.rows(PRODUCTS, currency=currency)
    st.html(markup.heading("Products", "Price times quantity; the twelve with most revenue"))
    columns = (
        Column("product_name", "Product", lambda name: name or formats.NONE, right=False),
        Column("category", "Category", lambda name: name or formats.NONE, right=False),
        Column("orders", "Orders", number),
        Column("quantity", "Sold", number),
        Column("revenue", "Revenue", lambda amount: formats.money(amount, currency), bar=True),
    )
    named = [{**row, "product_name": row["product_name"] or row["product_id"]} for row in rows]
    st.html(markup.table(named, columns, name="Products by revenue"))


def _bars(view: View, sql: str, title: str, name: str, currency: str, named: Any) -> None:
    st.html(markup.heading(title))
    items = [
        Bar(named(row["label"]), row["value"], formats.money(row["value"], currency))
        for row in view.rows(sql, currency=currency)
    ]
    st.html(markup.bars(items, name=name, of=f"Revenue, {formats.code(currency)}"))


def _all_currencies(rows: list[dict[str, Any]]) -> None:
    if len(rows) == 1:
        return
    st.html(
        markup.heading(
            "All currencies", "Side by side: amounts of different currencies are not added"
        )
    )
    shown = [
        {
            "currency": formats.code(row["currency"]),
            "orders": row["orders"],
            "items": row["items"],
            "refunds": row["refunds"],
            **{
                key: formats.money(row[key], row["currency"])
                for key in ("revenue", "shipping", "tax", "discount", "refunded")
            },
        }
        for row in rows
    ]
    columns = (
        Column("currency", "Currency", right=False),
        Column("orders", "Orders", number),
        Column("items", "Items", number),
        Column("revenue", "Revenue"),
        Column("shipping", "Shipping"),
        Column("tax", "Tax"),
        Column("discount", "Discounts"),
        Column("refunds", "Refunds", number),
        Column("refunded", "Refunded"),
    )
    st.html(markup.table(shown, columns, name="All currencies"))
