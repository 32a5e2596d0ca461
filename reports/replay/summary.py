"""What came of a replay, in figures: each with its definition beside its query.

A figure leaves out test and training orders, and lines that were cancelled whole, unless it says otherwise. What the
dashboard shows too is computed from the same facts (`reports.figures.facts`), here over all of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from reports.figures import facts
from reports.figures.facts import Measure
from reports.replay import sql


def _ratio(measure: Measure) -> str:
    """Return the query of a share or a mean over all facts of a measure."""
    return f"SELECT sum(value) / nullif(sum(weight), 0) FROM ({measure.sql}) AS fact"  # noqa: S608 - our own text


def _count(measure: Measure) -> str:
    return f"SELECT count(*) FROM ({measure.sql}) AS fact"  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its name in JSON, what a person reads, how it is defined, its unit and its query (one row, one value).

    Units: `count`, `units`, `share` (0 to 1), `days`. None where there is nothing to compute it from.
    """

    name: str
    label: str
    definition: str
    unit: str
    query: str


FIGURES = (
    Figure(
        "orders",
        "Orders placed",
        "All parts orders, cancelled ones included.",
        "count",
        "SELECT count(*) FROM orders_partsorder WHERE NOT is_test",
    ),
    Figure(
        "lines",
        "Lines placed",
        "All lines as they were ordered (not the parts they were split into), cancelled ones included.",
        "count",
        """
        SELECT count(*)
        FROM orders_orderline AS line
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        WHERE line.parent_id IS NULL AND NOT parts_order.is_test
        """,
    ),
    Figure(
        "units",
        "Units ordered",
        "The quantities with which these lines were placed, by the ledger; cancelled ones included.",
        "units",
        """
        SELECT coalesce(sum((event.data ->> 'quantity')::numeric), 0)
        FROM orders_orderevent AS event
        JOIN orders_orderline AS line ON line.id = event.subject_id
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        WHERE event.kind = 'line.placed' AND NOT parts_order.is_test
        """,
    ),
    Figure(
        "units_cancelled",
        "Units cancelled",
        "Units of these lines that were cancelled before they left.",
        "units",
        """
        SELECT coalesce(sum(line.quantity), 0)
        FROM orders_orderline AS line
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        WHERE NOT line.is_split AND line.status = 'cancelled' AND NOT parts_order.is_test
        """,
    ),
    Figure(
        "first_pass_fill_rate",
        "First-pass fill rate",
        "Units reserved from stock in the transaction that placed the line / units ordered.",
        "share",
        _ratio(facts.FIRST_PASS),
    ),
    Figure(
        "line_fill_rate",
        "Line fill rate",
        "Lines reserved whole in the placing transaction / lines placed. A line filled in part counts as not filled.",
        "share",
        _ratio(facts.LINE_FILL),
    ),
    Figure(
        "order_fill_rate",
        "Order fill rate",
        "Parts orders whose every line was reserved whole in the placing transaction / parts orders placed.",
        "share",
        _ratio(facts.ORDER_FILL),
    ),
    Figure(
        "unit_fill_rate",
        "Unit fill rate",
        "Units that have left the warehouse by now / units ordered and not cancelled.",
        "share",
        _ratio(facts.UNIT_FILL),
    ),
    Figure(
        "back_orders_opened",
        "Back orders opened",
        "All back orders, whatever became of them; one that lost its stock and waits again is counted once.",
        "count",
        "SELECT count(*) FROM backorders_backorder",
    ),
    Figure(
        "back_orders_filled",
        "Back orders filled",
        "Back orders of which everything that was not cancelled was allocated, or has left.",
        "count",
        "SELECT count(*) FROM backorders_backorder WHERE status IN ('allocated', 'fulfilled', 'substituted')",
    ),
    Figure(
        "back_orders_cancelled",
        "Back orders cancelled",
        "Back orders whose line was cancelled before it got its part.",
        "count",
        "SELECT count(*) FROM backorders_backorder WHERE status = 'cancelled'",
    ),
    Figure(
        "back_orders_open",
        "Back orders open",
        "Back orders that still wait.",
        "count",
        sql.OPEN_BACK_ORDERS,
    ),
    Figure(
        "back_order_days_mean",
        "Back order duration, mean",
        "From opened to fulfilled, over fulfilled back orders; days of 24 hours.",
        "days",
        _ratio(facts.BACK_ORDER_DAYS),
    ),
    Figure(
        "back_order_days_p90",
        "Back order duration, 90th percentile",
        "The same, so long that nine in ten take no longer.",
        "days",
        f"""
        SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY value::double precision)
        FROM ({facts.BACK_ORDER_DAYS.sql}) AS fact
        """,  # noqa: S608 - our own text
    ),
    Figure(
        "lines_promised",
        "Lines delivered with a promise",
        "Leaves (a line, or the parts it was split into) that were delivered and had been promised a date.",
        "count",
        _count(facts.PROMISES_KEPT),
    ),
    Figure(
        "promises_kept",
        "Promises kept",
        "Lines delivered on or before their first promise / lines delivered that had a promise.",
        "share",
        _ratio(facts.PROMISES_KEPT),
    ),
    Figure(
        "service_orders",
        "Service orders",
        "Jobs for which parts were ordered.",
        "count",
        "SELECT count(*) FROM orders_serviceorder WHERE NOT is_test",
    ),
    Figure(
        "purchase_order_lines",
        "Purchase order lines",
        "Lines of purchase orders, cancelled ones included.",
        "count",
        "SELECT count(*) FROM parts_purchaseorderline",
    ),
    Figure(
        "deliveries",
        "Deliveries booked",
        "Delivery notes of suppliers.",
        "count",
        "SELECT count(*) FROM parts_delivery",
    ),
    Figure(
        "delivery_lines_late",
        "Delivery lines after the confirmed date",
        "Delivery lines received after the date that was confirmed first / delivery lines for a purchase order line.",
        "share",
        """
        SELECT avg(((delivery.received_at AT TIME ZONE 'UTC')::date > supply.first_confirmed_on)::integer)
        FROM parts_deliveryline AS item
        JOIN parts_delivery AS delivery ON delivery.id = item.delivery_id
        JOIN parts_purchaseorderline AS supply ON supply.id = item.purchase_order_line_id
        """,
    ),
    Figure(
        "returns",
        "Lines returned",
        "Leaves that came back after they had left.",
        "count",
        "SELECT count(*) FROM orders_orderline WHERE NOT is_split AND status = 'returned'",
    ),
    Figure(
        "events",
        "Events in the ledger",
        "Rows of the event ledger.",
        "count",
        "SELECT count(*) FROM orders_orderevent",
    ),
)


def figures() -> dict[str, Any]:
    """Return every figure by its name, rounded: counts and units whole, shares to four places, days to two.

    None where there is nothing to compute it from. One query each, set-based.
    """
    found = {}
    with connection.cursor() as cursor:
        for figure in FIGURES:
            cursor.execute(figure.query)
            [value] = cursor.fetchone()
            found[figure.name] = None if value is None else _rounded(figure, Decimal(value))
    return found


def _rounded(figure: Figure, value: Decimal) -> int | float:
    if figure.unit == "share":
        return round(float(value), 4)
    if figure.unit == "days":
        return round(float(value), 2)
    return int(value) if value == int(value) else float(value)


def table(found: dict[str, Any], seconds: float) -> str:
    """Return the figures as a table for a terminal, with what it took."""
    width = max(len(figure.label) for figure in FIGURES)
    rows = [f"  {figure.label:<{width}}  {_printed(figure, found.get(figure.name)):>12}" for figure in FIGURES]
    pace = f"{found['orders'] / seconds:,.1f} orders, {found['lines'] / seconds:,.1f} lines a second" if seconds else ""
    rows.append(f"  {'Wall time':<{width}}  {f'{seconds:,.1f} s':>12}  {pace}".rstrip())
    return "\n".join(rows)


def _printed(figure: Figure, value: float | None) -> str:
    if value is None:
        return "-"
    if figure.unit == "share":
        return f"{value:.1%}"
    return f"{value:,.2f} d" if figure.unit == "days" else f"{value:,}"
