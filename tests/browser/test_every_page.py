"""Every page there is, found by the routes themselves: nothing on it bars people, by day and by night, and it fits.

A new route is asked for as soon as it exists. Whoever may see it opens it; one that nobody can open as a page stands in
NO_PAGE, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from parts.admin.offices import Office
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, Known, Screen
from tests.permission_matrix import Ask, Cast, questions, read_table

#: Routes that are no pages, by how their names begin or end.
NO_PAGE = (
    *("api:", "oauth-"),  # for machines; the page of the API has a test of its own
    *("livez", "readyz", "choose_look", "set_language", "logout", "admin:logout", "admin:jsi18n", "admin:autocomplete"),
    *("phone:manifest", "phone:worker", "phone:token", "phone:offline"),  # what the phone's own script fetches
    *("desk:file", "audit:export-file", "_evidence", "figures:csv"),  # files
    *("desk:place-line", "desk:place-part", "desk:place-whom", "messages:count"),  # pieces of pages, shown in them
    *("messages:letter-email", "messages:wording-email"),  # an email as its reader sees it, in a frame without scripts
    "messages:go",  # leads to what a message is about
    "tracking:one_click",  # what a mail program sends; who follows it is led to the page of the link
    *("admin:view_on_site", "admin:search", "admin:app_list"),
    "admin:login",  # leads to the one page to sign in
)
#: In so many parts, so that none takes long.
PARTS = 6
NARROWEST, PHONE = 320, 390
#: What axe finds that is the theme's own, and why it stays as it is.
KNOWN: tuple[Known, ...] = ()
#: What changes with the colours, and nothing else does.
_DARK = """() => { if (window.Alpine) document.documentElement.classList.add("dark"); }"""


def _made_alike() -> dict[str, str]:
    """Return the routes of the back office that are made from one template for many models: that template's name."""
    alike: dict[str, str] = {}
    for model, office in admin.site._registry.items():
        begins = f"admin:{model._meta.app_label}_{model._meta.model_name}_"
        deeds = office.deeds if isinstance(office, Office) else ()
        alike |= {f"{begins}{deed.slug}": deed.template for deed in deeds}
        alike |= {f"{begins}{view}": "history" for view in ("history", "simple_history")}
        alike |= {f"{begins}{view}": view for view in ("delete", "add")}
        if not (isinstance(office, Office) and (office.panel_template or office.overview_template or office.deeds)):
            alike |= {f"{begins}{view}": view for view in ("changelist", "change")}
    return alike


def pages() -> list[Ask]:
    """Return the question for each page that anybody may open: a GET, for one's own object where it names one.

    Of what one template makes for many models, one page of each app.
    """
    table, same, alike = read_table(), set(), _made_alike()
    found = []
    for ask in questions():
        if (
            ask.method != "GET"
            or ask.whose == "foreign"
            or ask.route.startswith(NO_PAGE)
            or ask.route.endswith(NO_PAGE)
        ):
            continue
        if "yes" not in table.get(ask, {"": "yes"}).values():
            continue  # nobody may
        if template := alike.get(ask.route):
            if (template, ask.route.split("_")[0]) in same:
                continue
            same.add((template, ask.route.split("_")[0]))
        found.append(ask)
    return found


def addresses(cast: Cast, ask: Ask) -> Iterator[str]:
    """Give the addresses at which a page may be open: of one object, or of the first for which a deed is offered."""
    yield cast.address(ask)
    for model, office in admin.site._registry.items():
        for deed in office.deeds if isinstance(office, Office) else ():
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{deed.slug}"
            if name == ask.route and not deed.on_list:
                rows = [row for row in model._default_manager.all()[:30] if deed.offered(row)]
                yield from (reverse(name, args=[row.pk]) for row in rows)


def opened(cast: Cast, clients: dict[str, Client], ask: Ask) -> tuple[str, str] | None:
    """Return who opens a page, and at which address; None where nobody does."""
    for address in addresses(cast, ask):
        for name, client in clients.items():
            answer = client.get(address)
            if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
                return name, address
    return None


def wrong_with(screen: Screen, address: str) -> list[str]:
    """Return what is wrong with a page: barriers by day and by night, and what lies off the edge of a phone."""
    page = screen.page
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    screen.go(address)
    found = screen.barriers(KNOWN)
    if (places := page.get_by_role("main").count()) != 1:
        found.append(f"{places} places that hold the content of the page")
    page.emulate_media(color_scheme="dark")
    page.evaluate(_DARK)
    found += [f"in the dark: {text}" for text in screen.barriers(KNOWN, only_colours=True)]
    for width in (PHONE, NARROWEST):
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"at {width} px: {text}" for text in screen.sideways()]
    return found


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_page_bars_anybody_and_every_page_fits_the_narrowest_phone(
    world: World,
    above_all: User,
    technician: User,
    dispatcher: User,
    auditor: User,
    partner: User,
    screen_of: ScreenOf,
    part: int,
) -> None:
    people = {person.username: person for person in (above_all, technician, dispatcher, auditor)}
    cast = Cast(world, {**people, "partner": partner})
    clients = {name: Client() for name in [*people, ""]}
    for name, person in people.items():
        clients[name].force_login(person)
    screens: dict[str, Screen] = {}
    wrong: list[str] = []
    for ask in pages()[part::PARTS]:
        found = opened(cast, clients, ask)
        if found is None:
            wrong.append(f"{ask.route}: nobody can open it as a page: see NO_PAGE")
            continue
        name, address = found
        screen = screens.setdefault(name, screens.get(name) or screen_of(people.get(name)))
        wrong += [f"{ask.route} {address} {said}" for said in wrong_with(screen, address)]
    assert not wrong, "\n".join(wrong)
