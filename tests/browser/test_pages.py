"""Every page of the back office: on a phone nothing lies off the edge, nothing complains, and nothing bars people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from parts.admin.offices import Office
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, PHONE, Known

APPS = ("backorders", "orders", "parts")
ELSEWHERE = "the rest"

#: What axe finds in the theme's own markup, and why it stays as it is.
KNOWN: tuple[Known, ...] = ()


def offices(app: str) -> list[Office]:
    """Return the offices of an app, or of all apps that are not ours."""
    every = sorted(admin.site._registry.values(), key=lambda office: office.opts.label)
    return [
        office
        for office in every
        if isinstance(office, Office)
        and (office.opts.app_label == app or (app == ELSEWHERE and office.opts.app_label not in APPS))
    ]


def address(office: Office, view: str, *keys: object) -> str:
    """Return the address of a view of an office."""
    return reverse(f"admin:{office.opts.app_label}_{office.opts.model_name}_{view}", args=keys)


def pages(office: Office) -> Iterator[str]:
    """Return the list and the page of an object."""
    yield address(office, "changelist")
    if (row := office.model._default_manager.first()) is not None:
        yield address(office, "change", row.pk)


def forms(office: Office) -> Iterator[str]:
    """Return the forms of deeds, one for each template; those for an object, of one that they are offered for."""
    rows = list(office.model._default_manager.all()[:20])
    seen = set()
    for deed in office.deeds:
        if deed.inline or deed.hidden or deed.template in seen:
            continue
        subject = None if deed.on_list else next(filter(deed.offered, rows), None)
        if deed.on_list or subject is not None:
            seen.add(deed.template)
            yield address(office, deed.slug, *([subject.pk] if subject else []))


def is_ours(office: Office) -> bool:
    """Whether its pages show templates of ours, beside what the theme makes of any model."""
    return bool(office.panel_template or office.overview_template or office.deeds)


@pytest.mark.parametrize("app", [*APPS, ELSEWHERE])
def test_every_page_fits_a_phone_and_ours_bar_nobody(
    world: World, above_all: User, screen_of: ScreenOf, app: str
) -> None:
    world.many(1)
    screen = screen_of(above_all, PHONE)
    found = {}
    for office in offices(app):
        for path in [*pages(office), *forms(office)]:
            screen.go(path)
            if wrong := screen.sideways() + (screen.barriers(KNOWN) if is_ours(office) else []):
                found[path] = wrong
    assert found == {}


def test_in_the_dark_and_on_a_desktop_our_pages_bar_nobody(world: World, above_all: User, screen_of: ScreenOf) -> None:
    world.many(1)
    screen = screen_of(above_all, DESKTOP, scheme="dark")
    found = {}
    for office in (office for app in APPS for office in offices(app)):
        listed, *shown = pages(office)
        seen = [listed] if office.overview_template else []
        for path in seen + (shown if office.panel_template else []) + list(forms(office))[-1:]:
            screen.go(path)
            if wrong := screen.barriers(KNOWN):
                found[path] = wrong
    assert found == {}


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "dark"])
def test_nothing_bars_people_at_the_door(
    manager: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    for person, path in ((None, "/"), (None, "/accounts/login/"), (manager, "/")):
        screen = screen_of(person, size, scheme=scheme)
        screen.go(path)
        assert screen.sideways() + screen.barriers() == []
