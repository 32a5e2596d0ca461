"""Every page of the back office and of the API's description, in a real browser under its Content-Security-Policy."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from tests.admin.world import World
from tests.browser.conftest import ScreenOf


def _pages(world: World) -> list[str]:
    """Return the address of each list, of a page of each kind, of each form for something new, and of each deed."""
    pages = ["/admin/", "/admin/password_change/"]
    for model, office in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages.append(reverse(f"{name}_changelist"))
        row = model._default_manager.order_by("pk").first()
        deeds = [deed for deed in getattr(office, "deeds", ()) if not deed.inline]
        pages += [reverse(f"{name}_{deed.slug}") for deed in deeds if deed.on_list]
        if row is None:
            continue
        pages += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history")]
        pages += [reverse(f"{name}_{deed.slug}", args=[row.pk]) for deed in deeds if not deed.on_list]
    return pages


def test_no_page_of_the_back_office_breaks_its_policy(world: World, above_all: User, screen_of: ScreenOf) -> None:
    world.many(2)
    screen = screen_of(above_all)
    for address in _pages(world):
        screen.go(address)
    assert screen.complaints == []


def test_calls_can_be_tried_on_the_page_of_the_api(world: World, above_all: User, screen_of: ScreenOf) -> None:
    screen = screen_of(above_all)
    screen.go("/api/v1/docs/")
    screen.page.get_by_role("heading", name="Backline").wait_for()
    screen.page.get_by_role("button", name="GET /api/v1/parts/", exact=False).first.click()
    screen.page.get_by_role("button", name="Try it out").click()
    screen.page.get_by_role("button", name="Execute").click()
    screen.page.get_by_text("Response headers").first.wait_for()
    assert screen.complaints == []
