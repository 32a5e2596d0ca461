"""The pages of one's digests: made, tried, changed, stopped; what is another's does not exist."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.messages import digests as pages
from notifications.actions import digests as deeds
from notifications.actions.digests import Wanted
from notifications.models import DigestIssue, DigestSubscription, Notice
from orders.models import PartsOrder, SavedView, ServiceOrder
from parts.actors import Actor
from tests.notifications.telling import sender
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db
LIST, NEW = "/messages/digests/", "/messages/digests/new/"


@pytest.fixture
def client(dispatcher: User) -> Client:
    """A dispatcher who is signed in."""
    client = Client()
    client.force_login(dispatcher)
    return client


def filled(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Mornings",
        "days": "3",
        "hour": "7",
        "weekdays": ["1", "2", "3", "4", "5"],
        "time_zone": "Europe/Berlin",
        "channel": "inbox",
        **changes,
    }


def old(desk: Desk, days: int = 9, **facts: Any) -> ServiceOrder:
    """Open a job that has stood still for so many days by now."""
    job = desk.job("in_progress", begins="new")
    ServiceOrder.objects.filter(pk=job.pk).update(status_since=timezone.now() - timedelta(days=days, hours=1), **facts)
    return job


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def made(person: User, **fields: Any) -> DigestSubscription:
    wanted = Wanted(**{"name": "Mornings", "channel": "inbox", **fields})
    return deeds.make(wanted=wanted, by=Actor.user(person), at=timezone.now())


def test_a_digest_is_made_and_shown(desk: Desk, client: Client, technician: User):
    job = old(desk, technician=technician)
    assert "You have no digest yet" in text(client.get(LIST))
    answer = client.post(NEW, filled(technician=technician.pk, machine_down="", status=["in_progress"]), follow=True)
    assert answer.status_code == 200
    one = DigestSubscription.objects.get()
    assert one.filters == f"technician={technician.pk}&status=in_progress"
    assert (one.days, one.hour, one.weekdays, one.time_zone) == (3, 7, [1, 2, 3, 4, 5], "Europe/Berlin")
    assert f"{job.reference}, {desk.customer.name}: In Progress for 9 days" in text(answer)
    listed = text(client.get(LIST))
    assert "Monday to Friday, 07:00" in listed
    assert "Status: In Progress" in listed


def test_a_preview_says_what_it_would_and_keeps_nothing(desk: Desk, client: Client, dispatcher: User):
    old(desk, days=4)
    old(desk, days=6)
    assert "2 orders stand still" in text(client.post(NEW, filled(preview="1")))
    assert "1 order stands still" in text(client.post(NEW, filled(preview="1", days="5")))
    silent = text(client.post(NEW, filled(preview="1", days="30")))
    assert "nothing would be sent" in silent
    assert "steht still" in text(client.post(NEW, filled(preview="1", days="5", language="de")))
    one = made(dispatcher, days=5)
    assert "2 orders stand still" in text(client.post(f"{LIST}{one.pk}/", filled(preview="1")))
    assert DigestSubscription.objects.get().days == 5


def test_a_saved_view_takes_the_place_of_the_filters(desk: Desk, client: Client, dispatcher: User, manager: User):
    query = "as=table&machine_down=on&search=x&status=new&status=completed&days_in_status=9"
    view = SavedView.objects.create(
        person=dispatcher, page="board", name="Down", query=query, created_at=timezone.now()
    )
    other = SavedView.objects.create(person=manager, page="board", name="Theirs", query="", created_at=timezone.now())
    assert "Down" in text(client.get(NEW))
    assert client.post(NEW, filled(view=view.pk, search="y")).status_code == 302
    assert DigestSubscription.objects.get().filters == "search=x&machine_down=on&status=new"
    assert client.post(NEW, filled(name="B", view=other.pk)).status_code == 422


def test_the_full_list_of_a_digest_is_on_the_board(desk: Desk, client: Client, dispatcher: User):
    stuck, fresh = old(desk), desk.job("new", begins="new")
    ServiceOrder.objects.filter(pk=fresh.pk).update(status_since=timezone.now())
    one = made(dispatcher)
    found = re.search(r'href="(/desk/board/\?[^"]+)"', client.get(f"{LIST}{one.pk}/").content.decode())
    assert found
    shown = text(client.get(found[1].replace("&amp;", "&")))
    assert stuck.reference in shown
    assert fresh.reference not in shown


def test_all_orders_of_a_digest_are_listed_page_by_page_parts_orders_too(
    desk: Desk, client: Client, dispatcher: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pages, "ROWS", 2)
    job, order = old(desk), PartsOrder.objects.get(pk=desk.place(1).id)
    PartsOrder.objects.filter(pk=order.pk).update(status_since=timezone.now() - timedelta(days=20))
    other = old(desk, 5)
    one = made(dispatcher)
    assert f"/messages/digests/{one.pk}/orders/" in client.get(LIST).content.decode()
    first = client.get(f"{LIST}{one.pk}/orders/")
    shown = text(first)
    assert shown.index(order.reference) < shown.index(job.reference)
    assert other.reference not in shown
    assert f"/desk/parts-orders/{order.reference}/" in first.content.decode()
    following = re.search(r'href="(\?after=[^"]+)"', first.content.decode())
    assert following
    second = client.get(f"{LIST}{one.pk}/orders/{following[1]}")
    assert other.reference in text(second)
    assert job.reference not in text(second)
    for nonsense in ("x", "2026-01-01_x", "2026-01-01T00:00:00_" + str(one.pk)):
        assert job.reference in text(client.get(f"{LIST}{one.pk}/orders/", {"after": nonsense}))


def test_a_digest_without_stuck_orders_says_so(client: Client, dispatcher: User):
    assert "No order stands still" in text(client.get(f"{LIST}{made(dispatcher).pk}/orders/"))


def test_the_kind_of_orders_and_their_statuses_are_kept(desk: Desk, client: Client):
    client.post(NEW, filled(about="parts_orders", parts_status=["back_ordered", "packed"]))
    one = DigestSubscription.objects.get()
    assert one.filters == "about=parts_orders&parts_status=back_ordered&parts_status=packed"
    shown = client.get(f"{LIST}{one.pk}/").content.decode()
    assert re.search(r'value="parts_orders" selected', shown)
    assert re.search(r'value="packed"[^>]* checked', shown)
    assert "Status of parts orders: Back-ordered, Packed" in text(client.get(LIST))
    assert "/desk/board/?" not in shown  # the board has no parts orders
    assert client.post(NEW, filled(name="B", parts_status=["delivered"])).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("days", "0"),
        ("days", "x"),
        ("hour", "24"),
        ("weekdays", []),
        ("weekdays", ["8"]),
        ("time_zone", "Mars/Olympus"),
        ("language", "tlh"),
        ("channel", "sms"),
        ("region", "NOWHERE"),
        ("technician", "0"),
        ("search", "x"),
        ("status", ["completed"]),
    ],
)
def test_what_cannot_be_is_said_at_its_field(desk: Desk, client: Client, field: str, value: Any):
    answer = client.post(NEW, filled(**{field: value}))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not DigestSubscription.objects.exists()


def test_a_name_that_is_taken_is_said_and_nothing_typed_is_lost(client: Client, dispatcher: User):
    made(dispatcher)
    answer = client.post(NEW, filled(search="hydraulic"))
    assert answer.status_code == 422
    assert "You have a digest of this name already." in text(answer)
    assert b'value="hydraulic"' in answer.content


def test_it_is_stopped_and_comes_again(client: Client, dispatcher: User):
    one = made(dispatcher)
    assert "The digest is stopped." in text(client.post(f"{LIST}{one.pk}/switch/", {"on": "0"}, follow=True))
    assert DigestSubscription.objects.get().next_at is None
    assert "Stopped" in text(client.get(LIST))
    assert "The digest comes again." in text(client.post(f"{LIST}{one.pk}/switch/", {"on": "1"}, follow=True))
    assert client.post(f"{LIST}{one.pk}/delete/").status_code == 302
    assert not DigestSubscription.objects.exists()


def test_what_is_anothers_does_not_exist(client: Client, manager: User):
    one = made(manager)
    for way in ("", "orders/"):
        assert client.get(f"{LIST}{one.pk}/{way}").status_code == 404
    for way, sent in (("", filled()), ("switch/", {"on": "0"}), ("delete/", {})):
        assert client.post(f"{LIST}{one.pk}/{way}", sent).status_code == 404
    kept = DigestSubscription.objects.get()
    assert (kept.name, kept.is_active) == ("Mornings", True)
    assert "You have no digest yet" in text(client.get(LIST))


def test_technicians_and_auditors_have_none(technician: User, auditor: User):
    for person in (technician, auditor):
        client = Client()
        client.force_login(person)
        assert client.get(LIST).status_code == 403
        assert client.post(NEW, filled()).status_code == 403


def test_why_one_got_a_digest_is_proved_by_what_was_asked_for_then(desk: Desk, client: Client, dispatcher: User):
    old(desk)
    one = made(dispatcher, filters="status=in_progress", hour=3)
    at = one.next_at
    assert at is not None
    deeds.fire_due(at=at)
    deeds.change(digest_id=one.pk, wanted=Wanted("Evenings", hour=20), by=Actor.user(dispatcher), at=at)
    sender("inbox", at=at).step()
    notice = Notice.objects.get()
    assert (notice.state, DigestIssue.objects.get().found) == ("delivered", 1)
    said = text(client.get(f"/messages/notices/{notice.pk}/"))
    assert "Your digest “Mornings”" in said
    assert "orders in one status for more than 3 days" in said
    assert "status: in_progress" in said
    assert "03:00 (UTC)" in said
    assert client.get(f"/messages/notices/{notice.pk}/go/").headers["Location"] == LIST


def test_pages_cost_the_same_with_many_digests_and_orders(desk: Desk, client: Client, dispatcher: User):
    def cost(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    old(desk)
    one = made(dispatcher)
    addresses = (LIST, f"{LIST}{one.pk}/", f"{LIST}{one.pk}/orders/")
    few = [cost(address) for address in addresses]
    for number in range(8):
        old(desk)
        made(dispatcher, name=f"No. {number}")
    assert [cost(address) for address in addresses] == few
