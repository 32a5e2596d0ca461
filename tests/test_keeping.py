"""What was typed before a session ended: kept through signing in, shown again, and sent only by a press of a button."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from config.keeping import LONGEST, Kept, opened
from orders.models import OrderEvent, ServiceOrder
from tests.admin.world import World
from tests.conftest import PASSWORD
from tests.desk.orders_words import at, text

HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')
NOTE = "The customer's <b>gate</b> is shut until seven.\nRing twice."


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def job(world: World) -> ServiceOrder:
    return world.job("new")


def hidden(answer: Any) -> dict[str, str]:
    """Return what a page's forms carry unseen."""
    return {name: html.unescape(value) for name, value in HIDDEN.findall(answer.content.decode())}


def sign_in(client: Client, person: User, **more: str) -> Any:
    return client.post("/accounts/login/", {"username": person.username, "password": PASSWORD, **more}, follow=True)


def notes(job: ServiceOrder) -> list[str]:
    return list(OrderEvent.objects.filter(subject_id=job.pk, kind="note.added").values_list("text__text", flat=True))


def test_what_was_typed_is_shown_after_signing_in_and_sent_by_one_press(job: ServiceOrder, dispatcher: User) -> None:
    client = Client()
    ended = client.post(at(job), {"deed": "note", "text": NOTE})
    assert ended.status_code == 401
    assert "what you typed is kept" in text(ended)
    again = sign_in(client, dispatcher, kept=hidden(ended)["kept"])
    assert again.redirect_chain == [("/accounts/not-sent/", 302)]
    assert NOTE.splitlines()[1] in text(again)
    assert "<b>gate" not in again.content.decode()
    assert notes(job) == [], "nothing is sent by itself"
    fields = hidden(again)
    assert f'action="{at(job)}"' in again.content.decode()
    sent = client.post(at(job), {name: fields[name] for name in ("deed", "text")})
    assert sent.headers["Location"] == at(job)
    assert notes(job) == [NOTE]


def test_a_wrong_password_loses_nothing(job: ServiceOrder, dispatcher: User) -> None:
    client = Client()
    kept = hidden(client.post(at(job), {"deed": "note", "text": NOTE}))["kept"]
    wrong = client.post("/accounts/login/", {"username": dispatcher.username, "password": "wrong", "kept": kept})
    assert hidden(wrong)["kept"] == kept
    assert NOTE.splitlines()[1] in text(sign_in(client, dispatcher, kept=kept))


def test_the_back_office_keeps_it_too(world: World, manager: User) -> None:
    client = Client()
    ended = client.post("/admin/parts/part/add/", {"number": "S-1", "description": "Boom, reinforced", "_save": "Save"})
    again = sign_in(client, manager, kept=hidden(ended)["kept"])
    assert "Boom, reinforced" in text(again)
    assert 'action="/admin/parts/part/add/"' in again.content.decode()


def test_files_are_named_to_be_chosen_once_more(job: ServiceOrder, dispatcher: User) -> None:
    client = Client()
    file = SimpleUploadedFile("leak.jpg", b"picture")
    kept = hidden(client.post(at(job), {"deed": "attach", "note": "From the left", "file": file}))["kept"]
    shown = text(sign_in(client, dispatcher, kept=kept))
    assert "Choose them once more: leak.jpg" in shown
    assert "From the left" in shown


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "nonsense",
        signing.dumps({"address": "https://elsewhere.example/", "fields": [], "files": []}, salt="another"),
    ],
)
def test_what_we_did_not_sign_is_not_shown(job: ServiceOrder, dispatcher: User, kept: str) -> None:
    answer = sign_in(Client(), dispatcher, kept=kept, next=at(job))
    assert answer.redirect_chain == [(at(job), 302)]


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {}),
        ({"deed": "", "text": " "}, {}),
        ({"text": "x", "new_password1": "secret"}, {}),
        ({"text": "x"}, {"HX-Request": "true"}),
        ({"text": "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(LONGEST))}, {}),
    ],
    ids=["nothing", "blanks", "password", "script", "too long"],
)
def test_what_is_not_kept_leads_to_signing_in_as_ever(
    job: ServiceOrder, fields: dict[str, str], headers: dict[str, str]
) -> None:
    answer = Client().post(at(job), fields, headers=headers)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/accounts/login/?next={at(job)}"


def test_a_form_from_elsewhere_is_not_kept(job: ServiceOrder) -> None:
    answer = Client(enforce_csrf_checks=True).post(at(job), {"deed": "note", "text": NOTE})
    assert answer.status_code == 403
    assert "kept" not in hidden(answer)


def test_what_is_kept_is_for_whoever_signs_in_here_and_nobody_else(
    job: ServiceOrder, dispatcher: User, manager: User
) -> None:
    client, other = Client(), Client()
    kept = hidden(client.post(at(job), {"deed": "note", "text": NOTE}))["kept"]
    sign_in(client, dispatcher, kept=kept)
    other.force_login(manager)
    assert other.get("/accounts/not-sent/").status_code == 404
    assert Client().get("/accounts/not-sent/").headers["Location"].startswith("/accounts/login/")


def test_what_a_page_fills_in_itself_is_not_shown_as_typed() -> None:
    key = "01a2049d-469f-733f-969c-7dacb252947c"
    fields = [("deed", "note"), ("key", key), ("part", "S-4100"), ("chosen", key), ("rows-TOTAL_FORMS", "3")]
    fields += [("is_active", "on")]
    assert Kept("/", fields, []).typed == ["S-4100"]


def test_it_is_carried_along_whole() -> None:
    kept = Kept("/desk/place/?job=SO-1", [("part-0", "S-4100"), ("part-0", "é\n日本")], ["a.jpg"])
    assert opened(kept.signed()) == kept
