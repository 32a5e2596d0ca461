"""What waits in the demo for a second person: an override of something dear, and a change of a controlled part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from simple_history.utils import bulk_create_with_history

from config.demo.jobs import SOURCE
from config.demo.people import Cast
from orders.actions import consents
from orders.actions.placing import Wanted, place
from orders.models import ConsentRule, OrderLine
from parts.actions.changing import approve, request_change
from parts.actors import Actor
from parts.entries import Entry
from parts.keys import new_key
from parts.models import Part

DEAR = "S-9200"
RECEIPT = b"Dealer's counter, receipt 77-1042\r\n2 hydraulic pumps, taken along by the technician\r\n"


def _facts(by: Actor, at: datetime) -> dict[str, Any]:
    return {"by": by, "source": SOURCE, "at": at}


def tell(cast: Cast, now: datetime, customer_ids: Sequence[UUID], controlled_id: UUID) -> None:
    """Ask for what another person decides on: one waits of each kind, and one of each was decided."""
    ConsentRule.objects.create(name="Shipped, over 5,000", to_status="shipped", value_over=Decimal(5000))
    pump = Part(number=DEAR, description="Hydraulic main pump", criticality="A", unit_cost=Decimal(2950))
    bulk_create_with_history([pump], Part)
    _override(cast, now, pump, customer_ids)
    _change(cast, now, controlled_id)


def _override(cast: Cast, now: datetime, pump: Part, customer_ids: Sequence[UUID]) -> None:
    waits, refused = (_waiting_line(cast, now - timedelta(days=days), pump, customer_ids[days % 3]) for days in (3, 8))
    no_receipt = consents.ask(
        wish=consents.Wish("line", refused.pk, "shipped", "The driver says that he took it along.", "Phone call"),
        **_facts(cast.manager, now - timedelta(days=1, hours=4)),
    )
    consents.refuse(
        request_id=no_receipt.pk,
        reason="There is no receipt; ask the driver for one.",
        **_facts(cast.deputy, now - timedelta(days=1, hours=1)),
    )
    at = now - timedelta(hours=3)
    consents.ask(
        wish=consents.Wish(
            "line",
            waits.pk,
            "shipped",
            "The technician took both along from the dealer's counter.",
            "Receipt 77-1042",
            consents.Evidence("Receipt 77-1042.txt", RECEIPT),
            at - timedelta(hours=1),
        ),
        **_facts(cast.manager, at),
    )


def _waiting_line(cast: Cast, at: datetime, pump: Part, customer_id: UUID) -> OrderLine:
    placed = place(
        kind="service",
        lines=[Wanted(quantity=Decimal(2), part_id=pump.pk)],
        requested_on=at.date() + timedelta(days=2),
        customer_id=customer_id,
        **_facts(cast.dispatcher, at),
    )
    return OrderLine.objects.get(order=placed.id, status="back_ordered", is_split=False)


def _change(cast: Cast, now: datetime, controlled_id: UUID) -> None:
    """Put a part under control; its new name was approved, its number in the ERP and its cost wait."""
    part = Part.objects.get(pk=controlled_id)
    part.is_controlled = True
    part._history_user = User.objects.get(username="deputy")
    part._change_reason = "It carries the load: nothing about it changes by one person."
    part.save(update_fields=["is_controlled"])
    named = request_change(
        part_id=part.pk,
        wanted={"description": f"{part.description}, reinforced"},
        reason="Drawing 4100-B",
        **_facts(cast.manager, now - timedelta(days=2)),
    )
    approve(change_id=named.pk, **_facts(cast.deputy, now - timedelta(days=1)))
    number = {"part": str(part.pk), "system": "WMS", "number": f"88-{part.number[2:]}"}
    request_change(
        part_id=part.pk,
        wanted={"unit_cost": str(part.unit_cost + 24)},
        entries=[Entry("number", new_key(), None, number)],
        reason="New price list, and the number of the new WMS",
        **_facts(cast.manager, now - timedelta(hours=5)),
    )
