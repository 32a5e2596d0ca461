"""Killed at any step, two at once, or beside one that never answers: nothing is lost, and the same comes again."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from threading import Event

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.actions import delivering
from integrations.models import OutboundDelivery, Subscriber
from integrations.outbound import sql
from integrations.outbound.deliverer import Deliverer, Shares
from parts.sql import Statement
from tests.integrations.listening import listen, publish
from tests.laws.checking import broken
from tests.notifications.processes import PATIENCE, started, until
from tests.notifications.receiver import Receiver
from tests.orders.desk import Desk
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = 8
OPEN = {"WEBHOOKS_TO_PRIVATE_HOSTS": "true"}


@pytest.fixture
def desk(transactional_db: None, settings: Settings) -> Iterator[Desk]:
    """A desk whose orders are really committed. All laws hold afterwards."""
    settings.WEBHOOKS_TO_PRIVATE_HOSTS = True
    yield Desk()
    assert broken() == {}


def told_jobs(desk: Desk, count: int = JOBS) -> None:
    for _ in range(count):
        desk.job("new", begins="new")
    publish()


def address(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/"


def environment(settings: Settings) -> dict[str, str]:
    return OPEN | {"SEALING_KEYS": ",".join(settings.SEALING_KEYS)}


def deliver_the_rest() -> None:
    """Tell what is left when every claim has lapsed."""
    later = timezone.now() + timedelta(hours=1)
    for is_slow in (False, True):
        lane = Deliverer(is_slow, Shares(1), clock=lambda: later)
        while lane.step()[0]:
            pass


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, JOBS])
def test_killed_between_post_and_record_the_same_comes_again_and_nothing_is_lost(
    desk: Desk, settings: Settings, number: int
) -> None:
    with Receiver.listening() as receiver:
        listen(address=address(receiver))
        told_jobs(desk)
        with started("deliver_events", "--quick", "1", "--slow", "1", **environment(settings)) as process:

            def die() -> None:
                if len(receiver.got) == number:
                    os.killpg(process.pid, signal.SIGKILL)

            receiver.meanwhile = die
            assert process.wait(PATIENCE) == -signal.SIGKILL
        receiver.meanwhile = None
        assert OutboundDelivery.objects.filter(state="waiting").exists()
        deliver_the_rest()
        came = Counter((got.headers["webhook-id"], got.body) for got in receiver.got)
        assert len(came) == JOBS
        assert sum(came.values()) == JOBS + number
    assert set(OutboundDelivery.objects.values_list("state", flat=True)) == {"delivered"}


@pytest.mark.slow
def test_one_that_never_answers_delays_none_of_the_others_and_two_workers_tell_all_once(
    desk: Desk, settings: Settings
) -> None:
    go_on = Event()
    with Receiver.listening() as dead, Receiver.listening() as well, Receiver.listening() as fine:
        dead.meanwhile = lambda: go_on.wait(PATIENCE)
        deaf = listen(address=address(dead))
        others = [listen(address=address(well)), listen(address=address(fine))]
        told_jobs(desk, 60)
        with (
            started("deliver_events", **environment(settings)),
            started("deliver_events", **environment(settings)),
        ):
            done = OutboundDelivery.objects.filter(subscriber__in=others, state="delivered")
            until(lambda: done.count() == 120)
            assert not OutboundDelivery.objects.filter(subscriber=deaf, state="delivered").exists()
            go_on.set()
        for receiver in (well, fine):
            assert len({got.headers["webhook-id"] for got in receiver.got}) == len(receiver.got) == 60
    assert Subscriber.objects.count() == 3
    OutboundDelivery.objects.filter(state="waiting").update(claimed_until=None)


def _claims() -> tuple[int, int]:
    row, at = Subscriber.objects.get(), timezone.now() + timedelta(seconds=1)

    def claim() -> int:
        batch = delivering.claim(subscriber=row.pk, most=50, at=at)
        return len(batch.claimed) if batch else 0

    one, two = race(claim, claim)
    assert one.error is None
    assert two.error is None
    return int(str(one.result)), int(str(two.result))


def test_of_two_who_claim_at_once_each_delivery_has_one(desk: Desk) -> None:
    listen()
    told_jobs(desk)
    assert sorted(_claims()) == [0, JOBS]


def test_without_the_locks_both_would_claim_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    listen()
    told_jobs(desk)
    unlocked = sql.CLAIM.text.replace("FOR NO KEY UPDATE SKIP LOCKED", "")
    monkeypatch.setattr(sql, "CLAIM", Statement(sql.CLAIM.name, unlocked))
    monkeypatch.setattr(delivering, "_free", lambda key: Subscriber.objects.get(pk=key))
    assert _claims() == (JOBS, JOBS)
