"""Two sweeps at once, and one that is stopped in the middle. The race has a twin without what prevents it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError

from notifications import sql
from notifications.actions import alerting
from notifications.models import Alert, EscalationLevel, Message, Rule
from notifications.statuses import Audience, Channel, Trigger
from tests.notifications.test_alerting import alert_rule, waiting
from tests.orders.desk import NOW, Desk
from tests.racing import Racer, race

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(Exception):
    """The worker was stopped."""


@pytest.fixture
def rule(desk: Desk) -> Rule:
    person = User.objects.create_user("somebody", is_staff=True)
    person.groups.add(Group.objects.get(name="Parts manager"))
    return alert_rule(Trigger.LINE_WAITS, 24)


def two_sweeps(hours: int = 24) -> tuple[Racer, Racer]:
    at = NOW + timedelta(hours=hours)
    return race(lambda: alerting.sweep(at=at), lambda: alerting.sweep(at=at))


def test_two_sweeps_at_once_raise_and_tell_once(desk: Desk, rule: Rule) -> None:
    waiting(desk)
    first, second = two_sweeps()
    assert (first.error, second.error) == (None, None)
    assert (Alert.objects.count(), Message.objects.count()) == (1, 1)


def test_without_its_way_out_the_second_sweep_would_raise_it_again(
    desk: Desk, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(desk)
    heedless = sql.RAISE.replace("ON CONFLICT (rule_id, subject_id, event_id, due_at) DO NOTHING", "")
    assert heedless != sql.RAISE
    monkeypatch.setattr(sql, "RAISE", heedless)
    first, second = two_sweeps()
    assert first.error is None
    assert isinstance(second.error, IntegrityError)


def test_two_sweeps_at_once_tell_a_level_once(desk: Desk, rule: Rule) -> None:
    asked: dict[str, Any] = {"audience": Audience.PARTS_MANAGERS, "channel": Channel.INBOX}
    EscalationLevel.objects.create(rule=rule, level=1, after_minutes=60, **asked)
    waiting(desk)
    alerting.sweep(at=NOW + timedelta(hours=24))
    first, second = two_sweeps(hours=26)
    assert (first.error, second.error) == (None, None)
    assert Alert.objects.get().level == 2
    assert sorted(Message.objects.values_list("alert_level", flat=True)) == [1, 2]


@pytest.mark.parametrize("level", [False, True])
def test_a_sweep_that_is_stopped_leaves_nothing_half_done(
    desk: Desk, rule: Rule, monkeypatch: pytest.MonkeyPatch, level: bool
) -> None:
    waiting(desk)
    hours = 24
    if level:
        asked: dict[str, Any] = {"audience": Audience.PARTS_MANAGERS, "channel": Channel.INBOX}
        EscalationLevel.objects.create(rule=rule, level=1, after_minutes=60, **asked)
        alerting.sweep(at=NOW + timedelta(hours=24))
        hours = 26

    def stop(*_args: object, **_named: object) -> int:
        raise Killed

    before = (Alert.objects.count(), Message.objects.count())
    with monkeypatch.context() as patched:
        patched.setattr(alerting, "write_new", stop)
        with pytest.raises(Killed):
            alerting.sweep(at=NOW + timedelta(hours=hours))
    assert (Alert.objects.count(), Message.objects.count()) == before
    alerting.sweep(at=NOW + timedelta(hours=hours))
    assert Message.objects.count() == before[1] + 1
    assert Alert.objects.get().level == (2 if level else 1)
