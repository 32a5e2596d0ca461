"""Floor 1's rooms in the back office."""

from orders.admin import (
    attachments,
    customers,
    ledger,
    lines,
    overriding,
    parts_orders,
    serials,
    service_orders,
    tracking,
    visibility,
)

__all__ = [
    "attachments",
    "customers",
    "ledger",
    "lines",
    "overriding",
    "parts_orders",
    "serials",
    "service_orders",
    "tracking",
    "visibility",
]
