"""Two editors of one wording at once: its versions are numbered one after the other. The twin has no lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone

from notifications.actions import templates
from notifications.actions.templates import Words
from notifications.models import Template, TemplateVersion
from parts.actors import Actor
from parts.errors import VersionConflict
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def words(text: str) -> Words:
    return Words(subject="{{ order.reference }}", text=text, sms="{{ order.status }}")


@pytest.fixture
def told() -> dict[str, Any]:
    user = User.objects.create(username="writer")
    may = frozenset({templates.EDIT, templates.PUBLISH})
    return {"by": Actor(f"user:{user.pk}", may, user.pk), "source": "test", "at": timezone.now()}


@pytest.fixture
def news(told: dict[str, Any]) -> Template:
    """The wording of news for customers, whose second version is in use."""
    news = Template.objects.get(code="customer_news")
    templates.save_draft(template_id=news.pk, language="en", words=words("Second"), seen=None, **told)
    templates.publish(template_id=news.pk, language="en", why="Shorter.", **told)
    return news


def save(news: Template, told: dict[str, Any], text: str) -> Callable[[], TemplateVersion]:
    asked = {"template_id": news.pk, "language": "en", "words": words(text), "seen": None, **told}
    return lambda: templates.save_draft(**asked)


def back(news: Template, told: dict[str, Any]) -> Callable[[], TemplateVersion]:
    first = TemplateVersion.objects.get(template=news, language="en", number=1)
    return lambda: templates.roll_back(version_id=first.pk, why="It was better.", **told)


def numbers(news: Template) -> list[int]:
    found = TemplateVersion.objects.filter(template=news, language="en").order_by("number")
    return list(found.values_list("number", flat=True))


def heedless(template_id: UUID) -> Template:
    """Return a wording that nobody locked."""
    return Template.objects.get(pk=template_id)


def test_of_two_who_save_at_once_the_second_is_told_that_somebody_wrote(news: Template, told: dict[str, Any]) -> None:
    first, second = race(save(news, told, "Mine"), save(news, told, "Yours"))
    assert first.error is None
    assert isinstance(second.error, VersionConflict)
    assert numbers(news) == [1, 2, 3]
    assert TemplateVersion.objects.get(template=news, language="en", number=3).text == "Mine"


def test_a_draft_and_a_roll_back_at_once_have_numbers_of_their_own(news: Template, told: dict[str, Any]) -> None:
    first, second = race(save(news, told, "Mine"), back(news, told))
    assert (first.error, second.error) == (None, None)
    assert numbers(news) == [1, 2, 3, 4]


@pytest.mark.parametrize("way", ["save", "back"])
def test_without_the_lock_both_would_take_one_number(
    news: Template, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(templates, "_locked", heedless)
    other = save(news, told, "Yours") if way == "save" else back(news, told)
    first, second = race(save(news, told, "Mine"), other)
    assert first.error is None
    assert isinstance(second.error, IntegrityError)
    assert numbers(news) == [1, 2, 3]
