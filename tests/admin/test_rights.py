"""What nobody may do, whoever they are; what people may not do to their own rights; what history pages do not do."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse

from parts.admin.offices import Edited, Shown
from parts.models import Part
from tests.admin.desk import desk_of
from tests.admin.world import World

pytestmark = pytest.mark.django_db

SHOWN = sorted(
    (model for model, office in admin.site._registry.items() if isinstance(office, Shown)),
    key=lambda model: model._meta.label,
)

#: What only actions write, and therefore nobody edits.
WRITTEN_BY_ACTIONS = {
    "orders.OrderEvent",
    "orders.EventText",
    "orders.EventCursor",
    "orders.LedgerAnchor",
    "orders.OrderLine",
    "orders.Shipment",
    "orders.ShipmentLine",
    "orders.ShippedSerial",
    "parts.StockLevel",
    "parts.StockMovement",
    "parts.Reservation",
    "parts.StockCorrection",
    "parts.StockTransfer",
    "parts.PurchaseOrder",
    "parts.PurchaseOrderLine",
    "parts.Delivery",
    "parts.DeliveryLine",
    "backorders.BackOrder",
    "backorders.Peg",
    "backorders.Allocation",
    "backorders.AllocationDecision",
    "backorders.AllocationRun",
}


def test_what_actions_write_is_only_shown() -> None:
    assert {model._meta.label for model in SHOWN} >= WRITTEN_BY_ACTIONS


def test_not_even_who_is_above_all_rights_adds_changes_or_deletes_what_is_shown(world: World, above_all: User) -> None:
    world.many(1)
    client = desk_of(above_all)
    for model in SHOWN:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        assert row is not None, model
        assert client.post(reverse(f"{name}_add"), {}).status_code == 403, model
        assert client.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403, model
        assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403, model


def test_no_form_offers_a_status_a_version_or_a_hash(rf, above_all: User) -> None:
    request = rf.get("/")
    request.user = above_all
    kept = {"status", "version", "chain_hash", "reserved", "on_hand", "unfit", "rank", "progress", "revision"}
    for model, office in admin.site._registry.items():
        if model._meta.app_label not in ("parts", "orders", "backorders") or isinstance(office, Shown):
            continue
        fields = set(office.get_form(request, None, change=True).base_fields)
        assert fields & kept == set(), model


def test_who_may_only_look_cannot_bring_back_an_old_version(world: World, auditor: User, manager: User) -> None:
    part = world.part_in_stock()
    first = part.history.latest()
    Part.objects.filter(pk=part.pk).update(description="As it is now")
    address = reverse("admin:parts_part_simple_history", args=[part.pk, first.pk])
    data = {"number": part.number, "description": "As it was", "criticality": "A", "unit": part.unit_id}
    for person in (auditor, manager):
        assert desk_of(person).get(address).status_code == 200
        assert desk_of(person).post(address, data).status_code == 403
    assert Part.objects.get(pk=part.pk).description == "As it is now"


def test_every_page_that_people_edit_and_that_keeps_history_shows_it() -> None:
    with_history = {
        model
        for model in admin.site._registry
        if hasattr(model, "history") and not isinstance(admin.site._registry[model], Shown)
    }
    assert with_history
    assert {model for model in with_history if not isinstance(admin.site._registry[model], Edited)} == set()


def test_an_administrator_cannot_give_rights_to_themselves(administrator: User) -> None:
    client = desk_of(administrator)
    address = reverse("admin:auth_user_change", args=[administrator.pk])
    manager = Group.objects.get(name="Parts manager")
    client.post(address, {"username": "administrator", "groups": [manager.pk], "is_superuser": "on"})
    administrator.refresh_from_db()
    assert [group.name for group in administrator.groups.all()] == ["Administrator"]
    assert not administrator.is_superuser


def test_an_administrator_cannot_touch_who_is_above_all_rights(administrator: User, above_all: User) -> None:
    client = desk_of(administrator)
    assert client.post(reverse("admin:auth_user_change", args=[above_all.pk]), {}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[above_all.pk])
    assert client.post(password, {"password1": "x" * 20, "password2": "x" * 20}).status_code == 403


def test_an_administrator_gives_a_role_and_the_door_follows_from_it(administrator: User, nobody: User) -> None:
    client = desk_of(administrator)
    address = reverse("admin:auth_user_change", args=[nobody.pk])
    partner, dispatcher = (Group.objects.get(name=name) for name in ("Partner", "Dispatcher"))
    data = {"username": "nobody", "is_active": "on"}
    refused = client.post(address, data | {"groups": [partner.pk], "is_staff": "on"})
    assert "stays outside" in refused.content.decode()
    refused = client.post(address, data | {"groups": [partner.pk, dispatcher.pk], "is_staff": "on"})
    assert "not of the house" in refused.content.decode()
    assert client.post(address, data | {"groups": [dispatcher.pk], "is_staff": "on"}).status_code == 302
    nobody.refresh_from_db()
    assert nobody.is_staff
    assert [group.name for group in nobody.groups.all()] == ["Dispatcher"]


def test_the_start_page_shows_each_person_their_ways(client, manager: User, partner: User, nobody: User) -> None:
    assert "Sign in" in client.get("/").content.decode()
    assert "Ranking policy" in desk_of(manager).get("/").content.decode()
    assert "Your orders come through your system" in desk_of(partner).get("/").content.decode()
    assert "You have no role yet" in desk_of(nobody).get("/").content.decode()
    assert desk_of(partner).get("/admin/").status_code == 302
