"""Watching an order, or all of its customer's: each for oneself, and the news come to the inbox."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications import watches
from notifications.actions import watching
from notifications.models import Notice, Rule, Watch
from orders.models import ServiceOrder
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from tests.messages.told import deliver, step
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(desk: Desk) -> ServiceOrder:
    """A job that is told only to who watches it."""
    job = desk.job("new")
    deliver()
    Rule.objects.exclude(code="watchers-news").update(is_active=False)
    return job


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def send(client: Client, job: ServiceOrder, do: str, **extra: str) -> str:
    response = client.post(reverse("messages:watch-service-order", args=[job.pk]), {"do": do}, headers=extra or None)
    assert response.status_code in (200, 302)
    return response.content.decode() if response.status_code == 200 else response["Location"]


def test_who_watches_an_order_stands_on_its_page_and_hears_of_it(job: ServiceOrder, dispatcher: User):
    client, page = signed_in(dispatcher), reverse("desk:service-order", args=[job.reference])
    assert "Nobody. Who watches" in client.get(page).content.decode()
    assert send(client, job, "watch") == f"{page}#watch"
    said = client.get(page).content.decode()
    assert "Watch no longer" in said
    step(job, "in_progress")
    assert Notice.objects.get(recipient__user=dispatcher).channel == "inbox"
    send(client, job, "unwatch")
    step(job, "awaiting_parts")
    assert Notice.objects.filter(recipient__user=dispatcher).count() == 1


def test_who_watches_a_customer_hears_of_all_of_theirs(desk: Desk, job: ServiceOrder, technician: User):
    client = signed_in(technician)
    said = send(client, job, "watch-customer", HX_Request="true")
    assert "This customer no longer" in said
    assert "<html" not in said
    step(desk.job("new"), "in_progress")
    assert Notice.objects.filter(recipient__user=technician).exists()
    send(client, job, "unwatch-customer")
    assert not Watch.objects.exists()


def test_watching_twice_is_watching_once(job: ServiceOrder, dispatcher: User):
    told: dict[str, Any] = {"by": Actor.user(dispatcher), "at": timezone.now()}
    assert [watching.watch(kind="service_order", key=job.pk, **told) for _ in range(2)] == [True, False]
    assert [watching.unwatch(kind="service_order", key=job.pk, **told) for _ in range(2)] == [True, False]


def test_nobody_stops_anothers_watching(job: ServiceOrder, dispatcher: User, technician: User):
    send(signed_in(dispatcher), job, "watch")
    send(signed_in(technician), job, "unwatch")
    found = watches.of_order(kind="service_order", order_id=job.pk, customer_id=job.customer_id, user_id=technician.pk)
    assert (list(found.names), found.by_me) == ([dispatcher.get_full_name()], False)


def test_who_may_not_is_refused(job: ServiceOrder, auditor: User, partner: User, dispatcher: User):
    for person in (auditor, partner):
        response = signed_in(person).post(reverse("messages:watch-service-order", args=[job.pk]), {"do": "watch"})
        assert response.status_code == 403
        with pytest.raises(Forbidden):
            watching.watch(kind="service_order", key=job.pk, by=Actor.user(person), at=timezone.now())
    with pytest.raises(NotFound):
        watching.watch(kind="parts_order", key=job.pk, by=Actor.user(dispatcher), at=timezone.now())
    with pytest.raises(Invalid):
        watching.watch(kind="user", key=job.pk, by=Actor.user(dispatcher), at=timezone.now())
    assert not Watch.objects.exists()


def test_a_form_from_elsewhere_watches_nothing(job: ServiceOrder, dispatcher: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(dispatcher)
    assert client.post(reverse("messages:watch-service-order", args=[job.pk]), {"do": "watch"}).status_code == 403
    assert not Watch.objects.exists()
