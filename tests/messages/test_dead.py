"""What could not be told, on its pages: seen by those who may, seen to once, found page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.actions import dead_listing
from notifications.links import LIKE_A_LINK
from notifications.models import DeadLetter, Notice
from notifications.readers import bring_up_to_date
from notifications.statuses import DeadState
from orders.models import Customer
from tests.notifications.post import Post
from tests.notifications.telling import only_rule, sender, tell
from tests.orders.desk import Desk, statements

pytestmark = pytest.mark.django_db
LIST, MANY = "/messages/dead/", "/messages/dead/replay/"
HTMX = {"HX-Request": "true", "HX-Target": "dead"}


def letters(desk: Desk, many: int = 1, **job: Any) -> list[DeadLetter]:
    """Let so many jobs' news find no address."""
    Customer.objects.update(email="", phone="")
    only_rule()
    for _ in range(many):
        desk.job("new", **job)
    tell()
    dead_listing.collect(at=timezone.now())
    return list(DeadLetter.objects.filter(state=DeadState.OPEN).order_by("rank"))


def reached() -> None:
    Customer.objects.update(email="ada@customer.example")
    bring_up_to_date(customers=list(Customer.objects.values_list("pk", flat=True)), users=[], at=timezone.now())


def at(letter: DeadLetter, deed: str = "") -> str:
    return f"{LIST}{letter.pk}/{deed}{'/' if deed else ''}"


def page(client: Client, address: str = LIST, status: int = 200, **more: Any) -> str:
    answer = client.get(address, **more)
    assert answer.status_code == status
    return answer.content.decode()


def test_the_list_says_what_the_silence_costs_and_why_it_is(client: Client, desk: Desk, manager: User) -> None:
    (letter,) = letters(desk, machine_down=True)
    client.force_login(manager)
    shown = page(client)
    for said in (
        letter.reference,
        "Machine down",
        desk.customer.name,
        "Silver",
        "No address at all",
        "1 piece of news",
    ):
        assert said in shown


def test_nothing_to_see_to_says_so(client: Client, manager: User) -> None:
    client.force_login(manager)
    assert "Everybody was told" in page(client)


def test_one_shows_the_words_the_answers_and_what_to_do(client: Client, desk: Desk, post: Post, manager: User) -> None:
    only_rule()
    job = desk.job("new")
    tell()
    post.answers = ["550 5.1.1 No such user"]
    sender().step()
    dead_listing.collect(at=timezone.now())
    client.force_login(manager)
    shown = page(client, at(DeadLetter.objects.get()))
    for said in (f"{job.reference}: Waiting for a technician", "550", "Send again", "Correct the address", "Discard"):
        assert said in shown
    assert "/track/" not in shown.replace(f"/track/{LIKE_A_LINK}/", "")  # nobody's own link


def test_sending_again_from_its_page(client: Client, desk: Desk, manager: User) -> None:
    (letter,) = letters(desk)
    reached()
    client.force_login(manager)
    answer = client.post(at(letter, "replay"), {"replay-why": "Their mail works again"}, follow=True)
    assert "1 message goes out again." in answer.content.decode()
    again = client.post(at(letter, "replay"), {"replay-why": "Their mail works again"})
    assert again.status_code == 409
    assert "has seen to it already" in again.content.decode()
    assert Notice.objects.filter(thread_id=letter.thread_id).count() == 1
    assert "Their mail works again" in page(client, at(letter))


def test_without_a_reason_nothing_happens_and_nothing_typed_is_lost(client: Client, desk: Desk, manager: User) -> None:
    (letter,) = letters(desk)
    client.force_login(manager)
    assert client.post(at(letter, "replay"), {"replay-why": " "}).status_code == 422
    answer = client.post(at(letter, "correct"), {"correct-why": "Misspelt", "correct-value": "nonsense"})
    assert answer.status_code == 400
    said = answer.content.decode()
    assert 'value="nonsense"' in said
    assert 'value="Misspelt"' in said
    assert DeadLetter.objects.get().state == DeadState.OPEN


def test_who_has_no_address_is_said_to_need_one_first(client: Client, desk: Desk, manager: User) -> None:
    (letter,) = letters(desk)
    client.force_login(manager)
    answer = client.post(at(letter, "replay"), {"replay-why": "Try"})
    assert answer.status_code == 409
    assert "Correct the address first" in answer.content.decode()


def test_a_corrected_address_is_that_of_the_customer(client: Client, desk: Desk, manager: User) -> None:
    (letter,) = letters(desk)
    client.force_login(manager)
    given = {"correct-value": "ada@right.example", "correct-why": "Misspelt"}
    assert client.post(at(letter, "correct"), given).status_code == 302
    assert Customer.objects.get(pk=desk.customer.pk).email == "ada@right.example"


def test_a_dispatcher_tells_by_telephone_and_does_no_more(client: Client, desk: Desk, dispatcher: User) -> None:
    (letter,) = letters(desk)
    client.force_login(dispatcher)
    shown = page(client, at(letter))
    assert "Told by telephone" in shown
    assert "Discard" not in shown
    for deed in ("replay", "discard", "correct"):
        given = {f"{deed}-why": "x", "correct-value": "a@b.example"}
        assert client.post(at(letter, deed), given).status_code == 403
    assert client.get(MANY).status_code == 403
    now = timezone.localtime() + timedelta(minutes=0)
    given = {"tell-whom": "Ada", "tell-told_at": now.strftime("%Y-%m-%dT%H:%M"), "tell-why": ""}
    assert client.post(at(letter, "tell"), given).status_code == 302
    letter.refresh_from_db()
    assert (letter.state, letter.told_whom, letter.settled_by) == (DeadState.TOLD, "Ada", f"user:{dispatcher.pk}")
    assert "Told: Ada" in page(client, at(letter))


def test_an_auditor_reads_and_does_nothing(client: Client, desk: Desk, auditor: User) -> None:
    (letter,) = letters(desk)
    client.force_login(auditor)
    assert letter.reference in page(client)
    assert "What to do" not in page(client, at(letter))
    assert client.post(at(letter, "discard"), {"discard-why": "x"}).status_code == 403


def test_a_technician_sees_none_of_it(client: Client, desk: Desk, technician: User) -> None:
    (letter,) = letters(desk)
    client.force_login(technician)
    for address in (LIST, at(letter), MANY):
        page(client, address, status=403)
    assert "Undelivered" not in page(client, "/messages/alerts/")


def test_all_of_a_cause_are_asked_for_by_their_number_and_sent_once(client: Client, desk: Desk, manager: User) -> None:
    letters(desk, 3)
    reached()
    client.force_login(manager)
    shown = page(client, f"{MANY}?cause=no_address")
    assert "Send 3 messages again?" in shown
    until = shown.split('name="until" value="')[1].split('"')[0]
    given = {"cause": "no_address", "until": until, "why": "Addresses came in"}
    first = client.post(MANY, given, follow=True).content.decode()
    assert "3 messages go out again." in first
    second = client.post(MANY, given, follow=True).content.decode()
    assert "somebody else was first" in second
    assert Notice.objects.count() == 3


def test_what_came_after_the_number_was_shown_is_not_sent(client: Client, desk: Desk, manager: User) -> None:
    letters(desk, 1)
    client.force_login(manager)
    until = (timezone.now() - timedelta(hours=1)).isoformat()
    client.post(MANY, {"cause": "no_address", "until": until, "why": "x"})
    assert DeadLetter.objects.get().state == DeadState.OPEN


@pytest.mark.parametrize("until", ["", "nonsense", "2026-13-45", "2026-01-01T00:00:00"])
def test_a_tampered_number_sends_nothing(client: Client, desk: Desk, manager: User, until: str) -> None:
    letters(desk, 1)
    reached()
    client.force_login(manager)
    assert client.post(MANY, {"until": until, "why": "x"}).status_code in (200, 302)
    assert DeadLetter.objects.get().state == DeadState.OPEN


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?cause=no_address", True),
        ("?cause=provider", False),
        ("?cause=x", True),
        ("?down=on", False),
        ("?after=~", False),
    ],
)
def test_filters_stand_in_the_address(client: Client, desk: Desk, manager: User, query: str, found: bool) -> None:
    (letter,) = letters(desk)
    client.force_login(manager)
    assert (at(letter) in page(client, LIST + query)) is found


def test_a_filter_gives_only_the_list(client: Client, desk: Desk, manager: User) -> None:
    letters(desk)
    client.force_login(manager)
    answer = client.get(f"{LIST}?cause=no_address", headers=HTMX)
    assert "<html" not in answer.content.decode()
    assert answer.headers["HX-Push-Url"] == f"{LIST}?cause=no_address"


def test_the_number_stands_beside_the_alerts(client: Client, desk: Desk, manager: User) -> None:
    letters(desk, 2)
    client.force_login(manager)
    assert '<span class="tab-count">2</span>' in page(client, "/messages/alerts/")


def test_the_list_goes_on_behind_its_last_row(client: Client, desk: Desk, manager: User) -> None:
    letters(desk, 33)
    client.force_login(manager)
    first = page(client)
    assert first.count('class="row-link"') == 30
    following = first.split('pages-next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert page(client, following).count('class="row-link"') == 3


def test_the_pages_take_as_many_queries_for_twenty_as_for_two(client: Client, desk: Desk, manager: User) -> None:
    client.force_login(manager)
    counted = []
    for many in (2, 18):
        first = letters(desk, many)[0]
        for address in (LIST, at(first), MANY):
            page(client, address)
            with statements() as sent:
                page(client, address)
            counted.append(len(sent))
    assert counted[:3] == counted[3:]


def test_what_does_not_exist_is_not_found(client: Client, manager: User) -> None:
    client.force_login(manager)
    nowhere = reverse("messages:dead-letter", args=["01a20565-8874-71e1-81be-2e7d280139ca"])
    page(client, nowhere, status=404)
    assert client.post(f"{nowhere}discard/", {"discard-why": "x"}).status_code == 404


@pytest.mark.parametrize("language", ["de", "es"])
def test_it_speaks_other_languages(client: Client, desk: Desk, manager: User, language: str) -> None:
    (letter,) = letters(desk)
    client.force_login(manager)
    for address in (LIST, at(letter), MANY):
        said = page(client, address, headers={"Accept-Language": language})
        assert "Send again" not in said
        assert "Undelivered" not in said
