"""Each event is written down once for each who may know of it, in one statement for all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from config import roles
from integrations.actions import publishing
from integrations.models import OutboundDelivery, Subscriber
from integrations.outbound.kinds import FOR_PARTNERS, KINDS
from orders.actions import parts_orders, service_orders
from orders.models import CustomerAccess, OrderEvent
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from tests.api.world import World, cause
from tests.integrations.listening import OURSELVES, account, kinds, listen, publish
from tests.orders.desk import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_who_is_of_the_house_is_told_everything_in_order(world: World) -> None:
    system = listen()
    job = world.job()
    service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    publish()
    told = OutboundDelivery.objects.filter(subscriber=system).order_by("id")
    events = OrderEvent.objects.order_by("id")
    assert [row.event_id for row in told] == [event.pk for event in events]
    assert [(row.kind, row.version, row.reference) for row in told] == [
        (event.kind, event.version, event.reference) for event in events
    ]


def test_a_partner_is_told_of_its_customers_orders_and_of_nobody_elses(world: World) -> None:
    partner = listen(account(roles.PARTNER, world.ours))
    mine, theirs = world.job(world.ours), world.job(world.theirs)
    order, other = world.placed(world.ours, quantity=3, part=4), world.placed(world.theirs)
    publish()
    references = set(OutboundDelivery.objects.filter(subscriber=partner).values_list("reference", flat=True))
    assert {mine.reference, order.reference} <= references
    assert any(reference.startswith("BO") or "/" in reference for reference in references)
    assert not {theirs.reference, other.reference} & references


def test_a_partner_is_told_nothing_internal_and_of_no_draft(world: World) -> None:
    partner, system = listen(account(roles.PARTNER, world.ours)), listen()
    draft = world.job(status="draft")
    job = world.job()
    service_orders.add_note(service_order_id=job.pk, text="They owe us money", **cause())
    service_orders.add_note(service_order_id=job.pk, text="We come at noon", public=True, **cause())
    order = world.placed()
    parts_orders.hold(order_id=order.id, reason="They owe us money", **cause())
    publish()
    told = OutboundDelivery.objects.filter(subscriber=partner)
    assert draft.reference not in set(told.values_list("reference", flat=True))
    assert kinds(partner).count("note.added") == 1
    assert "parts_order.held" not in kinds(partner)
    assert kinds(system).count("note.added") == 2
    assert "parts_order.held" in kinds(system)
    assert set(FOR_PARTNERS) <= set(KINDS)


def test_only_what_was_asked_for_is_told(world: World) -> None:
    row = listen(event_types=("service_order.status_changed",))
    job = world.job()
    service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    publish()
    assert kinds(row) == ["service_order.status_changed"]


def test_who_begins_to_listen_is_not_told_what_was_before_and_a_repeat_adds_nothing(world: World) -> None:
    world.job()
    late = listen(at=timezone.now())
    listen()
    job = world.job()
    publish()
    assert set(OutboundDelivery.objects.filter(subscriber=late).values_list("reference", flat=True)) == {job.reference}
    count = OutboundDelivery.objects.count()
    events = list(OrderEvent.objects.values_list("pk", flat=True))
    assert publishing.publish(events=events, at=timezone.now()) == 0
    assert OutboundDelivery.objects.count() == count


def test_whose_rights_are_gone_is_told_nothing_more(world: World) -> None:
    rows = [listen(), listen(), listen(account(roles.PARTNER, world.ours)), listen()]
    rows[0].account.groups.clear()
    rows[1].account.is_active = False
    rows[1].account.save()
    CustomerAccess.objects.all().delete()
    Subscriber.objects.filter(pk=rows[3].pk).update(state="off", off_because="by_hand", off_since=timezone.now())
    world.job()
    publish()
    assert not OutboundDelivery.objects.exists()


def test_nobody_listening_costs_one_statement_and_many_cost_two(world: World) -> None:
    for _ in range(3):
        world.job()
    events = list(OrderEvent.objects.values_list("pk", flat=True))
    with statements() as seen:
        publishing.publish(events=events, at=timezone.now())
    assert len(seen) == 1
    for _ in range(5):
        listen()
    with statements() as seen:
        publishing.publish(events=events, at=timezone.now())
    assert len(seen) == 2
    assert OutboundDelivery.objects.count() == 5 * len(events)


def test_everything_since_a_moment_is_told_again_or_for_the_first_time(world: World) -> None:
    before = timezone.now() - timedelta(seconds=1)
    job = world.job()
    row = listen(at=timezone.now())
    late = world.job()
    publish()
    OutboundDelivery.objects.update(state="delivered", ended_at=timezone.now(), attempts=3, body=b"as told")
    assert publishing.replay_since(subscriber=row.pk, since=before, by=OURSELVES, at=timezone.now()) == 2
    told = OutboundDelivery.objects.filter(subscriber=row)
    assert set(told.values_list("reference", flat=True)) == {job.reference, late.reference}
    assert set(told.values_list("state", flat=True)) == {"waiting"}
    again = told.get(reference=late.reference)
    assert (bytes(again.body or b""), again.attempts, again.round_began) == (b"as told", 3, 3)
    with pytest.raises(Invalid):
        publishing.replay_since(
            subscriber=row.pk, since=timezone.now() + timedelta(days=1), by=OURSELVES, at=timezone.now()
        )


def test_nobody_replays_what_is_anothers(world: World) -> None:
    mine, theirs = account(roles.PARTNER, world.ours), account(roles.PARTNER, world.theirs)
    row = listen(mine)
    world.job()
    publish()
    key = OutboundDelivery.objects.get().pk
    stranger, owner = Actor.user(theirs), Actor.user(mine)
    with pytest.raises(NotFound):
        publishing.replay(deliveries=[key], by=stranger, at=timezone.now())
    with pytest.raises(NotFound):
        publishing.send_test(subscriber=row.pk, by=stranger, at=timezone.now())
    with pytest.raises(Forbidden):
        publishing.send_test(subscriber=row.pk, by=Actor.user(account(roles.DISPATCHER)), at=timezone.now())
    assert publishing.replay(deliveries=[key], by=owner, at=timezone.now()) == 0  # it is on its way
    OutboundDelivery.objects.update(state="dead", ended_at=timezone.now())
    assert publishing.replay(deliveries=[key], by=owner, at=timezone.now()) == 1
