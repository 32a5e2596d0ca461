"""A page sends as many statements for many rows as for few: the pages of one object, narrowed lists, and previews."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backorders.actions import moving, pegging
from backorders.models import AllocationPolicy, BackOrder
from backorders.whatif import WEIGHTS
from orders.actions import placing, service_orders
from tests.admin.desk import deed, desk_of, page
from tests.admin.world import World, cause
from tests.factories.parts import PartFactory

pytestmark = pytest.mark.django_db


def cost(ask: Callable[[], Any]) -> int:
    """Return how many statements a request sends once everything is remembered that is remembered."""
    cache.clear()
    assert ask().status_code == 200
    with CaptureQueriesContext(connection) as sent:
        assert ask().status_code == 200
    return len(sent)


def queue(world: World, count: int) -> BackOrder:
    """Let so many wait for one part behind each other, with some supply; return the last."""
    part = PartFactory.create()
    for _ in range(count):
        world.placed(part, 2)
        world.bought(part, 1)
    pegging.repeg(part_ids=[part.pk], today=timezone.now().date())
    last = BackOrder.objects.filter(part=part).order_by("id").last()
    assert last is not None
    for number in range(count):
        moving.move(back_order_id=last.pk, to=("sourcing", "open")[number % 2], note="Asked", **cause())
    return last


@pytest.mark.parametrize("way", ["change", "pin", "promise", "hold"])
def test_the_page_of_a_back_order_costs_the_same_with_two_before_it_and_with_twenty(
    world: World, manager: User, way: str
) -> None:
    client, few, many = desk_of(manager), queue(world, 2), queue(world, 20)
    address: Callable[[BackOrder], str] = page if way == "change" else lambda row: deed(row, way)
    assert cost(partial(client.get, address(few))) == cost(partial(client.get, address(many))) <= 20


@pytest.mark.parametrize(
    "query",
    [
        {"view": "waiting"},
        {"view": "nearest"},
        {"view": "no-supply"},
        {"view": "overdue"},
        {"view": "held"},
        {"age": "0-3"},
        {"q": "customer"},
        {"q": "B-"},
    ],
)
def test_the_narrowed_list_of_back_orders_costs_the_same_with_two_rows_and_with_twenty(
    world: World, manager: User, query: dict[str, str]
) -> None:
    world.customer.name = "Customer One"
    world.customer.save()
    client, address = desk_of(manager), reverse("admin:backorders_backorder_changelist")
    queue(world, 2)
    few = cost(lambda: client.get(address, query))
    queue(world, 18)
    assert cost(lambda: client.get(address, query)) == few <= 12


def test_a_preview_of_weights_costs_the_same_for_two_queues_and_for_many(world: World, manager: User) -> None:
    policy = AllocationPolicy.objects.get()
    weights = {name: str(getattr(policy, name)) for name in WEIGHTS} | {"ageing_per_day": "0", "service": "7"}
    client = desk_of(manager)

    def preview() -> Any:
        answer = client.post(deed(policy, "weights"), weights)
        assert answer.context["previewed"]
        return answer

    for _ in range(2):
        queue(world, 2)
    few = cost(preview)
    for _ in range(6):
        queue(world, 3)
    assert cost(preview) == few <= 14


def pages_of_orders(world: World, count: int) -> list[str]:
    """Make a job and a parts order with so many lines, and return the addresses of both."""
    job = service_orders.create(customer_id=world.customer.pk, title="Crane", status="new", **cause())
    parts = [world.part_in_stock() if number % 2 else PartFactory.create() for number in range(count)]
    placed = placing.place(
        kind="service",
        service_order_id=job.pk,
        requested_on=timezone.now().date(),
        lines=[placing.Wanted(quantity=Decimal(1), part_id=part.pk) for part in parts],
        **cause(),
    )
    for number in range(count):
        service_orders.add_note(service_order_id=job.pk, text=f"Note {number}", **cause())
    order = reverse("admin:orders_partsorder_change", args=[placed.id])
    return [order, page(job)]


def test_the_pages_of_orders_in_the_back_office_cost_the_same_with_two_lines_and_with_twenty(
    world: World, manager: User
) -> None:
    client: Client = desk_of(manager)
    few, many = pages_of_orders(world, 2), pages_of_orders(world, 20)
    costs = [[cost(partial(client.get, at)) for at in addresses] for addresses in (few, many)]
    assert costs[0] == costs[1]
    assert max(costs[1]) <= 30
