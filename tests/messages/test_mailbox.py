"""The mailbox: what would have left the house, as its readers would get it; there only while nothing leaves."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from notifications.models import Notice
from notifications.statuses import Channel
from orders.actions import service_orders
from tests.messages.told import deliver, told
from tests.notifications.telling import only_rule
from tests.orders.desk import TOLD, Desk

pytestmark = pytest.mark.django_db
MAILBOX = "/messages/mailbox/"


def page(client: Client, address: str = MAILBOX, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def reading(dispatcher: User) -> Client:
    """A dispatcher who is signed in."""
    client = Client()
    client.force_login(dispatcher)
    return client


def mail(desk: Desk, **rule: object) -> Notice:
    """Write to the customer of a new job; return what went out."""
    only_rule(**rule)
    desk.job("new")
    deliver(str(rule.get("channel", Channel.EMAIL)))
    return Notice.objects.latest("id")


def test_an_email_is_shown_with_its_headers_as_html_and_as_text(desk: Desk, reading: Client):
    notice = mail(desk)
    assert notice.subject in page(reading)
    said = page(reading, reverse("messages:letter", args=[notice.pk]))
    assert "ada@customer.example" in said
    assert "backline@localhost" in said
    assert re.search(r'<a href="http://[^"]+/track/[^"]+"', notice.html)  # a link, not the letters of one
    assert "&lt;a" not in notice.html


def test_the_customers_link_in_it_opens_the_order(desk: Desk, reading: Client):
    said = page(reading, reverse("messages:letter", args=[mail(desk).pk]))
    link = re.search(r'<a href="http://[^/]+(/track/[^/]+/)"', said)
    assert link
    assert "Pump leaks" in page(Client(), link[1])


def test_its_html_runs_no_script_and_stays_in_its_frame(desk: Desk, reading: Client):
    only_rule(kinds=["note.added"])
    job = desk.job("new")
    service_orders.add_note(service_order_id=job.pk, text='"><script>alert(1)</script>', public=True, **TOLD)
    deliver(Channel.EMAIL)
    notice = Notice.objects.latest("id")
    assert "&lt;script&gt;" in notice.html
    said = page(reading, reverse("messages:letter", args=[notice.pk]))
    frame = re.search(r"<iframe[^>]*>", said)
    assert frame
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame[0]
    assert "<script>alert" not in said


def test_an_sms_is_shown_with_how_many_it_takes(desk: Desk, reading: Client):
    notice = mail(desk, channel=Channel.SMS)
    said = page(reading, reverse("messages:letter", args=[notice.pk]))
    assert "mailbox-bubble" in said
    assert re.search(r"\d SMS · \d+ characters", said)


def test_it_is_filtered_by_channel_reader_and_order(desk: Desk, reading: Client):
    notice = mail(desk)
    for query in ({"channel": "email"}, {"reader": "ada@"}, {"order": notice.reference.lower()}):
        assert notice.subject in page(reading, **query)
    for query in ({"channel": "sms"}, {"reader": "bob@"}, {"order": "SO-999999"}):
        assert "Nothing like that went out" in page(reading, **query)
    assert reading.get(MAILBOX, {"channel": "pigeon"}).status_code == 200


def test_a_page_costs_the_same_however_much_stands_on_it(desk: Desk, dispatcher: User, reading: Client):
    costs = []
    for times in (2, 18):
        told(desk, dispatcher, times=times)
        with CaptureQueriesContext(connection) as asked:
            page(reading)
        costs.append(len(asked))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("setting", ["MESSAGES_LEAVE", "PRODUCTION"])
def test_where_messages_leave_and_in_production_there_is_no_mailbox(
    desk: Desk, reading: Client, settings: Settings, setting: str
):
    notice = mail(desk)
    setattr(settings, setting, True)
    assert reading.get(MAILBOX).status_code == 404
    assert reading.get(reverse("messages:letter", args=[notice.pk])).status_code == 404
    assert MAILBOX not in page(reading, "/messages/")
    assert MAILBOX not in page(reading, "/")


def test_it_is_for_whoever_may_read_all_notices(technician: User, partner: User):
    for person in (technician, partner):
        client = Client()
        client.force_login(person)
        assert client.get(MAILBOX).status_code == 403
