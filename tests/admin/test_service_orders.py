"""Service orders at the desk: every step goes through its action, and what is refused comes back in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from orders.actions import jobs, service_orders
from orders.models import OrderEvent, ServiceOrder
from tests.admin.desk import deed, desk_of, page, said, text
from tests.admin.world import World, cause

pytestmark = pytest.mark.django_db


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


def test_what_is_refused_is_said_in_the_readers_language(world: World, dispatcher: User) -> None:
    job = world.job()
    client = desk_of(dispatcher)
    client.cookies["django_language"] = "de"
    says = said(client.post(deed(job, "move"), {"to": "cancelled", "note": " "}))
    assert f"Sagen Sie, warum {job} storniert wird." in says
    assert "Ein Grund ist erforderlich." in says


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


def test_a_dispatcher_chooses_a_technician_from_those_there_are(
    world: World, dispatcher: User, technician: User, manager: User, partner: User
) -> None:
    job, client = world.job("in_progress"), desk_of(dispatcher)
    form = client.get(deed(job, "assign")).context["form"]
    assert set(form.fields["technician"].queryset) == {technician, world.person}
    for person in (manager, partner):
        assert client.post(deed(job, "assign"), {"technician": person.pk}).status_code == 400
    assert client.post(deed(job, "assign"), {"technician": technician.pk}).status_code == 302
    technician.groups.clear()  # works at something else now, and still has the job
    assert client.post(deed(job, "assign"), {"technician": technician.pk}).status_code == 302
    assert client.post(deed(job, "assign"), {"technician": ""}).status_code == 302
    assert ServiceOrder.objects.get(pk=job.pk).technician is None


def test_a_dispatcher_narrows_the_list_of_jobs_to_a_technician(
    world: World, dispatcher: User, technician: User, manager: User
) -> None:
    theirs, others = world.job("in_progress"), world.job("in_progress")
    service_orders.assign(service_order_id=theirs.pk, technician_id=technician.pk, **cause())
    address = reverse("admin:orders_serviceorder_changelist")
    shown = text(desk_of(dispatcher).get(address, {"technician": technician.pk}))
    assert theirs.reference in shown
    assert others.reference not in shown
    assert technician.first_name in shown
    assert f'value="{manager.pk}"' not in shown
    assert desk_of(dispatcher).get(address, {"technician": "x"}).status_code == 200


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


def test_the_timeline_says_in_words_who_had_the_job_and_which_days_changed(
    world: World, dispatcher: User, technician: User
) -> None:
    job = world.job("in_progress")
    service_orders.assign(service_order_id=job.pk, technician_id=technician.pk, **cause())
    day = timezone.now().date() + timedelta(days=1)
    jobs.reschedule(service_order_id=job.pk, scheduled_for=day, **cause())
    shown = text(desk_of(dispatcher).get(page(job)))
    assert "– → Technician" in shown
    assert f"scheduled for: – → {day:%-d %b %Y}" in shown
