"""Contacts of customers in the back office: seen on the customer's page, edited with a reason, addresses asked for."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from notifications import readers
from notifications.models import Address, Notice, Recipient
from orders.models import Customer
from tests.admin.desk import desk_of, text
from tests.admin.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact() -> Recipient:
    """The main contact of a customer who has an email address."""
    customer = World().customer
    Customer.objects.filter(pk=customer.pk).update(email="ada@customer.example", phone="")
    readers.bring_up_to_date(customers=[customer.pk], users=[], at=timezone.now())
    return Recipient.objects.get(customer=customer, is_main=True)


def page_of(contact: Recipient) -> str:
    return f"/admin/notifications/recipient/{contact.pk}/change/"


def edited(**changes: object) -> dict[str, object]:
    return {"name": "Ada", "language": "", "time_zone": "", "is_active": "on", "change_reason": "", **changes}


def test_the_customers_page_lists_contacts_for_whoever_may_see_them(
    contact: Recipient, manager: User, dispatcher: User
) -> None:
    page = f"/admin/orders/customer/{contact.customer_id}/change/"
    shown = text(desk_of(manager).get(page))
    assert "Contacts for messages" in shown
    assert "ada@customer.example" in shown
    assert "Contacts for messages" not in text(desk_of(dispatcher).get(page))


def test_wishes_are_edited_and_the_history_says_by_whom_and_why(contact: Recipient, manager: User) -> None:
    desk = desk_of(manager)
    form = desk.get(page_of(contact)).context["adminform"].form
    hidden = {f.html_name: f.value() for f in form.hidden_fields()}
    sent = edited(language="de", unwanted_kinds=["days", "steps"], change_reason="She called.")
    assert desk.post(page_of(contact), hidden | sent).status_code == 302
    contact.refresh_from_db()
    assert (contact.language, contact.unwanted_kinds) == ("de", ["days", "steps"])
    kept = contact.history.latest()
    assert (kept.history_user, kept.history_change_reason) == (manager, "She called.")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"language": "tlh"}, "Select a valid choice."),
        ({"time_zone": "Nowhere/Land"}, "zone"),
        ({"quiet_from": "22:00"}, "Quiet hours have a beginning and an end."),
        ({"unwanted_kinds": ["everything"]}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    contact: Recipient, manager: User, wrong: dict[str, object], said: str
) -> None:
    answer = desk_of(manager).post(page_of(contact), edited(**wrong))
    assert answer.status_code == 200
    assert said in text(answer)
    contact.refresh_from_db()
    assert contact.name != "Ada"


def test_an_address_is_entered_asked_and_switched_off(contact: Recipient, manager: User) -> None:
    desk = desk_of(manager)
    enter, off = (f"/admin/notifications/recipient/{contact.pk}/{slug}/" for slug in ("enter-address", "switch-off"))
    assert "Write it with the country" in text(desk.post(enter, {"channel": "sms", "value": "0170"}))
    assert desk.post(enter, {"channel": "sms", "value": "+49 170 1234567"}).status_code == 302
    address = Address.objects.get(channel="sms")
    assert address.state == "unconfirmed"
    assert Notice.objects.filter(thread_kind="confirm", thread_id=address.pk).exists()
    shown = text(desk.get(page_of(contact)))
    assert "+491701234567" in shown
    assert "Manager" in shown, "who changed their addresses"
    assert desk.post(off, {"address": str(address.pk)}).status_code == 302
    address.refresh_from_db()
    assert (address.state, address.off_reason) == ("off", "staff")
    master = Address.objects.get(channel="email")
    assert "change it there" in text(desk.post(off, {"address": str(master.pk)}))


def test_a_further_contact_is_somebodys_and_people_of_the_house_are_not_listed(
    contact: Recipient, manager: User
) -> None:
    desk = desk_of(manager)
    readers.of_person(manager.pk, timezone.now())
    assert "This field is required." in text(desk.post("/admin/notifications/recipient/add/", edited()))
    sent = edited(name="Bob", customer=str(contact.customer_id))
    assert desk.post("/admin/notifications/recipient/add/", sent).status_code == 302
    assert Recipient.objects.get(name="Bob").customer_id == contact.customer_id
    assert desk.get("/admin/notifications/recipient/").context["cl"].result_count == 2
    person = Recipient.objects.get(user=manager)
    assert desk.get(page_of(person)).status_code == 302, "whoever is of the house says it themselves"
