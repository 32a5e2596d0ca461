"""Push to phones: a real push service on loopback takes what only the browser's own key reads."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from py_vapid import Vapid02
from pytest_django.fixtures import Settings

from notifications import readers
from notifications.actions import devices
from notifications.models import Address, ChannelSetting, PushDevice
from notifications.statuses import NoticeState
from notifications.transports.push import encoded, public_key
from orders.actions import service_orders
from orders.models import ServiceOrder
from parts import public_hosts
from parts.actors import Actor
from parts.errors import Invalid
from parts.public_hosts import NotPublic
from tests.admin.world import cause
from tests.notifications.receiver import Got, Receiver
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db

ANDROID = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


@dataclass
class Browser:
    """A browser with keys of its own."""

    key: ec.EllipticCurvePrivateKey
    auth: bytes
    endpoint: str

    @classmethod
    def at(cls, endpoint: str) -> Browser:
        return cls(ec.generate_private_key(ec.SECP256R1()), os.urandom(16), endpoint)

    def keys(self) -> dict[str, str]:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "p256dh": encoded(point), "auth": encoded(self.auth)}

    def asks(self, person: User) -> Address:
        at = timezone.now()
        readers.of_person(person.pk, at)
        return devices.tell(**self.keys(), agent=ANDROID, by=Actor.user(person), at=at)

    def reads(self, got: Got) -> dict[str, Any]:
        said = http_ece.decrypt(got.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        return dict(json.loads(said))


@pytest.fixture
def service(settings: Settings) -> Iterator[Receiver]:
    """A push service on loopback; messages leave the house for it."""
    printed = io.StringIO()
    call_command("make_push_keys", stdout=printed, stderr=io.StringIO())
    with Receiver.listening() as receiver:
        settings.VAPID_PRIVATE_KEY = printed.getvalue().strip().partition("=")[2]
        settings.MESSAGES_LEAVE = settings.PUSH_TO_PRIVATE_HOSTS = True
        settings.SITE_URL = "https://backline.example"
        yield receiver


@pytest.fixture
def phone(service: Receiver, technician: User) -> Browser:
    """The technician's phone, which is told."""
    browser = Browser.at(f"http://127.0.0.1:{service.port}/send/one?x=1")
    browser.asks(technician)
    return browser


def job_for(desk: Desk, person: User) -> ServiceOrder:
    """A job of somebody's that has just taken a step, told to its technician by push."""
    only_rule(audience="technician", channel="push", fallbacks=["inbox"])
    job = desk.job("new")
    service_orders.assign(service_order_id=job.pk, technician_id=person.pk, **cause())
    tell()
    service_orders.move(service_order_id=job.pk, to="in_progress", **cause())
    tell()
    return ServiceOrder.objects.get(pk=job.pk)


def test_a_phone_reads_which_order_and_where_it_stands_and_nothing_else(
    desk: Desk, service: Receiver, phone: Browser, technician: User
):
    job = job_for(desk, technician)
    assert sender("push").step() == 1
    (got,) = service.got
    assert got.path == "/send/one?x=1"
    said = phone.reads(got)
    assert (said["title"], said["body"], said["url"]) == (job.reference, "In Progress", f"/t/jobs/{job.pk}/")
    assert set(said) == {"title", "body", "url", "tag", "lang"}
    everything = json.dumps(said)
    for private in (desk.customer.name, job.title, "customer.example", technician.username):
        assert private not in everything
    assert (got.headers["content-encoding"], got.headers["ttl"], got.headers["urgency"]) == (
        "aes128gcm",
        "86400",
        "normal",
    )
    assert got.headers["topic"] == said["tag"]
    assert [one.state for one in notices(channel="push")] == [NoticeState.SENT]


def test_what_is_sent_is_signed_by_the_key_that_the_browser_was_given(
    desk: Desk, service: Receiver, phone: Browser, technician: User
):
    job_for(desk, technician)
    sender("push").step()
    scheme, _space, rest = service.got[0].headers["authorization"].partition(" ")
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, given["k"]) == ("vapid", public_key())
    assert Vapid02.verify(service.got[0].headers["authorization"])
    claims = given["t"].split(".")[1]
    read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert read["aud"] == f"http://127.0.0.1:{service.port}"
    assert read["sub"] == "mailto:backline@localhost"


def test_all_phones_of_a_reader_are_told_and_one_that_is_gone_is_switched_off(
    desk: Desk, service: Receiver, phone: Browser, technician: User
):
    other = Browser.at(f"http://127.0.0.1:{service.port}/send/two")
    other.asks(technician)  # the newest is told first
    job_for(desk, technician)
    service.answers = [410, 201]
    assert sender("push").step() == 1
    assert [got.path for got in service.got] == ["/send/two", "/send/one?x=1"]
    assert [one.state for one in notices(channel="push", thread_kind="service_order")] == [NoticeState.SENT]
    assert {device.endpoint: device.address.state for device in PushDevice.objects.select_related("address")} == {
        phone.endpoint: "confirmed",
        other.endpoint: "off",
    }
    told = notices(thread_kind="address_off")
    assert {one.channel for one in told} == {"inbox", "email", "push"}  # its owner is told by what is left
    assert sender("push", hours=1).step() == 1
    assert phone.reads(service.got[-1])["body"] == "An address for messages was switched off"  # not which


@pytest.mark.parametrize("answer", [404, 410])
def test_news_go_another_way_where_no_phone_is_left(
    desk: Desk, service: Receiver, phone: Browser, technician: User, answer: int
):
    job_for(desk, technician)
    service.answers = [answer]
    sender("push").step()
    assert [(one.channel, one.state) for one in notices(thread_kind="service_order")] == [
        ("push", NoticeState.DEAD),
        ("inbox", NoticeState.WAITING),
    ]
    assert not Address.objects.usable().filter(channel="push").exists()
    phone.asks(technician)  # asked again, it is told again
    assert Address.objects.usable().filter(channel="push").count() == 1


@pytest.mark.parametrize(("answer", "pause"), [(503, 0), (429, 1_200), (403, 0)])
def test_a_push_service_that_does_not_take_it_now_is_asked_again(
    desk: Desk, service: Receiver, phone: Browser, technician: User, answer: int, pause: int
):
    job_for(desk, technician)
    service.answers, service.headers = [answer], {"Retry-After": str(pause)} if pause else {}
    sender("push").step()
    (notice,) = notices(channel="push")
    assert (notice.state, notice.attempts) == (NoticeState.WAITING, 1)
    assert (notice.due_at - timezone.now()).total_seconds() >= pause - 5
    assert ChannelSetting.objects.get(channel="push").failing_since
    sender("push", hours=1).step()
    notice.refresh_from_db()
    assert notice.state == NoticeState.SENT


def test_nobody_is_followed_elsewhere(desk: Desk, service: Receiver, phone: Browser, technician: User):
    job_for(desk, technician)
    service.answers, service.headers = [302], {"Location": f"http://127.0.0.1:{service.port}/inside"}
    sender("push").step()
    assert [got.path for got in service.got] == ["/send/one?x=1"]
    assert notices(channel="push")[0].state == NoticeState.WAITING


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "https://push.example:8443/x",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://0x7f.1/x",
        "https://2130706433/x",
        "https://10.0.0.1./x",
        "https://metadata.google.internal/x",
        "https://printer.local/x",
        "https://user@push.example/x",
        "https://push.example:x/",
        "https://push.éxample/",
        "ftp://push.example/",
        "//push.example/",
        "",
        "https://push.example/" + "x" * 1_000,
    ],
)
def test_an_address_that_is_not_a_public_push_service_is_refused(technician: User, endpoint: str):
    with pytest.raises(Invalid):
        Browser.at(endpoint).asks(technician)
    assert not PushDevice.objects.exists()


@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1", "192.168.1.1"],
)
def test_a_name_that_leads_inside_is_not_posted_to(monkeypatch: pytest.MonkeyPatch, number: str):
    asked = []

    def lookup(host: str, port: int, **_more: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", ("93.184.216.34", port)), (0, 0, 0, "", (number, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(NotPublic):
        public_hosts.post("https://push.example/x", b"", {}, 1)
    assert asked == ["push.example"]  # once: no second answer is believed


@pytest.mark.parametrize(
    "wrong", [{"p256dh": "AAAA"}, {"auth": "AAAA"}, {"p256dh": "ä"}, {"p256dh": "B" * 87}, {"auth": "%%"}, {"auth": ""}]
)
def test_keys_that_are_none_are_refused(technician: User, wrong: dict[str, str]):
    readers.of_person(technician.pk, timezone.now())
    keys = Browser.at("https://push.example/x").keys() | wrong
    with pytest.raises(Invalid):
        devices.tell(**keys, agent="", by=Actor.user(technician), at=timezone.now())


def test_a_phone_is_one_persons_and_says_what_it_is(technician: User, dispatcher: User):
    phone = Browser.at("https://push.example/x")
    first = phone.asks(technician)
    assert first.value.startswith("Chrome, Android · ")
    assert phone.asks(technician).pk == first.pk
    second = phone.asks(dispatcher)
    first.refresh_from_db()
    assert (first.state, first.off_reason, second.state) == ("off", "replaced", "confirmed")
    assert PushDevice.objects.get().address_id == second.pk
    devices.tell_no_more(endpoint=phone.endpoint, by=Actor.user(technician), at=timezone.now())  # not theirs
    assert Address.objects.usable().filter(channel="push").count() == 1
    for _ in range(2):
        devices.tell_no_more(endpoint=phone.endpoint, by=Actor.user(dispatcher), at=timezone.now())
    assert not Address.objects.usable().filter(channel="push").exists()


def test_of_too_many_phones_the_oldest_is_told_no_more(technician: User):
    for number in range(devices.MOST + 1):
        Browser.at(f"https://push.example/{number}").asks(technician)
    states = list(Address.objects.filter(channel="push").order_by("confirmed_at").values_list("state", flat=True))
    assert states == ["off"] + ["confirmed"] * devices.MOST
