"""Who may come in, under whose name a deed is sent, and what makes the pages an app."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest
from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.test import Client

from orders.models import OrderEvent, ServiceOrder
from tests.admin.world import World
from tests.phone.conftest import Send, address, job_of

pytestmark = pytest.mark.django_db

PAGES = ("/t/", "/t/deliveries/", "/t/van/", "/t/waiting/")
QUEUED = {"Accept": "application/json", "Idempotency-Key": str(uuid4())}


@pytest.mark.parametrize("page", PAGES)
def test_strangers_go_to_the_door_and_others_are_not_let_in(client: Client, manager: User, page: str) -> None:
    assert client.get(page).headers["Location"] == f"/accounts/login/?next={page}"
    client.force_login(manager)
    assert client.get(page).status_code == 403


def test_the_queue_is_told_in_json_that_nobody_is_signed_in(client: Client, world: World) -> None:
    job = job_of(world, None, "new")
    answer = client.post(address(job), {"deed": "claim"}, headers=QUEUED)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert client.get("/t/token/").status_code == 401


def test_who_lost_the_right_is_told_in_json(client: Client, manager: User, world: World) -> None:
    client.force_login(manager)
    answer = client.post(address(job_of(world, None, "new")), {"deed": "claim"}, headers=QUEUED)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_job_that_is_not_there_is_said_so_in_both_ways(phone: Client, send: Send) -> None:
    nowhere = f"/t/jobs/{uuid4()}/"
    assert phone.get(nowhere).status_code == 404
    assert send(nowhere, deed="claim").document["code"] == "not_found"


@pytest.mark.parametrize(
    ("page", "fields"),
    [("", {"deed": "note", "text": "scanned\x00text"}), ("/t/van/", {f"counted-{n}": "1" for n in range(3100)})],
    ids=["a NUL", "too many fields"],
)
def test_what_cannot_be_read_at_all_is_refused_in_json_to_the_queue(
    phone: Client, technician: User, world: World, page: str, fields: dict[str, str]
) -> None:
    headers = {**QUEUED, "X-Backline-Person": str(technician.pk)}
    answer = phone.post(page or address(job_of(world, technician)), fields, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert answer.json()["says"]
    plain = phone.post(page or address(job_of(world, technician)), fields)
    assert plain.status_code == 400
    assert "json" not in plain.headers["Content-Type"]


def test_a_mistake_of_ours_is_told_in_json_to_the_queue(
    phone: Client, technician: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(request: HttpRequest) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(auth, "get_user", break_down)
    phone.raise_request_exception = False
    answer = phone.post("/t/van/", {}, headers={**QUEUED, "X-Backline-Person": str(technician.pk)})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "json" not in phone.post("/t/van/", {}).headers["Content-Type"]


def test_nothing_is_sent_under_another_persons_name(world: World, technician: User, send: Send) -> None:
    job = job_of(world, technician)
    for somebody_else in (world.person.pk, 0):
        said = send(address(job), person=somebody_else or -1, deed="note", text="Theirs")
        assert (said.status, said.document["code"]) == (409, "other_person")
    assert not OrderEvent.objects.filter(subject_id=job.pk, kind="note.added").exists()


def test_two_people_with_the_same_key_do_not_meet(world: World, technician: User, send: Send, phone: Client) -> None:
    job, key = job_of(world, technician), str(uuid4())
    assert send(address(job), key=key, deed="note", text="One").status == 200
    colleague = User.objects.create_user("colleague")
    colleague.groups.set(technician.groups.all())
    User.objects.filter(pk=colleague.pk).update(is_staff=True)
    phone.force_login(colleague)
    assert send(address(job), key=key, person=colleague.pk, deed="note", text="One").status == 200
    assert OrderEvent.objects.filter(subject_id=job.pk, kind="note.added").count() == 2


def test_a_token_is_fresh_and_of_the_person_who_is_signed_in(technician: User, world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(technician)
    job = job_of(world, technician)
    fields, headers = {"deed": "note", "text": "x"}, {**QUEUED, "X-Backline-Person": str(technician.pk)}
    assert browser.post(address(job), fields, headers=headers).status_code == 403
    answer = browser.get("/t/token/")
    assert answer.json()["person"] == str(technician.pk)
    assert "no-store" in answer.headers["Cache-Control"]
    headers["X-CSRFToken"] = answer.json()["token"]
    assert browser.post(address(job), fields, headers=headers).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_whose_they_are_and_no_cache_between_keeps_them(phone: Client, technician: User, page: str) -> None:
    answer = phone.get(page)
    assert answer.headers["X-Backline-Person"] == str(technician.pk)
    assert answer.headers["Cache-Control"] == "no-store, private"


def test_what_is_for_everybody_holds_nothing_of_anybody(client: Client, phone: Client) -> None:
    stranger = Client()
    for page in ("/t/offline/", "/t/sw.js", "/t/manifest.webmanifest"):
        answer = stranger.get(page)
        assert answer.status_code == 200
        assert "X-Backline-Person" not in answer.headers


def test_the_worker_is_served_as_one_with_its_scope_and_all_it_keeps_exists(client: Client) -> None:
    answer = client.get("/t/sw.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Service-Worker-Allowed"] == "/t/"
    assert answer.headers["Cache-Control"] == "no-cache"
    told = json.loads(answer.content.decode().split("self.TOLD = ", 1)[1].split(";\n", 1)[0])
    for kept in [*told["shell"], *told["scripts"]]:
        assert finders.find(kept.removeprefix("/static/")), kept
    assert set(told["scripts"]) <= set(told["shell"])


def test_all_that_a_page_is_drawn_with_is_kept(phone: Client) -> None:
    told = json.loads(phone.get("/t/sw.js").content.decode().split("self.TOLD = ", 1)[1].split(";\n", 1)[0])
    page = phone.get("/t/").content.decode()
    needed = set(re.findall(r'<(?:script|link rel="stylesheet")[^>]*(?:src|href)="([^"]+)"', page))
    assert needed <= set(told["shell"])


def test_the_manifest_installs_the_phone_with_icons_of_our_own(client: Client) -> None:
    document = client.get("/t/manifest.webmanifest").json()
    assert (document["scope"], document["start_url"], document["display"]) == ("/t/", "/t/", "standalone")
    for icon in document["icons"]:
        assert finders.find(icon["src"].removeprefix("/static/")), icon
    assert {"any", "maskable"} == {icon["purpose"] for icon in document["icons"]}


def test_no_page_of_the_phone_has_inline_scripts_or_styles(
    world: World, phone: Client, technician: User, van: object
) -> None:
    job = job_of(world, technician)
    for page in (*PAGES, "/t/offline/", address(job)):
        text = phone.get(page).content.decode()
        for banned in (" style=", "<style", "<script>", " onclick=", " onsubmit=", "javascript:"):
            assert banned not in text, (page, banned)
        assert text.count("<h1") == 1


def test_the_phone_is_where_a_technician_finds_it(phone: Client) -> None:
    assert 'href="/t/"' in phone.get("/").content.decode()


def test_a_colleagues_job_is_read_and_not_worked_on(world: World, phone: Client) -> None:
    job = job_of(world, world.person)
    page = phone.get(address(job)).content.decode()
    assert "Some Body has it" in page
    assert 'value="advance"' not in page
    assert ServiceOrder.objects.get(pk=job.pk).version == job.version
