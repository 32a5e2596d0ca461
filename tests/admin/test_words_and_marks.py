"""What lists and forms of the back office call things: units and statuses are words, whoever reads them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

from orders.actions import lines
from parts.labels import status_label
from parts.models import UnitOfMeasure
from tests.admin.desk import desk_of, text
from tests.admin.world import World, cause
from tests.factories.parts import UnitOfMeasureFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _piece(db: None) -> None:
    UnitOfMeasureFactory.create()


@pytest.mark.parametrize(("language", "word"), [("en", "Piece"), ("de", "Stück"), ("es", "Pieza")])
def test_a_unit_is_chosen_by_its_word_in_the_readers_language(manager: User, language: str, word: str) -> None:
    browser = desk_of(manager)
    browser.cookies["django_language"] = language
    shown = text(browser.get("/admin/parts/part/add/"))
    assert re.search(rf'<option value="C62"[^>]*>\s*{word}\s*</option>', shown)
    assert not re.search(r">\s*C62\s*<", shown)


def test_a_unit_is_found_by_its_word_in_the_readers_language_and_by_its_code(manager: User) -> None:
    browser = desk_of(manager)
    browser.cookies["django_language"] = "de"
    asked = {"app_label": "parts", "model_name": "part", "field_name": "unit"}
    for term in ("stüc", "c62"):
        found = browser.get("/admin/autocomplete/", {**asked, "term": term}).json()["results"]
        assert found == [{"id": "C62", "text": "Stück"}]


def test_a_unit_that_the_house_added_is_called_as_it_was_named(manager: User) -> None:
    UnitOfMeasure.objects.create(code="DR", name="Drum")
    with translation.override("de"):
        assert str(UnitOfMeasure.objects.get(code="DR")) == "Drum"


def test_a_status_of_the_back_office_is_an_icon_and_a_word() -> None:
    for value in ("back_ordered", "in_progress", "shipped", "cancelled", "refused", "no such status"):
        shown = status_label(value, "The word")
        assert "<svg" in shown
        assert "The word</span>" in shown


def test_the_desk_says_of_a_promise_its_day_and_how_it_stands(world: World, manager: User) -> None:
    broken, endangered = world.short(), world.short()
    now = timezone.now()
    ago = cause() | {"at": now - timedelta(days=5)}
    lines.promise(line_id=broken.line_id, promised_on=now.date() - timedelta(days=3), **ago)
    lines.promise(line_id=endangered.line_id, promised_on=now.date() + timedelta(days=2), **cause())
    shown = text(desk_of(manager).get("/admin/desk/"))
    assert "3 days late</span>" in shown
    assert "In danger, no day</span>" in shown
