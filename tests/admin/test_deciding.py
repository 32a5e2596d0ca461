"""What waits for another person, on its page: each sees what is theirs to do, and nothing that would be refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from orders.actions import consents
from orders.models import OverrideRequest
from parts.models import PartChange
from tests.admin.desk import desk_of, page, text
from tests.orders import test_consents as overrides
from tests.parts import test_changing as changes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def other(db: None) -> User:
    return overrides.person("other")


def deeds(person: User, row: OverrideRequest | PartChange) -> list[str]:
    return [deed.slug for deed, _address in desk_of(person).get(page(row)).context["desk_deeds"]]


def test_who_asked_for_an_override_can_take_it_back_and_another_decides(manager: User, other: User) -> None:
    overrides.dear()
    row = consents.ask(wish=overrides.wish(overrides.short_line()), expected_version=None, **overrides.by(manager))
    assert deeds(manager, row) == ["withdraw"]
    assert deeds(other, row) == ["consent", "refuse"]


def test_who_asked_for_a_change_of_a_part_can_take_it_back_and_another_decides(manager: User, other: User) -> None:
    row = changes.asked(changes.controlled(), manager)
    assert deeds(manager, row) == ["withdraw"]
    assert deeds(other, row) == ["approve", "refuse"]


def test_yes_and_no_stand_in_the_timeline_as_words(manager: User) -> None:
    line = overrides.short_line()
    consents.ask(wish=overrides.wish(line), expected_version=None, **overrides.by(manager))
    shown = text(desk_of(manager).get(page(line)))
    assert "from stock: no" in shown
    assert "False" not in shown
