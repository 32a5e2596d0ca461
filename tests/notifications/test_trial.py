"""A trial says what a rule would have done: just what it did while it was on, and nothing is written by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from notifications import trial
from notifications.actions import alerting
from notifications.models import Alert, Message, Notice, Recipient, Rule
from notifications.statuses import Audience, Channel, Trigger
from orders.actions import service_orders
from orders.models import Customer
from tests.notifications.telling import only_rule, tell
from tests.notifications.test_alerting import alert_rule, waiting
from tests.orders.desk import NOW, TOLD, Desk

pytestmark = pytest.mark.django_db


def tried(rule: Rule, **asked: Any) -> trial.Trial:
    return trial.tried(rule, at=timezone.now() + timedelta(seconds=1), **asked)


def life(desk: Desk) -> None:
    """Let some jobs live."""
    for _ in range(3):
        job = desk.job("new")
        for to in ("in_progress", "awaiting_parts"):
            service_orders.move(service_order_id=job.pk, to=to, **TOLD)
            tell()
    service_orders.fast_forward(service_order_id=desk.job("new", begins="new").pk, to="ready_for_return", **TOLD)
    tell()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"to_statuses": ["awaiting_parts"]},
        {"channel": "sms", "fallbacks": ["email"]},
        {"tiers": ["platinum"]},
        {"kinds": ["service_order.created", "service_order.status_changed"]},
        {"channel": "push"},
    ],
)
def test_a_trial_says_what_was_written_while_the_rule_was_on(desk: Desk, fields: dict[str, Any]) -> None:
    rule = only_rule(**fields)
    life(desk)
    written = set(Message.objects.values_list("event_id", "recipient_id", "channel", "unheard"))
    found = tried(rule)
    assert {(one.event.pk, one.reader.id, one.channel, one.unheard) for one in found.said} == written
    assert found.messages == Message.objects.filter(notice__isnull=False).count()
    assert sum(count for _day, count in found.days) == found.messages


def test_a_trial_merges_what_the_writer_merges(desk: Desk) -> None:
    rule = only_rule(timing="delayed", delay_minutes=60)
    life(desk)
    found = tried(rule)
    assert found.notices == Notice.objects.count() < found.messages


def test_a_trial_writes_nothing_and_works_for_a_rule_that_is_off(desk: Desk) -> None:
    rule = only_rule()
    desk.job("in_progress")
    Rule.objects.update(is_active=False)
    found = tried(rule)
    assert found.messages
    assert (Message.objects.count(), Notice.objects.count(), Recipient.objects.count()) == (0, 0, 0)


def test_a_trial_shows_how_it_would_read_and_to_whom(desk: Desk) -> None:
    rule = only_rule()
    job = desk.job("in_progress")
    sample = tried(rule).samples[-1]
    assert (sample.reference, sample.channel) == (job.reference, "Email")
    assert job.reference in sample.subject
    assert sample.text


def test_a_trial_says_who_is_not_reached_and_why(desk: Desk) -> None:
    Customer.objects.filter(pk=desk.customer.pk).update(email="", phone="")
    desk.job("in_progress")
    ((why, count, names),) = tried(only_rule()).unreached
    assert (why, names) == ("No address", [desk.customer.name])
    assert count > 0


def test_a_trial_stops_where_it_is_told_to_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "BATCH", 2)
    for _ in range(3):
        desk.job("in_progress")
    found = tried(only_rule(), most=2)
    assert found.is_cut
    assert found.events == 2


def test_a_trial_looks_at_the_latest_of_too_many_and_says_from_when_on(desk: Desk) -> None:
    jobs = [desk.job("new") for _ in range(4)]
    rule = only_rule()
    whole = tried(rule)
    assert not whole.is_cut
    found = tried(rule, most=2)
    assert [one.event.subject_id for one in found.said] == [one.event.subject_id for one in whole.said[-2:]]
    assert found.said[-1].event.subject_id == jobs[-1].pk
    assert (found.is_cut, found.events, found.until) == (True, 2, found.until)
    assert whole.since < found.since <= found.said[0].event.recorded_at
    assert not tried(rule, most=whole.events).is_cut


def test_a_trial_that_takes_too_long_says_so_and_leaves_the_connection_as_it_was(
    client: Client, desk: Desk, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = only_rule()
    desk.job("in_progress")
    monkeypatch.setattr(trial, "LONGEST_STATEMENT", 50)
    client.force_login(manager)

    def slow(*_args: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    with monkeypatch.context() as patched:
        patched.setattr(trial, "_look", slow)
        shown = client.post(f"/admin/notifications/rule/{rule.pk}/try/", {"days": "30"}).content.decode()
    assert "It took too long to find out." in shown
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
    assert tried(rule).messages


def test_what_is_older_than_the_days_asked_for_is_left_out(desk: Desk) -> None:
    rule = only_rule()
    desk.job("in_progress")
    assert trial.tried(rule, at=timezone.now() + timedelta(days=40)).messages == 0


def test_a_trial_of_a_time_says_what_the_sweep_raised(desk: Desk, manager: User) -> None:
    rule = alert_rule(Trigger.LINE_WAITS, 24)
    for _ in range(3):
        waiting(desk)
    alerting.sweep(at=NOW + timedelta(hours=30))
    assert Alert.objects.count() == 3
    found = trial.tried(rule, at=NOW + timedelta(hours=30))
    assert {one.event.pk for one in found.said} == set(Alert.objects.values_list("event", flat=True))
    assert found.messages == Message.objects.count()
    assert found.samples
    assert len(found.unknown) == 3


def test_the_page_of_a_trial_shows_it_and_who_may_not_edit_rules_does_not_try_them(
    client: Client, desk: Desk, manager: User, dispatcher: User
) -> None:
    rule = only_rule(audience=Audience.CUSTOMER, channel=Channel.EMAIL)
    job = desk.job("in_progress")
    address = f"/admin/notifications/rule/{rule.pk}/try/"
    client.force_login(manager)
    shown = client.post(address, {"days": "30"}).content.decode()
    assert "Who would have got what" in shown
    assert job.reference in shown
    client.force_login(dispatcher)
    assert client.get(address).status_code == 403
