"""What our people say among themselves, and what things cost us, is read by staff and by nobody else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from backorders.models import BackOrder
from orders.actions import parts_orders, service_orders
from parts.models import Part
from tests.api.world import Caller, World, cause, token_for

pytestmark = pytest.mark.django_db

#: Where it must not be found by who is not of the house.
INTERNAL, COST = "owes us 40,000", "987.65"

#: Address → members that are null or empty for a partner, and full for each of the staff.
FOR_STAFF = {
    "parts-orders/{order}/": ("hold_reason",),
    "parts/{part}/": ("unit_cost", "core_charge"),
    "back-orders/{back_order}/explain/": ("ahead",),
}


@pytest.fixture
def secretive(world: World) -> dict[str, Any]:
    """An order of our partner's customer with something to hide at every turn; return the keys."""
    world.placed(quantity=3, part=4)  # stands before them in the queue
    order, job = world.placed(quantity=5, part=4), world.job()
    part = world.parts[4]
    Part.objects.filter(pk=part.pk).update(unit_cost=Decimal(COST), core_charge=Decimal(COST))
    parts_orders.hold(order_id=order.id, reason=f"Customer {INTERNAL}", **cause())
    service_orders.add_note(service_order_id=job.pk, text=f"Customer {INTERNAL}", **cause())
    entry = BackOrder.objects.get(line__order_id=order.id)
    return {"order": order.id, "job": job.pk, "part": part.pk, "back_order": entry.pk, "line": entry.line_id}


@pytest.mark.parametrize("address", FOR_STAFF)
@pytest.mark.parametrize("role", ["partner", "technician", "dispatcher", "manager", "auditor"])
def test_what_is_for_staff_is_read_by_staff_and_nobody_else(
    secretive: dict[str, Any], world: World, request: pytest.FixtureRequest, role: str, address: str
) -> None:
    person: User = request.getfixturevalue(role)
    if role == "partner":
        world.give_access(person)
    answer = Caller(token_for(person)).get(address.format(**secretive))
    assert answer.status_code == 200
    read = {name: bool(answer.json()[name]) for name in FOR_STAFF[address]}
    assert read == dict.fromkeys(FOR_STAFF[address], role != "partner")


def test_nothing_that_a_partner_can_read_has_it(secretive: dict[str, Any], dealer: Caller, erp: Caller) -> None:
    readable = (
        "parts-orders/",
        "parts-orders/{order}/",
        "parts-orders/{order}/timeline/",
        "service-orders/",
        "service-orders/{job}/",
        "service-orders/{job}/timeline/",
        "lines/",
        "lines/{line}/",
        "back-orders/",
        "back-orders/{back_order}/",
        "back-orders/{back_order}/explain/",
        "parts/",
        "parts/{part}/",
    )
    found = set()
    for address in readable:
        answer = dealer.get(address.format(**secretive))
        assert answer.status_code == 200, address
        assert INTERNAL not in answer.content.decode(), address
        assert COST not in answer.content.decode(), address
        ours = erp.get(address.format(**secretive)).content.decode()
        found |= {word for word in (INTERNAL, COST) if word in ours}
    assert found == {INTERNAL, COST}  # staff do read both
