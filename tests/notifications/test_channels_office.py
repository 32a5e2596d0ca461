"""The channels in the back office: how each is used, since when its provider fails and why, and a try at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from notifications.actions import failing
from notifications.models import ChannelSetting
from notifications.transports.choosing import named
from parts.actors import Actor
from parts.errors import Forbidden, Refused
from tests.notifications.post import Post
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db

PAGE, TRY = "/admin/notifications/channelsetting/email/change/", "/admin/notifications/channelsetting/email/try-now/"


@pytest.fixture
def office(client: Client, administrator: User) -> Client:
    """The administrator's browser."""
    client.force_login(administrator)
    return client


@pytest.fixture
def failing_post(desk: Desk, post: Post) -> Post:
    """A mail server that failed so often that it is left alone."""
    only_rule()
    for _ in range(6):
        desk.job("new")
    tell()
    post.answers = ["451 full <b>"] * failing.FAILURES
    sender().step()
    return post


def channel() -> ChannelSetting:
    return ChannelSetting.objects.get(pk="email")


def test_the_page_says_since_when_it_fails_why_and_when_it_is_tried_next(failing_post: Post, office: Client):
    shown = office.get(PAGE).content.decode()
    for said in ("It is left alone, then tried with one notice", "451 full &lt;b&gt;", "Fails since", "Tried next"):
        assert said in shown
    assert "127.0.0.1" in shown  # by whose hands it leaves
    assert "<dd>6</dd>" in shown
    assert "Try now" in shown


def test_it_is_tried_at_once_with_one_notice(failing_post: Post, office: Client):
    assert sender().step() == 0
    answer = office.post(TRY, follow=True)
    assert "It is tried with the next notice." in answer.content.decode()
    assert sender().step() == 1
    assert len(failing_post.taken) == 1
    setting = channel()
    assert (setting.failing_since, setting.failing_because, setting.trial_at) == (None, "", None)
    shown = office.get(PAGE).content.decode()
    assert "Fails since" not in shown
    assert "Try now" not in shown
    again = office.post(TRY, follow=True).content.decode()
    assert "what is due goes out by itself" in again


def test_a_try_without_anything_to_try_with_is_refused(desk: Desk, administrator: User):
    at = timezone.now()
    ChannelSetting.objects.filter(pk="email").update(failures=5, failing_since=at, trial_at=at + timedelta(minutes=5))
    with pytest.raises(Refused, match="Nothing waits"):
        failing.try_now(channel="email", by=Actor.user(administrator), at=at)
    assert channel().trial_at == at + timedelta(minutes=5)


def test_who_may_not_change_channels_lets_none_be_tried(
    failing_post: Post, client: Client, dispatcher: User, technician: User
):
    before = channel().trial_at
    with pytest.raises(Forbidden):
        failing.try_now(channel="email", by=Actor.user(dispatcher), at=timezone.now())
    for person in (dispatcher, technician):
        client.force_login(person)
        assert client.post(TRY).status_code in (302, 403)
    assert channel().trial_at == before
    assert sum(one.attempts for one in notices()) == failing.FAILURES


def test_a_channel_is_set_on_record_and_what_cannot_be_is_said_at_its_field(desk: Desk, office: Client):
    good = {
        "is_on": "on",
        "per_second": "5",
        "per_day": "",
        "gap_seconds": "60",
        "most_attempts": "3",
        "first_pause_seconds": "30",
        "longest_pause_seconds": "60",
        "resend_in_doubt": "on",
        "change_reason": "The provider asks for it",
    }
    wrong = office.post(PAGE, good | {"per_second": "0", "longest_pause_seconds": "10"})
    said = wrong.content.decode()
    assert wrong.status_code == 200
    assert "At least 1." in said
    assert "At least as long as the first pause." in said
    assert channel().most_attempts == 6
    assert office.post(PAGE, good).status_code == 302
    assert (channel().per_second, channel().most_attempts) == (5, 3)
    assert channel().history.first().history_change_reason == "The provider asks for it"
    assert office.get("/admin/notifications/channelsetting/add/").status_code == 403
    assert office.post("/admin/notifications/channelsetting/email/delete/").status_code == 403


def test_by_whose_hands_a_channel_leaves_is_said_without_secrets(settings: Settings):
    settings.MESSAGES_SMS_URL, settings.MESSAGES_CHAT_URL = "twilio://SID:secret@+1555/{address}", ""
    assert named("sms") == ""
    settings.MESSAGES_LEAVE, settings.EMAIL_PROVIDER = True, "postmark"
    assert [named(one) for one in ("sms", "chat", "email", "push", "inbox")] == ["twilio", "", "postmark", "", ""]
