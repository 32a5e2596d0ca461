"""Each law of what we tell others catches its breach, made in SQL that goes round all code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from config.integrity import LAWS as ALL_LAWS
from integrations.outbound.deliverer import Deliverer, Shares
from integrations.outbound.laws import LAWS
from tests.integrations.listening import listen, publish
from tests.laws.checking import broken_laws
from tests.notifications.receiver import Receiver
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db

BREACHES = {
    "delivery_is_of_its_event": (
        "UPDATE integrations_outbounddelivery SET kind = 'line.split'",
        "UPDATE integrations_outbounddelivery SET version = version + 1",
        "UPDATE integrations_outbounddelivery SET subject_id = NULL",
        "UPDATE integrations_outbounddelivery SET reference = 'X'",
    ),
    "what_was_taken_was_told": (
        "DELETE FROM integrations_deliveryattempt",
        "UPDATE integrations_deliveryattempt SET status = 500",
        "UPDATE integrations_outbounddelivery SET body = NULL",
        "UPDATE integrations_outbounddelivery SET attempts = 0",
    ),
    "who_is_told_by_webhook_has_a_secret": (
        "DELETE FROM integrations_signingsecret",
        "UPDATE integrations_signingsecret SET ends_at = now()",
    ),
}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver.listening() as receiver:
        yield receiver


def test_every_law_has_a_breach_to_catch_and_is_asked_by_the_command() -> None:
    assert set(BREACHES) == {law.name for law in LAWS}
    assert {law.name for law in LAWS} <= {law.name for law in ALL_LAWS}


@pytest.mark.parametrize(("name", "breach"), [(name, one) for name, breaches in BREACHES.items() for one in breaches])
def test_a_law_catches_its_breach(name: str, breach: str, receiver: Receiver, settings: Settings) -> None:
    settings.WEBHOOKS_TO_PRIVATE_HOSTS = True
    listen(address=f"http://127.0.0.1:{receiver.port}/")
    Desk().job("new")
    publish()
    assert Deliverer(False, Shares(1), clock=lambda: timezone.now() + timedelta(seconds=1)).step()[0]
    assert broken_laws() == {}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(breach)
        assert cursor.rowcount > 0
    found = broken_laws(tuple(LAWS))
    assert set(found) == {name}
    assert all(row.subject and row.what_is and row.what_should_be for row in found[name])
