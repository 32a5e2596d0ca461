"""How interfaces stand: heard in time, silent for too long, and what of their news waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations import registry
from integrations.models import ExternalSystem, InboundMessage, Interface
from integrations.statuses import Freshness
from tests.integrations.sending import connect, said, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def interface() -> Interface:
    system: ExternalSystem = connect()
    return Interface.objects.select_related("system").get(system=system)


def standing(interface: Interface, **after: float) -> registry.Standing:
    return registry.standings([interface], timezone.now() + timedelta(**after))[interface.pk]


def test_one_that_was_heard_in_time_is_fresh_and_then_silent(interface: Interface) -> None:
    interface.fresh_for = timedelta(hours=4)
    assert standing(interface).freshness == Freshness.NEVER
    send(said("P-999999/1"))
    assert standing(interface).freshness == Freshness.FRESH
    assert standing(interface, hours=5).freshness == Freshness.SILENT


def test_a_repeat_is_heard_too(interface: Interface) -> None:
    interface.fresh_for = timedelta(hours=4)
    letter = said("P-999999/1")
    send(letter)
    InboundMessage.objects.update(received_at=timezone.now() - timedelta(hours=5))
    assert standing(interface).freshness == Freshness.SILENT
    send(letter)
    assert standing(interface).freshness == Freshness.FRESH


def test_one_that_comes_with_news_or_is_switched_off_is_never_silent(interface: Interface) -> None:
    send(said("P-999999/1"))
    assert standing(interface, days=400).freshness == Freshness.ON_NEWS
    interface.fresh_for = timedelta(hours=4)
    interface.is_active = False
    assert standing(interface, days=400).freshness == Freshness.NOT_EXPECTED


def test_its_messages_of_a_day_are_counted_by_what_became_of_them(interface: Interface) -> None:
    send(said("P-999999/1"), said("P-999999/2"), {"id": "x"}, {"id": "y"})
    send(said("P-999999/3"), at_once=False)
    found = standing(interface)
    assert dict(found.counts) == {"parked": 2, "rejected": 2, "received": 1}
    assert (found.total, found.needing) == (5, 4)
    assert found.oldest_unworked is not None
    assert standing(interface, days=2).total == 0


def test_many_interfaces_cost_one_statement(interface: Interface) -> None:
    for number in range(20):
        connect(f"wms-{number}")
    rows = list(Interface.objects.select_related("system"))
    with CaptureQueriesContext(connection) as seen:
        assert len(registry.standings(rows, timezone.now())) == 21
    assert len(seen) == 1


def test_the_list_names_who_is_silent_and_whom_to_call(interface: Interface, client: Client, administrator) -> None:
    Interface.objects.update(fresh_for=timedelta(hours=1), contacts="Duty desk 4711", when_down="By hand.")
    send(said("P-999999/1"))
    InboundMessage.objects.update(received_at=timezone.now() - timedelta(hours=5))
    client.force_login(administrator)
    page = client.get(reverse("admin:integrations_interface_changelist")).content.decode()
    assert "Silent for too long" in page
    assert "Duty desk 4711" in page
    one = client.get(reverse("admin:integrations_interface_change", args=[interface.pk])).content.decode()
    assert "By hand." in one
