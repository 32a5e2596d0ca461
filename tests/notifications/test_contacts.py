"""What contacts say by their link: told less at once, told elsewhere only with the word of who is told now."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from notifications import contacts, letters, readers
from notifications.actions import addresses
from notifications.actions import contacts as deeds
from notifications.actions.addresses import AskedTooOften, ConfirmationEnded
from notifications.actions.contacts import NobodysLink, NowhereToAsk, Wishes
from notifications.models import Address, Message, Notice, Recipient
from notifications.statuses import FOR_EVER, Channel, Kind, kind_of
from orders.actions import service_orders, tracking
from orders.actions.tracking import LinkEnded, TooMuch
from orders.models import ServiceOrder, TrackingLink
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, Refused
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import TOLD, Desk

pytestmark = pytest.mark.django_db


def move(job: ServiceOrder, to: str) -> None:
    """Walk a job one step."""
    service_orders.move(service_order_id=job.pk, to=to, **TOLD)


class Contact:
    """The contact of the desk's customer, who got a message with a link to their job."""

    def __init__(self, desk: Desk) -> None:
        only_rule()
        self.job: ServiceOrder = desk.job("new")
        move(self.job, "in_progress")
        tell()
        sender().step()
        [notice] = notices(state="delivered")
        self.text = notice.text
        self.reader: Recipient = notice.recipient
        self.link = TrackingLink.objects.get()

    def told(self, **more: Any) -> dict[str, Any]:
        return {"link_id": self.link.pk, "by": tracking.holder(self.link), "at": timezone.now(), **more}

    def wishes(self, **changes: Any) -> Wishes:
        wanted = list(Address.objects.filter(recipient=self.reader).values_list("pk", flat=True))
        asked: dict[str, Any] = {
            "language": "",
            "time_zone": "",
            "quiet_from": None,
            "quiet_until": None,
            "muted_until": None,
            "wanted": wanted,
            "unwanted": [],
        }
        return Wishes(**asked | changes)

    def address(self, channel: str = "email") -> Address:
        return Address.objects.get(recipient=self.reader, channel=channel, state="confirmed")


@pytest.fixture
def contact(desk: Desk) -> Contact:
    return Contact(desk)


def last_link(kind: str, channel: str = Channel.EMAIL, page: str = "allow") -> str:
    """Hand over what waits on a channel, and return the token of the page that the last letter leads to."""
    sender(channel, hours=0.1).step()
    notice = Notice.objects.filter(thread_kind=kind, channel=channel).latest("id")
    found = re.search(rf"/messages/{page}/(\S+)/", notice.text)
    assert found, notice.text
    return found[1]


def test_a_link_that_came_in_a_message_knows_its_reader_and_one_that_staff_made_knows_nobody(contact: Contact) -> None:
    assert contacts.reader_of(contact.link) == contact.reader
    made = tracking.issue(service_order_id=contact.job.pk, requester=f"Eve ({contact.reader.pk})", **TOLD).link
    assert contacts.reader_of(made) is None, "whoever writes a reader's key into a link does not become that reader"


def test_a_reader_of_another_customer_is_not_the_links(contact: Contact, desk: Desk) -> None:
    other = Recipient.objects.create(customer=Desk().customer, name="Eve")
    contact.link.requester = f"Eve ({other.pk})"
    assert contacts.reader_of(contact.link) is None


def test_wishes_are_kept_with_the_link_that_said_them_and_the_contact_is_told(contact: Contact, manager: User) -> None:
    wishes = contact.wishes(
        language="de", time_zone="Europe/Berlin", quiet_from=time(22), quiet_until=time(6), unwanted=["days"]
    )
    assert deeds.change(wishes=wishes, **contact.told())
    reader = Recipient.objects.get(pk=contact.reader.pk)
    assert (reader.language, reader.time_zone, reader.unwanted_kinds) == ("de", "Europe/Berlin", ["days"])
    kept = reader.history.latest()
    assert (kept.history_change_reason, kept.history_user) == (f"link:{contact.link.pk}", None)
    assert not deeds.change(wishes=wishes, **contact.told()), "the same again changes nothing"
    [letter] = notices(thread_kind=letters.WISHES)
    at = datetime(2026, 7, 1, 12, tzinfo=timezone.get_default_timezone())
    sender(at=max(at, timezone.now() + timedelta(hours=12))).step()
    letter.refresh_from_db()
    assert letter.address == "ada@customer.example"
    assert "geändert" in letter.subject


def test_who_unticks_all_is_told_of_that_at_the_address_that_was_unticked(contact: Contact) -> None:
    deeds.change(wishes=contact.wishes(wanted=[]), **contact.told())
    sender(hours=0.1).step()
    [letter] = notices(thread_kind=letters.WISHES)
    assert letter.address == "ada@customer.example"


def test_muted_for_ever_means_that_nothing_comes_but_what_cannot_be_muted(contact: Contact, desk: Desk) -> None:
    deeds.change(wishes=contact.wishes(muted_until=FOR_EVER), **contact.told())
    move(contact.job, "awaiting_parts")
    tell()
    assert Message.objects.latest("id").unheard == "muted"
    only_rule(cannot_be_muted=True)
    move(contact.job, "in_progress")
    tell()
    assert Message.objects.latest("id").unheard == ""


def test_a_kind_that_is_not_wanted_does_not_come_and_others_do(contact: Contact, desk: Desk) -> None:
    deeds.change(wishes=contact.wishes(unwanted=["steps"]), **contact.told())
    move(contact.job, "awaiting_parts")
    tell()
    assert Message.objects.latest("id").unheard == "unwanted"
    deeds.change(wishes=contact.wishes(unwanted=["parts", "notes", "days"]), **contact.told())
    move(contact.job, "in_progress")
    tell()
    assert Message.objects.latest("id").unheard == ""
    only_rule(cannot_be_muted=True)
    deeds.change(wishes=contact.wishes(unwanted=Kind.values), **contact.told())
    move(contact.job, "awaiting_parts")
    tell()
    assert Message.objects.latest("id").unheard == ""


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("service_order.status_changed", "steps"),
        ("service_order.rescheduled", "days"),
        ("line.promise_changed", "days"),
        ("line.status_changed", "parts"),
        ("back_order.opened", "parts"),
        ("note.added", "notes"),
        ("tracking.link_issued", ""),
    ],
)
def test_events_are_of_kinds_that_customers_tell_apart(event: str, kind: str) -> None:
    assert kind_of(event) == kind


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "tlh"},
        {"time_zone": "Nowhere/Land"},
        {"quiet_from": time(22)},
        {"muted_until": timezone.now() - timedelta(days=1)},
        {"unwanted": ["everything"]},
    ],
)
def test_wishes_that_cannot_be_are_refused_and_nothing_changes(contact: Contact, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        deeds.change(wishes=contact.wishes(**wrong), **contact.told())
    assert notices(thread_kind=letters.WISHES) == []


def test_a_link_does_not_more_than_a_days_measure(contact: Contact, settings: Any) -> None:
    settings.TRACKING_DEEDS_PER_DAY = 2
    for hour in (1, 2):
        deeds.change(wishes=contact.wishes(quiet_from=time(hour), quiet_until=time(6)), **contact.told())
    with pytest.raises(TooMuch):
        deeds.change(wishes=contact.wishes(quiet_from=time(3), quiet_until=time(6)), **contact.told())


# --- Another address --------------------------------------------------------------------------------------------------


def test_a_new_address_needs_the_word_of_the_old_one_and_its_own(contact: Contact) -> None:
    asked = deeds.name_address(channel="email", value="new@customer.example", **contact.told())
    assert asked == "a…@c….example"
    allowance = last_link(letters.ALLOW)
    assert notices(thread_kind=letters.ALLOW)[0].address == "ada@customer.example"
    assert notices(thread_kind=letters.CONFIRM) == [], "the new one is not asked before the old one allows it"
    deeds.allow(token=allowance, is_right=True, at=timezone.now())
    assert contact.address().value == "ada@customer.example", "nor is it written to before it is confirmed"
    confirmation = last_link(letters.CONFIRM, page="confirm")
    assert notices(thread_kind=letters.CONFIRM)[0].address == "new@customer.example"
    addresses.confirm(token=confirmation, at=timezone.now())
    assert contact.address().value == "new@customer.example"
    for token in (allowance, confirmation):
        with pytest.raises(ConfirmationEnded):
            deeds.allow(token=token, is_right=True, at=timezone.now())


def test_whoever_reads_at_the_old_address_may_say_no(contact: Contact) -> None:
    deeds.name_address(channel="email", value="eve@elsewhere.example", **contact.told())
    deeds.allow(token=last_link(letters.ALLOW), is_right=False, at=timezone.now())
    assert Address.objects.get(value="eve@elsewhere.example").state == "off"
    assert notices(thread_kind=letters.CONFIRM) == []


def test_a_stranger_with_a_link_finds_out_no_address_and_changes_none(contact: Contact) -> None:
    """They name the one that is right and one that is not, and both look the same."""
    same = deeds.name_address(channel="email", value="ada@customer.example", **contact.told())
    other = deeds.name_address(channel="email", value="eve@elsewhere.example", **contact.told())
    assert same == other
    assert contact.address().value == "ada@customer.example"
    waits = Address.objects.get(value="eve@elsewhere.example")
    assert waits.state == "unconfirmed"
    assert addresses.to_confirm(letters.token_of(waits), timezone.now()) is None, "its own word alone is not enough"


def test_an_allowance_lapses_after_two_days(contact: Contact) -> None:
    deeds.name_address(channel="email", value="new@customer.example", **contact.told())
    token = last_link(letters.ALLOW)
    with pytest.raises(ConfirmationEnded):
        deeds.allow(token=token, is_right=True, at=timezone.now() + timedelta(hours=49))


def test_where_nobody_can_be_asked_no_address_is_taken(contact: Contact) -> None:
    Address.objects.filter(recipient=contact.reader).update(
        state="off", off_at=timezone.now(), off_reason="bounced", confirmation_hash=None
    )
    with pytest.raises(NowhereToAsk):
        deeds.name_address(channel="email", value="eve@elsewhere.example", **contact.told())


def test_addresses_are_named_a_few_times_a_day(contact: Contact) -> None:
    for number in range(addresses.MOST_A_DAY):
        deeds.name_address(channel="email", value=f"eve{number}@elsewhere.example", **contact.told())
    with pytest.raises(AskedTooOften):
        deeds.name_address(channel="email", value="more@elsewhere.example", **contact.told())
    with pytest.raises(AskedTooOften):
        deeds.name_address(channel="email", value="ada@customer.example", **contact.told())


def test_an_address_that_waits_for_its_owners_word_is_not_pushed_out_by_a_link(contact: Contact, manager: User) -> None:
    deeds.enter_address(
        reader_id=contact.reader.pk, channel="email", value="office@customer.example", **told_by(manager)
    )
    with pytest.raises(Refused):
        deeds.name_address(channel="email", value="eve@elsewhere.example", **contact.told())
    assert Address.objects.get(value="office@customer.example").state == "unconfirmed"


def test_by_another_link_or_one_that_ended_nothing_is_done(contact: Contact) -> None:
    other = tracking.issue(service_order_id=contact.job.pk, **TOLD | {"at": timezone.now()}).link
    with pytest.raises(Forbidden):
        deeds.change(wishes=contact.wishes(), **contact.told(by=tracking.holder(other)))
    with pytest.raises(NobodysLink):
        deeds.change(wishes=contact.wishes(), **contact.told(link_id=other.pk, by=tracking.holder(other)))
    tracking.revoke(link_id=contact.link.pk, **TOLD)
    with pytest.raises(LinkEnded):
        deeds.change(wishes=contact.wishes(muted_until=FOR_EVER), **contact.told())
    with pytest.raises(LinkEnded):
        deeds.name_address(channel="email", value="eve@elsewhere.example", **contact.told())


def test_addresses_are_masked() -> None:
    assert contacts.masked("email", "ada@customer.example") == "a…@c….example"
    assert contacts.masked("email", "x@localhost") == "x…@l…"
    assert contacts.masked("sms", "+493012345678") == "+49 … 78"
    assert contacts.masked("chat", "@ada") == "@a…"


# --- What cannot be muted, and what was unticked ----------------------------------------------------------------------


def reached(desk: Desk, job: ServiceOrder, to: str) -> Notice | None:
    """Move a job and return the notice that says it; None where nobody is told."""
    move(job, to)
    tell()
    return Message.objects.select_related("notice").latest("id").notice


def test_what_cannot_be_muted_prefers_ticked_ways_and_takes_an_unticked_one_last(contact: Contact, desk: Desk) -> None:
    only_rule(cannot_be_muted=True, channel="email")
    email, sms = contact.address("email"), contact.address("sms")
    deeds.change(wishes=contact.wishes(wanted=[sms.pk]), **contact.told())
    notice = reached(desk, contact.job, "awaiting_parts")
    assert notice
    assert notice.channel == "sms", "the rule says email, which is unticked; the SMS is ticked"
    deeds.change(wishes=contact.wishes(wanted=[]), **contact.told())
    notice = reached(desk, contact.job, "in_progress")
    assert notice
    assert notice.channel == "email", "nothing is ticked: the rule's own way"
    sender(hours=1).step()
    notice.refresh_from_db()
    assert (notice.state, notice.address) == ("delivered", email.value)


def test_what_can_be_muted_never_goes_to_an_unticked_address(contact: Contact, desk: Desk) -> None:
    deeds.change(wishes=contact.wishes(wanted=[]), **contact.told())
    assert reached(desk, contact.job, "awaiting_parts") is None
    assert Message.objects.latest("id").unheard == "no_address"


def test_news_that_wait_while_their_address_is_unticked_are_not_sent_there(contact: Contact, desk: Desk) -> None:
    notice = reached(desk, contact.job, "awaiting_parts")
    assert notice
    deeds.change(wishes=contact.wishes(wanted=[]), **contact.told())
    sender(hours=1).step()
    notice.refresh_from_db()
    assert (notice.state, notice.address) == ("dead", "")


def test_what_cannot_be_muted_falls_back_to_an_unticked_address_where_the_ticked_one_is_dead(
    contact: Contact, desk: Desk
) -> None:
    only_rule(cannot_be_muted=True, channel="sms")
    email = contact.address("email")
    deeds.change(wishes=contact.wishes(wanted=[contact.address("sms").pk]), **contact.told())
    notice = reached(desk, contact.job, "awaiting_parts")
    assert notice
    assert notice.channel == "sms"
    Address.objects.filter(recipient=contact.reader, channel="sms").update(
        state="off", off_at=timezone.now(), off_reason="bounced"
    )
    sender("sms", hours=1).step()
    notice.refresh_from_db()
    assert (notice.state, notice.fell_back) == ("dead", True)
    sender("email", hours=2).step()
    assert Notice.objects.filter(channel="email", thread_id=contact.job.pk).latest("id").address == email.value


# --- People of the house ----------------------------------------------------------------------------------------------


def told_by(person: User) -> dict[str, Any]:
    return {"by": Actor.user(person), "source": "test", "at": timezone.now()}


def test_what_staff_enters_is_asked_and_what_it_switches_off_is_told(contact: Contact, manager: User) -> None:
    address = deeds.enter_address(
        reader_id=contact.reader.pk, channel="sms", value="+49 170 1234567", **told_by(manager)
    )
    assert (address.state, address.value) == ("unconfirmed", "+491701234567")
    deeds.switch_off(address_id=address.pk, **told_by(manager))
    address.refresh_from_db()
    assert (address.state, address.off_reason) == ("off", "staff")
    deeds.switch_off(address_id=address.pk, **told_by(manager))
    with pytest.raises(Refused):
        deeds.switch_off(address_id=contact.address().pk, **told_by(manager))


def test_who_may_not_enters_and_switches_off_nothing(contact: Contact, dispatcher: User, manager: User) -> None:
    with pytest.raises(Forbidden):
        deeds.enter_address(reader_id=contact.reader.pk, channel="sms", value="+491701234567", **told_by(dispatcher))
    with pytest.raises(Forbidden):
        deeds.switch_off(address_id=contact.address().pk, **told_by(dispatcher))
    person = readers.of_person(manager.pk, timezone.now())
    with pytest.raises(Refused):
        deeds.enter_address(reader_id=person.pk, channel="sms", value="+491701234567", **told_by(manager))
