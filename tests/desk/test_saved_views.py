"""People keep the filters of a page under a name, each their own."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from orders.actions.saved_views import MOST, forget_view, save_view
from orders.models import SavedView
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from tests.desk.orders_words import desk_of, text

VIEWS = "/desk/board/views/"
BOARD = "/desk/board/"


def save(person: User, name: str = "Mine", query: str = "late=on", page: str = "board") -> SavedView:
    return save_view(page=page, name=name, query=query, by=Actor.user(person), at=timezone.now())


def test_a_view_is_kept_shown_and_leads_back_to_its_filters(dispatcher: User) -> None:
    client = desk_of(dispatcher)
    sent = {"page": "board", "name": " Late ones ", "query": "late=on&region=EU"}
    answer = client.post(VIEWS, sent)
    assert answer.headers["Location"] == f"{BOARD}?late=on&region=EU"
    page = client.get(BOARD)
    assert "Saved as “Late ones”." in text(page)
    assert f'href="{BOARD}?late=on&amp;region=EU"' in page.content.decode()


def test_the_same_name_again_replaces_the_filters(dispatcher: User) -> None:
    save(dispatcher, "Mine", "late=on")
    save(dispatcher, "Mine", "region=EU")
    assert [(view.name, view.query) for view in SavedView.objects.all()] == [("Mine", "region=EU")]


@pytest.mark.parametrize(
    ("name", "query", "page"),
    [("", "late=on", "board"), ("x" * 61, "", "board"), ("a", "x" * 601, "board"), ("a", "", "elsewhere")],
)
def test_what_cannot_be_kept_is_refused_in_words(dispatcher: User, name: str, query: str, page: str) -> None:
    with pytest.raises(Invalid):
        save(dispatcher, name, query, page)
    client = desk_of(dispatcher)
    answer = client.post(VIEWS, {"page": page, "name": name, "query": query})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(BOARD)
    assert not SavedView.objects.exists()


def test_a_name_that_no_text_can_hold_is_refused(dispatcher: User) -> None:
    with pytest.raises(Invalid):
        save(dispatcher, "a\x00")


def test_nobody_keeps_more_views_than_anybody_reads(dispatcher: User) -> None:
    for number in range(MOST):
        save(dispatcher, f"View {number}")
    with pytest.raises(Refused, match="delete one first"):
        save(dispatcher, "One more")
    save(dispatcher, "View 3", "region=EU")
    assert SavedView.objects.count() == MOST


def test_views_are_each_persons_own(dispatcher: User, manager: User) -> None:
    theirs = save(manager, "Secret")
    client = desk_of(dispatcher)
    assert "Secret" not in text(client.get(BOARD))
    with pytest.raises(NotFound):
        forget_view(view_id=theirs.pk, by=Actor.user(dispatcher))
    client.post(f"{VIEWS}{theirs.pk}/delete/")
    assert SavedView.objects.filter(pk=theirs.pk).exists()


def test_a_view_is_deleted_once_and_a_repeat_is_harmless(dispatcher: User) -> None:
    view, client = save(dispatcher), desk_of(dispatcher)
    for _ in range(2):
        assert client.post(f"{VIEWS}{view.pk}/delete/", {"query": "late=on"}).headers["Location"] == f"{BOARD}?late=on"
    assert not SavedView.objects.exists()


def test_who_only_reads_keeps_nothing(auditor: User) -> None:
    with pytest.raises(Forbidden):
        save(auditor)
    assert desk_of(auditor).post(VIEWS, {"page": "board", "name": "a", "query": ""}).status_code == 403
    assert "Save this view" not in text(desk_of(auditor).get(BOARD))
