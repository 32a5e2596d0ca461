"""Maintenance windows on their pages: looked at before they are kept, ended once, on the calendar and on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from integrations.models import ExternalSystem
from notifications.models import MaintenanceWindow
from tests.notifications.telling import only_rule, sender, tell
from tests.orders.desk import Desk, statements

pytestmark = pytest.mark.django_db
LIST, NEW = "/messages/windows/", "/messages/windows/new/"
_CLOCK = "%Y-%m-%dT%H:%M"


def page(client: Client, address: str = LIST, status: int = 200, **more: Any) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == status
    return answer.content.decode()


def filled(hours: float = 2, **more: str) -> dict[str, str]:
    now = timezone.now()
    given = {
        "name": "Mail moves",
        "reason": "The server is changed",
        "starts_at": now.strftime(_CLOCK),
        "ends_at": (now + timedelta(hours=hours)).strftime(_CLOCK),
    }
    return given | more


def seen(client: Client, given: dict[str, str], address: str = NEW) -> dict[str, str]:
    """Look at what it would hold; return what is sent to keep it."""
    answer = client.post(address, given)
    assert answer.status_code == 200
    return given | {"seen": answer.content.decode().split('name="seen" value="')[1].split('"')[0]}


def window(**more: Any) -> MaintenanceWindow:
    now = timezone.now()
    given: dict[str, Any] = {"name": "Mail moves", "starts_at": now, "ends_at": now + timedelta(hours=2)}
    return MaintenanceWindow.objects.create(reason="The server is changed", **given | more)


def test_a_window_is_looked_at_before_it_is_kept(client: Client, desk: Desk, manager: User) -> None:
    client.force_login(manager)
    asked = seen(client, filled())
    assert not MaintenanceWindow.objects.exists()
    answer = client.post(NEW, asked, follow=True).content.decode()
    made = MaintenanceWindow.objects.get()
    assert (made.made_by, made.reason) == (f"user:{manager.pk}", "The server is changed")
    assert "Mail moves" in answer
    assert "Holding" in answer
    assert "made it" in answer


def test_the_systems_that_are_connected_are_offered_and_others_refused(
    client: Client, desk: Desk, manager: User
) -> None:
    ExternalSystem.objects.create(code="wms-north", name="Warehouse north", kind="wms")
    client.force_login(manager)
    assert "wms-north · Warehouse north" in page(client, NEW)
    answer = client.post(NEW, filled(source="wms-nroth"))
    assert answer.status_code == 422
    assert "There is no system “wms-nroth” here. Choose one of the list." in answer.content.decode()
    client.post(NEW, seen(client, filled(source="wms-north")))
    assert MaintenanceWindow.objects.get().source == "wms-north"


def test_a_window_keeps_a_system_that_is_no_longer_connected(client: Client, manager: User) -> None:
    client.force_login(manager)
    old = window(source="erp-of-old", made_by=f"user:{manager.pk}")
    address = f"{LIST}{old.pk}/change/"
    assert '<option value="erp-of-old" selected>' in page(client, address)
    asked = filled(source="erp-of-old", why="Longer", version="1")
    assert client.post(address, seen(client, asked, address)).status_code == 302


def test_what_was_changed_after_the_look_is_looked_at_again(client: Client, manager: User) -> None:
    client.force_login(manager)
    asked = seen(client, filled()) | {"name": "Something else"}
    assert client.post(NEW, asked).status_code == 200
    assert not MaintenanceWindow.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"reason": ""}, {"ends_at": "2020-01-01T10:00"}, {"starts_at": "nonsense"}, {"channel": "x"}, {"region": "x"}],
)
def test_what_cannot_be_kept_says_so_and_loses_nothing(client: Client, manager: User, wrong: dict[str, str]) -> None:
    client.force_login(manager)
    answer = client.post(NEW, filled() | wrong)
    assert answer.status_code == 422
    assert 'value="Mail moves"' in answer.content.decode()


def test_an_hour_that_the_clocks_leave_out_is_refused(client: Client, manager: User) -> None:
    client.force_login(manager)
    client.cookies["timezone"] = "Europe/Berlin"
    answer = client.post(NEW, filled() | {"starts_at": "2027-03-28T02:30", "ends_at": "2027-03-28T05:00"})
    assert answer.status_code == 422
    assert "Europe/Berlin" in answer.content.decode()


def test_a_night_in_which_the_clocks_go_forward_is_an_hour_shorter_and_says_so(client: Client, manager: User) -> None:
    client.force_login(manager)
    client.cookies["timezone"] = "Europe/Berlin"
    answer = client.post(NEW, filled() | {"starts_at": "2027-03-28T00:00", "ends_at": "2027-03-28T06:00"})
    said = answer.content.decode()
    assert "It lasts 5 h." in said
    assert "The clocks change in between" in said


def test_the_look_names_what_overlaps(client: Client, manager: User) -> None:
    window()
    client.force_login(manager)
    assert "Others hold at the same time" in client.post(NEW, filled()).content.decode()


def test_a_change_by_two_people_keeps_the_first(client: Client, manager: User) -> None:
    one = window()
    client.force_login(manager)
    address = f"{LIST}{one.pk}/change/"
    asked = seen(client, filled(5, why="It takes longer", version="1"), address)
    assert client.post(address, asked).status_code == 302
    one.refresh_from_db()
    assert one.version == 2
    again = client.post(address, asked)
    assert again.status_code == 422
    assert "Somebody changed this window meanwhile" in again.content.decode()


def test_ending_twice_says_who_was_first_and_changes_nothing(client: Client, manager: User) -> None:
    one = window(starts_at=timezone.now() - timedelta(hours=1))
    client.force_login(manager)
    first = client.post(f"{LIST}{one.pk}/end/", {"why": "Done early"}, follow=True).content.decode()
    assert "Ended. What it held goes out now" in first
    assert "Done early" in first
    second = client.post(f"{LIST}{one.pk}/end/", {"why": "Again"}, follow=True).content.decode()
    assert "It was over already" in second
    assert MaintenanceWindow.objects.get().version == 2


def test_without_a_reason_nothing_ends(client: Client, manager: User) -> None:
    one = window(starts_at=timezone.now() - timedelta(hours=1))
    client.force_login(manager)
    assert client.post(f"{LIST}{one.pk}/end/", {"why": " "}).status_code == 422
    assert client.post(f"{LIST}{one.pk}/cancel/", {"why": "x"}).status_code == 409
    assert MaintenanceWindow.objects.get().ended_by == ""


def test_a_window_says_what_it_holds_and_what_became_of_it(client: Client, desk: Desk, manager: User) -> None:
    only_rule()
    one = window(starts_at=timezone.now() - timedelta(hours=1))
    job = desk.job("new")
    tell()
    sender().step()
    client.force_login(manager)
    shown = page(client, f"{LIST}{one.pk}/")
    assert "Held now" in shown
    assert job.reference in shown
    assert "1 of customers, 0 of the house" in shown
    client.post(f"{LIST}{one.pk}/end/", {"why": "Done"})
    sender(hours=3).step()
    shown = page(client, f"{LIST}{one.pk}/")
    assert "Held now" not in shown
    assert "<dt>Sent since</dt><dd>1</dd>" in shown


def test_an_auditor_sees_who_did_what_and_does_nothing(client: Client, manager: User, auditor: User) -> None:
    one = window(starts_at=timezone.now() - timedelta(hours=1))
    client.force_login(manager)
    client.post(f"{LIST}{one.pk}/end/", {"why": "Done early"})
    client.force_login(auditor)
    shown = page(client, f"{LIST}{one.pk}/")
    assert "Done early" in shown
    assert manager.username in shown or manager.get_full_name() in shown
    for address in (NEW, f"{LIST}{one.pk}/change/"):
        page(client, address, status=403)
    assert client.post(f"{LIST}{one.pk}/end/", {"why": "x"}).status_code == 403


@pytest.mark.parametrize("month", ["", "nonsense", "2026-13", "9999-01", "0001-01", "2026-11"])
def test_the_calendar_shows_a_month_whatever_is_asked(client: Client, manager: User, month: str) -> None:
    client.force_login(manager)
    assert "Maintenance windows" in page(client, f"{LIST}?month={month}")


def test_the_calendar_shows_past_and_cancelled_windows(client: Client, manager: User) -> None:
    now = timezone.now()
    old = now - timedelta(days=40)
    window(name="Long ago", starts_at=old, ends_at=old + timedelta(hours=1))
    window(name="Put off", starts_at=now + timedelta(hours=1), cancelled_at=now, cancelled_by="user:1")
    client.force_login(manager)
    assert "Long ago" in page(client, f"{LIST}?month={old:%Y-%m}")
    shown = page(client, f"{LIST}?month={now + timedelta(hours=1):%Y-%m}")
    assert 'data-stands="cancelled"' in shown


def test_the_calendar_takes_as_many_queries_for_twenty_as_for_two(client: Client, manager: User) -> None:
    client.force_login(manager)
    counted = []
    for many in (2, 18):
        for _ in range(many):
            window()
        page(client)
        with statements() as sent:
            page(client)
        counted.append(len(sent))
    assert counted[0] == counted[1]


@pytest.mark.parametrize("language", ["de", "es"])
def test_it_speaks_other_languages(client: Client, manager: User, language: str) -> None:
    one = window()
    client.force_login(manager)
    for address in (LIST, NEW, f"{LIST}{one.pk}/"):
        assert "Maintenance windows" not in page(client, address, headers={"Accept-Language": language})
