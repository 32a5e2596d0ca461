"""Partners set up by themselves where they are told, see what they were told, and nothing of anybody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from config import roles
from integrations.models import IdempotentRequest, OutboundDelivery, SigningSecret, Subscriber
from integrations.outbound.deliverer import catch_up
from tests.api.world import Caller, World, token_for
from tests.integrations.listening import account, listen, publish
from tests.integrations.test_signing import verified
from tests.notifications.receiver import Receiver
from tests.orders.desk import statements

pytestmark = pytest.mark.django_db

WANTED = {"code": "portal", "name": "Portal", "address": "https://portal.dealer.example/hook"}


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_HOSTS = True
    with Receiver.listening() as receiver:
        yield receiver


def test_from_adding_an_address_to_the_first_event_in_five_calls(
    world: World, dealer: Caller, receiver: Receiver
) -> None:
    address = f"http://127.0.0.1:{receiver.port}/"
    added = dealer.post("subscribers/", {**WANTED, "address": address}).json()
    assert dealer.post(f"subscribers/{added['id']}/test/").status_code == 202
    world.job()
    publish()
    assert catch_up(10) == 2
    assert [json.loads(got.body)["type"] for got in receiver.got] == [
        "backline.test.v1",
        "backline.service_order.created.v1",
    ]
    assert all(verified(added["secret"], got.headers, got.body) for got in receiver.got)
    listed = dealer.get("outbound-deliveries/", {"state": "delivered"}).json()["results"]
    assert [row["kind"] for row in listed] == ["service_order.created", "test"]
    shown = dealer.get(f"outbound-deliveries/{listed[0]['id']}/").json()
    assert shown["body"] == receiver.got[1].body.decode()
    [tried] = shown["tries"]
    assert (tried["status"], tried["number"]) == (200, 1)
    assert dealer.post(f"outbound-deliveries/{listed[0]['id']}/replay/").json() == {"count": 1}
    assert catch_up(10) == 1
    assert receiver.got[2].body == receiver.got[1].body


def test_the_secret_is_told_once_and_never_kept_in_the_open(dealer: Caller) -> None:
    first = dealer.post("subscribers/", WANTED, key="once")
    assert first.status_code == 201
    secret = first.json()["secret"]
    assert secret.startswith("whsec_")
    again = dealer.post("subscribers/", WANTED, key="once")
    assert (again.status_code, again.json()) == (201, {**first.json(), "secret": None})
    assert secret not in bytes(IdempotentRequest.objects.get().body).decode()
    assert secret not in dealer.get(f"subscribers/{first.json()['id']}/").content.decode()
    other = dealer.post(f"subscribers/{first.json()['id']}/rotate-secret/", key="twice").json()["secret"]
    assert other != secret
    assert dealer.post(f"subscribers/{first.json()['id']}/rotate-secret/", key="twice").json() == {"secret": None}
    assert SigningSecret.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"address": "http://portal.dealer.example/"}, "address"),
        ({"address": "https://169.254.169.254/latest/"}, "address"),
        ({"address": "https://localhost/"}, "address"),
        ({"address": "https://portal.dealer.example/\r\nX-Evil: 1"}, "address"),
        ({"code": "Portal!"}, "code"),
        ({"event_types": ["line.flown"]}, "event_types"),
        ({"per_second": 0}, "per_second"),
        ({"contact": "nobody"}, "contact"),
        ({"name": " "}, "name"),
        ({"schema_version": 9}, "schema_version"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(dealer: Caller, changes: dict[str, Any], field: str) -> None:
    answer = dealer.post("subscribers/", {**WANTED, **changes})
    assert answer.status_code == 400
    assert any(name.startswith(field) for name in answer.json()["fields"])
    assert not Subscriber.objects.exists()


def test_it_is_changed_switched_off_and_on_again(dealer: Caller) -> None:
    key = dealer.post("subscribers/", WANTED).json()["id"]
    changed = dealer.post(f"subscribers/{key}/change/", {"newest_only": True, "event_types": ["line.placed"]}).json()
    assert (changed["newest_only"], changed["event_types"], changed["name"]) == (True, ["line.placed"], "Portal")
    assert dealer.post(f"subscribers/{key}/change/", {}).json()["code"] == "nothing_to_do"
    off = dealer.post(f"subscribers/{key}/switch-off/").json()
    assert (off["state"], off["off_because"]) == ("off", "by_hand")
    assert dealer.post(f"subscribers/{key}/test/").status_code == 409
    assert dealer.post(f"subscribers/{key}/switch-on/").json()["state"] == "active"
    assert dealer.post(f"subscribers/{key}/switch-on/").status_code == 409


def test_what_happened_since_is_told_on_request(world: World, dealer: Caller) -> None:
    world.job()
    key = dealer.post("subscribers/", WANTED).json()["id"]
    assert not OutboundDelivery.objects.exists()
    since = str(timezone.now() - timedelta(hours=1))
    assert dealer.post(f"subscribers/{key}/replay/", {"since": since}).json() == {"count": 1}
    later = str(timezone.now() + timedelta(hours=1))
    assert dealer.post(f"subscribers/{key}/replay/", {"since": later}).status_code == 400


def test_what_is_anothers_is_not_there(world: World, dealer: Caller, trusted: Caller) -> None:
    row = listen(account(roles.PARTNER, world.ours))
    world.job()
    publish()
    delivery = OutboundDelivery.objects.get()
    for caller in (dealer, trusted):
        assert caller.get("subscribers/").json()["results"] == []
        assert caller.get("outbound-deliveries/").json()["results"] == []
        for path in (f"subscribers/{row.pk}/", f"outbound-deliveries/{delivery.pk}/"):
            assert caller.get(path).status_code == 404
        for deed in ("rotate-secret", "switch-off", "switch-on", "test"):
            assert caller.post(f"subscribers/{row.pk}/{deed}/").status_code == 404
        assert caller.post(f"subscribers/{row.pk}/change/", {"name": "Mine"}).status_code == 404
        assert caller.post(f"outbound-deliveries/{delivery.pk}/replay/").status_code == 404
    row.refresh_from_db()
    assert row.name == "Portal"
    assert SigningSecret.objects.count() == 1


def test_without_the_scope_there_is_nothing(partner: User) -> None:
    caller = Caller(token_for(partner, ["orders:read"]))
    assert caller.get("subscribers/").status_code == 403
    assert caller.post("subscribers/", WANTED).status_code == 403


def test_of_one_account_there_are_only_so_many(dealer: Caller) -> None:
    answers = [dealer.post("subscribers/", {**WANTED, "code": f"portal-{number}"}) for number in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [409]
    assert dealer.post("subscribers/", {**WANTED, "code": "portal-0"}).status_code == 409


def test_a_list_costs_the_same_whatever_its_length(world: World, dealer: Caller, partner: User) -> None:
    counts = []
    dealer.get("subscribers/")  # now its token is known
    for number in (2, 18):
        for _ in range(number):
            listen(partner)
        world.job()
        publish()
        with statements() as seen:
            assert dealer.get("subscribers/").status_code == 200
            assert dealer.get("outbound-deliveries/").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_declared_form_is_read_by_anybody(client: Any) -> None:
    answer = client.get("/api/v1/event-schemas/event.v1.json")
    assert answer.status_code == 200
    assert answer.json()["$id"] == "event.v1.json"
    assert client.get("/api/v1/event-schemas/event.v9.json").status_code == 404
