"""How one wants to be told, and addresses of one's own: nothing goes there before whoever reads there says yes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.tracking.limits import wrong_links
from notifications import letters, readers
from notifications.actions import addresses
from notifications.models import Address, Notice, Recipient
from notifications.sending import addresses_of
from notifications.statuses import Channel, OffReason
from parts.actors import Actor
from parts.errors import Invalid, NotFound
from tests.messages.told import deliver
from tests.notifications.telling import sender
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db
PREFERENCES, NEW = "/messages/preferences/", "/messages/preferences/addresses/"
PHONE = "+49 170 123 45 67"
KEPT = "+491701234567"


@pytest.fixture(autouse=True)
def _nobody_tried_links() -> None:
    wrong_links.empty_all()


@pytest.fixture
def client(dispatcher: User) -> Client:
    """A dispatcher who is signed in."""
    client = Client()
    client.force_login(dispatcher)
    return client


def wishes(**changes: object) -> dict[str, object]:
    return {"language": "", "time_zone": "", "digest_hour": "7", **changes}


def asked(client: Client, channel: str = "sms", value: str = PHONE) -> Address:
    """Name an address; return it."""
    assert client.post(NEW, {"channel": channel, "value": value}).status_code == 302
    return Address.objects.get(state="unconfirmed")


def confirmation(channel: str = Channel.SMS) -> str:
    """Hand over what waits on a channel; return the address of the page that the last of it leads to."""
    deliver(channel)
    found = re.search(r"http://[^/]+(/messages/confirm/\S+)", Notice.objects.filter(channel=channel).latest("id").text)
    assert found
    return found[1]


# --- Wishes -----------------------------------------------------------------------------------------------------------


def test_wishes_are_kept_and_shown_again(desk: Desk, client: Client, dispatcher: User):
    assert client.get(PREFERENCES).status_code == 200
    region = str(desk.customer.region_id)
    sent = wishes(
        language="de",
        time_zone="Europe/Berlin",
        quiet_from="22:00",
        quiet_until="06:30",
        digest_hour="9",
        muted_until="2099-01-01T08:00",
        regions=[region],
    )
    assert client.post(PREFERENCES, sent)["Location"] == PREFERENCES
    reader = Recipient.objects.get(user=dispatcher)
    assert (reader.language, reader.time_zone, reader.digest_hour) == ("de", "Europe/Berlin", 9)
    assert (str(reader.quiet_from), str(reader.quiet_until)) == ("22:00:00", "06:30:00")
    assert [str(key) for key in reader.regions] == [region]
    said = client.get(PREFERENCES).content.decode()
    for shown in ('value="22:00"', 'value="2099-01-01T08:00"', '<option value="Europe/Berlin" selected'):
        assert shown in said
    # Unticked: the address of the account is written to no more.
    assert not Address.objects.get(recipient=reader, channel="email").is_wanted


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"quiet_from": "22:00"}, "Quiet hours have a beginning and an end."),
        ({"muted_until": "2001-01-01T08:00"}, "This has passed."),
        ({"language": "xx"}, "Select a valid choice"),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
        ({"digest_hour": "24"}, "Select a valid choice"),
        ({"regions": ["01a204eb-97ef-7634-b426-296eec5c1407"]}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_in_place(desk: Desk, client: Client, change: dict[str, object], says: str):
    response = client.post(PREFERENCES, wishes(**change))
    assert response.status_code == 422
    assert says in response.content.decode()


def test_it_says_that_safety_cannot_be_muted(client: Client, desk: Desk):
    assert "cannot be muted" in client.get(PREFERENCES).content.decode()


# --- An address of one's own ------------------------------------------------------------------------------------------


def test_an_address_is_asked_and_only_then_written_to(desk: Desk, client: Client, dispatcher: User):
    address = asked(client)
    assert (address.value, address.state) == (KEPT, "unconfirmed")
    page = confirmation()
    notice = Notice.objects.get(recipient__user=dispatcher, channel="sms")
    assert (notice.address, notice.state) == (KEPT, "delivered")
    assert addresses_of([notice]) == {}  # nothing else would go there
    assert bytes(address.confirmation_hash or b"") not in page.encode()
    anybody = Client()
    assert "May we write to this address?" in anybody.get(page).content.decode()
    address.refresh_from_db()
    assert address.state == "unconfirmed"  # programs open links, too
    assert "The address is confirmed" in anybody.post(page).content.decode()
    address.refresh_from_db()
    assert (address.state, address.confirmation_hash) == ("confirmed", None)
    assert addresses_of([notice]) == {notice.pk: KEPT}


def test_a_new_address_takes_the_place_of_the_old_once_it_is_confirmed(desk: Desk, client: Client, dispatcher: User):
    client.get(PREFERENCES)
    old = Address.objects.get(recipient__user=dispatcher, channel="email")
    new = asked(client, "email", "home@example.org")
    old.refresh_from_db()
    assert old.state == "confirmed"
    Client().post(confirmation(Channel.EMAIL))
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, old.off_reason, new.state) == ("off", "replaced", "confirmed")
    readers.of_person(dispatcher.pk, timezone.now())  # the account's address does not come back by itself
    assert Address.objects.filter(recipient__user=dispatcher, channel="email", state="confirmed").get() == new
    client.post(reverse("messages:remove-address", args=[new.pk]))
    readers.of_person(dispatcher.pk, timezone.now())
    assert Address.objects.get(recipient__user=dispatcher, state="confirmed").value == old.value


def test_a_confirmation_works_once(desk: Desk, client: Client):
    asked(client)
    page = confirmation()
    assert Client().post(page).status_code == 200
    assert Client().post(page).status_code == 404
    assert Client().get(page).status_code == 404


def test_a_confirmation_lapses(desk: Desk, client: Client):
    address = asked(client)
    token = letters.token_of(address)
    late = timezone.now() + letters.CONFIRM_WITHIN + timedelta(seconds=1)
    with pytest.raises(addresses.ConfirmationEnded):
        addresses.confirm(token=token, at=late)
    assert sender(Channel.SMS, at=late).step() == 1
    assert Notice.objects.get(channel="sms").state == "dropped"  # what would no longer work is not sent


def test_asking_again_ends_the_asking_before(desk: Desk, client: Client):
    asked(client)
    before = confirmation()
    asked(client)
    assert Client().post(before).status_code == 404
    assert Client().post(confirmation()).status_code == 200


def test_tokens_cannot_be_guessed_one_after_the_other(desk: Desk, client: Client):
    answers = [Client().get(f"/messages/confirm/guess-{number}/").status_code for number in range(12)]
    assert answers[:10] == [404] * 10
    assert 429 in answers


def test_an_address_is_asked_so_often_a_day_and_no_oftener(desk: Desk, client: Client, manager: User):
    for number in range(addresses.MOST_A_DAY):
        asked(client, value=f"+4917012345{number:02}")
    response = client.post(NEW, {"channel": "sms", "value": PHONE})
    assert response.status_code == 422
    assert "Try again tomorrow" in response.content.decode()
    # Nor is one address asked by everybody in turn.
    at = timezone.now()
    readers.of_person(manager.pk, at)
    for _ in range(addresses.MOST_OF_AN_ADDRESS):
        addresses.name_address(channel="sms", value=PHONE, by=Actor.user(manager), at=at)
        deliver(Channel.SMS)
    with pytest.raises(addresses.AskedTooOften):
        addresses.name_address(channel="sms", value=PHONE, by=Actor.user(manager), at=at)


@pytest.mark.parametrize(
    ("channel", "value"),
    [("email", "nobody"), ("email", "a@b.example\nBcc: c@d.example"), ("sms", "112"), ("chat", "two words")],
)
def test_what_is_no_address_is_not_asked(desk: Desk, client: Client, channel: str, value: str):
    assert client.post(NEW, {"channel": channel, "value": value}).status_code == 422
    assert not Address.objects.filter(state="unconfirmed").exists()


def test_a_phone_page_is_no_address_to_be_named(desk: Desk, dispatcher: User):
    readers.of_person(dispatcher.pk, timezone.now())
    with pytest.raises(Invalid):
        addresses.name_address(channel="push", value="https://p", by=Actor.user(dispatcher), at=timezone.now())


def test_other_peoples_addresses_cannot_be_removed(desk: Desk, client: Client, manager: User):
    address = asked(client)
    other = Client()
    other.force_login(manager)
    assert other.post(reverse("messages:remove-address", args=[address.pk])).status_code == 404
    readers.of_person(manager.pk, timezone.now())
    with pytest.raises(NotFound):
        addresses.give_up(address_id=address.pk, by=Actor.user(manager), at=timezone.now())
    address.refresh_from_db()
    assert address.state == "unconfirmed"


def test_a_form_from_elsewhere_changes_nothing(desk: Desk, dispatcher: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(dispatcher)
    assert client.post(PREFERENCES, wishes()).status_code == 403
    assert client.post(NEW, {"channel": "sms", "value": PHONE}).status_code == 403


def test_the_owner_is_told_when_an_address_was_switched_off(desk: Desk, client: Client, dispatcher: User):
    asked(client)
    Client().post(confirmation())
    reader = Recipient.objects.get(user=dispatcher)
    now = timezone.now()
    addresses.switch_off(channel="sms", values=[KEPT], reason=OffReason.BOUNCED, at=now, since=now, recipient=reader.pk)
    deliver(Channel.INBOX)
    deliver(Channel.EMAIL)
    told = Notice.objects.filter(thread_kind=letters.SWITCHED_OFF)
    assert {(one.channel, one.state) for one in told} == {("inbox", "delivered"), ("email", "delivered")}
    assert all(KEPT in one.text for one in told)
    said = client.get("/messages/").content.decode()
    assert "An address for messages was switched off" in said
    assert "Messages came back" in client.get(PREFERENCES).content.decode()
