"""Each law of messages catches its breach, made in SQL that goes round all code."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection

from config.integrity import LAWS as ALL_LAWS
from notifications.actions import digests
from notifications.actions.digests import Wanted
from notifications.integrity import LAWS
from orders.actions import service_orders
from parts.actors import Actor
from tests.laws.checking import broken
from tests.notifications.telling import only_rule, sender, tell
from tests.orders.desk import NOW, TOLD, Desk

pytestmark = pytest.mark.django_db

BREACHES = {
    "notice_counts_its_messages": "UPDATE notifications_notice SET messages_count = messages_count + 1",
    "message_goes_where_its_notice_goes": "UPDATE notifications_message SET channel = 'sms'",
    "notice_tells_a_customer_of_their_orders": (
        "UPDATE notifications_notice SET thread_kind = 'parts_order' WHERE state = 'delivered'"
    ),
    "digest_is_said_to_its_reader": (
        "UPDATE notifications_digestissue SET notice_id = (SELECT id FROM notifications_notice"
        " WHERE thread_kind <> 'stuck' LIMIT 1)"
    ),
    "notice_was_tried_as_often_as_it_says": "DELETE FROM notifications_attempt",
    "dead_letter_holds_what_nobody_was_told": """
        INSERT INTO notifications_deadletter (
            id, recipient_id, channel, thread_kind, thread_id, reference, event_id, cause, error, news_count, since,
            found_at, machine_down, tier, hourly_cost, open_since, rank, state, settled_by, why, told_whom
        )
        SELECT gen_random_uuid(), recipient_id, 'email', thread_kind, thread_id, reference,
            (SELECT id FROM orders_orderevent LIMIT 1), 'provider', '', 1, now(), now(), false, '', 0, now(), '',
            'open', '', '', ''
        FROM notifications_notice LIMIT 1
    """,
}


def test_every_law_has_a_breach_to_catch_and_is_asked_by_the_command():
    assert set(BREACHES) == {law.name for law in LAWS}
    assert {law.name for law in LAWS} <= {law.name for law in ALL_LAWS}


@pytest.mark.parametrize("name", BREACHES)
def test_a_law_catches_its_breach(name: str, dispatcher: User):
    desk = Desk()
    type(desk.customer).objects.filter(pk=desk.customer.pk).update(email="ada@customer.example")
    only_rule()
    job = desk.job("new")
    tell()
    sender().step()
    service_orders.move(service_order_id=job.pk, to="in_progress", **TOLD)
    tell()
    one = digests.make(wanted=Wanted("Mine", says_nothing=True), by=Actor.user(dispatcher), at=NOW)
    assert one.next_at is not None
    digests.fire_due(at=one.next_at)
    assert broken() == {}
    with connection.cursor() as cursor:
        cursor.execute(BREACHES[name])
    found = broken()
    assert set(found) == {name}
    assert all(breach.subject and breach.what_is and breach.what_should_be for breach in found[name])
