"""The pages that are seen when something goes wrong: what it means and what to do next, in the reader's language."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from config.faces.styleguide import ERRORS
from config.urls import urlpatterns as ours


def _fails(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


def _is_suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


urlpatterns = [path("fails/", _fails), path("suspicious/", _is_suspicious), *ours]


@pytest.mark.django_db
def test_an_address_that_does_not_exist_says_so_and_leads_on(client: Client, dispatcher: User) -> None:
    stranger = client.get("/no/such/page/")
    assert stranger.status_code == 404
    assert "There is nothing at this address" in stranger.content.decode()
    assert "search box" not in stranger.content.decode()
    client.force_login(dispatcher)
    client.cookies["django_language"] = "de"
    shown = client.get("/no/such/page/").content.decode()
    assert "Unter dieser Adresse gibt es nichts" in shown
    assert 'href="/"' in shown
    assert "Suchfeld" in shown


@pytest.mark.django_db
def test_who_may_not_is_told_that_nothing_was_changed_and_where_to_go(client: Client, partner: User) -> None:
    client.force_login(partner)
    answer = client.get("/desk/board/")
    assert answer.status_code == 403
    assert "This is not for your account" in answer.content.decode()
    assert "/accounts/login/?next=/desk/board/" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_with_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"username": "x"})
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()


@pytest.mark.urls(__name__)
def test_our_own_failure_is_told_without_touching_the_database() -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32  # read from the database by whoever asks who this is
    answer = client.get("/fails/")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()
    assert "ZeroDivisionError" not in answer.content.decode()


@pytest.mark.urls(__name__)
def test_what_is_not_understood_is_told_so() -> None:
    answer = Client().get("/suspicious/")
    assert answer.status_code == 400
    assert "This request was not understood" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ERRORS)
def test_each_can_be_looked_at_in_the_style_guide(client: Client, dispatcher: User, name: str) -> None:
    client.force_login(dispatcher)
    assert f"error={name}" in client.get("/styleguide/").content.decode()
    answer = client.get("/styleguide/", {"error": name})
    assert answer.status_code == 200
    assert [template.name for template in answer.templates][0] == f"{name}.html"
