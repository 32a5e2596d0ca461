"""The ways out of a back order at the desk: listed, looked at with their consequences, and taken as shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backorders.actions import moving
from backorders.models import BackOrder
from parts.models import PurchaseOrder
from tests.admin.desk import desk_of, page, said, text
from tests.admin.world import World, cause
from tests.factories.parts import SupplierPartFactory

pytestmark = pytest.mark.django_db


def ways_of(row: BackOrder) -> str:
    return reverse("admin:backorders_backorder_ways", args=[row.pk])


def offers(row: BackOrder) -> Any:
    """Let a supplier sell the part of a back order; return the address of ordering from them."""
    return f"{ways_of(row)}?take=purchase:{SupplierPartFactory.create(part=row.part).pk}"


def test_the_ways_are_on_the_page_and_on_the_desk(world: World, manager: User) -> None:
    row = world.short()
    client = desk_of(manager)
    assert ways_of(row) in text(client.get(page(row)))
    assert ways_of(row) in text(client.get("/admin/desk/?list=all"))


def test_the_list_says_when_what_it_costs_and_whom_it_takes_from(world: World, manager: User) -> None:
    row = world.short()
    offers(row)
    shown = text(desk_of(manager).get(ways_of(row)))
    assert "Order from a supplier" in shown
    assert "336.00 EUR (112.00 EUR each), freight not known" in shown
    assert "Nobody." in shown


def test_of_one_on_hold_it_is_said_that_it_has_to_be_let_go_first(world: World, manager: User) -> None:
    row = world.short()
    offers(row)
    moving.hold(back_order_id=row.pk, reason="They moved", **cause())
    shown = text(desk_of(manager).get(ways_of(row)))
    assert "It is on hold and gets nothing: let it go first." in shown
    assert "next in the queue" not in shown


def test_the_way_that_was_taken_is_named_in_the_timeline(world: World, manager: User) -> None:
    row = world.short()
    address = offers(row)
    client = desk_of(manager)
    client.post(address, {"shown": client.get(address).context["way"].way.fingerprint})
    assert "way: Order from a supplier" in text(client.get(page(row)))


def test_one_is_looked_at_and_taken(world: World, manager: User) -> None:
    row = world.short()
    address = offers(row)
    client = desk_of(manager)
    looked = client.get(address)
    assert PurchaseOrder.objects.count() == 0
    answer = client.post(address, {"shown": looked.context["way"].way.fingerprint, "reason": "No other source"})
    assert answer.status_code == 302
    number = PurchaseOrder.objects.get().number
    assert number in said(answer)
    shown = text(client.get(page(row)))
    assert number in shown
    assert "No other source" in shown


def test_what_holds_no_more_is_refused_in_place_and_the_new_consequences_are_shown(world: World, manager: User) -> None:
    row = world.short()
    address = offers(row)
    client = desk_of(manager)
    old = client.get(address).context["way"].way.fingerprint
    world.bought(row.part, 2)
    refused = client.post(address, {"shown": old, "reason": "Kept"})
    assert refused.status_code == 409
    assert "nothing was done" in text(refused)
    assert "Kept" in text(refused)
    assert PurchaseOrder.objects.count() == 1
    fresh = refused.context["way"].way.fingerprint
    assert client.post(address, {"shown": fresh, "reason": "Kept"}).status_code == 302
    assert client.post(address, {"shown": fresh}).status_code == 409
    assert PurchaseOrder.objects.count() == 2


def test_a_day_is_looked_at_before_it_is_noted(world: World, manager: User) -> None:
    row = world.short()
    order = world.bought(row.part)
    address = f"{ways_of(row)}?take=expedite:{order.lines.get().pk}"
    client = desk_of(manager)
    asked = client.get(address)
    assert "Show what this day does" in text(asked)
    day = timezone.now().date() + timedelta(days=2)
    looked = client.post(address, {"look": "1", "day": str(day)})
    assert looked.context["way"].way.on == day
    assert order.lines.get().expected_on != day
    answer = client.post(address, {"day": str(day), "shown": looked.context["way"].way.fingerprint})
    assert answer.status_code == 302
    assert order.lines.get().expected_on == day
    other = client.post(address, {"day": str(day), "shown": "made up"})
    assert other.status_code == 409


def test_a_reason_that_is_missing_is_asked_for(world: World, manager: User) -> None:
    row = world.short()
    client = desk_of(manager)
    address = f"{ways_of(row)}?take=cancel"
    mark = client.get(address).context["way"].way.fingerprint
    assert client.post(address, {"shown": mark}).status_code == 400
    assert BackOrder.objects.get(pk=row.pk).status == "open"
    client.post(address, {"shown": mark, "reason": "Not needed"})
    assert BackOrder.objects.get(pk=row.pk).status == "cancelled"


def test_who_has_not_the_right_neither_looks_nor_takes(
    world: World, dispatcher: User, auditor: User, manager: User
) -> None:
    row = world.short()
    address = f"{ways_of(row)}?take=cancel"
    mark = desk_of(manager).get(address).context["way"].way.fingerprint
    for person in (dispatcher, auditor):
        client = desk_of(person)
        assert client.get(ways_of(row)).status_code == 403
        assert client.post(address, {"shown": mark, "reason": "x"}).status_code == 403
        assert ways_of(row) not in text(client.get(page(row)))
    assert BackOrder.objects.get(pk=row.pk).status == "open"


def test_nonsense_in_the_address_is_no_page(world: World, manager: User) -> None:
    row = world.short()
    client = desk_of(manager)
    assert client.get(f"{ways_of(row)}?take=steal").status_code == 404
    assert client.post(ways_of(row)).status_code == 404
    gone = client.get(f"{ways_of(row)}?take=purchase:none")
    assert "This way is not there any more." in text(gone)
    assert client.get(f"{ways_of(row)}?take=promise&day=2026-99-99").status_code == 200
    moving.cancel(back_order_id=row.pk, reason="x", **cause())
    assert "It waits no more" in text(client.get(ways_of(row)))


def test_the_page_is_as_many_queries_for_many_as_for_few(world: World, manager: User) -> None:
    client = desk_of(manager)
    row = world.short()
    counts = []
    for number in (2, 15):
        for _ in range(number):
            world.placed(row.part, 1)
            offers(row)
            world.bought(row.part, 1)
        client.get(ways_of(row))
        with CaptureQueriesContext(connection) as sent:
            assert client.get(ways_of(row)).status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 20
