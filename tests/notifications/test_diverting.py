"""A channel that is down: what is for safety or urgent goes by the reader's next one, at once and never twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from notifications.actions import diverting, failing
from notifications.actions.diverting import Looked
from notifications.models import Address, ChannelSetting, MaintenanceWindow, Message, Notice, Rule
from notifications.statuses import NoticeState
from orders.actions import service_orders
from orders.models import ServiceOrder
from tests.notifications.receiver import Receiver
from tests.notifications.telling import notices, one_more_rule, only_rule, sender, tell
from tests.orders.desk import TOLD, Desk

pytestmark = pytest.mark.django_db
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SAFETY: dict[str, Any] = {"channel": "sms", "cannot_be_muted": True}


def down(channel: str = "sms", hours: float = 4, **more: Any) -> MaintenanceWindow:
    """Say that a channel is down, from now on."""
    at = timezone.now()
    told: dict[str, Any] = {
        "name": "Works",
        "reason": "Works",
        "made_by": "user:1",
        "channel": channel,
        "channel_is_down": True,
    }
    return MaintenanceWindow.objects.create(**told | more, starts_at=at - HOUR, ends_at=at + hours * HOUR)


def told_of(desk: Desk) -> ServiceOrder:
    job = desk.job("new")
    tell()
    return job


def sent(channel: str, at: datetime | None = None) -> int:
    """Send what a channel has, at a moment; return how many."""
    return sender(channel, at=at).step()


def ways() -> list[tuple[str, str]]:
    return [(one.channel, one.state) for one in notices()]


def test_what_cannot_be_muted_goes_by_the_next_channel_while_a_window_says_that_its_own_is_down(desk: Desk):
    only_rule(**SAFETY)
    window = down()
    told_of(desk)
    assert (sent("sms"), sent("email")) == (0, 1)
    first, instead = notices()
    assert (first.channel, first.state, first.fell_back, first.held_by) == ("sms", NoticeState.DEAD, True, None)
    assert (instead.channel, instead.state, instead.caused_at) == ("email", NoticeState.DELIVERED, first.caused_at)
    after = window.ends_at + SECOND
    assert (sent("sms", after), sent("email", after)) == (0, 0)


def test_other_news_of_the_order_wait_for_the_channel(desk: Desk):
    only_rule(**SAFETY, to_statuses=["in_progress"])
    one_more_rule(channel="sms", to_statuses=["new", "awaiting_parts"])
    window = down()
    job = told_of(desk)
    for to in ("in_progress", "awaiting_parts"):
        service_orders.move(service_order_id=job.pk, to=to, **TOLD)
        tell()
    assert (sent("sms"), sent("email")) == (0, 1)
    kept, split, instead = sorted(notices(), key=lambda one: (one.channel != "sms", one.state != NoticeState.WAITING))
    assert (kept.messages_count, split.state, split.messages_count) == (2, NoticeState.DEAD, 1)
    assert [one.event.to_status for one in instead.messages.select_related("event")] == ["in_progress"]
    assert sent("sms", window.ends_at + SECOND) == 1
    assert Message.objects.filter(channel="email").count() == 1


def test_what_has_no_other_way_waits_until_the_channel_is_back(desk: Desk):
    only_rule(**SAFETY)
    window = down()
    told_of(desk)
    Address.objects.filter(channel="email").update(state="off", off_at=timezone.now(), off_reason="bounced")
    assert sent("sms") == 0
    assert ways() == [("sms", NoticeState.WAITING)]
    assert sent("sms", window.ends_at + SECOND) == 1


def test_a_channel_that_is_down_itself_is_no_way_round(desk: Desk):
    only_rule(**SAFETY)
    window = down()
    down("email", hours=9)
    told_of(desk)
    assert (sent("sms"), sent("email")) == (0, 0)
    assert ways() == [("sms", NoticeState.WAITING)]
    assert sent("sms", window.ends_at + SECOND) == 1


def test_a_window_of_something_else_sends_nothing_round(desk: Desk):
    only_rule(**SAFETY)
    down(source="elsewhere")
    told_of(desk)
    assert sent("sms") == 1
    assert ways() == [("sms", NoticeState.DELIVERED)]


def test_what_is_silenced_on_purpose_goes_round_nothing(desk: Desk):
    only_rule(channel="sms", is_urgent=True, fallbacks=["email"])
    down()
    down("", channel_is_down=False)
    told_of(desk)
    assert (sent("sms"), sent("email")) == (0, 0)
    assert sent("email", timezone.now() + 5 * HOUR) == 1


def test_what_may_wait_waits_for_a_channel_that_is_down(desk: Desk):
    only_rule(channel="sms", fallbacks=["email"])
    down()
    told_of(desk)
    assert (sent("sms"), sent("email")) == (0, 0)
    assert ways() == [("sms", NoticeState.WAITING)]


@pytest.mark.parametrize(
    "how", [{"is_on": False}, {"per_day": 5, "sent_on_day": 5, "day": "today"}, {"trial_at": "soon", "failures": 5}]
)
@pytest.mark.parametrize("rule", [{"cannot_be_muted": True}, {"is_urgent": True, "fallbacks": ["email"]}])
def test_so_it_is_where_a_channel_is_off_used_up_or_left_alone(desk: Desk, how: dict[str, Any], rule: dict[str, Any]):
    at = timezone.now() + SECOND
    given = {"today": at.date(), "soon": at + 30 * SECOND}
    ChannelSetting.objects.filter(pk="sms").update(**{name: given.get(str(how[name]), how[name]) for name in how})
    only_rule(channel="sms", **rule)
    told_of(desk)
    assert (sent("sms", at), sent("email", at)) == (0, 1)
    assert ways() == [("sms", NoticeState.DEAD), ("email", NoticeState.DELIVERED)]


def test_what_its_provider_did_not_take_goes_round_it_once_it_is_left_alone(desk: Desk, settings: Settings):
    only_rule(channel="sms", is_urgent=True, fallbacks=["email"])
    at = timezone.now() + SECOND
    with Receiver.listening() as provider:
        settings.MESSAGES_LEAVE = True
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        settings.MESSAGES_SMS_URL = f"json://127.0.0.1:{provider.port}/{{address}}"
        provider.answers = [500] * failing.FAILURES
        for _ in range(failing.FAILURES + 1):
            desk.job("new")
        tell()
        assert sent("sms", at) == failing.FAILURES + 1
        assert {one.state for one in notices()} == {NoticeState.WAITING}
        assert sent("sms", at + SECOND) == 0
        assert sent("email", at + SECOND) == failing.FAILURES + 1
        assert sent("sms", at + 12 * HOUR) == 0
        assert len(provider.got) == failing.FAILURES
    assert all(one.held_until is None for one in notices())  # a provider that fails excuses no lateness


def test_who_is_told_by_the_other_channel_anyway_is_told_by_this_one_when_it_is_back(desk: Desk):
    only_rule(channel="sms", is_urgent=True, fallbacks=["email"])
    one_more_rule()
    window = down()
    told_of(desk)
    assert (sent("sms"), sent("email")) == (0, 1)
    assert sent("sms", window.ends_at + SECOND) == 1
    assert sorted(Message.objects.values_list("channel", flat=True)) == ["email", "sms"]


def test_who_has_no_other_way_keeps_nobody_behind_them_waiting(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(diverting, "PAGE", 2)
    only_rule(**SAFETY)
    by_email_too = one_more_rule()
    down()
    for _ in range(3):
        told_of(desk)
    Rule.objects.filter(pk=by_email_too.pk).update(is_active=False)
    told_of(desk)
    one = sender("sms")
    looked_at = []
    for _ in range(3):
        assert one.step() == 0
        looked_at.append(one.looked.after is not None)
    assert looked_at == [True, True, False]  # the first two, the last two, and from the first again
    assert [one.state for one in notices(channel="sms")] == ["waiting", "waiting", "waiting", "dead"]


@pytest.mark.django_db(transaction=True)
def test_of_two_senders_at_once_one_sends_it_round(desk: Desk):
    only_rule(**SAFETY)
    ChannelSetting.objects.filter(pk="sms").update(is_on=False)
    for _ in range(4):
        desk.job("new")
    tell()
    at = timezone.now() + SECOND

    def go(_number: int) -> None:
        try:
            diverting.divert(channel="sms", looked=Looked(), at=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        list(both.map(go, range(2)))
    diverting.divert(channel="sms", looked=Looked(), at=at)
    assert Message.objects.filter(channel="email").count() == 4
    assert Notice.objects.filter(channel="sms", state=NoticeState.DEAD, fell_back=True).count() == 4


def test_going_round_costs_as_many_statements_for_many_as_for_few(desk: Desk):
    only_rule(**SAFETY)
    down()

    def statements(count: int) -> int:
        for _ in range(count):
            desk.job("new")
        tell()
        with CaptureQueriesContext(connection) as seen:
            diverting.divert(channel="sms", looked=Looked(), at=timezone.now() + SECOND)
        return len(seen)

    assert statements(2) == statements(20)
    assert Message.objects.filter(channel="email").count() == 22


def test_a_channel_that_works_costs_one_statement(desk: Desk):
    with CaptureQueriesContext(connection) as seen:
        assert diverting.divert(channel="sms", looked=Looked(), at=timezone.now()) == Looked()
    assert len(seen) == 1


def test_a_channel_that_stays_down_is_looked_at_every_few_seconds(desk: Desk):
    only_rule(**SAFETY)
    down()
    at = timezone.now() + SECOND
    looked = diverting.divert(channel="sms", looked=Looked(), at=at)
    told_of(desk)
    with CaptureQueriesContext(connection) as seen:
        assert diverting.divert(channel="sms", looked=looked, at=at + diverting.REST - SECOND) == looked
    assert len(seen) == 0
    diverting.divert(channel="sms", looked=looked, at=at + diverting.REST)
    assert [one.state for one in notices(channel="sms")] == [NoticeState.DEAD]
