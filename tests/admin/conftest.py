"""People at their desks."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.admin.world import World


@pytest.fixture
def world(db: None) -> World:
    """Two warehouses and a customer, and the means to bring more."""
    return World()


def desk_of(person: User) -> Client:
    """Return the browser of somebody who is signed in."""
    client = Client()
    client.force_login(person)
    return client
