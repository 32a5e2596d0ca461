"""What a batch costs, and what costs nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.actions import sending
from notifications.models import ChannelSetting
from notifications.statuses import NoticeState
from orders.actions import tracking
from orders.models import OrderEvent, TrackingLink
from parts.actors import Actor
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db


def _statements(desk: Desk, count: int) -> int:
    for _ in range(count):
        desk.job("new")
    tell()
    with CaptureQueriesContext(connection) as seen:
        assert sender().step() == count
    return len(seen)


def test_the_statements_of_a_batch_do_not_grow_with_its_notices(desk: Desk):
    only_rule()
    ChannelSetting.objects.update(per_second=1_000)
    _statements(desk, 1)
    assert _statements(desk, 2) == _statements(desk, 20)
    assert {notice.state for notice in notices()} == {NoticeState.DELIVERED}


def test_a_channel_with_nothing_to_send_costs_no_lock_and_writes_nothing(desk: Desk):
    with CaptureQueriesContext(connection) as seen:
        assert sending.claim(channel="email", most=10, at=timezone.now()) == []
    assert len(seen) == 2
    assert all(query["sql"].startswith("SELECT") and "FOR UPDATE" not in query["sql"] for query in seen)


def test_what_a_channel_has_sent_is_no_change_of_how_it_is_used(desk: Desk):
    only_rule()
    desk.job("new")
    tell()
    changes = ChannelSetting.history.count()
    assert sender().step() == 1
    assert ChannelSetting.history.count() == changes
    assert ChannelSetting.objects.get(channel="email").sent_on_day == 1


def test_links_for_many_jobs_are_made_at_once_and_each_stands_on_its_jobs_timeline(desk: Desk):
    jobs = [desk.job("new") for _ in range(5)]
    draft = desk.job("draft")
    wanted = [tracking.Wanted("service_order", job.pk, name) for job in [*jobs, draft] for name in ("Ada", "Bea")]
    asked: dict[str, Any] = {"wanted": wanted, "by": Actor.system("messages"), "source": "backline"}
    at = timezone.now()
    with CaptureQueriesContext(connection) as seen:
        tokens = tracking.tokens_for(**asked, at=at)
    writes = [query for query in seen if query["sql"].lstrip().startswith(("INSERT", "WITH"))]
    assert len(writes) == 2
    assert tokens[-2:] == ["", ""]  # nobody outside sees a draft
    assert len(set(tokens[:-2])) == 10
    assert TrackingLink.objects.count() == 10
    assert OrderEvent.objects.filter(kind="tracking.link_issued").count() == 10
    assert tracking.tokens_for(**asked, at=at + timedelta(days=1)) == tokens
    assert TrackingLink.objects.count() == 10
