"""The page of notification timeliness, and its tile among the figures."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notifications.models import Notice, Recipient
from tests.orders.desk import statements

pytestmark = pytest.mark.django_db
PAGE = "/figures/notification_timeliness/"


@pytest.fixture
def client(manager: User) -> Client:
    client = Client()
    client.force_login(manager)
    return client


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def notices(person: User, number: int, **fields: Any) -> None:
    """Write so many notices of an hour ago, each a minute later in its handing over than the one before."""
    reader, _ = Recipient.objects.get_or_create(user=person, name="Dora")
    caused = timezone.now() - timedelta(hours=1)
    for minutes in range(number):
        asked: dict[str, Any] = {
            "channel": "email",
            "state": "sent",
            "target_seconds": 90,
            "subject": f"News {minutes}",
        }
        asked |= {
            "handed_over_at": caused + timedelta(minutes=minutes, seconds=1),
            "caused_at": caused,
            "due_at": caused,
        }
        one = Notice.objects.create(
            recipient=reader, thread_id=reader.pk, thread_kind="x", **asked | {"subject": f"News {minutes}"} | fields
        )
        Notice.objects.filter(pk=one.pk).update(created_at=caused)


def test_it_says_its_value_definition_channels_and_rows(client: Client, dispatcher: User):
    notices(dispatcher, 4)
    notices(dispatcher, 1, channel="sms")
    answer = client.get(PAGE)
    said = text(answer)
    assert "60.0 %" in said
    assert "3 ÷ 5 = 60.0 %" in said
    assert "The clock runs from when the first event was recorded" in said
    assert re.search(r"Email 4 50.0 %", said)
    assert re.search(r"SMS 1 100.0 %", said)
    assert "1 min 30 s" not in said
    assert said.count("Not in time") >= 2


def test_it_is_narrowed_to_a_channel_and_to_what_was_late(client: Client, dispatcher: User):
    notices(dispatcher, 4)
    notices(dispatcher, 1, channel="sms", subject="By phone")
    said = text(client.get(f"{PAGE}?channel=sms"))
    assert "100.0 %" in said
    assert "News 0" not in said
    late = text(client.get(f"{PAGE}?met=no"))
    assert "News 3" in late
    assert "News 1 " not in late
    assert "By phone" not in late


@pytest.mark.parametrize("query", ["channel=pigeon", "met=maybe", "after=x", "after=2026_x", "since=x", "region=NO"])
def test_what_means_nothing_is_left_out(client: Client, dispatcher: User, query: str):
    notices(dispatcher, 2)
    assert client.get(f"{PAGE}?{query}").status_code == 200


def test_nothing_to_show_is_said(client: Client):
    assert "Nothing went out in these days" in text(client.get(PAGE))


def test_what_should_have_gone_is_said(client: Client, dispatcher: User):
    notices(dispatcher, 1, state="waiting", handed_over_at=None)
    assert "1 notice should have gone out by now and has not." in text(client.get(PAGE))


def test_it_is_a_tile_among_the_figures(client: Client, dispatcher: User):
    notices(dispatcher, 4)
    page = client.get("/figures/?period=30")
    assert f'href="{PAGE}?period=30"' in page.content.decode()
    assert re.search(r"Notification timeliness 50.0 %", text(page))
    assert "Notification timeliness" not in text(client.get("/figures/?criticality=A"))


def test_it_is_for_who_sees_figures_and_its_rows_for_who_sees_notices(technician: User, dispatcher: User):
    notices(dispatcher, 1)
    client = Client()
    assert client.get(PAGE).status_code == 302
    client.force_login(technician)
    assert client.get(PAGE).status_code == 403


def test_it_costs_the_same_with_any_number_of_notices(client: Client, dispatcher: User):
    def cost() -> int:
        client.get(PAGE)
        with statements() as queries:
            client.get(PAGE)
        return len(queries)

    notices(dispatcher, 2)
    few = cost()
    notices(dispatcher, 30)
    assert cost() == few
