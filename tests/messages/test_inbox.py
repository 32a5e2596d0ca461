"""The inbox: what one was told, unread first, of an order the latest only; and nobody else's."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.roles import DISPATCHER
from notifications import inbox
from notifications.actions import reading
from notifications.models import Notice, Rule
from notifications.statuses import Audience
from orders.actions import service_orders
from parts.actors import Actor
from parts.errors import NotFound
from tests.conftest import _person
from tests.messages.told import deliver, rule_for_dispatchers, step, told
from tests.orders.desk import TOLD, Desk

pytestmark = pytest.mark.django_db
INBOX = "/messages/"


def page(client: Client, address: str = INBOX) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_what_one_was_told_stands_in_the_inbox_and_is_counted_in_the_bar(desk: Desk, dispatcher: User):
    (notice,) = told(desk, dispatcher)
    said = page(signed_in(dispatcher))
    assert notice.subject in said
    assert '<span class="bar-count">1<' in said
    assert "data-unread" in said


def test_who_was_told_nothing_is_told_what_will_stand_here(manager: User):
    assert "Nothing was told you yet" in page(signed_in(manager))


def test_what_was_read_is_no_longer_counted_and_comes_after_the_unread(desk: Desk, dispatcher: User):
    newest, older = told(desk, dispatcher, times=2)
    client = signed_in(dispatcher)
    response = client.post(reverse("messages:read", args=[newest.pk]))
    assert response["Location"] == INBOX
    newest.refresh_from_db()
    assert newest.opened_at is not None
    said = page(client)
    assert said.index(older.subject) < said.index(newest.subject)
    assert '<span class="bar-count">1<' in said


def test_reading_twice_keeps_the_first_time(desk: Desk, dispatcher: User):
    (notice,) = told(desk, dispatcher)
    by = Actor.user(dispatcher)
    first = reading.open_notice(notice_id=notice.pk, by=by, at=timezone.now()).opened_at
    assert reading.open_notice(notice_id=notice.pk, by=by, at=timezone.now()).opened_at == first


def test_the_way_to_the_order_reads_the_notice(desk: Desk, dispatcher: User):
    (notice,) = told(desk, dispatcher)
    response = signed_in(dispatcher).get(reverse("messages:go", args=[notice.pk]))
    assert response["Location"] == reverse("desk:service-order", args=[notice.reference])
    notice.refresh_from_db()
    assert notice.opened_at is not None


def test_of_one_order_only_the_latest_unread_is_shown_and_reading_it_reads_all(desk: Desk, dispatcher: User):
    rule_for_dispatchers()
    job = desk.job("new")
    deliver()
    step(job, "in_progress")
    step(job, "awaiting_parts")
    assert Notice.objects.filter(recipient__user=dispatcher).count() == 3
    assert inbox.count_unread(dispatcher.pk) == 1
    (entry,) = inbox.read_page(dispatcher.pk).entries
    assert (entry.notice.subject.split(" – ")[0], len(entry.overtaken)) == (f"{job.reference}: Awaiting Parts", 2)
    reading.open_notice(notice_id=entry.notice.pk, by=Actor.user(dispatcher), at=timezone.now())
    assert inbox.count_unread(dispatcher.pk) == 0
    assert not Notice.objects.filter(recipient__user=dispatcher, opened_at=None).exists()


def test_digests_do_not_overtake_each_other(desk: Desk, dispatcher: User):
    notices = told(desk, dispatcher, times=2)
    Notice.objects.filter(recipient__user=dispatcher).update(thread_kind="digest", thread_id=notices[0].recipient_id)
    assert inbox.count_unread(dispatcher.pk) == 2
    reading.open_notice(notice_id=notices[0].pk, by=Actor.user(dispatcher), at=timezone.now())
    assert inbox.count_unread(dispatcher.pk) == 1
    for notice in notices:  # as it was, for the laws
        notice.save()


def test_all_that_was_shown_can_be_read_at_once_and_what_came_meanwhile_stays(desk: Desk, dispatcher: User):
    newest, older, oldest = told(desk, dispatcher, times=3)
    client = signed_in(dispatcher)
    response = client.post(reverse("messages:read-all"), {"until": str(older.pk)}, follow=True)
    assert "2 notices are marked as read." in response.content.decode()
    assert [entry.notice.pk for entry in inbox.read_page(dispatcher.pk).entries if entry.is_unread] == [newest.pk]
    assert client.post(reverse("messages:read-all"), {"until": "all of them"}).status_code == 302
    newest.refresh_from_db()
    assert newest.opened_at is None


def test_the_pages_of_a_long_inbox_hold_each_notice_once(desk: Desk, dispatcher: User):
    notices = told(desk, dispatcher, times=45)
    for notice in notices[5:12]:
        reading.open_notice(notice_id=notice.pk, by=Actor.user(dispatcher), at=timezone.now())
    found: list[inbox.Entry] = []
    place: inbox.Place | None = None
    for _ in range(10):
        part = inbox.read_page(dispatcher.pk, place)
        found += part.entries
        place = inbox.Place.of(str(part.older)) if part.older else None
        if place is None:
            break
    assert [entry.is_unread for entry in found] == [True] * 38 + [False] * 7
    assert {entry.notice.pk for entry in found} == {notice.pk for notice in notices}
    assert len(found) == 45


def test_a_page_costs_the_same_however_much_stands_on_it(desk: Desk, dispatcher: User):
    client, costs = signed_in(dispatcher), []
    for times in (2, 18):
        told(desk, dispatcher, times=times)
        page(client)
        with CaptureQueriesContext(connection) as asked:
            page(client)
        costs.append(len(asked))
    assert costs[0] == costs[1] <= 8


def test_the_bar_is_told_the_count_only_where_it_changed(desk: Desk, dispatcher: User):
    told(desk, dispatcher)
    client = signed_in(dispatcher)
    assert client.get("/messages/count/", {"seen": "1"}).status_code == 204
    changed = client.get("/messages/count/", {"seen": "3"})
    assert '<span class="bar-count">1<' in changed.content.decode()
    client.post(reverse("messages:read", args=[Notice.objects.get(recipient__user=dispatcher).pk]))
    assert client.get("/messages/count/", {"seen": "1"}).status_code == 200


def test_a_notice_says_which_event_caused_it_and_which_rule_chose_it(desk: Desk, dispatcher: User):
    (notice,) = told(desk, dispatcher)
    said = page(signed_in(dispatcher), reverse("messages:notice", args=[notice.pk]))
    assert "The rule “Dispatchers: each step” (revision 1) tells: Dispatchers." in said
    assert "Handed over" in said
    assert "/audit/chains/" not in said  # dispatchers may not read the ledger


def test_who_may_read_the_ledger_is_led_to_the_event(desk: Desk, manager: User):
    rule_for_dispatchers(audience=Audience.PARTS_MANAGERS)
    job = desk.job("new")
    deliver()
    notice = Notice.objects.get(recipient__user=manager)
    said = page(signed_in(manager), reverse("messages:notice", args=[notice.pk]))
    assert f"/audit/chains/{job.pk}/#e-{notice.messages.get().event_id}" in said


def test_a_rule_that_was_changed_since_is_shown_as_it_was(desk: Desk, dispatcher: User):
    (notice,) = told(desk, dispatcher)
    rule = Rule.objects.get(name="Dispatchers: each step")
    rule.name, rule.revision = "Dispatchers: nothing of the kind", 2
    rule.save()
    said = page(signed_in(dispatcher), reverse("messages:notice", args=[notice.pk]))
    assert "The rule “Dispatchers: each step” (revision 1)" in said


# --- Whoever tries what is not theirs ---------------------------------------------------------------------------------


@pytest.fixture
def other(db: None) -> User:
    """Another dispatcher."""
    return _person("other", DISPATCHER)


@pytest.mark.parametrize("name", ["notice", "read", "go"])
def test_other_peoples_notices_do_not_exist(desk: Desk, dispatcher: User, manager: User, name: str):
    (notice,) = told(desk, dispatcher)
    client, address = signed_in(manager), reverse(f"messages:{name}", args=[notice.pk])
    assert (client.post(address) if name == "read" else client.get(address)).status_code == 404
    notice.refresh_from_db()
    assert notice.opened_at is None
    with pytest.raises(NotFound):
        reading.open_notice(notice_id=notice.pk, by=Actor.user(manager), at=timezone.now())


def test_marking_all_as_read_touches_nobody_elses(desk: Desk, dispatcher: User, other: User):
    told(desk, dispatcher)
    until = max(notice.pk for notice in Notice.objects.all())
    signed_in(other).post(reverse("messages:read-all"), {"until": str(until)})
    assert inbox.count_unread(other.pk) == 0
    assert inbox.count_unread(dispatcher.pk) == 1


def test_a_form_from_elsewhere_reads_nothing(desk: Desk, dispatcher: User):
    (notice,) = told(desk, dispatcher)
    client = Client(enforce_csrf_checks=True)
    client.force_login(dispatcher)
    assert client.post(reverse("messages:read", args=[notice.pk])).status_code == 403
    assert client.post(reverse("messages:read-all"), {"until": str(notice.pk)}).status_code == 403
    assert inbox.count_unread(dispatcher.pk) == 1


def test_reading_leads_nowhere_outside(desk: Desk, dispatcher: User):
    (notice,) = told(desk, dispatcher)
    response = signed_in(dispatcher).post(
        reverse("messages:read", args=[notice.pk]), {"next": "https://elsewhere.example/"}
    )
    assert response["Location"] == INBOX


def test_what_stands_in_a_note_stays_a_text(desk: Desk, dispatcher: User):
    rule_for_dispatchers(kinds=["note.added"])
    job = desk.job("new")
    service_orders.add_note(
        service_order_id=job.pk, text="<script>alert(1)</script> <img src=x onerror=alert(1)>", **TOLD
    )
    deliver()
    said = page(signed_in(dispatcher))
    assert "&lt;script&gt;alert(1)" in said
    assert "<script>alert" not in said
    assert "<img src=x" not in said
