"""The queue at the desk: why a back order stands where it stands, by age and question, and the weights."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from backorders.actions import moving, pegging
from backorders.actions import policy as weighing
from backorders.admin import effects
from backorders.models import AllocationPolicy, BackOrder
from backorders.whatif import effect
from orders.actions import lines
from orders.models import OrderLine
from parts.models import PurchaseOrderLine
from tests.admin.desk import deed, desk_of, page, said, text
from tests.admin.world import World, cause

pytestmark = pytest.mark.django_db


def test_the_page_of_a_back_order_says_why(world: World, manager: User) -> None:
    first = world.short()
    world.placed(first.part, 2)
    second = BackOrder.objects.filter(part=first.part).exclude(pk=first.pk).get()
    shown = text(desk_of(manager).get(page(second)))
    for word in ("Who is ahead", first.reference, "Customer&#x27;s tier", "Free now", "Waits for 2"):
        assert word in shown


def test_the_supply_of_a_back_order_is_noted_and_it_is_held_and_let_go(world: World, dispatcher: User) -> None:
    row = world.short()
    client = desk_of(dispatcher)
    client.post(deed(row, "move"), {"to": "sourcing", "note": "Asked two suppliers", "expected_version": row.version})
    assert BackOrder.objects.get(pk=row.pk).status == "sourcing"
    refused = client.post(deed(row, "move"), {"to": "allocated"})
    assert "Sourcing. From there: Open, Supply confirmed" in said(refused)
    client.post(deed(row, "hold"), {"reason": "Customer moves"})
    assert BackOrder.objects.get(pk=row.pk).on_hold
    client.post(deed(row, "let-go"))
    assert not BackOrder.objects.get(pk=row.pk).on_hold


def test_allocating_is_for_the_manager_and_gives_what_is_free(world: World, manager: User, dispatcher: User) -> None:
    row = world.short()
    assert desk_of(dispatcher).post(deed(row, "allocate")).status_code == 403
    assert "Nothing of this part is free" in said(desk_of(manager).post(deed(row, "allocate")))


def test_the_list_counts_by_age_and_by_question(world: World, manager: User) -> None:
    fresh, old = world.short(), world.short()
    BackOrder.objects.filter(pk=old.pk).update(opened_at=timezone.now() - timedelta(days=9))
    lines.promise(line_id=old.line_id, promised_on=timezone.now().date(), **cause())
    OrderLine.objects.filter(pk=old.line_id).update(promised_on=timezone.now().date() - timedelta(days=2))
    client = desk_of(manager)
    address = reverse("admin:backorders_backorder_changelist")
    counted = {str(word): count for word, count, _, _ in client.get(address).context["buckets"]}
    assert counted == {
        "Waiting": 2,
        "0-3 days": 1,
        "4-7 days": 0,
        "8-14 days": 1,
        "15-30 days": 0,
        ">30 days": 0,
        "Without supply": 2,
        "Promise overdue": 1,
        "On hold": 0,
    }
    for query, expected in (
        ({"age": "8-14"}, [old]),
        ({"age": "0-3"}, [fresh]),
        ({"view": "overdue"}, [old]),
        ({"view": "no-supply"}, [fresh, old]),
        ({"view": "held"}, []),
    ):
        found = client.get(address, query).context["cl"].result_list
        assert sorted(row.reference for row in found) == sorted(row.reference for row in expected), query


def test_the_list_stands_by_restock_where_that_is_asked_for(world: World, manager: User) -> None:
    rows = [world.short() for _ in range(3)]
    today = timezone.now().date()
    for row, days in zip(rows, (9, None, 2), strict=True):
        expected = today + timedelta(days=days) if days else None
        BackOrder.objects.filter(pk=row.pk).update(expected_on=expected)
    answer = desk_of(manager).get(reverse("admin:backorders_backorder_changelist"), {"view": "nearest"})
    assert [row.pk for row in answer.context["cl"].result_list] == [rows[2].pk, rows[0].pk, rows[1].pk]


def test_supply_whose_day_has_passed_is_called_overdue(world: World, manager: User) -> None:
    row = world.short()
    bought = world.bought(row.part)
    PurchaseOrderLine.objects.filter(purchase_order=bought).update(expected_on=timezone.now().date() - timedelta(1))
    pegging.repeg(part_ids=[row.part_id], today=timezone.now().date())
    client = desk_of(manager)
    assert "supply overdue" in text(client.get(reverse("admin:backorders_backorder_changelist")))
    assert "ordered, supply overdue" in text(client.get(page(row)))


def test_weights_are_previewed_first_and_used_only_with_a_reason(world: World, manager: User) -> None:
    first = world.short()
    world.placed(first.part, 2)
    policy = AllocationPolicy.objects.get()
    client = desk_of(manager)
    form = client.get(deed(policy, "weights")).context["form"]
    data = {field.name: field.value() for field in form if field.value() is not None} | {"silver": "900"}
    shown = client.post(deed(policy, "weights"), data)
    assert shown.status_code == 200
    assert "What would change" in text(shown)
    assert AllocationPolicy.objects.get().silver == policy.silver
    data["shown"] = shown.context["effect"].fingerprint
    assert client.post(deed(policy, "weights"), data | {"use": "1"}).status_code == 400
    answer = client.post(deed(policy, "weights"), data | {"use": "1", "reason": "Tiers were too flat"})
    assert "2 ranks changed" in said(answer)
    assert AllocationPolicy.objects.get().silver == 900


def test_weights_cannot_be_posted_to_the_form_of_the_policy(world: World, above_all: User) -> None:
    policy = AllocationPolicy.objects.get()
    assert desk_of(above_all).post(page(policy), {"silver": "900"}).status_code == 403
    assert AllocationPolicy.objects.get().silver == policy.silver


def test_a_pin_is_shown_first_and_done_only_as_shown(world: World, manager: User, dispatcher: User) -> None:
    first = world.short()
    world.placed(first.part, 2)
    second = BackOrder.objects.filter(part=first.part).exclude(pk=first.pk).get()
    assert desk_of(dispatcher).get(deed(second, "pin")).status_code == 403
    client = desk_of(manager)
    asked = client.get(deed(second, "pin"))
    assert "further back" in text(asked)
    assert first.reference in text(asked)
    data = {"reason": "Their line stands still", "shown": asked.context["effect"].fingerprint}

    moving.hold(back_order_id=first.pk, reason="Moves", **cause())
    refused = client.post(deed(second, "pin"), data)
    assert refused.status_code == 409
    assert "The queue has changed since this was shown" in text(refused)
    assert "Their line stands still" in text(refused)
    assert BackOrder.objects.get(pk=second.pk).pinned_at is None

    data["shown"] = refused.context["effect"].fingerprint
    client.post(deed(second, "pin"), data)
    assert BackOrder.objects.get(pk=second.pk).pinned_at is not None
    assert "Pinned to the top" in text(client.get(page(second)))


def test_weights_are_not_used_on_a_preview_that_holds_no_more(world: World, manager: User) -> None:
    first = world.short()
    world.placed(first.part, 2)
    policy = AllocationPolicy.objects.get()
    client = desk_of(manager)
    form = client.get(deed(policy, "weights")).context["form"]
    data = {field.name: field.value() for field in form if field.value() is not None} | {"silver": "900"}
    shown = client.post(deed(policy, "weights"), data).context["effect"].fingerprint
    weighing.change_weights(changes={"gold": Decimal(7)}, reason="Season", **cause())
    refused = client.post(deed(policy, "weights"), data | {"use": "1", "reason": "Flat", "shown": shown})
    assert refused.status_code == 409
    assert "The queue has changed since this was shown" in text(refused)
    assert AllocationPolicy.objects.get().silver == policy.silver


def test_a_long_preview_has_pages(world: World, manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = world.short()
    for _ in range(4):
        world.placed(row.part, 1)
    last = BackOrder.objects.filter(part=row.part).by_rank().last()
    found = effect(pin=[last.pk], today=timezone.now().date())
    monkeypatch.setattr(effects, "PAGE", 2)
    pages = [effects.effect_page(found, number) for number in ("1", "2", "3", "nonsense", "99")]
    assert [len(page["rows"]) for page in pages] == [2, 2, 1, 2, 1]
    assert len({told.shift.id for page in pages[:3] for told in page["rows"]}) == 5
