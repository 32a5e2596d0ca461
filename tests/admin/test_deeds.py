"""What people do in the back office goes through actions, and what is refused comes back in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from backorders.models import AllocationPolicy, BackOrder
from orders.actions import lines, service_orders
from orders.models import OrderEvent, OrderLine, PartsOrder, ServiceOrder, Shipment
from parts.models import Delivery, Part, PurchaseOrder, StockLevel
from tests.admin.conftest import desk_of
from tests.admin.world import World, cause

pytestmark = pytest.mark.django_db


def page(row: Any) -> str:
    """Return the address of an object's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def deed(row: Any, slug: str) -> str:
    """Return the address of a deed; of a list's deed for a model."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{slug}"
    return reverse(name, args=[] if isinstance(row, type) else [row.pk])


def said(answer: Any) -> str:
    """Return the messages that an answer carries."""
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def text(answer: Any) -> str:
    """Return a page."""
    return answer.content.decode()


# --- Service orders --------------------------------------------------------------------------------------------------


def test_the_page_offers_just_the_steps_that_are_allowed_now(world: World, dispatcher: User) -> None:
    answer = desk_of(dispatcher).get(page(world.job("in_progress")))
    assert [value for value, _ in answer.context["moves"]] == ["awaiting_parts", "new"]
    assert answer.context["cancels"]


def test_the_page_offers_no_deed_to_who_only_reads(world: World, auditor: User) -> None:
    answer = desk_of(auditor).get(page(world.job("in_progress")))
    assert answer.context["desk_deeds"] == []
    assert not answer.context["moves"]
    assert not answer.context["cancels"]


def test_a_step_with_a_note_is_one_event_by_the_person(world: World, dispatcher: User) -> None:
    job = world.job()
    answer = desk_of(dispatcher).post(
        deed(job, "move"), {"to": "in_progress", "note": "On site", "public": "1", "expected_version": job.version}
    )
    assert answer.status_code == 302
    event = OrderEvent.objects.get(subject_id=job.pk, to_status="in_progress")
    assert (event.actor, event.source, event.visibility, event.text.text) == (
        f"user:{dispatcher.pk}",
        "admin",
        "public",
        "On site",
    )
    assert "In Progress" in said(answer)


def test_a_jump_is_refused_naming_where_it_stands_and_where_it_may_go(world: World, dispatcher: User) -> None:
    job = world.job()
    answer = desk_of(dispatcher).post(deed(job, "move"), {"to": "completed"})
    assert said(answer) == f"Not possible: {job} is New. From there: In Progress, Scheduled, Cancelled."
    assert ServiceOrder.objects.get(pk=job.pk).version == job.version


def test_who_looked_at_an_old_page_is_told_that_somebody_was_quicker(world: World, dispatcher: User) -> None:
    job = world.job()
    service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    answer = desk_of(dispatcher).post(deed(job, "move"), {"to": "in_progress", "expected_version": job.version})
    assert "Somebody was quicker" in said(answer)
    assert "In Progress" in said(answer)


def test_cancelling_asks_for_the_reason(world: World, dispatcher: User) -> None:
    job = world.job()
    client = desk_of(dispatcher)
    assert "Say why" in said(client.post(deed(job, "move"), {"to": "cancelled", "note": " "}))
    assert ServiceOrder.objects.get(pk=job.pk).status == "new"
    client.post(deed(job, "move"), {"to": "cancelled", "note": "Customer withdrew"})
    assert ServiceOrder.objects.get(pk=job.pk).status == "cancelled"


def test_a_step_is_not_taken_by_get(world: World, dispatcher: User) -> None:
    job = world.job()
    assert desk_of(dispatcher).get(deed(job, "move"), {"to": "in_progress"}).status_code == 405


def test_a_step_needs_the_token_against_forgery(world: World, dispatcher: User) -> None:
    from django.test import Client

    job = world.job()
    client = Client(enforce_csrf_checks=True)
    client.force_login(dispatcher)
    assert client.post(deed(job, "move"), {"to": "in_progress"}).status_code == 403
    assert ServiceOrder.objects.get(pk=job.pk).status == "new"


def test_an_override_needs_reason_and_reference_and_is_marked_on_the_timeline(world: World, manager: User) -> None:
    job = world.job()
    client = desk_of(manager)
    assert client.post(deed(job, "override"), {"to": "completed", "reason": "", "reference": ""}).status_code == 400
    answer = client.post(deed(job, "override"), {"to": "completed", "reason": "Done by phone", "reference": "M-1"})
    assert answer.status_code == 302
    shown = text(client.get(page(job)))
    assert "Override, M-1" in shown
    assert "Done by phone" in shown


def test_an_override_is_not_for_the_dispatcher(world: World, dispatcher: User) -> None:
    job = world.job()
    client = desk_of(dispatcher)
    assert client.get(deed(job, "override")).status_code == 403
    data = {"to": "completed", "reason": "x", "reference": "y"}
    assert client.post(deed(job, "override"), data).status_code == 403
    assert ServiceOrder.objects.get(pk=job.pk).status == "new"


def test_a_fast_forward_shows_the_steps_it_passed_through(world: World, technician: User) -> None:
    job = world.job()
    client = desk_of(technician)
    assert client.post(deed(job, "fast-forward"), {"to": "ready_for_return"}).status_code == 302
    assert text(client.get(page(job))).count("Passed through") == 3


def test_the_other_deeds_of_a_job_reach_their_actions(world: World, dispatcher: User, technician: User) -> None:
    job = world.job("in_progress")
    tomorrow = timezone.now() + timedelta(days=1)
    by_dispatcher = {
        "assign": {"technician": technician.pk},
        "note": {"text": "Call first"},
        "reschedule": {"scheduled_for": tomorrow.date()},
        "estimate": {"estimated_completion_at": tomorrow.strftime("%Y-%m-%dT%H:%M")},
        "send": {"direction": "to_manufacturer", "carrier": "Parcel", "tracking_number": "T-1"},
    }
    by_technician = {
        "labour": {"started_at": (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"), "minutes": 30},
        "diagnosis": {"text": "Seal worn"},
    }
    for person, deeds in ((dispatcher, by_dispatcher), (technician, by_technician)):
        for slug, data in deeds.items():
            answer = desk_of(person).post(deed(job, slug), data)
            assert answer.status_code == 302, (slug, text(answer))
    job.refresh_from_db(fields=["technician", "scheduled_for"])
    assert job.technician == technician
    assert job.scheduled_for == tomorrow.date()
    shown = text(desk_of(dispatcher).get(page(job)))
    for word in ("Call first", "Seal worn", "Parcel T-1", "Technician assigned"):
        assert word in shown


def test_a_technician_claims_a_job_that_nobody_has(world: World, technician: User) -> None:
    job = world.job()
    desk_of(technician).post(deed(job, "claim"), {"expected_version": job.version})
    assert ServiceOrder.objects.get(pk=job.pk).technician == technician


def test_a_job_is_opened_by_its_deed(world: World, dispatcher: User) -> None:
    data = {"customer": world.customer.pk, "title": "Crane drifts", "status": "new"}
    answer = desk_of(dispatcher).post(deed(ServiceOrder, "open"), data)
    job = ServiceOrder.objects.get(title="Crane drifts")
    assert answer.headers["Location"] == page(job)


def _just_before_it_is_saved(monkeypatch: pytest.MonkeyPatch, happens: Callable[[ServiceOrder], object]) -> None:
    save = ServiceOrder.save

    def somebody_is_quicker(row: ServiceOrder, *args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(ServiceOrder, "save", save)
        happens(row)
        save(row, *args, **kwargs)

    monkeypatch.setattr(ServiceOrder, "save", somebody_is_quicker)


def test_editing_the_words_of_a_job_never_writes_back_a_version_that_has_moved_on(
    world: World, dispatcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.job()
    _just_before_it_is_saved(
        monkeypatch, lambda row: service_orders.add_note(service_order_id=row.pk, text="Meanwhile", **cause())
    )
    desk_of(dispatcher).post(page(job), {"title": "Press stands still", "change_reason": "Customer called"})
    now = ServiceOrder.objects.get(pk=job.pk)
    assert (now.title, now.version) == ("Press stands still", 2)
    assert bytes(now.chain_hash) == bytes(OrderEvent.objects.get(subject_id=job.pk, version=2).hash)
    kept = now.history.latest()
    assert (kept.history_user, kept.history_change_reason) == (dispatcher, "Customer called")


def test_who_edits_a_job_while_somebody_moves_it_is_told_and_nothing_is_lost(
    world: World, dispatcher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.job()
    _just_before_it_is_saved(
        monkeypatch, lambda row: service_orders.move(service_order_id=row.pk, to="in_progress", **cause())
    )
    answer = desk_of(dispatcher).post(page(job), {"title": "Press stands still"})
    assert "Somebody moved this job" in said(answer)
    assert ServiceOrder.objects.get(pk=job.pk).title == job.title


# --- Parts orders and lines ------------------------------------------------------------------------------------------


def test_an_order_placed_at_the_desk_says_what_is_back_ordered(world: World, dispatcher: User) -> None:
    part = world.part_in_stock()
    data = {
        "kind": "service",
        "customer": world.customer.pk,
        "requested_on": timezone.now().date(),
        "part_0": part.pk,
        "quantity_0": "12",
    }
    answer = desk_of(dispatcher).post(deed(PartsOrder, "place"), data)
    assert "1 line is back-ordered" in said(answer)
    assert PartsOrder.objects.get().customer == world.customer


def test_an_order_with_a_bad_quantity_comes_back_as_a_form_and_nothing_is_placed(
    world: World, dispatcher: User
) -> None:
    data = {
        "kind": "service",
        "customer": world.customer.pk,
        "requested_on": timezone.now().date(),
        "part_0": world.part_in_stock().pk,
        "quantity_0": "0.5",
    }
    answer = desk_of(dispatcher).post(deed(PartsOrder, "place"), data)
    assert answer.status_code == 400
    assert not PartsOrder.objects.exists()


def test_a_part_of_a_line_is_shipped_and_the_rest_stays_behind(world: World, dispatcher: User) -> None:
    order = world.placed(world.part_in_stock(), 5)
    line = order.lines.get()
    data = {line.pk.hex: "2", "walk": "1", "carrier": "Parcel", "tracking_number": "T-2"}
    answer = desk_of(dispatcher).post(deed(order, "ship"), data)
    assert answer.status_code == 302, text(answer)
    assert Shipment.objects.get(order=order).tracking_number == "T-2"
    left = OrderLine.objects.filter(order=order, is_split=False).order_by("quantity")
    assert [(row.status, row.quantity) for row in left] == [("shipped", Decimal(2)), ("reserved", Decimal(3))]


def test_what_is_not_packed_does_not_leave_unless_that_is_asked_for(world: World, dispatcher: User) -> None:
    order = world.placed(world.part_in_stock(), 5)
    answer = desk_of(dispatcher).post(deed(order, "ship"), {order.lines.get().pk.hex: "5"})
    assert answer.status_code == 409
    assert not Shipment.objects.exists()


def test_an_order_is_held_let_go_and_cancelled_with_reasons(world: World, dispatcher: User) -> None:
    order = world.placed(world.part_in_stock(), 5)
    client = desk_of(dispatcher)
    assert client.post(deed(order, "hold"), {"reason": ""}).status_code == 400
    client.post(deed(order, "hold"), {"reason": "Credit check"})
    assert "On hold: Credit check" in text(client.get(page(order)))
    client.post(deed(order, "let-go"))
    version = PartsOrder.objects.get(pk=order.pk).version
    stale = client.post(deed(order, "cancel"), {"reason": "Withdrawn", "expected_version": version - 1})
    assert stale.status_code == 412
    client.post(deed(order, "cancel"), {"reason": "Withdrawn", "expected_version": version})
    assert PartsOrder.objects.get(pk=order.pk).status == "cancelled"
    level = StockLevel.objects.get(part=order.lines.all()[0].part)
    assert level.reserved == 0


def test_a_line_is_moved_promised_and_cancelled_in_part(world: World, dispatcher: User) -> None:
    line = world.placed(world.part_in_stock(), 5).lines.get()
    client = desk_of(dispatcher)
    answer = client.get(page(line))
    assert [value for value, _ in answer.context["moves"]] == ["released"]
    client.post(deed(line, "move"), {"to": "released", "expected_version": line.version})
    day = timezone.now().date() + timedelta(days=3)
    client.post(deed(line, "promise"), {"promised_on": day})
    assert client.post(deed(line, "promise"), {"promised_on": day + timedelta(days=1)}).status_code == 400
    client.post(deed(line, "cancel"), {"quantity": "2", "reason": "Fewer needed"})
    leaves = OrderLine.objects.filter(order=line.order, is_split=False).order_by("quantity")
    assert [(row.status, row.quantity, row.promised_on) for row in leaves] == [
        ("cancelled", Decimal(2), day),
        ("released", Decimal(3), day),
    ]


def test_a_return_is_booked_from_the_page_of_the_line(world: World, dispatcher: User) -> None:
    line = world.shipped().lines.get()
    answer = desk_of(dispatcher).post(deed(line, "return"), {"quantity": "1", "unfit": "1"})
    assert answer.status_code == 302, text(answer)
    assert StockLevel.objects.get(part=line.part).unfit == 1


# --- Back orders -----------------------------------------------------------------------------------------------------


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
    assert client.post(deed(policy, "weights"), data | {"use": "1"}).status_code == 400
    answer = client.post(deed(policy, "weights"), data | {"use": "1", "reason": "Tiers were too flat"})
    assert "2 ranks changed" in said(answer)
    assert AllocationPolicy.objects.get().silver == 900


def test_weights_cannot_be_posted_to_the_form_of_the_policy(world: World, above_all: User) -> None:
    policy = AllocationPolicy.objects.get()
    assert desk_of(above_all).post(page(policy), {"silver": "900"}).status_code == 403
    assert AllocationPolicy.objects.get().silver == policy.silver


# --- Stock and supply ------------------------------------------------------------------------------------------------


def test_a_delivery_is_booked_with_what_is_open_filled_in_and_fills_the_queue(world: World, dispatcher: User) -> None:
    row = world.short()
    order = world.bought(row.part, 20)
    line = order.lines.get()
    client = desk_of(dispatcher)
    form = client.get(deed(order, "deliver")).context["form"]
    assert form[f"quantity_{line.pk.hex}"].value() == "20"
    data = {
        "note_number": "DN-1",
        "received_at": timezone.now().strftime("%Y-%m-%dT%H:%M"),
        f"quantity_{line.pk.hex}": "8",
        f"unfit_{line.pk.hex}": "1",
    }
    answer = client.post(deed(order, "deliver"), data)
    assert answer.headers["Location"] == page(Delivery.objects.get())
    assert BackOrder.objects.get(pk=row.pk).status == "allocated"
    again = client.post(deed(order, "deliver"), data)
    assert "was booked before" in said(again)
    assert client.post(deed(order, "deliver"), data | {f"quantity_{line.pk.hex}": "9"}).status_code == 409


def test_stock_is_corrected_and_transferred_from_the_page_of_a_level(world: World, manager: User) -> None:
    level = StockLevel.objects.get(part=world.part_in_stock())
    client = desk_of(manager)
    client.post(deed(level, "correct"), {"on_hand_change": "-2", "unfit_change": "0", "reason": "damage"})
    client.post(deed(level, "transfer"), {"to_warehouse": world.far.pk, "quantity": "3"})
    found = dict(StockLevel.objects.filter(part=level.part).values_list("warehouse__code", "on_hand"))
    assert found == {world.near.code: Decimal(5), world.far.code: Decimal(3)}
    answer = client.post(deed(level, "transfer"), {"to_warehouse": world.far.pk, "quantity": "30"})
    assert answer.status_code == 409


def test_stock_is_corrected_where_there_was_none(world: World, manager: User) -> None:
    data = {
        "part": world.part_in_stock().pk,
        "warehouse": world.far.pk,
        "condition": "new",
        "owner": "own",
        "on_hand_change": "4",
        "unfit_change": "0",
        "reason": "found",
    }
    assert desk_of(manager).post(deed(StockLevel, "correct-any"), data).status_code == 302
    assert StockLevel.objects.get(warehouse=world.far).on_hand == 4


def test_a_purchase_order_is_placed_confirmed_and_cancelled_by_deeds(world: World, manager: User) -> None:
    order = world.bought(world.part_in_stock())
    data = {
        "supplier": order.supplier_id,
        "warehouse": world.near.pk,
        "part_0": order.lines.get().part_id,
        "quantity_0": "7",
    }
    client = desk_of(manager)
    client.post(deed(PurchaseOrder, "place"), data)
    line = PurchaseOrder.objects.exclude(pk=order.pk).get().lines.get()
    day = timezone.now().date() + timedelta(days=30)
    client.post(deed(line, "confirm"), {"expected_on": day})
    line.refresh_from_db()
    assert line.expected_on == day
    client.post(deed(line, "cancel"), {"quantity": ""})
    line.refresh_from_db()
    assert line.cancelled == 7


def test_a_file_is_looked_at_first_and_then_imported(world: World, manager: User, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    part = world.part_in_stock()
    content = f"part_number,description\n{part.number},Another name\nNEW-1,A new part\n".encode()
    client = desk_of(manager)
    shown = client.post(deed(Part, "import"), {"file": SimpleUploadedFile("parts.csv", content)})
    assert shown.status_code == 200
    assert "Another name" in text(shown)
    assert not Part.objects.filter(number="NEW-1").exists()
    answer = client.post(deed(Part, "import"), {"ticket": shown.context["ticket"]})
    assert "1 new, 1 changed" in said(answer)
    assert Part.objects.filter(number="NEW-1").exists()
    assert client.post(deed(Part, "import"), {"ticket": shown.context["ticket"]}).status_code == 422


def test_a_file_with_a_bad_row_names_it_and_gives_no_ticket(
    world: World, manager: User, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    content = b"part_number,description,unit_cost\nNEW-1,A new part,cheap\n"
    shown = desk_of(manager).post(deed(Part, "import"), {"file": SimpleUploadedFile("parts.csv", content)})
    assert not shown.context["ticket"]
    assert "cheap" in text(shown)


def test_the_ticket_of_one_person_is_nothing_to_another(
    world: World, manager: User, above_all: User, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    content = b"part_number,description\nNEW-1,A new part\n"
    shown = desk_of(manager).post(deed(Part, "import"), {"file": SimpleUploadedFile("parts.csv", content)})
    answer = desk_of(above_all).post(deed(Part, "import"), {"ticket": shown.context["ticket"]})
    assert answer.status_code == 422
    assert not Part.objects.filter(number="NEW-1").exists()


def test_what_is_no_table_at_all_is_refused_in_words(world: World, manager: User, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    shown = desk_of(manager).post(deed(Part, "import"), {"file": SimpleUploadedFile("x.csv", b"\x00\x01\x02")})
    assert shown.status_code in (200, 422)
    assert shown.context["form"].non_field_errors()
