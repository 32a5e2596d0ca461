"""Two who write digests at once, and one that is stopped in the middle. The race has a twin without its lock."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import QuerySet

from notifications.actions import digests
from notifications.actions.digests import Wanted
from notifications.models import DigestIssue, DigestSubscription, Notice
from parts.actors import Actor
from tests.notifications.test_digests import HOUR, MONDAY
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(Exception):
    """The worker was stopped."""


@pytest.fixture
def due(dispatcher: User) -> datetime:
    """A digest that is due at a moment."""
    wanted = Wanted("Mine", hour=10, says_nothing=True, channel="inbox")
    digests.make(wanted=wanted, by=Actor.user(dispatcher), at=MONDAY)
    return MONDAY + HOUR


def told() -> tuple[int, int]:
    return DigestIssue.objects.count(), Notice.objects.count()


def test_two_who_write_at_once_write_it_once(due: datetime) -> None:
    first, second = race(lambda: digests.fire_due(at=due).told, lambda: digests.fire_due(at=due).told)
    assert (first.error, second.error) == (None, None)
    assert (first.result, second.result) == (1, 0)
    assert told() == (1, 1)


def test_without_the_lock_the_database_takes_the_day_once(due: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_facts: self)
    first, second = race(lambda: digests.fire_due(at=due).told, lambda: digests.fire_due(at=due).told)
    assert first.error is None
    assert isinstance(second.error, IntegrityError)
    assert told() == (1, 1)


@pytest.mark.parametrize("place", ["_write_notices", "_write_issues"])
def test_one_that_is_stopped_leaves_nothing_half_done(
    due: datetime, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def stop(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(digests, place, stop)
        with pytest.raises(Killed):
            digests.fire_due(at=due)
    assert told() == (0, 0)
    assert DigestSubscription.objects.get().next_at == due
    assert digests.fire_due(at=due + timedelta(minutes=1)).told == 1
