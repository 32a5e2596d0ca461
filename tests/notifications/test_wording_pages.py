"""The editor of wordings: what is missing, a draft with its preview on a real order, faults, versions, rolling back."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications import shipped
from notifications.models import Template, TemplateVersion
from orders.models import ServiceOrder
from tests.orders.desk import Desk, statements

LIST = "/messages/wordings/"
EDITOR = "/messages/wordings/customer_news/?language=en"
VERSIONS = "/messages/wordings/customer_news/versions/?language=en"
TYPED = {"subject": "{{ order.reference }}", "text": "Now: {{ order.status }}", "sms": "{{ links.order }}", "html": ""}
QUICK = {"HX-Request": "true", "HX-Target": "preview"}


@pytest.fixture
def job(desk: Desk) -> ServiceOrder:
    """A job whose customer is told."""
    return desk.job("in_progress", title="<b>Press</b> leaks")


@pytest.fixture
def office(client: Client, manager: User, job: ServiceOrder) -> Client:
    """The parts manager, signed in."""
    client.force_login(manager)
    return client


def drafts() -> list[TemplateVersion]:
    return list(TemplateVersion.objects.filter(published_at=None))


def published() -> TemplateVersion:
    kept = TemplateVersion.objects.filter(template__code="customer_news", language="en", published_at__isnull=False)
    return kept.order_by("-number")[0]


def test_the_list_says_what_is_missing(office: Client) -> None:
    Template.objects.create(code="mine", name="Mine")
    page = office.get(LIST).content.decode()
    assert page.count("English is sent instead.") == 3
    assert page.count("Version 1") == 3 * len(shipped.TEMPLATES)


def test_the_list_asks_as_much_of_many_wordings_as_of_few(office: Client) -> None:
    office.get(LIST)
    with statements() as few:
        office.get(LIST)
    for number in range(20):
        template = Template.objects.create(code=f"mine-{number}", name=f"Mine {number}")
        TemplateVersion.objects.create(
            template=template, language="de", number=1, subject="x", text="x", sms="x", written_at=timezone.now()
        )
    with statements() as many:
        office.get(LIST)
    assert len(many) == len(few)


def test_words_are_previewed_on_an_order_and_nothing_is_kept(office: Client, job: ServiceOrder) -> None:
    answer = office.post(EDITOR, TYPED | {"deed": "preview", "order": job.reference}, headers=QUICK)
    page = answer.content.decode()
    assert "<html" not in page
    assert "Now: Work in progress" in page or "Now: " in page
    assert "1 SMS" in page
    whole = office.post(EDITOR, TYPED | {"deed": "preview", "order": job.reference}).content.decode()
    assert "<html" in whole
    assert job.reference in whole
    assert drafts() == []


def test_an_order_that_is_not_there_is_said_to_be_so(office: Client) -> None:
    page = office.post(EDITOR, TYPED | {"deed": "preview", "order": "SO-999999"}, headers=QUICK).content.decode()
    assert "There is no such order for you to see." in page


def test_the_email_is_shown_in_a_frame_where_nothing_runs(office: Client, job: ServiceOrder) -> None:
    address = reverse("messages:wording-email", args=["customer_news"]) + "?language=en"
    answer = office.post(address, TYPED | {"html": "<p>{{ order.title }}</p>", "order": job.reference})
    assert "&lt;b&gt;Press&lt;/b&gt; leaks" in answer.content.decode()
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert {"default-src 'none'", "frame-ancestors 'self'"} <= {part.strip() for part in policy.split(";")}
    assert "sandbox" in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    editor = office.get(EDITOR)
    assert "frame-src 'self'" in editor.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in editor.headers["Content-Security-Policy"]
    assert re.search(r'<iframe[^>]+sandbox="allow-popups allow-popups-to-escape-sandbox"', editor.content.decode())


def test_a_wording_with_faults_is_not_kept_and_stays_as_it_was_typed(office: Client) -> None:
    answer = office.post(EDITOR, TYPED | {"text": "Hello\n{{ order.price }}", "deed": "save"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Line 2: There is no “order.price”." in page
    assert "{{ order.price }}" in page
    assert drafts() == []


def test_a_draft_is_kept_compared_and_published_with_a_reason(office: Client, manager: User) -> None:
    assert office.post(EDITOR, TYPED | {"deed": "save"}).status_code == 302
    (draft,) = drafts()
    assert draft.written_by == manager
    page = office.get(EDITOR).content.decode()
    assert "What the draft changes" in page
    assert '<li class="added">' in page
    refused = office.post(EDITOR, {"deed": "publish", "why": ""})
    assert refused.status_code == 400
    assert office.post(EDITOR, {"deed": "publish", "why": "Shorter."}).status_code == 302
    assert (published().number, published().published_by, published().why) == (2, manager, "Shorter.")


def test_who_wrote_meanwhile_is_not_written_over(office: Client) -> None:
    office.post(EDITOR, TYPED | {"deed": "save"})
    answer = office.post(EDITOR, TYPED | {"deed": "save", "sms": "mine", "seen": ""})
    assert answer.status_code == 412
    assert "mine" in answer.content.decode()
    assert drafts()[0].sms == "{{ links.order }}"
    seen = drafts()[0].written_at.isoformat()
    assert office.post(EDITOR, TYPED | {"deed": "save", "sms": "mine", "seen": seen}).status_code == 302
    assert drafts()[0].sms == "mine"


def test_a_draft_is_thrown_away(office: Client) -> None:
    office.post(EDITOR, TYPED | {"deed": "save"})
    assert office.post(EDITOR, {"deed": "discard"}).status_code == 302
    assert drafts() == []


def test_an_older_version_is_used_again(office: Client) -> None:
    first = published()
    office.post(EDITOR, TYPED | {"deed": "save"})
    office.post(EDITOR, {"deed": "publish", "why": "Shorter."})
    page = office.get(VERSIONS + "&version=1").content.decode()
    assert "Use these words again" in page
    assert office.post(VERSIONS, {"version": "1", "why": ""}).status_code == 400
    assert office.post(VERSIONS, {"version": "1", "why": "It was clearer."}).status_code == 302
    assert (published().number, published().text) == (3, first.text)
    assert office.post(VERSIONS, {"version": "77", "why": "x"}).status_code == 404


def test_who_may_only_read_changes_nothing(client: Client, auditor: User, job: ServiceOrder) -> None:
    client.force_login(auditor)
    assert client.get(EDITOR).status_code == 200
    assert client.post(EDITOR, TYPED | {"deed": "save"}).status_code == 403
    assert client.post(VERSIONS, {"version": "1", "why": "x"}).status_code == 403
    assert drafts() == []
