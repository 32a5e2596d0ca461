"""A desk whose customer can be reached, and a mail server that says what a test tells it to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from orders.models import Customer
from tests.laws.checking import broken
from tests.notifications.post import Post
from tests.notifications.telling import OPENED
from tests.orders.desk import Desk


@pytest.fixture
def desk(db: None) -> Iterator[Desk]:
    """A desk whose customer has an email address and a mobile number. Afterwards, all laws of all floors hold."""
    desk = Desk()
    reached = {"email": "ada@customer.example", "phone": "+49 30 12345678", "language": "en"}
    Customer.objects.filter(pk=desk.customer.pk).update(**reached)
    yield desk
    assert broken() == {}


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    """A real mail server on loopback; messages leave the house for it."""
    with Post.listening() as server:
        settings.MESSAGES_LEAVE = True
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield server
        while OPENED:
            OPENED.pop().close()
