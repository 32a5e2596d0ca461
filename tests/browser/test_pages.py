"""The door: nothing bars people before they are inside, nor on the first page they see there."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, PHONE


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "dark"])
def test_nothing_bars_people_at_the_door(
    manager: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    for person, path in ((None, "/"), (None, "/accounts/login/"), (manager, "/")):
        screen = screen_of(person, size, scheme=scheme)
        screen.go(path)
        assert screen.sideways() + screen.barriers() == []
