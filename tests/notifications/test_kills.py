"""Killed at any step: nothing is lost, and nothing is said twice but for the one window that nobody can close."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from subprocess import Popen
from threading import Event

import pytest
from django.db import connection, transaction
from django.utils import timezone

from backorders.models import AllocationPolicy
from notifications import sql
from notifications.actions import sending
from notifications.models import Attempt, ChannelSetting, Message, Notice
from notifications.sending import BATCH
from notifications.statuses import NoticeState
from orders.actions import service_orders
from orders.models import Customer, EventCursor
from tests.laws.checking import broken
from tests.notifications.post import Post
from tests.notifications.processes import PATIENCE, kill, started, until
from tests.notifications.receiver import Receiver
from tests.notifications.telling import one_more_rule, only_rule, sender, tell
from tests.orders.desk import TOLD, Desk
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

#: More than a batch of them.
JOBS = BATCH + 3


@pytest.fixture
def committed_desk(transactional_db: None) -> Iterator[Desk]:
    """A desk whose orders are really committed, with a customer who can be reached. All laws hold afterwards."""
    AllocationPolicy.objects.get_or_create(name="default")
    desk = Desk()
    Customer.objects.filter(pk=desk.customer.pk).update(
        email="ada@customer.example", phone="+49 30 12345678", language="en"
    )
    ChannelSetting.objects.update(per_second=1_000)
    yield desk
    assert broken() == {}


def told_jobs(desk: Desk, count: int = JOBS) -> None:
    """Let jobs have news that wait to be sent."""
    for _ in range(count):
        desk.job("new")
    tell()


def senders(post: Post, *only: str) -> tuple[list[str], dict[str, str]]:
    """Return the command of senders whose mail goes to a mail server of the test, and its environment."""
    chosen = [argument for channel in only for argument in ("--only", channel)]
    return ["send_messages", *chosen], {"MESSAGES_LEAVE": "true", "EMAIL_URL": f"smtp://{post.host}:{post.port}"}


def send_the_rest() -> None:
    """Send what is left an hour later, when every claim has lapsed."""
    later = sender(hours=1)
    while later.step():
        pass


def arrived(post: Post) -> Counter[str]:
    return Counter(str(mail["Message-ID"]) for mail in post.taken)


def on_the(number: int, act: Callable[[], None]) -> Callable[[], None]:
    """Return what acts when it is called for that time."""
    left = [number]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            act()

    return count


class Doomed:
    """A process that is to be killed by what it does, and waited for by the test."""

    def __init__(self) -> None:
        self.process: Popen[bytes] | None = None

    def die(self) -> None:
        """Kill it, from another thread."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)

    def run(self, command: list[str], environment: dict[str, str]) -> None:
        """Run it to its end."""
        with started(*command, **environment) as self.process:
            assert self.process.wait(PATIENCE) == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 5, BATCH, BATCH + 1])
def test_a_sender_killed_before_the_provider_took_it_says_all_once(committed_desk: Desk, post: Post, number: int):
    only_rule()
    told_jobs(committed_desk)
    doomed = Doomed()
    post.at_the_door = on_the(number, doomed.die)
    command, environment = senders(post, "email")
    doomed.run(command, environment)
    assert len(post.taken) == number - 1
    assert Notice.objects.filter(state=NoticeState.SENT).count() == number - 1
    send_the_rest()
    assert len(post.taken) == JOBS
    assert set(arrived(post).values()) == {1}
    assert set(Notice.objects.values_list("state", flat=True)) == {NoticeState.SENT}


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, BATCH])
def test_killed_after_the_provider_took_it_one_mail_comes_twice_under_one_number(
    committed_desk: Desk, post: Post, number: int
):
    only_rule()
    told_jobs(committed_desk)
    doomed = Doomed()
    post.meanwhile = on_the(number, doomed.die)
    command, environment = senders(post, "email")
    doomed.run(command, environment)
    assert Notice.objects.filter(state=NoticeState.SENT).count() == number - 1
    send_the_rest()
    assert sorted(arrived(post).values()) == [1] * (JOBS - 1) + [2]
    assert set(arrived(post)) == {f"<{key}@localhost>" for key in Notice.objects.values_list("pk", flat=True)}


@pytest.mark.slow
def test_a_sender_killed_between_two_batches_says_all_once(committed_desk: Desk, post: Post):
    only_rule()
    told_jobs(committed_desk)
    command, environment = senders(post, "email")
    with started(*command, **environment) as process:
        until(lambda: bool(post.taken))
        with transaction.atomic():  # who sends waits for the channel before the next batch
            ChannelSetting.objects.select_for_update().get(channel="email")
            until(lambda: Attempt.objects.count() == BATCH)
            kill(process)
    assert not Notice.objects.filter(state=NoticeState.SENDING).exists()
    send_the_rest()
    assert (len(post.taken), set(arrived(post).values())) == (JOBS, {1})


@pytest.mark.slow
def test_an_sms_in_doubt_is_not_sent_again_but_goes_by_email(committed_desk: Desk, post: Post):
    only_rule(channel="sms", fallbacks=["email"])
    told_jobs(committed_desk, 1)
    doomed = Doomed()
    with Receiver.listening() as provider:
        provider.meanwhile = doomed.die
        command, environment = senders(post, "sms")
        doomed.run(command, environment | {"MESSAGES_SMS_URL": f"json://127.0.0.1:{provider.port}/{{address}}"})
        assert sender("sms", hours=1).step() == 0
        send_the_rest()
    assert (len(provider.got), len(post.taken)) == (1, 1)
    assert dict(Notice.objects.values_list("channel", "state")) == {"sms": "dead", "email": "sent"}


@pytest.mark.slow
def test_a_consumer_killed_while_it_writes_loses_nothing_and_writes_nothing_twice(committed_desk: Desk):
    only_rule()
    one_more_rule(channel="sms", importance=10)
    EventCursor.objects.filter(name="telling").delete()
    for _ in range(5):
        job = committed_desk.job("new")
        service_orders.move(service_order_id=job.pk, to="in_progress", **TOLD)
    with started("consume_events", "--only", "telling") as process:
        with transaction.atomic(), connection.cursor() as cursor:  # it reads, decides, and waits at its last step
            cursor.execute("LOCK TABLE notifications_message IN SHARE MODE")
            until(_somebody_waits)
            kill(process)
        assert (Message.objects.count(), EventCursor.objects.filter(name="telling", events_read__gt=0).count()) == (
            0,
            0,
        )
    with started("consume_events", "--only", "telling"):
        until(lambda: EventCursor.objects.filter(name="telling", events_read__gt=0).exists())
    keys = list(Message.objects.values_list("event_id", "recipient_id", "channel"))
    assert len(keys) == len(set(keys)) == 5 * 2 * 2
    assert Notice.objects.count() == 5 * 2
    assert tell() == 0


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND database IS NOT NULL)")
        return bool(cursor.fetchone()[0])


@pytest.mark.slow
def test_a_slow_provider_delays_no_other_channel(committed_desk: Desk, post: Post):
    only_rule()
    one_more_rule(channel="sms", importance=10)
    told_jobs(committed_desk)
    go_on = Event()
    with Receiver.listening() as provider:
        provider.meanwhile = lambda: go_on.wait(PATIENCE)
        command, environment = senders(post, "email", "sms")
        url = f"json://127.0.0.1:{provider.port}/{{address}}"
        with started(*command, **environment, MESSAGES_SMS_URL=url):
            until(lambda: Notice.objects.filter(channel="email", state=NoticeState.SENT).count() == JOBS)
            assert len(provider.got) <= 1  # the first SMS is still on its way, or was not even begun
            assert not Notice.objects.filter(channel="sms", state=NoticeState.SENT).exists()
            go_on.set()
            until(lambda: Notice.objects.filter(channel="sms", state=NoticeState.SENT).count() == JOBS)


@pytest.mark.slow
def test_two_senders_at_once_say_all_once(committed_desk: Desk, post: Post):
    only_rule()
    told_jobs(committed_desk, 3 * BATCH)
    command, environment = senders(post, "email")
    with started(*command, **environment), started(*command, **environment):
        until(lambda: Notice.objects.filter(state=NoticeState.SENT).count() == 3 * BATCH)
    assert (len(post.taken), set(arrived(post).values())) == (3 * BATCH, {1})


def test_of_two_who_claim_at_once_each_notice_has_one(committed_desk: Desk):
    only_rule()
    told_jobs(committed_desk, 3)
    one, two = _both_claim()
    assert (len(one), two) == (3, [])


def test_without_the_locks_both_would_claim_the_same(committed_desk: Desk, monkeypatch: pytest.MonkeyPatch):
    only_rule()
    told_jobs(committed_desk, 3)
    monkeypatch.setattr(sending, "_locked", lambda channel: ChannelSetting.objects.get(channel=channel))
    monkeypatch.setattr(sql, "CLAIM", sql.CLAIM.replace("FOR NO KEY UPDATE SKIP LOCKED", ""))
    one, two = _both_claim()
    assert len(one) == len(two) == 3
    Notice.objects.update(state=NoticeState.WAITING, claimed_until=None)


def _both_claim() -> tuple[list[object], list[object]]:
    at = timezone.now() + timedelta(seconds=1)

    def claim() -> list[object]:
        return list(sending.claim(channel="email", most=10, at=at))

    one, two = race(claim, claim)
    assert one.error is None
    assert two.error is None
    assert isinstance(one.result, list)
    assert isinstance(two.result, list)
    return one.result, two.result
