"""Special stock (consigned, loaner, in repair) is seen by rule; what any order may be promised is seen by everybody."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from backorders.availability import Availability, availability
from orders.models import Customer, StockVisibilityRule
from orders.visibility import Sight, sight_of
from parts.actions.stock import correct_stock
from parts.actors import Actor
from parts.models import Part, StockLevel, Warehouse
from tests.admin.world import World, cause
from tests.desk.orders_words import desk_of, text
from tests.factories.orders import CustomerFactory
from tests.factories.parts import PartFactory, WarehouseFactory

KINDS: dict[str, dict[str, Any]] = {
    "consigned": {"owner": "C-77"},
    "loaner": {"condition": "loaner"},
    "in_repair": {"condition": "in_repair"},
}


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def part(world: World) -> Part:
    """A part with one unit of our own and one of each special kind in the near warehouse."""
    found = PartFactory.create()
    no_facts: dict[str, Any] = {}
    for facts in (no_facts, *KINDS.values()):
        put(found, world.near, **facts)
    return found


def put(part: Part, warehouse: Warehouse, quantity: int = 1, **facts: Any) -> None:
    correct_stock(
        part_id=part.pk,
        warehouse_id=warehouse.pk,
        on_hand_change=Decimal(quantity),
        reason="opening",
        **facts,
        **cause(),
    )


def seen(part: Part, person: User, customer: Customer | None = None) -> Availability:
    """Return what a person sees of a part, while they serve an order of a customer."""
    person = User.objects.get(pk=person.pk)
    sight = sight_of(Actor.user(person), customer.pk if customer else None)
    [found] = availability(sight=sight, part_ids=[part.pk], today=cause()["at"].date())
    return found


def kinds(found: Availability) -> set[str]:
    return {kind for place in found.warehouses for kind in KINDS if getattr(place, kind)}


def test_without_a_rule_a_dispatcher_sees_what_orders_may_be_promised_and_nothing_else(
    part: Part, dispatcher: User, manager: User
) -> None:
    assert kinds(seen(part, dispatcher)) == set()
    assert (seen(part, dispatcher).on_hand, seen(part, dispatcher).promisable) == (1, 1)
    assert kinds(seen(part, manager)) == set(KINDS)
    assert (seen(part, manager).on_hand, seen(part, manager).promisable) == (4, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_shows_its_kind_and_no_other(part: Part, dispatcher: User, kind: str) -> None:
    StockVisibilityRule.objects.create(stock=kind)
    assert kinds(seen(part, dispatcher)) == {kind}
    assert seen(part, dispatcher).on_hand == 2
    assert seen(part, dispatcher).promisable == 1


def test_a_rule_of_a_warehouse_shows_that_warehouse_alone(world: World, part: Part, dispatcher: User) -> None:
    put(part, world.far, 5, condition="loaner")
    StockVisibilityRule.objects.create(stock="loaner", warehouse=world.far)
    places = {place.code: place.loaner for place in seen(part, dispatcher).warehouses}
    assert places == {world.near.code: 0, world.far.code: 5}


def test_a_rule_of_a_customer_shows_it_only_while_their_order_is_served(part: Part, dispatcher: User) -> None:
    own, other = CustomerFactory.create(), CustomerFactory.create()
    StockVisibilityRule.objects.create(stock="consigned", customer=own)
    assert kinds(seen(part, dispatcher)) == set()
    assert kinds(seen(part, dispatcher, other)) == set()
    assert kinds(seen(part, dispatcher, own)) == {"consigned"}


def test_a_rule_of_a_person_is_for_them_alone(part: Part, dispatcher: User, technician: User) -> None:
    StockVisibilityRule.objects.create(stock="in_repair", person=dispatcher)
    assert kinds(seen(part, dispatcher)) == {"in_repair"}
    assert kinds(seen(part, technician)) == set()


def test_a_warehouse_of_special_stock_alone_is_not_even_named(world: World, dispatcher: User) -> None:
    part = PartFactory.create()
    put(part, world.far, condition="loaner")
    assert seen(part, dispatcher).warehouses == ()


def test_our_own_stock_in_a_consignment_store_that_serves_no_order_is_special(dispatcher: User) -> None:
    part, store = PartFactory.create(), WarehouseFactory.create(kind="consignment", allocatable=False)
    put(part, store)
    assert seen(part, dispatcher).on_hand == 0
    StockVisibilityRule.objects.create(stock="consigned", warehouse=store)
    assert seen(part, dispatcher).on_hand == 1
    serving = WarehouseFactory.create(kind="consignment")
    put(part, serving, 7)
    assert seen(part, dispatcher).promisable == 7


def test_lists_and_availability_call_the_same_stock_special(world: World, part: Part, dispatcher: User) -> None:
    store = WarehouseFactory.create(kind="consignment", allocatable=False)
    for facts in ({}, *KINDS.values(), {"condition": "used"}, {"condition": "refurbished", "owner": "SUP-1"}):
        for warehouse in (store, world.far, WarehouseFactory.create(kind="van", allocatable=False)):
            put(part, warehouse, 2, **facts)
    listed = sum(level.on_hand for level in StockLevel.objects.shown_in_lists(dispatcher).filter(part=part))
    assert listed == seen(part, dispatcher).on_hand


def test_a_rule_never_makes_special_stock_promisable(part: Part, dispatcher: User) -> None:
    before = seen(part, dispatcher).promisable
    for kind in KINDS:
        StockVisibilityRule.objects.create(stock=kind)
    assert seen(part, dispatcher).promisable == before


def test_the_api_leaves_out_what_no_rule_covers(part: Part, dispatcher: User, manager: User) -> None:
    customer = CustomerFactory.create()
    StockVisibilityRule.objects.create(stock="consigned", customer=customer)

    def on_hand(person: User, **query: str) -> str:
        answer = desk_of(person).get("/api/v1/availability/", {"part": part.number, **query})
        return str(answer.json()["results"][0]["on_hand"])

    assert Decimal(on_hand(dispatcher)) == 1
    assert Decimal(on_hand(dispatcher, customer=str(customer.pk))) == 2
    assert Decimal(on_hand(manager)) == 4
    assert desk_of(dispatcher).get("/api/v1/availability/", {"part": "x", "customer": "y"}).status_code == 400


def test_pages_leave_out_what_no_rule_covers(world: World, part: Part, dispatcher: User, manager: User) -> None:
    StockVisibilityRule.objects.create(stock="loaner")
    shown = text(desk_of(dispatcher).get(f"/desk/when/?part={part.number}"))
    assert "1 loaner" in shown
    assert "consigned" not in shown
    listed = "/admin/parts/stocklevel/"
    assert "C-77" not in text(desk_of(dispatcher).get(listed))
    assert "C-77" in text(desk_of(manager).get(listed))
    panel = f"/admin/parts/part/{part.pk}/change/"
    assert "C-77" not in text(desk_of(dispatcher).get(panel))


def placing(person: User, part: Part, whom: Customer) -> list[str]:
    """Return what stands beside a line about stock that no order may have, as somebody is placing an order."""
    page = desk_of(person).get(f"/desk/place/?whom={whom.code}&part={part.number}&quantity=1").content.decode()
    return re.findall(r'<span class="place subtle">([^<]*)</span>', page)


def test_who_places_an_order_is_shown_each_kind_also_beside_stock_that_the_order_may_have(
    world: World, part: Part, dispatcher: User, manager: User
) -> None:
    own, other, near = CustomerFactory.create(), CustomerFactory.create(), world.near.code
    van = WarehouseFactory.create(kind="van", allocatable=False, code="VAN-1")
    put(part, van, 2)
    put(part, van, 3, condition="in_repair")
    StockVisibilityRule.objects.create(stock="consigned", warehouse=world.near)
    StockVisibilityRule.objects.create(stock="loaner", customer=own)
    assert placing(dispatcher, part, own) == [f"{near} 1 consigned", f"{near} 1 loaner", "VAN-1 2 not for orders"]
    assert placing(dispatcher, part, other) == [f"{near} 1 consigned", "VAN-1 2 not for orders"]
    shown = placing(manager, part, other)
    assert {f"{near} 1 in repair", "VAN-1 2 not for orders", "VAN-1 3 in repair"} <= set(shown)


def test_the_parts_manager_edits_the_rules_and_a_dispatcher_does_not(
    world: World, manager: User, dispatcher: User
) -> None:
    address = "/admin/orders/stockvisibilityrule/add/"
    sent = {"stock": "loaner", "warehouse": str(world.near.pk), "customer": "", "person": "", "note": "Loan pool"}
    assert desk_of(dispatcher).post(address, sent).status_code == 403
    assert desk_of(manager).post(address, sent).status_code == 302
    rule = StockVisibilityRule.objects.get()
    assert (rule.stock, rule.warehouse, rule.history.count()) == ("loaner", world.near, 1)


def test_our_own_rules_see_everything(part: Part, client: Client) -> None:
    [found] = availability(sight=Sight(sees_all=True), part_ids=[part.pk], today=cause()["at"].date())
    assert kinds(found) == set(KINDS)
