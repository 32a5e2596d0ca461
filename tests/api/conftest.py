"""Who calls the API in the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User

from config.api.authentication import known_tokens
from config.api.throttling import buckets
from tests.api.world import Caller, World, token_for


@pytest.fixture(autouse=True)
def _nobody_is_known_yet() -> Iterator[None]:
    """What a process remembers of callers must not outlive the rows of a test."""
    known_tokens.forget_all()
    buckets.empty_all()
    yield
    known_tokens.forget_all()
    buckets.empty_all()


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def erp(manager: User) -> Caller:
    """A machine of the house: every scope, the rights of a parts manager, sees all customers, and may be told."""
    manager.user_permissions.add(Permission.objects.get(codename="own_subscriber"))
    return Caller(token_for(manager))


@pytest.fixture
def dealer(partner: User, world: World) -> Caller:
    """A partner's machine: every scope, the rights of a partner, sees the customer `ours` only."""
    world.give_access(partner)
    return Caller(token_for(partner))


@pytest.fixture
def trusted(dealer: Caller, partner: User) -> Caller:
    """The same machine with every right there is: what is not theirs they still do not see."""
    partner.user_permissions.set(Permission.objects.all())
    return Caller(token_for(partner))
