"""What is sent to each route of the API by the permission matrix."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from orders.models import Customer, ServiceOrder
from parts.models import Part, PurchaseOrder, Supplier


def bodies_of(owner: Customer, own: Customer) -> dict[str, dict[str, Any]]:
    """Return by route a body that is right: for what is ordered, of this customer; else about a job of one's own."""
    customer = owner.pk
    part, now, reason = Part.objects.all()[0].pk, timezone.now(), {"reason": "because", "reference": "T-1"}
    bought = {"supplier": Supplier.objects.all()[0].pk, "warehouse": PurchaseOrder.objects.all()[0].warehouse_id}
    return {
        "api:service-orders-list": {"customer": customer, "title": "Press"},
        "api:inbound-list": {
            "id": "m-1",
            "subject": "line",
            "reference": "x",
            "status": "shipped",
            "time": str(now),
        },
        "api:snapshots-list": {},
        "api:service-orders-assign": {"technician": None},
        "api:service-orders-claim": {},
        "api:service-orders-fast-forward": {"to": "completed"},
        "api:service-orders-move": {"to": "in_progress"},
        "api:service-orders-notes": {"text": "hello"},
        "api:service-orders-override": {"to": "completed", **reason},
        "api:parts-orders-list": {
            "kind": "service",
            "customer": customer,
            "requested_on": now.date(),
            "lines": [{"part": part, "quantity": "1"}],
        },
        "api:parts-orders-cancel": {"reason": "because"},
        "api:parts-orders-hold": {"reason": "because"},
        "api:parts-orders-let-go": {},
        "api:lines-cancel": {"reason": "because"},
        "api:lines-let-go": {},
        "api:lines-move": {"to": "released"},
        "api:lines-override": {"to": "delivered", **reason},
        "api:lines-promise": {"promised_on": now.date()},
        "api:lines-bring-back": {"quantity": "1"},
        "api:lines-ship": {"walk": True},
        "api:back-orders-move": {"to": "sourcing"},
        "api:back-orders-promise": {"promised_on": now.date()},
        "api:purchase-orders-list": {**bought, "ordered_at": now, "lines": [{"part": part, "quantity": "1"}]},
        "api:deliveries-list": {
            **bought,
            "note_number": "N-1",
            "received_at": now,
            "lines": [{"part": part, "quantity": "1"}],
        },
        "api:subscribers-list": {"code": "portal", "name": "Portal", "address": "https://portal.dealer.example/"},
        "api:subscribers-change": {"name": "Other"},
        "api:outbound-deliveries-replay": {},
        **{f"api:subscribers-{deed}": {} for deed in ("rotate-secret", "switch-off", "switch-on", "test")},
        "api:subscribers-replay": {"since": now - timedelta(days=1)},
        "api:status-updates-list": {
            "updates": [
                {
                    "subject": "service_order",
                    "id": ServiceOrder.objects.filter(customer=own)[0].pk,
                    "status": "in_progress",
                    "occurred_at": now,
                }
            ]
        },
    }
