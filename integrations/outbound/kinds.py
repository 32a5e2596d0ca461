"""The kinds of events that others can be told of, and those of which an outsider may know."""

from __future__ import annotations

from orders.event_words import TITLES

#: What a test is called; no event of the ledger is.
TEST = "test"
#: All that can be asked for.
KINDS: tuple[str, ...] = tuple(sorted(TITLES))
#: What partners read of their customers' orders by the API in any case: where these stand, and what was promised.
#: Of everything else they are told only what is public.
FOR_PARTNERS: tuple[str, ...] = (
    "back_order.opened",
    "back_order.quantity_changed",
    "back_order.status_changed",
    "back_order.status_overridden",
    "line.placed",
    "line.promise_changed",
    "line.promise_derived",
    "line.quantity_changed",
    "line.split",
    "line.split_off",
    "line.status_changed",
    "line.status_derived",
    "line.status_overridden",
    "parts_order.cancelled",
    "parts_order.placed",
    "parts_order.status_derived",
    "service_order.created",
    "service_order.status_changed",
    "service_order.status_overridden",
)
