"""A part that nobody has enough of, with every way out there is; and a delivery that two had waited for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from simple_history.utils import bulk_create_with_history

from config.demo.jobs import SOURCE
from config.demo.people import Cast
from orders.actions.placing import Placed, Wanted, place
from parts.actions.stock import correct_stock
from parts.actions.supply import DeliveryItem, PurchaseLine, place_purchase_order, receive_delivery
from parts.actors import Actor
from parts.models import Part, PartRelation, Supplier, SupplierPart, Warehouse

#: The delivery note that somebody waited for; `config.management` takes its picture.
NOTE = "DN-90417"
#: What the second back order of the short part waits for.
SHORT, STAND_IN, AWAITED = "S-9100", "S-9100X", "S-9107"
#: For each supplier that sells the short part: the days until it is there, and what a unit costs.
OFFERS = ((9, 410), (21, 325), (30, 298))


def _facts(by: Actor, at: datetime) -> dict[str, Any]:
    return {"by": by, "source": SOURCE, "at": at}


def tell(cast: Cast, now: datetime, customer_ids: Sequence[UUID]) -> None:
    """Let somebody wait for four swing motors of which one is there, and two for what came this morning."""
    parts = [
        Part(number=SHORT, description="Swing motor", criticality="A", unit_cost=Decimal(440)),
        Part(number=STAND_IN, description="Swing motor, rebuilt", criticality="A", unit_cost=Decimal(230)),
        Part(number=AWAITED, description="Final drive seal kit", criticality="B", unit_cost=Decimal(96)),
    ]
    bulk_create_with_history(parts, Part)
    short, stand_in, awaited = parts
    relation = PartRelation(kind="substitutes", part=stand_in, other=short)
    bulk_create_with_history([relation], PartRelation)
    suppliers = list(Supplier.objects.order_by("code")[: len(OFFERS)])
    offers = [
        SupplierPart(
            supplier=supplier, part=short, lead_time_days=days, unit_cost=Decimal(cost), is_preferred=number == 0
        )
        for number, (supplier, (days, cost)) in enumerate(zip(suppliers, OFFERS, strict=True))
    ]
    offers.append(SupplierPart(supplier=suppliers[0], part=awaited, lead_time_days=12, unit_cost=Decimal(70)))
    bulk_create_with_history(offers, SupplierPart)
    _run_short(cast, now, short, stand_in, customer_ids)
    _deliver(cast, now, awaited, suppliers[0], customer_ids)


def _order(cast: Cast, at: datetime, part: Part, quantity: int, customer_id: UUID, **facts: Any) -> Placed:
    return place(
        kind="service",
        lines=[Wanted(quantity=Decimal(quantity), part_id=part.pk, **facts)],
        requested_on=at.date() + timedelta(days=4),
        customer_id=customer_id,
        **_facts(cast.dispatcher, at),
    )


def _run_short(cast: Cast, now: datetime, short: Part, stand_in: Part, customer_ids: Sequence[UUID]) -> None:
    """Order four, all at once; then one is found, a van has four, and rebuilt ones lie there."""
    _order(cast, now - timedelta(days=4), short, 4, customer_ids[0], minimum_fill=Decimal(4))
    places = {found.code: found for found in Warehouse.objects.filter(code__in=["CENTRAL", "VAN-12"])}
    for part, code, quantity in ((short, "CENTRAL", 1), (short, "VAN-12", 4), (stand_in, "CENTRAL", 5)):
        correct_stock(
            part_id=part.pk,
            warehouse_id=places[code].pk,
            on_hand_change=Decimal(quantity),
            reason="opening",
            **_facts(cast.manager, now - timedelta(days=2)),
        )


def _deliver(cast: Cast, now: datetime, awaited: Part, supplier: Supplier, customer_ids: Sequence[UUID]) -> None:
    """Let two wait for three together; this morning seven of eight come, one of them damaged."""
    for number, quantity in enumerate((2, 1)):
        at = now - timedelta(days=6 - number)
        _order(cast, at, awaited, quantity, customer_ids[(number + 1) % len(customer_ids)])
    central = Warehouse.objects.get(code="CENTRAL")
    bought_at = now - timedelta(days=5)
    place_purchase_order(
        supplier_id=supplier.pk,
        warehouse_id=central.pk,
        lines=[PurchaseLine(awaited.pk, Decimal(8), Decimal(70), now.date())],
        ordered_at=bought_at,
        **_facts(cast.manager, bought_at),
    )
    came_at = now - timedelta(hours=2)
    serials = tuple(f"FD-{88120 + number}" for number in range(7))
    receive_delivery(
        supplier_id=supplier.pk,
        warehouse_id=central.pk,
        note_number=NOTE,
        lines=[DeliveryItem(awaited.pk, Decimal(7), Decimal(1), serials=serials)],
        received_at=came_at,
        **_facts(cast.manager, came_at),
    )
