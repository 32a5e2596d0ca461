"""What waits for somebody's consent can be taken back by who asked for it, and the button stands for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from config import roles
from orders.actions import consents
from orders.models import ConsentRule, OrderLine, OverrideRequest
from parts.actions.changing import request_change
from parts.actors import Actor
from parts.models import PartChange
from tests.admin.desk import deed, desk_of, page, text
from tests.admin.world import World, cause
from tests.factories.parts import PartFactory

pytestmark = pytest.mark.django_db
BUTTON = "Take it back"


@pytest.fixture
def deputy(db: None) -> User:
    """Another one with the rights of a manager."""
    person = User.objects.create_user("deputy")
    roles.give_role(person, roles.MANAGER)
    return User.objects.get(pk=person.pk)


def asked_override(manager: User) -> OverrideRequest:
    world = World()
    order = world.placed(world.part_in_stock(), 1)
    ConsentRule.objects.create(name="Shipped by hand", to_status="shipped")
    line = OrderLine.objects.get(order=order, is_split=False)
    wish = consents.Wish("line", line.pk, "shipped", "The courier took it along", "T-77", None)
    return consents.ask(wish=wish, **cause() | {"by": Actor.user(manager)})


def asked_change(manager: User) -> PartChange:
    part = PartFactory.create(is_controlled=True, unit_cost=Decimal(5))
    told = cause() | {"by": Actor.user(manager)}
    request_change(part_id=part.pk, wanted={"unit_cost": "7"}, reason="New price list", **told)
    return PartChange.objects.get(part=part)


@pytest.mark.parametrize("asked", [asked_override, asked_change])
def test_only_who_asked_is_offered_to_take_it_back(asked: Callable[[User], Any], manager: User, deputy: User) -> None:
    row = asked(manager)
    theirs, own = desk_of(deputy), desk_of(manager)
    assert BUTTON not in text(theirs.get(page(row)))
    assert theirs.post(deed(row, "withdraw")).status_code in (302, 403)
    row.refresh_from_db()
    assert row.status == "waiting"  # the action asks as well
    assert BUTTON in text(own.get(page(row)))
    own.post(deed(row, "withdraw"))
    row.refresh_from_db()
    assert row.status == "withdrawn"
    assert BUTTON not in text(own.get(page(row)))
