"""Each law of messages catches its breach, made in SQL that goes round all code."""

from __future__ import annotations

import pytest
from django.db import connection

from config.integrity import LAWS as ALL_LAWS
from notifications.integrity import LAWS
from orders.actions import service_orders
from tests.laws.checking import broken
from tests.notifications.telling import only_rule, sender, tell
from tests.orders.desk import TOLD, Desk

pytestmark = pytest.mark.django_db

BREACHES = {
    "notice_counts_its_messages": "UPDATE notifications_notice SET messages_count = messages_count + 1",
    "message_goes_where_its_notice_goes": "UPDATE notifications_message SET channel = 'sms'",
    "notice_tells_a_customer_of_their_orders": (
        "UPDATE notifications_notice SET thread_kind = 'parts_order' WHERE state = 'delivered'"
    ),
    "notice_was_tried_as_often_as_it_says": "DELETE FROM notifications_attempt",
}


def test_every_law_has_a_breach_to_catch_and_is_asked_by_the_command():
    assert set(BREACHES) == {law.name for law in LAWS}
    assert {law.name for law in LAWS} <= {law.name for law in ALL_LAWS}


@pytest.mark.parametrize("name", BREACHES)
def test_a_law_catches_its_breach(name: str):
    desk = Desk()
    type(desk.customer).objects.filter(pk=desk.customer.pk).update(email="ada@customer.example")
    only_rule()
    job = desk.job("new")
    tell()
    sender().step()
    service_orders.move(service_order_id=job.pk, to="in_progress", **TOLD)
    tell()
    assert broken() == {}
    with connection.cursor() as cursor:
        cursor.execute(BREACHES[name])
    found = broken()
    assert set(found) == {name}
    assert all(breach.subject and breach.what_is and breach.what_should_be for breach in found[name])
