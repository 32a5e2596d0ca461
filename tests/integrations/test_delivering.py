"""Real receivers are told: signed, tried by the ladder, left alone while they fail, overtaken where that is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings as house
from django.utils import timezone
from pytest_django.fixtures import Settings

from config import roles
from integrations.actions import delivering, publishing, subscribing
from integrations.models import DeliveryAttempt, OutboundDelivery, Subscriber
from integrations.outbound import ladder
from integrations.outbound.deliverer import Deliverer, Shares
from orders.actions import service_orders
from orders.models import CustomerAccess, OrderEvent
from tests.api.world import World, cause
from tests.integrations.listening import OURSELVES, account, body_of, listen, publish
from tests.integrations.test_signing import verified
from tests.notifications.receiver import Receiver
from tests.orders.desk import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_HOSTS = True
    with Receiver.listening() as receiver:
        yield receiver


def listener(receiver: Receiver, **more: Any) -> Subscriber:
    return listen(address=f"http://127.0.0.1:{receiver.port}/hook?a=b", **more)


def deliver(at: datetime | None = None) -> int:
    """Tell what is due at a moment, quick ones and others; return how many were tried."""
    moment, total = at or timezone.now() + timedelta(seconds=1), 0
    lanes = [Deliverer(is_slow, Shares(1), clock=lambda: moment) for is_slow in (False, True)]
    while told := sum(lane.step()[0] for lane in lanes):
        total += told
    return total


def moved(world: World) -> None:
    job = world.job()
    service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    publish()


def test_a_receiver_is_told_signed_in_the_declared_form(world: World, receiver: Receiver) -> None:
    row = listener(receiver)
    [secret] = subscribing.secrets_of([row.pk], timezone.now())[row.pk]
    moved(world)
    assert deliver() == 2
    schema = json.loads((Path(house.BASE_DIR) / "integrations/event_schemas/event.v1.json").read_text())
    assert jsonschema_rs.meta.is_valid(schema)
    events = list(OrderEvent.objects.order_by("id"))
    assert [got.headers["webhook-id"] for got in receiver.got] == [str(event.pk) for event in events]
    for got, event in zip(receiver.got, events, strict=True):
        assert got.path == "/hook?a=b"
        assert verified(secret, got.headers, got.body)
        assert not verified(secret, got.headers, got.body + b" ")
        told = json.loads(got.body)
        jsonschema_rs.validate(schema, told)
        assert (told["id"], told["type"]) == (str(event.pk), f"backline.{event.kind}.v1")
        assert (told["subject"], told["sequence"]) == (event.reference, str(event.version))
        assert told["data"]["actor"] == event.actor
    assert set(OutboundDelivery.objects.values_list("state", "attempts")) == {("delivered", 1)}
    assert set(DeliveryAttempt.objects.values_list("status", "error", "number")) == {(200, "", 1)}
    assert secret.removeprefix("whsec_") not in str(list(DeliveryAttempt.objects.values("request_headers", "answer")))


def test_a_partner_reads_nothing_that_is_for_staff(world: World, receiver: Receiver) -> None:
    address = f"http://127.0.0.1:{receiver.port}/"
    listen(account(roles.PARTNER, world.ours), address)
    moved(world)
    deliver()
    data = json.loads(receiver.got[-1].body)["data"]
    assert (data["actor"], data["source"], data["data"]) == (None, None, {})
    assert (data["from_status"], data["to_status"], data["customer"]) == ("new", "in_progress", "OURS")


def test_what_may_not_be_seen_any_more_is_not_told(world: World, receiver: Receiver) -> None:
    listen(account(roles.PARTNER, world.ours), f"http://127.0.0.1:{receiver.port}/")
    moved(world)
    CustomerAccess.objects.all().delete()
    deliver()
    assert receiver.got == []
    assert set(OutboundDelivery.objects.values_list("state", flat=True)) == {"cancelled"}


def test_it_is_tried_by_the_ladder_in_the_same_words_and_then_given_up(world: World, receiver: Receiver) -> None:
    listener(receiver, event_types=("service_order.status_changed",))
    moved(world)
    receiver.answers = [500, 302, 404, 500, 400, 500, 503, 500]
    at, waited = timezone.now() + timedelta(seconds=1), []
    for _ in range(len(ladder.LADDER)):
        assert deliver(at) == 1
        row = OutboundDelivery.objects.get()
        waited.append(row.due_at - at)
        at = max(row.due_at, Subscriber.objects.get().paused_until or at)
    assert row.state == "dead"
    for pause, planned in zip(waited, ladder.LADDER[1:], strict=False):
        assert planned <= pause <= planned * 1.2
    assert len({got.body for got in receiver.got}) == len({got.headers["webhook-id"] for got in receiver.got}) == 1
    stamps = [int(got.headers["webhook-timestamp"]) for got in receiver.got]
    assert stamps == sorted(set(stamps))
    assert deliver(at + timedelta(days=9)) == 0
    publishing.replay(deliveries=[row.pk], by=OURSELVES, at=at)
    assert deliver(at + timedelta(days=1)) == 1
    row.refresh_from_db()
    assert (row.state, row.attempts, row.tries.count()) == ("delivered", 9, 9)


def test_who_asks_to_wait_is_waited_for_within_bounds(world: World, receiver: Receiver) -> None:
    row = listener(receiver, event_types=("service_order.status_changed",))
    moved(world)
    receiver.answers, receiver.headers = [429], {"Retry-After": "120"}
    now = timezone.now() + timedelta(seconds=1)
    deliver(now)
    row.refresh_from_db()
    assert row.paused_until == now + timedelta(seconds=120)
    assert OutboundDelivery.objects.get().due_at == now + timedelta(seconds=120)
    assert deliver(now + timedelta(seconds=60)) == 0
    receiver.answers, receiver.headers = [503], {"Retry-After": "99999999"}
    later = now + timedelta(seconds=121)
    deliver(later)
    row.refresh_from_db()
    assert row.paused_until == later + ladder.MOST_ASKED_FOR


def test_who_says_it_is_gone_is_told_no_more(world: World, receiver: Receiver) -> None:
    row = listener(receiver)
    moved(world)
    receiver.answers = [410]
    assert deliver() == 1
    row.refresh_from_db()
    assert (row.state, row.off_because) == ("off", "gone")
    assert deliver(timezone.now() + timedelta(days=1)) == 0
    assert row.history.first().history_change_reason == "answered 410"
    subscribing.switch_on(subscriber=row.pk, by=OURSELVES, at=timezone.now())
    assert deliver(timezone.now() + timedelta(days=1)) == 2


def test_nothing_but_failure_for_five_days_switches_off(world: World, receiver: Receiver) -> None:
    row = listener(receiver)
    for _ in range(3):
        moved(world)
    receiver.answers = [500] * 1_000
    at, ends = timezone.now() + timedelta(seconds=1), timezone.now() + timedelta(days=4, hours=23)
    while at < ends:
        deliver(at)
        at += timedelta(hours=1)
    row.refresh_from_db()
    assert row.state == "active"
    moved(world)
    for hours in range(1, 4):
        deliver(ends + timedelta(hours=hours))
    row.refresh_from_db()
    assert (row.state, row.off_because) == ("off", "failing")


def test_one_that_fails_keeps_what_waits_and_is_tried_one_at_a_time(world: World, receiver: Receiver) -> None:
    row = listener(receiver)
    for _ in range(10):
        moved(world)
    receiver.answers = [503] * 100
    at = timezone.now() + timedelta(seconds=1)
    deliver(at)
    row.refresh_from_db()
    assert (row.failures, len(receiver.got)) == (ladder.FAILURES, ladder.FAILURES)
    assert row.paused_until == at + ladder.FIRST_PAUSE
    assert OutboundDelivery.objects.filter(state="waiting").count() == 20
    receiver.answers = []
    assert deliver(at + timedelta(hours=1)) == 20
    row.refresh_from_db()
    assert (row.failures, row.failing_since, row.paused_until) == (0, None, None)
    assert set(OutboundDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_claim_lapses_and_whoever_had_it_records_nothing_more(world: World, receiver: Receiver) -> None:
    row = listener(receiver)
    moved(world)
    now = timezone.now() + timedelta(seconds=1)
    first = delivering.claim(subscriber=row.pk, most=10, at=now)
    assert first is not None
    assert delivering.claim(subscriber=row.pk, most=10, at=now) is None
    later = now + delivering.CLAIM_LASTS
    second = delivering.claim(subscriber=row.pk, most=10, at=later)
    assert second is not None
    assert [one.body for one in first.claimed] == [one.body for one in second.claimed]
    said = delivering.Said(status=200)
    delivering.record(batch=first, outcomes=[delivering.Outcome(one, later, 5, said) for one in first.claimed])
    assert set(OutboundDelivery.objects.values_list("state", flat=True)) == {"waiting"}
    delivering.record(batch=second, outcomes=[delivering.Outcome(one, later, 5, said) for one in second.claimed])
    assert set(OutboundDelivery.objects.values_list("state", "attempts")) == {("delivered", 2)}


def test_only_the_newest_is_told_where_only_that_is_wanted(world: World, receiver: Receiver) -> None:
    listener(receiver, newest_only=True)
    job = world.job()
    for status in ("in_progress", "awaiting_parts", "with_manufacturer"):
        service_orders.move(service_order_id=job.pk, to=status, **cause())
    service_orders.add_note(service_order_id=job.pk, text="x", **cause())
    publish()
    deliver()
    told = [json.loads(got.body)["data"] for got in receiver.got]
    assert [one["to_status"] for one in told] == ["with_manufacturer", None]
    assert OutboundDelivery.objects.filter(state="superseded").count() == 3


def test_no_more_is_told_than_a_subscriber_takes_a_second(world: World, receiver: Receiver) -> None:
    row = listener(receiver, per_second=2, burst=3)
    for _ in range(5):
        moved(world)
    at = timezone.now() + timedelta(seconds=1)
    Subscriber.objects.filter(pk=row.pk).update(tokens=3, tokens_at=at)
    assert [deliver(at + timedelta(seconds=seconds)) for seconds in (0, 0, 1, 2, 60)] == [3, 0, 2, 2, 3]


def test_a_test_event_is_told_and_said_to_be_one(receiver: Receiver) -> None:
    row = listener(receiver)
    delivery = publishing.send_test(subscriber=row.pk, by=OURSELVES, at=timezone.now())
    deliver()
    assert body_of(delivery)["type"] == "backline.test.v1"
    assert receiver.got[0].headers["webhook-id"] == str(delivery.pk)


def test_what_others_answer_is_kept_as_far_as_it_can_be(receiver: Receiver, world: World) -> None:
    listener(receiver)
    receiver.says = b"\x00\xff" + b"x" * 100_000
    moved(world)
    assert deliver() == 2
    answer = DeliveryAttempt.objects.all()[0].answer
    assert len(answer) <= 2_000
    assert answer.startswith("\N{REPLACEMENT CHARACTER}" * 2)


def test_old_deliveries_are_forgotten_with_their_attempts_and_those_that_wait_are_not(
    receiver: Receiver, world: World
) -> None:
    listener(receiver)
    moved(world)
    receiver.answers = [200, 500]
    deliver()
    assert delivering.forget(before=timezone.now() - timedelta(days=1)) == 0
    assert delivering.forget(before=timezone.now() + timedelta(days=1)) == 1
    assert list(OutboundDelivery.objects.values_list("state", flat=True)) == ["waiting"]
    assert DeliveryAttempt.objects.count() == 1


def test_a_batch_costs_the_same_statements_whatever_its_size(receiver: Receiver, world: World) -> None:
    row = listener(receiver)
    counts = []
    for jobs in (1, 10):
        for _ in range(jobs):
            moved(world)
        with statements() as seen:
            assert Deliverer(False, Shares(1), clock=lambda: timezone.now() + timedelta(seconds=5)).step()[0]
        counts.append(len(seen))
    assert row.pk
    assert counts[0] == counts[1]
