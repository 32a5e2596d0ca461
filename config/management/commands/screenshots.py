"""Takes the pictures of docs/screenshots from a running demo, as its people see it: every page on every screen.

They lie in a folder per screen (`1280-light`), to be looked at after a change of the look; the few that the README
shows are copied beside those folders, and only they are kept with the code.
"""

from __future__ import annotations

import io
import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from PIL import Image
from playwright.sync_api import Browser, Error, Page, sync_playwright

from config import chromium
from config.demo import PASSWORD, PEOPLE
from config.pictures import PICTURES, STRANGER, Picture

MOST_TALL = 1_700
SIZES = {"narrow": (320, 640), "phone": (390, 844), "wide": (1280, 800), "widest": (1920, 1080)}
USUAL = ("phone", "wide", "widest")
SCHEMES = ("light", "dark")


class Command(BaseCommand):
    help = "Take the pictures of docs/screenshots from the running demo (make run)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default="http://localhost:8000", help="where the demo runs")
        parser.add_argument("--folder", default=str(settings.BASE_DIR / "docs" / "screenshots"))
        parser.add_argument("--person", default="manager", choices=[person.username for person in PEOPLE])
        parser.add_argument("--size", nargs="*", default=list(USUAL), choices=list(SIZES))
        parser.add_argument("--scheme", nargs="*", default=list(SCHEMES), choices=SCHEMES)
        parser.add_argument("--language", default="en", choices=[code for code, _name in settings.LANGUAGES])
        parser.add_argument("--only", nargs="*", help="names of the pictures to take")

    def handle(self, *args: Any, **options: Any) -> None:
        if (program := chromium.program()) is None:
            raise CommandError("Chromium is not installed, and CHROMIUM names none.")
        known = {picture.name for picture in PICTURES}
        if unknown := set(options["only"] or ()) - known:
            raise CommandError(
                f"There is no picture {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}."
            )
        missed: list[str] = []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
            try:
                for size in options["size"]:
                    for scheme in options["scheme"]:
                        missed += self._take_all(browser, size, scheme, options)
            except Error as error:
                raise CommandError(f"{options['address']} did not show what was expected: {error.message}") from error
            finally:
                browser.close()
        if missed:
            raise CommandError("Not taken, for what they wait for was not there:\n" + "\n".join(missed))

    def _take_all(self, browser: Browser, size: str, scheme: str, options: dict[str, Any]) -> list[str]:
        """Take every picture on one screen; return those that could not be taken, each with the reason."""
        root = Path(options["folder"])
        language = options["language"]
        folder = root / "-".join([str(SIZES[size][0]), scheme, *([language] if language != "en" else [])])
        folder.mkdir(parents=True, exist_ok=True)
        pages: dict[str, Page] = {}
        taken, missed = 0, []
        for picture in PICTURES:
            if options["only"] and picture.name not in options["only"]:
                continue
            person = picture.person or options["person"]
            if person not in pages:
                pages[person] = _signed_in(browser, person, size, scheme, options)
            target = folder / f"{picture.name}.png"
            try:
                _take(pages[person], picture, person, options["address"], target)
            except Error as error:
                missed.append(f"{folder.name}/{picture.name}: {error.message.splitlines()[0]}")
                continue
            taken += 1
            if picture.shown and scheme == "light" and picture.size == size and language == "en":
                shutil.copyfile(target, root / target.name)
        for page in pages.values():
            page.close()
        self.stdout.write(f"{folder}: {taken} pictures")
        return missed


def _signed_in(browser: Browser, person: str, size: str, scheme: str, options: dict[str, Any]) -> Page:
    width, height = SIZES[size]
    address, language = options["address"], options["language"]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Berlin",
        locale={"en": "en-GB"}.get(language, language),  # browsers write days in it, in fields for them
    )
    page.set_default_timeout(15_000)
    page.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": address}])
    if person == STRANGER:
        return page
    page.goto(f"{address}/accounts/login/")
    _sign_in(page, person)
    page.wait_for_url(f"{address}/")
    return page


def _sign_in(page: Page, person: str) -> None:
    page.fill("input[name=username]", person)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")


def _take(page: Page, picture: Picture, person: str, address: str, target: Path) -> None:
    page.goto(address + picture.address)
    for selector in picture.follow:
        page.goto(address + (page.locator(selector).first.get_attribute("href") or ""))
    if picture.by_link:
        page.locator(".links-new button").click()
        page.goto(page.locator("#customers-link-address").input_value())
    for field, text in picture.typed:
        page.fill(field, text)
    if picture.too_late:
        page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    if picture.press:
        page.locator(picture.press).first.click()
    if picture.too_late:
        _sign_in(page, person)
    page.wait_for_load_state("networkidle")
    shown = page.viewport_size
    if picture.full and shown:  # a taller window instead of a long picture, in which what sticks would stand mid-page
        tall = min(page.evaluate("document.documentElement.scrollHeight"), MOST_TALL)
        page.set_viewport_size({"width": shown["width"], "height": tall})
    whole = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    # 256 colours are enough for pages, and a quarter of the size.
    whole.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(target, optimize=True)
    if shown:
        page.set_viewport_size(shown)
