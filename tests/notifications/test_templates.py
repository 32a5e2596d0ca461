"""Wordings are written as drafts, checked, published with who and why, rolled back; what was published stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications.actions import templates
from notifications.actions.templates import NothingToPublish, Words
from notifications.models import Notice, Template, TemplateVersion
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, VersionConflict
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import Desk

WORDS = Words(subject="{{ order.reference }}", text="Now: {{ order.status }}", sms="{{ order.status }}")


@pytest.fixture
def news(db: None) -> Template:
    """The wording of news for customers."""
    return Template.objects.get(code="customer_news")


@pytest.fixture
def told(db: None) -> dict[str, Any]:
    """Who may write and publish, and when it is."""
    user = User.objects.create(username="writer")
    may = frozenset({templates.EDIT, templates.PUBLISH})
    return {"by": Actor(f"user:{user.pk}", may, user.pk), "source": "test", "at": timezone.now()}


def draft(news: Template, told: dict[str, Any], words: Words = WORDS, **changes: Any) -> TemplateVersion:
    asked = {"template_id": news.pk, "language": "en", "words": words, "seen": None, **told}
    return templates.save_draft(**asked | changes)


def publish(news: Template, told: dict[str, Any], why: str = "Shorter.") -> TemplateVersion:
    return templates.publish(template_id=news.pk, language="en", why=why, **told)


def test_a_draft_is_used_by_nobody_until_it_is_published(news: Template, told: dict[str, Any], desk: Desk) -> None:
    only_rule()
    draft(news, told)
    desk.job("new")
    tell()
    sender().step()
    assert [notice.text[:5] for notice in notices()] == ["Hello"]
    published = publish(news, told)
    assert (published.number, published.why, published.published_by_id) == (2, "Shorter.", told["by"].user_id)
    desk.job("new")
    tell()
    sender(hours=1).step()
    assert notices()[-1].text.startswith("Now: ")
    assert notices()[-1].template_version == published


def test_a_draft_that_is_written_again_stays_one(news: Template, told: dict[str, Any]) -> None:
    first = draft(news, told)
    again = draft(news, told, replace(WORDS, sms="x"), seen=first.written_at)
    assert (again.pk, again.number, again.sms) == (first.pk, first.number, "x")
    assert TemplateVersion.objects.filter(template=news, language="en").count() == 2


def test_who_writes_over_somebody_elses_draft_is_told(news: Template, told: dict[str, Any]) -> None:
    draft(news, told)
    with pytest.raises(VersionConflict):
        draft(news, told, replace(WORDS, sms="mine"))
    assert TemplateVersion.objects.get(template=news, published_at=None).sms == WORDS.sms


@pytest.mark.parametrize(
    ("field", "source", "line"),
    [
        ("text", "Hello\n{{ order.price }}", 2),
        ("subject", "{{ user.password }}", 1),
        ("sms", "{% include 'x' %}", 1),
        ("text", "{% for one in news %}\n\n{{ one.secret }}{% endfor %}", 3),
        ("text", "{{ order.status", 1),
        ("text", "", 1),
        ("html", "<p>\n<script>alert(1)</script></p>", 2),
        ("html", '<a href="{{ order.title }}">x</a>', 1),
        ("html", '<p onclick="x">x</p>', 1),
        ("html", "<{{ order.title }}>", 1),
    ],
)
def test_a_fault_is_named_with_its_line_and_nothing_is_kept(
    news: Template, told: dict[str, Any], field: str, source: str, line: int
) -> None:
    with pytest.raises(Invalid) as refused:
        draft(news, told, replace(WORDS, **{field: source}))
    assert list(refused.value.extra["fields"]) == [field]
    assert refused.value.extra["fields"][field][0].startswith(f"Line {line}: ")
    assert not TemplateVersion.objects.filter(template=news, published_at=None).exists()


def test_nothing_is_published_without_a_reason_a_draft_or_a_difference(news: Template, told: dict[str, Any]) -> None:
    with pytest.raises(NothingToPublish):
        publish(news, told)
    in_use = templates.in_use_of(news, "en")
    assert in_use is not None
    draft(news, told, Words.of(in_use))
    with pytest.raises(NothingToPublish):
        publish(news, told)
    with pytest.raises(Invalid):
        publish(news, told, why=" ")
    assert templates.in_use_of(news, "en") == in_use


def test_rolling_back_publishes_the_old_words_anew(news: Template, told: dict[str, Any]) -> None:
    first = templates.in_use_of(news, "en")
    assert first is not None
    draft(news, told)
    publish(news, told)
    unfinished = draft(news, told, replace(WORDS, sms="later"))
    new = templates.roll_back(version_id=first.pk, why="It was clearer.", **told)
    assert (new.number, Words.of(new), new.why) == (4, Words.of(first), "It was clearer.")
    assert templates.in_use_of(news, "en") == new
    with pytest.raises(NothingToPublish):
        templates.roll_back(version_id=first.pk, why="Again.", **told)
    later = publish(news, told)
    assert (later.pk, later.number, later.sms) == (unfinished.pk, 5, "later")
    assert templates.in_use_of(news, "en") == later


def test_the_database_refuses_to_change_what_was_published(news: Template) -> None:
    published = TemplateVersion.objects.filter(template=news, published_at__isnull=False)
    with pytest.raises(IntegrityError, match="published_wording_stays"), transaction.atomic():
        published.update(text="Never said.")
    with pytest.raises(IntegrityError, match="published_wording_stays"), transaction.atomic():
        published.update(published_at=None)
    with pytest.raises(IntegrityError, match="published_wording_stays"), transaction.atomic():
        published.delete()
    assert published.count() == 3


def test_a_draft_can_be_thrown_away(news: Template, told: dict[str, Any]) -> None:
    draft(news, told)
    assert templates.discard_draft(template_id=news.pk, language="en", **told)
    assert not templates.discard_draft(template_id=news.pk, language="en", **told)
    assert not TemplateVersion.objects.filter(template=news, published_at=None).exists()


def test_only_who_may_writes_publishes_and_rolls_back(news: Template, told: dict[str, Any]) -> None:
    stranger = told | {"by": Actor("user:0", frozenset(), None)}
    editor = told | {"by": Actor("user:0", frozenset({templates.EDIT}), None)}
    with pytest.raises(Forbidden):
        draft(news, stranger)
    draft(news, editor)
    with pytest.raises(Forbidden):
        publish(news, editor)
    first = TemplateVersion.objects.filter(template=news, language="en", published_at__isnull=False)[0]
    with pytest.raises(Forbidden):
        templates.roll_back(version_id=first.pk, why="Back.", **editor)
    with pytest.raises(Forbidden):
        templates.discard_draft(template_id=news.pk, language="en", **stranger)


def test_a_wording_that_cannot_be_said_gives_way_to_the_shipped_one(
    desk: Desk, news: Template, caplog: pytest.LogCaptureFixture
) -> None:
    only_rule()
    broken = {"subject": "{{ nobody.knows }}", "text": "{{ nobody.knows }}", "sms": "x", "why": "by SQL"}
    now = timezone.now()
    TemplateVersion.objects.create(template=news, language="en", number=2, written_at=now, published_at=now, **broken)
    jobs = [desk.job("new"), desk.job("new")]
    tell()
    assert sender().step() == 2
    said = {notice.reference: notice for notice in Notice.objects.all()}
    assert {job.reference for job in jobs} == set(said)
    assert all(notice.text.startswith("Hello") and notice.handed_over_at for notice in said.values())
    logged = [record for record in caplog.records if "could not be put into words" in record.message]
    assert len(logged) == 2
    assert logged[0].__dict__["wording"] == "customer_news"
