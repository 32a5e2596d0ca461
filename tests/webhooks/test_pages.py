"""Partners' pages: an address is added, tried, changed, switched off and on, and its secret is seen once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from config import roles
from integrations.actions import subscribing
from integrations.models import OutboundDelivery, SigningSecret, Subscriber
from integrations.outbound.deliverer import catch_up
from tests.admin.desk import desk_of, text
from tests.api.world import World
from tests.integrations.listening import account, listen, publish
from tests.integrations.test_signing import verified
from tests.notifications.receiver import Receiver
from tests.orders.desk import statements

pytestmark = pytest.mark.django_db

WANTED = {
    "code": "portal",
    "name": "Portal",
    "address": "https://portal.dealer.example/hook",
    "per_second": "50",
    "burst": "100",
}


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def browser(partner: User, world: World) -> Client:
    world.give_access(partner)
    return desk_of(partner)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_HOSTS = True
    with Receiver.listening() as receiver:
        yield receiver


def page(row: Subscriber, name: str = "one", **more: Any) -> str:
    return reverse(f"webhooks:{name}", kwargs={"key": row.pk, **more})


def test_an_address_is_added_tried_and_read_from_the_list_to_the_answer(
    browser: Client, world: World, receiver: Receiver
) -> None:
    assert "Nobody is told yet" in text(browser.get(reverse("webhooks:list")))
    wanted = {**WANTED, "address": f"http://127.0.0.1:{receiver.port}/", "event_types": ["service_order.created"]}
    answer = browser.post(reverse("webhooks:new"), wanted)
    assert "no-store" in answer["Cache-Control"]
    [secret] = re.findall(r'value="(whsec_[^"]+)"', text(answer))
    row = Subscriber.objects.get()
    assert browser.post(page(row, "test"), follow=True).status_code == 200
    job = world.job()
    publish()
    receiver.says = b"thank you"
    assert catch_up(10) == 2
    assert all(verified(secret, got.headers, got.body) for got in receiver.got)
    shown = text(browser.get(page(row)))
    assert job.reference in shown
    assert secret not in shown
    told = OutboundDelivery.objects.get(reference=job.reference)
    one = text(browser.get(page(row, "delivery", delivery=told.pk)))
    assert "thank you" in one
    assert "webhook-signature" in one
    assert "backline.service_order.created.v1" in one
    browser.post(page(row, "again", delivery=told.pk))
    assert catch_up(10) == 1
    assert "Portal" in text(browser.get(reverse("webhooks:list")))


def test_what_cannot_be_is_said_at_its_field_and_nothing_typed_is_lost(browser: Client) -> None:
    answer = browser.post(reverse("webhooks:new"), {**WANTED, "address": "https://10.0.0.1/x", "name": "Our portal"})
    assert answer.status_code == 400
    assert "It names no public host." in text(answer)
    assert "Our portal" in text(answer)
    assert not Subscriber.objects.exists()


def test_it_is_changed_switched_off_and_on_and_told_again(browser: Client, partner: User, world: World) -> None:
    world.job()
    row = listen(partner)
    changed = {**WANTED, "name": "Renamed", "newest_only": "on"}
    assert browser.post(page(row, "change"), changed).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.newest_only) == ("Renamed", True)
    assert browser.post(page(row, "change"), changed).status_code == 400  # nothing was changed
    browser.post(page(row, "off"))
    assert "Somebody switched it off" in text(browser.get(page(row)))
    browser.post(page(row, "on"))
    since = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert browser.post(page(row, "replay"), {"since": since}).status_code == 302
    assert OutboundDelivery.objects.filter(subscriber=row).count() == 1
    assert browser.post(page(row, "replay"), {"since": "2999-01-01T00:00"}).status_code == 400


def test_another_secret_is_shown_once(browser: Client, partner: User) -> None:
    row = listen(partner)
    [secret] = re.findall(r'value="(whsec_[^"]+)"', text(browser.post(page(row, "secret"))))
    assert subscribing.secrets_of([row.pk], timezone.now())[row.pk][0] == secret
    assert secret not in text(browser.get(page(row)))
    assert SigningSecret.objects.count() == 2


def test_what_is_anothers_is_not_there(browser: Client, world: World) -> None:
    row = listen(account(roles.PARTNER, world.ours))
    world.job()
    publish()
    told = OutboundDelivery.objects.get()
    for name in ("one", "change"):
        assert browser.get(page(row, name)).status_code == 404
    for name in ("secret", "test", "off", "on", "replay"):
        assert browser.post(page(row, name)).status_code == 404
    mine = listen(User.objects.get(username="partner"))
    assert browser.get(page(mine, "delivery", delivery=told.pk)).status_code == 404
    assert browser.post(page(mine, "again", delivery=told.pk)).status_code == 302
    told.refresh_from_db()
    assert (told.state, told.attempts) == ("waiting", 0)


def test_a_page_costs_the_same_whatever_was_told(browser: Client, partner: User, world: World) -> None:
    row, counts = listen(partner), []
    browser.get(page(row))
    for jobs in (2, 30):
        for _ in range(jobs):
            world.job()
        publish()
        with statements() as seen:
            assert browser.get(page(row)).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert "before=" not in text(browser.get(page(row)))


def test_staff_sees_how_it_goes_and_tells_again_and_no_secret_is_shown(
    administrator: User, partner: User, world: World
) -> None:
    office = desk_of(administrator)
    wanted = {**WANTED, "account": str(partner.pk)}
    assert office.post(reverse("admin:integrations_subscriber_listen"), wanted).status_code == 302
    row = Subscriber.objects.get()
    shown = text(office.get(reverse("admin:integrations_subscriber_change", args=[row.pk])))
    assert "Nothing waits" in shown
    assert "whsec_" not in shown
    assert office.post(reverse("admin:integrations_subscriber_test", args=[row.pk])).status_code == 302
    told = OutboundDelivery.objects.get()
    OutboundDelivery.objects.update(state="dead", ended_at=timezone.now())
    office.post(reverse("admin:integrations_outbounddelivery_again", args=[told.pk]))
    told.refresh_from_db()
    assert told.state == "waiting"
    off = reverse("admin:integrations_subscriber_off", args=[row.pk])
    assert office.post(off, {"reason": "They asked for it"}).status_code == 302
    page = text(office.get(reverse("admin:integrations_subscriber_change", args=[row.pk])))
    assert "They asked for it" in page
