"""A rule of value is not met by changing the value."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from orders.actions import consents
from orders.models import ConsentRule, OrderLine
from parts.models import Part
from tests.orders.desk import Desk, d
from tests.orders.test_consents import by, dear, person, wish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def asks(db: None) -> User:
    return person("asks")


def costs(part: Part, *costs: int, days_ago: int = 0) -> None:
    """Give a part one cost after the other, as its page does it."""
    for cost in costs:
        part.unit_cost = d(cost)
        part.save()
        part.history.filter(history_date__gte=timezone.now() - timedelta(minutes=5)).update(
            history_date=timezone.now() - timedelta(days=days_ago)
        )


def short(desk: Desk) -> OrderLine:
    desk.place(3)
    return OrderLine.objects.get(part=desk.part, status="back_ordered", is_split=False)


def status(line: OrderLine, asks: User) -> str:
    return str(consents.ask(wish=wish(line), **by(asks)).status)


def test_a_part_that_costs_nothing_for_a_moment_is_as_dear_as_it_was(asks: User) -> None:
    dear()
    desk = Desk()
    costs(desk.part, 1000)
    line = short(desk)
    costs(desk.part, 0)
    assert status(line, asks) == "waiting"


def test_nor_does_a_cost_that_is_changed_before_it_is_ordered_help(asks: User) -> None:
    dear()
    desk = Desk()
    costs(desk.part, 1000, days_ago=10)
    costs(desk.part, 0)
    assert status(short(desk), asks) == "waiting"


def test_what_has_long_been_cheap_needs_no_consent(asks: User) -> None:
    dear()
    desk = Desk()
    costs(desk.part, 1000, days_ago=90)
    costs(desk.part, 10, days_ago=80)
    assert status(short(desk), asks) == "applied"


def test_the_cost_that_holds_without_a_history_counts(asks: User) -> None:
    dear()
    desk = Desk()
    Part.objects.filter(pk=desk.part.pk).update(unit_cost=1000)
    desk.part.history.all().delete()
    assert status(short(desk), asks) == "waiting"


def critical(part: Part, *criticalities: str, days_ago: int = 0) -> None:
    """Give a part one criticality after the other, as its page does it."""
    for criticality in criticalities:
        part.criticality = criticality
        part.save()
        part.history.filter(history_date__gte=timezone.now() - timedelta(minutes=5)).update(
            history_date=timezone.now() - timedelta(days=days_ago)
        )


def test_a_part_that_is_made_uncritical_for_a_moment_is_as_critical_as_it_was(asks: User) -> None:
    ConsentRule.objects.create(name="Critical parts", subject="line", criticality="A")
    desk = Desk()
    critical(desk.part, "A")
    line = short(desk)
    critical(desk.part, "C")
    assert status(line, asks) == "waiting"


def test_what_has_long_been_uncritical_needs_no_consent(asks: User) -> None:
    ConsentRule.objects.create(name="Critical parts", subject="line", criticality="A")
    desk = Desk()
    critical(desk.part, "A", days_ago=400)
    critical(desk.part, "C", days_ago=390)
    OrderLine.objects.filter(pk=short(desk).pk).update(created_at=timezone.now())
    assert status(OrderLine.objects.get(part=desk.part, status="back_ordered", is_split=False), asks) == "applied"
