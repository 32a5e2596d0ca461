"""The page of words for statuses: side by side, as at any moment, drafted, previewed, published, withdrawn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders import wording
from orders.actions.wording import write_rows
from orders.models import CustomerWord, CustomerWordDraft
from tests.orders.desk import Desk, statements
from tests.tracking.test_one_table import without_guard
from tests.tracking.words import say

pytestmark = pytest.mark.django_db
LIST, PAGE = "/messages/words/", "/messages/words/line-shipped/"


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    write_rows()


@pytest.fixture
def client(manager: User) -> Client:
    """The parts manager, signed in."""
    client = Client()
    client.force_login(manager)
    return client


def typed(word: str = "Rolling", **more: str) -> dict[str, str]:
    said = {"word_en": word, "next_step_en": "It rolls."}
    for code in ("de", "es"):
        said |= {
            f"word_{code}": wording.read(code).word("line", "shipped"),
            f"next_step_{code}": wording.read(code).next_step("line", "shipped"),
        }
    return said | more


def test_the_list_shows_every_status_in_every_language_and_that_all_is_complete(client: Client) -> None:
    page = client.get(LIST).content.decode()
    assert "Complete: every status has its words" in page
    for said in ("On its way", "Unterwegs", "En camino"):
        assert said in page


def test_the_list_says_what_is_missing(client: Client) -> None:
    without_guard("DELETE FROM orders_customerword WHERE status = 'packed' AND language = 'de'")
    page = client.get(LIST).content.decode()
    assert "Words are missing" in page
    assert "Packed, Deutsch" in page


def test_the_list_shows_what_was_and_what_will_be_in_force(client: Client) -> None:
    say("line", "shipped", "en", "Rolling", from_on=timezone.now() + timedelta(days=3))
    now = client.get(LIST).content.decode()
    assert "changes on" in now
    assert "Rolling" not in now
    later = (timezone.now() + timedelta(days=4)).isoformat(timespec="minutes")
    assert "Rolling" in client.get(LIST, {"at": later}).content.decode()
    assert "This is not a time." in client.get(LIST, {"at": "yesterday"}).content.decode()
    assert "This is not a time." in client.get(LIST, {"at": "2026-13-45T99:00"}).content.decode()


def test_the_list_asks_as_much_of_many_versions_as_of_few(client: Client) -> None:
    client.get(LIST)
    with statements() as few:
        client.get(LIST)
    for number in range(10):
        say("line", "shipped", "en", f"Rolling {number}")
    with statements() as many:
        client.get(LIST)
    assert len(many) == len(few)


def test_a_preview_shows_the_words_and_keeps_nothing(client: Client) -> None:
    quick = {"HX-Request": "true", "HX-Target": "preview"}
    page = client.post(PAGE, typed("<b>Rolling</b>", deed="preview"), headers=quick).content.decode()
    assert "<html" not in page
    assert "&lt;b&gt;Rolling&lt;/b&gt;" in page
    assert "Wie es weitergeht:" in page or 'lang="de"' in page
    assert not CustomerWordDraft.objects.exists()
    assert "<html" in client.post(PAGE, typed(deed="preview")).content.decode()


def test_a_preview_shows_the_email_and_the_sms_that_a_customer_would_get(client: Client, desk: Desk) -> None:
    order = desk.place(1)
    page = client.post(PAGE, typed("Rolling", deed="preview")).content.decode()
    assert f"{order.reference}: Rolling" in page
    assert f"{order.reference} - Rolling." in page
    assert f"{order.reference} ist jetzt: Unterwegs" in page or "Unterwegs" in page
    assert "It rolls." in page
    job = desk.job("in_progress", begins="new")
    page = client.get("/messages/words/service_order-in_progress/").content.decode()
    assert f"{job.reference}: {wording.read('en').word('service_order', 'in_progress')}" in page


def test_a_preview_without_any_order_says_so(client: Client) -> None:
    assert "There is no order yet" in client.get(PAGE).content.decode()


def test_a_draft_is_kept_then_published_from_a_day_on(client: Client, manager: User) -> None:
    assert client.post(PAGE, typed(deed="save", effective_from="2099-01-01T08:00")).status_code == 302
    draft = CustomerWordDraft.objects.get()
    page = client.get(PAGE).content.decode()
    assert 'value="2099-01-01T08:00"' in page
    assert "Rolling" in page
    refused = client.post(PAGE, typed(deed="publish", effective_from="2099-01-01T08:00"))
    assert refused.status_code == 400
    assert "Say why." in refused.content.decode()
    told = {"deed": "publish", "effective_from": "2099-01-01T08:00", "why": "Shorter.", "seen": str(draft.written_at)}
    assert client.post(PAGE, typed(**told)).status_code == 302
    row = CustomerWord.objects.get(word="Rolling")
    assert (row.published_by, row.why, row.effective_from.year) == (f"user:{manager.pk}", "Shorter.", 2099)
    assert CustomerWord.objects.filter(status="shipped", subject="line").count() == 4, "only what differs"
    assert not CustomerWordDraft.objects.exists()


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(client: Client) -> None:
    answer = client.post(PAGE, typed("x" * 61, deed="publish", why="Shorter.", effective_from="2001-01-01T00:00"))
    assert answer.status_code == 400
    assert "x" * 61 in answer.content.decode()
    answer = client.post(PAGE, typed(deed="publish", why="Shorter.", effective_from="2001-01-01T00:00"))
    assert "This has passed." in answer.content.decode()
    assert "Rolling" in answer.content.decode()


def test_somebody_elses_draft_is_not_written_over(client: Client) -> None:
    client.post(PAGE, typed(deed="save"))
    answer = client.post(PAGE, typed("Mine", deed="save"))
    assert answer.status_code == 412
    assert "Somebody else has written here since." in answer.content.decode()
    assert CustomerWordDraft.objects.get().words["en"]["word"] == "Rolling"
    client.post(PAGE, typed(deed="discard"))
    assert not CustomerWordDraft.objects.exists()


def test_words_to_come_are_withdrawn_and_older_ones_used_again(client: Client) -> None:
    coming = say("line", "shipped", "en", "Rolling", from_on=timezone.now() + timedelta(days=3))
    assert client.post(reverse("messages:withdraw-words", args=[coming.pk])).status_code == 302
    assert "Withdrawn" in client.get(PAGE).content.decode()
    say("line", "shipped", "en", "Running")
    first = CustomerWord.objects.get(subject="line", status="shipped", language="en", why="shipped")
    again = reverse("messages:use-words-again", args=[first.pk])
    assert "Say why." in client.post(again, follow=True).content.decode()
    client.post(again, {"why": "Nobody understood it."})
    assert wording.read("en").word("line", "shipped") == "On its way"


def test_a_status_that_there_is_not_has_no_page(client: Client) -> None:
    for code in ("line-teleported", "part-shipped", "line", "x"):
        assert client.get(f"/messages/words/{code}/").status_code == 404


def test_who_may_only_read_is_offered_nothing_and_refused(auditor: User, dispatcher: User) -> None:
    client = Client()
    client.force_login(auditor)
    page = client.get(PAGE).content.decode()
    assert 'value="publish"' not in page
    assert 'value="save"' not in page
    for deed in ("publish", "save", "discard"):
        assert client.post(PAGE, typed(deed=deed, why="x")).status_code == 403
    row = CustomerWord.objects.filter(subject="line", status="shipped").first()
    assert row
    assert client.post(reverse("messages:use-words-again", args=[row.pk]), {"why": "x"}).status_code == 403
    assert client.post(reverse("messages:withdraw-words", args=[row.pk])).status_code == 403
    client.force_login(dispatcher)
    assert client.get(LIST).status_code == 403
    assert not CustomerWord.objects.filter(word="Rolling").exists()
