"""Takes the pictures of docs/screenshots from a running demo, as its people see it: every page on every screen.

They lie in a folder per screen (`1280-light`), to be looked at after a change of the look; the few that the README
shows are copied beside those folders, and only they are kept with the code.
"""

from __future__ import annotations

import io
import shutil
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from PIL import Image
from playwright.sync_api import Browser, Error, Page, sync_playwright

from config import chromium
from config.demo import PASSWORD, PEOPLE
from config.demo.ways import NOTE, SHORT

MOST_TALL = 1_700
SIZES = {"phone": (390, 844), "wide": (1280, 800), "widest": (1920, 1080)}
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Picture:
    """A page: from the first address on, the first link that matches each selector is followed.

    `by_link`: there a customer's link is made, and what it opens is taken. `person` is whose page it is, where that is
    not for the one who takes the pictures to say; `size` is the screen it is made for, and `shown` says that the README
    shows it so.
    """

    name: str
    address: str
    follow: tuple[str, ...] = ()
    full: bool = False
    by_link: bool = False
    person: str = ""
    size: str = "wide"
    shown: bool = False


CONSENTS = "/admin/orders/overriderequest/"
LIST_LINK = "#result_list tbody th a"
PICTURES = (
    Picture("home", "/"),
    Picture("back-order-desk", "/admin/desk/", full=True, shown=True),
    Picture("ways-out", f"/admin/backorders/backorder/?q={SHORT}", (LIST_LINK, "a[href$='/ways/']"), full=True),
    Picture("back-orders", "/admin/backorders/backorder/?view=waiting"),
    Picture("back-order", "/admin/backorders/backorder/?view=waiting&o=-7", (LIST_LINK,), full=True),
    Picture("service-order", "/admin/orders/serviceorder/?status__exact=awaiting_parts", (LIST_LINK,), full=True),
    Picture("parts-order", "/admin/orders/partsorder/?status__exact=back_ordered", (LIST_LINK,), full=True),
    Picture("desk-job", "/desk/search/?q=Engine+overheats", ("a[href^='/desk/orders/']",), full=True),
    Picture(
        "desk-order",
        "/desk/search/?q=Engine+overheats",
        ("a[href^='/desk/orders/']", "a[href^='/desk/parts-orders/']"),
        full=True,
        shown=True,
    ),
    Picture(
        "desk-place",
        "/desk/place/?whom=C-001&part=S-4100&quantity=1&part=S-4107&quantity=2&part=4711-4114&quantity=1",
        full=True,
    ),
    Picture("parts", "/admin/parts/part/"),
    Picture("delivery", "/admin/parts/purchaseorder/?status__exact=ordered", (LIST_LINK, "a[href$='/deliver/']")),
    Picture("delivery-due", "/admin/parts/delivery/book/", full=True),
    Picture("delivery-freed", f"/admin/parts/delivery/?q={NOTE}", (LIST_LINK,), full=True),
    Picture("overrides", "/admin/orders/override/", full=True),
    Picture("cases", "/admin/integrations/discrepancy/", full=True),
    Picture("case", "/admin/integrations/discrepancy/", (LIST_LINK,), full=True),
    Picture("consent", f"{CONSENTS}?status__exact=waiting", (LIST_LINK,), full=True, person="deputy"),
    Picture("change", "/admin/parts/partchange/?status__exact=waiting", (LIST_LINK,), full=True, person="deputy"),
    Picture(
        "customers-link",
        "/admin/orders/serviceorder/?status__exact=awaiting_parts",
        (LIST_LINK, "a[href^='/links/']"),
        full=True,
        by_link=True,
        size="phone",
        shown=True,
    ),
    Picture("board", "/desk/board/", person="dispatcher", shown=True),
    Picture("figures", "/figures/?period=365", full=True),
    Picture("figure", "/figures/line_fill_rate/?period=365"),
    Picture("board-table", "/desk/board/?as=table", full=True, person="dispatcher"),
    Picture("when", "/desk/when/?q=Frankfurt+Haulage", full=True, person="dispatcher", shown=True),
    Picture("search", "/desk/search/?q=pump", person="dispatcher"),
    Picture("audit", "/audit/?overrides=on", person="auditor"),
    Picture("audit-order", "/audit/?order=so+1", full=True, person="auditor"),
    Picture("audit-rights", "/audit/rights/", person="auditor"),
    Picture("phone-day", "/t/", person="technician", size="phone", shown=True),
    Picture("phone-job", "/t/", (".stops a[href*='/jobs/']",), full=True, person="technician", size="phone"),
    Picture("phone-parts", "/t/deliveries/", person="technician", size="phone"),
    Picture("phone-van", "/t/van/", person="technician", size="phone"),
)


class Command(BaseCommand):
    help = "Take the pictures of docs/screenshots from the running demo (make run)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default="http://localhost:8000", help="where the demo runs")
        parser.add_argument("--folder", default=str(settings.BASE_DIR / "docs" / "screenshots"))
        parser.add_argument("--person", default="manager", choices=[person.username for person in PEOPLE])
        parser.add_argument("--size", nargs="*", default=list(SIZES), choices=list(SIZES))
        parser.add_argument("--scheme", nargs="*", default=list(SCHEMES), choices=SCHEMES)
        parser.add_argument("--only", nargs="*", help="names of the pictures to take")

    def handle(self, *args: Any, **options: Any) -> None:
        if (program := chromium.program()) is None:
            raise CommandError("Chromium is not installed, and CHROMIUM names none.")
        known = {picture.name for picture in PICTURES}
        if unknown := set(options["only"] or ()) - known:
            raise CommandError(
                f"There is no picture {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}."
            )
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
            try:
                for size in options["size"]:
                    for scheme in options["scheme"]:
                        self._take_all(browser, size, scheme, options)
            except Error as error:
                raise CommandError(f"{options['address']} did not show what was expected: {error.message}") from error
            finally:
                browser.close()

    def _take_all(self, browser: Browser, size: str, scheme: str, options: dict[str, Any]) -> None:
        root = Path(options["folder"])
        folder = root / f"{SIZES[size][0]}-{scheme}"
        folder.mkdir(parents=True, exist_ok=True)
        pages: dict[str, Page] = {}
        taken = 0
        for picture in PICTURES:
            if options["only"] and picture.name not in options["only"]:
                continue
            person = picture.person or options["person"]
            if person not in pages:
                pages[person] = _signed_in(browser, person, size, scheme, options["address"])
            target = folder / f"{picture.name}.png"
            _take(pages[person], picture, options["address"], target)
            taken += 1
            if picture.shown and scheme == "light" and picture.size == size:
                shutil.copyfile(target, root / target.name)
        for page in pages.values():
            page.close()
        self.stdout.write(f"{folder}: {taken} pictures")


def _signed_in(browser: Browser, person: str, size: str, scheme: str, address: str) -> Page:
    width, height = SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Berlin",
    )
    page.set_default_timeout(15_000)
    page.goto(f"{address}/accounts/login/")
    page.fill("input[name=username]", person)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{address}/")
    return page


def _take(page: Page, picture: Picture, address: str, target: Path) -> None:
    page.goto(address + picture.address)
    for selector in picture.follow:
        page.goto(address + (page.locator(selector).first.get_attribute("href") or ""))
    if picture.by_link:
        page.locator(".links-new button").click()
        page.goto(page.locator("#customers-link-address").input_value())
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
