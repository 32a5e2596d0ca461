"""What an auditor comes for: find what happened, take it away, and prove it where there is no Backline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from orders import signing
from reports import tasks
from reports.models import ExportRun
from tests.admin.world import World
from tests.browser.conftest import ScreenOf
from tests.browser.screen import DESKTOP, PHONE


def verified(verifier: Path, export: Path) -> tuple[int, str]:
    """Run the verifier that came along, with nothing but Python's own."""
    command = [sys.executable, "-I", "-S", str(verifier), str(export), "--public-key", signing.public_key()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={}, cwd="/")
    return done.returncode, done.stdout + done.stderr


def test_an_auditor_exports_what_was_found_and_proves_it_offline(
    world: World, auditor: User, screen_of: ScreenOf, tmp_path: Path
) -> None:
    order = world.placed(world.part_in_stock(), 2)
    world.placed(world.part_in_stock(), 1)
    screen = screen_of(auditor)
    screen.go("/")
    page = screen.page
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Audit").click()
    page.get_by_label("Order", exact=True).fill(order.reference.lower())
    page.get_by_role("button", name="Search", exact=True).click()
    history = page.locator("#history")
    expect(history.get_by_role("row")).to_have_count(3)  # the head, the order, its line
    expect(history.get_by_role("row").filter(has_text="Parts ordered")).to_contain_text("Hash fits")

    history.get_by_role("link", name="Export these").click()
    expect(page.get_by_role("main")).to_contain_text(order.reference.lower())
    page.get_by_role("radio", name="JSON Lines Proves itself").check()
    page.get_by_role("button", name="Make the export").click()
    expect(page.get_by_role("status").filter(has_text="Waits for a worker")).to_be_visible()
    tasks.make_export(str(ExportRun.objects.get().pk))
    expect(page.get_by_role("status").filter(has_text="Ready")).to_be_visible()  # the page looks again by itself

    files = {}
    for name in (ExportRun.objects.get().file_name, "verifier.py"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        files[name] = tmp_path / name
        download.value.save_as(files[name])
    export, verifier = files.values()
    status, output = verified(verifier, export)
    assert status == 0, output
    content = export.read_bytes()
    export.write_bytes(content.replace(b'"quantity', b'"quantitx', 1) if b'"quantity' in content else content[:-2])
    assert verified(verifier, export)[0] == 1


def test_a_chain_is_verified_on_its_page_by_keys_alone(world: World, auditor: User, screen_of: ScreenOf) -> None:
    job = world.job()
    screen = screen_of(auditor)
    screen.go(f"/audit/chains/{job.pk}/")
    button = screen.page.get_by_role("button", name="Verify this chain now")
    button.focus()
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_role("status").filter(has_text="The chain holds")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "dark"])
def test_nothing_bars_people_from_the_audit(
    world: World, auditor: User, screen_of: ScreenOf, size: tuple[int, int], scheme: str
) -> None:
    world.placed(world.part_in_stock(), 2)
    job = world.job()
    screen = screen_of(auditor, size, scheme=scheme)
    found = {}
    for path in (
        "/audit/",
        "/audit/?order=nothing-like-that",
        "/audit/rights/?right=orders.override_orderline",
        "/audit/exports/",
        "/audit/exports/new/",
        f"/audit/chains/{job.pk}/?verify=1",
    ):
        screen.go(path)
        if wrong := screen.sideways() + screen.barriers():
            found[path] = wrong
    assert found == {}
