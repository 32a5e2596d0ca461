"""The alerts that stand: found by what ran out, whose region and who was told; acknowledged in place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from notifications.actions import alerting
from notifications.models import Alert
from notifications.statuses import Trigger
from tests.notifications.test_alerting import alert_rule, waiting
from tests.orders.desk import NOW, Desk, statements

pytestmark = pytest.mark.django_db
LIST = "/messages/alerts/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


@pytest.fixture
def raised(desk: Desk, manager: User) -> Alert:
    alert_rule(Trigger.LINE_WAITS, 24)
    waiting(desk)
    alerting.sweep(at=NOW + timedelta(hours=24))
    return Alert.objects.get()


def page(client: Client, query: str = "", **headers: str) -> str:
    answer = client.get(f"{LIST}{query}", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def acknowledging(alert: Alert) -> str:
    return reverse("messages:acknowledge", args=[alert.pk])


def test_an_alert_says_its_order_what_ran_out_its_part_its_customer_and_who_was_told(
    client: Client, raised: Alert, desk: Desk, manager: User
) -> None:
    client.force_login(manager)
    shown = page(client)
    for said in (raised.reference, "A line waits longer than allowed", desk.part.number, desk.customer.name, "Inbox"):
        assert said in shown


def test_who_has_nothing_to_look_at_reads_what_will_be_here(client: Client, manager: User) -> None:
    client.force_login(manager)
    assert "No alert stands" in page(client)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?kind=line.waits_too_long", True),
        ("?kind=sla.near", False),
        ("?kind=nonsense", True),
        ("?mine=on", True),
        ("?unseen=on", True),
        ("?after=nonsense", True),
    ],
)
def test_filters_stand_in_the_address(client: Client, raised: Alert, manager: User, query: str, found: bool) -> None:
    client.force_login(manager)
    assert (raised.reference in page(client, query)) is found


def test_alerts_are_found_by_region(client: Client, raised: Alert, manager: User) -> None:
    client.force_login(manager)
    assert raised.reference in page(client, f"?region={raised.region.code}")


def test_what_others_were_told_is_not_mine(client: Client, raised: Alert, dispatcher: User) -> None:
    client.force_login(dispatcher)
    assert raised.reference in page(client)
    assert raised.reference not in page(client, "?mine=on")


def test_acknowledging_goes_back_to_the_filters(client: Client, raised: Alert, manager: User) -> None:
    client.force_login(manager)
    answer = client.post(acknowledging(raised), {"filters": "mine=on"})
    assert answer.headers["Location"] == f"{LIST}?mine=on"
    raised.refresh_from_db()
    assert raised.acknowledged_by == f"user:{manager.pk}"
    assert (manager.get_full_name() or manager.username) in page(client)
    assert raised.reference not in page(client, "?unseen=on")


def test_acknowledging_without_leaving_the_page_shows_the_row_anew(
    client: Client, raised: Alert, manager: User
) -> None:
    client.force_login(manager)
    shown = client.post(acknowledging(raised), headers=HTMX).content.decode()
    assert shown.strip().startswith("<tr")
    assert "<form" not in shown


def test_acknowledging_again_changes_nothing(client: Client, raised: Alert, manager: User, dispatcher: User) -> None:
    client.force_login(manager)
    client.post(acknowledging(raised))
    client.force_login(dispatcher)
    client.post(acknowledging(raised))
    raised.refresh_from_db()
    assert raised.acknowledged_by == f"user:{manager.pk}"


def test_who_may_only_look_acknowledges_nothing(client: Client, raised: Alert, auditor: User) -> None:
    client.force_login(auditor)
    assert '<form method="post" action="/messages/alerts' not in page(client)
    assert client.post(acknowledging(raised)).status_code == 403


def test_a_filter_gives_only_the_list(client: Client, raised: Alert, manager: User) -> None:
    client.force_login(manager)
    answer = client.get(f"{LIST}?mine=on", headers={**HTMX, "HX-Target": "alerts"})
    assert "<html" not in answer.content.decode()
    assert answer.headers["HX-Push-Url"] == f"{LIST}?mine=on"


def test_the_list_goes_on_behind_its_last_row(
    client: Client, desk: Desk, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert_rule(Trigger.LINE_WAITS, 24)
    for hours in range(33):
        waiting(desk, at=NOW + timedelta(hours=hours))
    alerting.sweep(at=NOW + timedelta(days=5))
    client.force_login(manager)
    first = page(client)
    assert first.count("<tr id=") == 30
    following = first.split('pages-next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = client.get(following).content.decode()
    assert second.count("<tr id=") == 3


def test_the_list_takes_as_many_queries_for_twenty_as_for_two(client: Client, desk: Desk, manager: User) -> None:
    alert_rule(Trigger.LINE_WAITS, 24)
    client.force_login(manager)
    counted = []
    for many, days in ((2, 5), (18, 6)):
        for _ in range(many):
            waiting(desk)
        alerting.sweep(at=NOW + timedelta(days=days))
        page(client)
        with statements() as sent:
            page(client)
        counted.append(len(sent))
    assert counted[0] == counted[1]
