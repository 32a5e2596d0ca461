"""What all pages share: the reader's zone, language and look, and the words and icons of statuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from backorders.statuses import BackOrderStatus
from config.templatetags import faces
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.meanings import meaning_of

MEANINGS = {"waiting", "late", "done", "moving", "neutral"}


def rendered(text: str, **values: object) -> str:
    request = RequestFactory().get("/orders/?status=new&page=2")
    return Template("{% load faces %}" + text).render(Context({**values, "request": request}))


@pytest.mark.parametrize("value", [*ServiceOrderStatus.values, *LineStatus.values, *BackOrderStatus.values, "unheard"])
def test_every_status_is_shown_as_a_word_with_an_icon_and_a_known_meaning(value: str) -> None:
    shown = faces.status(value, "Word")

    assert meaning_of(value).name in MEANINGS
    assert "<svg" in shown
    assert "Word" in shown


def test_a_status_word_cannot_bring_markup() -> None:
    assert "<script>" not in faces.status("new", "<script>")


def test_a_time_is_shown_in_the_zone_that_the_browser_named(client: Client, manager: User) -> None:
    client.force_login(manager)
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        assert "2 Jul 2026, 00:30" in faces.moment(at)
        assert "2 Jul 2026" in faces.day(at)
    assert "1 Jul 2026, 22:30" in faces.moment(at)

    client.cookies["timezone"] = "Asia/Tokyo"
    assert timezone.localtime(timezone.now()).strftime("%Z") == "UTC"
    assert "JST" in client.get("/styleguide/").content.decode()


@pytest.mark.parametrize("name", ["", "Nowhere/Atlantis", "../../etc/passwd", "Europe/Berlin\x00", "x" * 5000])
def test_a_zone_that_does_not_exist_is_left_aside(client: Client, manager: User, name: str) -> None:
    client.force_login(manager)
    client.cookies["timezone"] = name
    assert "UTC" in client.get("/styleguide/").content.decode()


@pytest.mark.parametrize(
    ("lasting", "text"), [(0, "0 min"), (59, "59 min"), (60, "1 h"), (2879, "47 h"), (2880, "2 d")]
)
def test_a_duration_is_said_in_one_short_unit(lasting: int, text: str) -> None:
    assert faces.span(timedelta(minutes=lasting)) == text


def test_missing_times_leave_a_dash_and_no_error() -> None:
    assert rendered("{% moment nothing %}{% day nothing %}{{ nothing|ago }}", nothing=None) == "––"


def test_lateness_counts_from_the_day_after() -> None:
    today = timezone.localdate()
    assert faces.days_late(today) == 0
    assert faces.days_late(today - timedelta(days=3)) == 3
    assert faces.days_late(date.max) == 0


def test_a_link_changes_one_part_of_the_query_and_keeps_the_rest() -> None:
    assert rendered("{% here page=3 %}") == "?status=new&amp;page=3"
    assert rendered("{% here status=None %}") == "?page=2"


@pytest.mark.django_db
@pytest.mark.parametrize(("look", "kept"), [("dark", "dark"), ("light", "light"), ("", ""), ("<script>", "")])
def test_the_chosen_look_is_kept_and_nothing_else_is(client: Client, look: str, kept: str) -> None:
    answer = client.post("/look/", {"look": look, "next": "/accounts/login/"})

    assert answer.headers["Location"] == "/accounts/login/"
    page = client.get("/accounts/login/").content.decode()
    assert (f'data-theme="{kept}"' in page) == bool(kept)
    assert "<script>" not in answer.cookies["look"].value


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
@pytest.mark.django_db
def test_choosing_a_look_leads_nowhere_else(client: Client, address: str) -> None:
    assert client.post("/look/", {"look": "dark", "next": address}).headers["Location"] == "/"


@pytest.mark.django_db
def test_the_language_can_be_chosen_without_signing_in(client: Client) -> None:
    client.post("/language/", {"language": "de", "next": "/accounts/login/"})
    assert '<html lang="de"' in client.get("/accounts/login/").content.decode()
    translation.activate("en")


@pytest.mark.django_db
def test_the_style_guide_is_for_staff(client: Client, partner: User, dispatcher: User) -> None:
    assert client.get("/styleguide/").status_code == 302
    client.force_login(partner)
    assert client.get("/styleguide/").status_code == 302
    client.force_login(dispatcher)
    assert client.get("/styleguide/").status_code == 200


@pytest.mark.django_db
def test_no_page_of_ours_has_inline_scripts_or_styles(client: Client, manager: User) -> None:
    pages = [client.get("/"), client.get("/accounts/login/")]
    client.force_login(manager)
    pages += [client.get("/"), client.get("/styleguide/?errors=1")]
    for page in pages:
        text = page.content.decode()
        assert " style=" not in text
        assert "<style" not in text
        assert "<script>" not in text
        assert " onclick=" not in text
