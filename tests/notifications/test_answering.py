"""What comes back by email: answers, stops, and what nobody wrote."""

from __future__ import annotations

import io
import os
import time
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from notifications.actions import receiving
from notifications.actions.receiving import Came
from notifications.models import Notice
from notifications.replies import above_the_quote, address_of
from orders.actions.tracking import LONGEST_MESSAGE, LinkEnded
from orders.models import EventText, OrderEvent, ServiceOrder, TrackingLink
from parts.errors import Invalid
from tests.notifications.post import Post
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(desk: Desk, post: Post, settings: Settings) -> Notice:
    """A notice that the customer got, which may be answered."""
    settings.REPLY_ADDRESS = "reply@backline.example"
    settings.SITE_URL = "https://backline.example"
    only_rule()
    desk.job("new")
    tell()
    sender().step()
    return notices()[0]


def answer(notice: Notice, text: str = "Please call first.", *, html: str = "", **headers: str) -> bytes:
    mail = EmailMessage()
    named = {"From": "Ada <ada@customer.example>", "To": address_of(notice.pk), "Message-ID": "<1@customer.example>"}
    for name, value in (named | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        mail[name] = value
    if html:
        mail.set_content(html, subtype="html")
    else:
        mail.set_content(text)
    return mail.as_bytes()


def receive(raw: bytes) -> Came:
    return receiving.receive(raw=raw, at=timezone.now())


def said() -> list[str]:
    return list(EventText.objects.filter(event__kind="message.received").values_list("text", flat=True))


def test_a_mail_to_a_customer_can_be_answered_and_stopped_by_one_click(told: Notice, post: Post, client: Client):
    (mail,) = post.taken
    assert mail["Reply-To"] == address_of(told.pk)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = str(mail["List-Unsubscribe"]).strip(" <>").removeprefix("https://backline.example")
    assert client.get(address).status_code == 302  # a person, or a scanner of links: nothing is stopped
    assert client.post(address).status_code == 403
    assert not ServiceOrder.objects.filter(messages_stopped_at__isnull=False).exists()
    strict = Client(enforce_csrf_checks=True)
    for _ in range(2):
        assert strict.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 204
    assert ServiceOrder.objects.filter(messages_stopped_at__isnull=False).count() == 1
    assert OrderEvent.objects.filter(kind="messages.stopped").count() == 1


def test_no_mail_offers_one_click_where_the_site_is_not_reached_safely(desk: Desk, post: Post):
    only_rule()
    desk.job("new")
    tell()
    sender().step()
    assert post.taken[0]["List-Unsubscribe-Post"] is None
    assert post.taken[0]["Reply-To"] is None


def test_an_answer_is_the_customers_message_on_the_order_once(told: Notice):
    raw = answer(told, "Please call first.\n\nOn Mon, 2 Mar 2026, Backline wrote:\n> Waiting for parts\n")
    assert [receive(raw), receive(raw)] == [Came.WRITTEN, Came.KNOWN]
    assert said() == ["Please call first."]
    (event,) = OrderEvent.objects.filter(kind="message.received")
    assert event.subject_id == told.thread_id
    assert event.actor.startswith("link:")


def test_an_answer_in_html_is_read_without_its_markup_and_quotes(told: Notice):
    html = "<style>p{}</style><p>Gate 4 &amp; ring</p><script>x()</script><blockquote>quoted</blockquote>"
    assert receive(answer(told, html=html)) == Came.WRITTEN
    assert said() == ["Gate 4 & ring"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"From": "backline@localhost"},
        {"From": "reply+0@backline.example"},
    ],
)
def test_what_nobody_wrote_is_ignored(told: Notice, headers: dict[str, str]):
    assert receive(answer(told, **headers)) == Came.IGNORED
    assert said() == []


def test_stop_stops_the_messages_about_the_order(told: Notice):
    assert receive(answer(told, "STOP\n\n> Waiting")) == Came.STOPPED
    assert ServiceOrder.objects.get(pk=told.thread_id).messages_stopped_at
    assert said() == []


@pytest.mark.parametrize("local", ["reply", "reply+x", f"reply+{'0' * 32}-{'0' * 20}"])
def test_a_mail_to_another_address_than_a_notice_named_is_refused(told: Notice, local: str):
    with pytest.raises(Invalid):
        receive(answer(told, To=f"{local}@backline.example"))
    assert said() == []


def test_nothing_is_written_by_a_link_that_was_revoked_and_none_is_made_for_it(told: Notice):
    TrackingLink.objects.update(revoked_at=timezone.now(), revoked_by="user:1")
    with pytest.raises(LinkEnded):
        receive(answer(told))
    assert said() == []
    assert TrackingLink.objects.count() == 1


def test_what_is_too_long_is_cut_and_says_so(told: Notice):
    receive(answer(told, "x" * 5_000))
    (text,) = said()
    assert len(text) <= LONGEST_MESSAGE
    assert text.endswith("[…]")
    with pytest.raises(Invalid):
        receive(b"x" * (receiving.MOST_BYTES + 1))


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff", b"Content-Type: a/b; c=\n\n", b"To: =?utf-8?b?//8=?= <a@\nFrom: x@\n\n"]
)
def test_what_names_no_writer_is_ignored(told: Notice, raw: bytes):
    assert receive(raw) == Came.IGNORED
    assert said() == []


def test_a_mail_of_parts_without_end_is_refused(told: Notice):
    head = f"From: ada@customer.example\nTo: {address_of(told.pk)}\n".encode()
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000))
    with pytest.raises(Invalid, match="cannot be read"):
        receive(head + parts)
    assert said() == []


def test_a_mail_of_tags_without_end_is_read_in_no_time(told: Notice):
    started = time.process_time()
    receive(answer(told, html="<p>Yes</p>" + "<br" * 500_000))
    assert time.process_time() - started < 5
    assert said()[0].startswith("Yes")


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Danke!\n\nAm 2.3.2026 um 10:00 schrieb Backline:\n> x", "Danke!"),
        ("Gracias\n\nEl lun, 2 mar 2026, Backline escribió:\n> x", "Gracias"),
        ("Yes\n-- \nAda\nTel 1", "Yes"),
        ("Yes\n-----Original Message-----\nFrom: a@b.c", "Yes"),
        ("Yes\nFrom: Backline <a@b.c>\nSent: x", "Yes"),
        ("From today on it works.\nOn Monday, too.", "From today on it works.\nOn Monday, too."),
        ("> only a quote", ""),
    ],
)
def test_only_what_stands_above_the_quote_is_kept(text: str, own: str):
    assert above_the_quote(text) == own


def test_the_command_takes_a_mail_as_a_mail_server_pipes_it(told: Notice, monkeypatch: pytest.MonkeyPatch):
    out = io.StringIO()
    _pipe(monkeypatch, answer(told))
    call_command("receive_mail", stdout=out)
    assert out.getvalue().strip() == Came.WRITTEN
    _pipe(monkeypatch, answer(told, To="reply@backline.example"))
    with pytest.raises(CommandError) as refused:
        call_command("receive_mail")
    assert refused.value.returncode == os.EX_DATAERR


def _pipe(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    stdin: Any = io.TextIOWrapper(io.BytesIO(raw))
    monkeypatch.setattr("sys.stdin", stdin)
