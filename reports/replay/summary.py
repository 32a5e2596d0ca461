"""What came of a replay, in figures: each with its definition beside its query.

A figure leaves out test and training orders, and lines that were cancelled whole, unless it says otherwise. Whatever an
order's own transaction wrote bears the order's own `created_at`: by that the first pass is known for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection


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
        """
        SELECT
            1 - coalesce(sum((event.data ->> 'quantity')::numeric) FILTER (WHERE event.to_status = 'back_ordered'
                AND event.kind = 'line.split_off'), 0)
            / nullif(sum((event.data ->> 'quantity')::numeric) FILTER (WHERE event.kind = 'line.placed'), 0)
        FROM orders_orderevent AS event
        JOIN orders_orderline AS line ON line.id = event.subject_id
        JOIN orders_orderline AS root ON root.id = coalesce(line.parent_id, line.id)
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        WHERE event.version = 1 AND event.kind IN ('line.placed', 'line.split_off')
          AND event.recorded_at = parts_order.created_at AND root.status <> 'cancelled' AND NOT parts_order.is_test
        """,
    ),
    Figure(
        "line_fill_rate",
        "Line fill rate",
        "Lines reserved whole in the placing transaction / lines placed. A line filled in part counts as not filled.",
        "share",
        """
        SELECT avg((event.to_status = 'reserved')::integer)
        FROM orders_orderevent AS event
        JOIN orders_orderline AS line ON line.id = event.subject_id
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        WHERE event.kind = 'line.placed' AND line.status <> 'cancelled' AND NOT parts_order.is_test
        """,
    ),
    Figure(
        "order_fill_rate",
        "Order fill rate",
        "Parts orders whose every line was reserved whole in the placing transaction / parts orders placed.",
        "share",
        """
        SELECT avg((event.to_status = 'reserved')::integer)
        FROM orders_orderevent AS event
        JOIN orders_partsorder AS parts_order ON parts_order.id = event.subject_id
        WHERE event.kind = 'parts_order.placed' AND parts_order.status <> 'cancelled' AND NOT parts_order.is_test
        """,
    ),
    Figure(
        "unit_fill_rate",
        "Unit fill rate",
        "Units that have left the warehouse by now / units ordered and not cancelled.",
        "share",
        """
        SELECT coalesce(sum(line.quantity) FILTER (WHERE line.status IN ('shipped', 'delivered', 'returned')), 0)
            / nullif(sum(line.quantity), 0)
        FROM orders_orderline AS line
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        WHERE NOT line.is_split AND line.status <> 'cancelled' AND NOT parts_order.is_test
        """,
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
        "SELECT count(*) FROM backorders_backorder WHERE status IN ('open', 'sourcing', 'supply_confirmed')",
    ),
    Figure(
        "back_order_days_mean",
        "Back order duration, mean",
        "From opened to fulfilled, over fulfilled back orders; days of 24 hours.",
        "days",
        """
        SELECT extract(epoch FROM avg(status_since - opened_at)) / 86400
        FROM backorders_backorder WHERE status = 'fulfilled'
        """,
    ),
    Figure(
        "back_order_days_p90",
        "Back order duration, 90th percentile",
        "The same, so long that nine in ten take no longer.",
        "days",
        """
        SELECT extract(epoch FROM percentile_cont(0.9) WITHIN GROUP (ORDER BY status_since - opened_at)) / 86400
        FROM backorders_backorder WHERE status = 'fulfilled'
        """,
    ),
    Figure(
        "lines_promised",
        "Lines delivered with a promise",
        "Leaves (a line, or the parts it was split into) that were delivered and had been promised a date.",
        "count",
        """
        SELECT count(DISTINCT line.id)
        FROM orders_orderline AS line
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        JOIN orders_orderevent AS event ON event.subject_id = line.id AND event.to_status = 'delivered'
        WHERE NOT line.is_split AND line.first_promised_on IS NOT NULL AND NOT parts_order.is_test
        """,
    ),
    Figure(
        "promises_kept",
        "Promises kept",
        "Lines delivered on or before their first promise / lines delivered that had a promise.",
        "share",
        """
        SELECT avg((delivered.on_day <= line.first_promised_on)::integer)
        FROM orders_orderline AS line
        JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
        JOIN (
            SELECT subject_id, (min(occurred_at) AT TIME ZONE 'UTC')::date AS on_day
            FROM orders_orderevent
            WHERE subject_kind = 'line' AND to_status = 'delivered'
            GROUP BY subject_id
        ) AS delivered ON delivered.subject_id = line.id
        WHERE NOT line.is_split AND line.first_promised_on IS NOT NULL AND NOT parts_order.is_test
        """,
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
