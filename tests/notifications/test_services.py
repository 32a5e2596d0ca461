"""Services of SMS and chat, played by a real HTTP receiver: taken, refused, away, and left alone while they fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from threading import Event

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from notifications.actions import failing
from notifications.models import Address, ChannelSetting, Notice
from notifications.statuses import NoticeState
from notifications.transports import apprised
from tests.notifications.post import Post
from tests.notifications.receiver import Receiver
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(settings: Settings) -> Iterator[Receiver]:
    """A service of SMS on loopback; messages leave the house for it."""
    with Receiver.listening() as receiver:
        settings.MESSAGES_LEAVE = True
        settings.MESSAGES_SMS_URL = f"json://127.0.0.1:{receiver.port}/send/{{address}}"
        yield receiver


def told_by_sms(desk: Desk, count: int = 1) -> None:
    only_rule(channel="sms")
    for _ in range(count):
        desk.job("new")
    tell()


def test_an_sms_goes_to_the_readers_number_with_the_short_words(desk: Desk, service: Receiver):
    told_by_sms(desk)
    assert sender("sms").step() == 1
    (got,) = service.got
    assert got.path == "/send/+493012345678"
    (notice,) = notices()
    assert json.loads(got.body)["message"] == notice.text
    assert notice.state == NoticeState.SENT


@pytest.mark.parametrize("answer", [500, 429, 403])
def test_what_a_service_did_not_take_is_tried_again(desk: Desk, service: Receiver, answer: int):
    told_by_sms(desk)
    service.answers = [answer]
    sender("sms").step()
    assert [(one.state, one.attempts) for one in notices()] == [(NoticeState.WAITING, 1)]
    sender("sms", hours=1).step()
    assert [one.state for one in notices()] == [NoticeState.SENT]


def test_a_service_that_does_not_answer_is_not_waited_for_long(
    desk: Desk, service: Receiver, monkeypatch: pytest.MonkeyPatch
):
    assert apprised.ANSWER_SECONDS <= 20
    monkeypatch.setattr(apprised, "ANSWER_SECONDS", 0.2)
    never = Event()
    service.meanwhile = lambda: never.wait(5)
    told_by_sms(desk)
    sender("sms").step()
    never.set()
    assert [(one.state, one.attempts) for one in notices()] == [(NoticeState.WAITING, 1)]


def test_limits_of_a_channel_hold_for_its_service(desk: Desk, service: Receiver):
    told_by_sms(desk, 5)
    ChannelSetting.objects.filter(channel="sms").update(per_second=2, per_day=3)
    at = timezone.now() + timedelta(seconds=1)
    assert [sender("sms", at=at + timedelta(seconds=second)).step() for second in range(3)] == [2, 1, 0]
    assert len(service.got) == 3


def test_a_dead_provider_is_left_alone_and_then_tried_with_one(desk: Desk, service: Receiver):
    told_by_sms(desk, 8)
    service.answers = [500] * (failing.FAILURES + 1)
    at = timezone.now() + timedelta(seconds=1)
    assert sender("sms", at=at).step() == 8
    assert len(service.got) == failing.FAILURES  # not all eight
    setting = ChannelSetting.objects.get(channel="sms")
    assert (setting.failing_since, setting.trial_at) == (at, at + failing.FIRST_PAUSE)
    assert sorted(one.attempts for one in notices()) == [0, 0, 0, 1, 1, 1, 1, 1]  # who waited used none up
    assert sender("sms", at=at + timedelta(seconds=29)).step() == 0
    assert sender("sms", at=at + timedelta(minutes=2)).step() == 1  # the trial; it fails, and the pause is longer
    assert sender("sms", at=at + timedelta(minutes=2, seconds=59)).step() == 0
    assert sender("sms", at=at + timedelta(minutes=4)).step() == 1  # the next one is taken
    setting.refresh_from_db()
    assert (setting.failing_since, setting.trial_at, setting.failures) == (None, None, 0)
    while sender("sms", at=at + timedelta(hours=1)).step():
        pass
    assert set(Notice.objects.values_list("state", flat=True)) == {NoticeState.SENT}


def test_what_a_provider_refuses_for_good_is_no_failure_of_its_own(desk: Desk, post: Post):
    only_rule()
    for _ in range(7):
        desk.job("new")
    tell()
    post.answers = ["554 no"] * 7
    assert sender().step() == 7
    assert ChannelSetting.objects.get(channel="email").trial_at is None
    assert {one.state for one in notices()} == {NoticeState.DEAD}


def test_a_reader_without_an_address_says_nothing_of_a_provider_that_fails(desk: Desk, service: Receiver):
    told_by_sms(desk, 2)
    service.answers = [500]
    sender("sms").step()
    ChannelSetting.objects.filter(channel="sms").update(failures=4)
    Address.objects.filter(channel="sms").update(is_wanted=False)
    sender("sms", hours=2).step()
    assert ChannelSetting.objects.get(channel="sms").failures == 4
