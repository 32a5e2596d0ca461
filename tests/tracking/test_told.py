"""How the contact of a link is told: the page, its forms, and whoever else holds the link."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.tracking import limits
from notifications import letters, links, standing
from notifications.actions.feedback import token_of
from notifications.models import Address, Notice, Recipient
from notifications.statuses import FOR_EVER
from orders.actions import tracking
from orders.models import Customer, TrackingLink
from tests.admin.world import cause
from tests.tracking.world import Tracked

pytestmark = pytest.mark.django_db


class Told(Tracked):
    """A customer's contact with the link that a message brought them."""

    def __init__(self) -> None:
        super().__init__()
        reached = {"email": "ada@customer.example", "phone": "+493012345678"}
        Customer.objects.filter(pk=self.customer.pk).update(**reached)
        self.reader = Recipient.objects.create(customer=self.customer, name="Ada", is_main=True)
        for channel, value in (("email", "ada@customer.example"), ("sms", "+493012345678")):
            Address.objects.create(
                recipient=self.reader, channel=channel, value=value, state="confirmed", confirmed_at=timezone.now()
            )
        at = timezone.now()
        notice = Notice(recipient=self.reader, channel="email", due_at=at, caused_at=at)
        notice.thread_kind, notice.thread_id = "service_order", self.job.pk
        found = links.of_notices([notice], standing.read([notice]), at)[self.reader.pk, self.job.pk]
        self.token = found.order.rstrip("/").rpartition("/")[2]

    @property
    def address(self) -> str:
        return f"/track/{getattr(self, 'token', self.issued.token)}/"

    @property
    def here(self) -> str:
        """The address of the page."""
        return f"{self.address}told/"

    def keep(self, **changes: Any) -> Any:
        """Send the form of wishes as it comes, with changes."""
        self.browser.get(self.here)
        wanted = [str(key) for key in Address.objects.filter(state="confirmed").values_list("pk", flat=True)]
        asked = {"wanted": wanted, "kinds": ["steps", "parts", "days", "notes"], "mute": "no"}
        return self.browser.post(self.here, asked | {"form_key": self.key()} | changes)

    def name(self, value: str, channel: str = "email", **more: str) -> Any:
        """Send the form of a new address."""
        asked = {"channel": channel, "value": value, "form_key": self.key()}
        return self.browser.post(f"{self.here}address/", asked | more)

    def key(self) -> str:
        """What the page's forms carry unseen."""
        found = re.search(r'name="form_key" value="([^"]+)"', self.browser.get(self.here).content.decode())
        return found[1] if found else ""

    def now_reader(self) -> Recipient:
        return Recipient.objects.get(pk=self.reader.pk)


@pytest.fixture(autouse=True)
def _nobody_tried() -> None:
    limits.wrong_links.empty_all()
    limits.sent_forms.empty_all()


@pytest.fixture
def told() -> Told:
    return Told()


def test_the_page_says_how_one_is_told_and_shows_no_address_in_full(told: Told) -> None:
    assert told.here in told.page(), "the order's page leads there"
    page = told.browser.get(told.here).content.decode()
    assert "a…@c….example" in page
    assert "ada@customer.example" not in page
    assert "12345678" not in page
    assert "what the law asks to be told, comes in any case" in page


def test_wishes_are_kept(told: Told) -> None:
    answer = told.keep(kinds=["parts"], language="de", quiet_from="22:00", quiet_until="06:00", mute="ever")
    assert answer.status_code == 302
    reader = told.now_reader()
    assert (reader.language, reader.unwanted_kinds, reader.muted_until) == ("de", ["days", "notes", "steps"], FOR_EVER)
    page = told.browser.get(answer.url).content.decode()
    assert "Gespeichert." in page  # in the language that was chosen just now
    assert 'value="ever" selected' in page
    assert Notice.objects.filter(thread_kind=letters.WISHES, recipient=reader).exists(), "the contact is told"
    told.keep()
    assert told.now_reader().muted_until is None


def test_mute_until_a_day_is_of_the_readers_zone(told: Told) -> None:
    day = (timezone.now() + timedelta(days=9)).date()
    told.keep(mute="until", muted_until=day.isoformat(), time_zone="Pacific/Kiritimati")
    muted = told.now_reader().muted_until
    assert muted
    assert muted.astimezone(timezone.get_fixed_timezone(14 * 60)).isoformat() == f"{day}T00:00:00+14:00"
    assert f'value="{day}"' in told.browser.get(told.here).content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mute": "until"}, "Choose a day."),
        ({"mute": "until", "muted_until": "2001-01-01"}, "This has passed."),
        ({"quiet_from": "22:00"}, "Quiet hours have a beginning and an end."),
        ({"quiet_from": "late"}, "Enter a valid time."),
        ({"language": "tlh"}, "Select a valid choice."),
        ({"wanted": ["0191d2f0-0000-7000-8000-000000000000"]}, "Select a valid choice."),
        ({"kinds": ["everything"]}, "Select a valid choice."),
        ({"form_key": "forged"}, "This form was open for too long"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(told: Told, wrong: dict[str, Any], said: str) -> None:
    answer = told.keep(**wrong)
    assert answer.status_code in (400, 403)
    assert said in answer.content.decode()
    assert told.now_reader().history.count() == 1


def test_a_new_address_is_asked_for_at_the_old_one(told: Told) -> None:
    answer = told.name("new@customer.example")
    assert answer.status_code == 302
    assert "We have asked at the address that we have" in told.browser.get(answer.url).content.decode()
    waiting = Address.objects.get(value="new@customer.example")
    letter = Notice.objects.get(thread_kind=letters.ALLOW)
    assert (letter.thread_id, letter.channel) == (waiting.pk, "email")
    page = f"/messages/allow/{letters.allowance_of(waiting)}/"
    stranger = Client()
    assert "new@customer.example" in stranger.get(page).content.decode()
    waiting.refresh_from_db()
    assert waiting.confirmation_hash is None, "opening the page says nothing"
    assert stranger.post(page, {"is_right": "maybe"}).status_code == 200
    assert not Notice.objects.filter(thread_kind=letters.CONFIRM).exists()
    assert "We have asked at" in stranger.post(page, {"is_right": "yes"}).content.decode()
    assert Notice.objects.filter(thread_kind=letters.CONFIRM, thread_id=waiting.pk).exists()
    assert stranger.get(page).status_code == 404
    assert stranger.get("/messages/allow/nonsense/").status_code == 404


@pytest.mark.parametrize(("channel", "value"), [("email", "nonsense"), ("sms", "0170 1"), ("push", "x"), ("email", "")])
def test_what_is_no_address_is_refused_in_place(told: Told, channel: str, value: str) -> None:
    answer = told.name(value, channel)
    assert answer.status_code == 400
    assert value in answer.content.decode()
    assert Address.objects.count() == 2


def test_a_stranger_learns_nothing_of_the_addresses(told: Told) -> None:
    right, wrong = told.name("ada@customer.example"), told.name("eve@elsewhere.example")
    assert (right.status_code, right.url) == (wrong.status_code, wrong.url)


def test_forms_from_elsewhere_and_too_many_are_refused(told: Told) -> None:
    assert told.name("eve@elsewhere.example", form_key="forged").status_code == 403
    assert Client().post(told.here, {"mute": "ever"}).status_code == 403
    codes = {told.keep().status_code for _ in range(limits.FORMS_AT_ONCE + 1)}
    assert 429 in codes


def test_a_link_that_staff_made_says_nobodys_wishes(told: Told) -> None:
    del told.token
    page = told.browser.get(told.here).content.decode()
    assert "This link was not sent to you in a message." in page
    assert "a…@c….example" not in page
    tracked_reader = told.now_reader()
    assert told.browser.post(told.here, {"mute": "ever", "form_key": told.key()}).status_code in (403, 409)
    assert told.now_reader().muted_until == tracked_reader.muted_until


def test_wrong_revoked_and_foreign_links_get_the_same_answer(told: Told) -> None:
    link = TrackingLink.objects.get(requester__contains=str(told.reader.pk))
    key = told.key()
    tracking.revoke(link_id=link.pk, **cause())
    revoked = told.browser.get(told.here)
    wrong = told.browser.get("/track/0123456789abcdef0123456789abcdef/told/")
    assert (revoked.status_code, revoked.content) == (404, wrong.content)
    assert told.browser.post(told.here, {"mute": "ever", "form_key": key}).status_code == 404
    assert told.browser.post(f"{told.here}address/", {"form_key": key}).status_code == 404
    assert told.now_reader().muted_until is None


def test_another_contacts_address_cannot_be_ticked(told: Told) -> None:
    other = Recipient.objects.create(customer=told.customer, name="Bob")
    theirs = Address.objects.create(
        recipient=other, channel="email", value="bob@customer.example", state="confirmed", confirmed_at=timezone.now()
    )
    assert told.keep(wanted=[str(theirs.pk)]).status_code == 400
    theirs.refresh_from_db()
    assert theirs.is_wanted


def test_the_page_is_in_the_contacts_language_and_a_choice_there_changes_it(told: Told) -> None:
    def spoken(address: str = "", **query: str) -> str:
        answer = told.browser.get(address or told.here, query, headers={"accept-language": "es"})
        return str(answer["Content-Language"])

    Customer.objects.filter(pk=told.customer.pk).update(language="es")
    assert (spoken(), spoken(told.address)) == ("es", "es")
    Recipient.objects.filter(pk=told.reader.pk).update(language="de")
    assert (spoken(), spoken(told.address)) == ("de", "de")
    assert spoken(language="en") == "en"
    assert spoken() == "en"  # what was chosen by hand in this browser stays
    assert told.keep(language="es").status_code == 302
    assert (spoken(), told.now_reader().language) == ("es", "es")
    told.keep(language="")
    assert spoken() == "es"  # the customer's, as in their account


def test_who_was_told_by_sms_says_on_the_orders_page_whether_it_was_clear(told: Told) -> None:
    assert "Was our last message clear?" not in told.browser.get(told.address).content.decode()
    at = timezone.now()
    notice = Notice.objects.create(
        recipient=told.reader,
        channel="sms",
        thread_kind="service_order",
        thread_id=told.job.pk,
        due_at=at,
        caused_at=at,
        state="sent",
        handed_over_at=at,
    )
    page = told.browser.get(told.address).content.decode()
    assert "Was our last message clear?" in page
    assert f'href="/messages/clear/{token_of(notice.pk)}/"' in page
    assert told.browser.get(f"/messages/clear/{token_of(notice.pk)}/").status_code == 200
    made_by_staff = told.browser.get(f"/track/{told.issued.token}/").content.decode()  # nobody's link asks nobody
    assert "Was our last message clear?" not in made_by_staff


def test_the_page_needs_no_script_and_speaks_the_customers_language(told: Told) -> None:
    page = told.browser.get(told.here, {"language": "de"}).content.decode()
    assert '<html lang="de"' in page
    for inline in (" style=", "<style", "<script>", "onclick", "hx-", "javascript:"):
        assert inline not in page
