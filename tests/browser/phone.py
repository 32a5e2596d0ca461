"""What a technician does on more than one of the phone's pages, and what a test looks at there."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Error, Locator, Page, expect

from orders.actions import lines, placing, service_orders
from orders.models import OrderEvent, OrderLine, ServiceOrder
from tests.admin.world import World, cause
from tests.browser.screen import Screen
from tests.conftest import PASSWORD


def job_of(world: World, person: User | None, status: str = "in_progress") -> ServiceOrder:
    found = world.job(status)
    if person is not None:
        service_orders.assign(service_order_id=found.pk, technician_id=person.pk, **cause())
    return ServiceOrder.objects.get(pk=found.pk)


def shipped_for(world: World, job: ServiceOrder) -> OrderLine:
    """A part that has left for a job."""
    placed = placing.place(
        kind="service",
        service_order_id=job.pk,
        requested_on=timezone.now().date(),
        lines=[placing.Wanted(quantity=Decimal(2), part_id=world.part_in_stock().pk)],
        **cause(),
    )
    lines.ship(order_id=placed.id, items=[lines.ShipItem(placed.lines[0].id)], walk=True, **cause())
    return OrderLine.objects.get(pk=placed.lines[0].id)


#: The last page that the worker is asked to keep.
LAST_KEPT = "/t/van/"
#: Resolves as soon as a page can be read without a network. (`wait_for_function` takes a promise for an answer.)
KEPT = """
async (path) => {
  for (;;) {
    const name = (await caches.keys()).find((key) => key.startsWith("backline-phone-pages-"));
    if (name && await (await caches.open(name)).match(path, { ignoreVary: true })) return;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
"""


def ready(screen: Screen, job: ServiceOrder | None = None) -> Screen:
    """Open the list (and a job) so that the worker is there and has kept what was seen."""
    screen.go("/t/")
    screen.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    screen.page.wait_for_function("() => Boolean(navigator.serviceWorker.controller)")
    screen.page.evaluate(KEPT, LAST_KEPT)
    if job is not None:
        screen.go(page_of(job))
    screen.page.wait_for_load_state("networkidle")
    return screen


@contextmanager
def cellar(screen: Screen) -> Iterator[None]:
    """Be without a network; that requests fail there is no complaint."""
    with screen.offline():
        yield
    forgive(screen, "ERR_INTERNET_DISCONNECTED", "ERR_FAILED")


def forgive(screen: Screen, *words: str) -> None:
    """Leave complaints out that a test has provoked."""
    screen.complaints[:] = [one for one in screen.complaints if not any(word in one for word in words)]


def anew(page: Page) -> None:
    """Load the page anew; where it does so by itself at the same moment, that is as good."""
    try:
        page.reload()
    except Error as error:
        if "ERR_ABORTED" not in error.message:
            raise
    page.wait_for_load_state()


def page_of(job: ServiceOrder) -> str:
    return f"/t/jobs/{job.pk}/"


def entries(page: Page) -> Locator:
    return page.locator(".entry")


def waiting(page: Page) -> int:
    return page.evaluate("Phone.store.all().then((all) => all.length)")


def unfold(page: Page, title: str) -> None:
    page.locator("details.panel > summary").filter(has_text=re.compile(f"^\\s*{title}\\s*$")).click()


def unfold_steps_note(page: Page, note: str) -> None:
    page.get_by_text("With a note").click()
    page.get_by_label("Note with it").fill(note)


def notes_of(job: ServiceOrder) -> list[str]:
    return list(
        OrderEvent.objects.filter(subject_id=job.pk, kind="note.added")
        .order_by("version")
        .values_list("text__text", flat=True)
    )


def picture(width: int, height: int) -> bytes:
    drawn = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(drawn, "JPEG", quality=50)
    return drawn.getvalue()


def sign_in(screen: Screen, person: User) -> None:
    screen.go("/accounts/login/")
    screen.page.get_by_label("Name").fill(person.username)
    screen.page.get_by_label("Password").fill(PASSWORD)
    screen.page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(screen.page.get_by_role("heading", level=1)).to_contain_text(person.first_name)


def sign_out(page: Page) -> None:
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def too_small(page: Page) -> list[str]:
    """Return what a finger would miss: visible buttons, links and fields under 44 px (links within text aside)."""
    return page.evaluate(
        """() => {
          const fields = "input:not([type=hidden], [type=checkbox]), textarea";
          const touched = `a.button, button, summary, .thumb a, a.stop, ${fields}`;
          const isSmall = (element) => {
            const { width, height } = element.getBoundingClientRect();
            return width < 44 || height < 44;
          };
          return [...document.querySelectorAll(touched)]
            .filter((element) => element.checkVisibility() && !element.closest(".menu") && isSmall(element))
            .map((element) => element.outerHTML.slice(0, 120));
        }"""
    )
